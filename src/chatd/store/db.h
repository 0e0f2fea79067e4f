/* SPDX-License-Identifier: ISC */
/*
 * The backend that speaks SQL.  The rules do not know which one is there.
 * Every function that returns int gives 1 for a row found or done, 0 for
 * none; there is no error to handle: a database that fails to answer ends
 * the store (see db_open()), whose master starts it again on what was
 * committed.  Times are wall-clock milliseconds.
 */
#ifndef CHATD_DB_H
#define CHATD_DB_H

#include <stdbool.h>
#include <stdint.h>

#include "chatd/ipc.h"
#include "lib/wire.h"

enum {
	DB_VERSION = 4,
	DB_HASH_LEN = 32, /* of a token or a request: SHA-256 */
	DB_ENDED = 8, /* sessions of a user whose end is remembered */
	DB_TEXT_MAX = 65536,
	DB_HINT_LEN = 8, /* of an invitation's code: what lists show */
};

enum user_state { USER_ACTIVE, USER_LOCKED, USER_DELETED };

/* A user's row. */
struct db_user {
	int64_t id;
	char name[NAME_MAX_LEN + 1];
	char hash[IPC_HASH_MAX + 1];
	enum user_state state;
	int64_t created, last_login; /* 0: never */
	int failed; /* logins since the last one */
	int64_t mail_head, mail_count, mail_ack, room_ack;
};

/* A session, or what became of one. */
struct db_session {
	uint8_t token[DB_HASH_LEN];
	int64_t user;
	char name[NAME_MAX_LEN + 1]; /* read only, from the user */
	struct ipc_address from;
	int64_t since; /* login */
	int64_t used; /* last use, to a day */
	int64_t login_room; /* the room log's head at login */
	int64_t online; /* wall clock since when, or 0 */
	int64_t mail_head; /* read only: db_session_each() */
	struct ipc_beacon beacon; /* gone when it ends; no backup holds it */
	struct ipc_peer peer; /* likewise */
	enum wire_error ended; /* ERR_NONE while it lives */
	int64_t ended_at;
	char ended_from[IPC_ADDRESS_LEN];
};

/* Failed logins of one name, known or not. */
struct db_lock {
	char name[NAME_MAX_LEN + 1];
	bool known;
	int failures;
	int64_t until; /* 0: not locked */
	int64_t time; /* of the last failure */
};

/* What was answered to (sender, id). */
struct db_accepted {
	uint8_t digest[DB_HASH_LEN];
	int64_t a, b, time; /* the reply's numbers */
};

/* A private link, or the question for one. */
struct db_link {
	char request[WIRE_REQUEST_LEN + 1];
	char pass[WIRE_TOKEN_LEN + 1];
	int state; /* enum link_state, whose numbers do not change */
	int64_t ends;
	struct db_link_end {
		uint8_t token[DB_HASH_LEN]; /* of the session */
		struct ipc_address host;
		int64_t mail;
	} end[2]; /* asker, asked */
};

/* An invitation; its code is stored as a hash alone. */
struct db_invite {
	int64_t number; /* in the order of making */
	char hint[DB_HINT_LEN + 1];
	int64_t uses, unused;
	int64_t made, ends;
};

struct db;

/*
 * Opens, makes or migrates the database in the directory.  NULL, with the
 * exit status (EX_DATAERR, EX_IOERR, EX_CANTCREAT) and a sentence.  Later
 * faults (full disk, damage, a failed fsync) exit with EX_IOERR after one
 * line in the log: what was not committed was not acknowledged.
 */
struct db *db_open(const char *directory, int *status, char why[256]);
void db_close(struct db *db);

/*
 * db_write() begins a transaction unless one is open; db_commit() makes it
 * durable.  Reads see what was written before.
 */
void db_write(struct db *db);
bool db_writing(const struct db *db);
void db_commit(struct db *db);
/*
 * Moves what was committed to its place once there is enough of it.  Takes
 * long: to be called when nobody waits for an answer.
 */
void db_checkpoint(struct db *db);

/*
 * Short of space: transactions still come to an end, out of a reserve, but
 * what adds is to be refused.  It is over when db_refill() has found space,
 * in the database or on the disk; true once the reserve is whole.
 */
bool db_short(const struct db *db);
/* The rest of the reserve is for what makes room: nothing else may grow. */
bool db_exhausted(const struct db *db);
bool db_refill(struct db *db);

/* epoch, room_head, room_tail, generation … as text or number. */
int db_meta_text(struct db *db, const char *key, char *out, size_t size);
void db_meta_text_set(struct db *db, const char *key, const char *value);
int64_t db_meta(struct db *db, const char *key);
void db_meta_set(struct db *db, const char *key, int64_t value);

/* Users. */
int db_user_find(struct db *db, const char *name, struct db_user *user);
int db_user_get(struct db *db, int64_t id, struct db_user *user);
/* By name, after this one, whatever their state; 0 at the end. */
int db_user_next(struct db *db, const char *after, struct db_user *user);
int64_t db_user_add(struct db *db, const char *name, const char *hash,
    int64_t now, int64_t room_ack);
void db_user_hash(struct db *db, int64_t id, const char *hash);
void db_user_state(struct db *db, int64_t id, enum user_state state);
/* Mail, blocks, sessions and accepted ids go; the name stays. */
void db_user_delete(struct db *db, int64_t id);
void db_user_login(struct db *db, int64_t id, int64_t now);
void db_user_failed(struct db *db, int64_t id);
void db_user_room_ack(struct db *db, int64_t id, int64_t room);
int64_t db_users(struct db *db);

/* Sessions; those that have ended keep their reason until they are old. */
void db_session_each(struct db *db,
    void (*fn)(void *arg, const struct db_session *session), void *arg);
int db_session_find(
    struct db *db, const uint8_t token[DB_HASH_LEN], struct db_session *out);
void db_session_add(struct db *db, const struct db_session *session);
void db_session_online(
    struct db *db, const uint8_t token[DB_HASH_LEN], int64_t since);
void db_session_used(
    struct db *db, const uint8_t token[DB_HASH_LEN], int64_t now);
/* Of the user's ended sessions the newest DB_ENDED are kept. */
void db_session_end(struct db *db, const uint8_t token[DB_HASH_LEN],
    enum wire_error reason, int64_t now, const char *from);
/* It is somewhere else now. */
void db_session_from(struct db *db, const uint8_t token[DB_HASH_LEN],
    const struct ipc_address *from);
/* A live one that was last used before then. */
int db_session_stale(struct db *db, int64_t before, uint8_t token[DB_HASH_LEN]);
int db_sessions_prune(struct db *db, int64_t before, int limit);

/* Lockouts. */
void db_lock_each(
    struct db *db, void (*fn)(void *arg, const struct db_lock *), void *arg);
void db_lock_put(struct db *db, const struct db_lock *lock);
void db_lock_drop(struct db *db, const char *name);

/* Accepted ids. */
int db_accepted_find(struct db *db, int64_t sender, const char *id,
    struct db_accepted *accepted);
/* 0, and nothing changed, if the sender's id is there already. */
int db_accepted_add(struct db *db, int64_t sender, const char *id,
    const struct db_accepted *accepted);
int db_accepted_prune(struct db *db, int64_t before, int limit);

/*
 * Mail.  db_mail_add() numbers the event from the recipient's counter; the
 * event's user is the other one's id, kept beside its name.
 */
int64_t db_mail_add(
    struct db *db, int64_t to, int64_t other, const struct wire_event *event);
/* The oldest of this type and id that is unread: its number, or 0. */
int64_t db_mail_unread(
    struct db *db, int64_t to, enum wire_event_type type, const char *id);
void db_mail_drop(struct db *db, int64_t to, int64_t number);
/* What speaks of private links, unread: its session has ended. */
void db_mail_drop_passing(struct db *db, int64_t user);
/*
 * Everything up to number is stored at the client: deleted.  For each
 * message among it fn() gets the sender and the id, sorted by sender.
 */
void db_mail_ack(struct db *db, int64_t user, int64_t number,
    void (*fn)(void *arg, int64_t sender, const char *id), void *arg);

/* The room log. */
struct db_room_row {
	int64_t user; /* whose entry */
	int64_t only; /* shown to cursors that are at least here */
};
int64_t db_room_head(struct db *db);
int64_t db_room_tail(struct db *db);
int64_t db_room_add(
    struct db *db, int64_t user, int64_t only, const struct wire_event *event);
/* The user's last login or logout at or before number; 0 if none. */
int64_t db_room_presence(struct db *db, int64_t user, int64_t number,
    enum wire_event_type *type, int64_t *time);
/*
 * The user's first one after number; back: it took back the logout before
 * it, so that the user had been online.
 */
int64_t db_room_presence_next(struct db *db, int64_t user, int64_t number,
    enum wire_event_type *type, bool *back);
void db_room_drop(struct db *db, int64_t number);
/* Drops at most limit entries older than before, moves the tail. */
int db_room_prune(struct db *db, int64_t before, int limit);

/*
 * Walks: open, next until 0, close.  One of each kind at a time; the
 * event's strings are valid until the next call.
 */
void db_mail_open(struct db *db, int64_t user, int64_t after);
int db_mail_next(struct db *db, struct wire_event *event);
void db_mail_close(struct db *db);
void db_room_open(struct db *db, int64_t after);
int db_room_next(
    struct db *db, struct wire_event *event, struct db_room_row *row);
/* Its text, which db_room_next() leaves out: most entries are not shown. */
void db_room_text(struct db *db, struct wire_event *event);
void db_room_close(struct db *db);

/* Blocks. */
int db_block_standing(struct db *db, int64_t owner, int64_t target);
void db_block_add(
    struct db *db, int64_t owner, int64_t target, int64_t room_head);
void db_block_end(
    struct db *db, int64_t owner, int64_t target, int64_t room_head);
/* True if the block stood when the room's entry of that number was written. */
int db_block_stood(
    struct db *db, int64_t owner, int64_t target, int64_t number);
/* At most limit names that owner blocks, sorted, after this one. */
void db_block_names(struct db *db, int64_t owner, const char *after, int limit,
    void (*fn)(void *arg, const char *name), void *arg);
int64_t db_block_count(struct db *db, int64_t target);
/* Who blocks the target. */
void db_block_owners(struct db *db, int64_t target,
    void (*fn)(void *arg, int64_t owner), void *arg);
void db_blocks_prune(struct db *db, int64_t room_tail);

/* Private links, those that end first first. */
void db_link_each(
    struct db *db, void (*fn)(void *arg, const struct db_link *), void *arg);
void db_link_put(struct db *db, const struct db_link *link);
void db_link_drop(struct db *db, const char *request);

/*
 * Invitations.  db_invite_add(): 0, and nothing changed, if the hint is taken.
 * db_invite_spend(): 0 if nothing was left to spend.
 */
int db_invite_add(struct db *db, const uint8_t hash[DB_HASH_LEN],
    const struct db_invite *invite);
int db_invite_holds(
    struct db *db, const uint8_t hash[DB_HASH_LEN], int64_t now);
int db_invite_spend(
    struct db *db, const uint8_t hash[DB_HASH_LEN], int64_t now);
int db_invite_next(struct db *db, int64_t after, struct db_invite *invite);
int db_invite_revoke(struct db *db, const char *hint);
int db_invites_prune(struct db *db, int64_t before, int limit);

/*
 * A copy of the whole database into a new file, a few pages at a time, while
 * it is in use.  NULL, or -1, with a sentence.  db_copy_step(): 1 while there
 * is more, 0 once the copy is whole; never within a transaction.
 * db_copy_end() gives back everything but the file.
 */
struct db_copy;
struct db_copy *db_copy_begin(struct db *db, const char *path, char why[256]);
int db_copy_step(struct db_copy *copy, int pages, char why[256]);
void db_copy_left(const struct db_copy *copy, int *left, int *all);
void db_copy_end(struct db_copy *copy);

/*
 * Gives a file a second name that nothing has yet, PATH.SUFFIX-DATE, which is
 * written to kept; 0, or -1 with errno.
 */
int db_keep_as(const char *from, const char *path, const char *suffix,
    char *kept, size_t size);

/* Has a file, or what a directory lists, on the disk; 0, or -1 with errno. */
int db_file_sync(const char *path);

/* What a backup says of itself. */
struct db_backup {
	int64_t made; /* wall clock */
	int64_t version, users;
};

/*
 * Backups are files that no store has open; each call gives 0, or -1 with a
 * sentence.  Sealing takes out what must not be in one, sessions above all,
 * and says that it is one; checking changes nothing; reviving makes of it a
 * database again, with an epoch of its own.
 */
int db_backup_seal(
    const char *path, int64_t now, struct db_backup *out, char why[256]);
int db_backup_check(const char *path, struct db_backup *out, char why[256]);
int db_backup_revive(const char *path, char why[256]);
/*
 * Moves what is in a stopped database's write-ahead log to its place, so that
 * it is one file; -1 if it cannot be read any more.
 */
int db_backup_settle(const char *path, char why[256]);

/* Numbers for status and metrics. */
int64_t db_mail_total(struct db *db);
int64_t db_size(struct db *db);

#endif
