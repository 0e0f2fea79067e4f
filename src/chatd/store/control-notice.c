/* SPDX-License-Identifier: ISC */
/*
 * The administrator's notices, to one mailbox or to all.  Part of the store;
 * to all means a few hundred mailboxes a turn, so that requests go on
 * between them however many users there are.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "chatd/store/control-parts.h"
#include "lib/log.h"

static void
notice_end(struct admins *admins)
{
	struct notice *notice = &admins->notice;
	json_t *reply = wire_accept(notice->pending->tag);

	if (reply != NULL)
		json_object_set_new(
		    reply, "reached", json_integer(notice->reached));
	pending_reply(notice->pending, reply);
	notice_free(admins);
}

static void
notice_step(void *arg)
{
	struct admins *admins = arg;
	struct notice *notice = &admins->notice;
	struct store *store = admins->store;
	struct db_user user;

	store_tick(store);
	for (int i = 0; i < NOTICE_STEP; i++) {
		if (!db_user_next(store->db, notice->after, &user)) {
			notice_end(admins);
			return;
		}
		memcpy(notice->after, user.name, sizeof(notice->after));
		if (user.state != USER_ACTIVE)
			continue;
		notice_post(store, user.id, "", notice->text);
		notice->reached++;
	}
	/* Not at once: whoever waits is served in between. */
	loop_timer(store->loop, &notice->timer, 1, notice_step, admins);
}

void
notice_free(struct admins *admins)
{
	struct notice *notice = &admins->notice;

	if (notice->pending == NULL)
		return;
	loop_timer_stop(admins->store->loop, &notice->timer);
	pending_free(notice->pending);
	free(notice->text);
	memset(notice, 0, sizeof(*notice));
}

static void
notice_to_all(struct admins *admins, struct admin *admin, const json_t *request,
    const char *text)
{
	struct notice *notice = &admins->notice;

	if (notice->pending != NULL) {
		control_refuse(admin, request, ERR_BUSY,
		    "Another notice is still on its way to everybody.");
		return;
	}
	notice->pending = pending_new(admin, request, sizeof(*notice->pending));
	if (notice->pending == NULL)
		return;
	notice->text = strdup(text);
	if (notice->text == NULL) {
		notice_free(admins);
		control_refuse(admin, request, ERR_INTERNAL, NULL);
		return;
	}
	log_info("administrator: notice to all");
	notice_step(admins);
}

static void
notice_to_one(struct admins *admins, struct admin *admin, const json_t *request,
    const char *text)
{
	const char *to = wire_get_string(request, "to");
	char name[NAME_MAX_LEN + 1];
	struct db_user user;
	json_t *reply;

	if (to == NULL || !name_fold(to, strlen(to), name) ||
	    !db_user_find(admins->store->db, name, &user) ||
	    user.state == USER_DELETED) {
		control_refuse(admin, request, ERR_NO_SUCH_USER, NULL);
		return;
	}
	notice_post(admins->store, user.id, "", text);
	log_info("administrator: notice to %s", name);
	reply = wire_accept(json_object_get(request, "tag"));
	if (reply != NULL)
		json_object_set_new(reply, "reached", json_integer(1));
	control_reply(admin, reply);
}

void
control_notice(
    struct admins *admins, struct admin *admin, const json_t *request)
{
	const char *text = wire_get_string(request, "text");
	size_t len = text != NULL ? strlen(text) : 0;
	char why[WIRE_WHY_LEN];
	ssize_t bad;

	if (len == 0) {
		control_refuse(
		    admin, request, ERR_BAD_REQUEST, "The text is missing.");
		return;
	}
	if (len > (size_t)admins->store->rules.message_bytes) {
		control_refuse(admin, request, ERR_TOO_LARGE, NULL);
		return;
	}
	bad = text_bad_at(text, len);
	if (bad != -1) {
		snprintf(why, sizeof(why),
		    "The text holds a control character at octet %zd.", bad);
		control_refuse(admin, request, ERR_BAD_REQUEST, why);
		return;
	}
	/* Absent, and nothing else, means everybody. */
	if (json_object_get(request, "to") == NULL)
		notice_to_all(admins, admin, request, text);
	else
		notice_to_one(admins, admin, request, text);
}
