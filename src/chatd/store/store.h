/* SPDX-License-Identifier: ISC */
/*
 * Owns all shared state.  Answers workers over their channels, the
 * administrator over the control socket; commits once for all that wait.
 */
#ifndef CHATD_STORE_H
#define CHATD_STORE_H

#include "chatd/settings.h"

enum { STORE_BEACONS_MAX = 64 }; /* more addresses than a machine has */

/* What whoever starts the store hands over; -1 for a descriptor not there. */
struct store_start {
	int master; /* READY, SERVE, … ; its end ends the store */
	int keeper; /* CHECK, HASH, …; replaced by KEEPER */
	int control; /* a listening stream socket for administrators */
	int admin; /* one administrator who is connected already */
	const int *beacons; /* UDP sockets, non-blocking */
	size_t beacon_count;
	const struct settings *settings;
};

/*
 * Opens the database, sends READY, answers until the master's channel
 * closes, and exits.  EX_DATAERR: the database is of a newer version or
 * damaged; EX_IOERR: the disk; EX_CANTCREAT: it could not be made.
 */
_Noreturn void store_main(const struct store_start *start);

#endif
