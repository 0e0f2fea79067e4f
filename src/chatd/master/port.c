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

/* Asks for that much room: past the system's limit where we may. */
static void
make_room(int sock, int option, int forced, int room)
{
	if (setsockopt(sock, SOL_SOCKET, forced, &room, sizeof(room)) == -1)
		setsockopt(sock, SOL_SOCKET, option, &room, sizeof(room));
}

/* Says so if the system allows much less; the kernel doubles what it gives. */
static void
check_room(int sock)
{
	socklen_t len = sizeof(int);
	int room = 0;

	if (getsockopt(sock, SOL_SOCKET, SO_RCVBUF, &room, &len) == -1 ||
	    room / 2 >= RECEIVE_ROOM)
		return;
	log_info("the beacon's receive buffer is of %d KiB; %d would be better "
		 "(sysctl net.core.rmem_max)",
	    room / 2048, RECEIVE_ROOM / 1024);
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

int
port_adopt(int sock, const struct sockaddr_storage *address)
{
	if (is_any(address) && tell_destination(sock, address->ss_family) == -1)
		return -1;
	make_room(sock, SO_RCVBUF, SO_RCVBUFFORCE, RECEIVE_ROOM);
	make_room(sock, SO_SNDBUF, SO_SNDBUFFORCE, SEND_ROOM);
	check_room(sock);
	return 0;
}

int
port_open(const struct sockaddr_storage *address, socklen_t len)
{
	const int on = 1;
	int family = address->ss_family, saved;
	int sock = socket(family, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

	if (sock == -1)
		return -1;
	if ((family != AF_INET6 ||
		setsockopt(sock, IPPROTO_IPV6, IPV6_V6ONLY, &on, sizeof(on)) ==
		    0) &&
	    bind(sock, (const struct sockaddr *)address, len) == 0 &&
	    port_adopt(sock, address) == 0)
		return sock;
	saved = errno;
	close(sock);
	errno = saved;
	return -1;
}
