/* SPDX-License-Identifier: ISC */
/*
 * SQLite's memory past the sanitizers.  It is not SQLite that is looked
 * into, and watching each of its thousands of small pieces takes most of a
 * harness's time.
 */
#ifndef FUZZ_UNWATCHED_H
#define FUZZ_UNWATCHED_H

#include <stddef.h>
#include <string.h>

#include <sqlite3.h>

enum { UNWATCHED_HEAD = 16 }; /* before each piece: how long it is */

/* The C library's own, which no sanitizer takes the place of. */
void *__libc_malloc(size_t size);
void *__libc_realloc(void *old, size_t size);
void __libc_free(void *piece);

static inline void *
unwatched_head(void *piece)
{
	return (char *)piece - UNWATCHED_HEAD;
}

static inline void *
unwatched_piece(void *head, int size)
{
	if (head == NULL)
		return NULL;
	memcpy(head, &size, sizeof(size));
	return (char *)head + UNWATCHED_HEAD;
}

static inline void *
unwatched_malloc(int size)
{
	return unwatched_piece(
	    __libc_malloc((size_t)size + UNWATCHED_HEAD), size);
}

static inline void *
unwatched_realloc(void *old, int size)
{
	return unwatched_piece(
	    __libc_realloc(unwatched_head(old), (size_t)size + UNWATCHED_HEAD),
	    size);
}

static inline void
unwatched_free(void *piece)
{
	if (piece != NULL)
		__libc_free(unwatched_head(piece));
}

static inline int
unwatched_size(void *piece)
{
	int size = 0;

	if (piece != NULL)
		memcpy(&size, unwatched_head(piece), sizeof(size));
	return size;
}

static inline int
unwatched_roundup(int size)
{
	return (size + 7) & ~7;
}

static inline int
unwatched_init(void *arg)
{
	(void)arg;
	return SQLITE_OK;
}

static inline void
unwatched_shutdown(void *arg)
{
	(void)arg;
}

/* Before anything else of SQLite's is called. */
static inline int
sqlite_unwatched(void)
{
	static const sqlite3_mem_methods methods = {unwatched_malloc,
	    unwatched_free, unwatched_realloc, unwatched_size,
	    unwatched_roundup, unwatched_init, unwatched_shutdown, NULL};

	sqlite3_config(SQLITE_CONFIG_MEMSTATUS, 0);
	return sqlite3_config(SQLITE_CONFIG_MALLOC, &methods);
}

#endif
