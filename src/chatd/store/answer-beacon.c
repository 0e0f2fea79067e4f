/* SPDX-License-Identifier: ISC */
/*
 * What the store makes of the beacon's datagrams, chat-protocol(7): a LIVE
 * is answered with HEADS, or with CHECK until it comes from a proven
 * address.  What does not verify is dropped without a word: it must change
 * nothing, cost little, and learn nothing.
 */
#include <sysexits.h>

#include "chatd/store/state.h"
#include "lib/log.h"
#include "lib/unix.h"

_Static_assert(sizeof(struct ipc_address) == BEACON_PLACE_LEN,
    "an echo sees the whole address");

void
beacons_start(struct store *store, const int *fds, size_t count)
{
	struct beacons *beacons = &store->beacons;
	int64_t generation;

	if (count == 0)
		return;
	/*
	 * On the disk before the first datagram goes out: no counter of ours
	 * is ever used twice under one key.
	 */
	generation = db_meta(store->db, "generation") + 1;
	db_write(store->db);
	db_meta_set(store->db, "generation", generation);
	db_commit(store->db);
	beacons->generation = (uint32_t)generation;
	random_fill(beacons->secret, sizeof(beacons->secret));
	beacons->mac = beacon_mac_new();
	beacons->ports = ports_new(store, fds, count);
	if (beacons->mac == NULL || beacons->ports == NULL)
		fatal(EX_OSERR, "no memory for the beacon");
}

void
beacons_stop(struct store *store)
{
	loop_timer_stop(store->loop, &store->beacons.timer);
	ports_free(store->beacons.ports);
	beacon_mac_free(store->beacons.mac);
	ipc_wipe(store->beacons.secret, sizeof(store->beacons.secret));
}

/* The echo that this session must show from that place. */
static uint64_t
echo_for(const struct store *store, const struct session *session,
    const struct beacon_path *path)
{
	return beacon_echo(store->beacons.mac, store->beacons.secret,
	    session->beacon, (const uint8_t *)&path->from);
}

/* Posts one datagram to the session, at that place. */
static void
say(struct store *store, struct session *session, enum beacon_type type,
    const struct beacon_path *path, uint64_t echo)
{
	struct beacon beacon = {
	    .type = type,
	    .id = session->beacon,
	    .mail = session->mail_head,
	    .room = db_room_head(store->db),
	    .echo = echo,
	};
	uint8_t out[BEACON_LEN];

	/* Its counters are used up: not in a life of one who means well. */
	if (session->told == UINT32_MAX)
		return;
	beacon.counter =
	    beacon_centre_counter(store->beacons.generation, ++session->told);
	if (beacon_encode(
		store->beacons.mac, session->keys.centre, &beacon, out))
		port_post(store->beacons.ports, path, out);
}

void
beacon_knock(struct store *store, struct session *session)
{
	say(store, session, BEACON_KNOCK, &session->path,
	    echo_for(store, session, &session->path));
	store->tally.knocks++;
}

void
beacon_forget(struct store *store, struct session *session)
{
	knock_stop(store, session);
	session->path.port = 0;
}

static void
drop(struct store *store, enum beacon_drop reason)
{
	store->tally.drops[reason]++;
}

/* Whose LIVE this is; NULL, and counted, if it is nobody's. */
static struct session *
find_sender(
    struct store *store, const struct arrival *arrival, struct beacon *live)
{
	struct session *session;

	if (arrival->len != BEACON_LEN) {
		drop(store, DROP_LENGTH);
		return NULL;
	}
	if (!beacon_decode(arrival->data, arrival->len, live) ||
	    live->type != BEACON_LIVE) {
		drop(store, DROP_FORM);
		return NULL;
	}
	session = session_by_beacon(store->sessions, live->id);
	if (session == NULL) {
		drop(store, DROP_ID);
		return NULL;
	}
	if (!beacon_verify(
		store->beacons.mac, session->keys.client, arrival->data)) {
		drop(store, DROP_CODE);
		return NULL;
	}
	/* Also one whose echo is wrong: it gets one answer, not many. */
	if (!beacon_take(&session->window, live->counter)) {
		drop(store, DROP_REPLAY);
		return NULL;
	}
	return session;
}

void
answer_beacon(struct store *store, const struct arrival *arrival)
{
	struct session *session;
	struct beacon live;
	uint64_t echo;

	session = find_sender(store, arrival, &live);
	if (session == NULL)
		return;
	echo = echo_for(store, session, &arrival->path);
	if (live.echo != echo || echo == 0) {
		store->tally.checks++;
		say(store, session, BEACON_CHECK, &arrival->path, echo);
		return;
	}
	store->tally.lives++;
	session->path = arrival->path;
	session_alive(store, session);
	say(store, session, BEACON_HEADS, &arrival->path, echo);
}
