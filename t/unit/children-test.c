/* SPDX-License-Identifier: ISC */
/*
 * The master's table of connections: found by process and by number, counted
 * by address (IPv6 by /64), in the order of their start, and in queues.
 */
#include <arpa/inet.h>
#include <stdlib.h>

#include "chatd/master/children.h"
#include "tap.h"

static struct ipc_address
address(const char *text, uint16_t port)
{
	struct ipc_address out = {.port = port};

	out.family = strchr(text, ':') ? AF_INET6 : AF_INET;
	inet_pton(out.family, text, out.ip);
	return out;
}

/* One that has a worker at once. */
static struct child *
add(struct children *table, pid_t pid, const struct ipc_address *from,
    int64_t deadline)
{
	struct child *child = children_add(table, from, deadline);

	children_run(table, child, pid, deadline, CHILD_RUNS);
	return child;
}

/* From silence to the end. */
static void
test_queues(void)
{
	struct children *table = children_new();
	struct ipc_address at = address("192.0.2.1", 1);
	struct child *a = children_add(table, &at, 1);
	struct child *b = children_add(table, &at, 2);
	struct child *c = children_add(table, &at, 3);

	ok(children_count(table) == 0 && !children_oldest(table) &&
		children_of(table, &at) == 3 &&
		children_in(table, CHILD_SILENT) == 3 &&
		children_first(table, CHILD_SILENT) == a &&
		children_last(table, CHILD_SILENT) == c,
	    "who says nothing counts, but not as a worker");
	ok(a->number != 0 && a->number != b->number &&
		children_numbered(table, b->number) == b,
	    "found by number");
	children_move(table, a, CHILD_SPOKE);
	ok(children_first(table, CHILD_SILENT) == b &&
		children_first(table, CHILD_SPOKE) == a,
	    "one has spoken");
	children_run(table, a, 7, 9, CHILD_RUNS);
	children_run(table, c, 8, 9, CHILD_RUNS);
	ok(children_count(table) == 2 && children_in(table, CHILD_SPOKE) == 0 &&
		children_first(table, CHILD_RUNS) == a &&
		children_find(table, 8) == c && a->deadline == 9,
	    "two have workers");
	children_move(table, a, CHILD_PROVED);
	ok(children_first(table, CHILD_RUNS) == c &&
		children_oldest(table) == a,
	    "who has proved something is no longer in the way");
	children_move(table, c, CHILD_DYING);
	ok(children_of(table, &at) == 2 && children_count(table) == 2,
	    "the dying hold no place of their address, but are workers");
	children_remove(table, c);
	children_remove(table, b);
	children_remove(table, a);
	ok(children_count(table) == 0 && children_of(table, &at) == 0 &&
		children_in(table, CHILD_PROVED) == 0 &&
		children_in(table, CHILD_SILENT) == 0,
	    "all gone");
	children_free(table);
}

int
main(void)
{
	struct children *table = children_new();
	struct ipc_address a = address("192.0.2.1", 1);
	struct ipc_address b = address("192.0.2.2", 1);
	struct ipc_address c = address("2001:db8:0:1::1", 1);
	struct ipc_address d = address("2001:db8:0:1:ffff::2", 2);
	struct ipc_address e = address("2001:db8:0:2::1", 1);
	struct child *child;
	int wrong = 0, count = 0;

	ok(children_count(table) == 0 && !children_oldest(table) &&
		!children_find(table, 1) && children_of(table, &a) == 0,
	    "an empty table");
	add(table, 10, &a, 100);
	/* The same bucket. */
	add(table, 10 + 1024, &a, 101);
	add(table, 12, &b, 102);
	add(table, 13, &c, 103);
	add(table, 14, &d, 104);
	add(table, 15, &e, 105);
	ok(children_count(table) == 6, "six workers");
	a.port = 9;
	ok(children_of(table, &a) == 2 && children_of(table, &b) == 1,
	    "IPv4 by address, whatever the port");
	ok(children_of(table, &c) == 2 && children_of(table, &d) == 2 &&
		children_of(table, &e) == 1,
	    "IPv6 by /64");
	child = children_find(table, 10 + 1024);
	ok(child && child->deadline == 101, "found by process");
	ok(!children_find(table, 11), "nobody found");
	children_remove(table, child);
	ok(!children_find(table, 10 + 1024) && children_find(table, 10) &&
		children_of(table, &a) == 1,
	    "taken out of a chain");
	children_remove(table, children_find(table, 10));
	children_remove(table, children_find(table, 15));
	add(table, 16, &a, 106);
	for (child = children_oldest(table); child; child = child->newer)
		wrong += child->deadline <= 101 ||
		    (child->newer && child->newer->deadline < child->deadline),
		    count++;
	ok(wrong == 0 && count == 4 && children_count(table) == 4,
	    "in the order of their start");

	srand(1);
	for (int i = 0; i < 20000; i++) {
		pid_t pid = rand() % 5000 + 1;

		child = children_find(table, pid);
		if (child)
			children_remove(table, child);
		else
			add(table, pid, rand() % 2 ? &a : &c, i);
	}
	count = 0;
	for (child = children_oldest(table); child; child = child->newer)
		count++;
	ok(count == children_count(table) &&
		children_of(table, &a) + children_of(table, &b) +
			children_of(table, &c) + children_of(table, &e) ==
		    count,
	    "after many that came and went");
	children_free(table);
	test_queues();
	return done();
}
