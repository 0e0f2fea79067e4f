/* SPDX-License-Identifier: ISC */
/*
 * The test suite's bad network: stands between a client and the centre on
 * one port, TCP and UDP, and does to the datagrams what it is told.  A
 * program of its own that the tests run.  It must never alter what it
 * carries, or outlive its standard input.
 */
#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <arpa/inet.h>
#include <sys/socket.h>

#define USAGE                                                               \
	"usage: relay PORT [SEED] < COMMANDS\n"                             \
	"listens on a free port of 127.0.0.1, prints it, and carries\n"     \
	"everything to 127.0.0.1:PORT.  Commands, each answered with a "    \
	"line:\n"                                                           \
	"  pass      every datagram (the start)\n"                          \
	"  drop      none, either way\n"                                    \
	"  loss N    lose N of 100, either way\n"                           \
	"  rebind    go on from another port of ours, as a NAT does\n"      \
	"  mute      of new connections, lose what comes down after the\n"  \
	"            client has spoken twice: a reply, after a handshake\n" \
	"  speak     lose nothing of new connections (the start)\n"         \
	"  count     print connections, datagrams up, datagrams down\n"

enum {
	FLOWS = 64,
	DATAGRAM = 2048,
	PORT_TRIES = 32,
	LINE = 80,
};

/* One client's datagrams, and our socket to the centre for them. */
struct flow {
	struct sockaddr_in client;
	int fd; /* -1: not in use */
};

struct relay {
	struct sockaddr_in centre;
	int tcp, udp;
	struct flow flows[FLOWS];
	int next; /* the flow that is given up for a new one */
	unsigned loss; /* of 100 */
	bool mute;
	uint64_t dice;
	unsigned long calls, up, down;
	char line[LINE];
	size_t len;
};

/* Two ends of a connection that a thread carries. */
struct call {
	int client, centre;
	bool mute, answered, asked;
};

_Noreturn static void
give_up(const char *what)
{
	perror(what);
	exit(EX_OSERR);
}

/* True if this datagram is lost: the same for the same seed. */
static bool
is_lost(struct relay *relay)
{
	relay->dice ^= relay->dice << 13;
	relay->dice ^= relay->dice >> 7;
	relay->dice ^= relay->dice << 17;
	return relay->dice % 100 < relay->loss;
}

/* A socket that is connected to the centre; -1 with errno. */
static int
to_centre(const struct sockaddr_in *centre, int type)
{
	int fd = socket(AF_INET, type | SOCK_CLOEXEC, 0);

	if (fd != -1 &&
	    connect(fd, (const struct sockaddr *)centre, sizeof(*centre)) ==
		-1) {
		close(fd);
		fd = -1;
	}
	return fd;
}

/* Binds both to one free port; false if another one has it for UDP. */
static bool
bind_both(struct relay *relay, struct sockaddr_in *own)
{
	socklen_t len = sizeof(*own);

	*own = (struct sockaddr_in){
	    .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	relay->tcp = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	relay->udp = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (relay->tcp == -1 || relay->udp == -1 ||
	    bind(relay->tcp, (struct sockaddr *)own, len) == -1 ||
	    listen(relay->tcp, 64) == -1 ||
	    getsockname(relay->tcp, (struct sockaddr *)own, &len) == -1)
		give_up("listen");
	if (bind(relay->udp, (struct sockaddr *)own, len) == 0)
		return true;
	close(relay->tcp);
	close(relay->udp);
	return false;
}

/* ---- connections: a thread each */

/* Carries what is there to read; false at the end. */
static bool
carry(int from, int to)
{
	char data[16384];
	ssize_t len, done = 0, n;

	do
		len = read(from, data, sizeof(data));
	while (len == -1 && errno == EINTR);
	while (len > 0 && done < len) {
		n = send(to, data + done, (size_t)(len - done), MSG_NOSIGNAL);
		if (n == -1 && errno != EINTR)
			return false;
		if (n > 0)
			done += n;
	}
	if (len == 0)
		shutdown(to, SHUT_WR);
	return len > 0;
}

/* Up: behind the answer to its greeting a client makes its request. */
static bool
carry_up(struct call *call)
{
	call->asked = call->answered;
	return carry(call->client, call->centre);
}

/* Down, as long as the reply may get through; false at the end. */
static bool
carry_down(struct call *call)
{
	call->answered = true;
	if (!call->mute || !call->asked)
		return carry(call->centre, call->client);
	shutdown(call->client, SHUT_RDWR);
	shutdown(call->centre, SHUT_WR);
	return false;
}

static void *
call_main(void *arg)
{
	struct call *call = arg;
	struct pollfd pfd[2] = {
	    {.fd = call->client, .events = POLLIN},
	    {.fd = call->centre, .events = POLLIN},
	};

	while (pfd[0].fd != -1 || pfd[1].fd != -1) {
		if (poll(pfd, 2, -1) == -1 && errno != EINTR)
			break;
		if (pfd[0].fd != -1 && pfd[0].revents != 0 && !carry_up(call))
			pfd[0].fd = -1;
		if (pfd[1].fd != -1 && pfd[1].revents != 0 && !carry_down(call))
			pfd[1].fd = -1;
	}
	close(call->client);
	close(call->centre);
	free(call);
	return NULL;
}

/* Takes a connection, and makes the other one. */
static void
take_call(struct relay *relay)
{
	struct call *call = calloc(1, sizeof(*call));
	pthread_t thread;
	int on = 1;

	if (call == NULL)
		give_up("memory");
	call->mute = relay->mute;
	call->client = accept4(relay->tcp, NULL, NULL, SOCK_CLOEXEC);
	call->centre = -1;
	if (call->client != -1) {
		relay->calls++;
		call->centre = to_centre(&relay->centre, SOCK_STREAM);
	}
	if (call->centre == -1) {
		if (call->client != -1)
			close(call->client);
		free(call);
		return;
	}
	setsockopt(call->client, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
	setsockopt(call->centre, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
	if (pthread_create(&thread, NULL, call_main, call) != 0)
		give_up("thread");
	pthread_detach(thread);
}

/* ---- datagrams */

/* The client's flow, a new one where it has none. */
static struct flow *
flow_of(struct relay *relay, const struct sockaddr_in *client)
{
	struct flow *flow;

	for (int i = 0; i < FLOWS; i++) {
		flow = &relay->flows[i];
		if (flow->fd != -1 &&
		    flow->client.sin_port == client->sin_port &&
		    flow->client.sin_addr.s_addr == client->sin_addr.s_addr)
			return flow;
	}
	flow = &relay->flows[relay->next++ % FLOWS];
	if (flow->fd != -1)
		close(flow->fd);
	flow->client = *client;
	flow->fd = to_centre(&relay->centre, SOCK_DGRAM);
	if (flow->fd == -1)
		give_up("flow");
	return flow;
}

static void
take_up(struct relay *relay)
{
	struct sockaddr_in client;
	socklen_t size = sizeof(client);
	char data[DATAGRAM];
	const struct flow *flow;
	ssize_t len;

	len = recvfrom(relay->udp, data, sizeof(data), MSG_DONTWAIT,
	    (struct sockaddr *)&client, &size);
	if (len == -1)
		return;
	relay->up++;
	flow = flow_of(relay, &client);
	/* What cannot be sent is lost: the centre may be down. */
	if (!is_lost(relay) && send(flow->fd, data, (size_t)len, 0) == -1)
		relay->dice++;
}

static void
take_down(struct relay *relay, const struct flow *flow)
{
	char data[DATAGRAM];
	ssize_t len = recv(flow->fd, data, sizeof(data), MSG_DONTWAIT);

	if (len == -1)
		return;
	relay->down++;
	if (!is_lost(relay) &&
	    sendto(relay->udp, data, (size_t)len, 0,
		(const struct sockaddr *)&flow->client,
		sizeof(flow->client)) == -1)
		relay->dice++;
}

/* Our other ends become new ones; the old ones hear nothing any more. */
static void
rebind(struct relay *relay)
{
	int fd;

	for (int i = 0; i < FLOWS; i++) {
		if (relay->flows[i].fd == -1)
			continue;
		/* Made before the old one goes: it gets another port. */
		fd = to_centre(&relay->centre, SOCK_DGRAM);
		if (fd == -1)
			give_up("flow");
		close(relay->flows[i].fd);
		relay->flows[i].fd = fd;
	}
}

/* ---- commands */

static void
command(struct relay *relay, const char *line)
{
	unsigned percent;

	if (strcmp(line, "pass") == 0)
		relay->loss = 0;
	else if (strcmp(line, "drop") == 0)
		relay->loss = 100;
	else if (sscanf(line, "loss %u", &percent) == 1)
		relay->loss = percent;
	else if (strcmp(line, "rebind") == 0)
		rebind(relay);
	else if (strcmp(line, "mute") == 0 || strcmp(line, "speak") == 0)
		relay->mute = *line == 'm';
	else if (strcmp(line, "count") != 0) {
		printf("unknown: %s\n", line);
		return;
	}
	if (strcmp(line, "count") == 0)
		printf("%lu %lu %lu\n", relay->calls, relay->up, relay->down);
	else
		printf("%s\n", line);
}

/* Reads commands; false at the end. */
static bool
take_commands(struct relay *relay)
{
	char *end;
	ssize_t n = read(STDIN_FILENO, relay->line + relay->len,
	    sizeof(relay->line) - 1 - relay->len);

	if (n <= 0)
		return n == -1 && errno == EINTR;
	relay->len += (size_t)n;
	relay->line[relay->len] = '\0';
	while ((end = strchr(relay->line, '\n')) != NULL) {
		*end = '\0';
		command(relay, relay->line);
		relay->len -= (size_t)(end + 1 - relay->line);
		memmove(relay->line, end + 1, relay->len + 1);
	}
	return relay->len < sizeof(relay->line) - 1;
}

/* One turn; false at the end. */
static bool
turn(struct relay *relay)
{
	struct pollfd pfd[3 + FLOWS] = {
	    {.fd = STDIN_FILENO, .events = POLLIN},
	    {.fd = relay->tcp, .events = POLLIN},
	    {.fd = relay->udp, .events = POLLIN},
	};

	for (int i = 0; i < FLOWS; i++)
		pfd[3 + i] =
		    (struct pollfd){.fd = relay->flows[i].fd, .events = POLLIN};
	if (poll(pfd, 3 + FLOWS, -1) == -1)
		return errno == EINTR;
	if (pfd[1].revents != 0)
		take_call(relay);
	for (int i = 0; i < FLOWS; i++)
		if (pfd[3 + i].revents != 0 && relay->flows[i].fd != -1)
			take_down(relay, &relay->flows[i]);
	if (pfd[2].revents != 0)
		take_up(relay);
	return pfd[0].revents == 0 || take_commands(relay);
}

int
main(int argc, char **argv)
{
	struct relay relay = {.dice = 88172645463325252};
	struct sockaddr_in own;
	int tries = 0;

	if (argc < 2 || argc > 3 || atoi(argv[1]) <= 0) {
		fputs(USAGE, stderr);
		return EX_USAGE;
	}
	if (argc == 3)
		relay.dice += strtoull(argv[2], NULL, 10);
	setvbuf(stdout, NULL, _IOLBF, 0);
	relay.centre = (struct sockaddr_in){.sin_family = AF_INET,
	    .sin_addr.s_addr = htonl(INADDR_LOOPBACK),
	    .sin_port = htons((uint16_t)atoi(argv[1]))};
	for (int i = 0; i < FLOWS; i++)
		relay.flows[i].fd = -1;
	while (!bind_both(&relay, &own))
		if (++tries == PORT_TRIES)
			give_up("bind");
	printf("%d\n", ntohs(own.sin_port));
	while (turn(&relay))
		continue;
	return 0;
}
