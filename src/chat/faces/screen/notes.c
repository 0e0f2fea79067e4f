/* SPDX-License-Identifier: ISC */
/*
 * Sentences of the full screen's own between the lines of a conversation: what
 * came of a command, who has come and gone.  Pure; they live as long as the
 * face, and the oldest give way.
 */
#include <stdlib.h>
#include <string.h>

#include "chat/faces/screen/parts.h"

/* Where a new one stands: below the last line that there is. */
static int64_t
last_row(const struct mirror_talk *talk)
{
	if (talk->count > 0)
		return talk->lines[talk->count - 1].row;
	return talk->last_row;
}

/* Adds one. */
void
notes_add(struct notes *notes, const struct mirror_talk *talk, char *text)
{
	struct note *note;

	if (notes->count == NOTES_MAX) {
		free(notes->notes[0].text);
		notes->count--;
		memmove(notes->notes, notes->notes + 1,
		    notes->count * sizeof(*notes->notes));
	}
	note = &notes->notes[notes->count++];
	memcpy(note->user, talk->user, sizeof(note->user));
	note->after = last_row(talk);
	note->text = text;
}

void
notes_release(struct notes *notes)
{
	while (notes->count > 0)
		free(notes->notes[--notes->count].text);
}
