/* SPDX-License-Identifier: ISC */
/*
 * The arithmetic of penalties.  Runs in the master; knows no address, no
 * table and no clock.
 */
#include "chatd/master/penalty.h"

static const struct {
	int64_t ms;
	const char *name;
} offences[OFFENCE_COUNT] = {
#define X(name, ms, text) [OFFENCE_##name] = {(ms), (text)},
    OFFENCES(X)
#undef X
};

const char *
offence_name(enum offence offence)
{
	return offences[offence].name;
}

/* True if this is the third name that is locked within the time. */
static bool
locks_too_many(struct penalty *penalty, int64_t now)
{
	int64_t first = penalty->locks[0];

	if (first != 0 && now - first <= PENALTY_LOCKS_MS) {
		for (int i = 0; i < PENALTY_LOCKS - 1; i++)
			penalty->locks[i] = 0;
		return true;
	}
	for (int i = 1; i < PENALTY_LOCKS - 1; i++)
		penalty->locks[i - 1] = penalty->locks[i];
	penalty->locks[PENALTY_LOCKS - 2] = now;
	return false;
}

bool
penalty_add(struct penalty *penalty, enum offence offence, int64_t now)
{
	bool before = penalty_left(penalty, now) > 0;

	if (offence == OFFENCE_LOCKED && !locks_too_many(penalty, now))
		return false;
	if (penalty->until <= now) {
		penalty->until = now;
		penalty->refused = false;
	}
	penalty->until += offences[offence].ms;
	if (penalty->until > now + PENALTY_MOST)
		penalty->until = now + PENALTY_MOST;
	if (penalty->until - now >= PENALTY_LEAST)
		penalty->refused = true;
	return penalty->refused && !before;
}

int64_t
penalty_left(const struct penalty *penalty, int64_t now)
{
	if (!penalty->refused || penalty->until <= now)
		return 0;
	return penalty->until - now;
}
