/* SPDX-License-Identifier: ISC */
/*
 * A token bucket: so many at once, then so many a second.  Pure: the time
 * is passed in; one that is all zero is full.
 */
#ifndef CHATD_BUCKET_H
#define CHATD_BUCKET_H

#include <stdbool.h>
#include <stdint.h>

struct bucket {
	int64_t full; /* monotonic, microseconds: full again from then on */
};

/* How fast it fills, per second, and what it holds; 0: it is never empty. */
struct bucket_size {
	int rate, burst;
};

/* Takes one out; false if there is none.  now in milliseconds. */
bool bucket_take(struct bucket *bucket, struct bucket_size size, int64_t now);

/* Takes so many out, there or not: what is lacking is waited for. */
void bucket_charge(
    struct bucket *bucket, struct bucket_size size, int tokens, int64_t now);

/* Puts one back. */
void bucket_refund(struct bucket *bucket, struct bucket_size size);

/* Seconds until there is one, rounded up; 0 if there is. */
int bucket_wait(
    const struct bucket *bucket, struct bucket_size size, int64_t now);

#endif
