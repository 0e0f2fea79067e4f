/* SPDX-License-Identifier: ISC */
/*
 * The locale's set of characters, asked without taking the locale on.  Runs
 * in the faces of a terminal.
 */
#include "chat/faces/charset.h"

#include <langinfo.h>
#include <locale.h>
#include <string.h>

#include "lib/text.h"

/* Asks the environment; a locale that is not there says nothing. */
static bool
is_other(void)
{
	static const char *const ours[] = {
	    "UTF-8", "ANSI_X3.4-1968", "US-ASCII"};
	locale_t locale = newlocale(LC_CTYPE_MASK, "", (locale_t)0);
	const char *name;
	bool other = true;

	if (locale == (locale_t)0)
		return false;
	name = nl_langinfo_l(CODESET, locale);
	for (size_t i = 0; i < sizeof(ours) / sizeof(*ours); i++)
		other &= strcmp(name, ours[i]) != 0;
	freelocale(locale);
	return other;
}

bool
charset_is_other(void)
{
	static enum { UNKNOWN, OURS, OTHER } known;

	if (known == UNKNOWN)
		known = is_other() ? OTHER : OURS;
	return known == OTHER;
}

void
charset_fit(char *text)
{
	size_t left = strlen(text), took;
	unsigned code;
	char *to = text;

	if (!charset_is_other())
		return;
	for (; left > 0; text += took, left -= took) {
		took = utf8_decode(text, left, &code);
		*to++ = code < 0x80 ? (char)code : '?';
	}
	*to = '\0';
}
