/* SPDX-License-Identifier: ISC */
/*
 * Store and keeper: started, joined, watched, started again, each for
 * itself.  Runs in the master, which tells the store what it must know and
 * believes nothing that the table in ipc.h does not let it say.
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>
#include <sys/socket.h>
#include <sys/wait.h>

#include "chatd/keeper/keeper.h"
#include "chatd/master/state.h"
#include "chatd/store/store.h"
#include "lib/log.h"
#include "lib/unix.h"

enum {
	STEADY_MS = 10000, /* whoever lived that long is restarted at once */
	PAUSE_FIRST_MS = 100,
	PAUSE_MOST_MS = 5000,
	GONE_MS = 5000, /* from the end of its channel to its own */
	TOLD_MAX = 64,
	DAMAGED_MOST = 3, /* ends of the store for damage, in a row */
	CHANNEL_ROOM = 1 << 20, /* for introductions; the system may cut it */
};

/* Closes a descriptor once. */
static void
shut(int *fd)
{
	if (*fd != -1)
		close(*fd);
	*fd = -1;
}

/* Forgets what could not be told to a store that has gone. */
static void
told_drop(struct master *master)
{
	struct told *told;

	while ((told = master->told)) {
		master->told = told->next;
		shut(&told->fd);
		free(told);
	}
	master->told_end = &master->told;
	master->told_count = 0;
}

/*
 * A keeper without a channel to the store ends with its own: when the next
 * one is started all is done anew.
 */
static void
keeper_alone(struct master *master)
{
	log_warn("cannot join store and keeper: %m; ending the keeper");
	keeper_unjoin(master);
}

/* Sends what waits, as far as there is room. */
static void
told_flush(struct master *master)
{
	struct told *told;

	while ((told = master->told)) {
		if (ipc_send(master->store_fd, told->type, told->number,
			told->body_len ? told->data : NULL,
			told->data + told->body_len, told->tail_len,
			told->fd) == -1) {
			if (errno == EAGAIN)
				break;
			if (told->type == IPC_KEEPER)
				keeper_alone(master);
			else
				log_warn("cannot tell the store %s: %m",
				    ipc_name(told->type));
		}
		master->told = told->next;
		if (!master->told)
			master->told_end = &master->told;
		master->told_count--;
		shut(&told->fd);
		free(told);
	}
	loop_want(master->loop, &master->store_watch,
	    master->told ? LOOP_READ | LOOP_WRITE : LOOP_READ);
}

bool
store_tell(struct master *master, enum ipc_type type, uint32_t number,
    const void *body, size_t body_len, const void *tail, size_t tail_len,
    int fd)
{
	struct told *told;

	if (master->store_fd == -1 || master->store_watch.fd == -1)
		return false;
	told = calloc(1, sizeof(*told) + body_len + tail_len);
	if (!told || master->told_count >= TOLD_MAX) {
		log_warn("cannot tell the store %s: it does not listen",
		    ipc_name(type));
		free(told);
		errno = ENOBUFS;
		return false;
	}
	told->type = type;
	told->number = number;
	told->body_len = body_len;
	told->tail_len = tail_len;
	told->fd = fd == -1 ? -1 : fcntl(fd, F_DUPFD_CLOEXEC, 3);
	if (told->fd == -1 && fd != -1) {
		free(told);
		return false;
	}
	if (body_len)
		memcpy(told->data, body, body_len);
	if (tail_len)
		memcpy(told->data + body_len, tail, tail_len);
	*master->told_end = told;
	master->told_end = &told->next;
	master->told_count++;
	told_flush(master);
	return true;
}

/* Answers COUNT with what is known of workers. */
static void
tell_counted(struct master *master, uint32_t number)
{
	struct ipc_counted counted = master->counted;

	counted.running = children_count(master->children);
	counted.limit = master->settings->workers;
	counted.waiting = children_waiting(master->children);
	counted.refused_now = guard_refused(master->guard, clock_mono());
	for (int i = 0; i < 4; i++)
		counted.sandbox[i] = sandbox_parts((enum ipc_role)(1 << i));
	certificate_ends(master->tls, counted.certificate_ends);
	store_tell(master, IPC_COUNTED, number, &counted, sizeof(counted), NULL,
	    0, -1);
}

/* Reads the configuration again for an administrator who waits. */
static void
tell_reloaded(struct master *master, uint32_t number)
{
	struct conf_errors errors = {0};
	struct ipc_reloaded reloaded;
	size_t len;

	master_reload(master, &errors);
	reloaded.errors = errors.count;
	len = errors.count ? strlen(errors.text) : 0;
	store_tell(master, IPC_RELOADED, number, &reloaded, sizeof(reloaded),
	    errors.text, len < IPC_TEXT_MAX ? len : IPC_TEXT_MAX, -1);
	conf_errors_release(&errors);
}

/* The store has opened its database. */
static void
store_is_ready(struct master *master)
{
	if (master->store_ready)
		return;
	master->store_ready = true;
	if (master->phase == PHASE_SERVE)
		log_info("the store serves again");
}

static void
store_said(struct master *master, const struct ipc_frame *frame)
{
	struct ipc_failed failed;

	switch (frame->type) {
	case IPC_READY:
		store_is_ready(master);
		break;
	case IPC_RELOAD:
		tell_reloaded(master, frame->number);
		break;
	case IPC_COUNT:
		tell_counted(master, frame->number);
		break;
	case IPC_PROVED:
		porch_proved(master, frame->number);
		break;
	case IPC_FAILED:
		memcpy(&failed, frame->body, sizeof(failed));
		porch_failed(master, &failed);
		break;
	default:
		/* Not reached: the table lets nothing else through. */
		log_warn("the store said %s", ipc_name(frame->type));
	}
}

static void
store_overdue(void *arg)
{
	struct master *master = arg;

	log_warn("the store does not end; killing it");
	kill(master->store.pid, SIGKILL);
}

/* Hears the store, and its end: reaping it does the rest. */
static void
store_event(void *arg, unsigned events)
{
	struct master *master = arg;
	struct ipc_frame frame;
	int got = -1;

	if (events & LOOP_WRITE)
		told_flush(master);
	errno = EAGAIN;
	while (master->store_watch.fd != -1 &&
	    (got = ipc_receive(master->store_fd, ROLE_MASTER, ROLE_STORE,
		 master->frame, &frame)) == 1)
		store_said(master, &frame);
	if (master->store_watch.fd == -1 || (got == -1 && errno == EAGAIN))
		return;
	loop_remove(master->loop, &master->store_watch);
	if (got == -1) {
		log_warn("the store's channel: %m; killing it");
		kill(master->store.pid, SIGKILL);
		return;
	}
	/* Its exit status matters: let it come by itself. */
	loop_timer(
	    master->loop, &master->store.again, GONE_MS, store_overdue, master);
}

void
store_hear(struct master *master)
{
	store_event(master, LOOP_READ);
}

/* Closes whatever the store was not given. */
static void
keep_only(const struct store_start *start, int lock)
{
	int keep[STORE_BEACONS_MAX + 5] = {start->master, start->keeper,
	    start->control, lock, log_descriptor()};
	size_t count = 5;

	for (size_t i = 0; i < start->beacon_count; i++)
		keep[count++] = start->beacons[i];
	sandbox_close_others(keep, count);
}

/* The store's process, from the fork on. */
static _Noreturn void
store_child(struct master *master, int channel, int keeper)
{
	int beacons[STORE_BEACONS_MAX];
	struct store_start start = {
	    .master = channel,
	    .keeper = keeper,
	    .control = master->control,
	    .admin = -1,
	    .settings = master->settings,
	    .beacons = beacons,
	};

	for (size_t i = 0; i < master->listener_count; i++)
		if (master->listeners[i].beacon != -1 &&
		    start.beacon_count < STORE_BEACONS_MAX)
			beacons[start.beacon_count++] =
			    master->listeners[i].beacon;
	child_begin(master, ROLE_STORE);
	keep_only(&start, master->lock);
	store_main(&start);
}

/* Starts the keeper and joins it; -1 with errno. */
static int
keeper_fork(struct master *master)
{
	int ends[2], saved;
	pid_t pid;

	if (unix_pair(ends) == -1)
		return -1;
	pid = fork();
	if (pid == 0) {
		close(ends[0]);
		int keep[] = {ends[1], log_descriptor()};

		child_begin(master, ROLE_KEEPER);
		sandbox_close_others(keep, sizeof(keep) / sizeof(keep[0]));
		keeper_main(ends[1], -1);
	}
	saved = errno;
	close(ends[1]);
	if (pid != -1) {
		master->keeper.pid = pid;
		master->keeper.started = clock_mono();
		if (keeper_join(master, ends[0]) == 0)
			return 0;
		saved = errno;
	}
	/* One that was started ends with its channel. */
	close(ends[0]);
	errno = saved;
	return -1;
}

static void keeper_again(void *arg);

/* Sets the timer of the next start. */
static void
start_later(struct master *master, struct lasting *what, void (*fn)(void *arg))
{
	what->pause = what->pause ? what->pause * 2 : PAUSE_FIRST_MS;
	if (what->pause > PAUSE_MOST_MS)
		what->pause = PAUSE_MOST_MS;
	loop_timer(master->loop, &what->again, what->pause, fn, master);
}

/* Gives the keeper its end of a channel to the store. */
static void
keeper_store(struct master *master, int end)
{
	if (master->keeper_fd != -1 &&
	    ipc_send(master->keeper_fd, IPC_STORE, 0, NULL, NULL, 0, end) ==
		-1 &&
	    errno != EPIPE && errno != ECONNRESET)
		keeper_alone(master);
}

/*
 * Starts the store, and the keeper unless it runs, joined by a fresh
 * channel; -1 with errno.
 */
int
lasting_start(struct master *master)
{
	int channel[2] = {-1, -1}, keys[2] = {-1, -1}, saved;
	const int room = CHANNEL_ROOM;
	pid_t pid = -1;

	if (unix_pair(channel) == -1 || unix_pair(keys) == -1 ||
	    fd_nonblock(channel[0], true) == -1)
		goto fail;
	setsockopt(channel[0], SOL_SOCKET, SO_SNDBUF, &room, sizeof(room));
	if (loop_add(master->loop, &master->store_watch, channel[0], LOOP_READ,
		store_event, master) == -1)
		goto fail;
	pid = fork();
	if (pid == 0) {
		close(channel[0]);
		close(keys[1]);
		store_child(master, channel[1], keys[0]);
	}
	if (pid == -1) {
		saved = errno;
		loop_remove(master->loop, &master->store_watch);
		errno = saved;
		goto fail;
	}
	master->store_fd = channel[0];
	close(channel[1]);
	close(keys[0]);
	master->store.pid = pid;
	master->store.started = clock_mono();
	master->store_ready = false;
	if (!master->keeper.pid && !master->keeper.again.slot &&
	    keeper_fork(master) == -1) {
		log_warn("cannot start the keeper: %m");
		start_later(master, &master->keeper, keeper_again);
	}
	keeper_store(master, keys[1]);
	close(keys[1]);
	return 0;
fail:
	saved = errno;
	shut(&channel[0]);
	shut(&channel[1]);
	shut(&keys[0]);
	shut(&keys[1]);
	errno = saved;
	return -1;
}

/* A timer: starts the pair, or tries again later. */
static void
store_again(void *arg)
{
	struct master *master = arg;

	if (master->phase > PHASE_SERVE)
		return;
	if (lasting_start(master) == -1) {
		log_warn("cannot start the store: %m");
		start_later(master, &master->store, store_again);
	}
}

/* A timer: starts a keeper, and joins it with the store that runs. */
static void
keeper_again(void *arg)
{
	struct master *master = arg;
	int keys[2];

	if (master->phase > PHASE_SERVE || master->keeper.pid)
		return;
	if (keeper_fork(master) == -1) {
		log_warn("cannot start the keeper: %m");
		start_later(master, &master->keeper, keeper_again);
		return;
	}
	/* The next store is joined when it is started. */
	if (master->store_watch.fd == -1)
		return;
	if (unix_pair(keys) == -1) {
		keeper_alone(master);
		return;
	}
	keeper_store(master, keys[1]);
	close(keys[1]);
	if (!store_tell(master, IPC_KEEPER, 0, NULL, 0, NULL, 0, keys[0]))
		keeper_alone(master);
	close(keys[0]);
}

/* Logs how one of the two ended. */
static void
log_end(const char *who, int how)
{
	if (WIFSIGNALED(how))
		log_warn("the %s was ended by a signal: %s", who,
		    sandbox_signal_text(WTERMSIG(how)));
	else
		log_warn("the %s ended with status %d", who, WEXITSTATUS(how));
}

/* Starts at once what lived long, else after a growing pause. */
static void
restart(struct master *master, struct lasting *what, void (*fn)(void *arg))
{
	if (clock_mono() - what->started >= STEADY_MS)
		what->pause = 0;
	if (what->pause == 0) {
		what->pause = PAUSE_FIRST_MS / 2;
		fn(master);
	} else
		start_later(master, what, fn);
}

/* The store has ended before it was ready: what its status means. */
static void
start_without_store(struct master *master, int how)
{
	int status = WIFEXITED(how) ? WEXITSTATUS(how) : EX_SOFTWARE;
	const char *why = "it says why in the log";

	if (status == EX_DATAERR)
		why = "the database is of a newer version, or damaged";
	else if (status == EX_IOERR)
		why = "its database cannot be read or written";
	else if (status == EX_CANTCREAT)
		why = "the database cannot be made";
	else if (status == EX_NOPERM)
		why = "permission";
	else
		status = EX_SOFTWARE;
	if (WIFSIGNALED(how))
		log_end("store", how);
	master_stop(master,
	    start_failed(master, status,
		"the store could not start: %s; `chatctl check` "
		"says more",
		why));
}

/* True if the store has met damage too often in a row to be tried again. */
static bool
is_damaged(struct master *master, int how)
{
	if (WIFEXITED(how) && WEXITSTATUS(how) == EX_DATAERR)
		master->damaged++;
	else
		master->damaged = 0;
	return master->damaged >= DAMAGED_MOST;
}

static void
store_reaped(struct master *master, int how)
{
	master->store.pid = 0;
	loop_timer_stop(master->loop, &master->store.again);
	loop_remove(master->loop, &master->store_watch);
	shut(&master->store_fd);
	told_drop(master);
	/* The keeper stays: it signs, and waits for the next store. */
	if (master->phase > PHASE_DRAIN)
		keeper_unjoin(master);
	if (master->phase == PHASE_START) {
		start_without_store(master, how);
		return;
	}
	if (master->phase != PHASE_SERVE) {
		if (how != 0)
			log_end("store", how);
		return;
	}
	log_end("store", how);
	master->counted.store_restarts++;
	if (is_damaged(master, how)) {
		log_warn("the database is damaged: ending; restore a backup: "
			 "chatctl restore FILE");
		master_stop(master, EX_DATAERR);
		return;
	}
	restart(master, &master->store, store_again);
}

static void
keeper_reaped(struct master *master, int how)
{
	master->keeper.pid = 0;
	keeper_unjoin(master);
	if (master->phase > PHASE_SERVE) {
		if (how != 0)
			log_end("keeper", how);
		return;
	}
	log_end("keeper", how);
	master->counted.keeper_restarts++;
	restart(master, &master->keeper, keeper_again);
}

bool
lasting_reaped(struct master *master, pid_t pid, int how)
{
	if (pid == master->store.pid)
		store_reaped(master, how);
	else if (pid == master->keeper.pid)
		keeper_reaped(master, how);
	else
		return false;
	return true;
}

void
lasting_end(struct master *master)
{
	loop_timer_stop(master->loop, &master->store.again);
	loop_timer_stop(master->loop, &master->keeper.again);
	loop_remove(master->loop, &master->store_watch);
	shut(&master->store_fd);
	told_drop(master);
	/* The store may still want to know about a password. */
	if (!master->store.pid)
		keeper_unjoin(master);
}

void
lasting_signal(struct master *master, int signo)
{
	if (master->store.pid)
		kill(master->store.pid, signo);
	if (master->keeper.pid)
		kill(master->keeper.pid, signo);
}
