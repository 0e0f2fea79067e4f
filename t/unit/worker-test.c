/* SPDX-License-Identifier: ISC */
/*
 * What a worker says to its client and to the store: requests and replies in
 * their order, logins, refusals, what ends a connection, a lost store, and
 * the exit status that tells the master.
 */
#include "stage.h"

static void
test_hello(void)
{
	const json_t *limits;

	begin();
	say("{\"op\":\"hello\",\"tag\":[1,{\"a\":null}]}\n");
	ok(hear(), "hello is answered");
	limits = json_object_get(stage.reply, "limits");
	ok(said("server", "chatd") && wire_get_string(stage.reply, "version") &&
		counted("protocol", 1) &&
		wire_get_string(stage.reply, "time") &&
		counted("heartbeat", 30) && counted("timeout", 90) &&
		said("registration", "closed"),
	    "hello says what this is");
	ok(wire_get_number(limits, "message_bytes", 0) == 8192 &&
		wire_get_number(limits, "mailbox_messages", 0) == 10000 &&
		wire_get_number(limits, "requests", 0) == 256 &&
		wire_get_number(limits, "line_bytes", 0) == 65536,
	    "hello says the limits");
	ok(json_array_size(json_object_get(stage.reply, "tag")) == 2,
	    "the tag is echoed");
	ok(end() == WORKER_SERVED, "a proper end is served");
}

/* Local answers keep their place among those of the store. */
static void
test_order(void)
{
	struct ipc_sent sent = {.time = 1000, .online = 1};
	struct ipc_spread spread = {.reached = 2, .refused = 1};
	const struct ipc_live *live;
	const struct ipc_send_text *text;
	char first[256];

	begin();
	snprintf(first, sizeof(first), LIVE, 1);
	say(first);
	/* The first may be taken alone, so it is waited for. */
	ok(store_gets(IPC_LIVE), "live is asked");
	live = stage.frame.body;
	ok(live->mail == 3 && live->room == 4 &&
		strcmp(live->auth.token, TOKEN) == 0,
	    "live has its members");
	say("{\"op\":\"send\"," AUTH "," ID
	    ",\"to\":\"BOB\",\"text\":\"hi\",\"tag\":2}\n"
	    "{\"op\":\"send\"," AUTH "," ID
	    ",\"to\":\"no name\",\"text\":\"hi\",\"tag\":3}\n"
	    "{\"op\":\"hello\",\"tag\":4}\n"
	    "{\"op\":\"broadcast\"," AUTH "," ID
	    ",\"text\":\"all\",\"tag\":5}\n");
	answer_heads(stage.frame.number);
	ok(hear_yes(1) && counted("mail", 5) && counted("room", 6) &&
		said("epoch", EPOCH),
	    "live is answered");
	ok(store_gets(IPC_SEND), "send is asked");
	text = stage.frame.body;
	ok(strcmp(text->to, "bob") == 0 &&
		strcmp(text->id, "0123456789abcdef") == 0 &&
		stage.frame.tail_len == 2 &&
		memcmp(stage.frame.tail, "hi", 2) == 0,
	    "send has its members, the name folded");
	ok(store_gets(IPC_BROADCAST), "broadcast is asked before the answer");
	text = stage.frame.body;
	ok(text->to[0] == '\0' && stage.frame.tail_len == 3,
	    "broadcast has no recipient");
	answer(IPC_SENT, 2, &sent, NULL, 0);
	answer(IPC_SPREAD, 3, &spread, NULL, 0);
	ok(hear_yes(2) && wire_get_bool(stage.reply, "online") &&
		said("state", "accepted") &&
		said("time", "1970-01-01T00:00:01.000Z"),
	    "send is accepted");
	ok(hear_no("no-such-user", "") && counted("tag", 3),
	    "a name that is none is nobody");
	ok(hear_yes(4), "hello keeps its place");
	ok(hear_yes(5) && counted("reached", 2) && counted("refused", 1),
	    "broadcast is accepted");
	ok(end() == WORKER_SERVED, "all served");
}

/* Logins are alone, and what they prove is left to the store. */
static void
test_login(void)
{
	struct ipc_welcome welcome = {
	    .user = "alice",
	    .epoch = EPOCH,
	    .mail = 7,
	    .room = 8,
	    .failed_attempts = 2,
	    .room_spread = 3,
	    .last_login = 2000,
	};
	const struct ipc_login *login;
	const struct ipc_user *user;

	begin();
	say("{\"op\":\"blocked\"," AUTH ",\"tag\":1}\n"
	    "{\"op\":\"login\",\"user\":\"Alice\",\"password\":\"p\\u00e4ss\","
	    "\"brief\":true,\"tag\":2}\n"
	    "{\"op\":\"block\",\"user\":\"Bob\",\"tag\":3}\n"
	    "{\"op\":\"login\",\"user\":\"alice\",\"password\":\"x\","
	    "\"peer_port\":40000,\"tag\":4}\n");
	ok(store_gets(IPC_BLOCKED) && store_waits(),
	    "a login waits for what is before it");
	answer(IPC_NAMES, 1, &(struct ipc_names){.count = 0}, NULL, 0);
	ok(hear_yes(1), "which is told before");
	ok(store_gets(IPC_LOGIN) && store_waits(),
	    "what is after a login waits for it");
	login = stage.frame.body;
	ok(strcmp(login->user, "alice") == 0 &&
		strcmp(login->password, "p\xc3\xa4ss") == 0 && login->brief &&
		login->beacon.id == 0,
	    "login has its members");
	answer(IPC_WELCOME, 2, &welcome, NULL, 0);
	ok(hear_yes(2) && json_is_null(json_object_get(stage.reply, "token")) &&
		json_is_null(json_object_get(stage.reply, "beacon")),
	    "a brief login has no token");
	ok(counted("failed_attempts", 2) && counted("room_spread", 3) &&
		counted("mail", 7) && counted("heartbeat", 30) &&
		said("last_login", "1970-01-01T00:00:02.000Z") &&
		said("user", "alice"),
	    "a login says the rest");
	ok(store_gets(IPC_BLOCK), "then block is asked");
	user = stage.frame.body;
	ok(user->auth.token[0] == '\0' && strcmp(user->user, "bob") == 0,
	    "in the name of the brief login");
	answer(IPC_DONE, 3, NULL, NULL, 0);
	ok(hear_yes(3) && store_gets(IPC_LOGIN), "and the second login");
	strcpy(welcome.token, TOKEN);
	welcome.last_login = 0;
	answer(IPC_WELCOME, 4, &welcome, NULL, 0);
	ok(hear_yes(4) && said("token", TOKEN) &&
		json_is_null(json_object_get(stage.reply, "last_login")),
	    "which has a token, and is the first ever");
	ok(end() == WORKER_SERVED, "all served");
}

#define KEY "sha256//AAAAAAAAAAAAAAAAAAAA+AAAAAAAAAAAAAAAAAAA/A8="

/* Private links: what is asked, and how the answers are told. */
static void
test_links(void)
{
	struct ipc_asked asked = {
	    .request = "0123456789abcdefABCDEF", .expires_in = 60};
	struct ipc_answered yes = {.accepted = 1,
	    .user = "bob",
	    .peer = {.port = 40000, .fingerprint = KEY},
	    .host = "2001:db8::7",
	    .pass = TOKEN,
	    .expires_in = 3600};
	const struct ipc_login *login;
	const struct ipc_answer *consent;
	const struct ipc_user *user;

	begin();
	say("{\"op\":\"login\",\"user\":\"al\",\"password\":\"x\","
	    "\"peer_port\":40000,\"peer_fingerprint\":\"" KEY "\"}\n"
	    "{\"op\":\"ask\"," AUTH ",\"to\":\"Bob\"}\n"
	    "{\"op\":\"ask\"," AUTH ",\"to\":\"no name\"}\n"
	    "{\"op\":\"answer\"," AUTH ",\"request\":\"short\","
	    "\"accept\":true}\n"
	    "{\"op\":\"answer\"," AUTH ",\"request\":"
	    "\"0123456789abcdefABCDEF\",\"accept\":true}\n"
	    "{\"op\":\"answer\"," AUTH ",\"request\":"
	    "\"0123456789abcdefABCDEF\",\"accept\":false}\n"
	    "{\"op\":\"hangup\"," AUTH ",\"user\":\"Bob\"}\n"
	    "{\"op\":\"login\",\"user\":\"al\",\"password\":\"x\","
	    "\"peer_fingerprint\":\"md5//x\"}\n");
	ok(store_gets(IPC_LOGIN), "a login");
	login = stage.frame.body;
	ok(login->peer.port == 40000 &&
		strcmp(login->peer.fingerprint, KEY) == 0,
	    "brings where links are taken, and the key");
	answer_no(1, ERR_LOGIN_FAILED, 0, "");
	hear_no("login-failed", "");
	ok(store_gets(IPC_ASK), "ask is asked");
	user = stage.frame.body;
	is(user->user, "bob", "with the name folded");
	ok(store_gets(IPC_ANSWER), "answer is asked");
	consent = stage.frame.body;
	ok(consent->accept &&
		strcmp(consent->request, "0123456789abcdefABCDEF") == 0,
	    "with its members");
	ok(store_gets(IPC_ANSWER), "and once more");
	consent = stage.frame.body;
	ok(!consent->accept, "for a no");
	ok(store_gets(IPC_HANGUP), "hangup is asked");
	answer(IPC_ASKED, 2, &asked, NULL, 0);
	answer(IPC_ANSWERED, 3, &yes, NULL, 0);
	answer(IPC_ANSWERED, 4, &(struct ipc_answered){.accepted = 0}, NULL, 0);
	answer(IPC_DONE, 5, NULL, NULL, 0);
	ok(hear_yes(0) && said("request", asked.request) &&
		counted("expires_in", 60),
	    "a question has a name and a time");
	ok(hear_no("no-such-user", ""), "a name that is none is nobody");
	ok(hear_no("expired", ""), "nor is that a question's");
	ok(hear_yes(0) && said("user", "bob") && said("fingerprint", KEY) &&
		said("host", "2001:db8::7") && counted("port", 40000) &&
		said("pass", TOKEN) && counted("expires_in", 3600),
	    "a yes is told with all of the link");
	ok(hear_yes(0) && json_object_size(stage.reply) == 1,
	    "a no with nothing");
	ok(hear_yes(0), "hangup is done");
	ok(hear_no("bad-request", "peer_fingerprint"),
	    "what is no fingerprint is malformed");
	end();
}

/* Refusals that do not end the connection, with their members. */
/* A login's question, and whether its keys are those of our own exporter. */
static bool
offered(struct ipc_beacon *beacon)
{
	uint8_t context[BEACON_CONTEXT_LEN];
	struct beacon_keys keys;

	if (!store_gets(IPC_LOGIN))
		return false;
	*beacon = ((const struct ipc_login *)stage.frame.body)->beacon;
	beacon_context(beacon->id, context);
	return beacon->id != 0 &&
	    tls_export(&stage.client, BEACON_LABEL, context, sizeof(context),
		&keys, sizeof(keys)) == 0 &&
	    memcmp(&keys, &beacon->keys, sizeof(keys)) == 0;
}

static void
test_beacon(void)
{
	struct ipc_welcome welcome = {
	    .token = TOKEN, .user = "alice", .epoch = EPOCH};
	struct ipc_beacon first, second;
	char text[BEACON_ID_TEXT + 1];

	settings.beacon_enabled = true;
	begin();
	say("{\"op\":\"login\",\"user\":\"a\",\"password\":\"x\",\"tag\":1}\n"
	    "{\"op\":\"login\",\"user\":\"a\",\"password\":\"x\",\"tag\":2}\n");
	ok(offered(&first), "a login comes with the keys that both ends have");
	welcome.beacon = first.id;
	answer(IPC_WELCOME, 1, &welcome, NULL, 0);
	beacon_id_text(first.id, text);
	ok(hear_yes(1) && said("beacon", text), "the client is told the id");
	ok(offered(&second) && first.id != second.id &&
		memcmp(&first.keys, &second.keys, sizeof(first.keys)) != 0,
	    "the next login has others");
	welcome.beacon = 0;
	answer(IPC_WELCOME, 2, &welcome, NULL, 0);
	ok(hear_yes(2) && json_is_null(json_object_get(stage.reply, "beacon")),
	    "which the store need not take");
	end();
	settings.beacon_enabled = false;
}

static void
test_refused(void)
{
	begin();
	say("{\"op\":\"login\",\"user\":\"al\",\"password\":\"x\"}\n"
	    "{\"op\":\"password\"," AUTH ",\"old\":\"a\",\"new\":\"b\"}\n"
	    "{\"op\":\"logout\"," AUTH "}\n"
	    "{\"op\":\"unblock\"," AUTH ",\"user\":\"bob\"}\n"
	    "{\"op\":\"register\",\"user\":\"al\",\"password\":\"x\"}\n");
	ok(store_gets(IPC_LOGIN), "a login");
	answer_no(1, ERR_LOGIN_FAILED, 0, "");
	ok(hear_no("login-failed", "wrong") && counted("attempts_left", 2),
	    "fails with the attempts that are left");
	ok(store_gets(IPC_PASSWORD), "a change of password");
	answer_no(2, ERR_LOGIN_BLOCKED, 42, "Later.");
	ok(hear_no("login-blocked", "Later.") && counted("retry_after", 42) &&
		!json_object_get(stage.reply, "attempts_left"),
	    "is blocked, with the time and the store's words");
	ok(store_gets(IPC_LOGOUT) && store_gets(IPC_UNBLOCK) &&
		store_gets(IPC_REGISTER),
	    "the next three go together");
	answer_no(3, ERR_SESSION_REPLACED, 0, "");
	answer(IPC_DONE, 4, NULL, NULL, 0);
	answer_no(5, ERR_NOT_ALLOWED, 0, "");
	ok(hear_no("session-replaced", "") && said("address", "192.0.2.9") &&
		said("time", "1970-01-01T00:00:01.000Z"),
	    "a replaced session learns from where and when");
	ok(hear_yes(0) && hear_no("not-allowed", ""), "the others too");
	ok(end() == WORKER_REFUSED, "a failed login is told the master");
}

/* After a malformed line nothing is executed. */
static void
test_malformed(void)
{
	char line[256];

	begin();
	snprintf(line, sizeof(line), LIVE, 1);
	say(line);
	ok(store_gets(IPC_LIVE), "one request");
	say("{\"op\":\"fly\",\"tag\":2}\n"
	    "{\"op\":\"logout\"," AUTH "}\n");
	answer_heads(1);
	ok(hear_yes(1), "is answered");
	ok(hear_no("bad-request", "fly") && counted("tag", 2),
	    "the malformed one is refused, and says why");
	ok(hear_end(), "the connection ends");
	ok(store_ends(), "and the next is not executed");
	ok(end() == WORKER_MALFORMED, "the master hears of it");

	begin();
	say("{\"op\":\"logout\"," AUTH "}\n{\"op\":\"hello\"}\n"
	    "{\"op\":\"fly\"}\n");
	ok(store_gets(IPC_LOGOUT), "another");
	answer_no(1, ERR_BAD_REQUEST, 0, "No.");
	ok(hear_no("bad-request", "No.") && hear_end(),
	    "that the store calls malformed ends likewise");
	ok(end() == WORKER_MALFORMED, "the master hears of it");
}

/* After an error that is tried again nothing is executed. */
static void
test_busy(void)
{
	static const enum wire_error again[] = {
	    ERR_BUSY, ERR_RATE_LIMITED, ERR_READ_ONLY, ERR_INTERNAL};
	char lines[1024];
	int len = 0;

	for (int i = 1; i <= 4; i++)
		len +=
		    snprintf(lines + len, sizeof(lines) - (size_t)len, LIVE, i);
	for (size_t i = 0; i < sizeof(again) / sizeof(again[0]); i++) {
		const char *name = wire_error_name(again[i]);

		begin();
		say(lines);
		ok(store_gets(IPC_LIVE) && store_gets(IPC_LIVE) &&
			store_gets(IPC_LIVE) && store_gets(IPC_LIVE),
		    "four are under way");
		answer_heads(1);
		answer_no(2, again[i], 9, "");
		ok(hear_yes(1) && hear_no(name, "") &&
			counted("retry_after", 9),
		    "%s is told in its turn", name);
		ok(hear_end() && end() == WORKER_SERVED, "%s is the last reply",
		    name);
	}
}

/* The store dies, is silent, or talks nonsense. */
static void
test_store_lost(void)
{
	char lines[1024];
	int len = 0;

	for (int i = 1; i <= 3; i++)
		len +=
		    snprintf(lines + len, sizeof(lines) - (size_t)len, LIVE, i);
	begin();
	say(lines);
	store_gets(IPC_LIVE);
	/* Two requests are unread: it meets a reset before the answer. */
	kill(stage.worker, SIGSTOP);
	answer_heads(1);
	close(stage.store);
	stage.store = -1;
	kill(stage.worker, SIGCONT);
	ok(hear_yes(1), "an answer that was sent is told");
	ok(hear_no("busy", "") && counted("tag", 2) &&
		counted("retry_after", 1),
	    "the first unanswered is told to try again");
	ok(hear_end() && end() == WORKER_STORE_LOST, "that is the end");

	begin();
	close(stage.store);
	stage.store = -1;
	say(lines);
	ok(hear_no("busy", "") && hear_end(), "a store that is gone is busy");
	ok(end() == WORKER_STORE_LOST, "the master hears of it");

	begin();
	say(lines);
	ok(hear_no("busy", "") && hear_end(), "a silent store is busy");
	ok(end() == WORKER_STORE_LOST, "the master hears of it");

	begin();
	say(lines);
	store_gets(IPC_LIVE);
	answer(IPC_DONE, 1, NULL, NULL, 0);
	ok(hear_no("busy", "") && hear_end() && end() == WORKER_STORE_LOST,
	    "an answer to another question is none");

	begin();
	say(lines);
	store_gets(IPC_LIVE);
	answer_heads(7);
	ok(hear_no("busy", "") && hear_end() && end() == WORKER_STORE_LOST,
	    "an answer to another request is none");
}

/* A channel that takes little at a time changes nothing. */
static void
test_full_channel(void)
{
	enum { COUNT = 12, LEN = 1000 }; /* one TLS record */
	struct ipc_sent sent = {.time = 1000};
	int tcp = begin_plain(2 * LEN), good = 0;
	char *lines = malloc(COUNT * (LEN + 256)), text[LEN + 1];
	size_t len = 0;

	memset(text, 'x', LEN);
	text[LEN] = '\0';
	for (int i = 1; i <= COUNT; i++)
		len += (size_t)sprintf(lines + len,
		    "{\"op\":\"send\"," AUTH "," ID
		    ",\"to\":\"bob\",\"text\":\"%s\",\"tag\":%d}\n",
		    text, i);
	tls_conn_open(&stage.client, client, tcp, false, NULL);
	tls_handshake(&stage.client, TLS_ALPN_CENTRE, clock_mono() + WAIT_MS);
	say(lines);
	free(lines);
	for (uint32_t i = 1; i <= COUNT; i++) {
		good += store_gets(IPC_SEND) && stage.frame.number == i &&
		    stage.frame.tail_len == LEN;
		answer(IPC_SENT, i, &sent, NULL, 0);
	}
	ok(good == COUNT, "all get through a narrow channel");
	for (int i = 1; i <= COUNT; i++)
		good -= hear_yes(i);
	ok(good == 0, "and are answered in order");
	ok(end() == WORKER_SERVED, "and served");
}

int
main(void)
{
	stage_open();
	test_hello();
	test_order();
	test_login();
	test_beacon();
	test_links();
	test_refused();
	test_malformed();
	test_busy();
	test_store_lost();
	test_full_channel();
	return stage_close();
}
