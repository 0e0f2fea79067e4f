/* SPDX-License-Identifier: ISC */
/*
 * The beacon's sockets: bound by the master, with the rights that it starts
 * with, and read by the store alone.  The master keeps them open, so that
 * what comes while a store is started again waits in them.
 */
#include <errno.h>
#include <unistd.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include "chatd/master/state.h"
#include "lib/log.h"

enum {
	RECEIVE_ROOM = 4 << 20, /* for the time that a commit takes */
	SEND_ROOM = 1 << 20,
};

/* What the kernel has given; it doubles that. */
static int
room_of(int sock, int option)
{
	socklen_t len = sizeof(int);
	int room = 0;

	if (getsockopt(sock, SOL_SOCKET, option, &room, &len) == -1)
		return 0;
	return room / 2;
}

/* Goes past the system's limit where we may; never below what there is. */
static void
make_room(int sock, int option, int forced, int room)
{
	if (room_of(sock, option) < room)
		setsockopt(sock, SOL_SOCKET, forced, &room, sizeof(room));
}

/* Says so if there is much less than we want, and where more comes from. */
static void
check_room(int sock, const char *source)
{
	int room = room_of(sock, SO_RCVBUF);

	if (room < RECEIVE_ROOM)
		log_info("the beacon's receive buffer is of %d KiB; %d would "
			 "be better (%s)",
		    room / 1024, RECEIVE_ROOM / 1024, source);
}

/* True if the address stands for all that the machine has. */
static bool
is_any(const struct sockaddr_storage *address)
{
	if (address->ss_family == AF_INET6)
		return IN6_IS_ADDR_UNSPECIFIED(
		    &((const struct sockaddr_in6 *)address)->sin6_addr);
	return ((const struct sockaddr_in *)address)->sin_addr.s_addr ==
	    htonl(INADDR_ANY);
}

/* Has the kernel tell which of its addresses a datagram was sent to. */
static int
tell_destination(int sock, int family)
{
	const int on = 1;

	if (family == AF_INET6)
		return setsockopt(
		    sock, IPPROTO_IPV6, IPV6_RECVPKTINFO, &on, sizeof(on));
	return setsockopt(sock, IPPROTO_IP, IP_PKTINFO, &on, sizeof(on));
}

/* What a bound socket needs besides, whoever has opened it. */
static int
prepare(int sock, const struct sockaddr_storage *address, const char *source)
{
	if (is_any(address) && tell_destination(sock, address->ss_family) == -1)
		return -1;
	make_room(sock, SO_RCVBUF, SO_RCVBUFFORCE, RECEIVE_ROOM);
	make_room(sock, SO_SNDBUF, SO_SNDBUFFORCE, SEND_ROOM);
	check_room(sock, source);
	return 0;
}

int
port_adopt(int sock, const struct sockaddr_storage *address)
{
	return prepare(sock, address, "from whoever hands it over");
}

/* Asks for what the system's limit allows; that may be less than there was. */
static void
ask_room(int sock, int option, int room)
{
	setsockopt(sock, SOL_SOCKET, option, &room, sizeof(room));
}

int
port_open(const struct sockaddr_storage *address, socklen_t len)
{
	const int on = 1;
	int family = address->ss_family, saved;
	int sock = socket(family, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

	if (sock == -1)
		return -1;
	ask_room(sock, SO_RCVBUF, RECEIVE_ROOM);
	ask_room(sock, SO_SNDBUF, SEND_ROOM);
	if ((family != AF_INET6 ||
		setsockopt(sock, IPPROTO_IPV6, IPV6_V6ONLY, &on, sizeof(on)) ==
		    0) &&
	    bind(sock, (const struct sockaddr *)address, len) == 0 &&
	    prepare(sock, address, "sysctl net.core.rmem_max") == 0)
		return sock;
	saved = errno;
	close(sock);
	errno = saved;
	return -1;
}
