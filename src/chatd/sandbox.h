/* SPDX-License-Identifier: ISC */
/*
 * What a process of the centre gives up once it is set up.
 */
#ifndef CHATD_SANDBOX_H
#define CHATD_SANDBOX_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "chatd/ipc.h"

enum { SANDBOX_WHY_LEN = 256 };

/* Whom the centre runs as; of no use unless it was started as root. */
struct sandbox_user {
	bool drop; /* started as root, and somebody else is meant */
	uid_t uid;
	gid_t gid;
};

/*
 * Looks the configured user up.  0, or EX_CONFIG with a sentence that holds
 * the remedy.  Also where it is root itself: with drop false.
 */
int sandbox_user_find(
    const char *name, struct sandbox_user *user, char why[SANDBOX_WHY_LEN]);

/* Becomes that user for good, and checks that it is; -1 with errno. */
int sandbox_user_become(const char *name, const struct sandbox_user *user);

/*
 * Closes every descriptor from 3 on but these; the list may hold -1 and is
 * sorted.  For what was inherited from whoever started the centre.
 */
void sandbox_close_others(int *keep, size_t count);

/* Takes the role's rights; exits if that cannot be done. */
void sandbox_enter(enum ipc_role role);

#endif
