/* SPDX-License-Identifier: ISC */
/*
 * Somebody waits for a yes or no: their question has a bar of its own, and
 * keys that nobody hits while typing.
 */
#include <string.h>

#include "chat/faces/screen/parts.h"

/* Who has asked, as the list has them; how many. */
struct mirror_talk *
consent_first(const struct screen *screen, int *count)
{
	size_t talks = mirror_count(screen->mirror);
	struct mirror_talk *talk, *first = NULL;

	*count = 0;
	for (size_t i = 0; i < talks; i++) {
		talk = mirror_at(screen->mirror, i);
		if (talk->link != MIRROR_ASKING)
			continue;
		(*count)++;
		/* The one whose question ends first. */
		if (first == NULL || talk->until < first->until)
			first = talk;
	}
	return first;
}

/* How many rows the bar would like. */
int
consent_rows(const struct screen *screen)
{
	int count, rows, columns;
	const struct mirror_talk *talk = consent_first(screen, &count);

	if (talk == NULL)
		return 0;
	canvas_size(&rows, &columns);
	if (columns < SCREEN_MIN_COLUMNS)
		return 1;
	return 1 + ((int)strlen(talk->fingerprint) + columns - 1) / columns;
}

/* Answers the first of them. */
static void
answer(struct screen *screen, enum command_name name)
{
	struct command command = {.name = name};
	int count;
	const struct mirror_talk *talk = consent_first(screen, &count);

	if (talk == NULL) {
		screen_sayf(screen, "Nobody has asked to talk privately.");
		return;
	}
	memcpy(command.user, talk->user, sizeof(command.user));
	doing_command(screen, &command);
}

void
consent_yes(struct screen *screen)
{
	answer(screen, COMMAND_ACCEPT);
}

void
consent_no(struct screen *screen)
{
	answer(screen, COMMAND_DECLINE);
}
