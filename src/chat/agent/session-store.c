/* SPDX-License-Identifier: ISC */
/*
 * What a sync brought, from the centre's reply into the book: events are
 * decoded, checked and stored together with the cursors after them.  Runs in
 * the agent; must never let an event past its check, nor a cursor go back but
 * where the centre refuses it.
 */
#include "chat/agent/agent.h"

#include <stdlib.h>
#include <sysexits.h>

#include "chat/agent/private.h"
#include "chat/agent/reply.h"
#include "lib/log.h"
#include "lib/text.h"

/* A receipt: one of our messages has arrived. */
static void
fetched(void *arg, const char *id, const char *recipient)
{
	const struct agent *agent = arg;

	door_tell(agent->door, desk_state(id, recipient, "fetched"));
}

/* True if a centre lets a user say that. */
static bool
text_fits(const struct wire_string *text)
{
	return text->len > 0 && text->len <= TEXT_MAX_LEN &&
	    text_bad_at(text->s, text->len) == -1;
}

/* True if author, id and text, where the event has them, can be such. */
static bool
event_fits(const struct wire_event *event)
{
	char name[NAME_MAX_LEN + 1];

	if ((event->type == EVENT_MESSAGE || event->type == EVENT_BROADCAST) &&
	    !text_fits(&event->text))
		return false;
	return (event->user.s == NULL ||
		   name_fold(event->user.s, event->user.len, name)) &&
	    (event->id.s == NULL || id_valid(event->id.s, event->id.len));
}

/* The events of a reply, decoded; ids collects what is to be freed. */
static size_t
decode_events(struct agent *agent, const json_t *list,
    struct wire_event *events, char **ids)
{
	size_t count = 0, wrong = 0, i;
	const json_t *value;
	int code;

	json_array_foreach((json_t *)(uintptr_t)list, i, value)
	{
		ids[count] = NULL;
		code = wire_event_decode(value, &events[count], &ids[count]);
		if (code == 0 && event_fits(&events[count]) &&
		    private_fits(agent->private, &events[count])) {
			count++;
			continue;
		}
		wrong += code != 1;
		free(ids[count]);
	}
	if (wrong > 0)
		log_warn(
		    "the centre sent %zu malformed or unasked events", wrong);
	return count;
}

/* The greater of our cursor and the reply's: it never goes back. */
static int64_t
cursor(int64_t own, const json_t *reply, const char *key)
{
	int64_t number = wire_get_number(reply, key, own);

	return number > own ? number : own;
}

/*
 * Stores what a sync brought with the cursors after it, in one step; moved
 * says whether these are new.
 */
int
session_store(struct agent *agent, const json_t *reply, bool *moved)
{
	const json_t *list = json_object_get(reply, "events");
	size_t size = json_array_size(list) + 1, count;
	struct wire_event *events = calloc(size, sizeof(*events));
	char **ids = calloc(size, sizeof(*ids));
	struct book_place place = agent->place;
	int result;

	if (events == NULL || ids == NULL)
		fatal(EX_OSERR, "no memory");
	place.mail = cursor(place.mail, reply, "mail");
	place.room = cursor(place.room, reply, "room");
	*moved =
	    place.mail != agent->place.mail || place.room != agent->place.room;
	count = decode_events(agent, list, events, ids);
	result = 0;
	if (count > 0 || *moved)
		result = book_store(
		    agent->book, events, count, &place, fetched, agent);
	if (result == 0)
		agent->place = place;
	for (size_t i = 0; i < count; i++) {
		if (result == 0)
			private_event(agent->private, &events[i]);
		free(ids[i]);
	}
	free(ids);
	free(events);
	return result;
}

/*
 * Goes back to the beginning where the centre refuses our cursors.  The place
 * of the last login would acknowledge what was never stored; from the
 * beginning what comes again is known by author and id.
 */
int
session_afresh(struct agent *agent, const json_t *reply)
{
	if (reply_error(reply) != ERR_BAD_REQUEST ||
	    (agent->place.mail == 0 && agent->place.room == 0))
		return 0;
	agent->place.mail = agent->place.room = 0;
	return book_set_place(agent->book, &agent->place) == -1 ? -1 : 1;
}
