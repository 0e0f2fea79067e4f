/* SPDX-License-Identifier: ISC */
/*
 * What the parts of a one-shot command share: oneshot.c has most of them,
 * oneshot-account.c passwords and registration, oneshot-link.c private links,
 * oneshot-read.c what has come.
 * Runs in the face.
 */
#ifndef CHAT_FACES_ONESHOT_PARTS_H
#define CHAT_FACES_ONESHOT_PARTS_H

#include "chat/faces/oneshot.h"

enum {
	ONESHOT_ANSWER_MS = 60000, /* longer than all tries of a brief login */
};

struct run {
	const struct oneshot *shot;
	const struct account *account;
	const json_t *login;
	struct face *face;
	struct prompt *prompt;
	size_t message_bytes;
	bool *offline; /* no use in asking the centre any more */
	bool *agent; /* it is an agent that is asked, no brief login */
};

/* One object a line; whatever is not ASCII is escaped. */
void oneshot_put_json(const json_t *object);

/* What was written has to get out: the status, or another one. */
int oneshot_flushed(int status);

/* The exit status of a refusal, with its reason on standard error. */
int oneshot_refused(const struct run *run, const json_t *reply);

/* There was no answer: says so, and the exit status. */
int oneshot_no_answer(const struct run *run);

/*
 * Asks once (the request is taken over); NULL with the exit status if there
 * is no good answer.
 */
json_t *oneshot_ask(const struct run *run, json_t *request, int *status);

/* oneshot-account.c */

int oneshot_password(const struct run *run);
int oneshot_register(const struct run *run);

/* oneshot-link.c */

int oneshot_ask_address(const struct run *run);
int oneshot_about_link(const struct run *run);
int oneshot_contacts(const struct run *run);

/* Sends one private message; an exit status, after its words. */
int oneshot_private(const struct run *run, const char *text, size_t len);

/* oneshot-message.c; so is oneshot_read() */

int oneshot_message(const struct run *run);

/* Says how a message has fared that was not refused: an exit status. */
int oneshot_answered(const struct run *run, json_t *reply);

/* oneshot-read.c */

int oneshot_news(const struct run *run);

#endif
