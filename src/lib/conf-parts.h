/* SPDX-License-Identifier: ISC */
/*
 * What the three parts of conf.h share, and nobody else includes: conf.c
 * knows the table, conf-read.c libconfig, conf-scan.c the bare text.
 */
#ifndef LIB_CONF_PARTS_H
#define LIB_CONF_PARTS_H

#include <stdarg.h>

#include "lib/conf.h"

enum { CONF_FILE_MAX = 1 << 20 }; /* a configuration, not a disk image */

/* Memory that is there, or the end of the program. */
void *conf_must(void *memory);

/* The place of a row's value in the caller's struct. */
void *conf_value(const struct conf_setting *row, const void *out);

/* The word with that index in a list separated by spaces; NULL: none. */
const char *conf_word_at(const char *words, int index, size_t *len);

/* The index of a word in such a list, or -1. */
int conf_word_find(const char *words, const char *word);

/* Such a list as a NULL-terminated one; conf_list_free() it. */
char **conf_words_split(const char *words);
void conf_list_free(char **list);

/* The last part of a dotted path. */
const char *conf_last_name(const char *path);

/*
 * Adds "file:line: path: " and a text to the errors, as one line, in the
 * order of a file's lines; file and path may be NULL, line 0.
 */
void conf_error_at(struct conf_errors *errors, const char *file, int line,
    const char *path, const char *fmt, va_list args)
    __attribute__((format(printf, 5, 0)));

/* Who is told what by a scan; the strings are valid during the call only. */
struct conf_scan {
	/* A whole number that does not fit; path is its setting's. */
	void (*number)(void *arg, const char *file, int line, const char *path,
	    const char *number);
	/* A file that cannot be included: libconfig must not try. */
	void (*unreadable)(void *arg, const char *file, int line,
	    const char *path, const char *why);
	void *arg;
};

/*
 * Looks at a text (the file's name is for reports) and what it includes
 * before libconfig does, which cuts numbers off without a word and whose
 * scanner exits on a directory.
 */
void conf_scan(const struct conf_scan *to, const char *file, const char *text);

#endif
