/* SPDX-License-Identifier: ISC */
/*
 * What the roles of the centre try in sandbox-test.c once they have entered,
 * and how that must end.
 */
#ifndef UNIT_SANDBOX_TRIES_H
#define UNIT_SANDBOX_TRIES_H

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
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

#include "chatd/sandbox.h"
#include "lib/log.h"

enum {
	KILLED = -1, /* by SIGSYS */
	WORKED = 0,
	UNTOLD = -2, /* makes no difference here */
};

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

/* Where they try it. */
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

#endif
