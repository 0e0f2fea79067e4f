/* SPDX-License-Identifier: ISC */
/*
 * A real store: who may ask, from login to verdict, keepers that die, what is
 * charged, what is read of an old room log.
 */
#include "chatd/store/job.h"
#include "store-stage.h"

/* ---- who has not logged in */

static void
test_nobody(void)
{
	struct ipc_auth none = {""}, guess;
	int fd = worker(), other = worker(), third = worker();

	memset(guess.token, 'a', sizeof(guess.token));
	login(other, "alice", true);
	ask_send(fd, &none, "bob");
	is_number(
	    hear_error(fd), ERR_NOT_ALLOWED, "without a login nothing is sent");
	ask(fd, IPC_ONLINE, &(struct ipc_list){.max = 9}, NULL);
	is_number(hear_error(fd), ERR_NOT_ALLOWED, "nobody is listed");
	ask(fd, IPC_PASSWORD, &(struct ipc_password){.new = "x"}, NULL);
	is_number(hear_error(fd), ERR_NOT_ALLOWED, "no password is changed");
	ask(fd, IPC_SYNC, &(struct ipc_sync){.max = 9}, NULL);
	is_number(hear_error(fd), ERR_NOT_ALLOWED, "no mail is read");
	ask(fd, IPC_LOGOUT, &none, NULL);
	is_number(hear_error(fd), ERR_NOT_ALLOWED, "nobody is logged out");
	guess.token[WIRE_TOKEN_LEN] = '\0';
	is_number(live(fd, &guess), IPC_REFUSED, "a guessed token is none");
	ask(other, IPC_SYNC, &(struct ipc_sync){.max = 9}, NULL);
	is_number(
	    hear_error(other), ERR_NOT_ALLOWED, "a brief login reads no mail");
	guess.token[WIRE_TOKEN_LEN] = 'a';
	ask(third, IPC_LOGOUT, &guess, NULL);
	is_number(hear_error(third), ERR_BAD_REQUEST, "a token without an end");
	is_number(
	    hear(third), IPC_COUNT_OF_TYPES, "after which nobody listens");
	close(fd);
	close(other);
	close(third);
}

/* ---- from login to verdict */

static void
test_login(void)
{
	int fd = worker();
	struct ipc_auth auth;

	ask_login(fd, "alice", false);
	ask_send(fd, &(struct ipc_auth){""}, "bob");
	is_number(asked(), IPC_CHECK, "the keeper is asked");
	is(((const struct ipc_check *)frame.body)->hash, "a hash",
	    "with the hash that is stored");
	ok(!ready(fd, MOMENT_MS), "nothing is answered before its verdict");
	judge_number(stage.number + 1, VERDICT_YES);
	ok(!ready(fd, MOMENT_MS), "nor after one on something else");
	judge(VERDICT_YES);
	is_number(hear(fd), IPC_WELCOME, "then the login is");
	memcpy(auth.token, ((const struct ipc_welcome *)frame.body)->token,
	    sizeof(auth.token));
	is_number(hear_error(fd), ERR_NOT_ALLOWED,
	    "and what came behind it, which named no token");
	judge(VERDICT_YES);
	is_number(live(fd, &auth), IPC_HEADS, "the token opens");
	ask_login(fd, "nobody", false);
	asked();
	is(((const struct ipc_check *)frame.body)->hash, "",
	    "a name that nobody has is judged too");
	judge(VERDICT_NO);
	is_number(hear_error(fd), ERR_LOGIN_FAILED, "and answered alike");
	is_number(attempts_left(), 2, "with the attempts that are left");
	close(fd);
}

static void
test_keepers(void)
{
	int fd = worker();

	ask_login(fd, "bob", false);
	asked();
	next_keeper();
	is_number(asked(), IPC_CHECK, "the next keeper is asked again");
	judge(VERDICT_YES);
	is_number(hear(fd), IPC_WELCOME, "and answers");
	for (int i = 0; i < 3; i++) {
		ask_login(fd, "bob", false);
		asked();
		next_keeper();
		asked();
		next_keeper();
		asked();
		next_keeper();
		is_number(hear_error(fd), ERR_INTERNAL,
		    "a password that kills keepers is given up");
		close(fd);
		fd = worker();
	}
	ask_login(fd, "bob", false);
	asked();
	judge(VERDICT_NO);
	is_number(hear_error(fd), ERR_LOGIN_FAILED,
	    "what was never judged is not charged");
	is_number(attempts_left(), 2, "not even once");
	login(fd, "bob", true);
	close(fd);
}

/* A worker whose client was told to try again. */
static void
test_gone(void)
{
	int fd = worker(), gone = worker();
	struct ipc_auth auth = login(fd, "alice", false);

	ask_login(gone, "alice", false);
	asked();
	close(gone);
	judge(VERDICT_YES);
	is_number(live(fd, &auth), IPC_HEADS,
	    "a login whose worker has gone takes nothing over");
	close(fd);
}

static void
test_takeover(void)
{
	int fd = worker(), other = worker();
	struct ipc_auth old = login(fd, "alice", false);
	struct ipc_auth new = login(other, "alice", false);

	ask(fd, IPC_LOGOUT, &old, NULL);
	is_number(hear_error(fd), ERR_SESSION_REPLACED, "taken over");
	is(((const struct ipc_refused *)frame.body)->address, "192.0.2.7",
	    "from where the master says");
	is_number(live(other, &new), IPC_HEADS, "the new one is not touched");
	close(fd);
	close(other);
}

static void
test_parallel(void)
{
	int fd[4];
	uint32_t number[3];

	for (int i = 0; i < 4; i++)
		fd[i] = worker();
	for (int i = 0; i < 3; i++) {
		ask_login(fd[i], "alice", true);
		asked();
		number[i] = stage.number;
	}
	ask_login(fd[3], "alice", true);
	is_number(hear_error(fd[3]), ERR_LOGIN_BLOCKED,
	    "more guesses at a time than the limit are not judged");
	judge_number(number[0], VERDICT_YES);
	is_number(hear(fd[0]), IPC_WELCOME, "one is right");
	judge_number(number[2], VERDICT_NO);
	is_number(hear_error(fd[2]), ERR_LOGIN_FAILED, "one is wrong");
	is_number(attempts_left(), 1, "but does not claim to have locked");
	judge_number(number[1], VERDICT_NO);
	hear_error(fd[1]);
	ask_login(fd[3], "alice", true);
	asked();
	judge(VERDICT_NO);
	is_number(hear_error(fd[3]), ERR_LOGIN_FAILED, "two more");
	is_number(attempts_left(), 0, "locks");
	ask_login(fd[3], "alice", true);
	is_number(hear_error(fd[3]), ERR_LOGIN_BLOCKED, "as it says");
	for (int i = 0; i < 4; i++)
		close(fd[i]);
}

/* What the keeper has seen is on the disk. */
static void
test_charged(void)
{
	int fd;

	for (int i = 0; i < 3; i++) {
		fd = worker();
		ask_login(fd, "carol", false);
		asked();
		kill(stage.pid, SIGKILL);
		is_number(ended(), -1, "the store is killed as it asks");
		is_number(hear(fd), IPC_COUNT_OF_TYPES, "nothing is answered");
		close(fd);
		start();
	}
	fd = worker();
	ask_login(fd, "carol", false);
	is_number(hear_error(fd), ERR_LOGIN_BLOCKED,
	    "each of them was charged before it was asked");
	close(fd);
}

static void
test_busy(void)
{
	int fd[JOBS_MAX + 1];
	char name[NAME_MAX_LEN + 1];

	for (int i = 0; i < JOBS_MAX; i++) {
		fd[i] = worker();
		snprintf(name, sizeof(name), "dave%d", i);
		ask_login(fd[i], name, false);
		asked();
	}
	fd[JOBS_MAX] = worker();
	/* So that it finds both at once. */
	kill(stage.pid, SIGSTOP);
	waitpid(stage.pid, NULL, WUNTRACED);
	ask_login(fd[JOBS_MAX], "dave", false);
	ask_send(fd[JOBS_MAX], &(struct ipc_auth){""}, "bob");
	kill(stage.pid, SIGCONT);
	is_number(hear_error(fd[JOBS_MAX]), ERR_BUSY, "one too many is busy");
	is_number(hear(fd[JOBS_MAX]), IPC_COUNT_OF_TYPES,
	    "what came behind it is not executed");
	for (int i = 0; i <= JOBS_MAX; i++)
		close(fd[i]);
	next_keeper();
	for (int i = 0; i < JOBS_MAX; i++) {
		asked();
		judge(VERDICT_NO);
	}
}

static void
test_password(void)
{
	struct ipc_password ask_new = {.old = "secret", .new = "new"};
	struct ipc_auth none = {""}, auth;
	int fd = worker(), brief = worker(), other = worker();

	auth = login(fd, "erin", false);
	login(brief, "erin", true);
	login(other, "bob", true);
	ask_new.auth = auth;
	ask(fd, IPC_PASSWORD, &ask_new, NULL);
	is_number(asked(), IPC_CHANGE, "a new password");
	judge(VERDICT_YES);
	is_number(hear(fd), IPC_DONE, "is set");
	is_number(live(fd, &auth), IPC_HEADS, "who asked goes on");
	ask_send(brief, &none, "bob");
	is_number(hear_error(brief), ERR_NOT_ALLOWED,
	    "a brief login with the old one ends");
	ask_send(other, &none, "erin");
	is_number(hear(other), IPC_SENT, "that of somebody else does not");
	close(fd);
	close(brief);
	close(other);
}

/* ---- a room log that no longer reaches back to one's login */

/*
 * True if a reader from there on sees a broadcast, although the log does not
 * reach back that far.
 */
static bool
sees_broadcast(
    int fd, const struct ipc_auth *auth, const char *epoch, int64_t room)
{
	struct ipc_sync body = {.auth = *auth, .room = room, .max = 100};
	struct ipc_events events;
	struct wire_event event;
	size_t at = 0;
	bool seen = false;

	memcpy(body.epoch, epoch, sizeof(body.epoch));
	ask(fd, IPC_SYNC, &body, NULL);
	if (hear(fd) != IPC_EVENTS)
		give_up("no events");
	memcpy(&events, frame.body, sizeof(events));
	for (int i = 0; i < events.count; i++)
		seen |=
		    ipc_event_get(frame.tail, frame.tail_len, &at, &event) &&
		    event.type == EVENT_BROADCAST;
	return seen && events.gap;
}

static void
test_long_online(void)
{
	int fd = worker(), other = worker(), tries = 0;
	struct ipc_auth auth = login(fd, "grace", false), sender;
	struct ipc_welcome welcome;
	bool seen = false;

	sender = login(other, "bob", false);
	/* All that is older than the store's upkeep is cleared away. */
	while (!seen && tries++ < 50) {
		live(other, &sender);
		ask_send(other, &sender, "");
		hear(other);
		ask_login(fd, "grace", false);
		asked();
		judge(VERDICT_YES);
		if (hear(fd) != IPC_WELCOME)
			give_up("no welcome");
		memcpy(&welcome, frame.body, sizeof(welcome));
		memcpy(auth.token, welcome.token, sizeof(auth.token));
		seen = sees_broadcast(fd, &auth, welcome.epoch, welcome.room);
		poll(NULL, 0, MOMENT_MS);
	}
	ok(seen, "who was online for longer than the log has missed nothing");
	close(fd);
	close(other);
}

/* ---- private links */

#define KEY "sha256//AAAAAAAAAAAAAAAAAAAA+AAAAAAAAAAAAAAAAAAA/A8="

/* A login that takes links at such a place; true if it is malformed. */
static bool
peer_refused(uint16_t port, const char *key)
{
	struct ipc_login body = {
	    .user = "alice", .password = "secret", .peer = {.port = port}};
	int fd = worker();
	bool refused;

	memset(body.peer.fingerprint, 'x', sizeof(body.peer.fingerprint));
	if (key != NULL)
		strcpy(body.peer.fingerprint, key);
	ask(fd, IPC_LOGIN, &body, NULL);
	refused = hear_error(fd) == ERR_BAD_REQUEST;
	close(fd);
	return refused;
}

static void
test_peer(void)
{
	ok(peer_refused(40000, NULL), "a key without an end is none");
	ok(peer_refused(40000, ""), "a port without a key is none");
	ok(peer_refused(40000, "sha256//short"), "a key has its form");
	ok(peer_refused(80, KEY), "a port needs no rights");
}

int
main(void)
{
	static const char *const users[] = {
	    "alice", "bob", "carol", "erin", "grace"};

	stage_open(users, sizeof(users) / sizeof(users[0]));
	test_nobody();
	test_login();
	test_keepers();
	test_gone();
	test_takeover();
	test_parallel();
	test_charged();
	test_busy();
	test_password();
	test_peer();
	is_number(ended(), 0, "the store ends with its master");
	stage.keep_days = 0;
	start();
	test_long_online();
	is_number(ended(), 0, "as before");
	clean();
	return done();
}
