/* SPDX-License-Identifier: ISC */
/*
 * The client's rules for the beacon, with the time passed in: when LIVE is
 * said, what counts as an answer, when a knock is followed, how a centre
 * that lies is borne.  The centre is the test's own.
 */
#include "tap.h"

#include <stdlib.h>

#include "chat/agent/pulse.h"

enum {
	BEAT = 30000,
	SPREAD = 8000,
	START = 1000000,
};

static struct pulse pulse;
static struct beacon_mac *mac;
static struct beacon_keys keys;
static struct pulse_view view;
static uint64_t counter; /* the centre's */
static uint8_t live[BEACON_LEN]; /* the last one that was said */

static const uint64_t id = UINT64_C(0x123456789abcdef0);
static const uint64_t echo = UINT64_C(0xfeedfacecafebeef);

/* A client that has just logged in, with nothing waiting for it. */
static void
begin(void)
{
	const struct beacon_counters counters = {.end = BEACON_RESERVE};

	for (size_t i = 0; i < BEACON_KEY_LEN; i++) {
		keys.client[i] = (uint8_t)i;
		keys.centre[i] = (uint8_t)(i + 100);
	}
	view = (struct pulse_view){.now = START, .mail = 5, .room = 7};
	counter = beacon_centre_counter(3, 0);
	pulse_start(&pulse, id, &keys, &counters, BEAT, SPREAD, START);
}

/* The next deed is this one; a LIVE is made. */
static void
does(enum pulse_deed deed, const char *what)
{
	enum pulse_deed got = pulse_next(&pulse, &view);

	is_number(got, deed, "%s", what);
	if (got == PULSE_SAY_LIVE && !pulse_live(&pulse, mac, &view, live))
		ok(false, "no LIVE was made");
}

/* Time goes by; nothing is to be done before it is over. */
static void
passes(int64_t ms)
{
	int64_t due = pulse_due(&pulse, view.busy);

	ok(due >= view.now + ms, "nothing is due for %lld ms", (long long)ms);
	view.now += ms - 1;
	is_number(pulse_next(&pulse, &view), PULSE_REST, "it rests so long");
	view.now++;
}

/* Hands it a datagram as it is. */
static enum pulse_heard
hears(const void *data, size_t len)
{
	return pulse_take(&pulse, mac, data, len, &view);
}

/* The centre says something. */
static enum pulse_heard
centre(enum beacon_type type, int64_t mail, int64_t room, uint64_t shown)
{
	const struct beacon beacon = {type, id, ++counter, mail, room, shown};
	uint8_t data[BEACON_LEN];

	if (!beacon_encode(mac, keys.centre, &beacon, data))
		return PULSE_DROPPED;
	return hears(data, sizeof(data));
}

/* What the last LIVE said. */
static struct beacon
said(void)
{
	struct beacon beacon;

	memset(&beacon, 0, sizeof(beacon));
	ok(beacon_decode(live, sizeof(live), &beacon) &&
		beacon_verify(mac, keys.client, live) &&
		beacon.type == BEACON_LIVE && beacon.id == id,
	    "a LIVE with its code");
	return beacon;
}

/* A beacon that is answered. */
static void
come_on(void)
{
	begin();
	does(PULSE_SAY_LIVE, "LIVE");
	is_number(
	    centre(BEACON_HEADS, 5, 7, echo), PULSE_CAME_ON, "it is answered");
}

static void
test_beat(void)
{
	struct beacon first, second;

	begin();
	ok(!pulse_steady(&pulse), "at first one polls");
	does(PULSE_SAY_LIVE, "LIVE at once");
	first = said();
	ok(first.counter == 1 && first.echo == 0, "the first, without an echo");
	ok(first.mail == 5 && first.room == 7, "with the cursors");
	does(PULSE_REST, "then nothing");
	is_number(centre(BEACON_CHECK, 5, 7, echo), PULSE_HEARD, "a CHECK");
	ok(!pulse_steady(&pulse), "which proves nothing");
	does(PULSE_SAY_LIVE, "LIVE again at once");
	second = said();
	ok(second.counter == 2 && second.echo == echo, "now with the echo");
	is_number(centre(BEACON_HEADS, 5, 7, echo), PULSE_CAME_ON, "HEADS");
	ok(pulse_steady(&pulse), "nobody needs to poll");
	passes(BEAT);
	does(PULSE_SAY_LIVE, "LIVE after a heartbeat");
	ok(said().echo == echo, "with the echo at once");
	is_number(centre(BEACON_HEADS, 5, 7, echo), PULSE_HEARD, "HEADS again");
	is_number(centre(BEACON_HEADS, 5, 7, echo), PULSE_HEARD, "twice");
	passes(BEAT);
	does(PULSE_SAY_LIVE, "LIVE");
}

static void
test_silence(void)
{
	const int64_t waits[] = {5000, 20000, 80000, 300000, 300000};

	come_on();
	passes(BEAT);
	does(PULSE_SAY_LIVE, "LIVE");
	passes(1000);
	does(PULSE_SAY_LIVE, "LIVE a second later");
	ok(pulse_steady(&pulse), "one lost datagram is no news");
	passes(1000);
	does(PULSE_SAY_LIVE, "LIVE for the third time");
	passes(1000);
	does(PULSE_FALL_BACK, "then TLS has to do");
	ok(!pulse_steady(&pulse) && pulse.state == PULSE_FILTERED, "filtered");
	for (size_t i = 0; i < sizeof(waits) / sizeof(*waits); i++) {
		passes(waits[i]);
		for (int try = 0; try < PULSE_TRIES; try++) {
			does(PULSE_SAY_LIVE, "it is tried again");
			passes(1000);
		}
		does(PULSE_REST, "in vain, which is no news");
	}
	passes(300000);
	does(PULSE_SAY_LIVE, "it is tried again");
	is_number(
	    centre(BEACON_HEADS, 5, 7, echo), PULSE_CAME_ON, "and answered");
	passes(BEAT);
}

/* An answer to a LIVE of before comes late, but it comes. */
static void
test_late(void)
{
	come_on();
	passes(BEAT);
	does(PULSE_SAY_LIVE, "LIVE");
	passes(1000);
	does(PULSE_SAY_LIVE, "LIVE");
	view.now += 500;
	is_number(centre(BEACON_HEADS, 5, 7, echo), PULSE_HEARD, "late HEADS");
	passes(BEAT);
	does(PULSE_SAY_LIVE, "the next LIVE is the next heartbeat's");
}

/* The LIVEs that are due now are lost, all of them. */
static void
lost(void)
{
	for (int i = 0; i < PULSE_TRIES; i++) {
		does(PULSE_SAY_LIVE, "LIVE");
		view.now += PULSE_TRY_MS;
	}
	pulse_next(&pulse, &view);
	is_number(pulse.state, PULSE_FILTERED, "nobody answers");
}

static void
test_retry(void)
{
	come_on();
	passes(BEAT);
	lost();
	pulse_retry(&pulse, view.now);
	lost();
	for (int i = 0; i < 100; i++)
		pulse_retry(&pulse, view.now);
	is_number(pulse_due(&pulse, false) - view.now, 2000,
	    "when the network changes all the time, every 5 s");
	view.now += 2000;
	lost();
	come_on();
	view.now += 1500;
	pulse_retry(&pulse, view.now);
	does(PULSE_SAY_LIVE, "one that is answered tells the new address");
	ok(pulse_steady(&pulse), "and nobody polls meanwhile");
}

static void
test_knock(void)
{
	come_on();
	does(PULSE_REST, "nothing to fetch");
	centre(BEACON_KNOCK, 6, 7, echo);
	does(PULSE_SAY_SYNC, "a knock is followed at once");
	does(PULSE_REST, "once");
	view.mail = 6;
	view.now += 2;
	centre(BEACON_KNOCK, 7, 7, echo);
	does(PULSE_REST, "the next one is not followed at once");
	passes(48);
	does(PULSE_SAY_SYNC, "but soon");
	view.mail = 7;
	centre(BEACON_KNOCK, 8, 7, echo);
	view.mail = 8;
	passes(50);
	does(PULSE_REST, "what was fetched meanwhile needs no sync");

	view.busy = true;
	centre(BEACON_KNOCK, 9, 7, echo);
	view.now += 500;
	does(PULSE_REST, "while an exchange is under way it waits");
	view.busy = false;
	does(PULSE_SAY_SYNC, "and is not forgotten");
	view.now += 60000;
	centre(BEACON_KNOCK, 9, 7, echo);
	view.mail = 9;
	view.now += 60000;
	does(PULSE_SAY_LIVE, "LIVE goes on");
	centre(BEACON_KNOCK, 9, 7, echo);
	does(PULSE_SAY_SYNC, "a knock without news asks for the reason");
}

static void
test_heads(void)
{
	come_on();
	passes(BEAT);
	does(PULSE_SAY_LIVE, "LIVE");
	centre(BEACON_HEADS, 6, 7, echo);
	does(PULSE_SAY_SYNC, "heads that are further mean a sync");
	view.mail = 6;
	passes(BEAT);
	does(PULSE_SAY_LIVE, "LIVE");
	centre(BEACON_HEADS, 3, 2, echo);
	does(PULSE_REST, "heads that go back mean nothing");
	passes(BEAT);
	does(PULSE_SAY_LIVE, "LIVE");
	centre(BEACON_HEADS, INT64_MAX, INT64_MAX, echo);
	does(PULSE_SAY_SYNC, "heads that leap are a hint, too");
	passes(BEAT);
	does(PULSE_SAY_LIVE, "and nothing more: one LIVE a heartbeat");
}

static void
test_room(void)
{
	come_on();
	view.dice = 32768;
	passes(BEAT);
	does(PULSE_SAY_LIVE, "LIVE");
	centre(BEACON_HEADS, 5, 9, echo);
	passes(SPREAD / 2);
	does(PULSE_SAY_SYNC, "news of the room alone may wait its turn");
	view.room = 9;
	centre(BEACON_KNOCK, 5, 10, echo);
	does(PULSE_REST, "also after a knock");
	view.now += 100;
	centre(BEACON_KNOCK, 6, 10, echo);
	does(PULSE_SAY_SYNC, "mail does not wait for it");
	view.mail = 6;
	view.room = 10;
	does(PULSE_REST, "and brings it along");
}

/* What does not verify costs nothing and changes nothing. */
static void
test_hostile(void)
{
	struct beacon beacon = {BEACON_HEADS, id, 0, 50, 50, 1};
	uint8_t data[BEACON_LEN + 1] = {0}, wrong[BEACON_LEN];
	struct pulse before;
	int taken = 0;

	begin();
	does(PULSE_SAY_LIVE, "LIVE");
	before = pulse;
	beacon.counter = counter + 1;
	beacon_encode(mac, keys.centre, &beacon, data);
	for (size_t len = 0; len <= sizeof(data); len++)
		if (len != BEACON_LEN)
			taken += hears(data, len) != PULSE_DROPPED;
	for (size_t bit = 0; bit < sizeof(wrong) * 8; bit++) {
		memcpy(wrong, data, sizeof(wrong));
		wrong[bit / 8] ^= (uint8_t)(1 << bit % 8);
		taken += hears(wrong, sizeof(wrong)) != PULSE_DROPPED;
	}
	/* What we said ourselves, come back. */
	taken += hears(live, sizeof(live)) != PULSE_DROPPED;
	beacon_encode(mac, keys.client, &beacon, wrong);
	taken += hears(wrong, sizeof(wrong)) != PULSE_DROPPED;
	beacon.id++;
	beacon_encode(mac, keys.centre, &beacon, wrong);
	taken += hears(wrong, sizeof(wrong)) != PULSE_DROPPED;
	beacon.id--;
	beacon.type = BEACON_LIVE;
	beacon_encode(mac, keys.centre, &beacon, wrong);
	taken += hears(wrong, sizeof(wrong)) != PULSE_DROPPED;
	is_number(taken, 0, "nothing of that is taken");
	ok(memcmp(&before, &pulse, sizeof(pulse)) == 0, "nothing has changed");
	is_number(hears(data, BEACON_LEN), PULSE_CAME_ON, "the true one is");
	is_number(hears(data, BEACON_LEN), PULSE_DROPPED, "but only once");
}

/* A centre that is never content with the echo. */
static void
test_check_forever(void)
{
	int lives = 0, falls = 0;

	begin();
	while (view.now < START + 10 * 60000) {
		switch (pulse_next(&pulse, &view)) {
		case PULSE_SAY_LIVE:
			lives++;
			pulse_live(&pulse, mac, &view, live);
			for (int i = 0; i < 5; i++)
				centre(BEACON_CHECK, 5, 7, echo + counter);
			break;
		case PULSE_FALL_BACK:
			falls++;
			break;
		case PULSE_SAY_SYNC:
		case PULSE_REST:
			view.now = pulse_due(&pulse, false);
			break;
		}
	}
	is_number(falls, 1, "it falls back to TLS");
	/* Tries at 0, 8, 31, 114 and 417 s. */
	is_number(lives, 5 * (PULSE_TRIES + PULSE_CHECKS),
	    "and says LIVE no more often than that");
}

/* How often it syncs in a minute in which it is knocked all the time. */
static int
knocked(bool brings)
{
	int syncs = 0;

	come_on();
	for (int64_t end = view.now + 60000; view.now < end; view.now++) {
		centre(BEACON_KNOCK, view.mail + 1, INT64_MAX, echo);
		if (view.now % 10 == 0)
			centre(BEACON_HEADS, INT64_MAX, 0, echo);
		while (true) {
			enum pulse_deed deed = pulse_next(&pulse, &view);

			if (deed == PULSE_REST)
				break;
			syncs += deed == PULSE_SAY_SYNC;
			view.mail += brings && deed == PULSE_SAY_SYNC;
		}
	}
	return syncs;
}

static void
test_knock_forever(void)
{
	int vain = knocked(false), brings = knocked(true);

	ok(vain <= 40, "knocked in vain: %d syncs a minute, as by polls", vain);
	ok(brings <= 60000 / PULSE_SYNC_MS + 1, "with news: %d", brings);
	view.now += PULSE_CALM_MS + 1;
	centre(BEACON_KNOCK, view.mail + 1, 7, echo);
	does(PULSE_SAY_SYNC, "after a calm it is believed at once again");
}

static void
test_counters(void)
{
	come_on();
	pulse.counters = (struct beacon_counters){1024, 1024};
	view.now += BEAT;
	is_number(pulse_next(&pulse, &view), PULSE_SAY_LIVE, "LIVE is due");
	ok(!pulse_live(&pulse, mac, &view, live),
	    "none goes out with a counter that is not reserved");
	beacon_reserved(&pulse.counters);
	ok(pulse_live(&pulse, mac, &view, live) && said().counter == 1024,
	    "after a restart it goes on with a fresh block");
}

static void
test_end(void)
{
	static const struct beacon_keys none;

	come_on();
	centre(BEACON_KNOCK, 6, 7, echo);
	pulse_stop(&pulse);
	ok(memcmp(&pulse.keys, &none, sizeof(none)) == 0, "the keys are wiped");
	does(PULSE_REST, "nothing is said any more");
	ok(pulse_due(&pulse, false) == PULSE_NEVER, "nor ever will be");
	is_number(
	    centre(BEACON_KNOCK, 6, 7, echo), PULSE_DROPPED, "nor is heard");
	pulse_retry(&pulse, view.now);
	does(PULSE_REST, "whatever happens");
}

int
main(void)
{
	mac = beacon_mac_new();
	if (mac == NULL)
		return 1;
	test_beat();
	test_silence();
	test_late();
	test_retry();
	test_knock();
	test_heads();
	test_room();
	test_hostile();
	test_check_forever();
	test_knock_forever();
	test_counters();
	test_end();
	beacon_mac_free(mac);
	return done();
}
