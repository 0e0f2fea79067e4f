/* SPDX-License-Identifier: ISC */
/*
 * Rights that are given up: root, what was inherited, core dumps, a
 * debugger's view, new privileges.  Called by every role of the centre after
 * its set-up and before it reads the first octet of anybody else's.
 */
#include <errno.h>
#include <grp.h>
#include <limits.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>
#include <linux/close_range.h>
#include <sys/prctl.h>
#include <sys/resource.h>

#include "chatd/sandbox.h"
#include "lib/log.h"

#if defined(__has_feature)
#if __has_feature(address_sanitizer)
#define SANITIZED 1
#endif
#endif
#if defined(__SANITIZE_ADDRESS__)
#define SANITIZED 1
#endif
#ifndef SANITIZED
#define SANITIZED 0
#endif

int
sandbox_user_find(
    const char *name, struct sandbox_user *user, char why[SANDBOX_WHY_LEN])
{
	const struct passwd *entry;

	memset(user, 0, sizeof(*user));
	user->uid = geteuid();
	user->gid = getegid();
	if (user->uid != 0)
		return 0;
	errno = 0;
	entry = getpwnam(name);
	if (!entry) {
		snprintf(why, SANDBOX_WHY_LEN,
		    "user: there is no user \"%s\"; make it with: useradd "
		    "--system --user-group --no-create-home --shell "
		    "/usr/sbin/nologin %s",
		    name, name);
		return EX_CONFIG;
	}
	user->uid = entry->pw_uid;
	user->gid = entry->pw_gid;
	user->drop = entry->pw_uid != 0;
	return 0;
}

int
sandbox_user_become(const char *name, const struct sandbox_user *user)
{
	uid_t real, effective, saved;

	if (!user->drop)
		return 0;
	if (initgroups(name, user->gid) == -1 ||
	    setresgid(user->gid, user->gid, user->gid) == -1 ||
	    setresuid(user->uid, user->uid, user->uid) == -1 ||
	    getresuid(&real, &effective, &saved) == -1)
		return -1;
	/* Never believe it without a look: half dropped is root. */
	if (real != user->uid || effective != user->uid || saved != user->uid ||
	    getegid() != user->gid || setuid(0) != -1) {
		errno = EPERM;
		return -1;
	}
	return 0;
}

static int
by_number(const void *a, const void *b)
{
	int x = *(const int *)a, y = *(const int *)b;

	return (x > y) - (x < y);
}

void
sandbox_close_others(int *keep, size_t count)
{
	unsigned next = STDERR_FILENO + 1;

	qsort(keep, count, sizeof(*keep), by_number);
	for (size_t i = 0; i < count; i++) {
		if (keep[i] < (int)next)
			continue;
		if (keep[i] > (int)next)
			close_range(next, (unsigned)keep[i] - 1, 0);
		next = (unsigned)keep[i] + 1;
	}
	close_range(next, UINT_MAX, 0);
}

void
sandbox_enter(enum ipc_role role)
{
	const struct rlimit none = {0, 0};

	/* A core file would hold passwords, tokens and keys. */
	if (setrlimit(RLIMIT_CORE, &none) == -1)
		fatal(EX_OSERR, "cannot forbid core dumps: %m");
	/* Nor may another process of the same user look into our memory. */
	if (!SANITIZED && prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) == -1)
		fatal(EX_OSERR, "cannot forbid tracing: %m");
	/* A set-user-id program that we are tricked into is only a program. */
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == -1)
		fatal(EX_OSERR, "cannot give up new privileges: %m");
	/* The master alone starts processes; the keeper starts threads. */
	if (role == ROLE_WORKER && !SANITIZED &&
	    setrlimit(RLIMIT_NPROC, &none) == -1)
		fatal(EX_OSERR, "cannot forbid new processes: %m");
}
