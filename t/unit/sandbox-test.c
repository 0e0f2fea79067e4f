/* SPDX-License-Identifier: ISC */
/*
 * Enters the sandbox of each role in a child, tries what it forbids and what
 * it must allow, and looks at what the kernel says of the child meanwhile.
 * What this kernel or this build cannot confine is skipped, and named; what
 * they can must be in force.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stddef.h>
#include <stdlib.h>
#include <unistd.h>
#include <linux/filter.h>
#include <linux/landlock.h>
#include <linux/seccomp.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/un.h>
#include <sys/wait.h>

#include "chatd/sandbox.h"
#include "lib/log.h"
#include "tap.h"

enum {
	KILLED = -1, /* by SIGSYS */
	WORKED = 0,
	UNTOLD = -2, /* makes no difference here */
	BAD_STATUS = 255,
	TEXT_LEN = 4096,
	NOBODY = 65534,
	WORKER_LOG = 16 << 20, /* what a worker may add to a log */
	MANY = 40, /* descriptors that somebody left open */
};

#if defined(__has_feature)
#if __has_feature(address_sanitizer)
#define SANITIZED 1
#endif
#endif
#if defined(__SANITIZE_ADDRESS__)
#define SANITIZED 1
#endif
#ifndef SANITIZED
#define SANITIZED 0
#endif

/* Newer than the headers of the oldest system that we build on. */
#ifndef SYS_pidfd_getfd
#define SYS_pidfd_getfd 438
#endif
#ifndef SYS_openat2
#define SYS_openat2 437
#endif
#ifndef SYS_io_uring_setup
#define SYS_io_uring_setup 425
#endif

/* In the order of their bits. */
static const enum ipc_role roles[] = {
    ROLE_MASTER, ROLE_STORE, ROLE_KEEPER, ROLE_WORKER};
static const char *const role_names[] = {"master", "store", "keeper", "worker"};

static char home[] = "/tmp/sandbox-test.XXXXXX";
static char state[64], elsewhere[64], log_path[64], other_path[64];

static int
result(long status)
{
	return status == -1 ? errno : WORKED;
}

/* Opens a file below the directory, to be made. */
static int
make_in(const char *directory)
{
	char path[128];

	snprintf(path, sizeof(path), "%s/made", directory);
	return result(open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600));
}

static int
try_read(void)
{
	return result(open("/etc/passwd", O_RDONLY));
}

static int
try_state(void)
{
	return make_in(state);
}

static int
try_elsewhere(void)
{
	return make_in(elsewhere);
}

/* What a worker does on its way: see worker_child(). */
static int
try_oom(void)
{
	prctl(PR_SET_DUMPABLE, 1, 0, 0, 0);
	return result(open("/proc/self/oom_score_adj", O_WRONLY));
}

static int
try_log(void)
{
	return result(open(log_path, O_WRONLY | O_APPEND | O_CREAT, 0600));
}

static int
try_read_log(void)
{
	return result(open(log_path, O_RDONLY));
}

static int
try_stat(void)
{
	struct stat info;

	return result(stat("/etc/passwd", &info));
}

static int
try_socket(void)
{
	return result(socket(AF_INET, SOCK_STREAM, 0));
}

static int
try_connect(void)
{
	struct sockaddr to = {.sa_family = AF_UNSPEC};

	return result(connect(STDIN_FILENO, &to, sizeof(to)));
}

static int
try_exec(void)
{
	char *const none[] = {NULL};

	return result(execve("/bin/true", none, none));
}

static int
try_trace(void)
{
	return result(ptrace(PTRACE_TRACEME, 0, NULL, NULL));
}

static int
try_fork(void)
{
	pid_t pid = fork();

	if (pid == 0)
		_exit(0);
	return result(pid);
}

static void *
in_thread(void *arg)
{
	return arg;
}

static int
try_thread(void)
{
	pthread_t thread;
	int error = pthread_create(&thread, NULL, in_thread, NULL);

	if (error == 0)
		pthread_join(thread, NULL);
	return error;
}

static int
try_code(void)
{
	void *page = mmap(NULL, 4096, PROT_READ | PROT_EXEC,
	    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	return result(page == MAP_FAILED ? -1 : 0);
}

static int
try_signal(void)
{
	return result(kill(getppid(), 0));
}

static int
try_duplicate(void)
{
	return result(fcntl(STDIN_FILENO, F_DUPFD, 0));
}

static int
try_flags(void)
{
	return result(fcntl(STDIN_FILENO, F_GETFL));
}

/* All that have the log share its flags. */
static int
try_log_flags(void)
{
	return result(fcntl(STDERR_FILENO, F_SETFL, O_NONBLOCK));
}

/* Who is sent a signal once the descriptor is ready, and which. */
static int
try_owner(void)
{
	return result(fcntl(STDIN_FILENO, F_SETOWN, getppid()));
}

static int
try_owner_signal(void)
{
	return result(fcntl(STDIN_FILENO, F_SETSIG, SIGKILL));
}

static int
try_shutdown(void)
{
	return result(shutdown(STDIN_FILENO, SHUT_WR));
}

static int
try_log_shutdown(void)
{
	return result(shutdown(STDERR_FILENO, SHUT_WR));
}

/* The kernel takes half of the register, a filter sees all of it. */
static int
try_log_shutdown_long(void)
{
	unsigned long high = sizeof(long) > 4 ? (1UL << 31) * 2 : 0;

	return result(syscall(SYS_shutdown, high | STDERR_FILENO, SHUT_WR));
}

static int
try_seek(void)
{
	return result(lseek(STDIN_FILENO, 0, SEEK_SET));
}

static int
try_send(void)
{
	return result(send(STDIN_FILENO, "", 1, MSG_NOSIGNAL));
}

static int
try_send_to(void)
{
	struct sockaddr_un to = {.sun_family = AF_UNIX};

	memcpy(to.sun_path, other_path, sizeof(other_path));
	return result(sendto(log_descriptor(), "", 1, MSG_NOSIGNAL,
	    (struct sockaddr *)&to, sizeof(to)));
}

static int
try_send_message(void)
{
	struct msghdr nothing = {0};

	return result(sendmsg(STDIN_FILENO, &nothing, MSG_NOSIGNAL));
}

static int
try_linger(void)
{
	const struct linger ever = {.l_onoff = 1, .l_linger = 1 << 20};

	return result(setsockopt(
	    STDIN_FILENO, SOL_SOCKET, SO_LINGER, &ever, sizeof(ever)));
}

static int
try_delay(void)
{
	const int on = 1;

	return result(setsockopt(
	    STDIN_FILENO, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on)));
}

static int
try_limit(void)
{
	struct rlimit now;

	return result(prlimit(0, RLIMIT_NOFILE, NULL, &now));
}

static int
try_limit_other(void)
{
	struct rlimit now;

	return result(prlimit(getppid(), RLIMIT_NOFILE, NULL, &now));
}

static int
try_look_into(void)
{
	char octet;
	struct iovec here = {&octet, 1}, there = {state, 1};

	return result(process_vm_readv(getppid(), &here, 1, &there, 1, 0));
}

static int
try_take_descriptor(void)
{
	return result(syscall(SYS_pidfd_getfd, STDIN_FILENO, STDIN_FILENO, 0));
}

static int
try_file_of_memory(void)
{
	return result(memfd_create("code", 0));
}

static int
try_open_newer(void)
{
	const uint64_t how[3] = {O_RDONLY, 0, 0};

	return result(
	    syscall(SYS_openat2, AT_FDCWD, "/etc/passwd", how, sizeof(how)));
}

static int
try_ring(void)
{
	char parameters[128] = {0};

	return result(syscall(SYS_io_uring_setup, 1, parameters));
}

static int
try_make_code(void)
{
	void *page = mmap(NULL, 4096, PROT_READ | PROT_WRITE,
	    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (page == MAP_FAILED)
		return errno;
	return result(mprotect(page, 4096, PROT_READ | PROT_EXEC));
}

static int
nothing(void *arg)
{
	(void)arg;
	return 0;
}

static int
try_namespace(void)
{
	static char stack[16384] __attribute__((aligned(16)));

	return result(clone(
	    nothing, stack + sizeof(stack), CLONE_NEWUSER | SIGCHLD, NULL));
}

static int
try_unheard(void)
{
	return result(syscall(4000));
}

static int
try_work(void)
{
	struct pollfd nothing[2] = {{.fd = -1}, {.fd = -1}};
	char *memory = malloc(8 << 20);

	if (!memory)
		return ENOMEM;
	memset(memory, 1, 8 << 20);
	free(memory);
	log_info("a line from %s", "a sandbox");
	return result(poll(nothing, 2, 0));
}

static int
try_memory(void)
{
	/* More than any limit of a role leaves. */
	return result(mmap(NULL, (size_t)2 << 30, PROT_NONE,
			  MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) == MAP_FAILED
		? -1
		: 0);
}

/* What confines it; how it ends for master, store, keeper, worker. */
static const struct {
	const char *what;
	int (*try)(void);
	enum sandbox_part part;
	int ends[4];
} tries[] = {
    {"works and logs", try_work, SANDBOX_PRIVILEGES,
	{WORKED, WORKED, WORKED, WORKED}},
    {"reads a file of the system", try_read, SANDBOX_FILES,
	{WORKED, EACCES, EACCES, EACCES}},
    {"reads a file, by the list alone", try_read, SANDBOX_CALLS,
	{WORKED, UNTOLD, EACCES, EACCES}},
    {"looks a file up", try_stat, SANDBOX_CALLS,
	{WORKED, WORKED, EACCES, EACCES}},
    {"makes a file in the state directory", try_state, SANDBOX_FILES,
	{WORKED, WORKED, UNTOLD, EACCES}},
    {"makes a file elsewhere", try_elsewhere, SANDBOX_FILES,
	{EACCES, EACCES, EACCES, EACCES}},
    {"says that it may go first", try_oom, SANDBOX_FILES,
	{WORKED, EACCES, UNTOLD, EACCES}},
    {"opens the log again", try_log, SANDBOX_FILES,
	{WORKED, WORKED, WORKED, EACCES}},
    {"reads the log", try_read_log, SANDBOX_FILES,
	{WORKED, EACCES, EACCES, EACCES}},
    {"makes a socket", try_socket, SANDBOX_CALLS,
	{KILLED, KILLED, KILLED, KILLED}},
    {"connects", try_connect, SANDBOX_CALLS, {UNTOLD, KILLED, KILLED, KILLED}},
    {"runs a program", try_exec, SANDBOX_CALLS,
	{KILLED, KILLED, KILLED, KILLED}},
    {"traces", try_trace, SANDBOX_CALLS, {KILLED, KILLED, KILLED, KILLED}},
    {"forks", try_fork, SANDBOX_CALLS, {WORKED, KILLED, KILLED, KILLED}},
    {"starts a thread", try_thread, SANDBOX_CALLS,
	{WORKED, KILLED, WORKED, KILLED}},
    {"maps code", try_code, SANDBOX_CALLS, {WORKED, KILLED, KILLED, KILLED}},
    {"signals its parent", try_signal, SANDBOX_CALLS,
	{WORKED, EPERM, EPERM, EPERM}},
    {"gets one more descriptor", try_duplicate, SANDBOX_CALLS,
	{WORKED, KILLED, KILLED, KILLED}},
    {"asks for a descriptor's flags", try_flags, SANDBOX_CALLS,
	{WORKED, WORKED, WORKED, WORKED}},
    {"sets the flags of the log", try_log_flags, SANDBOX_CALLS,
	{UNTOLD, UNTOLD, UNTOLD, KILLED}},
    {"has its parent signalled", try_owner, SANDBOX_CALLS,
	{WORKED, KILLED, KILLED, KILLED}},
    {"has it signalled by SIGKILL", try_owner_signal, SANDBOX_CALLS,
	{WORKED, KILLED, KILLED, KILLED}},
    {"shuts its client's socket down", try_shutdown, SANDBOX_CALLS,
	{ENOTSOCK, KILLED, KILLED, ENOTSOCK}},
    {"shuts the log's socket down", try_log_shutdown, SANDBOX_CALLS,
	{UNTOLD, KILLED, KILLED, KILLED}},
    {"shuts it down under a longer number", try_log_shutdown_long,
	SANDBOX_CALLS, {UNTOLD, KILLED, KILLED, KILLED}},
    {"goes back in a file", try_seek, SANDBOX_CALLS,
	{WORKED, WORKED, WORKED, ESPIPE}},
    {"sends", try_send, SANDBOX_CALLS,
	{ENOTSOCK, ENOTSOCK, ENOTSOCK, ENOTSOCK}},
    {"sends to an address", try_send_to, SANDBOX_CALLS,
	{ENOTSOCK, KILLED, KILLED, KILLED}},
    {"sends what may be a descriptor", try_send_message, SANDBOX_CALLS,
	{ENOTSOCK, KILLED, KILLED, KILLED}},
    {"lets a socket linger", try_linger, SANDBOX_CALLS,
	{ENOTSOCK, KILLED, KILLED, KILLED}},
    {"lets a socket not delay", try_delay, SANDBOX_CALLS,
	{ENOTSOCK, KILLED, KILLED, ENOTSOCK}},
    {"asks for a limit of its own", try_limit, SANDBOX_CALLS,
	{WORKED, WORKED, WORKED, WORKED}},
    {"asks for a limit of its parent's", try_limit_other, SANDBOX_CALLS,
	{WORKED, KILLED, KILLED, KILLED}},
    {"looks into its parent", try_look_into, SANDBOX_CALLS,
	{KILLED, KILLED, KILLED, KILLED}},
    {"takes another's descriptor", try_take_descriptor, SANDBOX_CALLS,
	{KILLED, KILLED, KILLED, KILLED}},
    {"makes a file of memory", try_file_of_memory, SANDBOX_CALLS,
	{KILLED, KILLED, KILLED, KILLED}},
    {"opens a file the newer way", try_open_newer, SANDBOX_CALLS,
	{ENOSYS, ENOSYS, EACCES, EACCES}},
    {"makes a ring", try_ring, SANDBOX_CALLS, {ENOSYS, ENOSYS, ENOSYS, ENOSYS}},
    {"makes code of what it wrote", try_make_code, SANDBOX_CALLS,
	{WORKED, KILLED, KILLED, KILLED}},
    {"makes a world of its own", try_namespace, SANDBOX_CALLS,
	{KILLED, KILLED, KILLED, KILLED}},
    {"takes memory without end", try_memory, SANDBOX_LIMITS,
	{UNTOLD, UNTOLD, ENOMEM, ENOMEM}},
    {"makes a call that nobody knows", try_unheard, SANDBOX_CALLS,
	{ENOSYS, ENOSYS, ENOSYS, ENOSYS}},
};

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
		_exit((int)sandbox_parts());
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

/* From here on the kernel has no close_range(2). */
static bool
forget_close_range(void)
{
	struct sock_filter calls[] = {
	    BPF_STMT(
		BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
	    BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_close_range, 0, 1),
	    BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | ENOSYS),
	    BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
	};
	const struct sock_fprog program = {
	    .len = sizeof(calls) / sizeof(calls[0]), .filter = calls};

	return prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0 &&
	    syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, &program) == 0;
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
		if (!forget_close_range())
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
