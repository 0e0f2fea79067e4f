/* SPDX-License-Identifier: ISC */
/*
 * Workers: one is forked for each connection that has spoken, gives way if
 * it must, and is reaped with a message in the exit status.  Runs in the
 * master; never reads an octet of what a client sends.
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <sys/prctl.h>
#include <sys/wait.h>

#include "chatd/master/state.h"
#include "chatd/worker/worker.h"
#include "lib/log.h"
#include "lib/unix.h"

enum {
	/*
	 * Where few workers follow each other fast they need not go first when
	 * memory ends: each is gone at once, and holds little of its own.
	 */
	FEW = 8,
	FAST_MS = 100,
};

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

/*
 * The worker's end of a fresh channel whose other end the store has, or -1.
 * Without a store the other end is closed, and the worker finds that out.
 */
static int
introduce(struct master *master, const struct child *child)
{
	struct ipc_serve serve = {.from = child->from,
	    .exempt = child->exempt,
	    .known = child->exempt || child->rank == GUARD_KNOWN};
	int pair[2];

	if (unix_pair(pair) == -1)
		return -1;
	if (master->store_fd != -1 &&
	    ipc_send(master->store_fd, IPC_SERVE, child->number, &serve, NULL,
		0, pair[1]) == -1 &&
	    errno != EPIPE && warn_due(&master->warned_channel))
		log_warn("cannot introduce a worker to the store: %m");
	close(pair[1]);
	return pair[0];
}

/*
 * When memory ends a worker goes, not who serves everybody.  The system lets
 * a process say so about itself only while it may be looked into; nothing of
 * anybody's has been read yet, and sandbox_enter() takes that back.
 */
static void
die_first(void)
{
	static const char score[] = "1000";
	int fd;

	prctl(PR_SET_DUMPABLE, 1, 0, 0, 0);
	fd = open("/proc/self/oom_score_adj", O_WRONLY | O_CLOEXEC);
	if (fd == -1)
		return;
	fd_write_all(fd, score, strlen(score));
	close(fd);
}

/*
 * The worker's process, from the fork on.  The client is its standard input:
 * a number by which the sandbox knows it.
 */
static _Noreturn void
worker_child(
    struct master *master, const struct child *child, int store, int signer)
{
	struct worker_start start = {
	    .client = dup2(child->fd, STDIN_FILENO),
	    .store = store,
	    .signer = signer,
	    .tls = master->tls,
	    .settings = master->settings,
	    .from = child->from,
	    .exempt = child->exempt,
	};

	int keep[] = {store, signer};

	child_begin(master, ROLE_WORKER);
	if (children_count(master->children) >= FEW ||
	    clock_mono() - master->forked >= FAST_MS)
		die_first();
	/* It needs nothing but what it was forked with, and few of that. */
	log_settle();
	/* Like the client's, and it cannot be said from inside. */
	fd_nonblock(store, true);
	sandbox_close_others(keep, sizeof(keep) / sizeof(keep[0]));
	sandbox_enter(ROLE_WORKER);
	worker_main(&start);
}

/* Writes a new worker down. */
static void
keep(struct master *master, struct child *child, pid_t pid)
{
	int64_t life =
	    (master->settings->connection_seconds + OVERDUE_S) * INT64_C(1000);

	children_run(master->children, child, pid, clock_mono() + life,
	    (enum child_queue)(CHILD_RUNS + child->rank));
	child->came = clock_mono();
	master->forked = child->came;
	if (!master->overdue.slot)
		loop_timer(
		    master->loop, &master->overdue, life, kill_overdue, master);
}

int
worker_begin(struct master *master, struct child *child)
{
	int store = introduce(master, child), signer, saved;
	pid_t pid;

	signer = store == -1 ? -1 : keeper_introduce(master, master->key);
	pid = signer == -1 ? -1 : fork();
	if (pid == 0)
		worker_child(master, child, store, signer);
	saved = errno;
	if (store != -1)
		close(store);
	if (signer != -1)
		close(signer);
	errno = saved;
	if (pid == -1)
		return -1;
	close(child->fd);
	child->fd = -1;
	keep(master, child, pid);
	accept_eased(master);
	return 0;
}

void
worker_end(struct master *master, struct child *child)
{
	child->killed = true;
	kill(child->pid, SIGKILL);
	children_move(master->children, child, CHILD_DYING);
}

void
worker_give_way(struct master *master, struct child *child)
{
	master->counted.gave_way++;
	if (clock_mono() - child->came >= GRACE_MS)
		porch_charge(master, &child->from, child->exempt, OFFENCE_HELD);
	worker_end(master, child);
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
			master->counted.exits[WORKER_TIMEOUT] +=
			    child->queue != CHILD_DYING;
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

/* True for one that has a worker, is not in the way and has proved nothing. */
static bool
only_runs(const struct child *child)
{
	return child->queue >= CHILD_RUNS && child->queue <= CHILD_RUNS_LAST;
}

/*
 * What a worker's end says about its client.  Whoever has proved something
 * may be slow; what ends by SIGKILL was in the way, or memory had ended.
 */
static void
charge_end(struct master *master, const struct child *child, int how)
{
	enum offence offence = OFFENCE_CRASH;

	if (WIFSIGNALED(how) && WTERMSIG(how) == SIGKILL) {
		if (!child->killed || !only_runs(child))
			return;
		offence = OFFENCE_DEADLINE;
	} else if (WIFEXITED(how) && WEXITSTATUS(how) == WORKER_TIMEOUT) {
		if (!only_runs(child))
			return;
		offence = OFFENCE_DEADLINE;
	} else if (WIFEXITED(how) && WEXITSTATUS(how) == WORKER_MALFORMED) {
		offence = OFFENCE_MALFORMED;
	} else if (WIFEXITED(how)) {
		return;
	}
	porch_charge(master, &child->from, child->exempt, offence);
}

/* The same for one on which nothing was proved, unless we are at fault. */
static void
charge_waste(struct master *master, const struct child *child, int how)
{
	enum offence offence = OFFENCE_SPENT;

	if (!only_runs(child))
		return;
	if (child->killed ||
	    (WIFEXITED(how) && WEXITSTATUS(how) == WORKER_TIMEOUT))
		offence = OFFENCE_HELD;
	else if (!WIFEXITED(how) || WEXITSTATUS(how) >= WORKER_STORE_LOST)
		return;
	porch_charge(master, &child->from, child->exempt, offence);
}

void
worker_reaped(struct master *master, pid_t pid, int how)
{
	struct child *child = children_find(master->children, pid);

	/* Somebody whom we ended ourselves and did not wait for. */
	if (!child)
		return;
	count_end(master, child, how);
	charge_end(master, child, how);
	charge_waste(master, child, how);
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
