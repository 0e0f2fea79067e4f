/* SPDX-License-Identifier: ISC */
/*
 * What the parts of the mirror share: mirror.c has the beginning and the end,
 * mirror-talk.c the list of conversations, mirror-line.c what is loaded of
 * one, mirror-page.c what was asked for, mirror-event.c what happens.  Runs
 * in a face; believes nothing of what it is given.
 */
#ifndef CHAT_FACES_MIRROR_PARTS_H
#define CHAT_FACES_MIRROR_PARTS_H

#include "chat/faces/mirror.h"

/* Lines, oldest first; the array has room for all that there may be. */
struct rows {
	struct mirror_line *lines;
	size_t count, room;
};

struct talk {
	struct mirror_talk is; /* what the face sees; first */
	int64_t counted; /* the last row that unread knows of */
	uint64_t online_mark, block_mark, link_mark; /* in which roll last */
	uint64_t load; /* the load that counts; others are discarded */
	struct rows rows; /* is.lines and is.count are its */
	struct rows held; /* came while the newest page was on its way */
	bool overflown; /* and were too many */
};

enum asked {
	ASKED_NOTHING, /* whatever comes back */
	ASKED_STATUS,
	ASKED_TALKS,
	ASKED_ONLINE,
	ASKED_BLOCKED,
	ASKED_LINKS,
	ASKED_SEEN,
	ASKED_PAGE,
	ASKED_OLDER,
	ASKED_NEWER,
	ASKED_FOUND,
};

/* A request that is not answered yet. */
struct asked_for {
	struct asked_for *next;
	enum asked what;
	int64_t tag;
	struct talk *talk; /* of a page; NULL for all */
	uint64_t mark; /* which roll, load or search it belongs to */
	int64_t edge; /* the row that an older or newer page joins */
	struct rows rows; /* what has come of it */
	struct talk **found_in; /* of each line that a search has found */
};

struct mirror {
	char self[NAME_MAX_LEN + 1];
	struct mirror_calls calls;
	void *arg;
	struct talk **listed; /* the room, then as mirror.h says */
	struct talk **named; /* the same by name, the room's being "" */
	size_t count, names, room; /* of listed, of named, of both */
	struct asked_for *asked;
	size_t asked_count;
	uint64_t marks; /* given out so far */
	uint64_t online_roll, block_roll, link_roll, search; /* that count */
	int64_t now;
	int64_t seen, seen_said; /* rows */
	bool seen_asked;
	bool reachable, over;
	int64_t synced;
	char *why;
	int exit;
};

/* ---- mirror-talk.c ---- */

static inline struct mirror_talk *
seen_as(struct talk *talk)
{
	return talk != NULL ? &talk->is : NULL;
}

struct talk *talk_find(const struct mirror *mirror, const char *user);
/* The same, made where there is none; NULL for no name, no memory. */
struct talk *talk_make(struct mirror *mirror, const char *user);
void talk_free(struct talk *talk);
/* Something but its lines has changed: tells the face. */
void talk_changed(struct mirror *mirror, struct talk *talk);
/* Sets whether they are online, and what else the list is sorted by. */
void talk_online(struct mirror *mirror, struct talk *talk, bool online);
/* The last that was said; false if it is older: then nothing changes. */
bool talk_last(struct mirror *mirror, struct talk *talk, int64_t row,
    int64_t time, const char *text);
/* Replaces a string by a copy, "" for NULL; false without memory. */
bool text_set(char **to, const char *text);

/* ---- mirror-line.c ---- */

/* A row or a count under this key; 0 if there is none that can be. */
int64_t row_of(const json_t *object, const char *key);
void line_clear(struct mirror_line *line);
void rows_release(struct rows *rows);
/*
 * Puts a line (taken over) into its place; where it stands now.  -1 if there
 * is one with this row already, or no room.
 */
ssize_t rows_add(struct rows *rows, struct mirror_line *line);
/* A row of the history as a line; false if it is none. */
bool line_read(struct mirror *mirror, const json_t *row,
    struct mirror_line *line, struct talk **talk);
/* Adds one (taken over) at the end, in whatever order; false if it is full. */
bool rows_append(struct rows *rows, struct mirror_line *line);
/* One line (taken over) that has come in. */
void lines_arrived(
    struct mirror *mirror, struct talk *talk, struct mirror_line *line);
/* A page in the place of what is loaded; rows are emptied. */
void lines_replace(struct mirror *mirror, struct talk *talk, struct rows *rows,
    bool start, bool end);
/* A page before or after it. */
void lines_join(struct mirror *mirror, struct talk *talk, struct rows *rows,
    bool older, bool edge);
/* What came while the page was on its way. */
void lines_unhold(struct mirror *mirror, struct talk *talk);
/* A message of one's own, by its id, has come further. */
struct state_news {
	const char *id, *reason;
	enum mirror_state state;
	enum mirror_kind kind;
};
void lines_state(
    struct mirror *mirror, struct talk *talk, const struct state_news *news);
/* The state of that name; false if there is none. */
bool state_find(const char *name, enum mirror_state *state);

/* ---- mirror-page.c ---- */

/* Sends a request (taken over), to be answered; NULL if it could not be. */
struct asked_for *page_ask(
    struct mirror *mirror, enum asked what, json_t *request);
/* One without members. */
void page_ask_for(struct mirror *mirror, enum asked what, const char *name);
/* Who is online, anew. */
void page_ask_online(struct mirror *mirror);
void page_ask_links(struct mirror *mirror);
/* A reply: false if nobody here asked for it. */
bool page_take(struct mirror *mirror, const json_t *reply);
void page_forget(struct mirror *mirror);
/* A time of the agent's in milliseconds; 0 if there is none. */
int64_t page_time(const json_t *object, const char *key);
/* Says what was shown, if something was and the last word is answered. */
void page_say_seen(struct mirror *mirror);

/* ---- mirror-event.c ---- */

void event_take(struct mirror *mirror, const json_t *event);
/* The link that a reply or event speaks of. */
void event_link(struct mirror *mirror, struct talk *talk, enum mirror_link link,
    const json_t *object);

#endif
