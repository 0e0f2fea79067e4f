/* SPDX-License-Identifier: ISC */
/*
 * Those who are connected to the listener of private links: where they come
 * from, how many there are, who gives way; and the socket that they come in
 * at.  Runs in the agent; decides nothing by what a stranger says.
 */
#include "chat/agent/peer-guest.h"

#include <arpa/inet.h>

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

enum {
	BACKLOG = 64,
	PORT_TRIES = 32, /* for one that is not below PEER_PORT_MIN */
	NET_OCTETS = 8, /* of an IPv6 address: one subscriber's */
};

/* Where a socket's other end is. */
void
guest_place_set(struct guest_place *place, const struct sockaddr_storage *from)
{
	const struct sockaddr_in *v4 = (const struct sockaddr_in *)from;
	const struct sockaddr_in6 *v6 = (const struct sockaddr_in6 *)from;

	memset(place, 0, sizeof(*place));
	if (from->ss_family == AF_INET) {
		place->address.s6_addr[10] = place->address.s6_addr[11] = 0xff;
		memcpy(place->address.s6_addr + 12, &v4->sin_addr, 4);
		place->port = ntohs(v4->sin_port);
	} else if (from->ss_family == AF_INET6) {
		place->address = v6->sin6_addr;
		place->port = ntohs(v6->sin6_port);
	}
	place->key = place->address;
	if (!IN6_IS_ADDR_V4MAPPED(&place->address))
		memset(place->key.s6_addr + NET_OCTETS, 0,
		    sizeof(place->key) - NET_OCTETS);
}

void
guest_place_text(const struct guest_place *place, char out[GUEST_WHERE_LEN])
{
	char text[INET6_ADDRSTRLEN];

	if (IN6_IS_ADDR_V4MAPPED(&place->address)) {
		inet_ntop(
		    AF_INET, place->address.s6_addr + 12, text, sizeof(text));
		snprintf(out, GUEST_WHERE_LEN, "%s:%d", text, place->port);
	} else {
		inet_ntop(AF_INET6, &place->address, text, sizeof(text));
		snprintf(out, GUEST_WHERE_LEN, "[%s]:%d", text, place->port);
	}
}

void
guests_add(struct guests *guests, struct guest *guest)
{
	struct guest **link = &guests->first;

	while (*link != NULL)
		link = &(*link)->next;
	*link = guest;
	guest->next = NULL;
	guests->count++;
}

static bool
same(const struct guest_place *a, const struct guest_place *b)
{
	return memcmp(&a->key, &b->key, sizeof(a->key)) == 0;
}

/* How many are here from one address. */
static int
count_from(const struct guests *guests, const struct guest_place *place)
{
	int count = 0;

	for (const struct guest *guest = guests->first; guest != NULL;
	     guest = guest->next)
		if (!guest->gone && same(&guest->place, place))
			count++;
	return count;
}

bool
guests_full(const struct guests *guests, const struct guest_place *place,
    const struct peer_limits *limits)
{
	return guests->count >= limits->connections ||
	    count_from(guests, place) >= limits->per_address;
}

struct guest *
guests_victim(const struct guests *guests, const struct guest_place *place,
    const struct peer_limits *limits)
{
	struct guest *victim = NULL;
	int most = 0, count;
	bool own =
	    place != NULL && count_from(guests, place) >= limits->per_address;

	for (struct guest *guest = guests->first; guest != NULL;
	     guest = guest->next) {
		if (guest->gone || guest->proven)
			continue;
		if (own && !same(&guest->place, place))
			continue;
		count = count_from(guests, &guest->place);
		if (count <= most)
			continue;
		most = count;
		victim = guest;
	}
	return victim;
}

/*
 * The charge of an address, or the one whose place it takes: any that is
 * over, else the oldest.
 */
static struct guest_charge *
find_charge(struct guests *guests, const struct guest_place *place, int64_t now)
{
	struct guest_charge *oldest = &guests->charges[0];

	for (int i = 0; i < GUEST_CHARGES; i++) {
		struct guest_charge *charge = &guests->charges[i];

		if (charge->since + GUEST_CHARGE_MS <= now)
			charge->since = charge->count = 0;
		if (charge->since != 0 &&
		    memcmp(&charge->key, &place->key, sizeof(charge->key)) == 0)
			return charge;
		if (charge->since < oldest->since)
			oldest = charge;
	}
	*oldest = (struct guest_charge){.key = place->key, .since = now};
	return oldest;
}

bool
guests_charge(
    struct guests *guests, const struct guest_place *place, int64_t now)
{
	struct guest_charge *charge = find_charge(guests, place, now);

	if (charge->count >= GUEST_CHARGE_MAX)
		return false;
	charge->count++;
	return true;
}

void
guests_clear(struct guests *guests, const struct guest_place *place)
{
	for (int i = 0; i < GUEST_CHARGES; i++)
		if (memcmp(&guests->charges[i].key, &place->key,
			sizeof(place->key)) == 0)
			guests->charges[i].since = 0;
}

/* The address that stands for all. */
static socklen_t
any(int family, int port, struct sockaddr_storage *out)
{
	struct sockaddr_in *v4 = (struct sockaddr_in *)out;
	struct sockaddr_in6 *v6 = (struct sockaddr_in6 *)out;

	memset(out, 0, sizeof(*out));
	if (family == AF_INET) {
		v4->sin_family = AF_INET;
		v4->sin_port = htons((uint16_t)port);
		return sizeof(*v4);
	}
	v6->sin6_family = AF_INET6;
	v6->sin6_port = htons((uint16_t)port);
	return sizeof(*v6);
}

/* Closes a descriptor and passes the error on. */
static int
close_failed(int fd)
{
	int saved = errno;

	close(fd);
	errno = saved;
	return -1;
}

/* One socket; IPv6 takes IPv4 in as well, unless it is to be alone. */
static int
listen_at(int family, bool alone, int port, int *got)
{
	struct sockaddr_storage address;
	socklen_t len = any(family, port, &address);
	int only = alone, one = 1;
	int fd = socket(family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

	if (fd == -1)
		return -1;
	if ((family == AF_INET6 &&
		setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &only,
		    sizeof(only)) == -1) ||
	    /* A port of one's own is taken again at the next start. */
	    (port != 0 &&
		setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one)) ==
		    -1) ||
	    bind(fd, (struct sockaddr *)&address, len) == -1 ||
	    listen(fd, BACKLOG) == -1 ||
	    getsockname(fd, (struct sockaddr *)&address, &len) == -1)
		return close_failed(fd);
	*got = ntohs(family == AF_INET
		? ((struct sockaddr_in *)&address)->sin_port
		: ((struct sockaddr_in6 *)&address)->sin6_port);
	return fd;
}

/* For both families at once; for IPv4 where the system has no IPv6. */
static int
listen_once(int family, int port, int *got)
{
	int fd;

	if (family != AF_UNSPEC)
		return listen_at(family, true, port, got);
	fd = listen_at(AF_INET6, false, port, got);
	if (fd == -1 && errno != EADDRINUSE && errno != EACCES)
		fd = listen_at(AF_INET, true, port, got);
	return fd;
}

int
guest_listen(int family, int port, int *got)
{
	int fd = -1;

	for (int i = 0; i < PORT_TRIES; i++) {
		fd = listen_once(family, port, got);
		if (fd == -1 || port != 0 || *got >= PEER_PORT_MIN)
			return fd;
		close(fd);
	}
	errno = EADDRNOTAVAIL;
	return -1;
}
