/* SPDX-License-Identifier: ISC */
/*
 * A person at a window, for tests: looks through AT-SPI at what a program
 * shows, presses, types, and waits for what is to come, always with a bound.
 * One verb a process; t/lib/window.bash makes sentences of them.  Never for a
 * session that people use.
 *
 * usage: window [-r ROLE] [-s SECONDS] [-x] VERB [ARGUMENT]...
 *
 * NAME is what an object is called, or a part of it; with -x all of it.
 * Verbs, each of which waits for the object that it needs:
 *   tree                 prints all there is
 *   wait NAME [STATE]... until it is there, in these states (!STATE: not)
 *   gone NAME            until it is not
 *   press NAME           what a click would do
 *   focus NAME           Tab, until the keyboard is there
 *   fill NAME TEXT       puts a text into an entry
 *   type TEXT            types, where the keyboard is
 *   key CHORD...         as Return, Control+f
 *   text NAME            prints what is written in it
 *   states NAME          prints its states
 *   list [NAME]          prints the names of all of a role, in NAME
 *   nameless             prints what can have the keyboard and has no name
 *   focused              prints role and name of what has the keyboard
 *   when NAME            prints "ready", then when it came, in milliseconds
 *   act NAME ACTION      one of a program's actions, by D-Bus
 *   notices              prints what the desktop is told, until it is ended
 *   close | click X Y | size W H | picture FILE
 */
#include <err.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

#include "window.h"

enum {
	SECONDS = 20,
	STEPS_MAX = 64,
	STEP_MS = 100, /* what a key does is mostly told sooner */
	STEP_MAX_MS = 1500, /* and on a busy machine in that time */
	TURN_MS = 250, /* looks again by itself after that */
};

/* What is looked for. */
struct wanted {
	const char *name, *role;
	char **states;
	bool whole; /* the name is all of it */
	bool button; /* what one presses before what only bears its name */
};

struct person {
	struct bus bus;
	struct sight sight;
	struct wanted wanted;
	int64_t until; /* microseconds of the monotonic clock */
};

typedef int (*verb)(struct person *person, char **arguments);

void
give_up(const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	vwarnx(format, arguments);
	va_end(arguments);
	exit(1);
}

/* ---- looking */

static bool
fits_text(const struct wanted *wanted, const char *text)
{
	if (text == NULL)
		return false;
	return wanted->whole ? strcmp(text, wanted->name) == 0
			     : strstr(text, wanted->name) != NULL;
}

static bool
fits_states(const struct wanted *wanted, const struct object *object)
{
	for (char **state = wanted->states; state && *state; state++)
		if (object_is(object, *state + (**state == '!')) ==
		    (**state == '!'))
			return false;
	return true;
}

/* GTK keeps what is in a hidden page. */
static bool
hidden(const struct object *object)
{
	for (; object->up != NULL; object = object->up)
		if (object->gone || !object_is(object, "visible"))
			return true;
	return false;
}

static bool
fits(struct object *object, void *arg)
{
	const struct wanted *wanted = arg;

	return !hidden(object) &&
	    (wanted->role == NULL ||
		strcmp(object_role(object), wanted->role) == 0) &&
	    (fits_text(wanted, object->name) ||
		fits_text(wanted, object->content)) &&
	    fits_states(wanted, object);
}

static bool
fits_button(struct object *object, void *arg)
{
	const char *role = object_role(object);

	return (strstr(role, "button") || strstr(role, "item")) &&
	    fits(object, arg);
}

/* Looks again; the object that is wanted, or NULL. */
static struct object *
look(struct person *person)
{
	struct wanted whole = person->wanted;
	struct object *object = NULL, *root;

	if (!bus_program(&person->bus))
		return NULL;
	sight_take(&person->sight, &person->bus);
	root = person->sight.root;
	whole.whole = true;
	if (whole.button)
		object = sight_find(root, fits_button, &whole);
	if (object == NULL && whole.button)
		object = sight_find(root, fits_button, &person->wanted);
	return object ? object : sight_find(root, fits, &person->wanted);
}

static bool
late(const struct person *person)
{
	return g_get_monotonic_time() >= person->until;
}

static void
heard(GDBusConnection *bus, const char *sender, const char *path,
    const char *interface, const char *signal, GVariant *parameters,
    gpointer arg)
{
	(void)bus, (void)sender, (void)path, (void)interface;
	(void)signal, (void)parameters, (void)arg; /* the loop has turned */
}

/* Waits until it is there (or, gone, not there); what a program tells of is
 * looked at at once. */
static struct object *
wait_for(struct person *person, bool gone)
{
	struct object *object;
	int missed = 0; /* a look amid a change may miss what is there */

	bus_listen(&person->bus, heard, NULL);
	for (;;) {
		object = look(person);
		missed = object == NULL ? missed + 1 : 0;
		if (gone ? missed == 2 : object != NULL)
			return object;
		if (late(person))
			break;
		bus_turn(TURN_MS);
	}
	if (gone)
		give_up("it does not go: %s", person->wanted.name);
	give_up("waited in vain for: %s%s%s",
	    person->wanted.role ? person->wanted.role : "",
	    person->wanted.role ? " " : "", person->wanted.name);
}

/* ---- verbs that look */

static bool
print_one(struct object *object, void *arg)
{
	char *states = object_states(object);

	(void)arg;
	if (object->gone)
		printf("gone: ");
	printf("%*s%s \"%s\"", 2 * object->depth, "", object_role(object),
	    object->name);
	if (object->content != NULL)
		printf(" text \"%s\"", object->content);
	if (*object->description != '\0')
		printf(" (%s)", object->description);
	printf(" [%s]%s\n", states, object->action ? " *" : "");
	g_free(states);
	return false;
}

static int
do_tree(struct person *person, char **arguments)
{
	(void)arguments;
	person->wanted.name = "";
	wait_for(person, false);
	sight_find(person->sight.root, print_one, NULL);
	return 0;
}

static int
do_wait(struct person *person, char **arguments)
{
	person->wanted.states = arguments + 1;
	wait_for(person, false);
	return 0;
}

static int
do_gone(struct person *person, char **arguments)
{
	person->wanted.states = arguments + 1;
	wait_for(person, true);
	return 0;
}

static int
do_text(struct person *person, char **arguments)
{
	struct object *object = wait_for(person, false);

	(void)arguments;
	puts(object->content != NULL ? object->content : object->name);
	return 0;
}

static int
do_states(struct person *person, char **arguments)
{
	char *states = object_states(wait_for(person, false));

	(void)arguments;
	puts(states);
	g_free(states);
	return 0;
}

static bool
print_role(struct object *object, void *arg)
{
	const char *role = arg;

	if (strcmp(object_role(object), role) == 0 && !hidden(object))
		puts(object->name);
	return false;
}

static int
do_list(struct person *person, char **arguments)
{
	const char *role = person->wanted.role;
	struct object *in;

	if (role == NULL)
		give_up("list needs -r");
	person->wanted.role = NULL;
	if (arguments[0] == NULL)
		person->wanted.name = "";
	in = wait_for(person, false);
	if (arguments[0] == NULL)
		in = person->sight.root;
	sight_find(in, print_role, (void *)role);
	return 0;
}

static bool
has_name(struct object *object, void *arg)
{
	static const char *const classes[] = {"Gtk", "Adw", "Chat"};

	(void)arg;
	/* Without a name GTK tells the name of its class. */
	for (size_t i = 0; i < G_N_ELEMENTS(classes); i++)
		if (g_str_has_prefix(object->name, classes[i]) &&
		    strchr(object->name, ' ') == NULL)
			return false;
	return *object->name != '\0';
}

/* A row's name is what is in it: this GTK has no other for it.  What only
 * scrolls needs none. */
static bool
print_nameless(struct object *object, void *arg)
{
	int *count = arg;
	bool row = strcmp(object_role(object), "list item") == 0;

	if (!object_is(object, "focusable") || hidden(object) ||
	    strcmp(object_role(object), "scroll pane") == 0 ||
	    (row ? sight_find(object, has_name, NULL) != NULL
		 : has_name(object, NULL)))
		return false;
	++*count;
	for (struct object *up = object->up; up != NULL; up = up->up)
		if (has_name(up, NULL)) {
			printf("in %s \"%s\": ", object_role(up), up->name);
			break;
		}
	printf("%s\n", object_role(object));
	return false;
}

static int
do_nameless(struct person *person, char **arguments)
{
	int count = 0;

	(void)arguments;
	person->wanted.name = "";
	wait_for(person, false);
	sight_find(person->sight.root, print_nameless, &count);
	return count > 0;
}

static bool
has_focus(struct object *object, void *arg)
{
	(void)arg;
	return object_is(object, "focused");
}

static int
do_focused(struct person *person, char **arguments)
{
	struct object *object;

	(void)arguments;
	person->wanted.name = "";
	wait_for(person, false);
	object = sight_find(person->sight.root, has_focus, NULL);
	if (object == NULL)
		return 1;
	printf("%s \"%s\"\n", object_role(object), object->name);
	return 0;
}

/* ---- when something came */

/* The time is that at which a look has found it: at most so long it took. */
static int
do_when(struct person *person, char **arguments)
{
	struct object *object;

	(void)arguments;
	bus_listen(&person->bus, heard, NULL);
	object = look(person);
	if (object != NULL)
		give_up("it is there already: %s", person->wanted.name);
	puts("ready");
	fflush(stdout);
	while (object == NULL) {
		if (late(person))
			give_up("never came: %s", person->wanted.name);
		bus_turn(TURN_MS);
		object = look(person);
	}
	printf("%lld\n", (long long)(g_get_real_time() / 1000));
	return 0;
}

/* ---- verbs that do */

/* What GTK calls that which a click, or Return, would do. */
static bool
act(struct person *person, const struct object *object)
{
	GVariant *reply;
	gboolean done = FALSE;

	if (!object->action || strstr(object_role(object), "button") == NULL)
		return false;
	reply = bus_call(&person->bus, object->path, "org.a11y.atspi.Action",
	    "DoAction", g_variant_new("(i)", 0));
	if (reply == NULL)
		return false;
	g_variant_get(reply, "(b)", &done);
	g_variant_unref(reply);
	return done;
}

/* Clicks into its middle; GTK tells where things are, and takes no focus
 * for them from assistive technology. */
static bool
click(struct person *person, const struct object *object)
{
	GVariant *reply = bus_call(&person->bus, object->path,
	    "org.a11y.atspi.Component", "GetExtents", g_variant_new("(u)", 1));
	gint32 x, y, width, height;

	if (reply == NULL)
		return false;
	g_variant_get(reply, "((iiii))", &x, &y, &width, &height);
	g_variant_unref(reply);
	if (width <= 0 || height <= 0)
		return false;
	screen_click(x + width / 2, y + height / 2);
	return true;
}

static bool
add_focused(struct object *object, void *arg)
{
	if (object_is(object, "focused"))
		g_string_append(arg, object->path);
	return false;
}

/* Where the keyboard is, in fresh memory: a menu's window has its own. */
static char *
focus_path(struct person *person)
{
	GString *all = g_string_new(NULL);

	sight_find(person->sight.root, add_focused, all);
	return g_string_free(all, FALSE);
}

/* Presses a key and waits until it has moved the keyboard: one that is still
 * on its way would carry the next one past what is wanted. */
static void
step(struct person *person, const char *chord)
{
	gint64 until = g_get_monotonic_time() + STEP_MAX_MS * 1000;
	char *was = focus_path(person), *is;
	bool moved = false;

	screen_key(chord);
	while (!moved && !late(person) && g_get_monotonic_time() < until) {
		bus_turn(STEP_MS);
		look(person);
		is = focus_path(person);
		moved = *is != '\0' && strcmp(is, was) != 0;
		g_free(is);
	}
	g_free(was);
}

/* True if the keyboard is there, and stays. */
static bool
arrived(struct person *person)
{
	for (int looks = 0; looks < 2; looks++) {
		const struct object *object = look(person);

		if (object == NULL || !object_is(object, "focused"))
			return false;
		bus_turn(STEP_MS / 2);
	}
	return true;
}

/* Goes through what can have the keyboard until it is there. */
static bool
walk(struct person *person, const char *chord)
{
	screen_focus();
	for (int steps = 0; steps < STEPS_MAX && !late(person); steps++) {
		if (arrived(person))
			return true;
		step(person, chord);
	}
	return arrived(person);
}

static int
do_press(struct person *person, char **arguments)
{
	static char *sensitive[] = {(char *)"sensitive", NULL};
	struct object *object;

	(void)arguments;
	person->wanted.states = sensitive;
	person->wanted.button = true;
	object = wait_for(person, false);
	if (strcmp(object_role(object), "menu item") == 0) {
		/* A menu is a window of its own, and tells no place. */
		if (!walk(person, "Down"))
			give_up("no way to it: %s", person->wanted.name);
		screen_key("Return");
		return 0;
	}
	if (!act(person, object) && !click(person, object))
		give_up("it cannot be pressed: %s", person->wanted.name);
	return 0;
}

/* As who has no mouse. */
static int
do_focus(struct person *person, char **arguments)
{
	static char *focusable[] = {(char *)"focusable", NULL};

	(void)arguments;
	person->wanted.states = focusable;
	wait_for(person, false);
	if (!walk(person, "Tab"))
		give_up("Tab does not lead to it: %s", person->wanted.name);
	return 0;
}

static int
do_fill(struct person *person, char **arguments)
{
	static char *editable[] = {(char *)"editable", NULL};
	struct object *object;
	GVariant *reply;
	gboolean done = FALSE;

	person->wanted.states = editable;
	object = wait_for(person, false);
	reply =
	    bus_call(&person->bus, object->path, "org.a11y.atspi.EditableText",
		"SetTextContents", g_variant_new("(s)", arguments[1]));
	if (reply != NULL) {
		g_variant_get(reply, "(b)", &done);
		g_variant_unref(reply);
	}
	if (!done)
		give_up("it takes no text: %s", person->wanted.name);
	return 0;
}

static int
do_type(struct person *person, char **arguments)
{
	(void)person;
	screen_focus();
	screen_type(arguments[0]);
	return 0;
}

static int
do_key(struct person *person, char **arguments)
{
	(void)person;
	screen_focus();
	for (; *arguments != NULL; arguments++)
		screen_key(*arguments);
	return 0;
}

static int
do_close(struct person *person, char **arguments)
{
	(void)person, (void)arguments;
	screen_close();
	return 0;
}

static int
do_click(struct person *person, char **arguments)
{
	(void)person;
	screen_click(atoi(arguments[0]), atoi(arguments[1]));
	return 0;
}

static int
do_size(struct person *person, char **arguments)
{
	(void)person;
	screen_size(atoi(arguments[0]), atoi(arguments[1]));
	return 0;
}

static int
do_picture(struct person *person, char **arguments)
{
	(void)person;
	return !screen_picture(arguments[0]);
}

static int
do_act(struct person *person, char **arguments)
{
	(void)person;
	desktop_act(arguments[0], arguments[1]);
	return 0;
}

static int
do_notices(struct person *person, char **arguments)
{
	(void)person, (void)arguments;
	desktop_notices();
}

/* ---- the rows */

static const struct {
	const char *name;
	verb does;
	int arguments; /* at least; the first one of `sees` is NAME */
	bool sees;
} verbs[] = {
    {"act", do_act, 2, false},
    {"click", do_click, 2, false},
    {"close", do_close, 0, false},
    {"fill", do_fill, 2, true},
    {"focus", do_focus, 1, true},
    {"focused", do_focused, 0, true},
    {"gone", do_gone, 1, true},
    {"key", do_key, 1, false},
    {"list", do_list, 0, true},
    {"nameless", do_nameless, 0, true},
    {"notices", do_notices, 0, false},
    {"picture", do_picture, 1, false},
    {"press", do_press, 1, true},
    {"size", do_size, 2, false},
    {"states", do_states, 1, true},
    {"text", do_text, 1, true},
    {"tree", do_tree, 0, true},
    {"type", do_type, 1, false},
    {"wait", do_wait, 1, true},
    {"when", do_when, 1, true},
};

static int
run(struct person *person, int count, char **arguments)
{
	for (size_t i = 0; i < G_N_ELEMENTS(verbs); i++) {
		if (strcmp(verbs[i].name, arguments[0]) != 0)
			continue;
		if (count - 1 < verbs[i].arguments)
			break;
		if (verbs[i].sees)
			bus_open(&person->bus);
		person->wanted.name = arguments[1];
		return verbs[i].does(person, arguments + 1);
	}
	warnx("no verb %s with so many arguments", arguments[0]);
	return EX_USAGE;
}

int
main(int argc, char **argv)
{
	struct person person = {0};
	int option, seconds = SECONDS;

	while ((option = getopt(argc, argv, "+r:s:x")) != -1) {
		switch (option) {
		case 'r':
			person.wanted.role = optarg;
			break;
		case 's':
			seconds = atoi(optarg);
			break;
		case 'x':
			person.wanted.whole = true;
			break;
		default:
			return EX_USAGE;
		}
	}
	if (optind == argc)
		return EX_USAGE;
	person.until = g_get_monotonic_time() + seconds * G_USEC_PER_SEC;
	return run(&person, argc - optind, argv + optind);
}
