/* SPDX-License-Identifier: ISC */
/*
 * Private links in the agent: beginnings, what the centre says of them, and
 * ends.  Takes what others send, which is on the disk before they are told
 * so.  Must never take a message over a link that has ended.
 */
#include "chat/agent/private.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

#include "chat/agent/book-link.h"
#include "chat/agent/book-private.h"
#include "lib/log.h"
#include "lib/text.h"
#include "lib/unix.h"

/* One without links. */
struct private *
private_new(struct agent *agent)
{
	struct private *private = calloc(1, sizeof(*private));

	if (private == NULL)
		fatal(EX_OSERR, "no memory");
	private->agent = agent;
	return private;
}

/* The book has failed, and with it the agent. */
static void
fail(struct private *private)
{
	agent_fail(private->agent, EX_IOERR, book_why(private->agent->book));
}

/* An event about a user. */
static json_t *
event_about(const char *name, const char *user)
{
	json_t *event = json_object();

	json_object_set_new(event, "event", json_string(name));
	json_object_set_new(event, "user", json_string(user));
	return event;
}

/* ---- the listener */

/* The passes that count just now. */
static size_t
passes(void *arg, const struct peer_pass **out, size_t max)
{
	const struct private *private = arg;

	if (private->agent->state != AGENT_IN)
		return 0;
	return link_passes(&private->links, clock_mono(), out, max);
}

/* Stores what came; whoever sent it has been proved. */
static enum peer_verdict
store(void *arg, const struct peer_message *message)
{
	struct private *private = arg;
	struct agent *agent = private->agent;
	const struct link *link = link_find(&private->links, message->from);

	if (agent->state != AGENT_IN || link == NULL ||
	    !link_live(link, clock_mono()))
		return PEER_NOT_TAKEN;
	if ((int64_t)message->len > agent->message_bytes)
		return PEER_TOO_MUCH;
	switch (book_private_in(agent->book, message->from, message->id,
	    message->text, clock_wall())) {
	case -1:
		fail(private);
		return PEER_TROUBLE;
	case 1:
		agent_news(agent);
		break;
	}
	return PEER_TAKEN;
}

static const struct peer_calls calls = {passes, store};

/* The account's own key is there, made at first use. */
static bool
identify(struct private *private)
{
	const struct account *account = private->agent->account;
	char why[IDENTITY_WHY_LEN] = "";
	int result;

	if (!account->private_enabled)
		return false;
	if (private->identified)
		return true;
	result = identity_load(&private->identity, account->dir, why);
	if (*why != '\0')
		log_warn("private links: %s", why);
	private->identified = result != -1;
	if (result == -1)
		identity_release(&private->identity);
	return private->identified;
}

/* Listens, at port 0 anywhere; without it, one can still call others. */
static void
listen_at(struct private *private, int port)
{
	char why[PEER_WHY_LEN];

	if (private->listener != NULL)
		return;
	private->listener =
	    peer_listen(private->agent->loop, &private->identity, AF_UNSPEC,
		port, &peer_limits, &calls, private, why);
	if (private->listener == NULL)
		log_warn("private links cannot come in: %s", why);
}

/* Listens, unless that is turned off. */
void
private_login(struct private *private, json_t *request)
{
	if (!identify(private))
		return;
	listen_at(private, private->agent->account->private_port);
	json_object_set_new(
	    request, "peer_fingerprint", json_string(private->identity.pin));
	if (private->listener != NULL)
		json_object_set_new(request, "peer_port",
		    json_integer(peer_port(private->listener)));
}

/* The login was accepted: the next agent of this session listens there. */
int
private_begin(struct private *private)
{
	return private->listener == NULL
	    ? 0
	    : book_set_port(private->agent->book, peer_port(private->listener));
}

/* ---- a session of before */

/* One user's row; clocks may have been set meanwhile. */
static void
resume(void *arg, const struct book_link *row)
{
	struct private *private = arg;
	int64_t now = clock_mono(), wall = clock_wall();
	struct link *link = private_link(private, row->user);

	if (link == NULL)
		return;
	if (row->link.pass.len > 0)
		link_pass(link, &row->link, now, false);
	/* It is not fresh: whoever refuses it now will go on to. */
	link->pass.since = now - PEER_FRESH_MS;
	link->pass.until = now + link_left(row->since, row->until, wall);
	if (*row->wanted != '\0') {
		link_want(link, row->wanted, 0, now);
		link->wanted_until =
		    now + link_left(row->wanted_since, row->wanted_until, wall);
	}
	snprintf(link->question, sizeof(link->question), "%s", row->question);
	snprintf(link->question_pin, sizeof(link->question_pin), "%s",
	    row->question_pin);
	link->question_until =
	    now + link_left(row->question_since, row->question_until, wall);
	link->lapsed = link->question_until <= now;
}

/* Is it the key that is remembered?  -1: the book. */
static int
is_known(const struct private *private, const char *user, const char *pin)
{
	struct book_key known;
	int found = book_key(private->agent->book, user, &known);

	return found == 1 ? strcmp(known.pin, pin) == 0 : found;
}

/* The session goes on, with the links that it had. */
int
private_resume(struct private *private)
{
	struct book *book = private->agent->book;
	int64_t port;
	int known;

	if (!identify(private))
		return 0;
	if (book_links(book, resume, private) == -1 ||
	    book_port(book, &port) == -1)
		return -1;
	for (struct link *link = private->links.first; link != NULL;
	     link = link->next) {
		known = is_known(private, link->user, link->pass.pin);
		if (known == -1)
			return -1;
		link->held = known == 0;
	}
	/* The passes lead to this port: another one would serve nobody. */
	if (port != 0)
		listen_at(private, (int)port);
	private_schedule(private);
	return 0;
}

/* ---- ends */

/* The first user of whom something is over. */
static struct link *
overdue(const struct private *private, int64_t now)
{
	struct link *link = private->links.first;

	while (link != NULL &&
	    !(*link->pass.secret != '\0' && link->pass.until <= now) &&
	    !(link->wanted_until != 0 &&
		link->wanted_until + LINK_GRACE_MS <= now) &&
	    !link_lapsing(link, now))
		link = link->next;
	return link;
}

/* Nobody has answered, nor has the centre said so. */
static void
give_up(struct private *private, struct link *link)
{
	json_t *event = event_about("declined", link->user);
	bool named = *link->wanted != '\0';

	*link->wanted = '\0';
	link->wanted_until = 0;
	json_object_set_new(event, "reason", json_string("expired"));
	if (!named)
		json_decref(event);
	else if (book_link_wanted(private->agent->book, link->user, "", 0, 0) ==
	    0)
		door_tell(private->agent->door, event);
	else {
		json_decref(event);
		fail(private);
	}
}

/* Their question is open no more, and no link came of it. */
void
private_settled(const struct private *private, struct link *link)
{
	if (!link->lapsed)
		door_tell(
		    private->agent->door, event_about("settled", link->user));
	link->lapsed = true;
}

/* Something has come to its end. */
static void
due(void *arg)
{
	struct private *private = arg;
	int64_t now = clock_mono();
	struct link *link;

	while ((link = overdue(private, now)) != NULL) {
		if (*link->pass.secret != '\0' && link->pass.until <= now)
			private_ended(private, link->user, "expired");
		else if (link_lapsing(link, now))
			private_settled(private, link);
		else
			give_up(private, link);
	}
	private_schedule(private);
}

/* The next end of something has changed. */
void
private_schedule(struct private *private)
{
	int64_t next = link_due(&private->links), now = clock_mono();

	if (next == INT64_MAX)
		loop_timer_stop(private->agent->loop, &private->timer);
	else
		loop_timer(private->agent->loop, &private->timer,
		    next > now ? next - now : 0, due, private);
}

/* The link with that user is over, if there was one. */
void
private_ended(struct private *private, const char *user, const char *reason)
{
	struct link *link = link_find(&private->links, user);
	json_t *event;
	bool told;

	if (link == NULL || *link->pass.secret == '\0')
		return;
	told = !link->held;
	event = event_about("hangup", link->user);
	json_object_set_new(event, "reason", json_string(reason));
	link_end(link);
	log_info("the private link with %s has ended: %s", link->user, reason);
	if (told)
		door_tell(private->agent->door, event);
	else
		json_decref(event);
	if (book_link_end(private->agent->book, link->user) == -1)
		fail(private);
	else
		private_hang_up(private, link);
	private_schedule(private);
}

/* The session ends. */
void
private_end(struct private *private)
{
	struct link *link;

	peer_stop(private->listener);
	private->listener = NULL;
	for (link = private->links.first; link != NULL; link = link->next)
		private_hang_up(private, link);
	links_wipe(&private->links);
	loop_timer_stop(private->agent->loop, &private->timer);
}

/* ---- what the centre says */

/* The user's link, made where there is none. */
struct link *
private_link(struct private *private, const char *user)
{
	char gone[NAME_MAX_LEN + 1];
	struct link *link =
	    link_make(&private->links, user, clock_mono(), gone);

	if (*gone != '\0' && book_link_drop(private->agent->book, gone) == -1)
		log_warn("%s", book_why(private->agent->book));
	return link;
}

/* Whom an event of links is about; false if it can be about nobody. */
static bool
event_user(const struct private *private, const struct wire_event *event,
    char user[NAME_MAX_LEN + 1])
{
	return event->user.s != NULL &&
	    name_fold(event->user.s, event->user.len, user) &&
	    strcmp(user, private->agent->account->user) != 0;
}

/* True unless the event would make a link that nobody wants. */
bool
private_fits(struct private *private, struct wire_event *event)
{
	char user[NAME_MAX_LEN + 1], request[ID_MAX_LEN + 1];
	const struct link *link;

	if (event->type != EVENT_ASK && event->type != EVENT_ADDRESS &&
	    event->type != EVENT_DECLINED && event->type != EVENT_HANGUP)
		return true;
	event->time = clock_wall();
	if (!private->identified || !event_user(private, event, user))
		return false;
	if (event->type == EVENT_ASK)
		return private_link(private, user) != NULL;
	link = link_find(&private->links, user);
	if (link == NULL || event->type == EVENT_HANGUP)
		return link != NULL;
	snprintf(
	    request, sizeof(request), "%.*s", (int)event->id.len, event->id.s);
	/* No to a question of before is none to the one that waits. */
	if (event->type == EVENT_DECLINED)
		return link->wanted_until != 0 &&
		    (*link->wanted == '\0' ||
			strcmp(link->wanted, request) == 0);
	return link_welcome(link, request, clock_mono());
}

/* Another key than the one that is remembered. */
void
private_key_changed(
    struct private *private, const char *user, const char *shown)
{
	json_t *event = event_about("key-changed", user);
	struct book_key known;

	if (book_key(private->agent->book, user, &known) == -1) {
		json_decref(event);
		fail(private);
		return;
	}
	log_warn("%s shows another public key, %s", user, shown);
	json_object_set_new(event, "known", json_string(known.pin));
	json_object_set_new(event, "shown", json_string(shown));
	door_tell(private->agent->door, event);
}

/* Host and port, or null. */
void
private_place(json_t *object, const struct link *link)
{
	bool open = link->port != 0;

	json_object_set_new(
	    object, "host", open ? json_string(link->host) : json_null());
	json_object_set_new(
	    object, "port", open ? json_integer(link->port) : json_null());
}

/* The event for a link that there is. */
json_t *
private_link_event(const char *name, const struct link *link)
{
	json_t *event = event_about(name, link->user);
	char time[WIRE_TIME_LEN + 1];

	wire_time_format(clock_wall() + link->pass.until - clock_mono(), time);
	private_place(event, link);
	json_object_set_new(event, "until", json_string(time));
	json_object_set_new(event, "fingerprint", json_string(link->pass.pin));
	return event;
}

/* The faces learn that there is a link. */
static void
tell_address(
    const struct private *private, const struct link *link, bool renewed)
{
	json_t *event = private_link_event("address", link);

	if (renewed)
		json_object_set_new(event, "renewed", json_true());
	door_tell(private->agent->door, event);
}

/* There is a pass. */
void
private_agreed(struct private *private, struct link *link,
    const struct wire_link *told, bool held, bool news)
{
	int64_t now = clock_mono();
	/* What they have asked for, or got anew, is no answer to us. */
	bool renewed = link_live(link, now) && !link_waiting(link, now);

	link_pass(link, told, now, held);
	if (held || link->port == 0)
		private_hang_up(private, link);
	else
		private_renew(link);
	private_schedule(private);
	log_info("a private link with %s%s", link->user,
	    held ? ", held back: the key is another" : "");
	if (held)
		private_key_changed(private, link->user, link->pass.pin);
	else if (news)
		tell_address(private, link, renewed);
}

/* The key that was shown last is trusted now. */
void
private_trusted(struct private *private, const char *user, const char *pin)
{
	struct link *link = link_find(&private->links, user);

	if (link == NULL || !link_agreed(link, clock_mono()))
		return;
	if (strcmp(link->pass.pin, pin) != 0)
		/* What was agreed on with the key of before is over. */
		private_ended(private, user, "hangup");
	else if (link->held) {
		link->held = false;
		tell_address(private, link, false);
	}
}

/* The event for a question of somebody. */
static json_t *
question(const struct link *link)
{
	json_t *event = event_about("ask", link->user);

	json_object_del(event, "user");
	json_object_set_new(event, "from", json_string(link->user));
	json_object_set_new(
	    event, "fingerprint", json_string(link->question_pin));
	json_object_set_new(event, "expires_in",
	    json_integer(link_seconds(link->question_until, clock_mono())));
	return event;
}

/* Tells a face of the questions that are open. */
void
private_questions(const struct private *private, struct face_end *face)
{
	int64_t now = clock_mono();

	for (struct link *link = private->links.first; link != NULL;
	     link = link->next)
		if (link_asked(link, now))
			door_send(face, question(link));
}

/* Somebody asks. */
static void
asked(
    struct private *private, struct link *link, const struct wire_event *event)
{
	int known;

	link_question(link, event, clock_mono());
	door_tell(private->agent->door, question(link));
	known = book_key_seen(private->agent->book, link->user,
	    link->question_pin, clock_wall(), false);
	if (known == -1)
		fail(private);
	if (known == 0)
		private_key_changed(private, link->user, link->question_pin);
}

/* Somebody has said no, or nothing. */
static void
declined(
    struct private *private, struct link *link, const struct wire_event *event)
{
	json_t *told = event_about("declined", link->user);
	bool no =
	    event->text.len == 8 && memcmp(event->text.s, "declined", 8) == 0;

	*link->wanted = '\0';
	link->wanted_until = 0;
	json_object_set_new(
	    told, "reason", json_string(no ? "declined" : "expired"));
	door_tell(private->agent->door, told);
}

/* An event of the centre that is in the book now. */
void
private_event(struct private *private, const struct wire_event *event)
{
	enum wire_hangup reason;
	char user[NAME_MAX_LEN + 1], pin[TLS_PIN_LEN + 1];
	struct link *link;
	int known;

	if (!event_user(private, event, user) ||
	    (link = link_find(&private->links, user)) == NULL)
		return;
	switch (event->type) {
	case EVENT_ASK:
		asked(private, link, event);
		break;
	case EVENT_ADDRESS:
		snprintf(pin, sizeof(pin), "%.*s",
		    (int)event->link.fingerprint.len,
		    event->link.fingerprint.s);
		known = is_known(private, user, pin);
		if (known == -1)
			fail(private);
		else
			private_agreed(
			    private, link, &event->link, known == 0, true);
		break;
	case EVENT_DECLINED:
		declined(private, link, event);
		break;
	case EVENT_HANGUP:
		reason = wire_hangup_find(event->text.s, event->text.len);
		private_ended(private, user,
		    wire_hangup_name(
			reason == HANGUP_COUNT ? HANGUP_HANGUP : reason));
		break;
	default:
		break;
	}
	private_schedule(private);
}
