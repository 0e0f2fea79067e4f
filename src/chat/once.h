/* SPDX-License-Identifier: ISC */
/*
 * One command and no more: finds the agent that runs for the account, or
 * makes a brief login, and hands it to the face.  Runs in the face's process.
 */
#ifndef CHAT_ONCE_H
#define CHAT_ONCE_H

#include "chat/account.h"
#include "chat/faces/oneshot.h"
#include "chat/faces/prompt.h"

/*
 * Carries a command out for the account, whose directories lie in state (or
 * where they usually do, if that is NULL).  The exit status.
 */
int once_main(struct oneshot *shot, struct account *account, const char *state,
    struct prompt *prompt);

#endif
