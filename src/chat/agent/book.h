/* SPDX-License-Identifier: ISC */
/*
 * The client's database: where it stands with the centre (token, epoch,
 * cursors), all that was said, and what still has to be sent.  Written by the
 * agent alone.  Knows no clock; what it reports as stored is on the disk.
 */
#ifndef CHAT_AGENT_BOOK_H
#define CHAT_AGENT_BOOK_H

#include <stdbool.h>
#include <stdint.h>

#include "lib/wire.h"

enum {
	BOOK_VERSION = 5,
	BOOK_WHY_LEN = 1024,
};

struct book;

/* Where this client stands with the centre. */
struct book_place {
	char token[WIRE_TOKEN_LEN + 1]; /* "" without a session */
	char epoch[WIRE_EPOCH_LEN + 1]; /* "" before the first login */
	int64_t mail, room; /* all up to here is stored */
};

enum book_kind {
	BOOK_MESSAGE,
	BOOK_BROADCAST,
	BOOK_NOTICE,
	BOOK_LOGIN,
	BOOK_LOGOUT,
	BOOK_PRIVATE, /* straight from client to client */
};

enum book_state {
	BOOK_RECEIVED, /* from others */
	BOOK_QUEUED, /* our own, from here on */
	BOOK_ACCEPTED,
	BOOK_FETCHED,
	BOOK_REFUSED,
	BOOK_CALLING, /* a private one on its way */
	BOOK_KEPT, /* one that did not arrive: for book_private_leave() */
};

/* One row; the strings live until the function that got it returns. */
struct book_row {
	int64_t number; /* grows with every row */
	enum book_kind kind;
	enum book_state state;
	int64_t time; /* wall clock, milliseconds */
	const char *author, *recipient, *id, *text;
	const char *reason; /* of BOOK_REFUSED and BOOK_KEPT; else "" */
};

/* Somebody else, as far as the book knows; strings as in book_row. */
struct book_contact {
	const char *user;
	int64_t last; /* time of the last message; 0: there was none */
	const char *pin, *changed; /* public keys, or "" */
	const char *host; /* of a private link, or "" */
	int64_t port; /* 0: they take none */
	int64_t until; /* wall clock; 0: there is no link */
};

/* What the faces call it. */
const char *book_kind_name(enum book_kind kind);

/* What of the history is wanted. */
struct book_query {
	const char *user; /* what was said to and by this one; "" for all */
	const char *words; /* that a text has in it; "" for all */
	int64_t limit; /* the last so many; -1 for all */
	bool presence; /* logins and logouts, too */
};

/*
 * Opens the book of that user, making it if there is none, for the agent,
 * who alone writes to it.  NULL with a sentence in why.  A file that is
 * damaged, or becomes so, is moved aside when it is closed.
 */
struct book *book_open(
    const char *path, const char *user, char why[BOOK_WHY_LEN]);

/*
 * The same for somebody who may not be alone with it; the lock is the agent's.
 * While that is held a damaged file stays where it is.
 */
struct book *book_visit(const char *path, const char *lock, const char *user,
    char why[BOOK_WHY_LEN]);
void book_close(struct book *book);

/* The sentence about the last call that returned -1. */
const char *book_why(const struct book *book);

int book_place(struct book *book, struct book_place *place);
int book_set_place(struct book *book, const struct book_place *place);

/*
 * Stores what one reply to sync brought together with the cursors after it,
 * all or nothing.  What is there already is skipped; receipts settle the
 * messages that they name: fn (may be NULL) is told which.
 */
int book_store(struct book *book, const struct wire_event *events, size_t count,
    const struct book_place *place,
    void (*fn)(void *arg, const char *id, const char *recipient), void *arg);

/*
 * Writes an own message down as queued; 1 if one with that id is there.
 * recipient "" is everybody.
 */
int book_queue(struct book *book, const char *id, const char *recipient,
    const char *text, int64_t time, int64_t *number);

/* Likewise one that the centre has accepted already. */
int book_sent(struct book *book, const char *id, const char *recipient,
    const char *text, int64_t time);

/*
 * Own message: queued becomes accepted or refused, and 1 is returned; any
 * other state stays, and 0 is: the receipt was faster.
 */
int book_settle(struct book *book, int64_t number, enum book_state state,
    const char *reason);

/* 1 and the row if it is there, 0 if not, -1 on error. */
int book_row(struct book *book, int64_t number,
    void (*fn)(void *arg, const struct book_row *row), void *arg);

/* All that is queued, oldest first; -1 on error. */
int book_queued(struct book *book,
    void (*fn)(void *arg, const struct book_row *row), void *arg);

/* What others said after a row, oldest first, until fn returns false. */
int book_news(struct book *book, int64_t after,
    bool (*fn)(void *arg, const struct book_row *row), void *arg);

/* What the query wants, oldest first, until fn returns false. */
int book_history(struct book *book, const struct book_query *query,
    bool (*fn)(void *arg, const struct book_row *row), void *arg);

/*
 * Everybody else that messages went to or came from, or a link was with;
 * without those who do not exist.
 */
int book_contacts(struct book *book,
    void (*fn)(void *arg, const struct book_contact *contact), void *arg);

/* The last row's number, and the one before the first that was not shown. */
int book_ends(struct book *book, int64_t *last, int64_t *shown);

/* All up to that row has been shown. */
int book_shown(struct book *book, int64_t number);

#endif
