/* SPDX-License-Identifier: ISC */
/*
 * What was measured: a table for people as it comes, and JSON at the end.
 */
#ifndef BENCH_REPORT_H
#define BENCH_REPORT_H

#include <stdbool.h>

#include <jansson.h>

enum bar { BAR_NONE, BAR_MOST, BAR_LEAST };

struct report {
	json_t *results;
	int missed; /* bars that were not reached */
	bool bars; /* false: values of too short a run are not judged */
};

/* One line of the table: the key of the JSON, what a person reads. */
struct report_row {
	const char *key;
	const char *what;
	const char *unit;
	enum bar bar;
	double limit;
};

int report_begin(struct report *report, bool bars);
void report_release(struct report *report);

/* A heading, and a sentence below it (NULL: none). */
void report_part(const char *title, const char *note);

/* A line; n takes the place of %d in key and what. */
void report_line(
    struct report *report, const struct report_row *row, int n, double value);

/*
 * The JSON in fresh memory (free it); facts (kept) stand beside the results.
 * NULL if it cannot be made, or is none when it is read again.
 */
char *report_json(const struct report *report, json_t *facts);

#endif
