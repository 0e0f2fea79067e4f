/* SPDX-License-Identifier: ISC */
/*
 * A datagram of anybody's: decoded, and, where it means something, encoded to
 * the same octets.  The window takes no counter twice.
 */
#include <string.h>

#include "lib/beacon.h"
#include "fuzz.h"

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const uint8_t key[BEACON_KEY_LEN] = {1};
	static struct beacon_mac *mac;
	uint8_t out[BEACON_LEN];
	struct beacon beacon;

	if (mac == NULL)
		CLAIM((mac = beacon_mac_new()) != NULL);
	if (!beacon_decode(data, size, &beacon))
		return 0;
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
