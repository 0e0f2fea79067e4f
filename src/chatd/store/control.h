/* SPDX-License-Identifier: ISC */
/*
 * The administrator's socket: JSON Lines, one request and one reply a line,
 * as chatctl(8) speaks it.  Part of the store.
 */
#ifndef CHATD_CONTROL_H
#define CHATD_CONTROL_H

#include "chatd/ipc.h"

struct store;
struct admins;

/*
 * Listens on a socket (or -1) and serves one administrator who is there
 * already (or -1).  NULL if there is no memory.
 */
struct admins *control_new(struct store *store, int listener, int admin);
void control_free(struct admins *admins);

/* After the commit: sends the replies that were held back for it. */
void control_flush(struct admins *admins);

/* After everything else: work that nobody waits for, a little at a time. */
void control_work(struct admins *admins);

/* The master has answered RELOAD or COUNT. */
void control_reloaded(struct admins *admins, const struct ipc_frame *frame);
void control_counted(struct admins *admins, const struct ipc_frame *frame);

/* How many administrators are connected; the store of chatctl ends at 0. */
int control_count(const struct admins *admins);

#endif
