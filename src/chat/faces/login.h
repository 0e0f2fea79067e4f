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
 * Makes sure that it is the right centre: the same, and what it or the agent
 * said of itself is in *reply (the caller's), "ok" if there is a session.
 */
int login_knock(const struct account *account, struct prompt *prompt,
    struct face *face, json_t **reply);

/*
 * The password, from where the account says or else with this question: the
 * same.  once: it is not worth asking again.
 */
int login_password(const struct account *account, struct prompt *prompt,
    const char *question, char password[PASSWORD_MAX_LEN + 1], bool *once);

/*
 * Says why a password was not taken, by a reply with login-failed or
 * login-blocked.  The exit status, or 0 if another may be tried.
 */
int login_wrong(const json_t *reply);

/*
 * Logs in through the agent, or finds that it is logged in.  Returns the
 * same; with 0 the agent's reply is in *reply (the caller's).  LOGIN_LOST
 * without a word: the agent ended before it had answered anything.
 */
int login_run(const struct account *account, struct prompt *prompt,
    struct face *face, json_t **reply);

#endif
