/* SPDX-License-Identifier: ISC */
/*
 * What a worker refuses by itself, and where it stops: malformed members,
 * sizes, pages, the number of requests, deadlines, clients that go away.
 */
#include "stage.h"

/* One way to be refused without the store. */
struct check {
	const char *line, *error, *part;
	bool ends;
};

static const struct check checks[] = {
    {"{\"op\":\"login\",\"user\":\".x\",\"password\":\"x\"}\n", "bad-request",
	"name", true},
    {"{\"op\":\"login\",\"user\":\"al\",\"password\":\"\"}\n", "bad-request",
	"password", true},
    {"{\"op\":\"login\",\"user\":\"al\",\"password\":\"x\",\"peer_port\":80}\n",
	"bad-request", "peer_port", true},
    {"{\"op\":\"register\",\"user\":\"\",\"password\":\"x\"}\n", "bad-request",
	"name", true},
    {"{\"op\":\"password\"," AUTH ",\"old\":\"x\",\"new\":\"\"}\n",
	"bad-request", "password", true},
    {"{\"op\":\"logout\"}\n", "bad-request", "token", true},
    {"{\"op\":\"logout\",\"token\":\"\"}\n", "session-expired", "", false},
    {"{\"op\":\"block\",\"token\":\"\",\"user\":\"bob\"}\n", "session-expired",
	"", false},
    {"{\"op\":\"live\",\"token\":\"short\",\"mail\":0,\"room\":0}\n",
	"session-expired", "", false},
    {"{\"op\":\"live\",\"token\":"
     "\"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMN+_0\",\"mail\":0,"
     "\"room\":0}\n",
	"session-expired", "", false},
    {"{\"op\":\"live\"," AUTH ",\"mail\":-1,\"room\":0}\n", "bad-request",
	"mail", true},
    {"{\"op\":\"sync\"," AUTH ",\"epoch\":\"0123456789abcdeg\",\"mail\":0,"
     "\"room\":0}\n",
	"bad-request", "epoch", true},
    {"{\"op\":\"sync\"," AUTH ",\"epoch\":\"" EPOCH "\",\"mail\":0,"
     "\"room\":0,\"max\":0}\n",
	"bad-request", "max", true},
    {"{\"op\":\"online\"," AUTH ",\"max\":0}\n", "bad-request", "max", true},
    {"{\"op\":\"online\"," AUTH ",\"after\":\"no name\"}\n", "bad-request",
	"after", true},
    {"{\"op\":\"block\"," AUTH ",\"user\":\"no name\"}\n", "no-such-user", "",
	false},
    {"{\"op\":\"unblock\"," AUTH ",\"user\":\"\"}\n", "no-such-user", "",
	false},
    {"{\"op\":\"send\"," AUTH
     ",\"id\":\"short\",\"to\":\"bob\",\"text\":\"hi\"}\n",
	"bad-request", "id", true},
    {"{\"op\":\"send\"," AUTH "," ID ",\"to\":\"bob\",\"text\":\"\"}\n",
	"bad-request", "empty", true},
    {"{\"op\":\"send\"," AUTH "," ID
     ",\"to\":\"bob\",\"text\":\"ab\\u001b[2J\"}\n",
	"bad-request", "a control character at octet 2", true},
    {"\n", "bad-request", "", true},
    {"{\"op\":\"hello\",\"op\":\"hello\"}\n", "bad-request", "duplicate", true},
    {"\x80\xff\n", "bad-request", "", true},
};

/* What a worker refuses by itself, and what goes on after it. */
static void
test_checks(void)
{
	for (size_t i = 0; i < sizeof(checks) / sizeof(checks[0]); i++) {
		const struct check *check = &checks[i];

		begin();
		say(check->line);
		say("{\"op\":\"hello\",\"tag\":1}\n");
		ok(hear_no(check->error, check->part), "%s for %.*s",
		    check->error, (int)strcspn(check->line, "\n\x80"),
		    check->line);
		ok(check->ends ? hear_end() : hear_yes(1), "and it %s",
		    check->ends ? "ends" : "goes on");
		ok(end() == (check->ends ? WORKER_MALFORMED : WORKER_SERVED) ||
			!store_ends(),
		    "without asking the store");
	}
}

/* Texts and passwords at their limits, and one beyond. */
static void
test_sizes(void)
{
	char text[PASSWORD_MAX_LEN + 8193], line[9000];
	const struct ipc_login *login;
	struct ipc_sent sent = {.time = 1000};

	memset(text, 'x', sizeof(text));
	begin();
	snprintf(line, sizeof(line),
	    "{\"op\":\"send\"," AUTH "," ID
	    ",\"to\":\"bob\",\"text\":\"%.8193s\"}\n",
	    text);
	say(line);
	ok(hear_no("too-large", "8193"), "8193 octets are too many");
	snprintf(line, sizeof(line),
	    "{\"op\":\"send\"," AUTH "," ID
	    ",\"to\":\"bob\",\"text\":\"%.8192s\",\"tag\":1}\n",
	    text);
	say(line);
	ok(store_gets(IPC_SEND) && stage.frame.tail_len == 8192,
	    "8192 are not");
	answer(IPC_SENT, 1, &sent, NULL, 0);
	ok(hear_yes(1), "and go on after the refusal");
	snprintf(line, sizeof(line),
	    "{\"op\":\"login\",\"user\":\"al\",\"password\":\"%.512s\"}\n",
	    text);
	say(line);
	ok(store_gets(IPC_LOGIN), "512 octets of password are asked");
	login = stage.frame.body;
	ok(strlen(login->password) == 512, "all of them");
	answer_no(2, ERR_LOGIN_FAILED, 0, "");
	ok(hear_no("login-failed", ""), "and answered");
	snprintf(line, sizeof(line),
	    "{\"op\":\"login\",\"user\":\"al\",\"password\":\"%.513s\"}\n",
	    text);
	say(line);
	ok(hear_no("bad-request", "512") && hear_end(), "513 are malformed");
	ok(end() == WORKER_REFUSED, "the first fault is what the master hears");
}

/* A line of exactly 64 KiB with its newline, and one that is longer. */
static void
test_long_lines(void)
{
	char *line = malloc(LINE_MAX_LEN + 2);

	memset(line, ' ', LINE_MAX_LEN + 1);
	memcpy(line, "{\"op\":\"hello\",\"tag\":1}", 22);
	strcpy(line + LINE_MAX_LEN - 1, "\n");
	begin();
	say(line);
	ok(hear_yes(1) && end() == WORKER_SERVED, "65536 octets are a line");
	strcpy(line + LINE_MAX_LEN - 1, " \n");
	begin();
	say(line);
	ok(hear_no("bad-request", "65536") && hear_end(), "65537 are not");
	ok(end() == WORKER_MALFORMED, "the master hears of it");
	free(line);
}

static void
test_sync(void)
{
	struct ipc_events body = {
	    .epoch = EPOCH, .mail = 9, .room = 4, .count = 3, .gap = 1};
	struct wire_event events[] = {
	    {.type = EVENT_MESSAGE,
		.number = 8,
		.time = 1000,
		.user = {"bob", 3},
		.id = {"0123456789abcdef", 16},
		.text = {"hi\n\"there\"", 10}},
	    {.type = EVENT_RECEIPT,
		.number = 9,
		.time = 2000,
		.user = {"bob", 3},
		.text = {"aa bb", 5}},
	    {.type = EVENT_LOGOUT,
		.number = 4,
		.time = 3000,
		.user = {"eve", 3},
		.text = {"asked", 5}},
	};
	const struct ipc_sync *sync;
	const json_t *array;
	char tail[1024];
	size_t used = 0;

	for (int i = 0; i < 3; i++)
		ipc_event_put(tail, sizeof(tail), &used, &events[i]);
	begin();
	say("{\"op\":\"sync\"," AUTH ",\"epoch\":\"" EPOCH
	    "\",\"mail\":7,\"room\":3,\"max\":5000,\"tag\":1}\n");
	ok(store_gets(IPC_SYNC), "sync is asked");
	sync = stage.frame.body;
	ok(strcmp(sync->epoch, EPOCH) == 0 && sync->mail == 7 &&
		sync->room == 3 && sync->max == WIRE_PAGE_MAX,
	    "sync has its members, max cut");
	answer(IPC_EVENTS, 1, &body, tail, used);
	ok(hear_yes(1) && counted("mail", 9) && counted("room", 4) &&
		wire_get_bool(stage.reply, "gap") &&
		json_is_false(json_object_get(stage.reply, "more")),
	    "sync is answered");
	array = json_object_get(stage.reply, "events");
	ok(json_array_size(array) == 3 &&
		strcmp(wire_get_string(json_array_get(array, 0), "text"),
		    "hi\n\"there\"") == 0 &&
		json_array_size(
		    json_object_get(json_array_get(array, 1), "ids")) == 2 &&
		strcmp(wire_get_string(json_array_get(array, 2), "reason"),
		    "asked") == 0,
	    "with its events in order");
	say("{\"op\":\"sync\"," AUTH ",\"epoch\":\"" EPOCH
	    "\",\"mail\":7,\"room\":3}\n");
	store_gets(IPC_SYNC);
	body.count = 4;
	answer(IPC_EVENTS, 2, &body, tail, used);
	ok(hear_no("busy", "") && end() == WORKER_STORE_LOST,
	    "events that are fewer than announced are no answer");
}

/* A page of users, and one that does not fit a line. */
static void
test_lists(void)
{
	struct ipc_names body = {.count = WIRE_PAGE_MAX};
	const struct ipc_list *list;
	char *tail = malloc(IPC_FRAME_MAX), name[NAME_MAX_LEN + 1];
	size_t used = 0, size;

	for (int i = 0; i < WIRE_PAGE_MAX; i++) {
		snprintf(name, sizeof(name), "u%031d", i);
		ipc_name_put(tail, IPC_FRAME_MAX, &used, name, 1000);
	}
	begin();
	say("{\"op\":\"online\"," AUTH ",\"after\":\"Bob\",\"max\":7}\n");
	ok(store_gets(IPC_ONLINE), "online is asked");
	list = stage.frame.body;
	ok(strcmp(list->after, "bob") == 0 && list->max == 7,
	    "online has its members");
	answer(IPC_NAMES, 1, &body, tail, used);
	ok(hear_yes(0) && wire_get_bool(stage.reply, "more"),
	    "what does not fit a line is left for the next page");
	size = json_array_size(json_object_get(stage.reply, "users"));
	ok(size > 700 && size < WIRE_PAGE_MAX, "most of it fits");
	ok(strcmp(wire_get_string(
		      json_array_get(json_object_get(stage.reply, "users"), 1),
		      "since"),
	       "1970-01-01T00:00:01.000Z") == 0,
	    "online says since when");
	say("{\"op\":\"blocked\"," AUTH "}\n");
	ok(store_gets(IPC_BLOCKED), "blocked is asked");
	list = stage.frame.body;
	ok(list->after[0] == '\0' && list->max == WIRE_PAGE_MAX,
	    "blocked has its defaults");
	answer(IPC_NAMES, 2, &body, tail, used);
	ok(hear_yes(0) && !wire_get_bool(stage.reply, "more") &&
		json_array_size(json_object_get(stage.reply, "users")) ==
		    WIRE_PAGE_MAX,
	    "a thousand names without times fit");
	ok(end() == WORKER_SERVED, "all served");
	free(tail);
}

static void
test_many(void)
{
	int good = 0;

	begin();
	for (int i = 0; i < WIRE_REQUESTS_MAX + 1; i++)
		say("{\"op\":\"hello\",\"tag\":1}\n");
	while (hear_yes(1))
		good++;
	ok(good == WIRE_REQUESTS_MAX, "256 of 257 requests are served");
	ok(hear_end() && end() == WORKER_SERVED, "then it ends properly");
}

static void
test_deadlines(void)
{
	int64_t began = clock_mono();
	int tcp = begin_plain(0);

	ok(worker_status() == WORKER_TIMEOUT && clock_mono() - began < 2500,
	    "who says nothing is left at the handshake's deadline");
	close(tcp);
	close(stage.store);

	began = clock_mono();
	begin();
	say("{\"op\":\"hel");
	ok(hear_end() && clock_mono() - began < 2500,
	    "half a line is waited for until its deadline");
	ok(end() == WORKER_TIMEOUT, "the master hears of it");

	settings.connection_seconds = 2;
	began = clock_mono();
	begin();
	do {
		say("{\"op\":\"hello\",\"tag\":1}\n");
		poll(NULL, 0, 300);
	} while (hear_yes(1));
	ok(clock_mono() - began >= 1900 && clock_mono() - began < 3900,
	    "no connection outlives its deadline");
	ok(end() == WORKER_TIMEOUT, "the master hears of it");
	settings.connection_seconds = 30;
}

/* A client that never reads gets no more than its time. */
static void
test_no_reader(void)
{
	enum { COUNT = 150 };
	struct ipc_events body = {.epoch = EPOCH, .count = 4};
	struct wire_event event = {.type = EVENT_NOTICE};
	char *text = malloc(15000), *tail = malloc(IPC_FRAME_MAX);
	char *lines = malloc(COUNT * 256);
	size_t used = 0, len = 0;
	int status;

	memset(text, 'x', 15000);
	event.text = (struct wire_string){text, 15000};
	for (int i = 0; i < 4; i++)
		ipc_event_put(tail, IPC_FRAME_MAX, &used, &event);
	for (int i = 0; i < COUNT; i++)
		len += (size_t)sprintf(lines + len,
		    "{\"op\":\"sync\"," AUTH ",\"epoch\":\"" EPOCH
		    "\",\"mail\":7,\"room\":3}\n");
	begin();
	say(lines);
	/* Its answers may find nobody there: the worker gives up first. */
	while (store_gets(IPC_SYNC))
		ipc_send(stage.store, IPC_EVENTS, stage.frame.number, &body,
		    tail, used, -1);
	status = worker_status();
	ok(status == WORKER_TIMEOUT, "who never reads runs out of time");
	tls_conn_close(&stage.client, 0);
	close(stage.store);
	free(lines);
	free(text);
	free(tail);
}

/* Clients that go away, or never speak TLS. */
static void
test_cut(void)
{
	struct linger hard = {.l_onoff = 1};
	char waste[256];
	int tcp;

	begin();
	ok(end() == WORKER_SERVED, "a handshake alone is served");

	begin();
	say("{\"op\":\"logout\"," AUTH);
	SSL_shutdown(stage.client.ssl);
	ok(store_ends() && end() == WORKER_CUT,
	    "half a line and an end is cut");

	begin();
	say("{\"op\":\"logout\"," AUTH);
	setsockopt(stage.client.fd, SOL_SOCKET, SO_LINGER, &hard, sizeof(hard));
	close(stage.client.fd);
	stage.client.fd = -1;
	ok(end() == WORKER_CUT, "a reset is cut");

	begin();
	say("{\"op\":\"hello\"}\n");
	SSL_shutdown(stage.client.ssl);
	ok(hear_yes(0) && end() == WORKER_SERVED,
	    "a reply still reaches who has said all");

	tcp = begin_plain(0);
	close(tcp);
	ok(worker_status() == WORKER_HANDSHAKE, "no handshake at all");
	close(stage.store);

	tcp = begin_plain(0);
	dprintf(tcp, "{\"op\":\"hello\"}\n");
	while (read(tcp, waste, sizeof(waste)) > 0)
		;
	close(tcp);
	ok(worker_status() == WORKER_HANDSHAKE, "plain text is no handshake");
	close(stage.store);
}

int
main(void)
{
	stage_open();
	test_checks();
	test_sizes();
	test_long_lines();
	test_sync();
	test_lists();
	test_many();
	test_deadlines();
	test_no_reader();
	test_cut();
	return stage_close();
}
