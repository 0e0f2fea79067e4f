/* SPDX-License-Identifier: ISC */
/*
 * Unit tests of lib/loop, and of what lib/unix does with descriptors:
 * reports, stale reports, timers, signals, a child that forgets the loop.
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <unistd.h>
#include <sys/socket.h>
#include <sys/wait.h>

#include "lib/loop.h"
#include "lib/unix.h"
#include "tap.h"

/* One end of a pair that is watched, and what happened to it. */
struct end {
	struct loop *loop;
	struct loop_watch watch;
	struct end **victim; /* is removed and freed by the handler */
	int *total; /* calls of all that share it; may be NULL */
	int calls;
	unsigned events;
};

static void
on_end(void *arg, unsigned events)
{
	struct end *end = arg;

	end->calls++;
	end->events = events;
	if (end->total)
		++*end->total;
	if (end->victim && *end->victim) {
		loop_remove(end->loop, &(*end->victim)->watch);
		free(*end->victim);
		*end->victim = NULL;
	}
}

static void
test_events(struct loop *loop)
{
	struct end end = {.loop = loop};
	int pair[2];
	char byte;

	ok(unix_pair(pair) == 0, "a pair");
	loop_remove(loop, &end.watch);
	ok(end.watch.fd == -1, "removing what was never added is no harm");
	ok(loop_add(loop, &end.watch, pair[0], LOOP_READ, on_end, &end) == 0,
	    "it is watched");
	loop_turn(loop, 0);
	ok(end.calls == 0, "nothing is reported too early");
	send(pair[1], "x", 1, 0);
	loop_turn(loop, 1000);
	ok(end.calls == 1 && end.events == LOOP_READ, "what came is reported");
	loop_want(loop, &end.watch, LOOP_READ | LOOP_WRITE);
	loop_turn(loop, 1000);
	ok(end.events == (LOOP_READ | LOOP_WRITE), "and room to write");
	end.calls = 0;
	loop_want(loop, &end.watch, 0);
	loop_turn(loop, 0);
	ok(end.calls == 0, "one who waits for nothing is left alone");
	loop_want(loop, &end.watch, LOOP_WRITE);
	loop_turn(loop, 1000);
	ok(end.calls == 1 && end.events == LOOP_WRITE, "until it waits again");
	ok(recv(pair[0], &byte, 1, 0) == 1, "the byte is there");
	loop_want(loop, &end.watch, LOOP_READ);
	close(pair[1]);
	loop_turn(loop, 1000);
	ok(end.calls == 2 && (end.events & LOOP_READ), "a hangup is reported");
	loop_want(loop, &end.watch, LOOP_WRITE);
	loop_turn(loop, 1000);
	ok(end.events == (LOOP_READ | LOOP_WRITE), "to a writer as well");
	loop_want(loop, &end.watch, 0);
	loop_turn(loop, 0);
	ok(end.calls == 3, "but not to one who waits for nothing");
	loop_remove(loop, &end.watch);
	loop_remove(loop, &end.watch);
	close(pair[0]);
	ok(loop_add(loop, &end.watch, pair[0], LOOP_READ, on_end, &end) == -1 &&
		errno == EBADF && end.watch.fd == -1,
	    "a closed descriptor is refused");
}

/* Two that are ready at once: the first to be called removes the other. */
static void
test_stale(struct loop *loop)
{
	struct end *ends[2];
	int pairs[2][2], total = 0;

	for (int i = 0; i < 2; i++) {
		ends[i] = calloc(1, sizeof(*ends[i]));
		if (!ends[i] || unix_pair(pairs[i]) == -1)
			abort();
		ends[i]->loop = loop;
		ends[i]->total = &total;
		loop_add(loop, &ends[i]->watch, pairs[i][0], LOOP_READ, on_end,
		    ends[i]);
		send(pairs[i][1], "x", 1, 0);
	}
	ends[0]->victim = &ends[1];
	ends[1]->victim = &ends[0];
	loop_turn(loop, 1000);
	ok(total == 1, "one that was freed in its turn is not called");
	for (int i = 0; i < 2; i++) {
		if (ends[i])
			loop_remove(loop, &ends[i]->watch);
		free(ends[i]);
		close(pairs[i][0]);
		close(pairs[i][1]);
	}
}

/* A watch that replaces another on the same descriptor number. */
struct reuse {
	struct loop *loop;
	struct end *old, *fresh;
	struct loop_watch watch;
	int fd;
};

static void
on_reuse(void *arg, unsigned events)
{
	struct reuse *reuse = arg;
	int fd = reuse->old->watch.fd, other[2];

	(void)events;
	loop_remove(reuse->loop, &reuse->watch);
	loop_remove(reuse->loop, &reuse->old->watch);
	if (unix_pair(other) == -1 || dup2(other[0], fd) == -1)
		abort();
	close(other[0]);
	loop_add(reuse->loop, &reuse->fresh->watch, fd, LOOP_READ, on_end,
	    reuse->fresh);
	reuse->fd = other[1];
}

static void
test_reuse(struct loop *loop)
{
	struct end old = {.loop = loop}, fresh = {.loop = loop};
	struct reuse reuse = {.loop = loop, .old = &old, .fresh = &fresh};
	int first[2], second[2];

	if (unix_pair(first) == -1 || unix_pair(second) == -1)
		abort();
	loop_add(loop, &reuse.watch, first[0], LOOP_READ, on_reuse, &reuse);
	loop_add(loop, &old.watch, second[0], LOOP_READ, on_end, &old);
	send(first[1], "x", 1, 0);
	send(second[1], "x", 1, 0);
	loop_turn(loop, 1000);
	ok(fresh.calls == 0, "a report for the old descriptor is dropped");
	send(reuse.fd, "x", 1, 0);
	loop_turn(loop, 1000);
	ok(fresh.calls == 1, "the new one gets its own");
	loop_remove(loop, &fresh.watch);
	close(first[0]);
	close(first[1]);
	close(second[0]);
	close(second[1]);
	close(reuse.fd);
}

static void
test_plain_file(struct loop *loop)
{
	struct end end = {.loop = loop};
	int fd = open("/dev/null", O_RDONLY | O_CLOEXEC);

	ok(loop_add(loop, &end.watch, fd, LOOP_READ, on_end, &end) == 0,
	    "what epoll refuses can be watched");
	loop_turn(loop, -1);
	ok(end.calls == 1 && end.events == LOOP_READ, "it is always ready");
	loop_want(loop, &end.watch, 0);
	loop_turn(loop, 0);
	ok(end.calls == 1, "unless it waits for nothing");
	loop_want(loop, &end.watch, LOOP_READ);
	loop_turn(loop, -1);
	ok(end.calls == 2, "and ready again");
	loop_remove(loop, &end.watch);
	loop_turn(loop, 0);
	ok(end.calls == 2, "until it is removed");
	close(fd);
}

enum { TIMERS = 200 };

struct clockwork {
	struct loop *loop;
	struct loop_timer timers[TIMERS];
	int64_t last;
	int calls, early, disorder;
};

/* What a timer of the clockwork gets. */
struct tick {
	struct clockwork *all;
	int64_t due;
};

static void
on_tick(void *arg)
{
	struct tick *tick = arg;

	tick->all->calls++;
	if (clock_mono() < tick->due)
		tick->all->early++;
	if (tick->due < tick->all->last)
		tick->all->disorder++;
	tick->all->last = tick->due;
}

static void
test_timers(struct loop *loop)
{
	static struct clockwork all;
	static struct tick ticks[TIMERS];
	int64_t start = clock_mono();
	unsigned seed = 7;

	for (int round = 0; round < 3; round++) {
		for (int i = 0; i < TIMERS; i++) {
			seed = seed * 1103515245 + 12345;
			ticks[i].all = &all;
			loop_timer(loop, &all.timers[i], (seed >> 16) % 50,
			    on_tick, &ticks[i]);
			ticks[i].due = all.timers[i].at;
		}
	}
	for (int i = 0; i < TIMERS; i += 4) {
		loop_timer_stop(loop, &all.timers[i]);
		loop_timer_stop(loop, &all.timers[i]);
	}
	while (all.calls < TIMERS * 3 / 4 && clock_mono() < start + 5000)
		loop_turn(loop, 1000);
	loop_turn(loop, 60);
	ok(all.calls == TIMERS * 3 / 4, "each goes off once (%d)", all.calls);
	ok(all.early == 0, "none too early");
	ok(all.disorder == 0, "all in order");
	start = clock_mono();
	loop_turn(loop, 30);
	ok(clock_mono() - start >= 29, "and then it is quiet");
}

/* A timer that sets itself again at once, and stops in the end. */
struct again {
	struct loop *loop;
	struct loop_timer timer;
	int calls, turns;
};

static void
on_again(void *arg)
{
	struct again *again = arg;

	if (++again->calls == 5)
		loop_stop(again->loop);
	else
		loop_timer(again->loop, &again->timer, 0, on_again, again);
}

static void
on_turn(void *arg)
{
	struct again *again = arg;

	again->turns++;
}

static void
test_run(struct loop *loop)
{
	struct again again = {.loop = loop};

	loop_after_turn(loop, on_turn, &again);
	loop_timer(loop, &again.timer, 0, on_again, &again);
	loop_run(loop);
	ok(again.calls == 5 && again.turns == 5,
	    "a timer set anew waits for the next turn");
	ok(again.timer.slot == 0, "and is not set in the end");
	loop_timer(loop, &again.timer, -5, on_again, &again);
	again.calls = 4;
	loop_run(loop);
	ok(again.calls == 5, "a loop runs again after a stop");
	loop_after_turn(loop, NULL, NULL);
}

static void
on_signal_count(void *arg, int signo)
{
	int *counts = arg;

	counts[signo]++;
}

static void
test_signals(struct loop *loop)
{
	int counts[NSIG] = {0}, status = 0;
	pid_t child;

	signal(SIGUSR1, SIG_IGN);
	ok(loop_signal(loop, SIGUSR1, on_signal_count, counts) == 0 &&
		loop_signal(loop, SIGCHLD, on_signal_count, counts) == 0,
	    "two signals");
	ok(loop_signal(loop, -1, on_signal_count, counts) == -1 &&
		loop_signal(loop, NSIG + 1, on_signal_count, counts) == -1,
	    "no others");
	kill(getpid(), SIGUSR1);
	loop_turn(loop, 1000);
	ok(counts[SIGUSR1] == 1, "one comes, though it was ignored");
	child = fork();
	if (child == 0) {
		/* Must die of it: neither blocked nor ignored here. */
		loop_forget(loop);
		raise(SIGUSR1);
		_exit(0);
	}
	while (counts[SIGCHLD] == 0)
		loop_turn(loop, 5000);
	ok(waitpid(child, &status, 0) == child && WIFSIGNALED(status) &&
		WTERMSIG(status) == SIGUSR1,
	    "a child that forgets gets it");
	ok(counts[SIGUSR1] == 1, "and we do not");
}

static void
test_passing(void)
{
	struct iovec parts[2] = {{(char *)"he", 2}, {(char *)"llo", 3}};
	char got[8] = "";
	int pair[2], pipes[2], fd = 7;

	if (unix_pair(pair) == -1 || pipe(pipes) == -1)
		abort();
	ok(unix_send(pair[0], parts, 2, pipes[1]) == 0, "a descriptor is sent");
	ok(unix_receive(pair[1], got, sizeof(got), &fd) == 5, "it comes");
	is(got, "hello", "with the message");
	ok(fd > 2 && fcntl(fd, F_GETFD) == FD_CLOEXEC, "close-on-exec");
	close(pipes[1]);
	ok(write(fd, "x", 1) == 1 && read(pipes[0], got, 1) == 1, "it works");
	close(fd);
	unix_send(pair[0], parts, 2, pipes[0]);
	ok(unix_receive(pair[1], got, 3, &fd) == -1 && errno == EMSGSIZE &&
		fd == -1,
	    "what is too long is an error");
	unix_send(pair[0], parts, 2, pipes[0]);
	ok(unix_receive(pair[1], got, sizeof(got), NULL) == 5,
	    "one that is not wanted");
	fd = dup(0);
	ok(fd == pipes[1], "is closed (%d)", fd);
	close(fd);
	fd_nonblock(pair[1], true);
	ok(unix_receive(pair[1], got, sizeof(got), &fd) == -1 &&
		errno == EAGAIN,
	    "nothing more");
	close(pair[0]);
	ok(unix_receive(pair[1], got, sizeof(got), &fd) == 0 && fd == -1,
	    "the end");
	close(pair[1]);
	close(pipes[0]);
}

int
main(void)
{
	struct loop *loop = loop_new();

	if (!ok(loop != NULL, "a loop"))
		return done();
	test_events(loop);
	test_stale(loop);
	test_reuse(loop);
	test_plain_file(loop);
	test_timers(loop);
	test_run(loop);
	test_signals(loop);
	loop_free(loop);
	test_passing();
	return done();
}
