/* SPDX-License-Identifier: ISC */
/*
 * One-shot commands, carried out: asks an agent or a brief login, prints the
 * answer as text or JSON, and turns it into an exit status.  Prints nothing
 * but text, and no text of others that is not escaped.
 */
#include "chat/faces/oneshot.h"

#include <poll.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

#include "chat/faces/login.h"
#include "chat/faces/oneshot-parts.h"
#include "chat/faces/show.h"
#include "lib/wire.h"

enum {
	STDIN_MAX = 1 << 20, /* more is no message in any case */
	SETTLE_MS = 15000, /* then a message is only kept, for all we know */
};

/* ---- what is read ---- */

/* Waits for standard input; false if we are to leave. */
static bool
input_ready(const struct prompt *prompt)
{
	struct pollfd pfds[2] = {
	    {.fd = STDIN_FILENO, .events = POLLIN},
	    {.fd = prompt->stop, .events = POLLIN},
	};

	while (poll(pfds, 2, -1) == -1)
		continue;
	return pfds[1].revents == 0;
}

/* Says why nothing was sent. */
static int
not_sent(const char *why)
{
	fprintf(stderr, "chat: %s\n", why);
	return EXIT_REFUSED;
}

/* Reads the text where it is one message. */
int
oneshot_read(struct oneshot *shot, struct prompt *prompt)
{
	char why[ONESHOT_WHY_LEN];
	size_t len = 0;
	ssize_t n = 1;

	if (!oneshot_reads(shot) || shot->lines)
		return 0;
	shot->text = calloc(1, STDIN_MAX + 1);
	if (shot->text == NULL)
		return EX_OSERR;
	while (n != 0 && len < STDIN_MAX) {
		if (!input_ready(prompt))
			return EX_TEMPFAIL;
		n = read(STDIN_FILENO, shot->text + len, STDIN_MAX - len);
		if (n == -1) {
			perror("chat: standard input");
			return EX_IOERR;
		}
		len += (size_t)n;
	}
	shot->text_len = len;
	if (n != 0)
		return not_sent("The message is too long. It was not sent.");
	return oneshot_text(shot->text, &shot->text_len, why) == 0
	    ? 0
	    : not_sent(why);
}

/* ---- what comes out ---- */

/* What jansson leaves as it is although it is a control character: DEL. */
static int
put_ascii(const char *text, size_t len, void *arg)
{
	FILE *to = arg;

	for (size_t i = 0; i < len; i++)
		if (text[i] == 0x7f)
			fputs("\\u007F", to);
		else
			putc(text[i], to);
	return 0;
}

/* One object a line; whatever is not ASCII, or no text, is escaped. */
void
oneshot_put_json(const json_t *object)
{
	json_dump_callback(object, put_ascii, stdout,
	    JSON_COMPACT | JSON_ENSURE_ASCII | JSON_SORT_KEYS);
	putchar('\n');
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

	fputs("chat: ", stderr);
	show_refusal(stderr, reply, run->shot->user);
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

/* ---- messages ---- */

/* A message's last answer. */
static int
message_answered(const struct run *run, json_t *reply)
{
	const char *state = wire_get_string(reply, "state");
	json_t *event;

	if (run->shot->json) {
		json_object_del(reply, "tag");
		json_object_del(reply, "ok");
		json_object_del(reply, "more");
		oneshot_put_json(reply);
	}
	if (state != NULL && strcmp(state, "queued") == 0) {
		fputs(wire_get_bool(run->login, "brief")
			? "The message is kept and will be sent by the next "
			  "chat that reaches the centre.\n"
			: "The centre cannot be reached; the message is kept "
			  "and will be sent when it is back.\n",
		    stderr);
		return 0;
	}
	if (!run->shot->json) {
		event = json_copy(reply);
		json_object_set_new(event, "event", json_string("state"));
		show_event(event, "");
		json_decref(event);
	}
	return 0;
}

/* The request for a message, or for keeping one for later. */
static json_t *
message_request(
    const struct run *run, const char *name, const char *text, size_t len)
{
	const struct oneshot *shot = run->shot;
	json_t *request = face_request(name);

	if (shot->name == ONESHOT_SEND)
		json_object_set_new(request, "to", json_string(shot->user));
	json_object_set_new(request, "text", json_stringn(text, len));
	json_object_set_new(request, "wait", json_true());
	json_object_set_new(request, "queue", json_boolean(shot->queue));
	return request;
}

/* What was kept earlier, and is refused now that it was sent. */
static void
tell_earlier(const json_t *reply)
{
	const json_t *before = json_object_get(reply, "before");
	const char *to;
	json_t *one;
	size_t i;

	json_array_foreach((json_t *)(uintptr_t)before, i, one)
	{
		to = wire_get_string(one, "to");
		fprintf(stderr,
		    "chat: a message %s%s that was kept is "
		    "refused: ",
		    to != NULL ? "to " : "to all", to != NULL ? to : "");
		show_refusal(stderr, one, to != NULL ? to : "");
	}
}

/* Asks an agent that has just been started to keep it. */
static json_t *
keep_there(const struct run *run, json_t *request, const json_t *reply)
{
	struct face agent;
	int64_t tag;

	json_object_set_new(request, "do", json_string("queue"));
	json_object_set(request, "id", json_object_get(reply, "id"));
	if (face_open(&agent, run->account->socket, run->face->stop) == -1) {
		json_decref(request);
		return NULL;
	}
	face_close(run->face);
	*run->face = agent;
	*run->agent = true;
	tag = face_say(run->face, request);
	return tag != -1 ? face_reply(run->face, tag, ONESHOT_ANSWER_MS) : NULL;
}

/* Asks for a message to be sent, or to be kept; NULL without an answer. */
static json_t *
ask_message(const struct run *run, const char *text, size_t len)
{
	const char *name =
	    run->shot->name == ONESHOT_SEND ? "send" : "broadcast";
	json_t *request =
	    message_request(run, *run->offline ? "queue" : name, text, len);
	int64_t tag = face_say(run->face, json_incref(request));
	json_t *reply, *more = NULL;
	const char *error;

	reply =
	    tag != -1 ? face_reply(run->face, tag, ONESHOT_ANSWER_MS) : NULL;
	error = reply != NULL ? wire_get_string(reply, "error") : NULL;
	/* It is written down: whatever comes now, it is not lost. */
	if (reply != NULL && wire_get_bool(reply, "more"))
		more = face_reply(run->face, tag, SETTLE_MS);
	else if (error != NULL && strcmp(error, "agent") == 0) {
		more = keep_there(run, json_incref(request), reply);
		if (more == NULL) {
			json_decref(reply);
			reply = NULL;
		}
	}
	json_decref(request);
	if (more == NULL)
		return reply;
	json_decref(reply);
	return more;
}

/* Sends one message and waits until it is accepted, refused or kept. */
static int
send_one(const struct run *run, const char *text, size_t len)
{
	json_t *reply = ask_message(run, text, len);
	const char *state;
	int status;

	if (reply == NULL)
		return oneshot_no_answer(run);
	tell_earlier(reply);
	json_object_del(reply, "before");
	state = wire_get_string(reply, "state");
	/* What follows waits behind this one. */
	if (!*run->agent && state != NULL && strcmp(state, "queued") == 0)
		*run->offline = true;
	if (!wire_get_bool(reply, "ok")) {
		status = oneshot_refused(run, reply);
		if (run->shot->json && wire_get_string(reply, "id") != NULL)
			message_answered(run, reply);
	} else
		status = message_answered(run, reply);
	json_decref(reply);
	return oneshot_flushed(status);
}

/* The same, if it is not too long. */
static int
send_text(const struct run *run, const char *text, size_t len)
{
	if (len <= run->message_bytes)
		return send_one(run, text, len);
	fprintf(stderr,
	    "chat: The message is too long: %zu bytes, at most %zu. It was not "
	    "sent.\n",
	    len, run->message_bytes);
	return EXIT_REFUSED;
}

/* One line of standard input as a message; empty ones are none. */
static int
send_line(const struct run *run, char *line, size_t len, size_t number)
{
	char why[ONESHOT_WHY_LEN];
	ssize_t bad;

	if (len == 0)
		return 0;
	bad = text_bad_at(line, len);
	if (bad == -1)
		return send_text(run, line, len);
	snprintf(why, sizeof(why),
	    "The message holds a control character or is not UTF-8 at byte "
	    "%zd of line %zu. It was not sent.",
	    bad + 1, number);
	return not_sent(why);
}

/* Each line is a message; the first that fails for good ends it. */
static int
send_lines(const struct run *run)
{
	struct prompt *prompt = run->prompt;
	size_t len, number = 0;
	int status = 0, one;
	bool too_long;
	char *line;

	for (;;) {
		while (prompt_take(prompt, &line, &len, &too_long)) {
			number++;
			one = too_long
			    ? not_sent("The line is too long. It was not sent.")
			    : send_line(run, line, len, number);
			if (one != 0)
				status = one;
			if (one != 0 && one != EXIT_REFUSED)
				return one;
		}
		if (prompt->ended)
			return status;
		if (!input_ready(prompt))
			return EX_TEMPFAIL;
		prompt_read(prompt);
	}
}

static int
do_message(const struct run *run)
{
	if (run->shot->lines)
		return send_lines(run);
	return send_text(run, run->shot->text, run->shot->text_len);
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
			show_users(reply);
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
		show_welcome(run->login, run->account->user);
	json_decref(reply);
	return oneshot_flushed(0);
}

static int
do_logout(const struct run *run)
{
	int status;
	json_t *reply = oneshot_ask(run, face_request("logout"), &status);

	if (reply == NULL)
		return status;
	if (run->shot->json)
		put_reply(reply);
	else
		puts("Goodbye.");
	show_kept(wire_get_number(reply, "queued", 0));
	json_decref(reply);
	return oneshot_flushed(0);
}

static int
do_detach(const struct run *run)
{
	int status;
	json_t *reply = oneshot_ask(run, face_request("detach"), &status);

	if (reply == NULL)
		return status;
	if (run->shot->json)
		put_reply(reply);
	else
		puts("You stay logged in.");
	json_decref(reply);
	return oneshot_flushed(0);
}

/* How it hears of news, unless that is as it should be. */
static void
put_beacon(const json_t *reply)
{
	const char *beacon = wire_get_string(reply, "beacon");
	const char *why = wire_get_string(reply, "beacon_why");

	if (beacon != NULL && why != NULL && strcmp(beacon, "on") != 0)
		printf(", polling over TLS (%s)", why);
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

/* One reply of several: a row or a contact. */
static void
put_entry(const struct run *run, json_t *reply)
{
	json_object_del(reply, "more");
	if (run->shot->json || run->shot->name == ONESHOT_EXPORT)
		put_reply(reply);
	else if (run->shot->name == ONESHOT_CONTACTS)
		printf("%s\n", wire_get_string(reply, "user"));
	else
		show_row(reply);
}

/* Asks for rows or contacts and prints them as they come. */
static int
do_book(const struct run *run)
{
	bool contacts = run->shot->name == ONESHOT_CONTACTS, more;
	json_t *request = face_request(contacts ? "contacts" : "history");
	json_t *reply;
	int64_t tag;
	int status = 0;

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

/* There is no agent with a session. */
int
oneshot_out(const struct oneshot *shot, const struct account *account)
{
	json_t *reply;

	if (shot->name != ONESHOT_STATUS) {
		fputs(shot->name == ONESHOT_READ
			? "chat: Nobody is logged in here. Type \"chat login\" "
			  "first.\n"
			: "chat: Nobody is logged in.\n",
		    stderr);
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

static int (*const steps[ONESHOT_COUNT])(const struct run *run) = {
    [ONESHOT_SEND] = do_message,
    [ONESHOT_BROADCAST] = do_message,
    [ONESHOT_ONLINE] = do_list,
    [ONESHOT_BLOCK] = do_block,
    [ONESHOT_UNBLOCK] = do_block,
    [ONESHOT_BLOCKED] = do_list,
    [ONESHOT_LOGIN] = do_login,
    [ONESHOT_LOGOUT] = do_logout,
    [ONESHOT_DETACH] = do_detach,
    [ONESHOT_STATUS] = do_status,
    [ONESHOT_HISTORY] = do_book,
    [ONESHOT_CONTACTS] = do_book,
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
