/* SPDX-License-Identifier: ISC */
/*
 * A hash table by site with a secret of its own, so that nobody can choose
 * addresses that meet in one chain.  Used by master and store.  All of it is
 * one piece of memory, whose pages come into being as they are needed.
 */
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>

#include <sodium.h>

#include "chatd/network.h"
#include "chatd/sites.h"
#include "lib/unix.h"

enum { NOBODY = 0 }; /* numbers of nodes count from 1 */

struct node {
	struct ipc_address at;
	uint32_t chain; /* same bucket */
	uint32_t newer, older; /* by use */
};

struct sites {
	size_t most, size; /* nodes; octets kept for each */
	size_t count;
	uint32_t oldest, newest;
	size_t octets; /* of all of it */
	struct node *nodes;
	unsigned char *kept;
	uint32_t *buckets; /* as many as nodes */
	unsigned char secret[crypto_shorthash_KEYBYTES];
};

struct ipc_address
site_of(const struct ipc_address *address)
{
	return network_of(address, address->family == AF_INET6 ? 64 : 32);
}

struct sites *
sites_new(size_t most, size_t size)
{
	struct sites *sites = calloc(1, sizeof(*sites));
	unsigned char *memory;

	if (sites == NULL)
		return NULL;
	size = (size + 7) & ~(size_t)7;
	sites->most = most;
	sites->size = size;
	sites->octets = most * (size + sizeof(struct node) + sizeof(uint32_t));
	memory = mmap(NULL, sites->octets, PROT_READ | PROT_WRITE,
	    MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	if (memory == MAP_FAILED) {
		free(sites);
		return NULL;
	}
	/* A worker needs none of it, and a fork would copy its page table. */
	madvise(memory, sites->octets, MADV_DONTFORK);
	sites->kept = memory;
	sites->nodes = (struct node *)(void *)(memory + most * size);
	sites->buckets = (uint32_t *)(void *)(sites->nodes + most);
	random_fill(sites->secret, sizeof(sites->secret));
	return sites;
}

void
sites_free(struct sites *sites)
{
	if (sites == NULL)
		return;
	munmap(sites->kept, sites->octets);
	free(sites);
}

static struct node *
node_of(const struct sites *sites, uint32_t number)
{
	return &sites->nodes[number - 1];
}

static void *
kept_of(const struct sites *sites, uint32_t number)
{
	return sites->kept + (number - 1) * sites->size;
}

static uint32_t *
bucket_of(struct sites *sites, const struct ipc_address *site)
{
	unsigned char hash[crypto_shorthash_BYTES];
	uint64_t value;

	/* SipHash: without the secret nobody knows who meets whom. */
	crypto_shorthash(
	    hash, (const unsigned char *)site, sizeof(*site), sites->secret);
	memcpy(&value, hash, sizeof(value));
	return &sites->buckets[value % sites->most];
}

static bool
same(const struct ipc_address *a, const struct ipc_address *b)
{
	return a->family == b->family &&
	    memcmp(a->ip, b->ip, sizeof(a->ip)) == 0;
}

static uint32_t
look_up(struct sites *sites, const struct ipc_address *site)
{
	uint32_t at = *bucket_of(sites, site);

	while (at != NOBODY && !same(&node_of(sites, at)->at, site))
		at = node_of(sites, at)->chain;
	return at;
}

static void
age_remove(struct sites *sites, uint32_t at)
{
	const struct node *node = node_of(sites, at);

	if (node->newer != NOBODY)
		node_of(sites, node->newer)->older = node->older;
	else
		sites->newest = node->older;
	if (node->older != NOBODY)
		node_of(sites, node->older)->newer = node->newer;
	else
		sites->oldest = node->newer;
}

static void
age_append(struct sites *sites, uint32_t at)
{
	struct node *node = node_of(sites, at);

	node->older = sites->newest;
	node->newer = NOBODY;
	if (sites->newest != NOBODY)
		node_of(sites, sites->newest)->newer = at;
	else
		sites->oldest = at;
	sites->newest = at;
}

/* Takes the one that was used longest ago out; its place is free then. */
static uint32_t
drop_oldest(struct sites *sites)
{
	uint32_t at = sites->oldest;
	struct node *node = node_of(sites, at);
	uint32_t *link = bucket_of(sites, &node->at);

	while (*link != at)
		link = &node_of(sites, *link)->chain;
	*link = node->chain;
	age_remove(sites, at);
	memset(kept_of(sites, at), 0, sites->size);
	return at;
}

void *
sites_find(struct sites *sites, const struct ipc_address *address)
{
	struct ipc_address site = site_of(address);
	uint32_t at = look_up(sites, &site);

	return at != NOBODY ? kept_of(sites, at) : NULL;
}

void *
sites_get(struct sites *sites, const struct ipc_address *address)
{
	struct ipc_address site = site_of(address);
	uint32_t at = look_up(sites, &site), *bucket;

	if (at != NOBODY) {
		age_remove(sites, at);
	} else {
		at = sites->count < sites->most ? (uint32_t)++sites->count
						: drop_oldest(sites);
		bucket = bucket_of(sites, &site);
		node_of(sites, at)->at = site;
		node_of(sites, at)->chain = *bucket;
		*bucket = at;
	}
	age_append(sites, at);
	return kept_of(sites, at);
}

size_t
sites_count(const struct sites *sites)
{
	return sites->count;
}

const void *
sites_at(const struct sites *sites, size_t index)
{
	return kept_of(sites, (uint32_t)index + 1);
}
