/* SPDX-License-Identifier: ISC */
/*
 * The table of workers, found by process id and counted by address.  Runs
 * in the master; never looks at what a worker does.
 */
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "chatd/master/children.h"
#include "chatd/network.h"

enum { BUCKETS = 1024 }; /* chains are bounded by the number of workers */

struct children {
	struct child *oldest, *newest;
	int count;
	struct child *by_pid[BUCKETS], *by_address[BUCKETS];
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
	while (table->oldest)
		children_remove(table, table->oldest);
	free(table);
}

int
children_count(const struct children *table)
{
	return table->count;
}

struct child *
children_oldest(const struct children *table)
{
	return table->oldest;
}

/* What is limited: an IPv4 address, or the /64 that one site has at least. */
static struct ipc_address
site(const struct ipc_address *address)
{
	return network_of(address, address->family == AF_INET6 ? 64 : 32);
}

static bool
same_site(const struct ipc_address *a, const struct ipc_address *b)
{
	struct ipc_address x = site(a), y = site(b);

	return x.family == y.family && memcmp(x.ip, y.ip, sizeof(x.ip)) == 0;
}

/* The bucket of an address (FNV-1a over its site). */
static unsigned
address_bucket(const struct ipc_address *address)
{
	struct ipc_address key = site(address);
	uint32_t hash = 2166136261U;

	for (size_t i = 0; i < sizeof(key.ip); i++)
		hash = (hash ^ key.ip[i]) * 16777619U;
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
	int count = 0;

	for (const struct child *child =
		 table->by_address[address_bucket(address)];
	     child; child = child->address_chain)
		count += same_site(&child->from, address);
	return count;
}

struct child *
children_add(struct children *table, pid_t pid, const struct ipc_address *from,
    int64_t deadline)
{
	struct child *child = calloc(1, sizeof(*child));
	struct child **bucket;

	if (!child)
		return NULL;
	child->pid = pid;
	child->from = *from;
	child->deadline = deadline;

	bucket = &table->by_pid[pid_bucket(pid)];
	child->pid_chain = *bucket;
	*bucket = child;
	bucket = &table->by_address[address_bucket(from)];
	child->address_chain = *bucket;
	*bucket = child;

	child->older = table->newest;
	if (table->newest)
		table->newest->newer = child;
	else
		table->oldest = child;
	table->newest = child;
	table->count++;
	return child;
}

struct child *
children_find(const struct children *table, pid_t pid)
{
	struct child *child = table->by_pid[pid_bucket(pid)];

	while (child && child->pid != pid)
		child = child->pid_chain;
	return child;
}

void
children_remove(struct children *table, struct child *child)
{
	struct child **at = &table->by_pid[pid_bucket(child->pid)];

	while (*at != child)
		at = &(*at)->pid_chain;
	*at = child->pid_chain;
	at = &table->by_address[address_bucket(&child->from)];
	while (*at != child)
		at = &(*at)->address_chain;
	*at = child->address_chain;

	if (child->older)
		child->older->newer = child->newer;
	else
		table->oldest = child->newer;
	if (child->newer)
		child->newer->older = child->older;
	else
		table->newest = child->older;
	table->count--;
	free(child);
}
