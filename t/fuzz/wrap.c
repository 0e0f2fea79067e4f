/* SPDX-License-Identifier: ISC */
/*
 * Others' text on a screen, as it comes and as text_escape() makes it: broken
 * into lines, cut, with a cursor in it, in so many columns as the first two
 * octets say.  Escaped, no octet is lost between two lines but blanks and the
 * break itself, and no line is too wide.
 */
#include <string.h>

#include "chat/faces/wrap.h"
#include "lib/text.h"
#include "fuzz.h"

enum { COLUMNS_MOST = 100 };

static unsigned
limit_of(unsigned columns)
{
	return columns > WRAP_COLUMNS_MIN ? columns : WRAP_COLUMNS_MIN;
}

static void
check_graphemes(const char *text, size_t len)
{
	size_t at = 0, width = 0, took = 0;
	unsigned columns;

	while (at < len) {
		took = wrap_grapheme(text + at, len - at, &columns);
		CLAIM(took > 0 && took <= len - at && columns <= 2);
		at += took;
		width += columns;
	}
	CLAIM(wrap_width(text, len) == width);
	CLAIM(wrap_grapheme_before(text, len) == took);
	CLAIM(wrap_grapheme(text, 0, &columns) == 0 && columns == 0);
}

/* What stands between two lines: blanks, and a newline at most. */
static void
check_between(const char *text, size_t from, size_t to)
{
	int newlines = 0;

	for (size_t i = from; i < to; i++) {
		CLAIM(text[i] == ' ' || text[i] == '\t' || text[i] == '\n');
		newlines += text[i] == '\n';
	}
	CLAIM(newlines <= 1);
}

static void
check_lines(const char *text, size_t len, unsigned first, unsigned rest)
{
	struct wrap wrap = {
	    .text = text, .len = len, .first = first, .rest = rest};
	struct wrap_line line;
	size_t rows = 0, next = 0;
	unsigned limit;

	while (wrap_next(&wrap, &line)) {
		limit = limit_of(rows > 0 && rest > 0 ? rest : first);
		CLAIM(++rows == wrap.row && rows <= len + 1);
		CLAIM(line.start == next && line.next >= line.start + line.len);
		CLAIM(line.next <= len && (line.next > next || wrap.ended));
		CLAIM(memchr(text + line.start, '\n', line.len) == NULL);
		CLAIM(wrap_width(text + line.start, line.len) == line.columns);
		CLAIM(line.columns <= limit);
		check_between(text, line.start + line.len, line.next);
		next = line.next;
	}
	CLAIM(rows > 0 && next == len);
	CLAIM(rest > 0 || wrap_rows(text, len, first) == rows);
}

static void
check_cursor(const char *text, size_t len, unsigned columns, size_t offset)
{
	size_t row, back;
	unsigned column;

	wrap_place(text, len, columns, offset, &row, &column);
	CLAIM(column < limit_of(columns));
	CLAIM(row <= wrap_rows(text, len, columns));
	back = wrap_offset(text, len, columns, row, column);
	CLAIM(back <= len);
}

static void
check_cut(const char *text, size_t len, unsigned columns, const char *ellipsis)
{
	char *cut = wrap_cut(text, len, columns, ellipsis);
	size_t cut_len = strlen(cut);

	CLAIM(cut_len <= len + strlen(ellipsis));
	CLAIM(strpbrk(cut, "\n\t") == NULL);
	CLAIM(wrap_width(cut, cut_len) <= columns);
	CLAIM(!utf8_valid(text, len) || utf8_valid(cut, cut_len));
	free(cut);
}

/* What holds of all that is shown. */
static void
check(const char *text, size_t len, unsigned first, unsigned rest)
{
	check_graphemes(text, len);
	check_lines(text, len, first, rest);
	check_lines(text, len, first, 0);
	check_cut(text, len, first, "\xe2\x80\xa6");
	check_cut(text, len, rest, "...");
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const char *text = (const char *)data + 2;
	unsigned first, rest;
	char *shown;
	size_t len;

	if (size < 2)
		return 0;
	first = data[0] % COLUMNS_MOST;
	rest = data[1] % COLUMNS_MOST;
	len = size - 2;
	/* Of what is not shown: that it stays within bounds. */
	check_graphemes(text, len);
	check_cursor(text, len, first, len);
	check_cursor(text, len, first, len * data[1] / 256);
	shown = text_escaped(text, len, TEXT_WORD);
	check(shown, strlen(shown), first, rest);
	free(shown);
	shown = text_escaped(text, len, TEXT_SCREEN);
	check(shown, strlen(shown), first, rest);
	free(shown);
	return 0;
}
