/* SPDX-License-Identifier: ISC */
/*
 * Many logged-in sessions in one process: real, authenticated LIVEs from
 * many addresses and ports of the loopback network, at a steady rate and
 * each session in its turn; every answer is checked as a client does.
 */
#ifndef BENCH_SWARM_H
#define BENCH_SWARM_H

#include <stdbool.h>
#include <stdint.h>

#include "identity.h"

/* What became of the datagrams; all of them since the swarm was made. */
struct swarm_count {
	long sent; /* LIVEs, repeated ones too */
	long heads, checks, knocks; /* that were right */
	long again; /* LIVEs that no answer came to within 1 s */
	long lost; /* three of them in a row */
	long bad; /* datagrams that were none of the centre's, or came twice */
	long refused; /* that the system did not take */
	int64_t slowest; /* answer, nanoseconds */
};

struct swarm;

/* Told of every datagram that was right. */
typedef void swarm_fn(void *arg, int number, const struct beacon *beacon);

/*
 * Sessions for that port of 127.0.0.1, whose beacons swarm_set() tells before
 * the first run, on that many sockets.  NULL after a complaint.
 */
struct swarm *swarm_new(int sessions, int sockets, uint16_t port);
void swarm_free(struct swarm *swarm);
void swarm_set(
    struct swarm *swarm, int number, const struct identity *identity);
void swarm_listen(struct swarm *swarm, swarm_fn *fn, void *arg);

/*
 * Speaks for all in turn, so many LIVEs a second, for that long; goes on
 * where the last run ended, and waits for the last answers.  0, or -1 after
 * a complaint.
 */
int swarm_run(struct swarm *swarm, double rate, int64_t ms);
const struct swarm_count *swarm_count(const struct swarm *swarm);

/* How many have had an answer to their LIVE, and not lost one since. */
int swarm_alive(const struct swarm *swarm);

/* The last LIVE of a session once more, to the octet, for those who would. */
void swarm_replay(const struct swarm *swarm, int number, uint8_t *out);

#endif
