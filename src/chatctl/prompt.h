/* SPDX-License-Identifier: ISC */
/*
 * A password from whoever runs chatctl: a terminal without echo, twice, or
 * the first line of standard input.
 */
#ifndef CHATCTL_PROMPT_H
#define CHATCTL_PROMPT_H

#include "lib/text.h"

/* 0, or an exit status after the reason; wipe it in both cases. */
int prompt_password(char out[PASSWORD_MAX_LEN + 1]);

#endif
