/* SPDX-License-Identifier: ISC */
/*
 * Something kept for each site: an IPv4 address, or the /64 of IPv6 that one
 * household has at least.  Bounded: the one that was used longest ago gives
 * way.  Pure book-keeping: knows no clock and not what it keeps.
 */
#ifndef CHATD_SITES_H
#define CHATD_SITES_H

#include <stddef.h>

#include "chatd/ipc.h"

enum { SITES_MAX = 65536 };

struct sites;

/*
 * A table of at most so many, with so many octets for each.  It is not
 * inherited by processes that are forked.  NULL if there is no memory.
 */
struct sites *sites_new(size_t most, size_t size);
void sites_free(struct sites *sites);

/* The site of an address: its network, without a port. */
struct ipc_address site_of(const struct ipc_address *address);

/* What is kept for that address's site, or NULL. */
void *sites_find(struct sites *sites, const struct ipc_address *address);

/* The same, made (all zero) if it is not there; now it is the newest. */
void *sites_get(struct sites *sites, const struct ipc_address *address);

size_t sites_count(const struct sites *sites);
/* What is kept for one of them, from 0 to their count. */
const void *sites_at(const struct sites *sites, size_t index);

#endif
