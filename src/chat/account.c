/* SPDX-License-Identifier: ISC */
/*
 * Which account: user, host and port, where its state lies, and the options
 * that were given with it.  Used by faces and agent; opens no connection.
 */
#include "chat/account.h"

#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>

#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <pwd.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

#include "lib/log.h"
#include "lib/tls.h"
#include "lib/unix.h"
#include "lib/wire.h"

enum {
	/* The longest path that unix_listen() can make under a draft's name. */
	SOCKET_PATH_MAX = 80,
	HEARTBEAT = 30, /* the protocol's own */
};

/* An account of which nothing is known. */
void
account_init(struct account *account)
{
	memset(account, 0, sizeof(*account));
	account->port = WIRE_PORT;
	account->family = AF_UNSPEC;
	account->heartbeat = HEARTBEAT;
	account->beacon = true;
	account->private_enabled = true;
	account->dir_fd = -1;
}

/* Frees what the account came to own. */
void
account_release(struct account *account)
{
	free(account->state);
	free(account->dir);
	free(account->socket);
	free(account->ca);
	if (account->dir_fd != -1)
		close(account->dir_fd);
	account_init(account);
}

/* Says what is wrong and returns -1. */
__attribute__((format(printf, 2, 3))) static int
wrong(char why[ACCOUNT_WHY_LEN], const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	vsnprintf(why, ACCOUNT_WHY_LEN, fmt, args);
	va_end(args);
	return -1;
}

/* The same with the word that is wrong, made safe to print. */
static int
wrong_word(char why[ACCOUNT_WHY_LEN], const char *word, const char *what)
{
	char safe[128];

	text_escape(safe, sizeof(safe), word, strlen(word), TEXT_WORD);
	return wrong(why, "\"%s\" %s", safe, what);
}

/* printf into fresh memory; never NULL. */
__attribute__((format(printf, 1, 2))) static char *
format_new(const char *fmt, ...)
{
	va_list args;
	char *out;

	va_start(args, fmt);
	if (vasprintf(&out, fmt, args) == -1)
		fatal(EX_OSERR, "no memory");
	va_end(args);
	return out;
}

/* True if the word has the form of [USER@]HOST[:PORT]. */
bool
account_names_host(const char *word)
{
	return strpbrk(word, "@.:") != NULL || strcmp(word, "localhost") == 0;
}

/* True for a name or an address that cannot be taken for anything else. */
static bool
host_valid(const char *host, size_t len)
{
	if (len == 0 || len > HOST_MAX_LEN || *host == '-' || *host == '.')
		return false;
	for (size_t i = 0; i < len; i++)
		if (!isalnum((unsigned char)host[i]) &&
		    strchr(".-_:%", host[i]) == NULL)
			return false;
	return true;
}

/* A port's number; -1 if it is none. */
static int
port_parse(const char *text)
{
	char *end;
	long port;

	if (!isdigit((unsigned char)*text))
		return -1;
	errno = 0;
	port = strtol(text, &end, 10);
	if (errno != 0 || *end != '\0' || port < 1 || port > 65535)
		return -1;
	return (int)port;
}

/* Splits HOST[:PORT], [HOST]:PORT or a bare IPv6 address. */
static int
host_split(const char *text, const char **host, size_t *len, const char **port)
{
	const char *end;

	*port = NULL;
	if (*text == '[') {
		end = strchr(text, ']');
		if (end == NULL || (end[1] != '\0' && end[1] != ':'))
			return -1;
		*host = text + 1;
		*len = (size_t)(end - *host);
		if (end[1] == ':')
			*port = end + 2;
		return 0;
	}
	end = strchr(text, ':');
	if (end != NULL && strchr(end + 1, ':') != NULL)
		end = NULL;
	*host = text;
	*len = end != NULL ? (size_t)(end - text) : strlen(text);
	if (end != NULL)
		*port = end + 1;
	return 0;
}

/* Takes [USER@]HOST[:PORT]. */
int
account_centre(
    struct account *account, const char *word, char why[ACCOUNT_WHY_LEN])
{
	const char *at = strrchr(word, '@');
	const char *host, *port;
	char user[NAME_MAX_LEN + 2];
	size_t len;

	if (at != NULL) {
		snprintf(user, sizeof(user), "%.*s",
		    (int)(at - word < (ptrdiff_t)sizeof(user)
			    ? at - word
			    : NAME_MAX_LEN + 1),
		    word);
		if (account_user(account, user, why) == -1)
			return -1;
	}
	if (host_split(at != NULL ? at + 1 : word, &host, &len, &port) == -1 ||
	    !host_valid(host, len))
		return wrong_word(why, word, "is not [USER@]HOST[:PORT]");
	account->port = port != NULL ? port_parse(port) : WIRE_PORT;
	if (account->port == -1)
		return wrong_word(
		    why, port, "is not a port: give a number from 1 to 65535");
	for (size_t i = 0; i < len; i++)
		account->host[i] = (char)tolower((unsigned char)host[i]);
	account->host[len] = '\0';
	snprintf(account->where, sizeof(account->where),
	    strchr(account->host, ':') != NULL ? "[%s]:%d" : "%s:%d",
	    account->host, account->port);
	return 0;
}

/* Takes a user's name. */
int
account_user(
    struct account *account, const char *name, char why[ACCOUNT_WHY_LEN])
{
	if (name_fold(name, strlen(name), account->user))
		return 0;
	account->user[0] = '\0';
	return wrong_word(why, name,
	    "is not a user name: 1 to 32 letters, digits, dots, hyphens or "
	    "underscores, beginning with a letter or digit");
}

/* Takes the authorities' file. */
int
account_authority(
    struct account *account, const char *file, char why[ACCOUNT_WHY_LEN])
{
	free(account->ca);
	account->ca = realpath(file, NULL);
	if (account->ca != NULL && access(account->ca, R_OK) == 0)
		return 0;
	return wrong(why, "%s: %s", file, strerror(errno));
}

/* Takes a public key's fingerprint. */
int
account_pin(struct account *account, const char *pin, char why[ACCOUNT_WHY_LEN])
{
	account->pin = pin;
	if (strncmp(pin, "sha256//", 8) == 0 && strlen(pin) == TLS_PIN_LEN)
		return 0;
	return wrong_word(why, pin,
	    "is not a fingerprint: sha256// and 44 characters of base64");
}

/* A path in the account's directory, in fresh memory. */
char *
account_path(const struct account *account, const char *name)
{
	return format_new("%s/%s", account->dir, name);
}

/* Likewise in the directory of all accounts. */
char *
account_shared_path(const struct account *account, const char *name)
{
	return format_new("%s/%s", account->state, name);
}

/* The user's home directory, absolute. */
const char *
account_home(void)
{
	const char *home = getenv("HOME");
	const struct passwd *entry;

	if (home != NULL && *home == '/')
		return home;
	entry = getpwuid(geteuid());
	return entry != NULL ? entry->pw_dir : "/";
}

/* The state directory of this user, absolute, in fresh memory; or NULL. */
static char *
state_find(const char *given)
{
	const char *base = getenv("XDG_STATE_HOME");
	char *here, *out;

	if (given != NULL && *given == '/')
		return format_new("%s", given);
	if (given != NULL) {
		here = getcwd(NULL, 0);
		if (here == NULL)
			return NULL;
		out = format_new("%s/%s", here, given);
		free(here);
		return out;
	}
	if (base != NULL && *base == '/')
		return format_new("%s/chat", base);
	return format_new("%s/.local/state/chat", account_home());
}

/* True if that account has a book there. */
static bool
has_book(const char *state, const char *name)
{
	char *path;
	bool has;

	if (*name == '.' || strchr(name, '@') == NULL)
		return false;
	path = format_new("%s/%s/book.db", state, name);
	has = access(path, F_OK) == 0;
	free(path);
	return has;
}

/* Takes the only account that has been used here. */
int
account_only(
    struct account *account, const char *given, char why[ACCOUNT_WHY_LEN])
{
	char *state = state_find(given), *name = NULL;
	DIR *dir = state != NULL ? opendir(state) : NULL;
	const struct dirent *entry;
	int count = 0, result = -1;

	while (dir != NULL && (entry = readdir(dir)) != NULL) {
		if (!has_book(state, entry->d_name))
			continue;
		if (count++ == 0)
			name = format_new("%s", entry->d_name);
	}
	if (dir != NULL)
		closedir(dir);
	if (count == 1)
		result = account_centre(account, name, why);
	else
		wrong(why,
		    count == 0
			? "no centre is given"
			: "there is more than one account: choose one with "
			  "--account USER@HOST[:PORT]");
	free(name);
	free(state);
	return result;
}

/* Our own directory must be ours and closed to all others. */
static int
dir_guard(const char *dir, char why[ACCOUNT_WHY_LEN])
{
	struct stat st;

	if (dir_make(dir, 0700) == -1 || lstat(dir, &st) == -1)
		return wrong(why, "%s: %s", dir, strerror(errno));
	if (!S_ISDIR(st.st_mode) || st.st_uid != geteuid())
		return wrong(why, "%s: not a directory of yours", dir);
	if ((st.st_mode & 077) != 0 && chmod(dir, 0700) == -1)
		return wrong(why, "%s: %s", dir, strerror(errno));
	return 0;
}

/*
 * The directory of all accounts holds what is trusted: nobody else may write
 * there.  It may be an older one of its user's, so its mode stays.
 */
static int
state_guard(const char *dir, char why[ACCOUNT_WHY_LEN])
{
	struct stat st;

	if (dir_make(dir, 0700) == -1 || stat(dir, &st) == -1)
		return wrong(why, "%s: %s", dir, strerror(errno));
	if (!S_ISDIR(st.st_mode) || st.st_uid != geteuid())
		return wrong(why, "%s: not a directory of yours", dir);
	if ((st.st_mode & 022) != 0)
		return wrong(why, "%s: others may write there", dir);
	return 0;
}

/* A socket's address holds 108 octets: a longer path goes by descriptor. */
static int
socket_place(struct account *account, char why[ACCOUNT_WHY_LEN])
{
	account->socket = account_path(account, "agent.sock");
	if (strlen(account->socket) <= SOCKET_PATH_MAX)
		return 0;
	free(account->socket);
	account->socket = NULL;
	account->dir_fd = open(account->dir, O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (account->dir_fd == -1)
		return wrong(why, "%s: %s", account->dir, strerror(errno));
	account->socket =
	    format_new("/proc/self/fd/%d/agent.sock", account->dir_fd);
	return 0;
}

/* Finds what the directories are called; -1 with errno. */
static int
place_names(struct account *account, const char *state)
{
	if (account->dir != NULL)
		return 0;
	account->state = state_find(state);
	if (account->state == NULL)
		return -1;
	account->dir = format_new(
	    "%s/%s@%s", account->state, account->user, account->where);
	return 0;
}

/* True if the account has been used here, for all we can see. */
bool
account_known(struct account *account, const char *state)
{
	return place_names(account, state) == -1 ||
	    access(account->dir, F_OK) == 0 || errno != ENOENT;
}

/* Finds and makes the directories. */
int
account_place(
    struct account *account, const char *state, char why[ACCOUNT_WHY_LEN])
{
	if (place_names(account, state) == -1)
		return wrong(why, "the working directory: %s", strerror(errno));
	if (state_guard(account->state, why) == -1 ||
	    dir_guard(account->dir, why) == -1)
		return -1;
	return socket_place(account, why);
}
