/* SPDX-License-Identifier: ISC */
/*
 * The administrator's commands on accounts and sessions.  Part of the store;
 * lists come in pages, so that no number of users makes it wait.
 */
#include <string.h>

#include "chatd/store/control-parts.h"
#include "lib/log.h"

/* A user that was not deleted; false, and refused, if there is none. */
static bool
find_user(struct admins *admins, struct admin *admin, const json_t *request,
    struct db_user *user)
{
	char name[NAME_MAX_LEN + 1];

	if (!control_name(admin, request, name))
		return false;
	if (db_user_find(admins->store->db, name, user) &&
	    user->state != USER_DELETED)
		return true;
	control_refuse(admin, request, ERR_NO_SUCH_USER, NULL);
	return false;
}

/* Whatever was proved with the user's password holds no more. */
static bool
end_logins(struct store *store, int64_t user)
{
	struct session *session = session_by_user(store->sessions, user);

	for (struct channel *each = store->channels; each != NULL;
	     each = each->next)
		if (each->brief == user)
			each->brief = 0;
	if (session == NULL)
		return false;
	session_end(store, session, ERR_SESSION_EXPIRED, "removed", "");
	return true;
}

/* Nothing is charged to the name any more. */
static void
clear_lock(struct store *store, const char *name)
{
	struct lockout *entry = lockout_find(store->lockouts, name);

	db_write(store->db);
	db_lock_drop(store->db, name);
	if (entry != NULL)
		lockout_drop(store->lockouts, entry);
}

static void
refuse_hashed(const struct hashing *hashing, enum wire_error error)
{
	pending_reply(
	    &hashing->pending, wire_refuse(hashing->pending.tag, error, NULL));
}

static void
accept_hashed(const struct hashing *hashing)
{
	json_t *reply = wire_accept(hashing->pending.tag);

	if (reply != NULL)
		json_object_set_new(reply, "user", json_string(hashing->name));
	pending_reply(&hashing->pending, reply);
}

static void
add_hashed(
    struct admins *admins, const struct hashing *hashing, const char *hash)
{
	struct store *store = admins->store;
	struct db_user user;

	/* Somebody may have been quicker. */
	if (db_user_find(store->db, hashing->name, &user)) {
		refuse_hashed(hashing, ERR_EXISTS);
		return;
	}
	clear_lock(store, hashing->name);
	db_user_add(store->db, hashing->name, hash, store->wall,
	    db_room_head(store->db));
	log_info("administrator: added user %s", hashing->name);
	accept_hashed(hashing);
}

/* A name for a new user; false, and refused, if it cannot be had. */
static bool
find_free(struct admins *admins, struct admin *admin, const json_t *request,
    char name[NAME_MAX_LEN + 1])
{
	struct db_user user;

	if (!control_name(admin, request, name))
		return false;
	if (!db_user_find(admins->store->db, name, &user))
		return true;
	control_refuse(admin, request, ERR_EXISTS,
	    user.state == USER_DELETED
		? "That name was deleted, and is not used again."
		: NULL);
	return false;
}

void
control_user_add(
    struct admins *admins, struct admin *admin, const json_t *request)
{
	char name[NAME_MAX_LEN + 1];

	if (find_free(admins, admin, request, name))
		hash_begin(admins, admin, request, name, add_hashed);
}

/* Could that user be added?  The reply has the name as it would be. */
void
control_user_check(
    struct admins *admins, struct admin *admin, const json_t *request)
{
	char name[NAME_MAX_LEN + 1];
	json_t *reply;

	if (!find_free(admins, admin, request, name))
		return;
	reply = wire_accept(json_object_get(request, "tag"));
	if (reply != NULL)
		json_object_set_new(reply, "user", json_string(name));
	control_reply(admin, reply);
}

static void
passwd_hashed(
    struct admins *admins, const struct hashing *hashing, const char *hash)
{
	struct store *store = admins->store;
	struct db_user user;

	if (!db_user_find(store->db, hashing->name, &user) ||
	    user.state == USER_DELETED) {
		refuse_hashed(hashing, ERR_NO_SUCH_USER);
		return;
	}
	clear_lock(store, user.name);
	db_user_hash(store->db, user.id, hash);
	end_logins(store, user.id);
	log_info("administrator: new password for %s", user.name);
	accept_hashed(hashing);
}

void
control_user_passwd(
    struct admins *admins, struct admin *admin, const json_t *request)
{
	struct db_user user;

	if (find_user(admins, admin, request, &user))
		hash_begin(admins, admin, request, user.name, passwd_hashed);
}

/* Done, to this user. */
static void
accept_user(
    struct admin *admin, const json_t *request, const struct db_user *user)
{
	json_t *reply = wire_accept(json_object_get(request, "tag"));

	if (reply != NULL)
		json_object_set_new(reply, "user", json_string(user->name));
	control_reply(admin, reply);
}

void
control_user_delete(
    struct admins *admins, struct admin *admin, const json_t *request)
{
	struct store *store = admins->store;
	struct db_user user;

	if (!find_user(admins, admin, request, &user))
		return;
	clear_lock(store, user.name);
	end_logins(store, user.id);
	db_user_delete(store->db, user.id);
	log_info("administrator: deleted user %s", user.name);
	accept_user(admin, request, &user);
}

void
control_user_lock(
    struct admins *admins, struct admin *admin, const json_t *request)
{
	struct store *store = admins->store;
	struct db_user user;

	if (!find_user(admins, admin, request, &user))
		return;
	db_write(store->db);
	db_user_state(store->db, user.id, USER_LOCKED);
	end_logins(store, user.id);
	log_info("administrator: locked user %s", user.name);
	accept_user(admin, request, &user);
}

void
control_user_unlock(
    struct admins *admins, struct admin *admin, const json_t *request)
{
	struct store *store = admins->store;
	struct db_user user;

	if (!find_user(admins, admin, request, &user))
		return;
	clear_lock(store, user.name);
	db_user_state(store->db, user.id, USER_ACTIVE);
	log_info("administrator: unlocked user %s", user.name);
	accept_user(admin, request, &user);
}

/* The member "after", folded; false, and refused, if it is no name. */
static bool
page_begin(
    struct admin *admin, const json_t *request, char after[NAME_MAX_LEN + 1])
{
	const char *from = wire_get_string(request, "after");

	after[0] = '\0';
	if (from == NULL || from[0] == '\0' ||
	    name_fold(from, strlen(from), after))
		return true;
	control_refuse(admin, request, ERR_BAD_REQUEST, NULL);
	return false;
}

static json_t *
user_row(struct store *store, const struct db_user *user)
{
	static const char *const states[] = {"active", "locked", "deleted"};
	const struct session *session =
	    session_by_user(store->sessions, user->id);
	const struct lockout *lockout =
	    lockout_find(store->lockouts, user->name);
	json_t *row = json_object();

	if (row == NULL)
		return NULL;
	json_object_set_new(row, "user", json_string(user->name));
	json_object_set_new(row, "state", json_string(states[user->state]));
	control_time(row, "created", user->created);
	control_time(row, "last_login", user->last_login);
	control_time(
	    row, "online_since", session != NULL ? session->online : 0);
	json_object_set_new(row, "mail", json_integer(user->mail_count));
	json_object_set_new(row, "blocked_seconds",
	    json_integer(lockout != NULL
		    ? lock_remaining(&lockout->lock, store->now)
		    : 0));
	return row;
}

void
control_user_list(
    struct admins *admins, struct admin *admin, const json_t *request)
{
	struct store *store = admins->store;
	bool all = wire_get_bool(request, "all");
	int looked = 0, most = control_page(request);
	char after[NAME_MAX_LEN + 1];
	struct db_user user;
	json_t *rows;
	bool more = true;

	if (!page_begin(admin, request, after))
		return;
	rows = json_array();
	while (looked++ < LOOK_MAX && json_array_size(rows) < (size_t)most) {
		more = db_user_next(store->db, after, &user) == 1;
		if (!more)
			break;
		memcpy(after, user.name, sizeof(after));
		if (all || user.state != USER_DELETED)
			json_array_append_new(rows, user_row(store, &user));
	}
	control_rows(admin, request, "users", rows, after, more);
}

static json_t *
session_row(struct store *store, const struct session *session)
{
	char address[IPC_ADDRESS_LEN];
	json_t *row = json_object();

	if (row == NULL)
		return NULL;
	ipc_address_text(&session->from, address);
	json_object_set_new(row, "user", json_string(session->name));
	json_object_set_new(row, "address", json_string(address));
	json_object_set_new(row, "port", json_integer(session->from.port));
	json_object_set_new(row, "online", json_boolean(session->online != 0));
	control_time(row, "since", session->login);
	/* Without a master nobody listens: silence means nothing. */
	control_time(row, "heard",
	    store->master != -1 ? store->wall - (store->now - session->heard)
				: 0);
	return row;
}

/* The next session by name among those online; all: of every user. */
static const struct session *
session_next(
    struct store *store, bool all, char after[NAME_MAX_LEN + 1], bool *more)
{
	const struct session *session;
	struct db_user user;

	if (!all) {
		session = sessions_after(store->sessions, after);
		*more = session != NULL;
		if (session != NULL)
			memcpy(after, session->name, NAME_MAX_LEN + 1);
		return session;
	}
	*more = db_user_next(store->db, after, &user) == 1;
	if (!*more)
		return NULL;
	memcpy(after, user.name, NAME_MAX_LEN + 1);
	return session_by_user(store->sessions, user.id);
}

void
control_session_list(
    struct admins *admins, struct admin *admin, const json_t *request)
{
	struct store *store = admins->store;
	bool more = true, all = wire_get_bool(request, "all");
	int looked = 0, most = control_page(request);
	char after[NAME_MAX_LEN + 1];
	const struct session *session;
	json_t *rows;

	if (!page_begin(admin, request, after))
		return;
	rows = json_array();
	while (more && looked++ < LOOK_MAX &&
	    json_array_size(rows) < (size_t)most) {
		session = session_next(store, all, after, &more);
		if (session != NULL)
			json_array_append_new(
			    rows, session_row(store, session));
	}
	control_rows(admin, request, "sessions", rows, after, more);
}

void
control_session_end(
    struct admins *admins, struct admin *admin, const json_t *request)
{
	struct db_user user;

	if (!find_user(admins, admin, request, &user))
		return;
	if (!end_logins(admins->store, user.id)) {
		control_refuse(
		    admin, request, ERR_OFFLINE, "The user has no session.");
		return;
	}
	log_info("administrator: ended the session of %s", user.name);
	accept_user(admin, request, &user);
}
