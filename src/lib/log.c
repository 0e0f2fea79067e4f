/* SPDX-License-Identifier: ISC */
/*
 * Where every process of the system says what happened.  One write(2) a
 * line, each escaped as a whole, so that no peer can forge one, and none is
 * torn by another process's; who has the descriptor can add what it likes.
 * Never allocates, never waits for the network.
 */
#include <errno.h>
#include <fcntl.h>
#include <paths.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <syslog.h>
#include <time.h>
#include <unistd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>

#include "lib/log.h"
#include "lib/text.h"
#include "lib/unix.h"

enum {
	LOG_LINE_MAX = 4096, /* what a pipe takes in one piece (PIPE_BUF) */
	PREFIX_MAX = 256,
	PACE_MS = 60000, /* between two lines of log_paced() */
};

static struct {
	const char *program, *role;
	enum log_level level;
	char *path; /* NULL unless it goes to a file */
	int fd;
	bool syslog; /* fd is a socket to it, connected or not */
	bool stays; /* see log_stay() */
	bool journal; /* which adds the time and the process by itself */
	bool torn; /* the last line has no end yet */
	unsigned long lost; /* lines since the last one that came out */
} out = {.program = "chat", .level = LOG_LEVEL_INFO, .fd = STDERR_FILENO};

/* True if stderr is the journal itself (systemd.exec(5)). */
static bool
stderr_is_journal(void)
{
	const char *stream = getenv("JOURNAL_STREAM");
	unsigned long long device, inode;
	struct stat info;

	return stream && sscanf(stream, "%llu:%llu", &device, &inode) == 2 &&
	    fstat(STDERR_FILENO, &info) == 0 && info.st_dev == device &&
	    info.st_ino == inode;
}

void
log_init(const char *program, const char *role)
{
	out.program = program;
	out.role = role;
	if (out.fd == STDERR_FILENO)
		out.journal = stderr_is_journal();
	/* While the time zone's file can still be read. */
	tzset();
}

void
log_role(const char *role)
{
	out.role = role;
}

/* Opens a log file to append to. */
static int
open_file(const char *path)
{
	return open(
	    path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC | O_NOCTTY, 0640);
}

/* Connects to the system's log, also once more; -1 where there is none. */
static int
connect_syslog(int fd)
{
	static const struct sockaddr_un address = {
	    .sun_family = AF_UNIX, .sun_path = _PATH_LOG};

	return connect(fd, (const struct sockaddr *)&address, sizeof(address));
}

int
log_open(const char *to)
{
	bool to_syslog = strcmp(to, "syslog") == 0;
	char *path = NULL;
	int fd = STDERR_FILENO;

	if (to_syslog) {
		fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
		if (fd == -1)
			return -1;
		connect_syslog(fd);
	} else if (strcmp(to, "stderr") != 0) {
		path = strdup(to);
		fd = path ? open_file(path) : -1;
		if (fd == -1) {
			free(path);
			return -1;
		}
	}
	if (out.path || out.syslog)
		close(out.fd);
	free(out.path);
	out.path = path;
	out.fd = fd;
	out.syslog = to_syslog;
	out.journal = fd == STDERR_FILENO && stderr_is_journal();
	return 0;
}

void
log_reopen(void)
{
	int fd;

	if (out.syslog && !out.stays)
		connect_syslog(out.fd);
	if (!out.path)
		return;
	fd = open_file(out.path);
	if (fd == -1) {
		log_warn("cannot open the log again, %s: %m", out.path);
		return;
	}
	close(out.fd);
	out.fd = fd;
}

void
log_stay(void)
{
	out.stays = true;
}

void
log_settle(void)
{
	if ((!out.path && !out.syslog) ||
	    dup2(out.fd, STDERR_FILENO) != STDERR_FILENO)
		return;
	close(out.fd);
	free(out.path);
	out.path = NULL;
	out.fd = STDERR_FILENO;
}

int
log_descriptor(void)
{
	return out.fd;
}

const char *
log_file(void)
{
	return out.path;
}

void
log_set_level(enum log_level level)
{
	out.level = level;
}

bool
log_debugging(void)
{
	return out.level <= LOG_LEVEL_DEBUG;
}

/* Writes what stands before the text, as far as it fits. */
static size_t
prefix(char *to, size_t size)
{
	struct timespec now;
	struct tm tm;
	char stamp[32] = "";
	size_t len = 0;

	to[0] = '\0';
	if (out.journal) {
		snprintf(to, size, "%s%s%s: ", out.program, out.role ? " " : "",
		    out.role ? out.role : "");
		return strlen(to);
	}
	clock_gettime(CLOCK_REALTIME, &now);
	if (localtime_r(&now.tv_sec, &tm))
		len = strftime(stamp, sizeof(stamp), "%Y-%m-%d %H:%M:%S", &tm);
	snprintf(stamp + len, sizeof(stamp) - len, ".%03d",
	    (int)(now.tv_nsec / 1000000));
	snprintf(to, size, "%s %s[%ld]%s%s: ", stamp, out.program,
	    (long)getpid(), out.role ? " " : "", out.role ? out.role : "");
	return strlen(to);
}

/* Brings bytes out; false if a full disk did not take all of them. */
static bool
put(const char *data, size_t len)
{
	ssize_t done;

	while (len > 0) {
		done = write(out.fd, data, len);
		if (done == -1 && errno == EINTR)
			continue;
		if (done <= 0)
			return false;
		out.torn = data[done - 1] != '\n';
		data += done;
		len -= (size_t)done;
	}
	return true;
}

/*
 * Brings a line out.  What a full disk does not take is lost, and counted:
 * the next line begins at the left, and says how many are missing.
 */
static void
put_line(const char *line, size_t len)
{
	char note[PREFIX_MAX + 64];
	size_t used;

	if ((out.torn && !put("\n", 1)) || !put(line, len)) {
		out.lost++;
		return;
	}
	if (out.lost == 0)
		return;
	used = prefix(note, PREFIX_MAX);
	used += (size_t)snprintf(note + used, sizeof(note) - used,
	    "warning: %lu lines of the log are lost\n", out.lost);
	if (put(note, used))
		out.lost = 0;
}

/*
 * Sends a line as syslog(3) would, who would open a socket of its own where
 * ours fails: a process that may open none must never get there.
 */
static void
send_syslog(int priority, const char *line)
{
	char text[LOG_LINE_MAX + PREFIX_MAX], stamp[32] = "";
	time_t now = time(NULL);
	struct tm tm;
	int len;

	if (localtime_r(&now, &tm))
		strftime(stamp, sizeof(stamp), "%b %e %H:%M:%S", &tm);
	len = snprintf(text, sizeof(text), "<%d>%s %.64s[%ld]: %s",
	    LOG_DAEMON | priority, stamp, out.program, (long)getpid(), line);
	/* Who listens may have been started again; all share the socket. */
	for (int i = 0; i < 2; i++)
		if (send(out.fd, text, (size_t)len, MSG_NOSIGNAL) != -1 ||
		    out.stays || connect_syslog(out.fd) == -1)
			return;
}

/* Escapes, cuts and sends one line; word is that of the level. */
static void __attribute__((format(printf, 3, 0)))
say(int priority, const char *word, const char *fmt, va_list args)
{
	char text[LOG_LINE_MAX], line[LOG_LINE_MAX];
	int saved = errno, got;
	size_t len = 0, used, whole;

	got = vsnprintf(text, sizeof(text), fmt, args);
	if (got < 0)
		snprintf(text, sizeof(text), "%s", fmt);
	if (!out.syslog)
		len = prefix(line, PREFIX_MAX);
	else if (out.role)
		len = (size_t)snprintf(line, PREFIX_MAX, "%.100s: ", out.role);
	len += (size_t)snprintf(line + len, PREFIX_MAX, "%s", word);
	/* Four bytes less, for the dots and the newline. */
	whole = text_escape(
	    line + len, sizeof(line) - len - 4, text, strlen(text), TEXT_LOG);
	used = strlen(line + len);
	len += used;
	if (used < whole || got >= (int)sizeof(text)) {
		memcpy(line + len, "...", 4);
		len += 3;
	}
	if (out.syslog) {
		line[len] = '\0';
		send_syslog(priority, line);
	} else {
		line[len++] = '\n';
		put_line(line, len);
	}
	errno = saved;
}

void
log_debug(const char *fmt, ...)
{
	va_list args;

	if (out.level > LOG_LEVEL_DEBUG)
		return;
	va_start(args, fmt);
	say(LOG_DEBUG, "debug: ", fmt, args);
	va_end(args);
}

void
log_info(const char *fmt, ...)
{
	va_list args;

	if (out.level > LOG_LEVEL_INFO)
		return;
	va_start(args, fmt);
	say(LOG_INFO, "", fmt, args);
	va_end(args);
}

void
log_warn(const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	say(LOG_WARNING, "warning: ", fmt, args);
	va_end(args);
}

void
log_paced(struct log_pace *pace, const char *fmt, ...)
{
	int64_t now = clock_mono();
	char text[LOG_LINE_MAX];
	va_list args;

	if (pace->said && now - pace->said < PACE_MS) {
		pace->unsaid++;
		return;
	}
	va_start(args, fmt);
	vsnprintf(text, sizeof(text), fmt, args);
	va_end(args);
	if (pace->unsaid)
		log_warn("%s; and %lu times since the last such line", text,
		    pace->unsaid);
	else
		log_warn("%s", text);
	pace->said = now;
	pace->unsaid = 0;
}

void
fatal(int status, const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	say(LOG_CRIT, "fatal: ", fmt, args);
	va_end(args);
	exit(status);
}
