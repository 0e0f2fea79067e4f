/* SPDX-License-Identifier: ISC */
/*
 * The seams of the sandbox: which file confines what.  For sandbox*.c alone;
 * nobody else may take rights away, so that one place knows what is left.
 */
#ifndef CHATD_SANDBOX_PARTS_H
#define CHATD_SANDBOX_PARTS_H

#include <stdbool.h>

#include "chatd/ipc.h"
#include "chatd/settings.h"

/*
 * The sanitizers map terabytes, read /proc, write reports and, at the end,
 * look for leaks as a tracer in a thread: so in a build with them there are
 * no limits, no lists of system calls or files, and no ban on tracing.
 */
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

enum { SANDBOX_ROLES = 4 };

/* A role's place in an array. */
static inline int
role_index(enum ipc_role role)
{
	return __builtin_ctz((unsigned)role);
}

/*
 * Each part says beforehand whether the build and the kernel have it at all:
 * prepare() is called once before anybody enters.  enter() is 0 or -1 with
 * errno, and does nothing where possible() is false.
 */

/* sandbox-calls.c, or sandbox-calls-none.c: which system calls. */
void calls_prepare(void);
bool calls_possible(void);
int calls_enter(enum ipc_role role);

/* sandbox-files.c: which files, addresses and processes. */
void files_prepare(const struct settings *settings);
bool files_possible(void);
int files_enter(enum ipc_role role);

#endif
