/* SPDX-License-Identifier: ISC */
/*
 * What is still to be asked of the centre, in the order in which it was
 * typed: own messages, which the book keeps until they are answered, and
 * other requests, which live as long as the face that waits.  Runs in the
 * agent; speaks to nobody itself.
 */
#ifndef CHAT_AGENT_OUTBOX_H
#define CHAT_AGENT_OUTBOX_H

#include <stdbool.h>
#include <stdint.h>

#include <jansson.h>

#include "chat/agent/book.h"
#include "chat/agent/centre.h"
#include "lib/text.h"
#include "lib/wire.h"

enum {
	OUTBOX_MAX = 10000, /* bounds memory and a centre's surprise */
	OUTBOX_KEEP_DAYS = 14, /* then an id is not tried again */
	OUTBOX_ID_LEN = 22, /* 16 random octets in base64url */
};

/* One thing to ask. */
struct errand {
	struct errand *next;
	enum wire_op op;
	int64_t row; /* of an own message, else 0 */
	int64_t written; /* wall clock, of an own message */
	char id[ID_MAX_LEN + 1];
	char to[NAME_MAX_LEN + 1]; /* "" is everybody */
	json_t *request; /* the members of another request */
	int pages; /* of names, answered so far */
	bool begun; /* of a sync: it is under way */
	unsigned face; /* who waits for the answer, and for which */
	json_t *tag;
};

struct outbox {
	struct book *book;
	struct errand *first, **last;
	int count;
};

/* Starts with what the book has queued; -1 with book_why(). */
int outbox_init(struct outbox *outbox, struct book *book);
void outbox_release(struct outbox *outbox);

/*
 * Writes a message down and puts it last; to "" is everybody.  An id that is
 * "" is made up; 1 if one that is given is there already.  row is where it
 * stands.  -1 with book_why().
 */
int outbox_message(struct outbox *outbox, const char *to, const char *text,
    int64_t now, char id[OUTBOX_ID_LEN + 1], int64_t *row);

/* Puts a message last that the book has queued. */
void outbox_queued(struct outbox *outbox, const struct book_row *row);

/* A face waits for the last message's answer; tag is taken over. */
void outbox_await(struct outbox *outbox, unsigned face, json_t *tag);

/* Puts another request last; references are taken over. */
void outbox_request(struct outbox *outbox, enum wire_op op, json_t *request,
    unsigned face, json_t *tag);

/* The first one, or NULL; and its end. */
struct errand *outbox_first(const struct outbox *outbox);
void outbox_pop(struct outbox *outbox);

/* How many messages are not answered yet. */
int outbox_messages(const struct outbox *outbox);

/* Takes out what is no message, telling fn of each. */
void outbox_drop_requests(struct outbox *outbox,
    void (*fn)(void *arg, const struct errand *errand), void *arg);

/*
 * Fills an exchange with the first errands, in order, as many as fit.
 * *last is set where nothing may follow in the same exchange.  Returns how
 * many, or -1 with book_why().
 */
int outbox_fill(const struct outbox *outbox, struct centre_exchange *exchange,
    const char *token, bool *last);

/* Random octets in base64url, an id that nobody had before. */
void outbox_id(char id[OUTBOX_ID_LEN + 1]);

#endif
