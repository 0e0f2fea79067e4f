/* SPDX-License-Identifier: ISC */
/*
 * A mirror with an agent that says what a test wants, and a shadow of its
 * lists that hears of changes only: both must be the same at any time.
 */
#ifndef UNIT_MIRROR_STAGE_H
#define UNIT_MIRROR_STAGE_H

#include "tap.h"

#include <stdarg.h>
#include <stdlib.h>

#include "chat/faces/mirror.h"
#include "lib/wire.h"

enum { NOW = 1000000, SHADOWS = 64, DEEP = 5000 };

/* What a list model knows: it only hears of positions. */
struct shadow {
	struct mirror_talk *talk;
	int64_t rows[DEEP];
	enum mirror_state states[DEEP];
	size_t count;
};

static struct stage {
	struct mirror *mirror;
	int64_t tag;
	json_t *asked[4096]; /* by tag */
	struct mirror_talk *talks[1024];
	size_t talk_count;
	struct shadow lines[SHADOWS];
	int wrong; /* a change that cannot be */
	int arrived, changed;
	char said[512], event[32], arrival[64];
	struct mirror_talk *said_in;
	size_t found;
	int finds;
	int64_t found_row;
	char found_in[NAME_MAX_LEN + 1];
} the;

static inline int64_t
ask(void *arg, json_t *request)
{
	(void)arg;
	if (the.tag + 1 == (int64_t)(sizeof(the.asked) / sizeof(*the.asked)))
		abort();
	the.asked[++the.tag] = request;
	return the.tag;
}

static inline void
talks(void *arg, size_t position, size_t removed, size_t added)
{
	(void)arg;
	if (position + removed > the.talk_count) {
		the.wrong++;
		return;
	}
	memmove(the.talks + position + added, the.talks + position + removed,
	    (the.talk_count - position - removed) * sizeof(*the.talks));
	the.talk_count += added - removed;
	for (size_t i = position; i < position + added; i++)
		the.talks[i] = mirror_at(the.mirror, i);
	if (the.talk_count != mirror_count(the.mirror))
		the.wrong++;
}

static inline struct shadow *
shadow_of(struct mirror_talk *talk)
{
	for (size_t i = 0; i < SHADOWS; i++) {
		if (the.lines[i].talk == NULL)
			the.lines[i].talk = talk;
		if (the.lines[i].talk == talk)
			return &the.lines[i];
	}
	abort();
}

static inline void
lines(void *arg, struct mirror_talk *talk, size_t position, size_t removed,
    size_t added)
{
	struct shadow *s = shadow_of(talk);

	(void)arg;
	if (position + removed > s->count ||
	    s->count - removed + added != talk->count) {
		the.wrong++;
		return;
	}
	memmove(s->rows + position + added, s->rows + position + removed,
	    (s->count - position - removed) * sizeof(*s->rows));
	memmove(s->states + position + added, s->states + position + removed,
	    (s->count - position - removed) * sizeof(*s->states));
	s->count += added - removed;
	for (size_t i = position; i < position + added; i++) {
		s->rows[i] = talk->lines[i].row;
		s->states[i] = talk->lines[i].state;
	}
}

static inline void
talk_changed(void *arg, struct mirror_talk *talk)
{
	(void)arg;
	(void)talk;
	the.changed++;
}

static inline void
arrived(void *arg, struct mirror_talk *talk, const struct mirror_line *line)
{
	(void)arg;
	the.arrived++;
	snprintf(the.arrival, sizeof(the.arrival), "%s: %.20s", talk->user,
	    line->text);
}

static inline void
say(void *arg, struct mirror_talk *talk, const char *event, const char *text)
{
	(void)arg;
	the.said_in = talk;
	snprintf(the.event, sizeof(the.event), "%s", event);
	snprintf(the.said, sizeof(the.said), "%s", text);
}

static inline void
found(void *arg, const struct mirror_found *list, size_t count)
{
	(void)arg;
	the.found = count;
	the.finds++;
	if (count == 0)
		return;
	the.found_row = list[count - 1].line->row;
	strcpy(the.found_in, list[count - 1].talk->user);
}

static inline void
begin(void)
{
	static const struct mirror_calls calls = {.ask = ask,
	    .talks = talks,
	    .talk = talk_changed,
	    .lines = lines,
	    .arrived = arrived,
	    .say = say,
	    .found = found};

	memset(&the, 0, sizeof(the));
	the.mirror = mirror_new("alice", &calls, NULL);
	the.talks[0] = mirror_at(the.mirror, 0);
	the.talk_count = 1;
}

static inline void
end(void)
{
	for (int64_t i = 1; i <= the.tag; i++)
		json_decref(the.asked[i]);
	mirror_free(the.mirror);
}

/* One line of the agent, '#' for its tag. */
__attribute__((format(printf, 1, 2))) static inline bool
told(const char *fmt, ...)
{
	char *text;
	json_t *object;
	va_list args;
	bool taken;

	va_start(args, fmt);
	if (vasprintf(&text, fmt, args) == -1)
		abort();
	va_end(args);
	for (char *c = text; *c != '\0'; c++)
		if (*c == '\'')
			*c = '"';
	object = json_loads(text, 0, NULL);
	if (object == NULL) {
		printf("# no JSON: %s\n", text);
		abort();
	}
	taken = mirror_take(the.mirror, object, NOW);
	json_decref(object);
	free(text);
	return taken;
}

/* The tag of the last request of that name, or 0. */
static inline long long
tag_of(const char *name)
{
	for (int64_t i = the.tag; i > 0; i--)
		if (strcmp(wire_get_string(the.asked[i], "do"), name) == 0)
			return i;
	return 0;
}

static inline struct mirror_talk *
with(const char *user)
{
	return mirror_open(the.mirror, user);
}

/* True if the shadow has what is there, in order and within its bound. */
static inline bool
same(struct mirror_talk *talk)
{
	const struct shadow *s = shadow_of(talk);

	if (s->count != talk->count || talk->count > MIRROR_LINES_MAX)
		return false;
	for (size_t i = 0; i < s->count; i++)
		if (s->rows[i] != talk->lines[i].row ||
		    s->states[i] != talk->lines[i].state ||
		    (i > 0 && s->rows[i - 1] >= s->rows[i]))
			return false;
	return true;
}

/* The same of the list. */
static inline bool
same_list(void)
{
	size_t at;

	if (the.talk_count != mirror_count(the.mirror))
		return false;
	for (size_t i = 0; i < the.talk_count; i++) {
		if (the.talks[i] != mirror_at(the.mirror, i) ||
		    mirror_find(the.mirror, the.talks[i]->user, &at) !=
			the.talks[i] ||
		    at != i)
			return false;
		if (i > 1 &&
		    the.talks[i]->last_row > the.talks[i - 1]->last_row)
			return false;
	}
	return *the.talks[0]->user == '\0';
}

#endif
