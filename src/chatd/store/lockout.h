/* SPDX-License-Identifier: ISC */
/*
 * The names with failed logins, in memory: at most 65,536, of users and of
 * names that nobody has.  These are not told apart, or the flood that drives
 * only the latter out would tell who exists.
 */
#ifndef CHATD_LOCKOUT_H
#define CHATD_LOCKOUT_H

#include "chatd/store/rules.h"

enum { LOCKOUT_MAX = 65536 };

struct lockout {
	struct lock lock;
	struct lockout *chain; /* same bucket */
	struct lockout *older, *newer; /* by their last charge */
	bool known; /* for the database's row alone */
	char name[NAME_MAX_LEN + 1];
};

struct lockouts;

/* NULL if there is no memory. */
struct lockouts *lockouts_new(void);
void lockouts_free(struct lockouts *table);

/* What tells names apart for who must not know them, in this run. */
uint32_t lockouts_digest(const struct lockouts *table, const char *name);

/* NULL if nothing is charged to the name. */
struct lockout *lockout_find(struct lockouts *table, const char *name);

/*
 * Finds or makes the entry.  Where another one had to give way, the oldest
 * that is not locked, dropped is its name, else "".  NULL if there is no
 * memory.
 */
struct lockout *lockout_get(struct lockouts *table, const char *name,
    bool known, int64_t now, char dropped[NAME_MAX_LEN + 1]);

/* It is the newest now. */
void lockout_touch(struct lockouts *table, struct lockout *entry);

/* The entry is freed. */
void lockout_drop(struct lockouts *table, struct lockout *entry);

/* Names in the longest chain: what a search costs at worst. */
size_t lockouts_longest(const struct lockouts *table);
size_t lockouts_count(const struct lockouts *table);

#endif
