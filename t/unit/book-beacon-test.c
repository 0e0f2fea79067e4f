/* SPDX-License-Identifier: ISC */
/*
 * The beacon's part of the client's book: what survives a restart, and that
 * keys do not outlive the token of their session, in the file neither.
 */
#include "old-book.h"
#include "tap.h"

#include <stdlib.h>
#include <unistd.h>

#include <sqlite3.h>

#include "chat/agent/book-beacon.h"
#include "chat/agent/book-parts.h"
#include "lib/unix.h"

static char path[64];

static struct book *
must_open(void)
{
	char why[BOOK_WHY_LEN];
	struct book *book = book_open(path, "alice", why);

	if (book != NULL)
		return book;
	printf("Bail out! %s\n", why);
	exit(1);
}

/* The book as it was before it knew of beacons. */
static void
age(void)
{
	sqlite3 *db;

	ok(sqlite3_open(path, &db) == SQLITE_OK &&
		sqlite3_exec(db, BOOK_BACK_TO_2, NULL, NULL, NULL) == SQLITE_OK,
	    "a book of the second version");
	sqlite3_close(db);
}

/* Keys that can be found in a file. */
static struct book_beacon
a_beacon(uint64_t id)
{
	struct book_beacon beacon = {
	    .id = id, .end = BEACON_RESERVE, .spread = 4000};

	memset(beacon.keys.client, 'c', sizeof(beacon.keys.client));
	memset(beacon.keys.centre, 'z', sizeof(beacon.keys.centre));
	return beacon;
}

/* Another token, or none. */
static void
session(struct book *book, const char *token)
{
	struct book_place place;

	ok(book_place(book, &place) == 0, "the place is there");
	snprintf(place.token, sizeof(place.token), "%s", token);
	ok(book_set_place(book, &place) == 0, "the token is \"%s\"", token);
}

/* True if the octets stand anywhere in the book's files. */
static bool
in_file(const char *suffix, const void *octets, size_t len)
{
	char name[80], *all;
	size_t size;
	bool found;

	snprintf(name, sizeof(name), "%s%s", path, suffix);
	all = file_read(name, 1 << 26, &size);
	found = all != NULL && memmem(all, size, octets, len) != NULL;
	free(all);
	return found;
}

static void
test_keep(void)
{
	struct book_beacon beacon = a_beacon(UINT64_MAX), got;
	struct book *book = must_open();

	is_number(book_beacon(book, &got), 0, "a new book has none");
	is_number(book_beacon_reserve(book, 5), -1, "nothing to reserve");
	session(book, "first");
	ok(book_beacon_set(book, &beacon) == 0, "a login's beacon");
	ok(book_beacon_reserve(book, 2048) == 0, "a block of counters");
	book_close(book);
	book = must_open();
	is_number(book_beacon(book, &got), 1, "it is there after a restart");
	ok(got.id == beacon.id && got.end == 2048 && got.spread == 4000 &&
		memcmp(&got.keys, &beacon.keys, sizeof(got.keys)) == 0,
	    "with its keys and its counters");
	session(book, "first");
	is_number(book_beacon(book, &got), 1, "the same token: the same keys");
	book_close(book);
}

static void
test_end(void)
{
	struct book_beacon beacon = a_beacon(1), got;
	struct book *book = must_open();
	struct book_place place;

	session(book, "second");
	is_number(book_beacon(book, &got), 0, "another login: the keys go");
	ok(book_beacon_set(book, &beacon) == 0, "its own beacon");
	book_place(book, &place);
	place.mail++;
	ok(book_set_place(book, &place) == 0 && book_beacon(book, &got) == 1 &&
		got.id == 1,
	    "cursors move, the beacon stays");
	session(book, "");
	is_number(book_beacon(book, &got), 0, "a logout: they go, too");
	book_close(book);
	ok(!in_file("", beacon.keys.client, sizeof(beacon.keys.client)) &&
		!in_file("", beacon.keys.centre, sizeof(beacon.keys.centre)) &&
		!in_file(
		    "-wal", beacon.keys.client, sizeof(beacon.keys.client)),
	    "and are nowhere in the file");
}

static void
test_upgrade(void)
{
	struct book_beacon beacon = a_beacon(7), got;
	struct book *book;

	age();
	book = must_open();
	session(book, "third");
	ok(book_beacon_set(book, &beacon) == 0 &&
		book_beacon(book, &got) == 1 && got.id == 7,
	    "an older book has room for it now");
	session(book, "");
	is_number(book_beacon(book, &got), 0, "and ends it likewise");
	book_close(book);
}

/* A row that somebody has been at is none. */
static void
test_damage(void)
{
	static const char *const damages[] = {
	    "UPDATE beacon SET id = 'FFFFFFFFFFFFFFFF'",
	    "UPDATE beacon SET id = '12'",
	    "UPDATE beacon SET id = '7', keys = zeroblob(64)",
	    "UPDATE beacon SET keys = zeroblob(63)",
	    "UPDATE beacon SET keys = ''",
	    "UPDATE beacon SET counters = -1",
	};

	for (size_t i = 0; i < sizeof(damages) / sizeof(*damages); i++) {
		struct book_beacon beacon = a_beacon(7), got;
		struct book *book = must_open();

		ok(book_beacon_set(book, &beacon) == 0 &&
			sqlite3_exec(book->db, damages[i], NULL, NULL, NULL) ==
			    SQLITE_OK,
		    "%s", damages[i]);
		is_number(book_beacon(book, &got), 0, "is as if it were gone");
		book_close(book);
	}
}

int
main(void)
{
	char dir[] = "/tmp/book-beacon-XXXXXX";

	if (mkdtemp(dir) == NULL)
		return 1;
	snprintf(path, sizeof(path), "%s/book.db", dir);
	test_keep();
	test_end();
	test_upgrade();
	test_damage();
	unlink(path);
	rmdir(dir);
	return done();
}
