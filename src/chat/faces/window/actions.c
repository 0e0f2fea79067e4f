/* SPDX-License-Identifier: ISC */
/*
 * What can be done in the window, as rows: each is a GAction of the window
 * ("win.NAME") with its keys, and a line in the window of shortcuts.
 */
#include "chat/faces/window/actions.h"

#include "chat/faces/window/window.h"

static GSimpleAction *
find(const struct window *window, const char *name)
{
	return G_SIMPLE_ACTION(
	    g_action_map_lookup_action(G_ACTION_MAP(window->top), name));
}

static void
activated(GSimpleAction *action, GVariant *word, gpointer arg)
{
	const struct action *row =
	    g_object_get_data(G_OBJECT(action), "chat-row");

	row->call(arg, word != NULL ? g_variant_get_string(word, NULL) : NULL);
}

/* Its keys; with a parameter there are none. */
static void
add_keys(struct window *window, const struct action *row)
{
	char *name = g_strconcat("win.", row->name, NULL);
	char **keys = g_strsplit(row->keys, " ", 0);

	gtk_application_set_accels_for_action(
	    GTK_APPLICATION(window->app), name, (const char *const *)keys);
	g_strfreev(keys);
	g_free(name);
}

static void
add(struct window *window, const struct action *row)
{
	GSimpleAction *action = g_simple_action_new(
	    row->name, row->word ? G_VARIANT_TYPE_STRING : NULL);

	g_object_set_data(
	    G_OBJECT(action), "chat-row", (gpointer)(uintptr_t)row);
	g_signal_connect(action, "activate", G_CALLBACK(activated), window);
	g_simple_action_set_enabled(action, !row->session);
	g_action_map_add_action(G_ACTION_MAP(window->top), G_ACTION(action));
	g_object_unref(action);
	if (row->keys != NULL)
		add_keys(window, row);
	g_ptr_array_add(window->actions, (gpointer)(uintptr_t)row);
}

/* Adds rows. */
void
actions_add(struct window *window, const struct action *rows, size_t count)
{
	for (size_t i = 0; i < count; i++)
		add(window, &rows[i]);
}

/* The rows that need a session, on or off. */
void
actions_session(struct window *window, bool session)
{
	const struct action *row;

	for (guint i = 0; i < window->actions->len; i++) {
		row = g_ptr_array_index(window->actions, i);
		if (row->session)
			actions_enable(window, row->name, session);
	}
}

/* One row on or off. */
void
actions_enable(struct window *window, const char *name, bool enabled)
{
	g_simple_action_set_enabled(find(window, name), enabled);
}

/* All rows with a title. */
char *
actions_interface(const struct window *window)
{
	GString *out = g_string_new(
	    "<interface><object class=\"GtkShortcutsWindow\" id=\"keys\">"
	    "<property name=\"modal\">1</property><child>"
	    "<object class=\"GtkShortcutsSection\"><child>"
	    "<object class=\"GtkShortcutsGroup\">");
	const struct action *row;
	char *text;

	for (guint i = 0; i < window->actions->len; i++) {
		row = g_ptr_array_index(window->actions, i);
		if (row->title == NULL || row->keys == NULL)
			continue;
		text = g_markup_printf_escaped(
		    "<child><object class=\"GtkShortcutsShortcut\">"
		    "<property name=\"title\">%s</property>"
		    "<property name=\"accelerator\">%s</property>"
		    "</object></child>",
		    row->title, row->keys);
		g_string_append(out, text);
		g_free(text);
	}
	g_string_append(
	    out, "</object></child></object></child></object></interface>");
	return g_string_free(out, FALSE);
}
