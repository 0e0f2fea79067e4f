/* SPDX-License-Identifier: ISC */
/*
 * The store's answers about private links: ask, answer, hangup.
 */
#include "chatd/store/state.h"

void
answer_ask(struct store *store, const struct asker *asker,
    const struct ipc_frame *frame)
{
	(void)store;
	(void)frame;
	refuse(asker, ERR_NOT_ALLOWED, NULL);
}

void
answer_answer(struct store *store, const struct asker *asker,
    const struct ipc_frame *frame)
{
	(void)store;
	(void)frame;
	refuse(asker, ERR_EXPIRED, NULL);
}

void
answer_hangup(struct store *store, const struct asker *asker,
    const struct ipc_frame *frame)
{
	(void)store;
	(void)frame;
	refuse(asker, ERR_NOT_ALLOWED, NULL);
}
