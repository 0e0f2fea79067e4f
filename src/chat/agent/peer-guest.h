/* SPDX-License-Identifier: ISC */
/*
 * Those who are connected to the listener of private links: where they come
 * from, how many there are, and who gives way when there are too many.
 */
#ifndef CHAT_AGENT_PEER_GUEST_H
#define CHAT_AGENT_PEER_GUEST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <netinet/in.h>
#include <sys/socket.h>

#include "chat/agent/peer.h"
#include "lib/loop.h"
#include "lib/tls.h"

enum {
	GUEST_WHERE_LEN = INET6_ADDRSTRLEN + 16, /* brackets and a port */
	GUEST_CHARGES = 256, /* addresses that are remembered */
	GUEST_CHARGE_MAX = 32, /* handshakes of one that prove nothing */
	GUEST_CHARGE_MS = 10000, /* in so long */
};

/* Where somebody comes from. */
struct guest_place {
	struct in6_addr address; /* IPv4 as ::ffff:0:0/96 */
	struct in6_addr key; /* who is counted as one: IPv6 by /64 */
	int port;
};

enum guest_state { GUEST_SHAKING, GUEST_READING, GUEST_WRITING, GUEST_LEAVING };

struct guest {
	struct guest *next; /* who came later */
	struct peer_listener *listener;
	struct tls_conn conn;
	struct loop_watch watch;
	struct loop_timer timer, again;
	struct guest_place place;
	char where[GUEST_WHERE_LEN];
	char pin[TLS_PIN_LEN + 1];
	enum guest_state state;
	int64_t since;
	char *out; /* the reply that is being written */
	size_t out_len, out_done;
	int lines; /* that were answered */
	uint64_t heard; /* octets, up to the last line */
	bool charged; /* its address, for the handshake */
	bool proven; /* a pass has allowed a line */
	bool last; /* the reply ends the connection */
	bool gone; /* closed; freed when no handler is run */
};

/* What one address has cost without proving anything. */
struct guest_charge {
	struct in6_addr key;
	int count;
	int64_t since; /* when the first of these came; 0: nobody's */
};

/* In the order in which they came. */
struct guests {
	struct guest *first;
	int count; /* without those that are gone */
	struct guest_charge charges[GUEST_CHARGES];
};

/* Where a socket's other end is. */
void guest_place_set(
    struct guest_place *place, const struct sockaddr_storage *from);

/* 192.0.2.7:40312 or [2001:db8::7]:40312. */
void guest_place_text(
    const struct guest_place *place, char out[GUEST_WHERE_LEN]);

void guests_add(struct guests *guests, struct guest *guest);

/* True if there is no room for one more from there. */
bool guests_full(const struct guests *guests, const struct guest_place *place,
    const struct peer_limits *limits);

/*
 * Who gives way to one from there: the oldest that has proved nothing, from
 * the same address if that has its share, else from the address that has the
 * most of them, so that nobody who comes alone suffers from who comes in
 * crowds.  NULL if all have proved themselves.  Without a place: for nobody.
 */
struct guest *guests_victim(const struct guests *guests,
    const struct guest_place *place, const struct peer_limits *limits);

/*
 * Charges an address for a handshake, which costs more here than there.
 * False if it has had too many that proved nothing; guests_clear() as soon as
 * one does.
 */
bool guests_charge(
    struct guests *guests, const struct guest_place *place, int64_t now);
void guests_clear(struct guests *guests, const struct guest_place *place);

/*
 * A socket that listens on all addresses; port 0: a free one that may be
 * named at a login.  The descriptor and *got, or -1 with errno.
 */
int guest_listen(int family, int port, int *got);

#endif
