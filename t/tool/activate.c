/* SPDX-License-Identifier: ISC */
/*
 * A service manager in small, for tests: opens a TCP and a UDP socket of one
 * number on 127.0.0.1, prints it, and hands both to a command as
 * sd_listen_fds(3) has it.  A line on stdin starts it, or ends the one that
 * runs and starts it again; the line "end" ends it, and us, with status 0 if
 * all ended with that.
 *
 * usage: activate COMMAND [ARGUMENT]...
 */
#include <arpa/inet.h>
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/wait.h>

enum {
	TCP = 3, /* where they are handed over */
	UDP = 4,
	TRIES = 16,
	BACKLOG = 256,
};

/* A socket bound to the port (0: any) and moved to that descriptor. */
static int
open_at(int to, int type, in_port_t *port)
{
	struct sockaddr_in at = {
	    .sin_family = AF_INET,
	    .sin_addr.s_addr = htonl(INADDR_LOOPBACK),
	    .sin_port = *port,
	};
	socklen_t len = sizeof(at);
	int sock = socket(AF_INET, type, 0), on = 1;

	if (sock == -1 ||
	    setsockopt(sock, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on)) == -1 ||
	    bind(sock, (struct sockaddr *)&at, len) == -1 ||
	    getsockname(sock, (struct sockaddr *)&at, &len) == -1 ||
	    (type == SOCK_STREAM && listen(sock, BACKLOG) == -1)) {
		close(sock);
		return -1;
	}
	*port = at.sin_port;
	if (sock != to) {
		if (dup2(sock, to) == -1)
			return -1;
		close(sock);
	}
	return 0;
}

static pid_t
start(char **command)
{
	char text[32];
	pid_t pid = fork();

	if (pid != 0)
		return pid;
	snprintf(text, sizeof(text), "%ld", (long)getpid());
	setenv("LISTEN_PID", text, 1);
	setenv("LISTEN_FDS", "2", 1);
	setenv("LISTEN_FDNAMES", "chat:chat", 1);
	execvp(command[0], command);
	perror(command[0]);
	_exit(127);
}

/* Ends it; what it ended with. */
static int
end(pid_t pid)
{
	int how = 0;

	if (pid <= 0)
		return 0;
	kill(pid, SIGTERM);
	while (waitpid(pid, &how, 0) == -1 && errno == EINTR)
		continue;
	return how;
}

int
main(int argc, char **argv)
{
	in_port_t port = 0;
	char line[64];
	pid_t pid = 0;
	int tries = 0, bad = 0;

	if (argc < 2)
		return 64;
	/* Whatever we inherited is not to be handed over. */
	for (int fd = TCP; fd < 64; fd++)
		close(fd);
	while (open_at(TCP, SOCK_STREAM, &port) == -1 ||
	    open_at(UDP, SOCK_DGRAM, &port) == -1) {
		if (++tries == TRIES) {
			perror("activate");
			return 1;
		}
		port = 0;
	}
	printf("%d\n", (int)ntohs(port));
	fflush(stdout);
	while (fgets(line, sizeof(line), stdin) && strcmp(line, "end\n") != 0) {
		bad |= end(pid);
		pid = start(argv + 1);
		printf("%ld\n", (long)pid);
		fflush(stdout);
	}
	bad |= end(pid);
	return bad != 0;
}
