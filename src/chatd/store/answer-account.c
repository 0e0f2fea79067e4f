/* SPDX-License-Identifier: ISC */
/*
 * The store's answers about accounts: login, register, logout, live,
 * password; and the presence and sessions that follow from them.  A login
 * is charged on the disk before its password goes to the keeper.
 */
#include <stdio.h>
#include <string.h>

#include <sodium.h>

#include "chatd/store/invite.h"
#include "chatd/store/state.h"
#include "lib/log.h"
#include "lib/unix.h"

static const int64_t hour_ms = 60 * 60 * 1000;

void
presence_begin(struct store *store, struct session *session)
{
	struct wire_event event = {.type = EVENT_LOGIN, .time = store->wall};
	enum wire_event_type last_type;
	int64_t last_time, only = 0;
	int64_t last = db_room_presence(
	    store->db, session->user, INT64_MAX, &last_type, &last_time);

	db_write(store->db);
	/*
	 * Soon after a logout both are taken back: who has not read the one
	 * will not read the other, who has is told that it is over.
	 */
	if (last != 0 && last_type == EVENT_LOGOUT &&
	    rules_back_soon(last_time, store->wall)) {
		db_room_drop(store->db, last);
		only = last;
	}
	event.user = string_of(session->name);
	db_room_add(store->db, session->user, only, &event);
	knock_room(store, session->user);
	db_session_online(store->db, session->token, store->wall);
	session_set_online(store->sessions, session, store->wall, store->now);
	expiry_plan(store);
}

void
presence_end(struct store *store, struct session *session, const char *reason)
{
	struct wire_event event = {.type = EVENT_LOGOUT, .time = store->wall};

	db_write(store->db);
	event.user = string_of(session->name);
	event.text = string_of(reason);
	db_room_add(store->db, session->user, 0, &event);
	knock_room(store, session->user);
	beacon_forget(store, session);
	links_over(
	    store, session, wire_hangup_find(reason, strlen(reason)), false);
	db_session_online(store->db, session->token, 0);
	session_set_online(store->sessions, session, 0, store->now);
}

void
session_alive(struct store *store, struct session *session)
{
	/* So that a million who came at once are not written down at once. */
	const int64_t due = 12 * hour_ms +
	    (int64_t)((uint64_t)session->user % 240) * (hour_ms / 60);

	session_heard(store->sessions, session, store->now);
	if (store->wall - session->used > due) {
		session->used = store->wall;
		db_write(store->db);
		db_session_used(store->db, session->token, store->wall);
	}
	if (session->online == 0)
		presence_begin(store, session);
}

void
session_end(struct store *store, struct session *session,
    enum wire_error reason, const char *why, const char *from)
{
	/* So that a client that is there learns of it at once. */
	if (session->path.port != 0)
		beacon_knock(store, session);
	links_over(store, session,
	    why != NULL ? wire_hangup_find(why, strlen(why)) : HANGUP_REPLACED,
	    true);
	if (session->online != 0 && why != NULL)
		presence_end(store, session, why);
	beacon_forget(store, session);
	db_write(store->db);
	db_session_end(store->db, session->token, reason, store->wall, from);
	db_mail_drop_passing(store->db, session->user);
	session_remove(store->sessions, session);
}

void
lockout_save(struct store *store, struct lockout *entry)
{
	struct db_lock row = {.known = entry->known,
	    .failures = entry->lock.failures,
	    .time = store->wall};

	memcpy(row.name, entry->name, sizeof(row.name));
	if (entry->lock.until > store->now)
		row.until = store->wall + (entry->lock.until - store->now);
	else if (entry->lock.until != 0)
		row.until = 1; /* over */
	lockout_touch(store->lockouts, entry);
	db_write(store->db);
	db_lock_put(store->db, &row);
}

static void
lockout_forget(struct store *store, struct lockout *entry)
{
	db_write(store->db);
	db_lock_drop(store->db, entry->name);
	lockout_drop(store->lockouts, entry);
}

/* True, and refused, while the name is locked: costs no hash. */
static bool
locked_out(struct store *store, const struct asker *asker, const char *name)
{
	struct lockout *entry = lockout_find(store->lockouts, name);
	struct ipc_refused refused = {
	    .error = ERR_LOGIN_BLOCKED, .attempts_left = -1};

	if (entry == NULL)
		return false;
	refused.retry_after = lock_remaining(&entry->lock, store->now);
	if (refused.retry_after == 0)
		return false;
	channel_refuse_with(asker->channel, asker->number, &refused, NULL);
	return true;
}

/* Charges the name; the attempts that are left, -1 without memory. */
static int
charge(struct store *store, const char *name, bool known)
{
	char dropped[NAME_MAX_LEN + 1];
	struct lockout *entry =
	    lockout_get(store->lockouts, name, known, store->now, dropped);
	int left;

	if (entry == NULL)
		return -1;
	if (dropped[0] != '\0') {
		db_write(store->db);
		db_lock_drop(store->db, dropped);
	}
	left = lock_charge(&entry->lock, &store->rules, store->now);
	lockout_save(store, entry);
	return left;
}

/* The attempt was never judged: as if it had not been made. */
static void
refund(struct store *store, const char *name)
{
	struct lockout *entry = lockout_find(store->lockouts, name);

	if (entry == NULL)
		return;
	lock_refund(&entry->lock, &store->rules);
	/* Nor may it push others out, which costs a hash each. */
	if (entry->lock.failures == 0)
		lockout_forget(store, entry);
	else
		lockout_save(store, entry);
}

/* Success: only what is still being judged stays charged. */
static void
forgive(struct store *store, const struct job *job)
{
	struct lockout *entry = lockout_find(store->lockouts, job->name);
	int under_way;

	if (entry == NULL)
		return;
	under_way = jobs_for_name(store, job->name, job);
	if (under_way == 0) {
		lockout_forget(store, entry);
		return;
	}
	lock_clear(&entry->lock, under_way);
	lockout_save(store, entry);
}

/*
 * A job that will answer this asker; NULL, and refused, if all are taken, or
 * those that strangers may have.
 */
static struct job *
judge(struct store *store, const struct asker *asker, const char *name,
    job_fn *done)
{
	bool strange = !asker->channel->known && asker->user == 0;
	struct job *job = NULL;

	if (!strange || jobs_strange(store) < JOBS_STRANGE)
		job = job_new(store, done);
	if (job == NULL) {
		refuse(asker, ERR_BUSY, NULL);
		return NULL;
	}
	job->strange = strange;
	job->channel = asker->channel;
	job->channel_number = asker->number;
	job->from = asker->channel->from;
	snprintf(job->name, sizeof(job->name), "%s", name);
	return job;
}

static void
tell_session_of_failures(struct store *store, const struct job *job)
{
	struct db_user user;
	char from[IPC_ADDRESS_LEN], text[160];

	if (session_by_user(store->sessions, job->user) == NULL ||
	    !db_user_get(store->db, job->user, &user))
		return;
	/* Of the job: hanging up before the verdict hides nobody. */
	ipc_address_text(&job->from, from);
	snprintf(text, sizeof(text),
	    "%d failed login%s for your account, the last from %s.",
	    user.failed, user.failed == 1 ? "" : "s", from);
	notice_post(store, job->user, "failed-logins", text);
}

/*
 * Wrong: the charge stays, and an open session hears of it.  It is written
 * again for any name: else the time that the commit takes would tell who
 * exists, and so would the order in which they are forgotten.
 */
static void
judged_wrong(struct store *store, struct job *job)
{
	struct lockout *entry = lockout_find(store->lockouts, job->name);
	struct ipc_refused refused = {
	    .error = ERR_LOGIN_FAILED, .attempts_left = job->left};

	db_write(store->db);
	if (job->user != 0) {
		db_user_failed(store->db, job->user);
		tell_session_of_failures(store, job);
	}
	if (entry != NULL)
		lockout_save(store, entry);
	/* A success in between may have opened what this one had locked. */
	if (refused.attempts_left == 0)
		refused.attempts_left =
		    lock_left(entry != NULL ? &entry->lock : NULL,
			&store->rules, store->now);
	proof_failed(store, &job->from, job->name, refused.attempts_left == 0);
	if (refused.attempts_left == 0) {
		store->tally.lockouts++;
		log_info("%s is locked after %d failed logins", job->name,
		    store->rules.attempts);
	}
	job_refuse(store, job, &refused);
}

/* False, and answered, unless the password was right. */
static bool
judged_right(
    struct store *store, struct job *job, const struct ipc_verdict *verdict)
{
	enum wire_error error = ERR_INTERNAL;

	switch (verdict->verdict) {
	case VERDICT_YES:
		return true;
	case VERDICT_NO:
		judged_wrong(store, job);
		return false;
	case VERDICT_BUSY:
		error = ERR_BUSY;
		break;
	default:
		break;
	}
	/* Nothing was learned about the password. */
	if (job->type != IPC_HASH)
		refund(store, job->name);
	if (job->channel != NULL)
		channel_refuse(job->channel, job->channel_number, error, NULL);
	return false;
}

static void
make_token(char token[WIRE_TOKEN_LEN + 1])
{
	unsigned char octets[32];

	random_fill(octets, sizeof(octets));
	sodium_bin2base64(token, WIRE_TOKEN_LEN + 1, octets, sizeof(octets),
	    sodium_base64_VARIANT_URLSAFE_NO_PADDING);
	ipc_wipe(octets, sizeof(octets));
}

/*
 * One session per user: the old one, if there is one, ends, and its token
 * will tell from where.  Gives since when the user was online, which goes on.
 */
static int64_t
take_over(
    struct store *store, struct session *old, const struct ipc_address *from)
{
	char address[IPC_ADDRESS_LEN];
	int64_t online;

	if (old == NULL)
		return 0;
	online = old->online;
	ipc_address_text(from, address);
	log_debug("%s logs in again from %s", old->name, address);
	session_end(store, old, ERR_SESSION_REPLACED, NULL, address);
	return online;
}

/* False if there is no memory; then nothing was written. */
static bool
make_session(struct store *store, const struct db_user *user,
    const struct job *job, uint64_t *beacon, char token[WIRE_TOKEN_LEN + 1])
{
	const struct ipc_address *from = &job->channel->from;
	struct db_session row = {.user = user->id,
	    .from = *from,
	    .since = store->wall,
	    .used = store->wall,
	    .mail_head = user->mail_head,
	    .login_room = db_room_head(store->db),
	    .peer = job->peer};
	struct session *old = session_by_user(store->sessions, user->id);
	struct session *session;

	make_token(token);
	token_hash(token, row.token);
	memcpy(row.name, user->name, sizeof(row.name));
	if (store->beacons.ports != NULL)
		row.beacon = job->beacon;
	/* The only step that may fail comes first. */
	session = session_add(store->sessions, &row, store->now);
	if (session == NULL)
		return false;
	proof_given(store, job->channel, user->id);
	row.online = take_over(store, old, from);
	if (row.online != 0)
		session_set_online(
		    store->sessions, session, row.online, store->now);
	*beacon = row.beacon.id = session->beacon;
	db_write(store->db);
	db_session_add(store->db, &row);
	ipc_wipe(&row.beacon, sizeof(row.beacon));
	db_user_login(store->db, user->id, store->wall);
	if (session->online == 0)
		presence_begin(store, session);
	expiry_plan(store);
	return true;
}

static void
welcome(struct store *store, const struct job *job, const struct db_user *user,
    const char *token, uint64_t beacon)
{
	struct ipc_welcome welcome = {.beacon = beacon,
	    .mail = user->mail_ack,
	    .room = user->room_ack,
	    .last_login = user->last_login,
	    .failed_attempts = user->failed};

	snprintf(welcome.token, sizeof(welcome.token), "%s", token);
	memcpy(welcome.user, user->name, sizeof(welcome.user));
	memcpy(welcome.epoch, store->epoch, sizeof(welcome.epoch));
	welcome.room_spread =
	    rules_room_spread((int64_t)sessions_online(store->sessions));
	store->tally.logins++;
	channel_answer(
	    job->channel, IPC_WELCOME, job->channel_number, &welcome, NULL, 0);
	ipc_wipe(&welcome, sizeof(welcome));
}

/*
 * False, and refused, unless the account is still as it was when its
 * password went to the keeper: a verdict on a hash that has been replaced
 * since then opens nothing.
 */
static bool
still_valid(struct store *store, const struct job *job, const char *hash,
    struct db_user *user)
{
	bool there = db_user_get(store->db, job->user, user) &&
	    user->state == USER_ACTIVE;

	if (there && strcmp(user->hash, hash) == 0)
		return true;
	if (job->channel == NULL)
		return false;
	if (there)
		channel_refuse(
		    job->channel, job->channel_number, ERR_BUSY, NULL);
	else
		channel_refuse(job->channel, job->channel_number,
		    ERR_NOT_ALLOWED,
		    "The administrator has locked this account.");
	return false;
}

static void
login_done(
    struct store *store, struct job *job, const struct ipc_verdict *verdict)
{
	char token[WIRE_TOKEN_LEN + 1] = "";
	uint64_t beacon = 0;
	struct db_user user;

	if (!judged_right(store, job, verdict))
		return;
	forgive(store, job);
	if (job->channel == NULL)
		return;
	if (!still_valid(store, job, job->ask.check.hash, &user))
		return;
	if (job->brief) {
		job->channel->brief = user.id;
		proof_given(store, job->channel, user.id);
	} else if (!make_session(store, &user, job, &beacon, token)) {
		channel_refuse(
		    job->channel, job->channel_number, ERR_INTERNAL, NULL);
		return;
	}
	welcome(store, job, &user, token, beacon);
	ipc_wipe(token, sizeof(token));
}

/* What a worker of ours does not send. */
static bool
is_folded(const char *name, size_t size)
{
	char folded[NAME_MAX_LEN + 1];

	return memchr(name, 0, size) != NULL &&
	    name_fold(name, strlen(name), folded) && strcmp(name, folded) == 0;
}

/* Nor a place for private links that is none. */
static bool
is_peer(const struct ipc_peer *peer)
{
	const char *key = peer->fingerprint;

	if (!IPC_TERMINATED(peer->fingerprint))
		return false;
	return key[0] == '\0' ? peer->port == 0
			      : wire_fingerprint_valid(key, strlen(key)) &&
		(peer->port == 0 || peer->port >= 1024);
}

void
answer_login(struct store *store, const struct asker *asker,
    const struct ipc_frame *frame)
{
	const struct ipc_login *ask = frame->body;
	struct db_user user = {0};
	struct job *job;

	if (!is_folded(ask->user, sizeof(ask->user)) ||
	    !IPC_TERMINATED(ask->password) || !is_peer(&ask->peer)) {
		refuse(asker, ERR_BAD_REQUEST, NULL);
		return;
	}
	if (locked_out(store, asker, ask->user))
		return;
	job = judge(store, asker, ask->user, login_done);
	if (job == NULL)
		return;
	if (!db_user_find(store->db, ask->user, &user) ||
	    user.state == USER_DELETED)
		memset(&user, 0, sizeof(user));
	job->left = charge(store, ask->user, user.id != 0);
	if (job->left == -1) {
		job_drop(store, job);
		refuse(asker, ERR_INTERNAL, NULL);
		return;
	}
	job->type = IPC_CHECK;
	job->user = user.id;
	job->brief = ask->brief != 0;
	job->beacon = ask->beacon;
	job->peer = ask->peer;
	memcpy(job->ask.check.hash, user.hash, sizeof(user.hash));
	memcpy(job->ask.check.password, ask->password, sizeof(ask->password));
	job_start(job);
}

/*
 * NULL, or why nobody may register, or nobody with this code.  The words are
 * the same whatever is wrong with it, and it comes before a name is looked at.
 */
static const char *
may_register(struct store *store, const uint8_t invite[DB_HASH_LEN])
{
	switch ((enum registration)store->rules.registration) {
	case REGISTRATION_OPEN:
		return NULL;
	case REGISTRATION_INVITE:
		if (db_invite_holds(store->db, invite, store->wall))
			return NULL;
		return "An invitation is needed to register, and one that is "
		       "neither used up nor expired nor revoked.";
	default:
		return "Registration is closed; ask the administrator.";
	}
}

static void
register_done(
    struct store *store, struct job *job, const struct ipc_verdict *verdict)
{
	const char *refusal;
	struct lockout *entry;
	struct db_user user;

	if (!judged_right(store, job, verdict) || job->channel == NULL)
		return;
	refusal = may_register(store, job->invite);
	if (refusal != NULL) {
		channel_refuse(job->channel, job->channel_number,
		    ERR_NOT_ALLOWED, refusal);
		return;
	}
	if (db_user_find(store->db, job->name, &user)) {
		channel_refuse(
		    job->channel, job->channel_number, ERR_EXISTS, NULL);
		return;
	}
	/* What was charged to the name as one that nobody has is over. */
	entry = lockout_find(store->lockouts, job->name);
	if (entry != NULL)
		lockout_forget(store, entry);
	db_write(store->db);
	/* In one transaction with the account. */
	if (store->rules.registration == REGISTRATION_INVITE)
		db_invite_spend(store->db, job->invite, store->wall);
	else
		proof_registered(store, &job->from);
	db_user_add(store->db, job->name, verdict->hash, store->wall,
	    db_room_head(store->db));
	log_info("%s has registered", job->name);
	channel_answer(job->channel, IPC_DONE, job->channel_number,
	    &(struct ipc_none){0}, NULL, 0);
}

void
answer_register(struct store *store, const struct asker *asker,
    const struct ipc_frame *frame)
{
	const struct ipc_register *ask = frame->body;
	uint8_t invite[DB_HASH_LEN];
	const char *refusal;
	struct db_user user;
	struct job *job;

	if (!is_folded(ask->user, sizeof(ask->user)) ||
	    !IPC_TERMINATED(ask->password) || ask->password[0] == '\0' ||
	    !IPC_TERMINATED(ask->invite)) {
		refuse(asker, ERR_BAD_REQUEST, NULL);
		return;
	}
	/* What is no code has a hash as well, of nothing that was given out. */
	invite_hash(ask->invite, invite);
	refusal = may_register(store, invite);
	if (refusal != NULL) {
		refuse(asker, ERR_NOT_ALLOWED, refusal);
		return;
	}
	if (db_user_find(store->db, ask->user, &user)) {
		refuse(asker, ERR_EXISTS, NULL);
		return;
	}
	if (db_short(store->db)) {
		refuse(asker, ERR_READ_ONLY, NULL);
		return;
	}
	job = judge(store, asker, ask->user, register_done);
	if (job == NULL)
		return;
	job->type = IPC_HASH;
	memcpy(job->invite, invite, sizeof(job->invite));
	memcpy(job->ask.hash.password, ask->password, sizeof(ask->password));
	job_start(job);
}

void
answer_logout(struct store *store, const struct asker *asker,
    const struct ipc_frame *frame)
{
	(void)frame;
	beacon_forget(store, asker->session); /* it knows */
	session_end(store, asker->session, ERR_SESSION_EXPIRED, "asked", "");
	answer_done(asker);
}

void
answer_live(struct store *store, const struct asker *asker,
    const struct ipc_frame *frame)
{
	struct ipc_heads heads = {
	    .mail = asker->session->mail_head, .room = db_room_head(store->db)};

	(void)frame;
	memcpy(heads.epoch, store->epoch, sizeof(heads.epoch));
	answer(asker, IPC_HEADS, &heads, NULL, 0);
}

static void
password_done(
    struct store *store, struct job *job, const struct ipc_verdict *verdict)
{
	struct session *session;
	struct db_user user;

	if (!judged_right(store, job, verdict) ||
	    !still_valid(store, job, job->ask.change.hash, &user))
		return;
	forgive(store, job);
	db_write(store->db);
	db_user_hash(store->db, job->user, verdict->hash);
	/* Other logins of the user end; the one that asked goes on. */
	for (struct channel *each = store->channels; each != NULL;
	     each = each->next)
		if (each->brief == job->user && each != job->channel)
			each->brief = 0;
	session = session_by_user(store->sessions, job->user);
	if (session != NULL) {
		uint8_t hash[DB_HASH_LEN];

		token_hash(job->auth.token, hash);
		if (sodium_memcmp(hash, session->token, DB_HASH_LEN) != 0)
			session_end(
			    store, session, ERR_SESSION_EXPIRED, "removed", "");
	}
	log_info("%s has a new password", job->name);
	if (job->channel != NULL)
		channel_answer(job->channel, IPC_DONE, job->channel_number,
		    &(struct ipc_none){0}, NULL, 0);
}

void
answer_password(struct store *store, const struct asker *asker,
    const struct ipc_frame *frame)
{
	const struct ipc_password *ask = frame->body;
	struct db_user user;
	struct job *job;

	if (!IPC_TERMINATED(ask->old) || !IPC_TERMINATED(ask->new) ||
	    ask->new[0] == '\0') {
		refuse(asker, ERR_BAD_REQUEST, NULL);
		return;
	}
	if (locked_out(store, asker, asker->name))
		return;
	if (!db_user_get(store->db, asker->user, &user)) {
		refuse(asker, ERR_SESSION_EXPIRED, NULL);
		return;
	}
	job = judge(store, asker, asker->name, password_done);
	if (job == NULL)
		return;
	job->left = charge(store, asker->name, true);
	if (job->left == -1) {
		job_drop(store, job);
		refuse(asker, ERR_INTERNAL, NULL);
		return;
	}
	job->type = IPC_CHANGE;
	job->user = asker->user;
	job->auth = ask->auth;
	memcpy(job->ask.change.hash, user.hash, sizeof(user.hash));
	memcpy(job->ask.change.old, ask->old, sizeof(ask->old));
	memcpy(job->ask.change.new, ask->new, sizeof(ask->new));
	job_start(job);
}
