/* SPDX-License-Identifier: ISC */
/*
 * Unit tests of lib/conf, and of lib/unix's whole files: what a file sets,
 * what is wrong with it and where, and that what is printed reads back.
 */
#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <unistd.h>
#include <sys/stat.h>

#include "lib/conf.h"
#include "lib/unix.h"
#include "tap.h"

struct settings {
	char **listen;
	char *user, *note;
	int attempts, workers;
	bool enabled;
	int registration;
	int deep;
};

#define ROW(field) offsetof(struct settings, field)

static const struct conf_setting table[] = {
    {"listen", CONF_LIST, ROW(listen), 0, 0, "[::]:2428 0.0.0.0:2428", NULL,
	"where to listen"},
    {"user", CONF_STRING, ROW(user), 1, 8, "chatd", NULL, "who to be"},
    {"note", CONF_STRING, ROW(note), 0, 0, NULL, NULL, NULL},
    {"login.attempts", CONF_INT, ROW(attempts), 1, 1000, "3", NULL,
	"failures before the account is blocked"},
    {"limits.workers", CONF_INT, ROW(workers), 1, 65535, "256", NULL, NULL},
    {"login.enabled", CONF_BOOL, ROW(enabled), 0, 0, "true", NULL, NULL},
    {"accounts.registration", CONF_CHOICE, ROW(registration), 0, 0, "open",
	"closed invite open", NULL},
    {"limits.more.deep", CONF_INT, ROW(deep), -5, 5, "-1", NULL, NULL},
};

enum { COUNT = sizeof(table) / sizeof(table[0]) };

static char directory[] = "/tmp/conf-test.XXXXXX";

/* Writes a file in the directory we are in. */
static void
write_file(const char *name, const char *text)
{
	if (file_replace(name, text, strlen(text), 0600) == -1)
		abort();
}

/* Claims what a file's errors are; "" for none. */
static void
errors_are(const char *text, const char *wanted, const char *why)
{
	struct conf_errors errors = {0};
	struct settings out;
	int count = 0, lines = 0;

	write_file("conf", text);
	count = conf_read("conf", table, COUNT, &out, &errors);
	for (const char *at = wanted; *at; at++)
		lines += *at == '\n';
	is(errors.text ? errors.text : "", wanted, "%s", why);
	ok(count == lines && errors.count == lines &&
		errors.len == strlen(wanted),
	    "  as many as it says");
	conf_release(table, COUNT, &out);
	conf_errors_release(&errors);
}

static void
test_values(void)
{
	struct conf_errors errors = {0};
	struct settings out;

	conf_defaults(table, COUNT, &out);
	is(out.listen[1], "0.0.0.0:2428", "a list by default");
	ok(!out.listen[2] && out.attempts == 3 && out.enabled &&
		out.registration == 2 && out.deep == -1 && !out.note,
	    "the other defaults");
	conf_release(table, COUNT, &out);
	write_file("conf", "");
	ok(conf_read("conf", table, COUNT, &out, &errors) == 0 &&
		out.workers == 256,
	    "an empty file is good");
	conf_release(table, COUNT, &out);
	write_file("conf",
	    "// all of it\nlisten = [ \"a\", \"b\", \"c\" ];\n"
	    "user = \"me\" \"too\"; note: \"\";\n"
	    "login: { attempts = 0x10; enabled = false };\n"
	    "limits = { more: { deep = -5 } workers = 65535L };\n"
	    "accounts: { registration = \"invite\" }\n");
	ok(conf_read("conf", table, COUNT, &out, &errors) == 0, "a full one");
	is(errors.text, NULL, "without an error");
	ok(!strcmp(out.listen[2], "c") && !out.listen[3], "a list");
	is(out.user, "metoo", "a string");
	is(out.note, "", "an empty one");
	ok(out.attempts == 16 && !out.enabled && out.workers == 65535 &&
		out.deep == -5 && out.registration == 1,
	    "the others");
	conf_release(table, COUNT, &out);
	write_file("conf", "listen = ( \"a\", \"b\" );\n");
	ok(conf_read("conf", table, COUNT, &out, &errors) == 0 &&
		!strcmp(out.listen[1], "b") && !out.listen[2],
	    "a list in ( )");
	conf_release(table, COUNT, &out);
	write_file("conf", "listen = \"a\";\n");
	ok(conf_read("conf", table, COUNT, &out, &errors) == 0 &&
		!strcmp(out.listen[0], "a") && !out.listen[1],
	    "a single one");
	conf_release(table, COUNT, &out);
	write_file("conf", "listen = [ ];\n");
	ok(conf_read("conf", table, COUNT, &out, &errors) == 0 &&
		!out.listen[0],
	    "an empty list");
	conf_release(table, COUNT, &out);
}

static void
test_names(void)
{
	errors_are("limits: {\n  wrokers = 4;\n};\n",
	    "conf:2: limits.wrokers: unknown setting; did you mean "
	    "\"limits.workers\"?\n",
	    "a misspelt setting");
	errors_are("limts: {\n  workers = 4;\n};\n",
	    "conf:1: limts: unknown setting; did you mean \"limits\"?\n",
	    "a misspelt group");
	errors_are("\nattempts = 4;\n",
	    "conf:2: attempts: unknown setting; did you mean "
	    "\"login.attempts\"?\n",
	    "one in the wrong group");
	errors_are("colour = 4;\n", "conf:1: colour: unknown setting\n",
	    "one from nowhere");
	errors_are("limits: { more: { deeep: { x = 1; }; }; };\n",
	    "conf:1: limits.more.deeep: unknown setting; did you mean "
	    "\"limits.more.deep\"?\n",
	    "one deep inside");
}

static void
test_types(void)
{
	errors_are("login = 3;\nlimits = [ ];\n",
	    "conf:1: login: a group { } is wanted\n"
	    "conf:2: limits: a group { } is wanted\n",
	    "a group is wanted");
	errors_are("colour = 4;\nlogin = 99999999999;\nlimits = 2;\n",
	    "conf:1: colour: unknown setting\n"
	    "conf:2: login: 99999999999 is too large a number\n"
	    "conf:2: login: a group { } is wanted\n"
	    "conf:3: limits: a group { } is wanted\n",
	    "errors come in the order of the lines");
	errors_are("login: { attempts = \"3\"; enabled = 1; };\n"
		   "limits: { workers = 1.5; };\n",
	    "conf:1: login.attempts: a number is wanted\n"
	    "conf:1: login.enabled: true or false is wanted\n"
	    "conf:2: limits.workers: a whole number is wanted\n",
	    "scalars");
	errors_are("listen = 4;\nuser = true;\n",
	    "conf:1: listen: a list of strings is wanted\n"
	    "conf:2: user: a string is wanted\n",
	    "strings");
	errors_are("listen = ( \"a\",\n 4 );\n",
	    "conf:2: listen: a list of strings is wanted; entry 2 is none\n",
	    "a list's entries");
	errors_are("user = { x = 1; };\n", "conf:1: user: a string is wanted\n",
	    "a group is no string");
	errors_are("accounts: { registration = \"opn\\n\" };\n",
	    "conf:1: accounts.registration: \"opn\xef\xbf\xbd\" is not "
	    "allowed; \"closed\", \"invite\" or \"open\" is\n",
	    "a choice");
	errors_are("accounts: { registration = true };\n",
	    "conf:1: accounts.registration: \"closed\", \"invite\" or "
	    "\"open\" is wanted\n",
	    "a choice of another type");
}

static void
test_ranges(void)
{
	errors_are(
	    "login: { attempts = 0; };\nlimits: { more: { deep = 6; }; };",
	    "conf:1: login.attempts: 0 is out of range; 1 to 1000 is allowed\n"
	    "conf:2: limits.more.deep: 6 is out of range; -5 to 5 is allowed\n",
	    "out of range");
	errors_are("user = \"\";",
	    "conf:1: user: a string of 1 to 8 bytes is "
	    "wanted\n",
	    "too short");
	errors_are("user = \"123456789\";",
	    "conf:1: user: a string of 1 to 8 "
	    "bytes is wanted\n",
	    "too long");
	errors_are("limits: { workers = 4294967297; };\n",
	    "conf:1: limits.workers: 4294967297 is out of range; 1 to 65535 "
	    "is allowed\n",
	    "an overflow that would come out right");
	errors_are("limits: {\n/* \n */ more: { deep =\n 0xffffffff; };\n"
		   "workers = 99999999999999999999L; };\n",
	    "conf:4: limits.more.deep: 0xffffffff is out of range; -5 to 5 is "
	    "allowed\nconf:5: limits.workers: 99999999999999999999L is out of "
	    "range; 1 to 65535 is allowed\n",
	    "overflows of other kinds");
	errors_are("limits: { workers = 4294967297L; };\n",
	    "conf:1: limits.workers: 4294967297 is out of range; 1 to 65535 "
	    "is allowed\n",
	    "a long number");
	errors_are("x = ( 1.5e10, -3000000000 );\n",
	    "conf:1: x: -3000000000 is too large a number\n"
	    "conf:1: x: unknown setting\n",
	    "one of an unknown setting");
	errors_are("note = \"9999999999 \\\" 9999999999\"; # 9999999999\n"
		   "// 9999999999\n/* 9999999999 */\n",
	    "", "numbers in strings and comments");
}

static void
test_files(void)
{
	struct conf_errors errors = {0};
	struct settings out;

	ok(conf_read("nowhere", table, COUNT, &out, &errors) == 1,
	    "a missing file");
	is(errors.text, "nowhere: No such file or directory\n", "is named");
	is(out.user, "chatd", "the defaults are there all the same");
	conf_release(table, COUNT, &out);
	conf_error(&errors, "%s and %s", "heartbeat", "timeout");
	ok(errors.count == 2, "a caller's own error is counted");
	is(strchr(errors.text, '\n'), "\nheartbeat and timeout\n",
	    "and comes last");
	conf_errors_release(&errors);
	ok(conf_read(".", table, COUNT, &out, &errors) == 1, "a directory");
	is(errors.text, ".: Is a directory\n", "is none");
	conf_release(table, COUNT, &out);
	conf_errors_release(&errors);

	write_file("more", "workers = 0;\n\nwrokers = 5000000000;\n");
	errors_are("limits: {\n@include \"more\"\n};\nuser = 1;\n",
	    "more:1: limits.workers: 0 is out of range; 1 to 65535 is "
	    "allowed\n"
	    "more:3: limits.wrokers: 5000000000 is too large a number\n"
	    "more:3: limits.wrokers: unknown setting; did you mean "
	    "\"limits.workers\"?\nconf:4: user: a string is wanted\n",
	    "an included file");
	write_file("more", "workers = ;\n");
	errors_are("limits: {\n@include \"more\"\n};\n",
	    "more:1: syntax error\n", "a syntax error in one");
	errors_are("\n@include \"none\"\n",
	    "conf:2: none: No such file or directory\n", "a missing one");
	errors_are("\n@include \".\"\n", "conf:2: .: Is a directory\n",
	    "one that is a directory");
	errors_are("\n@include \"conf\"\n",
	    "conf:2: conf: files include each other too deeply\n",
	    "one that includes itself");
	errors_are("user = \"me\";\nlogin: {\n attempts = = 4;\n};\n",
	    "conf:3: syntax error\n", "a syntax error");
	errors_are("user = \"me\";\nuser = \"you\";\n",
	    "conf:2: duplicate setting name: a setting or group stands once; "
	    "change the first one\n",
	    "a setting given twice");
	errors_are("workers = 5000000000;\n = 4;\n",
	    "conf:1: workers: 5000000000 is too large a number\n"
	    "conf:2: syntax error\n",
	    "an overflow and a syntax error");
	errors_are("user = \"unfinished", "conf:1: syntax error\n",
	    "the end inside a string");
	if (file_replace("conf", "user\0= 1", 8, 0600) == -1)
		abort();
	ok(conf_read("conf", table, COUNT, &out, &errors) == 1, "a NUL");
	is(errors.text, "conf: not a text file\n", "is no text");
	conf_release(table, COUNT, &out);
	conf_errors_release(&errors);
}

/* Prints the settings into fresh memory. */
static char *
printed(const struct settings *settings)
{
	char *text = NULL;
	size_t size = 0;
	FILE *to = open_memstream(&text, &size);

	if (!to)
		abort();
	conf_print(to, table, COUNT, settings);
	fclose(to);
	return text;
}

static void
test_print(void)
{
	struct conf_errors errors = {0};
	struct settings first, second;
	char *text, *again;

	conf_defaults(table, COUNT, &first);
	text = printed(&first);
	is(text,
	    "// where to listen\n"
	    "listen = [ \"[::]:2428\", \"0.0.0.0:2428\" ];\n"
	    "// who to be\nuser = \"chatd\";\n// note = \"\";\nlogin: {\n"
	    "        // failures before the account is blocked\n"
	    "        attempts = 3;\n        enabled = true;\n};\nlimits: {\n"
	    "        workers = 256;\n        more: {\n"
	    "                deep = -1;\n        };\n};\naccounts: {\n"
	    "        registration = \"open\";\n};\n",
	    "the defaults as a file");
	free(text);
	free(first.user);
	free(first.listen[0]);
	first.listen[0] = NULL;
	free(first.listen[1]);
	first.user = strdup("\"\\\n\x01\xc3\xa9");
	first.attempts = 9;
	text = printed(&first);
	write_file("conf", text);
	ok(conf_read("conf", table, COUNT, &second, &errors) == 0,
	    "it reads back");
	is(errors.text, NULL, "without errors");
	is(second.user, first.user, "with every byte");
	again = printed(&second);
	is(again, text, "and prints the same");
	free(again);
	free(text);
	conf_release(table, COUNT, &first);
	conf_release(table, COUNT, &second);
}

static void
test_whole_files(void)
{
	struct stat info;
	char *text;
	size_t len = 0;

	ok(dir_make("a/b/c", 0700) == 0 && dir_make("a/b/c/", 0700) == 0 &&
		stat("a/b/c", &info) == 0 && S_ISDIR(info.st_mode),
	    "a directory and its parents");
	ok(file_replace("a/b/f", "one", 3, 0640) == 0 &&
		stat("a/b/f", &info) == 0 && (info.st_mode & 07777) == 0640,
	    "a file with its mode");
	ok(file_replace("a/b/f", "three", 5, 0600) == 0, "is replaced");
	text = file_read("a/b/f", 5, &len);
	is(text, "three", "and read");
	ok(len == 5, "whole");
	free(text);
	ok(!file_read("a/b/f", 4, &len) && errno == EFBIG, "but not beyond");
	ok(dir_make("a/b/f", 0700) == -1 && errno == ENOTDIR &&
		dir_make("a/b/f/g", 0700) == -1 && errno == ENOTDIR,
	    "a file is no directory");
	ok(file_replace("none/f", "x", 1, 0600) == -1 && errno == ENOENT,
	    "nor is nothing");
	text = file_read("/proc/self/status", 1 << 20, &len);
	ok(text && len > 100 && strlen(text) == len,
	    "a file that hides its size");
	free(text);
	unlink("a/b/f");
	ok(rmdir("a/b/c") == 0 && rmdir("a/b") == 0 && rmdir("a") == 0,
	    "nothing else is left");
}

static void
test_sockets(void)
{
	struct stat info;
	char longest[200];
	int first = unix_listen("sock", 0600), second, peer;

	ok(first != -1 && stat("sock", &info) == 0 &&
		(info.st_mode & 07777) == 0600,
	    "a socket with its mode");
	second = unix_listen("sock", 0660);
	ok(second != -1, "takes the place of another");
	peer = unix_connect("sock");
	ok(peer != -1, "and is connected to");
	close(peer);
	close(first);
	close(second);
	ok(unix_connect("sock") == -1 && errno == ECONNREFUSED,
	    "a dead one refuses");
	memset(longest, 'x', sizeof(longest));
	longest[sizeof(longest) - 1] = '\0';
	ok(unix_listen(longest, 0600) == -1 && errno == ENAMETOOLONG &&
		unix_connect(longest) == -1 && errno == ENAMETOOLONG,
	    "a path that is too long");
	unlink("sock");
}

/* Claims the names of a group, put together with spaces. */
static void
names_are(const char *text, const char *wanted, const char *why)
{
	char **names, line[256] = "";

	write_file("conf", text);
	names = conf_names("conf", "accounts");
	for (size_t i = 0; names[i]; i++)
		snprintf(line + strlen(line), sizeof(line) - strlen(line),
		    "%s%s", i > 0 ? " " : "", names[i]);
	is(line, wanted, "%s", why);
	conf_names_free(names);
}

/* Groups whose names the user chooses. */
static void
test_chosen_names(void)
{
	char **names;

	names_are("accounts: { home: { a = 1; }; work-2: { }; x = 3; };",
	    "home work-2 x", "the names of a group, in their order");
	names_are("accounts: { };", "", "an empty group has none");
	names_are("accounts = 3;", "", "what is no group has none");
	names_are("", "", "nor has an empty file");
	names_are("accounts: { home: {", "", "nor one that is none");
	names_are("@include \"/\"\naccounts: { home: { }; };", "",
	    "nor one that libconfig must not see");
	write_file("more", "home: { };\n");
	names_are("accounts: {\n@include \"more\"\nwork: { }; };", "home work",
	    "included ones count");
	names = conf_names("nowhere", "accounts");
	ok(names && !names[0], "a file that is missing has none");
	conf_names_free(names);
}

/* Where a setting stands, and what is said of it. */
static void
test_where(void)
{
	struct conf_errors errors = {0};
	char *source;

	write_file("more", "\nuser = \"a\";\n");
	write_file("conf",
	    "attempts = 1;\n@include \"more\"\n"
	    "login: {\n  workers = 99999999999; };\n");
	ok(conf_where("conf", "login.workers", &source) == 4,
	    "the line of a setting");
	is(source, "conf", "in the file itself");
	free(source);
	ok(conf_where("conf", "user", &source) == 2, "the line in another");
	is(source, "more", "that is included");
	free(source);
	ok(conf_where("conf", "nothing", &source) == 0, "no line for none");
	is(source, "conf", "and the file");
	free(source);
	conf_wrong(&errors, "conf", "user", "%d is wrong", 1);
	conf_wrong(&errors, "conf", "nothing", "missing");
	is(errors.text, "more:2: user: 1 is wrong\nconf: nothing: missing\n",
	    "errors with their places");
	ok(errors.count == 2, "and counted");
	conf_errors_release(&errors);
}

int
main(void)
{
	if (!mkdtemp(directory) || chdir(directory) == -1)
		abort();
	test_values();
	test_names();
	test_types();
	test_ranges();
	test_files();
	test_chosen_names();
	test_where();
	test_print();
	test_whole_files();
	test_sockets();
	unlink("conf");
	unlink("more");
	ok(chdir("/") == 0 && rmdir(directory) == 0, "nothing is left");
	return done();
}
