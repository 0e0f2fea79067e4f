/* SPDX-License-Identifier: ISC */
/*
 * `chat ask`, `accept`, `decline`, `private`, `leave`, `hangup`, `trust` and
 * `contacts`: what a private link needs, one command at a time.  Runs in the
 * face; a message that did not get through is never said to have.
 */
#include "chat/faces/oneshot-parts.h"

#include <stdint.h>
#include <string.h>

#include "chat/faces/login.h"
#include "chat/faces/show-link.h"
#include "chat/faces/show.h"
#include "lib/unix.h"
#include "lib/wire.h"

enum {
	SLACK_MS = 10000, /* an answer's way, once the question has expired */
	LINKS_MS = 5000, /* what only adds to a list is not waited for long */
};

/* ---- asking ---- */

/* What one waits for after a question. */
struct question {
	const struct run *run;
	int64_t tag;
	int64_t deadline; /* clock_mono() */
	bool over;
	int status;
};

static void
over(struct question *question, int status)
{
	question->over = true;
	question->status = status;
}

/* Prints what is known of the link, without what belongs to the line alone. */
static void
put_link(json_t *link)
{
	static const char *const own[] = {"ok", "tag", "event", "row", "state"};

	for (size_t i = 0; i < sizeof(own) / sizeof(*own); i++)
		json_object_del(link, own[i]);
	oneshot_put_json(link);
}

/* The question was asked, or refused. */
static void
asked(struct question *question, const json_t *reply)
{
	if (!wire_get_bool(reply, "ok")) {
		over(question, oneshot_refused(question->run, reply));
		return;
	}
	question->deadline = clock_mono() + SLACK_MS +
	    1000 * wire_get_number(reply, "expires_in", 0);
	if (question->run->prompt->terminal)
		show_link_done(stdout, "ask", reply, question->run->shot->user);
}

/* The answer is no: the words are those of a refusal. */
static void
refused(struct question *question, const char *error, const json_t *event)
{
	json_t *reply = json_copy((json_t *)(uintptr_t)event);

	json_object_set_new(reply, "error", json_string(error));
	over(question, oneshot_refused(question->run, reply));
	json_decref(reply);
}

/* Something happened, maybe what is waited for. */
static void
happened(struct question *question, json_t *event)
{
	const struct run *run = question->run;
	const char *name = wire_get_string(event, "event");
	const char *user = wire_get_string(event, "user");
	const char *reason = wire_get_string(event, "reason");
	bool about = user != NULL && strcmp(user, run->shot->user) == 0;

	if (name == NULL)
		return;
	if (strcmp(name, "logged-out") == 0 || strcmp(name, "failed") == 0)
		over(question, show_event(event, run->account->user));
	else if (about && strcmp(name, "address") == 0) {
		over(question, 0);
		if (run->shot->json)
			put_link(event);
		else
			show_event(event, run->account->user);
	} else if (about && strcmp(name, "declined") == 0)
		refused(question, reason != NULL ? reason : name, event);
	else if (about && strcmp(name, "key-changed") == 0)
		refused(question, name, event);
}

/* Asks for a private link and waits for the answer. */
int
oneshot_ask_address(const struct run *run)
{
	json_t *request = face_request("ask"), *watch = face_request("watch");
	json_t *line;
	struct question question = {
	    .run = run,
	    .deadline = clock_mono() + ONESHOT_ANSWER_MS,
	};

	/* We show nothing but the answer: all else comes to the next face. */
	json_object_set_new(watch, "auto", json_false());
	json_object_set_new(watch, "states", json_false());
	json_object_set_new(request, "to", json_string(run->shot->user));
	question.tag = face_say(run->face, watch) == -1
	    ? -1
	    : face_say(run->face, json_incref(request));
	json_decref(request);
	while (!question.over) {
		line = question.tag == -1 || clock_mono() >= question.deadline
		    ? NULL
		    : face_line(run->face,
			  (int)(question.deadline - clock_mono()) + 1);
		if (line == NULL)
			return oneshot_no_answer(run);
		if (face_tag(line) == question.tag)
			asked(&question, line);
		else if (face_tag(line) == -1)
			happened(&question, line);
		json_decref(line);
	}
	return oneshot_flushed(question.status);
}

/* ---- one private message ---- */

/* Sends one private message and waits until the other client has it. */
int
oneshot_private(const struct run *run, const char *text, size_t len)
{
	json_t *request = face_request("private"), *reply;
	bool kept;
	int64_t tag;
	int status = 0;

	json_object_set_new(request, "to", json_string(run->shot->user));
	json_object_set_new(request, "text", json_stringn(text, len));
	tag = face_say(run->face, request);
	reply =
	    tag != -1 ? face_reply(run->face, tag, ONESHOT_ANSWER_MS) : NULL;
	if (reply == NULL)
		return oneshot_no_answer(run);
	kept = wire_get_string(reply, "id") != NULL;
	if (!wire_get_bool(reply, "ok"))
		status = oneshot_refused(run, reply);
	/* To try again would be to say it twice. */
	if (status != 0 && kept)
		status = EXIT_REFUSED;
	if (run->shot->json && kept) {
		json_object_del(reply, "ok");
		json_object_del(reply, "tag");
		oneshot_put_json(reply);
	}
	json_decref(reply);
	return oneshot_flushed(status);
}

/* ---- what is answered at once ---- */

/* The keys of a reply as objects, one a line. */
static void
json_keys(const json_t *keys)
{
	json_t *key;
	size_t i;

	json_array_foreach((json_t *)(uintptr_t)keys, i, key)
	{
		oneshot_put_json(key);
	}
}

/* The link has ended: in the words that all are told. */
static void
put_end(const struct run *run)
{
	json_t *event = json_object();

	json_object_set_new(event, "event", json_string("hangup"));
	json_object_set_new(event, "user", json_string(run->shot->user));
	json_object_set_new(event, "reason", json_string("hangup"));
	show_event(event, run->account->user);
	json_decref(event);
}

/* What was to be left: the last reply says how the last message fared. */
static void
put_left(const struct run *run, json_t *reply, json_t *first)
{
	const char *state = wire_get_string(reply, "state");

	if (state == NULL)
		json_object_set_new(reply, "state", json_string("queued"));
	else if (!run->shot->json && strcmp(state, "queued") != 0)
		show_link_done(stdout, "leave", first, run->shot->user);
	oneshot_answered(run, reply);
}

/* One reply of maybe several. */
static void
put_done(const struct run *run, json_t *reply, json_t **first)
{
	const json_t *keys = json_object_get(reply, "keys");
	bool more = wire_get_bool(reply, "more");

	json_object_del(reply, "more");
	if (run->shot->name == ONESHOT_LEAVE) {
		if (more && *first == NULL)
			*first = json_incref(reply);
		if (!more)
			put_left(run, reply, *first);
	} else if (!run->shot->json && run->shot->name == ONESHOT_HANGUP)
		put_end(run);
	else if (!run->shot->json)
		show_link_done(stdout, oneshot_name(run->shot->name), reply,
		    run->shot->user);
	else if (keys == NULL)
		put_link(reply);
	else
		json_keys(keys);
}

/* Does what is to be done about a link, or a key. */
int
oneshot_about_link(const struct run *run)
{
	json_t *request = face_request(oneshot_name(run->shot->name));
	json_t *reply, *first = NULL;
	bool more = true;
	int64_t tag;
	int status = 0;

	if (*run->shot->user != '\0')
		json_object_set_new(
		    request, "user", json_string(run->shot->user));
	if (run->shot->name == ONESHOT_LEAVE)
		json_object_set_new(request, "wait", json_true());
	tag = face_say(run->face, request);
	while (more) {
		reply = tag != -1
		    ? face_reply(run->face, tag, ONESHOT_ANSWER_MS)
		    : NULL;
		if (reply == NULL) {
			json_decref(first);
			return oneshot_no_answer(run);
		}
		more = wire_get_bool(reply, "more");
		if (wire_get_bool(reply, "ok"))
			put_done(run, reply, &first);
		else
			status = oneshot_refused(run, reply);
		json_decref(reply);
	}
	json_decref(first);
	return oneshot_flushed(status);
}

/* ---- whom one knows ---- */

/* What an agent, if one runs, knows of a user: an object for each. */
struct known {
	const struct run *run;
	struct face agent;
	json_t *users; /* by name */
};

/* Adds what is known to what was; a link counts more than a key. */
static void
know(struct known *known, const json_t *reply, const char *list)
{
	const json_t *all = json_object_get(reply, list);
	json_t *one, *was;
	const char *user;
	size_t i;

	json_array_foreach((json_t *)(uintptr_t)all, i, one)
	{
		user = wire_get_string(one, "user");
		if (user == NULL)
			continue;
		json_object_del(one, "since");
		if (strcmp(list, "asked") == 0)
			json_object_set_new(one, "asks", json_true());
		was = json_object_get(known->users, user);
		if (was != NULL)
			json_object_update(was, one);
		else
			json_object_set(known->users, user, one);
	}
}

/* Asks for one list, in as many pages as it has. */
static void
ask_list(struct known *known, const char *request)
{
	int64_t tag = face_say(&known->agent, face_request(request));
	bool more = tag != -1;
	json_t *reply;

	while (more) {
		reply = face_reply(&known->agent, tag, LINKS_MS);
		more = reply != NULL && wire_get_bool(reply, "more");
		know(known, reply, "keys");
		know(known, reply, "asked");
		know(known, reply, "links");
		json_decref(reply);
	}
}

/* Asks the agent, if one runs. */
static void
ask_agent(struct known *known)
{
	if (face_open(&known->agent, known->run->account->socket,
		known->run->face->stop) == -1)
		return;
	ask_list(known, "trust");
	ask_list(known, "links");
	face_close(&known->agent);
}

/* One contact, with what else is known of them. */
static void
put_contact(const struct known *known, json_t *contact)
{
	json_object_del(contact, "more");
	if (known->run->shot->json)
		put_link(contact);
	else
		show_link(stdout, contact);
}

/* One out of the history, who is then known no more. */
static void
put_known(struct known *known, json_t *contact)
{
	const char *user = wire_get_string(contact, "user");
	json_t *more = json_incref(
	    json_object_get(known->users, user != NULL ? user : ""));

	if (more != NULL) {
		json_object_del(known->users, user);
		json_object_update(contact, more);
		json_decref(more);
	}
	put_contact(known, contact);
}

/* Goes through those of the history: an exit status. */
static int
put_contacts(struct known *known)
{
	struct face *face = known->run->face;
	int64_t tag = face_say(face, face_request("contacts"));
	bool more = true;
	json_t *reply;
	int status = 0;

	while (more && !ferror(stdout)) {
		reply =
		    tag != -1 ? face_reply(face, tag, ONESHOT_ANSWER_MS) : NULL;
		if (reply == NULL)
			return oneshot_no_answer(known->run);
		more = wire_get_bool(reply, "more");
		if (!wire_get_bool(reply, "ok"))
			status = oneshot_refused(known->run, reply);
		else if (more)
			put_known(known, reply);
		json_decref(reply);
	}
	return status;
}

/* Lists whom one has written with, and what links there are. */
int
oneshot_contacts(const struct run *run)
{
	struct known known = {.run = run, .users = json_object()};
	const char *user;
	json_t *contact;
	int status;

	ask_agent(&known);
	status = put_contacts(&known);
	if (status == 0 && !ferror(stdout))
		json_object_foreach(known.users, user, contact)
		{
			put_contact(&known, contact);
		}
	json_decref(known.users);
	return oneshot_flushed(status);
}
