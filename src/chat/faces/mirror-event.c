/* SPDX-License-Identifier: ISC */
/*
 * What happens, as the agent tells it, and what it changes in the mirror.
 * Pure, part of the mirror; its sentences are those of the line face.
 */
#include "chat/faces/mirror-parts.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "chat/faces/show.h"
#include "lib/wire.h"

/* ---- words ---- */

/* An event in words without the last newline, into fresh memory, or NULL. */
static char *
words_of(const struct mirror *mirror, const json_t *event, int *status)
{
	char *text = NULL;
	size_t len = 0;
	FILE *to = open_memstream(&text, &len);

	if (to == NULL)
		return NULL;
	*status = show_event_to(to, event, mirror->self);
	if (fclose(to) != 0) {
		free(text);
		return NULL;
	}
	if (len > 0 && text[len - 1] == '\n')
		text[len - 1] = '\0';
	return text;
}

/* Says an event, if there is anything to be said of it. */
static void
say(struct mirror *mirror, struct talk *talk, const json_t *event)
{
	int status;
	char *text = words_of(mirror, event, &status);

	if (text != NULL && *text != '\0' && mirror->calls.say != NULL)
		mirror->calls.say(mirror->arg, seen_as(talk),
		    wire_get_string(event, "event"), text);
	free(text);
}

static void
tell_status(struct mirror *mirror)
{
	if (mirror->calls.status != NULL)
		mirror->calls.status(mirror->arg);
}

/* ---- lines ---- */

/* The event as a line; false if it is none. */
static bool
line_of(const json_t *event, enum mirror_kind kind, const char *from,
    struct mirror_line *line)
{
	const char *time = wire_get_string(event, "time");
	const char *text = wire_get_string(event, "text");

	*line = (struct mirror_line){.kind = kind};
	if (text == NULL ||
	    (time != NULL && wire_time_parse(time, &line->time) == -1))
		return false;
	if (text_set(&line->from, from) && text_set(&line->text, text) &&
	    text_set(&line->id, wire_get_string(event, "id")) &&
	    text_set(&line->reason, ""))
		return true;
	line_clear(line);
	return false;
}

/* Counts a line that somebody else wrote; false if it was counted before. */
static bool
count_line(struct talk *talk, int64_t row)
{
	if (row <= talk->counted)
		return false;
	talk->counted = row;
	if (row > talk->is.read)
		talk->is.unread++;
	return true;
}

static void
take_line(struct mirror *mirror, const json_t *event, enum mirror_kind kind,
    const char *with)
{
	const char *from = wire_get_string(event, "from");
	struct mirror_line line, copy;
	struct talk *talk = talk_make(mirror, with);
	bool fresh;

	if (talk == NULL || !line_of(event, kind, from, &line))
		return;
	line.row = row_of(event, "row");
	if (line.row == 0 || !line_of(event, kind, from, &copy)) {
		line_clear(&line);
		return;
	}
	copy.row = line.row;
	fresh = count_line(talk, line.row);
	lines_arrived(mirror, talk, &line);
	if (!talk_last(mirror, talk, copy.row, copy.time, copy.text) && fresh)
		talk_changed(mirror, talk);
	if (fresh && !wire_get_bool(event, "earlier") &&
	    mirror->calls.arrived != NULL)
		mirror->calls.arrived(mirror->arg, &talk->is, &copy);
	line_clear(&copy);
}

/* From a person: a name, and never the room's. */
static void
take_from(struct mirror *mirror, const json_t *event, enum mirror_kind kind)
{
	const char *from = wire_get_string(event, "from");

	if (from != NULL && *from != '\0')
		take_line(mirror, event, kind, from);
}

static void
on_message(struct mirror *mirror, const json_t *event)
{
	take_from(mirror, event, MIRROR_MESSAGE);
}

static void
on_private(struct mirror *mirror, const json_t *event)
{
	take_from(mirror, event, MIRROR_PRIVATE);
}

static void
on_broadcast(struct mirror *mirror, const json_t *event)
{
	take_line(mirror, event, MIRROR_BROADCAST, "");
}

static void
on_notice(struct mirror *mirror, const json_t *event)
{
	take_line(mirror, event, MIRROR_NOTICE, "");
}

/* A message of the user's own, typed in whichever face. */
static void
take_own(struct mirror *mirror, struct talk *talk, const json_t *event,
    enum mirror_kind kind)
{
	struct mirror_line line;
	int64_t row = row_of(event, "own"), time;
	char *text;

	if (row == 0 || !line_of(event, kind, mirror->self, &line))
		return;
	line.row = row;
	line.state = MIRROR_QUEUED;
	time = line.time;
	text = strdup(line.text);
	lines_arrived(mirror, talk, &line);
	talk_last(mirror, talk, row, time, text != NULL ? text : "");
	free(text);
}

/* Why a message did not arrive: a sentence, or what the agent calls it. */
static char *
reason_of(
    const struct mirror *mirror, const json_t *event, enum mirror_state state)
{
	const char *reason = wire_get_string(event, "reason");
	char *text = NULL;
	int status;

	if (state != MIRROR_REFUSED && state != MIRROR_KEPT)
		return NULL;
	if (state == MIRROR_REFUSED)
		text = words_of(mirror, event, &status);
	if (text == NULL && reason != NULL)
		text = strdup(reason);
	return text;
}

static void
on_state(struct mirror *mirror, const json_t *event)
{
	const char *to = wire_get_string(event, "to");
	struct state_news news = {.id = wire_get_string(event, "id")};
	struct talk *talk;
	char *reason;

	if (!state_find(wire_get_string(event, "state"), &news.state) ||
	    news.state == MIRROR_RECEIVED || news.id == NULL ||
	    (to != NULL && *to == '\0'))
		return;
	talk = talk_make(mirror, to != NULL ? to : "");
	if (talk == NULL)
		return;
	news.kind = wire_get_bool(event, "private") ? MIRROR_PRIVATE
	    : to != NULL                            ? MIRROR_MESSAGE
						    : MIRROR_BROADCAST;
	if (news.state == MIRROR_QUEUED)
		take_own(mirror, talk, event, news.kind);
	reason = reason_of(mirror, event, news.state);
	news.reason = reason;
	lines_state(mirror, talk, &news);
	free(reason);
	say(mirror, talk, event);
}

static void
on_read(struct mirror *mirror, const json_t *event)
{
	const char *user = wire_get_string(event, "user");
	struct talk *talk = talk_find(mirror, user != NULL ? user : "");
	int64_t row = row_of(event, "row");
	int64_t unread = row_of(event, "unread");

	if (talk == NULL || row == 0 || row < talk->is.read)
		return;
	talk->is.read = row;
	talk->is.unread = unread;
	talk_changed(mirror, talk);
}

/* ---- people ---- */

/* The one that an event is about, oneself and the room apart. */
static struct talk *
person(struct mirror *mirror, const json_t *event, const char *key)
{
	const char *user = wire_get_string(event, key);

	if (user == NULL || *user == '\0' || strcmp(user, mirror->self) == 0)
		return NULL;
	return talk_make(mirror, user);
}

static void
take_presence(struct mirror *mirror, const json_t *event, bool online)
{
	struct talk *talk = person(mirror, event, "user");

	if (talk == NULL)
		return;
	/* This is newer than a roll that is being called. */
	talk->online_mark = online ? mirror->online_roll : 0;
	talk_online(mirror, talk, online);
	if (!wire_get_bool(event, "earlier"))
		say(mirror, talk, event);
}

static void
on_login(struct mirror *mirror, const json_t *event)
{
	take_presence(mirror, event, true);
}

static void
on_logout(struct mirror *mirror, const json_t *event)
{
	take_presence(mirror, event, false);
}

static void
take_block(struct mirror *mirror, const json_t *event, bool blocked)
{
	struct talk *talk = person(mirror, event, "user");

	if (talk == NULL)
		return;
	talk->block_mark = blocked ? mirror->block_roll : 0;
	if (talk->is.blocked == blocked)
		return;
	talk->is.blocked = blocked;
	talk_changed(mirror, talk);
}

static void
on_blocked(struct mirror *mirror, const json_t *event)
{
	take_block(mirror, event, true);
}

static void
on_unblocked(struct mirror *mirror, const json_t *event)
{
	take_block(mirror, event, false);
}

/* ---- private links ---- */

/* Until when: a time, or so many seconds from now; 0 if neither is said. */
static int64_t
until_of(const struct mirror *mirror, const json_t *object)
{
	const char *until = wire_get_string(object, "until");
	int64_t seconds = wire_get_number(object, "expires_in", 0), ms;

	if (until != NULL && wire_time_parse(until, &ms) == 0)
		return ms;
	/* No question and no link lasts for a year. */
	if (seconds <= 0 || seconds > 365 * 86400)
		return 0;
	return mirror->now + seconds * 1000;
}

/* Their key, and whether it is another than the remembered one. */
static void
set_key(struct mirror_talk *talk, const char *shown, const char *known)
{
	talk->changed = known != NULL;
	text_set(&talk->fingerprint, shown);
	text_set(&talk->known, known);
}

void
event_link(struct mirror *mirror, struct talk *talk, enum mirror_link link,
    const json_t *object)
{
	struct mirror_talk *is = &talk->is;
	const char *key = wire_get_string(object, "fingerprint");
	const char *changed = wire_get_string(object, "changed");

	is->link = link;
	is->until = until_of(mirror, object);
	is->port = wire_get_number(object, "port", 0);
	text_set(&is->host, wire_get_string(object, "host"));
	if (changed != NULL)
		set_key(is, changed, key);
	else if (link == MIRROR_LINKED || (key != NULL && !is->changed))
		set_key(is, key, NULL);
	else if (!is->changed)
		text_set(&is->fingerprint, "");
	talk_changed(mirror, talk);
}

static void
on_ask(struct mirror *mirror, const json_t *event)
{
	struct talk *talk = person(mirror, event, "from");

	if (talk == NULL)
		return;
	talk->link_mark = mirror->link_roll;
	event_link(mirror, talk, MIRROR_ASKING, event);
	say(mirror, talk, event);
}

/* Any other step of a link: what it is now, and the words for it. */
static void
take_step(struct mirror *mirror, const json_t *event, enum mirror_link link)
{
	struct talk *talk = person(mirror, event, "user");

	if (talk == NULL)
		return;
	talk->link_mark = mirror->link_roll;
	event_link(mirror, talk, link, event);
	/* Of what was done in this face it knows more than we could say. */
	if (!wire_get_bool(event, "yours"))
		say(mirror, talk, event);
}

static void
on_asked(struct mirror *mirror, const json_t *event)
{
	take_step(mirror, event, MIRROR_WAITING);
}

static void
on_agreed(struct mirror *mirror, const json_t *event)
{
	take_step(mirror, event, MIRROR_LINKED);
}

static void
on_hangup(struct mirror *mirror, const json_t *event)
{
	take_step(mirror, event, MIRROR_NO_LINK);
}

/* A question is open no more, if it was; a link that there is stays. */
static void
close_question(struct mirror *mirror, const json_t *event, enum mirror_link was)
{
	struct talk *talk = person(mirror, event, "user");

	if (talk == NULL)
		return;
	if (talk->is.link == was)
		event_link(mirror, talk, MIRROR_NO_LINK, NULL);
	say(mirror, talk, event);
}

static void
on_declined(struct mirror *mirror, const json_t *event)
{
	close_question(mirror, event, MIRROR_WAITING);
}

static void
on_settled(struct mirror *mirror, const json_t *event)
{
	close_question(mirror, event, MIRROR_ASKING);
}

static void
on_key_changed(struct mirror *mirror, const json_t *event)
{
	struct talk *talk = person(mirror, event, "user");
	const char *shown = wire_get_string(event, "shown");
	const char *known = wire_get_string(event, "known");

	if (talk == NULL)
		return;
	/* A question of theirs still waits for its answer. */
	if (talk->is.link != MIRROR_ASKING)
		event_link(mirror, talk, MIRROR_NO_LINK, NULL);
	set_key(&talk->is, shown, known != NULL ? known : "");
	talk_changed(mirror, talk);
	say(mirror, talk, event);
}

/* What was agreed on may begin now. */
static void
on_trusted(struct mirror *mirror, const json_t *event)
{
	struct talk *talk = person(mirror, event, "user");

	if (talk == NULL)
		return;
	set_key(&talk->is, wire_get_string(event, "fingerprint"), NULL);
	talk_changed(mirror, talk);
	page_ask_links(mirror);
}

/* ---- the centre and the session ---- */

static void
on_gap(struct mirror *mirror, const json_t *event)
{
	say(mirror, talk_make(mirror, ""), event);
	page_ask_online(mirror);
}

static void
on_unreachable(struct mirror *mirror, const json_t *event)
{
	mirror->reachable = false;
	if (page_time(event, "synced") > 0)
		mirror->synced = page_time(event, "synced");
	tell_status(mirror);
	say(mirror, NULL, event);
}

static void
on_reachable(struct mirror *mirror, const json_t *event)
{
	mirror->reachable = true;
	tell_status(mirror);
	say(mirror, NULL, event);
	page_ask_online(mirror);
}

/* The session has ended, or the agent cannot go on. */
static void
on_end(struct mirror *mirror, const json_t *event)
{
	if (mirror->over)
		return;
	mirror->over = true;
	free(mirror->why);
	mirror->why = words_of(mirror, event, &mirror->exit);
	tell_status(mirror);
}

static const struct event_row {
	const char *name;
	void (*fn)(struct mirror *mirror, const json_t *event);
	bool centre; /* it is a word of the centre */
} rows[] = {
    {"message", on_message, true},
    {"broadcast", on_broadcast, true},
    {"notice", on_notice, true},
    {"private", on_private, false},
    {"state", on_state, false},
    {"read", on_read, false},
    {"login", on_login, true},
    {"logout", on_logout, true},
    {"blocked", on_blocked, true},
    {"unblocked", on_unblocked, true},
    {"ask", on_ask, true},
    {"asked", on_asked, true},
    {"address", on_agreed, true},
    {"accepted", on_agreed, true},
    {"declined", on_declined, true},
    {"settled", on_settled, false},
    {"hangup", on_hangup, false},
    {"key-changed", on_key_changed, false},
    {"trusted", on_trusted, false},
    {"gap", on_gap, true},
    {"unreachable", on_unreachable, false},
    {"reachable", on_reachable, true},
    {"logged-out", on_end, false},
    {"failed", on_end, false},
};

/* What is not known is skipped, but for its row. */
void
event_take(struct mirror *mirror, const json_t *event)
{
	const char *name = wire_get_string(event, "event");
	int64_t row = row_of(event, "row");

	for (size_t i = 0; name != NULL && i < sizeof(rows) / sizeof(*rows);
	     i++)
		if (strcmp(rows[i].name, name) == 0) {
			if (rows[i].centre)
				mirror->synced = mirror->now;
			rows[i].fn(mirror, event);
			break;
		}
	/* The row of `read` is no event's. */
	if (name != NULL && strcmp(name, "read") == 0)
		return;
	if (row > mirror->seen)
		mirror->seen = row;
	page_say_seen(mirror);
}
