/* SPDX-License-Identifier: ISC */
/*
 * The link to a centre.  Runs in chatctl; where no centre runs it holds the
 * lock of the state directory and forks a store and a keeper, so that the
 * database is never touched by two.
 */
#include <errno.h>
#include <poll.h>
#include <pwd.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>
#include <time.h>
#include <unistd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "chatctl/centre.h"
#include "chatctl/commands.h"
#include "chatd/keeper/keeper.h"
#include "chatd/places.h"
#include "chatd/sandbox.h"
#include "chatd/store/store.h"
#include "lib/log.h"
#include "lib/unix.h"
#include "lib/wire.h"

enum {
	PATIENCE_MS = 120000, /* for a reply */
	LOCK_MS = 10000, /* while another one starts, ends or works */
	LOCK_PAUSE_MS = 50,
};

/* Connects; -1 with errno. */
static int
connect_control(const struct settings *settings)
{
	char *path = place_path(settings->runtime_directory, PLACE_CONTROL);
	int fd = unix_connect(path), saved = errno;

	free(path);
	errno = saved;
	return fd;
}

/* True if errno means that nobody is there. */
static bool
nobody_there(void)
{
	return errno == ENOENT || errno == ECONNREFUSED || errno == ENOTDIR;
}

int
centre_forbidden(const struct settings *settings, const char *what)
{
	const char *name = settings->user;
	const struct passwd *owner;
	struct stat info;

	/* Whose the centre really is, where that can be seen. */
	if (stat(settings->state_directory, &info) == 0 &&
	    (owner = getpwuid(info.st_uid)) != NULL)
		name = owner->pw_name;
	if (strcmp(name, "root") == 0)
		complain("%s; run chatctl as root", what);
	else
		complain("%s; run chatctl as root or as %s", what, name);
	return EX_NOPERM;
}

static int
no_link(const struct settings *settings)
{
	char what[PLACES_WHY_LEN];
	bool forbidden = errno == EACCES || errno == EPERM;

	snprintf(what, sizeof(what), "%s/%s: %s", settings->runtime_directory,
	    PLACE_CONTROL, strerror(errno));
	if (forbidden)
		return centre_forbidden(settings, what);
	complain("%s", what);
	return EX_IOERR;
}

bool
centre_runs(const struct settings *settings, int *status)
{
	int fd = connect_control(settings);

	*status = 0;
	if (fd == -1 && !nobody_there())
		*status = no_link(settings);
	if (fd != -1)
		close(fd);
	return fd != -1;
}

/* Becomes whom the centre runs as, so that its files stay its own. */
static int
become(const struct settings *settings)
{
	struct sandbox_user user;
	char why[SANDBOX_WHY_LEN];
	int status = sandbox_user_find(settings->user, &user, why);

	if (status != 0) {
		complain("%s", why);
		return status;
	}
	if (sandbox_user_become(settings->user, &user) == -1) {
		complain("cannot become %s: %m", settings->user);
		return EX_NOPERM;
	}
	return 0;
}

/* The reason why there is no lock, in words of our own. */
static int
no_lock(const struct settings *settings, int status, const char *why)
{
	if (access(settings->state_directory, F_OK) == -1 && errno == ENOENT) {
		complain("%s is missing; `chatctl init` makes it",
		    settings->state_directory);
		return EX_CONFIG;
	}
	if (status == EX_NOPERM)
		return centre_forbidden(settings, why);
	complain("%s", why);
	return EX_IOERR;
}

/*
 * Takes the lock, or connects to the centre that has it meanwhile.  Gives
 * up where whoever has it answers nobody.
 */
static int
lock_or_connect(struct centre *centre, const struct settings *settings)
{
	const struct sandbox_user user = {.drop = false};
	const struct timespec pause = {.tv_nsec = LOCK_PAUSE_MS * 1000000L};
	int64_t end = clock_mono() + LOCK_MS;
	char why[PLACES_WHY_LEN];
	int status;

	for (;;) {
		errno = 0;
		status = place_lock(
		    settings->state_directory, &user, 0, &centre->lock, why);
		if (status == 0)
			return 0;
		if (errno != EWOULDBLOCK || clock_mono() >= end)
			return no_lock(settings, status, why);
		centre->fd = connect_control(settings);
		if (centre->fd != -1)
			return 0;
		nanosleep(&pause, NULL);
	}
}

int
centre_lock(const struct settings *settings, int *lock)
{
	const struct sandbox_user user = {.drop = false};
	char why[PLACES_WHY_LEN];
	int status;

	*lock = -1;
	if (centre_runs(settings, &status)) {
		complain("the centre runs; end it first");
		return CTL_REFUSED;
	}
	if (status == 0)
		status = become(settings);
	if (status != 0)
		return status;
	errno = 0;
	status =
	    place_lock(settings->state_directory, &user, LOCK_MS, lock, why);
	if (status == 0)
		return 0;
	if (errno == EWOULDBLOCK) {
		complain("%s", why);
		return CTL_REFUSED;
	}
	return no_lock(settings, status, why);
}

int
centre_copy(int from, int to)
{
	char data[65536];
	ssize_t got;

	for (;;) {
		got = read(from, data, sizeof(data));
		if (got == 0)
			return 0;
		if (got == -1 && errno == EINTR)
			continue;
		if (got == -1 || fd_write_all(to, data, (size_t)got) == -1)
			return -1;
	}
}

/* In a child: its name, its signals, none of our descriptors. */
static void
child_begin(const char *role, int *keep, size_t count)
{
	static const int ignored[] = {SIGINT, SIGTERM, SIGHUP, SIGQUIT};

	/* The end of the link ends it, after what was asked is done. */
	for (size_t i = 0; i < sizeof(ignored) / sizeof(ignored[0]); i++)
		signal(ignored[i], SIG_IGN);
	signal(SIGPIPE, SIG_IGN);
	umask(077);
	log_init("chatctl", role);
	log_set_level(LOG_LEVEL_WARN);
	sandbox_close_others(keep, count);
}

static pid_t
start_keeper(int channel)
{
	pid_t pid = fork();

	if (pid != 0)
		return pid;
	child_begin("keeper", &channel, 1);
	title_set("chatctl: keeper");
	keeper_main(-1, channel);
}

static pid_t
start_store(const struct settings *settings, int admin, int keeper, int lock)
{
	const struct store_start start = {.master = -1,
	    .keeper = keeper,
	    .control = -1,
	    .admin = admin,
	    .settings = settings};
	int keep[] = {admin, keeper, lock};
	pid_t pid = fork();

	if (pid != 0)
		return pid;
	child_begin("store", keep, 3);
	store_main(&start);
}

/* A centre without a network, for as long as we are connected to it. */
static int
start_own(struct centre *centre, const struct settings *settings)
{
	int channel[2] = {-1, -1}, admin[2] = {-1, -1};
	int *all[] = {&channel[0], &channel[1], &admin[1]};

	fflush(NULL);
	sandbox_prepare(settings);
	if (unix_pair(channel) == -1 ||
	    socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, admin) == -1 ||
	    (centre->keeper = start_keeper(channel[1])) == -1 ||
	    (centre->store = start_store(
		 settings, admin[1], channel[0], centre->lock)) == -1) {
		complain("cannot start a store: %m");
		centre->keeper = centre->keeper > 0 ? centre->keeper : 0;
		centre->store = 0;
	}
	for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++)
		if (*all[i] != -1)
			close(*all[i]);
	centre->fd = admin[0];
	if (centre->store != 0)
		return 0;
	centre_close(centre);
	return EX_OSERR;
}

int
centre_open(
    struct centre *centre, const struct settings *settings, bool running)
{
	int status;

	memset(centre, 0, sizeof(*centre));
	centre->lock = -1;
	centre->fd = connect_control(settings);
	if (centre->fd != -1)
		return 0;
	if (!nobody_there())
		return no_link(settings);
	if (running)
		return CTL_STOPPED;
	status = become(settings);
	if (status == 0)
		status = lock_or_connect(centre, settings);
	if (status == 0 && centre->fd == -1)
		status = start_own(centre, settings);
	return status;
}

/* What the end of our own store says; its reason is on stderr already. */
static int
store_status(int how)
{
	if (WIFEXITED(how) && WEXITSTATUS(how) == 0)
		return 0;
	if (WIFEXITED(how) && WEXITSTATUS(how) == EX_DATAERR)
		return EX_CONFIG;
	if (WIFEXITED(how) && WEXITSTATUS(how) == EX_NOPERM)
		return EX_NOPERM;
	return EX_IOERR;
}

static int
wait_for(pid_t *pid)
{
	int how = 0;

	if (*pid == 0)
		return 0;
	while (waitpid(*pid, &how, 0) == -1)
		if (errno != EINTR) {
			how = 0;
			break;
		}
	*pid = 0;
	return how;
}

int
centre_close(struct centre *centre)
{
	int status;

	if (centre->fd != -1)
		close(centre->fd);
	centre->fd = -1;
	line_release(&centre->in);
	status = store_status(wait_for(&centre->store));
	wait_for(&centre->keeper);
	if (centre->lock != -1)
		close(centre->lock);
	centre->lock = -1;
	return status;
}

/* The link broke: what was under way may have been done or not. */
static int
lost(struct centre *centre)
{
	bool own = centre->store != 0;
	int status = centre_close(centre);

	if (own)
		return status != 0 ? status : EX_IOERR;
	complain("the centre ended the connection; what was under way may or "
		 "may not have been done");
	return EX_IOERR;
}

int
centre_send(struct centre *centre, json_t *request, int64_t tag)
{
	char *line = NULL;
	size_t len = 0;
	int status, saved;

	if (request != NULL &&
	    json_object_set_new(request, "tag", json_integer(tag)) == 0)
		line = wire_line(request, &len);
	json_decref(request);
	if (line == NULL) {
		complain("no memory");
		return EX_OSERR;
	}
	status = fd_write_all(centre->fd, line, len);
	saved = errno;
	/* It may hold a password. */
	explicit_bzero(line, len);
	free(line);
	errno = saved;
	/* Whoever was turned away is told why, in what can still be read. */
	if (status == 0 || errno == EPIPE || errno == ECONNRESET)
		return 0;
	return lost(centre);
}

/* Reads what there is; false at the end, or when patience ends. */
static bool
read_more(struct centre *centre)
{
	struct pollfd wait = {.fd = centre->fd, .events = POLLIN};
	size_t room;
	char *to = line_room(&centre->in, &room);
	ssize_t got;
	int ready;

	if (to == NULL)
		return false;
	do
		ready = poll(&wait, 1, PATIENCE_MS);
	while (ready == -1 && errno == EINTR);
	if (ready == 0)
		complain("the centre does not answer");
	if (ready < 1)
		return false;
	do
		got = read(centre->fd, to, room);
	while (got == -1 && errno == EINTR);
	if (got < 1)
		return false;
	line_added(&centre->in, (size_t)got);
	return true;
}

/* Says why the centre will not; an exit status. */
static int
refusal(const json_t *reply)
{
	const char *error = wire_get_string(reply, "error");
	const char *text = wire_get_string(reply, "text");

	complain("%s", text != NULL ? text : "refused");
	if (error != NULL && strcmp(error, "not-allowed") == 0)
		return EX_NOPERM;
	return CTL_REFUSED;
}

int
centre_receive(struct centre *centre, json_t **reply)
{
	char why[WIRE_WHY_LEN], *line;
	enum line_state state;
	size_t len;
	int status = EX_IOERR;

	*reply = NULL;
	while ((state = line_take(&centre->in, &line, &len)) == LINE_NONE)
		if (!read_more(centre))
			return lost(centre);
	if (state == LINE_READY)
		*reply = wire_object(line, len, why);
	if (*reply != NULL && json_object_get(*reply, "tag") != NULL)
		return 0;
	/* That is about the link, not about one request. */
	if (*reply != NULL)
		status = refusal(*reply);
	else
		complain("the centre answered what is no reply");
	json_decref(*reply);
	*reply = NULL;
	centre_close(centre);
	return status;
}

int
centre_ask(struct centre *centre, json_t *request, json_t **reply)
{
	json_t *got = NULL;
	int status = centre_send(centre, request, 1);

	if (status == 0)
		status = centre_receive(centre, &got);
	if (status == 0 && !wire_get_bool(got, "ok"))
		status = refusal(got);
	if (reply != NULL)
		*reply = got;
	else
		json_decref(got);
	return status;
}
