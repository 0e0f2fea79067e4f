/* SPDX-License-Identifier: ISC */
/*
 * `cert new`, `cert renew` and `cert show`.  Keys are made by the scripts of
 * certs/, as the centre's user where the directory is that user's; this
 * program never holds one.
 */
#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <netdb.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include <openssl/pem.h>
#include <openssl/x509v3.h>

#include "chatctl/cert.h"
#include "chatctl/centre.h"
#include "chatd/network.h"
#include "chatd/places.h"
#include "chatd/sandbox.h"
#include "lib/text.h"
#include "lib/unix.h"
#include "lib/wire.h"

enum {
	HOSTS_MAX = 64, /* names in one certificate */
	ARGS_MAX = HOSTS_MAX + 16,
	SCRIPT_NOT_MADE = 73, /* what the scripts exit with */
};

static const int64_t day_ms = 86400000;

/* An ASN.1 time in milliseconds of the wall clock; 0 if it is none. */
static int64_t
time_of(const ASN1_TIME *time)
{
	struct tm tm;

	if (ASN1_TIME_to_tm(time, &tm) != 1)
		return 0;
	return (int64_t)timegm(&tm) * 1000;
}

/* A name of the certificate as a client would type it; false if it is none. */
static bool
name_of(const GENERAL_NAME *name, char out[256])
{
	const ASN1_STRING *text;
	struct ipc_address address = {.family = AF_INET};
	int len;

	if (name->type == GEN_DNS) {
		text = name->d.dNSName;
		snprintf(out, 256, "%.*s", ASN1_STRING_length(text),
		    (const char *)ASN1_STRING_get0_data(text));
		return true;
	}
	if (name->type != GEN_IPADD)
		return false;
	len = ASN1_STRING_length(name->d.iPAddress);
	if (len != 4 && len != 16)
		return false;
	if (len == 16)
		address.family = AF_INET6;
	memcpy(
	    address.ip, ASN1_STRING_get0_data(name->d.iPAddress), (size_t)len);
	ipc_address_text(&address, out);
	return true;
}

static void
read_names(X509 *x509, struct cert *cert)
{
	GENERAL_NAMES *names =
	    X509_get_ext_d2i(x509, NID_subject_alt_name, NULL, NULL);
	size_t used = 0;
	char name[256];

	for (int i = 0; names && i < sk_GENERAL_NAME_num(names); i++) {
		if (!name_of(sk_GENERAL_NAME_value(names, i), name) ||
		    strlen(name) + 2 > sizeof(cert->names) - used)
			continue;
		used += (size_t)snprintf(cert->names + used,
		    sizeof(cert->names) - used, "%s%s", used ? " " : "", name);
		if (cert->first[0] == '\0')
			memcpy(cert->first, name, sizeof(name));
	}
	GENERAL_NAMES_free(names);
}

int
cert_read(const char *path, struct cert *cert, char why[TLS_WHY_LEN])
{
	FILE *from = fopen(path, "re");
	X509 *x509;
	int status;

	memset(cert, 0, sizeof(*cert));
	if (from == NULL) {
		status = errno;
		snprintf(why, TLS_WHY_LEN, "%s: %s", path, strerror(status));
		errno = status;
		return -1;
	}
	x509 = PEM_read_X509(from, NULL, NULL, NULL);
	fclose(from);
	if (x509 == NULL || tls_pin(x509, cert->pin) == -1) {
		X509_free(x509);
		tls_reason(why, path);
		errno = 0;
		return -1;
	}
	read_names(x509, cert);
	cert->begins = time_of(X509_get0_notBefore(x509));
	cert->ends = time_of(X509_get0_notAfter(x509));
	X509_free(x509);
	return 0;
}

/* The directory that a file is in; free it. */
static char *
directory_of(const char *path)
{
	char *copy = strdup(path);
	char *directory = copy != NULL ? strdup(dirname(copy)) : NULL;

	free(copy);
	if (directory == NULL)
		complain("no memory");
	return directory;
}

/* Where the scripts are. */
static int
open_script(const char *name)
{
	const char *from = getenv("CHAT_CERTS");
	char path[4096];
	int fd;

	snprintf(path, sizeof(path), "%s/%s",
	    from != NULL ? from : PKGDATADIR "/certs", name);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd == -1)
		complain("%s: %m", path);
	return fd;
}

/*
 * In the child: the script is handed to the shell as a descriptor, since
 * the user that it runs as may not reach its path.
 */
static _Noreturn void
run_script(int script, const char **args, const char *user_name,
    const struct sandbox_user *user)
{
	char path[32];
	int quiet = open("/dev/null", O_RDWR | O_CLOEXEC);

	if (sandbox_user_become(user_name, user) == -1 || chdir("/") == -1 ||
	    quiet == -1 || dup2(quiet, STDIN_FILENO) == -1 ||
	    dup2(quiet, STDOUT_FILENO) == -1 ||
	    fcntl(script, F_SETFD, 0) == -1) {
		complain("cannot run a script: %m");
		_exit(EX_OSERR);
	}
	snprintf(path, sizeof(path), "/dev/fd/%d", script);
	args[1] = path;
	execv("/bin/sh", (char *const *)(uintptr_t)args);
	complain("/bin/sh: %m");
	_exit(EX_OSERR);
}

/* Runs a script; args[0] and args[1] are filled in here. */
static int
script(const char *name, const char **args, const char *user_name,
    const struct sandbox_user *user)
{
	int fd = open_script(name), how = 0;
	pid_t pid;

	if (fd == -1)
		return EX_IOERR;
	args[0] = "sh";
	fflush(NULL);
	pid = fork();
	if (pid == 0)
		run_script(fd, args, user_name, user);
	close(fd);
	if (pid == -1) {
		complain("fork: %m");
		return EX_OSERR;
	}
	while (waitpid(pid, &how, 0) == -1 && errno == EINTR)
		continue;
	if (WIFEXITED(how) && WEXITSTATUS(how) == SCRIPT_NOT_MADE)
		return EX_IOERR;
	return WIFEXITED(how) ? WEXITSTATUS(how) : EX_SOFTWARE;
}

/* True if a certificate can hold the name, or the address. */
static bool
is_host(const char *name)
{
	struct network network;

	if (strchr(name, '/') == NULL && network_parse(name, &network) == 0)
		return true;
	return name[0] != '\0' && name[0] != '-' && name[0] != '.' &&
	    strspn(name,
		"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
		"0123456789-._*") == strlen(name);
}

/* False, and said, unless all are; before anything is replaced. */
static bool
are_hosts(const char *const *hosts)
{
	for (; *hosts != NULL; hosts++)
		if (!is_host(*hosts)) {
			complain("\"%s\" is neither a host name nor an address",
			    *hosts);
			return false;
		}
	return true;
}

/* What is needed to make something beside the certificate. */
struct making {
	const struct settings *settings;
	char *directory, *authority, *authority_key;
	struct sandbox_user user, as; /* the centre's, and who runs scripts */
};

static void
making_end(struct making *making)
{
	free(making->directory);
	free(making->authority);
	free(making->authority_key);
}

/*
 * Scripts run as the centre's user where the directory is that user's, so
 * that root never walks through a directory that somebody else can change.
 */
static int
making_begin(struct making *making, const struct settings *settings)
{
	char why[PLACES_WHY_LEN];
	struct stat info;
	int status;

	memset(making, 0, sizeof(*making));
	making->settings = settings;
	status = sandbox_user_find(settings->user, &making->user, why);
	if (status == 0) {
		making->directory = directory_of(settings->certificate);
		if (making->directory == NULL)
			return EX_OSERR;
		making->authority = place_path(making->directory, "ca.pem");
		making->authority_key = place_path(making->directory, "ca.key");
		status = place_make(
		    making->directory, STATE_MODE, &making->user, why);
	}
	if (status != 0) {
		complain("%s", why);
		return status == EX_CANTCREAT ? EX_IOERR : status;
	}
	if (stat(making->directory, &info) == 0 &&
	    info.st_uid == making->user.uid)
		making->as = making->user;
	else if (access(making->directory, W_OK | X_OK) == -1) {
		snprintf(why, sizeof(why), "%s: %s", making->directory,
		    strerror(errno));
		return centre_forbidden(settings, why);
	}
	return 0;
}

/* What root made elsewhere is handed to the user who is to read it. */
static int
hand_over(const struct making *making)
{
	const char *paths[] = {
	    making->settings->certificate, making->settings->key};

	if (!making->user.drop || making->as.drop)
		return 0;
	for (size_t i = 0; i < 2; i++)
		if (lchown(paths[i], making->user.uid, making->user.gid) ==
		    -1) {
			complain("%s: %m", paths[i]);
			return EX_IOERR;
		}
	return 0;
}

static int
make_authority(const struct making *making, bool force)
{
	const char *args[ARGS_MAX] = {NULL};
	int count = 2;

	if (!force && access(making->authority, F_OK) == 0 &&
	    access(making->authority_key, F_OK) == 0)
		return 0;
	if (force)
		args[count++] = "--force";
	args[count++] = making->directory;
	return script(
	    "authority.sh", args, making->settings->user, &making->as);
}

/* mode is "--force", "--renew" or NULL. */
static int
make_server(
    const struct making *making, const char *mode, const char *const *hosts)
{
	const char *args[ARGS_MAX] = {NULL};
	int count = 2, status;

	args[count++] = making->directory;
	args[count++] = "--out";
	args[count++] = making->settings->certificate;
	args[count++] = making->settings->key;
	if (mode != NULL)
		args[count++] = mode;
	for (; *hosts != NULL; hosts++) {
		if (count == ARGS_MAX - 1) {
			complain("at most %d names", HOSTS_MAX);
			return EX_USAGE;
		}
		args[count++] = *hosts;
	}
	status = script("server.sh", args, making->settings->user, &making->as);
	return status == 0 ? hand_over(making) : status;
}

/* True, and said, if one of the two is there. */
static bool
is_there(const struct settings *settings)
{
	const char *paths[] = {settings->certificate, settings->key};

	for (size_t i = 0; i < 2; i++)
		if (access(paths[i], F_OK) == 0) {
			complain("%s is there already; `cert renew` keeps the "
				 "key, `cert new --force` replaces all",
			    paths[i]);
			return true;
		}
	return false;
}

int
cert_make(const struct settings *settings, const char *const *hosts, bool force)
{
	struct making making;
	int status;

	if (!are_hosts(hosts))
		return EX_USAGE;
	status = making_begin(&making, settings);
	if (status == 0 && !force && is_there(settings))
		status = CTL_REFUSED;
	if (status == 0)
		status = make_authority(&making, force);
	if (status == 0)
		status = make_server(&making, force ? "--force" : NULL, hosts);
	making_end(&making);
	return status;
}

const char *const *
cert_hosts(void)
{
	static char name[256];
	static const char *hosts[3];
	const struct addrinfo hints = {.ai_flags = AI_CANONNAME};
	struct addrinfo *found = NULL;
	int count = 0;

	/* As hostname -f has it. */
	if (gethostname(name, sizeof(name) - 1) == -1)
		name[0] = '\0';
	if (name[0] != '\0' && getaddrinfo(name, NULL, &hints, &found) == 0 &&
	    found->ai_canonname != NULL)
		snprintf(name, sizeof(name), "%s", found->ai_canonname);
	if (found != NULL)
		freeaddrinfo(found);
	if (is_host(name) && strcmp(name, "localhost") != 0)
		hosts[count++] = name;
	hosts[count++] = "localhost";
	hosts[count] = NULL;
	return hosts;
}

/* The port that clients must type, with its colon; "" for the default. */
static const char *
port_suffix(const struct settings *settings, char out[16])
{
	struct sockaddr_storage address;
	struct ipc_address listen;
	socklen_t len;

	out[0] = '\0';
	if (listen_parse(settings->listen[0], &address, &len) == -1)
		return out;
	ipc_address_set(&listen, (struct sockaddr *)&address);
	if (listen.port != WIRE_PORT && listen.port != 0)
		snprintf(out, 16, ":%u", listen.port);
	return out;
}

static void
show_path(const char *name, const char *path)
{
	printf("%s: ", name);
	print_clean(path);
	putchar('\n');
}

static void
print_text(const struct settings *settings, const struct cert *cert,
    const char *authority, const char *command)
{
	char ends[WIRE_TIME_LEN + 1], local[WHEN_LEN];
	int64_t left = cert->ends - clock_wall();

	show_path("certificate", settings->certificate);
	show_path("key", settings->key);
	if (authority != NULL)
		show_path("authority", authority);
	show_path("names", cert->names);
	wire_time_format(cert->ends, ends);
	printf("expires: %s (%s%lld days)\n", when(ends, "?", local),
	    left < 0 ? "EXPIRED, " : "", (long long)(left / day_ms));
	printf("pin: %s\n", cert->pin);
	show_path("clients", command);
}

static void
print_object(const struct settings *settings, const struct cert *cert,
    const char *authority, const char *command)
{
	char begins[WIRE_TIME_LEN + 1], ends[WIRE_TIME_LEN + 1];
	json_t *row;

	wire_time_format(cert->begins, begins);
	wire_time_format(cert->ends, ends);
	row = json_pack("{s:b, s:s, s:s, s:s?, s:s, s:s, s:s, s:s, s:s}", "ok",
	    1, "certificate", settings->certificate, "key", settings->key,
	    "authority", authority, "names", cert->names, "begins", begins,
	    "ends", ends, "pin", cert->pin, "command", command);
	if (row != NULL)
		print_json(row);
	json_decref(row);
}

void
cert_print(const struct settings *settings, const struct cert *cert, bool json)
{
	char *directory = directory_of(settings->certificate);
	char *authority =
	    directory != NULL ? place_path(directory, "ca.pem") : NULL;
	bool is_v6 = strchr(cert->first, ':') != NULL;
	char command[512], port[16];
	const char *shown = authority;

	if (authority == NULL || access(authority, F_OK) == -1)
		shown = NULL;
	snprintf(command, sizeof(command), "chat --pin %s USER@%s%s%s%s",
	    cert->pin, is_v6 ? "[" : "",
	    cert->first[0] != '\0' ? cert->first : "HOST", is_v6 ? "]" : "",
	    port_suffix(settings, port));
	if (json)
		print_object(settings, cert, shown, command);
	else
		print_text(settings, cert, shown, command);
	free(authority);
	free(directory);
}

int
command_cert_show(const struct ctl *ctl)
{
	struct cert cert;
	char why[TLS_WHY_LEN];

	if (cert_read(ctl->settings->certificate, &cert, why) == 0) {
		cert_print(ctl->settings, &cert, ctl->json);
		return 0;
	}
	if (errno == EACCES || errno == EPERM)
		return centre_forbidden(ctl->settings, why);
	complain("%s", why);
	return EX_CONFIG;
}

/* Shows what was made, and how a centre that runs gets to know of it. */
static int
show_made(const struct ctl *ctl)
{
	int status = command_cert_show(ctl), unused;

	if (status == 0 && !ctl->json && centre_runs(ctl->settings, &unused))
		puts("The centre still uses the old one: chatctl reload");
	return status;
}

int
command_cert_new(const struct ctl *ctl)
{
	int status = cert_make(ctl->settings,
	    ctl->hosts[0] != NULL ? ctl->hosts : cert_hosts(), ctl->force);

	return status == 0 ? show_made(ctl) : status;
}

int
command_cert_renew(const struct ctl *ctl)
{
	struct making making;
	int status = making_begin(&making, ctl->settings);

	if (status == 0)
		status = make_server(&making, "--renew", ctl->hosts);
	making_end(&making);
	return status == 0 ? show_made(ctl) : status;
}
