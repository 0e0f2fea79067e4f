/* SPDX-License-Identifier: ISC */
/*
 * A hash table of names with failed logins, part of the store's memory.
 * They are kept in the order in which they were charged last, which is that
 * of the database's rows.
 */
#include <stdlib.h>
#include <string.h>

#include <sodium.h>

#include "chatd/store/lockout.h"
#include "lib/unix.h"

enum { BUCKETS = 16384 };

struct lockouts {
	struct lockout *buckets[BUCKETS];
	struct lockout *oldest, *newest;
	size_t count;
	unsigned char secret[crypto_shorthash_KEYBYTES];
};

struct lockouts *
lockouts_new(void)
{
	struct lockouts *table = calloc(1, sizeof(*table));

	if (table != NULL)
		random_fill(table->secret, sizeof(table->secret));
	return table;
}

void
lockouts_free(struct lockouts *table)
{
	if (table == NULL)
		return;
	while (table->oldest != NULL)
		lockout_drop(table, table->oldest);
	free(table);
}

/* SipHash: without the secret nobody can choose names that share a chain. */
static uint64_t
hash_of(const struct lockouts *table, const char *name)
{
	unsigned char hash[crypto_shorthash_BYTES];
	uint64_t value;

	crypto_shorthash(
	    hash, (const unsigned char *)name, strlen(name), table->secret);
	memcpy(&value, hash, sizeof(value));
	return value;
}

uint32_t
lockouts_digest(const struct lockouts *table, const char *name)
{
	/* Not the octets that say where the name is kept. */
	return (uint32_t)(hash_of(table, name) >> 32);
}

static size_t
bucket_of(const struct lockouts *table, const char *name)
{
	return hash_of(table, name) % BUCKETS;
}

struct lockout *
lockout_find(struct lockouts *table, const char *name)
{
	struct lockout *entry = table->buckets[bucket_of(table, name)];

	while (entry != NULL && strcmp(entry->name, name) != 0)
		entry = entry->chain;
	return entry;
}

static void
age_append(struct lockouts *table, struct lockout *entry)
{
	entry->older = table->newest;
	entry->newer = NULL;
	if (table->newest != NULL)
		table->newest->newer = entry;
	else
		table->oldest = entry;
	table->newest = entry;
	table->count++;
}

static void
age_remove(struct lockouts *table, struct lockout *entry)
{
	if (entry->older != NULL)
		entry->older->newer = entry->newer;
	else
		table->oldest = entry->newer;
	if (entry->newer != NULL)
		entry->newer->older = entry->older;
	else
		table->newest = entry->older;
	table->count--;
}

/*
 * Who gives way.  A name is charged last when it is locked, so only a table
 * that filled up within the time of one lock begins with locked ones.
 */
static struct lockout *
oldest_open(const struct lockouts *table, int64_t now)
{
	struct lockout *each = table->oldest;

	while (each != NULL && lock_remaining(&each->lock, now) > 0)
		each = each->newer;
	return each != NULL ? each : table->oldest;
}

struct lockout *
lockout_get(struct lockouts *table, const char *name, bool known, int64_t now,
    char dropped[NAME_MAX_LEN + 1])
{
	struct lockout *entry = lockout_find(table, name);
	size_t bucket = bucket_of(table, name);

	dropped[0] = '\0';
	if (entry != NULL)
		return entry;
	if (table->count >= LOCKOUT_MAX) {
		entry = oldest_open(table, now);
		memcpy(dropped, entry->name, NAME_MAX_LEN + 1);
		lockout_drop(table, entry);
	}
	entry = calloc(1, sizeof(*entry));
	if (entry == NULL)
		return NULL;
	strncpy(entry->name, name, NAME_MAX_LEN);
	entry->known = known;
	entry->chain = table->buckets[bucket];
	table->buckets[bucket] = entry;
	age_append(table, entry);
	return entry;
}

void
lockout_touch(struct lockouts *table, struct lockout *entry)
{
	age_remove(table, entry);
	age_append(table, entry);
}

void
lockout_drop(struct lockouts *table, struct lockout *entry)
{
	struct lockout **at = &table->buckets[bucket_of(table, entry->name)];

	while (*at != entry)
		at = &(*at)->chain;
	*at = entry->chain;
	age_remove(table, entry);
	free(entry);
}

size_t
lockouts_longest(const struct lockouts *table)
{
	size_t longest = 0;

	for (size_t i = 0; i < BUCKETS; i++) {
		const struct lockout *each = table->buckets[i];
		size_t length = 0;

		for (; each != NULL; each = each->chain)
			length++;
		if (length > longest)
			longest = length;
	}
	return longest;
}

size_t
lockouts_count(const struct lockouts *table)
{
	return table->count;
}
