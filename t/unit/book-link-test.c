/* SPDX-License-Identifier: ISC */
/*
 * The book's part of private links: what goes with the session and what
 * stays, keys that do not change by themselves, and one row for a message
 * whichever way it came.
 */
#include "tap.h"

#include <stdlib.h>
#include <unistd.h>

#include "chat/agent/book-link.h"
#include "chat/agent/book-private.h"

#define KEY_A "sha256//AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA="
#define KEY_B "sha256//BBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBA="
#define PASS "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMN-_0"
#define REQUEST "QQQQQQQQQQQQQQQQQQQQQQ"

static char path[64];
static char text[1024];
static int64_t lasts = 60; /* what the centre says that something does */

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

/* Another book. */
static void
begin(const char *name)
{
	char command[128];

	printf("# %s\n", name);
	snprintf(command, sizeof(command), "rm -f %s*", path);
	if (system(command) != 0)
		exit(1);
}

static struct wire_string
str(const char *s)
{
	return (struct wire_string){s, s != NULL ? strlen(s) : 0};
}

static void add(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

static void
add(const char *fmt, ...)
{
	size_t len = strlen(text);
	va_list args;

	va_start(args, fmt);
	vsnprintf(text + len, sizeof(text) - len, fmt, args);
	va_end(args);
}

static void
add_link(void *arg, const struct book_link *link)
{
	(void)arg;
	add("[%s q=%s w=%s p=%s %s:%lld %lld-%lld]", link->user, link->question,
	    link->wanted, link->link.pass.s, link->link.host.s,
	    (long long)link->link.port, (long long)link->since,
	    (long long)link->until);
}

/* All links as text. */
static const char *
links_of(struct book *book)
{
	*text = '\0';
	ok(book_links(book, add_link, NULL) == 0, "the links can be read");
	return text;
}

static void
session(struct book *book, const char *token)
{
	struct book_place place = {.epoch = "e", .mail = 1, .room = 1};

	snprintf(place.token, sizeof(place.token), "%s", token);
	ok(book_set_place(book, &place) == 0, "the token is \"%s\"", token);
}

/* Stores one event that came at 1000. */
static void
store(struct book *book, enum wire_event_type type, const char *reason,
    const char *key)
{
	struct book_place place = {.token = "t", .epoch = "e", .mail = 2};
	struct wire_event event = {
	    .type = type,
	    .time = 1000,
	    .user = str("bob"),
	    .id = str(type == EVENT_HANGUP ? NULL : REQUEST),
	    .text = str(reason),
	    .link = {.fingerprint = str(key),
		.host = str("192.0.2.7"),
		.pass = str(PASS),
		.port = 40312,
		.expires_in = lasts},
	};

	ok(book_store(book, &event, 1, &place, NULL, NULL) == 0, "stored: %s",
	    wire_event_name(type));
}

static void
test_events(void)
{
	struct book *book;

	begin("what the centre says, and a restart");
	book = must_open();
	session(book, "t");
	store(book, EVENT_ASK, NULL, KEY_A);
	book_close(book);
	book = must_open();
	is(links_of(book), "[bob q=" REQUEST " w= p= :0 0-0]", "a question");
	ok(book_link_answered(book, "bob") == 0, "it is answered");
	is(links_of(book), "[bob q= w= p= :0 0-0]", "so it is gone");
	ok(book_link_wanted(book, "bob", REQUEST, 500, 60500) == 0, "asked");
	store(book, EVENT_ADDRESS, NULL, KEY_A);
	is(links_of(book), "[bob q= w= p=" PASS " 192.0.2.7:40312 1000-61000]",
	    "a link");
	store(book, EVENT_HANGUP, "expired", NULL);
	is(links_of(book), "[bob q= w= p= :0 1000-0]", "and its end");
	ok(book_link_wanted(book, "bob", REQUEST, 500, 60500) == 0, "asked");
	store(book, EVENT_DECLINED, "declined", NULL);
	is(links_of(book), "[bob q= w= p= :0 1000-0]", "declined");
	store(book, EVENT_ADDRESS, NULL, KEY_A);
	lasts = INT64_MAX;
	store(book, EVENT_ADDRESS, NULL, KEY_A);
	is(links_of(book),
	    "[bob q= w= p=" PASS " 192.0.2.7:40312 1000-604801000]",
	    "no link lasts for ever");
	store(book, EVENT_ASK, NULL, KEY_A);
	lasts = 60;
	ok(book_set_port(book, 40000) == 0, "where we listen");
	session(book, "t");
	ok(strstr(links_of(book), PASS) != NULL, "the session goes on");
	session(book, "another");
	is(links_of(book), "", "with the session it all goes");
	book_close(book);
}

static void
test_port(void)
{
	struct book *book;
	int64_t port = -1;

	begin("where we listen");
	book = must_open();
	session(book, "t");
	ok(book_port(book, &port) == 0 && port == 0, "nowhere");
	ok(book_set_port(book, 40000) == 0 && book_set_port(book, 40001) == 0,
	    "somewhere");
	book_close(book);
	book = must_open();
	ok(book_port(book, &port) == 0 && port == 40001,
	    "after a restart, too");
	session(book, "");
	ok(book_port(book, &port) == 0 && port == 0, "as long as the session");
	book_close(book);
}

static void
add_key(void *arg, const char *user, const struct book_key *key)
{
	(void)arg;
	add("[%s %c %c]", user, key->pin[8],
	    *key->changed != '\0' ? key->changed[8] : '-');
}

static void
test_keys(void)
{
	struct book_key key;
	struct book *book;

	begin("keys");
	book = must_open();
	is_number(book_key(book, "bob", &key), 0, "none is known");
	is_number(
	    book_key_seen(book, "bob", KEY_A, 1, false), 1, "any will do");
	is_number(book_key(book, "bob", &key), 0, "seen is not remembered");
	is_number(book_key_seen(book, "bob", KEY_A, 2, true), 1, "linked");
	is_number(book_key_seen(book, "bob", KEY_A, 3, true), 1, "the same");
	is_number(book_key_seen(book, "bob", KEY_B, 4, true), 0, "another");
	is_number(book_key(book, "bob", &key), 1, "one is known");
	is(key.pin, KEY_A, "the first one stays");
	is(key.changed, KEY_B, "the other one is noted");
	is_number(book_key_trust(book, "carol", 5), 0, "carol has shown none");
	*text = '\0';
	ok(book_key_seen(book, "anna", KEY_B, 5, true) == 1 &&
		book_keys(book, add_key, NULL) == 0,
	    "all keys");
	is(text, "[anna B -][bob A B]", "sorted");
	is_number(book_key_trust(book, "bob", 6), 1, "trusted");
	is_number(book_key_trust(book, "bob", 7), 0, "once");
	is_number(book_key_seen(book, "bob", KEY_B, 8, false), 1, "it counts");
	is_number(book_key_seen(book, "bob", KEY_A, 9, false), 0, "as alone");
	session(book, "another");
	is_number(book_key(book, "bob", &key), 1, "keys outlive sessions");
	is_number(key.since, 6, "since they were trusted");
	book_close(book);
}

static bool
add_row(void *arg, const struct book_row *row)
{
	(void)arg;
	add("[%s>%s %d %d %s %s]", row->author, row->recipient, (int)row->kind,
	    (int)row->state, row->text, row->reason);
	return true;
}

static void
add_left(void *arg, const struct book_row *row)
{
	add_row(arg, row);
}

/* The history as the query wants it. */
static const char *
history(struct book *book, const char *user, const char *words)
{
	struct book_query query = {user, words, -1, false};

	*text = '\0';
	ok(book_history(book, &query, add_row, NULL) == 0, "the history");
	return text;
}

/* What waits for the centre. */
static const char *
queued(struct book *book)
{
	*text = '\0';
	ok(book_queued(book, add_left, NULL) == 0, "the queue");
	return text;
}

static void
test_own(void)
{
	struct book *book;
	int64_t one, two;

	begin("own ones");
	book = must_open();
	is_number(book_private(book, "AAAAAAAAAAAAAAAA", "bob", "one", 1, &one),
	    0, "written down");
	is_number(book_private(book, "AAAAAAAAAAAAAAAA", "bob", "x", 1, &two),
	    1, "once");
	is(queued(book), "", "it does not wait for the centre");
	is(history(book, "bob", ""), "[alice>bob 5 5 one ]", "it is said");
	book_private(book, "BBBBBBBBBBBBBBBB", "bob", "two", 2, &two);
	ok(book_private_settle(book, one, BOOK_FETCHED, NULL) == 0, "fetched");
	is_number(book_private_leave(book, "bob", add_left, NULL), 0,
	    "one on its way is not left");
	book_close(book);
	book = must_open();
	ok(book_private_stop(book) == 0, "another agent");
	is(history(book, "bob", "two"), "[alice>bob 5 6 two lost]",
	    "what was on its way is kept");
	is(queued(book), "", "and not sent by itself");
	is_number(book_private_leave(book, "carol", add_left, NULL), 0,
	    "nothing for carol");
	*text = '\0';
	is_number(book_private_leave(book, "bob", add_left, NULL), 1, "left");
	is(text, "[alice>bob 5 6 two lost]", "this one");
	is(queued(book), "[alice>bob 0 1 two ]", "as any message is");
	is_number(
	    book_private_leave(book, "bob", add_left, NULL), 0, "only once");
	ok(book_private_settle(book, two, BOOK_FETCHED, NULL) == 0 &&
		strcmp(queued(book), "") != 0,
	    "a late answer does not take it back");
	is(history(book, "", "one"), "[alice>bob 5 3 one ]", "words are found");
	book_close(book);
}

/* The same message over the centre. */
static void
over_centre(struct book *book, const char *id)
{
	struct book_place place = {.token = "t", .epoch = "e", .mail = 3};
	struct wire_event event = {.type = EVENT_MESSAGE,
	    .time = 5,
	    .user = str("bob"),
	    .id = str(id),
	    .text = str("hi")};

	ok(book_store(book, &event, 1, &place, NULL, NULL) == 0, "it comes");
}

static void
test_twice(void)
{
	struct book *book;

	begin("both ways");
	book = must_open();
	is_number(book_private_in(book, "bob", "AAAAAAAAAAAAAAAA", "hi", 1), 1,
	    "a private one");
	is_number(book_private_in(book, "bob", "AAAAAAAAAAAAAAAA", "hi", 2), 0,
	    "again, since the answer was lost");
	over_centre(book, "AAAAAAAAAAAAAAAA");
	is(history(book, "bob", ""), "[bob> 5 0 hi ]", "one row");
	over_centre(book, "BBBBBBBBBBBBBBBB");
	is_number(book_private_in(book, "bob", "BBBBBBBBBBBBBBBB", "hi", 2), 0,
	    "the centre was faster");
	is(history(book, "bob", ""), "[bob> 5 0 hi ][bob> 0 0 hi ]",
	    "one row, again");
	is_number(book_private_in(book, "carol", "AAAAAAAAAAAAAAAA", "hi", 2),
	    1, "carol's ids are her own");
	book_close(book);
}

static void
add_contact(void *arg, const struct book_contact *contact)
{
	(void)arg;
	add("[%s %lld %c %s:%lld %lld]", contact->user,
	    (long long)contact->last,
	    *contact->pin != '\0' ? contact->pin[8] : '-', contact->host,
	    (long long)contact->port, (long long)contact->until);
}

static const char *
contacts(struct book *book)
{
	*text = '\0';
	ok(book_contacts(book, add_contact, NULL) == 0, "contacts");
	return text;
}

static void
test_contacts(void)
{
	struct book *book;

	begin("contacts");
	book = must_open();
	session(book, "t");
	is(contacts(book), "", "nobody");
	book_private_in(book, "carol", "AAAAAAAAAAAAAAAA", "hi", 7);
	is(contacts(book), "[carol 7 - :0 0]", "somebody who wrote");
	store(book, EVENT_ASK, NULL, KEY_A);
	is(contacts(book), "[carol 7 - :0 0]", "who has asked is none yet");
	store(book, EVENT_ADDRESS, NULL, KEY_A);
	is(contacts(book), "[bob 0 A 192.0.2.7:40312 61000][carol 7 - :0 0]",
	    "a link");
	store(book, EVENT_ADDRESS, NULL, KEY_B);
	is(contacts(book), "[bob 0 A 192.0.2.7:40312 0][carol 7 - :0 0]",
	    "none with another key");
	session(book, "");
	is(contacts(book), "[bob 0 A :0 0][carol 7 - :0 0]",
	    "after the session the key is left");
	book_close(book);
}

int
main(void)
{
	char command[128];

	snprintf(path, sizeof(path), "/tmp/book-link-test-%d", (int)getpid());
	test_events();
	test_port();
	test_keys();
	test_own();
	test_twice();
	test_contacts();
	snprintf(command, sizeof(command), "rm -f %s*", path);
	if (system(command) != 0)
		puts("# the book stays");
	return done();
}
