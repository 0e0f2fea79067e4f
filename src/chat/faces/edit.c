/* SPDX-License-Identifier: ISC */
/*
 * A text that is being typed.  Pure; used by faces that draw by themselves.
 * Never holds what could not be sent: such characters do not get in.
 */
#include "chat/faces/edit.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "chat/faces/edit-parts.h"
#include "chat/faces/wrap.h"
#include "lib/text.h"

/* ---- the text ---- */

struct edit *
edit_new(size_t max)
{
	struct edit *edit = calloc(1, sizeof(*edit));

	if (edit == NULL)
		return NULL;
	edit->max = max;
	edit->column = -1;
	edit->text = calloc(1, 1);
	if (edit->text == NULL) {
		free(edit);
		return NULL;
	}
	return edit;
}

void
edit_free(struct edit *edit)
{
	if (edit == NULL)
		return;
	undo_forget(edit);
	recall_forget(edit);
	free(edit->killed);
	free(edit->text);
	free(edit);
}

void
edit_bound(struct edit *edit, size_t max)
{
	edit->max = max;
}

const char *
edit_text(const struct edit *edit, size_t *len)
{
	if (len != NULL)
		*len = edit->len;
	return edit->text;
}

size_t
edit_cursor(const struct edit *edit)
{
	return edit->at;
}

/*
 * The boundary at or before an octet, or (after) at or behind it.  Counted
 * from the line's start: a newline is a grapheme of its own.
 */
static size_t
boundary(const struct edit *edit, size_t offset, bool after)
{
	size_t at = offset, took;

	if (offset >= edit->len)
		return edit->len;
	while (at > 0 && edit->text[at - 1] != '\n')
		at--;
	while (at < offset) {
		took = wrap_grapheme(edit->text + at, edit->len - at, NULL);
		if (at + took > offset)
			return after ? at + took : at;
		at += took;
	}
	return at;
}

/* Puts other octets in the place of some; false without memory. */
bool
edit_splice(
    struct edit *edit, size_t from, size_t to, const char *bytes, size_t len)
{
	size_t whole = edit->len - (to - from) + len;
	char *more;

	if (whole > edit->len) {
		more = realloc(edit->text, whole + 1);
		if (more == NULL)
			return false;
		edit->text = more;
	}
	memmove(edit->text + from + len, edit->text + to, edit->len - to + 1);
	memcpy(edit->text + from, bytes, len);
	edit->len = whole;
	/* What was inserted may have become one with what stands there. */
	edit->at = boundary(edit, from + len, len > 0);
	return true;
}

void
edit_move(struct edit *edit, size_t offset)
{
	edit->at = boundary(edit, offset, false);
	edit->column = -1;
	edit->typing = false;
}

/* ---- what comes in ---- */

bool
edit_insert(struct edit *edit, const char *bytes, size_t len)
{
	if (len == 0 || len > edit->max || edit->len > edit->max - len ||
	    text_bad_at(bytes, len) != -1)
		return false;
	/* A word is one step of undo, not each of its letters. */
	if ((!edit->typing || strchr(" \t\n", *bytes) != NULL) &&
	    !undo_note(edit))
		return false;
	edit->column = -1;
	edit->typing = edit_splice(edit, edit->at, edit->at, bytes, len);
	return edit->typing;
}

/* Copies what may be sent, newlines made one octet; how many octets. */
static size_t
clean(char *to, const char *bytes, size_t len, size_t *dropped)
{
	size_t out = 0, took;
	unsigned code;

	for (size_t at = 0; at < len; at += took) {
		took = utf8_decode(bytes + at, len - at, &code);
		if (bytes[at] == '\r') {
			if (at + 1 < len && bytes[at + 1] == '\n')
				took = 2;
			to[out++] = '\n';
		} else if (text_bad_at(bytes + at, took) != -1) {
			++*dropped;
		} else {
			memcpy(to + out, bytes + at, took);
			out += took;
		}
	}
	return out;
}

/* How much of the octets there is room for, cut between two graphemes. */
static size_t
fit(const char *bytes, size_t len, size_t room)
{
	size_t at = 0, took;

	if (len <= room)
		return len;
	while (at < len) {
		took = wrap_grapheme(bytes + at, len - at, NULL);
		if (at + took > room)
			break;
		at += took;
	}
	return at;
}

/* Puts a paste in the place of some octets. */
static void
paste(struct edit *edit, size_t from, size_t to, const char *bytes, size_t len,
    struct edit_pasted *pasted)
{
	size_t left = edit->len - (to - from), room, whole;
	struct edit_pasted none;
	char *copy = malloc(len + 1);

	if (pasted == NULL)
		pasted = &none;
	*pasted = (struct edit_pasted){0};
	if (copy == NULL) {
		pasted->cut = len;
		return;
	}
	room = left < edit->max ? edit->max - left : 0;
	whole = clean(copy, bytes, len, &pasted->dropped);
	len = fit(copy, whole, room);
	pasted->cut = whole - len;
	edit->column = -1;
	edit->typing = false;
	if ((len > 0 || to > from) &&
	    (!undo_note(edit) || !edit_splice(edit, from, to, copy, len)))
		pasted->cut = whole;
	free(copy);
}

void
edit_paste(struct edit *edit, const char *bytes, size_t len,
    struct edit_pasted *pasted)
{
	paste(edit, edit->at, edit->at, bytes, len, pasted);
}

void
edit_set(struct edit *edit, const char *bytes, size_t len,
    struct edit_pasted *pasted)
{
	paste(edit, 0, edit->len, bytes, len, pasted);
}

/* ---- places ---- */

static bool
is_blank(char c)
{
	return c == ' ' || c == '\t' || c == '\n';
}

/* True for what a word is made of: letters of whatever script. */
static bool
in_word(const struct edit *edit, size_t at)
{
	unsigned char c = (unsigned char)edit->text[at];

	return c >= 0x80 || c == '_' || (c >= '0' && c <= '9') ||
	    (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z');
}

static size_t
line_start(const struct edit *edit, size_t at)
{
	while (at > 0 && edit->text[at - 1] != '\n')
		at--;
	return at;
}

static size_t
line_end(const struct edit *edit, size_t at)
{
	while (at < edit->len && edit->text[at] != '\n')
		at++;
	return at;
}

static size_t
word_left(const struct edit *edit)
{
	size_t at = edit->at;

	while (at > 0 && !in_word(edit, at - 1))
		at--;
	while (at > 0 && in_word(edit, at - 1))
		at--;
	return boundary(edit, at, false);
}

static size_t
word_right(const struct edit *edit)
{
	size_t at = edit->at;

	while (at < edit->len && !in_word(edit, at))
		at++;
	while (at < edit->len && in_word(edit, at))
		at++;
	return boundary(edit, at, true);
}

/* To the blank before the word, whatever the word is made of. */
static size_t
blank_left(const struct edit *edit)
{
	size_t at = edit->at;

	while (at > 0 && is_blank(edit->text[at - 1]))
		at--;
	while (at > 0 && !is_blank(edit->text[at - 1]))
		at--;
	return at;
}

/* How many graphemes from the line's start. */
static long
column_of(const struct edit *edit)
{
	size_t at = line_start(edit, edit->at);
	long column = 0;

	for (; at < edit->at; column++)
		at += wrap_grapheme(edit->text + at, edit->len - at, NULL);
	return column;
}

/* The grapheme in that column of the line that begins there, or its end. */
static size_t
in_column(const struct edit *edit, size_t at, long column)
{
	for (; column > 0 && at < edit->len && edit->text[at] != '\n'; column--)
		at += wrap_grapheme(edit->text + at, edit->len - at, NULL);
	return at;
}

/* One line up or down; where there is none, nowhere. */
static size_t
line_away(struct edit *edit, bool down)
{
	size_t start = line_start(edit, edit->at);
	size_t end = line_end(edit, edit->at);

	if (down ? end == edit->len : start == 0)
		return edit->at;
	if (edit->column < 0)
		edit->column = column_of(edit);
	return in_column(
	    edit, down ? end + 1 : line_start(edit, start - 1), edit->column);
}

/* Where an action that only moves leads to. */
static size_t
destination(struct edit *edit, enum edit_action action)
{
	switch (action) {
	case EDIT_LEFT:
	case EDIT_BACKSPACE:
		return edit->at - wrap_grapheme_before(edit->text, edit->at);
	case EDIT_RIGHT:
	case EDIT_DELETE:
		return edit->at +
		    wrap_grapheme(
			edit->text + edit->at, edit->len - edit->at, NULL);
	case EDIT_WORD_LEFT:
		return word_left(edit);
	case EDIT_WORD_RIGHT:
	case EDIT_DELETE_WORD:
		return word_right(edit);
	case EDIT_BACKSPACE_WORD:
		return blank_left(edit);
	case EDIT_LINE_START:
	case EDIT_KILL_START:
		return line_start(edit, edit->at);
	case EDIT_LINE_END:
		return line_end(edit, edit->at);
	case EDIT_KILL_END:
		return edit->at < edit->len && edit->text[edit->at] == '\n'
		    ? edit->at + 1
		    : line_end(edit, edit->at);
	case EDIT_UP:
	case EDIT_DOWN:
		return line_away(edit, action == EDIT_DOWN);
	case EDIT_START:
	case EDIT_CLEAR:
		return 0;
	case EDIT_END:
		return edit->len;
	default:
		return edit->at;
	}
}

/* ---- actions ---- */

static bool
move(struct edit *edit, enum edit_action action)
{
	size_t was = edit->at;

	if (action != EDIT_UP && action != EDIT_DOWN)
		edit->column = -1;
	edit->at = destination(edit, action);
	edit->typing = false;
	return edit->at != was;
}

/* Takes out what is between two places; what was killed can be put back. */
static bool
cut(struct edit *edit, size_t from, size_t to, bool keep)
{
	char *killed;

	if (from == to || !undo_note(edit))
		return false;
	killed = keep ? strndup(edit->text + from, to - from) : NULL;
	if (killed != NULL) {
		free(edit->killed);
		edit->killed = killed;
	}
	edit->column = -1;
	edit->typing = false;
	return edit_splice(edit, from, to, "", 0);
}

static bool
erase(struct edit *edit, enum edit_action action)
{
	size_t to = destination(edit, action);
	bool keep = action != EDIT_BACKSPACE && action != EDIT_DELETE;

	return to < edit->at ? cut(edit, to, edit->at, keep)
			     : cut(edit, edit->at, to, keep);
}

static bool
clear(struct edit *edit, enum edit_action action)
{
	(void)action;
	return cut(edit, 0, edit->len, false);
}

static bool
yank(struct edit *edit, enum edit_action action)
{
	struct edit_pasted pasted;
	size_t was = edit->len;

	(void)action;
	if (edit->killed == NULL)
		return false;
	edit_paste(edit, edit->killed, strlen(edit->killed), &pasted);
	return edit->len != was;
}

/* Which function does what. */
static bool (*const actions[EDIT_ACTIONS])(
    struct edit *edit, enum edit_action action) = {
    [EDIT_LEFT] = move,
    [EDIT_RIGHT] = move,
    [EDIT_WORD_LEFT] = move,
    [EDIT_WORD_RIGHT] = move,
    [EDIT_LINE_START] = move,
    [EDIT_LINE_END] = move,
    [EDIT_UP] = move,
    [EDIT_DOWN] = move,
    [EDIT_START] = move,
    [EDIT_END] = move,
    [EDIT_BACKSPACE] = erase,
    [EDIT_DELETE] = erase,
    [EDIT_BACKSPACE_WORD] = erase,
    [EDIT_DELETE_WORD] = erase,
    [EDIT_KILL_START] = erase,
    [EDIT_KILL_END] = erase,
    [EDIT_YANK] = yank,
    [EDIT_UNDO] = undo_step,
    [EDIT_OLDER] = recall_step,
    [EDIT_NEWER] = recall_step,
    [EDIT_CLEAR] = clear,
};

bool
edit_do(struct edit *edit, enum edit_action action)
{
	return (unsigned)action < EDIT_ACTIONS && actions[action](edit, action);
}

/* ---- completion ---- */

/* As much as all words have in common. */
static size_t
common(char *const *words)
{
	size_t len = strlen(words[0]);

	for (size_t i = 1; words[i] != NULL; i++)
		for (size_t j = 0; j < len; j++)
			if (words[i][j] != words[0][j])
				len = j;
	return len;
}

/* Where the word before the cursor begins: behind a blank or a '/'. */
static size_t
word_start(const struct edit *edit)
{
	size_t at = edit->at;

	while (at > 0 && !is_blank(edit->text[at - 1]) &&
	    edit->text[at - 1] != '/')
		at--;
	return at;
}

void
edit_words_free(char **words)
{
	for (size_t i = 0; words != NULL && words[i] != NULL; i++)
		free(words[i]);
	free(words);
}

char **
edit_complete(struct edit *edit, edit_words *words, void *arg)
{
	size_t start = word_start(edit), typed = edit->at - start, len;
	char **found = words(arg, edit->text, start, edit->at);
	bool only;

	if (found == NULL || found[0] == NULL) {
		edit_words_free(found);
		return NULL;
	}
	only = found[1] == NULL;
	len = common(found);
	/* Words may differ from what was typed in their case. */
	if ((len > typed || only) && edit->len - typed + len < edit->max &&
	    text_bad_at(found[0], len) == -1 && undo_note(edit)) {
		edit_splice(edit, start, edit->at, found[0], len);
		if (only)
			edit_splice(edit, edit->at, edit->at, " ", 1);
		edit->typing = false;
		edit->column = -1;
	}
	if (!only)
		return found;
	edit_words_free(found);
	return NULL;
}

char *
edit_take(struct edit *edit)
{
	char *empty = calloc(1, 1), *text = edit->text;

	if (empty == NULL)
		return NULL;
	edit->text = empty;
	edit->len = edit->at = 0;
	edit->typing = false;
	edit->column = -1;
	undo_forget(edit);
	recall_leave(edit);
	return text;
}
