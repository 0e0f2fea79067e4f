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
	DAY_MS = 86400000,
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

int64_t
pair_ends(const X509 *certificate)
{
	return time_of(X509_get0_notAfter(certificate));
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

void
pair_warning(const X509 *certificate, int64_t now, char out[TLS_WHY_LEN])
{
	int64_t ends = pair_ends(certificate);

	*out = '\0';
	if (ends < now)
		snprintf(out, TLS_WHY_LEN,
		    "the certificate has expired; `chatctl cert renew`");
	else if (ends - now < PAIR_WARN_DAYS * (int64_t)DAY_MS)
		snprintf(out, TLS_WHY_LEN,
		    "the certificate expires in %lld days; `chatctl cert "
		    "renew`",
		    (long long)((ends - now) / DAY_MS));
	else if (time_of(X509_get0_notBefore(certificate)) > now)
		snprintf(out, TLS_WHY_LEN, "the certificate is not valid yet");
	else if (!names_somebody(certificate))
		snprintf(out, TLS_WHY_LEN,
		    "the certificate names no host; only who has pinned its "
		    "key can log in");
}
