/* SPDX-License-Identifier: ISC */
/*
 * What a store tells its master of connections: who has proved something,
 * never for a worker's word alone, and whose login failed; and how many
 * requests it answers.
 */
#include "store-stage.h"

static struct ipc_failed failed;
static int registered; /* accounts that the master has heard of */

/* A worker that the master calls by that number. */
static int
numbered(uint32_t number, uint8_t last)
{
	struct ipc_serve serve = {
	    .from = {.family = AF_INET, .ip = {198, 51, 100, last}}};
	int pair[2];

	if (unix_pair(pair) == -1 ||
	    ipc_send(stage.master, IPC_SERVE, number, &serve, NULL, 0,
		pair[1]) == -1)
		give_up("no worker");
	close(pair[1]);
	return pair[0];
}

/* What the master hears next; IPC_COUNT_OF_TYPES if nothing. */
static enum ipc_type
told(void)
{
	do {
		failed.registered = false;
		if (!ready(stage.master, MOMENT_MS) ||
		    ipc_receive(stage.master, ROLE_MASTER, ROLE_STORE, buffer,
			&frame) != 1)
			return IPC_COUNT_OF_TYPES;
		if (frame.type == IPC_FAILED)
			memcpy(&failed, frame.body, sizeof(failed));
		registered += failed.registered;
	} while (frame.type == IPC_READY || failed.registered);
	return frame.type;
}

static void
test_proof(void)
{
	struct ipc_auth guess, auth, none = {""};
	int fd = numbered(5, 1), other = numbered(6, 1), brief = numbered(7, 1);

	memset(guess.token, 'a', sizeof(guess.token));
	guess.token[WIRE_TOKEN_LEN] = '\0';
	live(fd, &guess);
	ask_send(fd, &none, "bob");
	hear(fd);
	is_number(
	    told(), IPC_COUNT_OF_TYPES, "a token that is none proves nothing");
	auth = login(fd, "alice", false);
	ok(told() == IPC_PROVED && frame.number == 5, "a login does");
	live(fd, &auth);
	is_number(told(), IPC_COUNT_OF_TYPES, "once for a connection");
	live(other, &auth);
	ok(told() == IPC_PROVED && frame.number == 6, "a valid token does");
	login(brief, "bob", true);
	ok(told() == IPC_PROVED && frame.number == 7, "a brief login does");
	close(fd);
	close(other);
	close(brief);
}

/* A worker that claims it itself, in the words of the store. */
static void
test_claim(void)
{
	int fd = numbered(9, 1);

	ok(ipc_send(fd, IPC_PROVED, 9, &(struct ipc_none){0}, NULL, 0, -1) ==
		    0 &&
		hear(fd) == IPC_COUNT_OF_TYPES,
	    "a worker that says it is hung up on");
	is_number(told(), IPC_COUNT_OF_TYPES, "and the master hears nothing");
	close(fd);
}

/* One token is not the key to all of the house. */
static void
test_share(void)
{
	enum { MANY = 20 };
	int first = numbered(100, 1), fds[MANY], proved = 0;
	struct ipc_auth auth = login(first, "alice", false);

	proved += told() == IPC_PROVED;
	for (int i = 0; i < MANY; i++) {
		fds[i] = numbered(101 + (uint32_t)i, 2);
		live(fds[i], &auth);
		proved += told() == IPC_PROVED;
	}
	is_number(proved, 8, "one token vouches for eight connections");
	for (int i = 0; i < MANY; i++)
		close(fds[i]);
	close(first);
	first = numbered(200, 1);
	/* The ends of the others may come a moment later. */
	for (int i = 0; i < MANY && live(first, &auth) == IPC_HEADS; i++)
		if (told() == IPC_PROVED)
			break;
	is_number(frame.number, 200, "when they have gone, for another one");
	close(first);
}

/* Nor is a password: whatever the logins are, they are one account's. */
static void
test_account(void)
{
	enum { MANY = 20 };
	int fds[2 * MANY], proved = 0;

	for (int i = 0; i < 2 * MANY; i++) {
		fds[i] = numbered(300 + (uint32_t)i, 3);
		login(fds[i], "carol", i < MANY);
		proved += told() == IPC_PROVED;
	}
	is_number(proved, 8, "one account vouches for eight connections");
	for (int i = 0; i < 2 * MANY; i++)
		close(fds[i]);
}

static void
test_failed(void)
{
	int fd = numbered(10, 9);
	int wrong = 0;
	uint32_t name = 0;

	for (int i = 0; i < 3; i++) {
		ask_login(fd, "carol", false);
		asked();
		judge(VERDICT_NO);
		hear(fd);
		wrong += told() != IPC_FAILED || failed.from.ip[3] != 9 ||
		    failed.locked != (i == 2) || (i > 0 && failed.name != name);
		name = failed.name;
	}
	is_number(
	    wrong, 0, "failed logins with address and name, and the lock");
	ask_login(fd, "carol", false);
	is_number(hear_error(fd), ERR_LOGIN_BLOCKED, "while it is locked");
	is_number(told(), IPC_COUNT_OF_TYPES, "nothing is judged or charged");
	ask_login(fd, "nobody", false);
	asked();
	close(fd);
	judge(VERDICT_NO);
	ok(told() == IPC_FAILED && failed.from.ip[3] == 9 &&
		failed.name != name,
	    "hanging up before the verdict helps nobody");
}

/* The rules with a rate; 0 is none. */
static void
set_rate(int rate, int burst)
{
	struct rules rules = {.attempts = 3,
	    .block_seconds = 60,
	    .timeout = 90,
	    .lifetime_days = 30,
	    .message_bytes = 8192,
	    .mailbox_messages = 10000,
	    .requests_per_second = rate,
	    .request_burst = burst,
	    .registration = REGISTRATION_OPEN};

	if (ipc_send(stage.master, IPC_RULES, 0, &rules, NULL, 0, -1) == -1)
		give_up("no rules");
}

/* How many LIVEs are answered before one is too many. */
static int
lives(int fd, const struct ipc_auth *auth)
{
	int count = 0;

	while (count < 1000 && live(fd, auth) == IPC_HEADS)
		count++;
	return count;
}

static void
test_rate(void)
{
	int fd = worker(), other = worker(), third = worker();
	struct ipc_auth alice = login(fd, "alice", false);
	struct ipc_auth bob = login(other, "bob", false), guess;
	struct ipc_refused refused;
	int count = 0;

	set_rate(1, 40);
	memset(guess.token, 'a', sizeof(guess.token));
	guess.token[WIRE_TOKEN_LEN] = '\0';
	count = lives(fd, &alice);
	ok(count >= 40 && count < 100, "an account has its burst");
	memcpy(&refused, frame.body, sizeof(refused));
	ok(refused.error == ERR_RATE_LIMITED && refused.retry_after >= 1 &&
		refused.retry_after <= 2,
	    "then it is told when to come again");
	count = lives(other, &bob);
	ok(count >= 40 && count < 100, "another account has its own");
	count = 0;
	do {
		live(third, &guess);
		memcpy(&refused, frame.body, sizeof(refused));
	} while (refused.error == ERR_SESSION_EXPIRED && ++count < 1000);
	ok(count >= 40 && count < 100 && refused.error == ERR_RATE_LIMITED,
	    "without a valid token they count by address");
	close(fd);
	close(other);
	close(third);
	fd = worker();
	ask_login(fd, "alice", false);
	is_number(hear_error(fd), ERR_RATE_LIMITED,
	    "on all its connections, logins with them");
	close(fd);
	set_rate(0, 0);
}

/* A new login brings no new burst. */
static void
test_rate_account(void)
{
	int old = numbered(0, 21), fd = numbered(0, 22);
	int brief = numbered(0, 23);
	struct ipc_auth auth = login(old, "alice", false), none = {""};
	int count;

	set_rate(1, 40);
	lives(old, &auth);
	auth = login(fd, "alice", false);
	count = lives(fd, &auth);
	ok(count < 10, "a session has what the one before it has left");
	login(brief, "alice", true);
	for (count = 0; count < 100; count++) {
		ask_send(brief, &none, "bob");
		if (hear_error(brief) == ERR_RATE_LIMITED)
			break;
	}
	ok(count < 10, "and so has a brief login");
	close(old);
	close(fd);
	close(brief);
	set_rate(0, 0);
}

/* What everybody fetches, and the log keeps, is dearer than a message. */
static void
test_rate_broadcast(void)
{
	int fd = numbered(0, 24);
	struct ipc_auth auth = login(fd, "dave", false);
	int count = 0;

	set_rate(1, 40);
	do
		ask_send(fd, &auth, "");
	while (hear(fd) == IPC_SPREAD && ++count < 100);
	ok(count >= 4 && count < 10, "a broadcast takes ten of the burst");
	close(fd);
	set_rate(0, 0);
}

/* A cursor from of old makes the store read much, and show nothing. */
static void
test_rate_sync(void)
{
	enum { MANY = 3000 };
	int fd = numbered(0, 25), count = 0;
	struct ipc_sync body = {.auth = login(fd, "erin", false), .max = 500};
	struct ipc_welcome welcome;

	memcpy(&welcome, frame.body, sizeof(welcome));
	memcpy(body.epoch, welcome.epoch, sizeof(body.epoch));
	for (int i = 0; i < MANY; i++) {
		ask_send(fd, &body.auth, "");
		if (hear(fd) != IPC_SPREAD)
			give_up("not broadcast");
	}
	set_rate(1, 42);
	do
		ask(fd, IPC_SYNC, &body, NULL);
	while (hear(fd) == IPC_EVENTS && ++count < 100);
	ok(count >= 6 && count < 15,
	    "a sync that looks at 3,000 entries is dearer");
	close(fd);
	set_rate(0, 0);
}

int
main(void)
{
	static const char *const users[] = {
	    "alice", "bob", "carol", "dave", "erin"};

	stage_open(users, 5);
	test_proof();
	test_claim();
	test_share();
	test_account();
	test_failed();
	test_rate();
	test_rate_account();
	test_rate_broadcast();
	test_rate_sync();
	is_number(registered, 5, "and of each account that was made");
	is_number(ended(), 0, "the store ends with its master");
	clean();
	return done();
}
