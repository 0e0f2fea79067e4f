/* SPDX-License-Identifier: ISC */
/*
 * What the agent has said, kept for showing: conversations with their unread
 * counts and presence, the loaded part of each, how the centre is.  Shared by
 * the faces that show more than lines.  Pure: knows no socket, no screen and
 * no clock, and holds nothing that it could not ask the agent for again.
 */
#ifndef CHAT_FACES_MIRROR_H
#define CHAT_FACES_MIRROR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <jansson.h>

#include "lib/text.h"

enum {
	MIRROR_PAGE = 100, /* lines that are asked for at a time */
	MIRROR_LINES_MAX =
	    1000, /* loaded of a conversation; the far end goes */
	MIRROR_FOUND_MAX = 200, /* lines that a search finds */
	MIRROR_LAST_MAX = 200, /* octets of the beginning of the last text */
};

enum mirror_kind {
	MIRROR_MESSAGE,
	MIRROR_BROADCAST,
	MIRROR_NOTICE,
	MIRROR_PRIVATE, /* straight from client to client */
};

enum mirror_state {
	MIRROR_RECEIVED, /* from others */
	MIRROR_QUEUED, /* own, from here on */
	MIRROR_ACCEPTED,
	MIRROR_FETCHED,
	MIRROR_REFUSED,
	MIRROR_KEPT, /* a private one that did not arrive */
};

/* One line of a conversation; strings as they came, not escaped. */
struct mirror_line {
	int64_t row; /* of the book, growing */
	int64_t time; /* wall clock, milliseconds */
	enum mirror_kind kind;
	enum mirror_state state;
	char *from; /* "" for the centre */
	char *id; /* "" where there is none */
	char *text;
	char *reason; /* a sentence or an error's name, or "" */
};

enum mirror_link {
	MIRROR_NO_LINK,
	MIRROR_ASKING, /* they wait for our yes or no */
	MIRROR_WAITING, /* we wait for theirs */
	MIRROR_LINKED,
};

/* One conversation; it stays where it is as long as the mirror. */
struct mirror_talk {
	char user[NAME_MAX_LEN + 1]; /* "": with everybody */
	int64_t last_row, last_time; /* 0: nothing was said yet */
	char *last_text; /* its beginning, or "" */
	int64_t unread, read; /* how many; the last row that was read */
	bool online, blocked;
	enum mirror_link link;
	bool changed; /* they show another key than the remembered one */
	char *fingerprint, *host; /* of the link or question, or "" */
	char *known; /* the key that is remembered, if changed, or "" */
	int64_t port, until; /* 0: none; wall clock, milliseconds */

	/* What is loaded of it, oldest first, without a hole. */
	struct mirror_line *lines;
	size_t count;
	bool start, end; /* it goes down to the first, up to the last one */
	bool loading; /* a page was asked for */
};

/* What a search has found. */
struct mirror_found {
	struct mirror_talk *talk;
	const struct mirror_line *line;
};

struct mirror;

/* What the face is told, each after it has happened.  All may be NULL but
 * ask.  None may call the mirror back but for reading. */
struct mirror_calls {
	/* Send this request (taken over) to the agent; its tag, or -1. */
	int64_t (*ask)(void *arg, json_t *request);
	/* The list of conversations: at position, so many gone, so many new. */
	void (*talks)(void *arg, size_t position, size_t removed, size_t added);
	/* Something of this one but its lines has changed. */
	void (*talk)(void *arg, struct mirror_talk *talk);
	/* Its lines; one that has only changed is one removed, one added. */
	void (*lines)(void *arg, struct mirror_talk *talk, size_t position,
	    size_t removed, size_t added);
	/* Something from somebody else has come in just now. */
	void (*arrived)(void *arg, struct mirror_talk *talk,
	    const struct mirror_line *line);
	/* Reachable or not, the end of the session: see mirror_status(). */
	void (*status)(void *arg);
	/*
	 * A sentence for the user, about this conversation or (NULL) all; it is
	 * safe to show, and may have several lines.  event is the name of the
	 * agent's event that it tells of ("login", "ask", "state"), so that a
	 * face can leave out what it shows in another way, or "" for a reply.
	 */
	void (*say)(void *arg, struct mirror_talk *talk, const char *event,
	    const char *text);
	/* What the last mirror_search() has found, oldest first: once for each
	 * search, unless a later one has overtaken it. */
	void (*found)(
	    void *arg, const struct mirror_found *found, size_t count);
};

struct mirror_status {
	const char *user; /* oneself */
	bool reachable;
	int64_t synced; /* wall clock of the last word of the centre, or 0 */
	bool over; /* the session has ended */
	const char *why; /* a sentence, if so */
	int exit; /* and the exit status that it means for a face */
};

/* A new one, for this user, with the room in it; NULL without memory or if
 * that is no user's name.  calls are copied. */
struct mirror *mirror_new(
    const char *user, const struct mirror_calls *calls, void *arg);
void mirror_free(struct mirror *mirror);

/* Asks for all that there is to show: after each login, once. */
void mirror_begin(struct mirror *mirror);
/* Asks when the centre was last heard of, for mirror_status(). */
void mirror_refresh(struct mirror *mirror);
/* The agent has hung up: unless it has said why, that is the end. */
void mirror_gone(struct mirror *mirror);

/*
 * Takes in one line of the agent, now being the wall clock in milliseconds.
 * True for an event, and for a reply to something that the mirror asked;
 * false for a reply that is the face's own.
 */
bool mirror_take(struct mirror *mirror, const json_t *object, int64_t now);

void mirror_status(const struct mirror *mirror, struct mirror_status *status);

/*
 * The conversations, as they are to be listed: the room, then newest first,
 * then those with whom nothing was said yet: who is online, then the others,
 * both by name.  Everybody who is online has one.
 */
size_t mirror_count(const struct mirror *mirror);
struct mirror_talk *mirror_at(const struct mirror *mirror, size_t position);
/* The conversation with that user ("": everybody), and where it stands. */
struct mirror_talk *mirror_find(
    const struct mirror *mirror, const char *user, size_t *position);
/* The same, made where there is none; NULL if that is no user's name. */
struct mirror_talk *mirror_open(struct mirror *mirror, const char *user);
/* The next one with something unread, after that one and around; or NULL. */
struct mirror_talk *mirror_unread(
    const struct mirror *mirror, const struct mirror_talk *after);
/* Unread ones in all. */
int64_t mirror_unread_count(const struct mirror *mirror);

/*
 * Loads a page: the newest ones, older or newer ones, or around a row.  The
 * newest and those around a row take the place of what was loaded, when they
 * come; older and newer ones are added.  A page that is asked for while
 * another one is on its way: older and newer ones are not asked for, the
 * others overtake it.
 */
void mirror_load(struct mirror *mirror, struct mirror_talk *talk);
void mirror_older(struct mirror *mirror, struct mirror_talk *talk);
void mirror_newer(struct mirror *mirror, struct mirror_talk *talk);
void mirror_around(
    struct mirror *mirror, struct mirror_talk *talk, int64_t row);

/* The user has this conversation before the eyes, up to its last line. */
void mirror_read(struct mirror *mirror, struct mirror_talk *talk);

/* Looks for words in one conversation or (NULL) all; see found(), which is
 * called at once where there is no word. */
void mirror_search(
    struct mirror *mirror, struct mirror_talk *talk, const char *words);

#endif
