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
	is_number(lock_left(&lock, &rules, 70000), 0, "none left then");
	lock_refund(&lock, &rules);
	is_number(lock_left(&lock, &rules, 70000), 1, "one after a refund");
	is_number(lock_left(NULL, &rules, 70000), 3, "all without a failure");
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
	struct room_reader reader = {.user = 1, .cursor = 10, .login_room = 50};
	struct wire_event again = {.type = EVENT_LOGIN, .number = 60};
	struct db_room_row row = {.user = 2, .only = 11};

	ok(!shown(&reader, EVENT_BROADCAST, 60, 1, true), "never one's own");
	ok(shown(&reader, EVENT_LOGIN, 51, 2, true), "presence after login");
	ok(!shown(&reader, EVENT_LOGIN, 50, 2, true), "none from before");
	ok(shown(&reader, EVENT_BROADCAST, 50, 2, true),
	    "a broadcast from before, sent while online");
	ok(!shown(&reader, EVENT_BROADCAST, 50, 2, false),
	    "none that was sent while offline");
	ok(!rules_room_visible(&reader, &again, &row, true),
	    "back soon: nothing for who has not read the logout");
	reader.cursor = 11;
	ok(rules_room_visible(&reader, &again, &row, true),
	    "back soon: the login for who has");
}

static void
test_hider(void)
{
	struct room_hider by = rules_room_hider(1, EVENT_BROADCAST, 2);

	ok(by.owner == 1 && by.target == 2,
	    "a broadcast is hidden from who blocks its sender");
	by = rules_room_hider(1, EVENT_LOGIN, 2);
	ok(by.owner == 2 && by.target == 1,
	    "presence from whom its subject blocks");
	by = rules_room_hider(1, EVENT_LOGOUT, 2);
	ok(by.owner == 2 && by.target == 1, "likewise when it ends");
}

static void
test_clock(void)
{
	const int64_t hour = 3600000;
	struct wall_clock clock = {.offset = 1000 * hour};

	ok(rules_clock_trusted(&clock, 1001 * hour, hour), "a clock that goes");
	ok(rules_clock_trusted(&clock, 1003 * hour, 2 * hour), "a bit fast");
	ok(rules_clock_trusted(&clock, 500 * hour, 3 * hour), "set back");
	ok(!rules_clock_trusted(&clock, 9000 * hour, 4 * hour), "jumped ahead");
	ok(rules_clock_trusted(&clock, 502 * hour, 5 * hour), "set back again");
	ok(!rules_clock_trusted(&clock, 9000 * hour, 6 * hour), "ahead again");
	ok(!rules_clock_trusted(&clock, 9023 * hour, 29 * hour), "for a day");
	ok(rules_clock_trusted(&clock, 9024 * hour, 30 * hour),
	    "then believed");
	ok(rules_clock_trusted(&clock, 9025 * hour, 31 * hour), "from then on");
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
	test_hider();
	test_clock();
	test_presence();
	return done();
}
