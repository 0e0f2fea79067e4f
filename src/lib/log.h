/* SPDX-License-Identifier: ISC */
/*
 * Four verbs and a prefix.  Every process of the system logs through here.
 * A line is escaped as a whole, so that bytes of a peer can never forge one.
 */
#ifndef LIB_LOG_H
#define LIB_LOG_H

#include <stdbool.h>
#include <stdint.h>

enum log_level { LOG_LEVEL_DEBUG, LOG_LEVEL_INFO, LOG_LEVEL_WARN };

/*
 * Names the program and the role for the prefix ("chatd", "store").  Both
 * strings must outlive the process; role may be NULL.  Logs to stderr at
 * level info until told otherwise.
 */
void log_init(const char *program, const char *role);

/* In a child of a process that has: whose lines they are now. */
void log_role(const char *role);

/* Sends the log to "stderr", "syslog" or a file; -1 with errno if it cannot. */
int log_open(const char *to);

/* Opens the file again after it was moved away; otherwise does nothing. */
void log_reopen(void);

/* The file that the log goes to, or NULL; the descriptor in any case. */
const char *log_file(void);
int log_descriptor(void);

/*
 * For a process that may connect nowhere: it goes on with the socket that it
 * shares with whoever still may.
 */
void log_stay(void);

/* Puts the log in the place of stderr, for a process with few descriptors. */
void log_settle(void);

void log_set_level(enum log_level level);

/* True while debug lines are wanted, for work that only serves them. */
bool log_debugging(void);

/* All take printf formats; %m is the text of errno. */
void log_debug(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
void log_info(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
void log_warn(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

/* What somebody else can bring about as often as he likes; starts as zeros. */
struct log_pace {
	int64_t said; /* clock_mono() of the last line */
	unsigned long unsaid; /* since then */
};

/* Warns once a minute; the next line says how often it was meanwhile. */
void log_paced(struct log_pace *pace, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));

/*
 * For our own pipes, memory and mistakes, never for what a peer sent: logs
 * the line and exits with the status (EX_* of sysexits.h).
 */
_Noreturn void fatal(int status, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));

#endif
