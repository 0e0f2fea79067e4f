/* SPDX-License-Identifier: ISC */
/*
 * The store's side of the keeper: passwords go out, verdicts come back.
 * It must never hash by itself, and never wait.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "chatd/store/state.h"
#include "lib/log.h"
#include "lib/unix.h"

enum { SENT_MOST = 3 };

struct jobs {
	struct loop_timer beat;
	int beat_ms;
	struct job job[JOBS_MAX];
	uint32_t last;
	int count;
	char frame[IPC_FRAME_MAX] __attribute__((aligned(8)));
};

struct jobs *
jobs_new(int beat_ms)
{
	struct jobs *jobs = calloc(1, sizeof(*jobs));

	if (jobs != NULL)
		jobs->beat_ms = beat_ms;
	return jobs;
}

void
jobs_free(struct jobs *jobs)
{
	if (jobs != NULL)
		ipc_wipe(jobs, sizeof(*jobs));
	free(jobs);
}

struct job *
job_new(struct store *store, job_fn *done)
{
	struct jobs *jobs = store->jobs;

	for (int i = 0; i < JOBS_MAX; i++) {
		struct job *job = &jobs->job[i];

		if (job->number != 0)
			continue;
		if (++jobs->last == 0)
			jobs->last = 1;
		job->number = jobs->last;
		job->asked = store->now;
		job->done = done;
		jobs->count++;
		return job;
	}
	return NULL;
}

void
job_drop(struct store *store, struct job *job)
{
	ipc_wipe(job, sizeof(*job));
	store->jobs->count--;
}

/*
 * The verdict goes to whoever asked; the password is forgotten.  A worker
 * that has gone meanwhile is noticed here, since its channel was not read:
 * its client was told to try again, and must not be logged in behind its
 * back.
 */
static void
finish(struct store *store, struct job *job, const struct ipc_verdict *verdict)
{
	/* Forgets the job's channel too. */
	if (job->channel != NULL && channel_gone(job->channel))
		channel_close(job->channel);
	job->done(store, job, verdict);
	if (job->due != 0)
		return;
	if (job->channel != NULL)
		channel_resume(job->channel);
	job_drop(store, job);
}

/* Refuses those whose beat has come. */
static void
beat(void *arg)
{
	struct store *store = arg;
	int64_t next = 0;

	store_tick(store);
	for (int i = 0; i < JOBS_MAX; i++) {
		struct job *job = &store->jobs->job[i];

		if (job->due == 0)
			continue;
		if (job->due > store->now) {
			if (next == 0 || job->due < next)
				next = job->due;
			continue;
		}
		if (job->channel != NULL) {
			channel_refuse_with(job->channel, job->channel_number,
			    &job->refused, NULL);
			channel_resume(job->channel);
		}
		job_drop(store, job);
	}
	if (next != 0)
		loop_timer(store->loop, &store->jobs->beat, next - store->now,
		    beat, store);
}

void
job_refuse(
    struct store *store, struct job *job, const struct ipc_refused *refused)
{
	struct loop_timer *timer = &store->jobs->beat;
	int64_t passed = store->now - job->asked;
	int beat_ms = store->jobs->beat_ms;

	if (job->channel == NULL)
		return;
	job->refused = *refused;
	job->due = beat_ms > 0 ? job->asked + (passed / beat_ms + 1) * beat_ms
			       : store->now;
	if (timer->slot == 0 || job->due < timer->at)
		loop_timer(
		    store->loop, timer, job->due - clock_mono(), beat, store);
}

/* True if no keeper is left, and no master to start another one. */
static bool
forsaken(const struct store *store)
{
	return store->keeper == -1 && store->master == -1;
}

/* A keeper that is gone answers later: its successor gets the job. */
static void
transmit(struct store *store, struct job *job)
{
	struct ipc_verdict fault = {.verdict = VERDICT_FAULT};

	if (forsaken(store)) {
		finish(store, job, &fault);
		return;
	}
	if (store->keeper == -1)
		return;
	if (job->sent++ >= SENT_MOST) {
		log_warn(
		    "a password could not be checked in %d tries", SENT_MOST);
		finish(store, job, &fault);
		return;
	}
	if (ipc_send(store->keeper, job->type, job->number, &job->ask, NULL, 0,
		-1) == -1)
		log_debug("keeper: %m");
}

void
job_start(struct job *job)
{
	if (job->channel != NULL)
		job->channel->waits = true;
	job->ready = true;
}

void
jobs_flush(struct store *store)
{
	for (int i = 0; store->jobs->count > 0 && i < JOBS_MAX; i++) {
		struct job *job = &store->jobs->job[i];

		if (job->ready && job->sent == 0)
			transmit(store, job);
	}
}

int
jobs_for_name(struct store *store, const char *name, const struct job *but)
{
	int count = 0;

	for (int i = 0; i < JOBS_MAX; i++) {
		const struct job *job = &store->jobs->job[i];

		if (job->number != 0 && job->due == 0 && job != but &&
		    job->type != IPC_HASH && strcmp(job->name, name) == 0)
			count++;
	}
	return count;
}

void
jobs_forget_channel(struct store *store, const struct channel *channel)
{
	for (int i = 0; i < JOBS_MAX; i++)
		if (store->jobs->job[i].channel == channel)
			store->jobs->job[i].channel = NULL;
}

void
jobs_forget_admin(struct store *store, const void *admin)
{
	for (int i = 0; i < JOBS_MAX; i++)
		if (store->jobs->job[i].admin == admin)
			store->jobs->job[i].admin = NULL;
}

static void
keeper_lost(struct store *store)
{
	loop_remove(store->loop, &store->keeper_watch);
	close(store->keeper);
	store->keeper = -1;
	if (!forsaken(store))
		return;
	/* Whoever waits is told now, or the store would wait with him. */
	log_warn("the keeper has gone");
	for (int i = 0; i < JOBS_MAX; i++)
		if (store->jobs->job[i].sent > 0 &&
		    store->jobs->job[i].due == 0)
			transmit(store, &store->jobs->job[i]);
}

void
jobs_keeper(struct store *store, int fd)
{
	if (store->keeper != -1)
		keeper_lost(store);
	if (fd == -1 || fd_nonblock(fd, true) == -1 ||
	    loop_add(store->loop, &store->keeper_watch, fd, LOOP_READ,
		jobs_read, store) == -1) {
		log_warn("the keeper's channel: %m");
		if (fd != -1)
			close(fd);
		return;
	}
	store->keeper = fd;
	for (int i = 0; i < JOBS_MAX; i++)
		if (store->jobs->job[i].sent > 0 &&
		    store->jobs->job[i].due == 0)
			transmit(store, &store->jobs->job[i]);
}

static void
verdict_read(struct store *store, const struct ipc_frame *frame)
{
	struct ipc_verdict verdict;

	memcpy(&verdict, frame->body, sizeof(verdict));
	verdict.hash[IPC_HASH_MAX] = '\0';
	if (verdict.verdict != VERDICT_BUSY)
		store->tally.hashes++;
	for (int i = 0; i < JOBS_MAX; i++)
		if (store->jobs->job[i].number == frame->number &&
		    store->jobs->job[i].due == 0 && frame->number != 0) {
			finish(store, &store->jobs->job[i], &verdict);
			return;
		}
	log_debug("keeper: a verdict that nobody waits for");
}

void
jobs_read(void *arg, unsigned events)
{
	struct store *store = arg;
	struct ipc_frame frame;

	(void)events;
	store_tick(store);
	for (int i = 0; i < JOBS_MAX && store->keeper != -1; i++) {
		switch (ipc_receive(store->keeper, ROLE_STORE, ROLE_KEEPER,
		    store->jobs->frame, &frame)) {
		case 1:
			verdict_read(store, &frame);
			break;
		case 0:
			keeper_lost(store);
			return;
		default:
			if (errno != EAGAIN) {
				log_warn("keeper: %m");
				keeper_lost(store);
			}
			return;
		}
	}
}

int
jobs_under_way(const struct store *store)
{
	return store->jobs->count;
}

int
jobs_strange(const struct store *store)
{
	int count = 0;

	for (int i = 0; i < JOBS_MAX; i++)
		count += store->jobs->job[i].number != 0 &&
		    store->jobs->job[i].strange;
	return count;
}
