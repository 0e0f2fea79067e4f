/* SPDX-License-Identifier: ISC */
/*
 * `init`: makes what is missing and nothing else, and says what it made and
 * what was there.  May be run as often as one likes.
 */
#include <errno.h>
#include <libgen.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "chatctl/cert.h"
#include "chatctl/commands.h"
#include "chatctl/setup.h"
#include "chatd/places.h"
#include "chatd/sandbox.h"
#include "lib/unix.h"

enum { CONF_MODE = 0644, CONF_DIRECTORY_MODE = 0755 };

struct settings *
setup_settings(const char *file)
{
	struct conf_errors errors = {0};
	struct settings *settings = settings_read(file, &errors);

	if (settings == NULL)
		fprintf(stderr, "%s%s", errors.text,
		    errors.len > 0 && errors.text[errors.len - 1] == '\n'
			? ""
			: "\n");
	conf_errors_release(&errors);
	if (settings == NULL && access(file, F_OK) == -1 && errno == ENOENT)
		complain("`chatctl init` makes a configuration");
	return settings;
}

/* One line of the report. */
static void
report(const struct ctl *ctl, bool made, const char *what, const char *name)
{
	json_t *row;

	if (!ctl->json) {
		printf("%s %s: ", made ? "made" : "there", what);
		print_clean(name);
		putchar('\n');
		return;
	}
	row = json_pack("{s:b, s:s, s:s, s:b}", "ok", 1, "what", what, "name",
	    name, "made", (int)made);
	if (row != NULL)
		print_json(row);
	json_decref(row);
}

static int
fail(const char *path)
{
	int status = errno == EACCES || errno == EPERM ? EX_NOPERM : EX_IOERR;

	complain("%s: %m", path);
	return status;
}

/* The commented configuration. */
static int
write_configuration(const char *file)
{
	char *copy = strdup(file), *text = NULL;
	size_t len = 0;
	FILE *to = open_memstream(&text, &len);
	int status = 0;

	if (copy == NULL || to == NULL) {
		complain("no memory");
		exit(EX_OSERR);
	}
	settings_print_defaults(to);
	if (fclose(to) != 0 ||
	    dir_make(dirname(copy), CONF_DIRECTORY_MODE) == -1 ||
	    file_replace(file, text, len, CONF_MODE) == -1)
		status = fail(file);
	free(text);
	free(copy);
	return status;
}

static int
make_configuration(const struct ctl *ctl)
{
	bool missing = access(ctl->file, F_OK) == -1;
	int status;

	if (missing && errno != ENOENT)
		return fail(ctl->file);
	if (missing && (status = write_configuration(ctl->file)) != 0)
		return status;
	report(ctl, missing, "configuration", ctl->file);
	return 0;
}

/* Runs useradd, which says itself what it does not like. */
static int
run_useradd(const char *name)
{
	int how = 0;
	pid_t pid;

	fflush(NULL);
	pid = fork();
	if (pid == 0) {
		execlp("useradd", "useradd", "--system", "--user-group",
		    "--no-create-home", "--home-dir", "/nonexistent", "--shell",
		    "/usr/sbin/nologin", "--", name, (char *)NULL);
		complain("useradd: %m");
		_exit(EX_OSERR);
	}
	if (pid == -1) {
		complain("fork: %m");
		return EX_OSERR;
	}
	while (waitpid(pid, &how, 0) == -1 && errno == EINTR)
		continue;
	return WIFEXITED(how) && WEXITSTATUS(how) == 0 ? 0 : EX_CONFIG;
}

/* The system user, where that can be made and is needed. */
static int
make_user(const struct ctl *ctl, const struct settings *settings)
{
	bool missing;
	int status;

	if (geteuid() != 0)
		return 0;
	missing = getpwnam(settings->user) == NULL;
	if (missing && !ctl->json) {
		fputs("useradd --system --user-group --no-create-home "
		      "--home-dir /nonexistent --shell /usr/sbin/nologin ",
		    stdout);
		print_clean(settings->user);
		putchar('\n');
	}
	if (missing && (status = run_useradd(settings->user)) != 0)
		return status;
	report(ctl, missing, "user", settings->user);
	return 0;
}

/* Said, not changed: it may be on purpose. */
static void
look_at(const char *path, mode_t mode, const struct sandbox_user *user)
{
	struct stat info;

	if (stat(path, &info) == -1)
		return;
	if (info.st_uid != user->uid)
		complain("warning: %s is not the user's that the centre runs "
			 "as (uid %ld)",
		    path, (long)user->uid);
	if ((info.st_mode & 07777 & ~mode) != 0)
		complain("warning: %s has mode %03o, more than %03o", path,
		    (unsigned)info.st_mode & 07777, (unsigned)mode);
}

static int
make_directory(const struct ctl *ctl, const char *what, const char *path,
    mode_t mode, const struct sandbox_user *user)
{
	bool missing = access(path, F_OK) == -1;
	char why[PLACES_WHY_LEN];
	int status = place_make(path, mode, user, why);

	if (status != 0) {
		complain("%s", why);
		return status == EX_NOPERM ? EX_NOPERM : EX_IOERR;
	}
	report(ctl, missing, what, path);
	if (!missing)
		look_at(path, mode, user);
	return 0;
}

static int
make_directories(const struct ctl *ctl, const struct settings *settings)
{
	struct sandbox_user user;
	char why[SANDBOX_WHY_LEN];
	int status = sandbox_user_find(settings->user, &user, why);

	if (status != 0) {
		complain("%s", why);
		return status;
	}
	status = make_directory(ctl, "state directory",
	    settings->state_directory, STATE_MODE, &user);
	if (status == 0)
		status = make_directory(ctl, "runtime directory",
		    settings->runtime_directory, RUNTIME_MODE, &user);
	return status;
}

static int
make_certificate(const struct ctl *ctl, const struct settings *settings)
{
	bool cert = access(settings->certificate, F_OK) == 0;
	bool key = access(settings->key, F_OK) == 0;
	int status;

	if (cert != key) {
		complain("%s is there, but not %s; `chatctl cert new --force` "
			 "makes both",
		    cert ? settings->certificate : settings->key,
		    cert ? settings->key : settings->certificate);
		return CTL_REFUSED;
	}
	if (!cert) {
		status = cert_make(settings,
		    ctl->hosts[0] != NULL ? ctl->hosts : cert_hosts(), false);
		if (status != 0)
			return status;
	}
	report(ctl, !cert, "certificate", settings->certificate);
	return 0;
}

/* What to type next. */
static void
next_steps(const struct ctl *ctl, const struct settings *settings)
{
	bool other = strcmp(ctl->file, settings_default_file) != 0;
	const char *option = other ? " -c " : "";
	const char *file = other ? ctl->file : "";
	struct cert cert;
	char why[TLS_WHY_LEN];

	if (ctl->json)
		return;
	putchar('\n');
	if (cert_read(settings->certificate, &cert, why) == 0)
		cert_print(settings, &cert, false);
	else
		complain("%s", why);
	printf("\nNext:\n  chatctl%s", option);
	print_clean(file);
	printf(" user add NAME\n  chatd%s", option);
	print_clean(file);
	putchar('\n');
}

int
command_init(const struct ctl *ctl)
{
	struct settings *settings;
	int status;

	/* The centre reads it again after it has given up root. */
	umask(022);
	status = make_configuration(ctl);
	if (status != 0)
		return status;
	settings = setup_settings(ctl->file);
	if (settings == NULL)
		return EX_CONFIG;
	status = make_user(ctl, settings);
	if (status == 0)
		status = make_directories(ctl, settings);
	if (status == 0)
		status = make_certificate(ctl, settings);
	if (status == 0)
		next_steps(ctl, settings);
	else if (status == EX_NOPERM)
		complain("run init as root, or name directories of your own "
			 "in %s",
		    ctl->file);
	settings_free(settings);
	return status;
}
