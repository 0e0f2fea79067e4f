/* SPDX-License-Identifier: ISC */
/*
 * The window's menu and the small windows that it opens: a new conversation,
 * keyboard shortcuts, about.
 */
#include "chat/faces/window/menu.h"

#include <string.h>

#ifdef HAVE_CONFIG_H
#include "config.h"
#endif

#include "chat/faces/window/actions.h"
#include "chat/faces/window/enter.h"
#include "chat/faces/window/list.h"
#include "chat/faces/window/prefs.h"
#include "chat/faces/window/window.h"
#include "lib/text.h"

/* ---- a new conversation ---- */

/* The name that was typed, folded; false if nobody can be called that. */
static bool
new_name(AdwMessageDialog *dialog, char name[NAME_MAX_LEN + 1])
{
	GtkEditable *entry =
	    GTK_EDITABLE(adw_message_dialog_get_extra_child(dialog));
	char *typed = g_strstrip(g_strdup(gtk_editable_get_text(entry)));
	bool good = name_fold(typed, strlen(typed), name);

	g_free(typed);
	return good;
}

/* An answer to anything but "open" is no. */
static void
new_answered(AdwMessageDialog *dialog, const char *answer, gpointer arg)
{
	struct window *window = arg;
	char name[NAME_MAX_LEN + 1];

	if (g_strcmp0(answer, "open") == 0 && new_name(dialog, name) &&
	    window_open(window, name))
		window_focus(window);
}

/* Says what a name may hold as long as this is none. */
static void
new_typed(AdwMessageDialog *dialog)
{
	GtkWidget *entry = adw_message_dialog_get_extra_child(dialog);
	bool blank = *gtk_editable_get_text(GTK_EDITABLE(entry)) == '\0';
	char name[NAME_MAX_LEN + 1];
	bool good = new_name(dialog, name);

	adw_message_dialog_set_response_enabled(dialog, "open", good);
	adw_message_dialog_set_body(dialog,
	    good || blank ? "With whom?"
			  : "With whom? A name is 1 to 32 of a-z 0-9 . _ -");
	if (good || blank)
		gtk_widget_remove_css_class(entry, "error");
	else
		gtk_widget_add_css_class(entry, "error");
}

/* Enter: with what is no name it stays, and so does what was typed. */
static void
new_entered(AdwMessageDialog *dialog)
{
	char name[NAME_MAX_LEN + 1];

	if (!new_name(dialog, name))
		return;
	adw_message_dialog_response(dialog, "open");
	gtk_window_destroy(GTK_WINDOW(dialog));
}

/*
 * What is typed before the dialog has the keyboard is meant for it: its grab
 * brings those keys here.
 */
static gboolean
new_early(GtkEventControllerKey *keys, guint value, guint code,
    GdkModifierType state, gpointer entry)
{
	GtkWidget *dialog =
	    gtk_event_controller_get_widget(GTK_EVENT_CONTROLLER(keys));
	GdkEvent *event =
	    gtk_event_controller_get_current_event(GTK_EVENT_CONTROLLER(keys));

	(void)value;
	(void)code;
	(void)state;
	if (gdk_event_get_surface(event) ==
	    gtk_native_get_surface(GTK_NATIVE(dialog)))
		return FALSE;
	return gtk_event_controller_key_forward(
	    keys, GTK_WIDGET(gtk_editable_get_delegate(GTK_EDITABLE(entry))));
}

static void
new_listen(GtkWidget *dialog, GtkWidget *entry)
{
	GtkEventController *keys = gtk_event_controller_key_new();

	gtk_event_controller_set_propagation_phase(keys, GTK_PHASE_CAPTURE);
	g_signal_connect(keys, "key-pressed", G_CALLBACK(new_early), entry);
	gtk_widget_add_controller(dialog, keys);
	g_signal_connect_swapped(
	    entry, "changed", G_CALLBACK(new_typed), dialog);
	g_signal_connect_swapped(
	    entry, "activate", G_CALLBACK(new_entered), dialog);
}

static void
call_new(struct window *window, const char *word)
{
	GtkWidget *dialog = adw_message_dialog_new(
	    window->top, "New conversation", "With whom?");
	GtkWidget *entry = gtk_entry_new();
	AdwMessageDialog *ask = ADW_MESSAGE_DIALOG(dialog);

	(void)word;
	window_name(entry, "Name");
	adw_message_dialog_add_responses(
	    ask, "cancel", "_Cancel", "open", "_Open", NULL);
	adw_message_dialog_set_response_appearance(
	    ask, "open", ADW_RESPONSE_SUGGESTED);
	adw_message_dialog_set_default_response(ask, "open");
	adw_message_dialog_set_close_response(ask, "cancel");
	adw_message_dialog_set_extra_child(ask, entry);
	g_signal_connect(dialog, "response", G_CALLBACK(new_answered), window);
	gtk_window_set_modal(GTK_WINDOW(dialog), TRUE);
	new_listen(dialog, entry);
	new_typed(ask);
	gtk_window_present(GTK_WINDOW(dialog));
	gtk_widget_grab_focus(entry);
}

/* ---- what the menu shows ---- */

static void
call_shortcuts(struct window *window, const char *word)
{
	char *text = actions_interface(window);
	GtkBuilder *builder = gtk_builder_new_from_string(text, -1);
	GtkWindow *keys = GTK_WINDOW(gtk_builder_get_object(builder, "keys"));

	(void)word;
	gtk_window_set_transient_for(keys, window->top);
	gtk_window_present(keys);
	g_object_unref(builder);
	g_free(text);
}

static void
call_about(struct window *window, const char *word)
{
	(void)word;
	adw_show_about_window(window->top, "application-name", "Chat",
	    "application-icon", WINDOW_ID, "version", PACKAGE_VERSION,
	    "comments", "Messages by way of a centre, or straight to a friend",
	    "license",
	    "ISC: see the file LICENSE. What it is linked with has licences "
	    "of its own.",
	    NULL);
}

static void
call_logout(struct window *window, const char *word)
{
	(void)word;
	enter_logout(window);
}

static void
call_quit(struct window *window, const char *word)
{
	(void)word;
	window_leave(window);
}

static void
call_prefs(struct window *window, const char *word)
{
	(void)word;
	prefs_show(window);
}

static void
call_again(struct window *window, const char *word)
{
	(void)word;
	enter_again(window);
}

static void
call_other(struct window *window, const char *word)
{
	(void)word;
	enter_other(window);
}

static void
call_trust(struct window *window, const char *word)
{
	(void)word;
	enter_trust(window);
}

/* ---- going about ---- */

static void
call_open(struct window *window, const char *word)
{
	if (window->mirror != NULL)
		window_open(window, word);
	gtk_window_present(window->top);
}

static void
call_unread(struct window *window, const char *word)
{
	struct mirror_talk *open =
	    window->open != NULL ? chat_talk_mirror(window->open) : NULL;
	struct mirror_talk *next = mirror_unread(window->mirror, open);

	(void)word;
	if (next != NULL)
		window_open(window, next->user);
}

static void
call_next(struct window *window, const char *word)
{
	(void)word;
	list_step(window->list, 1);
}

static void
call_previous(struct window *window, const char *word)
{
	(void)word;
	list_step(window->list, -1);
}

static void
call_list(struct window *window, const char *word)
{
	(void)word;
	adw_leaflet_navigate(window->leaflet, ADW_NAVIGATION_DIRECTION_BACK);
	list_focus(window->list);
}

static const struct action rows[] = {
    {"new", "<Control>n", "New conversation", call_new, .session = true},
    {"next-unread", "<Alt>a", "Next unread conversation", call_unread,
	.session = true},
    {"next", "<Control>Page_Down", "Next conversation", call_next,
	.session = true},
    {"previous", "<Control>Page_Up", "Previous conversation", call_previous,
	.session = true},
    {"list", "<Alt>Left", "Back to the conversations", call_list,
	.session = true},
    {"preferences", "<Control>comma", "Preferences", .call = call_prefs},
    {"shortcuts", "<Control>question F1", "Keyboard shortcuts",
	.call = call_shortcuts},
    {"about", .call = call_about},
    {"logout", "<Control><Shift>q", "Log out", call_logout, .session = true},
    {"quit", "<Control>q <Control>w", "Quit", .call = call_quit},
    {"open", .call = call_open, .word = true},
    {"again", .call = call_again},
    {"other", .call = call_other},
    {"trust", .call = call_trust},
};

/* The session is to go on without the window. */
static void
stay_changed(GSimpleAction *action, GVariant *value, gpointer arg)
{
	struct window *window = arg;

	g_simple_action_set_state(action, value);
	window->keep.stay = g_variant_get_boolean(value);
	if (!keep_write(&window->keep))
		window_say(window, "That cannot be remembered.");
}

/* The actions of the window as a whole. */
void
menu_actions(struct window *window)
{
	GSimpleAction *stay = g_simple_action_new_stateful(
	    "stay", NULL, g_variant_new_boolean(window->keep.stay));

	g_signal_connect(
	    stay, "change-state", G_CALLBACK(stay_changed), window);
	g_action_map_add_action(G_ACTION_MAP(window->top), G_ACTION(stay));
	g_object_unref(stay);
	actions_add(window, rows, G_N_ELEMENTS(rows));
}

static void
add_section(GMenu *menu, const char *const *items)
{
	GMenu *section = g_menu_new();

	for (; items[0] != NULL; items += 2)
		g_menu_append(section, items[0], items[1]);
	g_menu_append_section(menu, NULL, G_MENU_MODEL(section));
	g_object_unref(section);
}

/* A button with the menu. */
GtkWidget *
menu_button(struct window *window)
{
	static const char *const talks[] = {"_New conversation\u2026",
	    "win.new", "Next _unread", "win.next-unread", NULL};
	static const char *const about[] = {"_Preferences", "win.preferences",
	    "_Keyboard shortcuts", "win.shortcuts", "_About Chat", "win.about",
	    NULL};
	static const char *const ends[] = {
	    "_Stay logged in when the window closes", "win.stay", "_Log out",
	    "win.logout", "_Quit", "win.quit", NULL};
	GtkWidget *button = gtk_menu_button_new();
	GMenu *menu = g_menu_new();

	(void)window;
	add_section(menu, talks);
	add_section(menu, about);
	add_section(menu, ends);
	gtk_menu_button_set_icon_name(
	    GTK_MENU_BUTTON(button), "open-menu-symbolic");
	gtk_menu_button_set_menu_model(
	    GTK_MENU_BUTTON(button), G_MENU_MODEL(menu));
	gtk_menu_button_set_primary(GTK_MENU_BUTTON(button), TRUE);
	gtk_widget_set_tooltip_text(button, "Main menu");
	window_name(button, "Main menu");
	g_object_unref(menu);
	return button;
}
