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
 * cannot be read, is no file, or is open to everybody.
 */
int pair_key_open(const char *path, char why[TLS_WHY_LEN]);

/*
 * A sentence on a certificate that serves, but not everybody or not for
 * long: it names nobody, is not valid yet or any more, or ends soon.  ""
 * if there is nothing to say.  The time is clock_wall().
 */
void pair_warning(const X509 *certificate, int64_t now, char out[TLS_WHY_LEN]);

/* When it ends, clock_wall(); -1 if that is not known. */
int64_t pair_ends(const X509 *certificate);

#endif
