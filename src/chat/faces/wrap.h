/* SPDX-License-Identifier: ISC */
/*
 * Text in columns: how wide it is, where its lines break, how it is cut.
 * Pure: knows no terminal and no locale, only what Unicode says of widths.
 * What others wrote has passed text_escape() before it comes here: this file
 * makes nothing safe, it only counts.
 */
#ifndef CHAT_FACES_WRAP_H
#define CHAT_FACES_WRAP_H

#include <stdbool.h>
#include <stddef.h>

enum { WRAP_COLUMNS_MIN = 2 }; /* fewer cannot hold a wide character */

/*
 * How many octets the first grapheme of the text has (what a person takes for
 * one character), and (columns not NULL) its width: 0, 1 or 2.  0 octets for
 * no text.  A newline or tab is a grapheme of one column; malformed octets are
 * one each.
 */
size_t wrap_grapheme(const char *text, size_t len, unsigned *columns);

/*
 * The first code point (len > 0) and the most columns that any terminal makes
 * of it: several do not join what wrap_grapheme() takes for one picture.
 */
size_t wrap_code(const char *text, size_t len, unsigned *columns);

/*
 * Drops from a text what follows the eighth mark on one letter: more of them
 * than any script has would be painted over the rows above and below.
 */
void wrap_tame(char *text);

/* How many octets the last grapheme of the text has; 0 for no text. */
size_t wrap_grapheme_before(const char *text, size_t len);

/* The width of a text in one line. */
size_t wrap_width(const char *text, size_t len);

/* A text and the columns that its lines have; zero the rest. */
struct wrap {
	const char *text;
	size_t len;
	unsigned first; /* columns of the first line */
	unsigned rest; /* of each further one; 0: as the first */
	bool codes; /* no line may be too long: counted with wrap_code() */
	size_t at; /* where the next line begins */
	bool ended;
	size_t row; /* how many lines have been given */
};

struct wrap_line {
	size_t start, len; /* octets of the text; without the break itself */
	size_t next; /* where the next one begins: after blanks, a newline */
	unsigned columns; /* that it takes */
};

/*
 * Gives the next line; false after the last one.  It ends at a newline, else
 * before the word that does not fit any more (the blanks there belong to no
 * line), else between two graphemes; never inside one.  Every text has a line,
 * and one that ends with a newline has an empty one after it.  Columns below
 * WRAP_COLUMNS_MIN count as so many.
 */
bool wrap_next(struct wrap *wrap, struct wrap_line *line);

/* How many lines it has. */
size_t wrap_rows(const char *text, size_t len, unsigned columns);

/*
 * For text that is being typed: the row and column (both from 0) at which the
 * octet at offset stands, in lines of so many columns, as wrap_next() breaks
 * them.  The column is below columns: behind a full line it is the next row's
 * first, which may be one more row than wrap_rows() says.
 */
void wrap_place(const char *text, size_t len, unsigned columns, size_t offset,
    size_t *row, unsigned *column);

/* The other way: the offset that is nearest to a row and column. */
size_t wrap_offset(const char *text, size_t len, unsigned columns, size_t row,
    unsigned column);

/*
 * The text in one line of at most so many columns, into fresh memory (free
 * it); never NULL.  Newlines and the blanks behind them become one blank.
 * What is too long ends with the ellipsis ("…" or "..."), if that fits.
 */
char *wrap_cut(
    const char *text, size_t len, unsigned columns, const char *ellipsis);

#endif
