/* SPDX-License-Identifier: ISC */
/*
 * What a guesser learns from the clock: the time of a wrong password for
 * names that exist, whose users are logged in, and for names that do not;
 * then the same once all of them are locked.  A threshold is fitted to one
 * half of the tries and judged by the other.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bench.h"
#include "party.h"
#include "lib/unix.h"

enum {
	TRIES = 2000, /* names, each of them once */
	TRIES_QUICK = 40,
	NOBODY = 1000000, /* from here on nobody has the name */
	REPLY_LEN = 512,
	ATTEMPTS = 2, /* until a name is locked */
};

struct
try {
	bool known;
	int number; /* of the name */
	double took; /* microseconds */
};

struct guesser {
	struct party party;
	int count;
	struct try tries[TRIES];
	char reply[REPLY_LEN]; /* the first, for those after it */
	int differ; /* replies that were not like it */
};

/* The same in every reply but for the seconds that are left. */
static void
normalise(char *text)
{
	char *at = strstr(text, "\"retry_after\":");

	if (at != NULL)
		for (at += strlen("\"retry_after\":"); *at >= '0' && *at <= '9';
		     at++)
			*at = '#';
}

/* One try; -1 after a complaint. */
static int
guess(struct guesser *guesser, struct try *try, bool first)
{
	struct party *party = &guesser->party;
	char line[LOAD_LINE_LEN], name[NAME_MAX_LEN + 1], reply[REPLY_LEN];
	int64_t until = clock_mono() + 10000, began;
	char *text;
	size_t len;

	if (party->asked == WIRE_REQUESTS_MAX)
		party_close(party);
	if (!party->open && !party_open(party))
		return complain("no connection: %s", party->conn.why);
	centre_user(try->number, name);
	len = (size_t)snprintf(line, sizeof(line),
	    "{\"op\":\"login\",\"user\":\"%s\",\"password\":\"a guess\"}\n",
	    name);
	began = clock_ns();
	if (tls_write(&party->conn, line, len, until) != TLS_OK ||
	    tls_read_line(&party->conn, &text, &len, until) != TLS_OK)
		return complain("no reply: %s", party->conn.why);
	try->took = (double)(clock_ns() - began) / 1000;
	party->asked++;
	/* Any other ends the connection, and nothing would be measured. */
	if (strstr(text, "\"error\":\"login-") == NULL)
		return complain("a guess is answered %s", text);
	snprintf(reply, sizeof(reply), "%s", text);
	normalise(reply);
	if (first)
		memcpy(guesser->reply, reply, sizeof(reply));
	guesser->differ += strcmp(guesser->reply, reply) != 0;
	return 0;
}

/* Known and unknown by turns of chance, as many of either. */
static void
shuffle(struct guesser *guesser)
{
	for (int i = 0; i < guesser->count; i++) {
		struct try *try = &guesser->tries[i];

		try->known = i % 2 == 0;
		try->number = i / 2 + (try->known ? 0 : NOBODY);
	}
	for (int i = guesser->count - 1; i > 0; i--) {
		int j = rand() % (i + 1);
		struct try other = guesser->tries[j];

		guesser->tries[j] = guesser->tries[i];
		guesser->tries[i] = other;
	}
}

/* How many of the tries a threshold gets right, slow meaning known. */
static int
right(const struct try *tries, int count, double threshold)
{
	int good = 0;

	for (int i = 0; i < count; i++)
		good += (tries[i].took > threshold) == tries[i].known;
	return good;
}

/* The share of the second half that the best rule of the first gets right. */
static double
accuracy(const struct guesser *guesser)
{
	const struct try *second = guesser->tries + guesser->count / 2;
	const int half = guesser->count / 2;
	double best = 0;
	int most = -1, judged;
	bool turned = false;

	for (int i = 0; i < half; i++) {
		int good = right(guesser->tries, half, guesser->tries[i].took);

		if (good > most || half - good > most) {
			turned = half - good > good;
			most = turned ? half - good : good;
			best = guesser->tries[i].took;
		}
	}
	judged = right(second, guesser->count - half, best);
	if (turned)
		judged = guesser->count - half - judged;
	return (double)judged / (guesser->count - half);
}

/* The middle of those with known names, or of the others. */
static double
median(const struct guesser *guesser, bool known)
{
	double took[TRIES];
	size_t count = 0;

	for (int i = 0; i < guesser->count; i++)
		if (guesser->tries[i].known == known)
			took[count++] = guesser->tries[i].took;
	return quantile(took, count, 0.5);
}

/* Every name once, and what that tells. */
static int
measure(struct bench *bench, struct guesser *guesser, const char *how)
{
	char key[4][48];
	const struct report_row rows[] = {
	    {key[0], "a threshold is right (50 %: nothing is learned)", "%",
		BAR_MOST, 55},
	    {key[1], "    median, the name is known", "us", 0, 0},
	    {key[2], "    median, it is not", "us", 0, 0},
	    {key[3], "    replies in other words", "", BAR_MOST, 0},
	};
	static const char *const names[] = {
	    "accuracy_percent", "known", "unknown", "differ"};
	double values[4];

	shuffle(guesser);
	guesser->differ = 0;
	for (int i = 0; i < guesser->count && !interrupted(); i++)
		if (guess(guesser, &guesser->tries[i], i == 0) == -1)
			return -1;
	if (interrupted())
		return -1;
	values[0] = 100 * accuracy(guesser);
	values[1] = median(guesser, true);
	values[2] = median(guesser, false);
	values[3] = guesser->differ;
	for (int i = 0; i < 4; i++) {
		snprintf(key[i], sizeof(key[i]), "login_%s_%s", how, names[i]);
		report_line(&bench->report, &rows[i], 0, values[i]);
	}
	return 0;
}

/* A wrong password for each name, another that locks it, then a third. */
static int
guess_all(struct bench *bench, const struct centre *centre)
{
	struct guesser *guesser = calloc(1, sizeof(*guesser));
	int status = -1;

	if (guesser == NULL)
		return complain("no memory");
	guesser->party = (struct party){.bench = bench, .port = centre->port};
	guesser->count = bench->quick ? TRIES_QUICK : TRIES;
	srand(1);
	report_part("A wrong password",
	    "for names of users who are logged in, and for names of nobody");
	status = measure(bench, guesser, "wrong");
	if (status == 0) {
		report_part("A second one, which locks the name", NULL);
		status = measure(bench, guesser, "locking");
	}
	if (status == 0) {
		report_line(&bench->report,
		    &(struct report_row){"login_hashes",
			"passwords hashed for them", "", BAR_MOST,
			ATTEMPTS * guesser->count},
		    0, (double)centre_metric(centre, "password_checks_total"));
		report_part(
		    "Any password, when all these names are locked", NULL);
		status = measure(bench, guesser, "locked");
	}
	party_close(&guesser->party);
	free(guesser);
	return status;
}

int
bench_login(struct bench *bench)
{
	const struct centre_plan plan = {.name = "login",
	    .users = (bench->quick ? TRIES_QUICK : TRIES) / 2,
	    .passwords = true,
	    .attempts = ATTEMPTS};
	struct centre centre = {0};
	int status = -1;

	if (centre_make(&centre, &bench->ground, &plan) == 0)
		status = guess_all(bench, &centre);
	if (centre_stop(&centre) == -1 && status == 0)
		status = complain("the centre did not end well");
	return status;
}
