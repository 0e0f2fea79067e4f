/* SPDX-License-Identifier: ISC */
/*
 * Starting the agent: forked off by whoever needs it, a process of its own
 * from then on.  Keeps none of its starter's descriptors.
 */
#ifndef CHAT_AGENT_START_H
#define CHAT_AGENT_START_H

#include <stddef.h>

#include "chat/account.h"

/*
 * Starts an agent for the account and waits until it serves.  0, or an exit
 * status (EX_*) with a sentence in why.
 */
int agent_start(const struct account *account, char *why, size_t size);

#endif
