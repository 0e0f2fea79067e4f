/* SPDX-License-Identifier: ISC */
/*
 * What a person can type, as rows: name, aliases, arguments, what the agent
 * is asked, help.  Pure: knows no terminal and no socket.
 */
#include "chat/faces/command.h"

#include <stdarg.h>
#include <string.h>
#include <strings.h>

struct command_row {
	const char *name;
	const char *aliases;
	const char *arguments;
	const char *request;
	const char *help;
};

static const struct command_row rows[COMMAND_COUNT] = {
#define X(command, name, aliases, arguments, request, help) \
	[COMMAND_##command] = {name, aliases, arguments, request, help},
    COMMANDS(X)
#undef X
};

/* What is left of a line. */
struct rest {
	const char *s;
	size_t len;
};

/* A newline is in what was edited as several lines. */
static bool
is_blank(char c)
{
	return c == ' ' || c == '\t' || c == '\n';
}

static void
skip_blanks(struct rest *rest)
{
	while (rest->len > 0 && is_blank(*rest->s)) {
		rest->s++;
		rest->len--;
	}
}

/* Takes the next word off. */
static struct rest
take_word(struct rest *rest)
{
	struct rest word;

	skip_blanks(rest);
	word = (struct rest){rest->s, 0};
	while (rest->len > 0 && !is_blank(*rest->s)) {
		rest->s++;
		rest->len--;
		word.len++;
	}
	return word;
}

static bool
same_word(const struct rest *word, const char *name, size_t len)
{
	return word->len == len && strncasecmp(word->s, name, len) == 0;
}

/* True if the word stands in a list with blanks between. */
static bool
in_list(const struct rest *word, const char *list)
{
	size_t len;

	for (; *list != '\0'; list += len + (list[len] == ' ')) {
		len = strcspn(list, " ");
		if (same_word(word, list, len))
			return true;
	}
	return false;
}

/* True if the first of the arguments is a user; it may be one in brackets. */
static bool
takes_user(const char *arguments)
{
	return strncmp(arguments + (*arguments == '['), "USER", 4) == 0;
}

/* The row of a word, or COMMAND_COUNT. */
static enum command_name
find(const struct rest *word)
{
	unsigned i;

	for (i = 0; i < COMMAND_COUNT; i++)
		if (same_word(word, rows[i].name, strlen(rows[i].name)) ||
		    in_list(word, rows[i].aliases))
			break;
	return (enum command_name)i;
}

/* Says what is wrong. */
__attribute__((format(printf, 2, 3))) static enum command_status
wrong(struct command *command, const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	vsnprintf(command->why, sizeof(command->why), fmt, args);
	va_end(args);
	return COMMAND_WRONG;
}

/* How the command is typed. */
static enum command_status
usage(struct command *command)
{
	const struct command_row *row = &rows[command->name];

	if (*row->arguments == '\0')
		return wrong(command, "Type \"%s\" alone.", row->name);
	return wrong(command, "Type \"%s %s\".", row->name, row->arguments);
}

/* The user's name. */
static enum command_status
take_user(struct command *command, struct rest *rest)
{
	struct rest word = take_word(rest);
	char safe[COMMAND_WORD_LEN];

	if (word.len == 0)
		return usage(command);
	if (name_fold(word.s, word.len, command->user))
		return COMMAND_OK;
	text_escape(safe, sizeof(safe), word.s, word.len, TEXT_WORD);
	return wrong(command, "\"%s\" is not a user name.", safe);
}

/* The text: all that is left. */
static enum command_status
take_text(struct command *command, struct rest *rest, size_t message_bytes)
{
	ssize_t bad;

	skip_blanks(rest);
	if (rest->len == 0)
		return usage(command);
	command->text = rest->s;
	command->text_len = rest->len;
	if (rest->len > message_bytes)
		return wrong(command,
		    "The message is too long: %zu bytes, at most %zu. It was "
		    "not sent.",
		    rest->len, message_bytes);
	bad = text_bad_at(rest->s, rest->len);
	if (bad == -1)
		return COMMAND_OK;
	return wrong(command,
	    "The message holds a control character or is not UTF-8 at byte "
	    "%zd. It was not sent.",
	    bad + 1);
}

/* Takes a line apart. */
enum command_status
command_parse(
    struct command *command, const char *line, size_t len, size_t message_bytes)
{
	struct rest rest = {line, len}, word;
	enum command_status status = COMMAND_OK;
	const char *arguments;

	memset(command, 0, sizeof(*command));
	word = take_word(&rest);
	if (word.len > 0 && *word.s == '/') {
		word.s++;
		word.len--;
	}
	if (word.len == 0)
		return rest.len == 0 ? COMMAND_EMPTY : COMMAND_UNKNOWN;
	text_escape(
	    command->word, sizeof(command->word), word.s, word.len, TEXT_WORD);
	command->name = find(&word);
	if (command->name == COMMAND_COUNT)
		return COMMAND_UNKNOWN;
	arguments = rows[command->name].arguments;
	skip_blanks(&rest);
	if (takes_user(arguments) && (rest.len > 0 || *arguments != '['))
		status = take_user(command, &rest);
	if (status == COMMAND_OK && strstr(arguments, "TEXT") != NULL)
		return take_text(command, &rest, message_bytes);
	skip_blanks(&rest);
	return status == COMMAND_OK && rest.len > 0 ? usage(command) : status;
}

/* What the agent is asked, as one word. */
const char *
command_asks(enum command_name name)
{
	return rows[name].request;
}

/* What the agent is asked. */
json_t *
command_request(const struct command *command)
{
	const char *name = rows[command->name].request;
	bool to = command->text != NULL || command->name == COMMAND_GETADDRESS;
	json_t *request;

	if (name == NULL)
		return NULL;
	request = json_object();
	json_object_set_new(request, "do", json_string(name));
	if (*command->user != '\0')
		json_object_set_new(
		    request, to ? "to" : "user", json_string(command->user));
	if (command->text != NULL)
		json_object_set_new(request, "text",
		    json_stringn(command->text, command->text_len));
	return request;
}

/* What can stand in the word that begins at start. */
enum command_slot
command_slot(const char *line, size_t start)
{
	struct rest rest = {line, start}, word;
	enum command_name name;

	word = take_word(&rest);
	if (word.len > 0 && *word.s == '/') {
		word.s++;
		word.len--;
	}
	if (word.len == 0 && rest.len == 0)
		return SLOT_COMMAND;
	name = find(&word);
	if (rest.len == 0 || name == COMMAND_COUNT ||
	    !takes_user(rows[name].arguments))
		return SLOT_OTHER;
	skip_blanks(&rest);
	return rest.len == 0 ? SLOT_USER : SLOT_OTHER;
}

/* Gives each word of a list to fn. */
static void
each_word(const char *list, void (*fn)(void *arg, const char *name), void *arg)
{
	char word[COMMAND_WORD_LEN];
	size_t len;

	for (; *list != '\0'; list += len + (list[len] == ' ')) {
		len = strcspn(list, " ");
		snprintf(word, sizeof(word), "%.*s", (int)len, list);
		fn(arg, word);
	}
}

/* Gives the names or the aliases to fn. */
void
command_names(bool aliases, void (*fn)(void *arg, const char *name), void *arg)
{
	for (unsigned i = 0; i < COMMAND_COUNT; i++)
		each_word(aliases ? rows[i].aliases : rows[i].name, fn, arg);
}

/* The command whose name is nearest. */
const char *
command_nearest(const char *word)
{
	const char *names[COMMAND_COUNT + 1] = {NULL};

	for (unsigned i = 0; i < COMMAND_COUNT; i++)
		names[i] = rows[i].name;
	return text_nearest(word, names);
}

/* The list of commands. */
void
command_help(FILE *to)
{
	char left[COMMAND_WORD_LEN];

	for (unsigned i = 0; i < COMMAND_COUNT; i++) {
		snprintf(left, sizeof(left), "%s %s", rows[i].name,
		    rows[i].arguments);
		fprintf(to, "%-22s%s\n", left, rows[i].help);
	}
}
