/* SPDX-License-Identifier: ISC */
/*
 * The bars that stay: somebody asks for a private link, the centre cannot be
 * reached.  The window's process runs it.  They hold no state: what is shown
 * is what the mirror says, each time that it has changed.
 */
#include <string.h>

#include "chat/faces/window/talk-parts.h"
#include "chat/faces/window/words.h"

/* Whose question has waited, and how many others do. */
static const struct mirror_talk *
first_asking(const struct mirror *mirror, size_t *others)
{
	const struct mirror_talk *first = NULL, *talk;

	*others = 0;
	for (size_t i = mirror_count(mirror); i-- > 0;) {
		talk = mirror_at(mirror, i);
		if (talk->link != MIRROR_ASKING)
			continue;
		if (first != NULL)
			++*others;
		else
			first = talk;
	}
	return first;
}

/*
 * Puts a bar in, with that sentence, or takes it out: one that is only hidden
 * stays there for assistive technology.
 */
static void
bar_say(
    struct talk_view *talk, GtkWidget *bar, GtkWidget *label, const char *text)
{
	bool there = gtk_widget_get_parent(bar) != NULL;

	if (text != NULL &&
	    strcmp(gtk_label_get_text(GTK_LABEL(label)), text) != 0) {
		gtk_label_set_text(GTK_LABEL(label), text);
		gtk_accessible_update_property(GTK_ACCESSIBLE(bar),
		    GTK_ACCESSIBLE_PROPERTY_LABEL, text, -1);
	}
	if (text != NULL && !there)
		gtk_box_append(GTK_BOX(talk->bars), bar);
	else if (text == NULL && there)
		gtk_box_remove(GTK_BOX(talk->bars), bar);
}

/* What agreeing does, and what the key below is for. */
static void
say_more(struct talk_view *talk, const char *user)
{
	char *text = g_strdup_printf(
	    "If you agree, %s's program learns your network address, and the "
	    "other way round. Compare the key by another way, a call for one:",
	    user);

	gtk_label_set_text(GTK_LABEL(talk->consent_more), text);
	g_free(text);
}

static void
show_consent(struct talk_view *talk, const struct mirror *mirror)
{
	size_t others = 0;
	const struct mirror_talk *asking =
	    mirror != NULL ? first_asking(mirror, &others) : NULL;
	char *text = NULL, *key;

	if (asking != NULL) {
		g_strlcpy(talk->asking, asking->user, sizeof(talk->asking));
		text = others > 0
		    ? g_strdup_printf("%s wants to talk privately (%zu more "
				      "ask).",
			  asking->user, others)
		    : g_strdup_printf(
			  "%s wants to talk privately.", asking->user);
		say_more(talk, asking->user);
		key = words_line(asking->fingerprint);
		gtk_label_set_text(GTK_LABEL(talk->consent_key), key);
		gtk_widget_set_visible(talk->consent_key, *key != '\0');
		g_free(key);
	} else
		*talk->asking = '\0';
	bar_say(talk, talk->consent, talk->consent_label, text);
	g_free(text);
}

static void
show_lost(struct talk_view *talk, const struct mirror *mirror)
{
	struct mirror_status status = {.reachable = true};
	char *why = NULL;

	if (mirror != NULL)
		mirror_status(mirror, &status);
	if (status.over)
		why = words_line(status.why);
	else if (!status.reachable)
		why = g_strdup("The centre cannot be reached; messages will "
			       "be sent when it is back.");
	bar_say(talk, talk->lost, talk->lost_label, why);
	g_free(why);
}

void
bars_changed(struct talk_view *talk)
{
	show_consent(talk, talk->window->mirror);
	show_lost(talk, talk->window->mirror);
}

/* A bar with its sentence; its name is said when it comes. */
static GtkWidget *
bar_make(GtkWidget **label, const char *class)
{
	GtkWidget *bar = g_object_new(GTK_TYPE_BOX, "accessible-role",
	    GTK_ACCESSIBLE_ROLE_ALERT, "spacing", 12, NULL);

	*label = gtk_label_new(NULL);
	gtk_label_set_xalign(GTK_LABEL(*label), 0);
	gtk_label_set_wrap(GTK_LABEL(*label), TRUE);
	gtk_widget_add_css_class(bar, "talk-bar");
	gtk_widget_add_css_class(bar, class);
	g_object_ref_sink(bar);
	return bar;
}

static void
add_button(GtkWidget *bar, const char *text, const char *action,
    const char *tip, const char *class)
{
	GtkWidget *button = gtk_button_new_with_mnemonic(text);

	gtk_actionable_set_action_name(GTK_ACTIONABLE(button), action);
	gtk_widget_set_tooltip_text(button, tip);
	gtk_widget_set_valign(button, GTK_ALIGN_CENTER);
	if (class != NULL)
		gtk_widget_add_css_class(button, class);
	gtk_box_append(GTK_BOX(bar), button);
}

/* Who asks, and the key that the centre vouches for. */
static void
consent_make(struct talk_view *talk)
{
	GtkWidget *words = gtk_box_new(GTK_ORIENTATION_VERTICAL, 2);

	talk->consent = bar_make(&talk->consent_label, "talk-consent");
	talk->consent_more = gtk_label_new(NULL);
	gtk_label_set_xalign(GTK_LABEL(talk->consent_more), 0);
	gtk_label_set_wrap(GTK_LABEL(talk->consent_more), TRUE);
	talk->consent_key = gtk_label_new(NULL);
	gtk_label_set_natural_wrap_mode(
	    GTK_LABEL(talk->consent_key), GTK_NATURAL_WRAP_NONE);
	gtk_label_set_xalign(GTK_LABEL(talk->consent_key), 0);
	gtk_label_set_wrap(GTK_LABEL(talk->consent_key), TRUE);
	gtk_label_set_wrap_mode(GTK_LABEL(talk->consent_key), PANGO_WRAP_CHAR);
	gtk_label_set_selectable(GTK_LABEL(talk->consent_key), TRUE);
	gtk_widget_set_focusable(talk->consent_key, FALSE);
	gtk_widget_add_css_class(talk->consent_key, "talk-key");
	gtk_widget_add_css_class(talk->consent_label, "heading");
	gtk_box_append(GTK_BOX(words), talk->consent_label);
	gtk_box_append(GTK_BOX(words), talk->consent_more);
	gtk_box_append(GTK_BOX(words), talk->consent_key);
	gtk_widget_set_hexpand(words, TRUE);
	gtk_box_append(GTK_BOX(talk->consent), words);
	add_button(
	    talk->consent, "_Decline", "talk.decline", "Decline (Alt+D)", NULL);
	add_button(talk->consent, "Agree", "talk.agree", "Agree (Alt+Y)",
	    "suggested-action");
}

GtkWidget *
bars_make(struct talk_view *talk)
{
	talk->bars = gtk_box_new(GTK_ORIENTATION_VERTICAL, 0);
	g_object_ref_sink(talk->bars);
	talk->lost = bar_make(&talk->lost_label, "talk-lost");
	gtk_box_append(GTK_BOX(talk->lost), talk->lost_label);
	consent_make(talk);
	gtk_widget_insert_action_group(
	    talk->bars, "talk", G_ACTION_GROUP(talk->actions));
	return talk->bars;
}

void
bars_free(struct talk_view *talk)
{
	g_object_unref(talk->consent);
	g_object_unref(talk->lost);
	g_object_unref(talk->bars);
}

static void
agree(GSimpleAction *action, GVariant *parameter, gpointer arg)
{
	struct talk_view *talk = arg;

	(void)action;
	(void)parameter;
	if (*talk->asking != '\0')
		talk_want_user(talk, WANT_ACCEPT, "accept", talk->asking);
}

static void
decline(GSimpleAction *action, GVariant *parameter, gpointer arg)
{
	struct talk_view *talk = arg;

	(void)action;
	(void)parameter;
	if (*talk->asking != '\0')
		talk_want_user(talk, WANT_DECLINE, "decline", talk->asking);
}

void
bars_actions(struct talk_view *talk)
{
	const GActionEntry rows[] = {
	    {.name = "agree", .activate = agree},
	    {.name = "decline", .activate = decline},
	};

	g_action_map_add_action_entries(
	    G_ACTION_MAP(talk->actions), rows, G_N_ELEMENTS(rows), talk);
}
