/* SPDX-License-Identifier: ISC */
/*
 * A face's end of the agent's socket: JSON Lines both ways.  Every face runs
 * it, in its own process; knows the socket and nothing else of the agent.
 */
#ifndef CHAT_FACES_FACE_H
#define CHAT_FACES_FACE_H

#include <stdbool.h>
#include <stdint.h>

#include <jansson.h>

#include "lib/line.h"

struct face {
	int fd;
	int stop; /* a signalfd: the user wants to leave */
	struct line_buf in;
	int64_t tag; /* of the last request */
	bool stopped;
};

/* Connects; -1 with errno.  stop is the caller's. */
int face_open(struct face *face, const char *path, int stop);
void face_close(struct face *face);

/* A request to which the caller adds members. */
json_t *face_request(const char *name);

/*
 * Sends a request (taken over) with the next tag, and wipes what it wrote.
 * The tag, or -1 if the agent is gone.
 */
int64_t face_say(struct face *face, json_t *request);

/* Says that the user has been shown all up to this row; no answer comes. */
void face_seen(struct face *face, int64_t row);

/* The tag of a line; -1 for an event. */
int64_t face_tag(const json_t *line);

/*
 * Reads what has come, once; false if the agent is gone.  Then face_next()
 * gives line after line, NULL when there is none.
 */
bool face_read(struct face *face);
json_t *face_next(struct face *face);

/*
 * Waits for the next line, of whatever kind, for at most ms milliseconds (-1:
 * for ever).  NULL if the agent is gone, when the time is over, or, with
 * face->stopped set, if the user wants to leave.
 */
json_t *face_line(struct face *face, int ms);

/*
 * Waits for the next reply with that tag, for at most ms milliseconds without
 * any word (-1: for ever).  NULL likewise, or when the time is over.
 */
json_t *face_reply(struct face *face, int64_t tag, int ms);

/*
 * Sends a request (taken over) and waits for its reply; meant for the time
 * before `watch`.  NULL if the agent is gone or, with face->stopped set, if
 * the user wants to leave.
 */
json_t *face_call(struct face *face, json_t *request);

/*
 * How long a refusal says to wait: whole seconds, rounded up, at least 1; none
 * if it does not say.
 */
long face_retry_after(const json_t *reply, long none);

#endif
