/* SPDX-License-Identifier: ISC */
/*
 * The mirror through thousands of steps in whatever order, against a book of
 * its own: after each one the lists are those that were told of, and what is
 * loaded has no hole.
 */
#include "mirror-stage.h"

static uint64_t seed = 42;

static size_t
draw(size_t below)
{
	seed = seed * 6364136223846793005ULL + 1442695040888963407ULL;
	return (size_t)(seed >> 33) % below;
}

/* What the agent's book has: rows of each of five people, all own or not. */
static struct {
	int64_t top;
	unsigned char who[1 << 16], own[1 << 16];
} book;

static const char *
name_of(size_t who)
{
	static char name[8];

	snprintf(name, sizeof(name), "u%zu", who);
	return name;
}

/* Answers a page as the agent would, in two pieces now and then. */
static void
answer_page(int64_t tag)
{
	const json_t *asked = the.asked[tag];
	const char *user = wire_get_string(asked, "with");
	int64_t before = wire_get_number(asked, "before", INT64_MAX);
	int64_t after = wire_get_number(asked, "after", 0);
	int64_t around = wire_get_number(asked, "around", 0);
	int64_t rows[MIRROR_PAGE], row;
	size_t who = (size_t)atoi(user + 1), count = 0, half;
	bool up = json_object_get(asked, "after") != NULL;
	bool start = true, stop = true;

	if (around > 0) {
		up = true;
		after = around > 300 ? around - 300 : 0;
	}
	for (row = up                    ? after + 1
		 : before - 1 < book.top ? before - 1
					 : book.top;
	     row > 0 && row <= book.top && count < MIRROR_PAGE;
	     row += up ? 1 : -1)
		if (book.who[row] == who)
			rows[count++] = row;
	for (size_t i = 0; !up && i < count / 2; i++) {
		row = rows[i];
		rows[i] = rows[count - 1 - i];
		rows[count - 1 - i] = row;
	}
	for (row = 1; row <= book.top; row++) {
		if (book.who[row] != who)
			continue;
		if (row < (count > 0 ? rows[0] : up ? after + 1 : before))
			start = false;
		else if (row > (count > 0 ? rows[count - 1] : after))
			stop = false;
	}
	half = draw(3) == 0 ? draw(count + 1) : 0;
	for (size_t from = 0, piece = 0; piece < 2; piece++) {
		size_t to = piece == 0 ? half : count;
		json_t *list = json_array(), *reply;

		for (size_t i = from; i < to; i++)
			json_array_append_new(list,
			    json_pack("{s:I,s:s,s:s,s:s,s:s,s:s}", "row",
				(json_int_t)rows[i], "kind", "message",
				book.own[rows[i]] ? "to" : "from", user, "text",
				"t", "state",
				book.own[rows[i]] ? "queued" : "received", "id",
				"0123456789abcdef"));
		reply = json_pack("{s:b,s:I,s:o,s:b,s:b,s:b}", "ok", 1, "tag",
		    (json_int_t)tag, "rows", list, "more", piece == 0, "start",
		    start, "end", stop);
		mirror_take(the.mirror, reply, NOW);
		json_decref(reply);
		from = to;
	}
}

/* True if what is loaded is what the book has there, without a hole. */
static bool
no_hole(struct mirror_talk *talk)
{
	size_t who = (size_t)atoi(talk->user + 1), i = 0;
	int64_t row;

	for (row = talk->count > 0 ? talk->lines[0].row : INT64_MAX;
	     row <= book.top; row++) {
		if (book.who[row] != who)
			continue;
		if (i == talk->count)
			return !talk->end;
		if (talk->lines[i++].row != row)
			return false;
	}
	for (row = 1;
	     talk->start && talk->count > 0 && row < talk->lines[0].row; row++)
		if (book.who[row] == who)
			return false;
	return i == talk->count;
}

/* Something new, told at once. */
static void
step_event(size_t who)
{
	bool own = draw(3) == 0;

	if (book.top + 1 >= (int64_t)sizeof(book.who))
		return;
	book.top++;
	book.who[book.top] = (unsigned char)who;
	book.own[book.top] = own;
	if (own)
		told("{'event':'state','id':'0123456789abcdef','to':'%s',"
		     "'state':'queued','own':%lld,'text':'t'}",
		    name_of(who), (long long)book.top);
	else
		told("{'event':'message','from':'%s','row':%lld,'text':'t'}",
		    name_of(who), (long long)book.top);
}

static void
step(struct mirror_talk *talk, size_t who)
{
	static const char *const states[] = {
	    "accepted", "fetched", "refused", "kept"};

	switch (draw(12)) {
	case 0:
		mirror_load(the.mirror, talk);
		break;
	case 1:
	case 2:
		mirror_older(the.mirror, talk);
		break;
	case 3:
		mirror_newer(the.mirror, talk);
		break;
	case 4:
		mirror_around(the.mirror, talk, 1 + (int64_t)draw(9000));
		break;
	case 5:
		told("{'event':'state','id':'0123456789abcdef','to':'%s',"
		     "'state':'%s'}",
		    talk->user, states[draw(4)]);
		break;
	case 6:
		told("{'event':'%s','user':'%s'}",
		    draw(2) == 0 ? "login" : "logout", name_of(5 + draw(20)));
		break;
	case 7:
		mirror_read(the.mirror, talk);
		break;
	default:
		for (size_t i = draw(60); i > 0; i--)
			step_event(who);
	}
}

/* Answers some of what was asked, oldest first, as on one socket. */
static void
step_answers(int64_t *answered)
{
	while (*answered < the.tag && draw(3) != 0) {
		++*answered;
		if (strcmp(wire_get_string(the.asked[*answered], "do"),
			"history") == 0)
			answer_page(*answered);
		else
			told("{'ok':true,'tag':%lld}", (long long)*answered);
	}
}

static void
test_random(void)
{
	int64_t answered = 0;
	bool agreed = true, whole = true, listed = true;

	begin();
	for (int i = 0; i < 6000 && the.tag < 4000; i++) {
		size_t who = draw(5);
		struct mirror_talk *talk = with(name_of(who));

		step(talk, who);
		step_answers(&answered);
		agreed &= same(talk);
		whole &= no_hole(talk);
		listed &= same_list();
	}
	ok(book.top > 10000, "much has happened");
	ok(the.wrong == 0, "no change was out of range");
	ok(agreed, "the shadow's lines are the same at each step");
	ok(whole, "there is never a hole");
	ok(listed, "the shadow's list is the same at each step");
	end();
}

int
main(void)
{
	test_random();
	return done();
}
