/* SPDX-License-Identifier: ISC */
/*
 * What the line face has more where a person sits.  Prints nothing itself,
 * and does nothing off a terminal.
 */
#include "chat/faces/seat.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "chat/faces/colour.h"
#include "chat/faces/show.h"
#include "lib/wire.h"

static const int signals[] = {SIGWINCH, SIGTSTP, SIGCONT};

enum { PROMPT_LEN = NAME_MAX_LEN + sizeof(" (offline)> ") };

/* Decides how lines look. */
void
seat_dress(const struct account *account, const struct prompt *prompt)
{
	struct show_look look = {
	    .times = true,
	    .own = true,
	    .bell = account->bell,
	    .colours = colour_depth(
		getenv("TERM"), getenv("COLORTERM"), getenv("NO_COLOR")),
	};

	if (prompt->terminal)
		show_look(&look);
}

/* What stands before the edited line. */
static void
prompt_text(const struct seat *seat, bool reachable, char out[PROMPT_LEN])
{
	snprintf(out, PROMPT_LEN, "%s%s> ", seat->user,
	    reachable ? "" : " (offline)");
}

/* A signal that has to do with the terminal. */
static void
signalled(void *arg, int signo)
{
	struct seat *seat = arg;

	if (signo == SIGWINCH)
		terminal_resize(seat->terminal);
	else if (signo == SIGTSTP)
		terminal_suspend(seat->terminal);
	else
		terminal_resume(seat->terminal);
}

/* Shows the prompt, if there is a terminal that can edit. */
int
seat_open(struct seat *seat, const struct account *account,
    const struct prompt *prompt, struct face *face, struct loop *loop)
{
	struct terminal_setup setup = {
	    .people = &seat->people,
	    .stop = face->stop,
	};
	char text[PROMPT_LEN];

	seat->roll_tag = -1;
	if (!prompt->terminal)
		return 0;
	seat->user = account->user;
	seat->history = account_path(account, "typed");
	prompt_text(seat, true, text);
	setup.prompt = text;
	setup.history = seat->history;
	seat->terminal = terminal_open(&setup);
	if (seat->terminal == NULL)
		return 0;
	for (size_t i = 0; i < sizeof(signals) / sizeof(*signals); i++)
		if (loop_signal(loop, signals[i], signalled, seat) == -1)
			return -1;
	seat->roll_tag = face_say(face, face_request("online"));
	return 0;
}

void
seat_release(struct seat *seat)
{
	sigset_t ours;

	terminal_close(seat->terminal);
	/* They do what they always do again. */
	sigemptyset(&ours);
	for (size_t i = 0; i < sizeof(signals) / sizeof(*signals); i++)
		sigaddset(&ours, signals[i]);
	sigprocmask(SIG_UNBLOCK, &ours, NULL);
	people_release(&seat->people);
	free(seat->history);
	memset(seat, 0, sizeof(*seat));
}

/* Remembers somebody else. */
static void
meet(struct seat *seat, const char *name)
{
	if (name != NULL && seat->user != NULL && strcmp(name, seat->user) == 0)
		return;
	people_meet(&seat->people, name);
}

/* True for a message of which nobody knows yet whether its reader exists. */
static bool
is_open(const json_t *event)
{
	const char *state = wire_get_string(event, "state");

	return state != NULL && strcmp(state, "accepted") != 0 &&
	    strcmp(state, "fetched") != 0;
}

/* Remembers whom an event is about. */
void
seat_event(struct seat *seat, const json_t *event)
{
	static const char *const members[] = {"from", "to", "user"};

	if (is_open(event))
		return;
	for (size_t i = 0; i < sizeof(members) / sizeof(*members); i++)
		meet(seat, wire_get_string(event, members[i]));
}

/* Remembers the users of a reply. */
void
seat_reply(struct seat *seat, const json_t *reply)
{
	const json_t *users = json_object_get(reply, "users"), *user;
	size_t i;

	json_array_foreach((json_t *)(uintptr_t)users, i, user)
	{
		if (json_is_object(user))
			user = json_object_get(user, "user");
		meet(seat, json_string_value(user));
	}
}

/* The centre is out of reach, or back. */
void
seat_reach(struct seat *seat, bool reachable)
{
	char text[PROMPT_LEN];

	if (seat->terminal == NULL)
		return;
	prompt_text(seat, reachable, text);
	terminal_prompt(seat->terminal, text);
}
