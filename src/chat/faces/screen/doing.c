/* SPDX-License-Identifier: ISC */
/*
 * What was typed in the full screen, and what came of it: the line face's
 * commands, asked of the agent, their answers as sentences between the lines.
 */
#include <stdlib.h>
#include <string.h>

#include "chat/faces/oneshot.h"
#include "chat/faces/screen/parts.h"
#include "lib/wire.h"

/* ---- asking ---- */

/* Sends a request (taken over) that is to be answered. */
static void
ask(struct screen *screen, enum command_name name, const char *user,
    json_t *request)
{
	struct asked *asked = calloc(1, sizeof(*asked));

	if (asked == NULL) {
		json_decref(request);
		return;
	}
	asked->name = name;
	snprintf(asked->user, sizeof(asked->user), "%s", user);
	asked->tag = face_say(screen->face, request);
	if (asked->tag == -1) {
		free(asked);
		return;
	}
	asked->next = screen->asked;
	screen->asked = asked;
}

/* Asks how many messages wait; what it says is shown when it comes. */
void
doing_status(struct screen *screen)
{
	if (screen->status_tag == -1 && screen->ending == STAYING)
		screen->status_tag =
		    face_say(screen->face, face_request("status"));
}

/* Carries out a command. */
void
doing_command(struct screen *screen, const struct command *command)
{
	json_t *request;

	switch (command->name) {
	case COMMAND_QUIT:
	case COMMAND_DETACH:
		screen_leave(screen, command->name == COMMAND_DETACH);
		return;
	case COMMAND_HELP:
		keys_help(screen);
		return;
	case COMMAND_MESSAGE:
	case COMMAND_PRIVATE:
		screen_open(screen, command->user);
		break;
	case COMMAND_BROADCAST:
		screen_open(screen, "");
		break;
	default:
		break;
	}
	request = command_request(command);
	if (request != NULL)
		ask(screen, command->name, command->user, request);
}

/* ---- what is typed ---- */

/* True if a line is a command. */
bool
doing_is_command(const char *line, size_t len, size_t message_bytes)
{
	struct command command;

	if (len > 0 && *line == '/')
		return len == 1 || line[1] != '/';
	if (len == 0 || *line == ' ')
		return false;
	return command_parse(&command, line, len, message_bytes) == COMMAND_OK;
}

/* A line for the open conversation. */
static void
say(struct screen *screen, const char *text, size_t len)
{
	const char *to = screen->open;
	bool private = *to != '\0' && strcmp(screen->private_to, to) == 0;
	enum command_name name = private ? COMMAND_PRIVATE
	    : *to != '\0'                ? COMMAND_MESSAGE
					 : COMMAND_BROADCAST;
	json_t *request;

	if (len > screen->message_bytes) {
		screen_sayf(screen,
		    "The message is too long: %zu bytes, at most %zu. It was "
		    "not sent.",
		    len, screen->message_bytes);
		return;
	}
	request = face_request(command_asks(name));
	if (*to != '\0')
		json_object_set_new(request, "to", json_string(to));
	json_object_set_new(request, "text", json_stringn(text, len));
	ask(screen, name, to, request);
}

/* There is no such command. */
static void
say_unknown(struct screen *screen, const char *word)
{
	const char *near = command_nearest(word);

	if (oneshot_find(word) != ONESHOT_COUNT)
		screen_sayf(screen,
		    "Unknown command: %s. Type \"chat %s\" in the shell.", word,
		    word);
	else
		screen_sayf(screen, "Unknown command: %s. Type \"help\".%s%s%s",
		    word, near != NULL ? " Did you mean \"" : "",
		    near != NULL ? near : "", near != NULL ? "\"?" : "");
}

/* A finished line: a command, or a message to the open conversation. */
void
doing_line(struct screen *screen, const char *line, size_t len)
{
	struct command command;

	if (!doing_is_command(line, len, screen->message_bytes)) {
		/* Two slashes are one that begins a message. */
		bool slash = len > 1 && line[0] == '/' && line[1] == '/';

		say(screen, line + slash, len - slash);
		return;
	}
	switch (command_parse(&command, line, len, screen->message_bytes)) {
	case COMMAND_EMPTY:
		break;
	case COMMAND_UNKNOWN:
		say_unknown(screen, command.word);
		break;
	case COMMAND_WRONG:
		screen_sayf(screen, "%s", command.why);
		break;
	case COMMAND_OK:
		doing_command(screen, &command);
		break;
	}
}

/* ---- what is answered ---- */

static bool
is_link(enum command_name name)
{
	return name >= COMMAND_GETADDRESS && name <= COMMAND_CONTACTS;
}

/* Says a text that was made for it, in the conversation that it is about. */
static void
say_about(struct screen *screen, const char *user, char *text)
{
	const struct mirror_talk *talk =
	    *user != '\0' ? mirror_find(screen->mirror, user, NULL) : NULL;

	if (text != NULL)
		screen_say(screen, talk, text);
}

/* The names of a reply, and what is said where there are none. */
static void
say_names(struct screen *screen, struct asked *asked, const json_t *reply)
{
	char *names = tell_users(reply);

	asked->any |= names != NULL;
	if (names != NULL)
		screen_say(screen, NULL, names);
	else if (!asked->any && !wire_get_bool(reply, "more"))
		screen_sayf(screen, "%s",
		    asked->name == COMMAND_ONLINE ? "Nobody else is online."
						  : "You have blocked nobody.");
}

/* The words for an answer. */
static void
answered(struct screen *screen, struct asked *asked, const json_t *reply)
{
	bool good = wire_get_bool(reply, "ok");

	if (is_link(asked->name))
		say_about(screen, asked->user,
		    tell_link(command_asks(asked->name), reply, asked->user));
	else if (!good)
		say_about(
		    screen, asked->user, tell_refusal(reply, asked->user));
	else if (asked->name == COMMAND_BLOCK)
		screen_sayf(screen, "User %s has been blocked.", asked->user);
	else if (asked->name == COMMAND_UNBLOCK)
		screen_sayf(screen, "User %s is unblocked.", asked->user);
	else if (asked->name == COMMAND_ONLINE ||
	    asked->name == COMMAND_BLOCKED)
		say_names(screen, asked, reply);
}

/* The answer to what was asked for the status line. */
static void
take_status(struct screen *screen, const json_t *reply)
{
	int64_t queued = wire_get_number(reply, "queued", 0);

	screen->status_tag = -1;
	if (queued != screen->queued)
		screen_dirty(screen, DIRT_STATUS);
	screen->queued = queued;
}

/* A reply that the mirror has not asked for. */
void
doing_reply(struct screen *screen, const json_t *reply)
{
	struct asked **link = &screen->asked, *asked;
	int64_t tag = face_tag(reply);

	if (tag == screen->status_tag) {
		take_status(screen, reply);
		return;
	}
	while (*link != NULL && (*link)->tag != tag)
		link = &(*link)->next;
	asked = *link;
	if (asked == NULL)
		return;
	answered(screen, asked, reply);
	if (wire_get_bool(reply, "more"))
		return;
	*link = asked->next;
	free(asked);
}

void
doing_release(struct screen *screen)
{
	struct asked *asked;

	while ((asked = screen->asked) != NULL) {
		screen->asked = asked->next;
		free(asked);
	}
}
