/* SPDX-License-Identifier: ISC */
/*
 * One-shot commands, as rows: what stands after `chat` on a command line,
 * taken apart and carried out.  The parsing is pure; the rest runs in the
 * face, and asks either an agent or a brief login.
 */
#ifndef CHAT_FACES_ONESHOT_H
#define CHAT_FACES_ONESHOT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

#include <jansson.h>

#include "chat/account.h"
#include "chat/faces/face.h"
#include "chat/faces/prompt.h"
#include "lib/text.h"

/* command, its name, arguments, options of its own, help. */
#define ONESHOTS(X)                                                  \
	X(SEND, "send", "USER [TEXT...]", "lines", "send a message") \
	X(BROADCAST, "broadcast", "[TEXT...]", "lines",              \
	    "send a message to all who are online")                  \
	X(ONLINE, "online", "", "", "list who is online")            \
	X(BLOCK, "block", "USER", "",                                \
	    "refuse what USER sends, and be invisible to USER")      \
	X(UNBLOCK, "unblock", "USER", "", "undo a block")            \
	X(BLOCKED, "blocked", "", "", "list whom you have blocked")

enum oneshot_name {
#define X(oneshot, name, arguments, options, help) ONESHOT_##oneshot,
	ONESHOTS(X)
#undef X
	    ONESHOT_COUNT
};

enum { ONESHOT_WHY_LEN = 256 };

/* One command with what it is to do. */
struct oneshot {
	enum oneshot_name name;
	char user[NAME_MAX_LEN + 1];
	char *text; /* owned; NULL: standard input */
	size_t text_len;
	bool json, lines;
};

/* The command of that name, or ONESHOT_COUNT; and the nearest, or NULL. */
enum oneshot_name oneshot_find(const char *word);
const char *oneshot_nearest(const char *word);

/*
 * Takes the words apart, the first of which is the command's name; json and
 * lines are the caller's.  -1 with a sentence in why; -2 likewise for a text
 * that cannot be sent.
 */
int oneshot_parse(
    struct oneshot *shot, char *const *words, char why[ONESHOT_WHY_LEN]);
void oneshot_release(struct oneshot *shot);

/*
 * Makes a text out of what was read: CRLF becomes LF, the last newline goes.
 * -1 with a sentence if it is empty, or holds what may not be sent.
 */
int oneshot_text(char *text, size_t *len, char why[ONESHOT_WHY_LEN]);

/* True if the text comes from standard input. */
bool oneshot_reads(const struct oneshot *shot);

/* Reads the text where it is one message; 0 or an exit status. */
int oneshot_read(struct oneshot *shot, struct prompt *prompt);

/* The list of commands. */
void oneshot_help(FILE *to);

/*
 * Carries it out.  login is the reply to the login (borrowed).  Returns the
 * process's exit status.
 */
int oneshot_main(const struct oneshot *shot, struct face *face,
    struct prompt *prompt, const json_t *login);

#endif
