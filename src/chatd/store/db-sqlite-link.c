/* SPDX-License-Identifier: ISC */
/*
 * The SQLite backend: private links and the questions for them, so that they
 * outlive the store's process.  Used by the store alone; no backup holds any
 * of it.
 */
#include <string.h>

#include "chatd/store/db-sqlite.h"

/* An address's octets; zeros where the column has another length. */
static void
take_address(sqlite3_stmt *row, int column, struct ipc_address *out)
{
	memset(out, 0, sizeof(*out));
	out->family = (uint16_t)sqlite3_column_int(row, column);
	if (sqlite3_column_bytes(row, column + 1) == (int)sizeof(out->ip))
		memcpy(out->ip, sqlite3_column_blob(row, column + 1),
		    sizeof(out->ip));
}

static void
take_token(sqlite3_stmt *row, int column, uint8_t out[DB_HASH_LEN])
{
	memset(out, 0, DB_HASH_LEN);
	if (sqlite3_column_bytes(row, column) == DB_HASH_LEN)
		memcpy(out, sqlite3_column_blob(row, column), DB_HASH_LEN);
}

static void
take_end(sqlite3_stmt *row, int column, struct db_link_end *out)
{
	take_token(row, column, out->token);
	take_address(row, column + 1, &out->host);
	out->mail = sqlite3_column_int64(row, column + 3);
}

void
db_link_each(
    struct db *db, void (*fn)(void *arg, const struct db_link *), void *arg)
{
	sqlite3_stmt *row = sql(db, SQL_LINK_EACH, "");
	struct db_link link;

	while (sql_step(db, row)) {
		memset(&link, 0, sizeof(link));
		sql_text(row, 0, link.request, sizeof(link.request));
		link.state = sqlite3_column_int(row, 1);
		link.ends = sqlite3_column_int64(row, 2);
		sql_text(row, 3, link.pass, sizeof(link.pass));
		take_end(row, 4, &link.end[0]);
		take_end(row, 8, &link.end[1]);
		fn(arg, &link);
	}
}

void
db_link_put(struct db *db, const struct db_link *link)
{
	const struct db_link_end *asker = &link->end[0], *asked = &link->end[1];

	sql_run(db,
	    sql(db, SQL_LINK_PUT,
		"tiit"
		"hiai"
		"hiai",
		link->request, (int64_t)link->state, link->ends, link->pass,
		asker->token, (int64_t)asker->host.family, asker->host.ip,
		asker->mail, asked->token, (int64_t)asked->host.family,
		asked->host.ip, asked->mail));
}

void
db_link_drop(struct db *db, const char *request)
{
	sql_run(db, sql(db, SQL_LINK_DROP, "t", request));
}

void
db_mail_drop_passing(struct db *db, int64_t user)
{
	sql_run(db, sql(db, SQL_MAIL_PASSED, "i", user));
}

void
db_session_from(struct db *db, const uint8_t token[DB_HASH_LEN],
    const struct ipc_address *from)
{
	sql_run(db,
	    sql(db, SQL_SESSION_FROM, "iiah", (int64_t)from->family,
		(int64_t)from->port, from->ip, token));
}
