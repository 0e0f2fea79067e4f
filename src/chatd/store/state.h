/* SPDX-License-Identifier: ISC */
/*
 * What the files of the store share: its state, and the requests and
 * answers as functions.  Nobody outside store/ includes this.
 */
#ifndef CHATD_STATE_H
#define CHATD_STATE_H

#include "chatd/ipc.h"
#include "chatd/sites.h"
#include "chatd/store/channel.h"
#include "chatd/store/db.h"
#include "chatd/store/job.h"
#include "chatd/store/link.h"
#include "chatd/store/lockout.h"
#include "chatd/store/pace.h"
#include "chatd/store/port.h"
#include "chatd/store/session.h"
#include "chatd/store/rules.h"
#include "chatd/store/usage.h"
#include "lib/log.h"
#include "lib/loop.h"

struct admins; /* control.c */

/* Why a datagram was dropped, and how metrics call it. */
#define BEACON_DROPS(X)                               \
	X(LENGTH, "length") /* not 60 octets */       \
	X(FORM, "form") /* no LIVE of this version */ \
	X(ID, "id") /* no session has it */           \
	X(CODE, "code") /* does not verify */         \
	X(REPLAY, "replay") /* its counter had been taken */

enum beacon_drop {
#define X(name, text) DROP_##name,
	BEACON_DROPS(X)
#undef X
	    DROP_COUNT
};

/* Totals since the store started, for status and metrics. */
struct tally {
	int64_t requests[IPC_COUNT_OF_TYPES];
	int64_t refusals[ERR_COUNT];
	int64_t messages, broadcasts, logins, lockouts, timeouts;
	int64_t commits, writes;
	int64_t questions, passes; /* of private links */
	int64_t hashes; /* passwords that the keeper has worked on */
	int64_t lives, checks, knocks; /* by beacon */
	int64_t unsent; /* datagrams that the system did not take */
	int64_t drops[DROP_COUNT];
};

/* Sessions in the order in which they are to be knocked. */
struct knock_queue {
	struct session *first, *last;
};

/* The beacon; all zero where there is none. */
struct beacons {
	struct ports *ports;
	struct beacon_mac *mac;
	uint32_t generation; /* of this run: in our counters */
	uint8_t secret[BEACON_SECRET_LEN]; /* of this run: in our echoes */
	struct knock_queue knocks[KNOCK_STEPS];
	int64_t room_due; /* monotonic: news of the room wait until then */
	int64_t room_but; /* the only user whose news they are, or 0 */
	bool room_news; /* some wait */
	struct loop_timer timer;
};

struct store {
	struct loop *loop;
	struct db *db;
	struct rules rules;
	char epoch[WIRE_EPOCH_LEN + 1];
	char *state_directory;
	struct sessions *sessions;
	struct lockouts *lockouts;
	int master, keeper;
	struct loop_watch master_watch, keeper_watch;
	struct log_pace without, broken; /* workers' channels */
	struct channel *channels, *listed;
	int channel_count;
	struct jobs *jobs;
	struct sites *rates; /* struct bucket: requests without a token */
	struct usages *usages;
	struct admins *admins;
	struct loop_timer expiry, upkeep;
	struct loop_timer look; /* for space */
	int64_t short_since; /* wall clock; 0: there is space */
	int look_ms;
	struct beacons beacons;
	struct links links;
	struct paces *paces;
	struct loop_timer links_timer;
	struct tally tally;
	char *frame; /* IPC_FRAME_MAX octets, for what is being read */
	char *reply; /* likewise, for a tail being built */
	int64_t now; /* monotonic, at the start of the turn */
	int64_t wall; /* wall clock, likewise */
	int64_t started; /* wall clock */
	struct wall_clock clock; /* as upkeep believes it */
	bool ending;
};

/* Who asks, as the dispatcher has found out. */
struct asker {
	struct channel *channel;
	uint32_t number; /* to be repeated by the answer */
	struct session *session; /* NULL in a brief login */
	int64_t user; /* 0 where anyone may ask */
	char name[NAME_MAX_LEN + 1];
};

/* The worker has ask_X(), the store answer_X(). */
typedef void answer_fn(
    struct store *, const struct asker *, const struct ipc_frame *);

answer_fn answer_login, answer_register, answer_logout, answer_live,
    answer_password;
answer_fn answer_sync, answer_send, answer_broadcast;
answer_fn answer_online, answer_block, answer_unblock, answer_blocked;
answer_fn answer_ask, answer_answer, answer_hangup;

void answer(const struct asker *asker, enum ipc_type type, const void *body,
    const void *tail, size_t tail_len);
void answer_done(const struct asker *asker);
void refuse(const struct asker *asker, enum wire_error error, const char *text);

/*
 * Presence and sessions, in answer-account.c.  Each writes what it changes;
 * the caller's turn commits.
 */
void presence_begin(struct store *store, struct session *session);
void presence_end(
    struct store *store, struct session *session, const char *reason);
/* Ends and frees the session; its token keeps the reason. */
void session_end(struct store *store, struct session *session,
    enum wire_error reason, const char *why, const char *from);

/* A sign of life: online again, and its token lives on. */
void session_alive(struct store *store, struct session *session);

/*
 * Private links, in link-life.c; what they tell goes into mailboxes.
 * link_ask() gives NULL without memory.  link_over() ends one; who it leaves
 * out is not told, being gone or knowing already.
 */
struct link *link_ask(
    struct store *store, struct session *asker, struct session *asked);
void link_decline(struct store *store, struct link *link);
/* Agreed: a pass for both, and the asker is told. */
void link_agree(struct store *store, struct link *link);
/* For as long as a new one; both are told. */
void link_renew(struct store *store, struct link *link);
void link_over(struct store *store, struct link *link, enum wire_hangup why,
    const struct session *but);
/* Seconds that it lasts. */
int32_t link_left(const struct store *store, const struct link *link);
/* Completes `ask` and `address`; false for one that is over. */
bool link_fill(const struct store *store, const struct session *session,
    struct wire_event *event, char host[IPC_ADDRESS_LEN]);
/*
 * All links of a session that ends, or (not gone) only falls silent; those
 * that lead to where it is no more; the one between two of whom one blocks.
 */
void links_over(struct store *store, struct session *session,
    enum wire_hangup why, bool gone);
void links_moved(struct store *store, struct session *session,
    const struct ipc_address *from);
void links_blocked(struct store *store, int64_t owner, int64_t target);
/* From the database; and when the next one ends. */
void links_load(struct store *store);
void links_plan(struct store *store);

/*
 * Requests that are too many, in rate.c.  True, and refused, where there is
 * no token left: of the account, of the address.
 */
bool rate_user(struct store *store, const struct asker *asker);
bool rate_address(struct store *store, const struct asker *asker);
/* What a request has cost beyond the one: the account may come to owe it. */
void rate_charge(struct store *store, const struct asker *asker, int tokens);

/*
 * What the master should know, in proof.c: somebody has logged in or shown a
 * valid token on this channel; a login from there has failed; an account was
 * made from there, with nothing but the asking.
 */
void proof_given(struct store *store, struct channel *channel, int64_t user);
void proof_forget(struct store *store, const struct channel *channel);
void proof_failed(struct store *store, const struct ipc_address *from,
    const char *name, bool locked);
void proof_registered(struct store *store, const struct ipc_address *from);

/* Opens the beacon, or does nothing without sockets; and its end. */
void beacons_start(struct store *store, const int *fds, size_t count);
void beacons_stop(struct store *store);
/* What a datagram means. */
void answer_beacon(struct store *store, const struct arrival *arrival);
/* Posts a knock to a session that has a path. */
void beacon_knock(struct store *store, struct session *session);
/* The session has no path until it proves one again. */
void beacon_forget(struct store *store, struct session *session);

/*
 * Knocks, in knock.c: there is something new for this session; for all but
 * this user's, while they are few, and once a second at most.  A sync stops
 * what is to be repeated.
 */
void knock_session(struct store *store, struct session *session);
void knock_room(struct store *store, int64_t but);
void knock_stop(struct store *store, struct session *session);
/* After the commit: sends them, and all other datagrams that were posted. */
void knocks_flush(struct store *store);

/* Puts an event into a mailbox and tells the recipient's session. */
int64_t mail_post(struct store *store, int64_t to, int64_t other,
    const struct wire_event *event);

/*
 * A notice from the centre.  Of those with a subject at most one is unread:
 * a newer one takes its place, and nobody is knocked for it: it is fetched
 * after the next sign of life.
 */
void notice_post(
    struct store *store, int64_t to, const char *subject, const char *text);

/* After a commit: begins to refuse, in space.c, if the disk is full. */
void space_watch(struct store *store);

/* Sets when the next silent session is to be looked at. */
void expiry_plan(struct store *store);

/* A lockout as it stands now, written down; it is the newest, there too. */
void lockout_save(struct store *store, struct lockout *entry);

struct wire_string string_of(const char *text);

/* Looks at the clocks: before anything that a turn does. */
void store_tick(struct store *store);

/* SHA-256 of a token's text, as the tables hold it. */
void token_hash(const char *token, uint8_t out[DB_HASH_LEN]);

#endif
