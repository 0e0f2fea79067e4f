/* SPDX-License-Identifier: ISC */
/*
 * The left side of the window: the conversations, with presence, what is
 * unread, and the time of the last word.
 */
#include "chat/faces/window/list.h"

#include "chat/faces/window/menu.h"
#include "chat/faces/window/window.h"
#include "chat/faces/window/words.h"
#include "lib/unix.h"

enum { WIDTH = 280, GAP = 6 };

struct list {
	struct window *window;
	GtkWidget *box;
	AdwWindowTitle *title;
	GtkListView *view;
	GtkSingleSelection *selection;
	ChatTalk *marked; /* the open one as last marked; only compared */
	bool reachable; /* as the rows show it */
};

/* The widgets of one row, which goes from one conversation to another. */
struct row {
	struct list *list;
	ChatTalk *talk; /* bound to, or NULL */
	gulong changed;
	GtkWidget *box, *lower;
	GtkImage *presence;
	GtkLabel *name, *last, *when, *unread, *mark;
};

/* ---- a row ---- */

static GtkLabel *
add_label(GtkWidget *box, const char *class)
{
	GtkWidget *label = gtk_label_new(NULL);

	gtk_label_set_xalign(GTK_LABEL(label), 0);
	gtk_label_set_single_line_mode(GTK_LABEL(label), TRUE);
	if (class != NULL)
		gtk_widget_add_css_class(label, class);
	gtk_box_append(GTK_BOX(box), label);
	return GTK_LABEL(label);
}

/* One that is cut short where there is no room. */
static GtkLabel *
add_long_label(GtkWidget *box, const char *class)
{
	GtkLabel *label = add_label(box, class);

	gtk_label_set_ellipsize(label, PANGO_ELLIPSIZE_END);
	gtk_widget_set_hexpand(GTK_WIDGET(label), TRUE);
	return label;
}

static void
row_free(gpointer arg)
{
	g_free(arg);
}

static struct row *
row_new(struct list *list)
{
	struct row *row = g_new0(struct row, 1);
	GtkWidget *lines = gtk_box_new(GTK_ORIENTATION_VERTICAL, 0);
	GtkWidget *upper = gtk_box_new(GTK_ORIENTATION_HORIZONTAL, GAP);
	GtkWidget *lower = gtk_box_new(GTK_ORIENTATION_HORIZONTAL, GAP);

	row->list = list;
	row->lower = lower;
	row->box = gtk_box_new(GTK_ORIENTATION_HORIZONTAL, 2 * GAP);
	row->presence = GTK_IMAGE(gtk_image_new());
	gtk_widget_set_valign(GTK_WIDGET(row->presence), GTK_ALIGN_CENTER);
	row->name = add_long_label(upper, "heading");
	row->mark = add_label(upper, "caption");
	row->when = add_label(upper, "caption");
	row->last = add_long_label(lower, "caption");
	row->unread = add_label(lower, "chat-badge");
	gtk_widget_add_css_class(GTK_WIDGET(row->when), "dim-label");
	gtk_widget_add_css_class(GTK_WIDGET(row->last), "dim-label");
	gtk_widget_set_hexpand(lines, TRUE);
	gtk_widget_set_valign(lines, GTK_ALIGN_CENTER);
	gtk_widget_set_margin_top(row->box, GAP);
	gtk_widget_set_margin_bottom(row->box, GAP);
	gtk_box_append(GTK_BOX(lines), upper);
	gtk_box_append(GTK_BOX(lines), lower);
	gtk_box_append(GTK_BOX(row->box), GTK_WIDGET(row->presence));
	gtk_box_append(GTK_BOX(row->box), lines);
	g_object_set_data_full(G_OBJECT(row->box), "chat-row", row, row_free);
	return row;
}

static void
put(GtkLabel *label, const char *text)
{
	gtk_label_set_text(label, text);
	gtk_widget_set_visible(GTK_WIDGET(label), *text != '\0');
}

/* How the one with whom it is stands, in a word. */
static const char *
presence(const struct row *row, const struct mirror_talk *talk)
{
	if (*talk->user == '\0')
		return "";
	if (talk->blocked)
		return "blocked";
	if (!row->list->reachable)
		return "presence unknown";
	return talk->online ? "online" : "offline";
}

static const char *
presence_icon(const struct row *row, const struct mirror_talk *talk)
{
	if (*talk->user == '\0')
		return "system-users-symbolic";
	if (talk->blocked)
		return "action-unavailable-symbolic";
	return row->list->reachable && talk->online ? "user-available-symbolic"
						    : "user-offline-symbolic";
}

/* Green is online for certain; dimmed is what the centre would know. */
static void
dress(struct row *row, const struct mirror_talk *talk)
{
	GtkWidget *icon = GTK_WIDGET(row->presence);
	bool person = *talk->user != '\0', known = row->list->reachable;

	gtk_image_set_from_icon_name(row->presence, presence_icon(row, talk));
	gtk_widget_set_tooltip_text(icon, presence(row, talk));
	if (known && talk->online)
		gtk_widget_add_css_class(icon, "success");
	else
		gtk_widget_remove_css_class(icon, "success");
	gtk_widget_set_opacity(icon, person && !known ? .4 : 1);
}

/* What there is between us beside the centre. */
static const char *
mark(const struct mirror_talk *talk)
{
	if (talk->changed)
		return "(other key)";
	switch (talk->link) {
	case MIRROR_ASKING:
		return "(asks)";
	case MIRROR_WAITING:
		return "(asked)";
	case MIRROR_LINKED:
		return "(private)";
	case MIRROR_NO_LINK:
		break;
	}
	return "";
}

/* The whole row in words, for who does not see it. */
static void
row_describe(struct row *row, const struct mirror_talk *talk)
{
	GtkWidget *item = gtk_widget_get_parent(row->box);
	GString *text = g_string_new(gtk_label_get_text(row->name));

	if (*presence(row, talk) != '\0')
		g_string_append_printf(text, ", %s", presence(row, talk));
	if (*mark(talk) != '\0')
		g_string_append_printf(text, ", %s", mark(talk));
	if (talk->unread > 0)
		g_string_append_printf(
		    text, ", %lld unread", (long long)talk->unread);
	if (item != NULL)
		window_name(item, text->str);
	window_name(row->box, text->str);
	g_string_free(text, TRUE);
}

/* Shows what holds now. */
static void
row_update(struct row *row)
{
	struct mirror_talk *talk = chat_talk_mirror(row->talk);
	char *text;

	if (talk == NULL)
		return;
	gtk_label_set_text(
	    row->name, *talk->user != '\0' ? talk->user : "Everybody");
	dress(row, talk);
	put(row->mark, mark(talk));
	text = words_brief(talk->last_text);
	gtk_label_set_text(row->last, text);
	gtk_widget_set_visible(row->lower, *text != '\0' || talk->unread > 0);
	g_free(text);
	text = talk->last_time > 0 ? words_when(talk->last_time, clock_wall())
				   : g_strdup("");
	put(row->when, text);
	g_free(text);
	text = talk->unread > 0
	    ? g_strdup_printf("%lld", (long long)talk->unread)
	    : g_strdup("");
	put(row->unread, text);
	g_free(text);
	row_describe(row, talk);
}

static struct row *
row_of(GtkListItem *item)
{
	return g_object_get_data(
	    G_OBJECT(gtk_list_item_get_child(item)), "chat-row");
}

static void
set_up(GtkSignalListItemFactory *factory, GtkListItem *item, gpointer arg)
{
	(void)factory;
	gtk_list_item_set_child(item, row_new(arg)->box);
}

static void
bind(GtkSignalListItemFactory *factory, GtkListItem *item, gpointer arg)
{
	struct row *row = row_of(item);

	(void)factory;
	(void)arg;
	row->talk = g_object_ref(gtk_list_item_get_item(item));
	row->changed = g_signal_connect_swapped(
	    row->talk, "changed", G_CALLBACK(row_update), row);
	row_update(row);
}

static void
unbind(GtkSignalListItemFactory *factory, GtkListItem *item, gpointer arg)
{
	struct row *row = row_of(item);

	(void)factory;
	(void)arg;
	g_clear_signal_handler(&row->changed, row->talk);
	g_clear_object(&row->talk);
}

/* ---- the list ---- */

/* The user means this one, and to write. */
static void
go_to(struct list *list, ChatTalk *talk)
{
	window_open(list->window, chat_talk_user(talk));
	window_focus(list->window);
}

/* Enter or Space: arrow keys only move. */
static void
activated(GtkListView *view, guint position, gpointer arg)
{
	struct list *list = arg;
	ChatTalk *talk = g_list_model_get_item(
	    G_LIST_MODEL(gtk_list_view_get_model(view)), position);

	if (talk == NULL)
		return;
	go_to(list, talk);
	g_object_unref(talk);
}

/* The row that a widget of the list is, or is a part of; or NULL. */
static struct row *
row_around(const struct list *list, GtkWidget *widget)
{
	GtkWidget *view = GTK_WIDGET(list->view);
	GtkWidget *child;

	while (widget != NULL && gtk_widget_get_parent(widget) != view)
		widget = gtk_widget_get_parent(widget);
	child = widget != NULL ? gtk_widget_get_first_child(widget) : NULL;
	return child != NULL ? g_object_get_data(G_OBJECT(child), "chat-row")
			     : NULL;
}

/* One click opens; the list's own way of that selects what is hovered over. */
static void
clicked(GtkGestureClick *gesture, int count, double x, double y, gpointer arg)
{
	struct list *list = arg;
	struct row *row = row_around(list,
	    gtk_widget_pick(GTK_WIDGET(list->view), x, y, GTK_PICK_DEFAULT));

	(void)gesture;
	if (count == 1 && row != NULL && row->talk != NULL)
		go_to(list, row->talk);
}

static void
take_clicks(struct list *list)
{
	GtkGesture *click = gtk_gesture_click_new();

	gtk_event_controller_set_propagation_phase(
	    GTK_EVENT_CONTROLLER(click), GTK_PHASE_CAPTURE);
	g_signal_connect(click, "released", G_CALLBACK(clicked), list);
	gtk_widget_add_controller(
	    GTK_WIDGET(list->view), GTK_EVENT_CONTROLLER(click));
}

static GtkWidget *
make_bar(struct list *list)
{
	GtkWidget *bar = adw_header_bar_new();
	GtkWidget *fresh = gtk_button_new_from_icon_name("list-add-symbolic");

	list->title = ADW_WINDOW_TITLE(adw_window_title_new("Chat", ""));
	gtk_actionable_set_action_name(GTK_ACTIONABLE(fresh), "win.new");
	gtk_widget_set_tooltip_text(fresh, "New conversation");
	window_name(fresh, "New conversation");
	adw_header_bar_set_title_widget(
	    ADW_HEADER_BAR(bar), GTK_WIDGET(list->title));
	/* Where both sides show, the right one has the window's buttons. */
	g_object_bind_property(list->window->leaflet, "folded", bar,
	    "show-end-title-buttons", G_BINDING_SYNC_CREATE);
	adw_header_bar_pack_start(ADW_HEADER_BAR(bar), fresh);
	adw_header_bar_pack_end(ADW_HEADER_BAR(bar), menu_button(list->window));
	return bar;
}

struct list *
list_new(struct window *window)
{
	struct list *list = g_new0(struct list, 1);
	GtkListItemFactory *factory = gtk_signal_list_item_factory_new();
	GtkWidget *scroll = gtk_scrolled_window_new();

	list->window = window;
	list->reachable = true;
	g_signal_connect(factory, "setup", G_CALLBACK(set_up), list);
	g_signal_connect(factory, "bind", G_CALLBACK(bind), NULL);
	g_signal_connect(factory, "unbind", G_CALLBACK(unbind), NULL);
	list->selection = gtk_single_selection_new(NULL);
	gtk_single_selection_set_autoselect(list->selection, FALSE);
	gtk_single_selection_set_can_unselect(list->selection, TRUE);
	list->view = GTK_LIST_VIEW(gtk_list_view_new(
	    GTK_SELECTION_MODEL(g_object_ref(list->selection)), factory));
	g_signal_connect(list->view, "activate", G_CALLBACK(activated), list);
	take_clicks(list);
	gtk_widget_add_css_class(GTK_WIDGET(list->view), "navigation-sidebar");
	window_name(GTK_WIDGET(list->view), "Conversations");
	gtk_scrolled_window_set_policy(GTK_SCROLLED_WINDOW(scroll),
	    GTK_POLICY_NEVER, GTK_POLICY_AUTOMATIC);
	gtk_scrolled_window_set_child(
	    GTK_SCROLLED_WINDOW(scroll), GTK_WIDGET(list->view));
	gtk_widget_set_vexpand(scroll, TRUE);
	list->box = gtk_box_new(GTK_ORIENTATION_VERTICAL, 0);
	gtk_widget_set_size_request(list->box, WIDTH, -1);
	gtk_widget_set_hexpand(list->box, FALSE);
	gtk_box_append(GTK_BOX(list->box), make_bar(list));
	gtk_box_append(GTK_BOX(list->box), scroll);
	return list;
}

GtkWidget *
list_widget(struct list *list)
{
	return list->box;
}

void
list_free(struct list *list)
{
	g_object_unref(list->selection);
	g_free(list);
}

/* Shows these conversations. */
void
list_show(struct list *list, GListModel *talks)
{
	list->marked = NULL;
	list->reachable = true;
	gtk_single_selection_set_model(list->selection, talks);
}

/* Where the open one stands, or GTK_INVALID_LIST_POSITION. */
static guint
place(const struct list *list)
{
	const struct window *window = list->window;
	size_t position;

	if (window->mirror == NULL || window->open == NULL ||
	    mirror_find(window->mirror, chat_talk_user(window->open),
		&position) == NULL)
		return GTK_INVALID_LIST_POSITION;
	return (guint)position;
}

/* True if the keyboard is in the list, where its keys move the mark. */
static bool
has_keyboard(const struct list *list)
{
	GtkWidget *focus = gtk_window_get_focus(list->window->top);

	return focus != NULL &&
	    gtk_widget_is_ancestor(focus, GTK_WIDGET(list->view));
}

/* Marks the one that is open, wherever it stands now. */
void
list_mark(struct list *list)
{
	guint position = place(list);

	if (list->marked == list->window->open && has_keyboard(list))
		return;
	list->marked = list->window->open;
	if (gtk_single_selection_get_selected(list->selection) != position)
		gtk_single_selection_set_selected(list->selection, position);
}

/* What is known of presence while the centre is away: nothing. */
void
list_reachable(struct list *list, bool reachable)
{
	GListModel *talks = gtk_single_selection_get_model(list->selection);
	guint count = talks != NULL ? g_list_model_get_n_items(talks) : 0;

	if (list->reachable == reachable)
		return;
	list->reachable = reachable;
	for (guint i = 0; i < count; i++) {
		ChatTalk *talk = g_list_model_get_item(talks, i);

		g_signal_emit_by_name(talk, "changed");
		g_object_unref(talk);
	}
}

/* Opens the one so many further down. */
void
list_step(struct list *list, int step)
{
	GListModel *talks = gtk_single_selection_get_model(list->selection);
	guint count = talks != NULL ? g_list_model_get_n_items(talks) : 0;
	guint at = place(list);
	ChatTalk *talk;

	if (count == 0)
		return;
	if (at == GTK_INVALID_LIST_POSITION)
		at = step > 0 ? count - 1 : 0;
	talk = g_list_model_get_item(talks, (at + count + (guint)step) % count);
	window_open(list->window, chat_talk_user(talk));
	g_object_unref(talk);
}

/* The keyboard goes to the row of the open one. */
void
list_focus(struct list *list)
{
	GtkWidget *view = GTK_WIDGET(list->view), *item;
	guint position = place(list);
	struct row *row;

	if (position == GTK_INVALID_LIST_POSITION) {
		gtk_widget_grab_focus(view);
		return;
	}
	gtk_single_selection_set_selected(list->selection, position);
	/* There is no widget for what is far away. */
	gtk_widget_activate_action(view, "list.scroll-to-item", "u", position);
	for (item = gtk_widget_get_first_child(view); item != NULL;
	     item = gtk_widget_get_next_sibling(item)) {
		row = row_around(list, item);
		if (row != NULL && row->talk == list->window->open) {
			gtk_widget_grab_focus(item);
			return;
		}
	}
	gtk_widget_grab_focus(view);
}

/* What stands above it. */
void
list_title(struct list *list, const char *title, const char *more)
{
	adw_window_title_set_title(list->title, title);
	adw_window_title_set_subtitle(list->title, more);
}
