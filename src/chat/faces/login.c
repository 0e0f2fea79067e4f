/* SPDX-License-Identifier: ISC */
/*
 * How a face gets its user logged in: the centre's identity first, then the
 * password, with the words of INTERFACE.  Runs in the face; keeps no
 * password longer than it takes to hand it to the agent.
 */
#include "chat/faces/login.h"

#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

#include "chat/faces/show.h"
#include "lib/text.h"
#include "lib/unix.h"
#include "lib/wire.h"

enum {
	LEFT = -1, /* the user wants to leave */
	AGAIN = -2, /* ask the agent once more */
	TURN_TRIES = 300,
	TURN_MS = 100,
	QUIET_MS = 1000, /* then a person at a terminal is told */
};

struct attempt {
	const struct account *account;
	struct prompt *prompt;
	struct face *face;
	json_t *reply;
};

/* Asks for the user's name if the account has none. */
int
login_user(struct account *account, struct prompt *prompt)
{
	char name[128], why[ACCOUNT_WHY_LEN];

	while (*account->user == '\0') {
		switch (prompt_ask(
		    prompt, "Username: ", true, name, sizeof(name))) {
		case PROMPT_STOPPED:
			return LEFT;
		case PROMPT_END:
			if (prompt->terminal)
				return LEFT;
			fputs("chat: no user name: give USER@HOST\n", stderr);
			return EX_USAGE;
		case PROMPT_OK:
			break;
		}
		if (account_user(account, name, why) == 0)
			return 0;
		fprintf(stderr, "chat: %s\n", why);
		if (!prompt->terminal)
			return EX_USAGE;
	}
	return 0;
}

static const char *
member(const json_t *reply, const char *key)
{
	const char *value = wire_get_string(reply, key);

	return value != NULL ? value : "";
}

/* A key, at the end of a line on standard error. */
static void
put_pin(const char *before, const char *pin)
{
	fputs(before, stderr);
	show_word(stderr, pin);
	putc('\n', stderr);
}

/* An agent that runs may have been started without our --pin. */
static int
check_pin(const struct attempt *attempt, const json_t *reply)
{
	const char *pin = member(reply, "pin");

	if (attempt->account->pin == NULL ||
	    strcmp(pin, attempt->account->pin) == 0)
		return 0;
	fprintf(stderr, "The centre %s is not trusted: its public key is ",
	    attempt->account->where);
	show_word(stderr, pin);
	fprintf(stderr, ", not the pinned %s\n", attempt->account->pin);
	return EXIT_UNTRUSTED;
}

/* A question until the answer is y, yes, n, no or empty, which is no. */
static enum prompt_status
ask_yes(struct prompt *prompt, const char *question, bool *yes)
{
	enum prompt_status status;
	char answer[16];

	*yes = false;
	for (;;) {
		status =
		    prompt_ask(prompt, question, true, answer, sizeof(answer));
		if (status != PROMPT_OK)
			return status;
		*yes = strcasecmp(answer, "yes") == 0 ||
		    strcasecmp(answer, "y") == 0;
		if (*yes || *answer == '\0' || strcasecmp(answer, "no") == 0 ||
		    strcasecmp(answer, "n") == 0)
			return PROMPT_OK;
		puts("Please answer yes or no.");
	}
}

/* The key that an unknown centre showed, and that its certificate is old. */
static void
put_unknown(FILE *to, const char *where, const char *verb, const char *expired)
{
	fprintf(to, "The identity of %s %s.", where, verb);
	if (*expired != '\0') {
		fputs(" Its certificate has been expired since ", to);
		show_word(to, expired);
		putc('.', to);
	}
}

/* Asks once whether an unknown centre is the right one. */
static int
ask_trust(struct attempt *attempt, const char *pin, const char *expired)
{
	json_t *request, *reply;
	const char *where = attempt->account->where;
	bool yes;

	if (!attempt->prompt->terminal) {
		put_unknown(stderr, where, "cannot be verified", expired);
		put_pin(
		    " If its public key is the right one, add: --pin ", pin);
		return EXIT_UNTRUSTED;
	}
	put_unknown(stdout, where, "is not known yet", expired);
	fputs(" The fingerprint of its public key is\n  ", stdout);
	show_word(stdout, pin);
	putchar('\n');
	switch (ask_yes(
	    attempt->prompt, "Is that the right centre (yes/no)? ", &yes)) {
	case PROMPT_STOPPED:
		return LEFT;
	case PROMPT_END:
		return EXIT_UNTRUSTED;
	case PROMPT_OK:
		break;
	}
	if (!yes) {
		fputs("The centre is not trusted; nothing was sent.\n", stderr);
		return EXIT_UNTRUSTED;
	}
	request = face_request("trust");
	json_object_set_new(request, "pin", json_string(pin));
	reply = face_call(attempt->face, request);
	if (reply != NULL && !wire_get_bool(reply, "ok")) {
		show_complaint("chat: ", wire_get_string(reply, "text"));
		json_decref(reply);
		return EX_CANTCREAT;
	}
	json_decref(reply);
	return AGAIN;
}

/* What is wrong with the centre, and why. */
static void
complain(const struct attempt *attempt, const char *what, const char *why)
{
	const char *where = attempt->account->where;
	char before[sizeof(attempt->account->where) + 64];

	snprintf(before, sizeof(before), "The centre %s %s: ", where, what);
	show_complaint(before, why);
}

/* The centre is not known to be the right one. */
static int
untrusted(struct attempt *attempt, const json_t *reply)
{
	const char *trust = member(reply, "trust");
	const char *where = attempt->account->where;
	const char *pin = member(reply, "pin");

	if (strcmp(trust, "unknown") == 0)
		return ask_trust(attempt, pin, member(reply, "expired"));
	if (strcmp(trust, "changed") == 0) {
		fprintf(stderr,
		    "The public key of %s has changed; nothing was sent.\n",
		    where);
		put_pin("  now:        ", pin);
		fputs("  remembered: ", stderr);
		show_word(stderr, member(reply, "known_pin"));
		fputs(" (", stderr);
		show_word(stderr, member(reply, "file"));
		fprintf(stderr, ", line %lld)\n",
		    (long long)wire_get_number(reply, "line", 0));
		put_pin("Delete that line if the change is right, or add: "
			"--pin ",
		    pin);
		return EXIT_UNTRUSTED;
	}
	complain(attempt, "is not trusted", wire_get_string(reply, "text"));
	if (*pin != '\0' && attempt->account->pin == NULL)
		put_pin("If its public key is the right one, add: --pin ", pin);
	return EXIT_UNTRUSTED;
}

/* The name is locked. */
static int
locked(const json_t *reply)
{
	printf("Due to multiple login failures, your account has been "
	       "blocked. Please try again in %ld seconds.\n",
	    face_retry_after(reply, 1));
	return EXIT_LOGIN;
}

/* A login was refused with a reason that more passwords do not cure. */
static int
refused(struct attempt *attempt, const json_t *reply)
{
	const char *error = member(reply, "error");
	const char *text = wire_get_string(reply, "text");

	if (strcmp(error, "untrusted") == 0)
		return untrusted(attempt, reply);
	if (strcmp(error, "login-blocked") == 0)
		return locked(reply);
	if (strcmp(error, "unreachable") == 0) {
		complain(attempt, "cannot be reached", text);
		return EX_UNAVAILABLE;
	}
	show_complaint("chat: ", text);
	if (strcmp(error, "failed") == 0)
		return (int)wire_get_number(reply, "status", EX_SOFTWARE);
	if (strcmp(error, "busy") == 0 || strcmp(error, "wait") == 0 ||
	    strcmp(error, "rate-limited") == 0 ||
	    strcmp(error, "internal") == 0 || strcmp(error, "read-only") == 0)
		return EX_TEMPFAIL;
	return EXIT_LOGIN;
}

/* The password did not match: 0 if another may be tried. */
static int
wrong_password(const json_t *reply)
{
	if (wire_get_number(reply, "attempts_left", 1) > 0) {
		puts("Invalid password. Please try again.");
		return 0;
	}
	printf("Invalid password. Your account has been blocked. Please try "
	       "again in %ld seconds.\n",
	    face_retry_after(reply, 60));
	return EXIT_LOGIN;
}

/* Says why a password was not taken. */
int
login_wrong(const json_t *reply)
{
	return strcmp(member(reply, "error"), "login-blocked") == 0
	    ? locked(reply)
	    : wrong_password(reply);
}

/* A password that is none is wrong: nobody need be asked. */
static int
no_password(bool once)
{
	puts("Invalid password. Please try again.");
	fflush(stdout);
	return once ? EXIT_LOGIN : AGAIN;
}

/* Where the password comes from; 0, an exit status or LEFT. */
int
login_password(const struct account *account, struct prompt *prompt,
    const char *question, char password[PASSWORD_MAX_LEN + 1], bool *once)
{
	char why[256] = "";
	enum prompt_status status;

	*once =
	    account->password_file != NULL || account->password_command != NULL;
	if (account->password_file != NULL)
		status = prompt_file(prompt, account->password_file, password,
		    PASSWORD_MAX_LEN + 1, why);
	else if (account->password_command != NULL)
		status = prompt_command(prompt, account->password_command,
		    password, PASSWORD_MAX_LEN + 1, why);
	else
		status = prompt_ask(
		    prompt, question, false, password, PASSWORD_MAX_LEN + 1);
	if (status == PROMPT_OK)
		return 0;
	if (status == PROMPT_STOPPED)
		return LEFT;
	if (*once) {
		show_complaint("chat: ", why);
		return EX_CONFIG;
	}
	if (prompt->terminal)
		return LEFT;
	/* That the last one was wrong has been said. */
	if (prompt->refused)
		return EXIT_LOGIN;
	fprintf(stderr, "chat: no password: give it %swith --password-file\n",
	    prompt->closed ? "" : "on standard input or ");
	return EXIT_LOGIN;
}

/* The agent's answer; a person who sees nothing happen is told what does. */
static json_t *
await(const struct attempt *attempt, int64_t tag)
{
	int64_t since = clock_mono();
	json_t *reply = face_reply(attempt->face, tag, QUIET_MS);

	if (reply != NULL || attempt->face->stopped ||
	    clock_mono() < since + QUIET_MS)
		return reply;
	if (attempt->prompt->terminal && isatty(STDERR_FILENO))
		fprintf(
		    stderr, "Connecting to %s...\n", attempt->account->where);
	return face_reply(attempt->face, tag, -1);
}

/* The agent may have been started by somebody who trusts something else. */
static void
put_trust(json_t *request, const struct account *account)
{
	json_object_set_new(request, "pin",
	    json_string(account->pin != NULL ? account->pin : ""));
	json_object_set_new(
	    request, "ca", json_string(account->ca != NULL ? account->ca : ""));
}

/* Sends one login and wipes what held the password. */
static json_t *
say_login(struct attempt *attempt, const char *password)
{
	json_t *request = face_request("login"), *value = NULL, *reply;
	int64_t tag;

	put_trust(request, attempt->account);
	if (password != NULL) {
		value = json_string(password);
		/* What is not UTF-8 is no password of this system either. */
		if (value == NULL)
			value = json_string("?");
		json_object_set(request, "password", value);
	}
	tag = face_say(attempt->face, request);
	if (tag == -1)
		reply = NULL;
	else if (password == NULL)
		reply = await(attempt, tag);
	else
		reply = face_reply(attempt->face, tag, -1);
	if (value != NULL)
		explicit_bzero((void *)(uintptr_t)json_string_value(value),
		    json_string_length(value));
	json_decref(value);
	return reply;
}

/*
 * Asks the agent to log in, after whoever does so just now; password may be
 * NULL.  NULL: status is set.
 */
static json_t *
ask_agent(struct attempt *attempt, const char *password, int *status)
{
	struct pollfd pfd = {.fd = attempt->face->stop, .events = POLLIN};
	json_t *reply = say_login(attempt, password);

	for (int i = 0; i < TURN_TRIES && reply != NULL &&
	     strcmp(member(reply, "error"), "wait") == 0 &&
	     poll(&pfd, 1, TURN_MS) == 0;
	     i++) {
		json_decref(reply);
		reply = say_login(attempt, password);
	}
	if (reply == NULL)
		*status = attempt->face->stopped ? LEFT : LOGIN_LOST;
	return reply;
}

/* One login with this password: AGAIN, LEFT, 0 or an exit status. */
static int
say_password(struct attempt *attempt, const char *password, bool once)
{
	int status = 0;
	json_t *reply = ask_agent(attempt, password, &status);

	if (reply == NULL && status == LOGIN_LOST) {
		fputs("chat: the agent has ended; try again\n", stderr);
		return EX_TEMPFAIL;
	}
	if (reply == NULL)
		return status;
	if (wire_get_bool(reply, "ok")) {
		attempt->reply = reply;
		return 0;
	}
	if (strcmp(member(reply, "error"), "login-failed") != 0)
		status = refused(attempt, reply);
	else {
		status = wrong_password(reply);
		if (status == 0)
			status = once ? EXIT_LOGIN : AGAIN;
	}
	fflush(stdout);
	json_decref(reply);
	return status;
}

/* One round: the same. */
static int
try_password(struct attempt *attempt)
{
	char password[PASSWORD_MAX_LEN + 1] = "";
	bool once;
	int status = login_password(
	    attempt->account, attempt->prompt, "Password: ", password, &once);

	if (status == 0)
		status = *password != '\0'
		    ? say_password(attempt, password, once)
		    : no_password(once);
	explicit_bzero(password, sizeof(password));
	attempt->prompt->refused |= status == AGAIN;
	return status;
}

/* Is it the right centre, and is a password needed at all? */
static int
knock(struct attempt *attempt, bool *password)
{
	int status = 0;
	json_t *reply = ask_agent(attempt, NULL, &status);

	*password = false;
	if (reply == NULL)
		return status;
	if (wire_get_bool(reply, "ok")) {
		attempt->reply = reply;
		return 0;
	}
	*password = strcmp(member(reply, "error"), "password") == 0;
	if (*password) {
		attempt->reply = reply;
		return 0;
	}
	status = refused(attempt, reply);
	json_decref(reply);
	return status;
}

/* Is it the right centre? */
int
login_knock(const struct account *account, struct prompt *prompt,
    struct face *face, json_t **reply)
{
	struct attempt attempt = {account, prompt, face, NULL};
	bool password;
	int status;

	do
		status = knock(&attempt, &password);
	while (status == AGAIN);
	if (status == 0)
		status = check_pin(&attempt, attempt.reply);
	if (status == 0)
		*reply = attempt.reply;
	else
		json_decref(attempt.reply);
	return status;
}

/* Logs in through the agent, or finds that it is logged in. */
int
login_run(const struct account *account, struct prompt *prompt,
    struct face *face, json_t **reply)
{
	struct attempt attempt = {account, prompt, face, NULL};
	int status = login_knock(account, prompt, face, &attempt.reply);

	if (status == 0 && !wire_get_bool(attempt.reply, "ok")) {
		json_decref(attempt.reply);
		attempt.reply = NULL;
		do
			status = try_password(&attempt);
		while (status == AGAIN);
	}
	if (status == 0)
		status = check_pin(&attempt, attempt.reply);
	if (status != 0) {
		json_decref(attempt.reply);
		return status;
	}
	*reply = attempt.reply;
	return 0;
}
