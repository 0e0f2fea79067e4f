/* SPDX-License-Identifier: ISC */
/*
 * The benchmark: starts a centre of its own, loads it with real clients,
 * prints a table and JSON.  A program of its own, run by `make bench`; ends
 * what it started and leaves nothing behind.
 */
#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>
#include <sys/statfs.h>
#include <sys/utsname.h>

#include <openssl/crypto.h>

#include "bench.h"
#include "lib/tls.h"
#include "lib/unix.h"

#define USAGE                                                                  \
	"usage: bench [--quick] [--seconds N] [--only PART] [--sessions N]"    \
	" [--dir DIR]\n             [--json FILE]\n"                           \
	"  --quick      only see that it all runs (a few seconds, no bars)\n"  \
	"  --seconds N  for each measurement, 1 to 60 (2)\n"                   \
	"  --only PART  live, send, delay, memory, fork, beacon, knock,"       \
	" hostile,\n               herd, flood or login; may be repeated\n"    \
	"  --sessions N that the beacon holds, 1000 to 4000000 (100000)\n"     \
	"  --dir DIR    where the database is for that time ($TMPDIR, /tmp)\n" \
	"  --json FILE  the JSON goes there instead of to standard output\n"   \
	"Exit status: 0 measured, 1 not, 64 usage.  A missed bar is no"        \
	" failure.\n"

enum {
	SECONDS = 2,
	SECONDS_MAX = 60,
	SESSIONS = 100000,
	SESSIONS_LEAST = 1000,
	SESSIONS_MOST = 4000000,
	SESSIONS_QUICK = 300,
	QUICK_MS = 200,
	SYNCS = 50,
};

struct options {
	bool quick;
	int seconds, sessions;
	unsigned only; /* bits of parts; 0: all */
	const char *dir, *json;
};

static const struct part {
	const char *name;
	int (*run)(struct bench *bench);
} parts[] = {
    {"live", bench_live},
    {"send", bench_send},
    {"delay", bench_delay},
    {"memory", bench_memory},
    {"fork", bench_fork},
    {"beacon", bench_beacon},
    {"knock", bench_knock},
    {"hostile", bench_hostile},
    {"herd", bench_herd},
    {"flood", bench_flood},
    {"login", bench_login},
};

enum { PARTS = sizeof(parts) / sizeof(parts[0]) };

static _Noreturn void
usage(void)
{
	fputs(USAGE, stderr);
	exit(EX_USAGE);
}

/* The bit of a part's name. */
static unsigned
part_bit(const char *name)
{
	for (unsigned i = 0; i < PARTS; i++)
		if (strcmp(parts[i].name, name) == 0)
			return 1U << i;
	usage();
}

static int
number_of(const char *text, long least, long most)
{
	char *end;
	long value = strtol(text, &end, 10);

	if (end == text || *end != '\0' || value < least || value > most)
		usage();
	return (int)value;
}

static struct options
parse(int argc, char **argv)
{
	static const struct option names[] = {{"quick", 0, NULL, 'q'},
	    {"seconds", 1, NULL, 's'}, {"only", 1, NULL, 'o'},
	    {"sessions", 1, NULL, 'n'}, {"dir", 1, NULL, 'd'},
	    {"json", 1, NULL, 'j'}, {"help", 0, NULL, 'h'}, {0}};
	struct options options = {
	    .seconds = SECONDS, .sessions = SESSIONS, .dir = getenv("TMPDIR")};
	int option;

	while ((option = getopt_long(argc, argv, "h", names, NULL)) != -1) {
		if (option == 'q')
			options.quick = true;
		else if (option == 's')
			options.seconds = number_of(optarg, 1, SECONDS_MAX);
		else if (option == 'o')
			options.only |= part_bit(optarg);
		else if (option == 'n')
			options.sessions =
			    number_of(optarg, SESSIONS_LEAST, SESSIONS_MOST);
		else if (option == 'd')
			options.dir = optarg;
		else if (option == 'j')
			options.json = optarg;
		else if (option == 'h') {
			fputs(USAGE, stdout);
			exit(EX_OK);
		} else
			usage();
	}
	if (optind != argc)
		usage();
	if (options.dir == NULL || options.dir[0] != '/')
		options.dir = "/tmp";
	return options;
}

/* What the clients trust: the authority that was just made. */
static int
make_tls(struct bench *bench)
{
	char path[BENCH_PATH_LEN + 16], why[TLS_WHY_LEN];

	snprintf(path, sizeof(path), "%s/ca.pem", bench->ground.dir);
	bench->tls = tls_client_new(TLS_ALPN_CENTRE, why);
	if (bench->tls == NULL)
		return complain("TLS: %s", why);
	if (SSL_CTX_load_verify_file(bench->tls, path) != 1) {
		tls_reason(why, path);
		return complain("%s", why);
	}
	SSL_CTX_set_verify(bench->tls, SSL_VERIFY_PEER, NULL);
	return 0;
}

/* How long the disk takes for a short write that is to last. */
static double
disk_sync(const struct bench *bench)
{
	char path[BENCH_PATH_LEN + 16];
	double took[SYNCS];
	size_t count = 0;
	FILE *file;

	snprintf(path, sizeof(path), "%s/sync", bench->ground.dir);
	if ((file = fopen(path, "w")) == NULL)
		return 0;
	while (count < (bench->quick ? 3 : SYNCS)) {
		int64_t began = clock_ns();

		if (fprintf(file, "%4096d", 1) < 0 || fflush(file) == EOF ||
		    fdatasync(fileno(file)) == -1)
			break;
		took[count++] = (double)(clock_ns() - began) / 1000;
	}
	fclose(file);
	return quantile(took, count, 0.5);
}

/* What must be known to read the numbers, printed and kept. */
static json_t *
facts(const struct bench *bench)
{
	long cores = sysconf(_SC_NPROCESSORS_ONLN);
	double sync = disk_sync(bench);
	struct utsname system = {0};
	struct statfs disk = {0};

	uname(&system);
	statfs(bench->ground.dir, &disk);
	printf("chatd %s, %s, Linux %s, %ld cores\n", PACKAGE_VERSION,
	    OpenSSL_version(OPENSSL_VERSION), system.release, cores);
	printf("The clients share the cores with the server.  A 4 KiB write"
	       " with fdatasync: %.0f us.\n",
	    sync);
	if (disk.f_type == 0x01021994)
		puts("The directory is in memory (tmpfs): commits cost"
		     " nothing there; see --dir.");
	if (bench->quick)
		puts("A quick run: it says that everything runs, the numbers"
		     " say nothing.");
	return json_pack("{s:s, s:s, s:s, s:I, s:b, s:f, s:b, s:i}", "version",
	    PACKAGE_VERSION, "openssl", OpenSSL_version(OPENSSL_VERSION),
	    "kernel", system.release, "cores", (json_int_t)cores,
	    "clients_share_cores", 1, "fdatasync_us", sync, "quick",
	    bench->quick, "milliseconds", bench->ms);
}

/* Puts the JSON into the file, or behind the table. */
static int
write_json(const struct bench *bench, json_t *known, const char *path)
{
	char *text = report_json(&bench->report, known);
	FILE *to;
	int bad;

	if (text == NULL)
		return complain("cannot make the JSON");
	if (path == NULL) {
		bad = printf("\n%s\n", text) < 0 || fflush(stdout) == EOF;
	} else if ((to = fopen(path, "w")) == NULL) {
		bad = 1;
	} else {
		bad = fprintf(to, "%s\n", text) < 0;
		bad |= fclose(to) == EOF;
	}
	free(text);
	return bad ? complain("cannot write the JSON: %s", strerror(errno)) : 0;
}

/* All parts that are wanted, one after the other. */
static int
run(struct bench *bench, const struct options *options)
{
	json_t *known = facts(bench);
	int status = 0;

	for (unsigned i = 0; i < PARTS && status == 0; i++) {
		if (options->only == 0 || (options->only & 1U << i))
			status = parts[i].run(bench);
		if (interrupted())
			status = -1;
	}
	if (status == 0 && !bench->quick)
		printf("\n%d bar%s missed\n", bench->report.missed,
		    bench->report.missed == 1 ? "" : "s");
	if (status == 0)
		status = write_json(bench, known, options->json);
	json_decref(known);
	return status;
}

int
main(int argc, char **argv)
{
	struct options options = parse(argc, argv);
	struct bench bench = {.quick = options.quick,
	    .ms = options.quick ? QUICK_MS : options.seconds * 1000,
	    .sessions = options.quick ? SESSIONS_QUICK : options.sessions};
	int status;

	interrupt_watch();
	status = report_begin(&bench.report, !options.quick);
	if (status == 0)
		status = ground_make(&bench.ground, options.dir);
	if (status == 0)
		status = make_tls(&bench);
	if (status == 0)
		status = run(&bench, &options);
	ground_remove(&bench.ground);
	SSL_CTX_free(bench.tls);
	report_release(&bench.report);
	return status == 0 ? EX_OK : 1;
}
