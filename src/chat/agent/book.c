/* SPDX-License-Identifier: ISC */
/*
 * The client's database: where it stands with the centre (token, epoch,
 * cursors), all that was said, and what still has to be sent.  Written by the
 * agent alone.  Knows no clock; what it reports as stored is on the disk.
 */
#include "chat/agent/book-link.h"
#include "chat/agent/book-parts.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* Opens the file and proves that it can be read. */
static int
setup(struct book *book)
{
	struct book_place place;
	int64_t last, shown;

	if (sqlite3_open_v2(book->path, &book->db,
		SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE, NULL) != SQLITE_OK)
		return book_broken(book, "cannot be opened");
	sqlite3_extended_result_codes(book->db, 0);
	sqlite3_busy_timeout(book->db, 2000);
	if (book_run(book, "PRAGMA journal_mode = WAL") == -1 ||
	    book_run(book, "PRAGMA synchronous = FULL") == -1 ||
	    book_schema(book) == -1)
		return -1;
	if (book->lock == NULL && book_check(book) == -1)
		return -1;
	return book_place(book, &place) == -1 ||
		book_ends(book, &last, &shown) == -1
	    ? -1
	    : 0;
}

/* Closes the file, and moves it aside if it is damaged. */
static void
shut(struct book *book)
{
	/* What is in the log stays there, for who looks at it later. */
	if (book->damaged)
		sqlite3_db_config(
		    book->db, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, NULL);
	sqlite3_close(book->db);
	book->db = NULL;
	book_aside(book);
	if (book->lock_fd != -1)
		close(book->lock_fd);
}

static void
book_free(struct book *book)
{
	free(book->path);
	free(book->lock);
	free(book->aside);
	free(book);
}

/* Opens the book of that user, who owns it if there is no lock. */
struct book *
book_visit(const char *path, const char *lock, const char *user,
    char why[BOOK_WHY_LEN])
{
	struct book *book = calloc(1, sizeof(*book));

	if (book != NULL) {
		book->lock_fd = -1;
		book->path = strdup(path);
		book->lock = lock != NULL ? strdup(lock) : NULL;
	}
	if (book == NULL || book->path == NULL ||
	    (lock != NULL && book->lock == NULL)) {
		snprintf(why, BOOK_WHY_LEN, "no memory");
		if (book != NULL)
			book_free(book);
		return NULL;
	}
	snprintf(book->user, sizeof(book->user), "%s", user);
	if (setup(book) == 0)
		return book;
	shut(book);
	snprintf(why, BOOK_WHY_LEN, "%s", book->why);
	book_free(book);
	return NULL;
}

/* Opens the book of that user, making it if there is none. */
struct book *
book_open(const char *path, const char *user, char why[BOOK_WHY_LEN])
{
	return book_visit(path, NULL, user, why);
}

void
book_close(struct book *book)
{
	if (book == NULL)
		return;
	shut(book);
	book_free(book);
}

/* The sentence about the last call that returned -1. */
const char *
book_why(const struct book *book)
{
	return book->why;
}

int
book_place(struct book *book, struct book_place *place)
{
	sqlite3_stmt *stmt = book_prepare(
	    book, "SELECT token, epoch, mail, room FROM place", "");
	int status;

	memset(place, 0, sizeof(*place));
	if (stmt == NULL)
		return -1;
	status = sqlite3_step(stmt);
	if (status == SQLITE_ROW) {
		snprintf(place->token, sizeof(place->token), "%s",
		    book_column(stmt, 0));
		snprintf(place->epoch, sizeof(place->epoch), "%s",
		    book_column(stmt, 1));
		place->mail = sqlite3_column_int64(stmt, 2);
		place->room = sqlite3_column_int64(stmt, 3);
	}
	return book_finish(book, stmt, status);
}

int
book_set_place(struct book *book, const struct book_place *place)
{
	return book_change(book,
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
		result = book_change(book,
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
		result = book_change(book,
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
	return book_link_event(book, event);
}

/* Stores what one reply to sync brought together with the cursors. */
int
book_store(struct book *book, const struct wire_event *events, size_t count,
    const struct book_place *place,
    void (*fn)(void *arg, const char *id, const char *recipient), void *arg)
{
	struct receipt told = {fn, arg};
	int result = book_run(book, "BEGIN IMMEDIATE");

	if (result == -1)
		return -1;
	for (size_t i = 0; i < count && result == 0; i++)
		result = store_one(book, &events[i], &told);
	if (result == 0)
		result = book_set_place(book, place);
	if (result == 0)
		result = book_run(book, "COMMIT");
	if (result == -1 && !sqlite3_get_autocommit(book->db))
		sqlite3_exec(book->db, "ROLLBACK", NULL, NULL, NULL);
	return result;
}

/* Writes an own message down in that state; 1 if it is there. */
static int
add_own(struct book *book, enum book_state state, const char *id,
    const char *recipient, const char *text, int64_t time)
{
	int64_t kind = *recipient != '\0' ? BOOK_MESSAGE : BOOK_BROADCAST;

	if (book_change(book,
		"INSERT INTO history (kind, state, time, author, recipient, "
		"id, text, shown) VALUES (?, ?, ?, ?, ?, ?, ?, 1) "
		"ON CONFLICT (author, id, recipient) DO NOTHING",
		"iiissss", kind, (int64_t)state, time, book->user, recipient,
		id, text) == -1)
		return -1;
	return sqlite3_changes(book->db) == 0;
}

/* Writes an own message down as queued. */
int
book_queue(struct book *book, const char *id, const char *recipient,
    const char *text, int64_t time, int64_t *number)
{
	int result = add_own(book, BOOK_QUEUED, id, recipient, text, time);

	if (result == 0)
		*number = sqlite3_last_insert_rowid(book->db);
	return result;
}

/* Writes an own message down that the centre has accepted. */
int
book_sent(struct book *book, const char *id, const char *recipient,
    const char *text, int64_t time)
{
	return add_own(book, BOOK_ACCEPTED, id, recipient, text, time);
}

/* Own message: queued becomes accepted or refused. */
int
book_settle(struct book *book, int64_t number, enum book_state state,
    const char *reason)
{
	if (book_change(book,
		"UPDATE history SET state = ?, reason = ? "
		"WHERE number = ? AND state = 1",
		"isi", (int64_t)state, reason, number) == -1)
		return -1;
	return sqlite3_changes(book->db) > 0;
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

	if (book_run(book, "PRAGMA synchronous = NORMAL") == -1)
		return -1;
	result = book_change(book,
	    "UPDATE history SET shown = 1 WHERE shown = 0 AND number <= ?", "i",
	    number);
	if (book_run(book, "PRAGMA synchronous = FULL") == -1)
		return -1;
	return result;
}
