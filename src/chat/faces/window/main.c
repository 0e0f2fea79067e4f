/* SPDX-License-Identifier: ISC */
/*
 * chat-gtk: a window for one account.  Reads the command line, makes the
 * application and runs it; must show the window before anybody has answered.
 */
#ifdef HAVE_CONFIG_H
#include "config.h"
#endif

#include <sys/resource.h>
#include <sys/stat.h>

#include <getopt.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sysexits.h>

#include <glib-unix.h>

#include "chat/account.h"
#include "chat/faces/window/enter.h"
#include "chat/faces/window/window.h"

enum { OPT_ACCOUNT = 256, OPT_STATE, OPT_CONFIG };

static const struct option long_options[] = {
    {"account", required_argument, NULL, OPT_ACCOUNT},
    {"state", required_argument, NULL, OPT_STATE},
    {"config", required_argument, NULL, OPT_CONFIG},
    {"help", no_argument, NULL, 'h'},
    {"version", no_argument, NULL, 'V'},
    {NULL, 0, NULL, 0},
};

static const char usage_text[] =
    "usage: chat-gtk [OPTIONS] [[USER@]HOST[:PORT]]\n"
    "      --account NAME  an account of the configuration, or\n"
    "                      USER@HOST[:PORT]\n"
    "      --config FILE   instead of chat.conf; see chat.conf(5)\n"
    "      --state DIR     where sessions and history lie\n"
    "  -h, --help          print this\n"
    "  -V, --version       print the version\n";

static int
usage(const char *what)
{
	fprintf(stderr, "chat-gtk: %s\nTry \"chat-gtk --help\".\n", what);
	return EX_USAGE;
}

/* -1 to go on, else an exit status. */
static int
read_options(int argc, char **argv, struct spawn_account *wanted)
{
	int c;

	while ((c = getopt_long(argc, argv, "hV", long_options, NULL)) != -1) {
		switch (c) {
		case OPT_ACCOUNT:
			wanted->account = optarg;
			break;
		case OPT_STATE:
			wanted->state = optarg;
			break;
		case OPT_CONFIG:
			wanted->config = optarg;
			break;
		case 'h':
			fputs(usage_text, stdout);
			return EX_OK;
		case 'V':
			printf("chat-gtk %s\nGTK %u.%u.%u, libadwaita "
			       "%u.%u.%u\n",
			    PACKAGE_VERSION, gtk_get_major_version(),
			    gtk_get_minor_version(), gtk_get_micro_version(),
			    adw_get_major_version(), adw_get_minor_version(),
			    adw_get_micro_version());
			return EX_OK;
		default:
			fputs("Try \"chat-gtk --help\".\n", stderr);
			return EX_USAGE;
		}
	}
	wanted->centre = argv[optind];
	if (wanted->centre == NULL)
		return -1;
	if (argv[optind + 1] != NULL)
		return usage("there is a word too many");
	if (!account_names_host(wanted->centre))
		return usage(
		    "a centre is given as [USER@]HOST[:PORT], with a dot, a "
		    "colon or \"localhost\" in the host");
	return -1;
}

/* The first frame is drawn before anything else is begun. */
static gboolean
begin(gpointer arg)
{
	enter_start(arg);
	return G_SOURCE_REMOVE;
}

static void
activate(GApplication *app, gpointer arg)
{
	struct window *window = arg;

	if (window->top == NULL) {
		window_make(window, ADW_APPLICATION(app));
		g_idle_add(begin, window);
	}
	window_present(window);
}

/* A notification was clicked on. */
static void
open_talk(GSimpleAction *action, GVariant *user, gpointer arg)
{
	struct window *window = arg;

	(void)action;
	if (window->top == NULL)
		return;
	window_open(window, g_variant_get_string(user, NULL));
	window_present(window);
}

static gboolean
signalled(gpointer arg)
{
	struct window *window = arg;

	if (window->top == NULL)
		g_application_quit(G_APPLICATION(window->app));
	else
		window_leave(window);
	return G_SOURCE_CONTINUE;
}

static int
run(struct window *window)
{
	/* Whoever says which account wants a window of its own. */
	const struct spawn_account *wanted = &window->wanted;
	bool own = wanted->centre != NULL || wanted->account != NULL ||
	    wanted->state != NULL || wanted->config != NULL;
	AdwApplication *app = adw_application_new(
	    WINDOW_ID, own ? G_APPLICATION_NON_UNIQUE : (GApplicationFlags)0);
	GSimpleAction *open =
	    g_simple_action_new("open", G_VARIANT_TYPE_STRING);
	int status;

	window->app = app;
	g_signal_connect(open, "activate", G_CALLBACK(open_talk), window);
	g_action_map_add_action(G_ACTION_MAP(app), G_ACTION(open));
	g_signal_connect(app, "activate", G_CALLBACK(activate), window);
	g_unix_signal_add(SIGINT, signalled, window);
	g_unix_signal_add(SIGTERM, signalled, window);
	g_unix_signal_add(SIGHUP, signalled, window);
	status = g_application_run(G_APPLICATION(app), 0, NULL);
	window_free(window);
	g_object_unref(open);
	g_object_unref(app);
	return status;
}

int
main(int argc, char **argv)
{
	struct window window = {0};
	struct rlimit none = {0, 0};
	int status = read_options(argc, argv, &window.wanted);

	if (status != -1)
		return status;
	/* A password in memory is not to end up in a file. */
	setrlimit(RLIMIT_CORE, &none);
	umask(077);
	signal(SIGPIPE, SIG_IGN);
	g_set_application_name("Chat");
	g_set_prgname(WINDOW_ID);
	if (!gtk_init_check()) {
		fputs("chat-gtk: there is no display\n", stderr);
		return EX_UNAVAILABLE;
	}
	keep_read(&window.keep, window.wanted.state);
	status = run(&window);
	keep_release(&window.keep);
	return status;
}
