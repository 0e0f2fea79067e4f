/* SPDX-License-Identifier: ISC */
/*
 * What a client says to the centre: octets into lines, lines into requests.
 * In the centre a worker does this, before it knows who is there.
 */
#include <string.h>

#include "lib/line.h"
#include "lib/text.h"
#include "lib/wire.h"
#include "fuzz.h"

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
		CLAIM(request.op < OP_COUNT);
		check_string(&request.token);
		check_string(&request.user);
		check_string(&request.password);
		check_string(&request.id);
		check_string(&request.to);
		check_string(&request.text);
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

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct line_buf in = {0};
	char *line, *to;
	size_t room, len;
	bool good = true;

	while (size > 0 && good) {
		to = line_room(&in, &room);
		CLAIM(to != NULL && room > 0);
		/* In pieces, as a network brings them. */
		len = room < size ? room : size;
		if (len > 100)
			len = 100;
		memcpy(to, data, len);
		line_added(&in, len);
		data += len;
		size -= len;
		while (good && line_take(&in, &line, &len) == LINE_READY)
			good = decode(line, len);
	}
	if (good && in.len > 0)
		decode(in.data + in.start, in.len);
	line_release(&in);
	return 0;
}
