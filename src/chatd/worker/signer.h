/* SPDX-License-Identifier: ISC */
/*
 * A small OpenSSL 3 provider (provider-keymgmt(7), provider-signature(7)):
 * its keys have a public half only, and their signatures come from the
 * keeper.  Set up by the master before it forks, used by the workers.
 */
#ifndef CHATD_WORKER_SIGNER_H
#define CHATD_WORKER_SIGNER_H

#include <stdint.h>

#include "lib/tls.h"

/*
 * Gives a context that has its certificate a key of the provider; -1 with a
 * sentence in why.
 */
int signer_attach(SSL_CTX *tls, char why[TLS_WHY_LEN]);

/*
 * The channel on which a signature is asked for, once, and until when, in
 * clock_mono(); -1 for none.  It stays the caller's.
 */
void signer_use(int sock, int64_t until);

/* Lets go of the provider, after all contexts that use it. */
void signer_release(void);

/* True if the keeper was asked and did not sign. */
bool signer_failed(void);

#endif
