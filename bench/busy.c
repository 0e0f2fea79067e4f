/* SPDX-License-Identifier: ISC */
/*
 * Sends and logins beside the beacon.  Each is one process that asks and
 * waits, so that what it measures is a client's wait; must never hurry to
 * catch up, or a slow centre would look like a busy one.
 */
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>
#include <sys/mman.h>

#include "busy.h"
#include "party.h"

enum {
	PAUSE_MS = 10, /* between two sends, and as much again by chance */
};

/* Sends until the time is over; how many went well. */
static _Noreturn void
send_on(const struct bench *bench, const struct busy_plan *plan,
    struct busy_result *result)
{
	static int runs;
	struct party party = {.bench = bench, .port = plan->port};
	int64_t end = clock_ns() + plan->ms * 1000000;
	char id[48];

	srand((unsigned)time(NULL));
	while (
	    !interrupted() && clock_ns() < end && result->sends < BUSY_SENDS) {
		int64_t began;

		poll(NULL, 0, PAUSE_MS + rand() % PAUSE_MS);
		snprintf(id, sizeof(id), "bench-busy-%d-%ld-%d", runs,
		    (long)getpid(), (int)result->sends);
		began = clock_ns();
		if (!party_send(&party, rand() % plan->users,
			rand() % plan->users, id, "As long as people write."))
			_exit(1);
		result->took[result->sends++] =
		    (double)(clock_ns() - began) / 1000;
		party_close(&party);
	}
	_exit(0);
}

/* Logs one guest in. */
static bool
log_in(struct party *party, int number)
{
	char line[LOAD_LINE_LEN], name[NAME_MAX_LEN + 1];
	bool good;
	int len;

	centre_user(number, name);
	len = snprintf(line, sizeof(line),
	    "{\"op\":\"login\",\"user\":\"%s\",\"password\":\"%s\"}\n", name,
	    CENTRE_PASSWORD);
	good = party_ask(party, line, (size_t)len) != NULL;
	party_close(party);
	return good;
}

/* Has guests log in, one after the other, at their rate. */
static _Noreturn void
visit(const struct bench *bench, const struct busy_plan *plan,
    struct busy_result *result)
{
	struct party party = {.bench = bench, .port = plan->port};
	int64_t began = clock_ns(), end = began + plan->ms * 1000000, due;
	int64_t step = INT64_C(1000000000) / plan->logins;

	for (due = began; due < end && !interrupted(); due += step) {
		int64_t now = clock_ns();

		if (due > now)
			poll(NULL, 0, (int)((due - now) / 1000000));
		if (!log_in(&party,
			plan->users + (int)(result->logins % plan->guests)))
			_exit(1);
		result->logins++;
	}
	_exit(0);
}

int
busy_begin(
    struct busy *busy, const struct bench *bench, const struct busy_plan *plan)
{
	busy->sender = busy->visitor = -1;
	busy->result = mmap(NULL, sizeof(*busy->result), PROT_READ | PROT_WRITE,
	    MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (busy->result == MAP_FAILED) {
		busy->result = NULL;
		return complain("memory: %s", strerror(errno));
	}
	fflush(NULL);
	busy->sender = fork();
	if (busy->sender == 0)
		send_on(bench, plan, busy->result);
	if (busy->sender == -1)
		return complain("fork: %s", strerror(errno));
	if (plan->guests == 0)
		return 0;
	busy->visitor = fork();
	if (busy->visitor == 0)
		visit(bench, plan, busy->result);
	return busy->visitor == -1 ? complain("fork: %s", strerror(errno)) : 0;
}

int
busy_end(struct busy *busy)
{
	int status = 0;

	if (busy->sender > 0 && process_wait(busy->sender) == -1)
		status = complain("who sent did not end well");
	if (busy->visitor > 0 && process_wait(busy->visitor) == -1)
		status = complain("who logged in did not end well");
	busy->sender = busy->visitor = -1;
	return status;
}

void
busy_release(struct busy *busy)
{
	if (busy->result != NULL)
		munmap(busy->result, sizeof(*busy->result));
	busy->result = NULL;
}
