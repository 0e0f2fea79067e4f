/* SPDX-License-Identifier: ISC */
/*
 * What the centre answered: the few questions that the agent's parts ask of
 * a reply.  Pure.
 */
#ifndef CHAT_AGENT_REPLY_H
#define CHAT_AGENT_REPLY_H

#include <stdint.h>

#include <jansson.h>

#include "lib/wire.h"

/* Milliseconds out of seconds that may have a fraction; 0 if absent. */
int64_t reply_seconds(const json_t *object, const char *key);

/* The error of a refusal; ERR_NONE if there is none that we know. */
enum wire_error reply_error(const json_t *reply);

/* The centre's own sentence, or the one for its error. */
const char *reply_text(const json_t *reply);

/*
 * Puts those of the members (names, separated by spaces) that are there into
 * an object: plain values that fit into a line with others.
 */
void reply_members(json_t *to, const json_t *reply, const char *names);

/*
 * A copy for a face, with the face's own tag (borrowed, may be NULL).  An
 * error that we do not know is called "refused": the other names are ours.
 */
json_t *reply_copy(const json_t *reply, json_t *tag);

/*
 * The name after which the next page of names begins; NULL if there is none.
 * before is where this one began, or NULL; pages counts them.  Borrowed.
 */
const char *reply_next(const json_t *reply, const char *before, int *pages);

#endif
