/* SPDX-License-Identifier: ISC */
/*
 * The event loop of every lasting process: descriptors, timers, signals.
 * One thread; handlers run one after the other and may add or remove
 * anything, themselves included.
 */
#ifndef LIB_LOOP_H
#define LIB_LOOP_H

#include <stdint.h>

struct loop;

/* What a descriptor waits for and reports; an error reports as LOOP_READ. */
enum loop_events { LOOP_READ = 1, LOOP_WRITE = 2 };

/*
 * A descriptor that is watched.  The caller embeds it, sets nothing itself,
 * and keeps it in place while it is added.
 */
struct loop_watch {
	void (*fn)(void *arg, unsigned events);
	void *arg;
	int fd; /* -1 while not added */
	unsigned events;
	unsigned serial; /* tells a stale report from a fresh watch */
};

/* A timer that goes off once.  Embedded likewise; zero it before first use. */
struct loop_timer {
	void (*fn)(void *arg);
	void *arg;
	int64_t at; /* clock_mono() */
	unsigned slot; /* place in the heap plus one; 0 while not set */
};

/* A new loop, or NULL with errno.  loop_free() leaves descriptors open. */
struct loop *loop_new(void);
void loop_free(struct loop *loop);

/* Starts to watch; -1 with errno.  The descriptor stays the caller's. */
int loop_add(struct loop *loop, struct loop_watch *watch, int fd,
    unsigned events, void (*fn)(void *arg, unsigned events), void *arg);

/* Changes what is waited for; 0 waits for nothing. */
void loop_want(struct loop *loop, struct loop_watch *watch, unsigned events);

/* Stops watching, before the descriptor is closed.  Twice does no harm. */
void loop_remove(struct loop *loop, struct loop_watch *watch);

/* Sets or resets a timer to go off at clock_mono() + after milliseconds. */
void loop_timer(struct loop *loop, struct loop_timer *timer, int64_t after,
    void (*fn)(void *arg), void *arg);
void loop_timer_stop(struct loop *loop, struct loop_timer *timer);

/* Handles a signal in the loop instead of in a handler; blocks it. */
int loop_signal(
    struct loop *loop, int signo, void (*fn)(void *arg, int signo), void *arg);

/*
 * In a child that was forked from a process with a loop: closes the loop's
 * own descriptors and unblocks its signals.  Frees nothing.
 */
void loop_forget(struct loop *loop);

/*
 * Called once after each turn, when all that was ready has been handled:
 * the place for work that is better done together (the store's commit).
 */
void loop_after_turn(struct loop *loop, void (*fn)(void *arg), void *arg);

/* Runs until loop_stop(). */
void loop_run(struct loop *loop);
void loop_stop(struct loop *loop);

/* One turn: waits at most timeout ms (-1: until something happens). */
void loop_turn(struct loop *loop, int timeout);

#endif
