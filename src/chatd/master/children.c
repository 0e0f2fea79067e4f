/* SPDX-License-Identifier: ISC */
/*
 * The table of connections, found by process id and number, counted by
 * address, queued by what they have shown.  Runs in the master; never looks
 * at what a worker does.
 */
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "chatd/master/children.h"
#include "chatd/sites.h"

enum { BUCKETS = 1024 }; /* chains are bounded by the connections */

struct queue {
	struct child *oldest, *newest;
	int count;
};

struct children {
	struct child *oldest, *newest; /* workers */
	int count;
	uint32_t last_number;
	struct queue queues[CHILD_QUEUES];
	struct child *by_pid[BUCKETS], *by_number[BUCKETS];
	struct child *by_address[BUCKETS];
};

struct children *
children_new(void)
{
	return calloc(1, sizeof(struct children));
}

void
children_free(struct children *table)
{
	if (!table)
		return;
	for (int i = 0; i < CHILD_QUEUES; i++)
		while (table->queues[i].oldest)
			children_remove(table, table->queues[i].oldest);
	free(table);
}

int
children_count(const struct children *table)
{
	return table->count;
}

int
children_waiting(const struct children *table)
{
	int count = 0;

	for (int queue = CHILD_SILENT; queue <= CHILD_SPOKE_LAST; queue++)
		count += table->queues[queue].count;
	return count;
}

int
children_in(const struct children *table, enum child_queue queue)
{
	return table->queues[queue].count;
}

struct child *
children_first(const struct children *table, enum child_queue queue)
{
	return table->queues[queue].oldest;
}

struct child *
children_last(const struct children *table, enum child_queue queue)
{
	return table->queues[queue].newest;
}

struct child *
children_oldest(const struct children *table)
{
	return table->oldest;
}

/* The bucket of a site (FNV-1a). */
static unsigned
address_bucket(const struct ipc_address *site)
{
	uint32_t hash = 2166136261U;

	for (size_t i = 0; i < sizeof(site->ip); i++)
		hash = (hash ^ site->ip[i]) * 16777619U;
	return (hash ^ hash >> 16) % BUCKETS;
}

static unsigned
pid_bucket(pid_t pid)
{
	return (unsigned)pid % BUCKETS;
}

int
children_of(const struct children *table, const struct ipc_address *address)
{
	struct ipc_address at = site_of(address), other;
	const struct child *child = table->by_address[address_bucket(&at)];
	int count = 0;

	for (; child; child = child->address_chain) {
		if (child->queue == CHILD_DYING)
			continue;
		other = site_of(&child->from);
		count += other.family == at.family &&
		    memcmp(other.ip, at.ip, sizeof(at.ip)) == 0;
	}
	return count;
}

static void
enqueue(struct children *table, struct child *child, enum child_queue where)
{
	struct queue *queue = &table->queues[where];

	child->queue = where;
	child->queue_newer = NULL;
	child->queue_older = queue->newest;
	if (queue->newest)
		queue->newest->queue_newer = child;
	else
		queue->oldest = child;
	queue->newest = child;
	queue->count++;
}

static void
dequeue(struct children *table, struct child *child)
{
	struct queue *queue = &table->queues[child->queue];

	if (child->queue_older)
		child->queue_older->queue_newer = child->queue_newer;
	else
		queue->oldest = child->queue_newer;
	if (child->queue_newer)
		child->queue_newer->queue_older = child->queue_older;
	else
		queue->newest = child->queue_older;
	queue->count--;
}

void
children_move(
    struct children *table, struct child *child, enum child_queue queue)
{
	dequeue(table, child);
	enqueue(table, child, queue);
}

struct child *
children_add(
    struct children *table, const struct ipc_address *from, int64_t deadline)
{
	struct child *child = calloc(1, sizeof(*child)), **bucket;
	struct ipc_address at = site_of(from);

	if (!child)
		return NULL;
	child->from = *from;
	child->deadline = deadline;
	child->fd = child->watch.fd = -1;
	/* 0 is nobody's. */
	if (++table->last_number == 0)
		table->last_number = 1;
	child->number = table->last_number;

	bucket = &table->by_number[child->number % BUCKETS];
	child->number_chain = *bucket;
	*bucket = child;
	bucket = &table->by_address[address_bucket(&at)];
	child->address_chain = *bucket;
	*bucket = child;
	enqueue(table, child, CHILD_SILENT);
	return child;
}

void
children_run(struct children *table, struct child *child, pid_t pid,
    int64_t deadline, enum child_queue queue)
{
	struct child **bucket = &table->by_pid[pid_bucket(pid)];

	child->pid = pid;
	child->deadline = deadline;
	child->pid_chain = *bucket;
	*bucket = child;
	child->older = table->newest;
	if (table->newest)
		table->newest->newer = child;
	else
		table->oldest = child;
	table->newest = child;
	table->count++;
	children_move(table, child, queue);
}

struct child *
children_find(const struct children *table, pid_t pid)
{
	struct child *child = table->by_pid[pid_bucket(pid)];

	while (child && child->pid != pid)
		child = child->pid_chain;
	return child;
}

struct child *
children_numbered(const struct children *table, uint32_t number)
{
	struct child *child = table->by_number[number % BUCKETS];

	while (child && child->number != number)
		child = child->number_chain;
	return child;
}

/* Takes a worker out of what only workers are in. */
static void
worker_remove(struct children *table, struct child *child)
{
	struct child **at = &table->by_pid[pid_bucket(child->pid)];

	while (*at != child)
		at = &(*at)->pid_chain;
	*at = child->pid_chain;
	if (child->older)
		child->older->newer = child->newer;
	else
		table->oldest = child->newer;
	if (child->newer)
		child->newer->older = child->older;
	else
		table->newest = child->older;
	table->count--;
}

void
children_remove(struct children *table, struct child *child)
{
	struct ipc_address site = site_of(&child->from);
	struct child **at = &table->by_number[child->number % BUCKETS];

	while (*at != child)
		at = &(*at)->number_chain;
	*at = child->number_chain;
	at = &table->by_address[address_bucket(&site)];
	while (*at != child)
		at = &(*at)->address_chain;
	*at = child->address_chain;
	dequeue(table, child);
	if (child->pid)
		worker_remove(table, child);
	free(child);
}
