/* SPDX-License-Identifier: ISC */
/*
 * The beacon's datagram.  The store and the client's agent run this on what
 * anybody may have sent; it must never allocate for a datagram, keep a key,
 * or take longer for a code that is nearly right.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/crypto.h>
#include <openssl/evp.h>

#include "lib/beacon.h"

enum {
	BEACON_VERSION = 1,
	HASH_LEN = 32, /* SHA-256 */
	BLOCK_LEN = 64,
	ID_AT = 4,
	COUNTER_AT = 12,
	MAIL_AT = 20,
	ROOM_AT = 28,
	ECHO_AT = 36,
};

struct beacon_mac {
	EVP_MD *md;
	EVP_MD_CTX *ctx;
};

static void
put64(uint8_t *at, uint64_t value)
{
	for (int i = 7; i >= 0; i--) {
		at[i] = (uint8_t)value;
		value >>= 8;
	}
}

static uint64_t
get64(const uint8_t *at)
{
	uint64_t value = 0;

	for (int i = 0; i < 8; i++)
		value = value << 8 | at[i];
	return value;
}

void
beacon_context(uint64_t id, uint8_t out[BEACON_CONTEXT_LEN])
{
	put64(out, id);
}

void
beacon_id_text(uint64_t id, char out[BEACON_ID_TEXT + 1])
{
	snprintf(out, BEACON_ID_TEXT + 1, "%016" PRIx64, id);
}

bool
beacon_id_parse(const char *text, uint64_t *id)
{
	uint64_t value = 0;

	for (int i = 0; i < BEACON_ID_TEXT; i++) {
		static const char digits[] = "0123456789abcdef";
		const char *digit =
		    text[i] != '\0' ? strchr(digits, text[i]) : NULL;

		if (digit == NULL)
			return false;
		value = value << 4 | (uint64_t)(digit - digits);
	}
	if (text[BEACON_ID_TEXT] != '\0' || value == 0)
		return false;
	*id = value;
	return true;
}

struct beacon_mac *
beacon_mac_new(void)
{
	struct beacon_mac *mac = calloc(1, sizeof(*mac));

	if (mac == NULL)
		return NULL;
	mac->md = EVP_MD_fetch(NULL, "SHA256", NULL);
	mac->ctx = EVP_MD_CTX_new();
	if (mac->md != NULL && mac->ctx != NULL)
		return mac;
	beacon_mac_free(mac);
	return NULL;
}

void
beacon_mac_free(struct beacon_mac *mac)
{
	if (mac == NULL)
		return;
	EVP_MD_CTX_free(mac->ctx);
	EVP_MD_free(mac->md);
	free(mac);
}

static bool
hash(struct beacon_mac *mac, const uint8_t *data, size_t len,
    uint8_t out[HASH_LEN])
{
	return EVP_DigestInit_ex2(mac->ctx, mac->md, NULL) == 1 &&
	    EVP_DigestUpdate(mac->ctx, data, len) == 1 &&
	    EVP_DigestFinal_ex(mac->ctx, out, NULL) == 1;
}

/*
 * HMAC-SHA256 of what stands before the code.  Two plain hashes over one
 * buffer are five times as fast as HMAC(), and need no state for each key.
 */
static bool
code(struct beacon_mac *mac, const uint8_t key[BEACON_KEY_LEN],
    const uint8_t *data, uint8_t out[HASH_LEN])
{
	uint8_t block[BLOCK_LEN + BEACON_MAC_AT];
	bool done;

	memset(block, 0x36, BLOCK_LEN);
	for (int i = 0; i < BEACON_KEY_LEN; i++)
		block[i] ^= key[i];
	memcpy(block + BLOCK_LEN, data, BEACON_MAC_AT);
	done = hash(mac, block, sizeof(block), out);
	for (int i = 0; i < BLOCK_LEN; i++)
		block[i] ^= 0x36 ^ 0x5c;
	memcpy(block + BLOCK_LEN, out, HASH_LEN);
	done = done && hash(mac, block, BLOCK_LEN + HASH_LEN, out);
	OPENSSL_cleanse(block, BEACON_KEY_LEN);
	return done;
}

bool
beacon_encode(struct beacon_mac *mac, const uint8_t key[BEACON_KEY_LEN],
    const struct beacon *beacon, uint8_t out[BEACON_LEN])
{
	uint8_t full[HASH_LEN];

	out[0] = 'C';
	out[1] = 'B';
	out[2] = BEACON_VERSION;
	out[3] = (uint8_t)beacon->type;
	put64(out + ID_AT, beacon->id);
	put64(out + COUNTER_AT, beacon->counter);
	put64(out + MAIL_AT, (uint64_t)beacon->mail);
	put64(out + ROOM_AT, (uint64_t)beacon->room);
	put64(out + ECHO_AT, beacon->echo);
	if (!code(mac, key, out, full))
		return false;
	memcpy(out + BEACON_MAC_AT, full, BEACON_MAC_LEN);
	return true;
}

bool
beacon_decode(const void *data, size_t len, struct beacon *out)
{
	const uint8_t *at = data;

	if (len != BEACON_LEN || at[0] != 'C' || at[1] != 'B' ||
	    at[2] != BEACON_VERSION || at[3] < BEACON_LIVE ||
	    at[3] > BEACON_CHECK)
		return false;
	out->type = (enum beacon_type)at[3];
	out->id = get64(at + ID_AT);
	out->counter = get64(at + COUNTER_AT);
	out->mail = (int64_t)get64(at + MAIL_AT);
	out->room = (int64_t)get64(at + ROOM_AT);
	out->echo = get64(at + ECHO_AT);
	return out->id != 0 && out->mail >= 0 && out->room >= 0;
}

uint64_t
beacon_id(const uint8_t datagram[BEACON_LEN])
{
	return get64(datagram + ID_AT);
}

bool
beacon_verify(struct beacon_mac *mac, const uint8_t key[BEACON_KEY_LEN],
    const uint8_t datagram[BEACON_LEN])
{
	uint8_t full[HASH_LEN];

	return code(mac, key, datagram, full) &&
	    CRYPTO_memcmp(full, datagram + BEACON_MAC_AT, BEACON_MAC_LEN) == 0;
}

bool
beacon_take(struct beacon_window *window, uint64_t counter)
{
	uint64_t back, bit;

	if (counter > window->highest) {
		uint64_t on = counter - window->highest;

		window->taken = on < BEACON_WINDOW ? window->taken << on : 0;
		window->taken |= 1;
		window->highest = counter;
		return true;
	}
	back = window->highest - counter;
	if (counter == 0 || back >= BEACON_WINDOW)
		return false;
	bit = UINT64_C(1) << back;
	if (window->taken & bit)
		return false;
	window->taken |= bit;
	return true;
}

uint64_t
beacon_centre_counter(uint32_t generation, uint32_t n)
{
	return (uint64_t)generation << 32 | n;
}

bool
beacon_count(struct beacon_counters *counters, uint64_t *counter)
{
	if (counters->next >= counters->end)
		return false;
	if (counters->next == 0)
		counters->next = 1;
	*counter = counters->next++;
	return true;
}

uint64_t
beacon_reserve(const struct beacon_counters *counters)
{
	return counters->end + BEACON_RESERVE;
}

void
beacon_reserved(struct beacon_counters *counters)
{
	counters->end = beacon_reserve(counters);
}

uint64_t
beacon_echo(struct beacon_mac *mac, const uint8_t secret[BEACON_SECRET_LEN],
    uint64_t id, const uint8_t place[BEACON_PLACE_LEN])
{
	/* Always the same length, and cut: so the plain hash is a code. */
	uint8_t data[BEACON_SECRET_LEN + 8 + BEACON_PLACE_LEN];
	uint8_t full[HASH_LEN];

	memcpy(data, secret, BEACON_SECRET_LEN);
	put64(data + BEACON_SECRET_LEN, id);
	memcpy(data + BEACON_SECRET_LEN + 8, place, BEACON_PLACE_LEN);
	if (!hash(mac, data, sizeof(data), full))
		return 0;
	/* Who never got one sends 0: that must not be right by chance. */
	return get64(full) | 1;
}
