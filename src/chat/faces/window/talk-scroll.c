/* SPDX-License-Identifier: ISC */
/*
 * Where one is in the open conversation: the list with its recycled rows,
 * pages that are fetched when their end comes near, the newest kept in sight
 * by who looks at it, the way to one line.  The window's process runs it; no
 * frame makes more than a few rows.
 */
#include "chat/faces/window/bubble.h"
#include "chat/faces/window/talk-parts.h"
#include "chat/faces/window/words.h"

enum {
	NEAR_PX = 48, /* so near to the end is at the end */
	SETTLE_FRAMES = 4, /* until rows have their real heights */
	UNREAD_PAGE = MIRROR_PAGE / 2, /* more are begun where they begin */
};

/* Has GTK bring that row into sight with the least movement. */
static void
show_row(struct talk_view *talk, guint position)
{
	gtk_widget_activate_action(
	    talk->list, "list.scroll-to-item", "u", position);
}

static guint
row_count(const struct talk_view *talk)
{
	return g_list_model_get_n_items(G_LIST_MODEL(talk->rows));
}

/* True if the last line of all is handed out. */
static bool
has_end(const struct talk_view *talk)
{
	guint at;

	return talk->open != NULL && talk->open->count > 0 && talk->open->end &&
	    chat_rows_find(
		talk->rows, talk->open->lines[talk->open->count - 1].row, &at);
}

/* The button to the newest line, and how many came while away from it. */
static void
show_down(struct talk_view *talk)
{
	bool away = talk->open != NULL && talk->open->count > 0 &&
	    !(talk->at_end && talk->open->end);
	char *text = talk->below > 0
	    ? g_strdup_printf("%lld new ↓", (long long)talk->below)
	    : g_strdup("↓");

	gtk_button_set_label(GTK_BUTTON(talk->down), text);
	gtk_accessible_update_property(GTK_ACCESSIBLE(talk->down),
	    GTK_ACCESSIBLE_PROPERTY_LABEL, "To the newest message", -1);
	gtk_widget_set_visible(talk->down, away);
	g_free(text);
}

/* Fetches the next page where the end of what is loaded comes near. */
static void
fetch(struct talk_view *talk)
{
	double value = gtk_adjustment_get_value(talk->adjustment);
	double page = gtk_adjustment_get_page_size(talk->adjustment);
	double upper = gtk_adjustment_get_upper(talk->adjustment);
	struct mirror_talk *open = talk->open;

	if (open == NULL || open->loading || open->count == 0 ||
	    chat_rows_waiting(talk->rows))
		return;
	if (!open->start && value < 3 * page)
		mirror_older(talk->window->mirror, open);
	else if (!open->end && value + page > upper - 3 * page)
		mirror_newer(talk->window->mirror, open);
}

/* At the end, or further up? */
static void
look_where(struct talk_view *talk)
{
	double value = gtk_adjustment_get_value(talk->adjustment);
	double left = gtk_adjustment_get_upper(talk->adjustment) -
	    gtk_adjustment_get_page_size(talk->adjustment) - value;

	if (left < NEAR_PX && has_end(talk)) {
		talk->at_end = true;
		talk->below = 0;
	} else if (value < talk->value - 1)
		talk->at_end = false;
	talk->value = value;
}

static gboolean each_frame(GtkWidget *widget, GdkFrameClock *clock, void *arg);

/* Looks again with each frame, until all has settled. */
static void
wake(struct talk_view *talk)
{
	talk->settle = SETTLE_FRAMES;
	if (talk->tick == 0)
		talk->tick = gtk_widget_add_tick_callback(
		    talk->list, each_frame, talk, NULL);
}

/* The first line that was not read when the conversation was opened. */
static void
find_fresh(struct talk_view *talk)
{
	struct mirror_talk *open = talk->open;

	for (size_t i = 0; i < open->count; i++) {
		if (open->lines[i].row <= talk->unread_from ||
		    open->lines[i].state != MIRROR_RECEIVED)
			continue;
		chat_rows_set_fresh(talk->rows, open->lines[i].row);
		talk->unread_from = -1;
		if (talk->target == 0)
			talk->target = open->lines[i].row;
		return;
	}
	talk->unread_from = -1;
}

/* To the row that was asked for: loads around it, or brings it into sight. */
static void
go_to_target(struct talk_view *talk)
{
	guint at, last;

	if (!chat_rows_around(talk->rows, talk->target)) {
		if (talk->loads == talk->target)
			talk->target = 0; /* it is not there any more */
		else {
			talk->loads = talk->target;
			mirror_around(
			    talk->window->mirror, talk->open, talk->target);
		}
		return;
	}
	talk->at_end = false;
	chat_rows_find(talk->rows, talk->target, &at);
	talk->target = talk->loads = 0;
	last = row_count(talk) - 1;
	/* From below, so that what follows is seen, too. */
	show_row(talk, MIN(at + 8, last));
	show_row(talk, at);
	talk->settle = SETTLE_FRAMES;
}

/* Hands out some rows; keeps the end in sight, or fetches more. */
static gboolean
each_frame(GtkWidget *widget, GdkFrameClock *clock, void *arg)
{
	struct talk_view *talk = arg;
	bool more = chat_rows_step(talk->rows);

	(void)widget;
	(void)clock;
	if (talk->open == NULL) {
		talk->tick = 0;
		return G_SOURCE_REMOVE;
	}
	if (talk->open->count > 0 && talk->unread_from >= 0 &&
	    !talk->open->loading)
		find_fresh(talk);
	if (talk->target != 0 && !talk->open->loading)
		go_to_target(talk);
	if (talk->at_end && row_count(talk) > 0)
		show_row(talk, row_count(talk) - 1);
	if (more)
		return G_SOURCE_CONTINUE;
	fetch(talk);
	if (talk->settle-- > 0)
		return G_SOURCE_CONTINUE;
	talk->tick = 0;
	look_where(talk);
	show_down(talk);
	window_mind(talk->window);
	return G_SOURCE_REMOVE;
}

/* The user, or the list itself, has moved. */
static void
moved(GtkAdjustment *adjustment, struct talk_view *talk)
{
	(void)adjustment;
	look_where(talk);
	/* No more here: the mirror may be just telling something. */
	wake(talk);
}

void
scroll_to_row(struct talk_view *talk, int64_t row)
{
	talk->at_end = false;
	talk->loads = 0;
	talk->target = row;
	wake(talk);
}

void
scroll_to_end(struct talk_view *talk)
{
	struct mirror_talk *open = talk->open;

	if (open == NULL)
		return;
	talk->at_end = true;
	talk->below = 0;
	talk->target = 0;
	if (!open->end)
		mirror_load(talk->window->mirror, open);
	else if (!has_end(talk) && open->count > 0)
		chat_rows_follow(talk->rows, open);
	wake(talk);
}

void
scroll_changed(struct talk_view *talk)
{
	if (talk->open != NULL)
		wake(talk);
}

void
scroll_open(struct talk_view *talk)
{
	struct mirror_talk *open = talk->open;

	chat_rows_follow(talk->rows, open);
	talk->at_end = true;
	talk->target = talk->below = 0;
	talk->value = 0;
	if (open == NULL)
		return;
	talk->unread_from = open->unread > 0 ? open->read : -1;
	if (open->unread > UNREAD_PAGE && open->read > 0)
		mirror_around(talk->window->mirror, open, open->read);
	else if (!open->end && !open->loading)
		mirror_load(talk->window->mirror, open);
	wake(talk);
}

void
scroll_stop(struct talk_view *talk)
{
	if (talk->tick != 0)
		gtk_widget_remove_tick_callback(talk->list, talk->tick);
	talk->tick = 0;
}

/* The message that has the keyboard goes to the clipboard. */
static gboolean
copy(GtkWidget *list, GVariant *args, gpointer arg)
{
	GtkWidget *focus = gtk_root_get_focus(gtk_widget_get_root(list));
	GtkWidget *child =
	    focus != NULL ? gtk_widget_get_first_child(focus) : NULL;
	const struct mirror_talk *talk;
	const struct mirror_line *before, *line = NULL;
	char *text;

	(void)args;
	(void)arg;
	if (child != NULL && CHAT_IS_BUBBLE(child) &&
	    chat_bubble_line(CHAT_BUBBLE(child)) != NULL)
		line = chat_row_get(
		    chat_bubble_line(CHAT_BUBBLE(child)), &talk, &before);
	if (line == NULL)
		return FALSE;
	text = words_text(line->text);
	gdk_clipboard_set_text(gtk_widget_get_clipboard(list), text);
	g_free(text);
	return TRUE;
}

static void
list_make(struct talk_view *talk)
{
	GtkEventController *keys = gtk_shortcut_controller_new();
	GtkNoSelection *none =
	    gtk_no_selection_new(G_LIST_MODEL(g_object_ref(talk->rows)));

	talk->list = g_object_new(GTK_TYPE_LIST_VIEW, "accessible-role",
	    GTK_ACCESSIBLE_ROLE_LIST, "model", none, NULL);
	g_object_unref(none);
	gtk_list_view_set_factory(GTK_LIST_VIEW(talk->list), bubble_factory());
	gtk_widget_add_css_class(talk->list, "talk-list");
	gtk_accessible_update_property(GTK_ACCESSIBLE(talk->list),
	    GTK_ACCESSIBLE_PROPERTY_LABEL, "Messages", -1);
	gtk_shortcut_controller_add_shortcut(GTK_SHORTCUT_CONTROLLER(keys),
	    gtk_shortcut_new(
		gtk_keyval_trigger_new(GDK_KEY_c, GDK_CONTROL_MASK),
		gtk_callback_action_new(copy, NULL, NULL)));
	gtk_widget_add_controller(talk->list, keys);
}

void
scroll_make(struct talk_view *talk, GtkWidget *overlay)
{
	talk->rows = chat_rows_new();
	list_make(talk);
	talk->scroll = gtk_scrolled_window_new();
	gtk_scrolled_window_set_policy(GTK_SCROLLED_WINDOW(talk->scroll),
	    GTK_POLICY_NEVER, GTK_POLICY_AUTOMATIC);
	gtk_scrolled_window_set_child(
	    GTK_SCROLLED_WINDOW(talk->scroll), talk->list);
	gtk_widget_set_vexpand(talk->scroll, TRUE);
	talk->adjustment = gtk_scrolled_window_get_vadjustment(
	    GTK_SCROLLED_WINDOW(talk->scroll));
	g_signal_connect(
	    talk->adjustment, "value-changed", G_CALLBACK(moved), talk);
	talk->down = gtk_button_new_with_label("↓");
	gtk_widget_add_css_class(talk->down, "talk-down");
	gtk_widget_add_css_class(talk->down, "pill");
	gtk_widget_set_halign(talk->down, GTK_ALIGN_END);
	gtk_widget_set_valign(talk->down, GTK_ALIGN_END);
	gtk_widget_set_tooltip_text(
	    talk->down, "To the newest message (Ctrl+End)");
	gtk_actionable_set_action_name(
	    GTK_ACTIONABLE(talk->down), "talk.newest");
	gtk_widget_set_visible(talk->down, FALSE);
	gtk_overlay_set_child(GTK_OVERLAY(overlay), talk->scroll);
	gtk_overlay_add_overlay(GTK_OVERLAY(overlay), talk->down);
}
