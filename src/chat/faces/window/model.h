/* SPDX-License-Identifier: ISC */
/*
 * The mirror as list models: one of conversations, one of each one's lines,
 * which move as mirror_calls say.  Objects, so that GtkListView recycles
 * rows; hold copies of lines, and only borrow conversations.
 */
#ifndef CHAT_WINDOW_MODEL_H
#define CHAT_WINDOW_MODEL_H

#include <gio/gio.h>

#include "chat/faces/mirror.h"

/*
 * One conversation; emits "changed" (no arguments) when something of it but
 * its lines has changed.  The same object as long as the session.
 */
#define CHAT_TYPE_TALK (chat_talk_get_type())
G_DECLARE_FINAL_TYPE(ChatTalk, chat_talk, CHAT, TALK, GObject)

/* The other user's name, or "" for everybody. */
const char *chat_talk_user(ChatTalk *talk);
/* What the mirror holds of it; NULL once the session's model is gone. */
struct mirror_talk *chat_talk_mirror(ChatTalk *talk);
/* Its loaded lines, oldest first, each a ChatLine; the talk's. */
GListModel *chat_talk_lines(ChatTalk *talk);

/* One line, which never changes: another one takes its place. */
#define CHAT_TYPE_LINE (chat_line_get_type())
G_DECLARE_FINAL_TYPE(ChatLine, chat_line, CHAT, LINE, GObject)

/* The object's own copy. */
const struct mirror_line *chat_line_get(ChatLine *line);

struct model;

/* For this mirror, which must outlive it. */
struct model *model_new(struct mirror *mirror);
void model_free(struct model *model);

/* The conversations in the mirror's order, each a ChatTalk; the model's. */
GListModel *model_talks(struct model *model);
/* The one object of that conversation; the model's. */
ChatTalk *model_talk(struct model *model, struct mirror_talk *talk);

/* What mirror_calls say, with the same arguments. */
void model_talks_changed(
    struct model *model, size_t position, size_t removed, size_t added);
void model_talk_changed(struct model *model, struct mirror_talk *talk);
void model_lines_changed(struct model *model, struct mirror_talk *talk,
    size_t position, size_t removed, size_t added);

#endif
