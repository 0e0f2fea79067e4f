/* SPDX-License-Identifier: ISC */
/*
 * Can the house be filled?  Connections that are opened and held, by the
 * thousand, while people with a session ask for something now and then: from
 * addresses that the centre knows, and from new ones each time.
 */
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <netinet/in.h>
#include <sys/mman.h>
#include <sys/socket.h>

#include "attack.h"
#include "bench.h"
#include "lib/tls.h"
#include "lib/unix.h"

enum {
	RATE = 2000,
	HOLD = 10000,
	PASSING = 10, /* at that rate each stays 5 ms */
	ADDRESSES = 1000,
	QUICK_PART = 10, /* of all that */
	HONEST = 8, /* processes: one half known, the other strangers */
	ASKED_MOST = 8192, /* of each */
	PAUSE_MS = 40, /* between two requests, and as much again by chance */
	PATIENCE_MS = 2000,
	FILL_MS = 5500, /* until as many are held as are to be */
	MEASURE_MS = 10000,
	GREETING_LEN = 1024,
};

/* What one of the honest has seen. */
struct honest {
	long asked, served;
	double took[ASKED_MOST]; /* microseconds, of those served */
};

/* One way to fill the house. */
struct siege {
	const char *key, *title;
	bool greet; /* each says hello, and then nothing */
	bool alone; /* all from one address */
	bool leave; /* after some milliseconds; the others stay */
	double known, strangers; /* bars: percent served; 0: none */
};

static const struct siege sieges[] = {
    {"silent", "Connections that say nothing, from 1,000 addresses", false,
	false, false, 99.5, 99.5},
    {"greeting",
	"Likewise, with a ClientHello each: the dearest moment to"
	" stop",
	true, false, false, 99.5, 99.5},
    {"leaving", "Likewise, and gone after 5 ms", true, false, true, 99.5, 99.5},
    {"alone", "Connections that say nothing, from one address", false, true,
	false, 100, 100},
    {"alone_greeting", "Likewise, with a ClientHello each", true, true, false,
	100, 100},
};

struct flood {
	struct bench *bench;
	const struct centre *centre;
	const struct siege *siege;
	struct honest *honest; /* HONEST of them, shared */
	int64_t from, until; /* clock_ns(): what is counted */
	char greeting[GREETING_LEN];
	size_t greeting_len;
};

/* The first octets of a real handshake. */
static int
make_greeting(struct flood *flood)
{
	SSL *ssl = SSL_new(flood->bench->tls);
	BIO *in = BIO_new(BIO_s_mem()), *out = BIO_new(BIO_s_mem());
	int len = 0;

	if (ssl != NULL && in != NULL && out != NULL) {
		SSL_set_bio(ssl, in, out);
		SSL_connect(ssl);
		len = BIO_read(out, flood->greeting, GREETING_LEN);
	}
	SSL_free(ssl);
	flood->greeting_len = len > 0 ? (size_t)len : 0;
	return len > 0 ? 0 : complain("no ClientHello");
}

/* Connects, waiting no longer than patience; -1 if it does not come about. */
static int
connect_patiently(uint16_t port, int net, int number)
{
	struct sockaddr_in to = {.sin_family = AF_INET,
	    .sin_port = htons(port),
	    .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	int fd = attack_socket(net, number, false), error = 0;
	struct pollfd pfd = {.fd = fd, .events = POLLOUT};
	socklen_t len = sizeof(error);

	if (fd == -1)
		return -1;
	if ((connect(fd, (struct sockaddr *)&to, sizeof(to)) == 0 ||
		errno == EINPROGRESS) &&
	    poll(&pfd, 1, PATIENCE_MS) == 1 &&
	    getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &len) == 0 &&
	    error == 0)
		return fd;
	close(fd);
	return -1;
}

/* One request on a connection of its own. */
static bool
ask_once(const struct flood *flood, int user, int net, int number)
{
	char line[LOAD_LINE_LEN], token[WIRE_TOKEN_LEN + 1], *reply;
	int64_t until = clock_mono() + PATIENCE_MS;
	int fd = connect_patiently(flood->centre->port, net, number);
	struct tls_conn conn;
	bool good = false;
	size_t len;

	if (fd == -1)
		return false;
	centre_token(&flood->bench->ground, user, token);
	len = (size_t)snprintf(line, sizeof(line),
	    "{\"op\":\"live\",\"token\":\"%s\",\"mail\":0,\"room\":0}\n",
	    token);
	if (tls_conn_open(&conn, flood->bench->tls, fd, false, "127.0.0.1") ==
	    0)
		good = tls_handshake(&conn, TLS_ALPN_CENTRE, until) == TLS_OK &&
		    tls_write(&conn, line, len, until) == TLS_OK &&
		    tls_read_line(&conn, &reply, &len, until) == TLS_OK &&
		    load_accepted(reply);
	tls_conn_close(&conn, 0);
	return good;
}

/* One who asks now and then, until the time is over. */
static _Noreturn void
be_honest(const struct flood *flood, int index, struct honest *honest)
{
	bool stranger = index >= HONEST / 2;
	int net = stranger ? 3 : 2, number = index;

	srand((unsigned)(getpid() + index));
	if (stranger)
		number = rand() % 10000;
	while (!interrupted() && clock_ns() < flood->until &&
	    honest->asked < ASKED_MOST) {
		int64_t began;
		bool good;

		poll(NULL, 0, PAUSE_MS + rand() % PAUSE_MS);
		if (stranger)
			number++;
		began = clock_ns();
		good = ask_once(flood, index, net, number);
		if (began < flood->from)
			continue;
		honest->asked++;
		if (good)
			honest->took[honest->served++] =
			    (double)(clock_ns() - began) / 1000;
	}
	_exit(0);
}

/* Adds the lines of one half of the honest. */
static void
show_half(const struct flood *flood, bool strangers, double bar, double cap)
{
	const char *who = strangers ? "strangers" : "known";
	const struct honest *half = &flood->honest[strangers ? HONEST / 2 : 0];
	static double took[HONEST / 2 * ASKED_MOST];
	char key[4][64], what[4][64];
	const char *name[] = {"served", "median", "p99", "worst"};
	double asked = 0, share;
	size_t count = 0;

	for (int i = 0; i < HONEST / 2; i++) {
		asked += (double)half[i].asked;
		for (long j = 0; j < half[i].served; j++)
			took[count++] = half[i].took[j];
	}
	for (int i = 0; i < 4; i++) {
		snprintf(key[i], sizeof(key[i]), "flood_%s_%s_%s",
		    flood->siege->key, who, name[i]);
		snprintf(what[i], sizeof(what[i]), "%s%s, %s",
		    i > 0 ? "    " : "", who, name[i]);
	}
	share = asked > 0 ? 100 * (double)count / asked : 0;
	report_line(&flood->bench->report,
	    &(struct report_row){
		key[0], what[0], "%", bar > 0 ? BAR_LEAST : BAR_NONE, bar},
	    0, share);
	report_line(&flood->bench->report,
	    &(struct report_row){
		key[1], what[1], "ms", bar > 0 ? BAR_MOST : BAR_NONE, cap},
	    0, quantile(took, count, 0.5) / 1000);
	report_line(&flood->bench->report,
	    &(struct report_row){key[2], what[2], "ms", 0, 0}, 0,
	    quantile(took, count, 0.99) / 1000);
	report_line(&flood->bench->report,
	    &(struct report_row){key[3], what[3], "ms", 0, 0}, 0,
	    quantile(took, count, 1) / 1000);
}

static void
show(const struct flood *flood, const struct attack_result *attack, double cpu,
    int64_t gave)
{
	char key[4][64];
	const struct {
		const char *name, *what, *unit;
		double value;
	} lines[] = {
	    {"rate", "new connections a second", "",
		(double)attack->opened / attack->seconds},
	    {"cpu", "    server's CPU, of one core", "%",
		100 * cpu / attack->seconds},
	    {"attacker_cpu", "    the attacker's", "%",
		100 * attack->cpu / attack->seconds},
	    {"gave_way", "workers that gave way a second", "",
		(double)gave / attack->seconds},
	};

	for (int i = 0; i < 4; i++) {
		snprintf(key[i], sizeof(key[i]), "flood_%s_%s",
		    flood->siege->key, lines[i].name);
		report_line(&flood->bench->report,
		    &(struct report_row){
			key[i], lines[i].what, lines[i].unit, 0, 0},
		    0, lines[i].value);
	}
	show_half(flood, false, flood->siege->known, 15);
	show_half(flood, true, flood->siege->strangers, 15);
}

/* The honest for as long as the attack, both begun here. */
static int
endure(struct flood *flood, struct attack *attack)
{
	const struct siege *siege = flood->siege;
	const bool quick = flood->bench->quick;
	const int part = quick ? QUICK_PART : 1;
	int64_t fill = quick ? 300 : FILL_MS;
	int64_t ms = quick ? 700 : MEASURE_MS;
	const struct attack_plan plan = {.port = flood->centre->port,
	    .rate = RATE / part,
	    .hold = siege->leave ? PASSING : HOLD / part,
	    .addresses = siege->alone ? 1 : ADDRESSES / part,
	    .greeting = siege->greet ? flood->greeting : NULL,
	    .greeting_len = flood->greeting_len,
	    .ms = fill + ms};
	pid_t honest[HONEST];
	int status = 0;

	/* Those who are known are, before it begins. */
	for (int i = 0; i < HONEST / 2; i++)
		if (!ask_once(flood, i, 2, i))
			return complain("not even before the flood");
	flood->from = clock_ns() + fill * 1000000;
	flood->until = flood->from + ms * 1000000;
	status = attack_begin(attack, &plan);
	for (int i = 0; i < HONEST; i++) {
		honest[i] = fork();
		if (honest[i] == 0)
			be_honest(flood, i, &flood->honest[i]);
	}
	for (int i = 0; i < HONEST; i++)
		if (honest[i] == -1 || process_wait(honest[i]) == -1)
			status = complain("an honest client did not end well");
	if (attack_end(attack) == -1)
		status = -1;
	/* Afterwards all is as it was. */
	for (int i = 0; status == 0 && i < HONEST / 2; i++)
		if (!ask_once(flood, i, 2, i))
			status = complain("nobody is served after the flood");
	return status;
}

static int
besiege(struct bench *bench, const struct siege *siege)
{
	const struct centre_plan plan = {
	    .name = "flood", .users = HONEST, .open = true};
	const size_t size = HONEST * sizeof(struct honest);
	struct flood flood = {.bench = bench, .siege = siege};
	struct process_cost before, after;
	struct centre centre = {0};
	struct attack attack = {0};
	int status = -1;

	flood.centre = &centre;
	flood.honest = mmap(NULL, size, PROT_READ | PROT_WRITE,
	    MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (flood.honest == MAP_FAILED)
		return complain("no memory");
	report_part(siege->title, NULL);
	if (make_greeting(&flood) == 0 &&
	    centre_make(&centre, &bench->ground, &plan) == 0 &&
	    centre_cost(&centre, &before) == 0 &&
	    (status = endure(&flood, &attack)) == 0 &&
	    (status = centre_cost(&centre, &after)) == 0)
		show(&flood, attack.result, after.cpu - before.cpu,
		    centre_metric(&centre, "workers_gave_way_total"));
	attack_release(&attack);
	munmap(flood.honest, size);
	if (centre_stop(&centre) == -1 && status == 0)
		status = complain("the centre did not end well");
	return status;
}

int
bench_flood(struct bench *bench)
{
	int status = 0;

	for (size_t i = 0; i < sizeof(sieges) / sizeof(sieges[0]); i++)
		if (status == 0)
			status = besiege(bench, &sieges[i]);
	return status;
}
