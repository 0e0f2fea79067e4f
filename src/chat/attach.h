/* SPDX-License-Identifier: ISC */
/*
 * The way to an account's agent: the one that runs, or one that is started.
 * Runs in the face's process; asks the agent nothing.
 */
#ifndef CHAT_ATTACH_H
#define CHAT_ATTACH_H

#include "chat/account.h"
#include "chat/faces/face.h"

enum { ATTACH_TRIES = 3 }; /* an agent may end just as we come */

/*
 * Attaches to the account's agent, starting one if there is none.  0, or an
 * exit status after a sentence.
 */
int attach_agent(const struct account *account, struct face *face, int stop);

#endif
