/* SPDX-License-Identifier: ISC */
/*
 * The key's way into the keeper: its file is opened here and read there.
 * Runs in the master, which checks that certificate and key belong together
 * by having something signed, and never reads an octet of the key.
 */
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>
#include <sys/socket.h>

#include <openssl/err.h>

#include "chatd/master/state.h"
#include "chatd/pair.h"
#include "chatd/worker/signer.h"
#include "lib/log.h"
#include "lib/unix.h"

enum {
	LOAD_MS = 5000, /* for the keeper to read a key, or to sign */
	KEEPER_BEATS = 4, /* that it may miss */
	AWAY_MS = 2000, /* that connections wait for a keeper */
	CHANNEL_ROOM = 1 << 20, /* for introductions; the system may cut it */
};

/* True if the key that was loaded is the certificate's. */
static bool
belongs(const struct ipc_keyed *keyed, const SSL_CTX *tls)
{
	const X509 *certificate = SSL_CTX_get0_certificate(tls);
	char pin[TLS_PIN_LEN + 1];

	return certificate && tls_pin(certificate, pin) == 0 &&
	    strncmp(pin, keyed->pin, sizeof(pin)) == 0;
}

/* What a KEYED says of a key for that context; false with why. */
static bool
judge(const struct ipc_frame *frame, uint32_t number, const SSL_CTX *tls,
    char why[TLS_WHY_LEN])
{
	struct ipc_keyed keyed;

	memcpy(&keyed, frame->body, sizeof(keyed));
	if (keyed.key != number)
		snprintf(why, TLS_WHY_LEN, "the keeper has another key");
	else if (keyed.pin[0] == '\0')
		snprintf(why, TLS_WHY_LEN, "%.*s", (int)frame->tail_len,
		    frame->tail);
	else if (!belongs(&keyed, tls))
		snprintf(why, TLS_WHY_LEN,
		    "the key does not belong to the certificate");
	else
		return true;
	return false;
}

/* A keeper that was started again has read the key in force. */
static void
keyed_again(struct master *master, const struct ipc_frame *frame)
{
	char why[TLS_WHY_LEN];

	if (master->tls && !judge(frame, master->key, master->tls, why))
		log_warn("%s: %s; nobody can log in until `chatctl reload`",
		    master->settings->key, why);
}

/* It answers: no need to look before there is a worker again. */
static void
keeper_heard(struct master *master)
{
	loop_timer_stop(master->loop, &master->keeper_beat);
	master->keeper_asked = false;
	master->keeper_missed = 0;
}

/* What the keeper says by itself. */
static void
keeper_said(struct master *master, const struct ipc_frame *frame)
{
	if (frame->type == IPC_PONG)
		keeper_heard(master);
	else
		keyed_again(master, frame);
}

static void keeper_beat(void *arg);

/* The next look at the keeper. */
static void
keeper_look_in(struct master *master, int64_t ms)
{
	master->keeper_due = clock_mono() + ms;
	loop_timer(master->loop, &master->keeper_beat, ms, keeper_beat, master);
}

/*
 * A timer, from the first worker on: the keeper is asked whether it hears,
 * and killed if it does not say so while two handshakes would have failed.
 * Time in which we did not run ourselves counts for it: all were stopped.
 */
static void
keeper_beat(void *arg)
{
	struct master *master = arg;
	int64_t beat =
	    master->settings->handshake_seconds * INT64_C(2000) / KEEPER_BEATS;

	if (master->keeper_fd == -1)
		return;
	if (clock_mono() - master->keeper_due > beat / 2)
		master->keeper_missed = 0;
	else if (++master->keeper_missed >= KEEPER_BEATS) {
		log_warn("the keeper does not answer; killing it");
		kill(master->keeper.pid, SIGKILL);
		return;
	}
	/* A channel that is full is one that it does not read: it has missed. */
	if (!master->keeper_asked &&
	    ipc_send(master->keeper_fd, IPC_PING, 0, NULL, NULL, 0, -1) == 0) {
		master->keeper_asked = true;
		master->keeper_missed = 0;
	}
	keeper_look_in(master, beat);
}

/* Hears the keeper; its end is for reaping to see. */
static void
keeper_event(void *arg, unsigned events)
{
	struct master *master = arg;
	struct ipc_frame frame;
	int got;

	(void)events;
	while ((got = ipc_receive(master->keeper_fd, ROLE_MASTER, ROLE_KEEPER,
		    master->frame, &frame)) == 1)
		keeper_said(master, &frame);
	if (got == -1 && errno == EAGAIN)
		return;
	if (got == -1) {
		log_warn("the keeper's channel: %m; killing it");
		kill(master->keeper.pid, SIGKILL);
	}
	keeper_unjoin(master);
}

/* Sends the keeper a key's file, to be read as that number. */
static int
key_send(struct master *master, int file, uint32_t number, uint32_t keep)
{
	struct ipc_key what = {.key = number, .keep = keep};

	return ipc_send(
	    master->keeper_fd, IPC_KEY, number, &what, NULL, 0, file);
}

/* Likewise, and waits until the channel has room; not for ever. */
static int
key_push(struct master *master, int file, uint32_t number, uint32_t keep)
{
	struct pollfd pfd = {.fd = master->keeper_fd, .events = POLLOUT};
	int64_t until = clock_mono() + LOAD_MS, left;

	while (key_send(master, file, number, keep) == -1) {
		if (errno != EAGAIN)
			return -1;
		left = until - clock_mono();
		if (left <= 0 ||
		    (poll(&pfd, 1, (int)left) == -1 && errno != EINTR))
			return -1;
	}
	return 0;
}

int
keeper_join(struct master *master, int channel)
{
	const int room = CHANNEL_ROOM;

	if (fd_nonblock(channel, true) == -1 ||
	    loop_add(master->loop, &master->keeper_watch, channel, LOOP_READ,
		keeper_event, master) == -1)
		return -1;
	setsockopt(channel, SOL_SOCKET, SO_SNDBUF, &room, sizeof(room));
	master->keeper_fd = channel;
	/* Before any worker: whoever is introduced waits for the key. */
	if (master->key_file != -1 &&
	    key_send(master, master->key_file, master->key, 0) == -1) {
		log_warn("cannot hand the keeper its key: %m; ending it");
		keeper_unjoin(master);
	}
	return 0;
}

void
keeper_unjoin(struct master *master)
{
	loop_remove(master->loop, &master->keeper_watch);
	keeper_heard(master);
	if (master->keeper_fd != -1)
		close(master->keeper_fd);
	master->keeper_fd = -1;
	master->keeper_left = clock_mono();
}

bool
keeper_away(const struct master *master)
{
	return master->keeper_fd == -1 &&
	    clock_mono() - master->keeper_left < AWAY_MS;
}

int
keeper_introduce(struct master *master, uint32_t key)
{
	struct ipc_worker what = {.key = key};
	int pair[2];

	if (unix_pair(pair) == -1)
		return -1;
	if (master->keeper_fd != -1 &&
	    ipc_send(master->keeper_fd, IPC_WORKER, 0, &what, NULL, 0,
		pair[1]) == -1 &&
	    errno != EPIPE && errno != ECONNRESET &&
	    warn_due(&master->warned_channel))
		log_warn("cannot introduce a worker to the keeper: %m");
	if (master->keeper_fd != -1 && !master->keeper_beat.slot)
		keeper_look_in(master,
		    master->settings->handshake_seconds * INT64_C(1000));
	close(pair[1]);
	return pair[0];
}

/* Waits for what the keeper says of a key; -1 with why. */
static int
key_wait(struct master *master, uint32_t number, const SSL_CTX *tls,
    char why[TLS_WHY_LEN])
{
	int64_t until = clock_mono() + LOAD_MS, left;
	struct ipc_frame frame;
	struct pollfd pfd = {.fd = master->keeper_fd, .events = POLLIN};
	int got;

	while ((left = until - clock_mono()) > 0) {
		if (poll(&pfd, 1, (int)left) == -1 && errno != EINTR)
			break;
		got = ipc_receive(master->keeper_fd, ROLE_MASTER, ROLE_KEEPER,
		    master->frame, &frame);
		if (got == 1 && frame.type == IPC_KEYED &&
		    frame.number == number)
			return judge(&frame, number, tls, why) ? 0 : -1;
		if (got == 1)
			keeper_said(master, &frame);
		else if (got == 0 || errno != EAGAIN)
			break;
	}
	snprintf(why, TLS_WHY_LEN, "the keeper did not read it; try again");
	return -1;
}

/* A handshake with ourselves, for which the keeper signs with that key. */
static int
warm(
    struct master *master, SSL_CTX *tls, uint32_t number, char why[TLS_WHY_LEN])
{
	int sock = keeper_introduce(master, number), result = -1;

	if (sock == -1) {
		snprintf(why, TLS_WHY_LEN, "no channel to the keeper: %s",
		    strerror(errno));
		return -1;
	}
	signer_use(sock, clock_mono() + LOAD_MS);
	result = tls_warm(tls, TLS_ALPN_CENTRE, why);
	if (result == -1 && signer_failed())
		snprintf(why, TLS_WHY_LEN, "the keeper did not sign");
	signer_use(-1, 0);
	close(sock);
	return result;
}

/* All that is done with the keeper; -1 with why. */
static int
try(struct master *master, SSL_CTX *tls, int file, uint32_t number,
    const char *path, char why[TLS_WHY_LEN])
{
	char reason[TLS_WHY_LEN];

	if (signer_attach(tls, why) == -1)
		return -1;
	if (master->keeper_fd == -1 ||
	    key_push(master, file, number, master->key) == -1) {
		snprintf(why, TLS_WHY_LEN, "%.120s: the keeper %s; try again",
		    path,
		    master->keeper_fd != -1 && errno == EAGAIN
			? "is too busy"
			: "is not there");
		return -1;
	}
	if (key_wait(master, number, tls, reason) == -1) {
		snprintf(why, TLS_WHY_LEN, "%.120s: %.120s", path, reason);
		return -1;
	}
	return warm(master, tls, number, why);
}

SSL_CTX *
keys_load(struct master *master, const struct settings *settings, int *file,
    char why[TLS_WHY_LEN])
{
	SSL_CTX *tls =
	    tls_server_public(settings->certificate, TLS_ALPN_CENTRE, why);

	*file = -1;
	if (!tls)
		return NULL;
	*file = pair_key_open(settings->key, why);
	if (*file != -1 &&
	    try(master, tls, *file, master->key + 1, settings->key, why) == 0)
		return tls;
	if (*file != -1)
		close(*file);
	*file = -1;
	SSL_CTX_free(tls);
	return NULL;
}

static void
warn(void *arg, const char *text)
{
	const struct settings *settings = arg;

	log_warn("%s: %s", settings->certificate, text);
}

void
keys_use(struct master *master, SSL_CTX *tls, int file)
{
	SSL_CTX_free(master->tls);
	if (master->key_file != -1)
		close(master->key_file);
	master->tls = tls;
	master->key_file = file;
	master->key++;
	pair_warn(master->settings->certificate, tls, clock_wall(), warn,
	    master->settings);
}
