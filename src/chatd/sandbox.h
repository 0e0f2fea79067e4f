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
#include "chatd/settings.h"

enum { SANDBOX_WHY_LEN = 256 };

/* What confines a role, as status names it. */
#define SANDBOX_PARTS(X)                                               \
	X(USER, "user") /* is not root */                              \
	X(CAPABILITIES, "capabilities") /* has none */                 \
	X(PRIVILEGES, "privileges") /* gets no new ones by exec */     \
	X(TRACING, "tracing") /* cannot be looked into, no core */     \
	X(LIMITS, "limits") /* of files, memory, processes */          \
	X(CALLS, "system-calls") /* only those in a table (seccomp) */ \
	X(FILES, "files") /* only those in a table (Landlock) */

enum sandbox_part {
#define X(part, name) SANDBOX_##part,
	SANDBOX_PARTS(X)
#undef X
	    SANDBOX_PART_COUNT
};

const char *sandbox_part_name(enum sandbox_part part);

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

/*
 * Makes what all roles need to enter, with the log open and before the first
 * fork; a role that nobody prepared for enters with its own.
 */
void sandbox_prepare(const struct settings *settings);

/*
 * Takes the role's rights; exits if that cannot be done.  The keeper starts
 * its threads after it, so that they are confined alike, and then seals.
 */
void sandbox_enter(enum ipc_role role);

/* From here on this process starts no other, nor a thread. */
void sandbox_seal(void);

/*
 * The parts that are in force for a role, where whoever asks has entered and
 * forks it, since it gets what it can or ends; a bit each, 1 << enum
 * sandbox_part.
 */
unsigned sandbox_parts(enum ipc_role role);

/* What a signal that ended a process is called in the log. */
const char *sandbox_signal_text(int signo);

#endif
