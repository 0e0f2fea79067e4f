/* SPDX-License-Identifier: ISC */
/*
 * From a worker's frame to the function that answers it.
 */
#ifndef CHATD_DISPATCH_H
#define CHATD_DISPATCH_H

#include "chatd/store/channel.h"

/*
 * Looks up the row, finds out who asks, answers or refuses.  A frame whose
 * strings are not terminated makes the channel deaf: a worker of ours does
 * not send it.
 */
void dispatch(struct store *store, struct channel *channel,
    const struct ipc_frame *frame);

#endif
