/* SPDX-License-Identifier: ISC */
/*
 * Days, states and reasons in words, see words.h.  Used by chat-gtk;
 * never lets a peer's text pass unescaped.
 */
#include "chat/faces/window/phrases.h"

#include <string.h>

#include "chat/faces/window/words.h"
#include "lib/text.h"

/* A time in that format; "" where there is none. */
static char *
local(int64_t ms, const char *format)
{
	GDateTime *time = g_date_time_new_from_unix_local(ms / 1000);
	char *text = time != NULL ? g_date_time_format(time, format) : NULL;

	if (time != NULL)
		g_date_time_unref(time);
	return text != NULL ? text : g_strdup("");
}

char *
phrase_day(int64_t ms)
{
	return local(ms, "%A, %-d %B %Y");
}

char *
phrase_moment(int64_t ms)
{
	return local(ms, "%Y-%m-%d %H:%M");
}

bool
phrase_same_day(int64_t ms, int64_t other)
{
	char *one = local(ms, "%F"), *two = local(other, "%F");
	bool same = strcmp(one, two) == 0;

	g_free(one);
	g_free(two);
	return same;
}

const char *
phrase_mark(enum mirror_state state)
{
	static const char *const marks[] = {
	    [MIRROR_RECEIVED] = "",
	    [MIRROR_QUEUED] = "…",
	    [MIRROR_ACCEPTED] = "✓",
	    [MIRROR_FETCHED] = "✓✓",
	    [MIRROR_REFUSED] = "✗",
	    [MIRROR_KEPT] = "✗",
	};

	return marks[state];
}

char *
phrase_state(const struct mirror_line *line, const char *user)
{
	switch (line->state) {
	case MIRROR_QUEUED:
		return g_strdup("waiting to be sent");
	case MIRROR_ACCEPTED:
		return g_strdup("accepted by the centre");
	case MIRROR_FETCHED:
		return g_strdup_printf("fetched by %s", user);
	case MIRROR_REFUSED:
		return g_strdup("refused");
	case MIRROR_KEPT:
		return g_strdup("not delivered");
	case MIRROR_RECEIVED:
		break;
	}
	return g_strdup("");
}

char *
phrase_error(const char *error, const char *user)
{
	static const struct {
		const char *error, *words; /* @ is the user */
	} rows[] = {
	    {"blocked",
		"Your message could not be delivered as the recipient has "
		"blocked you."},
	    {"busy", "The other side cannot take it now; it was not sent."},
	    {"expired", "It could not be sent for 14 days and was given up."},
	    {"key-changed",
		"The key of @ has changed; nothing was sent privately."},
	    {"lost",
		"No answer came from @, who may or may not have the message."},
	    {"mailbox-full", "The mailbox of @ is full."},
	    {"no-link", "There is no private link with @."},
	    {"no-such-user", "There is no user @."},
	    {"nothing", "Nothing is left to be done."},
	    {"offline", "@ is offline."},
	    {"refused",
		"The client of @ did not take the message; it was not sent."},
	    {"too-large", "The message is too long; it was not sent."},
	    {"unreachable",
		"@ can no longer be reached at that address; the message was "
		"not sent."},
	    {"wrong-key",
		"Somebody else answers at the address of @; the message was "
		"not sent."},
	};
	GString *text;

	for (size_t i = 0; i < G_N_ELEMENTS(rows); i++)
		if (strcmp(rows[i].error, error) == 0) {
			text = g_string_new(rows[i].words);
			g_string_replace(text, "@", user, 0);
			return g_string_free(text, FALSE);
		}
	return NULL;
}

char *
phrase_reason(const struct mirror_line *line, const char *user)
{
	char *text;

	if (line->state != MIRROR_REFUSED && line->state != MIRROR_KEPT)
		return g_strdup("");
	text = phrase_error(line->reason, user);
	if (text != NULL)
		return text;
	if (*line->reason != '\0')
		return words_line(line->reason);
	return g_strdup(line->state == MIRROR_KEPT
		? "The message did not arrive as far as is known."
		: "The centre refused the message.");
}

char *
phrase_refused(const char *text, size_t limit)
{
	size_t len = strlen(text);
	ssize_t bad = text_bad_at(text, len);

	if (len > limit)
		return g_strdup_printf(
		    "Too long: %zu octets, and a message has at most %zu.", len,
		    limit);
	if (bad >= 0)
		return g_strdup_printf(
		    "The control character at position %ld cannot be sent.",
		    g_utf8_pointer_to_offset(text, text + bad) + 1);
	return NULL;
}
