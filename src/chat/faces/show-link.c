/* SPDX-License-Identifier: ISC */
/*
 * The words for private links: who asks, who agrees, where messages go, how a
 * link ends and why something was not done.  Used by every face that prints
 * lines; what others wrote is escaped.
 */
#include "chat/faces/show-link.h"

#include <stdint.h>
#include <string.h>

#include "chat/faces/fold.h"
#include "chat/faces/show-parts.h"
#include "chat/faces/show.h"
#include "lib/wire.h"

/* ---- what happens ---- */

static void
put_person(FILE *to, const json_t *object, const char *key)
{
	show_name(to, json_object_get(object, key));
}

/* Somebody asks. */
static void
put_question(FILE *to, const json_t *from)
{
	show_name(to, from);
	fputs(" wants to talk privately. Type \"accept ", to);
	show_text(to, from, TEXT_WORD);
	fputs("\" or \"decline ", to);
	show_text(to, from, TEXT_WORD);
	fputs("\".\n", to);
}

int
show_link_ask(FILE *to, const json_t *event, const char *self)
{
	(void)self;
	show_bell(to, true);
	put_question(to, json_object_get(event, "from"));
	return 0;
}

/* Prints the place of the other end, an IPv6 address in brackets. */
static void
put_place(FILE *to, const json_t *link)
{
	const json_t *host = json_object_get(link, "host");
	const char *s = json_string_value(host);
	bool brackets = s != NULL && strchr(s, ':') != NULL;

	fputs(brackets ? "[" : "", to);
	show_text(to, host, TEXT_WORD);
	fprintf(to, "%s:%lld", brackets ? "]" : "",
	    (long long)wire_get_number(link, "port", 0));
}

static bool
has_place(const json_t *link)
{
	return json_is_string(json_object_get(link, "host")) &&
	    wire_get_number(link, "port", 0) > 0;
}

/* The other one has agreed, or is agreed with. */
int
show_link_address(FILE *to, const json_t *event, const char *self)
{
	(void)self;
	if (wire_get_bool(event, "renewed")) {
		fputs("The private link with ", to);
		put_person(to, event, "user");
		fputs(" was prolonged.\n", to);
		return 0;
	}
	put_person(to, event, "user");
	if (!has_place(event)) {
		fputs(" can send you private messages, and takes none.\n", to);
		return 0;
	}
	fputs(" agreed: private messages go to ", to);
	put_place(to, event);
	fputs(".\n", to);
	return 0;
}

/* What this user has agreed to. */
static void
put_agreed(FILE *to, const json_t *link, const char *user)
{
	fputs("You agreed: ", to);
	if (has_place(link)) {
		fputs("private messages to ", to);
		show_word(to, user);
		fputs(" go to ", to);
		put_place(to, link);
		fputs(".\n", to);
	} else {
		show_word(to, user);
		fputs(" can send you private messages.\n", to);
	}
}

/* The same, said in another face. */
int
show_link_accepted(FILE *to, const json_t *event, const char *self)
{
	const char *user = wire_get_string(event, "user");

	(void)self;
	put_agreed(to, event, user != NULL ? user : "them");
	return 0;
}

int
show_link_declined(FILE *to, const json_t *event, const char *self)
{
	const char *reason = wire_get_string(event, "reason");

	(void)self;
	put_person(to, event, "user");
	fputs(reason != NULL && strcmp(reason, "expired") == 0
		? " did not answer.\n"
		: " declined.\n",
	    to);
	return 0;
}

/* Why a link has ended, in a person's words. */
static const char *
end_words(const char *reason)
{
	static const struct {
		const char *reason, *words;
	} ends[] = {
	    {"expired", "expired"},
	    {"blocked", "blocked"},
	    {"address", "new address"},
	    {"hangup", "hung up"},
	};

	for (size_t i = 0; reason != NULL && i < sizeof(ends) / sizeof(*ends);
	     i++)
		if (strcmp(ends[i].reason, reason) == 0)
			return ends[i].words;
	return "logged out";
}

int
show_link_hangup(FILE *to, const json_t *event, const char *self)
{
	(void)self;
	fputs("The private link with ", to);
	put_person(to, event, "user");
	fprintf(to, " has ended: %s.\n",
	    end_words(wire_get_string(event, "reason")));
	return 0;
}

/* The key that is shown, and the one that was expected. */
static void
put_keys(FILE *to, const json_t *object)
{
	fputs("\n  now:        ", to);
	show_text(to, json_object_get(object, "shown"), TEXT_WORD);
	fputs("\n  remembered: ", to);
	show_text(to, json_object_get(object, "known"), TEXT_WORD);
	putc('\n', to);
}

/* Prints words with the user in their places, which are '@'. */
static void
put_words(FILE *to, const char *words, const char *user)
{
	for (; *words != '\0'; words++)
		if (*words == '@')
			show_word(to, user);
		else
			putc(*words, to);
	putc('\n', to);
}

/* What to do about a key that has changed. */
static void
put_trust(FILE *to, const char *user)
{
	put_words(to,
	    "If @ says, by another way, that this is right, type \"trust @\".",
	    user);
}

int
show_link_key(FILE *to, const json_t *event, const char *self)
{
	const char *user = wire_get_string(event, "user");

	(void)self;
	fputs("The key of ", to);
	put_person(to, event, "user");
	fputs(" has changed; there is no private link.", to);
	put_keys(to, event);
	put_trust(to, user != NULL ? user : "them");
	return 0;
}

int
show_link_private(FILE *to, const json_t *event, const char *self)
{
	char when[SHOW_TIME_LEN] = "";

	(void)self;
	if (wire_get_bool(event, "earlier"))
		show_when(event, when);
	else
		show_time(to, event);
	show_bell(to, *when == '\0');
	put_person(to, event, "from");
	fprintf(to, *when != '\0' ? " (private, %s): " : " (private): ", when);
	show_text(to, json_object_get(event, "text"), TEXT_SCREEN);
	putc('\n', to);
	return 0;
}

/* ---- lists ---- */

/* A time as people here read it, after a word; nothing if there is none. */
static void
put_moment(FILE *to, const char *word, const char *text)
{
	json_t *event = json_object();
	char when[SHOW_TIME_LEN];

	if (text != NULL)
		json_object_set_new(event, "time", json_string(text));
	show_when(event, when);
	if (*when != '\0')
		fprintf(to, " %s %s", word, when);
	json_decref(event);
}

/* Prints one contact: the name, and after blanks what is known of it. */
void
show_link(FILE *to, const json_t *link)
{
	const char *until = wire_get_string(link, "until");
	const json_t *key = json_object_get(link, "fingerprint");
	const json_t *changed = json_object_get(link, "changed");
	struct fold fold;

	to = fold_open(&fold, to);
	put_person(to, link, "user");
	if (wire_get_bool(link, "asks"))
		fputs(" asks for a private link,", to);
	if (until != NULL && has_place(link)) {
		fputs(" linked to ", to);
		put_place(to, link);
	} else if (until != NULL)
		fputs(" linked", to);
	put_moment(to, "until", until);
	if (json_is_string(key)) {
		putc(' ', to);
		show_text(to, key, TEXT_WORD);
	}
	if (json_is_string(changed)) {
		fputs(", changed, now ", to);
		show_text(to, changed, TEXT_WORD);
	}
	putc('\n', to);
	fold_close(&fold);
}

/* Prints the links of a reply, and the questions that are open. */
static void
put_links(FILE *to, const json_t *reply)
{
	const json_t *links = json_object_get(reply, "links");
	const json_t *asked = json_object_get(reply, "asked");
	const json_t *waiting = json_object_get(reply, "waiting");
	json_t *link, *question;
	size_t i;

	json_array_foreach((json_t *)(uintptr_t)links, i, link)
	{
		show_link(to, link);
	}
	json_array_foreach((json_t *)(uintptr_t)asked, i, question)
	{
		put_question(to, json_object_get(question, "user"));
	}
	json_array_foreach((json_t *)(uintptr_t)waiting, i, question)
	{
		fputs("Waiting for ", to);
		put_person(to, question, "user");
		fputs(" to agree.\n", to);
	}
}

/* Prints the keys of a reply. */
static void
put_known(FILE *to, const json_t *reply)
{
	const json_t *keys = json_object_get(reply, "keys"), *changed;
	json_t *key;
	size_t i;

	json_array_foreach((json_t *)(uintptr_t)keys, i, key)
	{
		put_person(to, key, "user");
		putc(' ', to);
		show_text(to, json_object_get(key, "fingerprint"), TEXT_WORD);
		put_moment(to, "since", wire_get_string(key, "since"));
		changed = json_object_get(key, "changed");
		if (json_is_string(changed)) {
			fputs(", now ", to);
			show_text(to, changed, TEXT_WORD);
		}
		putc('\n', to);
	}
}

/* ---- what is answered ---- */

/* The words for a request that was done, or not; '@' is the user. */
struct answer {
	const char *request; /* NULL: any */
	const char *error; /* "": it was done */
	const char *words;
};

static const struct answer answers[] = {
    {"ask", "", "Waiting for @ to agree."},
    {"decline", "", "You declined."},
    {"trust", "", "The new key of @ is trusted from now on."},
    {"private", "no-link", ""}, /* the text: or they take none */
    {"private", "unreachable",
	"@ can no longer be reached at that address; the message was not "
	"sent. Type \"leave @\" to leave it at the centre."},
    {"private", "refused",
	"The client of @ did not take the message; it was not sent. Type "
	"\"leave @\" to leave it at the centre."},
    {"private", "lost",
	"No answer came from @, who may or may not have the message. Type "
	"\"leave @\" to leave it at the centre; it is shown once."},
    {"private", "busy",
	"The client of @ cannot take the message now; it was not sent. Type "
	"\"leave @\" to leave it at the centre."},
    {"private", "too-large",
	"The message is too long for the client of @; it was not sent."},
    {"leave", "blocked",
	"Your message could not be delivered as the recipient has blocked "
	"you."},
    {"leave", "nothing", "No private message to @ was left unsent."},
    {"trust", "nothing", "@ has shown no other key."},
    {"accept", "blocked", ""}, /* the text says who whom */
    {"accept", "expired", "The question of @ has expired."},
    {"decline", "expired", "The question of @ has expired."},
    {NULL, "expired", "@ did not answer."},
    {NULL, "no-link", "There is no private link with @."},
    {NULL, "no-request", "@ has not asked to talk privately."},
    {NULL, "no-such-user", "There is no user @."},
    {NULL, "blocked", "@ has blocked you."},
    {NULL, "offline", "@ is offline."},
    {NULL, "declined", "@ declined."},
};

/* The words for an answer, or NULL. */
static const char *
words_for(const char *request, const char *error)
{
	const struct answer *row;

	for (size_t i = 0; i < sizeof(answers) / sizeof(*answers); i++) {
		row = &answers[i];
		if (strcmp(row->error, error) == 0 &&
		    (row->request == NULL ||
			strcmp(row->request, request) == 0))
			return row->words;
	}
	return NULL;
}

/* So many messages go through the centre, now or when it is back. */
static void
put_left(FILE *to, const json_t *reply)
{
	long long count = wire_get_number(reply, "count", 0);

	if (count <= 0)
		return;
	fprintf(to, "%lld message%s ", count, count == 1 ? "" : "s");
	if (wire_get_bool(reply, "later"))
		fputs("will be left at the centre when it is back.\n", to);
	else
		fprintf(to, "%s left at the centre.\n",
		    count == 1 ? "was" : "were");
}

/* Prints what came of a request that was done. */
void
show_link_done(
    FILE *to, const char *request, const json_t *reply, const char *user)
{
	const char *words = words_for(request, "");
	struct fold fold;

	to = fold_open(&fold, to);
	if (strcmp(request, "links") == 0)
		put_links(to, reply);
	else if (strcmp(request, "leave") == 0)
		put_left(to, reply);
	else if (json_is_array(json_object_get(reply, "keys")))
		put_known(to, reply);
	else if (words != NULL)
		put_words(to, words, user);
	else if (strcmp(request, "accept") == 0)
		put_agreed(to, reply, user);
	fold_close(&fold);
}

/* Prints why a request was refused. */
void
show_link_refusal(
    FILE *to, const char *request, const json_t *reply, const char *user)
{
	const char *error = wire_get_string(reply, "error");
	const char *words = error != NULL ? words_for(request, error) : NULL;
	struct fold fold;

	to = fold_open(&fold, to);
	if (error != NULL && strcmp(error, "key-changed") == 0) {
		fputs("The key of ", to);
		show_word(to, user);
		fprintf(to, " has changed; %s.",
		    strcmp(request, "private") == 0
			? "nothing was sent"
			: "there is no private link");
		put_keys(to, reply);
		put_trust(to, user);
	} else if (error != NULL && strcmp(error, "wrong-key") == 0) {
		fputs("Somebody else answers at the address of ", to);
		show_word(to, user);
		fputs("; the message was not sent.", to);
		put_keys(to, reply);
		put_words(
		    to, "Type \"leave @\" to leave it at the centre.", user);
	} else if (words != NULL && *words == '\0') {
		show_text(to, json_object_get(reply, "text"), TEXT_SCREEN);
		putc('\n', to);
	} else if (words != NULL)
		put_words(to, words, user);
	else
		show_refusal(to, reply, user);
	fold_close(&fold);
}
