/* SPDX-License-Identifier: ISC */
/*
 * The SQLite backend on a real file: what was committed is there after it
 * was closed, numbers never go back, a newer version is left alone.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include <sqlite3.h>

#include "chatd/store/db.h"
#include "tap.h"

static char directory[] = "/tmp/chatd-db-XXXXXX";

static struct db *
reopen(struct db *db)
{
	char why[256];
	int status;

	db_close(db);
	db = db_open(directory, &status, why);
	if (db == NULL)
		printf("Bail out! %s\n", why);
	return db;
}

static struct wire_string
str(const char *text)
{
	return (struct wire_string){text, strlen(text)};
}

static int64_t
post(struct db *db, int64_t to, int64_t from, const char *id, const char *text)
{
	struct wire_event event = {.type = EVENT_MESSAGE,
	    .time = 1000,
	    .user = str("bob"),
	    .id = str(id),
	    .text = str(text)};

	db_write(db);
	return db_mail_add(db, to, from, &event);
}

static void
test_users(struct db **db)
{
	struct db_user user;
	int64_t alice, bob;

	db_write(*db);
	alice = db_user_add(*db, "alice", "hash", 5, 3);
	bob = db_user_add(*db, "bob", "hash2", 6, 0);
	db_user_login(*db, alice, 77);
	db_user_failed(*db, bob);
	db_commit(*db);
	*db = reopen(*db);
	ok(db_user_find(*db, "alice", &user) && user.id == alice &&
		user.last_login == 77 && user.room_ack == 3,
	    "a user is there after it was closed");
	ok(db_user_next(*db, "alice", &user) && user.failed == 1,
	    "users are walked by name");
	ok(!db_user_next(*db, "bob", &user), "to the end");
	ok(!db_user_find(*db, "carol", &user), "nobody of that name");
	is_number(db_users(*db), 2, "two users");
}

static void
collect(void *arg, int64_t sender, const char *id)
{
	char *text = arg;

	sprintf(text + strlen(text), "%d:%s ", (int)sender, id);
}

static void
test_mail(struct db **db)
{
	char acked[200] = "";
	struct wire_event event;
	struct db_user user;

	is_number(post(*db, 1, 9, "id1", "one"), 1, "the first number");
	is_number(post(*db, 1, 8, "id2", "two"), 2, "the next");
	is_number(post(*db, 2, 8, "id3", "other"), 1, "a mailbox of its own");
	is_number(post(*db, 1, 9, "id4", "it's\n\"three\""), 3, "and on");
	db_commit(*db);
	*db = reopen(*db);
	db_mail_open(*db, 1, 1);
	ok(db_mail_next(*db, &event) && event.number == 2, "after the cursor");
	ok(db_mail_next(*db, &event) && event.text.len == 12, "text as it was");
	ok(!db_mail_next(*db, &event), "to the end");
	db_mail_close(*db);
	db_write(*db);
	db_mail_ack(*db, 1, 2, collect, acked);
	db_commit(*db);
	is(acked, "8:id2 9:id1 ", "acknowledged, by sender");
	ok(db_user_get(*db, 1, &user) && user.mail_count == 1 &&
		user.mail_ack == 2 && user.mail_head == 3,
	    "counted");
	is_number(post(*db, 1, 9, "id5", "x"), 4, "numbers never go back");
	db_commit(*db);
	is_number(db_mail_total(*db), 3, "in all mailboxes");
}

static void
test_room(struct db **db)
{
	struct wire_event event = {
	    .type = EVENT_LOGIN, .time = 10, .user = str("alice")};
	enum wire_event_type type;
	struct db_room_row row;
	int64_t time;
	bool back = false;

	db_write(*db);
	is_number(db_room_add(*db, 1, 0, &event), 1, "the room's first");
	event.type = EVENT_BROADCAST;
	event.time = 20;
	db_room_add(*db, 1, 0, &event);
	event.type = EVENT_LOGOUT;
	event.time = 30;
	event.text = str("hi");
	is_number(db_room_add(*db, 1, 7, &event), 3, "and third");
	db_commit(*db);
	*db = reopen(*db);
	is_number(db_room_head(*db), 3, "the head is kept");
	is_number(db_room_presence(*db, 1, 2, &type, &time), 1,
	    "presence at a point");
	is_number(
	    db_room_presence_next(*db, 1, 1, &type, &back), 3, "and the next");
	ok(back, "which took one back");
	db_room_open(*db, 2);
	ok(db_room_next(*db, &event, &row) && row.only == 7 && row.user == 1,
	    "walked");
	db_room_text(*db, &event);
	ok(event.text.len == 2 && memcmp(event.text.s, "hi", 2) == 0,
	    "with its text");
	db_room_close(*db);
	is_number(db_room_prune(*db, 25, 100), 2, "the old ones go");
	db_commit(*db);
	is_number(db_room_tail(*db), 2, "the tail says how far");
	is_number(db_room_prune(*db, 25, 100), 0, "once");
}

static void
add_name(void *arg, const char *name)
{
	strcat(arg, name);
}

static void
test_blocks(struct db *db)
{
	char names[100] = "";

	db_write(db);
	db_block_add(db, 1, 2, 5);
	ok(db_block_standing(db, 1, 2) && !db_block_standing(db, 2, 1),
	    "a block has a direction");
	is_number(db_block_count(db, 2), 1, "counted by its target");
	db_block_names(db, 1, "", 9, add_name, names);
	is(names, "bob", "listed by name");
	db_block_names(db, 1, "bob", 9, add_name, names);
	is(names, "bob", "after the one that is named");
	db_block_end(db, 1, 2, 5);
	ok(!db_block_standing(db, 1, 2), "ended");
	ok(!db_block_stood(db, 1, 2, 5) && !db_block_stood(db, 1, 2, 6),
	    "before anything was written: it hides nothing");
	db_block_add(db, 1, 2, 5);
	ok(db_block_standing(db, 1, 2), "set again at the same place");
	db_block_end(db, 1, 2, 8);
	db_block_add(db, 1, 2, 10);
	ok(!db_block_stood(db, 1, 2, 5) && db_block_stood(db, 1, 2, 6) &&
		db_block_stood(db, 1, 2, 8) && !db_block_stood(db, 1, 2, 9) &&
		!db_block_stood(db, 1, 2, 10) && db_block_stood(db, 1, 2, 11),
	    "it hides what was written while it stood");
	ok(!db_block_stood(db, 2, 1, 6), "in its own direction");
	db_commit(db);
}

static void
count_session(void *arg, const struct db_session *session)
{
	struct db_session *last = arg;

	*last = *session;
}

static void
test_sessions(struct db **db)
{
	struct db_session session = {.user = 1, .since = 4, .used = 4};
	struct db_session got = {0};
	uint8_t token[DB_HASH_LEN];

	memset(session.token, 7, sizeof(session.token));
	session.from.family = 2;
	session.from.ip[0] = 127;
	session.beacon.id = 0xfedcba9876543210u;
	memset(&session.beacon.keys, 8, sizeof(session.beacon.keys));
	db_write(*db);
	db_session_add(*db, &session);
	db_session_online(*db, session.token, 9);
	db_commit(*db);
	*db = reopen(*db);
	db_session_each(*db, count_session, &got);
	ok(got.user == 1 && got.online == 9 && got.mail_head == 4 &&
		strcmp(got.name, "alice") == 0 && got.from.ip[0] == 127,
	    "a session is there after it was closed");
	ok(memcmp(&got.beacon, &session.beacon, sizeof(got.beacon)) == 0,
	    "with its beacon");
	ok(db_session_stale(*db, 5, token) && token[0] == 7, "a stale one");
	ok(!db_session_stale(*db, 4, token), "one in use is not");
	db_write(*db);
	db_session_end(
	    *db, session.token, ERR_SESSION_REPLACED, 50, "192.0.2.9");
	ok(db_session_find(*db, session.token, &got) &&
		got.ended == ERR_SESSION_REPLACED &&
		strcmp(got.ended_from, "192.0.2.9") == 0,
	    "an ended one keeps its reason");
	is_number(db_sessions_prune(*db, 50, 10), 0, "for a while");
	is_number(db_sessions_prune(*db, 51, 10), 1, "not for ever");
	for (int i = 0; i < 12; i++) {
		session.token[0] = (uint8_t)i;
		db_session_add(*db, &session);
		db_session_end(*db, session.token, ERR_SESSION_REPLACED,
		    60 + i / 2, "192.0.2.9");
	}
	ok(db_session_find(*db, session.token, &got), "the newest is there");
	session.token[0] = 3;
	ok(!db_session_find(*db, session.token, &got), "the oldest are not");
	is_number(db_sessions_prune(*db, 100, 100), 8, "eight of one user");
	db_commit(*db);
}

static void
test_accepted(struct db *db)
{
	struct db_accepted put = {.a = 1, .b = 2, .time = 100}, got;

	memset(put.digest, 3, sizeof(put.digest));
	db_write(db);
	ok(db_accepted_add(db, 1, "some-id", &put), "a new id");
	put.b = 3;
	ok(!db_accepted_add(db, 1, "some-id", &put), "is taken once");
	ok(db_accepted_find(db, 1, "some-id", &got) && got.b == 2 &&
		memcmp(got.digest, put.digest, DB_HASH_LEN) == 0,
	    "an id and its reply");
	ok(!db_accepted_find(db, 2, "some-id", &got), "is its sender's");
	is_number(db_accepted_prune(db, 100, 10), 0, "kept");
	is_number(db_accepted_prune(db, 101, 10), 1, "until it is old");
	db_commit(db);
}

/* Octets of one of the database's files, or -1. */
static long long
size_of(const char *name)
{
	char path[100];
	struct stat info;

	snprintf(path, sizeof(path), "%s/%s", directory, name);
	return stat(path, &info) == 0 ? (long long)info.st_size : -1;
}

/* Puts 17 MiB into a mailbox, in one transaction. */
static void
post_much(struct db *db, int64_t to)
{
	static char text[16385];

	memset(text, 'x', sizeof(text) - 1);
	for (int i = 0; i < 1088; i++)
		post(db, to, 9, "much", text);
	db_commit(db);
}

static void
test_checkpoint(struct db **db)
{
	const long long mib = 1024 * 1024;
	int64_t to;
	pid_t pid;

	db_write(*db);
	to = db_user_add(*db, "carol", "hash3", 7, 0);
	post_much(*db, to);
	ok(size_of("chatd.db") < mib, "a commit moves nothing to its place");
	ok(size_of("chatd.db-wal") > 16 * mib, "it is in the log");
	db_checkpoint(*db);
	ok(size_of("chatd.db") > 16 * mib, "a checkpoint moves it");
	db_close(*db);
	if ((pid = fork()) == 0) {
		*db = reopen(NULL);
		post(*db, to, 9, "id", "text");
		db_commit(*db);
		post(*db, to, 9, "id", "text");
		_exit(0); /* as if it was killed */
	}
	waitpid(pid, NULL, 0);
	ok(size_of("chatd.db-wal") > 0, "who was killed leaves a log behind");
	*db = reopen(NULL);
	is_number(size_of("chatd.db-wal"), 0, "the next one empties it first");
	db_mail_open(*db, to, 1088);
	ok(db_mail_next(*db, &(struct wire_event){0}), "with what it held");
	ok(!db_mail_next(*db, &(struct wire_event){0}), "if it was committed");
	db_mail_close(*db);
}

static void
test_delete(struct db *db)
{
	struct db_user user;

	db_write(db);
	db_user_delete(db, 2);
	db_commit(db);
	ok(db_user_find(db, "bob", &user) && user.state == USER_DELETED &&
		user.hash[0] == '\0',
	    "the name stays taken");
	ok(!db_block_standing(db, 1, 2), "blocks go");
	is_number(db_users(db), 2, "one user less");
}

/* Says something in SQL behind the backend's back. */
static void
meddle(const char *sql)
{
	char path[100];
	sqlite3 *raw;

	snprintf(path, sizeof(path), "%s/chatd.db", directory);
	sqlite3_open(path, &raw);
	sqlite3_exec(raw, sql, NULL, NULL, NULL);
	sqlite3_close(raw);
}

static void
test_refused(struct db *db)
{
	char why[256], path[100];
	int status = 0;
	FILE *file;

	db_close(db);
	meddle("UPDATE meta SET value = '99' WHERE key = 'version'");
	ok(db_open(directory, &status, why) == NULL && status == EX_DATAERR,
	    "a newer version is refused");
	ok(strstr(why, "newer") != NULL, "with a sentence: %s", why);
	snprintf(path, sizeof(path), "%s/chatd.db", directory);
	file = fopen(path, "w");
	fputs("this is not a database, however long one looks at it", file);
	fclose(file);
	ok(db_open(directory, &status, why) == NULL && status == EX_DATAERR,
	    "what is no database is refused");
	ok(db_open("/nonexistent", &status, why) == NULL &&
		status == EX_CANTCREAT,
	    "so is a place that is not there");
}

int
main(void)
{
	struct db *db;
	char command[100];

	if (mkdtemp(directory) == NULL)
		return 1;
	db = reopen(NULL);
	test_users(&db);
	test_mail(&db);
	test_room(&db);
	test_blocks(db);
	test_sessions(&db);
	test_accepted(db);
	test_checkpoint(&db);
	test_delete(db);
	test_refused(db);
	snprintf(command, sizeof(command), "rm -rf %s", directory);
	if (system(command) != 0)
		return 1;
	return done();
}
