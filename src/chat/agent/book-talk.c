/* SPDX-License-Identifier: ISC */
/*
 * The book as conversations: pages of what was said, how much is unread, how
 * far each has been read.  Runs in the agent; a page costs the same however
 * much there is: each is the range of an index.
 */
#include "chat/agent/book-talk.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "chat/agent/book-parts.h"

enum { SQL_LEN = 1024 };

/* ---- pages */

/* One side of a page: what is wanted, with the words taken apart. */
struct side {
	const struct book_page *page;
	const char *match, *parts;
};

/* Which rows are meant, by ?3; each form is one that an index serves. */
static const char *
meant(const struct book_page *page)
{
	bool presence = page->presence && *page->words == '\0';

	if (page->user == NULL)
		return presence ? "TRUE" : "talk IS NOT NULL";
	if (*page->user == '\0' && presence)
		return "kind BETWEEN 1 AND 4";
	return "talk = ?3";
}

/* The index for that: the planner knows nothing of what is in the book. */
static const char *
index_for(const struct book_page *page)
{
	if (page->user == NULL)
		return "";
	if (*page->user == '\0' && page->presence && *page->words == '\0')
		return "INDEXED BY history_room";
	return "INDEXED BY history_talk";
}

/*
 * The SELECT of one side, from row ?2 on, without it.  Words are looked for
 * in the order of the rows, so that no more are found than are wanted.
 */
static void
side_sql(const struct side *side, bool newer, char sql[SQL_LEN])
{
	const char *order = newer ? "ASC" : "DESC";
	const char *beyond = newer ? ">" : "<";
	const char *parts =
	    *side->parts != '\0' ? " AND holds_all(text, ?4)" : "";

	if (*side->match != '\0')
		snprintf(sql, SQL_LEN,
		    "SELECT " BOOK_ROW " FROM (SELECT rowid AS hit FROM words "
		    "WHERE words MATCH ?1 AND rowid %s ?2 ORDER BY rowid %s) "
		    "CROSS JOIN history ON number = hit WHERE %s%s "
		    "ORDER BY hit %s LIMIT ?5",
		    beyond, order, meant(side->page), parts, order);
	else
		snprintf(sql, SQL_LEN,
		    "SELECT " BOOK_ROW " FROM history %s WHERE %s "
		    "AND number %s ?2%s ORDER BY number %s LIMIT ?5",
		    index_for(side->page), meant(side->page), beyond, parts,
		    order);
}

/* Goes through one side; how many rows there were, or -1. */
static int64_t
walk(struct book *book, const struct side *side, bool newer, int64_t from,
    int64_t limit, bool (*fn)(void *arg, const struct book_row *row), void *arg)
{
	const char *user = side->page->user != NULL ? side->page->user : "";
	char sql[SQL_LEN];
	sqlite3_stmt *stmt;
	struct book_row row;
	int64_t count = 0;
	int status;

	side_sql(side, newer, sql);
	stmt = book_prepare(
	    book, sql, "sissi", side->match, from, user, side->parts, limit);
	if (stmt == NULL)
		return -1;
	while ((status = sqlite3_step(stmt)) == SQLITE_ROW) {
		row = book_row_read(stmt);
		count++;
		if (!fn(arg, &row))
			break;
	}
	return book_finish(book, stmt, status) == -1 ? -1 : count;
}

/* A page as it is gone through: the first and the last row that fn got. */
struct going {
	bool (*fn)(void *arg, const struct book_row *row);
	void *arg;
	int64_t first, last;
};

static bool
pass(void *arg, const struct book_row *row)
{
	struct going *going = arg;

	if (row->number < going->first)
		going->first = row->number;
	if (row->number > going->last)
		going->last = row->number;
	return going->fn(going->arg, row);
}

static bool
one_is_enough(void *arg, const struct book_row *row)
{
	(void)arg;
	(void)row;
	return false;
}

/* Both sides of it, as far as they are wanted. */
static int
both_sides(struct book *book, const struct side *side, struct going *going)
{
	const struct book_page *page = side->page;
	int64_t below = page->limit, from = page->row, count = 0;

	if (page->from == PAGE_NEWEST)
		from = INT64_MAX;
	if (page->from == PAGE_AROUND) {
		/* The row itself is the last of those below. */
		below = page->limit / 2 + 1;
		from = from < INT64_MAX ? from + 1 : from;
	}
	if (page->from != PAGE_AFTER)
		count = walk(book, side, false, from, below, pass, going);
	if (count == -1)
		return -1;
	if (page->from != PAGE_AFTER && page->from != PAGE_AROUND)
		return 0;
	return walk(book, side, true, page->row, page->limit - count, pass,
		   going) == -1
	    ? -1
	    : 0;
}

/* What is beyond a page that has nothing in it begins at its own row. */
static void
nothing_there(const struct book_page *page, struct going *going)
{
	bool newest = page->from == PAGE_NEWEST || page->row == INT64_MAX;

	if (going->last > 0)
		return;
	going->first = newest ? INT64_MAX : page->row;
	going->last = newest ? INT64_MAX : page->row;
	if (page->from == PAGE_BEFORE)
		going->last--;
	if (page->from == PAGE_AFTER && !newest)
		going->first++;
}

static int
whole_page(struct book *book, const struct side *side, struct going *going,
    bool *start, bool *end)
{
	int64_t older, newer;

	if (sqlite3_create_function(book->db, "holds_all", 2,
		SQLITE_UTF8 | SQLITE_DETERMINISTIC, NULL, book_holds_all, NULL,
		NULL) != SQLITE_OK)
		return book_broken(book, "cannot be searched");
	if (both_sides(book, side, going) == -1)
		return -1;
	nothing_there(side->page, going);
	older = walk(book, side, false, going->first, 1, one_is_enough, NULL);
	newer = walk(book, side, true, going->last, 1, one_is_enough, NULL);
	*start = older == 0;
	*end = newer == 0;
	return older == -1 || newer == -1 ? -1 : 0;
}

/* Goes through a page, each side of it from its middle outwards. */
int
book_page(struct book *book, const struct book_page *page,
    bool (*fn)(void *arg, const struct book_row *row), void *arg, bool *start,
    bool *end)
{
	struct going going = {fn, arg, INT64_MAX, 0};
	char *match = NULL, *parts = NULL;
	int result = -1;

	if (book_split_words(page->words, &match, &parts) == 0)
		result = whole_page(book, &(struct side){page, match, parts},
		    &going, start, end);
	else
		snprintf(book->why, sizeof(book->why), "no memory");
	free(match);
	free(parts);
	return result;
}

/* ---- conversations */

/* The room, and everybody with whom something was exchanged. */
int
book_talks(struct book *book,
    bool (*fn)(void *arg, const struct book_talk *talk), void *arg)
{
	sqlite3_stmt *stmt = book_prepare(book,
	    "SELECT user, last, time, read, unread, author, text FROM talk "
	    "LEFT JOIN history ON number = last "
	    "WHERE reason IS NOT 'no-such-user' OR EXISTS "
	    "(SELECT 1 FROM history AS other WHERE other.talk = user "
	    "AND other.reason IS NOT 'no-such-user') ORDER BY last DESC",
	    "");
	struct book_talk talk;
	int status;

	if (stmt == NULL)
		return -1;
	while ((status = sqlite3_step(stmt)) == SQLITE_ROW) {
		talk = (struct book_talk){
		    .user = book_column(stmt, 0),
		    .last = sqlite3_column_int64(stmt, 1),
		    .time = sqlite3_column_int64(stmt, 2),
		    .read = sqlite3_column_int64(stmt, 3),
		    .unread = sqlite3_column_int64(stmt, 4),
		    .author = book_column(stmt, 5),
		    .text = book_column(stmt, 6),
		};
		if (!fn(arg, &talk))
			break;
	}
	return book_finish(book, stmt, status);
}

/* Moves the mark, and counts what is behind it. */
static int
move_mark(struct book *book, const char *user, int64_t row)
{
	if (book_change(book,
		"UPDATE talk SET read = ?2, unread = "
		"(SELECT count(*) FROM history INDEXED BY history_theirs "
		"WHERE talk = ?1 AND state = 0 AND number > ?2) "
		"WHERE user = ?1 AND read < ?2",
		"si", user, row) == -1)
		return -1;
	return sqlite3_changes(book->db) > 0;
}

/* What is unread in a conversation. */
static int
count_unread(struct book *book, const char *user, int64_t *unread)
{
	sqlite3_stmt *stmt = book_prepare(
	    book, "SELECT unread FROM talk WHERE user = ?", "s", user);
	int status;

	*unread = 0;
	if (stmt == NULL)
		return -1;
	status = sqlite3_step(stmt);
	if (status == SQLITE_ROW)
		*unread = sqlite3_column_int64(stmt, 0);
	return book_finish(book, stmt, status);
}

/*
 * This conversation has been read up to a row.  As of what was shown, the
 * commit need not reach the disk at once: unread again is no harm.
 */
int
book_read(struct book *book, const char *user, int64_t row, int64_t *unread)
{
	int moved;

	if (book_run(book, "PRAGMA synchronous = NORMAL") == -1)
		return -1;
	moved = move_mark(book, user, row);
	if (book_run(book, "PRAGMA synchronous = FULL") == -1 || moved == -1 ||
	    count_unread(book, user, unread) == -1)
		return -1;
	return moved;
}

/* The first conversation in which something up to a row is unread: 1. */
static int
next_unread(struct book *book, int64_t row, char user[NAME_MAX_LEN + 1])
{
	sqlite3_stmt *stmt = book_prepare(book,
	    "SELECT user FROM talk INDEXED BY talk_unread "
	    "WHERE unread > 0 AND read < ? LIMIT 1",
	    "i", row);
	int status;

	if (stmt == NULL)
		return -1;
	status = sqlite3_step(stmt);
	if (status == SQLITE_ROW)
		snprintf(user, NAME_MAX_LEN + 1, "%s", book_column(stmt, 0));
	if (book_finish(book, stmt, status) == -1)
		return -1;
	return status == SQLITE_ROW;
}

/* All conversations have been read up to a row. */
int
book_read_all(struct book *book, int64_t row,
    void (*fn)(void *arg, const char *user, int64_t unread), void *arg)
{
	char user[NAME_MAX_LEN + 1];
	int64_t unread;
	int found, moved;

	while ((found = next_unread(book, row, user)) == 1) {
		moved = book_read(book, user, row, &unread);
		if (moved == -1)
			return -1;
		/* A name that is none, of a book that is not ours. */
		if (moved == 0)
			break;
		fn(arg, user, unread);
	}
	return found == -1 ? -1 : 0;
}
