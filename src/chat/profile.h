/* SPDX-License-Identifier: ISC */
/*
 * chat.conf(5) as a table: what the user has written down about the accounts.
 * Read by chat before anything else; opens no connection, prints nothing.
 */
#ifndef CHAT_PROFILE_H
#define CHAT_PROFILE_H

#include <stdbool.h>
#include <stddef.h>

#include "chat/account.h"
#include "lib/conf.h"

/* One group in accounts; what is not set is NULL. */
struct profile_account {
	char *name;
	char *server, *user;
	char *password_command, *password_file;
	char *pin, *ca;
};

struct profile {
	char *file; /* where it was read from */
	char *chosen; /* the default account, or NULL */
	int heartbeat; /* seconds */
	bool bell;
	bool beacon;
	bool private_enabled;
	int private_port; /* 0: any */
	struct conf_setting *table; /* made for the accounts that there are */
	size_t rows;
	size_t count;
	/* count of them, and one more that stands for any. */
	struct profile_account accounts[];
};

/*
 * Reads a file; NULL: the user's own, which may be missing.  NULL with all
 * that is wrong in errors.  What it returns must outlive the account that
 * profile_complete() has filled.
 */
struct profile *profile_read(const char *file, struct conf_errors *errors);
void profile_free(struct profile *profile);

/* The account with that name; NULL: the default, or the only one. */
const struct profile_account *profile_find(
    const struct profile *profile, const char *name);

/*
 * The account that is best for this server and user: of that user, or of
 * whoever is typed, or of another (who has the same centre to trust); NULL
 * without one of that server.
 */
const struct profile_account *profile_match(
    const struct profile *profile, const struct account *account);

/*
 * The names of all accounts, the nearest to a word; NULL: none is.  In fresh
 * memory, separated by commas.
 */
char *profile_names(const struct profile *profile);
const char *profile_nearest(const struct profile *profile, const char *word);

/* Puts server and user into the account; -1 with a sentence. */
int profile_begin(const struct profile_account *entry, struct account *account,
    char why[ACCOUNT_WHY_LEN]);

/*
 * Adds what the command line has left open: whom to trust, if it is still
 * the same server, and the password, if it is also the same user.
 */
int profile_complete(const struct profile_account *entry,
    struct account *account, char why[ACCOUNT_WHY_LEN]);

#endif
