/* SPDX-License-Identifier: ISC */
/*
 * From a message's acceptance to its row in the recipient's book, with the
 * beacon.  The recipient is a process of its own that sleeps until it is
 * knocked, then fetches over a new connection as the agent does, and stores
 * with the agent's own book.
 */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include "bench.h"
#include "knock.h"
#include "party.h"
#include "chat/agent/book.h"
#include "lib/unix.h"

enum {
	MESSAGES = 200,
	MESSAGES_QUICK = 10,
	PAUSE_MS = 60, /* beyond the time in which knocks are gathered */
	PATIENCE_MS = 10000,
	ANSWER_MS = 1000,
	TRIES = 3,
	SENDER = 0,
	RECIPIENT = 1,
	USERS = 2,
};

/* Says LIVE. */
static bool
ear_live(struct ear *ear)
{
	struct beacon live = {.type = BEACON_LIVE,
	    .id = ear->identity.id,
	    .counter = ++ear->counter,
	    .echo = ear->echo};
	uint8_t out[BEACON_LEN];

	return beacon_encode(ear->mac, ear->identity.keys.client, &live, out) &&
	    send(ear->sock, out, sizeof(out), 0) == sizeof(out);
}

/* The next datagram that is the centre's; false if none comes in time. */
static bool
ear_take(struct ear *ear, int ms, struct beacon *beacon)
{
	int64_t until = clock_ns() + ms * INT64_C(1000000);
	uint8_t in[BEACON_LEN + 1];

	for (;;) {
		struct pollfd pfd = {.fd = ear->sock, .events = POLLIN};
		int64_t left = (until - clock_ns()) / 1000000;
		ssize_t got;

		if (left <= 0 || poll(&pfd, 1, (int)left) < 1)
			return false;
		got = recv(ear->sock, in, sizeof(in), MSG_DONTWAIT);
		if (got > 0 && beacon_decode(in, (size_t)got, beacon) &&
		    beacon->id == ear->identity.id &&
		    beacon_verify(ear->mac, ear->identity.keys.centre, in) &&
		    beacon_take(&ear->window, beacon->counter)) {
			ear->echo = beacon->echo;
			return true;
		}
	}
}

/* Tells the centre where we are. */
static bool
ear_prove(struct ear *ear)
{
	struct beacon beacon;

	for (int i = 0; i < TRIES; i++)
		if (ear_live(ear) && ear_take(ear, ANSWER_MS, &beacon) &&
		    beacon.type == BEACON_HEADS)
			return true;
	complain("the beacon does not answer");
	return false;
}

bool
ear_open(struct ear *ear, const struct identity *identity, uint16_t port)
{
	struct sockaddr_in to = {.sin_family = AF_INET,
	    .sin_port = htons(port),
	    .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};

	memset(ear, 0, sizeof(*ear));
	ear->identity = *identity;
	ear->mac = beacon_mac_new();
	ear->sock = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (ear->mac == NULL || ear->sock == -1 ||
	    connect(ear->sock, (struct sockaddr *)&to, sizeof(to)) == -1) {
		complain("a socket: %s", strerror(errno));
		return false;
	}
	return ear_prove(ear);
}

void
ear_close(struct ear *ear)
{
	beacon_mac_free(ear->mac);
	if (ear->sock > 0)
		close(ear->sock);
}

bool
ear_hears(struct ear *ear, int ms)
{
	struct beacon beacon;

	while (ear_take(ear, ms, &beacon))
		if (beacon.type == BEACON_KNOCK)
			return true;
	return false;
}

/* The recipient. */
struct listener {
	struct party party;
	struct ear ear;
	struct book *book;
	struct book_place place;
};

/* Stores the events of a reply with the cursors after it; how many, or -1. */
static int
keep(struct listener *to, const json_t *reply)
{
	const json_t *list = json_object_get(reply, "events");
	size_t size = json_array_size(list), count = 0;
	struct wire_event *events = calloc(size + 1, sizeof(*events));
	char **ids = calloc(size + 1, sizeof(*ids));
	const char *epoch = wire_get_string(reply, "epoch");
	int status = -1;

	for (size_t i = 0; events != NULL && ids != NULL && i < size; i++)
		if (wire_event_decode(json_array_get(list, i), &events[count],
			&ids[count]) == 0)
			count++;
	snprintf(to->place.epoch, sizeof(to->place.epoch), "%s",
	    epoch != NULL ? epoch : "");
	to->place.mail = wire_get_number(reply, "mail", 0);
	to->place.room = wire_get_number(reply, "room", 0);
	if (events != NULL && ids != NULL)
		status =
		    book_store(to->book, events, count, &to->place, NULL, NULL);
	for (size_t i = 0; ids != NULL && i < count; i++)
		free(ids[i]);
	free(ids);
	free(events);
	return status == -1 ? complain("the book: %s", book_why(to->book))
			    : (int)count;
}

/* One question about the own session, its answer kept; events, or -1. */
static int
fetch(struct listener *to, const char *op)
{
	char line[LOAD_LINE_LEN], why[WIRE_WHY_LEN];
	const char *text;
	json_t *reply;
	int count, len;

	len = snprintf(line, sizeof(line),
	    "{\"op\":\"%s\",\"token\":\"%s\",\"epoch\":\"%s\",\"mail\":"
	    "%" PRId64 ",\"room\":%" PRId64 "}\n",
	    op, to->place.token, to->place.epoch, to->place.mail,
	    to->place.room);
	if ((text = party_ask(&to->party, line, (size_t)len)) == NULL)
		return -1;
	if ((reply = wire_object(text, strlen(text), why)) == NULL)
		return complain("%s: %s", op, why);
	count = keep(to, reply);
	json_decref(reply);
	return count;
}

/* Fetches until there is nothing left, and says when it was stored. */
static bool
knocked(struct listener *to, int tell)
{
	int count;

	while ((count = fetch(to, "sync")) > 0) {
		int64_t stored = clock_ns();

		for (int i = 0; i < count; i++)
			if (fd_write_all(tell, &stored, sizeof(stored)) == -1)
				return false;
	}
	party_close(&to->party);
	return count == 0;
}

/* The recipient's process; it ends when nobody knocks any more. */
static _Noreturn void
receive(const struct bench *bench, uint16_t port, int wanted, int tell)
{
	struct listener to = {.party = {.bench = bench, .port = port}};
	char path[BENCH_PATH_LEN + 16], why[BOOK_WHY_LEN];
	char name[NAME_MAX_LEN + 1];
	struct identity identity;
	int64_t ready = 0;

	snprintf(path, sizeof(path), "%s/listener", bench->ground.dir);
	centre_user(RECIPIENT, name);
	centre_token(&bench->ground, RECIPIENT, to.place.token);
	identity_make(bench->ground.secret, RECIPIENT, &identity);
	to.book = book_open(path, name, why);
	if (to.book == NULL) {
		complain("%s", why);
		_exit(1);
	}
	/* The heads of a LIVE are cursors here: nothing has come yet. */
	if (fetch(&to, "live") == -1 || !ear_open(&to.ear, &identity, port) ||
	    fd_write_all(tell, &ready, sizeof(ready)) == -1)
		_exit(1);
	party_close(&to.party);
	while (wanted-- > 0 && !interrupted())
		if (!ear_hears(&to.ear, PATIENCE_MS) || !knocked(&to, tell))
			_exit(1);
	ear_close(&to.ear);
	book_close(to.book);
	_exit(0);
}

/* The next time that the recipient tells, or -1 after a complaint. */
static int64_t
told(int from)
{
	struct pollfd pfd = {.fd = from, .events = POLLIN};
	int64_t at;

	if (poll(&pfd, 1, PATIENCE_MS) < 1 ||
	    read(from, &at, sizeof(at)) != sizeof(at))
		return complain("a message did not arrive");
	return at;
}

/* Sends them all; from accepted and from sent to stored, microseconds. */
static int
converse(
    struct party *party, int count, int from, double *accepted, double *sent)
{
	if (told(from) == -1)
		return -1;
	for (int i = 0; i < count; i++) {
		int64_t began, done, stored;
		char id[32];

		poll(NULL, 0, PAUSE_MS + rand() % PAUSE_MS);
		snprintf(id, sizeof(id), "bench-knock-%09d", i);
		began = clock_ns();
		if (!party_send(party, SENDER, RECIPIENT, id,
			"A message as long as people write."))
			return -1;
		done = clock_ns();
		party_close(party);
		if ((stored = told(from)) == -1)
			return -1;
		accepted[i] = (double)(stored - done) / 1000;
		sent[i] = (double)(stored - began) / 1000;
	}
	return 0;
}

static void
show(struct bench *bench, double *accepted, double *sent, size_t count)
{
	static const struct report_row rows[] = {
	    {"knock_stored", "accepted to stored by the recipient, median",
		"us", BAR_MOST, 15000},
	    {"knock_stored_95", "the same, 95 of 100 are faster", "us", 0, 0},
	    {"knock_sent", "from the sender's connecting to stored, median",
		"us", 0, 0},
	};

	report_line(&bench->report, &rows[0], 0, quantile(accepted, count, .5));
	report_line(
	    &bench->report, &rows[1], 0, quantile(accepted, count, .95));
	report_line(&bench->report, &rows[2], 0, quantile(sent, count, .5));
}

static int
measure(struct bench *bench, const struct centre *centre)
{
	struct party party = {.bench = bench, .port = centre->port};
	int count = bench->quick ? MESSAGES_QUICK : MESSAGES, ends[2], status;
	double accepted[MESSAGES], sent[MESSAGES];
	pid_t recipient;

	if (pipe2(ends, O_CLOEXEC) == -1)
		return complain("a pipe: %s", strerror(errno));
	fflush(NULL);
	recipient = fork();
	if (recipient == 0) {
		close(ends[0]);
		receive(bench, centre->port, count, ends[1]);
	}
	close(ends[1]);
	status = recipient == -1
	    ? -1
	    : converse(&party, count, ends[0], accepted, sent);
	party_close(&party);
	close(ends[0]);
	if (status == -1)
		process_end(recipient, 1000);
	else if (process_wait(recipient) == -1)
		status = complain("the recipient did not end well");
	if (status == 0)
		show(bench, accepted, sent, (size_t)count);
	return status;
}

int
bench_knock(struct bench *bench)
{
	struct centre centre;
	int status;

	report_part("From accepted to the recipient's stored message",
	    "with the beacon: a recipient that sleeps until it is knocked;"
	    " the agent's own book, not the agent");
	status = centre_start(&centre, &bench->ground, "knock", USERS);
	if (status == 0)
		status = measure(bench, &centre);
	if (centre_stop(&centre) == -1 && status == 0)
		status = complain("the centre did not end well");
	return status;
}
