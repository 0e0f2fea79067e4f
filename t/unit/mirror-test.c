/* SPDX-License-Identifier: ISC */
/*
 * The mirror of what the agent says: what each event and reply does, and that
 * none does harm, however it is made.
 */
#include "mirror-stage.h"

#include <sysexits.h>

/* The names of the list, with blanks between. */
static const char *
names(void)
{
	static char text[1024];

	*text = '\0';
	for (size_t i = 1; i < mirror_count(the.mirror); i++)
		strcat(strcat(text, i > 1 ? " " : ""),
		    mirror_at(the.mirror, i)->user);
	return text;
}

/* Rows of bob's in a page's reply, from first to last. */
static void
page(long long tag, long long first, long long last, bool more, bool start,
    bool stop)
{
	json_t *reply = json_pack("{s:b,s:I,s:b,s:b,s:b}", "ok", 1, "tag",
	    (json_int_t)tag, "more", more, "start", start, "end", stop);
	json_t *rows = json_array();

	for (long long row = first; row <= last; row++)
		json_array_append_new(rows,
		    json_pack("{s:I,s:s,s:s,s:s,s:s}", "row", (json_int_t)row,
			"kind", "message", "from", "bob", "text", "hi", "state",
			"received"));
	json_object_set_new(reply, "rows", rows);
	mirror_take(the.mirror, reply, NOW);
	json_decref(reply);
}

static void
test_begin(void)
{
	struct mirror_status status;

	begin();
	mirror_begin(the.mirror);
	is(wire_get_string(the.asked[1], "do"), "watch", "it watches first");
	ok(wire_get_bool(the.asked[1], "talks"), "and says that it has talks");
	ok(told("{'ok':true,'tag':%lld}", tag_of("watch")), "a reply is ours");
	ok(!told("{'ok':true,'tag':4000}"), "another is not");
	ok(!told("{'ok':true}"), "nor one without tag");
	told("{'ok':true,'tag':%lld,'more':true,'talks':[{'user':'bob',"
	     "'row':7,'unread':2,'read':3,'text':'hi'},"
	     "{'row':5,'unread':1,'read':0}]}",
	    tag_of("talks"));
	told("{'ok':true,'tag':%lld,'talks':[{'user':'carol','row':9,"
	     "'unread':0,'read':9}]}",
	    tag_of("talks"));
	is(names(), "carol bob", "the newest comes first");
	is_number(mirror_unread_count(the.mirror), 3, "unread ones are summed");
	told("{'ok':true,'tag':%lld,'users':[{'user':'dave'},"
	     "{'user':'alice'},{'user':'bob'}]}",
	    tag_of("online"));
	is(names(), "carol bob dave", "who is online has a place");
	ok(with("bob")->online && !with("carol")->online, "and a light");
	told("{'ok':true,'tag':%lld,'users':['carol']}", tag_of("blocked"));
	ok(with("carol")->blocked, "who is blocked is marked");
	told("{'ok':true,'tag':%lld,'reachable':false,"
	     "'synced':'2026-11-22T14:03:05.123Z'}",
	    tag_of("status"));
	mirror_status(the.mirror, &status);
	ok(!status.reachable && status.synced > 0, "the centre is away");
	ok(same_list() && the.wrong == 0, "the shadow agrees");
	ok(mirror_unread(the.mirror, NULL) == mirror_at(the.mirror, 0),
	    "the room is unread");
	ok(mirror_unread(the.mirror, mirror_at(the.mirror, 0)) == with("bob"),
	    "then bob");
	ok(mirror_unread(the.mirror, with("bob")) == mirror_at(the.mirror, 0),
	    "and around");
	end();
}

static void
test_arrival(void)
{
	struct mirror_talk *bob;
	long long tag;

	begin();
	told("{'event':'message','row':4,'from':'bob','text':'hi',"
	     "'id':'0123456789abcdef'}");
	bob = with("bob");
	is_number(bob->unread, 1, "a message is unread");
	is_number((long long)bob->count, 0, "and not loaded, as nothing is");
	is(bob->last_text, "hi", "the list shows its beginning");
	is(the.arrival, "bob: hi", "the face is told");
	is_number(wire_get_number(the.asked[1], "row", 0), 4, "it was seen");
	told("{'event':'message','row':5,'from':'bob','text':'ho'}");
	told("{'event':'message','row':6,'from':'bob','text':'hu'}");
	is_number(the.tag, 1, "one word about that at a time");
	told("{'ok':true,'tag':1}");
	is_number(wire_get_number(the.asked[2], "row", 0), 6, "then the last");
	told("{'event':'message','row':6,'from':'bob','text':'hu'}");
	is_number(bob->unread, 3, "the same row counts once");
	is_number(the.arrived, 3, "and arrives once");
	told("{'event':'message','row':7,'from':'bob','text':'x',"
	     "'earlier':true}");
	is_number(the.arrived, 3, "what is older than the login did not");
	mirror_load(the.mirror, bob);
	tag = tag_of("history");
	ok(bob->loading, "a page is on its way");
	told("{'event':'message','row':8,'from':'bob','text':'new'}");
	page(tag, 4, 5, true, false, false);
	is_number((long long)bob->count, 0, "half a page is none");
	page(tag, 6, 7, false, true, true);
	is_number((long long)bob->count, 5, "what came meanwhile is there");
	ok(bob->start && bob->end && !bob->loading, "it is whole");
	told("{'event':'private','row':9,'from':'bob','text':'psst'}");
	is_number(bob->lines[5].kind, MIRROR_PRIVATE, "a private one");
	told("{'event':'message','row':9,'from':'bob','text':'again'}");
	is_number((long long)bob->count, 6, "the same row never twice");
	mirror_read(the.mirror, bob);
	is_number(bob->unread, 0, "it is read");
	is_number(wire_get_number(the.asked[the.tag], "row", 0), 9, "to there");
	told("{'event':'read','user':'bob','row':8,'unread':1}");
	is_number(bob->unread, 0, "and never back");
	told("{'event':'broadcast','row':10,'from':'carol','text':'all'}");
	told("{'event':'notice','row':11,'text':'from the centre'}");
	is_number(mirror_at(the.mirror, 0)->unread, 2, "the room has its own");
	told("{'event':'read','row':11,'unread':0}");
	is_number(mirror_at(the.mirror, 0)->unread, 0, "read elsewhere");
	ok(same(bob) && same_list() && the.wrong == 0, "the shadow agrees");
	end();
}

static void
test_own(void)
{
	struct mirror_talk *bob;

	begin();
	bob = with("bob");
	mirror_load(the.mirror, bob);
	page(tag_of("history"), 1, 2, false, true, true);
	told("{'event':'state','id':'0123456789abcdef','to':'bob',"
	     "'state':'queued','own':3,'text':'mine',"
	     "'time':'2026-11-22T14:03:05.123Z'}");
	is_number((long long)bob->count, 3, "an own one is a line");
	is(bob->lines[2].from, "alice", "of one's own");
	is_number(bob->unread, 0, "and not unread");
	is(bob->last_text, "mine", "the list shows it");
	told("{'event':'state','id':'0123456789abcdef','to':'bob',"
	     "'state':'accepted','online':false}");
	is_number(bob->lines[2].state, MIRROR_ACCEPTED, "accepted");
	is(the.said,
	    "bob is offline; the message is kept and will be delivered at the "
	    "next login.",
	    "the line face's sentence");
	ok(the.said_in == bob, "about bob");
	is(the.event, "state", "by its event");
	told("{'event':'state','id':'0123456789abcdef','to':'bob',"
	     "'state':'fetched'}");
	is_number(bob->lines[2].state, MIRROR_FETCHED, "fetched");
	told("{'event':'state','id':'0123456789abcdef','to':'bob',"
	     "'state':'refused','reason':'blocked','text':'No.'}");
	is(bob->lines[2].reason,
	    "Your message could not be delivered as the recipient has blocked "
	    "you.",
	    "why it was refused");
	told("{'event':'state','id':'0123456789abcdefg','to':'bob',"
	     "'state':'queued','own':4,'text':'psst','private':true}");
	told("{'event':'state','id':'0123456789abcdefg','to':'bob',"
	     "'state':'kept','private':true,'reason':'lost'}");
	is_number(bob->lines[3].state, MIRROR_KEPT, "kept");
	is_number(bob->lines[3].kind, MIRROR_PRIVATE, "and private");
	is(bob->lines[3].reason, "lost", "with its reason");
	told("{'event':'state','id':'0123456789abcdefg','to':'bob',"
	     "'state':'queued'}");
	is_number(bob->lines[3].kind, MIRROR_MESSAGE, "left at the centre");
	is(bob->lines[3].reason, "", "the reason is gone");
	told("{'event':'state','id':'0123456789abcdefh','state':'queued',"
	     "'own':5,'text':'all'}");
	is(mirror_at(the.mirror, 0)->last_text, "all", "a broadcast");
	ok(same(bob) && the.wrong == 0, "the shadow agrees");
	end();
}

static void
test_pages(void)
{
	struct mirror_talk *bob;
	long long first, second;

	begin();
	bob = with("bob");
	mirror_older(the.mirror, bob);
	page(tag_of("history"), 901, 1000, false, false, true);
	is_number((long long)bob->count, 100, "the newest page");
	mirror_newer(the.mirror, bob);
	ok(!bob->loading, "nothing is newer");
	for (int i = 8; i >= 0; i--) {
		mirror_older(the.mirror, bob);
		page(tag_of("history"), i * 100 + 1, i * 100 + 100, false,
		    false, false);
	}
	is_number((long long)bob->count, 1000, "ten pages");
	mirror_older(the.mirror, bob);
	page(tag_of("history"), -99, 0, false, true, false);
	ok(bob->start, "rows that cannot be are none");
	ok(bob->end, "and the end is still there");
	told("{'event':'message','row':1001,'from':'bob','text':'x'}");
	is_number(bob->lines[0].row, 2, "one more, one less");
	ok(!bob->start, "the first is not loaded any more");
	mirror_older(the.mirror, bob);
	page(tag_of("history"), 1, 1, false, true, false);
	ok(bob->start && !bob->end, "the far end goes");
	is_number(bob->lines[999].row, 1000, "the last one");
	told("{'event':'message','row':1002,'from':'bob','text':'x'}");
	is_number(bob->lines[999].row, 1000, "what comes then is not loaded");
	is_number(bob->last_row, 1002, "but known");
	mirror_newer(the.mirror, bob);
	page(tag_of("history"), 1001, 1002, false, false, true);
	ok(!bob->start && bob->end, "down again");
	is_number(bob->lines[999].row, 1002, "to the last one");
	mirror_load(the.mirror, bob);
	first = tag_of("history");
	mirror_around(the.mirror, bob, 500);
	second = tag_of("history");
	page(second, 450, 549, false, false, false);
	page(first, 1, 9, false, true, true);
	is_number(bob->lines[0].row, 450, "what was overtaken is discarded");
	mirror_older(the.mirror, bob);
	first = tag_of("history");
	mirror_newer(the.mirror, bob);
	is_number(tag_of("history"), first, "one page at a time");
	told("{'ok':false,'tag':%lld,'error':'internal'}", first);
	ok(!bob->loading && bob->count == 100, "a refusal changes nothing");
	ok(same(bob) && the.wrong == 0, "the shadow agrees");
	end();
}

/* A page that would leave a hole, since its edge has gone meanwhile. */
static void
test_edge(void)
{
	struct mirror_talk *bob;

	begin();
	bob = with("bob");
	mirror_load(the.mirror, bob);
	page(tag_of("history"), 11, 1010, false, false, true);
	mirror_older(the.mirror, bob);
	told("{'event':'message','row':1011,'from':'bob','text':'x'}");
	page(tag_of("history"), 1, 10, false, true, false);
	is_number(bob->lines[0].row, 12, "it is discarded");
	ok(!bob->loading && !bob->start && bob->end, "and may be asked for");
	ok(same(bob) && the.wrong == 0, "the shadow agrees");
	end();
}

static void
test_links(void)
{
	struct mirror_talk *bob;

	begin();
	bob = with("bob");
	told("{'event':'ask','from':'bob','fingerprint':'K','expires_in':60}");
	is_number(bob->link, MIRROR_ASKING, "they ask");
	is_number(bob->until, NOW + 60000, "until then");
	is(the.said,
	    "bob wants to talk privately. Type \"accept bob\" or \"decline "
	    "bob\".",
	    "in words");
	told("{'event':'settled','user':'bob'}");
	is_number(bob->link, MIRROR_NO_LINK, "not any more");
	told("{'event':'asked','user':'bob','expires_in':60}");
	is_number(bob->link, MIRROR_WAITING, "we ask");
	told("{'event':'address','user':'bob','host':'192.0.2.7',"
	     "'port':40312,'until':'2026-11-22T14:03:05.123Z',"
	     "'fingerprint':'K'}");
	is_number(bob->link, MIRROR_LINKED, "agreed");
	is(bob->host, "192.0.2.7", "where");
	is(the.said, "bob agreed: private messages go to 192.0.2.7:40312.",
	    "in words");
	told("{'event':'declined','user':'bob','reason':'declined'}");
	is_number(bob->link, MIRROR_LINKED, "a link does not end so");
	told("{'event':'hangup','user':'bob','reason':'hangup'}");
	is_number(bob->link, MIRROR_NO_LINK, "but so");
	is(the.said, "The private link with bob has ended: hung up.",
	    "in words");
	is(bob->host, "", "nowhere");
	told("{'event':'accepted','user':'bob','host':null,'port':null,"
	     "'until':'2026-11-22T14:03:05.123Z','fingerprint':'K',"
	     "'yours':true}");
	is_number(bob->link, MIRROR_LINKED, "what this face has agreed to");
	is(the.said, "The private link with bob has ended: hung up.",
	    "needs no words");
	told("{'event':'key-changed','user':'bob','known':'K','shown':'L'}");
	ok(bob->changed, "another key");
	is(bob->known, "K", "than this");
	is(bob->fingerprint, "L", "but that");
	told("{'event':'trusted','user':'bob','fingerprint':'L'}");
	ok(!bob->changed, "believed");
	told("{'ok':true,'tag':%lld,'links':[{'user':'bob','host':'::1',"
	     "'port':1,'until':'2026-11-22T14:03:05.123Z',"
	     "'fingerprint':'L'}],'asked':[{'user':'carol',"
	     "'fingerprint':'M','expires_in':5}],'waiting':[]}",
	    tag_of("links"));
	is_number(bob->link, MIRROR_LINKED, "the list says so");
	is_number(with("carol")->link, MIRROR_ASKING, "of carol, too");
	told("{'event':'trusted','user':'bob','fingerprint':'L'}");
	told("{'ok':true,'tag':%lld,'links':[]}", tag_of("links"));
	is_number(bob->link, MIRROR_NO_LINK, "and what is not in it is over");
	told("{'event':'blocked','user':'bob'}");
	ok(bob->blocked, "blocked elsewhere");
	told("{'event':'unblocked','user':'bob'}");
	ok(!bob->blocked, "and no more");
	end();
}

static void
test_presence(void)
{
	long long was;

	begin();
	told("{'event':'login','row':1,'user':'bob'}");
	ok(with("bob")->online, "bob is there");
	is(the.said, "bob has logged in.", "in words");
	told("{'event':'login','row':2,'user':'alice'}");
	is_number((long long)mirror_count(the.mirror), 2, "oneself is nobody");
	told("{'event':'logout','row':3,'user':'bob','reason':'asked'}");
	ok(!with("bob")->online, "bob is gone");
	was = tag_of("online");
	told("{'event':'gap'}");
	ok(tag_of("online") > was, "after a gap they are asked for again");
	was = tag_of("online");
	told("{'event':'reachable'}");
	ok(tag_of("online") > was, "and when the centre is back");
	told("{'ok':true,'tag':%lld,'users':[{'user':'bob'}]}", was);
	ok(!with("bob")->online, "an overtaken roll does not count");
	told("{'ok':true,'tag':%lld,'more':true,'users':[{'user':'bob'}]}",
	    tag_of("online"));
	told("{'event':'logout','row':4,'user':'bob','reason':'asked'}");
	told("{'event':'login','row':5,'user':'carol'}");
	told("{'ok':true,'tag':%lld,'users':[]}", tag_of("online"));
	ok(!with("bob")->online && with("carol")->online,
	    "what happens while it is called is newer");
	ok(same_list() && the.wrong == 0, "the shadow agrees");
	end();
}

static void
ends(const char *event, const char *why, int exit)
{
	struct mirror_status status;

	begin();
	told("%s", event);
	mirror_gone(the.mirror);
	mirror_status(the.mirror, &status);
	ok(status.over, "it is over");
	is(status.why, why, "why");
	is_number(status.exit, exit, "with this status");
	end();
}

static void
test_end(void)
{
	ends("{'event':'logged-out','reason':'replaced',"
	     "'address':'192.0.2.9'}",
	    "You have been logged out: alice logged in from 192.0.2.9.", 1);
	ends("{'event':'logged-out','reason':'expired'}",
	    "Your session has ended; start chat again to log in.", 77);
	ends("{'event':'failed','status':74,'text':'disk'}", "disk", 74);
	ends("{'event':'nothing'}", "The agent has ended; start chat again.",
	    EX_TEMPFAIL);
}

static void
test_search(void)
{
	long long first;

	begin();
	mirror_search(the.mirror, NULL, "one");
	first = tag_of("history");
	mirror_search(the.mirror, with("bob"), "two");
	is(wire_get_string(the.asked[the.tag], "search"), "two", "words");
	is(wire_get_string(the.asked[the.tag], "with"), "bob", "with bob");
	page(first, 1, 9, false, true, true);
	is_number(the.finds, 0, "an overtaken search finds nothing");
	page(tag_of("history"), 1, 4, true, false, false);
	page(tag_of("history"), 5, 6, false, true, true);
	is_number((long long)the.found, 6, "all pages, once");
	is_number(the.found_row, 6, "the last one");
	is(the.found_in, "bob", "and in which");
	is_number((long long)with("bob")->count, 0, "nothing was loaded");
	mirror_search(the.mirror, NULL, "x");
	told("{'ok':false,'tag':%lld,'error':'bad-request','text':'Too "
	     "many.'}",
	    tag_of("history"));
	is(the.said, "Too many.", "a refusal is told");
	is_number(the.finds, 2, "and ends it");
	mirror_search(the.mirror, NULL, " ");
	is_number(the.finds, 3, "no word is found at once");
	end();
}

/* Whatever type a member has. */
static void
test_hostile(void)
{
	static const char *const values[] = {"null", "true", "-1", "1.5",
	    "9223372036854775807", "'x'", "''", "[]", "{}", "[[{}]]",
	    "[{'user':[]}]"};
	static const char *const events[] = {"message", "private", "broadcast",
	    "notice", "state", "read", "login", "logout", "blocked", "ask",
	    "asked", "address", "accepted", "declined", "settled", "hangup",
	    "key-changed", "trusted", "gap", "reachable", "nothing"};
	static const char *const keys[] = {"row", "from", "user", "to", "id",
	    "text", "time", "state", "own", "unread", "host", "port", "until",
	    "fingerprint", "shown", "known", "users", "talks", "rows", "links",
	    "asked", "waiting", "reason", "more"};
	size_t e, k, v;

	begin();
	mirror_begin(the.mirror);
	mirror_load(the.mirror, with("bob"));
	for (e = 0; e < sizeof(events) / sizeof(*events); e++)
		for (k = 0; k < sizeof(keys) / sizeof(*keys); k++)
			for (v = 0; v < sizeof(values) / sizeof(*values); v++) {
				told("{'event':'%s','%s':%s}", events[e],
				    keys[k], values[v]);
				told("{'ok':true,'more':true,'tag':%zu,"
				     "'%s':%s}",
				    e % 9, keys[k], values[v]);
			}
	for (v = 0; v < sizeof(values) / sizeof(*values); v++)
		told("{'event':%s}", values[v]);
	ok(same_list() && same(with("bob")) && the.wrong == 0,
	    "members of any type do no harm");
	ok(!mirror_take(the.mirror, NULL, NOW), "nor what is no object");
	ok(mirror_open(the.mirror, "no name") == NULL, "a name is a name");
	end();
}

int
main(void)
{
	test_begin();
	test_arrival();
	test_own();
	test_pages();
	test_edge();
	test_links();
	test_presence();
	test_end();
	test_search();
	test_hostile();
	return done();
}
