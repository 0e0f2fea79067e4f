/* SPDX-License-Identifier: ISC */
/*
 * chatd.conf(5): every default, the file that is printed and read back, the
 * checks across settings, and addresses as a person writes them.
 */
#include <errno.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <unistd.h>

#include "chatd/network.h"
#include "chatd/settings.h"
#include "lib/log.h"
#include "lib/unix.h"
#include "tap.h"

static char path[] = "/tmp/settings-test.XXXXXX";

/* Writes the file, reads it; errors are the caller's. */
static struct settings *
read_text(const char *text, struct conf_errors *errors)
{
	FILE *file = fopen(path, "w");

	memset(errors, 0, sizeof(*errors));
	if (!file || fputs(text, file) == EOF || fclose(file) == EOF)
		perror(path);
	return settings_read(path, errors);
}

/* Claims that the text is refused with exactly these lines. */
static void
refused(const char *text, int count, const char *what)
{
	struct conf_errors errors;
	struct settings *settings = read_text(text, &errors);

	ok(!settings && errors.count == count && errors.text &&
		strstr(errors.text, what),
	    "refused: %s", what);
	if (errors.count != count || !errors.text || !strstr(errors.text, what))
		tap_show("errors", errors.text);
	settings_free(settings);
	conf_errors_release(&errors);
}

static void
test_defaults(void)
{
	struct conf_errors errors;
	struct settings *s = read_text("", &errors);

	if (!ok(s && errors.count == 0, "an empty file serves")) {
		tap_show("errors", errors.text);
		return;
	}
	is(s->listen[0], "[::]:2428", "listens on IPv6");
	is(s->listen[1], "0.0.0.0:2428", "and on IPv4");
	ok(!s->listen[2] && settings_listen_is_default(s), "by default");
	is(s->user, "chatd", "user");
	is(s->state_directory, LOCALSTATEDIR "/lib/chat", "state_directory");
	is(s->runtime_directory, RUNSTATEDIR "/chat", "runtime_directory");
	is(s->certificate, LOCALSTATEDIR "/lib/chat/server.pem",
	    "tls.certificate in the state directory");
	is(s->key, LOCALSTATEDIR "/lib/chat/server.key", "tls.key there too");
	ok(s->rules.attempts == 3 && s->rules.block_seconds == 60, "login");
	ok(s->rules.heartbeat == 30 && s->rules.timeout == 90 &&
		s->rules.lifetime_days == 30,
	    "session");
	ok(s->rules.private_enabled && s->rules.ask_seconds == 60 &&
		s->rules.pass_seconds == 3600 && s->beacon_enabled,
	    "private, beacon");
	ok(s->workers == 256 && s->workers_per_address == 16 &&
		s->handshake_seconds == 5 && s->request_seconds == 10 &&
		s->connection_seconds == 30,
	    "limits of connections");
	ok(s->rules.message_bytes == 8192 &&
		s->rules.mailbox_messages == 10000 &&
		s->rules.requests_per_second == 20 &&
		s->rules.request_burst == 60,
	    "limits of requests");
	ok(s->exempt[0] && s->exempt[1] && !s->exempt[2], "limits.exempt");
	ok(s->rules.registration == REGISTRATION_CLOSED && s->engine == 0 &&
		s->rules.room_keep_days == 7,
	    "accounts, store, room");
	is(s->log_to, "stderr", "log.to");
	ok(s->log_level == LOG_LEVEL_INFO, "log.level");
	settings_free(s);
	conf_errors_release(&errors);
}

/* Everything that settings_print() says, in fresh memory. */
static char *
printed(const struct settings *settings)
{
	char *text = NULL;
	size_t len;
	FILE *to = open_memstream(&text, &len);

	if (settings)
		settings_print(to, settings);
	else
		settings_print_defaults(to);
	fclose(to);
	return text;
}

static void
test_printed(void)
{
	struct conf_errors errors;
	struct settings *one, *two;
	char *first, *second;

	one = read_text("listen = [\"127.0.0.1:0\"]; state_directory = \"/s\";"
			"tls: { key = \"STATE_DIRECTORY/k\"; };"
			"limits: { exempt = []; workers = 3; };"
			"accounts: { registration = \"open\"; };"
			"beacon: { enabled = false; };"
			"log: { to = \"/a \\\"b\"; level = \"warn\"; };",
	    &errors);
	if (!ok(one && errors.count == 0, "a file with much in it is read"))
		return;
	is(one->key, "/s/k", "STATE_DIRECTORY is put in");
	ok(!settings_listen_is_default(one), "listen was set");
	ok(one->rules.registration == REGISTRATION_OPEN, "a choice is read");
	first = printed(one);
	two = read_text(first, &errors);
	if (ok(two && errors.count == 0, "what is printed is read back")) {
		second = printed(two);
		is(second, first, "and prints the same");
		free(second);
	} else
		tap_show("errors", errors.text);
	settings_free(one);
	settings_free(two);
	free(first);

	first = printed(NULL);
	ok(strstr(first, "\"STATE_DIRECTORY/server.pem\"") != NULL,
	    "the commented file names no directory twice");
	one = read_text(first, &errors);
	ok(one && errors.count == 0 && settings_listen_is_default(one),
	    "and is read");
	if (errors.count)
		tap_show("errors", errors.text);
	settings_free(one);
	conf_errors_release(&errors);
	free(first);
}

/* The text with one directory in the place of another; free it. */
static char *
replaced(const char *text, const char *from, const char *to)
{
	const char *at;
	char *out = NULL;
	size_t len;
	FILE *file = open_memstream(&out, &len);

	while ((at = strstr(text, from))) {
		fwrite(text, 1, (size_t)(at - text), file);
		fputs(to, file);
		text = at + strlen(from);
	}
	fputs(text, file);
	fclose(file);
	return out;
}

/* conf/chatd.conf is what is printed, for a centre under /var and /run. */
static void
test_example(void)
{
	const char *source = getenv("CHAT_SRC");
	char *name = NULL, *example, *plain, *half, *wanted;

	if (!source || asprintf(&name, "%s/conf/chatd.conf", source) == -1) {
		ok(true, "the example in the tree # SKIP no CHAT_SRC");
		return;
	}
	example = file_read(name, 65536, NULL);
	plain = printed(NULL);
	half = replaced(plain, "\"" LOCALSTATEDIR "/lib", "\"/var/lib");
	wanted = replaced(half, "\"" RUNSTATEDIR "/chat", "\"/run/chat");
	/* The licence's line is the tree's alone. */
	is(example && strchr(example, '\n') ? strchr(example, '\n') + 1 : NULL,
	    wanted, "conf/chatd.conf holds every default");
	free(name);
	free(example);
	free(plain);
	free(half);
	free(wanted);
}

static void
test_refused(void)
{
	refused("session: { heartbeat = 30; timeout = 30; };", 1,
	    ":1: session.timeout: 30 must be more than session.heartbeat");
	refused("limits: { connection_seconds = 5; request_seconds = 6; };", 1,
	    ":1: limits.request_seconds: 6 must be at most");
	refused("limits: { connection_seconds = 4; request_seconds = 4; };", 1,
	    "limits.handshake_seconds: 5 must be at most");
	refused("limits: { request_burst = 10; };", 1,
	    "limits.request_burst: 10 must be at least");
	refused("listen = [];", 1, "listen: ");
	refused("listen = [\"localhost:1\", \"::1:2\", \"[1.2.3.4]:5\"];", 3,
	    ":1: listen: \"localhost:1\" is not ADDRESS:PORT");
	refused("limits: { exempt = [ \"10.0.0.0/33\" ]; };", 1,
	    "limits.exempt: \"10.0.0.0/33\" is not");
	refused("state_directory = \"here\";", 3,
	    "state_directory: \"here\" does not begin with a slash");
	refused("log: { to = \"stdout\"; };", 1, "log.to: \"stdout\" is not");
	refused("store: { engine = \"postgresql\"; };", 1, "store.engine");
	refused("limits: { workers = 99999999999; };", 1, "limits.workers");
	refused(
	    "limits: { message_bytes = 16385; };", 1, "limits.message_bytes");
	refused("limit: { workers = 5; };", 1, "limit");
	refused("listen = [\"x\"];\nlogin: { attempts = 0; };\n"
		"log: { to = \"y\"; };",
	    3, ":2: login.attempts");
}

static void
test_listen(void)
{
	static const char *const bad[] = {"", ":", "1.2.3.4",
	    "1.2.3.4:", "1.2.3.4:65536", "1.2.3.4:-1", "1.2.3.4: 1", "1.2.3:1",
	    "[::1]", "[::1]:", "[::1]1", "[::1:1", "::1:1", "[]:1", "[", "[:1",
	    "*:1", "[1.2.3.4]:1", "1.2.3.4:000001", "0x1.2.3.4:1"};
	static const char *const good[] = {
	    "0.0.0.0:0", "127.0.0.1:65535", "[::]:2428", "[2001:db8::1]:1"};
	struct sockaddr_storage out;
	struct ipc_address address;
	char text[NETWORK_TEXT_LEN];
	socklen_t len;

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		ok(listen_parse(bad[i], &out, &len) == -1,
		    "not to listen on: \"%s\"", bad[i]);
	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
		if (listen_parse(good[i], &out, &len) == -1)
			strcpy(text, "refused");
		else {
			ipc_address_set(&address, (struct sockaddr *)&out);
			listen_text(&address, text);
		}
		is(text, good[i], "there and back: %s", good[i]);
	}
}

/* True if the network holds the address; both as text. */
static bool
holds(const char *network, const char *address)
{
	struct network net, host;

	return network_parse(network, &net) == 0 &&
	    network_parse(address, &host) == 0 &&
	    network_holds(&net, &host.address);
}

static void
test_networks(void)
{
	static const char *const bad[] = {"", "/", "1.2.3.4/", "1.2.3.4/33",
	    "::/129", "1.2.3.4/-1", "1.2.3/8", "x", "[::1]", "1.2.3.4/8/8"};
	struct network network;

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		ok(network_parse(bad[i], &network) == -1, "no network: \"%s\"",
		    bad[i]);
	ok(holds("127.0.0.0/8", "127.255.0.1"), "127.0.0.0/8 holds");
	ok(!holds("127.0.0.0/8", "128.0.0.1"), "and holds not");
	ok(holds("10.1.2.3/20", "10.1.15.255"), "bits within an octet");
	ok(!holds("10.1.2.3/20", "10.1.16.0"), "and past them");
	ok(holds("0.0.0.0/0", "8.8.8.8") && !holds("0.0.0.0/0", "::1"),
	    "all of a family, and none of the other");
	ok(holds("::1", "::1") && !holds("::1", "::2"), "one address");
	ok(holds("2001:db8::/61", "2001:db8:0:7::1") &&
		!holds("2001:db8::/61", "2001:db8:0:8::1"),
	    "bits of IPv6");
}

int
main(void)
{
	int fd = mkstemp(path);

	if (fd == -1)
		return 1;
	close(fd);
	test_defaults();
	test_printed();
	test_example();
	test_refused();
	test_listen();
	test_networks();
	unlink(path);
	return done();
}
