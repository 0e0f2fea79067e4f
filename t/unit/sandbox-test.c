/* SPDX-License-Identifier: ISC */
/*
 * Enters the sandbox of each role in a child, tries what it forbids and what
 * it must allow, and looks at what the kernel says of the child meanwhile.
 * What this kernel or this build cannot confine is skipped, and named; what
 * they can must be in force.
 */
#include <errno.h>
#include <signal.h>
#include <stddef.h>
#include <stdlib.h>
#include <unistd.h>
#include <linux/filter.h>
#include <linux/landlock.h>
#include <linux/seccomp.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <sys/wait.h>

#include "chatd/sandbox-parts.h"
#include "chatd/sandbox.h"
#include "lib/log.h"
#include "sandbox-tries.h"
#include "tap.h"

enum {
	BAD_STATUS = 255,
	TEXT_LEN = 4096,
	NOBODY = 65534,
	WORKER_LOG = 16 << 20, /* what a worker may add to a log */
	MANY = 40, /* descriptors that somebody left open */
};

/* In the order of their bits. */
static const enum ipc_role roles[] = {
    ROLE_MASTER, ROLE_STORE, ROLE_KEEPER, ROLE_WORKER};
static const char *const role_names[] = {"master", "store", "keeper", "worker"};

static char home[] = "/tmp/sandbox-test.XXXXXX";

/* As in the centre: what the master has given up, its child has too. */
static void
enter(enum ipc_role role)
{
	sandbox_enter(ROLE_MASTER);
	if (role != ROLE_MASTER)
		sandbox_enter(role);
}

/* How the try ends in a child. */
static int
outcome(enum ipc_role role, int (*try)(void))
{
	pid_t pid = fork();
	int how = 0;

	if (pid == 0) {
		enter(role);
		_exit(try());
	}
	if (pid == -1 || waitpid(pid, &how, 0) == -1)
		return BAD_STATUS;
	if (WIFSIGNALED(how))
		return WTERMSIG(how) == SIGSYS ? KILLED : BAD_STATUS;
	return WEXITSTATUS(how);
}

/* The parts in force, as a master finds them. */
static unsigned
in_force(void)
{
	pid_t pid = fork();
	int how = 0;

	if (pid == 0) {
		enter(ROLE_MASTER);
		_exit((int)sandbox_parts(ROLE_WORKER));
	}
	waitpid(pid, &how, 0);
	return WIFEXITED(how) ? (unsigned)WEXITSTATUS(how) : 0;
}

/* What the kernel and the build have, asked without any code of ours. */
static unsigned
offered(void)
{
	unsigned parts = 1U << SANDBOX_CAPABILITIES | 1U << SANDBOX_PRIVILEGES;

	if (SANITIZED)
		return parts;
	parts |= 1U << SANDBOX_TRACING;
	if (access("/proc/self/statm", R_OK) == 0)
		parts |= 1U << SANDBOX_LIMITS;
#ifdef WITH_SECCOMP
	const uint32_t action = SECCOMP_RET_KILL_PROCESS;

	if (syscall(SYS_seccomp, SECCOMP_GET_ACTION_AVAIL, 0, &action) == 0)
		parts |= 1U << SANDBOX_CALLS;
#endif
	if (syscall(SYS_landlock_create_ruleset, NULL, 0,
		LANDLOCK_CREATE_RULESET_VERSION) > 0)
		parts |= 1U << SANDBOX_FILES;
	return parts;
}

/* One role tries one thing. */
static void
test_try(unsigned parts, size_t i, int r)
{
	int wanted = tries[i].ends[r], got;

	if (wanted == UNTOLD)
		return;
	if (!(parts >> tries[i].part & 1)) {
		ok(true, "%s %s # SKIP without %s", role_names[r],
		    tries[i].what, sandbox_part_name(tries[i].part));
		return;
	}
	got = outcome(roles[r], tries[i].try);
	/* Without a list of calls the limit of descriptors speaks first. */
	if (got == EMFILE && wanted == EACCES && !(parts >> SANDBOX_CALLS & 1))
		got = EACCES;
	is_number(got, wanted, "%s %s: %s", role_names[r], tries[i].what,
	    wanted == KILLED       ? "killed"
		: wanted == WORKED ? "allowed"
				   : strerror(wanted));
}

static void
test_tries(unsigned parts)
{
	for (size_t i = 0; i < sizeof(tries) / sizeof(tries[0]); i++)
		for (int r = 0; r < 4; r++)
			test_try(parts, i, r);
}

/*
 * Not root, whom the kernel would show everything, and open to others of the
 * same user: as a worker is that said that it may go first.
 */
static void
be_looked_at(void)
{
	const struct sandbox_user nobody = {
	    .drop = geteuid() == 0, .uid = NOBODY, .gid = NOBODY};

	if (sandbox_user_become("nobody", &nobody) == -1)
		_exit(1);
	prctl(PR_SET_DUMPABLE, 1, 0, 0, 0);
}

/* A child that has entered and waits; what it is told by ends it. */
static pid_t
start_waiting(enum ipc_role role, int hold[2], int told[2])
{
	pid_t pid;
	char octet;

	if (pipe(hold) == -1 || pipe(told) == -1)
		return -1;
	pid = fork();
	if (pid == 0) {
		close(hold[1]);
		be_looked_at();
		enter(role);
		if (role == ROLE_KEEPER)
			sandbox_seal();
		if (write(told[1], "", 1) == 1)
			octet = (char)read(hold[0], &octet, 1);
		_exit(0);
	}
	close(hold[0]);
	close(told[1]);
	if (read(told[0], &octet, 1) != 1)
		return -1;
	return pid;
}

/* A file of the child's in /proc. */
static const char *
proc_text(pid_t pid, const char *name, char text[TEXT_LEN])
{
	char path[64];
	ssize_t got = 0;
	int fd;

	snprintf(path, sizeof(path), "/proc/%d/%s", (int)pid, name);
	fd = open(path, O_RDONLY);
	if (fd != -1) {
		got = read(fd, text, TEXT_LEN - 1);
		close(fd);
	}
	text[got > 0 ? got : 0] = '\0';
	return text;
}

/* True if the line that begins with the key has this first value. */
static bool
line_is(const char *text, const char *key, const char *value)
{
	const char *line = strstr(text, key);

	if (!line)
		return false;
	line += strlen(key);
	line += strspn(line, " \t");
	return strncmp(line, value, strlen(value)) == 0 &&
	    strchr(" \t\n", line[strlen(value)]) != NULL;
}

/* Who owns a process's files in /proc: root, unless it is dumpable. */
static int
owner_of(pid_t pid)
{
	struct stat info;
	char path[64];

	snprintf(path, sizeof(path), "/proc/%d/environ", (int)pid);
	return stat(path, &info) == -1 ? -1 : (int)info.st_uid;
}

/* The limits of a child that has entered. */
static void
test_limits(int r, const char *text)
{
	const char *name = role_names[r];
	char most[32];
	struct stat log;

	if (roles[r] == ROLE_MASTER)
		return;
	ok(line_is(text, "Max processes", "0"), "%s: no process", name);
	if (roles[r] == ROLE_KEEPER)
		ok(line_is(text, "Max file size", "unlimited"),
		    "%s: a log of any length", name);
	if (roles[r] != ROLE_WORKER)
		return;
	ok(line_is(text, "Max open files", "3"), "%s: no file", name);
	if (stat(log_path, &log) == -1)
		log.st_size = 0;
	snprintf(
	    most, sizeof(most), "%lld", (long long)log.st_size + WORKER_LOG);
	ok(line_is(text, "Max file size", most), "%s: so much of a log", name);
}

/* What the kernel says of a child that has entered. */
static void
test_kernel(int r, unsigned parts)
{
	const char *name = role_names[r], *zero = "0000000000000000";
	char text[TEXT_LEN];
	int hold[2], told[2];
	pid_t pid = start_waiting(roles[r], hold, told);

	if (!ok(pid > 0, "%s enters", name))
		return;
	proc_text(pid, "status", text);
	ok(line_is(text, "CapPrm:", zero) && line_is(text, "CapEff:", zero) &&
		line_is(text, "CapInh:", zero) &&
		line_is(text, "CapAmb:", zero),
	    "%s has no capability", name);
	ok(geteuid() != 0 || line_is(text, "CapBnd:", zero),
	    "%s cannot get one either", name);
	ok(line_is(text, "NoNewPrivs:", "1"), "%s gets no privileges", name);
	ok(line_is(text, "Seccomp:", parts >> SANDBOX_CALLS & 1 ? "2" : "0"),
	    "%s has a list of system calls, or none as it says", name);
	proc_text(pid, "limits", text);
	ok(line_is(text, "Max core file size", "0"), "%s leaves no core", name);
	if (parts >> SANDBOX_LIMITS & 1)
		test_limits(r, text);
	if (parts >> SANDBOX_TRACING & 1)
		ok(owner_of(pid) == 0, "%s cannot be looked into", name);
	close(hold[1]);
	close(told[0]);
	waitpid(pid, NULL, 0);
}

/* A worker whose log is the system's sends nothing past it. */
static void
test_syslog(unsigned parts)
{
	struct sockaddr_un at = {.sun_family = AF_UNIX};
	int other = socket(AF_UNIX, SOCK_DGRAM, 0), how = 0;
	pid_t pid;

	memcpy(at.sun_path, other_path, sizeof(other_path));
	if (!(parts >> SANDBOX_CALLS & 1)) {
		ok(true, "a datagram past the log # SKIP without %s",
		    sandbox_part_name(SANDBOX_CALLS));
		return;
	}
	ok(other != -1 &&
		bind(other, (struct sockaddr *)&at, sizeof(at)) == 0 &&
		chmod(other_path, 0666) == 0,
	    "somebody listens");
	pid = fork();
	if (pid == 0) {
		if (log_open("syslog") == -1)
			_exit(BAD_STATUS);
		log_settle();
		/* It would arrive. */
		if (try_send_to() != WORKED)
			_exit(BAD_STATUS);
		enter(ROLE_WORKER);
		_exit(try_send_to());
	}
	waitpid(pid, &how, 0);
	ok(WIFSIGNALED(how) && WTERMSIG(how) == SIGSYS,
	    "a datagram past the system's log ends a worker");
	close(other);
}

/* From here on the kernel answers a call with an error. */
static bool
forget(int call, int error)
{
	struct sock_filter calls[] = {
	    BPF_STMT(
		BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
	    BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, (unsigned)call, 0, 1),
	    BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | (unsigned)error),
	    BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
	};
	const struct sock_fprog program = {
	    .len = sizeof(calls) / sizeof(calls[0]), .filter = calls};

	return prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0 &&
	    syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, &program) == 0;
}

/* Without /proc no memory is bounded, and nobody says that it is. */
static void
test_unbounded(const struct settings *settings)
{
	pid_t pid = fork();
	int how = 0;

	if (pid == 0) {
		if (!forget(SYS_openat, ENOENT))
			_exit(2);
		sandbox_prepare(settings);
		sandbox_enter(ROLE_MASTER);
		_exit(sandbox_parts(ROLE_KEEPER) >> SANDBOX_LIMITS & 1 ||
		    sandbox_parts(ROLE_WORKER) >> SANDBOX_LIMITS & 1 ||
		    (sandbox_parts(ROLE_STORE) >> SANDBOX_LIMITS & 1) ==
			SANITIZED);
	}
	waitpid(pid, &how, 0);
	if (WIFEXITED(how) && WEXITSTATUS(how) == 2)
		ok(true, "limits without /proc # SKIP no filters here");
	else
		ok(WIFEXITED(how) && WEXITSTATUS(how) == 0,
		    "without /proc keeper and worker have no limits");
}

/* A kernel that cannot close many at once keeps none of them open. */
static void
test_close_others(void)
{
	pid_t pid = fork();
	int how = 0;

	if (pid == 0) {
		int keep[] = {MANY - 3, -1, MANY - 10};

		for (int fd = STDERR_FILENO + 1; fd < MANY; fd++)
			dup2(STDIN_FILENO, fd);
		if (!forget(SYS_close_range, ENOSYS))
			_exit(2);
		sandbox_close_others(keep, 3);
		for (int fd = STDERR_FILENO + 1; fd < MANY; fd++)
			if ((fcntl(fd, F_GETFD) != -1) !=
			    (fd == MANY - 3 || fd == MANY - 10))
				_exit(1);
		_exit(0);
	}
	waitpid(pid, &how, 0);
	if (WIFEXITED(how) && WEXITSTATUS(how) == 2)
		ok(true, "without close_range(2) # SKIP no filters here");
	else
		ok(WIFEXITED(how) && WEXITSTATUS(how) == 0,
		    "without close_range(2) all others are closed, too");
}

int
main(void)
{
	struct settings settings = {
	    .state_directory = state,
	    .runtime_directory = state,
	};
	char command[96];
	unsigned parts, wanted;

	/* Whatever the test was given is not a socket, nor to be spoiled. */
	if (!mkdtemp(home) || chmod(home, 0755) == -1 ||
	    !freopen("/dev/null", "r+", stdin))
		return 1;
	snprintf(state, sizeof(state), "%s/state", home);
	snprintf(elsewhere, sizeof(elsewhere), "%s/elsewhere", home);
	snprintf(other_path, sizeof(other_path), "%s/other", home);
	snprintf(log_path, sizeof(log_path), "%s/log", home);
	mkdir(state, 0700);
	mkdir(elsewhere, 0700);
	strcat(log_path, "/chatd.log");
	snprintf(command, sizeof(command), "%s/log", home);
	mkdir(command, 0700);
	log_init("chatd", "test");
	ok(log_open(log_path) == 0, "a log");
	test_unbounded(&settings);
	sandbox_prepare(&settings);
	parts = in_force();
	wanted = offered();
	is_number(parts & wanted, wanted, "all that can be is in force");
	test_close_others();
	test_tries(parts);
	for (int r = 0; r < 4; r++)
		test_kernel(r, parts);
	test_syslog(parts);
	snprintf(command, sizeof(command), "rm -rf %s", home);
	ok(system(command) == 0, "cleaned up");
	return done();
}
