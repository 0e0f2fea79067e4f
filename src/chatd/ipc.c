/* SPDX-License-Identifier: ISC */
/*
 * The codec of what is said inside the centre, and the check of every frame
 * against the table of ipc.h.  Runs in every process of the centre; trusts
 * no length that it did not compare with what really came.
 */
#include <errno.h>
#include <netinet/in.h>
#include <arpa/inet.h>
#include <string.h>
#include <unistd.h>

#include "chatd/ipc.h"
#include "lib/unix.h"

/* What stands before every body; 16 octets keep the body aligned. */
struct head {
	uint32_t type;
	uint32_t number;
	uint32_t tail_len;
	uint32_t zero;
};

struct row {
	const char *name;
	unsigned from, to; /* enum ipc_role */
	size_t size; /* of the body */
	bool tail;
};

static const struct row rows[IPC_COUNT_OF_TYPES] = {
#define X(type, from, to, body, tail) \
	{#type, ROLE_##from, ROLE_##to, sizeof(struct body), tail},
    IPC_MESSAGES(X)
#undef X
};

/* True for the messages that bring a descriptor, and must. */
static bool
brings_fd(enum ipc_type type)
{
	return type == IPC_SERVE || type == IPC_KEEPER || type == IPC_STORE ||
	    type == IPC_WORKER || type == IPC_KEY;
}

const char *
ipc_name(enum ipc_type type)
{
	if ((unsigned)type >= IPC_COUNT_OF_TYPES)
		return "unknown";
	return rows[type].name;
}

size_t
ipc_body_len(enum ipc_type type)
{
	return (unsigned)type < IPC_COUNT_OF_TYPES ? rows[type].size : 0;
}

const char *
worker_exit_name(enum worker_exit status)
{
	static const char *const names[WORKER_EXITS] = {
	    [WORKER_SERVED] = "served",
	    [WORKER_HANDSHAKE] = "handshake failed",
	    [WORKER_MALFORMED] = "malformed",
	    [WORKER_REFUSED] = "refused",
	    [WORKER_TIMEOUT] = "timed out",
	    [WORKER_CUT] = "cut off",
	    [WORKER_STORE_LOST] = "store lost",
	    [WORKER_FAULT] = "fault",
	};

	if ((unsigned)status >= WORKER_EXITS)
		return "unknown";
	return names[status];
}

int
ipc_send(int sock, enum ipc_type type, uint32_t number, const void *body,
    const void *tail, size_t tail_len, int fd)
{
	struct head head = {.type = type, .number = number};
	struct iovec parts[3];
	static const struct ipc_none none;

	if ((unsigned)type >= IPC_COUNT_OF_TYPES ||
	    (tail_len && !rows[type].tail) || brings_fd(type) != (fd != -1) ||
	    tail_len > IPC_FRAME_MAX - sizeof(head) - rows[type].size) {
		errno = EINVAL;
		return -1;
	}
	if (!body && rows[type].size != sizeof(none)) {
		errno = EINVAL;
		return -1;
	}
	head.tail_len = (uint32_t)tail_len;
	parts[0].iov_base = &head;
	parts[0].iov_len = sizeof(head);
	parts[1].iov_base = (void *)(body ? body : &none);
	parts[1].iov_len = rows[type].size;
	parts[2].iov_base = (void *)tail;
	parts[2].iov_len = tail_len;
	return unix_send(sock, parts, tail_len ? 3 : 2, fd);
}

/* True if the frame of len octets is one that this role gets from that. */
static bool
permitted(const struct head *head, size_t len, enum ipc_role me,
    enum ipc_role from, bool with_fd)
{
	const struct row *row;

	if (head->type >= IPC_COUNT_OF_TYPES || head->zero)
		return false;
	row = &rows[head->type];
	if (!(row->from & (unsigned)from) || !(row->to & (unsigned)me))
		return false;
	if (head->tail_len && !row->tail)
		return false;
	/* No sum of what a peer claims: len is at most IPC_FRAME_MAX. */
	if (len < sizeof(*head) + row->size ||
	    len - sizeof(*head) - row->size != head->tail_len)
		return false;
	return brings_fd((enum ipc_type)head->type) == with_fd;
}

int
ipc_receive(int sock, enum ipc_role me, enum ipc_role from, void *buf,
    struct ipc_frame *frame)
{
	struct head head;
	ssize_t len;
	int fd = -1;

	memset(frame, 0, sizeof(*frame));
	frame->fd = -1;
	len = unix_receive(sock, buf, IPC_FRAME_MAX, &fd);
	if (len == 0)
		goto drop;
	if (len == -1) {
		if (errno == EMSGSIZE)
			errno = EBADMSG;
		else if (errno == ECONNRESET)
			/* The peer died with something of ours unread. */
			len = 0;
		goto drop;
	}
	if ((size_t)len < sizeof(head))
		goto bad;
	memcpy(&head, buf, sizeof(head));
	frame->type = (enum ipc_type)head.type;
	if (!permitted(&head, (size_t)len, me, from, fd != -1))
		goto bad;
	frame->number = head.number;
	frame->body = (const char *)buf + sizeof(head);
	frame->tail_len = head.tail_len;
	frame->tail = (const char *)frame->body + rows[head.type].size;
	frame->fd = fd;
	return 1;
bad:
	errno = EBADMSG;
	len = -1;
drop:
	if (fd != -1) {
		int saved = errno;

		close(fd);
		errno = saved;
	}
	return (int)len;
}

/* Appends octets; false, and nothing changed, if they do not fit. */
static bool
put(char *buf, size_t size, size_t *used, const void *data, size_t len)
{
	if (*used > size || size - *used < len)
		return false;
	if (len)
		memcpy(buf + *used, data, len);
	*used += len;
	return true;
}

/* Takes octets; false, and nothing changed, if there are fewer. */
static bool
get(const char *buf, size_t len, size_t *at, void *out, size_t want)
{
	if (*at > len || len - *at < want)
		return false;
	memcpy(out, buf + *at, want);
	*at += want;
	return true;
}

/* How an event is laid out; its strings follow without a NUL. */
struct packed_event {
	int64_t number, time;
	uint32_t type;
	uint32_t user_len, id_len, text_len; /* NO_STRING: NULL */
	uint32_t key_len, host_len, pass_len; /* likewise */
	uint32_t port;
	int64_t expires_in;
};

enum { NO_STRING = 0xffffffU };

static uint32_t
string_len(const struct wire_string *string)
{
	return string->s ? (uint32_t)string->len : NO_STRING;
}

/* False for a string that no event can hold. */
static bool
string_fits(const struct wire_string *string, size_t most)
{
	return !string->s || string->len <= most;
}

/* Appends the octets of a string, if it is one. */
static bool
put_string(
    char *buf, size_t size, size_t *used, const struct wire_string *string)
{
	return put(buf, size, used, string->s, string->s ? string->len : 0);
}

/* False for a link that no event can tell of. */
static bool
link_fits(const struct wire_link *link)
{
	return string_fits(&link->fingerprint, WIRE_FINGERPRINT_LEN) &&
	    string_fits(&link->host, WIRE_HOST_LEN) &&
	    string_fits(&link->pass, WIRE_TOKEN_LEN);
}

bool
ipc_event_put(
    char *buf, size_t size, size_t *used, const struct wire_event *event)
{
	struct packed_event packed = {
	    .number = event->number,
	    .time = event->time,
	    .type = event->type,
	    .user_len = string_len(&event->user),
	    .id_len = string_len(&event->id),
	    .text_len = string_len(&event->text),
	    .key_len = string_len(&event->link.fingerprint),
	    .host_len = string_len(&event->link.host),
	    .pass_len = string_len(&event->link.pass),
	    .port = (uint32_t)event->link.port,
	    .expires_in = event->link.expires_in,
	};
	size_t at = *used;

	if (!string_fits(&event->user, NAME_MAX_LEN) ||
	    !string_fits(&event->id, ID_MAX_LEN) ||
	    !string_fits(&event->text, IPC_FRAME_MAX) ||
	    !link_fits(&event->link) ||
	    !put(buf, size, &at, &packed, sizeof(packed)) ||
	    !put_string(buf, size, &at, &event->user) ||
	    !put_string(buf, size, &at, &event->id) ||
	    !put_string(buf, size, &at, &event->text) ||
	    !put_string(buf, size, &at, &event->link.fingerprint) ||
	    !put_string(buf, size, &at, &event->link.host) ||
	    !put_string(buf, size, &at, &event->link.pass))
		return false;
	*used = at;
	return true;
}

/* Points into the buffer at the next len octets. */
static bool
get_string(const char *buf, size_t len, size_t *at, uint32_t want, size_t most,
    struct wire_string *out)
{
	out->s = NULL;
	out->len = 0;
	if (want == NO_STRING)
		return true;
	if (want > most || *at > len || len - *at < want)
		return false;
	out->s = buf + *at;
	out->len = want;
	*at += want;
	return true;
}

bool
ipc_event_get(const char *buf, size_t len, size_t *at, struct wire_event *event)
{
	struct packed_event packed;
	size_t next = *at;

	memset(event, 0, sizeof(*event));
	if (!get(buf, len, &next, &packed, sizeof(packed)) ||
	    packed.type >= EVENT_COUNT ||
	    !get_string(
		buf, len, &next, packed.user_len, NAME_MAX_LEN, &event->user) ||
	    !get_string(
		buf, len, &next, packed.id_len, ID_MAX_LEN, &event->id) ||
	    !get_string(buf, len, &next, packed.text_len, IPC_FRAME_MAX,
		&event->text) ||
	    !get_string(buf, len, &next, packed.key_len, WIRE_FINGERPRINT_LEN,
		&event->link.fingerprint) ||
	    !get_string(buf, len, &next, packed.host_len, WIRE_HOST_LEN,
		&event->link.host) ||
	    !get_string(buf, len, &next, packed.pass_len, WIRE_TOKEN_LEN,
		&event->link.pass))
		return false;
	event->link.port = packed.port;
	event->link.expires_in = packed.expires_in;
	event->type = (enum wire_event_type)packed.type;
	event->number = packed.number;
	event->time = packed.time;
	*at = next;
	return true;
}

bool
ipc_name_put(
    char *buf, size_t size, size_t *used, const char *name, int64_t since)
{
	size_t len = strnlen(name, NAME_MAX_LEN + 1), at = *used;
	uint8_t octet = (uint8_t)len;

	if (len == 0 || len > NAME_MAX_LEN ||
	    !put(buf, size, &at, &octet, sizeof(octet)) ||
	    !put(buf, size, &at, &since, sizeof(since)) ||
	    !put(buf, size, &at, name, len))
		return false;
	*used = at;
	return true;
}

bool
ipc_name_get(const char *buf, size_t len, size_t *at,
    char name[NAME_MAX_LEN + 1], int64_t *since)
{
	size_t next = *at;
	uint8_t octet;

	if (!get(buf, len, &next, &octet, sizeof(octet)) || octet == 0 ||
	    octet > NAME_MAX_LEN ||
	    !get(buf, len, &next, since, sizeof(*since)) ||
	    !get(buf, len, &next, name, octet))
		return false;
	name[octet] = '\0';
	/* A NUL inside would make two different names look alike. */
	if (strlen(name) != octet)
		return false;
	*at = next;
	return true;
}

void
ipc_address_set(struct ipc_address *out, const struct sockaddr *from)
{
	struct sockaddr_in v4;
	struct sockaddr_in6 v6;

	memset(out, 0, sizeof(*out));
	out->family = from->sa_family;
	if (from->sa_family == AF_INET) {
		memcpy(&v4, from, sizeof(v4));
		out->port = ntohs(v4.sin_port);
		memcpy(out->ip, &v4.sin_addr, 4);
	} else if (from->sa_family == AF_INET6) {
		memcpy(&v6, from, sizeof(v6));
		out->port = ntohs(v6.sin6_port);
		memcpy(out->ip, &v6.sin6_addr, 16);
	}
}

void
ipc_address_unmap(struct ipc_address *address)
{
	struct in6_addr v6;

	if (address->family != AF_INET6)
		return;
	memcpy(&v6, address->ip, sizeof(v6));
	if (!IN6_IS_ADDR_V4MAPPED(&v6))
		return;
	address->family = AF_INET;
	memset(address->ip, 0, sizeof(address->ip));
	memcpy(address->ip, v6.s6_addr + 12, 4);
}

void
ipc_address_text(const struct ipc_address *address, char out[IPC_ADDRESS_LEN])
{
	if ((address->family != AF_INET && address->family != AF_INET6) ||
	    !inet_ntop(address->family, address->ip, out, IPC_ADDRESS_LEN))
		strcpy(out, "unknown");
}

void
ipc_wipe(void *secret, size_t len)
{
	explicit_bzero(secret, len);
}
