/* SPDX-License-Identifier: ISC */
/*
 * Who the sessions of the benchmark are: beacons made of the run's secret
 * and a number, so that whoever writes a database and whoever speaks for the
 * sessions need not tell each other a million keys.
 */
#ifndef BENCH_IDENTITY_H
#define BENCH_IDENTITY_H

#include <stddef.h>
#include <stdint.h>

#include "lib/beacon.h"

struct identity {
	uint64_t id;
	struct beacon_keys keys;
};

void identity_make(const char *secret, int number, struct identity *out);

/* Numbers from 0 on in an order that is always the same; free it.  NULL: no
 * memory. */
int *identity_shuffled(int count);

/* Where a beacon is in an array of them: a table from ids to numbers. */
struct directory {
	uint32_t *slots; /* number + 1; 0: free */
	size_t mask;
	const char *first; /* of the array; its structs begin with the id */
	size_t size; /* of each of them */
};

/* -1 if there is no memory.  The array must stay where it is. */
int directory_make(
    struct directory *directory, int count, const void *first, size_t size);
void directory_release(struct directory *directory);
/* Takes in a number whose struct has its id. */
void directory_add(struct directory *directory, int number);
/* The number, or -1. */
int directory_find(const struct directory *directory, uint64_t id);

#endif
