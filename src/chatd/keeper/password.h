/* SPDX-License-Identifier: ISC */
/*
 * Argon2id (RFC 9106) at 19 MiB and two passes.  Run by the keeper's threads
 * and by chatctl; each call takes some 25 ms of CPU and gives its memory back.
 */
#ifndef CHATD_PASSWORD_H
#define CHATD_PASSWORD_H

#include <stdbool.h>

#include "chatd/ipc.h"

/*
 * Before any thread calls the functions below; they do it themselves where
 * there are no threads.  -1 if the library will not start.
 */
int password_init(void);

/* A hash with a fresh salt; -1 if there is no memory. */
int password_hash(const char *password, char out[IPC_HASH_MAX + 1]);

/*
 * VERDICT_YES, VERDICT_NO, or VERDICT_FAULT where there is no memory or the
 * hash is not one.  A hash of "" costs what another one does, and is a no.
 */
enum verdict password_verify(const char *hash, const char *password);

/* True if the password is the one of the hash; a fault is a no. */
bool password_check(const char *hash, const char *password);

#endif
