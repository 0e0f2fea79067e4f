/* SPDX-License-Identifier: ISC */
/*
 * A terminal on which a line is edited while others print above it: prompt,
 * keys, history, completion.  One at a time in a process.  Of the two files
 * that implement it one is built: with readline, or without any.
 */
#ifndef CHAT_FACES_TERMINAL_H
#define CHAT_FACES_TERMINAL_H

#include <stdbool.h>
#include <stddef.h>

#include "chat/faces/complete.h"

struct terminal;

/* All borrowed until terminal_close(). */
struct terminal_setup {
	const char *prompt;
	const char *history; /* path of what was typed before */
	const struct people *people; /* to be completed */
	int stop; /* a descriptor: readable when the user wants to leave */
};

/* The library that edits, with its version; NULL if there is none. */
const char *terminal_library(void);

/*
 * Takes the terminal over and shows the prompt.  NULL if lines cannot be
 * edited here: they come from standard input whole, then.  From here to the
 * end nothing is printed but between terminal_hide() and terminal_show().
 */
struct terminal *terminal_open(const struct terminal_setup *setup);

/* Clears the prompt away and puts the terminal back as it was; NULL: no-op. */
void terminal_close(struct terminal *terminal);

/* Takes in one key that has come. */
void terminal_read(struct terminal *terminal);

/*
 * The line that has been finished, without its end, valid until the next
 * call; false if there is none.
 */
bool terminal_take(struct terminal *terminal, char **line, size_t *len);

/* True after the end of the input, or Ctrl-D on an empty line. */
bool terminal_ended(const struct terminal *terminal);

/* Around what is printed: the edited line goes, and comes back below. */
void terminal_hide(struct terminal *terminal);
void terminal_show(struct terminal *terminal);

/* Changes the prompt. */
void terminal_prompt(struct terminal *terminal, const char *prompt);

/* Empties the edited line; false if there was nothing in it. */
bool terminal_clear(struct terminal *terminal);

/* The window has another size. */
void terminal_resize(struct terminal *terminal);

/* Ctrl-Z: gives the terminal back and stops, returns when it goes on. */
void terminal_suspend(struct terminal *terminal);

/* The process goes on, and another one may have used the terminal. */
void terminal_resume(struct terminal *terminal);

#endif
