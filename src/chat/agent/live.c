/* SPDX-License-Identifier: ISC */
/*
 * The beacon's end in the agent: one connected socket, to the address where
 * the last exchange over TLS found the centre, and the book, where keys and
 * counters survive.  It must never wait, or send what pulse.h does not ask.
 */
#include "chat/agent/live.h"

#include <netinet/in.h>
#include <sys/socket.h>

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

#include "chat/agent/agent.h"
#include "chat/agent/book-beacon.h"
#include "chat/agent/pulse.h"
#include "chat/agent/reply.h"
#include "chat/agent/route.h"
#include "lib/log.h"
#include "lib/unix.h"

enum {
	BATCH = 64, /* datagrams of one turn; the faces come next */
	SPREAD_MAX_MS = 3600000,
	/*
	 * A token counts from its last use over TLS on, and may live for one
	 * day only.  Spread, since many log in at the same hour.
	 */
	REST_MS = 10 * 3600 * 1000,
	REST_SPREAD_MS = 4 * 3600 * 1000,
};

struct live {
	struct agent *agent;
	struct pulse pulse;
	struct beacon_mac *mac;
	struct loop_watch watch;
	struct loop_timer timer;
	struct route route;
	int fd; /* -1: none */
	struct centre_place peer; /* len 0: not known yet */
	struct centre_place own; /* where fd is bound */
	bool failed; /* the last exchange did not come through */
};

static void live_turn(struct live *live);

/* ---- the socket ---- */

/* True if both are the same address; the port may differ. */
static bool
same_address(const struct centre_place *a, const struct centre_place *b)
{
	if (a->len != b->len || a->any.sa_family != b->any.sa_family)
		return false;
	if (a->any.sa_family == AF_INET)
		return a->v4.sin_addr.s_addr == b->v4.sin_addr.s_addr;
	return memcmp(&a->v6.sin6_addr, &b->v6.sin6_addr,
		   sizeof(a->v6.sin6_addr)) == 0 &&
	    a->v6.sin6_scope_id == b->v6.sin6_scope_id;
}

static bool
same_place(const struct centre_place *a, const struct centre_place *b)
{
	/* The port stands at the same place in both families. */
	return same_address(a, b) && a->v4.sin_port == b->v4.sin_port;
}

/* A fresh socket to the centre, and where it is bound; -1 with errno. */
static int
open_socket(const struct centre_place *peer, struct centre_place *own)
{
	int fd, error;

	fd = socket(
	    peer->any.sa_family, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd == -1)
		return -1;
	own->len = sizeof(own->v6);
	if (connect(fd, &peer->any, peer->len) == 0 &&
	    getsockname(fd, &own->any, &own->len) == 0)
		return fd;
	error = errno;
	close(fd);
	errno = error;
	return -1;
}

static void
close_socket(struct live *live)
{
	if (live->fd == -1)
		return;
	loop_remove(live->agent->loop, &live->watch);
	close(live->fd);
	live->fd = -1;
}

/* One datagram; true if nobody needs to poll from now on. */
static bool
take(struct live *live, const void *data, size_t len,
    const struct pulse_view *view)
{
	enum pulse_heard heard =
	    pulse_take(&live->pulse, live->mac, data, len, view);

	if (heard != PULSE_DROPPED)
		live->agent->heard = clock_wall();
	return heard == PULSE_CAME_ON;
}

/* One turn's datagrams. */
static void
readable(void *arg, unsigned events)
{
	struct live *live = arg;
	struct agent *agent = live->agent;
	/* One more: one that is too long shows. */
	uint8_t data[BEACON_LEN + 1];
	bool came_on = false;
	ssize_t len;

	(void)events;
	for (int i = 0; i < BATCH && live->fd != -1; i++) {
		struct pulse_view view = {.now = clock_mono(),
		    .mail = agent->place.mail,
		    .room = agent->place.room};

		random_fill(&view.dice, sizeof(view.dice));
		len = recv(live->fd, data, sizeof(data), 0);
		if (len == -1 && errno == EAGAIN)
			break;
		/* An ICMP error: no more than an answer that does not come. */
		if (len == -1)
			continue;
		came_on |= take(live, data, (size_t)len, &view);
	}
	if (came_on) {
		log_info("the beacon is answered");
		session_beacon(agent, true);
	}
	live_turn(live);
}

/*
 * Makes sure of a socket that is bound where the system's routes now lead:
 * one that is connected keeps its address when the network changes.
 */
static bool
bind_anew(struct live *live, bool replace)
{
	struct centre_place own;
	int fd;

	if (live->peer.len == 0)
		return false;
	fd = open_socket(&live->peer, &own);
	if (fd == -1) {
		log_debug("the beacon: %m");
		return live->fd != -1;
	}
	if (live->fd != -1 && !replace && same_address(&own, &live->own)) {
		close(fd);
		return true;
	}
	close_socket(live);
	if (loop_add(live->agent->loop, &live->watch, fd, LOOP_READ, readable,
		live) == -1) {
		log_warn("the beacon: %m");
		close(fd);
		return false;
	}
	live->fd = fd;
	live->own = own;
	return true;
}

/* ---- what is said ---- */

/* Counters to use, on the disk before one of them is; false if not. */
static bool
reserve(struct live *live)
{
	struct beacon_counters *counters = &live->pulse.counters;

	if (counters->next < counters->end)
		return true;
	if (book_beacon_reserve(live->agent->book, beacon_reserve(counters)) ==
	    -1) {
		log_warn("the beacon's counters cannot be kept: it is off");
		return false;
	}
	beacon_reserved(counters);
	return true;
}

/* Says LIVE.  One that cannot be sent is one that was lost. */
static void
say_live(struct live *live, const struct pulse_view *view)
{
	uint8_t out[BEACON_LEN];
	bool last = live->pulse.tries == PULSE_TRIES;

	/* A path that lost two gets a new port: its NAT may have forgotten. */
	if (!bind_anew(live, last) ||
	    !pulse_live(&live->pulse, live->mac, view, out))
		return;
	/* What came back for an earlier one would keep this one here. */
	if (send(live->fd, out, sizeof(out), 0) == -1 && errno == ECONNREFUSED)
		send(live->fd, out, sizeof(out), 0);
}

/* What is asked for meanwhile might be answered by what is under way. */
static bool
is_busy(const struct agent *agent)
{
	return centre_busy(agent->centre) || agent->handling;
}

/* Does what the rules say next. */
static enum pulse_deed
do_next(struct live *live)
{
	struct agent *agent = live->agent;
	struct pulse_view view = {
	    .now = clock_mono(),
	    .mail = agent->place.mail,
	    .room = agent->place.room,
	    .busy = is_busy(agent),
	};
	enum pulse_deed deed = pulse_next(&live->pulse, &view);

	if (deed == PULSE_SAY_LIVE) {
		if (reserve(live))
			say_live(live, &view);
		else
			live_end(live);
	} else if (deed == PULSE_FALL_BACK) {
		log_info("the beacon is not answered: going on over TLS");
		session_beacon(agent, false);
	} else if (deed == PULSE_SAY_SYNC) {
		agent->sync_due = true;
		session_go(agent);
	}
	return deed;
}

static void
timer_due(void *arg)
{
	live_turn(arg);
}

/* Does what is due, and sets the timer for what is due next. */
static void
live_turn(struct live *live)
{
	struct agent *agent = live->agent;
	int64_t due, now;

	while (do_next(live) != PULSE_REST)
		continue;
	due = pulse_due(&live->pulse, is_busy(agent));
	now = clock_mono();
	if (due == PULSE_NEVER)
		loop_timer_stop(agent->loop, &live->timer);
	else
		loop_timer(agent->loop, &live->timer, due > now ? due - now : 0,
		    timer_due, live);
}

/* ---- begin and end ---- */

/* One that is silent yet. */
struct live *
live_new(struct agent *agent)
{
	struct live *live = calloc(1, sizeof(*live));

	if (live == NULL || (live->mac = beacon_mac_new()) == NULL)
		fatal(EX_OSERR, "no memory");
	live->agent = agent;
	live->fd = -1;
	live->watch.fd = -1;
	live->route.fd = -1;
	pulse_stop(&live->pulse);
	return live;
}

/*
 * The machine may have moved to another network: the centre must learn of it
 * at once, or what it knocks until the next LIVE is lost.
 */
static void
moved(void *arg)
{
	struct live *live = arg;
	struct centre_place own = live->own;

	if (!bind_anew(live, false) || same_address(&own, &live->own))
		return;
	pulse_retry(&live->pulse, clock_mono());
	live_turn(live);
}

/* The session's beacon begins with what is in the book. */
static void
start(struct live *live, const struct book_beacon *beacon,
    const struct beacon_counters *counters)
{
	pulse_start(&live->pulse, beacon->id, &beacon->keys, counters,
	    live->agent->heartbeat, beacon->spread, clock_mono());
	route_watch(&live->route, live->agent->loop, moved, live);
}

/* A login's reply has come. */
void
live_login(struct live *live, const struct centre_exchange *exchange)
{
	struct agent *agent = live->agent;
	int64_t spread = reply_seconds(exchange->replies[0], "room_spread");
	struct book_beacon beacon = {
	    .id = exchange->beacon,
	    .keys = exchange->keys,
	    .end = BEACON_RESERVE,
	    .spread = spread < SPREAD_MAX_MS ? spread : SPREAD_MAX_MS,
	};

	live_end(live);
	if (exchange->beacon == 0 || !agent->account->beacon)
		return;
	if (book_beacon_set(agent->book, &beacon) == 0)
		start(live, &beacon,
		    &(struct beacon_counters){.end = beacon.end});
	else
		log_warn("the beacon's keys cannot be kept: it is off");
	explicit_bzero(&beacon, sizeof(beacon));
}

/* The session of the book goes on. */
void
live_resume(struct live *live)
{
	struct agent *agent = live->agent;
	struct book_beacon beacon;
	int found;

	live_end(live);
	if (!agent->account->beacon)
		return;
	found = book_beacon(agent->book, &beacon);
	if (found == -1)
		log_warn("the beacon's keys cannot be read: it is off");
	/* What is left of a block may have been used. */
	if (found == 1)
		start(live, &beacon,
		    &(struct beacon_counters){beacon.end, beacon.end});
	explicit_bzero(&beacon, sizeof(beacon));
}

/* An exchange is over. */
void
live_exchanged(struct live *live, const struct centre_exchange *exchange)
{
	struct centre_place own = live->own;
	bool came = exchange->got > 0;

	if (live->pulse.state == PULSE_OFF)
		return;
	if (came && exchange->peer.len > 0 &&
	    !same_place(&exchange->peer, &live->peer)) {
		live->peer = exchange->peer;
		close_socket(live);
		bind_anew(live, true);
		pulse_retry(&live->pulse, clock_mono());
	} else if (came && bind_anew(live, false) &&
	    (live->failed || !same_address(&own, &live->own))) {
		pulse_retry(&live->pulse, clock_mono());
	}
	live->failed = !came;
	live_turn(live);
}

/* The session ends. */
void
live_end(struct live *live)
{
	close_socket(live);
	route_stop(&live->route);
	loop_timer_stop(live->agent->loop, &live->timer);
	if (live_steady(live)) {
		pulse_stop(&live->pulse);
		session_beacon(live->agent, false);
	}
	pulse_stop(&live->pulse);
}

/* True while the beacon makes polling needless. */
bool
live_steady(const struct live *live)
{
	return pulse_steady(&live->pulse);
}

/* Milliseconds until the token should be used even so. */
int64_t
live_rest(void)
{
	uint32_t dice;

	random_fill(&dice, sizeof(dice));
	return REST_MS + dice % REST_SPREAD_MS;
}

/* Adds to an agent's status how it is kept up to date. */
void
live_status(const struct live *live, json_t *reply)
{
	static const char *const names[] = {
	    [PULSE_OFF] = "off",
	    [PULSE_TRYING] = "off",
	    [PULSE_ON] = "on",
	    [PULSE_FILTERED] = "filtered",
	};
	static const char *const whys[] = {
	    [PULSE_OFF] = "the centre has none",
	    [PULSE_TRYING] = NULL,
	    [PULSE_ON] = "the centre answers",
	    [PULSE_FILTERED] = "no answer over UDP",
	};
	enum pulse_state state = live->pulse.state;
	const char *why = whys[state];

	if (live->agent->state != AGENT_IN)
		why = "nobody is logged in";
	else if (!live->agent->account->beacon)
		why = "chat.conf says so";
	json_object_set_new(reply, "beacon", json_string(names[state]));
	if (why != NULL)
		json_object_set_new(reply, "beacon_why", json_string(why));
}
