/* SPDX-License-Identifier: ISC */
/*
 * Whether an answer of the store's may be: each is that of whoever asked, as
 * the channel and the token have it, and no other.
 */
#include <string.h>

#include "chatd/store/invite.h"
#include "store-play.h"

int
owned_find(const struct play *play, const char *name)
{
	for (int i = 0; i < play->owned_count; i++)
		if (strcmp(play->owned[i].name, name) == 0)
			return i;
	return NOBODY;
}

static const struct token *
token_find(const struct play *play, const struct raw *raw)
{
	for (int i = 0; i < play->token_count; i++)
		if (memcmp(play->token[i].text, raw->body,
			WIRE_TOKEN_LEN + 1) == 0)
			return &play->token[i];
	return NULL;
}

/* Ends the logins of one name but for that token, that channel. */
static void
logins_end(struct play *play, int owner, const struct token *but,
    const struct end *end)
{
	for (int i = 0; i < play->token_count; i++)
		if (play->token[i].owner == owner && &play->token[i] != but)
			play->token[i].alive = false;
	for (int i = 0; end != NULL && i < ENDS; i++)
		if (&play->end[i] != end && play->end[i].brief == owner)
			play->end[i].brief = NOBODY;
}

/*
 * Who asks: NOBODY who could not when it was said, nor now.  Whatever was
 * said on two channels at once may have come in either order.
 */
static int
who_asks(const struct play *play, const struct end *end,
    const struct request *request)
{
	const struct token *token = token_find(play, &request->raw);

	if (request->raw.body[0] == '\0')
		return end->brief != NOBODY ? end->brief : request->brief;
	return token != NULL && (token->alive || request->alive) ? token->owner
								 : NOBODY;
}

static bool
user_of(const struct play *play, int owner, struct db_user *user)
{
	return owner != NOBODY &&
	    db_user_find(
		play->stage->store.db, play->owned[owner].name, user) == 1;
}

void
request_note(const struct play *play, struct request *request)
{
	const struct token *token = token_find(play, &request->raw);
	struct db_user user;

	request->brief = play->end[request->end].brief;
	request->alive = token != NULL && token->alive;
	request->mail = 0;
	if (user_of(
		play, who_asks(play, &play->end[request->end], request), &user))
		request->mail = user.mail_head;
}

static void
mask(char *to, const char *from, size_t len)
{
	for (size_t i = 0; i < len; i++)
		to[i] = (char)(from[i] ^ 0x55);
}

/*
 * Looks for it masked: libFuzzer listens to what memmem(3) looks for, and
 * would have mallory say it.
 */
static bool
holds(const struct ipc_frame *frame, const char *secret)
{
	static char in[IPC_FRAME_MAX], what[128];
	const char *body = frame->body;
	size_t len = (size_t)(frame->tail - body) + frame->tail_len;

	CLAIM(strlen(secret) < sizeof(what));
	mask(in, body, len);
	mask(what, secret, strlen(secret));
	return memmem(in, len, what, strlen(secret)) != NULL;
}

/* What nobody of mallory's may read. */
static void
check_secrets(const struct play *play, const struct ipc_frame *frame, int who)
{
	CLAIM(!holds(frame, NEVER_SAID));
	CLAIM(!holds(frame, play->stage->token));
	CLAIM(!holds(frame, play->stage->pass));
	CLAIM(!holds(frame, play->stage->link) &&
	    !holds(frame, play->stage->question));
	CLAIM(!holds(frame, play->stage->peer[CAROL].fingerprint));
	if (who != NOBODY && play->owned[who].opened)
		return;
	CLAIM(!holds(frame, BOBS_HOST));
	CLAIM(!holds(frame, play->stage->peer[BOB].fingerprint));
}

static void
welcomed(struct play *play, struct end *end, const struct raw *raw,
    const struct ipc_frame *frame)
{
	const struct ipc_login *login = (const void *)raw->body;
	struct ipc_welcome welcome;
	struct db_user user;
	int owner;

	memcpy(&welcome, frame->body, sizeof(welcome));
	CLAIM(raw->type == IPC_LOGIN && play->yes.type == IPC_CHECK);
	CLAIM((owner = owned_find(play, login->user)) != NOBODY);
	CLAIM(strcmp(welcome.user, login->user) == 0);
	CLAIM(strcmp(login->password, PASSWORD) == 0);
	/* What the keeper said was about this one's hash. */
	CLAIM(user_of(play, owner, &user) &&
	    strcmp(user.hash, play->yes.hash) == 0);
	CLAIM((welcome.token[0] == '\0') == (login->brief != 0));
	CLAIM(welcome.beacon == 0 || welcome.beacon == login->beacon.id);
	if (login->brief != 0) {
		end->brief = owner;
		return;
	}
	logins_end(play, owner, NULL, NULL);
	CLAIM(play->token_count < OPS_MAX);
	memcpy(play->token[play->token_count].text, welcome.token,
	    sizeof(welcome.token));
	play->token[play->token_count].owner = owner;
	play->token[play->token_count++].alive = true;
}

static void
registered(struct play *play, const struct raw *raw)
{
	const struct ipc_register *sign_up = (const void *)raw->body;
	uint8_t hash[DB_HASH_LEN], good[DB_HASH_LEN];
	struct db_user user;

	CLAIM(play->yes.type == IPC_HASH);
	CLAIM(owned_find(play, sign_up->user) == NOBODY);
	CLAIM(strcmp(sign_up->user, "bob") != 0 &&
	    strcmp(sign_up->user, "carol") != 0);
	if (play->stage->store.rules.registration == REGISTRATION_INVITE) {
		invite_hash(sign_up->invite, hash);
		invite_hash(INVITE, good);
		CLAIM(memcmp(hash, good, sizeof(hash)) == 0);
		CLAIM(++play->invited == 1);
	}
	CLAIM(play->owned_count <= OPS_MAX);
	CLAIM(db_user_find(play->stage->store.db, sign_up->user, &user) == 1);
	/* Their numbers tell whose they are. */
	stage_number("UPDATE users SET mail_head = ?2 WHERE id = ?1", user.id,
	    (int64_t)play->owned_count * OWNED_MAIL, NULL);
	strcpy(play->owned[play->owned_count++].name, sign_up->user);
}

static void
check_head(const struct play *play, const struct request *request, int64_t head,
    int who)
{
	struct db_user user;

	CLAIM(user_of(play, who, &user));
	CLAIM(head >= request->mail && head >= (int64_t)who * OWNED_MAIL &&
	    head <= user.mail_head);
}

/* Who is meant by it, and who may be. */
static void
check_event(struct play *play, const struct wire_event *event, int who)
{
	char name[NAME_MAX_LEN + 1] = "";
	bool bobs;

	if (event->type == EVENT_NOTICE)
		return;
	CLAIM(event->user.len <= NAME_MAX_LEN);
	memcpy(name, event->user.s, event->user.len);
	bobs = strcmp(name, "bob") == 0;
	CLAIM(bobs || owned_find(play, name) != NOBODY ||
	    (strcmp(name, "carol") == 0 && event->type == EVENT_DECLINED));
	/* Of the room log one reads what others did. */
	CLAIM(!wire_event_in_room(event->type) ||
	    strcmp(name, play->owned[who].name) != 0);
	if (event->type == EVENT_ASK || event->type == EVENT_ADDRESS) {
		CLAIM(strcmp(name, play->owned[who].name) != 0);
		CLAIM(!bobs || play->owned[who].opened);
		CLAIM(!bobs || event->type != EVENT_ASK ||
		    play->owned[who].asked);
		if (play->heard_count < OPS_MAX &&
		    event->id.len == WIRE_REQUEST_LEN)
			memcpy(play->heard[play->heard_count++], event->id.s,
			    WIRE_REQUEST_LEN);
	} else {
		CLAIM(!bobs || event->type == EVENT_DECLINED ||
		    event->type == EVENT_HANGUP);
	}
}

static void
check_events(struct play *play, const struct request *request,
    const struct ipc_frame *frame, int who)
{
	const struct ipc_sync *sync = (const void *)request->raw.body;
	struct ipc_events events;
	struct wire_event event;
	struct db_user user;
	size_t at = 0;
	int count = 0;

	memcpy(&events, frame->body, sizeof(events));
	CLAIM(user_of(play, who, &user) && events.mail <= user.mail_head);
	CLAIM(events.more || events.mail >= request->mail);
	while (ipc_event_get(frame->tail, frame->tail_len, &at, &event)) {
		count++;
		check_event(play, &event, who);
		CLAIM(event.number >
		    (wire_event_in_room(event.type) ? sync->room : sync->mail));
		CLAIM(wire_event_in_room(event.type) ||
		    (event.number > (int64_t)who * OWNED_MAIL &&
			event.number <= user.mail_head));
	}
	CLAIM(count == events.count && count <= sync->max);
}

/* What was accepted stands where it should, in the sender's name. */
static void
check_text(const struct play *play, const struct raw *raw, int who)
{
	static const char mail[] =
	    "SELECT count(*) FROM mail WHERE user_id IN (2, 3) AND other = ?1"
	    " AND name = (SELECT name FROM users WHERE id = ?1) AND id = ?3"
	    " AND user_id = ?2";
	static const char room[] =
	    "SELECT count(*) FROM room WHERE user_id = ?1 AND type = "
	    "'broadcast'"
	    " AND name = (SELECT name FROM users WHERE id = ?1) AND id = ?3"
	    " AND n > ?2";
	const struct ipc_send_text *send = (const void *)raw->body;
	struct db_user user, to;

	CLAIM(user_of(play, who, &user));
	if (raw->type == IPC_BROADCAST) {
		CLAIM(stage_number(room, user.id, 0, send->id) == 1);
		return;
	}
	CLAIM(db_user_find(play->stage->store.db, send->to, &to) == 1);
	/* Others may have read theirs already. */
	if (to.id == BOB || to.id == CAROL)
		CLAIM(stage_number(mail, user.id, to.id, send->id) == 1);
}

static void
check_names(const struct play *play, const struct raw *raw,
    const struct ipc_frame *frame, int who)
{
	static const char blocks[] =
	    "SELECT count(*) FROM block WHERE owner = ?1 AND ?2 = 0 AND"
	    " target = (SELECT id FROM users WHERE name = ?3)";
	const struct ipc_list *list = (const void *)raw->body;
	char name[NAME_MAX_LEN + 1];
	struct db_user user, other;
	size_t at = 0;
	int64_t since;
	int count = 0;

	CLAIM(user_of(play, who, &user));
	while (ipc_name_get(frame->tail, frame->tail_len, &at, name, &since)) {
		CLAIM(++count <= list->max && strcmp(name, list->after) > 0);
		CLAIM(strcmp(name, user.name) != 0);
		CLAIM(db_user_find(play->stage->store.db, name, &other) == 1);
		/* In whatever order, it was so. */
		CLAIM(raw->type == IPC_ONLINE
			? other.id <= CAROL || owned_find(play, name) != NOBODY
			: stage_number(blocks, user.id, 0, name) > 0);
	}
}

static void
check_asked(struct play *play, const struct raw *raw,
    const struct ipc_frame *frame, int who)
{
	const struct ipc_user *user = (const void *)raw->body;
	const struct session *self, *other;
	struct ipc_asked asked;
	struct link *link;
	struct db_user db_user;

	memcpy(&asked, frame->body, sizeof(asked));
	if (play->heard_count < OPS_MAX)
		strcpy(play->heard[play->heard_count++], asked.request);
	CLAIM(user_of(play, who, &db_user));
	self = session_by_user(play->stage->store.sessions, db_user.id);
	if (self == NULL)
		return;
	link = link_by_request(self, asked.request, WIRE_REQUEST_LEN);
	if (link == NULL)
		return;
	other = link->end[!link_role(link, self)].session;
	CLAIM(strcmp(other->name, user->user) == 0);
}

/* An address is that of one who agreed. */
static void
check_answered(const struct play *play, const struct ipc_frame *frame, int who)
{
	static const struct ipc_answered no;
	struct ipc_answered answered;

	memcpy(&answered, frame->body, sizeof(answered));
	if (!answered.accepted) {
		CLAIM(memcmp(&answered, &no, sizeof(no)) == 0);
		return;
	}
	CLAIM(strcmp(answered.user, play->owned[who].name) != 0);
	if (strcmp(answered.user, "bob") == 0) {
		CLAIM(play->owned[who].opened);
		CLAIM(strcmp(answered.host, BOBS_HOST) == 0);
	} else {
		CLAIM(owned_find(play, answered.user) != NOBODY);
		CLAIM(strcmp(answered.host, MALLORYS_HOST) == 0);
	}
}

/* What was done is over, or begins. */
static void
done(struct play *play, struct end *end, const struct raw *raw, int who)
{
	const struct token *token = token_find(play, raw);

	if (raw->type == IPC_LOGOUT) {
		CLAIM(token != NULL);
		play->token[token - play->token].alive = false;
	} else if (raw->type == IPC_PASSWORD) {
		CLAIM(play->yes.type == IPC_CHANGE);
		logins_end(play, who, token, end);
	}
}

/* What wants a session is not for a brief login. */
static bool
for_brief(enum ipc_type type)
{
	return type != IPC_LOGOUT && type != IPC_LIVE && type != IPC_SYNC &&
	    type != IPC_ASK && type != IPC_ANSWER && type != IPC_HANGUP;
}

void
check_answer(struct play *play, struct end *end, const struct request *request,
    const struct ipc_frame *frame)
{
	const struct raw *raw = &request->raw;
	int who = NOBODY;

	if (raw->type > IPC_REGISTER)
		who = who_asks(play, end, request);
	check_secrets(play, frame, who);
	play->reached |= UINT64_C(1) << frame->type;
	if (frame->type == IPC_REFUSED)
		return;
	if (frame->type == IPC_WELCOME) {
		welcomed(play, end, raw, frame);
		return;
	}
	if (raw->type == IPC_REGISTER) {
		CLAIM(frame->type == IPC_DONE);
		registered(play, raw);
		return;
	}
	CLAIM(who != NOBODY);
	CLAIM(raw->body[0] != '\0' || for_brief((enum ipc_type)raw->type));
	switch (frame->type) {
	case IPC_DONE:
		done(play, end, raw, who);
		break;
	case IPC_HEADS:
		check_head(play, request,
		    ((const struct ipc_heads *)frame->body)->mail, who);
		break;
	case IPC_EVENTS:
		check_events(play, request, frame, who);
		break;
	case IPC_SENT:
	case IPC_SPREAD:
		check_text(play, raw, who);
		break;
	case IPC_NAMES:
		check_names(play, raw, frame, who);
		break;
	case IPC_ASKED:
		check_asked(play, raw, frame, who);
		break;
	default:
		CLAIM(frame->type == IPC_ANSWERED);
		check_answered(play, frame, who);
	}
}
