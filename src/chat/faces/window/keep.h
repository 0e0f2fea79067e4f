/* SPDX-License-Identifier: ISC */
/*
 * What the window remembers from one start to the next: window.conf beside
 * the accounts' directories.  Nothing of anybody's messages, no password; a
 * file that cannot be read or written costs the memory and no more.
 */
#ifndef CHAT_WINDOW_KEEP_H
#define CHAT_WINDOW_KEEP_H

#include <stdbool.h>

enum keep_look { LOOK_SYSTEM, LOOK_LIGHT, LOOK_DARK };

struct keep {
	char *file;
	char *account; /* USER@HOST[:PORT] of the last login, or NULL */
	int width, height;
	bool maximized;
	bool notify; /* tell of what is not before the eyes */
	bool hide; /* without saying what */
	bool stay; /* logged in when the window closes */
	enum keep_look look;
};

/* Reads the file of that state directory (NULL: the user's own). */
void keep_read(struct keep *keep, const char *state);
void keep_release(struct keep *keep);

/* Writes it; false if that was not possible. */
bool keep_write(const struct keep *keep);

#endif
