/* SPDX-License-Identifier: ISC */
/*
 * The store without space on its disk: what adds is refused, what reads or
 * clears away goes on, and it looks by itself for the end of it.  Never
 * touches what was accepted.
 */
#include "chatd/store/state.h"
#include "lib/log.h"

enum { LOOK_FIRST_MS = 1000, LOOK_MOST_MS = 10000 };

/* Is there space again?  Asked less and less often, until all is whole. */
static void
look(void *arg)
{
	struct store *store = arg;
	bool whole;

	store_tick(store);
	whole = db_refill(store->db);
	if (store->short_since != 0 && !db_short(store->db)) {
		store->short_since = 0;
		log_info("there is space on the disk again: messages are "
			 "accepted");
	}
	if (whole)
		return;
	store->look_ms *= 2;
	if (store->look_ms > LOOK_MOST_MS)
		store->look_ms = LOOK_MOST_MS;
	loop_timer(store->loop, &store->look, store->look_ms, look, store);
}

void
space_watch(struct store *store)
{
	if (store->short_since != 0 || !db_short(store->db))
		return;
	store->short_since = store->wall;
	store->look_ms = LOOK_FIRST_MS;
	log_warn("the disk is full: no messages and accounts are accepted "
		 "until there are 16 MiB free in %s",
	    store->state_directory);
	loop_timer(store->loop, &store->look, store->look_ms, look, store);
}
