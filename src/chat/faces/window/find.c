/* SPDX-License-Identifier: ISC */
/*
 * Search in what was said: a bar for the words, a list of what the agent has
 * found, the way from there to the line.  The window's process runs it; it
 * asks a moment after the last letter, and only the newest answer counts.
 */
#include <string.h>

#include "chat/faces/window/phrases.h"
#include "chat/faces/window/talk-parts.h"
#include "chat/faces/window/words.h"

enum { FIND_AFTER_MS = 150 }; /* since the last letter */

/* One thing found: where it is. */
struct found {
	char user[NAME_MAX_LEN + 1];
	int64_t row;
};

/* Results or messages, by whether something is looked for. */
static void
show_side(struct talk_view *talk)
{
	bool looks =
	    *gtk_editable_get_text(GTK_EDITABLE(talk->search_entry)) != '\0' &&
	    gtk_search_bar_get_search_mode(GTK_SEARCH_BAR(talk->search));

	if (talk->open != NULL)
		gtk_stack_set_visible_child_name(
		    GTK_STACK(talk->stack), looks ? "found" : "messages");
}

/* Forgets what was found. */
static void
clear(struct talk_view *talk)
{
	GtkListBox *list = GTK_LIST_BOX(talk->found_list);
	GtkListBoxRow *row;

	while ((row = gtk_list_box_get_row_at_index(list, 0)) != NULL)
		gtk_list_box_remove(list, GTK_WIDGET(row));
	g_ptr_array_set_size(talk->found, 0);
}

static GtkWidget *
label_in(GtkWidget *box, const char *text, const char *class)
{
	GtkWidget *label = gtk_label_new(text);

	gtk_label_set_xalign(GTK_LABEL(label), 0);
	gtk_label_set_ellipsize(GTK_LABEL(label), PANGO_ELLIPSIZE_END);
	gtk_label_set_lines(GTK_LABEL(label), 2);
	gtk_widget_add_css_class(label, class);
	gtk_box_append(GTK_BOX(box), label);
	return label;
}

/* Who said it to whom, and when.  Free it. */
static char *
head_of(const struct mirror_found *found)
{
	const struct mirror_line *line = found->line;
	bool own = line->state != MIRROR_RECEIVED;
	char *from = words_line(*line->from != '\0' ? line->from : "Notice");
	char *when = phrase_moment(line->time);
	bool to_all = line->kind == MIRROR_BROADCAST;
	char *head = g_strdup_printf("%s%s%s, %s", own ? "You" : from,
	    to_all    ? " to all"
		: own ? " to "
		      : "",
	    own && !to_all ? found->talk->user : "", when);

	g_free(from);
	g_free(when);
	return head;
}

/* One line that was found. */
static void
add_row(struct talk_view *talk, const struct mirror_found *in)
{
	GtkWidget *box = gtk_box_new(GTK_ORIENTATION_VERTICAL, 2), *row;
	struct found *found = g_new0(struct found, 1);
	char *head = head_of(in), *text = words_brief(in->line->text);

	g_strlcpy(found->user, in->talk->user, sizeof(found->user));
	found->row = in->line->row;
	g_ptr_array_add(talk->found, found);
	label_in(box, head, "talk-found-head");
	label_in(box, text, "talk-found-text");
	row = gtk_list_box_row_new();
	gtk_list_box_row_set_child(GTK_LIST_BOX_ROW(row), box);
	gtk_accessible_update_property(GTK_ACCESSIBLE(row),
	    GTK_ACCESSIBLE_PROPERTY_LABEL, head,
	    GTK_ACCESSIBLE_PROPERTY_DESCRIPTION, text, -1);
	gtk_list_box_append(GTK_LIST_BOX(talk->found_list), row);
	g_free(head);
	g_free(text);
}

/* How many there are, in words. */
static void
note(struct talk_view *talk)
{
	guint count = talk->found->len;
	char *text = count == 0 ? g_strdup("Nothing was found.")
	    : count >= MIRROR_FOUND_MAX
	    ? g_strdup_printf("The newest %u are shown.", count)
	    : g_strdup_printf("%u found.", count);

	gtk_label_set_text(GTK_LABEL(talk->found_note), text);
	g_free(text);
}

/* The newest first: that is what is looked for most. */
void
talk_found(
    struct talk_view *talk, const struct mirror_found *found, size_t count)
{
	if (!talk->searching)
		return;
	talk->searching = false;
	clear(talk);
	for (size_t i = count; i-- > 0;)
		add_row(talk, &found[i]);
	note(talk);
}

/* Asks for what stands in the bar now. */
static gboolean
ask_now(gpointer arg)
{
	struct talk_view *talk = arg;
	const char *words =
	    gtk_editable_get_text(GTK_EDITABLE(talk->search_entry));

	talk->search_later = 0;
	show_side(talk);
	talk->searching = *words != '\0' && talk->open != NULL;
	if (!talk->searching) {
		clear(talk);
		return G_SOURCE_REMOVE;
	}
	mirror_search(talk->window->mirror,
	    gtk_toggle_button_get_active(GTK_TOGGLE_BUTTON(talk->everywhere))
		? NULL
		: talk->open,
	    words);
	return G_SOURCE_REMOVE;
}

/* Soon: letters come in a row. */
static void
ask_soon(struct talk_view *talk)
{
	if (talk->search_later == 0)
		talk->search_later =
		    g_timeout_add(FIND_AFTER_MS, ask_now, talk);
	show_side(talk);
}

/* To the line, which stays marked. */
static void
go_to(GtkListBox *list, GtkListBoxRow *row, struct talk_view *talk)
{
	guint at = (guint)gtk_list_box_row_get_index(row);
	struct found found;

	(void)list;
	if (talk->open == NULL || at >= talk->found->len)
		return;
	found = *(struct found *)g_ptr_array_index(talk->found, at);
	if (strcmp(found.user, talk->open->user) != 0 &&
	    !window_open(talk->window, found.user))
		return;
	gtk_stack_set_visible_child_name(GTK_STACK(talk->stack), "messages");
	talk->unread_from = -1;
	chat_rows_set_found(talk->rows, found.row);
	scroll_to_row(talk, found.row);
}

/* No words, nothing found, no bar. */
void
find_forget(struct talk_view *talk)
{
	gtk_editable_set_text(GTK_EDITABLE(talk->search_entry), "");
	gtk_search_bar_set_search_mode(GTK_SEARCH_BAR(talk->search), FALSE);
	clear(talk);
}

void
find_reset(struct talk_view *talk)
{
	if (talk->search_later != 0)
		g_source_remove(talk->search_later);
	talk->search_later = 0;
	talk->searching = false;
	clear(talk);
	g_clear_pointer(&talk->found, g_ptr_array_unref);
}

void
find_toggle(struct talk_view *talk, bool everywhere)
{
	gtk_toggle_button_set_active(
	    GTK_TOGGLE_BUTTON(talk->everywhere), everywhere);
	gtk_search_bar_set_search_mode(GTK_SEARCH_BAR(talk->search), TRUE);
	gtk_widget_grab_focus(talk->search_entry);
}

/* The keyboard was in what is folded away now, and goes on with writing. */
static void
folded(struct talk_view *talk)
{
	if (talk->open != NULL &&
	    !gtk_search_bar_get_search_mode(GTK_SEARCH_BAR(talk->search)))
		talk_focus(talk);
}

static void
here(GSimpleAction *action, GVariant *parameter, gpointer arg)
{
	(void)action;
	(void)parameter;
	find_toggle(arg, false);
}

static void
in_all(GSimpleAction *action, GVariant *parameter, gpointer arg)
{
	(void)action;
	(void)parameter;
	find_toggle(arg, true);
}

void
find_actions(struct talk_view *talk)
{
	const GActionEntry rows[] = {
	    {.name = "search", .activate = here},
	    {.name = "search-everywhere", .activate = in_all},
	};

	g_action_map_add_action_entries(
	    G_ACTION_MAP(talk->actions), rows, G_N_ELEMENTS(rows), talk);
}

GtkWidget *
find_bar(struct talk_view *talk)
{
	GtkWidget *box = gtk_box_new(GTK_ORIENTATION_HORIZONTAL, 6);

	talk->search_entry = gtk_search_entry_new();
	gtk_widget_set_hexpand(talk->search_entry, TRUE);
	window_name(talk->search_entry, "Words to search for");
	talk->everywhere =
	    gtk_toggle_button_new_with_mnemonic("All Con_versations");
	gtk_widget_set_tooltip_text(
	    talk->everywhere, "Search all conversations (Ctrl+Shift+F)");
	gtk_box_append(GTK_BOX(box), talk->search_entry);
	gtk_box_append(GTK_BOX(box), talk->everywhere);
	talk->search = gtk_search_bar_new();
	gtk_search_bar_set_child(GTK_SEARCH_BAR(talk->search), box);
	gtk_search_bar_connect_entry(
	    GTK_SEARCH_BAR(talk->search), GTK_EDITABLE(talk->search_entry));
	/* What is typed while it slides in would be lost. */
	if (GTK_IS_REVEALER(gtk_widget_get_first_child(talk->search)))
		gtk_revealer_set_transition_duration(
		    GTK_REVEALER(gtk_widget_get_first_child(talk->search)), 0);
	/* Folded away it is nowhere, for keyboards and readers, too. */
	g_object_bind_property(talk->search, "search-mode-enabled",
	    talk->search, "visible", G_BINDING_SYNC_CREATE);
	g_signal_connect_swapped(
	    talk->search_entry, "changed", G_CALLBACK(ask_soon), talk);
	g_signal_connect_swapped(
	    talk->everywhere, "toggled", G_CALLBACK(ask_soon), talk);
	g_signal_connect_swapped(talk->search, "notify::search-mode-enabled",
	    G_CALLBACK(ask_soon), talk);
	g_signal_connect_swapped(talk->search, "notify::search-mode-enabled",
	    G_CALLBACK(folded), talk);
	return talk->search;
}

GtkWidget *
find_results(struct talk_view *talk)
{
	GtkWidget *box = gtk_box_new(GTK_ORIENTATION_VERTICAL, 6);
	GtkWidget *scroll = gtk_scrolled_window_new();

	talk->found = g_ptr_array_new_with_free_func(g_free);
	talk->found_note = g_object_new(GTK_TYPE_LABEL, "accessible-role",
	    GTK_ACCESSIBLE_ROLE_STATUS, "xalign", 0.0, "wrap", TRUE, NULL);
	gtk_widget_add_css_class(talk->found_note, "talk-found-note");
	talk->found_list = gtk_list_box_new();
	gtk_list_box_set_selection_mode(
	    GTK_LIST_BOX(talk->found_list), GTK_SELECTION_NONE);
	window_name(talk->found_list, "What was found");
	gtk_widget_add_css_class(talk->found_list, "talk-found-list");
	g_signal_connect(
	    talk->found_list, "row-activated", G_CALLBACK(go_to), talk);
	gtk_scrolled_window_set_child(
	    GTK_SCROLLED_WINDOW(scroll), talk->found_list);
	gtk_widget_set_vexpand(scroll, TRUE);
	gtk_box_append(GTK_BOX(box), talk->found_note);
	gtk_box_append(GTK_BOX(box), scroll);
	return box;
}
