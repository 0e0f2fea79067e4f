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
	bool marking; /* it is we who select */
};

/* The widgets of one row, which goes from one conversation to another. */
struct row {
	ChatTalk *talk; /* bound to, or NULL */
	gulong changed;
	GtkWidget *box;
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
row_new(void)
{
	struct row *row = g_new0(struct row, 1);
	GtkWidget *lines = gtk_box_new(GTK_ORIENTATION_VERTICAL, 0);
	GtkWidget *upper = gtk_box_new(GTK_ORIENTATION_HORIZONTAL, GAP);
	GtkWidget *lower = gtk_box_new(GTK_ORIENTATION_HORIZONTAL, GAP);

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
presence(const struct mirror_talk *talk)
{
	if (*talk->user == '\0')
		return "";
	if (talk->blocked)
		return "blocked";
	return talk->online ? "online" : "offline";
}

static const char *
presence_icon(const struct mirror_talk *talk)
{
	if (*talk->user == '\0')
		return "system-users-symbolic";
	if (talk->blocked)
		return "action-unavailable-symbolic";
	return talk->online ? "user-available-symbolic"
			    : "user-offline-symbolic";
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

	if (*presence(talk) != '\0')
		g_string_append_printf(text, ", %s", presence(talk));
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
	gtk_image_set_from_icon_name(row->presence, presence_icon(talk));
	gtk_widget_set_tooltip_text(GTK_WIDGET(row->presence), presence(talk));
	if (talk->online)
		gtk_widget_add_css_class(GTK_WIDGET(row->presence), "success");
	else
		gtk_widget_remove_css_class(
		    GTK_WIDGET(row->presence), "success");
	put(row->mark, mark(talk));
	text = words_line(talk->last_text);
	gtk_label_set_text(row->last, text);
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
	(void)arg;
	gtk_list_item_set_child(item, row_new()->box);
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

/* The user has gone to another one. */
static void
selected(GObject *selection, GParamSpec *what, gpointer arg)
{
	struct list *list = arg;
	ChatTalk *talk = gtk_single_selection_get_selected_item(
	    GTK_SINGLE_SELECTION(selection));

	(void)what;
	if (!list->marking && talk != NULL)
		window_open(list->window, chat_talk_user(talk));
}

/* The user means this one, and to write. */
static void
activated(GtkListView *view, guint position, gpointer arg)
{
	struct list *list = arg;
	ChatTalk *talk = g_list_model_get_item(
	    G_LIST_MODEL(gtk_list_view_get_model(view)), position);

	if (talk == NULL)
		return;
	window_open(list->window, chat_talk_user(talk));
	window_focus(list->window);
	g_object_unref(talk);
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
	g_signal_connect(factory, "setup", G_CALLBACK(set_up), NULL);
	g_signal_connect(factory, "bind", G_CALLBACK(bind), NULL);
	g_signal_connect(factory, "unbind", G_CALLBACK(unbind), NULL);
	list->selection = gtk_single_selection_new(NULL);
	gtk_single_selection_set_autoselect(list->selection, FALSE);
	gtk_single_selection_set_can_unselect(list->selection, TRUE);
	g_signal_connect(list->selection, "notify::selected-item",
	    G_CALLBACK(selected), list);
	list->view = GTK_LIST_VIEW(gtk_list_view_new(
	    GTK_SELECTION_MODEL(g_object_ref(list->selection)), factory));
	g_signal_connect(list->view, "activate", G_CALLBACK(activated), list);
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
	list->marking = true;
	gtk_single_selection_set_model(list->selection, talks);
	list->marking = false;
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

/* Marks the one that is open, wherever it stands now. */
void
list_mark(struct list *list)
{
	guint position = place(list);

	list->marking = true;
	if (gtk_single_selection_get_selected(list->selection) != position)
		gtk_single_selection_set_selected(list->selection, position);
	list->marking = false;
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

/* The keyboard goes to it. */
void
list_focus(struct list *list)
{
	gtk_widget_grab_focus(GTK_WIDGET(list->view));
}

/* What stands above it. */
void
list_title(struct list *list, const char *title, const char *more)
{
	adw_window_title_set_title(list->title, title);
	adw_window_title_set_subtitle(list->title, more);
}
