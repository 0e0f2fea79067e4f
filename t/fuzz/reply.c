/* SPDX-License-Identifier: ISC */
/*
 * What the centre says to a client: a line into a reply, its events, its
 * names, its refusals, as the agent takes them.
 */
#include <string.h>

#include "chat/agent/reply.h"
#include "lib/text.h"
#include "lib/wire.h"
#include "fuzz.h"

static bool understood;

bool
fuzz_understood(void)
{
	return understood;
}

static bool
same(const struct wire_string *a, const struct wire_string *b)
{
	return a->len == b->len &&
	    (a->len == 0 || memcmp(a->s, b->s, a->len) == 0);
}

static bool
same_link(const struct wire_link *a, const struct wire_link *b)
{
	return same(&a->fingerprint, &b->fingerprint) &&
	    same(&a->host, &b->host) && same(&a->pass, &b->pass) &&
	    a->port == b->port && a->expires_in == b->expires_in;
}

/* What is told of a link has the form that its users rely on. */
static void
check_link(const struct wire_link *link)
{
	CLAIM(link->expires_in >= 0);
	CLAIM(link->port == 0 || (link->port >= 1024 && link->port <= 65535));
	CLAIM(link->fingerprint.s == NULL ||
	    wire_fingerprint_valid(link->fingerprint.s, link->fingerprint.len));
	CLAIM(link->pass.s == NULL ||
	    wire_token_valid(link->pass.s, link->pass.len));
}

/*
 * What was understood means the same when it is said again.  False for one
 * that was not.
 */
static bool
check_event(const json_t *object)
{
	struct wire_event event, again;
	char *ids = NULL, *ids_again = NULL, *line;
	json_t *copy;
	size_t len;
	bool good = wire_event_decode(object, &event, &ids) == 0;

	if (good) {
		CLAIM(event.type < EVENT_COUNT);
		copy = wire_event_encode(&event);
		CLAIM(copy != NULL);
		CLAIM(wire_event_decode(copy, &again, &ids_again) == 0);
		CLAIM(again.type == event.type && again.time == event.time &&
		    again.number == event.number);
		CLAIM(same(&again.user, &event.user) &&
		    same(&again.id, &event.id) &&
		    same(&again.text, &event.text));
		check_link(&event.link);
		CLAIM(same_link(&again.link, &event.link));
		line = wire_line(copy, &len);
		CLAIM(line == NULL || len <= wire_event_size(&event) + 1);
		free(line);
		json_decref(copy);
	}
	free(ids);
	free(ids_again);
	return good;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char why[WIRE_WHY_LEN] = "";
	const json_t *events, *event;
	json_t *reply, *copy;
	const char *next;
	int pages = 0;
	int64_t wait;
	size_t i;

	understood = false;
	reply = wire_object((const char *)data, size, why);
	if (reply == NULL) {
		CLAIM(why[0] != '\0');
		return 0;
	}
	wait = reply_seconds(reply, "retry_after");
	CLAIM(wait >= 0 && wait <= 86400000);
	CLAIM(reply_error(reply) < ERR_COUNT);
	reply_text(reply);
	next = reply_next(reply, "bob", &pages);
	CLAIM(next == NULL || strcmp(next, "bob") > 0);
	understood = json_object_get(reply, "ok") != NULL;
	events = json_object_get(reply, "events");
	json_array_foreach((json_t *)(uintptr_t)events, i, event)
	{
		understood &= check_event(event);
	}
	understood |= check_event(reply);
	copy = reply_copy(reply, json_object_get(reply, "tag"));
	reply_members(copy, reply, "user text error retry_after");
	json_decref(copy);
	json_decref(reply);
	return 0;
}
