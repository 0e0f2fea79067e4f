/* SPDX-License-Identifier: ISC */
/*
 * The client's database.  The agent alone opens it.  Knows no clock; what it
 * reports as stored is on the disk.
 */
#include "chat/agent/book-beacon.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <sqlite3.h>

enum { APPLICATION_ID = 0x63686174 }; /* "chat" */

struct book {
	sqlite3 *db;
	char *path;
	char user[NAME_MAX_LEN + 1];
	char why[BOOK_WHY_LEN];
};

static const char schema[] =
    "BEGIN IMMEDIATE;"
    "CREATE TABLE place ("
    " only INTEGER PRIMARY KEY CHECK (only = 1),"
    " token TEXT NOT NULL, epoch TEXT NOT NULL,"
    " mail INTEGER NOT NULL, room INTEGER NOT NULL);"
    "INSERT INTO place VALUES (1, '', '', 0, 0);"
    "CREATE TABLE history ("
    " number INTEGER PRIMARY KEY AUTOINCREMENT,"
    " kind INTEGER NOT NULL, state INTEGER NOT NULL, time INTEGER NOT NULL,"
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
    [3] = BOOK_BEACON_RUNG,
};

#define ROW "number, kind, state, time, author, recipient, id, text, reason"

/* Keeps SQLite's reason and returns -1. */
static int
broken(struct book *book, const char *what)
{
	snprintf(book->why, sizeof(book->why), "%.300s: %s: %s", book->path,
	    what, sqlite3_errmsg(book->db));
	return -1;
}

/* Runs statements without values. */
static int
run(struct book *book, const char *sql)
{
	if (sqlite3_exec(book->db, sql, NULL, NULL, NULL) == SQLITE_OK)
		return 0;
	return broken(book, "cannot be written");
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
		broken(book, "cannot be read");
		return NULL;
	}
	for (int i = 0; types[i] != '\0' && status == SQLITE_OK; i++)
		status = types[i] == 'i'
		    ? sqlite3_bind_int64(stmt, i + 1, va_arg(args, int64_t))
		    : sqlite3_bind_text(stmt, i + 1, va_arg(args, const char *),
			  -1, SQLITE_STATIC);
	if (status == SQLITE_OK)
		return stmt;
	broken(book, "cannot be read");
	sqlite3_finalize(stmt);
	return NULL;
}

static sqlite3_stmt *
prepare(struct book *book, const char *sql, const char *types, ...)
{
	sqlite3_stmt *stmt;
	va_list args;

	va_start(args, types);
	stmt = prepare_list(book, sql, types, args);
	va_end(args);
	return stmt;
}

/* Runs one statement to its end. */
static int
change(struct book *book, const char *sql, const char *types, ...)
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
		broken(book, "cannot be written");
	sqlite3_finalize(stmt);
	return status == SQLITE_DONE ? 0 : -1;
}

/* A column as a string; "" for NULL. */
static const char *
column(sqlite3_stmt *stmt, int i)
{
	const char *text = (const char *)sqlite3_column_text(stmt, i);

	return text != NULL ? text : "";
}

/* A row from the columns of ROW. */
static struct book_row
row_read(sqlite3_stmt *stmt)
{
	return (struct book_row){
	    .number = sqlite3_column_int64(stmt, 0),
	    .kind = (enum book_kind)sqlite3_column_int(stmt, 1),
	    .state = (enum book_state)sqlite3_column_int(stmt, 2),
	    .time = sqlite3_column_int64(stmt, 3),
	    .author = column(stmt, 4),
	    .recipient = column(stmt, 5),
	    .id = column(stmt, 6),
	    .text = column(stmt, 7),
	    .reason = column(stmt, 8),
	};
}

/* Ends a SELECT: its outcome from the last step's status. */
static int
finish(struct book *book, sqlite3_stmt *stmt, int status)
{
	if (status != SQLITE_DONE && status != SQLITE_ROW)
		broken(book, "cannot be read");
	sqlite3_finalize(stmt);
	return status == SQLITE_DONE || status == SQLITE_ROW ? 0 : -1;
}

/* One number out of the database. */
static int
number_read(struct book *book, const char *sql, int64_t *out)
{
	sqlite3_stmt *stmt = prepare(book, sql, "");
	int status;

	if (stmt == NULL)
		return -1;
	status = sqlite3_step(stmt);
	*out = status == SQLITE_ROW ? sqlite3_column_int64(stmt, 0) : 0;
	return finish(book, stmt, status);
}

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
static void
aside(const char *path, char why[BOOK_WHY_LEN])
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
		result = run(book, upgrades[++version]);
	if (result == -1 && !sqlite3_get_autocommit(book->db))
		sqlite3_exec(book->db, "ROLLBACK", NULL, NULL, NULL);
	return result;
}

/* Is the file a book of this version, empty, or something else? */
static int
version_check(struct book *book)
{
	int64_t version, application;

	if (number_read(book, "PRAGMA user_version", &version) == -1 ||
	    number_read(book, "PRAGMA application_id", &application) == -1)
		return -1;
	if (version == 0 && application == 0)
		return run(book, schema) == -1 ? -1 : upgrade(book, 1);
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

/* Opens the file and proves that it can be read. */
static int
setup(struct book *book)
{
	struct book_place place;
	int64_t last, shown;

	if (sqlite3_open_v2(book->path, &book->db,
		SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE, NULL) != SQLITE_OK)
		return broken(book, "cannot be opened");
	sqlite3_extended_result_codes(book->db, 0);
	sqlite3_busy_timeout(book->db, 2000);
	if (run(book, "PRAGMA journal_mode = WAL") == -1 ||
	    run(book, "PRAGMA synchronous = FULL") == -1 ||
	    version_check(book) == -1)
		return -1;
	return book_place(book, &place) == -1 ||
		book_ends(book, &last, &shown) == -1
	    ? -1
	    : 0;
}

/* Opens the book of that user, making it if there is none. */
struct book *
book_open(const char *path, const char *user, char why[BOOK_WHY_LEN])
{
	struct book *book = calloc(1, sizeof(*book));
	int code;

	if (book == NULL || (book->path = strdup(path)) == NULL) {
		snprintf(why, BOOK_WHY_LEN, "no memory");
		free(book);
		return NULL;
	}
	snprintf(book->user, sizeof(book->user), "%s", user);
	if (setup(book) == 0)
		return book;
	code = sqlite3_errcode(book->db);
	snprintf(why, BOOK_WHY_LEN, "%s", book->why);
	book_close(book);
	if (code == SQLITE_NOTADB || code == SQLITE_CORRUPT)
		aside(path, why);
	return NULL;
}

void
book_close(struct book *book)
{
	if (book == NULL)
		return;
	sqlite3_close(book->db);
	free(book->path);
	free(book);
}

const char *
book_why(const struct book *book)
{
	return book->why;
}

struct sqlite3 *
book_handle(struct book *book)
{
	return book->db;
}

int
book_place(struct book *book, struct book_place *place)
{
	sqlite3_stmt *stmt =
	    prepare(book, "SELECT token, epoch, mail, room FROM place", "");
	int status;

	memset(place, 0, sizeof(*place));
	if (stmt == NULL)
		return -1;
	status = sqlite3_step(stmt);
	if (status == SQLITE_ROW) {
		snprintf(
		    place->token, sizeof(place->token), "%s", column(stmt, 0));
		snprintf(
		    place->epoch, sizeof(place->epoch), "%s", column(stmt, 1));
		place->mail = sqlite3_column_int64(stmt, 2);
		place->room = sqlite3_column_int64(stmt, 3);
	}
	return finish(book, stmt, status);
}

int
book_set_place(struct book *book, const struct book_place *place)
{
	return change(book,
	    "UPDATE place SET token = ?, epoch = ?, mail = ?, room = ?", "ssii",
	    place->token, place->epoch, place->mail, place->room);
}

/* A string of its own out of bytes; NULL without memory. */
static char *
string_copy(struct wire_string s)
{
	return strndup(s.s != NULL ? s.s : "", s.s != NULL ? s.len : 0);
}

/* What is said of whom; false for a receipt. */
static bool
event_kind(enum wire_event_type type, enum book_kind *kind)
{
	static const struct {
		enum wire_event_type type;
		enum book_kind kind;
	} kinds[] = {
	    {EVENT_MESSAGE, BOOK_MESSAGE},
	    {EVENT_BROADCAST, BOOK_BROADCAST},
	    {EVENT_NOTICE, BOOK_NOTICE},
	    {EVENT_LOGIN, BOOK_LOGIN},
	    {EVENT_LOGOUT, BOOK_LOGOUT},
	};

	for (size_t i = 0; i < sizeof(kinds) / sizeof(*kinds); i++)
		if (kinds[i].type == type) {
			*kind = kinds[i].kind;
			return true;
		}
	return false;
}

/*
 * What tells this event from every other of its author.  Those without an
 * id get one from time and text; its '!' keeps it apart from real ones.
 */
static char *
event_id(const struct wire_event *event, const char *text)
{
	char *id;

	if (event->id.s != NULL)
		return string_copy(event->id);
	if (asprintf(&id, "!%lld %d %s", (long long)event->time,
		(int)event->type,
		event->type == EVENT_NOTICE ? text : "") == -1)
		return NULL;
	return id;
}

/*
 * Adds what somebody said, unless it is there.  The recipient is empty, so
 * that a message to oneself stands beside the own one.
 */
static int
store_said(
    struct book *book, const struct wire_event *event, enum book_kind kind)
{
	char *author = string_copy(event->user);
	char *text = string_copy(event->text);
	char *id = text != NULL ? event_id(event, text) : NULL;
	int result = -1;

	if (author != NULL && id != NULL)
		result = change(book,
		    "INSERT INTO history (kind, state, time, author, "
		    "recipient, id, text, shown) "
		    "VALUES (?, 0, ?, ?, '', ?, ?, 0) "
		    "ON CONFLICT (author, id, recipient) DO NOTHING",
		    "iisss", (int64_t)kind, event->time, author, id, text);
	else
		snprintf(book->why, sizeof(book->why), "no memory");
	free(author);
	free(text);
	free(id);
	return result;
}

struct receipt {
	void (*fn)(void *arg, const char *id, const char *recipient);
	void *arg;
};

/* Settles the own messages that a receipt names. */
static int
store_receipt(struct book *book, const struct wire_event *event,
    const struct receipt *told)
{
	char *recipient = string_copy(event->user);
	char *ids = string_copy(event->text);
	char *rest = ids, *id;
	int result = recipient != NULL && ids != NULL ? 0 : -1;

	while (result == 0 && (id = strsep(&rest, " ")) != NULL) {
		result = change(book,
		    "UPDATE history SET state = 3 WHERE author = ? AND id = ? "
		    "AND recipient = ? AND state IN (1, 2)",
		    "sss", book->user, id, recipient);
		if (result == 0 && told->fn != NULL &&
		    sqlite3_changes(book->db) > 0)
			told->fn(told->arg, id, recipient);
	}
	free(recipient);
	free(ids);
	return result;
}

/* Stores one event inside the transaction. */
static int
store_one(struct book *book, const struct wire_event *event,
    const struct receipt *told)
{
	enum book_kind kind;

	if (event_kind(event->type, &kind))
		return store_said(book, event, kind);
	if (event->type == EVENT_RECEIPT)
		return store_receipt(book, event, told);
	return 0;
}

/* Stores what one reply to sync brought together with the cursors. */
int
book_store(struct book *book, const struct wire_event *events, size_t count,
    const struct book_place *place,
    void (*fn)(void *arg, const char *id, const char *recipient), void *arg)
{
	struct receipt told = {fn, arg};
	int result = run(book, "BEGIN IMMEDIATE");

	if (result == -1)
		return -1;
	for (size_t i = 0; i < count && result == 0; i++)
		result = store_one(book, &events[i], &told);
	if (result == 0)
		result = book_set_place(book, place);
	if (result == 0)
		result = run(book, "COMMIT");
	if (result == -1 && !sqlite3_get_autocommit(book->db))
		sqlite3_exec(book->db, "ROLLBACK", NULL, NULL, NULL);
	return result;
}

/* Writes an own message down as queued. */
int
book_queue(struct book *book, const char *id, const char *recipient,
    const char *text, int64_t time, int64_t *number)
{
	int64_t kind = *recipient != '\0' ? BOOK_MESSAGE : BOOK_BROADCAST;

	if (change(book,
		"INSERT INTO history (kind, state, time, author, recipient, "
		"id, text, shown) VALUES (?, 1, ?, ?, ?, ?, ?, 1)",
		"iissss", kind, time, book->user, recipient, id, text) == -1)
		return -1;
	*number = sqlite3_last_insert_rowid(book->db);
	return 0;
}

/* Own message: queued becomes accepted or refused. */
int
book_settle(struct book *book, int64_t number, enum book_state state,
    const char *reason)
{
	return change(book,
	    "UPDATE history SET state = ?, reason = ? "
	    "WHERE number = ? AND state = 1",
	    "isi", (int64_t)state, reason, number);
}

/* 1 and the row if it is there. */
int
book_row(struct book *book, int64_t number,
    void (*fn)(void *arg, const struct book_row *row), void *arg)
{
	sqlite3_stmt *stmt = prepare(
	    book, "SELECT " ROW " FROM history WHERE number = ?", "i", number);
	struct book_row row;
	int status;

	if (stmt == NULL)
		return -1;
	status = sqlite3_step(stmt);
	if (status == SQLITE_ROW) {
		row = row_read(stmt);
		fn(arg, &row);
	}
	if (finish(book, stmt, status) == -1)
		return -1;
	return status == SQLITE_ROW;
}

/* All that is queued, oldest first. */
int
book_queued(struct book *book,
    void (*fn)(void *arg, const struct book_row *row), void *arg)
{
	sqlite3_stmt *stmt = prepare(book,
	    "SELECT " ROW " FROM history WHERE state = 1 ORDER BY number", "");
	struct book_row row;
	int status;

	if (stmt == NULL)
		return -1;
	while ((status = sqlite3_step(stmt)) == SQLITE_ROW) {
		row = row_read(stmt);
		fn(arg, &row);
	}
	return finish(book, stmt, status);
}

/* What others said after a row, oldest first, until fn returns false. */
int
book_news(struct book *book, int64_t after, int64_t fresh,
    bool (*fn)(void *arg, const struct book_row *row), void *arg)
{
	sqlite3_stmt *stmt = prepare(book,
	    "SELECT " ROW " FROM history WHERE number > ? AND state = 0 "
	    "AND (shown = 0 OR number > ?) ORDER BY number",
	    "ii", after, fresh);
	struct book_row row;
	int status;

	if (stmt == NULL)
		return -1;
	while ((status = sqlite3_step(stmt)) == SQLITE_ROW) {
		row = row_read(stmt);
		if (!fn(arg, &row))
			break;
	}
	return finish(book, stmt, status);
}

/*
 * Words as FTS5 takes them: each as a string of its own, so that none is an
 * operator.  In fresh memory, or NULL.
 */
static char *
match_words(const char *words)
{
	char *out = NULL;
	size_t len, size;
	FILE *to = open_memstream(&out, &size);

	if (to == NULL)
		return NULL;
	for (words += strspn(words, " \t\n"); *words != '\0';
	     words += strspn(words, " \t\n")) {
		fputs(ftello(to) > 0 ? " \"" : "\"", to);
		len = strcspn(words, " \t\n");
		for (; len > 0; len--, words++)
			fputs(*words == '"' ? "\"\"" : (char[]){*words, 0}, to);
		putc('"', to);
	}
	return fclose(to) == 0 ? out : NULL;
}

/* What the query wants, oldest first, until fn returns false. */
int
book_history(struct book *book, const struct book_query *query,
    bool (*fn)(void *arg, const struct book_row *row), void *arg)
{
	char *match = match_words(query->words);
	sqlite3_stmt *stmt;
	struct book_row row;
	int status, result;

	stmt = prepare(book,
	    "SELECT " ROW " FROM (SELECT " ROW " FROM history "
	    "WHERE (kind <= 2 OR ?1) AND (?2 = '' OR (kind = 0 AND "
	    "((state = 0 AND author = ?2) OR recipient = ?2))) "
	    "AND (?3 = '' OR number IN "
	    "(SELECT rowid FROM words WHERE words MATCH ?3)) "
	    "ORDER BY number DESC LIMIT ?4) ORDER BY number",
	    "issi", (int64_t)query->presence, query->user,
	    match != NULL ? match : "", query->limit);
	if (stmt == NULL) {
		free(match);
		return -1;
	}
	while ((status = sqlite3_step(stmt)) == SQLITE_ROW) {
		row = row_read(stmt);
		if (!fn(arg, &row))
			break;
	}
	result = finish(book, stmt, status);
	free(match);
	return result;
}

/* Everybody that messages went to or came from. */
int
book_contacts(struct book *book,
    void (*fn)(void *arg, const char *user, int64_t time), void *arg)
{
	sqlite3_stmt *stmt = prepare(book,
	    "SELECT iif(state = 0, author, recipient) AS user, max(time) "
	    "FROM history WHERE kind = 0 GROUP BY user ORDER BY user",
	    "");
	int status;

	if (stmt == NULL)
		return -1;
	while ((status = sqlite3_step(stmt)) == SQLITE_ROW)
		fn(arg, column(stmt, 0), sqlite3_column_int64(stmt, 1));
	return finish(book, stmt, status);
}

/* The last row's number, and the one before the first not shown. */
int
book_ends(struct book *book, int64_t *last, int64_t *shown)
{
	if (number_read(book, "SELECT max(number) FROM history", last) == -1 ||
	    number_read(book, "SELECT min(number) FROM history WHERE shown = 0",
		shown) == -1)
		return -1;
	*shown = *shown > 0 ? *shown - 1 : *last;
	return 0;
}

/*
 * All up to that row has been shown.  This one commit need not reach the
 * disk at once: it guards against a killed process, and the shorter it
 * takes, the smaller the moment in which a row is shown but not marked.
 */
int
book_shown(struct book *book, int64_t number)
{
	int result;

	if (run(book, "PRAGMA synchronous = NORMAL") == -1)
		return -1;
	result = change(book,
	    "UPDATE history SET shown = 1 WHERE shown = 0 AND number <= ?", "i",
	    number);
	if (run(book, "PRAGMA synchronous = FULL") == -1)
		return -1;
	return result;
}
