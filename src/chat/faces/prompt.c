/* SPDX-License-Identifier: ISC */
/*
 * Standard input as a face reads it before its loop runs: whole lines,
 * questions on a terminal, passwords without echo.  Off a terminal nothing
 * is printed and nobody is asked.
 */
#include "chat/faces/prompt.h"

#include <sys/stat.h>
#include <sys/wait.h>

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <termios.h>
#include <unistd.h>

enum { MAX_CANON_LEN = 4095 }; /* what a line of a terminal is cut to */

void
prompt_init(struct prompt *prompt, int stop)
{
	memset(prompt, 0, sizeof(*prompt));
	prompt->terminal = isatty(STDIN_FILENO) && isatty(STDOUT_FILENO);
	prompt->stop = stop;
}

/* Frees and wipes: a password may have been typed ahead. */
void
prompt_release(struct prompt *prompt)
{
	if (prompt->in.data != NULL)
		explicit_bzero(prompt->in.data, prompt->in.size);
	line_release(&prompt->in);
}

/* Reads once from standard input. */
void
prompt_read(struct prompt *prompt)
{
	size_t room;
	char *at = line_room(&prompt->in, &room);
	ssize_t n;

	if (at == NULL) {
		prompt->ended = true;
		return;
	}
	n = read(STDIN_FILENO, at, room);
	if (n > 0)
		line_added(&prompt->in, (size_t)n);
	else if (n == 0 || (errno != EINTR && errno != EAGAIN))
		prompt->ended = true;
}

/* Throws away what belongs to a line that is too long. */
static void
skip(struct prompt *prompt)
{
	struct line_buf *in = &prompt->in;
	const char *from = in->data + in->start;
	const char *end = memchr(from, '\n', in->len);
	size_t gone = end != NULL ? (size_t)(end - from) + 1 : in->len;

	prompt->skipping = end == NULL;
	in->start += gone;
	in->len -= gone;
	in->seen = 0;
}

/* What stands after the last newline, at the end of the input. */
static bool
take_rest(struct prompt *prompt, char **line, size_t *len)
{
	struct line_buf *in = &prompt->in;
	char *at;
	size_t room;

	if (!prompt->ended || in->len == 0)
		return false;
	at = line_room(in, &room);
	if (at == NULL)
		return false;
	*at = '\n';
	line_added(in, 1);
	return line_take(in, line, len) == LINE_READY;
}

/* The next line that has come, without its line end. */
bool
prompt_take(struct prompt *prompt, char **line, size_t *len, bool *too_long)
{
	enum line_state state;

	*too_long = false;
	if (prompt->skipping && prompt->in.len > 0)
		skip(prompt);
	state = line_take(&prompt->in, line, len);
	if (state == LINE_TOO_LONG) {
		skip(prompt);
		*too_long = true;
		return true;
	}
	if (state == LINE_NONE && !take_rest(prompt, line, len))
		return false;
	if (*len > 0 && (*line)[*len - 1] == '\r')
		(*line)[--*len] = '\0';
	/* The rest of it did not fit the terminal's buffer, and is lost. */
	*too_long = prompt->terminal && *len >= MAX_CANON_LEN;
	return true;
}

/* Waits for input; false if the user wants to leave instead. */
static bool
wait_input(const struct prompt *prompt, int fd)
{
	struct pollfd pfds[2] = {
	    {.fd = fd, .events = POLLIN},
	    {.fd = prompt->stop, .events = POLLIN},
	};

	while (poll(pfds, 2, -1) == -1)
		if (errno != EINTR)
			return true;
	return pfds[1].revents == 0;
}

/* Switches the terminal's echo; what it was goes to saved. */
static bool
echo_off(struct termios *saved)
{
	struct termios quiet;

	if (tcgetattr(STDIN_FILENO, saved) == -1)
		return false;
	quiet = *saved;
	quiet.c_lflag &= ~(tcflag_t)(ECHO | ECHOE | ECHOK);
	quiet.c_lflag |= ECHONL;
	return tcsetattr(STDIN_FILENO, TCSADRAIN, &quiet) == 0;
}

/* Reads one line into out. */
static enum prompt_status
read_answer(struct prompt *prompt, char *out, size_t size)
{
	bool too_long;
	char *line;
	size_t len;

	while (!prompt_take(prompt, &line, &len, &too_long)) {
		if (prompt->ended)
			return PROMPT_END;
		if (!wait_input(prompt, STDIN_FILENO))
			return PROMPT_STOPPED;
		prompt_read(prompt);
	}
	*out = '\0';
	if (!too_long && len < size && memchr(line, '\0', len) == NULL)
		memcpy(out, line, len + 1);
	if (!too_long)
		explicit_bzero(line, len);
	return PROMPT_OK;
}

/* Asks and reads one line. */
enum prompt_status
prompt_ask(struct prompt *prompt, const char *question, bool echo, char *out,
    size_t size)
{
	enum prompt_status status;
	struct termios saved;
	bool quiet;

	if (prompt->closed)
		return PROMPT_END;
	if (prompt->terminal) {
		fputs(question, stdout);
		fflush(stdout);
	}
	/* It may be typed on a terminal while the output goes elsewhere. */
	quiet = !echo && echo_off(&saved);
	status = read_answer(prompt, out, size);
	if (quiet)
		tcsetattr(STDIN_FILENO, TCSADRAIN, &saved);
	if (prompt->terminal && status != PROMPT_OK) {
		putchar('\n');
		fflush(stdout);
	}
	return status;
}

/* Reads the first line from a descriptor; PROMPT_END if it is empty. */
static enum prompt_status
first_line(const struct prompt *prompt, int fd, char *out, size_t size)
{
	size_t len = 0;
	ssize_t n = 1;

	errno = 0;
	while (n != 0 && len < size - 1 && memchr(out, '\n', len) == NULL) {
		if (!wait_input(prompt, fd))
			return PROMPT_STOPPED;
		n = read(fd, out + len, size - 1 - len);
		if (n == -1 && errno != EINTR)
			return PROMPT_END;
		len += n > 0 ? (size_t)n : 0;
	}
	out[len] = '\0';
	len = strcspn(out, "\n");
	explicit_bzero(out + len, size - len);
	if (len > 0 && out[len - 1] == '\r')
		out[--len] = '\0';
	return len > 0 ? PROMPT_OK : PROMPT_END;
}

/*
 * Says that a password lies open.  No more than that: where secrets are
 * handed to a container, their mode is not its user's choice.
 */
static void
warn_open(int fd, const char *path)
{
	struct stat st;

	if (fstat(fd, &st) == 0 && S_ISREG(st.st_mode) &&
	    (st.st_mode & 077) != 0)
		fprintf(stderr,
		    "chat: warning: %s: others can read the password; run: "
		    "chmod 600 '%s'\n",
		    path, path);
}

/* The first line of a file. */
enum prompt_status
prompt_file(const struct prompt *prompt, const char *path, char *out,
    size_t size, char why[256])
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	enum prompt_status status =
	    fd == -1 ? PROMPT_END : first_line(prompt, fd, out, size);

	if (status == PROMPT_END)
		snprintf(why, 256, "%.180s: %s", path,
		    errno != 0 ? strerror(errno) : "the first line is empty");
	else if (status == PROMPT_OK)
		warn_open(fd, path);
	if (fd != -1)
		close(fd);
	return status;
}

/* The child that runs the command, with the signals as they were. */
_Noreturn static void
run_command(const char *command, int to)
{
	sigset_t none;
	int null;

	/* What is piped in is ours to read; only a person can be asked. */
	if (!isatty(STDIN_FILENO)) {
		null = open("/dev/null", O_RDONLY);
		dup2(null, STDIN_FILENO);
		close(null);
	}
	dup2(to, STDOUT_FILENO);
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	signal(SIGPIPE, SIG_DFL);
	signal(SIGXFSZ, SIG_DFL);
	execl("/bin/sh", "sh", "-c", command, (char *)NULL);
	_exit(127);
}

/* Reads the rest too, or the command may die of SIGPIPE. */
static enum prompt_status
drain(const struct prompt *prompt, int fd)
{
	char waste[256];

	while (wait_input(prompt, fd))
		if (read(fd, waste, sizeof(waste)) <= 0)
			return PROMPT_OK;
	return PROMPT_STOPPED;
}

/* False, with a sentence, if the command did not end well. */
static bool
ended_well(int result, char why[256])
{
	if (WIFEXITED(result) && WEXITSTATUS(result) == 0)
		return true;
	if (WIFEXITED(result))
		snprintf(why, 256,
		    "the password command failed with exit status %d",
		    WEXITSTATUS(result));
	else if (WIFSIGNALED(result))
		snprintf(why, 256, "the password command was ended: %s",
		    strsignal(WTERMSIG(result)));
	return false;
}

/* The first line of what a command prints. */
enum prompt_status
prompt_command(const struct prompt *prompt, const char *command, char *out,
    size_t size, char why[256])
{
	enum prompt_status status;
	int ends[2], result = -1;
	pid_t pid;

	if (pipe2(ends, O_CLOEXEC) == -1) {
		snprintf(why, 256, "the password command: %s", strerror(errno));
		return PROMPT_END;
	}
	pid = fork();
	if (pid == 0)
		run_command(command, ends[1]);
	if (pid == -1) {
		snprintf(why, 256, "the password command: %s", strerror(errno));
		close(ends[0]);
		close(ends[1]);
		return PROMPT_END;
	}
	close(ends[1]);
	status = first_line(prompt, ends[0], out, size);
	if (status != PROMPT_STOPPED &&
	    drain(prompt, ends[0]) == PROMPT_STOPPED)
		status = PROMPT_STOPPED;
	close(ends[0]);
	if (status == PROMPT_STOPPED) {
		kill(pid, SIGTERM);
		return status;
	}
	while (waitpid(pid, &result, 0) == -1 && errno == EINTR)
		continue;
	if (!ended_well(result, why))
		return PROMPT_END;
	if (status == PROMPT_END)
		snprintf(why, 256,
		    "the first line that the password command printed is "
		    "empty");
	return status;
}
