/* SPDX-License-Identifier: ISC */
/*
 * A row of the conversation, see bubble.h.  What a line seldom has (a day, an
 * author, buttons) is made when the first such line comes, and hidden for
 * the others.  Text of others goes in as text, never as markup.
 */
#include "chat/faces/window/bubble.h"

#include <string.h>

#include "chat/faces/window/phrases.h"
#include "chat/faces/window/words.h"

enum { TOGETHER_MS = 5 * 60 * 1000 }; /* one author's lines, one group */

struct _ChatBubble {
	GtkBox parent;
	ChatRow *line; /* while it is shown */
	gulong changed;
	GtkWidget *day, *fresh; /* above; NULL until needed */
	GtkWidget *body; /* the bubble itself */
	GtkWidget *author, *text, *foot, *reason, *buttons;
	const char *look; /* the classes that it has */
	const char *hue;
};

G_DEFINE_FINAL_TYPE(ChatBubble, chat_bubble, GTK_TYPE_BOX)

static void
bubble_dispose(GObject *object)
{
	ChatBubble *bubble = CHAT_BUBBLE(object);

	if (bubble->line != NULL)
		g_clear_signal_handler(&bubble->changed, bubble->line);
	g_clear_object(&bubble->line);
	G_OBJECT_CLASS(chat_bubble_parent_class)->dispose(object);
}

static void
chat_bubble_class_init(ChatBubbleClass *class)
{
	G_OBJECT_CLASS(class)->dispose = bubble_dispose;
}

/* A label with a style class. */
static GtkWidget *
label(const char *class, float align)
{
	GtkWidget *made = gtk_label_new(NULL);

	gtk_label_set_xalign(GTK_LABEL(made), align);
	gtk_widget_add_css_class(made, class);
	return made;
}

/* Lets long words and long texts break, in a width that reads well. */
static void
wrap(GtkWidget *text)
{
	gtk_label_set_wrap(GTK_LABEL(text), TRUE);
	gtk_label_set_wrap_mode(GTK_LABEL(text), PANGO_WRAP_WORD_CHAR);
	gtk_label_set_max_width_chars(GTK_LABEL(text), 56);
}

static void
chat_bubble_init(ChatBubble *bubble)
{
	GtkWidget *box = GTK_WIDGET(bubble);

	gtk_orientable_set_orientation(
	    GTK_ORIENTABLE(bubble), GTK_ORIENTATION_VERTICAL);
	gtk_widget_add_css_class(box, "talk-row");
	bubble->body = gtk_box_new(GTK_ORIENTATION_VERTICAL, 2);
	bubble->text = label("talk-text", 0);
	wrap(bubble->text);
	bubble->foot = label("talk-foot", 1);
	gtk_box_append(GTK_BOX(bubble->body), bubble->text);
	gtk_box_append(GTK_BOX(bubble->body), bubble->foot);
	gtk_box_append(GTK_BOX(bubble), bubble->body);
}

/* Shows a part with that text, or hides it; made by the first that has one. */
static void
part(GtkWidget **which, const char *text, const char *class, GtkWidget *box,
    GtkWidget *after)
{
	if (*which == NULL) {
		if (text == NULL)
			return;
		*which = label(class, 0);
		gtk_box_insert_child_after(GTK_BOX(box), *which, after);
	}
	/* What is hidden is still there for assistive technology. */
	gtk_label_set_text(GTK_LABEL(*which), text != NULL ? text : "");
	gtk_widget_set_visible(*which, text != NULL);
}

/* One of some colours, the same for a name in every run. */
static const char *
hue_of(const char *name)
{
	static const char *const hues[] = {"talk-hue-0", "talk-hue-1",
	    "talk-hue-2", "talk-hue-3", "talk-hue-4", "talk-hue-5"};
	unsigned sum = 5381;

	for (; *name != '\0'; name++)
		sum = sum * 33 + (unsigned char)*name;
	return hues[sum % G_N_ELEMENTS(hues)];
}

static bool
is_own(const struct mirror_line *line)
{
	return line->state != MIRROR_RECEIVED;
}

/* Lines of one author, soon after one another, stand under one name. */
static bool
goes_on(const struct mirror_line *line, const struct mirror_line *before)
{
	return before != NULL && is_own(line) == is_own(before) &&
	    line->kind == before->kind &&
	    strcmp(line->from, before->from) == 0 &&
	    line->time - before->time < TOGETHER_MS &&
	    phrase_same_day(line->time, before->time);
}

/* Where it stands and how it looks: by whom it is, and of what kind. */
static const char *
look_of(const struct mirror_line *line)
{
	if (line->kind == MIRROR_NOTICE)
		return "talk-notice";
	if (line->state == MIRROR_REFUSED || line->state == MIRROR_KEPT)
		return "talk-failed";
	if (is_own(line))
		return line->kind == MIRROR_PRIVATE ? "talk-own-private"
						    : "talk-own";
	return line->kind == MIRROR_PRIVATE ? "talk-other-private"
					    : "talk-other";
}

/* Puts the bubble on its side, with its classes, if they are others. */
static void
dress(ChatBubble *bubble, const struct mirror_line *line)
{
	const char *look = look_of(line);
	const char *classes[] = {"talk-bubble", look, NULL};

	if (look == bubble->look)
		return;
	bubble->look = look;
	gtk_widget_set_css_classes(bubble->body, classes);
	gtk_widget_set_halign(bubble->body,
	    line->kind == MIRROR_NOTICE ? GTK_ALIGN_CENTER
		: is_own(line)          ? GTK_ALIGN_END
					: GTK_ALIGN_START);
}

/* Day line and "new messages", above the bubble. */
static void
show_above(ChatBubble *bubble, const struct mirror_line *line,
    const struct mirror_line *before)
{
	bool same = before != NULL && phrase_same_day(line->time, before->time);
	char *day = same ? NULL : phrase_day(line->time);

	part(&bubble->day, day, "talk-day", GTK_WIDGET(bubble), NULL);
	part(&bubble->fresh,
	    chat_row_fresh(bubble->line) ? "New messages" : NULL, "talk-new",
	    GTK_WIDGET(bubble), bubble->day);
	if (bubble->day != NULL)
		gtk_widget_set_halign(bubble->day, GTK_ALIGN_CENTER);
	g_free(day);
}

/* The author's name, in their colour, above the first of a group. */
static void
show_author(ChatBubble *bubble, const struct mirror_line *line,
    const struct mirror_line *before)
{
	bool first = !is_own(line) && line->kind != MIRROR_NOTICE &&
	    !goes_on(line, before);
	char *name = first ? words_line(line->from) : NULL;
	const char *hue = hue_of(line->from);
	const char *classes[] = {"talk-author", hue, NULL};

	part(&bubble->author, name, "talk-author", bubble->body, NULL);
	if (first && hue != bubble->hue) {
		gtk_widget_set_css_classes(bubble->author, classes);
		bubble->hue = hue;
	}
	g_free(name);
}

/* The line under the text: private or not, time, mark of the state. */
static char *
foot_of(const struct mirror_line *line)
{
	char *time = words_clock(line->time);
	const char *mark = phrase_mark(line->state);
	char *text = g_strdup_printf("%s%s%s%s",
	    line->kind == MIRROR_PRIVATE ? "private · " : "", time,
	    *mark != '\0' ? " " : "", mark);

	g_free(time);
	return text;
}

/* A button of a failed message, for the action of that name. */
static void
add_button(ChatBubble *bubble, const char *text, const char *action)
{
	GtkWidget *button = gtk_button_new_with_mnemonic(text);

	gtk_actionable_set_action_name(GTK_ACTIONABLE(button), action);
	gtk_box_append(GTK_BOX(bubble->buttons), button);
}

/* Why it failed, and what can be done. */
static void
show_failure(ChatBubble *bubble, const struct mirror_talk *talk,
    const struct mirror_line *line)
{
	bool kept = line->state == MIRROR_KEPT;
	char *why = phrase_reason(line, talk->user);

	part(&bubble->reason, *why != '\0' ? why : NULL, "talk-reason",
	    bubble->body, bubble->foot);
	if (bubble->reason != NULL)
		wrap(bubble->reason);
	g_free(why);
	if (bubble->buttons != NULL) {
		gtk_box_remove(GTK_BOX(bubble->body), bubble->buttons);
		bubble->buttons = NULL;
	}
	if ((line->state != MIRROR_REFUSED && !kept) ||
	    strcmp(line->reason, "no-such-user") == 0)
		return;
	bubble->buttons = gtk_box_new(GTK_ORIENTATION_HORIZONTAL, 6);
	gtk_widget_set_halign(bubble->buttons, GTK_ALIGN_END);
	if (kept)
		add_button(bubble, "_Leave at the Centre", "talk.leave");
	add_button(bubble, "Try A_gain", "talk.again");
	for (GtkWidget *button = gtk_widget_get_first_child(bubble->buttons);
	     button != NULL; button = gtk_widget_get_next_sibling(button))
		gtk_actionable_set_action_target(
		    GTK_ACTIONABLE(button), "x", line->row);
	gtk_box_append(GTK_BOX(bubble->body), bubble->buttons);
}

char *
bubble_spoken(const struct mirror_talk *talk, const struct mirror_line *line)
{
	char *from = words_line(line->from);
	char *text = words_text(line->text), *time = words_clock(line->time);
	char *state = phrase_state(line, *talk->user != '\0' ? talk->user : "");
	char *why = phrase_reason(line, talk->user);
	const char *kind = line->kind == MIRROR_PRIVATE ? " (private)"
	    : line->kind == MIRROR_BROADCAST            ? " (to all)"
							: "";
	char *spoken = g_strdup_printf("%s%s: %s, %s%s%s%s%s",
	    is_own(line)                      ? "You"
		: line->kind == MIRROR_NOTICE ? "Notice"
					      : from,
	    kind, text, time, *state != '\0' ? ", " : "", state,
	    *why != '\0' ? ": " : "", why);

	g_free(from);
	g_free(text);
	g_free(time);
	g_free(state);
	g_free(why);
	return spoken;
}

/* Tells readers of the screen what the row says, mark and all. */
static void
name_row(ChatBubble *bubble, const struct mirror_talk *talk,
    const struct mirror_line *line)
{
	GtkWidget *row = gtk_widget_get_parent(GTK_WIDGET(bubble));
	char *spoken;

	if (row == NULL)
		return; /* not in the list yet: see placed() */
	spoken = bubble_spoken(talk, line);
	gtk_accessible_update_property(
	    GTK_ACCESSIBLE(row), GTK_ACCESSIBLE_PROPERTY_LABEL, spoken, -1);
	g_free(spoken);
}

/* It has come into the list after its line was known. */
static void
placed(ChatBubble *bubble)
{
	const struct mirror_talk *talk;
	const struct mirror_line *line, *before;

	if (bubble->line == NULL)
		return;
	line = chat_row_get(bubble->line, &talk, &before);
	if (line != NULL)
		name_row(bubble, talk, line);
}

/* Shows its line as it is now. */
static void
refresh(ChatBubble *bubble)
{
	const struct mirror_talk *talk;
	const struct mirror_line *before;
	const struct mirror_line *line =
	    chat_row_get(bubble->line, &talk, &before);
	char *text, *foot;

	if (line == NULL)
		return;
	dress(bubble, line);
	show_above(bubble, line, before);
	show_author(bubble, line, before);
	text = words_text(line->text);
	gtk_label_set_text(GTK_LABEL(bubble->text), text);
	foot = foot_of(line);
	gtk_label_set_text(GTK_LABEL(bubble->foot), foot);
	show_failure(bubble, talk, line);
	if (chat_row_found(bubble->line))
		gtk_widget_add_css_class(GTK_WIDGET(bubble), "talk-found");
	else
		gtk_widget_remove_css_class(GTK_WIDGET(bubble), "talk-found");
	name_row(bubble, talk, line);
	g_free(text);
	g_free(foot);
}

ChatRow *
chat_bubble_line(ChatBubble *bubble)
{
	return bubble->line;
}

static void
setup(GtkSignalListItemFactory *factory, GtkListItem *item, gpointer arg)
{
	ChatBubble *bubble = g_object_new(CHAT_TYPE_BUBBLE, NULL);

	(void)factory;
	(void)arg;
	gtk_list_item_set_child(item, GTK_WIDGET(bubble));
	gtk_list_item_set_activatable(item, FALSE);
	g_signal_connect(bubble, "notify::parent", G_CALLBACK(placed), NULL);
}

static void
bind(GtkSignalListItemFactory *factory, GtkListItem *item, gpointer arg)
{
	ChatBubble *bubble = CHAT_BUBBLE(gtk_list_item_get_child(item));

	(void)factory;
	(void)arg;
	bubble->line = CHAT_ROW(g_object_ref(gtk_list_item_get_item(item)));
	bubble->changed = g_signal_connect_swapped(
	    bubble->line, "changed", G_CALLBACK(refresh), bubble);
	refresh(bubble);
}

static void
unbind(GtkSignalListItemFactory *factory, GtkListItem *item, gpointer arg)
{
	ChatBubble *bubble = CHAT_BUBBLE(gtk_list_item_get_child(item));

	(void)factory;
	(void)arg;
	if (bubble->line != NULL)
		g_clear_signal_handler(&bubble->changed, bubble->line);
	g_clear_object(&bubble->line);
}

GtkListItemFactory *
bubble_factory(void)
{
	GtkListItemFactory *factory = gtk_signal_list_item_factory_new();

	g_signal_connect(factory, "setup", G_CALLBACK(setup), NULL);
	g_signal_connect(factory, "bind", G_CALLBACK(bind), NULL);
	g_signal_connect(factory, "unbind", G_CALLBACK(unbind), NULL);
	return factory;
}
