/* SPDX-License-Identifier: ISC */
/*
 * The client's side of the beacon as rules.  Runs in the agent on what
 * anybody may have sent; it must never answer, count or believe what does
 * not verify, nor let a centre that lies make it hammer.
 */
#include "chat/agent/pulse.h"

#include <string.h>

/* A session's beacon begins. */
void
pulse_start(struct pulse *pulse, uint64_t id, const struct beacon_keys *keys,
    const struct beacon_counters *counters, int64_t beat, int64_t spread,
    int64_t now)
{
	*pulse = (struct pulse){
	    .state = PULSE_TRYING,
	    .id = id,
	    .keys = *keys,
	    .counters = *counters,
	    .beat = beat,
	    .spread = spread,
	    .live_at = now,
	    .retried = now,
	    .sync_at = PULSE_NEVER,
	    .synced = -1,
	    .had_mail = -1,
	    .had_room = -1,
	};
}

/* It ends: the keys are wiped. */
void
pulse_stop(struct pulse *pulse)
{
	explicit_bzero(pulse, sizeof(*pulse));
	pulse->live_at = pulse->sync_at = PULSE_NEVER;
}

/* True while nobody needs to poll; three LIVEs decide, not the first. */
bool
pulse_steady(const struct pulse *pulse)
{
	return pulse->state == PULSE_ON;
}

/* When there will be something to do. */
int64_t
pulse_due(const struct pulse *pulse, bool busy)
{
	if (pulse->state == PULSE_OFF)
		return PULSE_NEVER;
	return busy || pulse->live_at < pulse->sync_at ? pulse->live_at
						       : pulse->sync_at;
}

/* ---- hints ---- */

/* True if the heads are further than the cursors. */
static bool
is_news(int64_t mail, int64_t room, const struct pulse_view *view)
{
	return mail > view->mail || room > view->room;
}

/* True if the cursors have moved since the last sync that was hinted at. */
static bool
has_moved(const struct pulse *pulse, const struct pulse_view *view)
{
	return pulse->had_mail != view->mail || pulse->had_room != view->room;
}

/* When the next hint may be followed at the earliest. */
static int64_t
earliest(const struct pulse *pulse, const struct pulse_view *view)
{
	int64_t gap = PULSE_SYNC_MS, at;

	if (pulse->synced == -1)
		return view->now;
	for (int i = 0; i < pulse->vain && gap < PULSE_SYNC_MAX_MS; i++)
		gap *= 2;
	if (gap > PULSE_SYNC_MAX_MS)
		gap = PULSE_SYNC_MAX_MS;
	at = pulse->synced + gap;
	return at > view->now ? at : view->now;
}

/*
 * The centre says where its logs end, which is only a hint: a sync will tell.
 * Of what everybody hears at the same moment not everybody asks at once.
 */
static void
hinted(struct pulse *pulse, const struct beacon *beacon,
    const struct pulse_view *view)
{
	bool news = is_news(beacon->mail, beacon->room, view);
	bool room_only = news && beacon->mail <= view->mail;
	int64_t at;

	if (!news && beacon->type != BEACON_KNOCK)
		return;
	if (has_moved(pulse, view) || pulse->synced == -1 ||
	    view->now - pulse->synced > PULSE_CALM_MS)
		pulse->vain = 0;
	at = earliest(pulse, view);
	if (room_only)
		at += pulse->spread * view->dice / 65536;
	pulse->forced |= !news;
	if (pulse->sync_at == PULSE_NEVER || beacon->mail > pulse->mail)
		pulse->mail = beacon->mail;
	if (pulse->sync_at == PULSE_NEVER || beacon->room > pulse->room)
		pulse->room = beacon->room;
	if (at < pulse->sync_at)
		pulse->sync_at = at;
}

/* True if the hint that is due is still worth a sync; it is over then. */
static bool
follow(struct pulse *pulse, const struct pulse_view *view)
{
	bool worth = pulse->forced || is_news(pulse->mail, pulse->room, view);

	pulse->sync_at = PULSE_NEVER;
	pulse->forced = false;
	if (!worth)
		return false;
	if (has_moved(pulse, view))
		pulse->vain = 0;
	else
		pulse->vain++;
	pulse->had_mail = view->mail;
	pulse->had_room = view->room;
	pulse->synced = view->now;
	return true;
}

/* ---- LIVE ---- */

/* Begins a beat's tries anew at that time. */
static void
begin(struct pulse *pulse, int64_t at)
{
	pulse->waiting = pulse->repeat = false;
	pulse->tries = pulse->checks = 0;
	pulse->live_at = at;
}

/* Nobody answers: TLS has to do, and later tries come ever later. */
static enum pulse_deed
give_up(struct pulse *pulse, int64_t now)
{
	int64_t wait = PULSE_AGAIN_MS;
	enum pulse_state was = pulse->state;

	for (int i = 0; i < pulse->rounds && wait < PULSE_AGAIN_MAX_MS; i++)
		wait *= 4;
	if (wait > PULSE_AGAIN_MAX_MS)
		wait = PULSE_AGAIN_MAX_MS;
	else
		pulse->rounds++;
	begin(pulse, now + wait);
	pulse->state = PULSE_FILTERED;
	return was == PULSE_FILTERED ? PULSE_REST : PULSE_FALL_BACK;
}

/* What is to be done now. */
enum pulse_deed
pulse_next(struct pulse *pulse, const struct pulse_view *view)
{
	if (pulse->state == PULSE_OFF)
		return PULSE_REST;
	if (!view->busy && view->now >= pulse->sync_at && follow(pulse, view))
		return PULSE_SAY_SYNC;
	if (view->now < pulse->live_at)
		return PULSE_REST;
	if (!pulse->repeat && pulse->tries >= PULSE_TRIES)
		return give_up(pulse, view->now);
	if (!pulse->repeat)
		pulse->tries++;
	pulse->repeat = false;
	pulse->waiting = true;
	pulse->live_at = view->now + PULSE_TRY_MS;
	return PULSE_SAY_LIVE;
}

/* The LIVE to send. */
bool
pulse_live(struct pulse *pulse, struct beacon_mac *mac,
    const struct pulse_view *view, uint8_t out[BEACON_LEN])
{
	struct beacon live = {
	    .type = BEACON_LIVE,
	    .id = pulse->id,
	    .mail = view->mail,
	    .room = view->room,
	    .echo = pulse->echo,
	};

	return beacon_count(&pulse->counters, &live.counter) &&
	    beacon_encode(mac, pulse->keys.client, &live, out);
}

/* A LIVE was counted. */
static enum pulse_heard
answered(struct pulse *pulse, int64_t now)
{
	bool steady = pulse_steady(pulse);

	if (!pulse->waiting)
		return PULSE_HEARD;
	begin(pulse, now + pulse->beat);
	pulse->state = PULSE_ON;
	/* One that was lucky once is not trusted like one that is sound. */
	if (steady && pulse->rounds > 0)
		pulse->rounds--;
	return steady ? PULSE_HEARD : PULSE_CAME_ON;
}

/* The centre wants our address proved. */
static enum pulse_heard
checked(struct pulse *pulse, uint64_t echo, int64_t now)
{
	pulse->echo = echo;
	/* One that is never content does not get more than three for one. */
	if (pulse->waiting && !pulse->repeat && pulse->checks < PULSE_CHECKS) {
		pulse->checks++;
		pulse->repeat = true;
		pulse->live_at = now;
	}
	return PULSE_HEARD;
}

/* Takes a datagram that may be anything at all. */
enum pulse_heard
pulse_take(struct pulse *pulse, struct beacon_mac *mac, const void *data,
    size_t len, const struct pulse_view *view)
{
	struct beacon beacon;

	if (pulse->state == PULSE_OFF || !beacon_decode(data, len, &beacon) ||
	    beacon.type == BEACON_LIVE || beacon.id != pulse->id ||
	    !beacon_verify(mac, pulse->keys.centre, data) ||
	    !beacon_take(&pulse->window, beacon.counter))
		return PULSE_DROPPED;
	if (beacon.type == BEACON_CHECK)
		return checked(pulse, beacon.echo, view->now);
	pulse->echo = beacon.echo;
	hinted(pulse, &beacon, view);
	return beacon.type == BEACON_HEADS ? answered(pulse, view->now)
					   : PULSE_HEARD;
}

/* The path may be another one, or the centre may be back. */
void
pulse_retry(struct pulse *pulse, int64_t now)
{
	int64_t at = pulse->retried +
	    (pulse_steady(pulse) ? PULSE_TRY_MS : PULSE_AGAIN_MS);

	if (pulse->state == PULSE_OFF || pulse->waiting)
		return;
	if (at < now)
		at = now;
	if (at >= pulse->live_at)
		return;
	pulse->retried = at;
	begin(pulse, at);
}
