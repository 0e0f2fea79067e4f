/* SPDX-License-Identifier: ISC */
/*
 * How often one user may ask another: a table of pairs that have asked of
 * late.  Part of the store; forgotten with its process, knows no clock.
 */
#ifndef CHATD_PACE_H
#define CHATD_PACE_H

#include <stdint.h>

struct paces;

/* NULL if there is no memory. */
struct paces *paces_new(void);
void paces_free(struct paces *paces);

/*
 * Charges a question of this asker to that user: 0, or the seconds after
 * which it may be asked, and then nothing was charged.
 */
int pace_charge(struct paces *paces, int64_t asker, int64_t asked, int64_t now);

#endif
