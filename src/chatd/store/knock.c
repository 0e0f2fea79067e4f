/* SPDX-License-Identifier: ISC */
/*
 * When a client is told that there is something for it: at once, then not
 * for a moment, and twice more if it does not come.  News of the room, which
 * one asks for and all come to fetch, gather for longer.  Each wait is a queue
 * of its own in the order of time, so that a knock costs the same however many
 * there are.  Part of the store; must never knock before the commit.
 */
#include "chatd/store/state.h"

enum {
	GATHER_MS = 50, /* between two knocks, while the client has not come */
	AGAIN_MS = 1000,
	LAST_MS = 4000, /* after that: 5 s after the first */
	ROOM_MS = 1000, /* between two knocks of all for the room's news */
	AT_ONCE = 256, /* what one turn of the timer knocks */
};

static const int waits[KNOCK_STEPS] = {
    [KNOCK_SOON] = GATHER_MS, [KNOCK_AGAIN] = AGAIN_MS, [KNOCK_LAST] = LAST_MS};

static void
dequeue(struct store *store, struct session *session)
{
	struct knock_queue *queue = &store->beacons.knocks[session->knock];

	if (session->knock == KNOCK_NONE)
		return;
	if (session->knock_earlier != NULL)
		session->knock_earlier->knock_later = session->knock_later;
	else
		queue->first = session->knock_later;
	if (session->knock_later != NULL)
		session->knock_later->knock_earlier = session->knock_earlier;
	else
		queue->last = session->knock_earlier;
	session->knock = KNOCK_NONE;
}

/* Puts it behind all that have waited longer for this step. */
static void
enqueue(struct store *store, struct session *session, enum knock_step step)
{
	struct knock_queue *queue = &store->beacons.knocks[step];

	session->knock = step;
	session->knock_due = store->now + waits[step];
	session->knock_later = NULL;
	session->knock_earlier = queue->last;
	if (queue->last != NULL)
		queue->last->knock_later = session;
	else
		queue->first = session;
	queue->last = session;
}

static void knock_due(void *arg);

/* Has the timer go off when the first of those that wait is due. */
static void
plan(struct store *store)
{
	struct loop_timer *timer = &store->beacons.timer;
	int64_t due = INT64_MAX;

	for (int step = KNOCK_SOON; step < KNOCK_STEPS; step++) {
		const struct session *first = store->beacons.knocks[step].first;

		if (first != NULL && first->knock_due < due)
			due = first->knock_due;
	}
	if (store->beacons.room_news && store->beacons.room_due < due)
		due = store->beacons.room_due;
	/* One that goes off too early only looks again. */
	if (due == INT64_MAX || (timer->slot != 0 && timer->at <= due))
		return;
	loop_timer(store->loop, timer, due > store->now ? due - store->now : 0,
	    knock_due, store);
}

/* Knocks, and puts it where it waits for what comes next. */
static void
knock(struct store *store, struct session *session)
{
	enum knock_step step = (enum knock_step)session->knock;

	dequeue(store, session);
	beacon_knock(store, session);
	if (step == KNOCK_AGAIN)
		enqueue(store, session, KNOCK_LAST);
	else if (step != KNOCK_LAST)
		enqueue(store, session, KNOCK_AGAIN);
}

/* All who are online have news of the room, but for who made all of it. */
static void
tell_room(struct store *store)
{
	struct session *each = NULL;

	store->beacons.room_news = false;
	store->beacons.room_due = store->now + ROOM_MS;
	if (sessions_online(store->sessions) > RULES_KNOCK_ALL)
		return;
	while ((each = sessions_next_online(store->sessions, each)) != NULL)
		if (each->user != store->beacons.room_but)
			knock_session(store, each);
}

/* A timer: those whose time has come. */
static void
knock_due(void *arg)
{
	struct store *store = arg;
	int left = AT_ONCE;

	store_tick(store);
	for (int step = KNOCK_SOON; step < KNOCK_STEPS; step++) {
		struct knock_queue *queue = &store->beacons.knocks[step];

		while (queue->first != NULL && left > 0 &&
		    queue->first->knock_due <= store->now) {
			knock(store, queue->first);
			left--;
		}
	}
	if (store->beacons.room_news && store->beacons.room_due <= store->now)
		tell_room(store);
	plan(store);
}

void
knock_session(struct store *store, struct session *session)
{
	if (session->path.port == 0 || session->knock == KNOCK_NOW ||
	    session->knock == KNOCK_SOON)
		return;
	if (session->knock == KNOCK_AGAIN &&
	    store->now - (session->knock_due - AGAIN_MS) < GATHER_MS) {
		dequeue(store, session);
		enqueue(store, session, KNOCK_SOON);
		return;
	}
	dequeue(store, session);
	enqueue(store, session, KNOCK_NOW);
}

void
knock_room(struct store *store, int64_t but)
{
	struct beacons *beacons = &store->beacons;

	if (sessions_online(store->sessions) > RULES_KNOCK_ALL ||
	    beacons->ports == NULL)
		return;
	if (!beacons->room_news)
		beacons->room_but = but;
	else if (beacons->room_but != but)
		beacons->room_but = 0;
	beacons->room_news = true;
	if (beacons->room_due <= store->now)
		tell_room(store);
}

void
knock_stop(struct store *store, struct session *session)
{
	dequeue(store, session);
}

void
knocks_flush(struct store *store)
{
	struct knock_queue *queue = &store->beacons.knocks[KNOCK_NOW];

	if (store->beacons.ports == NULL)
		return;
	while (queue->first != NULL) {
		if (ports_full(store->beacons.ports))
			ports_flush(store->beacons.ports);
		knock(store, queue->first);
	}
	ports_flush(store->beacons.ports);
	plan(store);
}
