/* SPDX-License-Identifier: ISC */
/*
 * Unit tests of lib/line: lines come out as they went in, however the bytes
 * were cut, and none longer than allowed.
 */
#include <stdlib.h>

#include "lib/line.h"
#include "tap.h"

/* Puts bytes into the buffer, at most step at a time. */
static bool
feed(struct line_buf *buf, const char *data, size_t len, size_t step)
{
	while (len > 0) {
		size_t room = 0, count;
		char *to = line_room(buf, &room);

		if (!to || room == 0)
			return false;
		count = len < step ? len : step;
		if (count > room)
			count = room;
		memcpy(to, data, count);
		line_added(buf, count);
		data += count;
		len -= count;
	}
	return true;
}

/* Claims that the next line is this one. */
static void
next_is(struct line_buf *buf, const char *wanted, const char *why)
{
	char *line = NULL;
	size_t len = 0;

	ok(line_waiting(buf), "%s: a line waits", why);
	ok(line_take(buf, &line, &len) == LINE_READY, "%s: is taken", why);
	is(line, wanted, "%s: is the right one", why);
	ok(line && len == strlen(line), "%s: has its length", why);
}

static void
test_simple(void)
{
	struct line_buf buf = {0};
	char *line;
	size_t len;

	ok(!line_waiting(&buf), "nothing waits in an empty buffer");
	ok(line_take(&buf, &line, &len) == LINE_NONE, "nothing is taken");
	ok(feed(&buf, "one\ntwo\n\nthr", 12, 100), "three lines and a half");
	next_is(&buf, "one", "the first");
	next_is(&buf, "two", "the second");
	next_is(&buf, "", "the empty one");
	ok(!line_waiting(&buf), "half a line does not wait");
	ok(line_take(&buf, &line, &len) == LINE_NONE, "nor is it taken");
	feed(&buf, "ee\n", 3, 100);
	next_is(&buf, "three", "the rest");
	feed(&buf, "a\0b\n", 4, 100);
	ok(line_take(&buf, &line, &len) == LINE_READY && len == 3 &&
		memcmp(line, "a\0b", 4) == 0,
	    "a NUL inside is kept");
	line_release(&buf);
	ok(!buf.data && buf.len == 0, "released");
	line_release(&buf);
	ok(feed(&buf, "x\n", 2, 1), "and used again");
	next_is(&buf, "x", "after release");
	line_release(&buf);
}

/* Many lines of all lengths, cut every few bytes. */
static void
test_cuts(void)
{
	static char data[300000];
	size_t used = 0, number, taken, len;
	char *line;

	for (number = 0; used + number % 700 + 2 < sizeof(data); number++) {
		memset(data + used, 'a' + (int)(number % 26), number % 700);
		used += number % 700;
		data[used++] = '\n';
	}
	for (size_t step = 1; step < 9000; step = step * 3 + 1) {
		struct line_buf buf = {0};
		bool good = true;

		taken = 0;
		for (size_t at = 0; at < used; at += step) {
			size_t count = used - at < step ? used - at : step;

			good = good && feed(&buf, data + at, count, step);
			while (line_take(&buf, &line, &len) == LINE_READY) {
				good = good && len == taken % 700 &&
				    strlen(line) == len &&
				    (len == 0 ||
					line[len - 1] ==
					    (char)('a' + taken % 26));
				taken++;
			}
		}
		ok(good && taken == number && buf.len == 0,
		    "%zu bytes at a time", step);
		line_release(&buf);
	}
}

static void
test_bound(void)
{
	struct line_buf buf = {0};
	static char data[LINE_MAX_LEN + 1];
	char *line;
	size_t len;

	memset(data, 'x', sizeof(data));
	data[LINE_MAX_LEN - 1] = '\n';
	ok(feed(&buf, data, LINE_MAX_LEN, 4096), "the longest line goes in");
	ok(line_take(&buf, &line, &len) == LINE_READY &&
		len == LINE_MAX_LEN - 1,
	    "and comes out");

	data[LINE_MAX_LEN - 1] = 'x';
	feed(&buf, data, LINE_MAX_LEN - 1, 4096);
	ok(!line_waiting(&buf), "a byte less than that may still grow");
	feed(&buf, "x", 1, 1);
	ok(line_waiting(&buf), "one without a newline is news");
	ok(line_take(&buf, &line, &len) == LINE_TOO_LONG, "it is too long");
	feed(&buf, "\n", 1, 1);
	ok(line_take(&buf, &line, &len) == LINE_TOO_LONG, "and stays so");
	line_release(&buf);

	data[LINE_MAX_LEN] = '\n';
	feed(&buf, data, LINE_MAX_LEN + 1, sizeof(data));
	ok(line_take(&buf, &line, &len) == LINE_TOO_LONG,
	    "also if its newline is there");
	line_release(&buf);
}

/* One who never takes cannot fill the memory. */
static void
test_greed(void)
{
	struct line_buf buf = {0};
	static char data[LINE_MAX_LEN];
	size_t total = 0;

	memset(data, '\n', sizeof(data));
	while (total < 100 * sizeof(data) && feed(&buf, data, 1000, 1000))
		total += 1000;
	ok(total > 2 * LINE_MAX_LEN && total < 8 * LINE_MAX_LEN,
	    "a buffer ends somewhere (%zu)", total);
	line_release(&buf);
}

int
main(void)
{
	test_simple();
	test_cuts();
	test_bound();
	test_greed();
	return done();
}
