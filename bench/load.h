/* SPDX-License-Identifier: ISC */
/*
 * Clients that keep a server busy: real TLS 1.3 with a full handshake for
 * each connection, many at a time in one process, for a bounded time.
 */
#ifndef BENCH_LOAD_H
#define BENCH_LOAD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <openssl/ssl.h>

enum { LOAD_LINE_LEN = 512 }; /* the longest request, newline included */

struct load_plan {
	SSL_CTX *tls;
	uint16_t port; /* on 127.0.0.1 */
	int clients; /* at a time */
	int per_connection; /* requests, then a new connection */
	int window; /* sent at once; all are answered before the next */
	int64_t ms; /* to be counted, from when all clients run */
	long most; /* requests in all; 0: as many as there is time for */
	bool echo; /* the reply may be anything */
	/* Writes a line with its newline into out of LOAD_LINE_LEN octets. */
	size_t (*request)(const void *arg, int client, long number, char *out);
	const void *arg;
};

struct load_result {
	double seconds; /* that were counted */
	long answered; /* in them */
	long total, connections; /* counted or not */
	double client_cpu; /* seconds of ours, for all of it */
	double *rounds; /* microseconds a window; load_release() it */
	size_t round_count, round_size;
};

/* 0, or -1 after a complaint: an answer that was a refusal, or none. */
int load_run(const struct load_plan *plan, struct load_result *result);
void load_release(struct load_result *result);

/* Connects to the port; -1 with errno. */
int load_connect(uint16_t port);

/* True for a reply that says ok. */
bool load_accepted(const char *line);

#endif
