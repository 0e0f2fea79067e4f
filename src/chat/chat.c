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
#include "chat/faces/oneshot.h"
#include "chat/faces/prompt.h"
#include "chat/faces/show.h"
#include "chat/once.h"
#include "lib/text.h"

#ifndef PACKAGE_VERSION
#define PACKAGE_VERSION "unknown"
#endif

enum {
	OPT_ACCOUNT = 256,
	OPT_PASSWORD_FILE,
	OPT_PASSWORD_COMMAND,
	OPT_CA,
	OPT_PIN,
	OPT_LINE,
	OPT_STATE,
	OPT_JSON,
	OPT_LINES,
	OPT_SEARCH,
	START_TRIES = 3, /* an agent may end just as we come */
};

static const struct option long_options[] = {
    {"server", required_argument, NULL, 's'},
    {"user", required_argument, NULL, 'u'},
    {"account", required_argument, NULL, OPT_ACCOUNT},
    {"password-file", required_argument, NULL, OPT_PASSWORD_FILE},
    {"password-command", required_argument, NULL, OPT_PASSWORD_COMMAND},
    {"ca", required_argument, NULL, OPT_CA},
    {"pin", required_argument, NULL, OPT_PIN},
    {"line", no_argument, NULL, OPT_LINE},
    {"state", required_argument, NULL, OPT_STATE},
    {"json", no_argument, NULL, OPT_JSON},
    {"lines", no_argument, NULL, OPT_LINES},
    {"search", required_argument, NULL, OPT_SEARCH},
    {"ipv4", no_argument, NULL, '4'},
    {"ipv6", no_argument, NULL, '6'},
    {"help", no_argument, NULL, 'h'},
    {"version", no_argument, NULL, 'V'},
    {NULL, 0, NULL, 0},
};

static const char usage_text[] =
    "usage: chat [OPTIONS] [USER@]HOST[:PORT]\n"
    "       chat [OPTIONS] COMMAND [ARGUMENT...]\n"
    "  -s, --server HOST[:PORT]      the centre\n"
    "  -u, --user USER               the user\n"
    "      --account USER@HOST[:PORT]\n"
    "      --password-file FILE      its first line is the password\n"
    "      --password-command CMD    likewise of what CMD prints\n"
    "      --ca FILE                 trust these authorities and no other\n"
    "      --pin sha256//...         trust this public key and no other\n"
    "      --json                    one object a line\n"
    "      --line                    lines instead of the full screen\n"
    "      --lines                   each line of standard input is a message\n"
    "  -n N                          the last N only\n"
    "      --search WORDS            only what has these words\n"
    "      --state DIR               where sessions and history lie\n"
    "  -4, -6                        use only IPv4, only IPv6\n"
    "  -h, --help                    print this\n"
    "  -V, --version                 print the version\n"
    "Commands:\n";

struct options {
	const char *server, *user, *account, *ca, *pin, *state;
	const char *search, *last;
	bool json, lines;
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
		case 'n':
			options->last = optarg;
			break;
		case OPT_LINE:
			/* There is no other face yet. */
			break;
		case 'h':
			fputs(usage_text, stdout);
			oneshot_help(stdout);
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

/* The word is no centre: what was meant? */
static int
no_centre(const char *word)
{
	const char *near = oneshot_nearest(word);
	char *safe = text_escaped(word, strlen(word), TEXT_WORD);

	if (near != NULL)
		usage("there is no command \"%s\": did you mean \"%s\"?", safe,
		    near);
	else
		usage("\"%s\" is neither a command nor a centre; a centre is "
		      "given as [USER@]HOST[:PORT]",
		    safe);
	free(safe);
	return EX_USAGE;
}

/* The centre that the words name, or NULL with an exit status. */
static const char *
word_centre(char **words, int *status)
{
	*status = 0;
	if (!account_names_host(words[0]))
		*status = no_centre(words[0]);
	else if (words[1] != NULL)
		*status = usage("there is a word too many");
	return *status == 0 ? words[0] : NULL;
}

/* The account that options and words name; -1 to go on. */
static int
find_account(char **words, bool command, const struct options *options,
    struct account *account)
{
	const char *centre =
	    options->server != NULL ? options->server : options->account;
	char why[ACCOUNT_WHY_LEN];
	int status;

	if (options->account != NULL &&
	    account_centre(account, options->account, why) == -1)
		return usage("%s", why);
	if (words[0] != NULL && !command) {
		centre = word_centre(words, &status);
		if (centre == NULL)
			return status;
	}
	if (centre == NULL && !command)
		return usage("no centre is given");
	if (centre == NULL) {
		if (account_only(account, options->state, why) == -1)
			return usage("%s", why);
		centre = options->account;
	}
	if ((centre != NULL && centre != options->account &&
		account_centre(account, centre, why) == -1) ||
	    (options->user != NULL &&
		account_user(account, options->user, why) == -1) ||
	    (options->pin != NULL &&
		account_pin(account, options->pin, why) == -1))
		return usage("%s", why);
	if (options->ca == NULL ||
	    account_authority(account, options->ca, why) == 0)
		return -1;
	fprintf(stderr, "chat: %s\n", why);
	return EX_CONFIG;
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

/* A session that goes on by itself: with an agent that stays. */
static int
log_in(const struct oneshot *shot, struct account *account, const char *state,
    struct prompt *prompt)
{
	char why[ACCOUNT_WHY_LEN];
	json_t *reply = NULL;
	struct face face;
	int status = login_user(account, prompt);

	if (status != 0)
		return status == -1 ? EX_TEMPFAIL : status;
	if (account_place(account, state, why) == -1) {
		show_complaint("chat: ", why);
		return EX_CANTCREAT;
	}
	status = enter(account, prompt, &face, &reply);
	if (status != 0)
		return status == -1 ? EX_TEMPFAIL : status;
	status = oneshot_main(shot, account, &face, prompt, reply);
	json_decref(reply);
	face_close(&face);
	return status;
}

/* One command and no more. */
static int
once(char **words, const struct options *options, struct account *account)
{
	struct oneshot shot = {
	    .json = options->json,
	    .lines = options->lines,
	    .search = options->search,
	    .last = options->last,
	};
	char why[ONESHOT_WHY_LEN];
	struct prompt prompt;
	int status;

	switch (oneshot_parse(&shot, words, why)) {
	case 0:
		break;
	case -1:
		return usage("%s", why);
	default:
		oneshot_release(&shot);
		fprintf(stderr, "chat: %s\n", why);
		return EXIT_REFUSED;
	}
	prompt_init(&prompt, stop_signals());
	status = oneshot_link(shot.name) == LINK_START
	    ? log_in(&shot, account, options->state, &prompt)
	    : once_main(&shot, account, options->state, &prompt);
	prompt_release(&prompt);
	oneshot_release(&shot);
	return status;
}

/* The face, until its user leaves. */
static int
stay(const struct options *options, struct account *account)
{
	struct prompt prompt;
	int status;

	if (options->json || options->lines || options->search != NULL ||
	    options->last != NULL)
		return usage(
		    "--json, --lines, --search and -n are for commands");
	prompt_init(&prompt, stop_signals());
	status = run(account, options->state, &prompt);
	if (status == -1) {
		puts("Goodbye.");
		status = EX_OK;
	}
	prompt_release(&prompt);
	return status;
}

int
main(int argc, char **argv)
{
	struct options options = {0};
	struct account account;
	char **words;
	bool command;
	int status;

	standard_descriptors();
	no_core();
	umask(077);
	account_init(&account);
	status = read_options(argc, argv, &options, &account);
	if (status == -1) {
		words = argv + optind;
		command =
		    words[0] != NULL && oneshot_find(words[0]) != ONESHOT_COUNT;
		status = find_account(words, command, &options, &account);
		if (status == -1)
			status = command ? once(words, &options, &account)
					 : stay(&options, &account);
	}
	account_release(&account);
	return status;
}
