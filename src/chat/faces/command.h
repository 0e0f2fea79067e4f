/* SPDX-License-Identifier: ISC */
/*
 * What a person can type, as rows: name, aliases, arguments, what the agent
 * is asked, help.  Pure: knows no terminal and no socket.
 */
#ifndef CHAT_FACES_COMMAND_H
#define CHAT_FACES_COMMAND_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

#include <jansson.h>

#include "lib/text.h"

enum {
	COMMAND_WORD_LEN = 64,
	COMMAND_WHY_LEN = 256,
};

/* command, its name, aliases, arguments, the agent's word (NULL: the face's
 * own business), help. */
#define COMMANDS(X)                                                            \
	X(MESSAGE, "message", "msg send", "USER TEXT", "send",                 \
	    "send a message")                                                  \
	X(BROADCAST, "broadcast", "", "TEXT", "broadcast",                     \
	    "send a message to all who are online")                            \
	X(ONLINE, "online", "", "", "online", "list who is online")            \
	X(BLOCK, "block", "", "USER", "block",                                 \
	    "refuse what USER sends, and be invisible to USER")                \
	X(UNBLOCK, "unblock", "", "USER", "unblock", "undo a block")           \
	X(BLOCKED, "blocked", "", "", "blocked", "list whom you have blocked") \
	X(GETADDRESS, "getaddress", "ask", "USER", "ask",                      \
	    "ask USER for a private link")                                     \
	X(ACCEPT, "accept", "", "USER", "accept", "agree to USER's question")  \
	X(DECLINE, "decline", "", "USER", "decline", "do not agree to it")     \
	X(PRIVATE, "private", "", "USER TEXT", "private",                      \
	    "send a message past the centre, straight to USER")                \
	X(LEAVE, "leave", "", "USER", "leave",                                 \
	    "leave at the centre what did not reach USER")                     \
	X(HANGUP, "hangup", "", "USER", "hangup",                              \
	    "end the private link with USER")                                  \
	X(TRUST, "trust", "", "[USER]", "trust", "believe USER's new key")     \
	X(CONTACTS, "contacts", "", "", "links",                               \
	    "list private links, and whose keys are known")                    \
	X(DETACH, "detach", "", "", NULL, "leave, and stay logged in")         \
	X(HELP, "help", "?", "", NULL, "print this list")                      \
	X(QUIT, "logout", "quit exit", "", NULL, "log out and leave")

enum command_name {
#define X(command, name, aliases, arguments, request, help) COMMAND_##command,
	COMMANDS(X)
#undef X
	    COMMAND_COUNT
};

enum command_status {
	COMMAND_OK,
	COMMAND_EMPTY, /* nothing but blanks */
	COMMAND_UNKNOWN, /* word holds what was typed */
	COMMAND_WRONG, /* why says what is wrong with the arguments */
};

/* One typed line, taken apart. */
struct command {
	enum command_name name;
	char word[COMMAND_WORD_LEN]; /* as typed, cut short */
	char user[NAME_MAX_LEN + 1];
	const char *text; /* in the line */
	size_t text_len;
	char why[COMMAND_WHY_LEN];
};

/*
 * Takes a line apart, with or without a leading '/'.  A text of more than
 * message_bytes bytes, or with a character that may not be sent, is wrong.
 */
enum command_status command_parse(struct command *command, const char *line,
    size_t len, size_t message_bytes);

/* What the agent is asked; NULL for the face's own. */
json_t *command_request(const struct command *command);
/* The same as one word. */
const char *command_asks(enum command_name name);

/* What can stand in the word of a line that begins at start. */
enum command_slot { SLOT_COMMAND, SLOT_USER, SLOT_OTHER };
enum command_slot command_slot(const char *line, size_t start);

/* Gives the names of all commands, or all their aliases, to fn. */
void command_names(
    bool aliases, void (*fn)(void *arg, const char *name), void *arg);

/* The command whose name is nearest to the word, or NULL. */
const char *command_nearest(const char *word);

/* The list of commands. */
void command_help(FILE *to);

#endif
