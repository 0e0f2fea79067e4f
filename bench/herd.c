/* SPDX-License-Identifier: ISC */
/*
 * One login among many who are online: who comes to fetch the news, and
 * when.  The sessions are real logins, with keys of their TLS connections;
 * each does what the protocol asks of a client that has only room news.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "beacon.h"
#include "party.h"
#include "lib/unix.h"

enum {
	SESSIONS = 10000,
	SESSIONS_QUICK = 300, /* more than are knocked for room news */
	SETTLE_MS = 5000, /* in which everybody says LIVE once */
	WATCH_MS = 40000, /* more than one heartbeat */
	QUICK_MS = 600,
	SLICE_MS = 50,
	FETCHERS = 4,
	SPREAD_A_SECOND = 2000, /* what rules_room_spread() aims at */
};

struct sheep {
	char token[WIRE_TOKEN_LEN + 1];
	int64_t room; /* what it has stored */
	bool going; /* it is about to fetch */
	int next; /* in its slice */
};

struct herd {
	struct bench *bench;
	const struct centre *centre;
	struct swarm *swarm;
	struct sheep *sheep;
	int sessions, spread; /* seconds */
	char epoch[WIRE_EPOCH_LEN + 1];
	int64_t began; /* the login's moment; 0: not yet */
	int *slices; /* who fetches when: lists of number + 1 */
	int slice_count;
	int to_fetchers;
	pid_t fetchers[FETCHERS];
	long learned, fetched, unasked;
	long knocks; /* before the login */
	double first, last; /* fetches, seconds after the login */
};

/* Takes over what a login's reply says. */
static int
take_welcome(struct herd *herd, struct party *party, int number,
    const char *text, struct identity *identity)
{
	struct sheep *sheep = &herd->sheep[number];
	char why[WIRE_WHY_LEN];
	json_t *reply = wire_object(text, strlen(text), why);
	const char *token = wire_get_string(reply, "token");
	const char *beacon = wire_get_string(reply, "beacon");
	const char *epoch = wire_get_string(reply, "epoch");
	uint8_t context[BEACON_CONTEXT_LEN];
	int status = -1;

	if (token != NULL && beacon != NULL && epoch != NULL &&
	    beacon_id_parse(beacon, &identity->id)) {
		snprintf(sheep->token, sizeof(sheep->token), "%s", token);
		snprintf(herd->epoch, sizeof(herd->epoch), "%s", epoch);
		sheep->room = wire_get_number(reply, "room", 0);
		herd->spread = (int)wire_get_number(reply, "room_spread", 0);
		beacon_context(identity->id, context);
		status = tls_export(&party->conn, BEACON_LABEL, context,
		    sizeof(context), &identity->keys, sizeof(identity->keys));
	}
	json_decref(reply);
	return status == -1 ? complain("a login without a beacon") : 0;
}

/* One real login. */
static int
log_in(struct herd *herd, struct party *party, int number,
    struct identity *identity)
{
	char line[LOAD_LINE_LEN], name[NAME_MAX_LEN + 1];
	const char *reply;
	int len, status = -1;

	centre_user(number, name);
	len = snprintf(line, sizeof(line),
	    "{\"op\":\"login\",\"user\":\"%s\",\"password\":\"%s\"}\n", name,
	    CENTRE_PASSWORD);
	reply = party_ask(party, line, (size_t)len);
	if (reply != NULL)
		status = take_welcome(herd, party, number, reply, identity);
	party_close(party);
	return status;
}

/* All of them, one after the other. */
static int
log_all_in(struct herd *herd)
{
	static const struct report_row rows[] = {
	    {"herd_logins_%d", "%d logins, one after the other", "s", 0, 0},
	    {"herd_login_cpu", "    server's CPU for each", "us", 0, 0},
	};
	struct party party = {.bench = herd->bench, .port = herd->centre->port};
	double cpu = beacon_cpu(herd->centre);
	int64_t began = clock_ns();

	for (int i = 0; i < herd->sessions; i++) {
		struct identity identity;

		if (interrupted() || log_in(herd, &party, i, &identity) == -1)
			return -1;
		swarm_set(herd->swarm, i, &identity);
	}
	report_line(&herd->bench->report, &rows[0], herd->sessions,
	    (double)(clock_ns() - began) / 1e9);
	report_line(&herd->bench->report, &rows[1], 0,
	    (beacon_cpu(herd->centre) - cpu) * 1e6 / herd->sessions);
	return 0;
}

/* A client hears of room news: it fetches within the time to spread over. */
static void
heard(void *arg, int number, const struct beacon *beacon)
{
	struct herd *herd = arg;
	struct sheep *sheep = &herd->sheep[number];
	int64_t at, slice;

	if (herd->began == 0)
		return;
	if (beacon->type == BEACON_KNOCK)
		herd->unasked++;
	if (beacon->room <= sheep->room || sheep->going)
		return;
	sheep->going = true;
	herd->learned++;
	at = (clock_ns() - herd->began) / 1000000;
	at += (int64_t)((double)rand() / RAND_MAX * herd->spread * 1000);
	slice = at / SLICE_MS;
	if (slice >= herd->slice_count)
		slice = herd->slice_count - 1;
	sheep->next = herd->slices[slice];
	herd->slices[slice] = number + 1;
}

/* Fetches for whoever is told through the pipe. */
static _Noreturn void
fetch_on(const struct herd *herd, int from)
{
	struct party party = {.bench = herd->bench, .port = herd->centre->port};
	char line[LOAD_LINE_LEN];
	int number, len;

	while (read(from, &number, sizeof(number)) == sizeof(number)) {
		const struct sheep *sheep = &herd->sheep[number];

		len = snprintf(line, sizeof(line),
		    "{\"op\":\"sync\",\"token\":\"%s\",\"epoch\":\"%s\","
		    "\"mail\":0,\"room\":%" PRId64 "}\n",
		    sheep->token, herd->epoch, sheep->room);
		if (party_ask(&party, line, (size_t)len) == NULL)
			_exit(1);
		party_close(&party);
	}
	_exit(0);
}

static int
start_fetchers(struct herd *herd)
{
	int ends[2];

	if (pipe(ends) == -1)
		return complain("a pipe: %s", strerror(errno));
	fflush(NULL);
	for (int i = 0; i < FETCHERS; i++) {
		herd->fetchers[i] = fork();
		if (herd->fetchers[i] == 0) {
			close(ends[1]);
			fetch_on(herd, ends[0]);
		}
	}
	close(ends[0]);
	herd->to_fetchers = ends[1];
	return 0;
}

static int
end_fetchers(struct herd *herd)
{
	int status = 0;

	if (herd->to_fetchers == -1)
		return 0;
	close(herd->to_fetchers);
	herd->to_fetchers = -1;
	for (int i = 0; i < FETCHERS; i++)
		if (herd->fetchers[i] > 0 &&
		    process_wait(herd->fetchers[i]) == -1)
			status = complain("who fetched did not end well");
	return status;
}

/* Sends off those of a slice; how many. */
static int
send_off(struct herd *herd, int slice)
{
	int each = herd->slices[slice], count = 0;

	for (; each != 0; each = herd->sheep[each - 1].next) {
		int number = each - 1;

		if (fd_write_all(herd->to_fetchers, &number, sizeof(number)) ==
		    -1)
			break;
		count++;
	}
	herd->slices[slice] = 0;
	if (count > 0) {
		herd->last = (double)(clock_ns() - herd->began) / 1e9;
		if (herd->fetched == 0)
			herd->first = herd->last;
	}
	herd->fetched += count;
	return count;
}

/* From the login on; the most that fetched within one second. */
static int
watch(struct herd *herd, double rate)
{
	int a_second = 1000 / SLICE_MS, most = 0, now = 0;
	int *counts = calloc((size_t)herd->slice_count, sizeof(*counts));

	if (counts == NULL)
		return complain("no memory");
	for (int i = 0; i < herd->slice_count && most != -1; i++) {
		if (swarm_run(herd->swarm, rate, SLICE_MS) == -1) {
			most = -1;
			break;
		}
		counts[i] = send_off(herd, i);
		now += counts[i] - (i >= a_second ? counts[i - a_second] : 0);
		if (now > most)
			most = now;
	}
	free(counts);
	return most;
}

static void
show(struct herd *herd, int most, double cpu, double seconds)
{
	static const struct report_row rows[] = {
	    {"herd_knocks", "knocks for one login", "datagrams", BAR_MOST, 0},
	    {"herd_learned", "sessions that learned of it by their LIVE",
		"sessions", 0, 0},
	    {"herd_fetched", "    that fetched it over TLS", "sessions", 0, 0},
	    {"herd_first", "    the first, after the login", "s", 0, 0},
	    {"herd_last", "    the last", "s", 0, 0},
	    {"herd_second", "    the most within one second", "sessions",
		BAR_MOST, SPREAD_A_SECOND},
	    {"herd_core", "    share of a core, all processes", "cores", 0, 0},
	    {"herd_fetch_cpu", "    server's CPU for each fetch", "us", 0, 0},
	};
	const double values[] = {(double)herd->unasked, (double)herd->learned,
	    (double)herd->fetched, herd->first, herd->last, most, cpu / seconds,
	    herd->fetched > 0 ? cpu * 1e6 / (double)herd->fetched : 0};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		report_line(&herd->bench->report, &rows[i], 0, values[i]);
}

/* Everybody knows what there is: the logins of the others. */
static void
settle(struct herd *herd)
{
	int64_t head = centre_metric(herd->centre, "logins_total");

	/* Each login is one entry of the room log of a new centre. */
	for (int i = 0; i < herd->sessions; i++)
		herd->sheep[i].room = head;
}

/* One more logs in, and is watched. */
static int
measure(struct herd *herd)
{
	bool quick = herd->bench->quick;
	struct party party = {.bench = herd->bench, .port = herd->centre->port};
	double rate = quick ? herd->sessions * 2.0
			    : (double)herd->sessions / BEACON_HEARTBEAT;
	struct identity identity;
	int64_t began;
	double cpu;
	int most;

	if (log_all_in(herd) == -1 ||
	    swarm_run(herd->swarm, herd->sessions * (quick ? 4.0 : 0.25),
		quick ? QUICK_MS : SETTLE_MS) == -1)
		return -1;
	settle(herd);
	if (start_fetchers(herd) == -1)
		return -1;
	cpu = beacon_cpu(herd->centre);
	herd->began = began = clock_ns();
	if (log_in(herd, &party, herd->sessions, &identity) == -1 ||
	    (most = watch(herd, rate)) == -1 || end_fetchers(herd) == -1)
		return -1;
	show(herd, most, beacon_cpu(herd->centre) - cpu,
	    (double)(clock_ns() - began) / 1e9);
	return 0;
}

static void
release(struct herd *herd)
{
	swarm_free(herd->swarm);
	free(herd->sheep);
	free(herd->slices);
}

/* The memory that it takes; false after a complaint. */
static bool
prepare(struct herd *herd, uint16_t port)
{
	int ms = herd->bench->quick ? QUICK_MS : WATCH_MS;

	herd->slice_count = ms / SLICE_MS;
	/* One more: who logs in while the others are watched. */
	herd->sheep = calloc((size_t)herd->sessions + 1, sizeof(*herd->sheep));
	herd->slices = calloc((size_t)herd->slice_count, sizeof(int));
	herd->swarm =
	    swarm_new(herd->sessions, herd->bench->quick ? 16 : 1024, port);
	if (herd->sheep == NULL || herd->slices == NULL || herd->swarm == NULL)
		return false;
	swarm_listen(herd->swarm, heard, herd);
	return true;
}

int
bench_herd(struct bench *bench)
{
	struct herd herd = {.bench = bench,
	    .sessions = bench->quick ? SESSIONS_QUICK : SESSIONS,
	    .to_fetchers = -1};
	struct centre_plan plan = {.name = "herd",
	    .guests = herd.sessions + 1,
	    .cheap = true,
	    .heartbeat = BEACON_HEARTBEAT,
	    .timeout = 600};
	struct centre centre;
	int status;

	report_part("One login among many",
	    "real logins (with passwords that cost little); each fetches"
	    " within room_spread of the LIVE that tells it");
	status = centre_make(&centre, &bench->ground, &plan);
	if (status == 0) {
		herd.centre = &centre;
		status = prepare(&herd, centre.port) ? measure(&herd) : -1;
		if (end_fetchers(&herd) == -1)
			status = -1;
	}
	release(&herd);
	if (centre_stop(&centre) == -1 && status == 0)
		status = complain("the centre did not end well");
	return status;
}
