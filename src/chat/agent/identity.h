/* SPDX-License-Identifier: ISC */
/*
 * The account's own key for private links: P-256, made at first use, with a
 * certificate that it signed itself.  Runs in the agent; tells nobody the
 * key, and logs nothing.
 */
#ifndef CHAT_AGENT_IDENTITY_H
#define CHAT_AGENT_IDENTITY_H

#include <openssl/evp.h>
#include <openssl/x509.h>

#include "lib/tls.h"

enum { IDENTITY_WHY_LEN = 1024 };

/*
 * The key alone is the identity: a certificate that is lost, or is not the
 * key's, is made anew and has the same fingerprint.
 */
struct identity {
	EVP_PKEY *key;
	X509 *cert;
	char pin[TLS_PIN_LEN + 1]; /* "sha256//…", for peer_fingerprint */
};

/*
 * Reads peer.key (mode 0600) and peer.pem from the account's directory, or
 * makes them: whole or not at all, and the same for two processes at once.
 * What is there and is no key is kept aside as peer.key.damaged-DATE, never
 * deleted.  0; 1 if there is something that the user should read, in why (a
 * damaged file, a new key in its place); -1 with a sentence in why.
 * identity_release() in all cases.
 */
int identity_load(
    struct identity *identity, const char *dir, char why[IDENTITY_WHY_LEN]);
void identity_release(struct identity *identity);

#endif
