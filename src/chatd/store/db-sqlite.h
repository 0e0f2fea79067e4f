/* SPDX-License-Identifier: ISC */
/*
 * The inside of the SQLite backend: every statement as a row, prepared when
 * first needed.  The text stays within what PostgreSQL understands too.
 */
#ifndef CHATD_DB_SQLITE_H
#define CHATD_DB_SQLITE_H

#include <sqlite3.h>

#include "chatd/store/db.h"
#include "chatd/store/reserve.h"

#define USER_COLUMNS                                                     \
	"id, name, hash, state, created, last_login, failed, mail_head," \
	" mail_count, mail_ack, room_ack"
#define SESSION_COLUMNS                                                        \
	"s.token, s.user_id, u.name, s.family, s.port, s.ip, s.since, s.used," \
	" s.login_room, s.online, s.ended, s.ended_at, s.ended_from"
#define FROM_SESSION " FROM session s JOIN users u ON u.id = s.user_id"

#define STATEMENTS(X)                                                          \
	X(BEGIN, "BEGIN IMMEDIATE")                                            \
	X(COMMIT, "COMMIT")                                                    \
	X(META_GET, "SELECT value FROM meta WHERE key = ?")                    \
	X(META_SET,                                                            \
	    "INSERT INTO meta (key, value) VALUES (?, ?)"                      \
	    " ON CONFLICT (key) DO UPDATE SET value = excluded.value")         \
	X(USER_FIND, "SELECT " USER_COLUMNS " FROM users WHERE name = ?")      \
	X(USER_GET, "SELECT " USER_COLUMNS " FROM users WHERE id = ?")         \
	X(USER_NEXT,                                                           \
	    "SELECT " USER_COLUMNS " FROM users WHERE name > ?"                \
	    " ORDER BY name LIMIT 1")                                          \
	X(USER_ADD,                                                            \
	    "INSERT INTO users (name, hash, state, created, last_login,"       \
	    " failed, mail_head, mail_count, mail_ack, room_ack)"              \
	    " VALUES (?, ?, 0, ?, 0, 0, 0, 0, 0, ?) RETURNING id")             \
	X(USER_HASH, "UPDATE users SET hash = ? WHERE id = ?")                 \
	X(USER_STATE, "UPDATE users SET state = ? WHERE id = ?")               \
	X(USER_GONE,                                                           \
	    "UPDATE users SET state = 2, hash = '', mail_count = 0"            \
	    " WHERE id = ?")                                                   \
	X(USER_LOGIN,                                                          \
	    "UPDATE users SET last_login = ?, failed = 0 WHERE id = ?")        \
	X(USER_FAILED, "UPDATE users SET failed = failed + 1 WHERE id = ?")    \
	X(USER_ROOM_ACK, "UPDATE users SET room_ack = ? WHERE id = ?")         \
	X(USER_COUNT, "SELECT count(*) FROM users WHERE state <> 2")           \
	X(SESSION_EACH,                                                        \
	    "SELECT " SESSION_COLUMNS ", u.mail_head, s.beacon, s.keys, "      \
	    "s.peer_port, s.peer_key" FROM_SESSION " WHERE s.ended = ''")      \
	X(SESSION_FIND,                                                        \
	    "SELECT " SESSION_COLUMNS FROM_SESSION " WHERE s.token = ?")       \
	X(SESSION_ADD,                                                         \
	    "INSERT INTO session (token, user_id, family, port, ip, since,"    \
	    " used, login_room, online, beacon, keys, peer_port, peer_key,"    \
	    " ended, ended_at, ended_from)"                                    \
	    " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, '', 0, '')")      \
	X(SESSION_ONLINE, "UPDATE session SET online = ? WHERE token = ?")     \
	X(SESSION_FROM,                                                        \
	    "UPDATE session SET family = ?, port = ?, ip = ? WHERE token = ?") \
	X(SESSION_USED, "UPDATE session SET used = ? WHERE token = ?")         \
	X(SESSION_END,                                                         \
	    "UPDATE session SET online = 0, ended = ?, ended_at = ?,"          \
	    " ended_from = ?, beacon = 0, keys = '', peer_port = 0,"           \
	    " peer_key = '' WHERE token = ?")                                  \
	X(SESSION_ENOUGH,                                                      \
	    "DELETE FROM session WHERE token IN (SELECT token FROM session"    \
	    " WHERE user_id = (SELECT user_id FROM session WHERE token = ?)"   \
	    " AND ended <> '' ORDER BY +ended_at DESC, since DESC"             \
	    " LIMIT -1 OFFSET ?)")                                             \
	X(SESSION_STALE,                                                       \
	    "SELECT token FROM session WHERE ended = '' AND used < ?"          \
	    " ORDER BY used LIMIT 1")                                          \
	X(SESSION_PRUNE,                                                       \
	    "DELETE FROM session WHERE token IN (SELECT token FROM session"    \
	    " WHERE ended <> '' AND ended_at < ? LIMIT ?)")                    \
	X(SESSION_GONE, "DELETE FROM session WHERE user_id = ?")               \
	X(LOCK_EACH,                                                           \
	    "SELECT name, known, failures, until, time FROM lock"              \
	    " ORDER BY time")                                                  \
	X(LOCK_PUT,                                                            \
	    "INSERT INTO lock (name, known, failures, until, time)"            \
	    " VALUES (?, ?, ?, ?, ?) ON CONFLICT (name) DO UPDATE SET"         \
	    " known = excluded.known, failures = excluded.failures,"           \
	    " until = excluded.until, time = excluded.time")                   \
	X(LOCK_DROP, "DELETE FROM lock WHERE name = ?")                        \
	X(ACCEPTED_FIND,                                                       \
	    "SELECT digest, a, b, time FROM accepted"                          \
	    " WHERE sender = ? AND id = ?")                                    \
	X(ACCEPTED_ADD,                                                        \
	    "INSERT INTO accepted (sender, id, digest, a, b, time)"            \
	    " VALUES (?, ?, ?, ?, ?, ?) ON CONFLICT (sender, id) DO NOTHING")  \
	X(ACCEPTED_PRUNE,                                                      \
	    "DELETE FROM accepted WHERE time < ? AND n IN"                     \
	    " (SELECT n FROM accepted ORDER BY n LIMIT ?)")                    \
	X(ACCEPTED_GONE, "DELETE FROM accepted WHERE sender = ?")              \
	X(MAIL_NUMBER,                                                         \
	    "UPDATE users SET mail_head = mail_head + 1,"                      \
	    " mail_count = mail_count + ? WHERE id = ? RETURNING mail_head")   \
	X(MAIL_ADD,                                                            \
	    "INSERT INTO mail (user_id, n, type, other, name, id, time, body," \
	    " passing) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)")                    \
	X(MAIL_UNREAD,                                                         \
	    "SELECT n FROM mail WHERE user_id = ? AND type = ? AND id = ?"     \
	    " ORDER BY n LIMIT 1")                                             \
	X(MAIL_DROP, "DELETE FROM mail WHERE user_id = ? AND n = ?")           \
	X(MAIL_PASSED, "DELETE FROM mail WHERE user_id = ? AND passing = 1")   \
	X(MAIL_ACKED,                                                          \
	    "SELECT other, id FROM mail WHERE user_id = ? AND n <= ?"          \
	    " AND type = ? ORDER BY other, n")                                 \
	X(MAIL_DELETE, "DELETE FROM mail WHERE user_id = ? AND n <= ?")        \
	X(MAIL_ACK,                                                            \
	    "UPDATE users SET mail_count = mail_count - ?, mail_ack = ?"       \
	    " WHERE id = ?")                                                   \
	X(MAIL_GONE, "DELETE FROM mail WHERE user_id = ?")                     \
	X(MAIL_WALK,                                                           \
	    "SELECT n, type, time, name, id, body FROM mail"                   \
	    " WHERE user_id = ? AND n > ? ORDER BY n")                         \
	X(MAIL_TOTAL, "SELECT coalesce(sum(mail_count), 0) FROM users")        \
	X(ROOM_ADD,                                                            \
	    "INSERT INTO room (n, user_id, type, time, only_from, name, id,"   \
	    " body, presence) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)")             \
	X(ROOM_PRESENCE,                                                       \
	    "SELECT n, type, time FROM room WHERE user_id = ? AND n <= ?"      \
	    " AND presence = 1 ORDER BY n DESC LIMIT 1")                       \
	X(ROOM_PRESENCE_NEXT,                                                  \
	    "SELECT n, type, time, only_from FROM room"                        \
	    " WHERE user_id = ? AND n > ?"                                     \
	    " AND presence = 1 ORDER BY n LIMIT 1")                            \
	X(ROOM_DROP, "DELETE FROM room WHERE n = ?")                           \
	X(ROOM_OLD,                                                            \
	    "SELECT max(n), count(*) FROM (SELECT n, time FROM room"           \
	    " ORDER BY n LIMIT ?) AS o WHERE time < ?")                        \
	X(ROOM_PRUNE, "DELETE FROM room WHERE n <= ?")                         \
	X(ROOM_WALK,                                                           \
	    "SELECT n, type, time, name, id, user_id, only_from"               \
	    " FROM room WHERE n > ? ORDER BY n")                               \
	X(ROOM_BODY, "SELECT body FROM room WHERE n = ?")                      \
	X(BLOCK_STANDING,                                                      \
	    "SELECT 1 FROM block WHERE owner = ? AND target = ?"               \
	    " AND to_n = 9223372036854775807")                                 \
	X(BLOCK_ADD,                                                           \
	    "INSERT INTO block (owner, target, from_n, to_n)"                  \
	    " VALUES (?, ?, ?, 9223372036854775807)"                           \
	    " ON CONFLICT (owner, target, from_n) DO UPDATE SET"               \
	    " to_n = excluded.to_n")                                           \
	X(BLOCK_END,                                                           \
	    "UPDATE block SET to_n = ? WHERE owner = ? AND target = ?"         \
	    " AND to_n = 9223372036854775807")                                 \
	X(BLOCK_STOOD,                                                         \
	    "SELECT to_n FROM block WHERE owner = ? AND target = ?"            \
	    " AND from_n < ? ORDER BY from_n DESC LIMIT 1")                    \
	X(BLOCK_NAMES,                                                         \
	    "SELECT u.name FROM block b JOIN users u ON u.id = b.target"       \
	    " WHERE b.owner = ? AND b.to_n = 9223372036854775807"              \
	    " AND u.name > ? ORDER BY u.name LIMIT ?")                         \
	X(BLOCK_COUNT,                                                         \
	    "SELECT count(*) FROM block WHERE target = ?"                      \
	    " AND to_n = 9223372036854775807")                                 \
	X(BLOCK_OWNERS,                                                        \
	    "SELECT owner FROM block WHERE target = ?"                         \
	    " AND to_n = 9223372036854775807")                                 \
	X(BLOCK_PRUNE, "DELETE FROM block WHERE to_n <= ?")                    \
	X(BLOCK_GONE, "DELETE FROM block WHERE owner = ?1 OR target = ?1")     \
	X(LINK_EACH,                                                           \
	    "SELECT request, state, ends, pass, asker, asker_family,"          \
	    " asker_ip, asker_mail, asked, asked_family, asked_ip,"            \
	    " asked_mail FROM link ORDER BY ends")                             \
	X(LINK_PUT,                                                            \
	    "INSERT INTO link (request, state, ends, pass, asker,"             \
	    " asker_family, asker_ip, asker_mail, asked, asked_family,"        \
	    " asked_ip, asked_mail)"                                           \
	    " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"                     \
	    " ON CONFLICT (request) DO UPDATE SET state = excluded.state,"     \
	    " ends = excluded.ends, pass = excluded.pass,"                     \
	    " asker_family = excluded.asker_family,"                           \
	    " asker_ip = excluded.asker_ip,"                                   \
	    " asker_mail = excluded.asker_mail,"                               \
	    " asked_family = excluded.asked_family,"                           \
	    " asked_ip = excluded.asked_ip,"                                   \
	    " asked_mail = excluded.asked_mail")                               \
	X(LINK_DROP, "DELETE FROM link WHERE request = ?")                     \
	X(INVITE_ADD,                                                          \
	    "INSERT INTO invite (hash, hint, uses, unused, made, ends)"        \
	    " VALUES (?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING")               \
	X(INVITE_HOLDS,                                                        \
	    "SELECT 1 FROM invite WHERE hash = ? AND unused > 0 AND ends > ?") \
	X(INVITE_SPEND,                                                        \
	    "UPDATE invite SET unused = unused - 1"                            \
	    " WHERE hash = ? AND unused > 0 AND ends > ?")                     \
	X(INVITE_NEXT,                                                         \
	    "SELECT n, hint, uses, unused, made, ends FROM invite"             \
	    " WHERE n > ? ORDER BY n LIMIT 1")                                 \
	X(INVITE_REVOKE, "DELETE FROM invite WHERE hint = ?")                  \
	X(INVITE_PRUNE,                                                        \
	    "DELETE FROM invite WHERE n IN"                                    \
	    " (SELECT n FROM invite WHERE ends < ? LIMIT ?)")

enum statement {
#define X(name, text) SQL_##name,
	STATEMENTS(X)
#undef X
	    SQL_COUNT
};

struct db {
	sqlite3 *sqlite;
	struct reserve *reserve;
	sqlite3_stmt *prepared[SQL_COUNT];
	bool writing;
	bool roomy; /* its free pages stand for what the reserve lacks */
	int frames; /* in the write-ahead log, after the last commit */
	int64_t room_head, room_tail; /* as in meta */
};

/*
 * Binds and returns a statement: i int64_t, t text, s a wire_string, h a
 * hash of DB_HASH_LEN octets, a an address's 16 octets, k a beacon's keys.
 */
sqlite3_stmt *sql(struct db *db, enum statement which, const char *types, ...);
/* Runs statements that are no row of the table. */
void sql_script(struct db *db, const char *text);
/* Ends the process: what was not committed was not acknowledged. */
_Noreturn void sql_broken(struct db *db, const char *what);
/* 1 for a row, 0 at the end (and reset); any fault ends the process. */
int sql_step(struct db *db, sqlite3_stmt *statement);
/* For what gives no row or one that is not looked at. */
void sql_run(struct db *db, sqlite3_stmt *statement);
/* The one number of the one row; 0 if there is none. */
int64_t sql_number(struct db *db, sqlite3_stmt *statement);
void sql_text(sqlite3_stmt *statement, int column, char *out, size_t size);

/*
 * db-sqlite-disk.c: opens a database that may use the reserve; as
 * sqlite3_open().
 */
int disk_database(const char *path, sqlite3 **sqlite, struct reserve *reserve);

/*
 * db-sqlite-space.c: empties the write-ahead log that was left behind.  Its
 * end may never have reached the disk, if that is why our predecessor ended:
 * nothing must be built on it before it has.  A full disk can wait, it loses
 * nothing.  0, or -1 with the exit status and a sentence.
 */
int space_begin(struct db *db, const char *path, int *status, char why[256]);
/* Before the database is closed. */
void space_end(struct db *db);

/* db-sqlite-schema.c: a new database's tables; a new life of an old one. */
void schema_create(struct db *db);
void epoch_make(char epoch[WIRE_EPOCH_LEN + 1]);
/*
 * Takes an older database up to DB_VERSION, after a copy of its file.  0, or
 * -1 with the exit status and a sentence, and nothing was changed.
 */
int schema_migrate(
    struct db *db, const char *path, int version, int *status, char why[256]);

#endif
