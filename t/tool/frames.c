/* SPDX-License-Identifier: ISC */
/*
 * How smoothly a window scrolls, for tests: loaded into chat-gtk by the
 * loader, scrolls the messages to the first one, a step with each frame, when
 * the process gets SIGUSR2, and writes what it has seen to $FRAMES_TO.  Knows
 * GTK and nothing of the program that it is in.
 */
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <glib-unix.h>
#include <gtk/gtk.h>

enum {
	STEP_PX = 400, /* with each frame: 24,000 a second */
	STILL_FRAMES = 120, /* so long at the top is the first message */
	PAUSE_US = 50000, /* what a person sees as a jerk */
};

static struct {
	GtkAdjustment *adjustment;
	gint64 before, begun, longest;
	gint64 work,
	    most; /* of this thread's time: a busy machine's is longer */
	unsigned frames, still, pauses, busy;
} run;

/* The scrolled list with that name, below a widget. */
static GtkWidget *
find_list(GtkWidget *widget)
{
	GtkWidget *child, *found = NULL;

	if (GTK_IS_LIST_VIEW(widget) && gtk_widget_get_mapped(widget) &&
	    gtk_widget_has_css_class(widget, "talk-list"))
		return widget;
	for (child = gtk_widget_get_first_child(widget);
	     child != NULL && found == NULL;
	     child = gtk_widget_get_next_sibling(child))
		found = find_list(child);
	return found;
}

/* A line of /proc/self/smaps_rollup or status, in kB. */
static long
memory(const char *path, const char *name)
{
	FILE *file = fopen(path, "re");
	char line[256];
	long kb = -1;

	while (file != NULL && fgets(line, sizeof(line), file) != NULL)
		if (strncmp(line, name, strlen(name)) == 0)
			kb = strtol(line + strlen(name), NULL, 10);
	if (file != NULL)
		fclose(file);
	return kb;
}

static void
report(void)
{
	const char *path = getenv("FRAMES_TO");
	FILE *file = path != NULL ? fopen(path, "we") : NULL;

	if (file == NULL)
		return;
	fprintf(file,
	    "frames=%u longest_ms=%.1f pauses=%u work_ms=%.1f busy=%u "
	    "seconds=%.1f rss_kb=%ld "
	    "pss_kb=%ld private_kb=%ld peak_kb=%ld\n",
	    run.frames, (double)run.longest / 1000, run.pauses,
	    (double)run.most / 1000, run.busy,
	    (double)(run.before - run.begun) / 1e6,
	    memory("/proc/self/smaps_rollup", "Rss:"),
	    memory("/proc/self/smaps_rollup", "Pss:"),
	    memory("/proc/self/smaps_rollup", "Private_Dirty:"),
	    memory("/proc/self/status", "VmHWM:"));
	fclose(file);
}

/* What this thread has worked so far, in microseconds. */
static gint64
worked(void)
{
	struct timespec spent;

	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &spent);
	return spent.tv_sec * 1000000LL + spent.tv_nsec / 1000;
}

static gboolean
frame(GtkWidget *widget, GdkFrameClock *clock, gpointer arg)
{
	gint64 now = g_get_monotonic_time(), pause = now - run.before;
	gint64 spent = worked(), work = spent - run.work;
	double value = gtk_adjustment_get_value(run.adjustment);

	(void)widget;
	(void)clock;
	(void)arg;
	if (run.frames++ > 0 && pause > run.longest)
		run.longest = pause;
	if (run.frames > 1 && pause > PAUSE_US) {
		run.pauses++;
		if (getenv("FRAMES_LOUD") != NULL)
			fprintf(stderr, "pause %lld us at frame %u\n",
			    (long long)pause, run.frames);
	}
	if (run.frames > 1 && work > run.most)
		run.most = work;
	if (run.frames > 1 && work > PAUSE_US)
		run.busy++;
	run.before = now;
	run.work = spent;
	run.still = value > 0 ? 0 : run.still + 1;
	if (run.still > STILL_FRAMES) {
		report();
		return G_SOURCE_REMOVE;
	}
	gtk_adjustment_set_value(run.adjustment, value - STEP_PX);
	return G_SOURCE_CONTINUE;
}

static gboolean
start(gpointer arg)
{
	GListModel *tops = gtk_window_get_toplevels();
	GtkWidget *list = NULL, *top;

	(void)arg;
	for (guint i = 0; list == NULL && i < g_list_model_get_n_items(tops);
	     i++) {
		top = g_list_model_get_item(tops, i);
		list = find_list(top);
		g_object_unref(top);
	}
	if (list == NULL)
		return G_SOURCE_CONTINUE;
	memset(&run, 0, sizeof(run));
	run.adjustment = gtk_scrollable_get_vadjustment(GTK_SCROLLABLE(list));
	run.begun = run.before = g_get_monotonic_time();
	gtk_widget_add_tick_callback(list, frame, NULL, NULL);
	return G_SOURCE_CONTINUE;
}

__attribute__((constructor)) static void
begin(void)
{
	if (getenv("FRAMES_TO") != NULL)
		g_unix_signal_add(SIGUSR2, start, NULL);
}
