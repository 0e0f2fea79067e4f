/* SPDX-License-Identifier: ISC */
/*
 * What the conversation side asks of the agent, and what it does with the
 * answers.  One row for each kind of question.  The window's process runs
 * it; it never waits for an answer.
 */
#include <string.h>

#include "chat/faces/window/talk-parts.h"
#include "chat/faces/window/phrases.h"
#include "lib/wire.h"

/* One question that is not answered yet. */
struct asked {
	struct talk_view *talk;
	enum talk_want want;
	char *user, *text;
};

static void
asked_free(gpointer data)
{
	struct asked *asked = data;

	g_free(asked->user);
	g_free(asked->text);
	g_free(asked);
}

void
ask_free(struct talk_view *talk)
{
	g_clear_pointer(&talk->asked, g_ptr_array_unref);
}

/* A sentence that goes by itself, and hides nothing that is being written. */
void
talk_toast(struct talk_view *talk, const char *text)
{
	window_toast(talk->window, talk->toasts, text);
}

static window_reply answered;

bool
talk_want(struct talk_view *talk, enum talk_want want, json_t *request,
    const char *user, const char *text)
{
	struct asked *asked = g_new0(struct asked, 1);

	asked->talk = talk;
	asked->want = want;
	asked->user = g_strdup(user != NULL ? user : "");
	asked->text = g_strdup(text);
	if (request == NULL ||
	    window_ask(talk->window, request, answered, asked) < 0) {
		asked_free(asked);
		talk_toast(talk, "The agent is gone; it was not done.");
		return false;
	}
	if (talk->asked == NULL)
		talk->asked = g_ptr_array_new_with_free_func(asked_free);
	g_ptr_array_add(talk->asked, asked);
	return true;
}

bool
talk_want_user(struct talk_view *talk, enum talk_want want, const char *name,
    const char *user)
{
	const char *member = want == WANT_ASK ? "to" : "user";

	return talk_want(talk, want,
	    json_pack("{s:s, s:s}", "do", name, member, user), user, NULL);
}

/* A refusal in words; free it. */
static char *
refusal(const json_t *reply, const char *user)
{
	const char *error = wire_get_string(reply, "error");
	const char *text = wire_get_string(reply, "text");
	char *words = error != NULL ? phrase_error(error, user) : NULL;

	if (words == NULL)
		words = g_strdup(text != NULL ? text : "That was refused.");
	return words;
}

/* Words that nobody has kept go back to where they were written. */
static void
sent(struct talk_view *talk, const struct asked *asked, const json_t *reply)
{
	char *why;

	if (wire_get_bool(reply, "ok"))
		return;
	why = refusal(reply, asked->user);
	if (wire_get_string(reply, "id") == NULL && asked->text != NULL)
		composer_return(talk, asked->user, asked->text);
	talk_toast(talk, why);
	g_free(why);
}

static void
left(struct talk_view *talk, const struct asked *asked, const json_t *reply)
{
	char *why;

	if (wire_get_bool(reply, "ok")) {
		talk_toast(talk,
		    wire_get_bool(reply, "later")
			? "It will be left at the centre when it is back."
			: "It was left at the centre.");
		return;
	}
	why = refusal(reply, asked->user);
	talk_toast(talk, why);
	g_free(why);
}

/* Something was done, or the user hears why not. */
static void
done(struct talk_view *talk, const struct asked *asked, const json_t *reply)
{
	static const char *const words[] = {
	    [WANT_BLOCK] = "User %s has been blocked.",
	    [WANT_UNBLOCK] = "User %s is unblocked.",
	    [WANT_ASK] = "Waiting for %s to agree.",
	    [WANT_DECLINE] = "You declined what %s asked.",
	    [WANT_HANGUP] = "The private link with %s has ended.",
	    [WANT_TRUST] = "The new key of %s is trusted from now on.",
	};
	GString *text;

	if (!wire_get_bool(reply, "ok")) {
		char *why = refusal(reply, asked->user);

		talk_toast(talk, why);
		g_free(why);
		return;
	}
	if (asked->want == WANT_ACCEPT)
		return; /* an event tells it to all who show conversations */
	text = g_string_new(words[asked->want]);
	g_string_replace(text, "%s", asked->user, 0);
	talk_toast(talk, text->str);
	g_string_free(text, TRUE);
}

static void
keys(struct talk_view *talk, const struct asked *asked, const json_t *reply)
{
	contact_keys(talk, reply, asked->user);
}

/* The agent's answer, or a page of it. */
static void
answered(struct window *window, const json_t *reply, void *arg)
{
	static void (*const rows[])(struct talk_view * talk,
	    const struct asked *asked, const json_t *reply) = {
	    [WANT_SEND] = sent,
	    [WANT_PRIVATE] = sent,
	    [WANT_LEAVE] = left,
	    [WANT_BLOCK] = done,
	    [WANT_UNBLOCK] = done,
	    [WANT_ASK] = done,
	    [WANT_ACCEPT] = done,
	    [WANT_DECLINE] = done,
	    [WANT_HANGUP] = done,
	    [WANT_KEYS] = keys,
	    [WANT_TRUST] = done,
	};
	struct asked *asked = arg;

	(void)window;
	rows[asked->want](asked->talk, asked, reply);
	if (!wire_get_bool(reply, "more"))
		g_ptr_array_remove_fast(asked->talk->asked, asked);
}
