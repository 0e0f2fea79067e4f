/* SPDX-License-Identifier: ISC */
/*
 * The floor: what accept, fork, a TLS 1.3 handshake, one line there and
 * back and an exit cost with nothing around them.  A program of its own,
 * with the centre's TLS and warmed up like the master; must never do more.
 *
 * usage: floor CERTIFICATE KEY ; prints the port of 127.0.0.1, serves
 */
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sysexits.h>
#include <unistd.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/wait.h>

#include "lib/tls.h"
#include "lib/unix.h"

enum {
	BACKLOG = 1024,
	PATIENCE_MS = 5000,
};

static volatile sig_atomic_t ended;

/* Only there to end a wait. */
static void
child_ended(int signo)
{
	(void)signo;
}

static void
told_to_end(int signo)
{
	ended = signo;
}

static _Noreturn void
die(const char *what)
{
	fprintf(stderr, "floor: %s\n", what);
	exit(EX_OSERR);
}

/* A listener on a port that the system chooses, and prints. */
static int
listener(void)
{
	struct sockaddr_in at = {
	    .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	socklen_t len = sizeof(at);
	int sock =
	    socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

	if (sock == -1 || bind(sock, (struct sockaddr *)&at, len) == -1 ||
	    listen(sock, BACKLOG) == -1 ||
	    getsockname(sock, (struct sockaddr *)&at, &len) == -1)
		die("cannot listen");
	printf("%d\n", ntohs(at.sin_port));
	fflush(stdout);
	return sock;
}

/* One connection: the line comes back, then the peer's close is awaited. */
static _Noreturn void
serve(SSL_CTX *tls, int client)
{
	static struct tls_conn conn;
	int64_t until = clock_mono() + PATIENCE_MS;
	char *line;
	size_t len;

	if (tls_conn_open(&conn, tls, client, true, NULL) == 0 &&
	    tls_handshake(&conn, TLS_ALPN_CENTRE, until) == TLS_OK &&
	    tls_read_line(&conn, &line, &len, until) == TLS_OK) {
		line[len] = '\n';
		if (tls_write(&conn, line, len + 1, until) == TLS_OK)
			tls_read_line(&conn, &line, &len, until);
	}
	tls_conn_close(&conn, 0);
	_exit(0);
}

/* Accepts one connection and forks for it. */
static void
take(SSL_CTX *tls, int sock)
{
	int client = accept4(sock, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
	pid_t pid;

	if (client == -1)
		return;
	pid = fork();
	if (pid == 0)
		serve(tls, client);
	close(client);
}

/* Waits for connections and for the ends of children. */
static void
run(SSL_CTX *tls, int sock, const sigset_t *waiting)
{
	struct pollfd pfd = {.fd = sock, .events = POLLIN};

	while (!ended) {
		if (ppoll(&pfd, 1, NULL, waiting) == 1)
			take(tls, sock);
		while (waitpid(-1, NULL, WNOHANG) > 0)
			continue;
	}
}

int
main(int argc, char **argv)
{
	struct sigaction reap = {.sa_handler = child_ended};
	struct sigaction end = {.sa_handler = told_to_end};
	char why[TLS_WHY_LEN];
	sigset_t blocked, waiting;
	SSL_CTX *tls;
	int sock;

	if (argc != 3) {
		fputs("usage: floor CERTIFICATE KEY\n", stderr);
		return EX_USAGE;
	}
	sigemptyset(&blocked);
	sigaddset(&blocked, SIGCHLD);
	sigaddset(&blocked, SIGTERM);
	sigprocmask(SIG_BLOCK, &blocked, &waiting);
	sigaction(SIGCHLD, &reap, NULL);
	sigaction(SIGTERM, &end, NULL);
	signal(SIGPIPE, SIG_IGN);
	tls = tls_server_new(argv[1], argv[2], TLS_ALPN_CENTRE, why);
	if (tls == NULL || tls_warm(tls, TLS_ALPN_CENTRE, why) == -1)
		die(why);
	sock = listener();
	run(tls, sock, &waiting);
	close(sock);
	SSL_CTX_free(tls);
	return 0;
}
