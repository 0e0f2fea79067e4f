/* SPDX-License-Identifier: ISC */
/*
 * Private links as the agent knows them: who has asked whom, until when,
 * which pass there is, and whether an event of the centre may make one.
 * Pure: the time, clock_mono(), is passed in; book and network are others'.
 */
#ifndef CHAT_AGENT_LINK_H
#define CHAT_AGENT_LINK_H

#include <stdbool.h>
#include <stdint.h>

#include "chat/agent/peer.h"
#include "lib/wire.h"

enum {
	/* Users at a time: a centre that invents some fills no memory. */
	LINKS_MAX = PEER_PASSES_MAX,
	/* What it takes to be told of an answer that came in time. */
	LINK_GRACE_MS = 5000,
	/* The answer to a question whose reply never came still counts. */
	LINK_ASKING_MS = 120000,
	/* Passes live for an hour; no centre makes one that lives for ever. */
	LINK_SECONDS_MAX = 7 * 24 * 3600,
};

/* One other user. */
struct link {
	struct link *next;
	char user[NAME_MAX_LEN + 1];

	/* They have asked: "" if not, or if it is answered. */
	char question[ID_MAX_LEN + 1];
	char question_pin[TLS_PIN_LEN + 1];
	int64_t question_until;
	bool lapsed; /* it is open no more, and all know that */

	/* We have asked. */
	char wanted[ID_MAX_LEN + 1]; /* "" until the centre has named it */
	int64_t wanted_until; /* 0: no */

	/* The pass: no secret, no link. */
	struct peer_pass pass;
	char host[PEER_HOST_LEN];
	int port; /* 0: they take none */
	bool held; /* the key is not the one that is remembered */

	/* private-call.c's: what is on its way there. */
	struct private *owner;
	struct peer_call *call;
	struct letter *letters;
};

struct links {
	struct link *first;
	int count;
};

/* The user's, or NULL. */
struct link *link_find(const struct links *links, const char *user);

/*
 * The user's, made where there is none; NULL if there are too many.  One of
 * which nothing is left may go for it: its name is in gone then, else "".
 */
struct link *link_make(struct links *links, const char *user, int64_t now,
    char gone[NAME_MAX_LEN + 1]);

/* Wipes and frees all; there must be no call any more. */
void links_wipe(struct links *links);

/* True if there is a pass, and if it may be used. */
bool link_agreed(const struct link *link, int64_t now);
bool link_live(const struct link *link, int64_t now);

/* True if their question can be answered, and if ours waits. */
bool link_asked(const struct link *link, int64_t now);
bool link_waiting(const struct link *link, int64_t now);

/*
 * True if the user wants to hear of an address: it is the answer to what was
 * asked, or renews what there is.  A centre makes no link by itself.
 */
bool link_welcome(const struct link *link, const char *request, int64_t now);

/* True if their question waits no more, and that is news. */
bool link_lapsing(const struct link *link, int64_t now);

/* They have asked; and we have, request "" until the centre has named it. */
void link_question(
    struct link *link, const struct wire_event *event, int64_t now);
void link_want(
    struct link *link, const char *request, int64_t seconds, int64_t now);

/* There is a pass; held: it may not be used until a key is trusted. */
void link_pass(
    struct link *link, const struct wire_link *told, int64_t now, bool held);

/* It is worth nothing any more. */
void link_end(struct link *link);

/* The passes that may be used, as peer_calls has it. */
size_t link_passes(const struct links *links, int64_t now,
    const struct peer_pass **out, size_t max);

/* When the next of them ends; INT64_MAX: none does. */
int64_t link_due(const struct links *links);

/* What is left of a time on the wall clock that began at since. */
int64_t link_left(int64_t since, int64_t until, int64_t wall);

/* Seconds of a duration, the begun one counted; none is 0. */
int64_t link_seconds(int64_t until, int64_t now);

#endif
