/* SPDX-License-Identifier: ISC */
/*
 * Private messages in the book: sent, kept, left at the centre, received.
 * Runs in the agent; must never put one into the outbox by itself.
 */
#include "chat/agent/book-private.h"

#include "chat/agent/book-parts.h"

/* Writes an own one down as being sent. */
int
book_private(struct book *book, const char *id, const char *recipient,
    const char *text, int64_t time, int64_t *number)
{
	if (book_change(book,
		"INSERT INTO history (kind, state, time, author, recipient, "
		"id, text, shown) VALUES (?, ?, ?, ?, ?, ?, ?, 1) "
		"ON CONFLICT (author, id, recipient) DO NOTHING",
		"iiissss", (int64_t)BOOK_PRIVATE, (int64_t)BOOK_CALLING, time,
		book->user, recipient, id, text) == -1)
		return -1;
	*number = sqlite3_last_insert_rowid(book->db);
	return sqlite3_changes(book->db) == 0;
}

/* What became of it. */
int
book_private_settle(struct book *book, int64_t number, enum book_state state,
    const char *reason)
{
	return book_change(book,
	    "UPDATE history SET state = ?, reason = ? "
	    "WHERE number = ? AND state >= 5",
	    "isi", (int64_t)state, reason, number);
}

/* What an agent of before was about to send is kept. */
int
book_private_stop(struct book *book)
{
	return book_change(book,
	    "UPDATE history SET state = 6, reason = 'lost' WHERE state >= 5 "
	    "AND state = 5",
	    "");
}

/* Stores what somebody else sent. */
int
book_private_in(struct book *book, const char *author, const char *id,
    const char *text, int64_t time)
{
	if (book_change(book,
		"INSERT INTO history (kind, state, time, author, recipient, "
		"id, text, shown) VALUES (?, 0, ?, ?, '', ?, ?, 0) "
		"ON CONFLICT (author, id, recipient) DO NOTHING",
		"iisss", (int64_t)BOOK_PRIVATE, time, author, id, text) == -1)
		return -1;
	return sqlite3_changes(book->db) > 0;
}

/* Tells of all that is kept for a user; how many, or -1. */
static int
kept(struct book *book, const char *recipient,
    void (*fn)(void *arg, const struct book_row *row), void *arg)
{
	sqlite3_stmt *stmt = book_prepare(book,
	    "SELECT " BOOK_ROW
	    " FROM history WHERE state >= 5 AND state = 6 AND "
	    "recipient = ? ORDER BY number",
	    "s", recipient);
	struct book_row row;
	int status, count = 0;

	if (stmt == NULL)
		return -1;
	while ((status = sqlite3_step(stmt)) == SQLITE_ROW) {
		row = book_row_read(stmt);
		fn(arg, &row);
		count++;
	}
	return book_finish(book, stmt, status) == -1 ? -1 : count;
}

/* What is kept for a user becomes queued. */
int
book_private_leave(struct book *book, const char *recipient,
    void (*fn)(void *arg, const struct book_row *row), void *arg)
{
	int count, result = book_run(book, "BEGIN IMMEDIATE");

	if (result == -1)
		return -1;
	count = kept(book, recipient, fn, arg);
	if (count == -1 ||
	    book_change(book,
		"UPDATE history SET state = 1, kind = 0, reason = NULL "
		"WHERE state >= 5 AND state = 6 AND recipient = ?",
		"s", recipient) == -1 ||
	    book_run(book, "COMMIT") == -1)
		result = -1;
	if (result == -1 && !sqlite3_get_autocommit(book->db))
		sqlite3_exec(book->db, "ROLLBACK", NULL, NULL, NULL);
	return result == -1 ? -1 : count;
}
