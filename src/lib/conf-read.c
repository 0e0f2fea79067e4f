/* SPDX-License-Identifier: ISC */
/*
 * A configuration file into the caller's struct.  Runs wherever conf.c does.
 * libconfig parses; what it finds is held against the table, and everything
 * that is wrong is said at once.  Never ends the program for what a file
 * holds.
 */
#include <errno.h>
#include <limits.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <libconfig.h>

#include "lib/conf-parts.h"
#include "lib/conf.h"
#include "lib/text.h"
#include "lib/unix.h"

/* One reading of a file, and of those that it includes. */
struct reader {
	const char *file;
	const struct conf_setting *table;
	size_t count;
	void *out;
	struct conf_errors *errors;
	bool broken; /* better not shown to libconfig */
	char **wide; /* settings whose number was found not to fit */
	size_t wide_count;
};

/* Adds what is wrong at a line of a file. */
static void __attribute__((format(printf, 5, 6)))
wrong_at(struct reader *reader, const char *file, int line, const char *path,
    const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	conf_error_at(
	    reader->errors, file ? file : reader->file, line, path, fmt, args);
	va_end(args);
}

/* Adds what is wrong with a setting. */
static void __attribute__((format(printf, 4, 5))) wrong(struct reader *reader,
    const config_setting_t *at, const char *path, const char *fmt, ...)
{
	const char *file = config_setting_source_file(at);
	va_list args;

	va_start(args, fmt);
	conf_error_at(reader->errors, file ? file : reader->file,
	    (int)config_setting_source_line(at), path, fmt, args);
	va_end(args);
}

static bool
has_range(const struct conf_setting *row)
{
	return row->min != 0 || row->max != 0;
}

static long
least(const struct conf_setting *row)
{
	return has_range(row) && row->min > INT_MIN ? row->min : INT_MIN;
}

static long
most(const struct conf_setting *row)
{
	return has_range(row) && row->max < INT_MAX ? row->max : INT_MAX;
}

/* The row of a path, or NULL. */
static const struct conf_setting *
row_find(const struct reader *reader, const char *path)
{
	for (size_t i = 0; i < reader->count; i++)
		if (strcmp(reader->table[i].path, path) == 0)
			return &reader->table[i];
	return NULL;
}

/* True if a path is that of a group of settings. */
static bool
group_known(const struct reader *reader, const char *path)
{
	size_t len = strlen(path);

	for (size_t i = 0; i < reader->count; i++)
		if (strncmp(reader->table[i].path, path, len) == 0 &&
		    reader->table[i].path[len] == '.')
			return true;
	return false;
}

/* A path and a name below it; free it. */
static char *
path_join(const char *path, const char *name)
{
	char *joined;

	if (asprintf(&joined, "%s%s%s", path, *path ? "." : "", name) == -1)
		conf_must(NULL);
	return joined;
}

/* Says the range of a number, for one that is outside. */
static void
wrong_range(struct reader *reader, const char *file, int line,
    const struct conf_setting *row, const char *number)
{
	wrong_at(reader, file, line, row->path,
	    "%s is out of range; %ld to %ld is allowed", number, least(row),
	    most(row));
}

/* Takes notice of a number that libconfig would cut off. */
static void
on_number(
    void *arg, const char *file, int line, const char *path, const char *number)
{
	struct reader *reader = arg;
	const struct conf_setting *row = row_find(reader, path);

	if (row && row->type == CONF_INT)
		wrong_range(reader, file, line, row, number);
	else
		wrong_at(reader, file, line, path, "%s is too large a number",
		    number);
	reader->wide = conf_must(
	    reallocarray(reader->wide, reader->wide_count + 1, sizeof(char *)));
	reader->wide[reader->wide_count++] = conf_must(strdup(path));
}

/* Takes notice of a file that cannot be included. */
static void
on_unreadable(
    void *arg, const char *file, int line, const char *path, const char *why)
{
	struct reader *reader = arg;

	wrong_at(reader, file, line, NULL, "%s: %s", path, why);
	reader->broken = true;
}

/* Takes a whole number within its range. */
static void
take_int(struct reader *reader, const struct conf_setting *row,
    const config_setting_t *at)
{
	const char *file = config_setting_source_file(at);
	long long number;
	char text[32];

	if (config_setting_type(at) == CONFIG_TYPE_FLOAT) {
		wrong(reader, at, row->path, "a whole number is wanted");
		return;
	}
	if (!config_setting_is_number(at)) {
		wrong(reader, at, row->path, "a number is wanted");
		return;
	}
	/* Said already, and what libconfig has is not what was written. */
	for (size_t i = 0; i < reader->wide_count; i++)
		if (strcmp(reader->wide[i], row->path) == 0)
			return;
	number = config_setting_get_int64(at);
	if (number < least(row) || number > most(row)) {
		snprintf(text, sizeof(text), "%lld", number);
		wrong_range(reader, file, (int)config_setting_source_line(at),
		    row, text);
		return;
	}
	*(int *)conf_value(row, reader->out) = (int)number;
}

static void
take_bool(struct reader *reader, const struct conf_setting *row,
    const config_setting_t *at)
{
	if (config_setting_type(at) != CONFIG_TYPE_BOOL)
		wrong(reader, at, row->path, "true or false is wanted");
	else
		*(bool *)conf_value(row, reader->out) =
		    config_setting_get_bool(at) != 0;
}

static void
take_string(struct reader *reader, const struct conf_setting *row,
    const config_setting_t *at)
{
	char **value = conf_value(row, reader->out);
	const char *text = config_setting_get_string(at);
	long len;

	if (!text) {
		wrong(reader, at, row->path, "a string is wanted");
		return;
	}
	len = (long)strlen(text);
	if (has_range(row) && (len < row->min || len > row->max)) {
		wrong(reader, at, row->path,
		    "a string of %ld to %ld bytes is wanted", row->min,
		    row->max);
		return;
	}
	free(*value);
	*value = conf_must(strdup(text));
}

/* Takes an array or a list of strings, or a single one. */
static void
take_list(struct reader *reader, const struct conf_setting *row,
    const config_setting_t *at)
{
	char ***value = conf_value(row, reader->out);
	int type = config_setting_type(at);
	bool single = type == CONFIG_TYPE_STRING;
	int count = single ? 1 : config_setting_length(at);
	char **list;

	if (!single && type != CONFIG_TYPE_ARRAY && type != CONFIG_TYPE_LIST) {
		wrong(reader, at, row->path, "a list of strings is wanted");
		return;
	}
	list = conf_must(calloc((size_t)count + 1, sizeof(*list)));
	for (int i = 0; i < count; i++) {
		const config_setting_t *one =
		    single ? at : config_setting_get_elem(at, (unsigned)i);
		const char *text = config_setting_get_string(one);

		if (!text) {
			wrong(reader, one, row->path,
			    "a list of strings is wanted; entry %d is none",
			    i + 1);
			conf_list_free(list);
			return;
		}
		list[i] = conf_must(strdup(text));
	}
	conf_list_free(*value);
	*value = list;
}

/* The choices as `"a", "b" or "c"`; free it. */
static char *
choices_text(char **words)
{
	char *text = NULL;
	size_t size = 0;
	FILE *to = conf_must(open_memstream(&text, &size));

	for (size_t i = 0; words[i]; i++)
		fprintf(to, "%s\"%s\"",
		    i == 0             ? ""
			: words[i + 1] ? ", "
				       : " or ",
		    words[i]);
	if (fclose(to) != 0)
		conf_must(NULL);
	return text;
}

static void
take_choice(struct reader *reader, const struct conf_setting *row,
    const config_setting_t *at)
{
	const char *text = config_setting_get_string(at);
	int choice = text ? conf_word_find(row->choices, text) : -1;
	char **words, *allowed, *shown;

	if (choice != -1) {
		*(int *)conf_value(row, reader->out) = choice;
		return;
	}
	words = conf_words_split(row->choices);
	allowed = choices_text(words);
	if (text) {
		shown = text_escaped(text, strlen(text), TEXT_WORD);
		wrong(reader, at, row->path, "\"%s\" is not allowed; %s is",
		    shown, allowed);
		free(shown);
	} else {
		wrong(reader, at, row->path, "%s is wanted", allowed);
	}
	free(allowed);
	conf_list_free(words);
}

static void
take_setting(struct reader *reader, const struct conf_setting *row,
    const config_setting_t *at)
{
	switch (row->type) {
	case CONF_INT:
		take_int(reader, row, at);
		break;
	case CONF_BOOL:
		take_bool(reader, row, at);
		break;
	case CONF_STRING:
		take_string(reader, row, at);
		break;
	case CONF_LIST:
		take_list(reader, row, at);
		break;
	case CONF_CHOICE:
		take_choice(reader, row, at);
		break;
	}
}

/* The known setting or group that an unknown one is meant to be; free it. */
static char *
nearest(const struct reader *reader, const char *path)
{
	size_t used = 0, dots = 0;
	const char *found = NULL, *dot;
	char **list, *copy;

	/* Right, but in the wrong group. */
	for (size_t i = 0; i < reader->count; i++)
		if (strcmp(conf_last_name(reader->table[i].path),
			conf_last_name(path)) == 0)
			return conf_must(strdup(reader->table[i].path));
	for (size_t i = 0; i < reader->count; i++)
		for (dot = reader->table[i].path; *dot; dot++)
			dots += *dot == '.';
	list = conf_must(calloc(reader->count + dots + 1, sizeof(*list)));
	for (size_t i = 0; i < reader->count; i++) {
		const char *known = reader->table[i].path;

		for (dot = known; *dot; dot++)
			if (*dot == '.')
				list[used++] = conf_must(
				    strndup(known, (size_t)(dot - known)));
		list[used++] = conf_must(strdup(known));
	}
	found = text_nearest(path, (const char *const *)list);
	copy = found ? conf_must(strdup(found)) : NULL;
	conf_list_free(list);
	return copy;
}

static void
wrong_unknown(
    struct reader *reader, const config_setting_t *at, const char *path)
{
	char *meant = nearest(reader, path);

	if (meant)
		wrong(reader, at, path, "unknown setting; did you mean \"%s\"?",
		    meant);
	else
		wrong(reader, at, path, "unknown setting");
	free(meant);
}

/* Takes what a group holds; path is "" at the top. */
static void
take_group(
    struct reader *reader, const config_setting_t *group, const char *path)
{
	for (int i = 0; i < config_setting_length(group); i++) {
		const config_setting_t *at =
		    config_setting_get_elem(group, (unsigned)i);
		char *inner = path_join(path, config_setting_name(at));
		const struct conf_setting *row = row_find(reader, inner);

		if (row)
			take_setting(reader, row, at);
		else if (!group_known(reader, inner))
			wrong_unknown(reader, at, inner);
		else if (config_setting_is_group(at))
			take_group(reader, at, inner);
		else
			wrong(reader, at, inner, "a group { } is wanted");
		free(inner);
	}
}

/* What libconfig does not say about an error of its own. */
static const char *
remedy(const char *text)
{
	if (strcmp(text, "duplicate setting name") == 0)
		return ": a setting or group stands once; change the first one";
	return "";
}

/* Lets libconfig parse the text, and takes what it found. */
static void
parse(struct reader *reader, const char *text)
{
	config_t config;

	config_init(&config);
	/* From memory: a pipe can be read once only. */
	if (config_read_string(&config, text) == CONFIG_TRUE)
		take_group(reader, config_root_setting(&config), "");
	else
		wrong_at(reader, config_error_file(&config),
		    config_error_line(&config), NULL, "%s%s",
		    config_error_text(&config),
		    remedy(config_error_text(&config)));
	config_destroy(&config);
}

int
conf_read(const char *file, const struct conf_setting *table, size_t count,
    void *out, struct conf_errors *errors)
{
	struct reader reader = {.file = file,
	    .table = table,
	    .count = count,
	    .out = out,
	    .errors = errors};
	const struct conf_scan scan = {
	    .number = on_number, .unreadable = on_unreadable, .arg = &reader};
	int before = errors->count;
	size_t len = 0;
	char *text;

	conf_defaults(table, count, out);
	text = file_read(file, CONF_FILE_MAX, &len);
	if (!text) {
		wrong_at(&reader, file, 0, NULL, "%s", strerror(errno));
		return errors->count - before;
	}
	if (strlen(text) != len) {
		wrong_at(&reader, file, 0, NULL, "not a text file");
		reader.broken = true;
	}
	conf_scan(&scan, file, text);
	if (!reader.broken)
		parse(&reader, text);
	for (size_t i = 0; i < reader.wide_count; i++)
		free(reader.wide[i]);
	free(reader.wide);
	free(text);
	return errors->count - before;
}

/* Takes notice of a file that libconfig must not try. */
static void
on_unusable(
    void *arg, const char *file, int line, const char *path, const char *why)
{
	(void)file;
	(void)line;
	(void)path;
	(void)why;
	*(bool *)arg = true;
}

/* A number that does not fit hinders nobody here. */
static void
on_any_number(
    void *arg, const char *file, int line, const char *path, const char *number)
{
	(void)arg;
	(void)file;
	(void)line;
	(void)path;
	(void)number;
}

/* Parses a file and says nothing: what cannot be parsed is empty. */
static void
parse_quietly(config_t *config, const char *file)
{
	bool broken = false;
	const struct conf_scan scan = {
	    .number = on_any_number, .unreadable = on_unusable, .arg = &broken};
	char *text = file_read(file, CONF_FILE_MAX, NULL);

	config_init(config);
	if (text)
		conf_scan(&scan, file, text);
	if (text && !broken &&
	    config_read_string(config, text) != CONFIG_TRUE) {
		config_destroy(config);
		config_init(config);
	}
	free(text);
}

char **
conf_names(const char *file, const char *group)
{
	const config_setting_t *at;
	config_t config;
	char **names;
	int count;

	parse_quietly(&config, file);
	at = config_lookup(&config, group);
	count =
	    at && config_setting_is_group(at) ? config_setting_length(at) : 0;
	names = conf_must(calloc((size_t)count + 1, sizeof(*names)));
	for (int i = 0; i < count; i++)
		names[i] = conf_must(strdup(config_setting_name(
		    config_setting_get_elem(at, (unsigned)i))));
	config_destroy(&config);
	return names;
}

void
conf_names_free(char **names)
{
	conf_list_free(names);
}

int
conf_where(const char *file, const char *path, char **source)
{
	const config_setting_t *at;
	const char *other = NULL;
	config_t config;
	int line = 0;

	parse_quietly(&config, file);
	at = config_lookup(&config, path);
	if (at) {
		other = config_setting_source_file(at);
		line = (int)config_setting_source_line(at);
	}
	*source = conf_must(strdup(other ? other : file));
	config_destroy(&config);
	return line;
}

void
conf_wrong(struct conf_errors *errors, const char *file, const char *path,
    const char *fmt, ...)
{
	char *source;
	int line = conf_where(file, path, &source);
	va_list args;

	va_start(args, fmt);
	conf_error_at(errors, source, line, path, fmt, args);
	va_end(args);
	free(source);
}
