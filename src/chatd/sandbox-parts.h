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
