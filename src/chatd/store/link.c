/* SPDX-License-Identifier: ISC */
/*
 * The table of private links: each hangs on both of its sessions and stands
 * in one of two queues.  Part of the store; decides nothing and tells nobody.
 */
#include <stdlib.h>
#include <string.h>

#include "chatd/store/link.h"

/* Where links of that state wait for their end. */
static struct link_queue *
queue_of(struct links *links, enum link_state state)
{
	return state == LINK_MADE ? &links->passes : &links->questions;
}

/*
 * Behind all that end no later.  All of a kind last equally long, so that is
 * the last place, until the configuration says otherwise.
 */
static void
enqueue(struct links *links, struct link *link)
{
	struct link_queue *queue = queue_of(links, link->state);
	struct link *before = queue->last;

	while (before != NULL && before->until > link->until)
		before = before->earlier;
	link->earlier = before;
	link->later = before != NULL ? before->later : queue->first;
	if (link->earlier != NULL)
		link->earlier->later = link;
	else
		queue->first = link;
	if (link->later != NULL)
		link->later->earlier = link;
	else
		queue->last = link;
	links->count[link->state]++;
}

static void
dequeue(struct links *links, struct link *link)
{
	struct link_queue *queue = queue_of(links, link->state);

	if (link->earlier != NULL)
		link->earlier->later = link->later;
	else
		queue->first = link->later;
	if (link->later != NULL)
		link->later->earlier = link->earlier;
	else
		queue->last = link->earlier;
	links->count[link->state]--;
}

/* Takes the link off the session that this end stands for. */
static void
unhang(struct link *link, enum link_role role)
{
	struct session *session = link->end[role].session;
	struct link **at = &session->links;

	while (*at != link)
		at = &(*at)->end[link_role(*at, session)].next;
	*at = link->end[role].next;
}

struct link *
link_new(struct links *links, const char *request, struct session *asker,
    struct session *asked, int64_t until)
{
	struct link *link = calloc(1, sizeof(*link));

	if (link == NULL)
		return NULL;
	memcpy(link->request, request, sizeof(link->request));
	link->until = until;
	link->end[LINK_ASKER].session = asker;
	link->end[LINK_ASKED].session = asked;
	for (int role = LINK_ASKER; role <= LINK_ASKED; role++) {
		struct link_end *end = &link->end[role];

		end->next = end->session->links;
		end->session->links = link;
	}
	enqueue(links, link);
	return link;
}

void
link_set(struct links *links, struct link *link, enum link_state state,
    int64_t until)
{
	dequeue(links, link);
	link->state = state;
	link->until = until;
	enqueue(links, link);
}

void
link_free(struct links *links, struct link *link)
{
	dequeue(links, link);
	unhang(link, LINK_ASKER);
	unhang(link, LINK_ASKED);
	ipc_wipe(link->pass, sizeof(link->pass));
	free(link);
}

void
links_clear(struct links *links)
{
	struct link *link;

	while ((link = links_first(links)) != NULL)
		link_free(links, link);
}

enum link_role
link_role(const struct link *link, const struct session *session)
{
	return link->end[LINK_ASKER].session == session ? LINK_ASKER
							: LINK_ASKED;
}

struct link *
link_next(const struct link *link, const struct session *session)
{
	return link->end[link_role(link, session)].next;
}

struct link *
link_between(const struct session *one, const struct session *other,
    enum link_state state)
{
	struct link *each = one->links;

	while (each != NULL &&
	    (each->state != state ||
		each->end[!link_role(each, one)].session != other))
		each = link_next(each, one);
	return each;
}

struct link *
link_by_request(const struct session *session, const char *request, size_t len)
{
	struct link *each = session->links;

	if (len != WIRE_REQUEST_LEN)
		return NULL;
	while (each != NULL && memcmp(each->request, request, len) != 0)
		each = link_next(each, session);
	return each;
}

size_t
link_count(const struct session *session, size_t *asking)
{
	const struct link *each = session->links;
	size_t count = 0;

	*asking = 0;
	for (; each != NULL; each = link_next(each, session)) {
		count++;
		if (each->state == LINK_OPEN &&
		    link_role(each, session) == LINK_ASKED)
			++*asking;
	}
	return count;
}

struct link *
links_first(const struct links *links)
{
	struct link *question = links->questions.first;
	struct link *pass = links->passes.first;

	if (question == NULL || pass == NULL)
		return question != NULL ? question : pass;
	return question->until <= pass->until ? question : pass;
}
