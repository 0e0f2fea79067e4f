/* SPDX-License-Identifier: ISC */
/*
 * The line face's words as strings: the full screen says the same, in the
 * same texts.  What others wrote is escaped on its way.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <wchar.h>

#include "chat/faces/screen/parts.h"
#include "chat/faces/show-link.h"
#include "chat/faces/show.h"
#include "lib/text.h"
#include "lib/wire.h"

/* What is printed between begin() and end() goes into text. */
struct caught {
	FILE *to;
	char *text;
	size_t len;
};

/* A stream for it; NULL without memory. */
static FILE *
begin(struct caught *caught)
{
	*caught = (struct caught){0};
	caught->to = open_memstream(&caught->text, &caught->len);
	return caught->to;
}

/* The text without its last newline; NULL if nothing was printed. */
static char *
end(struct caught *caught)
{
	if (caught->to == NULL)
		return NULL;
	if (fclose(caught->to) == EOF)
		caught->len = 0;
	while (caught->len > 0 && caught->text[caught->len - 1] == '\n')
		caught->text[--caught->len] = '\0';
	if (caught->len > 0)
		return caught->text;
	free(caught->text);
	return NULL;
}

/* Why a command was refused. */
char *
tell_refusal(const json_t *reply, const char *user)
{
	struct caught caught;

	if (begin(&caught) != NULL)
		show_refusal(caught.to, reply, user);
	return end(&caught);
}

/* What came of a command about private links. */
char *
tell_link(const char *request, const json_t *reply, const char *user)
{
	struct caught caught;

	if (begin(&caught) == NULL)
		return NULL;
	if (wire_get_bool(reply, "ok"))
		show_link_done(caught.to, request, reply, user);
	else
		show_link_refusal(caught.to, request, reply, user);
	return end(&caught);
}

/* The names of a reply, one a line. */
char *
tell_users(const json_t *reply)
{
	struct caught caught;

	if (begin(&caught) != NULL)
		show_users(caught.to, reply);
	return end(&caught);
}

/* What a person reads first. */
char *
tell_welcome(const json_t *login, const char *user)
{
	struct caught caught;

	if (begin(&caught) != NULL)
		show_welcome(caught.to, login, user);
	return end(&caught);
}

/* The list of commands. */
char *
tell_commands(void)
{
	struct caught caught;

	if (begin(&caught) != NULL)
		command_help(caught.to);
	return end(&caught);
}

/*
 * Emoji that are joined to one are shown side by side: terminals do not agree
 * on how wide the joined one is, or have none.
 */
static char *
apart(char *text)
{
	static const char joiner[] = "\xe2\x80\x8d"; /* U+200D */
	char *at = text;
	unsigned code;

	while ((at = strstr(at, joiner)) != NULL) {
		size_t left = strlen(at + strlen(joiner));

		if (left == 0)
			break;
		utf8_decode(at + strlen(joiner), left, &code);
		if (wcwidth((wchar_t)code) == 2)
			memmove(at, at + strlen(joiner), left + 1);
		else
			at += strlen(joiner);
	}
	return text;
}

/* A text of somebody else's on one line. */
char *
tell_word(const char *text)
{
	return text_escaped(text, strlen(text), TEXT_WORD);
}

/* The same on as many as it has. */
char *
tell_text(const char *text)
{
	return apart(text_escaped(text, strlen(text), TEXT_SCREEN));
}
