/* SPDX-License-Identifier: ISC */
/*
 * Alice's calls to bob: how each message fares, and that nothing is said to
 * who has not the right key.
 */
#include <errno.h>
#include <fcntl.h>

#include "peer-stage.h"

enum { OUTCOMES_MAX = 16 };

#define ID1 "0123456789abcdef"
#define ID2 "fedcba9876543210"
#define ID3 "aaaaaaaaaaaaaaaa"

/* Deadlines in which nobody waits long. */
static const struct peer_patience hasty = {
    .connect = 300, .reply = 300, .retry = 20, .fresh = 15000, .retries = 4};

struct caller {
	struct stage *stage;
	struct peer_call *call;
	struct peer_pass pass;
	char told[OUTCOMES_MAX][32]; /* "0123 stored" */
	char shown[TLS_PIN_LEN + 1], why[PEER_WHY_LEN];
	int count;
	bool hang_up; /* when the first one is told */
};

/* A listener that is not bob's, in a thread. */
struct other {
	pthread_t thread;
	int fd, port;
	SSL_CTX *ctx;
	const char *reply; /* NULL: none */
	bool wait; /* for the other end to go */
	int lines; /* that were said to it */
	char line[512];
};

/* True once bob has refused somebody. */
static bool
refused_once(const struct stage *stage)
{
	char *text = file_read(stage->log, LOG_SIZE, NULL);
	bool found = text != NULL && strstr(text, "no pass allows") != NULL;

	free(text);
	return found;
}

static void
told(void *arg, const struct peer_outcome *outcome)
{
	struct caller *caller = arg;

	if (caller->count < OUTCOMES_MAX)
		snprintf(caller->told[caller->count++], 32, "%.4s %s",
		    outcome->id, peer_result_name(outcome->result));
	snprintf(caller->shown, sizeof(caller->shown), "%s", outcome->shown);
	snprintf(caller->why, sizeof(caller->why), "%s", outcome->why);
	if (caller->hang_up) {
		peer_call_free(caller->call);
		caller->call = NULL;
	}
}

/* Alice has a pass for bob, who is at that port. */
static void
call_port(struct caller *caller, struct stage *stage, int port)
{
	memset(caller, 0, sizeof(*caller));
	caller->stage = stage;
	caller->pass = stage_pass("bob", &stage->bob);
	caller->call = peer_call_new(stage->loop, &stage->alice, &hasty,
	    "alice", &caller->pass, "127.0.0.1", port, told, caller);
}

/* Turns the loop until so many outcomes are there, and a little longer. */
static void
turn(struct caller *caller, int count)
{
	int64_t until = soon(SOON);

	while (caller->count < count && clock_mono() < until)
		loop_turn(caller->stage->loop, 10);
	for (int i = 0; i < 4; i++)
		loop_turn(caller->stage->loop, 0);
	is_number(caller->count, count, "so many are told");
}

/* Says one message; how it fared. */
static const char *
say(struct caller *caller, const char *id, const char *text)
{
	int before = caller->count;

	peer_say(caller->call, id, text);
	turn(caller, before + 1);
	return caller->told[before];
}

static void
end(struct caller *caller)
{
	peer_call_free(caller->call);
	for (int i = 0; i < 8; i++)
		loop_turn(caller->stage->loop, 0);
}

static void
test_stored(struct stage *stage)
{
	struct caller alice;

	stage_listen(stage, &peer_limits);
	call_port(&alice, stage, peer_port(stage->listener));
	is(say(&alice, ID1, "hi"), "0123 stored", "a message");
	is(stage->stored[0], "alice " ID1 " hi", "is there");
	peer_say(alice.call, ID2, "one");
	peer_say(alice.call, ID3, "two \" \\ \xf0\x9f\x98\x80\n\t.");
	peer_say(alice.call, ID1, "three");
	is_number(peer_waiting(alice.call), 3, "three wait");
	turn(&alice, 4);
	is(alice.told[1], "fedc stored", "three more");
	is(alice.told[2], "aaaa stored", "in order");
	is(alice.told[3], "0123 stored", "over one connection");
	is(stage->stored[2], "alice " ID3 " two \" \\ \xf0\x9f\x98\x80\n\t.",
	    "as typed");
	is_number(peer_waiting(alice.call), 0, "none waits");
	for (int i = 0; i < 50 && peer_count(stage->listener) > 0; i++)
		loop_turn(stage->loop, 10);
	is_number(peer_count(stage->listener), 0, "nobody stays connected");
	end(&alice);
}

static void
test_refused(struct stage *stage)
{
	struct caller alice;
	int64_t began;

	stage_listen(stage, &peer_limits);
	stage->count = 0;
	call_port(&alice, stage, peer_port(stage->listener));
	began = clock_mono();
	is(say(&alice, ID1, "hi"), "0123 refused", "bob has no such pass");
	ok(clock_mono() - began >= 300, "after four more tries");
	ok(strstr(alice.why, "not-allowed") != NULL, "%s", alice.why);
	alice.pass.since = clock_mono() - 15000;
	peer_call_renew(alice.call, &alice.pass, NULL, 0);
	began = clock_mono();
	peer_say(alice.call, ID2, "ho");
	peer_say(alice.call, ID3, "hu");
	turn(&alice, 3);
	is(alice.told[1], "fedc refused", "of an older one");
	is(alice.told[2], "aaaa refused", "all that wait");
	ok(clock_mono() - began < 300, "at once");
	end(&alice);
}

/* Bob learns of the pass a moment later. */
static void
test_later(struct stage *stage)
{
	struct caller alice;
	int64_t until = soon(SOON);

	stage_listen(stage, &peer_limits);
	stage->count = 0;
	call_port(&alice, stage, peer_port(stage->listener));
	peer_say(alice.call, ID1, "hi");
	while (!refused_once(stage) && clock_mono() < until)
		loop_turn(stage->loop, 10);
	stage->count = 1;
	turn(&alice, 1);
	is(alice.told[0], "0123 stored", "a pass that comes late");
	is_number(stage->stored_count, 1, "once");
	end(&alice);
}

static void
test_verdicts(struct stage *stage)
{
	struct caller alice;

	stage_listen(stage, &peer_limits);
	call_port(&alice, stage, peer_port(stage->listener));
	stage->verdict = PEER_TOO_MUCH;
	is(say(&alice, ID1, "hi"), "0123 too-large", "too long for bob");
	stage->verdict = PEER_TROUBLE;
	peer_say(alice.call, ID1, "hi");
	peer_say(alice.call, ID2, "ho");
	turn(&alice, 3);
	is(alice.told[1], "0123 busy", "bob's disk is full");
	is(alice.told[2], "fedc busy", "for all");
	stage->verdict = PEER_TAKEN;
	is(say(&alice, ID1, "hi"), "0123 stored", "then it is not");
	end(&alice);
}

static void
test_wrong_key(struct stage *stage)
{
	struct caller alice;

	stage_listen(stage, &peer_limits);
	call_port(&alice, stage, peer_port(stage->listener));
	memcpy(alice.pass.pin, stage->mallory.pin, sizeof(alice.pass.pin));
	peer_call_renew(alice.call, &alice.pass, NULL, 0);
	peer_say(alice.call, ID1, "hi");
	peer_say(alice.call, ID2, "ho");
	turn(&alice, 2);
	is(alice.told[0], "0123 wrong-key", "another key");
	is(alice.told[1], "fedc wrong-key", "for all");
	is(alice.shown, stage->bob.pin, "which is shown");
	is_number(stage->stored_count, 0, "nothing was said");
	ok(strstr(alice.why, stage->mallory.pin) != NULL, "%s", alice.why);
	ok(logged(stage, "wrong-key"), "it is logged");
	memcpy(alice.pass.pin, stage->bob.pin, sizeof(alice.pass.pin));
	peer_call_renew(alice.call, &alice.pass, NULL, 0);
	is(say(&alice, ID1, "hi"), "0123 stored", "the right one");
	end(&alice);
}

/* A port of the loopback; its listener, or -1 if nobody is to listen. */
static int
a_port(bool listening, int *port)
{
	struct sockaddr_in at = {
	    .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	socklen_t len = sizeof(at);
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	must(bind(fd, (struct sockaddr *)&at, len) == 0 &&
		getsockname(fd, (struct sockaddr *)&at, &len) == 0 &&
		(!listening || listen(fd, 4) == 0),
	    "no port");
	*port = ntohs(at.sin_port);
	return fd;
}

static void
test_unreachable(struct stage *stage)
{
	struct caller alice;
	int fd, port;

	fd = a_port(false, &port);
	call_port(&alice, stage, port);
	peer_say(alice.call, ID1, "hi");
	peer_say(alice.call, ID2, "ho");
	turn(&alice, 2);
	is(alice.told[0], "0123 unreachable", "nobody listens");
	is(alice.told[1], "fedc unreachable", "for all");
	is(alice.why, "Connection refused", "and why");
	peer_call_renew(alice.call, &alice.pass, "localhost", port);
	is(say(&alice, ID3, "hi"), "aaaa unreachable", "a name is no address");
	peer_call_renew(alice.call, &alice.pass, "127.0.0.1", 22);
	is(say(&alice, ID3, "hi"), "aaaa unreachable", "nor 22 a port");
	peer_call_renew(alice.call, &alice.pass, "", 0);
	is(say(&alice, ID3, "hi"), "aaaa unreachable", "nor nothing");
	peer_call_renew(alice.call, &alice.pass, "ff02::1%none", port);
	is(say(&alice, ID3, "hi"), "aaaa unreachable", "nor this");
	close(fd);
	fd = a_port(true, &port);
	peer_call_renew(alice.call, &alice.pass, "127.0.0.1", port);
	is(say(&alice, ID3, "hi"), "aaaa unreachable", "nobody answers");
	is(alice.why, "no answer in time", "and why");
	close(fd);
	end(&alice);
}

/* ---- listeners of ill will */

static void *
other_run(void *arg)
{
	struct other *other = arg;
	struct tls_conn conn;
	char *line, waste[256];
	size_t len;
	int fd;

	while ((fd = accept(other->fd, NULL, NULL)) != -1) {
		must(tls_conn_open(&conn, other->ctx, fd, true, NULL) == 0,
		    conn.why);
		if (tls_handshake(&conn, NULL, soon(SOON)) == TLS_OK &&
		    tls_read_line(&conn, &line, &len, soon(SOON)) == TLS_OK) {
			other->lines++;
			snprintf(other->line, sizeof(other->line), "%s", line);
			if (other->reply != NULL)
				tls_write(&conn, other->reply,
				    strlen(other->reply), soon(SOON));
			while (other->wait &&
			    tls_read_line(&conn, &line, &len, soon(SOON)) ==
				TLS_OK)
				other->lines++;
		}
		fcntl(fd, F_SETFL, O_NONBLOCK);
		while (recv(fd, waste, sizeof(waste), 0) > 0)
			;
		tls_conn_close(&conn, 0);
	}
	return NULL;
}

static void
other_start(struct other *other, SSL_CTX *ctx, const char *reply, bool wait)
{
	memset(other, 0, sizeof(*other));
	other->ctx = ctx;
	other->reply = reply;
	other->wait = wait;
	other->fd = a_port(true, &other->port);
	must(pthread_create(&other->thread, NULL, other_run, other) == 0,
	    "no thread");
}

static void
other_stop(struct other *other)
{
	shutdown(other->fd, SHUT_RDWR);
	pthread_join(other->thread, NULL);
	close(other->fd);
}

/* One that has bob's key, and does this with the first of two messages. */
static void
meet(struct stage *stage, const char *what, const char *reply, bool wait,
    const char *first, const char *second, int lines)
{
	struct caller alice;
	struct other other;
	char why[TLS_WHY_LEN];
	SSL_CTX *ctx = tls_peer_server_new(
	    stage->bob.cert, stage->bob.key, TLS_ALPN_PEER, why);

	other_start(&other, ctx, reply, wait);
	call_port(&alice, stage, other.port);
	peer_say(alice.call, ID1, "hi");
	peer_say(alice.call, ID2, "ho");
	turn(&alice, 2);
	is(alice.told[0], first, "%s: %s", what, alice.why);
	is(alice.told[1], second, "and the next one");
	end(&alice);
	other_stop(&other);
	is_number(other.lines, lines, "so much was said");
	SSL_CTX_free(ctx);
}

static void
test_lost(struct stage *stage)
{
	static char endless[LINE_MAX_LEN + 2];

	memset(endless, 'x', sizeof(endless) - 1);
	meet(stage, "never answers", NULL, true, "0123 lost",
	    "fedc unreachable", 1);
	meet(stage, "closes before the reply", NULL, false, "0123 lost",
	    "fedc unreachable", 1);
	meet(stage, "answers half", "{\"ok\":tr", false, "0123 lost",
	    "fedc unreachable", 1);
	meet(stage, "answers garbage", "\033[2J\n", true, "0123 lost",
	    "fedc unreachable", 1);
	meet(stage, "answers without an end", endless, true, "0123 lost",
	    "fedc unreachable", 1);
	meet(stage, "refuses with what no client says",
	    "{\"ok\":false,\"error\":\"blocked\"}\n", true, "0123 lost",
	    "fedc unreachable", 1);
	meet(stage, "does not understand",
	    "{\"ok\":false,\"error\":\"bad-request\"}\n", true,
	    "0123 malformed", "fedc malformed", 2);
	meet(stage, "answers twice", "{\"ok\":true}\n{\"ok\":true}\n", true,
	    "0123 stored", "fedc stored", 2);
}

/* Who has another key hears nothing, not even the name. */
static void
test_thief(struct stage *stage)
{
	struct caller alice;
	struct other other;
	char why[TLS_WHY_LEN];
	SSL_CTX *ctx = tls_peer_server_new(
	    stage->mallory.cert, stage->mallory.key, TLS_ALPN_PEER, why);

	other_start(&other, ctx, "{\"ok\":true}\n", true);
	call_port(&alice, stage, other.port);
	is(say(&alice, ID1, "hi"), "0123 wrong-key", "a thief of the address");
	is(alice.shown, stage->mallory.pin, "whose key is shown");
	end(&alice);
	other_stop(&other);
	is_number(other.lines, 0, "heard nothing");
	SSL_CTX_free(ctx);
	ctx = tls_peer_server_new(stage->bob.cert, stage->bob.key, "h2", why);
	other_start(&other, ctx, "{\"ok\":true}\n", true);
	call_port(&alice, stage, other.port);
	is(say(&alice, ID1, "hi"), "0123 unreachable", "another protocol");
	end(&alice);
	other_stop(&other);
	is_number(other.lines, 0, "heard nothing");
	SSL_CTX_free(ctx);
}

/* A call ends at any time. */
static void
test_freed(struct stage *stage)
{
	struct caller alice;

	stage_listen(stage, &peer_limits);
	call_port(&alice, stage, peer_port(stage->listener));
	alice.hang_up = true;
	peer_say(alice.call, ID1, "hi");
	peer_say(alice.call, ID2, "ho");
	turn(&alice, 1);
	ok(alice.call == NULL, "freed while it tells");
	for (int turns = 0; turns < 8; turns++) {
		call_port(&alice, stage, peer_port(stage->listener));
		peer_say(alice.call, ID1, "hi");
		for (int i = 0; i < turns; i++)
			loop_turn(stage->loop, 1);
		end(&alice);
	}
	ok(true, "freed on its way");
	stage->count = 0;
	call_port(&alice, stage, peer_port(stage->listener));
	peer_say(alice.call, ID1, "hi");
	for (int64_t until = soon(SOON);
	     !refused_once(stage) && clock_mono() < until;)
		loop_turn(stage->loop, 10);
	end(&alice);
	ok(true, "freed while it waits to try again");
	peer_call_free(NULL);
}

/* The place changes while messages wait. */
static void
test_renewed(struct stage *stage)
{
	struct caller alice;
	int fd, port;

	stage_listen(stage, &peer_limits);
	fd = a_port(true, &port);
	call_port(&alice, stage, port);
	peer_say(alice.call, ID1, "hi");
	for (int i = 0; i < 4; i++)
		loop_turn(stage->loop, 1);
	peer_call_renew(
	    alice.call, &alice.pass, "127.0.0.1", peer_port(stage->listener));
	turn(&alice, 1);
	is(alice.told[0], "0123 stored", "what waits goes to the new place");
	peer_call_renew(
	    alice.call, &alice.pass, "::1", peer_port(stage->listener));
	say(&alice, ID2, "over IPv6");
	ok(strcmp(alice.told[1], "fedc stored") == 0 ||
		strcmp(alice.why, strerror(EADDRNOTAVAIL)) == 0,
	    "IPv6: %s %s", alice.told[1], alice.why);
	end(&alice);
	close(fd);
}

int
main(void)
{
	struct stage stage;

	stage_open(&stage);
	test_stored(&stage);
	test_refused(&stage);
	test_later(&stage);
	test_verdicts(&stage);
	test_wrong_key(&stage);
	test_unreachable(&stage);
	test_lost(&stage);
	test_thief(&stage);
	test_freed(&stage);
	test_renewed(&stage);
	return stage_close(&stage);
}
