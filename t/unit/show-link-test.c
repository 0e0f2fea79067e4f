/* SPDX-License-Identifier: ISC */
/*
 * What a person reads of private links: the words for the agent's events,
 * answers and refusals.
 */
#include "tap.h"

#include <stdlib.h>

#include "chat/faces/show-link.h"
#include "chat/faces/show.h"
#include "lib/wire.h"

#define OLD "sha256//AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA="
#define NEW "sha256//BBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBB="
#define KEYS "\n  now:        " NEW "\n  remembered: " OLD "\n"
#define BOTH "\"known\":\"" OLD "\",\"shown\":\"" NEW "\""

/* A request that was done or refused, or (request NULL) an event. */
static void
reads(const char *request, const char *line, const char *wanted)
{
	json_t *object = json_loads(line, 0, NULL);
	FILE *out = stdout;
	char *got = NULL;
	size_t len;

	stdout = open_memstream(&got, &len);
	if (request == NULL)
		show_event(object, "alice");
	else if (wire_get_string(object, "error") == NULL)
		show_link_done(stdout, request, object, "bob");
	else
		show_link_refusal(stdout, request, object, "bob");
	fclose(stdout);
	stdout = out;
	is(got, wanted, "%s %s", request != NULL ? request : "event", line);
	free(got);
	json_decref(object);
}

static void
test_events(void)
{
	reads(NULL, "{\"event\":\"ask\",\"from\":\"bob\"}",
	    "bob wants to talk privately. Type \"accept bob\" or "
	    "\"decline bob\".\n");
	reads(NULL,
	    "{\"event\":\"address\",\"user\":\"bob\",\"host\":\"192.0.2.7\","
	    "\"port\":40312}",
	    "bob agreed: private messages go to 192.0.2.7:40312.\n");
	reads(NULL,
	    "{\"event\":\"address\",\"user\":\"bob\",\"host\":\"::1\","
	    "\"port\":40312}",
	    "bob agreed: private messages go to [::1]:40312.\n");
	reads(NULL,
	    "{\"event\":\"address\",\"user\":\"bob\",\"host\":\"::1\","
	    "\"port\":40312,\"renewed\":true}",
	    "The private link with bob was prolonged.\n");
	reads(NULL,
	    "{\"event\":\"address\",\"user\":\"bob\",\"host\":null,"
	    "\"port\":null}",
	    "bob can send you private messages, and takes none.\n");
	reads(NULL,
	    "{\"event\":\"accepted\",\"user\":\"bob\",\"host\":\"::1\","
	    "\"port\":40312}",
	    "You agreed: private messages to bob go to [::1]:40312.\n");
	reads(NULL,
	    "{\"event\":\"declined\",\"user\":\"bob\",\"reason\":\"declined\"}",
	    "bob declined.\n");
	reads(NULL,
	    "{\"event\":\"declined\",\"user\":\"bob\",\"reason\":\"expired\"}",
	    "bob did not answer.\n");
	reads(NULL,
	    "{\"event\":\"private\",\"from\":\"bob\",\"text\":\"h\\u001bi\\n"
	    "there\"}",
	    "bob (private): h\xef\xbf\xbdi\n  there\n");
	reads(NULL, "{\"event\":\"key-changed\",\"user\":\"bob\"," BOTH "}",
	    "The key of bob has changed; there is no private link." KEYS
	    "If bob says, by another way, that this is right, type "
	    "\"trust bob\".\n");
}

static void
test_ends(void)
{
	static const char *const ends[][2] = {
	    {"asked", "logged out"},
	    {"timeout", "logged out"},
	    {"replaced", "logged out"},
	    {"removed", "logged out"},
	    {"expired", "expired"},
	    {"blocked", "blocked"},
	    {"address", "new address"},
	    {"hangup", "hung up"},
	};
	char line[128], wanted[128];

	for (size_t i = 0; i < sizeof(ends) / sizeof(*ends); i++) {
		snprintf(line, sizeof(line),
		    "{\"event\":\"hangup\",\"user\":\"bob\","
		    "\"reason\":\"%s\"}",
		    ends[i][0]);
		snprintf(wanted, sizeof(wanted),
		    "The private link with bob has ended: %s.\n", ends[i][1]);
		reads(NULL, line, wanted);
	}
}

/* A refusal in one line. */
static void
refused(const char *request, const char *error, const char *wanted)
{
	char line[256], text[256];

	snprintf(line, sizeof(line), "{\"ok\":false,\"error\":\"%s\"," BOTH "}",
	    error);
	snprintf(text, sizeof(text), "%s\n", wanted);
	reads(request, line, text);
}

static void
test_refusals(void)
{
	refused("ask", "no-such-user", "There is no user bob.");
	refused("ask", "blocked", "bob has blocked you.");
	refused("ask", "offline", "bob is offline.");
	reads("private",
	    "{\"ok\":false,\"error\":\"no-link\",\"text\":\"bob's client "
	    "takes no private messages, it only sends them.\"}",
	    "bob's client takes no private messages, it only sends them.\n");
	refused("hangup", "no-link", "There is no private link with bob.");
	refused("private", "unreachable",
	    "bob can no longer be reached at that address; the message was "
	    "not sent. Type \"leave bob\" to leave it at the centre.");
	refused("private", "refused",
	    "The client of bob did not take the message; it was not sent. "
	    "Type \"leave bob\" to leave it at the centre.");
	refused("private", "wrong-key",
	    "Somebody else answers at the address of bob; the message was not "
	    "sent." KEYS "Type \"leave bob\" to leave it at the centre.");
	refused("accept", "key-changed",
	    "The key of bob has changed; there is no private link." KEYS
	    "If bob says, by another way, that this is right, type "
	    "\"trust bob\".");
	refused("private", "key-changed",
	    "The key of bob has changed; nothing was sent." KEYS
	    "If bob says, by another way, that this is right, type "
	    "\"trust bob\".");
	refused("accept", "no-request", "bob has not asked to talk privately.");
	reads("accept",
	    "{\"ok\":false,\"error\":\"blocked\",\"text\":\"You have "
	    "blocked that user.\"}",
	    "You have blocked that user.\n");
	refused("accept", "expired", "The question of bob has expired.");
	refused(
	    "leave", "nothing", "No private message to bob was left unsent.");
	refused("trust", "nothing", "bob has shown no other key.");
}

static void
test_done(void)
{
	reads("leave", "{\"ok\":true,\"count\":1}",
	    "1 message was left at the centre.\n");
	reads("leave", "{\"ok\":true,\"count\":2}",
	    "2 messages were left at the centre.\n");
	reads("leave", "{\"ok\":true,\"count\":2,\"later\":true}",
	    "2 messages will be left at the centre when it is back.\n");
	reads("ask", "{\"ok\":true,\"state\":\"waiting\"}",
	    "Waiting for bob to agree.\n");
	reads("accept", "{\"ok\":true,\"host\":\"2001:db8::1\",\"port\":1024}",
	    "You agreed: private messages to bob go to [2001:db8::1]:1024.\n");
	reads("accept", "{\"ok\":true,\"host\":null,\"port\":null}",
	    "You agreed: bob can send you private messages.\n");
	reads("private", "{\"ok\":true,\"state\":\"fetched\"}", "");
	reads("trust", "{\"ok\":true}",
	    "The new key of bob is trusted from now on.\n");
	reads("trust",
	    "{\"ok\":true,\"keys\":[{\"user\":\"bob\",\"fingerprint\":\"" OLD
	    "\",\"changed\":\"" NEW "\"}]}",
	    "bob " OLD ", now " NEW "\n");
}

int
main(void)
{
	test_events();
	test_ends();
	test_refusals();
	test_done();
	return done();
}
