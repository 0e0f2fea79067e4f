/* SPDX-License-Identifier: ISC */
/*
 * The SQLite backend's invitations: codes by their hash, and how many uses
 * are left.  Used by the store alone.
 */
#include "chatd/store/db-sqlite.h"

int
db_invite_add(struct db *db, const uint8_t hash[DB_HASH_LEN],
    const struct db_invite *invite)
{
	sql_run(db,
	    sql(db, SQL_INVITE_ADD, "htiiii", hash, invite->hint, invite->uses,
		invite->unused, invite->made, invite->ends));
	return sqlite3_changes(db->sqlite) != 0;
}

int
db_invite_holds(struct db *db, const uint8_t hash[DB_HASH_LEN], int64_t now)
{
	return sql_number(db, sql(db, SQL_INVITE_HOLDS, "hi", hash, now)) != 0;
}

int
db_invite_spend(struct db *db, const uint8_t hash[DB_HASH_LEN], int64_t now)
{
	sql_run(db, sql(db, SQL_INVITE_SPEND, "hi", hash, now));
	return sqlite3_changes(db->sqlite) != 0;
}

int
db_invite_next(struct db *db, int64_t after, struct db_invite *invite)
{
	sqlite3_stmt *row = sql(db, SQL_INVITE_NEXT, "i", after);

	if (!sql_step(db, row))
		return 0;
	invite->number = sqlite3_column_int64(row, 0);
	sql_text(row, 1, invite->hint, sizeof(invite->hint));
	invite->uses = sqlite3_column_int64(row, 2);
	invite->unused = sqlite3_column_int64(row, 3);
	invite->made = sqlite3_column_int64(row, 4);
	invite->ends = sqlite3_column_int64(row, 5);
	sqlite3_reset(row);
	return 1;
}

int
db_invite_revoke(struct db *db, const char *hint)
{
	sql_run(db, sql(db, SQL_INVITE_REVOKE, "t", hint));
	return sqlite3_changes(db->sqlite) != 0;
}

int
db_invites_prune(struct db *db, int64_t before, int limit)
{
	sql_run(db, sql(db, SQL_INVITE_PRUNE, "ii", before, (int64_t)limit));
	return sqlite3_changes(db->sqlite);
}
