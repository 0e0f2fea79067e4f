/* SPDX-License-Identifier: ISC */
/*
 * Short ways to speak SQL with the book's database: statements, values,
 * rows, and SQLite's reason where something fails.  Runs in whoever has the
 * book open; knows nothing of what is in it.
 */
#include "chat/agent/book-parts.h"

#include <stdarg.h>
#include <stdio.h>

/* Keeps SQLite's reason and returns -1. */
int
book_broken(struct book *book, const char *what)
{
	int code = sqlite3_errcode(book->db) & 0xff;

	/* What came of the damage says nothing new. */
	if (book->damaged)
		return -1;
	if (code == SQLITE_CORRUPT || code == SQLITE_NOTADB)
		return book_damaged(book, sqlite3_errmsg(book->db));
	/* SQLite does not keep the reason: full is the only one it tells. */
	snprintf(book->why, sizeof(book->why), "%.300s: %s: %s%s", book->path,
	    what, sqlite3_errmsg(book->db),
	    code == SQLITE_IOERR
		? "; a broken disk, or a limit on the size of files"
		: "");
	return -1;
}

/* Runs statements without values. */
int
book_run(struct book *book, const char *sql)
{
	if (sqlite3_exec(book->db, sql, NULL, NULL, NULL) == SQLITE_OK)
		return 0;
	return book_broken(book, "cannot be written");
}

/*
 * A statement with its values: for each letter of types one argument, 'i'
 * an int64_t and 's' a string (its bytes must outlive the statement).
 */
static sqlite3_stmt *
prepare_list(
    struct book *book, const char *sql, const char *types, va_list args)
{
	sqlite3_stmt *stmt = NULL;
	int status = SQLITE_OK;

	if (sqlite3_prepare_v2(book->db, sql, -1, &stmt, NULL) != SQLITE_OK) {
		book_broken(book, "cannot be read");
		return NULL;
	}
	for (int i = 0; types[i] != '\0' && status == SQLITE_OK; i++)
		status = types[i] == 'i'
		    ? sqlite3_bind_int64(stmt, i + 1, va_arg(args, int64_t))
		    : sqlite3_bind_text(stmt, i + 1, va_arg(args, const char *),
			  -1, SQLITE_STATIC);
	if (status == SQLITE_OK)
		return stmt;
	book_broken(book, "cannot be read");
	sqlite3_finalize(stmt);
	return NULL;
}

sqlite3_stmt *
book_prepare(struct book *book, const char *sql, const char *types, ...)
{
	sqlite3_stmt *stmt;
	va_list args;

	va_start(args, types);
	stmt = prepare_list(book, sql, types, args);
	va_end(args);
	return stmt;
}

/* Runs one statement to its end. */
int
book_change(struct book *book, const char *sql, const char *types, ...)
{
	sqlite3_stmt *stmt;
	va_list args;
	int status;

	va_start(args, types);
	stmt = prepare_list(book, sql, types, args);
	va_end(args);
	if (stmt == NULL)
		return -1;
	while ((status = sqlite3_step(stmt)) == SQLITE_ROW)
		continue;
	if (status != SQLITE_DONE)
		book_broken(book, "cannot be written");
	sqlite3_finalize(stmt);
	return status == SQLITE_DONE ? 0 : -1;
}

/* A column as a string; "" for NULL. */
const char *
book_column(sqlite3_stmt *stmt, int i)
{
	const char *text = (const char *)sqlite3_column_text(stmt, i);

	return text != NULL ? text : "";
}

/* A row from the columns of BOOK_ROW. */
struct book_row
book_row_read(sqlite3_stmt *stmt)
{
	return (struct book_row){
	    .number = sqlite3_column_int64(stmt, 0),
	    .kind = (enum book_kind)sqlite3_column_int(stmt, 1),
	    .state = (enum book_state)sqlite3_column_int(stmt, 2),
	    .time = sqlite3_column_int64(stmt, 3),
	    .author = book_column(stmt, 4),
	    .recipient = book_column(stmt, 5),
	    .id = book_column(stmt, 6),
	    .text = book_column(stmt, 7),
	    .reason = book_column(stmt, 8),
	};
}

/* Ends a SELECT: its outcome from the last step's status. */
int
book_finish(struct book *book, sqlite3_stmt *stmt, int status)
{
	if (status != SQLITE_DONE && status != SQLITE_ROW)
		book_broken(book, "cannot be read");
	sqlite3_finalize(stmt);
	return status == SQLITE_DONE || status == SQLITE_ROW ? 0 : -1;
}

/* One number out of the database. */
int
book_number(struct book *book, const char *sql, int64_t *out)
{
	sqlite3_stmt *stmt = book_prepare(book, sql, "");
	int status;

	if (stmt == NULL)
		return -1;
	status = sqlite3_step(stmt);
	*out = status == SQLITE_ROW ? sqlite3_column_int64(stmt, 0) : 0;
	return book_finish(book, stmt, status);
}
