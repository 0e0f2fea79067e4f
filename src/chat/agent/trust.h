/* SPDX-License-Identifier: ISC */
/*
 * Is this the right centre: the pin, the authorities, or the public key that
 * was remembered in known_servers.  Runs in the agent (its courier thread
 * asks); asks nobody and logs nothing.
 */
#ifndef CHAT_AGENT_TRUST_H
#define CHAT_AGENT_TRUST_H

#include <openssl/ssl.h>

#include "lib/tls.h"

struct trust {
	const char *pin; /* this key and no other, or NULL */
	const char *ca; /* these authorities and no other, or NULL */
	const char *where; /* host:port, the key of a line in the file */
	char *known; /* the path of known_servers; owned */
};

enum trust_verdict {
	TRUST_YES,
	TRUST_UNKNOWN, /* nobody vouches for it: its user may */
	TRUST_CHANGED, /* another key is remembered in line of the file */
	TRUST_REFUSED, /* not what pin or ca want: see why */
};

enum { TRUST_TIME_LEN = 32 };

struct trust_result {
	enum trust_verdict verdict;
	char expired[TRUST_TIME_LEN]; /* since when the certificate is, or "" */
	char pin[TLS_PIN_LEN + 1];
	char known_pin[TLS_PIN_LEN + 1];
	int line;
	char why[TLS_WHY_LEN];
};

/* Sets a context up: which authorities count.  -1 with a sentence. */
int trust_context(
    const struct trust *trust, SSL_CTX *ctx, char why[TLS_WHY_LEN]);

/* After the handshake, before anything is said. */
void trust_check(
    const struct trust *trust, SSL *ssl, struct trust_result *result);

/* Remembers the public key for this centre; -1 with errno. */
int trust_remember(const struct trust *trust, const char *pin);

#endif
