/* SPDX-License-Identifier: ISC */
/*
 * The words for what happens: the agent's events and refusals as lines of
 * text on standard output.  Used by every face that prints lines.
 */
#ifndef CHAT_FACES_SHOW_H
#define CHAT_FACES_SHOW_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include <jansson.h>

#include "chat/faces/colour.h"

/* What lines have beside their words; nothing, unless it is asked for. */
struct show_look {
	bool times; /* before messages and notices */
	bool own; /* what the user says in another face is shown */
	bool bell; /* for messages to oneself */
	enum colour_depth colours; /* of names */
};

/* From now on lines look like that. */
void show_look(const struct show_look *look);

/*
 * Prints an event.  Returns the exit status that it means for a face, or 0
 * if it goes on.
 */
int show_event(const json_t *event, const char *self);
/* The same to a stream; also that the agent has failed, in its own words. */
int show_event_to(FILE *to, const json_t *event, const char *self);

/* Prints a peer's text on stderr, made safe; NULL is no text. */
void show_complaint(const char *before, const char *text);

/* Prints one word of somebody else's, made safe; NULL is none. */
void show_word(FILE *to, const char *word);

/* Prints why a command was refused; user is the one it was about, or "". */
void show_refusal(FILE *to, const json_t *reply, const char *user);

/* Prints the names of a reply, one a line; how many. */
int show_users(FILE *to, const json_t *reply);

/* Prints one row of the history. */
void show_row(const json_t *row);

/* Greets the user who has logged in; login is the reply to that. */
void show_welcome(FILE *to, const json_t *login, const char *user);

/* Says (on stderr) how many messages are left for the next start. */
void show_kept(int64_t count);

#endif
