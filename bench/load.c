/* SPDX-License-Identifier: ISC */
/*
 * The benchmark's clients: a handful of states each, all in one loop, so
 * that what they cost themselves is little and known.  Must never wait
 * without a deadline, nor take a refusal for an answer.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <netinet/in.h>
#include <sys/resource.h>
#include <sys/socket.h>

#include "load.h"
#include "tools.h"
#include "lib/loop.h"
#include "lib/tls.h"
#include "lib/unix.h"

enum {
	TURN_MS = 50,
	PATIENCE_MS = 20000, /* beyond the time that is counted */
	WRITE_MS = 5000,
	ROUNDS_MAX = 1 << 20,
};

enum state { STATE_CLOSED, STATE_SHAKING, STATE_TALKING };

struct load;

struct client {
	struct load *load;
	int index;
	enum state state;
	struct tls_conn conn;
	struct loop_watch watch;
	bool proven; /* it was answered once */
	int limit; /* requests of this connection */
	int sent, answered; /* on it */
	long number; /* of the next request */
	int64_t began; /* of this window, or of the connection */
};

struct load {
	const struct load_plan *plan;
	struct load_result *result;
	struct loop *loop;
	struct client *clients;
	char *lines; /* of one window */
	int proven; /* clients that were answered once */
	int open;
	long started;
	bool stopping, failed;
};

int
load_connect(uint16_t port)
{
	struct sockaddr_in to = {.sin_family = AF_INET,
	    .sin_port = htons(port),
	    .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	if (fd == -1)
		return -1;
	while (connect(fd, (struct sockaddr *)&to, sizeof(to)) == -1) {
		if (errno == EINTR && !interrupted())
			continue;
		close(fd);
		return -1;
	}
	return fd;
}

bool
load_accepted(const char *line)
{
	return strstr(line, "\"ok\":true") != NULL ||
	    strstr(line, "\"ok\": true") != NULL;
}

/* Ends it all after a complaint. */
static void
fail(struct client *client, const char *what, const char *why)
{
	if (!client->load->failed && !interrupted())
		complain("%s: %s", what, why);
	client->load->failed = true;
}

static void
hang_up(struct client *client)
{
	if (client->state == STATE_CLOSED)
		return;
	loop_remove(client->load->loop, &client->watch);
	tls_conn_close(&client->conn, 0);
	client->state = STATE_CLOSED;
	client->load->open--;
}

/* Sends as many requests as go together. */
static void
send_window(struct client *client)
{
	struct load *load = client->load;
	const struct load_plan *plan = load->plan;
	size_t len = 0;

	if (client->sent > 0)
		client->began = clock_ns();
	for (int i = 0; i < plan->window && client->sent < client->limit; i++) {
		len += plan->request(plan->arg, client->index, client->number++,
		    load->lines + len);
		client->sent++;
		load->started++;
	}
	if (tls_write(&client->conn, load->lines, len,
		clock_mono() + WRITE_MS) != TLS_OK)
		fail(client, "cannot send", client->conn.why);
}

/* Goes on with the handshake; with it done the first requests go out. */
static void
shake(struct client *client)
{
	/* A deadline that has passed makes all these calls wait for nothing. */
	switch (tls_handshake(&client->conn, TLS_ALPN_CENTRE, 0)) {
	case TLS_OK:
		client->state = STATE_TALKING;
		send_window(client);
		break;
	case TLS_TIMEOUT:
		break;
	default:
		fail(client, "no handshake", client->conn.why);
	}
}

/* Keeps how long a window took. */
static void
keep_round(struct load_result *result, int64_t ns)
{
	size_t size = result->round_size ? result->round_size * 2 : 1024;
	double *rounds;

	if (result->round_count == result->round_size) {
		if (size > ROUNDS_MAX)
			return;
		rounds = reallocarray(result->rounds, size, sizeof(*rounds));
		if (rounds == NULL)
			return;
		result->rounds = rounds;
		result->round_size = size;
	}
	result->rounds[result->round_count++] = (double)ns / 1000;
}

static void client_ready(void *arg, unsigned events);

/* Opens the client's next connection. */
static void
dial(struct client *client)
{
	struct load *load = client->load;
	int fd;

	client->began = clock_ns();
	client->sent = client->answered = 0;
	fd = load_connect(load->plan->port);
	if (fd == -1) {
		fail(client, "cannot connect", strerror(errno));
		return;
	}
	load->result->connections++;
	client->state = STATE_SHAKING;
	load->open++;
	if (tls_conn_open(
		&client->conn, load->plan->tls, fd, false, "127.0.0.1") == -1) {
		fail(client, "cannot start TLS", client->conn.why);
		return;
	}
	if (loop_add(load->loop, &client->watch, fd, LOOP_READ, client_ready,
		client) == -1)
		fail(client, "cannot watch a connection", strerror(errno));
	else
		shake(client);
}

/* All of a window is answered: what comes next. */
static void
window_done(struct client *client)
{
	struct load *load = client->load;
	const struct load_plan *plan = load->plan;

	keep_round(load->result, clock_ns() - client->began);
	if (plan->most > 0 && load->started >= plan->most)
		load->stopping = true;
	if (load->stopping || client->answered >= client->limit) {
		client->limit = plan->per_connection;
		hang_up(client);
		if (!load->stopping)
			dial(client);
	} else
		send_window(client);
}

static void
replied(struct client *client, const char *line)
{
	struct load *load = client->load;

	if (!load->plan->echo && !load_accepted(line)) {
		fail(client, "refused", line);
		return;
	}
	load->result->total++;
	if (!client->proven)
		load->proven++;
	client->proven = true;
	if (++client->answered == client->sent)
		window_done(client);
}

/* True if more of the replies has been received than was looked at. */
static bool
heard_more(struct client *client)
{
	return client->state == STATE_TALKING && !client->load->failed &&
	    (line_waiting(&client->conn.in) ||
		SSL_has_pending(client->conn.ssl));
}

/* Reads the replies that have come; the loop tells when there are others. */
static void
listen_to(struct client *client)
{
	char *line;
	size_t len;

	if (client->state != STATE_TALKING || client->load->failed)
		return;
	do {
		switch (tls_read_line(&client->conn, &line, &len, 0)) {
		case TLS_OK:
			replied(client, line);
			break;
		case TLS_TIMEOUT:
			return;
		default:
			fail(client, "no reply", client->conn.why);
			return;
		}
	} while (heard_more(client));
}

static void
client_ready(void *arg, unsigned events)
{
	struct client *client = arg;

	(void)events;
	if (client->state == STATE_SHAKING)
		shake(client);
	listen_to(client);
}

/*
 * Starts all clients.  Their first connections end one after the other, so
 * that later ones do not all begin at the same moment.
 */
static void
start(struct load *load)
{
	const struct load_plan *plan = load->plan;

	for (int i = 0; i < plan->clients && !load->failed; i++) {
		struct client *client = &load->clients[i];
		int part = plan->per_connection * (i + 1) / plan->clients;

		client->load = load;
		client->index = i;
		client->watch.fd = client->conn.fd = -1;
		client->limit = part > 0 ? part : 1;
		dial(client);
	}
}

/* Turns the loop until all is done; the counting begins with all there. */
static void
turn(struct load *load)
{
	const struct load_plan *plan = load->plan;
	struct load_result *result = load->result;
	int64_t begun = clock_ns(), since = 0, now;
	long before = 0;

	while (load->open > 0 && !load->failed && !interrupted()) {
		loop_turn(load->loop, TURN_MS);
		now = clock_ns();
		if (now - begun > (plan->ms + PATIENCE_MS) * 1000000) {
			complain("the clients are not answered");
			load->failed = true;
		}
		if (since == 0 && load->proven == plan->clients) {
			since = now;
			before = result->total;
			result->round_count = 0;
		}
		if (since != 0 && !load->stopping &&
		    now - since >= plan->ms * 1000000)
			load->stopping = true;
		if (load->stopping && result->seconds == 0 && now > since) {
			result->seconds = (double)(now - since) / 1e9;
			result->answered = result->total - before;
		}
	}
}

static double
own_cpu(void)
{
	struct rusage use;

	getrusage(RUSAGE_SELF, &use);
	return (double)use.ru_utime.tv_sec + (double)use.ru_stime.tv_sec +
	    (double)(use.ru_utime.tv_usec + use.ru_stime.tv_usec) / 1e6;
}

int
load_run(const struct load_plan *plan, struct load_result *result)
{
	struct load load = {.plan = plan, .result = result};
	double cpu = own_cpu();

	memset(result, 0, sizeof(*result));
	load.loop = loop_new();
	load.clients = calloc((size_t)plan->clients, sizeof(*load.clients));
	load.lines = malloc((size_t)plan->window * LOAD_LINE_LEN);
	if (load.loop == NULL || load.clients == NULL || load.lines == NULL) {
		load.failed = true;
		complain("no memory for %d clients", plan->clients);
	} else {
		start(&load);
		turn(&load);
		for (int i = 0; i < plan->clients; i++)
			if (load.clients[i].load != NULL)
				hang_up(&load.clients[i]);
	}
	loop_free(load.loop);
	free(load.clients);
	free(load.lines);
	result->client_cpu = own_cpu() - cpu;
	return load.failed || interrupted() ? -1 : 0;
}

void
load_release(struct load_result *result)
{
	free(result->rounds);
	result->rounds = NULL;
}
