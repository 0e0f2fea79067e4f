/* SPDX-License-Identifier: ISC */
/*
 * No line editing: built where readline is not wanted or not there.  The
 * kernel's own editing is all there is, and the face reads whole lines.
 */
#include "chat/faces/terminal.h"

const char *
terminal_library(void)
{
	return NULL;
}

struct terminal *
terminal_open(const struct terminal_setup *setup)
{
	(void)setup;
	return NULL;
}

void
terminal_close(struct terminal *terminal)
{
	(void)terminal;
}

void
terminal_read(struct terminal *terminal)
{
	(void)terminal;
}

bool
terminal_take(struct terminal *terminal, char **line, size_t *len)
{
	(void)terminal;
	(void)line;
	(void)len;
	return false;
}

bool
terminal_ended(const struct terminal *terminal)
{
	(void)terminal;
	return false;
}

void
terminal_hide(struct terminal *terminal)
{
	(void)terminal;
}

void
terminal_show(struct terminal *terminal)
{
	(void)terminal;
}

void
terminal_prompt(struct terminal *terminal, const char *prompt)
{
	(void)terminal;
	(void)prompt;
}

bool
terminal_clear(struct terminal *terminal)
{
	(void)terminal;
	return false;
}

void
terminal_resize(struct terminal *terminal)
{
	(void)terminal;
}

void
terminal_suspend(struct terminal *terminal)
{
	(void)terminal;
}

void
terminal_resume(struct terminal *terminal)
{
	(void)terminal;
}
