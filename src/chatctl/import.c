/* SPDX-License-Identifier: ISC */
/*
 * `user import`: many accounts out of a file of names and passwords, with a
 * few requests under way at a time.  Every line that is refused is named.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

#include "chatctl/centre.h"
#include "chatctl/commands.h"
#include "lib/text.h"
#include "lib/wire.h"

enum {
	AHEAD = 16, /* requests under way: the keeper is never idle */
	PROGRESS = 64, /* accounts between two signs of life */
};

struct import {
	const struct ctl *ctl;
	struct centre centre;
	FILE *from;
	const char *name; /* of the file */
	int64_t line;
	int64_t added, refused;
	int under_way;
	json_t *names; /* so far; for --dry-run those that could be added */
	bool progress; /* shown on the terminal */
};

/* A line that was not taken, and why. */
static void
refused(
    struct import *import, int64_t line, const char *error, const char *text)
{
	char *clean = text_escaped(text, strlen(text), TEXT_WORD);
	char *file =
	    text_escaped(import->name, strlen(import->name), TEXT_WORD);
	json_t *row;

	import->refused++;
	if (import->progress)
		fputs("\r\033[K", stderr);
	fprintf(stderr, "%s:%lld: %s\n", file, (long long)line, clean);
	free(file);
	free(clean);
	if (!import->ctl->json)
		return;
	row = json_pack("{s:b, s:I, s:s, s:s}", "ok", 0, "line",
	    (json_int_t)line, "error", error, "text", text);
	print_json(row);
	json_decref(row);
}

/* An account was added, or could be. */
static void
added(struct import *import, const json_t *reply)
{
	const char *name = wire_get_string(reply, "user");

	if (import->ctl->dry_run && name != NULL) {
		if (json_object_get(import->names, name) != NULL) {
			refused(import, wire_get_number(reply, "tag", 0),
			    "exists", "An earlier line has that name.");
			return;
		}
		json_object_set_new(import->names, name, json_true());
	}
	import->added++;
	if (import->progress && import->added % PROGRESS == 0)
		fprintf(stderr, "\r%lld added", (long long)import->added);
}

/* Takes one reply; 0, or an exit status if the link broke. */
static int
take_reply(struct import *import)
{
	const char *error, *text;
	json_t *reply;
	int status = centre_receive(&import->centre, &reply);

	if (status != 0)
		return status;
	import->under_way--;
	error = wire_get_string(reply, "error");
	text = wire_get_string(reply, "text");
	if (wire_get_bool(reply, "ok"))
		added(import, reply);
	else
		refused(import, wire_get_number(reply, "tag", 0),
		    error != NULL ? error : "internal",
		    text != NULL ? text : "refused");
	json_decref(reply);
	return 0;
}

/* Takes replies until no more than so many are to come. */
static int
take_replies(struct import *import, int most)
{
	int status = 0;

	while (status == 0 && import->under_way > most)
		status = take_reply(import);
	return status;
}

/* True if an earlier line has that name, whatever became of it. */
static bool
is_known(const struct import *import, const char *name)
{
	char folded[NAME_MAX_LEN + 1];

	if (!name_fold(name, strlen(name), folded))
		return false;
	if (json_object_get(import->names, folded) != NULL)
		return true;
	json_object_set_new(import->names, folded, json_true());
	return false;
}

static int
add(struct import *import, const char *name, const char *password)
{
	json_t *request;
	int status;

	/* Passwords are hashed side by side: the first line is to win. */
	if (!import->ctl->dry_run && is_known(import, name))
		status = take_replies(import, 0);
	else
		status = take_replies(import, AHEAD - 1);
	if (status != 0)
		return status;
	request = import->ctl->dry_run
	    ? json_pack("{s:s, s:s}", "do", "user-check", "user", name)
	    : json_pack("{s:s, s:s, s:s}", "do", "user-add", "user", name,
		  "password", password);
	import->under_way++;
	return centre_send(&import->centre, request, import->line);
}

/* One line: a name, blanks, and the rest is the password. */
static int
take_line(struct import *import, char *line, size_t len)
{
	char *name, *password;

	if (len > 0 && line[len - 1] == '\n')
		line[--len] = '\0';
	if (len > 0 && line[len - 1] == '\r')
		line[--len] = '\0';
	if (strlen(line) != len || !utf8_valid(line, len)) {
		refused(import, import->line, "bad-request",
		    "The line is not UTF-8.");
		return 0;
	}
	name = line + strspn(line, " \t");
	if (*name == '\0' || *name == '#')
		return 0;
	password = name + strcspn(name, " \t");
	if (*password != '\0')
		*password++ = '\0';
	password += strspn(password, " \t");
	if (*password == '\0') {
		refused(import, import->line, "bad-request",
		    "There is no password after the name.");
		return 0;
	}
	if (strlen(name) > NAME_MAX_LEN ||
	    strlen(password) > PASSWORD_MAX_LEN) {
		refused(import, import->line, "bad-request",
		    "The name or the password is too long.");
		return 0;
	}
	return add(import, name, password);
}

static int
take_lines(struct import *import)
{
	char *line = NULL;
	size_t size = 0;
	ssize_t len;
	int status = 0;

	while (
	    status == 0 && (len = getline(&line, &size, import->from)) != -1) {
		import->line++;
		status = take_line(import, line, (size_t)len);
		explicit_bzero(line, size);
	}
	free(line);
	if (status == 0 && ferror(import->from)) {
		complain("%s: %m", import->name);
		status = EX_IOERR;
	}
	return status;
}

/* What was done, whatever ended it. */
static void
sum_up(const struct import *import)
{
	json_t *row;

	if (import->progress)
		fputs("\r\033[K", stderr);
	if (!import->ctl->json) {
		printf("%lld user%s %s, %lld %s\n", (long long)import->added,
		    import->added == 1 ? "" : "s",
		    import->ctl->dry_run ? "could be added" : "added",
		    (long long)import->refused,
		    import->ctl->dry_run ? "would be refused" : "refused");
		return;
	}
	row = json_pack("{s:b, s:b, s:I, s:I}", "ok", import->refused == 0,
	    "dry_run", import->ctl->dry_run, "added", (json_int_t)import->added,
	    "refused", (json_int_t)import->refused);
	print_json(row);
	json_decref(row);
}

static int
import_all(struct import *import)
{
	int status = centre_open(&import->centre, import->ctl->settings, false);
	int closed;

	if (status != 0)
		return status;
	status = take_lines(import);
	while (import->under_way > 0 && import->centre.fd != -1 &&
	    (status == 0 || status == EX_IOERR)) {
		int taken = take_reply(import);

		if (taken != 0) {
			status = taken;
			break;
		}
	}
	closed = centre_close(&import->centre);
	sum_up(import);
	return status != 0 ? status : closed;
}

int
command_user_import(const struct ctl *ctl)
{
	struct import import = {.ctl = ctl, .name = ctl->words[0]};
	int status;

	/* Before root is given up: the file is the administrator's. */
	if (strcmp(import.name, "-") == 0)
		import.from = stdin;
	else
		import.from = fopen(import.name, "re");
	if (import.from == NULL) {
		complain("%s: %m", import.name);
		return errno == EACCES ? EX_NOPERM : CTL_REFUSED;
	}
	import.progress = isatty(STDERR_FILENO) && !ctl->json;
	import.names = json_object();
	status = import_all(&import);
	if (import.from != stdin)
		fclose(import.from);
	json_decref(import.names);
	if (status == 0 && import.refused > 0)
		status = CTL_REFUSED;
	return status;
}
