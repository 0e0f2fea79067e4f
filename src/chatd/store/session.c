/* SPDX-License-Identifier: ISC */
/*
 * The session table: three chained hash tables over one set of structs, a
 * list by silence, a treap by name.  Part of the store; it must never
 * allocate per request.
 */
#include <stdlib.h>
#include <string.h>

#include "chatd/store/session.h"
#include "lib/unix.h"

enum {
	BUCKETS_FIRST = 1024,
	CACHE_LINE = 64, /* of most processors; no harm if not */
};

struct sessions {
	struct session **by_token, **by_user, **by_beacon;
	size_t buckets; /* a power of two, at least count */
	size_t count, online;
	struct session *most_silent, *least_silent;
	struct session *root;
	uint32_t random;
	bool loading; /* nothing is in the treap yet */
};

struct sessions *
sessions_new(void)
{
	struct sessions *table = calloc(1, sizeof(*table));

	if (table == NULL)
		return NULL;
	table->buckets = BUCKETS_FIRST;
	table->by_token = calloc(table->buckets, sizeof(*table->by_token));
	table->by_user = calloc(table->buckets, sizeof(*table->by_user));
	table->by_beacon = calloc(table->buckets, sizeof(*table->by_beacon));
	random_fill(&table->random, sizeof(table->random));
	table->random |= 1;
	if (table->by_token == NULL || table->by_user == NULL ||
	    table->by_beacon == NULL) {
		sessions_free(table);
		return NULL;
	}
	return table;
}

void
sessions_free(struct sessions *table)
{
	if (table == NULL)
		return;
	for (size_t i = 0; table->by_token != NULL && i < table->buckets; i++) {
		struct session *next, *each = table->by_token[i];

		for (; each != NULL; each = next) {
			next = each->token_chain;
			free(each);
		}
	}
	free(table->by_token);
	free(table->by_user);
	free(table->by_beacon);
	free(table);
}

size_t
sessions_count(const struct sessions *table)
{
	return table->count;
}

size_t
sessions_online(const struct sessions *table)
{
	return table->online;
}

/* A token's hash is as good as random already. */
static size_t
token_bucket(const struct sessions *table, const uint8_t *token)
{
	uint64_t first;

	memcpy(&first, token, sizeof(first));
	return first & (table->buckets - 1);
}

static size_t
user_bucket(const struct sessions *table, int64_t user)
{
	return ((uint64_t)user * 0x9e3779b97f4a7c15u >> 32) &
	    (table->buckets - 1);
}

struct session *
session_by_token(const struct sessions *table, const uint8_t token[DB_HASH_LEN])
{
	struct session *each = table->by_token[token_bucket(table, token)];

	while (each != NULL && memcmp(each->token, token, DB_HASH_LEN) != 0)
		each = each->token_chain;
	return each;
}

struct session *
session_by_user(const struct sessions *table, int64_t user)
{
	struct session *each = table->by_user[user_bucket(table, user)];

	while (each != NULL && each->user != user)
		each = each->user_chain;
	return each;
}

struct session *
session_by_beacon(const struct sessions *table, uint64_t id)
{
	/* Drawn by lot: as good as a hash. */
	struct session *each = table->by_beacon[id & (table->buckets - 1)];

	while (each != NULL && each->beacon != id)
		each = each->beacon_chain;
	return each;
}

void
session_expect(
    const struct sessions *table, uint64_t id, enum session_step step)
{
	struct session **at = &table->by_beacon[id & (table->buckets - 1)];
	const struct session *each;

	if (step == SESSION_PLACE) {
		__builtin_prefetch(at);
		return;
	}
	/* The first of its chain is nearly always the one. */
	each = *at;
	if (each == NULL)
		return;
	if (step == SESSION_ITSELF) {
		for (size_t i = 0; i < SESSION_HOT; i += CACHE_LINE)
			__builtin_prefetch((const char *)each + i, 1);
		return;
	}
	if (each->earlier != NULL)
		__builtin_prefetch(&each->earlier->later, 1);
	if (each->later != NULL)
		__builtin_prefetch(&each->later->earlier, 1);
}

static void
chain(struct sessions *table, struct session *session)
{
	struct session **at;

	at = &table->by_token[token_bucket(table, session->token)];
	session->token_chain = *at;
	*at = session;
	at = &table->by_user[user_bucket(table, session->user)];
	session->user_chain = *at;
	*at = session;
	if (session->beacon == 0)
		return;
	at = &table->by_beacon[session->beacon & (table->buckets - 1)];
	session->beacon_chain = *at;
	*at = session;
}

static void
unchain(struct sessions *table, struct session *session)
{
	struct session **at;

	at = &table->by_token[token_bucket(table, session->token)];
	while (*at != session)
		at = &(*at)->token_chain;
	*at = session->token_chain;
	at = &table->by_user[user_bucket(table, session->user)];
	while (*at != session)
		at = &(*at)->user_chain;
	*at = session->user_chain;
	if (session->beacon == 0)
		return;
	at = &table->by_beacon[session->beacon & (table->buckets - 1)];
	while (*at != session)
		at = &(*at)->beacon_chain;
	*at = session->beacon_chain;
}

/* Doubles the buckets; on failure the chains just get longer. */
static void
grow(struct sessions *table)
{
	size_t was = table->buckets;
	struct session **old = table->by_token;
	struct session **by_token = calloc(was * 2, sizeof(*by_token));
	struct session **by_user = calloc(was * 2, sizeof(*by_user));
	struct session **by_beacon = calloc(was * 2, sizeof(*by_beacon));

	if (by_token == NULL || by_user == NULL || by_beacon == NULL) {
		free(by_token);
		free(by_user);
		free(by_beacon);
		return;
	}
	free(table->by_user);
	free(table->by_beacon);
	table->by_token = by_token;
	table->by_user = by_user;
	table->by_beacon = by_beacon;
	table->buckets = was * 2;
	for (size_t i = 0; i < was; i++) {
		struct session *next, *each = old[i];

		for (; each != NULL; each = next) {
			next = each->token_chain;
			chain(table, each);
		}
	}
	free(old);
}

/* The treap: names in order, priorities as a heap (Seidel and Aragon). */
static struct session *
rotate_right(struct session *node)
{
	struct session *up = node->left;

	node->left = up->right;
	up->right = node;
	return up;
}

static struct session *
rotate_left(struct session *node)
{
	struct session *up = node->right;

	node->right = up->left;
	up->left = node;
	return up;
}

static struct session *
treap_insert(struct session *node, struct session *add)
{
	if (node == NULL)
		return add;
	if (strcmp(add->name, node->name) < 0) {
		node->left = treap_insert(node->left, add);
		if (node->left->priority > node->priority)
			return rotate_right(node);
	} else {
		node->right = treap_insert(node->right, add);
		if (node->right->priority > node->priority)
			return rotate_left(node);
	}
	return node;
}

static struct session *
treap_join(struct session *low, struct session *high)
{
	if (low == NULL)
		return high;
	if (high == NULL)
		return low;
	if (low->priority > high->priority) {
		low->right = treap_join(low->right, high);
		return low;
	}
	high->left = treap_join(low, high->left);
	return high;
}

static void
treap_remove(struct sessions *table, struct session *gone)
{
	struct session **at = &table->root;

	while (*at != gone)
		at = strcmp(gone->name, (*at)->name) < 0 ? &(*at)->left
							 : &(*at)->right;
	*at = treap_join(gone->left, gone->right);
}

static uint32_t
next_random(struct sessions *table)
{
	table->random ^= table->random << 13;
	table->random ^= table->random >> 17;
	table->random ^= table->random << 5;
	return table->random;
}

/*
 * A session and the start of its name as numbers, so that few comparisons
 * have to fetch the names themselves.
 */
struct named {
	uint64_t start[2];
	struct session *session;
};

static struct named
name_of(struct session *session)
{
	struct named named = {.session = session};
	const char *at = session->name;

	for (size_t i = 0; i < sizeof(named.start) && *at != '\0'; i++, at++)
		named.start[i / 8] |= (uint64_t)(unsigned char)*at
		    << (56 - i % 8 * 8);
	return named;
}

static int
by_name(const void *a, const void *b)
{
	const struct named *x = a, *y = b;

	for (int i = 0; i < 2; i++)
		if (x->start[i] != y->start[i])
			return x->start[i] < y->start[i] ? -1 : 1;
	return strcmp(x->session->name, y->session->name);
}

/* Appends one that comes after all others: along the right edge. */
static void
treap_append(struct sessions *table, struct session **edge, size_t *depth,
    struct session *last)
{
	struct session *below = NULL;

	while (*depth > 0 && edge[*depth - 1]->priority < last->priority)
		below = edge[--*depth];
	last->left = below;
	if (*depth > 0)
		edge[*depth - 1]->right = last;
	else
		table->root = last;
	edge[(*depth)++] = last;
}

void
sessions_load(struct sessions *table)
{
	table->loading = true;
}

int
sessions_loaded(struct sessions *table)
{
	size_t size = table->online, count = 0, depth = 0;
	struct named *all = calloc(size + 1, sizeof(*all));
	struct session **edge = calloc(size + 1, sizeof(struct session *));
	struct session *each = table->most_silent;

	table->loading = false;
	for (; all != NULL && edge != NULL && each != NULL; each = each->later)
		all[count++] = name_of(each);
	if (all != NULL && edge != NULL) {
		qsort(all, count, sizeof(*all), by_name);
		for (size_t i = 0; i < count; i++)
			treap_append(table, edge, &depth, all[i].session);
	}
	free(all);
	free(edge);
	return count == size ? 0 : -1;
}

static void
silence_append(struct sessions *table, struct session *session)
{
	session->later = NULL;
	session->earlier = table->least_silent;
	if (table->least_silent != NULL)
		table->least_silent->later = session;
	else
		table->most_silent = session;
	table->least_silent = session;
}

static void
silence_remove(struct sessions *table, struct session *session)
{
	if (session->earlier != NULL)
		session->earlier->later = session->later;
	else
		table->most_silent = session->later;
	if (session->later != NULL)
		session->later->earlier = session->earlier;
	else
		table->least_silent = session->earlier;
}

void
session_set_online(
    struct sessions *table, struct session *session, int64_t since, int64_t now)
{
	if (session->online != 0) {
		silence_remove(table, session);
		treap_remove(table, session);
		table->online--;
	}
	session->online = since;
	if (since == 0)
		return;
	session->heard = now;
	session->left = session->right = NULL;
	session->priority = next_random(table);
	if (!table->loading)
		table->root = treap_insert(table->root, session);
	silence_append(table, session);
	table->online++;
}

struct session *
session_add(struct sessions *table, const struct db_session *row, int64_t now)
{
	struct session *session = calloc(1, sizeof(*session));

	if (session == NULL)
		return NULL;
	if (table->count >= table->buckets)
		grow(table);
	memcpy(session->token, row->token, DB_HASH_LEN);
	memcpy(session->name, row->name, sizeof(session->name));
	session->user = row->user;
	session->used = row->used;
	session->login = row->since;
	session->login_room = row->login_room;
	session->mail_head = row->mail_head;
	session->from = row->from;
	session->peer = row->peer;
	session->heard = now;
	/* An id that is taken is nobody's second one. */
	if (row->beacon.id != 0 &&
	    session_by_beacon(table, row->beacon.id) == NULL) {
		session->beacon = row->beacon.id;
		session->keys = row->beacon.keys;
	}
	chain(table, session);
	table->count++;
	session_set_online(table, session, row->online, now);
	return session;
}

void
session_remove(struct sessions *table, struct session *session)
{
	session_set_online(table, session, 0, 0);
	unchain(table, session);
	table->count--;
	ipc_wipe(&session->keys, sizeof(session->keys));
	free(session);
}

void
session_heard(struct sessions *table, struct session *session, int64_t now)
{
	session->heard = now;
	if (session->online == 0 || session == table->least_silent)
		return;
	silence_remove(table, session);
	silence_append(table, session);
}

struct session *
sessions_most_silent(const struct sessions *table)
{
	return table->most_silent;
}

struct session *
sessions_next_online(const struct sessions *table, const struct session *last)
{
	return last != NULL ? last->later : table->most_silent;
}

struct session *
sessions_after(const struct sessions *table, const char *name)
{
	struct session *best = NULL, *node = table->root;

	while (node != NULL) {
		if (strcmp(node->name, name) > 0) {
			best = node;
			node = node->left;
		} else {
			node = node->right;
		}
	}
	return best;
}
