/* SPDX-License-Identifier: ISC */
/*
 * `backup`: has the store make a copy, carries it to where the administrator
 * wants it, and takes out what must not be in it.  The file gets its name
 * when it is whole and on the disk; it never replaces another.
 */
#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>
#include <time.h>
#include <unistd.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "chatctl/centre.h"
#include "chatctl/commands.h"
#include "chatd/places.h"
#include "chatd/store/db.h"
#include "lib/unix.h"
#include "lib/wire.h"

enum { LOOK_MS = 50 };

/* The exit status that goes with errno, after the reason. */
static int
failed(const char *path)
{
	int status = errno == EACCES || errno == EPERM ? EX_NOPERM : EX_IOERR;

	complain("%s: %m", path);
	return status;
}

/* How far it is, for a person. */
static void
show_progress(const json_t *reply)
{
	int64_t all = wire_get_number(reply, "all", 0);
	int64_t left = wire_get_number(reply, "left", 0);

	if (all > 0 && isatty(STDERR_FILENO))
		fprintf(stderr, "\r%3lld %%",
		    (long long)((all - left) * 100 / all));
}

/* Has the store make its copy, and waits until it is whole. */
static int
have_made(struct centre *centre)
{
	const struct timespec pause = {.tv_nsec = LOOK_MS * 1000000L};
	json_t *reply;
	bool whole = false, shown = false;
	int status = centre_ask(centre, request_new("backup", NULL), NULL);

	while (status == 0 && !whole) {
		status = centre_ask(
		    centre, request_new("backup-look", NULL), &reply);
		if (status == 0) {
			whole = wire_get_bool(reply, "whole");
			show_progress(reply);
			shown = true;
		}
		json_decref(reply);
		if (status == 0 && !whole)
			nanosleep(&pause, NULL);
	}
	if (shown && isatty(STDERR_FILENO))
		fputs("\r     \r", stderr);
	return status;
}

/*
 * Copies the store's file.  Where we are root the directory is somebody
 * else's: a link or a file of a third one there is not followed or read.
 */
static int
fetch(const struct settings *settings, int to)
{
	char *path = place_path(settings->state_directory, PLACE_BACKUP);
	int from = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
	struct stat file, directory;
	int status = 0;

	if (from == -1 || fstat(from, &file) == -1 ||
	    stat(settings->state_directory, &directory) == -1) {
		status = failed(path);
	} else if (!S_ISREG(file.st_mode) || file.st_uid != directory.st_uid ||
	    file.st_nlink != 1) {
		complain("%s is not what the centre has made", path);
		status = EX_NOPERM;
	} else if (centre_copy(from, to) == -1) {
		status = failed("the backup");
	}
	if (from != -1)
		close(from);
	free(path);
	return status;
}

/* In a child, which may have to become the centre's user for it. */
static int
take(const struct settings *settings, int to)
{
	struct centre centre;
	int status = centre_open(&centre, settings, false), closed;

	if (status != 0)
		return status;
	status = have_made(&centre);
	if (status == 0)
		status = fetch(settings, to);
	closed = centre_close(&centre);
	return status != 0 ? status : closed;
}

/* What the signals do by which a person ends a command. */
static void
heed(void (*how)(int))
{
	signal(SIGINT, how);
	signal(SIGTERM, how);
	signal(SIGHUP, how);
}

static int
take_in_child(const struct settings *settings, int to)
{
	pid_t pid;
	int how = 0;

	fflush(NULL);
	/* Whoever interrupts us ends the child; we have to clear away. */
	heed(SIG_IGN);
	pid = fork();
	if (pid == -1) {
		complain("cannot fork: %m");
		return EX_OSERR;
	}
	if (pid == 0) {
		heed(SIG_DFL);
		_exit(take(settings, to));
	}
	while (waitpid(pid, &how, 0) == -1)
		if (errno != EINTR)
			return EX_OSERR;
	if (WIFEXITED(how))
		return WEXITSTATUS(how);
	complain("interrupted");
	return EX_IOERR;
}

/* Has the directory's list on the disk. */
static int
sync_directory(const char *path)
{
	char *copy = strdup(path);
	int status = copy != NULL ? db_file_sync(dirname(copy)) : -1;

	free(copy);
	return status;
}

/* Gives it its name, unless something has that. */
static int
name(const char *part, const char *path)
{
	int status =
	    renameat2(AT_FDCWD, part, AT_FDCWD, path, RENAME_NOREPLACE);

	/* A file system that has it not. */
	if (status == -1 && errno == EINVAL) {
		status = link(part, path);
		if (status == 0)
			unlink(part);
	}
	return status;
}

/* Fills the file that is there under another name; an exit status. */
static int
make(const struct ctl *ctl, int fd, const char *part, const char *path,
    struct db_backup *backup)
{
	char why[256];
	int status = take_in_child(ctl->settings, fd);

	if (status != 0)
		return status;
	if (db_backup_seal(part, clock_wall(), backup, why) == -1) {
		complain("%s", why);
		return EX_IOERR;
	}
	if (fsync(fd) == -1 || name(part, path) == -1 ||
	    sync_directory(path) == -1)
		return failed(path);
	return 0;
}

static void
told(const struct ctl *ctl, const char *path, const struct db_backup *backup)
{
	json_t *reply;

	if (!ctl->json) {
		printf("%lld user%s and their mail are in ",
		    (long long)backup->users, backup->users == 1 ? "" : "s");
		print_clean(path);
		puts(".");
		return;
	}
	reply = json_pack("{s:b, s:s%, s:I}", "ok", 1, "file", path,
	    strlen(path), "users", (json_int_t)backup->users);
	if (reply != NULL)
		print_json(reply);
	json_decref(reply);
}

int
command_backup(const struct ctl *ctl)
{
	const char *path = ctl->words[0];
	struct db_backup backup = {0};
	struct stat info;
	char *part = NULL;
	int fd, status;

	if (!is_text(path))
		return CTL_REFUSED;
	if (lstat(path, &info) == 0) {
		complain("%s is there already", path);
		return CTL_REFUSED;
	}
	if (asprintf(&part, "%s.XXXXXX", path) == -1)
		return EX_OSERR;
	fd = mkostemp(part, O_CLOEXEC);
	if (fd == -1) {
		status = failed(path);
	} else {
		status = make(ctl, fd, part, path, &backup);
		if (status != 0)
			unlink(part);
		close(fd);
	}
	if (status == 0)
		told(ctl, path, &backup);
	free(part);
	return status;
}
