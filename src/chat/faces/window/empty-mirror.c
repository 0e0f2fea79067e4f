/* SPDX-License-Identifier: ISC */
/*
 * A mirror that shows nothing, for as long as there is no other: chat-gtk
 * builds with it, and holds no conversation.
 */
#include <stdlib.h>

#include "chat/faces/mirror.h"

struct mirror {
	char *user;
};

struct mirror *
mirror_new(const char *user, const struct mirror_calls *calls, void *arg)
{
	(void)user;
	(void)calls;
	(void)arg;
	return calloc(1, sizeof(struct mirror));
}

void
mirror_free(struct mirror *mirror)
{
	free(mirror);
}

void
mirror_begin(struct mirror *mirror)
{
	(void)mirror;
}

bool
mirror_take(struct mirror *mirror, const json_t *object, int64_t now)
{
	(void)mirror;
	(void)object;
	(void)now;
	return false;
}

void
mirror_status(const struct mirror *mirror, struct mirror_status *status)
{
	(void)mirror;
	*status = (struct mirror_status){.user = "", .reachable = true};
}

size_t
mirror_count(const struct mirror *mirror)
{
	(void)mirror;
	return 0;
}

struct mirror_talk *
mirror_at(const struct mirror *mirror, size_t position)
{
	(void)mirror;
	(void)position;
	return NULL;
}

struct mirror_talk *
mirror_find(const struct mirror *mirror, const char *user, size_t *position)
{
	(void)mirror;
	(void)user;
	(void)position;
	return NULL;
}

struct mirror_talk *
mirror_open(struct mirror *mirror, const char *user)
{
	(void)mirror;
	(void)user;
	return NULL;
}

struct mirror_talk *
mirror_unread(const struct mirror *mirror, const struct mirror_talk *after)
{
	(void)mirror;
	(void)after;
	return NULL;
}

int64_t
mirror_unread_count(const struct mirror *mirror)
{
	(void)mirror;
	return 0;
}

void
mirror_load(struct mirror *mirror, struct mirror_talk *talk)
{
	(void)mirror;
	(void)talk;
}

void
mirror_read(struct mirror *mirror, struct mirror_talk *talk)
{
	(void)mirror;
	(void)talk;
}
