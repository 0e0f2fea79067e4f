/* SPDX-License-Identifier: ISC */
/*
 * A centre that means harm, for the tests of the client: it says no TLS, or
 * nothing, or garbage, or lies in a form that is right.  A program of its own,
 * one process for each connection.  It keeps nothing and believes anything.
 *
 * usage: hostile CERTIFICATE KEY HOW [OP] ; prints its port
 */
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

#include <netinet/in.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>

#include <jansson.h>

#include "lib/tls.h"
#include "lib/unix.h"
#include "lib/wire.h"

enum {
	HOLD_MS = 60000, /* longer than any client may wait */
	FLOOD = 64 << 20, /* octets; more than any client may read */
	STRIDE = 64, /* so many syncs of one login bring something */
	DEEP = 2000,
};

#define TOKEN "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMN-_0"
#define EPOCH "0123456789abcdef"
#define TIME "2026-11-22T14:03:05.123Z"
/* Screen, title and clipboard, a C1 control, right to left, no width. */
#define EVIL                                               \
	"\\u001b[2J\\u001b]0;x\\u0007\\u009b31m\\u202eabc" \
	"\\u200b\\u0085\\r\\b\\u007f\\u2066"

/* The same without controls, which no message may hold. */
#define TRICKY         \
	"\xe2\x80\xae" \
	"abc"          \
	"\xe2\x80\x8b\xe2\x81\xa6\nbob: forged"

/* What all processes share. */
struct shared {
	atomic_int logins, replies;
};

struct hostile {
	const struct how *how;
	const char *op; /* whose replies are spoilt */
	SSL_CTX *ctx;
	struct shared *shared;
	struct tls_conn conn;
	json_t *request;
};

/* One way to be hostile: what is done on TCP, after TLS, to a request. */
struct how {
	const char *name;
	void (*tcp)(int fd);
	void (*tls)(struct hostile *h);
	void (*answer)(struct hostile *h);
};

static int64_t
later(void)
{
	return clock_mono() + HOLD_MS;
}

/* Waits for the other end to go, reading what it says. */
static void
hold(int fd)
{
	struct pollfd pfd = {.fd = fd, .events = POLLIN};
	char buf[4096];
	int64_t until = later();

	while (clock_mono() < until && poll(&pfd, 1, HOLD_MS) == 1)
		if (read(fd, buf, sizeof(buf)) <= 0)
			return;
}

static bool
say(struct hostile *h, const char *text, size_t len)
{
	return tls_write(&h->conn, text, len, later()) == TLS_OK;
}

/* ---- before TLS */

static void
tcp_noise(int fd)
{
	static const char noise[] =
	    "HTTP/1.1 400 \033[2J\033]0;x\007\r\n\r\n\233\377";

	if (write(fd, noise, sizeof(noise)) == -1)
		return;
	hold(fd);
}

static void
tcp_hang_up(int fd)
{
	(void)fd;
}

/* Reads the ClientHello, and goes. */
static void
tcp_half(int fd)
{
	char buf[16384];

	if (read(fd, buf, sizeof(buf)) == -1)
		return;
}

/* ---- after TLS */

static void
tls_silent(struct hostile *h)
{
	hold(h->conn.fd);
}

/* A byte a second of what might be a reply. */
static void
tls_drip(struct hostile *h)
{
	int64_t until = later();

	while (clock_mono() < until && say(h, " ", 1))
		poll(NULL, 0, 1000);
}

/* Octets without an end: of one line, or of lines. */
static void
pour(struct hostile *h, const char *piece)
{
	size_t len = strlen(piece);

	for (size_t sent = 0; sent < FLOOD; sent += len)
		if (!say(h, piece, len))
			return;
}

static void
tls_endless(struct hostile *h)
{
	static char piece[16384];

	memset(piece, 'x', sizeof(piece) - 1);
	pour(h, piece);
}

static void
tls_flood(struct hostile *h)
{
	pour(h, "{\"ok\":false,\"error\":\"busy\",\"text\":\"" EVIL "\"}\n");
}

static void
tls_newlines(struct hostile *h)
{
	pour(h, "\n\n\n\n\n\n\n\n\n\n\n\n\n\n\n\n");
}

/* ---- answers that are none */

/* A line of that many octets, its newline included. */
static void
answer_long(struct hostile *h)
{
	enum { LEN = LINE_MAX_LEN + 1 };
	char *line = malloc(LEN);

	if (line == NULL)
		exit(EX_OSERR);
	memset(line, ' ', LEN);
	memcpy(line, "{\"ok\":true", 10);
	line[LEN - 2] = '}';
	line[LEN - 1] = '\n';
	say(h, line, LEN);
	free(line);
}

static void
answer_deep(struct hostile *h)
{
	say(h, "{\"ok\":true,\"x\":", 15);
	for (int i = 0; i < DEEP; i++)
		say(h, "[", 1);
	say(h, "\n", 1);
}

/* One of several lines that are no objects, in turn. */
static void
answer_garbage(struct hostile *h)
{
	static const struct {
		const char *line;
		size_t len;
	} lines[] = {
#define LINE(text) {text "\n", sizeof(text)}
	    LINE("\033[2J\233"),
	    LINE("{\"ok\":true,\"ok\":false}"),
	    LINE("{\"ok\":false,\"error\":\"\377\300\200\"}"),
	    LINE("{\"ok\":false,\"error\":\"x\",\"text\":\"a\\u0000b\"}"),
	    LINE("{\"ok\":false,\"error\":\"x\",\"text\":\"\\ud800\"}"),
	    LINE("{\"ok\":false,\"n\":99999999999999999999999999}"),
	    LINE("{\"ok\":false,\"n\":1e999}"),
	    LINE("{\"ok\":false,\"error\":\"busy\"} {}"),
	    LINE("{\"\033]0;x\007\":1}"),
	    LINE("{\0}"),
	    LINE("[1,2"),
	    LINE("null"),
#undef LINE
	};
	size_t n = (size_t)atomic_fetch_add(&h->shared->replies, 1) %
	    (sizeof(lines) / sizeof(*lines));

	say(h, lines[n].line, lines[n].len);
}

/* ---- answers that look like ones */

/* The members of an honest reply, or NULL for all other requests. */
static json_t *
members(struct hostile *h, const char *op)
{
	json_int_t mail = wire_get_number(h->request, "mail", 0);
	bool moves = mail % STRIDE != 0 && mail < INT64_MAX;
	json_int_t next = moves ? mail + 1 : mail;
	const char *text = "{s:b}";
	char id[32];
	json_t *events;

	snprintf(id, sizeof(id), "id%018lld", (long long)mail);
	if (strcmp(op, "hello") == 0)
		return json_pack("{s:b s:s s:s s:i s:s s:{s:i s:i} s:i s:i "
				 "s:s}",
		    "ok", 1, "server", "chatd", "version", "0", "protocol", 1,
		    "time", TIME, "limits", "message_bytes", 8192, "line_bytes",
		    65536, "heartbeat", 30, "timeout", 90, "registration",
		    "closed");
	if (strcmp(op, "login") == 0)
		return json_pack("{s:b s:s s:s s:s s:i s:i s:n s:s s:I s:i s:i "
				 "s:s s:i}",
		    "ok", 1, "token", TOKEN, "user", "alice", "time", TIME,
		    "heartbeat", 30, "timeout", 90, "beacon", "epoch", EPOCH,
		    "mail",
		    (json_int_t)atomic_fetch_add(&h->shared->logins, 1) *
			    STRIDE +
			1,
		    "room", 5, "room_spread", 0, "last_login", TIME,
		    "failed_attempts", 0);
	if (strcmp(op, "send") == 0)
		return json_pack("{s:b s:s s:b s:s}", "ok", 1, "state",
		    "accepted", "online", 1, "time", TIME);
	if (strcmp(op, "online") == 0)
		return json_pack("{s:b s:[{s:s s:s}] s:b}", "ok", 1, "users",
		    "user", "bob", "since", TIME, "more", 0);
	if (strcmp(op, "blocked") == 0)
		return json_pack(
		    "{s:b s:[s] s:b}", "ok", 1, "users", "bob", "more", 0);
	if (strcmp(op, "sync") != 0)
		return json_pack(text, "ok", 1);
	events = next == mail
	    ? json_array()
	    : json_pack("[{s:s s:I s:s s:s s:s s:s} {s:s s:I s:s s:s s:[s]} "
			"{s:s s:I s:s s:s} {s:s s:I s:s s:s s:s s:s} "
			"{s:s s:I s:s s:s} {s:s s:I s:s s:s s:s}]",
		  "type", "message", "mail", next, "time", TIME, "id", id,
		  "from", "bob", "text", "hi", "type", "receipt", "mail", next,
		  "time", TIME, "to", "bob", "ids", "never-sent-in-a-life",
		  "type", "notice", "mail", next, "time", TIME, "text", "hi",
		  "type", "broadcast", "room", next, "time", TIME, "id", id,
		  "from", "bob", "text", "hi", "type", "login", "room", next,
		  "time", TIME, "user", "bob", "type", "logout", "room", next,
		  "time", TIME, "user", "bob", "reason", "asked");
	return json_pack("{s:b s:s s:o s:I s:I s:b s:b}", "ok", 1, "epoch",
	    EPOCH, "events", events, "mail", next, "room", (json_int_t)5,
	    "more", 0, "gap", 0);
}

/* Sends a reply with the request's tag, unless it has one already. */
static void
reply(struct hostile *h, json_t *object)
{
	json_t *tag = json_object_get(h->request, "tag");
	char *text;

	if (tag != NULL && json_object_get(object, "tag") == NULL)
		json_object_set(object, "tag", tag);
	text = json_dumps(object, JSON_COMPACT);
	json_decref(object);
	if (text == NULL)
		exit(EX_SOFTWARE);
	say(h, text, strlen(text));
	say(h, "\n", 1);
	free(text);
}

/* A reply out of a text. */
static void
reply_text(struct hostile *h, const char *text)
{
	json_t *object = json_loads(text, 0, NULL);

	if (object == NULL)
		exit(EX_SOFTWARE);
	reply(h, object);
}

static const char *
op_of(const struct hostile *h)
{
	const char *op = wire_get_string(h->request, "op");

	return op != NULL ? op : "";
}

static bool
asks(const struct hostile *h, const char *op)
{
	return strcmp(op_of(h), op) == 0;
}

static void
honest(struct hostile *h)
{
	reply(h, members(h, op_of(h)));
}

/* Counts a value's members, and those of its members. */
static int
count(json_t *node)
{
	const char *key;
	json_t *value;
	size_t i;
	int n = 0;

	json_object_foreach(node, key, value) n += 1 + count(value);
	json_array_foreach(node, i, value) n += 1 + count(value);
	return n;
}

/* Puts the value in the place of the nth of these. */
static void
spoil(json_t *node, int n, json_t *spoilt)
{
	const char *key;
	json_t *value;
	size_t i;

	json_object_foreach(node, key, value)
	{
		if (n == 0) {
			json_object_set(node, key, spoilt);
			return;
		}
		if (n <= count(value)) {
			spoil(value, n - 1, spoilt);
			return;
		}
		n -= 1 + count(value);
	}
	json_array_foreach(node, i, value)
	{
		if (n == 0) {
			json_array_set(node, i, spoilt);
			return;
		}
		if (n <= count(value)) {
			spoil(value, n - 1, spoilt);
			return;
		}
		n -= 1 + count(value);
	}
}

/*
 * All is right but the replies to one request: there each member gets each
 * of these values, one a reply; "done" is printed when all have been tried.
 */
static void
answer_types(struct hostile *h)
{
	static const char *const values[] = {"null", "true", "-1",
	    "9223372036854775807", "\"\"", "\"" EVIL "\"", "{}",
	    "[[{\"user\":{}}]]"};
	enum { VALUES = sizeof(values) / sizeof(*values) };
	json_t *object = members(h, op_of(h)), *value;
	int n, most, total;

	/* Once a sync has nothing to bring, the session may end. */
	if (!asks(h, h->op) ||
	    (asks(h, "sync") &&
		wire_get_number(h->request, "mail", 0) % STRIDE == 0)) {
		reply(h, object);
		return;
	}
	json_object_set(object, "tag", json_object_get(h->request, "tag"));
	most = count(object);
	total = most * VALUES;
	n = atomic_fetch_add(&h->shared->replies, 1);
	if (n < total) {
		value = json_loads(values[n / most], JSON_DECODE_ANY, NULL);
		spoil(object, n % most, value);
		json_decref(value);
	}
	if (n == total && write(STDOUT_FILENO, "done\n", 5) == -1)
		exit(EX_IOERR);
	reply(h, object);
}

/* Everything is refused, in words of ill will. */
static void
answer_refuse(struct hostile *h)
{
	if (asks(h, "hello"))
		honest(h);
	else
		reply_text(h,
		    "{\"ok\":false,\"error\":\"" EVIL "\",\"text\":\"" EVIL
		    "\",\"retry_after\":-1}");
}

/* Everything but the login is. */
static void
answer_refuse_later(struct hostile *h)
{
	if (asks(h, "hello") || asks(h, "login"))
		honest(h);
	else
		reply_text(h,
		    "{\"ok\":false,\"error\":\"too-large\",\"text\":\"" EVIL
		    "\"}");
}

/* Come back in a million years. */
static void
answer_patience(struct hostile *h)
{
	reply_text(h,
	    "{\"ok\":false,\"error\":\"busy\",\"text\":\"" EVIL
	    "\",\"retry_after\":31557600000000}");
}

/* Come back soon, and again, and again. */
static void
answer_busy(struct hostile *h)
{
	reply_text(h, "{\"ok\":false,\"error\":\"busy\",\"retry_after\":3}");
}

static void
answer_replaced(struct hostile *h)
{
	if (asks(h, "hello") || asks(h, "login"))
		honest(h);
	else
		reply_text(h,
		    "{\"ok\":false,\"error\":\"session-replaced\","
		    "\"address\":\"" EVIL "\",\"text\":\"" EVIL "\"}");
}

/* Texts in the right form that would do harm on a screen. */
static void
answer_escape(struct hostile *h)
{
	json_t *object = members(h, op_of(h)), *events, *event, *evil;
	size_t i;

	evil = json_loads("\"" EVIL "\"", JSON_DECODE_ANY, NULL);
	json_object_set(object, "server", evil);
	json_object_set(object, "warning", evil);
	events = json_object_get(object, "events");
	json_array_foreach(events, i, event)
	{
		if (json_object_get(event, "text") != NULL)
			json_object_set(event, "text", evil);
	}
	/* And one that a message may have. */
	if (json_array_size(events) > 0)
		json_array_append_new(events,
		    json_pack("{s:s s:O s:s s:s s:s s:s}", "type", "message",
			"mail", json_object_get(object, "mail"), "time", TIME,
			"id", "hostile-hostile-0", "from", "bob", "text",
			TRICKY));
	if (asks(h, "online"))
		json_array_append_new(json_object_get(object, "users"),
		    json_pack("{s:O}", "user", evil));
	if (asks(h, "blocked"))
		json_array_append(json_object_get(object, "users"), evil);
	json_decref(evil);
	reply(h, object);
}

/* There is always more: events, pages, cursors that move. */
static void
answer_more(struct hostile *h)
{
	json_t *object = members(h, op_of(h));
	char name[32];
	int n = atomic_fetch_add(&h->shared->replies, 1);

	if (asks(h, "online") || asks(h, "blocked")) {
		snprintf(name, sizeof(name), "u%09d", n);
		json_object_set_new(object, "users", json_pack("[s]", name));
	}
	if (asks(h, "sync"))
		json_object_set_new(object, "mail",
		    json_integer(wire_get_number(h->request, "mail", 0) + 1));
	json_object_set_new(object, "more", json_true());
	reply(h, object);
}

/* Another life of the database in each reply. */
static void
answer_epochs(struct hostile *h)
{
	json_t *object = members(h, op_of(h));
	char epoch[32];

	snprintf(epoch, sizeof(epoch), "%016x",
	    atomic_fetch_add(&h->shared->replies, 1));
	json_object_set_new(object, "epoch", json_string(epoch));
	reply(h, object);
}

/* Half a reply, and the end. */
static void
answer_cut(struct hostile *h)
{
	static const char half[] = "{\"ok\":true,\"token\":\"abc";

	say(h, half, sizeof(half) - 1);
	SSL_set_quiet_shutdown(h->conn.ssl, 1);
	tls_conn_close(&h->conn, 0);
	_exit(0);
}

static const struct how hows[] = {
    {"mute", hold, NULL, NULL},
    {"noise", tcp_noise, NULL, NULL},
    {"hang-up", tcp_hang_up, NULL, NULL},
    {"half", tcp_half, NULL, NULL},
    {"silent", NULL, tls_silent, NULL},
    {"drip", NULL, tls_drip, NULL},
    {"endless", NULL, tls_endless, NULL},
    {"flood", NULL, tls_flood, NULL},
    {"newlines", NULL, tls_newlines, NULL},
    {"long", NULL, NULL, answer_long},
    {"deep", NULL, NULL, answer_deep},
    {"garbage", NULL, NULL, answer_garbage},
    {"cut", NULL, NULL, answer_cut},
    {"refuse", NULL, NULL, answer_refuse},
    {"refuse-later", NULL, NULL, answer_refuse_later},
    {"replaced", NULL, NULL, answer_replaced},
    {"patience", NULL, NULL, answer_patience},
    {"busy", NULL, NULL, answer_busy},
    {"escape", NULL, NULL, answer_escape},
    {"more", NULL, NULL, answer_more},
    {"epochs", NULL, NULL, answer_epochs},
    {"types", NULL, NULL, answer_types},
};

/* ---- connections */

/* Answers line by line until the other end goes. */
static void
serve(struct hostile *h)
{
	char *line;
	size_t len;

	while (tls_read_line(&h->conn, &line, &len, later()) == TLS_OK) {
		h->request = json_loadb(line, len, 0, NULL);
		h->how->answer(h);
		json_decref(h->request);
	}
}

/* One connection, in a process of its own. */
static void
meet(struct hostile *h, int fd)
{
	if (h->how->tcp != NULL) {
		h->how->tcp(fd);
		return;
	}
	if (tls_conn_open(&h->conn, h->ctx, fd, true, NULL) == 0 &&
	    tls_handshake(&h->conn, TLS_ALPN_CENTRE, later()) == TLS_OK) {
		if (h->how->tls != NULL)
			h->how->tls(h);
		else
			serve(h);
	}
	tls_conn_close(&h->conn, 0);
}

/* Listens on a free port of the loopback and says which. */
static int
listen_somewhere(void)
{
	struct sockaddr_in addr = {
	    .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	socklen_t len = sizeof(addr);
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	if (fd == -1 || bind(fd, (struct sockaddr *)&addr, len) == -1 ||
	    listen(fd, 64) == -1 ||
	    getsockname(fd, (struct sockaddr *)&addr, &len) == -1)
		return -1;
	printf("%d\n", ntohs(addr.sin_port));
	fflush(stdout);
	return fd;
}

int
main(int argc, char **argv)
{
	struct hostile h = {.op = argc > 4 ? argv[4] : ""};
	char why[TLS_WHY_LEN] = "no such way to be hostile";
	int listener, fd;

	signal(SIGPIPE, SIG_IGN);
	signal(SIGCHLD, SIG_IGN);
	for (size_t i = 0; argc > 3 && i < sizeof(hows) / sizeof(*hows); i++)
		if (strcmp(hows[i].name, argv[3]) == 0)
			h.how = &hows[i];
	if (h.how != NULL)
		h.ctx = tls_server_new(argv[1], argv[2], TLS_ALPN_CENTRE, why);
	h.shared = mmap(NULL, sizeof(*h.shared), PROT_READ | PROT_WRITE,
	    MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (h.ctx == NULL || h.shared == MAP_FAILED) {
		fprintf(stderr, "hostile: %s\n", why);
		return EX_USAGE;
	}
	listener = listen_somewhere();
	while ((fd = accept(listener, NULL, NULL)) != -1) {
		if (fork() == 0) {
			prctl(PR_SET_PDEATHSIG, SIGKILL);
			meet(&h, fd);
			_exit(0);
		}
		close(fd);
	}
	perror("hostile");
	return EX_OSERR;
}
