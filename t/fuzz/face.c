/* SPDX-License-Identifier: ISC */
/*
 * What a face says to the agent, at the agent's own door: octets into lines,
 * lines into wishes; and what comes back, as a face reads it.  Nothing is
 * done for any wish, but that a small book is read where a page of it is meant.
 */
#include <errno.h>
#include <string.h>
#include <unistd.h>
#include <sys/socket.h>
#include <sys/un.h>

#include "chat/agent/agent.h"
#include "chat/agent/desk-parts.h"
#include "chat/agent/door.h"
#include "lib/log.h"
#include "lib/unix.h"
#include "lib/wire.h"
#include "fuzz.h"
#include "unwatched.h"

static struct {
	struct loop *loop;
	struct door *door;
	struct loop_timer now;
	struct book *book;
	char dir[64], path[80];
	struct sockaddr_un address;
	int said, heard;
} the;

static bool
have_row(void *arg, const struct book_row *row)
{
	(void)arg;
	CLAIM(row->number > 0);
	return true;
}

/* Any line can be asked for a page: no words of it may break the book. */
static void
turn_page(const json_t *wish)
{
	struct desk_page wanted;
	bool start, end;

	if (desk_page_wish(wish, &wanted) != NULL)
		return;
	CLAIM(wanted.page.limit > 0 && wanted.page.limit <= DESK_PAGE_MAX);
	CLAIM(wanted.page.from == PAGE_NEWEST || wanted.page.row >= 0);
	CLAIM(wanted.page.user == NULL ||
	    strlen(wanted.page.user) <= NAME_MAX_LEN);
	CLAIM(book_page(the.book, &wanted.page, have_row, NULL, &start, &end) ==
	    0);
}

/* A line that came in is answered, as desk.c does for what it refuses. */
static void
answer(void *arg, struct face_end *face, char *line, size_t len)
{
	char why[WIRE_WHY_LEN];
	json_t *wish = wire_object(line, len, why);

	(void)arg;
	the.said++;
	if (wish == NULL) {
		CLAIM(why[0] != '\0');
		door_send(face, desk_refuse(NULL, "bad-request", why));
		return;
	}
	wire_get_string(wish, "do");
	wire_get_number(wish, "row", 0);
	turn_page(wish);
	desk_wipe(wish);
	door_send(face,
	    desk_refuse(json_object_get(wish, "tag"), "not-allowed", "No."));
	json_decref(wish);
}

static void
nothing(void *arg, struct face_end *face)
{
	(void)arg;
	(void)face;
}

static void
left(void *arg)
{
	(void)arg;
}

static void
stop(void *arg)
{
	loop_stop(arg);
}

static void
do_nothing(void *arg)
{
	(void)arg;
}

static void
turn(void)
{
	loop_timer(the.loop, &the.now, 0, do_nothing, NULL);
	loop_run(the.loop);
}

static void
clear_away(void)
{
	static const char *const ends[] = {"", "-wal", "-shm"};
	char path[96];

	for (int i = 0; i < 3; i++) {
		snprintf(path, sizeof(path), "%s%s", the.path, ends[i]);
		unlink(path);
	}
	unlink(the.address.sun_path);
	rmdir(the.dir);
}

/* A book with something in it. */
static void
write_book(void)
{
	static const char *const texts[] = {"hi", "a NEAR b", "\"x\" - *"};
	char why[BOOK_WHY_LEN];
	int64_t row;

	snprintf(the.path, sizeof(the.path), "%s/book.db", the.dir);
	the.book = book_open(the.path, "alice", why);
	CLAIM(the.book != NULL);
	for (int i = 0; i < 3; i++)
		CLAIM(book_queue(the.book, texts[i], i > 0 ? "bob" : "",
			  texts[i], 1, &row) == 0);
}

static void
begin(void)
{
	static const struct door_calls calls = {answer, nothing, left};

	CLAIM(sqlite_unwatched() == SQLITE_OK);
	strcpy(the.dir, "/tmp/chat-fuzz.XXXXXX");
	CLAIM(mkdtemp(the.dir) != NULL);
	the.address.sun_family = AF_UNIX;
	snprintf(the.address.sun_path, sizeof(the.address.sun_path),
	    "%s/agent.sock", the.dir);
	atexit(clear_away);
	CLAIM(log_open("/dev/null") == 0);
	write_book();
	CLAIM((the.loop = loop_new()) != NULL);
	loop_after_turn(the.loop, stop, the.loop);
	the.door = door_open(the.loop, the.address.sun_path, &calls, NULL);
	CLAIM(the.door != NULL);
}

/* Reads what has come: whole lines that are objects. */
static void
hear(int fd, struct line_buf *in)
{
	char why[WIRE_WHY_LEN], *line, *to;
	size_t room, len;
	json_t *object;
	ssize_t got;

	for (;;) {
		to = line_room(in, &room);
		CLAIM(to != NULL);
		got = recv(fd, to, room, MSG_DONTWAIT);
		if (got <= 0)
			return;
		line_added(in, (size_t)got);
		while (line_take(in, &line, &len) == LINE_READY) {
			object = wire_object(line, len, why);
			CLAIM(object != NULL);
			CLAIM(!wire_get_bool(object, "ok"));
			json_decref(object);
			the.heard++;
		}
	}
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct line_buf in = {0};
	ssize_t sent;
	int fd;

	if (the.loop == NULL)
		begin();
	the.said = the.heard = 0;
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	CLAIM(fd != -1 &&
	    connect(fd, (struct sockaddr *)&the.address, sizeof(the.address)) ==
		0);
	while (size > 0) {
		sent = send(fd, data, size, MSG_DONTWAIT | MSG_NOSIGNAL);
		if (sent == -1 && errno != EAGAIN)
			break;
		if (sent > 0) {
			data += sent;
			size -= (size_t)sent;
		}
		turn();
		hear(fd, &in);
	}
	shutdown(fd, SHUT_WR);
	/* Until it has let go of us. */
	for (int i = 0; i < 1000 && (i < 2 || door_count(the.door) > 0); i++) {
		turn();
		hear(fd, &in);
	}
	CLAIM(door_count(the.door) == 0);
	/* A tag that is too long for a reply is all that is not answered. */
	CLAIM(the.heard <= the.said);
	line_release(&in);
	close(fd);
	turn();
	return 0;
}
