/* SPDX-License-Identifier: ISC */
/*
 * The book's tables, and the way from older ones to them.  Runs in whoever
 * opens the book; must never touch a database that it does not know.
 */
#include "chat/agent/book-beacon.h"
#include "chat/agent/book-link.h"
#include "chat/agent/book-parts.h"
#include "chat/agent/book-talk.h"

#include <stdio.h>

enum { APPLICATION_ID = 0x63686174 }; /* "chat" */

static const char schema[] =
    "CREATE TABLE place ("
    " only INTEGER PRIMARY KEY CHECK (only = 1),"
    " token TEXT NOT NULL, epoch TEXT NOT NULL,"
    " mail INTEGER NOT NULL, room INTEGER NOT NULL);"
    "INSERT INTO place VALUES (1, '', '', 0, 0);"
    "CREATE TABLE history ("
    " number INTEGER PRIMARY KEY AUTOINCREMENT,"
    " kind INTEGER NOT NULL, state INTEGER NOT NULL,"
    " time INTEGER NOT NULL,"
    " author TEXT NOT NULL, recipient TEXT NOT NULL,"
    " id TEXT NOT NULL, text TEXT NOT NULL,"
    " reason TEXT, shown INTEGER NOT NULL,"
    " UNIQUE (author, id, recipient));"
    "CREATE INDEX history_queued ON history (number) WHERE state = 1;"
    "CREATE INDEX history_news ON history (number) WHERE shown = 0;"
    "PRAGMA application_id = 0x63686174;"
    "PRAGMA user_version = 1;";

/* What each version has that the one before had not. */
static const char *const upgrades[BOOK_VERSION + 1] = {
    /* The words of what was said; a text never changes, nor does it go. */
    [1] = schema,
    [2] = "CREATE VIRTUAL TABLE words USING fts5 ("
	  " text, content = 'history', content_rowid = 'number');"
	  "INSERT INTO words (rowid, text)"
	  " SELECT number, text FROM history WHERE kind <= 2;"
	  "CREATE TRIGGER history_words AFTER INSERT ON history"
	  " WHEN new.kind <= 2 BEGIN"
	  " INSERT INTO words (rowid, text) VALUES (new.number, new.text);"
	  " END;"
	  "PRAGMA user_version = 2;",
    [3] = BOOK_BEACON_RUNG,
    [4] = BOOK_LINK_RUNG,
    [5] = BOOK_TALK_RUNG,
};

/* What the file says it is; -1 if nothing can be read. */
static int
identity(struct book *book, int64_t *version, int64_t *application)
{
	return book_number(book, "PRAGMA user_version", version) == -1 ||
		book_number(book, "PRAGMA application_id", application) == -1
	    ? -1
	    : 0;
}

/* Is it ours to write to?  A new file is empty and says nothing. */
static int
recognize(struct book *book, int64_t version, int64_t application)
{
	int64_t tables;

	if (application == APPLICATION_ID && version > BOOK_VERSION) {
		snprintf(book->why, sizeof(book->why),
		    "%.300s was written by a newer chat: use that one, or "
		    "another --state",
		    book->path);
		return -1;
	}
	if (application == APPLICATION_ID && version > 0)
		return 0;
	if (book_number(book, "SELECT count(*) FROM sqlite_master", &tables) ==
	    -1)
		return -1;
	return version == 0 && application == 0 && tables == 0
	    ? 0
	    : book_damaged(book, "it is the database of another program");
}

/*
 * Brings a new file or one of an older version up to this one, in one step.
 * Another process may have done so by the time that we may write.
 */
static int
climb(struct book *book)
{
	int64_t version, application;
	int result = book_run(book, "BEGIN IMMEDIATE");

	if (result == 0)
		result = identity(book, &version, &application);
	while (result == 0 && version < BOOK_VERSION)
		result = book_run(book, upgrades[++version]);
	if (result == 0)
		result = book_run(book, "COMMIT");
	if (result == -1 && !sqlite3_get_autocommit(book->db))
		sqlite3_exec(book->db, "ROLLBACK", NULL, NULL, NULL);
	return result;
}

/* Makes the tables, or brings older ones up to this version. */
int
book_schema(struct book *book)
{
	int64_t version, application;

	if (identity(book, &version, &application) == -1 ||
	    recognize(book, version, application) == -1)
		return -1;
	return version < BOOK_VERSION ? climb(book) : 0;
}
