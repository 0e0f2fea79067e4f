/* SPDX-License-Identifier: ISC */
/*
 * Addresses as a person writes them in chatd.conf(5): what to listen on, and
 * networks (RFC 4632, RFC 4291).  Pure and numeric: nothing is looked up.
 */
#ifndef CHATD_NETWORK_H
#define CHATD_NETWORK_H

#include <stdbool.h>
#include <sys/socket.h>

#include "chatd/ipc.h"

enum { NETWORK_TEXT_LEN = IPC_ADDRESS_LEN + 8 }; /* "[ADDRESS]:PORT" */

struct network {
	struct ipc_address address; /* the port means nothing */
	unsigned bits;
};

/* ADDRESS:PORT or [ADDRESS]:PORT; port 0 is any.  -1 if it is neither. */
int listen_parse(
    const char *text, struct sockaddr_storage *out, socklen_t *len);

/* The other way, with the brackets of IPv6. */
void listen_text(const struct ipc_address *address, char out[NETWORK_TEXT_LEN]);

/* ADDRESS or ADDRESS/BITS; -1 if it is neither. */
int network_parse(const char *text, struct network *out);

bool network_holds(
    const struct network *network, const struct ipc_address *address);

/* The address with all but its first bits set to 0, and no port. */
struct ipc_address network_of(const struct ipc_address *address, unsigned bits);

#endif
