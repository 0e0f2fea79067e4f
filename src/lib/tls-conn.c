/* SPDX-License-Identifier: ISC */
/*
 * One TLS connection that exchanges bounded lines under deadlines.  Workers
 * and clients run it.  It must never log, wait without a deadline, or go on
 * with a peer that did not agree on the protocol.
 */
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

#include <openssl/err.h>
#include <openssl/x509v3.h>

#include "lib/tls.h"
#include "lib/unix.h"

/* Says which host is meant: to the peer if it is a name, to the check. */
static bool
set_host(SSL *ssl, const char *host)
{
	unsigned char addr[sizeof(struct in6_addr)];

	if (inet_pton(AF_INET, host, addr) == 1 ||
	    inet_pton(AF_INET6, host, addr) == 1)
		return X509_VERIFY_PARAM_set1_ip_asc(
			   SSL_get0_param(ssl), host) == 1;
	SSL_set_hostflags(ssl, X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS);
	return SSL_set_tlsext_host_name(ssl, host) == 1 &&
	    SSL_set1_host(ssl, host) == 1;
}

int
tls_conn_open(
    struct tls_conn *conn, SSL_CTX *ctx, int fd, bool server, const char *host)
{
	int one = 1;

	memset(conn, 0, sizeof(*conn));
	conn->fd = fd;
	if (fd_nonblock(fd, true) == -1) {
		snprintf(conn->why, sizeof(conn->why),
		    "cannot use the descriptor: %s", strerror(errno));
		return -1;
	}
	/* fails on what is not TCP, where nothing delays either */
	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
	ERR_clear_error();
	if ((conn->ssl = SSL_new(ctx)) == NULL ||
	    SSL_set_fd(conn->ssl, fd) != 1 ||
	    (host != NULL && !set_host(conn->ssl, host))) {
		tls_reason(conn->why, "cannot start TLS");
		return -1;
	}
	if (server)
		SSL_set_accept_state(conn->ssl);
	else
		SSL_set_connect_state(conn->ssl);
	return 0;
}

/* Leaves a sentence behind and passes the status on. */
static enum tls_status
say(struct tls_conn *conn, enum tls_status status, const char *why)
{
	snprintf(conn->why, sizeof(conn->why), "%s", why);
	return status;
}

/* Waits until the descriptor is ready or the deadline has passed. */
static enum tls_status
wait_ready(struct tls_conn *conn, short events, int64_t deadline)
{
	for (;;) {
		struct pollfd pfd = {.fd = conn->fd, .events = events};
		int64_t left = deadline - clock_mono();
		int n;

		if (left <= 0)
			return say(conn, TLS_TIMEOUT, "the deadline passed");
		n = poll(&pfd, 1, left > 3600000 ? 3600000 : (int)left);
		if (n > 0)
			return TLS_OK;
		if (n == -1 && errno != EINTR)
			return say(conn, TLS_BROKEN, strerror(errno));
	}
}

/* Tells why the certificate was refused, which the queue does not say. */
static enum tls_status
verify_sentence(struct tls_conn *conn)
{
	long result = SSL_get_verify_result(conn->ssl);

	ERR_clear_error();
	snprintf(conn->why, sizeof(conn->why),
	    "the peer's certificate is not trusted: %s",
	    X509_verify_cert_error_string(result));
	return TLS_BROKEN;
}

/*
 * What OpenSSL's code for a call, with its errno, means: TLS_OK to call it
 * again, since the descriptor was waited for.
 */
static enum tls_status
judge(struct tls_conn *conn, int code, int error, int64_t deadline)
{
	switch (code) {
	case SSL_ERROR_WANT_READ:
		return wait_ready(conn, POLLIN, deadline);
	case SSL_ERROR_WANT_WRITE:
		return wait_ready(conn, POLLOUT, deadline);
	case SSL_ERROR_ZERO_RETURN:
		return say(conn, TLS_END, "the peer closed the connection");
	case SSL_ERROR_SYSCALL:
		if (ERR_peek_error() == 0 && error != 0)
			return say(conn, TLS_BROKEN, strerror(error));
		break;
	default:
		if (ERR_GET_REASON(ERR_peek_last_error()) ==
		    SSL_R_CERTIFICATE_VERIFY_FAILED)
			return verify_sentence(conn);
		break;
	}
	tls_reason(conn->why, NULL);
	return TLS_BROKEN;
}

/* True if the handshake agreed on that protocol. */
static bool
alpn_agreed(SSL *ssl, const char *alpn)
{
	const unsigned char *got;
	unsigned len;

	SSL_get0_alpn_selected(ssl, &got, &len);
	return got != NULL && len == strlen(alpn) &&
	    memcmp(got, alpn, len) == 0;
}

enum tls_status
tls_handshake(struct tls_conn *conn, const char *alpn, int64_t deadline)
{
	for (;;) {
		enum tls_status status;
		int ret;

		ERR_clear_error();
		errno = 0;
		if ((ret = SSL_do_handshake(conn->ssl)) == 1)
			break;
		status =
		    judge(conn, SSL_get_error(conn->ssl, ret), errno, deadline);
		if (status == TLS_END &&
		    BIO_number_read(SSL_get_rbio(conn->ssl)) > 0)
			return say(conn, TLS_CUT,
			    "the peer closed the connection in the handshake");
		if (status != TLS_OK)
			return status;
	}
	if (alpn != NULL && !alpn_agreed(conn->ssl, alpn))
		return say(conn, TLS_BROKEN,
		    "the peer did not agree on our protocol (ALPN)");
	return TLS_OK;
}

/* Reads once into the buffer; OpenSSL's code for how it went. */
static int
read_once(struct tls_conn *conn, int *error)
{
	size_t room, len;
	char *at = line_room(&conn->in, &room);
	int ret;

	ERR_clear_error();
	if (at == NULL) {
		*error = ENOMEM;
		return SSL_ERROR_SYSCALL;
	}
	errno = 0;
	ret = SSL_read_ex(conn->ssl, at, room, &len);
	*error = errno;
	if (ret != 1)
		return SSL_get_error(conn->ssl, ret);
	line_added(&conn->in, len);
	return SSL_ERROR_NONE;
}

/*
 * Takes what OpenSSL has already read off the socket, so that lines sent in
 * a row are seen as waiting.  What goes wrong is kept until they are served.
 */
static void
drain(struct tls_conn *conn)
{
	while (SSL_has_pending(conn->ssl) && conn->in.len < LINE_MAX_LEN) {
		int error, code = read_once(conn, &error);

		if (code == SSL_ERROR_WANT_READ || code == SSL_ERROR_WANT_WRITE)
			return;
		if (code != SSL_ERROR_NONE) {
			conn->over = judge(conn, code, error, 0);
			return;
		}
	}
}

/* Reads at least one octet into the buffer. */
static enum tls_status
fill(struct tls_conn *conn, int64_t deadline)
{
	enum tls_status status;

	/* A peer that has been answered has rarely asked again already. */
	if (deadline != 0 && !SSL_has_pending(conn->ssl)) {
		status = wait_ready(conn, POLLIN, deadline);
		if (status != TLS_OK)
			return status;
	}
	for (;;) {
		int error, code = read_once(conn, &error);

		if (code == SSL_ERROR_NONE) {
			drain(conn);
			return TLS_OK;
		}
		status = judge(conn, code, error, deadline);
		if (status != TLS_OK)
			return status;
	}
}

enum tls_status
tls_read_line(struct tls_conn *conn, char **line, size_t *len, int64_t deadline)
{
	for (;;) {
		enum tls_status status;

		switch (line_take(&conn->in, line, len)) {
		case LINE_READY:
			return TLS_OK;
		case LINE_TOO_LONG:
			return say(conn, TLS_TOO_LONG, "the line is too long");
		case LINE_NONE:
			break;
		}
		if (conn->over == TLS_OK) {
			status = fill(conn, deadline);
			if (status == TLS_OK)
				continue;
			if (status == TLS_TIMEOUT)
				return status;
			conn->over = status;
		}
		if (conn->over == TLS_END && conn->in.len > 0)
			return say(conn, TLS_CUT,
			    "the peer closed in the middle of a line");
		return conn->over;
	}
}

/* Writes everything from *done on before the deadline, and moves that. */
static enum tls_status
write_from(struct tls_conn *conn, const char *data, size_t len, size_t *done,
    int64_t deadline)
{
	while (*done < len) {
		enum tls_status status;
		size_t put;
		int ret;

		ERR_clear_error();
		errno = 0;
		ret = SSL_write_ex(conn->ssl, data + *done, len - *done, &put);
		if (ret == 1) {
			*done += put;
			continue;
		}
		status =
		    judge(conn, SSL_get_error(conn->ssl, ret), errno, deadline);
		if (status != TLS_OK)
			return status;
	}
	return TLS_OK;
}

enum tls_status
tls_write(struct tls_conn *conn, const void *data, size_t len, int64_t deadline)
{
	size_t done = 0;

	return write_from(conn, data, len, &done, deadline);
}

enum tls_status
tls_write_some(
    struct tls_conn *conn, const void *data, size_t len, size_t *done)
{
	return write_from(conn, data, len, done, 0);
}

/* Before and after each read of the descriptor: is there any allowance? */
static long
count_read(BIO *bio, int oper, const char *data, size_t len, int argi,
    long argl, int ret, size_t *processed)
{
	struct tls_conn *conn = (struct tls_conn *)BIO_get_callback_arg(bio);

	(void)data;
	(void)len;
	(void)argi;
	(void)argl;
	if (oper == BIO_CB_READ && conn->allowed == 0) {
		/* As if there were nothing yet. */
		BIO_clear_retry_flags(bio);
		BIO_set_retry_read(bio);
		return -1;
	}
	if (oper == (BIO_CB_READ | BIO_CB_RETURN) && ret > 0)
		conn->allowed -=
		    *processed < conn->allowed ? *processed : conn->allowed;
	return ret;
}

void
tls_conn_allow(struct tls_conn *conn, size_t octets)
{
	BIO *bio = SSL_get_rbio(conn->ssl);

	conn->allowed = octets;
	BIO_set_callback_arg(bio, (char *)conn);
	BIO_set_callback_ex(bio, count_read);
}

uint64_t
tls_conn_read(const struct tls_conn *conn)
{
	return BIO_number_read(SSL_get_rbio(conn->ssl));
}

bool
tls_wants_write(const struct tls_conn *conn)
{
	return SSL_want_write(conn->ssl);
}

int
tls_export(struct tls_conn *conn, const char *label, const void *context,
    size_t context_len, void *out, size_t len)
{
	ERR_clear_error();
	if (SSL_export_keying_material(conn->ssl, out, len, label,
		strlen(label), context, context_len, 1) == 1)
		return 0;
	tls_reason(conn->why, "cannot export a key");
	return -1;
}

/* Throws away what still comes, until the end or for that long. */
static void
discard(int fd, int linger)
{
	int64_t until = clock_mono() + linger;
	char waste[16384];

	for (;;) {
		struct pollfd pfd = {.fd = fd, .events = POLLIN};
		int64_t left = until - clock_mono();
		ssize_t n;

		if (left <= 0)
			return;
		if (poll(&pfd, 1, (int)left) == -1 && errno != EINTR)
			return;
		n = read(fd, waste, sizeof(waste));
		if (n == 0 || (n == -1 && errno != EAGAIN && errno != EINTR))
			return;
	}
}

/* Says that nothing more comes, as far as TLS can still say it. */
static void
say_end(struct tls_conn *conn)
{
	if (conn->ssl == NULL)
		return;
	ERR_clear_error();
	if (SSL_is_init_finished(conn->ssl) && conn->over != TLS_BROKEN)
		SSL_shutdown(conn->ssl);
	ERR_clear_error();
}

void
tls_conn_shut(struct tls_conn *conn)
{
	say_end(conn);
	shutdown(conn->fd, SHUT_WR);
	/* closing must not read what is thrown away as if it were TLS */
	conn->over = TLS_BROKEN;
}

void
tls_conn_leave(struct tls_conn *conn, int linger)
{
	say_end(conn);
	if (conn->fd == -1)
		return;
	if (linger > 0 && shutdown(conn->fd, SHUT_WR) == 0)
		discard(conn->fd, linger);
	close(conn->fd);
	conn->fd = -1;
}

void
tls_conn_close(struct tls_conn *conn, int linger)
{
	tls_conn_leave(conn, linger);
	SSL_free(conn->ssl);
	line_release(&conn->in);
	conn->ssl = NULL;
}
