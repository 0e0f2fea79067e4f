/* SPDX-License-Identifier: ISC */
/*
 * Making an account and changing its password without a session.  Runs in
 * the process of a brief login; keeps no password longer than the question
 * takes.  What was asked once is not reported as refused when it was done
 * and only the answer got lost.
 */
#include "chat/agent/brief-parts.h"

#include <string.h>

#include "chat/agent/agent.h"
#include "chat/agent/reply.h"
#include "lib/wire.h"

/* True if the centre lets the user in with that password. */
static bool
works(struct brief *brief, const char *password)
{
	json_t *reply;
	bool in;

	if (!brief_take(brief, password))
		return false;
	centre_hang_up(brief->centre);
	reply = brief_enter(brief);
	in = wire_get_bool(reply, "ok");
	json_decref(reply);
	return in;
}

/*
 * The reply as the face gets it.  Where an answer was lost on the way, only
 * a login tells what came of it.
 */
static json_t *
outcome(struct brief *brief, json_t *reply, const struct brief_fate *fate,
    const char *password)
{
	if (!wire_get_bool(reply, "ok") && fate->doubt) {
		if (works(brief, password)) {
			json_decref(reply);
			reply = wire_accept(NULL);
		} else if (reply_error(reply) == ERR_NONE) {
			json_decref(reply);
			reply = desk_refuse(NULL, "internal",
			    "The centre's answer was lost: it may have been "
			    "done.");
		}
	}
	explicit_bzero(brief->password, sizeof(brief->password));
	centre_hang_up(brief->centre);
	return reply;
}

/* Makes an account for the user. */
json_t *
brief_register(struct brief *brief, const json_t *line)
{
	const char *password = brief_member(line, "password");
	json_t *request = json_object(), *reply;
	struct brief_fate fate;

	json_object_set_new(request, "op", json_string("register"));
	json_object_set_new(request, "user", json_string(brief->account->user));
	json_object_set_new(request, "password", json_string(password));
	reply_members(request, line, "invite");
	reply = brief_ask(brief, request, false, &fate);
	desk_wipe(request);
	json_decref(request);
	return outcome(brief, reply, &fate, password);
}

/* Changes the user's password; the old one is what logs in. */
json_t *
brief_password(struct brief *brief, const json_t *line)
{
	const char *old = brief_member(line, "old");
	const char *new = brief_member(line, "new");
	json_t *request, *reply;
	struct brief_fate fate = {false, false};

	if (!brief_take(brief, old))
		return desk_refuse(NULL, "login-failed", "");
	reply = brief_log_in(brief);
	if (!wire_get_bool(reply, "ok"))
		return outcome(brief, reply, &fate, new);
	json_decref(reply);
	request = json_object();
	json_object_set_new(request, "op", json_string("password"));
	json_object_set_new(request, "old", json_string(old));
	json_object_set_new(request, "new", json_string(new));
	reply = brief_ask(brief, request, true, &fate);
	desk_wipe(request);
	json_decref(request);
	return outcome(brief, reply, &fate, new);
}
