/* SPDX-License-Identifier: ISC */
/*
 * Standard input as a face reads it before its loop runs: whole lines,
 * questions on a terminal, passwords without echo.  Off a terminal nothing
 * is printed and nobody is asked.
 */
#ifndef CHAT_FACES_PROMPT_H
#define CHAT_FACES_PROMPT_H

#include <stdbool.h>
#include <stddef.h>

#include "lib/line.h"

enum prompt_status {
	PROMPT_OK,
	PROMPT_END, /* no more input */
	PROMPT_STOPPED, /* the user wants to leave */
};

struct prompt {
	bool terminal; /* both standard input and output are one */
	bool ended;
	bool closed; /* what is read there is no answer to a question */
	bool refused; /* a password was wrong, which was said */
	int stop; /* a signalfd */
	struct line_buf in;
	bool skipping; /* the rest of a line that was too long */
};

void prompt_init(struct prompt *prompt, int stop);
void prompt_release(struct prompt *prompt);

/* Reads once from standard input, waiting if it must. */
void prompt_read(struct prompt *prompt);

/*
 * The next line that has come, without its line end; too_long tells of one
 * that was longer than LINE_MAX_LEN and is thrown away.  False when there is
 * none; then, at the end of input, what stood after the last newline counts
 * as a line.
 */
bool prompt_take(
    struct prompt *prompt, char **line, size_t *len, bool *too_long);

/*
 * Asks (on a terminal) and reads one line into out, which gets an empty
 * string where it does not fit.  echo false hides what is typed.
 */
enum prompt_status prompt_ask(struct prompt *prompt, const char *question,
    bool echo, char *out, size_t size);

/*
 * The first line of a file, or of what a command prints; PROMPT_END with a
 * sentence in why where there is none.  The command gets the terminal, so
 * that it can ask; off a terminal its input is empty.  A file that others
 * can read gets a warning on stderr.
 */
enum prompt_status prompt_file(const struct prompt *prompt, const char *path,
    char *out, size_t size, char why[256]);
enum prompt_status prompt_command(const struct prompt *prompt,
    const char *command, char *out, size_t size, char why[256]);

#endif
