/* SPDX-License-Identifier: ISC */
/*
 * The listener of private links: takes connections in, each with a deadline,
 * reads their lines, asks whether a pass allows them and has them stored.
 * Runs in the agent's loop, on the open network; must never wait, never let
 * who has proved nothing stand in the way of others, nor say why it refuses.
 */
#include "chat/agent/peer.h"

#include <sys/socket.h>

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

#include "chat/agent/peer-guest.h"
#include "chat/agent/peer-line.h"
#include "lib/log.h"
#include "lib/unix.h"

enum {
	ACCEPT_MAX = 16, /* in one turn; others have a turn as well */
	BREATH_MS = 500, /* while there are no descriptors */
	LOG_MS = 60000,
	LOG_MAX = 20, /* refusals in so long; the others are counted */
	WASTE = 16384,
	STEP_OCTETS = 4096, /* read at a time, so that others have a turn */
	LINE_OCTETS = LINE_MAX_LEN + 8192, /* and what TLS adds to a line */
};

const struct peer_limits peer_limits = {
    .connections = 64,
    .per_address = 8,
    .lines = 256,
    .prove = 5000,
    .request = 10000,
    .connection = 30000,
    .linger = 1000,
};

struct peer_listener {
	struct loop *loop;
	const struct peer_limits *limits;
	const struct peer_calls *calls;
	void *arg;
	SSL_CTX *ctx;
	struct loop_watch watch;
	struct loop_timer breath, quiet;
	int fd, port;
	struct guests guests;
	int logged; /* refusals, in this minute */
	int depth; /* handlers that are being run */
	bool stopped;
};

/* ---- memory: nothing goes while a handler may hold it */

/* Frees the connections that are gone. */
static void
sweep(struct peer_listener *listener)
{
	struct guest **link = &listener->guests.first, *guest;

	while ((guest = *link) != NULL) {
		if (!guest->gone) {
			link = &guest->next;
			continue;
		}
		*link = guest->next;
		free(guest);
	}
}

static void
enter(struct peer_listener *listener)
{
	listener->depth++;
}

/* The last handler that ends frees what has gone meanwhile. */
static void
leave(struct peer_listener *listener)
{
	if (--listener->depth > 0)
		return;
	sweep(listener);
	if (listener->stopped)
		free(listener);
}

/* Ends a connection. */
static void
drop(struct guest *guest)
{
	struct peer_listener *listener = guest->listener;

	if (guest->gone)
		return;
	guest->gone = true;
	listener->guests.count--;
	loop_remove(listener->loop, &guest->watch);
	loop_timer_stop(listener->loop, &guest->timer);
	loop_timer_stop(listener->loop, &guest->again);
	tls_conn_close(&guest->conn, 0);
	free(guest->out);
	guest->out = NULL;
}

/* ---- words for the log, which strangers must not fill */

static void
say_rest(void *arg)
{
	struct peer_listener *listener = arg;

	if (listener->logged > LOG_MAX)
		log_warn("private links: %d more refused in a minute",
		    listener->logged - LOG_MAX);
	listener->logged = 0;
}

/* Logs why somebody is refused. */
static void __attribute__((format(printf, 2, 3)))
refused(const struct guest *guest, const char *fmt, ...)
{
	struct peer_listener *listener = guest->listener;
	char text[PEER_WHY_LEN];
	va_list args;

	if (listener->logged++ == 0)
		loop_timer(listener->loop, &listener->quiet, LOG_MS, say_rest,
		    listener);
	if (listener->logged > LOG_MAX)
		return;
	va_start(args, fmt);
	vsnprintf(text, sizeof(text), fmt, args);
	va_end(args);
	log_warn("private link from %s refused: %s", guest->where, text);
}

/* ---- one connection */

static void guest_ready(void *arg, unsigned events);
static void guest_late(void *arg);

/* Sets the time when it has to have come further. */
static void
set_deadline(struct guest *guest)
{
	const struct peer_limits *limits = guest->listener->limits;
	int64_t now = clock_mono();
	int64_t at = guest->since + limits->connection;

	if (!guest->proven && guest->since + limits->prove < at)
		at = guest->since + limits->prove;
	if (guest->proven && now + limits->request < at)
		at = now + limits->request;
	if (guest->state == GUEST_LEAVING)
		at = now + limits->linger;
	loop_timer(
	    guest->listener->loop, &guest->timer, at - now, guest_late, guest);
}

/* Waits for what TLS waits for. */
static void
want(struct guest *guest)
{
	loop_want(guest->listener->loop, &guest->watch,
	    tls_wants_write(&guest->conn) ? LOOP_WRITE : LOOP_READ);
}

/* Has a reply written; the last one ends the connection. */
static void
reply(struct guest *guest, enum wire_error error, const char *text, bool last)
{
	guest->out = peer_reply_encode(error, text, &guest->out_len);
	guest->out_done = 0;
	guest->last = last;
	guest->state = GUEST_WRITING;
}

/* Closes so that the reply is not lost to a reset. */
static void
bid_farewell(struct guest *guest)
{
	tls_conn_shut(&guest->conn);
	guest->state = GUEST_LEAVING;
	loop_want(guest->listener->loop, &guest->watch, LOOP_READ);
	set_deadline(guest);
}

/* Reads what comes after the end, so that closing is no reset. */
static void
read_waste(struct guest *guest)
{
	char waste[WASTE];
	ssize_t n = recv(guest->conn.fd, waste, sizeof(waste), MSG_DONTWAIT);

	if (n > 0 || (n == -1 && (errno == EAGAIN || errno == EINTR)))
		return;
	drop(guest);
}

/* The first octets: the work begins, which not everybody gets for nothing. */
static bool
charge(struct guest *guest)
{
	char octet;

	if (guest->charged ||
	    recv(guest->conn.fd, &octet, 1, MSG_PEEK | MSG_DONTWAIT) != 1)
		return true;
	guest->charged = true;
	if (guests_charge(
		&guest->listener->guests, &guest->place, clock_mono()))
		return true;
	refused(guest, "too many from there have proved nothing");
	drop(guest);
	return false;
}

/* The handshake, or a part of it. */
static void
shake(struct guest *guest)
{
	if (!charge(guest))
		return;
	switch (tls_handshake(&guest->conn, TLS_ALPN_PEER, 0)) {
	case TLS_OK:
		break;
	case TLS_TIMEOUT:
		want(guest);
		return;
	case TLS_END:
		refused(guest, "it said nothing");
		drop(guest);
		return;
	default:
		refused(guest, "%s", guest->conn.why);
		drop(guest);
		return;
	}
	if (tls_peer_pin(guest->conn.ssl, guest->pin) == -1) {
		refused(guest, "it showed no certificate");
		drop(guest);
		return;
	}
	guest->state = GUEST_READING;
}

/* The pass that allows the line, copied; it may go while it is stored. */
static bool
judge(struct guest *guest, const struct peer_line *line, struct peer_pass *out)
{
	struct peer_listener *listener = guest->listener;
	const struct peer_pass *passes[PEER_PASSES_MAX], *pass;
	size_t count =
	    listener->calls->passes(listener->arg, passes, PEER_PASSES_MAX);

	pass = peer_line_judge(line, guest->pin, passes, count, clock_mono());
	if (pass != NULL)
		*out = *pass;
	return pass != NULL;
}

/* Whatever was wrong: a pass, a key, a name, the time. */
static void
refuse(struct guest *guest, const struct peer_line *line)
{
	/* The log escapes each of its lines as a whole. */
	refused(guest,
	    "no pass allows what it said as \"%.*s\" with the key %s",
	    NAME_MAX_LEN, line->from.s, guest->pin);
	reply(guest, ERR_NOT_ALLOWED, NULL, true);
}

/* Has a message stored, then says so. */
static void
store(struct guest *guest, const struct peer_line *line,
    const struct peer_pass *pass)
{
	struct peer_listener *listener = guest->listener;
	struct peer_message message = {
	    .from = pass->user,
	    .id = line->id.s,
	    .text = line->text.s,
	    .len = line->text.len,
	};
	enum peer_verdict verdict = PEER_TOO_MUCH;

	if (message.len <= TEXT_MAX_LEN)
		verdict = listener->calls->store(listener->arg, &message);
	/* It may have ended this connection, and the listener. */
	if (guest->gone)
		return;
	switch (verdict) {
	case PEER_TAKEN:
		reply(guest, ERR_NONE, NULL,
		    ++guest->lines >= listener->limits->lines);
		return;
	case PEER_TOO_MUCH:
		refused(guest, "the text from %s has %zu octets", pass->user,
		    message.len);
		reply(guest, ERR_TOO_LARGE, NULL,
		    ++guest->lines >= listener->limits->lines);
		return;
	case PEER_TROUBLE:
		refused(guest, "a message from %s cannot be stored now",
		    pass->user);
		reply(guest, ERR_BUSY,
		    "This client cannot store anything just now.", true);
		return;
	case PEER_NOT_TAKEN:
		refuse(guest, line);
		return;
	}
}

/* One line, of whomever. */
static void
take_line(struct guest *guest, const char *text, size_t len)
{
	char why[WIRE_WHY_LEN];
	struct peer_pass pass;
	struct peer_line line;

	if (peer_line_decode(text, len, &line, why) == -1) {
		refused(guest, "%s", why);
		reply(guest, ERR_BAD_REQUEST, why, true);
	} else if (!judge(guest, &line, &pass)) {
		refuse(guest, &line);
	} else {
		guest->proven = true;
		guests_clear(&guest->listener->guests, &guest->place);
		store(guest, &line, &pass);
		OPENSSL_cleanse(&pass, sizeof(pass));
	}
	peer_line_release(&line);
	if (guest->gone)
		return;
	guest->heard = tls_conn_read(&guest->conn);
	set_deadline(guest);
}

/* The next line, if it is there. */
static void
hear(struct guest *guest)
{
	char *text;
	size_t len;

	switch (tls_read_line(&guest->conn, &text, &len, 0)) {
	case TLS_OK:
		take_line(guest, text, len);
		return;
	case TLS_TIMEOUT:
		want(guest);
		return;
	case TLS_TOO_LONG:
		refused(guest, "%s", guest->conn.why);
		reply(guest, ERR_BAD_REQUEST, "The line is too long.", true);
		return;
	case TLS_END:
		if (!guest->proven)
			refused(guest, "it said nothing");
		break;
	default:
		refused(guest, "%s", guest->conn.why);
		break;
	}
	drop(guest);
}

static void
hear_more(void *arg)
{
	guest_ready(arg, LOOP_READ);
}

/* The reply, or what is left of it. */
static void
answer(struct guest *guest)
{
	switch (tls_write_some(
	    &guest->conn, guest->out, guest->out_len, &guest->out_done)) {
	case TLS_OK:
		break;
	case TLS_TIMEOUT:
		want(guest);
		return;
	default:
		refused(guest, "%s", guest->conn.why);
		drop(guest);
		return;
	}
	free(guest->out);
	guest->out = NULL;
	if (guest->last) {
		bid_farewell(guest);
		return;
	}
	/* Lines that have been read already are nothing a descriptor shows. */
	guest->state = GUEST_READING;
	want(guest);
	loop_timer(guest->listener->loop, &guest->again, 0, hear_more, guest);
}

/* Goes on with a connection, by one line at most: others wait, too. */
static void
guest_ready(void *arg, unsigned events)
{
	struct guest *guest = arg;
	struct peer_listener *listener = guest->listener;

	(void)events;
	enter(listener);
	tls_conn_allow(&guest->conn, STEP_OCTETS);
	if (guest->state == GUEST_LEAVING)
		read_waste(guest);
	if (!guest->gone && guest->state == GUEST_SHAKING)
		shake(guest);
	if (!guest->gone && guest->state == GUEST_READING)
		hear(guest);
	if (!guest->gone && guest->state == GUEST_WRITING)
		answer(guest);
	if (!guest->gone && guest->state != GUEST_LEAVING &&
	    tls_conn_read(&guest->conn) - guest->heard > LINE_OCTETS) {
		refused(guest, "it sends much that is no line");
		drop(guest);
	}
	leave(listener);
}

/* It has not come further in time. */
static void
guest_late(void *arg)
{
	struct guest *guest = arg;
	struct peer_listener *listener = guest->listener;

	enter(listener);
	if (!guest->proven && guest->state != GUEST_LEAVING)
		refused(guest, "it has not proved itself in time");
	drop(guest);
	leave(listener);
}

/* ---- connections that come */

/* A connection for a descriptor; it is closed if that cannot be. */
static void
welcome(struct peer_listener *listener, int fd, const struct guest_place *place)
{
	struct guest *guest = calloc(1, sizeof(*guest));

	if (guest == NULL)
		fatal(EX_OSERR, "no memory");
	guest->listener = listener;
	guest->since = clock_mono();
	guest->watch.fd = -1;
	guest->place = *place;
	guest_place_text(place, guest->where);
	guests_add(&listener->guests, guest);
	if (tls_conn_open(&guest->conn, listener->ctx, fd, true, NULL) == -1 ||
	    loop_add(listener->loop, &guest->watch, fd, LOOP_READ, guest_ready,
		guest) == -1) {
		refused(guest, "there is no room for it");
		drop(guest);
		return;
	}
	set_deadline(guest);
}

/* Makes room for one more from there; false if there is none. */
static bool
make_room(struct peer_listener *listener, const struct guest_place *place)
{
	const struct peer_limits *limits = listener->limits;
	struct guest *victim;

	while (guests_full(&listener->guests, place, limits)) {
		victim = guests_victim(&listener->guests, place, limits);
		if (victim == NULL)
			return false;
		if (victim->state != GUEST_LEAVING)
			refused(victim,
			    "it has proved nothing, and others "
			    "come");
		drop(victim);
	}
	return true;
}

static void accept_again(void *arg);

/* Accepts nothing for a while: without descriptors it would spin. */
static void
pause_accepting(struct peer_listener *listener)
{
	struct guest *victim = guests_victim(&listener->guests, NULL, NULL);

	log_warn("private links: cannot accept: %m");
	if (victim != NULL)
		drop(victim);
	loop_want(listener->loop, &listener->watch, 0);
	loop_timer(listener->loop, &listener->breath, BREATH_MS, accept_again,
	    listener);
}

static void
accept_again(void *arg)
{
	struct peer_listener *listener = arg;

	loop_want(listener->loop, &listener->watch, LOOP_READ);
}

/* What accept(2) has to say of one connection, or of the network. */
static bool
is_passing(int error)
{
	return error == ECONNABORTED || error == EINTR || error == EPROTO ||
	    error == ENETDOWN || error == ENETUNREACH || error == EHOSTDOWN ||
	    error == EHOSTUNREACH || error == ENONET || error == ENOPROTOOPT ||
	    error == EOPNOTSUPP || error == EPERM || error == ETIMEDOUT;
}

/* Takes in one of those that wait; false if none does. */
static bool
accept_one(struct peer_listener *listener)
{
	struct sockaddr_storage from;
	socklen_t len = sizeof(from);
	struct guest_place place;
	int fd = accept4(listener->fd, (struct sockaddr *)&from, &len,
	    SOCK_CLOEXEC | SOCK_NONBLOCK);

	if (fd == -1 && is_passing(errno))
		return true;
	if (fd == -1 && errno == EAGAIN)
		return false;
	if (fd == -1) {
		pause_accepting(listener);
		return false;
	}
	guest_place_set(&place, &from);
	if (make_room(listener, &place))
		welcome(listener, fd, &place);
	else
		close(fd);
	return true;
}

static void
knocked(void *arg, unsigned events)
{
	struct peer_listener *listener = arg;

	(void)events;
	enter(listener);
	for (int i = 0; i < ACCEPT_MAX && accept_one(listener); i++)
		;
	leave(listener);
}

/* ---- the whole */

/* A listener that listens to nothing yet. */
static struct peer_listener *
listener_new(
    struct loop *loop, const struct identity *identity, char why[PEER_WHY_LEN])
{
	struct peer_listener *listener = calloc(1, sizeof(*listener));
	char reason[TLS_WHY_LEN];

	if (listener == NULL)
		fatal(EX_OSERR, "no memory");
	listener->loop = loop;
	listener->fd = -1;
	listener->watch.fd = -1;
	listener->ctx = tls_peer_server_new(
	    identity->cert, identity->key, TLS_ALPN_PEER, reason);
	if (listener->ctx != NULL)
		return listener;
	snprintf(why, PEER_WHY_LEN, "%s", reason);
	free(listener);
	return NULL;
}

struct peer_listener *
peer_listen(struct loop *loop, const struct identity *identity, int family,
    int port, const struct peer_limits *limits, const struct peer_calls *calls,
    void *arg, char why[PEER_WHY_LEN])
{
	struct peer_listener *listener = listener_new(loop, identity, why);

	if (listener == NULL)
		return NULL;
	listener->limits = limits;
	listener->calls = calls;
	listener->arg = arg;
	listener->fd = guest_listen(family, port, &listener->port);
	if (listener->fd != -1 &&
	    loop_add(loop, &listener->watch, listener->fd, LOOP_READ, knocked,
		listener) == 0)
		return listener;
	if (port != 0)
		snprintf(
		    why, PEER_WHY_LEN, "port %d: %s", port, strerror(errno));
	else
		snprintf(why, PEER_WHY_LEN, "no port to listen at: %s",
		    strerror(errno));
	peer_stop(listener);
	return NULL;
}

int
peer_port(const struct peer_listener *listener)
{
	return listener->port;
}

int
peer_count(const struct peer_listener *listener)
{
	return listener->guests.count;
}

void
peer_stop(struct peer_listener *listener)
{
	if (listener == NULL || listener->stopped)
		return;
	enter(listener);
	listener->stopped = true;
	for (struct guest *guest = listener->guests.first; guest != NULL;
	     guest = guest->next)
		drop(guest);
	loop_remove(listener->loop, &listener->watch);
	loop_timer_stop(listener->loop, &listener->breath);
	loop_timer_stop(listener->loop, &listener->quiet);
	if (listener->fd != -1)
		close(listener->fd);
	SSL_CTX_free(listener->ctx);
	leave(listener);
}
