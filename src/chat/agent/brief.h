/* SPDX-License-Identifier: ISC */
/*
 * A brief login: a process that does for one face what an agent does, for
 * one command.  It has no session, shows nobody as online and ends with its
 * face; of the book it reads the history, and what is queued it sends.
 */
#ifndef CHAT_AGENT_BRIEF_H
#define CHAT_AGENT_BRIEF_H

#include <sys/types.h>

#include "chat/account.h"

/*
 * Starts one.  Returns the face's end of a socket on which the agent's
 * requests login, trust, send, broadcast, queue, online, block, unblock,
 * blocked, password, history and contacts are understood, and register; -1
 * with errno.  The process goes to *pid.
 */
int brief_start(const struct account *account, pid_t *pid);

/* After the socket was closed: waits for its end, which it may hasten. */
void brief_stop(pid_t pid);

#endif
