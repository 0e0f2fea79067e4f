/* SPDX-License-Identifier: ISC */
/*
 * What faces may ask about private links, and what the centre answers to it.
 * Runs in the agent; must never send a text anywhere that its user has not
 * named.
 */
#include "chat/agent/desk-parts.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sysexits.h>

#include "chat/agent/book-link.h"
#include "chat/agent/book-private.h"
#include "chat/agent/private.h"
#include "chat/agent/reply.h"
#include "lib/log.h"
#include "lib/unix.h"

enum { KEYS_PAGE = 200 }; /* fit into a line */

/* Refuses with a sentence. */
__attribute__((format(printf, 3, 4))) static void
no(const struct wish *wish, const char *error, const char *fmt, ...)
{
	char text[256];
	va_list args;

	va_start(args, fmt);
	vsnprintf(text, sizeof(text), fmt, args);
	va_end(args);
	desk_no(wish, error, text);
}

/* Refuses for a key that is not the one that is remembered. */
static void
no_key(const struct wish *wish, const char *user, const char *known,
    const char *shown)
{
	json_t *reply;
	char text[256];

	snprintf(text, sizeof(text),
	    "%s shows another public key than before. Type \"trust %s\" if it "
	    "is the right one.",
	    user, user);
	reply = desk_refuse(wish->tag, "key-changed", text);
	json_object_set_new(reply, "known", json_string(known));
	json_object_set_new(reply, "shown", json_string(shown));
	door_send(wish->face, reply);
}

/* Refuses where links are turned off, or were not to be had at the login. */
static bool
links_off(const struct agent *agent, const struct wish *wish)
{
	if (agent->private->identified)
		return false;
	desk_no(wish, "not-allowed",
	    agent->account->private_enabled
		? "Private links cannot be had here; the agent's log says why."
		: "Private links are turned off here.");
	return true;
}

/* A request with one string. */
static json_t *
request_of(const char *key, const char *value)
{
	json_t *request = json_object();

	json_object_set_new(request, key, json_string(value));
	return request;
}

/* An event about a user. */
static json_t *
event_about(const char *name, const char *user)
{
	json_t *event = request_of("event", name);

	json_object_set_new(event, "user", json_string(user));
	return event;
}

/* Asks whether another user agrees to a link. */
void
desk_ask(struct agent *agent, const struct wish *wish)
{
	char to[NAME_MAX_LEN + 1];
	int64_t now = clock_mono();
	struct link *link;

	if (!desk_user(wish, "to", to) || links_off(agent, wish))
		return;
	if (strcmp(to, agent->account->user) == 0) {
		desk_no(wish, "not-allowed", "That is you.");
		return;
	}
	link = private_link(agent->private, to);
	if (link == NULL) {
		desk_no(wish, "busy", "There are too many private links.");
		return;
	}
	/* The answer may come although the reply to the question does not. */
	if (!agent->unreachable && !link_waiting(link, now))
		link_want(link, "", LINK_ASKING_MS / 1000, now);
	desk_line_up(agent, wish, OP_ASK, request_of("to", to));
	private_schedule(agent->private);
}

/* The same wish comes back once it is known what the centre has for us. */
static void
sync_first(
    struct agent *agent, const struct wish *wish, const char *user, bool accept)
{
	json_t *request = request_of("user", user);

	json_object_set_new(request, "accept", json_boolean(accept));
	desk_line_up(agent, wish, OP_SYNC, request);
}

/* What this user has asked, if it can be answered; else refuses, or waits. */
static struct link *
question_of(struct agent *agent, const struct wish *wish, bool accept)
{
	char user[NAME_MAX_LEN + 1];
	struct link *link;

	if (!desk_user(wish, "user", user) || links_off(agent, wish))
		return NULL;
	link = link_find(&agent->private->links, user);
	if (!wish->synced &&
	    (link == NULL || !link_asked(link, clock_mono()))) {
		sync_first(agent, wish, user, accept);
		return NULL;
	}
	if (link == NULL || *link->question == '\0') {
		no(wish, "no-request", "%s has not asked for a private link.",
		    user);
		return NULL;
	}
	if (link_asked(link, clock_mono()))
		return link;
	no(wish, "expired", "%s does not wait for an answer any more.", user);
	return NULL;
}

/* Answers a question. */
static void
answer(struct agent *agent, const struct wish *wish, const struct link *link,
    bool accept)
{
	json_t *request = request_of("request", link->question);

	json_object_set_new(request, "accept", json_boolean(accept));
	desk_line_up(agent, wish, OP_ANSWER, request);
}

void
desk_accept(struct agent *agent, const struct wish *wish)
{
	const struct link *link = question_of(agent, wish, true);
	struct book_key known;
	int found;

	if (link == NULL)
		return;
	found = book_key(agent->book, link->user, &known);
	if (found == -1)
		desk_fail(agent, wish);
	else if (found == 1 && strcmp(known.pin, link->question_pin) != 0)
		no_key(wish, link->user, known.pin, link->question_pin);
	else
		answer(agent, wish, link, true);
}

void
desk_decline(struct agent *agent, const struct wish *wish)
{
	const struct link *link = question_of(agent, wish, false);

	if (link != NULL)
		answer(agent, wish, link, false);
}

/* All that was at the centre is here: what waited for it is done. */
void
desk_synced(struct agent *agent, const struct errand *errand)
{
	struct face_end *face = door_find(agent->door, errand->face);
	struct wish wish = {face, errand->request, errand->tag, true};

	if (face == NULL)
		return;
	if (errand->request == NULL)
		door_send(face, wire_accept(errand->tag));
	else if (agent->state != AGENT_IN)
		desk_no(&wish, "not-allowed", "Nobody is logged in.");
	else if (wire_get_bool(errand->request, "accept"))
		desk_accept(agent, &wish);
	else
		desk_decline(agent, &wish);
}

/* The link that a message can go over; else refuses. */
static struct link *
open_link(struct agent *agent, const struct wish *wish, const char *to)
{
	struct link *link = link_find(&agent->private->links, to);
	struct book_key known;

	if (link == NULL || !link_agreed(link, clock_mono()))
		no(wish, "no-link",
		    "No private link with %s. Type \"getaddress %s\" first.",
		    to, to);
	else if (link->held && book_key(agent->book, to, &known) == -1)
		desk_fail(agent, wish);
	else if (link->held)
		no_key(wish, to, known.pin, link->pass.pin);
	else if (link->port == 0)
		no(wish, "no-link",
		    "%s's client takes no private messages, it only sends "
		    "them.",
		    to);
	else
		return link;
	return NULL;
}

/* How many letters are on their way, up to a bound. */
static bool
is_full(const struct agent *agent, const struct link *link)
{
	(void)agent;
	return link->call != NULL && peer_waiting(link->call) >= LETTERS_MAX;
}

/* Sends a message straight to another client. */
void
desk_private(struct agent *agent, const struct wish *wish)
{
	const json_t *text = json_object_get(wish->line, "text");
	char to[NAME_MAX_LEN + 1], why[DESK_WHY_LEN];
	const char *wrong;
	struct waiter waiter;
	struct link *link;

	if (!desk_user(wish, "to", to))
		return;
	link = open_link(agent, wish, to);
	if (link == NULL)
		return;
	wrong = desk_text_wrong(agent, text, why);
	if (wrong != NULL)
		desk_no(wish, "bad-request", wrong);
	else if (is_full(agent, link))
		desk_no(wish, "busy", "Too much is waiting to be sent.");
	else {
		waiter = desk_waiter(wish);
		private_say(
		    agent->private, link, json_string_value(text), &waiter);
	}
}

struct leaving {
	struct agent *agent;
	json_t *ids;
};

/* One that was kept goes into the outbox. */
static void
leave_row(void *arg, const struct book_row *row)
{
	const struct leaving *leaving = arg;

	outbox_queued(&leaving->agent->outbox, row);
	json_array_append_new(leaving->ids, json_string(row->id));
}

/* The faces learn that these wait for the centre. */
static void
tell_queued(const struct agent *agent, const char *to, const json_t *ids)
{
	const json_t *id;
	size_t i;

	json_array_foreach((json_t *)(uintptr_t)ids, i, id)
	{
		door_tell(agent->door,
		    desk_state(json_string_value(id), to, "queued"));
	}
}

/* Sends what is kept for a user through the centre. */
void
desk_leave(struct agent *agent, const struct wish *wish)
{
	struct leaving leaving = {agent, NULL};
	char user[NAME_MAX_LEN + 1];
	json_t *reply;
	int count;

	if (!desk_user(wish, "user", user))
		return;
	leaving.ids = json_array();
	count = book_private_leave(agent->book, user, leave_row, &leaving);
	if (count <= 0) {
		if (count == -1)
			desk_fail(agent, wish);
		else
			no(wish, "nothing", "Nothing is kept for %s.", user);
		json_decref(leaving.ids);
		return;
	}
	reply = wire_accept(wish->tag);
	json_object_set_new(reply, "count", json_integer(count));
	json_object_set(reply, "ids", leaving.ids);
	if (agent->unreachable)
		json_object_set_new(reply, "later", json_true());
	if (wire_get_bool(wish->line, "wait") && !agent->unreachable) {
		json_object_set_new(reply, "more", json_true());
		outbox_await(
		    &agent->outbox, wish->face->serial, json_incref(wish->tag));
	}
	door_send(wish->face, reply);
	tell_queued(agent, user, leaving.ids);
	json_decref(leaving.ids);
	session_active(agent);
}

/* Ends a link here at once, and then at the centre. */
void
desk_hangup(struct agent *agent, const struct wish *wish)
{
	int64_t now = clock_mono();
	char user[NAME_MAX_LEN + 1];
	json_t *reply, *withdrawn;
	struct link *link;

	if (!desk_user(wish, "user", user))
		return;
	link = link_find(&agent->private->links, user);
	if (link == NULL ||
	    (!link_agreed(link, now) && !link_waiting(link, now))) {
		no(wish, "no-link", "There is no private link with %s.", user);
		return;
	}
	/* An answer to it makes no link, nor does one after a restart. */
	if (*link->wanted != '\0' &&
	    book_link_wanted(agent->book, user, "", 0, 0) == -1) {
		desk_fail(agent, wish);
		return;
	}
	if (link_waiting(link, now)) {
		withdrawn = event_about("declined", user);
		json_object_set_new(
		    withdrawn, "reason", json_string("withdrawn"));
		desk_tell_talks(agent, withdrawn);
	}
	*link->wanted = '\0';
	link->wanted_until = 0;
	private_ended(agent->private, user, "hangup");
	if (!agent->unreachable) {
		desk_line_up(agent, wish, OP_HANGUP, request_of("user", user));
		return;
	}
	reply = wire_accept(wish->tag);
	json_object_set_new(reply, "told", json_false());
	door_send(wish->face, reply);
}

/* ---- what there is */

/* One that is agreed on. */
static json_t *
link_entry(const struct link *link, int64_t now)
{
	char time[WIRE_TIME_LEN + 1];
	json_t *entry = request_of("user", link->user);

	wire_time_format(clock_wall() + link->pass.until - now, time);
	private_place(entry, link);
	json_object_set_new(entry, "until", json_string(time));
	json_object_set_new(entry, "fingerprint", json_string(link->pass.pin));
	return entry;
}

/* One that somebody waits for; pin NULL: we do. */
static json_t *
question_entry(
    const struct link *link, const char *pin, int64_t until, int64_t now)
{
	json_t *entry = request_of("user", link->user);

	if (pin != NULL)
		json_object_set_new(entry, "fingerprint", json_string(pin));
	json_object_set_new(
	    entry, "expires_in", json_integer(link_seconds(until, now)));
	return entry;
}

/* Links, questions, and what others have to know of this client. */
void
desk_links(struct agent *agent, const struct wish *wish)
{
	const struct private *private = agent->private;
	json_t *links = json_array(), *asked = json_array();
	json_t *waiting = json_array(), *reply = wire_accept(wish->tag);
	int64_t now = clock_mono();

	for (struct link *link = private->links.first; link != NULL;
	     link = link->next) {
		if (link_live(link, now))
			json_array_append_new(links, link_entry(link, now));
		if (link_asked(link, now))
			json_array_append_new(asked,
			    question_entry(link, link->question_pin,
				link->question_until, now));
		if (link_waiting(link, now))
			json_array_append_new(waiting,
			    question_entry(
				link, NULL, link->wanted_until, now));
	}
	json_object_set_new(reply, "links", links);
	json_object_set_new(reply, "asked", asked);
	json_object_set_new(reply, "waiting", waiting);
	json_object_set_new(reply, "port",
	    private->listener != NULL
		? json_integer(peer_port(private->listener))
		: json_null());
	json_object_set_new(reply, "fingerprint",
	    private->identified ? json_string(private->identity.pin)
				: json_null());
	door_send(wish->face, reply);
}

struct keys {
	const struct wish *wish;
	json_t *page;
};

/* Sends what there is of a page. */
static void
send_keys(struct keys *keys, bool more)
{
	json_t *reply = wire_accept(keys->wish->tag);

	json_object_set_new(reply, "keys", keys->page);
	if (more)
		json_object_set_new(reply, "more", json_true());
	door_send(keys->wish->face, reply);
	keys->page = more ? json_array() : NULL;
}

static void
key_entry(void *arg, const char *user, const struct book_key *key)
{
	struct keys *keys = arg;
	json_t *entry = request_of("user", user);
	char time[WIRE_TIME_LEN + 1];

	wire_time_format(key->since, time);
	json_object_set_new(entry, "fingerprint", json_string(key->pin));
	json_object_set_new(entry, "since", json_string(time));
	if (*key->changed != '\0')
		json_object_set_new(
		    entry, "changed", json_string(key->changed));
	if (json_array_size(keys->page) >= KEYS_PAGE)
		send_keys(keys, true);
	json_array_append_new(keys->page, entry);
}

/* The keys of all, or takes the one that a user has shown last. */
void
desk_trust(struct agent *agent, const struct wish *wish)
{
	const char *pin = wire_get_string(wish->line, "fingerprint");
	struct keys keys = {wish, NULL};
	char user[NAME_MAX_LEN + 1];
	struct book_key known;
	json_t *reply, *event;
	int taken;

	if (json_object_get(wish->line, "user") == NULL) {
		keys.page = json_array();
		if (book_keys(agent->book, key_entry, &keys) == 0) {
			send_keys(&keys, false);
			return;
		}
		json_decref(keys.page);
		desk_fail(agent, wish);
		return;
	}
	if (!desk_user(wish, "user", user))
		return;
	if (pin != NULL && book_key(agent->book, user, &known) != -1 &&
	    strcmp(known.changed, pin) != 0) {
		no(wish, "not-allowed",
		    "%s has not shown that public key last; compare again.",
		    user);
		return;
	}
	taken = book_key_trust(agent->book, user, clock_wall());
	if (taken == -1 || book_key(agent->book, user, &known) == -1) {
		desk_fail(agent, wish);
		return;
	}
	if (taken == 0) {
		no(wish, "nothing", "%s has shown no other public key.", user);
		return;
	}
	reply = wire_accept(wish->tag);
	json_object_set_new(reply, "user", json_string(user));
	json_object_set_new(reply, "fingerprint", json_string(known.pin));
	door_send(wish->face, reply);
	event = event_about("trusted", user);
	json_object_set_new(event, "fingerprint", json_string(known.pin));
	door_tell(agent->door, event);
	private_trusted(agent->private, user, known.pin);
}

/* ---- what the centre answers */

/* The book has failed: the errand is no more, its face was told. */
static json_t *
failed(struct agent *agent)
{
	agent_fail(agent, EX_IOERR, book_why(agent->book));
	return NULL;
}

/* The question is with the other user, or not. */
static json_t *
asked(struct agent *agent, const struct errand *errand, const json_t *reply)
{
	const char *to = wire_get_string(errand->request, "to");
	const char *request = wire_get_string(reply, "request");
	int64_t wait = reply_seconds(reply, "expires_in");
	struct link *link = link_find(&agent->private->links, to);
	int64_t wall = clock_wall();
	json_t *told;

	if (!wire_get_bool(reply, "ok") || request == NULL ||
	    !id_valid(request, strlen(request))) {
		/* One that was asked before may be waiting still. */
		if (link != NULL && *link->wanted == '\0')
			link->wanted_until = 0;
		return NULL;
	}
	if (link != NULL) {
		link_want(link, request, wait / 1000, clock_mono());
		private_schedule(agent->private);
		if (book_link_wanted(
			agent->book, to, request, wall, wall + wait) == -1)
			return failed(agent);
	}
	told = event_about("asked", to);
	json_object_set_new(told, "expires_in", json_integer(wait / 1000));
	door_tell(agent->door, told);
	told = wire_accept(errand->tag);
	json_object_set_new(told, "state", json_string("waiting"));
	json_object_set_new(told, "expires_in", json_integer(wait / 1000));
	return told;
}

/* Whose question has that name; NULL: it is not known any more. */
static struct link *
question_named(const struct agent *agent, const char *request)
{
	struct link *link = agent->private->links.first;

	while (link != NULL && strcmp(link->question, request) != 0)
		link = link->next;
	return link;
}

/*
 * The faces learn what one of them has agreed to.  That one has the answer;
 * if it shows conversations it is told as well, so that one rule serves all.
 */
static void
tell_accepted(
    const struct agent *agent, unsigned serial, const struct link *link)
{
	struct face_end *face = door_first(agent->door);
	json_t *event;

	for (; face != NULL; face = face->next) {
		if (!face->watching || (face->serial == serial && !face->talks))
			continue;
		event = private_link_event("accepted", link);
		if (face->serial == serial)
			json_object_set_new(event, "yours", json_true());
		door_send(face, event);
	}
}

/* The other user may be called now. */
static json_t *
accepted(struct agent *agent, const struct errand *errand, struct link *link,
    const json_t *reply)
{
	struct wire_link told;
	char user[NAME_MAX_LEN + 1];
	json_t *answer;

	if (!wire_link_get(reply, &told, LINK_PLACE) ||
	    strncmp(told.fingerprint.s, link->question_pin,
		sizeof(link->question_pin)) != 0)
		return desk_refuse(errand->tag, "internal",
		    "The centre's answer cannot be understood.");
	memcpy(user, link->user, sizeof(user));
	if (book_link_pass(agent->book, user, &told, clock_wall()) == -1)
		return failed(agent);
	private_agreed(agent->private, link, &told, false, false);
	tell_accepted(agent, errand->face, link);
	answer = wire_accept(errand->tag);
	json_object_set_new(answer, "user", json_string(user));
	private_place(answer, link);
	reply_members(answer, reply, "fingerprint expires_in");
	return answer;
}

/* A question was answered. */
static json_t *
answered(struct agent *agent, const struct errand *errand, const json_t *reply)
{
	const char *request = wire_get_string(errand->request, "request");
	struct link *link = question_named(agent, request);
	json_t *told;

	if (link == NULL || wire_error_again(reply_error(reply)))
		return NULL;
	if (wire_get_bool(reply, "ok") &&
	    wire_get_bool(errand->request, "accept"))
		return accepted(agent, errand, link, reply);
	*link->question = '\0';
	if (book_link_answered(agent->book, link->user) == -1)
		return failed(agent);
	private_settled(agent->private, link);
	if (!wire_get_bool(reply, "ok"))
		return NULL;
	told = wire_accept(errand->tag);
	json_object_set_new(told, "user", json_string(link->user));
	return told;
}

/* The faces learn whom the user has blocked, or not any more. */
static void
tell_block(struct agent *agent, const struct errand *errand)
{
	const char *user = wire_get_string(errand->request, "user");
	bool block = errand->op == OP_BLOCK;

	door_tell(agent->door,
	    block ? event_about("blocked", user)
		  : event_about("unblocked", user));
	if (block)
		private_ended(agent->private, user, "blocked");
}

/* What a reply of the centre means for links, and for blocks. */
json_t *
private_answered(
    struct agent *agent, const struct errand *errand, const json_t *reply)
{
	json_t *told = NULL;

	switch (errand->op) {
	case OP_ASK:
		return asked(agent, errand, reply);
	case OP_ANSWER:
		return answered(agent, errand, reply);
	case OP_HANGUP:
		if (!wire_get_bool(reply, "ok"))
			return NULL;
		told = wire_accept(errand->tag);
		json_object_set_new(told, "told", json_true());
		return told;
	case OP_BLOCK:
	case OP_UNBLOCK:
		if (wire_get_bool(reply, "ok"))
			tell_block(agent, errand);
		return NULL;
	default:
		return NULL;
	}
}
