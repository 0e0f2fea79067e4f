/* SPDX-License-Identifier: ISC */
/*
 * Bob's listener: who is let in, who is refused and in which words, who
 * gives way, and that nobody holds up the others.
 */
#include <errno.h>
#include <fcntl.h>

#include <openssl/pem.h>
#include <openssl/rsa.h>
#include <openssl/x509v3.h>

#include "chat/agent/peer-guest.h"

#include "peer-stage.h"

enum {
	CROWD = 1000,
	STALL_MS = 2000, /* no turn of the loop may take so long */
};

#define ID1 "0123456789abcdef"
#define ID2 "fedcba9876543210"

/* Limits in which nobody waits long. */
static struct peer_limits
hasty(void)
{
	struct peer_limits limits = peer_limits;

	limits.prove = 200;
	limits.linger = 100;
	return limits;
}

static void
test_honest(struct stage *stage)
{
	struct visitor alice = {0}, both = {0};
	char *line = a_line("alice", SECRET, ID1, "hi");
	char *two = NULL, *next = a_line("alice", SECRET, ID2, "ho");

	stage_listen(stage, &peer_limits);
	ok(peer_port(stage->listener) >= PEER_PORT_MIN, "a port");
	alice.hang_up = false;
	both.hang_up = false;
	if (asprintf(&two, "%s%s%s", line, next, line) == -1)
		exit(1);
	stage->limits.request = 300;
	visit_with(stage, &alice, &stage->alice, line);
	is(alice.reply, "{\"ok\":true}", "an honest line");
	is_number(alice.status, TLS_END, "ends when nothing more comes");
	is_number(stage->stored_count, 1, "it is stored");
	is(stage->stored[0], "alice " ID1 " hi", "as it was said");
	visit_with(stage, &both, &stage->alice, two);
	is_number(both.replies, 3, "several lines at once are all answered");
	is(stage->stored[2], "alice " ID2 " ho", "in their order");
	is_number(peer_count(stage->listener), 0, "nobody stays");
	free(line);
	free(next);
	free(two);
}

/* One refusal, whatever is wrong. */
static void
refuse(struct stage *stage, const char *what, const struct identity *who,
    const char *secret, const char *from)
{
	struct visitor visitor = {0};
	char *line = a_line(from, secret, ID1, "hi");

	visit_with(stage, &visitor, who, line);
	is(visitor.reply, REFUSAL, "%s: the same words", what);
	is_number(visitor.status, TLS_END, "and the end, whole");
	is_number(stage->stored_count, 0, "nothing is stored");
	ok(logged(stage, "refused: no pass allows what it said as"),
	    "it is logged");
	free(line);
}

static void
test_refused(struct stage *stage)
{
	struct peer_limits limits = hasty();

	stage_listen(stage, &limits);
	refuse(stage, "the wrong key", &stage->mallory, SECRET, "alice");
	refuse(stage, "an unknown pass", &stage->alice,
	    "zyxwvutsrqponmlkjihgfedcba", "alice");
	refuse(stage, "another's name", &stage->alice, SECRET, "carol");
	refuse(stage, "a name of ill will", &stage->alice, SECRET,
	    "\xe2\x80\xae\xc2\x9b"
	    "31m");
	ok(logged(stage, "\\xe2\\x80\\xae"), "its name is escaped");
	stage->passes[0].until = clock_mono();
	refuse(stage, "an expired pass", &stage->alice, SECRET, "alice");
	stage->count = 0;
	refuse(stage, "an ended pass", &stage->alice, SECRET, "alice");
	stage->passes[0] = stage_pass("alice", &stage->alice);
	stage->count = 1;
	stage->verdict = PEER_NOT_TAKEN;
	refuse(stage, "a pass that ends meanwhile", &stage->alice, SECRET,
	    "alice");
}

/* Other answers than yes and no. */
static void
test_verdicts(struct stage *stage)
{
	struct peer_limits limits = hasty();
	char much[TEXT_MAX_LEN + 2], *line = a_line("alice", SECRET, ID1, "hi");
	struct visitor large = {0}, busy = {0}, big = {0};

	limits.request = 300;
	stage_listen(stage, &limits);
	stage->verdict = PEER_TOO_MUCH;
	visit_with(stage, &large, &stage->alice, line);
	ok(strstr(large.reply, "\"too-large\"") != NULL, "%s", large.reply);
	stage->verdict = PEER_TROUBLE;
	visit_with(stage, &busy, &stage->alice, line);
	ok(strstr(busy.reply, "\"busy\"") != NULL, "%s", busy.reply);
	free(line);
	memset(much, 'x', sizeof(much) - 1);
	much[sizeof(much) - 1] = '\0';
	stage->verdict = PEER_TAKEN;
	line = a_line("alice", SECRET, ID1, much);
	visit_with(stage, &big, &stage->alice, line);
	ok(strstr(big.reply, "\"too-large\"") != NULL,
	    "a text that no setting allows");
	is_number(stage->stored_count, 0, "nothing is stored");
	free(line);
}

/* Lines that are none. */
static void
test_malformed(struct stage *stage)
{
	static char much[16 << 20]; /* no buffer holds it */
	struct peer_limits limits = hasty();
	struct visitor garbage = {0}, blank = {0}, lengthy = {0}, half = {0},
		       stays = {0};

	limits.linger = SOON;
	stage_listen(stage, &limits);
	visit_with(stage, &garbage, &stage->alice, "\033[2J\233\n");
	ok(strstr(garbage.reply, "\"bad-request\"") != NULL, "garbage: %s",
	    garbage.reply);
	visit_with(stage, &blank, &stage->alice, "\n\n\n\n");
	is_number(blank.replies, 1, "the first blank line is the last");
	memset(much, ' ', sizeof(much) - 1);
	visit_with(stage, &lengthy, &stage->alice, much);
	is(lengthy.reply,
	    "{\"ok\":false,\"error\":\"bad-request\","
	    "\"text\":\"The line is too long.\"}",
	    "a line without an end");
	ok(!lengthy.unsaid && lengthy.status == TLS_END,
	    "the reply is not lost to a reset");
	stage->limits.linger = 100;
	half.hang_up = true;
	visit_with(stage, &half, &stage->alice, "{\"op\":\"private\",");
	for (int64_t until = soon(SOON);
	     peer_count(stage->listener) > 0 && clock_mono() < until;)
		loop_turn(stage->loop, 10);
	ok(logged(stage, "the peer closed in the middle of a line"),
	    "half a line and the end is logged");
	visit_with(stage, &stays, &stage->alice, "{\"op\":\"private\",");
	is_number(stays.replies, 0, "half a line and silence: no reply");
	ok(logged(stage, "it has not proved itself in time"), "logged");
	is_number(stage->stored_count, 0, "nothing is stored");
}

/* A context that is not quite right. */
static void
shake(struct stage *stage, const char *what, SSL_CTX *ctx, const char *words)
{
	struct visitor visitor = {.ctx = ctx};
	char *line = a_line("alice", SECRET, ID1, "hi");

	visitor.data = line;
	visitor.len = strlen(line);
	visit(stage, &visitor);
	is_number(visitor.replies, 0, "%s: no reply", what);
	is_number(stage->stored_count, 0, "nothing is stored");
	ok(logged(stage, words), "logged: %s", words);
	SSL_CTX_free(ctx);
	free(line);
}

/* Somebody with an RSA key, which others than ours would take. */
static SSL_CTX *
context_rsa(void)
{
	EVP_PKEY *key = EVP_RSA_gen(2048);
	X509 *cert = X509_new();
	SSL_CTX *ctx = SSL_CTX_new(TLS_client_method());

	X509_set_pubkey(cert, key);
	X509_gmtime_adj(X509_getm_notBefore(cert), -60);
	X509_gmtime_adj(X509_getm_notAfter(cert), 60);
	must(X509_sign(cert, key, EVP_sha256()) > 0 &&
		SSL_CTX_use_certificate(ctx, cert) == 1 &&
		SSL_CTX_use_PrivateKey(ctx, key) == 1 &&
		SSL_CTX_set_alpn_protos(
		    ctx, (const unsigned char *)"\013" TLS_ALPN_PEER, 12) == 0,
	    "no context");
	X509_free(cert);
	EVP_PKEY_free(key);
	return ctx;
}

static void
test_handshakes(struct stage *stage)
{
	struct peer_limits limits = hasty();
	struct visitor noise = {0}, mute = {0}, gone = {0};
	char why[TLS_WHY_LEN];
	SSL_CTX *old;

	stage_listen(stage, &limits);
	old = context_of(&stage->alice);
	SSL_CTX_set_min_proto_version(old, TLS1_2_VERSION);
	SSL_CTX_set_max_proto_version(old, TLS1_2_VERSION);
	shake(stage, "TLS 1.2", old, "the peer offers TLS 1.2 or older");
	shake(stage, "no ALPN",
	    tls_peer_client_new(stage->alice.cert, stage->alice.key, "h2", why),
	    "the peer does not offer our protocol (ALPN)");
	shake(stage, "no certificate", tls_client_new(TLS_ALPN_PEER, why),
	    "did not return a certificate");
	shake(stage, "an RSA key", context_rsa(), "refused");
	noise.data = "GET / HTTP/1.1\r\n\r\n";
	noise.len = 18;
	visit(stage, &noise);
	ok(logged(stage, "the peer speaks no TLS"), "no TLS");
	visit(stage, &mute);
	ok(logged(stage, "it has not proved itself in time"), "nothing at all");
	gone.hang_up = true;
	visit(stage, &gone);
	is_number(stage->stored_count, 0, "nothing is stored");
}

/* Only so long, only so many lines. */
static void
test_bounds(struct stage *stage)
{
	struct peer_limits limits = hasty();
	struct visitor silent = {0}, many = {0}, slow = {0};
	char *line = a_line("alice", SECRET, ID1, "hi"), *four = NULL;

	limits.lines = 3;
	stage_listen(stage, &limits);
	if (asprintf(&four, "%s%s%s%s", line, line, line, line) == -1)
		exit(1);
	visit_with(stage, &many, &stage->alice, four);
	is_number(many.replies, 3, "no more lines than that");
	is_number(many.status, TLS_END, "then the end");
	limits = hasty();
	limits.connection = 300;
	stage_listen(stage, &limits);
	visit_with(stage, &silent, &stage->alice, line);
	is_number(silent.status, TLS_END, "no connection lasts longer");
	limits = hasty();
	limits.request = 100;
	stage_listen(stage, &limits);
	visit_with(stage, &slow, &stage->alice, line);
	is_number(slow.replies, 1, "nor waits long for another line");
	free(line);
	free(four);
}

/* The listener may be stopped by what it calls. */
static void
test_stopped(struct stage *stage)
{
	struct visitor visitor = {0};
	char *line = a_line("alice", SECRET, ID1, "hi");

	stage_listen(stage, &peer_limits);
	stage->stop = true;
	visit_with(stage, &visitor, &stage->alice, line);
	is_number(visitor.replies, 0, "stopped while it stores");
	ok(stage->listener == NULL, "it is gone");
	free(line);
}

/* Opens silent connections, each from the same address or one of its own. */
static void
crowd(struct stage *stage, int *fds, int count, bool apart)
{
	char address[32];

	for (int i = 0; i < count; i++) {
		snprintf(address, sizeof(address), "127.%d.%d.%d",
		    apart ? 1 + i / 250 : 1, 1, apart ? 1 + i % 250 : 1);
		fds[i] = loopback(peer_port(stage->listener), address);
		must(fds[i] != -1, "cannot connect");
		loop_turn(stage->loop, 0);
	}
}

static void
disperse(int *fds, int count)
{
	for (int i = 0; i < count; i++)
		close(fds[i]);
}

/* A thousand who say nothing. */
static void
test_crowds(struct stage *stage)
{
	static int fds[CROWD];
	char *line = a_line("alice", SECRET, ID1, "hi");

	for (int apart = 0; apart < 2; apart++) {
		struct visitor alice = {0}, same = {.address = "127.1.1.1"};

		stage_listen(stage, &peer_limits);
		stage->limits.request = 200;
		crowd(stage, fds, CROWD, apart != 0);
		is_number(peer_count(stage->listener),
		    apart ? peer_limits.connections : peer_limits.per_address,
		    apart ? "a thousand addresses: so many are held"
			  : "a thousand from one address: so many are held");
		visit_with(stage, &alice, &stage->alice, line);
		is(alice.reply, "{\"ok\":true}", "an honest one is let in");
		visit_with(stage, &same, &stage->alice, line);
		is(same.reply, "{\"ok\":true}",
		    "one from an address of theirs as well");
		disperse(fds, CROWD);
	}
	ok(logged(stage, "it has proved nothing, and others come"),
	    "who gave way is logged");
	free(line);
}

/* Two handshakes in one place; the crowd comes from few addresses. */
static void
test_fairness(struct stage *stage)
{
	struct peer_limits limits = peer_limits;
	struct guest_seen {
		int fd;
		char octet;
	} alone;
	int fds[16], few[6];

	limits.connections = 8;
	limits.per_address = 4;
	stage_listen(stage, &limits);
	alone.fd = loopback(peer_port(stage->listener), "127.9.9.9");
	loop_turn(stage->loop, 0);
	crowd(stage, fds, 16, false);
	crowd(stage, few, 6, true);
	for (int i = 0; i < 8; i++)
		loop_turn(stage->loop, 0);
	is_number(recv(alone.fd, &alone.octet, 1, MSG_DONTWAIT), -1,
	    "who came first and alone is still there");
	ok(errno == EAGAIN, "and not reset");
	close(alone.fd);
	disperse(fds, 16);
	disperse(few, 6);
}

/* Who has proved something is not pushed out. */
static void
test_proven(struct stage *stage)
{
	struct peer_limits limits = peer_limits;
	struct visitor first = {0}, second = {0}, third = {0};
	char *line = a_line("alice", SECRET, ID1, "hi");
	int fds[8];

	limits.per_address = 2;
	limits.request = 1500;
	stage_listen(stage, &limits);
	first.ctx = second.ctx = context_of(&stage->alice);
	first.data = second.data = line;
	first.len = second.len = strlen(line);
	visitor_start(stage, &first);
	visitor_start(stage, &second);
	for (int64_t until = soon(SOON);
	     stage->stored_count < 2 && clock_mono() < until;)
		loop_turn(stage->loop, 10);
	is_number(stage->stored_count, 2, "two have proved themselves");
	for (int i = 0; i < 8; i++) {
		fds[i] = loopback(peer_port(stage->listener), NULL);
		loop_turn(stage->loop, 10);
	}
	is_number(peer_count(stage->listener), 2, "others find no room");
	ok(!first.over && !second.over, "those two stay");
	disperse(fds, 8);
	while (!first.over || !second.over)
		loop_turn(stage->loop, 10);
	pthread_join(first.thread, NULL);
	pthread_join(second.thread, NULL);
	is_number(first.replies + second.replies, 2, "and have their replies");
	stage->limits.request = 100;
	visit_with(stage, &third, &stage->alice, line);
	is_number(third.replies, 1, "afterwards there is room");
	SSL_CTX_free(first.ctx);
	free(line);
}

static atomic_bool enough;

/* Records that hold no data, as fast as they go. */
static void
act_updates(struct visitor *visitor, struct tls_conn *conn)
{
	visitor->status = TLS_BROKEN;
	fcntl(conn->fd, F_SETFL, 0);
	while (!enough &&
	    SSL_key_update(conn->ssl, SSL_KEY_UPDATE_NOT_REQUESTED) == 1 &&
	    SSL_do_handshake(conn->ssl) == 1)
		;
}

/* Some make the other end's TLS work, and never say anything. */
static void
test_updates(struct stage *stage)
{
	struct visitor visitors[2] = {
	    {.act = act_updates}, {.act = act_updates}};
	struct visitor alice = {0};
	int64_t worst = 0, began, took;
	char *line = a_line("alice", SECRET, ID1, "hi");

	stage_listen(stage, &peer_limits);
	stage->limits.prove = SOON;
	stage->limits.request = 200;
	for (int i = 0; i < 2; i++) {
		visitors[i].ctx = context_of(&stage->mallory);
		visitor_start(stage, &visitors[i]);
	}
	alice.ctx = context_of(&stage->alice);
	alice.data = line;
	alice.len = strlen(line);
	visitor_start(stage, &alice);
	for (int64_t until = soon(SOON); clock_mono() < until &&
	     !(visitors[0].over && visitors[1].over && alice.over);) {
		began = clock_mono();
		loop_turn(stage->loop, 10);
		took = clock_mono() - began;
		worst = took > worst ? took : worst;
	}
	ok(worst < STALL_MS, "no turn takes long: %lld ms", (long long)worst);
	is(alice.reply, "{\"ok\":true}", "an honest one is served");
	enough = true;
	ok(visitors[0].over && visitors[1].over, "they are cut short");
	ok(logged(stage, "it sends much that is no line"), "and why");
	for (int i = 0; i < 2; i++) {
		pthread_join(visitors[i].thread, NULL);
		SSL_CTX_free(visitors[i].ctx);
	}
	pthread_join(alice.thread, NULL);
	SSL_CTX_free(alice.ctx);
	free(line);
}

/* Who makes us shake hands for nothing is not served for a while. */
static void
test_charges(struct stage *stage)
{
	struct peer_limits limits = hasty();
	struct visitor alice = {.address = "127.3.3.3"}, again = alice;
	struct visitor stranger = {.address = "127.4.4.4"}, late = stranger;
	char *line = a_line("alice", SECRET, ID1, "hi");
	int served = 0;

	limits.request = 10;
	stage_listen(stage, &limits);
	for (int i = 0; i < GUEST_CHARGE_MAX + 2; i++) {
		struct visitor one = {.address = "127.4.4.4"};

		visit_with(stage, &one, &stage->mallory, line);
		served += one.replies;
	}
	is_number(served, GUEST_CHARGE_MAX, "so many are answered");
	visit_with(stage, &alice, &stage->alice, line);
	is_number(alice.replies, 1, "other addresses do not suffer");
	visit_with(stage, &late, &stage->alice, line);
	is_number(late.replies, 0, "the same one does");
	for (int i = 0; i < GUEST_CHARGE_MAX + 2; i++) {
		again.replies = 0;
		again.over = false;
		visit_with(stage, &again, &stage->alice, line);
		if (again.replies != 1)
			break;
	}
	is_number(again.replies, 1, "who proves something has no such bound");
	free(line);
}

/* No descriptors: it waits without spinning, and goes on. */
static void
test_descriptors(struct stage *stage)
{
	struct visitor alice = {0};
	char *line = a_line("alice", SECRET, ID1, "hi");
	int waits[4], fds[8192], count = 0, turns = 0, fd;

	stage_listen(stage, &peer_limits);
	stage->limits.request = 100;
	for (int i = 0; i < 4; i++)
		waits[i] = loopback(peer_port(stage->listener), NULL);
	while (count < 8192 && (fd = dup(waits[0])) != -1)
		fds[count++] = fd;
	for (int64_t until = soon(200); clock_mono() < until; turns++)
		loop_turn(stage->loop, 20);
	is_number(peer_count(stage->listener), 0, "nobody can be let in");
	ok(turns < 100, "nothing spins: %d turns", turns);
	while (count > 0)
		close(fds[--count]);
	ok(logged(stage, "cannot accept"), "it is logged");
	for (int64_t until = soon(SOON);
	     peer_count(stage->listener) < 4 && clock_mono() < until;)
		loop_turn(stage->loop, 20);
	is_number(peer_count(stage->listener), 4, "then they are");
	visit_with(stage, &alice, &stage->alice, line);
	is_number(alice.replies, 1, "and alice");
	disperse(waits, 4);
	free(line);
}

/* Strangers do not fill the disk with what they are told. */
static void
test_log(struct stage *stage)
{
	struct stat st;
	int fds[200];

	stage_listen(stage, &peer_limits);
	crowd(stage, fds, 200, false);
	must(stat(stage->log, &st) == 0, "no log");
	ok(st.st_size < 4096, "200 who gave way: %lld octets of log",
	    (long long)st.st_size);
	disperse(fds, 200);
}

/* The port: its families, one's own, one that is taken. */
static void
test_ports(struct stage *stage)
{
	struct peer_listener *second;
	char why[PEER_WHY_LEN];
	struct sockaddr_in6 to = {
	    .sin6_family = AF_INET6, .sin6_addr = IN6ADDR_LOOPBACK_INIT};
	int fd, port;

	stage_listen(stage, &peer_limits);
	port = peer_port(stage->listener);
	to.sin6_port = htons((uint16_t)port);
	fd = socket(AF_INET6, SOCK_STREAM, 0);
	if (fd != -1)
		ok(connect(fd, (struct sockaddr *)&to, sizeof(to)) == 0 ||
			errno == EADDRNOTAVAIL,
		    "the same port over IPv6");
	close(fd);
	second = peer_listen(stage->loop, &stage->bob, AF_UNSPEC, port,
	    &peer_limits, &stage_calls, stage, why);
	ok(second == NULL, "a port that is taken");
	ok(strstr(why, "Address already in use") != NULL, "%s", why);
	peer_stop(stage->listener);
	stage->listener = peer_listen(stage->loop, &stage->bob, AF_INET, port,
	    &peer_limits, &stage_calls, stage, why);
	ok(stage->listener != NULL && peer_port(stage->listener) == port,
	    "one that is free again is taken again");
}

int
main(void)
{
	struct stage stage;

	stage_open(&stage);
	test_honest(&stage);
	test_refused(&stage);
	test_verdicts(&stage);
	test_malformed(&stage);
	test_handshakes(&stage);
	test_bounds(&stage);
	test_stopped(&stage);
	test_crowds(&stage);
	test_fairness(&stage);
	test_proven(&stage);
	test_updates(&stage);
	test_charges(&stage);
	test_descriptors(&stage);
	test_log(&stage);
	test_ports(&stage);
	return stage_close(&stage);
}
