/* SPDX-License-Identifier: ISC */
/*
 * Requests about accounts and sessions: hello, login, register, logout,
 * live, password; and the checks that all requests share.  Runs in the
 * worker; decides nothing that the store does not check again.
 */
#include <stdio.h>
#include <string.h>

#include "chatd/worker/request.h"
#include "lib/line.h"
#include "lib/log.h"
#include "lib/unix.h"

enum asked
request_refuse(struct request_context *on, const struct wire_request *request,
    enum wire_error error, const char *text)
{
	on->error = error;
	on->reply = wire_refuse(request->tag, error, text);
	return ASKED_NOT;
}

bool
request_token(struct request_context *on, const struct wire_request *request)
{
	if (!request->token.s ||
	    wire_token_valid(request->token.s, request->token.len))
		return true;
	request_refuse(on, request, ERR_SESSION_EXPIRED, NULL);
	return false;
}

int
tell_time(json_t *reply, const char *key, int64_t ms)
{
	char text[WIRE_TIME_LEN + 1];

	wire_time_format(ms, text);
	return json_object_set_new(reply, key, json_string(text));
}

/* False, and refused, for what cannot be a password. */
static bool
password_fits(struct request_context *on, const struct wire_request *request,
    const struct wire_string *password)
{
	char text[WIRE_WHY_LEN];

	if (password->len >= 1 && password->len <= PASSWORD_MAX_LEN)
		return true;
	snprintf(text, sizeof(text), "A password has 1 to %d octets.",
	    PASSWORD_MAX_LEN);
	request_refuse(on, request, ERR_BAD_REQUEST, text);
	return false;
}

/* Folds the name of the account; false, and refused, if it is no name. */
static bool
account_name(struct request_context *on, const struct wire_request *request,
    char out[NAME_MAX_LEN + 1])
{
	if (name_fold(request->user.s, request->user.len, out))
		return true;
	request_refuse(on, request, ERR_BAD_REQUEST,
	    "A user's name has 1 to 32 of a-z 0-9 . _ - and starts with a "
	    "letter or digit.");
	return false;
}

/* What a client should know of the rules; NULL: no memory. */
static json_t *
limits(const struct rules *rules)
{
	return json_pack("{s:i, s:i, s:i, s:i}", "message_bytes",
	    rules->message_bytes, "mailbox_messages", rules->mailbox_messages,
	    "requests", WIRE_REQUESTS_MAX, "line_bytes", LINE_MAX_LEN);
}

enum asked
request_hello(struct request_context *on, const struct wire_request *request)
{
	static const char *const registration_words[] = {
	    [REGISTRATION_CLOSED] = "closed",
	    [REGISTRATION_INVITE] = "invite",
	    [REGISTRATION_OPEN] = "open"};
	const struct rules *rules = on->rules;
	json_t *reply = wire_accept(request->tag);
	int bad = 0;

	bad |= json_object_set_new(reply, "server", json_string("chatd"));
	bad |=
	    json_object_set_new(reply, "version", json_string(PACKAGE_VERSION));
	bad |=
	    json_object_set_new(reply, "protocol", json_integer(WIRE_PROTOCOL));
	bad |= tell_time(reply, "time", clock_wall());
	bad |= json_object_set_new(reply, "limits", limits(rules));
	bad |= json_object_set_new(
	    reply, "heartbeat", json_integer(rules->heartbeat));
	bad |=
	    json_object_set_new(reply, "timeout", json_integer(rules->timeout));
	bad |= json_object_set_new(reply, "registration",
	    json_string(registration_words[rules->registration]));
	if (bad) {
		json_decref(reply);
		reply = NULL;
	}
	on->error = ERR_NONE;
	on->reply = reply;
	return ASKED_NOT;
}

/*
 * Draws a beacon for this login; its keys are known to the two ends of this
 * connection alone.  Without one the client goes on over TLS.
 */
static void
draw_beacon(struct tls_conn *conn, struct ipc_beacon *beacon)
{
	uint8_t context[BEACON_CONTEXT_LEN];

	memset(beacon, 0, sizeof(*beacon));
	if (conn == NULL)
		return;
	random_fill(&beacon->id, sizeof(beacon->id));
	beacon_context(beacon->id, context);
	if (tls_export(conn, BEACON_LABEL, context, sizeof(context),
		&beacon->keys, sizeof(beacon->keys)) == 0)
		return;
	log_warn("%s", conn->why);
	beacon->id = 0;
}

enum asked
request_login(struct request_context *on, const struct wire_request *request)
{
	struct ipc_beacon beacon;
	struct ipc_peer peer;
	char user[NAME_MAX_LEN + 1];
	enum asked asked;

	if (!account_name(on, request, user) ||
	    !password_fits(on, request, &request->password) ||
	    !request_peer(on, request, &peer))
		return ASKED_NOT;
	draw_beacon(request->brief ? NULL : on->beacon, &beacon);
	asked = ask_login(&on->store, user, &request->password, request->brief,
	    &beacon, &peer);
	ipc_wipe(&beacon, sizeof(beacon));
	return asked;
}

enum asked
request_register(struct request_context *on, const struct wire_request *request)
{
	struct wire_string invite = request->invite;
	char user[NAME_MAX_LEN + 1];

	if (!account_name(on, request, user) ||
	    !password_fits(on, request, &request->password))
		return ASKED_NOT;
	/* No code is that long: it is as wrong as no code at all. */
	if (request->invite.len > IPC_INVITE_MAX)
		invite.len = 0;
	return ask_register(&on->store, user, &request->password, &invite);
}

enum asked
request_logout(struct request_context *on, const struct wire_request *request)
{
	if (!request_token(on, request))
		return ASKED_NOT;
	return ask_logout(&on->store, &request->token);
}

enum asked
request_live(struct request_context *on, const struct wire_request *request)
{
	if (!request_token(on, request))
		return ASKED_NOT;
	return ask_live(
	    &on->store, &request->token, request->mail, request->room);
}

enum asked
request_password(struct request_context *on, const struct wire_request *request)
{
	if (!password_fits(on, request, &request->old) ||
	    !password_fits(on, request, &request->new) ||
	    !request_token(on, request))
		return ASKED_NOT;
	return ask_password(
	    &on->store, &request->token, &request->old, &request->new);
}

/* A string, or null where it is empty. */
static json_t *
string_or_null(const char *text)
{
	return text[0] ? json_string(text) : json_null();
}

static json_t *
beacon_or_null(uint64_t id)
{
	char text[BEACON_ID_TEXT + 1];

	if (id == 0)
		return json_null();
	beacon_id_text(id, text);
	return json_string(text);
}

/* Adds where both logs are; -1: no memory. */
static int
tell_cursors(json_t *reply, const char *epoch, int64_t mail, int64_t room)
{
	int bad = 0;

	bad |= json_object_set_new(reply, "epoch", json_string(epoch));
	bad |= json_object_set_new(reply, "mail", json_integer(mail));
	bad |= json_object_set_new(reply, "room", json_integer(room));
	return bad;
}

int
tell_welcome(const struct request_context *on, const struct ipc_frame *frame,
    json_t *reply)
{
	struct ipc_welcome got;
	int bad = 0;

	memcpy(&got, frame->body, sizeof(got));
	if (!IPC_TERMINATED(got.token) || !IPC_TERMINATED(got.user) ||
	    !IPC_TERMINATED(got.epoch))
		return -1;
	bad |= json_object_set_new(reply, "token", string_or_null(got.token));
	bad |= json_object_set_new(reply, "user", json_string(got.user));
	bad |= tell_time(reply, "time", clock_wall());
	bad |= json_object_set_new(
	    reply, "heartbeat", json_integer(on->rules->heartbeat));
	bad |= json_object_set_new(
	    reply, "timeout", json_integer(on->rules->timeout));
	bad |= json_object_set_new(reply, "beacon", beacon_or_null(got.beacon));
	bad |= tell_cursors(reply, got.epoch, got.mail, got.room);
	bad |= json_object_set_new(
	    reply, "room_spread", json_integer(got.room_spread));
	if (got.last_login == 0)
		bad |= json_object_set_new(reply, "last_login", json_null());
	else
		bad |= tell_time(reply, "last_login", got.last_login);
	bad |= json_object_set_new(
	    reply, "failed_attempts", json_integer(got.failed_attempts));
	return bad;
}

int
tell_heads(const struct request_context *on, const struct ipc_frame *frame,
    json_t *reply)
{
	struct ipc_heads got;

	(void)on;
	memcpy(&got, frame->body, sizeof(got));
	if (!IPC_TERMINATED(got.epoch))
		return -1;
	return tell_cursors(reply, got.epoch, got.mail, got.room);
}
