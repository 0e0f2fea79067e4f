/* SPDX-License-Identifier: ISC */
/*
 * The store's answers about private links: ask, answer, hangup.  Whoever
 * asks learns whether it may, and nothing else until the other one agrees.
 */
#include <stdio.h>
#include <string.h>

#include "chatd/store/state.h"

/* The user whom a request names; false, and refused, for nobody. */
static bool
take_other(struct store *store, const struct asker *asker,
    const struct ipc_frame *frame, struct db_user *user)
{
	struct ipc_user ask;

	memcpy(&ask, frame->body, sizeof(ask));
	if (!IPC_TERMINATED(ask.user)) {
		refuse(asker, ERR_BAD_REQUEST, NULL);
		return false;
	}
	if (db_user_find(store->db, ask.user, user) &&
	    user->state != USER_DELETED)
		return true;
	refuse(asker, ERR_NO_SUCH_USER, NULL);
	return false;
}

/* True if either has no room for one more question. */
static bool
too_many(const struct session *asker, const struct session *asked)
{
	size_t asking;

	if (link_count(asker, &asking) >= LINKS_MOST)
		return true;
	return link_count(asked, &asking) >= LINKS_MOST ||
	    asking >= LINKS_ASKING;
}

/* What the rules want to know of the one who is asked. */
static struct ask_facts
look_up(struct store *store, const struct asker *asker,
    const struct db_user *user, const struct session *asked)
{
	struct ask_facts facts = {.known = true,
	    .self = user->id == asker->user,
	    .blocked = db_block_standing(store->db, user->id, asker->user),
	    .blocks = db_block_standing(store->db, asker->user, user->id),
	    .key = asker->session->peer.fingerprint[0] != '\0'};

	if (asked == NULL || facts.self)
		return facts;
	facts.online = asked->online != 0;
	facts.takes = asked->peer.port != 0;
	facts.linked = link_between(asker->session, asked, LINK_MADE) != NULL;
	facts.full = too_many(asker->session, asked);
	return facts;
}

static void
answer_asked(
    struct store *store, const struct asker *asker, const struct link *link)
{
	struct ipc_asked asked = {.expires_in = link_left(store, link)};

	memcpy(asked.request, link->request, sizeof(asked.request));
	answer(asker, IPC_ASKED, &asked, NULL, 0);
}

/* False, and refused, for who has asked this user too often of late. */
static bool
paced(
    struct store *store, const struct asker *asker, const struct db_user *user)
{
	struct ipc_refused refused = {
	    .error = ERR_NOT_ALLOWED, .attempts_left = -1};
	char text[WIRE_WHY_LEN];

	refused.retry_after =
	    pace_charge(store->paces, asker->user, user->id, store->now);
	if (refused.retry_after == 0)
		return true;
	snprintf(text, sizeof(text),
	    "You have asked %s too often; ask again in %d second%s.",
	    user->name, refused.retry_after,
	    refused.retry_after == 1 ? "" : "s");
	channel_refuse_with(asker->channel, asker->number, &refused, text);
	return false;
}

/* A question, an agreement or a renewal, as these two stand. */
static void
ask_for(struct store *store, const struct asker *asker,
    const struct db_user *user, struct session *asked)
{
	struct link *link = link_between(asker->session, asked, LINK_OPEN);

	/* The same question again is none. */
	if (link != NULL && link_role(link, asker->session) == LINK_ASKER) {
		answer_asked(store, asker, link);
		return;
	}
	if (!paced(store, asker, user))
		return;
	if (link != NULL) {
		/* Who asks back agrees; to be told as who has asked is. */
		link_agree(store, link);
		link_renew(store, link);
	} else {
		link = link_between(asker->session, asked, LINK_MADE);
		if (link != NULL)
			link_renew(store, link);
		else
			link = link_ask(store, asker->session, asked);
	}
	if (link == NULL)
		refuse(asker, ERR_INTERNAL, NULL);
	else
		answer_asked(store, asker, link);
}

void
answer_ask(struct store *store, const struct asker *asker,
    const struct ipc_frame *frame)
{
	struct db_user user;
	struct session *asked;
	struct ask_facts facts;
	enum wire_error error;
	const char *why;

	if (!take_other(store, asker, frame, &user))
		return;
	asked = session_by_user(store->sessions, user.id);
	facts = look_up(store, asker, &user, asked);
	error = rules_ask(&store->rules, &facts, &why);
	if (error == ERR_NONE && db_short(store->db)) {
		error = ERR_READ_ONLY;
		why = NULL;
	}
	if (error != ERR_NONE || asked == NULL)
		refuse(asker, error, why);
	else
		ask_for(store, asker, &user, asked);
}

/* What the one who agreed may know, now and whenever it asks again. */
static void
answer_agreed(
    struct store *store, const struct asker *asker, const struct link *link)
{
	const struct link_end *other = &link->end[LINK_ASKER];
	struct ipc_answered answered = {.accepted = 1,
	    .peer = other->session->peer,
	    .expires_in = link_left(store, link)};

	memcpy(answered.user, other->session->name, sizeof(answered.user));
	memcpy(answered.pass, link->pass, sizeof(answered.pass));
	ipc_address_text(&other->host, answered.host);
	answer(asker, IPC_ANSWERED, &answered, NULL, 0);
	ipc_wipe(&answered, sizeof(answered));
}

static void
answer_declined(const struct asker *asker)
{
	static const struct ipc_answered no;

	answer(asker, IPC_ANSWERED, &no, NULL, 0);
}

/* Yes to a question that waits: once more, may they? */
static void
agree(struct store *store, const struct asker *asker, struct link *link)
{
	const struct session *other = link->end[LINK_ASKER].session;

	if (db_block_standing(store->db, other->user, asker->user)) {
		link_decline(store, link);
		refuse(asker, ERR_BLOCKED, "That user has blocked you.");
	} else if (db_block_standing(store->db, asker->user, other->user)) {
		link_decline(store, link);
		refuse(asker, ERR_BLOCKED, "You have blocked that user.");
	} else if (!store->rules.private_enabled) {
		refuse(asker, ERR_NOT_ALLOWED,
		    "This centre arranges no private links.");
	} else {
		link_agree(store, link);
		answer_agreed(store, asker, link);
	}
}

/* The same answer again is answered as before, the other one is refused. */
static void
answer_again(struct store *store, const struct asker *asker,
    const struct link *link, bool accept)
{
	if (link->state == LINK_MADE && accept)
		answer_agreed(store, asker, link);
	else if (link->state == LINK_MADE)
		refuse(asker, ERR_NOT_ALLOWED,
		    "You have accepted that; hang up to end it.");
	else if (accept)
		refuse(asker, ERR_DECLINED, "You have declined that.");
	else
		answer_declined(asker);
}

void
answer_answer(struct store *store, const struct asker *asker,
    const struct ipc_frame *frame)
{
	struct ipc_answer ask;
	struct link *link;

	memcpy(&ask, frame->body, sizeof(ask));
	if (!IPC_TERMINATED(ask.request)) {
		refuse(asker, ERR_BAD_REQUEST, NULL);
		return;
	}
	link =
	    link_by_request(asker->session, ask.request, strlen(ask.request));
	/* Another one's question is answered as one that there never was. */
	if (link == NULL || link_role(link, asker->session) != LINK_ASKED)
		refuse(asker, ERR_EXPIRED, NULL);
	else if (link->state != LINK_OPEN)
		answer_again(store, asker, link, ask.accept != 0);
	else if (ask.accept)
		agree(store, asker, link);
	else {
		link_decline(store, link);
		answer_declined(asker);
	}
}

void
answer_hangup(struct store *store, const struct asker *asker,
    const struct ipc_frame *frame)
{
	struct session *self = asker->session;
	const struct session *other;
	struct db_user user;
	struct link *link;

	if (!take_other(store, asker, frame, &user))
		return;
	other = session_by_user(store->sessions, user.id);
	if (other != NULL && other != self) {
		link = link_between(self, other, LINK_MADE);
		if (link != NULL)
			link_over(store, link, HANGUP_HANGUP, NULL);
		link = link_between(self, other, LINK_OPEN);
		/* Who takes a question back knows that. */
		if (link != NULL && link_role(link, self) == LINK_ASKER)
			link_over(store, link, HANGUP_HANGUP, self);
	}
	answer_done(asker);
}
