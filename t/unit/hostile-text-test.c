/* SPDX-License-Identifier: ISC */
/*
 * A million strings of somebody who means ill, made from a seed: whatever
 * style they are shown in, nothing of them reaches a terminal that could
 * move, hide or colour anything.  What is allowed is said here once more, by
 * other means than in lib/text.
 */
#include <stdlib.h>
#include <unistd.h>

#include "chat/faces/show-link.h"
#include "chat/faces/show.h"
#include "lib/log.h"
#include "lib/text.h"
#include "lib/wire.h"
#include "tap.h"

enum {
	STRINGS = 1000000,
	EVENTS = 20000, /* through the words of a face */
	PIECES_MAX = 12,
	IN_MAX = PIECES_MAX * 16,
};

/* xorshift64*: the same strings everywhere. */
static uint64_t seed = 0x9e3779b97f4a7c15;

static unsigned
draw(unsigned below)
{
	seed ^= seed >> 12;
	seed ^= seed << 25;
	seed ^= seed >> 27;
	return (unsigned)((seed * 0x2545f4914f6cdd1dULL) >> 33) % below;
}

static size_t
put_code(char *to, unsigned code)
{
	if (code < 0x80) {
		to[0] = (char)code;
		return 1;
	}
	if (code < 0x800) {
		to[0] = (char)(0xc0 | code >> 6);
		to[1] = (char)(0x80 | (code & 0x3f));
		return 2;
	}
	if (code < 0x10000) {
		to[0] = (char)(0xe0 | code >> 12);
		to[1] = (char)(0x80 | (code >> 6 & 0x3f));
		to[2] = (char)(0x80 | (code & 0x3f));
		return 3;
	}
	to[0] = (char)(0xf0 | code >> 18);
	to[1] = (char)(0x80 | (code >> 12 & 0x3f));
	to[2] = (char)(0x80 | (code >> 6 & 0x3f));
	to[3] = (char)(0x80 | (code & 0x3f));
	return 4;
}

/* What people have been tricked with. */
static size_t
put_trick(char *to)
{
	static const char *const tricks[] = {"\x1b[2J", "\x1b]0;x\a",
	    "\x1bP1$q", "\x1b[31m",
	    "\x9b"
	    "6n",
	    "\xc2\x9b"
	    "6n",
	    "\r\n", "\b\b\b", "\x0e", "\xc0\x80", "\xc0\x9b", "\xe0\x80\x9b",
	    "\xf0\x80\x80\x9b", "\xed\xa0\x80", "\xed\xbf\xbf",
	    "\xf4\x90\x80\x80", "\xfe\xff", "\xe2\x80\xae", "\xe2\x81\xa6",
	    "\xe2\x80\x8b", "\xe2\x80\x8d", "\xe2\x80\x8c", "\xef\xbb\xbf",
	    "\xe2\x80\xa8", "\xcc\x80\xcc\x81\xcc\x82", "\xf3\xa0\x81\xa1",
	    "\xef\xb8\x8f", "\xe2\x9d\xa4", "\xd8\x9c", "\xe1\xa0\x8e", "\x7f",
	    "\xe2\x80", "\xf0\x9f\x98", "\\x1b", "\xc2\x85"};
	const char *trick = tricks[draw(sizeof(tricks) / sizeof(tricks[0]))];

	memcpy(to, trick, strlen(trick));
	return strlen(trick);
}

static size_t
make(char in[IN_MAX])
{
	size_t len = 0;

	for (unsigned left = 1 + draw(PIECES_MAX); left > 0; left--)
		switch (draw(6)) {
		case 0:
			in[len++] = (char)draw(256);
			break;
		case 1: /* C0 and C1 */
			len += put_code(in + len, draw(2) * 0x80 + draw(32));
			break;
		case 2: /* any plane; surrogates, too */
			len += put_code(in + len, draw(0x110000));
			break;
		case 3: /* where the invisible ones are */
			len += put_code(in + len, 0x2000 + draw(0x70));
			break;
		case 4:
			in[len++] = (char)('a' + draw(26));
			break;
		default:
			len += put_trick(in + len);
		}
	return len;
}

/* Our own decoder: strict, and after RFC 3629's table, not its arithmetic. */
static size_t
code_at(const unsigned char *s, size_t len, unsigned *code)
{
	unsigned low = 0x80, high = 0xbf;
	size_t need = s[0] < 0x80 ? 1 : s[0] < 0xe0 ? 2 : s[0] < 0xf0 ? 3 : 4;

	if ((s[0] >= 0x80 && s[0] < 0xc2) || s[0] > 0xf4 || need > len)
		return 0;
	if (s[0] == 0xe0)
		low = 0xa0;
	if (s[0] == 0xed)
		high = 0x9f;
	if (s[0] == 0xf0)
		low = 0x90;
	if (s[0] == 0xf4)
		high = 0x8f;
	*code = need == 1 ? s[0] : s[0] & (0x7fu >> need);
	for (size_t i = 1; i < need; i++) {
		if (s[i] < low || s[i] > high)
			return 0;
		low = 0x80;
		high = 0xbf;
		*code = *code << 6 | (s[i] & 0x3f);
	}
	return need;
}

/* What must never be on a terminal, however it got there. */
static bool
moves(unsigned code)
{
	return code < 0x20 || (code >= 0x7f && code <= 0x9f) || code == 0x61c ||
	    code == 0x200b || code == 0x200e || code == 0x200f ||
	    (code >= 0x2028 && code <= 0x202e) ||
	    (code >= 0x2060 && code <= 0x206f) || code == 0xfeff ||
	    (code >= 0xe0000 && code <= 0xe0fff);
}

/* True if a terminal can be shown that; lines: newlines, indented. */
static bool
harmless(const char *out, size_t len, bool lines)
{
	const unsigned char *s = (const unsigned char *)out;
	unsigned code;
	size_t took;

	for (size_t at = 0; at < len; at += took) {
		took = code_at(s + at, len - at, &code);
		if (took == 0)
			return false;
		if (lines && code == '\n') {
			if (len - at < 3 || memcmp(s + at, "\n  ", 3) != 0)
				return false;
		} else if (moves(code))
			return false;
	}
	return true;
}

/* One string, shown in one style, whole and cut off. */
static bool
shown_well(const char *in, size_t len, enum text_style style)
{
	char out[4 * IN_MAX + 1];
	size_t whole = text_escape(out, sizeof(out), in, len, style);
	size_t size = 1 + draw((unsigned)whole + 1), used;

	if (whole > 4 * len || strlen(out) != whole ||
	    !harmless(out, whole, style == TEXT_SCREEN))
		return false;
	text_escape(out, size, in, len, style);
	used = strlen(out);
	return used < size && harmless(out, used, style == TEXT_SCREEN);
}

static void
test_styles(void)
{
	char in[IN_MAX];
	size_t len;
	int bad = 0;

	for (int i = 0; i < STRINGS; i++) {
		len = make(in);
		bad += !shown_well(in, len, (enum text_style)(i % 3));
	}
	ok(bad == 0, "%d strings, %d of them harmful", STRINGS, bad);
}

/* An event or a reply whose every word is hostile. */
static json_t *
hostile_object(int i)
{
	static const char *const events[] = {"message", "broadcast", "notice",
	    "login", "logout", "gap", "state", "unreachable", "reachable",
	    "logged-out", "failed", "ask", "address", "accepted", "declined",
	    "hangup", "key-changed", "private"};
	static const char *const members[] = {"from", "user", "to", "text",
	    "reason", "state", "address", "time", "error", "id", "host",
	    "known", "shown", "until", "fingerprint", "changed", "since"};
	static const char *const errors[] = {
	    "no-such-user", "key-changed", "wrong-key", "offline"};
	json_t *object = json_object();
	char in[IN_MAX];
	size_t len;

	for (size_t m = 0; m < sizeof(members) / sizeof(members[0]); m++) {
		len = make(in);
		/* What is no UTF-8 or has a NUL does not get through JSON. */
		while (!utf8_valid(in, len))
			len = make(in);
		json_object_set_new(object, members[m], json_stringn(in, len));
	}
	json_object_set_new(object, "event",
	    json_string(
		events[(size_t)i % (sizeof(events) / sizeof(*events))]));
	if (draw(2) == 0)
		json_object_set_new(object, "state", json_string("refused"));
	if (draw(2) == 0)
		json_object_set_new(object, "error",
		    json_string(
			errors[draw(sizeof(errors) / sizeof(*errors))]));
	if (draw(2) == 0)
		json_object_set_new(object, "port", json_integer(40312));
	return object;
}

/* All that show.h and show-link.h have for it. */
static void
show_all(json_t *object)
{
	const char *user = wire_get_string(object, "user");
	json_t *list = json_pack("[O]", object);
	json_t *lists = json_pack("{s:O s:O s:O s:O}", "links", list, "asked",
	    list, "waiting", list, "users", list);
	json_t *keys = json_pack("{s:O}", "keys", list);

	show_event(object, "alice");
	show_row(object);
	show_refusal(stdout, object, user);
	show_complaint("chat: ", wire_get_string(object, "text"));
	show_users(stdout, lists);
	show_link(stdout, object);
	show_link_done(stdout, "links", lists, user);
	show_link_done(stdout, "trust", keys, user);
	show_link_done(stdout, "trust", object, user);
	show_link_done(stdout, "accept", object, user);
	show_link_refusal(stdout, "private", object, user);
	json_decref(keys);
	json_decref(lists);
	json_decref(list);
}

/* The same, in the words of a face, on its standard output and error. */
static void
test_faces(void)
{
	int out = dup(STDOUT_FILENO), err = dup(STDERR_FILENO);
	FILE *file = tmpfile();
	char *all = NULL;
	size_t len = 0, size = 0;

	fflush(stdout);
	if (file == NULL || dup2(fileno(file), STDOUT_FILENO) == -1 ||
	    dup2(fileno(file), STDERR_FILENO) == -1)
		exit(1);
	log_open("stderr");
	for (int i = 0; i < EVENTS; i++) {
		json_t *object = hostile_object(i);

		show_all(object);
		wire_print(stdout, object);
		fflush(stdout);
		log_warn("%s: %s", wire_get_string(object, "from"),
		    wire_get_string(object, "text"));
		json_decref(object);
	}
	dup2(out, STDOUT_FILENO);
	dup2(err, STDERR_FILENO);
	rewind(file);
	while (getline(&all, &size, file) != -1) {
		/* Lines are ours: only what is within them is looked at. */
		len = strcspn(all, "\n");
		if (!harmless(all, len, false))
			break;
	}
	ok(feof(file), "%d events, replies and log lines", EVENTS);
	free(all);
	fclose(file);
	close(out);
	close(err);
}

int
main(void)
{
	test_styles();
	test_faces();
	return done();
}
