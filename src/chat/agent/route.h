/* SPDX-License-Identifier: ISC */
/*
 * Tells when the machine's addresses or routes have changed.  Used by the
 * agent; where the system does not tell, nothing ever happens.
 */
#ifndef CHAT_AGENT_ROUTE_H
#define CHAT_AGENT_ROUTE_H

#include "lib/loop.h"

struct route {
	struct loop_watch watch;
	struct loop_timer calm;
	struct loop *loop;
	int fd; /* -1: it does not tell */
	void (*fn)(void *arg);
	void *arg;
};

/* fn is called a moment after each change, once for many. */
void route_watch(
    struct route *route, struct loop *loop, void (*fn)(void *arg), void *arg);
void route_stop(struct route *route);

#endif
