/* SPDX-License-Identifier: ISC */
/*
 * Opens the sockets, starts and restarts store and keeper, forks one worker
 * for each connection; counts, limits and reaps them; reload, drain, stop.
 */
#ifndef CHATD_MASTER_H
#define CHATD_MASTER_H

#include <stdbool.h>

#include "chatd/sandbox.h"
#include "chatd/settings.h"

enum { HANDED_MAX = 32 }; /* sockets: 16 listeners of both kinds */

/* Sockets that the service manager opened (sd_listen_fds(3)). */
struct handed {
	int fds[HANDED_MAX]; /* -1: taken */
	size_t count;
};

/* Finds out which they are, before anything else is opened or forked. */
void handed_find(struct handed *handed);

struct master_start {
	const char *file; /* the configuration, to read it again */
	struct settings *settings; /* the master's from then on */
	struct sandbox_user user;
	struct handed *handed;
	bool foreground, debug;
	int ready_fd; /* gets the ready lines, and is closed; or -1 */
	int parent; /* gets one octet when ready, and is closed; or -1 */
};

/*
 * Serves until it is told to end; returns the exit status.  What keeps it
 * from starting goes to stderr, and to the log.
 */
int master_main(const struct master_start *start);

/* Adds an error for a certificate or key that is not there. */
void master_check_files(const char *file, const struct settings *settings,
    struct conf_errors *errors);

#endif
