/* SPDX-License-Identifier: ISC */
/*
 * Rights that are given up: root, capabilities, what was inherited, core
 * dumps, a debugger's view, new privileges, memory and files without end;
 * system calls and files are in sandbox-calls.c and sandbox-files.c.  Called
 * by every role of the centre after its set-up and before it reads the first
 * octet of anybody else's.
 */
#include <errno.h>
#include <grp.h>
#include <limits.h>
#include <pwd.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>
#include <linux/capability.h>
#include <linux/close_range.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>

#include "chatd/sandbox-parts.h"
#include "chatd/sandbox.h"
#include "lib/log.h"
#include "lib/unix.h"

enum {
	WORKER_ROOM = 256 << 20, /* 64 replies under way, TLS, JSON */
	KEEPER_ROOM = 512 << 20, /* two threads that hash, their heaps */
	WORKER_LOG = 16 << 20, /* of a file, by all until a worker ends */
	STATM_LEN = 64,
};

static struct {
	bool prepared;
	bool entered; /* all that prepare() found possible is in force */
	rlim_t mapped; /* octets of address space before anybody works; or 0 */
} sandbox;

const char *
sandbox_part_name(enum sandbox_part part)
{
	static const char *const names[] = {
#define X(part, name) (name),
	    SANDBOX_PARTS(X)
#undef X
	};

	return names[part];
}

int
sandbox_user_find(
    const char *name, struct sandbox_user *user, char why[SANDBOX_WHY_LEN])
{
	const struct passwd *entry;

	memset(user, 0, sizeof(*user));
	user->uid = geteuid();
	user->gid = getegid();
	if (user->uid != 0)
		return 0;
	errno = 0;
	entry = getpwnam(name);
	if (!entry) {
		snprintf(why, SANDBOX_WHY_LEN,
		    "user: there is no user \"%s\"; make it with: useradd "
		    "--system --user-group --no-create-home --shell "
		    "/usr/sbin/nologin %s",
		    name, name);
		return EX_CONFIG;
	}
	user->uid = entry->pw_uid;
	user->gid = entry->pw_gid;
	user->drop = entry->pw_uid != 0;
	return 0;
}

/* No program that is run can be given any of them; where we may say so. */
static void
capabilities_bound(void)
{
	prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0);
	for (int i = 0; prctl(PR_CAPBSET_READ, i, 0, 0, 0) >= 0; i++)
		if (prctl(PR_CAPBSET_DROP, i, 0, 0, 0) == -1 && errno == EPERM)
			break;
}

/* Gives up every capability, also those of root; -1 with errno. */
static int
capabilities_drop(void)
{
	struct __user_cap_header_struct head = {
	    .version = _LINUX_CAPABILITY_VERSION_3};
	struct __user_cap_data_struct none[_LINUX_CAPABILITY_U32S_3] = {0};

	return syscall(SYS_capset, &head, none) == -1 ? -1 : 0;
}

/* True if this process has no capability. */
static bool
capabilities_none(void)
{
	struct __user_cap_header_struct head = {
	    .version = _LINUX_CAPABILITY_VERSION_3};
	struct __user_cap_data_struct has[_LINUX_CAPABILITY_U32S_3];
	unsigned any = 0;

	if (syscall(SYS_capget, &head, has) == -1)
		return false;
	for (size_t i = 0; i < sizeof(has) / sizeof(has[0]); i++)
		any |= has[i].effective | has[i].permitted | has[i].inheritable;
	return any == 0;
}

int
sandbox_user_become(const char *name, const struct sandbox_user *user)
{
	uid_t real, effective, saved;

	if (!user->drop)
		return 0;
	capabilities_bound();
	if (initgroups(name, user->gid) == -1 ||
	    setresgid(user->gid, user->gid, user->gid) == -1 ||
	    setresuid(user->uid, user->uid, user->uid) == -1 ||
	    getresuid(&real, &effective, &saved) == -1)
		return -1;
	/* Never believe it without a look: half dropped is root. */
	if (real != user->uid || effective != user->uid || saved != user->uid ||
	    getegid() != user->gid || setuid(0) != -1) {
		errno = EPERM;
		return -1;
	}
	return 0;
}

static int
by_number(const void *a, const void *b)
{
	int x = *(const int *)a, y = *(const int *)b;

	return (x > y) - (x < y);
}

/*
 * Closes these and all between them; one by one where the kernel is older
 * than close_range(2), or a profile of its own forbids it.
 */
static void
close_between(unsigned first, unsigned last)
{
	struct rlimit most;

	if (close_range(first, last, 0) == 0)
		return;
	if (getrlimit(RLIMIT_NOFILE, &most) == -1)
		fatal(EX_OSERR, "cannot read a limit: %m");
	for (; first <= last && first < most.rlim_cur; first++)
		close((int)first);
}

void
sandbox_close_others(int *keep, size_t count)
{
	unsigned next = STDERR_FILENO + 1;

	qsort(keep, count, sizeof(*keep), by_number);
	for (size_t i = 0; i < count; i++) {
		if (keep[i] < (int)next)
			continue;
		if (keep[i] > (int)next)
			close_between(next, (unsigned)keep[i] - 1);
		next = (unsigned)keep[i] + 1;
	}
	close_between(next, UINT_MAX);
}

/* How much address space there is already; 0 if it cannot be told. */
static rlim_t
mapped(void)
{
	char *text = file_read("/proc/self/statm", STATM_LEN, NULL);
	unsigned long long pages = 0;

	if (text && sscanf(text, "%llu", &pages) != 1)
		pages = 0;
	free(text);
	return (rlim_t)pages * (rlim_t)sysconf(_SC_PAGESIZE);
}

void
sandbox_prepare(const struct settings *settings)
{
	if (sandbox.prepared || SANITIZED)
		return;
	sandbox.prepared = true;
	sandbox.mapped = mapped();
	calls_prepare();
	files_prepare(settings);
}

/* Sets a limit for good; one that was lower stays. */
static void
limit(int what, rlim_t value)
{
	struct rlimit now;

	if (getrlimit(what, &now) == -1)
		fatal(EX_OSERR, "cannot read a limit: %m");
	if (value < now.rlim_max)
		now.rlim_max = value;
	if (now.rlim_cur > now.rlim_max)
		now.rlim_cur = now.rlim_max;
	if (setrlimit(what, &now) == -1)
		fatal(EX_OSERR, "cannot set a limit: %m");
}

/* How long a file may get by what this role writes, which is the log. */
static rlim_t
file_limit(enum ipc_role role)
{
	struct stat info;

	if (fstat(log_descriptor(), &info) == -1 || !S_ISREG(info.st_mode))
		return 0;
	if (role == ROLE_KEEPER)
		return RLIM_INFINITY;
	return (rlim_t)info.st_size + WORKER_LOG;
}

/* Gives up what could still be had: as many descriptors as now, no more. */
static void
limit_descriptors(void)
{
	struct rlimit now;

	if (getrlimit(RLIMIT_NOFILE, &now) == -1)
		fatal(EX_OSERR, "cannot read a limit: %m");
	limit(RLIMIT_NOFILE, now.rlim_cur);
}

/*
 * Limits by role.  What master and store take grows with what they serve: a
 * descriptor for each worker, memory for each session, database and log; the
 * service manager bounds it.
 */
static void
limits_enter(enum ipc_role role)
{
	/* A core file would hold passwords, tokens and keys. */
	limit(RLIMIT_CORE, 0);
	if (SANITIZED)
		return;
	if (role == ROLE_WORKER)
		/* What poll(2) is given counts too; nothing new fits below. */
		limit(RLIMIT_NOFILE, STDERR_FILENO + 1);
	else
		limit_descriptors();
	if (role == ROLE_MASTER || role == ROLE_STORE)
		return;
	/* A file that gets too long is an error, not a signal. */
	signal(SIGXFSZ, SIG_IGN);
	limit(RLIMIT_FSIZE, file_limit(role));
	if (sandbox.mapped)
		limit(RLIMIT_AS,
		    sandbox.mapped +
			(role == ROLE_WORKER ? WORKER_ROOM : KEEPER_ROOM));
}

void
sandbox_enter(enum ipc_role role)
{
	if (role != ROLE_MASTER)
		log_stay();
	/* Not even another process of the same user looks into our memory. */
	if (!SANITIZED && prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) == -1)
		fatal(EX_OSERR, "cannot forbid tracing: %m");
	/* A set-user-id program that we are tricked into is only a program. */
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == -1)
		fatal(EX_OSERR, "cannot give up new privileges: %m");
	if (role == ROLE_MASTER)
		capabilities_bound();
	if (capabilities_drop() == -1)
		fatal(EX_OSERR, "cannot give up capabilities: %m");
	if (files_enter(role) == -1)
		fatal(EX_OSERR, "cannot give up files: %m");
	/* Then only: a set of files is a descriptor while it is made. */
	limits_enter(role);
	/* The master alone starts processes; the keeper starts threads. */
	if (role == ROLE_STORE || role == ROLE_WORKER)
		sandbox_seal();
	if (calls_enter(role) == -1)
		fatal(EX_OSERR, "cannot give up system calls: %m");
	sandbox.entered = true;
}

void
sandbox_seal(void)
{
	if (!SANITIZED)
		limit(RLIMIT_NPROC, 0);
}

/* Memory cannot be bounded where nobody knows how much there is. */
static bool
limited(enum ipc_role role)
{
	return role == ROLE_MASTER || role == ROLE_STORE || sandbox.mapped != 0;
}

unsigned
sandbox_parts(enum ipc_role role)
{
	bool entered = sandbox.entered && !SANITIZED;
	const bool has[SANDBOX_PART_COUNT] = {
	    [SANDBOX_USER] = geteuid() != 0,
	    [SANDBOX_CAPABILITIES] = capabilities_none(),
	    [SANDBOX_PRIVILEGES] = prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0) == 1,
	    [SANDBOX_TRACING] = prctl(PR_GET_DUMPABLE, 0, 0, 0, 0) == 0,
	    [SANDBOX_LIMITS] = entered && limited(role),
	    [SANDBOX_CALLS] = entered && calls_possible(),
	    [SANDBOX_FILES] = entered && files_possible(),
	};
	unsigned parts = 0;

	for (int i = 0; i < SANDBOX_PART_COUNT; i++)
		parts |= (unsigned)has[i] << i;
	return parts;
}

const char *
sandbox_signal_text(int signo)
{
	if (signo == SIGSYS)
		return "Bad system call: its sandbox forbids what it tried";
	return strsignal(signo);
}
