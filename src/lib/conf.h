/* SPDX-License-Identifier: ISC */
/*
 * Settings from a table.  libconfig parses; this finds unknown names, wrong
 * types and numbers out of range (also those that overflow), all of them at
 * once, as "file:line: setting: what is wrong", with the nearest known name.
 */
#ifndef LIB_CONF_H
#define LIB_CONF_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

enum conf_type {
	CONF_INT, /* int, min..max */
	CONF_BOOL, /* bool */
	CONF_STRING, /* char *, allocated, min..max bytes */
	CONF_LIST, /* char **, allocated, NULL-terminated list of strings */
	CONF_CHOICE, /* int: the index in choices, a space-separated list */
};

/* One setting: a dotted path, its place in the caller's struct, a default. */
struct conf_setting {
	const char *path; /* "limits.workers" */
	enum conf_type type;
	size_t offset;
	long min, max; /* both 0: no limit */
	const char *def; /* as text; for a list separated by spaces */
	const char *choices; /* CONF_CHOICE */
	const char *about; /* one line, for the commented file */
};

/*
 * What was found wrong, one line each (with its newline); NUL-terminated text
 * when count > 0.
 */
struct conf_errors {
	char *text; /* allocated; "" or NULL when there is none */
	size_t len;
	int count;
};

/* Sets every setting to its default. */
void conf_defaults(const struct conf_setting *table, size_t count, void *out);

/*
 * Reads the file over the defaults, which it sets itself: out need not be set
 * before, and what it held is not freed.  Returns the number of errors and adds
 * them to errors; out is then complete but not to be used.  A file that
 * cannot be read is one error.  @include files are read as libconfig does.
 */
int conf_read(const char *file, const struct conf_setting *table, size_t count,
    void *out, struct conf_errors *errors);

/* Adds one line, for checks that look at several settings at once. */
void conf_error(struct conf_errors *errors, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));

/*
 * The names in a group of the file whose names the user chooses, as a
 * NULL-terminated list (conf_names_free() it), so that a table can be made
 * for them.  Says nothing of what is wrong with the file, as conf_read() does.
 */
char **conf_names(const char *file, const char *group);
void conf_names_free(char **names);

/*
 * Where a setting stands: the line, and in *source the file, which with
 * @include may be another one (free it).  0 and the file itself if the
 * setting is not in there.
 */
int conf_where(const char *file, const char *path, char **source);

/* Adds "file:line: path: what is wrong" to errors, of a setting's value. */
void conf_wrong(struct conf_errors *errors, const char *file, const char *path,
    const char *fmt, ...) __attribute__((format(printf, 4, 5)));

/* Prints the settings as a file that conf_read() reads back. */
void conf_print(
    FILE *to, const struct conf_setting *table, size_t count, const void *in);

/* Frees the strings and lists of out, and the text of errors. */
void conf_release(const struct conf_setting *table, size_t count, void *out);
void conf_errors_release(struct conf_errors *errors);

#endif
