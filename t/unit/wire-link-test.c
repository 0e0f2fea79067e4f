/* SPDX-License-Identifier: ISC */
/*
 * What is told of private links: which keys, places and passes are taken for
 * such, from a centre that may lie.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/wire.h"

#include "tap.h"

#define PASS "AAAAAAAAAAAAAAAAAAAA-AAAAAAAAAAAAAAAAAAA_A8"
#define KEY "sha256//AAAAAAAAAAAAAAAAAAAA+AAAAAAAAAAAAAAAAAAA/A8="

/* True if the string holds just that. */
static bool
holds(struct wire_string string, const char *text)
{
	return string.s != NULL && string.len == strlen(text) &&
	    memcmp(string.s, text, string.len) == 0;
}

/* What the decoder says of the place of a link with this member. */
static bool
place_taken(const char *host, const char *port, const char *pass)
{
	char line[512], why[WIRE_WHY_LEN];
	struct wire_link link;
	json_t *object;
	bool taken;

	snprintf(line, sizeof(line),
	    "{\"fingerprint\":\"" KEY "\",\"expires_in\":5,\"host\":\"%s\","
	    "\"port\":%s,\"pass\":\"%s\"}",
	    host, port, pass);
	object = wire_object(line, strlen(line), why);
	taken = wire_link_get(object, &link, LINK_PLACE) &&
	    link.expires_in == 5 && holds(link.host, host) &&
	    holds(link.pass, pass) && holds(link.fingerprint, KEY) &&
	    link.port == atoi(port);
	json_decref(object);
	return taken;
}

static void
test_links(void)
{
	static const char *const ports[] = {
	    "0", "1023", "65536", "\"2000\"", "-1", "2000.5", "true", NULL};
	static const char *const hosts[] = {"", "example.org", "localhost",
	    "1.2.3", "192.0.2.7:80", "[::1]", "fe80::1%eth0", NULL};

	ok(place_taken("192.0.2.7", "40000", PASS) &&
		place_taken("2001:db8::1", "1024", PASS) &&
		place_taken("::1", "null", PASS),
	    "places are taken, without a port as well");
	for (int i = 0; ports[i] != NULL; i++)
		ok(!place_taken("192.0.2.7", ports[i], PASS),
		    "the port %s is none", ports[i]);
	for (int i = 0; hosts[i] != NULL; i++)
		ok(!place_taken(hosts[i], "40000", PASS),
		    "the host \"%s\" is none", hosts[i]);
	ok(!place_taken("::1", "2000", "") &&
		!place_taken("::1", "2000", PASS "A"),
	    "a pass has its length");
	ok(wire_fingerprint_valid(KEY, strlen(KEY)) &&
		!wire_fingerprint_valid(KEY, strlen(KEY) - 1) &&
		!wire_fingerprint_valid(NULL, 0) &&
		!wire_fingerprint_valid("sha1//" KEY, WIRE_FINGERPRINT_LEN),
	    "a fingerprint has its form");
	ok(wire_hangup_find("asked", 5) == HANGUP_ASKED &&
		wire_hangup_find("aske", 4) == HANGUP_COUNT &&
		wire_hangup_find("", 0) == HANGUP_COUNT,
	    "reasons have names");
}

#define T "\"time\":\"2026-11-22T14:03:05.123Z\""
static void
test_bad_events(void)
{
	static const char *const lines[] = {
	    "{\"type\":\"ask\",\"mail\":1,\"from\":\"a\",\"request\":\"r\","
	    "\"expires_in\":1," T "}",
	    "{\"type\":\"ask\",\"mail\":1,\"from\":\"a\",\"request\":\"r\","
	    "\"fingerprint\":\"" KEY "\"," T "}",
	    "{\"type\":\"ask\",\"mail\":1,\"from\":\"a\",\"request\":\"r\","
	    "\"fingerprint\":\"md5//x\",\"expires_in\":1," T "}",
	    "{\"type\":\"ask\",\"mail\":1,\"from\":\"a\","
	    "\"fingerprint\":\"" KEY "\",\"expires_in\":1," T "}",
	    "{\"type\":\"declined\",\"mail\":1,\"user\":\"a\","
	    "\"request\":\"r\"," T "}",
	    "{\"type\":\"hangup\",\"mail\":1,\"user\":\"a\"," T "}",
	};

	for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++) {
		char why[WIRE_WHY_LEN], *ids;
		json_t *object = wire_object(lines[i], strlen(lines[i]), why);
		struct wire_event event;

		ok(wire_event_decode(object, &event, &ids) == -1,
		    "malformed: %s", lines[i]);
		json_decref(object);
	}
}
#undef T

static void
test_form(void)
{
	struct wire_event address = {.type = EVENT_ADDRESS,
	    .number = 8,
	    .user = {"bob", 3},
	    .id = {"r", 1},
	    .link = {.fingerprint = {KEY, strlen(KEY)},
		.host = {"192.0.2.7", 9},
		.pass = {PASS, strlen(PASS)}}};
	json_t *object = wire_event_encode(&address);
	size_t len = 0;
	char *line = wire_line(object, &len);

	is(line,
	    "{\"type\":\"address\",\"mail\":8,\"time\":"
	    "\"1970-01-01T00:00:00.000Z\",\"user\":\"bob\",\"request\":\"r\","
	    "\"fingerprint\":\"" KEY "\",\"expires_in\":0,\"host\":"
	    "\"192.0.2.7\",\"port\":null,\"pass\":\"" PASS "\"}\n",
	    "an address without a port");
	json_decref(object);
	free(line);
}

int
main(void)
{
	test_bad_events();
	test_form();
	test_links();
	return done();
}
