/* SPDX-License-Identifier: ISC */
/*
 * A real keeper in a process of its own, asked as the store would ask: yes,
 * no, unknown names, changes, more at once than it takes, and its end.
 */
#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "chatd/keeper/keeper.h"
#include "chatd/keeper/password.h"
#include "lib/log.h"
#include "lib/unix.h"
#include "tap.h"

static uint64_t buffer[IPC_FRAME_MAX / 8];

/* Starts a keeper; its channel in *sock. */
static pid_t
start(int *sock)
{
	int pair[2];
	pid_t pid;

	if (unix_pair(pair) == -1 || (pid = fork()) == -1)
		exit(1);
	if (pid == 0) {
		close(pair[0]);
		log_init("chatd", "keeper");
		keeper_main(-1, pair[1]);
	}
	close(pair[1]);
	*sock = pair[0];
	return pid;
}

/* The next answer: its number, or 0 at the end. */
static uint32_t
answered(int sock, struct ipc_verdict *verdict)
{
	struct ipc_frame frame;

	if (ipc_receive(sock, ROLE_STORE, ROLE_KEEPER, buffer, &frame) != 1)
		return 0;
	memcpy(verdict, frame.body, sizeof(*verdict));
	return frame.number;
}

static int
check(int sock, uint32_t number, const char *hash, const char *password)
{
	struct ipc_check what = {0};

	strcpy(what.hash, hash);
	strcpy(what.password, password);
	return ipc_send(sock, IPC_CHECK, number, &what, NULL, 0, -1);
}

static int
change(int sock, uint32_t number, const char *hash, const char *old,
    const char *new)
{
	struct ipc_change what = {0};

	strcpy(what.hash, hash);
	strcpy(what.old, old);
	strcpy(what.new, new);
	return ipc_send(sock, IPC_CHANGE, number, &what, NULL, 0, -1);
}

/* Claims what comes back for one check. */
static void
expect(int sock, const char *hash, const char *password, int wanted,
    const char *text)
{
	struct ipc_verdict verdict = {.verdict = -1};

	check(sock, 77, hash, password);
	ok(answered(sock, &verdict) == 77 && verdict.verdict == wanted, "%s",
	    text);
}

static void
test_answers(int sock)
{
	struct ipc_hash what = {.password = "correct horse"};
	struct ipc_verdict verdict = {0};
	char hash[IPC_HASH_MAX + 1], longest[PASSWORD_MAX_LEN + 1];

	ipc_send(sock, IPC_HASH, 5, &what, NULL, 0, -1);
	ok(answered(sock, &verdict) == 5 && verdict.verdict == VERDICT_YES &&
		IPC_TERMINATED(verdict.hash) &&
		strncmp(verdict.hash, "$argon2id$v=19$m=19456,t=2,p=1$", 31) ==
		    0,
	    "a password is hashed, at 19 MiB and two passes");
	strcpy(hash, verdict.hash);
	expect(sock, hash, "correct horse", VERDICT_YES, "the right one");
	expect(sock, hash, "correct horsf", VERDICT_NO, "a wrong one");
	expect(sock, hash, "", VERDICT_NO, "none");
	expect(sock, "", "correct horse", VERDICT_NO, "an unknown name");
	expect(sock, "nonsense", "x", VERDICT_FAULT, "a hash that is none");
	expect(
	    sock, "$argon2id$v=19$m=x", "x", VERDICT_FAULT, "or half of one");

	change(sock, 8, hash, "wrong", "new one");
	ok(answered(sock, &verdict) == 8 && verdict.verdict == VERDICT_NO &&
		!*verdict.hash,
	    "a change with the wrong old one is a no");
	change(sock, 9, hash, "correct horse", "new one");
	ok(answered(sock, &verdict) == 9 && verdict.verdict == VERDICT_YES,
	    "with the right one it is a yes");
	ok(password_check(verdict.hash, "new one") &&
		!password_check(verdict.hash, "correct horse"),
	    "and brings the new hash");

	memset(longest, 'p', PASSWORD_MAX_LEN);
	longest[PASSWORD_MAX_LEN] = '\0';
	ok(password_hash(longest, hash) == 0, "the longest password is hashed");
	expect(sock, hash, longest, VERDICT_YES, "and checked");
}

/* CPU time of this process in microseconds. */
static long
cpu(void)
{
	struct rusage usage;

	getrusage(RUSAGE_SELF, &usage);
	return usage.ru_utime.tv_sec * 1000000L + usage.ru_utime.tv_usec +
	    usage.ru_stime.tv_sec * 1000000L + usage.ru_stime.tv_usec;
}

static void
test_cost(void)
{
	char hash[IPC_HASH_MAX + 1];
	long known, unknown, before;

	if (password_hash("secret", hash) == -1)
		return;
	before = cpu();
	for (int i = 0; i < 5; i++)
		password_verify(hash, "wrong");
	known = cpu() - before;
	before = cpu();
	for (int i = 0; i < 5; i++)
		password_verify("", "wrong");
	unknown = cpu() - before;
	ok(unknown > known / 2 && unknown < known * 2,
	    "an unknown name costs what a known one does (%ld, %ld us)",
	    unknown / 5, known / 5);
}

/* The resident memory of a process in KiB. */
static long
resident(pid_t pid)
{
	char name[64];
	long pages = -1;
	FILE *file;

	snprintf(name, sizeof(name), "/proc/%ld/statm", (long)pid);
	file = fopen(name, "r");
	if (!file || fscanf(file, "%*s %ld", &pages) != 1)
		pages = -1;
	if (file)
		fclose(file);
	return pages * (sysconf(_SC_PAGESIZE) / 1024);
}

static void
test_busy(int sock, pid_t pid)
{
	enum { ALL = 50, MAY = KEEPER_QUEUE + KEEPER_THREADS };
	struct ipc_verdict verdict;
	bool seen[ALL + 1] = {false};
	int no = 0, busy = 0, early = 0, strange = 0;

	/* Held still, it finds them all at once. */
	kill(pid, SIGSTOP);
	for (uint32_t i = 1; i <= ALL; i++)
		check(sock, i, "", "x");
	kill(pid, SIGCONT);
	for (int i = 0; i < ALL; i++) {
		uint32_t number = answered(sock, &verdict);

		strange += number == 0 || number > ALL || seen[number];
		if (strange)
			break;
		seen[number] = true;
		if (verdict.verdict == VERDICT_BUSY) {
			busy++;
			early += no < MAY / 2;
		} else if (verdict.verdict == VERDICT_NO)
			no++;
	}
	ok(strange == 0, "each of %d questions at once has one answer", ALL);
	/* One or two may be done before the last has come. */
	ok(no >= MAY && no <= MAY + 8 && no + busy == ALL,
	    "%d were checked, %d found it busy", no, busy);
	ok(early == busy, "who finds it busy is told at once");
	expect(sock, "", "x", VERDICT_NO, "then it serves again");
#ifndef __SANITIZE_ADDRESS__
	usleep(100000);
	ok(resident(pid) < 16 * 1024, "and holds no memory of theirs (%ld KiB)",
	    resident(pid));
#else
	(void)pid;
#endif
}

/* Waits; true if the process exited with 0. */
static bool
ended(pid_t pid)
{
	int how;

	return waitpid(pid, &how, 0) == pid && how == 0;
}

int
main(void)
{
	struct ipc_verdict verdict;
	struct ipc_live live = {.mail = 1};
	char noise[64] = "noise";
	int sock, how;
	pid_t pid;

	log_init("keeper-test", NULL);
	pid = start(&sock);
	test_answers(sock);
	test_cost();
	test_busy(sock, pid);
	for (uint32_t i = 1; i <= 10; i++)
		check(sock, i, "", "x");
	close(sock);
	ok(ended(pid), "without a store it ends, in the middle of its work");

	pid = start(&sock);
	if (write(sock, noise, sizeof(noise)) != sizeof(noise))
		perror("write");
	ok(answered(sock, &verdict) == 0 && waitpid(pid, &how, 0) == pid &&
		WIFEXITED(how) && WEXITSTATUS(how) != 0,
	    "noise ends it");
	close(sock);
	pid = start(&sock);
	ipc_send(sock, IPC_LIVE, 1, &live, NULL, 0, -1);
	ok(answered(sock, &verdict) == 0 && waitpid(pid, &how, 0) == pid &&
		WIFEXITED(how) && WEXITSTATUS(how) != 0,
	    "so does what is not for it");
	close(sock);
	return done();
}
