/* SPDX-License-Identifier: ISC */
/*
 * Connections: accepted in batches, limited by address and in all, one
 * forked worker each, reaped with a message in the exit status.  Runs in the
 * master; never reads an octet of what a client sends.
 */
#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/wait.h>

#include "chatd/master/state.h"
#include "chatd/worker/worker.h"
#include "lib/log.h"
#include "lib/unix.h"

enum {
	BATCH = 16, /* connections of one listener in one turn */
	PAUSE_MS = 100, /* when the system is short of something */
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

static bool
full(const struct master *master)
{
	return children_count(master->children) >= master->settings->workers;
}

void
accept_resume(struct master *master)
{
	if (master->phase != PHASE_SERVE || master->accepting ||
	    master->accept_again.slot || full(master))
		return;
	listen_to(master, true);
}

static void
pause_over(void *arg)
{
	accept_resume(arg);
}

/* Leaves connections in the backlog for a moment. */
static void
pause_accepting(struct master *master)
{
	listen_to(master, false);
	loop_timer(
	    master->loop, &master->accept_again, PAUSE_MS, pause_over, master);
}

static bool
is_exempt(const struct master *master, const struct ipc_address *from)
{
	for (size_t i = 0; i < master->exempt_count; i++)
		if (network_holds(&master->exempt[i], from))
			return true;
	return false;
}

/* Kills workers that have outlived every deadline of their own. */
static void
kill_overdue(void *arg)
{
	struct master *master = arg;
	struct child *child = children_oldest(master->children);
	int64_t now = clock_mono();
	char text[IPC_ADDRESS_LEN];

	for (; child && (child->killed || child->deadline <= now);
	     child = child->newer) {
		if (child->killed)
			continue;
		ipc_address_text(&child->from, text);
		log_info("worker for %s is overdue; killing it", text);
		child->killed = true;
		kill(child->pid, SIGKILL);
	}
	if (child)
		loop_timer(master->loop, &master->overdue,
		    child->deadline - now, kill_overdue, master);
}

/* Writes a new worker down; one that cannot be counted is not let run. */
static void
keep_child(struct master *master, pid_t pid, const struct ipc_address *from)
{
	int64_t life =
	    (master->settings->connection_seconds + OVERDUE_S) * INT64_C(1000);

	if (!children_add(master->children, pid, from, clock_mono() + life)) {
		kill(pid, SIGKILL);
		return;
	}
	if (!master->overdue.slot)
		loop_timer(
		    master->loop, &master->overdue, life, kill_overdue, master);
}

/*
 * The worker's end of a fresh channel whose other end the store has, or -1.
 * Without a store the other end is closed, and the worker finds that out.
 */
static int
introduce(struct master *master, const struct ipc_address *from)
{
	int pair[2];

	if (unix_pair(pair) == -1)
		return -1;
	if (master->store_fd != -1 &&
	    ipc_send(master->store_fd, IPC_SERVE, 0, from, NULL, 0, pair[1]) ==
		-1 &&
	    errno != EPIPE && warn_due(&master->warned_channel))
		log_warn("cannot introduce a worker to the store: %m");
	close(pair[1]);
	return pair[0];
}

/* The worker's process, from the fork on. */
static _Noreturn void
worker_child(struct master *master, int client, int store,
    const struct ipc_address *from)
{
	struct worker_start start = {
	    .client = client,
	    .store = store,
	    .tls = master->tls,
	    .settings = master->settings,
	    .from = *from,
	};

	int keep[] = {client, store};

	child_begin(master, ROLE_WORKER);
	/* It needs nothing but what it was forked with, and few of that. */
	log_settle();
	sandbox_close_others(keep, sizeof(keep) / sizeof(keep[0]));
	sandbox_enter(ROLE_WORKER);
	worker_main(&start);
}

/* Gives one connection to a worker of its own; -1 if the system is short. */
static int
serve(struct master *master, int client, const struct ipc_address *from)
{
	int limit = master->settings->workers_per_address, store;
	pid_t pid;

	if (children_of(master->children, from) >= limit &&
	    !is_exempt(master, from)) {
		master->counted.refused_limit++;
		return 0;
	}
	store = introduce(master, from);
	pid = store == -1 ? -1 : fork();
	if (pid == 0)
		worker_child(master, client, store, from);
	if (pid == -1 && warn_due(&master->warned_fork))
		log_warn("cannot start a worker: %m");
	if (store != -1)
		close(store);
	if (pid == -1)
		return -1;
	keep_child(master, pid, from);
	return 0;
}

/* What accept(2) failed with: true if there may be more to accept. */
static bool
accept_failed(struct master *master)
{
	switch (errno) {
	case EAGAIN:
		return false;
	case EMFILE:
	case ENFILE:
	case ENOBUFS:
	case ENOMEM:
		if (warn_due(&master->warned_accept))
			log_warn("cannot accept a connection: %m");
		pause_accepting(master);
		return false;
	default:
		/* One that went away while it waited, or a network's fault. */
		return true;
	}
}

/* Accepts what waits at one listener, as far as there are workers. */
static void
accept_some(void *arg, unsigned events)
{
	struct listener *listener = arg;
	struct master *master = listener->master;
	struct sockaddr_storage peer;
	struct ipc_address from;
	int client, failed;

	(void)events;
	for (int i = 0; i < BATCH; i++) {
		socklen_t len = sizeof(peer);

		if (full(master)) {
			if (warn_due(&master->warned_full))
				log_info("all %d workers are busy; "
					 "connections wait",
				    master->settings->workers);
			listen_to(master, false);
			return;
		}
		client = accept4(listener->fd, (struct sockaddr *)&peer, &len,
		    SOCK_NONBLOCK | SOCK_CLOEXEC);
		if (client == -1) {
			if (accept_failed(master))
				continue;
			return;
		}
		master->counted.accepted++;
		ipc_address_set(&from, (struct sockaddr *)&peer);
		failed = serve(master, client, &from);
		close(client);
		if (failed) {
			pause_accepting(master);
			return;
		}
	}
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
	master->accepting = true;
}

void
accept_stop(struct master *master)
{
	loop_timer_stop(master->loop, &master->accept_again);
	for (size_t i = 0; i < master->listener_count; i++) {
		struct listener *listener = &master->listeners[i];

		loop_remove(master->loop, &listener->watch);
		if (listener->fd != -1)
			close(listener->fd);
		listener->fd = -1;
	}
	master->accepting = false;
}

/* Logs what a worker's end says, and counts it. */
static void
count_end(struct master *master, const struct child *child, int how)
{
	char text[IPC_ADDRESS_LEN];
	int status;

	ipc_address_text(&child->from, text);
	if (WIFSIGNALED(how)) {
		if (child->killed) {
			master->counted.exits[WORKER_TIMEOUT]++;
			return;
		}
		master->counted.crashes++;
		log_info("worker for %s crashed: %s", text,
		    sandbox_signal_text(WTERMSIG(how)));
		return;
	}
	status = WEXITSTATUS(how);
	if (status >= WORKER_EXITS) {
		master->counted.exits[WORKER_FAULT]++;
		log_info("worker for %s ended with status %d", text, status);
		return;
	}
	master->counted.exits[status]++;
	log_debug("worker for %s: %s", text,
	    worker_exit_name((enum worker_exit)status));
}

void
worker_reaped(struct master *master, pid_t pid, int how)
{
	struct child *child = children_find(master->children, pid);

	/* Somebody whom we ended ourselves and did not wait for. */
	if (!child)
		return;
	count_end(master, child, how);
	children_remove(master->children, child);
}

void
workers_kill(struct master *master)
{
	for (struct child *child = children_oldest(master->children); child;
	     child = child->newer) {
		child->killed = true;
		kill(child->pid, SIGKILL);
	}
}
