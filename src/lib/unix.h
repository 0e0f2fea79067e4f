/* SPDX-License-Identifier: ISC */
/*
 * What Unix gives and libc does not wrap: descriptor passing, clocks,
 * process titles, limits.  Every call returns -1 with errno; nothing logs.
 */
#ifndef LIB_UNIX_H
#define LIB_UNIX_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>
#include <sys/uio.h>

/* Milliseconds that only grow, for durations and deadlines (BOOTTIME). */
int64_t clock_mono(void);

/* Milliseconds since 1970, for stamps that people read. */
int64_t clock_wall(void);

/* A pair of SOCK_SEQPACKET sockets, close-on-exec. */
int unix_pair(int pair[2]);

/*
 * Sends one message, with a descriptor unless fd is -1.  The descriptor
 * stays the caller's.  0, or -1 (EAGAIN where the socket does not block).
 * Processes that use it ignore SIGPIPE: a peer that went away is EPIPE.
 */
int unix_send(int sock, const struct iovec *parts, int count, int fd);

/*
 * Receives one message whole: its length, 0 at the end, -1 on error
 * (EMSGSIZE if it was longer than size).  *fd becomes the caller's
 * descriptor, or -1; with fd NULL one that came is closed.
 */
ssize_t unix_receive(int sock, void *buf, size_t size, int *fd);

/*
 * A listening stream socket at path with the mode, made under another name
 * and moved into place so that nobody meets it half made.
 */
int unix_listen(const char *path, mode_t mode);

/* Connects to the stream socket at path. */
int unix_connect(const char *path);

/* Sets no flags where they are so already. */
int fd_nonblock(int fd, bool on);

/* Writes everything, waiting where it must; -1 on error. */
int fd_write_all(int fd, const void *data, size_t len);

/*
 * Reads a file of at most limit bytes into fresh memory, NUL-terminated;
 * NULL with errno (EFBIG).  len may be NULL.
 */
char *file_read(const char *path, size_t limit, size_t *len);

/*
 * Writes a file whole or not at all: a new one beside it, fsync, rename.
 */
int file_replace(const char *path, const void *data, size_t len, mode_t mode);

/*
 * A name beside a damaged file's own under which it can be kept:
 * PATH.damaged-DATE, with a number where that is taken.  In fresh memory; NULL
 * without any, or where a hundred were taken within one second.
 */
char *file_aside_name(const char *path);

/* Makes a directory and its parents (as mkdir -p); 0 if it is there. */
int dir_make(const char *path, mode_t mode);

/* Before the first title: remembers where the kernel shows argv. */
void title_init(int argc, char **argv);

/* What ps shows for this process. */
void title_set(const char *title);

/* Random octets from the kernel; never fails. */
void random_fill(void *out, size_t len);

#endif
