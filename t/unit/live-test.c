/* SPDX-License-Identifier: ISC */
/*
 * The agent's beacon against a centre that lies: noise, knocks without end,
 * heads that leap, checks without end; and an agent that is killed.  The
 * centre and the face are the test's own; the agent is a process.
 */
#include "tap.h"

#include <poll.h>
#include <signal.h>

#include <jansson.h>

#include "chat/account.h"
#include "chat/agent/agent.h"
#include "chat/agent/start.h"
#include "chat/faces/face.h"
#include "lib/beacon.h"
#include "lib/wire.h"
#include "tls-peer.h"

#define TOKEN "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMN-_0"
#define EPOCH "0123456789abcdef"
#define TIME "2026-11-22T14:03:05.123Z"

enum {
	FLOOD_MS = 2000,
	FLOOD_MOST = 8, /* syncs meanwhile: after 0, 50, 150, 350 ... ms */
};

/* What the centre does with a LIVE, besides counting it. */
enum manner {
	HEADS, /* answers as it should */
	LEAPS, /* with heads that are nowhere */
	CHECKS, /* is never content */
};

static struct house house;
static struct account account;
static struct face face;
static pid_t agent;

static struct {
	int tcp, udp;
	uint64_t id, counter;
	struct beacon_keys keys;
	struct beacon_mac *mac;
	struct sockaddr_in client; /* where the last LIVE came from */
	enum manner manner;
	int syncs, tls_lives, lives, wrong;
	uint64_t highest, lowest; /* of the counters in these LIVEs */
} centre = {.id = UINT64_C(0xfedcba9876543210)};

/* ---- the centre */

/* The reply to a request, without the tag. */
static json_t *
answer(struct tls_conn *conn, const json_t *request)
{
	const char *op = wire_get_string(request, "op");
	uint8_t context[BEACON_CONTEXT_LEN];
	char id[BEACON_ID_TEXT + 1];

	if (strcmp(op, "login") == 0) {
		beacon_context(centre.id, context);
		beacon_id_text(centre.id, id);
		must(tls_export(conn, BEACON_LABEL, context, sizeof(context),
			 &centre.keys, sizeof(centre.keys)) == 0,
		    conn->why);
		return json_pack("{sb ss ss ss si si ss si}", "ok", 1, "token",
		    TOKEN, "epoch", EPOCH, "time", TIME, "mail", 5, "room", 5,
		    "beacon", id, "heartbeat", 30);
	}
	centre.syncs += strcmp(op, "sync") == 0;
	centre.tls_lives += strcmp(op, "live") == 0;
	return json_pack("{sb ss s[] si si sb si ss si}", "ok", 1, "epoch",
	    EPOCH, "events", "mail", 5, "room", 5, "more", 0, "protocol", 1,
	    "time", TIME, "heartbeat", 30);
}

/* One connection, from its first octet to its last. */
static void
converse(void)
{
	struct tls_conn conn;
	char why[WIRE_WHY_LEN], *text;
	json_t *request, *reply;
	size_t len;

	must(tls_conn_open(&conn, house.server, accept(centre.tcp, NULL, NULL),
		 true, NULL) == 0,
	    conn.why);
	if (tls_handshake(&conn, TLS_ALPN_CENTRE, soon(SOON)) == TLS_OK)
		while (
		    tls_read_line(&conn, &text, &len, soon(SOON)) == TLS_OK) {
			request = wire_object(text, len, why);
			must(request != NULL, why);
			reply = answer(&conn, request);
			json_object_set(
			    reply, "tag", json_object_get(request, "tag"));
			text = wire_line(reply, &len);
			tls_write(&conn, text, len, soon(SOON));
			free(text);
			json_decref(reply);
			json_decref(request);
		}
	tls_conn_close(&conn, 0);
}

/* Says something to where the last LIVE came from. */
static void
say(enum beacon_type type, int64_t heads)
{
	const struct beacon beacon = {
	    type, centre.id, ++centre.counter, heads, heads, centre.counter};
	uint8_t data[BEACON_LEN];

	must(beacon_encode(centre.mac, centre.keys.centre, &beacon, data),
	    "cannot encode");
	sendto(centre.udp, data, sizeof(data), 0,
	    (const struct sockaddr *)&centre.client, sizeof(centre.client));
}

/* Takes a LIVE. */
static void
take_live(void)
{
	socklen_t size = sizeof(centre.client);
	uint8_t data[BEACON_LEN + 1];
	struct beacon live;
	ssize_t len = recvfrom(centre.udp, data, sizeof(data), 0,
	    (struct sockaddr *)&centre.client, &size);

	if (!beacon_decode(data, (size_t)len, &live) ||
	    live.type != BEACON_LIVE || live.id != centre.id ||
	    !beacon_verify(centre.mac, centre.keys.client, data)) {
		centre.wrong++;
		return;
	}
	centre.lives++;
	if (live.counter > centre.highest)
		centre.highest = live.counter;
	if (live.counter < centre.lowest)
		centre.lowest = live.counter;
	if (centre.manner == CHECKS)
		say(BEACON_CHECK, 5);
	else
		say(BEACON_HEADS, centre.manner == LEAPS ? INT64_MAX : 5);
}

/* What there is to do for the centre, within that time. */
static void
serve_once(int ms)
{
	struct pollfd pfd[2] = {
	    {.fd = centre.udp, .events = POLLIN},
	    {.fd = centre.tcp, .events = POLLIN},
	};

	if (poll(pfd, 2, ms) < 1)
		return;
	if (pfd[0].revents != 0)
		take_live();
	if (pfd[1].revents != 0)
		converse();
}

/* Serves until there was so much of it, or for too long. */
static bool
until(const int *count, int wanted)
{
	int64_t end = soon(2 * SOON);

	while (*count < wanted && clock_mono() < end)
		serve_once(50);
	return *count >= wanted;
}

/* Serves for a while, in which fn is done every millisecond. */
static void
meanwhile(void (*fn)(void), int ms)
{
	for (int64_t end = soon(ms); clock_mono() < end;) {
		serve_once(1);
		if (fn != NULL)
			fn();
	}
}

/* ---- the face */

/* Asks for a login; the centre serves until the face has its answer. */
static void
login(const char *password)
{
	struct pollfd pfd = {.events = POLLIN};
	json_t *line = face_request("login");
	int64_t end = soon(SOON);

	if (password != NULL)
		json_object_set_new(line, "password", json_string(password));
	face_say(&face, line);
	pfd.fd = face.fd;
	while (poll(&pfd, 1, 0) == 0 && clock_mono() < end)
		serve_once(10);
	face_read(&face);
	line = face_next(&face);
	ok(wire_get_bool(line, "ok"), "logged in");
	json_decref(line);
}

/* How the agent says that it is kept up to date. */
static void
is_beacon(const char *wanted)
{
	json_t *line = face_call(&face, face_request("status"));

	is(wire_get_string(line, "beacon"), wanted, "the status");
	json_decref(line);
}

/* An agent, started or started again. */
static void
begin(void)
{
	struct ucred peer;
	socklen_t len = sizeof(peer);
	char why[1024];

	must(agent_start(&account, why, sizeof(why)) == 0, why);
	must(face_open(&face, account.socket, -1) == 0, "no agent");
	getsockopt(face.fd, SOL_SOCKET, SO_PEERCRED, &peer, &len);
	agent = peer.pid;
	centre.lowest = UINT64_MAX;
	centre.lives = 0;
}

/* The agent is killed, and gone: whoever comes next finds nobody. */
static void
finish(void)
{
	int64_t end = soon(SOON);
	int lock = -1;

	kill(agent, SIGKILL);
	face_close(&face);
	while (agent_lock(&account, &lock) != 1 && clock_mono() < end)
		poll(NULL, 0, 1);
	must(lock != -1, "the agent does not end");
	close(lock);
}

/* Nothing of before is under way any more. */
static void
settle(void)
{
	meanwhile(NULL, SHORT);
	centre.syncs = centre.lives = 0;
}

/* ---- what a centre, or who pretends to be one, may do */

static void
noise(void)
{
	struct beacon beacon = {
	    BEACON_KNOCK, centre.id, centre.counter + 1, 90, 90, 1};
	uint8_t data[BEACON_LEN + 4] = {0};
	static unsigned turn;
	size_t len = BEACON_LEN;

	beacon_encode(centre.mac, centre.keys.centre, &beacon, data);
	turn++;
	if (turn % 4 == 0)
		len = turn % sizeof(data);
	else if (turn % 4 == 1)
		data[turn % BEACON_LEN] ^= (uint8_t)(1 << turn % 8);
	else if (turn % 4 == 2)
		random_fill(data, sizeof(data));
	else
		beacon_encode(centre.mac, centre.keys.client, &beacon, data);
	if (len == BEACON_LEN && turn % 4 == 0)
		len++;
	sendto(centre.udp, data, len, 0,
	    (const struct sockaddr *)&centre.client, sizeof(centre.client));
}

static void
test_noise(void)
{
	settle();
	meanwhile(noise, FLOOD_MS / 2);
	meanwhile(NULL, SHORT);
	is_number(centre.syncs, 0, "noise is not a knock");
	is_number(centre.lives, 0, "nor answered");
	is_beacon("on");
}

static void
knock(void)
{
	static int64_t heads = 6;

	say(BEACON_KNOCK, heads++);
	say(BEACON_CHECK, 5);
	say(BEACON_HEADS, INT64_MAX);
}

static void
test_knocks(void)
{
	settle();
	meanwhile(knock, FLOOD_MS);
	ok(centre.syncs > 0 && centre.syncs <= FLOOD_MOST,
	    "knocks without end: %d syncs", centre.syncs);
	is_number(centre.lives, 0, "a CHECK that nothing caused is not obeyed");
	is_beacon("on");
}

static void
test_killed(void)
{
	uint64_t highest = centre.highest;

	finish();
	begin();
	centre.manner = LEAPS;
	centre.syncs = 0;
	login(NULL);
	ok(until(&centre.lives, 1), "an agent that was killed says LIVE");
	ok(centre.lowest > highest && centre.lowest >= BEACON_RESERVE,
	    "and takes no counter twice");
	settle();
	meanwhile(NULL, FLOOD_MS / 2);
	ok(centre.syncs <= 2, "heads that leap: %d syncs", centre.syncs);
	is_beacon("on");
}

static void
test_checks(void)
{
	finish();
	begin();
	centre.manner = CHECKS;
	centre.tls_lives = 0;
	login(NULL);
	ok(until(&centre.tls_lives, 1), "never content: LIVE over TLS");
	is_number(centre.lives, 6, "after three tries and as many repeats");
	is_number(centre.wrong, 0, "nothing else was ever sent");
	is_beacon("filtered");
}

/* A port for both; the place where the account lies. */
static void
build(void)
{
	struct sockaddr_in addr = {
	    .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	socklen_t len = sizeof(addr);
	static char pin[TLS_PIN_LEN + 1];
	char where[64], why[1024];

	house_build(&house);
	for (int tries = 0;; tries++) {
		addr.sin_port = 0;
		centre.tcp = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
		centre.udp = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
		must(bind(centre.tcp, (struct sockaddr *)&addr, len) == 0 &&
			listen(centre.tcp, 16) == 0 &&
			getsockname(
			    centre.tcp, (struct sockaddr *)&addr, &len) == 0 &&
			tries < 16,
		    "cannot listen");
		if (bind(centre.udp, (struct sockaddr *)&addr, len) == 0)
			break;
		close(centre.tcp);
		close(centre.udp);
	}
	centre.mac = beacon_mac_new();
	snprintf(
	    where, sizeof(where), "alice@127.0.0.1:%d", ntohs(addr.sin_port));
	tls_pin(house.x509, pin);
	account_init(&account);
	must(centre.mac != NULL && account_centre(&account, where, why) == 0 &&
		account_pin(&account, pin, why) == 0 &&
		account_place(&account, house.dir, why) == 0,
	    why);
}

int
main(void)
{
	char command[128];

	signal(SIGPIPE, SIG_IGN);
	build();
	begin();
	login("secret");
	ok(until(&centre.lives, 1), "LIVE after the login");
	is_number((long long)centre.lowest, 1, "the first of its counters");
	test_noise();
	test_knocks();
	test_killed();
	test_checks();
	finish();
	account_release(&account);
	snprintf(command, sizeof(command), "rm -rf %s", house.dir);
	if (system(command) != 0)
		puts("# the directory stays");
	return done();
}
