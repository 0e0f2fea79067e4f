/* SPDX-License-Identifier: ISC */
/*
 * chat: finds the account and its agent, and runs a face or one command.
 * It must never speak to the centre itself, and never show a password.
 */
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <sys/stat.h>

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

#include "chat/account.h"
#include "chat/attach.h"
#include "chat/faces/face.h"
#include "chat/faces/line.h"
#include "chat/faces/login.h"
#include "chat/faces/oneshot.h"
#include "chat/faces/prompt.h"
#include "chat/faces/screen/screen.h"
#include "chat/faces/show.h"
#include "chat/once.h"
#include "chat/options.h"
#include "chat/profile.h"

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
	signal(SIGXFSZ, SIG_IGN);
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

/* Attaches and logs in, anew where the agent was just ending. */
static int
enter(const struct account *account, struct prompt *prompt, struct face *face,
    json_t **reply)
{
	int status;

	for (int i = 0; i < ATTACH_TRIES; i++) {
		status = attach_agent(account, face, prompt->stop);
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

/* The full screen where there can be one and lines were not asked for. */
static int
show_face(const struct options *options, struct account *account,
    struct face *face, struct prompt *prompt, const json_t *login)
{
	const char *why = NULL;

	if (!options->line && prompt->terminal) {
		if (screen_possible(&why))
			return screen_main(account, face, prompt, login);
		fprintf(stderr, "chat: %s; here are lines\n", why);
	}
	return line_main(account, face, prompt, login);
}

/* From the account to the end of its face; -1 if the user left before. */
static int
run(const struct options *options, struct account *account,
    struct prompt *prompt)
{
	char why[ACCOUNT_WHY_LEN];
	json_t *reply = NULL;
	struct face face;
	int status = login_user(account, prompt);

	if (status != 0)
		return status;
	if (account_place(account, options->state, why) == -1) {
		show_complaint("chat: ", why);
		return EX_CANTCREAT;
	}
	status = enter(account, prompt, &face, &reply);
	if (status != 0)
		return status;
	status = show_face(options, account, &face, prompt, reply);
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

/* Takes a command's words apart: -1 to go on, or an exit status. */
static int
take_words(const struct options *options, struct oneshot *shot)
{
	char why[ONESHOT_WHY_LEN];

	*shot = (struct oneshot){
	    .json = options->json,
	    .lines = options->lines,
	    .queue = options->queue,
	    .follow = options->follow,
	    .wait = options->wait,
	    .invite = options->invite,
	    .search = options->search,
	    .last = options->last,
	};

	switch (oneshot_parse(shot, options->words, why)) {
	case 0:
		break;
	case -1:
		return options_usage("%s", why);
	default:
		fprintf(stderr, "chat: %s\n", why);
		return EXIT_REFUSED;
	}
	if (shot->name == ONESHOT_REGISTER && options->centre != NULL &&
	    options->words[1] != NULL)
		return options_usage("the centre is given twice");
	return -1;
}

/* One command and no more. */
static int
once(const struct options *options, struct oneshot *shot,
    struct account *account)
{
	struct prompt prompt;
	int status;

	prompt_init(&prompt, stop_signals());
	status = oneshot_link(shot->name) == LINK_START
	    ? log_in(shot, account, options->state, &prompt)
	    : once_main(shot, account, options->state, &prompt);
	prompt_release(&prompt);
	return status;
}

/* The face, until its user leaves. */
static int
stay(const struct options *options, struct account *account)
{
	struct prompt prompt;
	int status;

	if (options->json || options->lines || options->queue ||
	    options->follow || options->search != NULL ||
	    options->last != NULL || options->wait != NULL ||
	    options->invite != NULL)
		return options_usage(
		    "--json, --lines, --queue, --follow, --wait, --search, "
		    "--invite and -n are for commands");
	prompt_init(&prompt, stop_signals());
	status = run(options, account, &prompt);
	/* Whoever leaves before is not said goodbye to: nobody came. */
	if (status == -1)
		status = EX_OK;
	prompt_release(&prompt);
	return status;
}

int
main(int argc, char **argv)
{
	struct options options = {0};
	struct profile *profile = NULL;
	struct oneshot shot = {0};
	struct account account;
	int status;

	standard_descriptors();
	no_core();
	umask(077);
	account_init(&account);
	status = options_read(argc, argv, &options, &account);
	/* What is wrong with the words is so for every account. */
	if (status == -1 && options.command)
		status = take_words(&options, &shot);
	if (status == -1) {
		profile = read_profile(options.config);
		status = profile == NULL
		    ? EX_CONFIG
		    : options_account(&options, profile, &account);
	}
	if (status == -1)
		status = options.command ? once(&options, &shot, &account)
					 : stay(&options, &account);
	oneshot_release(&shot);
	account_release(&account);
	profile_free(profile);
	return status;
}
