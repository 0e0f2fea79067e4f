/* SPDX-License-Identifier: ISC */
/*
 * What a site did wrong lately, as time that it owes: each offence adds to
 * it, and it runs off by itself.  From PENALTY_LEAST on the site is refused
 * until it owes nothing.  Pure: the time is passed in.
 */
#ifndef CHATD_PENALTY_H
#define CHATD_PENALTY_H

#include <stdbool.h>
#include <stdint.h>

/* offence, milliseconds for it, how the log calls it. */
#define OFFENCES(X)                                            \
	X(CRASH, 90000, "a crash")                             \
	X(DEADLINE, 10000, "a deadline that passed")           \
	X(MALFORMED, 1000, "a request that was none")          \
	X(LOGIN, 1000, "a failed login")                       \
	X(REGISTERED, 1000, "an account made")                 \
	/* Three names, penalty_locked() counts them. */       \
	X(LOCKED, 300000, "three accounts locked")             \
	/* These two refuse nobody: others only come first. */ \
	X(HELD, 30000, "a worker held for nothing")            \
	X(SPENT, 5000, "a worker for nothing")

enum offence {
#define X(name, ms, text) OFFENCE_##name,
	OFFENCES(X)
#undef X
	    OFFENCE_COUNT
};

enum {
	PENALTY_LEAST = 15000, /* what is owed before anybody is refused */
	PENALTY_MOST = 600000, /* milliseconds */
	PENALTY_LOCKS = 3, /* names locked that make an offence, */
	PENALTY_LOCKS_MS = 600000, /* within that time */
};

/* One that is all zero owes nothing. */
struct penalty {
	int64_t until; /* monotonic: when nothing is owed any more */
	/* Names that it has locked last, each when it last did; 0: none. */
	struct penalty_lock {
		int64_t time;
		uint32_t name;
	} locks[PENALTY_LOCKS - 1];
	bool refused; /* until then */
};

/* Charges for an offence; true if the site is refused from now on. */
bool penalty_add(struct penalty *penalty, enum offence offence, int64_t now);

/*
 * It has locked a name, of which this is a hash: true if that is the third
 * one within the time, OFFENCE_LOCKED.  Locked again it is no other one.
 */
bool penalty_locked(struct penalty *penalty, uint32_t name, int64_t now);

/* Milliseconds for which the site is refused; 0 if it is not. */
int64_t penalty_left(const struct penalty *penalty, int64_t now);

const char *offence_name(enum offence offence);

#endif
