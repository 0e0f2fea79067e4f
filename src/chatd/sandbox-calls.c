/* SPDX-License-Identifier: ISC */
/*
 * Which system calls each role may make, as tables: what is in no row ends
 * the process with SIGSYS.  The programs for the kernel are made once, by
 * libseccomp in the master; a worker only hands its own in.
 */
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>

#include <seccomp.h>

#include "chatd/sandbox-parts.h"
#include "lib/log.h"

enum {
	M = ROLE_MASTER,
	S = ROLE_STORE,
	K = ROLE_KEEPER,
	W = ROLE_WORKER,
	ALL = M | S | K | W,
	NUMBERS = 8192, /* no call has a higher one; MIPS begins at 4000 */
	NAME_LEN = 32,
	ARGUMENTS = 2, /* that one rule looks at */
};

/*
 * Names that an architecture or a libseccomp does not know are skipped.  The
 * master has what any of its children has, since they are inside its own.
 */
static const struct {
	unsigned roles;
	const char *calls;
} allowed[] = {
    /* Memory; what maps some is among the conditions below. */
    {ALL, "brk munmap mremap madvise"},
    /* Clocks, where the kernel's page of them does not serve. */
    {ALL,
	"clock_gettime clock_gettime64 clock_getres gettimeofday time "
	"clock_nanosleep clock_nanosleep_time64 nanosleep"},
    /* Descriptors that are there already. */
    {ALL, "read readv write writev close close_range poll ppoll ppoll_time64"},
    {ALL, "recv recvfrom recvmsg send getsockopt getsockname getpeername"},
    /* Where one is in a file all know who share it. */
    {M | S | K, "lseek _llseek"},
    /*
     * What reaches others through a descriptor: a signal once it is ready,
     * flags and an end that all share, another address, a descriptor whose
     * closing waits.  What children need of it is among the conditions.
     */
    {M, "fcntl fcntl64 sendto sendmsg setsockopt shutdown"},
    /* It may load a provider. */
    {M, "mmap mmap2 mprotect"},
    /* Signals that come. */
    {ALL,
	"rt_sigaction rt_sigprocmask rt_sigreturn sigreturn sigaltstack "
	"restart_syscall alarm setitimer"},
    /* The end; for a child, the clean-up of the C library. */
    {ALL, "exit exit_group"},
    /* What the C library asks and does for itself: locks, seeds, sizes. */
    {ALL,
	"futex futex_time64 sched_yield sched_getaffinity getcpu "
	"set_robust_list set_tid_address rseq getpid gettid getppid getuid "
	"getuid32 geteuid geteuid32 getgid getgid32 getegid getegid32 "
	"getrandom sysinfo uname getrlimit ugetrlimit"},
    /* The loop: descriptors, timers, signals. */
    {M | S | K,
	"epoll_create1 epoll_ctl epoll_wait epoll_pwait signalfd4 "
	"timerfd_create timerfd_settime timerfd_settime64"},
    /* A key that is read and stays out of swap; threads that give way. */
    {K, "pread64 mlock mlock2 munlock"},
    /* Limits, which can only go down. */
    {K, "setrlimit"},
    /* The log when it is opened again looks no name up. */
    {K, "fstat fstat64"},
    /* The administrator's connections, and the network's. */
    {M | S, "accept accept4"},
    /* Datagrams in batches. */
    {S, "recvmmsg recvmmsg_time64 sendmmsg"},
    /* Files: where is Landlock's matter. */
    {M | S,
	"open openat creat stat stat64 lstat lstat64 fstat fstat64 "
	"newfstatat fstatat64 statx access faccessat faccessat2 readlink "
	"readlinkat getcwd unlink unlinkat rename renameat renameat2 "
	"fsync fdatasync fchmod umask getdents64 mkdir mkdirat chmod "
	"fchmodat link linkat"},
    /* The database: what SQLite does to its files, and the reserve. */
    {S,
	"pread64 pwrite64 preadv pwritev ftruncate ftruncate64 fallocate "
	"fchown fchown32 fstatfs fstatfs64 statfs statfs64 flock "
	"sync_file_range utimensat utimensat_time64 rmdir"},
    /* The system's log, on a socket that is there and that all share. */
    {M, "connect"},
    /* Children: made, heard of, ended. */
    {M,
	"wait4 waitid kill tgkill tkill pipe pipe2 dup dup2 dup3 setsid "
	"getpgrp getpgid"},
    /* What a child still does on its way into a sandbox of its own. */
    {M,
	"prctl seccomp landlock_create_ruleset landlock_add_rule "
	"landlock_restrict_self capget capset prlimit64 setrlimit "
	"setpriority getresuid getresuid32"},
};

/* What is answered with an error instead, so that a library goes on. */
static const struct {
	unsigned roles;
	int error;
	const char *calls;
} refused[] = {
    /* No file has a name here. */
    {W, EACCES, "open openat"},
    {K, EACCES, "open"},
    {W | K, EACCES,
	"creat openat2 stat stat64 lstat lstat64 newfstatat "
	"fstatat64 statx access faccessat faccessat2 readlink "
	"readlinkat getcwd unlink unlinkat"},
    {W, EACCES, "fstat fstat64"},
    {W, ESPIPE, "lseek _llseek"},
    /* Newer ways of what there are older ones for, in the lists above. */
    {ALL, ENOSYS,
	"clone3 futex_waitv epoll_pwait2 membarrier io_uring_setup "
	"pidfd_open process_madvise"},
    {M | S, ENOSYS, "openat2"},
    /* No terminal is asked how wide it is: stdio and libconfig try. */
    {ALL, ENOTTY, "ioctl"},
    /* abort(3): the process ends by the next means that it has. */
    {S | K | W, EPERM, "kill tgkill tkill"},
    /* A C library that names its memory. */
    {S | K | W, EPERM, "prctl"},
};

#if defined(__s390__) || defined(__s390x__)
/* What mmap() maps stands in memory there, out of a filter's sight. */
enum { CLONE_FLAGS = 1, MAPS = 0 };
#else
enum { CLONE_FLAGS = 0, MAPS = PROT_EXEC };
#endif

static const unsigned namespaces = CLONE_NEWNS | CLONE_NEWCGROUP |
    CLONE_NEWUTS | CLONE_NEWIPC | CLONE_NEWUSER | CLONE_NEWPID | CLONE_NEWNET;

/*
 * What depends on arguments: those bits of them must have that value.  Of an
 * int the kernel takes 32 bits, whatever stands above them.
 */
static const struct {
	unsigned roles;
	int error; /* 0: it may */
	const char *calls;
	struct {
		unsigned number;
		uint64_t bits, value;
	} arguments[ARGUMENTS]; /* bits 0: none */
} conditions[] = {
    /* Nothing that was written is run. */
    {S | K | W, 0, "mmap", {{2, MAPS, 0}}},
    {S | K | W, 0, "mmap2 mprotect", {{2, PROT_EXEC, 0}}},
    /* A fork, or a thread, and nobody's new world. */
    {M, 0, "clone", {{CLONE_FLAGS, namespaces, 0}}},
    /* Threads alone. */
    {K, 0, "clone",
	{{CLONE_FLAGS, CLONE_VM | CLONE_THREAD | namespaces,
	    CLONE_VM | CLONE_THREAD}}},
    /* Its own limits and its own threads' niceness alone. */
    {K, 0, "prlimit64", {{0, UINT32_MAX, 0}}},
    {K, 0, "setpriority", {{0, UINT32_MAX, PRIO_PROCESS}, {1, UINT32_MAX, 0}}},
    /* Limits are read; setting them is over. */
    {S | W, 0, "prlimit64", {{0, UINT32_MAX, 0}, {2, UINT64_MAX, 0}}},
    /* Channels to children; socket() itself is in nobody's list. */
    {M, 0, "socketpair", {{0, UINT32_MAX, AF_UNIX}}},
    /* Whether a descriptor blocks; a worker's are as they must be. */
    {S | K | W, 0, "fcntl fcntl64", {{1, UINT32_MAX, F_GETFL}}},
    {S | K, 0, "fcntl fcntl64", {{1, UINT32_MAX, F_SETFL}}},
    {S | K, 0, "fcntl fcntl64", {{1, UINT32_MAX, F_GETFD}}},
    {S | K, 0, "fcntl fcntl64", {{1, UINT32_MAX, F_SETFD}}},
    /* The database's locks. */
    {S, 0, "fcntl fcntl64", {{1, UINT32_MAX, F_GETLK}}},
    {S, 0, "fcntl fcntl64", {{1, UINT32_MAX, F_SETLK}}},
    {S, 0, "fcntl fcntl64", {{1, UINT32_MAX, F_SETLKW}}},
    /* To whom the socket is connected, and nobody else. */
    {S | K | W, 0, "sendto", {{4, UINT64_MAX, 0}}},
    /* The client's socket, which is a worker's standard input. */
    {W, 0, "shutdown", {{0, UINT32_MAX, STDIN_FILENO}}},
    {W, 0, "setsockopt",
	{{1, UINT32_MAX, IPPROTO_TCP}, {2, UINT32_MAX, TCP_NODELAY}}},
    /* The keeper's log is opened again, to append to; nothing else is. */
    {K, 0, "openat",
	{{2, O_ACCMODE | O_APPEND | O_TRUNC, O_WRONLY | O_APPEND}}},
    {K, EACCES, "openat", {{2, O_ACCMODE, O_RDONLY}}},
    {K, EACCES, "openat", {{2, O_ACCMODE, O_RDWR}}},
};

static struct sock_fprog programs[SANDBOX_ROLES];

/* One rule; what this architecture does not have needs none. */
static int
add(scmp_filter_ctx filter, int error, const char *name,
    const struct scmp_arg_cmp *on, unsigned count)
{
	int number = seccomp_syscall_resolve_name(name);
	uint32_t action =
	    error ? SCMP_ACT_ERRNO((unsigned)error) : SCMP_ACT_ALLOW;
	int status;

	if (number == __NR_SCMP_ERROR)
		return 0;
	status = seccomp_rule_add_array(filter, action, number, count, on);
	return number < 0 ? 0 : status;
}

/* One rule for each of the names, which blanks separate. */
static int
add_list(scmp_filter_ctx filter, int error, const char *names,
    const struct scmp_arg_cmp *on, unsigned count)
{
	char name[NAME_LEN];
	int status = 0;

	while (*names && status == 0) {
		size_t len = strcspn(names, " ");

		memcpy(name, names, len);
		name[len] = '\0';
		status = add(filter, error, name, on, count);
		names += len + strspn(names + len, " ");
	}
	return status;
}

/* The rules of one row of conditions. */
static int
add_condition(scmp_filter_ctx filter, size_t row)
{
	struct scmp_arg_cmp on[ARGUMENTS];
	unsigned count = 0;

	while (count < ARGUMENTS && conditions[row].arguments[count].bits) {
		on[count] = (struct scmp_arg_cmp){
		    .arg = conditions[row].arguments[count].number,
		    .op = SCMP_CMP_MASKED_EQ,
		    .datum_a = conditions[row].arguments[count].bits,
		    .datum_b = conditions[row].arguments[count].value,
		};
		count++;
	}
	return add_list(
	    filter, conditions[row].error, conditions[row].calls, on, count);
}

/* All rows of a role.  The master may what anybody may. */
static int
add_rows(scmp_filter_ctx filter, enum ipc_role role)
{
	int status = 0;

	for (size_t i = 0; i < sizeof(allowed) / sizeof(*allowed); i++)
		if (status == 0 &&
		    (role == ROLE_MASTER || (allowed[i].roles & role)))
			status = add_list(filter, 0, allowed[i].calls, NULL, 0);
	for (size_t i = 0; i < sizeof(refused) / sizeof(*refused); i++)
		if (status == 0 && (refused[i].roles & role))
			status = add_list(filter, refused[i].error,
			    refused[i].calls, NULL, 0);
	for (size_t i = 0; i < sizeof(conditions) / sizeof(*conditions); i++)
		if (status == 0 && (conditions[i].roles & role))
			status = add_condition(filter, i);
	return status;
}

/* The highest number that libseccomp has a name for; or none is too high. */
static unsigned
highest(void)
{
	static unsigned found;

	if (found != 0)
		return found;
	found = UINT32_MAX;
	for (int i = 0; i < NUMBERS; i++) {
		char *name =
		    seccomp_syscall_resolve_num_arch(SCMP_ARCH_NATIVE, i);

		if (name)
			found = (unsigned)i;
		free(name);
	}
	return found;
}

/*
 * Takes the program out of the file that libseccomp wrote it to.  Before it:
 * calls newer than our libseccomp are ones that the kernel does not have, so
 * that a newer C library falls back.
 */
static int
take_program(int fd, struct sock_fprog *program)
{
	const struct sock_filter newer[] = {
	    BPF_STMT(
		BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
	    BPF_JUMP(BPF_JMP | BPF_JGT | BPF_K, highest(), 0, 1),
	    BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | ENOSYS),
	};
	struct stat info;
	char *code;

	if (fstat(fd, &info) == -1 || info.st_size == 0)
		return -1;
	code = malloc(sizeof(newer) + (size_t)info.st_size);
	if (!code)
		return -1;
	memcpy(code, newer, sizeof(newer));
	if (pread(fd, code + sizeof(newer), (size_t)info.st_size, 0) !=
	    info.st_size) {
		free(code);
		return -1;
	}
	free(program->filter);
	program->filter = (struct sock_filter *)(void *)code;
	program->len = (unsigned short)((sizeof(newer) + (size_t)info.st_size) /
	    sizeof(newer[0]));
	return 0;
}

/* Makes the program of a role; -1 if that cannot be done here. */
static int
make_program(enum ipc_role role, struct sock_fprog *program)
{
	scmp_filter_ctx filter = seccomp_init(SCMP_ACT_KILL_PROCESS);
	int fd = memfd_create("calls", MFD_CLOEXEC), status = -1;

	if (filter && fd != -1 &&
	    seccomp_attr_set(
		filter, SCMP_FLTATR_ACT_BADARCH, SCMP_ACT_KILL_PROCESS) == 0 &&
	    seccomp_attr_set(filter, SCMP_FLTATR_CTL_OPTIMIZE, 2) == 0 &&
	    add_rows(filter, role) == 0 && seccomp_export_bpf(filter, fd) == 0)
		status = take_program(fd, program);
	seccomp_release(filter);
	if (fd != -1)
		close(fd);
	return status;
}

void
calls_prepare(void)
{
	const uint32_t action = SECCOMP_RET_KILL_PROCESS;
	enum ipc_role roles[SANDBOX_ROLES] = {
	    ROLE_MASTER, ROLE_STORE, ROLE_KEEPER, ROLE_WORKER};

	if (calls_possible() ||
	    syscall(SYS_seccomp, SECCOMP_GET_ACTION_AVAIL, 0, &action) == -1)
		return;
	for (int i = 0; i < SANDBOX_ROLES; i++)
		if (make_program(roles[i], &programs[role_index(roles[i])]) ==
		    -1) {
			log_warn("system calls cannot be confined here");
			programs[role_index(ROLE_MASTER)].len = 0;
			return;
		}
}

bool
calls_possible(void)
{
	return programs[role_index(ROLE_WORKER)].len > 0 &&
	    programs[role_index(ROLE_MASTER)].len > 0;
}

int
calls_enter(enum ipc_role role)
{
	if (!calls_possible())
		return 0;
	return syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0,
		   &programs[role_index(role)]) == -1
	    ? -1
	    : 0;
}
