/* SPDX-License-Identifier: ISC */
/*
 * A program as assistive technology sees it, for tests: its objects, fetched
 * over the bus of AT-SPI by its methods themselves, since libatspi asks for
 * each property of each object with a call of its own.  Part of t/tool/window;
 * never asks without a bound.
 */
#include <string.h>

/* Its headers are of an older C. */
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wstrict-prototypes"
#include <atspi/atspi.h>
#pragma GCC diagnostic pop

#include "window.h"

enum {
	CALL_MS = 10000, /* a program may be at work */
	ROUNDS_MAX = 64, /* deeper than any window is */
};

#define ROOT "/org/a11y/atspi/accessible/root"
#define ACCESSIBLE "org.a11y.atspi.Accessible"

void
bus_open(struct bus *bus)
{
	const char *address = g_getenv("AT_SPI_BUS_ADDRESS");
	GError *error = NULL;

	if (address == NULL)
		give_up("AT_SPI_BUS_ADDRESS is not set");
	bus->bus = g_dbus_connection_new_for_address_sync(address,
	    G_DBUS_CONNECTION_FLAGS_AUTHENTICATION_CLIENT |
		G_DBUS_CONNECTION_FLAGS_MESSAGE_BUS_CONNECTION,
	    NULL, NULL, &error);
	if (bus->bus == NULL)
		give_up("no bus at %s: %s", address, error->message);
}

static GVariant *
call(struct bus *bus, const char *name, const char *path, const char *interface,
    const char *method, GVariant *parameters)
{
	return g_dbus_connection_call_sync(bus->bus, name, path, interface,
	    method, parameters, NULL, G_DBUS_CALL_FLAGS_NONE, CALL_MS, NULL,
	    NULL);
}

GVariant *
bus_call(struct bus *bus, const char *path, const char *interface,
    const char *method, GVariant *parameters)
{
	return call(bus, bus->program, path, interface, method, parameters);
}

bool
bus_program(struct bus *bus)
{
	GVariant *reply = call(bus, "org.a11y.atspi.Registry", ROOT, ACCESSIBLE,
	    "GetChildren", NULL);
	GVariantIter *children;
	const char *name, *path;

	g_clear_pointer(&bus->program, g_free);
	if (reply == NULL)
		return false;
	g_variant_get(reply, "(a(so))", &children);
	while (g_variant_iter_next(children, "(&s&o)", &name, &path)) {
		g_free(bus->program);
		bus->program = g_strdup(name);
	}
	g_variant_iter_free(children);
	g_variant_unref(reply);
	return bus->program != NULL;
}

guint
bus_listen(struct bus *bus, GDBusSignalCallback heard, void *arg)
{
	return g_dbus_connection_signal_subscribe(bus->bus, NULL,
	    "org.a11y.atspi.Event.Object", NULL, NULL, NULL,
	    G_DBUS_SIGNAL_FLAGS_NONE, heard, arg, NULL);
}

static gboolean
rung(gpointer arg)
{
	*(bool *)arg = true;
	return G_SOURCE_CONTINUE;
}

void
bus_turn(int64_t ms)
{
	bool late = false;
	guint timer = g_timeout_add((guint)ms, rung, &late);

	g_main_context_iteration(NULL, TRUE);
	while (!late && g_main_context_iteration(NULL, FALSE))
		continue;
	g_source_remove(timer);
}

/* ---- all objects at one moment */

static void
object_free(gpointer arg)
{
	struct object *object = arg;

	g_ptr_array_unref(object->down);
	g_free(object->content);
	g_free(object);
}

void
sight_release(struct sight *sight)
{
	g_clear_pointer(&sight->by_path, g_hash_table_unref);
	g_clear_pointer(&sight->items, g_variant_unref);
	sight->root = NULL;
}

/* Notes what can be done with it. */
static void
take_interfaces(struct object *object, GVariantIter *interfaces)
{
	const char *name;

	while (g_variant_iter_next(interfaces, "&s", &name)) {
		object->action |= strcmp(name, "org.a11y.atspi.Action") == 0;
		object->text |= strcmp(name, "org.a11y.atspi.Text") == 0;
		object->editable |=
		    strcmp(name, "org.a11y.atspi.EditableText") == 0;
	}
}

/* Takes over one row of what the program keeps ready. */
static void
take_item(struct sight *sight, GVariant *item)
{
	struct object *object = g_new0(struct object, 1);
	GVariantIter *interfaces, *states;
	guint32 word;
	int shift = 0;

	g_variant_get(item, "((&s&o)(&s&o)(&s&o)iias&su&sau)", &object->owner,
	    &object->path, NULL, NULL, NULL, &object->parent, &object->index,
	    &object->children, &interfaces, &object->name, &object->role,
	    &object->description, &states);
	take_interfaces(object, interfaces);
	for (; g_variant_iter_next(states, "u", &word); shift += 32)
		object->states |= (uint64_t)word << shift;
	g_variant_iter_free(interfaces);
	g_variant_iter_free(states);
	object->down = g_ptr_array_new();
	g_hash_table_insert(sight->by_path, (gpointer)object->path, object);
}

static gint
in_order(gconstpointer a, gconstpointer b)
{
	const struct object *first = *(struct object *const *)a;
	const struct object *second = *(struct object *const *)b;

	return first->index - second->index;
}

/* Ties children to parents. */
static void
tie(struct sight *sight)
{
	GHashTableIter iter;
	gpointer value;
	struct object *object;

	g_hash_table_iter_init(&iter, sight->by_path);
	while (g_hash_table_iter_next(&iter, NULL, &value)) {
		object = value;
		object->up =
		    g_hash_table_lookup(sight->by_path, object->parent);
		if (object->up != NULL)
			g_ptr_array_add(object->up->down, object);
	}
	g_hash_table_iter_init(&iter, sight->by_path);
	while (g_hash_table_iter_next(&iter, NULL, &value))
		g_ptr_array_sort(((struct object *)value)->down, in_order);
	sight->root = g_hash_table_lookup(sight->by_path, ROOT);
}

/* Fetches the rows of all objects that the program has made so far. */
static void
fetch(struct sight *sight, struct bus *bus)
{
	GVariant *reply = bus_call(bus, "/org/a11y/atspi/cache",
	    "org.a11y.atspi.Cache", "GetItems", NULL);
	GVariantIter iter;
	GVariant *item;

	sight_release(sight);
	sight->by_path =
	    g_hash_table_new_full(g_str_hash, g_str_equal, NULL, object_free);
	if (reply == NULL)
		return;
	sight->items = g_variant_get_child_value(reply, 0);
	g_variant_unref(reply);
	g_variant_iter_init(&iter, sight->items);
	while ((item = g_variant_iter_next_value(&iter)) != NULL) {
		take_item(sight, item);
		g_variant_unref(item);
	}
	tie(sight);
}

static void
answered(GObject *source, GAsyncResult *result, gpointer arg)
{
	struct object *object = arg, *child;
	GVariant *reply = g_dbus_connection_call_finish(
	    G_DBUS_CONNECTION(source), result, NULL);
	GVariantIter *children;
	const char *path;

	--*object->pending;
	if (reply == NULL)
		return;
	for (guint i = 0; i < object->down->len; i++)
		((struct object *)object->down->pdata[i])->gone = true;
	g_variant_get(reply, "(a(so))", &children);
	while (g_variant_iter_next(children, "(&s&o)", NULL, &path)) {
		child = g_hash_table_lookup(object->all, path);
		if (child == NULL)
			continue;
		child->gone = false;
		/* A stack says that its pages' children are its own. */
		if (child->up != NULL && child->up->up == object)
			child->up->gone = false;
	}
	g_variant_iter_free(children);
	g_variant_unref(reply);
}

/* GTK makes an object when it is asked for, and keeps those that are not shown
 * any more: asks where the number of children is not the one it tells of, all
 * together.  False if nothing was missing. */
static bool
ask_missing(struct sight *sight, struct bus *bus)
{
	unsigned pending = 0;
	GHashTableIter iter;
	gpointer value;
	struct object *object;
	bool any = false;

	g_hash_table_iter_init(&iter, sight->by_path);
	while (g_hash_table_iter_next(&iter, NULL, &value)) {
		object = value;
		if (object->children == (gint32)object->down->len)
			continue;
		any |= object->children > (gint32)object->down->len;
		object->pending = &pending;
		object->all = sight->by_path;
		pending++;
		g_dbus_connection_call(bus->bus, bus->program, object->path,
		    ACCESSIBLE, "GetChildren", NULL, NULL,
		    G_DBUS_CALL_FLAGS_NONE, CALL_MS, NULL, answered, object);
	}
	while (pending > 0)
		g_main_context_iteration(NULL, TRUE);
	return any;
}

static void
told(GObject *source, GAsyncResult *result, gpointer arg)
{
	struct object *object = arg;
	GVariant *reply = g_dbus_connection_call_finish(
	    G_DBUS_CONNECTION(source), result, NULL);

	if (reply != NULL)
		g_variant_get(reply, "(s)", &object->content);
	else
		object->content = g_strdup("");
	g_clear_pointer(&reply, g_variant_unref);
}

/* An entry has no end called -1, a view none that is too large: so the text
 * is asked for when its length is known. */
static void
counted(GObject *source, GAsyncResult *result, gpointer arg)
{
	GDBusConnection *bus = G_DBUS_CONNECTION(source);
	struct object *object = arg;
	GVariant *reply = g_dbus_connection_call_finish(bus, result, NULL);
	GVariant *value = NULL;

	if (reply == NULL) {
		object->content = g_strdup("");
		return;
	}
	g_variant_get(reply, "(v)", &value);
	g_dbus_connection_call(bus, object->owner, object->path,
	    "org.a11y.atspi.Text", "GetText",
	    g_variant_new("(ii)", 0, g_variant_get_int32(value)), NULL,
	    G_DBUS_CALL_FLAGS_NONE, CALL_MS, NULL, told, object);
	g_variant_unref(value);
	g_variant_unref(reply);
}

/* Fetches what is written in entries and views, together; a label's name is
 * what is written in it. */
static void
fetch_texts(struct sight *sight, struct bus *bus)
{
	GHashTableIter iter;
	gpointer value;
	struct object *object;

	for (int go = 0; go < 2; go++) {
		g_hash_table_iter_init(&iter, sight->by_path);
		while (g_hash_table_iter_next(&iter, NULL, &value)) {
			object = value;
			if (!object->text || object->role == ATSPI_ROLE_LABEL)
				continue;
			if (go == 0)
				g_dbus_connection_call(bus->bus, bus->program,
				    object->path,
				    "org.freedesktop.DBus.Properties", "Get",
				    g_variant_new("(ss)", "org.a11y.atspi.Text",
					"CharacterCount"),
				    NULL, G_DBUS_CALL_FLAGS_NONE, CALL_MS, NULL,
				    counted, object);
			while (go == 1 && object->content == NULL)
				g_main_context_iteration(NULL, TRUE);
		}
	}
}

void
sight_take(struct sight *sight, struct bus *bus)
{
	unsigned before = 0;
	bool missing;

	for (int round = 0; round < ROUNDS_MAX; round++) {
		fetch(sight, bus);
		missing = ask_missing(sight, bus);
		/* What comes and goes meanwhile is for the next look. */
		if (!missing || g_hash_table_size(sight->by_path) == before)
			break;
		before = g_hash_table_size(sight->by_path);
	}
	fetch_texts(sight, bus);
}

struct object *
sight_find(struct object *from, sight_visit visit, void *arg)
{
	struct object *found, *child;

	if (from == NULL)
		return NULL;
	if (visit(from, arg))
		return from;
	for (guint i = 0; i < from->down->len; i++) {
		child = from->down->pdata[i];
		child->depth = from->depth + 1;
		found = sight_find(child, visit, arg);
		if (found != NULL)
			return found;
	}
	return NULL;
}

/* ---- one of them */

const char *
object_role(const struct object *object)
{
	static char name[64];
	char *role = atspi_role_get_name((AtspiRole)object->role);

	g_strlcpy(name, role == NULL ? "?" : role, sizeof(name));
	g_free(role);
	return name;
}

/* The states that tests speak of. */
static const struct {
	const char *name;
	AtspiStateType state;
} names[] = {
    {"active", ATSPI_STATE_ACTIVE},
    {"busy", ATSPI_STATE_BUSY},
    {"checked", ATSPI_STATE_CHECKED},
    {"editable", ATSPI_STATE_EDITABLE},
    {"expanded", ATSPI_STATE_EXPANDED},
    {"focusable", ATSPI_STATE_FOCUSABLE},
    {"focused", ATSPI_STATE_FOCUSED},
    {"modal", ATSPI_STATE_MODAL},
    {"pressed", ATSPI_STATE_PRESSED},
    {"selected", ATSPI_STATE_SELECTED},
    {"sensitive", ATSPI_STATE_SENSITIVE},
    {"showing", ATSPI_STATE_SHOWING},
    {"visible", ATSPI_STATE_VISIBLE},
};

bool
object_is(const struct object *object, const char *state)
{
	for (size_t i = 0; i < G_N_ELEMENTS(names); i++)
		if (strcmp(names[i].name, state) == 0)
			return object->states >> names[i].state & 1;
	give_up("no state is called %s", state);
}

char *
object_states(const struct object *object)
{
	GString *list = g_string_new(NULL);

	for (size_t i = 0; i < G_N_ELEMENTS(names); i++)
		if (object->states >> names[i].state & 1)
			g_string_append_printf(list, "%s%s",
			    list->len == 0 ? "" : " ", names[i].name);
	return g_string_free(list, FALSE);
}
