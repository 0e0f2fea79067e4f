/* SPDX-License-Identifier: ISC */
/*
 * What is said inside chatd, in every direction: one frame over a real socket
 * pair, with or without a descriptor, to a role from a role; and the tails.
 * The first octet chooses the direction.
 */
#include <errno.h>
#include <string.h>
#include <unistd.h>
#include <sys/socket.h>

#include "chatd/ipc.h"
#include "lib/unix.h"
#include "fuzz.h"

static const enum ipc_role directions[][2] = {{ROLE_STORE, ROLE_WORKER},
    {ROLE_WORKER, ROLE_STORE}, {ROLE_STORE, ROLE_MASTER},
    {ROLE_MASTER, ROLE_STORE}, {ROLE_KEEPER, ROLE_STORE},
    {ROLE_STORE, ROLE_KEEPER}, {ROLE_WORKER, ROLE_MASTER},
    {ROLE_KEEPER, ROLE_WORKER}};

/* Lists in a tail come to an end, and stay within it. */
static void
check_tail(const struct ipc_frame *frame)
{
	struct wire_event event;
	char name[NAME_MAX_LEN + 1];
	int64_t since;
	size_t at = 0, before = 0;

	while (ipc_event_get(frame->tail, frame->tail_len, &at, &event)) {
		CLAIM(at > before && at <= frame->tail_len);
		CLAIM(event.type < EVENT_COUNT);
		/* As a worker tells it. */
		wire_event_size(&event);
		json_decref(wire_event_encode(&event));
		before = at;
	}
	at = before = 0;
	while (ipc_name_get(frame->tail, frame->tail_len, &at, name, &since)) {
		CLAIM(at > before && at <= frame->tail_len);
		CLAIM(name[0] != '\0' && strlen(name) <= NAME_MAX_LEN);
		before = at;
	}
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static int pair[2] = {-1, -1};
	static uint64_t buffer[IPC_FRAME_MAX / 8];
	const enum ipc_role *way;
	struct ipc_frame frame;
	struct iovec part;
	int got;

	if (size < 1 || size > IPC_FRAME_MAX)
		return 0;
	if (pair[0] == -1)
		CLAIM(unix_pair(pair) == 0 && fd_nonblock(pair[0], true) == 0);
	way = directions[data[0] % (sizeof(directions) / sizeof(*directions))];
	part.iov_base = (void *)(uintptr_t)(data + 1);
	part.iov_len = size - 1;
	if (unix_send(pair[1], &part, 1, data[0] & 0x80 ? 2 : -1) == -1)
		return 0;
	got = ipc_receive(pair[0], way[0], way[1], buffer, &frame);
	/* A message of no octets is the end, as far as anybody can see. */
	CLAIM(got == 1 || got == 0 || (got == -1 && errno == EBADMSG));
	if (got != 1) {
		CLAIM(frame.fd == -1);
		return 0;
	}
	CLAIM(frame.type < IPC_COUNT_OF_TYPES);
	CLAIM(frame.tail_len <= size);
	CLAIM(
	    (const char *)frame.body + ipc_body_len(frame.type) == frame.tail);
	CLAIM(frame.tail + frame.tail_len <=
	    (const char *)buffer + IPC_FRAME_MAX);
	check_tail(&frame);
	if (frame.fd != -1)
		close(frame.fd);
	return 0;
}
