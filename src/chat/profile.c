/* SPDX-License-Identifier: ISC */
/*
 * chat.conf(5) as a table: what the user has written down about the accounts.
 * Read by chat before anything else; opens no connection, prints nothing.
 */
#include "chat/profile.h"

#include <sys/stat.h>

#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

#include "lib/log.h"
#include "lib/text.h"

#define AT(member) offsetof(struct profile, member)
#define COUNT(array) (sizeof(array) / sizeof((array)[0]))
#define GROUP "accounts"

enum {
	STRING_LEN = 4096,
	PORT_MIN = 1024, /* for private links, see chat-protocol(7) */
};

/* The settings that there are once. */
static const struct conf_setting general[] = {
    {"default", CONF_STRING, AT(chosen), 1, STRING_LEN, NULL, NULL,
	"the account that is meant where none is named"},
    {"heartbeat", CONF_INT, AT(heartbeat), 1, 3600, "30", NULL,
	"seconds between two questions at most; the centre may want less"},
    {"bell", CONF_BOOL, AT(bell), 0, 1, "true", NULL,
	"whether a message rings the terminal's bell"},
    {"beacon", CONF_BOOL, AT(beacon), 0, 1, "true", NULL,
	"whether to hear the centre's knocks over UDP"},
    {"private.enabled", CONF_BOOL, AT(private_enabled), 0, 1, "true", NULL,
	"whether others may ask for a private link"},
    {"private.port", CONF_INT, AT(private_port), 0, 65535, "0", NULL,
	"where private links come in; 0: any port"},
};

/* Those of each account, with their places in it. */
static const struct {
	const char *name;
	size_t offset;
} fields[] = {
    {"server", offsetof(struct profile_account, server)},
    {"user", offsetof(struct profile_account, user)},
    {"password_command", offsetof(struct profile_account, password_command)},
    {"password_file", offsetof(struct profile_account, password_file)},
    {"pin", offsetof(struct profile_account, pin)},
    {"ca", offsetof(struct profile_account, ca)},
};

/* Memory that is there, or the end of the program. */
static void *
must(void *memory)
{
	if (memory == NULL)
		fatal(EX_OSERR, "no memory for the configuration");
	return memory;
}

/* accounts.NAME[.FIELD], in fresh memory. */
static char *
path_of(const char *name, const char *field)
{
	char *path;

	if (asprintf(&path, "%s.%s%s%s", GROUP, name, field != NULL ? "." : "",
		field != NULL ? field : "") == -1)
		fatal(EX_OSERR, "no memory for the configuration");
	return path;
}

/* The user's own file, in fresh memory. */
static char *
default_file(void)
{
	const char *base = getenv("XDG_CONFIG_HOME");
	char *file;
	int len;

	if (base != NULL && *base == '/')
		len = asprintf(&file, "%s/chat/chat.conf", base);
	else
		len = asprintf(
		    &file, "%s/.config/chat/chat.conf", account_home());
	if (len == -1)
		fatal(EX_OSERR, "no memory for the configuration");
	return file;
}

/* A profile with a table for these accounts, and for one of any name. */
static struct profile *
profile_new(char **names)
{
	struct profile *profile;
	size_t count = 0, row = COUNT(general);

	while (names[count] != NULL)
		count++;
	profile = must(calloc(1,
	    sizeof(*profile) + (count + 1) * sizeof(struct profile_account)));
	profile->count = count;
	profile->rows = row + (count + 1) * COUNT(fields);
	profile->table =
	    must(calloc(profile->rows, sizeof(struct conf_setting)));
	memcpy(profile->table, general, sizeof(general));
	for (size_t i = 0; i <= count; i++) {
		size_t start =
		    AT(accounts) + i * sizeof(struct profile_account);

		profile->accounts[i].name =
		    must(strdup(i < count ? names[i] : "*"));
		for (size_t j = 0; j < COUNT(fields); j++)
			profile->table[row++] = (struct conf_setting){
			    .path = path_of(
				profile->accounts[i].name, fields[j].name),
			    .type = CONF_STRING,
			    .offset = start + fields[j].offset,
			    .min = 1,
			    .max = STRING_LEN,
			};
	}
	return profile;
}

/* Frees a profile. */
void
profile_free(struct profile *profile)
{
	if (profile == NULL)
		return;
	conf_release(profile->table, profile->rows, profile);
	for (size_t i = 0; i <= profile->count; i++)
		free(profile->accounts[i].name);
	for (size_t i = COUNT(general); i < profile->rows; i++)
		free((char *)(uintptr_t)profile->table[i].path);
	free(profile->table);
	free(profile->file);
	free(profile);
}

/* Says what is wrong with one setting of an account. */
static void
complain(const struct profile *profile, const struct profile_account *entry,
    const char *field, const char *what, struct conf_errors *errors)
{
	char *path = path_of(entry->name, field);

	conf_wrong(errors, profile->file, path, "%s", what);
	free(path);
}

/* A path must mean the same wherever chat is started: "~/" is put in. */
static void
check_path(const struct profile *profile, const struct profile_account *entry,
    const char *field, char **path, struct conf_errors *errors)
{
	char *whole;

	if (*path == NULL || **path == '/')
		return;
	if (strncmp(*path, "~/", 2) != 0) {
		complain(profile, entry, field,
		    "a path that begins with / or ~/ is wanted", errors);
		return;
	}
	if (asprintf(&whole, "%s%s", account_home(), *path + 1) == -1)
		fatal(EX_OSERR, "no memory for the configuration");
	free(*path);
	*path = whole;
}

/* An account without a server is none. */
static void
check_server(const struct profile *profile, const struct profile_account *entry,
    struct conf_errors *errors)
{
	char *path = path_of(entry->name, "server"), *source;

	/* One of the wrong type has been complained of. */
	if (conf_where(profile->file, path, &source) == 0)
		complain(profile, entry, NULL, "it has no server", errors);
	free(source);
	free(path);
}

/* The values of one account. */
static void
check_account(const struct profile *profile, struct profile_account *entry,
    struct conf_errors *errors)
{
	char why[ACCOUNT_WHY_LEN];
	struct account account;

	account_init(&account);
	if (entry->server == NULL)
		check_server(profile, entry, errors);
	else if (strchr(entry->server, '@') != NULL)
		complain(profile, entry, "server",
		    "HOST[:PORT] is wanted; user is a setting of its own",
		    errors);
	else if (account_centre(&account, entry->server, why) == -1)
		complain(profile, entry, "server", why, errors);
	if (entry->user != NULL &&
	    account_user(&account, entry->user, why) == -1)
		complain(profile, entry, "user", why, errors);
	if (entry->pin != NULL && account_pin(&account, entry->pin, why) == -1)
		complain(profile, entry, "pin", why, errors);
	if (entry->password_file != NULL && entry->password_command != NULL)
		complain(profile, entry, "password_file",
		    "only one of password_file and password_command can be "
		    "given",
		    errors);
	check_path(profile, entry, "ca", &entry->ca, errors);
	check_path(
	    profile, entry, "password_file", &entry->password_file, errors);
	account_release(&account);
}

/* The default must be one of the accounts. */
static void
check_chosen(const struct profile *profile, struct conf_errors *errors)
{
	const char *near;
	char safe[128];

	if (profile->chosen == NULL ||
	    profile_find(profile, profile->chosen) != NULL)
		return;
	text_escape(safe, sizeof(safe), profile->chosen,
	    strlen(profile->chosen), TEXT_WORD);
	near = profile_nearest(profile, profile->chosen);
	conf_wrong(errors, profile->file, "default",
	    "there is no account \"%s\"%s%s%s", safe,
	    near != NULL ? "; did you mean \"" : "", near != NULL ? near : "",
	    near != NULL ? "\"?" : "");
}

/* A port of a private link is never one of a system's own services. */
static void
check_port(const struct profile *profile, struct conf_errors *errors)
{
	if (profile->private_port > 0 && profile->private_port < PORT_MIN)
		conf_wrong(errors, profile->file, "private.port",
		    "%d is reserved; 0, or %d to 65535, is allowed",
		    profile->private_port, PORT_MIN);
}

/*
 * Whoever can write the file that an account stands in could have its
 * password sent elsewhere, or any command run.
 */
static void
check_owner(const char *file, struct conf_errors *errors)
{
	struct stat st;

	if (stat(file, &st) == -1 || S_ISCHR(st.st_mode))
		return;
	if (st.st_uid != geteuid() && st.st_uid != 0)
		conf_error(errors,
		    "%s: it belongs to another user, and it says whom to "
		    "trust",
		    file);
	else if ((st.st_mode & 022) != 0)
		conf_error(errors,
		    "%s: others may write it, and it says whom to trust; run: "
		    "chmod go-w '%s'",
		    file, file);
}

/* All the files that settings of accounts stand in, each once. */
static void
check_owners(const struct profile *profile, struct conf_errors *errors)
{
	char *last = NULL, *source;

	for (size_t i = COUNT(general); i < profile->rows; i++) {
		if (conf_where(
			profile->file, profile->table[i].path, &source) == 0 ||
		    (last != NULL && strcmp(source, last) == 0)) {
			free(source);
			continue;
		}
		check_owner(source, errors);
		free(last);
		last = source;
	}
	free(last);
}

/* True if there is no such file. */
static bool
is_missing(const char *file)
{
	return access(file, F_OK) == -1 &&
	    (errno == ENOENT || errno == ENOTDIR);
}

/* What cannot be read twice cannot be read. */
static bool
is_stream(const char *file)
{
	struct stat st;

	return stat(file, &st) == 0 &&
	    (S_ISFIFO(st.st_mode) || S_ISSOCK(st.st_mode));
}

/* Reads a file, or the user's own. */
struct profile *
profile_read(const char *file, struct conf_errors *errors)
{
	char *own = file == NULL ? default_file() : must(strdup(file));
	/* Nothing there is the same as nothing in it. */
	const char *from = file == NULL && is_missing(own) ? "/dev/null" : own;
	int before = errors->count;
	struct profile *profile;
	char **names;

	if (is_stream(from)) {
		conf_error(errors, "%s: a file is wanted", from);
		free(own);
		return NULL;
	}
	names = conf_names(from, GROUP);
	profile = profile_new(names);
	conf_names_free(names);
	profile->file = own;
	conf_read(from, profile->table, profile->rows, profile, errors);
	for (size_t i = 0; i < profile->count; i++)
		check_account(profile, &profile->accounts[i], errors);
	check_chosen(profile, errors);
	check_port(profile, errors);
	check_owners(profile, errors);
	if (errors->count == before)
		return profile;
	profile_free(profile);
	return NULL;
}

/* The account with that name; NULL: the default, or the only one. */
const struct profile_account *
profile_find(const struct profile *profile, const char *name)
{
	if (name == NULL)
		name = profile->chosen;
	if (name == NULL)
		return profile->count == 1 ? &profile->accounts[0] : NULL;
	for (size_t i = 0; i < profile->count; i++)
		if (strcmp(profile->accounts[i].name, name) == 0)
			return &profile->accounts[i];
	return NULL;
}

/* The names of all accounts, separated by commas. */
char *
profile_names(const struct profile *profile)
{
	char *text = NULL;
	size_t size = 0;
	FILE *to = must(open_memstream(&text, &size));

	for (size_t i = 0; i < profile->count; i++)
		fprintf(
		    to, "%s%s", i > 0 ? ", " : "", profile->accounts[i].name);
	if (fclose(to) != 0)
		must(NULL);
	return text;
}

/* The account's name that is nearest to a word. */
const char *
profile_nearest(const struct profile *profile, const char *word)
{
	const char **list = must(calloc(profile->count + 1, sizeof(*list)));
	const char *found;

	for (size_t i = 0; i < profile->count; i++)
		list[i] = profile->accounts[i].name;
	found = text_nearest(word, list);
	free(list);
	return found;
}

/* Puts server and user into the account. */
int
profile_begin(const struct profile_account *entry, struct account *account,
    char why[ACCOUNT_WHY_LEN])
{
	if (account_centre(account, entry->server, why) == -1)
		return -1;
	if (entry->user == NULL)
		return 0;
	return account_user(account, entry->user, why);
}

/* How well it fits: 0 for another server, 3 for the same user there. */
static int
fit(const struct profile_account *entry, const struct account *account)
{
	char why[ACCOUNT_WHY_LEN];
	struct account own;
	int points = 0;

	account_init(&own);
	if (profile_begin(entry, &own, why) == 0 &&
	    strcmp(own.where, account->where) == 0) {
		points = *own.user == '\0' ? 2 : 1;
		if (*own.user != '\0' && strcmp(own.user, account->user) == 0)
			points = 3;
	}
	account_release(&own);
	return points;
}

/* The account that is best for this server and user. */
const struct profile_account *
profile_match(const struct profile *profile, const struct account *account)
{
	const struct profile_account *best = NULL;
	int points, most = 0;

	for (size_t i = 0; i < profile->count; i++) {
		points = fit(&profile->accounts[i], account);
		if (points <= most)
			continue;
		most = points;
		best = &profile->accounts[i];
	}
	return best;
}

/* Adds what the command line has left open. */
int
profile_complete(const struct profile_account *entry, struct account *account,
    char why[ACCOUNT_WHY_LEN])
{
	struct account own;
	bool same_server, same_user;

	account_init(&own);
	if (profile_begin(entry, &own, why) == -1)
		return -1;
	same_server = strcmp(own.where, account->where) == 0;
	same_user = *own.user == '\0' || strcmp(own.user, account->user) == 0;
	account_release(&own);
	/* A secret is for one server and one user. */
	if (same_server && same_user && account->password_file == NULL &&
	    account->password_command == NULL) {
		account->password_file = entry->password_file;
		account->password_command = entry->password_command;
	}
	if (!same_server || account->pin != NULL || account->ca != NULL)
		return 0;
	account->pin = entry->pin;
	if (entry->ca == NULL)
		return 0;
	return account_authority(account, entry->ca, why);
}
