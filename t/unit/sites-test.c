/* SPDX-License-Identifier: ISC */
/*
 * Token buckets, and the bounded table of sites: found by address (IPv6 by
 * /64), the one used longest ago gives way, however many come.
 */
#include <arpa/inet.h>
#include <stdlib.h>

#include "chatd/bucket.h"
#include "chatd/sites.h"
#include "tap.h"

static struct ipc_address
address(const char *text, uint16_t port)
{
	struct ipc_address out = {.port = port};

	out.family = strchr(text, ':') ? AF_INET6 : AF_INET;
	inet_pton(out.family, text, out.ip);
	return out;
}

static struct ipc_address
numbered(uint32_t number)
{
	struct ipc_address out = {.family = AF_INET};

	memcpy(out.ip, &number, sizeof(number));
	return out;
}

static void
test_bucket(void)
{
	const struct bucket_size size = {20, 60}, none = {0, 0};
	struct bucket bucket = {0};
	const int64_t now = 1000000;
	int taken = 0;

	while (bucket_take(&bucket, size, now) && taken < 1000)
		taken++;
	is_number(taken, 60, "a full bucket holds its burst");
	is_number(bucket_wait(&bucket, size, now), 1, "then it takes a second");
	ok(!bucket_take(&bucket, size, now + 49), "nothing after 49 ms");
	ok(bucket_take(&bucket, size, now + 50), "one after 50 ms");
	ok(!bucket_take(&bucket, size, now + 51), "but one only");
	bucket_refund(&bucket, size);
	ok(bucket_take(&bucket, size, now + 51), "one that was put back");
	for (taken = 0; bucket_take(&bucket, size, now + 2050); taken++)
		;
	is_number(taken, 40, "twenty a second come back");
	for (taken = 0; bucket_take(&bucket, size, now + 3600000); taken++)
		;
	is_number(taken, 60, "an hour later it holds no more than its burst");
	is_number(bucket_wait(&bucket, size, now + 4000000), 0, "no wait");
	for (taken = 0; taken < 10000; taken++)
		if (!bucket_take(&bucket, none, now))
			break;
	is_number(taken, 10000, "without a rate it is never empty");
}

static void
test_sites(void)
{
	struct ipc_address a = address("192.0.2.1", 1);
	struct ipc_address a9 = address("192.0.2.1", 9);
	struct ipc_address b = address("192.0.2.2", 1);
	struct ipc_address c = address("2001:db8:0:1::1", 1);
	struct ipc_address d = address("2001:db8:0:1:ffff::2", 1);
	struct ipc_address e = address("2001:db8:0:2::1", 1);
	struct sites *sites = sites_new(4, sizeof(int));
	int *at;

	ok(sites_count(sites) == 0 && !sites_find(sites, &a), "an empty table");
	at = sites_get(sites, &a);
	ok(*at == 0, "what is made is zero");
	*at = 7;
	ok(sites_find(sites, &a9) == at, "whatever the port");
	ok(!sites_find(sites, &b), "another address is another site");
	at = sites_get(sites, &c);
	ok(sites_find(sites, &d) == at && !sites_find(sites, &e),
	    "IPv6 by /64");
	sites_get(sites, &b);
	sites_get(sites, &e);
	/* Used again, a is no longer the oldest: c is. */
	sites_get(sites, &a);
	*at = 5;
	at = sites_get(sites, (struct ipc_address[]){numbered(99)});
	ok(*at == 0 && !sites_find(sites, &c) && sites_count(sites) == 4,
	    "the one used longest ago gave way");
	at = sites_find(sites, &a);
	ok(at && *at == 7, "what was used is still there");
	sites_free(sites);
}

/* Far more than it holds: bounded, whole, and the newest are there. */
static void
test_many(void)
{
	enum { MANY = 300000 };
	struct sites *sites = sites_new(SITES_MAX, sizeof(uint32_t));
	int lost = 0, stayed = 0, wrong = 0;

	for (uint32_t i = 0; i < MANY; i++) {
		struct ipc_address at = numbered(i);

		*(uint32_t *)sites_get(sites, &at) = i;
	}
	for (uint32_t i = 0; i < MANY; i++) {
		struct ipc_address at = numbered(i);
		const uint32_t *kept = sites_find(sites, &at);

		if (i < MANY - SITES_MAX)
			stayed += kept != NULL;
		else if (!kept)
			lost++;
		else
			wrong += *kept != i;
	}
	ok(sites_count(sites) == SITES_MAX, "65,536 at most");
	ok(stayed == 0 && lost == 0 && wrong == 0, "the newest of them");
	sites_free(sites);
}

int
main(void)
{
	test_bucket();
	test_sites();
	test_many();
	return done();
}
