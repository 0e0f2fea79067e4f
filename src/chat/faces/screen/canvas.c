/* SPDX-License-Identifier: ISC */
/*
 * The terminal under the full screen: taken over, drawn on, and given back as
 * it was, whatever ends the process.  Runs in the face; what it is given to
 * draw is safe already.
 */
#include <sys/ioctl.h>

#include <errno.h>
#include <langinfo.h>
#include <locale.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <termios.h>
#include <unistd.h>
#include <wchar.h>

#include "chat/faces/charset.h"
#include "chat/faces/screen/parts.h"
#include "chat/faces/screen/screen.h"
#include "lib/text.h"

/* It has macros for all that a terminal can do, this word among them. */
#include <term.h>
#undef columns

/* Asks the terminal to mark what is pasted, and not to do so any more. */
static const char paste_on[] = "\033[?2004h", paste_off[] = "\033[?2004l";

enum { ESCAPE_MS = 50 }; /* an Escape alone is one after so long */

/* What puts the terminal back where nothing else can be called any more. */
static struct {
	volatile sig_atomic_t armed;
	struct termios modes;
	char octets[256];
	size_t len;
} rescue;

static const int faults[] = {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGABRT};
enum { FAULTS = sizeof(faults) / sizeof(*faults) };
static struct sigaction before[FAULTS];

/* ---- what there is ---- */

const char *
screen_library(void)
{
	static char name[64];

	snprintf(name, sizeof(name), "%s", curses_version());
	return name;
}

/* Takes in the terminal's size. */
void
canvas_size(int *rows, int *columns)
{
	struct winsize size;

	*rows = *columns = 0;
	if (ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == -1)
		return;
	*rows = size.ws_row;
	*columns = size.ws_col;
}

/* True if the terminal is known, and can put its cursor anywhere. */
static bool
can_move(void)
{
	const char *move;
	bool can;
	int found;

	if (setupterm(NULL, STDOUT_FILENO, &found) == ERR)
		return false;
	move = tigetstr("cup");
	can = move != NULL && move != (char *)-1 && tigetflag("hc") <= 0 &&
	    tigetflag("gn") <= 0;
	del_curterm(cur_term);
	return can;
}

/* False, with the reason, if this terminal cannot show it. */
bool
screen_possible(const char **why)
{
	const char *term = getenv("TERM");
	int rows, columns;

	canvas_size(&rows, &columns);
	if (term == NULL || *term == '\0' || strcmp(term, "dumb") == 0)
		*why = "the terminal is a dumb one";
	else if (rows < SCREEN_MIN_ROWS || columns < SCREEN_MIN_COLUMNS)
		*why = "the terminal is smaller than 20 columns and 6 rows";
	else if (!can_move())
		*why = "the terminal's type is not known";
	else
		return true;
	return false;
}

/* ---- the worst case ---- */

/* A fault of ours: the terminal first, then what would have come anyway. */
static void
fault(int signo, siginfo_t *info, void *context)
{
	size_t i = 0;

	(void)context;
	if (rescue.armed) {
		rescue.armed = 0;
		(void)!write(STDOUT_FILENO, rescue.octets, rescue.len);
		tcsetattr(STDIN_FILENO, TCSANOW, &rescue.modes);
	}
	while (i < FAULTS && faults[i] != signo)
		i++;
	if (i < FAULTS)
		sigaction(signo, &before[i], NULL);
	/* The fault itself comes again by itself. */
	if (info->si_code <= 0)
		raise(signo);
}

/* Adds a capability of the terminal's. */
static void
add_octets(const char *text)
{
	size_t len = text != NULL && text != (char *)-1 ? strlen(text) : 0;

	if (rescue.len + len > sizeof(rescue.octets))
		return;
	memcpy(rescue.octets + rescue.len, text, len);
	rescue.len += len;
}

/* Prepares for the worst. */
static void
arm(void)
{
	struct sigaction action = {.sa_sigaction = fault};

	rescue.len = 0;
	add_octets(paste_off);
	add_octets(tigetstr("sgr0"));
	add_octets(tigetstr("rmkx"));
	add_octets(tigetstr("cnorm"));
	add_octets(tigetstr("rmcup"));
	action.sa_flags = SA_SIGINFO;
	sigemptyset(&action.sa_mask);
	for (size_t i = 0; i < FAULTS; i++)
		sigaction(faults[i], &action, &before[i]);
	rescue.armed = 1;
}

/* Undoes that. */
static void
disarm(void)
{
	rescue.armed = 0;
	for (size_t i = 0; i < FAULTS; i++)
		sigaction(faults[i], &before[i], NULL);
}

/* Whatever calls exit() has the terminal put back. */
static void
put_back(void)
{
	if (!rescue.armed)
		return;
	rescue.armed = 0;
	(void)!write(STDOUT_FILENO, rescue.octets, rescue.len);
	tcsetattr(STDIN_FILENO, TCSADRAIN, &rescue.modes);
}

/* ---- life ---- */

/*
 * Text is UTF-8 whatever the locale says, and curses has to know how wide it
 * is; true if the locale itself has no more than ASCII for sure.
 */
static bool
use_utf8(void)
{
	setlocale(LC_CTYPE, "");
	if (strcmp(nl_langinfo(CODESET), "UTF-8") == 0)
		return false;
	setlocale(LC_CTYPE, "C.UTF-8");
	return true;
}

/* Writes past curses: it knows nothing of this. */
static void
write_out(const char *text)
{
	fputs(text, stdout);
	fflush(stdout);
}

/*
 * The modes of the terminal: keys at once, and all of them as keys: a control
 * character in what is pasted is to stop, end and freeze nothing.
 */
static void
set_modes(void)
{
	struct termios modes;

	cbreak();
	noecho();
	nonl();
	if (tcgetattr(STDIN_FILENO, &modes) == 0) {
		modes.c_iflag &= ~(tcflag_t)(IXON | IXOFF);
		modes.c_lflag &= ~(tcflag_t)(ISIG | IEXTEN);
		tcsetattr(STDIN_FILENO, TCSADRAIN, &modes);
		def_prog_mode();
	}
}

/* The colours that names may have. */
static void
set_colours(struct canvas *canvas)
{
	canvas->depth = colour_depth(
	    getenv("TERM"), getenv("COLORTERM"), getenv("NO_COLOR"));
	if (canvas->depth == COLOUR_NONE || !has_colors() ||
	    start_color() == ERR || use_default_colors() == ERR) {
		canvas->depth = COLOUR_NONE;
		return;
	}
	if (canvas->depth == COLOUR_MANY && (COLORS < 256 || COLOR_PAIRS < 256))
		canvas->depth = COLOUR_FEW;
	/* A pair has the number of its colour. */
	for (int i = 1; i < (canvas->depth == COLOUR_MANY ? 256 : 8); i++)
		init_pair((short)i, (short)i, -1);
}

/* Takes the terminal over. */
int
canvas_open(struct canvas *canvas)
{
	static const int defaults[] = {SIGTSTP, SIGINT, SIGTERM, SIGWINCH};
	static bool registered;

	canvas->ascii = use_utf8();
	if (tcgetattr(STDIN_FILENO, &rescue.modes) == -1)
		return -1;
	set_escdelay(ESCAPE_MS);
	canvas->terminal = newterm(NULL, stdout, stdin);
	if (canvas->terminal == NULL)
		return -1;
	/* Signals are the loop's, not curses'. */
	for (size_t i = 0; i < sizeof(defaults) / sizeof(*defaults); i++)
		signal(defaults[i], SIG_DFL);
	set_modes();
	set_colours(canvas);
	canvas->keys = newpad(1, 1);
	if (canvas->keys == NULL) {
		canvas_close(canvas);
		return -1;
	}
	keypad(canvas->keys, TRUE);
	nodelay(canvas->keys, TRUE);
	arm();
	if (!registered)
		registered = atexit(put_back) == 0;
	write_out(paste_on);
	return 0;
}

/* The windows of a layout, each with its box. */
static void
place(WINDOW **window, const struct box *box)
{
	if (*window != NULL)
		delwin(*window);
	*window = NULL;
	if (box->rows > 0 && box->columns > 0)
		*window =
		    newwin(box->rows, box->columns, box->row, box->column);
}

/* Makes the windows of a layout anew. */
void
canvas_place(struct canvas *canvas, const struct layout *layout)
{
	place(&canvas->list, &layout->list);
	place(&canvas->rule, &layout->rule);
	place(&canvas->title, &layout->title);
	place(&canvas->talk, &layout->talk);
	place(&canvas->bar, &layout->bar);
	place(&canvas->composer, &layout->composer);
	place(&canvas->status, &layout->status);
}

/* Gives the terminal back. */
void
canvas_close(struct canvas *canvas)
{
	static const struct layout nothing;

	if (canvas->terminal == NULL)
		return;
	canvas_leave(canvas);
	disarm();
	canvas_place(canvas, &nothing);
	if (canvas->keys != NULL)
		delwin(canvas->keys);
	delscreen(canvas->terminal);
	canvas->keys = NULL;
	canvas->terminal = NULL;
}

/* Gives it back for a while. */
void
canvas_leave(struct canvas *canvas)
{
	if (canvas->terminal == NULL || canvas->away)
		return;
	write_out(paste_off);
	endwin();
	rescue.armed = 0;
	canvas->away = true;
}

/* Takes it again: somebody else may have drawn on it. */
void
canvas_back(struct canvas *canvas)
{
	if (canvas->terminal == NULL)
		return;
	reset_prog_mode();
	canvas->away = false;
	rescue.armed = 1;
	write_out(paste_on);
	clearok(curscr, TRUE);
}

/* ---- text ---- */

/* Sets how the next text looks. */
static void
set_look(WINDOW *window, struct look look)
{
	wattr_set(window, look.attributes,
	    (short)(look.colour > 0 ? look.colour : 0), NULL);
}

/*
 * How many octets of a grapheme go into its columns as curses counts them: of
 * several wide characters that are one (a thumb and its colour), the first.
 */
static size_t
fitting(const char *text, size_t octets, unsigned columns)
{
	size_t at = 0, len;
	unsigned code;
	int used = 0, wide;

	while (at < octets) {
		len = utf8_decode(text + at, octets - at, &code);
		wide = wcwidth((wchar_t)code);
		if (wide < 0 || used + wide > (int)columns)
			break;
		used += wide;
		at += len;
	}
	return at;
}

/*
 * Puts text at a place.  Each grapheme gets its place by itself: where curses
 * takes it for wider or narrower than we do, nothing behind it moves.
 */
int
canvas_put(WINDOW *window, int row, int column, int columns, const char *text,
    size_t len, struct look look)
{
	int used = 0;
	unsigned wide;
	size_t octets;

	set_look(window, look);
	while ((octets = wrap_grapheme(text, len, &wide)) > 0) {
		if (used + (int)wide > columns)
			break;
		if (*text == '\t' || *text == '\n')
			mvwaddnstr(window, row, column + used, " ", 1);
		else if ((*text & 0x80) && charset_is_other())
			mvwaddnstr(window, row, column + used, "? ", (int)wide);
		else if (wide > 0)
			mvwaddnstr(window, row, column + used, text,
			    (int)fitting(text, octets, wide));
		used += (int)wide;
		text += octets;
		len -= octets;
	}
	set_look(window, LOOK(A_NORMAL));
	return used;
}

/* Puts a string from the left, with the rest of the columns blank. */
void
canvas_line(WINDOW *window, int row, const char *text, struct look look)
{
	int columns = getmaxx(window);
	int used =
	    canvas_put(window, row, 0, columns, text, strlen(text), look);

	set_look(window, look);
	for (; used < columns; used++)
		mvwaddnstr(window, row, used, " ", 1);
	set_look(window, LOOK(A_NORMAL));
}
