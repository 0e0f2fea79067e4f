/* SPDX-License-Identifier: ISC */
/*
 * The way to an account's agent: the one that runs, or one that is started.
 * Runs in the face's process; asks the agent nothing.
 */
#include "chat/attach.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sysexits.h>

#include "chat/agent/start.h"
#include "chat/faces/show.h"

/* Attaches to the account's agent, starting one if there is none. */
int
attach_agent(const struct account *account, struct face *face, int stop)
{
	char why[2048] = "";
	int status, error = 0;

	for (int i = 0; i < ATTACH_TRIES; i++) {
		if (face_open(face, account->socket, stop) == 0)
			return 0;
		error = errno;
		status = agent_start(account, why, sizeof(why));
		if (status != 0) {
			show_complaint("chat: ", why);
			return status;
		}
	}
	fprintf(stderr, "chat: %s: %s\n", account->socket, strerror(error));
	return EX_OSERR;
}
