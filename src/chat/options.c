/* SPDX-License-Identifier: ISC */
/*
 * The command line of chat as a table of options, and the search for the
 * account that is meant.  Says what is wrong on stderr; opens no connection.
 */
#include "chat/options.h"

#ifdef HAVE_CONFIG_H
#include "config.h"
#endif

#include <sys/socket.h>

#include <getopt.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

#include "chat/faces/oneshot.h"
#include "chat/faces/screen/screen.h"
#include "chat/faces/terminal.h"
#include "lib/text.h"

#ifndef PACKAGE_VERSION
#define PACKAGE_VERSION "unknown"
#endif

enum {
	OPT_ACCOUNT = 256,
	OPT_CONFIG,
	OPT_PASSWORD_FILE,
	OPT_PASSWORD_COMMAND,
	OPT_CA,
	OPT_PIN,
	OPT_LINE,
	OPT_STATE,
	OPT_JSON,
	OPT_LINES,
	OPT_SEARCH,
	OPT_FOLLOW,
	OPT_WAIT,
	OPT_QUEUE,
	OPT_INVITE,
};

static const struct option long_options[] = {
    {"server", required_argument, NULL, 's'},
    {"user", required_argument, NULL, 'u'},
    {"account", required_argument, NULL, OPT_ACCOUNT},
    {"config", required_argument, NULL, OPT_CONFIG},
    {"password-file", required_argument, NULL, OPT_PASSWORD_FILE},
    {"password-command", required_argument, NULL, OPT_PASSWORD_COMMAND},
    {"ca", required_argument, NULL, OPT_CA},
    {"pin", required_argument, NULL, OPT_PIN},
    {"line", no_argument, NULL, OPT_LINE},
    {"state", required_argument, NULL, OPT_STATE},
    {"json", no_argument, NULL, OPT_JSON},
    {"lines", no_argument, NULL, OPT_LINES},
    {"search", required_argument, NULL, OPT_SEARCH},
    {"follow", no_argument, NULL, OPT_FOLLOW},
    {"wait", required_argument, NULL, OPT_WAIT},
    {"queue", no_argument, NULL, OPT_QUEUE},
    {"invite", required_argument, NULL, OPT_INVITE},
    {"ipv4", no_argument, NULL, '4'},
    {"ipv6", no_argument, NULL, '6'},
    {"help", no_argument, NULL, 'h'},
    {"version", no_argument, NULL, 'V'},
    {NULL, 0, NULL, 0},
};

static const char usage_text[] =
    "usage: chat [OPTIONS] [[USER@]HOST[:PORT]]\n"
    "       chat [OPTIONS] [[USER@]HOST[:PORT]] COMMAND [ARGUMENT...]\n"
    "  -s, --server HOST[:PORT]      the centre\n"
    "  -u, --user USER               the user\n"
    "      --account NAME            an account of the configuration, or\n"
    "                                USER@HOST[:PORT]\n"
    "      --config FILE             instead of chat.conf; see chat.conf(5)\n"
    "      --password-file FILE      its first line is the password\n"
    "      --password-command CMD    likewise of what CMD prints\n"
    "      --ca FILE                 trust these authorities and no other\n"
    "      --pin sha256//...         trust this public key and no other\n"
    "      --json                    one object a line\n"
    "      --line                    lines instead of the full screen\n"
    "      --lines                   each line of standard input is a message\n"
    "      --queue                   keep what cannot be sent now\n"
    "  -n N                          N only: of the history the last\n"
    "      --follow                  go on until interrupted\n"
    "      --wait SECONDS            for something to show, so long at most\n"
    "      --invite CODE             an invitation to register\n"
    "      --search WORDS            only what has these words\n"
    "      --state DIR               where sessions and history lie\n"
    "  -4, -6                        use only IPv4, only IPv6\n"
    "  -h, --help                    print this\n"
    "  -V, --version                 print the version\n"
    "Commands:\n";

/* Says what is wrong with the command line: the exit status for that. */
int
options_usage(const char *fmt, ...)
{
	va_list args;

	fputs("chat: ", stderr);
	va_start(args, fmt);
	vfprintf(stderr, fmt, args);
	va_end(args);
	fputs("\nTry \"chat --help\".\n", stderr);
	return EX_USAGE;
}

static void
version(void)
{
	const char *library = terminal_library();

	puts("chat " PACKAGE_VERSION);
	printf("line editing: %s\n",
	    library != NULL ? library : "no (built without readline)");
	library = screen_library();
	printf("full screen: %s\n",
	    library != NULL ? library : "no (built without ncursesw)");
}

static void
help(void)
{
	fputs(usage_text, stdout);
	oneshot_help(stdout);
}

/* Reads the options: -1 to go on, else an exit status. */
static int
read_flags(
    int argc, char **argv, struct options *options, struct account *account)
{
	int c;

	while ((c = getopt_long(
		    argc, argv, "s:u:n:46hV", long_options, NULL)) != -1) {
		switch (c) {
		case 's':
			options->server = optarg;
			break;
		case 'u':
			options->user = optarg;
			break;
		case '4':
			account->family = AF_INET;
			break;
		case '6':
			account->family = AF_INET6;
			break;
		case OPT_ACCOUNT:
			options->account = optarg;
			break;
		case OPT_CONFIG:
			options->config = optarg;
			break;
		case OPT_PASSWORD_FILE:
			account->password_file = optarg;
			break;
		case OPT_PASSWORD_COMMAND:
			account->password_command = optarg;
			break;
		case OPT_CA:
			options->ca = optarg;
			break;
		case OPT_PIN:
			options->pin = optarg;
			break;
		case OPT_STATE:
			options->state = optarg;
			break;
		case OPT_JSON:
			options->json = true;
			break;
		case OPT_LINES:
			options->lines = true;
			break;
		case OPT_SEARCH:
			options->search = optarg;
			break;
		case OPT_WAIT:
			options->wait = optarg;
			break;
		case OPT_INVITE:
			options->invite = optarg;
			break;
		case OPT_FOLLOW:
			options->follow = true;
			break;
		case OPT_QUEUE:
			options->queue = true;
			break;
		case 'n':
			options->last = optarg;
			break;
		case OPT_LINE:
			options->line = true;
			break;
		case 'h':
			help();
			return EX_OK;
		case 'V':
			version();
			return EX_OK;
		default:
			fputs("Try \"chat --help\".\n", stderr);
			return EX_USAGE;
		}
	}
	return -1;
}

static bool
is_command(const char *word)
{
	return word != NULL && oneshot_find(word) != ONESHOT_COUNT;
}

/* Reads the options and sorts out what the first word is. */
int
options_read(
    int argc, char **argv, struct options *options, struct account *account)
{
	int status = read_flags(argc, argv, options, account);

	if (status != -1)
		return status;
	options->words = argv + optind;
	if (options->words[0] != NULL && options->words[1] == NULL &&
	    strcmp(options->words[0], "help") == 0) {
		help();
		return EX_OK;
	}
	if (options->words[0] != NULL && is_command(options->words[1]) &&
	    account_names_host(options->words[0]))
		options->centre = *options->words++;
	options->command = is_command(options->words[0]);
	return -1;
}

/* The word is no centre: what was meant? */
static int
no_centre(const char *word)
{
	const char *near = oneshot_nearest(word);
	char *safe = text_escaped(word, strlen(word), TEXT_WORD);

	if (near != NULL)
		options_usage(
		    "there is no command \"%s\": did you mean \"%s\"?", safe,
		    near);
	else
		options_usage(
		    "\"%s\" is neither a command nor a centre; a centre is "
		    "given as [USER@]HOST[:PORT]",
		    safe);
	free(safe);
	return EX_USAGE;
}

/* The word of a command that is its centre, or NULL. */
static const char *
command_centre(char **words, int *status)
{
	char *safe;

	*status = 0;
	if (oneshot_find(words[0]) != ONESHOT_REGISTER || words[1] == NULL)
		return NULL;
	if (account_names_host(words[1]))
		return words[1];
	safe = text_escaped(words[1], strlen(words[1]), TEXT_WORD);
	*status = options_usage(
	    "\"%s\" is no centre; one is given as [USER@]HOST[:PORT]", safe);
	free(safe);
	return NULL;
}

/* Behind the centre stands what is no command. */
static int
no_command(const char *word)
{
	const char *near = oneshot_nearest(word);
	char *safe = text_escaped(word, strlen(word), TEXT_WORD);

	if (near != NULL)
		options_usage(
		    "there is no command \"%s\": did you mean \"%s\"?", safe,
		    near);
	else
		options_usage("\"%s\" is a word too many: only a command can "
			      "stand behind the centre",
		    safe);
	free(safe);
	return EX_USAGE;
}

/*
 * The centre that the words name; NULL if they name none, and with an exit
 * status if they are wrong.
 */
static const char *
word_centre(const struct options *options, int *status)
{
	char **words = options->words;

	*status = 0;
	if (words[0] == NULL)
		return NULL;
	if (options->command && options->centre != NULL)
		return options->centre;
	if (options->command)
		return command_centre(words, status);
	if (!account_names_host(words[0]))
		*status = no_centre(words[0]);
	else if (words[1] != NULL)
		*status = no_command(words[1]);
	return *status == 0 ? words[0] : NULL;
}

/* Nobody knows which account is meant. */
static int
no_account(const struct profile *profile, const char *name)
{
	const char *near = name ? profile_nearest(profile, name) : NULL;
	char *safe, *names;

	if (name == NULL) {
		names = profile_names(profile);
		options_usage(
		    "no centre is given, and no account is the default in "
		    "%s: give --account with one of %s",
		    profile->file, names);
		free(names);
		return EX_USAGE;
	}
	safe = text_escaped(name, strlen(name), TEXT_WORD);
	options_usage("there is no account \"%s\" in %s%s%s%s", safe,
	    profile->file, near != NULL ? "; did you mean \"" : "",
	    near != NULL ? near : "", near != NULL ? "\"?" : "");
	free(safe);
	return EX_USAGE;
}

/*
 * The account that is named, or meant where no centre is; -1 to go on, with
 * what the configuration has of it.
 */
static int
named_account(const struct options *options, const struct profile *profile,
    bool elsewhere, struct account *account,
    const struct profile_account **entry)
{
	char why[ACCOUNT_WHY_LEN];

	*entry = NULL;
	account->heartbeat = profile->heartbeat;
	account->bell = profile->bell;
	account->beacon = profile->beacon;
	account->private_enabled = profile->private_enabled;
	account->private_port = profile->private_port;
	if (options->account == NULL && elsewhere)
		return -1;
	if (options->account == NULL && profile->count == 0)
		return account_only(account, options->state, why) == -1
		    ? options_usage("%s", why)
		    : -1;
	*entry = profile_find(profile, options->account);
	if (*entry != NULL)
		return profile_begin(*entry, account, why) == -1
		    ? options_usage("%s", why)
		    : -1;
	if (options->account == NULL || !account_names_host(options->account))
		return no_account(profile, options->account);
	if (account_centre(account, options->account, why) == -1)
		return options_usage("%s", why);
	return -1;
}

/* The account that options, words and configuration name. */
int
options_account(const struct options *options, const struct profile *profile,
    struct account *account)
{
	const struct profile_account *entry;
	const char *centre;
	char why[ACCOUNT_WHY_LEN];
	int status;

	centre = word_centre(options, &status);
	if (status != 0)
		return status;
	if (centre == NULL)
		centre = options->server;
	status =
	    named_account(options, profile, centre != NULL, account, &entry);
	if (status != -1)
		return status;
	if ((centre != NULL && account_centre(account, centre, why) == -1) ||
	    (options->user != NULL &&
		account_user(account, options->user, why) == -1) ||
	    (options->pin != NULL &&
		account_pin(account, options->pin, why) == -1))
		return options_usage("%s", why);
	if (entry == NULL)
		entry = profile_match(profile, account);
	if ((options->ca == NULL ||
		account_authority(account, options->ca, why) == 0) &&
	    (entry == NULL || profile_complete(entry, account, why) == 0))
		return -1;
	fprintf(stderr, "chat: %s\n", why);
	return EX_CONFIG;
}
