/* SPDX-License-Identifier: ISC */
/*
 * The full screen: life and loop.  Keeps nothing that the mirror has, draws
 * only what has changed, and gives the terminal back before anything else is
 * said.  Whatever others wrote is escaped before it is drawn.
 */
#include "chat/faces/screen/screen.h"

#include <sys/signalfd.h>

#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

#include "chat/faces/line.h"
#include "chat/faces/recall.h"
#include "chat/faces/screen/parts.h"
#include "chat/faces/show.h"
#include "lib/unix.h"
#include "lib/wire.h"

enum {
	QUIT_MS = 7000, /* a little more than the agent's logout */
	REDRAW_MS =
	    100, /* before a terminal is tried again that took nothing */
	GREET_MS = 3000, /* then it is greeted without what was said before */
	NOTICE_MS = 8000, /* in the status line; it stands elsewhere, too */
	SYNC_MS = 60000, /* before it is asked again when all was in step */
	STATUS_MS = 300, /* before it is asked what waits: once for many */
	COMMAND_ROOM = 64, /* octets that a command adds to a message */
	QUERY_MAX = 256,
};

static const int signals[] = {SIGWINCH, SIGTSTP, SIGCONT};

/* ---- what the other parts call ---- */

void
screen_dirty(struct screen *screen, unsigned dirt)
{
	screen->dirt |= dirt;
}

struct mirror_talk *
screen_talk(const struct screen *screen)
{
	return mirror_find(screen->mirror, screen->open, NULL);
}

static void
notice_over(void *arg)
{
	struct screen *screen = arg;

	free(screen->notice);
	screen->notice = NULL;
	screen_dirty(screen, DIRT_STATUS);
}

/* Says something in the status line, until the next key or for a while. */
void
screen_notice(struct screen *screen, const char *text)
{
	free(screen->notice);
	screen->notice = strdup(text);
	loop_timer(
	    screen->loop, &screen->notice_end, NOTICE_MS, notice_over, screen);
	screen_dirty(screen, DIRT_STATUS);
}

/* Says a sentence; one for another conversation is also told at once. */
void
screen_say(struct screen *screen, const struct mirror_talk *talk, char *text)
{
	const struct mirror_talk *open = screen_talk(screen);

	if (talk == NULL)
		talk = open;
	if (talk != open || talk == NULL || screen->mode != MODE_TALK)
		screen_notice(screen, text);
	if (talk != NULL)
		notes_add(&screen->notes, talk, text);
	else
		free(text);
	screen_dirty(screen, DIRT_TALK);
}

void
screen_sayf(struct screen *screen, const char *fmt, ...)
{
	va_list args;
	char *text;

	va_start(args, fmt);
	if (vasprintf(&text, fmt, args) != -1)
		screen_say(screen, NULL, text);
	va_end(args);
}

/* The user has seen what stands there, if it is the end of it. */
void
screen_seen(struct screen *screen)
{
	struct mirror_talk *talk = screen_talk(screen);

	if (talk != NULL && screen->mode == MODE_TALK && screen->layout.fits &&
	    screen->view.anchor == 0 && talk->end && talk->unread > 0)
		mirror_read(screen->mirror, talk);
}

void
screen_mode(struct screen *screen, enum mode mode)
{
	screen->mode = mode;
	screen_dirty(screen, DIRT_ALL | DIRT_LAYOUT);
	screen->changed = true;
}

/* Shows a conversation; what was typed for another stays with that one. */
void
screen_open(struct screen *screen, const char *user)
{
	char name[NAME_MAX_LEN + 1];
	struct mirror_talk *talk;

	snprintf(name, sizeof(name), "%s", user);
	screen_mode(screen, MODE_TALK);
	talk = mirror_open(screen->mirror, name);
	if (talk == NULL)
		return;
	if (strcmp(name, screen->open) != 0) {
		typing_switch(screen, name);
		memcpy(screen->open, name, sizeof(screen->open));
		screen->view = (struct view){0};
	}
	if (!talk->end && !talk->loading)
		mirror_load(screen->mirror, talk);
}

/* ---- the end ---- */

/* What was wrong first is not undone by a farewell. */
static void
done(struct screen *screen, int status)
{
	canvas_close(&screen->canvas);
	if (screen->status == 0)
		screen->status = status;
	loop_stop(screen->loop);
}

static void
impatient(void *arg)
{
	done(arg, 0);
}

/* Leaves: the terminal first, whatever the agent has to do. */
void
screen_leave(struct screen *screen, bool detach)
{
	if (screen->ending != STAYING)
		return;
	canvas_close(&screen->canvas);
	loop_remove(screen->loop, &screen->input);
	screen->ending = QUITTING;
	screen->detaching = detach;
	screen->end_tag =
	    face_say(screen->face, face_request(detach ? "detach" : "quit"));
	if (screen->end_tag == -1)
		done(screen, 0);
	loop_timer(screen->loop, &screen->patience, QUIT_MS, impatient, screen);
}

/* ---- what the mirror tells ---- */

static int64_t
mirror_asks(void *arg, json_t *request)
{
	struct screen *screen = arg;

	return face_say(screen->face, request);
}

static void
talks_changed(void *arg, size_t position, size_t removed, size_t added)
{
	(void)position;
	(void)removed;
	(void)added;
	screen_dirty(
	    arg, DIRT_LIST | DIRT_TITLE | DIRT_STATUS | DIRT_BAR | DIRT_LAYOUT);
}

static void
talk_changed(void *arg, struct mirror_talk *talk)
{
	(void)talk;
	screen_dirty(
	    arg, DIRT_LIST | DIRT_TITLE | DIRT_STATUS | DIRT_BAR | DIRT_LAYOUT);
}

static void
lines_changed(void *arg, struct mirror_talk *talk, size_t position,
    size_t removed, size_t added)
{
	struct screen *screen = arg;

	(void)position;
	(void)removed;
	(void)added;
	if (strcmp(talk->user, screen->open) == 0)
		screen->changed = true;
}

static void
line_arrived(
    void *arg, struct mirror_talk *talk, const struct mirror_line *line)
{
	struct screen *screen = arg;

	(void)talk;
	if (screen->account->bell && screen->canvas.terminal != NULL &&
	    (line->kind == MIRROR_MESSAGE || line->kind == MIRROR_PRIVATE))
		beep();
}

/* Asks what the status line says, now and every minute. */
static void
ask_status(void *arg)
{
	struct screen *screen = arg;

	if (screen->ending != STAYING)
		return;
	doing_status(screen);
	mirror_refresh(screen->mirror);
	loop_timer(
	    screen->loop, &screen->ask_status, SYNC_MS, ask_status, screen);
}

static void
status_changed(void *arg)
{
	screen_dirty(arg, DIRT_STATUS);
}

/* True if a line that stands there has these words behind it already. */
static bool
stands_there(const struct screen *screen, const struct mirror_talk *talk,
    const char *text)
{
	if (talk == NULL || talk != screen_talk(screen))
		return false;
	for (size_t i = talk->count; i > 0; i--)
		if (strcmp(talk->lines[i - 1].reason, text) == 0)
			return true;
	return false;
}

static void
mirror_says(
    void *arg, struct mirror_talk *talk, const char *event, const char *text)
{
	struct screen *screen = arg;
	char *copy;

	if (strcmp(event, "state") == 0 && stands_there(screen, talk, text))
		return;
	copy = strdup(text);
	if (copy != NULL)
		screen_say(screen, talk, copy);
}

static void
search_found(void *arg, const struct mirror_found *found, size_t count)
{
	find_found(arg, found, count);
}

static const struct mirror_calls calls = {
    .ask = mirror_asks,
    .talks = talks_changed,
    .talk = talk_changed,
    .lines = lines_changed,
    .arrived = line_arrived,
    .status = status_changed,
    .say = mirror_says,
    .found = search_found,
};

/* ---- drawing ---- */

/* Lays out anew, where that makes a difference. */
static void
lay_out(struct screen *screen, bool anew)
{
	struct layout layout;
	int rows, columns;

	canvas_size(&rows, &columns);
	layout_make(&layout, rows, columns, composer_rows(screen, columns),
	    consent_rows(screen));
	if (!anew && memcmp(&layout, &screen->layout, sizeof(layout)) == 0)
		return;
	screen->layout = layout;
	canvas_place(&screen->canvas, &layout);
	if (screen->mode == MODE_HELP)
		keys_fill(screen);
	werase(stdscr);
	if (!layout.fits)
		mvwaddstr(stdscr, 0, 0, "Too small: 20 x 6 at least.");
	wnoutrefresh(stdscr);
	screen_dirty(screen, DIRT_ALL);
}

/* Rings once for each new question. */
static void
ring(struct screen *screen)
{
	int count;

	consent_first(screen, &count);
	if (count > screen->asking)
		beep();
	screen->asking = count;
}

/* What a person reads first, below what was said before. */
static void
greet(struct screen *screen)
{
	const char *warning = wire_get_string(screen->login, "warning");
	char *text = tell_welcome(screen->login, screen->account->user);

	screen->login = NULL;
	loop_timer_stop(screen->loop, &screen->greet);
	if (text != NULL)
		screen_say(screen, NULL, text);
	if (warning != NULL) {
		text = tell_text(warning);
		screen_sayf(screen, "Warning: %s", text);
		free(text);
	}
}

/* What was said before has not come, for whatever reason. */
static void
greet_now(void *arg)
{
	struct screen *screen = arg;

	if (screen->login != NULL)
		greet(screen);
}

/* False while the terminal takes nothing: we are not to wait for it. */
static bool
writable(void)
{
	struct pollfd pfd = {.fd = STDOUT_FILENO, .events = POLLOUT};

	return poll(&pfd, 1, 0) != 0;
}

/* The next turn of the loop draws. */
static void
draw_later(void *arg)
{
	(void)arg;
}

/* Draws what has changed, and no more. */
static void
draw(void *arg)
{
	static const struct {
		unsigned dirt;
		void (*paint)(struct screen *screen);
	} parts[] = {
	    {DIRT_LIST, paint_list},
	    {DIRT_LIST, paint_rule},
	    {DIRT_TITLE, paint_title},
	    {DIRT_TALK, paint_talk},
	    {DIRT_BAR, paint_bar},
	    {DIRT_COMPOSER, paint_composer},
	    {DIRT_STATUS, paint_status},
	};
	struct screen *screen = arg;
	const struct mirror_talk *talk;

	if (screen->canvas.terminal == NULL || screen->canvas.away)
		return;
	if (!writable()) {
		loop_timer(screen->loop, &screen->redraw, REDRAW_MS, draw_later,
		    screen);
		return;
	}
	talk = screen_talk(screen);
	if (screen->login != NULL && talk != NULL && talk->end &&
	    !talk->loading)
		greet(screen);
	if (screen->changed) {
		screen->changed = false;
		view_changed(screen);
		screen_seen(screen);
	}
	if (screen->dirt & DIRT_BAR)
		ring(screen);
	if (screen->dirt & DIRT_LAYOUT)
		lay_out(screen, false);
	if (screen->dirt == 0)
		return;
	for (size_t i = 0; i < sizeof(parts) / sizeof(*parts); i++)
		if (screen->layout.fits && (screen->dirt & parts[i].dirt))
			parts[i].paint(screen);
	screen->dirt = 0;
	if (screen->layout.fits)
		paint_cursor(screen);
	doupdate();
}

/* ---- what comes in ---- */

/* True once the session has ended, and with it this face. */
static bool
is_over(struct screen *screen)
{
	struct mirror_status status;

	mirror_status(screen->mirror, &status);
	if (!status.over)
		return false;
	if (screen->why == NULL && status.why != NULL)
		screen->why = tell_text(status.why);
	done(screen, status.exit);
	return true;
}

/* One line of the agent. */
static void
take_line(struct screen *screen, const json_t *line)
{
	const char *event = wire_get_string(line, "event");

	if (screen->ending == QUITTING && face_tag(line) == screen->end_tag) {
		screen->kept = wire_get_number(line, "queued", 0);
		done(screen, 0);
	} else if (!mirror_take(screen->mirror, line, clock_wall()))
		doing_reply(screen, line);
	else if (event != NULL &&
	    (strcmp(event, "state") == 0 || strstr(event, "reachable")))
		loop_timer(screen->loop, &screen->ask_status, STATUS_MS,
		    ask_status, screen);
}

static void
agent_ready(void *arg, unsigned events)
{
	struct screen *screen = arg;
	json_t *line;

	(void)events;
	if (!face_read(screen->face)) {
		if (screen->ending == STAYING && screen->why == NULL &&
		    screen->status == 0) {
			canvas_close(&screen->canvas);
			fputs("chat: the agent has ended; start chat again\n",
			    stderr);
			screen->status = EX_TEMPFAIL;
		}
		done(screen, screen->status);
		return;
	}
	while ((line = face_next(screen->face)) != NULL) {
		take_line(screen, line);
		json_decref(line);
	}
	if (screen->ending == STAYING)
		is_over(screen);
}

static void
input_ready(void *arg, unsigned events)
{
	struct screen *screen = arg;

	(void)events;
	if (!keys_read(screen))
		screen_leave(screen, false);
}

/* A signal: leave; a second one: without the agent's answer. */
static void
stopped(void *arg, unsigned events)
{
	struct screen *screen = arg;
	struct signalfd_siginfo info;

	(void)events;
	if (read(screen->face->stop, &info, sizeof(info)) == -1)
		return;
	if (screen->ending == QUITTING)
		done(screen, 0);
	else if (info.ssi_signo != SIGINT || !typing_clear(screen))
		screen_leave(screen, false);
}

/* Ctrl-Z: gives the terminal back and stops; returns when it goes on. */
static void
suspend(struct screen *screen)
{
	sigset_t stop, before;

	canvas_leave(&screen->canvas);
	sigemptyset(&stop);
	sigaddset(&stop, SIGTSTP);
	/* It is blocked for the loop; unblocked it stops us at once. */
	raise(SIGTSTP);
	sigprocmask(SIG_UNBLOCK, &stop, &before);
	sigprocmask(SIG_SETMASK, &before, NULL);
}

/* A signal that has to do with the terminal. */
static void
signalled(void *arg, int signo)
{
	struct screen *screen = arg;
	int rows, columns;

	if (screen->canvas.terminal == NULL)
		return;
	if (signo == SIGTSTP)
		suspend(screen);
	if (signo != SIGWINCH)
		canvas_back(&screen->canvas);
	canvas_size(&rows, &columns);
	if (rows > 0 && columns > 0)
		resizeterm(rows, columns);
	lay_out(screen, true);
}

/* ---- the beginning ---- */

static void
recalled(void *arg, const char *line)
{
	struct screen *screen = arg;

	edit_remember(screen->text, line);
}

/* All that needs memory; -1 if there is none. */
static int
prepare(struct screen *screen, const json_t *login)
{
	screen->message_bytes =
	    (size_t)wire_get_number(login, "message_bytes", TEXT_MAX_LEN);
	screen->mirror = mirror_new(screen->account->user, &calls, screen);
	screen->text = edit_new(screen->message_bytes + COMMAND_ROOM);
	screen->query = edit_new(QUERY_MAX);
	screen->loop = loop_new();
	if (screen->mirror == NULL || screen->text == NULL ||
	    screen->query == NULL || screen->loop == NULL)
		return -1;
	screen->history = account_path(screen->account, "typed");
	recall_trim(screen->history);
	recall_read(screen->history, recalled, screen);
	return 0;
}

static int
watch_all(struct screen *screen)
{
	for (size_t i = 0; i < sizeof(signals) / sizeof(*signals); i++)
		if (loop_signal(screen->loop, signals[i], signalled, screen) ==
		    -1)
			return -1;
	loop_after_turn(screen->loop, draw, screen);
	if (loop_add(screen->loop, &screen->agent, screen->face->fd, LOOP_READ,
		agent_ready, screen) == -1 ||
	    loop_add(screen->loop, &screen->stop, screen->face->stop, LOOP_READ,
		stopped, screen) == -1)
		return -1;
	return loop_add(screen->loop, &screen->input, STDIN_FILENO, LOOP_READ,
	    input_ready, screen);
}

static void
release(struct screen *screen)
{
	sigset_t ours;

	sigemptyset(&ours);
	for (size_t i = 0; i < sizeof(signals) / sizeof(*signals); i++)
		sigaddset(&ours, signals[i]);
	sigprocmask(SIG_UNBLOCK, &ours, NULL);
	doing_release(screen);
	find_release(screen);
	typing_release(screen);
	notes_release(&screen->notes);
	view_rows_release(&screen->help);
	people_release(&screen->people);
	mirror_free(screen->mirror);
	edit_free(screen->text);
	edit_free(screen->query);
	loop_free(screen->loop);
	free(screen->history);
	free(screen->notice);
	free(screen->why);
}

/* What is said at the end, on a terminal that is as it was. */
static void
say_goodbye(const struct screen *screen)
{
	show_kept(screen->kept);
	if (screen->why != NULL)
		puts(screen->why);
	if (screen->status == 0)
		puts(screen->detaching ? "You stay logged in." : "Goodbye.");
	fflush(stdout);
}

/* Runs until its user leaves or the session ends. */
int
screen_main(const struct account *account, struct face *face,
    struct prompt *prompt, const json_t *login)
{
	struct screen screen = {
	    .account = account,
	    .face = face,
	    .prompt = prompt,
	    .login = login,
	    .mode = MODE_TALK,
	    .status_tag = -1,
	    .end_tag = -1,
	};
	int status;

	if (prepare(&screen, login) == -1 || watch_all(&screen) == -1) {
		perror("chat: the full screen");
		release(&screen);
		return EX_OSERR;
	}
	if (canvas_open(&screen.canvas) == -1) {
		release(&screen);
		fputs("chat: the terminal cannot be drawn on; here are lines\n",
		    stderr);
		return line_main(account, face, prompt, login);
	}
	keys_define();
	mirror_begin(screen.mirror);
	screen_open(&screen, "");
	loop_timer(screen.loop, &screen.greet, GREET_MS, greet_now, &screen);
	ask_status(&screen);
	lay_out(&screen, true);
	draw(&screen);
	loop_run(screen.loop);
	canvas_close(&screen.canvas);
	recall_trim(screen.history);
	say_goodbye(&screen);
	status = screen.status;
	release(&screen);
	return status;
}
