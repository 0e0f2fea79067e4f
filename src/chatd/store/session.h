/* SPDX-License-Identifier: ISC */
/*
 * Who is logged in: the table of live sessions in the store's memory, found
 * by token, by user and by beacon, walked by name and by silence.  About 500
 * octets a session.  Knows no database and no clock.
 */
#ifndef CHATD_SESSION_H
#define CHATD_SESSION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "chatd/store/db.h"

/* Where a beacon's answers and knocks go: a place that was proven. */
struct beacon_path {
	struct ipc_address from; /* the client's */
	uint8_t to[16]; /* ours, as the client asked for it */
	uint32_t link; /* the interface of a link-local address, or 0 */
	uint16_t port; /* which socket, counted from 1; 0: no path */
	bool chosen; /* the socket has many addresses, and to is one */
};

/* What is to be knocked next, and when; knock.c. */
enum knock_step {
	KNOCK_NONE,
	KNOCK_NOW, /* after this turn's commit */
	KNOCK_SOON, /* one went out a moment ago */
	KNOCK_AGAIN, /* nobody has come for it yet */
	KNOCK_LAST,
	KNOCK_STEPS
};

struct session {
	/*
	 * Together, since every LIVE needs them, of a table that no cache
	 * holds: SESSION_HOT octets.
	 */
	uint64_t beacon; /* 0: none */
	struct session *beacon_chain;
	struct beacon_keys keys;
	struct beacon_window window; /* of the client's counters */
	uint32_t told; /* datagrams to it, of this generation */
	uint32_t knock; /* enum knock_step: the queue that it is in */
	struct beacon_path path;
	int64_t user;
	int64_t online; /* wall clock: online since, or 0 */
	int64_t used; /* wall clock: last use that was written down */
	int64_t mail_head; /* of the user's mailbox */
	int64_t heard; /* monotonic: the last sign of life */
	struct session *earlier, *later; /* online ones by heard */

	int64_t knock_due; /* monotonic */
	struct session *knock_earlier, *knock_later;
	uint8_t token[DB_HASH_LEN];
	int64_t login; /* wall clock */
	int64_t login_room; /* the room log's head at login */
	struct session *token_chain, *user_chain;
	struct session *left, *right; /* online ones by name: a treap */
	uint32_t priority;
	struct ipc_address from; /* of the last request */
	struct ipc_peer peer;
	struct link *links; /* private ones, and questions; link.h */
	char name[NAME_MAX_LEN + 1];
};

enum { SESSION_HOT = offsetof(struct session, knock_due) };

struct sessions;

/* NULL if there is no memory. */
struct sessions *sessions_new(void);
void sessions_free(struct sessions *table);

size_t sessions_count(const struct sessions *table);
size_t sessions_online(const struct sessions *table);

struct session *session_by_token(
    const struct sessions *table, const uint8_t token[DB_HASH_LEN]);
struct session *session_by_beacon(const struct sessions *table, uint64_t id);
struct session *session_by_user(const struct sessions *table, int64_t user);

/*
 * Has what a LIVE with that id will need come from memory while others are
 * looked at.  Three steps, each for all of a batch before the next one.
 */
enum session_step { SESSION_PLACE, SESSION_ITSELF, SESSION_NEIGHBOURS };
void session_expect(
    const struct sessions *table, uint64_t id, enum session_step step);

/*
 * Adds a session from its row; it is the table's.  It counts as heard at
 * now, and as online if the row says so.  NULL if there is no memory.
 */
struct session *session_add(
    struct sessions *table, const struct db_session *row, int64_t now);
/*
 * Many at once: between the two, session_add() leaves out what is by name,
 * which is then put in order together.  -1 if there is no memory for that.
 */
void sessions_load(struct sessions *table);
int sessions_loaded(struct sessions *table);
/* Takes it out and frees it, its keys overwritten. */
void session_remove(struct sessions *table, struct session *session);

/* A sign of life. */
void session_heard(
    struct sessions *table, struct session *session, int64_t now);
/* Comes online (heard at now), or goes (since is 0). */
void session_set_online(struct sessions *table, struct session *session,
    int64_t since, int64_t now);

/* The online session that has been silent for longest, or NULL. */
struct session *sessions_most_silent(const struct sessions *table);
/* Walks the online ones, in no order that matters; NULL at the end. */
struct session *sessions_next_online(
    const struct sessions *table, const struct session *last);
/* The first online session whose name comes after this one, or NULL. */
struct session *sessions_after(const struct sessions *table, const char *name);

#endif
