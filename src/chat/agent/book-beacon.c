/* SPDX-License-Identifier: ISC */
/*
 * The beacon's part of the book: its keys, as secret as the token, and the
 * counters that are reserved.  Runs in the agent; says nothing as stored
 * that is not on the disk.
 */
#include "chat/agent/book-beacon.h"

#include <string.h>

#include "chat/agent/book-parts.h"

/* Takes the keys out of a row; false if they are none. */
static bool
row_read(sqlite3_stmt *stmt, struct book_beacon *beacon)
{
	const char *id = (const char *)sqlite3_column_text(stmt, 0);
	const void *keys = sqlite3_column_blob(stmt, 1);
	int64_t end = sqlite3_column_int64(stmt, 2);

	if (id == NULL || strlen(id) != BEACON_ID_TEXT ||
	    !beacon_id_parse(id, &beacon->id) || keys == NULL ||
	    sqlite3_column_bytes(stmt, 1) != sizeof(beacon->keys) || end < 0)
		return false;
	memcpy(&beacon->keys, keys, sizeof(beacon->keys));
	beacon->end = (uint64_t)end;
	beacon->spread = sqlite3_column_int64(stmt, 3);
	return true;
}

/* The beacon of the session that the book knows. */
int
book_beacon(struct book *book, struct book_beacon *beacon)
{
	sqlite3_stmt *stmt = NULL;
	bool found = false;
	int status;

	memset(beacon, 0, sizeof(*beacon));
	if (sqlite3_prepare_v2(book->db,
		"SELECT id, keys, counters, spread FROM beacon", -1, &stmt,
		NULL) != SQLITE_OK)
		return -1;
	status = sqlite3_step(stmt);
	if (status == SQLITE_ROW)
		found = row_read(stmt, beacon);
	sqlite3_finalize(stmt);
	return status != SQLITE_ROW && status != SQLITE_DONE ? -1 : found;
}

/* Runs a statement whose values are bound; it is over then. */
static int
run(sqlite3_stmt *stmt, int bound)
{
	int status = bound == SQLITE_OK ? sqlite3_step(stmt) : bound;

	sqlite3_finalize(stmt);
	return status == SQLITE_DONE ? 0 : -1;
}

/* That of a login. */
int
book_beacon_set(struct book *book, const struct book_beacon *beacon)
{
	char id[BEACON_ID_TEXT + 1];
	sqlite3_stmt *stmt = NULL;
	int bound;

	if (sqlite3_prepare_v2(book->db,
		"INSERT OR REPLACE INTO beacon"
		" (only, id, keys, counters, spread) VALUES (1, ?, ?, ?, ?)",
		-1, &stmt, NULL) != SQLITE_OK)
		return -1;
	beacon_id_text(beacon->id, id);
	bound = sqlite3_bind_text(stmt, 1, id, -1, SQLITE_STATIC);
	if (bound == SQLITE_OK)
		bound = sqlite3_bind_blob(stmt, 2, &beacon->keys,
		    sizeof(beacon->keys), SQLITE_STATIC);
	if (bound == SQLITE_OK)
		bound = sqlite3_bind_int64(stmt, 3, (int64_t)beacon->end);
	if (bound == SQLITE_OK)
		bound = sqlite3_bind_int64(stmt, 4, beacon->spread);
	return run(stmt, bound);
}

/* Counters below end are reserved. */
int
book_beacon_reserve(struct book *book, uint64_t end)
{
	sqlite3_stmt *stmt = NULL;

	if (sqlite3_prepare_v2(book->db, "UPDATE beacon SET counters = ?", -1,
		&stmt, NULL) != SQLITE_OK)
		return -1;
	if (run(stmt, sqlite3_bind_int64(stmt, 1, (int64_t)end)) == -1)
		return -1;
	/* Without its row a counter would be reserved nowhere. */
	return sqlite3_changes(book->db) == 1 ? 0 : -1;
}
