/* SPDX-License-Identifier: ISC */
/*
 * A copy of the database that is made while it is in use: a few pages a
 * time, and what is written meanwhile goes into both.  Used by the store,
 * before a migration and for a backup; never changes what it copies.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "chatd/store/db-sqlite.h"

struct db_copy {
	sqlite3 *to;
	sqlite3_backup *backup;
};

int
file_sync(const char *path)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	int status, saved;

	if (fd == -1)
		return -1;
	status = fsync(fd);
	saved = errno;
	close(fd);
	errno = saved;
	return status;
}

struct db_copy *
copy_begin(struct db *db, const char *path, char why[256])
{
	/* A copy that was not finished is thrown away: it needs no journal. */
	static const char first[] = "PRAGMA locking_mode = EXCLUSIVE;"
				    "PRAGMA journal_mode = OFF;"
				    "PRAGMA synchronous = OFF";
	struct db_copy *copy = calloc(1, sizeof(*copy));
	/* Never what is there already, and never behind a link. */
	int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);

	if (copy == NULL || fd == -1) {
		snprintf(why, 256, "%.160s: %m", path);
		if (fd != -1)
			close(fd);
		free(copy);
		return NULL;
	}
	close(fd);
	if (sqlite3_open_v2(path, &copy->to, SQLITE_OPEN_READWRITE, NULL) ==
		SQLITE_OK &&
	    sqlite3_exec(copy->to, first, NULL, NULL, NULL) == SQLITE_OK)
		copy->backup =
		    sqlite3_backup_init(copy->to, "main", db->sqlite, "main");
	if (copy->backup != NULL)
		return copy;
	snprintf(why, 256, "%.160s: %s", path, sqlite3_errmsg(copy->to));
	copy_end(copy);
	return NULL;
}

int
copy_step(struct db_copy *copy, int pages, char why[256])
{
	int code = sqlite3_backup_step(copy->backup, pages);

	/* Busy: a transaction is open, and it will not be for long. */
	if (code == SQLITE_OK || code == SQLITE_BUSY || code == SQLITE_LOCKED)
		return 1;
	if (code == SQLITE_DONE) {
		code = sqlite3_backup_finish(copy->backup);
		copy->backup = NULL;
	}
	if (code == SQLITE_OK)
		return 0;
	snprintf(why, 256, "the copy: %s", sqlite3_errstr(code));
	return -1;
}

void
copy_end(struct db_copy *copy)
{
	if (copy == NULL)
		return;
	if (copy->backup != NULL)
		sqlite3_backup_finish(copy->backup);
	sqlite3_close(copy->to);
	free(copy);
}
