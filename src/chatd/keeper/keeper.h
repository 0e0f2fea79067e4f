/* SPDX-License-Identifier: ISC */
/*
 * Holds what must never leak.  Hashes and checks passwords in two threads
 * behind a queue of 32; answers the store and nobody else.
 */
#ifndef CHATD_KEEPER_H
#define CHATD_KEEPER_H

/* Answers on the channel until the store's end closes and no more comes. */
_Noreturn void keeper_main(int store);

#endif
