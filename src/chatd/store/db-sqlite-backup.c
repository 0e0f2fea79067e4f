/* SPDX-License-Identifier: ISC */
/*
 * Backups as files: what must not be in one, whether one is sound, and how
 * one becomes a database again.  Used by chatctl on files that no store has
 * open; never ends the process.
 */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "chatd/store/db-sqlite.h"

enum { SQL_LEN = 1024 };

static int
give_up(sqlite3 *sqlite, const char *path, const char *text, char why[256])
{
	if (text == NULL)
		text = sqlite != NULL ? sqlite3_errmsg(sqlite) : "no memory";
	snprintf(why, 256, "%.120s: %.120s", path, text);
	sqlite3_close(sqlite);
	return -1;
}

/*
 * Opens a file that is there; what is in it is not trusted to be ours.
 * Careful: what cannot be read stays as it is, with its log.
 */
static int
open_backup(const char *path, bool careful, sqlite3 **sqlite, char why[256])
{
	static const char first[] = "PRAGMA trusted_schema = OFF;"
				    "PRAGMA locking_mode = EXCLUSIVE;"
				    "PRAGMA synchronous = FULL;"
				    "PRAGMA secure_delete = ON;"
				    "SELECT count(*) FROM sqlite_master";

	*sqlite = NULL;
	sqlite3_initialize();
	if (sqlite3_open_v2(path, sqlite, SQLITE_OPEN_READWRITE, NULL) ==
		SQLITE_OK &&
	    sqlite3_db_config(*sqlite, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE,
		(int)careful, (int *)NULL) == SQLITE_OK &&
	    sqlite3_exec(*sqlite, first, NULL, NULL, NULL) == SQLITE_OK)
		return 0;
	return give_up(*sqlite, path, NULL, why);
}

/* The first column of the first row as text; false if there is none. */
static bool
value(sqlite3 *sqlite, const char *sql, char *out, size_t size)
{
	sqlite3_stmt *row = NULL;
	bool found = false;

	out[0] = '\0';
	if (sqlite3_prepare_v2(sqlite, sql, -1, &row, NULL) == SQLITE_OK &&
	    sqlite3_step(row) == SQLITE_ROW) {
		sql_text(row, 0, out, size);
		found = true;
	}
	sqlite3_finalize(row);
	return found;
}

static int64_t
number(sqlite3 *sqlite, const char *sql)
{
	char text[32];
	int64_t got = 0;

	if (!value(sqlite, sql, text, sizeof(text)) ||
	    sscanf(text, "%" SCNd64, &got) != 1)
		return 0;
	return got;
}

static void
describe(sqlite3 *sqlite, struct db_backup *out)
{
	out->made =
	    number(sqlite, "SELECT value FROM meta WHERE key = 'backup'");
	out->version =
	    number(sqlite, "SELECT value FROM meta WHERE key = 'version'");
	out->users =
	    number(sqlite, "SELECT count(*) FROM users WHERE state <> 2");
}

int
db_backup_seal(
    const char *path, int64_t now, struct db_backup *out, char why[256])
{
	/*
	 * Whoever was online is so no more in what will be restored: the room
	 * log says it, as it would of one who fell silent.
	 */
	static const char seal[] =
	    "PRAGMA journal_mode = DELETE;"
	    "BEGIN IMMEDIATE;"
	    "INSERT INTO room (n, user_id, type, time, only_from, name, id,"
	    " body, presence) SELECT coalesce((SELECT CAST(value AS INTEGER)"
	    " FROM meta WHERE key = 'room_head'), 0)"
	    " + row_number() OVER (ORDER BY s.user_id), s.user_id, 'logout',"
	    " %" PRId64 ", 0, u.name, '', 'timeout', 1"
	    " FROM session s JOIN users u ON u.id = s.user_id"
	    " WHERE s.ended = '' AND s.online <> 0;"
	    "INSERT INTO meta (key, value)"
	    " SELECT 'room_head', max(n) FROM room WHERE true"
	    " GROUP BY 1 HAVING max(n) > coalesce((SELECT CAST(value AS"
	    " INTEGER) FROM meta WHERE key = 'room_head'), 0)"
	    " ON CONFLICT (key) DO UPDATE SET value = excluded.value;"
	    "DELETE FROM session;"
	    "DELETE FROM link;"
	    "DELETE FROM mail WHERE passing = 1;"
	    "INSERT INTO meta (key, value) VALUES ('backup', '%" PRId64 "');"
	    "COMMIT;"
	    /* What was deleted is still in the file, until it is made anew. */
	    "VACUUM;";
	char sql[sizeof(seal) + 64];
	sqlite3 *sqlite;

	snprintf(sql, sizeof(sql), seal, now, now);
	if (open_backup(path, false, &sqlite, why) == -1)
		return -1;
	if (sqlite3_exec(sqlite, sql, NULL, NULL, NULL) != SQLITE_OK)
		return give_up(sqlite, path, NULL, why);
	describe(sqlite, out);
	sqlite3_close(sqlite);
	return 0;
}

int
db_backup_check(const char *path, struct db_backup *out, char why[256])
{
	char text[128];
	sqlite3 *sqlite;

	if (open_backup(path, false, &sqlite, why) == -1)
		return -1;
	describe(sqlite, out);
	if (out->made == 0 || out->version < 1)
		return give_up(
		    sqlite, path, "this is no backup of a centre", why);
	if (out->version > DB_VERSION)
		return give_up(sqlite, path,
		    "this backup is of a newer version; install the newer "
		    "chatd",
		    why);
	if (!value(sqlite, "PRAGMA quick_check(1)", text, sizeof(text)))
		return give_up(sqlite, path, NULL, why);
	if (strcmp(text, "ok") != 0)
		return give_up(sqlite, path, text, why);
	sqlite3_close(sqlite);
	return 0;
}

int
db_backup_revive(const char *path, char why[256])
{
	char epoch[WIRE_EPOCH_LEN + 1], sql[SQL_LEN];
	sqlite3 *sqlite;

	epoch_make(epoch);
	snprintf(sql, sizeof(sql),
	    "BEGIN IMMEDIATE;"
	    "DELETE FROM session;"
	    "DELETE FROM meta WHERE key = 'backup';"
	    "UPDATE meta SET value = '%s' WHERE key = 'epoch';"
	    "COMMIT;",
	    epoch);
	if (open_backup(path, false, &sqlite, why) == -1)
		return -1;
	if (sqlite3_exec(sqlite, sql, NULL, NULL, NULL) != SQLITE_OK)
		return give_up(sqlite, path, NULL, why);
	sqlite3_close(sqlite);
	return 0;
}

int
db_backup_settle(const char *path, char why[256])
{
	sqlite3 *sqlite;

	if (open_backup(path, true, &sqlite, why) == -1)
		return -1;
	if (sqlite3_wal_checkpoint_v2(sqlite, NULL, SQLITE_CHECKPOINT_TRUNCATE,
		NULL, NULL) != SQLITE_OK)
		return give_up(sqlite, path, NULL, why);
	/* Now whoever closes it takes the empty log away. */
	sqlite3_db_config(
	    sqlite, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 0, (int *)NULL);
	sqlite3_close(sqlite);
	return 0;
}
