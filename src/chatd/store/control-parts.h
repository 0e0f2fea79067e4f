/* SPDX-License-Identifier: ISC */
/*
 * What the files of the administrator's socket share, and nobody else
 * includes: who is connected, what waits for somebody else's answer, and the
 * commands.
 */
#ifndef CHATD_CONTROL_PARTS_H
#define CHATD_CONTROL_PARTS_H

#include "chatd/store/control.h"
#include "chatd/store/state.h"
#include "lib/line.h"

enum {
	ADMINS_MAX = 16, /* connected at a time */
	PENDING_MAX = 64, /* requests of one of them that wait for others */
	OUT_MAX = 4 * LINE_MAX_LEN, /* replies it has not read: asks no more */
	HASHES_MAX = 8, /* with the keeper; the other places are for logins */
	PAGE_MAX = 200, /* rows in one reply: it stays one line */
	LOOK_MAX = 1000, /* users looked at for one reply */
	NOTICE_STEP = 500, /* mailboxes in one turn */
};

/* One administrator. */
struct admin {
	struct admins *admins;
	struct loop_watch watch;
	int fd; /* -1: the place is free */
	struct line_buf in;
	char *out;
	size_t out_len, out_size;
	bool full; /* the socket; it will say when it is not */
	bool ended; /* asks nothing more */
	bool broken; /* to be forgotten at the end of the turn */
	int pending;
};

/* A request whose reply comes later. */
struct pending {
	struct pending *next;
	struct admin *admin; /* NULL once it has gone */
	json_t *tag; /* or NULL */
	bool metrics; /* of the two that ask the master to count */
};

struct pendings {
	struct pending *first, **end;
};

/* One whose password is to be hashed. */
struct hashing {
	struct pending pending;
	void (*then)(struct admins *, const struct hashing *, const char *hash);
	char name[NAME_MAX_LEN + 1];
	char password[PASSWORD_MAX_LEN + 1];
};

/* A notice that is on its way to everybody. */
struct notice {
	struct pending *pending; /* NULL: there is none */
	struct loop_timer timer;
	char *text;
	char after[NAME_MAX_LEN + 1];
	int64_t reached;
};

/* A backup that is made, or lies there to be fetched. */
struct backup {
	struct admin *admin; /* whose; NULL: there is none */
	enum {
		BACKUP_NONE,
		BACKUP_UNDER_WAY,
		BACKUP_WHOLE,
		BACKUP_FAILED
	} state;
	struct db_copy *copy;
	struct loop_timer timer;
	char *path, why[256];
	int left, all; /* pages */
};

/* What takes a walk over all users, and so is not counted all the time. */
struct census {
	int64_t users, mail;
	int64_t until; /* monotonic: good enough until then */
};

struct admins {
	struct store *store;
	struct admin admin[ADMINS_MAX];
	int count;
	int listener; /* or -1 */
	struct loop_watch listener_watch;
	struct loop_timer listener_again; /* after a lack of descriptors */
	struct loop_timer again; /* lines wait that nothing will announce */

	struct pendings hashes; /* struct hashing, that wait for a place */
	struct hashing *hashed[HASHES_MAX]; /* that the keeper has */
	struct loop_timer hashes_again;

	struct pendings counts, reloads; /* that the master answers in order */
	struct notice notice;
	struct backup backup;
	struct census census;
};

/* A command looks at the request's members and replies, now or later. */
typedef void control_fn(struct admins *, struct admin *, const json_t *request);

/* control-account.c */
control_fn control_user_add, control_user_check, control_user_passwd,
    control_user_delete, control_user_lock, control_user_unlock,
    control_user_list;
control_fn control_session_list, control_session_end;

/* control-backup.c */
control_fn control_backup, control_backup_look;
void backup_init(struct admins *admins);
void backup_forget(struct admins *admins, const struct admin *admin);
void backup_free(struct admins *admins);

/* control-invite.c */
control_fn control_invite_new, control_invite_list, control_invite_revoke;

/* control-status.c */
control_fn control_status, control_metrics, control_reload;

/* control-notice.c */
control_fn control_notice;

/* Sends a reply, which it takes, after the commit; NULL: no memory. */
void control_reply(struct admin *admin, json_t *reply);
void control_accept(struct admin *admin, const json_t *request);
/* text may be NULL for the error's own. */
void control_refuse(struct admin *admin, const json_t *request,
    enum wire_error error, const char *text);

/*
 * Reads the member "user" as a name; false, and refused, if there is none
 * that could be one.
 */
bool control_name(
    struct admin *admin, const json_t *request, char name[NAME_MAX_LEN + 1]);

/* The reply with rows, and where the next page begins; rows may be NULL. */
void control_rows(struct admin *admin, const json_t *request, const char *key,
    json_t *rows, const char *next, bool more);

/* The rows that are asked for in one reply: the member "max". */
int control_page(const json_t *request);

/* Sets a member to a time; null where it is 0. */
void control_time(json_t *object, const char *key, int64_t ms);

/*
 * A pending request of that size, counted with its administrator; NULL, and
 * refused, if there is no memory.  pending_free() gives everything back.
 */
void *pending_new(struct admin *admin, const json_t *request, size_t size);
void pending_free(struct pending *pending);
void pending_append(struct pendings *list, struct pending *pending);
struct pending *pending_take(struct pendings *list);
/* The same as a reply would be, if there is still somebody to read it. */
void pending_reply(const struct pending *pending, json_t *reply);

/* control-hash.c: then() gets the hash, unless it could not be made. */
void hash_begin(struct admins *admins, struct admin *admin,
    const json_t *request, const char *name,
    void (*then)(struct admins *, const struct hashing *, const char *));
/* What was not begun for this administrator is forgotten. */
void hashes_forget(struct admins *admins, const struct admin *admin);
void hashes_free(struct admins *admins);

void notice_free(struct admins *admins);

#endif
