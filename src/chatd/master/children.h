/* SPDX-License-Identifier: ISC */
/*
 * The table of workers: who serves which address, since when, until when at
 * the latest.  Pure book-keeping: forks and kills nothing.
 */
#ifndef CHATD_CHILDREN_H
#define CHATD_CHILDREN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "chatd/ipc.h"

struct child {
	pid_t pid;
	struct ipc_address from;
	int64_t deadline; /* clock_mono(): overdue from then on */
	bool killed; /* by us, for being overdue or in the way */
	struct child *newer, *older; /* by their start */
	struct child *pid_chain, *address_chain;
};

struct children;

/* NULL if there is no memory. */
struct children *children_new(void);
void children_free(struct children *table);

int children_count(const struct children *table);

/* How many serve this address (IPv6: this /64). */
int children_of(
    const struct children *table, const struct ipc_address *address);

/* Adds a worker that was just started; NULL if there is no memory. */
struct child *children_add(struct children *table, pid_t pid,
    const struct ipc_address *from, int64_t deadline);

/* The worker with this process id, or NULL. */
struct child *children_find(const struct children *table, pid_t pid);

/* Takes a worker out and frees it. */
void children_remove(struct children *table, struct child *child);

/* The one that was started first, or NULL; go on with ->newer. */
struct child *children_oldest(const struct children *table);

#endif
