/* SPDX-License-Identifier: ISC */
/*
 * Bounded lines out of a stream of bytes.  Pure: somebody else reads.
 */
#ifndef LIB_LINE_H
#define LIB_LINE_H

#include <stdbool.h>
#include <stddef.h>

enum { LINE_MAX_LEN = 65536 }; /* the newline included */

struct line_buf {
	char *data;
	size_t start; /* the first byte that no line has taken */
	size_t len; /* bytes from start on */
	size_t size; /* memory behind data */
	size_t seen; /* bytes from start on that hold no newline */
};

enum line_state { LINE_NONE, LINE_READY, LINE_TOO_LONG };

/* A zeroed struct is an empty buffer.  Frees what it grew to. */
void line_release(struct line_buf *buf);

/* Room for at least one more byte; *room says how many; NULL: no memory. */
char *line_room(struct line_buf *buf, size_t *room);

/* That many bytes were put into the room. */
void line_added(struct line_buf *buf, size_t count);

/*
 * Takes the next line.  *line is NUL-terminated in place of its newline
 * and valid until the next line_room(); *len does not count the NUL.
 */
enum line_state line_take(struct line_buf *buf, char **line, size_t *len);

/* True if line_take() would give a line (or LINE_TOO_LONG) now. */
bool line_waiting(struct line_buf *buf);

#endif
