/* SPDX-License-Identifier: ISC */
/*
 * The administrator's socket: who is connected, lines in, replies out.  Part
 * of the store's loop, so it never waits; a reply leaves after the commit
 * that it speaks of.  Takes orders from root and the centre's own user only.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <sys/socket.h>

#include "chatd/store/control-parts.h"
#include "lib/log.h"
#include "lib/unix.h"

enum {
	OUT_FIRST = 4096,
	ACCEPT_PAUSE_MS = 1000, /* without descriptors */
};

static const struct {
	const char *name;
	control_fn *fn;
	bool adds; /* not while the disk is full */
} rows[] = {
    {"user-add", control_user_add, true},
    {"user-check", control_user_check, false},
    {"user-passwd", control_user_passwd, false},
    {"user-delete", control_user_delete, false},
    {"user-lock", control_user_lock, false},
    {"user-unlock", control_user_unlock, false},
    {"user-list", control_user_list, false},
    {"invite-new", control_invite_new, true},
    {"invite-list", control_invite_list, false},
    {"invite-revoke", control_invite_revoke, false},
    {"session-list", control_session_list, false},
    {"session-end", control_session_end, false},
    {"notice", control_notice, true},
    {"backup", control_backup, true},
    {"backup-look", control_backup_look, false},
    {"status", control_status, false},
    {"metrics", control_metrics, false},
    {"reload", control_reload, false},
};

/* Puts bytes behind those that wait; they leave after the commit. */
static void
out_add(struct admin *admin, const char *data, size_t len)
{
	size_t size = admin->out_size ? admin->out_size : OUT_FIRST;
	char *out;

	while (size - admin->out_len < len)
		size *= 2;
	if (size != admin->out_size) {
		out = realloc(admin->out, size);
		if (out == NULL) {
			admin->broken = true;
			return;
		}
		admin->out = out;
		admin->out_size = size;
	}
	memcpy(admin->out + admin->out_len, data, len);
	admin->out_len += len;
}

void
control_reply(struct admin *admin, json_t *reply)
{
	size_t len = 0;
	char *line = reply != NULL ? wire_line(reply, &len) : NULL;

	json_decref(reply);
	if (line == NULL) {
		log_warn("no memory for an administrator");
		admin->broken = true;
		return;
	}
	out_add(admin, line, len);
	free(line);
}

void
control_accept(struct admin *admin, const json_t *request)
{
	control_reply(admin, wire_accept(json_object_get(request, "tag")));
}

void
control_refuse(struct admin *admin, const json_t *request,
    enum wire_error error, const char *text)
{
	control_reply(
	    admin, wire_refuse(json_object_get(request, "tag"), error, text));
}

bool
control_name(
    struct admin *admin, const json_t *request, char name[NAME_MAX_LEN + 1])
{
	const char *user = wire_get_string(request, "user");

	if (user != NULL && name_fold(user, strlen(user), name))
		return true;
	control_refuse(admin, request, ERR_BAD_REQUEST,
	    "A name has 1 to 32 of a-z 0-9 . _ - and begins with a letter or "
	    "a digit.");
	return false;
}

int
control_page(const json_t *request)
{
	int64_t max = wire_get_number(request, "max", PAGE_MAX);

	return max < 1 || max > PAGE_MAX ? PAGE_MAX : (int)max;
}

void
control_rows(struct admin *admin, const json_t *request, const char *key,
    json_t *list, const char *next, bool more)
{
	json_t *reply = wire_accept(json_object_get(request, "tag"));

	if (reply == NULL || json_object_set_new(reply, key, list) == -1 ||
	    json_object_set_new(reply, "more", json_boolean(more)) == -1 ||
	    json_object_set_new(reply, "next", json_string(next)) == -1) {
		json_decref(reply);
		reply = NULL;
	}
	control_reply(admin, reply);
}

void
control_time(json_t *object, const char *key, int64_t ms)
{
	char text[WIRE_TIME_LEN + 1];

	if (ms != 0)
		wire_time_format(ms, text);
	json_object_set_new(
	    object, key, ms != 0 ? json_string(text) : json_null());
}

void *
pending_new(struct admin *admin, const json_t *request, size_t size)
{
	struct pending *pending = calloc(1, size);

	if (pending == NULL) {
		control_refuse(admin, request, ERR_INTERNAL, NULL);
		return NULL;
	}
	pending->admin = admin;
	pending->tag = json_incref(json_object_get(request, "tag"));
	admin->pending++;
	return pending;
}

void
pending_free(struct pending *pending)
{
	if (pending->admin != NULL)
		pending->admin->pending--;
	json_decref(pending->tag);
	free(pending);
}

void
pending_append(struct pendings *list, struct pending *pending)
{
	pending->next = NULL;
	*list->end = pending;
	list->end = &pending->next;
}

struct pending *
pending_take(struct pendings *list)
{
	struct pending *pending = list->first;

	if (pending == NULL)
		return NULL;
	list->first = pending->next;
	if (list->first == NULL)
		list->end = &list->first;
	return pending;
}

void
pending_reply(const struct pending *pending, json_t *reply)
{
	if (pending->admin != NULL)
		control_reply(pending->admin, reply);
	else
		json_decref(reply);
}

/* A secret is overwritten where the library would only free it. */
static void
wipe_member(json_t *request, const char *key)
{
	json_t *value = json_object_get(request, key);

	if (json_is_string(value))
		ipc_wipe((char *)(uintptr_t)json_string_value(value),
		    json_string_length(value));
}

static void
handle(struct admins *admins, struct admin *admin, json_t *request)
{
	const char *name = wire_get_string(request, "do");

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		if (name != NULL && strcmp(rows[i].name, name) == 0) {
			if (rows[i].adds && db_short(admins->store->db))
				control_refuse(admin, request, ERR_READ_ONLY,
				    "The disk is full: nothing can be added "
				    "until there is space again.");
			else
				rows[i].fn(admins, admin, request);
			return;
		}
	control_refuse(admin, request, ERR_BAD_REQUEST,
	    "This centre does not know that command.");
}

/* What is no line of ours is answered, and ends the connection. */
static void
malformed(struct admin *admin, const char *why)
{
	control_reply(admin, wire_refuse(NULL, ERR_BAD_REQUEST, why));
	admin->ended = true;
	line_release(&admin->in);
}

static void
handle_line(struct admin *admin, char *line, size_t len)
{
	char why[WIRE_WHY_LEN];
	json_t *request = wire_object(line, len, why);

	ipc_wipe(line, len);
	if (request == NULL) {
		malformed(admin, why);
		return;
	}
	handle(admin->admins, admin, request);
	wipe_member(request, "password");
	json_decref(request);
}

/* True while another request may be begun. */
static bool
has_room(const struct admin *admin)
{
	return !admin->broken && admin->pending < PENDING_MAX &&
	    admin->out_len < OUT_MAX;
}

static void
take_lines(struct admin *admin)
{
	char *line;
	size_t len;

	while (has_room(admin)) {
		switch (line_take(&admin->in, &line, &len)) {
		case LINE_READY:
			handle_line(admin, line, len);
			break;
		case LINE_TOO_LONG:
			malformed(admin, "The line is too long.");
			return;
		case LINE_NONE:
			return;
		}
	}
}

static void
receive(struct admin *admin)
{
	size_t room;
	char *to = line_room(&admin->in, &room);
	ssize_t got;

	if (to == NULL) {
		admin->broken = true;
		return;
	}
	got = read(admin->fd, to, room);
	if (got > 0)
		line_added(&admin->in, (size_t)got);
	else if (got == 0)
		admin->ended = true;
	else if (errno != EAGAIN && errno != EINTR)
		admin->broken = true;
	take_lines(admin);
}

static void
admin_ready(void *arg, unsigned events)
{
	struct admin *admin = arg;

	store_tick(admin->admins->store);
	if (events & LOOP_WRITE)
		admin->full = false;
	if (events & LOOP_READ)
		receive(admin);
}

/* True for root and for whom the centre runs as. */
static bool
may_order(int fd)
{
	struct ucred peer;
	socklen_t len = sizeof(peer);

	if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &len) == -1)
		return false;
	if (peer.uid == 0 || peer.uid == geteuid())
		return true;
	log_warn("control: refused uid %ld (pid %ld)", (long)peer.uid,
	    (long)peer.pid);
	return false;
}

/* Says why not, if that is possible at once, and closes. */
static void
turn_away(int fd, enum wire_error error, const char *text)
{
	json_t *reply = wire_refuse(NULL, error, text);
	size_t len;
	char *line = reply != NULL ? wire_line(reply, &len) : NULL;

	if (line != NULL &&
	    send(fd, line, len, MSG_DONTWAIT | MSG_NOSIGNAL) == -1)
		log_debug("control: %m");
	free(line);
	json_decref(reply);
	close(fd);
}

static void
admin_open(struct admins *admins, int fd)
{
	struct admin *admin = NULL;

	for (int i = 0; i < ADMINS_MAX; i++)
		if (admins->admin[i].fd == -1)
			admin = &admins->admin[i];
	if (admin == NULL) {
		turn_away(fd, ERR_BUSY, "Too many administrators at a time.");
		return;
	}
	if (fd_nonblock(fd, true) == -1 ||
	    loop_add(admins->store->loop, &admin->watch, fd, LOOP_READ,
		admin_ready, admin) == -1) {
		log_warn("control: %m");
		close(fd);
		return;
	}
	admin->fd = fd;
	admins->count++;
}

static void
admin_close(struct admin *admin)
{
	struct admins *admins = admin->admins;

	loop_remove(admins->store->loop, &admin->watch);
	close(admin->fd);
	hashes_forget(admins, admin);
	backup_forget(admins, admin);
	for (struct pending *each = admins->counts.first; each != NULL;
	     each = each->next)
		if (each->admin == admin)
			each->admin = NULL;
	for (struct pending *each = admins->reloads.first; each != NULL;
	     each = each->next)
		if (each->admin == admin)
			each->admin = NULL;
	if (admins->notice.pending != NULL &&
	    admins->notice.pending->admin == admin)
		admins->notice.pending->admin = NULL;
	line_release(&admin->in);
	free(admin->out);
	memset(admin, 0, sizeof(*admin));
	admin->admins = admins;
	admin->fd = -1;
	admins->count--;
}

static void
listen_again(void *arg)
{
	struct admins *admins = arg;

	loop_want(admins->store->loop, &admins->listener_watch, LOOP_READ);
}

static void
connected(void *arg, unsigned events)
{
	struct admins *admins = arg;
	int fd =
	    accept4(admins->listener, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);

	(void)events;
	if (fd == -1) {
		if (errno == EAGAIN || errno == EINTR || errno == ECONNABORTED)
			return;
		log_warn("control: %m");
		loop_want(admins->store->loop, &admins->listener_watch, 0);
		loop_timer(admins->store->loop, &admins->listener_again,
		    ACCEPT_PAUSE_MS, listen_again, admins);
		return;
	}
	if (may_order(fd))
		admin_open(admins, fd);
	else
		turn_away(fd, ERR_NOT_ALLOWED,
		    "Only root and the user of the centre may do that.");
}

struct admins *
control_new(struct store *store, int listener, int admin)
{
	struct admins *admins = calloc(1, sizeof(*admins));

	if (admins == NULL)
		return NULL;
	admins->store = store;
	admins->listener = listener;
	admins->hashes.end = &admins->hashes.first;
	admins->counts.end = &admins->counts.first;
	admins->reloads.end = &admins->reloads.first;
	for (int i = 0; i < ADMINS_MAX; i++) {
		admins->admin[i].admins = admins;
		admins->admin[i].fd = -1;
	}
	if (listener != -1 &&
	    (fd_nonblock(listener, true) == -1 ||
		loop_add(store->loop, &admins->listener_watch, listener,
		    LOOP_READ, connected, admins) == -1)) {
		free(admins);
		return NULL;
	}
	backup_init(admins);
	if (admin != -1)
		admin_open(admins, admin);
	return admins;
}

static void
pendings_free(struct pendings *list)
{
	struct pending *pending;

	while ((pending = pending_take(list)) != NULL)
		pending_free(pending);
}

void
control_free(struct admins *admins)
{
	if (admins == NULL)
		return;
	for (int i = 0; i < ADMINS_MAX; i++)
		if (admins->admin[i].fd != -1)
			admin_close(&admins->admin[i]);
	hashes_free(admins);
	notice_free(admins);
	backup_free(admins);
	pendings_free(&admins->counts);
	pendings_free(&admins->reloads);
	loop_timer_stop(admins->store->loop, &admins->again);
	loop_timer_stop(admins->store->loop, &admins->listener_again);
	if (admins->listener != -1) {
		loop_remove(admins->store->loop, &admins->listener_watch);
		close(admins->listener);
	}
	free(admins);
}

/* Brings out what the socket takes. */
static void
out_send(struct admin *admin)
{
	ssize_t sent;

	while (admin->out_len > 0 && !admin->full && !admin->broken) {
		sent =
		    send(admin->fd, admin->out, admin->out_len, MSG_NOSIGNAL);
		if (sent > 0) {
			admin->out_len -= (size_t)sent;
			memmove(admin->out, admin->out + sent, admin->out_len);
		} else if (sent == -1 && errno == EAGAIN) {
			admin->full = true;
		} else if (sent == 0 || errno != EINTR) {
			admin->broken = true;
		}
	}
}

/* True once nothing more can come of it. */
static bool
is_over(struct admin *admin)
{
	return admin->broken ||
	    (admin->ended && admin->pending == 0 && admin->out_len == 0 &&
		!line_waiting(&admin->in));
}

static void
take_lines_again(void *arg)
{
	struct admins *admins = arg;

	store_tick(admins->store);
	for (int i = 0; i < ADMINS_MAX; i++)
		if (admins->admin[i].fd != -1)
			take_lines(&admins->admin[i]);
}

/* What it waits for follows from its state alone. */
static void
plan(struct admins *admins, struct admin *admin)
{
	unsigned events = admin->full ? LOOP_WRITE : 0;

	if (!admin->ended && has_room(admin))
		events |= LOOP_READ;
	loop_want(admins->store->loop, &admin->watch, events);
	if (has_room(admin) && line_waiting(&admin->in))
		loop_timer(admins->store->loop, &admins->again, 0,
		    take_lines_again, admins);
}

void
control_flush(struct admins *admins)
{
	for (int i = 0; i < ADMINS_MAX; i++) {
		struct admin *admin = &admins->admin[i];

		if (admin->fd == -1)
			continue;
		out_send(admin);
		if (is_over(admin))
			admin_close(admin);
		else
			plan(admins, admin);
	}
	/* The store that chatctl starts for itself ends with it. */
	if (admins->store->master == -1 && admins->count == 0)
		admins->store->ending = true;
}

int
control_count(const struct admins *admins)
{
	return admins->count;
}
