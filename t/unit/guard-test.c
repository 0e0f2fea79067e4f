/* SPDX-License-Identifier: ISC */
/*
 * What the master remembers of addresses: penalties that add up and run
 * off, connections that come too often, addresses that are known.
 */
#include <arpa/inet.h>

#include "chatd/master/guard.h"
#include "chatd/sites.h"
#include "tap.h"

enum { NOW = 5000000 };

static struct ipc_address
address(const char *text)
{
	struct ipc_address out = {0};

	out.family = strchr(text, ':') ? AF_INET6 : AF_INET;
	inet_pton(out.family, text, out.ip);
	return out;
}

static void
test_penalty(void)
{
	struct penalty crash = {0}, slow = {0}, login = {0}, most = {0};
	int count = 0;

	ok(penalty_left(&crash, NOW) == 0, "nothing is owed at first");
	ok(penalty_add(&crash, OFFENCE_CRASH, NOW), "a crash is enough");
	is_number(penalty_left(&crash, NOW), 90000, "for 90 s");
	is_number(penalty_left(&crash, NOW + 60000), 30000, "it runs off");
	is_number(penalty_left(&crash, NOW + 80000), 10000,
	    "to the end, also below what begins it");
	is_number(penalty_left(&crash, NOW + 90000), 0, "then it is over");

	ok(!penalty_add(&slow, OFFENCE_DEADLINE, NOW), "one deadline is not");
	is_number(penalty_left(&slow, NOW), 0, "10 s are not enforced");
	ok(penalty_add(&slow, OFFENCE_DEADLINE, NOW + 5000), "two are");
	is_number(penalty_left(&slow, NOW + 5000), 15000, "15 s are");
	slow = (struct penalty){0};
	penalty_add(&slow, OFFENCE_DEADLINE, NOW);
	ok(!penalty_add(&slow, OFFENCE_DEADLINE, NOW + 5001) &&
		!penalty_add(&slow, OFFENCE_DEADLINE, NOW + 30000),
	    "slowly enough they never are");

	while (!penalty_add(&login, OFFENCE_LOGIN, NOW) && count < 100)
		count++;
	is_number(count + 1, 15, "fifteen failed logins at once are");
	ok(!penalty_add(&login, OFFENCE_LOGIN, NOW),
	    "it is said once that it begins");
	is_number(penalty_left(&login, NOW), 16000, "and it goes on growing");
	for (count = 0; count < 100; count++)
		penalty_add(&most, OFFENCE_CRASH, NOW);
	is_number(penalty_left(&most, NOW), 600000, "600 s at most");
	ok(penalty_left(&most, NOW + 599999) == 1 &&
		penalty_left(&most, NOW + 600000) == 0 &&
		!penalty_add(&most, OFFENCE_MALFORMED, NOW + 600000) &&
		penalty_left(&most, NOW + 600000) == 0,
	    "afterwards it begins anew");
}

static void
test_locks(void)
{
	struct penalty penalty = {0};

	ok(!penalty_locked(&penalty, 1, NOW) &&
		!penalty_locked(&penalty, 2, NOW + 1000),
	    "two names locked are no offence");
	ok(penalty_locked(&penalty, 3, NOW + 599999),
	    "three within ten minutes are");
	ok(penalty_add(&penalty, OFFENCE_LOCKED, NOW + 599999),
	    "which is enough");
	is_number(penalty_left(&penalty, NOW + 599999), 300000, "for 300 s");
	penalty = (struct penalty){0};
	penalty_locked(&penalty, 1, NOW);
	penalty_locked(&penalty, 2, NOW + 500000);
	ok(!penalty_locked(&penalty, 3, NOW + 600001),
	    "three in more than ten minutes are not");
	ok(penalty_locked(&penalty, 4, NOW + 600002),
	    "until three fall together");
}

/* One who cannot remember a password is one. */
static void
test_same_lock(void)
{
	struct penalty penalty = {0};
	bool offence = false;

	for (int i = 0; i < 9; i++)
		offence |= penalty_locked(&penalty, 1, NOW + i * 1000);
	ok(!offence, "one name locked again and again is no offence");
	for (int i = 0; i < 9; i++)
		offence |= penalty_locked(
		    &penalty, 1 + (uint32_t)i % 2, NOW + 9000 + i * 1000);
	ok(!offence, "nor are two in turn");
	ok(!penalty_locked(&penalty, 1, NOW + 600000) &&
		!penalty_locked(&penalty, 3, NOW + 617000),
	    "each counts from when it was locked last");
	ok(penalty_locked(&penalty, 4, NOW + 617001), "the third is one");
}

/* Who comes first. */
static void
test_rank(void)
{
	const struct bucket_size size = {1, 3};
	struct guard *guard = guard_new();
	struct ipc_address a = address("192.0.2.1"), b = address("192.0.2.2");
	struct ipc_address c = address("192.0.2.3");

	ok(!guard_charge(guard, &a, OFFENCE_HELD, NOW) &&
		guard_rank(guard, &a, NOW) == GUARD_DOUBTED &&
		guard_rank(guard, &b, NOW) == GUARD_PLAIN,
	    "who holds a worker for nothing is doubted");
	ok(guard_admits(guard, &a, size, NOW) == GUARD_ADMIT &&
		guard_refused(guard, NOW) == 0,
	    "and not refused");
	ok(guard_rank(guard, &a, NOW + 29999) == GUARD_DOUBTED &&
		guard_rank(guard, &a, NOW + 30000) == GUARD_PLAIN,
	    "for half a minute");
	guard_charge(guard, &b, OFFENCE_SPENT, NOW);
	guard_charge(guard, &b, OFFENCE_SPENT, NOW);
	ok(guard_rank(guard, &b, NOW) == GUARD_PLAIN,
	    "two connections for nothing are nothing");
	guard_charge(guard, &b, OFFENCE_SPENT, NOW);
	ok(guard_rank(guard, &b, NOW) == GUARD_DOUBTED, "a third one counts");
	guard_proved(guard, &c, size, false, NOW);
	guard_charge(guard, &c, OFFENCE_HELD, NOW);
	ok(guard_rank(guard, &c, NOW) == GUARD_PLAIN,
	    "one that is known and doubted is as any other");
	guard_proved(guard, &c, size, false, NOW);
	guard_proved(guard, &b, size, false, NOW);
	ok(guard_rank(guard, &c, NOW) == GUARD_KNOWN &&
		guard_rank(guard, &b, NOW) == GUARD_KNOWN,
	    "a proof ends all doubt");
	guard_free(guard);
}

static void
test_guard(void)
{
	const struct bucket_size size = {1, 3}, much = {1000, 1000};
	struct guard *guard = guard_new();
	struct ipc_address a = address("192.0.2.1"), b = address("192.0.2.2");
	struct ipc_address c = address("2001:db8:0:1::1");
	struct ipc_address d = address("2001:db8:0:1::2");
	int in = 0;

	while (guard_admits(guard, &a, size, NOW) == GUARD_ADMIT && in < 9)
		in++;
	is_number(in, 3, "so many connections, then no more");
	ok(guard_admits(guard, &a, size, NOW) == GUARD_RATE, "for their rate");
	ok(guard_admits(guard, &b, size, NOW) == GUARD_ADMIT,
	    "others are not touched");
	ok(guard_rank(guard, &a, NOW) == GUARD_PLAIN, "nobody is known");
	guard_proved(guard, &a, size, true, NOW);
	ok(guard_rank(guard, &a, NOW) == GUARD_KNOWN &&
		guard_rank(guard, &b, NOW) == GUARD_PLAIN,
	    "who has proved something is known");
	ok(guard_admits(guard, &a, size, NOW) == GUARD_ADMIT,
	    "and that connection does not count");
	ok(guard_rank(guard, &a, NOW + GUARD_KNOWN_MS) == GUARD_KNOWN &&
		guard_rank(guard, &a, NOW + GUARD_KNOWN_MS + 1) == GUARD_PLAIN,
	    "known for a day");
	ok(guard_charge(guard, &c, OFFENCE_CRASH, NOW) &&
		guard_admits(guard, &d, size, NOW) == GUARD_PENALTY,
	    "IPv6 is refused by /64");
	is_number(guard_refused(guard, NOW), 1, "one is refused");
	ok(guard_admits(guard, &d, size, NOW + 90000) == GUARD_ADMIT &&
		guard_refused(guard, NOW + 90000) == 0,
	    "until it owes nothing");

	guard_charge(guard, &b, OFFENCE_CRASH, NOW);
	for (uint32_t i = 0; i < 2 * SITES_MAX; i++) {
		struct ipc_address at = {.family = AF_INET, .ip = {10}};

		memcpy(at.ip + 1, &i, 3);
		guard_admits(guard, &at, much, NOW);
	}
	ok(guard_admits(guard, &b, size, NOW) == GUARD_PENALTY &&
		guard_rank(guard, &a, NOW) == GUARD_KNOWN,
	    "a flood of addresses drops neither penalties nor the known");
	guard_free(guard);
}

int
main(void)
{
	test_penalty();
	test_locks();
	test_same_lock();
	test_rank();
	test_guard();
	return done();
}
