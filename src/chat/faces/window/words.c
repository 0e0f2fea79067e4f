/* SPDX-License-Identifier: ISC */
/*
 * What others wrote, made fit for a label of the window: one line or several,
 * never markup.  Pure; all strings are fresh memory of GLib's.
 */
#include "chat/faces/window/words.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include <glib.h>

#include "chat/faces/wrap.h"
#include "lib/text.h"

/* Some octets in that style, at the end of a string. */
static void
add_escaped(GString *to, const char *text, size_t len, enum text_style style)
{
	char *safe = text_escaped(text, len, style);

	wrap_tame(safe);
	g_string_append(to, safe);
	free(safe);
}

/* One line: what is no letter there becomes a visible mark. */
char *
words_line(const char *text)
{
	GString *out = g_string_new(NULL);

	if (text != NULL)
		add_escaped(out, text, strlen(text), TEXT_WORD);
	return g_string_free(out, FALSE);
}

/* The same with blanks for the ends of lines. */
char *
words_brief(const char *text)
{
	char *flat =
	    g_strdelimit(g_strdup(text != NULL ? text : ""), "\n", ' ');
	char *safe = words_line(flat);

	g_free(flat);
	return safe;
}

/* The same with its lines kept. */
char *
words_text(const char *text)
{
	GString *out = g_string_new(NULL);
	const char *end;

	/* Line by line: a newline of its own would be indented. */
	for (; text != NULL; text = *end != '\0' ? end + 1 : NULL) {
		end = strchrnul(text, '\n');
		add_escaped(out, text, (size_t)(end - text), TEXT_SCREEN);
		if (*end != '\0')
			g_string_append_c(out, '\n');
	}
	return g_string_free(out, FALSE);
}

/* The same without the letters that begin markup. */
char *
words_plain(const char *text)
{
	char *safe = words_text(text);
	GString *out = g_string_new(NULL);

	for (const char *at = safe; *at != '\0'; at++) {
		if (*at == '<')
			g_string_append(out, "\u2039");
		else if (*at == '>')
			g_string_append(out, "\u203a");
		else if (*at == '&')
			g_string_append(out, "\uff06");
		else
			g_string_append_c(out, *at);
	}
	g_free(safe);
	return g_string_free(out, FALSE);
}

static GDateTime *
local_time(int64_t time)
{
	return g_date_time_new_from_unix_local(time / 1000);
}

static char *
format(GDateTime *time, const char *how)
{
	char *text = time != NULL ? g_date_time_format(time, how) : NULL;

	return text != NULL ? text : g_strdup("");
}

/* HH:MM today, the date before. */
char *
words_when(int64_t time, int64_t now)
{
	GDateTime *then = local_time(time), *today = local_time(now);
	bool same = then != NULL && today != NULL &&
	    g_date_time_get_year(then) == g_date_time_get_year(today) &&
	    g_date_time_get_day_of_year(then) ==
		g_date_time_get_day_of_year(today);
	char *text = format(then, same ? "%H:%M" : "%Y-%m-%d");

	g_clear_pointer(&then, g_date_time_unref);
	g_clear_pointer(&today, g_date_time_unref);
	return text;
}

/* HH:MM, local time. */
char *
words_clock(int64_t time)
{
	GDateTime *then = local_time(time);
	char *text = format(then, "%H:%M");

	g_clear_pointer(&then, g_date_time_unref);
	return text;
}
