/* SPDX-License-Identifier: ISC */
/*
 * What every harness has: the one function that libFuzzer and AFL++ call,
 * and a claim that stops it.  A harness decodes, and claims; it keeps nothing
 * from one input to the next unless it says so.
 */
#ifndef FUZZ_H
#define FUZZ_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/*
 * A harness may have these as well, for replay.c.  fuzz_understood(): whether
 * the last input led to where its harness looks; so every input of the corpus
 * must, but those that are called "broken…".  fuzz_seed(): the n-th of the
 * inputs that are made, since as a file they would grow old or large; its
 * length and name, or 0 after the last.
 */
bool fuzz_understood(void) __attribute__((weak));
size_t fuzz_seed(unsigned n, uint8_t *out, size_t size, const char **name)
    __attribute__((weak));

/* Ends with a finding unless it holds. */
#define CLAIM(holds)                                                     \
	do {                                                             \
		if (!(holds)) {                                          \
			fprintf(stderr, "%s:%d: not so: %s\n", __FILE__, \
			    __LINE__, #holds);                           \
			abort();                                         \
		}                                                        \
	} while (0)

#endif
