/* SPDX-License-Identifier: ISC */
/*
 * The administrator's backup: a copy beside the database, made a few pages a
 * turn after everybody was answered, for chatctl to carry away.  Part of the
 * store; the copy goes when the administrator does.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <sys/statvfs.h>

#include "chatd/places.h"
#include "chatd/store/control-parts.h"
#include "lib/log.h"

enum {
	BACKUP_PAGES = 64, /* a turn: a quarter of a megabyte */
	BACKUP_RESERVE = 32 << 20, /* twice what a write-ahead log takes */
};

void
backup_init(struct admins *admins)
{
	struct backup *backup = &admins->backup;

	backup->path = place_path(admins->store->state_directory, PLACE_BACKUP);
	/* Of a store that was killed at it. */
	unlink(backup->path);
}

/* Nothing is left of it. */
static void
backup_drop(struct admins *admins)
{
	struct backup *backup = &admins->backup;

	if (backup->admin == NULL)
		return;
	loop_timer_stop(admins->store->loop, &backup->timer);
	db_copy_end(backup->copy);
	backup->copy = NULL;
	backup->admin = NULL;
	backup->state = BACKUP_NONE;
	unlink(backup->path);
}

void
backup_forget(struct admins *admins, const struct admin *admin)
{
	if (admins->backup.admin == admin)
		backup_drop(admins);
}

void
backup_free(struct admins *admins)
{
	backup_drop(admins);
	free(admins->backup.path);
}

/* There is nothing to do but to have a turn, at whose end a step is made. */
static void
have_turn(void *arg)
{
	struct admins *admins = arg;

	store_tick(admins->store);
}

void
control_work(struct admins *admins)
{
	struct backup *backup = &admins->backup;

	if (backup->state != BACKUP_UNDER_WAY)
		return;
	switch (db_copy_step(backup->copy, BACKUP_PAGES, backup->why)) {
	case 1:
		db_copy_left(backup->copy, &backup->left, &backup->all);
		loop_timer(
		    admins->store->loop, &backup->timer, 0, have_turn, admins);
		return;
	case 0:
		backup->state = BACKUP_WHOLE;
		backup->left = 0;
		log_info("administrator: a backup was made");
		break;
	default:
		backup->state = BACKUP_FAILED;
		/* The room may be wanted at once. */
		unlink(backup->path);
		log_warn("administrator: backup: %s", backup->why);
		break;
	}
	db_copy_end(backup->copy);
	backup->copy = NULL;
}

/* A backup must not take the room that the centre needs. */
static bool
has_space(const struct store *store)
{
	struct statvfs disk;

	return statvfs(store->state_directory, &disk) == -1 ||
	    (int64_t)(disk.f_bavail * disk.f_frsize) >=
	    db_size(store->db) + BACKUP_RESERVE;
}

void
control_backup(
    struct admins *admins, struct admin *admin, const json_t *request)
{
	struct backup *backup = &admins->backup;
	struct store *store = admins->store;

	if (backup->admin != NULL && backup->admin != admin) {
		control_refuse(
		    admin, request, ERR_BUSY, "Another backup is under way.");
		return;
	}
	backup_drop(admins);
	if (!has_space(store)) {
		control_refuse(admin, request, ERR_TOO_LARGE,
		    "There is no room for a copy of the database beside it.");
		return;
	}
	unlink(backup->path);
	backup->copy = db_copy_begin(store->db, backup->path, backup->why);
	if (backup->copy == NULL) {
		log_warn("administrator: backup: %s", backup->why);
		control_refuse(admin, request, ERR_INTERNAL, backup->why);
		return;
	}
	backup->admin = admin;
	backup->state = BACKUP_UNDER_WAY;
	backup->left = backup->all = 0;
	control_accept(admin, request);
}

void
control_backup_look(
    struct admins *admins, struct admin *admin, const json_t *request)
{
	const struct backup *backup = &admins->backup;
	json_t *reply;

	if (backup->admin != admin || backup->state == BACKUP_FAILED) {
		control_refuse(admin, request, ERR_INTERNAL,
		    backup->admin == admin ? backup->why
					   : "No backup is under way.");
		return;
	}
	reply = wire_accept(json_object_get(request, "tag"));
	if (reply != NULL) {
		json_object_set_new(reply, "whole",
		    json_boolean(backup->state == BACKUP_WHOLE));
		json_object_set_new(reply, "left", json_integer(backup->left));
		json_object_set_new(reply, "all", json_integer(backup->all));
	}
	control_reply(admin, reply);
}
