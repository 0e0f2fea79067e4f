/* SPDX-License-Identifier: ISC */
/*
 * The store: owns all shared state and answers for it.  Each turn of its
 * loop takes everything that waits, runs it in one transaction, commits
 * once, and only then answers.  It blocks on its own disk and nothing else,
 * reads no byte of a client, hashes no password.
 */
#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

#include <sodium.h>

#include "chatd/sandbox.h"
#include "chatd/store/control.h"
#include "chatd/store/state.h"
#include "chatd/store/store.h"
#include "lib/log.h"
#include "lib/unix.h"

enum {
	UPKEEP_MS = 60000,
	UPKEEP_SOON_MS = 1000, /* while there is more to clear away */
	UPKEEP_ROWS = 1000, /* in one go, so that nobody waits for it */
	EXPIRE_MOST = 1000, /* likewise */
	INVITE_KEEP_DAYS = 30, /* after its end, for the list */
};

static const int64_t day_ms = 24 * 60 * 60 * 1000;

struct wire_string
string_of(const char *text)
{
	struct wire_string string = {text, strlen(text)};

	return string;
}

void
store_tick(struct store *store)
{
	store->now = clock_mono();
	store->wall = clock_wall();
}

/* The end of a turn: one commit for all, then what speaks of it. */
static void
turn_end(void *arg)
{
	struct store *store = arg;

	if (db_writing(store->db)) {
		db_commit(store->db);
		store->tally.commits++;
	}
	space_watch(store);
	jobs_flush(store);
	channels_flush(store);
	knocks_flush(store);
	control_flush(store->admins);
	/* Who waited has been answered. */
	db_checkpoint(store->db);
	control_work(store->admins);
	if (store->ending)
		loop_stop(store->loop);
}

/* Whoever was silent for too long is no longer online: many in many turns. */
static void
expire(void *arg)
{
	struct store *store = arg;
	struct session *session;
	int left = EXPIRE_MOST;

	store_tick(store);
	while ((session = sessions_most_silent(store->sessions)) != NULL &&
	    rules_silent(&store->rules, session->heard, store->now) &&
	    left-- > 0) {
		log_debug("%s timed out", session->name);
		store->tally.timeouts++;
		presence_end(store, session, "timeout");
	}
	expiry_plan(store);
}

void
expiry_plan(struct store *store)
{
	struct session *session = sessions_most_silent(store->sessions);
	int64_t due;

	/* Without a master nobody can be heard. */
	if (session == NULL || store->expiry.slot != 0 || store->master == -1)
		return;
	due = session->heard + (int64_t)store->rules.timeout * 1000 + 1;
	loop_timer(store->loop, &store->expiry,
	    due > store->now ? due - store->now : 0, expire, store);
}

/* Tokens that were not used for lifetime_days. */
static int
drop_stale(struct store *store)
{
	int64_t before = store->wall - store->rules.lifetime_days * day_ms;
	uint8_t token[DB_HASH_LEN];
	int dropped = 0;

	while (dropped < UPKEEP_ROWS &&
	    db_session_stale(store->db, before, token)) {
		struct session *session =
		    session_by_token(store->sessions, token);

		db_write(store->db);
		if (session != NULL)
			session_end(
			    store, session, ERR_SESSION_EXPIRED, "timeout", "");
		else
			db_session_end(store->db, token, ERR_SESSION_EXPIRED,
			    store->wall, "");
		dropped++;
	}
	return dropped;
}

/* Clears away what has outlived its use, a little at a time. */
static void
upkeep(void *arg)
{
	struct store *store = arg;
	struct db *db = store->db;
	const struct rules *rules = &store->rules;
	int most;

	store_tick(store);
	if (!rules_clock_trusted(&store->clock, store->wall, store->now)) {
		if (store->clock.doubted == store->now)
			log_warn("the clock has jumped ahead; nothing is "
				 "cleared away for a day, unless it is set "
				 "back");
		loop_timer(
		    store->loop, &store->upkeep, UPKEEP_MS, upkeep, store);
		return;
	}
	db_write(db);
	most = drop_stale(store);
	most |= db_sessions_prune(
	    db, store->wall - rules->lifetime_days * day_ms, UPKEEP_ROWS);
	most |= db_accepted_prune(
	    db, store->wall - RULES_ID_DAYS * day_ms, UPKEEP_ROWS);
	most |= db_invites_prune(
	    db, store->wall - INVITE_KEEP_DAYS * day_ms, UPKEEP_ROWS);
	most |= db_room_prune(
	    db, store->wall - rules->room_keep_days * day_ms, UPKEEP_ROWS);
	db_blocks_prune(db, db_room_tail(db));
	loop_timer(store->loop, &store->upkeep,
	    most != 0 ? UPKEEP_SOON_MS : UPKEEP_MS, upkeep, store);
}

/* The master introduces a worker: the channel and the client's address. */
static void
introduced(struct store *store, const struct ipc_frame *frame)
{
	struct ipc_serve serve;

	memcpy(&serve, frame->body, sizeof(serve));
	if (frame->fd != -1)
		channel_open(store, frame->fd, frame->number, &serve);
}

static void
ordered(struct store *store, const struct ipc_frame *frame)
{
	switch (frame->type) {
	case IPC_SERVE:
		introduced(store, frame);
		return;
	case IPC_KEEPER:
		jobs_keeper(store, frame->fd);
		return;
	case IPC_RULES:
		memcpy(&store->rules, frame->body, sizeof(store->rules));
		loop_timer_stop(store->loop, &store->expiry);
		expiry_plan(store);
		break;
	case IPC_RELOADED:
		control_reloaded(store->admins, frame);
		break;
	case IPC_COUNTED:
		control_counted(store->admins, frame);
		break;
	default:
		log_warn("the master sent %s", ipc_name(frame->type));
	}
	if (frame->fd != -1)
		close(frame->fd);
}

/* Without its master the store ends, after this turn's commit. */
static void
master_ready(void *arg, unsigned events)
{
	struct store *store = arg;
	struct ipc_frame frame;

	(void)events;
	store_tick(store);
	for (int i = 0; i < IPC_AHEAD_MAX; i++) {
		switch (ipc_receive(store->master, ROLE_STORE, ROLE_MASTER,
		    store->frame, &frame)) {
		case 1:
			ordered(store, &frame);
			break;
		case 0:
			store->ending = true;
			loop_remove(store->loop, &store->master_watch);
			return;
		default:
			if (errno == EAGAIN)
				return;
			/* Out of descriptors: this worker's did not come. */
			if (errno != EBADMSG)
				fatal(EX_SOFTWARE, "the master's channel: %m");
			log_paced(&store->without,
			    "a worker could not be introduced");
			break;
		}
	}
}

static void
load_session(void *arg, const struct db_session *row)
{
	struct store *store = arg;

	if (session_add(store->sessions, row, store->now) == NULL)
		fatal(EX_OSERR, "no memory for the sessions");
}

static void
load_lock(void *arg, const struct db_lock *row)
{
	struct store *store = arg;
	char dropped[NAME_MAX_LEN + 1];
	struct lockout *entry = lockout_get(
	    store->lockouts, row->name, row->known, store->now, dropped);

	if (entry == NULL)
		fatal(EX_OSERR, "no memory for the locks");
	/* More rows than one of today's tables holds. */
	if (dropped[0] != '\0') {
		db_write(store->db);
		db_lock_drop(store->db, dropped);
	}
	entry->lock.failures = row->failures;
	entry->lock.until =
	    lock_restore(&store->rules, row->until, store->wall, store->now);
}

/* Everything in memory comes from the database. */
static void
load(struct store *store, const struct settings *settings)
{
	char why[256];
	int status;

	store->db = db_open(settings->state_directory, &status, why);
	if (store->db == NULL)
		fatal(status, "%s", why);
	db_meta_text(store->db, "epoch", store->epoch, sizeof(store->epoch));
	sessions_load(store->sessions);
	db_session_each(store->db, load_session, store);
	if (sessions_loaded(store->sessions) == -1)
		fatal(EX_OSERR, "no memory for the sessions");
	db_lock_each(store->db, load_lock, store);
	links_load(store);
	log_debug("%zu sessions, %zu online", sessions_count(store->sessions),
	    sessions_online(store->sessions));
}

static void
setup(struct store *store, const struct store_start *start)
{
	store->rules = start->settings->rules;
	store->state_directory = start->settings->state_directory;
	store->master = start->master;
	store->keeper = -1;
	store->master_watch.fd = store->keeper_watch.fd = -1;
	store->loop = loop_new();
	store->sessions = sessions_new();
	store->lockouts = lockouts_new();
	store->jobs = jobs_new(JOB_BEAT_MS);
	store->paces = paces_new();
	store->usages = usages_new();
	store->rates = sites_new(SITES_MAX, sizeof(struct bucket));
	store->frame = aligned_alloc(8, IPC_FRAME_MAX);
	store->reply = aligned_alloc(8, IPC_FRAME_MAX);
	if (store->loop == NULL || store->sessions == NULL ||
	    store->lockouts == NULL || store->jobs == NULL ||
	    store->paces == NULL || store->usages == NULL ||
	    store->rates == NULL || store->frame == NULL ||
	    store->reply == NULL || sodium_init() == -1)
		fatal(EX_OSERR, "no memory to begin with");
	store_tick(store);
	store->started = store->wall;
	store->clock.offset = store->wall - store->now;
}

/* Its master, or the only administrator of a store without one. */
static void
connect_parents(struct store *store, const struct store_start *start)
{
	static const struct ipc_none none;

	store->admins = control_new(store, start->control, start->admin);
	if (store->admins == NULL)
		fatal(EX_OSERR, "no memory to begin with");
	if (start->keeper != -1)
		jobs_keeper(store, start->keeper);
	if (store->master == -1)
		return;
	if (fd_nonblock(store->master, true) == -1 ||
	    loop_add(store->loop, &store->master_watch, store->master,
		LOOP_READ, master_ready, store) == -1 ||
	    ipc_send(store->master, IPC_READY, 0, &none, NULL, 0, -1) == -1)
		fatal(EX_OSERR, "the master's channel: %m");
}

static void
reopen_log(void *arg, int signo)
{
	(void)arg;
	(void)signo;
	log_reopen();
}

static void
clear_away(struct store *store)
{
	channels_close(store);
	beacons_stop(store);
	control_free(store->admins);
	jobs_free(store->jobs);
	db_close(store->db);
	links_clear(&store->links);
	paces_free(store->paces);
	sessions_free(store->sessions);
	lockouts_free(store->lockouts);
	usages_free(store->usages);
	sites_free(store->rates);
	loop_free(store->loop);
	free(store->frame);
	free(store->reply);
}

_Noreturn void
store_main(const struct store_start *start)
{
	struct store store = {0};

	title_set("chatd: store");
	signal(SIGPIPE, SIG_IGN);
	signal(SIGINT, SIG_IGN); /* the master says when to end */
	signal(SIGTERM, SIG_IGN);
	signal(SIGHUP, SIG_IGN);
	setup(&store, start);
	load(&store, start->settings);
	beacons_start(&store, start->beacons, start->beacon_count);
	sandbox_enter(ROLE_STORE);
	if (loop_signal(store.loop, SIGUSR1, reopen_log, NULL) == -1)
		fatal(EX_OSERR, "signals: %m");
	connect_parents(&store, start);
	loop_after_turn(store.loop, turn_end, &store);
	loop_timer(store.loop, &store.upkeep, UPKEEP_SOON_MS, upkeep, &store);
	space_watch(&store);
	expiry_plan(&store);
	links_plan(&store);
	loop_run(store.loop);
	clear_away(&store);
	exit(0);
}
