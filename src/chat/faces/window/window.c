/* SPDX-License-Identifier: ISC */
/*
 * The window: its frame, and the way between agent, mirror and pieces.  Runs
 * in GLib's loop, in chat-gtk alone; must never wait for anybody.
 */
#include "chat/faces/window/window.h"

#include <string.h>

#include "chat/faces/face.h"
#include "chat/faces/window/actions.h"
#include "chat/faces/window/enter.h"
#include "chat/faces/window/list.h"
#include "chat/faces/window/menu.h"
#include "chat/faces/window/notify.h"
#include "chat/faces/window/page.h"
#include "chat/faces/window/plug.h"
#include "chat/faces/window/prefs.h"
#include "chat/faces/window/talk.h"
#include "chat/faces/window/words.h"
#include "lib/unix.h"
#include "lib/wire.h"

enum { LEAVE_MS = 7000 }; /* a little more than the agent's logout */

/* What waits for a reply. */
struct asked {
	window_reply *take;
	void *arg;
};

static const char style[] =
    ".chat-badge { background: @accent_bg_color; color: @accent_fg_color; "
    "border-radius: 9px; padding: 0 7px; font-size: smaller; "
    "font-weight: bold; }";

/* The name by which assistive technology calls a widget without text. */
void
window_name(GtkWidget *widget, const char *name)
{
	gtk_accessible_update_property(
	    GTK_ACCESSIBLE(widget), GTK_ACCESSIBLE_PROPERTY_LABEL, name, -1);
}

/* Turns a stack to that page; the others are there for nobody. */
void
window_turn(GtkStack *stack, const char *name)
{
	GtkWidget *page = gtk_stack_get_child_by_name(stack, name);
	GtkWidget *other = gtk_widget_get_first_child(GTK_WIDGET(stack));

	gtk_widget_set_visible(page, TRUE);
	gtk_stack_set_visible_child(stack, page);
	for (; other != NULL; other = gtk_widget_get_next_sibling(other))
		gtk_widget_set_visible(other, other == page);
}

/* It has gone by itself: the next sentence is one of its own. */
static void
gone(AdwToast *toast, gpointer arg)
{
	struct window *window = arg;

	if (window->toast == toast)
		g_clear_weak_pointer(&window->toast);
}

/* The one that is there says this instead, and for its whole time. */
void
window_toast(struct window *window, AdwToastOverlay *over, const char *text)
{
	char *safe = words_brief(text), *plain = g_markup_escape_text(safe, -1);
	AdwToast *toast = window->toast;

	if (toast != NULL && window->toasting == over) {
		adw_toast_set_title(toast, plain);
		adw_toast_overlay_add_toast(over, g_object_ref(toast));
	} else {
		toast = adw_toast_new(plain);
		g_clear_weak_pointer(&window->toast);
		g_set_weak_pointer(&window->toast, toast);
		window->toasting = over;
		g_signal_connect(toast, "dismissed", G_CALLBACK(gone), window);
		adw_toast_set_priority(toast, ADW_TOAST_PRIORITY_HIGH);
		adw_toast_overlay_add_toast(over, toast);
	}
	g_free(plain);
	g_free(safe);
}

/* True if the right side can be seen. */
static bool
talk_seen(const struct window *window)
{
	return window->mirror != NULL &&
	    (!adw_leaflet_get_folded(window->leaflet) ||
		adw_leaflet_get_visible_child(window->leaflet) ==
		    talk_widget(window->talk));
}

/* A sentence that goes by itself; never over the field to write in. */
void
window_say(struct window *window, const char *text)
{
	if (talk_seen(window) && talk_say(window->talk, NULL, "", text))
		return;
	window_toast(window, window->toasts, text);
}

/* ---- what the agent says ---- */

/* Sends a request to the agent. */
int64_t
window_ask(
    struct window *window, json_t *request, window_reply *take, void *arg)
{
	struct asked *asked;
	int64_t tag;

	if (window->plug == NULL) {
		json_decref(request);
		return -1;
	}
	tag = plug_say(window->plug, request);
	if (tag == -1 || take == NULL)
		return tag;
	asked = g_new(struct asked, 1);
	asked->take = take;
	asked->arg = arg;
	g_hash_table_insert(window->asked, g_memdup2(&tag, sizeof(tag)), asked);
	return tag;
}

/* A reply, to whom it belongs; false if nobody here asked. */
static bool
replied(struct window *window, const json_t *object)
{
	gint64 tag = face_tag(object);
	struct asked *asked = g_hash_table_lookup(window->asked, &tag), copy;

	if (tag == -1 || asked == NULL)
		return false;
	copy = *asked;
	if (!wire_get_bool(object, "more"))
		g_hash_table_remove(window->asked, &tag);
	copy.take(window, object, copy.arg);
	return true;
}

static void
agent_line(void *arg, const json_t *object)
{
	struct window *window = arg;

	if (replied(window, object))
		return;
	if (window->mirror != NULL)
		mirror_take(window->mirror, object, clock_wall());
	/* What the end means was not heard before watch by anybody. */
	enter_event(window, object);
}

static void
agent_gone(void *arg)
{
	struct window *window = arg;
	struct mirror_status status;

	if (window->leaving) {
		g_application_quit(G_APPLICATION(window->app));
		return;
	}
	if (window->mirror != NULL) {
		mirror_status(window->mirror, &status);
		if (status.over) {
			enter_over(window, status.why);
			return;
		}
	}
	enter_gone(window);
}

/* The agent's socket. */
int
window_plug(struct window *window, const char *path)
{
	static const struct plug_calls calls = {agent_line, agent_gone};

	window_unplug(window);
	window->plug = plug_open(path, &calls, window);
	return window->plug != NULL ? 0 : -1;
}

/* Hangs up and forgets the session. */
void
window_unplug(struct window *window)
{
	plug_close(window->plug);
	window->plug = NULL;
	g_hash_table_remove_all(window->asked);
	if (window->mirror == NULL)
		return;
	talk_show(window->talk, NULL);
	g_clear_object(&window->open);
	list_show(window->list, NULL);
	model_free(window->model);
	mirror_free(window->mirror);
	window->model = NULL;
	window->mirror = NULL;
	/* Last, for letting go stirs the pieces once more. */
	if (window->minding != 0)
		g_source_remove(window->minding);
	window->minding = 0;
	actions_session(window, false);
	gtk_window_set_title(window->top, "Chat");
}

/* ---- what the mirror says ---- */

static int64_t
mirror_asks(void *arg, json_t *request)
{
	return window_ask(arg, request, NULL, NULL);
}

static void
talks_changed(void *arg, size_t position, size_t removed, size_t added)
{
	struct window *window = arg;

	/* What it begins with comes before there is a model. */
	if (window->model == NULL)
		return;
	model_talks_changed(window->model, position, removed, added);
	window_mind(window);
}

static void
talk_changed(void *arg, struct mirror_talk *talk)
{
	struct window *window = arg;

	if (window->model == NULL)
		return;
	model_talk_changed(window->model, talk);
	if (talk->unread == 0)
		notify_read(window, talk->user);
	window_mind(window);
}

static void
lines_changed(void *arg, struct mirror_talk *talk, size_t position,
    size_t removed, size_t added)
{
	struct window *window = arg;

	if (window->model != NULL)
		model_lines_changed(
		    window->model, talk, position, removed, added);
}

static void
line_arrived(
    void *arg, struct mirror_talk *talk, const struct mirror_line *line)
{
	struct window *window = arg;

	if (window->open != NULL && chat_talk_mirror(window->open) == talk)
		talk_arrived(window->talk, line);
	if (!window_shows(window, talk))
		notify_arrived(window, talk, line);
	window_mind(window);
}

static void
status_changed(void *arg)
{
	window_mind(arg);
}

static void
mirror_says(
    void *arg, struct mirror_talk *talk, const char *event, const char *text)
{
	/* What is seen elsewhere: in the list, the lines, the bars. */
	static const char *const seen[] = {
	    "login", "logout", "state", "ask", "reachable", "unreachable"};
	struct window *window = arg;

	if (talk != NULL && strcmp(event, "ask") == 0 &&
	    !window_shows(window, talk))
		notify_asked(window, talk);
	for (size_t i = 0; i < G_N_ELEMENTS(seen); i++)
		if (strcmp(event, seen[i]) == 0)
			return;
	window_say(window, text);
}

static void
mirror_found(void *arg, const struct mirror_found *found, size_t count)
{
	struct window *window = arg;

	talk_found(window->talk, found, count);
}

static const struct mirror_calls mirror_window = {
    .ask = mirror_asks,
    .talks = talks_changed,
    .talk = talk_changed,
    .lines = lines_changed,
    .arrived = line_arrived,
    .status = status_changed,
    .say = mirror_says,
    .found = mirror_found,
};

/* ---- what is before the eyes ---- */

/* True if the user has this conversation before the eyes. */
bool
window_shows(struct window *window, const struct mirror_talk *talk)
{
	return window->open != NULL && chat_talk_mirror(window->open) == talk &&
	    gtk_window_is_active(window->top) &&
	    (!adw_leaflet_get_folded(window->leaflet) ||
		adw_leaflet_get_visible_child(window->leaflet) ==
		    talk_widget(window->talk)) &&
	    talk_at_end(window->talk);
}

/* The title, with how many are unread. */
static void
put_title(struct window *window, const struct mirror_status *status)
{
	int64_t unread = mirror_unread_count(window->mirror);
	char *plain = g_strdup_printf("Chat - %s", window->user);
	char *title = unread > 0
	    ? g_strdup_printf("(%lld) %s", (long long)unread, plain)
	    : g_strdup(plain);

	gtk_window_set_title(window->top, title);
	list_title(window->list, title,
	    status->reachable ? "" : "the centre cannot be reached");
	g_free(title);
	g_free(plain);
}

static gboolean
mind(gpointer arg)
{
	struct window *window = arg;
	struct mirror_talk *open =
	    window->open != NULL ? chat_talk_mirror(window->open) : NULL;
	struct mirror_status status;

	window->minding = 0;
	if (window->mirror == NULL) /* the session went meanwhile */
		return G_SOURCE_REMOVE;
	mirror_status(window->mirror, &status);
	if (status.over) {
		enter_over(window, status.why);
		return G_SOURCE_REMOVE;
	}
	if (open != NULL && open->unread > 0 && window_shows(window, open)) {
		mirror_read(window->mirror, open);
		notify_read(window, open->user);
	}
	list_mark(window->list);
	list_reachable(window->list, status.reachable);
	talk_status(window->talk);
	put_title(window, &status);
	return G_SOURCE_REMOVE;
}

/* Soon: what is before the eyes is read, the title is right. */
void
window_mind(struct window *window)
{
	if (window->mirror != NULL && window->minding == 0)
		window->minding =
		    g_idle_add_full(G_PRIORITY_HIGH_IDLE, mind, window, NULL);
}

/* Opens a conversation. */
bool
window_open(struct window *window, const char *user)
{
	struct mirror_talk *talk;
	ChatTalk *object;

	if (window->mirror == NULL)
		return false;
	talk = mirror_open(window->mirror, user);
	if (talk == NULL)
		return false;
	object = model_talk(window->model, talk);
	adw_leaflet_navigate(window->leaflet, ADW_NAVIGATION_DIRECTION_FORWARD);
	if (object == window->open) {
		window_mind(window);
		return true;
	}
	g_set_object(&window->open, object);
	talk_show(window->talk, object);
	window_mind(window);
	return true;
}

/* The keyboard goes to where one writes. */
void
window_focus(struct window *window)
{
	talk_focus(window->talk);
}

/* ---- a session begins and ends ---- */

/* What a person is told at the login. */
static void
greet(struct window *window, const json_t *login)
{
	const char *warning = wire_get_string(login, "warning");
	int64_t failed = wire_get_number(login, "failed_attempts", 0);
	GString *text = g_string_new(warning);

	if (failed > 0)
		g_string_append_printf(text,
		    "%s%lld failed login%s since your last one.",
		    text->len > 0 ? " " : "", (long long)failed,
		    failed == 1 ? "" : "s");
	if (text->len > 0)
		window_say(window, text->str);
	g_string_free(text, TRUE);
}

/* There is a session. */
void
window_begin(struct window *window, const json_t *login)
{
	window->message_bytes =
	    (size_t)wire_get_number(login, "message_bytes", TEXT_MAX_LEN);
	window->mirror = mirror_new(window->user, &mirror_window, window);
	if (window->mirror == NULL)
		g_error("no memory");
	window->model = model_new(window->mirror);
	list_show(window->list, model_talks(window->model));
	talk_begin(window->talk, window->user, window->centre);
	actions_session(window, true);
	mirror_begin(window->mirror);
	window_turn(window->stack, "talks");
	gtk_window_set_default_widget(window->top, NULL);
	greet(window, login);
	list_focus(window->list);
	window_mind(window);
}

/* ---- leaving ---- */

static gboolean
left(gpointer arg)
{
	struct window *window = arg;

	g_application_quit(G_APPLICATION(window->app));
	return G_SOURCE_REMOVE;
}

static void
quit_answered(struct window *window, const json_t *reply, void *arg)
{
	(void)reply;
	(void)arg;
	g_application_quit(G_APPLICATION(window->app));
}

static void
keep_size(struct window *window)
{
	window->keep.maximized = gtk_window_is_maximized(window->top);
	if (!window->keep.maximized)
		gtk_window_get_default_size(
		    window->top, &window->keep.width, &window->keep.height);
	keep_write(&window->keep);
}

/* Leaves: logs out (or stays, if so wanted), then ends the program. */
void
window_leave(struct window *window)
{
	const char *how =
	    window->keep.stay && window->mirror != NULL ? "detach" : "quit";

	if (window->leaving)
		return;
	window->leaving = true;
	keep_size(window);
	gtk_widget_set_visible(GTK_WIDGET(window->top), FALSE);
	if (window_ask(window, face_request(how), quit_answered, NULL) == -1)
		g_application_quit(G_APPLICATION(window->app));
	else
		g_timeout_add(LEAVE_MS, left, window);
}

static gboolean
close_request(GtkWindow *top, gpointer arg)
{
	(void)top;
	window_leave(arg);
	return TRUE;
}

/* ---- the frame ---- */

static void
eyes_changed(struct window *window)
{
	window_mind(window);
}

static void
add_style(void)
{
	GtkCssProvider *provider = gtk_css_provider_new();

	gtk_css_provider_load_from_data(provider, style, -1);
	gtk_style_context_add_provider_for_display(gdk_display_get_default(),
	    GTK_STYLE_PROVIDER(provider),
	    GTK_STYLE_PROVIDER_PRIORITY_APPLICATION);
	g_object_unref(provider);
}

static void
make_talks(struct window *window)
{
	GtkWidget *line = gtk_separator_new(GTK_ORIENTATION_VERTICAL);

	window->leaflet = ADW_LEAFLET(adw_leaflet_new());
	adw_leaflet_set_can_navigate_back(window->leaflet, TRUE);
	window->list = list_new(window);
	window->talk = talk_new(window);
	adw_leaflet_append(window->leaflet, list_widget(window->list));
	adw_leaflet_page_set_navigatable(
	    adw_leaflet_append(window->leaflet, line), FALSE);
	adw_leaflet_append(window->leaflet, talk_widget(window->talk));
	g_signal_connect_swapped(window->leaflet, "notify::visible-child",
	    G_CALLBACK(eyes_changed), window);
}

/* The window itself, in its application. */
void
window_make(struct window *window, AdwApplication *app)
{
	GtkWidget *talks;

	window->app = app;
	window->asked =
	    g_hash_table_new_full(g_int64_hash, g_int64_equal, g_free, g_free);
	window->actions = g_ptr_array_new();
	window->top =
	    GTK_WINDOW(adw_application_window_new(GTK_APPLICATION(app)));
	window->toasts = ADW_TOAST_OVERLAY(adw_toast_overlay_new());
	window->stack = GTK_STACK(gtk_stack_new());
	add_style();
	prefs_look(window);
	menu_actions(window);
	make_talks(window);
	window->page = page_new(window);
	gtk_stack_add_named(window->stack, page_widget(window->page), "page");
	talks = gtk_box_new(GTK_ORIENTATION_VERTICAL, 0);
	gtk_box_append(GTK_BOX(talks), GTK_WIDGET(window->leaflet));
	gtk_box_append(GTK_BOX(talks), talk_bars(window->talk));
	gtk_widget_set_vexpand(GTK_WIDGET(window->leaflet), TRUE);
	gtk_stack_add_named(window->stack, talks, "talks");
	adw_toast_overlay_set_child(window->toasts, GTK_WIDGET(window->stack));
	adw_application_window_set_content(
	    ADW_APPLICATION_WINDOW(window->top), GTK_WIDGET(window->toasts));
	gtk_window_set_title(window->top, "Chat");
	gtk_window_set_icon_name(window->top, WINDOW_ID);
	gtk_window_set_default_size(
	    window->top, window->keep.width, window->keep.height);
	if (window->keep.maximized)
		gtk_window_maximize(window->top);
	g_signal_connect(
	    window->top, "close-request", G_CALLBACK(close_request), window);
	g_signal_connect_swapped(
	    window->top, "notify::is-active", G_CALLBACK(eyes_changed), window);
}

void
window_present(struct window *window)
{
	gtk_window_present(window->top);
}

void
window_free(struct window *window)
{
	if (window->top == NULL)
		return;
	enter_free(window);
	window_unplug(window);
	g_clear_weak_pointer(&window->toast);
	gtk_window_destroy(window->top);
	talk_view_free(window->talk);
	list_free(window->list);
	page_free(window->page);
	g_hash_table_unref(window->asked);
	g_ptr_array_unref(window->actions);
	g_free(window->user);
	g_free(window->centre);
}
