/* SPDX-License-Identifier: ISC */
/*
 * chat: reads the options, finds the account and its agent, and runs a face.
 * It must never speak to the centre itself, and never show a password.
 */
#ifdef HAVE_CONFIG_H
#include "config.h"
#endif

#include <sys/resource.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/stat.h>

#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

#include "chat/account.h"
#include "chat/agent/start.h"
#include "chat/faces/face.h"
#include "chat/faces/line.h"
#include "chat/faces/login.h"
#include "chat/faces/prompt.h"
#include "chat/faces/show.h"
#include "chat/profile.h"
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
	START_TRIES = 3, /* an agent may end just as we come */
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
    {"ipv4", no_argument, NULL, '4'},
    {"ipv6", no_argument, NULL, '6'},
    {"help", no_argument, NULL, 'h'},
    {"version", no_argument, NULL, 'V'},
    {NULL, 0, NULL, 0},
};

static const char usage_text[] =
    "usage: chat [OPTIONS] [[USER@]HOST[:PORT]]\n"
    "  -s, --server HOST[:PORT]      the centre\n"
    "  -u, --user USER               the user\n"
    "      --account NAME            an account of the configuration, or\n"
    "                                USER@HOST[:PORT]\n"
    "      --config FILE             instead of chat.conf; see chat.conf(5)\n"
    "      --password-file FILE      its first line is the password\n"
    "      --password-command CMD    likewise of what CMD prints\n"
    "      --ca FILE                 trust these authorities and no other\n"
    "      --pin sha256//...         trust this public key and no other\n"
    "      --line                    lines instead of the full screen\n"
    "      --state DIR               where sessions and history lie\n"
    "  -4, -6                        use only IPv4, only IPv6\n"
    "  -h, --help                    print this\n"
    "  -V, --version                 print the version\n";

struct options {
	const char *server, *user, *account, *config, *ca, *pin, *state;
};

/* Says what is wrong with the command line. */
__attribute__((format(printf, 1, 2))) static int
usage(const char *fmt, ...)
{
	va_list args;

	fputs("chat: ", stderr);
	va_start(args, fmt);
	vfprintf(stderr, fmt, args);
	va_end(args);
	fputs("\nTry \"chat --help\".\n", stderr);
	return EX_USAGE;
}

/* Reads the options: -1 to go on, else an exit status. */
static int
read_options(
    int argc, char **argv, struct options *options, struct account *account)
{
	int c;

	while ((c = getopt_long(argc, argv, "s:u:46hV", long_options, NULL)) !=
	    -1) {
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
		case OPT_LINE:
			/* There is no other face yet. */
			break;
		case 'h':
			fputs(usage_text, stdout);
			return EX_OK;
		case 'V':
			puts("chat " PACKAGE_VERSION);
			return EX_OK;
		default:
			fputs("Try \"chat --help\".\n", stderr);
			return EX_USAGE;
		}
	}
	return -1;
}

/* Nobody knows which account is meant. */
static int
no_account(const struct profile *profile, const char *name)
{
	const char *near = name ? profile_nearest(profile, name) : NULL;
	char *safe, *names;

	if (name == NULL && profile->count == 0)
		return usage("no centre is given");
	if (name == NULL) {
		names = profile_names(profile);
		usage("no centre is given, and no account is the default in "
		      "%s: give --account with one of %s",
		    profile->file, names);
		free(names);
		return EX_USAGE;
	}
	safe = text_escaped(name, strlen(name), TEXT_WORD);
	usage("there is no account \"%s\" in %s%s%s%s", safe, profile->file,
	    near != NULL ? "; did you mean \"" : "", near != NULL ? near : "",
	    near != NULL ? "\"?" : "");
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
	if (options->account == NULL && elsewhere)
		return -1;
	*entry = profile_find(profile, options->account);
	if (*entry != NULL)
		return profile_begin(*entry, account, why) == -1
		    ? usage("%s", why)
		    : -1;
	if (options->account == NULL || !account_names_host(options->account))
		return no_account(profile, options->account);
	if (account_centre(account, options->account, why) == -1)
		return usage("%s", why);
	return -1;
}

/* The account that options and words name; -1 to go on. */
static int
find_account(char **words, const struct options *options,
    const struct profile *profile, struct account *account)
{
	const struct profile_account *entry;
	const char *centre = options->server;
	char why[ACCOUNT_WHY_LEN], *safe;
	int status;

	status = named_account(options, profile,
	    options->server != NULL || words[0] != NULL, account, &entry);
	if (status != -1)
		return status;
	if (words[0] != NULL) {
		if (!account_names_host(words[0])) {
			safe =
			    text_escaped(words[0], strlen(words[0]), TEXT_WORD);
			usage("\"%s\" is neither a command nor a centre; a "
			      "centre is given as [USER@]HOST[:PORT]",
			    safe);
			free(safe);
			return EX_USAGE;
		}
		if (words[1] != NULL)
			return usage("there is a word too many");
		centre = words[0];
	}
	if ((centre != NULL && account_centre(account, centre, why) == -1) ||
	    (options->user != NULL &&
		account_user(account, options->user, why) == -1) ||
	    (options->pin != NULL &&
		account_pin(account, options->pin, why) == -1))
		return usage("%s", why);
	if ((options->ca == NULL ||
		account_authority(account, options->ca, why) == 0) &&
	    (entry == NULL || profile_complete(entry, account, why) == 0))
		return -1;
	fprintf(stderr, "chat: %s\n", why);
	return EX_CONFIG;
}

/* The configuration; NULL after all that is wrong with it. */
static struct profile *
read_profile(const char *file)
{
	struct conf_errors errors = {0};
	struct profile *profile = profile_read(file, &errors);

	if (profile == NULL)
		fputs(errors.text, stderr);
	conf_errors_release(&errors);
	return profile;
}

/*
 * The signals that ask us to leave, as a descriptor; blocked from here on,
 * so that the terminal can always be put back.
 */
static int
stop_signals(void)
{
	sigset_t set;

	signal(SIGPIPE, SIG_IGN);
	sigemptyset(&set);
	sigaddset(&set, SIGINT);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGHUP);
	sigaddset(&set, SIGQUIT);
	sigprocmask(SIG_BLOCK, &set, NULL);
	return signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
}

/* Whoever closed these three would have us write into a socket. */
static void
standard_descriptors(void)
{
	int fd;

	do
		fd = open("/dev/null", O_RDWR);
	while (fd >= 0 && fd <= STDERR_FILENO);
	if (fd > STDERR_FILENO)
		close(fd);
}

/* A password or a token in memory is not to end up in a file. */
static void
no_core(void)
{
	struct rlimit none = {0, 0};

	setrlimit(RLIMIT_CORE, &none);
}

/* Attaches to the account's agent, starting one if there is none. */
static int
attach(const struct account *account, struct face *face, int stop)
{
	char why[2048] = "";
	int status, error = 0;

	for (int i = 0; i < START_TRIES; i++) {
		if (face_open(face, account->socket, stop) == 0)
			return 0;
		error = errno;
		status = agent_start(account, why, sizeof(why));
		if (status != 0) {
			show_complaint("chat: ", why);
			return status;
		}
	}
	fprintf(stderr, "chat: %s: %s\n", account->socket, strerror(error));
	return EX_OSERR;
}

/* Attaches and logs in, anew where the agent was just ending. */
static int
enter(const struct account *account, struct prompt *prompt, struct face *face,
    json_t **reply)
{
	int status;

	for (int i = 0; i < START_TRIES; i++) {
		status = attach(account, face, prompt->stop);
		if (status != 0)
			return status;
		status = login_run(account, prompt, face, reply);
		if (status == 0)
			return 0;
		face_close(face);
		if (status != LOGIN_LOST)
			return status;
	}
	fputs("chat: the agent has ended; try again\n", stderr);
	return EX_TEMPFAIL;
}

/* From the account to the end of its face; -1 if the user left before. */
static int
run(struct account *account, const char *state, struct prompt *prompt)
{
	char why[ACCOUNT_WHY_LEN];
	json_t *reply = NULL;
	struct face face;
	int status = login_user(account, prompt);

	if (status != 0)
		return status;
	if (account_place(account, state, why) == -1) {
		show_complaint("chat: ", why);
		return EX_CANTCREAT;
	}
	status = enter(account, prompt, &face, &reply);
	if (status != 0)
		return status;
	status = line_main(account, &face, prompt, reply);
	json_decref(reply);
	face_close(&face);
	return status;
}

int
main(int argc, char **argv)
{
	struct options options = {0};
	struct profile *profile = NULL;
	struct account account;
	struct prompt prompt;
	int status;

	standard_descriptors();
	no_core();
	umask(077);
	account_init(&account);
	status = read_options(argc, argv, &options, &account);
	if (status == -1) {
		profile = read_profile(options.config);
		status = profile == NULL
		    ? EX_CONFIG
		    : find_account(argv + optind, &options, profile, &account);
	}
	if (status != -1) {
		account_release(&account);
		profile_free(profile);
		return status;
	}
	prompt_init(&prompt, stop_signals());
	status = run(&account, options.state, &prompt);
	if (status == -1) {
		puts("Goodbye.");
		status = EX_OK;
	}
	prompt_release(&prompt);
	account_release(&account);
	profile_free(profile);
	return status;
}
