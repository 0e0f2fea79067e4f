/* SPDX-License-Identifier: ISC */
/*
 * What the window shows while there is no session: a wait, the first form,
 * the question for the password, a sentence with buttons.  Knows no agent;
 * what is typed goes to enter.h.
 */
#ifndef CHAT_WINDOW_PAGE_H
#define CHAT_WINDOW_PAGE_H

#include <stdbool.h>

#include <gtk/gtk.h>

struct window;
struct page;

/* A button: its text, and the action that it stands for. */
struct page_button {
	const char *label, *action;
};

/* A sentence with buttons; all plain text, what is NULL is left out. */
struct page_words {
	const char *icon, *title, *text;
	const char *detail; /* to be selected and compared, letter by letter */
	struct page_button yes, no; /* yes: Enter as well, unless */
	bool careful; /* it is to be thought over */
};

struct page *page_new(struct window *window);
GtkWidget *page_widget(struct page *page);
void page_free(struct page *page);

void page_wait(struct page *page, const char *text);
void page_say(struct page *page, const struct page_words *words);

/* The first form; NULL: what stands there stays.  why: or NULL. */
void page_first(
    struct page *page, const char *server, const char *user, const char *why);

/* The question for the password of user@centre; why: or NULL. */
void page_password(
    struct page *page, const char *user, const char *centre, const char *why);

/*
 * The same for a locked account: the sentence has @ where the seconds that
 * are left stand, and no password is taken before.
 */
void page_locked(struct page *page, const char *user, const char *centre,
    const char *why, long seconds);

#endif
