/* SPDX-License-Identifier: ISC */
/*
 * A list of which one is chosen: conversations where the list has no room
 * beside them, or what a search has found.  The cursor is on the chosen one.
 */
#include <stdlib.h>
#include <string.h>

#include "chat/faces/screen/parts.h"

/* True if one of a list is to be chosen. */
bool
chooser_open(const struct screen *screen)
{
	if (screen->chooser.count == 0)
		return false;
	return screen->mode == MODE_CHOOSE ||
	    (screen->mode == MODE_FIND && screen->find.asked);
}

/* Goes up or down the list. */
void
chooser_move(struct screen *screen, int by)
{
	struct chooser *chooser = &screen->chooser;

	if (!chooser_open(screen))
		return;
	if (by < 0 && chooser->at < (size_t)-by)
		chooser->at = 0;
	else
		chooser->at += (size_t)by;
	if (chooser->at >= chooser->count)
		chooser->at = chooser->count - 1;
	screen_dirty(screen, DIRT_TALK);
}

/* Goes where the chosen one leads. */
void
chooser_go(struct screen *screen)
{
	struct chooser *chooser = &screen->chooser;

	if (chooser_open(screen) && chooser->at < chooser->count)
		chooser->go(screen, chooser->at);
}

/* Draws it. */
void
chooser_paint(struct screen *screen, WINDOW *window)
{
	struct chooser *chooser = &screen->chooser;
	size_t rows = (size_t)getmaxy(window);
	char *text, *cut;
	size_t i;

	if (chooser->at < chooser->top)
		chooser->top = chooser->at;
	if (chooser->at >= chooser->top + rows)
		chooser->top = chooser->at - rows + 1;
	for (i = 0; i < rows && chooser->top + i < chooser->count; i++) {
		text = chooser->text(screen, chooser->top + i);
		if (text == NULL)
			continue;
		cut = wrap_cut(text, strlen(text), (unsigned)getmaxx(window),
		    screen->canvas.ascii ? "..." : "…");
		canvas_line(window, (int)i, cut,
		    LOOK(chooser->top + i == chooser->at ? A_REVERSE
							 : A_NORMAL));
		free(cut);
		free(text);
	}
	if (chooser->count == 0 && screen->find.asked && screen->find.done)
		canvas_line(window, 0, "Nothing was found.", LOOK(A_NORMAL));
	wmove(window,
	    chooser->count > 0 ? (int)(chooser->at - chooser->top) : 0, 0);
}

/* ---- the conversations ---- */

static char *
talk_text(const struct screen *screen, size_t index)
{
	const struct mirror_talk *talk = mirror_at(screen->mirror, index);
	char *text = NULL, unread[32] = "";

	if (talk == NULL)
		return NULL;
	if (talk->unread > 0)
		snprintf(
		    unread, sizeof(unread), " (%lld)", (long long)talk->unread);
	if (asprintf(&text, "%s%s%s",
		*talk->user != '\0' ? talk->user : "everybody",
		talk->online ? ", online" : "", unread) == -1)
		return NULL;
	return text;
}

static void
talk_go(struct screen *screen, size_t index)
{
	const struct mirror_talk *talk = mirror_at(screen->mirror, index);

	if (talk != NULL)
		screen_open(screen, talk->user);
}

/* Lists all conversations. */
void
chooser_talks(struct screen *screen)
{
	size_t at = 0;

	mirror_find(screen->mirror, screen->open, &at);
	screen_mode(screen, MODE_CHOOSE);
	screen->chooser = (struct chooser){
	    .count = mirror_count(screen->mirror),
	    .at = at,
	    .text = talk_text,
	    .go = talk_go,
	};
	screen_dirty(screen, DIRT_TALK);
}
