/* SPDX-License-Identifier: ISC */
/*
 * The window's end of the agent's socket: JSON Lines both ways, as sources of
 * GLib's loop.  Never waits: what the agent does not take at once is queued,
 * and an agent that lets a mebibyte pile up counts as gone.
 */
#include "chat/faces/window/plug.h"

#include <sys/socket.h>
#include <sys/un.h>

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <glib-unix.h>

#include "lib/line.h"
#include "lib/wire.h"

struct plug {
	struct plug_calls calls;
	void *arg;
	int fd;
	guint reading, writing, ending; /* sources, 0 where there is none */
	struct line_buf in;
	char *out; /* of size octets: from start on, so many wait */
	size_t start, len, size;
	int64_t tag; /* of the last request */
	int depth; /* of calls under way */
	bool gone, closed;
};

static gboolean take_out(gint fd, GIOCondition events, gpointer arg);

/*
 * A socket that is connected to path, also where that is longer than an
 * address may be: then by way of its directory.  -1 with errno.
 */
static int
connect_path(const char *path)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	char *dir = g_path_get_dirname(path);
	const char *name = strrchr(path, '/');
	int where = -1, fd = -1, saved, len;

	if (strlen(path) < sizeof(address.sun_path)) {
		len = snprintf(
		    address.sun_path, sizeof(address.sun_path), "%s", path);
	} else {
		where = open(dir, O_PATH | O_DIRECTORY | O_CLOEXEC);
		len = snprintf(address.sun_path, sizeof(address.sun_path),
		    "/proc/self/fd/%d/%s", where, name != NULL ? name + 1 : "");
	}
	g_free(dir);
	errno = ENAMETOOLONG;
	if ((size_t)len < sizeof(address.sun_path))
		fd = socket(
		    AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd != -1 &&
	    connect(fd, (struct sockaddr *)&address, sizeof(address)) == -1) {
		saved = errno;
		close(fd);
		fd = -1;
		errno = saved;
	}
	saved = errno;
	if (where != -1)
		close(where);
	errno = saved;
	return fd;
}

/* Takes the sources away; nothing is read or written from here on. */
static void
unplug(struct plug *plug)
{
	if (plug->reading != 0)
		g_source_remove(plug->reading);
	if (plug->writing != 0)
		g_source_remove(plug->writing);
	plug->reading = plug->writing = 0;
	plug->gone = true;
}

static void
release(struct plug *plug)
{
	line_release(&plug->in);
	if (plug->out != NULL)
		explicit_bzero(plug->out, plug->size);
	free(plug->out);
	g_free(plug);
}

/* Tells the owner, once, from the loop. */
static gboolean
tell_gone(gpointer arg)
{
	struct plug *plug = arg;

	plug->ending = 0;
	plug->calls.gone(plug->arg);
	return G_SOURCE_REMOVE;
}

/* There is no agent any more. */
static void
lose(struct plug *plug)
{
	if (plug->gone)
		return;
	unplug(plug);
	if (!plug->closed)
		plug->ending = g_idle_add(tell_gone, plug);
}

/* Gives the lines that have come to the owner. */
static void
give_lines(struct plug *plug)
{
	enum line_state state = LINE_NONE;
	char why[WIRE_WHY_LEN], *line;
	json_t *object;
	size_t len;

	plug->depth++;
	while (!plug->closed &&
	    (state = line_take(&plug->in, &line, &len)) == LINE_READY) {
		object = wire_object(line, len, why);
		if (object != NULL)
			plug->calls.line(plug->arg, object);
		json_decref(object);
	}
	plug->depth--;
	if (plug->closed)
		release(plug);
	else if (state == LINE_TOO_LONG)
		lose(plug);
}

/* Reads once, and no more, so that the window is drawn in between. */
static gboolean
take_in(gint fd, GIOCondition events, gpointer arg)
{
	struct plug *plug = arg;
	size_t room;
	char *at = line_room(&plug->in, &room);
	ssize_t n;

	(void)events;
	n = at != NULL ? read(fd, at, room) : 0;
	if (n == -1 && (errno == EINTR || errno == EAGAIN))
		return G_SOURCE_CONTINUE;
	if (n <= 0) {
		plug->reading = 0;
		lose(plug);
		return G_SOURCE_REMOVE;
	}
	line_added(&plug->in, (size_t)n);
	give_lines(plug);
	return G_SOURCE_CONTINUE;
}

/* Connects. */
struct plug *
plug_open(const char *path, const struct plug_calls *calls, void *arg)
{
	struct plug *plug;
	int fd = connect_path(path);

	if (fd == -1)
		return NULL;
	plug = g_new0(struct plug, 1);
	plug->calls = *calls;
	plug->arg = arg;
	plug->fd = fd;
	plug->reading =
	    g_unix_fd_add(fd, G_IO_IN | G_IO_HUP | G_IO_ERR, take_in, plug);
	return plug;
}

/* Hangs up; from within one of its calls, too. */
void
plug_close(struct plug *plug)
{
	if (plug == NULL)
		return;
	unplug(plug);
	if (plug->ending != 0)
		g_source_remove(plug->ending);
	close(plug->fd);
	plug->closed = true;
	if (plug->depth == 0)
		release(plug);
}

/* Makes room for so many more octets; false if that is too much. */
static bool
make_room(struct plug *plug, size_t more)
{
	size_t size = plug->size;
	char *out;

	if (plug->len + more > PLUG_QUEUE_MAX)
		return false;
	if (plug->start + plug->len + more <= size)
		return true;
	while (size < plug->len + more)
		size = size == 0 ? 4096 : size * 2;
	/* Not realloc(): it leaves passwords behind. */
	out = malloc(size);
	if (out == NULL)
		return false;
	if (plug->out != NULL) {
		memcpy(out, plug->out + plug->start, plug->len);
		explicit_bzero(plug->out, plug->size);
	}
	free(plug->out);
	plug->out = out;
	plug->size = size;
	plug->start = 0;
	return true;
}

/* Writes what the agent takes now; the loop sees to the rest. */
static void
put_out(struct plug *plug)
{
	ssize_t n = 0;

	while (plug->len > 0) {
		n = send(
		    plug->fd, plug->out + plug->start, plug->len, MSG_NOSIGNAL);
		if (n == -1 && errno == EINTR)
			continue;
		if (n == -1)
			break;
		explicit_bzero(plug->out + plug->start, (size_t)n);
		plug->start += (size_t)n;
		plug->len -= (size_t)n;
	}
	if (plug->len == 0)
		plug->start = 0;
	else if (errno != EAGAIN)
		lose(plug);
	else if (plug->writing == 0)
		plug->writing = g_unix_fd_add(
		    plug->fd, G_IO_OUT | G_IO_HUP | G_IO_ERR, take_out, plug);
}

static gboolean
take_out(gint fd, GIOCondition events, gpointer arg)
{
	struct plug *plug = arg;

	(void)fd;
	(void)events;
	put_out(plug);
	if (plug->len > 0 && !plug->gone)
		return G_SOURCE_CONTINUE;
	plug->writing = 0;
	return G_SOURCE_REMOVE;
}

/* Sends a request with the next tag. */
int64_t
plug_say(struct plug *plug, json_t *request)
{
	size_t len;
	char *line;
	bool fits;

	json_object_set_new(request, "tag", json_integer(++plug->tag));
	line = wire_line(request, &len);
	json_decref(request);
	if (line == NULL)
		return -1;
	fits = !plug->gone && make_room(plug, len);
	if (fits) {
		memcpy(plug->out + plug->start + plug->len, line, len);
		plug->len += len;
	}
	/* A login holds the password. */
	explicit_bzero(line, len);
	free(line);
	if (!fits) {
		lose(plug);
		return -1;
	}
	if (plug->writing == 0)
		put_out(plug);
	return plug->gone ? -1 : plug->tag;
}
