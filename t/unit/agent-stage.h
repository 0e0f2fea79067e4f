/* SPDX-License-Identifier: ISC */
/*
 * An agent between a centre and a face that are the test's own: the words in
 * which the agent's tests are written.  Included by one file of each program.
 */
#ifndef AGENT_STAGE_H
#define AGENT_STAGE_H

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
static bool no_links; /* the next agent has them turned off */
static json_t *request; /* the last one */
static json_t *line; /* the face's last one */

/* ---- the centre */

static inline void
hang_up(void)
{
	if (connected)
		tls_conn_close(&conn, 0);
	connected = false;
}

/* True if the descriptor has something to read within ms. */
static inline bool
waits(int fd, int64_t ms)
{
	struct pollfd pfd = {.fd = fd, .events = POLLIN};

	return poll(&pfd, 1, (int)ms) == 1;
}

/* Reads the next request, of the next caller where need be; NULL: none. */
static inline json_t *
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
static inline const char *
member(const json_t *object, const char *key)
{
	const char *value = wire_get_string(object, key);

	return value != NULL ? value : "";
}

/* The next request that is asked is this one. */
static inline bool
asked(const char *op)
{
	const char *got = member(hear(SOON), "op");

	return strcmp(got, op) == 0 || is(got, op, "the next request");
}

/* Sends a line as it is. */
static inline void
raw(const char *text)
{
	if (!connected)
		return;
	tls_write(&conn, text, strlen(text), soon(SOON));
	tls_write(&conn, "\n", 1, soon(SOON));
}

/* Sends a reply of these members, with the request's tag. */
__attribute__((format(printf, 1, 2))) static inline void
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
static inline int
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
static inline const json_t *
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
static inline void
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

static inline void
wish_send(const char *text)
{
	wish("send", "to", "bob", "text", text);
}

/* ---- beginnings and ends */

/* An agent of its own, with a face. */
static inline void
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
	account.private_enabled = !no_links;
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

/* Kills the agent and starts another one for the same account. */
static inline void
another_agent(void)
{
	char why[1024];
	struct ucred peer;
	socklen_t len = sizeof(peer);

	kill(agent, SIGKILL);
	hang_up();
	/* It has let go of everything once this end says so. */
	while (face_read(&face))
		do {
			json_decref(line);
			line = face_next(&face);
		} while (line != NULL);
	face_close(&face);
	must(agent_start(&account, why, sizeof(why)) == 0 &&
		face_open(&face, account.socket, -1) == 0,
	    "no second agent");
	getsockopt(face.fd, SOL_SOCKET, SO_PEERCRED, &peer, &len);
	agent = peer.pid;
}

static inline void
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
static inline void
knock(const char *heartbeat, const char *bytes)
{
	wish("login", NULL, NULL, NULL, NULL);
	asked("hello");
	reply(HELLO, heartbeat, bytes);
	told("error", NULL);
}

/* Logs in, and is about to sync. */
static inline void
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

/* Once more from the start, where what was freed makes no sense. */
static inline void
spoil_freed(char **argv)
{
	if (getenv("GLIBC_TUNABLES") != NULL)
		return;
	setenv("GLIBC_TUNABLES",
	    "glibc.malloc.tcache_count=0:glibc.malloc.perturb=90", 1);
	execv("/proc/self/exe", argv);
	must(false, "cannot start again");
}

/* Listens as the centre, there. */
static inline void
stage_listen(const struct sockaddr_in *addr)
{
	int on = 1;

	listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	must(listener != -1 &&
		setsockopt(
		    listener, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on)) == 0 &&
		bind(listener, (const struct sockaddr *)addr, sizeof(*addr)) ==
		    0 &&
		listen(listener, 16) == 0,
	    "cannot listen");
}

/* Listens as the centre; the first thing that a test does. */
static inline void
stage_open(void)
{
	struct sockaddr_in addr = {
	    .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};

	signal(SIGPIPE, SIG_IGN);
	house_build(&house);
	stage_listen(&addr);
}

/* Leaves nothing; the exit status. */
static inline int
stage_close(void)
{
	char command[128];

	json_decref(request);
	json_decref(line);
	snprintf(command, sizeof(command), "rm -rf %s", house.dir);
	if (system(command) != 0)
		puts("# the directory stays");
	return done();
}

#endif
