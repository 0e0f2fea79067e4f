/* SPDX-License-Identifier: ISC */
/*
 * One TLS connection: handshake, read requests, ask the store, reply, exit.
 */
#ifndef CHATD_WORKER_H
#define CHATD_WORKER_H

#include <openssl/ssl.h>

#include "chatd/ipc.h"
#include "chatd/settings.h"

/* What the master hands to a worker; all of it was there before the fork. */
struct worker_start {
	int client; /* the accepted connection */
	int store; /* the channel whose other end the store has */
	int signer; /* the channel whose other end the keeper has */
	SSL_CTX *tls; /* its key signs through the keeper */
	const struct settings *settings;
	struct ipc_address from;
	bool exempt; /* from limits per address */
};

/* Serves the connection and exits with an enum worker_exit. */
_Noreturn void worker_main(const struct worker_start *start);

#endif
