/* SPDX-License-Identifier: ISC */
/*
 * From the start of the window to a session, and after its end: which
 * account, its agent, the centre's identity, the password.  Keeps no password
 * longer than it takes to hand it to the agent.
 */
#ifndef CHAT_WINDOW_ENTER_H
#define CHAT_WINDOW_ENTER_H

#include <jansson.h>

struct window;

/* Begins, with the account of the command line or the remembered one. */
void enter_start(struct window *window);
void enter_free(struct window *window);

/* What was typed into the first form, or as the password. */
void enter_first(struct window *window, const char *server, const char *user,
    const char *password);
void enter_password(struct window *window, const char *password);

/* The fingerprint that is shown is the right one. */
void enter_trust(struct window *window);

/* The same account once more; and another one. */
void enter_again(struct window *window);
void enter_other(struct window *window);

/* The user has asked for the end of the session. */
void enter_logout(struct window *window);

/* The session has ended, or the agent has hung up. */
void enter_over(struct window *window, const char *why);
void enter_gone(struct window *window);

/* What the agent says before there is a session, and is no reply. */
void enter_event(struct window *window, const json_t *event);

#endif
