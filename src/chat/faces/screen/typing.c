/* SPDX-License-Identifier: ISC */
/*
 * The composer of the full screen: what is typed and pasted, completion, and
 * what Enter does.  What is pasted is never sent by itself.
 */
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <wchar.h>

#include "chat/faces/recall.h"
#include "chat/faces/screen/parts.h"

enum { PASTE_MAX = 65536 }; /* more is no message; taken in piece by piece */

/* What is being edited. */
struct edit *
typing_edit(const struct screen *screen)
{
	return screen->mode == MODE_FIND ? screen->query : screen->text;
}

/* The cursor has moved, or the text has changed. */
void
typing_edited(struct screen *screen, bool text)
{
	screen_dirty(screen, DIRT_COMPOSER | DIRT_LAYOUT);
	/* What was found was found for other words. */
	if (text && screen->mode == MODE_FIND && screen->find.asked) {
		screen->find.asked = false;
		screen_dirty(screen, DIRT_TALK);
	}
}

/* True if Enter would carry out a command. */
bool
typing_command(const struct screen *screen)
{
	size_t len;
	const char *text = edit_text(screen->text, &len);

	return screen->mode == MODE_TALK &&
	    doing_is_command(text, len, screen->message_bytes);
}

/* One character that was typed. */
void
typing_character(struct screen *screen, wint_t c)
{
	char octets[MB_LEN_MAX];
	mbstate_t state = {0};
	size_t len = wcrtomb(octets, (wchar_t)c, &state);

	if (screen->mode != MODE_TALK && screen->mode != MODE_FIND)
		return;
	if (len == (size_t)-1 || c < ' ' || c == 0x7f)
		return;
	if (!edit_insert(typing_edit(screen), octets, len))
		screen_notice(screen, "There is no room for more.");
	typing_edited(screen, true);
}

/* One character of what is pasted. */
void
typing_paste(struct screen *screen, wint_t c)
{
	mbstate_t state = {0};
	char octets[MB_LEN_MAX];
	size_t len = wcrtomb(octets, (wchar_t)c, &state);
	char *more;

	if (len == (size_t)-1)
		return;
	more = realloc(screen->pasted, screen->pasted_len + len);
	if (more == NULL)
		return;
	screen->pasted = more;
	memcpy(more + screen->pasted_len, octets, len);
	screen->pasted_len += len;
	if (screen->pasted_len >= PASTE_MAX)
		typing_pasted(screen);
}

/* Takes in what has come of a paste. */
void
typing_pasted(struct screen *screen)
{
	struct edit_pasted pasted = {0};
	char text[128];

	if (screen->pasted_len == 0)
		return;
	if (screen->layout.fits &&
	    (screen->mode == MODE_TALK || screen->mode == MODE_FIND))
		edit_paste(typing_edit(screen), screen->pasted,
		    screen->pasted_len, &pasted);
	free(screen->pasted);
	screen->pasted = NULL;
	screen->pasted_len = 0;
	if (pasted.cut > 0)
		screen_notice(
		    screen, "Not all of it was pasted: it is too long.");
	else if (pasted.dropped > 0) {
		snprintf(text, sizeof(text),
		    "Left out: %zu characters that cannot be sent.",
		    pasted.dropped);
		screen_notice(screen, text);
	}
	typing_edited(screen, true);
}

/* A line is finished. */
static void
finish(struct screen *screen)
{
	char *line = edit_take(screen->text);
	size_t len = line != NULL ? strlen(line) : 0;

	typing_edited(screen, true);
	/* What was pasted often ends with one. */
	while (len > 0 && line[len - 1] == '\n')
		line[--len] = '\0';
	if (len > 0 && line[strspn(line, " \t\n")] != '\0') {
		edit_remember(screen->text, line);
		recall_add(screen->history, line);
		view_end(screen);
		doing_line(screen, line, len);
	}
	free(line);
}

/* Enter. */
void
typing_enter(struct screen *screen)
{
	if (chooser_open(screen))
		chooser_go(screen);
	else if (screen->mode == MODE_FIND)
		find_ask(screen);
	else if (screen->mode == MODE_TALK)
		finish(screen);
	else
		screen_mode(screen, MODE_TALK);
}

/* The message goes on in the next line. */
void
typing_newline(struct screen *screen)
{
	if (screen->mode == MODE_TALK)
		edit_insert(screen->text, "\n", 1);
	typing_edited(screen, true);
}

/* ---- completion ---- */

/* Puts the slash before each word again. */
static void
put_slash(char **words)
{
	char *with;

	for (; words != NULL && *words != NULL; words++)
		if (asprintf(&with, "/%s", *words) != -1) {
			free(*words);
			*words = with;
		}
}

/* What the word can become: a command, or somebody's name. */
static char **
words_for(void *arg, const char *text, size_t start, size_t end)
{
	struct screen *screen = arg;
	bool slash = start == 0 && end > 0 && text[0] == '/';
	char **words;

	words = complete_words(&screen->people, text, start + slash, end);
	if (slash)
		put_slash(words);
	return words;
}

/* Completes the word before the cursor. */
void
typing_complete(struct screen *screen)
{
	char **words;
	char text[256] = "";
	size_t len = 0;

	if (screen->mode != MODE_TALK)
		return;
	for (size_t i = 0; i < mirror_count(screen->mirror); i++)
		people_meet(
		    &screen->people, mirror_at(screen->mirror, i)->user);
	words = edit_complete(screen->text, words_for, screen);
	for (char **word = words; word != NULL && *word != NULL; word++)
		if (len < sizeof(text))
			len += (size_t)snprintf(
			    text + len, sizeof(text) - len, "%s ", *word);
	edit_words_free(words);
	if (len > 0)
		screen_notice(screen, text);
	typing_edited(screen, true);
}

/* ---- drafts ---- */

/* Takes out what was begun for somebody; NULL if nothing was. */
static char *
take_draft(struct screen *screen, const char *user)
{
	struct draft **link = &screen->drafts, *draft;
	char *text;

	while (*link != NULL && strcmp((*link)->user, user) != 0)
		link = &(*link)->next;
	draft = *link;
	if (draft == NULL)
		return NULL;
	*link = draft->next;
	text = draft->text;
	free(draft);
	return text;
}

/* Another conversation opens: no text goes to whom it was not meant for. */
void
typing_switch(struct screen *screen, const char *user)
{
	struct edit_pasted pasted;
	struct draft *draft;
	char *text;
	size_t len;

	edit_text(screen->text, &len);
	if (len > 0) {
		draft = calloc(1, sizeof(*draft));
		if (draft != NULL) {
			draft->text = edit_take(screen->text);
			memcpy(draft->user, screen->open, sizeof(draft->user));
			draft->next = screen->drafts;
			screen->drafts = draft;
		}
	}
	text = take_draft(screen, user);
	if (text != NULL)
		edit_set(screen->text, text, strlen(text), &pasted);
	free(text);
}

void
typing_release(struct screen *screen)
{
	struct draft *draft;

	while ((draft = screen->drafts) != NULL) {
		screen->drafts = draft->next;
		free(draft->text);
		free(draft);
	}
	free(screen->pasted);
}

/* Empties the composer. */
bool
typing_clear(struct screen *screen)
{
	bool any;

	if (screen->mode != MODE_TALK) {
		screen_mode(screen, MODE_TALK);
		return true;
	}
	any = edit_do(screen->text, EDIT_CLEAR);
	typing_edited(screen, true);
	return any;
}
