/* SPDX-License-Identifier: ISC */
/*
 * Requests, replies, events and times: what must be taken, what must be
 * refused and in which words, and that all of it comes back as it went.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/line.h"
#include "lib/wire.h"

#include "tap.h"

#define ID "0123456789abcdef"
#define PASS "AAAAAAAAAAAAAAAAAAAA-AAAAAAAAAAAAAAAAAAA_A8"
#define KEY "sha256//AAAAAAAAAAAAAAAAAAAA+AAAAAAAAAAAAAAAAAAA/A8="
#define EIGHT "[[[[[[[[1]]]]]]]]"

enum { TIME_2026 = 1795356185 }; /* 2026-11-22T14:03:05Z */

/* A line that is no good, and what is said about it. */
struct bad {
	const char *line, *why;
	size_t len; /* 0: strlen(line) */
};

static const struct bad bad_lines[] = {
    {"", "The line is not a JSON object.", 0},
    {"   ", "The line is not a JSON object.", 0},
    {"hello", "The line is not a JSON object.", 0},
    {"[1]", "The line is not a JSON object.", 0},
    {"null", "The line is not a JSON object.", 0},
    {"GET / HTTP/1.1\r", "The line is not a JSON object.", 0},
    {"\x16\x03\x01\x02", "The line is not a JSON object.", 0},
    {"{", "The line is not a JSON object: it ends too early.", 0},
    {"{\"op\":\"hello\"", "The line is not a JSON object: it ends too early.",
	0},
    {"{\"op\":\"hel", "The line is not a JSON object: it ends too early.", 0},
    {"{\"op\":\"hello\"} {}",
	"The line is not a JSON object: something follows it.", 0},
    {"{\"op\":\"hello\",}",
	"The line is not a JSON object: a mistake at octet 15.", 0},
    {"{'op':'hello'}", "The line is not a JSON object: a mistake at octet 2.",
	0},
    {"{\"op\":\"hello\",\"op\":\"hello\"}", "The line holds a duplicate key.",
	0},
    {"{\"op\":\"hello\",\"tag\":{\"a\":1,\"a\":1}}",
	"The line holds a duplicate key.", 0},
    {"{\"op\":\"hello\",\"x\":\"\xff\"}", "The line is not UTF-8.", 0},
    {"{\"op\":\"hello\",\"x\":\"\xc0\x80\"}", "The line is not UTF-8.", 0},
    {"{\"op\":\"hello\",\"x\":\"\xed\xa0\x80\"}", "The line is not UTF-8.", 0},
    {"{\"op\":\"hello\",\"x\":\"\xe2\x82\"}", "The line is not UTF-8.", 0},
    {"{\"op\":\"hello\",\"x\":\"\0\"}", "The line holds a NUL.", 21},
    {"{\"op\":\"hello\"}\0", "The line holds a NUL.", 15},
    {"{\"op\":\"hello\",\"x\":\"\\u0000\"}", "The line holds a NUL.", 0},
    {"{\"op\":\"hello\",\"\\u0000\":1}", "The line holds a NUL.", 0},
    {"{\"op\":\"hello\",\"x\":" EIGHT "}", "The line is nested deeper than 8.",
	0},
    {"{\"op\":\"hello\",\"x\":123456789012345678901234567890}",
	"The line holds a number that is out of range.", 0},
    {"{}", "The member \"op\" is missing.", 0},
    {"{\"op\":1}", "The member \"op\" must be a string.", 0},
    {"{\"op\":null}", "The member \"op\" must be a string.", 0},
    {"{\"op\":\"\"}", "The request has the unknown op \"\".", 0},
    {"{\"op\":\"Hello\"}", "The request has the unknown op \"Hello\".", 0},
    {"{\"op\":\"fly\"}", "The request has the unknown op \"fly\".", 0},
    {"{\"op\":\"a\\u001b[2J\\nb\"}",
	"The request has the unknown op \"a\xef\xbf\xbd[2J\xef\xbf\xbd"
	"b\".",
	0},
    {"{\"op\":\"0123456789012345678901234567890123456789x\"}",
	"The request has the unknown op "
	"\"0123456789012345678901234567890123456789…\".",
	0},
};

/* Decodes and releases; what was said, or "" for a good line. */
static const char *
fault(const char *line, size_t len)
{
	static char why[WIRE_WHY_LEN];
	struct wire_request request;
	int ret = wire_request_decode(line, len, &request, why);

	wire_request_release(&request);
	return ret == 0 ? "" : why;
}

static void
test_bad_lines(void)
{
	for (size_t i = 0; i < sizeof(bad_lines) / sizeof(bad_lines[0]); i++) {
		const struct bad *bad = &bad_lines[i];
		size_t len = bad->len > 0 ? bad->len : strlen(bad->line);

		is(fault(bad->line, len), bad->why, "refused: line %zu", i);
	}
}

static void
test_good_lines(void)
{
	static const char *const lines[] = {
	    "{\"op\":\"hello\"}",
	    " {\"op\" : \"hello\" } \r",
	    "{\"op\":\"hello\",\"token\":5,\"user\":{}}",
	    "{\"op\":\"hello\",\"x\":[[[[[[[1]]]]]]]}",
	    "{\"op\":\"hello\",\"x\":\"[[[[[[[[[{{{{{{{{{{\"}",
	    "{\"op\":\"hello\",\"x\":\"\\\"[[[[[[[[[[[\\\\\"}",
	    "{\"op\":\"hello\",\"x\":-1.5e3}",
	};

	for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++)
		is(fault(lines[i], strlen(lines[i])), "", "taken: %s",
		    lines[i]);
}

/* A good line cut at every octet is never good, and never does harm. */
static void
test_cut_lines(void)
{
	static const char line[] =
	    "{\"op\":\"send\",\"token\":\"t\",\"id\":\"" ID
	    "\",\"to\":\"bob\",\"text\":\"\\u00e4 ä\"}";
	bool all = true;

	is(fault(line, sizeof(line) - 1), "", "the whole line is good");
	for (size_t len = 0; len < sizeof(line) - 1; len++) {
		char *copy = malloc(len > 0 ? len : 1);

		/* no octet more, so that a sanitizer sees an excess */
		memcpy(copy, line, len);
		all = all && fault(copy, len)[0] != '\0';
		free(copy);
	}
	ok(all, "cut at every octet it is refused");
}

/* The type of a member as JSON, right and wrong ones. */
struct sample {
	const char *name, *good;
	const char *wrong[5];
};

static const char *const not_string[] = {"1", "true", "[]", "{}", NULL};
static const char *const not_number[] = {"-1", "1.0", "\"1\"", "true", NULL};
static const char *const not_port[] = {"1", "1023", "65536", "-1", NULL};
static const char *const not_bool[] = {"0", "1", "\"true\"", "[]", NULL};

/* Wrong values of the member with that name. */
static const char *const *
wrong_values(const char *name)
{
	if (strcmp(name, "brief") == 0 || strcmp(name, "accept") == 0)
		return not_bool;
	if (strcmp(name, "peer_port") == 0)
		return not_port;
	if (strcmp(name, "mail") == 0 || strcmp(name, "room") == 0 ||
	    strcmp(name, "max") == 0)
		return not_number;
	return not_string;
}

/* A right one. */
static const char *
right_value(const char *name)
{
	const char *const *wrong = wrong_values(name);

	return wrong == not_bool  ? "true"
	    : wrong == not_port   ? "1024"
	    : wrong == not_number ? "7"
				  : "\"some text\"";
}

/* A request with the members in list, where one has another value. */
static char *
request_line(int op, const char *list, const char *odd, const char *value)
{
	char names[256], *line = malloc(4096), *name, *rest = NULL;
	int n = sprintf(line, "{\"op\":\"%s\"", wire_ops[op].name);

	snprintf(names, sizeof(names), "token %s", list);
	for (name = strtok_r(names, "? ", &rest); name != NULL;
	     name = strtok_r(NULL, "? ", &rest)) {
		const char *is_value = right_value(name);

		if (odd != NULL && strcmp(odd, name) == 0)
			is_value = value;
		if (is_value != NULL)
			n += sprintf(line + n, ",\"%s\":%s", name, is_value);
	}
	strcpy(line + n, "}");
	return line;
}

/* What is said about a request with one member that is odd. */
static const char *
odd_fault(int op, const char *odd, const char *value)
{
	char *line = request_line(op, wire_ops[op].members, odd, value);
	const char *why = fault(line, strlen(line));

	free(line);
	return why;
}

/* One member of one op: missing, null, of every wrong type. */
static void
test_member(int op, const char *name, bool optional)
{
	const char *const *wrong = wrong_values(name);
	const char *said;
	char want[WIRE_WHY_LEN];
	bool all = true;

	snprintf(want, sizeof(want), "The member \"%s\" is missing.", name);
	is(odd_fault(op, name, NULL), optional ? "" : want, "%s without %s",
	    wire_ops[op].name, name);
	snprintf(want, sizeof(want), "The member \"%s\" must be ", name);
	said = odd_fault(op, name, "null");
	ok(optional ? said[0] == '\0' : strstr(said, want) == said,
	    "%s with %s null: %s", wire_ops[op].name, name, said);
	for (int i = 0; wrong[i] != NULL; i++) {
		said = odd_fault(op, name, wrong[i]);
		all = all && strstr(said, want) == said;
	}
	ok(all, "%s with %s of a wrong type: %s", wire_ops[op].name, name,
	    said);
}

static void
test_ops(void)
{
	for (int op = 0; op < OP_COUNT; op++) {
		const struct wire_op_row *row = &wire_ops[op];
		char names[256], *name, *rest = NULL;

		is(odd_fault(op, NULL, NULL), "", "%s is taken", row->name);
		if (row->who == WHO_ANYONE)
			is(odd_fault(op, "token", "[]"), "",
			    "%s looks at no token", row->name);
		else
			test_member(op, "token", row->who == WHO_BRIEF);
		snprintf(names, sizeof(names), "%s", row->members);
		for (name = strtok_r(names, " ", &rest); name != NULL;
		     name = strtok_r(NULL, " ", &rest)) {
			char *mark = strchr(name, '?');

			if (mark != NULL)
				*mark = '\0';
			test_member(op, name, mark != NULL);
		}
	}
}

/* True if the string holds just that. */
static bool
holds(struct wire_string string, const char *text)
{
	return string.s != NULL && string.len == strlen(text) &&
	    memcmp(string.s, text, string.len) == 0;
}

static void
test_fields(void)
{
	static const char login[] =
	    "{\"op\":\"login\",\"user\":\"alice\",\"password\":\"s\\u00e4\","
	    "\"brief\":true,\"peer_port\":40000,\"token\":\"no\"}";
	static const char sync[] =
	    "{\"op\":\"sync\",\"token\":\"t\",\"epoch\":\"e\",\"mail\":"
	    "9223372036854775807,\"room\":0,\"tag\":[1,{\"a\":null}]}";
	struct wire_request r;
	char why[WIRE_WHY_LEN];
	char *tag;

	ok(wire_request_decode(login, strlen(login), &r, why) == 0 &&
		r.op == OP_LOGIN && holds(r.user, "alice") &&
		holds(r.password, "s\xc3\xa4") && r.brief &&
		r.peer_port == 40000 && r.token.s == NULL && r.max == -1 &&
		r.tag == NULL && r.invite.s == NULL,
	    "the members of a login are where they belong");
	wire_request_release(&r);
	ok(r.root == NULL && r.user.s == NULL, "released, nothing is left");
	wire_request_release(&r);
	ok(wire_request_decode(sync, strlen(sync), &r, why) == 0 &&
		r.op == OP_SYNC && holds(r.token, "t") && holds(r.epoch, "e") &&
		r.mail == INT64_MAX && r.room == 0 && r.max == -1,
	    "the members of a sync are where they belong");
	tag = json_dumps(r.tag, JSON_COMPACT);
	is(tag, "[1,{\"a\":null}]", "the tag is kept as it is");
	free(tag);
	wire_request_release(&r);
}

/* The tag is there for a bad request too, if it was an object at all. */
static void
test_tag(void)
{
	static const char bad[] = "{\"tag\":\"x\",\"op\":\"nonsense\"}";
	struct wire_request r;
	char why[WIRE_WHY_LEN], *line;
	size_t len;

	ok(wire_request_decode(bad, strlen(bad), &r, why) == -1 &&
		json_is_string(r.tag) && r.op == OP_COUNT,
	    "the tag of a bad request is known");
	wire_request_release(&r);
	line = malloc(4096);
	len = (size_t)sprintf(line, "{\"op\":\"hello\",\"tag\":\"");
	memset(line + len, 'x', 2046);
	strcpy(line + len + 2046, "\"}");
	is(fault(line, strlen(line)), "", "a tag of 2048 octets is taken");
	strcpy(line + len + 2046, "x\"}");
	is(fault(line, strlen(line)),
	    "The member \"tag\" is longer than 2048 octets.",
	    "a longer one is not");
	free(line);
}

/* A reply as its line; frees both. */
static void
is_line(json_t *reply, const char *want, const char *name)
{
	size_t len = 0;
	char *line = reply == NULL ? NULL : wire_line(reply, &len);
	char *text = line == NULL ? NULL : strndup(line, len);

	is(text, want, "%s", name);
	free(text);
	free(line);
	json_decref(reply);
}

static void
test_replies(void)
{
	json_t *tag = json_pack("{s:[i,s]}", "a", 1, "b"), *big;
	char *text = malloc(LINE_MAX_LEN + 1), *line;
	size_t len;

	is_line(wire_accept(NULL), "{\"ok\":true}\n", "a bare reply");
	is_line(wire_accept(tag), "{\"ok\":true,\"tag\":{\"a\":[1,\"b\"]}}\n",
	    "a reply with a tag");
	is_line(wire_refuse(NULL, ERR_BUSY, NULL),
	    "{\"ok\":false,\"error\":\"busy\",\"text\":\"The centre is busy; "
	    "try again in a moment.\"}\n",
	    "a refusal in its own words");
	is_line(wire_refuse(tag, ERR_BAD_REQUEST, "So it is."),
	    "{\"ok\":false,\"tag\":{\"a\":[1,\"b\"]},\"error\":\"bad-request\","
	    "\"text\":\"So it is.\"}\n",
	    "a refusal in other words, with a tag");
	is_line(wire_refuse(NULL, ERR_BAD_REQUEST, "\xff"),
	    "{\"ok\":false,\"error\":\"bad-request\",\"text\":\"The request is "
	    "malformed.\"}\n",
	    "words that are not UTF-8 are not said");
	ok(json_is_object(tag) && tag->refcount == 1, "the tag was borrowed");
	json_decref(tag);
	memset(text, 'x', LINE_MAX_LEN);
	big = json_pack("{s:s%}", "x", text, (size_t)LINE_MAX_LEN - 9);
	line = wire_line(big, &len);
	ok(line != NULL && len == LINE_MAX_LEN && line[len - 1] == '\n',
	    "the longest line");
	free(line);
	json_decref(big);
	big = json_pack("{s:s%}", "x", text, (size_t)LINE_MAX_LEN - 8);
	ok(wire_line(big, &len) == NULL, "one octet more is no line");
	json_decref(big);
	free(text);
}

static void
test_errors(void)
{
	bool all = true;

	for (int i = ERR_NONE + 1; i < ERR_COUNT; i++)
		all = all &&
		    (int)wire_error_find(wire_error_name((enum wire_error)i)) ==
			i &&
		    wire_error_text((enum wire_error)i)[0] != '\0';
	ok(all, "every error is found by its name and has a text");
	ok(wire_error_find("none") == ERR_NONE &&
		wire_error_find("nonsense") == ERR_NONE,
	    "other names are none");
	ok(wire_error_again(ERR_BUSY) && wire_error_again(ERR_INTERNAL) &&
		wire_error_again(ERR_RATE_LIMITED) &&
		wire_error_again(ERR_READ_ONLY) &&
		!wire_error_again(ERR_BAD_REQUEST) &&
		!wire_error_again(ERR_MAILBOX_FULL),
	    "four errors are tried again");
}

static void
test_getters(void)
{
	static const char line[] = "{\"s\":\"x\",\"n\":5,\"r\":1.5,\"b\":true}";
	char why[WIRE_WHY_LEN];
	json_t *object = wire_object(line, strlen(line), why);

	is(wire_get_string(object, "s"), "x", "a string");
	ok(wire_get_string(object, "n") == NULL &&
		wire_get_string(object, "none") == NULL &&
		wire_get_string(NULL, "s") == NULL,
	    "no string");
	ok(wire_get_number(object, "n", -1) == 5 &&
		wire_get_number(object, "r", -1) == -1 &&
		wire_get_number(object, "none", 9) == 9,
	    "numbers");
	ok(wire_get_bool(object, "b") && !wire_get_bool(object, "n"), "truth");
	json_decref(object);
}

/* A string of a random length and content, in buf. */
static struct wire_string
noise(char *buf, unsigned *seed)
{
	static const char *const bits[] = {"a", "\"", "\\", "\n", "\t", "/",
	    "\x7f", "\x01", "\x1f", "\b", "\f", "\r", "\v", "ä", "€",
	    "\xf0\x9f\x99\x82", "b c", "\xc2\x85"};
	int count = rand_r(seed) % 40;

	buf[0] = '\0';
	while (count-- > 0)
		strcat(buf,
		    bits[(size_t)rand_r(seed) %
			(sizeof(bits) / sizeof(bits[0]))]);
	return (struct wire_string){buf, strlen(buf)};
}

/* True if both hold the same, or the member has no place in the event. */
static bool
same(struct wire_string got, struct wire_string want)
{
	return got.s == NULL ||
	    (got.len == want.len && memcmp(got.s, want.s, got.len) == 0);
}

/* True if both tell the same, or the event has no place for it. */
static bool
same_link(const struct wire_link *got, const struct wire_link *want)
{
	return same(got->fingerprint, want->fingerprint) &&
	    same(got->host, want->host) && same(got->pass, want->pass) &&
	    (got->host.s == NULL || got->port == want->port) &&
	    (got->fingerprint.s == NULL || got->expires_in == want->expires_in);
}

/* Encodes, compares the size, decodes, compares the content. */
static bool
round_trip(const struct wire_event *event)
{
	json_t *object = wire_event_encode(event), *again = NULL;
	char why[WIRE_WHY_LEN], *line, *ids = NULL;
	struct wire_event got = {0};
	size_t len = 0;
	bool good;

	line = wire_line(object, &len);
	good = line != NULL && wire_event_size(event) == len - 1;
	if (!good)
		printf("# size %zu, real %zu: %s", wire_event_size(event),
		    len - 1, line);
	again = wire_object(line, len, why);
	good = good && wire_event_decode(again, &got, &ids) == 0 &&
	    got.type == event->type && got.number == event->number &&
	    got.time == event->time && same(got.user, event->user) &&
	    same(got.id, event->id) && same(got.text, event->text) &&
	    same_link(&got.link, &event->link) &&
	    (ids != NULL) == (event->type == EVENT_RECEIPT);
	free(ids);
	free(line);
	json_decref(object);
	json_decref(again);
	return good;
}

static struct wire_link
link_of(const char *host, int64_t port)
{
	return (struct wire_link){.fingerprint = {KEY, strlen(KEY)},
	    .host = {host, strlen(host)},
	    .pass = {PASS, strlen(PASS)},
	    .port = port};
}

static void
test_round_trips(void)
{
	char user[512], id[512], text[512], name[64];
	unsigned seed = 1;

	for (int type = 0; type < EVENT_COUNT; type++) {
		int good = 0;

		for (int i = 0; i < 500; i++) {
			struct wire_event event = {
			    .type = (enum wire_event_type)type,
			    .number = rand_r(&seed) %
				(i % 2 == 0 ? 1000 : 1000000000),
			    .time = (int64_t)rand_r(&seed) * 1000 + i,
			    .user = noise(user, &seed),
			    .id = noise(id, &seed),
			    .text = noise(text, &seed),
			};

			if (i % 2)
				event.link = link_of(
				    "2001:db8::1", i % 4 == 1 ? 0 : 1024 + i);
			else
				event.link = link_of("192.0.2.7", 65535);
			event.link.expires_in = i;
			if (type == EVENT_RECEIPT) {
				snprintf(text, sizeof(text),
				    i % 3 == 0       ? ""
					: i % 3 == 1 ? ID
						     : ID " " ID "_- " ID ID);
				event.text.len = strlen(text);
			}
			good += round_trip(&event);
		}
		snprintf(name, sizeof(name), "events of type %d", type);
		ok(good == 500, "%s: %d of 500 come back", name, good);
	}
}

static void
test_event_forms(void)
{
	struct wire_event message = {.type = EVENT_MESSAGE,
	    .number = 5,
	    .time = TIME_2026 * INT64_C(1000) + 123,
	    .user = {"alice", 5},
	    .id = {ID, 16},
	    .text = {"hi\n", 3}};
	struct wire_event receipt = {.type = EVENT_RECEIPT,
	    .number = 6,
	    .user = {"bob", 3},
	    .text = {" " ID "  " ID "x ", 36}};
	struct wire_event logout = {.type = EVENT_LOGOUT,
	    .number = 7,
	    .user = {"bob", 3},
	    .text = {"timeout", 7}};

	is_line(wire_event_encode(&message),
	    "{\"type\":\"message\",\"mail\":5,\"time\":"
	    "\"2026-11-22T14:03:05.123Z\",\"from\":\"alice\",\"id\":\"" ID
	    "\",\"text\":\"hi\\n\"}\n",
	    "a message");
	is_line(wire_event_encode(&receipt),
	    "{\"type\":\"receipt\",\"mail\":6,\"time\":"
	    "\"1970-01-01T00:00:00.000Z\",\"to\":\"bob\",\"ids\":[\"" ID
	    "\",\"" ID "x\"]}\n",
	    "a receipt, however its ids are spaced");
	is_line(wire_event_encode(&logout),
	    "{\"type\":\"logout\",\"room\":7,\"time\":"
	    "\"1970-01-01T00:00:00.000Z\",\"user\":\"bob\",\"reason\":"
	    "\"timeout\"}\n",
	    "a logout");
	logout.text.s = NULL;
	ok(wire_event_encode(&logout) == NULL, "one without its text is none");
	ok(!wire_event_in_room(EVENT_MESSAGE) &&
		!wire_event_in_room(EVENT_RECEIPT) &&
		!wire_event_in_room(EVENT_NOTICE) &&
		wire_event_in_room(EVENT_BROADCAST) &&
		wire_event_in_room(EVENT_LOGIN) &&
		wire_event_in_room(EVENT_LOGOUT),
	    "each event knows its log");
}

/* What the decoder says of a line. */
static int
event_verdict(const char *line)
{
	char why[WIRE_WHY_LEN], *ids;
	json_t *object = wire_object(line, strlen(line), why);
	struct wire_event event;
	int ret = wire_event_decode(object, &event, &ids);

	free(ids);
	json_decref(object);
	return ret;
}

static void
test_bad_events(void)
{
#define T "\"time\":\"2026-11-22T14:03:05.123Z\""
	static const char *const lines[] = {
	    "{}",
	    "{\"type\":5}",
	    "{\"type\":\"login\",\"user\":\"a\"," T "}",
	    "{\"type\":\"login\",\"user\":\"a\",\"mail\":1," T "}",
	    "{\"type\":\"login\",\"user\":\"a\",\"room\":-1," T "}",
	    "{\"type\":\"login\",\"user\":\"a\",\"room\":\"1\"," T "}",
	    "{\"type\":\"login\",\"user\":\"a\",\"room\":1}",
	    "{\"type\":\"login\",\"user\":\"a\",\"room\":1,\"time\":\"x\"}",
	    "{\"type\":\"login\",\"room\":1," T "}",
	    "{\"type\":\"login\",\"user\":1,\"room\":1," T "}",
	    "{\"type\":\"logout\",\"user\":\"a\",\"room\":1," T "}",
	    "{\"type\":\"message\",\"from\":\"a\",\"text\":\"\",\"mail\":1,"
	    "" T "}",
	    "{\"type\":\"receipt\",\"to\":\"a\",\"mail\":1," T "}",
	    "{\"type\":\"receipt\",\"to\":\"a\",\"mail\":1,\"ids\":1," T "}",
	    "{\"type\":\"receipt\",\"to\":\"a\",\"mail\":1,\"ids\":[1]," T "}",
	    "{\"type\":\"receipt\",\"to\":\"a\",\"mail\":1,\"ids\":[\"" ID
	    " " ID "\"]," T "}",
	    "{\"type\":\"receipt\",\"to\":\"a\",\"mail\":1,\"ids\":"
	    "[\"short\"]," T "}",
	};

	for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++)
		ok(event_verdict(lines[i]) == -1, "malformed: %s", lines[i]);
	ok(event_verdict(
	       "{\"type\":\"login\",\"user\":\"a\",\"room\":1," T "}") == 0,
	    "a login is taken");
	ok(event_verdict("{\"type\":\"new\"}") == 1, "a new type is not known");
#undef T
}

static void
test_times(void)
{
	static const struct {
		int64_t ms;
		const char *text;
	} rows[] = {
	    {0, "1970-01-01T00:00:00.000Z"},
	    {TIME_2026 * INT64_C(1000) + 7, "2026-11-22T14:03:05.007Z"},
	    {INT64_C(951782399999), "2000-02-28T23:59:59.999Z"},
	    {INT64_C(951782400000), "2000-02-29T00:00:00.000Z"},
	    {INT64_C(951868800000), "2000-03-01T00:00:00.000Z"},
	    {INT64_C(1704067199999), "2023-12-31T23:59:59.999Z"},
	    {INT64_C(4107542400000), "2100-03-01T00:00:00.000Z"},
	    {INT64_C(253402300799999), "9999-12-31T23:59:59.999Z"},
	};
	static const char *const bad[] = {"", "2026-11-22T14:03:05Z",
	    "2026-11-22T14:03:05.12Z", "2026-11-22 14:03:05.123Z",
	    "2026-11-22T14:03:05.123z", "2026-11-22T14:03:05.123+00:00",
	    "2026-11-22T14:03:05.123Zx", "2026-13-22T14:03:05.123Z",
	    "2026-00-22T14:03:05.123Z", "2026-11-31T14:03:05.123Z",
	    "2026-11-00T14:03:05.123Z", "2025-02-29T14:03:05.123Z",
	    "2026-11-22T24:03:05.123Z", "2026-11-22T14:60:05.123Z",
	    "2026-11-22T14:03:60.123Z", "1969-12-31T23:59:59.999Z",
	    "2026-1a-22T14:03:05.123Z", "+026-11-22T14:03:05.123Z"};
	char text[WIRE_TIME_LEN + 1];
	int64_t ms;

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		wire_time_format(rows[i].ms, text);
		is(text, rows[i].text, "time %zu as text", i);
		ok(wire_time_parse(text, &ms) == 0 && ms == rows[i].ms,
		    "and back");
	}
	wire_time_format(INT64_MIN, text);
	is(text, rows[0].text, "before the first moment");
	wire_time_format(INT64_MAX, text);
	is(text, "9999-12-31T23:59:59.999Z", "after the last");
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		ok(wire_time_parse(bad[i], &ms) == -1, "no time: %s", bad[i]);
}

int
main(void)
{
	test_bad_lines();
	test_good_lines();
	test_cut_lines();
	test_ops();
	test_fields();
	test_tag();
	test_replies();
	test_errors();
	test_getters();
	test_round_trips();
	test_event_forms();
	test_bad_events();
	test_times();
	return done();
}
