/* SPDX-License-Identifier: ISC */
/*
 * A real store and a client's datagrams: when knocks come, what a store that
 * was started again still knows, that noise is met with silence.
 */
#include <netinet/in.h>

#include "lib/beacon.h"
#include "store-stage.h"

enum {
	SLACK_MS = 400, /* that a busy machine may add */
	NOISE = 20000,
};

static struct beacon_mac *mac;
static struct sockaddr_in centre;

/* A client: its session, and what it knows of its beacon. */
static struct client {
	int fd;
	struct ipc_auth auth;
	struct ipc_beacon beacon;
	uint64_t counter, echo;
	struct beacon_window window;
	struct beacon heard; /* the last that came */
} alice;

/* A socket on loopback, its address in at. */
static int
udp(struct sockaddr_in *at)
{
	socklen_t len = sizeof(*at);
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

	*at = (struct sockaddr_in){.sin_family = AF_INET};
	at->sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	if (fd == -1 || bind(fd, (struct sockaddr *)at, len) == -1 ||
	    getsockname(fd, (struct sockaddr *)at, &len) == -1)
		give_up("no socket");
	return fd;
}

static void
enter(int fd, const char *user, struct client *client)
{
	struct ipc_login login = {.password = "secret"};
	struct ipc_welcome welcome;
	struct sockaddr_in at;

	memset(client, 0, sizeof(*client));
	client->fd = udp(&at);
	random_fill(&client->beacon, sizeof(client->beacon));
	strcpy(login.user, user);
	login.beacon = client->beacon;
	ask(fd, IPC_LOGIN, &login, NULL);
	asked();
	judge(VERDICT_YES);
	if (hear(fd) != IPC_WELCOME)
		give_up("no welcome");
	memcpy(&welcome, frame.body, sizeof(welcome));
	memcpy(client->auth.token, welcome.token, sizeof(welcome.token));
	ok(welcome.beacon == client->beacon.id, "the store takes the beacon");
}

static void
say_live(struct client *client)
{
	struct beacon live = {.type = BEACON_LIVE,
	    .id = client->beacon.id,
	    .counter = ++client->counter,
	    .echo = client->echo};
	uint8_t out[BEACON_LEN];

	beacon_encode(mac, client->beacon.keys.client, &live, out);
	if (sendto(client->fd, out, sizeof(out), 0, (struct sockaddr *)&centre,
		sizeof(centre)) != sizeof(out))
		give_up("cannot send");
}

/* The type of the next datagram; 0 if none comes, or none of the centre's. */
static int
told(struct client *client, int patience)
{
	uint8_t in[BEACON_LEN + 1];
	ssize_t len;

	if (!ready(client->fd, patience))
		return 0;
	len = recv(client->fd, in, sizeof(in), 0);
	if (len < 0 || !beacon_decode(in, (size_t)len, &client->heard) ||
	    !beacon_verify(mac, client->beacon.keys.centre, in) ||
	    !beacon_take(&client->window, client->heard.counter))
		return 0;
	client->echo = client->heard.echo;
	return (int)client->heard.type;
}

/* Proves where it is. */
static bool
prove(struct client *client)
{
	say_live(client);
	if (told(client, PATIENCE_MS) != BEACON_CHECK)
		return false;
	say_live(client);
	return told(client, PATIENCE_MS) == BEACON_HEADS;
}

/* How long it takes until the next knock; -1 if that is in vain. */
static int64_t
knock_after(struct client *client)
{
	int64_t begun = clock_mono();

	if (told(client, PATIENCE_MS) != BEACON_KNOCK)
		return -1;
	return clock_mono() - begun;
}

static void
sync_client(int fd, struct client *client)
{
	struct ipc_sync body = {.auth = client->auth, .max = 9};
	struct ipc_heads heads;

	live(fd, &client->auth);
	memcpy(&heads, frame.body, sizeof(heads));
	memcpy(body.epoch, heads.epoch, sizeof(body.epoch));
	body.mail = heads.mail;
	body.room = heads.room;
	ask(fd, IPC_SYNC, &body, NULL);
	if (hear(fd) != IPC_EVENTS)
		give_up("no sync");
}

static void
test_knocks(void)
{
	int fd = worker(), bob = worker();
	struct ipc_auth auth;
	int64_t wait;
	int knocks = 0;

	enter(fd, "alice", &alice);
	auth = login(bob, "bob", true);
	ok(prove(&alice), "a LIVE is checked, then answered");
	ok(!ready(alice.fd, MOMENT_MS), "once each");
	ask_send(bob, &auth, "alice");
	ok(knock_after(&alice) >= 0 && alice.heard.mail == 1, "mail knocks");
	wait = knock_after(&alice);
	ok(wait > 900 && wait < 1000 + SLACK_MS, "again after a second");
	wait = knock_after(&alice);
	ok(wait > 3900 && wait < 4000 + SLACK_MS, "and after five");
	ok(!ready(alice.fd, 1200), "then no more");
	hear(bob);
	wait = clock_mono();
	for (int i = 0; i < 100; i++) {
		ask_send(bob, &auth, "alice");
		hear(bob);
	}
	while (knock_after(&alice) >= 0 && knocks++ < 100 &&
	    alice.heard.mail < 101)
		continue;
	wait = clock_mono() - wait;
	ok(knocks <= 1 + wait / 50 && alice.heard.mail == 101,
	    "one after the other they knock once in 50 ms");
	sync_client(fd, &alice);
	while (ready(alice.fd, 0))
		told(&alice, 0);
	ok(!ready(alice.fd, 1300), "who has come is not knocked again");
	ask_send(bob, &auth, "alice");
	wait = knock_after(&alice);
	ok(wait >= 0 && wait < SLACK_MS, "but for the next mail at once");
	close(fd);
	close(bob);
}

/* One who talks to all has all connect: not for each sentence. */
static void
test_room_knocks(void)
{
	int fd = worker(), bob = worker();
	struct ipc_auth auth = login(bob, "bob", true);
	int64_t begun, wait;

	sync_client(fd, &alice);
	while (ready(alice.fd, 0))
		told(&alice, 0);
	ask_send(bob, &auth, "");
	begun = clock_mono();
	wait = knock_after(&alice);
	ok(wait >= 0 && wait < SLACK_MS, "news of the room knock at once");
	sync_client(fd, &alice);
	for (int i = 0; i < 20; i++) {
		ask_send(bob, &auth, "");
		hear(bob);
	}
	knock_after(&alice);
	wait = clock_mono() - begun;
	ok(wait > 900 && wait < 1000 + SLACK_MS,
	    "more of them together, a second later");
	sync_client(fd, &alice);
	ask_send(bob, &auth, "");
	ask_send(bob, &auth, "alice");
	wait = knock_after(&alice);
	ok(wait >= 0 && wait < SLACK_MS, "mail does not wait for it");
	sync_client(fd, &alice);
	close(fd);
	close(bob);
}

/* A guess at a name moves no client, or it would tell who is here. */
static void
test_quiet_notice(void)
{
	int fd = worker();
	int64_t mail;

	while (ready(alice.fd, 1200))
		told(&alice, 0);
	mail = alice.heard.mail;
	ask_login(fd, "alice", false);
	asked();
	judge(VERDICT_NO);
	is_number(hear_error(fd), ERR_LOGIN_FAILED, "a wrong password");
	ok(!ready(alice.fd, MOMENT_MS), "does not knock");
	say_live(&alice);
	ok(told(&alice, PATIENCE_MS) == BEACON_HEADS &&
		alice.heard.mail == mail + 1,
	    "but the next LIVE is told of the notice");
	close(fd);
	fd = worker();
	sync_client(fd, &alice);
	close(fd);
}

static void
test_noise(void)
{
	uint8_t out[BEACON_LEN];

	while (ready(alice.fd, 0))
		told(&alice, 0);
	for (int i = 0; i < NOISE; i++) {
		random_fill(out, sizeof(out));
		/* Some of it looks right, but for the code. */
		if (i % 2)
			memcpy(out, "CB\x01\x01", 4);
		if (i % 4 == 3)
			beacon_context(alice.beacon.id, out + 4);
		sendto(alice.fd, out, (size_t)(i % 8 ? BEACON_LEN : i % 60), 0,
		    (struct sockaddr *)&centre, sizeof(centre));
	}
	say_live(&alice);
	/* It may have been crowded out. */
	while (told(&alice, 1000) == 0)
		say_live(&alice);
	ok(alice.heard.type == BEACON_HEADS || alice.heard.type == BEACON_KNOCK,
	    "noise harms nobody, and is not answered");
}

static void
test_restart(void)
{
	uint64_t counter, echo = alice.echo;
	int fd;

	while (ready(alice.fd, MOMENT_MS))
		told(&alice, 0);
	counter = alice.window.highest;
	kill(stage.pid, SIGKILL);
	ended();
	start();
	say_live(&alice);
	ok(told(&alice, PATIENCE_MS) == BEACON_CHECK && alice.echo != echo,
	    "a new store has the keys, and echoes of its own");
	ok(alice.heard.counter >> 32 == (counter >> 32) + 1 &&
		(alice.heard.counter & UINT32_MAX) == 1,
	    "its counters are of the next generation");
	say_live(&alice);
	ok(told(&alice, PATIENCE_MS) == BEACON_HEADS, "then it is as before");
	fd = worker();
	ask(fd, IPC_LOGOUT, &alice.auth, NULL);
	is_number(hear(fd), IPC_DONE, "after the logout");
	say_live(&alice);
	ok(!ready(alice.fd, MOMENT_MS), "the id is unknown");
	close(fd);
}

int
main(void)
{
	static const char *const users[] = {"alice", "bob"};

	mac = beacon_mac_new();
	stage.beacon = udp(&centre);
	stage_open(users, 2);
	test_knocks();
	test_room_knocks();
	test_quiet_notice();
	test_noise();
	test_restart();
	ended();
	clean();
	close(alice.fd);
	close(stage.beacon);
	beacon_mac_free(mac);
	return done();
}
