/* SPDX-License-Identifier: ISC */
/*
 * What a half-typed word can become, what a command of several lines means,
 * and which colour a name has.
 */
#include "tap.h"

#include <stdlib.h>

#include "chat/faces/colour.h"
#include "chat/faces/command.h"
#include "chat/faces/complete.h"

/* The words that the end of a line can become, with blanks between. */
static void
becomes(const struct people *people, const char *line, const char *wanted)
{
	size_t end = strlen(line), start = end;
	char got[256] = "";
	char **words;

	while (start > 0 && strchr(" \t\n/", line[start - 1]) == NULL)
		start--;
	words = complete_words(people, line, start, end);
	for (char **word = words; word != NULL && *word != NULL; word++) {
		strcat(strcat(got, *got != '\0' ? " " : ""), *word);
		free(*word);
	}
	free(words);
	is(got, wanted, "\"%s\"", line);
}

static void
test_words(void)
{
	struct people people = {0};

	people_meet(&people, "bob");
	people_meet(&people, "Bo.Peep");
	people_meet(&people, "bob");
	people_meet(&people, "no name");
	people_meet(&people, NULL);
	people_meet(&people, "carol");
	is_number((long)people.count, 3, "each is met once");
	becomes(&people, "me", "message");
	becomes(&people, "  /ME", "message");
	becomes(&people, "m", "message");
	becomes(&people, "ms", "msg");
	becomes(&people, "bl", "block blocked");
	becomes(&people, "xyz", "");
	becomes(&people, "message b", "bob bo.peep");
	becomes(&people, "/MSG  BO", "bob bo.peep");
	becomes(&people, "msg\nc", "carol");
	becomes(&people, "message ", "bob bo.peep carol");
	becomes(&people, "unblock c", "carol");
	becomes(&people, "private c", "carol");
	becomes(&people, "trust b", "bob bo.peep");
	becomes(&people, "message bob c", "");
	becomes(&people, "broadcast c", "");
	becomes(&people, "online c", "");
	becomes(&people, "xyz c", "");
	becomes(&people, "message/c", "");
	people_release(&people);
	becomes(&people, "message b", "");
}

static void
test_lines(void)
{
	static const char text[] = "message bob one\ntwo\n  three";
	struct command command;

	is_number(command_parse(&command, text, strlen(text), 100), COMMAND_OK,
	    "several lines are one message");
	is(command.text, "one\ntwo\n  three", "with its newlines");
	is_number(command_parse(&command, "msg\nbob\nhi", 10, 100), COMMAND_OK,
	    "newlines part words");
	is(command.user, "bob", "the user is found");
	is(command.text, "hi", "and the text");
	is_number(command_parse(&command, "hello\nquit", 10, 100),
	    COMMAND_UNKNOWN, "only the first word is a command");
	is(command.word, "hello", "which is told");
}

static void
test_colours(void)
{
	is_number(colour_depth("xterm", NULL, "1"), COLOUR_NONE, "NO_COLOR");
	is_number(colour_depth("xterm", NULL, ""), COLOUR_FEW,
	    "an empty NO_COLOR says nothing");
	is_number(colour_depth("dumb", "truecolor", NULL), COLOUR_NONE, "dumb");
	is_number(colour_depth(NULL, NULL, NULL), COLOUR_NONE, "no TERM");
	is_number(colour_depth("xterm-256color", NULL, NULL), COLOUR_MANY,
	    "256 colours");
	is_number(
	    colour_depth("xterm", "truecolor", NULL), COLOUR_MANY, "COLORTERM");
	is(colour_of("bob", COLOUR_NONE), "", "none is no sequence");
	ok(colour_of("bob", COLOUR_MANY) == colour_of("bob", COLOUR_MANY),
	    "the same name has the same colour");
	ok(colour_of("bob", COLOUR_MANY) != colour_of("carol", COLOUR_MANY),
	    "another name may have another");
	ok(strncmp(colour_of("bob", COLOUR_FEW), "\033[3", 3) == 0,
	    "eight colours will do");
}

int
main(void)
{
	test_words();
	test_lines();
	test_colours();
	return done();
}
