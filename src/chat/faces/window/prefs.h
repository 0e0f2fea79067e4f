/* SPDX-License-Identifier: ISC */
/*
 * The preferences: their window, and what follows from them at once.
 */
#ifndef CHAT_WINDOW_PREFS_H
#define CHAT_WINDOW_PREFS_H

struct window;

void prefs_show(struct window *window);

/* Light, dark, or as the system has it. */
void prefs_look(struct window *window);

#endif
