/* SPDX-License-Identifier: ISC */
/*
 * What the terminal takes our UTF-8 for.  Where the locale has another set of
 * more than ASCII, octets of a letter may be controls there.
 */
#ifndef CHAT_FACES_CHARSET_H
#define CHAT_FACES_CHARSET_H

#include <stdbool.h>

/*
 * True on such a terminal.  ASCII alone is none: it is what a locale says
 * that nobody has set, on a terminal that has UTF-8.  The first call decides,
 * before anybody changes the environment.
 */
bool charset_is_other(void);

/* Makes a '?' of each character that such a terminal may not have. */
void charset_fit(char *text);

#endif
