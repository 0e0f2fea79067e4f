#!/usr/bin/env bats
# SPDX-License-Identifier: ISC
# What faces that show conversations ask of the agent: pages of the history,
# what is unread, and what the user has said and done in another face.

# shellcheck disable=SC2030,SC2031,SC2034,SC2154 # lib/centre.bash has them
load lib/centre
load lib/person
load lib/private
load lib/face
load lib/terminal

setup_file()
{
	people alice bob carol
}

set_up()
{
	centre_start 'session: { heartbeat = 1; timeout = 60; };'
}

# usage: logged_in NAME ; with an agent that stays
logged_in()
{
	once 0 "$1" login
}

# usage: shows_talks FACE NAME ; a window of NAME's, which watches
shows_talks()
{
	faces "$1" "$2"
	wishes "$1" '{"do": "watch", "talks": true, "tag": "watch"}'
	gets "$1" '.tag == "watch" and .ok'
}

@test "a page is what was said with one user, in order, with its ends" {
	logged_in alice
	shows_talks window alice
	person bob
	types bob 'message alice one'
	gets window '.text == "one"'
	once 0 alice send bob two
	types bob 'message alice three'
	gets window '.text == "three"'
	types bob 'broadcast to everybody'
	gets window '.event == "broadcast"'
	answers window '{"do": "history", "with": "bob"}' \
		'[.rows[].text] == ["one", "two", "three"] and .start and .end'
	jq -e '.rows[0] | .kind == "message" and .from == "bob" and
		.to == "alice" and .state == "received" and .row > 0' <<<"$got"
	jq -e '.rows[1] | .from == "alice" and .to == "bob"' <<<"$got"
	middle=$(jq '.rows[1].row' <<<"$got")
	answers window '{"do": "history", "with": "Bob", "limit": 2}' \
		'[.rows[].text] == ["two", "three"] and (.start | not) and .end'
	answers window \
		"{\"do\": \"history\", \"with\": \"bob\", \"before\": $middle}" \
		'[.rows[].text] == ["one"] and .start and (.end | not)'
	answers window \
		"{\"do\": \"history\", \"with\": \"bob\", \"after\": $middle}" \
		'[.rows[].text] == ["three"] and (.start | not) and .end'
	answers window "{\"do\": \"history\", \"with\": \"bob\",
		\"around\": $middle, \"limit\": 1}" \
		'[.rows[].text] == ["two"] and (.start or .end | not)'
	answers window '{"do": "history", "with": "bob", "search": "THREE"}' \
		'[.rows[].text] == ["three"] and .start and .end'
	answers window '{"do": "history", "room": true}' \
		'[.rows[] | .from, .kind, .to] == ["bob", "broadcast", null]'
	answers window '{"do": "history", "room": true, "presence": true}' \
		'[.rows[].kind] == ["login", "broadcast"]'
	answers window '{"do": "history"}' '.rows | length == 4'
	answers window '{"do": "history", "with": "nobody-yet"}' \
		'.rows == [] and .start and .end'
	once 0 alice logout
}

@test "what is no page is refused, and the agent lives" {
	logged_in alice
	faces window alice
	for wrong in '"with": 7' '"with": "no name"' '"with": "bob", "room": true' \
		'"before": 1, "after": 2' '"before": -1' '"around": "x"' \
		'"limit": 0' '"limit": 501' '"search": 5' \
		"\"search\": \"$(printf 'x %.0s' {1..200})\""; do
		answers window "{\"do\": \"history\", $wrong}" \
			'.error == "bad-request"'
	done
	for wrong in '"with": "bob"' '"row": 0' '"room": true, "row": 99999' \
		'"room": true, "row": -1' '"with": "", "row": 0'; do
		answers window "{\"do\": \"read\", $wrong}" \
			'.error == "bad-request"'
	done
	answers window '{"do": "history", "search": "\" AND ( * ^ NEAR - {a}:"}' \
		'.ok and .rows == []'
	answers window '{"do": "status"}' '.session == "in" and .synced != null'
	once 0 alice logout
}

@test "a long page comes in lines that fit, and no more than a face can take" {
	logged_in alice
	faces window alice
	text=$(printf 'wide %.0s' {1..1600})
	for i in {1..60}; do
		wishes window "{\"do\": \"send\", \"to\": \"bob\", \"text\": \"$i $text\"}"
	done
	answers window '{"do": "history", "with": "bob", "limit": 500}' \
		'.ok and (.start | not) and .end'
	jq -s 'map(.rows // [] | map(.text | split(" ")[0] | tonumber)) | add |
		length > 10 and length < 60 and last == 60 and . == sort' \
		"$dir/window.out" | grep -qx true
	same 0 "$(awk 'length($0) > 65535' "$dir/window.out" | wc -l)"
	once 0 alice logout
}

@test "unread until it is read, in whichever face" {
	logged_in alice
	shows_talks window alice
	shows_talks screen alice
	person bob
	types bob 'message alice one'
	types bob 'message alice two'
	types bob 'broadcast all'
	gets window '.text == "all"'
	last=$(jq .row <<<"$got")
	wishes window "{\"do\": \"seen\", \"row\": $last}"
	answers window '{"do": "talks"}' '[.talks[] | {(.user // ""): .unread}]
		| add == {"bob": 2, "": 1}'
	jq -e '.talks[0] | .user == null and .text == "all" and .from == "bob"
		and .row > 0 and .time != null' <<<"$got"
	first=$(($(jq '.talks[] | select(.user == "bob").row' <<<"$got") - 1))
	answers window "{\"do\": \"read\", \"with\": \"bob\", \"row\": $first}" .ok
	gets screen ".event == \"read\" and .user == \"bob\" and .row == $first
		and .unread == 1"
	answers window '{"do": "read", "with": "bob", "row": 1}' .ok
	answers window '{"do": "talks"}' \
		'.talks[] | select(.user == "bob") | .unread == 1'
	answers screen "{\"do\": \"read\", \"room\": true, \"row\": $last}" .ok
	gets window '.event == "read" and .user == null and .unread == 0'
	once 0 alice logout
}

@test "what a line face or a one-shot has shown is read" {
	logged_in alice
	shows_talks window alice
	person bob
	types bob 'message alice one'
	gets window '.text == "one"'
	answers window '{"do": "talks"}' '.talks[0].unread == 1'
	once 0 alice read
	holds "$output" 'bob: one'
	gets window '.event == "read" and .user == "bob" and .unread == 0'
	got_none window '.error'
	# The same by hand: without talks nobody says read.
	faces bot alice
	wishes bot '{"do": "watch"}'
	types bob 'message alice two'
	gets bot '.text == "two"'
	answers bot "{\"do\": \"seen\", \"row\": $(jq .row <<<"$got")}" .ok
	gets window '.event == "read" and .unread == 0'
	got_none bot '.event == "read"'
	once 0 alice logout
}

@test "what is written without an agent does not count as unread" {
	person alice
	leaves alice
	once 0 alice send bob 'no agent here'
	logged_in alice
	faces window alice
	answers window '{"do": "talks"}' \
		'[.talks[] | select(.user == "bob") | .unread, .text]
		== [0, "no agent here"]'
	once 0 alice logout
}

@test "what is said in one face the others can show" {
	logged_in alice
	shows_talks window alice
	faces screen alice
	wishes screen '{"do": "watch"}'
	wishes screen '{"do": "send", "to": "bob", "text": "hi"}'
	gets window '.event == "state" and .own > 0'
	jq -e '.to == "bob" and .text == "hi" and .state == "queued" and
		.time != null and .yours == null' <<<"$got"
	own=$(jq .own <<<"$got")
	gets screen ".own == $own and .yours"
	answers window '{"do": "history", "with": "bob"}' \
		".rows[0].row == $own"
	wishes screen '{"do": "broadcast", "text": "hi all"}'
	gets window '.own > 0 and .text == "hi all" and .to == null'
	wishes screen '{"do": "queue", "to": "bob", "text": "later"}'
	gets window '.own > 0 and .text == "later" and .to == "bob"'
	once 0 alice logout
}

@test "a line face shows on a terminal what another one has sent" {
	person bob
	sits alice
	once 0 alice send bob 'from the shell'
	shows alice "$now to bob: from the shell"
	once 0 alice broadcast 'all of you'
	shows alice "$now to all: all of you"
	says_line alice 'message bob typed here'
	sees bob 'alice: typed here'
	says_line alice 'message bob and this'
	sees bob 'alice: and this'
	run ! has_shown alice "$now to bob: typed here"
}

@test "a private message, and a key that is trusted, in another face" {
	person bob
	sits alice
	says_line alice 'getaddress bob'
	sees_like bob 'alice wants to talk privately.*'
	types bob 'accept alice'
	shows alice 'bob agreed: .*'
	shows_talks window alice
	wishes window '{"do": "private", "to": "bob", "text": "psst"}'
	gets window '.own > 0 and .private and .text == "psst"'
	sees bob 'alice (private): psst'
	shows alice "$now to bob \\(private\\): psst"
	answers window '{"do": "history", "with": "bob"}' \
		'.rows[0] | [.kind, .from, .to, .state] == ["private", "alice", "bob",
			"fetched"]'
	leaves bob
	gets window '.event == "hangup"'
	rm "$dir"/bob.state/*/peer.*
	person bob
	types bob 'getaddress alice'
	gets window '.event == "key-changed" and .user == "bob"'
	wishes window '{"do": "trust", "user": "bob"}'
	gets window '.event == "trusted" and .user == "bob" and
		(.fingerprint | startswith("sha256//"))'
}

@test "whoever agrees is told as the other faces are" {
	person bob
	logged_in alice
	shows_talks window alice
	shows_talks screen alice
	faces plain alice
	wishes plain '{"do": "watch"}'
	types bob 'getaddress alice'
	gets window '.event == "ask" and .from == "bob"'
	wishes window '{"do": "accept", "user": "bob", "tag": "yes"}'
	gets window '.event == "accepted" and .user == "bob" and .yours'
	gets window '.tag == "yes" and .ok'
	gets screen '.event == "accepted" and .user == "bob" and
		.yours == null'
	gets plain '.event == "accepted"'
	wishes window '{"do": "hangup", "user": "bob"}'
	sees_like bob 'The private link with alice has ended.*'
	types bob 'getaddress alice'
	gets plain '.event == "ask" and .from == "bob"'
	wishes plain '{"do": "accept", "user": "bob", "tag": "again"}'
	gets plain '.tag == "again" and .ok'
	got_none plain '.yours'
	once 0 alice logout
}

@test "off a terminal nothing is added" {
	person bob
	person alice
	once 0 alice send bob 'from the shell'
	sees bob 'alice: from the shell'
	types alice online
	sees alice bob
	saw_nothing_of alice 'from the shell'
}

@test "blocks, questions and keys are told to all faces" {
	logged_in alice
	shows_talks window alice
	faces screen alice
	wishes screen '{"do": "block", "user": "carol"}'
	gets window '.event == "blocked" and .user == "carol"'
	wishes screen '{"do": "unblock", "user": "carol"}'
	gets window '.event == "unblocked" and .user == "carol"'
	person bob
	wishes screen '{"do": "ask", "to": "bob"}'
	gets window '.event == "asked" and .user == "bob" and .expires_in > 0'
	sees_like bob 'alice wants to talk privately.*'
	wishes screen '{"do": "hangup", "user": "bob"}'
	gets window '.event == "declined" and .reason == "withdrawn"'
	types bob 'getaddress alice'
	gets window '.event == "ask" or .event == "address"'
	once 0 alice logout
}

@test "a question is settled by a no, and by nothing" {
	centre_stop
	centre_start 'session: { heartbeat = 1; timeout = 60; };
		private: { ask_seconds = 2; };'
	logged_in alice
	shows_talks window alice
	faces screen alice
	person bob
	types bob 'getaddress alice'
	gets window '.event == "ask" and .from == "bob"'
	wishes screen '{"do": "decline", "user": "bob"}'
	gets window '.event == "settled" and .user == "bob"'
	sees bob 'alice declined.'
	types bob 'getaddress alice'
	gets window '.event == "ask" and .from == "bob"'
	gets window '.event == "settled" and .user == "bob"'
	once 0 alice logout
}

@test "an agent to come to: started, nobody logged in, and its socket printed" {
	once 0 alice agent
	same "$dir/alice.state/alice@127.0.0.1:$PORT/agent.sock" "$output"
	[ -S "$output" ]
	# Nobody has come yet: who looks again takes it away from nobody.
	agent=$(agent_of alice)
	once 0 alice agent --json
	jq -e --arg at "127.0.0.1:$PORT" '.user == "alice" and .centre == $at
		and (.socket | endswith("/agent.sock"))' <<<"$output"
	same "$agent" "$(agent_of alice)"
	faces window alice
	answers window '{"do": "status"}' \
		'.session == "out" and .user == "alice" and .synced == null'
	hangs_up window
	ends window 0
	wait_for gone "$agent"
	run -64 --separate-stderr chat --state "$dir/nobody.state" \
		-s "127.0.0.1:$PORT" agent
	same 'chat: no user is given: add -u USER' "$stderr"
	run -64 --separate-stderr chat --state "$dir/alice.state" agent more
}
