/* SPDX-License-Identifier: ISC */
/*
 * What the master remembers of addresses: who owes for offences, who comes
 * too often, from where somebody has logged in or shown a valid token.
 * Pure book-keeping with the time passed in; exempt addresses are not asked.
 */
#ifndef CHATD_GUARD_H
#define CHATD_GUARD_H

#include "chatd/bucket.h"
#include "chatd/ipc.h"
#include "chatd/master/penalty.h"

enum { GUARD_KNOWN_MS = 86400000 }; /* that an address is known */

enum guard_word {
	GUARD_ADMIT,
	GUARD_PENALTY, /* it owes */
	GUARD_RATE, /* too many connections without a valid token */
};

struct guard;

/* NULL if there is no memory. */
struct guard *guard_new(void);
void guard_free(struct guard *guard);

/* A connection comes; one that is admitted counts until it is proved. */
enum guard_word guard_admits(struct guard *guard,
    const struct ipc_address *from, struct bucket_size size, int64_t now);

/* True if the address is refused from now on. */
bool guard_charge(struct guard *guard, const struct ipc_address *from,
    enum offence offence, int64_t now);

/* A login or a valid token came from there; counted: it was admitted. */
void guard_proved(struct guard *guard, const struct ipc_address *from,
    struct bucket_size size, bool counted, int64_t now);

/* True if somebody has proved there lately. */
bool guard_knows(
    struct guard *guard, const struct ipc_address *from, int64_t now);

/* How many addresses are refused now. */
int guard_refused(const struct guard *guard, int64_t now);

#endif
