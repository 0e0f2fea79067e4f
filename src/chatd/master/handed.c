/* SPDX-License-Identifier: ISC */
/*
 * Sockets that were open before we started: a service manager holds them, so
 * that no connection is refused while the centre is started again.  Runs in
 * the master; trusts the environment only if it speaks of this process, and
 * leaves it as it is, since nobody here runs a program.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include "chatd/master/state.h"
#include "lib/log.h"
#include "lib/unix.h"

enum { HANDED_FIRST = 3 }; /* they follow upon each other (sd_listen_fds(3)) */

/* A number in the environment; 0 if it is none. */
static long
number_of(const char *name)
{
	const char *text = getenv(name);
	char *end;
	long value;

	if (!text || *text < '0' || *text > '9')
		return 0;
	errno = 0;
	value = strtol(text, &end, 10);
	return errno || *end ? 0 : value;
}

void
handed_find(struct handed *handed)
{
	long count = number_of("LISTEN_FDS");

	handed->count = 0;
	if (number_of("LISTEN_PID") != (long)getpid())
		count = 0;
	for (long i = 0; i < count && i < HANDED_MAX; i++) {
		int fd = HANDED_FIRST + (int)i;

		if (fcntl(fd, F_SETFD, FD_CLOEXEC) == 0)
			handed->fds[handed->count++] = fd;
	}
}

/* An option of a socket that is a number; -1 if it has none. */
static int
option_of(int sock, int option)
{
	socklen_t len = sizeof(int);
	int value = -1;

	if (getsockopt(sock, SOL_SOCKET, option, &value, &len) == -1)
		return -1;
	return value;
}

/* True if the socket is of that type and bound to that very address. */
static bool
is_for(int sock, int type, const struct ipc_address *wanted)
{
	struct sockaddr_storage at = {0};
	struct ipc_address is;
	socklen_t len = sizeof(at);

	if (option_of(sock, SO_TYPE) != type ||
	    getsockname(sock, (struct sockaddr *)&at, &len) == -1 ||
	    (at.ss_family != AF_INET && at.ss_family != AF_INET6) ||
	    (type == SOCK_STREAM && option_of(sock, SO_ACCEPTCONN) != 1))
		return false;
	ipc_address_set(&is, (struct sockaddr *)&at);
	return is.family == wanted->family && is.port == wanted->port &&
	    memcmp(is.ip, wanted->ip, sizeof(is.ip)) == 0;
}

int
handed_take(
    struct handed *handed, int type, const struct sockaddr_storage *address)
{
	struct ipc_address wanted;

	ipc_address_set(&wanted, (const struct sockaddr *)address);
	for (size_t i = 0; i < handed->count; i++) {
		int sock = handed->fds[i];

		if (sock == -1 || !is_for(sock, type, &wanted))
			continue;
		handed->fds[i] = -1;
		if (fd_nonblock(sock, true) == -1)
			return -1;
		return sock;
	}
	return -1;
}

void
handed_close(struct handed *handed)
{
	for (size_t i = 0; i < handed->count; i++) {
		if (handed->fds[i] == -1)
			continue;
		log_warn("descriptor %d was handed over, but is no socket that "
			 "listen names",
		    handed->fds[i]);
		close(handed->fds[i]);
	}
	handed->count = 0;
}
