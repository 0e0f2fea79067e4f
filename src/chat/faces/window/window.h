/* SPDX-License-Identifier: ISC */
/*
 * The window: what its pieces share.  One struct, which main() makes; all of
 * it runs in GLib's loop and never waits for anything.
 */
#ifndef CHAT_WINDOW_WINDOW_H
#define CHAT_WINDOW_WINDOW_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <adwaita.h>
#include <jansson.h>

#include "chat/faces/mirror.h"
#include "chat/faces/window/keep.h"
#include "chat/faces/window/model.h"
#include "chat/faces/window/spawn.h"

/*
 * .internal is kept free of owners by ICANN, so this name is nobody else's.
 * The names of the desktop file, the icon and the AppStream data.
 */
#define WINDOW_ID "internal.chatd.Chat"

struct enter; /* from the start to the session: enter.h */
struct list; /* the left side: list.h */
struct page; /* what is shown without a session: page.h */
struct plug; /* the socket: plug.h */
struct talk_view; /* the right side: talk.h */

struct window {
	AdwApplication *app;
	GtkWindow *top; /* an AdwApplicationWindow */
	GPtrArray *actions; /* rows, see actions.h */
	AdwToastOverlay *toasts;
	AdwToast *toast; /* the one that is there, or NULL */
	AdwToastOverlay *toasting; /* and where */
	GtkStack *stack; /* "page", "talks" */
	AdwLeaflet *leaflet; /* list, conversation */
	struct page *page;
	struct list *list;
	struct talk_view *talk;

	struct keep keep;
	struct spawn_account wanted; /* the command line */
	struct enter *enter;

	/* The session; NULL or "" without one. */
	struct plug *plug; /* also while it is being entered */
	GHashTable *asked; /* tag to what takes the reply */
	struct mirror *mirror;
	struct model *model;
	ChatTalk *open; /* the conversation on the right */
	char *user, *centre;
	size_t message_bytes; /* the most that a text may have */

	guint minding; /* an idle source: see window_mind() */
	bool leaving; /* the window is closed */
};

/* A reply to what was asked; with "more", others follow. */
typedef void window_reply(
    struct window *window, const json_t *reply, void *arg);

/*
 * Sends a request (taken over) to the agent; take (may be NULL) gets what
 * comes back.  The tag, or -1 without an agent.  No reply comes after the
 * session's end: arg must be the window's or nobody's memory.
 */
int64_t window_ask(
    struct window *window, json_t *request, window_reply *take, void *arg);

/* The window itself, in its application; shown by window_present(). */
void window_make(struct window *window, AdwApplication *app);
void window_present(struct window *window);
void window_free(struct window *window);

/* The agent's socket: 0, or -1 with errno. */
int window_plug(struct window *window, const char *path);
/* Hangs up and forgets the session, if there is one. */
void window_unplug(struct window *window);
/* There is a session: shows the conversations. */
void window_begin(struct window *window, const json_t *login);

/*
 * Opens a conversation ("": with everybody), making it where there is none;
 * false if that is no user's name.
 */
bool window_open(struct window *window, const char *user);

/* The keyboard goes to where one writes. */
void window_focus(struct window *window);

/* True if the user has this conversation before the eyes. */
bool window_shows(struct window *window, const struct mirror_talk *talk);

/*
 * Soon: what is before the eyes is read, the title is right.  Called by
 * whatever may have changed that, also from within mirror_calls.
 */
void window_mind(struct window *window);

/* A sentence that goes by itself; plain text. */
void window_say(struct window *window, const char *text);

/* The same over that part of the window; it takes the place of an older one. */
void window_toast(
    struct window *window, AdwToastOverlay *over, const char *text);

/* Leaves: logs out (or stays, if so wanted), then ends the program. */
void window_leave(struct window *window);

/* Turns a stack to that page; the others are there for nobody. */
void window_turn(GtkStack *stack, const char *name);

/* The name by which assistive technology calls a widget without text. */
void window_name(GtkWidget *widget, const char *name);

#endif
