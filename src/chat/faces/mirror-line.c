/* SPDX-License-Identifier: ISC */
/*
 * What is loaded of a conversation: lines by their row, each once, in a
 * window that does not grow for ever.  Pure, part of the mirror; says exactly
 * which positions have changed.
 */
#include "chat/faces/mirror-parts.h"

#include <stdlib.h>
#include <string.h>

#include "lib/wire.h"

/* More than any book has; far from where a number runs over. */
#define ROW_MAX ((int64_t)1 << 53)

int64_t
row_of(const json_t *object, const char *key)
{
	int64_t row = wire_get_number(object, key, 0);

	return row > 0 && row <= ROW_MAX ? row : 0;
}

/* ---- lines in an array ---- */

void
line_clear(struct mirror_line *line)
{
	free(line->from);
	free(line->id);
	free(line->text);
	free(line->reason);
	memset(line, 0, sizeof(*line));
}

void
rows_release(struct rows *rows)
{
	for (size_t i = 0; i < rows->count; i++)
		line_clear(&rows->lines[i]);
	free(rows->lines);
	memset(rows, 0, sizeof(*rows));
}

/* Where a row stands or would stand. */
static size_t
row_place(const struct rows *rows, int64_t row)
{
	size_t low = 0, high = rows->count;

	while (low < high) {
		size_t middle = (low + high) / 2;

		if (rows->lines[middle].row < row)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

static bool
rows_room(struct rows *rows, size_t more)
{
	size_t room = rows->room > 0 ? rows->room : 16;
	void *lines;

	while (room < rows->count + more)
		room *= 2;
	if (room == rows->room)
		return true;
	lines = reallocarray(rows->lines, room, sizeof(*rows->lines));
	if (lines == NULL)
		return false;
	rows->lines = lines;
	rows->room = room;
	return true;
}

ssize_t
rows_add(struct rows *rows, struct mirror_line *line)
{
	size_t at = row_place(rows, line->row);

	/* One more than may stay: who adds it then drops the far end. */
	if ((at < rows->count && rows->lines[at].row == line->row) ||
	    rows->count > MIRROR_LINES_MAX || !rows_room(rows, 1)) {
		line_clear(line);
		return -1;
	}
	memmove(rows->lines + at + 1, rows->lines + at,
	    (rows->count - at) * sizeof(*rows->lines));
	rows->lines[at] = *line;
	rows->count++;
	memset(line, 0, sizeof(*line));
	return (ssize_t)at;
}

bool
rows_append(struct rows *rows, struct mirror_line *line)
{
	if (rows->count >= MIRROR_LINES_MAX || !rows_room(rows, 1)) {
		line_clear(line);
		return false;
	}
	rows->lines[rows->count++] = *line;
	memset(line, 0, sizeof(*line));
	return true;
}

/* Drops so many lines from a position on. */
static void
rows_drop(struct rows *rows, size_t at, size_t count)
{
	for (size_t i = at; i < at + count; i++)
		line_clear(&rows->lines[i]);
	memmove(rows->lines + at, rows->lines + at + count,
	    (rows->count - at - count) * sizeof(*rows->lines));
	rows->count -= count;
}

/* ---- rows of the agent ---- */

bool
state_find(const char *name, enum mirror_state *state)
{
	static const struct {
		const char *name;
		enum mirror_state state;
	} states[] = {
	    {"received", MIRROR_RECEIVED},
	    {"queued", MIRROR_QUEUED},
	    {"calling", MIRROR_QUEUED},
	    {"accepted", MIRROR_ACCEPTED},
	    {"fetched", MIRROR_FETCHED},
	    {"refused", MIRROR_REFUSED},
	    {"kept", MIRROR_KEPT},
	};

	for (size_t i = 0; name != NULL && i < sizeof(states) / sizeof(*states);
	     i++)
		if (strcmp(states[i].name, name) == 0) {
			*state = states[i].state;
			return true;
		}
	return false;
}

static bool
kind_find(const char *name, enum mirror_kind *kind)
{
	static const char *const kinds[] = {
	    [MIRROR_MESSAGE] = "message",
	    [MIRROR_BROADCAST] = "broadcast",
	    [MIRROR_NOTICE] = "notice",
	    [MIRROR_PRIVATE] = "private",
	};

	for (size_t i = 0; name != NULL && i < sizeof(kinds) / sizeof(*kinds);
	     i++)
		if (strcmp(kinds[i], name) == 0) {
			*kind = (enum mirror_kind)i;
			return true;
		}
	return false;
}

/* Fills in the strings; false without memory. */
static bool
line_strings(struct mirror_line *line, const json_t *row, const char *from)
{
	if (text_set(&line->from, from) &&
	    text_set(&line->id, wire_get_string(row, "id")) &&
	    text_set(&line->text, wire_get_string(row, "text")) &&
	    text_set(&line->reason, wire_get_string(row, "reason")))
		return true;
	line_clear(line);
	return false;
}

bool
line_read(struct mirror *mirror, const json_t *row, struct mirror_line *line,
    struct talk **talk)
{
	const char *from = wire_get_string(row, "from");
	const char *time = wire_get_string(row, "time");
	const char *with;

	memset(line, 0, sizeof(*line));
	line->row = row_of(row, "row");
	if (line->row == 0 ||
	    !kind_find(wire_get_string(row, "kind"), &line->kind) ||
	    !state_find(wire_get_string(row, "state"), &line->state) ||
	    (time != NULL && wire_time_parse(time, &line->time) == -1))
		return false;
	if (line->state != MIRROR_RECEIVED)
		from = mirror->self;
	with = line->kind == MIRROR_BROADCAST || line->kind == MIRROR_NOTICE
	    ? ""
	    : line->state != MIRROR_RECEIVED ? wire_get_string(row, "to")
					     : from;
	*talk = talk_make(mirror, with);
	return *talk != NULL && line_strings(line, row, from);
}

/* ---- the window ---- */

/* Shows the face what there is now. */
static void
tell_lines(struct mirror *mirror, struct talk *talk, size_t position,
    size_t removed, size_t added)
{
	talk->is.lines = talk->rows.lines;
	talk->is.count = talk->rows.count;
	if (removed + added > 0 && mirror->calls.lines != NULL)
		mirror->calls.lines(
		    mirror->arg, &talk->is, position, removed, added);
}

/* Drops what is too much, at the end that is far from what was added. */
static void
trim(struct mirror *mirror, struct talk *talk, bool from_start)
{
	size_t count = talk->rows.count, surplus;

	if (count <= MIRROR_LINES_MAX)
		return;
	surplus = count - MIRROR_LINES_MAX;
	if (from_start)
		talk->is.start = false;
	else
		talk->is.end = false;
	rows_drop(&talk->rows, from_start ? 0 : MIRROR_LINES_MAX, surplus);
	tell_lines(mirror, talk, from_start ? 0 : MIRROR_LINES_MAX, surplus, 0);
}

/* Puts a line among the loaded ones, if it belongs there. */
static void
place_line(struct mirror *mirror, struct talk *talk, struct mirror_line *line)
{
	ssize_t at;

	/* Older than what is loaded: it comes with its page. */
	if (!talk->is.start && talk->rows.count > 0 &&
	    line->row < talk->rows.lines[0].row) {
		line_clear(line);
		return;
	}
	at = rows_add(&talk->rows, line);
	if (at == -1)
		return;
	tell_lines(mirror, talk, (size_t)at, 0, 1);
	trim(mirror, talk, true);
}

void
lines_arrived(
    struct mirror *mirror, struct talk *talk, struct mirror_line *line)
{
	if (talk->is.end) {
		place_line(mirror, talk, line);
	} else if (!talk->is.loading || talk->overflown) {
		line_clear(line);
	} else if (talk->held.count == MIRROR_LINES_MAX) {
		line_clear(line);
		rows_release(&talk->held);
		talk->overflown = true;
	} else {
		rows_add(&talk->held, line);
	}
}

void
lines_unhold(struct mirror *mirror, struct talk *talk)
{
	struct rows held = talk->held;

	memset(&talk->held, 0, sizeof(talk->held));
	if (talk->overflown)
		talk->is.end = false;
	for (size_t i = 0; talk->is.end && i < held.count; i++)
		place_line(mirror, talk, &held.lines[i]);
	rows_release(&held);
	talk->overflown = false;
}

void
lines_replace(struct mirror *mirror, struct talk *talk, struct rows *rows,
    bool start, bool end)
{
	struct rows old = talk->rows;

	talk->rows = *rows;
	memset(rows, 0, sizeof(*rows));
	talk->is.start = start;
	talk->is.end = end;
	tell_lines(mirror, talk, 0, old.count, talk->rows.count);
	rows_release(&old);
	lines_unhold(mirror, talk);
}

/* Only what is beyond the edge is added, all at once. */
void
lines_join(struct mirror *mirror, struct talk *talk, struct rows *rows,
    bool older, bool edge)
{
	struct rows *loaded = &talk->rows;
	size_t first = 0, count = rows->count, at;

	if (older && loaded->count > 0)
		count = row_place(rows, loaded->lines[0].row);
	else if (loaded->count > 0) {
		first =
		    row_place(rows, loaded->lines[loaded->count - 1].row + 1);
		count -= first;
	}
	if (!rows_room(loaded, count))
		return;
	at = older ? 0 : loaded->count;
	if (count > 0) {
		memmove(loaded->lines + at + count, loaded->lines + at,
		    (loaded->count - at) * sizeof(*loaded->lines));
		memcpy(loaded->lines + at, rows->lines + first,
		    count * sizeof(*loaded->lines));
		/* These are ours now. */
		memset(rows->lines + first, 0, count * sizeof(*rows->lines));
	}
	loaded->count += count;
	if (older)
		talk->is.start = edge;
	else
		talk->is.end = edge;
	tell_lines(mirror, talk, at, 0, count);
	trim(mirror, talk, !older);
	lines_unhold(mirror, talk);
}

/* ---- states ---- */

/* Gives a line of that id its news; where it is, or -1. */
static ssize_t
rows_state(struct rows *rows, const struct state_news *news)
{
	struct mirror_line *line;

	for (size_t i = rows->count; i > 0; i--) {
		line = &rows->lines[i - 1];
		if (line->state == MIRROR_RECEIVED ||
		    strcmp(line->id, news->id) != 0)
			continue;
		line->state = news->state;
		line->kind = news->kind;
		text_set(&line->reason, news->reason);
		return (ssize_t)(i - 1);
	}
	return -1;
}

void
lines_state(
    struct mirror *mirror, struct talk *talk, const struct state_news *news)
{
	ssize_t at = rows_state(&talk->rows, news);

	if (at >= 0)
		tell_lines(mirror, talk, (size_t)at, 1, 1);
	rows_state(&talk->held, news);
	/* A page in several pieces may have been read before this. */
	for (struct asked_for *a = mirror->asked; a != NULL; a = a->next)
		if (a->talk == talk)
			rows_state(&a->rows, news);
}
