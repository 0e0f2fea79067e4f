/* SPDX-License-Identifier: ISC */
/*
 * Makes, starts and ends the centre and the floor that are measured.  Runs
 * in the benchmark; must never touch a centre that it did not make.
 */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>
#include <sys/stat.h>

#include <openssl/sha.h>
#include <sodium.h>

#include "centre.h"
#include "identity.h"
#include "chatd/keeper/password.h"
#include "chatd/places.h"
#include "chatd/store/db-sqlite.h"
#include "lib/line.h"
#include "lib/log.h"
#include "lib/unix.h"

enum {
	READY_FD = 3,
	READY_MS = 300000, /* for a store with many sessions */
	END_MS = 15000,
	ANSWER_MS = 5000,
};

static const char config[] =
    "listen = [ \"127.0.0.1:0\" ];\n"
    "user = \"%s\";\n"
    "state_directory = \"%s/state\";\n"
    "runtime_directory = \"%s/run\";\n"
    "tls: { certificate = \"%s/server.pem\"; key = \"%s/server.key\"; };\n"
    "session: { heartbeat = %d; timeout = %d; };\n"
    "login: { attempts = %d; block_seconds = %d; };\n"
    "%s"
    "log: { level = \"warn\"; };\n";

/* Out of the way of what is measured, or what is measured. */
static const char no_limits[] =
    "limits: { workers = 1024; workers_per_address = 1024;\n"
    "	handshake_seconds = 60; request_seconds = 60;\n"
    "	connection_seconds = 600; mailbox_messages = 10000000;\n"
    "	requests_per_second = 1000000; request_burst = 1000000; };\n";
static const char limits[] = "limits: { exempt = []; };\n";

/* Joins two parts of a path; -1 after a complaint if it gets too long. */
static int
join(char out[BENCH_PATH_LEN], const char *directory, const char *name)
{
	int len = snprintf(out, BENCH_PATH_LEN, "%s/%s", directory, name);

	if (len >= 0 && len < BENCH_PATH_LEN)
		return 0;
	return complain("%s: the path is too long", directory);
}

/* Prints the end of a log that may say what went wrong. */
static void
show_log(const char *path)
{
	size_t len;
	char *text = file_read(path, 1 << 20, &len);

	if (text != NULL && len > 0)
		fprintf(stderr, "%s\n", text + (len > 4000 ? len - 4000 : 0));
	free(text);
}

/* This program's directory, where the floor is, one above chatd. */
static int
find_programs(struct ground *ground)
{
	const char *build = getenv("CHAT_BUILD"), *source = getenv("CHAT_SRC");
	char own[BENCH_PATH_LEN], up[BENCH_PATH_LEN];
	ssize_t len = readlink("/proc/self/exe", own, sizeof(own) - 1);
	char *slash;

	if (len == -1)
		return complain("/proc: %s", strerror(errno));
	own[len] = '\0';
	if ((slash = strrchr(own, '/')) != NULL)
		*slash = '\0';
	if (join(up, own, "..") == -1 ||
	    join(ground->floor, own, "floor") == -1 ||
	    join(ground->floor_beacon, own, "floor-beacon") == -1 ||
	    join(ground->chatd, build ? build : up, "chatd") == -1 ||
	    join(ground->certs, source ? source : up, "certs") == -1)
		return -1;
	if (access(ground->chatd, X_OK) == -1 ||
	    access(ground->floor, X_OK) == -1 ||
	    access(ground->floor_beacon, X_OK) == -1)
		return complain("%s or %s is not built: %s", ground->chatd,
		    ground->floor, strerror(errno));
	return 0;
}

/* An authority, and a certificate of it for 127.0.0.1. */
static int
make_certificate(const struct ground *ground)
{
	char authority[BENCH_PATH_LEN], server[BENCH_PATH_LEN];
	char shell[] = "/bin/sh", address[] = "127.0.0.1";
	char *first[] = {shell, authority, (char *)ground->dir, NULL};
	char *second[] = {shell, server, (char *)ground->dir, address, NULL};

	if (join(authority, ground->certs, "authority.sh") == -1 ||
	    join(server, ground->certs, "server.sh") == -1)
		return -1;
	if (process_run(first, NULL, 0) == -1 ||
	    process_run(second, NULL, 0) == -1)
		return complain("%s cannot make a certificate (CHAT_SRC says"
				" where the sources are)",
		    ground->certs);
	return 0;
}

int
ground_make(struct ground *ground, const char *in)
{
	unsigned char octets[16];

	memset(ground, 0, sizeof(*ground));
	random_fill(octets, sizeof(octets));
	for (size_t i = 0; i < sizeof(octets); i++)
		snprintf(ground->secret + 2 * i, 3, "%02x", octets[i]);
	if (find_programs(ground) == -1 ||
	    join(ground->dir, in, "chat-bench-XXXXXX") == -1)
		return -1;
	if (mkdtemp(ground->dir) == NULL) {
		ground->dir[0] = '\0';
		return complain(
		    "cannot make a directory in %s: %s", in, strerror(errno));
	}
	return make_certificate(ground);
}

void
ground_remove(const struct ground *ground)
{
	if (ground->dir[0] != '\0')
		remove_tree(ground->dir);
}

void
centre_user(int number, char out[NAME_MAX_LEN + 1])
{
	snprintf(out, NAME_MAX_LEN + 1, "user%07d", number);
}

void
centre_token(
    const struct ground *ground, int number, char out[WIRE_TOKEN_LEN + 1])
{
	snprintf(out, WIRE_TOKEN_LEN + 1, "%s%011d", ground->secret, number);
}

/* The session of a login that has just been. */
static void
add_session(struct db *db, const struct ground *ground, int number, int64_t now)
{
	struct db_session session = {
	    .user = number + 1, .since = now, .used = now, .online = now};
	struct ipc_address from = {.family = AF_INET, .ip = {127, 0, 0, 1}};
	struct identity identity;
	char token[WIRE_TOKEN_LEN + 1];

	centre_token(ground, number, token);
	identity_make(ground->secret, number, &identity);
	SHA256((const unsigned char *)token, strlen(token), session.token);
	session.from = from;
	session.beacon.id = identity.id;
	session.beacon.keys = identity.keys;
	db_session_add(db, &session);
}

/* The guests' password as the database holds it. */
static int
hash_password(bool cheap, char out[IPC_HASH_MAX + 1])
{
	if (!cheap)
		return password_hash(CENTRE_PASSWORD, out);
	return crypto_pwhash_str_alg(out, CENTRE_PASSWORD,
	    strlen(CENTRE_PASSWORD), crypto_pwhash_argon2id_OPSLIMIT_MIN,
	    crypto_pwhash_argon2id_MEMLIMIT_MIN, crypto_pwhash_ALG_ARGON2ID13);
}

/* All users, then the sessions in an order of their own, as logins come. */
static void
fill(struct db *db, const struct ground *ground, const struct centre_plan *plan)
{
	int *order = identity_shuffled(plan->users);
	char hash[IPC_HASH_MAX + 1] = "", name[NAME_MAX_LEN + 1];
	int64_t now = clock_wall();

	if (order == NULL || password_init() == -1 ||
	    ((plan->guests > 0 || plan->passwords) &&
		hash_password(plan->cheap, hash) == -1))
		fatal(EX_OSERR, "no memory for the users");
	/* A bulk load, not what is measured. */
	sql_script(db, "PRAGMA cache_size = -500000");
	db_write(db);
	for (int i = 0; i < plan->users + plan->guests; i++) {
		centre_user(i, name);
		db_user_add(db, name,
		    i < plan->users && !plan->passwords ? "" : hash, now, 0);
	}
	for (int i = 0; i < plan->users; i++)
		add_session(db, ground, order[i], now);
	db_commit(db);
	free(order);
}

/* In a process of its own: a fault of the database ends that. */
static int
make_users(const struct ground *ground, const char *state,
    const struct centre_plan *plan)
{
	char why[256];
	struct db *db;
	int status;
	pid_t pid;

	fflush(NULL);
	pid = fork();
	if (pid == 0) {
		log_init("bench", "users");
		if ((db = db_open(state, &status, why)) == NULL)
			fatal(status, "%s", why);
		fill(db, ground, plan);
		db_close(db);
		_exit(0);
	}
	if (pid == -1 || process_wait(pid) == -1)
		return complain("cannot write %d users", plan->users);
	return 0;
}

/* Writes chatd.conf. */
static int
make_config(const struct ground *ground, const char *dir, const char *path,
    const struct centre_plan *plan)
{
	const struct passwd *user = getpwuid(geteuid());
	char text[sizeof(config) + sizeof(no_limits) + 5 * BENCH_PATH_LEN];

	if (user == NULL)
		return complain("this user has no name");
	snprintf(text, sizeof(text), config, user->pw_name, dir, dir,
	    ground->dir, ground->dir, plan->heartbeat, plan->timeout,
	    plan->attempts ? plan->attempts : 3, plan->attempts ? 86400 : 60,
	    plan->open ? limits : no_limits);
	if (file_replace(path, text, strlen(text), 0600) == -1)
		return complain("%s: %s", path, strerror(errno));
	return 0;
}

/* Starts chatd and waits for its port. */
static int
run_centre(
    struct centre *centre, const struct ground *ground, char *config_path)
{
	char c[] = "-c", f[] = "-f", ready[] = "--ready-fd", number[] = "3";
	char *argv[] = {
	    (char *)ground->chatd, c, config_path, f, ready, number, NULL};
	char log[BENCH_PATH_LEN], line[256];
	const char *colon;
	int from;

	if (join(log, centre->dir, "chatd.log") == -1)
		return -1;
	centre->master = process_start(argv, READY_FD, log, &from);
	if (centre->master == -1)
		return -1;
	if (process_line(from, line, sizeof(line), READY_MS) == -1 ||
	    (colon = strrchr(line, ':')) == NULL) {
		show_log(log);
		return complain("the centre does not start");
	}
	centre->port = (uint16_t)strtoul(colon + 1, NULL, 10);
	centre->store = process_child(centre->master, "store");
	centre->keeper = process_child(centre->master, "keeper");
	if (centre->store == 0 || centre->keeper == 0)
		return complain("the centre has no store or no keeper");
	return 0;
}

int
centre_make(struct centre *centre, const struct ground *ground,
    const struct centre_plan *plan)
{
	struct centre_plan whole = *plan;
	int64_t began = clock_ns(), made;
	char path[BENCH_PATH_LEN];

	if (plan->heartbeat == 0) {
		whole.heartbeat = 3600;
		whole.timeout = 86400;
	}
	memset(centre, 0, sizeof(*centre));
	if (join(centre->dir, ground->dir, plan->name) == -1 ||
	    join(path, centre->dir, "state") == -1)
		return -1;
	if (dir_make(path, 0700) == -1)
		return complain("%s: %s", path, strerror(errno));
	if (make_users(ground, path, &whole) == -1 ||
	    join(path, centre->dir, "chatd.conf") == -1 ||
	    make_config(ground, centre->dir, path, &whole) == -1)
		return -1;
	made = clock_ns();
	if (run_centre(centre, ground, path) == -1)
		return -1;
	centre->made = (double)(made - began) / 1e9;
	centre->started = (double)(clock_ns() - made) / 1e9;
	return 0;
}

int
centre_start(struct centre *centre, const struct ground *ground,
    const char *name, int users)
{
	struct centre_plan plan = {.name = name, .users = users};

	return centre_make(centre, ground, &plan);
}

int
centre_stop(struct centre *centre)
{
	int status = process_end(centre->master, END_MS);

	centre->master = 0;
	if (centre->dir[0] != '\0')
		remove_tree(centre->dir);
	return status;
}

int
centre_cost(const struct centre *centre, struct process_cost *cost)
{
	memset(cost, 0, sizeof(*cost));
	/* Every worker must have been reaped, or it is not in the sum. */
	if (process_settle(centre->master, 2, END_MS) == -1)
		return complain("workers of the centre do not end");
	if (process_cost(centre->master, cost) == -1 ||
	    process_cost(centre->store, cost) == -1)
		return -1;
	return process_cost(centre->keeper, cost);
}

/* One line to the administrator's socket and the one that comes back. */
static bool
control(int sock, const char *ask, struct line_buf *buf, char **line)
{
	int64_t until = clock_ns() + ANSWER_MS * INT64_C(1000000);
	size_t len, room;

	if (fd_write_all(sock, ask, strlen(ask)) == -1)
		return false;
	while (line_take(buf, line, &len) == LINE_NONE) {
		struct pollfd pfd = {.fd = sock, .events = POLLIN};
		char *at = line_room(buf, &room);
		ssize_t got;

		if (at == NULL || clock_ns() > until ||
		    poll(&pfd, 1, ANSWER_MS) < 1)
			return false;
		got = read(sock, at, room);
		if (got <= 0)
			return false;
		line_added(buf, (size_t)got);
	}
	return true;
}

int64_t
centre_metric(const struct centre *centre, const char *name)
{
	struct line_buf buf = {0};
	char path[BENCH_PATH_LEN], metric[128];
	const char *at;
	int64_t value = -1;
	char *line;
	int sock;

	/* At the start of a line, as JSON writes that. */
	snprintf(metric, sizeof(metric), "\\nchatd_%s ", name);
	if (join(path, centre->dir, "run/" PLACE_CONTROL) == -1 ||
	    (sock = unix_connect(path)) == -1)
		return -1;
	if (control(sock, "{\"do\":\"metrics\"}\n", &buf, &line) &&
	    (at = strstr(line, metric)) != NULL)
		value = strtoll(at + strlen(metric), NULL, 10);
	line_release(&buf);
	close(sock);
	return value;
}

/* Starts a floor, which prints its port. */
static int
floor_run(struct floor *floor, const struct ground *ground, char *const argv[])
{
	char log[BENCH_PATH_LEN], line[64];
	int from;

	floor->pid = 0;
	if (join(log, ground->dir, "floor.log") == -1)
		return -1;
	floor->pid = process_start(argv, STDOUT_FILENO, log, &from);
	if (floor->pid == -1)
		return -1;
	if (process_line(from, line, sizeof(line), READY_MS) == -1) {
		show_log(log);
		return complain("the floor does not start");
	}
	floor->port = (uint16_t)strtoul(line, NULL, 10);
	return 0;
}

int
floor_start(struct floor *floor, const struct ground *ground)
{
	char certificate[BENCH_PATH_LEN], key[BENCH_PATH_LEN];
	char *argv[] = {(char *)ground->floor, certificate, key, NULL};

	if (join(certificate, ground->dir, "server.pem") == -1 ||
	    join(key, ground->dir, "server.key") == -1)
		return -1;
	return floor_run(floor, ground, argv);
}

int
floor_start_beacon(struct floor *floor, const struct ground *ground, int users)
{
	char count[16];
	char *argv[] = {
	    (char *)ground->floor_beacon, (char *)ground->secret, count, NULL};

	snprintf(count, sizeof(count), "%d", users);
	return floor_run(floor, ground, argv);
}

int
floor_stop(struct floor *floor)
{
	int status = process_end(floor->pid, END_MS);

	floor->pid = 0;
	return status;
}
