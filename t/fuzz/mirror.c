/* SPDX-License-Identifier: ISC */
/*
 * Whatever an agent says, as a face's mirror takes it in: a line that is an
 * object is taken, any other line is the face asking for something.  A list
 * that only hears of changes must stay the same as what can be read.
 */
#include <string.h>

#include "chat/faces/mirror.h"
#include "lib/text.h"
#include "lib/wire.h"
#include "fuzz.h"

static struct {
	struct mirror *mirror;
	int64_t tag;
	size_t talks; /* as many as we have heard of */
} the;

static int64_t
ask(void *arg, json_t *request)
{
	(void)arg;
	CLAIM(wire_get_string(request, "do") != NULL);
	json_decref(request);
	return ++the.tag;
}

static void
talks(void *arg, size_t position, size_t removed, size_t added)
{
	(void)arg;
	CLAIM(position + removed <= the.talks);
	the.talks += added - removed;
	CLAIM(the.talks == mirror_count(the.mirror));
	CLAIM(position + added <= the.talks);
}

static void
lines(void *arg, struct mirror_talk *talk, size_t position, size_t removed,
    size_t added)
{
	(void)arg;
	(void)removed;
	CLAIM(position + added <= talk->count);
	for (size_t i = 1; i < talk->count; i++)
		CLAIM(talk->lines[i - 1].row < talk->lines[i].row);
}

static void
arrived(void *arg, struct mirror_talk *talk, const struct mirror_line *line)
{
	(void)arg;
	CLAIM(talk->last_row >= line->row);
}

/* Sentences are safe to show. */
static void
say(void *arg, struct mirror_talk *talk, const char *event, const char *text)
{
	(void)arg;
	(void)talk;
	CLAIM(event != NULL);
	CLAIM(text_bad_at(text, strlen(text)) == -1);
}

static void
found(void *arg, const struct mirror_found *list, size_t count)
{
	(void)arg;
	CLAIM(count <= MIRROR_FOUND_MAX);
	for (size_t i = 0; i < count; i++)
		CLAIM(list[i].talk != NULL && list[i].line->text != NULL);
}

/* What a face does now and then. */
static void
act(const char *line, size_t len)
{
	struct mirror_talk *talk =
	    mirror_at(the.mirror, len > 1 ? (size_t)line[1] % the.talks : 0);

	switch (*line) {
	case 'l':
		mirror_load(the.mirror, talk);
		break;
	case 'o':
		mirror_older(the.mirror, talk);
		break;
	case 'n':
		mirror_newer(the.mirror, talk);
		break;
	case 'a':
		mirror_around(the.mirror, talk, 5);
		break;
	case 'r':
		mirror_read(the.mirror, talk);
		break;
	case 's':
		mirror_search(the.mirror, talk, line + 1);
		break;
	case 'b':
		mirror_begin(the.mirror);
		break;
	case 'g':
		mirror_gone(the.mirror);
		break;
	default:
		mirror_unread(the.mirror, talk);
	}
}

static void
take(const char *text, size_t len)
{
	char why[WIRE_WHY_LEN], *line = malloc(len + 1);
	json_t *object;

	CLAIM(line != NULL);
	memcpy(line, text, len);
	line[len] = '\0';
	object = wire_object(line, len, why);
	if (object != NULL)
		mirror_take(the.mirror, object, 1000000);
	else if (len > 0)
		act(line, len);
	json_decref(object);
	free(line);
}

/* What can be read is whole. */
static void
check(void)
{
	struct mirror_status status;
	struct mirror_talk *talk;
	int64_t unread = 0;
	size_t at;

	mirror_status(the.mirror, &status);
	CLAIM(status.why != NULL);
	CLAIM(mirror_count(the.mirror) == the.talks);
	for (size_t i = 0; i < the.talks; i++) {
		talk = mirror_at(the.mirror, i);
		CLAIM(mirror_find(the.mirror, talk->user, &at) == talk);
		CLAIM(at == i);
		CLAIM(talk->count <= MIRROR_LINES_MAX);
		CLAIM(utf8_valid(talk->last_text, strlen(talk->last_text)));
		CLAIM(strlen(talk->last_text) <= MIRROR_LAST_MAX);
		CLAIM(talk->unread >= 0);
		unread |= talk->unread;
	}
	CLAIM((mirror_unread(the.mirror, NULL) != NULL) == (unread != 0));
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const struct mirror_calls calls = {.ask = ask,
	    .talks = talks,
	    .lines = lines,
	    .arrived = arrived,
	    .say = say,
	    .found = found};
	const char *at = (const char *)data, *newline;

	the.tag = 0;
	the.talks = 1;
	the.mirror = mirror_new("alice", &calls, NULL);
	CLAIM(the.mirror != NULL);
	mirror_begin(the.mirror);
	while (size > 0 && (newline = memchr(at, '\n', size)) != NULL) {
		take(at, (size_t)(newline - at));
		size -= (size_t)(newline - at) + 1;
		at = newline + 1;
	}
	take(at, size);
	check();
	mirror_free(the.mirror);
	return 0;
}
