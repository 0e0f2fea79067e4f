/* SPDX-License-Identifier: ISC */
/*
 * The command line of chat: its options, its words, and the account that
 * they mean together with chat.conf.  Opens no connection.
 */
#ifndef CHAT_OPTIONS_H
#define CHAT_OPTIONS_H

#include <stdbool.h>

#include "chat/account.h"
#include "chat/profile.h"

struct options {
	const char *server, *user, *account, *config, *ca, *pin, *state;
	const char *search, *last, *wait, *invite;
	bool json, line, lines, queue, follow;
	const char *centre; /* a word before the command, or NULL */
	char **words; /* what is left, NULL at the end */
	bool command; /* the first of them is a command's name */
};

/*
 * Reads the options into both, which may point into argv from then on.  -1 to
 * go on, else the exit status of what has been said already.
 */
int options_read(
    int argc, char **argv, struct options *options, struct account *account);

/*
 * Finds the account that options, words and configuration name.  Likewise;
 * the account may point into the profile from then on.
 */
int options_account(const struct options *options,
    const struct profile *profile, struct account *account);

/* Says what is wrong with the command line: the exit status for that. */
__attribute__((format(printf, 1, 2))) int options_usage(const char *fmt, ...);

#endif
