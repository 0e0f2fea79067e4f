/* SPDX-License-Identifier: ISC */
/*
 * `restore`: puts a backup in the place of the database of a centre that
 * does not run, in one step and under its lock.  What was there before is
 * kept; never touches it before the backup was found sound.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

#include "chatctl/centre.h"
#include "chatctl/commands.h"
#include "chatd/places.h"
#include "chatd/store/db.h"
#include "lib/log.h"
#include "lib/wire.h"

/* The names of one restore. */
struct restore {
	const char *file; /* what the administrator named */
	const char *directory;
	char *database, *fresh;
	char kept[4200]; /* "" if there was no database */
	struct db_backup backup;
};

static int
failed(const char *path)
{
	int status = errno == EACCES || errno == EPERM ? EX_NOPERM : EX_IOERR;

	complain("%s: %m", path);
	return status;
}

/* PATH and SUFFIX in fresh memory. */
static char *
with(const char *path, const char *suffix)
{
	char *both;

	if (asprintf(&both, "%s%s", path, suffix) == -1)
		fatal(EX_OSERR, "no memory");
	return both;
}

/* The backup as a file of the centre's own, beside the database. */
static int
bring(const struct restore *restore, int from)
{
	int to, status = 0;

	/* Of one that was killed. */
	unlink(restore->fresh);
	to =
	    open(restore->fresh, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	if (to == -1 || centre_copy(from, to) == -1)
		status = failed(restore->fresh);
	if (to != -1)
		close(to);
	return status;
}

/* Sound, and with a life of its own; else nothing has happened. */
static int
prepare(struct restore *restore)
{
	char why[256];

	if (db_backup_check(restore->fresh, &restore->backup, why) == -1) {
		/* Its own name is the one that the administrator knows. */
		const char *text = strstr(why, ": ");

		complain("%s%s", restore->file, text != NULL ? text : "");
		return CTL_REFUSED;
	}
	if (db_backup_revive(restore->fresh, why) == -1) {
		complain("%s", why);
		return EX_IOERR;
	}
	if (db_file_sync(restore->fresh) == -1)
		return failed(restore->fresh);
	return 0;
}

/* A log without its database, or of one that is damaged, goes aside too. */
static int
keep_log(const struct restore *restore)
{
	char *log = with(restore->database, "-wal");
	char *shared = with(restore->database, "-shm");
	char *kept = with(restore->kept, "-wal");
	int status = 0;

	if (restore->kept[0] != '\0')
		status = rename(log, kept);
	else
		status = unlink(log);
	if (status == -1 && errno == ENOENT)
		status = 0;
	unlink(shared);
	free(log);
	free(shared);
	free(kept);
	return status;
}

/*
 * Keeps what is there.  Its log is moved into it first: left behind, it
 * would be taken for the log of what comes in its place.
 */
static int
keep(struct restore *restore)
{
	char why[256];

	if (access(restore->database, F_OK) == 0) {
		if (db_backup_settle(restore->database, why) == -1)
			complain("warning: %s; it is kept as it is", why);
		if (db_keep_as(restore->database, restore->database,
			"before-restore", restore->kept,
			sizeof(restore->kept)) == -1)
			return failed(restore->database);
		if (db_file_sync(restore->directory) == -1)
			return failed(restore->directory);
	}
	if (keep_log(restore) == -1)
		return failed(restore->database);
	return 0;
}

static int
replace(struct restore *restore)
{
	int status = keep(restore);

	if (status != 0)
		return status;
	if (rename(restore->fresh, restore->database) == -1)
		return failed(restore->database);
	if (db_file_sync(restore->directory) == -1)
		return failed(restore->directory);
	return 0;
}

static void
told_json(const struct restore *restore, const char *made)
{
	json_t *reply = json_pack("{s:b, s:s, s:I, s:s?}", "ok", 1, "made",
	    made, "users", (json_int_t)restore->backup.users, "kept",
	    restore->kept[0] != '\0' ? restore->kept : NULL);

	if (reply != NULL)
		print_json(reply);
	json_decref(reply);
}

static void
told(const struct ctl *ctl, const struct restore *restore)
{
	char made[WIRE_TIME_LEN + 1], time[WHEN_LEN];

	wire_time_format(restore->backup.made, made);
	if (ctl->json) {
		told_json(restore, made);
		return;
	}
	printf("%lld user%s and their mail are as they were at %s.\n",
	    (long long)restore->backup.users,
	    restore->backup.users == 1 ? "" : "s", when(made, "?", time));
	if (restore->kept[0] != '\0') {
		fputs("What was there before is kept in ", stdout);
		print_clean(restore->kept);
		puts(".");
	}
	puts("Everybody has to log in again.  Next: start chatd, then "
	     "`chatctl status`.");
}

int
command_restore(const struct ctl *ctl)
{
	struct restore restore = {
	    .file = ctl->words[0], .directory = ctl->settings->state_directory};
	int lock = -1, from, status;

	/* It may be root's alone, which we are not for long. */
	from = open(restore.file, O_RDONLY | O_CLOEXEC);
	if (from == -1)
		return failed(restore.file);
	restore.database = place_path(restore.directory, PLACE_DATABASE);
	restore.fresh = with(restore.database, ".restore");
	status = centre_lock(ctl->settings, &lock);
	if (status == 0) {
		status = bring(&restore, from);
		if (status == 0)
			status = prepare(&restore);
		if (status == 0)
			status = replace(&restore);
		if (status != 0)
			unlink(restore.fresh);
		close(lock);
	}
	close(from);
	if (status == 0)
		told(ctl, &restore);
	free(restore.database);
	free(restore.fresh);
	return status;
}
