/* SPDX-License-Identifier: ISC */
/*
 * The commands of chatctl(8) as functions, and what they share.  Each
 * returns an exit status and has said on stderr why it is not 0.
 */
#ifndef CHATCTL_COMMANDS_H
#define CHATCTL_COMMANDS_H

#include <stdbool.h>
#include <stddef.h>

#include <jansson.h>

#include "chatd/pair.h"
#include "chatd/settings.h"

enum {
	CTL_REFUSED = 1,
	CTL_STOPPED = 3, /* `status` of a centre that does not run */
	CERT_WARN_DAYS = PAIR_WARN_DAYS, /* before a certificate's end */
};

/* What was typed. */
struct ctl {
	const char *file; /* the configuration */
	bool json;
	bool force, all; /* --force, --all */
	bool dry_run; /* --dry-run */
	const char *to; /* --to, or NULL */
	int uses, days; /* --uses, --days, or 0 */
	const char **hosts; /* --host, NULL-terminated; may be empty */
	char **words; /* after the command, NULL-terminated */
	struct settings *settings; /* NULL for those that read it themselves */
};

typedef int command_fn(const struct ctl *ctl);

/* invite.c */
command_fn command_invite_new, command_invite_list, command_invite_revoke;
/* backup.c, restore.c */
command_fn command_backup, command_restore;
/* commands.c */
command_fn command_user_add, command_user_passwd, command_user_delete,
    command_user_lock, command_user_unlock, command_user_list;
command_fn command_session_list, command_session_end;
command_fn command_notice, command_reload;
/* import.c */
command_fn command_user_import;
/* status.c */
command_fn command_status, command_metrics;
/* setup.c */
command_fn command_init;
/* check.c */
command_fn command_check;
/* cert.c */
command_fn command_cert_new, command_cert_renew, command_cert_show;

/* Prints "chatctl: " and a sentence to stderr, escaped. */
void complain(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

/* A request with a user's name in it, or (NULL) without. */
json_t *request_new(const char *name, const char *user);

/* True if what was typed can be put into JSON; else it has been said. */
bool is_text(const char *text);

/*
 * One request, one reply.  Takes the request; told gets the reply where
 * text is wanted.
 */
int order(const struct ctl *ctl, json_t *request,
    void (*told)(const struct ctl *ctl, const json_t *reply));

/* A list that comes in pages; each row is shown, or printed as JSON. */
struct list {
	const char *command, *key, *head;
	void (*show)(const json_t *row);
};
int show_list(const struct ctl *ctl, const struct list *list);

/* A member in a column, "-" where it is absent. */
void column(const json_t *row, const char *key, int width);

/* Prints text of somebody else's choice. */
void print_clean(const char *text);

/* One object as one line on stdout. */
void print_json(const json_t *object);

/* A time of the wire in local time, or another word where it is none. */
enum { WHEN_LEN = 32 };
const char *when(const char *time, const char *none, char out[WHEN_LEN]);

#endif
