/* SPDX-License-Identifier: ISC */
/*
 * The lines of one conversation as a list model: what the mirror has loaded,
 * handed to the list a few rows at a time, so that no frame has to make a
 * hundred of them.  Holds row numbers and no text.
 */
#ifndef CHAT_WINDOW_ROWS_H
#define CHAT_WINDOW_ROWS_H

#include <stdbool.h>
#include <stdint.h>

#include <gtk/gtk.h>

#include "chat/faces/mirror.h"

enum {
	ROWS_FIRST = 24, /* rows that are there at once: a tall window's */
	ROWS_STEP = 6, /* and so many more at either end with each frame */
};

#define CHAT_TYPE_ROW (chat_row_get_type())
G_DECLARE_FINAL_TYPE(ChatRow, chat_row, CHAT, ROW, GObject)

#define CHAT_TYPE_ROWS (chat_rows_get_type())
G_DECLARE_FINAL_TYPE(ChatRows, chat_rows, CHAT, ROWS, GObject)

ChatRows *chat_rows_new(void);

/* Shows that conversation from now on; NULL: none, and nothing is read. */
void chat_rows_follow(ChatRows *rows, struct mirror_talk *talk);

/* The mirror has changed so many lines there, as it says. */
void chat_rows_take(
    ChatRows *rows, size_t position, size_t removed, size_t added);

/* Something loaded is not handed out yet. */
bool chat_rows_waiting(const ChatRows *rows);
/* Hands out a few more; whether any wait after that. */
bool chat_rows_step(ChatRows *rows);

/* Lets that line be the first that is new (0: none), or the one looked for. */
void chat_rows_set_fresh(ChatRows *rows, int64_t row);
int64_t chat_rows_fresh(const ChatRows *rows);
void chat_rows_set_found(ChatRows *rows, int64_t row);

/* Where that row is among those handed out; false if it is not. */
bool chat_rows_find(const ChatRows *rows, int64_t row, guint *position);
/* Hands out the part around that row, if it is loaded. */
bool chat_rows_around(ChatRows *rows, int64_t row);

/* What the line says, its conversation, and the one before it (or NULL);
 * valid until the mirror changes.  NULL if it is gone. */
const struct mirror_line *chat_row_get(ChatRow *line,
    const struct mirror_talk **talk, const struct mirror_line **before);
/* A line of new ones begins here; this one was looked for. */
bool chat_row_fresh(const ChatRow *line);
bool chat_row_found(const ChatRow *line);

#endif
