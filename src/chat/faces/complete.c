/* SPDX-License-Identifier: ISC */
/*
 * What a half-typed word can become.  Pure; used by the face that edits
 * lines.  It never offers a file: nothing typed here means one.
 */
#include "chat/faces/complete.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "chat/faces/command.h"

/* The words that have been found. */
struct found {
	const char *prefix;
	size_t len;
	char **words;
	size_t count;
};

/* Remembers somebody. */
void
people_meet(struct people *people, const char *name)
{
	char folded[NAME_MAX_LEN + 1];
	void *more;

	if (name == NULL || !name_fold(name, strlen(name), folded) ||
	    people->count >= PEOPLE_MAX)
		return;
	for (size_t i = 0; i < people->count; i++)
		if (strcmp(people->names[i], folded) == 0)
			return;
	more = reallocarray(
	    people->names, people->count + 1, sizeof(*people->names));
	if (more == NULL)
		return;
	people->names = more;
	memcpy(people->names[people->count++], folded, sizeof(folded));
}

void
people_release(struct people *people)
{
	free(people->names);
	memset(people, 0, sizeof(*people));
}

/* Takes a word if it begins as what was typed does. */
static void
consider(void *arg, const char *word)
{
	struct found *found = arg;
	char **more;

	if (strncasecmp(word, found->prefix, found->len) != 0)
		return;
	more =
	    reallocarray(found->words, found->count + 2, sizeof(*found->words));
	if (more == NULL)
		return;
	found->words = more;
	found->words[found->count] = strdup(word);
	if (found->words[found->count] != NULL)
		found->words[++found->count] = NULL;
}

/* The words that can stand there. */
char **
complete_words(
    const struct people *people, const char *line, size_t start, size_t end)
{
	struct found found = {.prefix = line + start, .len = end - start};

	switch (command_slot(line, start)) {
	case SLOT_COMMAND:
		command_names(false, consider, &found);
		/* "m" is to become "message" at once, not "msg" perhaps. */
		if (found.count == 0)
			command_names(true, consider, &found);
		break;
	case SLOT_USER:
		for (size_t i = 0; i < people->count; i++)
			consider(&found, people->names[i]);
		break;
	case SLOT_OTHER:
		break;
	}
	if (found.count > 0)
		return found.words;
	free(found.words);
	return NULL;
}
