/* SPDX-License-Identifier: ISC */
/*
 * Who may do what, what counts as online, what a lockout is: plain
 * functions of facts that somebody else looked up, time passed in.
 */
#ifndef CHATD_RULES_H
#define CHATD_RULES_H

#include <stdbool.h>
#include <stdint.h>

#include "chatd/store/db.h"

enum {
	RULES_BACK_SOON_MS = 5000, /* a login this soon is no news */
	RULES_ID_DAYS = 30, /* that an id is remembered */
	RULES_KNOCK_ALL = 200, /* online, up to which all are told */
	RULES_ASK_MS = 60000, /* one more question to the same user */
	RULES_ASK_BURST_MS = 300000, /* that may be ahead: five questions */
	RULES_CLOCK_JUMP_MS = 3600000, /* more than a clock is off by itself */
	RULES_CLOCK_DOUBT_MS = 86400000, /* until it is believed all the same */
};

/* Failed logins of one name; until is monotonic, 0 while not locked. */
struct lock {
	int failures;
	int64_t until;
};

/* Seconds that the name stays locked, rounded up; 0 if it is not. */
int lock_remaining(const struct lock *lock, int64_t now);

/*
 * Charges one attempt before its password is checked, and locks at the
 * limit.  A lock that has run out starts afresh.  Returns the attempts left.
 * Not to be called while lock_remaining().
 */
int lock_charge(struct lock *lock, const struct rules *rules, int64_t now);

/* Success: what stays charged are the attempts that are still being checked. */
void lock_clear(struct lock *lock, int under_way);

/* The attempts left now; lock is NULL for a name without failures. */
int lock_left(const struct lock *lock, const struct rules *rules, int64_t now);

/* An attempt that was never checked is taken back. */
void lock_refund(struct lock *lock, const struct rules *rules);

/* A lock that was stored as wall clock, in this run's monotonic time. */
int64_t lock_restore(const struct rules *rules, int64_t until_wall,
    int64_t now_wall, int64_t now);

/* What send() looked up about the recipient. */
struct send_facts {
	bool known; /* exists, and was not deleted */
	bool blocked; /* has blocked the sender */
	int64_t mail_count;
};

/* ERR_NONE if the message may be stored. */
enum wire_error rules_send(
    const struct rules *rules, const struct send_facts *facts);

/* What ask() looked up about the user who is asked for a private link. */
struct ask_facts {
	bool known, self;
	bool blocked, blocks; /* has blocked the asker, or is blocked by it */
	bool online;
	bool linked; /* there is a link of theirs already */
	bool takes; /* gave a port and a key at login */
	bool key; /* the asker gave a key at login */
	bool full; /* there are too many questions and links */
};

/* ERR_NONE, or why nobody is asked; why is NULL for the error's own words. */
enum wire_error rules_ask(
    const struct rules *rules, const struct ask_facts *facts, const char **why);

/*
 * Charges a question of one pair, whose account is paid: 0, or the seconds
 * to wait, and then nothing was charged.
 */
int rules_pace(int64_t *paid, int64_t now);

/*
 * What is left of a question (or, made, of a link) that was stored as wall
 * clock, in milliseconds: never more than it had at first.
 */
int64_t rules_link_left(
    const struct rules *rules, bool made, int64_t ends_wall, int64_t now_wall);

/*
 * True if somebody who was told the one address cannot use it any more, now
 * that requests come from the other: of another family they say nothing.
 */
bool rules_moved(const struct ipc_address *told, const struct ipc_address *now);

/* Who reads the room log, and how far. */
struct room_reader {
	int64_t user;
	int64_t cursor; /* where this walk began */
	int64_t login_room; /* the head at the reader's login */
};

/*
 * True if the reader is shown this entry, unless a block hides it: never its
 * own; of what was written before the reader's login only broadcasts, and
 * those only if was_online then.
 */
bool rules_room_visible(const struct room_reader *reader,
    const struct wire_event *event, const struct db_room_row *row,
    bool was_online);

/*
 * Whose block of whom hides such an entry, if it stood when the entry was
 * written: a broadcast is hidden from whoever blocks its sender, presence
 * from whom its subject blocks.
 */
struct room_hider {
	int64_t owner, target;
};
struct room_hider rules_room_hider(
    int64_t reader, enum wire_event_type type, int64_t user);

/* True if a login now takes a logout at that time back. */
bool rules_back_soon(int64_t logout_wall, int64_t now_wall);

/* Seconds over which clients that have only room news spread themselves. */
int rules_room_spread(int64_t online);

/* True if a session that was heard then counts as gone. */
bool rules_silent(const struct rules *rules, int64_t heard, int64_t now);

/* How far the wall clock is from the monotonic one, as it is believed. */
struct wall_clock {
	int64_t offset;
	int64_t doubted; /* monotonic: since when it is not, or 0 */
};

/*
 * False for a day after the wall clock has jumped ahead: what is old by it
 * alone must not be cleared away, since it may be set back.
 */
bool rules_clock_trusted(struct wall_clock *clock, int64_t wall, int64_t now);

#endif
