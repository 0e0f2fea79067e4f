/* SPDX-License-Identifier: ISC */
/*
 * What the parts of an edited text share: edit.c has the text and its cursor,
 * edit-past.c what was before: undo, and what was typed earlier.  Pure.
 */
#ifndef CHAT_FACES_EDIT_PARTS_H
#define CHAT_FACES_EDIT_PARTS_H

#include "chat/faces/edit.h"

/* A text as it was. */
struct edit_step {
	char *text;
	size_t at;
};

struct edit {
	char *text;
	size_t len, at, max;
	long column; /* in which up and down stay, or -1 */
	bool typing; /* what comes next belongs to the last step of undo */
	char *killed; /* or NULL */
	struct edit_step undo[EDIT_UNDO_MAX];
	size_t undo_count;
	char **past; /* what was typed, oldest first */
	size_t past_count, past_at; /* past_count: nowhere there */
	char *unfinished; /* what was left for the past, or NULL */
};

/* Puts other octets in the place of some, the cursor behind them. */
bool edit_splice(
    struct edit *edit, size_t from, size_t to, const char *bytes, size_t len);

/* Remembers how it is now; false without memory. */
bool undo_note(struct edit *edit);
bool undo_step(struct edit *edit, enum edit_action action);
void undo_forget(struct edit *edit);

/* One step into the past or back. */
bool recall_step(struct edit *edit, enum edit_action action);
/* Back to the present, without what was left there. */
void recall_leave(struct edit *edit);
void recall_forget(struct edit *edit);

#endif
