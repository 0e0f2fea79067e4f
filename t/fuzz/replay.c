/* SPDX-License-Identifier: ISC */
/*
 * The main() of a harness in `make check`: runs its corpus, and of each input
 * some hundred variants that are the same every time.  Finds little that a
 * fuzzer would; keeps what was found once from coming back.
 */
#include <dirent.h>
#include <libgen.h>
#include <string.h>
#include <unistd.h>

#include "fuzz.h"

enum {
	INPUT_MAX = 1 << 17,
	VARIANTS = 400,
	CHANGES_MAX = 8,
};

static uint64_t seed = 0x9e3779b97f4a7c15;
static int count;

static size_t
draw(size_t below)
{
	seed ^= seed >> 12;
	seed ^= seed << 25;
	seed ^= seed >> 27;
	return (size_t)((seed * 0x2545f4914f6cdd1dULL) >> 33) % below;
}

/* Octets that decoders stumble over. */
static uint8_t
odd_octet(void)
{
	static const uint8_t odd[] = {0, 1, '\n', '"', '\\', '{', '}', '[', ',',
	    ':', 0x1b, 0x7f, 0x80, 0xc0, 0xed, 0xf4, 0xff};

	return draw(2) == 0 ? (uint8_t)draw(256) : odd[draw(sizeof(odd))];
}

/* Changes one place; the new length. */
static size_t
change(uint8_t *data, size_t len)
{
	size_t at = draw(len), more = 1 + draw(16);

	switch (draw(5)) {
	case 0: /* cut off */
		return at;
	case 1: /* say something twice */
		if (at + more > len || len + more > INPUT_MAX)
			return len;
		memmove(data + at + more, data + at, len - at);
		return len + more;
	case 2: /* leave something out */
		if (at + more > len)
			return len;
		memmove(data + at, data + at + more, len - at - more);
		return len - more;
	case 3:
		data[at] ^= (uint8_t)(1U << draw(8));
		return len;
	default:
		data[at] = odd_octet();
		return len;
	}
}

/* In memory of its very length, so that a sanitizer sees what is beyond. */
static void
run(const uint8_t *data, size_t len)
{
	uint8_t *exact = malloc(len > 0 ? len : 1);

	if (exact == NULL)
		abort();
	memcpy(exact, data, len);
	LLVMFuzzerTestOneInput(exact, len);
	free(exact);
}

/* An input and its variants: a line of TAP. */
static void
replay(const char *name, const uint8_t *whole, size_t len)
{
	static uint8_t variant[INPUT_MAX];
	bool understood;
	size_t now;

	run(whole, len);
	understood = fuzz_understood == NULL || fuzz_understood() ||
	    strncmp(name, "broken", 6) == 0;
	for (int i = 0; i < VARIANTS; i++) {
		memcpy(variant, whole, len);
		now = len;
		for (size_t left = 1 + draw(CHANGES_MAX); left > 0 && now > 0;
		     left--)
			now = change(variant, now);
		run(variant, now);
	}
	printf("%sok %d - %s%s\n", understood ? "" : "not ", ++count, name,
	    understood ? "" : " has not been understood");
	fflush(stdout);
}

static void
replay_file(const char *path)
{
	static uint8_t whole[INPUT_MAX];
	FILE *file = fopen(path, "r");
	size_t len;

	if (file == NULL) {
		printf("not ok %d - %s cannot be read\n", ++count, path);
		return;
	}
	len = fread(whole, 1, sizeof(whole), file);
	fclose(file);
	replay(strrchr(path, '/') + 1, whole, len);
}

/* The inputs that a harness makes; into files, if there is a directory. */
static void
replay_made(const char *dir)
{
	static uint8_t whole[INPUT_MAX];
	char path[8192];
	const char *name;
	FILE *file;
	size_t len;

	if (fuzz_seed == NULL)
		return;
	for (unsigned n = 0;
	     (len = fuzz_seed(n, whole, sizeof(whole), &name)) > 0; n++) {
		if (dir == NULL) {
			replay(name, whole, len);
			continue;
		}
		snprintf(path, sizeof(path), "%s/made-%u-%s", dir, n, name);
		file = fopen(path, "w");
		if (file == NULL || fwrite(whole, 1, len, file) != len ||
		    fclose(file) == EOF) {
			perror(path);
			exit(1);
		}
	}
}

static int
by_name(const struct dirent **a, const struct dirent **b)
{
	return strcmp((*a)->d_name, (*b)->d_name);
}

static int
no_dots(const struct dirent *entry)
{
	return entry->d_name[0] != '.';
}

/* Those that are in a directory; false if there are none. */
static bool
replay_directory(const char *dir)
{
	char path[8192];
	struct dirent **list = NULL;
	int entries = scandir(dir, &list, no_dots, by_name);

	for (int i = 0; i < entries; i++) {
		snprintf(path, sizeof(path), "%s/%s", dir, list[i]->d_name);
		replay_file(path);
		free(list[i]);
	}
	free(list);
	return entries > 0;
}

/*
 * usage: NAME-fuzz [FILE...] ; without one, its corpus in the sources
 *        NAME-fuzz --seeds DIRECTORY ; writes down what it would make
 */
int
main(int argc, char **argv)
{
	const char *sources = getenv("CHAT_SRC");
	char dir[4096], path[8192];
	int len;

	if (argc == 3 && strcmp(argv[1], "--seeds") == 0) {
		replay_made(argv[2]);
		return 0;
	}
	for (int i = 1; i < argc; i++) {
		snprintf(path, sizeof(path), "./%s", argv[i]);
		replay_file(argv[i][0] == '/' ? argv[i] : path);
	}
	if (argc > 1)
		return 0;
	len = snprintf(dir, sizeof(dir), "%s/t/fuzz/corpus/%s",
	    sources != NULL ? sources : ".", basename(argv[0]));
	/* Without "-fuzz". */
	dir[len - 5] = '\0';
	replay_made(NULL);
	if (!replay_directory(dir) && fuzz_seed == NULL) {
		printf("Bail out! there is no corpus in %s\n", dir);
		return 1;
	}
	printf("1..%d\n", count);
	return 0;
}
