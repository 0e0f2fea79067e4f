/* SPDX-License-Identifier: ISC */
/*
 * Requests about messages and other users: sync, send, broadcast, online,
 * block, unblock, blocked.  Runs in the worker; decides nothing that the
 * store does not check again.
 */
#include <stdio.h>
#include <string.h>

#include "chatd/worker/request.h"

/* False, and refused, for what is no message id. */
static bool
id_fits(struct request_context *on, const struct wire_request *request)
{
	if (id_valid(request->id.s, request->id.len))
		return true;
	request_refuse(on, request, ERR_BAD_REQUEST,
	    "An id has 16 to 64 of A-Z a-z 0-9 _ -.");
	return false;
}

/* False, and refused, for a text that is no message. */
static bool
text_fits(struct request_context *on, const struct wire_request *request)
{
	const struct wire_string *text = &request->text;
	char why[WIRE_WHY_LEN];
	ssize_t bad;

	if (text->len == 0) {
		request_refuse(
		    on, request, ERR_BAD_REQUEST, "A message is not empty.");
		return false;
	}
	if (text->len > (size_t)on->rules->message_bytes) {
		snprintf(why, sizeof(why),
		    "The message is too long: it has %zu octets, and %d are "
		    "allowed.",
		    text->len, on->rules->message_bytes);
		request_refuse(on, request, ERR_TOO_LARGE, why);
		return false;
	}
	if ((bad = text_bad_at(text->s, text->len)) != -1) {
		snprintf(why, sizeof(why),
		    "The text holds a control character at octet %zd.", bad);
		request_refuse(on, request, ERR_BAD_REQUEST, why);
		return false;
	}
	return true;
}

bool
request_name(struct request_context *on, const struct wire_request *request,
    const struct wire_string *name, char out[NAME_MAX_LEN + 1])
{
	if (name_fold(name->s, name->len, out))
		return true;
	request_refuse(on, request, ERR_NO_SUCH_USER, NULL);
	return false;
}

/* How many at most; -1, and refused, for a number that makes no sense. */
static int32_t
page(struct request_context *on, const struct wire_request *request)
{
	if (request->max == -1 || request->max > WIRE_PAGE_MAX)
		return WIRE_PAGE_MAX;
	if (request->max > 0)
		return (int32_t)request->max;
	request_refuse(on, request, ERR_BAD_REQUEST,
	    "The member \"max\" must be at least 1.");
	return -1;
}

/* True if the bytes are as the epoch of a database. */
static bool
epoch_form(const struct wire_string *epoch)
{
	if (epoch->len != WIRE_EPOCH_LEN)
		return false;
	for (size_t i = 0; i < epoch->len; i++) {
		char c = epoch->s[i];

		if (!(c >= '0' && c <= '9') && !(c >= 'a' && c <= 'f'))
			return false;
	}
	return true;
}

enum asked
request_sync(struct request_context *on, const struct wire_request *request)
{
	int32_t max = page(on, request);

	if (max == -1)
		return ASKED_NOT;
	if (!epoch_form(&request->epoch))
		return request_refuse(on, request, ERR_BAD_REQUEST,
		    "An epoch has 16 of 0-9 a-f.");
	if (!request_token(on, request))
		return ASKED_NOT;
	return ask_sync(&on->store, request, max);
}

enum asked
request_send(struct request_context *on, const struct wire_request *request)
{
	char to[NAME_MAX_LEN + 1];

	if (!id_fits(on, request) || !text_fits(on, request) ||
	    !request_token(on, request) ||
	    !request_name(on, request, &request->to, to))
		return ASKED_NOT;
	return ask_send(&on->store, request, to);
}

enum asked
request_broadcast(
    struct request_context *on, const struct wire_request *request)
{
	if (!id_fits(on, request) || !text_fits(on, request) ||
	    !request_token(on, request))
		return ASKED_NOT;
	return ask_broadcast(&on->store, request);
}

/* Checks a list's members; -1, and refused, or how many at most. */
static int32_t
list_from(struct request_context *on, const struct wire_request *request,
    char after[NAME_MAX_LEN + 1])
{
	int32_t max = page(on, request);

	if (max == -1)
		return -1;
	after[0] = '\0';
	if (request->after.len > 0 &&
	    !name_fold(request->after.s, request->after.len, after)) {
		request_refuse(on, request, ERR_BAD_REQUEST,
		    "The member \"after\" must be a user's name, or empty.");
		return -1;
	}
	return request_token(on, request) ? max : -1;
}

enum asked
request_online(struct request_context *on, const struct wire_request *request)
{
	char after[NAME_MAX_LEN + 1];
	int32_t max = list_from(on, request, after);

	if (max == -1)
		return ASKED_NOT;
	return ask_online(&on->store, &request->token, after, max);
}

enum asked
request_blocked(struct request_context *on, const struct wire_request *request)
{
	char after[NAME_MAX_LEN + 1];
	int32_t max = list_from(on, request, after);

	if (max == -1)
		return ASKED_NOT;
	return ask_blocked(&on->store, &request->token, after, max);
}

enum asked
request_block(struct request_context *on, const struct wire_request *request)
{
	char user[NAME_MAX_LEN + 1];

	if (!request_token(on, request) ||
	    !request_name(on, request, &request->user, user))
		return ASKED_NOT;
	return ask_block(&on->store, &request->token, user);
}

enum asked
request_unblock(struct request_context *on, const struct wire_request *request)
{
	char user[NAME_MAX_LEN + 1];

	if (!request_token(on, request) ||
	    !request_name(on, request, &request->user, user))
		return ASKED_NOT;
	return ask_unblock(&on->store, &request->token, user);
}

/* The events of a frame as an array; NULL if they are not all there. */
static json_t *
event_array(const struct ipc_frame *frame, int32_t count)
{
	json_t *events = json_array();
	struct wire_event event;
	size_t at = 0;

	for (int32_t i = 0; i < count; i++) {
		if (!ipc_event_get(frame->tail, frame->tail_len, &at, &event) ||
		    json_array_append_new(events, wire_event_encode(&event)) ==
			-1) {
			json_decref(events);
			return NULL;
		}
	}
	return events;
}

int
tell_events(const struct request_context *on, const struct ipc_frame *frame,
    json_t *reply)
{
	struct ipc_events got;
	int bad = 0;

	(void)on;
	memcpy(&got, frame->body, sizeof(got));
	if (!IPC_TERMINATED(got.epoch))
		return -1;
	bad |=
	    json_object_set_new(reply, "events", event_array(frame, got.count));
	bad |= json_object_set_new(reply, "epoch", json_string(got.epoch));
	bad |= json_object_set_new(reply, "mail", json_integer(got.mail));
	bad |= json_object_set_new(reply, "room", json_integer(got.room));
	bad |= json_object_set_new(reply, "more", json_boolean(got.more));
	bad |= json_object_set_new(reply, "gap", json_boolean(got.gap));
	return bad;
}

int
tell_sent(const struct request_context *on, const struct ipc_frame *frame,
    json_t *reply)
{
	struct ipc_sent got;
	int bad = 0;

	(void)on;
	memcpy(&got, frame->body, sizeof(got));
	bad |= json_object_set_new(reply, "state", json_string("accepted"));
	bad |= json_object_set_new(reply, "online", json_boolean(got.online));
	bad |= tell_time(reply, "time", got.time);
	return bad;
}

int
tell_spread(const struct request_context *on, const struct ipc_frame *frame,
    json_t *reply)
{
	struct ipc_spread got;
	int bad = 0;

	(void)on;
	memcpy(&got, frame->body, sizeof(got));
	bad |= json_object_set_new(reply, "reached", json_integer(got.reached));
	bad |= json_object_set_new(reply, "refused", json_integer(got.refused));
	return bad;
}

/* One user of `online`; NULL: no memory. */
static json_t *
user_since(const char *name, int64_t since)
{
	json_t *user = json_object();

	if (json_object_set_new(user, "user", json_string(name)) == -1 ||
	    tell_time(user, "since", since) == -1) {
		json_decref(user);
		return NULL;
	}
	return user;
}

/*
 * Adds the names of a frame.  A thousand long ones with times do not fit a
 * line: the rest is left for the next page.
 */
static int
tell_names(const struct ipc_frame *frame, json_t *reply, bool since)
{
	enum { QUOTED_LEN = 3, SINCE_LEN = 20 + WIRE_TIME_LEN };
	json_t *users = json_array();
	struct ipc_names got;
	size_t at = 0, len = 0;
	int bad = 0;

	memcpy(&got, frame->body, sizeof(got));
	for (int32_t i = 0; i < got.count && !bad; i++) {
		char name[NAME_MAX_LEN + 1];
		int64_t when;

		bad |= !ipc_name_get(
		    frame->tail, frame->tail_len, &at, name, &when);
		if (bad)
			break;
		len += strlen(name) + QUOTED_LEN + (since ? SINCE_LEN : 0);
		if (len > WIRE_EVENTS_MAX) {
			got.more = true;
			break;
		}
		bad |= json_array_append_new(
		    users, since ? user_since(name, when) : json_string(name));
	}
	bad |= json_object_set_new(reply, "users", users);
	bad |= json_object_set_new(reply, "more", json_boolean(got.more));
	return bad ? -1 : 0;
}

int
tell_online(const struct request_context *on, const struct ipc_frame *frame,
    json_t *reply)
{
	(void)on;
	return tell_names(frame, reply, true);
}

int
tell_blocked(const struct request_context *on, const struct ipc_frame *frame,
    json_t *reply)
{
	(void)on;
	return tell_names(frame, reply, false);
}
