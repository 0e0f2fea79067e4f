/* SPDX-License-Identifier: ISC */
/*
 * The commands on invitations: each asks the centre and prints what it says.
 * The code of a new one is all that goes to standard output, for scripts.
 */
#include <stdio.h>
#include <unistd.h>

#include "chatctl/commands.h"
#include "lib/wire.h"

static void
told_new(const struct ctl *ctl, const json_t *reply)
{
	const char *code = wire_get_string(reply, "code");
	int64_t uses = wire_get_number(reply, "uses", 1);
	char time[WHEN_LEN];

	(void)ctl;
	print_clean(code != NULL ? code : "?");
	putchar('\n');
	if (isatty(STDOUT_FILENO))
		printf("For %lld user%s, until %s.\n", (long long)uses,
		    uses == 1 ? "" : "s",
		    when(wire_get_string(reply, "ends"), "?", time));
}

int
command_invite_new(const struct ctl *ctl)
{
	json_t *request = request_new("invite-new", NULL);
	int status;

	if (ctl->uses != 0)
		json_object_set_new(request, "uses", json_integer(ctl->uses));
	if (ctl->days != 0)
		json_object_set_new(request, "days", json_integer(ctl->days));
	status = order(ctl, request, told_new);
	if (status == 0 &&
	    ctl->settings->rules.registration == REGISTRATION_CLOSED)
		complain("it is of no use yet: accounts.registration is "
			 "\"closed\"");
	return status;
}

static void
show_invite(const json_t *row)
{
	char time[WHEN_LEN], used[64];

	snprintf(used, sizeof(used), "%lld of %lld",
	    (long long)wire_get_number(row, "used", 0),
	    (long long)wire_get_number(row, "uses", 0));
	column(row, "code", 9);
	column(row, "state", 7);
	printf("%-14s  ", used);
	puts(when(wire_get_string(row, "ends"), "-", time));
}

int
command_invite_list(const struct ctl *ctl)
{
	static const struct list list = {"invite-list", "invites",
	    "CODE       STATE    USED            UNTIL", show_invite};

	return show_list(ctl, &list);
}

static void
told_revoked(const struct ctl *ctl, const json_t *reply)
{
	const char *code = wire_get_string(reply, "code");

	(void)ctl;
	fputs("The invitation ", stdout);
	print_clean(code != NULL ? code : "?");
	puts(" has been revoked.");
}

int
command_invite_revoke(const struct ctl *ctl)
{
	json_t *request;

	if (!is_text(ctl->words[0]))
		return CTL_REFUSED;
	request = request_new("invite-revoke", NULL);
	json_object_set_new(request, "code", json_string(ctl->words[0]));
	return order(ctl, request, told_revoked);
}
