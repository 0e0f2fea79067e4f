/* SPDX-License-Identifier: ISC */
/*
 * A colour for each person: the same name has the same one everywhere.  Pure:
 * knows no terminal, and takes the environment as arguments.
 */
#ifndef CHAT_FACES_COLOUR_H
#define CHAT_FACES_COLOUR_H

/* Back to the terminal's own. */
#define COLOUR_END "\033[39m"

enum colour_depth { COLOUR_NONE, COLOUR_FEW, COLOUR_MANY };

/*
 * What a terminal is given, by its TERM, COLORTERM and NO_COLOR (each NULL if
 * not set; see no-color.org).
 */
enum colour_depth colour_depth(
    const char *term, const char *colorterm, const char *no_color);

/* The sequence that a name is written in; "" without colours. */
const char *colour_of(const char *name, enum colour_depth depth);

/* The same as the number that the terminal knows it by; -1 without colours. */
int colour_number(const char *name, enum colour_depth depth);

#endif
