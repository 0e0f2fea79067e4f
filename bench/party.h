/* SPDX-License-Identifier: ISC */
/*
 * One client that talks with the centre line by line, for what is measured
 * one exchange at a time.
 */
#ifndef BENCH_PARTY_H
#define BENCH_PARTY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/tls.h"

struct bench;

struct party {
	const struct bench *bench;
	uint16_t port;
	struct tls_conn conn;
	bool open;
	int asked; /* on this connection */
};

bool party_open(struct party *party);
/* The next question opens another connection; twice does no harm. */
void party_close(struct party *party);

/*
 * Asks with a line that has its newline; the reply is valid until the next
 * one.  NULL after a complaint, also for a refusal.
 */
const char *party_ask(struct party *party, const char *line, size_t len);

/* From a user to another, by number; false after a complaint. */
bool party_send(
    struct party *party, int from, int to, const char *id, const char *text);

#endif
