/* SPDX-License-Identifier: ISC */
/*
 * What another client says over a private link: its line, before anything
 * is known of it, and its reply.  Claims nothing where links are not built.
 */
#include <string.h>

#include "fuzz.h"

#if __has_include("chat/agent/peer-line.h")
#include "chat/agent/peer-line.h"
#include "lib/text.h"

static void
decode(const char *data, size_t size)
{
	char why[WIRE_WHY_LEN] = "", told[PEER_WHY_LEN] = "";
	struct peer_line line;

	if (peer_line_decode(data, size, &line, why) == 0) {
		CLAIM(line.root != NULL && line.pass.s != NULL);
		CLAIM(utf8_valid(line.text.s, line.text.len));
		CLAIM(id_valid(line.id.s, line.id.len));
		CLAIM(peer_line_judge(&line, "no-key", NULL, 0, 0) == NULL);
	} else {
		CLAIM(why[0] != '\0');
	}
	peer_line_release(&line);
	peer_reply_decode(data, size, told);
	CLAIM(memchr(told, 0, sizeof(told)) != NULL);
}
#else
static void
decode(const char *data, size_t size)
{
	(void)data;
	(void)size;
}
#endif

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	decode((const char *)data, size);
	return 0;
}
