/* SPDX-License-Identifier: ISC */
/*
 * Listeners: connections are accepted in batches; without descriptors or
 * memory there is a pause, not a loop.  Runs in the master; never reads an
 * octet of what a client sends.
 */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>
#include <sys/socket.h>

#include "chatd/master/state.h"
#include "lib/log.h"

enum {
	BATCH = 16, /* connections of one listener in one turn */
	LAST = 1024, /* that waited when the centre ends */
	PAUSE_MS = 100, /* when the system is short of something */
	GIVE_WAY = 4, /* silent ones for descriptors, each time */
};

/* Sets what the listeners wait for. */
static void
listen_to(struct master *master, bool accepting)
{
	master->accepting = accepting;
	for (size_t i = 0; i < master->listener_count; i++)
		if (master->listeners[i].watch.fd != -1)
			loop_want(master->loop, &master->listeners[i].watch,
			    accepting ? LOOP_READ : 0);
}

void
accept_resume(struct master *master)
{
	if (master->phase < PHASE_SERVE || master->phase > PHASE_DRAIN ||
	    master->accept_again.slot)
		return;
	porch_serve(master);
	if (master->phase == PHASE_SERVE && !master->accepting &&
	    !master->accept_again.slot && !porch_full(master))
		listen_to(master, true);
}

static void
pause_over(void *arg)
{
	accept_resume(arg);
}

/* Has a descriptor in hand for when there is none. */
static void
keep_reserve(struct master *master)
{
	/* Not of a listener or a lock: a copy would outlive the original. */
	if (master->reserve == -1)
		master->reserve = fcntl(STDIN_FILENO, F_DUPFD_CLOEXEC, 3);
}

void
accept_pause(struct master *master)
{
	listen_to(master, false);
	loop_timer(
	    master->loop, &master->accept_again, PAUSE_MS, pause_over, master);
}

void
accept_short(struct master *master, const char *what)
{
	int error = errno;

	master->counted.shortages++;
	if (!master->short_of && warn_due(&master->warned_short)) {
		log_warn("%s: %s; new connections wait", what, strerror(error));
		master->short_of = true;
	}
	accept_pause(master);
}

void
accept_eased(struct master *master)
{
	if (!master->short_of)
		return;
	master->short_of = false;
	log_info("connections are served again");
}

/*
 * There is no descriptor left.  The oldest without a worker give theirs; if
 * there is nobody, the reserve is spent on telling the first in the queue.
 */
static void
make_descriptors(struct master *master, const struct listener *listener)
{
	int error = errno, client, given = 0;

	while (given < GIVE_WAY && porch_give_way(master))
		given++;
	if (!given && master->reserve != -1) {
		close(master->reserve);
		master->reserve = -1;
		client = accept4(
		    listener->fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
		if (client != -1)
			close(client);
		keep_reserve(master);
	}
	errno = error;
}

/* What accept(2) failed with: true if there may be more to accept. */
static bool
accept_failed(struct master *master, const struct listener *listener)
{
	switch (errno) {
	case EAGAIN:
		return false;
	case EMFILE:
	case ENFILE:
		make_descriptors(master, listener);
		accept_short(master, "cannot accept a connection");
		return false;
	case ENOBUFS:
	case ENOMEM:
		accept_short(master, "cannot accept a connection");
		return false;
	default:
		/* One that went away while it waited, or a network's fault. */
		return true;
	}
}

/* Accepts what waits at one listener, as far as there is room. */
static void
accept_most(struct listener *listener, int most)
{
	struct master *master = listener->master;
	struct sockaddr_storage peer;
	struct ipc_address from;
	int client;

	for (int i = 0; i < most && master->accepting; i++) {
		socklen_t len = sizeof(peer);

		if (porch_full(master) && !porch_give_way(master)) {
			listen_to(master, false);
			return;
		}
		client = accept4(listener->fd, (struct sockaddr *)&peer, &len,
		    SOCK_NONBLOCK | SOCK_CLOEXEC);
		if (client == -1) {
			if (accept_failed(master, listener))
				continue;
			return;
		}
		master->counted.accepted++;
		ipc_address_set(&from, (struct sockaddr *)&peer);
		/* One that was handed over may serve both families. */
		ipc_address_unmap(&from);
		porch_take(master, client, &from);
	}
}

static void
accept_some(void *arg, unsigned events)
{
	(void)events;
	accept_most(arg, BATCH);
}

void
accept_start(struct master *master)
{
	for (size_t i = 0; i < master->listener_count; i++) {
		struct listener *listener = &master->listeners[i];

		if (loop_add(master->loop, &listener->watch, listener->fd,
			LOOP_READ, accept_some, listener) == -1)
			log_warn("cannot watch a listener: %m");
	}
	keep_reserve(master);
	master->accepting = true;
}

/*
 * Takes in who is connected already: closing the listener would reset them.
 * One that was handed over stays open, and keeps them for who comes next.
 */
static void
accept_last(struct master *master)
{
	if (master->phase != PHASE_SERVE)
		return;
	for (size_t i = 0; i < master->listener_count; i++)
		if (!master->listeners[i].handed)
			accept_most(&master->listeners[i], LAST);
}

void
accept_stop(struct master *master)
{
	accept_last(master);
	loop_timer_stop(master->loop, &master->accept_again);
	for (size_t i = 0; i < master->listener_count; i++) {
		struct listener *listener = &master->listeners[i];

		loop_remove(master->loop, &listener->watch);
		if (listener->fd != -1)
			close(listener->fd);
		listener->fd = -1;
	}
	if (master->reserve != -1)
		close(master->reserve);
	master->reserve = -1;
	master->accepting = false;
	porch_close(master);
}
