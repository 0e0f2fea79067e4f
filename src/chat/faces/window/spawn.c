/* SPDX-License-Identifier: ISC */
/*
 * Gets an agent: runs `chat agent`, which starts one if there is none, and
 * reads where its socket is.  Never waits for it, and asks nobody anything.
 */
#include "chat/faces/window/spawn.h"

#include <string.h>

#include <gio/gio.h>
#include <jansson.h>

#include "lib/wire.h"

struct spawn {
	spawn_done *done;
	void *arg;
	GSubprocess *process;
	GError *error; /* it could not be started */
	guint timer;
};

/* The chat beside our own program, in fresh memory, or NULL. */
static char *
chat_beside(void)
{
	char *self = g_file_read_link("/proc/self/exe", NULL), *dir, *path;

	if (self == NULL)
		return NULL;
	dir = g_path_get_dirname(self);
	path = g_build_filename(dir, "chat", NULL);
	g_free(dir);
	g_free(self);
	if (!g_file_test(path, G_FILE_TEST_IS_EXECUTABLE))
		g_clear_pointer(&path, g_free);
	return path;
}

/* Which chat: $CHAT_BINARY, the one beside us, or one of $PATH. */
static char *
chat_binary(void)
{
	const char *named = g_getenv("CHAT_BINARY");
	char *path;

	if (named != NULL && *named != '\0')
		return g_strdup(named);
	path = chat_beside();
	return path != NULL ? path : g_strdup("chat");
}

static void
add_option(GPtrArray *words, const char *name, const char *value)
{
	if (value == NULL)
		return;
	g_ptr_array_add(words, g_strdup(name));
	g_ptr_array_add(words, g_strdup(value));
}

/* The command: an option's value is a word of its own, whatever is in it. */
static GPtrArray *
command(const struct spawn_account *account)
{
	GPtrArray *words = g_ptr_array_new_with_free_func(g_free);

	g_ptr_array_add(words, chat_binary());
	g_ptr_array_add(words, g_strdup("--json"));
	add_option(words, "--account", account->account);
	add_option(words, "--state", account->state);
	add_option(words, "--config", account->config);
	/* Behind it nothing is an option: a host may begin with a dash. */
	g_ptr_array_add(words, g_strdup("--"));
	if (account->centre != NULL)
		g_ptr_array_add(words, g_strdup(account->centre));
	g_ptr_array_add(words, g_strdup("agent"));
	g_ptr_array_add(words, NULL);
	return words;
}

static void
release(struct spawn *spawn)
{
	if (spawn->timer != 0)
		g_source_remove(spawn->timer);
	g_clear_object(&spawn->process);
	g_clear_error(&spawn->error);
	g_free(spawn);
}

/* The last words to the owner, who must not cancel any more. */
static void
finish(struct spawn *spawn, const struct spawn_result *result)
{
	if (spawn->done != NULL)
		spawn->done(spawn->arg, result);
	release(spawn);
}

/* A sentence for a page out of what chat says on a terminal. */
static char *
sentence(char *err)
{
	static const char lead[] = "chat: ";
	char *hint = err != NULL ? strstr(err, "\nTry \"chat --help\"") : NULL;

	if (err == NULL)
		return err;
	if (hint != NULL)
		*hint = '\0';
	if (g_str_has_prefix(err, lead))
		memmove(
		    err, err + strlen(lead), strlen(err + strlen(lead)) + 1);
	return g_strchomp(err);
}

/* What it printed: the place of the socket, or nothing of use. */
static void
judge(struct spawn *spawn, const char *out, const char *err)
{
	struct spawn_result result = {.status = -1, .why = err};
	char why[WIRE_WHY_LEN];
	json_t *object = NULL;

	if (g_subprocess_get_if_exited(spawn->process))
		result.status = g_subprocess_get_exit_status(spawn->process);
	if (result.status == 0)
		object = wire_object(out, strcspn(out, "\n"), why);
	if (object != NULL) {
		result.socket = wire_get_string(object, "socket");
		result.user = wire_get_string(object, "user");
		result.centre = wire_get_string(object, "centre");
	}
	if (result.user == NULL || result.centre == NULL)
		result.socket = NULL;
	if (result.socket == NULL && result.status == 0) {
		result.status = -1;
		result.why = "chat did not say where its agent is.";
	}
	finish(spawn, &result);
	json_decref(object);
}

static void
ended(GObject *source, GAsyncResult *outcome, gpointer arg)
{
	struct spawn *spawn = arg;
	struct spawn_result result = {.status = -1};
	char *out = NULL, *err = NULL;
	GError *error = NULL;

	if (g_subprocess_communicate_utf8_finish(
		G_SUBPROCESS(source), outcome, &out, &err, &error)) {
		err = sentence(err);
		judge(spawn, out != NULL ? out : "", err != NULL ? err : "");
	} else {
		result.why = error->message;
		finish(spawn, &result);
		g_error_free(error);
	}
	g_free(out);
	g_free(err);
}

/* It hangs: ended() hears of its end. */
static gboolean
too_long(gpointer arg)
{
	struct spawn *spawn = arg;

	spawn->timer = 0;
	g_subprocess_force_exit(spawn->process);
	return G_SOURCE_REMOVE;
}

/* It could not be started; told as everything is, later. */
static gboolean
not_started(gpointer arg)
{
	struct spawn *spawn = arg;
	struct spawn_result result = {
	    .status = -1,
	    .why = spawn->error->message,
	};

	finish(spawn, &result);
	return G_SOURCE_REMOVE;
}

/* Begins. */
struct spawn *
spawn_begin(const struct spawn_account *account, spawn_done *done, void *arg)
{
	struct spawn *spawn = g_new0(struct spawn, 1);
	GPtrArray *words = command(account);

	spawn->done = done;
	spawn->arg = arg;
	spawn->process = g_subprocess_newv((const char *const *)words->pdata,
	    G_SUBPROCESS_FLAGS_STDOUT_PIPE | G_SUBPROCESS_FLAGS_STDERR_PIPE,
	    &spawn->error);
	g_ptr_array_unref(words);
	if (spawn->process == NULL) {
		g_idle_add(not_started, spawn);
		return spawn;
	}
	spawn->timer = g_timeout_add_seconds(SPAWN_SECONDS, too_long, spawn);
	g_subprocess_communicate_utf8_async(
	    spawn->process, NULL, NULL, ended, spawn);
	return spawn;
}

/* It goes on to its end, but nobody is told. */
void
spawn_cancel(struct spawn *spawn)
{
	if (spawn != NULL)
		spawn->done = NULL;
}
