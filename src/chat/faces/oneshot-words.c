/* SPDX-License-Identifier: ISC */
/*
 * One-shot commands, taken apart: names, users and texts from a command line
 * or a file.  Pure: knows no descriptor and no socket.
 */
#include "chat/faces/oneshot.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

#include "lib/log.h"

enum { NUMBER_MAX = 1000000000 };

struct oneshot_row {
	const char *name;
	const char *arguments;
	const char *options;
	enum oneshot_link link;
	const char *help;
};

static const struct oneshot_row rows[ONESHOT_COUNT] = {
#define X(oneshot, name, arguments, options, link, help) \
	[ONESHOT_##oneshot] = {name, arguments, options, LINK_##link, help},
    ONESHOTS(X)
#undef X
};

/* Says what is wrong and returns -1. */
__attribute__((format(printf, 2, 3))) static int
wrong(char why[ONESHOT_WHY_LEN], const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	vsnprintf(why, ONESHOT_WHY_LEN, fmt, args);
	va_end(args);
	return -1;
}

enum oneshot_name
oneshot_find(const char *word)
{
	unsigned i;

	/* As at the prompt. */
	if (strcmp(word, "message") == 0 || strcmp(word, "msg") == 0)
		return ONESHOT_SEND;
	if (strcmp(word, "getaddress") == 0)
		return ONESHOT_ASK;
	for (i = 0; i < ONESHOT_COUNT; i++)
		if (strcmp(rows[i].name, word) == 0)
			break;
	return (enum oneshot_name)i;
}

const char *
oneshot_name(enum oneshot_name name)
{
	return rows[name].name;
}

enum oneshot_link
oneshot_link(enum oneshot_name name)
{
	return rows[name].link;
}

const char *
oneshot_nearest(const char *word)
{
	const char *names[ONESHOT_COUNT + 1] = {NULL};

	for (unsigned i = 0; i < ONESHOT_COUNT; i++)
		names[i] = rows[i].name;
	return text_nearest(word, names);
}

/* How the command is given. */
static int
usage(const struct oneshot_row *row, char why[ONESHOT_WHY_LEN])
{
	return wrong(why, "usage: chat [OPTIONS] %s%s%s", row->name,
	    *row->arguments != '\0' ? " " : "", row->arguments);
}

/* The words with a space between, in fresh memory. */
static char *
join(char *const *words, size_t *len)
{
	char *text = NULL;
	FILE *to = open_memstream(&text, len);

	if (to == NULL)
		fatal(EX_OSERR, "no memory");
	for (size_t i = 0; words[i] != NULL; i++)
		fprintf(to, "%s%s", i > 0 ? " " : "", words[i]);
	if (fclose(to) == EOF)
		fatal(EX_OSERR, "no memory");
	return text;
}

/* True if the option is not given, or is one of the command's. */
static bool
takes(const struct oneshot_row *row, bool given, const char *option)
{
	const char *at = row->options;
	size_t len = strlen(option);

	if (!given)
		return true;
	while ((at = strstr(at, option)) != NULL) {
		if ((at == row->options || at[-1] == ' ') &&
		    (at[len] == '\0' || at[len] == ' '))
			return true;
		at += len;
	}
	return false;
}

/* A number out of an option; false if it is none. */
static bool
number(const char *text, int64_t *out)
{
	char *end;

	*out = -1;
	if (text == NULL)
		return true;
	if (*text < '0' || *text > '9')
		return false;
	*out = strtol(text, &end, 10);
	return *end == '\0' && *out <= NUMBER_MAX;
}

/* Are the options those of this command? */
static int
check_options(struct oneshot *shot, const struct oneshot_row *row,
    char why[ONESHOT_WHY_LEN])
{
	const struct {
		bool given;
		const char *option;
	} options[] = {
	    {shot->lines, "lines"},
	    {shot->queue, "queue"},
	    {shot->follow, "follow"},
	    {shot->wait != NULL, "wait"},
	    {shot->search != NULL, "search"},
	    {shot->invite != NULL, "invite"},
	    {shot->last != NULL, "n"},
	};
	const char *option;

	for (size_t i = 0; i < sizeof(options) / sizeof(*options); i++) {
		option = options[i].option;
		if (!takes(row, options[i].given, option))
			return wrong(why, "%s takes no %s%s", row->name,
			    option[1] != '\0' ? "--" : "-", option);
	}
	if (!number(shot->last, &shot->count))
		return wrong(why, "-n wants a number");
	if (!number(shot->wait, &shot->seconds))
		return wrong(why, "--wait wants a number of seconds");
	return 0;
}

/* Takes the words apart. */
int
oneshot_parse(
    struct oneshot *shot, char *const *words, char why[ONESHOT_WHY_LEN])
{
	const struct oneshot_row *row;
	char safe[128];

	shot->name = oneshot_find(*words);
	if (shot->name == ONESHOT_COUNT)
		return wrong(why, "there is no such command");
	row = &rows[shot->name];
	words++;
	if (check_options(shot, row, why) == -1)
		return -1;
	if (strstr(row->arguments, "USER") != NULL &&
	    (*words != NULL || *row->arguments != '[')) {
		if (*words == NULL)
			return usage(row, why);
		text_escape(
		    safe, sizeof(safe), *words, strlen(*words), TEXT_WORD);
		if (!name_fold(*words, strlen(*words), shot->user))
			return wrong(why, "\"%s\" is not a user name", safe);
		words++;
	}
	if (*words == NULL)
		return 0;
	/* A centre is none of ours: options_account() takes it. */
	if (strstr(row->arguments, "CENTRE") != NULL && words[1] == NULL)
		return 0;
	if (strstr(row->arguments, "TEXT") == NULL)
		return usage(row, why);
	if (shot->lines)
		return wrong(
		    why, "with --lines the text comes from standard input");
	shot->text = join(words, &shot->text_len);
	return oneshot_text(shot->text, &shot->text_len, why) == 0 ? 0 : -2;
}

void
oneshot_release(struct oneshot *shot)
{
	free(shot->text);
	shot->text = NULL;
}

/* CRLF becomes LF; the new length. */
static size_t
unix_lines(char *text, size_t len)
{
	size_t to = 0;

	for (size_t i = 0; i < len; i++)
		if (text[i] != '\r' || i + 1 == len || text[i + 1] != '\n')
			text[to++] = text[i];
	return to;
}

/* Makes a text out of what was read. */
int
oneshot_text(char *text, size_t *len, char why[ONESHOT_WHY_LEN])
{
	size_t line = 1, start = 0;
	ssize_t bad;

	*len = unix_lines(text, *len);
	if (*len > 0 && text[*len - 1] == '\n')
		--*len;
	text[*len] = '\0';
	if (*len == 0)
		return wrong(why, "There is no text. Nothing was sent.");
	bad = text_bad_at(text, *len);
	if (bad == -1)
		return 0;
	for (size_t i = 0; i < (size_t)bad; i++)
		if (text[i] == '\n') {
			line++;
			start = i + 1;
		}
	return wrong(why,
	    "The message holds a control character or is not UTF-8 at byte "
	    "%zu of line %zu. It was not sent.",
	    (size_t)bad - start + 1, line);
}

/* True if the text comes from standard input. */
bool
oneshot_reads(const struct oneshot *shot)
{
	return shot->text == NULL &&
	    strstr(rows[shot->name].arguments, "TEXT") != NULL;
}

/* The list of commands. */
void
oneshot_help(FILE *to)
{
	char left[64];

	for (unsigned i = 0; i < ONESHOT_COUNT; i++) {
		snprintf(left, sizeof(left), "%s %s", rows[i].name,
		    rows[i].arguments);
		fprintf(to, "  %-28s%s\n", left, rows[i].help);
	}
}
