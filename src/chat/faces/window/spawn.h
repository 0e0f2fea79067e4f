/* SPDX-License-Identifier: ISC */
/*
 * Gets an agent: runs `chat agent`, which starts one if there is none, and
 * reads where its socket is.  Never waits for it, and asks nobody anything.
 */
#ifndef CHAT_WINDOW_SPAWN_H
#define CHAT_WINDOW_SPAWN_H

enum { SPAWN_SECONDS = 20 }; /* then it counts as hung */

/* Handed on to chat; NULL is not given. */
struct spawn_account {
	const char *centre; /* [USER@]HOST[:PORT] */
	const char *account, *state, *config;
};

/* How it went; all strings are valid during the call. */
struct spawn_result {
	const char *socket, *user, *centre; /* NULL if it failed */
	int status; /* then the exit status, -1 if there is none */
	const char *why; /* and what chat said, or "" */
};

typedef void spawn_done(void *arg, const struct spawn_result *result);

struct spawn;

/* Begins; done is called later, once, unless it is cancelled before. */
struct spawn *spawn_begin(
    const struct spawn_account *account, spawn_done *done, void *arg);
void spawn_cancel(struct spawn *spawn);

#endif
