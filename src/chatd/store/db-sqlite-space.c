/* SPDX-License-Identifier: ISC */
/*
 * The room that the database has: its log, the pages that it has freed, the
 * reserve, the disk.  Runs in the store; deletes nothing.
 */
#include <stdio.h>
#include <sysexits.h>

#include "chatd/store/db-sqlite.h"
#include "lib/log.h"

/*
 * Pages in the write-ahead log before they are moved to their places: 16
 * MiB, since a page that is written again meanwhile is moved once.
 */
enum {
	CHECKPOINT_FRAMES = 4000,
	CHECKPOINT_SHORT = 200, /* the log must not grow on a full disk */
};

/* Called by the library after each commit. */
static int
note_frames(void *arg, sqlite3 *sqlite, const char *name, int frames)
{
	struct db *db = arg;

	(void)sqlite;
	(void)name;
	db->frames = frames;
	return SQLITE_OK;
}

/*
 * Without space its blocks are kept, which nobody might give back: the next
 * write begins with a new header, after which nothing old in it is valid.
 */
int
space_begin(struct db *db, const char *path, int *status, char why[256])
{
	int mode = reserve_short(db->reserve) ? SQLITE_CHECKPOINT_RESTART
					      : SQLITE_CHECKPOINT_TRUNCATE;
	int code =
	    sqlite3_wal_checkpoint_v2(db->sqlite, NULL, mode, NULL, NULL);

	sqlite3_wal_hook(db->sqlite, note_frames, db);
	if (code == SQLITE_OK || code == SQLITE_FULL)
		return 0;
	*status = code == SQLITE_CORRUPT ? EX_DATAERR : EX_IOERR;
	snprintf(why, 256, "%.128s: %s", path, sqlite3_errmsg(db->sqlite));
	return -1;
}

void
db_checkpoint(struct db *db)
{
	int most =
	    reserve_short(db->reserve) ? CHECKPOINT_SHORT : CHECKPOINT_FRAMES;

	if (db->writing || db->frames < most)
		return;
	db->frames = 0;
	switch (sqlite3_wal_checkpoint_v2(
	    db->sqlite, NULL, SQLITE_CHECKPOINT_PASSIVE, NULL, NULL)) {
	case SQLITE_OK:
	case SQLITE_FULL: /* what was committed stays in the log */
		break;
	case SQLITE_BUSY:
	case SQLITE_LOCKED:
		log_warn(
		    "database: checkpoint: %s", sqlite3_errmsg(db->sqlite));
		break;
	default:
		sql_broken(db, "checkpoint");
	}
}

/* Octets of its pages: PAGES is page_count or freelist_count. */
#define OCTETS(pages)                       \
	"SELECT " pages " * page_size FROM" \
	" pragma_" pages "(), pragma_page_size()"

/* The one number of a statement that is no row; 0 if it cannot be had. */
static int64_t
octets(const struct db *db, const char *text)
{
	sqlite3_stmt *row;
	int64_t size = 0;

	if (sqlite3_prepare_v2(db->sqlite, text, -1, &row, NULL) != SQLITE_OK)
		return 0;
	if (sqlite3_step(row) == SQLITE_ROW)
		size = sqlite3_column_int64(row, 0);
	sqlite3_finalize(row);
	return size;
}

int64_t
db_size(struct db *db)
{
	return octets(db, OCTETS("page_count"));
}

/* What can still be written; freed pages stay in the file, and count. */
static int64_t
room(const struct db *db)
{
	return octets(db, OCTETS("freelist_count")) + reserve_left(db->reserve);
}

bool
db_short(const struct db *db)
{
	return reserve_short(db->reserve) && !db->roomy;
}

bool
db_exhausted(const struct db *db)
{
	return db_short(db) && room(db) <= RESERVE_PIECE;
}

bool
db_refill(struct db *db)
{
	if (reserve_fill(db->reserve))
		return true;
	/* As far apart as for the reserve, so that it does not come and go. */
	db->roomy = room(db) >= (db->roomy ? 1 : 2) * (int64_t)RESERVE_BYTES;
	return false;
}

void
space_end(struct db *db)
{
	int keep = 1;

	/* The log's blocks, see space_begin(). */
	if (db->sqlite != NULL && reserve_short(db->reserve))
		sqlite3_file_control(
		    db->sqlite, "main", SQLITE_FCNTL_PERSIST_WAL, &keep);
}
