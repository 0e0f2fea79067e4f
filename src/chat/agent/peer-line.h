/* SPDX-License-Identifier: ISC */
/*
 * What one client says to another: lines and replies, and whether a pass
 * allows a line.  Pure: no descriptor, no clock.  chat-protocol(7) is the
 * same in words.
 */
#ifndef CHAT_AGENT_PEER_LINE_H
#define CHAT_AGENT_PEER_LINE_H

#include <stddef.h>
#include <stdint.h>

#include <jansson.h>

#include "chat/agent/peer.h"
#include "lib/wire.h"

/* A line as it was said; the strings belong to root. */
struct peer_line {
	json_t *root;
	struct wire_string pass, from, id, text;
};

/*
 * Decodes a line (without its newline).  0, or -1 with a sentence for
 * bad-request.  peer_line_release() in both cases.
 */
int peer_line_decode(const char *line, size_t len, struct peer_line *out,
    char why[WIRE_WHY_LEN]);
void peer_line_release(struct peer_line *line);

/*
 * The pass that allows this line, said by whoever has the key with that
 * fingerprint; or NULL.  It takes the same time for all that is not allowed.
 */
const struct peer_pass *peer_line_judge(const struct peer_line *line,
    const char *pin, const struct peer_pass *const *passes, size_t count,
    int64_t now);

/* A line to say, in fresh memory (wipe and free it); never NULL. */
char *peer_line_encode(const struct peer_pass *pass, const char *from,
    const char *id, const char *text, size_t *len);

/* A reply, likewise; ERR_NONE is the good one, text NULL the error's own. */
char *peer_reply_encode(enum wire_error error, const char *text, size_t *len);

/*
 * What a reply means: PEER_STORED, PEER_REFUSED, PEER_TOO_LARGE, PEER_BUSY,
 * PEER_MALFORMED, or PEER_LOST for what is no reply; with a sentence for the
 * log, in which the other end's words stand as they came.
 */
enum peer_result peer_reply_decode(
    const char *line, size_t len, char why[PEER_WHY_LEN]);

#endif
