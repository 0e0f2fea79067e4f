/* SPDX-License-Identifier: ISC */
/*
 * The beacon's datagram, chat-protocol(7): its 60 octets, what authenticates
 * them, the window against replay, the counters of both ends, the echo that
 * proves an address.  Pure: knows no socket, no clock, no disk.
 */
#ifndef LIB_BEACON_H
#define LIB_BEACON_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
	BEACON_LEN = 60,
	BEACON_MAC_LEN = 16, /* HMAC-SHA256, truncated (RFC 2104) */
	BEACON_MAC_AT = BEACON_LEN - BEACON_MAC_LEN,
	BEACON_KEY_LEN = 32,
	BEACON_CONTEXT_LEN = 8, /* the id as it goes over the wire */
	BEACON_ID_TEXT = 16, /* the id in a login's reply: so many digits */
	BEACON_WINDOW = 64, /* counters that may come out of order */
	BEACON_RESERVE = 1024, /* counters that a client reserves at once */
	BEACON_SECRET_LEN = 16, /* what echoes are made with */
	BEACON_PLACE_LEN = 20, /* an address as an echo sees it */
};

/* Of the exporter of the login's connection (RFC 8446, 7.5). */
#define BEACON_LABEL "EXPORTER-chat-beacon-1"

enum beacon_type {
	BEACON_LIVE = 1, /* client: still here; answered by HEADS or CHECK */
	BEACON_HEADS, /* centre: where both logs are */
	BEACON_KNOCK, /* centre, unasked: something is newer */
	BEACON_CHECK, /* centre: not counted; say it again with this echo */
};

struct beacon {
	enum beacon_type type;
	uint64_t id; /* never 0 */
	uint64_t counter;
	int64_t mail, room; /* in LIVE the client's cursors, else the heads */
	uint64_t echo;
};

/* The 64 octets of the exporter, as they come. */
struct beacon_keys {
	uint8_t client[BEACON_KEY_LEN]; /* client to centre */
	uint8_t centre[BEACON_KEY_LEN]; /* centre to client */
};

/* What the exporter's context is. */
void beacon_context(uint64_t id, uint8_t out[BEACON_CONTEXT_LEN]);

/* The id as text, and back: false unless it is what the first writes. */
void beacon_id_text(uint64_t id, char out[BEACON_ID_TEXT + 1]);
bool beacon_id_parse(const char *text, uint64_t *id);

/*
 * What makes and checks codes: a working space that is used again and again,
 * by one thread at a time.  NULL if there is no memory.
 */
struct beacon_mac *beacon_mac_new(void);
void beacon_mac_free(struct beacon_mac *mac);

/* Writes the datagram with its code; false if OpenSSL would not. */
bool beacon_encode(struct beacon_mac *mac, const uint8_t key[BEACON_KEY_LEN],
    const struct beacon *beacon, uint8_t out[BEACON_LEN]);

/*
 * Takes a datagram apart that may be anything at all.  False if it has the
 * wrong length, is of no type or version that is known here, has no id, or
 * a head that is no number of a log.  Its code has NOT been checked.
 */
bool beacon_decode(const void *data, size_t len, struct beacon *out);

/* The id that it claims, of BEACON_LEN octets that may be anything. */
uint64_t beacon_id(const uint8_t datagram[BEACON_LEN]);

/* True, in constant time, if the code is the key's. */
bool beacon_verify(struct beacon_mac *mac, const uint8_t key[BEACON_KEY_LEN],
    const uint8_t datagram[BEACON_LEN]);

/*
 * Which counters were taken: the highest, and which of the 64 from there
 * down.  All zero: none; 0 is never a counter.
 */
struct beacon_window {
	uint64_t highest;
	uint64_t taken; /* bit n: highest - n */
};

/*
 * Takes a counter: false if it was taken before or is too old to know.
 * Only for what beacon_verify() has let pass.
 */
bool beacon_take(struct beacon_window *window, uint64_t counter);

/* The centre's counter: its generation, and the n-th to this session. */
uint64_t beacon_centre_counter(uint32_t generation, uint32_t n);

/*
 * A client's counters.  Those below end are reserved, which is on its disk
 * before one of them is used; next is the one to use.  After a restart both
 * are what the disk says.  All zero is a fresh one.
 */
struct beacon_counters {
	uint64_t next, end;
};

/* The next counter; false if a block must be reserved first. */
bool beacon_count(struct beacon_counters *counters, uint64_t *counter);
/* What end is after a reservation: to be written before beacon_reserved(). */
uint64_t beacon_reserve(const struct beacon_counters *counters);
void beacon_reserved(struct beacon_counters *counters);

/*
 * The centre's echo for this session at this place (an address and a port,
 * in any fixed form).  The secret is of one generation.  0 is no echo.
 */
uint64_t beacon_echo(struct beacon_mac *mac,
    const uint8_t secret[BEACON_SECRET_LEN], uint64_t id,
    const uint8_t place[BEACON_PLACE_LEN]);

#endif
