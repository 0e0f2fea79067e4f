/* SPDX-License-Identifier: ISC */
/*
 * One connection from handshake to end: lines in, questions to the store,
 * replies out in the order of the requests.  Runs in a process that was
 * forked for it and dies with it; must never open a file or a socket, wait
 * without a deadline, or execute what follows a request that ended it all.
 */
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "chatd/worker/request.h"
#include "chatd/worker/signer.h"
#include "chatd/worker/worker.h"
#include "lib/log.h"
#include "lib/tls.h"
#include "lib/unix.h"

enum {
	OWN_MOST = 16, /* answers without the store, beyond those with it */
	OUT_FLUSH = 65536, /* what more replies are not added to */
	LINGER_MS = 1000, /* so that a last reply is not lost to a reset */
	HANDSHAKE_LINGER_MS = 100, /* likewise an alert */
	LAST_WRITE_MS = 500, /* for a reply when the time is over */
	ALARM_SLACK = 2, /* seconds; more than the two before together */
	RETRY_SECONDS = 1, /* when the store is lost: it starts at once */
};

/* A request whose reply is not in the buffer yet. */
struct pending {
	enum wire_op op;
	bool asked; /* the store's answer comes; else error and reply */
	enum wire_error error;
	json_t *reply;
	json_t *tag;
};

struct worker {
	const struct worker_start *start;
	struct tls_conn conn;
	struct request_context on;
	int64_t end; /* of the connection, clock_mono() */
	int64_t patience; /* milliseconds for a line, an answer, a write */
	struct pending pending[IPC_AHEAD_MAX];
	int count; /* of pending */
	int taken; /* lines read so far */
	int own; /* answers without the store, less those with it */
	bool ended; /* nothing more is read */
	bool linger; /* a last reply is on its way */
	bool broken; /* nothing more can be told to the client */
	enum worker_exit status;
	size_t used; /* of out */
	char out[OUT_FLUSH + LINE_MAX_LEN];
	uint64_t frame[IPC_FRAME_MAX / sizeof(uint64_t)];
};

static const struct request_row rows[OP_COUNT] = {
    [OP_HELLO] = {request_hello, IPC_DONE, NULL, 0},
    [OP_LOGIN] = {request_login, IPC_WELCOME, tell_welcome, ALONE | SECRET},
    [OP_REGISTER] = {request_register, IPC_DONE, NULL, SECRET},
    [OP_LOGOUT] = {request_logout, IPC_DONE, NULL, 0},
    [OP_LIVE] = {request_live, IPC_HEADS, tell_heads, 0},
    [OP_SYNC] = {request_sync, IPC_EVENTS, tell_events, 0},
    [OP_SEND] = {request_send, IPC_SENT, tell_sent, 0},
    [OP_BROADCAST] = {request_broadcast, IPC_SPREAD, tell_spread, 0},
    [OP_ONLINE] = {request_online, IPC_NAMES, tell_online, 0},
    [OP_BLOCK] = {request_block, IPC_DONE, NULL, 0},
    [OP_UNBLOCK] = {request_unblock, IPC_DONE, NULL, 0},
    [OP_BLOCKED] = {request_blocked, IPC_NAMES, tell_blocked, 0},
    [OP_ASK] = {request_ask, IPC_ASKED, tell_asked, 0},
    [OP_ANSWER] = {request_answer, IPC_ANSWERED, tell_answered, 0},
    [OP_HANGUP] = {request_hangup, IPC_DONE, NULL, 0},
    [OP_PASSWORD] = {request_password, IPC_DONE, NULL, ALONE | SECRET},
};

/* The first thing that went wrong is what the master hears of. */
static void
note(struct worker *w, enum worker_exit status)
{
	if (w->status == WORKER_SERVED)
		w->status = status;
}

/* When patience with the client ends, at most slack ms after the end. */
static int64_t
deadline(const struct worker *w, int64_t slack)
{
	int64_t until = clock_mono() + w->patience;

	return until < w->end + slack ? until : w->end + slack;
}

/* True for errors after which later requests are not executed. */
static bool
ends_all(enum wire_error error)
{
	return error == ERR_BAD_REQUEST || wire_error_again(error);
}

/* What a failure to read or write means for the connection. */
static void
hang_up(struct worker *w, enum tls_status status)
{
	w->ended = w->broken = true;
	if (status == TLS_TIMEOUT)
		note(w, WORKER_TIMEOUT);
	else if (status != TLS_END)
		note(w, WORKER_CUT);
	if (status != TLS_END)
		log_debug("%s", w->conn.why);
}

/* Writes the replies that wait. */
static void
flush(struct worker *w)
{
	enum tls_status status;

	if (w->used == 0 || w->broken)
		return;
	status =
	    tls_write(&w->conn, w->out, w->used, deadline(w, LAST_WRITE_MS));
	w->used = 0;
	if (status != TLS_OK)
		hang_up(w, status == TLS_END ? TLS_CUT : status);
}

/* Our own memory or setup failed: no reply, no more requests. */
static void
fault(struct worker *w, const char *what)
{
	log_warn("%s", what);
	note(w, WORKER_FAULT);
	w->ended = w->broken = true;
}

/* Puts a reply into the buffer and lets go of it. */
static void
put_reply(struct worker *w, json_t *reply)
{
	size_t len;
	char *line = reply ? wire_line(reply, &len) : NULL;

	json_decref(reply);
	if (line == NULL || len > LINE_MAX_LEN) {
		fault(w, "a reply cannot be encoded");
	} else {
		memcpy(w->out + w->used, line, len);
		w->used += len;
	}
	free(line);
	if (w->used >= OUT_FLUSH)
		flush(w);
}

/* A refusal of the store as a reply; NULL if it makes no sense. */
static json_t *
refusal(const struct ipc_frame *frame, json_t *tag, enum wire_error *error)
{
	struct ipc_refused got;
	char text[WIRE_WHY_LEN * 2];
	json_t *reply;

	memcpy(&got, frame->body, sizeof(got));
	if (got.error <= ERR_NONE || got.error >= ERR_COUNT ||
	    frame->tail_len >= sizeof(text) || !IPC_TERMINATED(got.address))
		return NULL;
	memcpy(text, frame->tail, frame->tail_len);
	text[frame->tail_len] = '\0';
	*error = (enum wire_error)got.error;
	reply = wire_refuse(tag, *error, text[0] ? text : NULL);
	if (got.attempts_left >= 0 && *error == ERR_LOGIN_FAILED)
		json_object_set_new(
		    reply, "attempts_left", json_integer(got.attempts_left));
	if (got.retry_after > 0)
		json_object_set_new(
		    reply, "retry_after", json_integer(got.retry_after));
	if (*error == ERR_SESSION_REPLACED) {
		json_object_set_new(reply, "address", json_string(got.address));
		tell_time(reply, "time", got.time);
	}
	return reply;
}

/* The store's answer as a reply; NULL if it makes no sense. */
static json_t *
tell(const struct worker *w, const struct pending *request,
    const struct ipc_frame *frame, enum wire_error *error)
{
	const struct request_row *row = &rows[request->op];
	json_t *reply;

	*error = ERR_NONE;
	if (frame->type == IPC_REFUSED)
		return refusal(frame, request->tag, error);
	if (frame->type != row->answer)
		return NULL;
	reply = wire_accept(request->tag);
	if (row->tell && row->tell(&w->on, frame, reply) != 0) {
		json_decref(reply);
		return NULL;
	}
	return reply;
}

/* The reply to who asked a store that is gone. */
static json_t *
lost_reply(struct worker *w, json_t *tag)
{
	json_t *reply = wire_refuse(tag, ERR_BUSY, NULL);

	/* Our client's own dawdling is no fault of the store. */
	if (w->on.store.late && clock_mono() >= w->end)
		note(w, WORKER_TIMEOUT);
	else
		note(w, WORKER_STORE_LOST);
	log_debug("no answer from the store");
	json_object_set_new(reply, "retry_after", json_integer(RETRY_SECONDS));
	return reply;
}

/* Waits for the store's answer to a request. */
static void
await_reply(struct worker *w, struct pending *request)
{
	struct ipc_frame frame;

	if (ask_next(&w->on.store, w->frame, &frame) == 0)
		request->reply = tell(w, request, &frame, &request->error);
	if (request->reply == NULL) {
		request->error = ERR_BUSY;
		request->reply = lost_reply(w, request->tag);
	}
}

/* What an error means for the connection and for the exit status. */
static void
weigh(struct worker *w, enum wire_error error)
{
	if (error == ERR_BAD_REQUEST)
		note(w, WORKER_MALFORMED);
	else if (error == ERR_LOGIN_FAILED || error == ERR_LOGIN_BLOCKED)
		note(w, WORKER_REFUSED);
	if (ends_all(error))
		w->ended = w->linger = true;
}

/* Finishes one request: its reply, and what that means. */
static void
finish(struct worker *w, struct pending *request)
{
	if (request->asked)
		await_reply(w, request);
	if (log_debugging())
		log_debug("%s: %s",
		    request->op < OP_COUNT ? wire_ops[request->op].name
					   : "malformed",
		    request->error ? wire_error_name(request->error) : "done");
	put_reply(w, request->reply);
	request->reply = NULL;
	weigh(w, request->error);
}

/*
 * Gives every pending request its reply, in order; those after one that
 * ends all get none.
 */
static void
collect(struct worker *w)
{
	bool over = false;

	for (int i = 0; i < w->count; i++) {
		struct pending *request = &w->pending[i];

		if (!over)
			finish(w, request);
		over = over || w->broken || ends_all(request->error);
		json_decref(request->reply);
		json_decref(request->tag);
	}
	w->count = 0;
	flush(w);
}

/* Queues a request with what its handler said. */
static void
await(struct worker *w, const struct wire_request *request, enum asked asked)
{
	struct pending *next = &w->pending[w->count++];

	next->op = request->op;
	next->asked = asked == ASKED;
	next->tag = json_incref(request->tag);
	next->reply = NULL;
	next->error = ERR_NONE;
	if (asked == ASKED)
		return;
	next->reply = w->on.reply;
	next->error = w->on.error;
	/* Replied to later, in its turn; nothing after it is read. */
	if (ends_all(next->error))
		w->ended = true;
}

/*
 * The store charges what it is asked.  What we answer by ourselves costs
 * time for nothing, and must not come without measure.
 */
static void
measure(struct worker *w, const struct wire_request *request, enum asked asked)
{
	if (asked == ASKED) {
		w->own -= w->own > 0;
		return;
	}
	if (w->start->exempt || ends_all(w->on.error) || w->own++ < OWN_MOST)
		return;
	json_decref(w->on.reply);
	request_refuse(&w->on, request, ERR_RATE_LIMITED, NULL);
	json_object_set_new(
	    w->on.reply, "retry_after", json_integer(RETRY_SECONDS));
}

/* Asks what a request wants, waiting for what must be answered before. */
static void
ask(struct worker *w, const struct wire_request *request)
{
	const struct request_row *row = &rows[request->op];
	enum asked asked;

	if (row->how & ALONE)
		collect(w);
	if (w->ended)
		return;
	while ((asked = row->ask(&w->on, request)) == ASKED_FULL) {
		collect(w);
		if (w->ended)
			return;
	}
	measure(w, request, asked);
	await(w, request, asked);
	if (row->how & ALONE)
		collect(w);
}

/* Queues the last reply of a client that broke the protocol. */
static void
malformed(struct worker *w, struct wire_request *request, const char *why)
{
	log_debug("malformed: %s", why);
	await(
	    w, request, request_refuse(&w->on, request, ERR_BAD_REQUEST, why));
}

/* Overwrites the passwords that a line and its decoding hold. */
static void
wipe(const struct wire_request *request, char *line, size_t len)
{
	const struct wire_string *all[] = {
	    &request->password, &request->old, &request->new};

	for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++)
		if (all[i]->s)
			ipc_wipe((char *)(uintptr_t)all[i]->s, all[i]->len);
	ipc_wipe(line, len);
}

/* Takes one line in; what it asks is answered later. */
static void
take_line(struct worker *w, char *line, size_t len)
{
	struct wire_request request;
	char why[WIRE_WHY_LEN];
	bool secret = true;

	w->taken++;
	if (wire_request_decode(line, len, &request, why) == 0) {
		secret = rows[request.op].how & SECRET;
		ask(w, &request);
	} else
		malformed(w, &request, why);
	if (secret)
		wipe(&request, line, len);
	wire_request_release(&request);
}

/* Reads one line, waiting for it if none is there. */
static void
take(struct worker *w)
{
	struct wire_request nothing = {.op = OP_COUNT};
	enum tls_status status;
	char *line;
	size_t len;

	status = tls_read_line(&w->conn, &line, &len, deadline(w, 0));
	if (status == TLS_OK)
		take_line(w, line, len);
	else if (status == TLS_TOO_LONG)
		malformed(w, &nothing, "A line has at most 65536 octets.");
	else
		hang_up(w, status);
}

/* Serves requests until either side has had enough. */
static void
serve(struct worker *w)
{
	while (!w->ended) {
		do
			take(w);
		while (!w->ended && w->count < IPC_AHEAD_MAX &&
		    w->taken < WIRE_REQUESTS_MAX && line_waiting(&w->conn.in));
		collect(w);
		if (w->taken >= WIRE_REQUESTS_MAX && !w->ended)
			w->ended = w->linger = true;
	}
}

/* The handshake; false, with the status, if no TLS came about. */
static bool
greet(struct worker *w, int64_t until)
{
	enum tls_status status;

	signer_use(w->start->signer, until);
	status = tls_handshake(&w->conn, TLS_ALPN_CENTRE, until);
	/* One handshake, one signature. */
	close(w->start->signer);
	if (status == TLS_OK)
		return true;
	if (signer_failed()) {
		/* Not the client's fault, nor worth a warning for each. */
		log_info("no handshake: the keeper did not sign");
		note(w, WORKER_FAULT);
		return false;
	}
	note(w, status == TLS_TIMEOUT ? WORKER_TIMEOUT : WORKER_HANDSHAKE);
	log_debug("no handshake: %s", w->conn.why);
	return false;
}

/*
 * Bounds this process: the alarm is for what no deadline sees.  Signals that
 * are meant for the master leave the request that runs alone.
 */
static void
bound(int seconds)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGHUP);
	sigaddset(&set, SIGINT);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGUSR1);
	sigaddset(&set, SIGPIPE);
	sigprocmask(SIG_SETMASK, &set, NULL);
	signal(SIGALRM, SIG_DFL);
	alarm((unsigned)(seconds + ALARM_SLACK));
}

/* Sets up, serves, and says how much closing may linger. */
static int
run(struct worker *w)
{
	const struct settings *settings = w->start->settings;
	int64_t now = clock_mono();
	int64_t until = now + settings->handshake_seconds * INT64_C(1000);

	w->end = now + settings->connection_seconds * INT64_C(1000);
	w->patience = settings->request_seconds * INT64_C(1000);
	w->on.rules = &settings->rules;
	w->on.beacon = settings->beacon_enabled ? &w->conn : NULL;
	if (tls_conn_open(
		&w->conn, w->start->tls, w->start->client, true, NULL) == -1) {
		fault(w, w->conn.why);
		return 0;
	}
	if (ask_init(&w->on.store, w->start->store, w->patience, w->end) ==
	    -1) {
		fault(w, "cannot use the channel to the store");
		return 0;
	}
	if (!greet(w, until < w->end ? until : w->end))
		return w->status == WORKER_TIMEOUT ? 0 : HANDSHAKE_LINGER_MS;
	serve(w);
	return w->linger && !w->broken ? LINGER_MS : 0;
}

_Noreturn void
worker_main(const struct worker_start *start)
{
	/* Never touched before the fork, and too large for the stack. */
	static struct worker w;
	char address[IPC_ADDRESS_LEN];

	bound(start->settings->connection_seconds);
	if (log_debugging()) {
		ipc_address_text(&start->from, address);
		log_debug("serving %s port %d", address, start->from.port);
	}
	w.start = start;
	tls_conn_leave(&w.conn, run(&w));
	log_debug("%s", worker_exit_name(w.status));
	/* Nothing is freed: it all goes with the process. */
	_exit(w.status);
}
