/* SPDX-License-Identifier: ISC */
/*
 * The provider.  A key object knows the certificate's public key; what
 * OpenSSL wants to have signed goes whole to the keeper, which looks at it.
 * Runs in the master, to warm up, and in the worker; neither has the key.
 */
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>

#include <openssl/core_dispatch.h>
#include <openssl/core_names.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/provider.h>
#include <openssl/x509.h>

#include "chatd/ipc.h"
#include "chatd/worker/signer.h"
#include "lib/unix.h"

#define PROVIDER "chatd-signer"
#define OURS "provider=" PROVIDER
#define THEIRS "provider=default"

/* RFC 8446, 4.2.3: what a kind of key and a digest come to. */
static const struct scheme {
	const char *kind;
	const char *digest, *alias; /* OpenSSL's names for it; "": none */
	uint16_t code;
} schemes[] = {
    {"EC", "SHA2-256", "SHA256", 0x0403},
    {"EC", "SHA2-384", "SHA384", 0x0503},
    {"RSA", "SHA2-256", "SHA256", 0x0804},
    {"RSA", "SHA2-384", "SHA384", 0x0805},
    {"RSA", "SHA2-512", "SHA512", 0x0806},
    {"ED25519", "", "", 0x0807},
};

/* A key of ours; what others may know of it. */
struct key {
	const char *kind;
	EVP_PKEY *public; /* NULL until it is imported */
};

struct signing {
	const struct key *key;
	uint16_t scheme;
};

/* One process speaks TLS on one connection at a time. */
static struct {
	int sock;
	int64_t until;
	bool failed;
} channel = {.sock = -1};

void
signer_use(int sock, int64_t until)
{
	channel.sock = sock;
	channel.until = until;
	channel.failed = false;
}

bool
signer_failed(void)
{
	return channel.failed;
}

/* Waits for the keeper; false once it has taken too long. */
static bool
wait_ready(short events)
{
	for (;;) {
		struct pollfd pfd = {.fd = channel.sock, .events = events};
		int64_t left = channel.until - clock_mono();
		int n = left > 0 ? poll(&pfd, 1, (int)left) : 0;

		if (n > 0)
			return true;
		if (n == 0 || errno != EINTR)
			return false;
	}
}

/* Asks the keeper, and waits for what it says; false if that is nothing. */
static bool
ask(const struct ipc_sign *what, struct ipc_signed *out)
{
	static uint64_t buffer[IPC_FRAME_MAX / sizeof(uint64_t)];
	struct ipc_frame frame;
	int got;

	if (channel.sock == -1)
		return false;
	while (ipc_send(channel.sock, IPC_SIGN, 1, what, NULL, 0, -1) == -1)
		if (errno != EAGAIN || !wait_ready(POLLOUT))
			return false;
	/* It is not there yet: no need to look before the wait. */
	do {
		if (!wait_ready(POLLIN))
			return false;
		got = ipc_receive(
		    channel.sock, ROLE_WORKER, ROLE_KEEPER, buffer, &frame);
	} while (got == -1 && errno == EAGAIN);
	if (got != 1 || frame.type != IPC_SIGNED)
		return false;
	memcpy(out, frame.body, sizeof(*out));
	return out->len <= sizeof(out->signature);
}

/* keymgmt: objects. */
static void *
key_new(const char *kind)
{
	struct key *key = OPENSSL_zalloc(sizeof(*key));

	if (key != NULL)
		key->kind = kind;
	return key;
}

static void *
ec_new(void *provider)
{
	(void)provider;
	return key_new("EC");
}

static void *
rsa_new(void *provider)
{
	(void)provider;
	return key_new("RSA");
}

static void *
ed25519_new(void *provider)
{
	(void)provider;
	return key_new("ED25519");
}

static void
key_free(void *arg)
{
	struct key *key = arg;

	if (key == NULL)
		return;
	EVP_PKEY_free(key->public);
	OPENSSL_free(key);
}

/* keymgmt: a private half is claimed, since the keeper has it. */
static int
key_has(const void *arg, int selection)
{
	const struct key *key = arg;

	(void)selection;
	return key->public != NULL;
}

static int
key_match(const void *a, const void *b, int selection)
{
	const struct key *x = a, *y = b;

	(void)selection;
	return x->public != NULL && y->public != NULL &&
	    EVP_PKEY_eq(x->public, y->public) == 1;
}

/* keymgmt: takes a public key over as the default provider describes it. */
static int
key_import(void *arg, int selection, const OSSL_PARAM params[])
{
	struct key *key = arg;
	EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_from_name(NULL, key->kind, THEIRS);
	int done;

	(void)selection;
	EVP_PKEY_free(key->public);
	key->public = NULL;
	done = ctx != NULL && EVP_PKEY_fromdata_init(ctx) == 1 &&
	    EVP_PKEY_fromdata(ctx, &key->public, EVP_PKEY_PUBLIC_KEY,
		(OSSL_PARAM *)(uintptr_t)params) == 1;
	EVP_PKEY_CTX_free(ctx);
	return done;
}

static const OSSL_PARAM *
key_import_types(int selection)
{
	static const OSSL_PARAM types[] = {
	    OSSL_PARAM_utf8_string(OSSL_PKEY_PARAM_GROUP_NAME, NULL, 0),
	    OSSL_PARAM_octet_string(OSSL_PKEY_PARAM_PUB_KEY, NULL, 0),
	    OSSL_PARAM_BN(OSSL_PKEY_PARAM_RSA_N, NULL, 0),
	    OSSL_PARAM_BN(OSSL_PKEY_PARAM_RSA_E, NULL, 0),
	    OSSL_PARAM_END,
	};

	return (selection & OSSL_KEYMGMT_SELECT_PUBLIC_KEY) ? types : NULL;
}

/* keymgmt: sizes and the group are those of the public key. */
static int
key_get_params(void *arg, OSSL_PARAM params[])
{
	const struct key *key = arg;

	return key->public != NULL &&
	    EVP_PKEY_get_params(key->public, params) == 1;
}

static const OSSL_PARAM *
key_gettable_params(void *provider)
{
	static const OSSL_PARAM params[] = {
	    OSSL_PARAM_int(OSSL_PKEY_PARAM_BITS, NULL),
	    OSSL_PARAM_int(OSSL_PKEY_PARAM_SECURITY_BITS, NULL),
	    OSSL_PARAM_int(OSSL_PKEY_PARAM_MAX_SIZE, NULL),
	    OSSL_PARAM_utf8_string(OSSL_PKEY_PARAM_GROUP_NAME, NULL, 0),
	    OSSL_PARAM_END,
	};

	(void)provider;
	return params;
}

/* keymgmt: the name of the signature for elliptic curves is another one. */
static const char *
ec_operation(int operation)
{
	return operation == OSSL_OP_SIGNATURE ? "ECDSA" : "EC";
}

/* signature: contexts. */
static void *
signing_new(void *provider, const char *properties)
{
	(void)provider;
	(void)properties;
	return OPENSSL_zalloc(sizeof(struct signing));
}

static void
signing_free(void *arg)
{
	OPENSSL_free(arg);
}

/* signature: which of the schemes is meant; 0 for what TLS 1.3 has not. */
static int
signing_init(
    void *arg, const char *digest, void *key, const OSSL_PARAM params[])
{
	struct signing *signing = arg;

	(void)params;
	if (key != NULL)
		signing->key = key;
	if (signing->key == NULL)
		return 0;
	if (digest == NULL)
		digest = "";
	for (size_t i = 0; i < sizeof(schemes) / sizeof(schemes[0]); i++) {
		const struct scheme *scheme = &schemes[i];

		if (strcmp(scheme->kind, signing->key->kind) != 0 ||
		    (OPENSSL_strcasecmp(digest, scheme->digest) != 0 &&
			OPENSSL_strcasecmp(digest, scheme->alias) != 0))
			continue;
		signing->scheme = scheme->code;
		return 1;
	}
	return 0;
}

/* signature: all of it at once, or only its greatest length. */
static int
signing_sign(void *arg, unsigned char *out, size_t *len, size_t size,
    const unsigned char *content, size_t content_len)
{
	const struct signing *signing = arg;
	struct ipc_sign what = {.scheme = signing->scheme};
	struct ipc_signed got;

	if (out == NULL) {
		*len = (size_t)EVP_PKEY_get_size(signing->key->public);
		return 1;
	}
	if (content_len > sizeof(what.content))
		return 0;
	what.len = (uint16_t)content_len;
	memcpy(what.content, content, content_len);
	if (!ask(&what, &got) || got.len > size) {
		channel.failed = true;
		return 0;
	}
	memcpy(out, got.signature, got.len);
	*len = got.len;
	return 1;
}

/* signature: in pieces, so that nobody would see the whole: never. */
static int
signing_update(void *arg, const unsigned char *content, size_t len)
{
	(void)arg;
	(void)content;
	(void)len;
	return 0;
}

static int
signing_final(void *arg, unsigned char *out, size_t *len, size_t size)
{
	(void)arg;
	(void)out;
	(void)len;
	(void)size;
	return 0;
}

/* signature: RSA's padding; the keeper pads as TLS 1.3 does, come what may. */
static int
signing_set_params(void *arg, const OSSL_PARAM params[])
{
	(void)arg;
	(void)params;
	return 1;
}

static const OSSL_PARAM *
signing_settable_params(void *arg, void *provider)
{
	static const OSSL_PARAM params[] = {
	    OSSL_PARAM_utf8_string(OSSL_SIGNATURE_PARAM_PAD_MODE, NULL, 0),
	    OSSL_PARAM_utf8_string(OSSL_SIGNATURE_PARAM_PSS_SALTLEN, NULL, 0),
	    OSSL_PARAM_END,
	};

	(void)arg;
	(void)provider;
	return params;
}

#define FUNCTION(id, function)                             \
	{                                                  \
		OSSL_FUNC_##id, (void (*)(void))(function) \
	}
#define KEY_FUNCTIONS                                                     \
	FUNCTION(KEYMGMT_FREE, key_free), FUNCTION(KEYMGMT_HAS, key_has), \
	    FUNCTION(KEYMGMT_MATCH, key_match),                           \
	    FUNCTION(KEYMGMT_IMPORT, key_import),                         \
	    FUNCTION(KEYMGMT_IMPORT_TYPES, key_import_types),             \
	    FUNCTION(KEYMGMT_GET_PARAMS, key_get_params),                 \
	    FUNCTION(KEYMGMT_GETTABLE_PARAMS, key_gettable_params),       \
	{                                                                 \
		0, NULL                                                   \
	}

static const OSSL_DISPATCH ec_functions[] = {FUNCTION(KEYMGMT_NEW, ec_new),
    FUNCTION(KEYMGMT_QUERY_OPERATION_NAME, ec_operation), KEY_FUNCTIONS};
static const OSSL_DISPATCH rsa_functions[] = {
    FUNCTION(KEYMGMT_NEW, rsa_new), KEY_FUNCTIONS};
static const OSSL_DISPATCH ed25519_functions[] = {
    FUNCTION(KEYMGMT_NEW, ed25519_new), KEY_FUNCTIONS};
static const OSSL_DISPATCH signature_functions[] = {
    FUNCTION(SIGNATURE_NEWCTX, signing_new),
    FUNCTION(SIGNATURE_FREECTX, signing_free),
    FUNCTION(SIGNATURE_DIGEST_SIGN_INIT, signing_init),
    FUNCTION(SIGNATURE_DIGEST_SIGN_UPDATE, signing_update),
    FUNCTION(SIGNATURE_DIGEST_SIGN_FINAL, signing_final),
    FUNCTION(SIGNATURE_DIGEST_SIGN, signing_sign),
    FUNCTION(SIGNATURE_SET_CTX_PARAMS, signing_set_params),
    FUNCTION(SIGNATURE_SETTABLE_CTX_PARAMS, signing_settable_params),
    {0, NULL},
};

/* Under the names of the default provider, which TLS looks for. */
static const OSSL_ALGORITHM keys[] = {
    {"EC:id-ecPublicKey:1.2.840.10045.2.1", OURS, ec_functions, NULL},
    {"RSA:rsaEncryption:1.2.840.113549.1.1.1", OURS, rsa_functions, NULL},
    {"ED25519:1.3.101.112", OURS, ed25519_functions, NULL},
    {NULL, NULL, NULL, NULL},
};
static const OSSL_ALGORITHM signatures[] = {
    {"ECDSA", OURS, signature_functions, NULL},
    {"RSA:rsaEncryption:1.2.840.113549.1.1.1", OURS, signature_functions, NULL},
    {"ED25519:1.3.101.112", OURS, signature_functions, NULL},
    {NULL, NULL, NULL, NULL},
};

static const OSSL_ALGORITHM *
provider_query(void *provider, int operation, int *no_cache)
{
	(void)provider;
	*no_cache = 0;
	if (operation == OSSL_OP_KEYMGMT)
		return keys;
	return operation == OSSL_OP_SIGNATURE ? signatures : NULL;
}

static int
provider_init(const OSSL_CORE_HANDLE *handle, const OSSL_DISPATCH *in,
    const OSSL_DISPATCH **out, void **provider)
{
	static const OSSL_DISPATCH functions[] = {
	    FUNCTION(PROVIDER_QUERY_OPERATION, provider_query), {0, NULL}};

	(void)in;
	*out = functions;
	*provider = (void *)(uintptr_t)handle;
	return 1;
}

/* True if whoever asks for no provider gets the default one's keys. */
static bool
is_second(const char *kind)
{
	EVP_KEYMGMT *first = EVP_KEYMGMT_fetch(NULL, kind, NULL);
	bool second = first != NULL &&
	    strcmp(OSSL_PROVIDER_get0_name(EVP_KEYMGMT_get0_provider(first)),
		"default") == 0;

	EVP_KEYMGMT_free(first);
	return second;
}

static OSSL_PROVIDER *first, *ours;

/* Adds the provider behind the default one, once for the process. */
static bool
add_provider(void)
{
	if (ours != NULL)
		return true;
	first = OSSL_PROVIDER_load(NULL, "default");
	if (first != NULL &&
	    OSSL_PROVIDER_add_builtin(NULL, PROVIDER, provider_init) == 1)
		ours = OSSL_PROVIDER_load(NULL, PROVIDER);
	if (ours != NULL && is_second("EC") && is_second("RSA") &&
	    is_second("ED25519"))
		return true;
	signer_release();
	return false;
}

void
signer_release(void)
{
	if (ours != NULL)
		OSSL_PROVIDER_unload(ours);
	if (first != NULL)
		OSSL_PROVIDER_unload(first);
	first = ours = NULL;
}

/* A key of ours with this public half, or NULL. */
static EVP_PKEY *
key_of(const EVP_PKEY *public)
{
	EVP_PKEY_CTX *ctx = NULL;
	EVP_PKEY *key = NULL;
	OSSL_PARAM *params = NULL;

	for (size_t i = 0; i < sizeof(schemes) / sizeof(schemes[0]); i++)
		if (ctx == NULL && EVP_PKEY_is_a(public, schemes[i].kind))
			ctx = EVP_PKEY_CTX_new_from_name(
			    NULL, schemes[i].kind, OURS);
	if (ctx != NULL &&
	    EVP_PKEY_todata(public, EVP_PKEY_PUBLIC_KEY, &params) == 1 &&
	    EVP_PKEY_fromdata_init(ctx) == 1 &&
	    EVP_PKEY_fromdata(ctx, &key, EVP_PKEY_PUBLIC_KEY, params) != 1)
		key = NULL;
	OSSL_PARAM_free(params);
	EVP_PKEY_CTX_free(ctx);
	return key;
}

int
signer_attach(SSL_CTX *tls, char why[TLS_WHY_LEN])
{
	const X509 *certificate = SSL_CTX_get0_certificate(tls);
	EVP_PKEY *key = NULL;
	int done;

	ERR_clear_error();
	if (add_provider() && certificate != NULL)
		key = key_of(X509_get0_pubkey(certificate));
	done = key != NULL && SSL_CTX_use_PrivateKey(tls, key) == 1;
	EVP_PKEY_free(key);
	if (done)
		return 0;
	tls_reason(why, "cannot use the certificate's kind of key");
	return -1;
}
