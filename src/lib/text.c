/* SPDX-License-Identifier: ISC */
/*
 * Names, UTF-8 and escaping.  Every process passes what others chose through
 * here before a person or a log sees it.  Pure: no descriptor, no locale.
 */
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

#include "lib/log.h"
#include "lib/text.h"

enum {
	REPLACEMENT = 0xfffd,
	ZWNJ = 0x200c, /* joiners: part of emoji and of several scripts */
	ZWJ = 0x200d,
	WORD_LEN_MAX = 64, /* longer words are nobody's misspelling */
};

struct range {
	unsigned first, last;
};

/*
 * What a person cannot see or what moves what they see: controls, bidi
 * marks, invisible fillers, tags, noncharacters.  Variation selectors
 * (U+FE00 to U+FE0F) are not among them: emoji need them.
 */
static const struct range unsafe[] = {
    {0x0000, 0x001f},
    {0x007f, 0x009f},
    {0x00ad, 0x00ad},
    {0x034f, 0x034f},
    {0x061c, 0x061c},
    {0x115f, 0x1160},
    {0x17b4, 0x17b5},
    {0x180b, 0x180f},
    {0x200b, 0x200f},
    {0x2028, 0x202e},
    {0x2060, 0x206f},
    {0x3164, 0x3164},
    {0xfdd0, 0xfdef},
    {0xfeff, 0xfeff},
    {0xffa0, 0xffa0},
    {0xfff0, 0xfffb},
    {0x1bca0, 0x1bca3},
    {0x1d173, 0x1d17a},
    {0xe0000, 0xe0fff},
};

/* Spaces beyond ASCII: to be seen, but nothing that a joiner joins. */
static const struct range spaces[] = {
    {0x00a0, 0x00a0},
    {0x1680, 0x1680},
    {0x2000, 0x200a},
    {0x202f, 0x202f},
    {0x205f, 0x205f},
    {0x3000, 0x3000},
};

/* True if a sorted table holds the code point. */
static bool
in_ranges(const struct range *table, size_t count, unsigned code)
{
	size_t low = 0, high = count;

	while (low < high) {
		size_t middle = (low + high) / 2;

		if (code > table[middle].last)
			low = middle + 1;
		else if (code < table[middle].first)
			high = middle;
		else
			return true;
	}
	return false;
}

#define IN_RANGES(table, code) \
	in_ranges(table, sizeof(table) / sizeof((table)[0]), code)

static bool
is_alnum(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
	    (c >= '0' && c <= '9');
}

bool
name_fold(const char *in, size_t len, char out[NAME_MAX_LEN + 1])
{
	out[0] = '\0';
	if (len == 0 || len > NAME_MAX_LEN || !is_alnum(in[0]))
		return false;
	for (size_t i = 0; i < len; i++) {
		char c = in[i];

		if (!is_alnum(c) && c != '.' && c != '_' && c != '-') {
			out[0] = '\0';
			return false;
		}
		out[i] = c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c;
	}
	out[len] = '\0';
	return true;
}

bool
id_valid(const char *in, size_t len)
{
	if (len < ID_MIN_LEN || len > ID_MAX_LEN)
		return false;
	for (size_t i = 0; i < len; i++)
		if (!is_alnum(in[i]) && in[i] != '-' && in[i] != '_')
			return false;
	return true;
}

/* Decodes a sequence of two to four bytes; 0 if it is malformed. */
static size_t
decode_long(const unsigned char *in, size_t len, unsigned *code)
{
	static const unsigned least[] = {0, 0, 0x80, 0x800, 0x10000};
	size_t need = in[0] < 0xe0 ? 2 : in[0] < 0xf0 ? 3 : 4;
	unsigned value = in[0] & (0xffu >> (need + 1));

	if (in[0] < 0xc2 || in[0] > 0xf4 || need > len)
		return 0;
	for (size_t i = 1; i < need; i++) {
		if ((in[i] & 0xc0) != 0x80)
			return 0;
		value = value << 6 | (in[i] & 0x3f);
	}
	if (value < least[need] || value > 0x10ffff ||
	    (value >= 0xd800 && value <= 0xdfff))
		return 0;
	*code = value;
	return need;
}

/* Like utf8_decode(), but says 0 where the bytes are malformed. */
static size_t
decode(const char *in, size_t len, unsigned *code)
{
	const unsigned char *bytes = (const unsigned char *)in;

	if (bytes[0] >= 0x80)
		return decode_long(bytes, len, code);
	*code = bytes[0];
	return 1;
}

size_t
utf8_decode(const char *in, size_t len, unsigned *code)
{
	size_t took = decode(in, len, code);

	if (took == 0) {
		*code = REPLACEMENT;
		took = 1;
	}
	return took;
}

bool
utf8_valid(const char *in, size_t len)
{
	unsigned code;
	size_t took;

	for (size_t at = 0; at < len; at += took) {
		took = decode(in + at, len - at, &code);
		if (took == 0 || code == 0)
			return false;
	}
	return true;
}

ssize_t
text_bad_at(const char *in, size_t len)
{
	unsigned code;
	size_t took;

	for (size_t at = 0; at < len; at += took) {
		took = decode(in + at, len - at, &code);
		if (took == 0)
			return (ssize_t)at;
		if (code < 0x20 && code != '\n' && code != '\t')
			return (ssize_t)at;
		if (code >= 0x7f && code <= 0x9f)
			return (ssize_t)at;
	}
	return -1;
}

/* True for what can be shown wherever it stands. */
static bool
is_safe(unsigned code)
{
	return (code & 0xfffe) != 0xfffe && !IN_RANGES(unsafe, code);
}

static bool
is_selector(unsigned code)
{
	return code >= 0xfe00 && code <= 0xfe0f;
}

/* True for what a joiner may stand beside. */
static bool
is_joinable(unsigned code)
{
	return code >= 0x80 && code != REPLACEMENT && is_safe(code) &&
	    !is_selector(code) && !IN_RANGES(spaces, code);
}

/*
 * True if the character may be shown; before is the last one (variation
 * selectors apart), rest is what comes after it.
 */
static bool
is_shown(unsigned code, unsigned before, const char *rest, size_t len)
{
	unsigned after = 0;

	if (code != ZWJ && code != ZWNJ)
		return is_safe(code);
	return is_joinable(before) && len > 0 &&
	    decode(rest, len, &after) > 0 && is_joinable(after);
}

/* Where escaped text goes: all of it is counted, what fits is written. */
struct sink {
	char *to;
	size_t size, used, whole;
	bool full;
};

/* Adds one piece whole, or nothing from here on. */
static void
sink_add(struct sink *sink, const char *piece, size_t len)
{
	sink->whole += len;
	if (sink->full || sink->size - sink->used <= len) {
		sink->full = true;
		return;
	}
	memcpy(sink->to + sink->used, piece, len);
	sink->used += len;
}

/* Adds the mark for bytes that are not shown. */
static void
sink_mark(struct sink *sink, const char *in, size_t len, enum text_style style)
{
	static const char digits[] = "0123456789abcdef";

	if (style != TEXT_LOG) {
		sink_add(sink, "\xef\xbf\xbd", 3);
		return;
	}
	for (size_t i = 0; i < len; i++) {
		unsigned char byte = (unsigned char)in[i];
		char octal[4] = {
		    '\\', 'x', digits[byte >> 4], digits[byte & 15]};

		sink_add(sink, octal, sizeof(octal));
	}
}

/* What stands for a character of its own in the style, or NULL. */
static const char *
stand_in(unsigned code, enum text_style style)
{
	if (style == TEXT_LOG)
		return code == '\n' ? "\\n"
		    : code == '\t'  ? "\\t"
		    : code == '\\'  ? "\\\\"
				    : NULL;
	if (style == TEXT_SCREEN)
		return code == '\n' ? "\n  " : code == '\t' ? " " : NULL;
	return NULL;
}

size_t
text_escape(
    char *out, size_t size, const char *in, size_t len, enum text_style style)
{
	struct sink sink = {.to = out, .size = size, .full = size == 0};
	unsigned code, before = 0;
	const char *other;
	size_t took;

	for (size_t at = 0; at < len; at += took) {
		took = decode(in + at, len - at, &code);
		if (took == 0) {
			took = 1;
			before = 0;
			sink_mark(&sink, in + at, 1, style);
			continue;
		}
		other = stand_in(code, style);
		if (other)
			sink_add(&sink, other, strlen(other));
		else if (is_shown(
			     code, before, in + at + took, len - at - took))
			sink_add(&sink, in + at, took);
		else
			sink_mark(&sink, in + at, took, style);
		if (!is_selector(code))
			before = code;
	}
	if (size > 0)
		out[sink.used] = '\0';
	return sink.whole;
}

char *
text_escaped(const char *in, size_t len, enum text_style style)
{
	size_t size = text_escape(NULL, 0, in, len, style) + 1;
	char *out = malloc(size);

	if (!out)
		fatal(EX_OSERR, "no memory for a text");
	text_escape(out, size, in, len, style);
	return out;
}

/* The least of three. */
static unsigned
least_of(unsigned a, unsigned b, unsigned c)
{
	unsigned least = a < b ? a : b;

	return least < c ? least : c;
}

/*
 * How many letters must be added, dropped, changed or swapped with their
 * neighbour to make one word of the other; both are of bounded length.
 */
static unsigned
distance(const char *a, size_t a_len, const char *b, size_t b_len)
{
	unsigned rows[3][WORD_LEN_MAX + 1];

	for (unsigned j = 0; j <= b_len; j++)
		rows[0][j] = j;
	for (unsigned i = 1; i <= a_len; i++) {
		unsigned *now = rows[i % 3], *last = rows[(i + 2) % 3];
		const unsigned *older = rows[(i + 1) % 3];

		now[0] = i;
		for (unsigned j = 1; j <= b_len; j++) {
			unsigned differ = a[i - 1] != b[j - 1];

			now[j] = least_of(
			    last[j] + 1, now[j - 1] + 1, last[j - 1] + differ);
			if (i > 1 && j > 1 && a[i - 1] == b[j - 2] &&
			    a[i - 2] == b[j - 1] && older[j - 2] + 1 < now[j])
				now[j] = older[j - 2] + 1;
		}
	}
	return rows[a_len % 3][b_len];
}

const char *
text_nearest(const char *word, const char *const *list)
{
	size_t len = strlen(word), other;
	const char *nearest = NULL;
	unsigned best = (unsigned)(len / 3) + 1, edits;

	if (len > WORD_LEN_MAX)
		return NULL;
	for (; *list; list++) {
		other = strlen(*list);
		if (other > WORD_LEN_MAX)
			continue;
		edits = distance(word, len, *list, other);
		if (edits < best) {
			best = edits;
			nearest = *list;
		}
	}
	return nearest;
}
