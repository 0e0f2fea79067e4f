/* SPDX-License-Identifier: ISC */
/*
 * The master: signals, phases, reaping.  It parses nothing that comes from
 * the network, opens no database and speaks TLS to nobody but itself; it
 * stays small, since a fork costs what the forking process weighs.
 */
#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>
#include <sys/wait.h>

#include "chatd/master/state.h"
#include "chatd/worker/signer.h"
#include "lib/log.h"
#include "lib/unix.h"

enum { READY_MS = 600000 }; /* a large database may be migrated */

bool
warn_due(int64_t *last)
{
	int64_t now = clock_mono();

	if (*last && now - *last < MINUTE_MS)
		return false;
	*last = now;
	return true;
}

static void
patience_over(void *arg)
{
	struct master *master = arg;

	switch (master->phase) {
	case PHASE_START:
		master_stop(master,
		    start_failed(master, EX_SOFTWARE,
			"the store did not get ready within %d minutes",
			READY_MS / MINUTE_MS));
		break;
	case PHASE_DRAIN:
		log_info("ending %d workers that are not done",
		    children_count(master->children));
		porch_clear(master);
		workers_kill(master);
		master_proceed(master);
		break;
	case PHASE_END:
		log_warn("store or keeper does not end; killing them");
		lasting_signal(master, SIGKILL);
		break;
	default:
		break;
	}
}

/* Gives the phase that many milliseconds. */
static void
enter(struct master *master, enum phase phase, int patience)
{
	master->phase = phase;
	loop_timer(master->loop, &master->phase_timer, patience, patience_over,
	    master);
}

void
master_proceed(struct master *master)
{
	if (master->phase == PHASE_DRAIN &&
	    children_count(master->children) == 0 && porch_empty(master)) {
		enter(master, PHASE_END, STOP_MS);
		lasting_end(master);
	}
	if (master->phase == PHASE_END && !master->store.pid &&
	    !master->keeper.pid) {
		master->phase = PHASE_GONE;
		loop_timer_stop(master->loop, &master->phase_timer);
		loop_stop(master->loop);
	}
}

void
master_stop(struct master *master, int status)
{
	if (master->phase >= PHASE_DRAIN)
		return;
	master->status = status;
	accept_stop(master);
	enter(master, PHASE_DRAIN, DRAIN_MS);
	master_proceed(master);
}

/* Collects everybody who has ended. */
static void
reap(void *arg, int signo)
{
	struct master *master = arg;
	pid_t pid;
	int how;

	(void)signo;
	while ((pid = waitpid(-1, &how, WNOHANG)) > 0) {
		if (lasting_reaped(master, pid, how))
			continue;
		/* What its client has proved was said before it ended. */
		store_hear(master);
		worker_reaped(master, pid, how);
	}
	accept_resume(master);
	master_proceed(master);
}

static void
stop(void *arg, int signo)
{
	struct master *master = arg;

	if (master->phase >= PHASE_DRAIN)
		return;
	log_info("%s: ending", signo == SIGINT ? "interrupted" : "terminated");
	notify("STOPPING=1");
	master_stop(master, EX_OK);
}

static void
reload(void *arg, int signo)
{
	struct master *master = arg;
	struct conf_errors errors = {0};

	(void)signo;
	if (master->phase != PHASE_SERVE)
		return;
	master_reload(master, &errors);
	conf_errors_release(&errors);
}

static void
reopen(void *arg, int signo)
{
	log_reopen();
	lasting_signal(arg, signo);
}

/* Everything that is in the loop before the first child. */
static int
watch(struct master *master)
{
	const struct {
		int signo;
		void (*fn)(void *arg, int signo);
	} signals[] = {
	    {SIGCHLD, reap},
	    {SIGTERM, stop},
	    {SIGINT, stop},
	    {SIGHUP, reload},
	    {SIGUSR1, reopen},
	};

	signal(SIGPIPE, SIG_IGN);
	/* Inherited as ignored, no child could be waited for. */
	signal(SIGCHLD, SIG_DFL);
	master->loop = loop_new();
	if (!master->loop)
		return -1;
	for (size_t i = 0; i < sizeof(signals) / sizeof(signals[0]); i++)
		if (loop_signal(master->loop, signals[i].signo, signals[i].fn,
			master) == -1)
			return -1;
	return 0;
}

/* Starts store and keeper, waits for the store, then sets TLS up. */
static void
begin(struct master *master)
{
	int status;

	enter(master, PHASE_START, READY_MS);
	if (lasting_start(master) == -1) {
		master_stop(master,
		    start_failed(master, EX_OSERR, "cannot start the store: %s",
			strerror(errno)));
		return;
	}
	while (master->phase == PHASE_START && !master->store_ready)
		loop_turn(master->loop, -1);
	if (master->phase != PHASE_START)
		return;
	status = start_tls(master);
	if (status) {
		master_stop(master, status);
		return;
	}
	loop_timer_stop(master->loop, &master->phase_timer);
	master->phase = PHASE_SERVE;
	start_ready(master);
	log_info(
	    "chatd %s serves; process %ld", PACKAGE_VERSION, (long)getpid());
}

/* Frees what a leak checker would ask for. */
static void
release(struct master *master)
{
	start_undo(master);
	keeper_unjoin(master);
	loop_free(master->loop);
	children_free(master->children);
	guard_free(master->guard);
	settings_free(master->settings);
	SSL_CTX_free(master->tls);
	signer_release();
	free(master->exempt);
	if (master->key_file != -1)
		close(master->key_file);
	free(master->frame);
}

int
master_main(const struct master_start *start)
{
	struct master master = {
	    .start = start,
	    .settings = start->settings,
	    .lock = -1,
	    .control = -1,
	    .store_fd = -1,
	    .store_watch.fd = -1,
	    .keeper_fd = -1,
	    .keeper_watch.fd = -1,
	    .key_file = -1,
	    .reserve = -1,
	    .counted.started = clock_wall(),
	};
	int status;

	master.told_end = &master.told;
	master.children = children_new();
	master.guard = guard_new();
	master.frame = malloc(IPC_FRAME_MAX);
	if (!master.children || !master.guard || !master.frame ||
	    watch(&master) == -1)
		fatal(EX_OSERR, "cannot set the master up: %m");
	status = start_places(&master);
	if (!status)
		status = start_listeners(&master);
	if (!status)
		status = start_rights(&master);
	if (!status) {
		begin(&master);
		if (master.phase != PHASE_GONE)
			loop_run(master.loop);
		status = master.status;
		log_info("ended");
	}
	release(&master);
	return status;
}
