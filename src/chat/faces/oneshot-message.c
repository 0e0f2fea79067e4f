/* SPDX-License-Identifier: ISC */
/*
 * `chat send`, `chat broadcast` and the text of `chat private`: reads it, sends
 * it or has it kept, and says what came of it.  Runs in the face; says that a
 * message is kept only when it is written down.
 */
#include "chat/faces/oneshot-parts.h"

#include <poll.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

#include "chat/faces/fold.h"
#include "chat/faces/login.h"
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

/* ---- messages ---- */

/* A message's last answer. */
int
oneshot_answered(const struct run *run, json_t *reply)
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
	struct fold fold;
	FILE *out = fold_open(&fold, stderr);
	const char *to;
	json_t *one;
	size_t i;

	json_array_foreach((json_t *)(uintptr_t)before, i, one)
	{
		to = wire_get_string(one, "to");
		fputs("chat: a message to ", out);
		show_word(out, to != NULL ? to : "all");
		fputs(" that was kept is refused: ", out);
		show_refusal(out, one, to != NULL ? to : "");
	}
	fold_close(&fold);
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
	const char *state, *warning;
	int status;

	if (reply == NULL)
		return oneshot_no_answer(run);
	tell_earlier(reply);
	json_object_del(reply, "before");
	warning = wire_get_string(reply, "warning");
	if (!*run->agent && warning != NULL)
		show_complaint("Warning: sent, but: ", warning);
	json_object_del(reply, "warning");
	state = wire_get_string(reply, "state");
	/* What follows waits behind this one. */
	if (!*run->agent && state != NULL && strcmp(state, "queued") == 0)
		*run->offline = true;
	if (!wire_get_bool(reply, "ok")) {
		status = oneshot_refused(run, reply);
		if (run->shot->json && wire_get_string(reply, "id") != NULL)
			oneshot_answered(run, reply);
	} else
		status = oneshot_answered(run, reply);
	json_decref(reply);
	return oneshot_flushed(status);
}

/* The same, if it is not too long. */
static int
send_text(const struct run *run, const char *text, size_t len)
{
	if (len <= run->message_bytes)
		return run->shot->name == ONESHOT_PRIVATE
		    ? oneshot_private(run, text, len)
		    : send_one(run, text, len);
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

/* Sends what is to be sent. */
int
oneshot_message(const struct run *run)
{
	if (run->shot->lines)
		return send_lines(run);
	return send_text(run, run->shot->text, run->shot->text_len);
}
