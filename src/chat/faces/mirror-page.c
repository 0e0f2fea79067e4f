/* SPDX-License-Identifier: ISC */
/*
 * What the mirror has asked the agent for, and what it makes of the replies:
 * the list, presence, pages of the history, what a search finds.  Pure, part
 * of the mirror; a reply that something later has overtaken changes nothing.
 */
#include "chat/faces/mirror-parts.h"

#include <stdlib.h>
#include <string.h>

#include "chat/faces/show.h"
#include "lib/wire.h"

enum { ASKED_MAX = 256 }; /* more an agent that answers never has before it */

/* ---- asking ---- */

static json_t *
request(const char *name)
{
	return json_pack("{s:s}", "do", name);
}

struct asked_for *
page_ask(struct mirror *mirror, enum asked what, json_t *wish)
{
	struct asked_for *asked = calloc(1, sizeof(*asked));

	if (asked == NULL || wish == NULL || mirror->asked_count >= ASKED_MAX) {
		json_decref(wish);
		free(asked);
		return NULL;
	}
	asked->what = what;
	asked->tag = mirror->calls.ask(mirror->arg, wish);
	if (asked->tag == -1) {
		free(asked);
		return NULL;
	}
	asked->next = mirror->asked;
	mirror->asked = asked;
	mirror->asked_count++;
	return asked;
}

void
page_ask_for(struct mirror *mirror, enum asked what, const char *name)
{
	page_ask(mirror, what, request(name));
}

/* Asks for a roll: only the last one that was asked for counts. */
static void
ask_roll(
    struct mirror *mirror, enum asked what, const char *name, uint64_t *roll)
{
	struct asked_for *asked = page_ask(mirror, what, request(name));

	if (asked != NULL)
		*roll = asked->mark = ++mirror->marks;
}

void
page_ask_online(struct mirror *mirror)
{
	ask_roll(mirror, ASKED_ONLINE, "online", &mirror->online_roll);
}

void
page_ask_links(struct mirror *mirror)
{
	ask_roll(mirror, ASKED_LINKS, "links", &mirror->link_roll);
}

void
page_say_seen(struct mirror *mirror)
{
	struct asked_for *asked;

	if (mirror->seen_asked || mirror->seen <= mirror->seen_said)
		return;
	asked = page_ask(mirror, ASKED_SEEN,
	    json_pack(
		"{s:s, s:I}", "do", "seen", "row", (json_int_t)mirror->seen));
	if (asked == NULL)
		return;
	mirror->seen_asked = true;
	mirror->seen_said = mirror->seen;
}

/* Forgets what may have got holes while nobody listened. */
static void
unload(struct mirror *mirror)
{
	struct rows none = {0};

	page_forget(mirror);
	for (size_t i = 0; i < mirror->names; i++)
		lines_replace(mirror, mirror->named[i], &none, false, false);
	mirror->seen = mirror->seen_said = 0;
	mirror->over = false;
}

void
mirror_begin(struct mirror *mirror)
{
	unload(mirror);
	page_ask(mirror, ASKED_NOTHING,
	    json_pack("{s:s, s:b}", "do", "watch", "talks", 1));
	mirror_refresh(mirror);
	page_ask_for(mirror, ASKED_TALKS, "talks");
	page_ask_online(mirror);
	ask_roll(mirror, ASKED_BLOCKED, "blocked", &mirror->block_roll);
	page_ask_links(mirror);
}

void
mirror_refresh(struct mirror *mirror)
{
	page_ask_for(mirror, ASKED_STATUS, "status");
}

/* ---- the user's own asking ---- */

/* A request for pages of one conversation. */
static json_t *
history(const struct talk *talk, int limit)
{
	json_t *wish = request("history");

	json_object_set_new(wish, "limit", json_integer(limit));
	if (talk != NULL && *talk->is.user == '\0')
		json_object_set_new(wish, "room", json_true());
	else if (talk != NULL)
		json_object_set_new(wish, "with", json_string(talk->is.user));
	return wish;
}

/* Asks for a page; where says from which row on, if from any. */
static void
load(struct mirror *mirror, struct talk *talk, enum asked what,
    const char *where, int64_t row)
{
	json_t *wish = history(talk, MIRROR_PAGE);
	struct asked_for *asked;

	if (where != NULL)
		json_object_set_new(wish, where, json_integer(row));
	asked = page_ask(mirror, what, wish);
	if (asked == NULL)
		return;
	asked->talk = talk;
	asked->edge = row;
	talk->load = asked->mark = ++mirror->marks;
	if (talk->is.loading)
		return;
	talk->is.loading = true;
	talk_changed(mirror, talk);
}

void
mirror_load(struct mirror *mirror, struct mirror_talk *talk)
{
	load(mirror, (struct talk *)talk, ASKED_PAGE, NULL, 0);
}

void
mirror_older(struct mirror *mirror, struct mirror_talk *talk)
{
	if (talk->loading || talk->start)
		return;
	if (talk->count == 0)
		mirror_load(mirror, talk);
	else
		load(mirror, (struct talk *)talk, ASKED_OLDER, "before",
		    talk->lines[0].row);
}

void
mirror_newer(struct mirror *mirror, struct mirror_talk *talk)
{
	if (talk->loading || talk->end)
		return;
	if (talk->count == 0)
		mirror_load(mirror, talk);
	else
		load(mirror, (struct talk *)talk, ASKED_NEWER, "after",
		    talk->lines[talk->count - 1].row);
}

void
mirror_around(struct mirror *mirror, struct mirror_talk *talk, int64_t row)
{
	load(mirror, (struct talk *)talk, ASKED_PAGE, "around", row);
}

void
mirror_search(
    struct mirror *mirror, struct mirror_talk *talk, const char *words)
{
	json_t *wish = history((struct talk *)talk, MIRROR_FOUND_MAX);
	struct asked_for *asked;

	/* Without words the agent would answer with everything. */
	if (words[strspn(words, " \t\n")] == '\0' ||
	    json_object_set_new(wish, "search", json_string(words)) == -1) {
		json_decref(wish);
		mirror->search = ++mirror->marks;
		if (mirror->calls.found != NULL)
			mirror->calls.found(mirror->arg, NULL, 0);
		return;
	}
	asked = page_ask(mirror, ASKED_FOUND, wish);
	if (asked == NULL)
		return;
	asked->found_in = calloc(MIRROR_FOUND_MAX, sizeof(struct talk *));
	mirror->search = asked->mark = ++mirror->marks;
}

void
mirror_read(struct mirror *mirror, struct mirror_talk *talk)
{
	json_t *wish;

	if (talk->unread == 0 && talk->read >= talk->last_row)
		return;
	wish = json_pack(
	    "{s:s, s:I}", "do", "read", "row", (json_int_t)talk->last_row);
	if (*talk->user == '\0')
		json_object_set_new(wish, "room", json_true());
	else
		json_object_set_new(wish, "with", json_string(talk->user));
	if (page_ask(mirror, ASKED_NOTHING, wish) == NULL)
		return;
	talk->unread = 0;
	talk->read = talk->last_row;
	talk_changed(mirror, (struct talk *)talk);
}

/* ---- what comes back ---- */

int64_t
page_time(const json_t *object, const char *key)
{
	const char *text = wire_get_string(object, key);
	int64_t ms;

	return text != NULL && wire_time_parse(text, &ms) == 0 ? ms : 0;
}

static void
take_status(struct mirror *mirror, const json_t *reply)
{
	mirror->reachable = wire_get_bool(reply, "reachable");
	mirror->synced = page_time(reply, "synced");
	if (mirror->calls.status != NULL)
		mirror->calls.status(mirror->arg);
}

/* One of the list.  What has come since it was made counts as well. */
static void
take_talk(struct mirror *mirror, const json_t *entry)
{
	const char *user = wire_get_string(entry, "user");
	const char *text = wire_get_string(entry, "text");
	int64_t row = row_of(entry, "row");
	int64_t unread = row_of(entry, "unread");
	int64_t read = row_of(entry, "read");
	struct talk *talk;

	if (!json_is_object(entry))
		return;
	talk = talk_make(mirror, user != NULL ? user : "");
	if (talk == NULL)
		return;
	if (read >= talk->is.read) {
		talk->is.read = read;
		if (row >= talk->counted || unread > talk->is.unread)
			talk->is.unread = unread;
	}
	if (row > talk->counted)
		talk->counted = row;
	if (!talk_last(mirror, talk, row, page_time(entry, "time"),
		text != NULL ? text : ""))
		talk_changed(mirror, talk);
}

static void
take_talks(struct mirror *mirror, const json_t *reply)
{
	const json_t *talks = json_object_get(reply, "talks");

	for (size_t i = 0; i < json_array_size(talks); i++)
		take_talk(mirror, json_array_get(talks, i));
}

/* The name in a list of names, or of objects with one. */
static const char *
name_in(const json_t *list, size_t i)
{
	const json_t *entry = json_array_get(list, i);

	return json_is_object(entry) ? wire_get_string(entry, "user")
				     : json_string_value(entry);
}

/* Who is online; at the last page, who is not. */
static void
take_online(struct mirror *mirror, const json_t *reply, uint64_t mark)
{
	const json_t *users = json_object_get(reply, "users");
	const char *user;
	struct talk *talk;

	for (size_t i = 0; i < json_array_size(users); i++) {
		user = name_in(users, i);
		if (user == NULL || *user == '\0' ||
		    strcmp(user, mirror->self) == 0 ||
		    (talk = talk_make(mirror, user)) == NULL)
			continue;
		talk->online_mark = mark;
		talk_online(mirror, talk, true);
	}
	if (wire_get_bool(reply, "more"))
		return;
	for (size_t i = 0; i < mirror->names; i++)
		if (mirror->named[i]->online_mark != mark)
			talk_online(mirror, mirror->named[i], false);
}

static void
set_blocked(struct mirror *mirror, struct talk *talk, bool blocked)
{
	if (talk->is.blocked == blocked)
		return;
	talk->is.blocked = blocked;
	talk_changed(mirror, talk);
}

static void
take_blocked(struct mirror *mirror, const json_t *reply, uint64_t mark)
{
	const json_t *users = json_object_get(reply, "users");
	const char *user;
	struct talk *talk;

	for (size_t i = 0; i < json_array_size(users); i++) {
		user = name_in(users, i);
		if (user == NULL || *user == '\0' ||
		    (talk = talk_make(mirror, user)) == NULL)
			continue;
		talk->block_mark = mark;
		set_blocked(mirror, talk, true);
	}
	if (wire_get_bool(reply, "more"))
		return;
	for (size_t i = 0; i < mirror->names; i++)
		if (mirror->named[i]->block_mark != mark)
			set_blocked(mirror, mirror->named[i], false);
}

/* One list of the links. */
static void
take_links_of(struct mirror *mirror, const json_t *reply, const char *key,
    enum mirror_link link, uint64_t mark)
{
	const json_t *list = json_object_get(reply, key), *entry;
	const char *user;
	struct talk *talk;

	for (size_t i = 0; i < json_array_size(list); i++) {
		entry = json_array_get(list, i);
		user = wire_get_string(entry, "user");
		if (user == NULL || *user == '\0' ||
		    (talk = talk_make(mirror, user)) == NULL)
			continue;
		talk->link_mark = mark;
		event_link(mirror, talk, link, entry);
	}
}

static void
take_links(struct mirror *mirror, const json_t *reply, uint64_t mark)
{
	struct talk *talk;

	take_links_of(mirror, reply, "waiting", MIRROR_WAITING, mark);
	take_links_of(mirror, reply, "links", MIRROR_LINKED, mark);
	/* A question is what the user must see, link or not. */
	take_links_of(mirror, reply, "asked", MIRROR_ASKING, mark);
	if (wire_get_bool(reply, "more"))
		return;
	for (size_t i = 0; i < mirror->names; i++) {
		talk = mirror->named[i];
		if (talk->link_mark != mark && talk->is.link != MIRROR_NO_LINK)
			event_link(mirror, talk, MIRROR_NO_LINK, NULL);
	}
}

/* The rows of one page of several. */
static void
take_rows(struct mirror *mirror, struct asked_for *asked, const json_t *reply)
{
	const json_t *rows = json_object_get(reply, "rows");
	struct mirror_line line;
	struct talk *talk;

	for (size_t i = 0; i < json_array_size(rows); i++) {
		if (asked->rows.count >= MIRROR_LINES_MAX)
			return;
		if (!line_read(mirror, json_array_get(rows, i), &line, &talk))
			continue;
		if (talk != asked->talk)
			line_clear(&line);
		else
			rows_add(&asked->rows, &line);
	}
}

/* True if what is loaded still ends where the page was to join it. */
static bool
joins(const struct asked_for *asked)
{
	const struct mirror_talk *talk = &asked->talk->is;

	return talk->count > 0 &&
	    talk->lines[asked->what == ASKED_OLDER ? 0 : talk->count - 1].row ==
	    asked->edge;
}

static void
take_page(struct mirror *mirror, struct asked_for *asked, const json_t *reply)
{
	struct talk *talk = asked->talk;
	bool start = wire_get_bool(reply, "start");
	bool end = wire_get_bool(reply, "end");
	bool none;

	if (talk->load != asked->mark)
		return;
	take_rows(mirror, asked, reply);
	if (wire_get_bool(reply, "more"))
		return;
	none = asked->rows.count == 0;
	talk->is.loading = false;
	if (!wire_get_bool(reply, "ok"))
		lines_unhold(mirror, talk);
	else if (asked->what == ASKED_PAGE)
		lines_replace(mirror, talk, &asked->rows, start, end);
	else if (!joins(asked))
		lines_unhold(mirror, talk);
	else if (asked->what == ASKED_OLDER)
		/* Nothing came: to ask again would help nobody. */
		lines_join(mirror, talk, &asked->rows, true, start || none);
	else
		lines_join(mirror, talk, &asked->rows, false, end || none);
	talk_changed(mirror, talk);
}

/* Why a search was refused. */
static void
say_refusal(struct mirror *mirror, const json_t *reply)
{
	char *text = NULL;
	size_t len;
	FILE *to = open_memstream(&text, &len);

	if (to == NULL)
		return;
	show_refusal(to, reply, "");
	if (fclose(to) == 0 && mirror->calls.say != NULL) {
		text[strcspn(text, "\n")] = '\0';
		mirror->calls.say(mirror->arg, NULL, "", text);
	}
	free(text);
}

/* All that was found, to the face. */
static void
tell_found(struct mirror *mirror, const struct asked_for *asked)
{
	size_t count = asked->rows.count;
	struct mirror_found *found =
	    calloc(count > 0 ? count : 1, sizeof(*found));

	if (found == NULL)
		return;
	for (size_t i = 0; i < count; i++)
		found[i] = (struct mirror_found){
		    &asked->found_in[i]->is, &asked->rows.lines[i]};
	if (mirror->calls.found != NULL)
		mirror->calls.found(mirror->arg, found, count);
	free(found);
}

static void
take_found(struct mirror *mirror, struct asked_for *asked, const json_t *reply)
{
	const json_t *rows = json_object_get(reply, "rows");
	struct mirror_line line;
	struct talk *talk;

	if (mirror->search != asked->mark)
		return;
	for (size_t i = 0; i < json_array_size(rows); i++) {
		if (asked->found_in == NULL ||
		    asked->rows.count >= MIRROR_FOUND_MAX)
			break;
		if (line_read(mirror, json_array_get(rows, i), &line, &talk) &&
		    rows_append(&asked->rows, &line))
			asked->found_in[asked->rows.count - 1] = talk;
	}
	if (wire_get_bool(reply, "more"))
		return;
	if (!wire_get_bool(reply, "ok"))
		say_refusal(mirror, reply);
	tell_found(mirror, asked);
}

/* What is answered goes its way; what was refused has told nothing. */
static void
route(struct mirror *mirror, struct asked_for *asked, const json_t *reply)
{
	bool good = wire_get_bool(reply, "ok");

	switch (asked->what) {
	case ASKED_NOTHING:
		break;
	case ASKED_STATUS:
		if (good)
			take_status(mirror, reply);
		break;
	case ASKED_TALKS:
		if (good)
			take_talks(mirror, reply);
		break;
	case ASKED_ONLINE:
		if (good && asked->mark == mirror->online_roll)
			take_online(mirror, reply, asked->mark);
		break;
	case ASKED_BLOCKED:
		if (good && asked->mark == mirror->block_roll)
			take_blocked(mirror, reply, asked->mark);
		break;
	case ASKED_LINKS:
		if (good && asked->mark == mirror->link_roll)
			take_links(mirror, reply, asked->mark);
		break;
	case ASKED_SEEN:
		mirror->seen_asked = false;
		page_say_seen(mirror);
		break;
	case ASKED_PAGE:
	case ASKED_OLDER:
	case ASKED_NEWER:
		take_page(mirror, asked, reply);
		break;
	case ASKED_FOUND:
		take_found(mirror, asked, reply);
		break;
	}
}

static void
asked_free(struct asked_for *asked)
{
	rows_release(&asked->rows);
	free(asked->found_in);
	free(asked);
}

/* Forgets what is answered, wherever it stands by now. */
static void
asked_done(struct mirror *mirror, struct asked_for *asked)
{
	struct asked_for **link = &mirror->asked;

	while (*link != asked)
		link = &(*link)->next;
	*link = asked->next;
	mirror->asked_count--;
	asked_free(asked);
}

bool
page_take(struct mirror *mirror, const json_t *reply)
{
	struct asked_for *asked = mirror->asked;
	int64_t tag = wire_get_number(reply, "tag", -1);

	while (asked != NULL && asked->tag != tag)
		asked = asked->next;
	if (asked == NULL)
		return false;
	route(mirror, asked, reply);
	if (!wire_get_bool(reply, "more"))
		asked_done(mirror, asked);
	return true;
}

/* Nothing that was asked for counts any more. */
void
page_forget(struct mirror *mirror)
{
	struct asked_for *asked;

	while ((asked = mirror->asked) != NULL) {
		mirror->asked = asked->next;
		asked_free(asked);
	}
	mirror->asked_count = 0;
	mirror->seen_asked = false;
	for (size_t i = 0; i < mirror->names; i++)
		mirror->named[i]->is.loading = false;
}
