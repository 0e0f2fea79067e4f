/* SPDX-License-Identifier: ISC */
/*
 * The terminal with GNU readline's callbacks: the one file that includes it.
 * A program linked with readline is under its GPL-3; `--without-readline`
 * builds one that is not.  Runs in a face; never sees a password.
 */
#include "chat/faces/terminal.h"

#include <errno.h>
#include <langinfo.h>
#include <locale.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <wchar.h>

#include <readline/history.h>
#include <readline/readline.h>

#include "chat/faces/charset.h"
#include "chat/faces/recall.h"

struct terminal {
	struct terminal_setup setup;
	FILE *screen; /* readline's own way to the terminal */
	char *line; /* finished, and not taken yet */
	char *taken; /* what terminal_take() gave last */
	bool ended;
	bool cut; /* the input seemed to end: a signal wants us to leave */
	bool hidden;
	char **words; /* completion: what is left to offer */
	char **next;
};

/* readline's callbacks carry no argument, and it can be used once only. */
static struct terminal the;
static bool is_open;

const char *
terminal_library(void)
{
	static char name[64];

	snprintf(name, sizeof(name), "readline %s", rl_library_version);
	return name;
}

/* ---- what readline calls ---- */

/*
 * The next octet of a key.  A signal that asks us to leave ends the input:
 * readline may wait here, in the middle of a key or of pasted text.
 */
static int
next_octet(FILE *from)
{
	struct pollfd pfds[2] = {
	    {.fd = STDIN_FILENO, .events = POLLIN},
	    {.fd = the.setup.stop, .events = POLLIN},
	};
	unsigned char octet;
	ssize_t n;

	(void)from;
	do {
		n = -1;
		if (poll(pfds, 2, -1) == -1)
			continue;
		if (pfds[1].revents != 0) {
			the.cut = true;
			return EOF;
		}
		n = read(STDIN_FILENO, &octet, 1);
	} while (n == -1 && (errno == EINTR || errno == EAGAIN));
	if (n == 1)
		return octet;
	the.ended = true;
	return EOF;
}

/* Remembers a finished line, unless it is the last one again. */
static void
remember(const char *line)
{
	HIST_ENTRY *last = history_get(history_base + history_length - 1);

	if (line[strspn(line, " \t\n")] == '\0' ||
	    (last != NULL && strcmp(last->line, line) == 0))
		return;
	add_history(line);
	recall_add(the.setup.history, line);
}

/* A line is finished; NULL: Ctrl-D on an empty one. */
static void
finished(char *line)
{
	size_t len;

	/* What stands there when the input ends is taken for a finished line,
	 * and is not to be sent. */
	if (line == NULL || the.ended || the.cut) {
		the.ended |= !the.cut;
		free(line);
		return;
	}
	/* What was pasted often ends with one. */
	for (len = strlen(line); len > 0 && line[len - 1] == '\n';)
		line[--len] = '\0';
	remember(line);
	free(the.line);
	the.line = line;
}

/* Alt-Enter: the message goes on in the next line. */
static int
insert_newline(int count, int key)
{
	(void)key;
	while (count-- > 0)
		rl_insert_text("\n");
	return 0;
}

/* Gives readline one word after the other, which it frees. */
static char *
next_word(const char *text, int state)
{
	(void)text;
	if (state == 0)
		the.next = the.words;
	return the.next != NULL && *the.next != NULL ? *the.next++ : NULL;
}

/* What the word at the cursor can become; never a file. */
static char **
complete(const char *text, int start, int end)
{
	char **matches = NULL;

	rl_attempted_completion_over = 1;
	the.words = complete_words(
	    the.setup.people, rl_line_buffer, (size_t)start, (size_t)end);
	if (the.words != NULL)
		matches = rl_completion_matches(text, next_word);
	free(the.words);
	the.words = the.next = NULL;
	return matches;
}

/* ---- the beginning and the end ---- */

/*
 * Text is UTF-8 whatever the locale says, and readline has to know how wide
 * it is; it reads the environment itself.
 */
static void
use_utf8(void)
{
	charset_is_other();
	setlocale(LC_CTYPE, "");
	if (strcmp(nl_langinfo(CODESET), "UTF-8") == 0)
		return;
	setenv("LC_ALL", "C.UTF-8", 1);
	setlocale(LC_CTYPE, "");
}

/* Signals are the loop's, files are not completed, the rest is inputrc's. */
static void
set_up(void)
{
	rl_readline_name = "chat";
	rl_instream = stdin;
	rl_outstream = the.screen;
	rl_catch_signals = 0;
	rl_catch_sigwinch = 0;
	rl_change_environment = 0;
	rl_getc_function = next_octet;
	rl_attempted_completion_function = complete;
	rl_completer_word_break_characters = " \t\n/";
	rl_completer_quote_characters = NULL;
	rl_initialize();
	/* Pasted text is never to send itself, so inputrc has no say in it. */
	rl_variable_bind("enable-bracketed-paste", "on");
	rl_bind_keyseq_in_map(
	    "\\e\\C-m", insert_newline, emacs_standard_keymap);
	rl_bind_keyseq_in_map(
	    "\\e\\C-j", insert_newline, emacs_standard_keymap);
	stifle_history(RECALL_MAX);
}

static void
recalled(void *arg, const char *line)
{
	(void)arg;
	add_history(line);
}

/* Whatever ends the process, the terminal is put back. */
static void
put_back(void)
{
	if (is_open)
		rl_deprep_terminal();
}

struct terminal *
terminal_open(const struct terminal_setup *setup)
{
	static bool used;
	const char *term = getenv("TERM");
	int fd;

	if (used || term == NULL || *term == '\0' || strcmp(term, "dumb") == 0)
		return NULL;
	fd = dup(STDOUT_FILENO);
	the = (struct terminal){.setup = *setup};
	the.screen = fd != -1 ? fdopen(fd, "w") : NULL;
	if (the.screen == NULL) {
		if (fd != -1)
			close(fd);
		return NULL;
	}
	used = true;
	use_utf8();
	set_up();
	recall_trim(setup->history);
	recall_read(setup->history, recalled, NULL);
	atexit(put_back);
	is_open = true;
	rl_callback_handler_install(setup->prompt, finished);
	return &the;
}

void
terminal_close(struct terminal *terminal)
{
	if (terminal == NULL || !is_open)
		return;
	terminal_hide(terminal);
	rl_callback_handler_remove();
	is_open = false;
	fflush(the.screen);
	recall_trim(the.setup.history);
	free(the.line);
	free(the.taken);
	the.line = the.taken = NULL;
}

/* ---- what the face calls ---- */

void
terminal_read(struct terminal *terminal)
{
	struct pollfd stop = {.fd = terminal->setup.stop, .events = POLLIN};

	if (!is_open || terminal->ended || poll(&stop, 1, 0) != 0)
		return;
	terminal->cut = false;
	rl_callback_read_char();
}

bool
terminal_take(struct terminal *terminal, char **line, size_t *len)
{
	free(terminal->taken);
	terminal->taken = terminal->line;
	terminal->line = NULL;
	if (terminal->taken == NULL)
		return false;
	*line = terminal->taken;
	*len = strlen(terminal->taken);
	return true;
}

bool
terminal_ended(const struct terminal *terminal)
{
	return terminal != NULL && terminal->ended;
}

void
terminal_hide(struct terminal *terminal)
{
	if (terminal == NULL || !is_open || terminal->hidden)
		return;
	rl_clear_visible_line();
	fflush(terminal->screen);
	terminal->hidden = true;
}

void
terminal_show(struct terminal *terminal)
{
	if (terminal == NULL || !is_open || !terminal->hidden)
		return;
	terminal->hidden = false;
	rl_forced_update_display();
}

void
terminal_prompt(struct terminal *terminal, const char *prompt)
{
	if (terminal == NULL || !is_open)
		return;
	rl_set_prompt(prompt);
	if (!terminal->hidden)
		rl_redisplay();
}

bool
terminal_clear(struct terminal *terminal)
{
	if (terminal == NULL || !is_open ||
	    (rl_end == 0 && !RL_ISSTATE(RL_STATE_ISEARCH | RL_STATE_NSEARCH)))
		return false;
	rl_free_line_state();
	rl_callback_sigcleanup();
	rl_replace_line("", 1);
	rl_redisplay();
	return true;
}

/* The row below the prompt's first in which a text of that width ends. */
static int
rows_of(const char *text, size_t len, int columns, int *column)
{
	int row = 0, wide;
	mbstate_t state = {0};
	wchar_t c;
	size_t n;

	for (; len > 0; text += n, len -= n) {
		n = mbrtowc(&c, text, len, &state);
		if (n == 0 || n > len)
			return row;
		if (c == L'\n') {
			row++;
			*column = 0;
			continue;
		}
		wide = wcwidth(c);
		if (*column + wide > columns) {
			row++;
			*column = 0;
		}
		/* Others are shown as ^ and a letter. */
		*column += wide >= 0 ? wide : 2;
	}
	return row;
}

/* How many rows the cursor is below the prompt's beginning. */
static int
rows_above(int columns)
{
	int column = 0, rows;

	rows = rows_of(
	    rl_display_prompt, strlen(rl_display_prompt), columns, &column);
	rows += rows_of(rl_line_buffer, (size_t)rl_point, columns, &column);
	return rows + (column >= columns);
}

/*
 * Some terminals break what stands there anew, some do not, and none says so;
 * readline goes up as many rows as there were.  The fewer of the two leave a
 * row of the prompt too many at worst, where more would take what was said.
 */
void
terminal_resize(struct terminal *terminal)
{
	int rows, before, now, up;

	if (terminal == NULL || !is_open)
		return;
	if (terminal->hidden || rl_display_prompt == NULL) {
		rl_reset_screen_size();
		return;
	}
	rl_get_screen_size(&rows, &before);
	rl_reset_screen_size();
	rl_get_screen_size(&rows, &now);
	up = rows_above(before);
	if (rows_above(now) < up)
		up = rows_above(now);
	putc('\r', terminal->screen);
	while (up-- > 0)
		fputs("\033[A", terminal->screen);
	fputs("\033[J", terminal->screen);
	rl_on_new_line();
	rl_forced_update_display();
}

void
terminal_suspend(struct terminal *terminal)
{
	sigset_t stop, before;

	if (terminal == NULL || !is_open)
		return;
	terminal_hide(terminal);
	rl_deprep_terminal();
	sigemptyset(&stop);
	sigaddset(&stop, SIGTSTP);
	/* It is blocked for the loop; unblocked it stops us at once. */
	raise(SIGTSTP);
	sigprocmask(SIG_UNBLOCK, &stop, &before);
	sigprocmask(SIG_SETMASK, &before, NULL);
	terminal_resume(terminal);
}

void
terminal_resume(struct terminal *terminal)
{
	if (terminal == NULL || !is_open)
		return;
	/* Another program has left the cursor where it likes. */
	rl_deprep_terminal();
	rl_prep_terminal(1);
	rl_reset_screen_size();
	terminal->hidden = true;
	terminal_show(terminal);
}
