/* SPDX-License-Identifier: ISC */
/*
 * The open conversation: its title, and what was said, from the lower end
 * upwards.  In its place stands help, or a list to choose from.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "chat/faces/screen/parts.h"

enum { CLOCK_LEN = 16 };

/* The local time of day; "" if there is none. */
static void
time_of_day(int64_t ms, char out[CLOCK_LEN])
{
	time_t seconds = (time_t)(ms / 1000);
	struct tm tm;

	*out = '\0';
	if (ms > 0 && localtime_r(&seconds, &tm) != NULL)
		strftime(out, CLOCK_LEN, "%H:%M", &tm);
}

/* What is known of a private link. */
static void
put_link(FILE *to, const struct mirror_talk *talk)
{
	char until[CLOCK_LEN], *key = tell_word(talk->fingerprint);

	time_of_day(talk->until, until);
	switch (talk->link) {
	case MIRROR_NO_LINK:
		break;
	case MIRROR_ASKING:
		fputs(", asks for a private link", to);
		break;
	case MIRROR_WAITING:
		fputs(", asked for a private link", to);
		break;
	case MIRROR_LINKED:
		fputs(", private link", to);
		if (*until != '\0')
			fprintf(to, " until %s", until);
		break;
	}
	if (talk->link != MIRROR_NO_LINK && *key != '\0')
		fprintf(to, ", key %s", key);
	if (talk->changed)
		fputs(", THE KEY HAS CHANGED", to);
	free(key);
}

/* What stands above the conversation. */
static char *
title_text(const struct screen *screen, const struct mirror_talk *talk)
{
	char *text = NULL;
	size_t len;
	FILE *to = open_memstream(&text, &len);

	if (to == NULL)
		return NULL;
	if (screen->mode == MODE_HELP)
		fputs("Help: Page Up and Down, Escape to go back", to);
	else if (screen->mode == MODE_FIND)
		fputs("Search: Enter to look or to go there, Escape to go back",
		    to);
	else if (screen->mode == MODE_CHOOSE)
		fputs("Conversations: Up, Down, Enter; Escape to go back", to);
	else if (talk == NULL || *talk->user == '\0')
		fputs("everybody", to);
	else {
		fprintf(to, "%s, %s", talk->user,
		    talk->online ? "online" : "offline");
		if (talk->blocked)
			fputs(", blocked", to);
		put_link(to, talk);
	}
	return fclose(to) == 0 ? text : NULL;
}

/* Draws whose conversation this is. */
void
paint_title(struct screen *screen)
{
	WINDOW *window = screen->canvas.title;
	char *text, *cut;

	if (window == NULL)
		return;
	text = title_text(screen, screen_talk(screen));
	if (text != NULL) {
		cut = wrap_cut(text, strlen(text), (unsigned)getmaxx(window),
		    screen->canvas.ascii ? "..." : "…");
		canvas_line(window, 0, cut, LOOK(A_BOLD | A_UNDERLINE));
		free(cut);
	}
	free(text);
	wnoutrefresh(window);
}

/* Draws one row of what was said. */
static void
paint_row(WINDOW *window, int at, const struct view_row *row)
{
	int columns = getmaxx(window), used;
	struct look name = row->look;

	if (*row->time != '\0')
		canvas_put(window, at, 0, columns, row->time, strlen(row->time),
		    LOOK(A_DIM));
	name.colour = row->colour;
	used = canvas_put(window, at, row->column, columns - row->column,
	    row->text, (size_t)row->name, name);
	canvas_put(window, at, row->column + used, columns - row->column - used,
	    row->text + row->name, strlen(row->text + row->name), row->look);
}

/* Draws the conversation, from the lower end upwards. */
static void
paint_lines(struct screen *screen, const struct mirror_talk *talk)
{
	WINDOW *window = screen->canvas.talk;
	struct view_place place = view_place(screen, talk);
	int at = getmaxy(window) + place.skip;
	struct view_rows rows;

	for (size_t i = place.index + 1; i > 0 && at > 0; i--) {
		view_rows(screen, talk, i - 1, getmaxx(window), &rows);
		for (size_t j = rows.count; j > 0; j--)
			if (--at >= 0 && at < getmaxy(window))
				paint_row(window, at, &rows.rows[j - 1]);
		view_rows_release(&rows);
	}
}

static void
paint_help(struct screen *screen)
{
	WINDOW *window = screen->canvas.talk;

	for (int i = 0; i < getmaxy(window) &&
	     screen->help_top + (size_t)i < screen->help.count;
	     i++)
		paint_row(window, i,
		    &screen->help.rows[screen->help_top + (size_t)i]);
	wmove(window, 0, 0);
}

/* Draws what stands in the largest part. */
void
paint_talk(struct screen *screen)
{
	const struct mirror_talk *talk = screen_talk(screen);
	WINDOW *window = screen->canvas.talk;

	if (window == NULL)
		return;
	werase(window);
	if (screen->mode == MODE_HELP)
		paint_help(screen);
	else if (screen->mode == MODE_CHOOSE || screen->mode == MODE_FIND)
		chooser_paint(screen, window);
	else if (talk != NULL)
		paint_lines(screen, talk);
	wnoutrefresh(window);
}
