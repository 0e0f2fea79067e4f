/* SPDX-License-Identifier: ISC */
/*
 * Invitation codes: making, reading as people type, hashing.  Part of the
 * store; keeps no code.
 */
#include <string.h>

#include <sodium.h>

#include "chatd/store/invite.h"
#include "lib/unix.h"

static const char letters[] = "0123456789abcdefghjkmnpqrstvwxyz";

void
invite_make(char text[INVITE_TEXT_LEN + 1])
{
	unsigned char octets[INVITE_CHARS];
	char *at = text;

	random_fill(octets, sizeof(octets));
	for (int i = 0; i < INVITE_CHARS; i++) {
		if (i > 0 && i % INVITE_GROUP == 0)
			*at++ = '-';
		*at++ = letters[octets[i] % 32];
	}
	*at = '\0';
	ipc_wipe(octets, sizeof(octets));
}

/* What a person meant by it; '\0' for what is no letter of a code. */
static char
letter(char typed)
{
	if (typed >= 'A' && typed <= 'Z')
		typed = (char)(typed - 'A' + 'a');
	if (typed == 'o')
		return '0';
	if (typed == 'i' || typed == 'l')
		return '1';
	return typed != '\0' && strchr(letters, typed) != NULL ? typed : '\0';
}

/* The letters alone; how many, or -1 if there are others, or too many. */
static int
read_code(const char *text, char code[INVITE_CHARS + 1])
{
	int len = 0;

	for (; *text != '\0'; text++) {
		if (*text == '-' || *text == ' ')
			continue;
		if (len == INVITE_CHARS || letter(*text) == '\0')
			return -1;
		code[len++] = letter(*text);
	}
	code[len] = '\0';
	return len;
}

void
invite_hash(const char *text, uint8_t hash[DB_HASH_LEN])
{
	char code[INVITE_CHARS + 1];
	size_t len = 0;

	/* Nothing, where it is none: no code is empty. */
	if (read_code(text, code) == INVITE_CHARS)
		len = INVITE_CHARS;
	crypto_hash_sha256(hash, (const unsigned char *)code, len);
	ipc_wipe(code, sizeof(code));
}

bool
invite_hint(const char *text, char hint[DB_HINT_LEN + 1])
{
	char code[INVITE_CHARS + 1];
	int len = read_code(text, code);

	if (len != INVITE_CHARS && len != DB_HINT_LEN)
		return false;
	memcpy(hint, code, DB_HINT_LEN);
	hint[DB_HINT_LEN] = '\0';
	return true;
}
