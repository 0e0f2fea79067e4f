/* SPDX-License-Identifier: ISC */
/*
 * A brief login: a process that does for one face what an agent does, for
 * one command.  It has no session, shows nobody as online and ends with its
 * face; of the book it reads the history, and sends what is queued.  The
 * password stays here, since every connection has to prove it again.
 */
#include "chat/agent/brief.h"

#include "chat/agent/brief-parts.h"

#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

#include "chat/agent/agent.h"
#include "chat/agent/reply.h"
#include "lib/line.h"
#include "lib/log.h"
#include "lib/unix.h"

enum {
	BRIEF_TRIES = 6, /* with growing pauses: about 15 seconds */
	BRIEF_PAUSE_MS = 250,
	BRIEF_WAIT_MS = 8000, /* the longest pause that is waited for */
	BRIEF_ALL_MS = 12000, /* after that no more tries, however few */
	END_MS = 1000, /* then the process is ended */
};

struct brief_row {
	const char *name;
	const char *members; /* what goes to the centre */
	json_t *(*fn)(struct brief *brief, const json_t *line);
};

/* ---- one request and its reply ---- */

/* A string out of an object; "" if there is none. */
const char *
brief_member(const json_t *object, const char *key)
{
	const char *value = wire_get_string(object, key);

	return value != NULL ? value : "";
}

/* Takes the password for the logins to come; false if it can be none. */
bool
brief_take(struct brief *brief, const char *password)
{
	size_t len = strlen(password);

	if (len > PASSWORD_MAX_LEN)
		return false;
	memcpy(brief->password, password, len + 1);
	return true;
}

/* One exchange: its reply, or a refusal in our own words. */
static json_t *
converse(struct brief *brief, json_t *request)
{
	struct centre_exchange *exchange = centre_exchange_new();
	json_t *reply;

	if (!centre_add(exchange, request)) {
		centre_exchange_free(exchange);
		return desk_refuse(
		    NULL, "bad-request", "That is too long for one request.");
	}
	centre_converse(brief->centre, exchange);
	memcpy(brief->pin, exchange->trust.pin, sizeof(brief->pin));
	memcpy(brief->expired, exchange->trust.expired, sizeof(brief->expired));
	if (exchange->status == CENTRE_UNTRUSTED)
		reply =
		    session_untrusted(NULL, &brief->trust, &exchange->trust);
	else if (exchange->got > 0)
		reply = reply_copy(exchange->replies[0], NULL);
	else
		reply = desk_refuse(NULL,
		    exchange->status == CENTRE_BROKEN ? "broken"
						      : "unreachable",
		    exchange->why);
	centre_exchange_free(exchange);
	return reply;
}

/* True if the same may be asked again; a broken answer is no answer. */
static bool
again(const json_t *reply)
{
	const char *error = wire_get_string(reply, "error");

	return !wire_get_bool(reply, "ok") &&
	    (wire_error_again(reply_error(reply)) ||
		(error != NULL && strcmp(error, "broken") == 0));
}

/* Waits before the next try; false if that would take too long. */
static bool
pause_for(const struct brief *brief, const json_t *reply, int tries)
{
	int64_t wait = BRIEF_PAUSE_MS << tries;
	int64_t asked = reply_seconds(reply, "retry_after");
	uint16_t dice;

	random_fill(&dice, sizeof(dice));
	wait += wait * dice / 65536 / 2;
	if (asked > wait)
		wait = asked;
	if (tries + 1 >= BRIEF_TRIES || wait > BRIEF_WAIT_MS ||
	    clock_mono() + wait > brief->began + BRIEF_ALL_MS)
		return false;
	poll(NULL, 0, (int)wait);
	return true;
}

/* An answer that broke off to the last counts as none. */
static json_t *
no_answer(json_t *reply)
{
	if (again(reply) && reply_error(reply) == ERR_NONE)
		json_object_set_new(reply, "error", json_string("unreachable"));
	return reply;
}

/* The login of this connection; the reply. */
json_t *
brief_enter(struct brief *brief)
{
	json_t *request = json_object(), *reply;

	json_object_set_new(request, "op", json_string("login"));
	json_object_set_new(request, "user", json_string(brief->account->user));
	json_object_set_new(request, "password", json_string(brief->password));
	json_object_set_new(request, "brief", json_true());
	reply = converse(brief, request);
	desk_wipe(request);
	json_decref(request);
	return reply;
}

/* The first login, on the connection that the hello has used. */
json_t *
brief_log_in(struct brief *brief)
{
	json_t *reply;

	brief->began = clock_mono();
	for (int tries = 0;; tries++) {
		centre_fresh(brief->centre, 2);
		reply = brief_enter(brief);
		if (!again(reply) || !pause_for(brief, reply, tries))
			return no_answer(reply);
		json_decref(reply);
	}
}

/* One try: a login if the connection is a new one, then the request. */
static json_t *
ask_once(
    struct brief *brief, json_t *request, bool login, struct brief_fate *fate)
{
	json_t *reply;

	fate->asked = false;
	/* For the hello nobody has to be logged in. */
	if (login && centre_fresh(brief->centre, 2)) {
		reply = brief_enter(brief);
		if (!wire_get_bool(reply, "ok"))
			return reply;
		json_decref(reply);
	}
	reply = converse(brief, request);
	fate->asked = true;
	fate->doubt |= strcmp(brief_member(reply, "error"), "broken") == 0;
	return reply;
}

/* Asks until there is an answer that is one, within bounds. */
json_t *
brief_ask(
    struct brief *brief, json_t *request, bool login, struct brief_fate *fate)
{
	struct brief_fate own;
	json_t *reply;

	if (fate == NULL)
		fate = &own;
	*fate = (struct brief_fate){false, false};
	brief->began = clock_mono();
	reply = ask_once(brief, request, login, fate);
	for (int tries = 0; again(reply) && pause_for(brief, reply, tries);
	     tries++) {
		json_decref(reply);
		centre_hang_up(brief->centre);
		reply = ask_once(brief, request, login, fate);
	}
	return no_answer(reply);
}

/* ---- what the face asks ---- */

/* Who is there?  A refusal, or NULL if it is a centre that we understand. */
static json_t *
knock(struct brief *brief)
{
	json_t *hello = json_object(), *reply;
	int64_t bytes;

	json_object_set_new(hello, "op", json_string("hello"));
	reply = brief_ask(brief, hello, false, NULL);
	json_decref(hello);
	if (!wire_get_bool(reply, "ok"))
		return reply;
	snprintf(brief->registration, sizeof(brief->registration), "%s",
	    brief_member(reply, "registration"));
	bytes = wire_get_number(
	    json_object_get(reply, "limits"), "message_bytes", 0);
	if (bytes > 0)
		brief->message_bytes =
		    bytes < TEXT_MAX_LEN ? bytes : TEXT_MAX_LEN;
	if (wire_get_number(reply, "protocol", WIRE_PROTOCOL) ==
	    WIRE_PROTOCOL) {
		json_decref(reply);
		return NULL;
	}
	json_decref(reply);
	return desk_refuse(NULL, "protocol",
	    "The centre speaks another version of the protocol.");
}

/* Without a password: is it the right centre?  With one: is it right? */
static json_t *
do_login(struct brief *brief, const json_t *line)
{
	const char *password = wire_get_string(line, "password");
	json_t *reply;

	if (password == NULL) {
		reply = knock(brief);
		if (reply != NULL)
			return reply;
		reply = desk_refuse(
		    NULL, "password", "A password is needed to log in.");
		json_object_set_new(reply, "pin", json_string(brief->pin));
		json_object_set_new(
		    reply, "registration", json_string(brief->registration));
		return reply;
	}
	if (!brief_take(brief, password))
		return desk_refuse(NULL, "login-failed", "");
	reply = brief_log_in(brief);
	if (!wire_get_bool(reply, "ok")) {
		/* What comes next is asked on a connection of its own. */
		explicit_bzero(brief->password, sizeof(brief->password));
		centre_hang_up(brief->centre);
	}
	/* The centre does not speak in our name. */
	json_object_del(reply, "warning");
	json_object_set_new(reply, "user", json_string(brief->account->user));
	json_object_set_new(reply, "brief", json_true());
	json_object_set_new(reply, "pin", json_string(brief->pin));
	json_object_set_new(
	    reply, "message_bytes", json_integer(brief->message_bytes));
	session_warning(reply, brief->expired);
	return reply;
}

/* The user says that the key that was shown is the right one. */
static json_t *
do_trust(struct brief *brief, const json_t *line)
{
	const char *pin = wire_get_string(line, "pin");

	if (pin == NULL || *pin == '\0' || strcmp(pin, brief->pin) != 0)
		return desk_refuse(NULL, "not-allowed",
		    "The centre has not shown that public key.");
	if (trust_remember(&brief->trust, pin) == -1)
		return desk_refuse(NULL, "internal",
		    "The public key cannot be written to known_servers.");
	return wire_accept(NULL);
}

/* A request that goes to the centre as it is, but for its name. */
static json_t *
pass_on(struct brief *brief, const struct brief_row *row, const json_t *line)
{
	json_t *request = json_object(), *reply;

	json_object_set_new(request, "op", json_string(row->name));
	reply_members(request, line, row->members);
	reply = brief_ask(brief, request, true, NULL);
	json_object_del(reply, "more");
	json_decref(request);
	return reply;
}

/* Sends an object to the face; false if it is gone. */
static bool
say(const struct brief *brief, json_t *object)
{
	size_t len;
	char *text = wire_line(object, &len);
	bool said = text != NULL && fd_write_all(brief->fd, text, len) == 0;

	json_decref(object);
	free(text);
	return said;
}

/* The names page by page, each with the face's tag. */
static json_t *
list(struct brief *brief, const struct brief_row *row, const json_t *line)
{
	json_t *request = json_object(), *reply, *tag;
	const char *name;
	int pages = 0;

	tag = json_object_get(line, "tag");
	json_object_set_new(request, "op", json_string(row->name));
	json_object_set_new(request, "max", json_integer(500));
	for (;;) {
		reply = brief_ask(brief, request, true, NULL);
		name = reply_next(
		    reply, wire_get_string(request, "after"), &pages);
		if (name == NULL)
			break;
		json_object_set_new(request, "after", json_string(name));
		if (tag != NULL)
			json_object_set(reply, "tag", tag);
		if (!say(brief, reply)) {
			reply = json_object();
			break;
		}
	}
	json_object_del(reply, "more");
	json_decref(request);
	return reply;
}

/* ---- the account's book, which needs no login ---- */

struct reading {
	struct brief *brief;
	json_t *tag;
	bool gone;
};

/* Sends one line of several. */
static bool
say_more(struct reading *reading, json_t *line)
{
	json_object_set_new(line, "ok", json_true());
	json_object_set_new(line, "more", json_true());
	if (reading->tag != NULL)
		json_object_set(line, "tag", reading->tag);
	reading->gone = !say(reading->brief, line);
	return !reading->gone;
}

static bool
say_row(void *arg, const struct book_row *row)
{
	static const char *const states[] = {
	    [BOOK_RECEIVED] = "received",
	    [BOOK_QUEUED] = "queued",
	    [BOOK_ACCEPTED] = "accepted",
	    [BOOK_FETCHED] = "fetched",
	    [BOOK_REFUSED] = "refused",
	    [BOOK_CALLING] = "queued",
	    [BOOK_KEPT] = "kept",
	};
	char time[WIRE_TIME_LEN + 1];
	const struct {
		const char *name, *value;
	} members[] = {
	    {"time", time},
	    {"type", book_kind_name(row->kind)},
	    {"from", row->author},
	    {"to", row->recipient},
	    {"id", *row->id != '!' ? row->id : ""},
	    {"text", row->text},
	    {"state", states[row->state]},
	    {"reason", row->reason},
	};
	json_t *line = json_object();

	wire_time_format(row->time, time);
	for (size_t i = 0; i < sizeof(members) / sizeof(*members); i++)
		if (*members[i].value != '\0')
			json_object_set_new(line, members[i].name,
			    json_string(members[i].value));
	return say_more(arg, line);
}

/* A moment as a member, if there is one. */
static void
put_time(json_t *line, const char *key, int64_t ms)
{
	char time[WIRE_TIME_LEN + 1];

	if (ms <= 0)
		return;
	wire_time_format(ms, time);
	json_object_set_new(line, key, json_string(time));
}

/* One contact: with until there is a private link, with a port both ways. */
static void
say_contact(void *arg, const struct book_contact *contact)
{
	struct reading *reading = arg;
	json_t *line = json_object();

	json_object_set_new(line, "user", json_string(contact->user));
	put_time(line, "last", contact->last);
	if (*contact->pin != '\0')
		json_object_set_new(
		    line, "fingerprint", json_string(contact->pin));
	if (*contact->changed != '\0')
		json_object_set_new(
		    line, "changed", json_string(contact->changed));
	if (contact->until > clock_wall()) {
		put_time(line, "until", contact->until);
		if (contact->port != 0)
			json_object_set_new(
			    line, "host", json_string(contact->host));
		if (contact->port != 0)
			json_object_set_new(
			    line, "port", json_integer(contact->port));
	}
	if (reading->gone)
		json_decref(line);
	else
		say_more(reading, line);
}

/* The book's own fault, for the face. */
json_t *
brief_fault(const char *why)
{
	json_t *reply = desk_refuse(NULL, "failed", why);

	json_object_set_new(reply, "status", json_integer(EX_IOERR));
	return reply;
}

/* Reads the book: its rows or its contacts, then a reply without "more". */
static json_t *
read_book(struct brief *brief, const json_t *line, bool contacts)
{
	struct reading reading = {brief, json_object_get(line, "tag"), false};
	struct book_query query = {
	    .user = brief_member(line, "user"),
	    .words = brief_member(line, "words"),
	    .limit = wire_get_number(line, "max", -1),
	    .presence = wire_get_bool(line, "presence"),
	};
	char *path = account_path(brief->account, "book.db");
	char *lock = account_path(brief->account, "agent.lock");
	char why[BOOK_WHY_LEN];
	struct book *book;
	json_t *reply;
	int result;

	/* Who has never been logged in here has no history. */
	if (access(path, F_OK) == -1 && errno == ENOENT) {
		free(path);
		free(lock);
		return wire_accept(NULL);
	}
	book = book_visit(path, lock, brief->account->user, why);
	free(path);
	free(lock);
	if (book == NULL)
		return brief_fault(why);
	result = contacts ? book_contacts(book, say_contact, &reading)
			  : book_history(book, &query, say_row, &reading);
	reply = result == 0 ? wire_accept(NULL) : brief_fault(book_why(book));
	book_close(book);
	return reply;
}

static json_t *
do_history(struct brief *brief, const json_t *line)
{
	return read_book(brief, line, false);
}

static json_t *
do_contacts(struct brief *brief, const json_t *line)
{
	return read_book(brief, line, true);
}

static const struct brief_row rows[] = {
    {"history", NULL, do_history},
    {"contacts", NULL, do_contacts},
    {"login", NULL, do_login},
    {"trust", NULL, do_trust},
    {"register", NULL, brief_register},
    {"password", NULL, brief_password},
    {"send", NULL, brief_send},
    {"broadcast", NULL, brief_send},
    {"queue", NULL, brief_queue},
    {"online", NULL, NULL},
    {"block", "user", NULL},
    {"unblock", "user", NULL},
    {"blocked", NULL, NULL},
};

/* Finds the row and does what it says. */
static json_t *
dispatch(struct brief *brief, const json_t *line)
{
	const char *name = wire_get_string(line, "do");
	const struct brief_row *row = NULL;

	for (size_t i = 0; name != NULL && i < sizeof(rows) / sizeof(*rows);
	     i++)
		if (strcmp(rows[i].name, name) == 0)
			row = &rows[i];
	if (row == NULL)
		return desk_refuse(
		    NULL, "bad-request", "There is no such request.");
	if (row->fn != NULL)
		return row->fn(brief, line);
	if (*brief->password == '\0')
		return desk_refuse(NULL, "not-allowed", "Nobody is logged in.");
	return row->members != NULL ? pass_on(brief, row, line)
				    : list(brief, row, line);
}

/* ---- the process ---- */

/* One line of the face; false if the face is gone. */
static bool
answer(struct brief *brief, const char *text, size_t len)
{
	char why[WIRE_WHY_LEN];
	json_t *line = wire_object(text, len, why);
	json_t *reply, *tag;

	if (line == NULL)
		return say(brief, desk_refuse(NULL, "bad-request", why));
	reply = dispatch(brief, line);
	tag = json_object_get(line, "tag");
	if (tag != NULL)
		json_object_set(reply, "tag", tag);
	desk_wipe(line);
	json_decref(line);
	return say(brief, reply);
}

/* Serves the face until it is gone. */
static void
serve(struct brief *brief)
{
	char *at, *line;
	size_t room, len;
	ssize_t n;

	for (;;) {
		while (line_take(&brief->in, &line, &len) == LINE_READY) {
			if (!answer(brief, line, len))
				return;
			explicit_bzero(line, len);
		}
		at = line_room(&brief->in, &room);
		if (at == NULL)
			return;
		n = read(brief->fd, at, room);
		if (n == 0 || (n == -1 && errno != EINTR))
			return;
		if (n > 0)
			line_added(&brief->in, (size_t)n);
	}
}

/* The child: it never outlives the face, and reads nothing of its. */
_Noreturn static void
live(const struct account *account, int fd, pid_t parent)
{
	struct brief brief = {
	    .account = account,
	    .trust = {.pin = account->pin,
		.ca = account->ca,
		.where = account->where},
	    .fd = fd,
	    .message_bytes = 8192,
	};
	char why[CENTRE_WHY_LEN];
	int null = open("/dev/null", O_RDWR | O_CLOEXEC);

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (getppid() != parent)
		_exit(EX_OSERR);
	prctl(PR_SET_NAME, "chat: brief");
	dup2(null, STDIN_FILENO);
	dup2(null, STDOUT_FILENO);
	brief.trust.known = account_shared_path(account, "known_servers");
	brief.centre = centre_alone(
	    account->host, account->port, account->family, &brief.trust, why);
	if (brief.centre == NULL) {
		fprintf(stderr, "chat: %s\n", why);
		_exit(EX_CONFIG);
	}
	serve(&brief);
	centre_hang_up(brief.centre);
	explicit_bzero(&brief, sizeof(brief));
	_exit(0);
}

/* Starts one. */
int
brief_start(const struct account *account, pid_t *pid)
{
	pid_t parent = getpid();
	int ends[2];

	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) == -1)
		return -1;
	*pid = fork();
	if (*pid == 0) {
		close(ends[0]);
		live(account, ends[1], parent);
	}
	close(ends[1]);
	if (*pid != -1)
		return ends[0];
	close(ends[0]);
	return -1;
}

/* Waits for its end; it may be in the middle of a long wait. */
void
brief_stop(pid_t pid)
{
	int64_t deadline = clock_mono() + END_MS;

	while (waitpid(pid, NULL, WNOHANG) == 0) {
		if (clock_mono() > deadline) {
			kill(pid, SIGKILL);
			waitpid(pid, NULL, 0);
			return;
		}
		poll(NULL, 0, 5);
	}
}
