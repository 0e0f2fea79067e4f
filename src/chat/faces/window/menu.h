/* SPDX-License-Identifier: ISC */
/*
 * The window's menu and the small windows that it opens: a new conversation,
 * keyboard shortcuts, about.
 */
#ifndef CHAT_WINDOW_MENU_H
#define CHAT_WINDOW_MENU_H

#include <gtk/gtk.h>

struct window;

/* The actions of the window as a whole. */
void menu_actions(struct window *window);

/* A button with the menu, for a header bar; each with its own. */
GtkWidget *menu_button(struct window *window);

#endif
