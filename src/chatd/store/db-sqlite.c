/* SPDX-License-Identifier: ISC */
/*
 * The SQLite backend: opening, statements, users, sessions, locks, accepted
 * ids (its tables are in db-sqlite-schema.c).  WAL with synchronous=FULL: what
 * was committed survives a power cut.  Used by the store alone, which holds
 * the file exclusively.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>
#include <sys/stat.h>

#include "chatd/store/db-sqlite.h"
#include "lib/log.h"
#include "lib/unix.h"

static const char *const statement_text[SQL_COUNT] = {
#define X(name, text) text,
    STATEMENTS(X)
#undef X
};

/* What was not committed was not acknowledged: ending loses nothing. */
_Noreturn void
sql_broken(struct db *db, const char *what)
{
	int code = sqlite3_errcode(db->sqlite);

	if (code == SQLITE_CORRUPT || code == SQLITE_NOTADB)
		fatal(EX_DATAERR,
		    "the database is damaged (%s: %s); stop chatd and restore "
		    "a backup: chatctl restore FILE",
		    sqlite3_errmsg(db->sqlite), what);
	fatal(EX_IOERR, "database: %s: %s", what, sqlite3_errmsg(db->sqlite));
}

static void
bind_one(sqlite3_stmt *statement, int at, char type, va_list *args)
{
	const struct wire_string *string;
	const void *octets;

	switch (type) {
	case 'i':
		sqlite3_bind_int64(statement, at, va_arg(*args, int64_t));
		break;
	case 't':
		sqlite3_bind_text(statement, at, va_arg(*args, const char *),
		    -1, SQLITE_TRANSIENT);
		break;
	case 's':
		string = va_arg(*args, const struct wire_string *);
		sqlite3_bind_text(statement, at,
		    string->s != NULL ? string->s : "", (int)string->len,
		    SQLITE_TRANSIENT);
		break;
	case 'k':
		octets = va_arg(*args, const void *);
		sqlite3_bind_blob(statement, at, octets,
		    sizeof(struct beacon_keys), SQLITE_TRANSIENT);
		break;
	default: /* h, a */
		octets = va_arg(*args, const void *);
		sqlite3_bind_blob(statement, at, octets,
		    type == 'h' ? DB_HASH_LEN : 16, SQLITE_TRANSIENT);
		break;
	}
}

sqlite3_stmt *
sql(struct db *db, enum statement which, const char *types, ...)
{
	sqlite3_stmt **at = &db->prepared[which];
	va_list args;

	if (*at == NULL &&
	    sqlite3_prepare_v3(db->sqlite, statement_text[which], -1,
		SQLITE_PREPARE_PERSISTENT, at, NULL) != SQLITE_OK)
		sql_broken(db, statement_text[which]);
	sqlite3_reset(*at);
	va_start(args, types);
	for (int i = 0; types[i] != '\0'; i++)
		bind_one(*at, i + 1, types[i], &args);
	va_end(args);
	return *at;
}

int
sql_step(struct db *db, sqlite3_stmt *statement)
{
	switch (sqlite3_step(statement)) {
	case SQLITE_ROW:
		return 1;
	case SQLITE_DONE:
		sqlite3_reset(statement);
		return 0;
	default:
		sql_broken(db, sqlite3_sql(statement));
	}
}

void
sql_run(struct db *db, sqlite3_stmt *statement)
{
	while (sql_step(db, statement))
		continue;
}

int64_t
sql_number(struct db *db, sqlite3_stmt *statement)
{
	int64_t number = 0;

	if (sql_step(db, statement)) {
		number = sqlite3_column_int64(statement, 0);
		sql_run(db, statement);
	}
	return number;
}

void
sql_text(sqlite3_stmt *statement, int column, char *out, size_t size)
{
	const char *text = (const char *)sqlite3_column_text(statement, column);

	snprintf(out, size, "%s", text != NULL ? text : "");
}

void
sql_script(struct db *db, const char *text)
{
	if (sqlite3_exec(db->sqlite, text, NULL, NULL, NULL) != SQLITE_OK)
		sql_broken(db, "setting up");
}

static bool
has_tables(struct db *db)
{
	sqlite3_stmt *statement;
	bool found;

	if (sqlite3_prepare_v2(db->sqlite,
		"SELECT 1 FROM sqlite_master WHERE name = 'meta'", -1,
		&statement, NULL) != SQLITE_OK)
		return false;
	found = sqlite3_step(statement) == SQLITE_ROW;
	sqlite3_finalize(statement);
	return found;
}

/* Opens the file itself; the first read tells whether it is a database. */
static int
open_file(struct db *db, const char *path, int *status, char why[256])
{
	static const char first[] = "PRAGMA locking_mode = EXCLUSIVE;"
				    "PRAGMA temp_store = MEMORY;"
				    "PRAGMA journal_mode = WAL;"
				    "PRAGMA synchronous = FULL;"
				    "PRAGMA temp_store = MEMORY;"
				    "PRAGMA wal_autocheckpoint = 0;"
				    "SELECT count(*) FROM sqlite_master";
	int code;

	sqlite3_initialize();
	if (disk_database(path, &db->sqlite, db->reserve) == SQLITE_OK &&
	    sqlite3_exec(db->sqlite, first, NULL, NULL, NULL) == SQLITE_OK)
		return 0;
	code = sqlite3_errcode(db->sqlite);
	if (code == SQLITE_CANTOPEN || code == SQLITE_READONLY)
		*status = EX_CANTCREAT;
	else if (code == SQLITE_NOTADB || code == SQLITE_CORRUPT)
		*status = EX_DATAERR;
	else
		*status = EX_IOERR;
	snprintf(why, 256, "%.128s: %s%s", path, sqlite3_errmsg(db->sqlite),
	    *status == EX_DATAERR ? "; restore a backup: chatctl restore FILE"
				  : "");
	return -1;
}

/*
 * True, with why, for a database without content beside the reserve of one
 * that had some: what is gone is not made anew without a word.
 */
static bool
is_emptied(const char *directory, const char *path, char why[256])
{
	char reserve[4096];
	struct stat ours, beside;

	snprintf(reserve, sizeof(reserve), "%s/chatd.reserve", directory);
	if (stat(path, &ours) == -1 || ours.st_size > 0 ||
	    stat(reserve, &beside) == -1 || beside.st_size == 0)
		return false;
	snprintf(why, 256,
	    "%.128s has lost its content; restore a backup: chatctl restore "
	    "FILE (for a new one remove chatd.reserve)",
	    path);
	return true;
}

struct db *
db_open(const char *directory, int *status, char why[256])
{
	struct db *db = calloc(1, sizeof(*db));
	char path[4096];
	int64_t version;

	if (db == NULL) {
		*status = EX_OSERR;
		snprintf(why, 256, "out of memory");
		return NULL;
	}
	snprintf(path, sizeof(path), "%s/chatd.db", directory);
	if (is_emptied(directory, path, why)) {
		*status = EX_DATAERR;
		db_close(db);
		return NULL;
	}
	db->reserve = reserve_open(directory);
	if (db->reserve == NULL) {
		*status = EX_OSERR;
		snprintf(why, 256, "out of memory");
		db_close(db);
		return NULL;
	}
	if (open_file(db, path, status, why) == -1) {
		db_close(db);
		return NULL;
	}
	if (!has_tables(db))
		schema_create(db);
	version = db_meta(db, "version");
	if (version < 1 || version > DB_VERSION) {
		*status = EX_DATAERR;
		snprintf(why, 256,
		    "%.128s is of version %" PRId64 ", this program knows only"
		    " %d; install the newer chatd (nothing was changed)",
		    path, version, DB_VERSION);
		db_close(db);
		return NULL;
	}
	if (space_begin(db, path, status, why) == -1 ||
	    (version < DB_VERSION &&
		schema_migrate(db, path, (int)version, status, why) == -1)) {
		db_close(db);
		return NULL;
	}
	db->room_head = db_meta(db, "room_head");
	db->room_tail = db_meta(db, "room_tail");
	return db;
}

void
db_close(struct db *db)
{
	if (db == NULL)
		return;
	for (int i = 0; i < SQL_COUNT; i++)
		sqlite3_finalize(db->prepared[i]);
	space_end(db);
	sqlite3_close(db->sqlite);
	reserve_close(db->reserve);
	free(db);
}

void
db_write(struct db *db)
{
	if (db->writing)
		return;
	sql_run(db, sql(db, SQL_BEGIN, ""));
	db->writing = true;
}

bool
db_writing(const struct db *db)
{
	return db->writing;
}

void
db_commit(struct db *db)
{
	if (!db->writing)
		return;
	sql_run(db, sql(db, SQL_COMMIT, ""));
	db->writing = false;
	if (db->roomy)
		db_refill(db);
}

int
db_meta_text(struct db *db, const char *key, char *out, size_t size)
{
	sqlite3_stmt *row = sql(db, SQL_META_GET, "t", key);

	if (size > 0)
		out[0] = '\0';
	if (!sql_step(db, row))
		return 0;
	sql_text(row, 0, out, size);
	sql_run(db, row);
	return 1;
}

void
db_meta_text_set(struct db *db, const char *key, const char *value)
{
	sql_run(db, sql(db, SQL_META_SET, "tt", key, value));
}

int64_t
db_meta(struct db *db, const char *key)
{
	return sql_number(db, sql(db, SQL_META_GET, "t", key));
}

void
db_meta_set(struct db *db, const char *key, int64_t value)
{
	char text[24];

	snprintf(text, sizeof(text), "%" PRId64, value);
	db_meta_text_set(db, key, text);
}

static int
take_user(struct db *db, sqlite3_stmt *row, struct db_user *user)
{
	if (!sql_step(db, row))
		return 0;
	user->id = sqlite3_column_int64(row, 0);
	sql_text(row, 1, user->name, sizeof(user->name));
	sql_text(row, 2, user->hash, sizeof(user->hash));
	user->state = sqlite3_column_int(row, 3);
	user->created = sqlite3_column_int64(row, 4);
	user->last_login = sqlite3_column_int64(row, 5);
	user->failed = sqlite3_column_int(row, 6);
	user->mail_head = sqlite3_column_int64(row, 7);
	user->mail_count = sqlite3_column_int64(row, 8);
	user->mail_ack = sqlite3_column_int64(row, 9);
	user->room_ack = sqlite3_column_int64(row, 10);
	sqlite3_reset(row);
	return 1;
}

int
db_user_find(struct db *db, const char *name, struct db_user *user)
{
	return take_user(db, sql(db, SQL_USER_FIND, "t", name), user);
}

int
db_user_get(struct db *db, int64_t id, struct db_user *user)
{
	return take_user(db, sql(db, SQL_USER_GET, "i", id), user);
}

int
db_user_next(struct db *db, const char *after, struct db_user *user)
{
	return take_user(db, sql(db, SQL_USER_NEXT, "t", after), user);
}

int64_t
db_user_add(struct db *db, const char *name, const char *hash, int64_t now,
    int64_t room_ack)
{
	return sql_number(
	    db, sql(db, SQL_USER_ADD, "ttii", name, hash, now, room_ack));
}

void
db_user_hash(struct db *db, int64_t id, const char *hash)
{
	sql_run(db, sql(db, SQL_USER_HASH, "ti", hash, id));
}

void
db_user_state(struct db *db, int64_t id, enum user_state state)
{
	sql_run(db, sql(db, SQL_USER_STATE, "ii", (int64_t)state, id));
}

void
db_user_delete(struct db *db, int64_t id)
{
	static const enum statement gone[] = {SQL_MAIL_GONE, SQL_BLOCK_GONE,
	    SQL_ACCEPTED_GONE, SQL_SESSION_GONE, SQL_USER_GONE};

	for (size_t i = 0; i < sizeof(gone) / sizeof(gone[0]); i++)
		sql_run(db, sql(db, gone[i], "i", id));
}

void
db_user_login(struct db *db, int64_t id, int64_t now)
{
	sql_run(db, sql(db, SQL_USER_LOGIN, "ii", now, id));
}

void
db_user_failed(struct db *db, int64_t id)
{
	sql_run(db, sql(db, SQL_USER_FAILED, "i", id));
}

void
db_user_room_ack(struct db *db, int64_t id, int64_t room)
{
	sql_run(db, sql(db, SQL_USER_ROOM_ACK, "ii", room, id));
}

int64_t
db_users(struct db *db)
{
	return sql_number(db, sql(db, SQL_USER_COUNT, ""));
}

/* Octets of a column of fixed length; zeros where it has another. */
static void
take_octets(sqlite3_stmt *row, int column, void *out, int len)
{
	memset(out, 0, (size_t)len);
	if (sqlite3_column_bytes(row, column) == len)
		memcpy(out, sqlite3_column_blob(row, column), (size_t)len);
}

static void
take_session(sqlite3_stmt *row, struct db_session *out)
{
	char ended[32];

	take_octets(row, 0, out->token, DB_HASH_LEN);
	out->user = sqlite3_column_int64(row, 1);
	sql_text(row, 2, out->name, sizeof(out->name));
	out->from.family = (uint16_t)sqlite3_column_int(row, 3);
	out->from.port = (uint16_t)sqlite3_column_int(row, 4);
	take_octets(row, 5, out->from.ip, sizeof(out->from.ip));
	out->since = sqlite3_column_int64(row, 6);
	out->used = sqlite3_column_int64(row, 7);
	out->login_room = sqlite3_column_int64(row, 8);
	out->online = sqlite3_column_int64(row, 9);
	sql_text(row, 10, ended, sizeof(ended));
	out->ended = wire_error_find(ended);
	out->ended_at = sqlite3_column_int64(row, 11);
	sql_text(row, 12, out->ended_from, sizeof(out->ended_from));
}

void
db_session_each(struct db *db,
    void (*fn)(void *arg, const struct db_session *session), void *arg)
{
	sqlite3_stmt *row = sql(db, SQL_SESSION_EACH, "");
	struct db_session session;

	while (sql_step(db, row)) {
		memset(&session, 0, sizeof(session));
		take_session(row, &session);
		session.mail_head = sqlite3_column_int64(row, 13);
		session.beacon.id = (uint64_t)sqlite3_column_int64(row, 14);
		take_octets(row, 15, &session.beacon.keys,
		    (int)sizeof(session.beacon.keys));
		/* Keys that everybody knows are worse than none. */
		if (sqlite3_column_bytes(row, 15) != sizeof(struct beacon_keys))
			session.beacon.id = 0;
		session.peer.port = (uint16_t)sqlite3_column_int(row, 16);
		sql_text(row, 17, session.peer.fingerprint,
		    sizeof(session.peer.fingerprint));
		fn(arg, &session);
	}
}

int
db_session_find(
    struct db *db, const uint8_t token[DB_HASH_LEN], struct db_session *out)
{
	sqlite3_stmt *row = sql(db, SQL_SESSION_FIND, "h", token);

	if (!sql_step(db, row))
		return 0;
	take_session(row, out);
	sqlite3_reset(row);
	return 1;
}

void
db_session_add(struct db *db, const struct db_session *session)
{
	sql_run(db,
	    sql(db, SQL_SESSION_ADD, "hiiiaiiiiikit", session->token,
		session->user, (int64_t)session->from.family,
		(int64_t)session->from.port, session->from.ip, session->since,
		session->used, session->login_room, session->online,
		(int64_t)session->beacon.id, &session->beacon.keys,
		(int64_t)session->peer.port, session->peer.fingerprint));
}

void
db_session_online(
    struct db *db, const uint8_t token[DB_HASH_LEN], int64_t since)
{
	sql_run(db, sql(db, SQL_SESSION_ONLINE, "ih", since, token));
}

void
db_session_used(struct db *db, const uint8_t token[DB_HASH_LEN], int64_t now)
{
	sql_run(db, sql(db, SQL_SESSION_USED, "ih", now, token));
}

void
db_session_end(struct db *db, const uint8_t token[DB_HASH_LEN],
    enum wire_error reason, int64_t now, const char *from)
{
	sql_run(db,
	    sql(db, SQL_SESSION_END, "tith", wire_error_name(reason), now, from,
		token));
	sql_run(
	    db, sql(db, SQL_SESSION_ENOUGH, "hi", token, (int64_t)DB_ENDED));
}

int
db_session_stale(struct db *db, int64_t before, uint8_t token[DB_HASH_LEN])
{
	sqlite3_stmt *row = sql(db, SQL_SESSION_STALE, "i", before);

	if (!sql_step(db, row))
		return 0;
	take_octets(row, 0, token, DB_HASH_LEN);
	sqlite3_reset(row);
	return 1;
}

int
db_sessions_prune(struct db *db, int64_t before, int limit)
{
	sql_run(db, sql(db, SQL_SESSION_PRUNE, "ii", before, (int64_t)limit));
	return sqlite3_changes(db->sqlite);
}

void
db_lock_each(
    struct db *db, void (*fn)(void *arg, const struct db_lock *), void *arg)
{
	sqlite3_stmt *row = sql(db, SQL_LOCK_EACH, "");
	struct db_lock lock;

	while (sql_step(db, row)) {
		sql_text(row, 0, lock.name, sizeof(lock.name));
		lock.known = sqlite3_column_int(row, 1) != 0;
		lock.failures = sqlite3_column_int(row, 2);
		lock.until = sqlite3_column_int64(row, 3);
		lock.time = sqlite3_column_int64(row, 4);
		fn(arg, &lock);
	}
}

void
db_lock_put(struct db *db, const struct db_lock *lock)
{
	sql_run(db,
	    sql(db, SQL_LOCK_PUT, "tiiii", lock->name, (int64_t)lock->known,
		(int64_t)lock->failures, lock->until, lock->time));
}

void
db_lock_drop(struct db *db, const char *name)
{
	sql_run(db, sql(db, SQL_LOCK_DROP, "t", name));
}

int
db_accepted_find(
    struct db *db, int64_t sender, const char *id, struct db_accepted *accepted)
{
	sqlite3_stmt *row = sql(db, SQL_ACCEPTED_FIND, "it", sender, id);

	if (!sql_step(db, row))
		return 0;
	take_octets(row, 0, accepted->digest, DB_HASH_LEN);
	accepted->a = sqlite3_column_int64(row, 1);
	accepted->b = sqlite3_column_int64(row, 2);
	accepted->time = sqlite3_column_int64(row, 3);
	sqlite3_reset(row);
	return 1;
}

int
db_accepted_add(struct db *db, int64_t sender, const char *id,
    const struct db_accepted *accepted)
{
	sql_run(db,
	    sql(db, SQL_ACCEPTED_ADD, "ithiii", sender, id, accepted->digest,
		accepted->a, accepted->b, accepted->time));
	return sqlite3_changes(db->sqlite) != 0;
}

int
db_accepted_prune(struct db *db, int64_t before, int limit)
{
	sql_run(db, sql(db, SQL_ACCEPTED_PRUNE, "ii", before, (int64_t)limit));
	return sqlite3_changes(db->sqlite);
}
