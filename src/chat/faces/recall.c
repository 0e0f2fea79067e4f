/* SPDX-License-Identifier: ISC */
/*
 * What was typed before, in a file of the account's own, readable by nobody
 * else.  Runs in the face; never sees a password.
 */
#include "chat/faces/recall.h"

#include <sys/file.h>
#include <sys/stat.h>

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* Writes a line as one line. */
static void
put_line(FILE *to, const char *line)
{
	for (; *line != '\0'; line++)
		if (*line == '\n')
			fputs("\\n", to);
		else if (*line == '\\')
			fputs("\\\\", to);
		else
			putc(*line, to);
	putc('\n', to);
}

/* Undoes that in place, the newline at the end included. */
static void
unfold(char *line)
{
	char *to = line;

	for (; *line != '\0' && *line != '\n'; line++) {
		if (*line == '\\' && (line[1] == 'n' || line[1] == '\\'))
			*to++ = *++line == 'n' ? '\n' : '\\';
		else
			*to++ = *line;
	}
	*to = '\0';
}

/* True if the path still leads to the open file. */
static bool
is_current(int fd, const char *path)
{
	struct stat mine, there;

	return fstat(fd, &mine) == 0 && stat(path, &there) == 0 &&
	    mine.st_dev == there.st_dev && mine.st_ino == there.st_ino;
}

/*
 * Opens the file for us alone; -1 if that is not to be had.  Whoever shortens
 * it puts another in its place, so what was waited for may be an old one.
 */
static int
open_locked(const char *path, int flags)
{
	int fd;

	for (;;) {
		fd = open(path, flags | O_CLOEXEC | O_NOFOLLOW, 0600);
		if (fd == -1)
			return -1;
		while (flock(fd, LOCK_EX) == -1)
			if (errno != EINTR) {
				close(fd);
				return -1;
			}
		if (is_current(fd, path))
			return fd;
		close(fd);
	}
}

/* Reads all lines, the last RECALL_MAX of them into ring; how many in all. */
static size_t
read_all(FILE *from, char *ring[RECALL_MAX])
{
	size_t count = 0, size = 0;
	char *line = NULL;

	while (getline(&line, &size, from) > 0) {
		free(ring[count % RECALL_MAX]);
		ring[count++ % RECALL_MAX] = line;
		line = NULL;
		size = 0;
	}
	free(line);
	return count;
}

static void
release(char *ring[RECALL_MAX])
{
	for (size_t i = 0; i < RECALL_MAX; i++)
		free(ring[i]);
}

/* Gives the last lines to fn. */
void
recall_read(
    const char *path, void (*fn)(void *arg, const char *line), void *arg)
{
	int fd = open_locked(path, O_RDONLY);
	FILE *from = fd != -1 ? fdopen(fd, "r") : NULL;
	char *ring[RECALL_MAX] = {NULL};
	size_t count, i;

	if (from == NULL) {
		if (fd != -1)
			close(fd);
		return;
	}
	count = read_all(from, ring);
	fclose(from);
	for (i = count > RECALL_MAX ? count - RECALL_MAX : 0; i < count; i++) {
		unfold(ring[i % RECALL_MAX]);
		fn(arg, ring[i % RECALL_MAX]);
	}
	release(ring);
}

/* Adds all of a text to a file, or nothing; false if it is nothing. */
static bool
append(int fd, const char *text, size_t len)
{
	struct stat st;

	if (fstat(fd, &st) == -1)
		return false;
	if (write(fd, text, len) == (ssize_t)len)
		return true;
	return ftruncate(fd, st.st_size) != 0;
}

/* Adds a line. */
void
recall_add(const char *path, const char *line)
{
	char *text = NULL;
	size_t len = 0;
	FILE *to;
	int fd;

	if (strlen(line) > RECALL_LINE_MAX)
		return;
	to = open_memstream(&text, &len);
	if (to == NULL)
		return;
	put_line(to, line);
	fd = fclose(to) == 0 ? open_locked(path, O_WRONLY | O_APPEND | O_CREAT)
			     : -1;
	if (fd != -1) {
		append(fd, text, len);
		close(fd);
	}
	free(text);
}

/* Writes the last lines to a new file; false if it could not be whole. */
static bool
write_last(const char *path, char *ring[RECALL_MAX], size_t count)
{
	int fd = open(
	    path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600);
	FILE *to = fd != -1 ? fdopen(fd, "w") : NULL;

	if (to == NULL) {
		if (fd != -1)
			close(fd);
		return false;
	}
	for (size_t i = count - RECALL_MAX; i < count; i++)
		fputs(ring[i % RECALL_MAX], to);
	return fclose(to) == 0;
}

/* Puts a shorter file in the place of one that has grown too long. */
void
recall_trim(const char *path)
{
	int fd = open_locked(path, O_RDONLY);
	FILE *from = fd != -1 ? fdopen(fd, "r") : NULL;
	char *ring[RECALL_MAX] = {NULL};
	char *fresh = NULL;
	size_t count;

	if (from == NULL) {
		if (fd != -1)
			close(fd);
		return;
	}
	count = read_all(from, ring);
	/* Under the lock of the old one: nobody else writes the new one. */
	if (count > RECALL_MAX && asprintf(&fresh, "%s.new", path) != -1 &&
	    (!write_last(fresh, ring, count) || rename(fresh, path) == -1))
		unlink(fresh);
	free(fresh);
	fclose(from);
	release(ring);
}
