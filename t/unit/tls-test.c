/* SPDX-License-Identifier: ISC */
/*
 * Contexts, handshakes that are refused, fingerprints, hosts: what TLS must
 * not let pass, and in which words it says so.
 */
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/sha.h>

#include "tap.h"
#include "tls-peer.h"

/* Sends its data as it is and waits for the end. */
static void
act_plain(struct peer *peer)
{
	char waste[256];

	fd_write_all(peer->fd, peer->data, peer->len);
	shutdown(peer->fd, SHUT_WR);
	while (read(peer->fd, waste, sizeof(waste)) > 0)
		;
	close(peer->fd);
}

/* A server that knows no ALPN: the client must not go on. */
static void
act_strange_server(struct peer *peer)
{
	struct tls_conn conn;

	must(tls_conn_open(&conn, peer->ctx, peer->fd, true, NULL) == 0,
	    conn.why);
	peer_end(peer, &conn, tls_handshake(&conn, NULL, soon(SOON)));
}

/* What tls_server_new() says about two files. */
static void
says(const char *certificate_file, const char *key_file, const char *alpn,
    const char *want, const char *name)
{
	char why[TLS_WHY_LEN] = "";
	SSL_CTX *ctx = tls_server_new(certificate_file, key_file, alpn, why);

	ok(ctx == NULL && strstr(why, want) != NULL, "%s: %s", name, why);
	SSL_CTX_free(ctx);
}

static void
test_contexts(struct house *house)
{
	char why[TLS_WHY_LEN] = "";

	says("/nonexistent", house->key, "x", "No such file", "no certificate");
	says(house->noise, house->key, "x", "no such PEM", "noise for one");
	says(house->cert, "/nonexistent", "x", "No such file", "no key");
	says(house->cert, house->noise, "x", "no such PEM", "noise for a key");
	says(house->cert, house->other, "x", "does not belong", "another key");
	says(house->cert, house->locked, "x", "passphrase", "a locked key");
	says(house->cert, house->key, "", "TLS", "no protocol");
	ok(SSL_CTX_get_num_tickets(house->server) == 0 &&
		SSL_CTX_get_max_early_data(house->server) == 0,
	    "no tickets, no early data");
	ok(tls_warm(house->server, TLS_ALPN_CENTRE, why) == 0,
	    "a handshake with itself %s", why);
	ok(tls_warm(house->server, "other/1", why) == -1 && why[0] != '\0',
	    "none with another protocol: %s", why);
	ok(ERR_peek_error() == 0, "no error is left in the queue");
}

/* A client's context that the server must refuse: how both see it. */
static void
refuses(struct house *house, SSL_CTX *client, const char *server_says,
    const char *client_says, const char *name)
{
	struct peer peer = {.ctx = client, .data = "", .polite = true};
	struct tls_conn conn;
	enum tls_status status =
	    serve(&conn, house->server, peer_start(&peer, act_send));

	ok(status == TLS_BROKEN && strstr(conn.why, server_says) != NULL,
	    "%s, the server: %s", name, conn.why);
	tls_conn_close(&conn, SHORT);
	peer_join(&peer);
	ok(peer.status == TLS_BROKEN && strstr(peer.why, client_says) != NULL,
	    "%s, the client: %s", name, peer.why);
}

static void
test_refusals(struct house *house)
{
	char why[TLS_WHY_LEN];
	SSL_CTX *ctx = tls_client_new("chat/2", why);

	refuses(house, ctx, "does not offer our protocol",
	    "does not speak our protocol", "another protocol");
	SSL_CTX_set_alpn_protos(
	    ctx, (const unsigned char *)"\6chat/2\7chat/1x", 15);
	refuses(house, ctx, "does not offer our protocol",
	    "does not speak our protocol", "two others");
	SSL_CTX_set_alpn_protos(ctx, NULL, 0);
	refuses(house, ctx, "does not offer our protocol",
	    "does not speak our protocol", "no protocol");
	SSL_CTX_set_min_proto_version(ctx, TLS1_2_VERSION);
	SSL_CTX_set_max_proto_version(ctx, TLS1_2_VERSION);
	refuses(
	    house, ctx, "TLS 1.2 or older", "our version of TLS", "TLS 1.2");
	SSL_CTX_free(ctx);
}

/* A peer that speaks no TLS: the status and the sentence. */
static void
plain_gives(struct house *house, const char *text, size_t len,
    enum tls_status want, const char *sentence, const char *name)
{
	struct peer peer = {.data = text, .len = len};
	struct tls_conn conn;
	enum tls_status status =
	    serve(&conn, house->server, peer_start(&peer, act_plain));

	ok(status == want && strstr(conn.why, sentence) != NULL, "%s: %s", name,
	    conn.why);
	tls_conn_close(&conn, 0);
	peer_join(&peer);
}

static void
test_no_tls(struct house *house)
{
	plain_gives(house, "GET / HTTP/1.1\r\n\r\n", 18, TLS_BROKEN,
	    "speaks no TLS", "HTTP");
	plain_gives(house, "{\"op\":\"hello\"}\n", 15, TLS_BROKEN,
	    "speaks no TLS", "a line in plain text");
	plain_gives(house, "\x16\x03\x01\x02", 4, TLS_CUT, "closed",
	    "a record cut off");
	plain_gives(house, "\x16\x03\x01\xff\xff\x01", 6, TLS_BROKEN, "",
	    "a record that is too long");
	plain_gives(house, "", 0, TLS_END, "closed", "an end at once");
}

/* The fingerprint of a certificate's key, by another way. */
static void
expected_pin(X509 *cert, char out[TLS_PIN_LEN + 1])
{
	unsigned char digest[SHA256_DIGEST_LENGTH], *der = NULL;
	int len = i2d_PUBKEY(X509_get0_pubkey(cert), &der);

	SHA256(der, (size_t)len, digest);
	OPENSSL_free(der);
	strcpy(out, "sha256//");
	EVP_EncodeBlock((unsigned char *)out + 8, digest, sizeof(digest));
}

static void
test_pins(struct house *house)
{
	struct peer peer = {.ctx = house->client, .data = "", .polite = true};
	char want[TLS_PIN_LEN + 1], got[TLS_PIN_LEN + 1];
	struct tls_conn conn;

	serve(&conn, house->server, peer_start(&peer, act_send));
	ok(tls_peer_pin(conn.ssl, got) == -1, "a client shows no key");
	tls_conn_close(&conn, 0);
	peer_join(&peer);
	expected_pin(house->x509, want);
	is(peer.pin, want, "the fingerprint of the peer's key");
	ok(tls_pin(house->x509, got) == 0 && strcmp(got, want) == 0 &&
		strlen(got) == TLS_PIN_LEN,
	    "the same of the certificate");
}

/* Verifies against a host: how the client ends, and what SNI was sent. */
static void
verifies(struct house *house, const char *host, bool good, const char *sni)
{
	struct peer peer = {.host = host, .data = "", .polite = true};
	char why[TLS_WHY_LEN];
	struct tls_conn conn;
	const char *sent;

	peer.ctx = tls_client_new(TLS_ALPN_CENTRE, why);
	must(SSL_CTX_load_verify_file(peer.ctx, house->cert) == 1,
	    "cannot load the certificate");
	SSL_CTX_set_verify(peer.ctx, SSL_VERIFY_PEER, NULL);
	serve(&conn, house->server, peer_start(&peer, act_send));
	sent = SSL_get_servername(conn.ssl, TLSEXT_NAMETYPE_host_name);
	is(sent, sni, "the name that is sent to %s", host);
	tls_conn_close(&conn, SHORT);
	peer_join(&peer);
	ok(good ? peer.status == TLS_OK
		: peer.status == TLS_BROKEN &&
		    strstr(peer.why, "not trusted") != NULL,
	    "%s is %s %s", host, good ? "trusted" : "refused:", peer.why);
	SSL_CTX_free(peer.ctx);
}

static void
test_hosts(struct house *house)
{
	verifies(house, "localhost", true, "localhost");
	verifies(house, "other.example", false, "other.example");
	verifies(house, "127.0.0.1", true, NULL);
	verifies(house, "127.0.0.2", false, NULL);
	verifies(house, "::1", false, NULL);
}

/* A client does not go on with a server that agrees on no protocol. */
static void
test_strange_server(struct house *house)
{
	struct peer peer = {.polite = true};
	struct tls_conn conn;

	peer.ctx = SSL_CTX_new(TLS_server_method());
	must(SSL_CTX_use_certificate_file(
		 peer.ctx, house->cert, SSL_FILETYPE_PEM) == 1 &&
		SSL_CTX_use_PrivateKey_file(
		    peer.ctx, house->key, SSL_FILETYPE_PEM) == 1,
	    "cannot load");
	must(tls_conn_open(&conn, house->client,
		 peer_start(&peer, act_strange_server), false, NULL) == 0,
	    conn.why);
	ok(tls_handshake(&conn, TLS_ALPN_CENTRE, soon(SOON)) == TLS_BROKEN &&
		strstr(conn.why, "did not agree") != NULL,
	    "a server without ALPN: %s", conn.why);
	tls_conn_close(&conn, 0);
	peer_join(&peer);
	SSL_CTX_free(peer.ctx);
}

int
main(void)
{
	struct house house = {.dir = ""};

	signal(SIGPIPE, SIG_IGN);
	house_build(&house);
	test_contexts(&house);
	test_refusals(&house);
	test_no_tls(&house);
	test_pins(&house);
	test_hosts(&house);
	test_strange_server(&house);
	house_release(&house);
	return done();
}
