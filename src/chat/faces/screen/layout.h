/* SPDX-License-Identifier: ISC */
/*
 * Where the parts of the full screen stand, for a size of the terminal.  Pure
 * geometry: knows no terminal.
 */
#ifndef CHAT_FACES_SCREEN_LAYOUT_H
#define CHAT_FACES_SCREEN_LAYOUT_H

#include <stdbool.h>

enum {
	SCREEN_MIN_ROWS = 6,
	SCREEN_MIN_COLUMNS = 20,
	LIST_FROM_COLUMNS = 60, /* the list stands there from this width on */
};

/* A part; it is not there if it has no rows or no columns. */
struct box {
	int row, column, rows, columns;
};

struct layout {
	bool fits; /* else there is nothing but a sentence */
	struct box list; /* the conversations, at the left */
	struct box rule; /* between the list and the rest */
	struct box title; /* whose conversation this is */
	struct box talk; /* what was said */
	struct box bar; /* somebody waits for a yes or no */
	struct box composer;
	struct box status;
};

/*
 * Lays out a terminal of so many rows and columns.  composer is how many rows
 * the edited text would like, bar how many a question would (0: none waits);
 * the conversation keeps one row at least.
 */
void layout_make(
    struct layout *layout, int rows, int columns, int composer, int bar);

#endif
