/* SPDX-License-Identifier: ISC */
/*
 * Standard output whose reader stalls: all that it takes comes whole and in
 * order, and a stop is heard wherever it stalls.
 */
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <unistd.h>
#include <sys/wait.h>

#include "chat/faces/outlet.h"
#include "tap.h"

enum {
	MUCH = 200000, /* more than a pipe holds */
	FREE = 4096, /* what poll(2) wants to see in a pipe */
	PATIENCE_S = 20,
};

/* Leaves so much room in a pipe that nobody reads. */
static void
fill(int fd, int room)
{
	char page[FREE] = {0};
	int left = fcntl(fd, F_GETPIPE_SZ) - room;

	for (; left > 0; left -= FREE)
		if (write(fd, page, sizeof(page)) != FREE)
			_exit(99);
}

/* A face that prints so much, with that stop; its pid. */
static pid_t
face(int out, int stop, int octets, int patience)
{
	pid_t pid;

	fflush(stdout);
	pid = fork();
	if (pid != 0)
		return pid;
	alarm(PATIENCE_S);
	dup2(out, STDOUT_FILENO);
	outlet_open();
	for (int i = 0; i < octets; i++)
		putchar('a' + i % 26);
	_exit(outlet_flush(stop, patience));
}

static int
ended(pid_t pid)
{
	int how = 0;

	waitpid(pid, &how, 0);
	return WIFEXITED(how) ? WEXITSTATUS(how) : -WTERMSIG(how);
}

/* What comes is all that was printed. */
static int
read_all(int fd)
{
	char data[1000];
	int at = 0;
	ssize_t got;

	while ((got = read(fd, data, sizeof(data))) > 0)
		for (ssize_t i = 0; i < got; i++)
			if (data[i] != 'a' + at++ % 26)
				return -1;
	return at;
}

int
main(void)
{
	int out[2], stop[2];
	pid_t pid;

	if (pipe(out) == -1 || pipe(stop) == -1)
		return 1;
	pid = face(out[1], stop[0], MUCH, -1);
	close(out[1]);
	is_number(read_all(out[0]), MUCH, "all comes, in order");
	is_number(ended(pid), OUTLET_DONE, "and that is known");
	close(out[0]);

	if (pipe(out) == -1)
		return 1;
	fill(out[1], FREE);
	is_number(ended(face(out[1], stop[0], 2 * FREE, 50)), OUTLET_STOPPED,
	    "a reader that stalls within a text is waited for, not for ever");
	/* It is full now. */
	pid = face(out[1], stop[0], 1, -1);
	ok(write(stop[1], "", 1) == 1 && ended(pid) == OUTLET_STOPPED,
	    "a stop is heard meanwhile");
	is_number(ended(face(out[1], stop[0], 2 * FREE, -1)), OUTLET_STOPPED,
	    "and one that was there before");

	close(out[0]);
	signal(SIGPIPE, SIG_IGN);
	is_number(ended(face(out[1], stop[0], 1, -1)), OUTLET_FAILED,
	    "a reader that is gone is a failure");
	return done();
}
