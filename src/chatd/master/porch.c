/* SPDX-License-Identifier: ISC */
/*
 * Connections that have no worker: refused at once, watched until their
 * first octets come, queued while there is no room.  One that says nothing
 * costs a descriptor and no process.  Runs in the master; looks at whether
 * octets are there, and never at one of them.
 */
#include <errno.h>
#include <fcntl.h>
#include <unistd.h>
#include <sys/resource.h>
#include <sys/socket.h>

#include "chatd/master/state.h"
#include "lib/log.h"
#include "lib/unix.h"

enum {
	PORCH_MOST = 1024, /* connections */
	PORCH_FD = 256, /* their descriptors are from here on */
	PORCH_SPARE = 32, /* descriptors above it for all else */
	DYING_MOST = 64, /* killed and not reaped, beyond limits.workers */
	/*
	 * What the doubted have together, however many they are: a part of
	 * the workers, and so many new ones a second, since each costs a
	 * handshake.
	 */
	DOUBTED_PART = 4,
	DOUBTED_RATE = 100,
	DOUBTED_AGAIN_MS = 1000 / DOUBTED_RATE,
	REPLY_MS = 150, /* for the one that says why nobody is served now */
	FAREWELL_MS = 500, /* to say something when the centre ends */
};

static bool
is_exempt(const struct master *master, const struct ipc_address *from)
{
	for (size_t i = 0; i < master->exempt_count; i++)
		if (network_holds(&master->exempt[i], from))
			return true;
	return false;
}

static struct bucket_size
rate(const struct master *master)
{
	const struct rules *rules = &master->settings->rules;

	return (struct bucket_size){
	    rules->requests_per_second, rules->request_burst};
}

/* Without a farewell: the system forgets the connection at once. */
static void
close_hard(int client)
{
	const struct linger hard = {.l_onoff = 1};

	setsockopt(client, SOL_SOCKET, SO_LINGER, &hard, sizeof(hard));
	close(client);
}

/* Ends a connection that has no worker. */
static void
drop(struct master *master, struct child *child)
{
	loop_remove(master->loop, &child->watch);
	close_hard(child->fd);
	children_remove(master->children, child);
}

static void plan(struct master *master);

/*
 * A timer: ends what came from addresses before they were refused, but for
 * those who have proved something.
 */
static void
sweep(void *arg)
{
	struct master *master = arg;
	int64_t now = clock_mono();
	struct child *child, *next;

	/* What has been proved is heard first. */
	store_hear(master);
	for (int queue = CHILD_SILENT; queue <= CHILD_RUNS_LAST; queue++) {
		child =
		    children_first(master->children, (enum child_queue)queue);
		for (; child; child = next) {
			next = child->queue_newer;
			if (child->exempt ||
			    !guard_owes(master->guard, &child->from, now))
				continue;
			if (child->pid)
				worker_end(master, child);
			else
				drop(master, child);
		}
	}
	accept_resume(master);
	plan(master);
	master_proceed(master);
}

void
porch_charge(struct master *master, const struct ipc_address *from, bool exempt,
    enum offence offence)
{
	char text[IPC_ADDRESS_LEN];

	if (exempt || !guard_charge(master->guard, from, offence, clock_mono()))
		return;
	if (!master->sweep.slot)
		loop_timer(
		    master->loop, &master->sweep, REPLY_MS, sweep, master);
	ipc_address_text(from, text);
	if (offence == OFFENCE_LOCKED || warn_due(&master->warned_penalty))
		log_info("%s is refused for a while: %s", text,
		    offence_name(offence));
}

/* How many may wait: what the limit of descriptors leaves. */
static int
room(void)
{
	struct rlimit limit;
	long most;

	if (getrlimit(RLIMIT_NOFILE, &limit) == -1 ||
	    limit.rlim_cur >= PORCH_FD + PORCH_SPARE + PORCH_MOST)
		return PORCH_MOST;
	most = (long)limit.rlim_cur - PORCH_FD - PORCH_SPARE;
	return most > PORCH_SPARE ? (int)most : PORCH_SPARE;
}

bool
porch_full(const struct master *master)
{
	return children_waiting(master->children) >= room();
}

/* Of those with that rank. */
static enum child_queue
spoke_at(int rank)
{
	return (enum child_queue)(CHILD_SPOKE + rank);
}

static enum child_queue
runs_at(int rank)
{
	return (enum child_queue)(CHILD_RUNS + rank);
}

bool
porch_give_way(struct master *master)
{
	const struct children *table = master->children;
	struct child *silent = children_first(table, CHILD_SILENT);
	struct child *child = children_first(table, spoke_at(GUARD_DOUBTED));
	struct child *plain = children_first(table, spoke_at(GUARD_PLAIN));

	/* The older one: whoever has just come may be about to speak. */
	if (!child)
		child = plain && (!silent || plain->came <= silent->came)
		    ? plain
		    : silent;
	if (!child)
		return false;
	master->counted.gave_way_silent++;
	drop(master, child);
	return true;
}

/*
 * Who is next: the highest rank.  The known come in turn; of the others the
 * newest still waits.
 */
static struct child *
next_in(const struct children *table)
{
	struct child *child = children_first(table, spoke_at(GUARD_KNOWN));

	for (int rank = GUARD_KNOWN - 1; !child && rank >= 0; rank--)
		child = children_last(table, spoke_at(rank));
	return child;
}

/* Whose worker gives way to somebody of that rank, or NULL. */
static struct child *
victim_of(const struct children *table, enum guard_rank rank)
{
	struct child *child = NULL;

	for (int i = 0; !child && i <= (int)rank; i++)
		child = children_first(table, runs_at(i));
	return child;
}

/* When a worker gives way to who is next; 0 if none will. */
static int64_t
grace_ends(const struct children *table, const struct child *next)
{
	const struct child *victim = victim_of(table, next->rank);

	return victim ? victim->came + GRACE_MS : 0;
}

static void patience_over(void *arg);

/* The time at which something is next to be done about a queue, or 0. */
static void
sooner(int64_t *due, int64_t at)
{
	if (at != 0 && (*due == 0 || at < *due))
		*due = at;
}

/* Sets the timer for who has waited longest. */
static void
plan(struct master *master)
{
	const struct children *table = master->children;
	const struct child *child;
	int64_t due = 0;

	for (int i = CHILD_SILENT; i <= CHILD_SPOKE_LAST; i++)
		if ((child = children_first(table, (enum child_queue)i)))
			sooner(&due, child->deadline);
	/* Somebody waits for a worker's grace to end, and for nothing else. */
	child = next_in(table);
	if (child && !master->accept_again.slot &&
	    children_in(table, CHILD_DYING) < DYING_MOST)
		sooner(&due, grace_ends(table, child));
	if (child && child->rank == GUARD_DOUBTED)
		sooner(&due, clock_mono() + DOUBTED_AGAIN_MS);
	if (due == 0)
		loop_timer_stop(master->loop, &master->porch_timer);
	else
		loop_timer(master->loop, &master->porch_timer,
		    due - clock_mono(), patience_over, master);
}

/* Ends those who have waited too long: their fault if they were silent. */
static void
patience_over(void *arg)
{
	struct master *master = arg;
	int64_t now = clock_mono();
	struct child *child;

	for (int queue = CHILD_SILENT; queue <= CHILD_SPOKE_LAST; queue++)
		while ((child = children_first(
			    master->children, (enum child_queue)queue)) &&
		    child->deadline <= now) {
			if (queue == CHILD_SILENT &&
			    master->phase == PHASE_SERVE) {
				master->counted.silent++;
				porch_charge(master, &child->from,
				    child->exempt, OFFENCE_DEADLINE);
			}
			drop(master, child);
		}
	/* Which sets the timer again. */
	accept_resume(master);
	plan(master);
	master_proceed(master);
}

/* True if there is a place that nobody has to give up. */
static bool
has_place(struct master *master, enum guard_rank rank)
{
	const struct children *table = master->children;
	int most = master->settings->workers;

	if (children_count(table) - children_in(table, CHILD_DYING) >= most) {
		if (warn_due(&master->warned_full))
			log_info("all %d workers are busy; those for whom "
				 "nobody has logged in give way",
			    most);
		return false;
	}
	return rank > GUARD_DOUBTED ||
	    children_in(table, runs_at(rank)) < 1 + most / DOUBTED_PART;
}

/*
 * Room for one more worker: a free place, or that of the oldest which has
 * proved nothing, of the lowest rank.  A higher one does not wait for grace.
 */
static bool
make_room(struct master *master, enum guard_rank rank)
{
	static const struct bucket_size all = {DOUBTED_RATE, DOUBTED_RATE};
	const struct children *table = master->children;
	int64_t now = clock_mono();
	struct child *victim = NULL;

	if (!has_place(master, rank)) {
		victim = victim_of(table, rank);
		if (!victim || children_in(table, CHILD_DYING) >= DYING_MOST ||
		    (victim->rank == rank && now - victim->came < GRACE_MS))
			return false;
	}
	if (rank == GUARD_DOUBTED && !bucket_take(&master->doubted, all, now))
		return false;
	if (victim)
		worker_give_way(master, victim);
	return true;
}

/* True if it waits with a lower rank from now on. */
static bool
has_fallen(struct master *master, struct child *child)
{
	enum guard_rank rank =
	    guard_rank(master->guard, &child->from, clock_mono());

	if (rank >= child->rank)
		return false;
	child->rank = rank;
	children_move(master->children, child, spoke_at(rank));
	return true;
}

void
porch_serve(struct master *master)
{
	struct child *child;

	/* It is started again: a moment's wait, no lost handshake. */
	if (keeper_away(master) && !master->accept_again.slot)
		accept_pause(master);
	while (
	    !master->accept_again.slot && (child = next_in(master->children))) {
		if (has_fallen(master, child))
			continue;
		if (!make_room(master, child->rank))
			break;
		if (worker_begin(master, child) == -1) {
			accept_short(master, "cannot start a worker");
			break;
		}
	}
	plan(master);
}

/*
 * True if octets have come; one that has ended has none.  They are counted,
 * and neither taken nor copied (tcp(7), MSG_TRUNC).
 */
static bool
has_spoken(int client)
{
	return recv(client, NULL, 1, MSG_PEEK | MSG_TRUNC | MSG_DONTWAIT) > 0;
}

/* It may be given a worker. */
static void
spoke(struct master *master, struct child *child)
{
	child->rank = guard_rank(master->guard, &child->from, clock_mono());
	loop_remove(master->loop, &child->watch);
	children_move(master->children, child, spoke_at(child->rank));
	porch_serve(master);
}

/* The first octets of a connection, or its end. */
static void
stirs(void *arg, unsigned events)
{
	struct child *child = arg;
	struct master *master = child->master;

	(void)events;
	if (has_spoken(child->fd))
		spoke(master, child);
	else
		drop(master, child);
}

/* True, and counted, if nobody of that address may come in now. */
static bool
is_refused(struct master *master, const struct ipc_address *from)
{
	switch (guard_admits(master->guard, from, rate(master), clock_mono())) {
	case GUARD_PENALTY:
		master->counted.refused_penalty++;
		return true;
	case GUARD_RATE:
		master->counted.refused_rate++;
		return true;
	default:
		break;
	}
	if (children_of(master->children, from) <
	    master->settings->workers_per_address)
		return false;
	master->counted.refused_limit++;
	return true;
}

void
porch_take(struct master *master, int client, const struct ipc_address *from)
{
	int64_t now = clock_mono();
	int64_t end = now + master->settings->handshake_seconds * INT64_C(1000);
	bool exempt = is_exempt(master, from);
	struct child *child;
	int high;

	if (!exempt && is_refused(master, from)) {
		close_hard(client);
		return;
	}
	child = children_add(master->children, from, end);
	if (!child) {
		close_hard(client);
		accept_short(master, "cannot keep a connection");
		return;
	}
	/* All together, so that a worker can close them in one go. */
	high = fcntl(client, F_DUPFD_CLOEXEC, PORCH_FD);
	if (high != -1)
		close(client);
	child->fd = high != -1 ? high : client;
	child->master = master;
	child->came = now;
	child->exempt = exempt;
	if (has_spoken(child->fd)) {
		spoke(master, child);
		return;
	}
	if (loop_add(master->loop, &child->watch, child->fd, LOOP_READ, stirs,
		child) == -1) {
		drop(master, child);
		accept_short(master, "cannot watch a connection");
		return;
	}
	if (!master->porch_timer.slot)
		plan(master);
}

bool
porch_empty(const struct master *master)
{
	return !next_in(master->children) &&
	    !children_in(master->children, CHILD_SILENT);
}

void
porch_close(struct master *master)
{
	int64_t until = clock_mono() + FAREWELL_MS;
	struct child *child = children_first(master->children, CHILD_SILENT);

	for (; child; child = child->queue_newer)
		if (child->deadline > until)
			child->deadline = until;
	plan(master);
}

void
porch_clear(struct master *master)
{
	loop_timer_stop(master->loop, &master->porch_timer);
	for (int queue = CHILD_SILENT; queue <= CHILD_SPOKE_LAST; queue++)
		while (children_in(master->children, (enum child_queue)queue))
			drop(master,
			    children_first(
				master->children, (enum child_queue)queue));
}

void
porch_proved(struct master *master, uint32_t number)
{
	struct child *child = children_numbered(master->children, number);

	if (!child || child->queue == CHILD_PROVED)
		return;
	guard_proved(master->guard, &child->from, rate(master), !child->exempt,
	    clock_mono());
	if (child->queue != CHILD_DYING)
		children_move(master->children, child, CHILD_PROVED);
}

void
porch_failed(struct master *master, const struct ipc_failed *failed)
{
	bool exempt = is_exempt(master, &failed->from);

	porch_charge(master, &failed->from, exempt,
	    failed->registered ? OFFENCE_REGISTERED : OFFENCE_LOGIN);
	if (failed->locked && !exempt &&
	    guard_locked(
		master->guard, &failed->from, failed->name, clock_mono()))
		porch_charge(master, &failed->from, exempt, OFFENCE_LOCKED);
}
