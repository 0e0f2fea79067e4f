/* SPDX-License-Identifier: ISC */
/*
 * The client's database: nothing twice, events and cursors together or not
 * at all, the outbox in order, and all of it there after a crash.
 */
#include "old-book.h"
#include "tap.h"

#include <sys/file.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

#include <sqlite3.h>

#include "chat/agent/book.h"
#include "chat/agent/outbox.h"

static char dir[] = "/tmp/book-test-XXXXXX";
static char path[64];

/* Rows as text, one after the other. */
struct seen {
	char text[1024];
	int64_t last;
	int limit;
};

static void
note(struct seen *seen, const struct book_row *row)
{
	size_t len = strlen(seen->text);

	snprintf(seen->text + len, sizeof(seen->text) - len, "%s%s:%s",
	    len > 0 ? " " : "", row->author, row->text);
	seen->last = row->number;
}

static bool
note_news(void *arg, const struct book_row *row)
{
	struct seen *seen = arg;

	note(seen, row);
	return --seen->limit != 0;
}

static void
note_row(void *arg, const struct book_row *row)
{
	note(arg, row);
}

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

/* The second half of it is gone. */
static void
must_truncate(const char *file)
{
	struct stat st;

	if (stat(file, &st) == -1 || truncate(file, st.st_size / 2) == -1) {
		puts("Bail out! the file cannot be cut");
		exit(1);
	}
}

/* Runs statements on the file behind the book's back, making it. */
static void
must_sql(const char *sql)
{
	sqlite3 *db = NULL;

	if (sqlite3_open(path, &db) != SQLITE_OK ||
	    sqlite3_exec(db, sql, NULL, NULL, NULL) != SQLITE_OK) {
		printf("Bail out! %s\n", sqlite3_errmsg(db));
		exit(1);
	}
	sqlite3_close(db);
}

static struct wire_string
str(const char *s)
{
	return (struct wire_string){s, s != NULL ? strlen(s) : 0};
}

/* A message, a receipt or whatever has these three. */
static struct wire_event
event(enum wire_event_type type, const char *user, const char *id,
    const char *text)
{
	return (struct wire_event){
	    .type = type,
	    .time = 1000,
	    .user = str(user),
	    .id = str(id),
	    .text = str(text),
	};
}

/* Stores one event with these cursors. */
static int
store(struct book *book, struct wire_event one, int64_t mail, int64_t room)
{
	struct book_place place = {
	    .token = "token", .epoch = "e1", .mail = mail, .room = room};

	return book_store(book, &one, 1, &place, NULL, NULL);
}

/* What nobody has been shown. */
static void
news_are(struct book *book, const char *wanted, const char *what)
{
	struct seen seen = {.limit = -1};
	int64_t last, shown;

	book_ends(book, &last, &shown);
	book_news(book, shown, note_news, &seen);
	is(seen.text, wanted, "%s", what);
}

static void
queue_is(struct book *book, const char *wanted, const char *what)
{
	struct seen seen = {.limit = -1};

	book_queued(book, note_row, &seen);
	is(seen.text, wanted, "%s", what);
}

static void
test_place(void)
{
	struct book *book = must_open();
	struct book_place place;

	ok(book_place(book, &place) == 0, "a new book has a place");
	is(place.token, "", "without a token");
	is(place.epoch, "", "without an epoch");
	snprintf(place.token, sizeof(place.token), "secret");
	snprintf(place.epoch, sizeof(place.epoch), "0123456789abcdef");
	place.mail = 7;
	place.room = 9;
	ok(book_set_place(book, &place) == 0, "it can be set");
	book_close(book);
	book = must_open();
	memset(&place, 0, sizeof(place));
	book_place(book, &place);
	is(place.token, "secret", "the token is there after a reopen");
	is(place.epoch, "0123456789abcdef", "the epoch, too");
	is_number(place.mail, 7, "and the mail cursor");
	is_number(place.room, 9, "and the room cursor");
	book_close(book);
}

static void
test_dedup(void)
{
	struct book *book = must_open();
	struct book_place place;

	store(book, event(EVENT_MESSAGE, "bob", "id-1", "one"), 1, 0);
	store(book, event(EVENT_MESSAGE, "bob", "id-1", "one again"), 2, 0);
	store(book, event(EVENT_BROADCAST, "bob", "id-1", "to all"), 2, 1);
	store(book, event(EVENT_MESSAGE, "carol", "id-1", "two"), 3, 1);
	news_are(book, "bob:one carol:two",
	    "an author's id comes in once, another author's own");
	book_place(book, &place);
	is_number(place.mail, 3, "the cursor moves in any case");
	store(book, event(EVENT_NOTICE, NULL, NULL, "hear"), 4, 1);
	store(book, event(EVENT_NOTICE, NULL, NULL, "hear"), 5, 1);
	store(book, event(EVENT_NOTICE, NULL, NULL, "ye"), 6, 1);
	store(book, event(EVENT_LOGIN, "bob", NULL, NULL), 6, 2);
	store(book, event(EVENT_LOGIN, "bob", NULL, NULL), 6, 3);
	store(book, event(EVENT_LOGOUT, "bob", NULL, "asked"), 6, 4);
	news_are(book, "bob:one carol:two :hear :ye bob: bob:asked",
	    "what has no id is known by its time and text");
	book_close(book);
}

static void
test_shown(void)
{
	struct book *book = must_open();
	struct seen seen = {.limit = 2};
	int64_t last, shown;

	book_news(book, 0, note_news, &seen);
	is(seen.text, "bob:one carol:two", "the reader can stop");
	ok(book_shown(book, seen.last) == 0, "rows are marked");
	book_close(book);
	book = must_open();
	news_are(book, ":hear :ye bob: bob:asked",
	    "what was shown is not news after a reopen");
	book_ends(book, &last, &shown);
	ok(shown >= seen.last && shown < last, "the ends say where to start");
	book_shown(book, last);
	book_ends(book, &last, &shown);
	is_number(shown, last, "all has been shown");
	store(book, event(EVENT_MESSAGE, "bob", "id-9", "nine"), 7, 4);
	memset(&seen, 0, sizeof(seen));
	seen.limit = -1;
	book_news(book, last, note_news, &seen);
	is(seen.text, "bob:nine", "a second reader gets what is fresh");
	book_close(book);
}

/* The number of calls, so far, of what follows. */
struct told {
	char text[256];
};

static void
tell(void *arg, const char *id, const char *recipient)
{
	struct told *told = arg;
	size_t len = strlen(told->text);

	snprintf(told->text + len, sizeof(told->text) - len, "%s/%s ",
	    recipient, id);
}

static void
test_outbox(void)
{
	struct book *book = must_open();
	struct wire_event receipt =
	    event(EVENT_RECEIPT, "bob", NULL, "out-1 out-3 id-1");
	struct book_place place = {.epoch = "e1"};
	struct told told = {""};
	int64_t first, second, third;

	book_queue(book, "out-1", "bob", "1st", 1, &first);
	book_queue(book, "out-2", "", "2nd", 1, &second);
	book_queue(book, "out-3", "carol", "3rd", 1, &third);
	queue_is(book, "alice:1st alice:2nd alice:3rd", "they wait in order");
	ok(book_queue(book, "out-1", "bob", "again", 1, &first) == 1,
	    "an id cannot be used twice");
	book_close(book);
	book = must_open();
	queue_is(
	    book, "alice:1st alice:2nd alice:3rd", "they wait after a reopen");
	book_settle(book, first, BOOK_ACCEPTED, NULL);
	queue_is(book, "alice:2nd alice:3rd", "an accepted one is gone");
	book_settle(book, second, BOOK_REFUSED, "blocked");
	queue_is(book, "alice:3rd", "a refused one is gone");
	book_store(book, &receipt, 1, &place, tell, &told);
	is(told.text, "bob/out-1 ",
	    "a receipt settles only what went to its sender");
	book_settle(book, first, BOOK_REFUSED, "late");
	book_store(book, &receipt, 1, &place, tell, &told);
	is(told.text, "bob/out-1 ", "and only once");
	news_are(book, "bob:nine", "own messages are no news");
	book_close(book);
}

/* What one writes to oneself is there twice: as sent and as received. */
static void
test_oneself(void)
{
	struct book *book = must_open();
	struct seen seen = {.limit = -1};
	int64_t number, last, shown;

	book_ends(book, &last, &shown);
	book_queue(book, "self-1", "alice", "to me", 1, &number);
	book_settle(book, number, BOOK_ACCEPTED, NULL);
	store(book, event(EVENT_MESSAGE, "alice", "self-1", "to me"), 8, 4);
	store(book, event(EVENT_MESSAGE, "alice", "self-1", "to me"), 9, 4);
	book_news(book, number, note_news, &seen);
	is(seen.text, "alice:to me", "a message to oneself comes in once");
	book_shown(book, seen.last);
	book_close(book);
}

/* A receipt's callback runs before the commit. */
static void
die(void *arg, const char *id, const char *recipient)
{
	(void)arg;
	(void)id;
	(void)recipient;
	_exit(42);
}

/* A process that dies in the middle of a transaction leaves nothing of it. */
static void
test_together(void)
{
	struct wire_event events[2] = {
	    event(EVENT_MESSAGE, "dave", "in-1", "whole"),
	    event(EVENT_RECEIPT, "bob", NULL, "out-9"),
	};
	struct book_place place = {.epoch = "e1", .mail = 50, .room = 50};
	struct book *book = must_open();
	int64_t number;
	pid_t pid;
	int status;

	book_queue(book, "out-9", "bob", "9th", 1, &number);
	book_close(book);
	fflush(stdout);
	pid = fork();
	if (pid == 0) {
		book = must_open();
		book_store(book, events, 2, &place, die, NULL);
		_exit(0);
	}
	waitpid(pid, &status, 0);
	is_number(
	    WEXITSTATUS(status), 42, "the process died before the commit");
	book = must_open();
	book_place(book, &place);
	ok(place.mail != 50 && place.room != 50, "the cursors stayed");
	news_are(book, "bob:nine", "and the event is not there");
	place = (struct book_place){.epoch = "e1", .mail = 50, .room = 51};
	ok(book_store(book, events, 2, &place, NULL, NULL) == 0,
	    "it comes again");
	book_place(book, &place);
	is_number(place.mail, 50, "with its mail cursor");
	is_number(place.room, 51, "and its room cursor");
	news_are(book, "bob:nine dave:whole", "both are there");
	book_close(book);
}

static void
test_errands(void)
{
	struct book *book = must_open();
	struct outbox outbox;
	char id[OUTBOX_ID_LEN + 1] = "";
	int64_t row;

	ok(outbox_init(&outbox, book) == 0, "an outbox begins with the book");
	is_number(outbox_messages(&outbox), 1, "and what waits in it");
	ok(outbox_message(&outbox, "bob", "10th", 1, id, &row) == 0,
	    "one more");
	ok(id_valid(id, strlen(id)), "its id is one");
	outbox_request(&outbox, OP_ONLINE, NULL, 1, NULL);
	is_number(outbox.count, 3, "a request stands behind them");
	is_number(outbox_messages(&outbox), 2, "and is no message");
	is_number(outbox_first(&outbox)->row != 0, 1, "the oldest is first");
	outbox_pop(&outbox);
	is(outbox_first(&outbox)->id, id, "then the next");
	outbox_release(&outbox);
	is_number(outbox.count, 0, "it can be emptied");
	book_close(book);
}

/* Makes of the book one of the first version, as it was before the search. */
static void
age(void)
{
	sqlite3 *db;

	ok(sqlite3_open(path, &db) == SQLITE_OK &&
		sqlite3_exec(db, BOOK_BACK_TO_1, NULL, NULL, NULL) == SQLITE_OK,
	    "a book of the first version");
	sqlite3_close(db);
}

/* What a search gives. */
static void
finds(struct book *book, const char *user, const char *words, int64_t limit,
    const char *wanted)
{
	const struct book_query query = {user, words, limit, false};
	struct seen seen = {.limit = -1};

	ok(book_history(book, &query, note_news, &seen) == 0, "a search");
	is(seen.text, wanted, "what \"%s\" finds with \"%s\"", words, user);
}

/* An old book is searched like a new one, and nothing in it is lost. */
static void
test_upgrade(void)
{
	struct book *book;
	int64_t number;

	unlink(path);
	book = must_open();
	book_queue(book, "AAAAAAAAAAAAAAAA", "bob", "old news", 1, &number);
	book_close(book);
	age();
	book = must_open();
	book_queue(book, "BBBBBBBBBBBBBBBB", "carol", "new News", 2, &number);
	book_queue(book, "CCCCCCCCCCCCCCCC", "bob", "say \"hi\"", 3, &number);
	finds(book, "", "news", -1, "alice:old news alice:new News");
	finds(book, "carol", "news", -1, "alice:new News");
	finds(book, "", "news old", -1, "alice:old news");
	finds(book, "", "\"hi\" say", -1, "alice:say \"hi\"");
	finds(book, "", "news OR hi", -1, "");
	finds(book, "", "", 1, "alice:say \"hi\"");
	finds(book, "", "*", -1, "");
	book_close(book);
}

/* What is no database is moved aside, not overwritten. */
static void
test_damage(void)
{
	char why[BOOK_WHY_LEN] = "", command[128];
	FILE *file = fopen(path, "w");

	for (int i = 0; file != NULL && i < 1000; i++)
		fputs("no database\n", file);
	if (file != NULL)
		fclose(file);
	snprintf(command, sizeof(command), "%s-wal", path);
	unlink(command);
	ok(book_open(path, "alice", why) == NULL, "damage is noticed");
	ok(strstr(why, "moved aside") != NULL, "and said");
	ok(access(path, F_OK) == -1, "the file is not there any more");
	book_close(must_open());
	ok(access(path, F_OK) == 0, "the next one is new");
	snprintf(command, sizeof(command), "test -e %s.damaged-*", path);
	is_number(system(command), 0, "and the old one is kept");
}

/* Writes something else over the pages after the first ones. */
static void
spoil(off_t from)
{
	FILE *file = fopen(path, "r+");

	if (file == NULL)
		return;
	fseeko(file, from, SEEK_SET);
	for (int i = 0; i < 4096; i++)
		fputs("spoilt. ", file);
	fclose(file);
}

/* Who only reads moves nothing that somebody else has open. */
static void
test_visitor(void)
{
	char why[BOOK_WHY_LEN] = "", lock[80];
	struct book_query all = {"", "", -1, true};
	struct seen seen = {.limit = -1};
	struct book *book = must_open();
	int fd, result;

	for (int64_t i = 0, number; i < 50; i++) {
		char id[32], text[2001];

		snprintf(id, sizeof(id), "visit-%lld", (long long)i);
		memset(text, 'x', sizeof(text) - 1);
		text[sizeof(text) - 1] = '\0';
		book_queue(book, id, "bob", text, 1, &number);
	}
	book_close(book);
	spoil(8192);
	snprintf(lock, sizeof(lock), "%s/agent.lock", dir);
	fd = open(lock, O_RDWR | O_CREAT, 0600);
	flock(fd, LOCK_EX);
	for (int i = 0; i < 2; i++) {
		book = book_visit(path, lock, "alice", why);
		result = book != NULL
		    ? book_history(book, &all, note_news, &seen)
		    : -1;
		is_number(result, -1, "it cannot be read");
		if (book != NULL)
			snprintf(why, sizeof(why), "%s", book_why(book));
		book_close(book);
		is_number(access(path, F_OK) == 0, i == 0, "%s",
		    i == 0 ? "it stays while an agent runs" : "it goes");
		ok(strstr(why, i == 0 ? "an agent" : "moved aside") != NULL,
		    "and that is said");
		close(fd);
	}
	book_close(must_open());
}

/* Whoever owns it looks at all of it first. */
static void
test_owner(void)
{
	char why[BOOK_WHY_LEN] = "";
	struct book *book = must_open();
	int64_t number;

	for (int i = 0; i < 200; i++) {
		char id[32];

		snprintf(id, sizeof(id), "owned-%d", i);
		book_queue(book, id, "bob", "some words to keep", 1, &number);
	}
	book_close(book);
	must_truncate(path);
	ok(book_open(path, "alice", why) == NULL, "a truncated one is noticed");
	ok(strstr(why, "moved aside") != NULL, "and moved aside");
	book_close(must_open());
	must_sql("PRAGMA user_version = 99");
	ok(book_open(path, "alice", why) == NULL, "a newer one is refused");
	ok(strstr(why, "newer chat") != NULL, "and that is said");
	ok(access(path, F_OK) == 0, "it stays");
	must_sql("PRAGMA user_version = 2; PRAGMA application_id = 7");
	ok(book_open(path, "alice", why) == NULL, "another program's is");
	ok(strstr(why, "another program") != NULL, "no book");
	must_sql("CREATE TABLE theirs (x); PRAGMA user_version = 0");
	ok(book_open(path, "alice", why) == NULL, "nor is one of nobody's");
	ok(access(path, F_OK) == -1, "it is not written to");
	book_close(must_open());
}

int
main(void)
{
	char command[128];

	if (mkdtemp(dir) == NULL) {
		puts("Bail out! no directory");
		return 1;
	}
	snprintf(path, sizeof(path), "%s/book.db", dir);
	test_place();
	test_dedup();
	test_shown();
	test_outbox();
	test_together();
	test_errands();
	test_oneself();
	test_upgrade();
	test_damage();
	test_visitor();
	test_owner();
	snprintf(command, sizeof(command), "rm -rf %s", dir);
	if (system(command) != 0)
		puts("# the directory stays");
	return done();
}
