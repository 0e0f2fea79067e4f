/* SPDX-License-Identifier: ISC */
/*
 * How a face gets its user logged in: the centre's identity first, then the
 * password, with the words of INTERFACE.  Runs in the face; keeps no
 * password longer than it takes to hand it to the agent.
 */
#ifndef CHAT_FACES_LOGIN_H
#define CHAT_FACES_LOGIN_H

#include <jansson.h>

#include "chat/account.h"
#include "chat/faces/face.h"
#include "chat/faces/prompt.h"

enum {
	EXIT_REFUSED = 1,
	EXIT_UNTRUSTED = 76,
	EXIT_LOGIN = 77,
	LOGIN_LOST = -3, /* no status: see login_run() */
};

/*
 * Asks for the user's name if the account has none: 0, or an exit status
 * after a sentence; -1 if the user wants to leave.
 */
int login_user(struct account *account, struct prompt *prompt);

/*
 * Logs in through the agent, or finds that it is logged in.  Returns the
 * same; with 0 the agent's reply is in *reply (the caller's).  LOGIN_LOST
 * without a word: the agent ended before it had answered anything.
 */
int login_run(const struct account *account, struct prompt *prompt,
    struct face *face, json_t **reply);

#endif
