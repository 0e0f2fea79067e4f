/* SPDX-License-Identifier: ISC */
/*
 * What faces may ask of the agent, each as a row: name, whether a session is
 * needed, handler.  Runs in the agent; trusts a face with the session, but
 * checks every member of its lines.
 */
#include "chat/agent/desk-parts.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

#include "chat/agent/private.h"
#include "lib/text.h"
#include "lib/unix.h"
#include "lib/wire.h"

struct desk_row {
	const char *name;
	bool session;
	void (*fn)(struct agent *agent, const struct wish *wish);
};

/* A refusal in a face's words. */
json_t *
desk_refuse(json_t *tag, const char *error, const char *text)
{
	json_t *reply = json_object();

	json_object_set_new(reply, "ok", json_false());
	json_object_set_new(reply, "error", json_string(error));
	json_object_set_new(reply, "text", json_string(text));
	if (tag != NULL)
		json_object_set(reply, "tag", tag);
	return reply;
}

void
desk_no(const struct wish *wish, const char *error, const char *text)
{
	door_send(wish->face, desk_refuse(wish->tag, error, text));
}

/* The end of a session as a sentence. */
static json_t *
over_text(const struct agent *agent, const char *reason)
{
	const char *address = wire_get_string(agent->last_word, "address");

	if (strcmp(reason, "asked") == 0)
		return json_string("You have logged out.");
	if (strcmp(reason, "replaced") == 0)
		return json_sprintf(
		    "You have been logged out: %s logged in from %s.",
		    agent->account->user,
		    address != NULL ? address : "elsewhere");
	return json_string("Your session has ended.");
}

/* The refusal of what comes after the session's end, with its reason. */
json_t *
desk_over(const struct agent *agent, json_t *tag)
{
	const char *event = wire_get_string(agent->last_word, "event");
	const char *reason = wire_get_string(agent->last_word, "reason");
	json_t *reply = json_copy(agent->last_word);

	json_object_del(reply, "event");
	json_object_set_new(reply, "ok", json_false());
	json_object_set_new(reply, "error", json_string(event));
	if (reason != NULL)
		json_object_set_new(reply, "text", over_text(agent, reason));
	if (tag != NULL)
		json_object_set(reply, "tag", tag);
	return reply;
}

/* The book has failed: the agent ends, and this face waits for no more. */
void
desk_fail(struct agent *agent, const struct wish *wish)
{
	agent_fail(agent, EX_IOERR, book_why(agent->book));
	door_send(wish->face, desk_over(agent, wish->tag));
}

struct waiter
desk_waiter(const struct wish *wish)
{
	return (struct waiter){wish->face->serial, json_incref(wish->tag)};
}

/* The event for a change in an own message's state. */
json_t *
desk_state(const char *id, const char *to, const char *state)
{
	json_t *event = json_object();

	json_object_set_new(event, "event", json_string("state"));
	json_object_set_new(event, "id", json_string(id));
	if (*to != '\0')
		json_object_set_new(event, "to", json_string(to));
	json_object_set_new(event, "state", json_string(state));
	return event;
}

/* Who waits for a message learns how far it has come. */
void
desk_told(struct agent *agent, struct errand *errand, json_t *event, bool ok)
{
	struct waiter waiter = {errand->face, errand->tag};
	json_t *reply;

	if (errand->face == 0)
		return;
	reply = json_copy(event);
	json_object_del(reply, "event");
	json_object_set_new(reply, "ok", json_boolean(ok));
	if (!ok && json_object_get(event, "reason") != NULL)
		json_object_set(
		    reply, "error", json_object_get(event, "reason"));
	if (errand->tag != NULL)
		json_object_set(reply, "tag", errand->tag);
	errand->face = 0;
	errand->tag = NULL;
	agent_answer(agent, &waiter, reply);
}

/* The agent is over: who waits for a message learns why it is only kept. */
static void
kept_over(struct agent *agent, struct errand *errand)
{
	struct waiter waiter = {errand->face, errand->tag};
	json_t *reply = desk_over(agent, errand->tag);
	const char *text = wire_get_string(reply, "text");

	json_object_set_new(reply, "text",
	    json_sprintf("%s\nThe message is kept, and is sent by the next "
			 "chat that is let in.",
		text != NULL ? text : "The agent has ended."));
	errand->face = 0;
	errand->tag = NULL;
	agent_answer(agent, &waiter, reply);
}

/* Nobody waits for messages that are only kept for now. */
void
desk_kept(struct agent *agent)
{
	struct errand *errand = outbox_first(&agent->outbox);
	json_t *event;

	for (; errand != NULL; errand = errand->next) {
		if (errand->row == 0 || errand->face == 0)
			continue;
		if (agent->last_word != NULL) {
			kept_over(agent, errand);
			continue;
		}
		event = desk_state(errand->id, errand->to, "queued");
		desk_told(agent, errand, event, true);
		json_decref(event);
	}
}

static const char *
state_name(const struct agent *agent)
{
	switch (agent->state) {
	case AGENT_OUT:
	case AGENT_KNOCKING:
	case AGENT_ENTERING:
		return "out";
	case AGENT_IN:
		return "in";
	case AGENT_LEAVING:
	case AGENT_OVER:
		return "over";
	}
	return "over";
}

/* When the centre was last heard of, as a member. */
void
desk_synced_at(const struct agent *agent, json_t *object)
{
	char time[WIRE_TIME_LEN + 1];

	if (agent->heard == 0)
		return;
	wire_time_format(agent->heard, time);
	json_object_set_new(object, "synced", json_string(time));
}

static void
do_status(struct agent *agent, const struct wish *wish)
{
	json_t *reply = wire_accept(wish->tag);
	int64_t last, shown;
	char *socket = account_path(agent->account, "agent.sock");

	if (book_ends(agent->book, &last, &shown) == 0)
		json_object_set_new(
		    reply, "unseen", json_boolean(shown < last));
	json_object_set_new(
	    reply, "resumable", json_boolean(*agent->place.token != '\0'));
	json_object_set_new(reply, "user", json_string(agent->account->user));
	json_object_set_new(
	    reply, "centre", json_string(agent->account->where));
	json_object_set_new(reply, "session", json_string(state_name(agent)));
	json_object_set_new(
	    reply, "reachable", json_boolean(!agent->unreachable));
	desk_synced_at(agent, reply);
	json_object_set_new(
	    reply, "queued", json_integer(outbox_messages(&agent->outbox)));
	json_object_set_new(reply, "detached", json_boolean(agent->detached));
	json_object_set_new(reply, "pin", json_string(agent->seen_pin));
	json_object_set_new(reply, "socket", json_string(socket));
	free(socket);
	live_status(agent->live, reply);
	door_send(wish->face, reply);
}

/* The request for a login, which alone holds the password. */
static json_t *
login_request(struct agent *agent, const char *password)
{
	json_t *request = json_object();

	json_object_set_new(request, "op", json_string("login"));
	json_object_set_new(request, "user", json_string(agent->account->user));
	json_object_set_new(request, "password", json_string(password));
	private_login(agent->private, request);
	return request;
}

/*
 * With a password, logs in; without, looks whether the centre is the right
 * one and whether the session that the book knows still lives.
 */
static void
do_login(struct agent *agent, const struct wish *wish)
{
	const char *password = wire_get_string(wish->line, "password");

	if (agent->state == AGENT_IN) {
		door_send(wish->face, session_reply(agent, wish->tag));
		return;
	}
	if (agent->state != AGENT_OUT) {
		desk_no(wish, "wait", "Another login is under way.");
		return;
	}
	agent->entering = desk_waiter(wish);
	agent->tries = 0;
	if (session_trust(agent, wish->line) == -1)
		return;
	if (password == NULL) {
		session_knock(agent);
		return;
	}
	agent->login = login_request(agent, password);
	session_enter(agent);
}

/* The user has said that the key which the centre showed is the right one. */
static void
do_trust(struct agent *agent, const struct wish *wish)
{
	const char *pin = wire_get_string(wish->line, "pin");

	if (pin == NULL) {
		desk_trust(agent, wish);
		return;
	}
	if (*pin == '\0' || strcmp(pin, agent->seen_pin) != 0) {
		desk_no(wish, "not-allowed",
		    "The centre has not shown that public key.");
		return;
	}
	if (trust_remember(&agent->trust, pin) == -1) {
		desk_no(wish, "internal",
		    "The public key cannot be written to known_servers.");
		return;
	}
	door_send(wish->face, wire_accept(wish->tag));
}

/* Checks a text; a sentence about what is wrong with it, or NULL. */
const char *
desk_text_wrong(
    const struct agent *agent, const json_t *text, char out[DESK_WHY_LEN])
{
	const char *s = json_string_value(text);
	size_t len = json_string_length(text);
	ssize_t bad;

	if (s == NULL || len == 0)
		return "There is no text.";
	if ((int64_t)len > agent->message_bytes) {
		snprintf(out, DESK_WHY_LEN,
		    "The message is too long: %zu bytes, at most %lld.", len,
		    (long long)agent->message_bytes);
		return out;
	}
	bad = text_bad_at(s, len);
	if (bad == -1)
		return NULL;
	snprintf(out, DESK_WHY_LEN,
	    "The message holds a control character at byte %zd.", bad + 1);
	return out;
}

/*
 * Writes a message down, which is the first that is done with it, and tells
 * the faces.  1 if there is one with that id, -1 where the book has failed.
 */
static int
write_down(struct agent *agent, const struct wish *wish, const char *to,
    char id[OUTBOX_ID_LEN + 1], json_t *reply)
{
	struct book_row row = {
	    .text = json_string_value(json_object_get(wish->line, "text")),
	    .time = clock_wall(),
	};
	int result = outbox_message(
	    &agent->outbox, to, row.text, row.time, id, &row.number);

	if (result == -1)
		desk_fail(agent, wish);
	if (result != 0) {
		json_decref(reply);
		return result;
	}
	json_object_set_new(reply, "id", json_string(id));
	json_object_set_new(reply, "state", json_string("queued"));
	if (wire_get_bool(reply, "more"))
		outbox_await(
		    &agent->outbox, wish->face->serial, json_incref(wish->tag));
	door_send(wish->face, reply);
	desk_own(agent, wish->face->serial, desk_state(id, to, "queued"), &row);
	return 0;
}

/* Queues a message or a broadcast: written down before anything else. */
static void
queue(struct agent *agent, const struct wish *wish, const char *to)
{
	const json_t *text = json_object_get(wish->line, "text");
	char id[OUTBOX_ID_LEN + 1] = "", why[DESK_WHY_LEN];
	const char *wrong = desk_text_wrong(agent, text, why);
	json_t *reply;

	if (wrong != NULL) {
		desk_no(wish, "bad-request", wrong);
		return;
	}
	reply = wire_accept(wish->tag);
	if (wire_get_bool(wish->line, "wait") && !agent->unreachable)
		json_object_set_new(reply, "more", json_true());
	if (write_down(agent, wish, to, id, reply) == 0)
		session_active(agent);
}

/* A user's name out of a member, folded; false if it is none. */
bool
desk_user(const struct wish *wish, const char *key, char out[NAME_MAX_LEN + 1])
{
	const json_t *name = json_object_get(wish->line, key);

	if (json_is_string(name) &&
	    name_fold(json_string_value(name), json_string_length(name), out))
		return true;
	desk_no(wish, "bad-request", "That is not a user name.");
	return false;
}

static void
do_send(struct agent *agent, const struct wish *wish)
{
	char to[NAME_MAX_LEN + 1];

	if (desk_user(wish, "to", to))
		queue(agent, wish, to);
}

static void
do_broadcast(struct agent *agent, const struct wish *wish)
{
	queue(agent, wish, "");
}

/*
 * What a one-shot could not send is written down here, with the id that it
 * was tried with if it was: a session is not needed for that.
 */
static void
do_queue(struct agent *agent, const struct wish *wish)
{
	const char *own = wire_get_string(wish->line, "id");
	const json_t *text = json_object_get(wish->line, "text");
	char to[NAME_MAX_LEN + 1] = "", id[OUTBOX_ID_LEN + 1] = "",
			       why[DESK_WHY_LEN];
	const char *wrong = desk_text_wrong(agent, text, why);
	json_t *reply;
	int result;

	if (json_object_get(wish->line, "to") != NULL &&
	    !desk_user(wish, "to", to))
		return;
	if (own != NULL && strlen(own) == OUTBOX_ID_LEN &&
	    id_valid(own, OUTBOX_ID_LEN))
		memcpy(id, own, sizeof(id));
	if (wrong != NULL) {
		desk_no(wish, "bad-request", wrong);
		return;
	}
	reply = wire_accept(wish->tag);
	if (*to != '\0')
		json_object_set_new(reply, "to", json_string(to));
	result = write_down(agent, wish, to, id, reply);
	if (result == 1)
		desk_no(wish, "exists", "There is a message with that id.");
	if (result == 0)
		session_go(agent);
}

/*
 * Puts a request in line behind what was typed before.  For a centre that is
 * known to be out of reach it waits no longer than one try takes.
 */
void
desk_line_up(struct agent *agent, const struct wish *wish, enum wire_op op,
    json_t *request)
{
	outbox_request(&agent->outbox, op, request, wish->face->serial,
	    json_incref(wish->tag));
	session_try(agent);
}

/* One page of names; the pages that follow have the same tag. */
static void
page(struct agent *agent, const struct wish *wish, enum wire_op op)
{
	json_t *request = json_object();

	json_object_set_new(request, "max", json_integer(500));
	desk_line_up(agent, wish, op, request);
}

static void
do_online(struct agent *agent, const struct wish *wish)
{
	page(agent, wish, OP_ONLINE);
}

static void
do_blocked(struct agent *agent, const struct wish *wish)
{
	page(agent, wish, OP_BLOCKED);
}

static void
about_user(struct agent *agent, const struct wish *wish, enum wire_op op)
{
	char user[NAME_MAX_LEN + 1];
	json_t *request;

	if (!desk_user(wish, "user", user))
		return;
	request = json_object();
	json_object_set_new(request, "user", json_string(user));
	desk_line_up(agent, wish, op, request);
}

static void
do_block(struct agent *agent, const struct wish *wish)
{
	about_user(agent, wish, OP_BLOCK);
}

static void
do_unblock(struct agent *agent, const struct wish *wish)
{
	about_user(agent, wish, OP_UNBLOCK);
}

/* The strings are copies: those of the line are wiped. */
static void
do_password(struct agent *agent, const struct wish *wish)
{
	const char *old = wire_get_string(wish->line, "old");
	const char *new = wire_get_string(wish->line, "new");
	json_t *request;

	if (old == NULL || new == NULL) {
		desk_no(wish, "bad-request", "There are two passwords to it.");
		return;
	}
	request = json_object();
	json_object_set_new(request, "old", json_string(old));
	json_object_set_new(request, "new", json_string(new));
	desk_line_up(agent, wish, OP_PASSWORD, request);
}

/* Answered when all that was waiting at the centre has been fetched. */
static void
do_sync(struct agent *agent, const struct wish *wish)
{
	desk_line_up(agent, wish, OP_SYNC, NULL);
}

/* The face is about to leave; the last one is answered after the logout. */
static void
do_quit(struct agent *agent, const struct wish *wish)
{
	json_t *reply;

	if (door_count(agent->door) > 1 || agent->quitting.face != 0) {
		reply = wire_accept(wish->tag);
		json_object_set_new(reply, "queued", json_integer(0));
		door_send(wish->face, reply);
		return;
	}
	agent->quitting = desk_waiter(wish);
	agent_leave(agent);
}

/* From now on the session goes on without a face. */
static void
do_detach(struct agent *agent, const struct wish *wish)
{
	agent->detached = true;
	door_send(wish->face, wire_accept(wish->tag));
}

/* Ends the session whoever else is here; answered after the logout. */
static void
do_logout(struct agent *agent, const struct wish *wish)
{
	json_t *event;

	if (agent->quitting.face != 0) {
		desk_no(wish, "wait", "A logout is under way.");
		return;
	}
	event = json_object();
	json_object_set_new(event, "event", json_string("logged-out"));
	json_object_set_new(event, "reason", json_string("asked"));
	agent->last_word = json_incref(event);
	door_tell_all(agent->door, event);
	agent->quitting = desk_waiter(wish);
	agent_leave(agent);
}

static const struct desk_row rows[] = {
    {"status", false, do_status},
    {"login", false, do_login},
    {"trust", false, do_trust},
    {"watch", false, desk_watch},
    {"seen", false, desk_seen},
    {"read", false, desk_read},
    {"talks", false, desk_talks},
    {"history", false, desk_history},
    {"send", true, do_send},
    {"broadcast", true, do_broadcast},
    {"queue", false, do_queue},
    {"online", true, do_online},
    {"block", true, do_block},
    {"unblock", true, do_unblock},
    {"blocked", true, do_blocked},
    {"ask", true, desk_ask},
    {"accept", true, desk_accept},
    {"decline", true, desk_decline},
    {"private", true, desk_private},
    {"leave", true, desk_leave},
    {"hangup", true, desk_hangup},
    {"links", true, desk_links},
    {"sync", true, do_sync},
    {"password", true, do_password},
    {"quit", false, do_quit},
    {"detach", true, do_detach},
    {"logout", true, do_logout},
};

/* Finds the row and asks whether it may run now. */
static void
dispatch(struct agent *agent, const struct wish *wish)
{
	const char *name = wire_get_string(wish->line, "do");
	const struct desk_row *row = NULL;

	for (size_t i = 0; name != NULL && i < sizeof(rows) / sizeof(*rows);
	     i++)
		if (strcmp(rows[i].name, name) == 0)
			row = &rows[i];
	if (row == NULL)
		desk_no(wish, "bad-request", "There is no such request.");
	else if (row->session && agent->last_word != NULL)
		door_send(wish->face, desk_over(agent, wish->tag));
	else if (row->session && agent->state != AGENT_IN)
		desk_no(wish, "not-allowed", "Nobody is logged in.");
	else if (row->session && agent->outbox.count >= OUTBOX_MAX)
		desk_no(wish, "busy", "Too much is waiting to be sent.");
	else
		row->fn(agent, wish);
}

/* Overwrites the passwords in an object. */
void
desk_wipe(const json_t *line)
{
	static const char *const names[] = {"password", "old", "new"};
	json_t *value;

	for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++) {
		value = json_object_get(line, names[i]);
		if (json_is_string(value))
			explicit_bzero(
			    (void *)(uintptr_t)json_string_value(value),
			    json_string_length(value));
	}
}

/* A face's line. */
void
desk_line(
    struct agent *agent, struct face_end *face, const char *line, size_t len)
{
	char why[WIRE_WHY_LEN];
	struct wish wish = {.face = face};
	json_t *object = wire_object(line, len, why);

	if (object == NULL) {
		desk_no(&wish, "bad-request", why);
		return;
	}
	wish.line = object;
	wish.tag = json_object_get(object, "tag");
	dispatch(agent, &wish);
	desk_wipe(object);
	json_decref(object);
}
