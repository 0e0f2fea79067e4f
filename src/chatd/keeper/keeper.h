/* SPDX-License-Identifier: ISC */
/*
 * Holds what must never leak: the TLS private key, and passwords for as long
 * as it looks at them.  Signs handshakes at once; hashes and checks passwords
 * in two threads behind a queue of 32.
 */
#ifndef CHATD_KEEPER_H
#define CHATD_KEEPER_H

/*
 * Ends with the master's channel, on which a store's comes.  Where nobody
 * speaks TLS there is no master (-1), and it ends with the store's.
 */
_Noreturn void keeper_main(int master, int store);

#endif
