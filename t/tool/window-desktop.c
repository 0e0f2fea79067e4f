/* SPDX-License-Identifier: ISC */
/*
 * The desktop of a test of windows: starts a program's actions, and takes its
 * notifications in the place of a desktop.  Part of t/tool/window; never on a
 * bus that people use.
 */
#include <stdio.h>
#include <string.h>

#include "window.h"

enum { CALL_MS = 20000 };

static GDBusConnection *
session(void)
{
	GError *error = NULL;
	GDBusConnection *bus = g_bus_get_sync(G_BUS_TYPE_SESSION, NULL, &error);

	if (bus == NULL)
		give_up("no session bus: %s", error->message);
	return bus;
}

void
desktop_act(const char *program, const char *action)
{
	char *path = g_strdup_printf("/%s", program);
	GError *error = NULL;
	GVariant *reply;

	g_strdelimit(path, ".", '/');
	reply = g_dbus_connection_call_sync(session(), program, path,
	    "org.gtk.Actions", "Activate",
	    g_variant_new("(sava{sv})", action, NULL, NULL), NULL,
	    G_DBUS_CALL_FLAGS_NONE, CALL_MS, NULL, &error);
	if (reply == NULL)
		give_up("%s: %s", action, error->message);
	g_variant_unref(reply);
	g_free(path);
}

static const char notifications[] =
    "<node><interface name='org.freedesktop.Notifications'>"
    "<method name='Notify'><arg type='s'/><arg type='u'/><arg type='s'/>"
    "<arg type='s' name='summary'/><arg type='s' name='body'/>"
    "<arg type='as'/><arg type='a{sv}'/><arg type='i'/>"
    "<arg type='u' direction='out'/></method>"
    "<method name='CloseNotification'><arg type='u'/></method>"
    "<method name='GetCapabilities'><arg type='as' direction='out'/>"
    "</method></interface></node>";

static void
notified(GDBusConnection *bus, const char *sender, const char *path,
    const char *interface, const char *method, GVariant *parameters,
    GDBusMethodInvocation *call, gpointer arg)
{
	const char *summary, *body;
	guint32 *id = arg;

	(void)bus, (void)sender, (void)path, (void)interface;
	if (strcmp(method, "GetCapabilities") == 0) {
		g_dbus_method_invocation_return_value(
		    call, g_variant_new("(as)", NULL));
		return;
	}
	if (strcmp(method, "Notify") != 0) {
		g_dbus_method_invocation_return_value(call, NULL);
		return;
	}
	g_variant_get_child(parameters, 3, "&s", &summary);
	g_variant_get_child(parameters, 4, "&s", &body);
	printf("%s|%s\n", summary, body);
	fflush(stdout);
	g_dbus_method_invocation_return_value(
	    call, g_variant_new("(u)", ++*id));
}

void
desktop_notices(void)
{
	static const GDBusInterfaceVTable table = {.method_call = notified};
	GDBusNodeInfo *node = g_dbus_node_info_new_for_xml(notifications, NULL);
	GDBusConnection *bus = session();
	guint32 id = 0;

	if (g_dbus_connection_register_object(bus,
		"/org/freedesktop/Notifications", node->interfaces[0], &table,
		&id, NULL, NULL) == 0)
		give_up("cannot stand in for the desktop");
	g_bus_own_name_on_connection(bus, "org.freedesktop.Notifications",
	    G_BUS_NAME_OWNER_FLAGS_NONE, NULL, NULL, NULL, NULL);
	for (;;)
		g_main_context_iteration(NULL, TRUE);
}
