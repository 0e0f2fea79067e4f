/* SPDX-License-Identifier: ISC */
/*
 * `status` and `metrics`: how a running centre is, for a person or for
 * Prometheus.  Starts nothing where none runs.
 */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "chatctl/centre.h"
#include "chatctl/commands.h"
#include "chatd/sandbox.h"
#include "lib/text.h"
#include "lib/unix.h"
#include "lib/wire.h"

static void line(const char *name, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));

/* One line of the report. */
static void
line(const char *name, const char *fmt, ...)
{
	char text[256];
	va_list args;

	va_start(args, fmt);
	vsnprintf(text, sizeof(text), fmt, args);
	va_end(args);
	printf("%-18s ", name);
	print_clean(text);
	putchar('\n');
}

static void
number_line(const char *name, const json_t *status, const char *key)
{
	line(name, "%lld", (long long)wire_get_number(status, key, 0));
}

/* How long the centre has been up. */
static void
uptime_line(const json_t *status)
{
	const char *text = wire_get_string(status, "started");
	char since[WHEN_LEN];
	long long seconds;
	int64_t started;

	if (text == NULL || wire_time_parse(text, &started) == -1)
		return;
	seconds = (clock_wall() - started) / 1000;
	if (seconds < 0)
		seconds = 0;
	line("uptime", "%lld d %lld h %lld min (since %s)", seconds / 86400,
	    seconds / 3600 % 24, seconds / 60 % 60, when(text, "-", since));
}

/* The certificate's end, and a warning when it is near. */
static void
certificate_line(const json_t *status)
{
	const char *text = wire_get_string(status, "certificate_ends");
	char ends[WHEN_LEN];
	long long days;
	int64_t end;

	if (text == NULL || wire_time_parse(text, &end) == -1)
		return;
	days = (end - clock_wall()) / 86400000;
	when(text, "-", ends);
	if (end < clock_wall())
		line("certificate", "EXPIRED on %s: chatctl cert renew", ends);
	else if (days < CERT_WARN_DAYS)
		line("certificate",
		    "until %s: only %lld days left: chatctl cert renew", ends,
		    days);
	else
		line("certificate", "until %s (%lld days)", ends, days);
}

static void
bytes_line(const char *name, int64_t bytes)
{
	if (bytes < 10 * 1048576)
		line(name, "%lld KiB", (long long)bytes / 1024);
	else
		line(name, "%lld MiB", (long long)bytes / 1048576);
}

/* Signs of life, by the way that they took; what the beacon did not answer. */
static void
live_lines(const json_t *status)
{
	line("signs of life", "%lld by beacon, %lld over TLS",
	    (long long)wire_get_number(status, "live_beacon", 0),
	    (long long)wire_get_number(status, "live_tls", 0));
	if (!wire_get_bool(status, "beacon"))
		line("beacon", "off");
	else
		line("beacon", "%lld knocks, %lld datagrams dropped",
		    (long long)wire_get_number(status, "knocks", 0),
		    (long long)wire_get_number(status, "dropped", 0));
}

/* A full disk, while it is. */
static void
space_line(const json_t *status)
{
	const char *text = wire_get_string(status, "read_only_since");
	char since[WHEN_LEN];

	if (text != NULL)
		line("disk", "FULL since %s: nothing can be added",
		    when(text, "-", since));
}

/* True if the list has the word. */
static bool
listed(const json_t *list, const char *word)
{
	for (size_t i = 0; i < json_array_size(list); i++) {
		const json_t *each = json_array_get(list, i);

		if (json_is_string(each) &&
		    strcmp(json_string_value(each), word) == 0)
			return true;
	}
	return false;
}

/* What confines one role, and what does not. */
static void
sandbox_line(const char *role, const json_t *list)
{
	char name[32], text[160] = "";
	const char *without = "; without: ";
	size_t len = 0;

	snprintf(name, sizeof(name), "sandbox, %.16s", role);
	for (int has = 1; has >= 0; has--)
		for (int i = 0; i < SANDBOX_PART_COUNT; i++) {
			const char *part =
			    sandbox_part_name((enum sandbox_part)i);

			if (listed(list, part) != has)
				continue;
			len += (size_t)snprintf(text + len, sizeof(text) - len,
			    "%s%s", has ? len ? ", " : "" : without, part);
			if (!has)
				without = ", ";
		}
	line(name, "%s", text);
}

static void
sandbox_lines(const json_t *status)
{
	json_t *sandbox = json_object_get(status, "sandbox");
	void *each;

	for (each = json_object_iter(sandbox); each != NULL;
	     each = json_object_iter_next(sandbox, each))
		sandbox_line(
		    json_object_iter_key(each), json_object_iter_value(each));
}

static void
show(const json_t *status)
{
	const char *version = wire_get_string(status, "version");

	line("centre", "running, version %s", version ? version : "?");
	uptime_line(status);
	number_line("users", status, "users");
	number_line("sessions", status, "sessions");
	number_line("online", status, "online");
	number_line("mail waiting", status, "mail");
	line("workers", "%lld of %lld",
	    (long long)wire_get_number(status, "workers", 0),
	    (long long)wire_get_number(status, "workers_limit", 0));
	number_line("passwords at work", status, "hashes");
	line("connections", "%lld, %lld refused, %lld gave way",
	    (long long)wire_get_number(status, "connections", 0),
	    (long long)wire_get_number(status, "connections_refused", 0),
	    (long long)wire_get_number(status, "gave_way", 0));
	line("addresses refused", "%lld",
	    (long long)wire_get_number(status, "addresses_refused", 0));
	live_lines(status);
	line("private links", "%lld, %lld question%s waiting",
	    (long long)wire_get_number(status, "links", 0),
	    (long long)wire_get_number(status, "questions", 0),
	    wire_get_number(status, "questions", 0) == 1 ? "" : "s");
	line("restarts", "store %lld, keeper %lld, worker crashes %lld",
	    (long long)wire_get_number(status, "store_restarts", 0),
	    (long long)wire_get_number(status, "keeper_restarts", 0),
	    (long long)wire_get_number(status, "crashes", 0));
	sandbox_lines(status);
	bytes_line("database", wire_get_number(status, "database_bytes", 0));
	space_line(status);
	certificate_line(status);
}

/* Asks a running centre one thing. */
static int
ask_running(const struct ctl *ctl, const char *what, json_t **reply)
{
	struct centre centre;
	int status = centre_open(&centre, ctl->settings, true);

	*reply = NULL;
	if (status != 0)
		return status;
	status = centre_ask(&centre, json_pack("{s:s}", "do", what), reply);
	centre_close(&centre);
	if (*reply != NULL)
		json_object_del(*reply, "tag");
	return status;
}

int
command_status(const struct ctl *ctl)
{
	json_t *reply;
	int status = ask_running(ctl, "status", &reply);

	if (status == CTL_STOPPED && ctl->json)
		puts("{\"ok\":true,\"running\":false}");
	else if (status == CTL_STOPPED)
		puts("The centre does not run.");
	else if (ctl->json && reply != NULL)
		print_json(reply);
	else if (status == 0)
		show(reply);
	json_decref(reply);
	return status;
}

/* Each line by itself made safe. */
static void
print_lines(const char *text)
{
	size_t len;

	for (; *text != '\0'; text += len + (text[len] == '\n')) {
		char *clean;

		len = strcspn(text, "\n");
		clean = text_escaped(text, len, TEXT_WORD);
		puts(clean);
		free(clean);
	}
}

int
command_metrics(const struct ctl *ctl)
{
	json_t *reply;
	const char *text;
	int status = ask_running(ctl, "metrics", &reply);

	if (status == CTL_STOPPED) {
		complain("the centre does not run");
		status = CTL_REFUSED;
	}
	text = wire_get_string(reply, "text");
	if (ctl->json && reply != NULL)
		print_json(reply);
	else if (status == 0 && text != NULL)
		print_lines(text);
	json_decref(reply);
	return status;
}
