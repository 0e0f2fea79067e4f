/* SPDX-License-Identifier: ISC */
/*
 * Four tables of addresses.  Runs in the master; refuses nobody by itself.
 * They are apart, so that a flood of addresses that only connect drops
 * neither a penalty nor a known address.
 */
#include <stdlib.h>

#include "chatd/master/guard.h"
#include "chatd/sites.h"

struct guard {
	struct sites *penalties; /* struct penalty */
	struct sites *doubts; /* likewise: nobody is refused for these */
	struct sites *rates; /* struct bucket */
	struct sites *known; /* int64_t: when it was proved last */
};

struct guard *
guard_new(void)
{
	struct guard *guard = calloc(1, sizeof(*guard));

	if (guard == NULL)
		return NULL;
	guard->penalties = sites_new(SITES_MAX, sizeof(struct penalty));
	guard->doubts = sites_new(SITES_MAX, sizeof(struct penalty));
	guard->rates = sites_new(SITES_MAX, sizeof(struct bucket));
	guard->known = sites_new(SITES_MAX, sizeof(int64_t));
	if (guard->penalties != NULL && guard->doubts != NULL &&
	    guard->rates != NULL && guard->known != NULL)
		return guard;
	guard_free(guard);
	return NULL;
}

void
guard_free(struct guard *guard)
{
	if (guard == NULL)
		return;
	sites_free(guard->penalties);
	sites_free(guard->doubts);
	sites_free(guard->rates);
	sites_free(guard->known);
	free(guard);
}

bool
guard_owes(
    const struct guard *guard, const struct ipc_address *from, int64_t now)
{
	const struct penalty *penalty = sites_find(guard->penalties, from);

	return penalty != NULL && penalty_left(penalty, now) > 0;
}

enum guard_word
guard_admits(struct guard *guard, const struct ipc_address *from,
    struct bucket_size size, int64_t now)
{
	if (guard_owes(guard, from, now))
		return GUARD_PENALTY;
	if (!bucket_take(sites_get(guard->rates, from), size, now))
		return GUARD_RATE;
	return GUARD_ADMIT;
}

bool
guard_charge(struct guard *guard, const struct ipc_address *from,
    enum offence offence, int64_t now)
{
	if (offence == OFFENCE_HELD || offence == OFFENCE_SPENT) {
		penalty_add(sites_get(guard->doubts, from), offence, now);
		return false;
	}
	return penalty_add(sites_get(guard->penalties, from), offence, now);
}

bool
guard_locked(struct guard *guard, const struct ipc_address *from, uint32_t name,
    int64_t now)
{
	return penalty_locked(sites_get(guard->penalties, from), name, now);
}

void
guard_proved(struct guard *guard, const struct ipc_address *from,
    struct bucket_size size, bool counted, int64_t now)
{
	struct bucket *bucket = sites_find(guard->rates, from);
	struct penalty *doubt = sites_find(guard->doubts, from);
	int64_t *known = sites_get(guard->known, from);

	*known = now;
	if (doubt != NULL)
		*doubt = (struct penalty){0};
	if (counted && bucket != NULL)
		bucket_refund(bucket, size);
}

enum guard_rank
guard_rank(struct guard *guard, const struct ipc_address *from, int64_t now)
{
	const int64_t *known = sites_find(guard->known, from);
	const struct penalty *doubt = sites_find(guard->doubts, from);
	int rank = GUARD_PLAIN;

	if (known != NULL && now - *known <= GUARD_KNOWN_MS)
		rank++;
	if (doubt != NULL && penalty_left(doubt, now) > 0)
		rank--;
	return (enum guard_rank)rank;
}

int
guard_refused(const struct guard *guard, int64_t now)
{
	size_t all = sites_count(guard->penalties);
	int count = 0;

	for (size_t i = 0; i < all; i++)
		count += penalty_left(sites_at(guard->penalties, i), now) > 0;
	return count;
}
