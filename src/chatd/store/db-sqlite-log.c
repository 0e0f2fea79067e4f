/* SPDX-License-Identifier: ISC */
/*
 * The SQLite backend: mailboxes, the room log, and the blocks that decide
 * who sees what of it.  Numbers come from counters that are raised in the
 * same transaction, so that the order of commits is the order of numbers.
 */
#include <string.h>

#include "chatd/store/db-sqlite.h"

/* Only messages count for mailbox-full. */
static int64_t
weight(enum wire_event_type type)
{
	return type == EVENT_MESSAGE;
}

/* What speaks of private links goes with the session that it was for. */
static int64_t
passing(enum wire_event_type type)
{
	return type == EVENT_ASK || type == EVENT_ADDRESS ||
	    type == EVENT_DECLINED || type == EVENT_HANGUP;
}

int64_t
db_mail_add(
    struct db *db, int64_t to, int64_t other, const struct wire_event *event)
{
	int64_t number = sql_number(
	    db, sql(db, SQL_MAIL_NUMBER, "ii", weight(event->type), to));

	sql_run(db,
	    sql(db, SQL_MAIL_ADD, "iitissisi", to, number,
		wire_event_name(event->type), other, &event->user, &event->id,
		event->time, &event->text, passing(event->type)));
	return number;
}

int64_t
db_mail_unread(
    struct db *db, int64_t to, enum wire_event_type type, const char *id)
{
	return sql_number(
	    db, sql(db, SQL_MAIL_UNREAD, "itt", to, wire_event_name(type), id));
}

void
db_mail_drop(struct db *db, int64_t to, int64_t number)
{
	sql_run(db, sql(db, SQL_MAIL_DROP, "ii", to, number));
}

void
db_mail_ack(struct db *db, int64_t user, int64_t number,
    void (*fn)(void *arg, int64_t sender, const char *id), void *arg)
{
	sqlite3_stmt *row = sql(db, SQL_MAIL_ACKED, "iit", user, number,
	    wire_event_name(EVENT_MESSAGE));
	int64_t messages = 0;

	while (sql_step(db, row)) {
		fn(arg, sqlite3_column_int64(row, 0),
		    (const char *)sqlite3_column_text(row, 1));
		messages++;
	}
	sql_run(db, sql(db, SQL_MAIL_DELETE, "ii", user, number));
	sql_run(db, sql(db, SQL_MAIL_ACK, "iii", messages, number, user));
}

static struct wire_string
column_string(sqlite3_stmt *row, int column)
{
	struct wire_string string;

	string.s = (const char *)sqlite3_column_text(row, column);
	string.len = (size_t)sqlite3_column_bytes(row, column);
	return string;
}

static enum wire_event_type
column_type(sqlite3_stmt *row, int column)
{
	return wire_event_find((const char *)sqlite3_column_text(row, column));
}

/* The columns that mail and room have in common. */
static void
take_event(sqlite3_stmt *row, struct wire_event *event)
{
	event->number = sqlite3_column_int64(row, 0);
	event->type = column_type(row, 1);
	event->time = sqlite3_column_int64(row, 2);
	event->user = column_string(row, 3);
	event->id = column_string(row, 4);
}

void
db_mail_open(struct db *db, int64_t user, int64_t after)
{
	sql(db, SQL_MAIL_WALK, "ii", user, after);
}

int
db_mail_next(struct db *db, struct wire_event *event)
{
	sqlite3_stmt *row = db->prepared[SQL_MAIL_WALK];

	if (!sql_step(db, row))
		return 0;
	take_event(row, event);
	event->text = column_string(row, 5);
	return 1;
}

void
db_mail_close(struct db *db)
{
	sqlite3_reset(db->prepared[SQL_MAIL_WALK]);
}

int64_t
db_mail_total(struct db *db)
{
	return sql_number(db, sql(db, SQL_MAIL_TOTAL, ""));
}

int64_t
db_room_head(struct db *db)
{
	return db->room_head;
}

int64_t
db_room_tail(struct db *db)
{
	return db->room_tail;
}

int64_t
db_room_add(
    struct db *db, int64_t user, int64_t only, const struct wire_event *event)
{
	int64_t presence = event->type != EVENT_BROADCAST;

	db->room_head++;
	db_meta_set(db, "room_head", db->room_head);
	sql_run(db,
	    sql(db, SQL_ROOM_ADD, "iitiisssi", db->room_head, user,
		wire_event_name(event->type), event->time, only, &event->user,
		&event->id, &event->text, presence));
	return db->room_head;
}

int64_t
db_room_presence(struct db *db, int64_t user, int64_t number,
    enum wire_event_type *type, int64_t *time)
{
	sqlite3_stmt *row = sql(db, SQL_ROOM_PRESENCE, "ii", user, number);
	int64_t last;

	if (!sql_step(db, row))
		return 0;
	last = sqlite3_column_int64(row, 0);
	*type = column_type(row, 1);
	*time = sqlite3_column_int64(row, 2);
	sqlite3_reset(row);
	return last;
}

int64_t
db_room_presence_next(struct db *db, int64_t user, int64_t number,
    enum wire_event_type *type, bool *back)
{
	sqlite3_stmt *row = sql(db, SQL_ROOM_PRESENCE_NEXT, "ii", user, number);
	int64_t next = 0;

	if (!sql_step(db, row))
		return 0;
	next = sqlite3_column_int64(row, 0);
	*type = column_type(row, 1);
	*back = sqlite3_column_int64(row, 3) != 0;
	sqlite3_reset(row);
	return next;
}

void
db_room_drop(struct db *db, int64_t number)
{
	sql_run(db, sql(db, SQL_ROOM_DROP, "i", number));
}

int
db_room_prune(struct db *db, int64_t before, int limit)
{
	sqlite3_stmt *row = sql(db, SQL_ROOM_OLD, "ii", (int64_t)limit, before);
	int64_t last = 0;
	int count = 0;

	if (sql_step(db, row)) {
		last = sqlite3_column_int64(row, 0);
		count = sqlite3_column_int(row, 1);
		sqlite3_reset(row);
	}
	if (count == 0)
		return 0;
	db_write(db);
	sql_run(db, sql(db, SQL_ROOM_PRUNE, "i", last));
	db->room_tail = last;
	db_meta_set(db, "room_tail", last);
	return count;
}

void
db_room_open(struct db *db, int64_t after)
{
	sql(db, SQL_ROOM_WALK, "i", after);
}

int
db_room_next(struct db *db, struct wire_event *event, struct db_room_row *out)
{
	sqlite3_stmt *row = db->prepared[SQL_ROOM_WALK];

	if (!sql_step(db, row))
		return 0;
	take_event(row, event);
	event->text = (struct wire_string){"", 0};
	out->user = sqlite3_column_int64(row, 5);
	out->only = sqlite3_column_int64(row, 6);
	return 1;
}

void
db_room_text(struct db *db, struct wire_event *event)
{
	sqlite3_stmt *row = sql(db, SQL_ROOM_BODY, "i", event->number);

	if (sql_step(db, row))
		event->text = column_string(row, 0);
}

void
db_room_close(struct db *db)
{
	sqlite3_reset(db->prepared[SQL_ROOM_WALK]);
	sqlite3_reset(db->prepared[SQL_ROOM_BODY]);
}

int
db_block_standing(struct db *db, int64_t owner, int64_t target)
{
	return sql_number(
		   db, sql(db, SQL_BLOCK_STANDING, "ii", owner, target)) != 0;
}

void
db_block_add(struct db *db, int64_t owner, int64_t target, int64_t room_head)
{
	sql_run(db, sql(db, SQL_BLOCK_ADD, "iii", owner, target, room_head));
}

void
db_block_end(struct db *db, int64_t owner, int64_t target, int64_t room_head)
{
	sql_run(db, sql(db, SQL_BLOCK_END, "iii", room_head, owner, target));
}

int
db_block_stood(struct db *db, int64_t owner, int64_t target, int64_t number)
{
	/* Those of one pair do not overlap: the last one before decides. */
	return sql_number(db,
		   sql(db, SQL_BLOCK_STOOD, "iii", owner, target, number)) >=
	    number;
}

void
db_block_names(struct db *db, int64_t owner, const char *after, int limit,
    void (*fn)(void *arg, const char *name), void *arg)
{
	sqlite3_stmt *row =
	    sql(db, SQL_BLOCK_NAMES, "iti", owner, after, (int64_t)limit);
	char name[NAME_MAX_LEN + 1];

	while (sql_step(db, row)) {
		sql_text(row, 0, name, sizeof(name));
		fn(arg, name);
	}
}

int64_t
db_block_count(struct db *db, int64_t target)
{
	return sql_number(db, sql(db, SQL_BLOCK_COUNT, "i", target));
}

void
db_block_owners(struct db *db, int64_t target,
    void (*fn)(void *arg, int64_t owner), void *arg)
{
	sqlite3_stmt *row = sql(db, SQL_BLOCK_OWNERS, "i", target);

	while (sql_step(db, row))
		fn(arg, sqlite3_column_int64(row, 0));
}

void
db_blocks_prune(struct db *db, int64_t room_tail)
{
	sql_run(db, sql(db, SQL_BLOCK_PRUNE, "i", room_tail));
}
