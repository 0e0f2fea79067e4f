/* SPDX-License-Identifier: ISC */
/*
 * One command and no more: finds the agent that runs for the account, or
 * makes a brief login, and hands it to the face.  Runs in the face's process.
 * It starts an agent only where a session was begun here and not ended.
 */
#include "chat/once.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

#include "chat/agent/book.h"
#include "chat/agent/brief.h"
#include "chat/attach.h"
#include "chat/faces/face.h"
#include "chat/faces/login.h"
#include "chat/faces/show.h"
#include "lib/wire.h"

enum { STATUS_MS = 5000 };

/* Attaches to an agent that has a session; false if there is none. */
static bool
attach(const struct account *account, struct face *face, int stop)
{
	const char *session;
	json_t *reply;
	int64_t tag;
	bool in;

	if (face_open(face, account->socket, stop) == -1)
		return false;
	tag = face_say(face, face_request("status"));
	reply = tag != -1 ? face_reply(face, tag, STATUS_MS) : NULL;
	session = reply != NULL ? wire_get_string(reply, "session") : NULL;
	in = session != NULL && strcmp(session, "in") == 0;
	json_decref(reply);
	if (!in)
		face_close(face);
	return in;
}

/* Logs in where it has to be and carries the command out. */
static int
carry_out(const struct oneshot *shot, const struct account *account,
    struct prompt *prompt, struct face *face)
{
	json_t *login = NULL;
	int status = oneshot_link(shot->name) == LINK_ANY
	    ? login_run(account, prompt, face, &login)
	    : login_knock(account, prompt, face, &login);

	if (status == EX_UNAVAILABLE && shot->queue) {
		/* Why was said; what is to be sent is kept. */
		login = json_object();
		json_object_set_new(login, "brief", json_true());
		json_object_set_new(login, "offline", json_true());
		status = 0;
	}
	if (status == 0)
		status = oneshot_main(shot, account, face, prompt, login);
	else if (status == LOGIN_LOST)
		fputs("chat: the agent has ended; try again\n", stderr);
	json_decref(login);
	return status < 0 ? EX_TEMPFAIL : status;
}

/* The same by a brief login. */
static int
briefly(const struct oneshot *shot, const struct account *account,
    struct prompt *prompt)
{
	struct face face = {.stop = prompt->stop};
	pid_t pid;
	int status;

	/* The text may be on standard input: a password is not. */
	if (!prompt->terminal && oneshot_link(shot->name) == LINK_ANY)
		prompt->closed = true;
	face.fd = brief_start(account, &pid);
	if (face.fd == -1) {
		perror("chat: the brief login");
		return EX_OSERR;
	}
	status = carry_out(shot, account, prompt, &face);
	face_close(&face);
	brief_stop(pid);
	return status;
}

/* The history needs nobody but its file. */
static int
from_book(const struct oneshot *shot, const struct account *account,
    struct prompt *prompt)
{
	struct face face = {.stop = prompt->stop};
	json_t *nobody = json_object();
	pid_t pid;
	int status;

	face.fd = brief_start(account, &pid);
	if (face.fd == -1) {
		perror("chat: the history");
		json_decref(nobody);
		return EX_OSERR;
	}
	status = oneshot_main(shot, account, &face, prompt, nobody);
	json_decref(nobody);
	face_close(&face);
	brief_stop(pid);
	return status;
}

/* What has come: from an agent, or what is left of one's last session. */
static int
news(const struct oneshot *shot, const struct account *account,
    struct prompt *prompt)
{
	char *path = account_path(account, "book.db");
	bool known = access(path, F_OK) == 0 || errno != ENOENT;
	json_t *nobody;
	struct face face;
	int status;

	free(path);
	/* Who has never been logged in here has nothing to read. */
	if (!known)
		return oneshot_out(shot, account);
	status = attach_agent(account, &face, prompt->stop);
	if (status != 0)
		return status;
	nobody = json_object();
	status = oneshot_main(shot, account, &face, prompt, nobody);
	json_decref(nobody);
	face_close(&face);
	return status < 0 ? EX_TEMPFAIL : status;
}

/* An agent for a face that comes now: it is looked for, and told nothing. */
static int
bare(const struct oneshot *shot, const struct account *account,
    const struct prompt *prompt)
{
	struct face face;
	int status = attach_agent(account, &face, prompt->stop);

	if (status != 0)
		return status;
	face_close(&face);
	return oneshot_agent(shot, account);
}

/* True for what is done by an agent with a session, or not at all. */
static bool
needs_agent(const struct oneshot *shot)
{
	enum oneshot_link link = oneshot_link(shot->name);

	return link == LINK_AGENT || link == LINK_LINK;
}

/*
 * True for a command that only looks at what is here, where nothing is: it
 * makes nothing either.
 */
static bool
in_vain(const struct oneshot *shot, struct account *account, const char *state)
{
	enum oneshot_link link = oneshot_link(shot->name);

	return (link == LINK_BOOK || link == LINK_NEWS || needs_agent(shot)) &&
	    !account_known(account, state);
}

static void
count_row(void *arg, const struct book_row *row)
{
	(void)row;
	++*(int64_t *)arg;
}

/* How many messages the account's book keeps for the next agent. */
static int
count_queued(const struct account *account, int64_t *count)
{
	char *path = account_path(account, "book.db");
	char *lock = account_path(account, "agent.lock");
	char why[BOOK_WHY_LEN] = "";
	struct book *book = NULL;

	*count = 0;
	if (access(path, F_OK) == 0 || errno != ENOENT)
		book = book_visit(path, lock, account->user, why);
	if (book != NULL && book_queued(book, count_row, count) == -1)
		snprintf(why, sizeof(why), "%s", book_why(book));
	book_close(book);
	free(path);
	free(lock);
	if (*why == '\0')
		return 0;
	show_complaint("chat: ", why);
	return EX_IOERR;
}

/* What can be said where no agent has a session. */
static int
without_agent(struct oneshot *shot, const struct account *account)
{
	int status = 0;

	if (shot->name == ONESHOT_STATUS)
		status = count_queued(account, &shot->queued);
	return status != 0 ? status : oneshot_out(shot, account);
}

/* Carries a command out for the account. */
int
once_main(struct oneshot *shot, struct account *account, const char *state,
    struct prompt *prompt)
{
	char why[ACCOUNT_WHY_LEN];
	struct face face;
	int status = 0;

	if (oneshot_link(shot->name) == LINK_STRANGER) {
		status = login_user(account, prompt);
		if (status != 0)
			return status == -1 ? EX_TEMPFAIL : status;
	}
	if (*account->user == '\0') {
		fputs("chat: no user is given: add -u USER\n", stderr);
		return EX_USAGE;
	}
	status = oneshot_read(shot, prompt);
	if (status != 0)
		return status;
	if (in_vain(shot, account, state))
		return oneshot_link(shot->name) == LINK_BOOK
		    ? 0
		    : oneshot_out(shot, account);
	if (account_place(account, state, why) == -1) {
		show_complaint("chat: ", why);
		return EX_CANTCREAT;
	}
	if (oneshot_link(shot->name) == LINK_BARE)
		return bare(shot, account, prompt);
	if (oneshot_link(shot->name) == LINK_BOOK)
		return from_book(shot, account, prompt);
	if (oneshot_link(shot->name) == LINK_NEWS)
		return news(shot, account, prompt);
	if (oneshot_link(shot->name) == LINK_STRANGER)
		return briefly(shot, account, prompt);
	if (!attach(account, &face, prompt->stop))
		return needs_agent(shot) ? without_agent(shot, account)
					 : briefly(shot, account, prompt);
	status = carry_out(shot, account, prompt, &face);
	face_close(&face);
	return status;
}
