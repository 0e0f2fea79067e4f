/* SPDX-License-Identifier: ISC */
/*
 * Straight from client to client: the listener that private messages come in
 * at, and the call that takes them to somebody.  Runs in the agent's loop and
 * never waits.  It keeps no link itself: whom a pass is for, and where a
 * message is stored, says whoever started it.
 */
#ifndef CHAT_AGENT_PEER_H
#define CHAT_AGENT_PEER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "chat/agent/identity.h"
#include "lib/loop.h"
#include "lib/text.h"
#include "lib/tls.h"

enum {
	PEER_PASS_MIN_LEN = 16,
	PEER_PASS_MAX_LEN = 64, /* the centre's have 43 */
	PEER_PASSES_MAX = 256, /* that are looked at; more are not known */
	PEER_HOST_LEN = 64, /* a numeric address, perhaps with a zone */
	PEER_WHY_LEN = 512,
	PEER_PORT_MIN = 1024,
	PEER_FRESH_MS = 15000, /* so long `not-allowed` is tried again */
};

/* What the centre gave for one other user.  It opens both directions. */
struct peer_pass {
	char user[NAME_MAX_LEN + 1]; /* the other one */
	char secret[PEER_PASS_MAX_LEN + 1];
	char pin[TLS_PIN_LEN + 1]; /* of the other one's key */
	int64_t since; /* clock_mono() when it came */
	int64_t until; /* clock_mono() from which on it is worth nothing */
};

/* ---- the listener */

/* What becomes of a message whose pass, key and sender are right. */
enum peer_verdict {
	PEER_TAKEN, /* it is stored now, or was before under this id */
	PEER_NOT_TAKEN, /* the pass has ended meanwhile */
	PEER_TOO_MUCH, /* the text is too long */
	PEER_TROUBLE, /* it cannot be stored just now */
};

struct peer_message {
	const char *from; /* the pass's user */
	const char *id; /* a valid one, see id_valid() */
	const char *text; /* valid, see text_bad_at(); NUL-terminated */
	size_t len; /* 1 to TEXT_MAX_LEN */
};

struct peer_calls {
	/*
	 * Writes pointers to the passes that are alive, at most max, and
	 * returns how many.  They are read before anything else is called.
	 * All are compared each time, in constant time; whoever looks up
	 * here by what a stranger said would spoil that.
	 */
	size_t (*passes)(void *arg, const struct peer_pass **out, size_t max);

	/*
	 * Stores a message, on the disk, before it returns; one that is
	 * already there by (from, id) is PEER_TAKEN, and is not shown again.
	 * It may stop the listener.
	 */
	enum peer_verdict (*store)(
	    void *arg, const struct peer_message *message);
};

/* What one listener bears.  Durations are milliseconds. */
struct peer_limits {
	int connections; /* in all */
	int per_address; /* IPv6: per /64 */
	int lines; /* on one connection */
	int64_t prove; /* from connecting to the first good line */
	int64_t request; /* from one line to the next */
	int64_t connection; /* in all */
	int64_t linger; /* for a last reply to be read */
};

/* What chat-protocol(7) says: 64, 8, 256, 5 s, 10 s, 30 s, 1 s. */
extern const struct peer_limits peer_limits;

struct peer_listener;

/*
 * Listens at port (0: a free one of 1024 to 65535) on all addresses of the
 * family (AF_UNSPEC: both, with the same port; IPv4 where there is no IPv6).
 * identity, limits and calls have to outlive it.  NULL with a sentence.
 */
struct peer_listener *peer_listen(struct loop *loop,
    const struct identity *identity, int family, int port,
    const struct peer_limits *limits, const struct peer_calls *calls, void *arg,
    char why[PEER_WHY_LEN]);

/* The port, for the login's peer_port. */
int peer_port(const struct peer_listener *listener);

/* How many connections there are just now. */
int peer_count(const struct peer_listener *listener);

/*
 * Stops at once, with all its connections; NULL does no harm.  May be called
 * from within a call.
 */
void peer_stop(struct peer_listener *listener);

/* ---- a call */

/* How one message fared. */
enum peer_result {
	PEER_STORED, /* the other client has it on its disk */
	PEER_REFUSED, /* not-allowed, also after the retries: not stored */
	PEER_UNREACHABLE, /* nobody there, or no such client: not stored */
	PEER_WRONG_KEY, /* another key than the pass's: nothing was said */
	PEER_TOO_LARGE, /* the text is too long for them: not stored */
	PEER_BUSY, /* they cannot store just now: not stored */
	PEER_MALFORMED, /* they cannot make sense of it: not stored */
	PEER_LOST, /* said, and no answer: stored or not, nobody knows */
};

struct peer_outcome {
	const char *id; /* of the message */
	enum peer_result result;
	const char *shown; /* PEER_WRONG_KEY: the key's fingerprint; or "" */
	const char *why; /* a sentence for the log; not escaped */
};

/* Deadlines of a call, in milliseconds. */
struct peer_patience {
	int64_t connect; /* until the handshake is done */
	int64_t reply; /* for each message */
	int64_t retry; /* before not-allowed is tried again; then doubling */
	int64_t fresh; /* how long after the pass came that is done */
	int retries;
};

/* 5 s, 10 s, 1 s, PEER_FRESH_MS, 4. */
extern const struct peer_patience peer_patience;

struct peer_call;

/*
 * A call to the pass's user at host (numeric) and port, from is one's own
 * name.  All strings are copied, identity and patience have to outlive it.
 * Nothing is connected before there is something to say.  Each message is
 * told about once, in order, from the loop and never from within peer_say().
 * Never NULL.
 */
struct peer_call *peer_call_new(struct loop *loop,
    const struct identity *identity, const struct peer_patience *patience,
    const char *from, const struct peer_pass *pass, const char *host, int port,
    void (*told)(void *arg, const struct peer_outcome *outcome), void *arg);

/*
 * Queues one message: a valid id, a valid text.  One after the other is
 * said; whatever ends the connection is the outcome of all that wait, where
 * PEER_LOST is only that of the one that was said: the others are
 * PEER_UNREACHABLE.  The call can be used again afterwards.
 */
void peer_say(struct peer_call *call, const char *id, const char *text);

/* How many messages have had no outcome yet. */
int peer_waiting(const struct peer_call *call);

/*
 * Another pass, or another place, for what is said from now on; also for
 * what waits, but for the one under way.  host NULL: the same place.
 */
void peer_call_renew(struct peer_call *call, const struct peer_pass *pass,
    const char *host, int port);

/*
 * Hangs up; what waits is never told about (it may have been stored), so the
 * owner settles that.  NULL does no harm.  May be called from within told.
 */
void peer_call_free(struct peer_call *call);

/* "stored", "refused", … for faces and logs. */
const char *peer_result_name(enum peer_result result);

#endif
