/* SPDX-License-Identifier: ISC */
/*
 * `check`: would chatd start on this configuration, and is what it keeps
 * whole?  Looks as the user that chatd becomes; changes nothing.
 */
#include <errno.h>
#include <libgen.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>
#include <sys/resource.h>
#include <sys/stat.h>

#include <sqlite3.h>

#include "chatctl/centre.h"
#include "chatctl/commands.h"
#include "chatctl/setup.h"
#include "chatd/pair.h"
#include "chatd/places.h"
#include "chatd/sandbox.h"
#include "chatd/store/db.h"
#include "lib/unix.h"
#include "lib/wire.h"

enum { SPARE = 64 }; /* descriptors for all but workers */

enum level { FINE, WARNING, ERROR };

struct check {
	const struct ctl *ctl;
	struct settings *settings;
	bool was_root;
	bool runs;
	int errors;
};

static void found(struct check *check, enum level level, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));

/* One finding. */
static void
found(struct check *check, enum level level, const char *fmt, ...)
{
	static const char *const words[] = {"ok", "warning", "error"};
	char text[2048];
	va_list args;
	json_t *row;

	va_start(args, fmt);
	vsnprintf(text, sizeof(text), fmt, args);
	va_end(args);
	if (level == ERROR)
		check->errors++;
	if (!check->ctl->json) {
		printf("%s: ", words[level]);
		print_clean(text);
		putchar('\n');
		return;
	}
	row = json_pack("{s:b, s:s, s:s}", "ok", level != ERROR, "level",
	    words[level], "text", text);
	if (row != NULL)
		print_json(row);
	json_decref(row);
}

/* From here on everything is seen as chatd will see it. */
static bool
check_user(struct check *check)
{
	const char *name = check->settings->user;
	struct sandbox_user user;
	char why[SANDBOX_WHY_LEN];

	check->was_root = geteuid() == 0;
	if (sandbox_user_find(name, &user, why) != 0) {
		found(check, ERROR, "%s", why);
		return false;
	}
	if (sandbox_user_become(name, &user) == -1) {
		found(check, ERROR, "cannot become %s: %s", name,
		    strerror(errno));
		return false;
	}
	if (check->was_root && !user.drop)
		found(check, WARNING, "the centre will run as root");
	else if (check->was_root)
		found(check, FINE, "the centre will run as %s", name);
	if (access(check->ctl->file, R_OK) == -1)
		found(check, WARNING,
		    "%s cannot read %s, so `chatctl reload` will fail: %s",
		    name, check->ctl->file, strerror(errno));
	return true;
}

static void
check_state(struct check *check)
{
	const char *path = check->settings->state_directory;
	struct stat info;

	if (stat(path, &info) == -1)
		found(check, ERROR, "state_directory: %s: %s%s", path,
		    strerror(errno),
		    errno == ENOENT ? "; `chatctl init` makes it" : "");
	else if (!S_ISDIR(info.st_mode))
		found(
		    check, ERROR, "state_directory: %s is no directory", path);
	else if (access(path, R_OK | W_OK | X_OK) == -1)
		found(check, ERROR, "state_directory: %s: %s", path,
		    strerror(errno));
	else if (info.st_uid != geteuid())
		found(check, WARNING,
		    "state_directory: %s belongs to uid %ld, the centre runs "
		    "as %ld",
		    path, (long)info.st_uid, (long)geteuid());
	else if ((info.st_mode & 077) != 0)
		found(check, WARNING,
		    "state_directory: others may look into %s (mode %03o); "
		    "chmod 700",
		    path, (unsigned)info.st_mode & 0777);
	else
		found(check, FINE, "state_directory: %s", path);
}

static void
check_runtime(struct check *check)
{
	const char *path = check->settings->runtime_directory;
	char *copy = strdup(path);
	bool missing = access(path, F_OK) == -1 && errno == ENOENT;

	/* chatd makes it while it is still root. */
	if (missing &&
	    (check->was_root || (copy && access(dirname(copy), W_OK) == 0)))
		found(
		    check, FINE, "runtime_directory: chatd will make %s", path);
	else if (access(path, W_OK | X_OK) == -1)
		found(check, ERROR, "runtime_directory: %s: %s", path,
		    strerror(errno));
	else
		found(check, FINE, "runtime_directory: %s", path);
	free(copy);
}

/* The certificate serves, but. */
static void
warn(void *arg, const char *text)
{
	found(arg, WARNING, "tls.certificate: %s", text);
}

/* Certificate and key, each and together; we end at once, and may read it. */
static void
check_certificate(struct check *check)
{
	const struct settings *settings = check->settings;
	char why[TLS_WHY_LEN];
	struct stat info;
	int64_t left;
	int key = pair_key_open(settings->key, why);
	SSL_CTX *tls = key == -1 ? NULL
				 : tls_server_new(settings->certificate,
				       settings->key, TLS_ALPN_CENTRE, why);

	if (key != -1)
		close(key);
	if (tls == NULL) {
		found(check, ERROR, "tls: %s", why);
		return;
	}
	left = pair_ends(tls) - clock_wall();
	if (left >= 0)
		found(check, FINE, "tls: %s and its key, for %lld more days",
		    settings->certificate, (long long)(left / 86400000));
	pair_warn(settings->certificate, tls, clock_wall(), warn, check);
	SSL_CTX_free(tls);
	if (stat(settings->key, &info) == 0 && (info.st_mode & 077) != 0)
		found(check, WARNING,
		    "tls.key: a group may read %s (mode %03o); chmod 600",
		    settings->key, (unsigned)info.st_mode & 0777);
}

/* Each worker takes a descriptor of the store's. */
static void
check_limits(struct check *check)
{
	int workers = check->settings->workers;
	struct rlimit limit;

	if (getrlimit(RLIMIT_NOFILE, &limit) == -1 ||
	    limit.rlim_max == RLIM_INFINITY ||
	    limit.rlim_max >= (rlim_t)workers + SPARE)
		return;
	found(check, WARNING,
	    "limits.workers: %d workers want %d descriptors, but the hard "
	    "limit here is %llu (ulimit -Hn; LimitNOFILE= in a unit)",
	    workers, workers + SPARE, (unsigned long long)limit.rlim_max);
}

/* A value of one row and column, or -1 with SQLite's word for it. */
static int64_t
value(sqlite3 *sqlite, const char *sql, char *text, size_t size)
{
	sqlite3_stmt *row = NULL;
	int64_t number = -1;

	snprintf(text, size, "no answer");
	if (sqlite3_prepare_v2(sqlite, sql, -1, &row, NULL) == SQLITE_OK &&
	    sqlite3_step(row) == SQLITE_ROW) {
		const char *column = (const char *)sqlite3_column_text(row, 0);

		number = sqlite3_column_int64(row, 0);
		snprintf(text, size, "%s", column != NULL ? column : "");
	} else {
		snprintf(text, size, "%s", sqlite3_errmsg(sqlite));
	}
	sqlite3_finalize(row);
	return number;
}

/* A database that nobody uses meanwhile. */
static void
check_content(struct check *check, const char *path)
{
	sqlite3 *sqlite = NULL;
	char text[512];
	int64_t version = -1;

	if (sqlite3_open_v2(path, &sqlite, SQLITE_OPEN_READWRITE, NULL) ==
	    SQLITE_OK) {
		version = value(sqlite,
		    "SELECT CAST(value AS INTEGER) FROM meta"
		    " WHERE key = 'version'",
		    text, sizeof(text));
	} else {
		snprintf(text, sizeof(text), "%s",
		    sqlite != NULL ? sqlite3_errmsg(sqlite) : "no memory");
	}
	if (version == -1)
		found(check, ERROR, "%s: %s", path, text);
	else if (version > DB_VERSION)
		found(check, ERROR,
		    "%s is of version %lld, this program knows only %d", path,
		    (long long)version, DB_VERSION);
	else if (value(sqlite, "PRAGMA quick_check(1)", text, sizeof(text)),
	    strcmp(text, "ok") != 0)
		found(check, ERROR, "%s: %s", path, text);
	else
		found(check, FINE, "%s, version %lld, is whole%s", path,
		    (long long)version,
		    version < DB_VERSION
			? "; chatd will bring it up to its own version, after "
			  "a copy"
			: "");
	sqlite3_close(sqlite);
}

static void
check_database(struct check *check)
{
	const struct sandbox_user user = {.drop = false};
	const char *directory = check->settings->state_directory;
	char *path = place_path(directory, "chatd.db");
	char why[PLACES_WHY_LEN];
	int lock = -1;

	if (check->runs)
		found(check, FINE, "the centre runs, and has its database");
	else if (access(path, F_OK) == -1 && errno == ENOENT)
		found(check, FINE, "chatd will make %s", path);
	else if (access(path, R_OK | W_OK) == -1)
		found(check, ERROR, "%s: %s", path, strerror(errno));
	else if (place_lock(directory, &user, 0, &lock, why) != 0)
		found(check, WARNING, "the database was left out: %s", why);
	else
		check_content(check, path);
	if (lock != -1)
		close(lock);
	free(path);
}

int
command_check(const struct ctl *ctl)
{
	struct check check = {.ctl = ctl};
	int unused;

	check.settings = setup_settings(ctl->file);
	if (check.settings == NULL)
		return EX_CONFIG;
	found(&check, FINE, "configuration: %s", ctl->file);
	check.runs = centre_runs(check.settings, &unused);
	check_limits(&check);
	if (check_user(&check)) {
		check_state(&check);
		check_runtime(&check);
		check_certificate(&check);
		check_database(&check);
	}
	settings_free(check.settings);
	return check.errors == 0 ? 0 : EX_CONFIG;
}
