/* SPDX-License-Identifier: ISC */
/*
 * What was typed before, in a file of the account's own: one line each, the
 * newlines in it written as \n.  Used by the face that edits lines; passwords
 * never come here.
 */
#ifndef CHAT_FACES_RECALL_H
#define CHAT_FACES_RECALL_H

#include <stddef.h>

enum {
	RECALL_MAX = 1000, /* lines that are kept */
	RECALL_LINE_MAX = 32768, /* longer ones are not worth it */
};

/*
 * Gives the last RECALL_MAX lines to fn, oldest first; a file that cannot be
 * read has none.
 */
void recall_read(
    const char *path, void (*fn)(void *arg, const char *line), void *arg);

/*
 * Adds a line; several faces may do so at a time.  Without a word if it cannot
 * be written: it is a convenience.
 */
void recall_add(const char *path, const char *line);

/* Keeps the last RECALL_MAX lines of the file and no more. */
void recall_trim(const char *path);

#endif
