/* SPDX-License-Identifier: ISC */
/*
 * The words for private links: answers to what was asked of the agent.  Used
 * by every face that prints lines.
 */
#ifndef CHAT_FACES_SHOW_LINK_H
#define CHAT_FACES_SHOW_LINK_H

#include <stdio.h>

#include <jansson.h>

/* Prints what came of a request ("ask") that was done; it may be nothing. */
void show_link_done(
    FILE *to, const char *request, const json_t *reply, const char *user);

/* Prints why a request was refused. */
void show_link_refusal(
    FILE *to, const char *request, const json_t *reply, const char *user);

/* Prints one link, in a line that begins with the user's name. */
void show_link(FILE *to, const json_t *link);

#endif
