/* SPDX-License-Identifier: ISC */
/*
 * The beacon's part of the book: its keys, as secret as the token, and the
 * counters that are reserved.  The agent alone uses it.  It goes in the same
 * step in which the session's token goes or another one comes.
 */
#ifndef CHAT_AGENT_BOOK_BEACON_H
#define CHAT_AGENT_BOOK_BEACON_H

#include "chat/agent/book.h"
#include "lib/beacon.h"

/* The rung: keys do not outlive the token of their session. */
#define BOOK_BEACON_RUNG                                                \
	"CREATE TABLE beacon ("                                         \
	" only INTEGER PRIMARY KEY CHECK (only = 1), id TEXT NOT NULL," \
	" keys BLOB NOT NULL, counters INTEGER NOT NULL,"               \
	" spread INTEGER NOT NULL);"                                    \
	"CREATE TRIGGER place_beacon AFTER UPDATE OF token ON place"    \
	" WHEN new.token <> old.token BEGIN"                            \
	" UPDATE beacon SET keys = zeroblob(64);"                       \
	" DELETE FROM beacon;"                                          \
	" END;"                                                         \
	"PRAGMA user_version = 3;"

struct book_beacon {
	uint64_t id;
	struct beacon_keys keys;
	uint64_t end; /* all counters below may have been used */
	int64_t spread; /* milliseconds: the login's room_spread */
};

/* 1 and the beacon of the session that the book knows, 0: none, -1. */
int book_beacon(struct book *book, struct book_beacon *beacon);

/* That of a login, after its token is in the book; 0 or -1. */
int book_beacon_set(struct book *book, const struct book_beacon *beacon);

/* Counters below end are reserved, which is on the disk; 0 or -1. */
int book_beacon_reserve(struct book *book, uint64_t end);

#endif
