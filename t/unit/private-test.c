/* SPDX-License-Identifier: ISC */
/*
 * Private links of a real agent, alice's, between a centre, a face and a bob
 * that are the test's own: consent, passes, keys, ends, and what becomes of
 * a message however it fares.
 */
#include "private-stage.h"

static void
test_both_ways(void)
{
	char first[64];
	int port;

	quiet_login("both ways");
	ok(alice_port >= 1024, "the login says where alice can be called");
	says("too early");
	fares("no-link", "without consent there is no link");
	port = bob_listens();
	asks(NULL);
	is_number(wire_get_number(line, "expires_in", 0), 60, "for so long");
	news(address(&bob, port, PASS, 60));
	told("event", "address");
	is(member(line, "host"), "127.0.0.1", "bob agreed");
	is(member(line, "fingerprint"), bob.pin, "with his key");
	says("hi");
	is(bob_hears(bob_takes, "{\"ok\":true}\n"), PASS " alice hi",
	    "bob gets it");
	snprintf(first, sizeof(first), "%s", id);
	told("event", "state");
	is(member(line, "state"), "queued", "it was written down first");
	fares("fetched", "and fetched");
	is(member(line, "id"), first, "under its id");
	is(alice_says(bob_calls, PASS, ID_1, "hello"), "ok", "bob answers");
	told("event", "private");
	is(member(line, "text"), "hello", "alice sees it");
	is(member(line, "from"), "bob", "from bob");
	is(alice_says(bob_calls, PASS, ID_1, "hello"), "ok", "he repeats it");
	news("{\"type\":\"message\",\"mail\":6," TIME ",\"from\":\"bob\",\"id"
	     "\":\"" ID_1 "\",\"text\":\"hello\"}");
	is(alice_says(bob_calls, PASS, ID_2, "more"), "ok", "and goes on");
	told("event", "private");
	is(member(line, "text"), "more", "nothing is shown twice");
	is(alice_says(bob_calls, OTHER_PASS, ID_2, "x"), "not-allowed",
	    "another pass");
	is(alice_says(mallory_calls, PASS, ID_2, "x"), "not-allowed",
	    "another key");
	news(address(&bob, port, PASS, 60));
	told("event", "address");
	ok(wire_get_bool(line, "renewed"), "bob has asked again: it lasts");
	asks(address(&bob, port, PASS, 60));
	told("event", "address");
	ok(!wire_get_bool(line, "renewed"), "what alice asks is answered");
	close(door);
	finish();
}

static void
test_lost(void)
{
	char first[64], second[64];

	quiet_login("lost answers");
	linked(bob_listens());
	says("one");
	is(bob_hears(bob_takes, NULL), PASS " alice one", "bob gets it");
	snprintf(first, sizeof(first), "%s", id);
	is(bob_hears(bob_takes, "{\"ok\":true}\n"), PASS " alice one",
	    "and again, since the answer was lost");
	is(id, first, "under the same id");
	fares("fetched", "then it is fetched");
	says("two");
	bob_hears(bob_takes, NULL);
	bob_hears(bob_takes, NULL);
	fares("lost", "nobody knows whether it has arrived");
	snprintf(second, sizeof(second), "%s", member(line, "id"));
	is(id, second, "it is kept");
	wish("leave", "user", "bob", NULL, NULL);
	told("count", NULL);
	is_number(wire_get_number(line, "count", 0), 1, "it is left");
	next_is("send");
	is(member(request, "id"), second, "under the same id");
	is(member(request, "to"), "bob", "for bob");
	is(member(request, "text"), "two", "as it was");
	reply("\"ok\":true,\"state\":\"accepted\",\"online\":true," TIME);
	settled();
	told("state", "accepted");
	wish("leave", "user", "bob", NULL, NULL);
	fares("nothing", "once");
	close(door);
	finish();
}

static void
test_not_there(void)
{
	quiet_login("who cannot be reached");
	linked(bob_listens());
	says("to somebody else");
	is(bob_hears(mallory_takes, "{\"ok\":true}\n"), "",
	    "nothing is said to another key");
	fares("wrong-key", "and that is told");
	is(member(line, "known"), bob.pin, "with the right one");
	is(member(line, "shown"), mallory.pin, "and the wrong one");
	says("long");
	bob_hears(bob_takes, "{\"ok\":false,\"error\":\"too-large\"}\n");
	fares("too-large", "bob takes no such");
	says("later");
	bob_hears(bob_takes, "{\"ok\":false,\"error\":\"busy\"}\n");
	fares("busy", "bob's disk is full");
	close(door);
	says("nobody there");
	fares("unreachable", "bob is gone");
	told("event", "state");
	wish("leave", "user", "bob", NULL, NULL);
	told("count", NULL);
	is_number(wire_get_number(line, "count", 0), 4, "all of them are kept");
	finish();
}

static void
test_no_centre(void)
{
	quiet_login("without the centre");
	linked(bob_listens());
	hang_up();
	close(listener);
	says("hi");
	is(bob_hears(bob_takes, "{\"ok\":true}\n"), PASS " alice hi", "there");
	fares("fetched", "and told");
	is(alice_says(bob_calls, PASS, ID_1, "hello"), "ok", "and back");
	close(door);
	kill(agent, SIGKILL);
	face_close(&face);
	account_release(&account);
}

/* The centre goes, and somebody asks as soon as it is back. */
static void
test_centre_back(void)
{
	struct sockaddr_in addr;
	socklen_t len = sizeof(addr);

	quiet_login("the centre is back");
	getsockname(listener, (struct sockaddr *)&addr, &len);
	hang_up();
	close(listener);
	for (int i = 0; i < 3; i++) {
		wish("ask", "to", "bob", NULL, NULL);
		fares("unreachable", "nobody can be asked");
	}
	stage_listen(&addr);
	wish("ask", "to", "bob", NULL, NULL);
	next_is("ask");
	reply("\"ok\":true,\"request\":\"" REQUEST "\",\"expires_in\":60");
	settled();
	ok(told("state", "waiting") != NULL, "nobody waits for a pause's end");
	finish();
}

static void
test_keys(void)
{
	int port = bob_listens();

	quiet_login("keys");
	linked(port);
	asks(address(&mallory, port, OTHER_PASS, 60));
	told("event", "key-changed");
	is(member(line, "known"), bob.pin, "the known key is said");
	is(member(line, "shown"), mallory.pin, "and the other");
	says("hi");
	fares("key-changed", "there is no link");
	is(alice_says(mallory_calls, OTHER_PASS, ID_1, "x"), "not-allowed",
	    "in neither direction");
	news(question(&mallory, 60));
	told("event", "ask");
	wish("accept", "user", "bob", NULL, NULL);
	fares("key-changed", "nor can be agreed on one");
	wish("trust", NULL, NULL, NULL, NULL);
	told("keys", NULL);
	is(member(json_array_get(json_object_get(line, "keys"), 0), "changed"),
	    mallory.pin, "both keys are listed");
	wish("trust", "user", "bob", "fingerprint", bob.pin);
	fares("not-allowed", "one that was not shown last is not trusted");
	wish("trust", "user", "bob", "fingerprint", mallory.pin);
	told("tag", NULL);
	is(member(line, "fingerprint"), mallory.pin, "until it is trusted");
	ok(told("event", "address") != NULL, "which makes the link begin");
	is(alice_says(mallory_calls, OTHER_PASS, ID_1, "hi"), "ok", "for all");
	is(alice_says(bob_calls, OTHER_PASS, ID_1, "hi"), "not-allowed",
	    "but the old key");
	wish("trust", "user", "bob", NULL, NULL);
	fares("nothing", "that was all");
	news(question(&bob, 60));
	told("event", "key-changed");
	wish("trust", "user", "bob", NULL, NULL);
	ends("hangup");
	is(alice_says(mallory_calls, OTHER_PASS, ID_2, "x"), "not-allowed",
	    "trusted again, the other one's link is over");
	close(door);
	finish();
}

static void
test_asked(void)
{
	int port = bob_listens();

	quiet_login("who is asked");
	wish("accept", "user", "bob", NULL, NULL);
	settled();
	fares("no-request", "nobody has asked");
	news(question(&bob, 60));
	told("event", "ask");
	is(member(line, "from"), "bob", "bob asks");
	is(member(line, "fingerprint"), bob.pin, "with his key");
	is(alice_says(bob_calls, PASS, ID_1, "x"), "not-allowed", "not yet");
	wish("watch", NULL, NULL, NULL, NULL);
	ok(told("event", "ask") != NULL, "another face is told of it, too");
	wish("accept", "user", "bob", NULL, NULL);
	next_is("answer");
	is(member(request, "request"), REQUEST, "that question");
	ok(wire_get_bool(request, "accept"), "is answered with yes");
	reply("\"ok\":true,\"user\":\"bob\",\"host\":\"127.0.0.1\","
	      "\"port\":%d,\"fingerprint\":\"%s\",\"pass\":\"" PASS
	      "\",\"expires_in\":60",
	    port, bob.pin);
	settled();
	told("host", "127.0.0.1");
	is_number(wire_get_number(line, "port", 0), port, "the place is told");
	ok(json_object_get(line, "pass") == NULL, "the pass is not");
	is(alice_says(bob_calls, PASS, ID_1, "hi"), "ok", "now he may");
	says("hi");
	is(bob_hears(bob_takes, "{\"ok\":true}\n"), PASS " alice hi",
	    "and so may she");
	fares("fetched", "it has arrived");
	wish("accept", "user", "bob", NULL, NULL);
	settled();
	fares("no-request", "it is answered once");
	news(question(&bob, 60));
	told("event", "ask");
	wish("decline", "user", "bob", NULL, NULL);
	next_is("answer");
	ok(json_is_false(json_object_get(request, "accept")), "or with no");
	reply("\"ok\":true");
	settled();
	told("user", "bob");
	news(question(&bob, 0));
	told("event", "ask");
	wish("accept", "user", "bob", NULL, NULL);
	settled();
	fares("expired", "or too late");
	close(door);
	finish();
}

/* Nothing has said yet that there is a question. */
static void
test_not_fetched(void)
{
	quiet_login("a question that waits at the centre");
	wish("decline", "user", "bob", NULL, NULL);
	brings(question(&bob, 60));
	next_is("answer");
	is(member(request, "request"), REQUEST, "it is fetched first");
	ok(json_is_false(json_object_get(request, "accept")), "and declined");
	reply("\"ok\":true");
	settled();
	ok(told("tag", NULL) != NULL && wire_get_bool(line, "ok"),
	    "which is the only answer");
	wish("accept", "user", "bob", NULL, NULL);
	brings(question(&bob, 60));
	next_is("answer");
	ok(wire_get_bool(request, "accept"), "or agreed to");
	finish();
}

static void
test_ends(void)
{
	int port = bob_listens();

	quiet_login("ends");
	linked(port);
	news(hangup("asked"));
	ends("asked");
	is(alice_says(bob_calls, PASS, ID_1, "x"), "not-allowed", "hung up");
	says("hi");
	fares("no-link", "by bob");
	linked(port);
	wish("hangup", "user", "bob", NULL, NULL);
	ends("hangup");
	next_is("hangup");
	is(member(request, "user"), "bob", "the centre is told");
	is(alice_says(bob_calls, PASS, ID_1, "x"), "not-allowed", "hung up");
	reply("\"ok\":true");
	settled();
	told("tag", NULL);
	ok(wire_get_bool(line, "told"), "by alice");
	linked(port);
	wish("block", "user", "bob", NULL, NULL);
	next_is("block");
	reply("\"ok\":true");
	settled();
	ends("blocked");
	is(alice_says(bob_calls, PASS, ID_1, "x"), "not-allowed", "blocked");
	asks(address(&bob, port, PASS, 1));
	told("event", "address");
	ends("expired");
	is(alice_says(bob_calls, PASS, ID_1, "x"), "not-allowed", "expired");
	linked(port);
	wish("logout", NULL, NULL, NULL, NULL);
	next_is("logout");
	is(alice_says(bob_calls, PASS, ID_1, "x"), "unreachable", "left");
	close(door);
	finish();
}

/* What nobody has asked for makes no link; what is turned off, neither. */
static void
test_unasked(void)
{
	quiet_login("a centre that lies");
	news(address(&bob, 4000, PASS, 60));
	is(alice_says(bob_calls, PASS, ID_1, "x"), "not-allowed",
	    "an address that was not asked for");
	wish("ask", "to", "bob", NULL, NULL);
	next_is("ask");
	reply("\"ok\":false,\"error\":\"offline\",\"text\":\"Gone.\"");
	settled();
	fares("offline", "a question that is refused");
	news(address(&bob, 4000, PASS, 60));
	is(alice_says(bob_calls, PASS, ID_1, "x"), "not-allowed",
	    "is answered by nobody");
	asks(NULL);
	news("{\"type\":\"declined\",\"mail\":8," TIME ",\"request\":\"" REQUEST
	     "\",\"user\":\"bob\",\"reason\":\"declined\"}");
	told("event", "declined");
	is(member(line, "reason"), "declined", "bob says no");
	news(address(&bob, 4000, PASS, 60));
	is(alice_says(bob_calls, PASS, ID_1, "x"), "not-allowed",
	    "and that is it");
	finish();
	no_links = true;
	quiet_login("turned off");
	no_links = false;
	is_number(alice_port, 0, "the login offers none");
	wish("ask", "to", "bob", NULL, NULL);
	fares("not-allowed", "nor can be asked for one");
	finish();
}

/* The same session, another agent. */
static void
restart(void)
{
	another_agent();
	wish("login", NULL, NULL, NULL, NULL);
	asked("hello");
	reply(HELLO, "30", "100");
	asked("sync");
	reply(SYNC, "", mail, 5, "false");
	told("user", "alice");
	wish("watch", NULL, NULL, NULL, NULL);
	told("ok", NULL);
	asked("sync");
	reply(SYNC, "", mail, 5, "false");
}

/* An answer is one to the question that waits, and to no other. */
static void
test_taken_back(void)
{
	quiet_login("answers to other questions");
	asks(NULL);
	news("{\"type\":\"declined\",\"mail\":7," TIME
	     ",\"request\":\"RRRRRRRRRRRRRRRRRRRRRR\",\"user\":\"bob\","
	     "\"reason\":\"expired\"}");
	news(address(&bob, 4000, PASS, 60));
	is(alice_says(bob_calls, PASS, ID_1, "hi"), "ok",
	    "an older question's no is not this one's");
	news(hangup("hangup"));
	asks(NULL);
	wish("hangup", "user", "bob", NULL, NULL);
	next_is("hangup");
	reply("\"ok\":true");
	settled();
	told("tag", NULL);
	restart();
	news(address(&bob, 4000, PASS, 60));
	is(alice_says(bob_calls, PASS, ID_2, "x"), "not-allowed",
	    "a question that was taken back is none after a restart");
	finish();
}

static void
test_restart(void)
{
	quiet_login("an agent that is killed");
	linked(bob_listens());
	says("on its way");
	ok(waits(door, SOON), "bob is called");
	restart();
	close(accept(door, NULL, NULL));
	is(alice_says(bob_calls, PASS, ID_1, "hi"), "ok",
	    "the next one listens where the first did");
	told("event", "private");
	says("again");
	is(bob_hears(bob_takes, "{\"ok\":true}\n"), PASS " alice again",
	    "and knows where bob is");
	fares("fetched", "it has arrived");
	wish("leave", "user", "bob", NULL, NULL);
	told("count", NULL);
	is_number(wire_get_number(line, "count", 0), 1,
	    "what was on its way is kept");
	close(door);
	finish();
}

/* The only face goes while the agent is about to tell it something. */
static void
test_gone(void)
{
	quiet_login("a face that goes at once");
	linked(bob_listens());
	kill(agent, SIGSTOP);
	says("on its way");
	face_close(&face);
	kill(agent, SIGCONT);
	next_is("logout");
	reply("\"ok\":true");
	close(door);
	finish();
}

int
main(int argc, char **argv)
{
	(void)argc;
	spoil_freed(argv);
	stage_open();
	person("bob", &bob);
	person("mallory", &mallory);
	bob_takes = context(&bob, true);
	bob_calls = context(&bob, false);
	mallory_takes = context(&mallory, true);
	mallory_calls = context(&mallory, false);
	test_both_ways();
	test_lost();
	test_not_there();
	test_keys();
	test_asked();
	test_not_fetched();
	test_ends();
	test_unasked();
	test_taken_back();
	test_restart();
	test_gone();
	test_centre_back();
	test_no_centre();
	SSL_CTX_free(bob_takes);
	SSL_CTX_free(bob_calls);
	SSL_CTX_free(mallory_takes);
	SSL_CTX_free(mallory_calls);
	identity_release(&bob);
	identity_release(&mallory);
	return stage_close();
}
