/* SPDX-License-Identifier: ISC */
/*
 * What one character is and how many columns it takes, as utf8proc knows it:
 * the one file that asks it.  Pure; runs in a face.
 */
#include <string.h>

#include <utf8proc.h>

#include "chat/faces/wrap.h"
#include "lib/text.h"

enum {
	EMOJI_SELECTOR = 0xfe0f,
	MARKS_MAX = 8, /* on one letter */
};

/* The columns of one code point. */
static unsigned
code_columns(unsigned code)
{
	int columns;

	if (code == '\n' || code == '\t')
		return 1;
	columns = utf8proc_charwidth((utf8proc_int32_t)code);
	/* What is newer than the tables: a terminal shows something. */
	if (columns == 0 &&
	    utf8proc_category((utf8proc_int32_t)code) == UTF8PROC_CATEGORY_CN)
		return 1;
	return columns > 0 ? (unsigned)columns : 0;
}

/*
 * The first grapheme.  Its parts are added up, since terminals do, but never
 * to more than two: a family of four is one picture.
 */
size_t
wrap_grapheme(const char *text, size_t len, unsigned *columns)
{
	utf8proc_int32_t state = 0;
	unsigned code, next, sum;
	size_t at, took;

	if (columns != NULL)
		*columns = 0;
	if (len == 0)
		return 0;
	at = utf8_decode(text, len, &code);
	sum = code_columns(code);
	while (at < len) {
		took = utf8_decode(text + at, len - at, &next);
		if (utf8proc_grapheme_break_stateful(
			(utf8proc_int32_t)code, (utf8proc_int32_t)next, &state))
			break;
		sum += code_columns(next);
		code = next;
		at += took;
	}
	if (columns != NULL)
		*columns = sum < 2 ? sum : 2;
	return at;
}

/*
 * One code point, and the most that a terminal makes of it: some join nothing,
 * some widen what a selector makes an emoji, some know more than we do.
 */
size_t
wrap_code(const char *text, size_t len, unsigned *columns)
{
	unsigned code;
	size_t took = utf8_decode(text, len, &code);

	*columns = code_columns(code);
	if (code == EMOJI_SELECTOR)
		*columns = 1;
	else if (utf8proc_category((utf8proc_int32_t)code) ==
	    UTF8PROC_CATEGORY_CN)
		*columns = 2;
	return took;
}

/* A joiner between marks ends no letter. */
void
wrap_tame(char *text)
{
	size_t left = strlen(text), took;
	unsigned code, marks = 0;
	char *to = text;

	for (; left > 0; text += took, left -= took) {
		took = utf8_decode(text, left, &code);
		switch (utf8proc_category((utf8proc_int32_t)code)) {
		case UTF8PROC_CATEGORY_MN:
		case UTF8PROC_CATEGORY_ME:
			if (++marks > MARKS_MAX)
				continue;
			break;
		case UTF8PROC_CATEGORY_CF:
			break;
		default:
			marks = 0;
		}
		memmove(to, text, took);
		to += took;
	}
	*to = '\0';
}
