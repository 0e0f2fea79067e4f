/* SPDX-License-Identifier: ISC */
/*
 * What a stranger says before TLS is up: the body of a ClientHello, to a real
 * server in memory.  Who does not offer our protocol, in a list that is
 * whole up to there, is never answered, and who does is not refused for it.
 * Its inputs are made by clients of OpenSSL's.
 */
#include <string.h>

#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>

#include "lib/tls.h"
#include "fuzz.h"

enum {
	RECORD_HEAD = 5, /* type, version, length */
	HELLO_HEAD = 4, /* type, length */
	HELLO_MAX = 8192,
	RECORD_ALERT = 21,
	RECORD_HANDSHAKE = 22,
};

/* Octets of the input that have not been looked at. */
struct rest {
	const uint8_t *at;
	size_t len;
};

static SSL_CTX *server;
static bool understood;

bool
fuzz_understood(void)
{
	return understood;
}

static EVP_PKEY *
make_key(X509 **cert)
{
	EVP_PKEY *key = EVP_EC_gen("P-256");

	*cert = X509_new();
	CLAIM(key != NULL && *cert != NULL);
	X509_set_version(*cert, X509_VERSION_3);
	X509_gmtime_adj(X509_getm_notBefore(*cert), -3600);
	X509_gmtime_adj(X509_getm_notAfter(*cert), 86400);
	CLAIM(X509_set_pubkey(*cert, key) == 1);
	CLAIM(X509_sign(*cert, key, EVP_sha256()) > 0);
	return key;
}

static void
server_make(void)
{
	char why[TLS_WHY_LEN];
	X509 *cert;
	EVP_PKEY *key = make_key(&cert);

	server = tls_peer_server_new(cert, key, TLS_ALPN_CENTRE, why);
	CLAIM(server != NULL);
	/* A ticket would be one more thing to make. */
	SSL_CTX_set_num_tickets(server, 0);
	X509_free(cert);
	EVP_PKEY_free(key);
}

/* ---- what the input offers, read in another way */

/* The next so many octets; false if there are fewer. */
static bool
skip(struct rest *rest, size_t len, struct rest *out)
{
	if (rest->len < len)
		return false;
	*out = (struct rest){rest->at, len};
	rest->at += len;
	rest->len -= len;
	return true;
}

/* A field behind its length, which takes so many octets. */
static bool
field(struct rest *rest, size_t octets, struct rest *out)
{
	struct rest number;
	size_t len = 0;

	if (!skip(rest, octets, &number))
		return false;
	for (size_t i = 0; i < octets; i++)
		len = len << 8 | number.at[i];
	return skip(rest, len, out);
}

static bool
lists_ours(struct rest extension)
{
	struct rest list, name;

	if (!field(&extension, 2, &list) || extension.len > 0)
		return false;
	while (list.len > 0 && field(&list, 1, &name) && name.len > 0)
		if (name.len == strlen(TLS_ALPN_CENTRE) &&
		    memcmp(name.at, TLS_ALPN_CENTRE, name.len) == 0)
			return true;
	return false;
}

/* True if a hello offers our protocol. */
static bool
offers_ours(struct rest hello)
{
	struct rest ignored, all, type, extension;

	if (!skip(&hello, 2 + 32, &ignored) || !field(&hello, 1, &ignored) ||
	    !field(&hello, 2, &ignored) || !field(&hello, 1, &ignored) ||
	    !field(&hello, 2, &all))
		return false;
	while (skip(&all, 2, &type) && field(&all, 2, &extension))
		if (type.at[0] == 0 &&
		    type.at[1] ==
			TLSEXT_TYPE_application_layer_protocol_negotiation)
			return lists_ours(extension);
	return false;
}

/* ---- */

/* Says a hello: one record, one message, lengths that need no guessing. */
static void
say(BIO *to, const uint8_t *hello, size_t size)
{
	uint8_t record[RECORD_HEAD + HELLO_HEAD + HELLO_MAX] = {
	    RECORD_HANDSHAKE, 3, 1};
	size_t len = HELLO_HEAD + size;

	record[3] = (uint8_t)(len >> 8);
	record[4] = (uint8_t)len;
	record[5] = 1; /* client_hello */
	record[7] = (uint8_t)(size >> 8);
	record[8] = (uint8_t)size;
	memcpy(record + RECORD_HEAD + HELLO_HEAD, hello, size);
	BIO_write(to, record, RECORD_HEAD + (int)len);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	BIO *in = BIO_new(BIO_s_mem()), *out = BIO_new(BIO_s_mem());
	uint8_t answer[RECORD_HEAD + 2] = {0};
	bool ours;
	SSL *ssl;

	if (server == NULL)
		server_make();
	ssl = SSL_new(server);
	CLAIM(ssl != NULL && in != NULL && out != NULL);
	SSL_set_bio(ssl, in, out);
	if (size > HELLO_MAX)
		size = HELLO_MAX;
	say(in, data, size);
	CLAIM(SSL_accept(ssl) != 1);
	BIO_read(out, answer, sizeof(answer));
	ours = offers_ours((struct rest){data, size});
	understood = true;
	if (answer[0] == RECORD_HANDSHAKE)
		CLAIM(ours);
	else if (answer[0] == RECORD_ALERT &&
	    answer[6] == SSL_AD_NO_APPLICATION_PROTOCOL)
		CLAIM(!ours);
	else
		understood = false;
	SSL_free(ssl);
	ERR_clear_error();
	return 0;
}

/* ---- the corpus */

static const struct offer {
	const char *name, *alpn; /* counted names; NULL: no extension */
} offers[] = {
    {"ours", "\6chat/1"},
    {"last-of-three", "\2h2\10http/1.1\6chat/1"},
    {"others", "\2h2\10http/1.1"},
    {"longer", "\7chat/10"},
    {"none", NULL},
};

size_t
fuzz_seed(unsigned n, uint8_t *out, size_t size, const char **name)
{
	BIO *in = BIO_new(BIO_s_mem()), *to = BIO_new(BIO_s_mem());
	uint8_t head[RECORD_HEAD + HELLO_HEAD];
	SSL_CTX *ctx;
	SSL *ssl;
	int len;

	if (n >= sizeof(offers) / sizeof(*offers)) {
		BIO_free(in);
		BIO_free(to);
		return 0;
	}
	*name = offers[n].name;
	ctx = SSL_CTX_new(TLS_client_method());
	CLAIM(ctx != NULL && (ssl = SSL_new(ctx)) != NULL);
	SSL_set_min_proto_version(ssl, TLS1_3_VERSION);
	if (offers[n].alpn != NULL)
		CLAIM(SSL_set_alpn_protos(ssl,
			  (const unsigned char *)offers[n].alpn,
			  (unsigned)strlen(offers[n].alpn)) == 0);
	SSL_set_bio(ssl, in, to);
	CLAIM(SSL_connect(ssl) != 1);
	CLAIM(BIO_read(to, head, sizeof(head)) == sizeof(head));
	len = BIO_read(to, out, (int)size);
	CLAIM(len > 0);
	SSL_free(ssl);
	SSL_CTX_free(ctx);
	ERR_clear_error();
	return (size_t)len;
}
