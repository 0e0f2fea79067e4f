/* SPDX-License-Identifier: ISC */
/*
 * A real store in a process of its own, ordered about as chatctl would; the
 * test is its administrator, its master and its keeper, which is busy at
 * first.  Beside them its socket: how many may connect, and what is no
 * line.
 */
#include <dirent.h>
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "chatd/ipc.h"
#include "chatd/store/store.h"
#include "lib/line.h"
#include "lib/log.h"
#include "lib/unix.h"
#include "tap.h"

enum { PATIENCE_MS = 20000 };

static uint64_t buffer[IPC_FRAME_MAX / 8];

/* The store and what the test is to it. */
static struct stage {
	pid_t pid;
	int master, keeper, admin;
	int busy; /* how often the keeper still says so */
	int reload_errors; /* that the master will find */
	struct line_buf in;
	json_t *reply;
	char dir[64], socket[96];
} stage;

/* Ends the test itself. */
static _Noreturn void
give_up(const char *what)
{
	printf("Bail out! %s: %s\n", what, strerror(errno));
	if (stage.pid > 0)
		kill(stage.pid, SIGKILL);
	exit(1);
}

/* Starts a store; without a master it ends with its administrator. */
static void
start(bool master)
{
	struct settings settings = {.state_directory = stage.dir,
	    .rules = {.attempts = 3,
		.block_seconds = 60,
		.timeout = 90,
		.lifetime_days = 30,
		.message_bytes = 100,
		.room_keep_days = 7}};
	int m[2], k[2], a[2], listener = unix_listen(stage.socket, 0600);

	if (unix_pair(m) == -1 || unix_pair(k) == -1 || listener == -1 ||
	    socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, a) == -1)
		give_up("no channels");
	fflush(stdout);
	if ((stage.pid = fork()) == -1)
		give_up("no fork");
	if (stage.pid == 0) {
		struct store_start start = {.master = master ? m[1] : -1,
		    .keeper = k[1],
		    .control = master ? listener : -1,
		    .admin = a[1],
		    .settings = &settings};

		close(m[0]);
		close(k[0]);
		close(a[0]);
		log_init("chatd", "store");
		log_set_level(LOG_LEVEL_WARN);
		store_main(&start);
	}
	close(listener);
	close(m[1]);
	close(k[1]);
	close(a[1]);
	stage.master = m[0];
	stage.keeper = k[0];
	stage.admin = a[0];
}

/* Closes what is left, and waits; the store's exit status. */
static int
stop(void)
{
	int how = -1;

	close(stage.admin);
	close(stage.master);
	while (waitpid(stage.pid, &how, 0) == -1 && errno == EINTR)
		continue;
	close(stage.keeper);
	line_release(&stage.in);
	json_decref(stage.reply);
	stage.reply = NULL;
	stage.pid = 0;
	return WIFEXITED(how) ? WEXITSTATUS(how) : -1;
}

/* The keeper's answer: the password itself is the hash. */
static void
play_keeper(void)
{
	struct ipc_verdict verdict = {.verdict = VERDICT_YES};
	struct ipc_hash hash;
	struct ipc_frame frame;

	if (ipc_receive(
		stage.keeper, ROLE_KEEPER, ROLE_STORE, buffer, &frame) != 1)
		give_up("keeper");
	memcpy(&hash, frame.body, sizeof(hash));
	if (stage.busy > 0) {
		stage.busy--;
		verdict.verdict = VERDICT_BUSY;
	} else if (strcmp(hash.password, "fault") == 0) {
		verdict.verdict = VERDICT_FAULT;
	} else {
		snprintf(verdict.hash, sizeof(verdict.hash), "%.100s",
		    hash.password);
	}
	if (ipc_send(stage.keeper, IPC_VERDICT, frame.number, &verdict, NULL, 0,
		-1) == -1)
		give_up("keeper");
}

/* What the master answers. */
static void
play_master(void)
{
	static const char errors[] = "a.conf:1: x: bad\n\na.conf:2: y: \033bad";
	struct ipc_counted counted = {.started = 1000, .running = 7};
	struct ipc_reloaded reloaded = {.errors = stage.reload_errors};
	struct ipc_frame frame;

	if (ipc_receive(
		stage.master, ROLE_MASTER, ROLE_STORE, buffer, &frame) != 1)
		give_up("master");
	strcpy(counted.certificate_ends, "2030-01-01T00:00:00.000Z");
	if (frame.type == IPC_COUNT)
		ipc_send(stage.master, IPC_COUNTED, frame.number, &counted,
		    NULL, 0, -1);
	else if (frame.type == IPC_RELOAD)
		ipc_send(stage.master, IPC_RELOADED, frame.number, &reloaded,
		    errors, reloaded.errors ? strlen(errors) : 0, -1);
}

/* More octets of a link, while the others are played; false at its end. */
static bool
more(int fd, struct line_buf *in)
{
	struct pollfd all[] = {{.fd = fd, .events = POLLIN},
	    {.fd = stage.keeper, .events = POLLIN},
	    {.fd = stage.master, .events = POLLIN}};
	size_t room;
	char *to = line_room(in, &room);
	ssize_t got;

	for (;;) {
		if (poll(all, 3, PATIENCE_MS) < 1)
			give_up("no reply");
		if (all[0].revents)
			break;
		if (all[1].revents)
			play_keeper();
		if (all[2].revents)
			play_master();
	}
	got = read(fd, to, room);
	if (got > 0)
		line_added(in, (size_t)got);
	return got > 0;
}

/* The next reply of a link as text, or NULL at its end; free it. */
static char *
next_line(int fd, struct line_buf *in)
{
	char *line;
	size_t len;

	while (line_take(in, &line, &len) != LINE_READY)
		if (!more(fd, in))
			return NULL;
	return strdup(line);
}

static void
say(const char *request)
{
	if (fd_write_all(stage.admin, request, strlen(request)) == -1 ||
	    fd_write_all(stage.admin, "\n", 1) == -1)
		give_up("admin");
}

/* The next reply, in stage.reply. */
static void
hear(void)
{
	char why[WIRE_WHY_LEN], *line = next_line(stage.admin, &stage.in);

	json_decref(stage.reply);
	stage.reply = line ? wire_object(line, strlen(line), why) : NULL;
	free(line);
	if (!stage.reply)
		give_up("the store hung up");
}

/* Claims that an order is carried out. */
static void
yes(const char *request, const char *what)
{
	say(request);
	hear();
	ok(wire_get_bool(stage.reply, "ok"), "%s", what);
}

/* Claims that it is refused, and with which error. */
static void
no(const char *request, const char *error, const char *what)
{
	say(request);
	hear();
	is(wire_get_string(stage.reply, "error"), error, "%s", what);
}

/* A member of a row of the last reply's list. */
static const char *
row(const char *list, size_t i, const char *key)
{
	return wire_get_string(
	    json_array_get(json_object_get(stage.reply, list), i), key);
}

static void
test_users(void)
{
	stage.busy = 3;
	yes("{\"do\":\"user-add\",\"user\":\"Bob\",\"password\":\"x\","
	    "\"tag\":[1]}",
	    "a user is added, though the keeper was busy");
	is_number(stage.busy, 0, "who was asked again");
	is(wire_get_string(stage.reply, "user"), "bob", "the name is folded");
	ok(json_is_array(json_object_get(stage.reply, "tag")),
	    "the tag comes back");
	no("{\"do\":\"user-add\",\"user\":\"bob\",\"password\":\"x\"}",
	    "exists", "a name is taken once");
	no("{\"do\":\"user-check\",\"user\":\"Bob\"}", "exists",
	    "as a question says before");
	yes("{\"do\":\"user-check\",\"user\":\"Eve\"}", "eve is free");
	yes("{\"do\":\"user-check\",\"user\":\"eve\"}",
	    "and a question does not change that");
	no("{\"do\":\"user-check\",\"user\":\"b b\"}", "bad-request",
	    "a question on no name");
	no("{\"do\":\"user-add\",\"user\":\"b b\",\"password\":\"x\"}",
	    "bad-request", "what is no name");
	no("{\"do\":\"user-add\",\"user\":\"eve\"}", "bad-request",
	    "no password");
	no("{\"do\":\"user-add\",\"user\":\"eve\",\"password\":\"\"}",
	    "bad-request", "an empty password");
	no("{\"do\":\"user-add\",\"user\":\"eve\",\"password\":\"fault\"}",
	    "internal", "a keeper's fault is told");
	yes("{\"do\":\"user-passwd\",\"user\":\"bob\",\"password\":\"y\"}",
	    "a new password");
	no("{\"do\":\"user-passwd\",\"user\":\"eve\",\"password\":\"y\"}",
	    "no-such-user", "of nobody");
	yes("{\"do\":\"user-lock\",\"user\":\"bob\"}", "a user is locked");
	yes("{\"do\":\"user-list\"}", "the list");
	is(row("users", 0, "state"), "locked", "says so");
	yes("{\"do\":\"user-unlock\",\"user\":\"bob\"}", "and unlocked");
	no("{\"do\":\"session-end\",\"user\":\"bob\"}", "offline",
	    "who has no session");
}

static void
test_deleted(void)
{
	yes("{\"do\":\"user-delete\",\"user\":\"bob\"}", "a user is deleted");
	no("{\"do\":\"user-delete\",\"user\":\"bob\"}", "no-such-user", "once");
	no("{\"do\":\"user-unlock\",\"user\":\"bob\"}", "no-such-user",
	    "and does not come back");
	no("{\"do\":\"user-add\",\"user\":\"bob\",\"password\":\"x\"}",
	    "exists", "nor does the name");
	yes("{\"do\":\"user-list\",\"all\":true}", "the list of all");
	is(row("users", 0, "state"), "deleted", "says so");
	yes("{\"do\":\"user-list\"}", "the other list");
	is(row("users", 0, "state"), NULL, "leaves it out");
}

/* More than may be under way at a time, in one go. */
static void
test_pipeline(void)
{
	enum { MANY = 300 };
	static char requests[MANY * 80];
	bool seen[MANY] = {false};
	size_t len = 0;
	int added = 0;

	stage.busy = 20;
	for (int i = 0; i < MANY; i++)
		len += (size_t)snprintf(requests + len, sizeof(requests) - len,
		    "{\"do\":\"user-add\",\"user\":\"u%03d\",\"password\":"
		    "\"x\",\"tag\":%d}%s",
		    i, i, i < MANY - 1 ? "\n" : "");
	say(requests);
	for (int i = 0; i < MANY; i++) {
		int64_t tag;

		hear();
		tag = wire_get_number(stage.reply, "tag", -1);
		if (tag < 0 || tag >= MANY || seen[tag])
			break;
		seen[tag] = true;
		added += wire_get_bool(stage.reply, "ok");
	}
	is_number(added, MANY, "every request of many is carried out once");
}

static void
test_pages(void)
{
	char request[128], next[NAME_MAX_LEN + 1] = "";
	size_t users = 0;
	int pages = 0;
	bool again = true;

	while (again && pages < 100) {
		snprintf(request, sizeof(request),
		    "{\"do\":\"user-list\",\"max\":7,\"after\":\"%s\"}", next);
		say(request);
		hear();
		users += json_array_size(json_object_get(stage.reply, "users"));
		again = wire_get_bool(stage.reply, "more");
		snprintf(next, sizeof(next), "%.32s",
		    wire_get_string(stage.reply, "next"));
		pages++;
	}
	is_number((long long)users, 300, "a list in pages has everybody");
	ok(pages >= 43, "and no page has more than was asked for");
}

static void
test_notices(void)
{
	yes("{\"do\":\"notice\",\"text\":\"hi\"}", "a notice to all");
	is_number(
	    wire_get_number(stage.reply, "reached", 0), 300, "reaches all");
	yes("{\"do\":\"notice\",\"text\":\"hi\",\"to\":\"U007\"}", "to one");
	no("{\"do\":\"notice\",\"text\":\"hi\",\"to\":\"eve\"}", "no-such-user",
	    "to nobody");
	no("{\"do\":\"notice\",\"text\":\"hi\",\"to\":5}", "no-such-user",
	    "a recipient that is none is not everybody");
	no("{\"do\":\"notice\",\"text\":\"a\\u001bb\"}", "bad-request",
	    "an escape character");
	no("{\"do\":\"notice\"}", "bad-request", "no text");
}

static void
test_status(void)
{
	json_t *errors;

	yes("{\"do\":\"status\"}", "status");
	is_number(
	    wire_get_number(stage.reply, "users", 0), 300, "counts users");
	is_number(wire_get_number(stage.reply, "workers", 0), 7,
	    "and tells what the master knows");
	yes("{\"do\":\"metrics\"}", "metrics");
	ok(strstr(wire_get_string(stage.reply, "text"),
	       "\nchatd_users 300\n") != NULL,
	    "have a line for each number");
	yes("{\"do\":\"reload\"}", "reload");
	stage.reload_errors = 2;
	no("{\"do\":\"reload\"}", "bad-request", "a reload in vain");
	errors = json_object_get(stage.reply, "errors");
	is_number((long long)json_array_size(errors), 2, "tells the errors");
	ok(strchr(json_string_value(json_array_get(errors, 1)), '\033') == NULL,
	    "escaped");
	no("{\"do\":\"dance\"}", "bad-request", "an unknown command");
	yes("{\"do\":\"session-list\",\"all\":true}",
	    "goes on after all of that");
}

/* Connects to the socket, says something, returns the replies' last. */
static char *
visit(const char *words, size_t len)
{
	struct line_buf in = {0};
	int fd = unix_connect(stage.socket);
	char *line, *last = NULL;

	if (fd == -1)
		give_up("connect");
	if (fd_write_all(fd, words, len) == -1 || shutdown(fd, SHUT_WR) == -1)
		printf("# %s\n", strerror(errno));
	while ((line = next_line(fd, &in)) != NULL) {
		free(last);
		last = line;
	}
	close(fd);
	line_release(&in);
	return last;
}

/* Claims that a malformed line is answered, and ends the connection. */
static void
malformed(const char *words, size_t len, const char *what)
{
	char *reply = visit(words, len);

	ok(reply && strstr(reply, "bad-request"), "%s", what);
	free(reply);
}

static void
test_malformed(void)
{
	char *reply;

	malformed("hi\n{}\n", 6, "what is not JSON");
	malformed("{\"do\":\"status\"\n", 15, "half an object");
	malformed("{\"a\":\"\0\"}\n", 10, "a NUL");
	malformed("{\"a\":\"\xff\"}\n", 10, "what is not UTF-8");
	malformed("{\"a\":1,\"a\":2}\n", 14, "a key twice");
	malformed("[[[[[[[[[[[[\n", 13, "too deep");
	reply = visit("{\"do\":", 6);
	is(reply, NULL, "half a line is nothing");
	reply = visit("{\"do\":\"status\"}\n{\"do\":\"session-list\"}\n", 39);
	ok(reply != NULL, "who says it all and hangs up is answered");
	free(reply);
}

static void
test_crowd(void)
{
	enum { CROWD = 15 }; /* beside the one that is there */
	int fds[CROWD];
	char *reply;
	int served = 0;

	for (int i = 0; i < CROWD; i++) {
		struct line_buf in = {0};

		fds[i] = unix_connect(stage.socket);
		fd_write_all(fds[i], "{\"do\":\"status\"}\n", 16);
		reply = next_line(fds[i], &in);
		served += reply && strstr(reply, "\"ok\":true");
		free(reply);
		line_release(&in);
	}
	is_number(served, CROWD, "a crowd is served");
	reply = visit("", 0);
	ok(reply && strstr(reply, "busy"), "one too many is told so");
	free(reply);
	for (int i = 0; i < CROWD; i++)
		close(fds[i]);
	yes("{\"do\":\"user-list\",\"max\":1}", "the others go on");
	reply = visit("{\"do\":\"status\"}\n", 16);
	ok(reply && strstr(reply, "\"ok\":true"), "and there is room again");
	free(reply);
}

/* Without a master: as chatctl starts it where no centre runs. */
static void
test_alone(void)
{
	start(false);
	yes("{\"do\":\"status\"}", "a store without a master answers");
	ok(!wire_get_bool(stage.reply, "running"), "and does not claim to run");
	no("{\"do\":\"reload\"}", "offline", "there is nothing to reload");
	yes("{\"do\":\"user-add\",\"user\":\"late\",\"password\":\"x\"}",
	    "but users can be added");
	is_number(stop(), 0, "it ends with its administrator");
}

/* Likewise, and its keeper is killed: nobody will start another one. */
static void
test_forsaken(void)
{
	struct pollfd asked;

	start(false);
	say("{\"do\":\"user-add\",\"user\":\"lost\",\"password\":\"x\"}");
	asked = (struct pollfd){.fd = stage.keeper, .events = POLLIN};
	if (poll(&asked, 1, PATIENCE_MS) != 1)
		give_up("the keeper is not asked");
	close(stage.keeper);
	stage.keeper = -1;
	hear();
	is(wire_get_string(stage.reply, "error"), "internal",
	    "who waits for a keeper that is gone is told");
	no("{\"do\":\"user-add\",\"user\":\"lost\",\"password\":\"x\"}",
	    "internal", "so is who comes later");
	is_number(stop(), 0, "and the store ends with its administrator");
	start(false);
	say("{\"do\":\"user-add\",\"user\":\"lost\",\"password\":\"x\"}");
	asked.fd = stage.keeper;
	if (poll(&asked, 1, PATIENCE_MS) != 1)
		give_up("the keeper is not asked");
	shutdown(stage.admin, SHUT_RDWR);
	close(stage.keeper);
	stage.keeper = -1;
	is_number(stop(), 0, "it does so with both gone");
}

/* Removes the directory and its files. */
static void
clean(void)
{
	DIR *dir = opendir(stage.dir);
	struct dirent *entry;

	while (dir && (entry = readdir(dir)) != NULL)
		unlinkat(dirfd(dir), entry->d_name, 0);
	if (dir)
		closedir(dir);
	rmdir(stage.dir);
}

int
main(void)
{
	signal(SIGPIPE, SIG_IGN);
	strcpy(stage.dir, "/tmp/control-test.XXXXXX");
	if (!mkdtemp(stage.dir))
		give_up("no directory");
	snprintf(
	    stage.socket, sizeof(stage.socket), "%s/control.sock", stage.dir);
	start(true);
	test_users();
	test_deleted();
	test_pipeline();
	test_pages();
	test_notices();
	test_status();
	test_malformed();
	test_crowd();
	is_number(stop(), 0, "the store ends with its master");
	test_alone();
	test_forsaken();
	clean();
	return done();
}
