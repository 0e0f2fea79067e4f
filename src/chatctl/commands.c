/* SPDX-License-Identifier: ISC */
/*
 * The commands on accounts and sessions: each asks the centre and prints
 * what it says, as text or as JSON.  Decides nothing by itself.
 */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>
#include <time.h>
#include <unistd.h>

#include "chatctl/centre.h"
#include "chatctl/commands.h"
#include "chatctl/prompt.h"
#include "lib/text.h"
#include "lib/wire.h"

void
complain(const char *fmt, ...)
{
	char text[4096], *clean;
	va_list args;

	va_start(args, fmt);
	vsnprintf(text, sizeof(text), fmt, args);
	va_end(args);
	clean = text_escaped(text, strlen(text), TEXT_WORD);
	fprintf(stderr, "chatctl: %s\n", clean);
	free(clean);
}

void
print_clean(const char *text)
{
	char *clean = text_escaped(text, strlen(text), TEXT_WORD);

	fputs(clean, stdout);
	free(clean);
}

void
print_json(const json_t *object)
{
	wire_print(stdout, object);
}

const char *
when(const char *text, const char *none, char out[WHEN_LEN])
{
	int64_t ms;
	time_t seconds;
	struct tm tm;

	snprintf(out, WHEN_LEN, "%s", none);
	if (text == NULL || wire_time_parse(text, &ms) == -1)
		return out;
	seconds = (time_t)(ms / 1000);
	if (localtime_r(&seconds, &tm) != NULL)
		strftime(out, WHEN_LEN, "%Y-%m-%d %H:%M:%S", &tm);
	return out;
}

json_t *
request_new(const char *name, const char *user)
{
	json_t *request = json_object();

	json_object_set_new(request, "do", json_string(name));
	if (user != NULL)
		json_object_set_new(request, "user", json_string(user));
	return request;
}

bool
is_text(const char *text)
{
	if (utf8_valid(text, strlen(text)))
		return true;
	complain("that is not UTF-8");
	return false;
}

/* The reply for --json, without what only the link needs. */
static void
print_reply(json_t *reply)
{
	if (reply == NULL)
		return;
	json_object_del(reply, "tag");
	print_json(reply);
}

int
order(const struct ctl *ctl, json_t *request,
    void (*told)(const struct ctl *ctl, const json_t *reply))
{
	struct centre centre;
	json_t *reply = NULL;
	int status = centre_open(&centre, ctl->settings, false), closed;

	if (status != 0) {
		json_decref(request);
		return status;
	}
	status = centre_ask(&centre, request, &reply);
	closed = centre_close(&centre);
	if (ctl->json)
		print_reply(reply);
	else if (status == 0)
		told(ctl, reply);
	json_decref(reply);
	return status != 0 ? status : closed;
}

static void
told_user(const char *before, const json_t *reply, const char *after)
{
	const char *user = wire_get_string(reply, "user");

	fputs(before, stdout);
	print_clean(user != NULL ? user : "?");
	puts(after);
}

/*
 * Whether the name can be had: before anybody types a password, and without
 * holding on to the centre, or its database, while somebody does.
 */
static int
check_free(const struct ctl *ctl)
{
	struct centre centre;
	json_t *reply = NULL;
	int status = centre_open(&centre, ctl->settings, false), closed;

	if (status != 0)
		return status;
	status = centre_ask(
	    &centre, request_new("user-check", ctl->words[0]), &reply);
	closed = centre_close(&centre);
	if (ctl->json && status != 0)
		print_reply(reply);
	json_decref(reply);
	return status != 0 ? status : closed;
}

/* A request on a user that takes a password. */
static int
order_password(const struct ctl *ctl, const char *name,
    void (*told)(const struct ctl *ctl, const json_t *reply))
{
	char password[PASSWORD_MAX_LEN + 1];
	json_t *request = NULL;
	int status = EX_OSERR;

	if (!is_text(ctl->words[0]))
		return CTL_REFUSED;
	status = prompt_password(password);
	if (status == 0 && !is_text(password))
		status = CTL_REFUSED;
	if (status == 0) {
		request = request_new(name, ctl->words[0]);
		json_object_set_new(request, "password", json_string(password));
	}
	explicit_bzero(password, sizeof(password));
	return status != 0 ? status : order(ctl, request, told);
}

/* A request on a user that takes nothing else. */
static int
order_user(const struct ctl *ctl, const char *name,
    void (*told)(const struct ctl *ctl, const json_t *reply))
{
	if (!is_text(ctl->words[0]))
		return CTL_REFUSED;
	return order(ctl, request_new(name, ctl->words[0]), told);
}

static void
told_added(const struct ctl *ctl, const json_t *reply)
{
	(void)ctl;
	told_user("User ", reply, " has been added.");
}

int
command_user_add(const struct ctl *ctl)
{
	int status = is_text(ctl->words[0]) ? check_free(ctl) : CTL_REFUSED;

	return status != 0 ? status
			   : order_password(ctl, "user-add", told_added);
}

static void
told_passwd(const struct ctl *ctl, const json_t *reply)
{
	(void)ctl;
	told_user("User ", reply, " has a new password.");
}

int
command_user_passwd(const struct ctl *ctl)
{
	return order_password(ctl, "user-passwd", told_passwd);
}

static void
told_deleted(const struct ctl *ctl, const json_t *reply)
{
	(void)ctl;
	told_user("User ", reply, " has been deleted.");
}

int
command_user_delete(const struct ctl *ctl)
{
	return order_user(ctl, "user-delete", told_deleted);
}

static void
told_locked(const struct ctl *ctl, const json_t *reply)
{
	(void)ctl;
	told_user("User ", reply, " has been locked.");
}

int
command_user_lock(const struct ctl *ctl)
{
	return order_user(ctl, "user-lock", told_locked);
}

static void
told_unlocked(const struct ctl *ctl, const json_t *reply)
{
	(void)ctl;
	told_user("User ", reply, " has been unlocked.");
}

int
command_user_unlock(const struct ctl *ctl)
{
	return order_user(ctl, "user-unlock", told_unlocked);
}

static void
told_ended(const struct ctl *ctl, const json_t *reply)
{
	(void)ctl;
	told_user("The session of ", reply, " has been ended.");
}

int
command_session_end(const struct ctl *ctl)
{
	return order_user(ctl, "session-end", told_ended);
}

void
column(const json_t *row, const char *key, int width)
{
	const char *text = wire_get_string(row, key);
	char *clean = text_escaped(text != NULL ? text : "-",
	    text != NULL ? strlen(text) : 1, TEXT_WORD);

	printf("%-*s  ", width, clean);
	free(clean);
}

static void
show_user(const json_t *row)
{
	char time[WHEN_LEN];
	bool blocked = wire_get_number(row, "blocked_seconds", 0) > 0;
	const char *state = wire_get_string(row, "state");

	column(row, "user", NAME_MAX_LEN);
	if (blocked && state != NULL && strcmp(state, "active") == 0)
		printf("%-7s  ", "blocked");
	else
		column(row, "state", 7);
	printf(
	    "%-19s  ", when(wire_get_string(row, "last_login"), "never", time));
	puts(wire_get_string(row, "online_since") != NULL ? "online"
							  : "offline");
}

static void
show_session(const json_t *row)
{
	char time[WHEN_LEN];

	/* Longer ones stick out, and so do those of IPv6. */
	column(row, "user", 12);
	column(row, "address", 15);
	printf("%-19s  ", when(wire_get_string(row, "since"), "-", time));
	printf("%-19s  ", when(wire_get_string(row, "heard"), "-", time));
	puts(wire_get_bool(row, "online") ? "online" : "silent");
}

/* Asks for a page; *more and after say how it goes on. */
static int
list_page(const struct ctl *ctl, struct centre *centre, const struct list *list,
    char after[NAME_MAX_LEN + 1], bool *more)
{
	json_t *request = request_new(list->command, NULL), *reply, *row;
	const char *next;
	size_t i;
	int status;

	json_object_set_new(request, "after", json_string(after));
	json_object_set_new(request, "all", json_boolean(ctl->all));
	status = centre_ask(centre, request, &reply);
	if (status == 0) {
		json_array_foreach(json_object_get(reply, list->key), i,
		    row) if (ctl->json) print_json(row);
		else list->show(row);
		next = wire_get_string(reply, "next");
		snprintf(
		    after, NAME_MAX_LEN + 1, "%s", next != NULL ? next : "");
		*more = wire_get_bool(reply, "more") && !ferror(stdout);
	} else if (ctl->json) {
		print_reply(reply);
	}
	json_decref(reply);
	return status;
}

int
show_list(const struct ctl *ctl, const struct list *list)
{
	char after[NAME_MAX_LEN + 1] = "";
	struct centre centre;
	bool more = true;
	int status = centre_open(&centre, ctl->settings, false), closed;

	if (status != 0)
		return status;
	/* A head is for people; for scripts every line is a row. */
	if (!ctl->json && isatty(STDOUT_FILENO))
		puts(list->head);
	while (status == 0 && more)
		status = list_page(ctl, &centre, list, after, &more);
	closed = centre_close(&centre);
	return status != 0 ? status : closed;
}

int
command_user_list(const struct ctl *ctl)
{
	static const struct list list = {"user-list", "users",
	    "NAME                              STATE    LAST LOGIN           "
	    "PRESENCE",
	    show_user};

	return show_list(ctl, &list);
}

int
command_session_list(const struct ctl *ctl)
{
	static const struct list list = {"session-list", "sessions",
	    "USER          ADDRESS          SINCE                LAST HEARD"
	    "           STATE",
	    show_session};

	return show_list(ctl, &list);
}

static void
told_notice(const struct ctl *ctl, const json_t *reply)
{
	int64_t reached = wire_get_number(reply, "reached", 0);

	(void)ctl;
	printf("The notice went to %lld user%s.\n", (long long)reached,
	    reached == 1 ? "" : "s");
}

/* The words as they were typed, with one blank between them. */
static char *
join(char **words)
{
	size_t size = 1;
	char *text, *at;

	for (char **word = words; *word != NULL; word++)
		size += strlen(*word) + 1;
	text = at = malloc(size);
	if (text == NULL)
		return NULL;
	*at = '\0';
	for (char **word = words; *word != NULL; word++) {
		if (word != words)
			*at++ = ' ';
		at = stpcpy(at, *word);
	}
	return text;
}

int
command_notice(const struct ctl *ctl)
{
	char *text = join(ctl->words);
	json_t *request;

	if (text == NULL) {
		complain("no memory");
		return EX_OSERR;
	}
	if (!is_text(text) || (ctl->to != NULL && !is_text(ctl->to))) {
		free(text);
		return CTL_REFUSED;
	}
	request = request_new("notice", NULL);
	json_object_set_new(request, "text", json_string(text));
	if (ctl->to != NULL)
		json_object_set_new(request, "to", json_string(ctl->to));
	free(text);
	return order(ctl, request, told_notice);
}

int
command_reload(const struct ctl *ctl)
{
	struct centre centre;
	json_t *reply = NULL, *line;
	size_t i;
	int status = centre_open(&centre, ctl->settings, true);

	if (status == CTL_STOPPED) {
		complain("the centre does not run");
		return CTL_REFUSED;
	}
	if (status != 0)
		return status;
	status = centre_ask(&centre, request_new("reload", NULL), &reply);
	json_array_foreach(json_object_get(reply, "errors"), i, line)
	{
		status = EX_CONFIG;
		if (json_is_string(line))
			complain("%s", json_string_value(line));
	}
	if (status == EX_CONFIG)
		complain("the centre goes on with the old configuration");
	if (ctl->json)
		print_reply(reply);
	else if (status == 0)
		puts("The configuration was read again.");
	json_decref(reply);
	centre_close(&centre);
	return status;
}
