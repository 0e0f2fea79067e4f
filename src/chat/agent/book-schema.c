/* SPDX-License-Identifier: ISC */
/*
 * The book's tables, the way from older ones to them, and what is done with
 * a file that is no book any more.  Runs in whoever opens the book; must
 * never destroy what it cannot read.
 */
#include "chat/agent/book-parts.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

enum { APPLICATION_ID = 0x63686174 }; /* "chat" */
static const char schema[] =
    "BEGIN IMMEDIATE;"
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
    "PRAGMA user_version = 1;"
    "COMMIT;";

/* What each version has that the one before had not. */
static const char *const upgrades[BOOK_VERSION + 1] = {
    /* The words of what was said; a text never changes, nor does it go. */
    [2] = "BEGIN IMMEDIATE;"
	  "CREATE VIRTUAL TABLE words USING fts5 ("
	  " text, content = 'history', content_rowid = 'number');"
	  "INSERT INTO words (rowid, text)"
	  " SELECT number, text FROM history WHERE kind <= 2;"
	  "CREATE TRIGGER history_words AFTER INSERT ON history"
	  " WHEN new.kind <= 2 BEGIN"
	  " INSERT INTO words (rowid, text) VALUES (new.number, new.text);"
	  " END;"
	  "PRAGMA user_version = 2;"
	  "COMMIT;",
};

/* Moves a file of the book aside; 0 if it is not there. */
static int
aside_one(const char *path, const char *suffix, const char *stamp)
{
	char from[4096], to[4096];

	if ((size_t)snprintf(from, sizeof(from), "%s%s", path, suffix) >=
		sizeof(from) ||
	    (size_t)snprintf(to, sizeof(to), "%s.damaged-%s%s", path, stamp,
		suffix) >= sizeof(to))
		return -1;
	return rename(from, to) == -1 && errno != ENOENT ? -1 : 0;
}

/* A damaged book is kept for its owner, under another name. */
void
book_aside(const char *path, char why[BOOK_WHY_LEN])
{
	char stamp[32];
	time_t now = time(NULL);
	struct tm tm;

	localtime_r(&now, &tm);
	strftime(stamp, sizeof(stamp), "%Y%m%d-%H%M%S", &tm);
	if (aside_one(path, "", stamp) == -1 ||
	    aside_one(path, "-wal", stamp) == -1 ||
	    aside_one(path, "-shm", stamp) == -1) {
		snprintf(why, BOOK_WHY_LEN,
		    "%.300s is damaged and cannot be moved aside: %s", path,
		    strerror(errno));
		return;
	}
	snprintf(why, BOOK_WHY_LEN,
	    "%.300s was damaged and has been moved aside to "
	    "%.300s.damaged-%s; the next start begins a new one",
	    path, path, stamp);
}

/* Brings a book of an older version up to this one. */
static int
upgrade(struct book *book, int64_t version)
{
	int result = 0;

	while (result == 0 && version < BOOK_VERSION)
		result = book_run(book, upgrades[++version]);
	if (result == -1 && !sqlite3_get_autocommit(book->db))
		sqlite3_exec(book->db, "ROLLBACK", NULL, NULL, NULL);
	return result;
}

/* Is the file a book of this version, empty, or something else? */
int
book_schema(struct book *book)
{
	int64_t version, application;

	if (book_number(book, "PRAGMA user_version", &version) == -1 ||
	    book_number(book, "PRAGMA application_id", &application) == -1)
		return -1;
	if (version == 0 && application == 0)
		return book_run(book, schema) == -1 ? -1 : upgrade(book, 1);
	if (application == APPLICATION_ID && version > 0 &&
	    version <= BOOK_VERSION)
		return upgrade(book, version);
	snprintf(book->why, sizeof(book->why),
	    application == APPLICATION_ID
		? "%.300s is of a newer version of chat"
		: "%.300s is the database of another program",
	    book->path);
	return -1;
}
