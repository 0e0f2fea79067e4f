/* SPDX-License-Identifier: ISC */
/*
 * What the window remembers from one start to the next: window.conf beside
 * the accounts' directories.  Nothing of anybody's messages, no password; a
 * file that cannot be read or written costs the memory and no more.
 */
#include "chat/faces/window/keep.h"

#include <string.h>

#include <glib.h>
#include <glib/gstdio.h>

static const char group[] = "window";
static const char *const looks[] = {"system", "light", "dark"};

enum { WIDTH = 900, HEIGHT = 620, SIDE_MAX = 32767 };

/* A truth of the file, or what holds without. */
static bool
get_bool(GKeyFile *file, const char *key, bool none)
{
	GError *error = NULL;
	bool value = g_key_file_get_boolean(file, group, key, &error);

	if (error == NULL)
		return value;
	g_error_free(error);
	return none;
}

/* A side of the window. */
static int
get_side(GKeyFile *file, const char *key, int none)
{
	int value = g_key_file_get_integer(file, group, key, NULL);

	return value > 0 && value <= SIDE_MAX ? value : none;
}

/* Reads the file of that state directory. */
void
keep_read(struct keep *keep, const char *state)
{
	GKeyFile *file = g_key_file_new();
	char *look;

	memset(keep, 0, sizeof(*keep));
	keep->file = state != NULL
	    ? g_build_filename(state, "window.conf", NULL)
	    : g_build_filename(
		  g_get_user_state_dir(), "chat", "window.conf", NULL);
	g_key_file_load_from_file(file, keep->file, G_KEY_FILE_NONE, NULL);
	keep->account = g_key_file_get_string(file, group, "account", NULL);
	keep->width = get_side(file, "width", WIDTH);
	keep->height = get_side(file, "height", HEIGHT);
	keep->maximized = get_bool(file, "maximized", false);
	keep->notify = get_bool(file, "notify", true);
	keep->hide = get_bool(file, "hide-content", false);
	keep->stay = get_bool(file, "stay", false);
	look = g_key_file_get_string(file, group, "look", NULL);
	for (int i = LOOK_SYSTEM; look != NULL && i <= LOOK_DARK; i++)
		if (strcmp(look, looks[i]) == 0)
			keep->look = (enum keep_look)i;
	g_free(look);
	g_key_file_unref(file);
}

void
keep_release(struct keep *keep)
{
	g_free(keep->file);
	g_free(keep->account);
	memset(keep, 0, sizeof(*keep));
}

/* Writes it, as a new file in the place of the old one. */
bool
keep_write(const struct keep *keep)
{
	GKeyFile *file = g_key_file_new();
	char *dir = g_path_get_dirname(keep->file), *text;
	bool done;
	gsize len;

	if (keep->account != NULL)
		g_key_file_set_string(file, group, "account", keep->account);
	g_key_file_set_integer(file, group, "width", keep->width);
	g_key_file_set_integer(file, group, "height", keep->height);
	g_key_file_set_boolean(file, group, "maximized", keep->maximized);
	g_key_file_set_boolean(file, group, "notify", keep->notify);
	g_key_file_set_boolean(file, group, "hide-content", keep->hide);
	g_key_file_set_boolean(file, group, "stay", keep->stay);
	g_key_file_set_string(file, group, "look", looks[keep->look]);
	text = g_key_file_to_data(file, &len, NULL);
	done = g_mkdir_with_parents(dir, 0700) == 0 &&
	    g_file_set_contents_full(keep->file, text, (gssize)len,
		G_FILE_SET_CONTENTS_CONSISTENT, 0600, NULL);
	g_free(text);
	g_free(dir);
	g_key_file_unref(file);
	return done;
}
