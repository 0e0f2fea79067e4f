/* SPDX-License-Identifier: ISC */
/*
 * The desktop's notifications: one a conversation, of what came in while the
 * user had it not before the eyes; taken back once it is read.
 */
#include "chat/faces/window/notify.h"

#include "chat/faces/window/window.h"
#include "chat/faces/window/words.h"

/* A conversation's own: the next one takes the place of the last. */
static char *
notify_id(const char *user)
{
	return g_strconcat("talk-", user, NULL);
}

/* Who and what, as far as the desktop may know it. */
static char *
body(const struct window *window, const struct mirror_line *line)
{
	/* What went past the centre is not to stand on a locked screen. */
	if (line->kind == MIRROR_PRIVATE)
		return g_strdup("A private message");
	if (window->keep.hide)
		return g_strdup("A new message");
	return words_plain(line->text);
}

static char *
title(const struct mirror_talk *talk, const struct mirror_line *line)
{
	const char *from = *line->from != '\0' ? line->from : "The centre";
	char *who = words_plain(from), *whole;

	if (*talk->user != '\0' || line->kind == MIRROR_NOTICE)
		return who;
	whole = g_strdup_printf("%s (to all)", who);
	g_free(who);
	return whole;
}

static void
send_it(struct window *window, const char *user, const char *heading,
    const char *text, GNotificationPriority priority)
{
	GNotification *note = g_notification_new(heading);
	GIcon *icon = g_themed_icon_new(WINDOW_ID);
	char *id = notify_id(user);

	g_notification_set_body(note, text);
	g_notification_set_icon(note, icon);
	g_notification_set_priority(note, priority);
	g_notification_set_category(note, "im.received");
	g_notification_set_default_action_and_target(
	    note, "app.open", "s", user);
	g_application_send_notification(G_APPLICATION(window->app), id, note);
	g_object_unref(icon);
	g_object_unref(note);
	g_free(id);
}

void
notify_arrived(struct window *window, const struct mirror_talk *talk,
    const struct mirror_line *line)
{
	char *heading, *text;

	if (!window->keep.notify)
		return;
	heading = title(talk, line);
	text = body(window, line);
	send_it(
	    window, talk->user, heading, text, G_NOTIFICATION_PRIORITY_NORMAL);
	g_free(heading);
	g_free(text);
}

/* Somebody asks for a private link. */
void
notify_asked(struct window *window, const struct mirror_talk *talk)
{
	char *heading;

	if (!window->keep.notify)
		return;
	heading = words_plain(talk->user);
	send_it(window, talk->user, heading, "wants to talk privately",
	    G_NOTIFICATION_PRIORITY_HIGH);
	g_free(heading);
}

void
notify_read(struct window *window, const char *user)
{
	char *id = notify_id(user);

	g_application_withdraw_notification(G_APPLICATION(window->app), id);
	g_free(id);
}
