/* SPDX-License-Identifier: ISC */
/*
 * chatd.conf(5) as a table, and the checks that look at more than one value.
 * Read by the master and chatctl; never opens what a setting names.
 */
#include <stdlib.h>
#include <string.h>
#include <sys/un.h>

#include "chatd/network.h"
#include "chatd/settings.h"

#define STATE "STATE_DIRECTORY"
#define AT(member) offsetof(struct settings, member)
#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

enum {
	PATH_LEN = 4096,
	/* "/control.sock", and the other name that it is made under. */
	SOCKET_NAME_LEN = 32,
	DAY = 86400,
};

const char settings_default_file[] = SYSCONFDIR "/chat/chatd.conf";

static const struct conf_setting table[] = {
    {"listen", CONF_LIST, AT(listen), 1, 64, "[::]:2428 0.0.0.0:2428", NULL,
	"ADDRESS:PORT or [ADDRESS]:PORT; IPv6 ones take no IPv4"},
    {"user", CONF_STRING, AT(user), 1, 32, "chatd", NULL,
	"who chatd becomes when it is started as root"},
    {"state_directory", CONF_STRING, AT(state_directory), 1, PATH_LEN,
	LOCALSTATEDIR "/lib/chat", NULL, "the database, keys and certificates"},
    {"runtime_directory", CONF_STRING, AT(runtime_directory), 1, PATH_LEN,
	RUNSTATEDIR "/chat", NULL, "chatd.pid and control.sock"},
    {"tls.certificate", CONF_STRING, AT(certificate), 1, PATH_LEN,
	STATE "/server.pem", NULL,
	"PEM, with the chain; " STATE " stands for the one above"},
    {"tls.key", CONF_STRING, AT(key), 1, PATH_LEN, STATE "/server.key", NULL,
	"PEM, readable by the user above and nobody else"},
    {"login.attempts", CONF_INT, AT(rules.attempts), 1, 100, "3", NULL,
	"failed logins in a row that lock an account name"},
    {"login.block_seconds", CONF_INT, AT(rules.block_seconds), 1, DAY, "60",
	NULL, "for how long it is locked then"},
    {"session.heartbeat", CONF_INT, AT(rules.heartbeat), 1, 3600, "30", NULL,
	"seconds between two signs of life of a client"},
    {"session.timeout", CONF_INT, AT(rules.timeout), 2, DAY, "90", NULL,
	"seconds of silence after which a user is offline"},
    {"session.lifetime_days", CONF_INT, AT(rules.lifetime_days), 1, 3650, "30",
	NULL, "days after its last use for which a login stays good"},
    {"private.enabled", CONF_BOOL, AT(rules.private_enabled), 0, 1, "true",
	NULL, "whether users may ask for each other's address"},
    {"private.ask_seconds", CONF_INT, AT(rules.ask_seconds), 1, DAY, "60", NULL,
	"for how long such a question waits for its answer"},
    {"private.pass_seconds", CONF_INT, AT(rules.pass_seconds), 1, 30 * DAY,
	"3600", NULL, "for how long a private link may be used"},
    {"beacon.enabled", CONF_BOOL, AT(beacon_enabled), 0, 1, "true", NULL,
	"whether signs of life may come over UDP"},
    {"limits.workers", CONF_INT, AT(workers), 1, 16384, "256", NULL,
	"served at a time; then those without a login give way"},
    {"limits.workers_per_address", CONF_INT, AT(workers_per_address), 1, 16384,
	"16", NULL, "of one address (IPv6: /64); more are closed at once"},
    {"limits.handshake_seconds", CONF_INT, AT(handshake_seconds), 1, 300, "5",
	NULL, "until a TLS handshake must be done"},
    {"limits.request_seconds", CONF_INT, AT(request_seconds), 1, 300, "10",
	NULL, "until a request must be there and answered"},
    {"limits.connection_seconds", CONF_INT, AT(connection_seconds), 1, 3600,
	"30", NULL, "until a connection must have ended"},
    {"limits.message_bytes", CONF_INT, AT(rules.message_bytes), 1, TEXT_MAX_LEN,
	"8192", NULL, "the longest text of a message"},
    {"limits.mailbox_messages", CONF_INT, AT(rules.mailbox_messages), 1,
	10000000, "10000", NULL, "that may wait for one user"},
    {"limits.requests_per_second", CONF_INT, AT(rules.requests_per_second), 1,
	1000000, "20", NULL,
	"per address until a token is valid, per account after that"},
    {"limits.request_burst", CONF_INT, AT(rules.request_burst), 1, 1000000,
	"60", NULL, "that may come at once"},
    {"limits.exempt", CONF_LIST, AT(exempt), 0, 1024, "127.0.0.0/8 ::1", NULL,
	"networks that limits and penalties per address do not touch"},
    {"accounts.registration", CONF_CHOICE, AT(rules.registration), 0, 0,
	"closed", "closed invite open",
	"who may register: nobody, who has an invitation, or anybody"},
    {"store.engine", CONF_CHOICE, AT(engine), 0, 0, "sqlite", "sqlite",
	"what keeps accounts and messages"},
    {"room.keep_days", CONF_INT, AT(rules.room_keep_days), 1, 3650, "7", NULL,
	"for which broadcasts and presence are kept"},
    {"log.to", CONF_STRING, AT(log_to), 1, PATH_LEN, "stderr", NULL,
	"\"stderr\" (in the background: syslog), \"syslog\" or a file"},
    {"log.level", CONF_CHOICE, AT(log_level), 0, 0, "info", "debug info warn",
	"the least that is logged"},
};

/* What the checks need to say where something is wrong. */
struct check {
	const char *file;
	struct conf_errors *errors;
};

#define complain(check, ...) \
	conf_wrong((check)->errors, (check)->file, __VA_ARGS__)

/* Puts the state directory where a path begins with its name. */
static int
expand(char **path, const char *directory)
{
	size_t len = strlen(STATE);
	char *whole;

	if (strncmp(*path, STATE, len) != 0 ||
	    ((*path)[len] != '/' && (*path)[len] != '\0'))
		return 0;
	if (asprintf(&whole, "%s%s", directory, *path + len) == -1)
		return -1;
	free(*path);
	*path = whole;
	return 0;
}

/* Paths must mean the same in every process and after a reload. */
static void
check_paths(struct check *check, const struct settings *settings)
{
	const struct {
		const char *path, *value;
	} paths[] = {
	    {"state_directory", settings->state_directory},
	    {"runtime_directory", settings->runtime_directory},
	    {"tls.certificate", settings->certificate},
	    {"tls.key", settings->key},
	};

	for (size_t i = 0; i < COUNT(paths); i++)
		if (*paths[i].value != '/')
			complain(check, paths[i].path,
			    "\"%s\" does not begin with a slash",
			    paths[i].value);
	if (strlen(settings->runtime_directory) + SOCKET_NAME_LEN >
	    sizeof(((struct sockaddr_un *)0)->sun_path))
		complain(check, "runtime_directory",
		    "is too long for the name of a socket in it");
	if (strcmp(settings->log_to, "stderr") != 0 &&
	    strcmp(settings->log_to, "syslog") != 0 && *settings->log_to != '/')
		complain(check, "log.to",
		    "\"%s\" is not \"stderr\", \"syslog\" or a path that "
		    "begins with a slash",
		    settings->log_to);
}

/* Both lists hold numbers only: no resolver decides who is let in. */
static void
check_addresses(struct check *check, const struct settings *settings)
{
	struct sockaddr_storage address;
	struct network network;
	socklen_t len;

	if (!*settings->listen)
		complain(check, "listen", "must name at least one address");
	for (char **entry = settings->listen; *entry; entry++)
		if (listen_parse(*entry, &address, &len) == -1)
			complain(check, "listen",
			    "\"%s\" is not ADDRESS:PORT or [ADDRESS]:PORT, "
			    "in numbers",
			    *entry);
	for (char **entry = settings->exempt; *entry; entry++)
		if (network_parse(*entry, &network) == -1)
			complain(check, "limits.exempt",
			    "\"%s\" is not ADDRESS or ADDRESS/BITS, "
			    "in numbers",
			    *entry);
}

static void
check_numbers(struct check *check, const struct settings *settings)
{
	const struct rules *rules = &settings->rules;

	if (rules->timeout <= rules->heartbeat)
		complain(check, "session.timeout",
		    "%d must be more than session.heartbeat (%d)",
		    rules->timeout, rules->heartbeat);
	if (settings->handshake_seconds > settings->connection_seconds)
		complain(check, "limits.handshake_seconds",
		    "%d must be at most limits.connection_seconds (%d)",
		    settings->handshake_seconds, settings->connection_seconds);
	if (settings->request_seconds > settings->connection_seconds)
		complain(check, "limits.request_seconds",
		    "%d must be at most limits.connection_seconds (%d)",
		    settings->request_seconds, settings->connection_seconds);
	if (rules->request_burst < rules->requests_per_second)
		complain(check, "limits.request_burst",
		    "%d must be at least limits.requests_per_second (%d)",
		    rules->request_burst, rules->requests_per_second);
}

struct settings *
settings_load(const char *file, struct conf_errors *errors)
{
	struct settings *settings = calloc(1, sizeof(*settings));
	struct check check = {.file = file, .errors = errors};
	int wrong;

	if (!settings) {
		conf_error(errors, "%s: no memory", file);
		return NULL;
	}
	wrong = conf_read(file, table, COUNT(table), settings, errors);
	if (expand(&settings->certificate, settings->state_directory) == -1 ||
	    expand(&settings->key, settings->state_directory) == -1 ||
	    expand(&settings->log_to, settings->state_directory) == -1)
		conf_error(errors, "%s: no memory", file);
	check_paths(&check, settings);
	check_addresses(&check, settings);
	/* What stands for a number that was refused proves nothing. */
	if (!wrong)
		check_numbers(&check, settings);
	if (!wrong)
		return settings;
	settings_free(settings);
	return NULL;
}

struct settings *
settings_read(const char *file, struct conf_errors *errors)
{
	int before = errors->count;
	struct settings *settings = settings_load(file, errors);

	if (errors->count == before)
		return settings;
	settings_free(settings);
	return NULL;
}

void
settings_free(struct settings *settings)
{
	if (!settings)
		return;
	conf_release(table, COUNT(table), settings);
	free(settings);
}

bool
settings_listen_is_default(const struct settings *settings)
{
	struct settings defaults = {0};
	bool same = true;
	size_t i;

	conf_defaults(table, COUNT(table), &defaults);
	for (i = 0; same && defaults.listen[i]; i++)
		same = settings->listen[i] &&
		    strcmp(settings->listen[i], defaults.listen[i]) == 0;
	same = same && !settings->listen[i];
	conf_release(table, COUNT(table), &defaults);
	return same;
}

void
settings_print(FILE *to, const struct settings *settings)
{
	conf_print(to, table, COUNT(table), settings);
}

void
settings_print_defaults(FILE *to)
{
	struct settings defaults = {0};

	fputs("// chatd.conf(5): the configuration of chatd(8).\n"
	      "//\n"
	      "// Every setting is shown with its default; what is left out "
	      "has it too.\n"
	      "// `chatd -t` checks this file, `chatctl reload` has it read "
	      "again.\n\n",
	    to);
	conf_defaults(table, COUNT(table), &defaults);
	conf_print(to, table, COUNT(table), &defaults);
	conf_release(table, COUNT(table), &defaults);
}
