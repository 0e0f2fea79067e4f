/* SPDX-License-Identifier: ISC */
/*
 * The pieces of the window that need no display: its end of the socket, words
 * of others, the models, what it remembers.
 */
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>

#include <stdlib.h>
#include <unistd.h>

#include <glib/gstdio.h>

#include "chat/faces/face.h"
#include "chat/faces/window/keep.h"
#include "chat/faces/window/model.h"
#include "chat/faces/window/plug.h"
#include "chat/faces/window/words.h"
#include "chat/faces/wrap.h"
#include "lib/unix.h"
#include "lib/wire.h"
#include "tap.h"

enum { PATIENCE_MS = 20000 };

/* What an owner of a plug has been told. */
struct owner {
	struct plug *plug;
	int lines, gone, close_at;
	char last[64];
};

static void
take_line(void *arg, const json_t *object)
{
	struct owner *owner = arg;
	const char *name = wire_get_string(object, "event");

	snprintf(owner->last, sizeof(owner->last), "%s", name ? name : "");
	if (++owner->lines != owner->close_at)
		return;
	plug_close(owner->plug);
	owner->plug = NULL;
}

static void
take_end(void *arg)
{
	struct owner *owner = arg;

	owner->gone++;
	plug_close(owner->plug);
	owner->plug = NULL;
}

/* Turns the loop until the number is reached; false if it never is. */
static bool
until(const int *number, int wanted)
{
	int64_t end = clock_mono() + PATIENCE_MS;

	while (*number < wanted && clock_mono() < end)
		if (!g_main_context_iteration(NULL, FALSE))
			g_usleep(1000);
	return *number >= wanted;
}

/* A plug and the agent's end of it, by a socket in dir. */
static int
meet(struct owner *owner, const char *dir)
{
	static const struct plug_calls calls = {take_line, take_end};
	char *path = g_build_filename(dir, "agent.sock", NULL);
	char *near = g_build_filename(".", "agent.sock", NULL);
	char *back = g_get_current_dir();
	int door, end;

	/* Longer than an address may be: from its directory. */
	if (chdir(dir) == -1)
		abort();
	door = unix_listen(near, 0600);
	if (chdir(back) == -1)
		abort();
	*owner = (struct owner){.plug = plug_open(path, &calls, owner)};
	end = owner->plug != NULL ? accept(door, NULL, NULL) : -1;
	close(door);
	unlink(path);
	g_free(path);
	g_free(near);
	g_free(back);
	return end;
}

/* The agent says something. */
static void
put(int end, const char *text)
{
	if (fd_write_all(end, text, strlen(text)) == -1)
		ok(false, "the agent can say something");
}

static void
test_lines(const char *dir)
{
	struct owner owner;
	int end = meet(&owner, dir);
	char got[128];
	ssize_t n;

	ok(end != -1, "a plug is there, however long the path");
	put(end, "{\"event\":\"o");
	put(end, "ne\"}\nnonsense\n{\"event\":\"two\"}\n");
	ok(until(&owner.lines, 2), "lines come whole");
	is(owner.last, "two", "nonsense is skipped");
	is_number(plug_say(owner.plug, face_request("watch")), 1, "a tag");
	n = read(end, got, sizeof(got) - 1);
	got[n > 0 ? n : 0] = '\0';
	is(got, "{\"do\":\"watch\",\"tag\":1}\n", "what the agent gets");
	owner.close_at = 3;
	put(end, "{\"event\":\"x\"}\n{\"event\":\"y\"}\n");
	ok(until(&owner.lines, 3), "a line that ends it");
	is(owner.last, "x", "is the last one");
	close(end);
}

static void
test_end(const char *dir)
{
	struct owner owner;
	int end = meet(&owner, dir);

	close(end);
	ok(until(&owner.gone, 1), "an agent that hangs up");
	is_number(owner.gone, 1, "is told of once");
}

/* An agent that does not read costs a mebibyte, and no time. */
static void
test_deaf(const char *dir)
{
	struct owner owner;
	int end = meet(&owner, dir), said = 0;
	int64_t since = clock_mono();
	char *text = g_strnfill(30000, 'x');
	json_t *request;
	int64_t tag;

	do {
		request = face_request("send");
		json_object_set_new(request, "text", json_string(text));
		tag = plug_say(owner.plug, request);
	} while (tag != -1 && ++said < 1000);
	ok(said >= 30 && said < 200, "an agent that does not read (%d)", said);
	ok(clock_mono() - since < PATIENCE_MS, "is not waited for");
	is_number(owner.gone, 0, "is not told of in the middle of a call");
	ok(until(&owner.gone, 1), "but soon");
	g_free(text);
	close(end);
}

#define MARKS_4 "\xcc\x81\xcc\x81\xcc\x81\xcc\x81"

static void
test_words(void)
{
	char tower[] = "e" MARKS_4 MARKS_4 MARKS_4 "e";
	char *text = words_line("a\nb\tc\x1b[1m");

	is(text,
	    "a\xef\xbf\xbd"
	    "b\xef\xbf\xbd"
	    "c\xef\xbf\xbd[1m",
	    "one line of it");
	g_free(text);
	text = words_text("a\nb\n\x1b");
	is(text, "a\nb\n\xef\xbf\xbd", "lines of their own");
	g_free(text);
	text = words_line("e" MARKS_4 MARKS_4 MARKS_4 "e");
	wrap_tame(tower);
	is(text, tower, "and no tower of marks");
	g_free(text);
	text = words_plain("<b>&amp;</b>");
	ok(strpbrk(text, "<>&") == NULL, "nothing of markup");
	g_free(text);
	text = words_line(NULL);
	is(text, "", "nothing");
	g_free(text);
	setenv("TZ", "UTC", 1);
	text = words_when(1763852580000, 1763852999000);
	is(text, "23:03", "this day");
	g_free(text);
	text = words_when(1763852580000, 1863856000000);
	is(text, "2025-11-22", "another day");
	g_free(text);
}

static struct model *followed;
static int64_t last_tag, history_tag;

static int64_t
ask(void *arg, json_t *request)
{
	const char *what = wire_get_string(request, "do");

	(void)arg;
	last_tag++;
	if (what != NULL && strcmp(what, "history") == 0)
		history_tag = last_tag;
	json_decref(request);
	return last_tag;
}

static void
talks(void *arg, size_t position, size_t removed, size_t added)
{
	(void)arg;
	if (followed != NULL)
		model_talks_changed(followed, position, removed, added);
}

static void
lines(void *arg, struct mirror_talk *talk, size_t position, size_t removed,
    size_t added)
{
	(void)arg;
	if (followed != NULL)
		model_lines_changed(followed, talk, position, removed, added);
}

/* True if the models say what the mirror says. */
static bool
follows(const struct mirror *mirror)
{
	GListModel *all = model_talks(followed), *rows;
	struct mirror_talk *talk;
	bool same = g_list_model_get_n_items(all) == mirror_count(mirror);
	ChatTalk *object;
	ChatLine *line;

	for (guint i = 0; same && i < mirror_count(mirror); i++) {
		talk = mirror_at(mirror, i);
		object = g_list_model_get_item(all, i);
		rows = chat_talk_lines(object);
		same = chat_talk_mirror(object) == talk &&
		    g_list_model_get_n_items(rows) == talk->count;
		for (guint j = 0; same && j < talk->count; j++) {
			line = g_list_model_get_item(rows, j);
			same = chat_line_get(line)->row == talk->lines[j].row &&
			    strcmp(chat_line_get(line)->text,
				talk->lines[j].text) == 0;
			g_object_unref(line);
		}
		g_object_unref(object);
	}
	return same;
}

/* A page of the book, so many rows from one on; false if it is not shown. */
static bool
turn_page(struct mirror *mirror, int from, int count)
{
	json_t *page = json_pack("{s:b,s:I,s:b,s:b,s:[]}", "ok", true, "tag",
	    (json_int_t)history_tag, "start", true, "end", true, "rows");

	for (int i = 0; i < count; i++)
		json_array_append_new(json_object_get(page, "rows"),
		    json_pack("{s:i,s:s,s:s,s:s,s:s,s:s,s:s}", "row", from + i,
			"kind", "message", "time", "2026-11-22T14:03:09.870Z",
			"from", "bob", "id", "Jd0cPq7eLw2nXa5vKy8r_B", "text",
			"hi", "state", "received"));
	mirror_take(mirror, page, 1763852580000);
	json_decref(page);
	return follows(mirror) &&
	    mirror_find(mirror, "bob", NULL)->count >= (size_t)count;
}

static void
test_model(void)
{
	static const struct mirror_calls calls = {
	    .ask = ask, .talks = talks, .lines = lines};
	static const char *const users[] = {"bob", "carol", "dave"};
	struct mirror *mirror = mirror_new("alice", &calls, NULL);
	ChatTalk *kept;
	json_t *event;
	bool same;

	followed = model_new(mirror);
	mirror_begin(mirror);
	for (int i = 0; i < 3; i++)
		mirror_load(mirror, mirror_open(mirror, users[i]));
	same = follows(mirror);
	for (int i = 1; same && i <= 60; i++) {
		event = json_pack("{s:s,s:i,s:s,s:s,s:s,s:s}", "event",
		    "message", "row", i, "time", "2026-11-22T14:03:09.870Z",
		    "from", users[i * 7 % 3], "id", "Jd0cPq7eLw2nXa5vKy8r_B",
		    "text", "hi");
		mirror_take(mirror, event, 1763852580000);
		json_decref(event);
		same = follows(mirror);
	}
	ok(same, "the models follow the mirror");
	mirror_load(mirror, mirror_open(mirror, "bob"));
	ok(turn_page(mirror, 3, 40), "to a page");
	mirror_load(mirror, mirror_open(mirror, "bob"));
	ok(turn_page(mirror, 3, 7), "and another one in its place");
	ok(mirror_count(mirror) >= 4, "with all conversations");
	kept = g_object_ref(model_talk(followed, mirror_at(mirror, 1)));
	model_free(followed);
	followed = NULL;
	mirror_free(mirror);
	ok(chat_talk_mirror(kept) == NULL, "and let go of it");
	g_object_unref(kept);
}

static void
test_keep(const char *dir)
{
	char *place = g_build_filename(dir, "fresh", NULL);
	struct keep keep;
	struct stat st;

	keep_read(&keep, place);
	ok(keep.account == NULL && keep.notify && !keep.hide && !keep.stay &&
		keep.look == LOOK_SYSTEM && keep.width > 0,
	    "what holds without a file");
	keep.account = g_strdup("alice@chat.example.org:2428");
	keep.hide = keep.stay = true;
	keep.look = LOOK_DARK;
	keep.width = 1234;
	ok(keep_write(&keep), "it can be written");
	ok(stat(keep.file, &st) == 0 && (st.st_mode & 0777) == 0600,
	    "for its user alone");
	keep_release(&keep);
	keep_read(&keep, place);
	is(keep.account, "alice@chat.example.org:2428", "and read again");
	ok(keep.hide && keep.stay && keep.look == LOOK_DARK &&
		keep.width == 1234,
	    "all of it");
	g_file_set_contents(
	    keep.file, "[window]\nwidth=-3\nlook=x\n\xff", -1, NULL);
	keep_release(&keep);
	keep_read(&keep, place);
	ok(keep.width > 0 && keep.look == LOOK_SYSTEM, "damaged, it is none");
	g_remove(keep.file);
	g_rmdir(place);
	keep_release(&keep);
	g_free(place);
}

int
main(void)
{
	char *top = g_dir_make_tmp("window-XXXXXX", NULL);
	char *name = g_strnfill(120, 'd');
	char *dir = g_build_filename(top, name, NULL);

	g_mkdir(dir, 0700);
	test_lines(dir);
	test_end(dir);
	test_deaf(dir);
	test_words();
	test_model();
	test_keep(dir);
	g_rmdir(dir);
	g_rmdir(top);
	g_free(dir);
	g_free(name);
	g_free(top);
	return done();
}
