/* SPDX-License-Identifier: ISC */
/*
 * Search in the history: what the mirror has found is listed, and Enter goes
 * there.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "chat/faces/screen/parts.h"

enum { WHEN_LEN = 24 };

void
find_release(struct screen *screen)
{
	struct find *find = &screen->find;

	while (find->count > 0)
		free(find->found[--find->count].text);
	free(find->found);
	*find = (struct find){0};
}

static char *
found_text(const struct screen *screen, size_t index)
{
	return strdup(screen->find.found[index].text);
}

/* Goes to what was found. */
static void
found_go(struct screen *screen, size_t index)
{
	char user[NAME_MAX_LEN + 1];
	int64_t row = screen->find.found[index].row;

	memcpy(user, screen->find.found[index].user, sizeof(user));
	screen_open(screen, user);
	view_go(screen, row);
}

/* Asks for words. */
void
find_begin(struct screen *screen)
{
	if (screen->mode == MODE_FIND)
		return;
	screen_mode(screen, MODE_FIND);
	screen->chooser = (struct chooser){.text = found_text, .go = found_go};
	screen->chooser.count = screen->find.count;
	screen->chooser.at =
	    screen->find.count > 0 ? screen->find.count - 1 : 0;
}

/* Looks for it. */
void
find_ask(struct screen *screen)
{
	size_t len;
	const char *words = edit_text(screen->query, &len);

	find_release(screen);
	screen->chooser.count = screen->chooser.at = screen->chooser.top = 0;
	screen_dirty(screen, DIRT_TALK);
	if (words[strspn(words, " \t\n")] == '\0')
		return;
	screen->find.asked = true;
	mirror_search(screen->mirror, NULL, words);
}

/* How a line is listed: when, who, what. */
static char *
line_text(const struct screen *screen, const struct mirror_found *found)
{
	const struct mirror_line *line = found->line;
	bool own = line->state != MIRROR_RECEIVED;
	time_t seconds = (time_t)(line->time / 1000);
	char when[WHEN_LEN] = "", *who, *what, *out = NULL;
	const char *to = "";
	struct tm tm;

	if (line->time > 0 && localtime_r(&seconds, &tm) != NULL)
		strftime(when, sizeof(when), "%Y-%m-%d %H:%M", &tm);
	if (own)
		to = *found->talk->user != '\0' ? found->talk->user : "all";
	who = tell_word(own   ? screen->account->user
		: *line->from ? line->from
			      : "Notice");
	what = tell_text(line->text);
	if (asprintf(&out, "%s %s%s%s: %s", when, who, own ? " to " : "", to,
		what) == -1)
		out = NULL;
	free(who);
	free(what);
	return out;
}

/* Takes in what was found. */
void
find_found(
    struct screen *screen, const struct mirror_found *found, size_t count)
{
	struct find *find = &screen->find;

	find_release(screen);
	find->asked = find->done = true;
	find->found = calloc(count > 0 ? count : 1, sizeof(*find->found));
	for (size_t i = 0; find->found != NULL && i < count; i++) {
		struct found *one = &find->found[find->count];

		memcpy(one->user, found[i].talk->user, sizeof(one->user));
		one->row = found[i].line->row;
		one->text = line_text(screen, &found[i]);
		if (one->text != NULL)
			find->count++;
	}
	if (screen->mode != MODE_FIND)
		return;
	screen->chooser.count = find->count;
	screen->chooser.at = find->count > 0 ? find->count - 1 : 0;
	screen_dirty(screen, DIRT_TALK | DIRT_COMPOSER);
}
