/* SPDX-License-Identifier: ISC */
/*
 * A worker in a stranger's hands against a real store, in one process: it may
 * say anything on two channels, and the harness is its keeper.  Claims that
 * it is never answered for an identity that its channel does not have, and
 * that nothing becomes of those who never were there.  The store lives on
 * from input to input, and begins anew from time to time.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stddef.h>
#include <string.h>
#include <unistd.h>
#include <sys/socket.h>

#include "chatd/store/state.h"
#include "lib/log.h"
#include "lib/unix.h"
#include "fuzz.h"

#define PASSWORD "secret"
#define HASH "hash-of-mallory"
#define NEVER_SAID "for the eyes of bob alone"

enum {
	RUNS = 2000, /* of one store */
	OPS_MAX = 12, /* of one input */
	MALLORY = 1, /* who has an account, and the password */
	BOB, /* has a session */
	CAROL, /* has none */
};

/* The head of a frame, as ipc.c has it. */
struct raw {
	uint32_t type, number, tail_len, zero;
	char body[4096];
};

enum { HEAD_LEN = offsetof(struct raw, body) };

/* What is left of the input. */
struct input {
	const uint8_t *data;
	size_t size;
};

/* One end of a channel, and whether mallory has logged in on it, briefly. */
struct end {
	int fd;
	bool brief;
};

static struct {
	struct store store;
	struct loop_timer now;
	char dir[64];
	int keeper, runs;
	bool said_yes; /* to mallory's password, for the last question */
	char token[WIRE_TOKEN_LEN + 1]; /* of mallory's session; "": none */
	struct end end[2];
	uint64_t buffer[IPC_FRAME_MAX / 8];
} the;

static uint8_t bobs_token[DB_HASH_LEN];

/* ---- the store */

static void
end_of_turn(void *arg)
{
	struct store *store = arg;

	db_commit(store->db);
	jobs_flush(store);
	channels_flush(store);
	knocks_flush(store);
	db_checkpoint(store->db);
	loop_stop(store->loop);
}

static void
do_nothing(void *arg)
{
	(void)arg;
}

/* Takes what waits, and does not wait for more. */
static void
turn(void)
{
	loop_timer(the.store.loop, &the.now, 0, do_nothing, NULL);
	loop_run(the.store.loop);
}

static void
files_clear(void)
{
	DIR *dir = opendir(the.dir);
	struct dirent *entry;

	while (dir != NULL && (entry = readdir(dir)) != NULL)
		unlinkat(dirfd(dir), entry->d_name, 0);
	if (dir != NULL)
		closedir(dir);
}

static void
home_remove(void)
{
	files_clear();
	rmdir(the.dir);
}

static void
home_make(void)
{
	strcpy(the.dir, "/dev/shm/chat-fuzz.XXXXXX");
	if (mkdtemp(the.dir) == NULL) {
		strcpy(the.dir, "/tmp/chat-fuzz.XXXXXX");
		CLAIM(mkdtemp(the.dir) != NULL);
	}
	atexit(home_remove);
	CLAIM(log_open("/dev/null") == 0);
}

static void
store_end(void)
{
	struct store *store = &the.store;

	channels_close(store);
	close(the.keeper);
	turn();
	jobs_free(store->jobs);
	db_close(store->db);
	sessions_free(store->sessions);
	lockouts_free(store->lockouts);
	loop_free(store->loop);
	free(store->frame);
	free(store->reply);
	memset(store, 0, sizeof(*store));
	memset(&the.now, 0, sizeof(the.now));
	files_clear();
}

static void
store_begin(void)
{
	struct store *store = &the.store;
	char why[256];
	int status, pair[2];

	store->rules = (struct rules){.attempts = 3,
	    .block_seconds = 60,
	    .timeout = 90,
	    .lifetime_days = 30,
	    .message_bytes = 1000,
	    .mailbox_messages = 50,
	    .registration = REGISTRATION_OPEN,
	    .room_keep_days = 7};
	store->state_directory = the.dir;
	store->master = store->keeper = -1;
	store->master_watch.fd = store->keeper_watch.fd = -1;
	store->loop = loop_new();
	store->sessions = sessions_new();
	store->lockouts = lockouts_new();
	store->jobs = jobs_new(0);
	store->frame = aligned_alloc(8, IPC_FRAME_MAX);
	store->reply = aligned_alloc(8, IPC_FRAME_MAX);
	store_tick(store);
	store->db = db_open(the.dir, &status, why);
	CLAIM(store->db != NULL);
	db_meta_text(store->db, "epoch", store->epoch, sizeof(store->epoch));
	sessions_load(store->sessions);
	CLAIM(sessions_loaded(store->sessions) == 0);
	CLAIM(unix_pair(pair) == 0 && fd_nonblock(pair[0], true) == 0);
	the.keeper = pair[0];
	jobs_keeper(store, pair[1]);
	loop_after_turn(store->loop, end_of_turn, store);
}

/* Those who have accounts; bob is logged in, and carol has written to him. */
static void
people(void)
{
	static const char *const names[] = {"mallory", "bob", "carol"};
	struct store *store = &the.store;
	struct db_session row = {.user = BOB,
	    .name = "bob",
	    .from = {.family = AF_INET, .ip = {198, 51, 100, 1}},
	    .since = store->wall,
	    .used = store->wall,
	    .online = store->wall};
	struct wire_event event = {.type = EVENT_MESSAGE,
	    .time = store->wall,
	    .user = string_of("carol"),
	    .id = string_of("carols-message-1"),
	    .text = string_of(NEVER_SAID)};
	struct session *session;

	db_write(store->db);
	for (int i = 0; i < 3; i++)
		CLAIM(db_user_add(store->db, names[i],
			  i == 0 ? HASH : "hash-of-others", store->wall,
			  0) == MALLORY + i);
	/* A token that is nowhere but in bob's hands. */
	random_fill(bobs_token, sizeof(bobs_token));
	memcpy(row.token, bobs_token, sizeof(row.token));
	session = session_add(store->sessions, &row, store->now);
	CLAIM(session != NULL);
	session_set_online(store->sessions, session, store->wall, store->now);
	db_session_add(store->db, &row);
	mail_post(store, BOB, CAROL, &event);
	db_commit(store->db);
}

/* Those who never were there are as they were. */
static void
check_others(void)
{
	struct store *store = &the.store;
	const struct session *session = session_by_user(store->sessions, BOB);
	struct db_user user;

	CLAIM(session != NULL && session->online != 0);
	CLAIM(memcmp(session->token, bobs_token, DB_HASH_LEN) == 0);
	CLAIM(session->from.ip[0] == 198 && session->path.port == 0);
	CLAIM(session_by_user(store->sessions, CAROL) == NULL);
	for (int64_t id = BOB; id <= CAROL; id++) {
		CLAIM(db_user_get(store->db, id, &user) == 1);
		CLAIM(strcmp(user.hash, "hash-of-others") == 0);
		CLAIM(user.state == USER_ACTIVE && user.last_login == 0);
		CLAIM(user.mail_ack == 0 && user.room_ack == 0);
		CLAIM(!db_block_standing(store->db, id, MALLORY));
		CLAIM(!db_block_standing(store->db, id, BOB + CAROL - id));
	}
}

/* ---- the keeper */

/* Answers all questions, as the hash and the password have it. */
static bool
keeper(void)
{
	struct ipc_verdict verdict;
	const struct ipc_change *change;
	const struct ipc_check *check;
	struct ipc_frame frame;
	bool any = false;

	while (ipc_receive(the.keeper, ROLE_KEEPER, ROLE_STORE, the.buffer,
		   &frame) == 1) {
		check = frame.body;
		change = frame.body;
		memset(&verdict, 0, sizeof(verdict));
		strcpy(verdict.hash, HASH);
		if (frame.type == IPC_HASH)
			strcpy(verdict.hash, "hash-of-new");
		else if (frame.type == IPC_CHECK)
			the.said_yes = strcmp(check->hash, HASH) == 0 &&
			    strcmp(check->password, PASSWORD) == 0;
		else
			the.said_yes = strcmp(change->hash, HASH) == 0 &&
			    strcmp(change->old, PASSWORD) == 0;
		if (frame.type == IPC_HASH || the.said_yes)
			verdict.verdict = VERDICT_YES;
		CLAIM(ipc_send(the.keeper, IPC_VERDICT, frame.number, &verdict,
			  NULL, 0, -1) == 0);
		any = true;
	}
	return any;
}

/* ---- the worker */

/* The next octet of the input; 0 behind its end. */
static uint8_t
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
choose_token(struct input *in, char *to)
{
	switch (octet(in) % 5) {
	case 0:
		break;
	case 1:
	case 2:
		strcpy(to, the.token);
		break;
	case 3:
		memset(to, 'A', WIRE_TOKEN_LEN);
		break;
	default:
		octets(in, to, WIRE_TOKEN_LEN + 1);
	}
}

static void
choose_name(struct input *in, char *to)
{
	static const char *const names[] = {
	    "mallory", "mallory", "bob", "carol", "nobody", "", "mallory."};
	uint8_t which = octet(in) % 8;

	if (which < 7)
		strcpy(to, names[which]);
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

/* A body that means something, but for the tokens. */
static void
fill(struct input *in, enum ipc_type type, char *body)
{
	struct ipc_login *login = (void *)body;
	struct ipc_register *sign_up = (void *)body;
	struct ipc_sync *sync = (void *)body;
	struct ipc_send_text *send = (void *)body;
	struct ipc_user *user = (void *)body;
	struct ipc_list *list = (void *)body;
	struct ipc_password *password = (void *)body;

	switch (type) {
	case IPC_LOGIN:
		choose_name(in, login->user);
		choose_password(in, login->password);
		login->brief = octet(in) & 1;
		break;
	case IPC_REGISTER:
		choose_name(in, sign_up->user);
		choose_password(in, sign_up->password);
		break;
	case IPC_SYNC:
		strcpy(sync->epoch, the.store.epoch);
		sync->mail = octet(in);
		sync->room = octet(in);
		sync->max = 1 + octet(in);
		break;
	case IPC_SEND:
	case IPC_BROADCAST:
		snprintf(send->id, sizeof(send->id), "message-number-%03d",
		    octet(in));
		choose_name(in, send->to);
		break;
	case IPC_ASK:
	case IPC_HANGUP:
	case IPC_BLOCK:
	case IPC_UNBLOCK:
		choose_name(in, user->user);
		break;
	case IPC_ONLINE:
	case IPC_BLOCKED:
		choose_name(in, list->after);
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
static size_t
compose(struct input *in, uint8_t op, struct raw *raw)
{
	const enum ipc_type kinds = IPC_PASSWORD - IPC_LOGIN + 1;
	size_t len, at;

	memset(raw, 0, sizeof(*raw));
	if (op % 16 == 15) {
		len = octet(in);
		octets(in, raw, len);
		return len;
	}
	raw->type = (uint32_t)IPC_LOGIN + op % 16 % kinds;
	raw->number = 7;
	len = ipc_body_len((enum ipc_type)raw->type);
	if (raw->type > IPC_REGISTER)
		choose_token(in, raw->body);
	fill(in, (enum ipc_type)raw->type, raw->body);
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

/* ---- what it is answered */

/* True if whoever says that on this channel is mallory. */
static bool
is_mallory(const struct end *end, const struct raw *raw)
{
	if (memchr(raw->body, 0, WIRE_TOKEN_LEN + 1) == NULL)
		return false;
	if (raw->body[0] == '\0')
		return end->brief;
	return the.token[0] != '\0' && strcmp(raw->body, the.token) == 0;
}

static void
welcomed(struct end *end, const struct raw *raw, const struct ipc_frame *frame)
{
	const struct ipc_login *login = (const void *)raw->body;
	struct ipc_welcome welcome;

	memcpy(&welcome, frame->body, sizeof(welcome));
	CLAIM(raw->type == IPC_LOGIN && the.said_yes);
	CLAIM(strcmp(login->user, "mallory") == 0);
	CLAIM(strcmp(welcome.user, "mallory") == 0);
	CLAIM((welcome.token[0] == '\0') == (login->brief != 0));
	if (login->brief != 0)
		end->brief = true;
	else
		memcpy(the.token, welcome.token, sizeof(the.token));
}

/* Nobody said anything but mallory, and whom it has made itself. */
static void
check_events(const struct ipc_frame *frame)
{
	struct wire_event event;
	size_t at = 0;

	while (ipc_event_get(frame->tail, frame->tail_len, &at, &event)) {
		if (event.user.s == NULL)
			continue;
		CLAIM(
		    event.user.len != 3 || memcmp(event.user.s, "bob", 3) != 0);
		CLAIM(event.user.len != 5 ||
		    memcmp(event.user.s, "carol", 5) != 0);
	}
}

static void
check_answer(
    struct end *end, const struct raw *raw, const struct ipc_frame *frame)
{
	const struct ipc_register *sign_up = (const void *)raw->body;

	CLAIM(frame->number == raw->number);
	CLAIM(memmem(frame->tail, frame->tail_len, NEVER_SAID,
		  sizeof(NEVER_SAID) - 1) == NULL);
	if (frame->type == IPC_REFUSED)
		return;
	if (frame->type == IPC_WELCOME) {
		welcomed(end, raw, frame);
		return;
	}
	if (raw->type == IPC_REGISTER) {
		CLAIM(frame->type == IPC_DONE);
		CLAIM(strcmp(sign_up->user, "bob") != 0 &&
		    strcmp(sign_up->user, "carol") != 0 &&
		    strcmp(sign_up->user, "mallory") != 0);
		return;
	}
	CLAIM(is_mallory(end, raw));
	/* What wants a session is not for a brief login. */
	CLAIM(raw->body[0] != '\0' ||
	    (raw->type != IPC_SYNC && raw->type != IPC_LIVE &&
		raw->type != IPC_LOGOUT));
	CLAIM(raw->type != IPC_PASSWORD || the.said_yes);
	if (frame->type == IPC_EVENTS)
		check_events(frame);
	if (raw->type == IPC_LOGOUT)
		the.token[0] = '\0';
}

/* Whoever changed the password is in; other logins have ended. */
static void
password_changed(const struct end *end, const struct raw *raw)
{
	for (int i = 0; i < 2; i++)
		if (&the.end[i] != end)
			the.end[i].brief = false;
	if (raw->body[0] == '\0')
		the.token[0] = '\0';
}

/* Says one thing, and hears all that comes of it. */
static void
say(struct end *end, const struct raw *raw, size_t len)
{
	struct iovec part = {(void *)(uintptr_t)raw, len};
	struct ipc_frame frame;

	the.said_yes = false;
	if (unix_send(end->fd, &part, 1, -1) == -1)
		return;
	do
		turn();
	while (keeper());
	/* A wrong password's answer comes by a timer. */
	turn();
	while (ipc_receive(
		   end->fd, ROLE_WORKER, ROLE_STORE, the.buffer, &frame) == 1) {
		check_answer(end, raw, &frame);
		if (frame.type == IPC_DONE && raw->type == IPC_PASSWORD)
			password_changed(end, raw);
	}
	/* And nothing on the other one. */
	CLAIM(ipc_receive(the.end[end == the.end].fd, ROLE_WORKER, ROLE_STORE,
		  the.buffer, &frame) != 1);
}

static void
begin(void)
{
	/* Limits of rate would end the run before it finds anything. */
	static const struct ipc_serve serve = {
	    .from = {.family = AF_INET, .ip = {203, 0, 113, 9}},
	    .exempt = true,
	};
	struct store *store = &the.store;
	struct lockout *lock;
	int pair[2];

	if (the.runs++ % RUNS == 0) {
		if (the.dir[0] == '\0')
			home_make();
		else
			store_end();
		store_begin();
		people();
	}
	store_tick(store);
	/* Who is locked out finds nothing more. */
	lock = lockout_find(store->lockouts, "mallory");
	if (lock != NULL)
		lockout_drop(store->lockouts, lock);
	the.token[0] = '\0';
	for (int i = 0; i < 2; i++) {
		CLAIM(unix_pair(pair) == 0 && fd_nonblock(pair[0], true) == 0);
		CLAIM(channel_open(store, pair[1], (uint32_t)i + 1, &serve) !=
		    NULL);
		the.end[i] = (struct end){.fd = pair[0]};
	}
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct input in = {data, size};
	static struct raw raw;
	size_t len;
	uint8_t op;

	begin();
	for (int i = 0; i < OPS_MAX && in.size > 0; i++) {
		op = octet(&in);
		len = compose(&in, op, &raw);
		say(&the.end[op >> 7], &raw, len);
	}
	check_others();
	close(the.end[0].fd);
	close(the.end[1].fd);
	turn();
	CLAIM(the.store.channel_count == 0);
	return 0;
}
