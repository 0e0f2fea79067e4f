/* SPDX-License-Identifier: ISC */
/*
 * The account's own key for private links: P-256, made at first use, with a
 * certificate that it signed itself.  Runs in the agent; must never lose a
 * key that is there, nor let others read it, and logs nothing.
 */
#include "chat/agent/identity.h"

#include <sys/file.h>
#include <sys/stat.h>

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/rand.h>
#include <openssl/x509v3.h>

#include "lib/unix.h"

enum {
	FILE_MAX = 65536, /* a key takes some 240 octets */
	SERIAL_LEN = 16,
	TRIES = 4, /* missing, damaged, made by somebody else, there */
};

/* How a file was found. */
enum found { FOUND, FOUND_NONE, FOUND_DAMAGED, FOUND_TROUBLE };

/* One that is being made or read. */
struct home {
	const char *dir;
	char *key, *cert, *fresh; /* paths */
	int dir_fd;
	char *why;
	int status; /* 1 once why holds something that is to be read */
};

/* A file with a passphrase must fail, not ask on some terminal. */
static int
no_passphrase(char *buf, int size, int writing, void *arg)
{
	(void)buf;
	(void)size;
	(void)writing;
	(void)arg;
	return -1;
}

/* Leaves the sentence of a failed call behind. */
static void
fail(struct home *home, const char *what, const char *path)
{
	snprintf(home->why, IDENTITY_WHY_LEN, "%s %.500s: %s", what, path,
	    strerror(errno));
}

/* True for a whole key of the kind that private links have. */
static bool
key_good(EVP_PKEY *key)
{
	EVP_PKEY_CTX *ctx;
	char group[32];
	bool good;

	if (EVP_PKEY_get_group_name(key, group, sizeof(group), NULL) != 1 ||
	    strcmp(group, "prime256v1") != 0)
		return false;
	ctx = EVP_PKEY_CTX_new(key, NULL);
	good = ctx != NULL && EVP_PKEY_check(ctx) == 1;
	EVP_PKEY_CTX_free(ctx);
	return good;
}

/* The text of a file in memory: free the BIO, then wipe and free the text. */
static enum found
read_file(struct home *home, const char *path, char **text, size_t *len)
{
	*text = file_read(path, FILE_MAX, len);
	if (*text != NULL)
		return FOUND;
	if (errno == ENOENT)
		return FOUND_NONE;
	if (errno == EFBIG)
		return FOUND_DAMAGED;
	fail(home, "cannot read", path);
	return FOUND_TROUBLE;
}

/* Reads the key. */
static enum found
read_key(struct home *home, EVP_PKEY **key)
{
	char *text;
	size_t len;
	enum found found = read_file(home, home->key, &text, &len);
	BIO *bio;

	if (found != FOUND)
		return found;
	bio = BIO_new_mem_buf(text, (int)len);
	if (bio != NULL)
		*key = PEM_read_bio_PrivateKey(bio, NULL, no_passphrase, NULL);
	BIO_free(bio);
	explicit_bzero(text, len);
	free(text);
	if (*key != NULL && key_good(*key))
		return FOUND;
	EVP_PKEY_free(*key);
	*key = NULL;
	return FOUND_DAMAGED;
}

/* Reads the certificate, which has to be this key's. */
static enum found
read_cert(struct home *home, EVP_PKEY *key, X509 **cert)
{
	char *text;
	size_t len;
	enum found found = read_file(home, home->cert, &text, &len);
	BIO *bio;

	if (found != FOUND)
		return found;
	bio = BIO_new_mem_buf(text, (int)len);
	if (bio != NULL)
		*cert = PEM_read_bio_X509(bio, NULL, no_passphrase, NULL);
	BIO_free(bio);
	free(text);
	if (*cert != NULL && X509_check_private_key(*cert, key) == 1)
		return FOUND;
	X509_free(*cert);
	*cert = NULL;
	return FOUND_DAMAGED;
}

/* Keeps a damaged file aside, with a sentence that says what follows. */
static int
put_aside(struct home *home, const char *path, const char *follows)
{
	char *name = file_aside_name(path);

	if (name == NULL || rename(path, name) == -1) {
		fail(home, "it is damaged and cannot be moved aside:", path);
		free(name);
		return -1;
	}
	snprintf(home->why, IDENTITY_WHY_LEN,
	    "%.300s was damaged and has been moved aside to %.340s; %s", path,
	    name, follows);
	home->status = 1;
	free(name);
	return 0;
}

/* Writes what a BIO holds to a file that others may read or not. */
static int
write_bio(BIO *bio, const char *path, mode_t mode)
{
	char *data;
	long len = BIO_get_mem_data(bio, &data);

	if (len > 0)
		return file_replace(path, data, (size_t)len, mode);
	errno = ENOMEM;
	return -1;
}

/* Moves a new key to its place, where none may be. */
static int
settle(struct home *home)
{
	int status = link(home->fresh, home->key);

	/* The first of two is the one that counts. */
	if (status == -1 && errno == EEXIST)
		status = 0;
	/* Not every file system has links. */
	else if (status == -1)
		status = rename(home->fresh, home->key);
	if (status == -1)
		fail(home, "cannot make", home->key);
	unlink(home->fresh);
	if (status == 0 && home->dir_fd != -1)
		fsync(home->dir_fd);
	return status;
}

/* Makes a key, which is then read like any other. */
static int
make_key(struct home *home)
{
	EVP_PKEY *key = EVP_EC_gen("P-256");
	BIO *bio = BIO_new(BIO_s_secmem());
	int status = -1;

	errno = ENOMEM;
	if (key != NULL && bio != NULL &&
	    PEM_write_bio_PKCS8PrivateKey(
		bio, key, NULL, NULL, 0, NULL, NULL) == 1)
		status = write_bio(bio, home->fresh, 0600);
	if (status == -1)
		fail(home, "cannot write", home->key);
	BIO_free(bio);
	EVP_PKEY_free(key);
	return status == -1 ? -1 : settle(home);
}

/*
 * A certificate for the key.  It says nothing but the key: neither whose it
 * is nor when it was made, since any stranger gets to see it.
 */
static X509 *
sign(EVP_PKEY *key)
{
	X509 *cert = X509_new();
	X509_NAME *name;
	unsigned char octets[SERIAL_LEN];
	BIGNUM *serial;

	if (cert == NULL)
		return NULL;
	random_fill(octets, sizeof(octets));
	octets[0] &= 0x7f;
	serial = BN_bin2bn(octets, sizeof(octets), NULL);
	name = X509_get_subject_name(cert);
	if (serial != NULL &&
	    BN_to_ASN1_INTEGER(serial, X509_get_serialNumber(cert)) != NULL &&
	    X509_set_version(cert, X509_VERSION_3) == 1 &&
	    ASN1_TIME_set_string(
		X509_getm_notBefore(cert), "19700101000000Z") == 1 &&
	    ASN1_TIME_set_string(X509_getm_notAfter(cert), "99991231235959Z") ==
		1 &&
	    X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_ASC,
		(const unsigned char *)"chat-peer", -1, -1, 0) == 1 &&
	    X509_set_issuer_name(cert, name) == 1 &&
	    X509_set_pubkey(cert, key) == 1 &&
	    X509_sign(cert, key, EVP_sha256()) > 0) {
		BN_free(serial);
		return cert;
	}
	BN_free(serial);
	X509_free(cert);
	return NULL;
}

/* Makes the certificate; one that the disk has no room for will do, too. */
static int
make_cert(struct home *home, EVP_PKEY *key, X509 **cert)
{
	BIO *bio = BIO_new(BIO_s_mem());

	*cert = sign(key);
	if (*cert == NULL || bio == NULL ||
	    PEM_write_bio_X509(bio, *cert) != 1) {
		snprintf(home->why, IDENTITY_WHY_LEN,
		    "cannot make a certificate for %.500s", home->key);
		BIO_free(bio);
		return -1;
	}
	if (write_bio(bio, home->cert, 0600) == -1) {
		fail(home, "cannot write", home->cert);
		home->status = 1;
	}
	BIO_free(bio);
	return 0;
}

/* The key as it is on the disk in the end. */
static int
get_key(struct home *home, EVP_PKEY **key)
{
	for (int i = 0; i < TRIES; i++) {
		switch (read_key(home, key)) {
		case FOUND:
			return 0;
		case FOUND_TROUBLE:
			return -1;
		case FOUND_NONE:
			if (make_key(home) == -1)
				return -1;
			break;
		case FOUND_DAMAGED:
			if (put_aside(home, home->key,
				"there is a new key, and others will be told "
				"that it has changed.") == -1)
				return -1;
			break;
		}
	}
	snprintf(home->why, IDENTITY_WHY_LEN,
	    "%.500s is damaged as often as it is made", home->key);
	return -1;
}

/* The certificate, which follows from the key. */
static int
get_cert(struct home *home, EVP_PKEY *key, X509 **cert)
{
	switch (read_cert(home, key, cert)) {
	case FOUND:
		return 0;
	case FOUND_NONE:
		break;
	case FOUND_DAMAGED:
		if (put_aside(home, home->cert,
			"it has been made anew from the same key.") == -1)
			return -1;
		break;
	case FOUND_TROUBLE:
		return -1;
	}
	return make_cert(home, key, cert);
}

/* Others that could read the key cannot any more. */
static int
guard(struct home *home)
{
	struct stat st;

	if (stat(home->key, &st) == 0 && (st.st_mode & 077) == 0)
		return 0;
	if (chmod(home->key, 0600) == -1) {
		fail(home, "others can read", home->key);
		return -1;
	}
	snprintf(home->why, IDENTITY_WHY_LEN,
	    "others could read %.500s; now only its owner can.  If somebody "
	    "may have, delete it: a new key is made at the next start.",
	    home->key);
	home->status = 1;
	return 0;
}

/* A path in the directory, or NULL. */
static char *
path_in(const char *dir, const char *name)
{
	char *path;

	return asprintf(&path, "%s/%s", dir, name) == -1 ? NULL : path;
}

/* Names and lock; -1 without memory. */
static int
home_open(struct home *home, const char *dir, char why[IDENTITY_WHY_LEN])
{
	*why = '\0';
	*home = (struct home){.dir = dir, .why = why};
	home->key = path_in(dir, "peer.key");
	home->cert = path_in(dir, "peer.pem");
	home->fresh = path_in(dir, "peer.key.fresh");
	home->dir_fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (home->key == NULL || home->cert == NULL || home->fresh == NULL) {
		snprintf(why, IDENTITY_WHY_LEN, "no memory");
		return -1;
	}
	if (home->dir_fd == -1) {
		fail(home, "cannot open", dir);
		return -1;
	}
	/*
	 * Not every file system can lock directories; what is made goes to
	 * its place in one step in any case.
	 */
	while (flock(home->dir_fd, LOCK_EX) == -1 && errno == EINTR)
		;
	return 0;
}

static void
home_close(struct home *home)
{
	if (home->dir_fd != -1)
		close(home->dir_fd);
	free(home->key);
	free(home->cert);
	free(home->fresh);
	ERR_clear_error();
}

/* Reads the identity from the account's directory, or makes it. */
int
identity_load(
    struct identity *identity, const char *dir, char why[IDENTITY_WHY_LEN])
{
	struct home home;
	int status = -1;

	memset(identity, 0, sizeof(*identity));
	ERR_clear_error();
	if (home_open(&home, dir, why) == 0 &&
	    get_key(&home, &identity->key) == 0 && guard(&home) == 0 &&
	    get_cert(&home, identity->key, &identity->cert) == 0) {
		status = home.status;
		if (tls_pin(identity->cert, identity->pin) == -1) {
			snprintf(why, IDENTITY_WHY_LEN, "no memory");
			status = -1;
		}
	}
	home_close(&home);
	return status;
}

void
identity_release(struct identity *identity)
{
	X509_free(identity->cert);
	EVP_PKEY_free(identity->key);
	memset(identity, 0, sizeof(*identity));
}
