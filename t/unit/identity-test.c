/* SPDX-License-Identifier: ISC */
/*
 * The key of an account: made once, kept, guarded; what is damaged is put
 * aside, and what cannot be written is said.
 */
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include <dirent.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <openssl/pem.h>

#include "chat/agent/identity.h"
#include "lib/unix.h"

#include "tap.h"

enum { RIVALS = 8 };

static char dir[64];

/* A path in the directory; valid until the third call after it. */
static const char *
in(const char *name)
{
	static char paths[3][128];
	static int turn;

	turn = (turn + 1) % 3;
	snprintf(paths[turn], sizeof(paths[turn]), "%s/%s", dir, name);
	return paths[turn];
}

/* An empty directory. */
static void
fresh(void)
{
	char command[256];

	snprintf(
	    command, sizeof(command), "rm -rf %s && mkdir -m 700 %s", dir, dir);
	if (system(command) != 0)
		exit(1);
}

/* How many names in the directory begin like that. */
static int
count(const char *prefix)
{
	DIR *list = opendir(dir);
	const struct dirent *entry;
	int found = 0;

	while ((entry = readdir(list)) != NULL)
		if (strncmp(entry->d_name, prefix, strlen(prefix)) == 0)
			found++;
	closedir(list);
	return found;
}

/* Loads; the status, with the fingerprint and the sentence. */
static int
load(char pin[TLS_PIN_LEN + 1], char why[IDENTITY_WHY_LEN])
{
	struct identity identity;
	int status = identity_load(&identity, dir, why);

	snprintf(pin, TLS_PIN_LEN + 1, "%s", identity.pin);
	identity_release(&identity);
	return status;
}

static void
test_made(void)
{
	char first[TLS_PIN_LEN + 1], again[TLS_PIN_LEN + 1];
	char why[IDENTITY_WHY_LEN];
	struct stat st;

	fresh();
	is_number(load(first, why), 0, "made at first use");
	is(why, "", "and nothing to say about it");
	is_number((long long)strlen(first), TLS_PIN_LEN, "a fingerprint");
	ok(stat(in("peer.key"), &st) == 0 && (st.st_mode & 0777) == 0600,
	    "only its owner can read the key");
	is_number(count("peer."), 2, "no other file is left");
	is_number(load(again, why), 0, "read the next time");
	is(again, first, "the same key");
}

static void
test_lost_cert(void)
{
	char first[TLS_PIN_LEN + 1], again[TLS_PIN_LEN + 1];
	char why[IDENTITY_WHY_LEN];

	fresh();
	load(first, why);
	unlink(in("peer.pem"));
	is_number(load(again, why), 0, "a lost certificate is made anew");
	is(again, first, "of the same key");
	file_replace(in("peer.pem"), "-----BEGIN", 10, 0644);
	is_number(load(again, why), 1, "a damaged one, with a word");
	is(again, first, "of the same key");
	ok(strstr(why, "same key") != NULL, "which says so: %s", why);
	is_number(count("peer.pem.damaged-"), 1, "and is kept aside");
}

/* Damaged keys: nothing, garbage, cut, another kind, two that do not fit. */
static void
test_damaged(void)
{
	char first[TLS_PIN_LEN + 1], again[TLS_PIN_LEN + 1];
	char why[IDENTITY_WHY_LEN];
	EVP_PKEY *other = EVP_EC_gen("P-384");
	size_t len;
	char *whole;
	FILE *to;

	fresh();
	load(first, why);
	whole = file_read(in("peer.key"), 4096, &len);
	for (size_t cut = 0; whole != NULL && cut < 4; cut++) {
		file_replace(in("peer.key"), whole, cut * len / 4, 0600);
		is_number(
		    load(again, why), 1, "cut to %zu octets", cut * len / 4);
		ok(strcmp(again, first) != 0 && strlen(again) == TLS_PIN_LEN,
		    "a new key");
		ok(strstr(why, "damaged") != NULL, "with a word");
	}
	is_number(count("peer.key.damaged-"), 4, "each is kept aside");
	to = fopen(in("peer.key"), "w");
	if (to == NULL ||
	    PEM_write_PrivateKey(to, other, NULL, NULL, 0, NULL, NULL) != 1)
		exit(1);
	fclose(to);
	is_number(load(again, why), 1, "a key of another kind");
	is_number(load(again, why), 0, "is replaced once");
	file_replace(in("peer.key"), whole, len, 0600);
	is_number(load(again, why), 1, "a key that another certificate is of");
	is(again, first, "is the one that counts");
	free(whole);
	EVP_PKEY_free(other);
}

static void
test_guarded(void)
{
	char pin[TLS_PIN_LEN + 1], why[IDENTITY_WHY_LEN];
	struct stat st;

	fresh();
	load(pin, why);
	chmod(in("peer.key"), 0644);
	is_number(load(pin, why), 1, "a key that others could read");
	ok(strstr(why, "others could read") != NULL, "is told of: %s", why);
	ok(stat(in("peer.key"), &st) == 0 && (st.st_mode & 077) == 0,
	    "and they cannot any more");
	is_number(load(pin, why), 0, "so it is said once");
}

/* Many at once: one key. */
static void
test_rivals(void)
{
	char pin[TLS_PIN_LEN + 1], other[TLS_PIN_LEN + 1];
	char why[IDENTITY_WHY_LEN];
	int pipes[2], good = 0;

	fresh();
	if (pipe(pipes) == -1)
		exit(1);
	for (int i = 0; i < RIVALS; i++)
		if (fork() == 0) {
			if (load(pin, why) != 0)
				_exit(1);
			_exit(write(pipes[1], pin, sizeof(pin)) ==
				    (ssize_t)sizeof(pin)
				? 0
				: 1);
		}
	for (int i = 0, status; i < RIVALS; i++)
		if (wait(&status) != -1 && status == 0)
			good++;
	is_number(good, RIVALS, "all who came at once have a key");
	load(pin, why);
	for (int i = 0; i < good; i++)
		if (read(pipes[0], other, sizeof(other)) !=
			(ssize_t)sizeof(other) ||
		    strcmp(other, pin) != 0)
			good = -1;
	ok(good == RIVALS, "the same one");
	is_number(count("peer."), 2, "and left nothing else");
	close(pipes[0]);
	close(pipes[1]);
}

/* A disk that takes no octet: files may not grow. */
static void
test_full(void)
{
	char pin[TLS_PIN_LEN + 1], why[IDENTITY_WHY_LEN];
	int status;

	fresh();
	if (fork() == 0) {
		struct rlimit none = {0, 0};

		signal(SIGXFSZ, SIG_IGN);
		setrlimit(RLIMIT_FSIZE, &none);
		_exit(load(pin, why) == -1 && strstr(why, "peer.key") != NULL
			? 0
			: 1);
	}
	wait(&status);
	is_number(status, 0, "a full disk is said");
	is_number(count("peer."), 0, "and nothing half made is there");
	is_number(load(pin, why), 0, "afterwards there is room");
}

static void
test_no_directory(void)
{
	struct identity identity;
	char why[IDENTITY_WHY_LEN];

	is_number(identity_load(&identity, "/nonexistent/none", why), -1,
	    "no directory");
	ok(strstr(why, "No such file") != NULL, "%s", why);
	identity_release(&identity);
}

int
main(void)
{
	char command[256];
	const char *tmp = getenv("TMPDIR");

	snprintf(dir, sizeof(dir), "%.30s/identity-XXXXXX",
	    tmp != NULL ? tmp : "/tmp");
	if (mkdtemp(dir) == NULL)
		return 1;
	test_made();
	test_lost_cert();
	test_damaged();
	test_guarded();
	test_rivals();
	test_full();
	test_no_directory();
	snprintf(command, sizeof(command), "rm -rf %s", dir);
	if (system(command) != 0)
		return 1;
	return done();
}
