/* SPDX-License-Identifier: ISC */
/*
 * Private messages in the book.  A user's own is there before it is sent;
 * one that did not arrive is kept until it is left at the centre.  The agent
 * alone uses this.
 */
#ifndef CHAT_AGENT_BOOK_PRIVATE_H
#define CHAT_AGENT_BOOK_PRIVATE_H

#include "chat/agent/book.h"

/* Writes an own one down as being sent; 1 if one with that id is there. */
int book_private(struct book *book, const char *id, const char *recipient,
    const char *text, int64_t time, int64_t *number);

/* What became of it: fetched, or kept with the reason; 0 or -1. */
int book_private_settle(struct book *book, int64_t number,
    enum book_state state, const char *reason);

/* What an agent of before was about to send is kept. */
int book_private_stop(struct book *book);

/*
 * Stores what somebody else sent: 1, or 0 if it is there under this id,
 * whichever way it came.
 */
int book_private_in(struct book *book, const char *author, const char *id,
    const char *text, int64_t time);

/*
 * What is kept for a user becomes queued as any message is, all or nothing;
 * fn gets each before that, oldest first.  How many, or -1.
 */
int book_private_leave(struct book *book, const char *recipient,
    void (*fn)(void *arg, const struct book_row *row), void *arg);

#endif
