/* SPDX-License-Identifier: ISC */
/*
 * Space on the disk that is kept for bad days: a file of no content beside
 * the database, given away piece by piece when the disk is full, so that
 * what makes room can be written down.  Knows no database.
 */
#ifndef CHATD_RESERVE_H
#define CHATD_RESERVE_H

#include <stdbool.h>
#include <stdint.h>

enum {
	RESERVE_BYTES = 8 << 20, /* a mailbox's end takes some 100 KiB */
	/* At a time: who fills the disk would take the rest at once. */
	RESERVE_PIECE = 1 << 20,
};

struct reserve;

/*
 * Makes the reserve in the directory, or is short from the beginning.  NULL
 * if there is no memory.
 */
struct reserve *reserve_open(const char *directory);
void reserve_close(struct reserve *reserve);

/* Gives a piece back to the disk; false if there was none left. */
bool reserve_give(struct reserve *reserve);

/* True while it is not whole: what takes space is to be refused. */
bool reserve_short(const struct reserve *reserve);

/* Octets that are left of it, and of the disk beside it. */
int64_t reserve_left(const struct reserve *reserve);

/*
 * Makes it whole if there is as much space again beside it, so that it does
 * not come and go; true if it is.  Cheap while there is none.
 */
bool reserve_fill(struct reserve *reserve);

#endif
