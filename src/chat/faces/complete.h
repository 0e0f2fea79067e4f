/* SPDX-License-Identifier: ISC */
/*
 * What a half-typed word can become: the commands, and the people that a face
 * has met.  Pure: knows no terminal and no socket.
 */
#ifndef CHAT_FACES_COMPLETE_H
#define CHAT_FACES_COMPLETE_H

#include <stdbool.h>
#include <stddef.h>

#include "lib/text.h"

enum { PEOPLE_MAX = 4096 }; /* more than anybody writes to */

/* Those who were met, each once.  Zero it before first use. */
struct people {
	char (*names)[NAME_MAX_LEN + 1];
	size_t count;
};

/* Remembers somebody, if it is a name and there is room. */
void people_meet(struct people *people, const char *name);
void people_release(struct people *people);

/*
 * The words that can stand in line where the octets from start to end are
 * now: a list of fresh strings with NULL at the end, or NULL if none can.
 */
char **complete_words(
    const struct people *people, const char *line, size_t start, size_t end);

#endif
