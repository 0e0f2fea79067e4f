/* SPDX-License-Identifier: ISC */
/*
 * Certificate and key as files: what can be said of them without reading
 * the key.  For the master, and for the commands that check before it.
 */
#ifndef CHATD_PAIR_H
#define CHATD_PAIR_H

#include <stdint.h>

#include "lib/tls.h"

enum { PAIR_WARN_DAYS = 21 }; /* before a certificate's end */

/*
 * Opens a key's file; nothing is read from it.  -1 with a sentence where it
 * cannot be read, is no file, is open to everybody, or to a group's changes.
 */
int pair_key_open(const char *path, char why[TLS_WHY_LEN]);

typedef void pair_say(void *arg, const char *text);

/*
 * Says everything that is wrong with a certificate that serves, but not
 * everybody, not for long or not safely: it or one of its chain is not valid
 * yet or any more, or ends soon; it names nobody; others may change its file.
 * Each is a sentence.  The time is clock_wall().
 */
void pair_warn(
    const char *path, SSL_CTX *tls, int64_t now, pair_say *say, void *arg);

/* When the first of them ends, clock_wall(); -1 if that is not known. */
int64_t pair_ends(SSL_CTX *tls);

#endif
