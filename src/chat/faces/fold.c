/* SPDX-License-Identifier: ISC */
/*
 * Lines for a terminal, broken before it breaks them.  Runs in the faces that
 * print lines; knows nothing of what is in them but which octets take no
 * column.
 */
#include "chat/faces/fold.h"

#include <sys/ioctl.h>

#include <stdlib.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

#include "chat/faces/charset.h"
#include "chat/faces/wrap.h"
#include "lib/log.h"

enum {
	INDENT = 2,
	COLUMNS_USUAL = 80, /* of a terminal that does not say */
};

/* The columns of a terminal. */
static unsigned
columns_of(FILE *to)
{
	struct winsize size;

	if (ioctl(fileno(to), TIOCGWINSZ, &size) == -1 || size.ws_col == 0)
		return COLUMNS_USUAL;
	return size.ws_col;
}

/* How many octets of a bell or a colour stand here; 0: there is none. */
static size_t
sequence(const char *text, size_t len)
{
	size_t at = 0;

	if (*text == '\a')
		return 1;
	if (*text != '\033')
		return 0;
	while (at < len && text[at] != 'm')
		at++;
	return at < len ? at + 1 : len;
}

/* The same without them, into as much room; how much is left. */
static size_t
without_sequences(char *out, const char *text, size_t len)
{
	size_t took, used = 0;

	for (size_t at = 0; at < len;) {
		took = sequence(text + at, len - at);
		if (took == 0)
			out[used++] = text[at++];
		at += took;
	}
	return used;
}

/* Prints one line in rows. */
static void
put_line(FILE *to, const char *text, size_t len, unsigned columns)
{
	char *plain = malloc(len + 1);
	struct wrap wrap = {.text = plain, .first = columns, .codes = true};
	struct wrap_line row;
	size_t took, at = 0, shown = 0; /* of the line; of it plain */

	if (plain == NULL)
		fatal(EX_OSERR, "no memory for a text");
	wrap.len = without_sequences(plain, text, len);
	wrap.rest = columns > INDENT ? columns - INDENT : columns;
	while (wrap_next(&wrap, &row)) {
		if (wrap.row > 1)
			fprintf(to, "\n%*s", INDENT, "");
		/* Blanks at a break are dropped, sequences are not. */
		for (; at < len && shown < row.next; at += took) {
			took = sequence(text + at, len - at);
			if (took > 0) {
				fwrite(text + at, 1, took, to);
				continue;
			}
			if (shown++ < row.start + row.len)
				putc(text[at], to);
			took = 1;
		}
	}
	fwrite(text + at, 1, len - at, to);
	putc('\n', to);
	free(plain);
}

FILE *
fold_open(struct fold *fold, FILE *to)
{
	*fold = (struct fold){0};
	/* One within another is none. */
	if (fileno(to) == -1 || !isatty(fileno(to)))
		return to;
	fold->to = to;
	fold->whole = open_memstream(&fold->text, &fold->len);
	if (fold->whole == NULL)
		fatal(EX_OSERR, "no memory for a text");
	return fold->whole;
}

void
fold_close(struct fold *fold)
{
	unsigned columns;
	size_t len;

	if (fold->to == NULL)
		return;
	if (fclose(fold->whole) == EOF)
		fatal(EX_OSERR, "no memory for a text");
	wrap_tame(fold->text);
	charset_fit(fold->text);
	columns = columns_of(fold->to);
	for (const char *at = fold->text; *at != '\0';
	     at += len + (at[len] == '\n')) {
		len = strcspn(at, "\n");
		put_line(fold->to, at, len, columns);
	}
	free(fold->text);
}
