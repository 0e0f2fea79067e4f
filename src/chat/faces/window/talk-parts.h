/* SPDX-License-Identifier: ISC */
/*
 * The conversation side's own struct, shared by its files and nobody else.
 * The window's process runs it.
 */
#ifndef CHAT_WINDOW_TALK_PARTS_H
#define CHAT_WINDOW_TALK_PARTS_H

#include "chat/faces/window/rows.h"
#include "chat/faces/window/talk.h"
#include "chat/faces/window/window.h"

/* What was asked of the agent, and what its answer is for. */
enum talk_want {
	WANT_SEND, /* a message or broadcast */
	WANT_PRIVATE,
	WANT_LEAVE,
	WANT_BLOCK,
	WANT_UNBLOCK,
	WANT_ASK, /* for a private link */
	WANT_ACCEPT,
	WANT_DECLINE,
	WANT_HANGUP,
	WANT_KEYS, /* both keys, before one is trusted */
	WANT_TRUST,
};

struct talk_view {
	struct window *window;
	ChatTalk *of; /* what is open, and the same in the mirror; or NULL */
	struct mirror_talk *open;
	gulong lines_moved, talk_changed; /* signals of it */
	char *account; /* whose drafts there are, or NULL */
	GPtrArray *asked; /* questions that are not answered yet */

	GtkWidget *page, *stack, *list, *scroll, *down, *live;
	AdwHeaderBar *header;
	AdwWindowTitle *title;
	AdwToastOverlay *toasts; /* over the messages, not the field */
	GtkWidget *menu_button;
	GtkWindow *keys; /* the dialog with fingerprints, or NULL */
	GSimpleActionGroup *actions;

	/* The lines and where one is in them. */
	ChatRows *rows;
	GtkAdjustment *adjustment;
	guint tick; /* rows are handed out, or the end is kept */
	bool at_end; /* keep the newest in sight */
	int64_t target; /* a row to go to once it is loaded, or 0 */
	int64_t loads; /* what was asked for around it, or 0 */
	int64_t unread_from; /* what is above was read when it was opened */
	double value; /* of the adjustment, when it was last looked at */
	int settle; /* frames for which the list is still moved */
	int64_t below; /* came while one was further up */

	/* The composer. */
	GtkWidget *composer, *entry, *send, *way, *way_label, *hint;
	GHashTable *drafts; /* by user */
	GHashTable *private; /* users to whom one writes privately */
	bool setting; /* the composer is changed by us, not by the user */

	/* Search. */
	GtkWidget *search, *search_entry, *everywhere, *found_list, *found_note;
	guint search_later;
	bool searching; /* an answer is on its way */
	GPtrArray *found;

	/* The bars. */
	GtkWidget *bars, *lost, *lost_label, *consent, *consent_label;
	GtkWidget *consent_more, *consent_key;
	char asking[NAME_MAX_LEN + 1]; /* whose question is shown, or "" */
};

/* Asks the agent; false (and the user was told) without one: talk-ask.c. */
bool talk_want(struct talk_view *talk, enum talk_want want, json_t *request,
    const char *user, const char *text);
bool talk_want_user(struct talk_view *talk, enum talk_want want,
    const char *name, const char *user);
void talk_toast(struct talk_view *talk, const char *text);
void ask_free(struct talk_view *talk);

/* Where one is in the lines: talk-scroll.c. */
void scroll_make(struct talk_view *talk, GtkWidget *overlay);
void scroll_open(struct talk_view *talk);
void scroll_changed(struct talk_view *talk);
void scroll_to_end(struct talk_view *talk);
void scroll_to_row(struct talk_view *talk, int64_t row);
void scroll_stop(struct talk_view *talk);

/* The field to write in: composer.c. */
GtkWidget *composer_make(struct talk_view *talk);
void composer_leave(struct talk_view *talk); /* keeps the draft */
void composer_enter(struct talk_view *talk); /* brings it back */
void composer_way(struct talk_view *talk); /* links have changed */
void composer_return(
    struct talk_view *talk, const char *user, const char *text);
void composer_clear(struct talk_view *talk);
void composer_actions(struct talk_view *talk);
bool composer_private(const struct talk_view *talk);

/* Search: find.c. */
GtkWidget *find_bar(struct talk_view *talk);
GtkWidget *find_results(struct talk_view *talk);
void find_actions(struct talk_view *talk);
void find_toggle(struct talk_view *talk, bool everywhere);
void find_forget(struct talk_view *talk);
void find_reset(struct talk_view *talk);

/* The contact's menu: contact.c. */
GtkWidget *contact_button(struct talk_view *talk);
void contact_actions(struct talk_view *talk);
void contact_changed(struct talk_view *talk);
void contact_close(struct talk_view *talk); /* its questions are void */
void contact_keys(
    struct talk_view *talk, const json_t *reply, const char *user);

/* The bars: bars.c. */
GtkWidget *bars_make(struct talk_view *talk);
void bars_changed(struct talk_view *talk);
void bars_free(struct talk_view *talk);
void bars_actions(struct talk_view *talk);

/* How it looks: style.c. */
void style_use(void);

#endif
