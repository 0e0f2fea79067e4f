/* SPDX-License-Identifier: ISC */
/*
 * Calls into the store: for every answer_NAME() there, an ask_NAME() here
 * that posts the frame.  Answers come back in the order of the asking.
 */
#ifndef CHATD_WORKER_ASK_H
#define CHATD_WORKER_ASK_H

#include <stdbool.h>
#include <stdint.h>

#include "chatd/ipc.h"

enum asked {
	ASKED, /* one answer will come, or the store is lost */
	ASKED_FULL, /* not now: collect what is under way, ask again */
	ASKED_NOT, /* for handlers: answered without the store */
};

/* The worker's end of its channel. */
struct ask_channel {
	int sock;
	uint32_t number; /* of the newest request */
	uint32_t answered; /* of the newest answer */
	int64_t patience; /* milliseconds that the store may take */
	int64_t end; /* and not beyond this, clock_mono() */
	bool lost; /* the other end is gone, or too slow */
	bool late; /* likewise, because a time ran out */
	bool quiet; /* no answer can be there yet */
};

/* Takes over a descriptor and makes it non-blocking; -1 with errno. */
int ask_init(
    struct ask_channel *store, int sock, int64_t patience, int64_t end);

/* How many answers are still to come. */
uint32_t ask_under_way(const struct ask_channel *store);

/*
 * The next answer, into buf as ipc_receive() has it.  0, or -1 if none will
 * come: the channel is lost from then on.
 */
int ask_next(struct ask_channel *store, void *buf, struct ipc_frame *frame);

/*
 * The questions.  All strings were checked before and fit; a token that is
 * NULL stands for what a brief login made of this channel.
 */
enum asked ask_login(struct ask_channel *store, const char *user,
    const struct wire_string *password, bool brief,
    const struct ipc_beacon *beacon, const struct ipc_peer *peer);
enum asked ask_register(struct ask_channel *store, const char *user,
    const struct wire_string *password, const struct wire_string *invite);
enum asked ask_logout(
    struct ask_channel *store, const struct wire_string *token);
enum asked ask_live(struct ask_channel *store, const struct wire_string *token,
    int64_t mail, int64_t room);
enum asked ask_sync(
    struct ask_channel *store, const struct wire_request *request, int32_t max);
enum asked ask_send(struct ask_channel *store,
    const struct wire_request *request, const char *to);
enum asked ask_broadcast(
    struct ask_channel *store, const struct wire_request *request);
enum asked ask_online(struct ask_channel *store,
    const struct wire_string *token, const char *after, int32_t max);
enum asked ask_block(struct ask_channel *store, const struct wire_string *token,
    const char *user);
enum asked ask_unblock(struct ask_channel *store,
    const struct wire_string *token, const char *user);
enum asked ask_blocked(struct ask_channel *store,
    const struct wire_string *token, const char *after, int32_t max);
enum asked ask_ask(struct ask_channel *store, const struct wire_string *token,
    const char *user);
enum asked ask_answer(
    struct ask_channel *store, const struct wire_request *request);
enum asked ask_hangup(struct ask_channel *store,
    const struct wire_string *token, const char *user);
enum asked ask_password(struct ask_channel *store,
    const struct wire_string *token, const struct wire_string *old,
    const struct wire_string *new);

#endif
