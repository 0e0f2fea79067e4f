/* SPDX-License-Identifier: ISC */
/*
 * A unit test's report in TAP (testanything.org): ok() and is() for each
 * claim, `return done();` at the end of main().  One file, no state shared.
 */
#ifndef UNIT_TAP_H
#define UNIT_TAP_H

#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

static int tap_count, tap_failed;

/* Reports one claim; the text says what holds. */
static inline bool __attribute__((format(printf, 2, 3)))
ok(bool good, const char *fmt, ...)
{
	va_list args;

	tap_count++;
	if (!good)
		tap_failed++;
	printf("%sok %d - ", good ? "" : "not ", tap_count);
	va_start(args, fmt);
	vprintf(fmt, args);
	va_end(args);
	putchar('\n');
	fflush(stdout);
	return good;
}

/* Prints a string as the comment of a failed claim, line by line. */
static inline void
tap_show(const char *what, const char *text)
{
	printf("# %s: ", what);
	for (; text && *text; text++) {
		putchar(*text);
		if (*text == '\n')
			printf("#   ");
	}
	printf("%s\n", text ? "" : "NULL");
	fflush(stdout);
}

/* Claims that two strings are the same (NULL is only like NULL). */
static inline bool __attribute__((format(printf, 3, 4)))
is(const char *got, const char *wanted, const char *fmt, ...)
{
	char text[256];
	va_list args;
	bool same = got == wanted || (got && wanted && !strcmp(got, wanted));

	va_start(args, fmt);
	vsnprintf(text, sizeof(text), fmt, args);
	va_end(args);
	ok(same, "%s", text);
	if (!same) {
		tap_show("   got", got);
		tap_show("wanted", wanted);
	}
	return same;
}

/* Claims that two numbers are the same. */
static inline bool __attribute__((format(printf, 3, 4)))
is_number(long long got, long long wanted, const char *fmt, ...)
{
	char text[256];
	va_list args;

	va_start(args, fmt);
	vsnprintf(text, sizeof(text), fmt, args);
	va_end(args);
	ok(got == wanted, "%s", text);
	if (got != wanted)
		printf("#    got: %lld\n# wanted: %lld\n", got, wanted);
	return got == wanted;
}

/* The plan, and the exit status of main(). */
static inline int
done(void)
{
	printf("1..%d\n", tap_count);
	if (tap_failed)
		printf("# %d of %d failed\n", tap_failed, tap_count);
	return tap_failed != 0;
}

#endif
