/* SPDX-License-Identifier: ISC */
/*
 * The agent's socket: takes faces in, reads their lines, buffers what goes
 * to them.  Runs in the agent; knows no request by name.  A face that does
 * not read is dropped, never waited for.
 */
#include "chat/agent/door.h"

#include <sys/socket.h>

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

#include "lib/log.h"
#include "lib/unix.h"
#include "lib/wire.h"

struct door {
	struct loop *loop;
	struct loop_watch watch;
	struct loop_timer sweep;
	char *path;
	int fd;
	const struct door_calls *calls;
	void *arg;
	struct face_end *faces;
	int count;
	unsigned serial;
};

/* Frees the faces that are gone, when no handler can hold one. */
static void
sweep(struct door *door)
{
	struct face_end **link = &door->faces, *face;

	while ((face = *link) != NULL) {
		if (!face->gone) {
			link = &face->next;
			continue;
		}
		*link = face->next;
		line_release(&face->in);
		free(face->out);
		free(face);
	}
}

/*
 * In a turn of its own: whoever leaves may be the last one, with whom all
 * ends, and whoever just sent something goes on with what it holds.
 */
static void
left(void *arg)
{
	struct door *door = arg;

	sweep(door);
	door->calls->left(door->arg);
}

/* Ends a face's connection. */
static void
drop(struct face_end *face)
{
	struct door *door = face->door;
	int fd = face->watch.fd;

	if (face->gone)
		return;
	face->gone = true;
	face->watching = false;
	loop_remove(door->loop, &face->watch);
	close(fd);
	door->count--;
	loop_timer(door->loop, &door->sweep, 0, left, door);
}

size_t
door_pending(const struct face_end *face)
{
	return face->out_len;
}

/* Writes what the socket takes now; false if the face is lost. */
static bool
flush(struct face_end *face)
{
	ssize_t n;

	while (face->out_len > 0) {
		n = send(face->watch.fd, face->out + face->out_start,
		    face->out_len, MSG_NOSIGNAL | MSG_DONTWAIT);
		if (n == -1 && errno == EINTR)
			continue;
		if (n == -1)
			return errno == EAGAIN;
		face->out_start += (size_t)n;
		face->out_len -= (size_t)n;
	}
	face->out_start = 0;
	return true;
}

/* Waits for what is missing: always lines, and room if there is need. */
static void
want(struct face_end *face)
{
	loop_want(face->door->loop, &face->watch,
	    face->out_len > 0 ? LOOP_READ | LOOP_WRITE : LOOP_READ);
}

/* Room behind what is pending. */
static void
grow(struct face_end *face, size_t len)
{
	size_t size = face->out_size != 0 ? face->out_size : 4096;

	if (face->out_start > 0) {
		memmove(face->out, face->out + face->out_start, face->out_len);
		face->out_start = 0;
	}
	while (size < face->out_len + len)
		size *= 2;
	if (size == face->out_size)
		return;
	face->out = realloc(face->out, size);
	if (face->out == NULL)
		fatal(EX_OSERR, "no memory");
	face->out_size = size;
}

/* Sends a line to one face. */
static void
send_line(struct face_end *face, const char *line, size_t len)
{
	if (face->gone)
		return;
	if (face->out_len + len > DOOR_PENDING_MAX) {
		log_warn("a face does not read; dropped");
		drop(face);
		return;
	}
	grow(face, len);
	memcpy(face->out + face->out_start + face->out_len, line, len);
	face->out_len += len;
	if (!flush(face)) {
		drop(face);
		return;
	}
	want(face);
}

/* Sends an object to one face. */
void
door_send(struct face_end *face, json_t *object)
{
	size_t len;
	char *line = wire_line(object, &len);

	json_decref(object);
	if (line == NULL) {
		log_warn("a line for a face cannot be encoded");
		return;
	}
	send_line(face, line, len);
	free(line);
}

/* Sends an event to the faces. */
static void
tell(struct door *door, json_t *event, bool all)
{
	size_t len;
	char *line = wire_line(event, &len);

	json_decref(event);
	if (line == NULL)
		return;
	for (struct face_end *face = door->faces; face != NULL;
	     face = face->next)
		if (face->watching || all)
			send_line(face, line, len);
	free(line);
}

/* Sends an event to every face that watches. */
void
door_tell(struct door *door, json_t *event)
{
	tell(door, event, false);
}

/* Sends an event to every face. */
void
door_tell_all(struct door *door, json_t *event)
{
	tell(door, event, true);
}

/* Takes the lines that have come; false if the face sent too long a one. */
static bool
take_lines(struct face_end *face)
{
	const struct door *door = face->door;
	enum line_state state;
	char *line;
	size_t len;

	while (!face->gone &&
	    (state = line_take(&face->in, &line, &len)) != LINE_NONE) {
		if (state == LINE_TOO_LONG)
			return false;
		door->calls->line(door->arg, face, line, len);
	}
	return true;
}

/* A face has sent something, or ended. */
static bool
face_read(struct face_end *face)
{
	size_t room;
	char *at = line_room(&face->in, &room);
	ssize_t n;

	if (at == NULL)
		return false;
	n = recv(face->watch.fd, at, room, MSG_DONTWAIT);
	if (n == -1 && (errno == EAGAIN || errno == EINTR))
		return true;
	if (n <= 0)
		return false;
	line_added(&face->in, (size_t)n);
	return take_lines(face);
}

static void
face_ready(void *arg, unsigned events)
{
	struct face_end *face = arg;

	if ((events & LOOP_WRITE) != 0 && face->out_len > 0) {
		if (!flush(face)) {
			drop(face);
			return;
		}
		want(face);
		if (face->out_len == 0)
			face->door->calls->room(face->door->arg, face);
	}
	if (!face->gone && (events & LOOP_READ) != 0 && !face_read(face))
		drop(face);
}

/* True if the other end is run by the same user. */
static bool
is_ours(int fd)
{
	struct ucred peer;
	socklen_t len = sizeof(peer);

	return getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &len) == 0 &&
	    peer.uid == geteuid();
}

/* Takes a face in. */
static void
welcome(struct door *door, int fd)
{
	struct face_end *face = calloc(1, sizeof(*face));

	if (face == NULL)
		fatal(EX_OSERR, "no memory");
	face->door = door;
	face->serial = ++door->serial;
	face->watch.fd = -1;
	if (loop_add(door->loop, &face->watch, fd, LOOP_READ, face_ready,
		face) == -1) {
		log_warn("a face cannot be watched: %m");
		close(fd);
		free(face);
		return;
	}
	face->next = door->faces;
	door->faces = face;
	door->count++;
}

static void
knock(void *arg, unsigned events)
{
	struct door *door = arg;
	int fd;

	(void)events;
	fd = accept4(door->fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
	if (fd == -1)
		return;
	if (is_ours(fd) && door->count < DOOR_FACES_MAX) {
		welcome(door, fd);
		return;
	}
	log_warn("a face was turned away");
	close(fd);
}

/* Listens at path. */
struct door *
door_open(struct loop *loop, const char *path, const struct door_calls *calls,
    void *arg)
{
	struct door *door = calloc(1, sizeof(*door));

	if (door == NULL || (door->path = strdup(path)) == NULL)
		fatal(EX_OSERR, "no memory");
	door->loop = loop;
	door->calls = calls;
	door->arg = arg;
	door->watch.fd = -1;
	door->fd = unix_listen(path, 0600);
	if (door->fd != -1 && fd_nonblock(door->fd, true) == 0 &&
	    loop_add(loop, &door->watch, door->fd, LOOP_READ, knock, door) == 0)
		return door;
	if (door->fd != -1)
		close(door->fd);
	free(door->path);
	free(door);
	return NULL;
}

/* Takes the socket away, so that no face comes any more. */
void
door_shut(struct door *door)
{
	if (door->fd == -1)
		return;
	unlink(door->path);
	loop_remove(door->loop, &door->watch);
	close(door->fd);
	door->fd = -1;
}

/* Takes the socket away and drops all faces. */
void
door_close(struct door *door)
{
	int fd;

	door_shut(door);
	for (struct face_end *face = door->faces; face != NULL;
	     face = face->next) {
		if (face->gone)
			continue;
		face->gone = true;
		flush(face);
		fd = face->watch.fd;
		loop_remove(door->loop, &face->watch);
		close(fd);
	}
	loop_timer_stop(door->loop, &door->sweep);
	sweep(door);
	free(door->path);
	free(door);
}

int
door_count(const struct door *door)
{
	return door->count;
}

/* True if a face watches at all. */
bool
door_watching(const struct door *door)
{
	const struct face_end *face = door->faces;

	while (face != NULL && !face->watching)
		face = face->next;
	return face != NULL;
}

/* True if a face watches that shows how one's own messages fare. */
bool
door_watched(const struct door *door)
{
	for (const struct face_end *face = door->faces; face != NULL;
	     face = face->next)
		if (face->watching && !face->incoming)
			return true;
	return false;
}

/* The face with that serial, or NULL. */
struct face_end *
door_find(struct door *door, unsigned serial)
{
	for (struct face_end *face = door->faces; face != NULL;
	     face = face->next)
		if (face->serial == serial && !face->gone)
			return face;
	return NULL;
}

struct face_end *
door_first(struct door *door)
{
	return door->faces;
}
