/* SPDX-License-Identifier: ISC */
/*
 * What others wrote, made fit for a label of the window: one line or several,
 * never markup.  Pure; all strings are fresh memory of GLib's.
 */
#ifndef CHAT_WINDOW_WORDS_H
#define CHAT_WINDOW_WORDS_H

#include <stdint.h>

/* One line: what is no letter there becomes a visible mark.  NULL is "". */
char *words_line(const char *text);

/* The same for the beginning of a text: its lines are one, with blanks. */
char *words_brief(const char *text);

/* The same with its lines kept, for a label that stands by itself. */
char *words_text(const char *text);

/*
 * The same for where it may be read as markup by somebody else's program, in
 * a notification: the letters that begin markup become others that look so.
 */
char *words_plain(const char *text);

/* HH:MM today, the date before; now and time are wall clock milliseconds. */
char *words_when(int64_t time, int64_t now);

/* HH:MM, local time. */
char *words_clock(int64_t time);

#endif
