/* SPDX-License-Identifier: ISC */
/*
 * The test suite's hand on the beacon, chat-protocol(7): logs in over TLS,
 * keeps the keys in a file, sends datagrams that are right or wrong on
 * purpose, and prints what comes back.  A program of its own that the tests
 * run; it must never answer, repeat or repair by itself, except in `hold`.
 */
#include <errno.h>
#include <getopt.h>
#include <inttypes.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>
#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include "lib/beacon.h"
#include "lib/tls.h"
#include "lib/unix.h"
#include "lib/wire.h"

#define USAGE                                                                  \
	"usage: beacon [OPTIONS] login FILE USER PASSWORD\n"                   \
	"       beacon [OPTIONS] live FILE    send one LIVE, print answers\n"  \
	"       beacon [OPTIONS] hold FILE    LIVE until HEADS, print what\n"  \
	"                                     comes until it is ended\n"       \
	"       beacon encode KEY TYPE ID COUNTER MAIL ROOM ECHO\n"            \
	"  --address ADDRESS   the centre's (127.0.0.1)\n"                     \
	"  --port PORT         likewise\n"                                     \
	"  --source ADDRESS    from which local address\n"                     \
	"  --key FINGERPRINT   log in as one who takes links at port 40000\n"  \
	"  --counter N         instead of the next one\n"                      \
	"  --echo N            instead of the last one that came\n"            \
	"  --id HEX            instead of the session's\n"                     \
	"  --type N            instead of LIVE\n"                              \
	"  --flip N            turn one bit of octet N around\n"               \
	"  --octets N          send so many, cut or filled up\n"               \
	"  --count N           so many in a row, each with the next counter\n" \
	"  --wait MS           for the answer (2000)\n"

enum { SENT_MAX = 2000, WAIT_MS = 2000 };

struct options {
	const char *address, *source, *id, *key;
	long port, flip, octets, count, wait, type;
	int64_t counter, echo; /* -1: as it should be */
};

/* What the file holds. */
struct state {
	const char *path;
	uint64_t id, counter, echo;
	struct beacon_keys keys;
	struct beacon_window window;
	long from; /* the local port; 0 before the first LIVE */
};

static _Noreturn void
give_up(const char *what)
{
	fprintf(stderr, "beacon: %s: %s\n", what,
	    errno != 0 ? strerror(errno) : "not as it should be");
	exit(EX_UNAVAILABLE);
}

static void
put_hex(FILE *to, const void *data, size_t len)
{
	for (size_t i = 0; i < len; i++)
		fprintf(to, "%02x", ((const uint8_t *)data)[i]);
	putc('\n', to);
}

static bool
get_hex(const char *text, void *out, size_t len)
{
	unsigned octet;

	if (strlen(text) < 2 * len)
		return false;
	for (size_t i = 0; i < len; i++) {
		if (sscanf(text + 2 * i, "%2x", &octet) != 1)
			return false;
		((uint8_t *)out)[i] = (uint8_t)octet;
	}
	return true;
}

static void
save(const struct state *state)
{
	char part[4096];
	FILE *to;

	/* Two of us may have the same file. */
	snprintf(part, sizeof(part), "%s.%d", state->path, (int)getpid());
	if ((to = fopen(part, "w")) == NULL)
		give_up(part);
	fprintf(to,
	    "%016" PRIx64 " %" PRIu64 " %" PRIu64 " %" PRIu64 " %" PRIu64
	    " %ld ",
	    state->id, state->counter, state->echo, state->window.highest,
	    state->window.taken, state->from);
	put_hex(to, &state->keys, sizeof(state->keys));
	if (fclose(to) != 0 || rename(part, state->path) == -1)
		give_up(part);
}

static void
load(struct state *state, const char *path)
{
	char keys[2 * sizeof(state->keys) + 1];
	FILE *from = fopen(path, "r");

	state->path = path;
	if (from == NULL ||
	    fscanf(from,
		"%" SCNx64 " %" SCNu64 " %" SCNu64 " %" SCNu64 " %" SCNu64
		" %ld %128s",
		&state->id, &state->counter, &state->echo,
		&state->window.highest, &state->window.taken, &state->from,
		keys) != 7 ||
	    !get_hex(keys, &state->keys, sizeof(state->keys)))
		give_up(path);
	fclose(from);
}

/* An address with a port as the system wants it. */
static socklen_t
address_of(const char *text, long port, struct sockaddr_storage *out)
{
	struct sockaddr_in v4 = {
	    .sin_family = AF_INET, .sin_port = htons((uint16_t)port)};
	struct sockaddr_in6 v6 = {
	    .sin6_family = AF_INET6, .sin6_port = htons((uint16_t)port)};

	if (inet_pton(AF_INET, text, &v4.sin_addr) == 1) {
		memcpy(out, &v4, sizeof(v4));
		return sizeof(v4);
	}
	if (inet_pton(AF_INET6, text, &v6.sin6_addr) == 1) {
		memcpy(out, &v6, sizeof(v6));
		return sizeof(v6);
	}
	errno = EINVAL;
	give_up(text);
}

/* ---- over TLS */

/* One line there and one back; the connection stays open. */
static json_t *
exchange(struct tls_conn *conn, json_t *request)
{
	int64_t deadline = clock_mono() + 20000;
	char why[WIRE_WHY_LEN], *line;
	size_t len;
	json_t *reply;

	line = wire_line(request, &len);
	json_decref(request);
	if (line == NULL || tls_write(conn, line, len, deadline) != TLS_OK)
		give_up(conn->why);
	free(line);
	if (tls_read_line(conn, &line, &len, deadline) != TLS_OK)
		give_up(conn->why);
	fwrite(line, 1, len, stdout);
	putchar('\n');
	reply = wire_object(line, len, why);
	if (reply == NULL)
		give_up(why);
	return reply;
}

static void
login(const struct options *options, const char *path, const char *user,
    const char *password)
{
	struct state state = {.path = path};
	struct sockaddr_storage to;
	socklen_t len = address_of(options->address, options->port, &to);
	int fd = socket(to.ss_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
	uint8_t context[BEACON_CONTEXT_LEN];
	char why[TLS_WHY_LEN];
	SSL_CTX *ctx = tls_client_new(TLS_ALPN_CENTRE, why);
	struct tls_conn conn;
	const char *id;
	json_t *ask = json_pack("{s:s, s:s, s:s}", "op", "login", "user", user,
		   "password", password),
	       *reply;

	if (options->key != NULL) {
		json_object_set_new(ask, "peer_port", json_integer(40000));
		json_object_set_new(
		    ask, "peer_fingerprint", json_string(options->key));
	}
	if (fd == -1 || connect(fd, (struct sockaddr *)&to, len) == -1)
		give_up(options->address);
	if (tls_conn_open(&conn, ctx, fd, false, NULL) == -1 ||
	    tls_handshake(&conn, TLS_ALPN_CENTRE, clock_mono() + 20000) !=
		TLS_OK)
		give_up(conn.why);
	reply = exchange(&conn, ask);
	id = wire_get_string(reply, "beacon");
	if (id != NULL && beacon_id_parse(id, &state.id)) {
		beacon_context(state.id, context);
		if (tls_export(&conn, BEACON_LABEL, context, sizeof(context),
			&state.keys, sizeof(state.keys)) == -1)
			give_up(conn.why);
		save(&state);
	}
	json_decref(reply);
	tls_conn_close(&conn, 0);
	SSL_CTX_free(ctx);
}

/* ---- over UDP */

/* The socket of this client: the same port as before, if there was one. */
static int
open_port(const struct options *options, struct state *state)
{
	struct sockaddr_storage at, to;
	socklen_t len = address_of(options->address, options->port, &to);
	int fd = socket(to.ss_family, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	const char *any = to.ss_family == AF_INET6 ? "::" : "0.0.0.0";

	address_of(
	    options->source != NULL ? options->source : any, state->from, &at);
	if (fd == -1 || bind(fd, (struct sockaddr *)&at, len) == -1 ||
	    connect(fd, (struct sockaddr *)&to, len) == -1)
		give_up("UDP");
	len = sizeof(at);
	getsockname(fd, (struct sockaddr *)&at, &len);
	state->from = ntohs(((struct sockaddr_in *)&at)->sin_port);
	return fd;
}

static void
send_live(int fd, const struct options *options, struct beacon_mac *mac,
    struct state *state, const uint8_t key[BEACON_KEY_LEN])
{
	uint8_t out[SENT_MAX] = {0};
	size_t len = BEACON_LEN;
	struct beacon live = {.type = (enum beacon_type)options->type,
	    .id = state->id,
	    .counter = options->counter != -1 ? (uint64_t)options->counter
					      : ++state->counter,
	    .echo =
		options->echo != -1 ? (uint64_t)options->echo : state->echo};

	if (options->id != NULL && !beacon_id_parse(options->id, &live.id))
		give_up(options->id);
	beacon_encode(mac, key, &live, out);
	if (options->flip != -1)
		out[options->flip] ^= 1;
	if (options->octets != -1)
		len = (size_t)options->octets;
	save(state);
	if (send(fd, out, len, 0) == -1)
		give_up("send");
}

/* Prints a datagram; its type, 0 if it is not the centre's. */
static int
show(struct beacon_mac *mac, struct state *state, const uint8_t *data,
    size_t len)
{
	static const char *const names[] = {
	    [BEACON_HEADS] = "heads",
	    [BEACON_KNOCK] = "knock",
	    [BEACON_CHECK] = "check",
	};
	struct beacon got;

	if (!beacon_decode(data, len, &got) || got.type == BEACON_LIVE ||
	    got.id != state->id ||
	    !beacon_verify(mac, state->keys.centre, data) ||
	    !beacon_take(&state->window, got.counter)) {
		printf("bad %zu\n", len);
		return 0;
	}
	state->echo = got.echo;
	printf("%s %" PRId64 " %" PRId64 "\n", names[got.type], got.mail,
	    got.room);
	return (int)got.type;
}

/* The next datagram within that time; its type, -1 if none came. */
static int
hear(int fd, struct beacon_mac *mac, struct state *state, long wait)
{
	struct pollfd pfd = {.fd = fd, .events = POLLIN};
	uint8_t data[SENT_MAX];
	ssize_t len;
	int type;

	if (poll(&pfd, 1, (int)wait) != 1)
		return -1;
	if ((len = recv(fd, data, sizeof(data), 0)) == -1)
		return -1;
	type = show(mac, state, data, (size_t)len);
	fflush(stdout);
	save(state);
	return type;
}

static int
live(const struct options *options, struct beacon_mac *mac, const char *path)
{
	struct state state;
	int fd, heard = 0;

	load(&state, path);
	fd = open_port(options, &state);
	for (long i = 0; i < options->count; i++)
		send_live(fd, options, mac, &state, state.keys.client);
	for (; heard < options->count; heard++)
		if (hear(fd, mac, &state, options->wait) == -1)
			break;
	close(fd);
	return heard > 0 ? 0 : 1;
}

static int
hold(const struct options *options, struct beacon_mac *mac, const char *path)
{
	struct state state;
	int fd, type;

	load(&state, path);
	fd = open_port(options, &state);
	send_live(fd, options, mac, &state, state.keys.client);
	while (
	    (type = hear(fd, mac, &state, -1)) != -1 || errno == ECONNREFUSED)
		if (type == BEACON_CHECK)
			send_live(fd, options, mac, &state, state.keys.client);
	return 1;
}

static int
encode(struct beacon_mac *mac, char **args)
{
	uint8_t key[BEACON_KEY_LEN], out[BEACON_LEN];
	struct beacon beacon = {
	    .type = (enum beacon_type)atoi(args[1]),
	    .counter = strtoull(args[3], NULL, 0),
	    .mail = strtoll(args[4], NULL, 0),
	    .room = strtoll(args[5], NULL, 0),
	    .echo = strtoull(args[6], NULL, 0),
	};

	errno = 0;
	if (!get_hex(args[0], key, sizeof(key)) ||
	    !beacon_id_parse(args[2], &beacon.id) ||
	    !beacon_encode(mac, key, &beacon, out))
		give_up("encode");
	put_hex(stdout, out, sizeof(out));
	return 0;
}

static void
parse(int argc, char **argv, struct options *options)
{
	static const struct option names[] = {
	    {"address", required_argument, NULL, 'a'},
	    {"port", required_argument, NULL, 'p'},
	    {"source", required_argument, NULL, 's'},
	    {"key", required_argument, NULL, 'k'},
	    {"counter", required_argument, NULL, 'c'},
	    {"echo", required_argument, NULL, 'e'},
	    {"id", required_argument, NULL, 'i'},
	    {"type", required_argument, NULL, 't'},
	    {"flip", required_argument, NULL, 'f'},
	    {"octets", required_argument, NULL, 'o'},
	    {"count", required_argument, NULL, 'n'},
	    {"wait", required_argument, NULL, 'w'},
	    {NULL, 0, NULL, 0},
	};
	int option;

	while ((option = getopt_long(argc, argv, "", names, NULL)) != -1) {
		long number = optarg != NULL ? strtol(optarg, NULL, 0) : 0;

		switch (option) {
		case 'a':
			options->address = optarg;
			break;
		case 's':
			options->source = optarg;
			break;
		case 'i':
			options->id = optarg;
			break;
		case 'k':
			options->key = optarg;
			break;
		case 'p':
			options->port = number;
			break;
		case 'c':
			options->counter = number;
			break;
		case 'e':
			options->echo = number;
			break;
		case 't':
			options->type = number;
			break;
		case 'f':
			options->flip = number % BEACON_LEN;
			break;
		case 'o':
			options->octets = number % SENT_MAX;
			break;
		case 'n':
			options->count = number;
			break;
		case 'w':
			options->wait = number;
			break;
		default:
			fputs(USAGE, stderr);
			exit(EX_USAGE);
		}
	}
}

int
main(int argc, char **argv)
{
	struct options options = {.address = "127.0.0.1",
	    .port = 2428,
	    .counter = -1,
	    .echo = -1,
	    .flip = -1,
	    .octets = -1,
	    .count = 1,
	    .type = BEACON_LIVE,
	    .wait = WAIT_MS};
	struct beacon_mac *mac = beacon_mac_new();
	int left, status = 0;
	const char *what;

	parse(argc, argv, &options);
	left = argc - optind;
	what = left > 0 ? argv[optind] : "";
	argv += optind + 1;
	if (strcmp(what, "login") == 0 && left == 4)
		login(&options, argv[0], argv[1], argv[2]);
	else if (strcmp(what, "live") == 0 && left == 2)
		status = live(&options, mac, argv[0]);
	else if (strcmp(what, "hold") == 0 && left == 2)
		status = hold(&options, mac, argv[0]);
	else if (strcmp(what, "encode") == 0 && left == 8)
		status = encode(mac, argv);
	else {
		fputs(USAGE, stderr);
		status = EX_USAGE;
	}
	beacon_mac_free(mac);
	return status;
}
