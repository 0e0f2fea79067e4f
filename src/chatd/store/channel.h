/* SPDX-License-Identifier: ISC */
/*
 * The store's end of a worker's channel: what comes in is one request after
 * the other, what goes out is held until the commit that it speaks of.
 */
#ifndef CHATD_CHANNEL_H
#define CHATD_CHANNEL_H

#include "chatd/ipc.h"
#include "lib/loop.h"

struct store;

/* Frames that wait to be sent, each with its length before it. */
struct frames {
	char *data;
	size_t len, size;
};

struct channel {
	struct store *store;
	struct loop_watch watch;
	int fd;
	struct ipc_address from;
	uint32_t number; /* what the master calls it, or 0 */
	bool exempt; /* from limits of requests */
	bool known; /* the address is */
	int64_t proved_by; /* the user who vouches for it, or 0 */
	int64_t brief; /* the user of its brief login, or 0 */
	bool waits; /* for the keeper: nothing more is read */
	bool deaf; /* ends with what is held; answers nothing more */
	bool listed; /* among those with answers to send */
	struct frames out;
	struct channel *previous, *next; /* all channels */
	struct channel *next_listed;
};

/* Takes over the descriptor; NULL (and closed) if there is no memory. */
struct channel *channel_open(struct store *store, int fd, uint32_t number,
    const struct ipc_serve *serve);

/* Forgets everything about it, pending answers and jobs included. */
void channel_close(struct channel *channel);

/* Holds an answer back until channels_flush(). */
void channel_answer(struct channel *channel, enum ipc_type type,
    uint32_t number, const void *body, const void *tail, size_t tail_len);

/* A refusal; text may be NULL.  Makes the channel deaf where it must. */
void channel_refuse(struct channel *channel, uint32_t number,
    enum wire_error error, const char *text);
void channel_refuse_with(struct channel *channel, uint32_t number,
    const struct ipc_refused *refused, const char *text);

/* True if the worker has hung up, read or not. */
bool channel_gone(const struct channel *channel);

/* The keeper has answered: goes on reading. */
void channel_resume(struct channel *channel);

/* After the commit: sends every answer that was held back. */
void channels_flush(struct store *store);
void channels_close(struct store *store);

#endif
