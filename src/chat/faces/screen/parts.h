/* SPDX-License-Identifier: ISC */
/*
 * What the parts of the full screen share: its struct, and what each file has
 * for the others.  screen.c has life and loop; nothing else includes this.
 */
#ifndef CHAT_FACES_SCREEN_PARTS_H
#define CHAT_FACES_SCREEN_PARTS_H

#define NCURSES_WIDECHAR 1
#define NCURSES_NOMACROS 1

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <curses.h>
#include <jansson.h>

#include "chat/account.h"
#include "chat/faces/colour.h"
#include "chat/faces/command.h"
#include "chat/faces/complete.h"
#include "chat/faces/edit.h"
#include "chat/faces/face.h"
#include "chat/faces/mirror.h"
#include "chat/faces/prompt.h"
#include "chat/faces/screen/layout.h"
#include "chat/faces/wrap.h"
#include "lib/loop.h"

/* ---- canvas.c: the terminal, which nobody else knows how to give back */

struct canvas {
	SCREEN *terminal; /* NULL while the terminal is not ours */
	WINDOW *keys; /* a pad that is never shown: reading draws nothing */
	WINDOW *list, *rule, *title, *talk, *bar, *composer, *status;
	enum colour_depth depth;
	bool ascii; /* the locale has no more than that */
	bool away; /* given back for a while */
};

/* How a piece of text looks. */
struct look {
	attr_t attributes;
	int colour; /* as of colour_number() */
};

#define LOOK(attributes) ((struct look){(attributes), -1})

/* Takes the terminal over; -1 if it cannot be drawn on. */
int canvas_open(struct canvas *canvas);
/* Gives it back; twice does no harm. */
void canvas_close(struct canvas *canvas);
/* Gives it back for a while, and takes it again. */
void canvas_leave(struct canvas *canvas);
void canvas_back(struct canvas *canvas);
/* Takes in the terminal's size, and makes the windows of a layout anew. */
void canvas_size(int *rows, int *columns);
void canvas_place(struct canvas *canvas, const struct layout *layout);
/*
 * Puts text that is safe at a place, as much of it as fits into so many
 * columns.  How many it took.
 */
int canvas_put(WINDOW *window, int row, int column, int columns,
    const char *text, size_t len, struct look look);
/* The same of a string, with the rest of the columns blank. */
void canvas_line(WINDOW *window, int row, const char *text, struct look look);

/* ---- notes.c: sentences of our own between the lines of a conversation */

enum { NOTES_MAX = 200 };

struct note {
	char user[NAME_MAX_LEN + 1]; /* whose conversation */
	int64_t after; /* the row that it stands below */
	char *text;
};

struct notes {
	struct note notes[NOTES_MAX];
	size_t count;
};

/* Takes a text over, which is safe; the oldest gives way. */
void notes_add(struct notes *notes, const struct mirror_talk *talk, char *text);
void notes_release(struct notes *notes);

/* ---- view.c: the open conversation as rows of text */

/* One row of the screen. */
struct view_row {
	char *text;
	int column; /* where it begins */
	int name; /* so many octets of it are somebody's name */
	struct look look;
	int colour; /* of the name */
	char time[8]; /* before it, or "" */
};

struct view_rows {
	struct view_row *rows;
	size_t count;
};

/* What is seen of the open conversation. */
struct view {
	int64_t anchor; /* the line at the lower end; 0: always the last one */
	int skip; /* so many rows of it are below that end */
	int64_t mark; /* the line that was searched for, or 0 */
	int64_t wanted; /* go there when it has been loaded; 0: nowhere */
};

struct screen;

/* Where the conversation ends at the bottom: a line's index, rows hidden. */
struct view_place {
	size_t index;
	int skip;
};

/* The rows of the line with that index, with its day and what is below. */
void view_rows(const struct screen *screen, const struct mirror_talk *talk,
    size_t index, int columns, struct view_rows *out);
void view_rows_release(struct view_rows *rows);
/* Adds a text that is safe as the rows that it takes; where they begin. */
size_t view_text(struct view_rows *out, const char *text, int column,
    int columns, struct look look);
/* Where the lower end is; follows what the view says. */
struct view_place view_place(
    const struct screen *screen, const struct mirror_talk *talk);
/* Scrolls by rows, up if positive, and asks for what is missing. */
void view_scroll(struct screen *screen, int rows);
void view_end(struct screen *screen);
/* Puts that line into the middle, or loads what is around it. */
void view_go(struct screen *screen, int64_t row);
/* Lines came or went: what was wanted may be there. */
void view_changed(struct screen *screen);

/* ---- chooser.c: a list of which one is chosen */

struct chooser {
	size_t count, at, top;
	const char *title;
	/* The text of one, safe and fresh. */
	char *(*text)(const struct screen *screen, size_t index);
	void (*go)(struct screen *screen, size_t index);
};

/* True if one of a list is to be chosen, which then has the cursor. */
bool chooser_open(const struct screen *screen);
void chooser_move(struct screen *screen, int by);
void chooser_go(struct screen *screen);
/* Draws it where the conversation is else. */
void chooser_paint(struct screen *screen, WINDOW *window);
/* The list of all conversations. */
void chooser_talks(struct screen *screen);

/* ---- find.c: search in the history */

struct found {
	char user[NAME_MAX_LEN + 1]; /* whose conversation */
	int64_t row;
	char *text; /* as it is shown */
};

struct find {
	bool asked; /* this query has been answered, or will be */
	bool done;
	struct found *found;
	size_t count;
};

/* ---- doing.c: what was typed, and what came of it */

struct asked {
	struct asked *next;
	int64_t tag;
	char user[NAME_MAX_LEN + 1];
	enum command_name name;
	bool any; /* some names have been told */
};

/* ---- screen.c */

enum mode {
	MODE_TALK = 1,
	MODE_HELP = 2,
	MODE_FIND =
	    4, /* the query is edited, or one of what was found chosen */
	MODE_CHOOSE = 8, /* a conversation is chosen */
	MODE_ANY = 15,
	MODE_BLIND = 16, /* the terminal is too small: nothing is seen */
};

enum dirt {
	DIRT_LIST = 1,
	DIRT_TITLE = 2,
	DIRT_TALK = 4,
	DIRT_BAR = 8,
	DIRT_COMPOSER = 16,
	DIRT_STATUS = 32,
	DIRT_ALL = 63,
	DIRT_LAYOUT = 64, /* sizes may have changed */
};

enum ending { STAYING, QUITTING };

/* What was begun in a conversation that is not open now. */
struct draft {
	struct draft *next;
	char user[NAME_MAX_LEN + 1];
	char *text;
};

struct screen {
	const struct account *account;
	struct face *face;
	struct prompt *prompt;
	const json_t *login; /* the reply, until its user is greeted */
	struct loop *loop;
	struct loop_watch input, agent, stop;
	struct loop_timer patience, ask_status, notice_end, redraw, greet;
	struct mirror *mirror;
	struct canvas canvas;
	struct layout layout;
	unsigned dirt;
	enum mode mode;
	char open[NAME_MAX_LEN + 1]; /* the conversation that is shown */
	struct view view;
	struct notes notes;
	struct edit *text, *query; /* a message, or words to search for */
	struct draft *drafts;
	struct people people;
	char *history; /* a path */
	struct chooser chooser;
	struct find find;
	struct view_rows help;
	size_t help_top;
	size_t list_top; /* the first conversation that the list shows */
	bool alt; /* the last key was Escape */
	bool pasting;
	int64_t typed_at; /* when the last key came; clock_mono() */
	char *pasted; /* what came of it since the last time */
	size_t pasted_len;
	bool changed; /* lines of the open conversation came or went */
	char private_to[NAME_MAX_LEN + 1]; /* lines go straight to that one */
	size_t message_bytes;
	struct asked *asked;
	int64_t status_tag;
	int64_t queued; /* messages that wait, as the agent says */
	char *notice; /* in the status line, until the next key */
	bool detaching;
	enum ending ending;
	int64_t end_tag;
	int64_t kept; /* messages for the next start */
	char *why; /* the session has ended: a sentence, or NULL */
	int asking; /* questions that were rung for */
	int status;
};

/* This part is to be drawn anew. */
void screen_dirty(struct screen *screen, unsigned dirt);
/* Says a sentence of ours (taken over) in this conversation, NULL: the open. */
void screen_say(
    struct screen *screen, const struct mirror_talk *talk, char *text);
__attribute__((format(printf, 2, 3))) void screen_sayf(
    struct screen *screen, const char *fmt, ...);
/* Says something in the status line (copied), for a while. */
void screen_notice(struct screen *screen, const char *text);
/* The open conversation. */
struct mirror_talk *screen_talk(const struct screen *screen);
/* Shows the conversation with that user, "" for everybody. */
void screen_open(struct screen *screen, const char *user);
void screen_mode(struct screen *screen, enum mode mode);
/* Leaves; the session goes on if detach says so. */
void screen_leave(struct screen *screen, bool detach);
/* The user has seen what stands there, if it is all. */
void screen_seen(struct screen *screen);

/* ---- paint-*.c: one part each */

void paint_list(struct screen *screen);
void paint_rule(struct screen *screen);
void paint_title(struct screen *screen);
void paint_talk(struct screen *screen);
void paint_bar(struct screen *screen);
void paint_composer(struct screen *screen);
void paint_status(struct screen *screen);
/* How many rows the composer would like. */
int composer_rows(const struct screen *screen, int columns);
/* Puts the real cursor on the line that matters. */
void paint_cursor(struct screen *screen);

/* ---- consent.c: somebody waits for a yes or no */

/* Who has asked first, or NULL; how many wait. */
struct mirror_talk *consent_first(const struct screen *screen, int *count);
int consent_rows(const struct screen *screen);
void consent_yes(struct screen *screen);
void consent_no(struct screen *screen);

/* ---- doing.c */

/* True if a line is a command, and no message. */
bool doing_is_command(const char *line, size_t len, size_t message_bytes);
void doing_line(struct screen *screen, const char *line, size_t len);
void doing_status(struct screen *screen);
void doing_command(struct screen *screen, const struct command *command);
void doing_reply(struct screen *screen, const json_t *reply);
void doing_release(struct screen *screen);

/* ---- tell.c: the line face's words as strings */

char *tell_refusal(const json_t *reply, const char *user);
char *tell_link(const char *request, const json_t *reply, const char *user);
char *tell_users(const json_t *reply);
char *tell_welcome(const json_t *login, const char *user);
char *tell_commands(void);
/* A text of somebody else's, safe to show on one line or on several. */
char *tell_word(const char *text);
char *tell_text(const char *text);

/* ---- find.c */

void find_begin(struct screen *screen);
void find_ask(struct screen *screen);
void find_found(
    struct screen *screen, const struct mirror_found *found, size_t count);
void find_release(struct screen *screen);

/* ---- keys.c, typing.c */

/* Takes in what was typed; false if there will be no more. */
bool keys_read(struct screen *screen);
void keys_help(struct screen *screen);
void keys_fill(struct screen *screen);
void keys_define(void);

/* What is being edited. */
struct edit *typing_edit(const struct screen *screen);
void typing_edited(struct screen *screen, bool text);
void typing_character(struct screen *screen, wint_t c);
void typing_paste(struct screen *screen, wint_t c);
void typing_pasted(struct screen *screen);
/* True if Enter would carry out a command. */
bool typing_command(const struct screen *screen);
void typing_enter(struct screen *screen);
void typing_newline(struct screen *screen);
void typing_complete(struct screen *screen);
/* Another conversation opens: what was begun stays with the one before. */
void typing_switch(struct screen *screen, const char *user);
void typing_release(struct screen *screen);
/* Empties the composer; false if there was nothing in it. */
bool typing_clear(struct screen *screen);

#endif
