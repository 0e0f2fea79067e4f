/* SPDX-License-Identifier: ISC */
/*
 * A real keeper, asked to sign as a master and its workers ask: by the
 * provider, in whole handshakes, with every kind of key; and by a worker
 * that wants something else signed, or more than it may.
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <openssl/ec.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>
#include <openssl/x509v3.h>

#include "chatd/keeper/keeper.h"
#include "chatd/keeper/sign.h"
#include "chatd/worker/signer.h"
#include "lib/log.h"
#include "lib/unix.h"
#include "tap.h"

static uint64_t buffer[IPC_FRAME_MAX / 8];
static char certificate[] = "/tmp/sign-test.cert.XXXXXX";
static char file[] = "/tmp/sign-test.key.XXXXXX";
static char lines[] = "/tmp/sign-test.log.XXXXXX"; /* the keeper's */
static int master; /* its channel to the keeper */

static pid_t
start(void)
{
	int pair[2];
	pid_t pid;

	if (unix_pair(pair) == -1 || (pid = fork()) == -1)
		exit(1);
	if (pid == 0) {
		close(pair[0]);
		log_init("chatd", "keeper");
		log_set_level(LOG_LEVEL_WARN);
		if (log_open(lines) == -1)
			exit(1);
		keeper_main(pair[1], -1);
	}
	close(pair[1]);
	master = pair[0];
	return pid;
}

/* A self-signed certificate for that key, and both as files. */
static void
write_pair(EVP_PKEY *key)
{
	X509 *x = X509_new();
	const EVP_MD *md = EVP_PKEY_is_a(key, "ED25519") ? NULL : EVP_sha256();
	FILE *to;

	X509_set_version(x, 2);
	ASN1_INTEGER_set(X509_get_serialNumber(x), 1);
	X509_gmtime_adj(X509_getm_notBefore(x), -3600);
	X509_gmtime_adj(X509_getm_notAfter(x), 3600);
	X509_set_pubkey(x, key);
	X509_sign(x, key, md);
	to = fopen(certificate, "w");
	PEM_write_X509(to, x);
	fclose(to);
	to = fopen(file, "w");
	PEM_write_PrivateKey(to, key, NULL, NULL, 0, NULL, NULL);
	fclose(to);
	X509_free(x);
}

/* Loads what the file holds; true if the keeper took it. */
static bool
load(uint32_t number, uint32_t keep, char why[TLS_WHY_LEN])
{
	struct ipc_key what = {.key = number, .keep = keep};
	struct ipc_keyed keyed = {0};
	struct ipc_frame frame;
	int fd = open(file, O_RDONLY | O_CLOEXEC);

	if (ipc_send(master, IPC_KEY, number, &what, NULL, 0, fd) == -1 ||
	    ipc_receive(master, ROLE_MASTER, ROLE_KEEPER, buffer, &frame) != 1)
		exit(1);
	close(fd);
	memcpy(&keyed, frame.body, sizeof(keyed));
	snprintf(why, TLS_WHY_LEN, "%.*s", (int)frame.tail_len, frame.tail);
	return keyed.key == number && keyed.pin[0] != '\0';
}

/* A worker's channel, for which that key signs. */
static int
introduce(uint32_t key)
{
	struct ipc_worker what = {.key = key};
	int pair[2];

	if (unix_pair(pair) == -1 ||
	    ipc_send(master, IPC_WORKER, 0, &what, NULL, 0, pair[1]) == -1)
		exit(1);
	close(pair[1]);
	return pair[0];
}

/* One handshake whose signature is made by that key of the keeper. */
static bool
shakes(uint32_t key, char why[TLS_WHY_LEN])
{
	SSL_CTX *tls = tls_server_public(certificate, TLS_ALPN_CENTRE, why);
	int sock = introduce(key);
	bool done;

	signer_use(sock, clock_mono() + 10000);
	done = tls && signer_attach(tls, why) == 0 &&
	    tls_warm(tls, TLS_ALPN_CENTRE, why) == 0;
	signer_use(-1, 0);
	close(sock);
	SSL_CTX_free(tls);
	return done;
}

static void
test_kinds(void)
{
	struct {
		const char *name;
		EVP_PKEY *key;
		bool fit;
	} kinds[] = {
	    {"ECDSA with P-256", EVP_EC_gen("P-256"), true},
	    {"ECDSA with P-384", EVP_EC_gen("P-384"), true},
	    {"RSA-PSS", EVP_RSA_gen(2048), true},
	    {"Ed25519", EVP_PKEY_Q_keygen(NULL, NULL, "ED25519"), true},
	    {"ECDSA with P-521", EVP_EC_gen("P-521"), false},
	    {"RSA of 1024 bits", EVP_RSA_gen(1024), false},
	};
	uint32_t number = 0;
	char why[TLS_WHY_LEN];

	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
		bool fit;

		write_pair(kinds[i].key);
		fit = load(++number, 0, why);
		ok(fit == kinds[i].fit, "%s is %s", kinds[i].name,
		    kinds[i].fit ? "taken" : "refused");
		if (kinds[i].fit)
			ok(shakes(number, why),
			    "a handshake is signed by %s (%s)", kinds[i].name,
			    why);
		else
			ok(strstr(why, "none of ECDSA") != NULL,
			    "and the keeper says why: %s", why);
		EVP_PKEY_free(kinds[i].key);
	}
}

/* What a server of TLS 1.3 signs. */
static void
content(struct ipc_sign *what)
{
	static const char text[] = "TLS 1.3, server CertificateVerify";

	memset(what, 0, sizeof(*what));
	what->scheme = 0x0403;
	what->len = 64 + sizeof(text) + 32;
	memset(what->content, ' ', 64);
	memcpy(what->content + 64, text, sizeof(text));
	memset(what->content + 64 + sizeof(text), 7, 32);
}

/* Asks on a channel: 1 signed, 0 the channel has ended. */
static int
ask(int sock, const struct ipc_sign *what)
{
	struct ipc_frame frame;

	if (ipc_send(sock, IPC_SIGN, 1, what, NULL, 0, -1) == -1)
		return 0;
	return ipc_receive(sock, ROLE_WORKER, ROLE_KEEPER, buffer, &frame) == 1;
}

/* How many lines of the keeper's say that. */
static int
said(const char *text)
{
	FILE *from = fopen(lines, "r");
	char line[512];
	int count = 0;

	while (from && fgets(line, sizeof(line), from))
		count += strstr(line, text) != NULL;
	if (from)
		fclose(from);
	return count;
}

/* Workers that are ended after they asked: nothing to write home about. */
static void
test_left(pid_t keeper, uint32_t key)
{
	struct ipc_sign what;
	int socks[20], sock;

	content(&what);
	kill(keeper, SIGSTOP);
	for (int i = 0; i < 20; i++) {
		socks[i] = introduce(key);
		ipc_send(socks[i], IPC_SIGN, 1, &what, NULL, 0, -1);
	}
	for (int i = 0; i < 20; i++)
		close(socks[i]);
	kill(keeper, SIGCONT);
	sock = introduce(key);
	ok(ask(sock, &what) == 1 && said("refused a signature") == 0,
	    "workers that are gone were not refused anything");
	close(sock);
}

/* Claims that a fresh worker who asks that gets nothing. */
static void
refused(const struct ipc_sign *what, uint32_t key, const char *text)
{
	int sock = introduce(key);

	ok(ask(sock, what) == 0, "no signature %s", text);
	close(sock);
}

static void
test_content(uint32_t key)
{
	struct ipc_sign good, what;
	int sock = introduce(key);

	content(&good);
	ok(ask(sock, &good) == 1, "a CertificateVerify is signed");
	ok(ask(sock, &good) == 0, "once on each channel");
	close(sock);

	what = good;
	what.content[64 + 9] = 'c';
	memcpy(what.content + 64 + 9, "client", 6);
	refused(&what, key, "for a client's CertificateVerify");
	what = good;
	what.content[0] = 0;
	refused(&what, key, "without the blanks");
	what = good;
	what.content[64 + 33] = 1;
	refused(&what, key, "without the zero octet");
	what = good;
	what.len = 64 + 34 + 20;
	refused(&what, key, "for a hash of 20 octets");
	what.len = 0;
	refused(&what, key, "for nothing");
	what.len = 65535;
	refused(&what, key, "for more than a frame holds");
	what = good;
	what.scheme = 0x0804;
	refused(&what, key, "by a scheme of another kind of key");
	what.scheme = 0x0503;
	refused(&what, key, "by the scheme of another curve");
	what.scheme = 0;
	refused(&what, key, "by a scheme that there is not");
	refused(&good, key + 77, "with a key that there is not");
	what = good;
	what.len = 64 + 34 + 48;
	sock = introduce(key);
	ok(ask(sock, &what) == 1, "a hash of 48 octets is signed");
	close(sock);
	for (size_t i = 0; i < 64 + 34; i++) {
		what = good;
		what.content[i] ^= 0x20;
		if (sign_content_ok(what.content, what.len))
			ok(0, "octet %zu counts", i);
	}
}

/* A worker that says what only others may, or nothing that is a frame. */
static void
test_strangers(uint32_t key)
{
	struct ipc_check check = {0};
	struct ipc_sign what;
	struct ipc_frame frame;
	int sock = introduce(key), other = introduce(key);

	ipc_send(sock, IPC_CHECK, 1, &check, NULL, 0, -1);
	ok(ipc_receive(sock, ROLE_WORKER, ROLE_KEEPER, buffer, &frame) == 0,
	    "a worker that has a password checked is hung up on");
	close(sock);
	sock = introduce(key);
	ok(write(sock, "nonsense", 8) == 8 &&
		ipc_receive(sock, ROLE_WORKER, ROLE_KEEPER, buffer, &frame) ==
		    0,
	    "so is one that talks nonsense");
	close(sock);
	content(&what);
	ok(ask(other, &what) == 1, "another worker does not notice");
	close(other);
}

/* Two keys at a time: the one in use, and one that is tried. */
static void
test_reload(void)
{
	struct ipc_sign what;
	char why[TLS_WHY_LEN];
	EVP_PKEY *first = EVP_EC_gen("P-256"), *second = EVP_EC_gen("P-256");
	int early, sock;
	FILE *to;

	content(&what);
	write_pair(first);
	ok(load(20, 0, why), "a key is loaded");
	early = introduce(20);
	to = fopen(file, "w");
	fputs("no key\n", to);
	fclose(to);
	ok(!load(21, 20, why), "one that is none is refused: %s", why);
	sock = introduce(20);
	ok(ask(sock, &what) == 1, "and the one in use stays");
	close(sock);
	write_pair(second);
	ok(load(21, 20, why), "the next is loaded beside it");
	ok(shakes(21, why), "and signs (%s)", why);
	ok(!shakes(20, why), "the old one no more for the new certificate");
	ok(ask(early, &what) == 1,
	    "a worker from before the change still gets its signature");
	close(early);
	ok(load(22, 21, why), "after the next change but one");
	refused(&what, 20, "with the one before");
	write_pair(first);
	ok(truncate(file, 40000) == 0 && !load(23, 22, why),
	    "a file that is too long is refused: %s", why);
	EVP_PKEY_free(first);
	EVP_PKEY_free(second);
}

/* More workers than descriptors: some get nothing, and then all again. */
static void
test_descriptors(pid_t keeper, uint32_t key)
{
	struct rlimit few = {.rlim_cur = 24}, before;
	struct ipc_sign what;
	int many[40], sock, how;

	content(&what);
	if (prlimit(keeper, RLIMIT_NOFILE, NULL, &before) == -1)
		exit(1);
	few.rlim_max = before.rlim_max;
	if (prlimit(keeper, RLIMIT_NOFILE, &few, NULL) == -1)
		exit(1);
	for (int i = 0; i < 40; i++)
		many[i] = introduce(key);
	ok(ask(many[39], &what) == 0,
	    "a worker too many is hung up on by a keeper without descriptors");
	ok(ask(many[0], &what) == 1, "one that came before is not");
	for (int i = 0; i < 40; i++)
		close(many[i]);
	prlimit(keeper, RLIMIT_NOFILE, &before, NULL);
	sock = introduce(key);
	ok(ask(sock, &what) == 1 && waitpid(keeper, &how, WNOHANG) == 0,
	    "and the keeper signs for the next when they are gone");
	close(sock);
}

/* Without a keeper there is no handshake, soon and cleanly. */
static void
test_gone(pid_t keeper)
{
	char why[TLS_WHY_LEN];
	int64_t begun;
	SSL_CTX *tls = tls_server_public(certificate, TLS_ALPN_CENTRE, why);
	int sock = introduce(22), how;

	kill(keeper, SIGSTOP);
	begun = clock_mono();
	signer_use(sock, begun + 300);
	ok(tls && signer_attach(tls, why) == 0 &&
		tls_warm(tls, TLS_ALPN_CENTRE, why) == -1 && signer_failed(),
	    "a keeper that does not answer is waited for in vain");
	ok(clock_mono() - begun >= 300 && clock_mono() - begun < 5000,
	    "until the time that was given");
	kill(keeper, SIGKILL);
	waitpid(keeper, &how, 0);
	signer_use(sock, clock_mono() + 60000);
	ok(tls_warm(tls, TLS_ALPN_CENTRE, why) == -1 && signer_failed(),
	    "one that is gone is not waited for");
	signer_use(-1, 0);
	ok(tls_warm(tls, TLS_ALPN_CENTRE, why) == -1,
	    "nothing is signed without a channel");
	close(sock);
	SSL_CTX_free(tls);
}

int
main(void)
{
	pid_t keeper;

	signal(SIGPIPE, SIG_IGN);
	close(mkstemp(certificate));
	close(mkstemp(file));
	close(mkstemp(lines));
	keeper = start();
	test_kinds();
	{
		EVP_PKEY *key = EVP_EC_gen("P-256");
		char why[TLS_WHY_LEN];

		write_pair(key);
		ok(load(10, 0, why), "a key for what follows");
		EVP_PKEY_free(key);
	}
	test_left(keeper, 10);
	test_content(10);
	ok(said("refused a signature") == 1,
	    "many who are refused are one line of the log");
	test_strangers(10);
	test_descriptors(keeper, 10);
	test_reload();
	test_gone(keeper);
	signer_release();
	unlink(certificate);
	unlink(file);
	unlink(lines);
	return done();
}
