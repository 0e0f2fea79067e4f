/* SPDX-License-Identifier: ISC */
/*
 * The right side of the window: one conversation, with its header bar.  Told
 * by the window what is open; asks the agent through window_ask().
 */
#include "chat/faces/window/talk.h"

#include "chat/faces/window/window.h"

struct talk_view {
	struct window *window;
	GtkWidget *box;
	AdwWindowTitle *title;
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

struct talk_view *
talk_new(struct window *window)
{
	struct talk_view *view = g_new0(struct talk_view, 1);
	GtkWidget *bar = adw_header_bar_new();

	view->window = window;
	view->title = ADW_WINDOW_TITLE(adw_window_title_new("", ""));
	view->box = gtk_box_new(GTK_ORIENTATION_VERTICAL, 0);
	gtk_widget_set_hexpand(view->box, TRUE);
	adw_header_bar_set_title_widget(
	    ADW_HEADER_BAR(bar), GTK_WIDGET(view->title));
	adw_header_bar_pack_start(ADW_HEADER_BAR(bar), back_button(window));
	gtk_box_append(GTK_BOX(view->box), bar);
	return view;
}

GtkWidget *
talk_widget(struct talk_view *view)
{
	return view->box;
}

void
talk_view_free(struct talk_view *view)
{
	g_free(view);
}

/* Shows that conversation. */
void
talk_show(struct talk_view *view, ChatTalk *talk)
{
	const char *user = talk != NULL ? chat_talk_user(talk) : "";

	adw_window_title_set_title(
	    view->title, *user != '\0' ? user : "Everybody");
}

void
talk_focus(struct talk_view *view)
{
	gtk_widget_grab_focus(view->box);
}

bool
talk_at_end(struct talk_view *view)
{
	(void)view;
	return true;
}

void
talk_status(struct talk_view *view)
{
	(void)view;
}

void
talk_arrived(struct talk_view *view, const struct mirror_line *line)
{
	(void)view;
	(void)line;
}

bool
talk_say(struct talk_view *view, struct mirror_talk *talk, const char *event,
    const char *text)
{
	(void)view;
	(void)talk;
	(void)event;
	(void)text;
	return false;
}

void
talk_found(
    struct talk_view *view, const struct mirror_found *found, size_t count)
{
	(void)view;
	(void)found;
	(void)count;
}
