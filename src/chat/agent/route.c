/* SPDX-License-Identifier: ISC */
/*
 * Tells when the machine's addresses or routes have changed, rtnetlink(7).
 * Runs in the agent; believes nothing of what it reads, only that there was
 * something to read.
 */
#include "chat/agent/route.h"

#include <sys/socket.h>

#include <linux/netlink.h>
#include <linux/rtnetlink.h>

#include <errno.h>
#include <unistd.h>

enum {
	CALM_MS = 100, /* a change of networks is many small ones */
	READS = 64, /* of one turn; what is left makes another one */
};

static void
calm(void *arg)
{
	struct route *route = arg;

	route->fn(route->arg);
}

/* Something has changed; what, the one who asked will see for himself. */
static void
readable(void *arg, unsigned events)
{
	struct route *route = arg;
	char data[8192];
	ssize_t len = 1;

	(void)events;
	/* ENOBUFS: there was more than it could keep. */
	for (int i = 0;
	     i < READS && (len > 0 || errno == EINTR || errno == ENOBUFS); i++)
		len = recv(route->fd, data, sizeof(data), MSG_DONTWAIT);
	if (route->calm.slot == 0)
		loop_timer(route->loop, &route->calm, CALM_MS, calm, route);
}

/* fn is called a moment after each change. */
void
route_watch(
    struct route *route, struct loop *loop, void (*fn)(void *arg), void *arg)
{
	const struct sockaddr_nl own = {
	    .nl_family = AF_NETLINK,
	    .nl_groups = RTMGRP_IPV4_IFADDR | RTMGRP_IPV6_IFADDR |
		RTMGRP_IPV4_ROUTE | RTMGRP_IPV6_ROUTE,
	};

	*route = (struct route){.loop = loop, .fn = fn, .arg = arg};
	route->fd = socket(
	    AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, NETLINK_ROUTE);
	if (route->fd == -1)
		return;
	if (bind(route->fd, (const struct sockaddr *)&own, sizeof(own)) == 0 &&
	    loop_add(loop, &route->watch, route->fd, LOOP_READ, readable,
		route) == 0)
		return;
	close(route->fd);
	route->fd = -1;
}

void
route_stop(struct route *route)
{
	if (route->fd == -1)
		return;
	loop_timer_stop(route->loop, &route->calm);
	loop_remove(route->loop, &route->watch);
	close(route->fd);
	route->fd = -1;
}
