/* SPDX-License-Identifier: ISC */
/*
 * The agent: the process that owns an account's session.  This header is
 * the map of its parts: agent.c lives and ends, login.c and session.c speak
 * with the centre, live.c hears its knocks, desk.c serves the faces, start.c
 * forks it off.
 */
#ifndef CHAT_AGENT_AGENT_H
#define CHAT_AGENT_AGENT_H

#include <stdbool.h>
#include <stdint.h>

#include "chat/account.h"
#include "chat/agent/book.h"
#include "chat/agent/centre.h"
#include "chat/agent/door.h"
#include "chat/agent/live.h"
#include "chat/agent/outbox.h"
#include "chat/agent/trust.h"
#include "lib/loop.h"

enum {
	LEAVE_MS = 5000, /* a logout takes at most this long */
	LONELY_MS = 10000, /* nobody came: end */
	TROUBLE_MS = 2000, /* shorter failures are not worth a word */
	SLOW_MS = 8000, /* an exchange that takes longer is a failure */
	ACTIVE_MS = 60000, /* after something was said, poll this long */
	POLL_MS = 2000, /* this often */
	RETRY_MS = 500, /* the first pause, then doubling */
	RETRY_MAX_MS = 30000,
	PATIENCE_MS = 600000, /* whatever the centre asks for */
	BEAT_MIN_MS = 1000, /* likewise: nobody is made to hammer */
	LOGIN_TRIES = 12, /* while the centre is busy */
	LOGIN_WAIT_MS = 2500, /* as long a pause is one try more */
	REQUEST_TRIES = 4, /* then the face is told what the centre said */
	STREAK_MAX = 1000, /* syncs, 60 MB; then only one a poll */
	LOGOUT_TRIES = 2, /* while it cannot be reached */
};

enum agent_state {
	AGENT_OUT, /* nobody is logged in */
	AGENT_KNOCKING, /* looks who is there, tries the stored token */
	AGENT_ENTERING, /* a login is under way */
	AGENT_IN,
	AGENT_LEAVING, /* logs out, then ends */
	AGENT_OVER, /* the session ended from outside, or in a fault */
};

/* A face that waits for an answer. */
struct waiter {
	unsigned face; /* 0: nobody */
	json_t *tag;
};

/* What the exchange under way asks for, besides errands. */
enum agent_extra { EXTRA_NONE, EXTRA_SYNC, EXTRA_LIVE };

struct private;

struct agent {
	const struct account *account;
	struct loop *loop;
	struct book *book;
	struct outbox outbox;
	struct trust trust;
	char *pin, *ca; /* what a face trusts, where it has said so */
	struct centre *centre;
	struct live *live;
	struct private *private;
	struct door *door;
	enum agent_state state;
	int status; /* the process's own, at the end */

	struct book_place place;
	int64_t login_time; /* the centre's wall clock */
	int64_t login_wall; /* ours at the same moment */
	int64_t heartbeat; /* milliseconds */
	int64_t message_bytes;
	char seen_pin[TLS_PIN_LEN + 1]; /* what the centre last showed */

	/* Login. */
	struct waiter entering;
	json_t *login; /* the request, wiped once it is answered */
	int tries;
	bool resuming; /* the knock carries a token */

	/* The exchange under way. */
	int asked;
	enum agent_extra extra;

	/* Polling and retries. */
	bool sync_due, live_due, pausing;
	bool handling; /* replies are being gone through: start nothing */
	int failures;
	int streak; /* so many syncs have brought something, without a pause */
	int64_t active, interval; /* clock_mono(), milliseconds */
	struct loop_timer poll, pause;

	/* Is the centre there? */
	bool unreachable;
	int64_t heard; /* its last word: wall clock, 0: none yet */
	int64_t trouble_since; /* clock_mono(), 0: all is well */
	struct loop_timer trouble;

	/* The end. */
	bool detached; /* the last face that leaves does not take us with it */
	bool met; /* a face has spoken, or nobody came in time */
	bool leave; /* as soon as the login under way is over */
	struct waiter quitting;
	struct loop_timer end;
	int64_t marked; /* rows up to here are marked as shown */
	int64_t read; /* and up to here as read, in every conversation */
	json_t *untold; /* refusals that no face has heard of */
	json_t *gap; /* the event, if none has heard of that, or NULL */
	json_t *last_word; /* the event that ended the session, or NULL */
};

/* agent.c */

/*
 * The agent's life, in its own process.  Says on ready once how the start
 * went ("0 ready" or an exit status and a sentence).  Returns the process's
 * exit status.
 */
int agent_main(const struct account *account, int ready);

/*
 * Takes the lock that whoever adds to the account's outbox has: 1 and the
 * descriptor whose end gives it back, 0 if an agent serves, -1 with errno.
 * Another one that is about to let go is waited for.
 */
int agent_lock(const struct account *account, int *lock);

/* Answers a face that waits, if it is still there; takes over the reply. */
void agent_answer(struct agent *agent, struct waiter *waiter, json_t *reply);

/* Gives the faces what the book has new for them. */
void agent_news(struct agent *agent);
void agent_give(struct agent *agent, struct face_end *face);

/* Notes that a face has shown its user all rows up to this one. */
void agent_shown(struct agent *agent, int64_t number);

/* Something that ends this agent: faces get the status and the sentence. */
void agent_fail(struct agent *agent, int status, const char *why);

/* The session was ended by the centre; faces get the event (taken over). */
void agent_over(struct agent *agent, json_t *event);

/* Logs out if need be, in bounded time, and ends. */
void agent_leave(struct agent *agent);
void agent_finish(struct agent *agent);

/* session.c */

/* The courier is back. */
void session_done(void *arg, struct centre_exchange *exchange);

/* A request that carries token and cursors. */
json_t *session_request(const struct agent *agent, const char *op);

/* Starts the next exchange if there is a reason and nothing is under way. */
void session_go(struct agent *agent);

/* Something was typed or received: poll often for a while. */
void session_active(struct agent *agent);

/* Somebody waits: a centre that was out of reach is tried at once. */
void session_try(struct agent *agent);

/* The beacon makes polling needless from now on, or does not any more. */
void session_beacon(struct agent *agent, bool steady);

/* session-store.c */

/*
 * Stores what a sync brought with the cursors after it, in one step; moved
 * says whether these are new.  -1 with book_why().
 */
int session_store(struct agent *agent, const json_t *reply, bool *moved);

/*
 * Goes back to the beginning where the reply refuses our cursors: 1; 0 if it
 * does not, or we were there.  -1 with book_why().
 */
int session_afresh(struct agent *agent, const json_t *reply);

/* login.c */

/* The answers to what the next two asked. */
void session_knocked(
    struct agent *agent, const struct centre_exchange *exchange);
void session_entered(
    struct agent *agent, const struct centre_exchange *exchange);

/*
 * Before a login: from now on the centre is judged by what this line's face
 * trusts.  -1, and the face has been answered, if that cannot be.
 */
int session_trust(struct agent *agent, const json_t *line);

/* Looks who is there and tries the stored token, for a face that waits. */
void session_knock(struct agent *agent);

/* Logs in with agent->login. */
void session_enter(struct agent *agent);

/* The refusal where the centre is not known to be the right one. */
json_t *session_untrusted(
    json_t *tag, const struct trust *own, const struct trust_result *trust);

/* Adds a warning to a login's reply; expired: since when, "" not at all. */
void session_warning(json_t *reply, const char *expired);

/* The session's own reply to a login, for a face. */
json_t *session_reply(const struct agent *agent, json_t *tag);

/* desk.c */

/* A face's line. */
void desk_line(
    struct agent *agent, struct face_end *face, const char *line, size_t len);

/* Overwrites the passwords in an object, if there are any. */
void desk_wipe(const json_t *line);

/* A refusal in a face's words. */
json_t *desk_refuse(json_t *tag, const char *error, const char *text);

/* The refusal of what comes after the session's end, with its reason. */
json_t *desk_over(const struct agent *agent, json_t *tag);

/* The face that waits for a message, if any, gets the event as its answer. */
void desk_told(
    struct agent *agent, struct errand *errand, json_t *event, bool ok);

/* Nobody waits any more for messages that are only kept for now. */
void desk_kept(struct agent *agent);

/* All that was at the centre is here: what waited for it is done. */
void desk_synced(struct agent *agent, const struct errand *errand);

/* The event for a change in an own message's state. */
json_t *desk_state(const char *id, const char *to, const char *state);

/* When the centre was last heard of, as a member; none before that. */
void desk_synced_at(const struct agent *agent, json_t *object);

/* desk-history.c */

/*
 * The event (taken over) for the first state of a new own message, of which
 * row has number, text and time; serial is the face that sent it.
 */
void desk_own(const struct agent *agent, unsigned serial, json_t *event,
    const struct book_row *row);

/* All up to that row has been read, in every conversation. */
void desk_read_all(struct agent *agent, int64_t row);

/* An event (taken over) for faces that show one conversation at a time. */
void desk_tell_talks(const struct agent *agent, json_t *event);

#endif
