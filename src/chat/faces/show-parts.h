/* SPDX-License-Identifier: ISC */
/*
 * What the parts of show share: show.c has most words, show-link.c those of
 * private links.  Runs in every face that prints lines; what others wrote is
 * never printed but through these.
 */
#ifndef CHAT_FACES_SHOW_PARTS_H
#define CHAT_FACES_SHOW_PARTS_H

#include <stdbool.h>
#include <stdio.h>

#include <jansson.h>

#include "lib/text.h"

enum { SHOW_TIME_LEN = 32 };

/* Prints a string of somebody else's choice, made safe; nothing if none. */
void show_text(FILE *to, const json_t *value, enum text_style style);

/* Prints somebody's name, in the colour that is theirs. */
void show_name(FILE *to, const json_t *name);

/* The time of an event as people here read it; "" if there is none. */
void show_when(const json_t *event, char out[SHOW_TIME_LEN]);

/* Prints the time before a line where that is wanted: today's without date. */
void show_time(FILE *to, const json_t *event);

/* Rings for a message to oneself, where that is wanted. */
void show_bell(FILE *to, bool now);

/* show-link.c: the events of private links, as rows of show_event() */

int show_link_ask(FILE *to, const json_t *event, const char *self);
int show_link_address(FILE *to, const json_t *event, const char *self);
int show_link_accepted(FILE *to, const json_t *event, const char *self);
int show_link_declined(FILE *to, const json_t *event, const char *self);
int show_link_hangup(FILE *to, const json_t *event, const char *self);
int show_link_key(FILE *to, const json_t *event, const char *self);
int show_link_private(FILE *to, const json_t *event, const char *self);

#endif
