/* SPDX-License-Identifier: ISC */
/*
 * Where the parts of the full screen stand.  Pure; from above: title,
 * conversation, question, composer, status line, and the list beside the
 * first two.
 */
#include "chat/faces/screen/layout.h"

#include <string.h>

enum {
	LIST_MIN = 18,
	LIST_MAX = 36, /* a name, its mark and a count */
	COMPOSER_SHARE = 3, /* at most this part of the rows */
};

static int
least(int a, int b)
{
	return a < b ? a : b;
}

static int
most(int a, int b)
{
	return a > b ? a : b;
}

/* How wide the list is; 0 where there is no room for one. */
static int
list_columns(int columns)
{
	if (columns < LIST_FROM_COLUMNS)
		return 0;
	return least(most(columns / 4, LIST_MIN), LIST_MAX);
}

/* Lays out a terminal. */
void
layout_make(struct layout *layout, int rows, int columns, int composer, int bar)
{
	int list = list_columns(columns);
	int left = list > 0 ? list + 1 : 0;
	int free_rows = rows - 3; /* title, status, a row of the talk */

	memset(layout, 0, sizeof(*layout));
	layout->fits = rows >= SCREEN_MIN_ROWS && columns >= SCREEN_MIN_COLUMNS;
	if (!layout->fits)
		return;
	composer = most(1, least(composer, rows / COMPOSER_SHARE));
	bar = most(0, least(bar, free_rows - composer));
	layout->status = (struct box){rows - 1, 0, 1, columns};
	layout->composer =
	    (struct box){rows - 1 - composer, 0, composer, columns};
	layout->bar = (struct box){
	    layout->composer.row - bar, 0, bar, bar > 0 ? columns : 0};
	layout->title = (struct box){0, left, 1, columns - left};
	layout->talk =
	    (struct box){1, left, layout->bar.row - 1, columns - left};
	if (list == 0)
		return;
	layout->list = (struct box){0, 0, layout->bar.row, list};
	layout->rule = (struct box){0, list, layout->bar.row, 1};
}
