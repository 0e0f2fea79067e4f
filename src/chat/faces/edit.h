/* SPDX-License-Identifier: ISC */
/*
 * A text that is being typed: cursor, words, lines, undo, what was typed
 * before, completion.  Pure: knows no terminal and no keys.  All positions
 * are octets of UTF-8, always between two graphemes (what a person takes for
 * one character).
 */
#ifndef CHAT_FACES_EDIT_H
#define CHAT_FACES_EDIT_H

#include <stdbool.h>
#include <stddef.h>

enum {
	EDIT_HISTORY_MAX = 1000, /* texts that are remembered */
	EDIT_UNDO_MAX = 64, /* steps; each holds a text */
};

/* What can be done to it; a face has a table from keys to these. */
enum edit_action {
	EDIT_LEFT, /* by grapheme */
	EDIT_RIGHT,
	EDIT_WORD_LEFT,
	EDIT_WORD_RIGHT,
	EDIT_LINE_START,
	EDIT_LINE_END,
	EDIT_UP, /* a line of the text, in the same column */
	EDIT_DOWN,
	EDIT_START, /* of the whole text */
	EDIT_END,
	EDIT_BACKSPACE,
	EDIT_DELETE,
	EDIT_BACKSPACE_WORD, /* to the blank before it, as Ctrl-W */
	EDIT_DELETE_WORD,
	EDIT_KILL_START, /* to the start of the line, as Ctrl-U */
	EDIT_KILL_END, /* or, at its end, the newline, as Ctrl-K */
	EDIT_YANK, /* puts back what was killed last, words too */
	EDIT_UNDO,
	EDIT_OLDER, /* what was typed before */
	EDIT_NEWER, /* and back, at last to what was not finished */
	EDIT_CLEAR,
	EDIT_ACTIONS
};

struct edit;

/* What became of a paste. */
struct edit_pasted {
	size_t dropped; /* characters that may not be sent, left out */
	size_t cut; /* octets at its end for which there was no room */
};

/* An empty one of at most so many octets; NULL without memory. */
struct edit *edit_new(size_t max);
void edit_free(struct edit *edit);
/* Another bound; a text that is longer stays, and takes no more. */
void edit_bound(struct edit *edit, size_t max);

/* The text, with a NUL behind it; good until the next call that changes it. */
const char *edit_text(const struct edit *edit, size_t *len);
size_t edit_cursor(const struct edit *edit);

/* Does it; false if that changed nothing, neither text nor cursor. */
bool edit_do(struct edit *edit, enum edit_action action);
/* Moves the cursor to the grapheme at (or around) that octet. */
void edit_move(struct edit *edit, size_t offset);

/*
 * Inserts what was typed: whole, or (false) not at all if it holds what may
 * not be sent, is malformed or does not fit.  "\n" breaks the line.
 */
bool edit_insert(struct edit *edit, const char *bytes, size_t len);
/*
 * Inserts what was pasted, as one step of undo: CR and CRLF become LF, other
 * control characters and malformed octets are left out, and what is beyond
 * the bound.
 */
void edit_paste(struct edit *edit, const char *bytes, size_t len,
    struct edit_pasted *pasted);
/* Replaces the whole text, cursor at the end; as a paste. */
void edit_set(struct edit *edit, const char *bytes, size_t len,
    struct edit_pasted *pasted);

/*
 * Takes the text out (free it) and leaves it empty: undo and the way through
 * the history begin anew.  NULL without memory: then nothing has changed.
 */
char *edit_take(struct edit *edit);
/* Remembers a text for EDIT_OLDER; one that is empty or the last again, not. */
void edit_remember(struct edit *edit, const char *text);

/*
 * What a word can become, as complete_words(): fresh strings with NULL at the
 * end, or NULL; of what stands in text from start to end.
 */
typedef char **edit_words(
    void *arg, const char *text, size_t start, size_t end);
/*
 * Completes the word before the cursor, as far as all that it can become have
 * in common; with a blank behind it if there is only one.  Returns the list
 * where there is more than one (free with edit_words_free()), else NULL.
 */
char **edit_complete(struct edit *edit, edit_words *words, void *arg);
void edit_words_free(char **words);

#endif
