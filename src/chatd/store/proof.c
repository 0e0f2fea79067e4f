/* SPDX-License-Identifier: ISC */
/*
 * What the master should know of a connection: that somebody has logged in
 * or shown a valid token on it, so that it does not give way; that a login
 * failed, so that its address is charged.  Part of the store: a worker has
 * no words for either.
 */
#include <errno.h>

#include "chatd/store/state.h"
#include "lib/log.h"

enum {
	/* Connections that one session vouches for: a client has one or two,
	 * and a token must not be the key to all the house. */
	PROOFS_MOST = 8,
};

void
proof_given(
    struct store *store, struct channel *channel, struct session *session)
{
	static const struct ipc_none none;

	if (channel->proved || channel->number == 0 || store->master == -1)
		return;
	if (session != NULL) {
		if (session->proofs >= PROOFS_MOST)
			return;
		session->proofs++;
		channel->proved_by = session->user;
		channel->proved_login = session->login;
	}
	channel->proved = true;
	/* Lost, it only gives way like one that has proved nothing. */
	if (ipc_send(store->master, IPC_PROVED, channel->number, &none, NULL, 0,
		-1) == -1)
		log_debug("cannot tell the master of a proof: %m");
}

void
proof_forget(struct store *store, const struct channel *channel)
{
	struct session *session;

	if (channel->proved_by == 0)
		return;
	session = session_by_user(store->sessions, channel->proved_by);
	/* Another login of the user's vouches for nothing of this one. */
	if (session != NULL && session->login == channel->proved_login &&
	    session->proofs > 0)
		session->proofs--;
}

void
proof_failed(struct store *store, const struct ipc_address *from, bool locked)
{
	struct ipc_failed failed = {.from = *from, .locked = locked};

	if (from->family == 0 || store->master == -1)
		return;
	if (ipc_send(store->master, IPC_FAILED, 0, &failed, NULL, 0, -1) == -1)
		log_warn("cannot tell the master of a failed login: %m");
}
