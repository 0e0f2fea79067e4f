/* SPDX-License-Identifier: ISC */
/*
 * Is this the right centre: the pin, the authorities, or the public key that
 * was remembered in known_servers.  Runs in the agent (its courier thread
 * asks); asks nobody and logs nothing.
 */
#include "chat/agent/trust.h"

#include <sys/stat.h>

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <openssl/x509_vfy.h>

#include "lib/unix.h"

enum { KNOWN_FILE_MAX = 1 << 20 };

/* Sets a context up: which authorities count. */
int
trust_context(const struct trust *trust, SSL_CTX *ctx, char why[TLS_WHY_LEN])
{
	/*
	 * The handshake goes through in any case (tls.c has said which host
	 * is meant); nothing is said until trust_check() has judged.
	 */
	SSL_CTX_set_verify(ctx, SSL_VERIFY_NONE, NULL);
	if (trust->pin != NULL)
		return 0;
	if (trust->ca == NULL) {
		/* A system without authorities has none that vouch. */
		SSL_CTX_set_default_verify_paths(ctx);
		return 0;
	}
	if (SSL_CTX_load_verify_file(ctx, trust->ca) == 1)
		return 0;
	tls_reason(why, trust->ca);
	return -1;
}

/* A certificate's time, as it reads in all places. */
static void
show_time(const ASN1_TIME *time, char out[TRUST_TIME_LEN])
{
	struct tm tm;

	if (ASN1_TIME_to_tm(time, &tm) != 1 ||
	    strftime(out, TRUST_TIME_LEN, "%Y-%m-%d %H:%M UTC", &tm) == 0)
		snprintf(out, TRUST_TIME_LEN, "an unknown time");
}

/* Since when the certificate has been expired; "": it has not. */
static void
check_expiry(const X509 *cert, char since[TRUST_TIME_LEN])
{
	const ASN1_TIME *end = X509_get0_notAfter(cert);

	*since = '\0';
	if (X509_cmp_current_time(end) < 0)
		show_time(end, since);
}

/* Why the authorities do not vouch for a certificate, as a sentence. */
static void
verify_sentence(const struct trust *trust, const X509 *cert, long code,
    struct trust_result *result)
{
	char time[TRUST_TIME_LEN];
	char *why = result->why;
	size_t size = sizeof(result->why);

	switch (code) {
	case X509_V_ERR_HOSTNAME_MISMATCH:
	case X509_V_ERR_IP_ADDRESS_MISMATCH:
		snprintf(why, size, "its certificate is for another name");
		break;
	case X509_V_ERR_CERT_NOT_YET_VALID:
		show_time(X509_get0_notBefore(cert), time);
		snprintf(why, size,
		    "its certificate is not valid before %s; is the clock "
		    "right?",
		    time);
		break;
	case X509_V_ERR_DEPTH_ZERO_SELF_SIGNED_CERT:
	case X509_V_ERR_SELF_SIGNED_CERT_IN_CHAIN:
	case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT:
	case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY:
	case X509_V_ERR_UNABLE_TO_VERIFY_LEAF_SIGNATURE:
		snprintf(why, size,
		    "its certificate is not from the authorities in %.150s",
		    trust->ca);
		break;
	default:
		if (code == X509_V_ERR_CERT_HAS_EXPIRED &&
		    *result->expired != '\0')
			snprintf(why, size,
			    "its certificate has been expired since %s",
			    result->expired);
		else
			snprintf(why, size, "%s",
			    X509_verify_cert_error_string(code));
		break;
	}
}

/*
 * One line of known_servers, "host:port sha256//...": 1 if it speaks of this
 * centre (pin then filled), else 0.
 */
static int
known_line(const char *line, const char *where, char pin[TLS_PIN_LEN + 1])
{
	size_t len = strlen(where);

	if (strncasecmp(line, where, len) != 0 || line[len] != ' ')
		return 0;
	line += len + strspn(line + len, " \t");
	len = strcspn(line, " \t\r");
	if (len != TLS_PIN_LEN)
		return 0;
	memcpy(pin, line, len);
	pin[len] = '\0';
	return 1;
}

/* Reads what is remembered; NULL, refused unless there is nothing. */
static char *
known_read(const struct trust *trust, struct trust_result *result)
{
	struct stat st;
	char *text;

	/* Whoever can write it decides whom we trust. */
	if (stat(trust->known, &st) == 0 && (st.st_mode & 022) != 0) {
		result->verdict = TRUST_REFUSED;
		snprintf(result->why, sizeof(result->why),
		    "others may write %.100s; run: chmod 600 on it",
		    trust->known);
		return NULL;
	}
	text = file_read(trust->known, KNOWN_FILE_MAX, NULL);
	if (text == NULL && errno != ENOENT) {
		/* What cannot be read might hold another key. */
		result->verdict = TRUST_REFUSED;
		snprintf(result->why, sizeof(result->why), "%.200s: %s",
		    trust->known, strerror(errno));
	}
	return text;
}

/* Compares with what is remembered. */
static void
known_check(const struct trust *trust, struct trust_result *result)
{
	char pin[TLS_PIN_LEN + 1];
	char *text, *rest, *line;
	int number = 0;

	result->verdict = TRUST_UNKNOWN;
	rest = text = known_read(trust, result);
	while ((line = strsep(&rest, "\n")) != NULL) {
		number++;
		if (!known_line(line, trust->where, pin))
			continue;
		if (strcmp(pin, result->pin) == 0) {
			result->verdict = TRUST_YES;
			break;
		}
		if (result->verdict == TRUST_CHANGED)
			continue;
		result->verdict = TRUST_CHANGED;
		result->line = number;
		memcpy(result->known_pin, pin, sizeof(pin));
	}
	free(text);
}

/* Compares with the pin that was given. */
static void
pin_check(const struct trust *trust, struct trust_result *result)
{
	if (strcmp(trust->pin, result->pin) == 0) {
		result->verdict = TRUST_YES;
		return;
	}
	result->verdict = TRUST_REFUSED;
	snprintf(result->why, sizeof(result->why),
	    "its public key is %s, not the pinned %.60s", result->pin,
	    trust->pin);
}

/* After the handshake, before anything is said. */
void
trust_check(const struct trust *trust, SSL *ssl, struct trust_result *result)
{
	const X509 *cert = SSL_get0_peer_certificate(ssl);
	long verified = SSL_get_verify_result(ssl);

	memset(result, 0, sizeof(*result));
	if (cert == NULL || tls_pin(cert, result->pin) == -1) {
		result->verdict = TRUST_REFUSED;
		snprintf(result->why, sizeof(result->why),
		    "it showed no certificate");
		return;
	}
	check_expiry(cert, result->expired);
	if (trust->pin != NULL)
		pin_check(trust, result);
	else if (verified == X509_V_OK)
		result->verdict = TRUST_YES;
	else if (trust->ca == NULL)
		known_check(trust, result);
	else {
		result->verdict = TRUST_REFUSED;
		verify_sentence(trust, cert, verified, result);
	}
}

/* True if a file that was edited by hand ends in the middle of a line. */
static bool
ends_open(int fd)
{
	off_t size = lseek(fd, 0, SEEK_END);
	char last;

	return size > 0 && pread(fd, &last, 1, size - 1) == 1 && last != '\n';
}

/* Remembers the public key for this centre. */
int
trust_remember(const struct trust *trust, const char *pin)
{
	char line[512];
	int fd, len, saved;

	fd = open(trust->known, O_RDWR | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
	if (fd == -1)
		return -1;
	len = snprintf(line, sizeof(line), "%s%s %s\n",
	    ends_open(fd) ? "\n" : "", trust->where, pin);
	if (fd_write_all(fd, line, (size_t)len) == -1 || fsync(fd) == -1) {
		saved = errno;
		close(fd);
		errno = saved;
		return -1;
	}
	return close(fd);
}
