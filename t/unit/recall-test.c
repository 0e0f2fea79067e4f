/* SPDX-License-Identifier: ISC */
/*
 * What was typed before: it comes back as it was, is bounded, and nobody else
 * can read it.
 */
#include "tap.h"

#include <sys/stat.h>

#include <stdlib.h>
#include <unistd.h>

#include "chat/faces/recall.h"

enum { MANY = RECALL_MAX + 200 };

/* What came back. */
struct got {
	size_t count;
	char first[64], last[64];
};

static void
take(void *arg, const char *line)
{
	struct got *got = arg;

	if (got->count++ == 0)
		snprintf(got->first, sizeof(got->first), "%s", line);
	snprintf(got->last, sizeof(got->last), "%s", line);
}

static struct got
read_back(const char *path)
{
	struct got got = {0};

	recall_read(path, take, &got);
	return got;
}

/* How many lines the file has. */
static int
lines_in(const char *path)
{
	FILE *from = fopen(path, "r");
	int c, count = 0;

	while (from != NULL && (c = getc(from)) != EOF)
		count += c == '\n';
	if (from != NULL)
		fclose(from);
	return count;
}

static void
test_one(const char *path)
{
	struct stat st;
	struct got got = read_back(path);

	is_number((long)got.count, 0, "a file that is missing has no lines");
	recall_trim(path);
	ok(access(path, F_OK) == -1, "and is not made by that");
	recall_add(path, "message bob \\n is not\na newline\\");
	got = read_back(path);
	is_number((long)got.count, 1, "a line of two lines is one");
	is(got.last, "message bob \\n is not\na newline\\", "and as it was");
	ok(stat(path, &st) == 0 && (st.st_mode & 0777) == 0600,
	    "nobody else can read it");
}

static void
test_many(const char *path)
{
	char line[64];
	struct got got;
	char *long_line = calloc(1, RECALL_LINE_MAX + 2);

	for (int i = 0; i < MANY; i++) {
		snprintf(line, sizeof(line), "line %d", i);
		recall_add(path, line);
	}
	got = read_back(path);
	is_number((long)got.count, RECALL_MAX, "no more come back");
	snprintf(line, sizeof(line), "line %d", MANY - RECALL_MAX);
	is(got.first, line, "they are the last ones");
	recall_trim(path);
	is_number(lines_in(path), RECALL_MAX, "no more are kept");
	is(read_back(path).first, line, "the same ones");
	memset(long_line, 'x', RECALL_LINE_MAX + 1);
	recall_add(path, long_line);
	is_number(lines_in(path), RECALL_MAX, "a line can be too long");
	free(long_line);
}

int
main(void)
{
	char dir[] = "/tmp/recall-test-XXXXXX", path[64];

	if (!ok(mkdtemp(dir) != NULL, "a directory"))
		return done();
	snprintf(path, sizeof(path), "%s/typed", dir);
	test_one(path);
	test_many(path);
	unlink(path);
	ok(rmdir(dir) == 0, "nothing else is left");
	return done();
}
