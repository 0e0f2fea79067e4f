/* SPDX-License-Identifier: ISC */
/*
 * The line face: reads commands from standard input, a terminal or not, and
 * prints what happens on standard output, a line at a time.
 */
#ifndef CHAT_FACES_LINE_H
#define CHAT_FACES_LINE_H

#include <jansson.h>

#include "chat/account.h"
#include "chat/faces/face.h"
#include "chat/faces/prompt.h"

/*
 * Runs until its user leaves or the session ends.  login is the agent's
 * reply to the login (borrowed).  Returns the process's exit status.
 */
int line_main(const struct account *account, struct face *face,
    struct prompt *prompt, const json_t *login);

#endif
