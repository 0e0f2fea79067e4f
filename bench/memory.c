/* SPDX-License-Identifier: ISC */
/*
 * What a logged-in user costs the store in memory: two centres whose
 * databases hold few and many sessions, and the difference.
 */
#include <stdio.h>

#include "bench.h"

enum {
	FEW = 1000,
	MANY = 100000,
	FEW_QUICK = 100,
	MANY_QUICK = 2000,
	REQUESTS = 100, /* so that what is made on the first use is there */
};

/* The highest number of a session that is asked for, and its token. */
struct asking {
	const struct ground *ground;
	int users;
};

static size_t
live_line(const void *arg, int client, long number, char *out)
{
	const struct asking *asking = arg;
	char token[WIRE_TOKEN_LEN + 1];

	(void)client;
	centre_token(
	    asking->ground, (int)(number * (asking->users / REQUESTS)), token);
	return (size_t)snprintf(out, LOAD_LINE_LEN,
	    "{\"op\":\"live\",\"token\":\"%s\",\"mail\":0,\"room\":0}\n",
	    token);
}

/* A store with that many sessions: its memory when ready and when used. */
static int
one_store(
    struct bench *bench, const struct centre *centre, int users, double *memory)
{
	static const struct report_row ready = {"store_memory_%d_ready",
	    "the store with %d sessions, when ready", "KiB", 0, 0};
	static const struct report_row used = {"store_memory_%d",
	    "the store with %d sessions, after 100 LIVEs", "KiB", 0, 0};
	struct asking asking = {&bench->ground, users};
	struct load_plan plan = {.tls = bench->tls,
	    .port = centre->port,
	    .clients = 1,
	    .per_connection = REQUESTS,
	    .window = 1,
	    .ms = 10000,
	    .most = REQUESTS,
	    .request = live_line,
	    .arg = &asking};
	struct load_result result;
	const char *how;
	int64_t octets = process_memory(centre->store, &how);
	int status;

	if (octets == -1)
		return -1;
	report_line(&bench->report, &ready, users, (double)octets / 1024);
	status = load_run(&plan, &result);
	load_release(&result);
	if (status == -1 ||
	    (octets = process_memory(centre->store, &how)) == -1)
		return -1;
	*memory = (double)octets;
	report_line(&bench->report, &used, users, *memory / 1024);
	return 0;
}

static int
with_users(struct bench *bench, int users, double *memory)
{
	struct centre centre;
	int status = centre_start(&centre, &bench->ground, "memory", users);

	if (status == 0)
		status = one_store(bench, &centre, users, memory);
	if (centre_stop(&centre) == -1 && status == 0)
		status = complain("the centre did not end well");
	return status;
}

int
bench_memory(struct bench *bench)
{
	static const struct report_row each = {"store_memory_per_user",
	    "for a logged-in user", "octets", BAR_MOST, 1024};
	int few = bench->quick ? FEW_QUICK : FEW;
	int many = bench->quick ? MANY_QUICK : MANY;
	double less, more;

	report_part("Memory of the store", "octets of its own, not shared");
	if (with_users(bench, few, &less) == -1 ||
	    with_users(bench, many, &more) == -1)
		return -1;
	report_line(
	    &bench->report, &each, 0, (more - less) / (double)(many - few));
	return 0;
}
