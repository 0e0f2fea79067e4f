/* SPDX-License-Identifier: ISC */
/*
 * What Unix gives and libc does not wrap: descriptor passing, clocks, whole
 * files, process titles.  Any process; never logs, never exits (but for
 * random_fill(), without which nothing is safe).
 */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>

#include "lib/unix.h"

enum { ASIDE_MAX = 100 }; /* damaged files of one name and second */

enum { READ_FIRST = 4096 }; /* for files that do not tell their size */

/* Where the kernel shows argv, see title_init(). */
static char *title_start;
static size_t title_size;

/* The clock in milliseconds. */
static int64_t
clock_ms(clockid_t id)
{
	struct timespec now;

	clock_gettime(id, &now);
	return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

int64_t
clock_mono(void)
{
	return clock_ms(CLOCK_BOOTTIME);
}

int64_t
clock_wall(void)
{
	return clock_ms(CLOCK_REALTIME);
}

/* Closes what was opened in vain, keeps errno, gives -1. */
static int
close_failed(int fd)
{
	int saved = errno;

	close(fd);
	errno = saved;
	return -1;
}

int
unix_pair(int pair[2])
{
	return socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair);
}

/* Sends a message that brings a descriptor. */
static ssize_t
send_with(int sock, const struct iovec *parts, int count, int fd)
{
	union {
		struct cmsghdr align;
		char space[CMSG_SPACE(sizeof(int))];
	} control = {0};
	struct msghdr msg = {
	    .msg_iov = (struct iovec *)(uintptr_t)parts,
	    .msg_iovlen = (size_t)count,
	    .msg_control = &control,
	    .msg_controllen = sizeof(control),
	};
	struct cmsghdr *head = CMSG_FIRSTHDR(&msg);

	head->cmsg_level = SOL_SOCKET;
	head->cmsg_type = SCM_RIGHTS;
	head->cmsg_len = CMSG_LEN(sizeof(int));
	memcpy(CMSG_DATA(head), &fd, sizeof(int));
	return sendmsg(sock, &msg, MSG_NOSIGNAL);
}

int
unix_send(int sock, const struct iovec *parts, int count, int fd)
{
	ssize_t sent;

	/* Who never sends a descriptor must not need the call that can. */
	do
		sent = fd == -1 ? writev(sock, parts, count)
				: send_with(sock, parts, count, fd);
	while (sent == -1 && errno == EINTR);
	return sent == -1 ? -1 : 0;
}

/* Keeps the first descriptor that came, closes all others. */
static int
take_descriptor(struct msghdr *msg)
{
	int taken = -1;

	for (struct cmsghdr *head = CMSG_FIRSTHDR(msg); head;
	     head = CMSG_NXTHDR(msg, head)) {
		size_t count = (head->cmsg_len - CMSG_LEN(0)) / sizeof(int);

		if (head->cmsg_level != SOL_SOCKET ||
		    head->cmsg_type != SCM_RIGHTS)
			continue;
		for (size_t i = 0; i < count; i++) {
			int fd;

			memcpy(&fd, CMSG_DATA(head) + i * sizeof(int),
			    sizeof(int));
			if (taken == -1)
				taken = fd;
			else
				close(fd);
		}
	}
	return taken;
}

ssize_t
unix_receive(int sock, void *buf, size_t size, int *fd)
{
	union {
		struct cmsghdr align;
		char space[CMSG_SPACE(sizeof(int))];
	} control;
	struct iovec part = {.iov_base = buf, .iov_len = size};
	struct msghdr msg = {0};
	ssize_t got;
	int came;

	if (fd)
		*fd = -1;
	do {
		msg.msg_iov = &part;
		msg.msg_iovlen = 1;
		msg.msg_control = &control;
		msg.msg_controllen = sizeof(control);
		got = recvmsg(sock, &msg, MSG_CMSG_CLOEXEC);
	} while (got == -1 && errno == EINTR);
	if (got == -1)
		return -1;
	came = take_descriptor(&msg);
	if (msg.msg_flags & MSG_TRUNC) {
		if (came != -1)
			close(came);
		errno = EMSGSIZE;
		return -1;
	}
	if (fd)
		*fd = came;
	else if (came != -1)
		close(came);
	return got;
}

/* Writes a path into an address; -1 if it is too long. */
static int
unix_address(struct sockaddr_un *address, const char *path)
{
	size_t len = strlen(path);

	memset(address, 0, sizeof(*address));
	address->sun_family = AF_UNIX;
	if (len == 0 || len >= sizeof(address->sun_path)) {
		errno = len == 0 ? ENOENT : ENAMETOOLONG;
		return -1;
	}
	memcpy(address->sun_path, path, len);
	return 0;
}

int
unix_listen(const char *path, mode_t mode)
{
	struct sockaddr_un address;
	char fresh[sizeof(address.sun_path)];
	int fd, saved, len;

	len =
	    snprintf(fresh, sizeof(fresh), "%s.new.%ld", path, (long)getpid());
	if (len < 0 || (size_t)len >= sizeof(fresh)) {
		errno = ENAMETOOLONG;
		return -1;
	}
	if (unix_address(&address, fresh) == -1)
		return -1;
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd == -1)
		return -1;
	/* Left behind by a namesake that was killed. */
	unlink(fresh);
	if (bind(fd, (struct sockaddr *)&address, sizeof(address)) == -1)
		return close_failed(fd);
	/* Nobody can connect before listen(), so the mode comes first. */
	if (chmod(fresh, mode) == -1 || listen(fd, SOMAXCONN) == -1 ||
	    rename(fresh, path) == -1) {
		saved = errno;
		unlink(fresh);
		errno = saved;
		return close_failed(fd);
	}
	return fd;
}

int
unix_connect(const char *path)
{
	struct sockaddr_un address;
	int fd, status;

	if (unix_address(&address, path) == -1)
		return -1;
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd == -1)
		return -1;
	/* Only a full backlog makes it wait, and it may be tried again. */
	do
		status =
		    connect(fd, (struct sockaddr *)&address, sizeof(address));
	while (status == -1 && errno == EINTR);
	return status == -1 ? close_failed(fd) : fd;
}

int
fd_nonblock(int fd, bool on)
{
	int flags = fcntl(fd, F_GETFL), wanted;

	if (flags == -1)
		return -1;
	wanted = on ? flags | O_NONBLOCK : flags & ~O_NONBLOCK;
	if (wanted == flags)
		return 0;
	return fcntl(fd, F_SETFL, wanted) == -1 ? -1 : 0;
}

int
fd_write_all(int fd, const void *data, size_t len)
{
	struct pollfd wait = {.fd = fd, .events = POLLOUT};
	const char *from = data;
	ssize_t put;

	while (len > 0) {
		put = write(fd, from, len);
		if (put >= 0) {
			from += put;
			len -= (size_t)put;
		} else if (errno == EAGAIN) {
			if (poll(&wait, 1, -1) == -1 && errno != EINTR)
				return -1;
		} else if (errno != EINTR) {
			return -1;
		}
	}
	return 0;
}

/* Reads up to the end, or limit + 1 bytes; NULL with errno. */
static char *
read_whole(int fd, size_t size, size_t limit, size_t *len)
{
	char *data = NULL, *more;
	size_t used = 0;
	ssize_t got;

	for (;;) {
		if (size > limit)
			size = limit + 1;
		/* One byte beyond for the NUL. */
		more = realloc(data, size + 1);
		if (!more)
			break;
		data = more;
		got = read(fd, data + used, size - used);
		if (got == -1 && errno == EINTR)
			continue;
		if (got == -1)
			break;
		used += (size_t)got;
		if (got == 0 || used > limit) {
			data[used] = '\0';
			*len = used;
			return data;
		}
		if (used == size)
			size *= 2;
	}
	free(data);
	return NULL;
}

char *
file_read(const char *path, size_t limit, size_t *len)
{
	struct stat info;
	size_t used = 0, size = READ_FIRST;
	char *data = NULL;
	int fd, saved;

	if (limit > SIZE_MAX / 4)
		limit = SIZE_MAX / 4;
	fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
	if (fd == -1)
		return NULL;
	/* One more than the size, so that one read finds the end. */
	if (fstat(fd, &info) == 0 && S_ISREG(info.st_mode) && info.st_size > 0)
		size = (uintmax_t)info.st_size > limit
		    ? limit + 1
		    : (size_t)info.st_size + 1;
	data = read_whole(fd, size, limit, &used);
	if (data && used > limit) {
		free(data);
		data = NULL;
		errno = EFBIG;
	}
	saved = errno;
	close(fd);
	errno = saved;
	if (data && len)
		*len = used;
	return data;
}

/* The directory part of a path, in fresh memory; NULL: no memory. */
static char *
directory_of(const char *path)
{
	size_t len = strlen(path);

	while (len > 1 && path[len - 1] == '/')
		len--;
	while (len > 0 && path[len - 1] != '/')
		len--;
	while (len > 1 && path[len - 1] == '/')
		len--;
	return len == 0 ? strdup(".") : strndup(path, len);
}

/* Makes sure that a new name in the file's directory is on the disk. */
static int
directory_sync(const char *path)
{
	char *directory = directory_of(path);
	int fd, status;

	if (!directory)
		return -1;
	fd = open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	free(directory);
	if (fd == -1)
		return -1;
	status = fsync(fd);
	/* Some file systems have no fsync of directories, nor need one. */
	if (status == -1 && errno != EINVAL)
		return close_failed(fd);
	close(fd);
	return 0;
}

/* Writes a new file and brings it to the disk; -1 with errno. */
static int
write_synced(const char *path, const void *data, size_t len, mode_t mode)
{
	int fd;

	/* Left behind by a namesake that was killed. */
	unlink(path);
	/* The mode is widened only when all is there. */
	fd = open(
	    path, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
	if (fd == -1)
		return -1;
	if (fd_write_all(fd, data, len) == -1 || fchmod(fd, mode) == -1 ||
	    fsync(fd) == -1)
		return close_failed(fd);
	return close(fd);
}

int
file_replace(const char *path, const void *data, size_t len, mode_t mode)
{
	char *fresh;
	int saved;

	if (asprintf(&fresh, "%s.new.%ld", path, (long)getpid()) == -1)
		return -1;
	if (write_synced(fresh, data, len, mode) == -1 ||
	    rename(fresh, path) == -1) {
		saved = errno;
		unlink(fresh);
		free(fresh);
		errno = saved;
		return -1;
	}
	free(fresh);
	return directory_sync(path);
}

/* Makes the directory's parent, unless it is its own. */
static int
parent_make(const char *path)
{
	char *parent = directory_of(path);
	int status = -1, saved;

	if (!parent)
		return -1;
	if (strlen(parent) < strlen(path))
		status = dir_make(parent, 0755);
	saved = errno;
	free(parent);
	errno = saved;
	return status;
}

int
dir_make(const char *path, mode_t mode)
{
	struct stat info;

	if (mkdir(path, mode) == 0)
		return 0;
	if (errno == ENOENT && *path) {
		if (parent_make(path) == -1)
			return -1;
		if (mkdir(path, mode) == 0)
			return 0;
	}
	if (errno != EEXIST)
		return -1;
	if (stat(path, &info) == -1)
		return -1;
	if (S_ISDIR(info.st_mode))
		return 0;
	errno = ENOTDIR;
	return -1;
}

/*
 * Gives argv, the environment and libc's names copies of their own, so that
 * their old place can be overwritten.
 */
static int
strings_move(int argc, char **argv)
{
	char **moved;
	size_t count = 0;

	while (environ[count])
		count++;
	moved = calloc(count + 1, sizeof(*moved));
	if (!moved)
		return -1;
	for (size_t i = 0; i < count; i++) {
		moved[i] = strdup(environ[i]);
		if (!moved[i])
			return -1;
	}
	for (int i = 0; i < argc; i++) {
		char *copy = strdup(argv[i]);

		if (!copy)
			return -1;
		if (i == 0) {
			program_invocation_name = copy;
			program_invocation_short_name = strrchr(copy, '/');
			if (program_invocation_short_name)
				program_invocation_short_name++;
			else
				program_invocation_short_name = copy;
		}
		argv[i] = copy;
	}
	environ = moved;
	return 0;
}

void
title_init(int argc, char **argv)
{
	char *start = argc > 0 ? argv[0] : NULL, *end = start;

	if (!start || title_start)
		return;
	/* The strings lie one after the other; who changed them loses. */
	for (int i = 0; i < argc; i++)
		if (argv[i] == end)
			end += strlen(argv[i]) + 1;
	for (char **entry = environ; *entry; entry++)
		if (*entry == end)
			end += strlen(*entry) + 1;
	if (strings_move(argc, argv) == -1)
		return;
	title_start = start;
	title_size = (size_t)(end - start);
}

void
title_set(const char *title)
{
	size_t len = strlen(title);

	if (title_size == 0)
		return;
	if (len >= title_size)
		len = title_size - 1;
	memset(title_start, 0, title_size);
	memcpy(title_start, title, len);
}

char *
file_aside_name(const char *path)
{
	char stamp[32], more[8] = "", *name = NULL;
	time_t now = time(NULL);
	struct tm tm;

	localtime_r(&now, &tm);
	strftime(stamp, sizeof(stamp), "%Y%m%d-%H%M%S", &tm);
	for (int i = 1; i <= ASIDE_MAX; i++) {
		if (asprintf(&name, "%s.damaged-%s%s", path, stamp, more) == -1)
			return NULL;
		if (access(name, F_OK) == -1)
			return name;
		free(name);
		snprintf(more, sizeof(more), "-%d", i + 1);
	}
	return NULL;
}

void
random_fill(void *out, size_t len)
{
	unsigned char *to = out;

	while (len > 0) {
		ssize_t got = getrandom(to, len, 0);

		if (got == -1 && errno == EINTR)
			continue;
		if (got == -1)
			abort();
		to += got;
		len -= (size_t)got;
	}
}
