/* SPDX-License-Identifier: ISC */
/*
 * What the agent has said, kept for showing.  Pure; runs in the faces that
 * show more than lines.  Never believes a line of the agent to be well made:
 * what is missing or of another type is as if it had not been said.
 */
#include "chat/faces/mirror-parts.h"

#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

struct mirror *
mirror_new(const char *user, const struct mirror_calls *calls, void *arg)
{
	struct mirror *mirror = calloc(1, sizeof(*mirror));

	if (mirror == NULL)
		return NULL;
	mirror->reachable = true;
	/* The room is there from the beginning; the face is not told of it. */
	if (!name_fold(user, strlen(user), mirror->self) ||
	    talk_make(mirror, "") == NULL) {
		mirror_free(mirror);
		return NULL;
	}
	mirror->calls = *calls;
	mirror->arg = arg;
	return mirror;
}

void
mirror_free(struct mirror *mirror)
{
	if (mirror == NULL)
		return;
	page_forget(mirror);
	for (size_t i = 0; i < mirror->names; i++)
		talk_free(mirror->named[i]);
	free(mirror->listed);
	free(mirror->named);
	free(mirror->why);
	free(mirror);
}

bool
mirror_take(struct mirror *mirror, const json_t *object, int64_t now)
{
	mirror->now = now;
	if (!json_is_object(object))
		return false;
	if (json_object_get(object, "event") == NULL)
		return page_take(mirror, object);
	event_take(mirror, object);
	return true;
}

void
mirror_gone(struct mirror *mirror)
{
	if (mirror->over)
		return;
	mirror->over = true;
	mirror->exit = EX_TEMPFAIL;
	text_set(&mirror->why, "The agent has ended; start chat again.");
	if (mirror->calls.status != NULL)
		mirror->calls.status(mirror->arg);
}

void
mirror_status(const struct mirror *mirror, struct mirror_status *status)
{
	*status = (struct mirror_status){
	    .user = mirror->self,
	    .reachable = mirror->reachable,
	    .synced = mirror->synced,
	    .over = mirror->over,
	    .why = mirror->over && mirror->why != NULL ? mirror->why : "",
	    .exit = mirror->exit,
	};
}
