/* SPDX-License-Identifier: ISC */
/*
 * The link to the centre: one short TLS connection for each exchange, made
 * by a courier thread, so that the agent's loop never waits for a name
 * server or a peer.  The courier keeps no state and logs nothing.
 */
#ifndef CHAT_AGENT_CENTRE_H
#define CHAT_AGENT_CENTRE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <netinet/in.h>
#include <sys/socket.h>

#include <jansson.h>

#include "chat/agent/trust.h"
#include "lib/beacon.h"
#include "lib/loop.h"

enum {
	/*
	 * Requests of one exchange are written before the first reply is
	 * read, so both must fit into what the kernel buffers.
	 */
	CENTRE_REQUESTS_MAX = 64,
	CENTRE_OCTETS_MAX = 65536,
	CENTRE_WHY_LEN = 512,
};

enum centre_status {
	CENTRE_OK, /* every request was answered */
	CENTRE_UNREACHABLE, /* no connection: nothing was sent */
	CENTRE_UNTRUSTED, /* not the right centre: nothing was sent */
	CENTRE_BROKEN, /* it ended, or was not understood, before the last */
};

/* Where the centre is: the address that a connection was made to. */
struct centre_place {
	union {
		struct sockaddr any;
		struct sockaddr_in v4;
		struct sockaddr_in6 v6;
	};
	socklen_t len; /* 0: not known */
};

/* Requests in order, and what came back. */
struct centre_exchange {
	bool login; /* the first request is one: export the beacon's keys */
	char *out;
	size_t out_len;
	int count;
	uint32_t tag; /* of the first request; each has the next */

	enum centre_status status;
	char why[CENTRE_WHY_LEN]; /* unless CENTRE_OK */
	struct trust_result trust;
	struct centre_place peer;
	uint64_t beacon; /* that of the login's reply; 0: none */
	struct beacon_keys keys; /* of this connection, where there is one */
	json_t *replies[CENTRE_REQUESTS_MAX + 1];
	int got;
};

struct centre;

/*
 * Starts the courier.  The strings of host and trust must outlive it.
 * done gets every exchange back, in the loop, and frees it; an exchange that
 * it starts at once goes over the same connection.  NULL with why.
 */
struct centre *centre_new(struct loop *loop, const char *host, int port,
    int family, const struct trust *trust,
    void (*done)(void *arg, struct centre_exchange *exchange), void *arg,
    char why[CENTRE_WHY_LEN]);

/*
 * The same without a courier, for a process that may wait: no loop, and the
 * connection stays open for the next exchange while it may be used.
 */
struct centre *centre_alone(const char *host, int port, int family,
    const struct trust *trust, char why[CENTRE_WHY_LEN]);
void centre_converse(struct centre *centre, struct centre_exchange *exchange);
/* True if that many requests would take a new connection. */
bool centre_fresh(struct centre *centre, int count);
void centre_hang_up(struct centre *centre);

struct centre_exchange *centre_exchange_new(void);
void centre_exchange_free(struct centre_exchange *exchange);

/* False if the request, which gets a tag, does not fit any more. */
bool centre_add(struct centre_exchange *exchange, json_t *request);

/* Hands the exchange over; only one can be under way. */
void centre_start(struct centre *centre, struct centre_exchange *exchange);
bool centre_busy(const struct centre *centre);

/*
 * What trust points at has changed, while no exchange was under way: the next
 * one takes a new connection and is judged by that.  -1 with why.
 */
int centre_trust(struct centre *centre, char why[CENTRE_WHY_LEN]);

#endif
