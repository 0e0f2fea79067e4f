/* SPDX-License-Identifier: ISC */
/*
 * The store's answers about messages: send, broadcast.  What is answered
 * with "accepted" has been committed by the turn that answers.
 */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include <sodium.h>

#include "chatd/store/state.h"
#include "lib/log.h"

enum {
	/* Of a bucket: the log keeps it for all, who all fetch it. */
	BROADCAST_TOKENS = 10,
};

/*
 * Receipts do not, or two who talk would never rest.  Nor do notices with a
 * subject, of failed logins: a client that connects at once would tell whoever
 * guesses, and measures, that the name is somebody's who is here.
 */
static bool
knocks(const struct wire_event *event)
{
	return event->type != EVENT_RECEIPT &&
	    (event->type != EVENT_NOTICE || event->id.len == 0);
}

int64_t
mail_post(struct store *store, int64_t to, int64_t other,
    const struct wire_event *event)
{
	struct session *session = session_by_user(store->sessions, to);
	int64_t number;

	db_write(store->db);
	number = db_mail_add(store->db, to, other, event);
	if (session != NULL) {
		session->mail_head = number;
		if (knocks(event))
			knock_session(store, session);
	}
	return number;
}

void
notice_post(
    struct store *store, int64_t to, const char *subject, const char *text)
{
	struct wire_event event = {.type = EVENT_NOTICE,
	    .time = store->wall,
	    .id = string_of(subject),
	    .text = string_of(text)};
	int64_t unread = 0;

	db_write(store->db);
	if (subject[0] != '\0')
		unread = db_mail_unread(store->db, to, EVENT_NOTICE, subject);
	if (unread != 0)
		db_mail_drop(store->db, to, unread);
	mail_post(store, to, 0, &event);
}

/* The request that an id stands for, in 32 octets. */
static void
digest_of(enum ipc_type type, const struct ipc_send_text *ask,
    const struct ipc_frame *frame, uint8_t out[DB_HASH_LEN])
{
	crypto_hash_sha256_state state;
	unsigned char kind = type == IPC_SEND ? 's' : 'b';

	crypto_hash_sha256_init(&state);
	crypto_hash_sha256_update(&state, &kind, 1);
	crypto_hash_sha256_update(
	    &state, (const unsigned char *)ask->to, strlen(ask->to) + 1);
	crypto_hash_sha256_update(
	    &state, (const unsigned char *)frame->tail, frame->tail_len);
	crypto_hash_sha256_final(&state, out);
}

/* Copies the request; false, and refused, if no worker of ours sends it. */
static bool
take_text(struct store *store, const struct asker *asker,
    const struct ipc_frame *frame, struct ipc_send_text *ask)
{
	memcpy(ask, frame->body, sizeof(*ask));
	if (!IPC_TERMINATED(ask->id) || !IPC_TERMINATED(ask->to) ||
	    !id_valid(ask->id, strlen(ask->id)) || frame->tail_len == 0 ||
	    text_bad_at(frame->tail, frame->tail_len) != -1) {
		refuse(asker, ERR_BAD_REQUEST, NULL);
		return false;
	}
	if (frame->tail_len > (size_t)store->rules.message_bytes) {
		refuse(asker, ERR_TOO_LARGE, NULL);
		return false;
	}
	return true;
}

/*
 * True if the id is that of the same request before: then the reply of that
 * time is in accepted.  Else it is refused: with this error, or, if the id
 * stands for another request, with bad-request.
 */
static bool
said_before(struct store *store, const struct asker *asker, const char *id,
    struct db_accepted *accepted, enum wire_error error)
{
	uint8_t digest[DB_HASH_LEN];

	memcpy(digest, accepted->digest, sizeof(digest));
	if (!db_accepted_find(store->db, asker->user, id, accepted)) {
		refuse(asker, error, NULL);
		return false;
	}
	if (sodium_memcmp(accepted->digest, digest, sizeof(digest)) == 0)
		return true;
	refuse(asker, ERR_BAD_REQUEST, "That id stands for another message.");
	return false;
}

static void
answer_sent(const struct asker *asker, const struct db_accepted *accepted)
{
	struct ipc_sent sent = {
	    .time = accepted->time, .online = accepted->a != 0};

	answer(asker, IPC_SENT, &sent, NULL, 0);
}

static enum wire_error
may_send(struct store *store, const struct asker *asker, const char *to,
    struct db_user *recipient)
{
	struct send_facts facts = {0};

	facts.known = db_user_find(store->db, to, recipient) &&
	    recipient->state != USER_DELETED;
	if (facts.known) {
		facts.blocked =
		    db_block_standing(store->db, recipient->id, asker->user);
		facts.mail_count = recipient->mail_count;
	}
	return rules_send(&store->rules, &facts);
}

void
answer_send(struct store *store, const struct asker *asker,
    const struct ipc_frame *frame)
{
	struct ipc_send_text ask;
	struct db_accepted accepted = {0};
	struct db_user recipient;
	struct wire_event event = {.type = EVENT_MESSAGE, .time = store->wall};
	const struct session *session;
	enum wire_error error;

	if (!take_text(store, asker, frame, &ask))
		return;
	digest_of(IPC_SEND, &ask, frame, accepted.digest);
	accepted.time = store->wall;
	error = may_send(store, asker, ask.to, &recipient);
	if (error == ERR_NONE && db_short(store->db))
		error = ERR_READ_ONLY;
	if (error == ERR_NONE) {
		session = session_by_user(store->sessions, recipient.id);
		accepted.a = session != NULL && session->online != 0;
		db_write(store->db);
	}
	/* A repetition is answered as then, whatever holds now. */
	if (error != ERR_NONE ||
	    !db_accepted_add(store->db, asker->user, ask.id, &accepted)) {
		if (said_before(store, asker, ask.id, &accepted, error))
			answer_sent(asker, &accepted);
		return;
	}
	event.user = string_of(asker->name);
	event.id = string_of(ask.id);
	event.text = (struct wire_string){frame->tail, frame->tail_len};
	mail_post(store, recipient.id, asker->user, &event);
	store->tally.messages++;
	answer_sent(asker, &accepted);
}

static void
answer_spread(const struct asker *asker, const struct db_accepted *accepted)
{
	struct ipc_spread spread = {
	    .reached = accepted->a, .refused = accepted->b};

	answer(asker, IPC_SPREAD, &spread, NULL, 0);
}

struct online_blockers {
	const struct store *store;
	int64_t count;
};

static void
count_online(void *arg, int64_t owner)
{
	struct online_blockers *blockers = arg;
	const struct session *session =
	    session_by_user(blockers->store->sessions, owner);

	if (session != NULL && session->online != 0)
		blockers->count++;
}

/* Who is online, but for the sender and those who block it. */
static int64_t
count_reached(struct store *store, const struct asker *asker)
{
	struct online_blockers blockers = {.store = store};
	const struct session *own =
	    session_by_user(store->sessions, asker->user);
	int64_t online = (int64_t)sessions_online(store->sessions);

	if (own != NULL && own->online != 0)
		online--;
	db_block_owners(store->db, asker->user, count_online, &blockers);
	return online - blockers.count;
}

void
answer_broadcast(struct store *store, const struct asker *asker,
    const struct ipc_frame *frame)
{
	struct ipc_send_text ask;
	struct db_accepted accepted = {0};
	struct wire_event event = {
	    .type = EVENT_BROADCAST, .time = store->wall};
	enum wire_error error = ERR_READ_ONLY;

	if (!take_text(store, asker, frame, &ask))
		return;
	digest_of(IPC_BROADCAST, &ask, frame, accepted.digest);
	accepted.a = count_reached(store, asker);
	accepted.b = db_block_count(store->db, asker->user);
	accepted.time = store->wall;
	if (!db_short(store->db)) {
		db_write(store->db);
		error = ERR_INTERNAL;
	}
	if (error == ERR_READ_ONLY ||
	    !db_accepted_add(store->db, asker->user, ask.id, &accepted)) {
		if (said_before(store, asker, ask.id, &accepted, error))
			answer_spread(asker, &accepted);
		return;
	}
	event.user = string_of(asker->name);
	event.id = string_of(ask.id);
	event.text = (struct wire_string){frame->tail, frame->tail_len};
	db_room_add(store->db, asker->user, 0, &event);
	knock_room(store, asker->user);
	rate_charge(store, asker, BROADCAST_TOKENS - 1);
	store->tally.broadcasts++;
	answer_spread(asker, &accepted);
}
