/* SPDX-License-Identifier: ISC */
/*
 * Where the parts of the full screen stand, at all sizes: inside the
 * terminal, none above another, and every column and row in one of them.
 */
#include "chat/faces/screen/layout.h"

#include <string.h>

#include "tap.h"

enum { ROWS_MAX = 60, COLUMNS_MAX = 200 };

/* Counts a part's cells; false if it is outside or above another one. */
static bool
claim(char *cells, const struct box *box, int rows, int columns)
{
	if (box->rows == 0 || box->columns == 0)
		return true;
	if (box->row < 0 || box->column < 0 || box->row + box->rows > rows ||
	    box->column + box->columns > columns)
		return false;
	for (int i = box->row; i < box->row + box->rows; i++)
		for (int j = box->column; j < box->column + box->columns; j++)
			if (cells[i * columns + j]++ != 0)
				return false;
	return true;
}

/* True if the parts cover the terminal, each cell once. */
static bool
covers(int rows, int columns, int composer, int bar)
{
	static char cells[ROWS_MAX * COLUMNS_MAX];
	struct layout layout;

	memset(cells, 0, sizeof(cells));
	layout_make(&layout, rows, columns, composer, bar);
	return layout.fits && layout.talk.rows >= 1 &&
	    layout.composer.rows >= 1 && layout.status.rows == 1 &&
	    (bar == 0 || layout.bar.rows >= 1) &&
	    claim(cells, &layout.list, rows, columns) &&
	    claim(cells, &layout.rule, rows, columns) &&
	    claim(cells, &layout.title, rows, columns) &&
	    claim(cells, &layout.talk, rows, columns) &&
	    claim(cells, &layout.bar, rows, columns) &&
	    claim(cells, &layout.composer, rows, columns) &&
	    claim(cells, &layout.status, rows, columns) &&
	    memchr(cells, 0, (size_t)(rows * columns)) == NULL;
}

static void
every_size(void)
{
	int wrong = 0;

	for (int rows = SCREEN_MIN_ROWS; rows <= ROWS_MAX; rows++)
		for (int columns = SCREEN_MIN_COLUMNS; columns <= COLUMNS_MAX;
		     columns++)
			for (int wish = 0; wish <= 40; wish += 5)
				wrong += !covers(rows, columns, wish, 0) +
				    !covers(rows, columns, wish, wish / 5);
	ok(wrong == 0, "every cell of every size is in one part");
}

static void
the_list(void)
{
	struct layout layout;

	layout_make(&layout, 24, LIST_FROM_COLUMNS - 1, 1, 0);
	ok(layout.list.columns == 0, "a narrow terminal has no list");
	layout_make(&layout, 24, LIST_FROM_COLUMNS, 1, 0);
	ok(layout.list.columns > 0, "a wider one has");
	layout_make(&layout, 24, 80, 1, 0);
	ok(layout.list.columns == 20 && layout.talk.columns == 59,
	    "with 80 columns it has a quarter");
}

static void
too_small(void)
{
	struct layout layout;

	layout_make(&layout, SCREEN_MIN_ROWS - 1, 80, 1, 0);
	ok(!layout.fits && layout.talk.rows == 0, "too low: nothing");
	layout_make(&layout, 24, SCREEN_MIN_COLUMNS - 1, 1, 0);
	ok(!layout.fits && layout.talk.rows == 0, "too narrow: nothing");
	layout_make(&layout, 0, 0, 1, 3);
	ok(!layout.fits, "no size at all: nothing");
}

int
main(void)
{
	every_size();
	the_list();
	too_small();
	return done();
}
