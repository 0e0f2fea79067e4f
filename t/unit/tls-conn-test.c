/* SPDX-License-Identifier: ISC */
/*
 * Lines over TLS between two ends in two threads: lines that come in
 * pieces, ends of every kind, deadlines, a reply to who still sends.
 */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <sys/socket.h>

#include "tap.h"
#include "tls-peer.h"

/* The same, each octet in a record of its own. */
static void
act_split(struct peer *peer)
{
	struct tls_conn conn;
	enum tls_status status;

	must(tls_conn_open(&conn, peer->ctx, peer->fd, false, NULL) == 0,
	    conn.why);
	status = tls_handshake(&conn, TLS_ALPN_CENTRE, soon(SOON));
	for (size_t i = 0; status == TLS_OK && i < peer->len; i++)
		status = tls_write(&conn, peer->data + i, 1, soon(SOON));
	peer_end(peer, &conn, status);
}

/* Says nothing until the other end closes. */
static void
act_silent(struct peer *peer)
{
	char waste[256];

	while (read(peer->fd, waste, sizeof(waste)) > 0)
		;
	close(peer->fd);
}

/* Shakes hands, then says one octet every 20 ms, never a newline. */
static void
act_trickle(struct peer *peer)
{
	struct tls_conn conn;
	enum tls_status status;

	must(tls_conn_open(&conn, peer->ctx, peer->fd, false, NULL) == 0,
	    conn.why);
	status = tls_handshake(&conn, TLS_ALPN_CENTRE, soon(SOON));
	for (int i = 0; status == TLS_OK && i < SOON / 20; i++) {
		status = tls_write(&conn, "x", 1, soon(SOON));
		usleep(20000);
	}
	peer_end(peer, &conn, status);
}

/* Shakes hands, then resets the connection. */
static void
act_reset(struct peer *peer)
{
	struct linger linger = {.l_onoff = 1, .l_linger = 0};
	struct tls_conn conn;

	must(tls_conn_open(&conn, peer->ctx, peer->fd, false, NULL) == 0,
	    conn.why);
	peer->status = tls_handshake(&conn, TLS_ALPN_CENTRE, soon(SOON));
	usleep(50000); /* not before the server has its Finished */
	setsockopt(peer->fd, SOL_SOCKET, SO_LINGER, &linger, sizeof(linger));
	peer_end(peer, &conn, peer->status);
}

/* Shakes hands, then writes what is no record. */
static void
act_garbage(struct peer *peer)
{
	struct tls_conn conn;

	must(tls_conn_open(&conn, peer->ctx, peer->fd, false, NULL) == 0,
	    conn.why);
	peer->status = tls_handshake(&conn, TLS_ALPN_CENTRE, soon(SOON));
	must(write(peer->fd, peer->data, peer->len) == (ssize_t)peer->len,
	    "cannot write");
	peer_end(peer, &conn, peer->status);
}

/* Goes on sending, unharmed, and only then reads the reply. */
static void
act_flood(struct peer *peer)
{
	static char much[1 << 20];
	struct tls_conn conn;
	enum tls_status status;
	char *line;
	size_t len;

	must(tls_conn_open(&conn, peer->ctx, peer->fd, false, NULL) == 0,
	    conn.why);
	status = tls_handshake(&conn, TLS_ALPN_CENTRE, soon(SOON));
	if (status == TLS_OK)
		status = tls_write(&conn, "go\n", 3, soon(SOON));
	if (status == TLS_OK)
		status = tls_write(&conn, much, sizeof(much), soon(SOON));
	if (status == TLS_OK)
		status = tls_read_line(&conn, &line, &len, soon(SOON));
	if (status == TLS_OK && strcmp(line, "no") != 0)
		status = TLS_BROKEN;
	peer_end(peer, &conn, status);
}

/* Reads all lines and writes them into text, each followed by a bar. */
static enum tls_status
read_lines(struct tls_conn *conn, char *text, size_t size)
{
	enum tls_status status;
	size_t at = 0, len;
	char *line;

	text[0] = '\0';
	while (
	    (status = tls_read_line(conn, &line, &len, soon(SOON))) == TLS_OK)
		if (at < size)
			at +=
			    (size_t)snprintf(text + at, size - at, "%s|", line);
	return status;
}

/* Every way to cut a text in two, and each octet on its own. */
static void
test_lines(struct house *house)
{
	static const char text[] = "one\n\ntwo and more\nthree\n";
	struct peer peer = {.ctx = house->client,
	    .data = text,
	    .len = sizeof(text) - 1,
	    .polite = true};
	enum tls_status status;
	struct tls_conn conn;
	char got[256];
	int good = 0;

	for (peer.cut = 0; peer.cut < peer.len; peer.cut++) {
		int fd = peer_start(&peer, act_send);

		status = serve(&conn, house->server, fd);
		if (status == TLS_OK)
			status = read_lines(&conn, got, sizeof(got));
		tls_conn_close(&conn, 0);
		peer_join(&peer);
		good += status == TLS_END && peer.status == TLS_OK &&
		    strcmp(got, "one||two and more|three|") == 0;
	}
	ok(good == (int)peer.len, "lines cut in two: %d of %zu", good,
	    peer.len);
	serve(&conn, house->server, peer_start(&peer, act_split));
	status = read_lines(&conn, got, sizeof(got));
	ok(status == TLS_END && strcmp(got, "one||two and more|three|") == 0,
	    "each octet in a record of its own");
	tls_conn_close(&conn, 0);
	peer_join(&peer);
}

static void
test_waiting(struct house *house)
{
	static const char text[] = "a\nb\nc\nd\n";
	struct peer peer = {.ctx = house->client,
	    .data = text,
	    .len = sizeof(text) - 1,
	    .cut = 5, /* what the first read may bring for itself */
	    .polite = true};
	struct tls_conn conn;
	char *line;
	size_t len;

	serve(&conn, house->server, peer_start(&peer, act_send));
	peer_join(&peer); /* so that all of it has arrived */
	ok(tls_read_line(&conn, &line, &len, soon(SOON)) == TLS_OK &&
		strcmp(line, "a") == 0 && line_waiting(&conn.in),
	    "the second line is seen to wait");
	ok(tls_read_line(&conn, &line, &len, soon(SOON)) == TLS_OK &&
		strcmp(line, "b") == 0,
	    "and comes next");
	ok(tls_read_line(&conn, &line, &len, soon(SOON)) == TLS_OK &&
		strcmp(line, "c") == 0 && line_waiting(&conn.in),
	    "the fourth as well, though another record brought it");
	ok(tls_read_line(&conn, &line, &len, soon(SOON)) == TLS_OK &&
		strcmp(line, "d") == 0 && !line_waiting(&conn.in),
	    "no more after it");
	ok(tls_read_line(&conn, &line, &len, soon(SOON)) == TLS_END &&
		tls_read_line(&conn, &line, &len, soon(SOON)) == TLS_END,
	    "the end stays the end");
	tls_conn_close(&conn, 0);
	tls_conn_close(&conn, 0);
	ok(conn.fd == -1 && conn.ssl == NULL, "closing twice does no harm");
}

/* One end of the sending side: what the reading side makes of it. */
static void
ends_as(struct house *house, const char *text, bool polite,
    enum tls_status want, const char *name)
{
	struct peer peer = {.ctx = house->client,
	    .data = text,
	    .len = strlen(text),
	    .polite = polite};
	enum tls_status status;
	struct tls_conn conn;
	char got[64];

	serve(&conn, house->server, peer_start(&peer, act_send));
	status = read_lines(&conn, got, sizeof(got));
	ok(status == want && conn.why[0] != '\0', "%s: %s", name, conn.why);
	tls_conn_close(&conn, 0);
	peer_join(&peer);
}

static void
test_ends(struct house *house)
{
	ends_as(house, "a\n", true, TLS_END, "a proper end");
	ends_as(house, "", true, TLS_END, "a proper end without a word");
	ends_as(house, "a\n", false, TLS_END, "an end without close_notify");
	ends_as(house, "a\nb", true, TLS_CUT, "a proper end in a line");
	ends_as(house, "a\nb", false, TLS_CUT, "an improper end in a line");
}

static void
test_long_lines(struct house *house)
{
	char *text = malloc(LINE_MAX_LEN + 1);
	struct peer peer = {
	    .ctx = house->client, .data = text, .len = LINE_MAX_LEN};
	struct tls_conn conn;
	char *line;
	size_t len = 0;

	memset(text, 'x', LINE_MAX_LEN + 1);
	text[LINE_MAX_LEN - 1] = '\n';
	serve(&conn, house->server, peer_start(&peer, act_send));
	ok(tls_read_line(&conn, &line, &len, soon(SOON)) == TLS_OK &&
		len == LINE_MAX_LEN - 1,
	    "the longest line");
	tls_conn_close(&conn, 0);
	peer_join(&peer);
	text[LINE_MAX_LEN - 1] = 'x';
	text[LINE_MAX_LEN] = '\n';
	peer.len = LINE_MAX_LEN + 1;
	serve(&conn, house->server, peer_start(&peer, act_send));
	ok(tls_read_line(&conn, &line, &len, soon(SOON)) == TLS_TOO_LONG,
	    "one octet more: %s", conn.why);
	tls_conn_close(&conn, SHORT);
	peer_join(&peer);
	free(text);
}

/* The handshake and a line have deadlines; so has the other direction. */
static void
test_deadlines(struct house *house)
{
	struct peer peer = {.ctx = house->client, .data = ""};
	char *much = calloc(1, MUCH), *line;
	enum tls_status status;
	struct tls_conn conn;
	int64_t start;
	size_t len;

	must(tls_conn_open(&conn, house->server, peer_start(&peer, act_silent),
		 true, NULL) == 0,
	    conn.why);
	start = clock_mono();
	status = tls_handshake(&conn, TLS_ALPN_CENTRE, start + SHORT);
	ok(status == TLS_TIMEOUT && clock_mono() - start >= SHORT &&
		clock_mono() - start < SHORT + SLACK,
	    "a silent peer: %s", conn.why);
	tls_conn_close(&conn, 0);
	peer_join(&peer);

	serve(&conn, house->server, peer_start(&peer, act_trickle));
	start = clock_mono();
	status = tls_read_line(&conn, &line, &len, start + SHORT);
	ok(status == TLS_TIMEOUT && clock_mono() - start >= SHORT &&
		clock_mono() - start < SHORT + SLACK,
	    "a peer that trickles: %s", conn.why);
	start = clock_mono();
	status = tls_write(&conn, much, MUCH, start + SHORT);
	ok(status == TLS_TIMEOUT && clock_mono() - start < SHORT + SLACK,
	    "a peer that does not read: %s", conn.why);
	tls_conn_close(&conn, 0);
	peer_join(&peer);
	free(much);
}

static void
test_broken(struct house *house)
{
	struct peer peer = {.ctx = house->client,
	    .data = "this is no record of TLS at all",
	    .len = 31};
	struct tls_conn conn;
	char *line;
	size_t len;

	serve(&conn, house->server, peer_start(&peer, act_reset));
	ok(tls_read_line(&conn, &line, &len, soon(SOON)) == TLS_BROKEN,
	    "a reset: %s", conn.why);
	tls_conn_close(&conn, SHORT);
	peer_join(&peer);
	serve(&conn, house->server, peer_start(&peer, act_garbage));
	ok(tls_read_line(&conn, &line, &len, soon(SOON)) == TLS_BROKEN,
	    "garbage after the handshake: %s", conn.why);
	ok(tls_read_line(&conn, &line, &len, soon(SOON)) == TLS_BROKEN,
	    "and it stays broken: %s", conn.why);
	tls_conn_close(&conn, 0);
	peer_join(&peer);
}

/* A reply reaches a client that was still sending when it was refused. */
static void
test_linger(struct house *house)
{
	struct peer peer = {.ctx = house->client, .polite = true};
	int good = 0;

	for (int i = 0; i < 10; i++) {
		struct tls_conn conn;
		char *line;
		size_t len;

		serve(&conn, house->server, peer_start(&peer, act_flood));
		if (tls_read_line(&conn, &line, &len, soon(SOON)) == TLS_OK &&
		    tls_write(&conn, "no\n", 3, soon(SOON)) == TLS_OK)
			good++;
		tls_conn_close(&conn, SOON);
		peer_join(&peer);
		good += peer.status == TLS_OK;
	}
	ok(good == 20, "a reply is not lost to a reset: %d of 20", good);
}

int
main(void)
{
	struct house house = {.dir = ""};

	signal(SIGPIPE, SIG_IGN);
	house_build(&house);
	test_lines(&house);
	test_waiting(&house);
	test_ends(&house);
	test_long_lines(&house);
	test_deadlines(&house);
	test_broken(&house);
	test_linger(&house);
	house_release(&house);
	return done();
}
