/* SPDX-License-Identifier: ISC */
/*
 * What the parts of the benchmark share: one function for each table.
 */
#ifndef BENCH_BENCH_H
#define BENCH_BENCH_H

#include <openssl/ssl.h>

#include "centre.h"
#include "load.h"
#include "report.h"

struct bench {
	struct ground ground;
	struct report report;
	SSL_CTX *tls; /* the clients', which trusts the centre's authority */
	int ms; /* for each measurement */
	int sessions; /* that the beacon is to hold */
	bool quick; /* see that it runs, measure nothing */
};

/* Each prints its lines; -1 after a complaint. */
int bench_live(struct bench *bench);
int bench_send(struct bench *bench);
int bench_delay(struct bench *bench);
int bench_memory(struct bench *bench);
int bench_fork(struct bench *bench);
int bench_beacon(struct bench *bench);
int bench_knock(struct bench *bench);
int bench_hostile(struct bench *bench);
int bench_herd(struct bench *bench);
int bench_flood(struct bench *bench);
int bench_login(struct bench *bench);

#endif
