/* SPDX-License-Identifier: ISC */
/*
 * The map of what is said inside the centre.  Every message is a row: who
 * may send it, who may receive it, what it carries.  A message that is not
 * in the table, from a role that may not send it, or of the wrong size ends
 * the channel that it came on.
 *
 * One frame is one SOCK_SEQPACKET message: head, fixed struct, tail.  Both
 * ends are the same program on the same machine, so structs go as they are.
 */
#ifndef CHATD_IPC_H
#define CHATD_IPC_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>
#include <sys/types.h>

#include "chatd/settings.h"
#include "lib/beacon.h"
#include "lib/text.h"
#include "lib/tls.h"
#include "lib/wire.h"

enum ipc_role {
	ROLE_MASTER = 1,
	ROLE_STORE = 2,
	ROLE_KEEPER = 4,
	ROLE_WORKER = 8,
};

enum {
	IPC_FRAME_MAX = 98304, /* a full reply of events, with room */
	IPC_HASH_MAX = 127, /* an Argon2id string of libsodium */
	IPC_INVITE_MAX = 63, /* an invitation's code, with room for blanks */
	IPC_TEXT_MAX = 65536, /* what master and store tell each other */
	IPC_SIGN_MAX = 64 + 34 + 48, /* what a handshake has signed */
	IPC_SIGNATURE_MAX = 1024, /* RSA of 8,192 bits */
	IPC_AHEAD_MAX = 64, /* requests of one worker under way */
	KEEPER_THREADS = 2, /* passwords hashed at a time */
	KEEPER_QUEUE = 32, /* that wait for them; then busy */
};

/* message, from, to, its struct, whether a tail follows. */
#define IPC_MESSAGES(X)                                                   \
	/* Lifecycle: the master and its children. */                     \
	X(READY, STORE, MASTER, ipc_none, false)                          \
	X(SERVE, MASTER, STORE, ipc_serve, false) /* with the channel */  \
	X(KEEPER, MASTER, STORE, ipc_none, false) /* with the channel */  \
	X(RULES, MASTER, STORE, rules, false)                             \
	X(RELOAD, STORE, MASTER, ipc_none, false)                         \
	X(RELOADED, MASTER, STORE, ipc_reloaded, true)                    \
	X(COUNT, STORE, MASTER, ipc_none, false)                          \
	X(COUNTED, MASTER, STORE, ipc_counted, false)                     \
	X(PROVED, STORE, MASTER, ipc_none, false) /* a worker's number */ \
	X(FAILED, STORE, MASTER, ipc_failed, false)                       \
	/* A worker asks; one answer for each, in order. */               \
	X(LOGIN, WORKER, STORE, ipc_login, false)                         \
	X(REGISTER, WORKER, STORE, ipc_register, false)                   \
	X(LOGOUT, WORKER, STORE, ipc_auth, false)                         \
	X(LIVE, WORKER, STORE, ipc_live, false)                           \
	X(SYNC, WORKER, STORE, ipc_sync, false)                           \
	X(SEND, WORKER, STORE, ipc_send_text, true)                       \
	X(BROADCAST, WORKER, STORE, ipc_send_text, true)                  \
	X(ONLINE, WORKER, STORE, ipc_list, false)                         \
	X(BLOCK, WORKER, STORE, ipc_user, false)                          \
	X(UNBLOCK, WORKER, STORE, ipc_user, false)                        \
	X(BLOCKED, WORKER, STORE, ipc_list, false)                        \
	X(ASK, WORKER, STORE, ipc_user, false)                            \
	X(ANSWER, WORKER, STORE, ipc_answer, false)                       \
	X(HANGUP, WORKER, STORE, ipc_user, false)                         \
	X(PASSWORD, WORKER, STORE, ipc_password, false)                   \
	/* The store answers. */                                          \
	X(REFUSED, STORE, WORKER, ipc_refused, true)                      \
	X(DONE, STORE, WORKER, ipc_none, false)                           \
	X(WELCOME, STORE, WORKER, ipc_welcome, false)                     \
	X(HEADS, STORE, WORKER, ipc_heads, false)                         \
	X(EVENTS, STORE, WORKER, ipc_events, true)                        \
	X(SENT, STORE, WORKER, ipc_sent, false)                           \
	X(SPREAD, STORE, WORKER, ipc_spread, false)                       \
	X(NAMES, STORE, WORKER, ipc_names, true)                          \
	X(ASKED, STORE, WORKER, ipc_asked, false)                         \
	X(ANSWERED, STORE, WORKER, ipc_answered, false)                   \
	/* The keeper's channels, and the key that it is to hold. */      \
	X(STORE, MASTER, KEEPER, ipc_none, false) /* with the channel */  \
	X(WORKER, MASTER, KEEPER, ipc_worker, false) /* likewise */       \
	X(KEY, MASTER, KEEPER, ipc_key, false) /* with the key's file */  \
	X(KEYED, KEEPER, MASTER, ipc_keyed, true)                         \
	X(PING, MASTER, KEEPER, ipc_none, false) /* does it hear? */      \
	X(PONG, KEEPER, MASTER, ipc_none, false)                          \
	/* A worker's handshake: one signature on a channel, no more. */  \
	X(SIGN, WORKER, KEEPER, ipc_sign, false)                          \
	X(SIGNED, KEEPER, WORKER, ipc_signed, false)                      \
	/* Passwords. */                                                  \
	X(CHECK, STORE, KEEPER, ipc_check, false)                         \
	X(HASH, STORE, KEEPER, ipc_hash, false)                           \
	X(CHANGE, STORE, KEEPER, ipc_change, false)                       \
	X(VERDICT, KEEPER, STORE, ipc_verdict, false)

enum ipc_type {
#define X(type, from, to, body, tail) IPC_##type,
	IPC_MESSAGES(X)
#undef X
	    IPC_COUNT_OF_TYPES
};

struct ipc_none {
	char nothing[1];
};

/* Where a connection came from. */
struct ipc_address {
	uint16_t family; /* AF_INET, AF_INET6 */
	uint16_t port; /* host order */
	uint8_t ip[16]; /* the first 4 for AF_INET */
};

enum { IPC_ADDRESS_LEN = 46 }; /* INET6_ADDRSTRLEN */

/* A worker is introduced, under the number that PROVED says later. */
struct ipc_serve {
	struct ipc_address from;
	uint8_t exempt; /* from limits per address and of requests */
	uint8_t known; /* somebody has proved something there, or exempt */
};

/* A login from there failed, or an account was made: both are charged. */
struct ipc_failed {
	struct ipc_address from;
	uint32_t name; /* a hash of it, under a secret of the store's */
	uint8_t locked; /* and has locked the name */
	uint8_t registered; /* nothing failed: an account was made */
};

/* The answer to RELOAD; the tail is what was wrong, one line each. */
struct ipc_reloaded {
	int32_t errors;
};

/* What the master knows of its workers since it started. */
struct ipc_counted {
	int64_t started; /* wall clock, ms */
	int64_t accepted;
	int64_t exits[8]; /* by enum worker_exit */
	int64_t crashes;
	int32_t running, limit;
	int32_t waiting; /* connections that have no worker */
	int32_t refused_now; /* addresses that owe for offences */
	int64_t refused_limit; /* connections over the limit per address */
	int64_t refused_penalty; /* from addresses that owe for offences */
	int64_t refused_rate; /* without a valid token, too many a second */
	int64_t gave_way; /* workers that had proved nothing */
	int64_t gave_way_silent; /* connections that had said nothing */
	int64_t silent; /* that said nothing until their deadline */
	int64_t shortages; /* times that the system was short of something */
	int32_t store_restarts, keeper_restarts;
	uint32_t sandbox[4]; /* sandbox_parts() by role, in their order */
	char certificate_ends[32]; /* RFC 3339, "" if unknown */
};

/* Who asks: a token, or "" to be what this channel's brief login made it. */
struct ipc_auth {
	char token[WIRE_TOKEN_LEN + 1];
};

/*
 * A beacon, lib/beacon.h: the worker draws the id and exports the keys that
 * belong to it before it asks, so that a session is written down once.
 */
struct ipc_beacon {
	uint64_t id; /* 0: none */
	struct beacon_keys keys;
};

/* Where a client takes private links, and the key that it shows. */
struct ipc_peer {
	uint16_t port; /* 0: nowhere */
	char fingerprint[WIRE_FINGERPRINT_LEN + 1]; /* "": it has none */
};

struct ipc_login {
	char user[NAME_MAX_LEN + 1];
	char password[PASSWORD_MAX_LEN + 1];
	uint8_t brief;
	struct ipc_beacon beacon;
	struct ipc_peer peer;
};

struct ipc_register {
	char user[NAME_MAX_LEN + 1];
	char password[PASSWORD_MAX_LEN + 1];
	char invite[IPC_INVITE_MAX + 1]; /* "": none */
};

struct ipc_live {
	struct ipc_auth auth;
	int64_t mail, room;
};

struct ipc_sync {
	struct ipc_auth auth;
	char epoch[WIRE_EPOCH_LEN + 1];
	int64_t mail, room;
	int32_t max; /* events, 1 to WIRE_PAGE_MAX */
};

/* SEND, and BROADCAST with an empty name; the tail is the text. */
struct ipc_send_text {
	struct ipc_auth auth;
	char id[ID_MAX_LEN + 1];
	char to[NAME_MAX_LEN + 1];
};

struct ipc_user {
	struct ipc_auth auth;
	char user[NAME_MAX_LEN + 1];
};

/* What the asked user says to a question of that name. */
struct ipc_answer {
	struct ipc_auth auth;
	char request[WIRE_REQUEST_LEN + 1];
	uint8_t accept;
};

struct ipc_list {
	struct ipc_auth auth;
	char after[NAME_MAX_LEN + 1];
	int32_t max; /* names, 1 to WIRE_PAGE_MAX */
};

struct ipc_password {
	struct ipc_auth auth;
	char old[PASSWORD_MAX_LEN + 1];
	char new[PASSWORD_MAX_LEN + 1];
};

/*
 * No, and why.  The tail is a sentence, or empty for the error's own.
 * After an error that is tried again, or bad-request, the store answers
 * nothing more on this channel, so that the client's order holds.
 */
struct ipc_refused {
	int32_t error; /* enum wire_error */
	int32_t attempts_left; /* LOGIN_FAILED; else -1 */
	int32_t retry_after; /* seconds; 0 for none */
	int64_t time; /* SESSION_REPLACED: when */
	char address[IPC_ADDRESS_LEN]; /* and from where */
};

struct ipc_welcome {
	char token[WIRE_TOKEN_LEN + 1]; /* "" for a brief login */
	char user[NAME_MAX_LEN + 1]; /* folded */
	char epoch[WIRE_EPOCH_LEN + 1];
	int64_t mail, room;
	int64_t last_login; /* wall clock, ms; 0 for never */
	int32_t failed_attempts;
	int32_t room_spread;
	uint64_t beacon; /* the id that counts, or 0 */
};

struct ipc_heads {
	char epoch[WIRE_EPOCH_LEN + 1];
	int64_t mail, room;
};

/* The tail is count events, put with ipc_event_put(). */
struct ipc_events {
	char epoch[WIRE_EPOCH_LEN + 1];
	int64_t mail, room;
	int32_t count;
	uint8_t more, gap;
};

struct ipc_sent {
	int64_t time;
	uint8_t online;
};

struct ipc_spread {
	int64_t reached, refused;
};

/* The tail is count names, put with ipc_name_put(). */
struct ipc_names {
	int32_t count;
	uint8_t more;
};

/* A question that waits, or the private link that it has led to. */
struct ipc_asked {
	char request[WIRE_REQUEST_LEN + 1];
	int32_t expires_in; /* seconds */
};

/* The other end of the link; all but accepted is zero where it was declined. */
struct ipc_answered {
	uint8_t accepted;
	char user[NAME_MAX_LEN + 1];
	struct ipc_peer peer;
	char host[IPC_ADDRESS_LEN];
	char pass[WIRE_TOKEN_LEN + 1];
	int32_t expires_in; /* seconds */
};

/* Which of the keeper's keys signs for this worker. */
struct ipc_worker {
	uint32_t key;
};

/* A key to load; all others but one that is in use are forgotten. */
struct ipc_key {
	uint32_t key; /* the number that it gets, from 1 on */
	uint32_t keep; /* the one in use, or 0 */
};

/* How that went; without a pin it failed, and the tail says why. */
struct ipc_keyed {
	uint32_t key;
	char pin[TLS_PIN_LEN + 1]; /* of its public half, lib/tls.h */
};

/* What a server's CertificateVerify signs (RFC 8446, 4.4.3), whole. */
struct ipc_sign {
	uint16_t scheme; /* RFC 8446, 4.2.3 */
	uint16_t len;
	uint8_t content[IPC_SIGN_MAX];
};

struct ipc_signed {
	uint16_t len;
	uint8_t signature[IPC_SIGNATURE_MAX];
};

struct ipc_check {
	char hash[IPC_HASH_MAX + 1]; /* "" for an unknown name: any hash, no */
	char password[PASSWORD_MAX_LEN + 1];
};

struct ipc_hash {
	char password[PASSWORD_MAX_LEN + 1];
};

struct ipc_change {
	char hash[IPC_HASH_MAX + 1];
	char old[PASSWORD_MAX_LEN + 1];
	char new[PASSWORD_MAX_LEN + 1];
};

enum verdict { VERDICT_NO, VERDICT_YES, VERDICT_BUSY, VERDICT_FAULT };

struct ipc_verdict {
	int32_t verdict;
	char hash[IPC_HASH_MAX + 1]; /* after HASH and CHANGE */
};

/*
 * How a worker ended, told to the master as its exit status.  A death by a
 * signal is a crash.
 */
enum worker_exit {
	WORKER_SERVED,
	WORKER_HANDSHAKE, /* no TLS came about */
	WORKER_MALFORMED, /* the client broke the protocol */
	WORKER_REFUSED, /* a login failed or was blocked */
	WORKER_TIMEOUT, /* a deadline passed */
	WORKER_CUT, /* the client went away */
	WORKER_STORE_LOST, /* no answer from the store */
	WORKER_FAULT, /* our own memory or setup */
	WORKER_EXITS
};

const char *ipc_name(enum ipc_type type);
/* Octets of a message's fixed struct. */
size_t ipc_body_len(enum ipc_type type);
const char *worker_exit_name(enum worker_exit status);

/* A frame as it was received; the pointers are into the caller's buffer. */
struct ipc_frame {
	enum ipc_type type;
	uint32_t number; /* the asker's, repeated by the answer */
	const void *body;
	const char *tail;
	size_t tail_len;
	int fd; /* -1, or the descriptor that came along: the caller's */
};

/*
 * Sends one message; the length of body comes from the table.  0, or -1
 * with errno (EAGAIN, EPIPE).  fd (or -1) stays the caller's.
 */
int ipc_send(int sock, enum ipc_type type, uint32_t number, const void *body,
    const void *tail, size_t tail_len, int fd);

/*
 * Receives one message into buf (IPC_FRAME_MAX octets, 8-aligned) and checks
 * it against the table.  1, 0 at the end, -1 with errno: EAGAIN, or EBADMSG
 * for a message that this role may not get from that one, of which only the
 * type that it claims is known; also for one whose descriptor had no room.
 */
int ipc_receive(int sock, enum ipc_role me, enum ipc_role from, void *buf,
    struct ipc_frame *frame);

/* True if every one of these arrays holds its NUL: what a peer sent may not. */
#define IPC_TERMINATED(array) (memchr((array), 0, sizeof(array)) != NULL)

/* Appends to buf of size from *used on; false if it does not fit. */
bool ipc_event_put(
    char *buf, size_t size, size_t *used, const struct wire_event *event);
bool ipc_name_put(
    char *buf, size_t size, size_t *used, const char *name, int64_t since);

/* Takes the next from *at on; false at the end or if it is malformed. */
bool ipc_event_get(
    const char *buf, size_t len, size_t *at, struct wire_event *event);
bool ipc_name_get(const char *buf, size_t len, size_t *at,
    char name[NAME_MAX_LEN + 1], int64_t *since);

void ipc_address_set(struct ipc_address *out, const struct sockaddr *from);
/* What an IPv4 address is called on a socket for both families, undone. */
void ipc_address_unmap(struct ipc_address *address);
void ipc_address_text(
    const struct ipc_address *address, char out[IPC_ADDRESS_LEN]);

/* Octets of a secret are overwritten even where the compiler sees no use. */
void ipc_wipe(void *secret, size_t len);

#endif
