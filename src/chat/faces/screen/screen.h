/* SPDX-License-Identifier: ISC */
/*
 * The full screen: what chat is on a terminal.  Conversations beside the open
 * one, a composer, a status line.  Runs in the face, and gives the terminal
 * back as it was, however it ends.  Of the files that implement it those of
 * ncursesw are built, or screen-none.c.
 */
#ifndef CHAT_FACES_SCREEN_H
#define CHAT_FACES_SCREEN_H

#include <stdbool.h>

#include <jansson.h>

#include "chat/account.h"
#include "chat/faces/face.h"
#include "chat/faces/prompt.h"

/* The library that draws, with its version; NULL if there is none. */
const char *screen_library(void);

/* False, with the reason in *why, if this terminal cannot show it. */
bool screen_possible(const char **why);

/*
 * Runs until its user leaves or the session ends.  login is the agent's
 * reply to the login (borrowed).  Returns the process's exit status.
 */
int screen_main(const struct account *account, struct face *face,
    struct prompt *prompt, const json_t *login);

#endif
