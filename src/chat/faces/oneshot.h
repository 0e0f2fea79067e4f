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
#include <stdint.h>
#include <stdio.h>

#include <jansson.h>

#include "chat/account.h"
#include "chat/faces/face.h"
#include "chat/faces/prompt.h"
#include "lib/text.h"

/* What a command needs to be carried out. */
enum oneshot_link {
	LINK_ANY, /* an agent with a session, or a brief login */
	LINK_AGENT, /* an agent with a session, and none is started */
	LINK_LINK, /* likewise, for a private link */
	LINK_BOOK, /* the history alone: no login, no connection */
	LINK_START, /* an agent, which is started if there is none */
	LINK_NEWS, /* an agent; one is started where a session still lives */
	LINK_SELF, /* as ANY, but nobody is logged in first */
	LINK_BARE, /* an agent, started if there is none; nobody logs in */
	LINK_STRANGER, /* the centre, for who has no account yet */
};

/* command, its name, arguments, options of its own, link, help. */
#define ONESHOTS(X)                                                       \
	X(SEND, "send", "USER [TEXT...]", "lines queue", ANY,             \
	    "send a message")                                             \
	X(BROADCAST, "broadcast", "[TEXT...]", "lines queue", ANY,        \
	    "send a message to all who are online")                       \
	X(READ, "read", "", "follow wait n", NEWS,                        \
	    "print what has come and was not shown yet")                  \
	X(ONLINE, "online", "", "", ANY, "list who is online")            \
	X(BLOCK, "block", "USER", "", ANY,                                \
	    "refuse what USER sends, and be invisible to USER")           \
	X(UNBLOCK, "unblock", "USER", "", ANY, "undo a block")            \
	X(BLOCKED, "blocked", "", "", ANY, "list whom you have blocked")  \
	X(ASK, "ask", "USER", "", LINK, "ask USER for a private link")    \
	X(ACCEPT, "accept", "USER", "", LINK, "agree to USER's question") \
	X(DECLINE, "decline", "USER", "", LINK, "do not agree to it")     \
	X(PRIVATE, "private", "USER [TEXT...]", "lines", LINK,            \
	    "send a message past the centre, straight to USER")           \
	X(LEAVE, "leave", "USER", "", LINK,                               \
	    "leave at the centre what did not reach USER")                \
	X(HANGUP, "hangup", "USER", "", LINK,                             \
	    "end the private link with USER")                             \
	X(TRUST, "trust", "[USER]", "", LINK, "believe USER's new key")   \
	X(LOGIN, "login", "", "", START, "log in, and stay so")           \
	X(LOGOUT, "logout", "", "", AGENT, "log out")                     \
	X(DETACH, "detach", "", "", AGENT,                                \
	    "stay logged in when the last face leaves")                   \
	X(AGENT, "agent", "", "", BARE,                                   \
	    "start what serves the faces, and print its socket")          \
	X(STATUS, "status", "", "", AGENT,                                \
	    "say who is logged in, and what waits")                       \
	X(HISTORY, "history", "[USER]", "search n", BOOK,                 \
	    "print what was said")                                        \
	X(CONTACTS, "contacts", "", "", BOOK,                             \
	    "list whom one has written with, and private links")          \
	X(EXPORT, "export", "", "", BOOK, "print everything as JSON")     \
	X(PASSWORD, "password", "", "", SELF, "change one's password")    \
	X(REGISTER, "register", "[CENTRE]", "invite", STRANGER,           \
	    "make an account at a centre")

enum oneshot_name {
#define X(oneshot, name, arguments, options, link, help) ONESHOT_##oneshot,
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
	bool json, lines, queue, follow;
	const char *search; /* words, or NULL */
	const char *invite; /* a code, or NULL */
	const char *last, *wait; /* numbers, or NULL */
	int64_t count, seconds; /* what they mean; -1: all, and not at all */
	int64_t queued; /* for status where no agent runs: what waits */
};

/* The command of that name, or ONESHOT_COUNT; and the nearest, or NULL. */
enum oneshot_name oneshot_find(const char *word);
const char *oneshot_name(enum oneshot_name name);
const char *oneshot_nearest(const char *word);

/*
 * Takes the words apart, the first of which is the command's name; the
 * options are the caller's.  -1 with a sentence in why; -2 likewise for a text
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

enum oneshot_link oneshot_link(enum oneshot_name name);

/*
 * Where there is no agent with a session for what needs one: says so, and
 * returns the exit status.
 */
int oneshot_out(const struct oneshot *shot, const struct account *account);

/* There is an agent now: prints where; the exit status. */
int oneshot_agent(const struct oneshot *shot, const struct account *account);

/* The list of commands. */
void oneshot_help(FILE *to);

/*
 * Carries it out.  login is the reply to the login (borrowed).  Returns the
 * process's exit status.
 */
int oneshot_main(const struct oneshot *shot, const struct account *account,
    struct face *face, struct prompt *prompt, const json_t *login);

#endif
