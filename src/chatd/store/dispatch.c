/* SPDX-License-Identifier: ISC */
/*
 * Requests as rows: who may ask, what answers.  The store finds out who
 * asks from the token or the channel, never from what the worker claims.
 */
#include <string.h>

#include <sodium.h>

#include "chatd/store/dispatch.h"
#include "chatd/store/state.h"
#include "lib/log.h"

static const struct row {
	enum wire_who who;
	answer_fn *answer;
	bool grows; /* the database, while the others may make room in it */
} rows[IPC_COUNT_OF_TYPES] = {
    [IPC_LOGIN] = {WHO_ANYONE, answer_login, true},
    [IPC_REGISTER] = {WHO_ANYONE, answer_register, false},
    [IPC_LOGOUT] = {WHO_SESSION, answer_logout, false},
    [IPC_LIVE] = {WHO_SESSION, answer_live, false},
    [IPC_SYNC] = {WHO_SESSION, answer_sync, false},
    [IPC_SEND] = {WHO_BRIEF, answer_send, false},
    [IPC_BROADCAST] = {WHO_BRIEF, answer_broadcast, false},
    [IPC_ONLINE] = {WHO_BRIEF, answer_online, false},
    [IPC_BLOCK] = {WHO_BRIEF, answer_block, true},
    [IPC_UNBLOCK] = {WHO_BRIEF, answer_unblock, true},
    [IPC_BLOCKED] = {WHO_BRIEF, answer_blocked, false},
    [IPC_ASK] = {WHO_SESSION, answer_ask, false},
    [IPC_ANSWER] = {WHO_SESSION, answer_answer, true},
    [IPC_HANGUP] = {WHO_SESSION, answer_hangup, false},
    [IPC_PASSWORD] = {WHO_BRIEF, answer_password, true},
};

void
token_hash(const char *token, uint8_t out[DB_HASH_LEN])
{
	crypto_hash_sha256(out, (const unsigned char *)token, strlen(token));
}

/* A token that opens nothing: why it does not any more. */
static void
refuse_token(struct store *store, const struct asker *asker,
    const uint8_t hash[DB_HASH_LEN])
{
	struct ipc_refused refused = {
	    .error = ERR_SESSION_EXPIRED, .attempts_left = -1};
	struct db_session row;

	if (db_session_find(store->db, hash, &row) &&
	    row.ended == ERR_SESSION_REPLACED) {
		refused.error = ERR_SESSION_REPLACED;
		refused.time = row.ended_at;
		memcpy(
		    refused.address, row.ended_from, sizeof(refused.address));
	}
	channel_refuse_with(asker->channel, asker->number, &refused, NULL);
}

/*
 * A request is a sign of life: the session is online again, where the
 * connection came from is where it is, and its token lives on.
 */
static void
touch(struct store *store, struct session *session, const struct asker *asker,
    enum ipc_type type)
{
	/* Who leaves is nowhere: that is what the others are told. */
	if (type == IPC_LOGOUT) {
		session->from = asker->channel->from;
		return;
	}
	links_moved(store, session, &asker->channel->from);
	session_alive(store, session);
}

static bool
find_session(struct store *store, struct asker *asker,
    const struct ipc_auth *auth, enum ipc_type type)
{
	uint8_t hash[DB_HASH_LEN];

	token_hash(auth->token, hash);
	asker->session = session_by_token(store->sessions, hash);
	if (asker->session == NULL) {
		if (!rate_address(store, asker))
			refuse_token(store, asker, hash);
		return false;
	}
	proof_given(store, asker->channel, asker->session->user);
	asker->user = asker->session->user;
	if (rate_user(store, asker))
		return false;
	memcpy(asker->name, asker->session->name, sizeof(asker->name));
	touch(store, asker->session, asker, type);
	return true;
}

/* A brief login holds for its connection, while the account is good. */
static bool
find_brief(struct store *store, struct asker *asker, enum wire_who who)
{
	struct db_user user;

	if (asker->channel->brief == 0) {
		if (!rate_address(store, asker))
			refuse(asker, ERR_NOT_ALLOWED, "Log in first.");
		return false;
	}
	asker->user = asker->channel->brief;
	if (rate_user(store, asker))
		return false;
	if (who != WHO_BRIEF) {
		refuse(asker, ERR_NOT_ALLOWED,
		    "That takes a session; this login is a brief one.");
		return false;
	}
	if (!db_user_get(store->db, asker->user, &user) ||
	    user.state != USER_ACTIVE) {
		refuse(asker, ERR_SESSION_EXPIRED, NULL);
		return false;
	}
	memcpy(asker->name, user.name, sizeof(asker->name));
	return true;
}

static bool
find_asker(struct store *store, struct asker *asker, enum wire_who who,
    const struct ipc_frame *frame)
{
	struct ipc_auth auth;
	bool found;

	if (who == WHO_ANYONE)
		return !rate_address(store, asker);
	/* Every request that needs one begins with it. */
	memcpy(&auth, frame->body, sizeof(auth));
	if (!IPC_TERMINATED(auth.token)) {
		refuse(asker, ERR_BAD_REQUEST, NULL);
		return false;
	}
	if (auth.token[0] == '\0')
		return find_brief(store, asker, who);
	found = find_session(store, asker, &auth, frame->type);
	ipc_wipe(&auth, sizeof(auth));
	return found;
}

void
dispatch(
    struct store *store, struct channel *channel, const struct ipc_frame *frame)
{
	const struct row *row = &rows[frame->type];
	struct asker asker = {.channel = channel, .number = frame->number};

	if (row->answer == NULL) {
		log_warn("%s has no answer", ipc_name(frame->type));
		channel->deaf = true;
		return;
	}
	store->tally.requests[frame->type]++;
	if (!find_asker(store, &asker, row->who, frame))
		return;
	if (row->grows && db_exhausted(store->db))
		refuse(&asker, ERR_READ_ONLY, NULL);
	else
		row->answer(store, &asker, frame);
}

void
answer(const struct asker *asker, enum ipc_type type, const void *body,
    const void *tail, size_t tail_len)
{
	channel_answer(
	    asker->channel, type, asker->number, body, tail, tail_len);
}

void
answer_done(const struct asker *asker)
{
	static const struct ipc_none none;

	answer(asker, IPC_DONE, &none, NULL, 0);
}

void
refuse(const struct asker *asker, enum wire_error error, const char *text)
{
	channel_refuse(asker->channel, asker->number, error, text);
}
