/* SPDX-License-Identifier: ISC */
/*
 * Private links without a store: who may ask, how often, what a restart
 * leaves of a time; and the table that holds them.
 */
#include <string.h>

#include "chatd/store/link.h"
#include "chatd/store/pace.h"
#include "chatd/store/rules.h"
#include "tap.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static const struct rules rules = {
    .private_enabled = true, .ask_seconds = 60, .pass_seconds = 3600};

/* One of whom all may be asked. */
static struct ask_facts
willing(void)
{
	return (struct ask_facts){
	    .known = true, .online = true, .takes = true, .key = true};
}

static enum wire_error
verdict(struct ask_facts facts)
{
	const char *why;

	return rules_ask(&rules, &facts, &why);
}

static void
test_ask(void)
{
	struct ask_facts facts = willing();
	struct rules off = rules;
	const char *why;

	ok(rules_ask(&rules, &facts, &why) == ERR_NONE && why == NULL,
	    "somebody online who takes links may be asked");
	facts.takes = false;
	ok(verdict(facts) == ERR_NOT_ALLOWED, "not who takes none");
	facts.linked = true;
	ok(verdict(facts) == ERR_NONE, "but a link there is may be renewed");
	facts = willing();
	facts.key = false;
	ok(verdict(facts) == ERR_NOT_ALLOWED, "not without a key");
	facts = willing();
	facts.full = true;
	ok(verdict(facts) == ERR_NOT_ALLOWED, "not when there are too many");
	facts.blocks = true;
	ok(rules_ask(&rules, &facts, &why) == ERR_NOT_ALLOWED &&
		strstr(why, "blocked") != NULL,
	    "not whom one blocks, whatever else");
	facts.online = false;
	ok(verdict(facts) == ERR_OFFLINE, "offline comes before all that");
	facts.blocked = true;
	ok(verdict(facts) == ERR_BLOCKED, "blocked before offline");
	facts.known = false;
	ok(verdict(facts) == ERR_NO_SUCH_USER, "no such user before that");
	facts = (struct ask_facts){.known = true, .self = true};
	ok(verdict(facts) == ERR_NOT_ALLOWED, "oneself is not asked");
	off.private_enabled = false;
	facts = willing();
	facts.linked = true;
	ok(rules_ask(&off, &facts, &why) == ERR_NOT_ALLOWED,
	    "turned off, nobody is");
}

static void
test_pace(void)
{
	struct paces *paces = paces_new();
	int64_t now = 1000000;
	int good = 0;

	for (int i = 0; i < 5; i++)
		good += pace_charge(paces, 1, 2, now) == 0;
	is_number(good, 5, "five questions at once");
	is_number(pace_charge(paces, 1, 2, now), 60, "the sixth in a minute");
	is_number(
	    pace_charge(paces, 1, 2, now + 59001), 1, "which is rounded up");
	is_number(pace_charge(paces, 2, 1, now), 0, "the other way is free");
	is_number(pace_charge(paces, 1, 3, now), 0, "and so is another");
	is_number(pace_charge(paces, 1, 2, now + 60000), 0, "then one");
	is_number(pace_charge(paces, 1, 2, now + 60000), 60, "and no more");
	now += 10000000;
	for (int i = 0; i < 5; i++)
		good += pace_charge(paces, 1, 2, now) == 0;
	is_number(good, 10, "later all five");
	good = 0;
	for (int i = 0; i < 20000; i++)
		good += pace_charge(paces, i + 9, i, now + i * 100) == 0;
	is_number(good, 20000, "many pairs");
	paces_free(paces);
}

static void
test_times(void)
{
	is_number(
	    rules_link_left(&rules, false, 61000, 1000), 60000, "as left");
	is_number(rules_link_left(&rules, false, 99000, 1000), 60000,
	    "a question has no more than at first");
	is_number(rules_link_left(&rules, true, INT64_MAX, 1000), 3600000,
	    "nor has a pass");
	is_number(rules_link_left(&rules, true, 1000, 61000), 0, "or nothing");
}

static void
test_moved(void)
{
	struct ipc_address four = {.family = AF_INET, .ip = {192, 0, 2, 7}};
	struct ipc_address same = four, six = {.family = AF_INET6, .ip = {32}};

	same.port = 9;
	same.ip[9] = 1; /* not of the four octets */
	ok(!rules_moved(&four, &same), "a port is no address");
	ok(!rules_moved(&four, &six) && !rules_moved(&six, &four),
	    "the other family says nothing");
	same.ip[3]++;
	ok(rules_moved(&four, &same), "another one does");
	same = six;
	same.ip[15]++;
	ok(rules_moved(&six, &same), "to the last octet");
}

/* True if the queues end in the order of time. */
static bool
in_order(struct links *links, const int64_t *times, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		struct link *first = links_first(links);

		if (first == NULL || first->until != times[i])
			return false;
		link_free(links, first);
	}
	return links_first(links) == NULL;
}

static void
test_table(void)
{
	static const char names[][WIRE_REQUEST_LEN + 1] = {
	    "aaaaaaaaaaaaaaaaaaaaaa", "bbbbbbbbbbbbbbbbbbbbbb",
	    "cccccccccccccccccccccc"};
	static const int64_t times[] = {30, 50, 70};
	struct session alice = {.user = 1}, bob = {.user = 2},
		       carol = {.user = 3};
	struct links links = {0};
	struct link *one, *two, *three;
	size_t asking;

	one = link_new(&links, names[0], &alice, &bob, 100);
	two = link_new(&links, names[1], &carol, &bob, 50);
	three = link_new(&links, names[2], &alice, &carol, 70);
	ok(link_role(one, &alice) == LINK_ASKER &&
		link_role(one, &bob) == LINK_ASKED,
	    "each end has its role");
	ok(link_between(&bob, &alice, LINK_OPEN) == one &&
		link_between(&alice, &carol, LINK_OPEN) == three &&
		link_between(&alice, &carol, LINK_MADE) == NULL,
	    "those of a pair are found");
	ok(link_by_request(&bob, names[1], WIRE_REQUEST_LEN) == two &&
		link_by_request(&bob, names[2], WIRE_REQUEST_LEN) == NULL &&
		link_by_request(&alice, names[2], WIRE_REQUEST_LEN) == three &&
		link_by_request(&alice, names[2], 3) == NULL,
	    "by name those of the session alone");
	ok(link_count(&bob, &asking) == 2 && asking == 2, "two ask bob");
	ok(link_count(&alice, &asking) == 2 && asking == 0, "nobody alice");
	link_set(&links, one, LINK_MADE, 30);
	ok(links.count[LINK_MADE] == 1 && links.count[LINK_OPEN] == 2 &&
		link_count(&bob, &asking) == 2 && asking == 1,
	    "a link is no question");
	ok(in_order(&links, times, COUNT(times)) && alice.links == NULL &&
		bob.links == NULL && carol.links == NULL,
	    "they end in the order of time, and hang on nobody then");
	link_new(&links, names[0], &alice, &bob, 1);
	link_new(&links, names[1], &bob, &alice, 2);
	links_clear(&links);
	ok(alice.links == NULL && links.count[LINK_OPEN] == 0, "all cleared");
}

int
main(void)
{
	test_ask();
	test_pace();
	test_times();
	test_moved();
	test_table();
	return done();
}
