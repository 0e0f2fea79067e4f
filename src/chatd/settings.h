/* SPDX-License-Identifier: ISC */
/*
 * chatd.conf(5): the table of settings and what they become.  Read by the
 * master (and chatctl) only; the other processes get plain values.
 */
#ifndef CHATD_SETTINGS_H
#define CHATD_SETTINGS_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "lib/conf.h"

enum registration {
	REGISTRATION_CLOSED,
	REGISTRATION_INVITE,
	REGISTRATION_OPEN
};

/*
 * The values that the store and the workers go by: plain data, sent to a
 * running store when the configuration is read again.
 */
struct rules {
	int attempts, block_seconds; /* login */
	int heartbeat, timeout, lifetime_days; /* session */
	int message_bytes, mailbox_messages; /* limits */
	int requests_per_second, request_burst; /* limits */
	int room_keep_days;
	int ask_seconds, pass_seconds; /* private */
	bool private_enabled;
	int registration; /* enum registration */
};

struct settings {
	char **listen;
	char *user;
	char *state_directory, *runtime_directory;
	char *certificate, *key;
	int workers, workers_per_address;
	int handshake_seconds, request_seconds, connection_seconds;
	char **exempt;
	bool beacon_enabled;
	int engine;
	char *log_to;
	int log_level; /* enum log_level */
	struct rules rules;
};

/* SYSCONFDIR/chat/chatd.conf */
extern const char settings_default_file[];

/*
 * Reads the file into a fresh struct (settings_free()).  NULL with every
 * error in errors.  "STATE_DIRECTORY" at the start of a path stands for the
 * state directory.
 */
struct settings *settings_read(const char *file, struct conf_errors *errors);

/*
 * The same for those who have more to check, so that all errors are told at
 * once: not NULL where every value for itself is good, but only to be used
 * if there was no error.
 */
struct settings *settings_load(const char *file, struct conf_errors *errors);
void settings_free(struct settings *settings);

/* True if listen was not set, so that a family may be missing. */
bool settings_listen_is_default(const struct settings *settings);

/* Prints the effective configuration, as a file. */
void settings_print(FILE *to, const struct settings *settings);

/* The same from the defaults alone: the commented file that init writes. */
void settings_print_defaults(FILE *to);

#endif
