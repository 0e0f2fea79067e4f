/* SPDX-License-Identifier: ISC */
/*
 * A client that waits for knocks: one session's beacon as a client uses it.
 */
#ifndef BENCH_KNOCK_H
#define BENCH_KNOCK_H

#include <stdbool.h>
#include <stdint.h>

#include "identity.h"

struct ear {
	struct identity identity;
	struct beacon_mac *mac;
	struct beacon_window window;
	uint64_t counter, echo;
	int sock;
};

/* Proves its address to the centre on that port; false after a complaint. */
bool ear_open(struct ear *ear, const struct identity *identity, uint16_t port);
void ear_close(struct ear *ear);
/* Waits for a knock for at most ms; false if none came. */
bool ear_hears(struct ear *ear, int ms);

#endif
