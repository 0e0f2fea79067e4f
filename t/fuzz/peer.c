/* SPDX-License-Identifier: ISC */
/*
 * What another client says over a private link: its line, before anything
 * is known of it, and whether a pass allows it; and its reply.
 */
#include <string.h>

#include "chat/agent/peer-line.h"
#include "lib/line.h"
#include "lib/text.h"
#include "fuzz.h"

enum { UNTIL = 1000 };

#define KEY "sha256//AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA="

/* The first is that of an input. */
static const struct peer_pass given[] = {
    {.user = "alice",
	.secret = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMN-_0",
	.pin = KEY,
	.until = UNTIL},
    {.user = "bob", .secret = "short", .pin = KEY, .until = UNTIL},
};

static bool understood;

bool
fuzz_understood(void)
{
	return understood;
}

static bool
is(const struct wire_string *said, const char *text)
{
	return said->len == strlen(text) &&
	    memcmp(said->s, text, said->len) == 0;
}

/* Allowed if all of one pass is right and it still holds, else never. */
static void
judge(const struct peer_line *line, const char *pin, int64_t now)
{
	const struct peer_pass *passes[] = {&given[0], &given[1]};
	const struct peer_pass *found, *right = NULL;

	if (is(&line->from, given[0].user) &&
	    is(&line->pass, given[0].secret) &&
	    strcmp(pin, given[0].pin) == 0 && now < UNTIL)
		right = &given[0];
	found = peer_line_judge(line, pin, passes, 2, now);
	/* The second one is no pass: it is too short to be a secret. */
	CLAIM(found == right);
	CLAIM(peer_line_judge(line, pin, passes + 1, 1, now) == NULL);
	CLAIM(peer_line_judge(line, pin, NULL, 0, now) == NULL);
}

int
LLVMFuzzerTestOneInput(const uint8_t *octets, size_t size)
{
	char why[WIRE_WHY_LEN] = "", told[PEER_WHY_LEN] = "";
	const char *data = (const char *)octets;
	struct peer_line line;
	enum peer_result result;

	understood = false;
	if (peer_line_decode(data, size, &line, why) == 0) {
		understood = true;
		CLAIM(line.root != NULL && line.pass.s != NULL);
		CLAIM(utf8_valid(line.text.s, line.text.len));
		CLAIM(id_valid(line.id.s, line.id.len));
		judge(&line, KEY, UNTIL - 1);
		judge(&line, KEY, UNTIL);
		judge(&line, "sha256//A", UNTIL - 1);
		judge(&line, "", UNTIL - 1);
	} else {
		CLAIM(why[0] != '\0');
	}
	peer_line_release(&line);
	result = peer_reply_decode(data, size, told);
	CLAIM(memchr(told, 0, sizeof(told)) != NULL);
	CLAIM((told[0] == '\0') == (result == PEER_STORED));
	understood |= result != PEER_LOST;
	return 0;
}

/* A line of the greatest length. */
size_t
fuzz_seed(unsigned n, uint8_t *out, size_t size, const char **name)
{
	static const char end[] = "\"}";
	int head;

	if (n > 0)
		return 0;
	CLAIM(size >= LINE_MAX_LEN);
	*name = "longest";
	memset(out, 'x', LINE_MAX_LEN);
	head = snprintf((char *)out, size,
	    "{\"op\":\"private\",\"pass\":\"%s\",\"from\":\"%s\","
	    "\"id\":\"AAAAAAAAAAAAAAAA\",\"text\":\"",
	    given[0].secret, given[0].user);
	out[head] = 'x';
	/* Its newline is not the decoder's. */
	memcpy(out + LINE_MAX_LEN - 1 - strlen(end), end, strlen(end));
	return LINE_MAX_LEN - 1;
}
