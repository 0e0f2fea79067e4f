/* SPDX-License-Identifier: ISC */
/*
 * Text in columns: how wide it is, where its lines break, how it is cut.
 * Pure; used by all faces of a terminal.  Never decides what is safe to
 * show: that was text_escape().
 */
#include "chat/faces/wrap.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

#include "lib/log.h"

/* ---- graphemes ---- */

/* Where the line of the last octet begins: no grapheme reaches across. */
static size_t
line_start(const char *text, size_t len)
{
	while (len > 0 && text[len - 1] != '\n')
		len--;
	return len;
}

/* From the line's start, since a grapheme cannot be told from its end. */
size_t
wrap_grapheme_before(const char *text, size_t len)
{
	size_t at, took = 0;

	if (len == 0)
		return 0;
	for (at = line_start(text, len - 1); at < len; at += took)
		took = wrap_grapheme(text + at, len - at, NULL);
	return took;
}

size_t
wrap_width(const char *text, size_t len)
{
	size_t width = 0, took;
	unsigned columns;

	for (; len > 0; text += took, len -= took) {
		took = wrap_grapheme(text, len, &columns);
		width += columns;
	}
	return width;
}

/* ---- lines ---- */

static bool
is_blank(char c)
{
	return c == ' ' || c == '\t';
}

/* The columns that the next line has. */
static unsigned
columns_of(const struct wrap *wrap)
{
	unsigned columns =
	    wrap->row > 0 && wrap->rest > 0 ? wrap->rest : wrap->first;

	return columns > WRAP_COLUMNS_MIN ? columns : WRAP_COLUMNS_MIN;
}

/* The last place at which a line may end: before blanks. */
struct brk {
	bool found;
	size_t end;
	unsigned columns; /* up to there */
};

/* Ends the line at a place, the blanks behind which belong to no line. */
static void
end_line(struct wrap *wrap, struct wrap_line *line, size_t end)
{
	size_t next = end;

	while (next < wrap->len && is_blank(wrap->text[next]))
		next++;
	line->len = end - line->start;
	/* All that is left is blanks: no line of nothing for them. */
	if (next == wrap->len)
		wrap->ended = true;
	else if (wrap->text[next] == '\n')
		next++;
	line->next = next;
	wrap->at = next;
	wrap->row++;
}

/* A newline, or the end of the text. */
static void
end_whole(struct wrap *wrap, struct wrap_line *line, size_t end)
{
	line->len = end - line->start;
	wrap->ended = end == wrap->len;
	line->next = wrap->ended ? end : end + 1;
	wrap->at = line->next;
	wrap->row++;
}

bool
wrap_next(struct wrap *wrap, struct wrap_line *line)
{
	unsigned limit = columns_of(wrap), columns;
	size_t (*next)(const char *, size_t, unsigned *) =
	    wrap->codes ? wrap_code : wrap_grapheme;
	struct brk brk = {.found = false};
	size_t at = wrap->at, took;

	if (wrap->ended)
		return false;
	*line = (struct wrap_line){.start = at};
	for (; at < wrap->len && wrap->text[at] != '\n'; at += took) {
		took = next(wrap->text + at, wrap->len - at, &columns);
		/* Not before the first word: that would indent for ever. */
		if (is_blank(wrap->text[at]) && at > line->start &&
		    !is_blank(wrap->text[at - 1]))
			brk = (struct brk){true, at, line->columns};
		if (line->columns + columns <= limit) {
			line->columns += columns;
			continue;
		}
		if (brk.found) {
			line->columns = brk.columns;
			at = brk.end;
		}
		end_line(wrap, line, at);
		return true;
	}
	end_whole(wrap, line, at);
	return true;
}

size_t
wrap_rows(const char *text, size_t len, unsigned columns)
{
	struct wrap wrap = {.text = text, .len = len, .first = columns};
	struct wrap_line line;

	while (wrap_next(&wrap, &line))
		;
	return wrap.row;
}

/* ---- a cursor in wrapped text ---- */

void
wrap_place(const char *text, size_t len, unsigned columns, size_t offset,
    size_t *row, unsigned *column)
{
	struct wrap wrap = {.text = text, .len = len, .first = columns};
	unsigned limit = columns_of(&wrap);
	struct wrap_line line = {0};
	size_t inside;

	while (wrap_next(&wrap, &line))
		if (offset < line.next)
			break;
	inside = offset > line.start ? offset - line.start : 0;
	if (inside > line.len)
		inside = line.len;
	*row = wrap.row - 1;
	*column = (unsigned)wrap_width(text + line.start, inside);
	/* Blanks that belong to no line still move the cursor, while they fit. */
	if (offset > line.start + line.len)
		*column += (unsigned)(offset - line.start - line.len);
	if (*column >= limit) {
		*row += 1;
		*column = 0;
	}
}

size_t
wrap_offset(
    const char *text, size_t len, unsigned columns, size_t row, unsigned column)
{
	struct wrap wrap = {.text = text, .len = len, .first = columns};
	struct wrap_line line = {0};
	unsigned sum = 0, width;
	size_t at, took;

	while (wrap_next(&wrap, &line))
		if (wrap.row > row)
			break;
	if (wrap.row <= row)
		return len;
	for (at = line.start; at < line.start + line.len; at += took) {
		took = wrap_grapheme(
		    text + at, line.start + line.len - at, &width);
		if (sum + width > column)
			break;
		sum += width;
	}
	return at;
}

/* ---- one line ---- */

/* The next grapheme as it stands in one line; how many octets it was. */
static size_t
flat(const char *text, size_t len, const char **shown, size_t *shown_len,
    unsigned *columns)
{
	size_t took = wrap_grapheme(text, len, columns);

	*shown = text;
	*shown_len = took;
	if (*text != '\n' && *text != '\t')
		return took;
	*shown = " ";
	*shown_len = 1;
	while (took < len && (is_blank(text[took]) || text[took] == '\n'))
		took++;
	return took;
}

char *
wrap_cut(const char *text, size_t len, unsigned columns, const char *ellipsis)
{
	size_t tail = wrap_width(ellipsis, strlen(ellipsis)), keep = 0,
	       used = 0;
	char *out = malloc(len + strlen(ellipsis) + 1), *to = out;
	const char *shown;
	size_t shown_len, took;
	unsigned width;

	if (out == NULL)
		fatal(EX_OSERR, "no memory for a text");
	for (; len > 0; text += took, len -= took) {
		took = flat(text, len, &shown, &shown_len, &width);
		if (used + width > columns) {
			/* keep is where the ellipsis still fits. */
			strcpy(out + keep, tail <= columns ? ellipsis : "");
			return out;
		}
		memcpy(to, shown, shown_len);
		to += shown_len;
		used += width;
		if (used + tail <= columns)
			keep = (size_t)(to - out);
	}
	*to = '\0';
	return out;
}
