/* SPDX-License-Identifier: ISC */
/*
 * The stage of the tests of private links: bob and mallory with keys of
 * their own, what the centre says to alice's agent, what her face hears.
 */
#ifndef UNIT_PRIVATE_STAGE_H
#define UNIT_PRIVATE_STAGE_H

#include "agent-stage.h"

#include <sys/stat.h>

#include "chat/agent/identity.h"

#define PASS "0123456789abcdefghijklmnopqrstuvwxyzABCDEF-"
#define OTHER_PASS "9876543210abcdefghijklmnopqrstuvwxyzABCDEF-"
#define REQUEST "QQQQQQQQQQQQQQQQQQQQQQ"
#define ID_1 "1111111111111111111111"
#define ID_2 "2222222222222222222222"

static struct identity bob, mallory;
static SSL_CTX *bob_takes, *bob_calls, *mallory_takes, *mallory_calls;
static int door = -1; /* where bob listens */
static int mail; /* the centre's head of the mailbox */
static int alice_port;
static char id[64]; /* of the message that bob has read last */

/* ---- bob */

/* Somebody with a key. */
static inline void
person(const char *name, struct identity *identity)
{
	char dir[128], why[IDENTITY_WHY_LEN];

	snprintf(dir, sizeof(dir), "%s/%s", house.dir, name);
	must(mkdir(dir, 0700) == 0 && identity_load(identity, dir, why) == 0,
	    "no identity");
}

static inline SSL_CTX *
context(const struct identity *who, bool server)
{
	char why[TLS_WHY_LEN];
	SSL_CTX *ctx = server
	    ? tls_peer_server_new(who->cert, who->key, TLS_ALPN_PEER, why)
	    : tls_peer_client_new(who->cert, who->key, TLS_ALPN_PEER, why);

	must(ctx != NULL, why);
	return ctx;
}

/* Bob listens; the port. */
static inline int
bob_listens(void)
{
	struct sockaddr_in addr = {
	    .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	socklen_t len = sizeof(addr);

	door = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	must(door != -1 &&
		bind(door, (struct sockaddr *)&addr, sizeof(addr)) == 0 &&
		listen(door, 16) == 0 &&
		getsockname(door, (struct sockaddr *)&addr, &len) == 0,
	    "cannot listen");
	return ntohs(addr.sin_port);
}

/* Takes one call, reads a line, says reply (NULL: hangs up), what was said. */
static inline const char *
bob_hears(SSL_CTX *ctx, const char *answer)
{
	static char said[256];
	char why[WIRE_WHY_LEN], *text;
	struct tls_conn peer;
	json_t *object;
	size_t len;

	*said = '\0';
	if (!waits(door, SOON))
		return "nobody calls";
	must(tls_conn_open(&peer, ctx, accept(door, NULL, NULL), true, NULL) ==
		0,
	    peer.why);
	if (tls_handshake(&peer, TLS_ALPN_PEER, soon(SOON)) == TLS_OK &&
	    tls_read_line(&peer, &text, &len, soon(SOON)) == TLS_OK &&
	    (object = wire_object(text, len, why)) != NULL) {
		snprintf(id, sizeof(id), "%s", member(object, "id"));
		snprintf(said, sizeof(said), "%s %s %s", member(object, "pass"),
		    member(object, "from"), member(object, "text"));
		json_decref(object);
		if (answer != NULL)
			tls_write(&peer, answer, strlen(answer), soon(SOON));
	}
	tls_conn_close(&peer, answer != NULL ? 200 : 0);
	return said;
}

/* Bob, or who says so, sends alice a line: what she says to it. */
static inline const char *
alice_says(SSL_CTX *ctx, const char *pass, const char *own, const char *text)
{
	static char reply[256];
	struct sockaddr_in to = {.sin_family = AF_INET,
	    .sin_port = htons((uint16_t)alice_port),
	    .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	char out[512], why[WIRE_WHY_LEN], *got;
	struct tls_conn peer;
	json_t *object;
	size_t len;
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	if (connect(fd, (struct sockaddr *)&to, sizeof(to)) == -1) {
		close(fd);
		return "unreachable";
	}
	snprintf(out, sizeof(out),
	    "{\"op\":\"private\",\"pass\":\"%s\",\"from\":\"bob\","
	    "\"id\":\"%s\",\"text\":\"%s\"}\n",
	    pass, own, text);
	snprintf(reply, sizeof(reply), "nothing");
	must(tls_conn_open(&peer, ctx, fd, false, NULL) == 0, peer.why);
	if (tls_handshake(&peer, TLS_ALPN_PEER, soon(SOON)) == TLS_OK &&
	    tls_write(&peer, out, strlen(out), soon(SOON)) == TLS_OK &&
	    tls_read_line(&peer, &got, &len, soon(SOON)) == TLS_OK &&
	    (object = wire_object(got, len, why)) != NULL) {
		snprintf(reply, sizeof(reply), "%s",
		    wire_get_bool(object, "ok") ? "ok"
						: member(object, "error"));
		json_decref(object);
	}
	tls_conn_close(&peer, 0);
	return reply;
}

/* ---- the centre */

/* The next request that is no sync; those get nothing. */
static inline void
next_is(const char *op)
{
	int left = SPIN;

	while (hear(SOON) != NULL &&
	    strcmp(member(request, "op"), "sync") == 0 && left-- > 0)
		reply(SYNC, "", mail, 5, "false");
	is(member(request, "op"), op, "the centre is asked: %s", op);
}

/* The sync that goes with every request brings nothing. */
static inline void
settled(void)
{
	asked("sync");
	reply(SYNC, "", mail, 5, "false");
}

/* It brings this, and the next one says that it is stored. */
static inline void
brings(const char *event)
{
	asked("sync");
	mail++;
	reply(SYNC, event, mail, 5, "false");
	asked("sync");
	is_number(wire_get_number(request, "mail", -1), mail, "it is stored");
	reply(SYNC, "", mail, 5, "false");
}

/* Something has come for alice, which she gets without a knock. */
static inline void
news(const char *event)
{
	wish("unblock", "user", "carol", NULL, NULL);
	next_is("unblock");
	reply("\"ok\":true");
	brings(event);
	told("tag", NULL);
}

/* Alice has logged in, and all is quiet. */
static inline void
quiet_login(const char *name)
{
	mail = 5;
	begin(name);
	knock("30", "100");
	wish("login", "password", "secret", NULL, NULL);
	asked("login");
	alice_port = (int)wire_get_number(request, "peer_port", 0);
	reply(LOGIN);
	told("user", "alice");
	wish("watch", NULL, NULL, NULL, NULL);
	told("ok", NULL);
	asked("sync");
	reply(SYNC, "", mail, 5, "false");
}

/* An event of a link with bob, in turn valid until the next. */
static inline const char *
address(const struct identity *who, int port, const char *pass, int seconds)
{
	static char event[512];

	snprintf(event, sizeof(event),
	    "{\"type\":\"address\",\"mail\":%d," TIME ",\"request\":\"" REQUEST
	    "\",\"user\":\"bob\",\"host\":\"127.0.0.1\",\"port\":%d,"
	    "\"fingerprint\":\"%s\",\"pass\":\"%s\",\"expires_in\":%d}",
	    mail + 1, port, who->pin, pass, seconds);
	return event;
}

static inline const char *
hangup(const char *reason)
{
	static char event[256];

	snprintf(event, sizeof(event),
	    "{\"type\":\"hangup\",\"mail\":%d," TIME
	    ",\"user\":\"bob\",\"reason\":\"%s\"}",
	    mail + 1, reason);
	return event;
}

static inline const char *
question(const struct identity *who, int seconds)
{
	static char event[512];

	snprintf(event, sizeof(event),
	    "{\"type\":\"ask\",\"mail\":%d," TIME ",\"request\":\"" REQUEST
	    "\",\"from\":\"bob\",\"fingerprint\":\"%s\",\"expires_in\":%d}",
	    mail + 1, who->pin, seconds);
	return event;
}

/* Alice asks bob, and the centre takes it; what comes of it may be there. */
static inline void
asks(const char *event)
{
	wish("ask", "to", "bob", NULL, NULL);
	next_is("ask");
	reply("\"ok\":true,\"request\":\"" REQUEST "\",\"expires_in\":60");
	if (event != NULL)
		brings(event);
	else
		settled();
	told("state", "waiting");
}

/* Bob agrees. */
static inline void
linked(int port)
{
	asks(address(&bob, port, PASS, 60));
	told("event", "address");
}

/* ---- the face */

/* How the private message that alice has sent is answered. */
static inline void
fares(const char *wanted, const char *what)
{
	const json_t *got = told("tag", NULL);
	const char *error = member(got, "error");

	is(*error != '\0' ? error : member(got, "state"), wanted, "%s", what);
}

static inline void
says(const char *text)
{
	wish("private", "to", "bob", "text", text);
}

/* The face is told of a link's end. */
static inline void
ends(const char *reason)
{
	told("event", "hangup");
	is(member(line, "reason"), reason, "the link has ended: %s", reason);
}

#endif
