/* SPDX-License-Identifier: ISC */
/*
 * What one short connection costs: LIVE requests at the centre and the floor
 * beside it, by turns, so that what else the machine does hits both alike.
 */
#include <stdio.h>
#include <string.h>

#include "bench.h"

enum {
	CLIENTS = 4, /* at a time: enough to keep two cores busy */
	TURNS = 5,
	TURNS_QUICK = 1,
	USERS = 64,
};

/* One of the two that are compared. */
struct side {
	pid_t pid;
	uint16_t port;
	const struct centre *centre; /* NULL: the floor */
	double cpu[TURNS], faults[TURNS], rate[TURNS], own[TURNS];
};

static size_t
live_line(const void *arg, int client, long number, char *out)
{
	char token[WIRE_TOKEN_LEN + 1];

	(void)client;
	centre_token(arg, (int)(number % USERS), token);
	return (size_t)snprintf(out, LOAD_LINE_LEN,
	    "{\"op\":\"live\",\"token\":\"%s\",\"mail\":0,\"room\":0}\n",
	    token);
}

static int
side_cost(const struct side *side, struct process_cost *cost)
{
	if (side->centre != NULL)
		return centre_cost(side->centre, cost);
	memset(cost, 0, sizeof(*cost));
	if (process_settle(side->pid, 0, 5000) == -1)
		return complain("children of the floor do not end");
	return process_cost(side->pid, cost);
}

/* One turn of one side. */
static int
one_turn(struct bench *bench, struct side *side, int turn)
{
	struct load_plan plan = {.tls = bench->tls,
	    .port = side->port,
	    .clients = CLIENTS,
	    .per_connection = 1,
	    .window = 1,
	    .ms = bench->quick ? bench->ms : bench->ms / 2,
	    .echo = side->centre == NULL,
	    .request = live_line,
	    .arg = &bench->ground};
	struct process_cost before, after;
	struct load_result result;

	if (side_cost(side, &before) == -1 || load_run(&plan, &result) == -1)
		return -1;
	load_release(&result);
	if (side_cost(side, &after) == -1)
		return -1;
	side->cpu[turn] =
	    (after.cpu - before.cpu) * 1e6 / (double)result.connections;
	side->faults[turn] =
	    (after.faults - before.faults) / (double)result.connections;
	side->own[turn] = result.client_cpu * 1e6 / (double)result.connections;
	side->rate[turn] = (double)result.answered / result.seconds;
	return 0;
}

static void
show(struct bench *bench, struct side *centre, struct side *floor, size_t turns)
{
	static const struct report_row rows[] = {
	    {"live_per_second", "LIVE, each on a new connection", "a second", 0,
		0},
	    {"floor_per_second", "the floor likewise", "a second", 0, 0},
	    {"live_cpu", "server's CPU for a LIVE, all processes", "us", 0, 0},
	    {"floor_cpu", "the floor's CPU for a connection", "us", 0, 0},
	    {"live_cpu_to_floor", "LIVE to floor", "times", BAR_MOST, 1.5},
	    {"live_faults", "page faults for a LIVE, all processes", "faults",
		0, 0},
	    {"floor_faults", "page faults of the floor", "faults", 0, 0},
	    {"live_client_cpu", "the client's own CPU for a LIVE", "us", 0, 0},
	};
	double ratio[TURNS];
	double *all[] = {centre->rate, floor->rate, centre->cpu, floor->cpu,
	    ratio, centre->faults, floor->faults, centre->own};

	for (size_t i = 0; i < turns; i++)
		ratio[i] =
		    floor->cpu[i] > 0 ? centre->cpu[i] / floor->cpu[i] : 0;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		report_line(
		    &bench->report, &rows[i], 0, quantile(all[i], turns, 0.5));
}

int
bench_live(struct bench *bench)
{
	int turns = bench->quick ? TURNS_QUICK : TURNS, status = -1;
	struct centre centre;
	struct floor floor = {0};
	struct side a = {.centre = &centre}, b = {0};

	report_part("One request a connection",
	    "centre and floor by turns; medians; 4 clients at a time");
	if (centre_start(&centre, &bench->ground, "live", USERS) == -1 ||
	    floor_start(&floor, &bench->ground) == -1)
		goto done;
	a.pid = centre.master;
	a.port = centre.port;
	b.pid = floor.pid;
	b.port = floor.port;
	for (int i = 0; i < turns; i++)
		if (one_turn(bench, &a, i) == -1 ||
		    one_turn(bench, &b, i) == -1)
			goto done;
	show(bench, &a, &b, (size_t)turns);
	status = 0;
done:
	floor_stop(&floor);
	if (centre_stop(&centre) == -1 && status == 0)
		status = complain("the centre did not end well");
	return status;
}
