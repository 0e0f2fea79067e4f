/* SPDX-License-Identifier: ISC */
/*
 * Workers' channels in the store.  A worker's fault costs its own channel;
 * a worker that does not read its answers stops being read.
 */
#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "chatd/store/dispatch.h"
#include "chatd/store/state.h"
#include "lib/log.h"
#include "lib/unix.h"

static void channel_ready(void *arg, unsigned events);

struct channel *
channel_open(
    struct store *store, int fd, uint32_t number, const struct ipc_serve *serve)
{
	struct channel *channel = calloc(1, sizeof(*channel));

	if (channel == NULL || fd_nonblock(fd, true) == -1 ||
	    loop_add(store->loop, &channel->watch, fd, LOOP_READ, channel_ready,
		channel) == -1) {
		log_paced(&store->without, "a worker's channel: %m");
		close(fd);
		free(channel);
		return NULL;
	}
	channel->store = store;
	channel->fd = fd;
	channel->from = serve->from;
	channel->exempt = serve->exempt != 0;
	channel->known = serve->known != 0;
	channel->number = number;
	channel->next = store->channels;
	if (channel->next != NULL)
		channel->next->previous = channel;
	store->channels = channel;
	store->channel_count++;
	return channel;
}

static void
unlist(struct channel *channel)
{
	struct channel **at = &channel->store->listed;

	while (*at != NULL && *at != channel)
		at = &(*at)->next_listed;
	if (*at != NULL)
		*at = channel->next_listed;
	channel->listed = false;
}

void
channel_close(struct channel *channel)
{
	struct store *store = channel->store;

	jobs_forget_channel(store, channel);
	proof_forget(store, channel);
	if (channel->listed)
		unlist(channel);
	loop_remove(store->loop, &channel->watch);
	close(channel->fd);
	if (channel->next != NULL)
		channel->next->previous = channel->previous;
	if (channel->previous != NULL)
		channel->previous->next = channel->next;
	else
		store->channels = channel->next;
	store->channel_count--;
	/* A token may be in it. */
	if (channel->out.data != NULL)
		ipc_wipe(channel->out.data, channel->out.len);
	free(channel->out.data);
	free(channel);
}

void
channels_close(struct store *store)
{
	while (store->channels != NULL)
		channel_close(store->channels);
}

/* What a channel waits for follows from its state alone. */
static void
plan(struct channel *channel)
{
	unsigned events = 0;

	if (channel->out.len > 0)
		events = LOOP_WRITE;
	else if (!channel->waits)
		events = LOOP_READ;
	loop_want(channel->store->loop, &channel->watch, events);
}

/* One frame with what ipc_send() needs, in front of those that wait. */
struct held {
	enum ipc_type type;
	uint32_t number;
	uint32_t body_len, tail_len;
};

/* Makes room for so much more; no copy of what is there stays behind. */
static bool
grow(struct frames *out, size_t more)
{
	size_t size = (out->len + more) * 2;
	char *data;

	if (out->size - out->len >= more)
		return true;
	data = malloc(size);
	if (data == NULL)
		return false;
	if (out->len > 0) {
		memcpy(data, out->data, out->len);
		ipc_wipe(out->data, out->len);
	}
	free(out->data);
	out->data = data;
	out->size = size;
	return true;
}

static bool
hold(struct frames *out, const struct held *held, const void *body,
    const void *tail)
{
	size_t need = sizeof(*held) + held->body_len + held->tail_len;
	size_t padded = (need + 7) & ~(size_t)7;

	if (!grow(out, padded))
		return false;
	memcpy(out->data + out->len, held, sizeof(*held));
	memcpy(out->data + out->len + sizeof(*held), body, held->body_len);
	if (held->tail_len > 0)
		memcpy(out->data + out->len + sizeof(*held) + held->body_len,
		    tail, held->tail_len);
	out->len += padded;
	return true;
}

void
channel_answer(struct channel *channel, enum ipc_type type, uint32_t number,
    const void *body, const void *tail, size_t tail_len)
{
	struct store *store = channel->store;
	struct held held = {.type = type,
	    .number = number,
	    .body_len = (uint32_t)ipc_body_len(type),
	    .tail_len = (uint32_t)tail_len};

	if (channel->deaf)
		return;
	if (!hold(&channel->out, &held, body, tail)) {
		log_warn("out of memory for an answer");
		channel->deaf = true;
	}
	if (!channel->listed) {
		channel->listed = true;
		channel->next_listed = store->listed;
		store->listed = channel;
	}
}

void
channel_refuse_with(struct channel *channel, uint32_t number,
    const struct ipc_refused *refused, const char *text)
{
	enum wire_error error = (enum wire_error)refused->error;

	channel->store->tally.refusals[error]++;
	channel_answer(channel, IPC_REFUSED, number, refused, text,
	    text != NULL ? strlen(text) : 0);
	if (error == ERR_BAD_REQUEST || wire_error_again(error))
		channel->deaf = true;
}

void
channel_refuse(struct channel *channel, uint32_t number, enum wire_error error,
    const char *text)
{
	struct ipc_refused refused = {
	    .error = (int32_t)error, .attempts_left = -1};

	if (wire_error_again(error))
		refused.retry_after = 1;
	channel_refuse_with(channel, number, &refused, text);
}

/* Sends what it can; false if the channel is broken. */
static bool
send_held(struct channel *channel)
{
	struct frames *out = &channel->out;
	size_t at = 0;

	while (at < out->len) {
		struct held held;
		const char *body = out->data + at + sizeof(held);

		memcpy(&held, out->data + at, sizeof(held));
		if (ipc_send(channel->fd, held.type, held.number, body,
			body + held.body_len, held.tail_len, -1) == -1) {
			if (errno != EAGAIN && errno != ENOBUFS)
				return false;
			break;
		}
		at += (sizeof(held) + held.body_len + held.tail_len + 7) &
		    ~(size_t)7;
	}
	if (at > 0) {
		memmove(out->data, out->data + at, out->len - at);
		out->len -= at;
		ipc_wipe(out->data + out->len, at);
	}
	return true;
}

/* Sends, and ends a channel whose last word that was. */
static void
flush(struct channel *channel)
{
	if (!send_held(channel) || (channel->deaf && channel->out.len == 0)) {
		channel_close(channel);
		return;
	}
	plan(channel);
}

void
channels_flush(struct store *store)
{
	while (store->listed != NULL) {
		struct channel *channel = store->listed;

		store->listed = channel->next_listed;
		channel->listed = false;
		flush(channel);
	}
}

bool
channel_gone(const struct channel *channel)
{
	struct pollfd pfd = {.fd = channel->fd};

	return poll(&pfd, 1, 0) == 1 && (pfd.revents & (POLLHUP | POLLERR));
}

void
channel_resume(struct channel *channel)
{
	channel->waits = false;
	plan(channel);
}

/*
 * Takes what the worker has asked, until it must wait or has asked enough
 * for one turn.  Answers go out after the commit.  What a deaf channel still
 * brings until then is thrown away.
 */
static void
channel_read(struct channel *channel)
{
	struct store *store = channel->store;
	struct ipc_frame frame;

	for (int i = 0; i < IPC_AHEAD_MAX; i++) {
		if (channel->waits)
			break;
		switch (ipc_receive(channel->fd, ROLE_STORE, ROLE_WORKER,
		    store->frame, &frame)) {
		case 1:
			if (!channel->deaf)
				dispatch(store, channel, &frame);
			/* Head and all: passwords and tokens. */
			ipc_wipe(store->frame,
			    (size_t)(frame.tail + frame.tail_len -
				(const char *)store->frame));
			break;
		case 0:
			channel_close(channel);
			return;
		default:
			if (errno == EAGAIN)
				return;
			/* One that was ended before it read what it got. */
			if (errno != ECONNRESET)
				log_paced(&store->broken,
				    "a worker broke the protocol: %m");
			channel_close(channel);
			return;
		}
		/* One large answer at a time keeps memory bounded. */
		if (channel->out.len >= IPC_FRAME_MAX / 2)
			break;
	}
	if (channel->waits)
		plan(channel);
}

static void
channel_ready(void *arg, unsigned events)
{
	struct channel *channel = arg;

	store_tick(channel->store);
	if (events & LOOP_WRITE)
		flush(channel);
	else
		channel_read(channel);
}
