/* SPDX-License-Identifier: ISC */
/*
 * The store's answers about people: who is online, and blocks.
 */
#include <stdlib.h>
#include <string.h>

#include "chatd/store/state.h"

/* A sorted list of users, to leave out. */
struct ids {
	int64_t *id;
	size_t count, size;
	bool failed;
};

static void
ids_add(void *arg, int64_t id)
{
	struct ids *ids = arg;

	if (ids->count == ids->size) {
		size_t size = ids->size != 0 ? ids->size * 2 : 64;
		int64_t *more = realloc(ids->id, size * sizeof(*more));

		if (more == NULL) {
			ids->failed = true;
			return;
		}
		ids->id = more;
		ids->size = size;
	}
	ids->id[ids->count++] = id;
}

static int
ids_compare(const void *a, const void *b)
{
	const int64_t *x = a, *y = b;

	return (*x > *y) - (*x < *y);
}

static bool
ids_have(const struct ids *ids, int64_t id)
{
	return ids->count > 0 &&
	    bsearch(&id, ids->id, ids->count, sizeof(id), ids_compare) != NULL;
}

/* The next online user whom the asker may see. */
static const struct session *
next_visible(const struct store *store, const struct asker *asker,
    const struct ids *hidden, const char *after)
{
	const struct session *each = sessions_after(store->sessions, after);

	while (each != NULL &&
	    (each->user == asker->user || ids_have(hidden, each->user)))
		each = sessions_after(store->sessions, each->name);
	return each;
}

static void
online_page(struct store *store, const struct asker *asker,
    const struct ipc_list *ask, const struct ids *hidden)
{
	const struct session *each =
	    next_visible(store, asker, hidden, ask->after);
	struct ipc_names names = {0};
	size_t used = 0;

	while (each != NULL && names.count < ask->max &&
	    ipc_name_put(store->reply, IPC_FRAME_MAX / 2, &used, each->name,
		each->online)) {
		names.count++;
		each = next_visible(store, asker, hidden, each->name);
	}
	names.more = each != NULL;
	answer(asker, IPC_NAMES, &names, store->reply, used);
}

/* Copies a request for a page; false, and refused, if it is malformed. */
static bool
take_list(const struct asker *asker, const struct ipc_frame *frame,
    struct ipc_list *ask)
{
	memcpy(ask, frame->body, sizeof(*ask));
	if (!IPC_TERMINATED(ask->after) || ask->max < 1 ||
	    ask->max > WIRE_PAGE_MAX) {
		refuse(asker, ERR_BAD_REQUEST, NULL);
		return false;
	}
	return true;
}

void
answer_online(struct store *store, const struct asker *asker,
    const struct ipc_frame *frame)
{
	struct ids hidden = {0};
	struct ipc_list ask;

	if (!take_list(asker, frame, &ask))
		return;
	db_block_owners(store->db, asker->user, ids_add, &hidden);
	if (hidden.failed) {
		refuse(asker, ERR_INTERNAL, NULL);
	} else {
		if (hidden.count > 0)
			qsort(hidden.id, hidden.count, sizeof(*hidden.id),
			    ids_compare);
		online_page(store, asker, &ask, &hidden);
	}
	free(hidden.id);
}

/* A page of names in the making. */
struct page {
	struct store *store;
	struct ipc_names names;
	size_t used;
	int32_t max;
};

static void
page_add(void *arg, const char *name)
{
	struct page *page = arg;

	if (page->names.count < page->max &&
	    ipc_name_put(
		page->store->reply, IPC_FRAME_MAX / 2, &page->used, name, 0))
		page->names.count++;
	else
		page->names.more = true;
}

void
answer_blocked(struct store *store, const struct asker *asker,
    const struct ipc_frame *frame)
{
	struct page page = {.store = store};
	struct ipc_list ask;

	if (!take_list(asker, frame, &ask))
		return;
	page.max = ask.max;
	/* One more tells that there are more. */
	db_block_names(
	    store->db, asker->user, ask.after, ask.max + 1, page_add, &page);
	answer(asker, IPC_NAMES, &page.names, store->reply, page.used);
}

/* Whom the request names; false, and refused, for nobody or oneself. */
static bool
take_user(struct store *store, const struct asker *asker,
    const struct ipc_frame *frame, struct db_user *user)
{
	struct ipc_user ask;

	memcpy(&ask, frame->body, sizeof(ask));
	if (!IPC_TERMINATED(ask.user)) {
		refuse(asker, ERR_BAD_REQUEST, NULL);
		return false;
	}
	if (!db_user_find(store->db, ask.user, user) ||
	    user->state == USER_DELETED) {
		refuse(asker, ERR_NO_SUCH_USER, NULL);
		return false;
	}
	if (user->id == asker->user) {
		refuse(asker, ERR_NOT_ALLOWED, "One cannot block oneself.");
		return false;
	}
	return true;
}

void
answer_block(struct store *store, const struct asker *asker,
    const struct ipc_frame *frame)
{
	struct db_user target;

	if (!take_user(store, asker, frame, &target))
		return;
	if (!db_block_standing(store->db, asker->user, target.id)) {
		db_write(store->db);
		db_block_add(
		    store->db, asker->user, target.id, db_room_head(store->db));
		links_blocked(store, asker->user, target.id);
	}
	answer_done(asker);
}

void
answer_unblock(struct store *store, const struct asker *asker,
    const struct ipc_frame *frame)
{
	struct db_user target;

	if (!take_user(store, asker, frame, &target))
		return;
	if (db_block_standing(store->db, asker->user, target.id)) {
		db_write(store->db);
		db_block_end(
		    store->db, asker->user, target.id, db_room_head(store->db));
	}
	answer_done(asker);
}
