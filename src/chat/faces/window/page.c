/* SPDX-License-Identifier: ISC */
/*
 * What the window shows while there is no session: a wait, the first form,
 * the question for the password, a sentence with buttons.  Knows no agent;
 * what is typed goes to enter.h.
 */
#include "chat/faces/window/page.h"

#include <string.h>

#include "chat/faces/window/enter.h"
#include "chat/faces/window/menu.h"
#include "chat/faces/window/window.h"
#include "chat/faces/window/words.h"

enum { FORM_WIDTH = 460, WORDS_WIDTH = 640, GAP = 12, MARGIN = 24, ICON = 72 };

struct page {
	struct window *window;
	GtkWidget *box;
	GtkStack *stack; /* "wait", "words", "first", "password" */
	GtkLabel *wait;
	GtkSpinner *spinner;

	GtkImage *icon;
	GtkLabel *title, *text, *detail;
	GtkButton *yes, *no;

	GtkEditable *server, *user, *first_secret;
	GtkLabel *first_why;
	GtkButton *first_go;

	GtkLabel *who, *password_why;
	GtkEditable *secret;
	GtkButton *password_go;
	char *locked; /* with @ for the seconds that are left */
	gint64 unlock; /* monotonic, microseconds */
	guint ticking; /* a source, while the account is locked */
};

/* ---- the pieces ---- */

static GtkLabel *
add_label(GtkWidget *box, const char *class)
{
	GtkWidget *label = gtk_label_new(NULL);

	gtk_label_set_wrap(GTK_LABEL(label), TRUE);
	gtk_label_set_wrap_mode(GTK_LABEL(label), PANGO_WRAP_WORD_CHAR);
	gtk_label_set_justify(GTK_LABEL(label), GTK_JUSTIFY_CENTER);
	if (class != NULL)
		gtk_widget_add_css_class(label, class);
	gtk_box_append(GTK_BOX(box), label);
	return GTK_LABEL(label);
}

/* Shows text in a label, or hides it without any. */
static void
put_label(GtkLabel *label, const char *text)
{
	char *safe = words_text(text);

	gtk_label_set_text(label, safe);
	gtk_widget_set_visible(GTK_WIDGET(label), *safe != '\0');
	g_free(safe);
}

static GtkButton *
add_button(GtkWidget *box, const char *class)
{
	GtkWidget *button = gtk_button_new();

	gtk_widget_add_css_class(button, "pill");
	if (class != NULL)
		gtk_widget_add_css_class(button, class);
	gtk_widget_set_halign(button, GTK_ALIGN_CENTER);
	gtk_box_append(GTK_BOX(box), button);
	return GTK_BUTTON(button);
}

static void
put_button(GtkButton *button, const struct page_button *what)
{
	gtk_widget_set_visible(GTK_WIDGET(button), what->label != NULL);
	if (what->label == NULL)
		return;
	gtk_button_set_label(button, what->label);
	gtk_actionable_set_action_name(GTK_ACTIONABLE(button), what->action);
}

/* A text with its name above it. */
static GtkEditable *
add_entry(GtkWidget *box, GtkWidget *entry, const char *name)
{
	GtkWidget *label = gtk_label_new_with_mnemonic(name);

	gtk_widget_set_halign(label, GTK_ALIGN_START);
	gtk_label_set_mnemonic_widget(GTK_LABEL(label), entry);
	gtk_box_append(GTK_BOX(box), label);
	gtk_box_append(GTK_BOX(box), entry);
	return GTK_EDITABLE(entry);
}

static GtkWidget *
secret_entry(void)
{
	GtkWidget *entry = gtk_password_entry_new();

	gtk_password_entry_set_show_peek_icon(GTK_PASSWORD_ENTRY(entry), TRUE);
	return entry;
}

/* A column in the middle of the window, which scrolls where it must. */
static GtkWidget *
add_column(struct page *page, const char *name, int width)
{
	GtkWidget *scroll = gtk_scrolled_window_new();
	GtkWidget *clamp = adw_clamp_new();
	GtkWidget *box = gtk_box_new(GTK_ORIENTATION_VERTICAL, GAP);

	gtk_widget_set_valign(box, GTK_ALIGN_CENTER);
	gtk_widget_set_margin_start(box, MARGIN);
	gtk_widget_set_margin_end(box, MARGIN);
	gtk_widget_set_margin_top(box, MARGIN);
	gtk_widget_set_margin_bottom(box, MARGIN);
	adw_clamp_set_maximum_size(ADW_CLAMP(clamp), width);
	adw_clamp_set_child(ADW_CLAMP(clamp), box);
	gtk_scrolled_window_set_policy(GTK_SCROLLED_WINDOW(scroll),
	    GTK_POLICY_NEVER, GTK_POLICY_AUTOMATIC);
	gtk_scrolled_window_set_child(GTK_SCROLLED_WINDOW(scroll), clamp);
	gtk_stack_add_named(page->stack, scroll, name);
	return box;
}

/* ---- the pages ---- */

static void
make_wait(struct page *page)
{
	GtkWidget *box = add_column(page, "wait", FORM_WIDTH);

	page->spinner = GTK_SPINNER(gtk_spinner_new());
	gtk_widget_set_size_request(GTK_WIDGET(page->spinner), 32, 32);
	gtk_box_append(GTK_BOX(box), GTK_WIDGET(page->spinner));
	page->wait = add_label(box, NULL);
	window_name(GTK_WIDGET(page->spinner), "Please wait");
}

static void
make_words(struct page *page)
{
	GtkWidget *box = add_column(page, "words", WORDS_WIDTH);

	page->icon = GTK_IMAGE(gtk_image_new());
	gtk_image_set_pixel_size(page->icon, ICON);
	gtk_widget_add_css_class(GTK_WIDGET(page->icon), "dim-label");
	gtk_box_append(GTK_BOX(box), GTK_WIDGET(page->icon));
	page->title = add_label(box, "title-2");
	page->text = add_label(box, NULL);
	gtk_label_set_selectable(page->text, TRUE);
	page->detail = add_label(box, "monospace");
	/* A fingerprint stays in one piece where it fits. */
	gtk_label_set_wrap_mode(page->detail, PANGO_WRAP_CHAR);
	gtk_label_set_natural_wrap_mode(page->detail, GTK_NATURAL_WRAP_NONE);
	gtk_label_set_selectable(page->detail, TRUE);
	window_name(GTK_WIDGET(page->detail), "Fingerprint");
	page->yes = add_button(box, "suggested-action");
	page->no = add_button(box, NULL);
}

/* What was typed, which the caller wipes. */
static char *
take_secret(GtkEditable *entry)
{
	char *secret = g_strdup(gtk_editable_get_text(entry));

	gtk_editable_set_text(entry, "");
	return secret;
}

static void
free_secret(char *secret)
{
	explicit_bzero(secret, strlen(secret));
	g_free(secret);
}

static void
first_done(struct page *page)
{
	char *secret = take_secret(page->first_secret);

	enter_first(page->window, gtk_editable_get_text(page->server),
	    gtk_editable_get_text(page->user), secret);
	free_secret(secret);
}

static void
make_first(struct page *page)
{
	GtkWidget *box = add_column(page, "first", FORM_WIDTH);

	put_label(add_label(box, "title-1"), "Chat");
	put_label(add_label(box, NULL), "Log in to a message centre");
	page->server =
	    add_entry(box, gtk_entry_new(), "_Server (host or host:port)");
	page->user = add_entry(box, gtk_entry_new(), "_Name");
	page->first_secret = add_entry(box, secret_entry(), "_Password");
	page->first_why = add_label(box, "error");
	page->first_go = add_button(box, "suggested-action");
	gtk_button_set_label(page->first_go, "Log in");
	g_signal_connect_swapped(
	    page->first_go, "clicked", G_CALLBACK(first_done), page);
	g_signal_connect_swapped(
	    page->server, "activate", G_CALLBACK(first_done), page);
	g_signal_connect_swapped(
	    page->user, "activate", G_CALLBACK(first_done), page);
	g_signal_connect_swapped(
	    page->first_secret, "activate", G_CALLBACK(first_done), page);
}

static void
password_done(struct page *page)
{
	char *secret;

	if (page->ticking != 0)
		return;
	secret = take_secret(page->secret);

	enter_password(page->window, secret);
	free_secret(secret);
}

static void
make_password(struct page *page)
{
	GtkWidget *box = add_column(page, "password", FORM_WIDTH);
	static const struct page_button other = {
	    "Another account", "win.other"};

	put_label(add_label(box, "title-2"), "Password");
	page->who = add_label(box, NULL);
	page->secret = add_entry(box, secret_entry(), "_Password");
	page->password_why = add_label(box, "error");
	page->password_go = add_button(box, "suggested-action");
	gtk_button_set_label(page->password_go, "Log in");
	put_button(add_button(box, NULL), &other);
	g_signal_connect_swapped(
	    page->password_go, "clicked", G_CALLBACK(password_done), page);
	g_signal_connect_swapped(
	    page->secret, "activate", G_CALLBACK(password_done), page);
}

struct page *
page_new(struct window *window)
{
	struct page *page = g_new0(struct page, 1);
	GtkWidget *bar = adw_header_bar_new();

	page->window = window;
	page->box = gtk_box_new(GTK_ORIENTATION_VERTICAL, 0);
	page->stack = GTK_STACK(gtk_stack_new());
	gtk_widget_set_vexpand(GTK_WIDGET(page->stack), TRUE);
	adw_header_bar_pack_end(ADW_HEADER_BAR(bar), menu_button(window));
	gtk_box_append(GTK_BOX(page->box), bar);
	gtk_box_append(GTK_BOX(page->box), GTK_WIDGET(page->stack));
	make_wait(page);
	make_words(page);
	make_first(page);
	make_password(page);
	return page;
}

GtkWidget *
page_widget(struct page *page)
{
	return page->box;
}

/* The account is locked no more, or that is shown no more. */
static void
unlock(struct page *page)
{
	if (page->ticking != 0)
		g_source_remove(page->ticking);
	page->ticking = 0;
	g_clear_pointer(&page->locked, g_free);
	gtk_widget_set_sensitive(GTK_WIDGET(page->password_go), TRUE);
}

void
page_free(struct page *page)
{
	if (page->ticking != 0)
		g_source_remove(page->ticking);
	g_free(page->locked);
	g_free(page);
}

/* Turns to one of them. */
static void
turn(struct page *page, const char *name)
{
	gboolean waiting = strcmp(name, "wait") == 0;

	unlock(page);
	gtk_spinner_set_spinning(page->spinner, waiting);
	window_turn(page->stack, name);
	window_turn(page->window->stack, "page");
	gtk_window_set_default_widget(page->window->top, NULL);
}

void
page_wait(struct page *page, const char *text)
{
	put_label(page->wait, text);
	turn(page, "wait");
}

void
page_say(struct page *page, const struct page_words *words)
{
	gtk_image_set_from_icon_name(page->icon,
	    words->icon != NULL ? words->icon : "dialog-information-symbolic");
	put_label(page->title, words->title);
	put_label(page->text, words->text);
	put_label(page->detail, words->detail);
	put_button(page->yes, &words->yes);
	put_button(page->no, &words->no);
	turn(page, "words");
	if (words->careful)
		gtk_widget_grab_focus(GTK_WIDGET(page->no));
	if (words->careful || words->yes.label == NULL)
		return;
	gtk_window_set_default_widget(page->window->top, GTK_WIDGET(page->yes));
	gtk_widget_grab_focus(GTK_WIDGET(page->yes));
}

/* The first form. */
void
page_first(
    struct page *page, const char *server, const char *user, const char *why)
{
	GtkEditable *first = page->server;

	if (server != NULL)
		gtk_editable_set_text(page->server, server);
	if (user != NULL)
		gtk_editable_set_text(page->user, user);
	put_label(page->first_why, why);
	turn(page, "first");
	if (*gtk_editable_get_text(page->server) != '\0')
		first = *gtk_editable_get_text(page->user) != '\0'
		    ? page->first_secret
		    : page->user;
	gtk_widget_grab_focus(GTK_WIDGET(first));
}

/* The question for the password. */
void
page_password(
    struct page *page, const char *user, const char *centre, const char *why)
{
	char *who = g_strdup_printf("%s at %s", user, centre);

	put_label(page->who, who);
	g_free(who);
	put_label(page->password_why, why);
	gtk_editable_set_text(page->secret, "");
	turn(page, "password");
	gtk_widget_grab_focus(GTK_WIDGET(page->secret));
}

/* Says how long it still lasts. */
static gboolean
tick(gpointer arg)
{
	struct page *page = arg;
	gint64 left = page->unlock - g_get_monotonic_time();
	gint64 seconds = (left + G_USEC_PER_SEC - 1) / G_USEC_PER_SEC;
	GString *text;
	char *number;

	if (left <= 0) {
		page->ticking = 0;
		unlock(page);
		put_label(page->password_why, NULL);
		return G_SOURCE_REMOVE;
	}
	text = g_string_new(page->locked);
	number = g_strdup_printf("%lld", (long long)seconds);
	g_string_replace(text, "@", number, 0);
	put_label(page->password_why, text->str);
	g_free(number);
	g_string_free(text, TRUE);
	return G_SOURCE_CONTINUE;
}

/* The same, where no password is taken for some seconds. */
void
page_locked(struct page *page, const char *user, const char *centre,
    const char *why, long seconds)
{
	page_password(page, user, centre, NULL);
	page->locked = g_strdup(why);
	page->unlock =
	    g_get_monotonic_time() + (gint64)seconds * G_USEC_PER_SEC;
	gtk_widget_set_sensitive(GTK_WIDGET(page->password_go), FALSE);
	page->ticking = g_timeout_add_seconds(1, tick, page);
	tick(page);
}
