/* SPDX-License-Identifier: ISC */
/*
 * From the sender's request to the event that the recipient has on its disk.
 * The recipient is a process of its own that asks again and again.
 */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "bench.h"
#include "party.h"
#include "lib/tls.h"
#include "lib/unix.h"

enum {
	MESSAGES = 200,
	MESSAGES_QUICK = 10,
	PAUSE_MS = 5, /* between two messages, and as much again by chance */
	PATIENCE_MS = 10000,
	SENDER = 0,
	RECIPIENT = 1,
	USERS = 2,
};

/* The recipient and where it stands. */
struct reader {
	struct party party;
	char epoch[WIRE_EPOCH_LEN + 1];
	int64_t mail, room;
	int disk; /* the recipient's own book */
};

/* What the recipient tells about one message, in microseconds. */
struct arrival {
	double seen, stored;
};

/* Puts an event where it survives, as a client must before it says so. */
static int
keep(struct reader *reader, const char *text)
{
	if (fd_write_all(reader->disk, text, strlen(text)) == -1 ||
	    fdatasync(reader->disk) == -1)
		return complain("cannot store an event: %s", strerror(errno));
	return 0;
}

/* Takes the events of one reply; how many messages, or -1. */
static int
take_events(struct reader *reader, const json_t *reply, int tell)
{
	const json_t *events = json_object_get(reply, "events");
	int64_t seen = clock_ns(), stored, sent;
	struct arrival arrival;
	const char *text;
	size_t i;
	json_t *event;
	int count = 0;

	json_array_foreach(events, i, event)
	{
		text = wire_get_string(event, "text");
		if (text == NULL || sscanf(text, "%" SCNd64, &sent) != 1)
			continue;
		if (keep(reader, text) == -1)
			return -1;
		stored = clock_ns();
		arrival.seen = (double)(seen - sent) / 1000;
		arrival.stored = (double)(stored - sent) / 1000;
		if (fd_write_all(tell, &arrival, sizeof(arrival)) == -1)
			return -1;
		count++;
	}
	return count;
}

/* One sync; how many messages came, or -1. */
static int
sync_once(struct reader *reader, int tell)
{
	char line[LOAD_LINE_LEN], token[WIRE_TOKEN_LEN + 1], why[WIRE_WHY_LEN];
	const char *epoch, *text;
	json_t *reply;
	int count, len;

	centre_token(&reader->party.bench->ground, RECIPIENT, token);
	len = snprintf(line, sizeof(line),
	    "{\"op\":\"sync\",\"token\":\"%s\",\"epoch\":\"%s\",\"mail\":"
	    "%" PRId64 ",\"room\":%" PRId64 "}\n",
	    token, reader->epoch, reader->mail, reader->room);
	if ((text = party_ask(&reader->party, line, (size_t)len)) == NULL)
		return -1;
	reply = wire_object(text, strlen(text), why);
	if (reply == NULL)
		return complain("sync: %s", why);
	count = take_events(reader, reply, tell);
	epoch = wire_get_string(reply, "epoch");
	snprintf(
	    reader->epoch, sizeof(reader->epoch), "%s", epoch ? epoch : "");
	reader->mail = wire_get_number(reply, "mail", 0);
	reader->room = wire_get_number(reply, "room", 0);
	json_decref(reply);
	return count;
}

/* Learns the epoch from a LIVE. */
static int
learn_epoch(struct reader *reader)
{
	char line[LOAD_LINE_LEN], token[WIRE_TOKEN_LEN + 1], why[WIRE_WHY_LEN];
	const char *text, *epoch;
	json_t *reply;
	int len;

	centre_token(&reader->party.bench->ground, RECIPIENT, token);
	len = snprintf(line, sizeof(line),
	    "{\"op\":\"live\",\"token\":\"%s\",\"mail\":0,\"room\":0}\n",
	    token);
	if ((text = party_ask(&reader->party, line, (size_t)len)) == NULL)
		return -1;
	reply = wire_object(text, strlen(text), why);
	epoch = reply ? wire_get_string(reply, "epoch") : NULL;
	snprintf(
	    reader->epoch, sizeof(reader->epoch), "%s", epoch ? epoch : "");
	json_decref(reply);
	return 0;
}

/* The recipient's process: asks back to back until all have come. */
static _Noreturn void
receive(struct reader *reader, int wanted, int tell)
{
	int64_t until = clock_mono() + 3 * PATIENCE_MS;
	char path[BENCH_PATH_LEN + 16];
	int got = 0, more;

	snprintf(
	    path, sizeof(path), "%s/book", reader->party.bench->ground.dir);
	reader->disk = open(
	    path, O_WRONLY | O_CREAT | O_TRUNC | O_APPEND | O_CLOEXEC, 0600);
	if (reader->disk == -1 || learn_epoch(reader) == -1)
		_exit(1);
	while (got < wanted && !interrupted() && clock_mono() < until) {
		if ((more = sync_once(reader, tell)) == -1)
			_exit(1);
		got += more;
	}
	party_close(&reader->party);
	_exit(got < wanted);
}

/* Sends one message; microseconds until it was acknowledged, or -1. */
static double
send_one(struct party *party, int number)
{
	char id[32], text[48];
	int64_t now;

	/* The way there is part of it: a new connection, as clients do it. */
	party_close(party);
	now = clock_ns();
	snprintf(id, sizeof(id), "bench-delay-%09d", number);
	snprintf(text, sizeof(text), "%" PRId64 " is when this was sent", now);
	if (!party_send(party, SENDER, RECIPIENT, id, text))
		return -1;
	return (double)(clock_ns() - now) / 1000;
}

/* Sends them all and hears how they arrived. */
static int
converse(struct party *party, int count, int heard, double *acknowledged,
    struct arrival *arrivals)
{
	for (int i = 0; i < count; i++) {
		struct pollfd pfd = {.fd = heard, .events = POLLIN};

		poll(NULL, 0, PAUSE_MS + rand() % PAUSE_MS);
		acknowledged[i] = send_one(party, i);
		if (acknowledged[i] < 0)
			return -1;
		if (poll(&pfd, 1, PATIENCE_MS) < 1 ||
		    read(heard, &arrivals[i], sizeof(arrivals[i])) !=
			sizeof(arrivals[i]))
			return complain("a message did not arrive");
	}
	return 0;
}

static void
show(struct bench *bench, double *acknowledged, const struct arrival *arrivals,
    size_t count)
{
	static const struct report_row rows[] = {
	    {"delay_accepted", "sender: new connection to acknowledged", "us",
		0, 0},
	    {"delay_seen", "new connection to recipient's event, median", "us",
		0, 0},
	    {"delay_stored", "the same to event on its disk, median", "us", 0,
		0},
	    {"delay_stored_95", "the same, 95 of 100 are faster", "us", 0, 0},
	};
	double seen[MESSAGES], stored[MESSAGES];

	for (size_t i = 0; i < count; i++) {
		seen[i] = arrivals[i].seen;
		stored[i] = arrivals[i].stored;
	}
	report_line(
	    &bench->report, &rows[0], 0, quantile(acknowledged, count, 0.5));
	report_line(&bench->report, &rows[1], 0, quantile(seen, count, 0.5));
	report_line(&bench->report, &rows[2], 0, quantile(stored, count, 0.5));
	report_line(&bench->report, &rows[3], 0, quantile(stored, count, 0.95));
}

/* The whole conversation with a centre that runs. */
static int
measure(struct bench *bench, const struct centre *centre)
{
	struct party party = {.bench = bench, .port = centre->port};
	struct reader reader = {.party = party};
	int count = bench->quick ? MESSAGES_QUICK : MESSAGES, ends[2], status;
	double acknowledged[MESSAGES];
	struct arrival arrivals[MESSAGES];
	pid_t recipient;

	if (pipe2(ends, O_CLOEXEC) == -1)
		return complain("a pipe: %s", strerror(errno));
	fflush(NULL);
	recipient = fork();
	if (recipient == 0) {
		close(ends[0]);
		receive(&reader, count, ends[1]);
	}
	close(ends[1]);
	status = recipient == -1
	    ? -1
	    : converse(&party, count, ends[0], acknowledged, arrivals);
	party_close(&party);
	close(ends[0]);
	if (status == -1)
		process_end(recipient, 1000);
	else if (process_wait(recipient) == -1)
		status = complain("the recipient did not end well");
	if (status == 0)
		show(bench, acknowledged, arrivals, (size_t)count);
	return status;
}

int
bench_delay(struct bench *bench)
{
	struct centre centre;
	int status;

	report_part("From sending to the recipient's stored event",
	    "a recipient that asks back to back; one that asks every 2 s adds"
	    " up to that");
	status = centre_start(&centre, &bench->ground, "delay", USERS);
	if (status == 0)
		status = measure(bench, &centre);
	if (centre_stop(&centre) == -1 && status == 0)
		status = complain("the centre did not end well");
	return status;
}
