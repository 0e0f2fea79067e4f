/* SPDX-License-Identifier: ISC */
/*
 * What the centre answered: the few questions that the agent's parts ask of
 * a reply.  Pure.
 */
#include "chat/agent/reply.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

enum {
	MEMBER_MAX = 4096,
	PAGES_MAX = 2000, /* a million names, as they are asked for */
};

/* Milliseconds out of seconds that may have a fraction; 0 if absent. */
int64_t
reply_seconds(const json_t *object, const char *key)
{
	double value = json_number_value(json_object_get(object, key));

	if (!(value > 0))
		return 0;
	return value > 86400 ? 86400000 : (int64_t)ceil(value * 1000);
}

enum wire_error
reply_error(const json_t *reply)
{
	const char *name = wire_get_string(reply, "error");

	return name != NULL ? wire_error_find(name) : ERR_NONE;
}

/* The centre's own sentence, or the one for its error. */
const char *
reply_text(const json_t *reply)
{
	const char *text = wire_get_string(reply, "text");

	return text != NULL ? text : wire_error_text(reply_error(reply));
}

/* Puts some members into an object. */
void
reply_members(json_t *to, const json_t *reply, const char *names)
{
	char name[32];
	json_t *value;
	size_t len;

	for (; *names != '\0'; names += len + (names[len] == ' ')) {
		len = strcspn(names, " ");
		snprintf(name, sizeof(name), "%.*s", (int)len, names);
		value = json_object_get(reply, name);
		if (value != NULL && !json_is_array(value) &&
		    !json_is_object(value) &&
		    json_string_length(value) <= MEMBER_MAX)
			json_object_set(to, name, value);
	}
}

/* A copy of the centre's reply with a face's own tag. */
json_t *
reply_copy(const json_t *reply, json_t *tag)
{
	json_t *copy = json_copy((json_t *)(uintptr_t)reply);

	json_object_del(copy, "tag");
	if (tag != NULL)
		json_object_set(copy, "tag", tag);
	if (!wire_get_bool(reply, "ok") && reply_error(reply) == ERR_NONE)
		json_object_set_new(copy, "error", json_string("refused"));
	return copy;
}

/* The name after which the next page begins. */
const char *
reply_next(const json_t *reply, const char *before, int *pages)
{
	const json_t *users = json_object_get(reply, "users");
	const json_t *user = json_array_get(users, json_array_size(users) - 1);
	const char *name;

	if (!wire_get_bool(reply, "more") || ++*pages >= PAGES_MAX)
		return NULL;
	name = json_string_value(
	    json_is_object(user) ? json_object_get(user, "user") : user);
	/* The names are sorted: else the list might have no end. */
	return name != NULL && (before == NULL || strcmp(name, before) > 0)
	    ? name
	    : NULL;
}
