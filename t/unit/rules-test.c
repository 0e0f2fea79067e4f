/* SPDX-License-Identifier: ISC */
/*
 * The rules: lockout, who may send, what of the room log is shown to whom.
 * Pure, so that time is a number.
 */
#include "chatd/store/rules.h"
#include "tap.h"

static const struct rules rules = {
    .attempts = 3, .block_seconds = 60, .timeout = 90, .mailbox_messages = 10};

static void
test_lock(void)
{
	struct lock lock = {0};

	is_number(lock_charge(&lock, &rules, 1000), 2, "two attempts left");
	is_number(lock_charge(&lock, &rules, 1001), 1, "one attempt left");
	is_number(
	    lock_remaining(&lock, 1002), 0, "not locked before the limit");
	is_number(lock_charge(&lock, &rules, 2000), 0, "none left");
	is_number(lock_remaining(&lock, 2000), 60, "locked for a minute");
	is_number(lock_remaining(&lock, 61001), 1, "rounded up");
	is_number(lock_remaining(&lock, 62000), 0, "over after a minute");
	is_number(lock_charge(&lock, &rules, 62000), 2, "and starts afresh");
	lock_clear(&lock, 0);
	is_number(lock.failures, 0, "success clears");
	lock_clear(&lock, 2);
	is_number(lock_charge(&lock, &rules, 70000), 0,
	    "what is under way stays charged");
	lock_refund(&lock, &rules);
	is_number(lock_remaining(&lock, 70000), 0, "a refund unlocks");
}

static void
test_lock_restore(void)
{
	is_number(lock_restore(&rules, 0, 5000, 100), 0, "no lock");
	is_number(
	    lock_restore(&rules, 25000, 5000, 100), 20100, "what remains");
	is_number(lock_restore(&rules, 9999999, 5000, 100), 60100,
	    "at most block_seconds, whatever the clock did");
	is_number(lock_restore(&rules, 4000, 5000, 100), 1, "over");
}

static void
test_send(void)
{
	struct send_facts facts = {.known = true};

	is_number(rules_send(&rules, &facts), ERR_NONE, "may send");
	facts.mail_count = 10;
	is_number(rules_send(&rules, &facts), ERR_MAILBOX_FULL, "mailbox full");
	facts.blocked = true;
	is_number(
	    rules_send(&rules, &facts), ERR_BLOCKED, "blocked comes first");
	facts.known = false;
	is_number(
	    rules_send(&rules, &facts), ERR_NO_SUCH_USER, "unknown before all");
}

static bool
shown(struct room_reader *reader, enum wire_event_type type, int64_t number,
    int64_t user, bool was_online)
{
	struct wire_event event = {.type = type, .number = number};
	struct db_room_row row = {.user = user};

	return rules_room_visible(reader, &event, &row, was_online);
}

static void
test_room(void)
{
	struct db_block blocks[] = {{1, 2, 100, 110}, {3, 1, 100, INT64_MAX}};
	struct room_reader reader = {.user = 1,
	    .cursor = 10,
	    .login_room = 50,
	    .blocks = blocks,
	    .block_count = 2};
	struct wire_event again = {.type = EVENT_LOGIN, .number = 60};
	struct db_room_row row = {.user = 2, .only = 11};

	ok(!shown(&reader, EVENT_BROADCAST, 60, 1, true), "never one's own");
	ok(shown(&reader, EVENT_LOGIN, 51, 2, true), "presence after login");
	ok(!shown(&reader, EVENT_LOGIN, 50, 2, true), "none from before");
	ok(shown(&reader, EVENT_BROADCAST, 50, 2, true),
	    "a broadcast from before, sent while online");
	ok(!shown(&reader, EVENT_BROADCAST, 50, 2, false),
	    "none that was sent while offline");
	ok(shown(&reader, EVENT_BROADCAST, 100, 2, true), "before the block");
	ok(!shown(&reader, EVENT_BROADCAST, 101, 2, true), "blocked sender");
	ok(!shown(&reader, EVENT_BROADCAST, 110, 2, true), "to the last");
	ok(shown(&reader, EVENT_BROADCAST, 111, 2, true), "after the block");
	ok(shown(&reader, EVENT_LOGIN, 105, 2, true),
	    "whom one blocks one still sees come and go");
	ok(!shown(&reader, EVENT_LOGOUT, 105, 3, true),
	    "no presence of whoever blocks one");
	ok(shown(&reader, EVENT_BROADCAST, 105, 3, true),
	    "but their broadcasts");
	ok(!rules_room_visible(&reader, &again, &row, true),
	    "back soon: nothing for who has not read the logout");
	reader.cursor = 11;
	ok(rules_room_visible(&reader, &again, &row, true),
	    "back soon: the login for who has");
}

static void
test_presence(void)
{
	ok(rules_back_soon(1000, 6000), "5 s is soon");
	ok(!rules_back_soon(1000, 6001), "more is not");
	ok(!rules_back_soon(6000, 1000), "nor is a clock set back");
	ok(!rules_silent(&rules, 0, 90000), "90 s of silence are allowed");
	ok(rules_silent(&rules, 0, 90001), "more are not");
	is_number(rules_room_spread(200), 0, "few need no spread");
	is_number(rules_room_spread(201), 1, "more do");
	is_number(rules_room_spread(1000000), 500, "a million over minutes");
}

int
main(void)
{
	test_lock();
	test_lock_restore();
	test_send();
	test_room();
	test_presence();
	return done();
}
