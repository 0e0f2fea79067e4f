/* SPDX-License-Identifier: ISC */
/*
 * Is this the right centre: the pin, the authorities, or the public key that
 * was remembered in known_servers.  Runs in the agent (its courier thread
 * asks); asks nobody and logs nothing.
 */
#include "chat/agent/trust.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
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

/* True if the peer's certificate ran out. */
static bool
has_expired(SSL *ssl)
{
	X509 *cert = SSL_get0_peer_certificate(ssl);

	return cert != NULL &&
	    X509_cmp_current_time(X509_get0_notAfter(cert)) < 0;
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

/* Compares with what is remembered. */
static void
known_check(const struct trust *trust, struct trust_result *result)
{
	char pin[TLS_PIN_LEN + 1];
	char *text = file_read(trust->known, KNOWN_FILE_MAX, NULL);
	char *rest = text, *line;
	int number = 0;

	result->verdict = TRUST_UNKNOWN;
	if (text == NULL && errno != ENOENT) {
		/* What cannot be read might hold another key. */
		result->verdict = TRUST_REFUSED;
		snprintf(result->why, sizeof(result->why), "%.200s: %s",
		    trust->known, strerror(errno));
		return;
	}
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
	    "its public key is %s, not the one that was given with --pin",
	    result->pin);
}

/* After the handshake, before anything is said. */
void
trust_check(const struct trust *trust, SSL *ssl, struct trust_result *result)
{
	long verified = SSL_get_verify_result(ssl);

	memset(result, 0, sizeof(*result));
	if (tls_peer_pin(ssl, result->pin) == -1) {
		result->verdict = TRUST_REFUSED;
		snprintf(result->why, sizeof(result->why),
		    "it showed no certificate");
		return;
	}
	if (trust->pin != NULL)
		pin_check(trust, result);
	else if (verified == X509_V_OK)
		result->verdict = TRUST_YES;
	else if (trust->ca == NULL)
		known_check(trust, result);
	else {
		result->verdict = TRUST_REFUSED;
		snprintf(result->why, sizeof(result->why), "%s",
		    X509_verify_cert_error_string(verified));
	}
	result->expired = result->verdict == TRUST_YES && has_expired(ssl);
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
