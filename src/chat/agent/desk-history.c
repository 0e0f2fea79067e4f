/* SPDX-License-Identifier: ISC */
/*
 * What faces may ask about what was said: to watch it come, to read it page
 * by page, and to say what was shown and what has been read.  Runs in the
 * agent; what goes out at a time is bounded, however much there is.
 */
#include "chat/agent/desk-parts.h"

#include <string.h>
#include <sysexits.h>

#include "chat/agent/private.h"
#include "lib/text.h"
#include "lib/wire.h"

enum {
	PAGE_OCTETS = 48 * 1024, /* of one line's rows: a tag has room, too */
	/* More at a time would come near what drops a face that lags. */
	SIDE_OCTETS = 128 * 1024,
	TALKS_OCTETS = 512 * 1024,
	SEARCH_MAX_LEN = 256, /* few enough words for the index's grammar */
	BEGINNING_LEN = 200, /* of the last text, in a list */
};

/* ---- several lines for one request */

/* One page that fills, of those with this member. */
struct pages {
	const struct wish *wish;
	const char *key;
	json_t *page;
	size_t size;
};

/* The octets of an object in a line. */
static size_t
octets(const json_t *object)
{
	return json_dumpb(object, NULL, 0, JSON_COMPACT) + 1;
}

/* Sends what there is of a page; the last one goes with its reply. */
static void
send_page(struct pages *pages, json_t *reply)
{
	json_object_set_new(reply, pages->key, pages->page);
	door_send(pages->wish->face, reply);
	pages->page = NULL;
	pages->size = 0;
}

/* One entry more (taken over). */
static void
add_entry(struct pages *pages, json_t *entry)
{
	size_t size = octets(entry);
	json_t *reply;

	if (pages->size > 0 && pages->size + size > PAGE_OCTETS) {
		reply = wire_accept(pages->wish->tag);
		json_object_set_new(reply, "more", json_true());
		send_page(pages, reply);
		pages->page = json_array();
	}
	json_array_append_new(pages->page, entry);
	pages->size += size;
}

/* ---- what was said */

static void
put_string(json_t *entry, const char *key, const char *value)
{
	if (*value != '\0')
		json_object_set_new(entry, key, json_string(value));
}

static void
put_time(json_t *entry, int64_t ms)
{
	char time[WIRE_TIME_LEN + 1];

	wire_time_format(ms, time);
	json_object_set_new(entry, "time", json_string(time));
}

/* One row, for a face. */
static json_t *
row_entry(const struct agent *agent, const struct book_row *row)
{
	static const char *const states[] = {
	    [BOOK_RECEIVED] = "received",
	    [BOOK_QUEUED] = "queued",
	    [BOOK_ACCEPTED] = "accepted",
	    [BOOK_FETCHED] = "fetched",
	    [BOOK_REFUSED] = "refused",
	    [BOOK_CALLING] = "calling",
	    [BOOK_KEPT] = "kept",
	};
	bool presence = row->kind == BOOK_LOGIN || row->kind == BOOK_LOGOUT;
	bool to_us = row->state == BOOK_RECEIVED &&
	    (row->kind == BOOK_MESSAGE || row->kind == BOOK_PRIVATE);
	json_t *entry = json_object();

	json_object_set_new(entry, "row", json_integer(row->number));
	json_object_set_new(
	    entry, "kind", json_string(book_kind_name(row->kind)));
	put_time(entry, row->time);
	put_string(entry, "from", row->author);
	put_string(entry, "to", to_us ? agent->account->user : row->recipient);
	put_string(entry, "id", *row->id != '!' ? row->id : "");
	put_string(entry, presence ? "reason" : "text", row->text);
	json_object_set_new(entry, "state", json_string(states[row->state]));
	put_string(entry, "reason", row->reason);
	return entry;
}

/* A row's number out of a member; -1 if it is none. */
static int64_t
row_number(const json_t *value)
{
	int64_t row = json_is_integer(value) ? json_integer_value(value) : -1;

	return row >= 0 ? row : -1;
}

/* Which conversation is meant, if one is; a sentence if that is wrong. */
static const char *
talk_meant(const json_t *line, const char **user, char name[NAME_MAX_LEN + 1])
{
	const json_t *with = json_object_get(line, "with");
	bool room = wire_get_bool(line, "room");

	*user = NULL;
	if (with != NULL && room)
		return "It is with one user, or in the room.";
	if (room)
		*user = "";
	if (with == NULL)
		return NULL;
	if (!json_is_string(with) ||
	    !name_fold(json_string_value(with), json_string_length(with), name))
		return "That is not a user name.";
	*user = name;
	return NULL;
}

/* From where on; a sentence if that is wrong. */
static const char *
page_from(const json_t *line, struct book_page *page)
{
	static const char *const names[] = {
	    [PAGE_BEFORE] = "before",
	    [PAGE_AFTER] = "after",
	    [PAGE_AROUND] = "around",
	};
	const json_t *value;

	page->from = PAGE_NEWEST;
	for (int i = PAGE_BEFORE; i <= PAGE_AROUND; i++) {
		value = json_object_get(line, names[i]);
		if (value == NULL)
			continue;
		if (page->from != PAGE_NEWEST)
			return "A page begins at one row.";
		page->from = (enum book_from)i;
		page->row = row_number(value);
		if (page->row == -1)
			return "That is no row.";
	}
	return NULL;
}

/* What page is wanted; a sentence about what is wrong with it, or NULL. */
const char *
desk_page_wish(const json_t *line, struct desk_page *wanted)
{
	struct book_page *page = &wanted->page;
	const json_t *limit = json_object_get(line, "limit");
	const json_t *words = json_object_get(line, "search");
	const char *wrong = talk_meant(line, &page->user, wanted->user);

	if (wrong == NULL)
		wrong = page_from(line, page);
	if (wrong != NULL)
		return wrong;
	page->presence = wire_get_bool(line, "presence");
	page->limit = limit == NULL ? DESK_PAGE : row_number(limit);
	if (page->limit < 1 || page->limit > DESK_PAGE_MAX)
		return "A page has 1 to 500 rows.";
	page->words = words == NULL ? "" : json_string_value(words);
	if (page->words == NULL || json_string_length(words) > SEARCH_MAX_LEN)
		return "Those are no words to search for, or too many.";
	return NULL;
}

/* Rows in their order: those below the middle come backwards. */
struct rows {
	const struct agent *agent;
	json_t *list;
	int64_t middle;
	size_t below, above; /* octets */
};

static bool
take_row(void *arg, const struct book_row *row)
{
	struct rows *rows = arg;
	json_t *entry = row_entry(rows->agent, row);
	size_t *size =
	    row->number <= rows->middle ? &rows->below : &rows->above;

	*size += octets(entry);
	if (row->number <= rows->middle)
		json_array_insert_new(rows->list, 0, entry);
	else
		json_array_append_new(rows->list, entry);
	return *size < SIDE_OCTETS;
}

/* Sends the rows, and whether there is more on either side. */
static void
send_rows(const struct wish *wish, json_t *list, bool start, bool end)
{
	struct pages pages = {wish, "rows", json_array(), 0};
	json_t *entry, *reply = wire_accept(wish->tag);
	size_t i;

	json_array_foreach(list, i, entry)
	{
		add_entry(&pages, json_incref(entry));
	}
	json_object_set_new(reply, "start", json_boolean(start));
	json_object_set_new(reply, "end", json_boolean(end));
	send_page(&pages, reply);
}

/* A page of what was said. */
void
desk_history(struct agent *agent, const struct wish *wish)
{
	struct desk_page wanted;
	const char *wrong = desk_page_wish(wish->line, &wanted);
	struct rows rows = {.agent = agent, .middle = INT64_MAX};
	bool start, end;

	if (wrong != NULL) {
		desk_no(wish, "bad-request", wrong);
		return;
	}
	if (wanted.page.from == PAGE_AFTER || wanted.page.from == PAGE_AROUND)
		rows.middle = wanted.page.row;
	rows.list = json_array();
	if (book_page(
		agent->book, &wanted.page, take_row, &rows, &start, &end) == 0)
		send_rows(wish, rows.list, start, end);
	else
		desk_fail(agent, wish);
	json_decref(rows.list);
}

/* ---- conversations */

/* How much of a text is its beginning: whole characters. */
static size_t
beginning(const char *text)
{
	size_t len = strlen(text);

	if (len <= BEGINNING_LEN)
		return len;
	len = BEGINNING_LEN;
	while (len > 0 && ((unsigned char)text[len] & 0xc0) == 0x80)
		len--;
	return len;
}

struct talks {
	struct pages pages;
	size_t size;
	bool room; /* it was among them */
};

static bool
talk_entry(void *arg, const struct book_talk *talk)
{
	struct talks *talks = arg;
	json_t *entry;

	/* There is an end to it, but none without the room. */
	if (talks->size > TALKS_OCTETS && *talk->user != '\0')
		return !talks->room;
	entry = json_object();
	put_string(entry, "user", talk->user);
	json_object_set_new(entry, "row", json_integer(talk->last));
	if (talk->last > 0)
		put_time(entry, talk->time);
	json_object_set_new(entry, "unread", json_integer(talk->unread));
	json_object_set_new(entry, "read", json_integer(talk->read));
	put_string(entry, "from", talk->author);
	if (*talk->text != '\0')
		json_object_set_new(entry, "text",
		    json_stringn(talk->text, beginning(talk->text)));
	talks->room |= *talk->user == '\0';
	talks->size += octets(entry);
	add_entry(&talks->pages, entry);
	return true;
}

/* With whom there was a conversation, and what is unread of it. */
void
desk_talks(struct agent *agent, const struct wish *wish)
{
	struct talks talks = {.pages = {wish, "talks", json_array(), 0}};

	if (book_talks(agent->book, talk_entry, &talks) == 0) {
		send_page(&talks.pages, wire_accept(wish->tag));
		return;
	}
	json_decref(talks.pages.page);
	desk_fail(agent, wish);
}

/* ---- what was shown, and what has been read */

/*
 * After {"do": "watch"} each event out of the book has its "row".  A face that
 * has really written it out says {"do": "seen", "row": N}, which holds for all
 * rows up to N and is answered only if it is wrong or has a tag.  What no face
 * has confirmed is given again at the next watch: nothing is lost, and twice
 * is shown only what was written by a face that died before it said so.
 * {"do": "watch", "auto": true} is for those who do not want to confirm: what
 * their socket took counts as shown, and may be lost with them.
 *
 * Seen is not read: that is what a user has had before the eyes, conversation
 * by conversation.  A face that prints lines knows no difference; one that
 * watches with "talks" says {"do": "read"} itself.
 */

/* An event for those faces that show one conversation at a time. */
void
desk_tell_talks(const struct agent *agent, json_t *event)
{
	struct face_end *face = door_first(agent->door);

	for (; face != NULL; face = face->next)
		if (face->watching && face->talks)
			door_send(face, json_incref(event));
	json_decref(event);
}

/* They learn how far a conversation has been read. */
static void
tell_read(
    const struct agent *agent, const char *user, int64_t row, int64_t unread)
{
	json_t *event = json_object();

	json_object_set_new(event, "event", json_string("read"));
	put_string(event, "user", user);
	json_object_set_new(event, "row", json_integer(row));
	json_object_set_new(event, "unread", json_integer(unread));
	desk_tell_talks(agent, event);
}

struct reading {
	const struct agent *agent;
	int64_t row;
};

static void
all_read(void *arg, const char *user, int64_t unread)
{
	const struct reading *reading = arg;

	tell_read(reading->agent, user, reading->row, unread);
}

/* What was shown by a face without conversations has been read. */
void
desk_read_all(struct agent *agent, int64_t row)
{
	struct reading reading = {agent, row};

	if (row <= agent->read || agent->state == AGENT_OVER)
		return;
	if (book_read_all(agent->book, row, all_read, &reading) == -1) {
		agent_fail(agent, EX_IOERR, book_why(agent->book));
		return;
	}
	agent->read = row;
}

/* The user has read a conversation up to a row. */
void
desk_read(struct agent *agent, const struct wish *wish)
{
	int64_t row = row_number(json_object_get(wish->line, "row"));
	char name[NAME_MAX_LEN + 1];
	const char *user, *wrong = talk_meant(wish->line, &user, name);
	int64_t last, shown, unread;
	int moved;

	if (wrong == NULL && user == NULL)
		wrong = "Say with whom, or that it is the room.";
	if (wrong != NULL) {
		desk_no(wish, "bad-request", wrong);
		return;
	}
	if (book_ends(agent->book, &last, &shown) == -1) {
		desk_fail(agent, wish);
		return;
	}
	/* What is yet to come has not been read. */
	if (row == -1 || row > last) {
		desk_no(wish, "bad-request", "There was no such row.");
		return;
	}
	moved = book_read(agent->book, user, row, &unread);
	if (moved == -1) {
		desk_fail(agent, wish);
		return;
	}
	if (wish->tag != NULL)
		door_send(wish->face, wire_accept(wish->tag));
	if (moved == 1)
		tell_read(agent, user, row, unread);
}

/* What was refused while nobody was there. */
static void
tell_refusals(struct agent *agent, struct face_end *face)
{
	json_t *refusal;
	size_t i;

	json_array_foreach(agent->untold, i, refusal)
	{
		door_send(face, json_incref(refusal));
	}
	json_array_clear(agent->untold);
}

/* From now on the face gets what comes, and first what was not shown. */
void
desk_watch(struct agent *agent, const struct wish *wish)
{
	struct face_end *face = wish->face;
	int64_t last;

	if (book_ends(agent->book, &last, &face->given) == -1) {
		desk_fail(agent, wish);
		return;
	}
	door_send(face, wire_accept(wish->tag));
	face->watching = true;
	face->automatic = wire_get_bool(wish->line, "auto");
	face->talks = wire_get_bool(wish->line, "talks");
	face->incoming = json_is_false(json_object_get(wish->line, "states"));
	if (!face->incoming)
		tell_refusals(agent, face);
	if (agent->gap != NULL)
		door_send(face, agent->gap);
	agent->gap = NULL;
	private_questions(agent->private, face);
	agent_give(agent, face);
}

/* The face has shown its user what came up to a row. */
void
desk_seen(struct agent *agent, const struct wish *wish)
{
	int64_t row = wire_get_number(wish->line, "row", -1);

	if (row < 0 || !wish->face->watching || row > wish->face->given) {
		desk_no(wish, "bad-request", "There was no such row.");
		return;
	}
	agent_shown(agent, row);
	if (!wish->face->talks)
		desk_read_all(agent, row);
	if (wish->tag != NULL && agent->marked >= row)
		door_send(wish->face, wire_accept(wish->tag));
}

/* ---- what the user says, for all faces */

/*
 * A new line of the user's own, which every face can show: the event of its
 * first state goes out with it.  The face that sent it is told so.
 */
void
desk_own(const struct agent *agent, unsigned serial, json_t *event,
    const struct book_row *row)
{
	struct face_end *face = door_first(agent->door);
	json_t *yours;

	json_object_set_new(event, "own", json_integer(row->number));
	json_object_set_new(event, "text", json_string(row->text));
	put_time(event, row->time);
	yours = json_copy(event);
	json_object_set_new(yours, "yours", json_true());
	for (; face != NULL; face = face->next)
		if (face->watching)
			door_send(face,
			    json_incref(
				face->serial == serial ? yours : event));
	json_decref(yours);
	json_decref(event);
}
