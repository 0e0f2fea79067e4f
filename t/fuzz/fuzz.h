/* SPDX-License-Identifier: ISC */
/*
 * What every harness has: the one function that libFuzzer and AFL++ call,
 * and a claim that stops it.  A harness decodes, and claims; it keeps nothing
 * from one input to the next unless it says so.
 */
#ifndef FUZZ_H
#define FUZZ_H

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

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
