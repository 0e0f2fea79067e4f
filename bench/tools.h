/* SPDX-License-Identifier: ISC */
/*
 * What every measurement of the benchmark needs: processes started and
 * ended by id, what /proc says about them, a fine clock, medians.
 */
#ifndef BENCH_TOOLS_H
#define BENCH_TOOLS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

enum { BENCH_PATH_LEN = 512 };

/* Nanoseconds that only grow. */
int64_t clock_ns(void);

/* From the first SIGINT or SIGTERM on everything comes to its end. */
void interrupt_watch(void);
bool interrupted(void);

/* Says on stderr what went wrong; gives -1. */
int complain(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

/* Sorts the values; the one that this share of them does not exceed. */
double quantile(double *values, size_t count, double share);

/*
 * Starts a program whose descriptor `tell` is the pipe whose other end
 * comes back in *from; stderr goes to the file log, input is empty.  The
 * program is told to end if we die.  Its process, or -1.
 */
pid_t process_start(char *const argv[], int tell, const char *log, int *from);

/* The first line that comes within ms, without its newline; closes from. */
int process_line(int from, char *line, size_t size, int ms);

/* Ends a child: softly, then not.  -1 if that was not a proper end. */
int process_end(pid_t pid, int ms);

/* Runs a child to its end; 0 if it exits with 0. */
int process_wait(pid_t pid);

/* Runs a program; what it prints goes into out (NULL: nowhere). */
int process_run(char *const argv[], char *out, size_t size);

struct process_cost {
	double cpu; /* seconds */
	double faults; /* minor ones */
};

/* Adds what the process and those of its children that it has reaped cost. */
int process_cost(pid_t pid, struct process_cost *cost);

/* The child of a process whose title holds the word; 0: none. */
pid_t process_child(pid_t pid, const char *word);

/* Waits until a process has no more than that many children. */
int process_settle(pid_t pid, int children, int ms);

/* Octets that are the process's own, and how they were found out. */
int64_t process_memory(pid_t pid, const char **how);

/* Removes a directory with all that is in it. */
void remove_tree(const char *path);

#endif
