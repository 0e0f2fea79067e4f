/* SPDX-License-Identifier: ISC */
/*
 * The worker's calls into the store: frames out, answers in, in order.  Runs
 * in the worker; must never wait without a deadline, nor leave a password
 * behind in a frame that was sent.
 */
#include <errno.h>
#include <poll.h>
#include <string.h>

#include "chatd/worker/ask.h"
#include "lib/unix.h"

int
ask_init(struct ask_channel *store, int sock, int64_t patience, int64_t end)
{
	memset(store, 0, sizeof(*store));
	store->sock = sock;
	store->patience = patience;
	store->end = end;
	return fd_nonblock(sock, true);
}

uint32_t
ask_under_way(const struct ask_channel *store)
{
	return store->number - store->answered;
}

/* Gives up on the store for good. */
static void
lose(struct ask_channel *store, bool late)
{
	store->lost = true;
	store->late = late;
}

/* When patience with the store ends. */
static int64_t
deadline(const struct ask_channel *store)
{
	int64_t until = clock_mono() + store->patience;

	return until < store->end ? until : store->end;
}

/* Waits until the channel is ready; false, and it is lost, if not. */
static bool
wait_ready(struct ask_channel *store, short events, int64_t until)
{
	for (;;) {
		struct pollfd pfd = {.fd = store->sock, .events = events};
		int64_t left = until - clock_mono();
		int n;

		n = left > 0 ? poll(&pfd, 1, (int)left) : 0;
		if (n > 0)
			return true;
		if (n == 0 || errno != EINTR) {
			lose(store, n == 0);
			return false;
		}
	}
}

/*
 * Posts one frame.  A full channel is waited for only if no answer is under
 * way: else both ends could wait for each other.  What cannot be posted
 * counts as asked, so that its place in the order is where it ends.
 */
static enum asked
post(struct ask_channel *store, enum ipc_type type, const void *body,
    const struct wire_string *tail)
{
	int64_t until = 0;

	while (!store->lost &&
	    ipc_send(store->sock, type, store->number + 1, body,
		tail ? tail->s : NULL, tail ? tail->len : 0, -1) == -1) {
		if (errno != EAGAIN) {
			lose(store, false);
			break;
		}
		if (ask_under_way(store) > 0)
			return ASKED_FULL;
		if (until == 0)
			until = deadline(store);
		wait_ready(store, POLLOUT, until);
	}
	store->quiet = ask_under_way(store) == 0;
	store->number++;
	return ASKED;
}

int
ask_next(struct ask_channel *store, void *buf, struct ipc_frame *frame)
{
	int64_t until = deadline(store);
	int ends = 0;

	if (store->quiet && !store->lost)
		wait_ready(store, POLLIN, until);
	store->quiet = false;
	for (;;) {
		int got = ipc_receive(
		    store->sock, ROLE_WORKER, ROLE_STORE, buf, frame);

		if (got == 1 && frame->number == store->answered + 1) {
			store->answered++;
			return 0;
		}
		if (got == -1 && errno == EAGAIN && !store->lost) {
			wait_ready(store, POLLIN, until);
			continue;
		}
		if (!store->lost)
			lose(store, false);
		/* A reset is told before the answers that precede it. */
		if (got != 0 || ++ends > 1)
			return -1;
	}
}

/* Copies checked bytes into a field that is all zero and large enough. */
static void
fill(char *field, size_t size, const struct wire_string *from)
{
	if (from->s && from->len < size)
		memcpy(field, from->s, from->len);
}

#define FILL(field, from) fill((field), sizeof(field), (from))

/* The same for a name that was folded. */
static void
fill_name(char field[NAME_MAX_LEN + 1], const char *name)
{
	memcpy(field, name, strnlen(name, NAME_MAX_LEN));
}

enum asked
ask_login(struct ask_channel *store, const char *user,
    const struct wire_string *password, bool brief,
    const struct ipc_beacon *beacon, const struct ipc_peer *peer)
{
	struct ipc_login body = {
	    .brief = brief, .beacon = *beacon, .peer = *peer};
	enum asked asked;

	fill_name(body.user, user);
	FILL(body.password, password);
	asked = post(store, IPC_LOGIN, &body, NULL);
	ipc_wipe(&body, sizeof(body));
	return asked;
}

enum asked
ask_register(struct ask_channel *store, const char *user,
    const struct wire_string *password, const struct wire_string *invite)
{
	struct ipc_register body = {0};
	enum asked asked;

	fill_name(body.user, user);
	FILL(body.password, password);
	FILL(body.invite, invite);
	asked = post(store, IPC_REGISTER, &body, NULL);
	ipc_wipe(&body, sizeof(body));
	return asked;
}

enum asked
ask_logout(struct ask_channel *store, const struct wire_string *token)
{
	struct ipc_auth body = {0};

	FILL(body.token, token);
	return post(store, IPC_LOGOUT, &body, NULL);
}

enum asked
ask_live(struct ask_channel *store, const struct wire_string *token,
    int64_t mail, int64_t room)
{
	struct ipc_live body = {.mail = mail, .room = room};

	FILL(body.auth.token, token);
	return post(store, IPC_LIVE, &body, NULL);
}

enum asked
ask_sync(
    struct ask_channel *store, const struct wire_request *request, int32_t max)
{
	struct ipc_sync body = {
	    .mail = request->mail,
	    .room = request->room,
	    .max = max,
	};

	FILL(body.auth.token, &request->token);
	FILL(body.epoch, &request->epoch);
	return post(store, IPC_SYNC, &body, NULL);
}

enum asked
ask_send(struct ask_channel *store, const struct wire_request *request,
    const char *to)
{
	struct ipc_send_text body = {0};

	FILL(body.auth.token, &request->token);
	FILL(body.id, &request->id);
	fill_name(body.to, to);
	return post(store, IPC_SEND, &body, &request->text);
}

enum asked
ask_broadcast(struct ask_channel *store, const struct wire_request *request)
{
	struct ipc_send_text body = {0};

	FILL(body.auth.token, &request->token);
	FILL(body.id, &request->id);
	return post(store, IPC_BROADCAST, &body, &request->text);
}

/* Asks for a page of a list. */
static enum asked
ask_list(struct ask_channel *store, enum ipc_type type,
    const struct wire_string *token, const char *after, int32_t max)
{
	struct ipc_list body = {.max = max};

	FILL(body.auth.token, token);
	fill_name(body.after, after);
	return post(store, type, &body, NULL);
}

enum asked
ask_online(struct ask_channel *store, const struct wire_string *token,
    const char *after, int32_t max)
{
	return ask_list(store, IPC_ONLINE, token, after, max);
}

enum asked
ask_blocked(struct ask_channel *store, const struct wire_string *token,
    const char *after, int32_t max)
{
	return ask_list(store, IPC_BLOCKED, token, after, max);
}

/* Asks for something to be done about another user. */
static enum asked
ask_user(struct ask_channel *store, enum ipc_type type,
    const struct wire_string *token, const char *user)
{
	struct ipc_user body = {0};

	FILL(body.auth.token, token);
	fill_name(body.user, user);
	return post(store, type, &body, NULL);
}

enum asked
ask_block(struct ask_channel *store, const struct wire_string *token,
    const char *user)
{
	return ask_user(store, IPC_BLOCK, token, user);
}

enum asked
ask_unblock(struct ask_channel *store, const struct wire_string *token,
    const char *user)
{
	return ask_user(store, IPC_UNBLOCK, token, user);
}

enum asked
ask_ask(struct ask_channel *store, const struct wire_string *token,
    const char *user)
{
	return ask_user(store, IPC_ASK, token, user);
}

enum asked
ask_answer(struct ask_channel *store, const struct wire_request *request)
{
	struct ipc_answer body = {.accept = request->accept};

	FILL(body.auth.token, &request->token);
	FILL(body.request, &request->request);
	return post(store, IPC_ANSWER, &body, NULL);
}

enum asked
ask_hangup(struct ask_channel *store, const struct wire_string *token,
    const char *user)
{
	return ask_user(store, IPC_HANGUP, token, user);
}

enum asked
ask_password(struct ask_channel *store, const struct wire_string *token,
    const struct wire_string *old, const struct wire_string *new)
{
	struct ipc_password body = {0};
	enum asked asked;

	FILL(body.auth.token, token);
	FILL(body.old, old);
	FILL(body.new, new);
	asked = post(store, IPC_PASSWORD, &body, NULL);
	ipc_wipe(&body, sizeof(body));
	return asked;
}
