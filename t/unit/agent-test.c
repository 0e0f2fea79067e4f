/* SPDX-License-Identifier: ISC */
/*
 * The agent against a centre that does not keep to the protocol: replies of
 * the wrong form, too many, too few, cursors that jump, numbers that make no
 * sense.  The centre and the face are the test's own; the agent is a process.
 */
#include "tap.h"

#include <poll.h>
#include <signal.h>
#include <stdarg.h>

#include <jansson.h>

#include "chat/account.h"
#include "chat/agent/start.h"
#include "chat/faces/face.h"
#include "lib/wire.h"
#include "tls-peer.h"

#define TOKEN "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMN-_0"
#define EPOCH "0123456789abcdef"
#define TIME "\"time\":\"2026-11-22T14:03:05.123Z\""
#define HELLO                                          \
	"\"ok\":true,\"protocol\":1,\"heartbeat\":%s," \
	"\"limits\":{\"message_bytes\":%s}," TIME
#define LOGIN                                                          \
	"\"ok\":true,\"token\":\"" TOKEN "\",\"epoch\":\"" EPOCH "\"," \
	"\"mail\":5,\"room\":5," TIME
#define SYNC                                                               \
	"\"ok\":true,\"epoch\":\"" EPOCH "\",\"events\":[%s],\"mail\":%d," \
	"\"room\":%d,\"more\":%s"
#define MESSAGE(from, id, text)                                      \
	"{\"type\":\"message\",\"mail\":6," TIME ",\"from\":\"" from \
	"\",\"id\":\"" id "\",\"text\":\"" text "\"}"

enum {
	EDGE = 900, /* ms: well below the 2 s of a poll */
	SPIN = 30, /* an agent that asks so often is out of its mind */
};

static struct house house;
static struct account account;
static struct face face;
static pid_t agent;
static int listener = -1;
static struct tls_conn conn;
static bool connected;
static json_t *request; /* the last one */
static json_t *line; /* the face's last one */

/* ---- the centre */

static void
hang_up(void)
{
	if (connected)
		tls_conn_close(&conn, 0);
	connected = false;
}

/* True if the descriptor has something to read within ms. */
static bool
waits(int fd, int64_t ms)
{
	struct pollfd pfd = {.fd = fd, .events = POLLIN};

	return poll(&pfd, 1, (int)ms) == 1;
}

/* Reads the next request, of the next caller where need be; NULL: none. */
static json_t *
hear(int64_t ms)
{
	char why[WIRE_WHY_LEN], *text;
	int64_t until = soon(ms);
	size_t len;

	json_decref(request);
	request = NULL;
	while (request == NULL && clock_mono() < until) {
		if (!connected && !waits(listener, until - clock_mono()))
			return NULL;
		if (!connected) {
			connected = true;
			if (serve(&conn, house.server,
				accept(listener, NULL, NULL)) != TLS_OK)
				hang_up();
			continue;
		}
		if (tls_read_line(&conn, &text, &len, until) == TLS_OK)
			request = wire_object(text, len, why);
		else
			hang_up();
	}
	return request;
}

/* A member of an object, or "". */
static const char *
member(const json_t *object, const char *key)
{
	const char *value = wire_get_string(object, key);

	return value != NULL ? value : "";
}

/* The next request that is asked is this one. */
static bool
asked(const char *op)
{
	const char *got = member(hear(SOON), "op");

	return strcmp(got, op) == 0 || is(got, op, "the next request");
}

/* Sends a line as it is. */
static void
raw(const char *text)
{
	if (!connected)
		return;
	tls_write(&conn, text, strlen(text), soon(SOON));
	tls_write(&conn, "\n", 1, soon(SOON));
}

/* Sends a reply of these members, with the request's tag. */
__attribute__((format(printf, 1, 2))) static void
reply(const char *fmt, ...)
{
	json_t *tag = json_object_get(request, "tag");
	char *text, *whole, *value = json_dumps(tag, JSON_ENCODE_ANY);
	va_list args;

	va_start(args, fmt);
	must(vasprintf(&text, fmt, args) != -1, "no memory");
	va_end(args);
	must(asprintf(&whole, "{%s%s%s}", text, tag != NULL ? ",\"tag\":" : "",
		 tag != NULL ? value : "") != -1,
	    "no memory");
	raw(whole);
	free(whole);
	free(text);
	free(value);
}

/* Answers all that comes, until nothing has come for so long; how often. */
static int
quiet(int64_t ms, int most)
{
	int count = 0;

	while (count < most && hear(ms) != NULL) {
		count++;
		if (strcmp(member(request, "op"), "sync") == 0)
			reply(SYNC, "", 5, 5, "false");
		else
			reply("\"ok\":true,\"state\":\"accepted\"");
	}
	return count;
}

/* ---- the face */

/* The face's next line that has this member; NULL if none comes. */
static const json_t *
told(const char *key, const char *value)
{
	int64_t until = soon(SOON);
	const char *got;

	while (clock_mono() < until) {
		json_decref(line);
		line = face_next(&face);
		got = member(line, key);
		if (line != NULL &&
		    (value == NULL ? json_object_get(line, key) != NULL
				   : got != NULL && strcmp(got, value) == 0))
			return line;
		if (line == NULL && waits(face.fd, 100) && !face_read(&face))
			return NULL;
	}
	return NULL;
}

/* Asks the agent something with up to two members. */
static void
wish(const char *name, const char *key, const char *value, const char *key2,
    const char *value2)
{
	json_t *object = face_request(name);

	if (key != NULL)
		json_object_set_new(object, key, json_string(value));
	if (key2 != NULL)
		json_object_set_new(object, key2, json_string(value2));
	face_say(&face, object);
}

static void
wish_send(const char *text)
{
	wish("send", "to", "bob", "text", text);
}

/* ---- beginnings and ends */

/* An agent of its own, with a face. */
static void
begin(const char *name)
{
	static int count;
	char state[128], why[1024], where[64];
	struct sockaddr_in addr;
	socklen_t len = sizeof(addr);
	struct ucred peer;
	static char pin[TLS_PIN_LEN + 1];

	printf("# %s\n", name);
	fflush(stdout);
	getsockname(listener, (struct sockaddr *)&addr, &len);
	snprintf(
	    where, sizeof(where), "alice@127.0.0.1:%d", ntohs(addr.sin_port));
	snprintf(state, sizeof(state), "%s/%d", house.dir, ++count);
	tls_pin(house.x509, pin);
	account_init(&account);
	must(account_centre(&account, where, why) == 0 &&
		account_pin(&account, pin, why) == 0 &&
		account_place(&account, state, why) == 0 &&
		agent_start(&account, why, sizeof(why)) == 0,
	    why);
	must(face_open(&face, account.socket, -1) == 0, "no agent");
	len = sizeof(peer);
	getsockopt(face.fd, SOL_SOCKET, SO_PEERCRED, &peer, &len);
	agent = peer.pid;
}

static void
finish(void)
{
	kill(agent, SIGKILL);
	hang_up();
	while (waits(listener, 0))
		close(accept(listener, NULL, NULL));
	face_close(&face);
	account_release(&account);
}

/* Knocks, with this heartbeat and message_bytes. */
static void
knock(const char *heartbeat, const char *bytes)
{
	wish("login", NULL, NULL, NULL, NULL);
	asked("hello");
	reply(HELLO, heartbeat, bytes);
	told("error", NULL);
}

/* Logs in, and is about to sync. */
static void
enter(const char *name, const char *heartbeat, const char *bytes)
{
	begin(name);
	knock(heartbeat, bytes);
	wish("login", "password", "secret", NULL, NULL);
	asked("login");
	reply(LOGIN);
	told("user", "alice");
	wish("watch", NULL, NULL, NULL, NULL);
	told("ok", NULL); /* what comes before it would not be told */
	asked("sync");
}

/* ---- what a centre may get wrong */

static void
test_more(void)
{
	enter("events can be fewer than none", "30", "100");
	reply(SYNC, "", 6, 7, "true");
	ok(hear(EDGE) != NULL, "more is fetched at once");
	is_number(wire_get_number(request, "mail", -1), 6, "from there on");
	is_number(wire_get_number(request, "room", -1), 7, "likewise");
	for (int i = 0; i < 3 && request != NULL; i++) {
		reply(SYNC, "", 6, 7, "true");
		hear(EDGE);
	}
	ok(request == NULL, "but not for ever if nothing comes of it");
	finish();
}

static void
test_cursors(void)
{
	enter("cursors never go back", "30", "100");
	reply(SYNC, "", -3, 6, "true");
	asked("sync");
	is_number(wire_get_number(request, "mail", -1), 5, "not below 0");
	reply(SYNC, "", 6, 2, "true");
	asked("sync");
	is_number(wire_get_number(request, "room", -1), 6, "nor at all");
	finish();
}

/* These are no replies to a sync; the agent asks again and stays. */
static void
test_forms(void)
{
	static const char *const forms[] = {
	    "\"ok\":true",
	    "\"ok\":true,\"epoch\":\"" EPOCH "\",\"events\":7,\"mail\":9,"
	    "\"room\":9,\"more\":false",
	    "\"ok\":true,\"epoch\":\"" EPOCH "\",\"events\":[],\"mail\":\"9\","
	    "\"room\":9,\"more\":false",
	    "\"ok\":true,\"epoch\":1,\"events\":[],\"mail\":9,\"room\":9",
	    "\"ok\":1",
	    "\"ok\":false",
	};

	enter("wrong types", "30", "100");
	for (size_t i = 0; i < sizeof(forms) / sizeof(*forms); i++) {
		reply("%s", forms[i]);
		if (!asked("sync"))
			break;
		is_number(wire_get_number(request, "mail", -1), 5,
		    "{%s} moves nothing", forms[i]);
		/* What is right ends the pauses; one more of them. */
		reply(SYNC, "", 5, 5, "false");
		wish("sync", NULL, NULL, NULL, NULL);
		asked("sync");
	}
	finish();
}

/* What is no reply settles no message. */
static void
test_garbage(void)
{
	static const char *const lines[] = {"{}", "[]", "null",
	    "{\"ok\":\"yes\"}", "{\"ok\":false}",
	    "{\"ok\":true,\"tag\":\"another\",\"state\":\"accepted\"}",
	    "{\"ok\":true,\"state\":\"accepted\"}"};
	char id[ID_MAX_LEN + 1];

	enter("garbage", "30", "100");
	reply(SYNC, "", 5, 5, "false");
	for (size_t i = 0; i < sizeof(lines) / sizeof(*lines); i++) {
		wish_send("precious");
		if (!asked("send"))
			break;
		snprintf(id, sizeof(id), "%s", member(request, "id"));
		raw(lines[i]);
		hang_up();
		asked("send");
		is(member(request, "id"), id,
		    "after %s the message is tried again", lines[i]);
		reply("\"ok\":true,\"state\":\"accepted\",\"online\":true");
		asked("sync");
		reply(SYNC, "", 5, 5, "false");
		ok(told("state", "accepted") != NULL, "until it is accepted");
		is(member(line, "id"), id, "the same one");
	}
	finish();
}

/* A reply too many is not taken for the next one. */
static void
test_surplus(void)
{
	enter("a reply too many", "30", "100");
	wish_send("precious");
	told("state", "queued");
	reply(SYNC ",\"x\":{}}\n{\"ok\":true,\"state\":\"accepted\"", "", 5, 5,
	    "false");
	asked("send");
	hang_up();
	ok(hear(SOON) != NULL, "the agent comes again");
	is(member(request, "op"), "send", "with its message");
	finish();
}

static void
test_numbers(void)
{
	int count;

	enter("a heartbeat of nothing", "0.0001", "-7");
	reply(SYNC, "", 5, 5, "false");
	count = quiet(EDGE, SPIN);
	ok(count < SPIN, "is not followed (%d requests)", count);
	wish_send("hi");
	ok(told("state", NULL) != NULL &&
		strcmp(member(line, "state"), "queued") == 0,
	    "a message of two bytes fits whatever is claimed");
	finish();
	begin("a number beyond all");
	knock("99999999999999999999999999", "100");
	wish("status", NULL, NULL, NULL, NULL);
	ok(told("queued", NULL) != NULL || told("user", NULL) != NULL,
	    "breaks nothing");
	finish();
}

/* Logins that are none. */
static void
test_login(void)
{
	static const char *const logins[] = {
	    "\"ok\":true",
	    "\"ok\":true,\"token\":\"\",\"epoch\":\"" EPOCH "\"",
	    "\"ok\":true,\"token\":7,\"epoch\":\"" EPOCH "\"",
	    "\"ok\":true,\"token\":\"" TOKEN TOKEN "\",\"epoch\":\"" EPOCH "\"",
	    "\"ok\":true,\"token\":\"" TOKEN "\"",
	    "\"ok\":true,\"token\":\"" TOKEN "\",\"epoch\":\"short\"",
	};

	begin("logins that are none");
	knock("30", "100");
	for (size_t i = 0; i < sizeof(logins) / sizeof(*logins); i++) {
		wish("login", "password", "secret", NULL, NULL);
		asked("login");
		reply("%s", logins[i]);
		ok(told("ok", NULL) != NULL && !wire_get_bool(line, "ok"),
		    "{%s} is none", logins[i]);
	}
	wish("login", "password", "secret", NULL, NULL);
	asked("login");
	reply("\"ok\":false,\"error\":\"untrusted\",\"trust\":\"unknown\","
	      "\"pin\":\"sha256//x\"");
	told("error", NULL);
	ok(strcmp(member(line, "error"), "untrusted") != 0,
	    "a centre cannot speak in the agent's name");
	finish();
}

/* Names and ids that cannot be are not shown, and harm nobody. */
static void
test_events(void)
{
	static const char events[] = MESSAGE(
	    "bob\\nalice", "AAAAAAAAAAAAAAAA", "one") "," MESSAGE("bob",
	    "!1795356185123 2 x", "two") "," MESSAGE("bob", "BBBBBBBBBBBBBBBB",
	    "three") ",7,{},{\"type\":\"message\"},{\"type\":\"new\"}";

	enter("events", "30", "100");
	reply(SYNC, events, 8, 5, "false");
	ok(told("event", "message") != NULL, "a message comes");
	is(member(line, "text"), "three", "the one that is right");
	asked("sync");
	is_number(
	    wire_get_number(request, "mail", -1), 8, "and the cursor moves");
	finish();
}

static void
test_pages(void)
{
	int count = 0;

	enter("a list without an end", "30", "100");
	reply(SYNC, "", 5, 5, "false");
	wish("online", NULL, NULL, NULL, NULL);
	asked("online");
	while (count++ < SPIN && request != NULL &&
	    strcmp(member(request, "op"), "online") == 0) {
		reply("\"ok\":true,\"users\":[{\"user\":\"bob\"}],"
		      "\"more\":true");
		hear(EDGE);
	}
	ok(count < SPIN, "ends");
	finish();
}

/* A LIVE that is refused for good is not repeated for ever. */
static void
test_live(void)
{
	enter("a LIVE that is refused", "1", "100");
	reply(SYNC, "", 5, 5, "false");
	asked("live");
	reply("\"ok\":false,\"error\":\"bad-request\",\"text\":\"No.\"");
	asked("sync");
	reply("\"ok\":false,\"error\":\"bad-request\",\"text\":\"No.\"");
	ok(told("event", "logged-out") != NULL, "ends the session");
	finish();
}

/* A session that ends is over for those who come after, too. */
static void
test_over(void)
{
	enter("a session that ends", "30", "100");
	reply("\"ok\":false,\"error\":\"session-replaced\","
	      "\"address\":\"192.0.2.9\"," TIME);
	ok(told("event", "logged-out") != NULL, "is said to have ended");
	ok(access(account.socket, F_OK) == -1,
	    "the next face starts an agent of its own");
	finish();
}

/* What is shown, and to whom. */

static const char three[] = MESSAGE(
    "bob", "AAAAAAAAAAAAAAAA", "one") "," MESSAGE("bob", "BBBBBBBBBBBBBBBB",
    "two") "," MESSAGE("bob", "CCCCCCCCCCCCCCCC", "three");

/* Says that all up to a row was shown, and waits until that is noted. */
static void
wish_seen(int64_t row)
{
	json_t *object = face_request("seen");

	json_object_set_new(object, "row", json_integer(row));
	face_say(&face, object);
	told("tag", NULL);
}

/* The face goes and another one comes; the agent stays. */
static void
next_face(void)
{
	face_close(&face);
	must(face_open(&face, account.socket, -1) == 0, "no agent");
	wish("watch", NULL, NULL, NULL, NULL);
	told("ok", NULL);
}

/* The next event from the book has this text; its row, or -1. */
static int64_t
shows(const char *text)
{
	const char *got =
	    told("event", "message") != NULL ? member(line, "text") : "nothing";

	is(got, text, "\"%s\" comes", text);
	return wire_get_number(line, "row", -1);
}

/* Nothing from the book is there for this face. */
static void
shows_nothing(const char *when)
{
	int64_t until = soon(SOON);

	wish("status", NULL, NULL, NULL, NULL);
	json_decref(line);
	/* In order: what there were would come before this answer. */
	while ((line = face_next(&face)) == NULL && clock_mono() < until)
		if (waits(face.fd, 100) && !face_read(&face))
			break;
	ok(json_object_get(line, "session") != NULL, "nothing comes %s", when);
}

static void
test_seen(void)
{
	int64_t one, all;

	enter("what was shown", "30", "100");
	wish("detach", NULL, NULL, NULL, NULL);
	told("tag", NULL);
	reply(SYNC, three, 8, 5, "false");
	one = shows("one");
	shows("two");
	all = shows("three");
	ok(one > 0 && all > one, "each with its row");
	next_face();
	is_number(shows("one"), one, "not confirmed, it comes again");
	wish_seen(one);
	ok(wire_get_bool(line, "ok"), "it is confirmed");
	wish_seen(all + 1);
	is(member(line, "error"), "bad-request", "no more than was given");
	wish_seen(-1);
	is(member(line, "error"), "bad-request", "nor less than nothing");
	next_face();
	shows("two");
	shows("three");
	wish_seen(all);
	kill(agent, SIGKILL);
	hang_up();
	face_close(&face);
	must(agent_start(&account, (char[64]){0}, 64) == 0 &&
		face_open(&face, account.socket, -1) == 0,
	    "no second agent");
	wish("watch", NULL, NULL, NULL, NULL);
	told("ok", NULL);
	shows_nothing("after an agent's death");
	wish("quit", NULL, NULL, NULL, NULL);
	told("ok", NULL);
	finish();
}

/* One face confirms by itself, the other one does not. */
static void
test_automatic(void)
{
	struct face first;
	json_t *object = face_request("watch");

	enter("shown by itself", "30", "100");
	first = face;
	must(face_open(&face, account.socket, -1) == 0, "no agent");
	json_object_set_new(object, "auto", json_true());
	face_say(&face, object);
	told("ok", NULL);
	reply(SYNC, three, 8, 5, "false");
	shows("one");
	shows("two");
	shows("three");
	face_close(&face);
	face = first;
	shows("one");
	shows("two");
	shows("three");
	must(face_open(&first, account.socket, -1) == 0, "no agent");
	next_face();
	shows_nothing("to the next one");
	face_close(&first);
	finish();
}

static void
test_unwatched(void)
{
	begin("a face that does not watch");
	knock("30", "100");
	wish("login", "password", "secret", NULL, NULL);
	asked("login");
	reply(LOGIN);
	told("user", "alice");
	asked("sync");
	wish("sync", NULL, NULL, NULL, NULL);
	reply("\"ok\":false,\"error\":\"session-replaced\","
	      "\"address\":\"192.0.2.9\"," TIME);
	ok(told("error", "logged-out") != NULL, "its request is refused");
	is(member(line, "reason"), "replaced", "with the reason");
	ok(told("event", "logged-out") != NULL, "it hears of the end");
	is(member(line, "address"), "192.0.2.9", "and of who it was");
	wish("online", NULL, NULL, NULL, NULL);
	ok(told("error", "logged-out") != NULL, "also when it asks later");
	finish();
}

int
main(void)
{
	struct sockaddr_in addr = {
	    .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	char command[128];

	signal(SIGPIPE, SIG_IGN);
	house_build(&house);
	listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	must(listener != -1 &&
		bind(listener, (struct sockaddr *)&addr, sizeof(addr)) == 0 &&
		listen(listener, 16) == 0,
	    "cannot listen");
	test_more();
	test_cursors();
	test_forms();
	test_garbage();
	test_surplus();
	test_numbers();
	test_login();
	test_events();
	test_pages();
	test_live();
	test_over();
	test_seen();
	test_automatic();
	test_unwatched();
	json_decref(request);
	json_decref(line);
	snprintf(command, sizeof(command), "rm -rf %s", house.dir);
	if (system(command) != 0)
		puts("# the directory stays");
	return done();
}
