/* SPDX-License-Identifier: ISC */
/*
 * The attacker of the benchmark.  It opens connections at a rate, in a ring:
 * the newest takes the place of the oldest.  It reads nothing, so that what
 * it costs is little; it must never reach anything but loopback.
 */
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <netinet/in.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>

#include "attack.h"
#include "tools.h"

enum { SPARE = 64 /* descriptors that are not connections */ };

int
attack_socket(int net, int number, bool blocking)
{
	struct sockaddr_in from = {.sin_family = AF_INET};
	const int on = 1;
	int fd = socket(AF_INET,
	    SOCK_STREAM | SOCK_CLOEXEC | (blocking ? 0 : SOCK_NONBLOCK), 0);

	if (fd == -1)
		return -1;
	/* x.y.0.0 and x.y.255.255 are left out. */
	from.sin_addr.s_addr = htonl(0x7f000000U | (unsigned)net << 16 |
	    (unsigned)(number / 250 + 1) << 8 | (unsigned)(number % 250 + 1));
	/* The port is chosen with the other end known: more of them fit. */
	setsockopt(fd, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, &on, sizeof(on));
	if (bind(fd, (struct sockaddr *)&from, sizeof(from)) == 0)
		return fd;
	close(fd);
	return -1;
}

/* As many descriptors as the system allows; how many connections that is. */
static int
raise_limit(int wanted)
{
	struct rlimit limit;

	if (getrlimit(RLIMIT_NOFILE, &limit) == -1)
		return wanted < 512 ? wanted : 512;
	limit.rlim_cur = limit.rlim_max;
	setrlimit(RLIMIT_NOFILE, &limit);
	getrlimit(RLIMIT_NOFILE, &limit);
	if (limit.rlim_cur < (rlim_t)wanted + SPARE)
		return (int)limit.rlim_cur - SPARE;
	return wanted;
}

/* One more connection; -1 if the system does not let it. */
static int
open_one(const struct attack_plan *plan, struct attack_result *result)
{
	struct sockaddr_in to = {.sin_family = AF_INET,
	    .sin_port = htons(plan->port),
	    .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	int number = (int)(result->opened % plan->addresses);
	int fd = attack_socket(1, number, false);

	if (fd == -1 ||
	    (connect(fd, (struct sockaddr *)&to, sizeof(to)) == -1 &&
		errno != EINPROGRESS)) {
		if (fd != -1)
			close(fd);
		result->failed++;
		return -1;
	}
	result->opened++;
	/* Over loopback it is there at once, unless the queue is full. */
	if (plan->greeting != NULL &&
	    send(fd, plan->greeting, plan->greeting_len, MSG_NOSIGNAL) ==
		(ssize_t)plan->greeting_len)
		result->greeted++;
	return fd;
}

/* Goes on until the time is over. */
static _Noreturn void
attack_run(const struct attack_plan *plan, struct attack_result *result)
{
	int hold = raise_limit(plan->hold), at = 0;
	int *ring = calloc((size_t)hold, sizeof(*ring));
	int64_t began = clock_ns(), now;
	struct process_cost cost = {0};
	long tried = 0;

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (ring == NULL)
		_exit(1);
	memset(ring, -1, (size_t)hold * sizeof(*ring));
	while (
	    (now = clock_ns()) - began < plan->ms * 1000000 && !interrupted()) {
		long due = (long)((double)(now - began) / 1e9 * plan->rate);

		for (; tried < due; tried++) {
			if (ring[at] != -1)
				close(ring[at]);
			ring[at] = open_one(plan, result);
			if (tried < hold && ring[at] != -1)
				result->held++;
			at = (at + 1) % hold;
		}
		poll(NULL, 0, 1);
	}
	result->seconds = (double)(clock_ns() - began) / 1e9;
	if (process_cost(getpid(), &cost) == 0)
		result->cpu = cost.cpu;
	_exit(0);
}

int
attack_begin(struct attack *attack, const struct attack_plan *plan)
{
	void *memory = mmap(NULL, sizeof(*attack->result),
	    PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);

	memset(attack, 0, sizeof(*attack));
	if (memory == MAP_FAILED)
		return complain("no memory for an attacker");
	attack->result = memory;
	attack->pid = fork();
	if (attack->pid == 0)
		attack_run(plan, attack->result);
	if (attack->pid == -1) {
		attack->pid = 0;
		return complain("no attacker: %s", strerror(errno));
	}
	return 0;
}

int
attack_end(struct attack *attack)
{
	pid_t pid = attack->pid;

	attack->pid = 0;
	if (pid != 0 && process_wait(pid) == -1)
		return complain("the attacker did not end well");
	return 0;
}

void
attack_release(struct attack *attack)
{
	if (attack->result != NULL)
		munmap(attack->result, sizeof(*attack->result));
	attack->result = NULL;
}
