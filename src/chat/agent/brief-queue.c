/* SPDX-License-Identifier: ISC */
/*
 * Messages by a brief login: what the account's book has queued goes first,
 * in order and with its ids; what cannot be sent is added to it if the user
 * wants that.  Runs in the process of a brief login.  It queues in the book
 * only under the lock that an agent has, so that none overlooks it; it sends
 * without, since an id makes sure that nothing is said twice.
 */
#include "chat/agent/brief-parts.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

#include "chat/agent/agent.h"
#include "chat/agent/reply.h"
#include "lib/unix.h"
#include "lib/wire.h"

enum { BEFORE_MAX = 32 }; /* refusals in one reply: it is one line */

/*
 * Opens the book as one who may not be alone with it; NULL with why, or with
 * "" if there is none.
 */
static struct book *
visit_book(const struct brief *brief, char why[BOOK_WHY_LEN])
{
	char *path = account_path(brief->account, "book.db");
	char *lock = account_path(brief->account, "agent.lock");
	struct book *book = NULL;

	*why = '\0';
	if (access(path, F_OK) == 0 || errno != ENOENT)
		book = book_visit(path, lock, brief->account->user, why);
	free(path);
	free(lock);
	return book;
}

/* True if the centre has decided about the message. */
static bool
is_final(const json_t *reply, const struct brief_fate *fate)
{
	enum wire_error error = reply_error(reply);

	if (wire_get_bool(reply, "ok"))
		return true;
	return fate->asked && error != ERR_NONE && !wire_error_again(error);
}

/* ---- what is queued ---- */

/* Completes a request from its row. */
static void
add_row(void *arg, const struct book_row *row)
{
	json_t *request = arg;
	bool to_one = row->kind == BOOK_MESSAGE;

	json_object_set_new(
	    request, "op", json_string(to_one ? "send" : "broadcast"));
	json_object_set_new(request, "id", json_string(row->id));
	if (to_one)
		json_object_set_new(request, "to", json_string(row->recipient));
	json_object_set_new(request, "text", json_string(row->text));
}

/* The centre's word about one that was queued. */
static json_t *
ask_queued(struct brief *brief, struct book *book, const struct errand *errand,
    struct brief_fate *fate)
{
	int64_t limit =
	    clock_wall() - (int64_t)OUTBOX_KEEP_DAYS * 24 * 3600 * 1000;
	json_t *request, *reply;

	if (errand->written < limit) {
		*fate = (struct brief_fate){true, false};
		return desk_refuse(NULL, "expired",
		    "The message could not be sent for 14 days.");
	}
	request = json_object();
	if (book_row(book, errand->row, add_row, request) == -1) {
		fate->asked = false;
		reply = brief_fault(book_why(book));
	} else
		reply = brief_ask(brief, request, true, fate);
	json_decref(request);
	return reply;
}

/* Writes down how it fared; a refusal goes to the list, for the face. */
static int
settle(struct book *book, const struct errand *errand, json_t *reply,
    json_t *before)
{
	bool ok = wire_get_bool(reply, "ok");

	if (!ok) {
		if (*errand->to != '\0')
			json_object_set_new(
			    reply, "to", json_string(errand->to));
		if (json_array_size(before) < BEFORE_MAX)
			json_array_append(before, reply);
	}
	return book_settle(book, errand->row, ok ? BOOK_ACCEPTED : BOOK_REFUSED,
	    ok ? NULL : brief_member(reply, "error"));
}

/* Sends what is queued; NULL, or the reply that stands in the way. */
static json_t *
send_all(struct brief *brief, struct book *book, json_t *before)
{
	struct brief_fate fate = {false, false};
	struct outbox outbox;
	struct errand *errand;
	json_t *reply = NULL;

	if (outbox_init(&outbox, book) == -1)
		reply = brief_fault(book_why(book));
	while (reply == NULL && (errand = outbox_first(&outbox)) != NULL) {
		reply = ask_queued(brief, book, errand, &fate);
		if (!is_final(reply, &fate))
			break;
		if (settle(book, errand, reply, before) == -1) {
			json_decref(reply);
			reply = brief_fault(book_why(book));
			break;
		}
		json_decref(reply);
		reply = NULL;
		outbox_pop(&outbox);
	}
	outbox_release(&outbox);
	return reply;
}

/* The same with the book, where there is one. */
static json_t *
send_queued(struct brief *brief, json_t *before)
{
	char why[BOOK_WHY_LEN];
	struct book *book = visit_book(brief, why);
	json_t *reply;

	if (book == NULL)
		return *why != '\0' ? brief_fault(why) : NULL;
	reply = send_all(brief, book, before);
	book_close(book);
	return reply;
}

/* ---- a new one ---- */

/* The reply for a message. */
static json_t *
tell(json_t *reply, const json_t *line, const char *id, const char *state)
{
	json_object_set_new(reply, "id", json_string(id));
	reply_members(reply, line, "to");
	json_object_set_new(reply, "state", json_string(state));
	return reply;
}

/* Adds it to the book, whose lock is ours. */
static json_t *
write_down(const struct brief *brief, const json_t *line, const char *id)
{
	char *path = account_path(brief->account, "book.db");
	char why[BOOK_WHY_LEN];
	struct book *book = book_open(path, brief->account->user, why);
	json_t *reply;
	int64_t number;

	free(path);
	if (book == NULL)
		return brief_fault(why);
	if (book_queue(book, id, brief_member(line, "to"),
		brief_member(line, "text"), clock_wall(), &number) == -1)
		reply = brief_fault(book_why(book));
	else
		reply = tell(wire_accept(NULL), line, id, "queued");
	book_close(book);
	return reply;
}

/* Keeps a message for later, unless an agent runs: that one must know it. */
static json_t *
keep(const struct brief *brief, const json_t *line, const char *id)
{
	json_t *reply;
	int lock = -1;

	switch (agent_lock(brief->account, &lock)) {
	case 1:
		reply = write_down(brief, line, id);
		close(lock);
		return reply;
	case 0:
		reply = desk_refuse(
		    NULL, "agent", "An agent has just been started.");
		json_object_set_new(reply, "id", json_string(id));
		return reply;
	default:
		reply =
		    brief_fault("The account's agent.lock cannot be taken.");
		json_object_set_new(
		    reply, "status", json_integer(EX_CANTCREAT));
		return reply;
	}
}

/* True if a message that got this reply is worth keeping. */
static bool
may_be_kept(const json_t *reply)
{
	return wire_error_again(reply_error(reply)) ||
	    strcmp(brief_member(reply, "error"), "unreachable") == 0;
}

/*
 * Writes down what the centre has taken, where there is a history.  It is
 * sent also where that fails: the face gets a warning.
 */
static void
note_sent(const struct brief *brief, const json_t *line, const char *id,
    json_t *reply)
{
	char why[BOOK_WHY_LEN];
	struct book *book = visit_book(brief, why);

	if (book != NULL &&
	    book_sent(book, id, brief_member(line, "to"),
		brief_member(line, "text"), clock_wall()) == -1)
		snprintf(why, sizeof(why), "%s", book_why(book));
	book_close(book);
	if (*why != '\0')
		json_object_set_new(reply, "warning", json_string(why));
}

/* Asks the centre for the line's own message. */
static json_t *
send_new(struct brief *brief, const json_t *line, const char *id)
{
	json_t *request = json_object(), *reply;

	json_object_set(request, "op", json_object_get(line, "do"));
	json_object_set_new(request, "id", json_string(id));
	reply_members(request, line, "to");
	json_object_set(request, "text", json_object_get(line, "text"));
	reply = brief_ask(brief, request, true, NULL);
	json_decref(request);
	/* The centre does not speak in our name. */
	json_object_del(reply, "warning");
	if (wire_get_bool(reply, "ok"))
		note_sent(brief, line, id, reply);
	return tell(reply, line, id,
	    wire_get_bool(reply, "ok") ? "accepted" : "refused");
}

/* Sends a message, or a broadcast, after what is queued. */
json_t *
brief_send(struct brief *brief, const json_t *line)
{
	char id[OUTBOX_ID_LEN + 1];
	json_t *before, *reply;

	if (*brief->password == '\0')
		return desk_refuse(NULL, "not-allowed", "Nobody is logged in.");
	before = json_array();
	outbox_id(id);
	reply = send_queued(brief, before);
	if (reply == NULL)
		reply = send_new(brief, line, id);
	if (wire_get_bool(line, "queue") && !wire_get_bool(reply, "ok") &&
	    may_be_kept(reply)) {
		json_decref(reply);
		reply = keep(brief, line, id);
	}
	/* The centre does not say how many lines there are, or what was. */
	json_object_del(reply, "more");
	json_object_del(reply, "before");
	if (json_array_size(before) > 0)
		json_object_set(reply, "before", before);
	json_decref(before);
	return reply;
}

/* Keeps a message while the centre is out of reach. */
json_t *
brief_queue(struct brief *brief, const json_t *line)
{
	char id[OUTBOX_ID_LEN + 1];

	outbox_id(id);
	return keep(brief, line, id);
}
