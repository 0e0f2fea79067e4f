/* SPDX-License-Identifier: ISC */
/*
 * What is said between a client and the centre: every request, error and
 * event as one row, their encoding and decoding.  Pure: no descriptor, no
 * clock.  chat-protocol(7) is the same in words.
 */
#ifndef LIB_WIRE_H
#define LIB_WIRE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <jansson.h>

#include "lib/text.h"

enum {
	WIRE_PROTOCOL = 1,
	WIRE_PORT = 2428, /* C-H-A-T on a telephone */
	WIRE_DEPTH_MAX = 8,
	WIRE_EVENTS_MAX = 61440, /* octets of events in one reply */
	WIRE_PAGE_MAX = 1000, /* names in one reply */
	WIRE_REQUESTS_MAX = 256, /* on one connection */
	WIRE_WHY_LEN = 160,
	WIRE_TIME_LEN = 24, /* 2026-11-22T14:03:05.123Z */
	WIRE_EPOCH_LEN = 16, /* hexadecimal */
	WIRE_TOKEN_LEN = 43, /* 32 octets in base64url */
	WIRE_REQUEST_LEN = 22, /* 16 octets in base64url */
	WIRE_FINGERPRINT_LEN = 52, /* "sha256//" and 32 octets in base64 */
	WIRE_HOST_LEN = 45, /* an address in numbers: INET6_ADDRSTRLEN - 1 */
};

enum wire_who {
	WHO_ANYONE, /* no token needed, none looked at */
	WHO_SESSION, /* a token */
	WHO_BRIEF, /* a token, or a brief login on this connection */
};

/* op, its name, who may, its members ('?' after those that may be absent). */
#define WIRE_OPS(X)                                                  \
	X(HELLO, "hello", WHO_ANYONE, "")                            \
	X(LOGIN, "login", WHO_ANYONE,                                \
	    "user password brief? peer_port? peer_fingerprint?")     \
	X(REGISTER, "register", WHO_ANYONE, "user password invite?") \
	X(LOGOUT, "logout", WHO_SESSION, "")                         \
	X(LIVE, "live", WHO_SESSION, "mail room")                    \
	X(SYNC, "sync", WHO_SESSION, "epoch mail room max?")         \
	X(SEND, "send", WHO_BRIEF, "id to text")                     \
	X(BROADCAST, "broadcast", WHO_BRIEF, "id text")              \
	X(ONLINE, "online", WHO_BRIEF, "after? max?")                \
	X(BLOCK, "block", WHO_BRIEF, "user")                         \
	X(UNBLOCK, "unblock", WHO_BRIEF, "user")                     \
	X(BLOCKED, "blocked", WHO_BRIEF, "after? max?")              \
	X(ASK, "ask", WHO_SESSION, "to")                             \
	X(ANSWER, "answer", WHO_SESSION, "request accept")           \
	X(HANGUP, "hangup", WHO_SESSION, "user")                     \
	X(PASSWORD, "password", WHO_BRIEF, "old new")

enum wire_op {
#define X(op, name, who, members) OP_##op,
	WIRE_OPS(X)
#undef X
	    OP_COUNT
};

/* error, its name, whether the client tries again, what a person reads. */
#define WIRE_ERRORS(X)                                                      \
	X(BAD_REQUEST, "bad-request", false, "The request is malformed.")   \
	X(NOT_ALLOWED, "not-allowed", false, "That is not allowed.")        \
	X(LOGIN_FAILED, "login-failed", false,                              \
	    "The name or the password is wrong.")                           \
	X(LOGIN_BLOCKED, "login-blocked", false,                            \
	    "The account is blocked after too many failed logins.")         \
	X(SESSION_EXPIRED, "session-expired", false,                        \
	    "The session has ended; log in again.")                         \
	X(SESSION_REPLACED, "session-replaced", false,                      \
	    "A login elsewhere took this session over.")                    \
	X(NO_SUCH_USER, "no-such-user", false, "There is no such user.")    \
	X(EXISTS, "exists", false, "That name is taken.")                   \
	X(BLOCKED, "blocked", false, "The recipient has blocked you.")      \
	X(OFFLINE, "offline", false, "The user is offline.")                \
	X(DECLINED, "declined", false, "The user declined.")                \
	X(EXPIRED, "expired", false, "The request has expired.")            \
	X(TOO_LARGE, "too-large", false, "The message is too long.")        \
	X(MAILBOX_FULL, "mailbox-full", false,                              \
	    "The recipient's mailbox is full.")                             \
	X(RATE_LIMITED, "rate-limited", true,                               \
	    "Too many requests; try again in a moment.")                    \
	X(BUSY, "busy", true, "The centre is busy; try again in a moment.") \
	X(READ_ONLY, "read-only", true,                                     \
	    "The centre cannot store anything just now.")                   \
	X(INTERNAL, "internal", true, "The centre has a fault; try again.")

enum wire_error {
	ERR_NONE,
#define X(error, name, again, text) ERR_##error,
	WIRE_ERRORS(X)
#undef X
	    ERR_COUNT
};

/* What an event tells of a private link; each holds what is before it. */
enum wire_link_part {
	LINK_NONE,
	LINK_KEY, /* fingerprint, expires_in */
	LINK_PLACE, /* and host, port, pass */
};

/*
 * event, its name, the member that holds user, the one that holds text, the
 * one that holds id (NULL: it has none), what it tells of a link.  The log is
 * the mailbox for those before BROADCAST, the room log from there on.
 */
#define WIRE_EVENTS(X)                                                  \
	X(MESSAGE, "message", "from", "text", "id", LINK_NONE)          \
	X(RECEIPT, "receipt", "to", "ids", NULL, LINK_NONE)             \
	X(ASK, "ask", "from", NULL, "request", LINK_KEY)                \
	X(ADDRESS, "address", "user", NULL, "request", LINK_PLACE)      \
	X(DECLINED, "declined", "user", "reason", "request", LINK_NONE) \
	X(HANGUP, "hangup", "user", "reason", NULL, LINK_NONE)          \
	X(NOTICE, "notice", NULL, "text", NULL, LINK_NONE)              \
	X(BROADCAST, "broadcast", "from", "text", "id", LINK_NONE)      \
	X(LOGIN, "login", "user", NULL, NULL, LINK_NONE)                \
	X(LOGOUT, "logout", "user", "reason", NULL, LINK_NONE)

/* Why a private link ended, as `hangup` has it; the first is one's own end. */
#define WIRE_HANGUPS(X)         \
	X(HANGUP, "hangup")     \
	X(ASKED, "asked")       \
	X(TIMEOUT, "timeout")   \
	X(REPLACED, "replaced") \
	X(REMOVED, "removed")   \
	X(EXPIRED, "expired")   \
	X(BLOCKED, "blocked")   \
	X(ADDRESS, "address")

enum wire_hangup {
#define X(hangup, name) HANGUP_##hangup,
	WIRE_HANGUPS(X)
#undef X
	    HANGUP_COUNT
};

const char *wire_hangup_name(enum wire_hangup reason);
/* HANGUP_COUNT for a name that is not known. */
enum wire_hangup wire_hangup_find(const char *name, size_t len);

enum wire_event_type {
#define X(event, name, user, text, id, link) EVENT_##event,
	WIRE_EVENTS(X)
#undef X
	    EVENT_COUNT
};

/* True for what stands in the room log; the others stand in a mailbox. */
bool wire_event_in_room(enum wire_event_type type);

/* Names are what is stored: numbers would change with the next row. */
const char *wire_event_name(enum wire_event_type type);
/* EVENT_COUNT for a name that is not known. */
enum wire_event_type wire_event_find(const char *name);

/* Bytes that somebody else owns; s is NULL where there are none. */
struct wire_string {
	const char *s;
	size_t len;
};

/*
 * The other end of a private link.  What an event or a reply does not tell
 * is all zero; so is the port of one who takes no links (null in JSON).
 */
struct wire_link {
	struct wire_string fingerprint, host, pass;
	int64_t port;
	int64_t expires_in; /* seconds, from when it was told */
};

/*
 * True for a public key's fingerprint as tls_pin() prints it: "sha256//" and
 * 32 octets in base64.
 */
bool wire_fingerprint_valid(const char *s, size_t len);
/* True for what has the form of a token or a pass: 32 octets in base64url. */
bool wire_token_valid(const char *s, size_t len);

/* Adds a link's members to a reply or an event; false: no memory. */
bool wire_link_put(
    json_t *object, const struct wire_link *link, enum wire_link_part part);
/*
 * The other way; the strings belong to object.  False, if a member is missing
 * or malformed: a host is an address in numbers, a port is 0 (null) or from
 * 1024 to 65535.
 */
bool wire_link_get(
    const json_t *object, struct wire_link *link, enum wire_link_part part);

/* One event.  A receipt's text holds its ids, separated by spaces. */
struct wire_event {
	enum wire_event_type type;
	int64_t number; /* in its log */
	int64_t time; /* wall clock, milliseconds */
	struct wire_string user, id, text;
	struct wire_link link;
};

/* The members of every request, decoded; those that were absent are 0. */
struct wire_request {
	enum wire_op op;
	json_t *root; /* owns all strings */
	json_t *tag; /* to be echoed; borrowed from root, or NULL */
	struct wire_string token, user, password, invite, peer_fingerprint;
	struct wire_string epoch, id, to, text, after, old, new, request;
	int64_t peer_port, mail, room, max; /* max is -1 where absent */
	bool brief, accept;
};

struct wire_op_row {
	const char *name;
	enum wire_who who;
	const char *members;
};

extern const struct wire_op_row wire_ops[OP_COUNT];

const char *wire_error_name(enum wire_error error);
const char *wire_error_text(enum wire_error error);
bool wire_error_again(enum wire_error error);
/* ERR_NONE for a name that is not known. */
enum wire_error wire_error_find(const char *name);

/*
 * Decodes one line (without its newline).  0, or -1 with a sentence for
 * `bad-request` in why; root and tag are then set as far as they were read.
 * wire_request_release() in both cases.
 */
int wire_request_decode(const char *line, size_t len,
    struct wire_request *request, char why[WIRE_WHY_LEN]);
void wire_request_release(struct wire_request *request);

/* A reply to which the caller adds members; tag may be NULL (borrowed). */
json_t *wire_accept(json_t *tag);
/* text may be NULL for the error's own. */
json_t *wire_refuse(json_t *tag, enum wire_error error, const char *text);

/*
 * A JSON object as one line with its newline, in fresh memory (free it),
 * NUL-terminated; NULL if it cannot be encoded or is over LINE_MAX_LEN.
 */
char *wire_line(const json_t *object, size_t *len);

/*
 * Decodes any line of ours: bounded depth, no duplicate keys, an object.
 * NULL with a sentence in why.
 */
json_t *wire_object(const char *line, size_t len, char why[WIRE_WHY_LEN]);

/* Members of an object; the fallback where absent or of another type. */
const char *wire_get_string(const json_t *object, const char *key);
int64_t wire_get_number(const json_t *object, const char *key, int64_t none);
bool wire_get_bool(const json_t *object, const char *key);

/* An event as JSON (a new reference). */
json_t *wire_event_encode(const struct wire_event *event);
/* Octets that it takes in a line, a few more at most. */
size_t wire_event_size(const struct wire_event *event);
/*
 * The other way.  The strings belong to object, but for a receipt's text,
 * which is written into *ids (free it; NULL for others).  -1 for an event
 * that is malformed, 1 for a type that is not known, else 0.
 */
int wire_event_decode(
    const json_t *object, struct wire_event *event, char **ids);

/* RFC 3339 in UTC with milliseconds; -1 if it is not one. */
void wire_time_format(int64_t ms, char out[WIRE_TIME_LEN + 1]);
int wire_time_parse(const char *text, int64_t *ms);

#endif
