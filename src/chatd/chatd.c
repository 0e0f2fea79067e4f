/* SPDX-License-Identifier: ISC */
/*
 * chatd(8): options, the configuration, the way into the background.  What
 * the centre does begins in master/master.c.
 */
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include <jansson.h>
#include <sodium.h>
#include <sqlite3.h>

#include <libconfig.h>
#include <openssl/crypto.h>

#include "chatd/master/master.h"
#include "chatd/pair.h"
#include "chatd/sandbox.h"
#include "chatd/settings.h"
#include "lib/log.h"
#include "lib/tls.h"
#include "lib/unix.h"

struct options {
	const char *file; /* in argv, until the first title is set */
	bool foreground, debug, test, show;
	int ready_fd;
};

static const char usage_text[] =
    "usage: chatd [-c FILE] [-f] [-d] [-t] [-T] [-h] [-V] [--ready-fd N]\n";

static const char help_text[] =
    "  -c, --config FILE   the configuration (default %s)\n"
    "  -f, --foreground    stay in the foreground, log to stderr\n"
    "  -d, --debug         log everything, to stderr; implies -f\n"
    "  -t, --test          check the configuration and exit\n"
    "  -T, --show          print the effective configuration and exit\n"
    "      --ready-fd N    say there too that the centre is ready\n"
    "  -h, --help          this text\n"
    "  -V, --version       version and build options\n";

static _Noreturn void
usage(void)
{
	fputs(usage_text, stderr);
	exit(EX_USAGE);
}

static _Noreturn void
help(void)
{
	fputs(usage_text, stdout);
	printf(help_text, settings_default_file);
	exit(EX_OK);
}

static _Noreturn void
version(void)
{
	printf("chatd %s\n", PACKAGE_VERSION);
	printf("configuration: %s\n", settings_default_file);
	printf("libraries: %s, libconfig %d.%d.%d, jansson %s, SQLite %s, "
	       "libsodium %s\n",
	    OpenSSL_version(OPENSSL_VERSION), LIBCONFIG_VER_MAJOR,
	    LIBCONFIG_VER_MINOR, LIBCONFIG_VER_REVISION, JANSSON_VERSION,
	    sqlite3_libversion(), sodium_version_string());
	printf("store engines: sqlite\n");
	exit(EX_OK);
}

/* A descriptor that is open, from 3 on. */
static int
descriptor(const char *text)
{
	char *end;
	long value;

	errno = 0;
	value = strtol(text, &end, 10);
	if (errno || end == text || *end || value <= STDERR_FILENO ||
	    value > INT_MAX || fcntl((int)value, F_GETFD) == -1) {
		fprintf(
		    stderr, "chatd: --ready-fd: %s is no descriptor\n", text);
		exit(EX_USAGE);
	}
	return (int)value;
}

static struct options
parse(int argc, char **argv)
{
	static const struct option names[] = {
	    {"config", required_argument, NULL, 'c'},
	    {"foreground", no_argument, NULL, 'f'},
	    {"debug", no_argument, NULL, 'd'},
	    {"test", no_argument, NULL, 't'},
	    {"show", no_argument, NULL, 'T'},
	    {"help", no_argument, NULL, 'h'},
	    {"version", no_argument, NULL, 'V'},
	    {"ready-fd", required_argument, NULL, 'r'},
	    {NULL, 0, NULL, 0},
	};
	struct options options = {
	    .file = settings_default_file,
	    .ready_fd = -1,
	};
	int letter;

	while (
	    (letter = getopt_long(argc, argv, "c:fdtThV", names, NULL)) != -1) {
		switch (letter) {
		case 'c':
			options.file = optarg;
			break;
		case 'd':
			options.debug = true;
			/* FALLTHROUGH */
		case 'f':
			options.foreground = true;
			break;
		case 't':
			options.test = true;
			break;
		case 'T':
			options.show = true;
			break;
		case 'r':
			options.ready_fd = descriptor(optarg);
			break;
		case 'h':
			help();
		case 'V':
			version();
		default:
			usage();
		}
	}
	if (optind < argc) {
		fprintf(stderr, "chatd: what is \"%s\"?\n", argv[optind]);
		usage();
	}
	return options;
}

/* Prints what is wrong with the configuration, and exits. */
static _Noreturn void
refuse(const char *file, struct conf_errors *errors)
{
	fputs(errors->text ? errors->text : "", stderr);
	if (errors->text && *errors->text &&
	    errors->text[strlen(errors->text) - 1] != '\n')
		fputc('\n', stderr);
	if (access(file, F_OK) == -1 && errno == ENOENT)
		fputs("`chatctl init` makes a configuration\n", stderr);
	exit(EX_CONFIG);
}

/* The settings with everything checked that needs no rights; or exits. */
static struct settings *
configure(const char *file, struct sandbox_user *user)
{
	struct conf_errors errors = {0};
	struct settings *settings = settings_load(file, &errors);
	char why[SANDBOX_WHY_LEN];

	if (settings) {
		master_check_files(file, settings, &errors);
		if (sandbox_user_find(settings->user, user, why) != 0)
			conf_error(&errors, "%s: %s", file, why);
	}
	if (errors.count)
		refuse(file, &errors);
	return settings;
}

static void
warn(void *path, const char *text)
{
	fprintf(stderr, "chatd: warning: %s: %s\n", (const char *)path, text);
}

/*
 * Certificate and key, as the centre will have them.  This process ends at
 * once and never serves, so it may read the key itself.
 */
static void
test_pair(const char *file, const struct settings *settings,
    struct conf_errors *errors)
{
	char why[TLS_WHY_LEN];
	SSL_CTX *tls = NULL;
	int key = pair_key_open(settings->key, why);

	if (key == -1 ||
	    !(tls = tls_server_new(settings->certificate, settings->key,
		  TLS_ALPN_CENTRE, why))) {
		conf_error(errors, "%s: tls: %s", file, why);
	} else {
		pair_warn(settings->certificate, tls, clock_wall(), warn,
		    settings->certificate);
	}
	SSL_CTX_free(tls);
	if (key != -1)
		close(key);
}

/* Looks at everything as the centre would, and exits. */
static _Noreturn void
test(const char *file, const struct settings *settings,
    const struct sandbox_user *user)
{
	struct conf_errors errors = {0};

	if (sandbox_user_become(settings->user, user) == -1)
		conf_error(&errors, "%s: user: cannot become %s: %s", file,
		    settings->user, strerror(errno));
	else
		test_pair(file, settings, &errors);
	if (errors.count)
		refuse(file, &errors);
	printf("%s: no errors\n", file);
	exit(EX_OK);
}

/* Prints what the file comes to, and exits. */
static _Noreturn void
show(const char *file)
{
	struct conf_errors errors = {0};
	struct settings *settings = settings_read(file, &errors);

	if (!settings)
		refuse(file, &errors);
	settings_print(stdout, settings);
	settings_free(settings);
	if (fflush(stdout) == EOF || ferror(stdout))
		exit(EX_IOERR);
	exit(EX_OK);
}

/* Whatever started us may have left these closed, or others open. */
static void
clean_descriptors(int ready_fd, const struct handed *handed)
{
	int fd, keep[HANDED_MAX + 1] = {ready_fd};
	sigset_t none;

	do
		fd = open("/dev/null", O_RDWR);
	while (fd != -1 && fd <= STDERR_FILENO);
	for (size_t i = 0; i < handed->count; i++)
		keep[i + 1] = handed->fds[i];
	sandbox_close_others(keep, handed->count + 1);
	/* Nothing is read from a terminal. */
	fd = open("/dev/null", O_RDONLY | O_CLOEXEC);
	if (fd != -1) {
		dup2(fd, STDIN_FILENO);
		close(fd);
	}
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
}

/* Exits as the child says: 0 once it is ready, else its own status. */
static _Noreturn void
wait_for(pid_t child, int pipe_end)
{
	char octet;
	ssize_t got;
	int how;

	do
		got = read(pipe_end, &octet, 1);
	while (got == -1 && errno == EINTR);
	if (got == 1)
		_exit(EX_OK);
	while (waitpid(child, &how, 0) == -1)
		if (errno != EINTR)
			_exit(EX_OSERR);
	_exit(WIFEXITED(how) ? WEXITSTATUS(how) : EX_SOFTWARE);
}

/* Goes on in a child; returns the descriptor that tells the parent. */
static int
into_background(void)
{
	int ends[2];
	pid_t pid;

	if (pipe2(ends, O_CLOEXEC) == -1 || (pid = fork()) == -1) {
		fprintf(stderr, "chatd: cannot go to the background: %s\n",
		    strerror(errno));
		exit(EX_OSERR);
	}
	if (pid > 0) {
		close(ends[1]);
		wait_for(pid, ends[0]);
	}
	close(ends[0]);
	setsid();
	return ends[1];
}

int
main(int argc, char **argv)
{
	struct options options;
	struct handed handed = {0};
	struct master_start start = {.parent = -1, .handed = &handed};
	char *file;
	int status;

	log_init("chatd", "master");
	options = parse(argc, argv);
	title_init(argc, argv);
	umask(077);
	if (options.show)
		show(options.file);
	/* A reload must find it from any directory. */
	file = realpath(options.file, NULL);
	start.file = file ? file : options.file;
	start.settings = configure(start.file, &start.user);
	if (options.test)
		test(start.file, start.settings, &start.user);

	handed_find(&handed);
	clean_descriptors(options.ready_fd, &handed);
	log_set_level(options.debug
		? LOG_LEVEL_DEBUG
		: (enum log_level)start.settings->log_level);
	start.foreground = options.foreground;
	start.debug = options.debug;
	start.ready_fd = options.ready_fd;
	if (!start.foreground)
		start.parent = into_background();
	if (chdir("/") == -1)
		fatal(EX_OSERR, "/: %m");
	title_set("chatd: master");
	status = master_main(&start);
	free(file);
	return status;
}
