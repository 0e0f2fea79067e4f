/* SPDX-License-Identifier: ISC */
/*
 * Standard output in pieces.  Signals are read from a descriptor, so nothing
 * would end a write(2) that waits for a reader.
 */
#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <stdio.h>
#include <stdio_ext.h>
#include <unistd.h>

#include "chat/faces/outlet.h"

/* More than is ever printed in one go. */
static char held[256 * 1024];

void
outlet_open(void)
{
	setvbuf(stdout, held, _IOFBF, sizeof(held));
}

bool
outlet_ready(int stop, int patience)
{
	struct pollfd pfds[2] = {
	    {.fd = STDOUT_FILENO, .events = POLLOUT},
	    {.fd = stop, .events = POLLIN},
	};

	int count;

	do
		count = poll(pfds, 2, patience);
	while (count == -1 && errno == EINTR);
	return count > 0 && pfds[0].revents != 0;
}

/*
 * Writes what is held.  Where poll(2) says that there is room a pipe takes
 * PIPE_BUF octets at once (pipe(7)).
 */
static enum outlet
write_held(size_t len, int stop, int patience)
{
	for (size_t at = 0; at < len;) {
		size_t piece = len - at < PIPE_BUF ? len - at : PIPE_BUF;
		ssize_t wrote;

		if (!outlet_ready(stop, patience))
			return OUTLET_STOPPED;
		wrote = write(STDOUT_FILENO, held + at, piece);
		if (wrote >= 0)
			at += (size_t)wrote;
		else if (errno != EINTR && errno != EAGAIN)
			return OUTLET_FAILED;
	}
	return OUTLET_DONE;
}

enum outlet
outlet_flush(int stop, int patience)
{
	enum outlet result = write_held(__fpending(stdout), stop, patience);

	__fpurge(stdout);
	if (result == OUTLET_DONE && ferror(stdout))
		result = OUTLET_FAILED;
	return result;
}
