/* SPDX-License-Identifier: ISC */
/*
 * The link to the centre: one short TLS connection for each exchange, made
 * by a courier thread, so that the agent's loop never waits for a name
 * server or a peer.  The courier keeps no state and logs nothing.
 */
#include "chat/agent/centre.h"

#include <sys/eventfd.h>
#include <sys/socket.h>

#include <errno.h>
#include <netdb.h>
#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

#include "lib/log.h"
#include "lib/tls.h"
#include "lib/unix.h"
#include "lib/wire.h"

enum {
	CONNECT_MS = 5000, /* for each address */
	HANDSHAKE_MS = 8000, /* a little over what the centre allows */
	WRITE_MS = 10000,
	REPLY_MS = 15000, /* likewise, and time in its queues */
	EXCHANGE_MS = 40000, /* all replies: nobody is fed drop by drop */
	REUSE_REQUESTS = 200, /* below WIRE_REQUESTS_MAX */
	REUSE_MS = 10000, /* well below the connection's 30 s */
};

struct centre {
	const char *host;
	char port[8];
	int family;
	const struct trust *trust;
	SSL_CTX *ctx;
	void (*done)(void *arg, struct centre_exchange *exchange);
	void *arg;
	struct loop_watch watch;
	int wake; /* eventfd: the courier has finished */
	bool busy; /* the loop's own view */

	pthread_mutex_t lock;
	pthread_cond_t told;
	struct centre_exchange *work; /* for the courier */
	struct centre_exchange *back; /* from the courier */
	SSL_CTX *next; /* in the place of ctx, from the next exchange on */
	bool hangup; /* nothing follows: end the connection */

	/* The courier's own. */
	struct tls_conn conn;
	bool open;
	int served; /* requests on this connection */
	int64_t since;
	struct trust_result trusted;
	struct centre_place peer;
};

struct centre_exchange *
centre_exchange_new(void)
{
	struct centre_exchange *exchange = calloc(1, sizeof(*exchange));

	if (exchange == NULL)
		fatal(EX_OSERR, "no memory");
	random_fill(&exchange->tag, sizeof(exchange->tag));
	return exchange;
}

/* What the request at that place is tagged with. */
static json_int_t
tag_of(const struct centre_exchange *exchange, int place)
{
	return (json_int_t)exchange->tag + place;
}

/* Frees an exchange; what was sent may hold a password or a token. */
void
centre_exchange_free(struct centre_exchange *exchange)
{
	if (exchange == NULL)
		return;
	if (exchange->out != NULL)
		explicit_bzero(exchange->out, exchange->out_len);
	free(exchange->out);
	for (int i = 0; i < exchange->got; i++)
		json_decref(exchange->replies[i]);
	explicit_bzero(&exchange->keys, sizeof(exchange->keys));
	free(exchange);
}

/* False if the request does not fit any more. */
bool
centre_add(struct centre_exchange *exchange, json_t *request)
{
	char *line, *out;
	size_t len;

	if (exchange->count == CENTRE_REQUESTS_MAX)
		return false;
	json_object_set_new(
	    request, "tag", json_integer(tag_of(exchange, exchange->count)));
	line = wire_line(request, &len);
	if (line == NULL)
		return false;
	if (exchange->count > 0 &&
	    exchange->out_len + len > CENTRE_OCTETS_MAX) {
		free(line);
		return false;
	}
	out = malloc(exchange->out_len + len);
	if (out == NULL)
		fatal(EX_OSERR, "no memory");
	if (exchange->out != NULL) {
		memcpy(out, exchange->out, exchange->out_len);
		explicit_bzero(exchange->out, exchange->out_len);
	}
	memcpy(out + exchange->out_len, line, len);
	explicit_bzero(line, len);
	free(line);
	free(exchange->out);
	exchange->out = out;
	exchange->out_len += len;
	exchange->count++;
	return true;
}

/* Notes how an exchange went. */
static void
outcome(struct centre_exchange *exchange, enum centre_status status,
    const char *why)
{
	exchange->status = status;
	snprintf(exchange->why, sizeof(exchange->why), "%s", why);
}

/* Waits for a connect() under way; 0 or an errno. */
static int
connect_wait(int fd, int64_t deadline)
{
	struct pollfd pfd = {.fd = fd, .events = POLLOUT};
	socklen_t len = sizeof(int);
	int error = 0, ready;
	int64_t left;

	for (;;) {
		left = deadline - clock_mono();
		if (left <= 0)
			return ETIMEDOUT;
		ready = poll(&pfd, 1, (int)left);
		if (ready == 1)
			break;
		if (ready == -1 && errno != EINTR)
			return errno;
	}
	if (getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &len) == -1)
		return errno;
	return error;
}

/* Connects to one address; -1 with errno. */
static int
connect_one(const struct addrinfo *address)
{
	int fd, error = 0;

	fd = socket(
	    address->ai_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd == -1)
		return -1;
	if (connect(fd, address->ai_addr, address->ai_addrlen) == -1)
		error = errno == EINPROGRESS
		    ? connect_wait(fd, clock_mono() + CONNECT_MS)
		    : errno;
	if (error == 0)
		return fd;
	close(fd);
	errno = error;
	return -1;
}

/* Connects to the first address that answers; -1 with a sentence. */
static int
connect_any(const struct centre *centre, char why[CENTRE_WHY_LEN])
{
	struct addrinfo hints = {
	    .ai_family = centre->family,
	    .ai_socktype = SOCK_STREAM,
	    .ai_flags = AI_NUMERICSERV,
	};
	struct addrinfo *list = NULL, *address;
	int code, fd = -1;

	code = getaddrinfo(centre->host, centre->port, &hints, &list);
	if (code != 0) {
		snprintf(why, CENTRE_WHY_LEN, "%s",
		    code == EAI_SYSTEM ? strerror(errno) : gai_strerror(code));
		return -1;
	}
	snprintf(why, CENTRE_WHY_LEN, "no address");
	for (address = list; address != NULL && fd == -1;
	     address = address->ai_next) {
		fd = connect_one(address);
		if (fd == -1)
			snprintf(why, CENTRE_WHY_LEN, "%s", strerror(errno));
	}
	freeaddrinfo(list);
	return fd;
}

static void
hang_up(struct centre *centre)
{
	if (centre->open)
		tls_conn_close(&centre->conn, 0);
	centre->open = false;
}

/* Shakes hands and judges the peer; -1 with the exchange's outcome set. */
static int
greet(struct centre *centre, struct centre_exchange *exchange)
{
	enum tls_status status;

	status = tls_handshake(
	    &centre->conn, TLS_ALPN_CENTRE, clock_mono() + HANDSHAKE_MS);
	if (status != TLS_OK) {
		outcome(exchange, CENTRE_UNREACHABLE,
		    status == TLS_TIMEOUT ? "the TLS handshake took too long"
					  : centre->conn.why);
		return -1;
	}
	trust_check(centre->trust, centre->conn.ssl, &centre->trusted);
	exchange->trust = centre->trusted;
	if (centre->trusted.verdict == TRUST_YES)
		return 0;
	outcome(exchange, CENTRE_UNTRUSTED, centre->trusted.why);
	return -1;
}

/* Opens a connection; -1 with the exchange's outcome set. */
static int
call(struct centre *centre, struct centre_exchange *exchange)
{
	char why[CENTRE_WHY_LEN];
	int fd = connect_any(centre, why);

	if (fd == -1) {
		outcome(exchange, CENTRE_UNREACHABLE, why);
		return -1;
	}
	centre->peer.len = sizeof(centre->peer.v6);
	if (getpeername(fd, &centre->peer.any, &centre->peer.len) == -1)
		centre->peer.len = 0;
	centre->served = 0;
	centre->since = clock_mono();
	centre->open = true;
	if (tls_conn_open(
		&centre->conn, centre->ctx, fd, false, centre->host) == -1) {
		outcome(exchange, CENTRE_UNREACHABLE, centre->conn.why);
		hang_up(centre);
		return -1;
	}
	if (greet(centre, exchange) == 0)
		return 0;
	hang_up(centre);
	return -1;
}

/*
 * True if that can be the reply to the request with the tag.  What belongs
 * to another one must never settle a message.  Only a refusal may lack the
 * tag: that of a request which was not read.
 */
static bool
reply_fits(const json_t *reply, json_int_t tag)
{
	const json_t *ok = json_object_get(reply, "ok");
	const json_t *got = json_object_get(reply, "tag");
	bool same = json_is_integer(got) && json_integer_value(got) == tag;

	if (json_is_true(ok))
		return same;
	return json_is_false(ok) && (same || got == NULL) &&
	    json_is_string(json_object_get(reply, "error"));
}

/* Reads the next reply; false when there is none. */
static bool
read_reply(
    struct centre *centre, struct centre_exchange *exchange, int64_t deadline)
{
	char why[WIRE_WHY_LEN];
	enum tls_status status;
	json_t *reply;
	char *line;
	size_t len;

	if (deadline > clock_mono() + REPLY_MS)
		deadline = clock_mono() + REPLY_MS;
	status = tls_read_line(&centre->conn, &line, &len, deadline);
	if (status != TLS_OK) {
		outcome(exchange, CENTRE_BROKEN,
		    status == TLS_TIMEOUT ? "the centre does not answer"
			: *centre->conn.why != '\0'
			? centre->conn.why
			: "the centre ended the connection");
		return false;
	}
	reply = wire_object(line, len, why);
	/* A reply to login holds the token. */
	explicit_bzero(line, len);
	if (reply == NULL) {
		outcome(exchange, CENTRE_BROKEN, why);
		return false;
	}
	if (!reply_fits(reply, tag_of(exchange, exchange->got))) {
		outcome(exchange, CENTRE_BROKEN,
		    "the centre's reply is not one to the request");
		json_decref(reply);
		return false;
	}
	exchange->replies[exchange->got++] = reply;
	return true;
}

/*
 * The beacon that a login gave, with its keys, which the two ends of this
 * connection alone can know.  Without them TLS has to do.
 */
static void
export_keys(struct centre *centre, struct centre_exchange *exchange)
{
	const char *id = exchange->got > 0
	    ? wire_get_string(exchange->replies[0], "beacon")
	    : NULL;
	uint8_t context[BEACON_CONTEXT_LEN];

	if (id == NULL || strlen(id) != BEACON_ID_TEXT ||
	    !beacon_id_parse(id, &exchange->beacon))
		return;
	beacon_context(exchange->beacon, context);
	if (tls_export(&centre->conn, BEACON_LABEL, context, sizeof(context),
		&exchange->keys, sizeof(exchange->keys)) == -1)
		exchange->beacon = 0;
}

/* One exchange, on the open connection or on a new one. */
static void
converse(struct centre *centre, struct centre_exchange *exchange)
{
	enum tls_status status;
	int64_t deadline;

	if (centre_fresh(centre, exchange->count) &&
	    call(centre, exchange) == -1)
		return;
	exchange->trust = centre->trusted;
	exchange->peer = centre->peer;
	outcome(exchange, CENTRE_OK, "");
	deadline = clock_mono() + EXCHANGE_MS;
	status = tls_write(&centre->conn, exchange->out, exchange->out_len,
	    clock_mono() + WRITE_MS);
	/* A centre that refuses early has said why: read it in any case. */
	while (exchange->got < exchange->count)
		if (!read_reply(centre, exchange, deadline))
			break;
	if (exchange->login)
		export_keys(centre, exchange);
	centre->served += exchange->count;
	if (exchange->status != CENTRE_OK || status != TLS_OK)
		hang_up(centre);
}

/* Waits for work; meanwhile ends a connection that nothing follows on. */
static struct centre_exchange *
next_work(struct centre *centre)
{
	struct centre_exchange *exchange;
	bool hangup;

	pthread_mutex_lock(&centre->lock);
	for (;;) {
		exchange = centre->work;
		hangup = centre->hangup || centre->next != NULL;
		centre->hangup = false;
		/* What was judged by other rules is not gone on with. */
		if (centre->next != NULL) {
			SSL_CTX_free(centre->ctx);
			centre->ctx = centre->next;
			centre->next = NULL;
		} else if (exchange != NULL)
			break;
		if (hangup) {
			pthread_mutex_unlock(&centre->lock);
			hang_up(centre);
			pthread_mutex_lock(&centre->lock);
			continue;
		}
		pthread_cond_wait(&centre->told, &centre->lock);
	}
	centre->work = NULL;
	pthread_mutex_unlock(&centre->lock);
	return exchange;
}

/* The courier's thread; it ends with the process. */
static void *
courier(void *arg)
{
	struct centre *centre = arg;
	struct centre_exchange *exchange;
	uint64_t one = 1;

	for (;;) {
		exchange = next_work(centre);
		converse(centre, exchange);
		pthread_mutex_lock(&centre->lock);
		centre->back = exchange;
		pthread_mutex_unlock(&centre->lock);
		if (write(centre->wake, &one, sizeof(one)) == -1)
			fatal(EX_OSERR, "eventfd: %m");
	}
	return NULL;
}

/* In the loop: an exchange is over. */
static void
came_back(void *arg, unsigned events)
{
	struct centre *centre = arg;
	struct centre_exchange *exchange;
	uint64_t count;

	(void)events;
	if (read(centre->wake, &count, sizeof(count)) == -1)
		return;
	pthread_mutex_lock(&centre->lock);
	exchange = centre->back;
	centre->back = NULL;
	pthread_mutex_unlock(&centre->lock);
	if (exchange == NULL)
		return;
	centre->busy = false;
	centre->done(centre->arg, exchange);
	if (centre->busy)
		return;
	pthread_mutex_lock(&centre->lock);
	centre->hangup = true;
	pthread_cond_signal(&centre->told);
	pthread_mutex_unlock(&centre->lock);
}

bool
centre_busy(const struct centre *centre)
{
	return centre->busy;
}

/* Hands the exchange over; only one can be under way. */
void
centre_start(struct centre *centre, struct centre_exchange *exchange)
{
	centre->busy = true;
	pthread_mutex_lock(&centre->lock);
	centre->work = exchange;
	pthread_cond_signal(&centre->told);
	pthread_mutex_unlock(&centre->lock);
}

/* Has the next exchange judged by what trust says now. */
int
centre_trust(struct centre *centre, char why[CENTRE_WHY_LEN])
{
	SSL_CTX *ctx = tls_client_new(TLS_ALPN_CENTRE, why);

	if (ctx == NULL || trust_context(centre->trust, ctx, why) == -1) {
		SSL_CTX_free(ctx);
		return -1;
	}
	pthread_mutex_lock(&centre->lock);
	SSL_CTX_free(centre->next);
	centre->next = ctx;
	pthread_cond_signal(&centre->told);
	pthread_mutex_unlock(&centre->lock);
	return 0;
}

/* Starts the thread and listens for it; -1 with errno. */
static int
courier_start(struct centre *centre, struct loop *loop)
{
	pthread_t thread;
	int code;

	pthread_mutex_init(&centre->lock, NULL);
	pthread_cond_init(&centre->told, NULL);
	centre->wake = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (centre->wake == -1 ||
	    loop_add(loop, &centre->watch, centre->wake, LOOP_READ, came_back,
		centre) == -1)
		return -1;
	code = pthread_create(&thread, NULL, courier, centre);
	if (code == 0)
		code = pthread_detach(thread);
	errno = code;
	return code == 0 ? 0 : -1;
}

/* A link that nothing moves yet; NULL with why. */
static struct centre *
centre_make(const char *host, int port, int family, const struct trust *trust,
    char why[CENTRE_WHY_LEN])
{
	struct centre *centre = calloc(1, sizeof(*centre));

	if (centre == NULL)
		fatal(EX_OSERR, "no memory");
	centre->host = host;
	snprintf(centre->port, sizeof(centre->port), "%d", port);
	centre->family = family;
	centre->trust = trust;
	centre->ctx = tls_client_new(TLS_ALPN_CENTRE, why);
	if (centre->ctx == NULL ||
	    trust_context(trust, centre->ctx, why) == -1) {
		SSL_CTX_free(centre->ctx);
		free(centre);
		return NULL;
	}
	return centre;
}

/* The same without a courier. */
struct centre *
centre_alone(const char *host, int port, int family, const struct trust *trust,
    char why[CENTRE_WHY_LEN])
{
	return centre_make(host, port, family, trust, why);
}

/* True if the next exchange of that many requests takes a new connection. */
bool
centre_fresh(struct centre *centre, int count)
{
	if (centre->open &&
	    (centre->served + count > REUSE_REQUESTS ||
		clock_mono() - centre->since > REUSE_MS))
		hang_up(centre);
	return !centre->open;
}

/* Waits for the whole exchange. */
void
centre_converse(struct centre *centre, struct centre_exchange *exchange)
{
	converse(centre, exchange);
}

/* Ends the connection, so that the centre need not wait for it. */
void
centre_hang_up(struct centre *centre)
{
	hang_up(centre);
}

/* Starts the courier. */
struct centre *
centre_new(struct loop *loop, const char *host, int port, int family,
    const struct trust *trust,
    void (*done)(void *arg, struct centre_exchange *exchange), void *arg,
    char why[CENTRE_WHY_LEN])
{
	struct centre *centre = centre_make(host, port, family, trust, why);

	if (centre == NULL)
		return NULL;
	centre->done = done;
	centre->arg = arg;
	/* The hash seed is chosen before there are two threads. */
	json_object_seed(0);
	if (courier_start(centre, loop) == 0)
		return centre;
	snprintf(why, CENTRE_WHY_LEN, "the courier: %s", strerror(errno));
	SSL_CTX_free(centre->ctx);
	free(centre);
	return NULL;
}
