/* SPDX-License-Identifier: ISC */
/*
 * The client's side of the beacon as rules: when LIVE is said, which answers
 * count, when a knock is worth a sync, when TLS has to do.  Runs in the
 * agent.  Pure: knows no socket, no disk and no clock.
 */
#ifndef CHAT_AGENT_PULSE_H
#define CHAT_AGENT_PULSE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/beacon.h"

enum {
	PULSE_TRIES = 3, /* LIVEs without an answer: then TLS has to do */
	PULSE_TRY_MS = 1000, /* between these */
	PULSE_CHECKS = 3, /* in each beat: so often LIVE is repeated at once */
	PULSE_AGAIN_MS = 5000, /* the first new try, then four times later */
	PULSE_AGAIN_MAX_MS = 300000,
	/*
	 * Between two syncs that hints asked for.  One that brought nothing
	 * doubles it: a centre that knocks in vain gets no more than polls.
	 */
	PULSE_SYNC_MS = 50,
	PULSE_SYNC_MAX_MS = 2000,
	PULSE_CALM_MS = 10000, /* after that it counts as the first again */
};

#define PULSE_NEVER INT64_MAX

enum pulse_state {
	PULSE_OFF, /* no keys */
	PULSE_TRYING, /* nothing was answered yet */
	PULSE_ON, /* answered: nobody needs to poll */
	PULSE_FILTERED, /* nothing is answered any more */
};

struct pulse {
	enum pulse_state state;
	uint64_t id;
	struct beacon_keys keys;
	struct beacon_counters counters;
	struct beacon_window window; /* the centre's counters */
	uint64_t echo; /* the last one received */
	int64_t beat; /* between two LIVEs */
	int64_t spread; /* news of the room alone waits up to this long */

	/* LIVE. */
	bool waiting; /* one is out, and nothing has come back */
	bool repeat; /* a CHECK wants it again */
	int tries, checks; /* of this beat */
	int rounds; /* beats that nobody answered */
	int64_t live_at;
	int64_t retried; /* when something last asked for a try at once */

	/* What the centre hinted at. */
	bool forced; /* a knock without anything new: the reply will say why */
	int64_t mail, room; /* the heads that were heard */
	int64_t sync_at; /* PULSE_NEVER: no hint is open */
	int64_t synced; /* when the last one was followed */
	int64_t had_mail, had_room; /* the cursors at that time */
	int vain; /* such syncs in a row that brought nothing */
};

/* What the rules have to know of the moment. */
struct pulse_view {
	int64_t now; /* clock_mono() */
	int64_t mail, room; /* the cursors */
	bool busy; /* an exchange is under way: no sync can begin */
	uint16_t dice; /* random */
};

enum pulse_deed {
	PULSE_REST, /* nothing until pulse_due() */
	PULSE_SAY_LIVE,
	PULSE_SAY_SYNC,
	PULSE_FALL_BACK, /* from now on TLS has to do */
};

enum pulse_heard {
	PULSE_DROPPED, /* nobody's, or nothing new */
	PULSE_HEARD,
	PULSE_CAME_ON, /* from now on nobody needs to poll */
};

/*
 * A session's beacon begins, with the counters that are reserved for it.
 * beat is the heartbeat, spread that of the login, in milliseconds.
 */
void pulse_start(struct pulse *pulse, uint64_t id,
    const struct beacon_keys *keys, const struct beacon_counters *counters,
    int64_t beat, int64_t spread, int64_t now);

/* It ends: the keys are wiped. */
void pulse_stop(struct pulse *pulse);

/* True while nobody needs to poll. */
bool pulse_steady(const struct pulse *pulse);

/* When pulse_next() will have something to do, or PULSE_NEVER. */
int64_t pulse_due(const struct pulse *pulse, bool busy);

/* What is to be done now; call it until it rests. */
enum pulse_deed pulse_next(struct pulse *pulse, const struct pulse_view *view);

/*
 * The LIVE to send.  False if no counter is reserved (see pulse->counters),
 * or OpenSSL would not.
 */
bool pulse_live(struct pulse *pulse, struct beacon_mac *mac,
    const struct pulse_view *view, uint8_t out[BEACON_LEN]);

/* Takes a datagram that may be anything at all. */
enum pulse_heard pulse_take(struct pulse *pulse, struct beacon_mac *mac,
    const void *data, size_t len, const struct pulse_view *view);

/*
 * The path may be another one, or the centre may be back: LIVE at once, but
 * not more often than tries and new tries come without that.
 */
void pulse_retry(struct pulse *pulse, int64_t now);

#endif
