/* SPDX-License-Identifier: ISC */
/*
 * What can be done with the other one of a conversation: the menu, its
 * actions, and the questions that two of them ask first.  The window's
 * process runs it; nothing is trusted without both keys before the eyes.
 */
#include <string.h>

#include "chat/faces/window/talk-parts.h"
#include "chat/faces/window/words.h"
#include "lib/wire.h"

/* One action: what it asks, and when it can be done. */
struct contact_row {
	const char *action, *label, *request;
	enum talk_want want;
};

static const struct contact_row contact_rows[] = {
    {"ask", "Ask for a _Private Link", "ask", WANT_ASK},
    {"hangup", "_End the Private Link", "hangup", WANT_HANGUP},
    {"leave-kept", "_Leave What Was Kept at the Centre", "leave", WANT_LEAVE},
    {"fingerprint", "Show _Fingerprint…", "trust", WANT_KEYS},
    {"trust", "_Trust the Changed Key…", "trust", WANT_KEYS},
    {"block", "_Block", "block", WANT_BLOCK},
    {"unblock", "_Unblock", "unblock", WANT_UNBLOCK},
};

/* True if it makes sense now. */
static bool
possible(const struct mirror_talk *open, const char *action)
{
	if (open == NULL || *open->user == '\0')
		return false;
	if (strcmp(action, "hangup") == 0)
		return open->link == MIRROR_LINKED;
	if (strcmp(action, "ask") == 0)
		return open->link == MIRROR_NO_LINK && !open->blocked;
	if (strcmp(action, "trust") == 0)
		return open->changed;
	if (strcmp(action, "block") == 0)
		return !open->blocked;
	if (strcmp(action, "unblock") == 0)
		return open->blocked;
	return true;
}

void
contact_changed(struct talk_view *talk)
{
	bool person = talk->open != NULL && *talk->open->user != '\0';

	for (size_t i = 0; i < G_N_ELEMENTS(contact_rows); i++)
		g_simple_action_set_enabled(
		    G_SIMPLE_ACTION(g_action_map_lookup_action(
			G_ACTION_MAP(talk->actions), contact_rows[i].action)),
		    possible(talk->open, contact_rows[i].action));
	gtk_widget_set_visible(talk->menu_button, person);
}

/* A row's action: one request about whom one talks to. */
static void
activate(GSimpleAction *action, GVariant *parameter, gpointer arg)
{
	struct talk_view *talk = arg;
	const char *name = g_action_get_name(G_ACTION(action));

	(void)parameter;
	for (size_t i = 0; talk->open != NULL && i < G_N_ELEMENTS(contact_rows);
	     i++) {
		const struct contact_row *row = &contact_rows[i];

		if (strcmp(row->action, name) != 0)
			continue;
		if (row->want == WANT_KEYS)
			talk_want(talk, WANT_KEYS,
			    json_pack("{s:s}", "do", row->request),
			    talk->open->user, NULL);
		else
			talk_want_user(
			    talk, row->want, row->request, talk->open->user);
	}
}

void
contact_actions(struct talk_view *talk)
{
	for (size_t i = 0; i < G_N_ELEMENTS(contact_rows); i++) {
		const GActionEntry row = {
		    .name = contact_rows[i].action, .activate = activate};

		g_action_map_add_action_entries(
		    G_ACTION_MAP(talk->actions), &row, 1, talk);
	}
}

GtkWidget *
contact_button(struct talk_view *talk)
{
	GMenu *menu = g_menu_new();
	char *name;

	for (size_t i = 0; i < G_N_ELEMENTS(contact_rows); i++) {
		GMenuItem *item = g_menu_item_new(contact_rows[i].label, NULL);

		name = g_strconcat("talk.", contact_rows[i].action, NULL);
		g_menu_item_set_detailed_action(item, name);
		g_menu_item_set_attribute(
		    item, "hidden-when", "s", "action-disabled");
		g_menu_append_item(menu, item);
		g_object_unref(item);
		g_free(name);
	}
	talk->menu_button = gtk_menu_button_new();
	gtk_menu_button_set_icon_name(
	    GTK_MENU_BUTTON(talk->menu_button), "view-more-symbolic");
	gtk_menu_button_set_menu_model(
	    GTK_MENU_BUTTON(talk->menu_button), G_MENU_MODEL(menu));
	gtk_widget_set_tooltip_text(talk->menu_button, "Contact (Ctrl+M)");
	window_name(talk->menu_button, "Contact");
	g_object_unref(menu);
	return talk->menu_button;
}

/* What stands there belongs to a session that is over, or is shown anew. */
void
contact_close(struct talk_view *talk)
{
	GtkWindow *keys = talk->keys;

	if (keys == NULL)
		return;
	g_clear_weak_pointer(&talk->keys);
	g_signal_handlers_disconnect_by_data(keys, talk);
	gtk_window_destroy(keys);
}

/* The user has compared the keys, or not. */
static void
judged(AdwMessageDialog *dialog, const char *answer, struct talk_view *talk)
{
	const char *user = g_object_get_data(G_OBJECT(dialog), "chat-user");
	const char *key = g_object_get_data(G_OBJECT(dialog), "chat-key");

	/* That one and no other, whatever has been shown since. */
	if (strcmp(answer, "trust") == 0)
		talk_want(talk, WANT_TRUST,
		    json_pack("{s:s, s:s, s:s}", "do", "trust", "user", user,
			"fingerprint", key),
		    user, NULL);
}

/* Shows keys, to be compared by another way. */
static void
keys_dialog(struct talk_view *talk, const char *user, const char *body,
    const char *changed)
{
	char *title = g_strdup_printf(
	    changed != NULL ? "The key of %s has changed" : "The key of %s",
	    user);
	GtkWidget *dialog = adw_message_dialog_new(
	    GTK_WINDOW(gtk_widget_get_root(talk->page)), title, body);
	AdwMessageDialog *message = ADW_MESSAGE_DIALOG(dialog);

	adw_message_dialog_add_response(message, "close", "_Close");
	if (changed != NULL) {
		adw_message_dialog_add_response(
		    message, "trust", "_Trust the New Key");
		adw_message_dialog_set_response_appearance(
		    message, "trust", ADW_RESPONSE_DESTRUCTIVE);
	}
	adw_message_dialog_set_default_response(message, "close");
	adw_message_dialog_set_close_response(message, "close");
	g_object_set_data_full(
	    G_OBJECT(dialog), "chat-user", g_strdup(user), g_free);
	g_object_set_data_full(
	    G_OBJECT(dialog), "chat-key", g_strdup(changed), g_free);
	g_signal_connect(dialog, "response", G_CALLBACK(judged), talk);
	contact_close(talk);
	g_set_weak_pointer(&talk->keys, GTK_WINDOW(dialog));
	gtk_window_present(GTK_WINDOW(dialog));
	g_free(title);
}

/* The entry of that user among the keys of a reply. */
static const json_t *
key_of(const json_t *reply, const char *user)
{
	const json_t *keys = json_object_get(reply, "keys"), *key;
	const char *name;

	for (size_t i = 0; i < json_array_size(keys); i++) {
		key = json_array_get(keys, i);
		name = wire_get_string(key, "user");
		if (name != NULL && strcmp(name, user) == 0)
			return key;
	}
	return NULL;
}

void
contact_keys(struct talk_view *talk, const json_t *reply, const char *user)
{
	const json_t *key = key_of(reply, user);
	const char *changed =
	    key != NULL ? wire_get_string(key, "changed") : NULL;
	char *known, *shown, *body;

	if (key == NULL) {
		if (!wire_get_bool(reply, "more"))
			talk_toast(talk,
			    "No key is remembered: there was no private link "
			    "yet.");
		return;
	}
	known = words_line(wire_get_string(key, "fingerprint"));
	shown = words_line(changed);
	body = changed != NULL
	    ? g_strdup_printf("Remembered:\n%s\n\nNow:\n%s\n\nTrust it only if "
			      "%s says, by another way, that this is right.",
		  known, shown, user)
	    : g_strdup_printf("%s\n\nIf %s reads the same to you, by another "
			      "way, nobody is in between.",
		  known, user);
	keys_dialog(talk, user, body, changed);
	g_free(known);
	g_free(shown);
	g_free(body);
}
