/* SPDX-License-Identifier: ISC */
/*
 * One row of the conversation: day, "new messages", author, text, time and
 * state.  Made once and shown again with other lines as the list scrolls.
 */
#ifndef CHAT_WINDOW_BUBBLE_H
#define CHAT_WINDOW_BUBBLE_H

#include <gtk/gtk.h>

#include "chat/faces/window/rows.h"

#define CHAT_TYPE_BUBBLE (chat_bubble_get_type())
G_DECLARE_FINAL_TYPE(ChatBubble, chat_bubble, CHAT, BUBBLE, GtkBox)

/* Makes the rows of a list of ChatRows. */
GtkListItemFactory *bubble_factory(void);

/* The line that it shows, or NULL. */
ChatRow *chat_bubble_line(ChatBubble *bubble);

/* What a reader of the screen says for that line.  Free it. */
char *bubble_spoken(
    const struct mirror_talk *talk, const struct mirror_line *line);

#endif
