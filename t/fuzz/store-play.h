/* SPDX-License-Identifier: ISC */
/*
 * The store's harness in parts: what an input says (store-say.c), whether an
 * answer may be (store-judge.c), and the one after the other (store.c).
 */
#ifndef STORE_PLAY_H
#define STORE_PLAY_H

#include "fuzz.h"
#include "store-stage.h"

enum {
	OPS_MAX = 16, /* of one input */
	AHEAD_MAX = 3, /* said before anything is heard */
	TURNS_MAX = 100, /* until there must be quiet */
	ENDS = 2, /* mallory's; one more is bob's */
	OWNED_MAIL = 1000, /* how far their mailboxes are apart */
	NOBODY = -1,
};

/* What an input can do, in an order of our own: corpora live on. */
enum say {
	SAY_LOGIN,
	SAY_REGISTER,
	SAY_LOGOUT,
	SAY_LIVE,
	SAY_SYNC,
	SAY_SEND,
	SAY_BROADCAST,
	SAY_ONLINE,
	SAY_BLOCK,
	SAY_UNBLOCK,
	SAY_BLOCKED,
	SAY_ASK,
	SAY_ANSWER,
	SAY_HANGUP,
	SAY_PASSWORD,
	SAY_RAW,
	BOB_ANSWERS,
	BOB_ASKS,
	DATAGRAM,
	SAY_COUNT,
	/* Bits of the same octet. */
	SAY_ON = 0x20, /* and go on before it is heard */
	SAY_OTHER = 0x80, /* on the other channel */
};

/* The head of a frame, as ipc.c has it. */
struct raw {
	uint32_t type, number, tail_len, zero;
	char body[4096];
};

enum { HEAD_LEN = offsetof(struct raw, body) };

/* What is left of the input. */
struct input {
	const uint8_t *data;
	size_t size;
};

/* Something that was said, and who could say it then. */
struct request {
	struct raw raw;
	int end, brief;
	bool alive; /* its token */
	int64_t mail; /* the head of that one's mailbox */
};

/* One of mallory's names: an index, hers is 0. */
struct owned {
	char name[NAME_MAX_LEN + 1];
	bool asked; /* by bob */
	bool opened; /* bob agreed that it may know where he is */
};

/* What was given out at a login; there is no second one of the same. */
struct token {
	char text[WIRE_TOKEN_LEN + 1];
	int owner;
	bool alive;
};

struct end {
	int fd;
	int brief; /* whose brief login, or NOBODY */
	uint32_t last; /* that was answered */
};

/* A question to the keeper that waits. */
struct question {
	enum ipc_type type;
	uint32_t number;
	char hash[IPC_HASH_MAX + 1];
	bool right;
};

/* All of one input. */
struct play {
	struct stage *stage;
	struct owned owned[OPS_MAX + 1];
	int owned_count;
	struct token token[OPS_MAX];
	int token_count;
	struct request request[OPS_MAX];
	uint32_t request_count;
	char heard[OPS_MAX][WIRE_REQUEST_LEN + 1]; /* requests of links */
	int heard_count;
	struct end end[ENDS];
	int bob; /* his end */
	uint64_t counter; /* of his beacon */
	uint64_t echo[PLACES]; /* that he was told there */
	struct question question[ENDS + 1];
	int question_count;
	struct question yes; /* what the keeper last agreed to */
	int hashes, invited;
	uint64_t reached; /* types of answers, by bits */
};

/* The choices of choose_name(). */
enum { NAME_OWNED, NAME_BOB = 6, NAME_CAROL, NAME_EVE, NAME_NOBODY };

/* The next octet of an input; 0 behind its end. */
uint8_t octet(struct input *in);

/* A frame of the input's choice; its length. */
size_t compose(
    const struct play *play, struct input *in, enum say what, struct raw *raw);

/* Notes who could say it now. */
void request_note(const struct play *play, struct request *request);

/* The index of a name that is mallory's, or NOBODY. */
int owned_find(const struct play *play, const char *name);

/* Claims all that has to hold of an answer, and goes by it from then on. */
void check_answer(struct play *play, struct end *end,
    const struct request *request, const struct ipc_frame *frame);

#endif
