/* SPDX-License-Identifier: ISC */
/*
 * The load generator for the beacon.  Runs in the benchmark; must never take
 * an answer that does not verify, nor leave a session out.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>
#include <netinet/in.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>

#include "swarm.h"
#include "tools.h"

enum {
	STEP_NS = 500000, /* between two looks at the clock */
	LATE_NS = 5000000, /* what counts of a longer wait */
	HURRY = 3, /* times the rate, to make up for waits */
	NEIGHBOURS = 8, /* sessions in a row that share a socket */
	BATCH = 64,
	IN_LEN = 64,
	REPORTS = 256,
	ANSWER_MS = 1000, /* then the LIVE is sent again */
	TRIES = 3,
	ROOM = 1 << 20, /* a socket's receive buffer */
};

struct member {
	struct identity identity; /* first, for the directory */
	struct beacon_window window; /* of the centre's counters */
	uint64_t counter; /* of the last LIVE */
	uint64_t echo;
	uint64_t waiting; /* the counter that no answer has come to, or 0 */
	int64_t asked; /* when the first try of it was */
	uint8_t tries;
	bool alive;
};

/* A LIVE under way; they come back in the order in which they went. */
struct pending {
	int number;
	uint64_t counter;
	int64_t at;
};

struct swarm {
	struct member *members;
	int sessions, sockets;
	int *fds;
	int epoll;
	struct sockaddr_in centre;
	struct directory directory;
	struct beacon_mac *mac;
	int next; /* whose turn it is */
	struct pending *ring;
	size_t ring_size, head, tail; /* a power of two; grow without end */
	struct swarm_count count;
	swarm_fn *fn;
	void *arg;
	/* Of one system call. */
	struct mmsghdr out[BATCH], in[BATCH];
	struct iovec out_part[BATCH], in_part[BATCH];
	uint8_t out_data[BATCH][BEACON_LEN], in_data[BATCH][IN_LEN];
	int gathered, gathered_for; /* in out, and for which socket */
};

/* As many descriptors as are allowed; how many sockets that leaves. */
static int
make_room(int wanted)
{
	const int others = 64;
	struct rlimit limit;

	if (getrlimit(RLIMIT_NOFILE, &limit) == -1)
		return wanted < 256 ? wanted : 256;
	if (limit.rlim_cur < (rlim_t)(wanted + others)) {
		limit.rlim_cur = (rlim_t)(wanted + others) < limit.rlim_max
		    ? (rlim_t)(wanted + others)
		    : limit.rlim_max;
		setrlimit(RLIMIT_NOFILE, &limit);
		getrlimit(RLIMIT_NOFILE, &limit);
	}
	if (limit.rlim_cur < (rlim_t)(wanted + others))
		return (int)limit.rlim_cur - others;
	return wanted;
}

/* One socket, at an address of its own as far as 127.0.0.0/8 goes. */
static int
open_socket(struct swarm *swarm, int number)
{
	struct sockaddr_in from = {.sin_family = AF_INET};
	struct epoll_event event = {.events = EPOLLIN};
	uint32_t host = (uint32_t)number % 0xfff00 + 2;
	int room = ROOM;
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

	if (fd == -1)
		return -1;
	from.sin_addr.s_addr = htonl(0x7f000000u + host * 251 % 0xfffffe);
	event.data.u32 = (uint32_t)number;
	swarm->fds[number] = fd;
	setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &room, sizeof(room));
	if (bind(fd, (struct sockaddr *)&from, sizeof(from)) == -1)
		return -1;
	return epoll_ctl(swarm->epoll, EPOLL_CTL_ADD, fd, &event);
}

/* What the calls move, as far as it is always the same. */
static void
lay_out(struct swarm *swarm)
{
	for (int i = 0; i < BATCH; i++) {
		swarm->out_part[i] =
		    (struct iovec){swarm->out_data[i], BEACON_LEN};
		swarm->in_part[i] = (struct iovec){swarm->in_data[i], IN_LEN};
		swarm->out[i].msg_hdr = (struct msghdr){
		    .msg_name = &swarm->centre,
		    .msg_namelen = sizeof(swarm->centre),
		    .msg_iov = &swarm->out_part[i],
		    .msg_iovlen = 1,
		};
		swarm->in[i].msg_hdr = (struct msghdr){
		    .msg_iov = &swarm->in_part[i],
		    .msg_iovlen = 1,
		};
	}
}

/* Everything that takes memory. */
static bool
set_up(struct swarm *swarm, int sessions, int sockets)
{
	swarm->members = calloc((size_t)sessions, sizeof(*swarm->members));
	swarm->fds = calloc((size_t)sockets, sizeof(*swarm->fds));
	swarm->ring_size = 1024;
	while (swarm->ring_size < (size_t)sessions * 2)
		swarm->ring_size *= 2;
	swarm->ring = calloc(swarm->ring_size, sizeof(*swarm->ring));
	swarm->mac = beacon_mac_new();
	swarm->epoll = epoll_create1(EPOLL_CLOEXEC);
	return swarm->members != NULL && swarm->fds != NULL &&
	    swarm->ring != NULL && swarm->mac != NULL && swarm->epoll != -1 &&
	    directory_make(&swarm->directory, sessions, swarm->members,
		sizeof(*swarm->members)) == 0;
}

struct swarm *
swarm_new(int sessions, int sockets, uint16_t port)
{
	struct swarm *swarm = calloc(1, sizeof(*swarm));

	if (swarm == NULL) {
		complain("no memory for %d sessions", sessions);
		return NULL;
	}
	swarm->sessions = sessions;
	swarm->centre = (struct sockaddr_in){.sin_family = AF_INET,
	    .sin_port = htons(port),
	    .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	sockets = make_room(sockets);
	if (sockets < 1 || !set_up(swarm, sessions, sockets)) {
		complain("no memory for %d sessions", sessions);
		swarm_free(swarm);
		return NULL;
	}
	lay_out(swarm);
	for (; swarm->sockets < sockets; swarm->sockets++)
		if (open_socket(swarm, swarm->sockets) == -1) {
			complain(
			    "socket %d: %s", swarm->sockets, strerror(errno));
			swarm_free(swarm);
			return NULL;
		}
	return swarm;
}

void
swarm_free(struct swarm *swarm)
{
	if (swarm == NULL)
		return;
	for (int i = 0; i < swarm->sockets; i++)
		close(swarm->fds[i]);
	if (swarm->epoll > 0)
		close(swarm->epoll);
	directory_release(&swarm->directory);
	beacon_mac_free(swarm->mac);
	free(swarm->ring);
	free(swarm->fds);
	free(swarm->members);
	free(swarm);
}

void
swarm_set(struct swarm *swarm, int number, const struct identity *identity)
{
	swarm->members[number].identity = *identity;
	directory_add(&swarm->directory, number);
}

void
swarm_listen(struct swarm *swarm, swarm_fn *fn, void *arg)
{
	swarm->fn = fn;
	swarm->arg = arg;
}

const struct swarm_count *
swarm_count(const struct swarm *swarm)
{
	return &swarm->count;
}

int
swarm_alive(const struct swarm *swarm)
{
	int alive = 0;

	for (int i = 0; i < swarm->sessions; i++)
		alive += swarm->members[i].alive;
	return alive;
}

/* Sends what was gathered for one socket. */
static void
flush(struct swarm *swarm)
{
	int done = 0;

	while (done < swarm->gathered) {
		int got = sendmmsg(swarm->fds[swarm->gathered_for],
		    swarm->out + done, (unsigned)(swarm->gathered - done), 0);

		if (got > 0) {
			done += got;
			continue;
		}
		if (errno == EINTR)
			continue;
		/* Its turn comes again with the retries. */
		swarm->count.refused++;
		done++;
	}
	swarm->gathered = 0;
}

/* The LIVE that a session sends now. */
static void
encode(const struct swarm *swarm, const struct member *member, uint8_t *out)
{
	const struct beacon live = {.type = BEACON_LIVE,
	    .id = member->identity.id,
	    .counter = member->counter,
	    .echo = member->echo};

	beacon_encode(swarm->mac, member->identity.keys.client, &live, out);
}

/* One LIVE of a session, and the wait for its answer. */
static void
speak(struct swarm *swarm, int number, int64_t now)
{
	struct member *member = &swarm->members[number];
	int socket = number / NEIGHBOURS % swarm->sockets;

	if (swarm->gathered == BATCH || socket != swarm->gathered_for)
		flush(swarm);
	swarm->gathered_for = socket;
	member->counter++;
	encode(swarm, member, swarm->out_data[swarm->gathered++]);
	swarm->count.sent++;
	if (member->tries == 0)
		member->asked = now;
	member->waiting = member->counter;
	/* Whoever is so far behind would be too old anyway. */
	if (swarm->head - swarm->tail == swarm->ring_size)
		swarm->tail++;
	swarm->ring[swarm->head++ & (swarm->ring_size - 1)] =
	    (struct pending){number, member->counter, now};
}

void
swarm_replay(const struct swarm *swarm, int number, uint8_t *out)
{
	encode(swarm, &swarm->members[number], out);
}

/* What a client does with a datagram; false if it is not to be believed. */
static bool
take(struct swarm *swarm, const uint8_t *data, size_t len, int64_t now)
{
	struct member *member;
	struct beacon beacon;
	int number;

	if (!beacon_decode(data, len, &beacon) || beacon.type == BEACON_LIVE ||
	    (number = directory_find(&swarm->directory, beacon.id)) == -1)
		return false;
	member = &swarm->members[number];
	if (!beacon_verify(swarm->mac, member->identity.keys.centre, data) ||
	    !beacon_take(&member->window, beacon.counter))
		return false;
	member->echo = beacon.echo;
	if (beacon.type == BEACON_CHECK) {
		swarm->count.checks++;
		member->tries = 1;
		speak(swarm, number, now);
	} else if (beacon.type == BEACON_KNOCK) {
		swarm->count.knocks++;
	} else {
		swarm->count.heads++;
		if (member->waiting != 0 &&
		    now - member->asked > swarm->count.slowest)
			swarm->count.slowest = now - member->asked;
		member->waiting = 0;
		member->tries = 0;
		member->alive = true;
	}
	if (swarm->fn != NULL)
		swarm->fn(swarm->arg, number, &beacon);
	return true;
}

/* Everything that one socket has. */
static void
drain(struct swarm *swarm, int fd, int64_t now)
{
	int got;

	do {
		got = recvmmsg(fd, swarm->in, BATCH, MSG_DONTWAIT, NULL);
		for (int i = 0; i < got; i++)
			if (!take(swarm, swarm->in_data[i],
				swarm->in[i].msg_len, now))
				swarm->count.bad++;
	} while (got == BATCH);
}

/* Everything that has come. */
static void
hear(struct swarm *swarm)
{
	struct epoll_event events[REPORTS];
	int count;

	do {
		count = epoll_wait(swarm->epoll, events, REPORTS, 0);
		for (int i = 0; i < count; i++)
			drain(
			    swarm, swarm->fds[events[i].data.u32], clock_ns());
	} while (count == REPORTS);
	flush(swarm);
}

/* Those whose answer is late say it again, three times in all. */
static void
remind(struct swarm *swarm, int64_t now)
{
	while (swarm->tail != swarm->head) {
		const struct pending pending =
		    swarm->ring[swarm->tail & (swarm->ring_size - 1)];
		struct member *member = &swarm->members[pending.number];

		if (member->waiting == pending.counter &&
		    now - pending.at < ANSWER_MS * INT64_C(1000000))
			break;
		swarm->tail++;
		if (member->waiting != pending.counter)
			continue;
		swarm->count.again++;
		if (++member->tries < TRIES) {
			speak(swarm, pending.number, now);
			continue;
		}
		swarm->count.lost++;
		member->waiting = 0;
		member->tries = 0;
		member->alive = false;
	}
	flush(swarm);
}

/* Until it is time to look again. */
static void
rest(int64_t until)
{
	struct timespec at = {until / 1000000000, until % 1000000000};

	clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &at, NULL);
}

/*
 * Those whose turn it is by now.  Who was kept waiting by the machine makes
 * up for it little by little: a million clients would not come in one burst.
 */
static long
speak_up_to(struct swarm *swarm, long turn, long done, long most, int64_t now)
{
	if (turn > done + most)
		turn = done + most;
	for (; done < turn; done++) {
		speak(swarm, swarm->next, now);
		swarm->next = (swarm->next + 1) % swarm->sessions;
	}
	flush(swarm);
	return done;
}

/* How many may speak after that time at the most, at that rate. */
static long
allowance(double rate, int64_t ns)
{
	return 1 +
	    (long)(HURRY * rate * (double)(ns < LATE_NS ? ns : LATE_NS) / 1e9);
}

int
swarm_run(struct swarm *swarm, double rate, int64_t ms)
{
	int64_t began = clock_ns(), now = began, before;
	int64_t end = began + ms * 1000000;
	long done = 0;

	while (!interrupted()) {
		before = now;
		now = clock_ns();
		if (now < end)
			done = speak_up_to(swarm,
			    (long)((double)(now - began) / 1e9 * rate) + 1,
			    done, allowance(rate, now - before), now);
		else if (swarm->tail == swarm->head)
			break;
		hear(swarm);
		remind(swarm, now);
		rest(now + STEP_NS);
	}
	if (interrupted())
		return -1;
	return swarm->count.refused > swarm->count.sent / 100
	    ? complain("the system does not take the LIVEs")
	    : 0;
}
