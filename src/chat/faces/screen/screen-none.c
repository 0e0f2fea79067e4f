/* SPDX-License-Identifier: ISC */
/*
 * The full screen where there is no ncursesw: there is none, and chat has
 * its line face.
 */
#include "chat/faces/screen/screen.h"

#include <stddef.h>
#include <sysexits.h>

const char *
screen_library(void)
{
	return NULL;
}

bool
screen_possible(const char **why)
{
	*why = "built without the full screen";
	return false;
}

int
screen_main(const struct account *account, struct face *face,
    struct prompt *prompt, const json_t *login)
{
	(void)account;
	(void)face;
	(void)prompt;
	(void)login;
	return EX_SOFTWARE;
}
