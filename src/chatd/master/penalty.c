/* SPDX-License-Identifier: ISC */
/*
 * The arithmetic of penalties.  Runs in the master; knows no address, no
 * table and no clock.
 */
#include <string.h>

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

bool
penalty_locked(struct penalty *penalty, uint32_t name, int64_t now)
{
	struct penalty_lock *locks = penalty->locks;
	int64_t first = locks[0].time;
	int at = 0;

	while (at < PENALTY_LOCKS - 1 &&
	    (locks[at].time == 0 || locks[at].name != name))
		at++;
	if (at == PENALTY_LOCKS - 1) {
		if (first != 0 && now - first <= PENALTY_LOCKS_MS) {
			memset(locks, 0, sizeof(penalty->locks));
			return true;
		}
		at = 0;
	}
	for (; at < PENALTY_LOCKS - 2; at++)
		locks[at] = locks[at + 1];
	locks[at] = (struct penalty_lock){.time = now, .name = name};
	return false;
}

bool
penalty_add(struct penalty *penalty, enum offence offence, int64_t now)
{
	bool before = penalty_left(penalty, now) > 0;

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
