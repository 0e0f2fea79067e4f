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

/* Who comes first, and who gives way, where there is not enough for all. */
enum guard_rank {
	GUARD_DOUBTED, /* took workers lately, and proved nothing */
	GUARD_PLAIN,
	GUARD_KNOWN, /* somebody has proved something there */
	GUARD_RANKS
};

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

/*
 * True if the address is refused from now on; never so for what only makes
 * it doubted.
 */
bool guard_charge(struct guard *guard, const struct ipc_address *from,
    enum offence offence, int64_t now);

/* True if the address has locked one name too many: OFFENCE_LOCKED. */
bool guard_locked(struct guard *guard, const struct ipc_address *from,
    uint32_t name, int64_t now);

/* True while the address is refused for what it owes. */
bool guard_owes(
    const struct guard *guard, const struct ipc_address *from, int64_t now);

/*
 * A login or a valid token came from there, so it is not doubted any more;
 * counted: it was admitted.
 */
void guard_proved(struct guard *guard, const struct ipc_address *from,
    struct bucket_size size, bool counted, int64_t now);

/* One that is known and doubted is plain. */
enum guard_rank guard_rank(
    struct guard *guard, const struct ipc_address *from, int64_t now);

/* How many addresses are refused now. */
int guard_refused(const struct guard *guard, int64_t now);

#endif
