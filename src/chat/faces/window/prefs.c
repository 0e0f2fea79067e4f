/* SPDX-License-Identifier: ISC */
/*
 * The preferences: their window, and what follows from them at once.
 */
#include "chat/faces/window/prefs.h"

#include "chat/faces/window/window.h"

/* Light, dark, or as the system has it. */
void
prefs_look(struct window *window)
{
	static const AdwColorScheme schemes[] = {
	    [LOOK_SYSTEM] = ADW_COLOR_SCHEME_DEFAULT,
	    [LOOK_LIGHT] = ADW_COLOR_SCHEME_FORCE_LIGHT,
	    [LOOK_DARK] = ADW_COLOR_SCHEME_FORCE_DARK,
	};

	adw_style_manager_set_color_scheme(
	    adw_style_manager_get_default(), schemes[window->keep.look]);
}

static void
remember(struct window *window)
{
	if (!keep_write(&window->keep))
		window_say(window, "That cannot be remembered.");
}

static void
look_changed(GObject *row, GParamSpec *what, gpointer arg)
{
	struct window *window = arg;

	(void)what;
	window->keep.look =
	    (enum keep_look)adw_combo_row_get_selected(ADW_COMBO_ROW(row));
	prefs_look(window);
	remember(window);
}

static void
notify_changed(GObject *on, GParamSpec *what, gpointer arg)
{
	struct window *window = arg;

	(void)what;
	window->keep.notify = gtk_switch_get_active(GTK_SWITCH(on));
	remember(window);
}

static void
hide_changed(GObject *on, GParamSpec *what, gpointer arg)
{
	struct window *window = arg;

	(void)what;
	window->keep.hide = gtk_switch_get_active(GTK_SWITCH(on));
	remember(window);
}

/* A row with a switch. */
static void
add_switch(AdwPreferencesGroup *group, const char *title, const char *more,
    bool on, GCallback changed, struct window *window)
{
	GtkWidget *row = adw_action_row_new(), *toggle = gtk_switch_new();

	adw_preferences_row_set_title(ADW_PREFERENCES_ROW(row), title);
	adw_action_row_set_subtitle(ADW_ACTION_ROW(row), more);
	gtk_widget_set_valign(toggle, GTK_ALIGN_CENTER);
	gtk_switch_set_active(GTK_SWITCH(toggle), on);
	window_name(toggle, title);
	adw_action_row_add_suffix(ADW_ACTION_ROW(row), toggle);
	adw_action_row_set_activatable_widget(ADW_ACTION_ROW(row), toggle);
	adw_preferences_group_add(group, row);
	g_signal_connect(toggle, "notify::active", changed, window);
}

static AdwPreferencesGroup *
add_group(AdwPreferencesPage *page, const char *title)
{
	AdwPreferencesGroup *group =
	    ADW_PREFERENCES_GROUP(adw_preferences_group_new());

	adw_preferences_group_set_title(group, title);
	adw_preferences_page_add(page, group);
	return group;
}

void
prefs_show(struct window *window)
{
	static const char *const looks[] = {
	    "As the system has it", "Light", "Dark", NULL};
	GtkWidget *prefs = adw_preferences_window_new();
	AdwPreferencesPage *page =
	    ADW_PREFERENCES_PAGE(adw_preferences_page_new());
	AdwPreferencesGroup *group = add_group(page, "Notifications");
	GtkWidget *row = adw_combo_row_new();
	GtkStringList *list = gtk_string_list_new(looks);

	add_switch(group, "Notify of messages",
	    "While the window is in the background, or shows another "
	    "conversation",
	    window->keep.notify, G_CALLBACK(notify_changed), window);
	add_switch(group, "Hide what they say",
	    "Only from whom it is; private messages are always hidden",
	    window->keep.hide, G_CALLBACK(hide_changed), window);
	group = add_group(page, "Appearance");
	adw_preferences_row_set_title(ADW_PREFERENCES_ROW(row), "Colours");
	adw_combo_row_set_model(ADW_COMBO_ROW(row), G_LIST_MODEL(list));
	adw_combo_row_set_selected(ADW_COMBO_ROW(row), window->keep.look);
	window_name(row, "Colours");
	adw_preferences_group_add(group, row);
	g_signal_connect(
	    row, "notify::selected", G_CALLBACK(look_changed), window);
	adw_preferences_window_add(ADW_PREFERENCES_WINDOW(prefs), page);
	gtk_window_set_modal(GTK_WINDOW(prefs), TRUE);
	gtk_window_set_transient_for(GTK_WINDOW(prefs), window->top);
	gtk_window_present(GTK_WINDOW(prefs));
	g_object_unref(list);
}
