/* SPDX-License-Identifier: ISC */
/*
 * The keeper: takes what the store wants to know about a password, lets two
 * threads work it out behind a bounded queue, answers under the number of
 * the question.  Hears the master, which brings keys and workers (sign.c).
 * Never logs a password, never talks to anybody else.
 */
#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>
#include <sys/resource.h>

#include "chatd/ipc.h"
#include "chatd/keeper/keeper.h"
#include "chatd/keeper/password.h"
#include "chatd/keeper/sign.h"
#include "chatd/sandbox.h"
#include "lib/log.h"
#include "lib/loop.h"
#include "lib/unix.h"

enum {
	IN_HAND = KEEPER_QUEUE + KEEPER_THREADS, /* in the queue or at work */
	SECRET_LEN = 4096, /* of a frame: longer than any that we get */
	BEHIND = 5, /* nice(2): a password waits rather than a handshake */
	LOOK_MS = 100, /* while a store's channel is full */
};

_Static_assert(
    sizeof(struct ipc_change) + 64 < SECRET_LEN, "all of a question is wiped");

/* A question; of its members those that its type carries are set. */
struct job {
	enum ipc_type type; /* CHECK, HASH or CHANGE */
	uint32_t number;
	unsigned serial; /* of the store that asked */
	struct ipc_change what;
};

/* What the threads share stands behind the lock. */
struct keeper {
	int master; /* -1: nobody speaks TLS here */
	struct sign *sign;
	struct loop *loop;
	struct loop_watch master_watch, watch;
	char *frame; /* IPC_FRAME_MAX, what was just received */
	struct log_pace without; /* a worker's channel */

	pthread_mutex_t lock;
	pthread_cond_t work, ready;
	int threads; /* that have begun */
	int store; /* -1: there is none */
	unsigned serial; /* counts stores: an answer is for who asked */
	struct job queue[IN_HAND]; /* also of threads that did not wake yet */
	unsigned first, waiting;
	unsigned busy; /* threads at work */
};

/* Sends a verdict if that store is still there; false: not now. */
static bool
offer(
    struct keeper *keeper, const struct job *job, const struct ipc_verdict *out)
{
	bool done = true;

	pthread_mutex_lock(&keeper->lock);
	/* The end of the channel is for the loop to see. */
	if (keeper->store != -1 && keeper->serial == job->serial)
		done = ipc_send(keeper->store, IPC_VERDICT, job->number, out,
			   NULL, 0, -1) == 0 ||
		    errno != EAGAIN;
	pthread_mutex_unlock(&keeper->lock);
	return done;
}

/* Sends a verdict, waiting until the store takes it or is no more. */
static void
answer(struct keeper *keeper, const struct job *job, enum verdict verdict,
    const char *hash)
{
	struct ipc_verdict out = {.verdict = verdict};

	if (hash)
		memcpy(out.hash, hash, sizeof(out.hash));
	while (!offer(keeper, job, &out))
		poll(NULL, 0, LOOK_MS);
	ipc_wipe(&out, sizeof(out));
}

/* Works one question out and answers it. */
static void
work_out(struct keeper *keeper, const struct job *job)
{
	char hash[IPC_HASH_MAX + 1] = "";
	enum verdict verdict = VERDICT_YES;

	if (job->type != IPC_HASH)
		verdict = password_verify(job->what.hash, job->what.old);
	if (job->type != IPC_CHECK && verdict == VERDICT_YES &&
	    password_hash(job->what.new, hash) == -1) {
		verdict = VERDICT_FAULT;
		*hash = '\0';
	}
	answer(keeper, job, verdict, hash);
	ipc_wipe(hash, sizeof(hash));
}

/* One of the threads: takes jobs for as long as the process lives. */
static void *
work(void *arg)
{
	struct keeper *keeper = arg;
	struct job job;

	/* Of this thread alone: Linux counts niceness by thread. */
	setpriority(PRIO_PROCESS, 0, BEHIND);
	pthread_mutex_lock(&keeper->lock);
	keeper->threads++;
	pthread_cond_signal(&keeper->ready);
	pthread_mutex_unlock(&keeper->lock);
	for (;;) {
		pthread_mutex_lock(&keeper->lock);
		while (keeper->waiting == 0)
			pthread_cond_wait(&keeper->work, &keeper->lock);
		job = keeper->queue[keeper->first];
		ipc_wipe(&keeper->queue[keeper->first], sizeof(job));
		keeper->first = (keeper->first + 1) % IN_HAND;
		keeper->waiting--;
		keeper->busy++;
		pthread_mutex_unlock(&keeper->lock);

		work_out(keeper, &job);
		ipc_wipe(&job, sizeof(job));

		pthread_mutex_lock(&keeper->lock);
		keeper->busy--;
		pthread_mutex_unlock(&keeper->lock);
	}
	return NULL;
}

/* Puts a job into the queue; false if it is full. */
static bool
enqueue(struct keeper *keeper, const struct job *job)
{
	bool room;

	pthread_mutex_lock(&keeper->lock);
	room = keeper->waiting + keeper->busy < IN_HAND;
	if (room) {
		keeper->queue[(keeper->first + keeper->waiting) % IN_HAND] =
		    *job;
		keeper->waiting++;
		pthread_cond_signal(&keeper->work);
	}
	pthread_mutex_unlock(&keeper->lock);
	return room;
}

/* Copies a question into a job; false if a string in it has no end. */
static bool
job_of(const struct ipc_frame *frame, struct job *job)
{
	struct ipc_check check;
	struct ipc_hash hash;

	memset(job, 0, sizeof(*job));
	job->type = frame->type;
	job->number = frame->number;
	if (frame->type == IPC_CHECK) {
		memcpy(&check, frame->body, sizeof(check));
		memcpy(job->what.hash, check.hash, sizeof(check.hash));
		memcpy(job->what.old, check.password, sizeof(check.password));
		ipc_wipe(&check, sizeof(check));
	} else if (frame->type == IPC_HASH) {
		memcpy(&hash, frame->body, sizeof(hash));
		memcpy(job->what.new, hash.password, sizeof(hash.password));
		ipc_wipe(&hash, sizeof(hash));
	} else {
		memcpy(&job->what, frame->body, sizeof(job->what));
	}
	return IPC_TERMINATED(job->what.hash) &&
	    IPC_TERMINATED(job->what.old) && IPC_TERMINATED(job->what.new);
}

/* Lets go of a store that has gone, and of what it wanted to know. */
static void
store_drop(struct keeper *keeper)
{
	loop_remove(keeper->loop, &keeper->watch);
	pthread_mutex_lock(&keeper->lock);
	if (keeper->store != -1)
		close(keeper->store);
	keeper->store = -1;
	keeper->serial++;
	keeper->waiting = 0;
	ipc_wipe(keeper->queue, sizeof(keeper->queue));
	pthread_mutex_unlock(&keeper->lock);
}

/* Takes all questions that wait, until the channel ends. */
static void
receive(void *arg, unsigned events)
{
	struct keeper *keeper = arg;
	struct ipc_frame frame;
	struct job job;
	int got;

	(void)events;
	while ((got = ipc_receive(keeper->store, ROLE_KEEPER, ROLE_STORE,
		    keeper->frame, &frame)) == 1) {
		if (!job_of(&frame, &job))
			fatal(EX_SOFTWARE, "a question without an end");
		job.serial = keeper->serial;
		if (!enqueue(keeper, &job))
			answer(keeper, &job, VERDICT_BUSY, NULL);
		ipc_wipe(&job, sizeof(job));
		ipc_wipe(keeper->frame, SECRET_LEN);
	}
	if (got == -1 && errno == EAGAIN)
		return;
	if (got == -1)
		fatal(EX_SOFTWARE, "the store's channel: %m");
	log_debug("the store has gone");
	if (keeper->master != -1) {
		store_drop(keeper);
		return;
	}
	/* Whom a thread still works for has gone too: no cleanup. */
	_exit(EX_OK);
}

/* Takes a store's channel, in the place of one that there was. */
static int
store_take(struct keeper *keeper, int fd)
{
	store_drop(keeper);
	if (fd_nonblock(fd, true) == -1 ||
	    loop_add(keeper->loop, &keeper->watch, fd, LOOP_READ, receive,
		keeper) == -1)
		return -1;
	pthread_mutex_lock(&keeper->lock);
	keeper->store = fd;
	pthread_mutex_unlock(&keeper->lock);
	return 0;
}

/* Loads the key of that file, and says how it went. */
static void
load(struct keeper *keeper, const struct ipc_frame *frame)
{
	char why[TLS_WHY_LEN] = "";
	struct ipc_keyed out;
	struct ipc_key what;

	memcpy(&what, frame->body, sizeof(what));
	sign_load(keeper->sign, &what, frame->fd, &out, why);
	close(frame->fd);
	if (ipc_send(keeper->master, IPC_KEYED, frame->number, &out, why,
		strlen(why), -1) == -1)
		log_warn("cannot tell the master of the key: %m");
}

/* Says that the loop turns, in which signatures are made. */
static void
pong(struct keeper *keeper)
{
	if (ipc_send(keeper->master, IPC_PONG, 0, NULL, NULL, 0, -1) == -1)
		log_debug("cannot tell the master: %m");
}

/* Does one thing that the master says. */
static void
do_order(struct keeper *keeper, const struct ipc_frame *frame)
{
	struct ipc_worker worker;

	if (frame->type == IPC_WORKER) {
		memcpy(&worker, frame->body, sizeof(worker));
		sign_introduce(keeper->sign, worker.key, frame->fd);
	} else if (frame->type == IPC_KEY)
		load(keeper, frame);
	else if (frame->type == IPC_PING)
		pong(keeper);
	else if (store_take(keeper, frame->fd) == -1)
		fatal(EX_OSERR, "cannot watch the store's channel: %m");
}

/* Does what the master says; ends the process with the channel. */
static void
obey(void *arg, unsigned events)
{
	struct keeper *keeper = arg;
	struct ipc_frame frame;
	int got;

	(void)events;
	for (;;) {
		got = ipc_receive(keeper->master, ROLE_KEEPER, ROLE_MASTER,
		    keeper->frame, &frame);
		if (got == 1)
			do_order(keeper, &frame);
		else if (got == -1 && errno == EBADMSG &&
		    frame.type == IPC_WORKER)
			/* Out of descriptors: its own did not come. */
			log_paced(&keeper->without,
			    "a worker could not be introduced");
		else
			break;
	}
	if (got == -1 && errno == EAGAIN)
		return;
	if (got == -1)
		fatal(EX_SOFTWARE, "the master's channel: %m");
	log_debug("the master has gone");
	_exit(EX_OK);
}

static void
reopen(void *arg, int signo)
{
	(void)arg;
	(void)signo;
	log_reopen();
}

/* Starts the threads, with every signal left to the loop. */
static void
start_threads(struct keeper *keeper)
{
	pthread_t thread;
	sigset_t all, before;
	int error;

	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	for (int i = 0; i < KEEPER_THREADS; i++) {
		error = pthread_create(&thread, NULL, work, keeper);
		if (error)
			fatal(EX_OSERR, "cannot start a thread: %s",
			    strerror(error));
		pthread_detach(thread);
	}
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	/* All have begun before the sandbox is sealed. */
	pthread_mutex_lock(&keeper->lock);
	while (keeper->threads < KEEPER_THREADS)
		pthread_cond_wait(&keeper->ready, &keeper->lock);
	pthread_mutex_unlock(&keeper->lock);
}

/* Listens to the master, who will bring everything else. */
static int
listen_to(struct keeper *keeper, int master)
{
	keeper->sign = sign_new(keeper->loop, keeper->frame);
	if (!keeper->sign) {
		errno = ENOMEM;
		return -1;
	}
	if (fd_nonblock(master, true) == -1)
		return -1;
	return loop_add(keeper->loop, &keeper->master_watch, master, LOOP_READ,
	    obey, keeper);
}

_Noreturn void
keeper_main(int master, int store)
{
	struct keeper *keeper = calloc(1, sizeof(*keeper));

	if (!keeper || !(keeper->frame = malloc(IPC_FRAME_MAX)))
		fatal(EX_OSERR, "no memory");
	if (password_init() == -1)
		fatal(EX_OSERR, "cannot hash a password");
	keeper->master = master;
	keeper->store = keeper->watch.fd = -1;
	pthread_mutex_init(&keeper->lock, NULL);
	pthread_cond_init(&keeper->work, NULL);
	pthread_cond_init(&keeper->ready, NULL);
	if (!(keeper->loop = loop_new()) ||
	    loop_signal(keeper->loop, SIGUSR1, reopen, NULL) == -1 ||
	    (master != -1 && listen_to(keeper, master) == -1) ||
	    (store != -1 && store_take(keeper, store) == -1))
		fatal(EX_OSERR, "cannot watch our channels: %m");
	sandbox_enter(ROLE_KEEPER);
	start_threads(keeper);
	sandbox_seal();
	loop_run(keeper->loop);
	exit(EX_OK);
}
