/* SPDX-License-Identifier: ISC */
/*
 * The room of the beacon's sockets: what somebody else opened keeps at least
 * what it has, whether or not we may go past the system's limit.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <unistd.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/syscall.h>

#include "chatd/master/state.h"
#include "tap.h"

enum {
	SMALL = 64 << 10,
	MIDDLE = 2 << 20,
	WANTED = 4 << 20,
	LARGE = 8 << 20,
};

static bool bounded; /* by the system's limit, as without CAP_NET_ADMIN */

/* In place of the C library's, for everything in this program. */
int
setsockopt(int sock, int level, int option, const void *value, socklen_t len)
{
	if (bounded && level == SOL_SOCKET &&
	    (option == SO_RCVBUFFORCE || option == SO_SNDBUFFORCE)) {
		errno = EPERM;
		return -1;
	}
	return (int)syscall(SYS_setsockopt, sock, level, option, value, len);
}

/* The kernel doubles what it gives. */
static int
room(int sock, int option)
{
	socklen_t len = sizeof(int);
	int value = 0;

	getsockopt(sock, SOL_SOCKET, option, &value, &len);
	return value / 2;
}

/* What there is after a socket with that much was handed over to us. */
static void
adopted(int forced, int option, int size, int *before, int *after)
{
	struct sockaddr_storage at = {0};
	int sock = socket(AF_INET, SOCK_DGRAM, 0);
	bool was = bounded;

	((struct sockaddr_in *)&at)->sin_family = AF_INET;
	((struct sockaddr_in *)&at)->sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	bounded = false;
	if (setsockopt(sock, SOL_SOCKET, forced, &size, sizeof(size)) == -1)
		setsockopt(sock, SOL_SOCKET, option, &size, sizeof(size));
	bounded = was;
	*before = room(sock, option);
	if (port_adopt(sock, &at) == -1)
		*before = *after = -1;
	else
		*after = room(sock, option);
	close(sock);
}

/* Both of its buffers, handed over with that much. */
static void
keeps(int size, const char *what)
{
	int before, after;

	adopted(SO_RCVBUFFORCE, SO_RCVBUF, size, &before, &after);
	if (before < size)
		ok(true, "%s to receive # SKIP only root can make it", what);
	else
		is_number(after, before, "%s to receive is left alone", what);
	adopted(SO_SNDBUFFORCE, SO_SNDBUF, size, &before, &after);
	if (before < size)
		ok(true, "%s to send # SKIP only root can make it", what);
	else
		is_number(after, before, "%s to send is left alone", what);
}

int
main(void)
{
	struct sockaddr_storage at = {0};
	int before, after, sock;

	bounded = true;
	keeps(SMALL, "within the limit, a small buffer");
	keeps(MIDDLE, "within the limit, one that is past it");
	keeps(LARGE, "within the limit, a large one");

	/* What we open gets what the limit allows. */
	((struct sockaddr_in *)&at)->sin_family = AF_INET;
	((struct sockaddr_in *)&at)->sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	sock = port_open(&at, sizeof(struct sockaddr_in));
	adopted(SO_RCVBUF, SO_RCVBUF, WANTED, &before, &after);
	is_number(room(sock, SO_RCVBUF), before,
	    "within the limit, our own gets all that it allows");
	close(sock);

	bounded = false;
	keeps(LARGE, "past the limit, a large buffer");
	adopted(SO_RCVBUFFORCE, SO_RCVBUF, SMALL, &before, &after);
	if (geteuid() != 0)
		ok(true, "past the limit # SKIP only root may go there");
	else
		is_number(after, WANTED, "past the limit, a small one grows");
	return done();
}
