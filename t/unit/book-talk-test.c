/* SPDX-License-Identifier: ISC */
/*
 * The book as conversations: pages with their ends, unread counts whoever
 * writes, what becomes of a book from before all this, and that a page costs
 * the same however much there is.
 */
#include "old-book.h"
#include "tap.h"

#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include <sqlite3.h>

#include "chat/agent/book-private.h"
#include "chat/agent/book-talk.h"
#include "lib/unix.h"

enum { MANY = 100000, FEW = 1000, ROUNDS = 9 };

static char dir[] = "/tmp/book-talk-test-XXXXXX";
static char path[64];
static bool start, end;

/* A page as text: its rows' texts, in order. */
struct seen {
	char text[4096];
	int64_t first, last;
	int limit; /* of a side */
};

/* Opens the book, or gives up. */
static struct book *
must_open(void)
{
	char why[BOOK_WHY_LEN];
	struct book *book = book_open(path, "alice", why);

	if (book == NULL) {
		printf("Bail out! %s\n", why);
		exit(1);
	}
	return book;
}

/* Speaks SQL behind the book's back. */
static void
must_sql(const char *sql)
{
	sqlite3 *db;

	if (sqlite3_open(path, &db) != SQLITE_OK ||
	    sqlite3_exec(db, sql, NULL, NULL, NULL) != SQLITE_OK) {
		printf("Bail out! %s: %s\n", sql, sqlite3_errmsg(db));
		exit(1);
	}
	sqlite3_close(db);
}

static struct wire_string
string_of(const char *s)
{
	return (struct wire_string){s, strlen(s)};
}

/* Somebody says something; its id is its text. */
static void
said(struct book *book, enum wire_event_type type, const char *user,
    const char *text)
{
	static int64_t time;
	struct wire_event event = {.type = type};
	struct book_place place = {.mail = ++time};

	event.time = time;
	if (*user != '\0')
		event.user = string_of(user);
	event.text = string_of(text);
	if (type == EVENT_MESSAGE || type == EVENT_BROADCAST)
		event.id = string_of(text);
	if (book_store(book, &event, 1, &place, NULL, NULL) == -1) {
		printf("Bail out! %s\n", book_why(book));
		exit(1);
	}
}

static int64_t
sends(struct book *book, const char *to, const char *text)
{
	int64_t row = 0;

	book_queue(book, text, to, text, 1, &row);
	return row;
}

/* The rows of each side come from the middle outwards. */
static bool
note(void *arg, const struct book_row *row)
{
	struct seen *seen = arg;
	size_t len = strlen(seen->text), size = strlen(row->text) + 1;

	if (len + size + 1 > sizeof(seen->text))
		return false;
	if (seen->first == 0 || row->number > seen->last) {
		snprintf(seen->text + len, sizeof(seen->text) - len, "%s%s",
		    len > 0 ? " " : "", row->text);
	} else {
		memmove(seen->text + size, seen->text, len + 1);
		memcpy(seen->text, row->text, size - 1);
		seen->text[size - 1] = ' ';
	}
	if (seen->first == 0 || row->number < seen->first)
		seen->first = row->number;
	if (row->number > seen->last)
		seen->last = row->number;
	return --seen->limit != 0;
}

/* What a page has, and which of its ends are those of all. */
static void
has(struct book *book, struct book_page page, const char *wanted, bool first,
    bool last)
{
	struct seen seen = {.limit = -1};

	if (page.words == NULL)
		page.words = "";
	if (page.limit == 0)
		page.limit = 100;
	ok(book_page(book, &page, note, &seen, &start, &end) == 0, "a page");
	is(seen.text, wanted, "with \"%s\" %d %lld",
	    page.user != NULL ? page.user : "all", (int)page.from,
	    (long long)page.row);
	ok(start == first && end == last, "and its ends (%d, %d)", start, end);
}

static bool
note_talk(void *arg, const struct book_talk *talk)
{
	char *text = arg;
	size_t len = strlen(text);

	snprintf(text + len, 1024 - len, "%s%s:%lld:%s", len > 0 ? " " : "",
	    talk->user, (long long)talk->unread, talk->text);
	return true;
}

/* The conversations, each as user:unread:text. */
static void
talks(struct book *book, const char *wanted, const char *what)
{
	char text[1024] = "";

	ok(book_talks(book, note_talk, text) == 0, "the conversations");
	is(text, wanted, "%s", what);
}

/* ---- pages */

static void
test_pages(void)
{
	struct book *book = must_open();
	int64_t row;

	talks(book, ":0:", "a new book has the room");
	has(book, (struct book_page){.user = "bob"}, "", true, true);
	has(book, (struct book_page){.from = PAGE_AROUND, .row = 7}, "", true,
	    true);
	said(book, EVENT_MESSAGE, "bob", "b1");
	said(book, EVENT_BROADCAST, "bob", "r1");
	said(book, EVENT_MESSAGE, "carol", "c1");
	row = sends(book, "bob", "b2");
	said(book, EVENT_LOGIN, "carol", "");
	sends(book, "", "r2");
	said(book, EVENT_NOTICE, "", "r3");
	said(book, EVENT_MESSAGE, "bob", "b3");
	said(book, EVENT_LOGOUT, "carol", "asked");
	has(book, (struct book_page){.user = "bob"}, "b1 b2 b3", true, true);
	has(book, (struct book_page){.user = "bob", .limit = 2}, "b2 b3", false,
	    true);
	has(book,
	    (struct book_page){.user = "bob", .from = PAGE_BEFORE, .row = row},
	    "b1", true, false);
	has(book,
	    (struct book_page){.user = "bob", .from = PAGE_AFTER, .row = row},
	    "b3", false, true);
	has(book,
	    (struct book_page){
		.user = "bob", .from = PAGE_AROUND, .row = row, .limit = 1},
	    "b2", false, false);
	has(book,
	    (struct book_page){
		.user = "bob", .from = PAGE_AROUND, .row = row, .limit = 3},
	    "b1 b2 b3", true, true);
	has(book, (struct book_page){.user = "bob", .from = PAGE_BEFORE}, "",
	    true, false);
	has(book,
	    (struct book_page){
		.user = "bob", .from = PAGE_AFTER, .row = INT64_MAX},
	    "", false, true);
	has(book, (struct book_page){.user = ""}, "r1 r2 r3", true, true);
	has(book, (struct book_page){.user = "", .presence = true},
	    "r1  r2 r3 asked", true, true);
	has(book, (struct book_page){.user = NULL}, "b1 r1 c1 b2 r2 r3 b3",
	    true, true);
	has(book,
	    (struct book_page){.user = NULL, .presence = true, .limit = 2},
	    "b3 asked", false, true);
	book_close(book);
}

/* Words are looked for within a conversation, and the ends are the hits'. */
static void
test_search(void)
{
	static const char *const hay[] = {"p", "q", "r", "s", "t", "u"};
	static const char *const needles[] = {"needle-0", "needle-1",
	    "needle-2", "needle-3", "needle-4", "needle-5"};
	struct book *book = must_open();
	struct book_page page = {.user = "bob", .words = "needle"};
	char many[257] = "";

	for (int i = 0; i < 6; i++) {
		said(book, EVENT_MESSAGE, "bob", hay[i]);
		said(book, EVENT_MESSAGE, i % 2 ? "bob" : "carol", needles[i]);
	}
	has(book, page, "needle-1 needle-3 needle-5", true, true);
	page.limit = 2;
	has(book, page, "needle-3 needle-5", false, true);
	page.words = "nEEdle 3";
	has(book, page, "needle-3", true, true);
	page.words = "-";
	has(book, page, "needle-3 needle-5", false, true);
	page.user = NULL;
	page.words = "needle";
	page.presence = true;
	has(book, page, "needle-4 needle-5", false, true);
	page.words = "\" OR (";
	has(book, page, "", true, true);
	/* As many words as a face may search for. */
	for (size_t i = 0; i < sizeof(many) - 1; i++)
		many[i] = i % 2 == 0 ? 'a' : ' ';
	page.words = many;
	has(book, page, "", true, true);
	book_close(book);
}

/* A side that fn has had enough of ends there, and is not said to be all. */
static void
test_enough(void)
{
	struct book *book = must_open();
	struct book_page page = {.user = "bob", .words = "", .limit = 100};
	struct seen seen = {.limit = 1};

	ok(book_page(book, &page, note, &seen, &start, &end) == 0, "a page");
	is(seen.text, "needle-5", "of which one row was enough");
	ok(!start && end, "has more before it");
	book_close(book);
}

/* ---- what is unread */

static int told;

static void
note_read(void *arg, const char *user, int64_t unread)
{
	(void)arg;
	(void)user;
	told += unread == 0;
}

static void
test_unread(void)
{
	struct book *book = must_open();
	int64_t row, unread, last, shown;

	said(book, EVENT_MESSAGE, "dave", "d1");
	book_ends(book, &row, &shown);
	said(book, EVENT_MESSAGE, "dave", "d2");
	book_private_in(book, "dave", "d3", "d3", 1);
	book_private_in(book, "dave", "d3", "d3", 1);
	sends(book, "dave", "d4");
	ok(book_read(book, "dave", row, &unread) == 1, "the first is read");
	ok(unread == 2, "two are left, and one's own is none");
	ok(book_read(book, "dave", row - 1, &unread) == 0 && unread == 2,
	    "it never goes back");
	ok(book_read(book, "nobody", row, &unread) == 0 && unread == 0,
	    "there is nothing with nobody");
	book_ends(book, &last, &shown);
	ok(book_read_all(book, last, note_read, NULL) == 0, "all is read");
	ok(told == 4, "in the four that had something (%d)", told);
	ok(book_read_all(book, last, note_read, NULL) == 0 && told == 4,
	    "which is news once");
	said(book, EVENT_LOGIN, "erin", "");
	said(book, EVENT_MESSAGE, "alice", "myself");
	row = sends(book, "dvae", "oops");
	book_settle(book, row, BOOK_REFUSED, "no-such-user");
	talks(book,
	    "alice:1:myself dave:0:d4 bob:0:needle-5 carol:0:needle-4 :0:r3",
	    "who does not exist is none, nor who only came");
	ok(book_sent(book, "s", "frank", "hi", 1) == 0,
	    "written without an agent");
	talks(book,
	    "frank:0:hi alice:1:myself dave:0:d4 bob:0:needle-5 "
	    "carol:0:needle-4 :0:r3",
	    "it is there, and not unread");
	book_close(book);
}

/* ---- a book from before */

static void
test_upgrade(void)
{
	struct book *book;

	must_sql(BOOK_BACK_TO_4);
	book = must_open();
	talks(book,
	    "frank:0:hi alice:0:myself dave:0:d4 bob:0:needle-5 "
	    "carol:0:needle-4 :0:r3",
	    "what was there before has been read");
	said(book, EVENT_MESSAGE, "bob", "new");
	said(book, EVENT_BROADCAST, "bob", "news");
	talks(book,
	    ":1:news bob:1:new frank:0:hi alice:0:myself dave:0:d4 "
	    "carol:0:needle-4",
	    "what comes is counted from there on");
	has(book, (struct book_page){.user = "bob", .limit = 3},
	    "u needle-5 new", false, true);
	book_close(book);
	unlink(path);
	must_sql("SELECT 1");
}

/* ---- a large book */

/*
 * Fills a fresh book with rows in ten conversations and the room; behind the
 * first thousand come those of five alone.
 */
static struct book *
fill(int rows)
{
	char sql[512];

	unlink(path);
	book_close(must_open());
	snprintf(sql, sizeof(sql),
	    "WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n "
	    "WHERE i < %d) INSERT INTO history (kind, state, time, author, "
	    "recipient, id, text, shown) SELECT "
	    "iif(i %% 11 = 0 AND i <= %d, 1, 0), 0, i, "
	    "'user' || iif(i <= %d, i %% 10, 5 + i %% 5), '', i, "
	    "'something common ' || i, 1 FROM n",
	    rows, FEW, FEW);
	must_sql(sql);
	return must_open();
}

static bool
count_row(void *arg, const struct book_row *row)
{
	(void)row;
	++*(int *)arg;
	return true;
}

/* The CPU time of the quickest of some rounds of one page, in microseconds. */
static int64_t
page_time(struct book *book, const struct book_page *page)
{
	struct timespec before, after;
	int64_t best = INT64_MAX, took;
	int count;

	for (int i = 0; i < ROUNDS; i++) {
		count = 0;
		clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &before);
		if (book_page(book, page, count_row, &count, &start, &end) !=
			0 ||
		    count < 40)
			return INT64_MAX;
		clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &after);
		took = (after.tv_sec - before.tv_sec) * 1000000 +
		    (after.tv_nsec - before.tv_nsec) / 1000;
		if (took < best)
			best = took;
	}
	return best;
}

static int64_t
talks_time(struct book *book)
{
	struct timespec before, after;
	int64_t best = INT64_MAX, took;
	char text[1024];

	for (int i = 0; i < ROUNDS; i++) {
		*text = '\0';
		clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &before);
		book_talks(book, note_talk, text);
		clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &after);
		took = (after.tv_sec - before.tv_sec) * 1000000 +
		    (after.tv_nsec - before.tv_nsec) / 1000;
		if (took < best)
			best = took;
	}
	return best;
}

/* However much there is: no page costs more than a few times as much. */
static void
test_cost(void)
{
	static const struct {
		const char *what;
		struct book_page page;
	} pages[] = {
	    {"the newest", {.user = "user3", .words = "", .limit = 50}},
	    {"before", {"user3", "", PAGE_BEFORE, 900, 50, false}},
	    {"after", {"user3", "", PAGE_AFTER, 100, 50, false}},
	    {"around", {"user3", "", PAGE_AROUND, 500, 50, false}},
	    {"a search", {"user7", "common", PAGE_NEWEST, 0, 50, false}},
	    {"the room", {"", "", PAGE_NEWEST, 0, 50, false}},
	    {"with presence", {"", "", PAGE_NEWEST, 0, 50, true}},
	    {"all", {NULL, "", PAGE_NEWEST, 0, 50, false}},
	};
	enum { COUNT = sizeof(pages) / sizeof(*pages) };
	int64_t few[COUNT + 1], many;
	struct book *book = fill(FEW);

	for (int i = 0; i < COUNT; i++)
		few[i] = page_time(book, &pages[i].page);
	few[COUNT] = talks_time(book);
	book_close(book);
	book = fill(MANY);
	for (int i = 0; i < COUNT; i++) {
		many = page_time(book, &pages[i].page);
		ok(many / 8 <= few[i] + 20,
		    "%s: %lld us of %d rows, %lld us of %d", pages[i].what,
		    (long long)few[i], FEW, (long long)many, MANY);
	}
	many = talks_time(book);
	ok(many / 8 <= few[COUNT] + 20, "the conversations: %lld us, %lld us",
	    (long long)few[COUNT], (long long)many);
	book_close(book);
}

int
main(void)
{
	if (mkdtemp(dir) == NULL) {
		puts("Bail out! no directory");
		return 1;
	}
	snprintf(path, sizeof(path), "%s/book.db", dir);
	test_pages();
	test_search();
	test_enough();
	test_unread();
	test_upgrade();
	test_cost();
	unlink(path);
	rmdir(dir);
	return done();
}
