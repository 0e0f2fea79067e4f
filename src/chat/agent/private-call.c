/* SPDX-License-Identifier: ISC */
/*
 * Private messages on their way to others: each is in the book before it is
 * sent, and what became of it is there before a face is told.  Runs in the
 * agent's loop; must never leave one at the centre by itself.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

#include "chat/agent/book-link.h"
#include "chat/agent/book-private.h"
#include "chat/agent/private.h"
#include "lib/log.h"
#include "lib/unix.h"

/* One message. */
struct letter {
	struct letter *next;
	int64_t row;
	char id[OUTBOX_ID_LEN + 1];
	char *text;
	int tries; /* so many answers were lost */
	struct waiter waiter;
};

/* Why one was kept: the error's name, and a sentence around a user's. */
static const struct reason {
	const char *name, *before, *after;
} reasons[] = {
    [PEER_REFUSED] = {"refused", "",
	"'s client does not take the message: it knows nothing of the private "
	"link."},
    [PEER_UNREACHABLE] = {"unreachable", "",
	" can no longer be reached at that address; the message was not sent."},
    [PEER_WRONG_KEY] = {"wrong-key", "Somebody else answers at the address of ",
	", with another public key; nothing was said to them."},
    [PEER_TOO_LARGE] = {"too-large", "The message is too long for ",
	"'s client."},
    [PEER_BUSY] = {"busy", "", "'s client cannot store the message just now."},
    [PEER_MALFORMED] = {"refused", "",
	"'s client can make nothing of the message."},
    [PEER_LOST] = {"lost", "",
	"'s client did not answer: the message may have arrived."},
};

/* The first letter, or that with an id, leaves the list; NULL: none. */
static struct letter *
take(struct link *link, const char *id)
{
	struct letter **at = &link->letters, *letter;

	while (*at != NULL && id != NULL && strcmp((*at)->id, id) != 0)
		at = &(*at)->next;
	letter = *at;
	if (letter != NULL)
		*at = letter->next;
	return letter;
}

static void
letter_free(struct letter *letter)
{
	json_decref(letter->waiter.tag);
	free(letter->text);
	free(letter);
}

/* The event for a change in a private message's state. */
static json_t *
state_event(const struct letter *letter, const char *to, const char *state)
{
	json_t *event = desk_state(letter->id, to, state);

	json_object_set_new(event, "private", json_true());
	return event;
}

/* All is told: to the faces that watch, and to the one that waits. */
static void
tell(struct private *private, struct letter *letter, json_t *event,
    json_t *reply)
{
	struct agent *agent = private->agent;
	bool ok = json_is_true(json_object_get(reply, "ok"));

	/* Nobody is here: whoever comes next is told. */
	if (!ok && !door_watched(agent->door) &&
	    door_find(agent->door, letter->waiter.face) == NULL)
		json_array_append(agent->untold, event);
	agent_answer(agent, &letter->waiter, reply);
	door_tell(agent->door, event);
	letter_free(letter);
}

/* The other client has it. */
static void
stored(struct private *private, const char *user, struct letter *letter)
{
	json_t *reply = wire_accept(letter->waiter.tag);

	json_object_set_new(reply, "id", json_string(letter->id));
	json_object_set_new(reply, "state", json_string("fetched"));
	tell(private, letter, state_event(letter, user, "fetched"), reply);
}

/* It is kept until the user leaves it at the centre. */
static void
kept(struct private *private, const char *user, struct letter *letter,
    enum peer_result result, const char *known, const char *shown)
{
	const struct reason *reason = &reasons[result];
	json_t *event = state_event(letter, user, "kept"), *reply;
	char text[256];

	snprintf(
	    text, sizeof(text), "%s%s%s", reason->before, user, reason->after);
	json_object_set_new(event, "reason", json_string(reason->name));
	json_object_set_new(event, "text", json_string(text));
	reply = desk_refuse(letter->waiter.tag, reason->name, text);
	json_object_set_new(reply, "id", json_string(letter->id));
	if (result == PEER_WRONG_KEY) {
		json_object_set_new(reply, "known", json_string(known));
		json_object_set_new(reply, "shown", json_string(shown));
	}
	tell(private, letter, event, reply);
}

/*
 * What may have been stored is not said to be refused: only what the other
 * client has said of the first try is certain.
 */
static enum peer_result
honest(const struct letter *letter, enum peer_result result)
{
	return letter->tries > 0 && result != PEER_STORED &&
		result != PEER_TOO_LARGE
	    ? PEER_LOST
	    : result;
}

/* How one message fared. */
static void
told(void *arg, const struct peer_outcome *outcome)
{
	struct link *link = arg;
	struct private *private = link->owner;
	struct agent *agent = private->agent;
	struct letter *letter = take(link, outcome->id);
	enum peer_result result;
	char user[NAME_MAX_LEN + 1];
	bool here;

	if (letter == NULL)
		return;
	memcpy(user, link->user, sizeof(user));
	if (outcome->result == PEER_LOST && letter->tries++ < LETTER_TRIES) {
		/* The same id: it is stored once, however often it comes. */
		letter->next = link->letters;
		link->letters = letter;
		peer_say(link->call, letter->id, letter->text);
		return;
	}
	result = honest(letter, outcome->result);
	here = result == PEER_STORED;
	if (book_private_settle(agent->book, letter->row,
		here ? BOOK_FETCHED : BOOK_KEPT,
		here ? NULL : reasons[result].name) == -1) {
		letter->next = link->letters;
		link->letters = letter;
		agent_fail(agent, EX_IOERR, book_why(agent->book));
		return;
	}
	if (here)
		stored(private, user, letter);
	else
		kept(private, user, letter, result, link->pass.pin,
		    outcome->shown);
}

/* The call to a user, which connects when there is something to say. */
static struct peer_call *
call(struct private *private, struct link *link)
{
	if (link->call == NULL) {
		link->owner = private;
		link->call =
		    peer_call_new(private->agent->loop, &private->identity,
			&peer_patience, private->agent->account->user,
			&link->pass, link->host, link->port, told, link);
	}
	return link->call;
}

/* Puts a letter last. */
static void
append(struct link *link, struct letter *letter)
{
	struct letter **at = &link->letters;

	while (*at != NULL)
		at = &(*at)->next;
	*at = letter;
}

/* Writes a message down and sends it. */
void
private_say(struct private *private, struct link *link, const char *text,
    struct waiter *waiter)
{
	struct agent *agent = private->agent;
	struct letter *letter = calloc(1, sizeof(*letter));
	int64_t now = clock_wall();

	if (letter == NULL || (letter->text = strdup(text)) == NULL)
		fatal(EX_OSERR, "no memory");
	outbox_id(letter->id);
	if (book_private(agent->book, letter->id, link->user, text, now,
		&letter->row) == -1) {
		letter_free(letter);
		agent_fail(agent, EX_IOERR, book_why(agent->book));
		agent_answer(agent, waiter, desk_over(agent, waiter->tag));
		return;
	}
	letter->waiter = *waiter;
	append(link, letter);
	desk_own(agent, waiter->face, state_event(letter, link->user, "queued"),
	    &(struct book_row){
		.number = letter->row, .text = letter->text, .time = now});
	peer_say(call(private, link), letter->id, letter->text);
}

/* A pass that is new, or leads elsewhere. */
void
private_renew(struct link *link)
{
	if (link->call != NULL)
		peer_call_renew(
		    link->call, &link->pass, link->host, link->port);
}

/* Hangs up; nobody knows what of it has arrived. */
void
private_hang_up(struct private *private, struct link *link)
{
	struct book *book = private->agent->book;
	struct letter *letter;

	peer_call_free(link->call);
	link->call = NULL;
	while ((letter = take(link, NULL)) != NULL) {
		if (book_private_settle(book, letter->row, BOOK_KEPT, "lost") ==
		    -1)
			log_warn("%s", book_why(book));
		kept(private, link->user, letter, PEER_LOST, "", "");
	}
}
