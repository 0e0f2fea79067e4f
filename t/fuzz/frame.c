/* SPDX-License-Identifier: ISC */
/*
 * What is said inside chatd, in every direction that ipc.h knows: one frame
 * over a real socket pair, with or without a descriptor, to a role from a
 * role; the tails, and what the keeper is to sign.  The first octet chooses
 * the direction.  Its inputs are made from ipc.h, one a message.
 */
#include <errno.h>
#include <string.h>
#include <unistd.h>
#include <sys/socket.h>

#include "chatd/ipc.h"
#include "chatd/keeper/sign.h"
#include "lib/unix.h"
#include "fuzz.h"

enum { WITH_FD = 0x80 }; /* of the first octet */

static const struct way {
	enum ipc_role from, to;
} ways[] = {
#define X(type, from, to, body, tail) {ROLE_##from, ROLE_##to},
    IPC_MESSAGES(X)
#undef X
};

static bool understood;

bool
fuzz_understood(void)
{
	return understood;
}

/* Lists in a tail come to an end, and mean the same when they are put again. */
static size_t
check_events(const struct ipc_frame *frame)
{
	static char again[IPC_FRAME_MAX];
	struct wire_event event;
	size_t at = 0, before = 0, used;

	while (ipc_event_get(frame->tail, frame->tail_len, &at, &event)) {
		CLAIM(at > before && at <= frame->tail_len);
		CLAIM(event.type < EVENT_COUNT);
		used = 0;
		CLAIM(ipc_event_put(again, sizeof(again), &used, &event));
		CLAIM(used == at - before);
		CLAIM(memcmp(again, frame->tail + before, used) == 0);
		/* As a worker tells it. */
		wire_event_size(&event);
		json_decref(wire_event_encode(&event));
		before = at;
	}
	return at;
}

static size_t
check_names(const struct ipc_frame *frame)
{
	char name[NAME_MAX_LEN + 1], again[2 * NAME_MAX_LEN];
	size_t at = 0, before = 0, used;
	int64_t since;

	while (ipc_name_get(frame->tail, frame->tail_len, &at, name, &since)) {
		CLAIM(at > before && at <= frame->tail_len);
		CLAIM(name[0] != '\0' && strlen(name) <= NAME_MAX_LEN);
		used = 0;
		CLAIM(ipc_name_put(again, sizeof(again), &used, name, since));
		CLAIM(used == at - before);
		CLAIM(memcmp(again, frame->tail + before, used) == 0);
		before = at;
	}
	return at;
}

/* Nothing is signed but a server's CertificateVerify, RFC 8446, 4.4.3. */
static bool
check_sign(const struct ipc_frame *frame)
{
	static const char context[] = "TLS 1.3, server CertificateVerify";
	struct ipc_sign what;

	memcpy(&what, frame->body, sizeof(what));
	if (what.len > sizeof(what.content) ||
	    !sign_content_ok(what.content, what.len))
		return false;
	for (int i = 0; i < 64; i++)
		CLAIM(what.content[i] == ' ');
	/* With the NUL at its end. */
	CLAIM(memcmp(what.content + 64, context, sizeof(context)) == 0);
	CLAIM(what.len == 64 + sizeof(context) + 32 ||
	    what.len == 64 + sizeof(context) + 48);
	return true;
}

/* True if all of it means something. */
static bool
check(const struct ipc_frame *frame)
{
	size_t events = check_events(frame), names = check_names(frame);

	switch (frame->type) {
	case IPC_EVENTS:
		return events == frame->tail_len;
	case IPC_NAMES:
		return names == frame->tail_len;
	case IPC_SIGN:
		return check_sign(frame);
	default:
		return true;
	}
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static int pair[2] = {-1, -1};
	static uint64_t buffer[IPC_FRAME_MAX / 8];
	const struct way *way, *row;
	struct ipc_frame frame;
	struct iovec part;
	int got;

	understood = false;
	if (size < 1 || size > IPC_FRAME_MAX)
		return 0;
	if (pair[0] == -1)
		CLAIM(unix_pair(pair) == 0 && fd_nonblock(pair[0], true) == 0);
	way = &ways[(data[0] & ~WITH_FD) % IPC_COUNT_OF_TYPES];
	part.iov_base = (void *)(uintptr_t)(data + 1);
	part.iov_len = size - 1;
	/* A message of no octets, too, which not every way of sending has. */
	if ((data[0] & WITH_FD
		    ? unix_send(pair[1], &part, 1, 2)
		    : send(pair[1], data + 1, size - 1, MSG_NOSIGNAL)) == -1)
		return 0;
	got = ipc_receive(pair[0], way->to, way->from, buffer, &frame);
	/* A message of no octets is the end, as far as anybody can see. */
	CLAIM(got == 1 || got == 0 || (got == -1 && errno == EBADMSG));
	if (got != 1) {
		CLAIM(frame.fd == -1);
		return 0;
	}
	CLAIM(frame.type < IPC_COUNT_OF_TYPES);
	row = &ways[frame.type];
	CLAIM(row->from == way->from && row->to == way->to);
	CLAIM((frame.fd != -1) == ((data[0] & WITH_FD) != 0));
	CLAIM(frame.tail_len <= size);
	CLAIM(
	    (const char *)frame.body + ipc_body_len(frame.type) == frame.tail);
	CLAIM(frame.tail + frame.tail_len <=
	    (const char *)buffer + IPC_FRAME_MAX);
	understood = check(&frame);
	if (frame.fd != -1)
		close(frame.fd);
	return 0;
}

/* ---- the corpus */

static struct wire_string
string(const char *text)
{
	return (struct wire_string){text, strlen(text)};
}

/* A tail for those that have one; its length. */
static size_t
tail_of(enum ipc_type type, char *tail, size_t size)
{
	struct wire_event event = {.number = 1,
	    .time = 1000,
	    .user = string("bob"),
	    .id = string("AAAAAAAAAAAAAAAA"),
	    .text = string("hi"),
	    .link = {.fingerprint = string("sha256//x"),
		.host = string("::1"),
		.pass = string("y"),
		.port = 2428,
		.expires_in = 60}};
	size_t used = 0;

	if (type == IPC_EVENTS) {
		for (int i = 0; i < EVENT_COUNT; i++) {
			event.type = (enum wire_event_type)i;
			CLAIM(ipc_event_put(tail, size, &used, &event));
		}
		/* A receipt without ids, and nothing of a link. */
		event = (struct wire_event){.type = EVENT_RECEIPT};
		CLAIM(ipc_event_put(tail, size, &used, &event));
	} else if (type == IPC_NAMES) {
		CLAIM(ipc_name_put(tail, size, &used, "bob", 1000));
		CLAIM(ipc_name_put(tail, size, &used, "carol", 0));
	} else {
		tail[used++] = 'x';
	}
	return used;
}

/* A body that passes what its receiver looks at first. */
static void
body_of(enum ipc_type type, void *body)
{
	struct ipc_sign *sign = body;

	if (type != IPC_SIGN)
		return;
	memset(sign->content, ' ', 64);
	strcpy((char *)sign->content + 64, "TLS 1.3, server CertificateVerify");
	sign->len = 64 + 34 + 32;
}

/* The row of that number, as ipc_send() sends it. */
size_t
fuzz_seed(unsigned n, uint8_t *out, size_t size, const char **name)
{
	static uint64_t body[IPC_FRAME_MAX / 8];
	char tail[4096];
	size_t tail_len = tail_of((enum ipc_type)n, tail, sizeof(tail));
	int pair[2], fd = -1;
	ssize_t got;

	if (n >= IPC_COUNT_OF_TYPES)
		return 0;
	*name = ipc_name((enum ipc_type)n);
	CLAIM(unix_pair(pair) == 0);
	memset(body, 0, sizeof(body));
	body_of((enum ipc_type)n, body);
	out[0] = (uint8_t)n;
	/* Not all have a tail, some must have a descriptor. */
	while (ipc_send(pair[1], (enum ipc_type)n, 7, body, tail, tail_len,
		   fd) == -1) {
		CLAIM(errno == EINVAL && (tail_len > 0 || fd == -1));
		fd = tail_len > 0 ? -1 : 2;
		tail_len = 0;
	}
	if (fd != -1)
		out[0] |= WITH_FD;
	got = unix_receive(pair[0], out + 1, size - 1, NULL);
	CLAIM(got > 0);
	close(pair[0]);
	close(pair[1]);
	return (size_t)got + 1;
}
