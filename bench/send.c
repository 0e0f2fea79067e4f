/* SPDX-License-Identifier: ISC */
/*
 * Acknowledged messages a second: what group commit is worth.  An answer
 * counts when it came, so every one of them was on the disk.
 */
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include "bench.h"

enum {
	MANY = 64,
	MANY_QUICK = 8,
	BATCH = 64,
	TURNS = 3, /* for what is judged */
	OPEN = WIRE_REQUESTS_MAX, /* as many as a connection carries */
};

/* How messages are sent. */
static const struct way {
	const char *name, *what;
	int per_connection, window;
	int turns; /* of one client and of many */
} ways[] = {
    {"new", "a new connection for each", 1, 1, 1},
    {"open", "open connections, one in flight", OPEN, 1, TURNS},
    {"batch", "open connections, batches of 64", OPEN, BATCH, 1},
};

enum { WAYS = sizeof(ways) / sizeof(ways[0]), WAY_OPEN = 1 };

/* What the lines are made from. */
struct sending {
	const struct ground *ground;
	const char *run; /* makes ids of different runs different */
	int users;
};

static size_t
send_line(const void *arg, int client, long number, char *out)
{
	const struct sending *sending = arg;
	char token[WIRE_TOKEN_LEN + 1], to[NAME_MAX_LEN + 1];

	centre_token(sending->ground, client, token);
	centre_user((client + 1) % sending->users, to);
	return (size_t)snprintf(out, LOAD_LINE_LEN,
	    "{\"op\":\"send\",\"token\":\"%s\",\"id\":\"bench-%s-%03d-%09ld\","
	    "\"to\":\"%s\",\"text\":\"Message number %ld of client %d, about "
	    "as long as people write.\"}\n",
	    token, sending->run, client, number, to, number, client);
}

/* What a centre has done so far, or between two looks. */
struct spent {
	double all, store; /* seconds */
	double commits;
};

/* Takes a look, with all workers at their end. */
static int
look(const struct centre *centre, struct spent *spent)
{
	struct process_cost all, store = {0};

	if (centre_cost(centre, &all) == -1 ||
	    process_cost(centre->store, &store) == -1)
		return -1;
	spent->all = all.cpu;
	spent->store = store.cpu;
	spent->commits = (double)centre_metric(centre, "commits_total");
	return 0;
}

/* What one run has shown. */
struct outcome {
	double rate; /* a second */
	double wait, cpu, store; /* microseconds a window, a message */
	double commit; /* messages a commit; 0: not known */
};

/* One way with that many clients. */
static int
one_way(struct bench *bench, const struct centre *centre, const struct way *way,
    int clients, struct outcome *out)
{
	static int runs;
	char run[32];
	struct sending sending = {
	    .ground = &bench->ground, .run = run, .users = MANY + 1};
	struct load_plan plan = {.tls = bench->tls,
	    .port = centre->port,
	    .clients = clients,
	    .per_connection = way->per_connection,
	    .window = way->window,
	    .ms = bench->ms,
	    .request = send_line,
	    .arg = &sending};
	struct spent before, after;
	struct load_result result;
	double total;

	snprintf(run, sizeof(run), "%d", runs++);
	if (look(centre, &before) == -1)
		return -1;
	if (load_run(&plan, &result) == -1 || look(centre, &after) == -1) {
		load_release(&result);
		return -1;
	}
	total = (double)result.total;
	out->rate = (double)result.answered / result.seconds;
	out->wait = quantile(result.rounds, result.round_count, 0.5);
	out->cpu = (after.all - before.all) * 1e6 / total;
	out->store = (after.store - before.store) * 1e6 / total;
	out->commit = after.commits > before.commits
	    ? total / (after.commits - before.commits)
	    : 0;
	load_release(&result);
	return 0;
}

/* Prints the medians of some runs of one kind. */
static void
show(struct bench *bench, const struct way *way, int clients,
    const struct outcome *runs, size_t count)
{
	static const struct {
		const char *key, *what, *unit;
		size_t at;
	} lines[] = {
	    {"", NULL, "a second", offsetof(struct outcome, rate)},
	    {"_wait", "wait for what is in flight, median", "us",
		offsetof(struct outcome, wait)},
	    {"_cpu", "server's CPU for a message", "us",
		offsetof(struct outcome, cpu)},
	    {"_cpu_store", "of it the store's", "us",
		offsetof(struct outcome, store)},
	    {"_commit", "messages a commit", "messages",
		offsetof(struct outcome, commit)},
	};

	for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++) {
		char key[64], what[96];
		struct report_row row = {
		    .key = key, .what = what, .unit = lines[i].unit};
		double all[TURNS];

		for (size_t j = 0; j < count; j++)
			memcpy(&all[j], (const char *)&runs[j] + lines[i].at,
			    sizeof(all[j]));
		snprintf(
		    key, sizeof(key), "send_%s_%%d%s", way->name, lines[i].key);
		if (lines[i].what != NULL)
			snprintf(what, sizeof(what), "    %s", lines[i].what);
		else
			snprintf(what, sizeof(what), "%%d client%s: %s",
			    clients == 1 ? "" : "s", way->what);
		report_line(
		    &bench->report, &row, clients, quantile(all, count, 0.5));
	}
}

/* One way with one client and with many, by turns; what many gain. */
static int
both(struct bench *bench, const struct centre *centre, const struct way *way,
    double *gain)
{
	int many = bench->quick ? MANY_QUICK : MANY;
	size_t turns = bench->quick ? 1 : (size_t)way->turns;
	struct outcome one[TURNS], all[TURNS];
	double ratio[TURNS];

	for (size_t i = 0; i < turns; i++) {
		if (one_way(bench, centre, way, 1, &one[i]) == -1 ||
		    one_way(bench, centre, way, many, &all[i]) == -1)
			return -1;
		ratio[i] = one[i].rate > 0 ? all[i].rate / one[i].rate : 0;
	}
	show(bench, way, 1, one, turns);
	show(bench, way, many, all, turns);
	*gain = quantile(ratio, turns, 0.5);
	return 0;
}

/* Every way; what many clients gain is told and judged. */
static int
all_ways(struct bench *bench, const struct centre *centre)
{
	double gain;

	for (int i = 0; i < WAYS; i++) {
		struct report_row row = {.unit = "times", .limit = 5};
		char key[64];

		if (both(bench, centre, &ways[i], &gain) == -1)
			return -1;
		snprintf(key, sizeof(key), "send_%s_gain", ways[i].name);
		row.key = key;
		row.what = "what many get to what one gets";
		row.bar = i == WAY_OPEN ? BAR_LEAST : BAR_NONE;
		report_line(&bench->report, &row, 0, gain);
	}
	return 0;
}

int
bench_send(struct bench *bench)
{
	struct centre centre;
	int status;

	report_part("Acknowledged messages",
	    "each answer comes after the commit that holds its message");
	status = centre_start(&centre, &bench->ground, "send", MANY + 1);
	if (status == 0)
		status = all_ways(bench, &centre);
	if (centre_stop(&centre) == -1 && status == 0)
		status = complain("the centre did not end well");
	return status;
}
