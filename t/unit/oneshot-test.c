/* SPDX-License-Identifier: ISC */
/*
 * One-shot commands: how chat takes the words of a command line apart, and
 * what it makes of a text that comes out of a file.
 */
#include "tap.h"

#include "chat/faces/oneshot.h"

#include <stdlib.h>

/* The outcome of some words, separated by '|'. */
static int
parse(struct oneshot *shot, const char *line, char why[ONESHOT_WHY_LEN])
{
	char copy[256], *rest = copy, *words[8] = {NULL};
	bool lines = shot->lines;

	memset(shot, 0, sizeof(*shot));
	shot->lines = lines;
	*why = '\0';
	snprintf(copy, sizeof(copy), "%s", line);
	for (int i = 0; i < 7 && rest != NULL; i++)
		words[i] = strsep(&rest, "|");
	return oneshot_parse(shot, words, why);
}

static void
gives(const char *line, bool lines, int result, const char *text)
{
	char why[ONESHOT_WHY_LEN];
	struct oneshot shot = {.lines = lines};

	is_number(parse(&shot, line, why), result, "%s%s", line,
	    lines ? " --lines" : "");
	is(shot.text, text, "its text");
	oneshot_release(&shot);
}

static void
test_words(void)
{
	gives("send|bob|hi", false, 0, "hi");
	gives("send|BOB|so|long", false, 0, "so long");
	gives("send|bob|-1 degrees", false, 0, "-1 degrees");
	gives("send|bob", false, 0, NULL);
	gives("send|bob", true, 0, NULL);
	gives("send|bob|hi", true, -1, NULL);
	gives("send", false, -1, NULL);
	gives("send|no/name|hi", false, -1, NULL);
	gives("broadcast|hi|all", false, 0, "hi all");
	gives("online", false, 0, NULL);
	gives("online|now", false, -1, NULL);
	gives("online", true, -1, NULL);
	gives("block|bob", false, 0, NULL);
	gives("block|bob|carol", false, -1, NULL);
	gives("block", false, -1, NULL);
	gives("ask|bob", false, 0, NULL);
	gives("ask", false, -1, NULL);
	gives("getaddress|bob", false, 0, NULL);
	gives("accept|bob|carol", false, -1, NULL);
	gives("private|bob|so|long", false, 0, "so long");
	gives("private|bob", true, 0, NULL);
	gives("trust", false, 0, NULL);
	gives("trust|bob", false, 0, NULL);
	gives("login", false, 0, NULL);
	gives("logout|now", false, -1, NULL);
}

/* The outcome of words with options of their own. */
static void
takes(const char *line, struct oneshot shot, int result)
{
	char why[ONESHOT_WHY_LEN], copy[64], *words[] = {copy, NULL};

	snprintf(copy, sizeof(copy), "%s", line);
	is_number(oneshot_parse(&shot, words, why), result, "the options of %s",
	    line);
}

static void
test_options(void)
{
	takes("read", (struct oneshot){.follow = true, .wait = "3"}, 0);
	takes("read", (struct oneshot){.last = "0"}, 0);
	takes("read", (struct oneshot){.last = "-1"}, -1);
	takes("read", (struct oneshot){.last = ""}, -1);
	takes("read", (struct oneshot){.wait = "3s"}, -1);
	takes("read", (struct oneshot){.wait = "99999999999999999999"}, -1);
	takes("online", (struct oneshot){.last = "1"}, -1);
	/* The n of "lines" is no -n. */
	takes("broadcast", (struct oneshot){.last = "1"}, -1);
	takes("broadcast", (struct oneshot){.lines = true, .queue = true}, 0);
	takes("online", (struct oneshot){.queue = true}, -1);
	/* Without an agent there is no link: nothing can be kept for one. */
	takes("private", (struct oneshot){.queue = true}, -1);
	takes("register", (struct oneshot){.invite = "code"}, 0);
	takes("login", (struct oneshot){.invite = "code"}, -1);
	gives("register|alice@localhost", false, 0, NULL);
	gives("register|localhost|now", false, -1, NULL);
}

static void
test_names(void)
{
	is_number(oneshot_find("blocked"), ONESHOT_BLOCKED, "blocked is one");
	is_number(oneshot_find("Send"), ONESHOT_COUNT, "case matters");
	is(oneshot_nearest("brodcast"), "broadcast", "the nearest command");
	is(oneshot_nearest("somewhere"), NULL, "nothing is near");
}

/* What becomes of a text. */
static void
text(const char *from, size_t len, int result, const char *wanted)
{
	char *copy = malloc(len + 1), why[ONESHOT_WHY_LEN] = "";

	memcpy(copy, from, len);
	copy[len] = '\0';
	is_number(oneshot_text(copy, &len, why), result, "the outcome");
	is(result == 0 ? copy : why, wanted, "what it is");
	free(copy);
}

#define TEXT(from, result, wanted) text(from, sizeof(from) - 1, result, wanted)

static void
test_texts(void)
{
	TEXT("hi", 0, "hi");
	TEXT("hi\n", 0, "hi");
	TEXT("hi\n\n", 0, "hi\n");
	TEXT("one\r\ntwo\r\n", 0, "one\ntwo");
	TEXT("tab\there", 0, "tab\there");
	TEXT("", -1, "There is no text. Nothing was sent.");
	TEXT("\n", -1, "There is no text. Nothing was sent.");
	TEXT("a\rb", -1,
	    "The message holds a control character or is not UTF-8 at byte 2 "
	    "of line 1. It was not sent.");
	TEXT("one\r\ntwo\033[1m", -1,
	    "The message holds a control character or is not UTF-8 at byte 4 "
	    "of line 2. It was not sent.");
	TEXT("a\0b", -1,
	    "The message holds a control character or is not UTF-8 at byte 2 "
	    "of line 1. It was not sent.");
	TEXT("\xff", -1,
	    "The message holds a control character or is not UTF-8 at byte 1 "
	    "of line 1. It was not sent.");
}

int
main(void)
{
	test_words();
	test_options();
	test_names();
	test_texts();
	return done();
}
