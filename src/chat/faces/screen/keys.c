/* SPDX-License-Identifier: ISC */
/*
 * The keys of the full screen as rows of a table: what each is called, what it
 * does, where it counts.  The help is made from the same rows.
 */
#include <sys/ioctl.h>

#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "chat/faces/screen/parts.h"
#include "lib/unix.h"

enum {
	ALT = 1 << 24, /* Escape came before it */
	CODE = 1 << 25, /* a code of curses', no character */
	ESCAPE = 27,
	PASTE_GAP_MS = 1000,
	/* Codes of our own. */
	KEY_PASTE_ON = KEY_MAX + 1,
	KEY_PASTE_OFF,
	KEY_ALT_UP,
	KEY_ALT_DOWN,
	KEY_CTRL_LEFT,
	KEY_CTRL_RIGHT,
	KEY_CTRL_HOME,
	KEY_CTRL_END,
	LIST_MODES = MODE_FIND | MODE_CHOOSE,
	EDIT_MODES = MODE_TALK | MODE_FIND,
};

/* What terminals send, where their description does not say. */
static const struct {
	const char *octets;
	int code;
} sequences[] = {
    {"\033[200~", KEY_PASTE_ON},
    {"\033[201~", KEY_PASTE_OFF},
    {"\033[1;3A", KEY_ALT_UP},
    {"\033[1;3B", KEY_ALT_DOWN},
    {"\033[1;5D", KEY_CTRL_LEFT},
    {"\033[1;5C", KEY_CTRL_RIGHT},
    {"\033[1;5H", KEY_CTRL_HOME},
    {"\033[1;5F", KEY_CTRL_END},
    {"\033OP", KEY_F(1)},
    {"\033OQ", KEY_F(2)},
    {"\033OR", KEY_F(3)},
    {"\033OS", KEY_F(4)},
    {"\033[11~", KEY_F(1)},
    {"\033[12~", KEY_F(2)},
    {"\033[13~", KEY_F(3)},
    {"\033[14~", KEY_F(4)},
};

void
keys_define(void)
{
	for (size_t i = 0; i < sizeof(sequences) / sizeof(*sequences); i++)
		define_key(sequences[i].octets, sequences[i].code);
}

/* ---- what keys do ---- */

static void
do_page_up(struct screen *screen, int arg)
{
	int page = screen->layout.talk.rows;

	if (page > 1)
		page--;
	if (screen->mode == MODE_HELP) {
		arg *= page;
		if (arg < 0 && screen->help_top < (size_t)-arg)
			screen->help_top = 0;
		else if (arg < 0 ||
		    screen->help_top + (size_t)arg < screen->help.count)
			screen->help_top += (size_t)arg;
		screen_dirty(screen, DIRT_TALK);
	} else if (chooser_open(screen))
		chooser_move(screen, arg * page);
	else
		view_scroll(screen, -arg * page);
}

/* The next conversation in the list, or the one before. */
static void
do_next(struct screen *screen, int arg)
{
	size_t at = 0, count = mirror_count(screen->mirror);
	const struct mirror_talk *talk;

	if (count == 0)
		return;
	mirror_find(screen->mirror, screen->open, &at);
	talk = mirror_at(
	    screen->mirror, (at + count + (arg > 0 ? 1 : count - 1)) % count);
	if (talk != NULL)
		screen_open(screen, talk->user);
}

/* The next conversation with something unread. */
static void
do_unread(struct screen *screen, int arg)
{
	const struct mirror_talk *talk =
	    mirror_unread(screen->mirror, screen_talk(screen));

	(void)arg;
	if (talk != NULL)
		screen_open(screen, talk->user);
}

/* The conversation with that number in the list. */
static void
do_number(struct screen *screen, int arg)
{
	const struct mirror_talk *talk;

	if ((size_t)arg >= mirror_count(screen->mirror))
		return;
	talk = mirror_at(screen->mirror, (size_t)arg);
	if (talk != NULL)
		screen_open(screen, talk->user);
}

static void
do_edit(struct screen *screen, int arg)
{
	edit_do(typing_edit(screen), (enum edit_action)arg);
	typing_edited(screen, arg >= EDIT_BACKSPACE);
}

/* Up and down: in a list, in the text, and beyond it what was typed before. */
static void
do_up_down(struct screen *screen, int arg)
{
	struct edit *edit = typing_edit(screen);

	if (screen->mode == MODE_HELP) {
		if (arg > 0 && screen->help_top + 1 < screen->help.count)
			screen->help_top++;
		else if (arg < 0 && screen->help_top > 0)
			screen->help_top--;
		screen_dirty(screen, DIRT_TALK);
	} else if (chooser_open(screen))
		chooser_move(screen, arg);
	else if (!edit_do(edit, arg < 0 ? EDIT_UP : EDIT_DOWN))
		edit_do(edit, arg < 0 ? EDIT_OLDER : EDIT_NEWER);
	screen_dirty(screen, DIRT_COMPOSER | DIRT_LAYOUT);
}

static void
do_enter(struct screen *screen, int arg)
{
	(void)arg;
	typing_enter(screen);
}

static void
do_newline(struct screen *screen, int arg)
{
	(void)arg;
	typing_newline(screen);
}

static void
do_complete(struct screen *screen, int arg)
{
	(void)arg;
	typing_complete(screen);
}

static void
do_consent(struct screen *screen, int arg)
{
	if (arg > 0)
		consent_yes(screen);
	else
		consent_no(screen);
}

static void
do_help(struct screen *screen, int arg)
{
	(void)arg;
	if (screen->mode == MODE_HELP)
		screen_mode(screen, MODE_TALK);
	else
		keys_help(screen);
}

static void
do_find(struct screen *screen, int arg)
{
	(void)arg;
	find_begin(screen);
}

static void
do_choose(struct screen *screen, int arg)
{
	(void)arg;
	chooser_talks(screen);
}

static void
do_end(struct screen *screen, int arg)
{
	(void)arg;
	view_end(screen);
}

/* Ctrl-D: in an empty composer it leaves, else it deletes. */
static void
do_end_of_input(struct screen *screen, int arg)
{
	size_t len;

	(void)arg;
	edit_text(typing_edit(screen), &len);
	if (len == 0 && screen->mode == MODE_TALK)
		screen_leave(screen, false);
	else
		do_edit(screen, EDIT_DELETE);
}

static void
do_back(struct screen *screen, int arg)
{
	(void)arg;
	screen_mode(screen, MODE_TALK);
}

/* Lines of this conversation go straight to the other one, or not any more. */
static void
do_private(struct screen *screen, int arg)
{
	const struct mirror_talk *talk = screen_talk(screen);

	(void)arg;
	if (strcmp(screen->private_to, screen->open) == 0)
		*screen->private_to = '\0';
	else if (talk != NULL && talk->link == MIRROR_LINKED)
		memcpy(screen->private_to, screen->open,
		    sizeof(screen->private_to));
	else if (*screen->open != '\0')
		screen_sayf(screen,
		    "No private link with %s. Type \"getaddress %s\" first.",
		    screen->open, screen->open);
	screen_dirty(screen, DIRT_COMPOSER | DIRT_LAYOUT);
}

/* Ctrl-C: empties the composer; an empty one leaves. */
static void
do_interrupt(struct screen *screen, int arg)
{
	(void)arg;
	if (!typing_clear(screen))
		screen_leave(screen, false);
}

static void
do_leave(struct screen *screen, int arg)
{
	(void)arg;
	screen_leave(screen, false);
}

/* Ctrl-Z: all that share the terminal with us stop; the loop takes ours. */
static void
do_stop(struct screen *screen, int arg)
{
	(void)screen;
	(void)arg;
	kill(0, SIGTSTP);
}

static void
do_redraw(struct screen *screen, int arg)
{
	(void)arg;
	clearok(curscr, TRUE);
	screen_dirty(screen, DIRT_ALL);
}

/* ---- the table ---- */

struct key_row {
	int key;
	unsigned modes; /* where it counts */
	const char *name; /* of all rows with the same help; NULL: see above */
	const char *help;
	void (*fn)(struct screen *screen, int arg);
	int arg;
};

static const struct key_row rows[] = {
    {'\r', MODE_ANY, "Enter", "send the message, carry out the command",
	do_enter, 0},
    {CODE | KEY_ENTER, MODE_ANY, NULL, NULL, do_enter, 0},
    {ALT | '\r', MODE_TALK, "Alt-Enter, Ctrl-J", "begin another line",
	do_newline, 0},
    {'\n', MODE_TALK, NULL, NULL, do_newline, 0},
    {ALT | '\n', MODE_TALK, NULL, NULL, do_newline, 0},
    {'\t', MODE_TALK, "Tab", "complete a command or a name", do_complete, 0},
    {CODE | KEY_UP, MODE_ANY, "Up, Down",
	"a line up or down, then what was typed before", do_up_down, -1},
    {CODE | KEY_DOWN, MODE_ANY, NULL, NULL, do_up_down, 1},
    {CTRL('p'), EDIT_MODES, "Ctrl-P, Ctrl-N", "what was typed before", do_edit,
	EDIT_OLDER},
    {CTRL('n'), EDIT_MODES, NULL, NULL, do_edit, EDIT_NEWER},
    {CODE | KEY_PPAGE, MODE_ANY, "Page Up, Page Down",
	"scroll the conversation", do_page_up, -1},
    {CODE | KEY_NPAGE, MODE_ANY, NULL, NULL, do_page_up, 1},
    {ALT | '>', MODE_TALK, "Alt->, Ctrl-End", "to the last message", do_end, 0},
    {CODE | KEY_CTRL_END, MODE_TALK, NULL, NULL, do_end, 0},
    {ALT | 'a', MODE_ANY, "Alt-a", "the next conversation with unread ones",
	do_unread, 0},
    {ALT | 'n', MODE_ANY, "Alt-n, Alt-p, Alt-Down, Alt-Up",
	"the next conversation, the one before", do_next, 1},
    {CODE | KEY_ALT_DOWN, MODE_ANY, NULL, NULL, do_next, 1},
    {ALT | 'p', MODE_ANY, NULL, NULL, do_next, -1},
    {CODE | KEY_ALT_UP, MODE_ANY, NULL, NULL, do_next, -1},
    {ALT | '1', MODE_ANY, "Alt-1 to Alt-9", "the conversation of that number",
	do_number, 0},
    {ALT | '2', MODE_ANY, NULL, NULL, do_number, 1},
    {ALT | '3', MODE_ANY, NULL, NULL, do_number, 2},
    {ALT | '4', MODE_ANY, NULL, NULL, do_number, 3},
    {ALT | '5', MODE_ANY, NULL, NULL, do_number, 4},
    {ALT | '6', MODE_ANY, NULL, NULL, do_number, 5},
    {ALT | '7', MODE_ANY, NULL, NULL, do_number, 6},
    {ALT | '8', MODE_ANY, NULL, NULL, do_number, 7},
    {ALT | '9', MODE_ANY, NULL, NULL, do_number, 8},
    {CODE | KEY_F(1), MODE_ANY, "F1", "this help", do_help, 0},
    {CODE | KEY_F(2), MODE_ANY, "F2", "yes to who asks to talk privately",
	do_consent, 1},
    {CODE | KEY_F(3), MODE_ANY, "F3", "no to who asks to talk privately",
	do_consent, 0},
    {CODE | KEY_F(4), MODE_ANY, "F4", "choose a conversation", do_choose, 0},
    {CTRL('f'), MODE_ANY, "Ctrl-F", "search in what was said", do_find, 0},
    {ALT | 's', MODE_TALK, "Alt-s",
	"send over the private link, or not any more", do_private, 0},
    {ESCAPE, MODE_ANY, "Escape", "back to the conversation", do_back, 0},
    {CTRL('g'), MODE_ANY, NULL, NULL, do_back, 0},
    {CODE | KEY_LEFT, EDIT_MODES, "Left, Right", "a character", do_edit,
	EDIT_LEFT},
    {CODE | KEY_RIGHT, EDIT_MODES, NULL, NULL, do_edit, EDIT_RIGHT},
    {CTRL('b'), EDIT_MODES, NULL, NULL, do_edit, EDIT_LEFT},
    {ALT | 'b', EDIT_MODES, "Alt-b, Alt-f, Ctrl-Left, Ctrl-Right", "a word",
	do_edit, EDIT_WORD_LEFT},
    {ALT | 'f', EDIT_MODES, NULL, NULL, do_edit, EDIT_WORD_RIGHT},
    {CODE | KEY_CTRL_LEFT, EDIT_MODES, NULL, NULL, do_edit, EDIT_WORD_LEFT},
    {CODE | KEY_CTRL_RIGHT, EDIT_MODES, NULL, NULL, do_edit, EDIT_WORD_RIGHT},
    {CTRL('a'), EDIT_MODES, "Home, End, Ctrl-A, Ctrl-E",
	"the beginning, the end of the line", do_edit, EDIT_LINE_START},
    {CODE | KEY_HOME, EDIT_MODES, NULL, NULL, do_edit, EDIT_LINE_START},
    {CTRL('e'), EDIT_MODES, NULL, NULL, do_edit, EDIT_LINE_END},
    {CODE | KEY_END, EDIT_MODES, NULL, NULL, do_edit, EDIT_LINE_END},
    {CODE | KEY_CTRL_HOME, EDIT_MODES, NULL, NULL, do_edit, EDIT_START},
    {CODE | KEY_BACKSPACE, EDIT_MODES, "Backspace, Delete",
	"take a character away", do_edit, EDIT_BACKSPACE},
    {0x7f, EDIT_MODES, NULL, NULL, do_edit, EDIT_BACKSPACE},
    {CTRL('h'), EDIT_MODES, NULL, NULL, do_edit, EDIT_BACKSPACE},
    {CODE | KEY_DC, EDIT_MODES, NULL, NULL, do_edit, EDIT_DELETE},
    {CTRL('w'), EDIT_MODES, "Ctrl-W, Alt-d", "take a word away", do_edit,
	EDIT_BACKSPACE_WORD},
    {ALT | 'd', EDIT_MODES, NULL, NULL, do_edit, EDIT_DELETE_WORD},
    {CTRL('u'), EDIT_MODES, "Ctrl-U, Ctrl-K",
	"take away to the beginning, to the end", do_edit, EDIT_KILL_START},
    {CTRL('k'), EDIT_MODES, NULL, NULL, do_edit, EDIT_KILL_END},
    {CTRL('y'), EDIT_MODES, "Ctrl-Y", "put back what was taken away", do_edit,
	EDIT_YANK},
    {CTRL('_'), EDIT_MODES, "Ctrl-_", "undo", do_edit, EDIT_UNDO},
    {CTRL('l'), MODE_ANY | MODE_BLIND, "Ctrl-L", "draw everything again",
	do_redraw, 0},
    {CTRL('z'), MODE_ANY | MODE_BLIND, "Ctrl-Z", "stop, until the shell's fg",
	do_stop, 0},
    {CTRL('c'), MODE_ANY | MODE_BLIND, "Ctrl-C",
	"empty the composer; if it is empty, log out and leave", do_interrupt,
	0},
    {CTRL('\\'), MODE_ANY | MODE_BLIND, NULL, NULL, do_leave, 0},
    {CTRL('d'), EDIT_MODES, "Ctrl-D", "log out and leave, if nothing is typed",
	do_end_of_input, 0},
};

/* The row of a key, where it counts; NULL if it means nothing there. */
static const struct key_row *
find_row(int key, unsigned mode)
{
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++)
		if (rows[i].key == key && (rows[i].modes & mode) != 0)
			return &rows[i];
	return NULL;
}

/* ---- reading ---- */

/* What is said in the status line goes with the next key. */
static void
drop_notice(struct screen *screen)
{
	if (screen->notice == NULL)
		return;
	free(screen->notice);
	screen->notice = NULL;
	screen_dirty(screen, DIRT_STATUS);
}

/* One key. */
static void
take_key(struct screen *screen, int key)
{
	const struct key_row *row;

	if (screen->alt)
		key |= ALT;
	screen->alt = false;
	drop_notice(screen);
	/* Nobody writes, sends or agrees to what nobody sees. */
	row = find_row(key, screen->layout.fits ? screen->mode : MODE_BLIND);
	if (row != NULL)
		row->fn(screen, row->arg);
	else if (screen->layout.fits && (key & (ALT | CODE)) == 0)
		typing_character(screen, (wint_t)key);
}

/* What curses gave: a key, or a part of what is pasted. */
static void
take(struct screen *screen, int kind, wint_t c)
{
	if (kind == KEY_CODE_YES && c == KEY_PASTE_ON)
		screen->pasting = true;
	else if (kind == KEY_CODE_YES && c == KEY_PASTE_OFF) {
		typing_pasted(screen);
		screen->pasting = false;
	} else if (screen->pasting && kind == OK)
		typing_paste(screen, c);
	else if (kind == OK && c == ESCAPE && !screen->alt)
		screen->alt = true;
	else if (kind == OK)
		take_key(screen, (int)c);
	else if (c != KEY_RESIZE && !screen->pasting)
		take_key(screen, CODE | (int)c);
}

/*
 * Where the end of a paste got lost, all that is typed would be taken for it:
 * Ctrl-C all by itself, after a while without any key, ends it.
 */
static bool
ends_paste(struct screen *screen, int waiting, wint_t c)
{
	int64_t now = clock_mono(), last = screen->typed_at;

	screen->typed_at = now;
	return screen->pasting && waiting == 1 && c == CTRL('c') &&
	    now - last >= PASTE_GAP_MS;
}

/* Takes in what was typed. */
bool
keys_read(struct screen *screen)
{
	struct pollfd pfd = {.fd = STDIN_FILENO, .events = POLLIN};
	wint_t c = 0;
	int kind, waiting = 0;

	if (poll(&pfd, 1, 0) == -1 || (pfd.revents & ~POLLIN) != 0)
		return false;
	ioctl(STDIN_FILENO, FIONREAD, &waiting);
	while (screen->ending == STAYING &&
	    (kind = wget_wch(screen->canvas.keys, &c)) != ERR)
		take(screen, kind, c);
	typing_pasted(screen);
	if (ends_paste(screen, waiting, c))
		screen->pasting = false;
	/* Curses has waited long enough: it was Escape alone. */
	if (screen->alt && screen->ending == STAYING) {
		screen->alt = false;
		take_key(screen, ESCAPE);
	}
	return true;
}

/* ---- help ---- */

/* The keys and the commands, as wide as the conversation is. */
void
keys_fill(struct screen *screen)
{
	char *text = NULL, *commands = tell_commands();
	size_t len;
	FILE *to = open_memstream(&text, &len);

	view_rows_release(&screen->help);
	if (to == NULL) {
		free(commands);
		return;
	}
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++)
		if (rows[i].name != NULL)
			fprintf(to, "%s: %s\n", rows[i].name, rows[i].help);
	fprintf(to,
	    "\nA line is a message to the open conversation, or one of these "
	    "commands, with or without a slash before it; a blank before it "
	    "makes it a message.\n\n%s",
	    commands != NULL ? commands : "");
	if (fclose(to) == 0)
		view_text(&screen->help, text, 0, screen->layout.talk.columns,
		    LOOK(A_NORMAL));
	free(text);
	free(commands);
	if (screen->help_top >= screen->help.count)
		screen->help_top = 0;
}

/* Shows them. */
void
keys_help(struct screen *screen)
{
	screen->help_top = 0;
	screen_mode(screen, MODE_HELP);
	keys_fill(screen);
}
