/* SPDX-License-Identifier: ISC */
/*
 * Names, UTF-8 and escaping: pure functions on bytes that somebody else
 * chose.  Knows no descriptor and no locale.
 */
#ifndef LIB_TEXT_H
#define LIB_TEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

enum {
	NAME_MAX_LEN = 32, /* fits a terminal column */
	TEXT_MAX_LEN = 16384, /* the most that message_bytes may be set to */
	PASSWORD_MAX_LEN = 512, /* bounds what one login can make us carry */
	ID_MIN_LEN = 16, /* a message id, chosen by the client */
	ID_MAX_LEN = 64,
};

/*
 * Checks a user's name (1 to 32 of a-z 0-9 . _ -, starting with a letter or
 * digit) and writes it folded to lower case.  False if it is no name.
 */
bool name_fold(const char *in, size_t len, char out[NAME_MAX_LEN + 1]);

/* True if the bytes are a message id: 16 to 64 of [A-Za-z0-9_-]. */
bool id_valid(const char *in, size_t len);

/* True if the bytes are well-formed UTF-8 (RFC 3629) without a NUL. */
bool utf8_valid(const char *in, size_t len);

/*
 * Decodes one code point at in (len > 0 bytes left) and returns how many
 * bytes it took; malformed input gives U+FFFD and takes one byte.
 */
size_t utf8_decode(const char *in, size_t len, unsigned *code);

/*
 * Offset of the first octet that a message must not hold (a control
 * character other than newline and tab, DEL and C1 included, or malformed
 * UTF-8); -1 if there is none.
 */
ssize_t text_bad_at(const char *in, size_t len);

enum text_style {
	TEXT_LOG, /* octets as \xNN, newline as \n: one line of ASCII-safe text */
	TEXT_SCREEN, /* unsafe characters as U+FFFD; newline gives "\n  " */
	TEXT_WORD, /* like TEXT_SCREEN, but newline and tab are unsafe too */
};

/*
 * The one function through which text from a peer reaches a log, a terminal
 * or a file name.  Control, escape, bidirectional and invisible characters
 * and malformed UTF-8 are replaced by a visible mark.  Writes at most
 * size - 1 bytes and a NUL, never half a character, and returns the length
 * that the whole would have (so that a caller can size a buffer: at most 4
 * times len, plus 1).
 */
size_t text_escape(
    char *out, size_t size, const char *in, size_t len, enum text_style style);

/* The same into fresh memory (free it); never NULL. */
char *text_escaped(const char *in, size_t len, enum text_style style);

/*
 * The entry of the NULL-terminated list that is nearest to word, or NULL if
 * none is near enough (at most 1 edit for every 3 letters) to be meant.
 */
const char *text_nearest(const char *word, const char *const *list);

#endif
