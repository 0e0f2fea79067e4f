/* SPDX-License-Identifier: ISC */
/*
 * From the start of the window to a session, and after its end: which
 * account, its agent, the centre's identity, the password.  Keeps no password
 * longer than it takes to hand it to the agent.
 */
#include "chat/faces/window/enter.h"

#include <errno.h>
#include <string.h>
#include <sysexits.h>

#include "chat/faces/face.h"
#include "chat/faces/window/page.h"
#include "chat/faces/window/plug.h"
#include "chat/faces/window/window.h"
#include "chat/faces/window/words.h"
#include "lib/text.h"
#include "lib/wire.h"

enum {
	TURN_MS = 100,
	TURN_TRIES = 300, /* while somebody else logs in or out */
	AGENT_TRIES = 3, /* an agent may end just as we come */
};

struct enter {
	struct spawn *spawn;
	char *centre; /* [USER@]HOST[:PORT] that was typed, or NULL */
	char *account; /* that is remembered, or NULL */
	char *password; /* from the first form, until it is asked for */
	char *given; /* the one that is under way, for another try */
	char *pin; /* that is shown */
	char *failure; /* what the agent said before it ended */
	int agents, turns;
	guint timer;
	bool inside; /* there is or was a session */
	bool logout; /* and the user has ended it */
};

static void begin(struct window *window);
static void knock(struct window *window);
static void say_password(struct window *window, const char *password);

static const struct page_button again_button = {"Try again", "win.again"};
static const struct page_button login_button = {"Log in again", "win.again"};
static const struct page_button other_button = {"Another account", "win.other"};

static void
forget_secret(char **secret)
{
	if (*secret != NULL)
		explicit_bzero(*secret, strlen(*secret));
	g_clear_pointer(secret, g_free);
}

static void
replace(char **to, const char *with)
{
	char *copy = g_strdup(with);

	g_free(*to);
	*to = copy;
}

/* No step that was begun goes on. */
static void
stop_all(struct window *window)
{
	struct enter *enter = window->enter;

	spawn_cancel(enter->spawn);
	enter->spawn = NULL;
	if (enter->timer != 0)
		g_source_remove(enter->timer);
	enter->timer = 0;
	window_unplug(window);
}

/* ---- what goes wrong ---- */

/* A page for what another try may cure. */
static void
say_trouble(struct window *window, const char *title, const char *text)
{
	struct page_words words = {
	    .icon = "network-error-symbolic",
	    .title = title,
	    .text = text,
	    .yes = again_button,
	    .no = other_button,
	};

	forget_secret(&window->enter->password);
	forget_secret(&window->enter->given);
	page_say(window->page, &words);
}

/* The password was not taken. */
static void
say_wrong(struct window *window, const json_t *reply)
{
	const char *error = wire_get_string(reply, "error");

	forget_secret(&window->enter->password);
	if (strcmp(error, "login-blocked") == 0)
		page_locked(window->page, window->user, window->centre,
		    "Due to multiple login failures, your account has been "
		    "blocked. Please try again in @ seconds.",
		    face_retry_after(reply, 1));
	else if (wire_get_number(reply, "attempts_left", 1) > 0)
		page_password(window->page, window->user, window->centre,
		    "Invalid password. Please try again.");
	else
		page_locked(window->page, window->user, window->centre,
		    "Invalid password. Your account has been blocked. Please "
		    "try again in @ seconds.",
		    face_retry_after(reply, 60));
}

/* Is an unknown centre the right one? */
static void
ask_trust(struct window *window, const json_t *reply)
{
	const char *expired = wire_get_string(reply, "expired");
	char *text = g_strdup_printf(
	    "The identity of %s is not known yet.%s%s%s The fingerprint of its "
	    "public key stands below. Compare it with what the administrator "
	    "told you (chatctl cert show).",
	    window->centre,
	    expired != NULL ? " Its certificate has been expired since " : "",
	    expired != NULL ? expired : "", expired != NULL ? "." : "");
	struct page_words words = {
	    .icon = "dialog-question-symbolic",
	    .title = "Is that the right centre?",
	    .text = text,
	    .detail = wire_get_string(reply, "pin"),
	    .yes = {"Yes, trust it", "win.trust"},
	    .no = {"No", "win.other"},
	    .careful = true,
	};

	replace(&window->enter->pin, words.detail);
	page_say(window->page, &words);
	g_free(text);
}

/* The centre shows another key than the remembered one. */
static void
say_changed(struct window *window, const json_t *reply)
{
	const char *file = wire_get_string(reply, "file");
	const char *pin = wire_get_string(reply, "pin");
	const char *known = wire_get_string(reply, "known_pin");
	char *title =
	    g_strdup_printf("The public key of %s has changed", window->centre);
	char *text = g_strdup_printf(
	    "Nothing was sent. Delete line %lld of %s if the change is right.",
	    (long long)wire_get_number(reply, "line", 0),
	    file != NULL ? file : "known_servers");
	char *detail = g_strdup_printf("now: %s\nremembered: %s",
	    pin != NULL ? pin : "", known != NULL ? known : "");
	struct page_words words = {
	    .icon = "dialog-warning-symbolic",
	    .title = title,
	    .text = text,
	    .detail = detail,
	    .yes = other_button,
	    .no = again_button,
	};

	page_say(window->page, &words);
	g_free(title);
	g_free(text);
	g_free(detail);
}

/* The centre is not known to be the right one. */
static void
untrusted(struct window *window, const json_t *reply)
{
	const char *trust = wire_get_string(reply, "trust");
	char *title;
	struct page_words words = {
	    .icon = "dialog-warning-symbolic",
	    .text = wire_get_string(reply, "text"),
	    .detail = wire_get_string(reply, "pin"),
	    .yes = other_button,
	    .no = again_button,
	};

	if (trust != NULL && strcmp(trust, "unknown") == 0) {
		ask_trust(window, reply);
		return;
	}
	forget_secret(&window->enter->password);
	if (trust != NULL && strcmp(trust, "changed") == 0) {
		say_changed(window, reply);
		return;
	}
	title = g_strdup_printf("The centre %s is not trusted", window->centre);
	words.title = title;
	page_say(window->page, &words);
	g_free(title);
}

/* A login was refused with a reason that more passwords do not cure. */
static void
refused(struct window *window, const json_t *reply)
{
	const char *error = wire_get_string(reply, "error");
	char *title;

	if (error == NULL)
		error = "";
	if (strcmp(error, "untrusted") == 0)
		untrusted(window, reply);
	else if (strcmp(error, "login-failed") == 0 ||
	    strcmp(error, "login-blocked") == 0)
		say_wrong(window, reply);
	else {
		title = strcmp(error, "unreachable") == 0
		    ? g_strdup_printf(
			  "The centre %s cannot be reached", window->centre)
		    : g_strdup("That did not work");
		say_trouble(window, title, wire_get_string(reply, "text"));
		g_free(title);
	}
}

/* ---- logging in ---- */

static gboolean
turn_again(gpointer arg)
{
	struct window *window = arg;
	char *given = g_steal_pointer(&window->enter->given);

	window->enter->timer = 0;
	if (given != NULL)
		say_password(window, given);
	else
		knock(window);
	forget_secret(&given);
	return G_SOURCE_REMOVE;
}

/* True if somebody else logs in or out just now: it is tried again soon. */
static bool
must_wait(struct window *window, const json_t *reply)
{
	struct enter *enter = window->enter;
	const char *error = wire_get_string(reply, "error");

	if (error == NULL || strcmp(error, "wait") != 0 ||
	    ++enter->turns > TURN_TRIES)
		return false;
	enter->timer = g_timeout_add(TURN_MS, turn_again, window);
	return true;
}

/* There is a session. */
static void
inside(struct window *window, const json_t *reply)
{
	struct enter *enter = window->enter;
	char *account = g_strdup_printf("%s@%s", window->user, window->centre);

	forget_secret(&enter->password);
	forget_secret(&enter->given);
	enter->inside = true;
	enter->logout = false;
	enter->agents = 0;
	if (g_strcmp0(account, window->keep.account) != 0) {
		replace(&window->keep.account, account);
		if (!keep_write(&window->keep))
			window_say(window, "The account cannot be remembered.");
	}
	g_free(account);
	window_begin(window, reply);
}

static void
answered(struct window *window, const json_t *reply, void *arg)
{
	(void)arg;
	if (wire_get_bool(reply, "ok"))
		inside(window, reply);
	else if (!must_wait(window, reply)) {
		forget_secret(&window->enter->given);
		refused(window, reply);
	}
}

/* Sends one login and wipes what held the password. */
static void
say_password(struct window *window, const char *password)
{
	json_t *request = face_request("login");
	json_t *value = json_string(password);

	/* What is not UTF-8 is no password of this system either. */
	if (value == NULL)
		value = json_string("?");
	json_object_set(request, "password", value);
	forget_secret(&window->enter->given);
	window->enter->given = g_strdup(password);
	window_ask(window, request, answered, NULL);
	explicit_bzero((void *)(uintptr_t)json_string_value(value),
	    json_string_length(value));
	json_decref(value);
}

/* What the agent knows without a password. */
static void
looked(struct window *window, const json_t *reply, void *arg)
{
	struct enter *enter = window->enter;
	const char *error = wire_get_string(reply, "error");
	char *password;

	(void)arg;
	if (wire_get_bool(reply, "ok")) {
		inside(window, reply);
	} else if (must_wait(window, reply)) {
		return;
	} else if (error == NULL || strcmp(error, "password") != 0) {
		refused(window, reply);
	} else if (enter->password != NULL && *enter->password != '\0') {
		password = g_steal_pointer(&enter->password);
		say_password(window, password);
		forget_secret(&password);
	} else {
		page_password(window->page, window->user, window->centre, NULL);
	}
}

/* Is it the right centre, and is a password needed at all? */
static void
knock(struct window *window)
{
	char *text = g_strdup_printf("Connecting to %s\u2026", window->centre);

	page_wait(window->page, text);
	g_free(text);
	window_ask(window, face_request("login"), looked, NULL);
}

/* The password was typed. */
void
enter_password(struct window *window, const char *password)
{
	if (*password == '\0') {
		page_password(window->page, window->user, window->centre,
		    "Invalid password. Please try again.");
		return;
	}
	page_wait(window->page, "Logging in\u2026");
	window->enter->turns = 0;
	say_password(window, password);
}

static void
trusted(struct window *window, const json_t *reply, void *arg)
{
	(void)arg;
	if (wire_get_bool(reply, "ok"))
		knock(window);
	else
		say_trouble(window, "That key cannot be remembered",
		    wire_get_string(reply, "text"));
}

/* The fingerprint that is shown is the right one. */
void
enter_trust(struct window *window)
{
	json_t *request = face_request("trust");

	if (window->enter->pin != NULL)
		json_object_set_new(
		    request, "pin", json_string(window->enter->pin));
	window_ask(window, request, trusted, NULL);
}

/* ---- the agent ---- */

static gboolean
plug_again(gpointer arg)
{
	struct window *window = arg;

	window->enter->timer = 0;
	begin(window);
	return G_SOURCE_REMOVE;
}

/* The agent was just ending, or its door is crowded: soon once more. */
static void
soon(struct window *window, const char *why)
{
	struct enter *enter = window->enter;

	if (++enter->agents < AGENT_TRIES)
		enter->timer = g_timeout_add(TURN_MS, plug_again, window);
	else
		say_trouble(window, "There is no way to the agent", why);
}

/* chat could not find out which account is meant, or not start an agent. */
static void
not_spawned(struct window *window, const struct spawn_result *result)
{
	struct enter *enter = window->enter;
	const char *centre =
	    enter->centre != NULL ? enter->centre : window->wanted.centre;
	const char *at = centre != NULL ? strchr(centre, '@') : NULL;
	char *user;

	if (result->status != EX_USAGE) {
		say_trouble(
		    window, "The agent could not be started", result->why);
		return;
	}
	/* Without any word of an account there is nothing to complain of. */
	user = at != NULL ? g_strndup(centre, (gsize)(at - centre)) : NULL;
	page_first(window->page, at != NULL ? at + 1 : centre, user,
	    at != NULL || window->wanted.account != NULL ? result->why : NULL);
	g_free(user);
}

static void
spawned(void *arg, const struct spawn_result *result)
{
	struct window *window = arg;

	window->enter->spawn = NULL;
	if (result->socket == NULL) {
		not_spawned(window, result);
		return;
	}
	replace(&window->user, result->user);
	replace(&window->centre, result->centre);
	window->enter->turns = 0;
	if (window_plug(window, result->socket) == 0)
		knock(window);
	else
		soon(window, g_strerror(errno));
}

/* Gets an agent for the account. */
static void
begin(struct window *window)
{
	struct enter *enter = window->enter;
	struct spawn_account account = window->wanted;

	stop_all(window);
	page_wait(window->page, "Starting\u2026");
	enter->inside = enter->logout = false;
	g_clear_pointer(&enter->failure, g_free);
	if (enter->centre != NULL) {
		account.centre = enter->centre;
		account.account = NULL;
	} else if (enter->account != NULL) {
		account.account = enter->account;
	}
	enter->spawn = spawn_begin(&account, spawned, window);
}

/* Begins. */
void
enter_start(struct window *window)
{
	struct enter *enter = g_new0(struct enter, 1);

	window->enter = enter;
	if (window->wanted.centre == NULL && window->wanted.account == NULL)
		enter->account = g_strdup(window->keep.account);
	begin(window);
}

void
enter_free(struct window *window)
{
	struct enter *enter = window->enter;

	if (enter == NULL)
		return;
	stop_all(window);
	forget_secret(&enter->password);
	forget_secret(&enter->given);
	g_free(enter->centre);
	g_free(enter->account);
	g_free(enter->pin);
	g_free(enter->failure);
	g_free(enter);
	window->enter = NULL;
}

/* What was typed into the first form. */
void
enter_first(struct window *window, const char *server, const char *user,
    const char *password)
{
	struct enter *enter = window->enter;
	char name[NAME_MAX_LEN + 1];

	if (*server == '\0') {
		page_first(window->page, NULL, NULL, "Please name the server.");
		return;
	}
	if (!name_fold(user, strlen(user), name)) {
		page_first(window->page, NULL, NULL,
		    "A name has 1 to 32 letters, digits, dots, dashes and "
		    "underscores.");
		return;
	}
	g_free(enter->centre);
	enter->centre = g_strdup_printf("%s@%s", name, server);
	forget_secret(&enter->password);
	enter->password = g_strdup(password);
	enter->agents = 0;
	begin(window);
}

/* The same account once more. */
void
enter_again(struct window *window)
{
	window->enter->agents = 0;
	begin(window);
}

/* Another one. */
void
enter_other(struct window *window)
{
	stop_all(window);
	forget_secret(&window->enter->password);
	page_first(window->page, NULL, NULL, NULL);
}

/* ---- the end of a session ---- */

/* The user has asked for it. */
void
enter_logout(struct window *window)
{
	window->enter->logout = true;
	window_ask(window, face_request("logout"), NULL, NULL);
}

/* The session has ended. */
void
enter_over(struct window *window, const char *why)
{
	bool logout = window->enter->logout;
	char *text = g_strdup(why);
	struct page_words words = {
	    .icon = "system-log-out-symbolic",
	    .title = logout ? "You have logged out" : "The session has ended",
	    .text = logout ? NULL : text,
	    .yes = login_button,
	    .no = other_button,
	};

	stop_all(window);
	page_say(window->page, &words);
	g_free(text);
}

/* The agent has hung up. */
void
enter_gone(struct window *window)
{
	struct enter *enter = window->enter;
	struct page_words words = {
	    .icon = "dialog-error-symbolic",
	    .title = "The agent has ended",
	    .text = "It holds the session; nothing that was sent is lost.",
	    .yes = {"Start it again", "win.again"},
	    .no = other_button,
	};

	if (enter->inside && enter->logout) {
		enter_over(window, NULL);
		return;
	}
	stop_all(window);
	if (enter->failure != NULL)
		words.text = enter->failure;
	if (window->model == NULL && enter->failure == NULL && !enter->inside) {
		soon(window, "The agent hangs up.");
		return;
	}
	page_say(window->page, &words);
}

/* What the agent says before there is a session, and is no reply. */
void
enter_event(struct window *window, const json_t *event)
{
	const char *name = wire_get_string(event, "event");

	if (name != NULL && strcmp(name, "failed") == 0)
		replace(
		    &window->enter->failure, wire_get_string(event, "text"));
}
