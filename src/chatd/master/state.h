/* SPDX-License-Identifier: ISC */
/*
 * What the master knows, shared by its own files and nobody else's.
 */
#ifndef CHATD_MASTER_STATE_H
#define CHATD_MASTER_STATE_H

#include <openssl/ssl.h>

#include "chatd/ipc.h"
#include "chatd/master/children.h"
#include "chatd/master/guard.h"
#include "chatd/master/master.h"
#include "chatd/network.h"
#include "lib/loop.h"
#include "lib/tls.h"

enum {
	DRAIN_MS = 5000, /* for workers to end what they do */
	STOP_MS = 5000, /* for store and keeper likewise */
	OVERDUE_S = 5, /* past a worker's own last deadline */
	MINUTE_MS = 60000, /* between two warnings of a kind */
};

/*
 * That a worker which has proved nothing has at least, unless somebody of a
 * higher rank comes: for a handshake from far away, and a login.
 */
enum { GRACE_MS = 500 };

enum phase {
	PHASE_START, /* the store is not ready, or TLS is not */
	PHASE_SERVE,
	PHASE_DRAIN, /* no new connections */
	PHASE_END, /* no workers; store and keeper are to end */
	PHASE_GONE,
};

/* What is waiting for room in the store's channel. */
struct told {
	struct told *next;
	enum ipc_type type;
	uint32_t number;
	int fd; /* ours, or -1 */
	size_t body_len, tail_len;
	char data[]; /* body, tail */
};

/* One of the two processes that last. */
struct lasting {
	pid_t pid; /* 0: not running */
	int64_t started; /* clock_mono() */
	int pause; /* before the next start, ms */
	struct loop_timer again;
};

struct listener {
	struct master *master;
	struct loop_watch watch;
	int fd;
	bool handed; /* by a service manager, which holds it too */
	int beacon; /* UDP on the same address and port, or -1 */
	struct ipc_address at; /* with the port that the system chose */
};

struct master {
	const struct master_start *start;
	struct settings *settings;
	struct network *exempt;
	size_t exempt_count;
	SSL_CTX *tls;

	struct loop *loop;
	enum phase phase;
	int status; /* to exit with */
	struct loop_timer phase_timer; /* ends the patience of a phase */

	int lock, control;
	char *control_path, *pid_path;
	bool pid_written;
	struct listener *listeners;
	size_t listener_count;
	bool accepting;
	struct loop_timer accept_again;

	struct children *children;
	int64_t forked; /* the last worker, clock_mono() */
	struct loop_timer overdue;
	struct guard *guard;
	struct bucket doubted; /* workers for those who are, together */
	struct loop_timer porch_timer; /* the next who waited long enough */
	struct loop_timer sweep; /* those who came before a penalty */
	int reserve; /* a descriptor to let go of when there is none */
	bool short_of; /* something, and the log says so */

	struct lasting store, keeper;
	int keeper_fd; /* the channel to the keeper; -1: there is none */
	struct loop_watch keeper_watch;
	int64_t keeper_left; /* when that channel ended, clock_mono() */
	struct loop_timer keeper_beat; /* while it has something to sign */
	bool keeper_asked; /* and has not answered yet */
	int keeper_missed; /* beats since then, one by one */
	int64_t keeper_due; /* of the next beat, clock_mono() */
	uint32_t key; /* the number of the key in force; 0: none yet */
	int key_file; /* its file, for a keeper that starts; never read */
	bool store_ready;
	int damaged; /* ends of the store for damage, in a row */
	int store_fd; /* the channel to the store; -1: there is none */
	struct loop_watch store_watch;
	char *frame; /* IPC_FRAME_MAX, what was just received */
	struct told *told, **told_end;
	int told_count;

	struct ipc_counted counted;
	int64_t warned_full, warned_channel, warned_penalty, warned_short;
};

/*
 * notify.c: tells systemd, where it asked to be told (sd_notify(3)); with a
 * socket that is opened while one may be.
 */
void notify_open(void);
void notify(const char *state);

/* start.c: the set-up, in order; 0, or the exit status after the reason. */
int start_places(struct master *master);
int start_listeners(struct master *master);
int start_rights(struct master *master);
int start_tls(struct master *master);
void start_ready(struct master *master);
void start_undo(struct master *master);

/* Logs why the centre cannot start, to stderr too; gives the status. */
int start_failed(struct master *master, int status, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));

/* port.c: a socket for the beacon, which the store reads; -1 with errno. */
int port_open(const struct sockaddr_storage *address, socklen_t len);
/* Makes one that was bound by somebody else ours; -1 with errno. */
int port_adopt(int sock, const struct sockaddr_storage *address);

/*
 * handed.c: takes out the socket of that type (SOCK_STREAM, SOCK_DGRAM) that
 * was handed over for the address; -1 if there is none.
 */
int handed_take(
    struct handed *handed, int type, const struct sockaddr_storage *address);
/* Closes what nobody took, and says so. */
void handed_close(struct handed *handed);

/* lasting.c: store and keeper. */
int lasting_start(struct master *master);
/* True if this process was one of the two; restarts it where it must. */
bool lasting_reaped(struct master *master, pid_t pid, int how);
/* Closes the store's channel, on which both end. */
void lasting_end(struct master *master);
void lasting_signal(struct master *master, int signo);

/* Takes what the store has said by now. */
void store_hear(struct master *master);

/*
 * Tells the store; what its channel has no room for is sent later.  False
 * with errno if it cannot be told; without a store nothing is said.
 */
bool store_tell(struct master *master, enum ipc_type type, uint32_t number,
    const void *body, size_t body_len, const void *tail, size_t tail_len,
    int fd);

/* keys.c: the keeper's channel, and the key that it holds. */
/* Takes over a channel to a keeper that was just started; -1 with errno. */
int keeper_join(struct master *master, int channel);
void keeper_unjoin(struct master *master);
/* True for as long as it is worth waiting for a keeper to come back. */
bool keeper_away(const struct master *master);
/* The worker's end of a channel on which that key signs once; -1. */
int keeper_introduce(struct master *master, uint32_t key);
/*
 * A warm context for workers whose next key the keeper holds, and that
 * key's file.  NULL with a sentence in why, and nothing changed.
 */
SSL_CTX *keys_load(struct master *master, const struct settings *settings,
    int *file, char why[TLS_WHY_LEN]);
/* Puts what was loaded in force. */
void keys_use(struct master *master, SSL_CTX *tls, int file);

/* listen.c: listeners, and what to do without descriptors or memory. */
void accept_start(struct master *master);
/* Goes on if there was a reason to pause that is over. */
void accept_resume(struct master *master);
void accept_stop(struct master *master);
/* Accepts and serves nobody for a moment. */
void accept_pause(struct master *master);
/* The system lacks something, errno says what: goes on after a pause. */
void accept_short(struct master *master, const char *what);
/* It has it again. */
void accept_eased(struct master *master);

/* porch.c: connections that have no worker yet. */
/* Takes over a connection; it may be refused and closed at once. */
void porch_take(
    struct master *master, int client, const struct ipc_address *from);
bool porch_full(const struct master *master);
/* Lets the oldest that is not known go; false: there is none. */
bool porch_give_way(struct master *master);
/* Gives workers to those who have waited for one. */
void porch_serve(struct master *master);
bool porch_empty(const struct master *master);
/*
 * Nobody new comes.  Who has spoken is still served, and who is about to has
 * a moment for it: a client whose connection was accepted is not refused.
 */
void porch_close(struct master *master);
/* Closes all. */
void porch_clear(struct master *master);
/* The store says who has proved something, and whose login failed. */
void porch_proved(struct master *master, uint32_t number);
void porch_failed(struct master *master, const struct ipc_failed *failed);
/* An address did something wrong; exempt ones do not matter. */
void porch_charge(struct master *master, const struct ipc_address *from,
    bool exempt, enum offence offence);

/* accept.c: a worker for each connection that has spoken. */
/* Its descriptor is closed then; -1 with errno if the system is short. */
int worker_begin(struct master *master, struct child *child);
/* Ends a worker, and with it the connection. */
void worker_end(struct master *master, struct child *child);
/* The worker's connection gives way. */
void worker_give_way(struct master *master, struct child *child);
void worker_reaped(struct master *master, pid_t pid, int how);
void workers_kill(struct master *master);

/*
 * In a child: forgets what is the master's alone, and takes the role's name
 * and signals.  Who calls it closes everything but what the role needs; its
 * rights are for the role itself to give up.
 */
void child_begin(struct master *master, enum ipc_role role);

/* reload.c: what follows from the configuration. */
/* All or nothing; adds what is wrong to errors, and logs it. */
void master_reload(struct master *master, struct conf_errors *errors);
/* What else every worker would do first. */
void warm_others(void);
/* The networks without limits; -1 if there is no memory. */
int exempt_load(
    const struct settings *settings, struct network **out, size_t *count);
/* When the certificate ends, RFC 3339; "" if that is not known. */
void certificate_ends(SSL_CTX *tls, char out[32]);

/* master.c: begins to end; the status is what main() returns. */
void master_stop(struct master *master, int status);
/* Ends the last phase once nothing is left of it. */
void master_proceed(struct master *master);

/* True once a minute. */
bool warn_due(int64_t *last);

#endif
