/* SPDX-License-Identifier: ISC */
/*
 * What is printed on a terminal, broken at its width: further rows are
 * indented by two spaces, so that nothing in a long line can stand where
 * lines begin.  Where the terminal has no UTF-8 it is ASCII.  Anywhere else it
 * goes out as it is.  Runs in the faces that print lines.
 */
#ifndef CHAT_FACES_FOLD_H
#define CHAT_FACES_FOLD_H

#include <stddef.h>
#include <stdio.h>

struct fold {
	FILE *to; /* the terminal; NULL: there is none */
	FILE *whole; /* what is printed meanwhile */
	char *text;
	size_t len;
};

/*
 * Whole lines for that stream are to be printed on the one that is returned,
 * until fold_close(), which prints them.  They have been made safe: of all
 * controls they hold the faces' own colours and bell.
 */
FILE *fold_open(struct fold *fold, FILE *to);
void fold_close(struct fold *fold);

#endif
