/* SPDX-License-Identifier: ISC */
/*
 * A centre's daily life beside what is measured: somebody who sends, now and
 * then, and people who log in.  Processes of their own.
 */
#ifndef BENCH_BUSY_H
#define BENCH_BUSY_H

#include <stdint.h>
#include <sys/types.h>

#include "bench.h"

enum { BUSY_SENDS = 16384 };

struct busy_result {
	double took[BUSY_SENDS]; /* microseconds, connection included */
	long sends, logins;
};

struct busy {
	pid_t sender, visitor;
	struct busy_result *result; /* whole after busy_end() */
};

struct busy_plan {
	uint16_t port;
	int users; /* who send to each other */
	int guests; /* the numbers after them, who log in; 0: nobody */
	int logins; /* a second */
	int64_t ms;
};

/* -1 after a complaint; busy_end() in any case. */
int busy_begin(
    struct busy *busy, const struct bench *bench, const struct busy_plan *plan);
/* Waits until the time is over; -1 after a complaint. */
int busy_end(struct busy *busy);
void busy_release(struct busy *busy);

#endif
