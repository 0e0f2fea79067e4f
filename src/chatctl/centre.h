/* SPDX-License-Identifier: ISC */
/*
 * A link to the centre, whether it runs or not: to its control socket, or to
 * a store and a keeper of our own that end with the link.  So there is one
 * implementation of every command, the store's.
 */
#ifndef CHATCTL_CENTRE_H
#define CHATCTL_CENTRE_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include <jansson.h>

#include "chatd/settings.h"
#include "lib/line.h"

struct centre {
	int fd;
	struct line_buf in;
	pid_t store, keeper; /* our own, or 0 */
	int lock; /* of the state directory, or -1 */
};

/*
 * Opens the link.  0, or an exit status: CTL_STOPPED, silently, if the
 * centre does not run and is meant to; else the reason is on stderr.  As
 * root it becomes the centre's user before it touches the state directory.
 */
int centre_open(
    struct centre *centre, const struct settings *settings, bool running);

/* Sends a request, which it takes; 0, or an exit status after the reason. */
int centre_send(struct centre *centre, json_t *request, int64_t tag);

/* The next reply, of whichever request; likewise. */
int centre_receive(struct centre *centre, json_t **reply);

/*
 * Both, for one request.  A refusal is CTL_REFUSED, its text is on stderr,
 * and reply holds it; reply may be NULL, else json_decref() it always.
 */
int centre_ask(struct centre *centre, json_t *request, json_t **reply);

/* Ends the link and waits for our own processes; an exit status. */
int centre_close(struct centre *centre);

/*
 * Takes the lock of a centre that does not run, as the user that it would
 * run as.  0, or an exit status after the reason: CTL_REFUSED if it runs.
 */
int centre_lock(const struct settings *settings, int *lock);

/* Copies what is left of one file to another; 0, or -1 with errno. */
int centre_copy(int from, int to);

/* Says what is not permitted, and who may; gives EX_NOPERM. */
int centre_forbidden(const struct settings *settings, const char *what);

/*
 * True if a centre runs on the settings' directories; false with the exit
 * status that goes with the reason, or 0 if there is just none.
 */
bool centre_runs(const struct settings *settings, int *status);

#endif
