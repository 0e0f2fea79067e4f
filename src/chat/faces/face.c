/* SPDX-License-Identifier: ISC */
/*
 * A face's end of the agent's socket: JSON Lines both ways.  Every face runs
 * it, in its own process; knows the socket and nothing else of the agent.
 */
#include "chat/faces/face.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "lib/unix.h"
#include "lib/wire.h"

/* Connects. */
int
face_open(struct face *face, const char *path, int stop)
{
	memset(face, 0, sizeof(*face));
	face->stop = stop;
	face->fd = unix_connect(path);
	return face->fd == -1 ? -1 : 0;
}

void
face_close(struct face *face)
{
	if (face->fd != -1)
		close(face->fd);
	face->fd = -1;
	line_release(&face->in);
}

/* A request to which the caller adds members. */
json_t *
face_request(const char *name)
{
	json_t *request = json_object();

	json_object_set_new(request, "do", json_string(name));
	return request;
}

/* Sends a request with the next tag. */
int64_t
face_say(struct face *face, json_t *request)
{
	size_t len;
	char *line;
	int status = -1;

	json_object_set_new(request, "tag", json_integer(++face->tag));
	line = wire_line(request, &len);
	json_decref(request);
	if (line == NULL)
		return -1;
	status = fd_write_all(face->fd, line, len);
	/* A login holds the password. */
	explicit_bzero(line, len);
	free(line);
	return status == -1 ? -1 : face->tag;
}

/* Says that the user has been shown all up to this row. */
void
face_seen(struct face *face, int64_t row)
{
	char line[64];
	int len = snprintf(line, sizeof(line),
	    "{\"do\":\"seen\",\"row\":%lld}\n", (long long)row);

	/* An agent that is gone is noticed at the next reading. */
	(void)fd_write_all(face->fd, line, (size_t)len);
}

/* The tag of a line; -1 for an event. */
int64_t
face_tag(const json_t *line)
{
	return wire_get_number(line, "tag", -1);
}

/* Reads what has come, once. */
bool
face_read(struct face *face)
{
	size_t room;
	char *at = line_room(&face->in, &room);
	ssize_t n;

	if (at == NULL)
		return false;
	do
		n = read(face->fd, at, room);
	while (n == -1 && errno == EINTR);
	if (n <= 0)
		return false;
	line_added(&face->in, (size_t)n);
	return true;
}

/* The next line that has come; what is no object is skipped. */
json_t *
face_next(struct face *face)
{
	char why[WIRE_WHY_LEN], *line;
	json_t *object;
	size_t len;

	while (line_take(&face->in, &line, &len) == LINE_READY) {
		object = wire_object(line, len, why);
		if (object != NULL)
			return object;
	}
	return NULL;
}

/* Waits for the agent's next bytes; false if it or the user is gone. */
static bool
wait_more(struct face *face, int ms)
{
	int ready;
	struct pollfd pfds[2] = {
	    {.fd = face->fd, .events = POLLIN},
	    {.fd = face->stop, .events = POLLIN},
	};

	for (;;) {
		ready = poll(pfds, 2, ms);
		if (ready == 0 || (ready == -1 && errno != EINTR))
			return false;
		if (ready == -1)
			continue;
		if (pfds[1].revents != 0) {
			face->stopped = true;
			return false;
		}
		if (pfds[0].revents != 0)
			return face_read(face);
	}
}

/* Waits for the next line. */
json_t *
face_line(struct face *face, int ms)
{
	json_t *line;

	while ((line = face_next(face)) == NULL)
		if (!wait_more(face, ms))
			return NULL;
	return line;
}

/* Waits for the reply with that tag. */
json_t *
face_reply(struct face *face, int64_t tag, int ms)
{
	json_t *line;

	while ((line = face_line(face, ms)) != NULL) {
		if (face_tag(line) == tag)
			return line;
		json_decref(line);
	}
	return NULL;
}

/* Sends a request and waits for its reply. */
json_t *
face_call(struct face *face, json_t *request)
{
	int64_t tag = face_say(face, request);

	return tag != -1 ? face_reply(face, tag, -1) : NULL;
}

/* How long to wait, by a reply. */
long
face_retry_after(const json_t *reply, long none)
{
	double value = json_number_value(json_object_get(reply, "retry_after"));

	if (!(value > 0) || value > 1e9)
		return none;
	return (long)value + (value > (double)(long)value);
}
