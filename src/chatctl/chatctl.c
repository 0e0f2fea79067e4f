/* SPDX-License-Identifier: ISC */
/*
 * chatctl(8): options, the table of commands, the nearest one to what was
 * mistyped.  The commands themselves are elsewhere.
 */
#include <errno.h>
#include <getopt.h>
#include <locale.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

#include "chatctl/commands.h"
#include "chatctl/setup.h"
#include "lib/log.h"
#include "lib/text.h"
#include "lib/unix.h"

enum {
	HOSTS_MAX = 64,
	/* Options of single commands. */
	MAY_HOST = 1,
	MAY_FORCE = 2,
	MAY_ALL = 4,
	MAY_TO = 8,
	MAY_USES = 16,
	MAY_DAYS = 32,
	MAY_DRY = 64,
	/* It reads the configuration by itself. */
	READS = 128,
	/* What the two take at most. */
	USES_MAX = 100000,
	DAYS_MAX = 3650,
	NO_END = 1 << 20, /* any number of words */
};

static const struct row {
	const char *name, *usage, *about;
	command_fn *fn;
	int least, most; /* words after the name */
	unsigned how;
} rows[] = {
    {"init", "[--host NAME]...", "make what is missing for a centre",
	command_init, 0, 0, MAY_HOST | READS},
    {"user add", "NAME", "add a user; the password is asked for",
	command_user_add, 1, 1, 0},
    {"user passwd", "NAME", "set a password, end the session, clear the lock",
	command_user_passwd, 1, 1, 0},
    {"user delete", "NAME", "delete a user; the name stays taken",
	command_user_delete, 1, 1, 0},
    {"user lock", "NAME", "forbid a user to log in, end the session",
	command_user_lock, 1, 1, 0},
    {"user unlock", "NAME", "allow it again, forget failed logins",
	command_user_unlock, 1, 1, 0},
    {"user list", "[--all]", "list users; --all: deleted ones too",
	command_user_list, 0, 0, MAY_ALL},
    {"user import", "[--dry-run] FILE",
	"add users from lines of \"name password\"", command_user_import, 1, 1,
	MAY_DRY},
    {"invite new", "[--uses N] [--days N]",
	"make an invitation to register, for 1 use and 7 days",
	command_invite_new, 0, 0, MAY_USES | MAY_DAYS},
    {"invite list", "", "list invitations", command_invite_list, 0, 0, 0},
    {"invite revoke", "CODE", "take one back; as listed, or the whole code",
	command_invite_revoke, 1, 1, 0},
    {"session list", "[--all]", "list who is online; --all: silent ones too",
	command_session_list, 0, 0, MAY_ALL},
    {"session end", "NAME", "log a user out", command_session_end, 1, 1, 0},
    {"notice", "[--to NAME] TEXT", "put a notice into one mailbox, or all",
	command_notice, 1, NO_END, MAY_TO},
    {"status", "", "how the centre is", command_status, 0, 0, 0},
    {"metrics", "", "the same for Prometheus", command_metrics, 0, 0, 0},
    {"reload", "", "have the configuration and certificate read again",
	command_reload, 0, 0, 0},
    {"check", "", "would chatd start, and is its database whole?",
	command_check, 0, 0, READS},
    {"backup", "FILE", "copy the database, without sessions", command_backup, 1,
	1, 0},
    {"restore", "FILE", "put a backup in the database's place", command_restore,
	1, 1, 0},
    {"cert new", "[--host NAME]... [--force]",
	"make an authority and a certificate", command_cert_new, 0, 0,
	MAY_HOST | MAY_FORCE},
    {"cert renew", "", "a new certificate for the same key", command_cert_renew,
	0, 0, 0},
    {"cert show", "", "the certificate, and how clients use it",
	command_cert_show, 0, 0, 0},
};

enum { ROWS = sizeof(rows) / sizeof(rows[0]) };

static void
usage(FILE *to)
{
	fputs("usage: chatctl [-c FILE] [--json] COMMAND\n\n", to);
	for (int i = 0; i < ROWS; i++) {
		int len = fprintf(to, "  %s%s%s", rows[i].name,
		    rows[i].usage[0] != '\0' ? " " : "", rows[i].usage);

		fprintf(
		    to, "%*s%s\n", len < 40 ? 40 - len : 2, "", rows[i].about);
	}
	fprintf(to,
	    "\n  -c, --config FILE   the configuration (default %s)\n"
	    "      --json          print one JSON object a line\n"
	    "  -h, --help          print this\n"
	    "  -V, --version       print the version\n",
	    settings_default_file);
}

static _Noreturn void
misuse(const struct row *row)
{
	if (row != NULL)
		fprintf(stderr, "usage: chatctl %s%s%s\n", row->name,
		    row->usage[0] != '\0' ? " " : "", row->usage);
	else
		fputs("usage: chatctl [-c FILE] [--json] COMMAND; "
		      "chatctl -h lists the commands\n",
		    stderr);
	exit(EX_USAGE);
}

/* The row that the words begin with; *words is moved behind its name. */
static const struct row *
find(char ***words)
{
	for (int i = 0; i < ROWS; i++) {
		const char *name = rows[i].name, *blank = strchr(name, ' ');
		size_t first =
		    blank != NULL ? (size_t)(blank - name) : strlen(name);

		if (strlen((*words)[0]) != first ||
		    strncmp((*words)[0], name, first) != 0)
			continue;
		if (blank == NULL) {
			*words += 1;
			return &rows[i];
		}
		if ((*words)[1] != NULL &&
		    strcmp((*words)[1], blank + 1) == 0) {
			*words += 2;
			return &rows[i];
		}
	}
	return NULL;
}

/* The commands that begin with the word; false if there are none. */
static bool
usage_of_group(const char *word)
{
	size_t len = strlen(word);
	bool any = false;

	for (int i = 0; i < ROWS; i++)
		if (strncmp(rows[i].name, word, len) == 0 &&
		    rows[i].name[len] == ' ') {
			fprintf(stderr, "%s chatctl %s %s\n",
			    any ? "      " : "usage:", rows[i].name,
			    rows[i].usage);
			any = true;
		}
	return any;
}

/* Says what is near to what was typed, and ends. */
static _Noreturn void
unknown(char **words)
{
	const char *names[ROWS + 1], *nearest;
	char typed[128];

	for (int i = 0; i < ROWS; i++)
		names[i] = rows[i].name;
	names[ROWS] = NULL;
	snprintf(typed, sizeof(typed), "%s%s%s", words[0],
	    words[1] != NULL ? " " : "", words[1] != NULL ? words[1] : "");
	nearest = text_nearest(typed, names);
	if (nearest == NULL)
		nearest = text_nearest(words[0], names);
	if (nearest != NULL)
		complain("there is no command \"%s\"; did you mean \"%s\"?",
		    typed, nearest);
	else if (words[1] != NULL || !usage_of_group(words[0]))
		complain("there is no command \"%s\"", typed);
	else
		exit(EX_USAGE);
	misuse(NULL);
}

/* What was typed besides the words. */
struct options {
	struct ctl ctl;
	const char *hosts[HOSTS_MAX + 1];
	int host_count;
	unsigned given; /* options of single commands */
};

/* What was printed must have arrived, or it was not done. */
static int
finish(int status)
{
	if (fflush(stdout) == 0 && !ferror(stdout))
		return status;
	complain("standard output: %m");
	return status != 0 ? status : EX_IOERR;
}

/* Prints what there is, and exits. */
static _Noreturn void
help(void)
{
	usage(stdout);
	exit(finish(0));
}

/* An option's number from 1 to most, or the end. */
static int
number(const char *option, const char *text, int most)
{
	char *end;
	long value;

	errno = 0;
	value = strtol(text, &end, 10);
	if (*text >= '0' && *text <= '9' && *end == '\0' && errno == 0 &&
	    value >= 1 && value <= most)
		return (int)value;
	complain("%s: \"%s\" is no number from 1 to %d", option, text, most);
	exit(EX_USAGE);
}

/* Reads the options, wherever they stand. */
static void
parse(int argc, char **argv, struct options *options)
{
	static const struct option longs[] = {
	    {"config", required_argument, NULL, 'c'},
	    {"json", no_argument, NULL, 'j'},
	    {"help", no_argument, NULL, 'h'},
	    {"version", no_argument, NULL, 'V'},
	    {"host", required_argument, NULL, 'H'},
	    {"force", no_argument, NULL, 'F'},
	    {"all", no_argument, NULL, 'A'},
	    {"dry-run", no_argument, NULL, 'n'},
	    {"to", required_argument, NULL, 'T'},
	    {"uses", required_argument, NULL, 'U'},
	    {"days", required_argument, NULL, 'D'},
	    {NULL, 0, NULL, 0},
	};
	struct ctl *ctl = &options->ctl;
	int option;

	while ((option = getopt_long(argc, argv, "c:hV", longs, NULL)) != -1) {
		switch (option) {
		case 'c':
			ctl->file = optarg;
			break;
		case 'j':
			ctl->json = true;
			break;
		case 'H':
			if (options->host_count == HOSTS_MAX)
				misuse(NULL);
			options->hosts[options->host_count++] = optarg;
			options->given |= MAY_HOST;
			break;
		case 'F':
			ctl->force = true;
			options->given |= MAY_FORCE;
			break;
		case 'A':
			ctl->all = true;
			options->given |= MAY_ALL;
			break;
		case 'n':
			ctl->dry_run = true;
			options->given |= MAY_DRY;
			break;
		case 'T':
			ctl->to = optarg;
			options->given |= MAY_TO;
			break;
		case 'U':
			ctl->uses = number("--uses", optarg, USES_MAX);
			options->given |= MAY_USES;
			break;
		case 'D':
			ctl->days = number("--days", optarg, DAYS_MAX);
			options->given |= MAY_DAYS;
			break;
		case 'h':
			help();
		case 'V':
			puts("chatctl " PACKAGE_VERSION);
			exit(0);
		default:
			misuse(NULL);
		}
	}
	ctl->words = argv + optind;
}

static int
run(const struct row *row, struct ctl *ctl)
{
	struct settings *settings = NULL;
	int status;

	if ((row->how & READS) == 0) {
		settings = setup_settings(ctl->file);
		if (settings == NULL) {
			if (row->fn == command_reload)
				complain("nothing was read again; a centre "
					 "that runs goes on with the old "
					 "configuration");
			return EX_CONFIG;
		}
	}
	ctl->settings = settings;
	status = row->fn(ctl);
	settings_free(settings);
	return status;
}

int
main(int argc, char **argv)
{
	struct options options = {.ctl.file = settings_default_file};
	const struct row *row;
	int count = 0;

	setlocale(LC_CTYPE, "");
	title_init(argc, argv);
	signal(SIGPIPE, SIG_IGN);
	log_init("chatctl", NULL);
	options.ctl.hosts = options.hosts;
	parse(argc, argv, &options);
	if (options.ctl.words[0] == NULL)
		misuse(NULL);
	if (strcmp(options.ctl.words[0], "help") == 0)
		help();
	row = find(&options.ctl.words);
	if (row == NULL)
		unknown(options.ctl.words);
	while (options.ctl.words[count] != NULL)
		count++;
	if (count < row->least || count > row->most ||
	    (options.given & ~row->how) != 0)
		misuse(row);
	return finish(run(row, &options.ctl));
}
