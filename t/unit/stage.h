/* SPDX-License-Identifier: ISC */
/*
 * The stage for tests of a whole worker: it stands between a client that
 * speaks TLS over loopback and a store that follows a script, both of them
 * in the test's own process.
 */
#ifndef UNIT_STAGE_H
#define UNIT_STAGE_H

#include <errno.h>
#include <netinet/in.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <openssl/ec.h>
#include <openssl/pem.h>
#include <openssl/x509.h>

#include "chatd/worker/worker.h"
#include "lib/tls.h"
#include "lib/unix.h"
#include "tap.h"

#define TOKEN "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMN-_0"
#define EPOCH "0123456789abcdef"
#define AUTH "\"token\":\"" TOKEN "\""
#define ID "\"id\":\"0123456789abcdef\""
#define LIVE "{\"op\":\"live\"," AUTH ",\"mail\":3,\"room\":4,\"tag\":%d}\n"

enum { WAIT_MS = 8000 };

/* One connection: the client's end, the store's end, the worker between. */
struct stage {
	struct tls_conn client;
	int store;
	pid_t worker;
	uint64_t buf[IPC_FRAME_MAX / sizeof(uint64_t)];
	struct ipc_frame frame;
	json_t *reply;
};

static SSL_CTX *server, *client;
static struct settings settings;
static struct stage stage;

/* Gives up on the test itself. */
static inline void
give_up(const char *what)
{
	printf("Bail out! %s: %s\n", what, strerror(errno));
	exit(1);
}

/* Writes a fresh key and a certificate that it signs itself. */
static inline void
write_pair(const char *certificate, const char *key)
{
	EVP_PKEY *pkey = EVP_EC_gen("P-256");
	X509 *x509 = X509_new();
	FILE *file;

	ASN1_INTEGER_set(X509_get_serialNumber(x509), 1);
	X509_gmtime_adj(X509_getm_notBefore(x509), -60);
	X509_gmtime_adj(X509_getm_notAfter(x509), 3600);
	X509_set_pubkey(x509, pkey);
	X509_NAME_add_entry_by_txt(X509_get_subject_name(x509), "CN",
	    MBSTRING_ASC, (const unsigned char *)"localhost", -1, -1, 0);
	X509_set_issuer_name(x509, X509_get_subject_name(x509));
	if (!X509_sign(x509, pkey, EVP_sha256()))
		give_up("no certificate");
	if (!(file = fopen(certificate, "w")))
		give_up(certificate);
	PEM_write_X509(file, x509);
	fclose(file);
	if (!(file = fopen(key, "w")))
		give_up(key);
	PEM_write_PrivateKey(file, pkey, NULL, NULL, 0, NULL, NULL);
	fclose(file);
	X509_free(x509);
	EVP_PKEY_free(pkey);
}

/* Makes both TLS contexts. */
static inline void
set_up_tls(void)
{
	char dir[] = "/tmp/worker-test.XXXXXX", why[TLS_WHY_LEN];
	char certificate[64], key[64];

	if (!mkdtemp(dir))
		give_up("no directory");
	snprintf(certificate, sizeof(certificate), "%s/pem", dir);
	snprintf(key, sizeof(key), "%s/key", dir);
	write_pair(certificate, key);
	server = tls_server_new(certificate, key, TLS_ALPN_CENTRE, why);
	client = tls_client_new(TLS_ALPN_CENTRE, why);
	unlink(certificate);
	unlink(key);
	rmdir(dir);
	if (!server || !client)
		give_up(why);
}

/* Both ends of a TCP connection over loopback. */
static inline void
tcp_pair(int pair[2])
{
	struct sockaddr_in at = {.sin_family = AF_INET};
	socklen_t len = sizeof(at);
	int sock = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	if (bind(sock, (struct sockaddr *)&at, sizeof(at)) == -1 ||
	    listen(sock, 1) == -1 ||
	    getsockname(sock, (struct sockaddr *)&at, &len) == -1)
		give_up("no listener");
	pair[0] = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (connect(pair[0], (struct sockaddr *)&at, sizeof(at)) == -1 ||
	    (pair[1] = accept(sock, NULL, NULL)) == -1)
		give_up("no connection");
	close(sock);
}

/*
 * Forks a worker; the client's end is still plain TCP.  A narrow channel
 * takes about so many octets from the worker, and few answers.
 */
static inline int
begin_plain(int narrow)
{
	int tcp[2], channel[2];

	tcp_pair(tcp);
	if (unix_pair(channel) == -1)
		give_up("no channel");
	if (narrow > 0) {
		int least = 1; /* what the kernel makes of it */

		setsockopt(
		    channel[1], SOL_SOCKET, SO_SNDBUF, &narrow, sizeof(narrow));
		setsockopt(
		    channel[0], SOL_SOCKET, SO_SNDBUF, &least, sizeof(least));
	}
	memset(&stage, 0, sizeof(stage));
	fflush(stdout);
	if ((stage.worker = fork()) == -1)
		give_up("no fork");
	if (stage.worker == 0) {
		struct worker_start start = {
		    .exempt = true,
		    .client = tcp[1],
		    .store = channel[1],
		    .signer = -1,
		    .tls = server,
		    .settings = &settings,
		};

		close(tcp[0]);
		close(channel[0]);
		worker_main(&start);
	}
	close(tcp[1]);
	close(channel[1]);
	stage.store = channel[0];
	return tcp[0];
}

/* Forks a worker and shakes hands with it. */
static inline void
begin(void)
{
	int tcp = begin_plain(0);

	if (tls_conn_open(&stage.client, client, tcp, false, NULL) == -1 ||
	    tls_handshake(&stage.client, TLS_ALPN_CENTRE,
		clock_mono() + WAIT_MS) != TLS_OK)
		give_up(stage.client.why);
}

/* How the worker ended: its status, or -1 for a signal. */
static inline int
worker_status(void)
{
	int status;

	while (waitpid(stage.worker, &status, 0) == -1)
		if (errno != EINTR)
			give_up("no worker");
	return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

/* Hangs up and lets go; the worker's exit status. */
static inline int
end(void)
{
	int status;

	tls_conn_close(&stage.client, 0);
	status = worker_status();
	if (stage.store != -1)
		close(stage.store);
	json_decref(stage.reply);
	return status;
}

/* The client says something, in one piece. */
static inline void
say(const char *text)
{
	if (tls_write(&stage.client, text, strlen(text),
		clock_mono() + WAIT_MS) != TLS_OK)
		printf("# cannot write: %s\n", stage.client.why);
}

/* The next reply, in stage.reply; false if there is none. */
static inline bool
hear(void)
{
	char *line, why[WIRE_WHY_LEN];
	size_t len;

	json_decref(stage.reply);
	stage.reply = NULL;
	if (tls_read_line(&stage.client, &line, &len, clock_mono() + WAIT_MS) !=
	    TLS_OK)
		return false;
	stage.reply = wire_object(line, len, why);
	return stage.reply != NULL;
}

/* True if the connection ended properly and no reply is left. */
static inline bool
hear_end(void)
{
	char *line;
	size_t len;

	return tls_read_line(&stage.client, &line, &len,
		   clock_mono() + WAIT_MS) == TLS_END;
}

/* True if the last reply has that string. */
static inline bool
said(const char *key, const char *text)
{
	const char *got = wire_get_string(stage.reply, key);

	return got && strcmp(got, text) == 0;
}

/* True if the last reply has that number. */
static inline bool
counted(const char *key, int64_t number)
{
	return wire_get_number(stage.reply, key, -1) == number;
}

/* True if the next reply accepts and has this tag. */
static inline bool
hear_yes(int tag)
{
	return hear() && wire_get_bool(stage.reply, "ok") &&
	    wire_get_number(stage.reply, "tag", 0) == tag;
}

/* True if the next reply is that error; its text holds part. */
static inline bool
hear_no(const char *error, const char *part)
{
	const char *got, *text;

	if (!hear() || wire_get_bool(stage.reply, "ok"))
		return false;
	got = wire_get_string(stage.reply, "error");
	text = wire_get_string(stage.reply, "text");
	if (got && text && strcmp(got, error) == 0 && strstr(text, part))
		return true;
	printf("# got %s: %s\n", got ? got : "", text ? text : "");
	return false;
}

/* True if the store gets that frame next. */
static inline bool
store_gets(enum ipc_type type)
{
	struct pollfd pfd = {.fd = stage.store, .events = POLLIN};

	return poll(&pfd, 1, WAIT_MS) == 1 &&
	    ipc_receive(stage.store, ROLE_STORE, ROLE_WORKER, stage.buf,
		&stage.frame) == 1 &&
	    stage.frame.type == type;
}

/* True if the store got nothing and its channel has ended. */
static inline bool
store_ends(void)
{
	struct pollfd pfd = {.fd = stage.store, .events = POLLIN};

	return poll(&pfd, 1, WAIT_MS) == 1 &&
	    ipc_receive(stage.store, ROLE_STORE, ROLE_WORKER, stage.buf,
		&stage.frame) == 0;
}

/* True if nothing comes to the store for a moment. */
static inline bool
store_waits(void)
{
	struct pollfd pfd = {.fd = stage.store, .events = POLLIN};

	return poll(&pfd, 1, 100) == 0;
}

/* The store answers the request of that number. */
static inline void
answer(enum ipc_type type, uint32_t number, const void *body, const void *tail,
    size_t len)
{
	if (ipc_send(stage.store, type, number, body, tail, len, -1) == -1)
		printf("# cannot answer: %s\n", strerror(errno));
}

static inline void
answer_heads(uint32_t number)
{
	struct ipc_heads body = {.epoch = EPOCH, .mail = 5, .room = 6};

	answer(IPC_HEADS, number, &body, NULL, 0);
}

static inline void
answer_no(uint32_t number, enum wire_error error, int retry, const char *text)
{
	struct ipc_refused body = {
	    .error = error,
	    .attempts_left = error == ERR_LOGIN_FAILED ? 2 : -1,
	    .retry_after = retry,
	    .time = 1000,
	    .address = "192.0.2.9",
	};

	answer(IPC_REFUSED, number, &body, text, strlen(text));
}

/* Contexts and the settings that all tests begin with. */
static inline void
stage_open(void)
{
	settings = (struct settings){
	    .handshake_seconds = 1,
	    .request_seconds = 1,
	    .connection_seconds = 30,
	    .rules = {.heartbeat = 30,
		.timeout = 90,
		.message_bytes = 8192,
		.mailbox_messages = 10000},
	};
	signal(SIGPIPE, SIG_IGN);
	set_up_tls();
}

static inline int
stage_close(void)
{
	SSL_CTX_free(server);
	SSL_CTX_free(client);
	return done();
}

#endif
