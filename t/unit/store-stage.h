/* SPDX-License-Identifier: ISC */
/*
 * The stage for tests of a whole store: it runs in a process of its own, and
 * the test is its master, its keeper and all of its workers.
 */
#ifndef UNIT_STORE_STAGE_H
#define UNIT_STORE_STAGE_H

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
#include "lib/log.h"
#include "lib/unix.h"
#include "tap.h"

enum { PATIENCE_MS = 20000, MOMENT_MS = 100 };

static uint64_t buffer[IPC_FRAME_MAX / 8];
static struct ipc_frame frame; /* the last that was received, in buffer */

static struct stage {
	pid_t pid;
	int master, keeper;
	int keep_days;
	int beacon; /* a UDP socket for the store, or -1 */
	uint32_t number; /* of the last question to the keeper */
	uint32_t ids; /* of messages */
	char dir[64];
} stage = {.keep_days = 7, .beacon = -1};

/* Ends the test itself. */
static _Noreturn inline void
give_up(const char *what)
{
	printf("Bail out! %s: %s\n", what, strerror(errno));
	if (stage.pid > 0)
		kill(stage.pid, SIGKILL);
	exit(1);
}

static inline void
start(void)
{
	struct settings settings = {.state_directory = stage.dir,
	    .rules = {.attempts = 3,
		.block_seconds = 60,
		.timeout = 90,
		.lifetime_days = 30,
		.message_bytes = 8192,
		.mailbox_messages = 10000,
		.registration = REGISTRATION_OPEN,
		.room_keep_days = stage.keep_days,
		.ask_seconds = 60,
		.pass_seconds = 3600,
		.private_enabled = true}};
	int m[2], k[2];

	if (unix_pair(m) == -1 || unix_pair(k) == -1)
		give_up("no channels");
	fflush(stdout);
	if ((stage.pid = fork()) == -1)
		give_up("no fork");
	if (stage.pid == 0) {
		struct store_start start = {.master = m[1],
		    .keeper = k[1],
		    .control = -1,
		    .beacons = &stage.beacon,
		    .beacon_count = stage.beacon != -1,
		    .admin = -1,
		    .settings = &settings};

		close(m[0]);
		close(k[0]);
		log_init("chatd", "store");
		/* It has much to warn of, and stays if the test gives up. */
		if (chdir(stage.dir) == -1 || !freopen("log", "a", stderr))
			give_up("no log");
		log_set_level(LOG_LEVEL_WARN);
		store_main(&start);
	}
	close(m[1]);
	close(k[1]);
	stage.master = m[0];
	stage.keeper = k[0];
}

/* Waits for the store's end: its exit status, or -1 for a signal. */
static inline int
ended(void)
{
	int how = -1;

	close(stage.master);
	while (waitpid(stage.pid, &how, 0) == -1 && errno == EINTR)
		continue;
	close(stage.keeper);
	stage.pid = 0;
	return WIFEXITED(how) ? WEXITSTATUS(how) : -1;
}

/* True if that end has something to say, or has ended. */
static inline bool
ready(int fd, int patience)
{
	struct pollfd pfd = {.fd = fd, .events = POLLIN};

	return poll(&pfd, 1, patience) == 1;
}

/* Introduces a worker to the store. */
static inline int
worker(void)
{
	struct ipc_serve serve = {
	    .from = {.family = AF_INET, .ip = {192, 0, 2, 7}}, .known = 1};
	int pair[2];

	if (unix_pair(pair) == -1 ||
	    ipc_send(stage.master, IPC_SERVE, 0, &serve, NULL, 0, pair[1]) ==
		-1)
		give_up("no worker");
	close(pair[1]);
	return pair[0];
}

static inline void
ask(int fd, enum ipc_type type, const void *body, const char *tail)
{
	if (ipc_send(fd, type, 1, body, tail, tail ? strlen(tail) : 0, -1) ==
	    -1)
		give_up("cannot ask");
}

/* The next answer's type; IPC_COUNT_OF_TYPES if the channel has ended. */
static inline enum ipc_type
hear(int fd)
{
	if (!ready(fd, PATIENCE_MS))
		give_up("no answer");
	if (ipc_receive(fd, ROLE_WORKER, ROLE_STORE, buffer, &frame) != 1)
		return IPC_COUNT_OF_TYPES;
	return frame.type;
}

/* The next answer's error; ERR_NONE if it is none. */
static inline enum wire_error
hear_error(int fd)
{
	struct ipc_refused refused;

	if (hear(fd) != IPC_REFUSED)
		return ERR_NONE;
	memcpy(&refused, frame.body, sizeof(refused));
	return (enum wire_error)refused.error;
}

/* How many attempts the last answer leaves. */
static inline int
attempts_left(void)
{
	struct ipc_refused refused;

	memcpy(&refused, frame.body, sizeof(refused));
	return refused.attempts_left;
}

/* The keeper's next question: its type. */
static inline enum ipc_type
asked(void)
{
	if (!ready(stage.keeper, PATIENCE_MS) ||
	    ipc_receive(
		stage.keeper, ROLE_KEEPER, ROLE_STORE, buffer, &frame) != 1)
		give_up("the keeper is not asked");
	stage.number = frame.number;
	return frame.type;
}

static inline void
judge_number(uint32_t number, enum verdict verdict)
{
	struct ipc_verdict out = {.verdict = verdict, .hash = "a hash"};

	if (ipc_send(stage.keeper, IPC_VERDICT, number, &out, NULL, 0, -1) ==
	    -1)
		give_up("cannot judge");
}

static inline void
judge(enum verdict verdict)
{
	judge_number(stage.number, verdict);
}

/* A keeper that died, and the next one. */
static inline void
next_keeper(void)
{
	static const struct ipc_none none;
	int pair[2];

	close(stage.keeper);
	if (unix_pair(pair) == -1 ||
	    ipc_send(stage.master, IPC_KEEPER, 0, &none, NULL, 0, pair[1]) ==
		-1)
		give_up("no keeper");
	close(pair[1]);
	stage.keeper = pair[0];
}

static inline void
ask_login(int fd, const char *user, bool brief)
{
	struct ipc_login login = {.password = "secret", .brief = brief};

	strcpy(login.user, user);
	ask(fd, IPC_LOGIN, &login, NULL);
}

/* Logs in on that channel; the token is "" for a brief login. */
static inline struct ipc_auth
login(int fd, const char *user, bool brief)
{
	struct ipc_welcome welcome;
	struct ipc_auth auth;

	ask_login(fd, user, brief);
	asked();
	judge(VERDICT_YES);
	if (hear(fd) != IPC_WELCOME)
		give_up("no welcome");
	memcpy(&welcome, frame.body, sizeof(welcome));
	memcpy(auth.token, welcome.token, sizeof(auth.token));
	return auth;
}

static inline void
sign_up(const char *user)
{
	struct ipc_register body = {.password = "secret"};
	int fd = worker();

	strcpy(body.user, user);
	ask(fd, IPC_REGISTER, &body, NULL);
	asked();
	judge(VERDICT_YES);
	if (hear(fd) != IPC_DONE)
		give_up("not registered");
	close(fd);
}

static inline void
ask_send(int fd, const struct ipc_auth *auth, const char *to)
{
	struct ipc_send_text body = {.auth = *auth};

	snprintf(body.id, sizeof(body.id), "message-id-%08u", ++stage.ids);
	strcpy(body.to, to);
	ask(fd, *to ? IPC_SEND : IPC_BROADCAST, &body, "hi");
}

static inline enum ipc_type
live(int fd, const struct ipc_auth *auth)
{
	struct ipc_live body = {.auth = *auth};

	ask(fd, IPC_LIVE, &body, NULL);
	return hear(fd);
}

/* Removes the directory and its files. */
static inline void
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

/* A directory of its own, a store in it, and who has an account there. */
static inline void
stage_open(const char *const *users, size_t count)
{
	signal(SIGPIPE, SIG_IGN);
	strcpy(stage.dir, "/tmp/store-test.XXXXXX");
	if (!mkdtemp(stage.dir))
		give_up("no directory");
	start();
	for (size_t i = 0; i < count; i++)
		sign_up(users[i]);
}

#endif
