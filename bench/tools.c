/* SPDX-License-Identifier: ISC */
/*
 * Processes, /proc, clocks and medians for the benchmark.  Runs in the
 * benchmark itself; must never signal a process that it did not start.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <inttypes.h>
#include <poll.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>
#include <sys/prctl.h>
#include <sys/wait.h>

#include "tools.h"

enum {
	STAT_LEN = 4096,
	STEP_MS = 2, /* between two looks at a process */
	TREE_DESCRIPTORS = 16,
};

static volatile sig_atomic_t caught;

int64_t
clock_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

static void
interrupt(int signo)
{
	caught = signo;
}

void
interrupt_watch(void)
{
	struct sigaction action = {.sa_handler = interrupt};

	sigaction(SIGINT, &action, NULL);
	sigaction(SIGTERM, &action, NULL);
	sigaction(SIGHUP, &action, NULL);
	signal(SIGPIPE, SIG_IGN);
}

bool
interrupted(void)
{
	return caught != 0;
}

int
complain(const char *fmt, ...)
{
	va_list args;

	fflush(stdout);
	fputs("bench: ", stderr);
	va_start(args, fmt);
	vfprintf(stderr, fmt, args);
	va_end(args);
	fputc('\n', stderr);
	return -1;
}

static int
by_size(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

double
quantile(double *values, size_t count, double share)
{
	if (count == 0)
		return 0;
	qsort(values, count, sizeof(*values), by_size);
	return values[(size_t)(share * (double)(count - 1) + 0.5)];
}

static void
pause_ms(int ms)
{
	poll(NULL, 0, ms);
}

/* Puts a file or another descriptor in the place of one. */
static bool
put_file(const char *path, int flags, int place)
{
	int fd = open(path, flags, 0600);

	if (fd == -1 || (fd != place && dup2(fd, place) == -1))
		return false;
	if (fd != place)
		close(fd);
	return true;
}

/* The program's own process, from the fork on. */
static _Noreturn void
become(char *const argv[], int tell, int end, const char *log)
{
	sigset_t none;

	prctl(PR_SET_PDEATHSIG, SIGTERM);
	signal(SIGPIPE, SIG_DFL);
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	if (put_file("/dev/null", O_RDONLY, STDIN_FILENO) &&
	    put_file(log, O_WRONLY | O_CREAT | O_APPEND, STDERR_FILENO) &&
	    dup2(end, tell) != -1)
		execv(argv[0], argv);
	_exit(127);
}

pid_t
process_start(char *const argv[], int tell, const char *log, int *from)
{
	int ends[2];
	pid_t pid;

	/* Above whatever `tell` is, so that dup2() has something to do. */
	if (pipe2(ends, O_CLOEXEC) == -1)
		return complain("a pipe: %s", strerror(errno));
	pid = fork();
	if (pid == 0) {
		int end = fcntl(ends[1], F_DUPFD_CLOEXEC, tell + 1);

		become(argv, tell, end, log);
	}
	close(ends[1]);
	if (pid == -1) {
		close(ends[0]);
		return complain("%s: %s", argv[0], strerror(errno));
	}
	*from = ends[0];
	return pid;
}

int
process_line(int from, char *line, size_t size, int ms)
{
	int64_t until = clock_ns() + ms * INT64_C(1000000);
	size_t len = 0;
	bool whole = false;

	while (!whole && len + 1 < size && !interrupted()) {
		struct pollfd pfd = {.fd = from, .events = POLLIN};
		int64_t left = (until - clock_ns()) / 1000000;

		if (left <= 0 || poll(&pfd, 1, (int)left) < 1 ||
		    read(from, line + len, 1) != 1)
			break;
		whole = line[len] == '\n';
		len += !whole;
	}
	line[len] = '\0';
	close(from);
	return whole ? 0 : -1;
}

/* Waits for the end of a child for that long; false if it did not come. */
static bool
wait_for(pid_t pid, int ms, int *how)
{
	int64_t until = clock_ns() + ms * INT64_C(1000000);
	pid_t got;

	while ((got = waitpid(pid, how, WNOHANG)) == 0 && clock_ns() < until)
		pause_ms(STEP_MS);
	return got == pid;
}

int
process_end(pid_t pid, int ms)
{
	int how;

	if (pid <= 0)
		return 0;
	kill(pid, SIGTERM);
	if (wait_for(pid, ms, &how))
		return how == 0 ? 0 : -1;
	kill(pid, SIGKILL);
	waitpid(pid, &how, 0);
	return -1;
}

int
process_wait(pid_t pid)
{
	int how;

	while (waitpid(pid, &how, 0) == -1)
		if (errno != EINTR)
			return -1;
	return how == 0 ? 0 : -1;
}

int
process_run(char *const argv[], char *out, size_t size)
{
	char waste[STAT_LEN];
	size_t len = 0;
	ssize_t got;
	int from;
	pid_t pid = process_start(argv, STDOUT_FILENO, "/dev/null", &from);

	if (pid == -1)
		return -1;
	for (;;) {
		bool keep = out != NULL && len + 1 < size;

		got = keep ? read(from, out + len, size - len - 1)
			   : read(from, waste, sizeof(waste));
		if (got == -1 && errno == EINTR && !interrupted())
			continue;
		if (got <= 0)
			break;
		len += keep ? (size_t)got : 0;
	}
	if (out != NULL)
		out[len] = '\0';
	close(from);
	return process_wait(pid);
}

/* Reads one of the kernel's short files; its length, or -1. */
static ssize_t
proc_read(pid_t pid, const char *name, char *out, size_t size)
{
	char path[64];
	ssize_t got;
	int fd;

	snprintf(path, sizeof(path), "/proc/%ld/%s", (long)pid, name);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd == -1)
		return -1;
	got = read(fd, out, size - 1);
	close(fd);
	if (got < 0)
		return -1;
	out[got] = '\0';
	return got;
}

int
process_cost(pid_t pid, struct process_cost *cost)
{
	char text[STAT_LEN];
	unsigned long faults, child_faults, own[2];
	long children[2];
	const char *at;

	/* proc(5): fields 10, 11 and 14 to 17; the name may hold anything. */
	if (proc_read(pid, "stat", text, sizeof(text)) == -1 ||
	    (at = strrchr(text, ')')) == NULL ||
	    sscanf(at,
		") %*c %*d %*d %*d %*d %*d %*u %lu %lu %*u %*u %lu %lu %ld "
		"%ld",
		&faults, &child_faults, &own[0], &own[1], &children[0],
		&children[1]) != 6)
		return complain("process %ld is gone", (long)pid);
	cost->cpu +=
	    ((double)(own[0] + own[1]) + (double)(children[0] + children[1])) /
	    (double)sysconf(_SC_CLK_TCK);
	cost->faults += (double)(faults + child_faults);
	return 0;
}

/* The parent of a process, or -1. */
static pid_t
parent_of(pid_t pid)
{
	char text[STAT_LEN];
	const char *at;
	int parent;

	if (proc_read(pid, "stat", text, sizeof(text)) == -1 ||
	    (at = strrchr(text, ')')) == NULL ||
	    sscanf(at, ") %*c %d", &parent) != 1)
		return -1;
	return parent;
}

/* The children of a process, zombies too; how many, of which max fit. */
static int
children_of(pid_t pid, pid_t *out, int max)
{
	DIR *all = opendir("/proc");
	const struct dirent *entry;
	int count = 0;

	while (all != NULL && (entry = readdir(all)) != NULL) {
		pid_t child = (pid_t)strtol(entry->d_name, NULL, 10);

		if (child <= 0 || parent_of(child) != pid)
			continue;
		if (count < max)
			out[count] = child;
		count++;
	}
	if (all != NULL)
		closedir(all);
	return count;
}

pid_t
process_child(pid_t pid, const char *word)
{
	pid_t children[64];
	char title[256];
	int count = children_of(pid, children, 64);

	for (int i = 0; i < count && i < 64; i++)
		if (proc_read(children[i], "cmdline", title, sizeof(title)) >
			0 &&
		    strstr(title, word) != NULL)
			return children[i];
	return 0;
}

int
process_settle(pid_t pid, int children, int ms)
{
	int64_t until = clock_ns() + ms * INT64_C(1000000);
	pid_t none[1];
	int count;

	while ((count = children_of(pid, none, 0)) > children &&
	    clock_ns() < until && !interrupted())
		pause_ms(STEP_MS);
	return count > children ? -1 : 0;
}

/* The sum of the lines of a /proc file that begin with the word, in octets. */
static int64_t
sum_lines(const char *text, const char *word)
{
	int64_t sum = 0, kib;

	while (text != NULL && *text != '\0') {
		if (strncmp(text, word, strlen(word)) == 0 &&
		    sscanf(strchr(text, ':'), ": %" SCNd64, &kib) == 1)
			sum += kib * 1024;
		text = strchr(text, '\n');
		if (text != NULL)
			text++;
	}
	return sum;
}

int64_t
process_memory(pid_t pid, const char **how)
{
	char text[STAT_LEN];

	/* The store forbids that one to all but root. */
	*how = "private pages";
	if (proc_read(pid, "smaps_rollup", text, sizeof(text)) > 0)
		return sum_lines(text, "Private_");
	*how = "anonymous pages";
	if (proc_read(pid, "status", text, sizeof(text)) > 0)
		return sum_lines(text, "RssAnon");
	return complain("no memory of process %ld", (long)pid);
}

static int
remove_one(
    const char *path, const struct stat *info, int type, struct FTW *where)
{
	(void)info;
	(void)type;
	(void)where;
	return remove(path);
}

void
remove_tree(const char *path)
{
	nftw(path, remove_one, TREE_DESCRIPTORS, FTW_DEPTH | FTW_PHYS);
}
