/* SPDX-License-Identifier: ISC */
/*
 * A real store and workers in a stranger's hands: whatever frames they send,
 * it stays up, keeps no memory and no descriptor, and serves the others.
 */
#include "store-stage.h"

/* Octets as they are, with so many descriptors. */
static void
send_raw(int fd, const void *data, size_t len, int descriptors)
{
	union {
		struct cmsghdr align;
		char space[CMSG_SPACE(16 * sizeof(int))];
	} control = {.space = {0}};
	struct iovec part = {(void *)(uintptr_t)data, len};
	struct msghdr msg = {.msg_iov = &part, .msg_iovlen = 1};
	struct cmsghdr *head;

	if (descriptors > 0) {
		size_t size = (size_t)descriptors * sizeof(int);

		msg.msg_control = &control;
		msg.msg_controllen = CMSG_SPACE(size);
		head = CMSG_FIRSTHDR(&msg);
		head->cmsg_level = SOL_SOCKET;
		head->cmsg_type = SCM_RIGHTS;
		head->cmsg_len = CMSG_LEN(size);
		for (int i = 0; i < descriptors; i++)
			memcpy(CMSG_DATA(head) + (size_t)i * sizeof(int),
			    &(int){STDOUT_FILENO}, sizeof(int));
	}
	/* The store may end the channel while it is written to. */
	if (sendmsg(fd, &msg, MSG_NOSIGNAL) == -1 && errno != EPIPE &&
	    errno != ECONNRESET)
		give_up("cannot send");
}

/* The head of a frame, as ipc.c has it. */
struct raw {
	uint32_t type, number, tail_len, zero;
	char rest[IPC_FRAME_MAX];
};

/* Claims that such a frame ends its channel. */
static void
ends(uint32_t type, uint32_t tail_len, size_t len, int fds, const char *what)
{
	static struct raw raw;
	int fd = worker();

	raw.type = type;
	raw.tail_len = tail_len;
	send_raw(fd, &raw, len, fds);
	is_number(hear(fd), IPC_COUNT_OF_TYPES, "%s ends the channel", what);
	close(fd);
}

static void
test_frames(void)
{
	const size_t head = 4 * sizeof(uint32_t);
	const size_t live_len = head + ipc_body_len(IPC_LIVE);
	const size_t send_len = head + ipc_body_len(IPC_SEND);
	int wrong = 0;

	for (int type = 0; type < IPC_COUNT_OF_TYPES + 2; type++) {
		int fd = worker();
		struct raw raw = {.type = (uint32_t)type};

		if (type >= IPC_LOGIN && type <= IPC_PASSWORD) {
			close(fd);
			continue;
		}
		send_raw(fd, &raw, head + ipc_body_len((enum ipc_type)type), 0);
		wrong += hear(fd) != IPC_COUNT_OF_TYPES;
		close(fd);
	}
	is_number(wrong, 0, "what a worker may not say ends its channel");
	ends(IPC_LIVE, 0, live_len - 1, 0, "a frame that is short");
	ends(IPC_LIVE, 0, live_len + 1, 0, "one that is long");
	ends(IPC_LIVE, 5, live_len + 5, 0, "a tail where none is");
	ends(IPC_SEND, 5, send_len + 4, 0, "a tail that is short");
	ends(IPC_SEND, UINT32_MAX, send_len, 0, "one that claims the world");
	ends(IPC_SEND, 0, 3, 0, "no head");
	ends(IPC_SEND, 0, 0, 0, "nothing");
	ends(IPC_SEND, IPC_FRAME_MAX, send_len + IPC_FRAME_MAX - 1000, 0,
	    "one that is too long");
	ends(IPC_LIVE, 0, live_len, 1, "a descriptor");
	ends(IPC_SERVE, 0, head + ipc_body_len(IPC_SERVE), 1,
	    "a worker that introduces one");
}

/* Every body full of the same octet, with a token that opens or without. */
static void
test_bodies(const struct ipc_auth *auth)
{
	static char body[4096];
	static const unsigned char fill[] = {0, 1, 'a', 0x7f, 0x80, 0xff};
	int answered = 0, asked_for = 0;

	for (enum ipc_type type = IPC_LOGIN; type <= IPC_PASSWORD; type++)
		for (size_t i = 0; i < 2 * sizeof(fill); i++) {
			int fd = worker();

			if (type == IPC_LOGOUT && i >= sizeof(fill))
				continue;
			memset(body, fill[i % sizeof(fill)], sizeof(body));
			if (i >= sizeof(fill) && type > IPC_REGISTER)
				memcpy(body, auth, sizeof(*auth));
			asked_for++;
			ask(fd, type, body,
			    type == IPC_SEND || type == IPC_BROADCAST ? "\xff"
								      : NULL);
			answered += hear(fd) < IPC_COUNT_OF_TYPES;
			close(fd);
		}
	is_number(answered, asked_for, "whatever a body holds is answered");
}

/* Octets that the store has in memory. */
static long long
memory(void)
{
	char path[64];
	long long size, resident = -1;
	FILE *file;

	snprintf(path, sizeof(path), "/proc/%d/statm", (int)stage.pid);
	if ((file = fopen(path, "r")) == NULL ||
	    fscanf(file, "%lld %lld", &size, &resident) != 2)
		give_up(path);
	fclose(file);
	return resident * sysconf(_SC_PAGESIZE);
}

static int
descriptors(void)
{
	char path[64];
	int count = 0;
	DIR *dir;

	snprintf(path, sizeof(path), "/proc/%d/fd", (int)stage.pid);
	if ((dir = opendir(path)) == NULL)
		give_up(path);
	while (readdir(dir) != NULL)
		count++;
	closedir(dir);
	return count;
}

/* Asks for much, again and again, and reads nothing. */
static void
test_deaf_ear(int fd, const struct ipc_auth *auth)
{
	enum { GREEDY = 16, ROUNDS = 20 };
	struct ipc_list body = {.auth = *auth, .max = 9};
	int greedy[GREEDY], sent = 0;
	long long before = memory();

	for (int i = 0; i < GREEDY; i++) {
		greedy[i] = worker();
		if (fd_nonblock(greedy[i], true) == -1)
			give_up("nonblock");
	}
	for (int round = 0; round < ROUNDS; round++) {
		for (int i = 0; i < GREEDY; i++)
			while (ipc_send(greedy[i], IPC_ONLINE, 1, &body, NULL,
				   0, -1) == 0)
				sent++;
		if (live(fd, auth) != IPC_HEADS)
			give_up("others are not served");
	}
	ok(sent > 1000, "thousands of requests whose answers nobody reads");
	ok(memory() - before < (8 << 20),
	    "cost a bounded amount of memory (%lld kB)",
	    (memory() - before) / 1024);
	for (int i = 0; i < GREEDY; i++)
		close(greedy[i]);
}

static void
test_descriptors(int fd, const struct ipc_auth *auth)
{
	static struct raw raw = {.type = IPC_LIVE};
	int before;

	live(fd, auth);
	before = descriptors();
	for (int i = 0; i < 200; i++) {
		int flood = worker();

		for (int j = 0; j < 4; j++)
			send_raw(flood, &raw,
			    4 * sizeof(uint32_t) + ipc_body_len(IPC_LIVE), 16);
		while (hear(flood) != IPC_COUNT_OF_TYPES)
			continue;
		close(flood);
	}
	live(fd, auth);
	is_number(descriptors(), before, "no descriptor stays");
}

static void
test_strangers(void)
{
	int fd = worker();
	struct ipc_auth auth = login(fd, "frank", false);

	test_frames();
	test_bodies(&auth);
	test_descriptors(fd, &auth);
	test_deaf_ear(fd, &auth);
	is_number(live(fd, &auth), IPC_HEADS, "the others go on");
	close(fd);
}

int
main(void)
{
	static const char *const users[] = {"alice", "frank"};

	stage_open(users, sizeof(users) / sizeof(users[0]));
	test_strangers();
	is_number(ended(), 0, "the store ends with its master");
	clean();
	return done();
}
