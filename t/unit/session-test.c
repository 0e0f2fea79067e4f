/* SPDX-License-Identifier: ISC */
/*
 * The tables in the store's memory: sessions by token, user, name and
 * silence; lockouts, and how names give way.
 */
#include <stdio.h>
#include <string.h>

#include "chatd/store/lockout.h"
#include "chatd/store/session.h"
#include "tap.h"

enum { MANY = 5000 };

static struct db_session
row_of(int number, int64_t online)
{
	struct db_session row = {.user = number, .online = online};

	memset(row.token, number & 255, sizeof(row.token));
	memcpy(row.token, &number, sizeof(number));
	/* Every third has none. */
	if (number % 3 != 0)
		row.beacon.id = (uint64_t)number << 40 | 77;
	snprintf(row.name, sizeof(row.name), "u%06d", number);
	return row;
}

/* Adds them in an order that is not that of their names. */
static void
fill(struct sessions *table)
{
	for (int i = 0; i < MANY; i++) {
		int number = (i * 1543) % MANY + 1;
		struct db_session row = row_of(number, number % 2);

		session_add(table, &row, i);
	}
}

/* True if the walk by name gives the online ones, sorted, all of them. */
static bool
walk_is_sorted(struct sessions *table)
{
	const struct session *each = sessions_after(table, "");
	char last[NAME_MAX_LEN + 1] = "";
	size_t count = 0;

	for (; each != NULL; each = sessions_after(table, each->name)) {
		if (strcmp(each->name, last) <= 0 || each->online == 0)
			return false;
		memcpy(last, each->name, sizeof(last));
		count++;
	}
	return count == sessions_online(table);
}

static void
test_sessions(void)
{
	struct sessions *table = sessions_new();
	struct db_session row = row_of(77, 0);
	struct session *session;
	bool all = true;

	fill(table);
	is_number((long)sessions_count(table), MANY, "all are there");
	is_number(
	    (long)sessions_online(table), MANY / 2, "half of them online");
	ok(walk_is_sorted(table), "walked by name");
	for (int i = 1; i <= MANY; i++)
		all = all && session_by_user(table, i) != NULL &&
		    session_by_user(table, i)->user == i;
	ok(all, "found by user");
	session = session_by_token(table, row.token);
	ok(session != NULL && session->user == 77, "found by token");
	session_set_online(table, session, 0, 9999);
	ok(walk_is_sorted(table), "one less online");
	session_remove(table, session);
	ok(session_by_token(table, row.token) == NULL &&
		session_by_user(table, 77) == NULL,
	    "removed");
	row = row_of(MANY + 1, 0);
	ok(session_by_token(table, row.token) == NULL, "unknown token");
	for (int i = 1; i <= MANY; i += 3)
		if ((session = session_by_user(table, i)) != NULL)
			session_remove(table, session);
	ok(walk_is_sorted(table), "still sorted after many went");
	sessions_free(table);
}

/* As at the start of the store: all at once, then as ever. */
static void
test_loading(void)
{
	struct sessions *table = sessions_new();
	struct db_session row = row_of(MANY + 1, 1);
	struct session *session;

	sessions_load(table);
	is_number(sessions_loaded(table), 0, "none is a number, too");
	ok(sessions_after(table, "") == NULL, "of nobody");
	sessions_load(table);
	fill(table);
	for (int i = 0; i < 9; i++) {
		row = row_of(MANY + 1 + i, 1);
		snprintf(row.name, sizeof(row.name), "%.*s", i % 2 ? i : 12 + i,
		    "a-name-that-is-long-for-a-name");
		session_add(table, &row, 1);
	}
	is_number(sessions_loaded(table), 0, "loaded together");
	ok(walk_is_sorted(table), "in the order of their names");
	for (int i = 1; i <= MANY; i += 4)
		session_remove(table, session_by_user(table, i));
	session = session_by_user(table, 2);
	session_set_online(table, session, 5, 9);
	ok(walk_is_sorted(table), "also after some came and went");
	sessions_free(table);
}

static void
test_beacons(void)
{
	struct sessions *table = sessions_new();
	struct db_session row = row_of(MANY + 1, 0);
	const struct session *each = NULL;
	struct session *session;
	size_t online = 0;
	bool all = true;

	fill(table);
	for (int i = 1; i <= MANY; i++) {
		uint64_t id = (uint64_t)i << 40 | 77;

		session = session_by_beacon(table, id);
		all = all &&
		    (i % 3 == 0 ? session == NULL
				: session != NULL && session->user == i);
	}
	ok(all, "found by beacon, those that have one");
	ok(session_by_beacon(table, 78) == NULL, "an id that none has");
	row.beacon.id = (uint64_t)1 << 40 | 77;
	session = session_add(table, &row, 1);
	ok(session != NULL && session->beacon == 0, "no id is given twice");
	session_remove(table, session);
	session = session_by_user(table, 1);
	session_remove(table, session);
	ok(session_by_beacon(table, (uint64_t)1 << 40 | 77) == NULL,
	    "with the session its id goes");
	while ((each = sessions_next_online(table, each)) != NULL)
		online++;
	is_number((long)online, (long)sessions_online(table),
	    "the online ones are walked");
	sessions_free(table);
}

static void
test_silence(void)
{
	struct sessions *table = sessions_new();
	struct db_session a = row_of(1, 1), b = row_of(2, 1);
	struct session *first = session_add(table, &a, 10);
	struct session *second = session_add(table, &b, 20);

	ok(sessions_most_silent(table) == first, "the first is most silent");
	session_heard(table, first, 30);
	ok(sessions_most_silent(table) == second, "until it is heard");
	session_set_online(table, second, 0, 40);
	ok(sessions_most_silent(table) == first, "offline ones do not count");
	session_set_online(table, second, 5, 50);
	session_remove(table, first);
	ok(sessions_most_silent(table) == second, "removed ones neither");
	sessions_free(table);
}

/* FNV-1a of 32 bits, as anybody may work it out. */
static uint32_t
plain_hash(const char *name)
{
	uint32_t hash = 2166136261u;

	for (; *name != '\0'; name++)
		hash = (hash ^ (unsigned char)*name) * 16777619u;
	return hash;
}

static void
test_chosen_names(void)
{
	enum { CHOSEN = 64, PLACES = 65536 };
	struct lockouts *table = lockouts_new();
	char name[NAME_MAX_LEN + 1], dropped[NAME_MAX_LEN + 1];

	for (int i = 0, found = 0; found < CHOSEN; i++) {
		snprintf(name, sizeof(name), "n%d", i);
		if (plain_hash(name) % PLACES != 0)
			continue;
		lockout_get(table, name, false, 0, dropped);
		found++;
	}
	ok(lockouts_longest(table) < CHOSEN / 4,
	    "names are not chosen so that they meet");
	lockouts_free(table);
}

/* A known name and an unknown one go alike, in the order of their charges. */
static void
test_lockouts(void)
{
	struct lockouts *table = lockouts_new();
	char name[NAME_MAX_LEN + 1], dropped[NAME_MAX_LEN + 1];

	lockout_get(table, "locked", true, 0, dropped)->lock.until = 1000;
	lockout_get(table, "alice", true, 0, dropped);
	lockout_get(table, "nobody", false, 0, dropped);
	lockout_get(table, "bob", true, 0, dropped);
	for (int i = 4; i < LOCKOUT_MAX; i++) {
		snprintf(name, sizeof(name), "n%d", i);
		lockout_get(table, name, false, 0, dropped);
	}
	is_number((long)lockouts_count(table), LOCKOUT_MAX, "full");
	is_number(dropped[0], 0, "nothing had to go");
	lockout_touch(table, lockout_find(table, "bob"));
	lockout_get(table, "one-more", false, 999, dropped);
	ok(strcmp(dropped, "alice") == 0 &&
		lockout_find(table, "alice") == NULL,
	    "the oldest that is not locked gives way, a user's too");
	lockout_get(table, "and-more", true, 999, dropped);
	ok(strcmp(dropped, "nobody") == 0, "then the next");
	lockout_get(table, "yet-more", true, 999, dropped);
	ok(strcmp(dropped, "n4") == 0 && lockout_find(table, "bob") != NULL,
	    "one that was charged again is younger");
	lockout_get(table, "still-more", true, 1000, dropped);
	ok(strcmp(dropped, "locked") == 0, "a lock that is over protects none");
	lockout_drop(table, lockout_find(table, "n5"));
	ok(lockout_find(table, "n5") == NULL, "dropped");
	is_number((long)lockouts_count(table), LOCKOUT_MAX - 1, "counted");
	lockouts_free(table);
}

int
main(void)
{
	test_sessions();
	test_loading();
	test_beacons();
	test_silence();
	test_chosen_names();
	test_lockouts();
	return done();
}
