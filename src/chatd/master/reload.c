/* SPDX-License-Identifier: ISC */
/*
 * What follows from the configuration, at the start and when it is read
 * again: the TLS context, the networks without limits.  Runs in the master.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include <openssl/rand.h>
#include <openssl/x509.h>

#include "chatd/master/state.h"
#include "chatd/pair.h"
#include "lib/log.h"
#include "lib/unix.h"
#include "lib/wire.h"

/*
 * Does once what every worker would do first, so that memory, tables and
 * the seed of hashes are there before the fork.  Its result is of no use.
 */
void
warm_others(void)
{
	static const char line[] =
	    "{\"op\":\"login\",\"user\":\"a\","
	    "\"password\":\"b\",\"tag\":[1,\"\\u00e9\"]}";
	struct wire_request request;
	char why[WIRE_WHY_LEN], octets[32];
	json_t *reply;
	size_t len;

	wire_request_decode(line, sizeof(line) - 1, &request, why);
	reply = wire_refuse(request.tag, ERR_BUSY, NULL);
	free(wire_line(reply, &len));
	json_decref(reply);
	wire_request_release(&request);
	random_fill(octets, sizeof(octets));
	RAND_bytes((unsigned char *)octets, sizeof(octets));
}

int
exempt_load(
    const struct settings *settings, struct network **out, size_t *count)
{
	size_t all = 0;

	*count = 0;
	while (settings->exempt[all])
		all++;
	*out = calloc(all + 1, sizeof(**out));
	if (!*out)
		return -1;
	for (size_t i = 0; i < all; i++)
		if (network_parse(settings->exempt[i], &(*out)[*count]) == 0)
			++*count;
	return 0;
}

void
certificate_ends(SSL_CTX *tls, char out[32])
{
	int64_t ends = tls ? pair_ends(tls) : -1;

	*out = '\0';
	if (ends != -1)
		wire_time_format(ends, out);
}

void
master_check_files(const char *file, const struct settings *settings,
    struct conf_errors *errors)
{
	const struct {
		const char *path, *value;
	} files[] = {
	    {"tls.certificate", settings->certificate},
	    {"tls.key", settings->key},
	};
	struct stat info;

	for (size_t i = 0; i < sizeof(files) / sizeof(files[0]); i++) {
		if (stat(files[i].value, &info) == 0)
			continue;
		conf_error(errors, "%s: %s: %s: %s%s", file, files[i].path,
		    files[i].value, strerror(errno),
		    errno == ENOENT ? "; make it with: chatctl cert new" : "");
	}
}

static bool
same_list(char **a, char **b)
{
	while (*a && *b && strcmp(*a, *b) == 0)
		a++, b++;
	return !*a && !*b;
}

/* Adds an error for everything that a running centre cannot change. */
static void
check_fixed(struct master *master, const struct settings *settings,
    struct conf_errors *errors)
{
	const struct settings *now = master->settings;
	const struct {
		const char *path;
		bool same;
	} fixed[] = {
	    {"listen", same_list(now->listen, settings->listen)},
	    {"user", strcmp(now->user, settings->user) == 0},
	    {"state_directory",
		strcmp(now->state_directory, settings->state_directory) == 0},
	    {"runtime_directory",
		strcmp(now->runtime_directory, settings->runtime_directory) ==
		    0},
	    {"beacon.enabled", now->beacon_enabled == settings->beacon_enabled},
	    {"store.engine", now->engine == settings->engine},
	    {"log.to", strcmp(now->log_to, settings->log_to) == 0},
	};

	for (size_t i = 0; i < sizeof(fixed) / sizeof(fixed[0]); i++)
		if (!fixed[i].same)
			conf_error(errors,
			    "%s: %s: a change of it needs a restart",
			    master->start->file, fixed[i].path);
}

/* Logs every line of the errors for itself. */
static void
log_errors(const struct conf_errors *errors)
{
	const char *line = errors->text;

	log_warn(
	    "the configuration stays as it was; %d errors:", errors->count);
	while (line && *line) {
		size_t len = strcspn(line, "\n");

		log_warn("%.*s", (int)len, line);
		line += len + (line[len] == '\n');
	}
}

/* Reads and checks everything; NULL if there is an error. */
static struct settings *
read_again(struct master *master, struct conf_errors *errors, SSL_CTX **tls,
    int *file, struct network **exempt, size_t *exempt_count)
{
	struct settings *settings = settings_load(master->start->file, errors);
	char why[TLS_WHY_LEN];

	if (!settings)
		return NULL;
	check_fixed(master, settings, errors);
	master_check_files(master->start->file, settings, errors);
	if (errors->count == 0 &&
	    exempt_load(settings, exempt, exempt_count) == -1)
		conf_error(errors, "no memory");
	/* Last: what the keeper has loaded is then put in force. */
	if (errors->count == 0 &&
	    !(*tls = keys_load(master, settings, file, why)))
		conf_error(errors, "%s: tls: %s", master->start->file, why);
	if (errors->count == 0)
		return settings;
	settings_free(settings);
	return NULL;
}

void
master_reload(struct master *master, struct conf_errors *errors)
{
	struct settings *settings;
	struct network *exempt = NULL;
	size_t exempt_count = 0;
	SSL_CTX *tls = NULL;
	int file;

	settings =
	    read_again(master, errors, &tls, &file, &exempt, &exempt_count);
	if (!settings) {
		free(exempt);
		log_errors(errors);
		return;
	}
	settings_free(master->settings);
	free(master->exempt);
	master->settings = settings;
	keys_use(master, tls, file);
	master->exempt = exempt;
	master->exempt_count = exempt_count;
	if (!master->start->debug)
		log_set_level((enum log_level)settings->log_level);
	store_tell(master, IPC_RULES, 0, &settings->rules,
	    sizeof(settings->rules), NULL, 0, -1);
	log_info("the configuration was read again");
	accept_resume(master);
}
