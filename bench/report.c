/* SPDX-License-Identifier: ISC */
/*
 * The benchmark's table and JSON.  Runs in the benchmark; judges a value
 * only by the bar that its row names.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "report.h"

enum { TEXT_LEN = 128 };

int
report_begin(struct report *report, bool bars)
{
	report->results = json_object();
	report->missed = 0;
	report->bars = bars;
	return report->results ? 0 : -1;
}

void
report_release(struct report *report)
{
	json_decref(report->results);
}

void
report_part(const char *title, const char *note)
{
	printf("\n%s\n", title);
	if (note != NULL)
		printf("  (%s)\n", note);
	fflush(stdout);
}

/* Copies a text with the number in the place of its first "%d". */
static void
fill_in(char out[TEXT_LEN], const char *text, int n)
{
	const char *at = strstr(text, "%d");

	if (at == NULL)
		snprintf(out, TEXT_LEN, "%s", text);
	else
		snprintf(out, TEXT_LEN, "%.*s%d%s", (int)(at - text), text, n,
		    at + 2);
}

static bool
reached(const struct report_row *row, double value)
{
	return row->bar == BAR_MOST ? value <= row->limit : value >= row->limit;
}

static void
print_line(const struct report *report, const struct report_row *row,
    const char *what, double value)
{
	printf(
	    "  %-54s %10.*f %-14s", what, value < 10 ? 3 : 1, value, row->unit);
	if (row->bar != BAR_NONE)
		printf("  bar: %s %g%s",
		    row->bar == BAR_MOST ? "<=" : ">=", row->limit,
		    !report->bars             ? ""
			: reached(row, value) ? "  reached"
					      : "  MISSED");
	putchar('\n');
	fflush(stdout);
}

void
report_line(
    struct report *report, const struct report_row *row, int n, double value)
{
	char key[TEXT_LEN], what[TEXT_LEN];
	json_t *entry;

	fill_in(key, row->key, n);
	fill_in(what, row->what, n);
	print_line(report, row, what, value);
	entry = json_pack("{s:f, s:s, s:s}", "value", value, "unit", row->unit,
	    "what", what + strspn(what, " "));
	if (row->bar != BAR_NONE) {
		json_object_set_new(entry,
		    row->bar == BAR_MOST ? "at_most" : "at_least",
		    json_real(row->limit));
		if (report->bars) {
			json_object_set_new(entry, "reached",
			    json_boolean(reached(row, value)));
			report->missed += !reached(row, value);
		}
	}
	json_object_set_new(report->results, key, entry);
}

char *
report_json(const struct report *report, json_t *facts)
{
	json_t *again = NULL;
	char *text = NULL;

	if (json_object_set(facts, "results", report->results) == 0)
		text =
		    json_dumps(facts, JSON_INDENT(2) | JSON_REAL_PRECISION(6));
	if (text != NULL)
		again = json_loads(text, JSON_REJECT_DUPLICATES, NULL);
	if (again == NULL) {
		free(text);
		return NULL;
	}
	json_decref(again);
	return text;
}
