/* SPDX-License-Identifier: ISC */
/*
 * The beacon at scale: as many sessions as --sessions says, all LIVEs at a
 * 30 s heartbeat, what that costs beside TLS and beside the bare floor, and
 * whether others notice.
 */
#include <stdio.h>
#include <stdlib.h>

#include "beacon.h"
#include "busy.h"

enum {
	FEW = 1000, /* the sessions of an idle centre */
	FEW_QUICK = 50,
	GUESTS = 100, /* few enough that each is back before it times out */
	LOGINS = 10, /* a second */
	SOCKETS = 2048,
	SOCKETS_QUICK = 16,
	RATE = 33333, /* where costs are compared: a million's */
	RATE_QUICK = 2000,
	IDLE_MS = 40000, /* to know how long a send takes in peace */
	QUIET_MS = 60000, /* beacons alone */
	BUSY_MS = 75000, /* with sends and logins; both outlast a timeout */
	SHORT_MS = 1200,
	TURNS = 5,
	TURN_MS = 3000,
	TLS_CLIENTS = 4,
};

struct swarm *
beacon_swarm(const struct bench *bench, int sessions, uint16_t port)
{
	struct swarm *swarm =
	    swarm_new(sessions, bench->quick ? SOCKETS_QUICK : SOCKETS, port);

	for (int i = 0; swarm != NULL && i < sessions; i++) {
		struct identity identity;

		identity_make(bench->ground.secret, i, &identity);
		swarm_set(swarm, i, &identity);
	}
	return swarm;
}

double
beacon_cpu(const struct centre *centre)
{
	struct process_cost cost;

	return centre_cost(centre, &cost) == -1 ? -1 : cost.cpu;
}

double
beacon_load(void)
{
	double load;

	return getloadavg(&load, 1) == 1 ? load : -1;
}

/* CPU of the store alone: what its core has to carry. */
static double
store_cpu(const struct centre *centre)
{
	struct process_cost cost = {0};

	return process_cost(centre->store, &cost) == -1 ? -1 : cost.cpu;
}

static double
store_memory(const struct centre *centre)
{
	const char *how;

	return (double)process_memory(centre->store, &how);
}

/* An idle centre: its store's memory, and how long a send takes. */
static int
idle(struct bench *bench, int few, double *memory, double *slow)
{
	static const struct report_row rows[] = {
	    {"beacon_idle_send", "a send over TLS in peace, median", "us", 0,
		0},
	    {"beacon_idle_send_99", "    99 of 100 are faster", "us", 0, 0},
	};
	struct centre_plan plan = {.name = "idle", .users = few};
	struct busy busy = {0};
	struct centre centre;
	int status = -1;

	if (centre_make(&centre, &bench->ground, &plan) == -1)
		goto done;
	if (busy_begin(&busy, bench,
		&(struct busy_plan){.port = centre.port,
		    .users = few,
		    .ms = bench->quick ? bench->ms : IDLE_MS}) == -1 ||
	    busy_end(&busy) == -1)
		goto done;
	*memory = store_memory(&centre);
	report_line(&bench->report, &rows[0], 0,
	    quantile(busy.result->took, (size_t)busy.result->sends, 0.5));
	*slow = quantile(busy.result->took, (size_t)busy.result->sends, 0.99);
	report_line(&bench->report, &rows[1], 0, *slow);
	status = 0;
done:
	busy_end(&busy);
	busy_release(&busy);
	if (centre_stop(&centre) == -1 && status == 0)
		status = complain("the centre did not end well");
	return status;
}

/* Nothing but beacons: the share of a core that they take. */
static int
quiet(struct bench *bench, const struct centre *centre, struct swarm *swarm,
    double rate)
{
	static const struct report_row rows[] = {
	    {"beacon_lives", "LIVEs answered", "a second", 0, 0},
	    {"beacon_core", "share of a core, the store", "cores", BAR_MOST,
		0.5},
	    {"beacon_core_all", "the same, all processes of the centre",
		"cores", 0, 0},
	    {"beacon_load", "load of the machine meanwhile", "processes", 0, 0},
	};
	int64_t ms = bench->quick ? SHORT_MS : QUIET_MS, began = clock_ns();
	double store = store_cpu(centre), all = beacon_cpu(centre), seconds;
	long heads = swarm_count(swarm)->heads;

	if (swarm_run(swarm, rate, ms) == -1)
		return -1;
	seconds = (double)(clock_ns() - began) / 1e9;
	report_line(&bench->report, &rows[0], 0,
	    (double)(swarm_count(swarm)->heads - heads) / seconds);
	report_line(
	    &bench->report, &rows[1], 0, (store_cpu(centre) - store) / seconds);
	report_line(
	    &bench->report, &rows[2], 0, (beacon_cpu(centre) - all) / seconds);
	report_line(&bench->report, &rows[3], 0, beacon_load());
	return 0;
}

/* Beacons, sends and logins together: whether who sends notices. */
static int
together(struct bench *bench, const struct centre *centre, struct swarm *swarm,
    int sessions, double slow)
{
	static const struct report_row rows[] = {
	    {"beacon_send", "a send meanwhile, with 10 logins a second, median",
		"us", 0, 0},
	    {"beacon_send_99", "    99 of 100 are faster", "us", 0, 0},
	    {"beacon_send_99_ratio", "    to the same in peace", "times",
		BAR_MOST, 2},
	    {"beacon_sends", "    sends", "messages", 0, 0},
	    {"beacon_logins", "    logins", "logins", 0, 0},
	};
	struct busy_plan plan = {.port = centre->port,
	    .users = sessions,
	    .guests = bench->quick ? 2 : GUESTS,
	    .logins = LOGINS,
	    .ms = bench->quick ? bench->ms : BUSY_MS - SHORT_MS};
	double rate = (double)sessions / BEACON_HEARTBEAT, now = 0;
	struct busy busy = {0};
	int status = busy_begin(&busy, bench, &plan);

	if (status == 0)
		status =
		    swarm_run(swarm, rate, bench->quick ? SHORT_MS : BUSY_MS);
	if (busy_end(&busy) == -1)
		status = -1;
	if (status == 0) {
		double *took = busy.result->took;
		size_t count = (size_t)busy.result->sends;

		report_line(
		    &bench->report, &rows[0], 0, quantile(took, count, 0.5));
		now = quantile(took, count, 0.99);
		report_line(&bench->report, &rows[1], 0, now);
		report_line(
		    &bench->report, &rows[2], 0, slow > 0 ? now / slow : 0);
		report_line(&bench->report, &rows[3], 0, (double)count);
		report_line(
		    &bench->report, &rows[4], 0, (double)busy.result->logins);
	}
	busy_release(&busy);
	return status;
}

/* What must not have happened to anybody. */
static void
losses(struct bench *bench, const struct centre *centre,
    const struct swarm *swarm, int sessions)
{
	static const struct report_row rows[] = {
	    {"beacon_unheard", "sessions without an answer", "sessions",
		BAR_MOST, 0},
	    {"beacon_timeouts", "users who timed out", "users", BAR_MOST, 0},
	    {"beacon_lost", "LIVEs lost three times in a row", "LIVEs",
		BAR_MOST, 0},
	    {"beacon_again", "LIVEs that had to be repeated", "LIVEs", 0, 0},
	    {"beacon_bad", "answers that were none", "datagrams", BAR_MOST, 0},
	    {"beacon_knocks", "knocks that came", "datagrams", 0, 0},
	    {"beacon_slowest", "the slowest answer", "ms", 0, 0},
	};
	const struct swarm_count *count = swarm_count(swarm);
	const double values[] = {sessions - swarm_alive(swarm),
	    (double)centre_metric(centre, "timeouts_total"),
	    (double)count->lost, (double)count->again, (double)count->bad,
	    (double)count->knocks, (double)count->slowest / 1e6};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		report_line(&bench->report, &rows[i], 0, values[i]);
}

static size_t
live_line(const void *arg, int client, long number, char *out)
{
	char token[WIRE_TOKEN_LEN + 1];

	(void)client;
	centre_token(arg, (int)(number % FEW_QUICK), token);
	return (size_t)snprintf(out, LOAD_LINE_LEN,
	    "{\"op\":\"live\",\"token\":\"%s\",\"mail\":0,\"room\":0}\n",
	    token);
}

/* Microseconds of CPU for a LIVE over TLS, at the same centre; or -1. */
static double
over_tls(struct bench *bench, const struct centre *centre)
{
	struct load_plan plan = {.tls = bench->tls,
	    .port = centre->port,
	    .clients = TLS_CLIENTS,
	    .per_connection = 1,
	    .window = 1,
	    .ms = bench->ms,
	    .request = live_line,
	    .arg = &bench->ground};
	double before = beacon_cpu(centre), after;
	struct load_result result;
	int status = load_run(&plan, &result);

	load_release(&result);
	after = beacon_cpu(centre);
	return status == -1 || before < 0 || after < 0
	    ? -1
	    : (after - before) * 1e6 / (double)result.connections;
}

/* One of the two that answer LIVEs, by turns. */
struct side {
	const struct centre *centre; /* NULL: the floor */
	pid_t pid;
	struct swarm *swarm;
	double cpu[TURNS];
};

static double
side_cpu(const struct side *side)
{
	struct process_cost cost = {0};

	if (side->centre != NULL)
		return beacon_cpu(side->centre);
	return process_cost(side->pid, &cost) == -1 ? -1 : cost.cpu;
}

static int
one_turn(struct bench *bench, struct side *side, int turn)
{
	double before = side_cpu(side), after;
	long sent = swarm_count(side->swarm)->sent;

	if (swarm_run(side->swarm, bench->quick ? RATE_QUICK : RATE,
		bench->quick ? bench->ms : TURN_MS) == -1)
		return -1;
	after = side_cpu(side);
	sent = swarm_count(side->swarm)->sent - sent;
	if (before < 0 || after < 0 || sent == 0)
		return -1;
	side->cpu[turn] = (after - before) * 1e6 / (double)sent;
	return 0;
}

/* What one LIVE costs here, at the floor and over TLS. */
static void
show_costs(struct bench *bench, struct side *centre, struct side *floor,
    size_t turns, double tls)
{
	static const struct report_row rows[] = {
	    {"beacon_live_cpu", "server's CPU for a LIVE, all processes", "us",
		0, 0},
	    {"beacon_floor_cpu", "the floor's CPU for the same", "us", 0, 0},
	    {"beacon_to_floor", "LIVE to floor", "times", BAR_MOST, 1.3},
	    {"beacon_tls_cpu", "server's CPU for a LIVE over TLS", "us", 0, 0},
	    {"beacon_to_tls", "by beacon to over TLS", "times", BAR_MOST, 0.01},
	};
	double ratio[TURNS], cpu;

	for (size_t i = 0; i < turns; i++)
		ratio[i] =
		    floor->cpu[i] > 0 ? centre->cpu[i] / floor->cpu[i] : 0;
	cpu = quantile(centre->cpu, turns, 0.5);
	report_line(&bench->report, &rows[0], 0, cpu);
	report_line(
	    &bench->report, &rows[1], 0, quantile(floor->cpu, turns, 0.5));
	report_line(&bench->report, &rows[2], 0, quantile(ratio, turns, 0.5));
	report_line(&bench->report, &rows[3], 0, tls);
	report_line(&bench->report, &rows[4], 0, tls > 0 ? cpu / tls : 0);
}

/* Centre and floor by turns, with as many keys and at one rate. */
static int
costs(struct bench *bench, const struct centre *centre, struct swarm *swarm,
    int sessions)
{
	int turns = bench->quick ? 1 : TURNS, status = -1;
	struct side here = {.centre = centre, .swarm = swarm}, there = {0};
	struct floor floor = {0};
	double tls;

	if (floor_start_beacon(&floor, &bench->ground, sessions) == -1)
		goto done;
	there.pid = floor.pid;
	there.swarm = beacon_swarm(bench, sessions, floor.port);
	if (there.swarm == NULL)
		goto done;
	for (int i = 0; i < turns; i++)
		if (one_turn(bench, &here, i) == -1 ||
		    one_turn(bench, &there, i) == -1)
			goto done;
	tls = over_tls(bench, centre);
	if (tls < 0)
		goto done;
	show_costs(bench, &here, &there, (size_t)turns, tls);
	status = 0;
done:
	swarm_free(there.swarm);
	floor_stop(&floor);
	return status;
}

/* Everything with the centre that has them all. */
static int
at_scale(struct bench *bench, const struct centre *centre, int sessions,
    int few, double memory, double slow)
{
	static const struct report_row each = {"beacon_memory_per_session",
	    "the store's memory for a session", "octets", BAR_MOST, 512};
	struct swarm *swarm = beacon_swarm(bench, sessions, centre->port);
	double rate = (double)sessions / BEACON_HEARTBEAT;
	int status = -1;

	if (swarm == NULL)
		return -1;
	/* A quick run has no 30 s for all to have their turn. */
	if ((bench->quick && swarm_run(swarm, sessions, SHORT_MS) == -1) ||
	    quiet(bench, centre, swarm, rate) == -1 ||
	    together(bench, centre, swarm, sessions, slow) == -1)
		goto done;
	losses(bench, centre, swarm, sessions);
	report_line(&bench->report, &each, 0,
	    (store_memory(centre) - memory) / (sessions - few));
	status = costs(bench, centre, swarm, sessions);
done:
	swarm_free(swarm);
	return status;
}

int
bench_beacon(struct bench *bench)
{
	static const struct report_row made = {"beacon_database_%d",
	    "a database with %d sessions written in", "s", 0, 0};
	static const struct report_row ready = {"beacon_start_%d",
	    "from chatd's start with %d sessions until ready", "s", 0, 0};
	int few = bench->quick ? FEW_QUICK : FEW, status;
	struct centre_plan plan = {.name = "beacon",
	    .users = bench->sessions,
	    .guests = bench->quick ? 2 : GUESTS,
	    .cheap = bench->quick,
	    .heartbeat = BEACON_HEARTBEAT,
	    .timeout = BEACON_TIMEOUT};
	struct centre centre;
	double memory, slow;

	report_part("The beacon, at scale",
	    "sessions written into the database as logins leave them; every"
	    " answer verified");
	if (idle(bench, few, &memory, &slow) == -1)
		return -1;
	status = centre_make(&centre, &bench->ground, &plan);
	if (status == 0) {
		report_line(
		    &bench->report, &made, bench->sessions, centre.made);
		report_line(
		    &bench->report, &ready, bench->sessions, centre.started);
		status = at_scale(
		    bench, &centre, bench->sessions, few, memory, slow);
	}
	if (centre_stop(&centre) == -1 && status == 0)
		status = complain("the centre did not end well");
	return status;
}
