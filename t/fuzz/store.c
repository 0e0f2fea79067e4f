/* SPDX-License-Identifier: ISC */
/*
 * A worker in a stranger's hands against a real store, in one process: it may
 * say anything on two channels, for mallory and for whom she registers, and
 * the harness is its keeper, and bob.  Claims that each answer is that of
 * whoever asks, that nobody learns where bob is unless he agreed, and that
 * nothing becomes of those who never were there.  Each input finds the same.
 */
#include <poll.h>
#include <string.h>
#include <unistd.h>
#include <sys/socket.h>

#include "lib/unix.h"
#include "store-play.h"

static uint64_t reached; /* by the last input */
static int wanted = NOBODY; /* which of them an input is made for */

bool
fuzz_understood(void)
{
	return wanted == NOBODY ? (reached & ~(1ULL << IPC_REFUSED)) != 0
				: (reached >> wanted & 1) != 0;
}

/* ---- the keeper */

/* Takes questions, to be answered when the input likes. */
static void
keeper_read(struct play *play)
{
	struct stage *stage = play->stage;
	static uint64_t buffer[IPC_FRAME_MAX / 8];
	const struct ipc_change *change;
	const struct ipc_check *check;
	struct question *question;
	struct ipc_frame frame;

	while (ipc_receive(stage->keeper, ROLE_KEEPER, ROLE_STORE, buffer,
		   &frame) == 1) {
		CLAIM(play->question_count < ENDS);
		question = &play->question[play->question_count++];
		memset(question, 0, sizeof(*question));
		question->type = frame.type;
		question->number = frame.number;
		check = frame.body;
		change = frame.body;
		if (frame.type == IPC_CHECK) {
			strcpy(question->hash, check->hash);
			question->right =
			    strcmp(check->password, PASSWORD) == 0;
		} else if (frame.type == IPC_CHANGE) {
			strcpy(question->hash, change->hash);
			question->right = strcmp(change->old, PASSWORD) == 0;
		}
		question->right &=
		    strncmp(question->hash, HASH, strlen(HASH)) == 0;
		if (frame.type == IPC_HASH)
			question->right = true;
	}
}

/* Answers one of them, mostly as the hash and the password have it. */
static void
keeper_answer(struct play *play, struct input *in)
{
	int which = octet(in) % play->question_count;
	struct question question = play->question[which];
	struct ipc_verdict verdict = {.verdict = VERDICT_NO};
	uint8_t how = octet(in) % 8;

	play->question[which] = play->question[--play->question_count];
	memset(&play->yes, 0, sizeof(play->yes));
	play->yes.type = IPC_COUNT_OF_TYPES;
	if (how > 5) {
		verdict.verdict = how == 6 ? VERDICT_FAULT : VERDICT_BUSY;
	} else if (question.right) {
		verdict.verdict = VERDICT_YES;
		play->yes = question;
		/* No hash is made twice. */
		if (question.type != IPC_CHECK)
			snprintf(verdict.hash, sizeof(verdict.hash), HASH "%d",
			    ++play->hashes);
	}
	CLAIM(ipc_send(play->stage->keeper, IPC_VERDICT, question.number,
		  &verdict, NULL, 0, -1) == 0);
}

/* ---- who listens */

/* Bob is told only of those whom he has agreed with, or who have with him. */
static void
bob_hears(struct play *play, const struct ipc_frame *frame)
{
	struct ipc_answered answered;

	if (frame->type != IPC_ANSWERED)
		return;
	memcpy(&answered, frame->body, sizeof(answered));
	CLAIM(!answered.accepted || owned_find(play, answered.user) != NOBODY);
}

/* What one of mallory's ends is told. */
static void
end_hears(struct play *play, int which, const struct ipc_frame *frame)
{
	struct end *end = &play->end[which];
	struct request *request;

	/* One answer each, in order, on the same channel. */
	CLAIM(frame->number > end->last);
	CLAIM(frame->number <= play->request_count);
	end->last = frame->number;
	request = &play->request[frame->number - 1];
	CLAIM(request->end == which);
	check_answer(play, end, request, frame);
}

/* Takes all that has come, also what the keeper is asked; false for nothing. */
static bool
hear(struct play *play)
{
	static uint64_t buffer[IPC_FRAME_MAX / 8];
	struct pollfd ready[ENDS + 2];
	struct ipc_frame frame;
	int fd;

	for (int i = 0; i < ENDS; i++)
		ready[i] = (struct pollfd){play->end[i].fd, POLLIN, 0};
	ready[ENDS] = (struct pollfd){play->bob, POLLIN, 0};
	ready[ENDS + 1] = (struct pollfd){play->stage->keeper, POLLIN, 0};
	if (poll(ready, ENDS + 2, 0) == 0)
		return false;
	if (ready[ENDS + 1].revents != 0)
		keeper_read(play);
	for (int i = 0; i <= ENDS; i++) {
		fd = ready[i].fd;
		while (ready[i].revents != 0 &&
		    ipc_receive(fd, ROLE_WORKER, ROLE_STORE, buffer, &frame) ==
			1) {
			if (i == ENDS)
				bob_hears(play, &frame);
			else
				end_hears(play, i, &frame);
		}
		/* One that was closed would be ready for ever. */
		if (i < ENDS && (ready[i].revents & POLLHUP) != 0) {
			close(fd);
			play->end[i].fd = -1;
		}
	}
	return true;
}

/* Until nothing happens any more by itself, for at least so many turns. */
static void
settle(struct play *play, int turns)
{
	for (int i = 0, left = turns; left > 0; i++) {
		CLAIM(i < TURNS_MAX);
		stage_turn();
		if (hear(play))
			left = turns;
		else
			left--;
	}
}

static void
settle_all(struct play *play, struct input *in)
{
	settle(play, 1);
	while (play->question_count > 0) {
		keeper_answer(play, in);
		/* A refusal comes by a timer, one turn later. */
		settle(play, 2);
	}
}

/* ---- who acts */

static void
say(struct play *play, struct input *in, enum say what, int end)
{
	struct request *request = &play->request[play->request_count++];
	struct iovec part;

	memset(request, 0, sizeof(*request));
	request->end = end;
	part.iov_base = &request->raw;
	part.iov_len = compose(play, in, what, &request->raw);
	request_note(play, request);
	/* A channel that was closed takes nothing. */
	if (play->end[end].fd != -1)
		unix_send(play->end[end].fd, &part, 1, -1);
}

/* Bob says what he thinks of the first question that mallory's have for him. */
static void
bob_answers(struct play *play, bool accept)
{
	const struct session *bob =
	    session_by_user(play->stage->store.sessions, BOB);
	struct ipc_answer ask = {.accept = accept};
	const struct link *link;
	int owner;

	strcpy(ask.auth.token, play->stage->token);
	for (link = bob->links; link != NULL; link = link_next(link, bob)) {
		owner = owned_find(play, link->end[LINK_ASKER].session->name);
		if (link->state != LINK_OPEN || owner == NOBODY)
			continue;
		if (accept)
			play->owned[owner].opened = true;
		strcpy(ask.request, link->request);
		CLAIM(
		    ipc_send(play->bob, IPC_ANSWER, 1, &ask, NULL, 0, -1) == 0);
		return;
	}
}

/* Bob asks one of mallory's: whoever agrees may know where he is. */
static void
bob_asks(struct play *play, uint8_t which)
{
	struct owned *owned = &play->owned[which % play->owned_count];
	struct ipc_user ask = {0};

	strcpy(ask.auth.token, play->stage->token);
	strcpy(ask.user, owned->name);
	owned->asked = owned->opened = true;
	CLAIM(ipc_send(play->bob, IPC_ASK, 1, &ask, NULL, 0, -1) == 0);
}

/* Where bob is called: a port of ours, or 0. */
static uint16_t
bobs_port(const struct play *play)
{
	const struct session *bob =
	    session_by_user(play->stage->store.sessions, BOB);

	return bob->path.port != 0 ? bob->path.from.port : 0;
}

/*
 * What has come by datagram: knocks to where bob is or was, and answers to
 * one place; how many answers.
 */
static int
places_hear(struct play *play, int place, uint16_t was)
{
	const struct stage *stage = play->stage;
	uint8_t got[BEACON_LEN + 1];
	struct beacon beacon;
	int answers = 0;
	ssize_t size;

	for (int i = 0; i < PLACES; i++) {
		while (
		    (size = recv(stage->place[i], got, sizeof(got), 0)) >= 0) {
			CLAIM(beacon_decode(got, (size_t)size, &beacon));
			CLAIM(beacon_verify(stage->store.beacons.mac,
			    stage->beacon.keys.centre, got));
			play->echo[i] = beacon.echo;
			if (beacon.type == BEACON_KNOCK) {
				CLAIM(stage->port[i] == was ||
				    stage->port[i] == bobs_port(play));
				continue;
			}
			CLAIM(i == place);
			answers++;
		}
	}
	return answers;
}

/*
 * A datagram for bob's session: his own or nearly so, again or anew, from
 * where he was told the echo or from elsewhere.  Nothing but what is whole
 * and new is answered, once; nothing but that, with the echo of that very
 * place, moves him.
 */
static void
datagram(struct play *play, struct input *in)
{
	const struct stage *stage = play->stage;
	const struct session *bob = session_by_user(stage->store.sessions, BOB);
	struct beacon_window window = bob->window;
	uint8_t how = octet(in), wrong = octet(in), out[BEACON_LEN];
	int place = how & 1;
	struct beacon live = {.type = how & 4 ? BEACON_KNOCK : BEACON_LIVE,
	    .id = stage->beacon.id,
	    .counter = play->counter + octet(in) % 4,
	    .echo = play->echo[how >> 1 & 1]};
	const uint8_t *key =
	    how & 8 ? stage->beacon.keys.centre : stage->beacon.keys.client;
	uint16_t was = bobs_port(play), port = was;
	bool good;

	CLAIM(places_hear(play, NOBODY, was) == 0);
	CLAIM(beacon_encode(stage->store.beacons.mac, key, &live, out));
	if (how & 0x10)
		out[wrong % BEACON_LEN] ^= 1;
	good = (how & 0x3c) == 0 && beacon_take(&window, live.counter);
	if (good && live.counter > play->counter)
		play->counter = live.counter;
	if (good && live.echo != 0 && live.echo == play->echo[place])
		port = stage->port[place];
	stage_datagram(
	    place, out, how & 0x20 ? wrong % BEACON_LEN : BEACON_LEN);
	settle(play, 1);
	CLAIM(bobs_port(play) == port);
	CLAIM(places_hear(play, place, was) == (good ? 1 : 0));
}

/* ---- */

static void
begin(struct play *play, uint8_t how)
{
	memset(play, 0, sizeof(*play));
	play->stage =
	    stage_begin(how & 1 ? REGISTRATION_INVITE : REGISTRATION_OPEN);
	strcpy(play->owned[0].name, "mallory");
	play->owned_count = 1;
	play->yes.type = IPC_COUNT_OF_TYPES;
	for (int i = 0; i < ENDS; i++)
		play->end[i] = (struct end){
		    .fd = stage_channel((uint32_t)i + 1, MALLORYS_HOST),
		    .brief = NOBODY};
	play->bob = stage_channel(ENDS + 1, BOBS_HOST);
}

static void
end(struct play *play, struct input *in)
{
	settle_all(play, in);
	CLAIM(jobs_under_way(&play->stage->store) == 0);
	stage_check();
	for (int i = 0; i < ENDS; i++)
		if (play->end[i].fd != -1)
			close(play->end[i].fd);
	close(play->bob);
	stage_turn();
	CLAIM(play->stage->store.channel_count == 0);
}

/* What an octet of the input stands for. */
static void
act(struct play *play, struct input *in, uint8_t op)
{
	enum say what = (op & 0x1f) % SAY_COUNT;

	switch (what) {
	case BOB_ANSWERS:
		bob_answers(play, octet(in) % 4 != 0);
		break;
	case BOB_ASKS:
		bob_asks(play, octet(in));
		break;
	case DATAGRAM:
		settle_all(play, in);
		datagram(play, in);
		break;
	default:
		say(play, in, what, op & SAY_OTHER ? 1 : 0);
	}
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct input in = {data, size};
	static struct play play;
	int ahead = 0;
	uint8_t op;

	begin(&play, octet(&in));
	for (int i = 0; i < OPS_MAX && in.size > 0; i++) {
		op = octet(&in);
		act(&play, &in, op);
		if ((op & SAY_ON) && ++ahead < AHEAD_MAX)
			continue;
		ahead = 0;
		settle_all(&play, &in);
	}
	end(&play, &in);
	reached = play.reached;
	return 0;
}

/* ---- the corpus */

#define TOKEN 1 /* the newest */
#define BRIEF 0 /* none */
#define RIGHT 1 /* a password */
#define WELL 0 /* nothing of it is wrong */
#define TRULY 0, 0 /* the keeper, to the first question */
#define LOGIN(more, name) SAY_LOGIN | (more), name, RIGHT, 0, 0, 0, WELL
#define LOGIN_BRIEF(more, name) SAY_LOGIN | (more), name, RIGHT, 1, 0, 0, WELL
#define REGISTER(name) SAY_REGISTER, name, RIGHT, 1, WELL
#define NAMED(what, token, name) what, token, name, WELL
#define SEND(more, token, name) SAY_SEND | (more), token, 7, name, 2, 0, WELL
#define SYNC(token) SAY_SYNC, token, 0, 0, 99, WELL
#define SAID(...) \
	(const uint8_t[]){__VA_ARGS__}, sizeof((const uint8_t[]){__VA_ARGS__})

static const struct script {
	const char *name;
	enum ipc_type reaches;
	const uint8_t *octets;
	size_t len;
} scripts[] = {
    {"session", IPC_HEADS,
	SAID(0, LOGIN(0, NAME_OWNED), TRULY, SAY_LIVE, TOKEN, WELL)},
    {"brief", IPC_SENT,
	SAID(0, LOGIN_BRIEF(0, NAME_OWNED), TRULY, SEND(0, BRIEF, NAME_BOB),
	    SAY_LIVE, BRIEF, WELL)},
    {"other-channel", IPC_SENT,
	SAID(0, LOGIN(0, NAME_OWNED), TRULY, SEND(SAY_OTHER, TOKEN, NAME_BOB),
	    SEND(SAY_OTHER, BRIEF, NAME_BOB))},
    {"registered", IPC_HEADS,
	SAID(0, REGISTER(NAME_EVE), TRULY, LOGIN(0, NAME_OWNED), TRULY,
	    LOGIN(SAY_OTHER, NAME_OWNED + 1), TRULY,
	    SEND(0, TOKEN + 1, NAME_OWNED + 1), SYNC(TOKEN), SAY_LIVE, TOKEN,
	    WELL)},
    {"two-at-once", IPC_SPREAD,
	SAID(0, REGISTER(NAME_EVE), TRULY, LOGIN_BRIEF(SAY_ON, NAME_OWNED),
	    LOGIN_BRIEF(SAY_OTHER, NAME_OWNED + 1), 1, 0, 0, 0,
	    SEND(SAY_ON, BRIEF, NAME_CAROL), SAY_BROADCAST | SAY_OTHER, BRIEF,
	    8, 2, 0, WELL)},
    {"invited", IPC_DONE,
	SAID(1, REGISTER(NAME_EVE), TRULY, REGISTER(NAME_NOBODY), TRULY)},
    {"wrong", IPC_REFUSED,
	SAID(0, SAY_LOGIN, NAME_BOB, RIGHT, 0, 0, 0, WELL, TRULY)},
    {"password", IPC_DONE,
	SAID(0, LOGIN(0, NAME_OWNED), TRULY, SAY_PASSWORD, TOKEN, RIGHT, RIGHT,
	    WELL, TRULY, SAY_LOGOUT, TOKEN, WELL)},
    {"password-elsewhere", IPC_DONE,
	SAID(0, LOGIN_BRIEF(0, NAME_OWNED), TRULY, LOGIN(SAY_OTHER, NAME_OWNED),
	    TRULY, SAY_PASSWORD, TOKEN, RIGHT, RIGHT, WELL, TRULY,
	    SAY_PASSWORD | SAY_OTHER, TOKEN, RIGHT, RIGHT, WELL, TRULY,
	    SEND(0, BRIEF, NAME_BOB))},
    {"people", IPC_NAMES,
	SAID(0, LOGIN(0, NAME_OWNED), TRULY, NAMED(SAY_BLOCK, TOKEN, NAME_BOB),
	    SAY_BLOCKED, TOKEN, NAME_NOBODY + 1, 9, WELL, SAY_ONLINE, TOKEN,
	    NAME_NOBODY + 1, 9, WELL, NAMED(SAY_UNBLOCK, TOKEN, NAME_BOB))},
    {"ask", IPC_ASKED,
	SAID(0, LOGIN(0, NAME_OWNED), TRULY, NAMED(SAY_ASK, TOKEN, NAME_BOB),
	    SAY_ANSWER, TOKEN, 2, 1, WELL, SYNC(TOKEN))},
    {"ask-agreed", IPC_EVENTS,
	SAID(0, LOGIN(0, NAME_OWNED), TRULY, NAMED(SAY_ASK, TOKEN, NAME_BOB),
	    BOB_ANSWERS, 1, SYNC(TOKEN), NAMED(SAY_HANGUP, TOKEN, NAME_BOB))},
    {"asked", IPC_ANSWERED,
	SAID(0, LOGIN(0, NAME_OWNED), TRULY, BOB_ASKS, 0, SYNC(TOKEN),
	    SAY_ANSWER, TOKEN, 2, 1, WELL)},
    {"question-of-others", IPC_WELCOME,
	SAID(0, LOGIN(0, NAME_OWNED), TRULY, SAY_ANSWER, TOKEN, 0, 1, WELL,
	    SAY_ANSWER, TOKEN, 1, 1, WELL)},
    {"ask-each-other", IPC_ANSWERED,
	SAID(0, REGISTER(NAME_EVE), TRULY, LOGIN(0, NAME_OWNED), TRULY,
	    LOGIN(SAY_OTHER, NAME_OWNED + 1), TRULY,
	    NAMED(SAY_ASK, TOKEN, NAME_OWNED), SAY_ANSWER, TOKEN + 1, 2, 1,
	    WELL, SYNC(TOKEN))},
    {"path", IPC_SENT,
	SAID(0, DATAGRAM, 0, 0, 1, DATAGRAM, 0, 0, 1, DATAGRAM, 3, 0, 1,
	    DATAGRAM, 1, 0, 1, DATAGRAM, 3, 0, 1, DATAGRAM, 3, 0, 0,
	    LOGIN(0, NAME_OWNED), TRULY, SEND(0, TOKEN, NAME_BOB))},
    {"flipped", IPC_WELCOME,
	SAID(0, LOGIN(0, NAME_OWNED), TRULY, SAY_LIVE, TOKEN, 64, 0, 3, 'x')},
};

size_t
fuzz_seed(unsigned n, uint8_t *out, size_t size, const char **name)
{
	wanted = NOBODY;
	if (n >= sizeof(scripts) / sizeof(*scripts))
		return 0;
	CLAIM(scripts[n].len <= size);
	wanted = (int)scripts[n].reaches;
	*name = scripts[n].name;
	memcpy(out, scripts[n].octets, scripts[n].len);
	return scripts[n].len;
}
