/* SPDX-License-Identifier: ISC */
/*
 * Standard output of a face that must not be held up by who reads it: what
 * is printed waits here, and goes out in pieces that a pipe takes whole, so
 * that a stop is heard between them.
 */
#ifndef CHAT_FACES_OUTLET_H
#define CHAT_FACES_OUTLET_H

#include <stdbool.h>

enum outlet {
	OUTLET_DONE,
	OUTLET_STOPPED, /* what was left is dropped */
	OUTLET_FAILED, /* likewise, with errno */
};

/* Before anything is printed. */
void outlet_open(void);

/*
 * True once the reader takes something; false if stop is readable first, or
 * so many milliseconds are over (-1: never).
 */
bool outlet_ready(int stop, int patience);

/* Gets out what was printed; each piece has that patience. */
enum outlet outlet_flush(int stop, int patience);

#endif
