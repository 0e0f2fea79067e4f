/* SPDX-License-Identifier: ISC */
/*
 * One-shot commands, carried out: asks an agent or a brief login, prints the
 * answer as text or JSON, and turns it into an exit status.  Runs in the face;
 * prints nothing but text, and no text of others that is not escaped.
 */
#include "chat/faces/oneshot.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

#include "chat/faces/fold.h"
#include "chat/faces/login.h"
#include "chat/faces/oneshot-parts.h"
#include "chat/faces/show-link.h"
#include "chat/faces/show.h"
#include "lib/wire.h"

/* ---- what comes out ---- */

/* One object a line; whatever is not ASCII, or no text, is escaped. */
void
oneshot_put_json(const json_t *object)
{
	wire_print(stdout, object);
}

/* What was written has to get out. */
int
oneshot_flushed(int status)
{
	if (fflush(stdout) == 0 && !ferror(stdout))
		return status;
	perror("chat: standard output");
	return EX_IOERR;
}

/* The exit status of a refusal, with its reason on standard error. */
int
oneshot_refused(const struct run *run, const json_t *reply)
{
	static const struct {
		const char *error;
		int status;
	} statuses[] = {
	    {"unreachable", EX_UNAVAILABLE},
	    {"busy", EX_TEMPFAIL},
	    {"rate-limited", EX_TEMPFAIL},
	    {"internal", EX_TEMPFAIL},
	    {"read-only", EX_TEMPFAIL},
	    {"login-failed", EXIT_LOGIN},
	    {"login-blocked", EXIT_LOGIN},
	    {"session-expired", EXIT_LOGIN},
	    {"session-replaced", EXIT_LOGIN},
	    {"untrusted", EXIT_UNTRUSTED},
	};
	const char *error = wire_get_string(reply, "error");
	struct fold fold;
	FILE *to = fold_open(&fold, stderr);

	fputs("chat: ", to);
	if (oneshot_link(run->shot->name) == LINK_LINK)
		show_link_refusal(
		    to, oneshot_name(run->shot->name), reply, run->shot->user);
	else
		show_refusal(to, reply, run->shot->user);
	fold_close(&fold);
	for (size_t i = 0;
	     error != NULL && i < sizeof(statuses) / sizeof(*statuses); i++)
		if (strcmp(statuses[i].error, error) == 0)
			return statuses[i].status;
	if (error != NULL && strcmp(error, "failed") == 0)
		return (int)wire_get_number(reply, "status", EX_SOFTWARE);
	return EXIT_REFUSED;
}

/* There was no answer. */
int
oneshot_no_answer(const struct run *run)
{
	if (!run->face->stopped)
		fputs("chat: the agent has ended or does not answer; try "
		      "again\n",
		    stderr);
	return EX_TEMPFAIL;
}

/* ---- lists and blocks ---- */

/* The names of a reply as objects, one a line. */
static void
json_users(const json_t *reply)
{
	const json_t *users = json_object_get(reply, "users");
	json_t *user, *object;
	size_t i;

	json_array_foreach((json_t *)(uintptr_t)users, i, user)
	{
		if (json_is_object(user)) {
			oneshot_put_json(user);
			continue;
		}
		object = json_object();
		json_object_set(object, "user", user);
		oneshot_put_json(object);
		json_decref(object);
	}
}

/* Asks for names and prints them page by page. */
static int
do_list(const struct run *run)
{
	bool online = run->shot->name == ONESHOT_ONLINE, any = false, more;
	int64_t tag =
	    face_say(run->face, face_request(online ? "online" : "blocked"));
	json_t *reply;
	int status;

	do {
		reply = tag != -1
		    ? face_reply(run->face, tag, ONESHOT_ANSWER_MS)
		    : NULL;
		if (reply == NULL)
			return oneshot_no_answer(run);
		if (!wire_get_bool(reply, "ok")) {
			status = oneshot_refused(run, reply);
			json_decref(reply);
			return status;
		}
		any |= json_array_size(json_object_get(reply, "users")) > 0;
		if (run->shot->json)
			json_users(reply);
		else
			show_users(stdout, reply);
		more = wire_get_bool(reply, "more");
		json_decref(reply);
	} while (more);
	if (!any && !run->shot->json && run->prompt->terminal)
		puts(online ? "Nobody else is online."
			    : "You have blocked nobody.");
	return oneshot_flushed(0);
}

/* Asks once; NULL with the exit status if there is no good answer. */
json_t *
oneshot_ask(const struct run *run, json_t *request, int *status)
{
	int64_t tag = face_say(run->face, request);
	json_t *reply =
	    tag != -1 ? face_reply(run->face, tag, ONESHOT_ANSWER_MS) : NULL;

	if (reply == NULL)
		*status = oneshot_no_answer(run);
	else if (!wire_get_bool(reply, "ok")) {
		*status = oneshot_refused(run, reply);
		json_decref(reply);
		reply = NULL;
	}
	return reply;
}

static int
do_block(const struct run *run)
{
	bool block = run->shot->name == ONESHOT_BLOCK;
	json_t *request = face_request(block ? "block" : "unblock"), *reply;
	int status;

	json_object_set_new(request, "user", json_string(run->shot->user));
	reply = oneshot_ask(run, request, &status);
	if (reply == NULL)
		return status;
	json_decref(reply);
	if (!run->shot->json) {
		printf(block ? "User %s has been blocked.\n"
			     : "User %s is unblocked.\n",
		    run->shot->user);
		return oneshot_flushed(0);
	}
	reply = json_object();
	json_object_set_new(reply, "user", json_string(run->shot->user));
	json_object_set_new(reply, "blocked", json_boolean(block));
	oneshot_put_json(reply);
	json_decref(reply);
	return oneshot_flushed(0);
}

/* ---- the session ---- */

/* Prints a reply without what belongs to the line alone. */
static void
put_reply(json_t *reply)
{
	json_object_del(reply, "tag");
	json_object_del(reply, "ok");
	oneshot_put_json(reply);
}

/* The session that the login has begun goes on by itself. */
static int
do_login(const struct run *run)
{
	int status;
	json_t *reply = oneshot_ask(run, face_request("detach"), &status);

	if (reply == NULL)
		return status;
	json_object_set_new(reply, "user", json_string(run->account->user));
	json_object_set_new(reply, "session", json_string("in"));
	if (run->shot->json)
		put_reply(reply);
	else
		show_welcome(stdout, run->login, run->account->user);
	json_decref(reply);
	return oneshot_flushed(0);
}

/* A request that is done once it is answered, and the words for that. */
static int
do_parting(const struct run *run, const char *name, const char *words)
{
	int status;
	json_t *reply = oneshot_ask(run, face_request(name), &status);

	if (reply == NULL)
		return status;
	if (run->shot->json)
		put_reply(reply);
	else
		puts(words);
	show_kept(wire_get_number(reply, "queued", 0));
	json_decref(reply);
	return oneshot_flushed(0);
}

static int
do_logout(const struct run *run)
{
	return do_parting(run, "logout", "Goodbye.");
}

static int
do_detach(const struct run *run)
{
	return do_parting(run, "detach", "You stay logged in.");
}

/* How it hears of news, unless that is as it should be. */
static void
put_beacon(const json_t *reply)
{
	const char *beacon = wire_get_string(reply, "beacon");
	const char *why = wire_get_string(reply, "beacon_why");

	if (beacon != NULL && why != NULL && strcmp(beacon, "on") != 0) {
		fputs(", polling over TLS (", stdout);
		show_word(stdout, why);
		putchar(')');
	}
}

/* How many messages wait, where any do; the end of a line. */
static void
put_queued(int64_t queued)
{
	if (queued > 0)
		printf(", %lld message%s", (long long)queued,
		    queued == 1 ? " waits" : "s wait");
	putchar('\n');
}

/* What the agent says about itself, in one line. */
static void
put_status(const json_t *reply, const char *user, const char *where)
{
	printf("%s at %s: logged in", user, where);
	if (wire_get_bool(reply, "detached"))
		fputs(", detached", stdout);
	put_beacon(reply);
	if (!wire_get_bool(reply, "reachable"))
		fputs(", the centre cannot be reached", stdout);
	put_queued(wire_get_number(reply, "queued", 0));
}

static int
do_status(const struct run *run)
{
	int status;
	json_t *reply = oneshot_ask(run, face_request("status"), &status);

	if (reply == NULL)
		return status;
	if (run->shot->json)
		put_reply(reply);
	else
		put_status(reply, run->account->user, run->account->where);
	json_decref(reply);
	return oneshot_flushed(0);
}

/* ---- the history ---- */

/* One reply of several: a row. */
static void
put_entry(const struct run *run, json_t *reply)
{
	json_object_del(reply, "more");
	if (run->shot->json || run->shot->name == ONESHOT_EXPORT)
		put_reply(reply);
	else
		show_row(reply);
}

/* Asks for rows and prints them as they come. */
static int
do_book(const struct run *run)
{
	json_t *request = face_request("history"), *reply;
	int64_t tag;
	int status = 0;
	bool more;

	json_object_set_new(request, "user", json_string(run->shot->user));
	json_object_set_new(request, "max", json_integer(run->shot->count));
	json_object_set_new(request, "presence",
	    json_boolean(run->shot->name == ONESHOT_EXPORT));
	if (run->shot->search != NULL)
		json_object_set_new(
		    request, "words", json_string(run->shot->search));
	tag = face_say(run->face, request);
	do {
		reply = tag != -1
		    ? face_reply(run->face, tag, ONESHOT_ANSWER_MS)
		    : NULL;
		if (reply == NULL)
			return oneshot_no_answer(run);
		more = wire_get_bool(reply, "more");
		if (!wire_get_bool(reply, "ok"))
			status = oneshot_refused(run, reply);
		else if (more)
			put_entry(run, reply);
		json_decref(reply);
	} while (more && !ferror(stdout));
	return oneshot_flushed(status);
}

/* What to say where nobody is logged in. */
static const char *
out_words(const struct oneshot *shot)
{
	if (shot->name == ONESHOT_READ)
		return "chat: Nobody is logged in here. Type \"chat login\" "
		       "first.\n";
	if (oneshot_link(shot->name) == LINK_LINK)
		return "chat: Nobody is logged in here, and a private link "
		       "needs a session. Type \"chat login\" first.\n";
	return "chat: Nobody is logged in.\n";
}

/* There is no agent with a session. */
int
oneshot_out(const struct oneshot *shot, const struct account *account)
{
	json_t *reply;

	if (shot->name != ONESHOT_STATUS) {
		fputs(out_words(shot), stderr);
		return EXIT_REFUSED;
	}
	if (!shot->json) {
		printf(
		    "%s at %s: not logged in", account->user, account->where);
		put_queued(shot->queued);
		return oneshot_flushed(0);
	}
	reply = json_object();
	json_object_set_new(reply, "user", json_string(account->user));
	json_object_set_new(reply, "centre", json_string(account->where));
	json_object_set_new(reply, "session", json_string("out"));
	json_object_set_new(reply, "queued", json_integer(shot->queued));
	oneshot_put_json(reply);
	json_decref(reply);
	return oneshot_flushed(0);
}

/* There is an agent now. */
int
oneshot_agent(const struct oneshot *shot, const struct account *account)
{
	char *socket = account_path(account, "agent.sock");
	json_t *reply;

	if (!shot->json)
		puts(socket);
	else {
		reply = json_object();
		json_object_set_new(reply, "socket", json_string(socket));
		json_object_set_new(reply, "user", json_string(account->user));
		json_object_set_new(
		    reply, "centre", json_string(account->where));
		oneshot_put_json(reply);
		json_decref(reply);
	}
	free(socket);
	return oneshot_flushed(0);
}

static int (*const steps[ONESHOT_COUNT])(const struct run *run) = {
    [ONESHOT_SEND] = oneshot_message,
    [ONESHOT_BROADCAST] = oneshot_message,
    [ONESHOT_ONLINE] = do_list,
    [ONESHOT_BLOCK] = do_block,
    [ONESHOT_UNBLOCK] = do_block,
    [ONESHOT_BLOCKED] = do_list,
    [ONESHOT_ASK] = oneshot_ask_address,
    [ONESHOT_ACCEPT] = oneshot_about_link,
    [ONESHOT_DECLINE] = oneshot_about_link,
    [ONESHOT_PRIVATE] = oneshot_message,
    [ONESHOT_LEAVE] = oneshot_about_link,
    [ONESHOT_HANGUP] = oneshot_about_link,
    [ONESHOT_TRUST] = oneshot_about_link,
    [ONESHOT_LOGIN] = do_login,
    [ONESHOT_LOGOUT] = do_logout,
    [ONESHOT_DETACH] = do_detach,
    [ONESHOT_STATUS] = do_status,
    [ONESHOT_HISTORY] = do_book,
    [ONESHOT_CONTACTS] = oneshot_contacts,
    [ONESHOT_EXPORT] = do_book,
    [ONESHOT_READ] = oneshot_news,
    [ONESHOT_PASSWORD] = oneshot_password,
    [ONESHOT_REGISTER] = oneshot_register,
};

/* Carries it out. */
int
oneshot_main(const struct oneshot *shot, const struct account *account,
    struct face *face, struct prompt *prompt, const json_t *login)
{
	bool offline = wire_get_bool(login, "offline");
	bool agent = !wire_get_bool(login, "brief");
	struct run run = {
	    .shot = shot,
	    .account = account,
	    .login = login,
	    .face = face,
	    .prompt = prompt,
	    .offline = &offline,
	    .agent = &agent,
	};
	const char *warning = wire_get_string(login, "warning");

	run.message_bytes =
	    (size_t)wire_get_number(login, "message_bytes", TEXT_MAX_LEN);
	if (warning != NULL)
		show_complaint("Warning: ", warning);
	return steps[shot->name](&run);
}
