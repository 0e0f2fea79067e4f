/* SPDX-License-Identifier: ISC */
/*
 * Addresses as text and as networks.  Used by the settings' checks and by
 * the master's limits; never asks a resolver.
 */
#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>

#include "chatd/network.h"

/* A decimal number without sign or blanks, at most max; -1 if it is none. */
static long
number(const char *text, long max)
{
	long value = 0;

	if (!*text || strlen(text) > 5)
		return -1;
	for (; *text; text++) {
		if (*text < '0' || *text > '9')
			return -1;
		value = value * 10 + (*text - '0');
	}
	return value <= max ? value : -1;
}

/* Reads a numeric address of either family; -1 if it is none. */
static int
address_parse(const char *text, struct ipc_address *out)
{
	memset(out, 0, sizeof(*out));
	if (inet_pton(AF_INET, text, out->ip) == 1)
		out->family = AF_INET;
	else if (inet_pton(AF_INET6, text, out->ip) == 1)
		out->family = AF_INET6;
	else
		return -1;
	return 0;
}

/* Splits at the character; false if the first part is too long. */
static bool
cut(const char *text, const char *at, char first[IPC_ADDRESS_LEN])
{
	size_t len = (size_t)(at - text);

	if (len >= IPC_ADDRESS_LEN)
		return false;
	memcpy(first, text, len);
	first[len] = '\0';
	return true;
}

int
listen_parse(const char *text, struct sockaddr_storage *out, socklen_t *len)
{
	struct sockaddr_in6 v6 = {.sin6_family = AF_INET6};
	struct sockaddr_in v4 = {.sin_family = AF_INET};
	const char *colon = strrchr(text, ':');
	char host[IPC_ADDRESS_LEN];
	bool bracket = *text == '[';
	long port;

	if (!colon || (port = number(colon + 1, 65535)) == -1)
		return -1;
	if (bracket && (colon == text + 1 || colon[-1] != ']'))
		return -1;
	if (!cut(text + bracket, colon - bracket, host))
		return -1;
	memset(out, 0, sizeof(*out));
	if (bracket && inet_pton(AF_INET6, host, &v6.sin6_addr) == 1) {
		v6.sin6_port = htons((uint16_t)port);
		memcpy(out, &v6, *len = sizeof(v6));
		return 0;
	}
	if (!bracket && inet_pton(AF_INET, host, &v4.sin_addr) == 1) {
		v4.sin_port = htons((uint16_t)port);
		memcpy(out, &v4, *len = sizeof(v4));
		return 0;
	}
	return -1;
}

void
listen_text(const struct ipc_address *address, char out[NETWORK_TEXT_LEN])
{
	char host[IPC_ADDRESS_LEN];

	ipc_address_text(address, host);
	snprintf(out, NETWORK_TEXT_LEN,
	    address->family == AF_INET6 ? "[%s]:%u" : "%s:%u", host,
	    (unsigned)address->port);
}

int
network_parse(const char *text, struct network *out)
{
	const char *slash = strchr(text, '/');
	char host[IPC_ADDRESS_LEN];
	long bits, most;

	if (!cut(text, slash ? slash : text + strlen(text), host) ||
	    address_parse(host, &out->address) == -1)
		return -1;
	most = out->address.family == AF_INET ? 32 : 128;
	bits = slash ? number(slash + 1, most) : most;
	if (bits == -1)
		return -1;
	out->bits = (unsigned)bits;
	out->address = network_of(&out->address, out->bits);
	return 0;
}

struct ipc_address
network_of(const struct ipc_address *address, unsigned bits)
{
	struct ipc_address out = *address;

	out.port = 0;
	for (unsigned i = 0; i < sizeof(out.ip); i++) {
		if (bits >= 8 * (i + 1))
			continue;
		if (bits <= 8 * i)
			out.ip[i] = 0;
		else
			out.ip[i] &= (uint8_t)(0xff00 >> (bits - 8 * i));
	}
	return out;
}

bool
network_holds(const struct network *network, const struct ipc_address *address)
{
	struct ipc_address masked;

	if (network->address.family != address->family)
		return false;
	masked = network_of(address, network->bits);
	return memcmp(masked.ip, network->address.ip, sizeof(masked.ip)) == 0;
}
