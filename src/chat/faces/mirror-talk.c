/* SPDX-License-Identifier: ISC */
/*
 * The list of conversations: found by name, sorted for showing.  Pure, part
 * of the mirror; says exactly which positions have changed.
 */
#include "chat/faces/mirror-parts.h"

#include <stdlib.h>
#include <string.h>

bool
text_set(char **to, const char *text)
{
	char *copy = strdup(text != NULL ? text : "");

	if (copy == NULL)
		return false;
	free(*to);
	*to = copy;
	return true;
}

/* Where a name stands or would stand among the names. */
static size_t
name_place(const struct mirror *mirror, const char *user, bool *there)
{
	size_t low = 0, high = mirror->names;
	int order;

	*there = false;
	while (low < high) {
		size_t middle = (low + high) / 2;

		order = strcmp(mirror->named[middle]->is.user, user);
		if (order == 0) {
			*there = true;
			return middle;
		}
		if (order < 0)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

/* How two stand to each other in the list. */
static int
compare(const struct mirror_talk *a, const struct mirror_talk *b)
{
	bool a_room = *a->user == '\0', b_room = *b->user == '\0';

	if (a_room != b_room)
		return a_room ? -1 : 1;
	if (a->last_row != b->last_row)
		return a->last_row > b->last_row ? -1 : 1;
	if (a->last_row == 0 && a->online != b->online)
		return a->online ? -1 : 1;
	return strcmp(a->user, b->user);
}

/* Where one stands or would stand in a list without any equal. */
static size_t
list_place(
    struct talk *const *listed, size_t count, const struct mirror_talk *talk)
{
	size_t low = 0, high = count;

	while (low < high) {
		size_t middle = (low + high) / 2;

		if (compare(&listed[middle]->is, talk) < 0)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

static void
tell_list(struct mirror *mirror, size_t position, size_t removed, size_t added)
{
	if (mirror->calls.talks != NULL)
		mirror->calls.talks(mirror->arg, position, removed, added);
}

static void
put_at(struct talk **list, size_t count, size_t at, struct talk *talk)
{
	memmove(list + at + 1, list + at, (count - at) * sizeof(*list));
	list[at] = talk;
}

/* Takes one out of the list before what it is sorted by changes. */
static size_t
take_out(struct mirror *mirror, const struct talk *talk)
{
	size_t at = list_place(mirror->listed, mirror->count, &talk->is);

	mirror->count--;
	memmove(mirror->listed + at, mirror->listed + at + 1,
	    (mirror->count - at) * sizeof(*mirror->listed));
	return at;
}

/* Puts it back; the face hears of it if it is another place. */
static void
put_back(struct mirror *mirror, struct talk *talk, size_t was)
{
	size_t at = list_place(mirror->listed, mirror->count, &talk->is);

	if (at != was)
		tell_list(mirror, was, 1, 0);
	put_at(mirror->listed, mirror->count++, at, talk);
	if (at != was)
		tell_list(mirror, at, 0, 1);
}

/* Makes room for one more in both lists. */
static bool
make_room(struct mirror *mirror)
{
	size_t room = mirror->room > 0 ? 2 * mirror->room : 64;
	void *more;

	if (mirror->names < mirror->room)
		return true;
	more = reallocarray(mirror->listed, room, sizeof(*mirror->listed));
	if (more == NULL)
		return false;
	mirror->listed = more;
	more = reallocarray(mirror->named, room, sizeof(*mirror->named));
	if (more == NULL)
		return false;
	mirror->named = more;
	mirror->room = room;
	return true;
}

static struct talk *
talk_new(const char *user)
{
	struct talk *talk = calloc(1, sizeof(*talk));

	if (talk == NULL)
		return NULL;
	strcpy(talk->is.user, user);
	if (text_set(&talk->is.last_text, "") &&
	    text_set(&talk->is.fingerprint, "") &&
	    text_set(&talk->is.known, "") && text_set(&talk->is.host, ""))
		return talk;
	talk_free(talk);
	return NULL;
}

void
talk_free(struct talk *talk)
{
	if (talk == NULL)
		return;
	rows_release(&talk->rows);
	rows_release(&talk->held);
	free(talk->is.last_text);
	free(talk->is.fingerprint);
	free(talk->is.known);
	free(talk->is.host);
	free(talk);
}

/* Folds a name; "" is the room's. */
static bool
fold(const char *user, char out[NAME_MAX_LEN + 1])
{
	*out = '\0';
	return *user == '\0' || name_fold(user, strlen(user), out);
}

struct talk *
talk_find(const struct mirror *mirror, const char *user)
{
	char name[NAME_MAX_LEN + 1];
	bool there;
	size_t at;

	if (user == NULL || !fold(user, name))
		return NULL;
	at = name_place(mirror, name, &there);
	return there ? mirror->named[at] : NULL;
}

struct talk *
talk_make(struct mirror *mirror, const char *user)
{
	char name[NAME_MAX_LEN + 1];
	struct talk *talk;
	size_t at, place;
	bool there;

	if (user == NULL || !fold(user, name))
		return NULL;
	at = name_place(mirror, name, &there);
	if (there)
		return mirror->named[at];
	if (!make_room(mirror) || (talk = talk_new(name)) == NULL)
		return NULL;
	put_at(mirror->named, mirror->names++, at, talk);
	place = list_place(mirror->listed, mirror->count, &talk->is);
	put_at(mirror->listed, mirror->count, place, talk);
	mirror->count++;
	tell_list(mirror, place, 0, 1);
	return talk;
}

void
talk_changed(struct mirror *mirror, struct talk *talk)
{
	if (mirror->calls.talk != NULL)
		mirror->calls.talk(mirror->arg, &talk->is);
}

void
talk_online(struct mirror *mirror, struct talk *talk, bool online)
{
	size_t was;

	if (talk->is.online == online)
		return;
	was = take_out(mirror, talk);
	talk->is.online = online;
	put_back(mirror, talk, was);
	talk_changed(mirror, talk);
}

/* The beginning of a text, cut where a character ends. */
static size_t
beginning(const char *text)
{
	size_t len = strlen(text);

	if (len <= MIRROR_LAST_MAX)
		return len;
	len = MIRROR_LAST_MAX;
	while (len > 0 && ((unsigned char)text[len] & 0xc0) == 0x80)
		len--;
	return len;
}

bool
talk_last(struct mirror *mirror, struct talk *talk, int64_t row, int64_t time,
    const char *text)
{
	char *copy;
	size_t was;

	if (row <= talk->is.last_row)
		return false;
	copy = strndup(text, beginning(text));
	if (copy != NULL) {
		free(talk->is.last_text);
		talk->is.last_text = copy;
	}
	was = take_out(mirror, talk);
	talk->is.last_row = row;
	talk->is.last_time = time;
	put_back(mirror, talk, was);
	talk_changed(mirror, talk);
	return true;
}

/* ---- what the face asks ---- */

size_t
mirror_count(const struct mirror *mirror)
{
	return mirror->count;
}

struct mirror_talk *
mirror_at(const struct mirror *mirror, size_t position)
{
	return position < mirror->count ? &mirror->listed[position]->is : NULL;
}

struct mirror_talk *
mirror_find(const struct mirror *mirror, const char *user, size_t *position)
{
	struct talk *talk = talk_find(mirror, user);

	if (talk != NULL && position != NULL)
		*position =
		    list_place(mirror->listed, mirror->count, &talk->is);
	return seen_as(talk);
}

struct mirror_talk *
mirror_open(struct mirror *mirror, const char *user)
{
	return seen_as(talk_make(mirror, user));
}

struct mirror_talk *
mirror_unread(const struct mirror *mirror, const struct mirror_talk *after)
{
	size_t from = 0, at;

	if (after != NULL)
		from = list_place(mirror->listed, mirror->count, after) + 1;
	for (size_t i = 0; i < mirror->count; i++) {
		at = (from + i) % mirror->count;
		if (mirror->listed[at]->is.unread > 0)
			return &mirror->listed[at]->is;
	}
	return NULL;
}

int64_t
mirror_unread_count(const struct mirror *mirror)
{
	int64_t count = 0;

	for (size_t i = 0; i < mirror->count; i++)
		count += mirror->listed[i]->is.unread;
	return count;
}
