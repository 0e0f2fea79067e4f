/* SPDX-License-Identifier: ISC */
/*
 * The tables, and the ladder from one version of them to the next: a new
 * database climbs it from the bottom, an older one from where it stands.
 * Used by the store alone; never changes a rung that was once given out.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

#include "chatd/store/db-sqlite.h"
#include "lib/log.h"
#include "lib/unix.h"

enum { COPY_PAGES = 4096 };

static const char version_1[] =
    "CREATE TABLE meta (key TEXT PRIMARY KEY, value TEXT NOT NULL);"
    "CREATE TABLE users (id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE,"
    " hash TEXT NOT NULL, state BIGINT NOT NULL, created BIGINT NOT NULL,"
    " last_login BIGINT NOT NULL, failed BIGINT NOT NULL,"
    " mail_head BIGINT NOT NULL, mail_count BIGINT NOT NULL,"
    " mail_ack BIGINT NOT NULL, room_ack BIGINT NOT NULL);"
    "CREATE TABLE session (token BLOB PRIMARY KEY, user_id BIGINT NOT NULL,"
    " family BIGINT NOT NULL, port BIGINT NOT NULL, ip BLOB NOT NULL,"
    " since BIGINT NOT NULL, used BIGINT NOT NULL,"
    " login_room BIGINT NOT NULL, online BIGINT NOT NULL,"
    " ended TEXT NOT NULL, ended_at BIGINT NOT NULL,"
    " ended_from TEXT NOT NULL);"
    "CREATE INDEX session_user ON session (user_id);"
    "CREATE INDEX session_used ON session (used) WHERE ended = '';"
    "CREATE INDEX session_ended ON session (ended_at) WHERE ended <> '';"
    "CREATE TABLE lock (name TEXT PRIMARY KEY, known BIGINT NOT NULL,"
    " failures BIGINT NOT NULL, until BIGINT NOT NULL, time BIGINT NOT NULL);"
    "CREATE TABLE accepted (n INTEGER PRIMARY KEY, sender BIGINT NOT NULL,"
    " id TEXT NOT NULL, digest BLOB NOT NULL, a BIGINT NOT NULL,"
    " b BIGINT NOT NULL, time BIGINT NOT NULL, UNIQUE (sender, id));"
    "CREATE TABLE mail (user_id BIGINT NOT NULL, n BIGINT NOT NULL,"
    " type TEXT NOT NULL, other BIGINT NOT NULL, name TEXT NOT NULL,"
    " id TEXT NOT NULL, time BIGINT NOT NULL, body TEXT NOT NULL,"
    " PRIMARY KEY (user_id, n)) WITHOUT ROWID;"
    "CREATE TABLE room (n INTEGER PRIMARY KEY, user_id BIGINT NOT NULL,"
    " type TEXT NOT NULL, time BIGINT NOT NULL, only_from BIGINT NOT NULL,"
    " name TEXT NOT NULL, id TEXT NOT NULL, body TEXT NOT NULL,"
    " presence BIGINT NOT NULL);"
    "CREATE INDEX room_presence ON room (user_id, n) WHERE presence = 1;"
    "CREATE TABLE block (owner BIGINT NOT NULL, target BIGINT NOT NULL,"
    " from_n BIGINT NOT NULL, to_n BIGINT NOT NULL,"
    " PRIMARY KEY (owner, target, from_n)) WITHOUT ROWID;"
    "CREATE INDEX block_target ON block (target, to_n);"
    "CREATE INDEX block_ended ON block (to_n);";

static const char version_2[] =
    "CREATE TABLE invite (n INTEGER PRIMARY KEY, hash BLOB NOT NULL UNIQUE,"
    " hint TEXT NOT NULL UNIQUE, uses BIGINT NOT NULL,"
    " unused BIGINT NOT NULL, made BIGINT NOT NULL, ends BIGINT NOT NULL);"
    "CREATE INDEX invite_ends ON invite (ends);";

/* The beacon of a session: its id, and 64 octets, which end with it. */
static const char version_3[] =
    "ALTER TABLE session ADD COLUMN beacon BIGINT NOT NULL DEFAULT 0;"
    "ALTER TABLE session ADD COLUMN keys BLOB NOT NULL DEFAULT '';";

/*
 * Where a session takes private links; links and the questions for them; and
 * which mail passes away with its session.  That index names passing twice, or
 * the whole mailbox would be looked through instead.
 */
static const char version_4[] =
    "ALTER TABLE session ADD COLUMN peer_port BIGINT NOT NULL DEFAULT 0;"
    "ALTER TABLE session ADD COLUMN peer_key TEXT NOT NULL DEFAULT '';"
    "ALTER TABLE mail ADD COLUMN passing BIGINT NOT NULL DEFAULT 0;"
    "CREATE INDEX mail_passing ON mail (user_id, passing)"
    " WHERE passing = 1;"
    "CREATE TABLE link (request TEXT PRIMARY KEY, state BIGINT NOT NULL,"
    " ends BIGINT NOT NULL, pass TEXT NOT NULL, asker BLOB NOT NULL,"
    " asker_family BIGINT NOT NULL, asker_ip BLOB NOT NULL,"
    " asker_mail BIGINT NOT NULL, asked BLOB NOT NULL,"
    " asked_family BIGINT NOT NULL, asked_ip BLOB NOT NULL,"
    " asked_mail BIGINT NOT NULL);";

/* Each takes the database from the version that is its index to the next. */
static const char *const rungs[] = {version_1, version_2, version_3, version_4};

_Static_assert(sizeof(rungs) / sizeof(rungs[0]) == DB_VERSION,
    "a version without its rung");

/* Within a transaction of the caller's. */
static void
climb(struct db *db, int version)
{
	for (int i = version; i < DB_VERSION; i++)
		sql_script(db, rungs[i]);
	db_meta_set(db, "version", DB_VERSION);
}

void
epoch_make(char epoch[WIRE_EPOCH_LEN + 1])
{
	unsigned char octets[WIRE_EPOCH_LEN / 2];

	random_fill(octets, sizeof(octets));
	for (size_t i = 0; i < sizeof(octets); i++)
		snprintf(epoch + 2 * i, 3, "%02x", octets[i]);
}

void
schema_create(struct db *db)
{
	char epoch[WIRE_EPOCH_LEN + 1];

	sql_script(db, "BEGIN IMMEDIATE");
	climb(db, 0);
	epoch_make(epoch);
	db_meta_text_set(db, "epoch", epoch);
	sql_script(db, "COMMIT");
}

/* The whole file under another name, on the disk before this returns. */
static int
copy_aside(struct db *db, const char *path, int version, char *kept,
    size_t size, char why[256])
{
	char part[4160], suffix[16];
	struct db_copy *copy;
	int more = -1;

	snprintf(part, sizeof(part), "%s.part", path);
	snprintf(suffix, sizeof(suffix), "v%d", version);
	/* Of one who was killed at this. */
	unlink(part);
	copy = db_copy_begin(db, part, why);
	while (
	    copy != NULL && (more = db_copy_step(copy, COPY_PAGES, why)) == 1)
		continue;
	db_copy_end(copy);
	if (more == 0 &&
	    (db_file_sync(part) == -1 ||
		db_keep_as(part, path, suffix, kept, size) == -1)) {
		snprintf(why, 256, "%.160s: %s", part, strerror(errno));
		more = -1;
	}
	unlink(part);
	return more;
}

int
schema_migrate(
    struct db *db, const char *path, int version, int *status, char why[256])
{
	char kept[4200], *slash;

	if (copy_aside(db, path, version, kept, sizeof(kept), why) == -1) {
		*status = EX_IOERR;
		return -1;
	}
	sql_script(db, "BEGIN IMMEDIATE");
	climb(db, version);
	sql_script(db, "COMMIT");
	log_info("the database was of version %d and is now of version %d; "
		 "as it was it is kept in %s",
	    version, DB_VERSION, kept);
	slash = strrchr(kept, '/');
	if (slash != NULL)
		*slash = '\0';
	if (slash != NULL && db_file_sync(kept) == -1)
		log_warn("%s: %m", kept);
	return 0;
}
