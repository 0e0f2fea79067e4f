/* SPDX-License-Identifier: ISC */
/*
 * Requests as rows: how each is asked and how its answer is told.  request_
 * functions check the members and ask the store, or answer at once; tell_
 * functions add what the store's answer says to an accepted reply.
 */
#ifndef CHATD_WORKER_REQUEST_H
#define CHATD_WORKER_REQUEST_H

#include <stdbool.h>

#include <jansson.h>

#include "chatd/ipc.h"
#include "chatd/worker/ask.h"
#include "lib/tls.h"
#include "lib/wire.h"

/* What the handlers of one connection share. */
struct request_context {
	struct ask_channel store;
	const struct rules *rules;
	struct tls_conn *beacon; /* gives the beacon's keys; NULL: none do */
	/* After ASKED_NOT: the reply, whose owner is whoever looks. */
	json_t *reply; /* NULL: no memory */
	enum wire_error error; /* that it tells */
};

enum request_how {
	ALONE = 1, /* nothing else is under way meanwhile */
	SECRET = 2, /* the line holds a password */
};

struct request_row {
	enum asked (*ask)(
	    struct request_context *on, const struct wire_request *request);
	/* The answer that means yes. */
	enum ipc_type answer;
	/* -1 if the answer makes no sense or memory is short; may be NULL. */
	int (*tell)(const struct request_context *on,
	    const struct ipc_frame *frame, json_t *reply);
	unsigned how;
};

/* Answers at once with an error; text may be NULL for its own. */
enum asked request_refuse(struct request_context *on,
    const struct wire_request *request, enum wire_error error,
    const char *text);

/*
 * False, and refused, for a token that cannot be one.  One that is absent
 * is none of the worker's business: the store knows this channel.
 */
bool request_token(
    struct request_context *on, const struct wire_request *request);

enum asked request_hello(
    struct request_context *on, const struct wire_request *request);
enum asked request_login(
    struct request_context *on, const struct wire_request *request);
enum asked request_register(
    struct request_context *on, const struct wire_request *request);
enum asked request_logout(
    struct request_context *on, const struct wire_request *request);
enum asked request_live(
    struct request_context *on, const struct wire_request *request);
enum asked request_password(
    struct request_context *on, const struct wire_request *request);

enum asked request_sync(
    struct request_context *on, const struct wire_request *request);
enum asked request_send(
    struct request_context *on, const struct wire_request *request);
enum asked request_broadcast(
    struct request_context *on, const struct wire_request *request);
enum asked request_online(
    struct request_context *on, const struct wire_request *request);
enum asked request_block(
    struct request_context *on, const struct wire_request *request);
enum asked request_unblock(
    struct request_context *on, const struct wire_request *request);
enum asked request_blocked(
    struct request_context *on, const struct wire_request *request);

enum asked request_ask(
    struct request_context *on, const struct wire_request *request);
enum asked request_answer(
    struct request_context *on, const struct wire_request *request);
enum asked request_hangup(
    struct request_context *on, const struct wire_request *request);

/*
 * Folds another user's name; false, and refused with no-such-user, if it is
 * no name.
 */
bool request_name(struct request_context *on,
    const struct wire_request *request, const struct wire_string *name,
    char out[NAME_MAX_LEN + 1]);
/* Where a login takes links; false, and refused, if that makes no sense. */
bool request_peer(struct request_context *on,
    const struct wire_request *request, struct ipc_peer *peer);

int tell_welcome(const struct request_context *on,
    const struct ipc_frame *frame, json_t *reply);
int tell_heads(const struct request_context *on, const struct ipc_frame *frame,
    json_t *reply);
int tell_events(const struct request_context *on, const struct ipc_frame *frame,
    json_t *reply);
int tell_sent(const struct request_context *on, const struct ipc_frame *frame,
    json_t *reply);
int tell_spread(const struct request_context *on, const struct ipc_frame *frame,
    json_t *reply);
int tell_online(const struct request_context *on, const struct ipc_frame *frame,
    json_t *reply);
int tell_blocked(const struct request_context *on,
    const struct ipc_frame *frame, json_t *reply);

int tell_asked(const struct request_context *on, const struct ipc_frame *frame,
    json_t *reply);
int tell_answered(const struct request_context *on,
    const struct ipc_frame *frame, json_t *reply);

/* Adds a member that is a time. */
int tell_time(json_t *reply, const char *key, int64_t ms);

#endif
