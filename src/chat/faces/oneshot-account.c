/* SPDX-License-Identifier: ISC */
/*
 * `chat password` and `chat register`: asks for passwords without showing
 * them, hands them to an agent or to a brief login, and says what came of
 * it.  Keeps no password longer than that takes.
 */
#include "chat/faces/oneshot-parts.h"

#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

#include "chat/faces/login.h"
#include "chat/faces/show.h"
#include "lib/wire.h"

enum {
	LEFT = -1, /* the user wants to leave */
	INVITE_LEN = 256, /* more is no code */
};

/* ---- new passwords ---- */

/* Says what is wrong with a new password: the exit status. */
static int
unfit(const char *why)
{
	fprintf(stderr, "chat: %s\n", why);
	return EXIT_REFUSED;
}

/* What is not UTF-8 is no password of this system. */
static bool
is_utf8(const char *password)
{
	json_t *value = json_string(password);
	bool fits = value != NULL;

	if (fits)
		explicit_bzero((void *)(uintptr_t)json_string_value(value),
		    json_string_length(value));
	json_decref(value);
	return fits;
}

/* Can it be one?  What is too long or has a NUL was read as "". */
static int
check(const char *password)
{
	if (*password == '\0')
		return unfit("A password has 1 to 512 octets, none of them "
			     "NUL. Nothing was changed.");
	if (!is_utf8(password))
		return unfit("The password is not UTF-8. Nothing was changed.");
	return 0;
}

/* Asks for it again, on a terminal: 0 if it is the same. */
static int
repeat(struct prompt *prompt, const char *password)
{
	char again[PASSWORD_MAX_LEN + 1] = "";
	int status = LEFT;

	if (!prompt->terminal)
		return 0;
	if (prompt_ask(prompt, "Repeat: ", false, again, sizeof(again)) ==
	    PROMPT_OK)
		status = strcmp(again, password) == 0
		    ? 0
		    : unfit("The two are not the same. Nothing was changed.");
	explicit_bzero(again, sizeof(again));
	return status;
}

/* A new password from whoever types it; 0, LEFT or an exit status. */
static int
read_new(struct prompt *prompt, char out[PASSWORD_MAX_LEN + 1])
{
	int status;

	switch (prompt_ask(
	    prompt, "New password: ", false, out, PASSWORD_MAX_LEN + 1)) {
	case PROMPT_OK:
		break;
	case PROMPT_END:
		if (prompt->terminal)
			return LEFT;
		fputs("chat: no new password: give it on standard input\n",
		    stderr);
		return EXIT_REFUSED;
	case PROMPT_STOPPED:
		return LEFT;
	}
	status = check(out);
	return status == 0 ? repeat(prompt, out) : status;
}

/* Asks with passwords in the request, which are wiped after it. */
static json_t *
ask_secret(const struct run *run, json_t *request, const char *const *names)
{
	int64_t tag = face_say(run->face, json_incref(request));
	json_t *value;

	for (; *names != NULL; names++) {
		value = json_object_get(request, *names);
		explicit_bzero((void *)(uintptr_t)json_string_value(value),
		    json_string_length(value));
	}
	json_decref(request);
	return tag != -1 ? face_reply(run->face, tag, ONESHOT_ANSWER_MS) : NULL;
}

/* ---- a new password ---- */

/* The outcome, where it is a good one. */
static int
changed(const struct run *run)
{
	json_t *object;

	if (!run->shot->json) {
		puts("The password has been changed.");
		return oneshot_flushed(0);
	}
	object = json_object();
	json_object_set_new(object, "user", json_string(run->account->user));
	json_object_set_new(object, "changed", json_true());
	oneshot_put_json(object);
	json_decref(object);
	return oneshot_flushed(0);
}

/* One try; *again if another old password may be the right one. */
static int
change(const struct run *run, const char *old, const char *new, bool *again)
{
	static const char *const secret[] = {"old", "new", NULL};
	json_t *request, *reply;
	const char *error;
	int status;

	/* Nobody need be asked about what can be none. */
	if (*old == '\0' || !is_utf8(old)) {
		*again = true;
		puts("Invalid password. Please try again.");
		return oneshot_flushed(EXIT_LOGIN);
	}
	request = face_request("password");
	json_object_set_new(request, "old", json_string(old));
	json_object_set_new(request, "new", json_string(new));
	reply = ask_secret(run, request, secret);
	if (reply == NULL)
		return oneshot_no_answer(run);
	error = wire_get_string(reply, "error");
	if (wire_get_bool(reply, "ok"))
		status = changed(run);
	else if (error != NULL &&
	    (strcmp(error, "login-failed") == 0 ||
		strcmp(error, "login-blocked") == 0)) {
		status = login_wrong(reply);
		*again = status == 0;
		if (status == 0)
			status = EXIT_LOGIN;
		fflush(stdout);
	} else
		status = oneshot_refused(run, reply);
	json_decref(reply);
	return status;
}

/* The old one until it is right, on a terminal; the new one is asked once. */
static int
ask_both(const struct run *run, char old[PASSWORD_MAX_LEN + 1],
    char new[PASSWORD_MAX_LEN + 1])
{
	bool once, again;
	int status;

	*new = '\0';
	do {
		again = false;
		status = login_password(
		    run->account, run->prompt, "Old password: ", old, &once);
		if (status == 0 && *new == '\0')
			status = read_new(run->prompt, new);
		if (status != 0)
			return status;
		status = change(run, old, new, &again);
	} while (again && !once && run->prompt->terminal);
	return status;
}

int
oneshot_password(const struct run *run)
{
	char old[PASSWORD_MAX_LEN + 1] = "", new[PASSWORD_MAX_LEN + 1] = "";
	int status = ask_both(run, old, new);

	explicit_bzero(old, sizeof(old));
	explicit_bzero(new, sizeof(new));
	return status;
}

/* ---- a new account ---- */

/* The invitation, asked for where the centre wants one. */
static int
get_invite(const struct run *run, char out[INVITE_LEN])
{
	const char *wanted = wire_get_string(run->login, "registration");
	const char *code = run->shot->invite;

	*out = '\0';
	if (wanted != NULL && strcmp(wanted, "closed") == 0) {
		fputs("chat: Registration is closed; ask the administrator.\n",
		    stderr);
		return EXIT_REFUSED;
	}
	if (code != NULL) {
		snprintf(out, INVITE_LEN, "%s", code);
		return 0;
	}
	if (wanted == NULL || strcmp(wanted, "invite") != 0)
		return 0;
	if (!run->prompt->terminal) {
		fputs("chat: An invitation is needed to register: give it with "
		      "--invite.\n",
		    stderr);
		return EXIT_REFUSED;
	}
	return prompt_ask(run->prompt, "Invitation: ", true, out, INVITE_LEN) ==
		PROMPT_OK
	    ? 0
	    : LEFT;
}

/* The outcome, where it is a good one, and what comes next. */
static int
registered(const struct run *run)
{
	const struct account *account = run->account;
	json_t *object;

	if (run->shot->json) {
		object = json_object();
		json_object_set_new(object, "user", json_string(account->user));
		json_object_set_new(
		    object, "centre", json_string(account->where));
		json_object_set_new(object, "registered", json_true());
		oneshot_put_json(object);
		json_decref(object);
		return oneshot_flushed(0);
	}
	printf("%s is registered at %s.\n", account->user, account->where);
	if (run->prompt->terminal)
		printf("To log in, type: chat %s@%s\n", account->user,
		    account->where);
	return oneshot_flushed(0);
}

/* Asks for the account. */
static int
enrol(const struct run *run, const char *invite, const char *password)
{
	static const char *const secret[] = {"password", NULL};
	json_t *request = face_request("register"), *reply;
	const char *error;
	int status;

	json_object_set_new(request, "password", json_string(password));
	if (*invite != '\0')
		json_object_set_new(
		    request, "invite", json_stringn(invite, strlen(invite)));
	reply = ask_secret(run, request, secret);
	if (reply == NULL)
		return oneshot_no_answer(run);
	error = wire_get_string(reply, "error");
	if (wire_get_bool(reply, "ok"))
		status = registered(run);
	else if (error != NULL && strcmp(error, "exists") == 0) {
		fprintf(stderr, "chat: The name %s is taken.\n",
		    run->account->user);
		status = EXIT_REFUSED;
	} else
		status = oneshot_refused(run, reply);
	json_decref(reply);
	return status;
}

int
oneshot_register(const struct run *run)
{
	char invite[INVITE_LEN], password[PASSWORD_MAX_LEN + 1] = "";
	bool once = false;
	int status = get_invite(run, invite);

	if (status == 0)
		status = login_password(
		    run->account, run->prompt, "Password: ", password, &once);
	if (status == 0)
		status = check(password);
	if (status == 0 && !once)
		status = repeat(run->prompt, password);
	if (status == 0)
		status = enrol(run, invite, password);
	explicit_bzero(password, sizeof(password));
	return status;
}
