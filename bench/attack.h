/* SPDX-License-Identifier: ISC */
/*
 * Somebody who means to fill the house: connections from many addresses of
 * loopback, held for as long as they last.  A process of its own, bounded in
 * time, that ends with the one that started it.
 */
#ifndef BENCH_ATTACK_H
#define BENCH_ATTACK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

struct attack_plan {
	uint16_t port; /* on 127.0.0.1 */
	int rate; /* new connections a second */
	int hold; /* at a time */
	int addresses; /* that they come from: 127.1.0.1 and on */
	const void *greeting; /* what each of them says; NULL: nothing */
	size_t greeting_len;
	int64_t ms;
};

struct attack_result {
	long opened, failed, greeted;
	int held; /* at most, as far as the system let it */
	double seconds, cpu;
};

struct attack {
	pid_t pid;
	struct attack_result *result; /* shared; whole after attack_end() */
};

/* -1 after a complaint; attack_end() in any case. */
int attack_begin(struct attack *attack, const struct attack_plan *plan);
/* Waits for its end; -1 after a complaint. */
int attack_end(struct attack *attack);
void attack_release(struct attack *attack);

/*
 * A socket that will connect from 127.NET.x.y, the number giving the last
 * two; -1 with errno.
 */
int attack_socket(int net, int number, bool blocking);

#endif
