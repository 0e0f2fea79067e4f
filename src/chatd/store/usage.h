/* SPDX-License-Identifier: ISC */
/*
 * What an account uses, whatever it does so through: sessions that replace
 * each other and brief logins are one account.  Part of the store's memory;
 * knows no database and no clock.
 */
#ifndef CHATD_USAGE_H
#define CHATD_USAGE_H

#include <stdint.h>

#include "chatd/bucket.h"

struct usage {
	int64_t user;
	struct bucket bucket; /* of its requests */
	int proofs; /* connections that it vouches for */
	struct usage *next;
};

struct usages;

/* NULL if there is no memory. */
struct usages *usages_new(void);
void usages_free(struct usages *usages);

/*
 * The account's, made if there is none; it stays in place until the next
 * call.  NULL if there is no memory.  now in milliseconds.
 */
struct usage *usage_of(struct usages *usages, int64_t user, int64_t now);

#endif
