/* SPDX-License-Identifier: ISC */
/*
 * What the files of the desk share, and nobody else includes: a face's wish,
 * short ways to refuse it, and the rows that stand in files of their own.
 */
#ifndef CHAT_AGENT_DESK_PARTS_H
#define CHAT_AGENT_DESK_PARTS_H

#include "chat/agent/agent.h"
#include "chat/agent/book-talk.h"

/* One line of a face, taken apart. */
struct wish {
	struct face_end *face;
	const json_t *line;
	json_t *tag; /* borrowed, or NULL */
	bool synced; /* what was at the centre has been fetched for it */
};

enum {
	DESK_WHY_LEN = 160,
	DESK_PAGE = 100, /* rows, unless the face says how many */
	DESK_PAGE_MAX = 500,
};

/* A page that a face wants, with room for the name in it. */
struct desk_page {
	struct book_page page;
	char user[NAME_MAX_LEN + 1];
};

/* ---- desk.c */

void desk_no(const struct wish *wish, const char *error, const char *text);

/* The book has failed: the agent ends, and this face waits for no more. */
void desk_fail(struct agent *agent, const struct wish *wish);

struct waiter desk_waiter(const struct wish *wish);

/* Checks a text; a sentence about what is wrong with it, or NULL. */
const char *desk_text_wrong(
    const struct agent *agent, const json_t *text, char out[DESK_WHY_LEN]);

/* A user's name out of a member, folded; false if it is none (refused). */
bool desk_user(
    const struct wish *wish, const char *key, char out[NAME_MAX_LEN + 1]);

/*
 * Puts a request (taken over) in line behind what was typed before.  For a
 * centre that is known to be out of reach it waits no longer than one try.
 */
void desk_line_up(struct agent *agent, const struct wish *wish, enum wire_op op,
    json_t *request);

/* ---- desk-history.c */

/* What page is wanted; a sentence about what is wrong with it, or NULL. */
const char *desk_page_wish(const json_t *line, struct desk_page *wanted);

void desk_watch(struct agent *agent, const struct wish *wish);
void desk_seen(struct agent *agent, const struct wish *wish);
void desk_read(struct agent *agent, const struct wish *wish);
void desk_talks(struct agent *agent, const struct wish *wish);
void desk_history(struct agent *agent, const struct wish *wish);

/* ---- desk-link.c */

void desk_ask(struct agent *agent, const struct wish *wish);
void desk_accept(struct agent *agent, const struct wish *wish);
void desk_decline(struct agent *agent, const struct wish *wish);
void desk_private(struct agent *agent, const struct wish *wish);
void desk_leave(struct agent *agent, const struct wish *wish);
void desk_hangup(struct agent *agent, const struct wish *wish);
void desk_links(struct agent *agent, const struct wish *wish);

/* Of the keys of other users. */
void desk_trust(struct agent *agent, const struct wish *wish);

#endif
