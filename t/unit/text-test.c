/* SPDX-License-Identifier: ISC */
/*
 * Unit tests of lib/text: names, ids, UTF-8, what may be in a message, and
 * what of it reaches a terminal or a log.
 */
#include <stdlib.h>

#include "lib/text.h"
#include "tap.h"

/* A string literal and its length, NULs included. */
#define B(s) (s), (sizeof(s) - 1)

static void
test_names(void)
{
	char out[NAME_MAX_LEN + 1];

	ok(name_fold(B("Alice"), out), "a name");
	is(out, "alice", "is folded");
	ok(name_fold(B("0.x_y-z"), out), "all kinds of letters");
	ok(name_fold(B("abcdefghijklmnopqrstuvwxyz012345"), out), "32 letters");
	ok(!name_fold(B("abcdefghijklmnopqrstuvwxyz0123456"), out), "not 33");
	is(out, "", "and nothing is left of it");
	ok(!name_fold(B(""), out), "not an empty one");
	ok(!name_fold(B(".alice"), out), "not with a dot first");
	ok(!name_fold(B("-alice"), out), "not with a dash first");
	ok(!name_fold(B("al ice"), out), "not with a space");
	ok(!name_fold(B("alice\0"), out), "not with a NUL");
	ok(!name_fold(B("alic\xc3\xa9"), out), "not beyond ASCII");
	ok(!name_fold(B("../../etc"), out), "not a path");
}

static void
test_ids(void)
{
	char id[ID_MAX_LEN + 1];

	memset(id, 'a', sizeof(id));
	ok(id_valid(B("abcXYZ012-_34567")), "an id of 16");
	ok(!id_valid(id, 15), "not 15");
	ok(id_valid(id, 64), "64");
	ok(!id_valid(id, 65), "not 65");
	ok(!id_valid(B("abcXYZ012-_3456.")), "not with a dot");
	ok(!id_valid(B("abcXYZ012-_3456\0")), "not with a NUL");
}

static void
test_utf8(void)
{
	unsigned code = 0;

	ok(utf8_valid(B("")), "nothing is valid");
	ok(utf8_valid(B("a\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80")), "1 to 4");
	ok(utf8_valid(B("\xf4\x8f\xbf\xbf")), "U+10FFFF");
	ok(!utf8_valid(B("\xf4\x90\x80\x80")), "not U+110000");
	ok(!utf8_valid(B("a\0b")), "no NUL");
	ok(!utf8_valid(B("\xc0\x80")), "no overlong NUL");
	ok(!utf8_valid(B("\xc1\xbf")), "no overlong ASCII");
	ok(!utf8_valid(B("\xe0\x9f\xbf")), "no overlong of 3");
	ok(!utf8_valid(B("\xf0\x8f\xbf\xbf")), "no overlong of 4");
	ok(!utf8_valid(B("\xed\xa0\x80")), "no surrogate");
	ok(utf8_valid(B("\xed\x9f\xbf\xee\x80\x80")), "its neighbours");
	ok(!utf8_valid(B("\x80")), "no lone continuation");
	ok(!utf8_valid(B("\xff")), "no FF");
	ok(!utf8_valid(B("\xf8\x88\x80\x80\x80")), "none of five");
	ok(!utf8_valid(B("\xe2\x82")), "none cut off");
	ok(!utf8_valid(B("\xe2\x82x")), "none broken off");
	ok(utf8_decode(B("\xe2\x82\xac"), &code) == 3 && code == 0x20ac,
	    "a character is decoded");
	ok(utf8_decode(B("\xe2\x82"), &code) == 1 && code == 0xfffd,
	    "half a one takes one byte");
	ok(utf8_decode(B("\0"), &code) == 1 && code == 0, "a NUL too");
}

static void
test_bad(void)
{
	ok(text_bad_at(B("a\n\tb \xc3\xa9")) == -1, "newline and tab may be");
	ok(text_bad_at(B("ab\x1b[2J")) == 2, "an escape not");
	ok(text_bad_at(B("\r\n")) == 0, "a carriage return not");
	ok(text_bad_at(B("abc\0")) == 3, "a NUL not");
	ok(text_bad_at(B("a\x7f")) == 1, "DEL not");
	ok(text_bad_at(B("\xc3\xa9\xc2\x9b")) == 2, "C1 not");
	ok(text_bad_at(B("\xc2\xa0")) == -1, "U+00A0 may be");
	ok(text_bad_at(B("ab\xe2\x82")) == 2, "half a character not");
}

/* Claims what comes out of text_escape(). */
static void
shows(enum text_style style, const char *in, size_t len, const char *wanted,
    const char *why)
{
	char *out = text_escaped(in, len, style);

	is(out, wanted, "%s", why);
	ok(text_escape(NULL, 0, in, len, style) == strlen(wanted) &&
		strlen(wanted) <= 4 * len,
	    "  of the length it says");
	free(out);
}

#define MARK "\xef\xbf\xbd"
#define ZWJ "\xe2\x80\x8d"
#define ZWNJ "\xe2\x80\x8c"
#define VS16 "\xef\xb8\x8f"
#define HEART "\xe2\x9d\xa4"
#define FIRE "\xf0\x9f\x94\xa5"

static void
test_screen(void)
{
	shows(TEXT_SCREEN, B("hi \\ \xc3\xa9\xf0\x9f\x98\x80"),
	    "hi \\ \xc3\xa9\xf0\x9f\x98\x80", "harmless text stays");
	shows(TEXT_SCREEN, B("a\nb\n\tc"), "a\n  b\n   c",
	    "a further line is indented");
	shows(TEXT_SCREEN, B("\x1b[2J\r\a\x7f\0"),
	    MARK "[2J" MARK MARK MARK MARK, "controls are marked");
	shows(TEXT_SCREEN,
	    B("\xc2\x9b"
	      "31m"),
	    MARK "31m", "C1 too");
	shows(TEXT_SCREEN, B("a\xff\xe2\x82z"), "a" MARK MARK MARK "z",
	    "every malformed byte");
	shows(TEXT_SCREEN,
	    B("\xe2\x80\xae"
	      "evil\xe2\x81\xa9"),
	    MARK "evil" MARK, "bidi");
	shows(TEXT_SCREEN, B("a\xe2\x80\x8b\xc2\xad\xef\xbb\xbf\xe3\x85\xa4"),
	    "a" MARK MARK MARK MARK, "invisible ones");
	shows(TEXT_SCREEN,
	    B("a\xe2\x80\xa8"
	      "b\xe2\x80\xa9"),
	    "a" MARK "b" MARK, "other line ends");
	shows(TEXT_SCREEN, B("\xf3\xa0\x81\x81\xef\xbf\xbe\xef\xb7\x90"),
	    MARK MARK MARK, "tags and noncharacters");
	shows(TEXT_WORD, B("a\nb\tc d"), "a" MARK "b" MARK "c d",
	    "a word has no newline and no tab");
}

static void
test_joiners(void)
{
	shows(TEXT_SCREEN, B(HEART VS16 ZWJ FIRE), HEART VS16 ZWJ FIRE,
	    "a joined emoji stays");
	shows(TEXT_SCREEN, B("\xd9\x85" ZWNJ "\xdb\x8c"),
	    "\xd9\x85" ZWNJ "\xdb\x8c", "so does a joiner between letters");
	shows(TEXT_SCREEN, B("bo" ZWJ "b"), "bo" MARK "b",
	    "within ASCII it does not");
	shows(TEXT_SCREEN, B(HEART ZWJ), HEART MARK, "nor at the end");
	shows(TEXT_SCREEN, B(ZWNJ HEART), MARK HEART, "nor at the start");
	shows(TEXT_SCREEN, B(HEART ZWJ ZWJ FIRE), HEART MARK MARK FIRE,
	    "nor beside another one");
	shows(TEXT_SCREEN, B("a" VS16 ZWJ FIRE), "a" VS16 MARK FIRE,
	    "nor after ASCII with a selector");
	shows(TEXT_SCREEN, B("\xc2\xa0" ZWJ FIRE), "\xc2\xa0" MARK FIRE,
	    "nor after a space");
}

static void
test_log(void)
{
	shows(TEXT_LOG, B("a\nb\tc\\d"), "a\\nb\\tc\\\\d", "short names");
	shows(TEXT_LOG, B("\x1b\0\x7f"), "\\x1b\\x00\\x7f", "bytes as hex");
	shows(TEXT_LOG, B("\xc3\xa9\xc2\x9b"), "\xc3\xa9\\xc2\\x9b",
	    "safe UTF-8 stays");
	shows(TEXT_LOG, B("\xe2\x80\xae\xff"), "\\xe2\\x80\\xae\\xff",
	    "other does not");
}

static void
test_cut(void)
{
	char out[8];

	memset(out, 'x', sizeof(out));
	ok(text_escape(out, 4, B("a\xe2\x82\xac"), TEXT_SCREEN) == 4,
	    "the whole length is told");
	is(out, "a", "no half character is written");
	ok(out[4] == 'x', "and nothing beyond");
	text_escape(out, 5, B("a\xe2\x82\xac"), TEXT_SCREEN);
	is(out, "a\xe2\x82\xac", "it fits exactly");
	text_escape(out, 4,
	    B("\x01\x01"
	      "bc"),
	    TEXT_LOG);
	is(out, "", "nothing comes after what did not fit");
	text_escape(out, 1, B("a"), TEXT_LOG);
	is(out, "", "room for the NUL alone");
}

/* Throws noise at everything: for sanitizers, and for the promises. */
static void
test_noise(void)
{
	char in[64], out[4 * sizeof(in) + 1];
	unsigned seed = 1;
	bool good = true;

	for (int round = 0; round < 20000; round++) {
		size_t len = (size_t)round % sizeof(in);

		for (size_t i = 0; i < len; i++) {
			seed = seed * 1103515245 + 12345;
			in[i] = (char)(seed >> 16);
		}
		for (int style = TEXT_LOG; style <= TEXT_WORD; style++) {
			size_t whole = text_escape(
			    out, sizeof(out), in, len, (enum text_style)style);

			good = good && whole == strlen(out) &&
			    whole <= 4 * len && utf8_valid(out, whole);
			if (style != TEXT_SCREEN)
				good = good && text_bad_at(out, whole) == -1 &&
				    !strchr(out, '\n');
		}
	}
	ok(good, "noise comes out as clean text");
}

static void
test_nearest(void)
{
	static const char *const list[] = {
	    "message", "broadcast", "block", "unblock", "online", "quit", NULL};

	is(text_nearest("mesage", list), "message", "a letter dropped");
	is(text_nearest("onlien", list), "online", "two letters swapped");
	is(text_nearest("brodcats", list), "broadcast", "two edits of eight");
	is(text_nearest("blocc", list), "block", "the nearer of two");
	is(text_nearest("quit", list), "quit", "the word itself");
	is(text_nearest("qq", list), NULL, "too short to be meant");
	is(text_nearest("history", list), NULL, "nothing near");
	is(text_nearest("", list), NULL, "nothing at all");
	is(text_nearest("aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
			"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
	       list),
	    NULL, "a very long word");
}

int
main(void)
{
	test_names();
	test_ids();
	test_utf8();
	test_bad();
	test_screen();
	test_joiners();
	test_log();
	test_cut();
	test_noise();
	test_nearest();
	return done();
}
