/* SPDX-License-Identifier: ISC */
/*
 * What the benchmark's parts about the beacon share.
 */
#ifndef BENCH_BEACON_H
#define BENCH_BEACON_H

#include "bench.h"
#include "swarm.h"

enum {
	BEACON_HEARTBEAT = 30, /* as the centre's configuration has it */
	BEACON_TIMEOUT = 90,
};

/* The sessions that centre_make() wrote; NULL after a complaint. */
struct swarm *beacon_swarm(
    const struct bench *bench, int sessions, uint16_t port);

/* All processes of a centre, seconds of CPU; -1 after a complaint. */
double beacon_cpu(const struct centre *centre);

/* How busy the machine is with everything, as the kernel counts it. */
double beacon_load(void);

#endif
