/* SPDX-License-Identifier: ISC */
/*
 * What a client says to the centre: octets into lines, lines into requests.
 * In the centre a worker does this, before it knows who is there.  A line is
 * too long exactly when it is, which two inputs that are made come close to.
 */
#include <string.h>

#include "lib/line.h"
#include "lib/text.h"
#include "lib/wire.h"
#include "fuzz.h"

enum { PIECE = 100 }; /* octets that a network brings at a time */

static bool understood;

bool
fuzz_understood(void)
{
	return understood;
}

/* A string of a request is the request's own, and whole. */
static void
check_string(const struct wire_string *string)
{
	CLAIM(string->s != NULL || string->len == 0);
	CLAIM(utf8_valid(string->s, string->len));
	CLAIM(string->s == NULL || strlen(string->s) == string->len);
}

/* False for what ends the connection. */
static bool
decode(const char *line, size_t len)
{
	struct wire_request request;
	char why[WIRE_WHY_LEN] = "";
	json_t *reply;
	char *out;
	bool good;
	size_t size;

	good = wire_request_decode(line, len, &request, why) == 0;
	if (good) {
		understood = true;
		CLAIM(request.op < OP_COUNT);
		check_string(&request.token);
		check_string(&request.user);
		check_string(&request.password);
		check_string(&request.invite);
		check_string(&request.id);
		check_string(&request.to);
		check_string(&request.text);
		check_string(&request.request);
		check_string(&request.peer_fingerprint);
	} else {
		CLAIM(why[0] != '\0' && strlen(why) < WIRE_WHY_LEN);
	}
	/* Whatever the tag, there is an answer that fits a line. */
	reply = wire_refuse(request.tag, ERR_BAD_REQUEST, why);
	out = wire_line(reply, &size);
	CLAIM(out != NULL);
	free(out);
	json_decref(reply);
	wire_request_release(&request);
	return good;
}

/*
 * Takes the lines that are there, which must be those of these octets.  How
 * many octets that were; *over is set once there is nothing more to take.
 */
static size_t
take(struct line_buf *in, const uint8_t *data, size_t size, bool *over)
{
	size_t at = 0, len, whole;
	enum line_state state;
	const uint8_t *end;
	char *line;

	while (!*over) {
		whole = size - at < LINE_MAX_LEN ? size - at : LINE_MAX_LEN;
		end = memchr(data + at, '\n', whole);
		state = line_take(in, &line, &len);
		CLAIM((state == LINE_READY) == (end != NULL));
		CLAIM((state == LINE_TOO_LONG) ==
		    (end == NULL && whole == LINE_MAX_LEN));
		if (state == LINE_NONE)
			break;
		if (state == LINE_TOO_LONG) {
			*over = understood = true;
			break;
		}
		CLAIM(len == (size_t)(end - data) - at);
		CLAIM(memcmp(line, data + at, len) == 0 && line[len] == '\0');
		at += len + 1;
		*over = !decode(line, len);
	}
	return at;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct line_buf in = {0};
	size_t given = 0, taken = 0, room, len;
	bool over = false;
	char *to;

	understood = false;
	while (given < size && !over) {
		to = line_room(&in, &room);
		CLAIM(to != NULL && room > 0);
		len = size - given < PIECE ? size - given : PIECE;
		if (len > room)
			len = room;
		memcpy(to, data + given, len);
		line_added(&in, len);
		given += len;
		taken += take(&in, data + taken, given - taken, &over);
	}
	if (!over && in.len > 0) {
		CLAIM(in.len == size - taken);
		decode(in.data + in.start, in.len);
	}
	line_release(&in);
	return 0;
}

/* A line of just the greatest length; one that is longer by an octet. */
size_t
fuzz_seed(unsigned n, uint8_t *out, size_t size, const char **name)
{
	static const char head[] =
	    "{\"op\":\"broadcast\",\"id\":\"AAAAAAAAAAAAAAAA\",\"text\":\"";
	static const char end[] = "\"}\n";
	size_t len = LINE_MAX_LEN + n;

	if (n > 1)
		return 0;
	CLAIM(len <= size);
	*name = n == 0 ? "longest" : "too-long";
	memset(out, 'x', len);
	memcpy(out, head, strlen(head));
	memcpy(out + len - strlen(end), end, strlen(end));
	return len;
}
