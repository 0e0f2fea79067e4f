/* SPDX-License-Identifier: ISC */
/*
 * Invitation codes: 28 characters of base 32 (without i, l, o and u) in
 * groups of four.  The first two groups are what lists show; the other five
 * alone are 100 random bits.
 */
#ifndef CHATD_INVITE_H
#define CHATD_INVITE_H

#include <stdbool.h>

#include "chatd/store/db.h"

enum {
	INVITE_CHARS = 28,
	INVITE_GROUP = 4,
	INVITE_TEXT_LEN = INVITE_CHARS + INVITE_CHARS / INVITE_GROUP - 1,
};

/* A new code, as a person will read it. */
void invite_make(char text[INVITE_TEXT_LEN + 1]);

/*
 * What the tables hold of it.  Case, hyphens and blanks do not count, o is 0,
 * i and l are 1; what is no code gets a hash that no code has.
 */
void invite_hash(const char *text, uint8_t hash[DB_HASH_LEN]);

/* What lists show, out of a code or out of what they show; false: neither. */
bool invite_hint(const char *text, char hint[DB_HINT_LEN + 1]);

#endif
