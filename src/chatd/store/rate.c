/* SPDX-License-Identifier: ISC */
/*
 * How many requests are answered: by address until a token is valid, by
 * account after that.  Part of the store, which alone knows whether one is.
 */
#include "chatd/store/state.h"

static struct bucket_size
size_of(const struct store *store)
{
	return (struct bucket_size){
	    store->rules.requests_per_second, store->rules.request_burst};
}

/* Takes one out of the bucket; true, and refused, if it is empty. */
static bool
too_many(struct store *store, const struct asker *asker, struct bucket *bucket)
{
	const struct bucket_size size = size_of(store);
	struct ipc_refused refused = {
	    .error = ERR_RATE_LIMITED, .attempts_left = -1};

	if (bucket_take(bucket, size, store->now))
		return false;
	refused.retry_after = bucket_wait(bucket, size, store->now);
	channel_refuse_with(asker->channel, asker->number, &refused, NULL);
	return true;
}

bool
rate_user(struct store *store, const struct asker *asker)
{
	struct usage *usage;

	if (asker->channel->exempt)
		return false;
	usage = usage_of(store->usages, asker->user, store->now);
	/* Without memory for it a request is not counted. */
	return usage != NULL && too_many(store, asker, &usage->bucket);
}

void
rate_charge(struct store *store, const struct asker *asker, int tokens)
{
	struct usage *usage;

	if (asker->channel->exempt || tokens == 0)
		return;
	usage = usage_of(store->usages, asker->user, store->now);
	if (usage != NULL)
		bucket_charge(
		    &usage->bucket, size_of(store), tokens, store->now);
}

bool
rate_address(struct store *store, const struct asker *asker)
{
	return !asker->channel->exempt &&
	    too_many(
		store, asker, sites_get(store->rates, &asker->channel->from));
}
