/* SPDX-License-Identifier: ISC */
/*
 * A real store for a harness, its keeper, and people who never are there but
 * as they are told: bob and carol have sessions, a private link, and a
 * question for another one; mallory has an account.  stage_begin() has all
 * of it as it was: an input finds nothing of the one before.
 */
#ifndef STORE_STAGE_H
#define STORE_STAGE_H

#include "chatd/store/state.h"

#define PASSWORD "secret"
#define HASH "hash-of-" /* of all whose password that is, and something */
#define HASH_OTHERS "others"
#define NEVER_SAID "for the eyes of bob alone"
#define BOBS_HOST "198.51.100.1"
#define MALLORYS_HOST "203.0.113.9"
#define INVITE "0000-0000-0000-0000-0000-0000-0001" /* given to mallory */

enum {
	MALLORY = 1, /* who has an account, and the password */
	BOB,
	CAROL,
	/* Where their mailboxes begin, so that numbers tell whose they are. */
	BOBS_MAIL = 100000,
	CAROLS_MAIL = 200000,
	PLACES = 2, /* from which datagrams come */
};

struct stage {
	struct store store;
	int keeper; /* the keeper's end */
	char token[WIRE_TOKEN_LEN + 1]; /* of bob's session */
	char question[WIRE_REQUEST_LEN + 1]; /* carol's to bob */
	char link[WIRE_REQUEST_LEN + 1]; /* of bob and carol, and its pass */
	char pass[WIRE_TOKEN_LEN + 1];
	struct ipc_peer peer[CAROL + 1]; /* of each */
	struct ipc_beacon beacon; /* bob's */
	int place[PLACES]; /* sockets */
	uint16_t port[PLACES];
};

/* The one that there is, as it was; registration as said. */
struct stage *stage_begin(int registration);

/* Takes what waits, and does not wait for more. */
void stage_turn(void);

/* A channel from that host; the other end's descriptor. */
int stage_channel(uint32_t number, const char *host);

/* Sends a datagram from a place to the beacon. */
void stage_datagram(int place, const void *data, size_t len);

/* The one number that a query gives, of a user, a number and a text. */
int64_t stage_number(
    const char *query, int64_t user, int64_t after, const char *text);

/* Claims that bob and carol are as they were. */
void stage_check(void);

#endif
