/* SPDX-License-Identifier: ISC */
/*
 * What the tests of private links share: three people with keys, bob's
 * listener in a loop that the test turns, and visitors in threads of their
 * own who say what they like.
 */
#ifndef UNIT_PEER_STAGE_H
#define UNIT_PEER_STAGE_H

#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>

#include <openssl/ssl.h>

#include "chat/agent/peer-line.h"
#include "chat/agent/peer.h"
#include "lib/log.h"
#include "lib/unix.h"

#include "tap.h"

enum {
	SOON = 20000, /* ms, for what must happen */
	STORED_MAX = 64,
	LOG_SIZE = 1 << 20,
};

#define SECRET "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMN-_0"
#define REFUSAL                                    \
	"{\"ok\":false,\"error\":\"not-allowed\"," \
	"\"text\":\"That is not allowed.\"}"

struct stage {
	char dir[64], log[96];
	struct identity alice, bob, mallory;
	struct loop *loop;
	struct peer_limits limits;
	struct peer_listener *listener;
	struct peer_pass passes[4];
	size_t count;
	enum peer_verdict verdict;
	bool stop; /* the next message ends the listener */
	char stored[STORED_MAX][128]; /* "alice id text" */
	int stored_count;
};

/* Somebody who connects to bob. */
struct visitor {
	pthread_t thread;
	int port;
	const char *address; /* to come from; NULL: any */
	SSL_CTX *ctx; /* NULL: no TLS */
	const char *data;
	size_t len;
	bool hang_up; /* after that, without reading */
	void (*act)(struct visitor *visitor, struct tls_conn *conn);
	bool unsaid; /* not all of it went out */
	char reply[512]; /* the first line of it */
	int replies;
	enum tls_status status; /* how it ended */
	char why[TLS_WHY_LEN];
	atomic_bool over;
};

static inline void
must(bool good, const char *what)
{
	if (!good) {
		printf("Bail out! %s\n", what);
		exit(1);
	}
}

static inline int64_t
soon(int64_t ms)
{
	return clock_mono() + ms;
}

/* ---- bob */

static inline size_t
stage_passes(void *arg, const struct peer_pass **out, size_t max)
{
	const struct stage *stage = arg;

	for (size_t i = 0; i < stage->count && i < max; i++)
		out[i] = &stage->passes[i];
	return stage->count;
}

static inline enum peer_verdict
stage_store(void *arg, const struct peer_message *message)
{
	struct stage *stage = arg;

	if (stage->stop) {
		peer_stop(stage->listener);
		stage->listener = NULL;
		return PEER_TAKEN;
	}
	if (stage->verdict == PEER_TAKEN && stage->stored_count < STORED_MAX)
		snprintf(stage->stored[stage->stored_count++], 128,
		    "%s %s %.60s", message->from, message->id, message->text);
	return stage->verdict;
}

static const struct peer_calls stage_calls = {stage_passes, stage_store};

static inline void
stage_person(struct stage *stage, const char *name, struct identity *identity)
{
	char dir[96], why[IDENTITY_WHY_LEN];

	snprintf(dir, sizeof(dir), "%s/%s", stage->dir, name);
	must(mkdir(dir, 0700) == 0 && identity_load(identity, dir, why) == 0,
	    "no identity");
}

/* Three people, and a loop. */
static inline void
stage_open(struct stage *stage)
{
	const char *tmp = getenv("TMPDIR");
	struct rlimit files;

	signal(SIGPIPE, SIG_IGN);
	getrlimit(RLIMIT_NOFILE, &files);
	files.rlim_cur = files.rlim_max < 8192 ? files.rlim_max : 8192;
	setrlimit(RLIMIT_NOFILE, &files);
	memset(stage, 0, sizeof(*stage));
	snprintf(stage->dir, sizeof(stage->dir), "%.30s/peer-test-XXXXXX",
	    tmp != NULL ? tmp : "/tmp");
	must(mkdtemp(stage->dir) != NULL, "no directory");
	snprintf(stage->log, sizeof(stage->log), "%s/log", stage->dir);
	log_init("chat", "agent");
	must(log_open(stage->log) == 0, "no log");
	stage_person(stage, "alice", &stage->alice);
	stage_person(stage, "bob", &stage->bob);
	stage_person(stage, "mallory", &stage->mallory);
	must((stage->loop = loop_new()) != NULL, "no loop");
}

static inline int
stage_close(struct stage *stage)
{
	char command[128];

	peer_stop(stage->listener);
	loop_free(stage->loop);
	identity_release(&stage->alice);
	identity_release(&stage->bob);
	identity_release(&stage->mallory);
	snprintf(command, sizeof(command), "rm -rf %s", stage->dir);
	if (system(command) != 0)
		puts("# the directory stays");
	return done();
}

/* A pass for one user with that key, for a minute from now on. */
static inline struct peer_pass
stage_pass(const char *user, const struct identity *identity)
{
	struct peer_pass pass = {0};

	snprintf(pass.user, sizeof(pass.user), "%s", user);
	snprintf(pass.secret, sizeof(pass.secret), "%s", SECRET);
	snprintf(pass.pin, sizeof(pass.pin), "%s", identity->pin);
	pass.since = clock_mono();
	pass.until = pass.since + 60000;
	return pass;
}

/*
 * Bob listens anew, with usual limits but what the test has set in limits,
 * and one pass: alice's.
 */
static inline void
stage_listen(struct stage *stage, const struct peer_limits *limits)
{
	char why[PEER_WHY_LEN];

	peer_stop(stage->listener);
	stage->limits = *limits;
	stage->passes[0] = stage_pass("alice", &stage->alice);
	stage->count = 1;
	stage->verdict = PEER_TAKEN;
	stage->stop = false;
	stage->stored_count = 0;
	must(truncate(stage->log, 0) == 0, "no log");
	stage->listener = peer_listen(stage->loop, &stage->bob, AF_UNSPEC, 0,
	    &stage->limits, &stage_calls, stage, why);
	must(stage->listener != NULL, why);
}

/* True if the log has these words. */
static inline bool
logged(const struct stage *stage, const char *words)
{
	char *text = file_read(stage->log, LOG_SIZE, NULL);
	bool found = text != NULL && strstr(text, words) != NULL;

	if (!found)
		tap_show("log", text);
	free(text);
	return found;
}

/* ---- those who come */

/* A line that alice might say. */
static inline char *
a_line(const char *from, const char *secret, const char *id, const char *text)
{
	struct peer_pass pass = {0};
	size_t len;

	snprintf(pass.secret, sizeof(pass.secret), "%s", secret);
	return peer_line_encode(&pass, from, id, text, &len);
}

/* A client's context with that identity. */
static inline SSL_CTX *
context_of(const struct identity *identity)
{
	char why[TLS_WHY_LEN];
	SSL_CTX *ctx = tls_peer_client_new(
	    identity->cert, identity->key, TLS_ALPN_PEER, why);

	must(ctx != NULL, why);
	return ctx;
}

/* A connection to a port of the loopback, from an address of it. */
static inline int
loopback(int port, const char *address)
{
	struct sockaddr_in to = {.sin_family = AF_INET,
	    .sin_port = htons((uint16_t)port),
	    .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	struct sockaddr_in from = {.sin_family = AF_INET};
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	if (address != NULL) {
		inet_pton(AF_INET, address, &from.sin_addr);
		if (bind(fd, (struct sockaddr *)&from, sizeof(from)) == -1)
			return -1;
	}
	if (connect(fd, (struct sockaddr *)&to, sizeof(to)) == 0)
		return fd;
	close(fd);
	return -1;
}

/* Shakes hands, says its data, reads all replies. */
static inline void
visit_tls(struct visitor *visitor, int fd)
{
	struct tls_conn conn;
	char *line;
	size_t len;

	must(
	    tls_conn_open(&conn, visitor->ctx, fd, false, NULL) == 0, conn.why);
	visitor->status = tls_handshake(&conn, NULL, soon(SOON));
	if (visitor->status == TLS_OK && visitor->act != NULL)
		visitor->act(visitor, &conn);
	if (visitor->status == TLS_OK && visitor->len > 0)
		visitor->status =
		    tls_write(&conn, visitor->data, visitor->len, soon(SOON));
	visitor->unsaid = visitor->status != TLS_OK;
	while (!visitor->hang_up &&
	    (visitor->status = tls_read_line(&conn, &line, &len, soon(SOON))) ==
		TLS_OK)
		if (visitor->replies++ == 0)
			snprintf(
			    visitor->reply, sizeof(visitor->reply), "%s", line);
	snprintf(visitor->why, sizeof(visitor->why), "%s", conn.why);
	tls_conn_close(&conn, 0);
}

/* Says its data without TLS, and reads what comes. */
static inline void
visit_plain(struct visitor *visitor, int fd)
{
	char waste[4096];

	if (visitor->len > 0 &&
	    write(fd, visitor->data, visitor->len) != (ssize_t)visitor->len)
		visitor->status = TLS_BROKEN;
	while (!visitor->hang_up && read(fd, waste, sizeof(waste)) > 0)
		;
	close(fd);
}

static inline void *
visitor_run(void *arg)
{
	struct visitor *visitor = arg;
	int fd = loopback(visitor->port, visitor->address);

	if (fd == -1)
		visitor->status = TLS_BROKEN;
	else if (visitor->ctx != NULL)
		visit_tls(visitor, fd);
	else
		visit_plain(visitor, fd);
	visitor->over = true;
	return NULL;
}

static inline void
visitor_start(struct stage *stage, struct visitor *visitor)
{
	visitor->port = peer_port(stage->listener);
	must(pthread_create(&visitor->thread, NULL, visitor_run, visitor) == 0,
	    "no thread");
}

/* One visit from its beginning to its end. */
static inline void
visit(struct stage *stage, struct visitor *visitor)
{
	int64_t until = soon(SOON);

	visitor_start(stage, visitor);
	while (!visitor->over && clock_mono() < until)
		loop_turn(stage->loop, 10);
	must(visitor->over, "a visit without an end");
	pthread_join(visitor->thread, NULL);
}

/* Says text with that identity; the visitor has how it went. */
static inline void
visit_with(struct stage *stage, struct visitor *visitor,
    const struct identity *identity, const char *text)
{
	visitor->ctx = context_of(identity);
	visitor->data = text;
	visitor->len = strlen(text);
	visit(stage, visitor);
	SSL_CTX_free(visitor->ctx);
}

#endif
