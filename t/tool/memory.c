/* SPDX-License-Identifier: ISC */
/*
 * Looks for a text in the memory of other processes, for the test that a
 * centre never sees what is said privately.  A program of its own; it only
 * reads.
 *
 * usage: memory TEXT PID...
 * Prints the id of each process that has it.  Exit status: 0 somebody has, 1
 * nobody, 77 some memory cannot be read (the reason on stderr).
 */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

enum {
	CHUNK = 1 << 20,
	EXIT_NOBODY = 1,
	EXIT_SKIPPED = 77,
};

/* A part of a process's memory, from and up to. */
struct part {
	uint64_t from, to;
};

/* The bytes of one part, as far as they can be read; true if it has it. */
static bool
part_has(int mem, const struct part *part, const char *text, size_t len)
{
	static char chunk[CHUNK];
	size_t kept = 0;
	ssize_t n;

	for (uint64_t at = part->from; at < part->to; at += (uint64_t)n) {
		size_t want = sizeof(chunk) - kept;

		if (want > part->to - at)
			want = part->to - at;
		n = pread(mem, chunk + kept, want, (off_t)at);
		if (n <= 0)
			return false; /* [vvar] and its like */
		kept += (size_t)n;
		if (memmem(chunk, kept, text, len) != NULL)
			return true;
		/* It may stand across two chunks. */
		if (kept >= len) {
			memmove(chunk, chunk + kept - (len - 1), len - 1);
			kept = len - 1;
		}
	}
	return false;
}

/* Goes through a process: 1 if it has the text, 0 if not, -1 with errno. */
static int
process_has(const char *pid, const char *text, size_t len)
{
	char path[64], line[512];
	struct part part;
	bool found = false;
	FILE *maps;
	int mem;

	snprintf(path, sizeof(path), "/proc/%s/mem", pid);
	mem = open(path, O_RDONLY | O_CLOEXEC);
	if (mem == -1)
		return -1;
	snprintf(path, sizeof(path), "/proc/%s/maps", pid);
	maps = fopen(path, "re");
	if (maps == NULL) {
		close(mem);
		return -1;
	}
	while (!found && fgets(line, sizeof(line), maps) != NULL)
		if (sscanf(line, "%" SCNx64 "-%" SCNx64 " r", &part.from,
			&part.to) == 2)
			found = part_has(mem, &part, text, len);
	fclose(maps);
	close(mem);
	return found;
}

int
main(int argc, char **argv)
{
	int status = EXIT_NOBODY, found;

	if (argc < 3 || *argv[1] == '\0') {
		fputs("usage: memory TEXT PID...\n", stderr);
		return EX_USAGE;
	}
	for (int i = 2; i < argc; i++) {
		found = process_has(argv[i], argv[1], strlen(argv[1]));
		if (found == -1) {
			fprintf(stderr, "memory: %s: %s\n", argv[i],
			    strerror(errno));
			return EXIT_SKIPPED;
		}
		if (found == 1) {
			puts(argv[i]);
			status = 0;
		}
	}
	return status;
}
