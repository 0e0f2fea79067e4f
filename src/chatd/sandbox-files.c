/* SPDX-License-Identifier: ISC */
/*
 * What each role may reach of the file system, of addresses and of other
 * processes, by Landlock (landlock(7)).  Runs in every process of the centre
 * before it reads anybody else's octets; opens nothing but the places in its
 * table, as names only.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <linux/landlock.h>
#include <sys/syscall.h>

#include "chatd/sandbox-parts.h"
#include "lib/log.h"

/* Newer than the headers of the oldest system that we build on. */
#ifndef LANDLOCK_ACCESS_FS_REFER
#define LANDLOCK_ACCESS_FS_REFER (1ULL << 13)
#endif
#ifndef LANDLOCK_ACCESS_FS_TRUNCATE
#define LANDLOCK_ACCESS_FS_TRUNCATE (1ULL << 14)
#endif

/* The kernel's struct, with what later versions have at its end. */
struct ruleset {
	uint64_t files, ports, scopes;
};

enum place {
	PLACE_ALL,
	PLACE_NULL,
	PLACE_RANDOM,
	PLACE_PROC,
	PLACE_OF_STATE,
	PLACE_OF_RUN,
	PLACE_OF_LOG,
	PLACE_KINDS
};

#define LOOK (LANDLOCK_ACCESS_FS_READ_FILE | LANDLOCK_ACCESS_FS_READ_DIR)
#define OWN                                                                \
	(LOOK | LANDLOCK_ACCESS_FS_WRITE_FILE |                            \
	    LANDLOCK_ACCESS_FS_REMOVE_FILE | LANDLOCK_ACCESS_FS_MAKE_REG | \
	    LANDLOCK_ACCESS_FS_TRUNCATE)
#define APPEND (LANDLOCK_ACCESS_FS_WRITE_FILE | LANDLOCK_ACCESS_FS_MAKE_REG)

/*
 * Who may do what where.  All others may do nothing, a worker nothing
 * anywhere.  A child never gets more than its master has, so the master has
 * the sum.
 */
static const struct {
	unsigned roles;
	enum place place;
	uint64_t rights;
} allowed[] = {
    /* A reload may name a certificate anywhere; nothing is run. */
    {ROLE_MASTER, PLACE_ALL, LOOK},
    /* A store or keeper that starts again lets go of the terminal. */
    {ROLE_MASTER, PLACE_NULL, LANDLOCK_ACCESS_FS_WRITE_FILE},
    /* A worker tells the system that it may go first, before it enters. */
    {ROLE_MASTER, PLACE_PROC, LANDLOCK_ACCESS_FS_WRITE_FILE},
    /* Database, its log, backups; the reserve. */
    {ROLE_MASTER | ROLE_STORE, PLACE_OF_STATE, OWN},
    /* SQLite draws from it; it would go by the clock instead. */
    {ROLE_STORE, PLACE_RANDOM, LANDLOCK_ACCESS_FS_READ_FILE},
    /* The process id, and the control socket's name when all ends. */
    {ROLE_MASTER, PLACE_OF_RUN, OWN},
    /* The log begins anew after it was moved away; nobody reads it. */
    {ROLE_MASTER | ROLE_STORE | ROLE_KEEPER, PLACE_OF_LOG, APPEND},
};

static struct {
	int version; /* of the kernel's Landlock; 0: it has none */
	char *place[PLACE_KINDS]; /* NULL: there is none */
} files;

/* The directory of the log, in fresh memory; NULL if it is no file. */
static char *
log_directory(void)
{
	const char *path = log_file();
	const char *slash = path ? strrchr(path, '/') : NULL;

	if (!slash)
		return NULL;
	return slash == path ? strdup("/") : strndup(path, slash - path);
}

void
files_prepare(const struct settings *settings)
{
	long version = syscall(SYS_landlock_create_ruleset, NULL, 0,
	    LANDLOCK_CREATE_RULESET_VERSION);

	files.version = version > 0 ? (int)version : 0;
	for (int i = 0; i < PLACE_KINDS; i++)
		free(files.place[i]);
	files.place[PLACE_ALL] = strdup("/");
	files.place[PLACE_NULL] = strdup("/dev/null");
	files.place[PLACE_RANDOM] = strdup("/dev/urandom");
	files.place[PLACE_PROC] = strdup("/proc");
	files.place[PLACE_OF_STATE] = strdup(settings->state_directory);
	files.place[PLACE_OF_RUN] = strdup(settings->runtime_directory);
	files.place[PLACE_OF_LOG] = log_directory();
}

bool
files_possible(void)
{
	return files.version > 0;
}

/* All that this kernel can forbid. */
static struct ruleset
everything(size_t *size)
{
	struct ruleset all = {.files = (1ULL << 13) - 1};

	*size = sizeof(all.files);
	if (files.version >= 2)
		all.files |= LANDLOCK_ACCESS_FS_REFER;
	if (files.version >= 3)
		all.files |= LANDLOCK_ACCESS_FS_TRUNCATE;
	if (files.version >= 4) {
		all.ports = 3; /* bind and connect, TCP */
		*size += sizeof(all.ports);
	}
	if (files.version >= 5)
		all.files |= 1ULL << 15; /* ioctl of devices */
	if (files.version >= 6)
		*size += sizeof(all.scopes);
	return all;
}

/* Adds one place to a ruleset; one that is not there is no loss. */
static int
allow(int ruleset, const char *path, uint64_t rights)
{
	struct landlock_path_beneath_attr rule = {.allowed_access = rights};
	long status;
	int saved;

	rule.parent_fd = open(path, O_PATH | O_CLOEXEC);
	if (rule.parent_fd == -1)
		return errno == ENOENT ? 0 : -1;
	status = syscall(SYS_landlock_add_rule, ruleset,
	    LANDLOCK_RULE_PATH_BENEATH, &rule, 0);
	saved = errno;
	close(rule.parent_fd);
	errno = saved;
	return status == -1 ? -1 : 0;
}

int
files_enter(enum ipc_role role)
{
	struct ruleset all;
	int ruleset, saved;
	size_t size;
	long status = 0;

	if (!files_possible())
		return 0;
	all = everything(&size);
	/* The master signals its children; nobody signals back. */
	if (files.version >= 6 && role != ROLE_MASTER)
		all.scopes = 3; /* abstract sockets and signals */
	ruleset = (int)syscall(SYS_landlock_create_ruleset, &all, size, 0);
	if (ruleset == -1)
		return -1;
	for (size_t i = 0; i < sizeof(allowed) / sizeof(allowed[0]); i++) {
		const char *path = files.place[allowed[i].place];

		if (status == 0 && path && (allowed[i].roles & role))
			status =
			    allow(ruleset, path, allowed[i].rights & all.files);
	}
	if (status == 0)
		status = syscall(SYS_landlock_restrict_self, ruleset, 0);
	saved = errno;
	close(ruleset);
	errno = saved;
	return status == -1 ? -1 : 0;
}
