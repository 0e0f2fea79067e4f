/* SPDX-License-Identifier: ISC */
/*
 * What the parts of a brief login share: brief.c asks and lists,
 * brief-account.c registers and changes the password, brief-queue.c sends
 * messages and keeps those that cannot be sent.  Runs in its process alone.
 */
#ifndef CHAT_AGENT_BRIEF_PARTS_H
#define CHAT_AGENT_BRIEF_PARTS_H

#include <stdbool.h>
#include <stdint.h>

#include <jansson.h>

#include "chat/account.h"
#include "chat/agent/centre.h"
#include "lib/line.h"
#include "lib/text.h"

struct brief {
	const struct account *account;
	struct trust trust;
	struct centre *centre;
	int fd;
	struct line_buf in;
	char pin[TLS_PIN_LEN + 1];
	char expired[TRUST_TIME_LEN]; /* the certificate, since when */
	char registration[16]; /* what the centre says of it */
	int64_t message_bytes;
	int64_t began; /* clock_mono(): the first try of what is asked */
	char password[PASSWORD_MAX_LEN + 1]; /* "" before the login */
};

/* What became of a request. */
struct brief_fate {
	bool asked; /* the reply is one to it, not to the login before it */
	bool doubt; /* a reply was lost: it may have been done before */
};

/*
 * Asks until there is an answer that is one, within bounds; login: as the
 * user.  fate may be NULL.
 */
json_t *brief_ask(
    struct brief *brief, json_t *request, bool login, struct brief_fate *fate);

/* The login of this connection; the reply. */
json_t *brief_enter(struct brief *brief);

/* The first one, tried until there is an answer that is one, within bounds. */
json_t *brief_log_in(struct brief *brief);

/* Takes the password for the logins to come; false if it can be none. */
bool brief_take(struct brief *brief, const char *password);

/* A string out of an object; "" if there is none. */
const char *brief_member(const json_t *object, const char *key);

/* The book's own fault, for the face. */
json_t *brief_fault(const char *why);

/* brief-account.c */

json_t *brief_register(struct brief *brief, const json_t *line);
json_t *brief_password(struct brief *brief, const json_t *line);

/* brief-queue.c */

json_t *brief_send(struct brief *brief, const json_t *line);
json_t *brief_queue(struct brief *brief, const json_t *line);

#endif
