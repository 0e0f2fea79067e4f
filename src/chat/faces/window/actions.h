/* SPDX-License-Identifier: ISC */
/*
 * What can be done in the window, as rows: each is a GAction of the window
 * ("win.NAME") with its keys, and a line in the window of shortcuts.
 */
#ifndef CHAT_WINDOW_ACTIONS_H
#define CHAT_WINDOW_ACTIONS_H

#include <stdbool.h>
#include <stddef.h>

struct window;

struct action {
	const char *name;
	const char *keys; /* accelerators, apart by spaces; or NULL */
	const char *title; /* in the window of shortcuts; NULL: not there */
	/* word is the parameter, NULL unless the row takes one. */
	void (*call)(struct window *window, const char *word);
	bool word; /* takes a parameter of type "s" */
	bool session; /* only with a session */
};

/* Adds rows, which must stay; their keys hold from then on. */
void actions_add(
    struct window *window, const struct action *rows, size_t count);

/* The rows that need a session, on or off. */
void actions_session(struct window *window, bool session);

/* One row on or off. */
void actions_enable(struct window *window, const char *name, bool enabled);

/* All rows with a title, as the interface of a GtkShortcutsWindow. */
char *actions_interface(const struct window *window);

#endif
