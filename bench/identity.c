/* SPDX-License-Identifier: ISC */
/*
 * The benchmark's sessions by number.  Runs in the benchmark and its floor;
 * what it makes are keys of nobody.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/sha.h>

#include "identity.h"

void
identity_make(const char *secret, int number, struct identity *out)
{
	unsigned char digest[SHA512_DIGEST_LENGTH];
	char text[96];
	int len = snprintf(text, sizeof(text), "keys %s %d", secret, number);

	_Static_assert(sizeof(out->keys) == sizeof(digest), "both halves");
	SHA512((const unsigned char *)text, (size_t)len, digest);
	memcpy(&out->keys, digest, sizeof(digest));
	len = snprintf(text, sizeof(text), "id %s %d", secret, number);
	SHA512((const unsigned char *)text, (size_t)len, digest);
	memcpy(&out->id, digest, sizeof(out->id));
}

int *
identity_shuffled(int count)
{
	int *order = calloc((size_t)count + 1, sizeof(*order));
	uint64_t random = 0x9e3779b97f4a7c15u;

	for (int i = 0; order != NULL && i < count; i++) {
		int at;

		random = random * 6364136223846793005u + 1442695040888963407u;
		at = (int)((random >> 33) % (uint64_t)(i + 1));
		order[i] = order[at];
		order[at] = i;
	}
	return order;
}

int
directory_make(
    struct directory *directory, int count, const void *first, size_t size)
{
	size_t slots = 16;

	while (slots < (size_t)count * 2)
		slots *= 2;
	directory->slots = calloc(slots, sizeof(*directory->slots));
	directory->mask = slots - 1;
	directory->first = first;
	directory->size = size;
	return directory->slots == NULL ? -1 : 0;
}

void
directory_release(struct directory *directory)
{
	free(directory->slots);
	directory->slots = NULL;
}

static uint64_t
id_of(const struct directory *directory, size_t number)
{
	uint64_t id;

	memcpy(&id, directory->first + number * directory->size, sizeof(id));
	return id;
}

void
directory_add(struct directory *directory, int number)
{
	size_t at = id_of(directory, (size_t)number) & directory->mask;

	while (directory->slots[at] != 0)
		at = (at + 1) & directory->mask;
	directory->slots[at] = (uint32_t)number + 1;
}

int
directory_find(const struct directory *directory, uint64_t id)
{
	size_t at = id & directory->mask;

	while (directory->slots[at] != 0) {
		size_t number = directory->slots[at] - 1;

		if (id_of(directory, number) == id)
			return (int)number;
		at = (at + 1) & directory->mask;
	}
	return -1;
}
