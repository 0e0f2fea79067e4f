/* SPDX-License-Identifier: ISC */
/*
 * Private links as the agent knows them: questions, passes, ends.  Pure.
 */
#include "chat/agent/link.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

#include "lib/log.h"

/* The user's, or NULL. */
struct link *
link_find(const struct links *links, const char *user)
{
	struct link *link = links->first;

	while (link != NULL && strcmp(link->user, user) != 0)
		link = link->next;
	return link;
}

/* True if nothing of it is worth to be kept. */
static bool
is_idle(const struct link *link, int64_t now)
{
	return !link_agreed(link, now) && !link_asked(link, now) &&
	    link->wanted_until == 0 && link->call == NULL &&
	    link->letters == NULL;
}

static void
wipe(struct link *link)
{
	explicit_bzero(link, sizeof(*link));
	free(link);
}

/* Makes room for one; false if all are in use. */
static bool
make_room(struct links *links, int64_t now, char gone[NAME_MAX_LEN + 1])
{
	struct link **at = &links->first, *link;

	if (links->count < LINKS_MAX)
		return true;
	while (*at != NULL && !is_idle(*at, now))
		at = &(*at)->next;
	if (*at == NULL)
		return false;
	link = *at;
	*at = link->next;
	snprintf(gone, NAME_MAX_LEN + 1, "%s", link->user);
	wipe(link);
	links->count--;
	return true;
}

/* The user's, made where there is none. */
struct link *
link_make(struct links *links, const char *user, int64_t now,
    char gone[NAME_MAX_LEN + 1])
{
	struct link *link = link_find(links, user);

	*gone = '\0';
	if (link != NULL)
		return link;
	if (!make_room(links, now, gone))
		return NULL;
	link = calloc(1, sizeof(*link));
	if (link == NULL)
		fatal(EX_OSERR, "no memory");
	snprintf(link->user, sizeof(link->user), "%s", user);
	snprintf(link->pass.user, sizeof(link->pass.user), "%s", user);
	link->next = links->first;
	links->first = link;
	links->count++;
	return link;
}

/* Wipes and frees all. */
void
links_wipe(struct links *links)
{
	struct link *link;

	while ((link = links->first) != NULL) {
		links->first = link->next;
		wipe(link);
	}
	links->count = 0;
}

/* True if there is a pass. */
bool
link_agreed(const struct link *link, int64_t now)
{
	return *link->pass.secret != '\0' && now < link->pass.until;
}

/* True if it may be used. */
bool
link_live(const struct link *link, int64_t now)
{
	return link_agreed(link, now) && !link->held;
}

/* True if their question can be answered. */
bool
link_asked(const struct link *link, int64_t now)
{
	return *link->question != '\0' && now < link->question_until;
}

/* True if their question waits no more, and that is news. */
bool
link_lapsing(const struct link *link, int64_t now)
{
	return *link->question != '\0' && !link->lapsed &&
	    now >= link->question_until;
}

/* True if ours waits. */
bool
link_waiting(const struct link *link, int64_t now)
{
	return now < link->wanted_until;
}

/* True if the user wants to hear of an address. */
bool
link_welcome(const struct link *link, const char *request, int64_t now)
{
	if (link_agreed(link, now))
		return true;
	if (link->wanted_until == 0 ||
	    now >= link->wanted_until + LINK_GRACE_MS)
		return false;
	return *link->wanted == '\0' || strcmp(link->wanted, request) == 0;
}

/* Bytes of a peer as a string of ours, cut where it is too long. */
static void
copy(char *out, size_t size, struct wire_string s)
{
	snprintf(out, size, "%.*s", s.s != NULL ? (int)s.len : 0,
	    s.s != NULL ? s.s : "");
}

/* When a duration that the centre gave is over. */
static int64_t
after(int64_t now, int64_t seconds)
{
	if (seconds > LINK_SECONDS_MAX)
		seconds = LINK_SECONDS_MAX;
	return seconds > 0 ? now + seconds * 1000 : now;
}

/* They have asked. */
void
link_question(struct link *link, const struct wire_event *event, int64_t now)
{
	copy(link->question, sizeof(link->question), event->id);
	copy(link->question_pin, sizeof(link->question_pin),
	    event->link.fingerprint);
	link->question_until = after(now, event->link.expires_in);
	link->lapsed = false;
}

/* We have asked. */
void
link_want(struct link *link, const char *request, int64_t seconds, int64_t now)
{
	snprintf(link->wanted, sizeof(link->wanted), "%s", request);
	link->wanted_until = after(now, seconds);
}

/* There is a pass. */
void
link_pass(
    struct link *link, const struct wire_link *told, int64_t now, bool held)
{
	copy(link->pass.secret, sizeof(link->pass.secret), told->pass);
	copy(link->pass.pin, sizeof(link->pass.pin), told->fingerprint);
	copy(link->host, sizeof(link->host), told->host);
	link->pass.since = now;
	link->pass.until = after(now, told->expires_in);
	link->port = (int)told->port;
	link->held = held;
	*link->question = *link->wanted = '\0';
	link->wanted_until = 0;
}

/* It is worth nothing any more. */
void
link_end(struct link *link)
{
	explicit_bzero(link->pass.secret, sizeof(link->pass.secret));
	link->pass.until = 0;
	*link->host = '\0';
	link->port = 0;
	link->held = false;
}

/* The passes that may be used. */
size_t
link_passes(const struct links *links, int64_t now,
    const struct peer_pass **out, size_t max)
{
	size_t count = 0;

	for (struct link *link = links->first; link != NULL && count < max;
	     link = link->next)
		if (link_live(link, now))
			out[count++] = &link->pass;
	return count;
}

/* When the next of them ends. */
int64_t
link_due(const struct links *links)
{
	int64_t next = INT64_MAX, at;

	for (struct link *link = links->first; link != NULL;
	     link = link->next) {
		if (*link->pass.secret != '\0' && link->pass.until < next)
			next = link->pass.until;
		if (*link->question != '\0' && !link->lapsed &&
		    link->question_until < next)
			next = link->question_until;
		at = link->wanted_until + LINK_GRACE_MS;
		if (link->wanted_until != 0 && at < next)
			next = at;
	}
	return next;
}

/* What is left of a time on the wall clock, which may have been set. */
int64_t
link_left(int64_t since, int64_t until, int64_t wall)
{
	int64_t whole = until - since, left = until - wall;

	if (whole > LINK_SECONDS_MAX * 1000LL)
		whole = LINK_SECONDS_MAX * 1000LL;
	return left < 0 ? 0 : left > whole ? whole : left;
}

/* Seconds of a duration, the begun one counted. */
int64_t
link_seconds(int64_t until, int64_t now)
{
	return until > now ? (until - now + 999) / 1000 : 0;
}
