/* SPDX-License-Identifier: ISC */
/*
 * A datagram of anybody's: decoded, and, where it means something, encoded to
 * the same octets.  And counters, by which the window takes none twice: each
 * that is new among the last 64, no other.
 */
#include <string.h>

#include "lib/beacon.h"
#include "fuzz.h"

enum { COUNTERS = 512 }; /* of one input */

static bool understood;

bool
fuzz_understood(void)
{
	return understood;
}

/* The next counter: near the highest, or anywhere. */
static uint64_t
choose(const uint8_t **data, size_t *size, uint64_t highest)
{
	size_t len = *size < 8 ? *size : 8;
	uint64_t counter = 0;
	uint8_t how = **data;

	if (how != 0xff || len < 2) {
		++*data;
		--*size;
		/* 64 back is too old, 65 ahead pushes all out. */
		return highest + how - 100;
	}
	memcpy(&counter, *data + 1, len - 1);
	*data += len;
	*size -= len;
	return counter;
}

/* What the window must say, found out in another way. */
static bool
is_new(const uint64_t *taken, size_t count, uint64_t highest, uint64_t counter)
{
	for (size_t i = 0; i < count; i++)
		if (taken[i] == counter)
			return false;
	return counter != 0 &&
	    (counter > highest || highest - counter < BEACON_WINDOW);
}

static void
check_window(const uint8_t *data, size_t size)
{
	static uint64_t taken[COUNTERS];
	struct beacon_window window = {0};
	uint64_t highest = 0, counter;
	size_t count = 0;
	bool new;

	for (int i = 0; i < COUNTERS && size > 0; i++) {
		counter = choose(&data, &size, highest);
		new = is_new(taken, count, highest, counter);
		CLAIM(beacon_take(&window, counter) == new);
		if (!new)
			continue;
		taken[count++] = counter;
		if (counter > highest)
			highest = counter;
		CLAIM(window.highest == highest);
	}
	if (count > 1)
		understood = true;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const uint8_t key[BEACON_KEY_LEN] = {1};
	static struct beacon_mac *mac;
	uint8_t out[BEACON_LEN];
	struct beacon beacon;

	understood = false;
	check_window(data, size);
	if (mac == NULL)
		CLAIM((mac = beacon_mac_new()) != NULL);
	if (!beacon_decode(data, size, &beacon))
		return 0;
	understood = true;
	CLAIM(size == BEACON_LEN && beacon.id != 0);
	CLAIM(beacon.mail >= 0 && beacon.room >= 0);
	CLAIM(beacon_id(data) == beacon.id);
	CLAIM(beacon_encode(mac, key, &beacon, out));
	CLAIM(memcmp(out, data, BEACON_MAC_AT) == 0);
	CLAIM(beacon_verify(mac, key, out));
	CLAIM(beacon_verify(mac, key, data) ==
	    (memcmp(out, data, BEACON_LEN) == 0));
	return 0;
}
