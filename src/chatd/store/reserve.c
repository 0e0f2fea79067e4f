/* SPDX-License-Identifier: ISC */
/*
 * The reserve of disk space, as a file that is never read.  Used by the
 * store, which may not wait for anything but its own disk.  Never fails
 * loudly: without a reserve it is short, and says so.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>
#include <sys/stat.h>
#include <sys/statvfs.h>

#include "chatd/store/reserve.h"

struct reserve {
	char *path;
	int fd; /* -1: not even a name could be had */
	off_t held; /* octets that are ours */
};

/* What there is of it already: whole pieces, and no holes. */
static off_t
found(int fd)
{
	struct stat info;
	off_t size;

	if (fstat(fd, &info) == -1)
		return 0;
	size = info.st_size < RESERVE_BYTES ? info.st_size : RESERVE_BYTES;
	if (info.st_blocks * 512 < size)
		size = info.st_blocks * 512;
	return size - size % RESERVE_PIECE;
}

/* Takes what is missing; gives back what is of no use if it cannot. */
static bool
take(struct reserve *reserve)
{
	int error;

	if (reserve->fd == -1) {
		reserve->fd =
		    open(reserve->path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
		if (reserve->fd == -1)
			return false;
		reserve->held = found(reserve->fd);
	}
	do
		error = posix_fallocate(reserve->fd, 0, RESERVE_BYTES);
	while (error == EINTR);
	if (error == 0)
		reserve->held = RESERVE_BYTES;
	else if (ftruncate(reserve->fd, reserve->held) == -1)
		reserve->held = 0;
	return error == 0;
}

struct reserve *
reserve_open(const char *directory)
{
	struct reserve *reserve = calloc(1, sizeof(*reserve));

	if (reserve == NULL)
		return NULL;
	reserve->fd = -1;
	if (asprintf(&reserve->path, "%s/chatd.reserve", directory) == -1) {
		free(reserve);
		return NULL;
	}
	take(reserve);
	return reserve;
}

void
reserve_close(struct reserve *reserve)
{
	if (reserve == NULL)
		return;
	if (reserve->fd != -1)
		close(reserve->fd);
	free(reserve->path);
	free(reserve);
}

bool
reserve_give(struct reserve *reserve)
{
	if (reserve->held == 0)
		return false;
	reserve->held -= RESERVE_PIECE;
	return ftruncate(reserve->fd, reserve->held) == 0;
}

bool
reserve_short(const struct reserve *reserve)
{
	return reserve->held < RESERVE_BYTES;
}

int64_t
reserve_left(const struct reserve *reserve)
{
	struct statvfs disk;

	if (reserve->fd == -1 || fstatvfs(reserve->fd, &disk) == -1)
		return reserve->held;
	return reserve->held + (int64_t)(disk.f_bavail * disk.f_frsize);
}

bool
reserve_fill(struct reserve *reserve)
{
	if (!reserve_short(reserve))
		return true;
	if (reserve->fd != -1 &&
	    reserve_left(reserve) < 2 * (int64_t)RESERVE_BYTES)
		return false;
	return take(reserve);
}
