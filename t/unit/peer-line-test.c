/* SPDX-License-Identifier: ISC */
/*
 * Lines between clients: what is malformed, whom a pass allows, replies.
 * Every cut of a good line, and octets at random, are taken as they come.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "chat/agent/peer-line.h"

#include "tap.h"

#define SECRET "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMN-_0"
#define PIN "sha256//AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA="
#define OTHER "sha256//BAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA="
#define ID "0123456789abcdef"
#define GOOD                                                              \
	"{\"op\":\"private\",\"pass\":\"" SECRET "\",\"from\":\"alice\"," \
	"\"id\":\"" ID "\",\"text\":\"hi\"}"

static const struct peer_pass pass = {
    .user = "alice", .secret = SECRET, .pin = PIN, .since = 0, .until = 1000};

/* Decodes a text; the sentence, "" if it is good. */
static const char *
decode(const char *text, size_t len, struct peer_line *line)
{
	static char why[WIRE_WHY_LEN];

	if (peer_line_decode(text, len, line, why) == 0)
		return "";
	return *why != '\0' ? why : "no sentence";
}

static void
test_malformed(void)
{
	static const struct {
		const char *line, *why;
	} cases[] = {
	    {"", "The line is not a JSON object."},
	    {"\026\003\001", "The line is not a JSON object."},
	    {"GET / HTTP/1.1\r", "The line is not a JSON object."},
	    {"[]", "The line is not a JSON object."},
	    {"{}", "The member \"op\" is missing."},
	    {"{\"op\":1}", "The member \"op\" is missing."},
	    {"{\"op\":\"send\"}", "The op is unknown."},
	    {"{\"op\":\"private\"}", "The member \"pass\" is missing."},
	    {"{\"op\":\"private\",\"pass\":7}",
		"The member \"pass\" is not a string."},
	    {"{\"op\":\"private\",\"pass\":null}",
		"The member \"pass\" is not a string."},
	    {"{\"op\":\"private\",\"pass\":\"x\",\"from\":\"alice\",\"id\":\"1"
	     "\",\"text\":\"hi\"}",
		"The id is not 16 to 64 of [A-Za-z0-9_-]."},
	    {"{\"op\":\"private\",\"pass\":\"x\",\"from\":\"alice\",\"id\":"
	     "\"" ID "\",\"text\":\"\"}",
		"The text is empty."},
	    {"{\"op\":\"private\",\"pass\":\"x\",\"from\":\"alice\",\"id\":"
	     "\"" ID "\",\"text\":\"\\u001b[2J\"}",
		"The text holds a control character."},
	};
	struct peer_line line;

	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		is(decode(cases[i].line, strlen(cases[i].line), &line),
		    cases[i].why, "malformed: %zu", i);
		peer_line_release(&line);
	}
}

/* Each beginning of a good line, and each with an octet changed. */
static void
test_cut(void)
{
	char text[sizeof(GOOD)];
	struct peer_line line;
	int good = 0;

	for (size_t len = 0; len < sizeof(GOOD) - 1; len++) {
		if (*decode(GOOD, len, &line) == '\0')
			good++;
		peer_line_release(&line);
	}
	is_number(good, 0, "no beginning of a line is a line");
	srand(1);
	for (int i = 0; i < 20000; i++) {
		memcpy(text, GOOD, sizeof(GOOD));
		for (int n = rand() % 4; n >= 0; n--)
			text[(size_t)rand() % (sizeof(GOOD) - 1)] =
			    (char)rand();
		decode(text, sizeof(GOOD) - 1, &line);
		peer_line_release(&line);
	}
	ok(true, "octets at random do no harm");
}

/* True if the line, which is well formed, is allowed. */
static bool
allowed(const char *secret, const char *from, const char *pin, int64_t now)
{
	const struct peer_pass other = {.user = "bob",
	    .secret = "zyxwvutsrqponmlkjihg",
	    .pin = OTHER,
	    .until = 1000};
	const struct peer_pass *const passes[] = {&other, &pass, &other};
	struct peer_pass as = {0};
	const struct peer_pass *found;
	struct peer_line line;
	size_t len;
	char *text;

	snprintf(as.secret, sizeof(as.secret), "%s", secret);
	text = peer_line_encode(&as, from, ID, "hi", &len);
	if (*decode(text, len - 1, &line) != '\0')
		return false;
	found = peer_line_judge(&line, pin, passes, 3, now);
	peer_line_release(&line);
	free(text);
	return found == &pass;
}

static void
test_judge(void)
{
	static const char nothing[] =
	    "{\"op\":\"private\",\"pass\":\"\",\"from\":\"alice\","
	    "\"id\":\"" ID "\",\"text\":\"hi\"}";
	static char longer[200];
	struct peer_pass blank = {.user = "alice", .pin = PIN, .until = 1000};
	const struct peer_pass *const none[] = {&blank};
	struct peer_line line;

	memset(longer, 'a', sizeof(longer) - 1);
	ok(allowed(SECRET, "alice", PIN, 0), "all is right");
	ok(allowed(SECRET, "alice", PIN, 999), "to its last moment");
	ok(!allowed(SECRET, "alice", PIN, 1000), "the pass has expired");
	ok(!allowed(SECRET, "alice", OTHER, 0), "another key");
	ok(!allowed(SECRET, "alice", "", 0), "no key");
	ok(!allowed(SECRET, "bob", PIN, 0), "another name");
	ok(!allowed(SECRET, "Alice", PIN, 0), "another case");
	ok(!allowed(SECRET, longer, PIN, 0), "a name of 199 octets");
	ok(!allowed("zyxwvutsrqponmlkjihg", "alice", PIN, 0),
	    "somebody else's pass");
	ok(!allowed("zyxwvutsrqponmlkjihg", "bob", PIN, 0),
	    "likewise, with their name");
	ok(!allowed("", "alice", PIN, 0), "no pass");
	ok(!allowed(SECRET "0", "alice", PIN, 0), "a longer pass");
	ok(!allowed(
	       "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMN-_", "alice", PIN, 0),
	    "a shorter pass");
	decode(nothing, sizeof(nothing) - 1, &line);
	ok(line.root != NULL && peer_line_judge(&line, PIN, none, 1, 0) == NULL,
	    "a pass that is not there is nobody's");
	ok(line.root != NULL && peer_line_judge(&line, PIN, NULL, 0, 0) == NULL,
	    "nor are no passes");
	peer_line_release(&line);
}

static void
test_replies(void)
{
	static const struct {
		const char *line;
		enum peer_result result;
	} cases[] = {
	    {"{\"ok\":true}", PEER_STORED},
	    {"{\"ok\":true,\"more\":[]}", PEER_STORED},
	    {"{\"ok\":false,\"error\":\"not-allowed\"}", PEER_REFUSED},
	    {"{\"ok\":false,\"error\":\"too-large\"}", PEER_TOO_LARGE},
	    {"{\"ok\":false,\"error\":\"busy\"}", PEER_BUSY},
	    {"{\"ok\":false,\"error\":\"bad-request\",\"text\":\"x\"}",
		PEER_MALFORMED},
	    {"{\"ok\":false,\"error\":\"blocked\"}", PEER_LOST},
	    {"{\"ok\":false,\"error\":7}", PEER_LOST},
	    {"{\"ok\":false}", PEER_LOST},
	    {"{\"ok\":\"true\"}", PEER_LOST},
	    {"{\"ok\":1}", PEER_LOST},
	    {"{\"error\":\"busy\"}", PEER_LOST},
	    {"{}", PEER_LOST},
	    {"true", PEER_LOST},
	    {"", PEER_LOST},
	    {"\033[2J", PEER_LOST},
	};
	char why[PEER_WHY_LEN];
	size_t len;
	char *line;

	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		ok(peer_reply_decode(cases[i].line, strlen(cases[i].line),
		       why) == cases[i].result,
		    "reply %zu: %s", i, peer_result_name(cases[i].result));
		if (cases[i].result != PEER_STORED)
			ok(*why != '\0', "with a sentence: %s", why);
	}
	line = peer_reply_encode(ERR_NONE, NULL, &len);
	is(line, "{\"ok\":true}\n", "the good reply");
	free(line);
	line = peer_reply_encode(ERR_NOT_ALLOWED, NULL, &len);
	is(line,
	    "{\"ok\":false,\"error\":\"not-allowed\","
	    "\"text\":\"That is not allowed.\"}\n",
	    "the other one");
	free(line);
}

int
main(void)
{
	test_malformed();
	test_cut();
	test_judge();
	test_replies();
	return done();
}
