/* SPDX-License-Identifier: ISC */
/*
 * Which account: user, host and port, where its state lies, and the options
 * that were given with it.  Used by faces and agent; opens no connection.
 */
#ifndef CHAT_ACCOUNT_H
#define CHAT_ACCOUNT_H

#include <stdbool.h>
#include <stddef.h>

#include "lib/text.h"

enum {
	HOST_MAX_LEN = 253, /* RFC 1035 in presentation form */
	WHERE_MAX_LEN = HOST_MAX_LEN + 8, /* brackets, colon, port */
	ACCOUNT_WHY_LEN = 512,
};

struct account {
	char user[NAME_MAX_LEN + 1]; /* "" while it is not known */
	char host[HOST_MAX_LEN + 1]; /* "" likewise; no brackets */
	int port;
	char where[WHERE_MAX_LEN + 1]; /* host:port, [host]:port */
	char *state; /* the directory of all accounts, absolute */
	char *dir; /* this account's own, in it */
	char *socket; /* the agent's, short enough for a socket address */
	char *ca; /* absolute, or NULL */
	const char *pin;
	const char *password_file, *password_command;
	int family; /* AF_UNSPEC, AF_INET, AF_INET6 */
	int heartbeat; /* seconds between two questions at most */
	bool bell; /* for messages, on a terminal */
	bool beacon; /* whether to use the one that the centre gives */
	bool private_enabled; /* whether there may be private links */
	int private_port; /* where they come in; 0: any port */
	int dir_fd; /* -1, or what socket leads through */
};

/* An account of which nothing is known. */
void account_init(struct account *account);
void account_release(struct account *account);

/* True if the word has the form of [USER@]HOST[:PORT]. */
bool account_names_host(const char *word);

/* Takes [USER@]HOST[:PORT]; -1 with a sentence in why. */
int account_centre(
    struct account *account, const char *word, char why[ACCOUNT_WHY_LEN]);

/*
 * Takes the only account that has been used here, if there is exactly one;
 * state as in account_place().  -1 with a sentence in why.
 */
int account_only(
    struct account *account, const char *state, char why[ACCOUNT_WHY_LEN]);

/* Takes a user's name; -1 with a sentence in why. */
int account_user(
    struct account *account, const char *name, char why[ACCOUNT_WHY_LEN]);

/* Takes the authorities' file; -1 with a sentence if it cannot be read. */
int account_authority(
    struct account *account, const char *file, char why[ACCOUNT_WHY_LEN]);

/* Takes a public key's fingerprint; -1 with a sentence if it is none. */
int account_pin(
    struct account *account, const char *pin, char why[ACCOUNT_WHY_LEN]);

/* The user's home directory, absolute; valid until the next call. */
const char *account_home(void);

/*
 * Finds and makes the directories, once user and host are known.  state is
 * what --state gave, or NULL.  -1 with a sentence in why.
 */
int account_place(
    struct account *account, const char *state, char why[ACCOUNT_WHY_LEN]);

/*
 * True if the account has been used here, for all we can see; makes nothing.
 * state as in account_place().
 */
bool account_known(struct account *account, const char *state);

/* A path in the account's directory, in fresh memory; never NULL. */
char *account_path(const struct account *account, const char *name);

/* Likewise in the directory of all accounts. */
char *account_shared_path(const struct account *account, const char *name);

#endif
