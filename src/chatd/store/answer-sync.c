/* SPDX-License-Identifier: ISC */
/*
 * The store's answer to sync: takes the client's word for what it has
 * stored, deletes that, sends receipts, and walks both logs from there.
 * The only place where anything counts as acknowledged.
 */
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

#include "chatd/store/state.h"
#include "lib/log.h"

enum {
	RECEIPT_IDS = 256, /* in one receipt, so that it fits a reply */
	ROOM_LOOKED_AT = 10000, /* entries for one reply, shown or not */
	ROOM_TOKEN = 500, /* entries that take one more token of a bucket */
};

/* What an acknowledgement has freed, sorted by sender. */
struct acked {
	struct acked_id {
		int64_t sender;
		char id[ID_MAX_LEN + 1];
	} * item;
	size_t count, size;
};

static void
acked_add(void *arg, int64_t sender, const char *id)
{
	struct acked *acked = arg;

	if (acked->count == acked->size) {
		size_t size = acked->size != 0 ? acked->size * 2 : 64;
		struct acked_id *more =
		    realloc(acked->item, size * sizeof(*more));

		if (more == NULL)
			fatal(EX_OSERR, "no memory for receipts");
		acked->item = more;
		acked->size = size;
	}
	acked->item[acked->count].sender = sender;
	strncpy(acked->item[acked->count].id, id, ID_MAX_LEN);
	acked->item[acked->count].id[ID_MAX_LEN] = '\0';
	acked->count++;
}

/* One receipt for ids of one sender, unless the reader blocks that one. */
static void
receipt(struct store *store, const struct asker *asker,
    const struct acked_id *item, size_t count)
{
	struct wire_event event = {.type = EVENT_RECEIPT, .time = store->wall};
	char ids[RECEIPT_IDS * (ID_MAX_LEN + 1)];
	struct db_user sender;
	size_t len = 0;

	if (db_block_standing(store->db, asker->user, item->sender) ||
	    !db_user_get(store->db, item->sender, &sender) ||
	    sender.state == USER_DELETED)
		return;
	for (size_t i = 0; i < count; i++) {
		size_t id_len = strlen(item[i].id);

		if (i > 0)
			ids[len++] = ' ';
		memcpy(ids + len, item[i].id, id_len);
		len += id_len;
	}
	event.user = string_of(asker->name);
	event.text = (struct wire_string){ids, len};
	mail_post(store, item->sender, asker->user, &event);
}

static void
receipts(
    struct store *store, const struct asker *asker, const struct acked *acked)
{
	size_t from = 0;

	for (size_t i = 1; i <= acked->count; i++) {
		if (i < acked->count && i - from < RECEIPT_IDS &&
		    acked->item[i].sender == acked->item[from].sender)
			continue;
		receipt(store, asker, &acked->item[from], i - from);
		from = i;
	}
}

/* Everything up to the client's cursors is stored there. */
static void
acknowledge(
    struct store *store, const struct asker *asker, const struct ipc_sync *ask)
{
	struct acked acked = {0};
	struct db_user user;

	if (!db_user_get(store->db, asker->user, &user))
		return;
	if (ask->room > user.room_ack) {
		db_write(store->db);
		db_user_room_ack(store->db, asker->user, ask->room);
	}
	if (ask->mail <= user.mail_ack)
		return;
	db_write(store->db);
	db_mail_ack(store->db, asker->user, ask->mail, acked_add, &acked);
	receipts(store, asker, &acked);
	free(acked.item);
}

/* The reply in the making. */
struct reply {
	struct ipc_events head;
	size_t used, wire; /* octets here, and as JSON */
	int32_t max;
};

/* False if the event does not fit any more. */
static bool
reply_add(
    struct store *store, struct reply *reply, const struct wire_event *event)
{
	size_t size = wire_event_size(event) + 1;

	if (reply->head.count >= reply->max ||
	    (reply->head.count > 0 && reply->wire + size > WIRE_EVENTS_MAX) ||
	    !ipc_event_put(
		store->reply, IPC_FRAME_MAX - 1024, &reply->used, event))
		return false;
	reply->wire += size;
	reply->head.count++;
	return true;
}

/* One log on its way into the reply. */
struct walk {
	bool open, ready; /* ready: event is the next to be shown */
	struct wire_event event;
	int64_t seen; /* the last number that was looked at */
	char host[IPC_ADDRESS_LEN]; /* of the event */
};

/* The room log as this reader is to see it. */
struct room_walk {
	struct walk walk;
	struct room_reader reader;
	bool was_online; /* at this point of the log, before the login */
	int looked_at;
};

/*
 * Whether the reader was online where the walk begins: by its own last
 * entry before, or, where that is gone, by what its next one changes.  One
 * who has no entry at all has been online all the time.
 */
static bool
online_at(struct store *store, int64_t user, int64_t number)
{
	enum wire_event_type type;
	bool back;
	int64_t time;

	if (db_room_presence(store->db, user, number, &type, &time) != 0)
		return type == EVENT_LOGIN;
	return db_room_presence_next(store->db, user, number, &type, &back) ==
	    0 ||
	    type == EVENT_LOGOUT || back;
}

/* True if a block that stood then hides the entry from the reader. */
static bool
hidden(struct store *store, int64_t reader, const struct wire_event *event,
    int64_t user)
{
	struct room_hider by = rules_room_hider(reader, event->type, user);

	return db_block_stood(store->db, by.owner, by.target, event->number);
}

/* To the next event that still means something. */
static void
mail_advance(
    struct store *store, const struct session *session, struct walk *walk)
{
	do {
		walk->ready =
		    walk->open && db_mail_next(store->db, &walk->event);
		if (!walk->ready)
			walk->open = false;
	} while (walk->ready &&
	    !link_fill(store, session, &walk->event, walk->host));
}

/* To the next entry that this reader is shown, within bounds. */
static void
room_advance(struct store *store, struct room_walk *room)
{
	struct walk *walk = &room->walk;
	struct db_room_row row;

	walk->ready = false;
	while (walk->open && room->looked_at < ROOM_LOOKED_AT) {
		if (!db_room_next(store->db, &walk->event, &row)) {
			walk->open = false;
			return;
		}
		room->looked_at++;
		if (row.user == room->reader.user &&
		    walk->event.type != EVENT_BROADCAST)
			room->was_online = walk->event.type == EVENT_LOGIN;
		if (rules_room_visible(
			&room->reader, &walk->event, &row, room->was_online) &&
		    !hidden(store, room->reader.user, &walk->event, row.user)) {
			db_room_text(store->db, &walk->event);
			walk->ready = true;
			return;
		}
		walk->seen = walk->event.number;
	}
}

static void
room_begin(struct store *store, const struct asker *asker, int64_t cursor,
    struct room_walk *room)
{
	room->reader = (struct room_reader){.user = asker->user,
	    .cursor = cursor,
	    .login_room = asker->session->login_room};
	if (cursor < room->reader.login_room)
		room->was_online = online_at(store, asker->user, cursor);
	db_room_open(store->db, cursor);
	room->walk.open = true;
	room_advance(store, room);
}

/* Merges both logs by time until one end, or until the reply is full. */
static void
merge(struct store *store, const struct session *session, struct walk *mail,
    struct room_walk *room, struct reply *reply)
{
	while (mail->ready || room->walk.ready) {
		bool from_mail = mail->ready &&
		    (!room->walk.ready ||
			mail->event.time <= room->walk.event.time);
		struct walk *walk = from_mail ? mail : &room->walk;

		if (!reply_add(store, reply, &walk->event))
			return;
		walk->seen = walk->event.number;
		if (from_mail)
			mail_advance(store, session, mail);
		else
			room_advance(store, room);
	}
}

/* Fills the reply with what is newer than the cursors. */
static void
collect(struct store *store, const struct asker *asker,
    const struct ipc_sync *ask, struct reply *reply)
{
	struct walk mail = {.seen = ask->mail};
	struct room_walk room = {.walk.seen = ask->room};
	int64_t mail_head = asker->session->mail_head;
	int64_t room_head = db_room_head(store->db);

	if (ask->mail < mail_head) {
		db_mail_open(store->db, asker->user, ask->mail);
		mail.open = true;
		mail_advance(store, asker->session, &mail);
	}
	if (ask->room < room_head)
		room_begin(store, asker, ask->room, &room);
	merge(store, asker->session, &mail, &room, reply);
	rate_charge(store, asker, room.looked_at / ROOM_TOKEN);
	reply->head.more = mail.open || room.walk.open;
	/* Numbers may be missing at the end of a log: it is read all the same. */
	reply->head.mail = mail.open ? mail.seen : mail_head;
	reply->head.room = room.walk.open ? room.walk.seen : room_head;
	if (mail.open)
		db_mail_close(store->db);
	if (ask->room < room_head)
		db_room_close(store->db);
}

static const char *
sync_fault(const struct store *store, const struct asker *asker,
    const struct ipc_sync *ask)
{
	if (!IPC_TERMINATED(ask->epoch) || ask->max < 1 ||
	    ask->max > WIRE_PAGE_MAX || ask->mail < 0 || ask->room < 0)
		return "The request is malformed.";
	if (strcmp(ask->epoch, store->epoch) != 0)
		return "That is the epoch of another life of this centre.";
	if (ask->mail > asker->session->mail_head ||
	    ask->room > db_room_head(store->db))
		return "A cursor is above the head.";
	return NULL;
}

void
answer_sync(struct store *store, const struct asker *asker,
    const struct ipc_frame *frame)
{
	struct reply reply = {0};
	struct ipc_sync ask;
	const char *fault;

	memcpy(&ask, frame->body, sizeof(ask));
	fault = sync_fault(store, asker, &ask);
	if (fault != NULL) {
		refuse(asker, ERR_BAD_REQUEST, fault);
		return;
	}
	knock_stop(store, asker->session);
	acknowledge(store, asker, &ask);
	reply.max = ask.max;
	memcpy(reply.head.epoch, store->epoch, sizeof(store->epoch));
	reply.head.gap = ask.room < db_room_tail(store->db);
	collect(store, asker, &ask, &reply);
	answer(asker, IPC_EVENTS, &reply.head, store->reply, reply.used);
}
