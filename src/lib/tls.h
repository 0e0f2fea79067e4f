/* SPDX-License-Identifier: ISC */
/*
 * TLS 1.3 and nothing older (RFC 8446): contexts, one connection that
 * exchanges bounded lines under deadlines, fingerprints.  Blocking calls
 * with a deadline in clock_mono() milliseconds; nothing logs.  Programs
 * that use it ignore SIGPIPE: a peer that went away is TLS_BROKEN.
 */
#ifndef LIB_TLS_H
#define LIB_TLS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <openssl/ssl.h>

#include "lib/line.h"

enum {
	TLS_WHY_LEN = 256,
	TLS_PIN_LEN = 8 + 44, /* "sha256//" and 32 octets in base64 */
};

#define TLS_ALPN_CENTRE "chat/1"
#define TLS_ALPN_PEER "chat-peer/1"

enum tls_status {
	TLS_OK,
	TLS_END, /* the peer closed properly, nothing is left */
	TLS_CUT, /* likewise, in the middle of a line */
	TLS_TIMEOUT, /* the deadline passed */
	TLS_TOO_LONG, /* a line of more than LINE_MAX_LEN */
	TLS_BROKEN, /* reset, alert or a broken record: see why */
};

struct tls_conn {
	SSL *ssl;
	int fd;
	struct line_buf in;
	enum tls_status over; /* what ended the reading, TLS_OK before */
	size_t allowed; /* octets, see tls_conn_allow() */
	char why[TLS_WHY_LEN]; /* a sentence after all but TLS_OK */
};

/*
 * A server's context from PEM files (chain and key).  NULL with a sentence
 * in why.  Requires alpn in the ClientHello, else alert 120 (RFC 7301).
 */
SSL_CTX *tls_server_new(const char *certificate, const char *key,
    const char *alpn, char why[TLS_WHY_LEN]);

/* The same without a key: the caller adds it, or one that signs elsewhere. */
SSL_CTX *tls_server_public(
    const char *certificate, const char *alpn, char why[TLS_WHY_LEN]);

/*
 * A client's context that offers alpn.  It verifies nothing by itself: the
 * caller loads authorities and sets the verify mode, or compares tls_pin().
 */
SSL_CTX *tls_client_new(const char *alpn, char why[TLS_WHY_LEN]);

/*
 * The same for two clients, which both show a certificate of their own
 * making: P-256, and what the other end shows may be by nobody and for any
 * time and name.  Whose key it has is proved by the handshake, and judged by
 * tls_expect() or afterwards with tls_peer_pin().
 */
SSL_CTX *tls_peer_server_new(
    X509 *certificate, EVP_PKEY *key, const char *alpn, char why[TLS_WHY_LEN]);
SSL_CTX *tls_peer_client_new(
    X509 *certificate, EVP_PKEY *key, const char *alpn, char why[TLS_WHY_LEN]);

/* Whose key the other end has to have, and whose it has shown ("": none). */
struct tls_expected {
	char wanted[TLS_PIN_LEN + 1];
	char shown[TLS_PIN_LEN + 1];
};

/*
 * Before the handshake, of a context as above: fails it with an alert if the
 * key is not the wanted one.  The struct is the caller's.
 */
void tls_expect(SSL *ssl, struct tls_expected *expected);

/*
 * One handshake with itself in memory, so that what OpenSSL builds lazily
 * is there before a fork.  -1 with a sentence in why.
 */
int tls_warm(SSL_CTX *server, const char *alpn, char why[TLS_WHY_LEN]);

/*
 * Takes over a connected descriptor: sets it non-blocking and TCP_NODELAY.
 * host (may be NULL, for servers) is sent as SNI if it is a name, and
 * checked against the certificate where the context verifies.
 * -1 with why; the descriptor is closed by tls_conn_close() in any case.
 */
int tls_conn_open(
    struct tls_conn *conn, SSL_CTX *ctx, int fd, bool server, const char *host);

/* The handshake; a client also checks that alpn was agreed. */
enum tls_status tls_handshake(
    struct tls_conn *conn, const char *alpn, int64_t deadline);

/*
 * The next line (see line_take()), read if none is waiting.  A deadline of 0
 * takes what has come and waits for nothing.
 */
enum tls_status tls_read_line(
    struct tls_conn *conn, char **line, size_t *len, int64_t deadline);

enum tls_status tls_write(
    struct tls_conn *conn, const void *data, size_t len, int64_t deadline);

/*
 * Writes what goes out without waiting, from *done on, and moves that.
 * TLS_TIMEOUT: the rest, in the same place, when the descriptor is ready.
 */
enum tls_status tls_write_some(
    struct tls_conn *conn, const void *data, size_t len, size_t *done);

/*
 * For one that is served in a loop with others: reads some so many octets off
 * the descriptor until it is called again, then TLS_TIMEOUT.  A stream of
 * records without an end, or without data, does not hold the loop up.  The
 * struct has to stay in place.
 */
void tls_conn_allow(struct tls_conn *conn, size_t octets);

/* Octets that have been read off the descriptor so far. */
uint64_t tls_conn_read(const struct tls_conn *conn);

/* What the last call that ran into TLS_TIMEOUT waits for: to write? */
bool tls_wants_write(const struct tls_conn *conn);

/*
 * Shuts the sending side down without waiting; what still comes is to be
 * read from fd and thrown away before tls_conn_close().
 */
void tls_conn_shut(struct tls_conn *conn);

/*
 * Octets that only the two ends of this connection know (RFC 8446, 7.5):
 * the same for the same label and context.  -1 with why.
 */
int tls_export(struct tls_conn *conn, const char *label, const void *context,
    size_t context_len, void *out, size_t len);

/*
 * Shuts the sending side down, reads and discards for at most linger ms
 * (so that a reply is not lost to a reset), closes, frees.  0 closes at
 * once.  Safe on a conn that failed to open; twice does no harm.
 */
void tls_conn_close(struct tls_conn *conn, int linger);

/*
 * Likewise, but frees nothing: for a process that ends then, whose memory
 * the system clears away in one go.
 */
void tls_conn_leave(struct tls_conn *conn, int linger);

/* "sha256//…" of the peer's public key (SPKI, RFC 7469); -1 if none. */
int tls_peer_pin(SSL *ssl, char out[TLS_PIN_LEN + 1]);

/* The same of a certificate. */
int tls_pin(const X509 *cert, char out[TLS_PIN_LEN + 1]);

/* The same of a key's public half. */
int tls_key_pin(const EVP_PKEY *key, char out[TLS_PIN_LEN + 1]);

/* The newest reason in OpenSSL's queue as a sentence; empties the queue. */
void tls_reason(char why[TLS_WHY_LEN], const char *what);

#endif
