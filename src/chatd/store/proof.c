/* SPDX-License-Identifier: ISC */
/*
 * What the master should know of a connection: that somebody has logged in
 * or shown a valid token on it, so that it does not give way; that a login
 * failed or an account was made, so that its address is charged.  Part of the
 * store: a worker has no words for any of them.
 */
#include <errno.h>

#include "chatd/store/state.h"
#include "lib/log.h"

enum {
	/* Connections that one account vouches for: a client has one or two,
	 * and a password must not be the key to all the house. */
	PROOFS_MOST = 8,
};

void
proof_given(struct store *store, struct channel *channel, int64_t user)
{
	static const struct ipc_none none;
	struct usage *usage;

	if (channel->proved_by != 0 || channel->number == 0 ||
	    store->master == -1)
		return;
	usage = usage_of(store->usages, user, store->now);
	if (usage == NULL || usage->proofs >= PROOFS_MOST)
		return;
	usage->proofs++;
	channel->proved_by = user;
	/* Lost, it only gives way like one that has proved nothing. */
	if (ipc_send(store->master, IPC_PROVED, channel->number, &none, NULL, 0,
		-1) == -1)
		log_debug("cannot tell the master of a proof: %m");
}

void
proof_forget(struct store *store, const struct channel *channel)
{
	/* While it vouches for something it is there. */
	if (channel->proved_by != 0)
		usage_of(store->usages, channel->proved_by, store->now)
		    ->proofs--;
}

static void
tell_charge(struct store *store, const struct ipc_failed *failed)
{
	if (failed->from.family == 0 || store->master == -1)
		return;
	if (ipc_send(store->master, IPC_FAILED, 0, failed, NULL, 0, -1) == -1)
		log_warn("cannot tell the master of a charge: %m");
}

void
proof_failed(struct store *store, const struct ipc_address *from,
    const char *name, bool locked)
{
	struct ipc_failed failed = {.from = *from,
	    .name = lockouts_digest(store->lockouts, name),
	    .locked = locked};

	tell_charge(store, &failed);
}

void
proof_registered(struct store *store, const struct ipc_address *from)
{
	struct ipc_failed failed = {.from = *from, .registered = true};

	tell_charge(store, &failed);
}
