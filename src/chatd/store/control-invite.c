/* SPDX-License-Identifier: ISC */
/*
 * The administrator's invitations.  Part of the store; a code is told once,
 * to who had it made, and is neither kept nor logged.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "chatd/store/control-parts.h"
#include "chatd/store/invite.h"
#include "lib/log.h"

enum {
	USES_MAX = 100000,
	DAYS_MAX = 3650,
	TRIES = 8, /* for a hint that no other code has */
};

static const int64_t day_ms = 24 * 60 * 60 * 1000;

/* As people read it: in two groups. */
static json_t *
hint_json(const char hint[DB_HINT_LEN + 1])
{
	char text[DB_HINT_LEN + 2];

	snprintf(text, sizeof(text), "%.4s-%.4s", hint, hint + INVITE_GROUP);
	return json_string(text);
}

/* A code that was written down; false if none was. */
static bool
make(struct db *db, struct db_invite *invite, char code[INVITE_TEXT_LEN + 1])
{
	uint8_t hash[DB_HASH_LEN];

	db_write(db);
	for (int i = 0; i < TRIES; i++) {
		invite_make(code);
		invite_hash(code, hash);
		invite_hint(code, invite->hint);
		if (db_invite_add(db, hash, invite))
			return true;
	}
	return false;
}

void
control_invite_new(
    struct admins *admins, struct admin *admin, const json_t *request)
{
	struct store *store = admins->store;
	int64_t uses = wire_get_number(request, "uses", 1);
	int64_t days = wire_get_number(request, "days", 7);
	struct db_invite invite = {
	    .uses = uses, .unused = uses, .made = store->wall};
	char code[INVITE_TEXT_LEN + 1];
	json_t *reply;

	if (uses < 1 || uses > USES_MAX || days < 1 || days > DAYS_MAX) {
		control_refuse(admin, request, ERR_BAD_REQUEST,
		    "An invitation is for 1 to 100000 uses and 1 to 3650 "
		    "days.");
		return;
	}
	invite.ends = store->wall + days * day_ms;
	if (!make(store->db, &invite, code)) {
		control_refuse(admin, request, ERR_INTERNAL, NULL);
		return;
	}
	log_info("administrator: made invitation %s", invite.hint);
	reply = wire_accept(json_object_get(request, "tag"));
	if (reply != NULL) {
		json_object_set_new(reply, "code", json_string(code));
		json_object_set_new(reply, "uses", json_integer(uses));
		control_time(reply, "ends", invite.ends);
	}
	ipc_wipe(code, sizeof(code));
	control_reply(admin, reply);
}

static json_t *
invite_row(const struct store *store, const struct db_invite *invite)
{
	const char *state = "open";
	json_t *row = json_object();

	if (row == NULL)
		return NULL;
	if (invite->unused == 0)
		state = "used";
	else if (invite->ends <= store->wall)
		state = "expired";
	json_object_set_new(row, "code", hint_json(invite->hint));
	json_object_set_new(row, "state", json_string(state));
	json_object_set_new(row, "uses", json_integer(invite->uses));
	json_object_set_new(
	    row, "used", json_integer(invite->uses - invite->unused));
	control_time(row, "made", invite->made);
	control_time(row, "ends", invite->ends);
	return row;
}

void
control_invite_list(
    struct admins *admins, struct admin *admin, const json_t *request)
{
	const char *after = wire_get_string(request, "after");
	int64_t number = after != NULL ? strtoll(after, NULL, 10) : 0;
	int most = control_page(request);
	struct db_invite invite;
	char next[24];
	json_t *rows = json_array();
	bool more = true;

	while (json_array_size(rows) < (size_t)most) {
		more = db_invite_next(admins->store->db, number, &invite) == 1;
		if (!more)
			break;
		number = invite.number;
		if (json_array_append_new(
			rows, invite_row(admins->store, &invite)) == -1)
			break;
	}
	snprintf(next, sizeof(next), "%" PRId64, number);
	control_rows(admin, request, "invites", rows, next, more);
}

void
control_invite_revoke(
    struct admins *admins, struct admin *admin, const json_t *request)
{
	struct db *db = admins->store->db;
	const char *code = wire_get_string(request, "code");
	char hint[DB_HINT_LEN + 1];
	json_t *reply;

	db_write(db);
	if (code == NULL || !invite_hint(code, hint) ||
	    !db_invite_revoke(db, hint)) {
		control_refuse(admin, request, ERR_BAD_REQUEST,
		    "There is no such invitation.");
		return;
	}
	log_info("administrator: revoked invitation %s", hint);
	reply = wire_accept(json_object_get(request, "tag"));
	if (reply != NULL)
		json_object_set_new(reply, "code", hint_json(hint));
	control_reply(admin, reply);
}
