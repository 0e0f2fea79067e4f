/* SPDX-License-Identifier: ISC */
/*
 * The worst who could run a centre, for the tests of private links: stands in
 * its place with its key, writes down every line that goes either way, and
 * alters the replies as it is told.  A program of its own, one process for
 * each connection.  It must never outlive who started it.
 *
 * usage: spy CERTIFICATE KEY PORT LOG EDITS ; prints its port
 *
 * Carries to 127.0.0.1:PORT.  EDITS is a file that is read anew for each
 * connection: lines of an extended regular expression, a tab, and what to put
 * in the place of each match; or of "from", a tab, and the address that we
 * call the centre from.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <regex.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

#include <netinet/in.h>
#include <sys/prctl.h>
#include <sys/socket.h>

#include "lib/tls.h"
#include "lib/unix.h"

enum {
	EDITS_MAX = 8,
	EDIT_LEN = 512,
	WAIT_MS = 60000, /* longer than any client waits */
};

struct edit {
	regex_t from;
	char to[EDIT_LEN];
};

struct spy {
	SSL_CTX *server, *client;
	const char *edits_file;
	struct sockaddr_in centre, source;
	int log;
	struct edit edits[EDITS_MAX];
	size_t count;
};

_Noreturn static void
give_up(const char *what)
{
	perror(what);
	exit(EX_OSERR);
}

static int64_t
later(void)
{
	return clock_mono() + WAIT_MS;
}

/* Reads what is to be altered from now on. */
static void
read_edits(struct spy *spy)
{
	FILE *file = fopen(spy->edits_file, "re");
	char line[2 * EDIT_LEN], *tab;
	struct edit *edit;

	while (file != NULL && spy->count < EDITS_MAX &&
	    fgets(line, sizeof(line), file) != NULL) {
		tab = strchr(line, '\t');
		if (tab == NULL)
			continue;
		*tab++ = '\0';
		tab[strcspn(tab, "\n")] = '\0';
		if (strcmp(line, "from") == 0) {
			spy->source.sin_addr.s_addr = inet_addr(tab);
			continue;
		}
		edit = &spy->edits[spy->count++];
		snprintf(edit->to, sizeof(edit->to), "%s", tab);
		if (regcomp(&edit->from, line, REG_EXTENDED) != 0)
			give_up(line);
	}
	if (file != NULL)
		fclose(file);
}

/* The line with each match replaced, in fresh memory. */
static char *
edited(const struct edit *edit, const char *line)
{
	char *text = NULL;
	regmatch_t match;
	size_t size;
	FILE *to = open_memstream(&text, &size);

	if (to == NULL)
		give_up("memory");
	while (*line != '\0' && regexec(&edit->from, line, 1, &match, 0) == 0 &&
	    match.rm_eo > 0) {
		fwrite(line, 1, (size_t)match.rm_so, to);
		fputs(edit->to, to);
		line += match.rm_eo;
	}
	fputs(line, to);
	if (fclose(to) == EOF)
		give_up("memory");
	return text;
}

/* Writes a line down, whole, whoever else does. */
static void
note(const struct spy *spy, char which, const char *line)
{
	char *text;
	int len = asprintf(&text, "%c %s\n", which, line);

	if (len == -1 || write(spy->log, text, (size_t)len) != len)
		give_up("log");
	free(text);
}

/* Passes a line on; false if nobody takes it. */
static bool
pass(struct tls_conn *to, const char *line)
{
	char *text;
	int len = asprintf(&text, "%s\n", line);
	bool passed;

	if (len == -1)
		give_up("memory");
	passed = tls_write(to, text, (size_t)len, later()) == TLS_OK;
	free(text);
	return passed;
}

/* Carries one request and its reply; false at the end. */
static bool
carry(struct spy *spy, struct tls_conn *from, struct tls_conn *to)
{
	char *line, *text, *next;
	size_t len;
	bool passed;

	if (tls_read_line(from, &line, &len, later()) != TLS_OK)
		return false;
	note(spy, '>', line);
	if (!pass(to, line) ||
	    tls_read_line(to, &line, &len, later()) != TLS_OK)
		return false;
	text = strdup(line);
	for (size_t i = 0; text != NULL && i < spy->count; i++) {
		next = edited(&spy->edits[i], text);
		free(text);
		text = next;
	}
	if (text == NULL)
		give_up("memory");
	note(spy, '<', text);
	passed = pass(from, text);
	free(text);
	return passed;
}

/* Our own connection to the centre; -1 if it is not there. */
static int
to_centre(const struct spy *spy)
{
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	if (fd == -1 ||
	    bind(fd, (const struct sockaddr *)&spy->source,
		sizeof(spy->source)) == -1)
		give_up("source");
	if (connect(fd, (const struct sockaddr *)&spy->centre,
		sizeof(spy->centre)) == 0)
		return fd;
	close(fd);
	return -1;
}

/* One connection, in a process of its own. */
static void
meet(struct spy *spy, int fd)
{
	struct tls_conn from, to;
	int centre;

	read_edits(spy);
	centre = to_centre(spy);
	if (centre == -1) {
		close(fd);
		return;
	}
	if (tls_conn_open(&from, spy->server, fd, true, NULL) == 0 &&
	    tls_conn_open(&to, spy->client, centre, false, NULL) == 0 &&
	    tls_handshake(&to, TLS_ALPN_CENTRE, later()) == TLS_OK &&
	    tls_handshake(&from, TLS_ALPN_CENTRE, later()) == TLS_OK)
		while (carry(spy, &from, &to))
			continue;
	tls_conn_close(&to, 0);
	tls_conn_close(&from, 1000);
}

/* Listens on a free port of the loopback and says which. */
static int
listen_somewhere(void)
{
	struct sockaddr_in addr = {
	    .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	socklen_t len = sizeof(addr);
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	if (fd == -1 || bind(fd, (struct sockaddr *)&addr, len) == -1 ||
	    listen(fd, 64) == -1 ||
	    getsockname(fd, (struct sockaddr *)&addr, &len) == -1)
		give_up("listen");
	printf("%d\n", ntohs(addr.sin_port));
	fflush(stdout);
	return fd;
}

/* Takes the command line apart. */
static void
prepare(struct spy *spy, int argc, char **argv)
{
	char why[TLS_WHY_LEN] = "usage: see its source";

	if (argc >= 6) {
		spy->server =
		    tls_server_new(argv[1], argv[2], TLS_ALPN_CENTRE, why);
		spy->client = tls_client_new(TLS_ALPN_CENTRE, why);
	}
	if (spy->server == NULL || spy->client == NULL) {
		fprintf(stderr, "spy: %s\n", why);
		exit(EX_USAGE);
	}
	spy->centre = (struct sockaddr_in){.sin_family = AF_INET,
	    .sin_addr.s_addr = htonl(INADDR_LOOPBACK),
	    .sin_port = htons((uint16_t)atoi(argv[3]))};
	spy->source = (struct sockaddr_in){
	    .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	spy->log =
	    open(argv[4], O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
	if (spy->log == -1)
		give_up(argv[4]);
	spy->edits_file = argv[5];
}

int
main(int argc, char **argv)
{
	struct spy spy = {0};
	int listener, fd;

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	signal(SIGPIPE, SIG_IGN);
	signal(SIGCHLD, SIG_IGN);
	prepare(&spy, argc, argv);
	listener = listen_somewhere();
	while ((fd = accept(listener, NULL, NULL)) != -1 || errno == EINTR) {
		if (fd == -1)
			continue;
		if (fork() == 0) {
			prctl(PR_SET_PDEATHSIG, SIGKILL);
			meet(&spy, fd);
			_exit(0);
		}
		close(fd);
	}
	give_up("accept");
}
