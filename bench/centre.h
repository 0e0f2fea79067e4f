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
	char chatd[BENCH_PATH_LEN];
	char floor[BENCH_PATH_LEN], floor_beacon[BENCH_PATH_LEN];
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
	double made, started; /* seconds: for the database, until ready */
};

/* What kind of centre it is to be. */
struct centre_plan {
	const char *name; /* of its directory */
	int users; /* who are logged in, with beacons: numbers from 0 on */
	int guests; /* who are not, and have a password: the next numbers */
	bool cheap; /* their passwords cost little to check */
	int heartbeat, timeout; /* seconds; 0: an hour, a day */
	bool passwords; /* the users have the guests' one, too */
	int attempts; /* until a name is locked, for a day; 0: three, a minute */
	bool open; /* stands in the open: its limits hold, for loopback too */
};

/* The guests' password. */
#define CENTRE_PASSWORD "benchmark password"

/*
 * Writes the database that a centre with these sessions would have left
 * behind, through the centre's own code, and starts it.  -1 after a
 * complaint; centre_stop() in any case.
 */
int centre_make(struct centre *centre, const struct ground *ground,
    const struct centre_plan *plan);
/* That many users, all logged in, who may be silent. */
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

/*
 * A metric as chatctl(8) lists it, without its "chatd_", with its labels;
 * -1 if the store does not say.
 */
int64_t centre_metric(const struct centre *centre, const char *name);

struct floor {
	pid_t pid;
	uint16_t port;
};

int floor_start(struct floor *floor, const struct ground *ground);
/* The floor of the beacon, with the keys of that many users. */
int floor_start_beacon(
    struct floor *floor, const struct ground *ground, int users);
int floor_stop(struct floor *floor);

#endif
