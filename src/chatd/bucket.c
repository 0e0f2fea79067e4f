/* SPDX-License-Identifier: ISC */
/*
 * Token buckets, kept as the time at which each is full again.  Used by
 * master and store; knows no clock and no table.
 */
#include "chatd/bucket.h"

enum { SECOND_US = 1000000 };

/* What one token takes to come back. */
static int64_t
token_us(struct bucket_size size)
{
	return SECOND_US / size.rate;
}

/* Microseconds until there is a token. */
static int64_t
lacking(const struct bucket *bucket, struct bucket_size size, int64_t now)
{
	int64_t room = (size.burst - 1) * token_us(size);

	return bucket->full - now * 1000 - room;
}

bool
bucket_take(struct bucket *bucket, struct bucket_size size, int64_t now)
{
	if (size.rate <= 0)
		return true;
	if (lacking(bucket, size, now) > 0)
		return false;
	bucket_charge(bucket, size, 1, now);
	return true;
}

void
bucket_charge(
    struct bucket *bucket, struct bucket_size size, int tokens, int64_t now)
{
	if (size.rate <= 0)
		return;
	if (bucket->full < now * 1000)
		bucket->full = now * 1000;
	bucket->full += tokens * token_us(size);
}

void
bucket_refund(struct bucket *bucket, struct bucket_size size)
{
	if (size.rate > 0)
		bucket->full -= token_us(size);
}

int
bucket_wait(const struct bucket *bucket, struct bucket_size size, int64_t now)
{
	int64_t left;

	if (size.rate <= 0)
		return 0;
	left = lacking(bucket, size, now);
	return left > 0 ? (int)((left + SECOND_US - 1) / SECOND_US) : 0;
}
