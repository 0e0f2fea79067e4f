/* SPDX-License-Identifier: ISC */
/*
 * Private links and the questions that they come from: a table in the
 * store's memory, found by session and walked by time.  A link holds for one
 * pair of sessions and never outlives either.  Knows no database and no
 * clock.
 */
#ifndef CHATD_LINK_H
#define CHATD_LINK_H

#include <stddef.h>
#include <stdint.h>

#include "chatd/store/session.h"

enum {
	LINKS_ASKING = 64, /* open questions to one user: of one mailbox */
	LINKS_MOST = 256, /* of one session, whatever their state */
};

enum link_state {
	LINK_OPEN, /* a question that waits */
	LINK_DECLINED, /* kept so that the same answer can come again */
	LINK_MADE, /* there is a pass */
	LINK_STATES
};

enum link_role { LINK_ASKER, LINK_ASKED };

struct link_end {
	struct session *session;
	struct link *next; /* of that session */
	struct ipc_address host; /* that the other end was told */
	int64_t mail; /* the event that speaks of it, or 0 */
};

struct link {
	char request[WIRE_REQUEST_LEN + 1];
	char pass[WIRE_TOKEN_LEN + 1]; /* "" until it is made */
	enum link_state state;
	int64_t until; /* monotonic */
	struct link_end end[2]; /* by enum link_role */
	struct link *earlier, *later; /* of its queue, by until */
};

struct link_queue {
	struct link *first, *last;
};

/* Questions and passes apart: those of a kind come in the order of time. */
struct links {
	struct link_queue questions, passes;
	size_t count[LINK_STATES];
};

/* A question that ends at until; NULL if there is no memory. */
struct link *link_new(struct links *links, const char *request,
    struct session *asker, struct session *asked, int64_t until);
/* Another state, another end. */
void link_set(struct links *links, struct link *link, enum link_state state,
    int64_t until);
void link_free(struct links *links, struct link *link);
void links_clear(struct links *links);

/* What the session is to one of its links. */
enum link_role link_role(
    const struct link *link, const struct session *session);
/* The next of a session's links. */
struct link *link_next(const struct link *link, const struct session *session);

/* The one of that state between these two, whoever asked, or NULL. */
struct link *link_between(const struct session *one,
    const struct session *other, enum link_state state);
struct link *link_by_request(
    const struct session *session, const char *request, size_t len);

/* How many links the session has, and how many open questions to it. */
size_t link_count(const struct session *session, size_t *asking);

/* The link that ends first, or NULL. */
struct link *links_first(const struct links *links);

#endif
