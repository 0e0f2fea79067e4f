/* SPDX-License-Identifier: ISC */
/*
 * The beacon's end in the agent: a socket that says LIVE and hears knocks,
 * as pulse.h rules it.  Never waits; where nothing answers the session goes
 * on over TLS as if this were not there.
 */
#ifndef CHAT_AGENT_LIVE_H
#define CHAT_AGENT_LIVE_H

#include <stdbool.h>

#include <jansson.h>

#include "chat/agent/centre.h"

struct agent;
struct live;

/* One that is silent yet; never NULL.  It lives as long as the agent. */
struct live *live_new(struct agent *agent);

/* A login's reply has come, whose courier has exported the keys, or not. */
void live_login(struct live *live, const struct centre_exchange *exchange);

/* The session of the book goes on; its beacon, too. */
void live_resume(struct live *live);

/* An exchange is over: where the centre is, and whether it is there. */
void live_exchanged(struct live *live, const struct centre_exchange *exchange);

/* True while the beacon makes polling needless. */
bool live_steady(const struct live *live);

/* Milliseconds until the token should be used even so. */
int64_t live_rest(void);

/* The session ends: nothing is said any more, and the keys are wiped. */
void live_end(struct live *live);

/* Adds to an agent's status how it is kept up to date. */
void live_status(const struct live *live, json_t *reply);

#endif
