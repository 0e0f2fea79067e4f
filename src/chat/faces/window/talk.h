/* SPDX-License-Identifier: ISC */
/*
 * The right side of the window: one conversation, with its header bar.  Told
 * by the window what is open; asks the agent through window_ask().
 */
#ifndef CHAT_WINDOW_TALK_H
#define CHAT_WINDOW_TALK_H

#include <stdbool.h>

#include <gtk/gtk.h>

#include "chat/faces/window/model.h"

struct window;
struct talk_view;

/*
 * Makes it once, with its actions on the window; its widget is the whole
 * right side, which the window puts into place.
 */
struct talk_view *talk_new(struct window *window);
GtkWidget *talk_widget(struct talk_view *talk);
/*
 * The bars that stay until they are answered, above list and conversation:
 * somebody asks for a private link, the centre cannot be reached.
 */
GtkWidget *talk_bars(struct talk_view *talk);
/* When the window is gone. */
void talk_view_free(struct talk_view *talk);

/*
 * Shows that conversation, NULL: none (there is no session).  What of it has
 * to be loaded is asked for here.
 */
void talk_show(struct talk_view *talk, ChatTalk *of);

/*
 * A session of this account begins: drafts, ways and words to search for that
 * were left by another account are forgotten.
 */
void talk_begin(struct talk_view *talk, const char *user, const char *centre);

/* The keyboard goes to where one writes. */
void talk_focus(struct talk_view *talk);

/* True if the last line of what is open stands before the eyes. */
bool talk_at_end(struct talk_view *talk);

/* Something of the centre or the session has changed: mirror_status(). */
void talk_status(struct talk_view *talk);

/*
 * A line of somebody else's has come into the conversation that is open, and
 * is in its model: for the live region.
 */
void talk_arrived(struct talk_view *talk, const struct mirror_line *line);

/* A sentence about a conversation, or (NULL) all, as mirror_calls give it; false:
 * the window shows it, in its way. */
bool talk_say(struct talk_view *talk, struct mirror_talk *of, const char *event,
    const char *text);

/* What the last mirror_search() has found: see mirror_calls. */
void talk_found(
    struct talk_view *talk, const struct mirror_found *found, size_t count);

#endif
