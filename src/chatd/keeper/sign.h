/* SPDX-License-Identifier: ISC */
/*
 * The keeper's end of a handshake: holds the TLS private keys, signs for
 * workers whom the master has introduced.  It signs what a TLS 1.3 server's
 * CertificateVerify signs and nothing else, once on each channel.
 */
#ifndef CHATD_SIGN_H
#define CHATD_SIGN_H

#include "chatd/ipc.h"
#include "lib/loop.h"

struct sign;

/* NULL if there is no memory; buffer has IPC_FRAME_MAX octets. */
struct sign *sign_new(struct loop *loop, char *buffer);

/*
 * Reads a PEM key from a descriptor, from its beginning, and answers what
 * out is to hold; without a pin in it, why is the reason.
 */
void sign_load(struct sign *sign, const struct ipc_key *what, int fd,
    struct ipc_keyed *out, char why[TLS_WHY_LEN]);

/* Takes over a worker's channel, which that key may sign for. */
void sign_introduce(struct sign *sign, uint32_t key, int fd);

/* True if this is what a server's CertificateVerify signs. */
bool sign_content_ok(const uint8_t *content, size_t len);

#endif
