/* SPDX-License-Identifier: ISC */
/*
 * The store of a harness: made once, with a transaction that each input
 * begins with and none commits; what is in memory is made anew.
 */
#include <arpa/inet.h>
#include <dirent.h>
#include <netinet/in.h>
#include <string.h>
#include <unistd.h>
#include <sys/socket.h>

#include "chatd/store/db-sqlite.h"
#include "chatd/store/invite.h"
#include "lib/unix.h"
#include "fuzz.h"
#include "store-stage.h"
#include "unwatched.h"

#define INVITE_OF_OTHERS "0000-0000-0000-0000-0000-0000-0002"

enum { SESSIONS_MAX = 4, QUERIES = 16 };

static struct stage the;
static struct loop_timer now;
static char dir[64];

/* What the database has before each input. */
static struct {
	struct db_session session[SESSIONS_MAX];
	int count;
	int64_t room_head, room_tail;
	int64_t mail[CAROL + 1]; /* heads */
} first;

static void
end_of_turn(void *arg)
{
	struct store *store = arg;

	/* No commit: it is to be as if nothing had been. */
	jobs_flush(store);
	channels_flush(store);
	knocks_flush(store);
	loop_stop(store->loop);
}

static void
do_nothing(void *arg)
{
	(void)arg;
}

void
stage_turn(void)
{
	loop_timer(the.store.loop, &now, 0, do_nothing, NULL);
	loop_run(the.store.loop);
}

static void
home_remove(void)
{
	DIR *home = opendir(dir);
	struct dirent *entry;

	while (home != NULL && (entry = readdir(home)) != NULL)
		unlinkat(dirfd(home), entry->d_name, 0);
	if (home != NULL)
		closedir(home);
	rmdir(dir);
}

static void
home_make(void)
{
	strcpy(dir, "/dev/shm/chat-fuzz.XXXXXX");
	if (mkdtemp(dir) == NULL) {
		strcpy(dir, "/tmp/chat-fuzz.XXXXXX");
		CLAIM(mkdtemp(dir) != NULL);
	}
	atexit(home_remove);
	CLAIM(log_open("/dev/null") == 0);
}

/* A socket on loopback. */
static int
udp(struct sockaddr_in *at)
{
	socklen_t len = sizeof(*at);
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

	*at = (struct sockaddr_in){.sin_family = AF_INET};
	at->sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	CLAIM(fd != -1 && bind(fd, (struct sockaddr *)at, len) == 0 &&
	    getsockname(fd, (struct sockaddr *)at, &len) == 0);
	return fd;
}

static void
beacon_make(void)
{
	struct sockaddr_in centre, at;
	int fd = udp(&centre);

	beacons_start(&the.store, &fd, 1);
	for (int i = 0; i < PLACES; i++) {
		the.place[i] = udp(&at);
		the.port[i] = ntohs(at.sin_port);
		CLAIM(connect(the.place[i], (struct sockaddr *)&centre,
			  sizeof(centre)) == 0);
	}
}

void
stage_datagram(int place, const void *data, size_t len)
{
	CLAIM(send(the.place[place], data, len, 0) == (ssize_t)len);
}

static void
store_make(void)
{
	struct store *store = &the.store;
	char why[256];
	int status, pair[2];

	store->rules = (struct rules){.attempts = 3,
	    .block_seconds = 60,
	    .timeout = 90,
	    .lifetime_days = 30,
	    .message_bytes = 1000,
	    .mailbox_messages = 50,
	    .private_enabled = true,
	    /* The clock is real: longer than any run. */
	    .ask_seconds = 30 * 86400,
	    .pass_seconds = 30 * 86400,
	    .room_keep_days = 7};
	store->state_directory = dir;
	store->master = store->keeper = -1;
	store->master_watch.fd = store->keeper_watch.fd = -1;
	store->loop = loop_new();
	store->jobs = jobs_new(0);
	store->frame = aligned_alloc(8, IPC_FRAME_MAX);
	store->reply = aligned_alloc(8, IPC_FRAME_MAX);
	store->sessions = sessions_new();
	store->lockouts = lockouts_new();
	store->paces = paces_new();
	store_tick(store);
	CLAIM(sqlite_unwatched() == SQLITE_OK);
	store->db = db_open(dir, &status, why);
	CLAIM(store->db != NULL);
	db_meta_text(store->db, "epoch", store->epoch, sizeof(store->epoch));
	CLAIM(unix_pair(pair) == 0 && fd_nonblock(pair[0], true) == 0);
	the.keeper = pair[0];
	jobs_keeper(store, pair[1]);
	loop_after_turn(store->loop, end_of_turn, store);
}

/* A session of bob's or carol's, its token into token. */
static struct session *
session_make(int64_t user, const char *name, char token[WIRE_TOKEN_LEN + 1])
{
	struct store *store = &the.store;
	struct db_session row = {.user = user,
	    .from = {.family = AF_INET},
	    .since = store->wall,
	    .used = store->wall,
	    .online = store->wall,
	    .peer.port = (uint16_t)(40000 + user)};
	struct session *session;

	strcpy(row.name, name);
	inet_pton(
	    AF_INET, user == BOB ? BOBS_HOST : "198.51.100.2", row.from.ip);
	/* That is nowhere but in its owner's hands. */
	random_fill(token, WIRE_TOKEN_LEN);
	for (int i = 0; i < WIRE_TOKEN_LEN; i++)
		token[i] = (char)('a' + (uint8_t)token[i] % 26);
	token[WIRE_TOKEN_LEN] = '\0';
	token_hash(token, row.token);
	snprintf(row.peer.fingerprint, sizeof(row.peer.fingerprint),
	    "sha256//%s%039d=", user == BOB ? "Bobs" : "Carl", 0);
	if (user == BOB) {
		row.beacon.id = UINT64_C(0x1122334455667788);
		memset(row.beacon.keys.client, 'b', BEACON_KEY_LEN);
		memset(row.beacon.keys.centre, 'c', BEACON_KEY_LEN);
		the.beacon = row.beacon;
	}
	the.peer[user] = row.peer;
	session = session_add(store->sessions, &row, store->now);
	CLAIM(session != NULL);
	session_set_online(store->sessions, session, store->wall, store->now);
	db_session_add(store->db, &row);
	return session;
}

/* Codes that open one account each. */
static void
invite_make_known(const char *code)
{
	struct db_invite invite = {
	    .uses = 1, .unused = 1, .made = the.store.wall, .ends = INT64_MAX};
	uint8_t hash[DB_HASH_LEN];

	strcpy(invite.hint, code + strlen(code) - DB_HINT_LEN);
	invite_hash(code, hash);
	CLAIM(db_invite_add(the.store.db, hash, &invite) == 1);
}

/* Everybody, as the database is to have them. */
static void
people(void)
{
	static const char *const names[] = {"mallory", "bob", "carol"};
	struct store *store = &the.store;
	struct wire_event event = {.type = EVENT_MESSAGE,
	    .time = store->wall,
	    .user = string_of("carol"),
	    .id = string_of("carols-message-1"),
	    .text = string_of(NEVER_SAID)};
	struct session *bob, *carol;
	struct link *link;
	char token[WIRE_TOKEN_LEN + 1];

	db_write(store->db);
	for (int i = 0; i < 3; i++)
		CLAIM(db_user_add(store->db, names[i],
			  i == 0 ? HASH "mallory" : HASH_OTHERS, store->wall,
			  0) == MALLORY + i);
	sql_script(store->db, "UPDATE users SET mail_head = 100000 * (id - 1)");
	invite_make_known(INVITE);
	invite_make_known(INVITE_OF_OTHERS);
	bob = session_make(BOB, "bob", the.token);
	carol = session_make(CAROL, "carol", token);
	mail_post(store, BOB, CAROL, &event);
	link = link_ask(store, bob, carol);
	CLAIM(link != NULL);
	link_agree(store, link);
	memcpy(the.link, link->request, sizeof(the.link));
	memcpy(the.pass, link->pass, sizeof(the.pass));
	link = link_ask(store, carol, bob);
	CLAIM(link != NULL);
	memcpy(the.question, link->request, sizeof(the.question));
	links_clear(&store->links);
	db_commit(store->db);
}

static void
keep_session(void *arg, const struct db_session *session)
{
	(void)arg;
	CLAIM(first.count < SESSIONS_MAX);
	first.session[first.count++] = *session;
}

/* What came for bob and nobody has read. */
static void
places_clear(void)
{
	char octet;

	for (int i = 0; i < PLACES; i++)
		while (recv(the.place[i], &octet, 1, 0) >= 0)
			continue;
}

/* What is in memory alone. */
static void
memory_clear(void)
{
	struct store *store = &the.store;

	links_clear(&store->links);
	sessions_free(store->sessions);
	/* Large tables, which few inputs write to. */
	if (stage_number("SELECT count(*) FROM lock", 0, 0, NULL) > 0) {
		lockouts_free(store->lockouts);
		store->lockouts = lockouts_new();
	}
	if (store->tally.requests[IPC_ASK] > 0) {
		paces_free(store->paces);
		store->paces = paces_new();
	}
	memset(&store->tally, 0, sizeof(store->tally));
	loop_timer_stop(store->loop, &store->links_timer);
	loop_timer_stop(store->loop, &store->beacons.timer);
	memset(store->beacons.knocks, 0, sizeof(store->beacons.knocks));
}

static void
memory_make(void)
{
	struct store *store = &the.store;
	struct session *session;

	store->sessions = sessions_new();
	for (int i = 0; i < first.count; i++) {
		session =
		    session_add(store->sessions, &first.session[i], store->now);
		CLAIM(session != NULL);
	}
	links_load(store);
}

static void
stage_make(void)
{
	struct db *db;

	home_make();
	store_make();
	beacon_make();
	people();
	db = the.store.db;
	db_session_each(db, keep_session, NULL);
	first.room_head = db->room_head;
	first.room_tail = db->room_tail;
	for (int i = 0; i < first.count; i++)
		first.mail[first.session[i].user] = first.session[i].mail_head;
	/* From here on there is always one. */
	db_write(db);
}

struct stage *
stage_begin(int registration)
{
	struct store *store = &the.store;

	if (store->db == NULL)
		stage_make();
	CLAIM(db_writing(store->db) && store->channel_count == 0);
	memory_clear();
	places_clear();
	sql_script(store->db, "ROLLBACK; BEGIN IMMEDIATE");
	store->db->room_head = first.room_head;
	store->db->room_tail = first.room_tail;
	store->rules.registration = registration;
	store_tick(store);
	memory_make();
	return &the;
}

int
stage_channel(uint32_t number, const char *host)
{
	/* Limits of rate would end the run before it finds anything. */
	struct ipc_serve serve = {.from.family = AF_INET, .exempt = true};
	int pair[2];

	inet_pton(AF_INET, host, serve.from.ip);
	CLAIM(unix_pair(pair) == 0 && fd_nonblock(pair[0], true) == 0);
	CLAIM(channel_open(&the.store, pair[1], number, &serve) != NULL);
	return pair[0];
}

int64_t
stage_number(const char *query, int64_t user, int64_t after, const char *text)
{
	static struct {
		const char *query;
		sqlite3_stmt *row;
	} cache[QUERIES];
	sqlite3_stmt *row;
	int64_t number = 0;
	int i = 0;

	while (cache[i].query != NULL && cache[i].query != query)
		CLAIM(++i < QUERIES);
	if (cache[i].query == NULL)
		CLAIM(sqlite3_prepare_v2(the.store.db->sqlite, query, -1,
			  &cache[i].row, NULL) == SQLITE_OK);
	cache[i].query = query;
	row = cache[i].row;
	sqlite3_bind_int64(row, 1, user);
	sqlite3_bind_int64(row, 2, after);
	sqlite3_bind_text(row, 3, text, -1, SQLITE_STATIC);
	if (sqlite3_step(row) == SQLITE_ROW)
		number = sqlite3_column_int64(row, 0);
	sqlite3_reset(row);
	return number;
}

/* The session of one of the two, and what hangs on it. */
static void
check_session(int64_t user)
{
	const struct session *session =
	    session_by_user(the.store.sessions, user);
	const struct link *link;

	CLAIM(session != NULL && session->online != 0);
	CLAIM(session->from.ip[0] == 198 && session->from.ip[3] == user - 1);
	CLAIM(memcmp(&session->peer, &the.peer[user], sizeof(session->peer)) ==
	    0);
	link = link_by_request(session, the.link, WIRE_REQUEST_LEN);
	CLAIM(link != NULL && link->state == LINK_MADE);
	CLAIM(strcmp(link->pass, the.pass) == 0);
	link = link_by_request(session, the.question, WIRE_REQUEST_LEN);
	CLAIM(link != NULL && link->state == LINK_OPEN);
}

/* Nothing stands in their names; what others wrote stands in those others'. */
static void
check_logs(int64_t user)
{
	static const char mail[] =
	    "SELECT count(*) FROM mail m LEFT JOIN users u ON u.id = m.other"
	    " WHERE m.user_id = ?1 AND m.n > ?2 AND m.type <> 'notice'"
	    " AND (m.other IN (2, 3) OR u.name IS NOT m.name)";
	static const char room[] =
	    "SELECT count(*) FROM room r LEFT JOIN users u ON u.id = r.user_id"
	    " WHERE r.n > ?2 AND (r.user_id = ?1 OR u.name IS NOT r.name)";
	static const char accepted[] =
	    "SELECT count(*) FROM accepted WHERE sender = ?1";
	static const char block[] =
	    "SELECT count(*) FROM block WHERE owner = ?1";

	CLAIM(stage_number(mail, user, first.mail[user], NULL) == 0);
	CLAIM(stage_number(room, user, first.room_head, NULL) == 0);
	CLAIM(stage_number(accepted, user, 0, NULL) == 0);
	CLAIM(stage_number(block, user, 0, NULL) == 0);
}

void
stage_check(void)
{
	struct db *db = the.store.db;
	struct db_user user;

	for (int64_t id = BOB; id <= CAROL; id++) {
		check_session(id);
		CLAIM(db_user_get(db, id, &user) == 1);
		CLAIM(strcmp(user.hash, HASH_OTHERS) == 0);
		CLAIM(user.state == USER_ACTIVE && user.last_login == 0);
		CLAIM(user.mail_ack == 0 && user.room_ack == 0);
		check_logs(id);
	}
	/* That of others. */
	CLAIM(stage_number(
		  "SELECT unused FROM invite WHERE n = ?1", 2, 0, NULL) == 1);
}
