/* SPDX-License-Identifier: ISC */
/*
 * The session at the centre: sync, polling, retries, logout.  Runs in
 * the agent, between the outbox and the courier.  What a sync brought is in
 * the book before the next one says so, and before any face sees it.
 */
#include "chat/agent/agent.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

#include "chat/agent/private.h"
#include "chat/agent/reply.h"
#include "lib/log.h"
#include "lib/text.h"
#include "lib/unix.h"

/* What one reply means for those after it. */
enum verdict {
	GO_ON,
	TRY_AGAIN, /* the centre asked for a pause */
	ALL_OVER, /* the agent's state has changed */
};

/* ---- polling, pauses, and whether the centre is there ---- */

static void
poll_due(void *arg)
{
	struct agent *agent = arg;

	if (agent->interval >= agent->heartbeat && !live_steady(agent->live))
		agent->live_due = true;
	else
		agent->sync_due = true;
	session_go(agent);
}

/* When to ask next: often in a conversation, ever less after it. */
static void
schedule(struct agent *agent)
{
	int64_t wait;

	if (clock_mono() - agent->active < ACTIVE_MS)
		agent->interval = POLL_MS;
	else
		agent->interval *= 2;
	if (agent->interval > agent->heartbeat)
		agent->interval = agent->heartbeat;
	wait = live_steady(agent->live) ? live_rest() : agent->interval;
	loop_timer(agent->loop, &agent->poll, wait, poll_due, agent);
}

/* The beacon makes polling needless from now on, or does not any more. */
void
session_beacon(struct agent *agent, bool steady)
{
	if (agent->state != AGENT_IN)
		return;
	if (!steady) {
		agent->interval = POLL_MS;
		agent->live_due = true;
	}
	schedule(agent);
	session_go(agent);
}

/* Something was typed or received. */
void
session_active(struct agent *agent)
{
	agent->active = clock_mono();
	if (agent->interval > POLL_MS && !live_steady(agent->live)) {
		agent->interval = POLL_MS;
		loop_timer(agent->loop, &agent->poll, POLL_MS, poll_due, agent);
	}
	session_go(agent);
}

/* A face's request that will not be asked any more. */
static void
give_up(void *arg, const struct errand *errand)
{
	struct agent *agent = arg;
	struct waiter waiter = {errand->face, json_incref(errand->tag)};

	agent_answer(agent, &waiter,
	    desk_refuse(
		errand->tag, "unreachable", "The centre cannot be reached."));
}

/* The centre has been out of reach for long enough to say so. */
static void
lost(void *arg)
{
	struct agent *agent = arg;
	json_t *event;

	if (agent->state != AGENT_IN)
		return;
	if (!agent->unreachable) {
		event = json_object();
		json_object_set_new(event, "event", json_string("unreachable"));
		desk_synced_at(agent, event);
		door_tell(agent->door, event);
		log_info("the centre cannot be reached");
	}
	agent->unreachable = true;
	desk_kept(agent);
	/* While an exchange is under way its errands stay where they are. */
	if (!centre_busy(agent->centre))
		outbox_drop_requests(&agent->outbox, give_up, agent);
}

/* An exchange has failed altogether. */
static void
trouble(struct agent *agent, const char *why)
{
	log_debug("exchange failed: %s", why);
	if (agent->trouble_since == 0) {
		agent->trouble_since = clock_mono();
		if (!agent->unreachable)
			log_info("no answer from the centre: %s", why);
		loop_timer(
		    agent->loop, &agent->trouble, TROUBLE_MS, lost, agent);
	}
	if (agent->unreachable)
		lost(agent);
}

/* The centre has answered. */
static void
reached(struct agent *agent)
{
	json_t *event;

	loop_timer_stop(agent->loop, &agent->trouble);
	agent->trouble_since = 0;
	if (!agent->unreachable)
		return;
	agent->unreachable = false;
	event = json_object();
	json_object_set_new(event, "event", json_string("reachable"));
	door_tell(agent->door, event);
	log_info("the centre is back");
}

static void
pause_over(void *arg)
{
	struct agent *agent = arg;

	agent->pausing = false;
	session_go(agent);
}

/* Somebody waits: a centre that was out of reach is tried at once. */
void
session_try(struct agent *agent)
{
	/* A pause that the centre has asked for is kept. */
	if (agent->unreachable) {
		loop_timer_stop(agent->loop, &agent->pause);
		agent->pausing = false;
	}
	session_active(agent);
}

/* Waits before the next try: ever longer, with jitter, as asked at least. */
static void
pause_for(struct agent *agent, int64_t asked)
{
	int64_t wait = RETRY_MS;
	uint16_t dice;

	for (int i = 0; i < agent->failures && wait < RETRY_MAX_MS; i++)
		wait *= 2;
	if (wait > RETRY_MAX_MS)
		wait = RETRY_MAX_MS;
	agent->failures++;
	random_fill(&dice, sizeof(dice));
	if (asked > 0)
		wait = asked + wait * dice / 65536 / 4;
	else
		wait = wait * 3 / 4 + wait * dice / 65536 / 2;
	if (wait > PATIENCE_MS)
		wait = PATIENCE_MS;
	agent->pausing = true;
	loop_timer(agent->loop, &agent->pause, wait, pause_over, agent);
}

/* ---- the end of a session ---- */

/* The centre says that this session is no more. */
static enum verdict
session_ended(struct agent *agent, const json_t *reply)
{
	bool replaced = reply_error(reply) == ERR_SESSION_REPLACED;
	json_t *event;

	if (agent->state == AGENT_LEAVING) {
		agent_finish(agent);
		return ALL_OVER;
	}
	log_info("the session has ended: %s", reply_text(reply));
	event = json_object();
	json_object_set_new(event, "event", json_string("logged-out"));
	json_object_set_new(
	    event, "reason", json_string(replaced ? "replaced" : "expired"));
	reply_members(event, reply, "address time");
	agent_over(agent, event);
	return ALL_OVER;
}

static bool
ends_session(const json_t *reply)
{
	enum wire_error error = reply_error(reply);

	return error == ERR_SESSION_EXPIRED || error == ERR_SESSION_REPLACED;
}

/*
 * The centre does not know our cursors.  If it refuses those of the beginning,
 * too, the next login starts with its own.
 */
static enum verdict
lost_place(struct agent *agent, const json_t *reply)
{
	log_warn("the centre refuses our cursors: %s", reply_text(reply));
	switch (session_afresh(agent, reply)) {
	case -1:
		agent_fail(agent, EX_IOERR, book_why(agent->book));
		return ALL_OVER;
	case 1:
		agent->sync_due = true;
		return TRY_AGAIN;
	}
	*agent->place.epoch = '\0';
	return session_ended(agent, reply);
}

/* ---- what came back ---- */

/* Writes down how a message fared and tells the faces. */
static enum verdict
settle(struct agent *agent, struct errand *errand, enum book_state state,
    const json_t *reply)
{
	const char *reason = wire_get_string(reply, "error");
	const char *name = state == BOOK_REFUSED ? "refused" : "accepted";
	json_t *event;

	switch (book_settle(agent->book, errand->row, state,
	    state == BOOK_REFUSED ? reason : NULL)) {
	case -1:
		agent_fail(agent, EX_IOERR, book_why(agent->book));
		return ALL_OVER;
	case 0:
		/* The receipt came before the answer, which was lost once. */
		name = "fetched";
		break;
	}
	event = desk_state(errand->id, errand->to, name);
	if (state == BOOK_REFUSED && reason != NULL)
		json_object_set_new(event, "reason", json_string(reason));
	reply_members(event, reply, "online reached refused text time");
	/* Nobody is here: whoever comes next is told. */
	if (state == BOOK_REFUSED && errand->face == 0 &&
	    !door_watched(agent->door))
		json_array_append(agent->untold, event);
	desk_told(agent, errand, event, state == BOOK_ACCEPTED);
	door_tell(agent->door, event);
	outbox_pop(&agent->outbox);
	return GO_ON;
}

/* The name after which the next page begins; NULL if there is none. */
static const char *
next_page(struct errand *errand, const json_t *reply)
{
	if (errand->op != OP_ONLINE && errand->op != OP_BLOCKED)
		return NULL;
	return reply_next(
	    reply, wire_get_string(errand->request, "after"), &errand->pages);
}

/* The answer to a face's own request; more pages keep it in line. */
static enum verdict
pass_on(struct agent *agent, struct errand *errand, const json_t *reply)
{
	struct waiter waiter = {errand->face, json_incref(errand->tag)};
	const char *after = next_page(errand, reply);
	json_t *copy = private_answered(agent, errand, reply);

	if (agent->state == AGENT_OVER) {
		/* The book has failed, and the face was told with all others. */
		json_decref(waiter.tag);
		json_decref(copy);
		return ALL_OVER;
	}
	if (copy == NULL)
		copy = reply_copy(reply, errand->tag);
	if (after == NULL)
		json_object_del(copy, "more");
	agent_answer(agent, &waiter, copy);
	if (after == NULL || door_find(agent->door, errand->face) == NULL)
		outbox_pop(&agent->outbox);
	else
		json_object_set_new(
		    errand->request, "after", json_string(after));
	return GO_ON;
}

/* The reply to the first errand. */
static enum verdict
errand_answered(struct agent *agent, const json_t *reply)
{
	struct errand *errand = outbox_first(&agent->outbox);
	bool ok = wire_get_bool(reply, "ok");

	if (ends_session(reply))
		return session_ended(agent, reply);
	if (!ok && errand->op == OP_ASK &&
	    reply_error(reply) == ERR_RATE_LIMITED)
		/* Of this user so much was asked: nobody else has to wait. */
		return pass_on(agent, errand, reply);
	if (!ok && wire_error_again(reply_error(reply))) {
		/* Messages wait for ever, somebody at a prompt does not. */
		if (errand->row == 0 && errand->op != OP_LOGOUT &&
		    agent->failures >= REQUEST_TRIES)
			pass_on(agent, errand, reply);
		return TRY_AGAIN;
	}
	if (errand->op == OP_LOGOUT) {
		agent_finish(agent);
		return ALL_OVER;
	}
	if (errand->row != 0)
		return settle(
		    agent, errand, ok ? BOOK_ACCEPTED : BOOK_REFUSED, reply);
	return pass_on(agent, errand, reply);
}

/* Who asked for it is told that everything is there. */
static void
synced(struct agent *agent)
{
	struct errand *errand = outbox_first(&agent->outbox);

	/* One that was under way before somebody asked says too little. */
	if (errand != NULL && errand->op == OP_SYNC && errand->begun) {
		desk_synced(agent, errand);
		outbox_pop(&agent->outbox);
	}
	schedule(agent);
}

/*
 * Something is missing behind that row.  Where nobody watches, whoever comes
 * next is told.
 */
static void
tell_gap(struct agent *agent, int64_t after)
{
	json_t *event = json_object();

	json_object_set_new(event, "event", json_string("gap"));
	json_object_set_new(event, "after", json_integer(after));
	json_decref(agent->gap);
	agent->gap = door_watching(agent->door) ? NULL : json_incref(event);
	door_tell(agent->door, event);
}

/* True if the reply has what every reply to a sync has. */
static bool
sync_fits(const json_t *reply)
{
	return wire_get_string(reply, "epoch") != NULL &&
	    json_is_array(json_object_get(reply, "events")) &&
	    json_is_integer(json_object_get(reply, "mail")) &&
	    json_is_integer(json_object_get(reply, "room"));
}

/* The reply to a sync. */
static enum verdict
sync_answered(struct agent *agent, const json_t *reply)
{
	size_t count = json_array_size(json_object_get(reply, "events"));
	bool moved, gap = wire_get_bool(reply, "gap");
	int64_t last = 0, shown;

	if (ends_session(reply))
		return session_ended(agent, reply);
	if (!wire_get_bool(reply, "ok"))
		return wire_error_again(reply_error(reply))
		    ? TRY_AGAIN
		    : lost_place(agent, reply);
	if (!sync_fits(reply)) {
		log_warn("the centre sent a malformed reply to sync");
		return TRY_AGAIN;
	}
	if (strcmp(wire_get_string(reply, "epoch"), agent->place.epoch) != 0)
		return lost_place(agent, reply);
	if ((gap && book_ends(agent->book, &last, &shown) == -1) ||
	    session_store(agent, reply, &moved) == -1) {
		agent_fail(agent, EX_IOERR, book_why(agent->book));
		return ALL_OVER;
	}
	if (gap)
		tell_gap(agent, last);
	/*
	 * The next one acknowledges these and fetches more, but not for ever
	 * where nothing comes of it.
	 */
	agent->sync_due = moved && (count > 0 || wire_get_bool(reply, "more"));
	/* A centre that never comes to an end fills no disk at full speed. */
	agent->streak = agent->sync_due ? agent->streak + 1 : 0;
	if (agent->streak > STREAK_MAX)
		agent->sync_due = false;
	if (count > 0) {
		agent->active = clock_mono();
		agent_news(agent);
	}
	if (!agent->sync_due && agent->state != AGENT_OVER)
		synced(agent);
	return agent->state == AGENT_OVER ? ALL_OVER : GO_ON;
}

/* The reply to LIVE: is there anything to fetch? */
static enum verdict
live_answered(struct agent *agent, const json_t *reply)
{
	const char *epoch = wire_get_string(reply, "epoch");

	if (ends_session(reply))
		return session_ended(agent, reply);
	if (!wire_get_bool(reply, "ok") && wire_error_again(reply_error(reply)))
		return TRY_AGAIN;
	agent->live_due = false;
	/* What is wrong, if anything, the reply to sync will say. */
	if (!wire_get_bool(reply, "ok") ||
	    wire_get_number(reply, "mail", 0) > agent->place.mail ||
	    wire_get_number(reply, "room", 0) > agent->place.room ||
	    (epoch != NULL && strcmp(epoch, agent->place.epoch) != 0))
		agent->sync_due = true;
	else
		schedule(agent);
	return GO_ON;
}

/* Goes through the replies in order, as far as they carry. */
static enum verdict
go_through(struct agent *agent, const struct centre_exchange *exchange,
    const json_t **last)
{
	enum verdict verdict = GO_ON;

	for (int i = 0; i < exchange->got && verdict == GO_ON; i++) {
		*last = exchange->replies[i];
		if (i < agent->asked)
			verdict = errand_answered(agent, *last);
		else if (agent->extra == EXTRA_SYNC)
			verdict = sync_answered(agent, *last);
		else
			verdict = live_answered(agent, *last);
	}
	return verdict;
}

/* The centre is not the one that this session began with. */
static void
distrust(struct agent *agent, const struct trust_result *trust)
{
	const char *where = agent->account->where;
	char why[BOOK_WHY_LEN];

	if (trust->verdict == TRUST_CHANGED)
		snprintf(why, sizeof(why),
		    "The public key of %s has changed: it is now %s, and %s is "
		    "remembered (%.200s, line %d).",
		    where, trust->pin, trust->known_pin, agent->trust.known,
		    trust->line);
	else
		snprintf(why, sizeof(why),
		    "The centre %s is not trusted any more: %s", where,
		    *trust->why != '\0' ? trust->why
					: "nobody vouches for its public key");
	agent_fail(agent, 76, why);
}

/* A new password whose reply is lost is not asked for a second time. */
static void
password_lost(struct agent *agent, const struct centre_exchange *exchange)
{
	struct errand *errand = outbox_first(&agent->outbox);
	json_t *unknown;

	if (exchange->status != CENTRE_BROKEN || errand == NULL ||
	    errand->op != OP_PASSWORD || agent->asked <= exchange->got)
		return;
	unknown = desk_refuse(NULL, "internal",
	    "The centre's answer was lost: it may have been done.");
	pass_on(agent, errand, unknown);
	json_decref(unknown);
}

/* An exchange of the session is over. */
static void
answered(struct agent *agent, const struct centre_exchange *exchange)
{
	const json_t *last = NULL;
	enum verdict verdict;

	if (exchange->got > 0)
		reached(agent);
	verdict = go_through(agent, exchange, &last);
	if (verdict == ALL_OVER)
		return;
	if (verdict == GO_ON)
		password_lost(agent, exchange);
	if (exchange->status == CENTRE_UNTRUSTED) {
		distrust(agent, &exchange->trust);
		return;
	}
	if (verdict == TRY_AGAIN) {
		pause_for(agent, reply_seconds(last, "retry_after"));
		return;
	}
	if (exchange->got > 0) {
		agent->failures = 0;
		return;
	}
	if (agent->state == AGENT_LEAVING &&
	    (agent->unreachable || agent->failures >= LOGOUT_TRIES)) {
		agent_finish(agent);
		return;
	}
	trouble(agent, exchange->why);
	pause_for(agent, 0);
}

/* ---- what goes out ---- */

/* A request that carries the token. */
json_t *
session_request(const struct agent *agent, const char *op)
{
	json_t *request = json_object();

	json_object_set_new(request, "op", json_string(op));
	json_object_set_new(request, "token", json_string(agent->place.token));
	json_object_set_new(request, "mail", json_integer(agent->place.mail));
	json_object_set_new(request, "room", json_integer(agent->place.room));
	if (strcmp(op, "sync") == 0)
		json_object_set_new(
		    request, "epoch", json_string(agent->place.epoch));
	return request;
}

/* Adds a request and gives it up; false if it does not fit. */
static bool
add(struct centre_exchange *exchange, json_t *request)
{
	bool added = centre_add(exchange, request);

	json_decref(request);
	return added;
}

/* Messages that were tried for too long are given up. */
static void
expire(struct agent *agent)
{
	int64_t limit =
	    clock_wall() - (int64_t)OUTBOX_KEEP_DAYS * 24 * 3600 * 1000;
	struct errand *errand;
	json_t *reply;
	char why[160];

	while ((errand = outbox_first(&agent->outbox)) != NULL &&
	    errand->row != 0 && errand->written < limit) {
		snprintf(why, sizeof(why),
		    "The message to %s could not be sent for %d days and was "
		    "given up.",
		    *errand->to != '\0' ? errand->to : "all", OUTBOX_KEEP_DAYS);
		reply = desk_refuse(NULL, "expired", why);
		if (settle(agent, errand, BOOK_REFUSED, reply) != GO_ON)
			errand = NULL;
		json_decref(reply);
		if (errand == NULL)
			return;
	}
}

/* Adds what the agent itself wants to know. */
static void
add_extra(struct agent *agent, struct centre_exchange *exchange, bool last)
{
	struct errand *errand = outbox_first(&agent->outbox);
	enum agent_extra extra = EXTRA_NONE;

	for (int i = 0; i < agent->asked && errand != NULL; i++)
		errand = errand->next;
	if (errand != NULL && errand->op == OP_SYNC)
		extra = EXTRA_SYNC;
	else if (agent->state == AGENT_LEAVING)
		extra = EXTRA_NONE;
	else if (!last && (agent->sync_due || agent->asked > 0))
		extra = EXTRA_SYNC;
	else if (!last && agent->live_due)
		extra = EXTRA_LIVE;
	if (extra != EXTRA_NONE &&
	    add(exchange,
		session_request(agent, extra == EXTRA_SYNC ? "sync" : "live")))
		agent->extra = extra;
	if (errand != NULL)
		errand->begun = agent->extra == EXTRA_SYNC;
}

/* Starts the next exchange if there is a reason. */
void
session_go(struct agent *agent)
{
	struct centre_exchange *exchange;
	bool last;

	if (centre_busy(agent->centre) || agent->pausing || agent->handling ||
	    (agent->state != AGENT_IN && agent->state != AGENT_LEAVING))
		return;
	expire(agent);
	exchange = centre_exchange_new();
	agent->extra = EXTRA_NONE;
	agent->asked =
	    outbox_fill(&agent->outbox, exchange, agent->place.token, &last);
	if (agent->asked == -1) {
		agent_fail(agent, EX_IOERR, book_why(agent->book));
		centre_exchange_free(exchange);
		return;
	}
	add_extra(agent, exchange, last);
	if (exchange->count == 0) {
		centre_exchange_free(exchange);
		return;
	}
	if (agent->trouble_since == 0 && !agent->unreachable)
		loop_timer(agent->loop, &agent->trouble, SLOW_MS, lost, agent);
	centre_start(agent->centre, exchange);
}

/* The courier is back. */
void
session_done(void *arg, struct centre_exchange *exchange)
{
	struct agent *agent = arg;

	agent->handling = true;
	if (exchange->got > 0)
		agent->heard = clock_wall();
	switch (agent->state) {
	case AGENT_KNOCKING:
		session_knocked(agent, exchange);
		break;
	case AGENT_ENTERING:
		session_entered(agent, exchange);
		break;
	case AGENT_IN:
	case AGENT_LEAVING:
		answered(agent, exchange);
		break;
	case AGENT_OUT:
	case AGENT_OVER:
		break;
	}
	agent->handling = false;
	session_go(agent);
	live_exchanged(agent->live, exchange);
	centre_exchange_free(exchange);
}
