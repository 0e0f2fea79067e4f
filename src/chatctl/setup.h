/* SPDX-License-Identifier: ISC */
/*
 * What a fresh machine needs before chatd can start, and whether it is all
 * as it should be.
 */
#ifndef CHATCTL_SETUP_H
#define CHATCTL_SETUP_H

#include "chatd/settings.h"

/* Reads the configuration; NULL after all that is wrong is on stderr. */
struct settings *setup_settings(const char *file);

#endif
