/* SPDX-License-Identifier: ISC */
/*
 * The open conversation as rows of text, and which of them are seen.  Each
 * line brings its day before it and our own sentences below it, so that
 * lines which come or go above move nothing.  Draws nothing itself.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "chat/faces/screen/parts.h"
#include "lib/wire.h"

enum {
	TIME_COLUMNS = 6, /* "14:03 " */
	HANGING = 2, /* further rows: no text looks like another line */
	DAY_LEN = 32,
};

/* ---- rows ---- */

/* Adds a row; nothing without memory. */
static struct view_row *
add_row(struct view_rows *out, const char *text, size_t len)
{
	struct view_row *row =
	    reallocarray(out->rows, out->count + 1, sizeof(*out->rows));

	if (row == NULL)
		return NULL;
	out->rows = row;
	row = &out->rows[out->count];
	*row = (struct view_row){.text = strndup(text, len)};
	if (row->text == NULL)
		return NULL;
	row->look = LOOK(A_NORMAL);
	row->colour = -1;
	out->count++;
	return row;
}

/* Adds a text that is safe as the rows that it takes; where they begin. */
size_t
view_text(struct view_rows *out, const char *text, int column, int columns,
    struct look look)
{
	int room = columns - column > HANGING + WRAP_COLUMNS_MIN
	    ? columns - column
	    : HANGING + WRAP_COLUMNS_MIN;
	struct wrap wrap = {
	    .text = text,
	    .len = strlen(text),
	    .first = (unsigned)room,
	    .rest = (unsigned)(room - HANGING),
	};
	struct wrap_line line;
	struct view_row *row;
	size_t first = out->count;

	while (wrap_next(&wrap, &line)) {
		const char *at = text + line.start;
		bool further = out->count > first;

		/* What escaping has put behind a newline we put there anyway */
		if (further && at[-1] == '\n' && line.len >= HANGING &&
		    strncmp(at, "  ", HANGING) == 0) {
			at += HANGING;
			line.len -= HANGING;
		}
		row = add_row(out, at, line.len);
		if (row == NULL)
			break;
		row->column = column + (further ? HANGING : 0);
		row->look = look;
	}
	return first;
}

void
view_rows_release(struct view_rows *rows)
{
	for (size_t i = 0; i < rows->count; i++)
		free(rows->rows[i].text);
	free(rows->rows);
	*rows = (struct view_rows){NULL, 0};
}

/* ---- what a line says ---- */

/* The local time of a line; false if there is none. */
static bool
local_time(int64_t ms, struct tm *tm)
{
	time_t seconds = (time_t)(ms / 1000);

	return ms > 0 && localtime_r(&seconds, tm) != NULL;
}

/* True if a line is of another day than the one before it. */
static bool
new_day(const struct mirror_talk *talk, size_t index, struct tm *tm)
{
	struct tm old;

	if (!local_time(talk->lines[index].time, tm))
		return false;
	return index == 0 || !local_time(talk->lines[index - 1].time, &old) ||
	    old.tm_yday != tm->tm_yday || old.tm_year != tm->tm_year;
}

static void
add_day(struct view_rows *out, const struct tm *tm, int columns)
{
	char day[3 * DAY_LEN], week[DAY_LEN], month[DAY_LEN];

	strftime(week, sizeof(week), "%A", tm);
	strftime(month, sizeof(month), "%B %Y", tm);
	snprintf(day, sizeof(day), "%s, %d %s", week, tm->tm_mday, month);
	view_text(out, day, 0, columns, LOOK(A_BOLD));
}

/* Why something was refused, in words. */
static const char *
reason_words(const char *reason)
{
	enum wire_error error;

	if (strchr(reason, ' ') != NULL)
		return reason;
	error = wire_error_find(reason);
	return error != ERR_NONE && error != ERR_COUNT ? wire_error_text(error)
						       : reason;
}

/* What stands behind an own message: how it fares. */
static void
put_mark(FILE *to, const struct mirror_line *line, bool ascii)
{
	static const char *const marks[][2] = {
	    [MIRROR_RECEIVED] = {"", ""},
	    [MIRROR_QUEUED] = {" …", " ..."},
	    [MIRROR_ACCEPTED] = {" ✓", " +"},
	    [MIRROR_FETCHED] = {" ✓✓", " ++"},
	    [MIRROR_REFUSED] = {" ✗", " x"},
	    [MIRROR_KEPT] = {" ✗ kept here", " x kept here"},
	};
	char *why;

	fputs(marks[line->state][ascii], to);
	if (line->state < MIRROR_REFUSED || *line->reason == '\0')
		return;
	why = tell_word(reason_words(line->reason));
	fprintf(to, " (%s)", why);
	free(why);
}

/* The whole text of a line; octets of the name before it in *name. */
static char *
line_text(
    const struct screen *screen, const struct mirror_line *line, int *name)
{
	bool own = line->state != MIRROR_RECEIVED;
	bool notice = line->kind == MIRROR_NOTICE || (!own && *line->from == 0);
	char *who = tell_word(own ? screen->account->user : line->from);
	char *safe = tell_text(line->text), *text = NULL;
	size_t len;
	FILE *to = open_memstream(&text, &len);

	*name = notice ? 0 : (int)strlen(who);
	if (to != NULL) {
		fprintf(to, "%s%s: %s", notice ? "Notice" : who,
		    line->kind == MIRROR_PRIVATE ? " (private)" : "", safe);
		put_mark(to, line, screen->canvas.ascii);
		if (fclose(to) == EOF) {
			free(text);
			text = NULL;
		}
	}
	free(who);
	free(safe);
	return text;
}

/* Adds what one line says. */
static void
add_line(const struct screen *screen, const struct mirror_line *line,
    int columns, struct view_rows *out)
{
	bool marked = line->row == screen->view.mark && line->row > 0;
	struct view_row *row;
	struct tm tm;
	char *text;
	size_t first;
	int name;

	text = line_text(screen, line, &name);
	if (text == NULL)
		return;
	first = view_text(out, text, TIME_COLUMNS, columns,
	    LOOK(marked ? A_REVERSE : A_NORMAL));
	free(text);
	if (first == out->count)
		return;
	row = &out->rows[first];
	row->name = name <= (int)strlen(row->text) ? name : 0;
	text = strndup(row->text, (size_t)row->name);
	if (text != NULL)
		row->colour = colour_number(text, screen->canvas.depth);
	free(text);
	if (local_time(line->time, &tm))
		strftime(row->time, sizeof(row->time), "%H:%M", &tm);
}

/* True if a note stands below the line with that index. */
static bool
is_below(const struct note *note, const struct mirror_talk *talk, size_t index)
{
	if (talk->count == 0)
		return true;
	return note->after >= talk->lines[index].row &&
	    (index + 1 == talk->count ||
		note->after < talk->lines[index + 1].row);
}

/* Adds the notes that stand below a line, or above the first one. */
static void
add_notes(const struct screen *screen, const struct mirror_talk *talk,
    size_t index, bool above, int columns, struct view_rows *out)
{
	const struct note *note = screen->notes.notes;

	for (size_t i = 0; i < screen->notes.count; i++, note++)
		if (strcmp(note->user, talk->user) == 0 &&
		    (above ? note->after < talk->lines[0].row
			   : is_below(note, talk, index)))
			view_text(out, note->text, TIME_COLUMNS, columns,
			    LOOK(A_DIM));
}

/* The rows of one line. */
void
view_rows(const struct screen *screen, const struct mirror_talk *talk,
    size_t index, int columns, struct view_rows *out)
{
	struct tm tm;

	*out = (struct view_rows){NULL, 0};
	if (index == 0 && talk->count > 0)
		add_notes(screen, talk, index, true, columns, out);
	if (index < talk->count) {
		if (new_day(talk, index, &tm))
			add_day(out, &tm, columns);
		add_line(screen, &talk->lines[index], columns, out);
	}
	add_notes(screen, talk, index, false, columns, out);
}

/* ---- which of them are seen ---- */

/* How many lines there are to stand on; one without a text, if none. */
static size_t
line_count(const struct mirror_talk *talk)
{
	return talk->count > 0 ? talk->count : 1;
}

static int
height(
    const struct screen *screen, const struct mirror_talk *talk, size_t index)
{
	struct view_rows rows;
	int count;

	view_rows(screen, talk, index, screen->layout.talk.columns, &rows);
	count = (int)rows.count;
	view_rows_release(&rows);
	return count;
}

/* The index of a row of the book, or of the next one; count if none. */
static size_t
index_of(const struct mirror_talk *talk, int64_t row)
{
	size_t i = 0;

	while (i < talk->count && talk->lines[i].row < row)
		i++;
	return i;
}

/* Where the lower end is. */
struct view_place
view_place(const struct screen *screen, const struct mirror_talk *talk)
{
	struct view_place place = {line_count(talk) - 1, 0};
	size_t index;

	if (screen->view.anchor == 0)
		return place;
	index = index_of(talk, screen->view.anchor);
	if (index >= talk->count)
		return place;
	place.index = index;
	if (talk->lines[index].row == screen->view.anchor)
		place.skip = screen->view.skip;
	return place;
}

/* Lets the lower end be there. */
static void
set_place(struct screen *screen, const struct mirror_talk *talk,
    struct view_place place)
{
	struct view *view = &screen->view;
	bool last = place.index + 1 >= line_count(talk) && place.skip == 0;

	view->anchor = last && (talk->end || talk->count == 0)
	    ? 0
	    : talk->lines[place.index].row;
	view->skip = place.skip;
}

/* So many rows further up, or (negative) down, as far as there are any. */
static void
go_by(const struct screen *screen, const struct mirror_talk *talk,
    struct view_place *place, int rows)
{
	int tall;

	place->skip += rows;
	while (place->skip < 0 && place->index + 1 < line_count(talk))
		place->skip += height(screen, talk, ++place->index);
	if (place->skip < 0)
		place->skip = 0;
	tall = height(screen, talk, place->index);
	while (place->skip >= tall && place->index > 0) {
		place->skip -= tall;
		tall = height(screen, talk, --place->index);
	}
	if (place->skip >= tall)
		place->skip = tall > 0 ? tall - 1 : 0;
}

/* How many rows there are from a place to the top, up to a limit. */
static int
rows_above(const struct screen *screen, const struct mirror_talk *talk,
    const struct view_place *place, int limit)
{
	int rows = height(screen, talk, place->index) - place->skip;

	for (size_t i = place->index; i > 0 && rows < limit;)
		rows += height(screen, talk, --i);
	return rows;
}

/* Asks for what is beyond the loaded lines, if that is near. */
static void
ask_more(struct screen *screen, struct mirror_talk *talk,
    const struct view_place *place, int rows)
{
	int page = screen->layout.talk.rows;

	if (rows > 0 && !talk->start && !talk->loading &&
	    rows_above(screen, talk, place, 2 * page) < 2 * page)
		mirror_older(screen->mirror, talk);
	if (rows < 0 && !talk->end && !talk->loading &&
	    place->index + (size_t)page >= talk->count)
		mirror_newer(screen->mirror, talk);
}

/* Scrolls by rows, up if positive. */
void
view_scroll(struct screen *screen, int rows)
{
	struct mirror_talk *talk = screen_talk(screen);
	struct view_place place;
	int above, page = screen->layout.talk.rows;

	if (talk == NULL)
		return;
	place = view_place(screen, talk);
	go_by(screen, talk, &place, rows);
	/* The first line stands at the top and not further down. */
	above = rows_above(screen, talk, &place, page);
	if (above < page)
		go_by(screen, talk, &place, above - page);
	set_place(screen, talk, place);
	ask_more(screen, talk, &place, rows);
	screen_dirty(screen, DIRT_TALK | DIRT_STATUS);
	screen_seen(screen);
}

/* Back to the last line. */
void
view_end(struct screen *screen)
{
	struct mirror_talk *talk = screen_talk(screen);

	screen->view = (struct view){0};
	if (talk != NULL && !talk->end && !talk->loading)
		mirror_load(screen->mirror, talk);
	screen_dirty(screen, DIRT_TALK | DIRT_STATUS);
	screen_seen(screen);
}

/* Puts a line that is loaded into the middle; false if it is not. */
static bool
go_loaded(struct screen *screen, struct mirror_talk *talk, int64_t row)
{
	size_t index = index_of(talk, row);
	struct view_place place;

	if (index >= talk->count || talk->lines[index].row != row)
		return false;
	place = (struct view_place){index, 0};
	go_by(screen, talk, &place, -screen->layout.talk.rows / 2);
	screen->view.mark = row;
	screen->view.wanted = 0;
	set_place(screen, talk, place);
	view_scroll(screen, 0);
	return true;
}

/* Goes to a line. */
void
view_go(struct screen *screen, int64_t row)
{
	struct mirror_talk *talk = screen_talk(screen);

	if (talk == NULL || go_loaded(screen, talk, row))
		return;
	screen->view.wanted = row;
	mirror_around(screen->mirror, talk, row);
}

/* Lines came or went. */
void
view_changed(struct screen *screen)
{
	struct mirror_talk *talk = screen_talk(screen);
	int64_t wanted = screen->view.wanted;

	if (talk != NULL && wanted > 0 && !talk->loading &&
	    !go_loaded(screen, talk, wanted))
		screen->view.wanted = 0;
	screen_dirty(screen, DIRT_TALK);
}
