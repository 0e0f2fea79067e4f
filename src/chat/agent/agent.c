/* SPDX-License-Identifier: ISC */
/*
 * The agent's life: one process for each account, which holds the session
 * and the book, and serves the faces.  It knows no terminal and never waits
 * for the network in its loop.
 */
#include "chat/agent/agent.h"

#include <sys/file.h>
#include <sys/stat.h>

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

#include "chat/agent/book-private.h"
#include "chat/agent/private.h"
#include "lib/log.h"
#include "lib/unix.h"

enum {
	LOG_KEEP = 1 << 20, /* then the log starts anew */
	LOCK_WAIT_MS = 8000, /* a little more than another one's logout */
	LOCK_TRY_MS = 50,
};

/* Answers a face that waits, if it is still there. */
void
agent_answer(struct agent *agent, struct waiter *waiter, json_t *reply)
{
	struct face_end *face = door_find(agent->door, waiter->face);

	if (face != NULL && waiter->face != 0)
		door_send(face, reply);
	else
		json_decref(reply);
	json_decref(waiter->tag);
	waiter->tag = NULL;
	waiter->face = 0;
}

/* Notes that a face has shown its user all rows up to this one. */
void
agent_shown(struct agent *agent, int64_t number)
{
	if (number <= agent->marked)
		return;
	if (book_shown(agent->book, number) == -1) {
		agent_fail(agent, EX_IOERR, book_why(agent->book));
		return;
	}
	agent->marked = number;
}

/* A face that confirms nothing itself: what its socket took is shown. */
static void
mark(struct agent *agent, const struct face_end *face)
{
	if (!face->automatic || face->gone || door_pending(face) > 0)
		return;
	agent_shown(agent, face->given);
	if (!face->talks)
		desk_read_all(agent, face->given);
}

struct giving {
	const struct agent *agent;
	struct face_end *face;
};

/* One row as an event. */
static bool
give_row(void *arg, const struct book_row *row)
{
	const struct giving *giving = arg;
	struct face_end *face = giving->face;
	bool presence = row->kind == BOOK_LOGIN || row->kind == BOOK_LOGOUT;
	/* A private message has our time, not the centre's. */
	bool direct = row->kind == BOOK_PRIVATE;
	char time[WIRE_TIME_LEN + 1];
	json_t *event = json_object();

	wire_time_format(row->time, time);
	json_object_set_new(
	    event, "event", json_string(book_kind_name(row->kind)));
	json_object_set_new(event, "time", json_string(time));
	if (*row->author != '\0')
		json_object_set_new(event, presence ? "user" : "from",
		    json_string(row->author));
	if (*row->text != '\0')
		json_object_set_new(event, presence ? "reason" : "text",
		    json_string(row->text));
	if (direct || row->kind == BOOK_MESSAGE || row->kind == BOOK_BROADCAST)
		json_object_set_new(event, "id", json_string(row->id));
	json_object_set_new(event, "row", json_integer(row->number));
	if (row->time <
	    (direct ? giving->agent->login_wall : giving->agent->login_time))
		json_object_set_new(event, "earlier", json_true());
	face->given = row->number;
	door_send(face, event);
	return !face->gone && door_pending(face) < DOOR_PENDING_LOW;
}

/* Gives one face what the book has new for it. */
void
agent_give(struct agent *agent, struct face_end *face)
{
	struct giving giving = {agent, face};

	if (!face->watching || door_pending(face) >= DOOR_PENDING_LOW)
		return;
	if (book_news(agent->book, face->given, give_row, &giving) == -1) {
		agent_fail(agent, EX_IOERR, book_why(agent->book));
		return;
	}
	mark(agent, face);
}

/* Gives the faces what the book has new for them. */
void
agent_news(struct agent *agent)
{
	for (struct face_end *face = door_first(agent->door); face != NULL;
	     face = face->next)
		agent_give(agent, face);
}

/* Ends the process, leaving nothing of the session behind. */
void
agent_finish(struct agent *agent)
{
	json_t *reply;

	if (agent->state == AGENT_LEAVING) {
		*agent->place.token = '\0';
		if (book_set_place(agent->book, &agent->place) == -1)
			log_warn("%s", book_why(agent->book));
	}
	if (agent->quitting.face != 0) {
		reply = wire_accept(agent->quitting.tag);
		json_object_set_new(reply, "queued",
		    json_integer(outbox_messages(&agent->outbox)));
		agent_answer(agent, &agent->quitting, reply);
	}
	agent->state = AGENT_OVER;
	private_end(agent->private);
	live_end(agent->live);
	loop_stop(agent->loop);
}

static void
end_late(void *arg)
{
	struct agent *agent = arg;

	if (agent->state == AGENT_LEAVING)
		log_warn("the logout took too long");
	agent_finish(agent);
}

/* A request that will not be asked any more: its face learns why. */
static void
drop_errand(void *arg, const struct errand *errand)
{
	struct agent *agent = arg;
	struct waiter waiter = {errand->face, json_incref(errand->tag)};

	agent_answer(agent, &waiter, desk_over(agent, errand->tag));
}

/*
 * The session is over: no more requests; faces have a moment to read why,
 * also those that have not said that they watch, and those that wait.
 */
static void
over(struct agent *agent, json_t *event)
{
	agent->state = AGENT_OVER;
	agent->last_word = json_incref(event);
	/* Who comes now starts an agent of their own. */
	door_shut(agent->door);
	desk_kept(agent);
	private_end(agent->private);
	outbox_drop_requests(&agent->outbox, drop_errand, agent);
	door_tell_all(agent->door, event);
	live_end(agent->live);
	loop_timer_stop(agent->loop, &agent->poll);
	loop_timer_stop(agent->loop, &agent->pause);
	loop_timer_stop(agent->loop, &agent->trouble);
	loop_timer(agent->loop, &agent->end, LEAVE_MS, end_late, agent);
	if (door_count(agent->door) == 0 || agent->quitting.face != 0)
		agent_finish(agent);
}

/* Something that ends this agent. */
void
agent_fail(struct agent *agent, int status, const char *why)
{
	json_t *event, *reply;

	if (agent->state == AGENT_OVER)
		return;
	event = json_object();
	log_warn("%s", why);
	agent->status = status;
	if (agent->entering.face != 0) {
		reply = desk_refuse(agent->entering.tag, "failed", why);
		json_object_set_new(reply, "status", json_integer(status));
		agent_answer(agent, &agent->entering, reply);
	}
	json_object_set_new(event, "event", json_string("failed"));
	json_object_set_new(event, "status", json_integer(status));
	json_object_set_new(event, "text", json_string(why));
	over(agent, event);
}

/* The session was ended by the centre. */
void
agent_over(struct agent *agent, json_t *event)
{
	*agent->place.token = '\0';
	if (book_set_place(agent->book, &agent->place) == -1)
		log_warn("%s", book_why(agent->book));
	over(agent, event);
}

/* Logs out if need be, in bounded time, and ends. */
void
agent_leave(struct agent *agent)
{
	switch (agent->state) {
	case AGENT_OUT:
	case AGENT_OVER:
		agent_finish(agent);
		return;
	case AGENT_KNOCKING:
	case AGENT_ENTERING:
		if (agent->leave)
			return;
		agent->leave = true;
		door_shut(agent->door);
		loop_timer(agent->loop, &agent->end, LEAVE_MS, end_late, agent);
		return;
	case AGENT_IN:
		break;
	case AGENT_LEAVING:
		return;
	}
	agent->state = AGENT_LEAVING;
	private_end(agent->private);
	agent->pausing = false;
	loop_timer_stop(agent->loop, &agent->pause);
	loop_timer_stop(agent->loop, &agent->poll);
	loop_timer(agent->loop, &agent->end, LEAVE_MS, end_late, agent);
	/* Who comes now starts an agent of their own. */
	door_shut(agent->door);
	outbox_request(&agent->outbox, OP_LOGOUT, NULL, 0, NULL);
	session_go(agent);
}

/* A line from a face; it may hold a password, so it is wiped. */
static void
face_line(void *arg, struct face_end *face, char *line, size_t len)
{
	struct agent *agent = arg;

	agent->met = true;
	desk_line(agent, face, line, len);
	explicit_bzero(line, len);
}

static void
face_room(void *arg, struct face_end *face)
{
	mark(arg, face);
	agent_give(arg, face);
}

/* True if nobody is here and nobody wants a session. */
static bool
is_lonely(const struct agent *agent)
{
	return door_count(agent->door) == 0 &&
	    !(agent->detached && agent->state == AGENT_IN);
}

/*
 * The last face that leaves takes the session with it, unless detached.  Who
 * only looked whether an agent is there was no face.
 */
static void
face_left(void *arg)
{
	struct agent *agent = arg;

	if (agent->met && is_lonely(agent))
		agent_leave(agent);
}

static const struct door_calls calls = {face_line, face_room, face_left};

static void
lonely(void *arg)
{
	struct agent *agent = arg;

	agent->met = true;
	if (is_lonely(agent))
		agent_leave(agent);
}

static void
signalled(void *arg, int signo)
{
	log_info("signal %d: leaving", signo);
	agent_leave(arg);
}

/* Says how the start went; the starter waits for it. */
static int
report(int ready, int status, const char *text)
{
	char line[BOOK_WHY_LEN + 64];
	int len = snprintf(line, sizeof(line), "%d %s\n", status, text);

	if (len >= (int)sizeof(line))
		len = (int)sizeof(line) - 1;
	if (fd_write_all(ready, line, (size_t)len) == -1)
		log_warn("the starter is gone");
	if (status != 0)
		log_warn("%s", text);
	return status;
}

/* The log starts anew when it has grown. */
static void
open_log(const struct account *account)
{
	char *path = account_path(account, "agent.log");
	char *old = account_path(account, "agent.log.old");
	struct stat st;

	log_init("chat", "agent");
	if (stat(path, &st) == 0 && st.st_size > LOG_KEEP)
		rename(path, old);
	/* Without a log it goes on: stderr is /dev/null. */
	log_open(path);
	free(path);
	free(old);
}

/* True if it is the disk that refused what was tried last. */
static bool
no_room(void)
{
	return errno == ENOSPC || errno == EDQUOT || errno == EFBIG ||
	    errno == EIO;
}

/* Takes the lock that makes this the account's only agent. */
int
agent_lock(const struct account *account, int *lock)
{
	char *path = account_path(account, "agent.lock");
	int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	int64_t deadline = clock_mono() + LOCK_WAIT_MS;
	int other;

	free(path);
	if (fd == -1)
		return -1;
	while (flock(fd, LOCK_EX | LOCK_NB) == -1) {
		if (errno != EWOULDBLOCK || clock_mono() > deadline) {
			close(fd);
			return -1;
		}
		other = unix_connect(account->socket);
		if (other != -1) {
			close(other);
			close(fd);
			return 0;
		}
		usleep(LOCK_TRY_MS * 1000);
	}
	*lock = fd;
	return 1;
}

/* Opens the book and takes from it where we stand. */
static int
open_book(struct agent *agent, char why[BOOK_WHY_LEN])
{
	char *path = account_path(agent->account, "book.db");

	agent->book = book_open(path, agent->account->user, why);
	free(path);
	if (agent->book == NULL)
		return -1;
	if (book_place(agent->book, &agent->place) == 0 &&
	    book_private_stop(agent->book) == 0 &&
	    outbox_init(&agent->outbox, agent->book) == 0)
		return 0;
	snprintf(why, BOOK_WHY_LEN, "%s", book_why(agent->book));
	return -1;
}

/* The loop with what it watches; an exit status, with a sentence. */
static int
open_loop(struct agent *agent, char why[BOOK_WHY_LEN])
{
	static const int signals[] = {SIGTERM, SIGINT, SIGHUP};
	const struct account *account = agent->account;

	agent->loop = loop_new();
	for (int i = 0; agent->loop != NULL && i < 3; i++)
		if (loop_signal(agent->loop, signals[i], signalled, agent) ==
		    -1)
			agent->loop = NULL;
	if (agent->loop == NULL) {
		snprintf(why, BOOK_WHY_LEN, "the loop: %s", strerror(errno));
		return EX_OSERR;
	}
	agent->centre = centre_new(agent->loop, account->host, account->port,
	    account->family, &agent->trust, session_done, agent, why);
	if (agent->centre == NULL)
		return EX_CONFIG;
	agent->live = live_new(agent);
	agent->private = private_new(agent);
	agent->door = door_open(agent->loop, account->socket, &calls, agent);
	if (agent->door != NULL)
		return 0;
	snprintf(
	    why, BOOK_WHY_LEN, "%.300s: %s", account->socket, strerror(errno));
	return no_room() ? EX_IOERR : EX_CANTCREAT;
}

/* An agent with what the account says. */
static void
agent_init(struct agent *agent, const struct account *account)
{
	agent->account = account;
	agent->message_bytes = 8192;
	agent->heartbeat = (int64_t)account->heartbeat * 1000;
	agent->interval = POLL_MS;
	agent->untold = json_array();
	agent->trust = (struct trust){
	    .pin = account->pin,
	    .ca = account->ca,
	    .where = account->where,
	};
	agent->trust.known = account_shared_path(account, "known_servers");
}

/*
 * Closes what others see.  Memory is left to the end of the process: the
 * courier may still be at work on it.
 */
static void
agent_close(struct agent *agent)
{
	door_close(agent->door);
	book_close(agent->book);
}

/* The agent's life, in its own process. */
int
agent_main(const struct account *account, int ready)
{
	char why[BOOK_WHY_LEN] = "";
	struct agent *agent = calloc(1, sizeof(*agent));
	int status, lock;

	if (agent == NULL)
		return report(ready, EX_OSERR, "no memory");
	open_log(account);
	agent_init(agent, account);
	/* The descriptor stays open: the lock lasts as long as we do. */
	status = agent_lock(account, &lock);
	if (status == 0)
		return report(ready, 0, "another agent serves");
	if (status == -1) {
		status = no_room() ? EX_IOERR : EX_CANTCREAT;
		snprintf(why, sizeof(why), "agent.lock cannot be taken: %s",
		    strerror(errno));
		return report(ready, status, why);
	}
	if (open_book(agent, why) == -1)
		return report(ready, EX_IOERR, why);
	status = open_loop(agent, why);
	if (status != 0)
		return report(ready, status, why);
	loop_timer(agent->loop, &agent->end, LONELY_MS, lonely, agent);
	log_info("ready for %s at %s", account->user, account->where);
	report(ready, 0, "ready");
	close(ready);
	loop_run(agent->loop);
	agent_close(agent);
	log_info("ended");
	return agent->status;
}
