/* SPDX-License-Identifier: ISC */
/*
 * Unit tests of lib/beacon: the worked example of chat-protocol(7), made with
 * another implementation of HMAC; what is refused; the window; the counters;
 * echoes.
 */
#include <stdlib.h>

#include "lib/beacon.h"
#include "tap.h"

static struct beacon_mac *mac;
static struct beacon_keys keys; /* 00 01 02 … 3f */

static const struct {
	struct beacon beacon;
	const char *hex;
} example[] = {
    {{BEACON_LIVE, 0x0123456789abcdefu, 0x400u, 5, 11, 0x0u},
	"434201010123456789abcdef0000000000000400000000000000000500000000"
	"0000000b0000000000000000d8046ce32aed6cd53c5cf2a79ca0e50e"},
    {{BEACON_CHECK, 0x0123456789abcdefu, 0x700000001u, 6, 12,
	 0x6b1d0c5a4e3f2891u},
	"434201040123456789abcdef0000000700000001000000000000000600000000"
	"0000000c6b1d0c5a4e3f2891ddcf4e8c3b85a4abbcbc3fb435df94a0"},
    {{BEACON_LIVE, 0x0123456789abcdefu, 0x401u, 5, 11, 0x6b1d0c5a4e3f2891u},
	"434201010123456789abcdef0000000000000401000000000000000500000000"
	"0000000b6b1d0c5a4e3f289117b927201365b115d0ed8dd884e22a1b"},
    {{BEACON_HEADS, 0x0123456789abcdefu, 0x700000002u, 6, 12,
	 0x6b1d0c5a4e3f2891u},
	"434201020123456789abcdef0000000700000002000000000000000600000000"
	"0000000c6b1d0c5a4e3f28911239c7601ae80321a781914cef641a9c"},
    {{BEACON_KNOCK, 0x0123456789abcdefu, 0x700000003u, 7, 12,
	 0x6b1d0c5a4e3f2891u},
	"434201030123456789abcdef0000000700000003000000000000000700000000"
	"0000000c6b1d0c5a4e3f2891c95d32581597323eb074231dfa57c0d3"},
};

enum { EXAMPLES = sizeof(example) / sizeof(example[0]) };

static const uint8_t *
key_of(enum beacon_type type)
{
	return type == BEACON_LIVE ? keys.client : keys.centre;
}

static void
to_hex(const uint8_t data[BEACON_LEN], char out[2 * BEACON_LEN + 1])
{
	for (int i = 0; i < BEACON_LEN; i++)
		snprintf(out + 2 * i, 3, "%02x", data[i]);
}

static bool
same(const struct beacon *a, const struct beacon *b)
{
	return a->type == b->type && a->id == b->id &&
	    a->counter == b->counter && a->mail == b->mail &&
	    a->room == b->room && a->echo == b->echo;
}

static void
test_example(void)
{
	for (int i = 0; i < EXAMPLES; i++) {
		const struct beacon *wanted = &example[i].beacon;
		uint8_t data[BEACON_LEN];
		char hex[2 * BEACON_LEN + 1];
		struct beacon got;

		ok(beacon_encode(mac, key_of(wanted->type), wanted, data),
		    "example %d is made", i);
		to_hex(data, hex);
		is(hex, example[i].hex, "to the octet");
		ok(beacon_decode(data, sizeof(data), &got), "is taken apart");
		ok(same(&got, wanted), "into what it was");
		ok(beacon_verify(mac, key_of(wanted->type), data), "verifies");
	}
}

/* Every octet that is not as it was, every other length, every other key. */
static void
test_refused(void)
{
	uint8_t data[BEACON_LEN + 1] = {0};
	struct beacon got;
	bool any = false;

	beacon_encode(mac, keys.client, &example[0].beacon, data);
	for (int i = 0; i < BEACON_LEN * 8; i++) {
		data[i / 8] ^= (uint8_t)(1 << i % 8);
		any = any || beacon_verify(mac, keys.client, data);
		data[i / 8] ^= (uint8_t)(1 << i % 8);
	}
	ok(!any, "no bit may be another");
	ok(beacon_verify(mac, keys.client, data), "as it was, it is right");
	ok(!beacon_verify(mac, keys.centre, data), "under one key only");
	any = false;
	for (size_t len = 0; len <= BEACON_LEN + 1; len++)
		any = any ||
		    (len != BEACON_LEN && beacon_decode(data, len, &got));
	ok(!any, "no other length");
	for (int at = 0; at < 3; at++) {
		data[at]++;
		ok(!beacon_decode(data, BEACON_LEN, &got), "octet %d", at);
		data[at]--;
	}
	data[3] = 0;
	ok(!beacon_decode(data, BEACON_LEN, &got), "type 0 is none");
	data[3] = BEACON_CHECK + 1;
	ok(!beacon_decode(data, BEACON_LEN, &got), "nor is 5");
	data[3] = BEACON_LIVE;
	data[20] = 0x80;
	ok(!beacon_decode(data, BEACON_LEN, &got), "no negative mail");
	data[20] = 0;
	data[28] = 0x80;
	ok(!beacon_decode(data, BEACON_LEN, &got), "no negative room");
	data[28] = 0;
	ok(beacon_decode(data, BEACON_LEN, &got), "as it was");
	memset(data + 4, 0, 8);
	ok(!beacon_decode(data, BEACON_LEN, &got), "id 0 is none");
}

static void
test_id(void)
{
	char text[BEACON_ID_TEXT + 1];
	uint8_t context[BEACON_CONTEXT_LEN];
	uint64_t id = 0;

	beacon_id_text(0x0123456789abcdefu, text);
	is(text, "0123456789abcdef", "an id as text");
	ok(beacon_id_parse(text, &id) && id == 0x0123456789abcdefu, "and back");
	beacon_context(id, context);
	ok(memcmp(context, "\x01\x23\x45\x67\x89\xab\xcd\xef", 8) == 0,
	    "its octets are the exporter's context");
	ok(!beacon_id_parse("", &id), "none");
	ok(!beacon_id_parse("0123456789abcde", &id), "too short");
	ok(!beacon_id_parse("0123456789abcdef0", &id), "too long");
	ok(!beacon_id_parse("0123456789ABCDEF", &id), "not as it is written");
	ok(!beacon_id_parse("0000000000000000", &id), "0 is none");
}

static void
test_window(void)
{
	struct beacon_window window = {0};
	bool all = true, any = false;

	ok(!beacon_take(&window, 0), "0 is never a counter");
	ok(beacon_take(&window, 100), "the first may be any");
	ok(!beacon_take(&window, 100), "but once");
	ok(beacon_take(&window, 37), "63 before it is still known");
	ok(!beacon_take(&window, 37), "likewise once");
	ok(!beacon_take(&window, 36), "64 before it is not");
	for (uint64_t i = 38; i < 100; i++)
		all = all && beacon_take(&window, i);
	ok(all, "all between, in any order");
	for (uint64_t i = 0; i <= 100; i++)
		any = any || beacon_take(&window, i);
	ok(!any, "and none twice");
	ok(beacon_take(&window, 163), "63 further");
	ok(!beacon_take(&window, 100), "the last one was taken");
	ok(beacon_take(&window, 101), "the next was not");
	ok(beacon_take(&window, 227), "64 further: all forgotten");
	ok(!beacon_take(&window, 163), "so all before it is too old");
	ok(beacon_take(&window, 164), "but what is within");
	ok(beacon_take(&window, UINT64_MAX), "the highest");
	ok(!beacon_take(&window, UINT64_MAX), "once");
	ok(!beacon_take(&window, 228), "and nothing from far below");
}

/* A window against a list of all that was taken. */
static void
test_window_model(void)
{
	static bool taken[4096];
	struct beacon_window window = {0};
	uint64_t highest = 0;
	bool same_all = true;

	srand(7);
	for (int i = 0; i < 20000; i++) {
		uint64_t counter =
		    highest / 2 + 1 + (uint64_t)(rand() % 140) + highest / 2;
		bool wanted;

		counter = counter > 70 ? counter - 70 : counter;
		if (counter >= 4096)
			break;
		wanted = !taken[counter] && counter + 64 > highest;
		if (wanted) {
			taken[counter] = true;
			highest = counter > highest ? counter : highest;
		}
		same_all = same_all && beacon_take(&window, counter) == wanted;
	}
	ok(same_all && highest > 3000, "a window is what a list would be");
}

static void
test_counters(void)
{
	struct beacon_counters counters = {0}, again = {0};
	uint64_t counter = 0, disk, last = 0;
	int count = 0;

	ok(!beacon_count(&counters, &counter), "nothing is reserved at first");
	disk = beacon_reserve(&counters);
	is_number((long long)disk, 1024, "a block is to be written down");
	beacon_reserved(&counters);
	while (beacon_count(&counters, &counter)) {
		if (counter <= last)
			break;
		last = counter;
		count++;
	}
	is_number(count, 1023, "then it is used up, one by one, from 1");
	is_number((long long)last, 1023, "to its end");
	again.next = again.end = disk;
	ok(!beacon_count(&again, &counter), "after a restart the next block");
	beacon_reserved(&again);
	ok(beacon_count(&again, &counter) && counter == 1024,
	    "begins where the last one ended");
	ok(beacon_centre_counter(7, 1) == (UINT64_C(7) << 32) + 1 &&
		beacon_centre_counter(8, 0) >
		    beacon_centre_counter(7, UINT32_MAX),
	    "the centre's grow from one generation to the next");
}

static void
test_echo(void)
{
	uint8_t secret[BEACON_SECRET_LEN] = {1}, place[BEACON_PLACE_LEN] = {2};
	uint64_t echo = beacon_echo(mac, secret, 5, place);

	ok(echo != 0, "an echo is never 0");
	ok(echo == beacon_echo(mac, secret, 5, place), "always the same");
	ok(echo != beacon_echo(mac, secret, 6, place), "not for another");
	place[BEACON_PLACE_LEN - 1]++;
	ok(echo != beacon_echo(mac, secret, 5, place), "nor elsewhere");
	place[BEACON_PLACE_LEN - 1]--;
	secret[BEACON_SECRET_LEN - 1]++;
	ok(echo != beacon_echo(mac, secret, 5, place), "nor later");
}

int
main(void)
{
	uint8_t octets[sizeof(keys)] = {0};

	for (size_t i = 0; i < sizeof(octets); i++)
		octets[i] = (uint8_t)i;
	memcpy(&keys, octets, sizeof(keys));
	if ((mac = beacon_mac_new()) == NULL) {
		puts("Bail out! no memory");
		return 1;
	}
	test_example();
	test_refused();
	test_id();
	test_window();
	test_window_model();
	test_counters();
	test_echo();
	beacon_mac_free(mac);
	return done();
}
