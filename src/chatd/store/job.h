/* SPDX-License-Identifier: ISC */
/*
 * Passwords that are with the keeper: at most as many as it takes.  A job
 * outlives the keeper (it is sent again to the next one) and the channel
 * that wanted it (its result is then only written down).
 */
#ifndef CHATD_JOB_H
#define CHATD_JOB_H

#include "chatd/ipc.h"
#include "chatd/store/db.h"

enum {
	JOBS_MAX = KEEPER_THREADS + KEEPER_QUEUE,
	JOBS_STRANGE = JOBS_MAX / 2, /* that strangers have at most */
};

struct store;
struct jobs;
struct job;

typedef void job_fn(struct store *, struct job *, const struct ipc_verdict *);

/* What the asker needs again when the verdict is there. */
struct job {
	uint32_t number; /* between store and keeper; 0: free */
	enum ipc_type type;
	bool strange; /* of an address that is not known, without a login */
	bool ready; /* to be sent once its charge is on the disk */
	int sent; /* how often, so that one that kills keepers ends */
	int left; /* attempts after this one */
	job_fn *done;
	struct channel *channel; /* NULL once it has gone */
	uint32_t channel_number; /* its own number for the answer */
	struct ipc_address from; /* whose it is, also when it has gone */
	int64_t asked; /* monotonic */
	int64_t due; /* likewise: when it is refused; 0 while it is judged */
	struct ipc_refused refused; /* with this */
	void *admin; /* control.c's, or NULL */
	int64_t user; /* 0 for a name that nobody has */
	char name[NAME_MAX_LEN + 1];
	struct ipc_auth auth;
	bool brief;
	struct ipc_beacon beacon; /* of a login */
	struct ipc_peer peer; /* likewise */
	uint8_t invite[DB_HASH_LEN]; /* of the code that came with it */
	union {
		struct ipc_check check;
		struct ipc_hash hash;
		struct ipc_change change;
	} ask;
};

enum { JOB_BEAT_MS = 50 }; /* more than a password takes, unless many wait */

/* Wrong passwords are answered at multiples of beat_ms; 0: at once. */
struct jobs *jobs_new(int beat_ms);
void jobs_free(struct jobs *jobs);

/* An empty job, or NULL when all are under way: answer busy. */
struct job *job_new(struct store *store, job_fn *done);

/*
 * The caller has filled in ask.  Its channel is read no more until done();
 * the job is the table's until done() returns.
 */
void job_start(struct job *job);

/* After the commit: sends what was started. */
void jobs_flush(struct store *store);

/*
 * In done(): the asker is refused, at the next beat since the question.  What
 * was written down meanwhile, and for whom, is then not in the time it took.
 */
void job_refuse(
    struct store *store, struct job *job, const struct ipc_refused *refused);

/* Gives a job back that was not started. */
void job_drop(struct store *store, struct job *job);

/* How many checks of this name are under way, this job not counted. */
int jobs_for_name(struct store *store, const char *name, const struct job *but);

/* The channel or the administrator has gone. */
void jobs_forget_channel(struct store *store, const struct channel *channel);
void jobs_forget_admin(struct store *store, const void *admin);

/* A keeper, the first or a new one: what was under way is sent again. */
void jobs_keeper(struct store *store, int fd);

/* A verdict has come. */
void jobs_read(void *store, unsigned events);

int jobs_under_way(const struct store *store);
/* Likewise those of strangers. */
int jobs_strange(const struct store *store);

#endif
