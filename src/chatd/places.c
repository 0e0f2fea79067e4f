/* SPDX-License-Identifier: ISC */
/*
 * Makes and locks what a centre keeps its files in.  Runs before root is
 * dropped; never changes a directory that was there already.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>
#include <time.h>
#include <unistd.h>
#include <sys/file.h>
#include <sys/stat.h>

#include "chatd/places.h"
#include "lib/log.h"
#include "lib/unix.h"

enum { LOCK_PAUSE = 50 }; /* milliseconds between two tries */

/* Writes the sentence; the exit status that goes with errno. */
static int __attribute__((format(printf, 2, 3)))
refuse(char why[PLACES_WHY_LEN], const char *fmt, ...)
{
	int error = errno;
	va_list args;

	va_start(args, fmt);
	vsnprintf(why, PLACES_WHY_LEN, fmt, args);
	va_end(args);
	return error == EACCES || error == EPERM ? EX_NOPERM : EX_CANTCREAT;
}

int
place_make(const char *path, mode_t mode, const struct sandbox_user *user,
    char why[PLACES_WHY_LEN])
{
	struct stat info;

	if (stat(path, &info) == 0) {
		if (S_ISDIR(info.st_mode))
			return 0;
		errno = ENOTDIR;
		return refuse(why, "%s: %m", path);
	}
	if (errno != ENOENT)
		return refuse(why, "%s: %m", path);
	if (dir_make(path, mode) == -1)
		return refuse(why, "cannot make %s: %m", path);
	/* What the umask took away. */
	if (chmod(path, mode) == -1 ||
	    (user->drop && chown(path, user->uid, user->gid) == -1))
		return refuse(why, "cannot set the rights of %s: %m", path);
	return 0;
}

/* Tries to lock until the time is over; -1 with errno. */
static int
lock_within(int fd, int milliseconds)
{
	const struct timespec pause = {.tv_nsec = LOCK_PAUSE * 1000000L};
	int64_t end = clock_mono() + milliseconds;

	while (flock(fd, LOCK_EX | LOCK_NB) == -1) {
		if (errno != EINTR &&
		    (errno != EWOULDBLOCK || clock_mono() >= end))
			return -1;
		nanosleep(&pause, NULL);
	}
	return 0;
}

int
place_lock(const char *directory, const struct sandbox_user *user,
    int milliseconds, int *fd, char why[PLACES_WHY_LEN])
{
	char *path = place_path(directory, PLACE_LOCK);
	int status = 0;

	*fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (*fd == -1 ||
	    (user->drop && fchown(*fd, user->uid, user->gid) == -1)) {
		status = refuse(why, "cannot make %s: %m", path);
	} else if (lock_within(*fd, milliseconds) == -1) {
		if (errno == EWOULDBLOCK)
			status = refuse(
			    why, "another chatd is running on %s", directory);
		else
			status = refuse(why, "cannot lock %s: %m", path);
	}
	if (status && *fd != -1) {
		close(*fd);
		*fd = -1;
	}
	free(path);
	return status;
}

char *
place_path(const char *directory, const char *name)
{
	char *path;

	if (asprintf(&path, "%s/%s", directory, name) == -1)
		fatal(EX_OSERR, "no memory");
	return path;
}
