/* SPDX-License-Identifier: ISC */
/*
 * Another client's end of a private link, for the tests: it has the key of a
 * directory (its own, or an account's) and does what its argument says, well
 * or ill.  A program of its own; it keeps nothing.
 *
 * usage: peer DIR key
 *        peer DIR HOW HOST PORT [PASS FROM ID TEXT...]
 *        peer DIR silent HOST PORT COUNT
 *        peer DIR LISTEN-HOW
 *
 * A caller prints each reply, then how the connection ended; a listener its
 * port, then each line that is said to it.
 */
#include <poll.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

#include <arpa/inet.h>
#include <netdb.h>
#include <netinet/in.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>

#include "chat/agent/identity.h"
#include "chat/agent/peer-line.h"
#include "lib/tls.h"
#include "lib/unix.h"

enum {
	HOLD_MS = 60000, /* longer than any client may wait */
	SILENT_MAX = 4096,
};

struct tool {
	const struct how *how;
	struct identity identity;
	SSL_CTX *ctx;
	struct tls_conn conn;
	const char *host, *port;
	struct peer_pass pass; /* its secret alone counts */
	const char *from, *id;
	char **texts;
	int count; /* of texts */
};

/* One way to be: what is done on TCP, or after TLS. */
struct how {
	const char *name;
	bool listens;
	SSL_CTX *(*context)(struct tool *tool, char why[TLS_WHY_LEN]);
	void (*tcp)(struct tool *tool, int fd);
	void (*tls)(struct tool *tool);
};

static int64_t
later(void)
{
	return clock_mono() + HOLD_MS;
}

/* Prints at once: who reads is a test that waits. */
static void __attribute__((format(printf, 1, 2))) print(const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	vprintf(fmt, args);
	va_end(args);
	putchar('\n');
	fflush(stdout);
}

static bool
put(struct tool *tool, const char *text, size_t len)
{
	return tls_write(&tool->conn, text, len, later()) == TLS_OK;
}

/* Waits for the other end to go, reading what it says. */
static void
hold(struct tool *tool, int fd)
{
	struct pollfd pfd = {.fd = fd, .events = POLLIN};
	char buf[4096];
	int64_t until = later();

	(void)tool;
	while (clock_mono() < until && poll(&pfd, 1, HOLD_MS) == 1)
		if (read(fd, buf, sizeof(buf)) <= 0)
			return;
}

/* Prints what is replied until the end, and the end. */
static void
hear(struct tool *tool)
{
	static const char *const ends[] = {
	    [TLS_OK] = "ok",
	    [TLS_END] = "closed",
	    [TLS_CUT] = "cut",
	    [TLS_TIMEOUT] = "silence",
	    [TLS_TOO_LONG] = "too long",
	    [TLS_BROKEN] = "broken",
	};
	enum tls_status status;
	char *line;
	size_t len;

	while ((status = tls_read_line(&tool->conn, &line, &len, later())) ==
	    TLS_OK)
		print("%s", line);
	print("end: %s: %s", ends[status], tool->conn.why);
}

/* The line that says a text; free it. */
static char *
line_of(struct tool *tool, const char *text, size_t *len)
{
	return peer_line_encode(&tool->pass, tool->from, tool->id, text, len);
}

/* ---- callers */

/*
 * Says all texts, each under an id of its own: the last two characters of
 * the id that was given are replaced from the second one on.
 */
static void
call_say(struct tool *tool)
{
	char id[ID_MAX_LEN + 1];
	size_t len, end;
	char *line;

	snprintf(id, sizeof(id), "%s", tool->id);
	end = strlen(id);
	tool->id = id;
	for (int i = 0; i < tool->count; i++) {
		if (i > 0 && end >= 2)
			snprintf(id + end - 2, 3, "%02d", i % 100);
		line = line_of(tool, tool->texts[i], &len);
		put(tool, line, len);
		free(line);
	}
	hear(tool);
}

static void
call_silent(struct tool *tool)
{
	hear(tool);
}

static void
call_garbage(struct tool *tool)
{
	put(tool, "\033[2J\233\033]0;x\007\n", 12);
	hear(tool);
}

static void
call_blank(struct tool *tool)
{
	put(tool, "\n\n\n\n\n\n\n\n", 8);
	hear(tool);
}

/* Half a line, and silence. */
static void
call_half(struct tool *tool)
{
	size_t len;
	char *line = line_of(tool, tool->texts[0], &len);

	put(tool, line, len / 2);
	free(line);
	hear(tool);
}

/* Half a line, and the end. */
static void
call_cut(struct tool *tool)
{
	size_t len;
	char *line = line_of(tool, tool->texts[0], &len);

	put(tool, line, len / 2);
	free(line);
}

/* A line, and the end without waiting for the reply. */
static void
call_leave(struct tool *tool)
{
	size_t len;
	char *line = line_of(tool, tool->texts[0], &len);

	put(tool, line, len);
	free(line);
}

static void
call_long(struct tool *tool)
{
	static char much[LINE_MAX_LEN + 1];

	memset(much, 'x', sizeof(much));
	put(tool, much, sizeof(much));
	hear(tool);
}

/* A byte a second of what might be a line. */
static void
call_drip(struct tool *tool)
{
	int64_t until = later();

	while (clock_mono() < until && put(tool, " ", 1))
		poll(NULL, 0, 1000);
}

static void
call_noise(struct tool *tool, int fd)
{
	static const char noise[] = "GET / HTTP/1.1\r\n\r\n\033[2J";

	if (write(fd, noise, sizeof(noise)) != -1)
		hold(tool, fd);
	print("end: closed");
}

static SSL_CTX *
context_bare(struct tool *tool, char why[TLS_WHY_LEN])
{
	(void)tool;
	return tls_client_new(TLS_ALPN_PEER, why);
}

static SSL_CTX *
context_alpn(struct tool *tool, char why[TLS_WHY_LEN])
{
	return tls_peer_client_new(
	    tool->identity.cert, tool->identity.key, TLS_ALPN_CENTRE, why);
}

static SSL_CTX *
context_old(struct tool *tool, char why[TLS_WHY_LEN])
{
	SSL_CTX *ctx = tls_peer_client_new(
	    tool->identity.cert, tool->identity.key, TLS_ALPN_PEER, why);

	if (ctx == NULL ||
	    SSL_CTX_set_min_proto_version(ctx, TLS1_2_VERSION) != 1 ||
	    SSL_CTX_set_max_proto_version(ctx, TLS1_2_VERSION) != 1)
		return NULL;
	return ctx;
}

/* ---- listeners */

/* Answers each line with a text, or not at all. */
static void
answer(struct tool *tool, const char *text)
{
	char *line;
	size_t len;

	while (tls_read_line(&tool->conn, &line, &len, later()) == TLS_OK) {
		print("%s", line);
		if (text != NULL && !put(tool, text, strlen(text)))
			return;
	}
}

static void
listen_honest(struct tool *tool)
{
	answer(tool, "{\"ok\":true}\n");
}

static void
listen_silent(struct tool *tool)
{
	answer(tool, NULL);
}

static void
listen_garbage(struct tool *tool)
{
	answer(tool, "\033[2J\233\033]0;x\007\n");
}

/* No, in words of ill will. */
static void
listen_refuse(struct tool *tool)
{
	answer(tool,
	    "{\"ok\":false,\"error\":\"not-allowed\","
	    "\"text\":\"\\u001b[2J\\u202e\"}\n");
}

static void
listen_busy(struct tool *tool)
{
	answer(tool, "{\"ok\":false,\"error\":\"busy\"}\n");
}

/* Takes a line, and goes. */
static void
listen_close(struct tool *tool)
{
	char *line;
	size_t len;

	if (tls_read_line(&tool->conn, &line, &len, later()) == TLS_OK)
		print("%s", line);
}

static const struct how hows[] = {
    {"say", false, NULL, NULL, call_say},
    {"mute", false, NULL, hold, NULL},
    {"mute-tls", false, NULL, NULL, call_silent},
    {"garbage", false, NULL, NULL, call_garbage},
    {"blank", false, NULL, NULL, call_blank},
    {"half", false, NULL, NULL, call_half},
    {"cut", false, NULL, NULL, call_cut},
    {"leave", false, NULL, NULL, call_leave},
    {"long", false, NULL, NULL, call_long},
    {"drip", false, NULL, NULL, call_drip},
    {"noise", false, NULL, call_noise, NULL},
    {"no-alpn", false, context_alpn, NULL, call_say},
    {"no-certificate", false, context_bare, NULL, call_say},
    {"tls-1.2", false, context_old, NULL, call_say},
    {"listen", true, NULL, NULL, listen_honest},
    {"listen-mute", true, NULL, hold, NULL},
    {"listen-silent", true, NULL, NULL, listen_silent},
    {"listen-garbage", true, NULL, NULL, listen_garbage},
    {"listen-refuse", true, NULL, NULL, listen_refuse},
    {"listen-busy", true, NULL, NULL, listen_busy},
    {"listen-close", true, NULL, NULL, listen_close},
};

/* ---- connections */

/* One connection, as it should be. */
static void
meet(struct tool *tool, int fd)
{
	if (tool->how->tcp != NULL) {
		tool->how->tcp(tool, fd);
		return;
	}
	if (tls_conn_open(
		&tool->conn, tool->ctx, fd, tool->how->listens, NULL) == 0 &&
	    tls_handshake(&tool->conn, NULL, later()) == TLS_OK)
		tool->how->tls(tool);
	else if (!tool->how->listens)
		print("end: handshake: %s", tool->conn.why);
	tls_conn_close(&tool->conn, 0);
}

/* Connects to where the arguments say; -1 with a sentence on stderr. */
static int
dial(const struct tool *tool)
{
	struct addrinfo hints = {
	    .ai_socktype = SOCK_STREAM, .ai_flags = AI_NUMERICHOST};
	struct addrinfo *to;
	int fd;

	if (getaddrinfo(tool->host, tool->port, &hints, &to) != 0)
		return -1;
	fd = socket(to->ai_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd != -1 && connect(fd, to->ai_addr, to->ai_addrlen) == -1) {
		close(fd);
		fd = -1;
	}
	freeaddrinfo(to);
	return fd;
}

/* So many connections that say nothing, until standard input ends. */
static int
crowd(const struct tool *tool, int count)
{
	struct rlimit files;
	char waste[64];

	if (getrlimit(RLIMIT_NOFILE, &files) == 0) {
		files.rlim_cur = files.rlim_max;
		setrlimit(RLIMIT_NOFILE, &files);
	}
	for (int i = 0; i < count && i < SILENT_MAX; i++)
		if (dial(tool) == -1) {
			perror("peer");
			return EX_UNAVAILABLE;
		}
	print("ready");
	while (read(STDIN_FILENO, waste, sizeof(waste)) > 0)
		;
	return 0;
}

/* Serves each connection in a process of its own. */
static int
serve(struct tool *tool)
{
	struct sockaddr_in addr = {
	    .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	socklen_t len = sizeof(addr);
	int listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), fd;

	if (listener == -1 ||
	    bind(listener, (struct sockaddr *)&addr, len) == -1 ||
	    listen(listener, 64) == -1 ||
	    getsockname(listener, (struct sockaddr *)&addr, &len) == -1) {
		perror("peer");
		return EX_OSERR;
	}
	print("%d", ntohs(addr.sin_port));
	while ((fd = accept(listener, NULL, NULL)) != -1) {
		if (fork() == 0) {
			prctl(PR_SET_PDEATHSIG, SIGKILL);
			meet(tool, fd);
			_exit(0);
		}
		close(fd);
	}
	perror("peer");
	return EX_OSERR;
}

/* What the arguments say of a line. */
static void
take_line(struct tool *tool, int argc, char **argv)
{
	static char hi[] = "hi", *texts[] = {hi};

	snprintf(tool->pass.secret, sizeof(tool->pass.secret), "%s",
	    argc > 5 ? argv[5] : "");
	tool->from = argc > 6 ? argv[6] : "stranger";
	tool->id = argc > 7 ? argv[7] : "0123456789abcdef";
	tool->texts = argc > 8 ? argv + 8 : texts;
	tool->count = argc > 8 ? argc - 8 : 1;
}

static int
usage(const char *why)
{
	fprintf(stderr, "peer: %s\n", why);
	return EX_USAGE;
}

/* The context that goes with the way to be. */
static SSL_CTX *
context_for(struct tool *tool, char why[TLS_WHY_LEN])
{
	const struct identity *own = &tool->identity;

	if (tool->how->context != NULL)
		return tool->how->context(tool, why);
	if (tool->how->listens)
		return tls_peer_server_new(
		    own->cert, own->key, TLS_ALPN_PEER, why);
	return tls_peer_client_new(own->cert, own->key, TLS_ALPN_PEER, why);
}

/* Does what the words say; the status is main()'s. */
static int
obey(struct tool *tool, int argc, char **argv)
{
	char reason[TLS_WHY_LEN] = "";
	int fd;

	if (strcmp(argv[2], "key") == 0) {
		print("%s", tool->identity.pin);
		return 0;
	}
	tool->host = argc > 3 ? argv[3] : "";
	tool->port = argc > 4 ? argv[4] : "";
	if (strcmp(argv[2], "silent") == 0)
		return crowd(tool, argc > 5 ? atoi(argv[5]) : 1);
	for (size_t i = 0; i < sizeof(hows) / sizeof(*hows); i++)
		if (strcmp(hows[i].name, argv[2]) == 0)
			tool->how = &hows[i];
	if (tool->how == NULL)
		return usage("no such way to be");
	if ((tool->ctx = context_for(tool, reason)) == NULL)
		return usage(reason);
	if (tool->how->listens)
		return serve(tool);
	take_line(tool, argc, argv);
	if ((fd = dial(tool)) == -1) {
		print("end: no connection");
		return EX_UNAVAILABLE;
	}
	meet(tool, fd);
	return 0;
}

int
main(int argc, char **argv)
{
	char why[IDENTITY_WHY_LEN] = "";
	struct tool tool = {0};
	int status;

	signal(SIGPIPE, SIG_IGN);
	signal(SIGCHLD, SIG_IGN);
	if (argc < 3 || dir_make(argv[1], 0700) == -1 ||
	    identity_load(&tool.identity, argv[1], why) == -1)
		return usage(argc < 3 ? "DIR and HOW are wanted" : why);
	status = obey(&tool, argc, argv);
	SSL_CTX_free(tool.ctx);
	identity_release(&tool.identity);
	return status;
}
