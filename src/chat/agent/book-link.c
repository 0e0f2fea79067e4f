/* SPDX-License-Identifier: ISC */
/*
 * The book's part of private links: questions, passes and the keys of
 * others.  Runs in the agent; must never let one key take another's place
 * by itself.
 */
#include "chat/agent/book-link.h"

#include <stdio.h>
#include <string.h>

#include "chat/agent/book-parts.h"
#include "chat/agent/link.h"

/* Runs a SELECT of a whole row for each link. */
int
book_links(struct book *book,
    void (*fn)(void *arg, const struct book_link *link), void *arg)
{
	sqlite3_stmt *stmt = book_prepare(book,
	    "SELECT user, question, question_key, question_since, "
	    "question_until, wanted, wanted_since, wanted_until, pass, key, "
	    "host, port, since, until FROM link ORDER BY user",
	    "");
	struct book_link row;
	int status;

	if (stmt == NULL)
		return -1;
	while ((status = sqlite3_step(stmt)) == SQLITE_ROW) {
		const char *pass = book_column(stmt, 8);
		const char *pin = book_column(stmt, 9);
		const char *host = book_column(stmt, 10);

		row = (struct book_link){
		    .user = book_column(stmt, 0),
		    .question = book_column(stmt, 1),
		    .question_pin = book_column(stmt, 2),
		    .question_since = sqlite3_column_int64(stmt, 3),
		    .question_until = sqlite3_column_int64(stmt, 4),
		    .wanted = book_column(stmt, 5),
		    .wanted_since = sqlite3_column_int64(stmt, 6),
		    .wanted_until = sqlite3_column_int64(stmt, 7),
		    .link = {.pass = {pass, strlen(pass)},
			.fingerprint = {pin, strlen(pin)},
			.host = {host, strlen(host)},
			.port = sqlite3_column_int64(stmt, 11)},
		    .since = sqlite3_column_int64(stmt, 12),
		    .until = sqlite3_column_int64(stmt, 13),
		};
		fn(arg, &row);
	}
	return book_finish(book, stmt, status);
}

/* The user has a row. */
static int
make_row(struct book *book, const char *user)
{
	return book_change(book,
	    "INSERT INTO link (user) VALUES (?) ON CONFLICT DO NOTHING", "s",
	    user);
}

/* We have asked. */
int
book_link_wanted(struct book *book, const char *user, const char *request,
    int64_t since, int64_t until)
{
	if (make_row(book, user) == -1)
		return -1;
	return book_change(book,
	    "UPDATE link SET wanted = ?, wanted_since = ?, wanted_until = ? "
	    "WHERE user = ?",
	    "siis", request, since, until, user);
}

/* Bytes of a peer as a string of ours, cut where it is too long. */
static const char *
copy(char *out, size_t size, struct wire_string s)
{
	snprintf(out, size, "%.*s", s.s != NULL ? (int)s.len : 0,
	    s.s != NULL ? s.s : "");
	return out;
}

/* When a duration is over that the centre gave, however long it says. */
static int64_t
after(int64_t time, int64_t seconds)
{
	return time +
	    (seconds < LINK_SECONDS_MAX ? seconds : LINK_SECONDS_MAX) * 1000;
}

/* There is a pass. */
int
book_link_pass(struct book *book, const char *user,
    const struct wire_link *link, int64_t now)
{
	char pass[WIRE_TOKEN_LEN + 1], pin[TLS_PIN_LEN + 1];
	char host[WIRE_HOST_LEN + 1];

	copy(pass, sizeof(pass), link->pass);
	copy(pin, sizeof(pin), link->fingerprint);
	copy(host, sizeof(host), link->host);
	if (make_row(book, user) == -1 ||
	    book_key_seen(book, user, pin, now, true) == -1)
		return -1;
	return book_change(book,
	    "UPDATE link SET question = '', wanted = '', pass = ?, key = ?, "
	    "host = ?, port = ?, since = ?, until = ? WHERE user = ?",
	    "sssiiis", pass, pin, host, link->port, now,
	    after(now, link->expires_in), user);
}

/* Their question is answered. */
int
book_link_answered(struct book *book, const char *user)
{
	return book_change(
	    book, "UPDATE link SET question = '' WHERE user = ?", "s", user);
}

/* The pass is worth nothing any more. */
int
book_link_end(struct book *book, const char *user)
{
	return book_change(book,
	    "UPDATE link SET pass = '', host = '', port = 0, until = 0 "
	    "WHERE user = ?",
	    "s", user);
}

/* Nothing is left to be known. */
int
book_link_drop(struct book *book, const char *user)
{
	return book_change(book, "DELETE FROM link WHERE user = ?", "s", user);
}

/* They have asked. */
static int
store_question(
    struct book *book, const char *user, const struct wire_event *event)
{
	char request[ID_MAX_LEN + 1], pin[TLS_PIN_LEN + 1];

	copy(request, sizeof(request), event->id);
	copy(pin, sizeof(pin), event->link.fingerprint);
	if (make_row(book, user) == -1 ||
	    book_key_seen(book, user, pin, event->time, false) == -1)
		return -1;
	return book_change(book,
	    "UPDATE link SET question = ?, question_key = ?, "
	    "question_since = ?, question_until = ? WHERE user = ?",
	    "ssiis", request, pin, event->time,
	    after(event->time, event->link.expires_in), user);
}

/* What an event says of a link. */
int
book_link_event(struct book *book, const struct wire_event *event)
{
	char user[NAME_MAX_LEN + 1];

	if (event->user.s == NULL ||
	    !name_fold(event->user.s, event->user.len, user))
		return 0;
	switch (event->type) {
	case EVENT_ASK:
		return store_question(book, user, event);
	case EVENT_ADDRESS:
		return book_link_pass(book, user, &event->link, event->time);
	case EVENT_DECLINED:
		return book_change(book,
		    "UPDATE link SET wanted = '' WHERE user = ?", "s", user);
	case EVENT_HANGUP:
		return book_link_end(book, user);
	default:
		return 0;
	}
}

/* ---- where we listen */

int
book_port(struct book *book, int64_t *port)
{
	return book_number(book, "SELECT peer_port FROM place", port);
}

int
book_set_port(struct book *book, int64_t port)
{
	return book_change(book, "UPDATE place SET peer_port = ?", "i", port);
}

/* ---- keys */

/* 1 and the key if one is remembered. */
int
book_key(struct book *book, const char *user, struct book_key *key)
{
	sqlite3_stmt *stmt = book_prepare(book,
	    "SELECT key, changed, since FROM peer_key WHERE user = ?", "s",
	    user);
	int status;

	memset(key, 0, sizeof(*key));
	if (stmt == NULL)
		return -1;
	status = sqlite3_step(stmt);
	if (status == SQLITE_ROW) {
		snprintf(
		    key->pin, sizeof(key->pin), "%s", book_column(stmt, 0));
		snprintf(key->changed, sizeof(key->changed), "%s",
		    book_column(stmt, 1));
		key->since = sqlite3_column_int64(stmt, 2);
	}
	if (book_finish(book, stmt, status) == -1)
		return -1;
	return status == SQLITE_ROW;
}

/* Compares a key with the one that is remembered. */
int
book_key_seen(struct book *book, const char *user, const char *pin, int64_t now,
    bool remember)
{
	struct book_key known;
	int found = book_key(book, user, &known);
	bool same = strcmp(known.pin, pin) == 0;

	if (found == -1)
		return -1;
	if (found == 0)
		return remember &&
			book_change(book,
			    "INSERT INTO peer_key (user, key, since) "
			    "VALUES (?, ?, ?)",
			    "ssi", user, pin, now) == -1
		    ? -1
		    : 1;
	if (book_change(book, "UPDATE peer_key SET changed = ? WHERE user = ?",
		"ss", same ? "" : pin, user) == -1)
		return -1;
	return same;
}

/* Takes the other key that was noted. */
int
book_key_trust(struct book *book, const char *user, int64_t now)
{
	if (book_change(book,
		"UPDATE peer_key SET key = changed, since = ?, changed = '' "
		"WHERE user = ? AND changed <> ''",
		"is", now, user) == -1)
		return -1;
	return sqlite3_changes(book->db) > 0;
}

/* All that are remembered. */
int
book_keys(struct book *book,
    void (*fn)(void *arg, const char *user, const struct book_key *key),
    void *arg)
{
	sqlite3_stmt *stmt = book_prepare(book,
	    "SELECT user, key, changed, since FROM peer_key ORDER BY user", "");
	struct book_key key;
	int status;

	if (stmt == NULL)
		return -1;
	while ((status = sqlite3_step(stmt)) == SQLITE_ROW) {
		snprintf(key.pin, sizeof(key.pin), "%s", book_column(stmt, 1));
		snprintf(key.changed, sizeof(key.changed), "%s",
		    book_column(stmt, 2));
		key.since = sqlite3_column_int64(stmt, 3);
		fn(arg, book_column(stmt, 0), &key);
	}
	return book_finish(book, stmt, status);
}
