/* SPDX-License-Identifier: ISC */
/*
 * The lower end of the full screen: the question that waits, the composer and
 * the status line, and the real cursor on the line that matters.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "chat/faces/screen/parts.h"

enum {
	PROMPT_LEN = NAME_MAX_LEN + 32,
	PROMPT_ROOM = 20, /* the prompt has words where this is left of it */
	CLOCK_LEN = 16,
};

/* ---- the question ---- */

/* Draws who asks, and the keys to answer with. */
void
paint_bar(struct screen *screen)
{
	WINDOW *window = screen->canvas.bar;
	int count, rows;
	const struct mirror_talk *talk = consent_first(screen, &count);
	char text[NAME_MAX_LEN + 128], more[32] = "";
	char *key;

	if (window == NULL || talk == NULL)
		return;
	rows = getmaxy(window);
	if (count > 1)
		snprintf(more, sizeof(more), " (1 of %d)", count);
	snprintf(text, sizeof(text),
	    "F2 yes, F3 no: %s wants to talk privately.%s", talk->user, more);
	canvas_line(window, 0, text, LOOK(A_REVERSE | A_BOLD));
	key = tell_word(talk->fingerprint);
	for (int i = 1; i < rows; i++) {
		size_t at = (size_t)(i - 1) * (size_t)getmaxx(window);

		canvas_line(window, i, at < strlen(key) ? key + at : "",
		    LOOK(A_REVERSE));
	}
	free(key);
	wnoutrefresh(window);
}

/* ---- the composer ---- */

/* What stands before the edited text. */
static void
prompt_text(const struct screen *screen, int columns, char out[PROMPT_LEN])
{
	const char *to = *screen->open != '\0' ? screen->open : "everybody";
	bool command = typing_command(screen);
	bool private = *screen->private_to != '\0' &&
	    strcmp(screen->private_to, screen->open) == 0;

	if (screen->mode == MODE_FIND)
		snprintf(out, PROMPT_LEN, "Find: ");
	else
		snprintf(out, PROMPT_LEN, "%s%s> ", command ? "command" : to,
		    private && !command ? " (private)" : "");
	if ((int)strlen(out) + PROMPT_ROOM > columns &&
	    screen->mode != MODE_FIND)
		snprintf(out, PROMPT_LEN, "%s ",
		    command       ? "/"
			: private ? "p>"
				  : ">");
}

/* How many rows the composer would like. */
int
composer_rows(const struct screen *screen, int columns)
{
	char prompt[PROMPT_LEN];
	const char *text;
	unsigned column;
	size_t len, row;
	int room;

	prompt_text(screen, columns, prompt);
	room = columns - (int)strlen(prompt);
	if (room < WRAP_COLUMNS_MIN)
		room = WRAP_COLUMNS_MIN;
	text = edit_text(typing_edit(screen), &len);
	wrap_place(text, len, (unsigned)room, len, &row, &column);
	return (int)row + 1;
}

/* Draws what is edited, the cursor's row always among it. */
void
paint_composer(struct screen *screen)
{
	WINDOW *window = screen->canvas.composer;
	struct edit *edit = typing_edit(screen);
	char prompt[PROMPT_LEN];
	struct wrap_line line;
	struct wrap wrap = {NULL, .len = 0};
	size_t at, first = 0;
	unsigned column;
	int left, row = 0;

	if (window == NULL)
		return;
	prompt_text(screen, getmaxx(window), prompt);
	left = (int)strlen(prompt);
	wrap.text = edit_text(edit, &wrap.len);
	wrap.first = (unsigned)(getmaxx(window) - left);
	wrap_place(
	    wrap.text, wrap.len, wrap.first, edit_cursor(edit), &at, &column);
	if (at >= (size_t)getmaxy(window))
		first = at - (size_t)getmaxy(window) + 1;
	werase(window);
	while (wrap_next(&wrap, &line)) {
		row = (int)wrap.row - 1 - (int)first;
		if (row >= 0 && row < getmaxy(window))
			canvas_put(window, row, left, getmaxx(window) - left,
			    wrap.text + line.start, line.len, LOOK(A_NORMAL));
	}
	if (first == 0)
		canvas_put(
		    window, 0, 0, left, prompt, strlen(prompt), LOOK(A_BOLD));
	wmove(window, (int)(at - first), left + (int)column);
	wnoutrefresh(window);
}

/* ---- the status line ---- */

/* The account, and how it stands with the centre. */
static void
put_status(FILE *to, const struct screen *screen, bool wide)
{
	struct mirror_status status;
	char when[CLOCK_LEN] = "";
	int64_t unread = mirror_unread_count(screen->mirror);
	struct tm tm;
	time_t synced;

	mirror_status(screen->mirror, &status);
	fprintf(to, "%s", screen->account->user);
	if (wide)
		fprintf(to, "@%s", screen->account->where);
	fputs(status.reachable ? " | reachable" : " | OUT OF REACH", to);
	if (screen->queued > 0)
		fprintf(to, " | %lld queued", (long long)screen->queued);
	if (unread > 0)
		fprintf(to, " | %lld unread", (long long)unread);
	synced = (time_t)(status.synced / 1000);
	if (status.synced > 0 && localtime_r(&synced, &tm) != NULL)
		strftime(when, sizeof(when), "%H:%M", &tm);
	if (*when != '\0')
		fprintf(to, " | synced %s", when);
	if (screen->view.anchor != 0)
		fputs(" | scrolled back, Alt-> for the end", to);
	else
		fputs(" | F1 help", to);
}

/* Draws the status line, or what has to be said now. */
void
paint_status(struct screen *screen)
{
	WINDOW *window = screen->canvas.status;
	char *text = NULL, *cut;
	size_t len;
	FILE *to;

	if (window == NULL)
		return;
	to = open_memstream(&text, &len);
	if (to == NULL)
		return;
	if (screen->notice != NULL)
		fputs(screen->notice, to);
	else
		put_status(to, screen, getmaxx(window) >= LIST_FROM_COLUMNS);
	if (fclose(to) == 0) {
		cut = wrap_cut(text, strlen(text), (unsigned)getmaxx(window),
		    screen->canvas.ascii ? "..." : "…");
		canvas_line(window, 0, cut, LOOK(A_REVERSE));
		free(cut);
	}
	free(text);
	wnoutrefresh(window);
}

/* Puts the real cursor where the eyes are to be, also those of a program. */
void
paint_cursor(struct screen *screen)
{
	WINDOW *window = screen->canvas.composer;

	if (screen->mode == MODE_HELP || chooser_open(screen))
		window = screen->canvas.talk;
	if (window == NULL)
		return;
	/* The last one to be handed over has the cursor. */
	wmove(window, getcury(window), getcurx(window));
	wnoutrefresh(window);
}
