/* SPDX-License-Identifier: ISC */
/*
 * The right side of the window, put together: header bar, search, messages,
 * the field to write in; see talk.h.  The window's process runs it; what is
 * shown of others passes words_line() or words_text() first.
 */
#include <string.h>

#include "chat/faces/window/actions.h"
#include "chat/faces/window/bubble.h"
#include "chat/faces/window/phrases.h"
#include "chat/faces/window/talk-parts.h"
#include "chat/faces/window/words.h"

/* Whether the other one is there, as far as is known. */
static const char *
presence(const struct talk_view *talk)
{
	struct mirror_status status = {.reachable = true};

	if (talk->window->mirror != NULL)
		mirror_status(talk->window->mirror, &status);
	if (!status.reachable)
		return "presence unknown";
	return talk->open->online ? "online" : "offline";
}

/* Name, presence and link of whom one talks to. */
static void
show_title(struct talk_view *talk)
{
	const struct mirror_talk *open = talk->open;
	char *name = open == NULL ? g_strdup("")
	    : *open->user == '\0' ? g_strdup("Everybody")
				  : words_line(open->user);
	GString *state = g_string_new(NULL);

	if (open != NULL && *open->user != '\0') {
		g_string_append(state, presence(talk));
		if (open->blocked)
			g_string_append(state, ", blocked");
		if (open->changed)
			g_string_append(state, ", another key");
		else if (open->link == MIRROR_LINKED)
			g_string_append(state, ", private link");
	}
	adw_window_title_set_title(talk->title, name);
	adw_window_title_set_subtitle(talk->title, state->str);
	g_string_free(state, TRUE);
	g_free(name);
}

/* Something of the open conversation but its lines. */
static void
open_changed(struct talk_view *talk)
{
	show_title(talk);
	composer_way(talk);
	contact_changed(talk);
	window_mind(talk->window);
}

/* Its lines, as the mirror has them now. */
static void
lines_moved(GListModel *model, guint position, guint removed, guint added,
    struct talk_view *talk)
{
	(void)model;
	chat_rows_take(talk->rows, position, removed, added);
	scroll_changed(talk);
}

/* Listens to the conversation no more. */
static void
let_go(struct talk_view *talk)
{
	if (talk->of == NULL)
		return;
	composer_leave(talk);
	g_clear_signal_handler(&talk->lines_moved, chat_talk_lines(talk->of));
	g_clear_signal_handler(&talk->talk_changed, talk->of);
	g_clear_object(&talk->of);
	talk->open = NULL;
}

void
talk_show(struct talk_view *talk, ChatTalk *of)
{
	struct mirror_talk *open = of != NULL ? chat_talk_mirror(of) : NULL;

	if (open != NULL && talk->open == open)
		return;
	let_go(talk);
	if (open != NULL) {
		talk->of = g_object_ref(of);
		talk->open = open;
		talk->lines_moved = g_signal_connect(chat_talk_lines(of),
		    "items-changed", G_CALLBACK(lines_moved), talk);
		talk->talk_changed = g_signal_connect_swapped(
		    of, "changed", G_CALLBACK(open_changed), talk);
	} else {
		scroll_stop(talk);
		contact_close(talk);
	}
	gtk_stack_set_visible_child_name(
	    GTK_STACK(talk->stack), open != NULL ? "messages" : "none");
	composer_enter(talk);
	scroll_open(talk);
	open_changed(talk);
	bars_changed(talk);
}

/* A session of another account: what was written there is not for this one. */
void
talk_begin(struct talk_view *talk, const char *user, const char *centre)
{
	char *account = g_strconcat(user, "@", centre, NULL);

	if (g_strcmp0(account, talk->account) != 0) {
		g_hash_table_remove_all(talk->drafts);
		g_hash_table_remove_all(talk->private);
		find_forget(talk);
	}
	g_free(talk->account);
	talk->account = account;
}

bool
talk_at_end(struct talk_view *talk)
{
	/* Not on the way to somewhere else. */
	return talk->open != NULL && talk->at_end && talk->open->end &&
	    talk->unread_from < 0 && talk->target == 0;
}

void
talk_focus(struct talk_view *talk)
{
	gtk_widget_grab_focus(talk->entry);
}

void
talk_status(struct talk_view *talk)
{
	show_title(talk);
	bars_changed(talk);
}

void
talk_arrived(struct talk_view *talk, const struct mirror_line *line)
{
	GtkRoot *root = gtk_widget_get_root(talk->page);
	bool looks = root != NULL && gtk_window_is_active(GTK_WINDOW(root));
	char *spoken;

	if (talk->open == NULL)
		return;
	spoken = bubble_spoken(talk->open, line);
	gtk_label_set_text(GTK_LABEL(talk->live), spoken);
	gtk_accessible_update_property(GTK_ACCESSIBLE(talk->live),
	    GTK_ACCESSIBLE_PROPERTY_LABEL, spoken, -1);
	g_free(spoken);
	if (!talk->at_end)
		talk->below++;
	if ((!looks || !talk->at_end) && chat_rows_fresh(talk->rows) == 0)
		chat_rows_set_fresh(talk->rows, line->row);
	scroll_changed(talk);
}

/* What is to be seen here anyway needs no words beside it. */
bool
talk_say(struct talk_view *talk, struct mirror_talk *of, const char *event,
    const char *text)
{
	static const char *const seen[] = {
	    "ask", "login", "logout", "reachable", "state", "unreachable"};

	(void)of;
	for (size_t i = 0; i < G_N_ELEMENTS(seen); i++)
		if (strcmp(seen[i], event) == 0)
			return true;
	if (talk->open == NULL && talk->window->mirror == NULL)
		return false;
	talk_toast(talk, text);
	return true;
}

/* The words of the message that this button stands under, once more. */
static void
again(GSimpleAction *action, GVariant *parameter, gpointer arg)
{
	struct talk_view *talk = arg;
	int64_t row = g_variant_get_int64(parameter);
	const struct mirror_line *line = NULL;

	(void)action;
	for (size_t i = 0; talk->open != NULL && i < talk->open->count; i++)
		if (talk->open->lines[i].row == row)
			line = &talk->open->lines[i];
	if (line == NULL)
		return;
	/* Into the field: what way it goes is the switch's to say. */
	composer_return(talk, talk->open->user, line->text);
	talk_focus(talk);
}

/* What did not arrive privately is left at the centre, as the user says. */
static void
leave(GSimpleAction *action, GVariant *parameter, gpointer arg)
{
	struct talk_view *talk = arg;

	(void)action;
	(void)parameter;
	if (talk->open != NULL)
		talk_want_user(talk, WANT_LEAVE, "leave", talk->open->user);
}

static void
newest(GSimpleAction *action, GVariant *parameter, gpointer arg)
{
	(void)action;
	(void)parameter;
	scroll_to_end(arg);
}

static void
own_actions(struct talk_view *talk)
{
	const GActionEntry rows[] = {
	    {.name = "again", .activate = again, .parameter_type = "x"},
	    {.name = "leave", .activate = leave, .parameter_type = "x"},
	    {.name = "newest", .activate = newest},
	};

	g_action_map_add_action_entries(
	    G_ACTION_MAP(talk->actions), rows, G_N_ELEMENTS(rows), talk);
}

/* An action of this side by its key, which the window knows by a row. */
static void
run(struct window *window, const char *name)
{
	struct talk_view *talk = window->talk;
	GAction *action =
	    g_action_map_lookup_action(G_ACTION_MAP(talk->actions), name);
	GVariant *state = g_action_get_state(action);

	if (talk->open == NULL || !g_action_get_enabled(action)) {
		if (state != NULL)
			g_variant_unref(state);
		return;
	}
	if (state != NULL) {
		g_action_change_state(action,
		    g_variant_new_boolean(!g_variant_get_boolean(state)));
		g_variant_unref(state);
	} else
		g_action_activate(action, NULL);
}

/* One function a key: rows carry no argument of their own. */
#define KEY(function, action)                                         \
	static void function(struct window *window, const char *word) \
	{                                                             \
		(void)word;                                           \
		run(window, action);                                  \
	}
KEY(key_newest, "newest")
KEY(key_private, "private")
KEY(key_ask, "ask")
KEY(key_hangup, "hangup")
KEY(key_block, "block")
KEY(key_unblock, "unblock")
KEY(key_fingerprint, "fingerprint")
KEY(key_trust, "trust")
KEY(key_leave, "leave-kept")
KEY(key_search, "search")
KEY(key_everywhere, "search-everywhere")
#undef KEY

static void
key_write(struct window *window, const char *word)
{
	(void)word;
	talk_focus(window->talk);
}

static void
key_menu(struct window *window, const char *word)
{
	(void)word;
	if (gtk_widget_get_visible(window->talk->menu_button))
		gtk_menu_button_popup(
		    GTK_MENU_BUTTON(window->talk->menu_button));
}

/* A question is answered, whatever else is before the eyes. */
static void
key_agree(struct window *window, const char *word)
{
	(void)word;
	g_action_group_activate_action(
	    G_ACTION_GROUP(window->talk->actions), "agree", NULL);
}

static void
key_decline(struct window *window, const char *word)
{
	(void)word;
	g_action_group_activate_action(
	    G_ACTION_GROUP(window->talk->actions), "decline", NULL);
}

static const struct action key_rows[] = {
    {"talk-write", "<Control>l", "Write a message", key_write, false, true},
    {"talk-newest", "<Control>End", "To the newest message", key_newest, false,
	true},
    {"talk-find", "<Control>f", "Search this conversation", key_search, false,
	true},
    {"talk-find-all", "<Control><Shift>f", "Search all conversations",
	key_everywhere, false, true},
    {"talk-private", "<Control>p", "Write privately, or through the centre",
	key_private, false, true},
    {"talk-agree", "<Alt>y", "Agree to a private link", key_agree, false, true},
    {"talk-decline", "<Alt>d", "Decline a private link", key_decline, false,
	true},
    {"talk-menu", "<Control>m", "What can be done with this contact", key_menu,
	false, true},
    {"talk-ask", "<Control><Shift>p", "Ask for a private link", key_ask, false,
	true},
    {"talk-hangup", "<Control><Shift>h", "End the private link", key_hangup,
	false, true},
    {"talk-block", "<Control><Shift>b", "Block", key_block, false, true},
    {"talk-unblock", "<Control><Shift>u", "Unblock", key_unblock, false, true},
    {"talk-key", "<Control>k", "Show the fingerprint", key_fingerprint, false,
	true},
    {"talk-trust", "<Control><Shift>k", "Trust a changed key", key_trust, false,
	true},
    {"talk-leave", "<Control><Shift>l",
	"Leave undelivered private messages at the centre", key_leave, false,
	true},
};

/* The way back to the list, where there is no room for both. */
static GtkWidget *
back_button(struct window *window)
{
	GtkWidget *back = gtk_button_new_from_icon_name("go-previous-symbolic");

	gtk_actionable_set_action_name(GTK_ACTIONABLE(back), "win.list");
	gtk_widget_set_tooltip_text(back, "Back to the conversations");
	window_name(back, "Back to the conversations");
	g_object_bind_property(
	    window->leaflet, "folded", back, "visible", G_BINDING_SYNC_CREATE);
	return back;
}

static void
header_make(struct talk_view *talk)
{
	GtkWidget *find = gtk_toggle_button_new();

	talk->header = ADW_HEADER_BAR(adw_header_bar_new());
	talk->title = ADW_WINDOW_TITLE(adw_window_title_new("", ""));
	adw_header_bar_set_title_widget(talk->header, GTK_WIDGET(talk->title));
	g_object_bind_property(talk->window->leaflet, "folded", talk->header,
	    "show-start-title-buttons", G_BINDING_SYNC_CREATE);
	adw_header_bar_pack_start(talk->header, back_button(talk->window));
	gtk_button_set_icon_name(GTK_BUTTON(find), "edit-find-symbolic");
	gtk_widget_set_tooltip_text(find, "Search (Ctrl+F)");
	window_name(find, "Search");
	g_object_bind_property(find, "active", talk->search,
	    "search-mode-enabled",
	    G_BINDING_BIDIRECTIONAL | G_BINDING_SYNC_CREATE);
	adw_header_bar_pack_end(talk->header, contact_button(talk));
	adw_header_bar_pack_end(talk->header, find);
}

/*
 * New messages, for who does not see them.  GTK 4.8 has no way to announce
 * and no property for a live region, and a label tells of no change of its
 * text: assistive technology learns of the change of this status's name.
 */
static void
live_make(struct talk_view *talk)
{
	talk->live = g_object_new(GTK_TYPE_LABEL, "accessible-role",
	    GTK_ACCESSIBLE_ROLE_STATUS, "ellipsize", PANGO_ELLIPSIZE_END,
	    "can-target", FALSE, NULL);
	gtk_widget_add_css_class(talk->live, "talk-live");
}

static void
page_make(struct talk_view *talk)
{
	GtkWidget *overlay = gtk_overlay_new();
	GtkWidget *none = adw_status_page_new();
	GtkWidget *search = find_bar(talk), *composer = composer_make(talk);

	live_make(talk);
	header_make(talk);
	scroll_make(talk, overlay);
	adw_status_page_set_title(
	    ADW_STATUS_PAGE(none), "No conversation is open");
	talk->stack = gtk_stack_new();
	gtk_widget_set_vexpand(talk->stack, TRUE);
	gtk_stack_add_named(GTK_STACK(talk->stack), none, "none");
	gtk_stack_add_named(GTK_STACK(talk->stack), overlay, "messages");
	gtk_stack_add_named(
	    GTK_STACK(talk->stack), find_results(talk), "found");
	talk->page = gtk_box_new(GTK_ORIENTATION_VERTICAL, 0);
	g_object_ref_sink(talk->page);
	gtk_box_append(GTK_BOX(talk->page), GTK_WIDGET(talk->header));
	gtk_box_append(GTK_BOX(talk->page), search);
	talk->toasts = ADW_TOAST_OVERLAY(adw_toast_overlay_new());
	adw_toast_overlay_set_child(talk->toasts, talk->stack);
	gtk_box_append(GTK_BOX(talk->page), GTK_WIDGET(talk->toasts));
	gtk_box_append(GTK_BOX(talk->page), talk->live);
	gtk_box_append(GTK_BOX(talk->page), composer);
	gtk_widget_set_hexpand(talk->page, TRUE);
	gtk_widget_insert_action_group(
	    talk->page, "talk", G_ACTION_GROUP(talk->actions));
}

struct talk_view *
talk_new(struct window *window)
{
	struct talk_view *talk = g_new0(struct talk_view, 1);

	style_use();
	talk->window = window;
	talk->drafts =
	    g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);
	talk->private =
	    g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
	talk->actions = g_simple_action_group_new();
	own_actions(talk);
	composer_actions(talk);
	contact_actions(talk);
	find_actions(talk);
	bars_actions(talk);
	page_make(talk);
	bars_make(talk);
	actions_add(window, key_rows, G_N_ELEMENTS(key_rows));
	talk_show(talk, NULL);
	return talk;
}

GtkWidget *
talk_widget(struct talk_view *talk)
{
	return talk->page;
}

GtkWidget *
talk_bars(struct talk_view *talk)
{
	return talk->bars;
}

void
talk_view_free(struct talk_view *talk)
{
	if (talk == NULL)
		return;
	talk_show(talk, NULL);
	find_reset(talk);
	ask_free(talk);
	g_signal_handlers_disconnect_by_data(talk->adjustment, talk);
	g_object_unref(talk->page);
	bars_free(talk);
	g_object_unref(talk->rows);
	g_object_unref(talk->actions);
	g_hash_table_unref(talk->drafts);
	g_hash_table_unref(talk->private);
	g_free(talk->account);
	g_free(talk);
}
