/* SPDX-License-Identifier: ISC */
/*
 * A colour for each person.  Pure; what it returns is the only colour that
 * ever reaches a terminal.
 */
#include "chat/faces/colour.h"

#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

/* Of the 256 fixed colours: each has a contrast of 4:1 on black and white. */
static const char *const many[] = {
    "\033[38;5;27m", /* #005fff, blue */
    "\033[38;5;28m", /* #008700, green */
    "\033[38;5;30m", /* #008787, teal */
    "\033[38;5;64m", /* #5f8700, olive */
    "\033[38;5;99m", /* #875fff, violet */
    "\033[38;5;130m", /* #af5f00, brown */
    "\033[38;5;161m", /* #d7005f, crimson */
    "\033[38;5;163m", /* #d700af, magenta */
};

/* Of the eight that each terminal paints as it likes: the safest. */
static const char *const few[] = {
    "\033[31m", /* red */
    "\033[32m", /* green */
    "\033[35m", /* magenta */
    "\033[36m", /* cyan */
};

/* True if the variable says anything. */
static bool
is_set(const char *value)
{
	return value != NULL && *value != '\0';
}

/* What a terminal is given. */
enum colour_depth
colour_depth(const char *term, const char *colorterm, const char *no_color)
{
	if (is_set(no_color) || !is_set(term) || strcmp(term, "dumb") == 0 ||
	    strncmp(term, "vt", 2) == 0)
		return COLOUR_NONE;
	if (is_set(colorterm) || strstr(term, "256color") != NULL ||
	    strstr(term, "direct") != NULL)
		return COLOUR_MANY;
	return COLOUR_FEW;
}

/* FNV-1a without its lowest bits, which differ least. */
static uint32_t
hash(const char *name)
{
	uint32_t sum = 2166136261u;

	for (; *name != '\0'; name++)
		sum = (sum ^ (unsigned char)*name) * 16777619u;
	return sum >> 12;
}

/* The sequence that a name is written in. */
const char *
colour_of(const char *name, enum colour_depth depth)
{
	if (depth == COLOUR_MANY)
		return many[hash(name) % COUNT(many)];
	if (depth == COLOUR_FEW)
		return few[hash(name) % COUNT(few)];
	return "";
}

/* The same as a number: what stands before the "m" of the sequence. */
int
colour_number(const char *name, enum colour_depth depth)
{
	const char *sequence = colour_of(name, depth);

	if (depth == COLOUR_NONE)
		return -1;
	return atoi(
	    sequence + strlen(depth == COLOUR_MANY ? "\033[38;5;" : "\033[3"));
}
