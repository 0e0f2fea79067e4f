/* SPDX-License-Identifier: ISC */
/*
 * The directories of a centre and the lock that makes it the only one on
 * them.  For chatd's start, and for chatctl where no centre runs.
 */
#ifndef CHATD_PLACES_H
#define CHATD_PLACES_H

#include <sys/types.h>

#include "chatd/sandbox.h"

enum {
	PLACES_WHY_LEN = 512,
	STATE_MODE = 0700,
	RUNTIME_MODE = 0755,
};

#define PLACE_LOCK "lock" /* in the state directory */
#define PLACE_DATABASE "chatd.db" /* likewise */
#define PLACE_BACKUP "chatd.db.backup" /* likewise, for chatctl to fetch */
#define PLACE_CONTROL "control.sock" /* in the runtime directory */
#define PLACE_PID "chatd.pid" /* likewise */

/*
 * Makes a directory that is missing, for the user where that is not us.
 * 0, or EX_CANTCREAT or EX_NOPERM with a sentence.
 */
int place_make(const char *path, mode_t mode, const struct sandbox_user *user,
    char why[PLACES_WHY_LEN]);

/*
 * Takes the lock of a state directory, trying for that many milliseconds: a
 * store whose master was killed needs a moment.  The descriptor holds it,
 * in every process that inherits it; *fd is -1 unless 0 is returned, else
 * EX_CANTCREAT or EX_NOPERM with a sentence.
 */
int place_lock(const char *directory, const struct sandbox_user *user,
    int milliseconds, int *fd, char why[PLACES_WHY_LEN]);

/* DIRECTORY/NAME in fresh memory; exits if there is none. */
char *place_path(const char *directory, const char *name);

#endif
