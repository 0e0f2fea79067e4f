/* SPDX-License-Identifier: ISC */
/*
 * The left side of the window: the conversations, with presence, what is
 * unread, and the time of the last word.
 */
#ifndef CHAT_WINDOW_LIST_H
#define CHAT_WINDOW_LIST_H

#include <gtk/gtk.h>

struct window;
struct list;

struct list *list_new(struct window *window);
GtkWidget *list_widget(struct list *list);
void list_free(struct list *list);

/* Shows these conversations, each a ChatTalk; NULL: none. */
void list_show(struct list *list, GListModel *talks);

/* Marks the one that is open, wherever it stands now. */
void list_mark(struct list *list);

/* Whether presence is known. */
void list_reachable(struct list *list, bool reachable);

/* Opens the one so many further down. */
void list_step(struct list *list, int step);

/* The keyboard goes to the row of the open one. */
void list_focus(struct list *list);

/* What stands above it. */
void list_title(struct list *list, const char *title, const char *more);

#endif
