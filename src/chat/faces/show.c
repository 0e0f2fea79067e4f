/* SPDX-License-Identifier: ISC */
/*
 * The words for what happens: the agent's events and refusals as lines of
 * text on standard output.  Used by every face that prints lines.
 */
#include "chat/faces/show.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>
#include <time.h>

#include "chat/faces/fold.h"
#include "chat/faces/login.h"
#include "chat/faces/show-parts.h"
#include "lib/text.h"
#include "lib/wire.h"

struct event_row {
	const char *name;
	int (*fn)(FILE *to, const json_t *event, const char *self);
};

/* How lines look: off a terminal, and until a face says more, plain. */
static struct show_look how;

void
show_look(const struct show_look *look)
{
	how = *look;
}

/* Prints bytes of somebody else's choice. */
void
show_text(FILE *to, const json_t *value, enum text_style style)
{
	const char *s = json_string_value(value);
	char *safe;

	if (s == NULL)
		return;
	safe = text_escaped(s, json_string_length(value), style);
	fputs(safe, to);
	free(safe);
}

/* Prints one word of somebody else's, made safe. */
void
show_word(FILE *to, const char *word)
{
	char *safe;

	if (word == NULL)
		return;
	safe = text_escaped(word, strlen(word), TEXT_WORD);
	fputs(safe, to);
	free(safe);
}

/* Prints a peer's text on stderr, made safe. */
void
show_complaint(const char *before, const char *text)
{
	struct fold fold;
	FILE *to = fold_open(&fold, stderr);
	char *safe;

	if (text == NULL)
		text = "";
	safe = text_escaped(text, strlen(text), TEXT_SCREEN);
	fprintf(to, "%s%s\n", before, safe);
	free(safe);
	fold_close(&fold);
}

static void
put(FILE *to, const json_t *object, const char *key, enum text_style style)
{
	show_text(to, json_object_get(object, key), style);
}

/* Prints somebody's name, in the colour that is theirs. */
void
show_name(FILE *to, const json_t *name)
{
	const char *s = json_string_value(name);
	const char *colour = s != NULL ? colour_of(s, how.colours) : "";

	fputs(colour, to);
	show_text(to, name, TEXT_WORD);
	if (*colour != '\0')
		fputs(COLOUR_END, to);
}

static void
put_person(FILE *to, const json_t *object, const char *key)
{
	show_name(to, json_object_get(object, key));
}

/* Takes the time of an event apart; false if there is none. */
static bool
event_time(const json_t *event, struct tm *tm)
{
	const char *text = wire_get_string(event, "time");
	int64_t ms;
	time_t seconds;

	if (text == NULL || wire_time_parse(text, &ms) == -1)
		return false;
	seconds = (time_t)(ms / 1000);
	return localtime_r(&seconds, tm) != NULL;
}

/* The time of an event as people here read it. */
void
show_when(const json_t *event, char out[SHOW_TIME_LEN])
{
	struct tm tm;

	*out = '\0';
	if (event_time(event, &tm))
		strftime(out, SHOW_TIME_LEN, "%Y-%m-%d %H:%M", &tm);
}

/* Prints the time before a line where that is wanted: today's without date. */
void
show_time(FILE *to, const json_t *event)
{
	time_t now = time(NULL);
	struct tm tm, today;
	char when[SHOW_TIME_LEN];

	if (!how.times || !event_time(event, &tm) ||
	    localtime_r(&now, &today) == NULL)
		return;
	strftime(when, sizeof(when),
	    tm.tm_yday == today.tm_yday && tm.tm_year == today.tm_year
		? "%H:%M "
		: "%Y-%m-%d %H:%M ",
	    &tm);
	fputs(when, to);
}

/* Rings for a message to oneself, where that is wanted. */
void
show_bell(FILE *to, bool now)
{
	if (how.bell && now)
		putc('\a', to);
}

static int
show_message(FILE *to, const json_t *event, const char *self)
{
	char when[SHOW_TIME_LEN] = "";

	(void)self;
	if (wire_get_bool(event, "earlier"))
		show_when(event, when);
	else
		show_time(to, event);
	show_bell(to, *when == '\0');
	put_person(to, event, "from");
	if (*when != '\0')
		fprintf(to, " (%s)", when);
	fputs(": ", to);
	put(to, event, "text", TEXT_SCREEN);
	putc('\n', to);
	return 0;
}

static int
show_broadcast(FILE *to, const json_t *event, const char *self)
{
	char when[SHOW_TIME_LEN] = "";

	(void)self;
	if (wire_get_bool(event, "earlier"))
		show_when(event, when);
	else
		show_time(to, event);
	put_person(to, event, "from");
	fprintf(to, *when != '\0' ? " (to all, %s): " : " (to all): ", when);
	put(to, event, "text", TEXT_SCREEN);
	putc('\n', to);
	return 0;
}

static int
show_notice(FILE *to, const json_t *event, const char *self)
{
	(void)self;
	show_time(to, event);
	fputs("Notice: ", to);
	put(to, event, "text", TEXT_SCREEN);
	putc('\n', to);
	return 0;
}

static int
show_login(FILE *to, const json_t *event, const char *self)
{
	(void)self;
	put_person(to, event, "user");
	fputs(" has logged in.\n", to);
	return 0;
}

static int
show_logout(FILE *to, const json_t *event, const char *self)
{
	(void)self;
	put_person(to, event, "user");
	fputs(" has logged out.\n", to);
	return 0;
}

static int
show_gap(FILE *to, const json_t *event, const char *self)
{
	(void)event;
	(void)self;
	fputs("Notice: some older broadcasts are no longer kept.\n", to);
	return 0;
}

/* What the user has just said in another face. */
static void
show_own(FILE *to, const json_t *event)
{
	if (!how.own || wire_get_number(event, "own", 0) == 0 ||
	    wire_get_bool(event, "yours"))
		return;
	show_time(to, event);
	fputs("to ", to);
	if (wire_get_string(event, "to") != NULL)
		put_person(to, event, "to");
	else
		fputs("all", to);
	fputs(wire_get_bool(event, "private") ? " (private): " : ": ", to);
	put(to, event, "text", TEXT_SCREEN);
	putc('\n', to);
}

/* An own message: accepted is only worth a word where something is amiss. */
static int
show_state(FILE *to, const json_t *event, const char *self)
{
	const char *state = wire_get_string(event, "state");
	const char *user = wire_get_string(event, "to");

	(void)self;
	if (state == NULL)
		return 0;
	show_own(to, event);
	if (strcmp(state, "refused") == 0) {
		show_refusal(to, event, user != NULL ? user : "");
		return 0;
	}
	if (strcmp(state, "accepted") != 0)
		return 0;
	if (user != NULL && json_is_false(json_object_get(event, "online"))) {
		put(to, event, "to", TEXT_WORD);
		fputs(" is offline; the message is kept and will be delivered "
		      "at the next login.\n",
		    to);
	}
	if (user == NULL && wire_get_number(event, "refused", 0) > 0)
		fputs("Your message could not be delivered to some "
		      "recipients.\n",
		    to);
	return 0;
}

static int
show_unreachable(FILE *to, const json_t *event, const char *self)
{
	(void)event;
	(void)self;
	fputs("The centre cannot be reached; messages will be sent when it is "
	      "back.\n",
	    to);
	return 0;
}

static int
show_reachable(FILE *to, const json_t *event, const char *self)
{
	(void)event;
	(void)self;
	fputs("The centre is back.\n", to);
	return 0;
}

static int
show_logged_out(FILE *to, const json_t *event, const char *self)
{
	const char *reason = wire_get_string(event, "reason");

	if (reason != NULL && strcmp(reason, "asked") == 0) {
		fputs("You have logged out.\n", to);
		return EXIT_REFUSED;
	}
	if (reason == NULL || strcmp(reason, "replaced") != 0) {
		fputs("Your session has ended; start chat again to log in.\n",
		    to);
		return EXIT_LOGIN;
	}
	fprintf(to, "You have been logged out: %s logged in from ", self);
	put(to, event, "address", TEXT_WORD);
	fputs(".\n", to);
	return EXIT_REFUSED;
}

static int
show_failed(FILE *to, const json_t *event, const char *self)
{
	const json_t *text = json_object_get(event, "text");

	(void)self;
	if (json_is_string(text))
		show_text(to, text, TEXT_SCREEN);
	else
		fputs("the agent has failed", to);
	putc('\n', to);
	return (int)wire_get_number(event, "status", EX_SOFTWARE);
}

static const struct event_row rows[] = {
    {"message", show_message},
    {"broadcast", show_broadcast},
    {"notice", show_notice},
    {"login", show_login},
    {"logout", show_logout},
    {"gap", show_gap},
    {"state", show_state},
    {"unreachable", show_unreachable},
    {"reachable", show_reachable},
    {"logged-out", show_logged_out},
    {"failed", show_failed},
    {"ask", show_link_ask},
    {"address", show_link_address},
    {"accepted", show_link_accepted},
    {"declined", show_link_declined},
    {"hangup", show_link_hangup},
    {"key-changed", show_link_key},
    {"private", show_link_private},
};

/* What an event is to a person; nothing, if it is not known. */
int
show_event_to(FILE *to, const json_t *event, const char *self)
{
	const char *name = wire_get_string(event, "event");
	struct fold fold;
	int status = 0;

	to = fold_open(&fold, to);
	for (size_t i = 0; name != NULL && i < sizeof(rows) / sizeof(*rows);
	     i++)
		if (strcmp(rows[i].name, name) == 0)
			status = rows[i].fn(to, event, self);
	fold_close(&fold);
	return status;
}

/* Prints an event; that the agent has failed is a complaint. */
int
show_event(const json_t *event, const char *self)
{
	const char *name = wire_get_string(event, "event");
	bool failed = name != NULL && strcmp(name, "failed") == 0;
	struct fold fold;
	FILE *to = fold_open(&fold, failed ? stderr : stdout);
	int status;

	if (failed)
		fputs("chat: ", to);
	status = show_event_to(to, event, self);
	fold_close(&fold);
	return status;
}

/* The error of a reply, or the reason of an event. */
static const char *
reason_of(const json_t *object)
{
	const char *reason = wire_get_string(object, "error");

	if (reason == NULL)
		reason = wire_get_string(object, "reason");
	return reason != NULL ? reason : "";
}

/* Prints why a command was refused. */
void
show_refusal(FILE *to, const json_t *reply, const char *user)
{
	const char *reason = reason_of(reply);
	const json_t *text = json_object_get(reply, "text");
	struct fold fold;

	to = fold_open(&fold, to);
	if (strcmp(reason, "blocked") == 0)
		fputs("Your message could not be delivered as the recipient "
		      "has blocked you.\n",
		    to);
	else if (strcmp(reason, "no-such-user") == 0) {
		fputs("There is no user ", to);
		show_word(to, user);
		fputs(".\n", to);
	} else if (json_is_string(text)) {
		show_text(to, text, TEXT_SCREEN);
		putc('\n', to);
	} else
		fputs("That was refused.\n", to);
	fold_close(&fold);
}

/* Prints the names of a reply, one a line. */
int
show_users(FILE *to, const json_t *reply)
{
	const json_t *users = json_object_get(reply, "users"), *user;
	struct fold fold;
	size_t i;
	int count = 0;

	to = fold_open(&fold, to);
	json_array_foreach((json_t *)(uintptr_t)users, i, user)
	{
		if (json_is_object(user))
			user = json_object_get(user, "user");
		if (!json_is_string(user))
			continue;
		show_name(to, user);
		putc('\n', to);
		count++;
	}
	fold_close(&fold);
	return count;
}

/* One row of the history: who, when, how it fared, what. */
static void
put_row(FILE *to, const json_t *row)
{
	const char *state = wire_get_string(row, "state");
	const char *type = wire_get_string(row, "type");
	bool own = state != NULL && strcmp(state, "received") != 0;
	bool to_all = type != NULL && strcmp(type, "broadcast") == 0;
	bool private = type != NULL && strcmp(type, "private") == 0;
	char when[SHOW_TIME_LEN];

	show_when(row, when);
	if (own)
		fputs(to_all ? "to all" : "to ", to);
	if (own && !to_all)
		put(to, row, "to", TEXT_WORD);
	else if (!own && type != NULL && strcmp(type, "notice") == 0)
		fputs("Notice", to);
	else if (!own)
		put(to, row, "from", TEXT_WORD);
	fprintf(to, " (%s%s",
	    private              ? "private, "
		: to_all && !own ? "to all, "
				 : "",
	    when);
	if (own) {
		fputs(", ", to);
		show_word(to, state);
	}
	if (wire_get_string(row, "reason") != NULL) {
		fputs(": ", to);
		put(to, row, "reason", TEXT_WORD);
	}
	fputs("): ", to);
	put(to, row, "text", TEXT_SCREEN);
	putc('\n', to);
}

/* Prints one row of the history. */
void
show_row(const json_t *row)
{
	struct fold fold;
	FILE *to = fold_open(&fold, stdout);

	put_row(to, row);
	fold_close(&fold);
}

/* Greets the user who has logged in. */
void
show_welcome(FILE *to, const json_t *login, const char *user)
{
	int64_t failed = wire_get_number(login, "failed_attempts", 0);

	fprintf(to, "Welcome, %s.\n", user);
	if (failed == 1)
		fputs("1 failed login since your last one.\n", to);
	else if (failed > 1)
		fprintf(to, "%lld failed logins since your last one.\n",
		    (long long)failed);
}

/* Says how many messages are left for the next start. */
void
show_kept(int64_t count)
{
	if (count == 1)
		fputs("1 message is kept and will be sent at the next start.\n",
		    stderr);
	else if (count > 1)
		fprintf(stderr,
		    "%lld messages are kept and will be sent at the next "
		    "start.\n",
		    (long long)count);
}
