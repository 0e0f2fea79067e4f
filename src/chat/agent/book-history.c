/* SPDX-License-Identifier: ISC */
/*
 * The book as it is read: what is queued, what is new, what was said to and
 * by whom, words that were said.  Runs in whoever has the book open; changes
 * nothing in it.
 */
#include "chat/agent/book-parts.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* 1 and the row if it is there. */
int
book_row(struct book *book, int64_t number,
    void (*fn)(void *arg, const struct book_row *row), void *arg)
{
	sqlite3_stmt *stmt = book_prepare(book,
	    "SELECT " BOOK_ROW " FROM history WHERE number = ?", "i", number);
	struct book_row row;
	int status;

	if (stmt == NULL)
		return -1;
	status = sqlite3_step(stmt);
	if (status == SQLITE_ROW) {
		row = book_row_read(stmt);
		fn(arg, &row);
	}
	if (book_finish(book, stmt, status) == -1)
		return -1;
	return status == SQLITE_ROW;
}

/* All that is queued, oldest first. */
int
book_queued(struct book *book,
    void (*fn)(void *arg, const struct book_row *row), void *arg)
{
	sqlite3_stmt *stmt = book_prepare(book,
	    "SELECT " BOOK_ROW " FROM history WHERE state = 1 ORDER BY number",
	    "");
	struct book_row row;
	int status;

	if (stmt == NULL)
		return -1;
	while ((status = sqlite3_step(stmt)) == SQLITE_ROW) {
		row = book_row_read(stmt);
		fn(arg, &row);
	}
	return book_finish(book, stmt, status);
}

/* What others said after a row, oldest first, until fn returns false. */
int
book_news(struct book *book, int64_t after,
    bool (*fn)(void *arg, const struct book_row *row), void *arg)
{
	sqlite3_stmt *stmt = book_prepare(book,
	    "SELECT " BOOK_ROW " FROM history WHERE number > ? AND state = 0 "
	    "ORDER BY number",
	    "i", after);
	struct book_row row;
	int status;

	if (stmt == NULL)
		return -1;
	while ((status = sqlite3_step(stmt)) == SQLITE_ROW) {
		row = book_row_read(stmt);
		if (!fn(arg, &row))
			break;
	}
	return book_finish(book, stmt, status);
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

	stmt = book_prepare(book,
	    "SELECT " BOOK_ROW " FROM (SELECT " BOOK_ROW " FROM history "
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
		row = book_row_read(stmt);
		if (!fn(arg, &row))
			break;
	}
	result = book_finish(book, stmt, status);
	free(match);
	return result;
}

/* Everybody that messages went to or came from. */
int
book_contacts(struct book *book,
    void (*fn)(void *arg, const char *user, int64_t time), void *arg)
{
	sqlite3_stmt *stmt = book_prepare(book,
	    "SELECT iif(state = 0, author, recipient) AS user, max(time) "
	    "FROM history WHERE kind = 0 GROUP BY user ORDER BY user",
	    "");
	int status;

	if (stmt == NULL)
		return -1;
	while ((status = sqlite3_step(stmt)) == SQLITE_ROW)
		fn(arg, book_column(stmt, 0), sqlite3_column_int64(stmt, 1));
	return book_finish(book, stmt, status);
}

/* The last row's number, and the one before the first not shown. */
int
book_ends(struct book *book, int64_t *last, int64_t *shown)
{
	if (book_number(book, "SELECT max(number) FROM history", last) == -1 ||
	    book_number(book, "SELECT min(number) FROM history WHERE shown = 0",
		shown) == -1)
		return -1;
	*shown = *shown > 0 ? *shown - 1 : *last;
	return 0;
}
