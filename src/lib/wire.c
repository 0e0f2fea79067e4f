/* SPDX-License-Identifier: ISC */
/*
 * Requests and replies as JSON and as structs.  Workers, the store and
 * clients run it.  It must never touch a descriptor,
 * a clock or a file, and never hand out a string that holds a NUL.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/line.h"
#include "lib/wire.h"

enum {
	TAG_MAX = 2048, /* with a full page of events still within a line */
	OP_SHOWN = 40, /* octets of an unknown op that are repeated */
	LINE_FIRST = 512, /* most replies fit */
};

enum member_type {
	MEMBER_STRING,
	MEMBER_NUMBER, /* an integer of at least 0 */
	MEMBER_PORT, /* 0, or one that needs no rights */
	MEMBER_BOOL,
};

/* A member that requests may have, and where its value goes. */
struct member {
	const char *name;
	enum member_type type;
	size_t offset;
};

#define AT(field) offsetof(struct wire_request, field)
static const struct member members[] = {
    {"token", MEMBER_STRING, AT(token)},
    {"user", MEMBER_STRING, AT(user)},
    {"password", MEMBER_STRING, AT(password)},
    {"invite", MEMBER_STRING, AT(invite)},
    {"peer_fingerprint", MEMBER_STRING, AT(peer_fingerprint)},
    {"epoch", MEMBER_STRING, AT(epoch)},
    {"id", MEMBER_STRING, AT(id)},
    {"to", MEMBER_STRING, AT(to)},
    {"text", MEMBER_STRING, AT(text)},
    {"after", MEMBER_STRING, AT(after)},
    {"old", MEMBER_STRING, AT(old)},
    {"new", MEMBER_STRING, AT(new)},
    {"request", MEMBER_STRING, AT(request)},
    {"peer_port", MEMBER_PORT, AT(peer_port)},
    {"mail", MEMBER_NUMBER, AT(mail)},
    {"room", MEMBER_NUMBER, AT(room)},
    {"max", MEMBER_NUMBER, AT(max)},
    {"brief", MEMBER_BOOL, AT(brief)},
    {"accept", MEMBER_BOOL, AT(accept)},
};
#undef AT

const struct wire_op_row wire_ops[OP_COUNT] = {
#define X(op, name, who, members) [OP_##op] = {name, who, members},
    WIRE_OPS(X)
#undef X
};

struct error_row {
	const char *name, *text;
	bool again;
};

static const struct error_row errors[ERR_COUNT] = {
    [ERR_NONE] = {"none", "There is no error.", false},
#define X(error, name, again, text) [ERR_##error] = {name, text, again},
    WIRE_ERRORS(X)
#undef X
};

/* The row of an error; that of `internal` for a number that is none. */
static const struct error_row *
error_row(enum wire_error error)
{
	return &errors[(unsigned)error < ERR_COUNT ? error : ERR_INTERNAL];
}

const char *
wire_error_name(enum wire_error error)
{
	return error_row(error)->name;
}

const char *
wire_error_text(enum wire_error error)
{
	return error_row(error)->text;
}

bool
wire_error_again(enum wire_error error)
{
	return error_row(error)->again;
}

enum wire_error
wire_error_find(const char *name)
{
	for (int i = ERR_NONE + 1; i < ERR_COUNT; i++)
		if (strcmp(errors[i].name, name) == 0)
			return (enum wire_error)i;
	return ERR_NONE;
}

/* True if no place in the line is nested deeper than we allow. */
static bool
depth_ok(const char *line, size_t len)
{
	bool quoted = false;
	int depth = 0;

	for (size_t i = 0; i < len; i++) {
		char c = line[i];

		if (quoted) {
			if (c == '\\')
				i++;
			else if (c == '"')
				quoted = false;
		} else if (c == '"') {
			quoted = true;
		} else if (c == '{' || c == '[') {
			if (++depth > WIRE_DEPTH_MAX)
				return false;
		} else if ((c == '}' || c == ']') && depth > 0) {
			depth--;
		}
	}
	return true;
}

/* True if the first thing in the line is an opening brace. */
static bool
object_begins(const char *line, size_t len)
{
	size_t i = 0;

	while (i < len && strchr(" \t\r\n", line[i]) != NULL)
		i++;
	return i < len && line[i] == '{';
}

/* What the library found wrong, in our words. */
static void
parse_sentence(const json_error_t *error, char why[WIRE_WHY_LEN])
{
	switch (json_error_code(error)) {
	case json_error_out_of_memory:
		snprintf(why, WIRE_WHY_LEN, "There is no memory for the line.");
		break;
	case json_error_invalid_utf8:
		snprintf(why, WIRE_WHY_LEN, "The line is not UTF-8.");
		break;
	case json_error_null_character:
	case json_error_null_byte_in_key:
		snprintf(why, WIRE_WHY_LEN, "The line holds a NUL.");
		break;
	case json_error_duplicate_key:
		snprintf(why, WIRE_WHY_LEN, "The line holds a duplicate key.");
		break;
	case json_error_numeric_overflow:
		snprintf(why, WIRE_WHY_LEN,
		    "The line holds a number that is out of range.");
		break;
	case json_error_premature_end_of_input:
		snprintf(why, WIRE_WHY_LEN,
		    "The line is not a JSON object: it ends too early.");
		break;
	case json_error_end_of_input_expected:
		snprintf(why, WIRE_WHY_LEN,
		    "The line is not a JSON object: something follows it.");
		break;
	default:
		snprintf(why, WIRE_WHY_LEN,
		    "The line is not a JSON object: a mistake at octet %d.",
		    error->position);
		break;
	}
}

json_t *
wire_object(const char *line, size_t len, char why[WIRE_WHY_LEN])
{
	json_error_t error;
	json_t *object;

	if (memchr(line, '\0', len) != NULL) {
		snprintf(why, WIRE_WHY_LEN, "The line holds a NUL.");
		return NULL;
	}
	if (!depth_ok(line, len)) {
		snprintf(why, WIRE_WHY_LEN,
		    "The line is nested deeper than %d.", WIRE_DEPTH_MAX);
		return NULL;
	}
	if (!object_begins(line, len)) {
		snprintf(why, WIRE_WHY_LEN, "The line is not a JSON object.");
		return NULL;
	}
	object = json_loadb(line, len, JSON_REJECT_DUPLICATES, &error);
	if (object == NULL)
		parse_sentence(&error, why);
	return object;
}

/* Takes the tag; -1 if it would not fit into a reply. */
static int
take_tag(struct wire_request *request, char why[WIRE_WHY_LEN])
{
	json_t *tag = json_object_get(request->root, "tag");

	if (tag == NULL)
		return 0;
	if (json_dumpb(tag, NULL, 0, JSON_COMPACT | JSON_ENCODE_ANY) >
	    TAG_MAX) {
		snprintf(why, WIRE_WHY_LEN,
		    "The member \"tag\" is longer than %d octets.", TAG_MAX);
		return -1;
	}
	request->tag = tag;
	return 0;
}

/* Finds the op by its name. */
static int
take_op(struct wire_request *request, char why[WIRE_WHY_LEN])
{
	const json_t *value = json_object_get(request->root, "op");
	char word[OP_SHOWN + 1];
	const char *name;
	size_t len, whole;

	if (!json_is_string(value)) {
		snprintf(why, WIRE_WHY_LEN, "The member \"op\" %s.",
		    value == NULL ? "is missing" : "must be a string");
		return -1;
	}
	name = json_string_value(value);
	len = json_string_length(value);
	for (int i = 0; i < OP_COUNT; i++) {
		if (strcmp(wire_ops[i].name, name) == 0) {
			request->op = (enum wire_op)i;
			return 0;
		}
	}
	whole = text_escape(word, sizeof(word), name, len, TEXT_WORD);
	snprintf(why, WIRE_WHY_LEN, "The request has the unknown op \"%s%s\".",
	    word, whole >= sizeof(word) ? "…" : "");
	return -1;
}

/* The row of a member that is named by len octets. */
static const struct member *
member_find(const char *name, size_t len)
{
	for (size_t i = 0; i < sizeof(members) / sizeof(members[0]); i++)
		if (strlen(members[i].name) == len &&
		    memcmp(members[i].name, name, len) == 0)
			return &members[i];
	return NULL;
}

/* Stores a value; NULL, or what it must be instead. */
static const char *
member_store(const struct member *member, const json_t *value, void *at)
{
	json_int_t number = json_integer_value(value);

	switch (member->type) {
	case MEMBER_STRING:
		if (!json_is_string(value))
			return "a string";
		*(struct wire_string *)at = (struct wire_string){
		    json_string_value(value), json_string_length(value)};
		return NULL;
	case MEMBER_NUMBER:
		if (!json_is_integer(value) || number < 0)
			return "an integer of at least 0";
		*(int64_t *)at = number;
		return NULL;
	case MEMBER_PORT:
		if (!json_is_integer(value) ||
		    (number != 0 && (number < 1024 || number > 65535)))
			return "0 or a port from 1024 to 65535";
		*(int64_t *)at = number;
		return NULL;
	case MEMBER_BOOL:
		if (!json_is_boolean(value))
			return "true or false";
		*(bool *)at = json_is_true(value);
		return NULL;
	}
	return "something else";
}

/* Takes one member, named by len octets, out of the request's object. */
static int
take_member(struct wire_request *request, const char *name, size_t len,
    bool optional, char why[WIRE_WHY_LEN])
{
	const struct member *member = member_find(name, len);
	const json_t *value;
	const char *must;

	if (member == NULL) {
		snprintf(why, WIRE_WHY_LEN, "The member \"%.*s\" has no type.",
		    (int)len, name);
		return -1;
	}
	value = json_object_get(request->root, member->name);
	if (optional && (value == NULL || json_is_null(value)))
		return 0;
	if (value == NULL) {
		snprintf(why, WIRE_WHY_LEN, "The member \"%s\" is missing.",
		    member->name);
		return -1;
	}
	must = member_store(member, value, (char *)request + member->offset);
	if (must == NULL)
		return 0;
	snprintf(why, WIRE_WHY_LEN, "The member \"%s\" must be %s.",
	    member->name, must);
	return -1;
}

/* Takes the members that a row names: "id to text after?". */
static int
take_members(
    struct wire_request *request, const char *list, char why[WIRE_WHY_LEN])
{
	while (*list != '\0') {
		size_t word = strcspn(list, " "), len = strcspn(list, "? ");

		if (take_member(request, list, len, len < word, why) == -1)
			return -1;
		list += word;
		list += strspn(list, " ");
	}
	return 0;
}

int
wire_request_decode(const char *line, size_t len, struct wire_request *request,
    char why[WIRE_WHY_LEN])
{
	const struct wire_op_row *row;

	memset(request, 0, sizeof(*request));
	request->op = OP_COUNT;
	request->max = -1;
	why[0] = '\0';
	if ((request->root = wire_object(line, len, why)) == NULL)
		return -1;
	if (take_tag(request, why) == -1 || take_op(request, why) == -1)
		return -1;
	row = &wire_ops[request->op];
	if (row->who != WHO_ANYONE &&
	    take_member(request, "token", 5, row->who == WHO_BRIEF, why) == -1)
		return -1;
	return take_members(request, row->members, why);
}

void
wire_request_release(struct wire_request *request)
{
	json_decref(request->root);
	memset(request, 0, sizeof(*request));
}

/* The beginning of every reply, or NULL. */
static json_t *
reply_new(json_t *tag, bool ok)
{
	json_t *reply = json_object();

	if (json_object_set_new(reply, "ok", json_boolean(ok)) == 0 &&
	    (tag == NULL || json_object_set(reply, "tag", tag) == 0))
		return reply;
	json_decref(reply);
	return NULL;
}

json_t *
wire_accept(json_t *tag)
{
	return reply_new(tag, true);
}

json_t *
wire_refuse(json_t *tag, enum wire_error error, const char *text)
{
	const struct error_row *row = error_row(error);
	json_t *reply = reply_new(tag, false);
	json_t *sentence = text == NULL ? NULL : json_string(text);

	if (sentence == NULL)
		sentence = json_string(row->text);
	if (json_object_set_new(reply, "error", json_string(row->name)) == 0 &&
	    json_object_set(reply, "text", sentence) == 0) {
		json_decref(sentence);
		return reply;
	}
	json_decref(sentence);
	json_decref(reply);
	return NULL;
}

/* A line that grows while the library writes it. */
struct growing {
	char *data;
	size_t len, size;
};

/* Doubles the room; the old one may hold half a password, so it is wiped. */
static int
growing_more(struct growing *line)
{
	size_t size = line->size == 0 ? LINE_FIRST : line->size * 2;
	char *bigger = malloc(size);

	if (bigger == NULL)
		return -1;
	if (line->data != NULL) {
		memcpy(bigger, line->data, line->len);
		explicit_bzero(line->data, line->len);
		free(line->data);
	}
	line->data = bigger;
	line->size = size;
	return 0;
}

/* Appends what the library has written; -1 if the line is too long. */
static int
growing_add(const char *data, size_t len, void *arg)
{
	struct growing *line = arg;

	if (len > LINE_MAX_LEN - line->len)
		return -1;
	while (len >= line->size - line->len) /* a NUL fits as well */
		if (growing_more(line) == -1)
			return -1;
	memcpy(line->data + line->len, data, len);
	line->len += len;
	return 0;
}

char *
wire_line(const json_t *object, size_t *len)
{
	struct growing line = {NULL, 0, 0};

	if (json_dump_callback(object, growing_add, &line, JSON_COMPACT) ==
		-1 ||
	    growing_add("\n", 1, &line) == -1) {
		free(line.data);
		return NULL;
	}
	line.data[line.len] = '\0';
	*len = line.len;
	return line.data;
}

const char *
wire_get_string(const json_t *object, const char *key)
{
	return json_string_value(json_object_get(object, key));
}

int64_t
wire_get_number(const json_t *object, const char *key, int64_t none)
{
	const json_t *value = json_object_get(object, key);

	return json_is_integer(value) ? json_integer_value(value) : none;
}

bool
wire_get_bool(const json_t *object, const char *key)
{
	return json_is_true(json_object_get(object, key));
}
