/* SPDX-License-Identifier: ISC */
/*
 * What the agent says of messages: which were shown, and to whom; how its own
 * fared, whenever it is killed; and why a session ended.
 */
#include "agent-stage.h"

static const char three[] = MESSAGE(
    "bob", "AAAAAAAAAAAAAAAA", "one") "," MESSAGE("bob", "BBBBBBBBBBBBBBBB",
    "two") "," MESSAGE("bob", "CCCCCCCCCCCCCCCC", "three");

/* Says that all up to a row was shown, and waits until that is noted. */
static void
wish_seen(int64_t row)
{
	json_t *object = face_request("seen");

	json_object_set_new(object, "row", json_integer(row));
	face_say(&face, object);
	told("tag", NULL);
}

/* The face goes and another one comes; the agent stays. */
static void
next_face(void)
{
	face_close(&face);
	must(face_open(&face, account.socket, -1) == 0, "no agent");
	wish("watch", NULL, NULL, NULL, NULL);
	told("ok", NULL);
}

/* The next event from the book has this text; its row, or -1. */
static int64_t
shows(const char *text)
{
	const char *got =
	    told("event", "message") != NULL ? member(line, "text") : "nothing";

	is(got, text, "\"%s\" comes", text);
	return wire_get_number(line, "row", -1);
}

/* Nothing from the book is there for this face. */
static void
shows_nothing(const char *when)
{
	int64_t until = soon(SOON);

	wish("status", NULL, NULL, NULL, NULL);
	json_decref(line);
	/* In order: what there were would come before this answer. */
	while ((line = face_next(&face)) == NULL && clock_mono() < until)
		if (waits(face.fd, 100) && !face_read(&face))
			break;
	ok(json_object_get(line, "session") != NULL, "nothing comes %s", when);
}

static void
test_seen(void)
{
	int64_t one, all;

	enter("what was shown", "30", "100");
	wish("detach", NULL, NULL, NULL, NULL);
	told("tag", NULL);
	reply(SYNC, three, 8, 5, "false");
	one = shows("one");
	shows("two");
	all = shows("three");
	ok(one > 0 && all > one, "each with its row");
	next_face();
	is_number(shows("one"), one, "not confirmed, it comes again");
	wish_seen(one);
	ok(wire_get_bool(line, "ok"), "it is confirmed");
	wish_seen(all + 1);
	is(member(line, "error"), "bad-request", "no more than was given");
	wish_seen(-1);
	is(member(line, "error"), "bad-request", "nor less than nothing");
	next_face();
	shows("two");
	shows("three");
	wish_seen(all);
	another_agent();
	wish("watch", NULL, NULL, NULL, NULL);
	told("ok", NULL);
	shows_nothing("after an agent's death");
	wish("quit", NULL, NULL, NULL, NULL);
	told("ok", NULL);
	finish();
}

/*
 * The agent dies after the centre has taken a message and before it says so:
 * the next one sends the same again, with what was typed behind it.
 */
static void
test_killed(void)
{
	char id[ID_MAX_LEN + 1];

	enter("killed between a commit and its reply", "30", "100");
	reply(SYNC, "", 5, 5, "false");
	wish_send("precious");
	asked("send");
	snprintf(id, sizeof(id), "%s", member(request, "id"));
	wish_send("more");
	told("state", "queued");
	told("state", "queued");
	told("state", "queued");
	told("state", "queued");
	another_agent();
	wish("login", NULL, NULL, NULL, NULL);
	asked("hello");
	reply(HELLO, "30", "100");
	asked("sync");
	is(member(request, "token"), TOKEN, "the session goes on");
	reply(SYNC, "", 5, 5, "false");
	told("resumed", NULL);
	wish("watch", NULL, NULL, NULL, NULL);
	told("ok", NULL);
	asked("send");
	is(member(request, "text"), "precious", "the message is sent again");
	is(member(request, "id"), id, "with its id");
	reply("\"ok\":true,\"state\":\"accepted\",\"online\":true");
	asked("send");
	is(member(request, "text"), "more", "then the next");
	reply("\"ok\":false,\"error\":\"no-such-user\"");
	asked("sync");
	reply(SYNC, "", 5, 5, "false");
	ok(told("state", "accepted") != NULL, "the first is accepted");
	is(member(line, "id"), id, "that one");
	ok(told("state", "refused") != NULL, "the second is refused");
	is(member(line, "reason"), "no-such-user", "with the reason");
	finish();
}

/* A message that was sent thrice, and its receipt. */
static void
test_receipt(void)
{
	char id[ID_MAX_LEN + 1], event[256];

	enter("a receipt", "1", "100");
	reply(SYNC, "", 5, 5, "false");
	wish_send("precious");
	asked("send");
	snprintf(id, sizeof(id), "%s", member(request, "id"));
	hang_up();
	asked("send");
	reply("\"ok\":false,\"error\":\"busy\"");
	hang_up();
	wish("sync", NULL, NULL, NULL, NULL);
	asked("send");
	reply("\"ok\":true,\"state\":\"accepted\",\"online\":true");
	asked("sync");
	snprintf(event, sizeof(event),
	    "{\"type\":\"receipt\",\"mail\":6," TIME
	    ",\"to\":\"bob\",\"ids\":[\"%s\"]}",
	    id);
	reply(SYNC, event, 6, 5, "false");
	ok(told("state", "fetched") != NULL, "it has been fetched");
	is(member(line, "id"), id, "that one");
	finish();
}

/* One face confirms by itself, the other one does not. */
static void
test_automatic(void)
{
	struct face first;
	json_t *object = face_request("watch");

	enter("shown by itself", "30", "100");
	first = face;
	must(face_open(&face, account.socket, -1) == 0, "no agent");
	json_object_set_new(object, "auto", json_true());
	face_say(&face, object);
	told("ok", NULL);
	reply(SYNC, three, 8, 5, "false");
	shows("one");
	shows("two");
	shows("three");
	face_close(&face);
	face = first;
	shows("one");
	shows("two");
	shows("three");
	must(face_open(&first, account.socket, -1) == 0, "no agent");
	next_face();
	shows_nothing("to the next one");
	face_close(&first);
	finish();
}

/* A face that shows nothing of one's own messages, and one that does. */
static void
test_untold(void)
{
	json_t *object = face_request("watch");

	enter("refused while nobody is there", "30", "100");
	wish("detach", NULL, NULL, NULL, NULL);
	reply(SYNC, "", 5, 5, "false");
	wish_send("hi");
	asked("send");
	face_close(&face);
	must(face_open(&face, account.socket, -1) == 0, "no agent");
	json_object_set_new(object, "states", json_false());
	face_say(&face, object);
	told("ok", NULL);
	reply("\"ok\":false,\"error\":\"no-such-user\"");
	asked("sync");
	reply(SYNC, "", 5, 5, "false");
	next_face();
	ok(told("state", "refused") != NULL, "the next one is told");
	is(member(line, "reason"), "no-such-user", "why");
	next_face();
	shows_nothing("a second time");
	wish_send("hi");
	asked("send");
	reply("\"ok\":false,\"error\":\"no-such-user\"");
	asked("sync");
	reply(SYNC, "", 5, 5, "false");
	told("state", "refused");
	next_face();
	shows_nothing("of what another one has heard");
	finish();
}

/* An id that is there already is no fault of the book's. */
static void
test_same_id(void)
{
	enter("the same id again", "30", "100");
	for (int i = 0; i < 2; i++) {
		json_t *object = face_request("queue");

		json_object_set_new(object, "to", json_string("bob"));
		json_object_set_new(object, "text", json_string("hi"));
		json_object_set_new(
		    object, "id", json_string("AAAAAAAAAAAAAAAAAAAAAA"));
		face_say(&face, object);
	}
	ok(told("tag", NULL) != NULL && wire_get_bool(line, "ok"), "is kept");
	told("tag", NULL);
	is(member(line, "error"), "exists", "and refused once more");
	shows_nothing("of a failure");
	finish();
}

static void
test_unwatched(void)
{
	begin("a face that does not watch");
	knock("30", "100");
	wish("login", "password", "secret", NULL, NULL);
	asked("login");
	reply(LOGIN);
	told("user", "alice");
	asked("sync");
	wish("sync", NULL, NULL, NULL, NULL);
	wish("status", NULL, NULL, NULL, NULL);
	told("session", NULL);
	reply("\"ok\":false,\"error\":\"session-replaced\","
	      "\"address\":\"192.0.2.9\"," TIME);
	ok(told("error", "logged-out") != NULL, "its request is refused");
	is(member(line, "reason"), "replaced", "with the reason");
	ok(told("event", "logged-out") != NULL, "it hears of the end");
	is(member(line, "address"), "192.0.2.9", "and of who it was");
	wish("online", NULL, NULL, NULL, NULL);
	ok(told("error", "logged-out") != NULL, "also when it asks later");
	finish();
}

int
main(void)
{
	stage_open();
	test_seen();
	test_killed();
	test_receipt();
	test_automatic();
	test_untold();
	test_same_id();
	test_unwatched();
	return stage_close();
}
