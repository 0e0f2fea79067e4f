/* SPDX-License-Identifier: ISC */
/*
 * The table of what accounts use: chains that are cleared while they are
 * walked, and one more of them with each look, so that it holds those who
 * have asked in the last seconds or are vouched for.
 */
#include <stdbool.h>
#include <stdlib.h>

#include "chatd/store/usage.h"

enum { BUCKETS = 4096 };

struct usages {
	struct usage *bucket[BUCKETS];
	size_t sweep; /* the next to be cleared */
};

struct usages *
usages_new(void)
{
	return calloc(1, sizeof(struct usages));
}

void
usages_free(struct usages *usages)
{
	for (size_t i = 0; usages != NULL && i < BUCKETS; i++)
		while (usages->bucket[i] != NULL) {
			struct usage *first = usages->bucket[i];

			usages->bucket[i] = first->next;
			free(first);
		}
	free(usages);
}

/* True for one that is as good as none. */
static bool
is_over(const struct usage *usage, int64_t now)
{
	return usage->proofs == 0 && usage->bucket.full <= now * 1000;
}

static void
clear(struct usage **at, int64_t now)
{
	while (*at != NULL) {
		struct usage *each = *at;

		if (!is_over(each, now)) {
			at = &each->next;
			continue;
		}
		*at = each->next;
		free(each);
	}
}

struct usage *
usage_of(struct usages *usages, int64_t user, int64_t now)
{
	uint64_t hash = (uint64_t)user * 0x9e3779b97f4a7c15u;
	struct usage **bucket = &usages->bucket[(hash >> 32) % BUCKETS];
	struct usage *usage;

	clear(&usages->bucket[usages->sweep++ % BUCKETS], now);
	usage = *bucket;
	while (usage != NULL && usage->user != user)
		usage = usage->next;
	if (usage != NULL || (usage = calloc(1, sizeof(*usage))) == NULL)
		return usage;
	usage->user = user;
	usage->next = *bucket;
	*bucket = usage;
	return usage;
}
