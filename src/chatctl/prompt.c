/* SPDX-License-Identifier: ISC */
/*
 * Asks for a password.  The terminal gets its echo back whatever happens;
 * nothing of a password stays in a buffer of the library's.
 */
#include <errno.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sysexits.h>
#include <termios.h>
#include <unistd.h>

#include "chatctl/commands.h"
#include "chatctl/prompt.h"

static volatile sig_atomic_t caught;

static void
catch_signal(int signo)
{
	caught = signo;
}

/* One octet; false at the end, on error or after a signal. */
static bool
read_octet(char *out)
{
	ssize_t got;

	do
		got = read(STDIN_FILENO, out, 1);
	while (got == -1 && errno == EINTR && caught == 0);
	return got == 1;
}

/* Reads a line; false, and out empty, if there is none that fits. */
static bool
read_line(char out[PASSWORD_MAX_LEN + 1])
{
	char line[PASSWORD_MAX_LEN + 2] = ""; /* and a CRLF's CR */
	size_t len = 0;
	bool any = false, fits = true;
	char octet;

	while (read_octet(&octet)) {
		any = true;
		if (octet == '\n')
			break;
		if (octet == '\0' || len == sizeof(line))
			fits = false;
		else
			line[len++] = octet;
	}
	if (len > 0 && line[len - 1] == '\r')
		len--;
	fits = fits && any && caught == 0 && len <= PASSWORD_MAX_LEN;
	memcpy(out, line, fits ? len : 0);
	out[fits ? len : 0] = '\0';
	explicit_bzero(line, sizeof(line));
	return fits;
}

/* Asks once, without echo. */
static bool
ask(const char *prompt, char out[PASSWORD_MAX_LEN + 1])
{
	struct termios before, quiet;
	bool read;

	if (tcgetattr(STDIN_FILENO, &before) == -1)
		return false;
	quiet = before;
	quiet.c_lflag &= ~(tcflag_t)ECHO;
	quiet.c_lflag |= ECHONL;
	tcsetattr(STDIN_FILENO, TCSAFLUSH, &quiet);
	fputs(prompt, stderr);
	fflush(stderr);
	read = read_line(out);
	tcsetattr(STDIN_FILENO, TCSAFLUSH, &before);
	return read;
}

/* Asks twice; signals wait until the terminal is as it was. */
static int
ask_twice(char out[PASSWORD_MAX_LEN + 1])
{
	static const int signals[] = {SIGINT, SIGTERM, SIGHUP, SIGQUIT};
	enum { COUNT = sizeof(signals) / sizeof(signals[0]) };
	struct sigaction before[COUNT], action = {.sa_handler = catch_signal};
	void (*stop)(int) = signal(SIGTSTP, SIG_IGN);
	char again[PASSWORD_MAX_LEN + 1] = "";
	bool same = false, read;

	for (int i = 0; i < COUNT; i++)
		sigaction(signals[i], &action, &before[i]);
	read = ask("Password: ", out) && ask("Repeat: ", again);
	same = read && strcmp(out, again) == 0;
	explicit_bzero(again, sizeof(again));
	for (int i = 0; i < COUNT; i++)
		sigaction(signals[i], &before[i], NULL);
	signal(SIGTSTP, stop);
	if (caught != 0) {
		fputc('\n', stderr);
		raise(caught);
	}
	if (same)
		return 0;
	complain(read ? "the passwords differ" : "no password was given");
	return CTL_REFUSED;
}

int
prompt_password(char out[PASSWORD_MAX_LEN + 1])
{
	int status = 0;

	out[0] = '\0';
	if (isatty(STDIN_FILENO)) {
		status = ask_twice(out);
	} else if (!read_line(out)) {
		complain("standard input has no password in its first line, "
			 "or one of more than %d octets",
		    PASSWORD_MAX_LEN);
		status = CTL_REFUSED;
	}
	if (status == 0 && out[0] == '\0') {
		complain("a password has 1 to %d octets", PASSWORD_MAX_LEN);
		status = CTL_REFUSED;
	}
	return status;
}
