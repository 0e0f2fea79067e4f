/* SPDX-License-Identifier: ISC */
/*
 * The field to write in, with a draft for each conversation and the switch
 * between the centre and a private link.  Words that are to go privately
 * never go another way: without a link they stay in the field.
 */
#include <string.h>

#include "chat/faces/window/talk-parts.h"
#include "chat/faces/window/phrases.h"

enum { COMPOSER_HEIGHT = 132 }; /* about six lines, then it scrolls */

static GtkTextBuffer *
buffer_of(const struct talk_view *talk)
{
	return gtk_text_view_get_buffer(GTK_TEXT_VIEW(talk->entry));
}

/* What is written, with lines that end as ours do.  Free it. */
static char *
written(const struct talk_view *talk)
{
	GtkTextIter start, end;
	GString *text;
	char *raw;

	gtk_text_buffer_get_bounds(buffer_of(talk), &start, &end);
	raw = gtk_text_buffer_get_text(buffer_of(talk), &start, &end, TRUE);
	text = g_string_new(raw);
	g_free(raw);
	g_string_replace(text, "\r\n", "\n", 0);
	return g_string_free(text, FALSE);
}

static void
write_text(struct talk_view *talk, const char *text)
{
	gtk_text_buffer_set_text(buffer_of(talk), text, -1);
}

bool
composer_private(const struct talk_view *talk)
{
	return talk->open != NULL && *talk->open->user != '\0' &&
	    g_hash_table_contains(talk->private, talk->open->user);
}

/* A private message could go now. */
static bool
linked(const struct talk_view *talk)
{
	return talk->open->link == MIRROR_LINKED && !talk->open->changed;
}

/* Why nothing can go to this conversation as it stands, or NULL. */
static char *
barred(const struct talk_view *talk)
{
	const char *user = talk->open->user;

	if (!composer_private(talk) || linked(talk))
		return NULL;
	if (talk->open->changed)
		return g_strdup_printf("The key of %s has changed: nothing is "
				       "sent privately until you trust it.",
		    user);
	if (talk->open->link == MIRROR_WAITING)
		return g_strdup_printf("Waiting for %s to agree; nothing is "
				       "sent until then.",
		    user);
	return g_strdup_printf("There is no private link with %s. Ask for one, "
			       "or switch to the centre.",
	    user);
}

/* The most that the centre takes; it says so itself where it knows better. */
static size_t
message_limit(const struct talk_view *talk)
{
	size_t limit = talk->window->message_bytes;

	return limit > 0 ? limit : TEXT_MAX_LEN;
}

/* Says why it cannot be sent, and lets the button agree with that. */
static void
judge(struct talk_view *talk)
{
	char *text = talk->open != NULL ? written(talk) : g_strdup("");
	char *why = talk->open != NULL ? barred(talk) : NULL;

	if (why == NULL && *text != '\0')
		why = phrase_refused(text, message_limit(talk));
	gtk_label_set_text(GTK_LABEL(talk->hint), why != NULL ? why : "");
	gtk_widget_set_visible(talk->hint, why != NULL);
	gtk_widget_set_sensitive(
	    talk->send, talk->open != NULL && why == NULL && *text != '\0');
	g_free(why);
	g_free(text);
}

/* Which way the words go, in words and in the look of the field. */
void
composer_way(struct talk_view *talk)
{
	bool blocked = talk->open != NULL && talk->open->blocked;
	bool private = !blocked && composer_private(talk);
	const char *user = talk->open != NULL ? talk->open->user : "";
	char *text = *user == '\0' ? g_strdup("To everybody")
	    : private ? g_strdup_printf("Privately, straight to %s", user)
		      : g_strdup_printf("To %s, through the centre", user);
	GAction *action =
	    g_action_map_lookup_action(G_ACTION_MAP(talk->actions), "private");

	/* Nobody asks whom they have blocked. */
	if (blocked)
		g_hash_table_remove(talk->private, user);
	g_simple_action_set_enabled(G_SIMPLE_ACTION(action), !blocked);
	gtk_label_set_text(GTK_LABEL(talk->way_label), text);
	gtk_accessible_update_property(GTK_ACCESSIBLE(talk->entry),
	    GTK_ACCESSIBLE_PROPERTY_LABEL, text, -1);
	gtk_widget_set_visible(talk->way, *user != '\0');
	g_simple_action_set_state(
	    G_SIMPLE_ACTION(action), g_variant_new_boolean(private));
	if (private)
		gtk_widget_add_css_class(talk->composer, "talk-privately");
	else
		gtk_widget_remove_css_class(talk->composer, "talk-privately");
	g_free(text);
	judge(talk);
}

/* The switch: on asks for a link where there is none, and waits for it. */
static void
switch_way(GSimpleAction *action, GVariant *state, gpointer arg)
{
	struct talk_view *talk = arg;
	struct mirror_talk *open = talk->open;

	(void)action;
	if (open == NULL || *open->user == '\0')
		return;
	if (!g_variant_get_boolean(state))
		g_hash_table_remove(talk->private, open->user);
	else {
		g_hash_table_add(talk->private, g_strdup(open->user));
		if (open->link == MIRROR_NO_LINK)
			talk_want_user(talk, WANT_ASK, "ask", open->user);
	}
	composer_way(talk);
}

/* The request that carries these words there. */
static json_t *
request_for(const struct talk_view *talk, const char *text, bool private)
{
	const char *user = talk->open->user;

	if (*user == '\0')
		return json_pack("{s:s, s:s}", "do", "broadcast", "text", text);
	return json_pack("{s:s, s:s, s:s}", "do", private ? "private" : "send",
	    "to", user, "text", text);
}

/* Sends what is written, unless something is against it. */
static void
send_written(GSimpleAction *action, GVariant *parameter, gpointer arg)
{
	struct talk_view *talk = arg;
	bool private = composer_private(talk);
	char *text;

	(void)action;
	(void)parameter;
	judge(talk);
	if (!gtk_widget_get_sensitive(talk->send))
		return;
	text = written(talk);
	if (talk_want(talk, private ? WANT_PRIVATE : WANT_SEND,
		request_for(talk, text, private), talk->open->user, text)) {
		composer_clear(talk);
		chat_rows_set_fresh(talk->rows, 0);
		scroll_to_end(talk);
	}
	g_free(text);
}

void
composer_clear(struct talk_view *talk)
{
	write_text(talk, "");
}

void
composer_return(struct talk_view *talk, const char *user, const char *text)
{
	bool here = talk->open != NULL && strcmp(talk->open->user, user) == 0;
	char *old = here ? written(talk)
			 : g_strdup(g_hash_table_lookup(talk->drafts, user));
	char *both = old != NULL && *old != '\0'
	    ? g_strdup_printf("%s\n%s", text, old)
	    : g_strdup(text);

	if (here)
		write_text(talk, both);
	else
		g_hash_table_replace(
		    talk->drafts, g_strdup(user), g_strdup(both));
	g_free(old);
	g_free(both);
}

void
composer_leave(struct talk_view *talk)
{
	if (talk->open != NULL)
		g_hash_table_replace(
		    talk->drafts, g_strdup(talk->open->user), written(talk));
}

void
composer_enter(struct talk_view *talk)
{
	const char *draft = talk->open != NULL
	    ? g_hash_table_lookup(talk->drafts, talk->open->user)
	    : NULL;

	write_text(talk, draft != NULL ? draft : "");
	gtk_widget_set_visible(talk->composer, talk->open != NULL);
	composer_way(talk);
}

/* Enter sends; with Shift it is the text's own.  What an input method is
 * still composing is left to it. */
static gboolean
key(GtkEventControllerKey *keys, guint keyval, guint code,
    GdkModifierType state, gpointer arg)
{
	struct talk_view *talk = arg;

	(void)keys;
	(void)code;
	if (keyval != GDK_KEY_Return && keyval != GDK_KEY_KP_Enter &&
	    keyval != GDK_KEY_ISO_Enter)
		return FALSE;
	if ((state & GDK_SHIFT_MASK) != 0 || talk->setting)
		return FALSE;
	send_written(NULL, NULL, talk);
	return TRUE;
}

static void
composing(GtkTextView *view, const char *preedit, struct talk_view *talk)
{
	(void)view;
	talk->setting = *preedit != '\0';
}

static void
entry_make(struct talk_view *talk)
{
	GtkEventController *keys = gtk_event_controller_key_new();

	talk->entry = gtk_text_view_new();
	gtk_text_view_set_wrap_mode(
	    GTK_TEXT_VIEW(talk->entry), GTK_WRAP_WORD_CHAR);
	gtk_text_view_set_accepts_tab(GTK_TEXT_VIEW(talk->entry), FALSE);
	gtk_widget_add_css_class(talk->entry, "talk-entry");
	gtk_widget_set_tooltip_text(talk->entry,
	    "Enter sends, Shift+Enter breaks the line (Ctrl+L comes here)");
	gtk_event_controller_set_propagation_phase(keys, GTK_PHASE_CAPTURE);
	g_signal_connect(keys, "key-pressed", G_CALLBACK(key), talk);
	gtk_widget_add_controller(talk->entry, keys);
	g_signal_connect(
	    talk->entry, "preedit-changed", G_CALLBACK(composing), talk);
	g_signal_connect_swapped(
	    buffer_of(talk), "changed", G_CALLBACK(judge), talk);
}

/* The line above the field: which way, and the switch for it. */
static GtkWidget *
way_make(struct talk_view *talk)
{
	GtkWidget *box = gtk_box_new(GTK_ORIENTATION_HORIZONTAL, 6);

	talk->way_label = gtk_label_new(NULL);
	gtk_label_set_xalign(GTK_LABEL(talk->way_label), 0);
	gtk_label_set_ellipsize(
	    GTK_LABEL(talk->way_label), PANGO_ELLIPSIZE_END);
	gtk_widget_set_hexpand(talk->way_label, TRUE);
	gtk_widget_add_css_class(talk->way_label, "talk-way");
	talk->way = gtk_toggle_button_new_with_label("Private");
	gtk_widget_set_tooltip_text(talk->way,
	    "Write straight to the other's client, or through the centre "
	    "(Ctrl+P)");
	gtk_actionable_set_action_name(
	    GTK_ACTIONABLE(talk->way), "talk.private");
	gtk_box_append(GTK_BOX(box), talk->way_label);
	gtk_box_append(GTK_BOX(box), talk->way);
	return box;
}

GtkWidget *
composer_make(struct talk_view *talk)
{
	GtkWidget *row = gtk_box_new(GTK_ORIENTATION_HORIZONTAL, 6);
	GtkWidget *scroll = gtk_scrolled_window_new();

	talk->composer = gtk_box_new(GTK_ORIENTATION_VERTICAL, 4);
	gtk_widget_add_css_class(talk->composer, "talk-composer");
	entry_make(talk);
	gtk_scrolled_window_set_policy(GTK_SCROLLED_WINDOW(scroll),
	    GTK_POLICY_NEVER, GTK_POLICY_AUTOMATIC);
	gtk_scrolled_window_set_propagate_natural_height(
	    GTK_SCROLLED_WINDOW(scroll), TRUE);
	gtk_scrolled_window_set_max_content_height(
	    GTK_SCROLLED_WINDOW(scroll), COMPOSER_HEIGHT);
	gtk_scrolled_window_set_child(GTK_SCROLLED_WINDOW(scroll), talk->entry);
	gtk_widget_add_css_class(scroll, "talk-field");
	gtk_widget_set_hexpand(scroll, TRUE);
	talk->send = gtk_button_new_with_mnemonic("_Send");
	gtk_widget_add_css_class(talk->send, "suggested-action");
	gtk_widget_set_valign(talk->send, GTK_ALIGN_END);
	gtk_actionable_set_action_name(GTK_ACTIONABLE(talk->send), "talk.send");
	talk->hint = g_object_new(GTK_TYPE_LABEL, "accessible-role",
	    GTK_ACCESSIBLE_ROLE_STATUS, "xalign", 0.0, "wrap", TRUE, NULL);
	gtk_widget_add_css_class(talk->hint, "talk-hint");
	gtk_box_append(GTK_BOX(row), scroll);
	gtk_box_append(GTK_BOX(row), talk->send);
	gtk_box_append(GTK_BOX(talk->composer), way_make(talk));
	gtk_box_append(GTK_BOX(talk->composer), talk->hint);
	gtk_box_append(GTK_BOX(talk->composer), row);
	return talk->composer;
}

void
composer_actions(struct talk_view *talk)
{
	const GActionEntry rows[] = {
	    {.name = "send", .activate = send_written},
	    {.name = "private", .state = "false", .change_state = switch_way},
	};

	g_action_map_add_action_entries(
	    G_ACTION_MAP(talk->actions), rows, G_N_ELEMENTS(rows), talk);
}
