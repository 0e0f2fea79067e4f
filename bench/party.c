/* SPDX-License-Identifier: ISC */
/*
 * A client of the benchmark that waits for each answer.  Must never take a
 * refusal for one.
 */
#include <stdio.h>

#include "bench.h"
#include "party.h"
#include "lib/unix.h"

enum { PATIENCE_MS = 10000, SEND_LEN = 1024 };

void
party_close(struct party *party)
{
	if (party->open)
		tls_conn_close(&party->conn, 0);
	party->open = false;
}

bool
party_open(struct party *party)
{
	int64_t until = clock_mono() + PATIENCE_MS;
	int fd = load_connect(party->port);

	if (fd == -1)
		return false;
	party->open = true;
	party->asked = 0;
	return tls_conn_open(&party->conn, party->bench->tls, fd, false,
		   "127.0.0.1") == 0 &&
	    tls_handshake(&party->conn, TLS_ALPN_CENTRE, until) == TLS_OK;
}

const char *
party_ask(struct party *party, const char *line, size_t len)
{
	int64_t until = clock_mono() + PATIENCE_MS;
	char *reply;

	if (party->asked == WIRE_REQUESTS_MAX)
		party_close(party);
	if ((!party->open && !party_open(party)) ||
	    tls_write(&party->conn, line, len, until) != TLS_OK ||
	    tls_read_line(&party->conn, &reply, &len, until) != TLS_OK) {
		if (!interrupted())
			complain("no reply: %s", party->conn.why);
		return NULL;
	}
	party->asked++;
	if (load_accepted(reply))
		return reply;
	complain("refused: %s", reply);
	return NULL;
}

bool
party_send(
    struct party *party, int from, int to, const char *id, const char *text)
{
	char line[SEND_LEN], token[WIRE_TOKEN_LEN + 1], name[NAME_MAX_LEN + 1];
	int len;

	centre_token(&party->bench->ground, from, token);
	centre_user(to, name);
	len = snprintf(line, sizeof(line),
	    "{\"op\":\"send\",\"token\":\"%s\",\"id\":\"%s\",\"to\":\"%s\","
	    "\"text\":\"%s\"}\n",
	    token, id, name, text);
	return party_ask(party, line, (size_t)len) != NULL;
}
