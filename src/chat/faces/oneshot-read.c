/* SPDX-License-Identifier: ISC */
/*
 * `chat read`: prints what has come and nobody has been shown yet, as the
 * line face does off a terminal, or as JSON.  Runs in the face.  What could
 * not be written is never reported as shown, so that it comes again.
 */
#include "chat/faces/oneshot-parts.h"

#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

#include "chat/faces/login.h"
#include "chat/faces/outlet.h"
#include "chat/faces/show.h"
#include "lib/unix.h"
#include "lib/wire.h"

enum { EXIT_IN_VAIN = 2 };

struct reader {
	const struct run *run;
	int64_t left; /* so many more are wanted; -1: all */
	int64_t row, seen; /* printed, and reported as shown */
	int64_t sync, seeing, asking; /* tags of what is asked */
	int64_t deadline; /* of --wait, clock_mono(); -1: none */
	bool any; /* something was printed */
	bool fetched; /* what was at the centre has come, if it can */
	bool complete; /* nothing is left that was not printed */
	bool over, lost;
	int status;
};

/* Nothing more is printed; the first status counts. */
static void
end(struct reader *reader, int status)
{
	if (!reader->over)
		reader->status = status;
	reader->over = true;
}

/* The same, and nothing is worth waiting for. */
static void
give_up(struct reader *reader, int status)
{
	end(reader, status);
	reader->lost = true;
	reader->seeing = 0;
}

/* ---- what is printed ---- */

/* An event as it stands in the history: with a type, and without a row. */
static void
put_event(const json_t *event)
{
	json_t *copy = json_copy((json_t *)(uintptr_t)event);

	json_object_set(copy, "type", json_object_get(event, "event"));
	json_object_del(copy, "event");
	json_object_del(copy, "row");
	oneshot_put_json(copy);
	json_decref(copy);
}

/* Prints an event: its exit status, if it is the last. */
static int
print(const struct reader *reader, const json_t *event)
{
	const char *user = reader->run->account->user;
	const char *reason = wire_get_string(event, "reason");
	const char *name = wire_get_string(event, "event");

	if (!reader->run->shot->json || strcmp(name, "failed") == 0)
		return show_event(event, user);
	put_event(event);
	if (strcmp(name, "logged-out") != 0)
		return 0;
	return reason != NULL && strcmp(reason, "expired") == 0 ? EXIT_LOGIN
								: EXIT_REFUSED;
}

/* True for what is told although it is not in the book. */
static bool
is_told(const struct reader *reader, const char *name)
{
	static const char *const names[] = {"gap", "logged-out", "failed",
	    /* Who only looks in once would be told again the next time. */
	    "ask", "address", "accepted", "declined", "hangup", "key-changed"};
	size_t count =
	    reader->run->shot->follow ? sizeof(names) / sizeof(*names) : 3;

	for (size_t i = 0; i < count; i++)
		if (strcmp(names[i], name) == 0)
			return true;
	return false;
}

/* Something happened.  What is not in the book is no news of others. */
static void
happened(struct reader *reader, const json_t *event)
{
	const char *name = wire_get_string(event, "event");
	int64_t row = wire_get_number(event, "row", 0);
	int status;

	if (name == NULL || reader->over || reader->left == 0)
		return;
	if (strcmp(name, "unreachable") == 0 && reader->run->shot->follow)
		fputs("The centre cannot be reached.\n", stderr);
	if (strcmp(name, "reachable") == 0 && reader->run->shot->follow)
		fputs("The centre is back.\n", stderr);
	if (row == 0 && !is_told(reader, name))
		return;
	status = print(reader, event);
	if (status != 0)
		end(reader, status);
	if (row == 0)
		return;
	reader->row = row;
	reader->any = true;
	reader->complete = false;
	if (reader->left > 0)
		reader->left--;
}

/* Gets out what was printed; false, with the status, if that fails. */
static bool
get_out(struct reader *reader)
{
	/* A reader that takes nothing must not keep us from leaving. */
	switch (outlet_flush(reader->run->face->stop, -1)) {
	case OUTLET_DONE:
		return true;
	case OUTLET_FAILED:
		perror("chat: standard output");
		break;
	case OUTLET_STOPPED:
		break;
	}
	give_up(reader, EX_IOERR);
	return false;
}

/* ---- what is asked ---- */

static int64_t
say(struct reader *reader, json_t *request)
{
	int64_t tag = face_say(reader->run->face, request);

	if (tag == -1)
		give_up(reader, oneshot_no_answer(reader->run));
	return tag;
}

/* Reports what is written out, and asks whether there is more. */
static void
report(struct reader *reader)
{
	json_t *request;

	if (reader->row > reader->seen) {
		request = face_request("seen");
		json_object_set_new(request, "row", json_integer(reader->row));
		reader->seen = reader->row;
		reader->seeing = say(reader, request);
	}
	if (reader->asking == 0 && !reader->complete)
		reader->asking = say(reader, face_request("status"));
}

/* What was at the centre is here now, or cannot be had. */
static void
fetched(struct reader *reader, const json_t *reply)
{
	const char *error = wire_get_string(reply, "error");

	reader->fetched = true;
	/* What the agent knew before was as little as this. */
	reader->complete = false;
	reader->asking = 0;
	if (wire_get_bool(reply, "ok") || reader->over)
		return;
	if (error == NULL || strcmp(error, "unreachable") != 0) {
		reader->status = oneshot_refused(reader->run, reply);
		return;
	}
	if (reader->run->shot->follow || reader->deadline != -1) {
		fputs("The centre cannot be reached.\n", stderr);
		return;
	}
	fputs("chat: The centre cannot be reached; more may be waiting "
	      "there.\n",
	    stderr);
	reader->status = EX_UNAVAILABLE;
}

/* A reply. */
static void
answered(struct reader *reader, int64_t tag, const json_t *reply)
{
	if (tag == reader->sync)
		fetched(reader, reply);
	else if (tag == reader->asking) {
		reader->asking = 0;
		reader->complete = !wire_get_bool(reply, "unseen");
	} else if (tag == reader->seeing) {
		reader->seeing = 0;
		if (!wire_get_bool(reply, "ok"))
			end(reader, oneshot_refused(reader->run, reply));
	}
}

/* ---- the course of it ---- */

/* True if nothing more is wanted, or none of it can come. */
static bool
is_done(const struct reader *reader)
{
	const struct oneshot *shot = reader->run->shot;

	if (reader->seeing != 0)
		return false;
	if (reader->over || reader->left == 0)
		return true;
	if (shot->follow || !reader->fetched || !reader->complete)
		return false;
	return reader->any || reader->deadline == -1;
}

/* Goes through what has come, gets it out and reports it. */
static void
take(struct reader *reader)
{
	json_t *line;
	int64_t tag;

	while ((line = face_next(reader->run->face)) != NULL) {
		tag = face_tag(line);
		if (tag == -1)
			happened(reader, line);
		else
			answered(reader, tag, line);
		json_decref(line);
	}
	if (get_out(reader) && !reader->lost && reader->seeing == 0)
		report(reader);
}

/* How long to wait for the next word; -1: for ever. */
static int
patience(const struct reader *reader)
{
	int64_t left;

	if (reader->seeing != 0 || reader->asking != 0 || !reader->fetched)
		return ONESHOT_ANSWER_MS;
	if (reader->any || reader->deadline == -1)
		return -1;
	left = reader->deadline - clock_mono();
	if (left <= 0)
		return 0;
	return left < ONESHOT_ANSWER_MS ? (int)left : ONESHOT_ANSWER_MS;
}

/* The time is over. */
static void
too_long(struct reader *reader)
{
	if (reader->seeing != 0 || reader->asking != 0 || !reader->fetched)
		give_up(reader, oneshot_no_answer(reader->run));
	else if (clock_mono() >= reader->deadline)
		end(reader, EXIT_IN_VAIN);
}

/* The user wants to leave: what was printed has been reported before. */
static void
stopped(struct reader *reader)
{
	reader->run->face->stopped = true;
	end(reader, reader->run->shot->follow ? 0 : EX_TEMPFAIL);
}

/* Waits for the agent's next word. */
static void
wait_word(struct reader *reader)
{
	struct pollfd pfds[3] = {
	    {.fd = reader->run->face->fd, .events = POLLIN},
	    /* What was printed is reported first. */
	    {.fd = reader->seeing == 0 ? reader->run->face->stop : -1,
		.events = POLLIN},
	    /* Nobody reads any more: a pipe says so. */
	    {.fd = STDOUT_FILENO, .events = 0},
	};
	int ready = poll(pfds, 3, patience(reader));

	if (ready == 0)
		too_long(reader);
	if (ready <= 0)
		return;
	if (pfds[0].revents != 0 && !face_read(reader->run->face))
		give_up(reader, oneshot_no_answer(reader->run));
	else if (pfds[1].revents != 0)
		stopped(reader);
	else if ((pfds[2].revents & POLLERR) != 0)
		give_up(reader, EX_IOERR);
}

/* Reads on until there is no more to do. */
static int
read_on(struct reader *reader)
{
	json_t *watch = face_request("watch");

	/* We confirm what we have shown. */
	json_object_set_new(watch, "auto", json_false());
	json_object_set_new(watch, "states", json_false());
	say(reader, watch);
	if (!reader->fetched && !reader->over)
		reader->sync = say(reader, face_request("sync"));
	while (!is_done(reader)) {
		wait_word(reader);
		take(reader);
	}
	return reader->status;
}

/*
 * Is there a session?  One that was begun here and not ended goes on, as
 * after a login: 0, EXIT_REFUSED if there is none, or another exit status.
 */
static int
session(const struct run *run)
{
	int status;
	json_t *reply = oneshot_ask(run, face_request("status"), &status);
	const char *state;
	bool in, resumable;

	if (reply == NULL)
		return status;
	state = wire_get_string(reply, "session");
	in = state != NULL && strcmp(state, "in") == 0;
	resumable = wire_get_bool(reply, "resumable");
	json_decref(reply);
	if (in || !resumable)
		return in ? 0 : EXIT_REFUSED;
	status = login_knock(run->account, run->prompt, run->face, &reply);
	if (status != 0)
		return status;
	in = wire_get_bool(reply, "ok");
	json_decref(reply);
	if (!in)
		return EXIT_REFUSED;
	reply = oneshot_ask(run, face_request("detach"), &status);
	if (reply == NULL)
		return status;
	json_decref(reply);
	return 0;
}

/* Prints what has come and was not shown yet. */
int
oneshot_news(const struct run *run)
{
	const struct oneshot *shot = run->shot;
	int out = session(run), status;
	struct oneshot rest = *shot;
	struct run offline = *run;
	struct reader reader = {
	    .run = run,
	    .left = shot->count,
	    .sync = -1,
	    .deadline =
		shot->seconds == -1 ? -1 : clock_mono() + shot->seconds * 1000,
	};

	if (out == LOGIN_LOST)
		return oneshot_no_answer(run);
	if (out < 0)
		return out;
	outlet_open();
	if (out != 0) {
		/* What the last session has left is here all the same. */
		rest.follow = false;
		offline.shot = &rest;
		reader.run = &offline;
		reader.deadline = -1;
		reader.fetched = true;
	}
	status = read_on(&reader);
	if (out == EXIT_REFUSED && status == 0)
		return oneshot_out(shot, run->account);
	return status != 0 ? status : out;
}
