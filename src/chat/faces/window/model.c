/* SPDX-License-Identifier: ISC */
/*
 * The mirror as list models: one of conversations, one of each one's lines,
 * which move as mirror_calls say.  Objects, so that GtkListView recycles
 * rows; hold copies of lines, and only borrow conversations.
 */
#include "chat/faces/window/model.h"

struct _ChatTalk {
	GObject parent;
	struct mirror_talk *talk; /* NULL when the session is gone */
	char *user;
	GListStore *lines;
};

struct _ChatLine {
	GObject parent;
	struct mirror_line line;
};

struct model {
	struct mirror *mirror;
	GListStore *talks;
	GHashTable *by_user;
};

enum { CHANGED, SIGNALS };

static guint signals[SIGNALS];

G_DEFINE_TYPE(ChatTalk, chat_talk, G_TYPE_OBJECT)
G_DEFINE_TYPE(ChatLine, chat_line, G_TYPE_OBJECT)

/* ---- a line ---- */

static void
chat_line_init(ChatLine *line)
{
	(void)line;
}

static void
line_finalize(GObject *object)
{
	ChatLine *line = CHAT_LINE(object);

	g_free(line->line.from);
	g_free(line->line.id);
	g_free(line->line.text);
	g_free(line->line.reason);
	G_OBJECT_CLASS(chat_line_parent_class)->finalize(object);
}

static void
chat_line_class_init(ChatLineClass *class)
{
	G_OBJECT_CLASS(class)->finalize = line_finalize;
}

/* A copy of what the mirror has now. */
static ChatLine *
line_new(const struct mirror_line *from)
{
	ChatLine *line = g_object_new(CHAT_TYPE_LINE, NULL);

	line->line = *from;
	line->line.from = g_strdup(from->from);
	line->line.id = g_strdup(from->id);
	line->line.text = g_strdup(from->text);
	line->line.reason = g_strdup(from->reason);
	return line;
}

/* The object's own copy. */
const struct mirror_line *
chat_line_get(ChatLine *line)
{
	return &line->line;
}

/* ---- a conversation ---- */

static void
chat_talk_init(ChatTalk *talk)
{
	talk->lines = g_list_store_new(CHAT_TYPE_LINE);
}

static void
talk_finalize(GObject *object)
{
	ChatTalk *talk = CHAT_TALK(object);

	g_free(talk->user);
	g_object_unref(talk->lines);
	G_OBJECT_CLASS(chat_talk_parent_class)->finalize(object);
}

static void
chat_talk_class_init(ChatTalkClass *class)
{
	G_OBJECT_CLASS(class)->finalize = talk_finalize;
	signals[CHANGED] = g_signal_new("changed", CHAT_TYPE_TALK,
	    G_SIGNAL_RUN_LAST, 0, NULL, NULL, NULL, G_TYPE_NONE, 0);
}

/* The other user's name, or "" for everybody. */
const char *
chat_talk_user(ChatTalk *talk)
{
	return talk->user;
}

/* What the mirror holds of it. */
struct mirror_talk *
chat_talk_mirror(ChatTalk *talk)
{
	return talk->talk;
}

/* Its loaded lines. */
GListModel *
chat_talk_lines(ChatTalk *talk)
{
	return G_LIST_MODEL(talk->lines);
}

/* Puts the mirror's lines from a position on in the place of others. */
static void
splice_lines(ChatTalk *talk, size_t position, size_t removed, size_t added)
{
	GPtrArray *fresh = g_ptr_array_new_with_free_func(g_object_unref);

	for (size_t i = 0; i < added; i++)
		g_ptr_array_add(
		    fresh, line_new(&talk->talk->lines[position + i]));
	g_list_store_splice(talk->lines, (guint)position, (guint)removed,
	    fresh->pdata, (guint)added);
	g_ptr_array_unref(fresh);
}

/* ---- all of them ---- */

/* For this mirror. */
struct model *
model_new(struct mirror *mirror)
{
	struct model *model = g_new0(struct model, 1);

	model->mirror = mirror;
	model->talks = g_list_store_new(CHAT_TYPE_TALK);
	model->by_user = g_hash_table_new_full(
	    g_str_hash, g_str_equal, NULL, g_object_unref);
	model_talks_changed(model, 0, 0, mirror_count(mirror));
	return model;
}

/* Whoever still holds a conversation holds an empty one. */
void
model_free(struct model *model)
{
	GHashTableIter iter;
	gpointer talk;

	if (model == NULL)
		return;
	g_hash_table_iter_init(&iter, model->by_user);
	while (g_hash_table_iter_next(&iter, NULL, &talk))
		CHAT_TALK(talk)->talk = NULL;
	g_list_store_remove_all(model->talks);
	g_object_unref(model->talks);
	g_hash_table_unref(model->by_user);
	g_free(model);
}

/* The conversations in the mirror's order. */
GListModel *
model_talks(struct model *model)
{
	return G_LIST_MODEL(model->talks);
}

/* The one object of that conversation, made with its first use. */
ChatTalk *
model_talk(struct model *model, struct mirror_talk *talk)
{
	ChatTalk *object = g_hash_table_lookup(model->by_user, talk->user);

	if (object != NULL)
		return object;
	object = g_object_new(CHAT_TYPE_TALK, NULL);
	object->talk = talk;
	object->user = g_strdup(talk->user);
	splice_lines(object, 0, 0, talk->count);
	g_hash_table_insert(model->by_user, object->user, object);
	return object;
}

/* The list: at position, so many gone, so many new. */
void
model_talks_changed(
    struct model *model, size_t position, size_t removed, size_t added)
{
	GPtrArray *fresh = g_ptr_array_new();

	for (size_t i = 0; i < added; i++)
		g_ptr_array_add(fresh,
		    model_talk(model, mirror_at(model->mirror, position + i)));
	g_list_store_splice(model->talks, (guint)position, (guint)removed,
	    fresh->pdata, (guint)added);
	g_ptr_array_unref(fresh);
}

/* Something of this one but its lines. */
void
model_talk_changed(struct model *model, struct mirror_talk *talk)
{
	g_signal_emit(model_talk(model, talk), signals[CHANGED], 0);
}

/* Its lines. */
void
model_lines_changed(struct model *model, struct mirror_talk *talk,
    size_t position, size_t removed, size_t added)
{
	ChatTalk *object = g_hash_table_lookup(model->by_user, talk->user);

	/* One that is made later begins with what is there then. */
	if (object != NULL)
		splice_lines(object, position, removed, added);
	else
		model_talk(model, talk);
}
