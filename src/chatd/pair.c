/* SPDX-License-Identifier: ISC */
/*
 * Looks at the files of certificate and key from the outside.  Runs in the
 * master, before both are used, and in the commands that check; never reads
 * an octet of the key.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>
#include <sys/stat.h>

#include <openssl/x509v3.h>

#include "chatd/pair.h"

enum {
	OTHERS = 07,
	CHANGE_GROUP = 020,
	CHANGE = 022, /* anybody but the owner */
	DAY_MS = 86400000,
	SAID_LEN = 128,
};

int
pair_key_open(const char *path, char why[TLS_WHY_LEN])
{
	struct stat info;
	/* A pipe in its place must not keep us. */
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);

	if (fd == -1 || fstat(fd, &info) == -1)
		snprintf(why, TLS_WHY_LEN, "%s: %s%s", path, strerror(errno),
		    errno == EACCES
			? "; the user that the centre runs as must read it"
			: "");
	else if (!S_ISREG(info.st_mode))
		snprintf(why, TLS_WHY_LEN, "%s: it is no file", path);
	else if (info.st_mode & OTHERS)
		snprintf(why, TLS_WHY_LEN,
		    "%s: others may read it (mode %03o); chmod 600", path,
		    (unsigned)info.st_mode & 0777);
	else if (info.st_mode & CHANGE_GROUP)
		snprintf(why, TLS_WHY_LEN,
		    "%s: a group may change it (mode %03o); chmod 600", path,
		    (unsigned)info.st_mode & 0777);
	else
		return fd;
	if (fd != -1)
		close(fd);
	return -1;
}

/* A certificate's time as clock_wall(); -1 if it is none. */
static int64_t
time_of(const ASN1_TIME *time)
{
	struct tm tm;

	if (ASN1_TIME_to_tm(time, &tm) != 1)
		return -1;
	return (int64_t)timegm(&tm) * 1000;
}

/* What stands behind the certificate in its file, maybe NULL; borrowed. */
static STACK_OF(X509) * chain_of(SSL_CTX *tls)
{
	STACK_OF(X509) *chain = NULL;

	SSL_CTX_get0_chain_certs(tls, &chain);
	return chain;
}

/* True for an authority's own: clients trust theirs, not the one sent. */
static bool
is_root(const X509 *certificate)
{
	return X509_NAME_cmp(X509_get_subject_name(certificate),
		   X509_get_issuer_name(certificate)) == 0;
}

int64_t
pair_ends(SSL_CTX *tls)
{
	const X509 *one = SSL_CTX_get0_certificate(tls);
	STACK_OF(X509) *chain = chain_of(tls);
	int64_t first = time_of(X509_get0_notAfter(one)), ends;

	for (int i = 0; i < sk_X509_num(chain); i++) {
		one = sk_X509_value(chain, i);
		ends = time_of(X509_get0_notAfter(one));
		if (!is_root(one) && ends < first)
			first = ends;
	}
	return first;
}

/* True if it names a host or an address, where clients look for names. */
static bool
names_somebody(const X509 *certificate)
{
	GENERAL_NAMES *names =
	    X509_get_ext_d2i(certificate, NID_subject_alt_name, NULL, NULL);
	bool found = false;

	for (int i = 0; i < sk_GENERAL_NAME_num(names); i++) {
		int type = sk_GENERAL_NAME_value(names, i)->type;

		found |= type == GEN_DNS || type == GEN_IPADD;
	}
	GENERAL_NAMES_free(names);
	return found;
}

/* Who is to be told something. */
struct hearer {
	pair_say *say;
	void *arg;
};

/* What is wrong with the time of one certificate. */
static void
warn_of_time(const X509 *certificate, const char *what, const char *cure,
    int64_t now, const struct hearer *to)
{
	int64_t ends = time_of(X509_get0_notAfter(certificate));
	char text[SAID_LEN] = "";

	if (ends < now)
		snprintf(text, sizeof(text), "%s has expired%s", what, cure);
	else if (ends - now < PAIR_WARN_DAYS * (int64_t)DAY_MS)
		snprintf(text, sizeof(text), "%s expires in %lld days%s", what,
		    (long long)((ends - now) / DAY_MS), cure);
	if (*text)
		to->say(to->arg, text);
	if (time_of(X509_get0_notBefore(certificate)) > now) {
		snprintf(text, sizeof(text), "%s is not valid yet", what);
		to->say(to->arg, text);
	}
}

void
pair_warn(const char *path, SSL_CTX *tls, int64_t now, pair_say *say, void *arg)
{
	const X509 *certificate = SSL_CTX_get0_certificate(tls);
	const struct hearer to = {say, arg};
	STACK_OF(X509) *chain = chain_of(tls);
	char text[SAID_LEN];
	struct stat info;

	warn_of_time(
	    certificate, "the certificate", "; `chatctl cert renew`", now, &to);
	for (int i = 0; i < sk_X509_num(chain); i++) {
		certificate = sk_X509_value(chain, i);
		snprintf(
		    text, sizeof(text), "certificate %d in the file", i + 2);
		if (!is_root(certificate))
			warn_of_time(certificate, text, "", now, &to);
	}
	if (!names_somebody(SSL_CTX_get0_certificate(tls)))
		say(arg,
		    "the certificate names no host; only who has pinned its "
		    "key can log in");
	if (stat(path, &info) == 0 && (info.st_mode & CHANGE)) {
		snprintf(text, sizeof(text),
		    "others than its owner may change it (mode %03o); "
		    "chmod 644",
		    (unsigned)info.st_mode & 0777);
		say(arg, text);
	}
}
