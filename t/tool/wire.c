/* SPDX-License-Identifier: ISC */
/*
 * The test suite's raw client of the protocol: sends lines, or what is no
 * line at all, and prints what comes back.  A program of its own that the
 * tests run.  It must never repair, check or understand what it is given.
 */
#include <errno.h>
#include <getopt.h>
#include <limits.h>
#include <netdb.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

#include <openssl/err.h>

#include "lib/tls.h"
#include "lib/unix.h"

#define PORT_DEFAULT "2428"
#define USAGE                                                                  \
	"usage: wire [-a HOST:PORT] [OPTIONS] < LINES\n"                       \
	"  -a, --address HOST:PORT  where to (127.0.0.1:2428)\n"               \
	"      --source ADDRESS     from which local address\n"                \
	"      --one                each line only after the last one's "      \
	"reply\n"                                                              \
	"      --raw                send the input as it is, add no newline\n" \
	"      --split              each byte in a record of its own\n"        \
	"      --split-at N         the first N bytes in a record of their "   \
	"own\n"                                                                \
	"      --cut N              send N bytes, close without "              \
	"close_notify\n"                                                       \
	"      --cut-clean N        send N bytes, then close_notify\n"         \
	"      --hold               do not half close; wait for the end\n"     \
	"      --silent SECONDS     say nothing; print when the end came\n"    \
	"      --count              print only how many replies came\n"        \
	"      --timeout SECONDS    for all of it (20)\n"                      \
	"      --ca FILE            verify the certificate with this one\n"    \
	"      --pin sha256//...    verify the public key\n"                   \
	"      --alpn NAME          instead of " TLS_ALPN_CENTRE "\n"          \
	"      --no-alpn            offer no protocol\n"                       \
	"      --tls12              offer TLS 1.2 only\n"                      \
	"      --gate FILE          after the handshake add a line to "        \
	"FILE.met"                                                             \
	",\n                           and wait until there is a FILE\n"       \
	"      --plain              no TLS at all\n"                           \
	"exit status: 0 done, 1 fewer replies than lines, 2 handshake "        \
	"refused,\n"                                                           \
	"  3 timeout, 64 usage, 69 could not connect\n"

enum {
	EXIT_SHORT = 1,
	EXIT_REFUSED = 2,
	EXIT_TIMEOUT = 3,
	WAIT_DEFAULT = 20, /* seconds */
	WAIT_MAX = 3600,
	GATE_MS = 20, /* between two looks */
	INPUT_STEP = 1 << 20,
	INPUT_MAX = 64 << 20,
	ADDRESS_MAX = 300, /* a name, brackets, a port */
};

struct options {
	const char *address, *source, *ca, *pin, *alpn, *gate;
	bool one, raw, split, hold, count, no_alpn, tls12, plain, help;
	long cut, cut_clean; /* octets; -1: send all */
	long split_at; /* octets; 0: nowhere */
	long silent; /* seconds; -1: speak */
	long timeout;
};

/* One exchange. */
struct exchange {
	const struct options *options;
	struct tls_conn conn; /* its ssl is NULL for --plain */
	int fd;
	int64_t start, deadline;
	const char *data; /* what is sent */
	size_t len, sent;
	size_t lines, asked, replies; /* lines in all, lines sent */
	bool closed; /* we have half closed */
	short wait; /* what poll() waits for beside input */
};

/* How one step of reading or writing went. */
enum step { STEP_DONE, STEP_WAIT, STEP_END };

/* Says what is wrong and gives the exit status. */
static int
complain(int status, const char *what, const char *why)
{
	fprintf(stderr, "wire: %s: %s\n", what, why);
	return status;
}

/* A number of an option, or usage. */
static long
number(const char *text, long max)
{
	char *end;
	long value;

	errno = 0;
	value = strtol(text, &end, 10);
	if (errno != 0 || end == text || *end != '\0' || value < 0 ||
	    value > max)
		exit(complain(EX_USAGE, text, "not a number in range"));
	return value;
}

/* An option: what it takes and where that goes. */
enum kind { KIND_FLAG, KIND_TEXT, KIND_NUMBER };

struct row {
	const char *name;
	enum kind kind;
	size_t offset;
	long max;
};

#define AT(field) offsetof(struct options, field)
static const struct row rows[] = {
    {"address", KIND_TEXT, AT(address), 0},
    {"source", KIND_TEXT, AT(source), 0},
    {"ca", KIND_TEXT, AT(ca), 0},
    {"pin", KIND_TEXT, AT(pin), 0},
    {"alpn", KIND_TEXT, AT(alpn), 0},
    {"gate", KIND_TEXT, AT(gate), 0},
    {"one", KIND_FLAG, AT(one), 0},
    {"raw", KIND_FLAG, AT(raw), 0},
    {"split", KIND_FLAG, AT(split), 0},
    {"hold", KIND_FLAG, AT(hold), 0},
    {"count", KIND_FLAG, AT(count), 0},
    {"no-alpn", KIND_FLAG, AT(no_alpn), 0},
    {"tls12", KIND_FLAG, AT(tls12), 0},
    {"plain", KIND_FLAG, AT(plain), 0},
    {"help", KIND_FLAG, AT(help), 0},
    {"split-at", KIND_NUMBER, AT(split_at), INPUT_MAX},
    {"cut", KIND_NUMBER, AT(cut), INPUT_MAX},
    {"cut-clean", KIND_NUMBER, AT(cut_clean), INPUT_MAX},
    {"silent", KIND_NUMBER, AT(silent), WAIT_MAX},
    {"timeout", KIND_NUMBER, AT(timeout), WAIT_MAX},
};
#undef AT

enum { ROW_COUNT = sizeof(rows) / sizeof(rows[0]) };

/* Takes one option's value. */
static void
take_option(struct options *options, const struct row *row, const char *value)
{
	void *at = (char *)options + row->offset;

	switch (row->kind) {
	case KIND_FLAG:
		*(bool *)at = true;
		break;
	case KIND_TEXT:
		*(const char **)at = value;
		break;
	case KIND_NUMBER:
		*(long *)at = number(value, row->max);
		break;
	}
}

/* Fills the options from the command line. */
static void
parse(int argc, char **argv, struct options *options)
{
	struct option names[ROW_COUNT + 1] = {0};
	int option, index;

	for (int i = 0; i < ROW_COUNT; i++) {
		names[i].name = rows[i].name;
		names[i].has_arg = rows[i].kind != KIND_FLAG;
	}
	while ((option = getopt_long(argc, argv, "a:h", names, &index)) != -1) {
		if (option == 0)
			take_option(options, &rows[index], optarg);
		else if (option == 'a')
			options->address = optarg;
		else if (option == 'h')
			options->help = true;
		if (option == '?' || options->help)
			break;
	}
	if (options->help) {
		fputs(USAGE, stdout);
		exit(EX_OK);
	}
	if (option == '?' || optind != argc) {
		fputs(USAGE, stderr);
		exit(EX_USAGE);
	}
}

/*
 * Cuts "HOST:PORT", "[HOST]:PORT" or "HOST" in two; both point into copy,
 * of which the caller keeps size octets.
 */
static void
cut_address(const char *address, char *copy, size_t size, const char **host,
    const char **port)
{
	char *colon, *close;

	if (strlen(address) >= size)
		exit(complain(EX_USAGE, address, "too long"));
	strcpy(copy, address);
	*host = copy;
	*port = PORT_DEFAULT;
	if (copy[0] == '[' && (close = strchr(copy, ']')) != NULL) {
		*close = '\0';
		*host = copy + 1;
		if (close[1] == ':')
			*port = close + 2;
	} else if ((colon = strrchr(copy, ':')) != NULL) {
		*colon = '\0';
		*port = colon + 1;
	}
}

/* Gives the socket the local address that was asked for; -1 with errno. */
static int
bind_source(int fd, const char *source, int family)
{
	struct addrinfo hints = {.ai_flags = AI_NUMERICHOST,
	    .ai_family = family,
	    .ai_socktype = SOCK_STREAM};
	struct addrinfo *local;
	int ret;

	if (source == NULL)
		return 0;
	if (getaddrinfo(source, NULL, &hints, &local) != 0) {
		errno = EADDRNOTAVAIL;
		return -1;
	}
	ret = bind(fd, local->ai_addr, local->ai_addrlen);
	freeaddrinfo(local);
	return ret;
}

/* Connects to one address before the deadline; -1 with errno. */
static int
connect_one(const struct addrinfo *to, const char *source, int64_t deadline)
{
	int fd = socket(to->ai_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
	struct pollfd pfd = {.fd = fd, .events = POLLOUT};
	socklen_t len = sizeof(errno);
	int one = 1, error = 0;

	if (fd == -1)
		return -1;
	if (bind_source(fd, source, to->ai_family) == -1 ||
	    fd_nonblock(fd, true) == -1)
		error = errno;
	else if (connect(fd, to->ai_addr, to->ai_addrlen) == -1) {
		int64_t left = deadline - clock_mono();

		if (errno != EINPROGRESS)
			error = errno;
		else if (poll(&pfd, 1, left > 0 ? (int)left : 0) < 1)
			error = ETIMEDOUT;
		else
			getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &len);
	}
	if (error != 0) {
		close(fd);
		errno = error;
		return -1;
	}
	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
	return fd;
}

/* Connects to the first address that answers, or ends the program. */
static int
connect_any(const struct options *options, const char *host, const char *port,
    int64_t deadline)
{
	struct addrinfo hints = {.ai_socktype = SOCK_STREAM};
	struct addrinfo *list;
	int error = getaddrinfo(host, port, &hints, &list), fd = -1;

	if (error != 0)
		exit(complain(
		    EX_UNAVAILABLE, options->address, gai_strerror(error)));
	for (struct addrinfo *to = list; to != NULL && fd == -1;
	     to = to->ai_next)
		fd = connect_one(to, options->source, deadline);
	freeaddrinfo(list);
	if (fd == -1)
		exit(complain(
		    EX_UNAVAILABLE, options->address, strerror(errno)));
	return fd;
}

/* A context as the options want it. */
static SSL_CTX *
context(const struct options *options)
{
	char why[TLS_WHY_LEN];
	SSL_CTX *ctx = tls_client_new(options->alpn, why);

	if (ctx == NULL)
		exit(complain(EX_USAGE, "TLS", why));
	if (options->no_alpn)
		SSL_CTX_set_alpn_protos(ctx, NULL, 0);
	if (options->tls12) {
		SSL_CTX_set_min_proto_version(ctx, TLS1_2_VERSION);
		SSL_CTX_set_max_proto_version(ctx, TLS1_2_VERSION);
	}
	if (options->ca != NULL) {
		if (SSL_CTX_load_verify_file(ctx, options->ca) != 1) {
			tls_reason(why, options->ca);
			exit(complain(EX_USAGE, "TLS", why));
		}
		SSL_CTX_set_verify(ctx, SSL_VERIFY_PEER, NULL);
	}
	return ctx;
}

/* Shakes hands and compares the pin; the exit status if that fails. */
static int
shake(struct exchange *x, const char *host)
{
	const char *pin = x->options->pin;
	SSL_CTX *ctx = context(x->options);
	char got[TLS_PIN_LEN + 1];
	int opened = tls_conn_open(&x->conn, ctx, x->fd, false, host);
	enum tls_status status;

	SSL_CTX_free(ctx);
	if (opened == -1)
		return complain(EXIT_REFUSED, "TLS", x->conn.why);
	status = tls_handshake(&x->conn, NULL, x->deadline);
	if (status != TLS_OK)
		return complain(
		    status == TLS_TIMEOUT ? EXIT_TIMEOUT : EXIT_REFUSED,
		    "handshake refused", x->conn.why);
	if (pin != NULL &&
	    (tls_peer_pin(x->conn.ssl, got) == -1 || strcmp(pin, got) != 0))
		return complain(
		    EXIT_REFUSED, "handshake refused", "another public key");
	return 0;
}

/* What OpenSSL's answer means for the loop. */
static enum step
tls_step(struct exchange *x, int ret)
{
	switch (SSL_get_error(x->conn.ssl, ret)) {
	case SSL_ERROR_WANT_READ:
		return STEP_WAIT;
	case SSL_ERROR_WANT_WRITE:
		x->wait |= POLLOUT;
		return STEP_WAIT;
	case SSL_ERROR_ZERO_RETURN:
		return STEP_END;
	default:
		if (ERR_peek_error() == 0)
			complain(0, "the connection broke", strerror(errno));
		else {
			tls_reason(x->conn.why, NULL);
			complain(0, "the connection broke", x->conn.why);
		}
		return STEP_END;
	}
}

/* The same of a system call. */
static enum step
plain_step(ssize_t n, const char *what)
{
	if (n > 0)
		return STEP_DONE;
	if (n == -1 && (errno == EAGAIN || errno == EINTR))
		return STEP_WAIT;
	if (n == -1)
		complain(0, what, strerror(errno));
	return STEP_END;
}

/* Reads what is there. */
static enum step
step_read(struct exchange *x, char *buf, size_t size, size_t *len)
{
	ssize_t n;
	int ret;

	if (x->conn.ssl == NULL) {
		n = recv(x->fd, buf, size, 0);
		*len = n > 0 ? (size_t)n : 0;
		return plain_step(n, "read");
	}
	ERR_clear_error();
	ret = SSL_read_ex(x->conn.ssl, buf, size, len);
	return ret == 1 ? STEP_DONE : tls_step(x, ret);
}

/* That many octets of the input are on their way. */
static void
sent(struct exchange *x, size_t len)
{
	while (len-- > 0)
		x->asked += x->data[x->sent++] == '\n';
}

/* Sends a piece of the input, which may be taken in part. */
static enum step
step_write(struct exchange *x, size_t len)
{
	const char *at = x->data + x->sent;
	enum step step;
	size_t done;
	ssize_t n;
	int ret;

	if (x->conn.ssl == NULL) {
		n = send(x->fd, at, len, MSG_NOSIGNAL);
		step = plain_step(n, "write");
		if (step == STEP_DONE)
			sent(x, (size_t)n);
		else if (step == STEP_WAIT)
			x->wait |= POLLOUT;
		return step;
	}
	ERR_clear_error();
	if ((ret = SSL_write_ex(x->conn.ssl, at, len, &done)) != 1)
		return tls_step(x, ret);
	sent(x, done);
	return STEP_DONE;
}

/* Ends the sending side, properly. */
static void
half_close(struct exchange *x)
{
	int ret;

	x->closed = true;
	if (x->conn.ssl == NULL) {
		shutdown(x->fd, SHUT_WR);
		return;
	}
	ERR_clear_error();
	ret = SSL_shutdown(x->conn.ssl);
	if (ret < 0 &&
	    SSL_get_error(x->conn.ssl, ret) == SSL_ERROR_WANT_WRITE) {
		x->closed = false;
		x->wait |= POLLOUT;
	}
	ERR_clear_error();
}

/* Prints and counts what came. */
static void
show(struct exchange *x, const char *data, size_t len)
{
	for (size_t i = 0; i < len; i++)
		x->replies += data[i] == '\n';
	if (!x->options->count) {
		fwrite(data, 1, len, stdout);
		fflush(stdout);
	}
}

/* How much of the input may be sent at once just now. */
static size_t
piece(const struct exchange *x)
{
	const char *at = x->data + x->sent, *newline;
	size_t left = x->len - x->sent;

	if (left == 0 || (x->options->one && x->asked > x->replies))
		return 0;
	if (x->options->split)
		return 1;
	if ((size_t)x->options->split_at > x->sent &&
	    (size_t)x->options->split_at < x->len)
		return (size_t)x->options->split_at - x->sent;
	if (x->options->one && (newline = memchr(at, '\n', left)) != NULL)
		return (size_t)(newline - at) + 1;
	return left;
}

/* Reads until nothing is there; false at the end. */
static bool
read_all(struct exchange *x)
{
	char buf[16384];
	enum step step;
	size_t len;

	while ((step = step_read(x, buf, sizeof(buf), &len)) == STEP_DONE)
		if (x->options->silent == -1)
			show(x, buf, len);
	return step != STEP_END;
}

/* Sends until that would block, and then ends that side. */
static void
write_all(struct exchange *x)
{
	enum step step = STEP_DONE;
	size_t len;

	while (step == STEP_DONE && (len = piece(x)) > 0)
		step = step_write(x, len);
	if (step == STEP_END)
		x->sent = x->len; /* what was said before may still be read */
	if (x->sent == x->len && !x->closed && !x->options->hold &&
	    x->options->cut == -1)
		half_close(x);
}

/* Waits for the descriptor; false when the time is up. */
static bool
wait_ready(const struct exchange *x)
{
	struct pollfd pfd = {.fd = x->fd, .events = POLLIN | x->wait};
	int64_t left = x->deadline - clock_mono();

	if (left <= 0)
		return false;
	return poll(&pfd, 1, (int)left) != 0 || clock_mono() < x->deadline;
}

/* Sends and reads until the other end closes; the exit status. */
static int
talk(struct exchange *x)
{
	const struct options *o = x->options;

	for (;;) {
		x->wait = 0;
		if (!read_all(x))
			break;
		if (o->silent == -1)
			write_all(x);
		if (o->cut != -1 && x->sent == x->len)
			return EX_OK;
		if (!wait_ready(x))
			return complain(EXIT_TIMEOUT, "timeout",
			    "the other end did not close");
	}
	return o->cut_clean == -1 && x->replies < x->lines ? EXIT_SHORT : EX_OK;
}

/* Reads the whole of standard input, with a newline at the end unless raw. */
static void
read_input(struct exchange *x)
{
	size_t size = 0, n;
	char *data = NULL;

	do {
		char *bigger = realloc(data, size + INPUT_STEP);

		if (bigger == NULL || size > INPUT_MAX)
			exit(complain(EX_USAGE, "input", "too long"));
		data = bigger;
		size += INPUT_STEP;
		/* one octet stays free for the newline */
		n = fread(data + x->len, 1, size - x->len - 1, stdin);
		x->len += n;
	} while (x->len == size - 1);
	if (!x->options->raw && x->len > 0 && data[x->len - 1] != '\n')
		data[x->len++] = '\n';
	x->data = data;
}

/* Cuts the input as the options say and counts the replies to expect. */
static void
cut_input(struct exchange *x)
{
	long cut =
	    x->options->cut != -1 ? x->options->cut : x->options->cut_clean;

	if (cut != -1 && (size_t)cut < x->len)
		x->len = (size_t)cut;
	for (size_t i = 0; i < x->len; i++)
		x->lines += x->data[i] == '\n';
}

/* Says that we have shaken hands, and waits to be let in. */
static void
wait_at_gate(const struct exchange *x)
{
	const char *gate = x->options->gate;
	char met[PATH_MAX];
	FILE *file;

	snprintf(met, sizeof(met), "%s.met", gate);
	if ((file = fopen(met, "a")) == NULL || fputs("met\n", file) == EOF ||
	    fclose(file) == EOF)
		exit(complain(EX_USAGE, met, strerror(errno)));
	while (access(gate, F_OK) == -1 && clock_mono() < x->deadline)
		poll(NULL, 0, GATE_MS);
}

/* Closes without a word of TLS where that was asked for. */
static void
finish(struct exchange *x)
{
	if (x->conn.ssl != NULL && x->options->cut != -1)
		SSL_set_quiet_shutdown(x->conn.ssl, 1);
	if (x->conn.ssl != NULL)
		tls_conn_close(&x->conn, 0);
	else
		close(x->fd);
	free((char *)x->data);
}

int
main(int argc, char **argv)
{
	struct options options = {.address = "127.0.0.1:" PORT_DEFAULT,
	    .alpn = TLS_ALPN_CENTRE,
	    .cut = -1,
	    .cut_clean = -1,
	    .silent = -1,
	    .timeout = WAIT_DEFAULT};
	struct exchange x = {.options = &options};
	char copy[ADDRESS_MAX];
	const char *host, *port;
	int status = 0;

	signal(SIGPIPE, SIG_IGN);
	parse(argc, argv, &options);
	cut_address(options.address, copy, sizeof(copy), &host, &port);
	if (options.silent == -1)
		read_input(&x);
	cut_input(&x);
	x.start = clock_mono();
	x.deadline = x.start +
	    (options.silent != -1 ? options.silent : options.timeout) * 1000;
	x.fd = connect_any(&options, host, port, x.deadline);
	if (!options.plain)
		status = shake(&x, host);
	if (status == 0 && options.gate != NULL)
		wait_at_gate(&x);
	if (status == 0)
		status = talk(&x);
	if (options.silent != -1 && status == 0)
		printf("%.3f\n", (double)(clock_mono() - x.start) / 1000);
	if (options.count)
		printf("%zu\n", x.replies);
	finish(&x);
	return status;
}
