/* SPDX-License-Identifier: ISC */
/*
 * What the parts of t/tool/window say to each other: the objects that a
 * program shows to assistive technology, and the display that it is on.  For
 * tests alone; never part of a program that is installed.
 */
#ifndef T_TOOL_WINDOW_H
#define T_TOOL_WINDOW_H

#include <stdbool.h>
#include <stdint.h>

#include <gio/gio.h>

/* One object, as the program has told of it; strings belong to the sight. */
struct object {
	const char *owner, *path, *parent, *name, *description;
	gint32 index, children;
	guint32 role; /* an AtspiRole */
	uint64_t states; /* bits 1 << AtspiStateType */
	bool action, text, editable;
	struct object *up; /* NULL: the program itself */
	GPtrArray *down; /* struct object, in their order */
	char *content; /* what its text is, or NULL */
	int depth;
	bool gone; /* its parent has it no more */
	unsigned *pending; /* while its children are asked for */
	GHashTable *all;
};

/* All of a program's objects at one moment. */
struct sight {
	GVariant *items;
	GHashTable *by_path; /* owns the objects */
	struct object *root; /* NULL: there is no program */
};

struct bus {
	GDBusConnection *bus;
	char *program; /* its name on the bus, or NULL */
};

/* Connects to the bus of the assistive technology, or ends with a word. */
void bus_open(struct bus *bus);
/* Finds the program that came last; false if there is none. */
bool bus_program(struct bus *bus);
/* Calls a method of one of its objects; NULL where that fails. */
GVariant *bus_call(struct bus *bus, const char *path, const char *interface,
    const char *method, GVariant *parameters);
/* Lets it tell of changes: signals of all its objects. */
guint bus_listen(struct bus *bus, GDBusSignalCallback heard, void *arg);
/* Turns the loop for so long at most, or until something was heard. */
void bus_turn(int64_t ms);

/* Looks at all that there is. */
void sight_take(struct sight *sight, struct bus *bus);
void sight_release(struct sight *sight);
/* One after the other, as a reader would go; NULL after the last. */
typedef bool (*sight_visit)(struct object *object, void *arg);
/* The first one for which visit() is true, or NULL. */
struct object *sight_find(struct object *from, sight_visit visit, void *arg);

const char *object_role(const struct object *object);
bool object_is(const struct object *object, const char *state);
/* Its states, one blank between them; to be freed. */
char *object_states(const struct object *object);

/* The display: keys, the pointer, what can be seen.  All end with a word
 * where there is none. */
void screen_focus(void); /* the newest window gets the keys */
void screen_key(const char *chord); /* as Return, Control+f, Alt+a */
void screen_type(const char *text);
void screen_close(void); /* asks it to close, as its frame would */
void screen_click(int x, int y); /* within that window */
void screen_size(int width, int height);
bool screen_picture(const char *file); /* the newest window, as PNG */

/* An action of the program with this name on the session's bus. */
void desktop_act(const char *program, const char *action);
/* Stands in for the desktop: prints each notification, TITLE|BODY. */
_Noreturn void desktop_notices(void);

_Noreturn void give_up(const char *format, ...) G_GNUC_PRINTF(1, 2);

#endif
