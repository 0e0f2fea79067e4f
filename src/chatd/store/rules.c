/* SPDX-License-Identifier: ISC */
/*
 * The rules of the centre, pure: no database, no clock, no descriptor.
 */
#include <string.h>
#include <sys/socket.h>

#include "chatd/store/rules.h"

int
lock_remaining(const struct lock *lock, int64_t now)
{
	if (lock->until <= now)
		return 0;
	return (int)((lock->until - now + 999) / 1000);
}

int
lock_charge(struct lock *lock, const struct rules *rules, int64_t now)
{
	if (lock->until != 0 && lock->until <= now)
		*lock = (struct lock){0};
	lock->failures++;
	if (lock->failures < rules->attempts)
		return rules->attempts - lock->failures;
	lock->until = now + (int64_t)rules->block_seconds * 1000;
	return 0;
}

void
lock_clear(struct lock *lock, int under_way)
{
	lock->failures = under_way;
	lock->until = 0;
}

int
lock_left(const struct lock *lock, const struct rules *rules, int64_t now)
{
	if (lock == NULL || (lock->until != 0 && lock->until <= now))
		return rules->attempts;
	if (lock->failures >= rules->attempts)
		return 0;
	return rules->attempts - lock->failures;
}

void
lock_refund(struct lock *lock, const struct rules *rules)
{
	if (lock->failures > 0)
		lock->failures--;
	if (lock->failures < rules->attempts)
		lock->until = 0;
}

int64_t
lock_restore(const struct rules *rules, int64_t until_wall, int64_t now_wall,
    int64_t now)
{
	int64_t left = until_wall - now_wall;
	int64_t most = (int64_t)rules->block_seconds * 1000;

	if (until_wall == 0)
		return 0;
	if (left > most)
		left = most;
	/* One that has run out must still count as a lock that is over. */
	if (left <= 0)
		return 1;
	return now + left;
}

enum wire_error
rules_send(const struct rules *rules, const struct send_facts *facts)
{
	if (!facts->known)
		return ERR_NO_SUCH_USER;
	if (facts->blocked)
		return ERR_BLOCKED;
	if (facts->mail_count >= rules->mailbox_messages)
		return ERR_MAILBOX_FULL;
	return ERR_NONE;
}

enum wire_error
rules_ask(
    const struct rules *rules, const struct ask_facts *facts, const char **why)
{
	*why = NULL;
	if (!facts->known)
		return ERR_NO_SUCH_USER;
	if (facts->blocked)
		return ERR_BLOCKED;
	if (!facts->online && !facts->self)
		return ERR_OFFLINE;
	if (facts->self)
		*why = "One cannot ask oneself.";
	else if (!rules->private_enabled)
		*why = "This centre arranges no private links.";
	else if (facts->blocks)
		*why = "You have blocked that user.";
	else if (!facts->linked && !facts->takes)
		*why = "That user takes no private links.";
	else if (!facts->linked && !facts->key)
		*why = "This session gave no key for private links.";
	else if (!facts->linked && facts->full)
		*why = "Too many questions wait; ask again later.";
	return *why != NULL ? ERR_NOT_ALLOWED : ERR_NONE;
}

int
rules_pace(int64_t *paid, int64_t now)
{
	int64_t then = (*paid > now ? *paid : now) + RULES_ASK_MS;

	if (then - now > RULES_ASK_BURST_MS)
		return (int)((then - now - RULES_ASK_BURST_MS + 999) / 1000);
	*paid = then;
	return 0;
}

int64_t
rules_link_left(
    const struct rules *rules, bool made, int64_t ends_wall, int64_t now_wall)
{
	int64_t left = ends_wall - now_wall;
	int64_t most = made ? rules->pass_seconds : rules->ask_seconds;

	return left < 0 ? 0 : left > most * 1000 ? most * 1000 : left;
}

bool
rules_moved(const struct ipc_address *told, const struct ipc_address *now)
{
	size_t len = told->family == AF_INET ? 4 : sizeof(told->ip);

	return told->family == now->family &&
	    memcmp(told->ip, now->ip, len) != 0;
}

bool
rules_room_visible(const struct room_reader *reader,
    const struct wire_event *event, const struct db_room_row *row,
    bool was_online)
{
	if (row->user == reader->user || row->only > reader->cursor)
		return false;
	if (event->number <= reader->login_room &&
	    (event->type != EVENT_BROADCAST || !was_online))
		return false;
	return true;
}

struct room_hider
rules_room_hider(int64_t reader, enum wire_event_type type, int64_t user)
{
	if (type == EVENT_BROADCAST)
		return (struct room_hider){.owner = reader, .target = user};
	return (struct room_hider){.owner = user, .target = reader};
}

bool
rules_back_soon(int64_t logout_wall, int64_t now_wall)
{
	int64_t since = now_wall - logout_wall;

	return since >= 0 && since <= RULES_BACK_SOON_MS;
}

int
rules_room_spread(int64_t online)
{
	if (online <= RULES_KNOCK_ALL)
		return 0;
	/* About 2,000 clients a second come to fetch. */
	return (int)((online + 1999) / 2000);
}

bool
rules_silent(const struct rules *rules, int64_t heard, int64_t now)
{
	return now - heard > (int64_t)rules->timeout * 1000;
}

bool
rules_clock_trusted(struct wall_clock *clock, int64_t wall, int64_t now)
{
	int64_t offset = wall - now;

	if (offset - clock->offset > RULES_CLOCK_JUMP_MS) {
		if (clock->doubted == 0)
			clock->doubted = now;
		if (now - clock->doubted < RULES_CLOCK_DOUBT_MS)
			return false;
	}
	clock->offset = offset;
	clock->doubted = 0;
	return true;
}
