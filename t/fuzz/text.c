/* SPDX-License-Identifier: ISC */
/*
 * Text of anybody's on its way to a terminal, a log or a file name: in every
 * style, whole and cut off.
 */
#include <string.h>

#include "lib/text.h"
#include "fuzz.h"

/* Nothing that moves what is shown; lines only where they are indented. */
static void
check_shown(const char *out, size_t len, bool lines)
{
	unsigned code;
	size_t took;

	CLAIM(utf8_valid(out, len));
	for (size_t at = 0; at < len; at += took) {
		took = utf8_decode(out + at, len - at, &code);
		if (lines && code == '\n')
			CLAIM(strncmp(out + at, "\n  ", 3) == 0);
		else
			CLAIM(code >= 0x20 && (code < 0x7f || code > 0x9f));
		CLAIM(code < 0x202a || code > 0x202e);
		CLAIM(code < 0x2066 || code > 0x2069);
	}
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const char *const words[] = {"message", "block", "online", NULL};
	const char *in = (const char *)data;
	char name[NAME_MAX_LEN + 1], some[64], *whole, *word;
	ssize_t bad = text_bad_at(in, size);
	size_t len;

	for (int style = TEXT_LOG; style <= TEXT_WORD; style++) {
		whole = text_escaped(in, size, (enum text_style)style);
		len = strlen(whole);
		CLAIM(len <= 4 * size);
		check_shown(whole, len, style == TEXT_SCREEN);
		CLAIM(text_escape(some, sizeof(some), in, size,
			  (enum text_style)style) == len);
		CLAIM(strlen(some) < sizeof(some));
		CLAIM(strncmp(some, whole, strlen(some)) == 0);
		/* What a cut leaves behind is whole, but for an indent. */
		CLAIM(utf8_valid(some, strlen(some)));
		free(whole);
	}
	CLAIM(bad >= -1 && bad < (ssize_t)(size + 1));
	CLAIM(bad != -1 || utf8_valid(in, size));
	if (name_fold(in, size, name))
		CLAIM(strlen(name) == size && text_bad_at(name, size) == -1);
	CLAIM(!id_valid(in, size) || size <= ID_MAX_LEN);
	word = strndup(in, size);
	CLAIM(word != NULL);
	text_nearest(word, words);
	free(word);
	return 0;
}
