/* SPDX-License-Identifier: ISC */
/*
 * The agent's socket: takes faces in, reads their lines, buffers what goes
 * to them.  Runs in the agent; knows no request by name.  A face that does
 * not read is dropped, never waited for.
 *
 * What a face was told and what it has shown are two things.  What the book
 * has for it carries a row number, and counts as shown only when a face says
 * so (desk-history.c has the words for it).  What no face has confirmed comes
 * again.
 */
#ifndef CHAT_AGENT_DOOR_H
#define CHAT_AGENT_DOOR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <jansson.h>

#include "lib/line.h"
#include "lib/loop.h"

enum {
	DOOR_FACES_MAX = 32,
	DOOR_PENDING_MAX = 1 << 20, /* a face that lags more is dropped */
	DOOR_PENDING_LOW = 1 << 17, /* below this there is room for news */
};

struct door;

/* One face that is connected. */
struct face_end {
	struct face_end *next;
	struct door *door;
	struct loop_watch watch;
	struct line_buf in;
	char *out;
	size_t out_start, out_len, out_size;
	unsigned serial; /* names the face in what is under way for it */
	bool gone; /* closed; freed at the end of the turn */

	/* The agent's own: what of the book this face was given. */
	bool watching;
	bool automatic; /* what its socket took counts as shown */
	bool talks; /* it says itself what has been read */
	bool incoming; /* it shows nothing of one's own messages */
	int64_t given; /* rows up to here went to it */
};

struct door_calls {
	/* A line came in; it may be overwritten. */
	void (*line)(void *arg, struct face_end *face, char *line, size_t len);
	/* Everything that was pending for this face has been taken. */
	void (*room)(void *arg, struct face_end *face);
	/* There are fewer faces; never from within a call of the door's. */
	void (*left)(void *arg);
};

/* Listens at path; NULL with errno. */
struct door *door_open(struct loop *loop, const char *path,
    const struct door_calls *calls, void *arg);

/* Takes the socket away, so that no face comes any more. */
void door_shut(struct door *door);

/* Takes the socket away and drops all faces, after a last try to write. */
void door_close(struct door *door);

int door_count(const struct door *door);

/* True if a face watches at all. */
bool door_watching(const struct door *door);

/* True if a face watches that shows how one's own messages fare. */
bool door_watched(const struct door *door);

/* The face with that serial, or NULL. */
struct face_end *door_find(struct door *door, unsigned serial);

/* The faces, for a walk; follow next. */
struct face_end *door_first(struct door *door);

/* Sends an object to one face (the reference is taken over). */
void door_send(struct face_end *face, json_t *object);

/* Sends an event to every face that watches (likewise). */
void door_tell(struct door *door, json_t *event);

/* Sends an event to every face, whether it watches or not (likewise). */
void door_tell_all(struct door *door, json_t *event);

/* Octets that the face has not taken yet. */
size_t door_pending(const struct face_end *face);

#endif
