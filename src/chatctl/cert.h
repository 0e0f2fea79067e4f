/* SPDX-License-Identifier: ISC */
/*
 * Certificates: made by the scripts of certs/, read by OpenSSL.
 */
#ifndef CHATCTL_CERT_H
#define CHATCTL_CERT_H

#include <stdbool.h>
#include <stdint.h>

#include "chatctl/commands.h"
#include "lib/tls.h"

enum { CERT_NAMES_LEN = 2048 };

/* What a certificate says. */
struct cert {
	char names[CERT_NAMES_LEN]; /* separated by blanks, as it gives them */
	char first[256]; /* of them, as a client would type it */
	char pin[TLS_PIN_LEN + 1];
	int64_t begins, ends; /* wall clock, milliseconds */
};

/* Reads the file; -1 with a sentence in why, and errno or 0. */
int cert_read(const char *path, struct cert *cert, char why[TLS_WHY_LEN]);

/*
 * Makes an authority, unless one is there, and a certificate.  With force
 * all of it is replaced.  An exit status after the reason.
 */
int cert_make(
    const struct settings *settings, const char *const *hosts, bool force);

/* NULL-terminated: this machine's names, for want of better ones. */
const char *const *cert_hosts(void);

/* Prints paths, names, expiry, pin and how a client uses it. */
void cert_print(
    const struct settings *settings, const struct cert *cert, bool json);

#endif
