/* SPDX-License-Identifier: ISC */
/*
 * The table of connections: who waits for a worker, which worker serves
 * which address, since when, until when at the latest, and in which order
 * they give way.  Pure book-keeping: forks and kills nothing.
 */
#ifndef CHATD_CHILDREN_H
#define CHATD_CHILDREN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "chatd/ipc.h"
#include "chatd/master/guard.h"
#include "lib/loop.h"

/*
 * Each connection is in one of these, behind those that came before it.  Of
 * SPOKE and RUNS there is one for each rank, in their order.
 */
enum child_queue {
	CHILD_SILENT, /* no octet has come: it has no worker */
	CHILD_SPOKE, /* waits for a worker */
	CHILD_SPOKE_LAST = CHILD_SPOKE + GUARD_RANKS - 1,
	CHILD_RUNS, /* has a worker, has proved nothing */
	CHILD_RUNS_LAST = CHILD_RUNS + GUARD_RANKS - 1,
	CHILD_PROVED, /* somebody has logged in or shown a valid token */
	CHILD_DYING, /* its worker was killed, and is not reaped yet */
	CHILD_QUEUES
};

struct child {
	pid_t pid; /* 0: no worker */
	uint32_t number; /* what the store calls its channel */
	struct ipc_address from;
	int64_t came; /* clock_mono() */
	int64_t deadline; /* likewise: overdue from then on */
	bool exempt; /* from limits per address */
	bool killed; /* by us, for being overdue or in the way */
	enum child_queue queue;
	enum guard_rank rank; /* from its first octets on */

	/* While it has no worker. */
	void *master;
	int fd; /* else -1 */
	struct loop_watch watch;

	struct child *newer, *older; /* by the start of the worker */
	struct child *queue_newer, *queue_older;
	struct child *pid_chain, *number_chain, *address_chain;
};

struct children;

/* NULL if there is no memory. */
struct children *children_new(void);
void children_free(struct children *table);

/* How many workers there are, and how many wait for one or are silent. */
int children_count(const struct children *table);
int children_waiting(const struct children *table);
/* How many are in that queue, and the oldest and the newest of them. */
int children_in(const struct children *table, enum child_queue queue);
struct child *children_first(
    const struct children *table, enum child_queue queue);
struct child *children_last(
    const struct children *table, enum child_queue queue);

/* How many there are from this address (IPv6: this /64), but the dying. */
int children_of(
    const struct children *table, const struct ipc_address *address);

/* Adds a connection that says nothing yet; NULL if there is no memory. */
struct child *children_add(
    struct children *table, const struct ipc_address *from, int64_t deadline);

/* It has a worker that was just started, and goes to the end of a queue. */
void children_run(struct children *table, struct child *child, pid_t pid,
    int64_t deadline, enum child_queue queue);

/* Goes to the end of another queue. */
void children_move(
    struct children *table, struct child *child, enum child_queue queue);

/* The one with this process id, or with this number, or NULL. */
struct child *children_find(const struct children *table, pid_t pid);
struct child *children_numbered(const struct children *table, uint32_t number);

/* Takes one out and frees it; its descriptor is the caller's. */
void children_remove(struct children *table, struct child *child);

/* The worker that was started first, or NULL; go on with ->newer. */
struct child *children_oldest(const struct children *table);

#endif
