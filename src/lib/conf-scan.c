/* SPDX-License-Identifier: ISC */
/*
 * Reads a configuration only far enough to find the numbers that libconfig
 * would cut off, and the files that it could not include.  Runs wherever
 * conf.c does; what is no configuration at all is left to libconfig.
 */
#include <ctype.h>
#include <errno.h>
#include <limits.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "lib/conf-parts.h"
#include "lib/unix.h"

enum {
	INCLUDE_DEPTH_MAX = 8, /* libconfig's own limit is ten */
	GROUP_DEPTH_MAX = 16,
	PATH_LEN_MAX = 256,
};

/* Where a scan stands: the groups around it and the last name. */
struct place {
	char path[PATH_LEN_MAX];
	size_t ends[GROUP_DEPTH_MAX]; /* length of path at each depth */
	unsigned depth;
	size_t len; /* of path, without the last name */
};

/* One file that is being scanned. */
struct scan {
	const struct conf_scan *to;
	struct place *place;
	const char *file, *at;
	int line, depth;
};

/* Skips blanks, and comments of all three kinds. */
static void
skip_blank(struct scan *scan)
{
	for (;;) {
		const char *at = scan->at, *end;

		if (*at == '\0') {
			return;
		} else if (isspace((unsigned char)*at)) {
			end = at + 1;
		} else if (*at == '#' || (at[0] == '/' && at[1] == '/')) {
			end = at + strcspn(at, "\n");
		} else if (at[0] == '/' && at[1] == '*') {
			end = strstr(at + 2, "*/");
			end = end ? end + 2 : at + strlen(at);
		} else {
			return;
		}
		for (; at < end; at++)
			scan->line += *at == '\n';
		scan->at = end;
	}
}

/* Skips a string, and writes what it says if there is room. */
static void
skip_string(struct scan *scan, char *to, size_t size)
{
	size_t len = 0;

	for (scan->at++; *scan->at && *scan->at != '"'; scan->at++) {
		if (scan->at[0] == '\\' && scan->at[1] != '\0')
			scan->at++;
		scan->line += *scan->at == '\n';
		if (len + 1 < size)
			to[len++] = *scan->at;
	}
	if (size > 0)
		to[len] = '\0';
	if (*scan->at == '"')
		scan->at++;
}

/* Takes a name; if it is that of a setting, the place remembers it. */
static void
scan_name(struct scan *scan)
{
	struct place *place = scan->place;
	const char *name = scan->at;
	size_t len = 0;

	while (isalnum((unsigned char)name[len]) ||
	    (name[len] && strchr("-_*", name[len])))
		len++;
	scan->at = name + len;
	skip_blank(scan);
	if (*scan->at != '=' && *scan->at != ':')
		return;
	if (place->len + len + 2 > sizeof(place->path))
		len = sizeof(place->path) - 2 - place->len;
	place->path[place->len] = '.';
	memcpy(place->path + place->len + (place->len > 0), name, len);
	place->path[place->len + (place->len > 0) + len] = '\0';
}

/* Goes into a group, or out of it. */
static void
scan_group(struct scan *scan, bool in)
{
	struct place *place = scan->place;

	if (in) {
		if (place->depth < GROUP_DEPTH_MAX)
			place->ends[place->depth] = place->len;
		place->depth++;
		place->len = strlen(place->path);
		if (place->len + 2 > sizeof(place->path))
			place->len = sizeof(place->path) - 2;
	} else if (place->depth > 0) {
		place->depth--;
		if (place->depth < GROUP_DEPTH_MAX)
			place->len = place->ends[place->depth];
		place->path[place->len] = '\0';
	}
}

/* True if a number as it stands in a file becomes itself in libconfig. */
static bool
number_fits(const char *number)
{
	const char *digits = number + (*number == '-' || *number == '+');
	bool hex = digits[0] == '0' && (digits[1] | 32) == 'x';
	unsigned long long high;
	bool is_long;
	long long value;
	char *end;

	errno = 0;
	high = hex ? strtoull(digits, &end, 16) : 0;
	value = hex ? 0 : strtoll(number, &end, 10);
	is_long = *end == 'L';
	if (strspn(end, "L") != strlen(end))
		return true; /* with a point or an exponent */
	if (errno == ERANGE)
		return false;
	if (hex)
		return high <= (is_long ? LLONG_MAX : INT_MAX);
	return is_long || (value >= INT_MIN && value <= INT_MAX);
}

/* Takes a number and tells if it does not fit. */
static void
scan_number(struct scan *scan)
{
	const struct conf_scan *to = scan->to;
	const char *start = scan->at, *at = start + 1;
	char *number;
	bool hex = false;

	for (; isalnum((unsigned char)*at) || *at == '.' ||
	     (!hex && (at[-1] | 32) == 'e' && *at && strchr("+-", *at));
	     at++)
		hex = hex || (*at | 32) == 'x';
	scan->at = at;
	number = conf_must(strndup(start, (size_t)(at - start)));
	if (!number_fits(number))
		to->number(
		    to->arg, scan->file, scan->line, scan->place->path, number);
	free(number);
}

static void scan_text(struct scan *scan);

/* Scans an included file as if it stood here. */
static void
scan_include(struct scan *scan)
{
	const struct conf_scan *to = scan->to;
	struct scan inner = *scan;
	char path[PATH_MAX];
	char *text;

	scan->at += strlen("@include");
	scan->at += strspn(scan->at, " \t");
	if (*scan->at != '"')
		return;
	skip_string(scan, path, sizeof(path));
	if (scan->depth == INCLUDE_DEPTH_MAX) {
		to->unreadable(to->arg, scan->file, scan->line, path,
		    "files include each other too deeply");
		return;
	}
	text = file_read(path, CONF_FILE_MAX, NULL);
	if (!text) {
		to->unreadable(
		    to->arg, scan->file, scan->line, path, strerror(errno));
		return;
	}
	inner.file = path;
	inner.at = text;
	inner.line = 1;
	inner.depth++;
	scan_text(&inner);
	free(text);
}

/* Looks for numbers that do not fit. */
static void
scan_text(struct scan *scan)
{
	for (skip_blank(scan); *scan->at; skip_blank(scan)) {
		unsigned char c = (unsigned char)scan->at[0];
		unsigned char next = (unsigned char)scan->at[1];

		if (c == '"')
			skip_string(scan, NULL, 0);
		else if (isalpha(c) || c == '*')
			scan_name(scan);
		else if (isdigit(c) ||
		    ((c == '-' || c == '+') && isdigit(next)))
			scan_number(scan);
		else if (strncmp(scan->at, "@include", 8) == 0)
			scan_include(scan);
		else {
			if (c == '{' || c == '}')
				scan_group(scan, c == '{');
			scan->at++;
		}
	}
}

void
conf_scan(const struct conf_scan *to, const char *file, const char *text)
{
	struct place place = {.depth = 0};
	struct scan scan = {
	    .to = to, .place = &place, .file = file, .at = text, .line = 1};

	scan_text(&scan);
}
