/* SPDX-License-Identifier: ISC */
/*
 * The table of who has asked whom of late: chains that are cleared while
 * they are walked, and one more of them with each question, so that its size
 * is that of the last five minutes.  Part of the store.
 */
#include <stdlib.h>

#include "chatd/store/pace.h"
#include "chatd/store/rules.h"

enum { BUCKETS = 4096 };

struct pace {
	int64_t asker, asked;
	int64_t paid; /* monotonic: until when it is charged */
	struct pace *next;
};

struct paces {
	struct pace *bucket[BUCKETS];
	size_t sweep; /* the next to be cleared */
};

struct paces *
paces_new(void)
{
	return calloc(1, sizeof(struct paces));
}

/* Takes out what is charged no more. */
static void
clear(struct pace **at, int64_t now)
{
	while (*at != NULL) {
		struct pace *each = *at;

		if (each->paid > now) {
			at = &each->next;
			continue;
		}
		*at = each->next;
		free(each);
	}
}

void
paces_free(struct paces *paces)
{
	for (size_t i = 0; paces != NULL && i < BUCKETS; i++)
		clear(&paces->bucket[i], INT64_MAX);
	free(paces);
}

int
pace_charge(struct paces *paces, int64_t asker, int64_t asked, int64_t now)
{
	uint64_t hash = ((uint64_t)asker * 0x9e3779b97f4a7c15u) ^
	    ((uint64_t)asked * 0xc2b2ae3d27d4eb4fu);
	struct pace **bucket = &paces->bucket[(hash >> 32) % BUCKETS];
	struct pace *pace;

	clear(&paces->bucket[paces->sweep++ % BUCKETS], now);
	clear(bucket, now);
	pace = *bucket;
	while (pace != NULL && (pace->asker != asker || pace->asked != asked))
		pace = pace->next;
	if (pace == NULL) {
		/* Without memory for it a question is not counted. */
		if ((pace = calloc(1, sizeof(*pace))) == NULL)
			return 0;
		pace->asker = asker;
		pace->asked = asked;
		pace->next = *bucket;
		*bucket = pace;
	}
	return rules_pace(&pace->paid, now);
}
