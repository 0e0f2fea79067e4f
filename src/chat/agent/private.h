/* SPDX-License-Identifier: ISC */
/*
 * Private links in the agent: what the centre says about them becomes
 * passes, listener and calls, in book and memory, and events for faces.  The
 * listener and every pass live as long as the session, and no longer.
 */
#ifndef CHAT_AGENT_PRIVATE_H
#define CHAT_AGENT_PRIVATE_H

#include "chat/agent/agent.h"
#include "chat/agent/identity.h"
#include "chat/agent/link.h"

enum {
	LETTERS_MAX = 256, /* under way to one user */
	LETTER_TRIES = 1, /* after an answer that was lost */
};

struct private
{
	struct agent *agent;
	struct links links;
	struct identity identity;
	bool identified;
	struct peer_listener *listener; /* NULL: nobody can call us */
	struct loop_timer timer; /* the next end of something */
};

/* ---- private.c */

/* One without links; never NULL.  It lives as long as the agent. */
struct private *private_new(struct agent *agent);

/* Listens, unless that is turned off, and says in a login's request where. */
void private_login(struct private *private, json_t *request);

/* The login was accepted; or a session of before goes on.  -1: the book. */
int private_begin(struct private *private);
int private_resume(struct private *private);

/* The session ends: all is refused from now on. */
void private_end(struct private *private);

/*
 * True unless the event would make a link that nobody wants.  What is about
 * links gets our time for the centre's.
 */
bool private_fits(struct private *private, struct wire_event *event);

/* An event of the centre that is in the book now. */
void private_event(struct private *private, const struct wire_event *event);

/* The user's link, made where there is none; NULL if there are too many. */
struct link *private_link(struct private *private, const char *user);

/*
 * There is a pass, which is in the book; held: its key is not the known one.
 * news: the faces are told of the link.
 */
void private_agreed(struct private *private, struct link *link,
    const struct wire_link *told, bool held, bool news);

/*
 * The link with that user is over, if there was one.  The book may fail with
 * it, and then the agent is over.
 */
void private_ended(
    struct private *private, const char *user, const char *reason);

/* Their question is open no more, and no link came of it: faces are told. */
void private_settled(const struct private *private, struct link *link);

/* Another key than the one that is remembered; the faces are told. */
void private_key_changed(
    struct private *private, const char *user, const char *shown);

/* This key is trusted now: a link with it begins, one with another ends. */
void private_trusted(
    struct private *private, const char *user, const char *pin);

/* Tells a face of the questions that are open. */
void private_questions(const struct private *private, struct face_end *face);

/* The next end of something has changed. */
void private_schedule(struct private *private);

/* The event of this name for a link that there is. */
json_t *private_link_event(const char *name, const struct link *link);

/* Host and port, or null where they take no links. */
void private_place(json_t *object, const struct link *link);

/* ---- private-call.c */

/* Writes a message down and sends it; the face is answered when it is over. */
void private_say(struct private *private, struct link *link, const char *text,
    struct waiter *waiter);

/* A pass that is new, or leads elsewhere. */
void private_renew(struct link *link);

/* Hangs up; what was on its way is kept. */
void private_hang_up(struct private *private, struct link *link);

/* ---- desk-link.c */

/*
 * What a reply of the centre means for links: the reply for the face, or
 * NULL if that is the centre's own.
 */
json_t *private_answered(
    struct agent *agent, const struct errand *errand, const json_t *reply);

#endif
