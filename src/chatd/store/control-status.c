/* SPDX-License-Identifier: ISC */
/*
 * How the centre is, in JSON and as Prometheus reads it, and the order to
 * read the configuration again.  Part of the store; what only the master
 * knows is asked of it, and the reply waits without anybody else waiting.
 */
#include <ctype.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "chatd/pair.h"
#include "chatd/sandbox.h"
#include "chatd/store/control-parts.h"
#include "lib/log.h"
#include "lib/unix.h"

enum {
	CENSUS_PAUSE = 100, /* times what the last one took */
	ERRORS_MAX = 32768, /* octets of them in one reply */
	OP_NAME_LEN = 32,
};

/* Counts users and mail; no oftener than that is cheap. */
static const struct census *
census(struct admins *admins)
{
	struct census *census = &admins->census;
	struct store *store = admins->store;
	int64_t begun = clock_mono(), ended;

	if (begun < census->until)
		return census;
	census->users = db_users(store->db);
	census->mail = db_mail_total(store->db);
	ended = clock_mono();
	census->until = ended + (ended - begun) * CENSUS_PAUSE;
	return census;
}

static void
set_number(json_t *object, const char *key, int64_t number)
{
	json_object_set_new(object, key, json_integer(number));
}

/* What confines each role. */
static void
status_sandbox(json_t *reply, const struct ipc_counted *counted)
{
	static const char *const roles[] = {
	    "master", "store", "keeper", "worker"};
	json_t *sandbox = json_object();

	for (size_t i = 0; i < sizeof(roles) / sizeof(roles[0]); i++) {
		json_t *list = json_array();

		for (int part = 0; part < SANDBOX_PART_COUNT; part++)
			if (counted->sandbox[i] >> part & 1)
				json_array_append_new(list,
				    json_string(sandbox_part_name(
					(enum sandbox_part)part)));
		json_object_set_new(sandbox, roles[i], list);
	}
	json_object_set_new(reply, "sandbox", sandbox);
}

/* What the master knows of its workers. */
static void
status_counted(json_t *reply, const struct ipc_counted *counted)
{
	json_object_set_new(reply, "running", json_true());
	control_time(reply, "started", counted->started);
	set_number(reply, "workers", counted->running);
	set_number(reply, "workers_limit", counted->limit);
	set_number(reply, "connections", counted->accepted);
	set_number(reply, "connections_refused",
	    counted->refused_limit + counted->refused_penalty +
		counted->refused_rate);
	set_number(reply, "connections_waiting", counted->waiting);
	set_number(
	    reply, "gave_way", counted->gave_way + counted->gave_way_silent);
	set_number(reply, "addresses_refused", counted->refused_now);
	set_number(reply, "shortages", counted->shortages);
	set_number(reply, "crashes", counted->crashes);
	set_number(reply, "store_restarts", counted->store_restarts);
	set_number(reply, "keeper_restarts", counted->keeper_restarts);
	status_sandbox(reply, counted);
	if (counted->certificate_ends[0] != '\0')
		json_object_set_new(reply, "certificate_ends",
		    json_string(counted->certificate_ends));
}

/* What metrics call each reason. */
static const char *const drop_names[DROP_COUNT] = {
#define X(name, text) [DROP_##name] = (text),
    BEACON_DROPS(X)
#undef X
};

/* Signs of life, and what became of other datagrams. */
static void
status_beacon(json_t *reply, const struct store *store)
{
	const struct tally *tally = &store->tally;
	json_t *drops = json_object();
	int64_t dropped = 0;

	json_object_set_new(
	    reply, "beacon", json_boolean(store->beacons.ports != NULL));
	set_number(reply, "live_beacon", tally->lives);
	set_number(reply, "live_tls", tally->requests[IPC_LIVE]);
	set_number(reply, "knocks", tally->knocks);
	for (int i = 0; i < DROP_COUNT; i++) {
		set_number(drops, drop_names[i], tally->drops[i]);
		dropped += tally->drops[i];
	}
	set_number(reply, "dropped", dropped);
	json_object_set_new(reply, "drops", drops);
}

/* counted is NULL where there is no master to ask. */
static json_t *
status_reply(
    struct admins *admins, json_t *tag, const struct ipc_counted *counted)
{
	struct store *store = admins->store;
	const struct census *now = census(admins);
	json_t *reply = wire_accept(tag);

	if (reply == NULL)
		return NULL;
	json_object_set_new(reply, "version", json_string(PACKAGE_VERSION));
	json_object_set_new(reply, "running", json_false());
	control_time(reply, "time", store->wall);
	control_time(reply, "store_started", store->started);
	set_number(reply, "users", now->users);
	set_number(reply, "sessions", (int64_t)sessions_count(store->sessions));
	set_number(reply, "online", (int64_t)sessions_online(store->sessions));
	set_number(reply, "mail", now->mail);
	set_number(reply, "hashes", jobs_under_way(store));
	set_number(reply, "channels", store->channel_count);
	set_number(reply, "database_bytes", db_size(store->db));
	control_time(reply, "read_only_since", store->short_since);
	set_number(reply, "messages", store->tally.messages);
	set_number(reply, "broadcasts", store->tally.broadcasts);
	set_number(reply, "logins", store->tally.logins);
	set_number(reply, "lockouts", store->tally.lockouts);
	set_number(reply, "questions", (int64_t)store->links.count[LINK_OPEN]);
	set_number(reply, "links", (int64_t)store->links.count[LINK_MADE]);
	status_beacon(reply, store);
	if (counted != NULL)
		status_counted(reply, counted);
	return reply;
}

/* One metric that has one value. */
static void
metric(FILE *to, const char *name, const char *type, const char *help,
    int64_t value)
{
	fprintf(to,
	    "# HELP chatd_%s %s\n# TYPE chatd_%s %s\n"
	    "chatd_%s %" PRId64 "\n",
	    name, help, name, type, name, value);
}

static void
metric_head(FILE *to, const char *name, const char *help)
{
	fprintf(to, "# HELP chatd_%s %s\n# TYPE chatd_%s counter\n", name, help,
	    name);
}

/* The name of a message as a label. */
static const char *
op_label(enum ipc_type type, char out[OP_NAME_LEN])
{
	const char *name = ipc_name(type);
	size_t i;

	for (i = 0; i < OP_NAME_LEN - 1 && name[i] != '\0'; i++)
		out[i] = (char)tolower((unsigned char)name[i]);
	out[i] = '\0';
	return out;
}

static void
metrics_requests(FILE *to, const struct tally *tally)
{
	char op[OP_NAME_LEN];

	metric_head(to, "requests_total", "Requests of workers.");
	for (int i = IPC_LOGIN; i <= IPC_PASSWORD; i++)
		fprintf(to, "chatd_requests_total{op=\"%s\"} %" PRId64 "\n",
		    op_label((enum ipc_type)i, op), tally->requests[i]);
	metric_head(to, "refusals_total", "Requests that were refused.");
	for (int i = ERR_NONE + 1; i < ERR_COUNT; i++)
		fprintf(to, "chatd_refusals_total{error=\"%s\"} %" PRId64 "\n",
		    wire_error_name((enum wire_error)i), tally->refusals[i]);
}

static void
metrics_beacon(FILE *to, const struct tally *tally)
{
	metric(to, "beacon_lives_total", "counter",
	    "LIVEs by datagram that counted.", tally->lives);
	metric(to, "beacon_checks_total", "counter",
	    "LIVEs whose address was to be proven first.", tally->checks);
	metric(to, "beacon_knocks_total", "counter", "Knocks sent.",
	    tally->knocks);
	metric(to, "beacon_unsent_total", "counter",
	    "Datagrams that the system did not take.", tally->unsent);
	metric_head(
	    to, "beacon_drops_total", "Datagrams that were not answered.");
	for (int i = 0; i < DROP_COUNT; i++)
		fprintf(to,
		    "chatd_beacon_drops_total{reason=\"%s\"} %" PRId64 "\n",
		    drop_names[i], tally->drops[i]);
}

static void
metrics_links(FILE *to, const struct store *store)
{
	metric(to, "link_questions", "gauge",
	    "Questions for private links that wait.",
	    (int64_t)store->links.count[LINK_OPEN]);
	metric(to, "links", "gauge", "Private links that were agreed on.",
	    (int64_t)store->links.count[LINK_MADE]);
	metric(to, "link_questions_total", "counter",
	    "Questions for private links.", store->tally.questions);
	metric(to, "links_total", "counter", "Private links agreed on.",
	    store->tally.passes);
}

static void
metrics_store(FILE *to, struct admins *admins)
{
	struct store *store = admins->store;
	const struct tally *tally = &store->tally;
	const struct census *now = census(admins);

	fprintf(to,
	    "# HELP chatd_info The version.\n# TYPE chatd_info gauge\n"
	    "chatd_info{version=\"%s\"} 1\n",
	    PACKAGE_VERSION);
	metric(to, "store_start_time_seconds", "gauge",
	    "When the store started.", store->started / 1000);
	metric(to, "users", "gauge", "Accounts.", now->users);
	metric(to, "sessions", "gauge", "Sessions that have not ended.",
	    (int64_t)sessions_count(store->sessions));
	metric(to, "online", "gauge", "Users who are online.",
	    (int64_t)sessions_online(store->sessions));
	metric(to, "mail", "gauge", "Messages that wait to be fetched.",
	    now->mail);
	metric(to, "database_bytes", "gauge", "Size of the database.",
	    db_size(store->db));
	metric(to, "read_only", "gauge",
	    "1 while the disk is full and nothing can be added.",
	    store->short_since != 0);
	metric(to, "hashes", "gauge", "Passwords being hashed or checked.",
	    jobs_under_way(store));
	metric(to, "channels", "gauge", "Workers connected to the store.",
	    store->channel_count);
	metric(to, "messages_total", "counter", "Messages accepted.",
	    tally->messages);
	metric(to, "broadcasts_total", "counter", "Broadcasts accepted.",
	    tally->broadcasts);
	metric(to, "logins_total", "counter", "Logins.", tally->logins);
	metric(to, "lockouts_total", "counter",
	    "Names locked after failed logins.", tally->lockouts);
	metric(to, "password_checks_total", "counter",
	    "Passwords that the keeper has hashed or checked.", tally->hashes);
	metric(to, "timeouts_total", "counter",
	    "Users who went offline by silence.", tally->timeouts);
	metric(to, "commits_total", "counter", "Transactions committed.",
	    tally->commits);
	metrics_links(to, store);
	metrics_beacon(to, tally);
	metrics_requests(to, tally);
}

/* Connections that had no worker, or lost it. */
static void
metrics_doors(FILE *to, const struct ipc_counted *counted)
{
	metric_head(to, "connections_refused_total",
	    "Connections that were closed at once.");
	fprintf(to,
	    "chatd_connections_refused_total{reason=\"limit\"} %" PRId64 "\n"
	    "chatd_connections_refused_total{reason=\"penalty\"} %" PRId64 "\n"
	    "chatd_connections_refused_total{reason=\"rate\"} %" PRId64 "\n",
	    counted->refused_limit, counted->refused_penalty,
	    counted->refused_rate);
	metric(to, "connections_waiting", "gauge",
	    "Connections that have no worker.", counted->waiting);
	metric(to, "connections_silent_total", "counter",
	    "Connections that said nothing until their deadline.",
	    counted->silent);
	metric(to, "connections_gave_way_total", "counter",
	    "Connections without a worker that gave way.",
	    counted->gave_way_silent);
	metric(to, "workers_gave_way_total", "counter",
	    "Workers that gave way, having proved nothing.", counted->gave_way);
	metric(to, "addresses_refused", "gauge",
	    "Addresses that are refused for what they did.",
	    counted->refused_now);
	metric(to, "shortages_total", "counter",
	    "Times without descriptors, memory or processes.",
	    counted->shortages);
}

static void
metrics_master(FILE *to, const struct ipc_counted *counted)
{
	int64_t ends;

	metric(to, "start_time_seconds", "gauge", "When the centre started.",
	    counted->started / 1000);
	metric(to, "workers", "gauge", "Connections being served.",
	    counted->running);
	metric(to, "workers_limit", "gauge", "The most that are served.",
	    counted->limit);
	metric(to, "connections_total", "counter", "Connections accepted.",
	    counted->accepted);
	metrics_doors(to, counted);
	metric(to, "worker_crashes_total", "counter",
	    "Workers that were ended by a signal.", counted->crashes);
	metric_head(to, "worker_exits_total", "Workers by how they ended.");
	for (int i = 0; i < WORKER_EXITS; i++)
		fprintf(to,
		    "chatd_worker_exits_total{how=\"%s\"} %" PRId64 "\n",
		    worker_exit_name((enum worker_exit)i), counted->exits[i]);
	metric_head(to, "restarts_total", "Processes started again.");
	fprintf(to, "chatd_restarts_total{process=\"store\"} %d\n",
	    counted->store_restarts);
	fprintf(to, "chatd_restarts_total{process=\"keeper\"} %d\n",
	    counted->keeper_restarts);
	if (wire_time_parse(counted->certificate_ends, &ends) == -1)
		return;
	metric(to, "certificate_end_time_seconds", "gauge",
	    "When the certificate ends.", ends / 1000);
	metric(to, "certificate_expires_soon", "gauge",
	    "1 where fewer than 21 days are left.",
	    ends - clock_wall() < PAIR_WARN_DAYS * INT64_C(86400000));
}

static json_t *
metrics_reply(
    struct admins *admins, json_t *tag, const struct ipc_counted *counted)
{
	json_t *reply = NULL;
	char *text = NULL;
	size_t len = 0;
	FILE *to = open_memstream(&text, &len);

	if (to == NULL)
		return NULL;
	metrics_store(to, admins);
	if (counted != NULL)
		metrics_master(to, counted);
	if (fclose(to) == 0)
		reply = wire_accept(tag);
	if (reply != NULL)
		json_object_set_new(reply, "text", json_string(text));
	free(text);
	return reply;
}

/* Asks the master; false if it cannot be asked now. */
static bool
ask_master(struct admins *admins, struct pendings *list, enum ipc_type type,
    struct pending *pending)
{
	static const struct ipc_none none;

	if (admins->store->master == -1 ||
	    ipc_send(admins->store->master, type, 0, &none, NULL, 0, -1) == -1)
		return false;
	pending_append(list, pending);
	return true;
}

static void
reply_counted(struct admins *admins, struct pending *pending,
    const struct ipc_counted *counted)
{
	pending_reply(pending,
	    pending->metrics ? metrics_reply(admins, pending->tag, counted)
			     : status_reply(admins, pending->tag, counted));
	pending_free(pending);
}

static void
count(struct admins *admins, struct admin *admin, const json_t *request,
    bool metrics)
{
	struct pending *pending = pending_new(admin, request, sizeof(*pending));

	if (pending == NULL)
		return;
	pending->metrics = metrics;
	if (!ask_master(admins, &admins->counts, IPC_COUNT, pending))
		reply_counted(admins, pending, NULL);
}

void
control_status(
    struct admins *admins, struct admin *admin, const json_t *request)
{
	count(admins, admin, request, false);
}

void
control_metrics(
    struct admins *admins, struct admin *admin, const json_t *request)
{
	count(admins, admin, request, true);
}

void
control_counted(struct admins *admins, const struct ipc_frame *frame)
{
	struct pending *pending = pending_take(&admins->counts);
	struct ipc_counted counted;

	if (pending == NULL)
		return;
	memcpy(&counted, frame->body, sizeof(counted));
	counted.certificate_ends[sizeof(counted.certificate_ends) - 1] = '\0';
	reply_counted(admins, pending, &counted);
}

void
control_reload(
    struct admins *admins, struct admin *admin, const json_t *request)
{
	struct pending *pending = pending_new(admin, request, sizeof(*pending));

	if (pending == NULL)
		return;
	log_info("administrator: reload");
	if (ask_master(admins, &admins->reloads, IPC_RELOAD, pending))
		return;
	pending_reply(pending,
	    admins->store->master == -1
		? wire_refuse(
		      pending->tag, ERR_OFFLINE, "The centre does not run.")
		: wire_refuse(pending->tag, ERR_BUSY, NULL));
	pending_free(pending);
}

/* The lines of a text as a list; those that are too many are left out. */
static json_t *
error_list(const char *text, size_t len)
{
	const char *end = text + (len < ERRORS_MAX ? len : ERRORS_MAX);
	json_t *list = json_array();

	while (list != NULL && text < end) {
		const char *next = memchr(text, '\n', (size_t)(end - text));
		size_t line = (size_t)((next != NULL ? next : end) - text);
		char *clean = text_escaped(text, line, TEXT_WORD);

		if (line > 0)
			json_array_append_new(list, json_string(clean));
		free(clean);
		text = next != NULL ? next + 1 : end;
	}
	return list;
}

void
control_reloaded(struct admins *admins, const struct ipc_frame *frame)
{
	struct pending *pending = pending_take(&admins->reloads);
	struct ipc_reloaded reloaded;
	json_t *reply;

	if (pending == NULL)
		return;
	memcpy(&reloaded, frame->body, sizeof(reloaded));
	if (reloaded.errors == 0) {
		reply = wire_accept(pending->tag);
	} else {
		reply = wire_refuse(pending->tag, ERR_BAD_REQUEST,
		    "The configuration is wrong; the old one stays in force.");
		if (reply != NULL)
			json_object_set_new(reply, "errors",
			    error_list(frame->tail, frame->tail_len));
	}
	pending_reply(pending, reply);
	pending_free(pending);
}
