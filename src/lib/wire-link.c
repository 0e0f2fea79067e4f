/* SPDX-License-Identifier: ISC */
/*
 * What is told of a private link, as JSON and as a struct: keys, addresses,
 * passes, and why it ended.  Workers, the store and clients run it.  It must
 * never touch a descriptor, nor take a host that a name server would be asked
 * for.
 */
#include <arpa/inet.h>
#include <string.h>

#include "lib/wire.h"

static const char key_prefix[] = "sha256//";

enum {
	KEY_PREFIX_LEN = sizeof(key_prefix) - 1,
	PORT_FIRST = 1024, /* that needs no rights */
	PORT_LAST = 65535,
};

static const char *const hangups[HANGUP_COUNT] = {
#define X(hangup, name) [HANGUP_##hangup] = (name),
    WIRE_HANGUPS(X)
#undef X
};

const char *
wire_hangup_name(enum wire_hangup reason)
{
	return (unsigned)reason < HANGUP_COUNT ? hangups[reason] : "unknown";
}

enum wire_hangup
wire_hangup_find(const char *name, size_t len)
{
	int i = 0;

	while (i < HANGUP_COUNT &&
	    (strlen(hangups[i]) != len || memcmp(hangups[i], name, len) != 0))
		i++;
	return (enum wire_hangup)i;
}

/* True for the digits that 32 octets come to; the last two as given. */
static bool
digits_valid(const char *s, const char last_two[2])
{
	for (size_t i = 0; i < WIRE_TOKEN_LEN; i++) {
		char c = s[i];

		if (!(c >= 'a' && c <= 'z') && !(c >= 'A' && c <= 'Z') &&
		    !(c >= '0' && c <= '9') && c != last_two[0] &&
		    c != last_two[1])
			return false;
	}
	return true;
}

bool
wire_fingerprint_valid(const char *s, size_t len)
{
	/* Two bits of the last digit are left over and zero. */
	static const char ends[] = "AEIMQUYcgkosw048";

	return s != NULL && len == WIRE_FINGERPRINT_LEN &&
	    memcmp(s, key_prefix, KEY_PREFIX_LEN) == 0 && s[len - 1] == '=' &&
	    memchr(ends, s[len - 2], sizeof(ends) - 1) != NULL &&
	    digits_valid(s + KEY_PREFIX_LEN, "+/");
}

bool
wire_token_valid(const char *s, size_t len)
{
	return s != NULL && len == WIRE_TOKEN_LEN && digits_valid(s, "-_");
}

/* Sets a string; false for none, or without memory. */
static bool
put(json_t *object, const char *key, const struct wire_string *value)
{
	return json_object_set_new(
		   object, key, json_stringn(value->s, value->len)) == 0;
}

bool
wire_link_put(
    json_t *object, const struct wire_link *link, enum wire_link_part part)
{
	bool ok = true;

	if (part >= LINK_KEY)
		ok = put(object, "fingerprint", &link->fingerprint) &&
		    json_object_set_new(object, "expires_in",
			json_integer(link->expires_in)) == 0;
	if (part >= LINK_PLACE)
		ok = ok && put(object, "host", &link->host) &&
		    json_object_set_new(object, "port",
			link->port != 0 ? json_integer(link->port)
					: json_null()) == 0 &&
		    put(object, "pass", &link->pass);
	return ok;
}

/* Reads a string that must be there. */
static bool
get(const json_t *object, const char *key, struct wire_string *out)
{
	const json_t *value = json_object_get(object, key);

	*out = (struct wire_string){
	    json_string_value(value), json_string_length(value)};
	return json_is_string(value);
}

/* Nobody is to be looked up: numbers, of either family. */
static bool
host_valid(const struct wire_string *host)
{
	struct in6_addr octets;

	return inet_pton(AF_INET, host->s, &octets) == 1 ||
	    inet_pton(AF_INET6, host->s, &octets) == 1;
}

static bool
get_place(const json_t *object, struct wire_link *link)
{
	const json_t *port = json_object_get(object, "port");

	if (!get(object, "host", &link->host) || !host_valid(&link->host) ||
	    !get(object, "pass", &link->pass) ||
	    !wire_token_valid(link->pass.s, link->pass.len))
		return false;
	link->port = json_is_null(port) ? 0 : json_integer_value(port);
	return json_is_null(port) ||
	    (json_is_integer(port) && link->port >= PORT_FIRST &&
		link->port <= PORT_LAST);
}

bool
wire_link_get(
    const json_t *object, struct wire_link *link, enum wire_link_part part)
{
	memset(link, 0, sizeof(*link));
	if (part >= LINK_KEY) {
		link->expires_in = wire_get_number(object, "expires_in", -1);
		if (link->expires_in < 0 ||
		    !get(object, "fingerprint", &link->fingerprint) ||
		    !wire_fingerprint_valid(
			link->fingerprint.s, link->fingerprint.len))
			return false;
	}
	return part < LINK_PLACE || get_place(object, link);
}
