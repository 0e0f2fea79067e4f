/* SPDX-License-Identifier: ISC */
/*
 * Tells the service manager how the centre is doing.  Runs in the master;
 * without a NOTIFY_SOCKET it does nothing, and no failure matters.
 */
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <sys/socket.h>
#include <sys/un.h>

#include "chatd/master/state.h"

static int sock = -1;

void
notify_open(void)
{
	if (getenv("NOTIFY_SOCKET"))
		sock = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
}

void
notify(const char *state)
{
	struct sockaddr_un to = {.sun_family = AF_UNIX};
	const char *path = getenv("NOTIFY_SOCKET");
	size_t len = path ? strlen(path) : 0;

	if (sock == -1 || len < 2 || len >= sizeof(to.sun_path))
		return;
	memcpy(to.sun_path, path, len);
	/* An abstract name has no NUL at its end, but one at its start. */
	if (*path == '@')
		to.sun_path[0] = '\0';
	sendto(sock, state, strlen(state), MSG_NOSIGNAL | MSG_DONTWAIT,
	    (struct sockaddr *)&to,
	    (socklen_t)(offsetof(struct sockaddr_un, sun_path) + len));
}
