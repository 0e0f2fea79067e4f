/* SPDX-License-Identifier: ISC */
/*
 * What is still to be asked of the centre, in the order in which it was
 * typed: own messages, which the book keeps until they are answered, and
 * other requests, which live as long as the face that waits.  Runs in the
 * agent; speaks to nobody itself.
 */
#include "chat/agent/outbox.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

#include "chat/agent/agent.h"
#include "lib/log.h"
#include "lib/unix.h"

/* Random octets in base64url. */
void
outbox_id(char id[OUTBOX_ID_LEN + 1])
{
	static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
				     "abcdefghijklmnopqrstuvwxyz0123456789-_";
	unsigned char octets[OUTBOX_ID_LEN];

	/* Six bits of each octet: as random, and simpler than packing. */
	random_fill(octets, sizeof(octets));
	for (int i = 0; i < OUTBOX_ID_LEN; i++)
		id[i] = digits[octets[i] & 63];
	id[OUTBOX_ID_LEN] = '\0';
}

/* A new errand at the end. */
static struct errand *
append(struct outbox *outbox, enum wire_op op)
{
	struct errand *errand = calloc(1, sizeof(*errand));

	if (errand == NULL)
		fatal(EX_OSERR, "no memory");
	errand->op = op;
	*outbox->last = errand;
	outbox->last = &errand->next;
	outbox->count++;
	return errand;
}

/* A message that the book holds becomes an errand. */
static void
append_row(void *arg, const struct book_row *row)
{
	struct errand *errand =
	    append(arg, *row->recipient != '\0' ? OP_SEND : OP_BROADCAST);

	errand->row = row->number;
	errand->written = row->time;
	snprintf(errand->id, sizeof(errand->id), "%s", row->id);
	snprintf(errand->to, sizeof(errand->to), "%s", row->recipient);
}

/* Puts a message last that the book has queued. */
void
outbox_queued(struct outbox *outbox, const struct book_row *row)
{
	append_row(outbox, row);
}

/* Starts with what the book has queued. */
int
outbox_init(struct outbox *outbox, struct book *book)
{
	memset(outbox, 0, sizeof(*outbox));
	outbox->book = book;
	outbox->last = &outbox->first;
	return book_queued(book, append_row, outbox);
}

/* Frees an errand, and wipes the passwords that it may hold. */
static void
errand_free(struct errand *errand)
{
	desk_wipe(errand->request);
	json_decref(errand->request);
	json_decref(errand->tag);
	free(errand);
}

void
outbox_release(struct outbox *outbox)
{
	while (outbox->first != NULL)
		outbox_pop(outbox);
}

/* Writes a message down and puts it last. */
int
outbox_message(struct outbox *outbox, const char *to, const char *text,
    int64_t now, char id[OUTBOX_ID_LEN + 1], int64_t *number)
{
	struct book_row row = {
	    .kind = *to != '\0' ? BOOK_MESSAGE : BOOK_BROADCAST,
	    .time = now,
	    .recipient = to,
	    .id = id,
	};
	int result;

	if (*id == '\0')
		outbox_id(id);
	result = book_queue(outbox->book, id, to, text, now, &row.number);
	if (result == 0)
		append_row(outbox, &row);
	*number = row.number;
	return result;
}

/* A face waits for the last message's answer. */
void
outbox_await(struct outbox *outbox, unsigned face, json_t *tag)
{
	struct errand *errand = outbox->first;

	while (errand->next != NULL)
		errand = errand->next;
	errand->face = face;
	errand->tag = tag;
}

/* Puts another request last. */
void
outbox_request(struct outbox *outbox, enum wire_op op, json_t *request,
    unsigned face, json_t *tag)
{
	struct errand *errand = append(outbox, op);

	errand->request = request;
	errand->face = face;
	errand->tag = tag;
}

struct errand *
outbox_first(const struct outbox *outbox)
{
	return outbox->first;
}

/* Takes the errand out that a link points to. */
static void
unlink_errand(struct outbox *outbox, struct errand **link)
{
	struct errand *errand = *link;

	*link = errand->next;
	if (outbox->last == &errand->next)
		outbox->last = link;
	outbox->count--;
	errand_free(errand);
}

void
outbox_pop(struct outbox *outbox)
{
	unlink_errand(outbox, &outbox->first);
}

/* How many messages are not answered yet. */
int
outbox_messages(const struct outbox *outbox)
{
	int count = 0;

	for (const struct errand *errand = outbox->first; errand != NULL;
	     errand = errand->next)
		count += errand->row != 0;
	return count;
}

/* Takes out what is no message. */
void
outbox_drop_requests(struct outbox *outbox,
    void (*fn)(void *arg, const struct errand *errand), void *arg)
{
	struct errand **link = &outbox->first;

	while (*link != NULL) {
		if ((*link)->row != 0 || (*link)->op == OP_LOGOUT) {
			link = &(*link)->next;
			continue;
		}
		fn(arg, *link);
		unlink_errand(outbox, link);
	}
}

/* Completes a message's request from its row. */
static void
add_row(void *arg, const struct book_row *row)
{
	json_t *request = arg;

	json_object_set_new(request, "id", json_string(row->id));
	if (row->kind == BOOK_MESSAGE)
		json_object_set_new(request, "to", json_string(row->recipient));
	json_object_set_new(request, "text", json_string(row->text));
}

/* The request that an errand is; NULL with book_why(). */
static json_t *
errand_request(
    struct book *book, const struct errand *errand, const char *token)
{
	json_t *request = json_object();

	json_object_set_new(
	    request, "op", json_string(wire_ops[errand->op].name));
	json_object_set_new(request, "token", json_string(token));
	if (errand->request != NULL)
		json_object_update(request, errand->request);
	if (errand->row == 0 ||
	    book_row(book, errand->row, add_row, request) != -1)
		return request;
	json_decref(request);
	return NULL;
}

/*
 * True where the reply decides what comes next: the next page of names, or
 * the events that have to be stored first.
 */
static bool
ends_exchange(enum wire_op op)
{
	return op == OP_ONLINE || op == OP_BLOCKED || op == OP_SYNC ||
	    op == OP_LOGOUT || op == OP_PASSWORD;
}

/* Fills an exchange with the first errands, in order. */
int
outbox_fill(const struct outbox *outbox, struct centre_exchange *exchange,
    const char *token, bool *last)
{
	const struct errand *errand;
	json_t *request;
	bool added;
	int count = 0;

	*last = false;
	for (errand = outbox->first; errand != NULL && !*last;
	     errand = errand->next) {
		/* The agent itself asks for these, with its cursors. */
		if (errand->op == OP_SYNC) {
			*last = true;
			break;
		}
		if (exchange->count >= CENTRE_REQUESTS_MAX - 1)
			break;
		/* Alone: should its reply be lost, it is not asked again. */
		if (errand->op == OP_PASSWORD && count > 0)
			break;
		request = errand_request(outbox->book, errand, token);
		if (request == NULL)
			return -1;
		added = centre_add(exchange, request);
		json_decref(request);
		if (!added)
			break;
		*last = ends_exchange(errand->op);
		count++;
	}
	return count;
}
