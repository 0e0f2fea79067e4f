/* SPDX-License-Identifier: ISC */
/*
 * Requests about private links: ask, answer, hangup, and where a login takes
 * them.  Runs in the worker; decides nothing that the store does not check
 * again, and knows no address but what the store lets out.
 */
#include <string.h>

#include "chatd/worker/request.h"

bool
request_peer(struct request_context *on, const struct wire_request *request,
    struct ipc_peer *peer)
{
	const struct wire_string *key = &request->peer_fingerprint;

	memset(peer, 0, sizeof(*peer));
	if (key->s == NULL)
		return true; /* a port without a key is of no use */
	if (!wire_fingerprint_valid(key->s, key->len)) {
		request_refuse(on, request, ERR_BAD_REQUEST,
		    "The member \"peer_fingerprint\" must be \"sha256//\" and "
		    "32 octets in base64.");
		return false;
	}
	memcpy(peer->fingerprint, key->s, key->len);
	peer->port = (uint16_t)request->peer_port;
	return true;
}

enum asked
request_ask(struct request_context *on, const struct wire_request *request)
{
	char to[NAME_MAX_LEN + 1];

	if (!request_token(on, request) ||
	    !request_name(on, request, &request->to, to))
		return ASKED_NOT;
	return ask_ask(&on->store, &request->token, to);
}

enum asked
request_answer(struct request_context *on, const struct wire_request *request)
{
	if (!request_token(on, request))
		return ASKED_NOT;
	/* What no question is called is the name of none that still stands. */
	if (request->request.len != WIRE_REQUEST_LEN)
		return request_refuse(on, request, ERR_EXPIRED, NULL);
	return ask_answer(&on->store, request);
}

enum asked
request_hangup(struct request_context *on, const struct wire_request *request)
{
	char user[NAME_MAX_LEN + 1];

	if (!request_token(on, request) ||
	    !request_name(on, request, &request->user, user))
		return ASKED_NOT;
	return ask_hangup(&on->store, &request->token, user);
}

int
tell_asked(const struct request_context *on, const struct ipc_frame *frame,
    json_t *reply)
{
	struct ipc_asked got;
	int bad = 0;

	(void)on;
	memcpy(&got, frame->body, sizeof(got));
	if (!IPC_TERMINATED(got.request))
		return -1;
	bad |= json_object_set_new(reply, "request", json_string(got.request));
	bad |= json_object_set_new(
	    reply, "expires_in", json_integer(got.expires_in));
	return bad;
}

int
tell_answered(const struct request_context *on, const struct ipc_frame *frame,
    json_t *reply)
{
	struct ipc_answered got;
	struct wire_link link = {0};

	(void)on;
	memcpy(&got, frame->body, sizeof(got));
	if (!got.accepted)
		return 0;
	if (!IPC_TERMINATED(got.user) || !IPC_TERMINATED(got.host) ||
	    !IPC_TERMINATED(got.peer.fingerprint) || !IPC_TERMINATED(got.pass))
		return -1;
	link.fingerprint = (struct wire_string){
	    got.peer.fingerprint, strlen(got.peer.fingerprint)};
	link.host = (struct wire_string){got.host, strlen(got.host)};
	link.pass = (struct wire_string){got.pass, strlen(got.pass)};
	link.port = got.peer.port;
	link.expires_in = got.expires_in;
	return json_object_set_new(reply, "user", json_string(got.user)) == 0 &&
		wire_link_put(reply, &link, LINK_PLACE)
	    ? 0
	    : -1;
}
