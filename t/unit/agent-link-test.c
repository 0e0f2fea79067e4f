/* SPDX-License-Identifier: ISC */
/*
 * Private links as rules: what is asked and answered, which pass counts, and
 * when, with the time passed in.
 */
#include "tap.h"

#include "chat/agent/link.h"

#define KEY_A "sha256//AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA="
#define PASS "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMN-_0"

static struct links links;

static struct wire_string
str(const char *s)
{
	return (struct wire_string){s, strlen(s)};
}

static struct link *
make(const char *user, int64_t now)
{
	char gone[NAME_MAX_LEN + 1];

	return link_make(&links, user, now, gone);
}

/* A pass for so many seconds. */
static void
agree(struct link *link, int64_t seconds, int64_t now, bool held)
{
	struct wire_link told = {
	    .fingerprint = str(KEY_A),
	    .host = str("192.0.2.7"),
	    .pass = str(PASS),
	    .port = 40312,
	    .expires_in = seconds,
	};

	link_pass(link, &told, now, held);
}

static void
test_pass(void)
{
	const struct peer_pass *out[4];
	struct link *bob = make("bob", 0);

	ok(!link_agreed(bob, 0) && !link_live(bob, 0), "no pass, no link");
	agree(bob, 10, 1000, false);
	ok(link_live(bob, 1000) && link_live(bob, 10999), "it lives");
	ok(!link_live(bob, 11000), "as long as it was given for");
	is(bob->pass.secret, PASS, "with its secret");
	is(bob->host, "192.0.2.7", "and the address");
	is_number(link_due(&links), 11000, "its end comes next");
	is_number((long long)link_passes(&links, 1000, out, 4), 1, "it counts");
	is_number(
	    (long long)link_passes(&links, 11000, out, 4), 0, "until then");
	agree(bob, 20, 5000, false);
	ok(link_live(bob, 24999), "renewed, it lives on");
	link_end(bob);
	ok(!link_agreed(bob, 5000), "ended, it does not");
	is(bob->pass.secret, "", "and its secret is gone");
	agree(bob, 10, 1000, true);
	ok(link_agreed(bob, 1000) && !link_live(bob, 1000),
	    "one that is held back does not count");
	is_number((long long)link_passes(&links, 1000, out, 4), 0, "nor serve");
	agree(bob, INT64_MAX, 0, false);
	ok(bob->pass.until <= LINK_SECONDS_MAX * 1000LL, "none lives for ever");
	agree(bob, -5, 1000, false);
	ok(!link_live(bob, 1000), "nor from before it began");
	links_wipe(&links);
}

static void
test_consent(void)
{
	struct link *bob = make("bob", 0);

	ok(!link_welcome(bob, "Q1", 0), "an address that nobody asked for");
	link_want(bob, "", 120, 0);
	ok(link_waiting(bob, 0), "asked");
	ok(link_welcome(bob, "Q1", 0), "the centre may not have named it yet");
	link_want(bob, "Q1", 60, 0);
	ok(link_welcome(bob, "Q1", 59999), "the answer");
	ok(!link_welcome(bob, "Q2", 0), "the answer to something else");
	ok(link_welcome(bob, "Q1", 60000 + LINK_GRACE_MS - 1),
	    "one that was under way in time");
	ok(!link_welcome(bob, "Q1", 60000 + LINK_GRACE_MS), "one too late");
	is_number(link_due(&links), 60000 + LINK_GRACE_MS,
	    "when nobody answers any more");
	agree(bob, 10, 0, false);
	ok(!link_waiting(bob, 0), "agreed, nothing waits");
	ok(link_welcome(bob, "Q9", 9999), "what lives may be renewed");
	ok(!link_welcome(bob, "Q9", 10000), "what has ended may not");
	links_wipe(&links);
}

static void
test_question(void)
{
	struct link *alice = make("alice", 0);
	struct wire_event event = {
	    .type = EVENT_ASK,
	    .id = str("AAAAAAAAAAAAAAAAAAAAAA"),
	    .link = {.fingerprint = str(KEY_A), .expires_in = 60},
	};

	ok(!link_asked(alice, 0), "nobody has asked");
	link_question(alice, &event, 0);
	ok(link_asked(alice, 59999) && !link_asked(alice, 60000),
	    "a question has its time");
	is(alice->question_pin, KEY_A, "and a key");
	agree(alice, 10, 0, false);
	ok(!link_asked(alice, 0), "it is answered with the pass");
	links_wipe(&links);
}

static void
test_bounds(void)
{
	char name[16], gone[NAME_MAX_LEN + 1];

	for (int i = 0; i < LINKS_MAX; i++) {
		snprintf(name, sizeof(name), "user%d", i);
		agree(make(name, 0), 10, 0, false);
	}
	ok(make("one-more", 0) == NULL, "there is an end of them");
	ok(make("user7", 0) != NULL, "those that are there stay");
	link_end(make("user7", 0));
	ok(link_make(&links, "one-more", 0, gone) != NULL, "one has ended");
	is(gone, "user7", "it makes room");
	is_number(links.count, LINKS_MAX, "and no more");
	links_wipe(&links);
}

static void
test_clocks(void)
{
	is_number(link_left(1000, 11000, 4000), 7000, "what is left");
	is_number(link_left(1000, 11000, 11000), 0, "nothing is left");
	is_number(link_left(1000, 11000, 99000), 0, "nor later");
	is_number(
	    link_left(1000, 11000, 0), 10000, "a clock that was set back");
	is_number(link_left(11000, 1000, 5000), 0, "a row that makes no sense");
	is_number(link_seconds(1001, 1000), 1, "a begun second counts");
	is_number(link_seconds(1000, 1000), 0, "none left");
	is_number(link_seconds(0, 1000), 0, "less than none");
}

int
main(void)
{
	test_pass();
	test_consent();
	test_question();
	test_bounds();
	test_clocks();
	return done();
}
