/* SPDX-License-Identifier: ISC */
/*
 * A call to another client: connects to where the centre said, makes sure of
 * the key before a word is said, says one message after the other, and tells
 * exactly how each fared.  Runs in the agent's loop; must never wait, nor say
 * anything to another key than the pass's.
 */
#include "chat/agent/peer.h"

#include <sys/socket.h>

#include <errno.h>
#include <netdb.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

#include <openssl/crypto.h>

#include "chat/agent/peer-line.h"
#include "lib/log.h"
#include "lib/unix.h"

enum {
	LINES_MAX = 200, /* of 256 that the other end takes */
	AGE_MAX_MS = 15000, /* of 30 s, with time for a reply */
	STEP_OCTETS = 4096, /* read at a time, so that others have a turn */
};

const struct peer_patience peer_patience = {
    .connect = 5000,
    .reply = 10000,
    .retry = 1000,
    .fresh = PEER_FRESH_MS,
    .retries = 4,
};

/* A message that has had no outcome yet. */
struct said {
	struct said *next;
	char *id, *text;
};

enum call_state {
	CALL_IDLE, /* perhaps with a connection that is open */
	CALL_CONNECTING,
	CALL_SHAKING,
	CALL_SAYING,
	CALL_HEARING,
	CALL_PAUSING, /* before not-allowed is tried again */
};

struct peer_call {
	struct loop *loop;
	const struct peer_patience *patience;
	void (*told)(void *arg, const struct peer_outcome *outcome);
	void *arg;
	SSL_CTX *ctx;
	char from[NAME_MAX_LEN + 1];
	struct peer_pass pass;
	char host[PEER_HOST_LEN];
	int port;

	struct said *first, **last;
	int waiting;
	enum call_state state;
	struct loop_watch watch;
	struct loop_timer timer, turn;
	struct tls_conn conn; /* fd -1: none */
	struct tls_expected expected;
	int64_t since; /* when it was connected */
	int lines; /* said on it */
	bool stale; /* the pass or the place has changed since */
	char *out;
	size_t out_len, out_done;
	int tries; /* that were not allowed */
	int depth; /* handlers that are being run */
	bool freed;
};

static void go(void *arg);

const char *
peer_result_name(enum peer_result result)
{
	static const char *const names[] = {
	    [PEER_STORED] = "stored",
	    [PEER_REFUSED] = "refused",
	    [PEER_UNREACHABLE] = "unreachable",
	    [PEER_WRONG_KEY] = "wrong-key",
	    [PEER_TOO_LARGE] = "too-large",
	    [PEER_BUSY] = "busy",
	    [PEER_MALFORMED] = "malformed",
	    [PEER_LOST] = "lost",
	};

	return names[result];
}

/* ---- memory */

static void
enter(struct peer_call *call)
{
	call->depth++;
}

/* The last handler that ends frees a call that was freed meanwhile. */
static void
leave(struct peer_call *call)
{
	if (--call->depth > 0 || !call->freed)
		return;
	OPENSSL_cleanse(&call->pass, sizeof(call->pass));
	free(call);
}

/* Wipes and frees the line that is being said: it holds the pass. */
static void
free_line(struct peer_call *call)
{
	if (call->out != NULL)
		OPENSSL_cleanse(call->out, call->out_len);
	free(call->out);
	call->out = NULL;
}

/* Closes the connection, if there is one. */
static void
hang_up(struct peer_call *call)
{
	loop_timer_stop(call->loop, &call->timer);
	loop_remove(call->loop, &call->watch);
	tls_conn_close(&call->conn, 0);
	free_line(call);
	call->state = CALL_IDLE;
	call->lines = 0;
	call->stale = false;
}

static void
free_said(struct said *said)
{
	if (said == NULL)
		return;
	free(said->id);
	free(said->text);
	free(said);
}

/* Takes the first message out of the queue. */
static struct said *
take_first(struct peer_call *call)
{
	struct said *said = call->first;

	if (said == NULL)
		return NULL;
	call->first = said->next;
	if (call->first == NULL)
		call->last = &call->first;
	call->waiting--;
	return said;
}

/* ---- outcomes */

/* Tells how the first message fared. */
static void
tell(struct peer_call *call, enum peer_result result, const char *why)
{
	struct said *said = take_first(call);
	struct peer_outcome outcome = {
	    .result = result,
	    .shown = result == PEER_WRONG_KEY ? call->expected.shown : "",
	    .why = why,
	};

	if (said == NULL)
		return;
	outcome.id = said->id;
	if (result != PEER_STORED)
		log_warn("private message to %s at %s port %d: %s: %s",
		    call->pass.user, call->host, call->port,
		    peer_result_name(result), why);
	call->told(call->arg, &outcome);
	free_said(said);
}

/* Goes on in the loop's next turn. */
static void
go_on(struct peer_call *call)
{
	loop_timer(call->loop, &call->turn, 0, go, call);
}

/*
 * What ends the connection is the outcome of all that wait now; what is
 * added meanwhile is a new beginning.
 */
static void
tell_all(struct peer_call *call, enum peer_result result, const char *why)
{
	int count = call->waiting;

	hang_up(call);
	call->tries = 0;
	for (int i = 0; i < count && !call->freed; i++) {
		tell(call, result, why);
		if (result == PEER_LOST) {
			result = PEER_UNREACHABLE;
			why = "the connection broke before it was said";
		}
	}
	if (!call->freed && call->first != NULL)
		go_on(call);
}

/* One message's outcome; the others are said now. */
static void
tell_one(struct peer_call *call, enum peer_result result, const char *why)
{
	call->state = CALL_IDLE;
	call->tries = 0;
	tell(call, result, why);
	if (!call->freed)
		go_on(call);
}

/* It was not allowed: too early, perhaps. */
static void
not_allowed(struct peer_call *call, const char *why)
{
	const struct peer_patience *patience = call->patience;
	int64_t age = clock_mono() - call->pass.since;

	if (call->tries >= patience->retries || age >= patience->fresh) {
		tell_all(call, PEER_REFUSED, why);
		return;
	}
	hang_up(call);
	call->state = CALL_PAUSING;
	loop_timer(
	    call->loop, &call->timer, patience->retry << call->tries, go, call);
	call->tries++;
}

/* ---- one message */

static void
too_late(void *arg)
{
	struct peer_call *call = arg;

	enter(call);
	if (call->state == CALL_HEARING)
		tell_all(call, PEER_LOST, "no answer in time");
	else
		tell_all(call, PEER_UNREACHABLE, "no answer in time");
	leave(call);
}

/* Waits for what TLS waits for. */
static void
want(struct peer_call *call)
{
	loop_want(call->loop, &call->watch,
	    tls_wants_write(&call->conn) ? LOOP_WRITE : LOOP_READ);
}

/* Understands the reply to the first message. */
static void
answered(struct peer_call *call, const char *line, size_t len)
{
	char why[PEER_WHY_LEN];
	enum peer_result result = peer_reply_decode(line, len, why);

	loop_timer_stop(call->loop, &call->timer);
	switch (result) {
	case PEER_STORED:
	case PEER_TOO_LARGE:
		tell_one(call, result, why);
		return;
	case PEER_MALFORMED:
		/* That message's own fault, but it ends the connection. */
		hang_up(call);
		tell_one(call, result, why);
		return;
	case PEER_REFUSED:
		not_allowed(call, why);
		return;
	default:
		tell_all(call, result, why);
		return;
	}
}

/* Reads the reply, if it is there. */
static void
hear(struct peer_call *call)
{
	char *line;
	size_t len;

	switch (tls_read_line(&call->conn, &line, &len, 0)) {
	case TLS_OK:
		answered(call, line, len);
		return;
	case TLS_TIMEOUT:
		want(call);
		return;
	default:
		tell_all(call, PEER_LOST, call->conn.why);
		return;
	}
}

/* Writes the line; until its end is out, nothing has been said. */
static void
say(struct peer_call *call)
{
	char why[TLS_WHY_LEN];

	switch (tls_write_some(
	    &call->conn, call->out, call->out_len, &call->out_done)) {
	case TLS_OK:
		free_line(call);
		call->state = CALL_HEARING;
		hear(call);
		return;
	case TLS_TIMEOUT:
		want(call);
		return;
	default:
		snprintf(why, sizeof(why), "%s", call->conn.why);
		/* One that was open for others may have been closed. */
		if (call->lines > 1) {
			hang_up(call);
			go_on(call);
			return;
		}
		tell_all(call, PEER_UNREACHABLE, why);
		return;
	}
}

/* Begins to say the first message. */
static void
begin(struct peer_call *call)
{
	call->out = peer_line_encode(&call->pass, call->from, call->first->id,
	    call->first->text, &call->out_len);
	call->out_done = 0;
	call->lines++;
	call->state = CALL_SAYING;
	tls_conn_allow(&call->conn, STEP_OCTETS);
	loop_timer(
	    call->loop, &call->timer, call->patience->reply, too_late, call);
	say(call);
}

/* ---- the connection */

/* The handshake, or a part of it. */
static void
shake(struct peer_call *call)
{
	char why[TLS_WHY_LEN];

	switch (tls_handshake(&call->conn, TLS_ALPN_PEER, 0)) {
	case TLS_OK:
		begin(call);
		return;
	case TLS_TIMEOUT:
		want(call);
		return;
	default:
		break;
	}
	snprintf(why, sizeof(why), "%s", call->conn.why);
	if (*call->expected.shown != '\0' &&
	    strcmp(call->expected.shown, call->expected.wanted) != 0) {
		snprintf(why, sizeof(why), "its key is %s, not %s",
		    call->expected.shown, call->expected.wanted);
		tell_all(call, PEER_WRONG_KEY, why);
		return;
	}
	tell_all(call, PEER_UNREACHABLE, why);
}

/* The connection is made, or not. */
static void
connected(struct peer_call *call)
{
	int error = 0, fd = call->conn.fd;
	socklen_t len = sizeof(error);
	char why[TLS_WHY_LEN];

	if (getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &len) == -1)
		error = errno;
	if (error != 0) {
		tell_all(call, PEER_UNREACHABLE, strerror(error));
		return;
	}
	if (tls_conn_open(&call->conn, call->ctx, fd, false, NULL) == -1) {
		snprintf(why, sizeof(why), "%s", call->conn.why);
		tell_all(call, PEER_UNREACHABLE, why);
		return;
	}
	snprintf(call->expected.wanted, sizeof(call->expected.wanted), "%s",
	    call->pass.pin);
	tls_expect(call->conn.ssl, &call->expected);
	tls_conn_allow(&call->conn, STEP_OCTETS);
	call->since = clock_mono();
	call->state = CALL_SHAKING;
	shake(call);
}

static void
ready(void *arg, unsigned events)
{
	struct peer_call *call = arg;

	(void)events;
	enter(call);
	if (call->conn.ssl != NULL)
		tls_conn_allow(&call->conn, STEP_OCTETS);
	switch (call->state) {
	case CALL_CONNECTING:
		connected(call);
		break;
	case CALL_SHAKING:
		shake(call);
		break;
	case CALL_SAYING:
		say(call);
		break;
	case CALL_HEARING:
		hear(call);
		break;
	case CALL_IDLE:
	case CALL_PAUSING:
		hang_up(call);
		break;
	}
	leave(call);
}

/* The address that the centre gave, which is numbers; NULL with why. */
static struct addrinfo *
resolve(const struct peer_call *call, const char **why)
{
	struct addrinfo hints = {
	    .ai_family = AF_UNSPEC,
	    .ai_socktype = SOCK_STREAM,
	    .ai_flags = AI_NUMERICHOST | AI_NUMERICSERV,
	};
	struct addrinfo *found = NULL;
	char port[16];
	int error;

	/* No service of a system is to be spoken to because a centre lies. */
	if (call->port < PEER_PORT_MIN || call->port > UINT16_MAX) {
		*why = "that is no port of a private link";
		return NULL;
	}
	snprintf(port, sizeof(port), "%d", call->port);
	error = getaddrinfo(call->host, port, &hints, &found);
	if (error == 0)
		return found;
	*why = gai_strerror(error);
	return NULL;
}

/* Starts to connect; false with why. */
static bool
start(struct peer_call *call, const struct addrinfo *to, const char **why)
{
	int fd = socket(
	    to->ai_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

	if (fd == -1) {
		*why = strerror(errno);
		return false;
	}
	call->conn.fd = fd;
	if ((connect(fd, to->ai_addr, to->ai_addrlen) == -1 &&
		errno != EINPROGRESS) ||
	    loop_add(call->loop, &call->watch, fd, LOOP_WRITE, ready, call) ==
		-1) {
		*why = strerror(errno);
		return false;
	}
	call->state = CALL_CONNECTING;
	loop_timer(
	    call->loop, &call->timer, call->patience->connect, too_late, call);
	return true;
}

/* Makes the connection. */
static void
dial(struct peer_call *call)
{
	const char *why = "";
	struct addrinfo *to;
	bool started;

	hang_up(call);
	to = resolve(call, &why);
	started = to != NULL && start(call, to, &why);
	if (to != NULL)
		freeaddrinfo(to);
	if (!started)
		tell_all(call, PEER_UNREACHABLE, why);
}

/* True if the connection that is open will do for one more message. */
static bool
usable(const struct peer_call *call)
{
	return call->conn.fd != -1 && !call->stale && call->lines < LINES_MAX &&
	    clock_mono() - call->since < AGE_MAX_MS;
}

/* Says the next message, or ends. */
static void
go(void *arg)
{
	struct peer_call *call = arg;

	enter(call);
	if (call->state != CALL_IDLE && call->state != CALL_PAUSING) {
		leave(call);
		return;
	}
	if (call->first == NULL)
		hang_up(call);
	else if (usable(call))
		begin(call);
	else
		dial(call);
	leave(call);
}

/* ---- the whole */

/* Takes over a pass and, unless host is NULL, a place. */
static void
aim(struct peer_call *call, const struct peer_pass *pass, const char *host,
    int port)
{
	call->pass = *pass;
	if (host == NULL)
		return;
	snprintf(call->host, sizeof(call->host), "%s", host);
	call->port = port;
}

struct peer_call *
peer_call_new(struct loop *loop, const struct identity *identity,
    const struct peer_patience *patience, const char *from,
    const struct peer_pass *pass, const char *host, int port,
    void (*told)(void *arg, const struct peer_outcome *outcome), void *arg)
{
	struct peer_call *call = calloc(1, sizeof(*call));
	char why[TLS_WHY_LEN];

	if (call == NULL)
		fatal(EX_OSERR, "no memory");
	call->ctx = tls_peer_client_new(
	    identity->cert, identity->key, TLS_ALPN_PEER, why);
	if (call->ctx == NULL)
		fatal(EX_OSERR, "%s", why);
	call->loop = loop;
	call->patience = patience;
	call->told = told;
	call->arg = arg;
	call->last = &call->first;
	call->watch.fd = -1;
	call->conn.fd = -1;
	snprintf(call->from, sizeof(call->from), "%s", from);
	aim(call, pass, host, port);
	return call;
}

void
peer_say(struct peer_call *call, const char *id, const char *text)
{
	struct said *said = calloc(1, sizeof(*said));

	if (said == NULL || (said->id = strdup(id)) == NULL ||
	    (said->text = strdup(text)) == NULL)
		fatal(EX_OSERR, "no memory");
	*call->last = said;
	call->last = &said->next;
	call->waiting++;
	if (call->state == CALL_IDLE)
		go_on(call);
}

int
peer_waiting(const struct peer_call *call)
{
	return call->waiting;
}

void
peer_call_renew(struct peer_call *call, const struct peer_pass *pass,
    const char *host, int port)
{
	aim(call, pass, host, port);
	call->tries = 0;
	switch (call->state) {
	case CALL_SAYING:
	case CALL_HEARING:
		/* What was said is waited for; then another connection. */
		call->stale = true;
		return;
	case CALL_IDLE:
		call->stale = true;
		return;
	case CALL_CONNECTING:
	case CALL_SHAKING:
	case CALL_PAUSING:
		hang_up(call);
		go_on(call);
		return;
	}
}

void
peer_call_free(struct peer_call *call)
{
	struct said *said;

	if (call == NULL || call->freed)
		return;
	enter(call);
	hang_up(call);
	loop_timer_stop(call->loop, &call->turn);
	while ((said = take_first(call)) != NULL)
		free_said(said);
	SSL_CTX_free(call->ctx);
	call->freed = true;
	leave(call);
}
