/* SPDX-License-Identifier: ISC */
/*
 * The names with failed logins, in memory: those of users, and of at most
 * 65,536 names that nobody has, the oldest of which gives way.
 */
#ifndef CHATD_LOCKOUT_H
#define CHATD_LOCKOUT_H

#include "chatd/store/rules.h"

enum { LOCKOUT_UNKNOWN_MAX = 65536 };

struct lockout {
	struct lock lock;
	struct lockout *chain; /* same bucket */
	struct lockout *older, *newer; /* unknown names by age */
	bool known;
	char name[NAME_MAX_LEN + 1];
};

struct lockouts;

/* NULL if there is no memory. */
struct lockouts *lockouts_new(void);
void lockouts_free(struct lockouts *table);

/* NULL if nothing is charged to the name. */
struct lockout *lockout_find(struct lockouts *table, const char *name);

/*
 * Finds or makes the entry.  Where the oldest unknown name had to give way,
 * dropped is that name, else "".  NULL if there is no memory.
 */
struct lockout *lockout_get(struct lockouts *table, const char *name,
    bool known, char dropped[NAME_MAX_LEN + 1]);

/* The entry is freed. */
void lockout_drop(struct lockouts *table, struct lockout *entry);

/* Names in the longest chain: what a search costs at worst. */
size_t lockouts_longest(const struct lockouts *table);
size_t lockouts_unknown(const struct lockouts *table);

#endif
