/* SPDX-License-Identifier: ISC */
/*
 * What a person types: how chat takes a line apart, and what it asks the
 * agent for.
 */
#include "tap.h"

#include "chat/faces/command.h"
#include "lib/wire.h"

enum { LIMIT = 20 };

/* Takes a line apart. */
static enum command_status
parse(struct command *command, const char *line)
{
	return command_parse(command, line, strlen(line), LIMIT);
}

/* A line with its outcome. */
static void
gives(const char *line, enum command_status status)
{
	struct command command;

	is_number(parse(&command, line), status, "the outcome of \"%s\"", line);
}

/* A line that is a message, with the user and the text in it. */
static void
message(const char *line, const char *user, const char *text)
{
	struct command command;
	char got[LIMIT + 1] = "";

	if (!ok(parse(&command, line) == COMMAND_OK, "\"%s\" is good", line))
		return;
	is_number(command.name, COMMAND_MESSAGE, "it is a message");
	is(command.user, user, "its user");
	snprintf(got, sizeof(got), "%.*s", (int)command.text_len, command.text);
	is(got, text, "its text");
}

static void
test_messages(void)
{
	message("message bob hi", "bob", "hi");
	message("msg bob hi", "bob", "hi");
	message("send bob hi", "bob", "hi");
	message("/message bob hi", "bob", "hi");
	message("  MESSAGE \t BoB \t hi  there ", "bob", "hi  there ");
	message("message bob /quit", "bob", "/quit");
	message("message bob \xc3\xbc\tx", "bob", "\xc3\xbc\tx");
	message(
	    "message bob 12345678901234567890", "bob", "12345678901234567890");
}

static void
test_others(void)
{
	static const struct {
		const char *line;
		enum command_name name;
	} lines[] = {
	    {"broadcast hello all", COMMAND_BROADCAST},
	    {"online", COMMAND_ONLINE},
	    {"/online ", COMMAND_ONLINE},
	    {"block bob", COMMAND_BLOCK},
	    {"unblock bob", COMMAND_UNBLOCK},
	    {"blocked", COMMAND_BLOCKED},
	    {"getaddress bob", COMMAND_GETADDRESS},
	    {"ask bob", COMMAND_GETADDRESS},
	    {"accept bob", COMMAND_ACCEPT},
	    {"decline bob", COMMAND_DECLINE},
	    {"private bob hi", COMMAND_PRIVATE},
	    {"leave bob", COMMAND_LEAVE},
	    {"hangup bob", COMMAND_HANGUP},
	    {"trust bob", COMMAND_TRUST},
	    {"trust ", COMMAND_TRUST},
	    {"contacts", COMMAND_CONTACTS},
	    {"help", COMMAND_HELP},
	    {"?", COMMAND_HELP},
	    {"logout", COMMAND_QUIT},
	    {"quit", COMMAND_QUIT},
	    {"Exit", COMMAND_QUIT},
	};
	struct command command;

	for (size_t i = 0; i < sizeof(lines) / sizeof(*lines); i++) {
		ok(parse(&command, lines[i].line) == COMMAND_OK,
		    "\"%s\" is good", lines[i].line);
		is_number(command.name, lines[i].name, "and what it is");
	}
}

static void
test_wrong(void)
{
	struct command command;

	gives("", COMMAND_EMPTY);
	gives(" \t ", COMMAND_EMPTY);
	gives("/", COMMAND_EMPTY);
	gives("xyz", COMMAND_UNKNOWN);
	gives("messages bob hi", COMMAND_UNKNOWN);
	gives("mess bob hi", COMMAND_UNKNOWN);
	gives("message", COMMAND_WRONG);
	gives("message bob", COMMAND_WRONG);
	gives("message bob ", COMMAND_WRONG);
	gives("message bob! hi", COMMAND_WRONG);
	gives("broadcast", COMMAND_WRONG);
	gives("block", COMMAND_WRONG);
	gives("block bob carol", COMMAND_WRONG);
	gives("online now", COMMAND_WRONG);
	gives("private bob", COMMAND_WRONG);
	gives("getaddress", COMMAND_WRONG);
	gives("accept bob carol", COMMAND_WRONG);
	gives("trust bob!", COMMAND_WRONG);
	gives("trust bob carol", COMMAND_WRONG);
	gives("message bob 123456789012345678901", COMMAND_WRONG);
	gives("message bob \x1b[31m", COMMAND_WRONG);
	gives("message bob \xff", COMMAND_WRONG);
	parse(&command, "/wha\x1bt now");
	is(command.word, "wha\xef\xbf\xbdt", "an unknown word is made safe");
	parse(&command, "message bob");
	is(command.why, "Type \"message USER TEXT\".", "the usage is told");
	parse(&command, "online now");
	is(command.why, "Type \"online\" alone.", "likewise");
}

/* What the agent is asked for a line. */
static void
asks(const char *line, const char *wanted)
{
	struct command command;
	json_t *request;
	size_t len;
	char *got = NULL;

	parse(&command, line);
	request = command_request(&command);
	if (request != NULL)
		got = wire_line(request, &len);
	if (got != NULL)
		got[len - 1] = '\0';
	is(got, wanted, "what \"%s\" asks for", line);
	free(got);
	json_decref(request);
}

static void
test_requests(void)
{
	asks("msg Bob hi", "{\"do\":\"send\",\"to\":\"bob\",\"text\":\"hi\"}");
	asks("broadcast a \"b\"",
	    "{\"do\":\"broadcast\",\"text\":\"a \\\"b\\\"\"}");
	asks("online", "{\"do\":\"online\"}");
	asks("block BOB", "{\"do\":\"block\",\"user\":\"bob\"}");
	asks("unblock bob", "{\"do\":\"unblock\",\"user\":\"bob\"}");
	asks("blocked", "{\"do\":\"blocked\"}");
	asks("getaddress Bob", "{\"do\":\"ask\",\"to\":\"bob\"}");
	asks("accept bob", "{\"do\":\"accept\",\"user\":\"bob\"}");
	asks("private bob hi",
	    "{\"do\":\"private\",\"to\":\"bob\",\"text\":\"hi\"}");
	asks("leave bob", "{\"do\":\"leave\",\"user\":\"bob\"}");
	asks("trust", "{\"do\":\"trust\"}");
	asks("trust bob", "{\"do\":\"trust\",\"user\":\"bob\"}");
	asks("contacts", "{\"do\":\"links\"}");
	asks("quit", NULL);
	asks("help", NULL);
}

int
main(void)
{
	test_messages();
	test_others();
	test_wrong();
	test_requests();
	return done();
}
