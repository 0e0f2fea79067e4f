/* SPDX-License-Identifier: ISC */
/*
 * The book as it is read: what is queued, what is new, what was said to and
 * by whom, words that were said.  Runs in whoever has the book open; changes
 * nothing in it.
 */
#include "chat/agent/book-parts.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* What the faces call it. */
const char *
book_kind_name(enum book_kind kind)
{
	static const char *const names[] = {
	    [BOOK_MESSAGE] = "message",
	    [BOOK_BROADCAST] = "broadcast",
	    [BOOK_NOTICE] = "notice",
	    [BOOK_LOGIN] = "login",
	    [BOOK_LOGOUT] = "logout",
	    [BOOK_PRIVATE] = "private",
	};

	return names[kind];
}

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
 * True for a word that the index does not know as one: of a script without
 * spaces between words (from Thai on), an emoji, or no letter at all.
 */
static bool
is_part(const char *word, size_t len)
{
	bool letters = false;

	for (size_t i = 0; i < len; i++) {
		const unsigned char *at = (const unsigned char *)word + i;

		if (*at >= 0xe1 ||
		    (*at == 0xe0 && i + 1 < len && at[1] >= 0xb8))
			return true;
		letters |= *at >= 0x80 || isalnum(*at);
	}
	return !letters;
}

/* A word as FTS5 takes it: a string, so that nothing in it is an operator. */
static void
put_match(FILE *to, const char *word, size_t len)
{
	fputs(ftello(to) > 0 ? " \"" : "\"", to);
	for (size_t i = 0; i < len; i++)
		fputs(word[i] == '"' ? "\"\"" : (char[]){word[i], 0}, to);
	putc('"', to);
}

/*
 * Takes words apart: those for the index as one expression, and the others,
 * a line each, that a text has to hold somewhere.  -1 without memory.
 */
int
book_split_words(const char *words, char **match, char **parts)
{
	static const char space[] = " \t\n";
	FILE *index, *rest;
	size_t len, size[2];

	index = open_memstream(match, &size[0]);
	rest = open_memstream(parts, &size[1]);
	for (words += strspn(words, space);
	     *words != '\0' && index != NULL && rest != NULL;
	     words += len, words += strspn(words, space)) {
		len = strcspn(words, space);
		if (is_part(words, len))
			fprintf(rest, "%.*s\n", (int)len, words);
		else
			put_match(index, words, len);
	}
	len = index == NULL || rest == NULL;
	len |= index != NULL && fclose(index) == EOF;
	len |= rest != NULL && fclose(rest) == EOF;
	return len != 0 ? -1 : 0;
}

/* SQL's holds_all(text, parts): the text has each line of parts in it. */
void
book_holds_all(sqlite3_context *context, int count, sqlite3_value **values)
{
	const char *text = (const char *)sqlite3_value_text(values[0]);
	const char *part = (const char *)sqlite3_value_text(values[1]);
	size_t size = (size_t)sqlite3_value_bytes(values[0]), len;
	bool all = count == 2 && text != NULL && part != NULL;

	for (; all && *part != '\0'; part += len + 1) {
		len = strcspn(part, "\n");
		all = memmem(text, size, part, len) != NULL;
	}
	sqlite3_result_int(context, all);
}

/* Goes through what the query wants. */
static int
search(struct book *book, const struct book_query *query, const char *match,
    const char *parts, bool (*fn)(void *arg, const struct book_row *row),
    void *arg)
{
	sqlite3_stmt *stmt;
	struct book_row row;
	int status;

	if (sqlite3_create_function(book->db, "holds_all", 2,
		SQLITE_UTF8 | SQLITE_DETERMINISTIC, NULL, book_holds_all, NULL,
		NULL) != SQLITE_OK)
		return book_broken(book, "cannot be searched");
	stmt = book_prepare(book,
	    "SELECT " BOOK_ROW " FROM (SELECT " BOOK_ROW " FROM history "
	    "WHERE (kind NOT IN (3, 4) OR ?1) "
	    "AND (?2 = '' OR (kind IN (0, 5) AND "
	    "((state = 0 AND author = ?2) OR recipient = ?2))) "
	    "AND (?3 = '' OR number IN "
	    "(SELECT rowid FROM words WHERE words MATCH ?3)) "
	    "AND (?4 = '' OR (kind NOT IN (3, 4) AND holds_all(text, ?4))) "
	    "ORDER BY number DESC LIMIT ?5) ORDER BY number",
	    "isssi", (int64_t)query->presence, query->user, match, parts,
	    query->limit);
	if (stmt == NULL)
		return -1;
	while ((status = sqlite3_step(stmt)) == SQLITE_ROW) {
		row = book_row_read(stmt);
		if (!fn(arg, &row))
			break;
	}
	return book_finish(book, stmt, status);
}

/* What the query wants, oldest first, until fn returns false. */
int
book_history(struct book *book, const struct book_query *query,
    bool (*fn)(void *arg, const struct book_row *row), void *arg)
{
	char *match = NULL, *parts = NULL;
	int result = -1;

	if (book_split_words(query->words, &match, &parts) == 0)
		result = search(book, query, match, parts, fn, arg);
	else
		snprintf(book->why, sizeof(book->why), "no memory");
	free(match);
	free(parts);
	return result;
}

/* Everybody else that messages went to or came from, or a link was with. */
int
book_contacts(struct book *book,
    void (*fn)(void *arg, const struct book_contact *contact), void *arg)
{
	sqlite3_stmt *stmt = book_prepare(book,
	    "WITH said AS (SELECT iif(state = 0, author, recipient) AS user, "
	    "max(time) AS last FROM history WHERE kind IN (0, 5) "
	    "AND reason IS NOT 'no-such-user' GROUP BY 1) "
	    "SELECT user, last, peer_key.key, changed, host, port, "
	    "iif(pass <> '' AND link.key = peer_key.key, until, 0) "
	    "FROM (SELECT user FROM said UNION SELECT user FROM peer_key) "
	    "LEFT JOIN said USING (user) LEFT JOIN peer_key USING (user) "
	    "LEFT JOIN link USING (user) WHERE user <> ? ORDER BY user",
	    "s", book->user);
	int status;

	if (stmt == NULL)
		return -1;
	while ((status = sqlite3_step(stmt)) == SQLITE_ROW)
		fn(arg,
		    &(struct book_contact){
			.user = book_column(stmt, 0),
			.last = sqlite3_column_int64(stmt, 1),
			.pin = book_column(stmt, 2),
			.changed = book_column(stmt, 3),
			.host = book_column(stmt, 4),
			.port = sqlite3_column_int64(stmt, 5),
			.until = sqlite3_column_int64(stmt, 6),
		    });
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
