/* SPDX-License-Identifier: ISC */
/*
 * A real centre of the benchmark's own: a directory, a certificate, users
 * who are logged in already, the built chatd; and the floor beside it.
 */
#ifndef BENCH_CENTRE_H
#define BENCH_CENTRE_H

#include <stdint.h>
#include <sys/types.h>

#include "tools.h"
#include "lib/wire.h"

/* Where everything is; made once by ground_make(). */
struct ground {
	char chatd[BENCH_PATH_LEN], floor[BENCH_PATH_LEN];
	char certs[BENCH_PATH_LEN]; /* the scripts */
	char dir[BENCH_PATH_LEN]; /* temporary, removed at the end */
	char secret[33]; /* part of every token of this run */
};

/* Finds the programs, makes the directory below `in` and a certificate. */
int ground_make(struct ground *ground, const char *in);
void ground_remove(const struct ground *ground);

struct centre {
	char dir[BENCH_PATH_LEN];
	pid_t master, store, keeper;
	uint16_t port;
};

/*
 * Makes a centre with that many users, all logged in, in its directory and
 * starts it.  -1 after a complaint; centre_stop() in any case.
 */
int centre_start(struct centre *centre, const struct ground *ground,
    const char *name, int users);
/* Ends it and removes its directory; -1 if it did not end well. */
int centre_stop(struct centre *centre);

/* The names and the tokens of its users, from 0 on. */
void centre_user(int number, char out[NAME_MAX_LEN + 1]);
void centre_token(
    const struct ground *ground, int number, char out[WIRE_TOKEN_LEN + 1]);

/* What all its processes cost so far, workers that have ended included. */
int centre_cost(const struct centre *centre, struct process_cost *cost);

/* Transactions that the store has committed; -1 if it does not say. */
int64_t centre_commits(const struct centre *centre);

struct floor {
	pid_t pid;
	uint16_t port;
};

int floor_start(struct floor *floor, const struct ground *ground);
int floor_stop(struct floor *floor);

#endif
