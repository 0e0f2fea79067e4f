/* SPDX-License-Identifier: ISC */
/*
 * What the tests of TLS share: a house of certificates and contexts, made
 * on the spot, and a far end in a thread of its own.
 */
#ifndef UNIT_TLS_PEER_H
#define UNIT_TLS_PEER_H

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <netinet/in.h>
#include <sys/socket.h>

#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>

#include "lib/tls.h"
#include "lib/unix.h"

enum {
	SOON = 5000, /* ms, for what must happen */
	SHORT = 150, /* ms, for what must not */
	SLACK = 1500, /* ms that a busy machine may be late */
	MUCH = 8 << 20,
};

/* Files and contexts that the tests share. */
struct house {
	char dir[64], cert[96], key[96], other[96], noise[96], locked[96];
	X509 *x509;
	SSL_CTX *server, *client;
};

/* The far end, in a thread of its own. */
struct peer {
	pthread_t thread;
	void (*act)(struct peer *peer);
	int fd;
	SSL_CTX *ctx;
	const char *host, *data;
	size_t len, cut;
	bool polite; /* closes with close_notify */
	enum tls_status status;
	char why[TLS_WHY_LEN];
	char pin[TLS_PIN_LEN + 1];
};

static inline int64_t
soon(int64_t ms)
{
	return clock_mono() + ms;
}

/* Ends the test where the test itself cannot go on. */
static inline void
must(bool good, const char *what)
{
	if (!good) {
		printf("Bail out! %s\n", what);
		exit(1);
	}
}

/* A self-signed certificate for localhost and 127.0.0.1. */
static inline X509 *
certificate(EVP_PKEY *key)
{
	X509 *cert = X509_new();
	X509_NAME *name = X509_get_subject_name(cert);
	X509_EXTENSION *alt = X509V3_EXT_conf_nid(
	    NULL, NULL, NID_subject_alt_name, "DNS:localhost,IP:127.0.0.1");

	X509_set_version(cert, X509_VERSION_3);
	ASN1_INTEGER_set(X509_get_serialNumber(cert), 1);
	X509_gmtime_adj(X509_getm_notBefore(cert), -3600);
	X509_gmtime_adj(X509_getm_notAfter(cert), 3600);
	X509_set_pubkey(cert, key);
	X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_ASC,
	    (const unsigned char *)"localhost", -1, -1, 0);
	X509_set_issuer_name(cert, name);
	X509_add_ext(cert, alt, -1);
	X509_EXTENSION_free(alt);
	must(X509_sign(cert, key, EVP_sha256()) > 0, "cannot sign");
	return cert;
}

/* Writes a key, with a passphrase if one is given. */
static inline void
write_key(const char *file, EVP_PKEY *key, const char *pass)
{
	FILE *to = fopen(file, "w");

	must(to != NULL &&
		PEM_write_PKCS8PrivateKey(to, key,
		    pass != NULL ? EVP_aes_128_cbc() : NULL, pass,
		    pass != NULL ? (int)strlen(pass) : 0, NULL, NULL) == 1,
	    "cannot write a key");
	fclose(to);
}

static inline void
write_cert(const char *file, X509 *cert)
{
	FILE *to = fopen(file, "w");

	must(to != NULL && PEM_write_X509(to, cert) == 1,
	    "cannot write a certificate");
	fclose(to);
}

static inline void
write_text(const char *file, const char *text)
{
	FILE *to = fopen(file, "w");

	must(to != NULL && fputs(text, to) >= 0, "cannot write a file");
	fclose(to);
}

/* Makes the files and the contexts. */
static inline void
house_build(struct house *house)
{
	EVP_PKEY *key = EVP_EC_gen("P-256"), *other = EVP_EC_gen("P-256");
	const char *tmp = getenv("TMPDIR");
	char why[TLS_WHY_LEN] = "";

	snprintf(house->dir, sizeof(house->dir), "%.40s/tls-test-XXXXXX",
	    tmp != NULL ? tmp : "/tmp");
	must(mkdtemp(house->dir) != NULL, "cannot make a directory");
	snprintf(house->cert, sizeof(house->cert), "%s/cert", house->dir);
	snprintf(house->key, sizeof(house->key), "%s/key", house->dir);
	snprintf(house->other, sizeof(house->other), "%s/other", house->dir);
	snprintf(house->noise, sizeof(house->noise), "%s/noise", house->dir);
	snprintf(house->locked, sizeof(house->locked), "%s/locked", house->dir);
	house->x509 = certificate(key);
	write_key(house->key, key, NULL);
	write_key(house->other, other, NULL);
	write_key(house->locked, key, "secret");
	write_text(house->noise, "no PEM at all\n");
	write_cert(house->cert, house->x509);
	house->server =
	    tls_server_new(house->cert, house->key, TLS_ALPN_CENTRE, why);
	must(house->server != NULL, why);
	house->client = tls_client_new(TLS_ALPN_CENTRE, why);
	must(house->client != NULL, why);
	EVP_PKEY_free(key);
	EVP_PKEY_free(other);
}

static inline void
house_release(struct house *house)
{
	unlink(house->cert);
	unlink(house->key);
	unlink(house->other);
	unlink(house->noise);
	unlink(house->locked);
	rmdir(house->dir);
	SSL_CTX_free(house->server);
	SSL_CTX_free(house->client);
	X509_free(house->x509);
}

/* A pair of connected TCP sockets, which can be reset, unlike others. */
static inline void
tcp_pair(int pair[2])
{
	struct sockaddr_in addr = {
	    .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	socklen_t len = sizeof(addr);
	int listener = socket(AF_INET, SOCK_STREAM, 0);

	must(listener != -1 &&
		bind(listener, (struct sockaddr *)&addr, len) == 0 &&
		listen(listener, 1) == 0 &&
		getsockname(listener, (struct sockaddr *)&addr, &len) == 0,
	    "cannot listen");
	pair[1] = socket(AF_INET, SOCK_STREAM, 0);
	must(connect(pair[1], (struct sockaddr *)&addr, len) == 0 &&
		(pair[0] = accept(listener, NULL, NULL)) != -1,
	    "cannot connect");
	close(listener);
}

static inline void *
peer_run(void *arg)
{
	struct peer *peer = arg;

	peer->act(peer);
	return NULL;
}

/* Starts the far end; our own descriptor. */
static inline int
peer_start(struct peer *peer, void (*act)(struct peer *peer))
{
	int pair[2];

	tcp_pair(pair);
	peer->fd = pair[1];
	peer->act = act;
	must(pthread_create(&peer->thread, NULL, peer_run, peer) == 0,
	    "cannot start a thread");
	return pair[0];
}

static inline void
peer_join(struct peer *peer)
{
	pthread_join(peer->thread, NULL);
}

/* Remembers how the far end fared, and closes it. */
static inline void
peer_end(struct peer *peer, struct tls_conn *conn, enum tls_status status)
{
	peer->status = status;
	snprintf(peer->why, sizeof(peer->why), "%s", conn->why);
	if (peer->polite) {
		tls_conn_close(conn, 0);
		return;
	}
	if (conn->ssl != NULL)
		SSL_set_quiet_shutdown(conn->ssl, 1);
	tls_conn_close(conn, 0);
}

/* Shakes hands, sends its data in two pieces, ends. */
static inline void
act_send(struct peer *peer)
{
	struct tls_conn conn;
	enum tls_status status;

	must(tls_conn_open(&conn, peer->ctx, peer->fd, false, peer->host) == 0,
	    conn.why);
	status = tls_handshake(&conn, NULL, soon(SOON));
	if (status == TLS_OK)
		tls_peer_pin(conn.ssl, peer->pin);
	if (status == TLS_OK && peer->cut > 0)
		status = tls_write(&conn, peer->data, peer->cut, soon(SOON));
	if (status == TLS_OK)
		status = tls_write(&conn, peer->data + peer->cut,
		    peer->len - peer->cut, soon(SOON));
	peer_end(peer, &conn, status);
}

/* Shakes hands as the server. */
static inline enum tls_status
serve(struct tls_conn *conn, SSL_CTX *ctx, int fd)
{
	must(tls_conn_open(conn, ctx, fd, true, NULL) == 0, conn->why);
	return tls_handshake(conn, TLS_ALPN_CENTRE, soon(SOON));
}

#endif
