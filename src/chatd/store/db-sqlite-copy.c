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
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "chatd/store/db-sqlite.h"
#include "lib/unix.h"

enum { TRIES_MAX = 100 };

struct db_copy {
	sqlite3 *to;
	sqlite3_backup *backup;
};

int
db_file_sync(const char *path)
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
db_copy_begin(struct db *db, const char *path, char why[256])
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
	db_copy_end(copy);
	return NULL;
}

int
db_copy_step(struct db_copy *copy, int pages, char why[256])
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
db_copy_end(struct db_copy *copy)
{
	if (copy == NULL)
		return;
	if (copy->backup != NULL)
		sqlite3_backup_finish(copy->backup);
	sqlite3_close(copy->to);
	free(copy);
}

void
db_copy_left(const struct db_copy *copy, int *left, int *all)
{
	*left = copy->backup ? sqlite3_backup_remaining(copy->backup) : 0;
	*all = copy->backup ? sqlite3_backup_pagecount(copy->backup) : 0;
}

int
db_keep_as(const char *from, const char *path, const char *suffix, char *kept,
    size_t size)
{
	char date[32];
	struct tm tm;
	time_t now = (time_t)(clock_wall() / 1000);

	gmtime_r(&now, &tm);
	strftime(date, sizeof(date), "%Y%m%d-%H%M%S", &tm);
	for (int i = 0; i < TRIES_MAX; i++) {
		snprintf(kept, size, "%s.%s-%s", path, suffix, date);
		if (i > 0)
			snprintf(
			    kept + strlen(kept), size - strlen(kept), "-%d", i);
		/* Never over what is there: a link, where a rename would be. */
		if (link(from, kept) == 0)
			return 0;
		if (errno != EEXIST)
			return -1;
	}
	return -1;
}
