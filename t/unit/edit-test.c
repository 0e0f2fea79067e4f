/* SPDX-License-Identifier: ISC */
/*
 * An edited text: what keys do to it, what does not get in, what was before.
 */
#include "tap.h"

#include <stdlib.h>

#include "chat/faces/complete.h"
#include "chat/faces/edit.h"
#include "chat/faces/wrap.h"
#include "lib/text.h"

#define ACUTE "e\xcc\x81"
#define FLAG "\xf0\x9f\x87\xa8\xf0\x9f\x87\xad"

/* The text with a '|' where the cursor is. */
static void
shows(const struct edit *edit, const char *wanted, const char *what)
{
	char got[512];
	size_t len, at = edit_cursor(edit);
	const char *text = edit_text(edit, &len);

	snprintf(got, sizeof(got), "%.*s|%s", (int)at, text, text + at);
	is(got, wanted, "%s", what);
}

static bool
types(struct edit *edit, const char *text)
{
	return edit_insert(edit, text, strlen(text));
}

/* A fresh one with this text. */
static struct edit *
with(const char *text)
{
	struct edit *edit = edit_new(100);

	edit_set(edit, text, strlen(text), NULL);
	return edit;
}

/* What one action makes of a text, cursor at '|'. */
static void
does(enum edit_action action, const char *before, const char *after,
    const char *what)
{
	size_t at = strcspn(before, "|");
	char text[128];
	struct edit *edit;

	snprintf(
	    text, sizeof(text), "%.*s%s", (int)at, before, before + at + 1);
	edit = with(text);
	edit_move(edit, at);
	is_number(edit_do(edit, action), strcmp(before, after) != 0,
	    "%s: says whether it did", what);
	shows(edit, after, what);
	edit_free(edit);
}

static void
test_actions(void)
{
	does(EDIT_LEFT, "ab|", "a|b", "left");
	does(EDIT_LEFT, "|ab", "|ab", "no further left");
	does(EDIT_LEFT, "a" ACUTE "|", "a|" ACUTE, "left by grapheme");
	does(EDIT_LEFT, "a\n|b", "a|\nb", "left over a line's end");
	does(EDIT_RIGHT, "|" FLAG FLAG, FLAG "|" FLAG, "right by grapheme");
	does(EDIT_RIGHT, "a|", "a|", "no further right");
	does(EDIT_BACKSPACE, FLAG FLAG "|", FLAG "|", "backspace");
	does(EDIT_BACKSPACE, "a" ACUTE "|b", "a|b", "with its accent");
	does(EDIT_DELETE, "|" ACUTE "b", "|b", "delete");
	does(EDIT_DELETE, "a|", "a|", "nothing to delete");
	does(EDIT_WORD_LEFT, "one, two|", "one, |two", "a word left");
	does(EDIT_WORD_LEFT, "one, |two", "|one, two", "another one");
	does(EDIT_WORD_RIGHT, "|one, two", "one|, two", "a word right");
	does(EDIT_WORD_RIGHT, "one|, two", "one, two|", "another one");
	does(EDIT_BACKSPACE_WORD, "a b.c  |d", "a |d", "to the blank");
	does(EDIT_DELETE_WORD, "|one two", "| two", "the word ahead");
	does(EDIT_LINE_START, "a\nbc|", "a\n|bc", "the line's start");
	does(EDIT_LINE_END, "|ab\nc", "ab|\nc", "its end");
	does(EDIT_START, "a\nbc|", "|a\nbc", "the text's start");
	does(EDIT_END, "|a\nbc", "a\nbc|", "its end");
	does(EDIT_KILL_START, "a\nbc|d", "a\n|d", "to the line's start");
	does(EDIT_KILL_END, "a|b\nc", "a|\nc", "to its end");
	does(EDIT_KILL_END, "a|\nc", "a|c", "and the newline");
	does(EDIT_UP, "abc\nd" ACUTE "|", "ab|c\nd" ACUTE, "a line up");
	does(EDIT_UP, "ab|c", "ab|c", "no line above");
	does(EDIT_DOWN, "ab|c\nd", "abc\nd|", "a line down, at its end");
	does(EDIT_DOWN, "ab|", "ab|", "no line below");
	does(EDIT_CLEAR, "a|b", "|", "clear");
	does(EDIT_YANK, "a|b", "a|b", "nothing was killed");
}

static void
test_column(void)
{
	struct edit *edit = with("abcd\ne\nfghi");

	edit_do(edit, EDIT_UP);
	shows(edit, "abcd\ne|\nfghi", "a short line");
	edit_do(edit, EDIT_UP);
	shows(edit, "abcd|\ne\nfghi", "and the column is remembered");
	edit_move(edit, 2);
	edit_do(edit, EDIT_DOWN);
	edit_do(edit, EDIT_DOWN);
	shows(edit, "abcd\ne\nfg|hi", "the same down");
	edit_do(edit, EDIT_KILL_END);
	edit_do(edit, EDIT_START);
	edit_do(edit, EDIT_YANK);
	shows(edit, "hi|abcd\ne\nfg", "what was killed is put back");
	edit_free(edit);
}

static void
test_insert(void)
{
	struct edit *edit = edit_new(8);
	struct edit_pasted pasted;

	ok(types(edit, "a") && types(edit, "\n"), "a letter, a newline");
	ok(!types(edit, "\033"), "no escape");
	ok(!types(edit, "\xc2\x9b"), "nor one of the other kind");
	ok(!types(edit, "\xff"), "nothing malformed");
	ok(!edit_insert(edit, "\0", 1), "no NUL");
	ok(!types(edit, ""), "nothing is nothing");
	shows(edit, "a\n|", "so much got in");
	ok(!types(edit, "1234567"), "no more than there is room for");
	edit_paste(edit, "b\r\nc\rd\033\x07" ACUTE "f", 12, &pasted);
	is_number((long long)pasted.dropped, 2, "a paste loses controls");
	is_number((long long)pasted.cut, 4, "and what does not fit");
	shows(edit, "a\nb\nc\nd|", "whole graphemes of it");
	edit_bound(edit, 4);
	ok(!types(edit, "x"), "a smaller bound takes no more");
	edit_paste(edit, "x", 1, &pasted);
	is_number((long long)pasted.cut, 1, "of a paste, either");
	edit_bound(edit, 20);
	edit_set(edit, "e", 1, NULL);
	ok(types(edit, "\xcc\x81"), "an accent");
	edit_do(edit, EDIT_START);
	types(edit, "x");
	shows(edit, "x|" ACUTE, "the cursor stands before a grapheme");
	edit_move(edit, 2);
	shows(edit, "x|" ACUTE, "never inside one");
	edit_free(edit);
}

static void
test_undo(void)
{
	struct edit *edit = edit_new(1000);
	char *taken;

	for (const char *c = "one two"; *c != '\0'; c++)
		edit_insert(edit, c, 1);
	edit_paste(edit, "xyz", 3, NULL);
	edit_do(edit, EDIT_BACKSPACE);
	ok(edit_do(edit, EDIT_UNDO), "undo");
	shows(edit, "one twoxyz|", "what was erased");
	edit_do(edit, EDIT_UNDO);
	shows(edit, "one two|", "a paste is one step");
	edit_do(edit, EDIT_UNDO);
	shows(edit, "one|", "so is a word");
	edit_do(edit, EDIT_UNDO);
	shows(edit, "|", "the first one");
	ok(!edit_do(edit, EDIT_UNDO), "no more");
	types(edit, "ab");
	edit_do(edit, EDIT_LEFT);
	types(edit, "c");
	edit_do(edit, EDIT_UNDO);
	shows(edit, "a|b", "what is typed elsewhere is another step");
	edit_do(edit, EDIT_UNDO);
	for (int i = 0; i < 3 * EDIT_UNDO_MAX; i++)
		edit_paste(edit, "x", 1, NULL);
	for (int i = 0; i < EDIT_UNDO_MAX; i++)
		edit_do(edit, EDIT_UNDO);
	ok(!edit_do(edit, EDIT_UNDO), "steps are bounded");
	is_number((long long)edit_cursor(edit), 2L * EDIT_UNDO_MAX, "the last");
	taken = edit_take(edit);
	is_number((long long)strlen(taken), 2L * EDIT_UNDO_MAX, "taken out");
	free(taken);
	shows(edit, "|", "nothing is left");
	ok(!edit_do(edit, EDIT_UNDO), "nor to be undone");
	edit_free(edit);
}

static void
test_history(void)
{
	struct edit *edit = edit_new(1000);
	char text[32], *taken;
	int steps = 0;

	ok(!edit_do(edit, EDIT_OLDER), "nothing was typed before");
	edit_remember(edit, "one");
	edit_remember(edit, "two");
	edit_remember(edit, "two");
	edit_remember(edit, "");
	types(edit, "unfin");
	edit_do(edit, EDIT_OLDER);
	shows(edit, "two|", "the last one");
	edit_do(edit, EDIT_OLDER);
	shows(edit, "one|", "the one before, once");
	ok(!edit_do(edit, EDIT_OLDER), "no older one");
	edit_do(edit, EDIT_NEWER);
	edit_do(edit, EDIT_NEWER);
	shows(edit, "unfin|", "what was not finished comes back");
	ok(!edit_do(edit, EDIT_NEWER), "nothing is newer");
	edit_do(edit, EDIT_OLDER);
	edit_do(edit, EDIT_UNDO);
	shows(edit, "unfin|", "or so");
	taken = edit_take(edit);
	free(taken);
	edit_do(edit, EDIT_OLDER);
	shows(edit, "two|", "after it was sent, the last one again");
	for (int i = 0; i < 2 * EDIT_HISTORY_MAX; i++) {
		snprintf(text, sizeof(text), "line %d", i);
		edit_remember(edit, text);
	}
	free(edit_take(edit));
	while (edit_do(edit, EDIT_OLDER))
		steps++;
	is_number(steps, EDIT_HISTORY_MAX, "they are bounded");
	edit_free(edit);
}

static char **
words(void *arg, const char *text, size_t start, size_t end)
{
	return complete_words(arg, text, start, end);
}

static void
test_complete(void)
{
	struct people people = {0};
	struct edit *edit = edit_new(1000);
	char **list;

	people_meet(&people, "barbara");
	people_meet(&people, "barbie");
	types(edit, "ME");
	ok(edit_complete(edit, words, &people) == NULL, "one word");
	shows(edit, "message |", "is completed, with a blank");
	types(edit, "b");
	list = edit_complete(edit, words, &people);
	ok(list != NULL && strcmp(list[1], "barbie") == 0, "two are listed");
	edit_words_free(list);
	shows(edit, "message barb|", "as far as they go together");
	types(edit, "x");
	ok(edit_complete(edit, words, &people) == NULL, "none");
	shows(edit, "message barbx|", "changes nothing");
	edit_set(edit, "/onl", 4, NULL);
	edit_complete(edit, words, &people);
	shows(edit, "/online |", "behind a slash");
	people_release(&people);
	edit_free(edit);
}

/* Whatever is done to it, it is a text with a cursor between graphemes. */
static void
test_random(void)
{
	static const char *const pieces[] = {"a", " ", "\n", ACUTE, FLAG,
	    "\xcc\x81", "\xf0\x9f\x91\xa9", "\xe2\x80\x8d", "\xe6\xbc\xa2"};
	struct edit *edit = edit_new(200);
	unsigned seed = 1;
	bool good = true;
	size_t len, at;
	const char *text;

	for (int i = 0; i < 20000; i++) {
		seed = seed * 1103515245U + 12345U;
		if (seed >> 30 == 0)
			edit_do(edit,
			    (enum edit_action)((seed >> 16) % EDIT_ACTIONS));
		else if (seed >> 30 == 1)
			edit_paste(edit, pieces[(seed >> 16) % 9],
			    strlen(pieces[(seed >> 16) % 9]), NULL);
		else
			types(edit, pieces[(seed >> 16) % 9]);
		if (i % 100 == 0)
			edit_remember(edit, edit_text(edit, NULL));
		text = edit_text(edit, &len);
		at = edit_cursor(edit);
		good &= len <= 200 && strlen(text) == len && at <= len &&
		    utf8_valid(text, len);
		for (size_t j = 0; j < len && j != at;) {
			j += wrap_grapheme(text + j, len - j, NULL);
			good &= at >= len || j <= at || at == 0;
			if (j > at)
				break;
		}
	}
	ok(good, "the text is well-formed, the cursor between graphemes");
	edit_free(edit);
}

int
main(void)
{
	test_actions();
	test_column();
	test_insert();
	test_undo();
	test_history();
	test_complete();
	test_random();
	return done();
}
