/* SPDX-License-Identifier: ISC */
/*
 * The test suite's look into a process: reads all its memory and says which
 * of the secrets on standard input are there.  A program of its own that
 * the tests run; prints names, never a secret.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

enum {
	EXIT_CLOSED = 77, /* we may not look */
	SECRETS_MAX = 512,
	SECRET_LEN = 4096,
	STEP = 1 << 20,
};

struct secret {
	char name[64];
	unsigned char octets[SECRET_LEN];
	size_t len;
	bool found;
};

static struct secret *secrets;
static size_t count;

/* Takes lines of NAME HEX; false if one is none. */
static bool
read_secrets(void)
{
	static char line[2 * SECRET_LEN + 100], hex[2 * SECRET_LEN + 1];

	secrets = calloc(SECRETS_MAX, sizeof(*secrets));
	while (secrets && fgets(line, sizeof(line), stdin)) {
		struct secret *s = &secrets[count];

		if (count == SECRETS_MAX ||
		    sscanf(line, "%63s %8192s", s->name, hex) != 2)
			return false;
		for (s->len = 0; hex[2 * s->len]; s->len++)
			if (sscanf(hex + 2 * s->len, "%2hhx",
				&s->octets[s->len]) != 1)
				return false;
		count++;
	}
	return secrets && count > 0;
}

/* Looks for every secret in a piece of memory. */
static void
look(const unsigned char *at, size_t len)
{
	for (size_t i = 0; i < count; i++)
		if (!secrets[i].found &&
		    memmem(at, len, secrets[i].octets, secrets[i].len))
			secrets[i].found = true;
}

/* Looks through one range, with what may lie across two steps. */
static size_t
look_through(int mem, off_t from, off_t to)
{
	static unsigned char octets[STEP + SECRET_LEN];
	size_t kept = 0, all = 0;

	while (from < to) {
		size_t want =
		    (size_t)(to - from) < STEP ? (size_t)(to - from) : STEP;
		ssize_t got = pread(mem, octets + kept, want, from);

		if (got <= 0)
			break;
		from += got;
		all += (size_t)got;
		kept += (size_t)got;
		look(octets, kept);
		if (kept > SECRET_LEN) {
			memmove(octets, octets + kept - SECRET_LEN, SECRET_LEN);
			kept = SECRET_LEN;
		}
	}
	return all;
}

int
main(int argc, char **argv)
{
	char path[64], line[512], right;
	unsigned long from, to;
	size_t all = 0;
	FILE *maps;
	int mem;

	if (argc != 2 || !read_secrets()) {
		fputs("usage: memory PID < NAME HEX lines\n", stderr);
		return EX_USAGE;
	}
	snprintf(path, sizeof(path), "/proc/%.20s/maps", argv[1]);
	maps = fopen(path, "r");
	snprintf(path, sizeof(path), "/proc/%.20s/mem", argv[1]);
	mem = open(path, O_RDONLY | O_CLOEXEC);
	if (!maps || mem == -1) {
		fprintf(stderr, "memory: %s: %s\n", path, strerror(errno));
		return EXIT_CLOSED;
	}
	while (fgets(line, sizeof(line), maps))
		if (sscanf(line, "%lx-%lx %c", &from, &to, &right) == 3 &&
		    right == 'r')
			all += look_through(mem, (off_t)from, (off_t)to);
	if (all == 0)
		return EXIT_CLOSED;
	for (size_t i = 0; i < count; i++)
		if (secrets[i].found)
			puts(secrets[i].name);
	free(secrets);
	fclose(maps);
	close(mem);
	return EX_OK;
}
