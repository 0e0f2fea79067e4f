/* SPDX-License-Identifier: ISC */
/*
 * A conversation as a list model, see rows.h.  Rows only grow, so a line is
 * found by its row, and whatever the mirror does is caught up with by
 * comparing rows: a page at either end is the usual case.
 */
#include "chat/faces/window/rows.h"

struct _ChatRow {
	GObject parent;
	ChatRows *owner; /* NULL once it is in no list */
	int64_t row;
};

struct _ChatRows {
	GObject parent;
	struct mirror_talk *talk;
	GPtrArray *items;
	int64_t fresh, found;
};

G_DEFINE_FINAL_TYPE(ChatRow, chat_row, G_TYPE_OBJECT)

static GType rows_item_type(GListModel *model);
static guint rows_n_items(GListModel *model);
static gpointer rows_item(GListModel *model, guint position);

/* What GTK asks of a list. */
static void
rows_model(GListModelInterface *iface)
{
	iface->get_item_type = rows_item_type;
	iface->get_n_items = rows_n_items;
	iface->get_item = rows_item;
}

G_DEFINE_FINAL_TYPE_WITH_CODE(ChatRows, chat_rows, G_TYPE_OBJECT,
    G_IMPLEMENT_INTERFACE(G_TYPE_LIST_MODEL, rows_model))

static void
chat_row_init(ChatRow *line)
{
	(void)line;
}

/* A row that shows this line listens to "changed". */
static void
chat_row_class_init(ChatRowClass *class)
{
	g_signal_new("changed", G_TYPE_FROM_CLASS(class), G_SIGNAL_RUN_LAST, 0,
	    NULL, NULL, NULL, G_TYPE_NONE, 0);
}

static GType
rows_item_type(GListModel *model)
{
	(void)model;
	return CHAT_TYPE_ROW;
}

static guint
rows_n_items(GListModel *model)
{
	return CHAT_ROWS(model)->items->len;
}

static gpointer
rows_item(GListModel *model, guint position)
{
	ChatRows *rows = CHAT_ROWS(model);

	if (position >= rows->items->len)
		return NULL;
	return g_object_ref(g_ptr_array_index(rows->items, position));
}

/* Nobody asks the list any more for what is in a line that left it. */
static void
let_go(gpointer item)
{
	CHAT_ROW(item)->owner = NULL;
	g_object_unref(item);
}

static void
chat_rows_init(ChatRows *rows)
{
	rows->items = g_ptr_array_new_with_free_func(let_go);
}

static void
rows_finalize(GObject *object)
{
	g_ptr_array_unref(CHAT_ROWS(object)->items);
	G_OBJECT_CLASS(chat_rows_parent_class)->finalize(object);
}

static void
chat_rows_class_init(ChatRowsClass *class)
{
	G_OBJECT_CLASS(class)->finalize = rows_finalize;
}

ChatRows *
chat_rows_new(void)
{
	return g_object_new(CHAT_TYPE_ROWS, NULL);
}

static ChatRow *
item_at(const ChatRows *rows, guint position)
{
	return g_ptr_array_index(rows->items, position);
}

static void
tell(ChatRow *line)
{
	g_signal_emit_by_name(line, "changed");
}

/* How many loaded lines have a lower row. */
static size_t
below(const struct mirror_talk *talk, int64_t row)
{
	size_t low = 0, high = talk->count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (talk->lines[middle].row < row)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

/* Where the mirror has that row, or count. */
static size_t
place(const struct mirror_talk *talk, int64_t row)
{
	size_t at = below(talk, row);

	return at < talk->count && talk->lines[at].row == row ? at
							      : talk->count;
}

static bool
find(const ChatRows *rows, int64_t row, guint *position)
{
	guint low = 0, high = rows->items->len;

	while (low < high) {
		guint middle = low + (high - low) / 2;

		if (item_at(rows, middle)->row < row)
			low = middle + 1;
		else
			high = middle;
	}
	*position = low;
	return low < rows->items->len && item_at(rows, low)->row == row;
}

bool
chat_rows_find(const ChatRows *rows, int64_t row, guint *position)
{
	return find(rows, row, position);
}

/* Takes lines out of the list. */
static void
drop(ChatRows *rows, guint position, guint count)
{
	if (count == 0)
		return;
	g_ptr_array_remove_range(rows->items, position, count);
	g_list_model_items_changed(G_LIST_MODEL(rows), position, count, 0);
}

/* Puts loaded rows, from that one on, into the list. */
static void
hand_out(ChatRows *rows, guint position, size_t from, guint count)
{
	for (guint i = 0; i < count; i++) {
		ChatRow *line = g_object_new(CHAT_TYPE_ROW, NULL);

		line->owner = rows;
		line->row = rows->talk->lines[from + i].row;
		g_ptr_array_insert(rows->items, (gint)(position + i), line);
	}
	if (count > 0)
		g_list_model_items_changed(
		    G_LIST_MODEL(rows), position, 0, count);
}

/* Where the first of those handed out is loaded, and how many wait after
 * the last one; there is one. */
static void
edges(const ChatRows *rows, size_t *before, size_t *after)
{
	guint count = rows->items->len;

	*before = below(rows->talk, item_at(rows, 0)->row);
	*after = rows->talk->count -
	    below(rows->talk, item_at(rows, count - 1)->row + 1);
}

bool
chat_rows_waiting(const ChatRows *rows)
{
	size_t before, after;

	if (rows->talk == NULL || rows->talk->count == 0)
		return false;
	if (rows->items->len == 0)
		return true;
	edges(rows, &before, &after);
	return before > 0 || after > 0;
}

/* With nothing handed out: the end of what is loaded. */
static void
begin(ChatRows *rows)
{
	size_t count = rows->talk->count;
	guint first = (guint)MIN(count, (size_t)ROWS_FIRST);

	hand_out(rows, 0, count - first, first);
}

bool
chat_rows_step(ChatRows *rows)
{
	size_t before, after;
	guint some;

	if (!chat_rows_waiting(rows))
		return false;
	if (rows->items->len == 0) {
		begin(rows);
		return chat_rows_waiting(rows);
	}
	edges(rows, &before, &after);
	some = (guint)MIN(after, (size_t)ROWS_STEP);
	hand_out(rows, rows->items->len, rows->talk->count - after, some);
	some = (guint)MIN(before, (size_t)ROWS_STEP);
	hand_out(rows, 0, before - some, some);
	return chat_rows_waiting(rows);
}

/* True if the mirror holds what was handed out, without a hole. */
static bool
agrees(const ChatRows *rows)
{
	const struct mirror_talk *talk = rows->talk;
	size_t at = place(talk, item_at(rows, 0)->row);

	if (at + rows->items->len > talk->count)
		return false;
	for (guint i = 0; i < rows->items->len; i++)
		if (talk->lines[at + i].row != item_at(rows, i)->row)
			return false;
	return true;
}

/* Drops what the mirror has dropped at its ends. */
static void
trim(ChatRows *rows)
{
	const struct mirror_talk *talk = rows->talk;
	guint first, end, count = rows->items->len;

	find(rows, talk->lines[talk->count - 1].row + 1, &end);
	drop(rows, end, count - end);
	find(rows, talk->lines[0].row, &first);
	drop(rows, 0, first);
}

/* True if only lines that are handed out have got other contents. */
static bool
same_lines(ChatRows *rows, size_t position, size_t count)
{
	guint at;

	if (position + count > rows->talk->count)
		return false;
	for (size_t i = position; i < position + count; i++)
		if (find(rows, rows->talk->lines[i].row, &at))
			tell(item_at(rows, at));
	return true;
}

void
chat_rows_take(ChatRows *rows, size_t position, size_t removed, size_t added)
{
	size_t before, after;

	if (rows->talk == NULL)
		return;
	if (rows->talk->count == 0) {
		drop(rows, 0, rows->items->len);
		return;
	}
	if (rows->items->len == 0) {
		begin(rows);
		return;
	}
	trim(rows);
	if (rows->items->len > 0 && !agrees(rows))
		drop(rows, 0, rows->items->len);
	if (rows->items->len == 0) {
		begin(rows);
		return;
	}
	if (removed == added && same_lines(rows, position, added))
		return;
	edges(rows, &before, &after);
	if (after <= ROWS_STEP)
		hand_out(rows, rows->items->len, rows->talk->count - after,
		    (guint)after);
	/* What stands before it has changed, so its day or author may. */
	tell(item_at(rows, 0));
}

void
chat_rows_follow(ChatRows *rows, struct mirror_talk *talk)
{
	drop(rows, 0, rows->items->len);
	rows->talk = talk;
	rows->fresh = rows->found = 0;
	if (talk != NULL && talk->count > 0)
		begin(rows);
}

bool
chat_rows_around(ChatRows *rows, int64_t row)
{
	size_t at, from;
	guint position;

	if (rows->talk == NULL)
		return false;
	if (find(rows, row, &position))
		return true;
	at = place(rows->talk, row);
	if (at == rows->talk->count)
		return false;
	drop(rows, 0, rows->items->len);
	from = at > ROWS_FIRST / 2 ? at - ROWS_FIRST / 2 : 0;
	hand_out(rows, 0, from,
	    (guint)MIN(rows->talk->count - from, (size_t)ROWS_FIRST));
	return true;
}

/* Moves a mark from one row to another. */
static void
mark(ChatRows *rows, int64_t *which, int64_t row)
{
	int64_t old = *which;
	guint position;

	*which = row;
	if (old == row)
		return;
	if (find(rows, old, &position))
		tell(item_at(rows, position));
	if (find(rows, row, &position))
		tell(item_at(rows, position));
}

void
chat_rows_set_fresh(ChatRows *rows, int64_t row)
{
	mark(rows, &rows->fresh, row);
}

int64_t
chat_rows_fresh(const ChatRows *rows)
{
	return rows->fresh;
}

void
chat_rows_set_found(ChatRows *rows, int64_t row)
{
	mark(rows, &rows->found, row);
}

const struct mirror_line *
chat_row_get(ChatRow *line, const struct mirror_talk **talk,
    const struct mirror_line **before)
{
	const struct mirror_talk *of =
	    line->owner != NULL ? line->owner->talk : NULL;
	size_t at;

	*talk = of;
	*before = NULL;
	if (of == NULL)
		return NULL;
	at = place(of, line->row);
	if (at == of->count)
		return NULL;
	if (at > 0)
		*before = &of->lines[at - 1];
	return &of->lines[at];
}

bool
chat_row_fresh(const ChatRow *line)
{
	return line->owner != NULL && line->owner->fresh == line->row;
}

bool
chat_row_found(const ChatRow *line)
{
	return line->owner != NULL && line->owner->found == line->row;
}
