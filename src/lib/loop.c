/* SPDX-License-Identifier: ISC */
/*
 * The event loop of every lasting process: epoll for descriptors, a heap and
 * a timerfd for timers, a signalfd for signals.  Never touches a watch after
 * it was removed: a report is looked up by descriptor and serial, not by
 * address.
 */
#include <errno.h>
#include <signal.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>
#include <sys/epoll.h>
#include <sys/signalfd.h>
#include <sys/timerfd.h>

#include "lib/log.h"
#include "lib/loop.h"
#include "lib/unix.h"

enum {
	PASSES_MAX = 4, /* before what was gathered is done */
	REPORTS_MAX = 256, /* in one turn; the others come in the next one */
	SIGNALS_MAX = 8,
};

/* What is known about one descriptor. */
struct slot {
	struct loop_watch *watch; /* NULL: not watched */
	bool plain; /* a file that epoll refuses: always ready */
};

struct signal_handler {
	void (*fn)(void *arg, int signo);
	void *arg;
};

struct loop {
	int epoll;
	int alarm; /* the timerfd */
	int signals;
	int64_t armed; /* what alarm is set to; 0: nothing */
	bool stopped;
	unsigned serial;
	unsigned plain_count;

	struct slot *slots; /* by descriptor */
	size_t slot_count;

	struct loop_timer **heap;
	unsigned timer_count, heap_size;

	struct loop_watch signal_watch;
	sigset_t signal_set;
	struct signal_handler handlers[NSIG];

	void (*after_fn)(void *arg);
	void *after_arg;
};

/* Closes a descriptor of the loop's own once. */
static void
shut(int *fd)
{
	if (*fd != -1)
		close(*fd);
	*fd = -1;
}

struct loop *
loop_new(void)
{
	struct loop *loop = calloc(1, sizeof(*loop));
	struct epoll_event event = {.events = EPOLLIN};
	int saved;

	if (!loop)
		return NULL;
	sigemptyset(&loop->signal_set);
	loop->alarm = loop->signals = -1;
	loop->signal_watch.fd = -1;
	loop->epoll = epoll_create1(EPOLL_CLOEXEC);
	if (loop->epoll == -1)
		goto fail;
	/* Boot time goes on while a laptop sleeps, epoll's own does not. */
	loop->alarm =
	    timerfd_create(CLOCK_BOOTTIME, TFD_CLOEXEC | TFD_NONBLOCK);
	if (loop->alarm == -1)
		goto fail;
	/* Serial 0 is nobody's: the alarm only has to end the wait. */
	event.data.u64 = 0;
	if (epoll_ctl(loop->epoll, EPOLL_CTL_ADD, loop->alarm, &event) == -1)
		goto fail;
	return loop;
fail:
	saved = errno;
	loop_free(loop);
	errno = saved;
	return NULL;
}

void
loop_free(struct loop *loop)
{
	if (!loop)
		return;
	shut(&loop->signals);
	shut(&loop->alarm);
	shut(&loop->epoll);
	free(loop->slots);
	free(loop->heap);
	free(loop);
}

void
loop_forget(struct loop *loop)
{
	shut(&loop->signals);
	shut(&loop->alarm);
	shut(&loop->epoll);
	sigprocmask(SIG_UNBLOCK, &loop->signal_set, NULL);
}

/* The slot of a watch that is added, else NULL. */
static struct slot *
slot_of(struct loop *loop, const struct loop_watch *watch)
{
	struct slot *slot;

	if (watch->fd < 0 || (size_t)watch->fd >= loop->slot_count)
		return NULL;
	slot = &loop->slots[watch->fd];
	return slot->watch == watch ? slot : NULL;
}

/* Makes room for the descriptor; -1 if there is no memory. */
static int
slots_grow(struct loop *loop, int fd)
{
	size_t count = loop->slot_count ? loop->slot_count : 16;
	struct slot *slots;

	if ((size_t)fd < loop->slot_count)
		return 0;
	while (count <= (size_t)fd)
		count *= 2;
	slots = reallocarray(loop->slots, count, sizeof(*slots));
	if (!slots)
		return -1;
	memset(slots + loop->slot_count, 0,
	    (count - loop->slot_count) * sizeof(*slots));
	loop->slots = slots;
	loop->slot_count = count;
	return 0;
}

/* Tells epoll what a watch waits for now; -1 with errno. */
static int
arm(struct loop *loop, struct slot *slot, unsigned events)
{
	struct loop_watch *watch = slot->watch;
	struct epoll_event event = {0};
	int op = EPOLL_CTL_MOD;

	if (watch->events == events || slot->plain) {
		watch->events = events;
		return 0;
	}
	/* epoll reports errors to those who wait for nothing too. */
	if (events == 0)
		op = EPOLL_CTL_DEL;
	else if (watch->events == 0)
		op = EPOLL_CTL_ADD;
	if (events & LOOP_READ)
		event.events |= EPOLLIN;
	if (events & LOOP_WRITE)
		event.events |= EPOLLOUT;
	event.data.u64 = (uint64_t)watch->serial << 32 | (unsigned)watch->fd;
	if (epoll_ctl(loop->epoll, op, watch->fd, &event) == -1) {
		if (op != EPOLL_CTL_ADD || errno != EPERM)
			return -1;
		slot->plain = true;
		loop->plain_count++;
	}
	watch->events = events;
	return 0;
}

int
loop_add(struct loop *loop, struct loop_watch *watch, int fd, unsigned events,
    void (*fn)(void *arg, unsigned events), void *arg)
{
	struct slot *slot;

	watch->fd = -1;
	watch->fn = fn;
	watch->arg = arg;
	watch->events = 0;
	if (fd < 0) {
		errno = EBADF;
		return -1;
	}
	if (slots_grow(loop, fd) == -1)
		return -1;
	slot = &loop->slots[fd];
	/* One who closed before removing leaves this behind. */
	if (slot->plain)
		loop->plain_count--;
	slot->plain = false;
	slot->watch = watch;
	watch->fd = fd;
	if (++loop->serial == 0)
		loop->serial = 1;
	watch->serial = loop->serial;
	if (arm(loop, slot, events) == -1) {
		slot->watch = NULL;
		watch->fd = -1;
		return -1;
	}
	return 0;
}

void
loop_want(struct loop *loop, struct loop_watch *watch, unsigned events)
{
	struct slot *slot = slot_of(loop, watch);

	if (slot && arm(loop, slot, events) == -1)
		fatal(EX_OSERR, "cannot watch descriptor %d: %m", watch->fd);
}

void
loop_remove(struct loop *loop, struct loop_watch *watch)
{
	struct slot *slot = slot_of(loop, watch);

	if (slot) {
		/* Fails only if it was closed already: then it is gone. */
		if (watch->events && !slot->plain)
			epoll_ctl(loop->epoll, EPOLL_CTL_DEL, watch->fd, NULL);
		if (slot->plain)
			loop->plain_count--;
		slot->plain = false;
		slot->watch = NULL;
	}
	watch->fd = -1;
	watch->events = 0;
}

/* Puts a timer at a place of the heap. */
static void
heap_put(struct loop *loop, unsigned at, struct loop_timer *timer)
{
	loop->heap[at] = timer;
	timer->slot = at + 1;
}

/* Moves a timer from a free place to where it belongs. */
static void
heap_settle(struct loop *loop, unsigned at, struct loop_timer *timer)
{
	struct loop_timer **heap = loop->heap;
	unsigned child;

	while (at > 0 && heap[(at - 1) / 2]->at > timer->at) {
		heap_put(loop, at, heap[(at - 1) / 2]);
		at = (at - 1) / 2;
	}
	while ((child = 2 * at + 1) < loop->timer_count) {
		if (child + 1 < loop->timer_count &&
		    heap[child + 1]->at < heap[child]->at)
			child++;
		if (heap[child]->at >= timer->at)
			break;
		heap_put(loop, at, heap[child]);
		at = child;
	}
	heap_put(loop, at, timer);
}

void
loop_timer(struct loop *loop, struct loop_timer *timer, int64_t after,
    void (*fn)(void *arg), void *arg)
{
	struct loop_timer **heap;
	unsigned size;

	timer->fn = fn;
	timer->arg = arg;
	timer->at = clock_mono() + (after > 0 ? after : 0);
	if (timer->slot) {
		heap_settle(loop, timer->slot - 1, timer);
		return;
	}
	if (loop->timer_count == loop->heap_size) {
		size = loop->heap_size ? loop->heap_size * 2 : 16;
		heap = reallocarray(loop->heap, size, sizeof(*heap));
		if (!heap)
			fatal(EX_OSERR, "no memory for a timer");
		loop->heap = heap;
		loop->heap_size = size;
	}
	loop->timer_count++;
	heap_settle(loop, loop->timer_count - 1, timer);
}

void
loop_timer_stop(struct loop *loop, struct loop_timer *timer)
{
	struct loop_timer *last;
	unsigned at;

	if (!timer->slot)
		return;
	at = timer->slot - 1;
	timer->slot = 0;
	last = loop->heap[--loop->timer_count];
	if (last != timer)
		heap_settle(loop, at, last);
}

/* Hands the signals that have come to their handlers. */
static void
on_signal(void *arg, unsigned events)
{
	struct loop *loop = arg;
	struct signalfd_siginfo info[SIGNALS_MAX];
	ssize_t got = read(loop->signals, info, sizeof(info));

	(void)events;
	for (ssize_t i = 0; i < got / (ssize_t)sizeof(info[0]); i++) {
		int signo = (int)info[i].ssi_signo;

		if (signo > 0 && signo < NSIG && loop->handlers[signo].fn)
			loop->handlers[signo].fn(
			    loop->handlers[signo].arg, signo);
	}
}

int
loop_signal(
    struct loop *loop, int signo, void (*fn)(void *arg, int signo), void *arg)
{
	sigset_t set = loop->signal_set;
	int fd;

	if (signo <= 0 || signo >= NSIG || sigaddset(&set, signo) == -1) {
		errno = EINVAL;
		return -1;
	}
	loop->handlers[signo].fn = fn;
	loop->handlers[signo].arg = arg;
	/* One that our starter ignored (SIGCHLD!) would behave otherwise. */
	if (signal(signo, SIG_DFL) == SIG_ERR ||
	    sigprocmask(SIG_BLOCK, &set, NULL) == -1)
		return -1;
	fd = signalfd(loop->signals, &set, SFD_CLOEXEC | SFD_NONBLOCK);
	if (fd == -1)
		return -1;
	loop->signal_set = set;
	if (loop->signals != -1)
		return 0;
	loop->signals = fd;
	if (loop_add(loop, &loop->signal_watch, fd, LOOP_READ, on_signal,
		loop) == -1) {
		shut(&loop->signals);
		return -1;
	}
	return 0;
}

void
loop_after_turn(struct loop *loop, void (*fn)(void *arg), void *arg)
{
	loop->after_fn = fn;
	loop->after_arg = arg;
}

/* True if a plain file is waited for, which is always ready. */
static bool
plain_wanted(const struct loop *loop)
{
	for (size_t i = 0; loop->plain_count && i < loop->slot_count; i++)
		if (loop->slots[i].plain && loop->slots[i].watch->events)
			return true;
	return false;
}

/* Sets the alarm to the first timer; false if that is due already. */
static bool
alarm_set(struct loop *loop)
{
	int64_t at = loop->timer_count ? loop->heap[0]->at : 0;
	struct itimerspec spec = {0};

	if (at && at <= clock_mono())
		return false;
	if (at == loop->armed)
		return true;
	spec.it_value.tv_sec = at / 1000;
	spec.it_value.tv_nsec = at % 1000 * 1000000;
	if (timerfd_settime(loop->alarm, TFD_TIMER_ABSTIME, &spec, NULL) == -1)
		fatal(EX_OSERR, "cannot set the alarm: %m");
	loop->armed = at;
	return true;
}

/* Hands one report on, unless its watch has gone or was set anew. */
static void
report(struct loop *loop, const struct epoll_event *event)
{
	unsigned fd = (unsigned)(event->data.u64 & 0xffffffff);
	unsigned serial = (unsigned)(event->data.u64 >> 32);
	struct loop_watch *watch;
	unsigned events = 0;

	if (serial == 0 || fd >= loop->slot_count)
		return;
	watch = loop->slots[fd].watch;
	if (!watch || watch->serial != serial)
		return;
	if (event->events & EPOLLIN)
		events |= LOOP_READ;
	if (event->events & EPOLLOUT)
		events |= LOOP_WRITE;
	events &= watch->events;
	/* Not to one who meanwhile waits for nothing. */
	if (watch->events && (event->events & (EPOLLERR | EPOLLHUP)))
		events |= LOOP_READ | watch->events;
	if (events)
		watch->fn(watch->arg, events);
}

/* Calls the watches of plain files. */
static void
report_plain(struct loop *loop)
{
	/* A handler may free what it likes: look each one up afresh. */
	for (size_t i = 0; loop->plain_count && i < loop->slot_count; i++) {
		struct loop_watch *watch = loop->slots[i].watch;

		if (loop->slots[i].plain && watch->events)
			watch->fn(watch->arg, watch->events);
	}
}

/* Calls the timers that are due, those set meanwhile excepted. */
static void
report_timers(struct loop *loop)
{
	int64_t now = loop->timer_count ? clock_mono() : 0;
	unsigned most = loop->timer_count;

	while (most-- && loop->timer_count && loop->heap[0]->at <= now) {
		struct loop_timer *timer = loop->heap[0];

		loop_timer_stop(loop, timer);
		timer->fn(timer->arg);
	}
}

void
loop_turn(struct loop *loop, int timeout)
{
	struct epoll_event events[REPORTS_MAX];
	int count;

	if (!alarm_set(loop) || plain_wanted(loop))
		timeout = 0;
	/*
	 * Where work is done together, what has come while the others were
	 * handled belongs to it as well; for one alone nobody looks again.
	 */
	for (int pass = 0; pass < PASSES_MAX; pass++) {
		count = epoll_wait(loop->epoll, events, REPORTS_MAX, timeout);
		if (count == -1 && errno != EINTR)
			fatal(EX_OSERR, "cannot wait: %m");
		for (int i = 0; i < count; i++)
			report(loop, &events[i]);
		if (count <= 1 || !loop->after_fn)
			break;
		timeout = 0;
	}
	report_plain(loop);
	report_timers(loop);
	if (loop->after_fn)
		loop->after_fn(loop->after_arg);
}

void
loop_run(struct loop *loop)
{
	while (!loop->stopped)
		loop_turn(loop, -1);
	loop->stopped = false;
}

void
loop_stop(struct loop *loop)
{
	loop->stopped = true;
}
