/* SPDX-License-Identifier: ISC */
/*
 * A disk that fails at a test's will: a library that is loaded before the C
 * library (LD_PRELOAD) and looks at the first octet of the file that
 * CHAT_FAULT names.  's': every sync fails with EIO; 'w': every write to a
 * place in a file fails with EIO.  Mapped, so that no process needs a right
 * to look.  Never used but by tests.
 */
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>
#include <sys/mman.h>

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

/* True, with errno set, if calls of that kind are to fail. */
static int
fails(char kind)
{
	if (mark == NULL || *mark != kind)
		return 0;
	errno = EIO;
	return 1;
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
