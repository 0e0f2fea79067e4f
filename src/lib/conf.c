/* SPDX-License-Identifier: ISC */
/*
 * Settings from a table.  Runs before a program does anything else (and when
 * it is told to read its configuration again).  This part knows the table:
 * defaults, errors, printing; conf-read.c reads.  Never ends the program for
 * anything but memory.
 */
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

#include "lib/conf-parts.h"
#include "lib/conf.h"
#include "lib/log.h"

void *
conf_must(void *memory)
{
	if (!memory)
		fatal(EX_OSERR, "no memory for the configuration");
	return memory;
}

/*
 * Where a report on that line of a file belongs: before the first one on a
 * later line, or at the end.
 */
static size_t
place(const struct conf_errors *errors, const char *file, int line)
{
	size_t at = 0, len = strlen(file);

	if (line <= 0)
		return errors->len;
	while (at < errors->len) {
		const char *report = errors->text + at;

		if (strncmp(report, file, len) == 0 && report[len] == ':' &&
		    strtol(report + len + 1, NULL, 10) > line)
			return at;
		at += strcspn(report, "\n") + 1;
	}
	return errors->len;
}

void
conf_error_at(struct conf_errors *errors, const char *file, int line,
    const char *path, const char *fmt, va_list args)
{
	char *text = NULL, *old = errors->text;
	size_t size = 0, at = file ? place(errors, file, line) : errors->len;
	FILE *to = conf_must(open_memstream(&text, &size));

	fwrite(old ? old : "", 1, at, to);
	if (file && line > 0)
		fprintf(to, "%s:%d: ", file, line);
	else if (file)
		fprintf(to, "%s: ", file);
	if (path)
		fprintf(to, "%s: ", path);
	vfprintf(to, fmt, args);
	putc('\n', to);
	fwrite(old ? old + at : "", 1, errors->len - at, to);
	if (fclose(to) != 0)
		conf_must(NULL);
	free(old);
	errors->text = text;
	errors->len = size;
	errors->count++;
}

void
conf_error(struct conf_errors *errors, const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	conf_error_at(errors, NULL, 0, NULL, fmt, args);
	va_end(args);
}

void *
conf_value(const struct conf_setting *row, const void *out)
{
	return (char *)(uintptr_t)out + row->offset;
}

const char *
conf_word_at(const char *words, int index, size_t *len)
{
	for (; words; index--) {
		words += strspn(words, " ");
		*len = strcspn(words, " ");
		if (*len == 0)
			return NULL;
		if (index == 0)
			return words;
		words += *len;
	}
	return NULL;
}

int
conf_word_find(const char *words, const char *word)
{
	const char *at;
	size_t len;

	for (int i = 0; (at = conf_word_at(words, i, &len)) != NULL; i++)
		if (strlen(word) == len && memcmp(at, word, len) == 0)
			return i;
	return -1;
}

char **
conf_words_split(const char *words)
{
	int count = 0;
	const char *at;
	size_t len;
	char **list;

	while (conf_word_at(words, count, &len))
		count++;
	list = conf_must(calloc((size_t)count + 1, sizeof(*list)));
	for (int i = 0; i < count; i++) {
		at = conf_word_at(words, i, &len);
		list[i] = conf_must(strndup(at, len));
	}
	return list;
}

void
conf_list_free(char **list)
{
	for (size_t i = 0; list && list[i]; i++)
		free(list[i]);
	free(list);
}

/* Sets one setting to its default, whatever was there. */
static void
set_default(const struct conf_setting *row, void *out)
{
	void *value = conf_value(row, out);
	int choice;

	switch (row->type) {
	case CONF_INT:
		*(int *)value = row->def ? (int)strtol(row->def, NULL, 10) : 0;
		break;
	case CONF_BOOL:
		*(bool *)value = row->def && strcmp(row->def, "true") == 0;
		break;
	case CONF_STRING:
		*(char **)value = row->def ? conf_must(strdup(row->def)) : NULL;
		break;
	case CONF_LIST:
		*(char ***)value = conf_words_split(row->def);
		break;
	case CONF_CHOICE:
		choice = row->def ? conf_word_find(row->choices, row->def) : 0;
		*(int *)value = choice == -1 ? 0 : choice;
		break;
	}
}

void
conf_defaults(const struct conf_setting *table, size_t count, void *out)
{
	for (size_t i = 0; i < count; i++)
		set_default(&table[i], out);
}

void
conf_release(const struct conf_setting *table, size_t count, void *out)
{
	for (size_t i = 0; i < count; i++) {
		void *value = conf_value(&table[i], out);

		if (table[i].type == CONF_STRING) {
			free(*(char **)value);
			*(char **)value = NULL;
		} else if (table[i].type == CONF_LIST) {
			conf_list_free(*(char ***)value);
			*(char ***)value = NULL;
		}
	}
}

void
conf_errors_release(struct conf_errors *errors)
{
	free(errors->text);
	memset(errors, 0, sizeof(*errors));
}

const char *
conf_last_name(const char *path)
{
	const char *dot = strrchr(path, '.');

	return dot ? dot + 1 : path;
}

/* Prints a string as libconfig reads it. */
static void
print_string(FILE *to, const char *text)
{
	putc('"', to);
	for (; *text; text++) {
		unsigned char c = (unsigned char)*text;

		if (c == '"' || c == '\\')
			fprintf(to, "\\%c", c);
		else if (c < 0x20 || c == 0x7f)
			fprintf(to, "\\x%02x", c);
		else
			putc(c, to);
	}
	putc('"', to);
}

static void
print_value(FILE *to, const struct conf_setting *row, const void *in)
{
	const void *value = conf_value(row, in);
	const char *word;
	char *const *list;
	size_t len = 0;

	switch (row->type) {
	case CONF_INT:
		fprintf(to, "%d", *(const int *)value);
		break;
	case CONF_BOOL:
		fputs(*(const bool *)value ? "true" : "false", to);
		break;
	case CONF_STRING:
		print_string(to, *(char *const *)value);
		break;
	case CONF_LIST:
		list = *(char **const *)value;
		fputs("[ ", to);
		for (size_t i = 0; list && list[i]; i++) {
			fputs(i > 0 ? ", " : "", to);
			print_string(to, list[i]);
		}
		fputs(list && list[0] ? " ]" : "]", to);
		break;
	case CONF_CHOICE:
		word = conf_word_at(row->choices, *(const int *)value, &len);
		fprintf(to, "\"%.*s\"", (int)len, word ? word : "");
		break;
	}
}

/* Prints one setting under its comment. */
static void
print_setting(
    FILE *to, const struct conf_setting *row, const void *in, int depth)
{
	if (row->about)
		fprintf(to, "%*s// %s\n", depth * 8, "", row->about);
	/* One without a value and without a default can only be named. */
	if (row->type == CONF_STRING && !*(char **)conf_value(row, in)) {
		fprintf(to, "%*s// %s = \"\";\n", depth * 8, "",
		    conf_last_name(row->path));
		return;
	}
	fprintf(to, "%*s%s = ", depth * 8, "", conf_last_name(row->path));
	print_value(to, row, in);
	fputs(";\n", to);
}

/* Prints the settings whose paths begin with len bytes of path. */
static void
print_group(FILE *to, const struct conf_setting *table, size_t count,
    const void *in, const char *path, size_t len, int depth)
{
	for (size_t i = 0; i < count; i++) {
		const char *own = table[i].path, *dot;
		size_t j = 0, inner;

		if (strncmp(own, path, len) != 0)
			continue;
		dot = strchr(own + len, '.');
		if (!dot) {
			print_setting(to, &table[i], in, depth);
			continue;
		}
		/* A group comes once, where its first setting stands. */
		inner = (size_t)(dot - own) + 1;
		while (strncmp(table[j].path, own, inner) != 0)
			j++;
		if (j < i)
			continue;
		fprintf(to, "%*s%.*s: {\n", depth * 8, "",
		    (int)(inner - 1 - len), own + len);
		print_group(to, table, count, in, own, inner, depth + 1);
		fprintf(to, "%*s};\n", depth * 8, "");
	}
}

void
conf_print(
    FILE *to, const struct conf_setting *table, size_t count, const void *in)
{
	print_group(to, table, count, in, "", 0, 0);
}
