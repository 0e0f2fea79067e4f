/* SPDX-License-Identifier: ISC */
/*
 * The beacon's sockets in the store: datagrams come in and go out in batches,
 * a bounded number in a turn, so that neither they nor the workers starve.
 * Knows addresses, not what a datagram says.
 */
#ifndef CHATD_PORT_H
#define CHATD_PORT_H

#include "chatd/store/session.h"

enum {
	PORT_TURN = 256, /* datagrams that one turn takes */
	PORT_OUT = 1024, /* that wait for its commit */
};

struct store;
struct ports;

/* A datagram that has come; data is valid during the call only. */
struct arrival {
	struct beacon_path path;
	const uint8_t *data;
	size_t len;
};

/*
 * Watches these sockets, which stay the caller's, in the store's loop.  NULL
 * if there is no memory.  What comes is given to answer_beacon().
 */
struct ports *ports_new(struct store *store, const int *fds, size_t count);
void ports_free(struct ports *ports);

/* True if nothing more can be posted before ports_flush(). */
bool ports_full(const struct ports *ports);

/* Holds a datagram back until ports_flush(). */
void port_post(struct ports *ports, const struct beacon_path *path,
    const uint8_t data[BEACON_LEN]);

/* After the commit: sends what was held back; a new turn begins. */
void ports_flush(struct ports *ports);

#endif
