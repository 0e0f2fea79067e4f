/* SPDX-License-Identifier: ISC */
/*
 * A system that fails at a test's will: a library that is loaded before the
 * C library (LD_PRELOAD) and looks at the first octet of the file that
 * CHAT_FAULT names.  's': every sync fails with EIO; 'w': every write to a
 * place in a file fails with EIO; 'p': chatd can fork no process; 'm': nor
 * can it for want of memory, and it accepts no connection either.  Mapped,
 * so that no process needs a right to look.  Never used but by tests.
 */
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <sys/mman.h>
#include <sys/socket.h>

static const volatile char *mark;

static void __attribute__((constructor)) look_at_mark(void)
{
	const char *path = getenv("CHAT_FAULT");
	int fd = path != NULL ? open(path, O_RDONLY | O_CLOEXEC) : -1;
	void *map;

	if (fd == -1)
		return;
	map = mmap(NULL, 1, PROT_READ, MAP_SHARED, fd, 0);
	close(fd);
	if (map != MAP_FAILED)
		mark = map;
}

/* True, with errno set to that, if calls of that kind are to fail. */
static int
fails_with(char kind, int error)
{
	if (mark == NULL || *mark != kind)
		return 0;
	errno = error;
	return 1;
}

static int
fails(char kind)
{
	return fails_with(kind, EIO);
}

static int
is_chatd(void)
{
	return strcmp(program_invocation_short_name, "chatd") == 0;
}

pid_t
fork(void)
{
	static pid_t (*real)(void);

	if (is_chatd() && (fails_with('p', EAGAIN) || fails_with('m', ENOMEM)))
		return -1;
	if (real == NULL)
		*(void **)&real = dlsym(RTLD_NEXT, "fork");
	return real();
}

int
accept4(int fd, struct sockaddr *from, socklen_t *len, int flags)
{
	static int (*real)(int, struct sockaddr *, socklen_t *, int);

	if (is_chatd() && fails_with('m', ENOMEM))
		return -1;
	if (real == NULL)
		*(void **)&real = dlsym(RTLD_NEXT, "accept4");
	return real(fd, from, len, flags);
}

int
fsync(int fd)
{
	static int (*real)(int);

	if (fails('s'))
		return -1;
	if (real == NULL)
		*(void **)&real = dlsym(RTLD_NEXT, "fsync");
	return real(fd);
}

int
fdatasync(int fd)
{
	static int (*real)(int);

	if (fails('s'))
		return -1;
	if (real == NULL)
		*(void **)&real = dlsym(RTLD_NEXT, "fdatasync");
	return real(fd);
}

ssize_t
pwrite64(int fd, const void *data, size_t len, off64_t at)
{
	static ssize_t (*real)(int, const void *, size_t, off64_t);

	if (fails('w'))
		return -1;
	if (real == NULL)
		*(void **)&real = dlsym(RTLD_NEXT, "pwrite64");
	return real(fd, data, len, at);
}
