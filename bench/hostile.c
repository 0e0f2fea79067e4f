/* SPDX-License-Identifier: ISC */
/*
 * A million datagrams that mean ill: wrong length, unknown id, wrong code,
 * a counter that was taken.  Sessions whose LIVEs go on between them show
 * that all were looked at, and that nobody was harmed.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include "beacon.h"
#include "lib/unix.h"

enum {
	ALL = 1000000,
	ALL_QUICK = 4000,
	SESSIONS = 1000,
	SESSIONS_QUICK = 50,
	KINDS = 4,
	BURST = 2000, /* fits the centre's receive buffer */
	BATCH = 50,
	LONGEST = 1400,
	GROWTH = 64, /* KiB */
	PROBE_RATE = 5000,
	PROBE_MS = 2,
};

struct attack {
	const struct bench *bench;
	struct swarm *swarm;
	int sessions;
	int sock;
	struct mmsghdr head[BATCH];
	struct iovec part[BATCH];
	uint8_t data[BATCH][LONGEST];
	long sent, answered;
};

/* The right form with an id that nobody has, and noise for a code. */
static size_t
unknown_id(struct attack *attack, uint8_t *out)
{
	swarm_replay(attack->swarm, rand() % attack->sessions, out);
	random_fill(out + 4, 8);
	random_fill(out + BEACON_MAC_AT, BEACON_MAC_LEN);
	return BEACON_LEN;
}

/* A datagram of anybody's; how long it is. */
static size_t
forge(struct attack *attack, long number, uint8_t *out)
{
	size_t len = (size_t)(rand() % LONGEST);

	if (number % KINDS == 1)
		return unknown_id(attack, out);
	/* What a session has just said, to the octet: a replay as it is. */
	swarm_replay(attack->swarm, rand() % attack->sessions, out);
	if (number % KINDS == 2)
		out[4 + 8 + (size_t)(rand() % (BEACON_LEN - 12))] ^= 0x10;
	if (number % KINDS == 0)
		return len != BEACON_LEN ? len : BEACON_LEN + 1;
	return BEACON_LEN;
}

/* One burst. */
static int
burst(struct attack *attack)
{
	for (int sent = 0; sent < BURST; sent += BATCH) {
		for (int i = 0; i < BATCH; i++)
			attack->part[i].iov_len =
			    forge(attack, sent + i, attack->data[i]);
		if (sendmmsg(attack->sock, attack->head, BATCH, 0) != BATCH)
			return complain("cannot send: %s", strerror(errno));
	}
	attack->sent += BURST;
	return 0;
}

static int
prepare(struct attack *attack, uint16_t port)
{
	struct sockaddr_in to = {.sin_family = AF_INET,
	    .sin_port = htons(port),
	    .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};

	for (int i = 0; i < BATCH; i++) {
		attack->part[i].iov_base = attack->data[i];
		attack->head[i].msg_hdr = (struct msghdr){
		    .msg_iov = &attack->part[i], .msg_iovlen = 1};
	}
	attack->sock = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (attack->sock == -1 ||
	    connect(attack->sock, (struct sockaddr *)&to, sizeof(to)) == -1)
		return complain("a socket: %s", strerror(errno));
	return 0;
}

/* Everybody says LIVE once. */
static int
round_of_all(const struct attack *attack)
{
	return swarm_run(attack->swarm, attack->sessions * 4.0, 300);
}

/* All of them, in bursts: those who mean well speak between them. */
static int
assault(struct attack *attack, long all)
{
	uint8_t in[BEACON_LEN];

	while (attack->sent < all) {
		/* Those who mean well are answered last. */
		if (burst(attack) == -1 ||
		    swarm_run(attack->swarm, PROBE_RATE, PROBE_MS) == -1)
			return -1;
		while (recv(attack->sock, in, sizeof(in), MSG_DONTWAIT) >= 0)
			attack->answered++;
	}
	return 0;
}

/* What the store says that it dropped, for all reasons together. */
static int64_t
dropped(const struct centre *centre)
{
	static const char *const reasons[KINDS] = {
	    "length", "id", "code", "replay"};
	int64_t sum = 0;

	for (int i = 0; i < KINDS; i++) {
		char name[64];

		snprintf(name, sizeof(name),
		    "beacon_drops_total{reason=\\\"%s\\\"}", reasons[i]);
		sum += centre_metric(centre, name);
	}
	return sum;
}

static void
show(struct bench *bench, const struct centre *centre,
    const struct attack *attack, double grown, double cpu)
{
	const double sent = (double)attack->sent;
	const struct report_row rows[] = {
	    {"hostile_sent", "datagrams that mean ill", "datagrams", 0, 0},
	    {"hostile_dropped", "    of them looked at and dropped",
		"datagrams", BAR_LEAST, sent},
	    {"hostile_answered", "    of them answered", "datagrams", BAR_MOST,
		0},
	    {"hostile_cpu", "    server's CPU for each", "us", 0, 0},
	    {"hostile_growth", "    what the store has grown by", "KiB",
		BAR_MOST, GROWTH},
	    {"hostile_unheard", "sessions without an answer after it",
		"sessions", BAR_MOST, 0},
	    {"hostile_lost", "LIVEs lost three times in a row", "LIVEs",
		BAR_MOST, 0},
	    {"hostile_again", "LIVEs that had to be repeated", "LIVEs",
		BAR_MOST, 0},
	};
	const struct swarm_count *count = swarm_count(attack->swarm);
	const double values[] = {sent, (double)dropped(centre),
	    (double)attack->answered, cpu * 1e6 / sent, grown,
	    attack->sessions - swarm_alive(attack->swarm), (double)count->lost,
	    (double)count->again};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		report_line(&bench->report, &rows[i], 0, values[i]);
}

static int
measure(struct bench *bench, const struct centre *centre, struct attack *attack)
{
	double cpu, memory;
	const char *how;

	if (prepare(attack, centre->port) == -1 || round_of_all(attack) == -1)
		return -1;
	dropped(centre); /* so that what metrics take is there */
	cpu = beacon_cpu(centre);
	memory = (double)process_memory(centre->store, &how);
	if (assault(attack, bench->quick ? ALL_QUICK : ALL) == -1)
		return -1;
	cpu = beacon_cpu(centre) - cpu;
	if (round_of_all(attack) == -1)
		return -1;
	memory = (double)process_memory(centre->store, &how) - memory;
	show(bench, centre, attack, memory / 1024, cpu);
	return 0;
}

int
bench_hostile(struct bench *bench)
{
	struct attack *attack = calloc(1, sizeof(*attack));
	struct centre centre = {0};
	int status = -1;

	report_part("Datagrams that mean ill",
	    "a quarter each of wrong length, unknown id, wrong code, taken"
	    " counter");
	if (attack == NULL)
		return complain("no memory");
	attack->bench = bench;
	attack->sessions = bench->quick ? SESSIONS_QUICK : SESSIONS;
	attack->sock = -1;
	if (centre_start(
		&centre, &bench->ground, "hostile", attack->sessions) == 0) {
		attack->swarm =
		    beacon_swarm(bench, attack->sessions, centre.port);
		if (attack->swarm != NULL)
			status = measure(bench, &centre, attack);
	}
	swarm_free(attack->swarm);
	if (attack->sock != -1)
		close(attack->sock);
	free(attack);
	if (centre_stop(&centre) == -1 && status == 0)
		status = complain("the centre did not end well");
	return status;
}
