/* SPDX-License-Identifier: ISC */
/*
 * What is done with a file that is no book any more: it is recognized, said
 * so, and kept under another name.  Runs in whoever has the book open; must
 * never delete a byte, nor move a file that somebody else writes to.
 */
#include "chat/agent/book-parts.h"

#include <sys/file.h>

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "lib/unix.h"

/* Reads the whole file; 30 ms for 100,000 messages. */
int
book_check(struct book *book)
{
	sqlite3_stmt *stmt = book_prepare(book, "PRAGMA quick_check(1)", "");
	int status;
	bool sound;

	if (stmt == NULL)
		return -1;
	status = sqlite3_step(stmt);
	sound = status == SQLITE_ROW && strcmp(book_column(stmt, 0), "ok") == 0;
	if (book_finish(book, stmt, status) == -1)
		return -1;
	return sound ? 0 : book_damaged(book, "its parts do not fit together");
}

/* True if the book is ours alone; a visitor has to see that no agent runs. */
static bool
may_move(struct book *book)
{
	if (book->lock == NULL)
		return true;
	book->lock_fd = open(book->lock, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	return book->lock_fd != -1 &&
	    flock(book->lock_fd, LOCK_EX | LOCK_NB) == 0;
}

/* The file is no book any more: it will be kept aside. */
int
book_damaged(struct book *book, const char *reason)
{
	if (book->damaged)
		return -1;
	book->damaged = true;
	if (!may_move(book)) {
		snprintf(book->why, sizeof(book->why),
		    "%.300s is damaged (%s), and an agent has it open: end it "
		    "with \"chat logout\"; the next start keeps the file aside",
		    book->path, reason);
		return -1;
	}
	book->aside = file_aside_name(book->path);
	snprintf(book->why, sizeof(book->why),
	    "%.300s was damaged (%s) and has been moved aside to %.340s; the "
	    "next start begins a new one.  What was not fetched yet is still "
	    "at the centre; the history, and what was not sent yet, are in "
	    "that file alone.",
	    book->path, reason, book->aside != NULL ? book->aside : "nowhere");
	return -1;
}

/* Moves a file of the book aside; 0 if it is not there. */
static int
move_one(const struct book *book, const char *suffix)
{
	char *from = NULL, *to = NULL;
	int result = -1;

	if (asprintf(&from, "%s%s", book->path, suffix) == -1)
		from = NULL;
	if (asprintf(&to, "%s%s", book->aside, suffix) == -1)
		to = NULL;
	if (from != NULL && to != NULL &&
	    (rename(from, to) == 0 || errno == ENOENT))
		result = 0;
	free(from);
	free(to);
	return result;
}

/* Moves a damaged book, which nobody has open any more, aside. */
int
book_aside(struct book *book)
{
	if (book->aside == NULL)
		return 0;
	/* The log first: a book without it would be opened as it stands. */
	if (move_one(book, "-wal") == 0 && move_one(book, "-shm") == 0 &&
	    move_one(book, "") == 0)
		return 0;
	snprintf(book->why, sizeof(book->why),
	    "%.300s is damaged and cannot be moved aside: %s", book->path,
	    strerror(errno));
	return -1;
}
