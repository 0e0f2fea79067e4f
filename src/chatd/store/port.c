/* SPDX-License-Identifier: ISC */
/*
 * The beacon's sockets.  Part of the store; must never wait, take more in a
 * turn than its share, or answer from another address than was asked.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include "chatd/store/port.h"
#include "chatd/store/state.h"
#include "lib/log.h"

enum {
	BATCH = 64, /* datagrams of one system call */
	IN_LEN = 64, /* so that one that is too long shows */
	CONTROL_LEN = 64, /* for where it was sent to, either family */
};

union address {
	struct sockaddr any;
	struct sockaddr_in v4;
	struct sockaddr_in6 v6;
};

/* What one system call moves. */
struct batch {
	struct mmsghdr head[BATCH];
	struct iovec part[BATCH];
	union address address[BATCH];
	/* As large as a header, so that it is aligned as one. */
	struct cmsghdr control[BATCH][CONTROL_LEN / sizeof(struct cmsghdr)];
	uint8_t data[BATCH][IN_LEN];
};

struct port {
	struct ports *ports;
	struct loop_watch watch;
	int fd;
	uint16_t number; /* from 1 */
};

struct posted {
	struct beacon_path path;
	uint8_t data[BEACON_LEN];
};

struct ports {
	struct store *store;
	int left; /* what this turn may still take */
	size_t posted; /* of out */
	struct posted out[PORT_OUT];
	struct batch in, send;
	size_t count;
	struct port port[];
};

/* Where a datagram was sent to, if the kernel tells. */
static void
take_destination(struct msghdr *head, struct beacon_path *path)
{
	struct cmsghdr *each;

	for (each = CMSG_FIRSTHDR(head); each != NULL;
	     each = CMSG_NXTHDR(head, each)) {
		struct in_pktinfo v4;
		struct in6_pktinfo v6;

		if (each->cmsg_level == IPPROTO_IP &&
		    each->cmsg_type == IP_PKTINFO) {
			memcpy(&v4, CMSG_DATA(each), sizeof(v4));
			memcpy(path->to, &v4.ipi_addr, sizeof(v4.ipi_addr));
			path->chosen = true;
		} else if (each->cmsg_level == IPPROTO_IPV6 &&
		    each->cmsg_type == IPV6_PKTINFO) {
			memcpy(&v6, CMSG_DATA(each), sizeof(v6));
			memcpy(path->to, &v6.ipi6_addr, sizeof(v6.ipi6_addr));
			path->chosen = true;
		}
	}
}

/* Gives one datagram of a batch to who understands it. */
static void
deliver(struct port *port, int i)
{
	struct batch *in = &port->ports->in;
	const union address *from = &in->address[i];
	struct arrival arrival = {
	    .path.port = port->number,
	    .data = in->data[i],
	    .len = in->head[i].msg_len,
	};

	ipc_address_set(&arrival.path.from, &from->any);
	if (from->any.sa_family == AF_INET6)
		arrival.path.link = from->v6.sin6_scope_id;
	take_destination(&in->head[i].msg_hdr, &arrival.path);
	answer_beacon(port->ports->store, &arrival);
}

/* So that the second waits less for the memory than the first did. */
static void
expect(struct port *port, int count)
{
	const struct batch *in = &port->ports->in;

	for (int step = SESSION_PLACE; step <= SESSION_NEIGHBOURS; step++)
		for (int i = 0; i < count; i++)
			if (in->head[i].msg_len == BEACON_LEN)
				session_expect(port->ports->store->sessions,
				    beacon_id(in->data[i]),
				    (enum session_step)step);
}

/* Takes one batch; how many there were, 0 if nothing is left. */
static int
take_batch(struct port *port, int most)
{
	struct batch *in = &port->ports->in;
	int got;

	for (int i = 0; i < most; i++) {
		in->part[i].iov_base = in->data[i];
		in->part[i].iov_len = IN_LEN;
		in->head[i].msg_hdr = (struct msghdr){
		    .msg_name = &in->address[i],
		    .msg_namelen = sizeof(in->address[i]),
		    .msg_iov = &in->part[i],
		    .msg_iovlen = 1,
		    .msg_control = in->control[i],
		    .msg_controllen = sizeof(in->control[i]),
		};
	}
	do
		got = recvmmsg(
		    port->fd, in->head, (unsigned)most, MSG_DONTWAIT, NULL);
	while (got == -1 && errno == EINTR);
	if (got == -1 && errno != EAGAIN)
		log_debug("the beacon: %m");
	if (got > 1)
		expect(port, got);
	for (int i = 0; i < got; i++)
		deliver(port, i);
	return got;
}

static void
port_ready(void *arg, unsigned events)
{
	struct port *port = arg;
	struct ports *ports = port->ports;

	(void)events;
	store_tick(ports->store);
	while (ports->left > 0) {
		int most = ports->left < BATCH ? ports->left : BATCH;
		int got = take_batch(port, most);

		if (got <= 0)
			break;
		ports->left -= got;
		if (got < most)
			break;
	}
}

struct ports *
ports_new(struct store *store, const int *fds, size_t count)
{
	struct ports *ports =
	    calloc(1, sizeof(*ports) + count * sizeof(*ports->port));

	if (ports == NULL)
		return NULL;
	ports->store = store;
	ports->left = PORT_TURN;
	for (size_t i = 0; i < count; i++) {
		struct port *port = &ports->port[i];

		port->ports = ports;
		port->fd = fds[i];
		port->number = (uint16_t)(i + 1);
		port->watch.fd = -1;
		if (loop_add(store->loop, &port->watch, port->fd, LOOP_READ,
			port_ready, port) == -1) {
			ports_free(ports);
			return NULL;
		}
		ports->count++;
	}
	return ports;
}

void
ports_free(struct ports *ports)
{
	if (ports == NULL)
		return;
	for (size_t i = 0; i < ports->count; i++)
		loop_remove(ports->store->loop, &ports->port[i].watch);
	free(ports);
}

bool
ports_full(const struct ports *ports)
{
	return ports->posted >= PORT_OUT;
}

void
port_post(struct ports *ports, const struct beacon_path *path,
    const uint8_t data[BEACON_LEN])
{
	struct posted *posted;

	if (ports_full(ports) || path->port == 0 || path->port > ports->count) {
		ports->store->tally.unsent++;
		return;
	}
	posted = &ports->out[ports->posted++];
	posted->path = *path;
	memcpy(posted->data, data, BEACON_LEN);
}

/* Fills in from which of our addresses a datagram goes. */
static void
put_source(struct msghdr *head, struct cmsghdr *control,
    const struct beacon_path *path)
{
	struct in_pktinfo v4 = {0};
	struct in6_pktinfo v6 = {0};

	if (!path->chosen)
		return;
	head->msg_control = control;
	if (path->from.family == AF_INET) {
		memcpy(&v4.ipi_spec_dst, path->to, sizeof(v4.ipi_spec_dst));
		control->cmsg_level = IPPROTO_IP;
		control->cmsg_type = IP_PKTINFO;
		control->cmsg_len = CMSG_LEN(sizeof(v4));
		head->msg_controllen = CMSG_SPACE(sizeof(v4));
		memcpy(CMSG_DATA(control), &v4, sizeof(v4));
	} else {
		memcpy(&v6.ipi6_addr, path->to, sizeof(v6.ipi6_addr));
		v6.ipi6_ifindex = path->link;
		control->cmsg_level = IPPROTO_IPV6;
		control->cmsg_type = IPV6_PKTINFO;
		control->cmsg_len = CMSG_LEN(sizeof(v6));
		head->msg_controllen = CMSG_SPACE(sizeof(v6));
		memcpy(CMSG_DATA(control), &v6, sizeof(v6));
	}
}

/* Fills in where to a datagram goes: the length of the address. */
static socklen_t
put_address(union address *to, const struct beacon_path *path)
{
	memset(to, 0, sizeof(*to));
	if (path->from.family == AF_INET) {
		to->v4.sin_family = AF_INET;
		to->v4.sin_port = htons(path->from.port);
		memcpy(&to->v4.sin_addr, path->from.ip, 4);
		return sizeof(to->v4);
	}
	to->v6.sin6_family = AF_INET6;
	to->v6.sin6_port = htons(path->from.port);
	to->v6.sin6_scope_id = path->link;
	memcpy(&to->v6.sin6_addr, path->from.ip, 16);
	return sizeof(to->v6);
}

/* How many of those posted from there on one system call may send. */
static int
put_batch(struct ports *ports, size_t at)
{
	struct batch *send = &ports->send;
	uint16_t number = ports->out[at].path.port;
	int i;

	for (i = 0; i < BATCH && at + (size_t)i < ports->posted; i++) {
		struct posted *posted = &ports->out[at + (size_t)i];
		struct msghdr *head = &send->head[i].msg_hdr;

		if (posted->path.port != number)
			break;
		send->part[i].iov_base = posted->data;
		send->part[i].iov_len = BEACON_LEN;
		*head = (struct msghdr){
		    .msg_name = &send->address[i],
		    .msg_namelen =
			put_address(&send->address[i], &posted->path),
		    .msg_iov = &send->part[i],
		    .msg_iovlen = 1,
		};
		put_source(head, send->control[i], &posted->path);
	}
	return i;
}

/*
 * Sends a batch: what cannot go now is lost, as it could be on its way, and
 * what can never go must not keep back the others.
 */
static void
send_batch(struct ports *ports, int fd, int count)
{
	int done = 0;

	while (done < count) {
		int got = sendmmsg(fd, ports->send.head + done,
		    (unsigned)(count - done), MSG_DONTWAIT);

		if (got > 0) {
			done += got;
			continue;
		}
		if (got == -1 && errno == EINTR)
			continue;
		if (got == -1 && (errno == EAGAIN || errno == ENOBUFS)) {
			ports->store->tally.unsent += count - done;
			return;
		}
		log_debug("the beacon cannot answer: %m");
		ports->store->tally.unsent++;
		done++;
	}
}

void
ports_flush(struct ports *ports)
{
	size_t at = 0;

	while (at < ports->posted) {
		int fd = ports->port[ports->out[at].path.port - 1].fd;
		int count = put_batch(ports, at);

		send_batch(ports, fd, count);
		at += (size_t)count;
	}
	ports->posted = 0;
	ports->left = PORT_TURN;
}
