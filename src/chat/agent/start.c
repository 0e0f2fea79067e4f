/* SPDX-License-Identifier: ISC */
/*
 * Starting the agent: forked off by whoever needs it, a process of its own
 * from then on.  Keeps none of its starter's descriptors.
 */
#include "chat/agent/start.h"

#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

#include "chat/agent/agent.h"
#include "lib/unix.h"

enum { READY_MS = 15000 }; /* the lock's wait and a large book included */

/* Closes every descriptor but these two (the greater may be -1). */
static void
close_others(int ready, int dir)
{
	unsigned low = (unsigned)(ready < dir ? ready : dir);
	unsigned high = (unsigned)(ready < dir ? dir : ready);

	if (dir == -1)
		low = high;
	if (low > 3)
		close_range(3, low - 1, 0);
	if (high > low + 1)
		close_range(low + 1, high - 1, 0);
	close_range(high + 1, UINT_MAX, 0);
}

/* Leaves nothing of the starter but its rights and its environment. */
static void
detach(const struct account *account, int ready)
{
	sigset_t none;
	int null = open("/dev/null", O_RDWR);

	for (int fd = 0; fd < 3; fd++)
		dup2(null, fd);
	close_others(ready, account->dir_fd);
	for (int signo = 1; signo < NSIG; signo++)
		signal(signo, SIG_DFL);
	/* A centre or a face that is gone is an error code, not a signal. */
	signal(SIGPIPE, SIG_IGN);
	/* Nor is a limit on the size of files: that is a full disk. */
	signal(SIGXFSZ, SIG_IGN);
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	umask(077);
	if (chdir(account->dir) == -1)
		_exit(EX_CANTCREAT);
}

/* The agent's own process, after the second fork. */
_Noreturn static void
live(const struct account *account, int ready)
{
	detach(account, ready);
	/*
	 * Only the short name: a whole title would overwrite the environment
	 * that others read in /proc.
	 */
	prctl(PR_SET_NAME, "chat: agent");
	_exit(agent_main(account, ready));
}

/* Forks twice, so that the agent is nobody's child; -1 with errno. */
static int
fork_off(const struct account *account, int ready)
{
	pid_t pid = fork();
	int status;

	if (pid == 0) {
		setsid();
		pid = fork();
		if (pid == 0)
			live(account, ready);
		_exit(pid == -1 ? EX_OSERR : 0);
	}
	if (pid == -1)
		return -1;
	while (waitpid(pid, &status, 0) == -1)
		if (errno != EINTR)
			return -1;
	if (WIFEXITED(status) && WEXITSTATUS(status) == 0)
		return 0;
	errno = EAGAIN;
	return -1;
}

/* Reads the agent's one line about its start. */
static ssize_t
read_report(int fd, char *line, size_t size)
{
	struct pollfd pfd = {.fd = fd, .events = POLLIN};
	int64_t left, deadline = clock_mono() + READY_MS;
	size_t len = 0;
	ssize_t n = 1;

	while (len < size - 1 && n != 0 && memchr(line, '\n', len) == NULL) {
		left = deadline - clock_mono();
		if (left <= 0)
			break;
		if (poll(&pfd, 1, (int)left) <= 0)
			continue;
		n = read(fd, line + len, size - 1 - len);
		if (n > 0)
			len += (size_t)n;
	}
	line[len] = '\0';
	return (ssize_t)len;
}

/* Starts an agent for the account and waits until it serves. */
int
agent_start(const struct account *account, char *why, size_t size)
{
	char line[BOOK_WHY_LEN + 64], *text;
	int ready[2], status;
	long code;

	if (pipe2(ready, O_CLOEXEC) == -1) {
		snprintf(why, size, "pipe: %s", strerror(errno));
		return EX_OSERR;
	}
	status = fork_off(account, ready[1]);
	close(ready[1]);
	if (status == -1) {
		snprintf(why, size, "fork: %s", strerror(errno));
		close(ready[0]);
		return EX_OSERR;
	}
	read_report(ready[0], line, sizeof(line));
	close(ready[0]);
	code = strtol(line, &text, 10);
	if (text == line) {
		snprintf(why, size, "the agent did not start; see %s/agent.log",
		    account->dir);
		return EX_OSERR;
	}
	snprintf(why, size, "%.*s", (int)strcspn(text + 1, "\n"), text + 1);
	return (int)code;
}
