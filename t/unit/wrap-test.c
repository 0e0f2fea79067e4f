/* SPDX-License-Identifier: ISC */
/*
 * Text in columns: widths, breaks, cuts, a cursor in wrapped text.
 */
#include "tap.h"

#include <stdlib.h>

#include "chat/faces/wrap.h"

#define HAN "\xe6\xbc\xa2" /* two columns */
#define ACUTE "\xcc\x81" /* none */
#define FLAG "\xf0\x9f\x87\xa8\xf0\x9f\x87\xad"
#define FAMILY                                                                 \
	"\xf0\x9f\x91\xa9\xe2\x80\x8d\xf0\x9f\x91\xa9\xe2\x80\x8d\xf0\x9f\x91" \
	"\xa7"
#define DOTS "\xe2\x80\xa6"

/* A text as a claim's name: in one line. */
static const char *
name(const char *text)
{
	static char flat[128];

	snprintf(flat, sizeof(flat), "%s", text);
	for (char *c = flat; *c != '\0'; c++)
		if (*c == '\n')
			*c = '/';
	return flat;
}

/* The lines of a text, with a '|' behind each. */
static void
wraps(const char *text, unsigned first, unsigned rest, const char *wanted)
{
	struct wrap wrap = {
	    .text = text, .len = strlen(text), .first = first, .rest = rest};
	struct wrap_line line;
	char got[512] = "";
	bool fits = true;
	unsigned limit;

	while (wrap_next(&wrap, &line)) {
		strncat(got, text + line.start, line.len);
		strcat(got, "|");
		limit = wrap.row == 1 || rest == 0 ? first : rest;
		fits &= line.columns <= (limit > 2 ? limit : 2) &&
		    line.columns == wrap_width(text + line.start, line.len);
	}
	is(got, wanted, "\"%s\" in %u columns", name(text), first);
	ok(fits, "and no line is wider");
}

static void
test_width(void)
{
	unsigned columns;

	is_number((long long)wrap_width("abc", 3), 3, "letters");
	is_number((long long)wrap_width(HAN HAN, 6), 4, "wide ones");
	is_number((long long)wrap_width("e" ACUTE, 3), 1, "an accent is none");
	is_number((long long)wrap_width(FLAG, 8), 2, "a flag");
	is_number((long long)wrap_width(FAMILY, 18), 2, "a family");
	is_number((long long)wrap_grapheme(FAMILY "x", 19, &columns), 18,
	    "is one grapheme");
	is_number((long long)wrap_grapheme("\xff\xff", 2, &columns), 1,
	    "malformed octets are one each");
	is_number((long long)wrap_grapheme("", 0, &columns), 0, "nothing");
	is_number(columns, 0, "has no width");
	is_number((long long)wrap_grapheme_before("ae" ACUTE, 4), 3,
	    "the last grapheme");
	is_number(
	    (long long)wrap_grapheme_before(FLAG FLAG, 16), 8, "the last flag");
	is_number((long long)wrap_grapheme_before("a\n", 2), 1, "a newline");
}

static void
test_wrap(void)
{
	wraps("", 10, 0, "|");
	wraps("abc", 3, 0, "abc|");
	wraps("one two", 7, 0, "one two|");
	wraps("one two", 6, 0, "one|two|");
	wraps("one two", 3, 0, "one|two|");
	wraps("one   two", 4, 0, "one|two|");
	wraps("one two ", 7, 0, "one two|");
	wraps("abcdef", 4, 0, "abcd|ef|");
	wraps("ab cdefghij", 4, 0, "ab|cdef|ghij|");
	wraps("a\nb", 10, 0, "a|b|");
	wraps("a\n", 10, 0, "a||");
	wraps("a\n\nb", 10, 0, "a||b|");
	wraps("abc\ndef", 3, 0, "abc|def|");
	wraps("  abc", 4, 0, "  ab|c|");
	wraps("a   \nb", 2, 0, "a|b|");
	wraps(HAN HAN HAN, 5, 0, HAN HAN "|" HAN "|");
	wraps("a" HAN, 2, 0, "a|" HAN "|");
	wraps(HAN HAN, 1, 0, HAN "|" HAN "|");
	wraps("abe" ACUTE "f", 3, 0, "abe" ACUTE "|f|");
	wraps(FAMILY FLAG, 3, 0, FAMILY "|" FLAG "|");
	wraps("one two three", 4, 9, "one|two three|");
	is_number((long long)wrap_rows("one two", 7, 3), 2, "rows are counted");
}

/* Where no row may be too long: every code point is as wide as it may be. */
static void
test_codes(void)
{
	static const char text[] = FAMILY "e" ACUTE "\xe2\x9d\xa4\xef\xb8\x8f";
	struct wrap wrap = {
	    .text = text, .len = strlen(text), .first = 5, .codes = true};
	struct wrap_line line;

	wrap_next(&wrap, &line);
	is_number((long long)line.len, 14, "a family is not one picture");
	wrap_next(&wrap, &line);
	is_number((long long)line.columns, 5, "a selector widens a heart");
	ok(!wrap_next(&wrap, &line), "and an accent takes nothing");
}

/* So many accents on an "e" and a joiner somewhere; what is left of them. */
static void
test_tame(void)
{
	char text[256] = "e" ACUTE ACUTE ACUTE ACUTE ACUTE ACUTE ACUTE;
	char wanted[256];

	strcpy(wanted, text);
	wrap_tame(text);
	is(text, wanted, "seven marks are nobody's harm");
	strcat(text, "\xe2\x80\x8d" ACUTE ACUTE ACUTE "e" ACUTE);
	strcat(wanted, "\xe2\x80\x8d" ACUTE "e" ACUTE);
	wrap_tame(text);
	is(text, wanted, "ten are, and a joiner is no way out");
}

static void
cuts(const char *text, unsigned columns, const char *wanted)
{
	char *got = wrap_cut(text, strlen(text), columns, DOTS);

	is(got, wanted, "\"%s\" cut to %u", name(text), columns);
	free(got);
}

static void
test_cut(void)
{
	char *got;

	cuts("", 5, "");
	cuts("abc", 3, "abc");
	cuts("abcd", 3, "ab" DOTS);
	cuts(HAN HAN, 4, HAN HAN);
	cuts(HAN HAN, 3, HAN DOTS);
	cuts("a" HAN HAN, 3, "a" DOTS);
	cuts("a\n  b", 5, "a b");
	cuts("abc", 0, "");
	cuts("abc", 1, DOTS);
	got = wrap_cut("abcdef", 6, 2, "...");
	is(got, "", "no room for the ellipsis");
	free(got);
}

/* Where each octet of a text stands, and back. */
static void
places(const char *text, unsigned columns, size_t offset, size_t row,
    unsigned column)
{
	size_t got_row;
	unsigned got_column;

	wrap_place(text, strlen(text), columns, offset, &got_row, &got_column);
	ok(got_row == row && got_column == column,
	    "\"%s\" in %u: %zu is in row %zu, column %u", name(text), columns,
	    offset, got_row, got_column);
}

static void
test_place(void)
{
	places("", 4, 0, 0, 0);
	places("abc", 4, 3, 0, 3);
	places("abcd", 4, 4, 1, 0);
	places("abcde", 4, 4, 1, 0);
	places("a\nb", 4, 2, 1, 0);
	places("a\n", 4, 2, 1, 0);
	places("a\n", 4, 1, 0, 1);
	places(HAN "a", 4, 3, 0, 2);
	places("one two", 5, 4, 1, 0);
	places("one two", 5, 3, 0, 3);
	places("ab ", 4, 3, 0, 3);
	is_number((long long)wrap_offset("one two", 7, 5, 1, 1), 5, "and back");
	is_number((long long)wrap_offset("one two", 7, 5, 0, 9), 3, "at most");
	is_number((long long)wrap_offset("one two", 7, 5, 9, 0), 7, "the end");
	is_number((long long)wrap_offset(HAN HAN, 6, 9, 0, 3), 3,
	    "never inside a wide one");
}

int
main(void)
{
	test_width();
	test_wrap();
	test_codes();
	test_tame();
	test_cut();
	test_place();
	return done();
}
