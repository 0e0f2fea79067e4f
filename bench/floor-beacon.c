/* SPDX-License-Identifier: ISC */
/*
 * The beacon's floor: recvmmsg, for each datagram the code of its sender's
 * key and one of the centre's key for the answer, sendmmsg; nothing around
 * them.  A program of its own, with the centre's code for codes and as many
 * keys; must never do more.
 *
 * usage: floor-beacon SECRET COUNT ; prints the port of 127.0.0.1, serves
 */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sysexits.h>
#include <unistd.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include "identity.h"

enum {
	BATCH = 64,
	IN_LEN = 64, /* so that one that is too long shows */
	ROOM = 4 << 20, /* the centre's receive buffer */
};

struct client {
	struct identity identity;
	uint64_t told;
};

struct batch {
	struct mmsghdr head[BATCH];
	struct iovec part[BATCH];
	struct sockaddr_in from[BATCH];
	uint8_t data[BATCH][IN_LEN];
};

static volatile sig_atomic_t ended;

static void
told_to_end(int signo)
{
	ended = signo;
}

static _Noreturn void
die(const char *what)
{
	fprintf(stderr, "floor-beacon: %s\n", what);
	exit(EX_OSERR);
}

/* A socket on a port that the system chooses, and prints. */
static int
open_socket(void)
{
	struct sockaddr_in at = {
	    .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	socklen_t len = sizeof(at);
	int room = ROOM, sock = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	if (sock == -1 || bind(sock, (struct sockaddr *)&at, len) == -1 ||
	    getsockname(sock, (struct sockaddr *)&at, &len) == -1)
		die("cannot listen");
	if (setsockopt(sock, SOL_SOCKET, SO_RCVBUFFORCE, &room, sizeof(room)) ==
	    -1)
		setsockopt(sock, SOL_SOCKET, SO_RCVBUF, &room, sizeof(room));
	printf("%d\n", ntohs(at.sin_port));
	fflush(stdout);
	return sock;
}

/* Turns what came into its answer in its place; false: dropped. */
static bool
turn_round(struct beacon_mac *mac, const struct directory *directory,
    struct client *clients, uint8_t *data, size_t len)
{
	struct beacon beacon;
	struct client *client;
	int number;

	if (!beacon_decode(data, len, &beacon) ||
	    (number = directory_find(directory, beacon.id)) == -1)
		return false;
	client = &clients[number];
	if (!beacon_verify(mac, client->identity.keys.client, data))
		return false;
	beacon.type = BEACON_HEADS;
	beacon.counter = ++client->told;
	return beacon_encode(mac, client->identity.keys.centre, &beacon, data);
}

/* Answers all that one call brings. */
static void
serve_batch(int sock, struct batch *batch, struct beacon_mac *mac,
    const struct directory *directory, struct client *clients)
{
	int got, good = 0;

	for (int i = 0; i < BATCH; i++) {
		batch->part[i] = (struct iovec){batch->data[i], IN_LEN};
		batch->head[i].msg_hdr = (struct msghdr){
		    .msg_name = &batch->from[i],
		    .msg_namelen = sizeof(batch->from[i]),
		    .msg_iov = &batch->part[i],
		    .msg_iovlen = 1,
		};
	}
	got = recvmmsg(sock, batch->head, BATCH, MSG_WAITFORONE, NULL);
	for (int i = 0; i < got; i++) {
		if (!turn_round(mac, directory, clients, batch->data[i],
			batch->head[i].msg_len))
			continue;
		batch->head[good] = batch->head[i];
		batch->head[good].msg_hdr.msg_iov->iov_len = BEACON_LEN;
		good++;
	}
	if (good > 0)
		sendmmsg(sock, batch->head, (unsigned)good, 0);
}

int
main(int argc, char **argv)
{
	struct sigaction end = {.sa_handler = told_to_end};
	int count = argc == 3 ? (int)strtol(argv[2], NULL, 10) : 0, sock;
	static struct batch batch;
	struct directory directory = {0};
	struct beacon_mac *mac;
	struct client *clients;

	if (count < 1) {
		fputs("usage: floor-beacon SECRET COUNT\n", stderr);
		return EX_USAGE;
	}
	sigaction(SIGTERM, &end, NULL);
	mac = beacon_mac_new();
	clients = calloc((size_t)count, sizeof(*clients));
	if (mac == NULL || clients == NULL ||
	    directory_make(&directory, count, clients, sizeof(*clients)) == -1)
		die("out of memory");
	for (int i = 0; i < count; i++) {
		identity_make(argv[1], i, &clients[i].identity);
		directory_add(&directory, i);
	}
	sock = open_socket();
	while (!ended)
		serve_batch(sock, &batch, mac, &directory, clients);
	close(sock);
	directory_release(&directory);
	free(clients);
	beacon_mac_free(mac);
	return 0;
}
