/* SPDX-License-Identifier: ISC */
/*
 * The book as conversations: with each other user, and with everybody, which
 * is the room.  Pages of what was said, how much is unread, how far each has
 * been read.  Triggers of the database keep count, whoever writes to it.
 */
#ifndef CHAT_AGENT_BOOK_TALK_H
#define CHAT_AGENT_BOOK_TALK_H

#include "chat/agent/book.h"

/*
 * The rung: of each row which conversation it is of (none: a login or a
 * logout), and of each conversation its last row and what is unread.  What
 * was there before this rung has been read.
 */
#define BOOK_TALK_RUNG                                                     \
	"ALTER TABLE history ADD COLUMN talk TEXT AS ("                    \
	" CASE WHEN kind IN (0, 5) THEN iif(state = 0, author, recipient)" \
	" WHEN kind IN (1, 2) THEN '' END) VIRTUAL;"                       \
	"CREATE INDEX history_talk ON history (talk)"                      \
	" WHERE talk IS NOT NULL;"                                         \
	"CREATE INDEX history_theirs ON history (talk)"                    \
	" WHERE talk IS NOT NULL AND state = 0;"                           \
	"CREATE INDEX history_room ON history (number)"                    \
	" WHERE kind BETWEEN 1 AND 4;"                                     \
	"CREATE TABLE talk ("                                              \
	" user TEXT PRIMARY KEY, last INTEGER NOT NULL,"                   \
	" read INTEGER NOT NULL, unread INTEGER NOT NULL) WITHOUT ROWID;"  \
	"CREATE INDEX talk_unread ON talk (user) WHERE unread > 0;"        \
	"INSERT INTO talk SELECT talk, max(number),"                       \
	" (SELECT max(number) FROM history), 0 FROM history"               \
	" WHERE talk IS NOT NULL GROUP BY talk;"                           \
	"INSERT INTO talk SELECT '', 0,"                                   \
	" ifnull((SELECT max(number) FROM history), 0), 0"                 \
	" WHERE NOT EXISTS (SELECT 1 FROM talk WHERE user = '');"          \
	"CREATE TRIGGER history_last AFTER INSERT ON history"              \
	" WHEN new.talk IS NOT NULL BEGIN"                                 \
	" INSERT INTO talk SELECT new.talk, 0, 0, 0"                       \
	" WHERE NOT EXISTS (SELECT 1 FROM talk WHERE user = new.talk);"    \
	" UPDATE talk SET last = new.number,"                              \
	" unread = unread + (new.state = 0) WHERE user = new.talk;"        \
	" END;"                                                            \
	"PRAGMA user_version = 5;"

/* From where on a page is wanted. */
enum book_from { PAGE_NEWEST, PAGE_BEFORE, PAGE_AFTER, PAGE_AROUND };

/* What of the history is wanted. */
struct book_page {
	const char *user; /* with this one; "" the room; NULL for all */
	const char *words; /* that a text has in it; "" for all */
	enum book_from from;
	int64_t row; /* likewise, not of PAGE_NEWEST */
	int64_t limit;
	bool presence; /* of the room, and of all: logins and logouts, too */
};

/* One conversation; strings as in book_row. */
struct book_talk {
	const char *user; /* "" is the room */
	int64_t last, time; /* its last row; 0: nothing was said yet */
	int64_t read, unread;
	const char *author, *text; /* of the last row */
};

/*
 * Goes through a page, each side of it from its middle outwards, until fn
 * returns false, which ends that side after this row.  start and end say
 * whether there is nothing before what fn got, and nothing after.
 */
int book_page(struct book *book, const struct book_page *page,
    bool (*fn)(void *arg, const struct book_row *row), void *arg, bool *start,
    bool *end);

/*
 * The room, and everybody with whom something was exchanged, newest first,
 * until fn returns false; without those who do not exist.
 */
int book_talks(struct book *book,
    bool (*fn)(void *arg, const struct book_talk *talk), void *arg);

/*
 * This conversation has been read up to a row: 1, or 0 if it had before, or
 * there is none.  unread is what is left.
 */
int book_read(
    struct book *book, const char *user, int64_t row, int64_t *unread);

/* All have; fn is told of each in which something was unread. */
int book_read_all(struct book *book, int64_t row,
    void (*fn)(void *arg, const char *user, int64_t unread), void *arg);

#endif
