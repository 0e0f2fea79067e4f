/* SPDX-License-Identifier: ISC */
/*
 * Getting in: who is there, is it the right centre, does the stored token
 * still count, is the password right.  Runs in the agent; nothing secret is
 * said before the courier has judged the centre.
 */
#include "chat/agent/agent.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

#include "chat/agent/private.h"
#include "chat/agent/reply.h"
#include "lib/log.h"
#include "lib/unix.h"

/* The session's own reply to a login. */
json_t *
session_reply(const struct agent *agent, json_t *tag)
{
	json_t *reply = wire_accept(tag);

	json_object_set_new(reply, "user", json_string(agent->account->user));
	json_object_set_new(
	    reply, "message_bytes", json_integer(agent->message_bytes));
	json_object_set_new(reply, "pin", json_string(agent->seen_pin));
	return reply;
}

/* Answers the face that waits for a login; the state is what it is now. */
static void
entered(struct agent *agent, json_t *reply)
{
	agent_answer(agent, &agent->entering, reply);
	desk_wipe(agent->login);
	json_decref(agent->login);
	agent->login = NULL;
	if (agent->leave)
		agent_leave(agent);
}

/* No login: the state goes back, and the face learns why. */
static void
turned_away(struct agent *agent, json_t *reply)
{
	agent->state = AGENT_OUT;
	private_end(agent->private);
	entered(agent, reply);
}

/* What a face has to know to ask its user about an unknown centre. */
json_t *
session_untrusted(
    json_t *tag, const struct trust *own, const struct trust_result *trust)
{
	static const char *const names[] = {
	    [TRUST_YES] = "",
	    [TRUST_UNKNOWN] = "unknown",
	    [TRUST_CHANGED] = "changed",
	    [TRUST_REFUSED] = "refused",
	};
	json_t *reply = desk_refuse(tag, "untrusted", trust->why);

	json_object_set_new(reply, "trust", json_string(names[trust->verdict]));
	json_object_set_new(reply, "pin", json_string(trust->pin));
	if (*trust->expired != '\0')
		json_object_set_new(
		    reply, "expired", json_string(trust->expired));
	if (trust->verdict != TRUST_CHANGED)
		return reply;
	json_object_set_new(reply, "known_pin", json_string(trust->known_pin));
	json_object_set_new(reply, "file", json_string(own->known));
	json_object_set_new(reply, "line", json_integer(trust->line));
	return reply;
}

/* What a user should hear although the centre is trusted. */
void
session_warning(json_t *reply, const char *expired)
{
	if (*expired != '\0')
		json_object_set_new(reply, "warning",
		    json_sprintf("The centre's certificate has been expired "
				 "since %s.",
			expired));
}

/* True if the exchange brought no reply: the face is told why. */
static bool
nobody_there(struct agent *agent, const struct centre_exchange *exchange)
{
	memcpy(agent->seen_pin, exchange->trust.pin, sizeof(agent->seen_pin));
	if (exchange->status == CENTRE_UNTRUSTED) {
		turned_away(agent,
		    session_untrusted(
			agent->entering.tag, &agent->trust, &exchange->trust));
		return true;
	}
	if (exchange->got > 0)
		return false;
	turned_away(agent,
	    desk_refuse(agent->entering.tag, "unreachable", exchange->why));
	return true;
}

/* From here on somebody is logged in. */
static void
begin(struct agent *agent, const struct trust_result *trust, json_t *reply)
{
	agent->state = AGENT_IN;
	agent->unreachable = false;
	agent->trouble_since = 0;
	agent->failures = 0;
	agent->pausing = false;
	agent->sync_due = true;
	agent->active = clock_mono();
	session_warning(reply, trust->expired);
	entered(agent, reply);
}

/* The centre's clock and pace, from its hello or the login. */
static void
take_pace(struct agent *agent, const json_t *reply)
{
	const char *time = wire_get_string(reply, "time");
	int64_t beat = reply_seconds(reply, "heartbeat");

	if (beat > 0 && beat < agent->heartbeat)
		agent->heartbeat = beat > BEAT_MIN_MS ? beat : BEAT_MIN_MS;
	agent->login_wall = clock_wall();
	if (time == NULL || wire_time_parse(time, &agent->login_time) == -1)
		agent->login_time = clock_wall();
}

/* What hello says about this centre; a sentence if we cannot talk to it. */
static const char *
learn(struct agent *agent, const json_t *hello)
{
	const json_t *limits = json_object_get(hello, "limits");
	int64_t bytes = wire_get_number(limits, "message_bytes", 0);

	if (!wire_get_bool(hello, "ok"))
		return reply_text(hello);
	if (wire_get_number(hello, "protocol", WIRE_PROTOCOL) != WIRE_PROTOCOL)
		return "The centre speaks another version of the protocol.";
	if (bytes > 0)
		agent->message_bytes =
		    bytes < TEXT_MAX_LEN ? bytes : TEXT_MAX_LEN;
	take_pace(agent, hello);
	return NULL;
}

/* The token in the book is of no use any more: a password is needed. */
static void
need_password(struct agent *agent)
{
	json_t *reply;

	if (*agent->place.token != '\0') {
		*agent->place.token = '\0';
		if (book_set_place(agent->book, &agent->place) == -1) {
			agent_fail(agent, EX_IOERR, book_why(agent->book));
			return;
		}
	}
	reply = desk_refuse(
	    agent->entering.tag, "password", "A password is needed to log in.");
	json_object_set_new(reply, "pin", json_string(agent->seen_pin));
	turned_away(agent, reply);
}

/* The centre asked for patience: true if the same is tried again. */
static bool
try_again(struct agent *agent, const struct centre_exchange *exchange,
    void (*again)(void *arg))
{
	const json_t *reply = exchange->replies[exchange->got - 1];
	int64_t wait = reply_seconds(reply, "retry_after");

	/* A long pause counts as several: somebody sits there. */
	agent->tries += 1 + (int)(wait / LOGIN_WAIT_MS);
	if (!wire_error_again(reply_error(reply)) || agent->leave ||
	    agent->tries >= LOGIN_TRIES)
		return false;
	loop_timer(agent->loop, &agent->pause, wait > 0 ? wait : RETRY_MS,
	    again, agent);
	return true;
}

static void
knock_again(void *arg)
{
	session_knock(arg);
}

/* The session does not go on, at least not with these cursors. */
static void
not_resumed(struct agent *agent, const json_t *sync)
{
	switch (session_afresh(agent, sync)) {
	case -1:
		agent_fail(agent, EX_IOERR, book_why(agent->book));
		return;
	case 1:
		log_warn(
		    "the centre refuses our cursors: %s", reply_text(sync));
		loop_timer(agent->loop, &agent->pause, 0, knock_again, agent);
		return;
	}
	need_password(agent);
}

/* The answer to a knock. */
void
session_knocked(struct agent *agent, const struct centre_exchange *exchange)
{
	const json_t *sync = exchange->got > 1 ? exchange->replies[1] : NULL;
	const char *wrong;
	json_t *reply;

	if (nobody_there(agent, exchange))
		return;
	wrong = learn(agent, exchange->replies[0]);
	if (wrong == NULL && agent->resuming &&
	    (sync == NULL || wire_error_again(reply_error(sync))))
		wrong = sync != NULL ? reply_text(sync) : exchange->why;
	if (wrong != NULL && !try_again(agent, exchange, knock_again))
		turned_away(
		    agent, desk_refuse(agent->entering.tag, "busy", wrong));
	if (wrong != NULL)
		return;
	if (!agent->resuming) {
		need_password(agent);
		return;
	}
	if (!wire_get_bool(sync, "ok")) {
		not_resumed(agent, sync);
		return;
	}
	log_info("the session of before goes on");
	live_resume(agent->live);
	if (private_resume(agent->private) == -1) {
		agent_fail(agent, EX_IOERR, book_why(agent->book));
		return;
	}
	reply = session_reply(agent, agent->entering.tag);
	json_object_set_new(reply, "resumed", json_true());
	begin(agent, &exchange->trust, reply);
}

/*
 * Where to go on after a login, as chat-protocol(7) has it under cursors; -1
 * if the reply is none to a login.
 */
static int
take_place(struct agent *agent, const json_t *reply)
{
	struct book_place *place = &agent->place;
	const char *token = wire_get_string(reply, "token");
	const char *epoch = wire_get_string(reply, "epoch");
	int64_t mail = wire_get_number(reply, "mail", -1);
	int64_t room = wire_get_number(reply, "room", -1);
	bool same;

	if (token == NULL || *token == '\0' || strlen(token) > WIRE_TOKEN_LEN ||
	    epoch == NULL || strlen(epoch) != WIRE_EPOCH_LEN || mail < 0 ||
	    room < 0)
		return -1;
	same = strcmp(epoch, place->epoch) == 0;
	place->mail = same && place->mail > mail ? place->mail : mail;
	place->room = same && place->room > room ? place->room : room;
	snprintf(place->token, sizeof(place->token), "%s", token);
	snprintf(place->epoch, sizeof(place->epoch), "%s", epoch);
	return 0;
}

/* A successful login. */
static void
welcome(struct agent *agent, const struct centre_exchange *exchange)
{
	const json_t *login = exchange->replies[0];
	json_t *reply;

	if (take_place(agent, login) == -1) {
		turned_away(agent,
		    desk_refuse(agent->entering.tag, "internal",
			"The centre's answer cannot be understood."));
		return;
	}
	if (book_set_place(agent->book, &agent->place) == -1 ||
	    private_begin(agent->private) == -1) {
		agent_fail(agent, EX_IOERR, book_why(agent->book));
		return;
	}
	take_pace(agent, login);
	log_info("logged in");
	live_login(agent->live, exchange);
	reply = session_reply(agent, agent->entering.tag);
	reply_members(reply, login, "failed_attempts");
	begin(agent, &exchange->trust, reply);
}

static void
enter_again(void *arg)
{
	session_enter(arg);
}

/* The answer to a login. */
void
session_entered(struct agent *agent, const struct centre_exchange *exchange)
{
	const json_t *reply = exchange->got > 0 ? exchange->replies[0] : NULL;

	if (nobody_there(agent, exchange))
		return;
	if (wire_get_bool(reply, "ok")) {
		welcome(agent, exchange);
		return;
	}
	if (!try_again(agent, exchange, enter_again))
		turned_away(agent, reply_copy(reply, agent->entering.tag));
}

/* True if two rules are the same; NULL: there is none. */
static bool
same_rule(const char *a, const char *b)
{
	return a == NULL || b == NULL ? a == b : strcmp(a, b) == 0;
}

/*
 * A login is judged by what its own face trusts: the agent may be one that
 * somebody else has started, or one whose last face has just left.
 */
int
session_trust(struct agent *agent, const json_t *line)
{
	const char *pin = wire_get_string(line, "pin");
	const char *ca = wire_get_string(line, "ca");
	char why[CENTRE_WHY_LEN] = "";
	json_t *reply;

	if (pin == NULL && ca == NULL)
		return 0;
	pin = pin != NULL && *pin != '\0' ? pin : NULL;
	ca = ca != NULL && *ca != '\0' ? ca : NULL;
	if (same_rule(pin, agent->trust.pin) && same_rule(ca, agent->trust.ca))
		return 0;
	free(agent->pin);
	free(agent->ca);
	agent->trust.pin = agent->pin = pin != NULL ? strdup(pin) : NULL;
	agent->trust.ca = agent->ca = ca != NULL ? strdup(ca) : NULL;
	if ((pin != NULL && agent->pin == NULL) ||
	    (ca != NULL && agent->ca == NULL))
		fatal(EX_OSERR, "no memory");
	*agent->seen_pin = '\0';
	if (centre_trust(agent->centre, why) == 0)
		return 0;
	/* No key at all, until somebody says what can be done. */
	agent->trust.pin = "";
	reply = desk_refuse(agent->entering.tag, "failed", why);
	json_object_set_new(reply, "status", json_integer(EX_CONFIG));
	agent_answer(agent, &agent->entering, reply);
	return -1;
}

/* Looks who is there and tries the stored token. */
void
session_knock(struct agent *agent)
{
	struct centre_exchange *exchange = centre_exchange_new();
	json_t *hello = json_object(), *sync;

	agent->state = AGENT_KNOCKING;
	json_object_set_new(hello, "op", json_string("hello"));
	centre_add(exchange, hello);
	json_decref(hello);
	agent->resuming = *agent->place.token != '\0';
	if (agent->resuming) {
		sync = session_request(agent, "sync");
		centre_add(exchange, sync);
		json_decref(sync);
	}
	centre_start(agent->centre, exchange);
}

/* Logs in with agent->login. */
void
session_enter(struct agent *agent)
{
	struct centre_exchange *exchange = centre_exchange_new();

	agent->state = AGENT_ENTERING;
	exchange->login = true;
	centre_add(exchange, agent->login);
	centre_start(agent->centre, exchange);
}
