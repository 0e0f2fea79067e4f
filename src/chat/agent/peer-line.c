/* SPDX-License-Identifier: ISC */
/*
 * What one client says to another: lines and replies, and whether a pass
 * allows a line.  Runs in the agent; must never tell one refusal from
 * another, neither by words nor by time.
 */
#include "chat/agent/peer-line.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

#include <openssl/crypto.h>

#include "lib/log.h"

/* What has to be right, padded so that it is compared as a whole. */
struct claim {
	char user[NAME_MAX_LEN + 1];
	char secret[PEER_PASS_MAX_LEN + 1];
	char pin[TLS_PIN_LEN + 1];
};

/* Takes a member that is a string; -1 with a sentence. */
static int
take(const json_t *root, const char *key, struct wire_string *out,
    char why[WIRE_WHY_LEN])
{
	const json_t *value = json_object_get(root, key);

	if (!json_is_string(value)) {
		snprintf(why, WIRE_WHY_LEN,
		    value == NULL ? "The member \"%s\" is missing."
				  : "The member \"%s\" is not a string.",
		    key);
		return -1;
	}
	out->s = json_string_value(value);
	out->len = json_string_length(value);
	return 0;
}

/* The members of a line that can be right. */
static int
check(const struct peer_line *line, char why[WIRE_WHY_LEN])
{
	const char *what = NULL;

	if (!id_valid(line->id.s, line->id.len))
		what = "The id is not 16 to 64 of [A-Za-z0-9_-].";
	else if (line->text.len == 0)
		what = "The text is empty.";
	else if (text_bad_at(line->text.s, line->text.len) != -1)
		what = "The text holds a control character.";
	if (what == NULL)
		return 0;
	snprintf(why, WIRE_WHY_LEN, "%s", what);
	return -1;
}

int
peer_line_decode(
    const char *line, size_t len, struct peer_line *out, char why[WIRE_WHY_LEN])
{
	const char *op;

	memset(out, 0, sizeof(*out));
	*why = '\0';
	if ((out->root = wire_object(line, len, why)) == NULL)
		return -1;
	op = wire_get_string(out->root, "op");
	if (op == NULL || strcmp(op, "private") != 0) {
		snprintf(why, WIRE_WHY_LEN,
		    op == NULL ? "The member \"op\" is missing."
			       : "The op is unknown.");
		return -1;
	}
	if (take(out->root, "pass", &out->pass, why) == -1 ||
	    take(out->root, "from", &out->from, why) == -1 ||
	    take(out->root, "id", &out->id, why) == -1 ||
	    take(out->root, "text", &out->text, why) == -1)
		return -1;
	return check(out, why);
}

void
peer_line_release(struct peer_line *line)
{
	json_decref(line->root);
	memset(line, 0, sizeof(*line));
}

/* Fills a field; what does not fit is cut, and then differs. */
static void
fill(char *field, size_t size, const char *s, size_t len)
{
	memset(field, 0, size);
	memcpy(field, s, len < size ? len : size);
}

#define FILL(field, s, len) fill(field, sizeof(field), s, len)

const struct peer_pass *
peer_line_judge(const struct peer_line *line, const char *pin,
    const struct peer_pass *const *passes, size_t count, int64_t now)
{
	const struct peer_pass *found = NULL;
	struct claim said, pass;

	FILL(said.user, line->from.s, line->from.len);
	FILL(said.secret, line->pass.s, line->pass.len);
	FILL(said.pin, pin, strlen(pin));
	/* All of them, each as a whole: what is wrong does not show. */
	for (size_t i = 0; i < count; i++) {
		size_t len = strnlen(passes[i]->secret, PEER_PASS_MAX_LEN);

		FILL(pass.user, passes[i]->user,
		    strnlen(passes[i]->user, NAME_MAX_LEN));
		FILL(pass.secret, passes[i]->secret, len);
		FILL(pass.pin, passes[i]->pin,
		    strnlen(passes[i]->pin, TLS_PIN_LEN));
		if ((CRYPTO_memcmp(&said, &pass, sizeof(said)) == 0) &
		    (len >= PEER_PASS_MIN_LEN) & (now < passes[i]->until))
			found = passes[i];
	}
	OPENSSL_cleanse(&said, sizeof(said));
	OPENSSL_cleanse(&pass, sizeof(pass));
	return found;
}

/* An object as a line; frees it. */
static char *
encode(json_t *object, size_t *len)
{
	char *line = object != NULL ? wire_line(object, len) : NULL;

	json_decref(object);
	if (line == NULL)
		fatal(EX_OSERR, "no memory for a line");
	return line;
}

char *
peer_line_encode(const struct peer_pass *pass, const char *from, const char *id,
    const char *text, size_t *len)
{
	return encode(
	    json_pack("{s:s s:s s:s s:s s:s}", "op", "private", "pass",
		pass->secret, "from", from, "id", id, "text", text),
	    len);
}

char *
peer_reply_encode(enum wire_error error, const char *text, size_t *len)
{
	return encode(error == ERR_NONE ? wire_accept(NULL)
					: wire_refuse(NULL, error, text),
	    len);
}

/* What the errors mean that a client gives another one. */
static enum peer_result
result_of(enum wire_error error)
{
	switch (error) {
	case ERR_NOT_ALLOWED:
		return PEER_REFUSED;
	case ERR_TOO_LARGE:
		return PEER_TOO_LARGE;
	case ERR_BUSY:
		return PEER_BUSY;
	case ERR_BAD_REQUEST:
		return PEER_MALFORMED;
	default:
		return PEER_LOST;
	}
}

enum peer_result
peer_reply_decode(const char *line, size_t len, char why[PEER_WHY_LEN])
{
	char reason[WIRE_WHY_LEN];
	json_t *root = wire_object(line, len, reason);
	const char *error, *text;
	enum peer_result result = PEER_LOST;

	*why = '\0';
	if (root == NULL) {
		snprintf(why, PEER_WHY_LEN, "no reply: %s", reason);
		return PEER_LOST;
	}
	error = wire_get_string(root, "error");
	text = wire_get_string(root, "text");
	if (json_is_true(json_object_get(root, "ok")))
		result = PEER_STORED;
	else if (json_is_false(json_object_get(root, "ok")) && error != NULL)
		result = result_of(wire_error_find(error));
	if (result == PEER_LOST)
		snprintf(why, PEER_WHY_LEN, "a reply that is none: %.100s",
		    error != NULL ? error : "neither yes nor no");
	else if (result != PEER_STORED)
		snprintf(why, PEER_WHY_LEN, "%.100s: %.300s", error,
		    text != NULL ? text : "no reason");
	json_decref(root);
	return result;
}
