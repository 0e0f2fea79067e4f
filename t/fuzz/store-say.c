/* SPDX-License-Identifier: ISC */
/*
 * What an input says to the store: frames of a worker's that mean something,
 * as far as the input likes.
 */
#include <string.h>

#include "store-play.h"

static const enum ipc_type types[] = {
    [SAY_LOGIN] = IPC_LOGIN,
    [SAY_REGISTER] = IPC_REGISTER,
    [SAY_LOGOUT] = IPC_LOGOUT,
    [SAY_LIVE] = IPC_LIVE,
    [SAY_SYNC] = IPC_SYNC,
    [SAY_SEND] = IPC_SEND,
    [SAY_BROADCAST] = IPC_BROADCAST,
    [SAY_ONLINE] = IPC_ONLINE,
    [SAY_BLOCK] = IPC_BLOCK,
    [SAY_UNBLOCK] = IPC_UNBLOCK,
    [SAY_BLOCKED] = IPC_BLOCKED,
    [SAY_ASK] = IPC_ASK,
    [SAY_ANSWER] = IPC_ANSWER,
    [SAY_HANGUP] = IPC_HANGUP,
    [SAY_PASSWORD] = IPC_PASSWORD,
};

_Static_assert((int)SAY_RAW == IPC_PASSWORD - IPC_LOGIN + 1,
    "a question that nobody asks here");

/* The next octet of the input; 0 behind its end. */
uint8_t
octet(struct input *in)
{
	if (in->size == 0)
		return 0;
	in->size--;
	return *in->data++;
}

/* Some octets of the input, as far as there are any. */
static void
octets(struct input *in, void *to, size_t len)
{
	if (len > in->size)
		len = in->size;
	memcpy(to, in->data, len);
	in->data += len;
	in->size -= len;
}

static void
choose_token(const struct play *play, struct input *in, char *to)
{
	uint8_t which = octet(in);

	if (which == 0)
		return;
	if (which == 0xff)
		octets(in, to, WIRE_TOKEN_LEN + 1);
	else if (which == 0xfe)
		memset(to, 'A', WIRE_TOKEN_LEN);
	else if (play->token_count > 0)
		/* 1 is the newest. */
		strcpy(to,
		    play->token[play->token_count - 1 -
			    (which - 1) % play->token_count]
			.text);
}

static void
choose_name(const struct play *play, struct input *in, char *to)
{
	static const char *const names[] = {
	    "bob", "carol", "eve", "nobody", "", "mallory."};
	uint8_t which = octet(in) % 13;

	if (which < NAME_BOB)
		strcpy(to, play->owned[which % play->owned_count].name);
	else if (which < 12)
		strcpy(to, names[which - NAME_BOB]);
	else
		octets(in, to, 1 + octet(in) % NAME_MAX_LEN);
}

static void
choose_password(struct input *in, char *to)
{
	if (octet(in) % 3 != 0)
		strcpy(to, PASSWORD);
	else
		octets(in, to, 8);
}

static void
choose_invite(struct input *in, char *to)
{
	uint8_t which = octet(in) % 4;

	if (which == 3)
		octets(in, to, IPC_INVITE_MAX);
	else if (which > 0)
		strcpy(to, INVITE);
}

static void
choose_request(const struct play *play, struct input *in, char *to)
{
	uint8_t which = octet(in);

	if (which == 0)
		strcpy(to, play->stage->question);
	else if (which == 1)
		strcpy(to, play->stage->link);
	else if (play->heard_count > 0)
		/* 2 is the newest. */
		strcpy(to,
		    play->heard[play->heard_count - 1 -
			(which - 2) % play->heard_count]);
}

static void
choose_peer(struct input *in, struct ipc_peer *peer)
{
	uint8_t which = octet(in) % 4;

	if (which < 2) {
		peer->port = 40999;
		snprintf(peer->fingerprint, sizeof(peer->fingerprint),
		    "sha256//%043d=", 0);
	} else if (which == 2) {
		octets(in, peer, sizeof(*peer));
	}
}

static void
fill_login(const struct play *play, struct input *in, struct ipc_login *login)
{
	choose_name(play, in, login->user);
	choose_password(in, login->password);
	login->brief = octet(in) & 1;
	choose_peer(in, &login->peer);
	login->beacon.id = octet(in);
}

static void
fill_register(
    const struct play *play, struct input *in, struct ipc_register *sign_up)
{
	choose_name(play, in, sign_up->user);
	choose_password(in, sign_up->password);
	choose_invite(in, sign_up->invite);
}

/* A body that means something, but for the tokens. */
static void
fill(const struct play *play, struct input *in, enum ipc_type type, char *body)
{
	struct ipc_sync *sync = (void *)body;
	struct ipc_send_text *send = (void *)body;
	struct ipc_user *user = (void *)body;
	struct ipc_answer *reply = (void *)body;
	struct ipc_list *list = (void *)body;
	struct ipc_password *password = (void *)body;

	switch (type) {
	case IPC_LOGIN:
		fill_login(play, in, (void *)body);
		break;
	case IPC_REGISTER:
		fill_register(play, in, (void *)body);
		break;
	case IPC_SYNC:
		strcpy(sync->epoch, play->stage->store.epoch);
		sync->mail = octet(in);
		sync->room = octet(in);
		sync->max = 1 + octet(in);
		break;
	case IPC_SEND:
	case IPC_BROADCAST:
		snprintf(send->id, sizeof(send->id), "message-number-%03d",
		    octet(in));
		if (type == IPC_SEND)
			choose_name(play, in, send->to);
		break;
	case IPC_ASK:
	case IPC_HANGUP:
	case IPC_BLOCK:
	case IPC_UNBLOCK:
		choose_name(play, in, user->user);
		break;
	case IPC_ANSWER:
		choose_request(play, in, reply->request);
		reply->accept = octet(in) & 1;
		break;
	case IPC_ONLINE:
	case IPC_BLOCKED:
		choose_name(play, in, list->after);
		list->max = 1 + octet(in) % 10;
		break;
	case IPC_PASSWORD:
		choose_password(in, password->old);
		choose_password(in, password->new);
		break;
	default:
		break;
	}
}

/* A frame of the input's choice; its length. */
size_t
compose(
    const struct play *play, struct input *in, enum say what, struct raw *raw)
{
	size_t len, at;

	memset(raw, 0, sizeof(*raw));
	if (what == SAY_RAW) {
		len = octet(in);
		octets(in, raw, len);
		raw->number = play->request_count;
		return len;
	}
	raw->type = types[what];
	raw->number = play->request_count;
	len = ipc_body_len((enum ipc_type)raw->type);
	if (raw->type > IPC_REGISTER)
		choose_token(play, in, raw->body);
	fill(play, in, (enum ipc_type)raw->type, raw->body);
	if (raw->type == IPC_SEND || raw->type == IPC_BROADCAST) {
		raw->tail_len = 1 + octet(in) % 16;
		memset(raw->body + len, 'x', raw->tail_len);
		octets(in, raw->body + len, octet(in) % 16);
		len += raw->tail_len;
	}
	/* Some of it is not as it should be. */
	for (uint8_t wrong = octet(in) / 64; wrong > 0; wrong--) {
		at = (size_t)octet(in) << 8 | octet(in);
		raw->body[at % len] = (char)octet(in);
	}
	return HEAD_LEN + len;
}
