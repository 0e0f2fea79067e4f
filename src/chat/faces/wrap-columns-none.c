/* SPDX-License-Identifier: ISC */
/*
 * Columns without utf8proc: what is not ASCII counts as wide, so that no line
 * gets longer than it was meant to be.  Pure; runs in a face.
 */
#include "chat/faces/wrap.h"
#include "lib/text.h"

size_t
wrap_grapheme(const char *text, size_t len, unsigned *columns)
{
	unsigned code = 0;
	size_t took = len > 0 ? utf8_decode(text, len, &code) : 0;

	if (columns != NULL)
		*columns = took == 0 ? 0 : code < 0x80 ? 1 : 2;
	return took;
}

size_t
wrap_code(const char *text, size_t len, unsigned *columns)
{
	return wrap_grapheme(text, len, columns);
}

/* Not without knowing a mark. */
void
wrap_tame(char *text)
{
	(void)text;
}
