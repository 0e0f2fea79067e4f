/* SPDX-License-Identifier: ISC */
/*
 * What is said inside the centre: the permission table, frames that are cut,
 * padded or from the wrong role, and the packing of events and names.
 */
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <unistd.h>

#include "chatd/ipc.h"
#include "lib/unix.h"
#include "tap.h"

enum { HEAD_LEN = 16 };

static uint64_t buffer[IPC_FRAME_MAX / 8];
static int ends[2];

/* Sends octets that need not be a frame. */
static void
raw(const void *data, size_t len, int fd)
{
	struct iovec part = {.iov_base = (void *)data, .iov_len = len};

	if (unix_send(ends[0], &part, 1, fd) == -1)
		perror("unix_send");
}

/* Receives what one role says to another: 1, 0 or -errno. */
static int
heard(enum ipc_role me, enum ipc_role from, struct ipc_frame *frame)
{
	int got = ipc_receive(ends[1], me, from, buffer, frame);

	return got == -1 ? -errno : got;
}

/* A frame of this type with this body and tail, as it goes over the wire. */
static size_t
frame_of(unsigned type, size_t body, size_t tail, unsigned claimed, char *out)
{
	uint32_t head[4] = {type, 7, claimed, 0};

	memset(out, 'x', HEAD_LEN + body + tail);
	memcpy(out, head, sizeof(head));
	return HEAD_LEN + body + tail;
}

static void
test_table(void)
{
	static const enum ipc_role roles[] = {
	    ROLE_MASTER, ROLE_STORE, ROLE_KEEPER, ROLE_WORKER};
	static const struct {
		unsigned from, to;
		size_t size;
	} rows[] = {
#define X(type, from, to, body, tail) \
	{ROLE_##from, ROLE_##to, sizeof(struct body)},
	    IPC_MESSAGES(X)
#undef X
	};
	static char bytes[IPC_FRAME_MAX];
	struct ipc_frame frame;
	int wrong = 0, tried = 0;

	for (unsigned type = 0; type < IPC_COUNT_OF_TYPES; type++)
		for (int i = 0; i < 4; i++)
			for (int k = 0; k < 4; k++) {
				bool may = rows[type].from == roles[i] &&
				    rows[type].to == roles[k];
				bool fd = type == IPC_SERVE ||
				    type == IPC_KEEPER || type == IPC_STORE ||
				    type == IPC_WORKER || type == IPC_KEY;
				int got;

				raw(bytes,
				    frame_of(
					type, rows[type].size, 0, 0, bytes),
				    fd ? STDIN_FILENO : -1);
				got = heard(roles[k], roles[i], &frame);
				tried++;
				wrong += got != (may ? 1 : -EBADMSG);
				if (frame.fd != -1)
					close(frame.fd);
			}
	ok(wrong == 0, "of %d pairs only those of the table are let through",
	    tried);
	is(ipc_name(IPC_SERVE), "SERVE", "a message has its name");
	is(ipc_name((enum ipc_type)999), "unknown", "no name past the table");
	is(worker_exit_name(WORKER_CUT), "cut off", "an exit has its name");
	is(worker_exit_name((enum worker_exit)99), "unknown",
	    "no exit past the list");
}

static void
test_sizes(void)
{
	static char bytes[IPC_FRAME_MAX + 100];
	struct ipc_frame frame;
	size_t body = sizeof(struct ipc_send_text), len;
	int wrong = 0;

	len = frame_of(IPC_SEND, body, 5, 5, bytes);
	for (size_t cut = 1; cut < len; cut++) {
		raw(bytes, cut, -1);
		wrong += heard(ROLE_STORE, ROLE_WORKER, &frame) != -EBADMSG;
	}
	ok(wrong == 0, "a frame that is cut anywhere is refused");
	raw(bytes, len, -1);
	ok(heard(ROLE_STORE, ROLE_WORKER, &frame) == 1 && frame.tail_len == 5 &&
		frame.number == 7 && memcmp(frame.tail, "xxxxx", 5) == 0,
	    "the whole one is taken");
	raw(bytes, len + 1, -1);
	ok(heard(ROLE_STORE, ROLE_WORKER, &frame) == -EBADMSG,
	    "one octet more is refused");
	raw(bytes, frame_of(IPC_SEND, body, 5, 4, bytes), -1);
	ok(heard(ROLE_STORE, ROLE_WORKER, &frame) == -EBADMSG,
	    "a tail that is shorter than it claims is refused");
	raw(bytes, frame_of(IPC_SEND, body, 5, 0xfffffff0U, bytes), -1);
	ok(heard(ROLE_STORE, ROLE_WORKER, &frame) == -EBADMSG,
	    "so is a huge claim");
	raw(bytes, frame_of(IPC_LIVE, sizeof(struct ipc_live), 3, 3, bytes),
	    -1);
	ok(heard(ROLE_STORE, ROLE_WORKER, &frame) == -EBADMSG,
	    "a tail where there is none is refused");
	raw(bytes, frame_of(IPC_COUNT_OF_TYPES, 1, 0, 0, bytes), -1);
	ok(heard(ROLE_STORE, ROLE_WORKER, &frame) == -EBADMSG,
	    "an unknown type is refused");
	raw(bytes, sizeof(bytes), -1);
	ok(heard(ROLE_STORE, ROLE_WORKER, &frame) == -EBADMSG,
	    "a frame that is too long for the buffer is refused");
}

static void
test_descriptors(void)
{
	struct ipc_serve serve = {.from.family = AF_INET};
	struct ipc_live live = {.mail = 3};
	static char bytes[IPC_FRAME_MAX];
	struct ipc_frame frame;
	int free_before, free_after;

	ok(ipc_send(ends[0], IPC_SERVE, 9, &serve, NULL, 0, STDIN_FILENO) ==
		    0 &&
		heard(ROLE_STORE, ROLE_MASTER, &frame) == 1 && frame.fd > 2 &&
		fcntl(frame.fd, F_GETFD) == FD_CLOEXEC,
	    "SERVE brings a descriptor");
	close(frame.fd);
	ok(ipc_send(ends[0], IPC_SERVE, 9, &serve, NULL, 0, -1) == -1 &&
		errno == EINVAL,
	    "SERVE without one is not sent");
	free_before = dup(0);
	close(free_before);
	raw(bytes, frame_of(IPC_LIVE, sizeof(live), 0, 0, bytes), STDIN_FILENO);
	ok(heard(ROLE_STORE, ROLE_WORKER, &frame) == -EBADMSG && frame.fd == -1,
	    "a worker that brings a descriptor is refused");
	raw(bytes, frame_of(IPC_SERVE, sizeof(serve), 0, 0, bytes), -1);
	ok(heard(ROLE_STORE, ROLE_MASTER, &frame) == -EBADMSG,
	    "SERVE that came without one is refused");
	free_after = dup(0);
	close(free_after);
	ok(free_before == free_after, "and its descriptor is closed");
	ok(ipc_send(ends[0], IPC_DONE, 1, NULL, "x", 1, -1) == -1 &&
		errno == EINVAL,
	    "a tail where there is none is not sent");
	ok(ipc_send(ends[0], IPC_SEND, 1, bytes, bytes, IPC_FRAME_MAX, -1) ==
		    -1 &&
		errno == EINVAL,
	    "nor one that fits no frame");
}

static void
test_end(void)
{
	struct ipc_live live = {.mail = 3};
	struct ipc_frame frame;
	int pair[2], got;

	fd_nonblock(ends[1], true);
	ok(heard(ROLE_STORE, ROLE_WORKER, &frame) == -EAGAIN,
	    "nothing there is EAGAIN");
	unix_pair(pair);
	ipc_send(pair[0], IPC_LIVE, 1, &live, NULL, 0, -1);
	close(pair[0]);
	got = ipc_receive(pair[1], ROLE_STORE, ROLE_WORKER, buffer, &frame);
	ok(got == 1, "what was said before the end is heard");
	got = ipc_receive(pair[1], ROLE_STORE, ROLE_WORKER, buffer, &frame);
	ok(got == 0, "then the end");
	close(pair[1]);
	unix_pair(pair);
	ipc_send(pair[0], IPC_LIVE, 1, &live, NULL, 0, -1);
	close(pair[1]);
	got = ipc_receive(pair[0], ROLE_STORE, ROLE_WORKER, buffer, &frame);
	ok(got == 0, "a peer that died with something unread is the end too");
	ok(ipc_send(pair[0], IPC_LIVE, 1, &live, NULL, 0, -1) == -1 &&
		errno == EPIPE,
	    "and nothing can be sent to it");
	close(pair[0]);
}

static struct wire_string
string(const char *s)
{
	struct wire_string out = {.s = s, .len = s ? strlen(s) : 0};

	return out;
}

static bool
same_string(struct wire_string a, struct wire_string b)
{
	return !a.s == !b.s && a.len == b.len &&
	    (!a.s || memcmp(a.s, b.s, a.len) == 0);
}

static bool
same_link(const struct wire_link *a, const struct wire_link *b)
{
	return same_string(a->fingerprint, b->fingerprint) &&
	    same_string(a->host, b->host) && same_string(a->pass, b->pass) &&
	    a->port == b->port && a->expires_in == b->expires_in;
}

static void
test_events(void)
{
	struct wire_event events[] = {
	    {.type = EVENT_MESSAGE, .number = 1, .time = -5},
	    {.type = EVENT_NOTICE, .number = INT64_MAX, .time = 1},
	    {.type = EVENT_ADDRESS,
		.number = 3,
		.time = 2,
		.link = {.port = 65535, .expires_in = 3600}},
	};
	struct wire_event out;
	static char packed[4096];
	size_t used = 0, at = 0, kept;
	int wrong = 0, count = 0;
	uint32_t bad = EVENT_COUNT;

	events[0].user = string("alice");
	events[0].id = string("0123456789abcdef");
	events[0].text = string("h\tello\n");
	events[1].text = string("");
	events[2].user = string("bob");
	events[2].link.fingerprint = string("sha256//x");
	events[2].link.host = string("2001:db8::1");
	events[2].link.pass = string("secret");
	for (int i = 0; i < 3; i++)
		wrong +=
		    !ipc_event_put(packed, sizeof(packed), &used, &events[i]);
	while (ipc_event_get(packed, used, &at, &out)) {
		wrong += out.type != events[count].type ||
		    out.number != events[count].number ||
		    out.time != events[count].time ||
		    !same_string(out.user, events[count].user) ||
		    !same_string(out.id, events[count].id) ||
		    !same_string(out.text, events[count].text) ||
		    !same_link(&out.link, &events[count].link);
		count++;
	}
	ok(wrong == 0 && count == 3 && at == used, "events come out as put in");

	wrong = 0;
	for (size_t size = 0; size < used; size++) {
		kept = 0;
		count = 0;
		while (count < 3 &&
		    ipc_event_put(packed, size, &kept, &events[count]))
			count++;
		wrong += count == 3 || kept > size;
		at = 0;
		while (count-- > 0)
			wrong += !ipc_event_get(packed, kept, &at, &out);
		wrong += at != kept || ipc_event_get(packed, kept, &at, &out);
	}
	ok(wrong == 0, "what does not fit changes nothing");

	used = 0;
	ipc_event_put(packed, sizeof(packed), &used, &events[0]);
	wrong = 0;
	for (size_t len = 0; len < used; len++) {
		char *copy = malloc(len + 1);

		memcpy(copy, packed, len);
		at = 0;
		wrong += ipc_event_get(copy, len, &at, &out) || at != 0;
		free(copy);
	}
	ok(wrong == 0, "an event that is cut anywhere is none");
	memcpy(packed + 16, &bad, sizeof(bad));
	at = 0;
	ok(!ipc_event_get(packed, used, &at, &out), "nor one of no known type");
	events[0].user = string("a-name-that-is-longer-than-32-bytes");
	kept = 0;
	ok(!ipc_event_put(packed, sizeof(packed), &kept, &events[0]) &&
		kept == 0,
	    "a name that is too long is not put in");
	events[2].link.host =
	    string("a-host-that-is-longer-than-any-address-in-numbers");
	ok(!ipc_event_put(packed, sizeof(packed), &kept, &events[2]) &&
		kept == 0,
	    "nor a host");
}

static void
test_noise(void)
{
	char noise[256];
	struct wire_event event;
	char name[NAME_MAX_LEN + 1];
	int64_t since;
	size_t at;
	int wrong = 0;

	srand(1);
	for (int i = 0; i < 20000; i++) {
		for (size_t k = 0; k < sizeof(noise); k++)
			noise[k] = (char)(rand() % 4 ? 0 : rand());
		at = 0;
		while (ipc_event_get(noise, sizeof(noise), &at, &event))
			wrong += at > sizeof(noise) ||
			    (event.text.s &&
				event.text.s + event.text.len >
				    noise + sizeof(noise));
		at = 0;
		while (ipc_name_get(noise, sizeof(noise), &at, name, &since))
			wrong += strlen(name) > NAME_MAX_LEN;
	}
	ok(wrong == 0, "noise stays within its buffer");
}

static void
test_names(void)
{
	char packed[64], name[NAME_MAX_LEN + 1];
	size_t used = 0, at = 0;
	int64_t since = 0;

	ok(ipc_name_put(packed, sizeof(packed), &used, "alice", 42) &&
		ipc_name_put(packed, sizeof(packed), &used, "b", -1),
	    "names are put in");
	ok(ipc_name_get(packed, used, &at, name, &since) && since == 42 &&
		strcmp(name, "alice") == 0 &&
		ipc_name_get(packed, used, &at, name, &since) && since == -1 &&
		strcmp(name, "b") == 0 &&
		!ipc_name_get(packed, used, &at, name, &since),
	    "and come out");
	ok(!ipc_name_put(packed, used + 3, &used, "c", 0),
	    "as far as they fit");
	at = 0;
	ok(!ipc_name_get(packed, 3, &at, name, &since) && at == 0,
	    "one that is cut is none");
	packed[9] = '\0';
	ok(!ipc_name_get(packed, used, &at, name, &since),
	    "nor one with a NUL inside");
	packed[0] = 33;
	ok(!ipc_name_get(packed, sizeof(packed), &at, name, &since),
	    "nor one that is too long");
}

static void
test_addresses(void)
{
	struct sockaddr_in v4 = {
	    .sin_family = AF_INET,
	    .sin_port = htons(2428),
	    .sin_addr.s_addr = htonl(0xc0000207),
	};
	struct sockaddr_in6 v6 = {
	    .sin6_family = AF_INET6,
	    .sin6_port = htons(1),
	    .sin6_addr = IN6ADDR_LOOPBACK_INIT,
	};
	struct sockaddr none = {.sa_family = AF_UNIX};
	struct ipc_address address;
	char text[IPC_ADDRESS_LEN];

	ipc_address_set(&address, (struct sockaddr *)&v4);
	ipc_address_text(&address, text);
	is(text, "192.0.2.7", "an IPv4 address");
	ok(address.port == 2428, "with its port");
	ipc_address_set(&address, (struct sockaddr *)&v6);
	ipc_address_text(&address, text);
	is(text, "::1", "an IPv6 address");
	v6.sin6_addr.s6_addr[15] = 0;
	memcpy(v6.sin6_addr.s6_addr + 10, "\xff\xff\xc0\0\x02\x08", 6);
	ipc_address_set(&address, (struct sockaddr *)&v6);
	ipc_address_unmap(&address);
	ipc_address_text(&address, text);
	is(text, "192.0.2.8", "an IPv4 address in an IPv6 one");
	ipc_address_set(&address, &none);
	ipc_address_text(&address, text);
	is(text, "unknown", "neither");
}

int
main(void)
{
	struct {
		char text[4];
	} whole = {"abc"};
	char secret[8] = "secret!";

	if (unix_pair(ends) == -1)
		return 1;
	test_table();
	test_sizes();
	test_descriptors();
	test_end();
	test_events();
	test_noise();
	test_names();
	test_addresses();
	ok(IPC_TERMINATED(whole.text), "a string with its NUL is terminated");
	memset(whole.text, 'x', sizeof(whole.text));
	ok(!IPC_TERMINATED(whole.text), "one without is not");
	ipc_wipe(secret, sizeof(secret));
	ok(memcmp(secret, "\0\0\0\0\0\0\0", 8) == 0, "a secret is wiped");
	return done();
}
