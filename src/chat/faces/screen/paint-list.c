/* SPDX-License-Identifier: ISC */
/*
 * The list of conversations beside the open one: who is online, who has
 * written, who is private.  Says in words and marks what it says in colours.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "chat/faces/screen/parts.h"

/* What is to be known of somebody, in a word. */
static const char *
state_word(const struct mirror_talk *talk)
{
	static const char *const words[] = {
	    [MIRROR_NO_LINK] = "",
	    [MIRROR_ASKING] = "asks",
	    [MIRROR_WAITING] = "asked",
	    [MIRROR_LINKED] = "private",
	};

	if (talk->changed)
		return "key?";
	return talk->blocked ? "blocked" : words[talk->link];
}

/* Draws one conversation. */
static void
paint_one(struct screen *screen, int row, const struct mirror_talk *talk)
{
	WINDOW *window = screen->canvas.list;
	bool open = strcmp(talk->user, screen->open) == 0;
	const char *name = *talk->user != '\0' ? talk->user : "everybody";
	const char *online = screen->canvas.ascii ? "*" : "●";
	struct look look =
	    LOOK((open ? A_REVERSE : 0) | (talk->unread > 0 ? A_BOLD : 0));
	int columns = getmaxx(window), width;
	char right[64];

	canvas_line(window, row, open ? ">" : " ", look);
	if (talk->online)
		canvas_put(window, row, 1, 1, online, strlen(online), look);
	snprintf(right, sizeof(right), "%s", state_word(talk));
	if (talk->unread > 0)
		snprintf(right + strlen(right), sizeof(right) - strlen(right),
		    "%s%lld", *right != '\0' ? " " : "",
		    (long long)talk->unread);
	width = (int)strlen(right);
	if (width > 0)
		canvas_put(window, row, columns - width, width, right,
		    strlen(right), look);
	look.colour = colour_number(talk->user, screen->canvas.depth);
	if (*talk->user == '\0')
		look.colour = -1;
	canvas_put(
	    window, row, 3, columns - 4 - width, name, strlen(name), look);
}

/* Draws all that fit, the open one among them. */
void
paint_list(struct screen *screen)
{
	size_t count = mirror_count(screen->mirror), at = 0;
	size_t rows = (size_t)screen->layout.list.rows;

	if (screen->canvas.list == NULL)
		return;
	mirror_find(screen->mirror, screen->open, &at);
	if (at < screen->list_top)
		screen->list_top = at;
	if (at >= screen->list_top + rows)
		screen->list_top = at - rows + 1;
	werase(screen->canvas.list);
	for (size_t i = 0; i < rows && screen->list_top + i < count; i++)
		paint_one(screen, (int)i,
		    mirror_at(screen->mirror, screen->list_top + i));
	wnoutrefresh(screen->canvas.list);
}

/* Draws the line between the list and the rest. */
void
paint_rule(struct screen *screen)
{
	const char *rule = screen->canvas.ascii ? "|" : "│";

	if (screen->canvas.rule == NULL)
		return;
	for (int i = 0; i < screen->layout.rule.rows; i++)
		canvas_put(screen->canvas.rule, i, 0, 1, rule, strlen(rule),
		    LOOK(A_DIM));
	wnoutrefresh(screen->canvas.rule);
}
