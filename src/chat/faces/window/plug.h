/* SPDX-License-Identifier: ISC */
/*
 * The window's end of the agent's socket: JSON Lines both ways, as sources of
 * GLib's loop.  Never waits: what the agent does not take at once is queued,
 * and an agent that lets a mebibyte pile up counts as gone.
 */
#ifndef CHAT_WINDOW_PLUG_H
#define CHAT_WINDOW_PLUG_H

#include <stdint.h>

#include <jansson.h>

enum { PLUG_QUEUE_MAX = 1 << 20 };

struct plug;

/* What the owner is told; either may close the plug. */
struct plug_calls {
	/* One line has come; the object is the plug's. */
	void (*line)(void *arg, const json_t *object);
	/* The agent has hung up, or does not read: there is no more. */
	void (*gone)(void *arg);
};

/* Connects; NULL with errno (EAGAIN: the agent's door is crowded). */
struct plug *plug_open(
    const char *path, const struct plug_calls *calls, void *arg);
void plug_close(struct plug *plug);

/*
 * Sends a request (taken over) with the next tag, and wipes what it wrote.
 * The tag, or -1 if the agent is gone, which is told later as well.
 */
int64_t plug_say(struct plug *plug, json_t *request);

#endif
