/* SPDX-License-Identifier: ISC */
/*
 * The master's set-up, in order: directories, lock, listeners, then root is
 * dropped; the log, the control socket; and what is said once all is ready.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <pwd.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>
#include <netinet/in.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>

#include "chatd/master/state.h"
#include "chatd/places.h"
#include "lib/log.h"
#include "lib/unix.h"

enum {
	BACKLOG = 4096, /* for a moment without the processor under a flood */
	LOCK_SOON_MS = 300, /* then whoever waits is told for what */
	LOCK_MS = 5000, /* for the store of a master that was killed */
	DESCRIPTORS = 32768, /* the store has one for each worker */
	PORT_TRIES = 16, /* for a number that is free for both protocols */
	PORT_PAUSE_MS = 20, /* for the store of a master that was killed */
};

/* Where the log goes: without a terminal, stderr is nowhere. */
static const char *
log_target(const struct master *master)
{
	const struct master_start *start = master->start;

	if (start->debug)
		return "stderr";
	if (!start->foreground &&
	    strcmp(master->settings->log_to, "stderr") == 0)
		return "syslog";
	return master->settings->log_to;
}

int
start_failed(struct master *master, int status, const char *fmt, ...)
{
	char text[1024];
	va_list args;

	va_start(args, fmt);
	vsnprintf(text, sizeof(text), fmt, args);
	va_end(args);
	/* Before there is a control socket the log is stderr. */
	if (master->control != -1 && strcmp(log_target(master), "stderr") != 0)
		log_warn("%s", text);
	fprintf(stderr, "chatd: %s\n", text);
	return status;
}

/* The lock: of who was killed it is free in a moment, of who runs never. */
static int
take_lock(struct master *master, char why[PLACES_WHY_LEN])
{
	const char *directory = master->settings->state_directory;
	const struct sandbox_user *user = &master->start->user;
	int status;

	errno = 0;
	status = place_lock(directory, user, LOCK_SOON_MS, &master->lock, why);
	if (status == 0 || errno != EWOULDBLOCK)
		return status;
	fprintf(stderr,
	    "chatd: another chatd holds %s; waiting %d seconds for it to end\n",
	    directory, LOCK_MS / 1000);
	return place_lock(directory, user, LOCK_MS, &master->lock, why);
}

int
start_places(struct master *master)
{
	const struct settings *settings = master->settings;
	const struct sandbox_user *user = &master->start->user;
	char why[PLACES_WHY_LEN];
	int status;

	status = place_make(settings->state_directory, STATE_MODE, user, why);
	if (!status)
		status = place_make(
		    settings->runtime_directory, RUNTIME_MODE, user, why);
	if (!status)
		status = take_lock(master, why);
	return status ? start_failed(master, status, "%s", why) : 0;
}

/* A listening socket; -1 with errno. */
static int
listener_open(const struct sockaddr_storage *address, socklen_t len)
{
	const int on = 1;
	int sock = socket(
	    address->ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	int saved;

	if (sock == -1)
		return -1;
	if (setsockopt(sock, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on)) == 0 &&
	    (address->ss_family != AF_INET6 ||
		setsockopt(sock, IPPROTO_IPV6, IPV6_V6ONLY, &on, sizeof(on)) ==
		    0) &&
	    bind(sock, (const struct sockaddr *)address, len) == 0 &&
	    listen(sock, BACKLOG) == 0)
		return sock;
	saved = errno;
	close(sock);
	errno = saved;
	return -1;
}

static bool
is_any_port(const struct sockaddr_storage *address)
{
	struct sockaddr_in6 v6;
	struct sockaddr_in v4;

	if (address->ss_family == AF_INET6) {
		memcpy(&v6, address, sizeof(v6));
		return v6.sin6_port == 0;
	}
	memcpy(&v4, address, sizeof(v4));
	return v4.sin_port == 0;
}

/* A socket that was handed over, made as if we had opened it; or -1. */
static int
listener_adopt(struct handed *handed, const struct sockaddr_storage *address)
{
	int sock = handed_take(handed, SOCK_STREAM, address);

	/* Listening already, it gets our backlog. */
	if (sock != -1)
		listen(sock, BACKLOG);
	return sock;
}

/* The socket of the beacon beside a listener; -1 with errno. */
static int
beacon_start(
    struct handed *handed, const struct sockaddr_storage *at, socklen_t len)
{
	int sock = handed_take(handed, SOCK_DGRAM, at);

	if (sock == -1)
		return port_open(at, len);
	return port_adopt(sock, at) == -1 ? -1 : sock;
}

/*
 * Opens both sockets of a listener under one number.  -1 with errno, and the
 * protocol that failed in how.
 */
static int
listener_start(struct listener *listener, struct handed *handed,
    const struct sockaddr_storage *address, socklen_t len, bool beacon,
    const char **how)
{
	struct sockaddr_storage at;
	int saved;

	for (int try = 0; try < PORT_TRIES; try++) {
		socklen_t at_len = sizeof(at);

		*how = "TCP";
		listener->fd = listener_adopt(handed, address);
		listener->handed = listener->fd != -1;
		if (listener->fd == -1)
			listener->fd = listener_open(address, len);
		if (listener->fd == -1)
			return -1;
		getsockname(listener->fd, (struct sockaddr *)&at, &at_len);
		ipc_address_set(&listener->at, (struct sockaddr *)&at);
		if (!beacon)
			return 0;
		*how = "UDP";
		listener->beacon = beacon_start(handed, &at, at_len);
		if (listener->beacon != -1)
			return 0;
		saved = errno;
		close(listener->fd);
		listener->fd = -1;
		errno = saved;
		if (errno != EADDRINUSE)
			break;
		if (!is_any_port(address)) {
			poll(NULL, 0, PORT_PAUSE_MS);
			errno = saved;
		}
	}
	return -1;
}

/* True if the error says that the machine lacks the address's family. */
static bool
family_missing(int error)
{
	return error == EAFNOSUPPORT || error == EADDRNOTAVAIL ||
	    error == EPROTONOSUPPORT;
}

int
start_listeners(struct master *master)
{
	const struct settings *settings = master->settings;
	bool may_miss = settings_listen_is_default(settings);
	struct sockaddr_storage address;
	const char *how = "TCP";
	size_t count = 0;
	socklen_t len;

	while (settings->listen[count])
		count++;
	master->listeners = calloc(count + 1, sizeof(*master->listeners));
	if (!master->listeners)
		return start_failed(master, EX_OSERR, "no memory");
	for (size_t i = 0; i < count; i++) {
		struct listener *listener =
		    &master->listeners[master->listener_count];
		const char *text = settings->listen[i];

		listener->fd = listener->beacon = -1;
		if (listen_parse(text, &address, &len) == -1 ||
		    listener_start(listener, master->start->handed, &address,
			len, settings->beacon_enabled, &how) == -1) {
			if (may_miss && family_missing(errno)) {
				log_warn("not listening on %s: %m", text);
				continue;
			}
			return start_failed(master,
			    errno == EACCES ? EX_NOPERM : EX_UNAVAILABLE,
			    "cannot listen on %s (%s): %s", text, how,
			    strerror(errno));
		}
		listener->master = master;
		listener->watch.fd = -1;
		master->listener_count++;
	}
	handed_close(master->start->handed);
	if (master->listener_count == 0)
		return start_failed(
		    master, EX_UNAVAILABLE, "there is nothing to listen on");
	return 0;
}

/* Lets the store have a descriptor for each worker. */
static void
raise_limit(void)
{
	struct rlimit limit;

	if (getrlimit(RLIMIT_NOFILE, &limit) == -1 ||
	    limit.rlim_cur >= DESCRIPTORS)
		return;
	limit.rlim_cur =
	    limit.rlim_max < DESCRIPTORS ? limit.rlim_max : DESCRIPTORS;
	setrlimit(RLIMIT_NOFILE, &limit);
}

/* Both directories must be ours, now that we are who we shall be. */
static int
check_directory(struct master *master, const char *path)
{
	const struct passwd *who;
	int error;

	if (access(path, R_OK | W_OK | X_OK) == 0)
		return 0;
	error = errno;
	who = getpwuid(geteuid());
	return start_failed(master, error == EACCES ? EX_NOPERM : EX_CANTCREAT,
	    "%s: user %s cannot write there: %s", path,
	    who ? who->pw_name : "without a name", strerror(error));
}

int
start_rights(struct master *master)
{
	const struct settings *settings = master->settings;
	const char *to = log_target(master);
	int status;

	raise_limit();
	if (sandbox_user_become(settings->user, &master->start->user) == -1)
		return start_failed(master, EX_NOPERM,
		    "cannot become the user %s: %s", settings->user,
		    strerror(errno));
	if (geteuid() == 0)
		log_warn("running as root, since user is \"root\"");
	status = check_directory(master, settings->state_directory);
	if (!status)
		status = check_directory(master, settings->runtime_directory);
	if (status)
		return status;
	if (log_open(to) == -1)
		return start_failed(master,
		    errno == EACCES ? EX_NOPERM : EX_CANTCREAT,
		    "cannot open the log %s: %s", to, strerror(errno));
	master->control_path =
	    place_path(settings->runtime_directory, PLACE_CONTROL);
	master->pid_path = place_path(settings->runtime_directory, PLACE_PID);
	master->control = unix_listen(master->control_path, 0600);
	if (master->control == -1)
		return start_failed(master,
		    errno == EACCES ? EX_NOPERM : EX_CANTCREAT,
		    "cannot make %s: %s", master->control_path,
		    strerror(errno));
	notify_open();
	sandbox_prepare(settings);
	sandbox_enter(ROLE_MASTER);
	return 0;
}

int
start_tls(struct master *master)
{
	char why[TLS_WHY_LEN];
	int file;
	SSL_CTX *tls = keys_load(master, master->settings, &file, why);

	if (!tls)
		return start_failed(
		    master, EX_CONFIG, "%s: tls: %s", master->start->file, why);
	keys_use(master, tls, file);
	warm_others();
	if (exempt_load(
		master->settings, &master->exempt, &master->exempt_count) == -1)
		return start_failed(master, EX_OSERR, "no memory");
	return 0;
}

/* Says on which addresses the centre serves, in plain words. */
static void
say_ready(const struct master *master)
{
	char text[NETWORK_TEXT_LEN], line[NETWORK_TEXT_LEN + 32];
	int fd = master->start->ready_fd;

	for (size_t i = 0; i < master->listener_count; i++) {
		listen_text(&master->listeners[i].at, text);
		snprintf(line, sizeof(line), "chatd: ready on %s\n", text);
		fd_write_all(STDERR_FILENO, line, strlen(line));
		if (fd != -1)
			fd_write_all(fd, line, strlen(line));
	}
	if (fd != -1)
		close(fd);
}

/* Lets go of the terminal. */
static void
detach(void)
{
	int null = open("/dev/null", O_RDWR | O_CLOEXEC);

	if (null == -1)
		return;
	dup2(null, STDIN_FILENO);
	dup2(null, STDOUT_FILENO);
	dup2(null, STDERR_FILENO);
	close(null);
}

void
start_ready(struct master *master)
{
	char text[64];

	snprintf(text, sizeof(text), "%ld\n", (long)getpid());
	if (file_replace(master->pid_path, text, strlen(text), 0644) == 0)
		master->pid_written = true;
	else
		log_warn("cannot write %s: %m", master->pid_path);
	accept_start(master);
	say_ready(master);
	snprintf(text, sizeof(text), "READY=1\nMAINPID=%ld", (long)getpid());
	notify(text);
	if (!master->start->foreground)
		detach();
	if (master->start->parent != -1) {
		fd_write_all(master->start->parent, "", 1);
		close(master->start->parent);
	}
}

/* What a child that lasts begins with. */
static void
begin_lasting(const struct master *master)
{
	/* Who ends us is the master, by closing our channel, or by force. */
	static const int deaf[] = {SIGHUP, SIGINT, SIGTERM, SIGUSR1, SIGPIPE};

	for (size_t i = 0; i < sizeof(deaf) / sizeof(deaf[0]); i++)
		signal(deaf[i], SIG_IGN);
	loop_forget(master->loop);
	/* They need no TLS. */
	SSL_CTX_free(master->tls);
	if (!master->start->foreground)
		detach();
}

void
child_begin(struct master *master, enum ipc_role role)
{
	static const struct {
		enum ipc_role role;
		const char *name, *title;
	} names[] = {
	    {ROLE_STORE, "store", "chatd: store"},
	    {ROLE_KEEPER, "keeper", "chatd: keeper"},
	    {ROLE_WORKER, "worker", "chatd: worker"},
	};

	/* A worker keeps the master's mask until it has one of its own. */
	if (role != ROLE_WORKER)
		begin_lasting(master);
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (names[i].role == role) {
			title_set(names[i].title);
			log_role(names[i].name);
		}
}

void
start_undo(struct master *master)
{
	if (master->pid_written)
		unlink(master->pid_path);
	if (master->control != -1) {
		unlink(master->control_path);
		close(master->control);
	}
	if (master->lock != -1)
		close(master->lock);
	for (size_t i = 0; i < master->listener_count; i++) {
		if (master->listeners[i].fd != -1)
			close(master->listeners[i].fd);
		if (master->listeners[i].beacon != -1)
			close(master->listeners[i].beacon);
	}
	free(master->control_path);
	free(master->pid_path);
	free(master->listeners);
}
