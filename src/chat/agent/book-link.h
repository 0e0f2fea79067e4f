/* SPDX-License-Identifier: ISC */
/*
 * What the book has of private links: questions and passes, which end with
 * the session, and the public keys of others, which stay.  The agent alone
 * writes them; times are its wall clock, in milliseconds.
 */
#ifndef CHAT_AGENT_BOOK_LINK_H
#define CHAT_AGENT_BOOK_LINK_H

#include "chat/agent/book.h"
#include "lib/tls.h"

/*
 * The rung: a link does not outlive the token of its session, and the words
 * of private messages (kind 5) can be searched for as all others.
 */
#define BOOK_LINK_RUNG                                                       \
	"CREATE TABLE peer_key ("                                            \
	" user TEXT PRIMARY KEY, key TEXT NOT NULL,"                         \
	" since INTEGER NOT NULL, changed TEXT NOT NULL DEFAULT '')"         \
	" WITHOUT ROWID;"                                                    \
	"ALTER TABLE place ADD COLUMN peer_port INTEGER NOT NULL DEFAULT 0;" \
	"CREATE TABLE link ("                                                \
	" user TEXT PRIMARY KEY,"                                            \
	" question TEXT NOT NULL DEFAULT '',"                                \
	" question_key TEXT NOT NULL DEFAULT '',"                            \
	" question_since INTEGER NOT NULL DEFAULT 0,"                        \
	" question_until INTEGER NOT NULL DEFAULT 0,"                        \
	" wanted TEXT NOT NULL DEFAULT '',"                                  \
	" wanted_since INTEGER NOT NULL DEFAULT 0,"                          \
	" wanted_until INTEGER NOT NULL DEFAULT 0,"                          \
	" pass TEXT NOT NULL DEFAULT '', key TEXT NOT NULL DEFAULT '',"      \
	" host TEXT NOT NULL DEFAULT '', port INTEGER NOT NULL DEFAULT 0,"   \
	" since INTEGER NOT NULL DEFAULT 0,"                                 \
	" until INTEGER NOT NULL DEFAULT 0) WITHOUT ROWID;"                  \
	"CREATE TRIGGER place_link AFTER UPDATE OF token ON place"           \
	" WHEN new.token <> old.token BEGIN"                                 \
	" UPDATE link SET pass = zeroblob(length(pass));"                    \
	" DELETE FROM link;"                                                 \
	" UPDATE place SET peer_port = 0;"                                   \
	" END;"                                                              \
	"DROP TRIGGER history_words;"                                        \
	"CREATE TRIGGER history_words AFTER INSERT ON history"               \
	" WHEN new.kind <= 2 OR new.kind = 5 BEGIN"                          \
	" INSERT INTO words (rowid, text) VALUES (new.number, new.text);"    \
	" END;"                                                              \
	"CREATE INDEX history_private ON history (number) WHERE state >= 5;" \
	"PRAGMA user_version = 4;"

/* One user's row; what is not there is "" and 0. */
struct book_link {
	const char *user;
	const char *question, *question_pin; /* they have asked */
	int64_t question_since, question_until;
	const char *wanted; /* we have asked */
	int64_t wanted_since, wanted_until;
	struct wire_link link; /* the pass; expires_in is not set */
	int64_t since, until;
};

/* A public key that is remembered. */
struct book_key {
	char pin[TLS_PIN_LEN + 1];
	char changed[TLS_PIN_LEN + 1]; /* another one that was shown, or "" */
	int64_t since;
};

/* All that there is; -1 on error. */
int book_links(struct book *book,
    void (*fn)(void *arg, const struct book_link *link), void *arg);

/*
 * What an event says of a link, inside book_store()'s transaction; the
 * event's time is ours.  Its key is compared, and remembered where it comes
 * with a pass.
 */
int book_link_event(struct book *book, const struct wire_event *event);

/* We have asked; the centre has given it this name.  "": we ask no more. */
int book_link_wanted(struct book *book, const char *user, const char *request,
    int64_t since, int64_t until);

/* There is a pass, and the question that led to it is answered. */
int book_link_pass(struct book *book, const char *user,
    const struct wire_link *link, int64_t now);

/* Their question is answered, or ours, or the pass is worth nothing. */
int book_link_answered(struct book *book, const char *user);
int book_link_end(struct book *book, const char *user);
int book_link_drop(struct book *book, const char *user);

/* Where we listen, for the next agent of this session; 0: nowhere. */
int book_port(struct book *book, int64_t *port);
int book_set_port(struct book *book, int64_t port);

/* 1 and the key if one is remembered, 0 if none, -1 on error. */
int book_key(struct book *book, const char *user, struct book_key *key);

/*
 * Compares a key with the one that is remembered: 1 if it is this one, or
 * none was (it is remembered then, if so wished), 0 if it is another, which
 * is noted; -1 on error.
 */
int book_key_seen(struct book *book, const char *user, const char *pin,
    int64_t now, bool remember);

/* Takes the other key that was noted: 1, or 0 if there is none. */
int book_key_trust(struct book *book, const char *user, int64_t now);

/* All that are remembered, sorted. */
int book_keys(struct book *book,
    void (*fn)(void *arg, const char *user, const struct book_key *key),
    void *arg);

#endif
