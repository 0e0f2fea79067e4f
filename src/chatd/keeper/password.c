/* SPDX-License-Identifier: ISC */
/*
 * Hashing and checking of passwords with libsodium.  Runs in the keeper, and
 * in chatctl where no centre runs; never keeps a password.
 */
#include <errno.h>
#include <string.h>

#include <sodium.h>

#include "chatd/keeper/password.h"
#include "lib/unix.h"

enum {
	PASSES = 2,
	MEMORY = 19922944, /* 19 MiB: what OWASP asks for with two passes */
};

_Static_assert(crypto_pwhash_STRBYTES == IPC_HASH_MAX + 1,
    "a hash fits where the centre carries it");

/* What an unknown name is checked against: the hash of nobody's password. */
static char nobody[IPC_HASH_MAX + 1];

/* Hashes once the library runs. */
static int
hash_string(const char *password, char out[IPC_HASH_MAX + 1])
{
	return crypto_pwhash_str_alg(out, password, strlen(password), PASSES,
	    MEMORY, crypto_pwhash_ALG_ARGON2ID13);
}

int
password_init(void)
{
	unsigned char octets[32];
	char random[2 * sizeof(octets) + 1];
	int result;

	if (*nobody)
		return 0;
	if (sodium_init() == -1)
		return -1;
	random_fill(octets, sizeof(octets));
	sodium_bin2hex(random, sizeof(random), octets, sizeof(octets));
	result = hash_string(random, nobody);
	ipc_wipe(octets, sizeof(octets));
	ipc_wipe(random, sizeof(random));
	if (result == -1)
		*nobody = '\0';
	return result;
}

int
password_hash(const char *password, char out[IPC_HASH_MAX + 1])
{
	return password_init() == -1 ? -1 : hash_string(password, out);
}

enum verdict
password_verify(const char *hash, const char *password)
{
	bool known = *hash != '\0';

	if (password_init() == -1)
		return VERDICT_FAULT;
	if (known &&
	    strncmp(hash, crypto_pwhash_argon2id_STRPREFIX,
		strlen(crypto_pwhash_argon2id_STRPREFIX)) != 0)
		return VERDICT_FAULT;
	errno = 0;
	if (crypto_pwhash_str_verify(
		known ? hash : nobody, password, strlen(password)) == 0)
		return known ? VERDICT_YES : VERDICT_NO;
	/* The library tells a mismatch from want of memory by errno alone. */
	return errno == EINVAL ? VERDICT_NO : VERDICT_FAULT;
}

bool
password_check(const char *hash, const char *password)
{
	return password_verify(hash, password) == VERDICT_YES;
}
