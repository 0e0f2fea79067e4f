/* SPDX-License-Identifier: ISC */
/*
 * The desktop's notifications: one a conversation, of what came in while the
 * user had it not before the eyes; taken back once it is read.
 */
#ifndef CHAT_WINDOW_NOTIFY_H
#define CHAT_WINDOW_NOTIFY_H

#include "chat/faces/mirror.h"

struct window;

void notify_arrived(struct window *window, const struct mirror_talk *talk,
    const struct mirror_line *line);
/* Somebody asks for a private link. */
void notify_asked(struct window *window, const struct mirror_talk *talk);
void notify_read(struct window *window, const char *user);

#endif
