/* SPDX-License-Identifier: ISC */
/*
 * What the files of the book share, and nobody else includes: the database
 * behind it and short ways to speak SQL with it.
 */
#ifndef CHAT_AGENT_BOOK_PARTS_H
#define CHAT_AGENT_BOOK_PARTS_H

#include <sqlite3.h>

#include "chat/agent/book.h"

struct book {
	sqlite3 *db;
	char *path;
	char user[NAME_MAX_LEN + 1];
	char why[BOOK_WHY_LEN];
	char *lock; /* of the one who owns the book; NULL: that is us */
	int lock_fd; /* of a visitor who has to move the book aside, or -1 */
	bool damaged;
	char *aside; /* where it goes when it is closed, or NULL */
};

/* The columns that book_row_read() takes. */
#define BOOK_ROW \
	"number, kind, state, time, author, recipient, id, text, reason"

/* ---- book-sql.c: -1 and NULL come with a sentence in why */

/* Keeps SQLite's reason and returns -1. */
int book_broken(struct book *book, const char *what);

/* Runs statements without values. */
int book_run(struct book *book, const char *sql);

/*
 * A statement with its values: for each letter of types one argument, 'i'
 * an int64_t and 's' a string (its bytes must outlive the statement).
 */
sqlite3_stmt *book_prepare(
    struct book *book, const char *sql, const char *types, ...);

/* Runs one statement to its end. */
int book_change(struct book *book, const char *sql, const char *types, ...);

/* A column as a string; "" for NULL. */
const char *book_column(sqlite3_stmt *stmt, int i);

/* A row from the columns of BOOK_ROW; its strings are the statement's. */
struct book_row book_row_read(sqlite3_stmt *stmt);

/* Ends a SELECT: its outcome from the last step's status. */
int book_finish(struct book *book, sqlite3_stmt *stmt, int status);

/* One number out of the database; 0 where there is none. */
int book_number(struct book *book, const char *sql, int64_t *out);

/* ---- book-history.c */

/*
 * Takes words apart: those for the index as one expression, and the others,
 * a line each, that a text has to hold somewhere.  -1 without memory.
 */
int book_split_words(const char *words, char **match, char **parts);

/* SQL's holds_all(text, parts): the text has each line of parts in it. */
void book_holds_all(
    sqlite3_context *context, int count, sqlite3_value **values);

/* ---- book-schema.c */

/* Makes the tables, or brings those of an older version up to this one. */
int book_schema(struct book *book);

/* ---- book-damage.c */

/* Reads the whole file and says whether it is sound. */
int book_check(struct book *book);

/* The file is no book any more: it will be kept aside.  Returns -1. */
int book_damaged(struct book *book, const char *reason);

/* Moves a damaged book, which nobody has open any more, aside. */
int book_aside(struct book *book);

#endif
