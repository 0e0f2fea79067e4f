/* SPDX-License-Identifier: ISC */
/*
 * Bounded lines out of a stream of bytes.  Runs in every process that reads
 * a peer; never reads a descriptor itself and never holds more than a few
 * lines of the greatest length.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "lib/line.h"

enum {
	FIRST_SIZE = 4096, /* most requests fit */
	ROOM_ENOUGH = 1024, /* less makes reads too small */
	BUFFER_MAX = 4 * LINE_MAX_LEN /* for readers that run ahead of takers */
};

void
line_release(struct line_buf *buf)
{
	/* Lines carry passwords and tokens. */
	if (buf->data)
		explicit_bzero(buf->data, buf->size);
	free(buf->data);
	memset(buf, 0, sizeof(*buf));
}

/* Moves the bytes that no line has taken to the front. */
static void
compact(struct line_buf *buf)
{
	if (buf->start > 0 && buf->len > 0)
		memmove(buf->data, buf->data + buf->start, buf->len);
	buf->start = 0;
}

/* Doubles the memory; -1 with errno if that is not possible. */
static int
grow(struct line_buf *buf)
{
	size_t size = buf->size ? buf->size * 2 : FIRST_SIZE;
	char *data;

	if (size > BUFFER_MAX) {
		errno = ENOBUFS;
		return -1;
	}
	data = malloc(size);
	if (!data)
		return -1;
	if (buf->data) {
		memcpy(data, buf->data + buf->start, buf->len);
		explicit_bzero(buf->data, buf->size);
		free(buf->data);
	}
	buf->data = data;
	buf->size = size;
	buf->start = 0;
	return 0;
}

char *
line_room(struct line_buf *buf, size_t *room)
{
	size_t left;

	if (buf->size - buf->start - buf->len < ROOM_ENOUGH)
		compact(buf);
	left = buf->size - buf->start - buf->len;
	if (left < ROOM_ENOUGH && grow(buf) == -1 && left == 0) {
		*room = 0;
		return NULL;
	}
	*room = buf->size - buf->start - buf->len;
	return buf->data + buf->start + buf->len;
}

void
line_added(struct line_buf *buf, size_t count)
{
	buf->len += count;
}

/*
 * Looks for the newline of the next line, each byte once only, and says
 * where it is.
 */
static enum line_state
find(struct line_buf *buf, size_t *at)
{
	size_t limit = buf->len < LINE_MAX_LEN ? buf->len : LINE_MAX_LEN;
	const char *from, *end;

	if (buf->seen < limit) {
		from = buf->data + buf->start;
		end = memchr(from + buf->seen, '\n', limit - buf->seen);
		if (end) {
			*at = (size_t)(end - from);
			buf->seen = *at;
			return LINE_READY;
		}
		buf->seen = limit;
	}
	return limit == LINE_MAX_LEN ? LINE_TOO_LONG : LINE_NONE;
}

enum line_state
line_take(struct line_buf *buf, char **line, size_t *len)
{
	size_t at = 0;
	enum line_state state = find(buf, &at);

	if (state != LINE_READY)
		return state;
	*line = buf->data + buf->start;
	*len = at;
	(*line)[at] = '\0';
	buf->start += at + 1;
	buf->len -= at + 1;
	buf->seen = 0;
	return LINE_READY;
}

bool
line_waiting(struct line_buf *buf)
{
	size_t at;

	return find(buf, &at) != LINE_NONE;
}
