/* SPDX-License-Identifier: ISC */
/*
 * The line face: reads commands from standard input, a terminal or not, and
 * prints what happens on standard output, a line at a time: on a terminal
 * above the line that is being edited, where one can be.  Whatever others
 * wrote is escaped before it is printed.
 */
#include "chat/faces/line.h"

#include <sys/signalfd.h>

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

#include "chat/faces/command.h"
#include "chat/faces/login.h"
#include "chat/faces/oneshot.h"
#include "chat/faces/outlet.h"
#include "chat/faces/seat.h"
#include "chat/faces/show-link.h"
#include "chat/faces/show.h"
#include "lib/loop.h"
#include "lib/wire.h"

enum {
	ASKED_MAX = 512, /* then standard input waits */
	PATIENCE_MS = 10000, /* without any answer, at the end */
	LAST_MS = 500, /* for a reader that does not read, likewise */
	QUIT_MS = 7000, /* a little more than the agent's logout */
};

/* What was typed and is not answered yet. */
struct asked {
	struct asked *next;
	int64_t tag;
	char id[ID_MAX_LEN + 1]; /* of a message, once the agent gave one */
	char user[NAME_MAX_LEN + 1];
	enum command_name name;
	bool any; /* some names have been printed */
};

/* How far the end has come. */
enum ending { STAYING, WAITING, FETCHING, QUITTING };

struct line {
	const struct account *account;
	struct face *face;
	struct prompt *prompt;
	struct seat seat; /* of whom a terminal is there for */
	struct loop *loop;
	struct loop_watch input, agent, stop;
	struct loop_timer patience;
	size_t message_bytes;
	struct asked *asked, **last;
	int count;
	char *held; /* what to print when all before it is answered */
	bool unreachable;
	bool detaching; /* at the end the session goes on */
	enum ending ending;
	int64_t end_tag;
	int status;
};

static void take_lines(struct line *line);

/* Ends the loop; what was wrong first is not undone by a farewell. */
static void
done(struct line *line, int status)
{
	if (line->status == 0)
		line->status = status;
	loop_stop(line->loop);
}

/* How long a reader that takes nothing may hold us up: not when we leave. */
static int
reader_patience(const struct line *line)
{
	return line->ending == QUITTING ? LAST_MS : -1;
}

static bool
reader_ready(const struct line *line)
{
	return outlet_ready(line->face->stop, reader_patience(line));
}

/* Before anything is printed: makes room for it above the edited line. */
static void
start_out(struct line *line)
{
	if (line->seat.terminal != NULL && reader_ready(line))
		terminal_hide(line->seat.terminal);
}

/* Every line goes out at once; a reader that is gone ends us. */
static void
flush_out(struct line *line)
{
	if (outlet_flush(line->face->stop, reader_patience(line)) !=
	    OUTLET_DONE)
		done(line, EX_IOERR);
	terminal_show(line->seat.terminal);
}

static void
forget(struct line *line, struct asked **link)
{
	struct asked *asked = *link;

	*link = asked->next;
	if (line->last == &asked->next)
		line->last = link;
	line->count--;
	free(asked);
}

/* ---- the end ---- */

static void impatient(void *arg);

static void
be_patient(struct line *line, int ms)
{
	loop_timer(line->loop, &line->patience, ms, impatient, line);
}

/* Tells the agent that we leave. */
static void
quit(struct line *line)
{
	terminal_close(line->seat.terminal);
	line->ending = QUITTING;
	line->end_tag = face_say(
	    line->face, face_request(line->detaching ? "detach" : "quit"));
	/* An agent that is gone may have said why, which is still to be read. */
	be_patient(line, QUIT_MS);
}

/* The next step of the end, when there is nothing to wait for any more. */
static void
end_step(struct line *line)
{
	if (line->ending != WAITING)
		return;
	if (!line->unreachable && line->asked != NULL)
		return;
	if (line->prompt->terminal || line->unreachable) {
		quit(line);
		return;
	}
	/* Off a terminal what has arrived by now is shown before the end. */
	line->ending = FETCHING;
	line->end_tag = face_say(line->face, face_request("sync"));
	be_patient(line, PATIENCE_MS);
}

/* Nothing happened for too long. */
static void
impatient(void *arg)
{
	struct line *line = arg;

	if (line->ending == QUITTING)
		done(line, 0);
	else
		quit(line);
}

/* No more commands: what was typed is answered first. */
static void
leave(struct line *line)
{
	if (line->ending != STAYING)
		return;
	loop_remove(line->loop, &line->input);
	terminal_close(line->seat.terminal);
	line->ending = WAITING;
	be_patient(line, PATIENCE_MS);
	end_step(line);
}

/* ---- what is typed ---- */

/* Prints a text of our own, in its turn where order counts. */
static void
say(struct line *line, char *text)
{
	if (!line->prompt->terminal && line->asked != NULL &&
	    !line->unreachable) {
		line->held = text;
		return;
	}
	start_out(line);
	fputs(text, stdout);
	free(text);
	flush_out(line);
}

__attribute__((format(printf, 2, 3))) static void
sayf(struct line *line, const char *fmt, ...)
{
	va_list args;
	char *text;

	va_start(args, fmt);
	if (vasprintf(&text, fmt, args) != -1)
		say(line, text);
	va_end(args);
}

static void
say_help(struct line *line)
{
	char *text = NULL;
	size_t len;
	FILE *to = open_memstream(&text, &len);

	if (to == NULL)
		return;
	command_help(to);
	if (fclose(to) == 0)
		say(line, text);
}

/* Sends a command to the agent and remembers that it is to be answered. */
static void
ask(struct line *line, const struct command *command)
{
	struct asked *asked = calloc(1, sizeof(*asked));

	if (asked == NULL)
		return;
	asked->name = command->name;
	memcpy(asked->user, command->user, sizeof(asked->user));
	asked->tag = face_say(line->face, command_request(command));
	if (asked->tag == -1) {
		free(asked);
		return;
	}
	*line->last = asked;
	line->last = &asked->next;
	line->count++;
}

/* There is no such command; a person is told what may have been meant. */
static void
say_unknown(struct line *line, const char *word)
{
	const char *near = command_nearest(word);

	if (!line->prompt->terminal)
		near = NULL;
	else if (oneshot_find(word) != ONESHOT_COUNT) {
		sayf(line,
		    "Unknown command: %s. Type \"chat %s\" in the shell.\n",
		    word, word);
		return;
	}
	sayf(line, "Unknown command: %s. Type \"help\".%s%s%s\n", word,
	    near != NULL ? " Did you mean \"" : "", near != NULL ? near : "",
	    near != NULL ? "\"?" : "");
}

/* One typed line. */
static void
typed(struct line *line, const char *text, size_t len)
{
	struct command command;

	switch (command_parse(&command, text, len, line->message_bytes)) {
	case COMMAND_EMPTY:
		return;
	case COMMAND_UNKNOWN:
		say_unknown(line, command.word);
		return;
	case COMMAND_WRONG:
		sayf(line, "%s\n", command.why);
		return;
	case COMMAND_OK:
		break;
	}
	line->detaching = command.name == COMMAND_DETACH;
	if (command.name == COMMAND_QUIT || line->detaching)
		leave(line);
	else if (command.name == COMMAND_HELP)
		say_help(line);
	else
		ask(line, &command);
}

/* The next line: what was typed ahead of the first prompt goes first. */
static bool
next_line(struct line *line, char **text, size_t *len, bool *too_long)
{
	if (prompt_take(line->prompt, text, len, too_long))
		return true;
	return line->seat.terminal != NULL &&
	    terminal_take(line->seat.terminal, text, len);
}

/* True for what has to do with private links. */
static bool
is_link(enum command_name name)
{
	return name >= COMMAND_GETADDRESS && name <= COMMAND_CONTACTS;
}

/*
 * True if no line may be taken now.  Of links the centre, the other client
 * and the agent answer, each in its time: off a terminal one after the other.
 */
static bool
is_full(const struct line *line)
{
	const struct asked *asked = line->asked;

	if (line->held != NULL || line->count >= ASKED_MAX)
		return true;
	while (asked != NULL && !is_link(asked->name))
		asked = asked->next;
	return asked != NULL && !line->prompt->terminal;
}

/* Takes the lines that have come, as far as there is room for answers. */
static void
take_lines(struct line *line)
{
	bool too_long;
	char *text;
	size_t len;

	while (line->ending == STAYING && !is_full(line)) {
		if (!next_line(line, &text, &len, &too_long))
			break;
		if (too_long)
			sayf(line, "The line is too long. It was not sent.\n");
		else
			typed(line, text, len);
	}
	if (line->ending != STAYING)
		return;
	if (is_full(line))
		loop_want(line->loop, &line->input, 0);
	else if (line->prompt->ended || terminal_ended(line->seat.terminal))
		leave(line);
	else
		loop_want(line->loop, &line->input, LOOP_READ);
}

/* Something was answered: what waited for it may go on. */
static void
progress(struct line *line)
{
	char *held = line->held;

	if (held != NULL && (line->asked == NULL || line->unreachable)) {
		line->held = NULL;
		say(line, held);
	}
	if (line->ending == WAITING)
		be_patient(line, PATIENCE_MS);
	if (line->ending == STAYING)
		take_lines(line);
	end_step(line);
}

static void
input_ready(void *arg, unsigned events)
{
	struct line *line = arg;

	(void)events;
	if (line->seat.terminal == NULL)
		prompt_read(line->prompt);
	else if (reader_ready(line))
		terminal_read(line->seat.terminal);
	take_lines(line);
}

/* ---- what the agent says ---- */

/* The agent's answer to a message: its id, or what is wrong with it. */
static void
message_answered(struct line *line, struct asked **link, const json_t *reply)
{
	const char *id = wire_get_string(reply, "id");

	if (wire_get_bool(reply, "ok") && id != NULL) {
		snprintf((*link)->id, sizeof((*link)->id), "%s", id);
		if (line->prompt->terminal && line->unreachable)
			puts("The message is queued.");
		return;
	}
	show_refusal(stdout, reply, (*link)->user);
	forget(line, link);
}

/* The answer to one of those; true if another one follows. */
static bool
link_answered(const struct asked *asked, const json_t *reply)
{
	const char *request = command_asks(asked->name);

	if (!wire_get_bool(reply, "ok"))
		show_link_refusal(stdout, request, reply, asked->user);
	else
		show_link_done(stdout, request, reply, asked->user);
	return wire_get_bool(reply, "more");
}

/* The answer to any other command. */
static void
command_answered(struct line *line, struct asked **link, const json_t *reply)
{
	struct asked *asked = *link;

	seat_reply(&line->seat, reply);
	if (is_link(asked->name)) {
		if (link_answered(asked, reply))
			return;
	} else if (!wire_get_bool(reply, "ok"))
		show_refusal(stdout, reply, asked->user);
	else if (asked->name == COMMAND_BLOCK)
		printf("User %s has been blocked.\n", asked->user);
	else if (asked->name == COMMAND_UNBLOCK)
		printf("User %s is unblocked.\n", asked->user);
	else {
		asked->any |= show_users(stdout, reply) > 0;
		if (wire_get_bool(reply, "more"))
			return;
		if (!asked->any && line->prompt->terminal)
			puts(asked->name == COMMAND_ONLINE
				? "Nobody else is online."
				: "You have blocked nobody.");
	}
	forget(line, link);
}

/* A reply, to whatever it belongs. */
static void
replied(struct line *line, const json_t *reply)
{
	struct asked **link = &line->asked;
	int64_t tag = face_tag(reply);

	if (tag == line->seat.roll_tag) {
		seat_reply(&line->seat, reply);
		return;
	}
	if (tag == line->end_tag && line->ending == FETCHING) {
		quit(line);
		return;
	}
	if (tag == line->end_tag && line->ending == QUITTING) {
		show_kept(wire_get_number(reply, "queued", 0));
		done(line, 0);
		return;
	}
	while (*link != NULL && (*link)->tag != tag)
		link = &(*link)->next;
	if (*link == NULL)
		return;
	if ((*link)->name == COMMAND_MESSAGE ||
	    (*link)->name == COMMAND_BROADCAST)
		message_answered(line, link, reply);
	else
		command_answered(line, link, reply);
}

/* A message of ours has come to its first answer. */
static void
settled(struct line *line, const json_t *event)
{
	const char *id = wire_get_string(event, "id");
	const char *state = wire_get_string(event, "state");
	struct asked **link = &line->asked;

	if (id == NULL || state == NULL || strcmp(state, "queued") == 0)
		return;
	while (*link != NULL && strcmp((*link)->id, id) != 0)
		link = &(*link)->next;
	if (*link != NULL)
		forget(line, link);
}

/* An event: most are only shown, some change what we do. */
static void
happened(struct line *line, const json_t *event)
{
	const char *name = wire_get_string(event, "event");
	bool was = line->unreachable;
	int status;

	if (name == NULL)
		return;
	seat_event(&line->seat, event);
	status = show_event(event, line->account->user);
	if (strcmp(name, "state") == 0)
		settled(line, event);
	else if (strcmp(name, "unreachable") == 0)
		line->unreachable = true;
	else if (strcmp(name, "reachable") == 0)
		line->unreachable = false;
	if (was != line->unreachable)
		seat_reach(&line->seat, was);
	if (status != 0)
		done(line, status);
}

/* Goes through the lines that have come from the agent. */
static void
take_answers(struct line *line)
{
	json_t *object;
	int64_t row;

	while ((object = face_next(line->face)) != NULL) {
		row = wire_get_number(object, "row", 0);
		start_out(line);
		if (face_tag(object) == -1)
			happened(line, object);
		else
			replied(line, object);
		json_decref(object);
		flush_out(line);
		/* What did not get out comes again at the next start. */
		if (row > 0 && line->status == 0)
			face_seen(line->face, row);
	}
	progress(line);
}

static void
agent_ready(void *arg, unsigned events)
{
	struct line *line = arg;

	(void)events;
	if (face_read(line->face)) {
		take_answers(line);
		return;
	}
	if (line->ending != QUITTING && line->status == 0) {
		terminal_close(line->seat.terminal);
		fputs("chat: the agent has ended; start chat again\n", stderr);
		line->status = EX_TEMPFAIL;
	}
	done(line, line->status);
}

/* A signal: leave at once; a second one: without the agent's answer. */
static void
stopped(void *arg, unsigned events)
{
	struct line *line = arg;
	struct signalfd_siginfo info;

	(void)events;
	if (read(line->face->stop, &info, sizeof(info)) == -1)
		return;
	if (line->ending == QUITTING) {
		done(line, 0);
		return;
	}
	if (info.ssi_signo == SIGINT && terminal_clear(line->seat.terminal))
		return;
	loop_remove(line->loop, &line->input);
	/* The shell's prompt is not to stand behind a "^C". */
	if (line->prompt->terminal && line->seat.terminal == NULL)
		putchar('\n');
	quit(line);
}

/* ---- the beginning ---- */

/* What a person reads first. */
static void
greet(const struct line *line, const json_t *login)
{
	const char *warning = wire_get_string(login, "warning");

	if (warning != NULL)
		show_complaint("Warning: ", warning);
	show_welcome(stdout, login, line->account->user);
}

static int
watch_all(struct line *line)
{
	line->loop = loop_new();
	if (line->loop == NULL ||
	    loop_add(line->loop, &line->agent, line->face->fd, LOOP_READ,
		agent_ready, line) == -1 ||
	    loop_add(line->loop, &line->stop, line->face->stop, LOOP_READ,
		stopped, line) == -1 ||
	    loop_add(line->loop, &line->input, STDIN_FILENO, LOOP_READ,
		input_ready, line) == -1) {
		perror("chat: the loop");
		return -1;
	}
	return 0;
}

/* From the greeting to the end of the loop. */
static void
serve(struct line *line, const json_t *login)
{
	seat_dress(line->account, line->prompt);
	greet(line, login);
	flush_out(line);
	if (seat_open(&line->seat, line->account, line->prompt, line->face,
		line->loop) == -1) {
		perror("chat: the loop");
		line->status = EX_OSERR;
	} else if (face_say(line->face, face_request("watch")) == -1) {
		line->status = EX_TEMPFAIL;
	} else {
		/* Lines may have come together with the password. */
		take_lines(line);
		loop_run(line->loop);
	}
	seat_release(&line->seat);
}

/* Runs until its user leaves or the session ends. */
int
line_main(const struct account *account, struct face *face,
    struct prompt *prompt, const json_t *login)
{
	struct line line = {
	    .account = account,
	    .face = face,
	    .prompt = prompt,
	    .last = &line.asked,
	    .end_tag = -1,
	};

	outlet_open();
	line.message_bytes =
	    (size_t)wire_get_number(login, "message_bytes", TEXT_MAX_LEN);
	if (watch_all(&line) == -1)
		return EX_OSERR;
	serve(&line, login);
	while (line.asked != NULL)
		forget(&line, &line.asked);
	free(line.held);
	loop_free(line.loop);
	if (line.status == 0)
		puts(line.detaching ? "You stay logged in." : "Goodbye.");
	outlet_flush(face->stop, LAST_MS);
	return line.status;
}
