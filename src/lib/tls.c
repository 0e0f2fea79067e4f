/* SPDX-License-Identifier: ISC */
/*
 * TLS 1.3 contexts, the handshake in memory, reasons, fingerprints.  The
 * master (to warm up), workers and clients run it.  It must never accept a
 * ClientHello without our protocol, nor ask for a passphrase.
 */
#include <pthread.h>
#include <stdio.h>
#include <string.h>

#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pemerr.h>
#include <openssl/sha.h>
#include <openssl/x509.h>
#include <openssl/x509err.h>

#include "lib/tls.h"

#define GROUPS "X25519:P-256:P-384"
#define NO_CONTEXT "cannot set TLS up"

enum {
	ALPN_MAX_LEN = 255, /* one octet counts it, RFC 7301 */
	PEER_CERT_MAX = 8192, /* octets; one of P-256 has some 500 */
	WARM_STEPS = 64, /* a handshake in memory takes fewer than ten */
};

/* The one protocol that a server speaks, as it stands in a ClientHello. */
struct alpn {
	unsigned char len;
	unsigned char name[ALPN_MAX_LEN];
};

static pthread_once_t alpn_once = PTHREAD_ONCE_INIT;
static int alpn_index = -1;

/* Frees what a context carries, when OpenSSL frees the context. */
static void
alpn_free(void *parent, void *ptr, CRYPTO_EX_DATA *data, int index, long argl,
    void *argp)
{
	(void)parent;
	(void)data;
	(void)index;
	(void)argl;
	(void)argp;
	OPENSSL_free(ptr);
}

static void
alpn_register(void)
{
	alpn_index = SSL_CTX_get_ex_new_index(0, NULL, NULL, NULL, alpn_free);
}

/* A protocol's name, counted; false if it is none. */
static bool
alpn_set(struct alpn *alpn, const char *name)
{
	size_t len = strlen(name);

	if (len == 0 || len > ALPN_MAX_LEN)
		return false;
	alpn->len = (unsigned char)len;
	memcpy(alpn->name, name, len);
	return true;
}

/* Hangs the protocol's name on a context, which frees it. */
static bool
alpn_keep(SSL_CTX *ctx, const char *name)
{
	struct alpn *alpn;

	pthread_once(&alpn_once, alpn_register);
	if (alpn_index < 0 || (alpn = OPENSSL_zalloc(sizeof(*alpn))) == NULL)
		return false;
	if (alpn_set(alpn, name) &&
	    SSL_CTX_set_ex_data(ctx, alpn_index, alpn) == 1)
		return true;
	OPENSSL_free(alpn);
	return false;
}

/* Where in a list of counted names the wanted one starts, or NULL. */
static const unsigned char *
alpn_find(const unsigned char *list, size_t len, const struct alpn *want)
{
	while (len > 0) {
		size_t n = list[0];

		if (n == 0 || n > len - 1)
			return NULL;
		if (n == want->len && memcmp(list + 1, want->name, n) == 0)
			return list + 1;
		list += 1 + n;
		len -= 1 + n;
	}
	return NULL;
}

/*
 * Refuses a ClientHello without our protocol.  It must happen here: where
 * the extension is absent, OpenSSL never calls the select callback.  Whoever
 * offers no TLS 1.3 is let pass, to be told just that by the next step.
 */
static int
hello_check(SSL *ssl, int *alert, void *arg)
{
	const struct alpn *want =
	    SSL_CTX_get_ex_data(SSL_get_SSL_CTX(ssl), alpn_index);
	const unsigned char *ext;
	size_t len;

	(void)arg;
	if (!SSL_client_hello_get0_ext(
		ssl, TLSEXT_TYPE_supported_versions, &ext, &len))
		return SSL_CLIENT_HELLO_SUCCESS;
	if (want != NULL &&
	    SSL_client_hello_get0_ext(ssl,
		TLSEXT_TYPE_application_layer_protocol_negotiation, &ext,
		&len) &&
	    len >= 2 && ((size_t)ext[0] << 8 | ext[1]) == len - 2 &&
	    alpn_find(ext + 2, len - 2, want) != NULL)
		return SSL_CLIENT_HELLO_SUCCESS;
	*alert = SSL_AD_NO_APPLICATION_PROTOCOL;
	return SSL_CLIENT_HELLO_ERROR;
}

/* Picks our protocol out of those that the client offers. */
static int
alpn_select(SSL *ssl, const unsigned char **out, unsigned char *outlen,
    const unsigned char *in, unsigned inlen, void *arg)
{
	const struct alpn *want =
	    SSL_CTX_get_ex_data(SSL_get_SSL_CTX(ssl), alpn_index);
	const unsigned char *found;

	(void)arg;
	if (want == NULL || (found = alpn_find(in, inlen, want)) == NULL)
		return SSL_TLSEXT_ERR_ALERT_FATAL;
	*out = found;
	*outlen = want->len;
	return SSL_TLSEXT_ERR_OK;
}

/* A key file with a passphrase must fail, not ask on some terminal. */
static int
no_passphrase(char *buf, int size, int writing, void *arg)
{
	(void)buf;
	(void)size;
	(void)writing;
	(void)arg;
	return -1;
}

/* What the reason of an alert, or of a handshake with no TLS, means. */
static const char *
ssl_sentence(int reason)
{
	switch (reason) {
	case SSL_R_HTTP_REQUEST:
	case SSL_R_HTTPS_PROXY_REQUEST:
	case SSL_R_WRONG_VERSION_NUMBER:
		return "the peer speaks no TLS";
	case SSL_R_UNSUPPORTED_PROTOCOL:
	case SSL_R_WRONG_SSL_VERSION:
		return "the peer offers TLS 1.2 or older";
	case SSL_R_CALLBACK_FAILED:
	case SSL_R_NO_APPLICATION_PROTOCOL:
		return "the peer does not offer our protocol (ALPN)";
	case SSL_R_TLSV1_ALERT_NO_APPLICATION_PROTOCOL:
		return "the peer refused: it does not speak our protocol "
		       "(ALPN)";
	case SSL_R_TLSV1_ALERT_PROTOCOL_VERSION:
		return "the peer refused our version of TLS";
	default:
		return NULL;
	}
}

/* One error of OpenSSL in words. */
static void
error_sentence(unsigned long code, char out[TLS_WHY_LEN])
{
	int reason = ERR_GET_REASON(code), lib = ERR_GET_LIB(code);
	const char *text = NULL;

	if (ERR_SYSTEM_ERROR(code)) {
		text = strerror(reason);
	} else if (lib == ERR_LIB_SSL) {
		text = ssl_sentence(reason);
		if (text == NULL && reason > SSL_AD_REASON_OFFSET) {
			snprintf(out, TLS_WHY_LEN, "the peer refused: %s",
			    SSL_alert_desc_string_long(
				reason - SSL_AD_REASON_OFFSET));
			return;
		}
	} else if ((lib == ERR_LIB_PEM && reason == PEM_R_NO_START_LINE) ||
	    (lib == ERR_LIB_OSSL_DECODER && reason == ERR_R_UNSUPPORTED)) {
		text = "it holds no such PEM block";
	} else if (lib == ERR_LIB_PEM && reason == PEM_R_BAD_PASSWORD_READ) {
		text = "it is locked with a passphrase";
	} else if (lib == ERR_LIB_X509 &&
	    reason == X509_R_KEY_VALUES_MISMATCH) {
		text = "the key does not belong to the certificate";
	}
	if (text == NULL)
		text = ERR_reason_error_string(code);
	snprintf(out, TLS_WHY_LEN, "%s", text != NULL ? text : "no reason");
}

void
tls_reason(char why[TLS_WHY_LEN], const char *what)
{
	unsigned long code, best = 0;
	char text[TLS_WHY_LEN];

	/* "system lib" and its like only say who passed an error on */
	while ((code = ERR_get_error()) != 0)
		if (best == 0 || !ERR_COMMON_ERROR(code))
			best = code;
	if (best == 0)
		snprintf(text, sizeof(text), "no reason known");
	else
		error_sentence(best, text);
	if (what == NULL)
		snprintf(why, TLS_WHY_LEN, "%s", text);
	else
		snprintf(why, TLS_WHY_LEN, "%.120s: %.120s", what, text);
}

/* Frees a context that could not be completed; NULL with why. */
static SSL_CTX *
ctx_fail(SSL_CTX *ctx, const char *what, char why[TLS_WHY_LEN])
{
	tls_reason(why, what);
	SSL_CTX_free(ctx);
	return NULL;
}

/* What clients' and servers' contexts have in common; NULL with why. */
static SSL_CTX *
ctx_new(const SSL_METHOD *method, char why[TLS_WHY_LEN])
{
	SSL_CTX *ctx;

	ERR_clear_error();
	if ((ctx = SSL_CTX_new(method)) == NULL ||
	    SSL_CTX_set_min_proto_version(ctx, TLS1_3_VERSION) != 1 ||
	    SSL_CTX_set_max_proto_version(ctx, TLS1_3_VERSION) != 1 ||
	    SSL_CTX_set1_groups_list(ctx, GROUPS) != 1)
		return ctx_fail(ctx, NO_CONTEXT, why);
	/* an end without close_notify is told from a cut line by the line */
	SSL_CTX_set_options(ctx,
	    SSL_OP_NO_TICKET | SSL_OP_NO_RENEGOTIATION |
		SSL_OP_IGNORE_UNEXPECTED_EOF);
	SSL_CTX_set_session_cache_mode(ctx, SSL_SESS_CACHE_OFF);
	SSL_CTX_clear_mode(ctx, SSL_MODE_RELEASE_BUFFERS);
	SSL_CTX_set_mode(ctx, SSL_MODE_ENABLE_PARTIAL_WRITE);
	SSL_CTX_set_read_ahead(ctx, 1);
	SSL_CTX_set_default_passwd_cb(ctx, no_passphrase);
	return ctx;
}

/* What makes a context that of a server; NULL with why. */
static SSL_CTX *
server_finish(SSL_CTX *ctx, const char *alpn, char why[TLS_WHY_LEN])
{
	if (!alpn_keep(ctx, alpn) || SSL_CTX_set_num_tickets(ctx, 0) != 1 ||
	    SSL_CTX_set_max_early_data(ctx, 0) != 1)
		return ctx_fail(ctx, NO_CONTEXT, why);
	SSL_CTX_set_client_hello_cb(ctx, hello_check, NULL);
	SSL_CTX_set_alpn_select_cb(ctx, alpn_select, NULL);
	return ctx;
}

SSL_CTX *
tls_server_new(const char *certificate, const char *key, const char *alpn,
    char why[TLS_WHY_LEN])
{
	SSL_CTX *ctx = ctx_new(TLS_server_method(), why);

	if (ctx == NULL)
		return NULL;
	if (SSL_CTX_use_certificate_chain_file(ctx, certificate) != 1)
		return ctx_fail(ctx, certificate, why);
	if (SSL_CTX_use_PrivateKey_file(ctx, key, SSL_FILETYPE_PEM) != 1 ||
	    SSL_CTX_check_private_key(ctx) != 1)
		return ctx_fail(ctx, key, why);
	return server_finish(ctx, alpn, why);
}

/* What makes a context that of a client; NULL with why. */
static SSL_CTX *
client_finish(SSL_CTX *ctx, const char *alpn, char why[TLS_WHY_LEN])
{
	struct alpn list;

	if (!alpn_set(&list, alpn) ||
	    SSL_CTX_set_alpn_protos(
		ctx, (unsigned char *)&list, list.len + 1U) != 0)
		return ctx_fail(ctx, NO_CONTEXT, why);
	return ctx;
}

SSL_CTX *
tls_client_new(const char *alpn, char why[TLS_WHY_LEN])
{
	SSL_CTX *ctx = ctx_new(TLS_client_method(), why);

	return ctx == NULL ? NULL : client_finish(ctx, alpn, why);
}

/*
 * Takes any certificate, unless it is known whose key it has to be.  The
 * handshake itself proves that the other end has the key.
 */
static int
peer_verify(X509_STORE_CTX *store, void *arg)
{
	const SSL *ssl = X509_STORE_CTX_get_ex_data(
	    store, SSL_get_ex_data_X509_STORE_CTX_idx());
	struct tls_expected *expected =
	    ssl != NULL ? SSL_get_app_data(ssl) : NULL;
	const X509 *cert = X509_STORE_CTX_get0_cert(store);

	(void)arg;
	if (expected == NULL)
		return 1;
	if (cert != NULL && tls_pin(cert, expected->shown) == 0 &&
	    CRYPTO_memcmp(expected->shown, expected->wanted,
		sizeof(expected->shown)) == 0)
		return 1;
	X509_STORE_CTX_set_error(store, X509_V_ERR_CERT_REJECTED);
	return 0;
}

void
tls_expect(SSL *ssl, struct tls_expected *expected)
{
	*expected->shown = '\0';
	SSL_set_app_data(ssl, expected);
}

/* What both ends between clients have in common; NULL with why. */
static SSL_CTX *
peer_new(const SSL_METHOD *method, X509 *certificate, EVP_PKEY *key,
    char why[TLS_WHY_LEN])
{
	SSL_CTX *ctx = ctx_new(method, why);

	if (ctx == NULL)
		return NULL;
	/* Other kinds of keys could be made costly to check. */
	if (SSL_CTX_use_certificate(ctx, certificate) != 1 ||
	    SSL_CTX_use_PrivateKey(ctx, key) != 1 ||
	    SSL_CTX_check_private_key(ctx) != 1 ||
	    SSL_CTX_set1_sigalgs_list(ctx, "ECDSA+SHA256") != 1)
		return ctx_fail(ctx, NO_CONTEXT, why);
	SSL_CTX_set_max_cert_list(ctx, PEER_CERT_MAX);
	SSL_CTX_set_verify(
	    ctx, SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT, NULL);
	SSL_CTX_set_cert_verify_callback(ctx, peer_verify, NULL);
	/* What is read counts, see tls_conn_allow(): no more than is needed. */
	SSL_CTX_set_read_ahead(ctx, 0);
	return ctx;
}

SSL_CTX *
tls_peer_server_new(
    X509 *certificate, EVP_PKEY *key, const char *alpn, char why[TLS_WHY_LEN])
{
	SSL_CTX *ctx = peer_new(TLS_server_method(), certificate, key, why);

	return ctx == NULL ? NULL : server_finish(ctx, alpn, why);
}

SSL_CTX *
tls_peer_client_new(
    X509 *certificate, EVP_PKEY *key, const char *alpn, char why[TLS_WHY_LEN])
{
	SSL_CTX *ctx = peer_new(TLS_client_method(), certificate, key, why);

	return ctx == NULL ? NULL : client_finish(ctx, alpn, why);
}

/* Two ends in memory that are joined; false if memory is short. */
static bool
warm_ends(SSL_CTX *server, SSL_CTX *client, SSL *ends[2])
{
	BIO *left = NULL, *right = NULL;

	ends[0] = SSL_new(server);
	ends[1] = SSL_new(client);
	if (ends[0] == NULL || ends[1] == NULL ||
	    BIO_new_bio_pair(&left, 0, &right, 0) != 1)
		return false;
	SSL_set_bio(ends[0], left, left);
	SSL_set_bio(ends[1], right, right);
	SSL_set_accept_state(ends[0]);
	SSL_set_connect_state(ends[1]);
	return true;
}

/* Shakes hands by turns; false if it fails or comes to no end. */
static bool
warm_handshake(SSL *ends[2])
{
	for (int i = 0; i < WARM_STEPS; i++) {
		int client = SSL_do_handshake(ends[1]);
		int server = SSL_do_handshake(ends[0]);

		if (client == 1 && server == 1)
			return true;
		if (client != 1 &&
		    SSL_get_error(ends[1], client) != SSL_ERROR_WANT_READ)
			return false;
		if (server != 1 &&
		    SSL_get_error(ends[0], server) != SSL_ERROR_WANT_READ)
			return false;
	}
	return false;
}

/* One line from one end to the other. */
static bool
warm_line(SSL *from, SSL *to)
{
	static const char line[] = "{\"op\":\"hello\"}\n";
	char got[sizeof(line)];
	size_t len;

	return SSL_write_ex(from, line, sizeof(line) - 1, &len) == 1 &&
	    SSL_read_ex(to, got, sizeof(got), &len) == 1 &&
	    len == sizeof(line) - 1;
}

int
tls_warm(SSL_CTX *server, const char *alpn, char why[TLS_WHY_LEN])
{
	SSL *ends[2] = {NULL, NULL};
	SSL_CTX *client;
	int ret = -1;

	if ((client = tls_client_new(alpn, why)) == NULL)
		return -1;
	ERR_clear_error();
	if (warm_ends(server, client, ends) && warm_handshake(ends) &&
	    warm_line(ends[1], ends[0]) && warm_line(ends[0], ends[1])) {
		SSL_shutdown(ends[0]);
		SSL_shutdown(ends[1]);
		ERR_clear_error();
		ret = 0;
	} else
		tls_reason(why, "a handshake with ourselves failed");
	SSL_free(ends[0]);
	SSL_free(ends[1]);
	SSL_CTX_free(client);
	return ret;
}

int
tls_pin(const X509 *cert, char out[TLS_PIN_LEN + 1])
{
	unsigned char digest[SHA256_DIGEST_LENGTH], *der = NULL;
	int len = i2d_X509_PUBKEY(X509_get_X509_PUBKEY(cert), &der);

	if (len <= 0)
		return -1;
	SHA256(der, (size_t)len, digest);
	OPENSSL_free(der);
	memcpy(out, "sha256//", 8);
	EVP_EncodeBlock((unsigned char *)out + 8, digest, sizeof(digest));
	return 0;
}

int
tls_peer_pin(SSL *ssl, char out[TLS_PIN_LEN + 1])
{
	const X509 *cert = SSL_get0_peer_certificate(ssl);

	return cert == NULL ? -1 : tls_pin(cert, out);
}
