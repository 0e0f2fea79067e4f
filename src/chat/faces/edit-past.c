/* SPDX-License-Identifier: ISC */
/*
 * What an edited text was before: undo, and the texts that were typed
 * earlier.  Pure, part of edit; both are bounded, the oldest goes.
 */
#include "chat/faces/edit-parts.h"

#include <stdlib.h>
#include <string.h>

/* ---- undo ---- */

bool
undo_note(struct edit *edit)
{
	char *copy = strdup(edit->text);

	if (copy == NULL)
		return false;
	if (edit->undo_count == EDIT_UNDO_MAX) {
		free(edit->undo[0].text);
		memmove(edit->undo, edit->undo + 1,
		    (EDIT_UNDO_MAX - 1) * sizeof(*edit->undo));
		edit->undo_count--;
	}
	edit->undo[edit->undo_count].text = copy;
	edit->undo[edit->undo_count++].at = edit->at;
	return true;
}

bool
undo_step(struct edit *edit, enum edit_action action)
{
	struct edit_step *step;

	(void)action;
	if (edit->undo_count == 0)
		return false;
	step = &edit->undo[--edit->undo_count];
	free(edit->text);
	edit->text = step->text;
	edit->len = strlen(step->text);
	edit->at = step->at;
	edit->typing = false;
	edit->column = -1;
	return true;
}

void
undo_forget(struct edit *edit)
{
	while (edit->undo_count > 0)
		free(edit->undo[--edit->undo_count].text);
}

/* ---- what was typed earlier ---- */

/* Shows another text, cursor at its end. */
static bool
show(struct edit *edit, const char *text)
{
	if (!undo_note(edit) ||
	    !edit_splice(edit, 0, edit->len, text, strlen(text)))
		return false;
	edit->typing = false;
	edit->column = -1;
	return true;
}

bool
recall_step(struct edit *edit, enum edit_action action)
{
	bool present = edit->past_at == edit->past_count;
	const char *text;
	char *unfinished;

	if (action == EDIT_OLDER ? edit->past_at == 0 : present)
		return false;
	if (present) {
		unfinished = strdup(edit->text);
		if (unfinished == NULL)
			return false;
		free(edit->unfinished);
		edit->unfinished = unfinished;
	}
	edit->past_at =
	    action == EDIT_OLDER ? edit->past_at - 1 : edit->past_at + 1;
	text = edit->past_at == edit->past_count ? edit->unfinished
						 : edit->past[edit->past_at];
	return show(edit, text != NULL ? text : "");
}

void
recall_leave(struct edit *edit)
{
	free(edit->unfinished);
	edit->unfinished = NULL;
	edit->past_at = edit->past_count;
}

void
recall_forget(struct edit *edit)
{
	recall_leave(edit);
	for (size_t i = 0; i < edit->past_count; i++)
		free(edit->past[i]);
	free(edit->past);
}

void
edit_remember(struct edit *edit, const char *text)
{
	bool present = edit->past_at == edit->past_count;
	char *copy, **more;

	if (*text == '\0' ||
	    (edit->past_count > 0 &&
		strcmp(edit->past[edit->past_count - 1], text) == 0))
		return;
	if (edit->past == NULL) {
		more = calloc(EDIT_HISTORY_MAX, sizeof(*more));
		if (more == NULL)
			return;
		edit->past = more;
	}
	copy = strdup(text);
	if (copy == NULL)
		return;
	if (edit->past_count == EDIT_HISTORY_MAX) {
		free(edit->past[0]);
		memmove(edit->past, edit->past + 1,
		    (EDIT_HISTORY_MAX - 1) * sizeof(*edit->past));
		edit->past_count--;
		if (edit->past_at > 0)
			edit->past_at--;
	}
	edit->past[edit->past_count++] = copy;
	if (present)
		edit->past_at = edit->past_count;
}
