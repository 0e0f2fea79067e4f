/* SPDX-License-Identifier: ISC */
/*
 * The agent against a centre that does not keep to the protocol: replies of
 * the wrong form, too many, too few, cursors that jump, numbers that make no
 * sense.  The centre and the face are the test's own; the agent is a process.
 */
#include "agent-stage.h"

/* ---- what a centre may get wrong */

static void
test_more(void)
{
	enter("events can be fewer than none", "30", "100");
	reply(SYNC, "", 6, 7, "true");
	ok(hear(EDGE) != NULL, "more is fetched at once");
	is_number(wire_get_number(request, "mail", -1), 6, "from there on");
	is_number(wire_get_number(request, "room", -1), 7, "likewise");
	for (int i = 0; i < 3 && request != NULL; i++) {
		reply(SYNC, "", 6, 7, "true");
		hear(EDGE);
	}
	ok(request == NULL, "but not for ever if nothing comes of it");
	finish();
}

static void
test_cursors(void)
{
	enter("cursors never go back", "30", "100");
	reply(SYNC, "", -3, 6, "true");
	asked("sync");
	is_number(wire_get_number(request, "mail", -1), 5, "not below 0");
	reply(SYNC, "", 6, 2, "true");
	asked("sync");
	is_number(wire_get_number(request, "room", -1), 6, "nor at all");
	finish();
}

/* These are no replies to a sync; the agent asks again and stays. */
static void
test_forms(void)
{
	static const char *const forms[] = {
	    "\"ok\":true",
	    "\"ok\":true,\"epoch\":\"" EPOCH "\",\"events\":7,\"mail\":9,"
	    "\"room\":9,\"more\":false",
	    "\"ok\":true,\"epoch\":\"" EPOCH "\",\"events\":[],\"mail\":\"9\","
	    "\"room\":9,\"more\":false",
	    "\"ok\":true,\"epoch\":1,\"events\":[],\"mail\":9,\"room\":9",
	    "\"ok\":1",
	    "\"ok\":false",
	};

	enter("wrong types", "30", "100");
	for (size_t i = 0; i < sizeof(forms) / sizeof(*forms); i++) {
		reply("%s", forms[i]);
		if (!asked("sync"))
			break;
		is_number(wire_get_number(request, "mail", -1), 5,
		    "{%s} moves nothing", forms[i]);
		/* What is right ends the pauses; one more of them. */
		reply(SYNC, "", 5, 5, "false");
		wish("sync", NULL, NULL, NULL, NULL);
		asked("sync");
	}
	finish();
}

/* What is no reply settles no message. */
static void
test_garbage(void)
{
	static const char *const lines[] = {"{}", "[]", "null",
	    "{\"ok\":\"yes\"}", "{\"ok\":false}",
	    "{\"ok\":true,\"tag\":\"another\",\"state\":\"accepted\"}",
	    "{\"ok\":true,\"state\":\"accepted\"}"};
	char id[ID_MAX_LEN + 1];

	enter("garbage", "30", "100");
	reply(SYNC, "", 5, 5, "false");
	for (size_t i = 0; i < sizeof(lines) / sizeof(*lines); i++) {
		wish_send("precious");
		if (!asked("send"))
			break;
		snprintf(id, sizeof(id), "%s", member(request, "id"));
		raw(lines[i]);
		hang_up();
		asked("send");
		is(member(request, "id"), id,
		    "after %s the message is tried again", lines[i]);
		reply("\"ok\":true,\"state\":\"accepted\",\"online\":true");
		asked("sync");
		reply(SYNC, "", 5, 5, "false");
		ok(told("state", "accepted") != NULL, "until it is accepted");
		is(member(line, "id"), id, "the same one");
	}
	finish();
}

/* A reply too many is not taken for the next one. */
static void
test_surplus(void)
{
	enter("a reply too many", "30", "100");
	wish_send("precious");
	told("state", "queued");
	reply(SYNC ",\"x\":{}}\n{\"ok\":true,\"state\":\"accepted\"", "", 5, 5,
	    "false");
	asked("send");
	hang_up();
	ok(hear(SOON) != NULL, "the agent comes again");
	is(member(request, "op"), "send", "with its message");
	finish();
}

static void
test_numbers(void)
{
	int count;

	enter("a heartbeat of nothing", "0.0001", "-7");
	reply(SYNC, "", 5, 5, "false");
	count = quiet(EDGE, SPIN);
	ok(count < SPIN, "is not followed (%d requests)", count);
	wish_send("hi");
	ok(told("state", NULL) != NULL &&
		strcmp(member(line, "state"), "queued") == 0,
	    "a message of two bytes fits whatever is claimed");
	finish();
	begin("a number beyond all");
	knock("99999999999999999999999999", "100");
	wish("status", NULL, NULL, NULL, NULL);
	ok(told("queued", NULL) != NULL || told("user", NULL) != NULL,
	    "breaks nothing");
	finish();
}

/* Logins that are none. */
static void
test_login(void)
{
	static const char *const logins[] = {
	    "\"ok\":true",
	    "\"ok\":true,\"token\":\"\",\"epoch\":\"" EPOCH "\"",
	    "\"ok\":true,\"token\":7,\"epoch\":\"" EPOCH "\"",
	    "\"ok\":true,\"token\":\"" TOKEN TOKEN "\",\"epoch\":\"" EPOCH "\"",
	    "\"ok\":true,\"token\":\"" TOKEN "\"",
	    "\"ok\":true,\"token\":\"" TOKEN "\",\"epoch\":\"short\"",
	};

	begin("logins that are none");
	knock("30", "100");
	for (size_t i = 0; i < sizeof(logins) / sizeof(*logins); i++) {
		wish("login", "password", "secret", NULL, NULL);
		asked("login");
		reply("%s", logins[i]);
		ok(told("ok", NULL) != NULL && !wire_get_bool(line, "ok"),
		    "{%s} is none", logins[i]);
	}
	wish("login", "password", "secret", NULL, NULL);
	asked("login");
	reply("\"ok\":false,\"error\":\"untrusted\",\"trust\":\"unknown\","
	      "\"pin\":\"sha256//x\"");
	told("error", NULL);
	ok(strcmp(member(line, "error"), "untrusted") != 0,
	    "a centre cannot speak in the agent's name");
	finish();
}

/* Names and ids that cannot be are not shown, and harm nobody. */
static void
test_events(void)
{
	static const char events[] = MESSAGE(
	    "bob\\nalice", "AAAAAAAAAAAAAAAA", "one") "," MESSAGE("bob",
	    "!1795356185123 2 x", "two") "," MESSAGE("bob", "BBBBBBBBBBBBBBBB",
	    "three") ",7,{},{\"type\":\"message\"},{\"type\":\"new\"}";

	enter("events", "30", "100");
	reply(SYNC, events, 8, 5, "false");
	ok(told("event", "message") != NULL, "a message comes");
	is(member(line, "text"), "three", "the one that is right");
	asked("sync");
	is_number(
	    wire_get_number(request, "mail", -1), 8, "and the cursor moves");
	finish();
}

static void
test_pages(void)
{
	int count = 0;

	enter("a list without an end", "30", "100");
	reply(SYNC, "", 5, 5, "false");
	wish("online", NULL, NULL, NULL, NULL);
	asked("online");
	while (count++ < SPIN && request != NULL &&
	    strcmp(member(request, "op"), "online") == 0) {
		reply("\"ok\":true,\"users\":[{\"user\":\"bob\"}],"
		      "\"more\":true");
		hear(EDGE);
	}
	ok(count < SPIN, "ends");
	finish();
}

/* A LIVE that is refused for good is not repeated for ever. */
static void
test_live(void)
{
	enter("a LIVE that is refused", "1", "100");
	reply(SYNC, "", 5, 5, "false");
	asked("live");
	reply("\"ok\":false,\"error\":\"bad-request\",\"text\":\"No.\"");
	asked("sync");
	reply("\"ok\":false,\"error\":\"bad-request\",\"text\":\"No.\"");
	asked("sync");
	is_number(wire_get_number(request, "mail", -1), 0,
	    "it goes back to the beginning");
	reply("\"ok\":false,\"error\":\"bad-request\",\"text\":\"No.\"");
	ok(told("event", "logged-out") != NULL, "which ends the session");
	finish();
}

/*
 * A cursor above all that there will be: the session goes on from the
 * beginning, in this agent and in the next one, and acknowledges nothing.
 */
static void
test_above(void)
{
	static const char huge[] =
	    "\"ok\":true,\"epoch\":\"" EPOCH "\",\"events\":[],"
	    "\"mail\":9223372036854775807,\"room\":9223372036854775807,"
	    "\"more\":false";

	enter("a cursor above the head", "30", "100");
	reply("%s", huge);
	wish("sync", NULL, NULL, NULL, NULL);
	asked("sync");
	ok(wire_get_number(request, "mail", -1) == INT64_MAX, "is believed");
	reply("\"ok\":false,\"error\":\"bad-request\",\"text\":\"No.\"");
	asked("sync");
	is_number(wire_get_number(request, "mail", -1), 0, "until refused");
	is_number(wire_get_number(request, "room", -1), 0, "both of them");
	reply(SYNC, MESSAGE("bob", "AAAAAAAAAAAAAAAA", "hi"), 6, 5, "false");
	ok(told("event", "message") != NULL, "what was there comes");
	asked("sync");
	reply("%s", huge);
	told("ok", NULL);
	another_agent();
	wish("login", NULL, NULL, NULL, NULL);
	asked("hello");
	reply(HELLO, "30", "100");
	asked("sync");
	ok(wire_get_number(request, "mail", -1) == INT64_MAX, "once more");
	reply("\"ok\":false,\"error\":\"bad-request\",\"text\":\"No.\"");
	asked("hello");
	reply(HELLO, "30", "100");
	asked("sync");
	is_number(wire_get_number(request, "mail", -1), 0, "the next as well");
	reply(SYNC, "", 6, 5, "false");
	ok(told("resumed", NULL) != NULL, "and asks for no password");
	finish();
}

/* A session that ends is over for those who come after, too. */
static void
test_over(void)
{
	enter("a session that ends", "30", "100");
	reply("\"ok\":false,\"error\":\"session-replaced\","
	      "\"address\":\"192.0.2.9\"," TIME);
	ok(told("event", "logged-out") != NULL, "is said to have ended");
	ok(access(account.socket, F_OK) == -1,
	    "the next face starts an agent of its own");
	finish();
}

/* What a centre keeps no more is told, also to who comes later. */
static void
test_gap(void)
{
	enter("a gap", "30", "100");
	reply(SYNC, MESSAGE("bob", "0123456789abcdef", "hi"), 6, 5, "true");
	ok(told("event", "message") != NULL, "a message");
	asked("sync");
	reply(SYNC ",\"gap\":true", "", 6, 9, "false");
	ok(told("event", "gap") != NULL, "then something is missing");
	is_number(wire_get_number(line, "after", -1), 1, "behind that row");
	finish();

	begin("a gap while nobody watches");
	knock("30", "100");
	wish("login", "password", "secret", NULL, NULL);
	asked("login");
	reply(LOGIN);
	told("user", "alice");
	asked("sync");
	reply(SYNC ",\"gap\":true", "", 5, 9, "false");
	wish("sync", NULL, NULL, NULL, NULL);
	asked("sync");
	reply(SYNC, "", 5, 9, "false");
	told("ok", NULL);
	wish("watch", NULL, NULL, NULL, NULL);
	ok(told("event", "gap") != NULL, "who watches next is told");
	wish("watch", NULL, NULL, NULL, NULL);
	wish("status", NULL, NULL, NULL, NULL);
	ok(told("session", "in") != NULL, "once");
	ok(json_object_get(line, "synced") != NULL, "and when it was heard of");
	finish();
}

int
main(void)
{
	stage_open();
	test_more();
	test_cursors();
	test_above();
	test_forms();
	test_garbage();
	test_surplus();
	test_numbers();
	test_login();
	test_events();
	test_pages();
	test_live();
	test_gap();
	test_over();
	return stage_close();
}
