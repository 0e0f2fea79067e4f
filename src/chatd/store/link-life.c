/* SPDX-License-Identifier: ISC */
/*
 * How private links begin, last and end, and what both sides are told of it:
 * each step is written down with the mail that speaks of it, in one commit.
 * Part of the store; must never let an address out before its owner agrees.
 */
#include <string.h>
#include <sysexits.h>

#include <sodium.h>

#include "chatd/store/state.h"
#include "lib/log.h"
#include "lib/unix.h"

enum { END_MOST = 1000 }; /* in one go, so that nobody waits for it */

/* So many octets by lot, as text. */
static void
draw(char *out, size_t size, size_t count)
{
	unsigned char octets[32];

	random_fill(octets, count);
	sodium_bin2base64(
	    out, size, octets, count, sodium_base64_VARIANT_URLSAFE_NO_PADDING);
	ipc_wipe(octets, sizeof(octets));
}

static int64_t
ask_until(const struct store *store)
{
	return store->now + store->rules.ask_seconds * INT64_C(1000);
}

static int64_t
pass_until(const struct store *store)
{
	return store->now + store->rules.pass_seconds * INT64_C(1000);
}

/* Writes a link down as it is now. */
static void
save(struct store *store, const struct link *link)
{
	struct db_link row = {.state = link->state,
	    .ends = store->wall + (link->until - store->now)};

	memcpy(row.request, link->request, sizeof(row.request));
	memcpy(row.pass, link->pass, sizeof(row.pass));
	for (int role = LINK_ASKER; role <= LINK_ASKED; role++) {
		const struct link_end *end = &link->end[role];

		memcpy(row.end[role].token, end->session->token, DB_HASH_LEN);
		row.end[role].host = end->host;
		row.end[role].mail = end->mail;
	}
	db_write(store->db);
	db_link_put(store->db, &row);
	ipc_wipe(&row, sizeof(row));
}

/* What an unread event says of the link holds no more. */
static void
unsay(struct store *store, struct link_end *end)
{
	db_write(store->db);
	if (end->mail != 0)
		db_mail_drop(store->db, end->session->user, end->mail);
	end->mail = 0;
}

/* Puts an event into the mailbox of one end; its number. */
static int64_t
say(struct store *store, const struct link *link, enum link_role role,
    enum wire_event_type type, const char *reason)
{
	const struct session *self = link->end[role].session;
	const struct session *other = link->end[!role].session;
	struct wire_event event = {.type = type, .time = store->wall};

	event.user = string_of(other->name);
	if (type != EVENT_HANGUP)
		event.id = string_of(link->request);
	event.text = string_of(reason);
	return mail_post(store, self->user, other->user, &event);
}

/* The same for one that the link itself completes: the newest alone. */
static void
say_it(struct store *store, struct link *link, enum link_role role,
    enum wire_event_type type)
{
	unsay(store, &link->end[role]);
	link->end[role].mail = say(store, link, role, type, "");
}

struct link *
link_ask(struct store *store, struct session *asker, struct session *asked)
{
	char request[WIRE_REQUEST_LEN + 1];
	struct link *link;

	draw(request, sizeof(request), 16);
	link = link_new(&store->links, request, asker, asked, ask_until(store));
	if (link == NULL)
		return NULL;
	say_it(store, link, LINK_ASKED, EVENT_ASK);
	save(store, link);
	store->tally.questions++;
	links_plan(store);
	return link;
}

void
link_decline(struct store *store, struct link *link)
{
	unsay(store, &link->end[LINK_ASKED]);
	say(store, link, LINK_ASKER, EVENT_DECLINED, "declined");
	link_set(&store->links, link, LINK_DECLINED, link->until);
	save(store, link);
}

void
link_agree(struct store *store, struct link *link)
{
	draw(link->pass, sizeof(link->pass), 32);
	for (int role = LINK_ASKER; role <= LINK_ASKED; role++)
		link->end[role].host = link->end[role].session->from;
	link_set(&store->links, link, LINK_MADE, pass_until(store));
	unsay(store, &link->end[LINK_ASKED]);
	say_it(store, link, LINK_ASKER, EVENT_ADDRESS);
	save(store, link);
	store->tally.passes++;
	links_plan(store);
}

void
link_renew(struct store *store, struct link *link)
{
	link_set(&store->links, link, LINK_MADE, pass_until(store));
	say_it(store, link, LINK_ASKER, EVENT_ADDRESS);
	say_it(store, link, LINK_ASKED, EVENT_ADDRESS);
	save(store, link);
	links_plan(store);
}

/* Tells those who are to be told that a link, or a question, is over. */
static void
tell_end(struct store *store, const struct link *link, enum wire_hangup why,
    const struct session *but)
{
	if (link->state == LINK_OPEN && link->end[LINK_ASKER].session != but)
		say(store, link, LINK_ASKER, EVENT_DECLINED, "expired");
	if (link->state != LINK_MADE)
		return;
	for (int role = LINK_ASKER; role <= LINK_ASKED; role++)
		if (link->end[role].session != but)
			say(store, link, (enum link_role)role, EVENT_HANGUP,
			    wire_hangup_name(why));
}

void
link_over(struct store *store, struct link *link, enum wire_hangup why,
    const struct session *but)
{
	log_debug("%s and %s: over, %s", link->end[LINK_ASKER].session->name,
	    link->end[LINK_ASKED].session->name, wire_hangup_name(why));
	unsay(store, &link->end[LINK_ASKER]);
	unsay(store, &link->end[LINK_ASKED]);
	tell_end(store, link, why, but);
	db_link_drop(store->db, link->request);
	link_free(&store->links, link);
}

int32_t
link_left(const struct store *store, const struct link *link)
{
	/* Never more than is left: the client's own clock goes by it. */
	return link->until <= store->now
	    ? 0
	    : (int32_t)((link->until - store->now) / 1000);
}

bool
link_fill(const struct store *store, const struct session *session,
    struct wire_event *event, char host[IPC_ADDRESS_LEN])
{
	const struct link *link;
	const struct link_end *other;

	if (event->type != EVENT_ASK && event->type != EVENT_ADDRESS)
		return true;
	link = link_by_request(session, event->id.s, event->id.len);
	if (link == NULL ||
	    link->state != (event->type == EVENT_ASK ? LINK_OPEN : LINK_MADE))
		return false;
	other = &link->end[!link_role(link, session)];
	event->link.fingerprint = string_of(other->session->peer.fingerprint);
	event->link.expires_in = link_left(store, link);
	if (event->type == EVENT_ASK)
		return true;
	ipc_address_text(&other->host, host);
	event->link.host = string_of(host);
	event->link.port = other->session->peer.port;
	event->link.pass = string_of(link->pass);
	return true;
}

void
links_over(struct store *store, struct session *session, enum wire_hangup why,
    bool gone)
{
	while (session->links != NULL)
		link_over(store, session->links, why, gone ? session : NULL);
}

void
links_moved(struct store *store, struct session *session,
    const struct ipc_address *from)
{
	bool elsewhere = session->from.family != from->family ||
	    rules_moved(&session->from, from);
	struct link *next, *each = session->links;

	session->from = *from;
	if (!elsewhere)
		return;
	db_write(store->db);
	db_session_from(store->db, session->token, from);
	/* Nobody was told where to find who takes no links. */
	if (session->peer.port == 0)
		return;
	for (; each != NULL; each = next) {
		next = link_next(each, session);
		if (each->state == LINK_MADE &&
		    rules_moved(
			&each->end[link_role(each, session)].host, from))
			link_over(store, each, HANGUP_ADDRESS, NULL);
	}
}

void
links_blocked(struct store *store, int64_t owner, int64_t target)
{
	const struct session *one = session_by_user(store->sessions, owner);
	const struct session *other = session_by_user(store->sessions, target);
	struct link *link = NULL;

	if (one != NULL && other != NULL)
		link = link_between(one, other, LINK_MADE);
	if (link != NULL)
		link_over(store, link, HANGUP_BLOCKED, NULL);
}

/* A timer: those whose time is over. */
static void
end_due(void *arg)
{
	struct store *store = arg;
	int left = END_MOST;
	struct link *link;

	store_tick(store);
	while ((link = links_first(&store->links)) != NULL &&
	    link->until <= store->now && left-- > 0)
		link_over(store, link, HANGUP_EXPIRED, NULL);
	links_plan(store);
}

void
links_plan(struct store *store)
{
	const struct link *link = links_first(&store->links);
	struct loop_timer *timer = &store->links_timer;

	/* One that goes off too early only looks again. */
	if (link == NULL || (timer->slot != 0 && timer->at <= link->until))
		return;
	loop_timer(store->loop, timer,
	    link->until > store->now ? link->until - store->now : 0, end_due,
	    store);
}

/* One from the database, if both of its sessions are there. */
static void
load_link(void *arg, const struct db_link *row)
{
	struct store *store = arg;
	bool made = row->state == LINK_MADE;
	int64_t until = store->now +
	    rules_link_left(&store->rules, made, row->ends, store->wall);
	struct session *both[2];
	struct link *link;

	for (int role = LINK_ASKER; role <= LINK_ASKED; role++)
		both[role] =
		    session_by_token(store->sessions, row->end[role].token);
	if (both[LINK_ASKER] == NULL || both[LINK_ASKED] == NULL ||
	    both[LINK_ASKER] == both[LINK_ASKED] || row->state < LINK_OPEN ||
	    row->state >= LINK_STATES)
		return;
	link = link_new(&store->links, row->request, both[LINK_ASKER],
	    both[LINK_ASKED], until);
	if (link == NULL)
		fatal(EX_OSERR, "no memory for the private links");
	memcpy(link->pass, row->pass, sizeof(link->pass));
	for (int role = LINK_ASKER; role <= LINK_ASKED; role++) {
		link->end[role].host = row->end[role].host;
		link->end[role].mail = row->end[role].mail;
	}
	link_set(&store->links, link, (enum link_state)row->state, link->until);
}

void
links_load(struct store *store)
{
	db_link_each(store->db, load_link, store);
}
