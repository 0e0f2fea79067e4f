/* SPDX-License-Identifier: ISC */
/*
 * What the line face has more where a person sits: an edited line with a
 * prompt, names to complete, times, colours and a bell.  Off a terminal
 * nothing of it is there, and all of this does nothing.
 */
#ifndef CHAT_FACES_SEAT_H
#define CHAT_FACES_SEAT_H

#include <stdbool.h>
#include <stdint.h>

#include <jansson.h>

#include "chat/account.h"
#include "chat/faces/complete.h"
#include "chat/faces/face.h"
#include "chat/faces/prompt.h"
#include "chat/faces/terminal.h"
#include "lib/loop.h"

/* Zero it before seat_open(). */
struct seat {
	struct terminal *terminal; /* NULL where no line can be edited */
	struct people people; /* to complete their names */
	int64_t roll_tag; /* asked who is online, for the same */
	const char *user;
	char *history; /* a path */
};

/* Decides how lines look: before the first one is printed. */
void seat_dress(const struct account *account, const struct prompt *prompt);

/*
 * Shows the prompt, handles the terminal's signals in the loop, and asks the
 * agent who is online.  -1 with errno.
 */
int seat_open(struct seat *seat, const struct account *account,
    const struct prompt *prompt, struct face *face, struct loop *loop);
void seat_release(struct seat *seat);

/* Remembers whom an event or a reply is about. */
void seat_event(struct seat *seat, const json_t *event);
void seat_reply(struct seat *seat, const json_t *reply);

/* The centre is out of reach, or back: the prompt says so. */
void seat_reach(struct seat *seat, bool reachable);

#endif
