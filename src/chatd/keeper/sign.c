/* SPDX-License-Identifier: ISC */
/*
 * The TLS private keys and what is signed with them.  Runs in the keeper's
 * loop, so that no signature waits for a password; never sends a key
 * anywhere, and never signs for anything but a handshake.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <openssl/crypto.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>

#include "chatd/keeper/sign.h"
#include "lib/log.h"
#include "lib/unix.h"

enum {
	KEYS = 2, /* the one in use, and one that is tried or was in use */
	FILE_MAX = 32768, /* a key of 8,192 bits has some 6,500 octets */
	SECURE = 131072, /* memory that is locked and never dumped */
	SECURE_LEAST = 32,
	RSA_LEAST = 2048,
	RSA_MOST = IPC_SIGNATURE_MAX * 8,
	PAD = 64, /* blanks at the beginning of what is signed */
	GROUP_LEN = 32,
};

/* RFC 8446, 4.4.3; the NUL at the end belongs to it. */
static const char context[] = "TLS 1.3, server CertificateVerify";

/* How a key of each kind signs, RFC 8446, 4.2.3. */
static const struct scheme {
	uint16_t code;
	const char *kind, *group, *digest; /* group, digest: NULL for none */
} schemes[] = {
    {0x0403, "EC", "prime256v1", "SHA256"},
    {0x0503, "EC", "secp384r1", "SHA384"},
    {0x0804, "RSA", NULL, "SHA256"},
    {0x0805, "RSA", NULL, "SHA384"},
    {0x0806, "RSA", NULL, "SHA512"},
    {0x0807, "ED25519", NULL, NULL},
};

/* A worker that has not asked yet. */
struct peer {
	struct sign *sign;
	struct loop_watch watch;
	int fd;
	uint32_t key;
};

struct sign {
	struct loop *loop;
	char *buffer;
	struct log_pace refusals, faults;
	struct {
		uint32_t number; /* 0: empty */
		EVP_PKEY *key;
	} keys[KEYS];
};

struct sign *
sign_new(struct loop *loop, char *buffer)
{
	struct sign *sign = calloc(1, sizeof(*sign));

	if (!sign)
		return NULL;
	/* What cannot be locked is still a place of its own. */
	CRYPTO_secure_malloc_init(SECURE, SECURE_LEAST);
	sign->loop = loop;
	sign->buffer = buffer;
	return sign;
}

bool
sign_content_ok(const uint8_t *content, size_t len)
{
	size_t hash = PAD + sizeof(context);

	if (len != hash + 32 && len != hash + 48)
		return false;
	for (size_t i = 0; i < PAD; i++)
		if (content[i] != ' ')
			return false;
	return memcmp(content + PAD, context, sizeof(context)) == 0;
}

/* True if a key of this kind signs by the scheme. */
static bool
fits(const struct scheme *scheme, const EVP_PKEY *key)
{
	char group[GROUP_LEN];

	if (!EVP_PKEY_is_a(key, scheme->kind))
		return false;
	return !scheme->group ||
	    (EVP_PKEY_get_group_name(key, group, sizeof(group), NULL) == 1 &&
		strcmp(group, scheme->group) == 0);
}

/* A file with a passphrase fails; nobody is asked for one. */
static int
no_passphrase(char *buf, int size, int writing, void *arg)
{
	(void)buf;
	(void)size;
	(void)writing;
	(void)arg;
	return -1;
}

/* Reads a whole file; its length, or -1 with errno. */
static ssize_t
read_file(int fd, char *out, size_t size)
{
	size_t len = 0;

	for (;;) {
		ssize_t got = pread(fd, out + len, size - len, (off_t)len);

		if (got == -1 && errno == EINTR)
			continue;
		if (got == -1)
			return -1;
		len += (size_t)got;
		if (got == 0)
			return (ssize_t)len;
		if (len == size) {
			errno = EFBIG;
			return -1;
		}
	}
}

/* Reads and parses a key; NULL with why. */
static EVP_PKEY *
parse(int fd, char why[TLS_WHY_LEN])
{
	char *text = OPENSSL_secure_malloc(FILE_MAX);
	ssize_t len = -1;
	EVP_PKEY *key = NULL;
	BIO *bio;

	if (!text)
		errno = ENOMEM;
	else
		len = read_file(fd, text, FILE_MAX);
	if (len == -1) {
		snprintf(why, TLS_WHY_LEN, "%s", strerror(errno));
		OPENSSL_secure_free(text);
		return NULL;
	}
	ERR_clear_error();
	bio = BIO_new_mem_buf(text, (int)len);
	if (bio)
		key = PEM_read_bio_PrivateKey(bio, NULL, no_passphrase, NULL);
	if (!key)
		tls_reason(why, NULL);
	BIO_free(bio);
	OPENSSL_secure_clear_free(text, FILE_MAX);
	return key;
}

/* True if some scheme signs with the key, and its size is in bounds. */
static bool
usable(const EVP_PKEY *key, char why[TLS_WHY_LEN])
{
	int bits = EVP_PKEY_get_bits(key);

	for (size_t i = 0; i < sizeof(schemes) / sizeof(schemes[0]); i++)
		if (fits(&schemes[i], key) &&
		    (strcmp(schemes[i].kind, "RSA") != 0 ||
			(bits >= RSA_LEAST && bits <= RSA_MOST)))
			return true;
	snprintf(why, TLS_WHY_LEN,
	    "it is none of ECDSA with P-256 or P-384, Ed25519, RSA of %d to "
	    "%d bits",
	    RSA_LEAST, RSA_MOST);
	return false;
}

/* Makes room for one key; which place is free now. */
static int
make_room(struct sign *sign, uint32_t keep)
{
	int place = 0;

	for (int i = 0; i < KEYS; i++) {
		if (sign->keys[i].number == keep && keep != 0)
			continue;
		EVP_PKEY_free(sign->keys[i].key);
		sign->keys[i].key = NULL;
		sign->keys[i].number = 0;
		place = i;
	}
	return place;
}

void
sign_load(struct sign *sign, const struct ipc_key *what, int fd,
    struct ipc_keyed *out, char why[TLS_WHY_LEN])
{
	int place = make_room(sign, what->keep);
	EVP_PKEY *key = parse(fd, why);

	memset(out, 0, sizeof(*out));
	out->key = what->key;
	if (!key)
		return;
	if (!usable(key, why)) {
		EVP_PKEY_free(key);
		return;
	}
	if (tls_key_pin(key, out->pin) == -1) {
		tls_reason(why, NULL);
		EVP_PKEY_free(key);
		return;
	}
	sign->keys[place].number = what->key;
	sign->keys[place].key = key;
}

/* The key of that number, or NULL. */
static EVP_PKEY *
key_of(const struct sign *sign, uint32_t number)
{
	for (int i = 0; i < KEYS; i++)
		if (number != 0 && sign->keys[i].number == number)
			return sign->keys[i].key;
	return NULL;
}

/* Signs by the scheme; false if OpenSSL would not. */
static bool
make(EVP_PKEY *key, const struct scheme *scheme, const struct ipc_sign *what,
    struct ipc_signed *out)
{
	EVP_MD_CTX *ctx = EVP_MD_CTX_new();
	EVP_PKEY_CTX *how;
	size_t len = sizeof(out->signature);
	bool done;

	done = ctx &&
	    EVP_DigestSignInit_ex(
		ctx, &how, scheme->digest, NULL, NULL, key, NULL) == 1 &&
	    (strcmp(scheme->kind, "RSA") != 0 ||
		(EVP_PKEY_CTX_set_rsa_padding(how, RSA_PKCS1_PSS_PADDING) ==
			1 &&
		    EVP_PKEY_CTX_set_rsa_pss_saltlen(
			how, RSA_PSS_SALTLEN_DIGEST) == 1)) &&
	    EVP_DigestSign(
		ctx, out->signature, &len, what->content, what->len) == 1;
	EVP_MD_CTX_free(ctx);
	ERR_clear_error();
	out->len = (uint16_t)len;
	return done;
}

/* Sends a signature; a worker that is gone meanwhile needs none. */
static bool
hand_out(const struct peer *peer, uint32_t number, const struct ipc_signed *out)
{
	return ipc_send(peer->fd, IPC_SIGNED, number, out, NULL, 0, -1) == 0 ||
	    errno == EPIPE || errno == ECONNRESET;
}

/* Answers a worker; false, with nothing sent, to what it may not ask. */
static bool
answer(struct peer *peer, const struct ipc_frame *frame)
{
	EVP_PKEY *key = key_of(peer->sign, peer->key);
	struct ipc_signed out = {0};
	struct ipc_sign what;

	memcpy(&what, frame->body, sizeof(what));
	if (what.len > sizeof(what.content) ||
	    !sign_content_ok(what.content, what.len) || !key)
		return false;
	for (size_t i = 0; i < sizeof(schemes) / sizeof(schemes[0]); i++)
		if (schemes[i].code == what.scheme && fits(&schemes[i], key))
			return make(key, &schemes[i], &what, &out) &&
			    hand_out(peer, frame->number, &out);
	return false;
}

/* Forgets a worker. */
static void
leave(struct peer *peer)
{
	loop_remove(peer->sign->loop, &peer->watch);
	close(peer->fd);
	free(peer);
}

/*
 * A worker asks, or has gone.  A handshake takes one signature: with it, or
 * with anything else that was said, the channel has done its duty.
 */
static void
asked(void *arg, unsigned events)
{
	struct peer *peer = arg;
	struct ipc_frame frame;
	int got = ipc_receive(
	    peer->fd, ROLE_KEEPER, ROLE_WORKER, peer->sign->buffer, &frame);

	(void)events;
	if (got == -1 && errno == EAGAIN)
		return;
	if ((got == -1 && errno != ECONNRESET) ||
	    (got == 1 && !answer(peer, &frame)))
		log_paced(
		    &peer->sign->refusals, "a worker was refused a signature");
	leave(peer);
}

void
sign_introduce(struct sign *sign, uint32_t key, int fd)
{
	struct peer *peer = calloc(1, sizeof(*peer));

	if (peer) {
		peer->sign = sign;
		peer->fd = fd;
		peer->key = key;
	}
	if (peer && fd_nonblock(fd, true) == 0 &&
	    loop_add(sign->loop, &peer->watch, fd, LOOP_READ, asked, peer) == 0)
		return;
	log_paced(&sign->faults, "cannot watch a worker's channel: %m");
	close(fd);
	free(peer);
}
