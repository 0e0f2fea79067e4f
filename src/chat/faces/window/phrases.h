/* SPDX-License-Identifier: ISC */
/*
 * The conversation's phrases for days, states of messages, and why something
 * was not done.  Pure: knows no widget.
 */
#ifndef CHAT_WINDOW_PHRASES_H
#define CHAT_WINDOW_PHRASES_H

#include <stdbool.h>

#include <glib.h>

#include "chat/faces/mirror.h"

/* "Monday, 23 November 2026", in local time.  Free it. */
char *phrase_day(int64_t ms);
/* Day and time in few characters, for lists.  Free it. */
char *phrase_moment(int64_t ms);
bool phrase_same_day(int64_t ms, int64_t other);

/* A mark for the state of an own line ("" for one received), and the state in
 * words, user being the conversation's. */
const char *phrase_mark(enum mirror_state state);
char *phrase_state(const struct mirror_line *line, const char *user);

/* Why it was refused or kept, as a sentence; "" if it was not.  Free it. */
char *phrase_reason(const struct mirror_line *line, const char *user);
/* The same for the name of an error; NULL if there is no sentence for it. */
char *phrase_error(const char *error, const char *user);

/* Why these words cannot be sent, or NULL if they can.  Free it. */
char *phrase_refused(const char *text, size_t limit);

#endif
